"""What a store says when its database cannot be had."""

from __future__ import annotations

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import event

from bettercare.access.users import User
from bettercare.errors import BettercareError
from bettercare.store import Store


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("postgresql+psycopg://ann:secret@127.0.0.1:1/x", r"postgresql\+psycopg://ann:\*\*\*@127.0.0.1:1/x cannot be reached\. Check that its server"),
        ("postgresql://ann@127.0.0.1:1/x", "cannot be reached"),
        ("mysql://ann:secret@host/x", "is not the address of a store. Give a file, or an address such as"),
        ("nonsense://x", "is not the address of a store"),
        ("postgresql+unheard://x", "is not the address of a store"),
        (":memory:", "is not the address of a store"),
        ("sqlite://", "is not the address of a store"),
        ("", "is not the address of a store"),
        ("://", "is not the address of a store"),
    ],
)  # fmt: skip
def test_an_address_that_leads_nowhere(address: str, said: str) -> None:
    with pytest.raises(BettercareError, match=said) as refused:
        Store.open(address)
    assert "secret" not in str(refused.value)


def test_a_file_of_another_kind(tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear all,\n" * 1000)
    with pytest.raises(BettercareError, match=r"letter.txt is a file of another kind\. Choose another file\."):
        Store.open(other)
    assert other.read_text() == "Dear all,\n" * 1000


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(BettercareError, match="cannot be opened"):
        Store.open(tmp_path)


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(BettercareError, match="its folder is not there and cannot be made"):
        Store.open(tmp_path / "file" / "x.db")


def test_a_folder_that_is_not_there_is_made(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "a" / "b c" / "x%20?.db")
    assert store.address == str(tmp_path / "a" / "b c" / "x%20?.db")
    assert Path(store.address).exists()
    store.close()


def test_a_driver_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(BettercareError, match=r'needs the package psycopg.*pip install "bettercare\[postgresql\]"'):
        Store.open("postgresql+psycopg://ann:secret@host/x")


def test_a_file_that_may_only_be_read(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.db")
    # Not by the file's rights: the user of a container may write everything.
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA query_only = ON"))
    store.close()
    with (
        pytest.raises(BettercareError, match=r"x.db cannot be written\. Make the file"),
        store.change("ann") as changing,
    ):
        changing.add(User(id="ann", name="Ann"))
    store.close()


def test_a_writer_who_has_waited_long_enough_is_told_so(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.db")
    store.close()
    event.listen(store.engine, "connect", lambda connection, _: connection.execute("PRAGMA busy_timeout = 1"))
    with closing(sqlite3.connect(tmp_path / "x.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(BettercareError, match=r"is busy with other changes\. Try again"), store.change("ann"):
            pass
        assert store.list(User) == (), "readers do not wait"
    store.close()


def test_an_sqlite_file_is_written_for_good_and_read_while_it_is_written(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "x.db")
    with store.engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert settings == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}
    store.close()


@pytest.mark.parametrize(
    "question",
    [
        "SELECT number FROM changes WHERE plan = 'p' ORDER BY number DESC LIMIT 1",
        "SELECT number FROM changes WHERE kind = 'k' AND plan = 'p' AND id = 'i' ORDER BY number DESC LIMIT 1",
        "SELECT * FROM sign_ins WHERE plan = '' AND user = 'u' ORDER BY id DESC LIMIT 5",
        "SELECT * FROM sessions WHERE plan = '' AND id = 'x'",
    ],
)
def test_what_is_asked_on_every_request_is_found_by_an_index(tmp_path: Path, question: str) -> None:
    store = Store.open(tmp_path / "x.db")
    with store.engine.connect() as connection:
        steps = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {question}")]
    assert len(steps) == 1, steps
    assert steps[0].startswith("SEARCH")
    assert "INDEX" in steps[0]
    store.close()
