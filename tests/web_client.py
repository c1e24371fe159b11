"""A client of the web application on a store of its own, for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from bettercare.access.roles import Role
from bettercare.access.sessions import start_session
from bettercare.access.users import create_user, find_user
from bettercare.plan import Plan
from bettercare.store import Store
from bettercare.web.app import create_app
from bettercare.web.state import Deployment, Settings

BCF, LLR = "leicestershire-bcf-2014", "llr-stp-2016"


@cache
def plan(name: str) -> Plan:
    """A shipped plan, read once."""
    return Plan.read(name)


class Client(TestClient):
    """A browser without scripts: keeps cookies, follows no redirect unless asked, and sends a form's secret by itself."""

    def __init__(self, deployment: Deployment) -> None:
        super().__init__(create_app(deployment), raise_server_exceptions=False, follow_redirects=False)
        self.deployment = deployment
        self.csrf = ""

    @property
    def store(self) -> Store:
        return self.deployment.store

    def sign_in(self, role: Role) -> Client:
        """Be a user of a role, made when first wanted; the user name is the role's."""
        name = role.replace(" ", "-")
        user = find_user(self.store, name) or create_user(self.store, "test", name, name=f"A {role}", role=role)
        token, session = start_session(self.store, user)
        self.cookies.clear()
        self.cookies.set("bettercare", token)
        self.csrf = session.csrf
        return self

    def submit(self, to: str, form: dict[str, object] | None = None, **options: object):  # type: ignore[no-untyped-def]
        """Send a form as a page of ours would."""
        return self.post(to, data={"csrf": self.csrf} | (form or {}), **options)  # type: ignore[arg-type]


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    """Nobody is signed in yet; both shipped plans are open and hold no actuals."""
    store = Store.open(tmp_path / "bettercare.db")
    yield Client(Deployment(store, {name: plan(name) for name in (BCF, LLR)}, Settings(folder=tmp_path / "runs")))
    store.close()


def signed_in(client: Client, role: Role) -> Client:
    """The same client, signed in."""
    return client.sign_in(role)
