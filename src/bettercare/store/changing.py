"""Changing the store: every row is checked against what it was made from, and written into the history."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, delete, insert, select, update

from bettercare.errors import BettercareError
from bettercare.store.history import Change, last_of, last_of_each
from bettercare.store.record import Record
from bettercare.store.schema import changes, shape_of, table_of

R = TypeVar("R", bound=Record)


class Missing(BettercareError):
    """There is no such row."""


class Conflict(BettercareError):
    """Someone else changed the row, or took its id, in the meantime."""

    def __init__(
        self,
        what: str,
        remedy: str,
        change: Change | None = None,
        fields: dict[str, tuple[Any, Any]] | None = None,
    ) -> None:
        super().__init__(what, remedy=remedy)
        self.change = change
        """The change that came first; None for a kind of row that has no history."""
        self.fields = fields or {}
        """What others changed since, by field: before and after."""


class Changing:
    """Changes being made in one transaction. Made by :meth:`Store.change`."""

    def __init__(self, connection: Connection, by: str, why: str) -> None:
        self._connection, self._by, self._why = connection, by, why

    def add(self, record: R) -> R:
        """Store a new row.

        Raises:
            Conflict: its id is taken.
        """
        before = last_of(self._connection, record.table, record.plan, record.id) if record.kept and record.id else None
        return self._add([record], {(before.plan, before.id): before} if before else {})[0]

    def add_all(self, records: Iterable[R]) -> tuple[R, ...]:
        """Store many new rows of one kind, quickly.

        Raises:
            Conflict: an id is taken.
        """
        given = list(records)
        if not given:
            return ()
        plans = {record.plan for record in given}
        before = (
            last_of_each(self._connection, given[0].table, plans.pop() if len(plans) == 1 else None)
            if given[0].kept
            else {}
        )
        return self._add(given, before)

    def _add(self, records: Sequence[R], before: Any) -> tuple[R, ...]:
        added: list[R] = []
        taken: set[tuple[str, str]] = set()
        for record in records:
            new_id = record.id or uuid.uuid4().hex[:12]
            last: Change | None = before.get((record.plan, new_id))
            if last is not None and last.action != "remove":
                raise _taken(record, last)
            if (record.plan, new_id) in taken:
                raise _taken(record, None)
            taken.add((record.plan, new_id))
            # A row that takes the id of a removed one goes on from its version: an editor who still has the old one open must lose.
            version = (last.version if last else 0) + 1
            added.append(record.model_copy(update={"id": new_id, "version": version}))
        shape = shape_of(type(added[0]))
        self._connection.execute(insert(shape.table), [shape.columns(new) for new in added])
        self._note(added, "add")
        return tuple(added)

    def replace(self, record: R) -> R:
        """Store a new version of a row; ``record.version`` is the version it was made from.

        Raises:
            Conflict: the stored version is another one.
            Missing: there is no such row.
        """
        if record.append_only:
            raise BettercareError(f"A row of {called(record)} is never changed.", remedy="Add a correction.")
        table = table_of(type(record))
        new = record.model_copy(update={"version": record.version + 1})
        done = self._connection.execute(
            update(table)
            .where(table.c.plan == new.plan, table.c.id == new.id, table.c.version == record.version)
            .values(**shape_of(type(new)).columns(new))
        )
        if done.rowcount != 1:
            raise self._lost(record)
        self._note([new], "replace")
        return new

    def remove(self, record: Record) -> None:
        """Take a row away; the history keeps it.

        Raises:
            Conflict: the stored version is another one.
            Missing: there is no such row.
        """
        if record.append_only:
            raise BettercareError(f"A row of {called(record)} is never removed.", remedy="Add a correction.")
        table = table_of(type(record))
        done = self._connection.execute(
            delete(table).where(table.c.plan == record.plan, table.c.id == record.id, table.c.version == record.version)
        )
        if done.rowcount != 1:
            raise self._lost(record)
        self._note([record], "remove")

    def _lost(self, record: Record) -> BettercareError:
        """Why a row could not be written."""
        last = last_of(self._connection, record.table, record.plan, record.id) if record.kept else None
        if last is None:
            table = table_of(type(record))
            there = self._connection.execute(
                select(table.c.version).where(table.c.plan == record.plan, table.c.id == record.id)
            ).first()
            if there is None:
                return missing(type(record), record.id)
            return Conflict(f"{record.id!r} was changed after you opened it.", "Try again.")
        when = f"at {last.at:%H:%M} UTC on {last.at.day} {last.at:%B %Y}"
        if last.action == "remove":
            return Conflict(
                f"{last.by} removed {record.id!r} {when}, after you opened it, so your change was not saved.",
                "If it is still needed, add it again.",
                last,
            )
        opened = self._version(record)
        fields = last.fields(opened) if opened is not None else {}
        named = ", ".join(type(record).model_fields[name].title or name for name in fields if name in record.__dict__)
        return Conflict(
            f"{last.by} changed {record.id!r} {when}, after you opened it, so your change was not saved."
            + (f" What differs from what you opened: {named}." if named else ""),
            "Read what is there now and make your change again.",
            last,
            fields,
        )

    def _version(self, record: Record) -> Change | None:
        """The change that made the version which a record was made from."""
        row = self._connection.execute(
            select(changes)
            .where(
                changes.c.kind == record.table,
                changes.c.plan == record.plan,
                changes.c.id == record.id,
                changes.c.version == record.version,
                changes.c.action != "remove",
            )
            .limit(1)
        ).first()
        return Change(*row) if row else None

    def _note(self, records: Sequence[Record], action: str) -> None:
        if not records[0].kept:
            return
        shape, at = shape_of(type(records[0])), datetime.now(UTC)
        self._connection.execute(
            insert(changes),
            [
                {
                    "at": at,
                    "by": self._by,
                    "why": self._why,
                    "kind": record.table,
                    "plan": record.plan,
                    "id": record.id,
                    "version": record.version,
                    "action": action,
                    "row": shape.history(record),
                }
                for record in records
            ],
        )


def called(record: Record | type[Record]) -> str:
    """The register's name as people say it."""
    return record.table.replace("_", " ")


def missing(kind: type[Record], id: str) -> Missing:
    """There is no such row."""
    return Missing(f"There is no {id!r} in {called(kind)}.", remedy="It may have been removed; look at the list.")


def _taken(record: Record, last: Change | None) -> Conflict:
    by = f"; {last.by} wrote it on {last.at.day} {last.at:%B %Y}" if last else ""
    return Conflict(
        f"{record.id!r} is already in {called(record)}{by}.",
        "Give it another reference, or open the one that is there.",
        last,
    )
