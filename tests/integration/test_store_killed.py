"""A process is killed in mid-write, again and again: what was acknowledged is there, nothing is half there, and the store opens as if nothing had been."""

from __future__ import annotations

import random

import pytest

from bettercare.access.users import User
from bettercare.errors import BettercareError
from bettercare.store import Store
from store_writers import COUNTER, processes, write_until_killed
from stores import Server, start_server


def _write_and_kill(address: str, names: list[str], some: int, wait: float) -> set[str]:
    """Ids that were acknowledged to writers who were then killed."""
    acknowledged: set[str] = set()
    running = []
    for name in names:
        here, there = processes().Pipe(duplex=False)
        process = processes().Process(target=write_until_killed, args=(address, name, there))
        process.start()
        there.close()
        running.append((process, here))
    for _, here in running:
        for _ in range(some):
            assert here.poll(120)
            acknowledged.add(here.recv())
    running[0][1].poll(wait)
    for process, _ in running:
        process.kill()
    for process, here in running:
        process.join(timeout=120)
        assert process.exitcode == -9
        try:
            while here.poll(0):
                acknowledged.add(here.recv())
        except (EOFError, OSError):
            pass
    return acknowledged


def test_killing_writers_loses_nothing_acknowledged_and_leaves_nothing_half_done(store: Store) -> None:
    with store.change("setup") as changing:
        changing.add(COUNTER)
    address = store.engine.url.render_as_string(hide_password=False)
    draw = random.Random(3)
    acknowledged: set[str] = set()
    for turn in range(3):
        acknowledged |= _write_and_kill(address, [f"a{turn}", f"b{turn}"], 3, draw.uniform(0, 0.01))
        again = Store.open(address)
        rows = {user.id for user in again.list(User)} - {"counter"}
        assert acknowledged <= rows
        assert len(rows) == int(again.read(User, "", "counter").name)
        assert {change.id for change in again.changes("", limit=100_000) if change.action == "add"} == rows | {
            "counter"
        }
        assert again.check() == ()
        again.close()
    assert len(acknowledged) >= 18


@pytest.fixture
def server() -> Server:
    """A server that may be killed."""
    one = start_server()
    yield one
    one.stop()


def test_killing_the_server_loses_nothing_acknowledged_and_the_store_goes_on(server: Server) -> None:
    store = Store.open(server.address("postgres"))
    acknowledged = []
    for turn in range(3):
        for number in range(5):
            with store.change("someone") as changing:
                acknowledged.append(changing.add(User(id=f"u{turn}-{number}", name="x")).id)
        unreachable = pytest.raises(BettercareError, match=r"cannot be reached\. Check that its server is running")
        with unreachable, store.change("someone") as changing:
            changing.add(User(id=f"half-{turn}", name="x"))
            server.kill()
        with pytest.raises(BettercareError, match="cannot be reached"):
            store.list(User)
        server.start()
        assert [user.id for user in store.list(User)] == acknowledged
        assert store.check() == ()
    store.close()
