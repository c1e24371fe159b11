"""The history: every write there has been, and what was true after any of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, func, select

from bettercare.store.record import Record
from bettercare.store.schema import changes, shape_of

R = TypeVar("R", bound=Record)

_NOT_SAID = frozenset({"plan", "id", "version"})


@dataclass(frozen=True)
class Change:
    """One write, as the history keeps it."""

    number: int
    """Changes are numbered in the order in which they became true; a number may be missing."""
    at: datetime
    by: str
    why: str
    kind: str
    plan: str
    id: str
    version: int
    action: str
    """add, replace or remove."""
    row: dict[str, Any]
    """The row after the change (as it last was, when removed), as JSON; bytes and secrets left out."""

    def fields(self, previous: Change | None = None) -> dict[str, tuple[Any, Any]]:
        """What changed, by field: before and after. ``previous`` is the change of the same row before this one; None when it was added."""
        before = previous.row if previous is not None and previous.action != "remove" else {}
        after = self.row if self.action != "remove" else {}
        return {
            name: (before.get(name), after.get(name))
            for name in {**after, **before}
            if name not in _NOT_SAID and before.get(name) != after.get(name)
        }


def read_changes(connection: Connection, chosen: Select[Any]) -> tuple[Change, ...]:
    """The changes a query over the table ``changes`` gives."""
    return tuple(Change(*row) for row in connection.execute(chosen))


def last_of(connection: Connection, kind: str, plan: str, id: str) -> Change | None:
    """The last change of a row."""
    found = read_changes(
        connection,
        select(changes)
        .where(changes.c.kind == kind, changes.c.plan == plan, changes.c.id == id)
        .order_by(changes.c.number.desc())
        .limit(1),
    )
    return found[0] if found else None


def last_of_each(
    connection: Connection, kind: str, plan: str | None = None, number: int | None = None
) -> Mapping[tuple[str, str], Change]:
    """The last change of each row, or the last one up to ``number``; by plan and id. Rows that were removed are among them."""
    where = [changes.c.kind == kind]
    if plan is not None:
        where.append(changes.c.plan == plan)
    if number is not None:
        where.append(changes.c.number <= number)
    last = select(func.max(changes.c.number)).where(*where).group_by(changes.c.plan, changes.c.id)
    return {
        (change.plan, change.id): change
        for change in read_changes(connection, select(changes).where(changes.c.number.in_(last)))
    }


def rows_as_of(connection: Connection, kind: type[R], plan: str, number: int) -> list[R]:
    """The rows of a plan as they were after change ``number``, rebuilt from the history."""
    shape = shape_of(kind)
    if kind.append_only:
        # Such a row is what it was when added, and only its table has its bytes.
        there = select(changes.c.id).where(
            changes.c.kind == kind.table, changes.c.plan == plan, changes.c.number <= number
        )
        table = shape.table
        read = shape.reader()
        return [
            read(row) for row in connection.execute(select(table).where(table.c.plan == plan, table.c.id.in_(there)))
        ]
    last = last_of_each(connection, kind.table, plan, number)
    return [shape.remembered(change.row) for change in last.values() if change.action != "remove"]
