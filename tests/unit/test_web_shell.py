"""What surrounds every page: sign-in, refusals in words, headers, static files."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from bettercare.access.passwords import HASHER
from bettercare.access.sign_in import set_password
from bettercare.access.tokens import issue_token
from bettercare.access.users import create_user, find_user
from bettercare.assurance.programme import Programme
from bettercare.web import assets
from bettercare.web.guard import own_path
from bettercare.web.navigation import MENU, menu
from bettercare.web.render import money
from web_client import BCF, Client, client  # noqa: F401

PASSWORD = "three odd socks"


def _user(client: Client, **options: object) -> None:  # noqa: F811
    create_user(client.store, "test", "ann", name="Ann", role="editor", password=PASSWORD, **options)  # type: ignore[arg-type]


def test_signing_in_goes_on_to_the_page_that_was_wanted(client: Client) -> None:  # noqa: F811
    _user(client)
    asked = client.get(f"/plans/{BCF}/check?only=all")
    assert asked.headers["location"] == f"/sign-in?next=/plans/{BCF}/check%3Fonly%3Dall"
    form = client.get(asked.headers["location"])
    assert f'value="/plans/{BCF}/check?only=all"' in form.text
    wrong = client.post("/sign-in", data={"name": "ann", "password": "not this", "next": "/account"})
    assert wrong.status_code == 400
    assert "<title>Error: Sign in" in wrong.text
    assert "not this" not in wrong.text
    right = client.post("/sign-in", data={"name": "Ann", "password": PASSWORD, "next": "/account"})
    assert (right.status_code, right.headers["location"]) == (303, "/account")
    cookie = right.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert client.get("/sign-in").headers["location"] == "/"
    client.csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/account").text).group(1)  # type: ignore[union-attr]
    assert client.submit("/sign-out").headers["location"] == "/sign-in"
    assert "You are signed out" in client.get("/sign-in").text
    assert client.get("/account").status_code == 303


@pytest.mark.parametrize(
    "text",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "\\evil",
        "javascript:x",
        "/a\nb",
        "evil",
        "",
        "http://[",
        "[",
        "///x",
    ],
)
def test_nobody_is_sent_away_from_here_after_signing_in(text: str) -> None:
    assert own_path(text) == "/"


def test_sign_in_from_another_site_is_refused(client: Client) -> None:  # noqa: F811
    _user(client)
    form = {"name": "ann", "password": PASSWORD}
    for headers in (
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ):
        assert client.post("/sign-in", data=form, headers=headers).status_code == 403
    assert client.post("/sign-in", data=form, headers={"Origin": "http://testserver"}).status_code == 303


def test_someone_with_a_given_password_has_to_choose_their_own(client: Client) -> None:  # noqa: F811
    _user(client, must_change=True)
    client.post("/sign-in", data={"name": "ann", "password": PASSWORD, "next": "/"})
    assert client.get("/").headers["location"] == "/account/password"
    client.csrf = re.search(r'name="csrf" value="([^"]+)"', client.get("/account/password").text).group(1)  # type: ignore[union-attr]
    form = {"present": PASSWORD, "new": "quite another phrase", "again": "quite another phrase"}
    assert "not typed the same twice" in client.submit("/account/password", form | {"again": "else"}).text
    assert client.submit("/account/password", form | {"present": "wrong"}).status_code == 400
    assert client.submit("/account/password", form).headers["location"] == "/account"
    assert client.get("/").status_code == 200
    assert find_user(client.store, "ann").must_change is False  # type: ignore[union-attr]


def test_a_token_is_shown_once_and_lets_a_program_in_until_revoked(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    made = client.submit("/account/tokens", {"name": "a report", "days": "30"})
    token = re.search(r"bettercare_[\w-]+", made.text).group()  # type: ignore[union-attr]
    assert token not in client.get("/account").text
    assert client.submit("/account/tokens", {"name": "x", "days": "a lot"}).status_code == 400
    program = Client(client.deployment)
    bearer = {"Authorization": f"Bearer {token}"}
    assert program.get("/", headers=bearer).status_code == 200
    # A token's holder is not fooled by another page, so no form secret is asked.
    id = token.split("_")[1]
    assert program.post(f"/account/tokens/{id}/revoke", headers=bearer).status_code == 303
    assert program.get("/", headers=bearer).status_code == 303


def test_a_program_makes_itself_no_other_token_and_stops_with_its_users_password(client: Client) -> None:  # noqa: F811
    _user(client)
    user = find_user(client.store, "ann")
    assert user is not None
    bearer = {"Authorization": f"Bearer {issue_token(client.store, user, 'a report')}"}
    program = Client(client.deployment)
    assert program.post("/account/tokens", data={"name": "more", "days": "366"}, headers=bearer).status_code == 403
    assert program.get("/", headers=bearer).status_code == 200
    set_password(client.store, "admin", user, "a password given", must_change=True)
    assert program.get("/", headers=bearer).headers["location"] == "/account/password"
    assert program.get("/api/v1/plans", headers=bearer).status_code == 403


def test_signing_in_again_ends_the_session_before(client: Client) -> None:  # noqa: F811
    _user(client)
    signing = {"name": "ann", "password": PASSWORD}
    client.post("/sign-in", data=signing)
    before = client.cookies["bettercare"]
    client.post("/sign-in", data=signing)
    assert client.cookies["bettercare"] != before
    assert client.get("/").status_code == 200
    client.cookies.clear()
    client.cookies.set("bettercare", before)
    assert client.get("/").status_code == 303


@pytest.mark.parametrize(
    "address", ["risks/%00", "changes/risks/%00", "changes?by=%00", "reports/a%00b", "chain/%00", "risks/new?risk=%00"]
)
def test_a_character_that_no_database_takes_is_not_looked_for(client: Client, address: str) -> None:  # noqa: F811
    assert client.sign_in("programme office").get(f"/plans/{BCF}/{address}").status_code == 404


def test_nobody_revokes_anothers_token(client: Client) -> None:  # noqa: F811
    client.sign_in("editor")
    token = issue_token(client.store, find_user(client.store, "editor"), "mine")  # type: ignore[arg-type]
    client.sign_in("viewer")
    assert client.submit(f"/account/tokens/{token.split('_')[1]}/revoke").status_code == 404


def test_an_administrator_makes_and_changes_accounts(client: Client) -> None:  # noqa: F811
    client.sign_in("administrator")
    form = {"id": "Bo", "name": "Bo", "role": "board", "email": "bo@example.com", "password": PASSWORD}
    assert "is too short" in client.submit("/users/new", form | {"password": "short"}).text
    assert "Choose role" in client.submit("/users/new", form | {"role": ""}).text
    assert client.submit("/users/new", form).headers["location"] == "/users"
    assert "already a user" in client.submit("/users/new", form).text
    bo = find_user(client.store, "bo")
    assert bo is not None
    assert (bo.role, bo.must_change) == ("board", True)
    changed = {"version": str(bo.version), "name": "Bo B", "role": "viewer", "email": "", "active": "yes"}
    assert client.submit("/users/bo", changed).status_code == 303
    clash = client.submit("/users/bo", changed | {"name": "Mine"})
    assert clash.status_code == 409
    assert "Someone else changed this" in clash.text
    assert 'value="Mine"' in clash.text
    assert "Bo B" in clash.text
    assert f'name="version" value="{bo.version + 1}"' in clash.text
    only = {"version": "1", "name": "A", "role": "viewer", "active": "yes"}
    assert "the only administrator" in client.submit("/users/administrator", only).text
    assert client.submit("/users/bo/password", {"password": "an entirely new one"}).status_code == 303
    assert client.submit("/users/nobody/password", {"password": PASSWORD}).status_code == 404


def test_headers_keep_pages_to_themselves(client: Client) -> None:  # noqa: F811
    for address in ("/sign-in", "/nope", "/"):
        headers = client.get(address).headers
        assert headers["content-security-policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self';")
        assert headers["cache-control"] == "private, no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


def test_static_files_are_kept_under_an_address_that_changes_with_them(client: Client) -> None:  # noqa: F811
    page = client.get("/sign-in").text
    addresses = re.findall(r'(?:href|src)="(/static/[^"]+)"', page)
    assert len(addresses) >= 5
    for address in addresses:
        response = client.get(address)
        assert response.status_code == 200
        assert "immutable" in response.headers["cache-control"]
    old = addresses[0].replace(assets.assets().version, "older")
    assert client.get(old).headers["cache-control"] == "no-cache"
    assert client.get("/static/x/..%2Fapp.py").status_code == 404
    assert client.get("/static/x/none.css").status_code == 404


def test_nothing_is_fetched_from_outside(client: Client) -> None:  # noqa: F811
    client.sign_in("programme office")
    for name, (_, data, _) in assets.assets().files.items():
        if name.endswith(".css"):
            urls = re.findall(rb"url\(([^)]*)\)|@import ([^;]*)", data)
            assert all(url.startswith((b"nhsuk-icon-", b"data:")) for url, _ in urls), name
            assert b"Frutiger" not in data
    for address in ("/", f"/plans/{BCF}", f"/plans/{BCF}/model", "/account"):
        assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', client.get(address).text)
        assert not re.findall(r"<style|\sstyle=|\son[a-z]+=", client.get(address).text)


@pytest.mark.parametrize(
    "address",
    ["/nope", "/plans/none", "/plans/none/check", "/plans/%FF%00", f"/plans/{BCF}/schemes/none", "/plans//check"],
)
def test_what_is_not_there_is_said_in_words(client: Client, address: str) -> None:  # noqa: F811
    client.sign_in("viewer")
    response = client.get(address)
    assert response.status_code == 404
    assert "<h1" in response.text
    assert "Traceback" not in response.text


def test_other_requests_that_cannot_be_answered(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    assert client.request("DELETE", "/").status_code == 405
    assert client.get(f"/plans/{BCF}/check?at=many").status_code == 400
    head = client.head(f"/plans/{BCF}")
    assert (head.status_code, head.content) == (200, b"")
    assert int(head.headers["content-length"]) > 5000
    assert client.get(f"/plans/{BCF}/").status_code == 307
    large = client.submit(f"/plans/{BCF}/model", {"seed": "1" * 10_000_001})
    assert large.status_code == 413
    assert "larger than 10 MB" in large.text
    assert client.submit(f"/plans/{BCF}/model", {"seed": "1\0"}).status_code == 400
    odd = client.post(
        f"/plans/{BCF}/model",
        content=b"csrf=%ff%fe&seed=\xff",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert odd.status_code == 403
    torn = client.post(
        "/sign-in", content=b"--x\r\nnot a part", headers={"content-type": "multipart/form-data; boundary=x"}
    )
    assert torn.status_code == 400


def test_a_mistake_of_ours_has_a_reference_and_no_traceback(
    client: Client,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    client.sign_in("viewer")

    def broken(*_: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("bettercare.web.pages.challenge.challenge", broken)
    response = client.get(f"/plans/{BCF}/challenge")
    assert response.status_code == 500
    assert "secret detail" not in response.text
    reference = re.search(r"reference ([0-9a-f]{8})", response.text)
    assert reference is not None
    assert reference.group(1) in caplog.text
    assert response.headers["content-security-policy"]


def test_the_notice_of_what_was_done_is_shown_once(client: Client) -> None:  # noqa: F811
    client.sign_in("administrator")
    client.submit("/users/new", {"id": "bo", "name": "<b>Bo</b>", "role": "board", "password": PASSWORD})
    first = client.get("/users")
    assert "&lt;b&gt;Bo&lt;/b&gt; has an account" in first.text
    assert "has an account, and" not in client.get("/users").text
    client.cookies.set("notice", "%%%")
    assert client.get("/users").status_code == 200


def test_an_assessment_is_made_again_only_when_the_store_changes(client: Client) -> None:  # noqa: F811
    deployed = client.deployment
    first = deployed.assessment(BCF)
    assert deployed.assessment(BCF) is first
    made: list[int] = []
    assert deployed.remember(first, "x", lambda: made.append(1) or "y") == "y"
    assert deployed.remember(first, "x", lambda: made.append(1) or "y") == "y"
    assert len(made) == 1
    with client.store.change("test") as changing:
        programme = client.store.read(Programme, BCF, BCF)
        changing.replace(Programme.model_validate(programme.model_dump() | {"section_75": "Signed"}))
    second = deployed.assessment(BCF)
    assert second is not first
    assert second.registers.programme.section_75 == "Signed"
    assert deployed.remember(second, "x", lambda: "z") == "z"
    assert deployed.remember(first, "x", lambda: "old") == "old"
    set_password(
        client.store, "test", create_user(client.store, "test", "cy", name="Cy", role="viewer"), PASSWORD, hasher=HASHER
    )
    assert deployed.assessment(BCF) is second


def test_what_is_slow_to_make_keeps_nobody_else_waiting(client: Client) -> None:  # noqa: F811
    deployed = client.deployment
    first = deployed.assessment(BCF)
    begun, finish = Event(), Event()
    made: list[int] = []

    def slowly() -> str:
        made.append(1)
        begun.set()
        assert finish.wait(30)
        return "slow"

    with ThreadPoolExecutor(3) as others:
        slow = [others.submit(deployed.remember, first, "slow", slowly) for _ in range(2)]
        assert begun.wait(30)
        assert others.submit(deployed.remember, first, "quick", lambda: "quick").result(30) == "quick"
        assert others.submit(deployed.assessment, BCF).result(30) is first
        finish.set()
        assert [one.result(30) for one in slow] == ["slow", "slow"]
    assert made == [1]


def test_what_a_visitor_may_choose_without_end_is_not_remembered(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    id = client.deployment.assessment(BCF).schedule.late[0].id
    held = client.deployment._held[BCF].made
    client.get(f"/plans/{BCF}/milestones/{id}/delays?days=1")
    before = len(held)
    for path in (
        f"milestones/{id}/delays?days=2",
        "dashboard?rag=x&theme=y",
        "reports/preview?kind=board&board=x",
        "metrics/x",
        "questions/boards/x",
    ):
        client.get(f"/plans/{BCF}/{path}")
        client.get(f"/plans/{BCF}/{path}1")
    assert len(held) <= before + 1


def test_every_page_of_the_menu_is_in_one_group_and_knows_where_it_is() -> None:
    for name, pages in MENU:
        for title, to in pages:
            groups, shown = menu("p", f"/plans/p{to}")
            assert [one.name for one in groups if one.here] == [name]
            assert [one.name for one in shown if one.here] == ([title] if len(pages) > 1 else [])
    groups, shown = menu("p", "/plans/p/budget/ledger/12")
    assert [one.name for one in shown if one.here] == ["Ledger"]
    assert [one.name for one in menu("p", "/plans/p/schemes/x")[0] if one.here] == ["Overview"]


def test_money_is_written_to_the_penny() -> None:
    assert [money(pence) for pence in (123_456, -5, 0, 100_000_00, None)] == [
        "£1,234.56",
        "−£0.05",
        "£0",
        "£100,000",
        "",
    ]


def test_the_data_date_is_changed_on_a_page_and_a_clash_keeps_what_was_written(client: Client) -> None:  # noqa: F811
    address = f"/plans/{BCF}/programme"
    assert client.sign_in("editor").get(address).status_code == 403
    client.sign_in("programme office")
    form = {"version": "1", "as_at-day": "31", "as_at-month": "1", "as_at-year": "2016", "section_75": "Signed"}
    wrong = client.submit(address, form | {"as_at-day": "41"})
    assert wrong.status_code == 400
    assert "Data date must be a real date" in wrong.text
    assert client.submit(address, form).headers["location"] == f"/plans/{BCF}"
    assert "31 January 2016" in client.get(f"/plans/{BCF}").text
    clash = client.submit(address, form | {"section_75": "Mine"})
    assert clash.status_code == 409
    assert "Someone else changed this" in clash.text
    assert ">Mine</textarea>" in clash.text
    again = re.search(r'name="version" value="(\d+)"', clash.text)
    assert again is not None
    assert client.submit(address, form | {"section_75": "Mine", "version": again.group(1)}).status_code == 303
    assert client.store.read(Programme, BCF, BCF).section_75 == "Mine"
