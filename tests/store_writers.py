"""What the processes of the store's tests do: several write at once, some are killed."""

from __future__ import annotations

import os
import sys
import threading
import time
from functools import cache
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext

import pytest

from bettercare.access.users import User
from bettercare.store import Conflict, Store


@cache
def processes() -> ForkServerContext:
    """Starts processes from one that has imported this module already, so that each is there at once.

    Called by tests, never on import: the process that they are started from imports this module too.
    """
    context = get_context("forkserver")
    context.set_forkserver_preload(["__main__", "store_writers"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()
    return context


COUNTER = User(id="counter", name="0")


def edit(store: Store, editor: str, times: int, ids: tuple[str, ...] = ("counter",)) -> list[tuple[str, int]]:
    """Count up in each of some rows ``times`` times, starting again whenever someone else was first.

    Returns:
        The version that each acknowledged write made, by row.

    Raises:
        AssertionError: a conflict does not name another editor.
    """
    written: list[tuple[str, int]] = []
    for _ in range(times):
        for id in ids:
            while True:
                row = store.read(User, "", id)
                try:
                    with store.change(editor) as changing:
                        new = changing.replace(row.model_copy(update={"name": str(int(row.name) + 1)}))
                except Conflict as conflict:
                    _names_another(conflict, editor)
                else:
                    written.append((id, new.version))
                    break
    return written


def _names_another(conflict: Conflict, editor: str) -> None:
    assert conflict.change is not None
    assert conflict.change.by != editor
    assert conflict.change.by in str(conflict)


def edit_in_threads(address: str, name: str, threads: int, times: int, to: Connection) -> None:
    """Several editors in a process of their own. Sends what each of them wrote."""
    store = Store.open(address)
    written: dict[str, list[tuple[str, int]]] = {}

    def one(editor: str) -> None:
        written[editor] = edit(store, editor, times)

    running = [threading.Thread(target=one, args=(f"{name}-{number}",)) for number in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    to.send(written)


def write_until_killed(address: str, name: str, to: Connection) -> None:
    """Adds a row and counts it, in one change, for ever. Sends the row's id as soon as that is acknowledged."""
    store = Store.open(address)
    number = 0
    while True:
        number += 1
        id = f"{name}-{number}"
        with store.change(name) as changing:
            changing.add(User(id=id, name=id, email="x" * 200))
            counter = store.read(User, "", "counter")
            changing.replace(counter.model_copy(update={"name": str(int(counter.name) + 1)}))
        to.send(id)
        time.sleep(0.002)  # SQLite lets in whoever asks next, which would be this writer for ever


def open_store(address: str, to: Connection) -> None:
    """Opens a store, which makes its tables when they are not there."""
    try:
        Store.open(address).close()
        to.send("")
    except Exception as error:
        to.send(f"{type(error).__name__}: {error}")
