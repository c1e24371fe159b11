"""Sign-in with an organisation's account, against a provider that runs here."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import httpx
import oidc_provider_mock
import pytest

from bettercare.access.users import create_user, find_user
from bettercare.errors import BettercareError
from bettercare.web.oidc import oidc_from_environment
from bettercare.web.state import Deployment, Oidc
from web_client import Client, client  # noqa: F401


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with oidc_provider_mock.run_server_in_thread() as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def visitor(client: Client, issuer: str) -> Client:  # noqa: F811
    before = client.deployment
    settings = replace(before.settings, oidc=Oidc(issuer, "bettercare", "secret", "the county's account"))
    create_user(client.store, "test", "alice", name="Alice", role="editor", email="alice@example.com")
    return Client(Deployment(before.store, before.plans, settings))


def _claims(issuer: str, sub: str, **claims: object) -> None:
    httpx.put(f"{issuer}/users/{sub}", json=claims).raise_for_status()


def _authorise(visitor: Client, sub: str, next: str = "/account") -> httpx.Response:
    """Go to the provider, be that person there, and come back with what it says."""
    begun = visitor.get(f"/sign-in/oidc?next={next}")
    assert begun.status_code == 303
    return httpx.post(begun.headers["location"], data={"sub": sub})


def test_someone_the_provider_vouches_for_is_the_user_with_their_address(visitor: Client, issuer: str) -> None:
    _claims(issuer, "a-1", email="Alice@example.com", email_verified=True)
    assert "the county&#39;s account" in visitor.get("/sign-in").text
    back = visitor.get(_authorise(visitor, "a-1").headers["location"])
    assert (back.status_code, back.headers["location"]) == (303, "/account")
    assert "Alice" in visitor.get("/account").text
    alice = find_user(visitor.store, "alice")
    assert alice is not None
    assert alice.oidc_subject == f"{issuer} a-1"
    # Known by the subject from then on, whatever the address.
    visitor.cookies.clear()
    _claims(issuer, "a-1", email="other@example.com", email_verified=True)
    assert visitor.get(_authorise(visitor, "a-1").headers["location"]).status_code == 303


def test_the_request_carries_pkce_state_and_nonce(visitor: Client) -> None:
    asked = parse_qs(urlsplit(visitor.get("/sign-in/oidc").headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["response_type"] == ["code"]
    assert all(len(asked[name][0]) >= 24 for name in ("state", "nonce", "code_challenge"))


@pytest.mark.parametrize(
    "claims", [{"email": "alice@example.com"}, {"email": "alice@example.com", "email_verified": False}, {}]
)
def test_an_address_that_is_not_verified_lets_nobody_in(
    visitor: Client, issuer: str, claims: dict[str, object]
) -> None:
    _claims(issuer, "mallory", **claims)
    back = visitor.get(_authorise(visitor, "mallory").headers["location"])
    assert back.status_code == 403
    assert "has no user here" in back.text
    assert "bettercare" not in visitor.cookies


def test_someone_without_an_account_is_not_given_one(visitor: Client, issuer: str) -> None:
    _claims(issuer, "stranger", email="stranger@example.com", email_verified=True)
    assert visitor.get(_authorise(visitor, "stranger").headers["location"]).status_code == 403
    assert find_user(visitor.store, "stranger") is None


def test_an_answer_to_another_browsers_sign_in_is_refused(visitor: Client, issuer: str) -> None:
    _claims(issuer, "a-2", email="alice@example.com", email_verified=True)
    theirs = _authorise(visitor, "a-2").headers["location"]
    visitor.cookies.clear()
    assert visitor.get(theirs).status_code == 403
    visitor.get("/sign-in/oidc")
    refused = visitor.get(theirs)
    assert refused.status_code == 403
    assert "begun elsewhere" in refused.text


def test_a_wrong_code_and_a_refusal_say_so_in_words(visitor: Client) -> None:
    state = parse_qs(urlsplit(visitor.get("/sign-in/oidc").headers["location"]).query)["state"][0]
    assert "could not be checked" in visitor.get(f"/sign-in/oidc/back?state={state}&code=none").text
    state = parse_qs(urlsplit(visitor.get("/sign-in/oidc").headers["location"]).query)["state"][0]
    assert "did not let you in" in visitor.get(f"/sign-in/oidc/back?state={state}&error=access_denied").text


def test_a_provider_that_does_not_answer_is_said_in_words(client: Client) -> None:  # noqa: F811
    before = client.deployment
    away = replace(before.settings, oidc=Oidc("http://localhost:1", "bettercare", "secret"))
    answer = Client(Deployment(before.store, before.plans, away)).get("/sign-in/oidc")
    assert answer.status_code == 400
    assert "does not answer" in answer.text


def test_without_a_provider_there_is_no_such_way_in(client: Client) -> None:  # noqa: F811
    assert client.get("/sign-in/oidc").status_code == 404


def test_the_environment_names_the_provider_whole_or_not_at_all() -> None:
    given = {
        "BETTERCARE_OIDC_ISSUER": "https://id.example/",
        "BETTERCARE_OIDC_CLIENT_ID": "b",
        "BETTERCARE_OIDC_CLIENT_SECRET": "s",
    }
    assert oidc_from_environment({}) is None
    assert oidc_from_environment(given) == Oidc("https://id.example", "b", "s")
    del given["BETTERCARE_OIDC_CLIENT_SECRET"]
    with pytest.raises(BettercareError, match="BETTERCARE_OIDC_CLIENT_SECRET is not set"):
        oidc_from_environment(given)
