"""Many people change the same rows at the same moment, in threads and in processes: no update is lost, and each loser is told who was first."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import wait

from bettercare.access.users import User
from bettercare.store import Conflict, Store
from store_writers import COUNTER, edit, edit_in_threads, processes

EDITORS = 50


def _counter(store: Store, *ids: str) -> None:
    with store.change("setup") as changing:
        changing.add_all(COUNTER.model_copy(update={"id": id}) for id in ids)


def test_of_fifty_who_open_one_row_one_saves_and_the_others_are_told_who_did(store: Store) -> None:
    _counter(store, "counter")
    opened = threading.Barrier(EDITORS)

    def one(number: int) -> str | Conflict:
        row = store.read(User, "", "counter")
        opened.wait(timeout=120)
        try:
            with store.change(f"editor-{number}", "their reason") as changing:
                changing.replace(row.model_copy(update={"name": f"by {number}"}))
        except Conflict as conflict:
            return conflict
        return f"editor-{number}"

    with ThreadPoolExecutor(EDITORS) as pool:
        outcomes = list(pool.map(one, range(EDITORS)))
    [winner] = [outcome for outcome in outcomes if isinstance(outcome, str)]
    losers = [outcome for outcome in outcomes if isinstance(outcome, Conflict)]
    assert len(losers) == EDITORS - 1
    for conflict in losers:
        assert f"{winner} changed 'counter'" in str(conflict)
        assert "Name" in str(conflict)
        assert conflict.fields == {"name": ("0", f"by {winner.removeprefix('editor-')}")}
    assert [change.by for change in store.history(User, "", "counter")] == ["setup", winner]
    assert store.read(User, "", "counter").name == f"by {winner.removeprefix('editor-')}"


def test_fifty_editors_of_many_rows_lose_nothing(store: Store) -> None:
    ids = tuple(f"row-{number}" for number in range(2))
    _counter(store, *ids)

    def one(number: int) -> list[tuple[str, int]]:
        mine = ids[number % 2 :] + ids[: number % 2]
        return edit(store, f"editor-{number}", 1, mine)

    with ThreadPoolExecutor(EDITORS) as pool:
        written = [write for writes in pool.map(one, range(EDITORS)) for write in writes]
    assert len(written) == len(set(written)) == EDITORS * len(ids)
    for id in ids:
        assert store.read(User, "", id).name == str(EDITORS)
        assert [change.version for change in store.history(User, "", id)] == list(range(1, EDITORS + 2))
    assert store.check() == ()


def test_editors_in_several_processes_lose_nothing(store: Store) -> None:
    _counter(store, "counter")
    address = store.engine.url.render_as_string(hide_password=False)
    ends, running = [], []
    for number in range(5):
        here, there = processes().Pipe(duplex=False)
        process = processes().Process(target=edit_in_threads, args=(address, f"process-{number}", 4, 1, there))
        process.start()
        there.close()
        ends.append(here)
        running.append(process)
    acknowledged: set[tuple[str, int]] = set()
    for end in ends:
        assert wait([end], timeout=120)
        for editor, writes in end.recv().items():
            acknowledged |= {(editor, version) for _, version in writes}
    for process in running:
        process.join(timeout=120)
        assert process.exitcode == 0
    assert len(acknowledged) == 20
    assert store.read(User, "", "counter").name == "20"
    assert {(change.by, change.version) for change in store.history(User, "", "counter")[1:]} == acknowledged
    assert store.check() == ()


def test_many_who_add_at_once_all_succeed_and_one_gets_the_reference_they_all_want(store: Store) -> None:
    opened = threading.Barrier(20)

    def one(number: int) -> str:
        opened.wait(timeout=120)
        with store.change(f"editor-{number}") as changing:
            changing.add(User(id=f"own-{number}", name="x"))
        try:
            with store.change(f"editor-{number}") as changing:
                changing.add(User(id="wanted", name="x"))
        except Conflict as conflict:
            return str(conflict)
        return f"editor-{number}"

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(one, range(20)))
    winner = store.history(User, "", "wanted")[0].by
    assert [text for text in said if text.startswith("editor-")] == [winner]
    assert sum(f"'wanted' is already in users; {winner} wrote it" in text for text in said) == 19
    assert len(store.list(User)) == 21
