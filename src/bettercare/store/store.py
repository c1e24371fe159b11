"""Reading and changing the store. Every change is one transaction, checked against what it was made from, and kept in the history."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, func, insert, select, update
from sqlalchemy import delete as deletion
from sqlalchemy.exc import IntegrityError

from bettercare.errors import BettercareError
from bettercare.store.record import Record
from bettercare.store.schema import all_tables, changes, table_of

R = TypeVar("R", bound=Record)


class Missing(BettercareError):
    """There is no such row."""


class Conflict(BettercareError):
    """Someone else changed the row, or took its id, in the meantime."""


@dataclass(frozen=True)
class Change:
    """One write, as the history keeps it."""

    number: int
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
    """The row after the change, as JSON; binary fields left out."""


class Changing:
    """Changes being made in one transaction."""

    def __init__(self, connection: Connection, by: str, why: str) -> None:
        self._connection, self._by, self._why = connection, by, why

    def add(self, record: R) -> R:
        """Store a new row.

        Raises:
            Conflict: its id is taken.
        """
        new = record.model_copy(update={"id": record.id or uuid.uuid4().hex[:12], "version": 1})
        try:
            self._connection.execute(insert(table_of(type(new))).values(**new.model_dump()))
        except IntegrityError as error:
            raise Conflict(
                f"{new.id!r} is already in {new.table}.",
                remedy="Give it another reference, or open the one that is there.",
            ) from error
        self._note(new, "add")
        return new

    def replace(self, record: R) -> R:
        """Store a new version of a row; ``record.version`` is the version it was made from.

        Raises:
            Conflict: the stored version is another one.
            Missing: there is no such row.
        """
        if record.append_only:
            raise BettercareError(f"A row of {record.table} is never changed.", remedy="Add a correction.")
        table = table_of(type(record))
        new = record.model_copy(update={"version": record.version + 1})
        done = self._connection.execute(
            update(table)
            .where(table.c.plan == new.plan, table.c.id == new.id, table.c.version == record.version)
            .values(**new.model_dump())
        )
        if done.rowcount != 1:
            self._lost(record)
        self._note(new, "replace")
        return new

    def remove(self, record: Record) -> None:
        """Take a row away; the history keeps it."""
        if record.append_only:
            raise BettercareError(f"A row of {record.table} is never removed.", remedy="Add a correction.")
        table = table_of(type(record))
        done = self._connection.execute(
            deletion(table).where(
                table.c.plan == record.plan, table.c.id == record.id, table.c.version == record.version
            )
        )
        if done.rowcount != 1:
            self._lost(record)
        self._note(record, "remove")

    def _lost(self, record: Record) -> None:
        last = self._connection.execute(
            select(changes)
            .where(changes.c.kind == record.table, changes.c.plan == record.plan, changes.c.id == record.id)
            .order_by(changes.c.number.desc())
            .limit(1)
        ).first()
        if last is None:
            raise Missing(f"There is no {record.id!r} in {record.table}.")
        raise Conflict(
            f"{last.by} changed {record.id!r} at {last.at:%H:%M on %d %B %Y} after you opened it, so your change was not saved.",
            remedy="Read what is there now and make your change again.",
        )

    def _note(self, record: Record, action: str) -> None:
        row = record.model_dump(
            mode="json",
            exclude={name for name, field in type(record).model_fields.items() if field.annotation is bytes},
        )
        self._connection.execute(
            insert(changes).values(
                at=datetime.now(UTC),
                by=self._by,
                why=self._why,
                kind=record.table,
                plan=record.plan,
                id=record.id,
                version=record.version,
                action=action,
                row=row,
            )
        )


class Store:
    """The rows people change. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @classmethod
    def open(cls, where: str | Path) -> Store:
        """Open a store, bringing its tables up to date.

        Args:
            where: a file (SQLite), or an address such as ``postgresql+psycopg://user@host/name``.
        """
        address = str(where)
        if "://" not in address:
            Path(address).parent.mkdir(parents=True, exist_ok=True)
            address = f"sqlite:///{address}"
        engine = create_engine(address)
        all_tables().create_all(engine)
        return cls(engine)

    @contextmanager
    def change(self, by: str, why: str = "") -> Iterator[Changing]:
        """One transaction: everything in it is stored, or nothing."""
        with self.engine.begin() as connection:
            yield Changing(connection, by, why)

    def read(self, kind: type[R], plan: str, id: str) -> R:
        """One row.

        Raises:
            Missing: there is none.
        """
        table = table_of(kind)
        with self.engine.connect() as connection:
            row = connection.execute(select(table).where(table.c.plan == plan, table.c.id == id)).first()
        if row is None:
            raise Missing(f"There is no {id!r} in {kind.table}.")
        return kind.model_validate(dict(row._mapping))

    def list(self, kind: type[R], plan: str = "", **where: Any) -> tuple[R, ...]:
        """The rows of a plan, those whose columns equal ``where``, by id."""
        table = table_of(kind)
        chosen = (
            select(table)
            .where(table.c.plan == plan, *(table.c[name] == value for name, value in where.items()))
            .order_by(table.c.id)
        )
        with self.engine.connect() as connection:
            return tuple(kind.model_validate(dict(row._mapping)) for row in connection.execute(chosen))

    def revision(self, plan: str | None = None) -> int:
        """The number of the last change, of a plan or of all; 0 when there is none."""
        chosen = select(func.max(changes.c.number))
        with self.engine.connect() as connection:
            return connection.execute(chosen if plan is None else chosen.where(changes.c.plan == plan)).scalar() or 0

    def history(self, kind: type[Record], plan: str, id: str) -> tuple[Change, ...]:
        """Every change of one row, the first one first."""
        return self._changes(changes.c.kind == kind.table, changes.c.plan == plan, changes.c.id == id)

    def changes(self, plan: str, after: int = 0, limit: int = 1000) -> tuple[Change, ...]:
        """The changes of a plan after the one numbered ``after``, the first one first."""
        return self._changes(changes.c.plan == plan, changes.c.number > after, limit=limit)

    def _changes(self, *where: Any, limit: int | None = None) -> tuple[Change, ...]:
        with self.engine.connect() as connection:
            return tuple(
                Change(**row._mapping)
                for row in connection.execute(select(changes).where(*where).order_by(changes.c.number).limit(limit))
            )
