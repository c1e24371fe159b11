"""A store's tables come from migrations alone, from whatever version a store was made by, on both databases."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from bettercare.access.users import User
from bettercare.errors import BettercareError
from bettercare.store import Store
from bettercare.store.database import connect
from bettercare.store.migrate import every_kind, write_migration
from bettercare.store.schema import metadata
from bettercare.store.upgrade import MIGRATIONS, bring_up_to_date
from store_writers import open_store, processes


def test_the_migrations_make_the_tables_that_the_kinds_of_record_need(empty_address: str) -> None:
    every_kind()
    store = Store.open(empty_address)
    with store.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, metadata)
    store.close()
    assert found == [], 'Write the migration: python -m bettercare.store.migrate "what has changed"'


def test_opening_a_store_again_changes_nothing(empty_address: str) -> None:
    for number in range(2):
        store = Store.open(empty_address)
        with store.change("ann") as changing:
            changing.add(User(id=f"u{number}", name="x"))
        store.close()
    store = Store.open(empty_address)
    assert [user.id for user in store.list(User)] == ["u0", "u1"]
    store.close()


def test_several_processes_may_open_a_new_store_at_once(empty_address: str) -> None:
    ends, running = [], []
    for _ in range(6):
        here, there = processes().Pipe(duplex=False)
        process = processes().Process(target=open_store, args=(empty_address, there))
        process.start()
        there.close()
        ends.append(here)
        running.append(process)
    assert [end.recv() if end.poll(120) else "no answer" for end in ends] == [""] * 6
    for process in running:
        process.join(timeout=120)


def test_a_store_of_a_newer_version_is_refused(empty_address: str) -> None:
    store = Store.open(empty_address)
    with store.engine.begin() as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    store.close()
    with pytest.raises(BettercareError, match=r"was made by a newer version of bettercare\. Install that version"):
        Store.open(empty_address)


def test_a_database_of_something_else_is_refused_and_left_alone(empty_address: str) -> None:
    engine = connect(empty_address)
    with engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (mine TEXT)")
    with pytest.raises(BettercareError, match="holds tables that are not bettercare's"):
        Store.open(empty_address)
    assert inspect(engine).get_table_names() == ["users"]
    engine.dispose()


def test_a_store_that_has_lost_a_table_says_so(empty_address: str) -> None:
    store = Store.open(empty_address)
    with store.engine.execution_options(writes=True).begin() as connection:
        connection.exec_driver_sql("DROP TABLE users")
    with pytest.raises(BettercareError, match="has not the tables that this version needs"):
        store.list(User)
    store.close()


NEXT = '''"""Users have a telephone, and no version needs to be a large number."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{head}"


def upgrade() -> None:
    with op.batch_alter_table("users") as users:
        users.add_column(sa.Column("telephone", sa.Text(), nullable=False, server_default="none"))
        users.alter_column("version", type_=sa.Integer(), existing_type=sa.BigInteger(), existing_nullable=False)
    {last}
'''


def _later(folder: Path, last: str = "") -> Path:
    """The migrations with one more."""
    later = folder / "migrations"
    shutil.copytree(MIGRATIONS, later, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
    head = max(path.name[:4] for path in MIGRATIONS.glob("versions/[0-9]*.py"))
    (later / "versions" / "9999_next.py").write_text(NEXT.format(head=head, last=last))
    return later


def test_a_store_with_rows_is_brought_up_to_date(empty_address: str, tmp_path: Path) -> None:
    store = Store.open(empty_address)
    with store.change("ann") as changing:
        changing.add(User(id="ann", name="Ann"))
    bring_up_to_date(store.engine, _later(tmp_path))
    with store.engine.connect() as connection:
        assert connection.exec_driver_sql("SELECT id, version, telephone FROM users").all() == [("ann", 1, "none")]
    assert {index["name"] for index in inspect(store.engine).get_indexes("users")} == {
        "users_by_oidc_subject",
        "users_by_email",
    }
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(empty_address: str, tmp_path: Path) -> None:
    store = Store.open(empty_address)
    with pytest.raises(ZeroDivisionError):
        bring_up_to_date(store.engine, _later(tmp_path, last="1 / 0"))
    assert "telephone" not in {column["name"] for column in inspect(store.engine).get_columns("users")}
    store.close()
    Store.open(empty_address).close()


def test_a_migration_is_written_only_when_something_is_missing(tmp_path: Path) -> None:
    migrations = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    assert write_migration("nothing", migrations) is None
    count = len(list(migrations.glob("versions/[0-9]*.py")))
    [first] = migrations.glob("versions/0001*.py")
    text = first.read_text()
    begin, end = text.index('    op.create_table(\n        "users"'), text.index("\n    )\n", text.index('"users"')) + 7
    users = text[begin:end].replace('        sa.Column("email", sa.Text(), nullable=False),\n', "")
    first.write_text(
        text[:begin] + users + "\n".join(line for line in text[end:].splitlines() if "users_by_email" not in line)
    )
    written = write_migration("users have an address", migrations)
    assert written is not None
    assert written.name == f"{count + 1:04d}_users_have_an_address.py"
    assert 'sa.Column("email", sa.Text()' in written.read_text()
    assert "actions" not in written.read_text()
