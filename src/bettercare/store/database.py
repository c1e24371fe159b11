"""The database behind the store: SQLite by default, PostgreSQL in production."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, NoSuchModuleError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnection

from bettercare.errors import BettercareError

PATIENCE = 30
"""Seconds that a writer waits for those before it."""

_WRITERS_LOCK = 0x62657474
"""Key of PostgreSQL's advisory lock that writers take one after another."""


def connect(where: str | Path) -> Engine:
    """An engine for a file or an address. Nothing is read yet, except that an SQLite file is made ready.

    Args:
        where: a file (SQLite), or an address such as ``postgresql+psycopg://user@host/name``.
    """
    url = _url(where)
    shown = display(url)
    try:
        engine = create_engine(
            url,
            pool_pre_ping=url.get_backend_name() != "sqlite",
            pool_size=20,
            max_overflow=0,
            pool_timeout=PATIENCE,
            connect_args={"timeout": PATIENCE} if url.get_backend_name() == "sqlite" else {"connect_timeout": 10},
        )
    except ModuleNotFoundError as error:
        raise BettercareError(
            f"The store {shown} needs the package {error.name}, which is not installed.",
            remedy='Install it with: pip install "bettercare[postgresql]".',
        ) from error
    if url.get_backend_name() == "sqlite":
        _prepare_sqlite(engine, url)
    return engine


def display(url: URL) -> str:
    """An address or file as it may be printed: without its password."""
    return str(url.database) if url.get_backend_name() == "sqlite" else url.render_as_string(hide_password=True)


def _url(where: str | Path) -> URL:
    address = str(where)
    try:
        url = make_url(address) if "://" in address else URL.create("sqlite", database=address)
        if url.drivername in ("postgres", "postgresql"):
            url = url.set(drivername="postgresql+psycopg")
        # A database in memory would be another one for every connection.
        known = url.get_backend_name() == "postgresql" or url.database not in (None, "", ":memory:")
        known = known and url.get_backend_name() in ("sqlite", "postgresql") and url.get_dialect() is not None
    except (ArgumentError, NoSuchModuleError, ValueError):
        known = False
    if not known:
        raise BettercareError(
            f"{address.split('@')[-1]} is not the address of a store.",
            remedy="Give a file, or an address such as postgresql+psycopg://user@host/name.",
        )
    return url


def _prepare_sqlite(engine: Engine, url: URL) -> None:
    @event.listens_for(engine, "connect")
    def set_up(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # transactions are begun below, not guessed by the driver
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA synchronous = FULL")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # A writer takes its lock at once: one that first reads could find its reading stale when it comes to write.
        options = connection.get_execution_options()
        if not options.get("once", False):
            connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes", False) else "BEGIN")

    database = url.database or ""
    try:
        Path(database).parent.mkdir(parents=True, exist_ok=True)
        _write_ahead(database)
    except OSError as error:
        raise BettercareError(
            f"The store {database} cannot be made: its folder is not there and cannot be made.",
            remedy="Choose another file.",
        ) from error
    except sqlite3.DatabaseError as error:
        raise _refused(url, str(error)) from error


def _write_ahead(database: str) -> None:
    """Readers do not wait for writers. Two processes that ask for it at one moment may be told to wait, so it asks again."""
    with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
        for wait in (0.01, 0.1, 0.5, 1.0, None):
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                return
            except sqlite3.OperationalError as error:
                if wait is None or "locked" not in str(error):
                    raise
                time.sleep(wait)


@contextmanager
def refusals(url: URL) -> Iterator[None]:
    """Turns what a database refuses, and what its users can do something about, into a sentence."""
    try:
        yield
    except NoConnection as error:
        raise _refused(url, "locked") from error
    except (IntegrityError, DataError):
        raise  # ours to mend
    except DatabaseError as error:
        refused = _refused(url, str(error.orig))
        if isinstance(error, OperationalError) or refused.what != _refused(url, "").what:
            raise refused from error
        raise


_SAID = {
    "locked": ("is busy with other changes.", "Try again in a moment."),
    "readonly": ("cannot be written.", "Make the file and its folder writable, or choose another file."),
    "read-only": ("cannot be written.", "Use an account that may write, or another database."),
    "permission denied": ("cannot be written.", "Use an account that may write, or another database."),
    "unable to open": ("cannot be opened.", "Choose a file in a folder that can be written."),
    "not a database": ("is a file of another kind.", "Choose another file."),
    "malformed": ("is damaged.", "Restore it from a copy."),
    "is full": ("cannot grow: the disk is full.", "Make room and try again."),
    "already exists": ("holds tables that are not bettercare's.", "Choose another file or an empty database."),
    "no such": ("has not the tables that this version needs.", "Open it with the version that made it."),
    "has no column": ("has not the tables that this version needs.", "Open it with the version that made it."),
    "relation": ("has not the tables that this version needs.", "Open it with the version that made it."),
    "authentication": ("refuses the user name or password.", "Check the address."),
    "does not exist": ("is not there.", "Make the database or the user, or check the address."),
}  # fmt: skip
"""What to say, by a word of what the database says; the first that is found counts."""


def _refused(url: URL, said: str) -> BettercareError:
    for word, (what, remedy) in _SAID.items():
        if word in said:
            return BettercareError(f"The store {display(url)} {what}", remedy=remedy)
    return BettercareError(
        f"The store {display(url)} cannot be reached.", remedy="Check that its server is running, and its address."
    )


def begin_writing(connection: Connection) -> None:
    """Wait for the writers before us; the transaction's end lets the next one in.

    One writer at a time on either database, so changes are numbered in the order in which they become true: who has seen number n has seen
    all before it. On SQLite the transaction itself is that lock.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _WRITERS_LOCK})
