"""The web server itself, killed while people write: nothing that it acknowledged is lost, and the store goes on."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx2
from sqlalchemy.engine import make_url

from bettercare.access.tokens import issue_token
from bettercare.access.users import create_user
from bettercare.assurance import open_programme
from bettercare.assurance.actions import Action
from bettercare.plan import Plan
from bettercare.store import Store
from stores import new_store, postgresql, sqlite, store  # noqa: F401

PLAN = "leicestershire-bcf-2014"


def serving(where: str) -> tuple[subprocess.Popen[str], str]:
    """A server in a process of its own, and its address."""
    words = [
        sys.executable,
        "-c",
        "from bettercare.cli import main; main()",
        "serve",
        PLAN,
        "--store",
        where,
        "--port",
        "0",
    ]
    server = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    for line in server.stdout:
        if line.startswith("Open "):
            return server, line.split()[1]
    raise AssertionError("the server did not start")


def write(address: str, token: str, who: int, acknowledged: list[str]) -> None:
    """Add actions one after another until the server is gone, and note those it said it had."""
    with httpx2.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=10) as client:
        for number in range(10_000):
            body = {"action": f"Something to do, {who} {number}", "officers": "Head of commissioning"}
            try:
                answer = client.post(f"/api/v1/plans/{PLAN}/actions", json=body)
            except httpx2.TransportError:
                return
            assert answer.status_code == 201, answer.text
            acknowledged.append(answer.json()["id"])


def test_killing_the_server_in_mid_write_loses_nothing_acknowledged(store: Store, tmp_path: Path) -> None:  # noqa: F811
    open_programme(store, Plan.read(PLAN), "test")
    token = issue_token(store, create_user(store, "test", "ann", name="Ann", role="programme office"), "test")
    where = store.engine.url.render_as_string(hide_password=False)
    where = make_url(where).database or "" if where.startswith("sqlite") else where
    before = {action.id for action in store.list(Action, PLAN)}
    acknowledged: list[str] = []
    for _ in range(2):
        server, address = serving(where)
        people = [threading.Thread(target=write, args=(address, token, who, acknowledged)) for who in range(6)]
        reached = len(acknowledged) + 40
        for person in people:
            person.start()
        for _ in range(2000):
            if len(acknowledged) >= reached:
                break
            time.sleep(0.01)
        server.kill()
        server.wait()
        for person in people:
            person.join()
        stored = {action.id for action in store.list(Action, PLAN)} - before
        assert len(acknowledged) == len(set(acknowledged)) >= reached
        assert set(acknowledged) <= stored
        assert store.check() == ()
