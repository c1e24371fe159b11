"""Bringing a store up to date. The migrations are what a store's tables are; opening one needs none of the rooms that keep rows in it."""

from __future__ import annotations

from pathlib import Path
from threading import Lock

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from bettercare.errors import BettercareError
from bettercare.store.database import begin_writing, display, refusals

MIGRATIONS = Path(__file__).parent / "migrations"

_ALEMBIC = Lock()
"""Alembic works through variables of its modules, so one thread at a time."""


def bring_up_to_date(engine: Engine, migrations: Path = MIGRATIONS) -> None:
    """Make or alter the tables of a store as this version needs them: all of it or nothing. Several processes may do so at once.

    Raises:
        BettercareError: a newer version made the store, or it cannot be written.
    """
    config = alembic_config(migrations)
    scripts = ScriptDirectory.from_config(config)
    with refusals(engine.url):
        with engine.connect() as connection:
            if _version(connection) == scripts.get_current_head():
                return
        with _ALEMBIC, engine.connect().execution_options(writes=True) as connection, connection.begin():
            begin_writing(connection)
            version = _version(connection)  # again: another process may have come first
            if version is not None and version not in {script.revision for script in scripts.walk_revisions()}:
                raise BettercareError(
                    f"The store {display(engine.url)} was made by a newer version of bettercare.",
                    remedy="Install that version, or open another store.",
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def alembic_config(migrations: Path) -> Config:
    """Alembic's settings for a folder of migrations."""
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    return config


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()
