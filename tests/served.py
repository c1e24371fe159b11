"""A real server on loopback, with the demonstration data, for tests that go through the network."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from bettercare import Plan
from bettercare.demo import demo_users, fill
from bettercare.store import Store
from bettercare.web.app import create_app
from bettercare.web.state import Deployment

PLANS = ("llr-stp-2016", "leicestershire-bcf-2014")


@contextmanager
def serving(folder: Path) -> Iterator[tuple[str, Deployment]]:
    """Serve the demonstration from a SQLite file in a folder.

    Yields:
        The address, and the deployment behind it.
    """
    store = Store.open(folder / "demo.db")
    fill(store)
    demo_users(store)
    deployment = Deployment(store, {name: Plan.read(name) for name in PLANS})
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(create_app(deployment), host="127.0.0.1", port=port, log_level="error"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    for _ in range(400):
        if server.started:
            break
        time.sleep(0.05)
    assert server.started, "the server did not start"
    try:
        yield f"http://127.0.0.1:{port}", deployment
    finally:
        server.should_exit = True
        thread.join(10)
