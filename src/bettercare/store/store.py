"""Reading and changing the store. Every change is one transaction, checked against what it was made from, and kept in the history."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import local
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, Select, select

from bettercare.errors import Fault
from bettercare.store.changing import Changing, missing
from bettercare.store.check import faults_of
from bettercare.store.database import begin_writing, connect, display, refusals
from bettercare.store.history import Change, last_of_each, read_changes, rows_as_of
from bettercare.store.record import Record
from bettercare.store.schema import changes, shape_of
from bettercare.store.upgrade import bring_up_to_date

R = TypeVar("R", bound=Record)


class Store:
    """The rows people change. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._own = local()

    @classmethod
    def open(cls, where: str | Path) -> Store:
        """Open a store, bringing its tables up to date.

        Args:
            where: a file (SQLite), or an address such as ``postgresql+psycopg://user@host/name``.

        Raises:
            BettercareError: it cannot be reached, read or written, or was made by a newer version.
        """
        engine = connect(where)
        bring_up_to_date(engine)
        return cls(engine)

    @property
    def address(self) -> str:
        """The file or address, without its password."""
        return display(self.engine.url)

    def close(self) -> None:
        """Let go of the database."""
        self.engine.dispose()

    @contextmanager
    def change(self, by: str, why: str = "") -> Iterator[Changing]:
        """One transaction: everything in it is stored, or nothing. When it ends without an error, it is stored for good.

        What this thread reads meanwhile is read in the transaction: it sees the change, and nobody can change it before the end.

        Args:
            by: who makes the change.
            why: for what reason, in their words.
        """
        if getattr(self._own, "connection", None) is not None:
            raise RuntimeError("A change is being made already.")
        with (
            refusals(self.engine.url),
            self.engine.connect().execution_options(writes=True) as connection,
            connection.begin(),
        ):
            begin_writing(connection)
            self._own.connection = connection
            try:
                yield Changing(connection, by, why)
            finally:
                self._own.connection = None

    @contextmanager
    def _reading(self, once: bool = False) -> Iterator[Connection]:
        """A connection to read by.

        Args:
            once: one statement alone is to be read, which needs no transaction to be of one moment.
        """
        own: Connection | None = getattr(self._own, "connection", None)
        if own is not None:
            yield own
            return
        with refusals(self.engine.url), self.engine.connect().execution_options(once=once) as connection:
            yield connection

    def check(self) -> tuple[Fault, ...]:
        """What is wrong with the database itself, and rows that do not agree with their history; normally nothing."""
        with self._reading() as connection:
            return faults_of(connection)

    def find(self, kind: type[R], plan: str, id: str) -> R | None:
        """One row, or None."""
        shape = shape_of(kind)
        chosen = select(shape.table).where(shape.table.c.plan == plan, shape.table.c.id == id)
        with self._reading(once=True) as connection:
            row = connection.execute(chosen).first()
        return None if row is None else shape.reader()(row)

    def read(self, kind: type[R], plan: str, id: str) -> R:
        """One row.

        Raises:
            Missing: there is none.
        """
        found = self.find(kind, plan, id)
        if found is None:
            raise missing(kind, id)
        return found

    def list(self, kind: type[R], plan: str = "", **where: Any) -> tuple[R, ...]:
        """The rows of a plan, those whose columns equal ``where``, by id."""
        # Sorted here: databases differ in how they order text.
        return tuple(sorted(self._rows(kind, self._chosen(kind, plan, where)), key=lambda record: record.id))

    def last(self, kind: type[R], plan: str = "", count: int = 1, **where: Any) -> tuple[R, ...]:
        """The ``count`` rows with the highest ids, the highest first, for kinds whose ids are in order of time."""
        return tuple(
            self._rows(kind, self._chosen(kind, plan, where).order_by(shape_of(kind).table.c.id.desc()).limit(count))
        )

    def _chosen(self, kind: type[Record], plan: str, where: Mapping[str, Any]) -> Select[Any]:
        table = shape_of(kind).table
        return select(table).where(table.c.plan == plan, *(table.c[name] == value for name, value in where.items()))

    def _rows(self, kind: type[R], chosen: Select[Any]) -> Iterator[R]:
        with self._reading() as connection:
            rows = connection.execute(chosen).all()
        return map(shape_of(kind).reader(), rows)

    def as_of(self, kind: type[R], plan: str, number: int) -> tuple[R, ...]:
        """The rows of a plan as they were after change ``number``, by id. Their secrets are not remembered."""
        with self._reading() as connection:
            rows = rows_as_of(connection, kind, plan, number)
        return tuple(sorted(rows, key=lambda record: record.id))

    def revision(self, plan: str | None = None) -> int:
        """The number of the last change, of a plan or of all; 0 when there is none. What is read after it is at least that new."""
        chosen = select(changes.c.number).order_by(changes.c.number.desc()).limit(1)
        with self._reading(once=True) as connection:
            return connection.scalar(chosen if plan is None else chosen.where(changes.c.plan == plan)) or 0

    def last_change(self, plan: str | None = None) -> Change | None:
        """The last change, of a plan or of all."""
        found = self._changes(*([] if plan is None else [changes.c.plan == plan]), limit=1, newest=True)
        return found[0] if found else None

    def history(self, kind: type[Record], plan: str, id: str) -> tuple[Change, ...]:
        """Every change of one row, the first one first."""
        return self._changes(changes.c.kind == kind.table, changes.c.plan == plan, changes.c.id == id)

    def written(self, kind: type[Record], plan: str) -> Mapping[str, Change]:
        """Who last wrote each row of a plan and when, by id; removed rows among them."""
        with self._reading() as connection:
            return {id: change for (_, id), change in last_of_each(connection, kind.table, plan).items()}

    def changes(
        self, plan: str, after: int = 0, limit: int = 1000, *, newest: bool = False, **where: str
    ) -> tuple[Change, ...]:
        """The changes of a plan after the one numbered ``after``, the first one first.

        Args:
            newest: the last one first.
            where: only those whose kind, id, by or action is this.
        """
        chosen = [changes.c[name] == value for name, value in where.items()]
        return self._changes(changes.c.plan == plan, changes.c.number > after, *chosen, limit=limit, newest=newest)

    def _changes(self, *where: Any, limit: int | None = None, newest: bool = False) -> tuple[Change, ...]:
        order = changes.c.number.desc() if newest else changes.c.number
        with self._reading() as connection:
            return read_changes(connection, select(changes).where(*where).order_by(order).limit(limit))
