"""For developers: writing a migration, after a field or a kind of record has been added or altered.

::

    python -m bettercare.store.migrate "risks have a deadline"

writes the next migration from what the kinds of record have and the migrations do not. Read it before it is committed: a new column that may
not be empty needs a ``server_default`` for the rows there are. ``--first`` writes the one first migration anew, for as long as nobody has a store.
"""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from alembic import command

import bettercare
from bettercare.store.database import connect
from bettercare.store.schema import all_tables
from bettercare.store.upgrade import MIGRATIONS, alembic_config, bring_up_to_date

_WITHOUT_RECORDS = frozenset({"cli", "web", "plans", "store"})


def every_kind() -> None:
    """Import every room that keeps rows, so that all kinds of record are known."""
    for room in pkgutil.iter_modules(bettercare.__path__, "bettercare."):
        if room.ispkg and room.name.removeprefix("bettercare.") not in _WITHOUT_RECORDS:
            for module in pkgutil.walk_packages(importlib.import_module(room.name).__path__, f"{room.name}."):
                importlib.import_module(module.name)
    all_tables()


def write_migration(message: str, migrations: Path = MIGRATIONS) -> Path | None:
    """Write the migration from what the migrations make to what the kinds of record need; None when they agree."""
    every_kind()
    config = alembic_config(migrations)
    number = len(list((migrations / "versions").glob("[0-9]*.py"))) + 1

    def only_if_needed(_: Any, __: Any, directives: list[Any]) -> None:
        if directives[0].upgrade_ops.is_empty():
            directives.clear()

    with tempfile.TemporaryDirectory() as folder:
        engine = connect(Path(folder) / "empty.db")
        bring_up_to_date(engine, migrations)
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            command.revision(
                config, message, autogenerate=True, rev_id=f"{number:04d}", process_revision_directives=only_if_needed
            )
        engine.dispose()
    path = next((migrations / "versions").glob(f"{number:04d}_*.py"), None)
    if path is None:
        return None
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.lstrip().startswith("# ###")))
    for tidy in (("check", "--fix", "--quiet"), ("format", "--quiet")):
        subprocess.run([sys.executable, "-m", "ruff", *tidy, str(path)], check=True)
    return path


def main(words: list[str]) -> None:
    """Write a migration, as the module says."""
    every_kind()  # nothing is touched when a room cannot be imported
    if words == ["--first"]:
        for old in (MIGRATIONS / "versions").glob("[0-9]*.py"):
            old.unlink()
        words = ["The first tables"]
    if not words or words[0].startswith("-"):
        raise SystemExit('Say what changes, such as: python -m bettercare.store.migrate "risks have a deadline"')
    print(write_migration(" ".join(words)) or "The migrations have everything already.")


if __name__ == "__main__":
    main(sys.argv[1:])
