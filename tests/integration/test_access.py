"""Users, sign-in, sessions and tokens, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import event

from bettercare.access import sessions, sign_in, tokens
from bettercare.access.roles import Role
from bettercare.access.sessions import Session, end_session, session_of, start_session
from bettercare.access.sign_in import (
    SignInRefused,
    authenticate,
    change_password,
    recognise,
    set_password,
    sign_ins,
)
from bettercare.access.tokens import issue_token, revoke_token, tokens_of, user_of_token
from bettercare.access.users import User, change_user, create_user, find_user, users
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Missing, Store

CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
NOW = datetime(2016, 1, 31, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
PASSWORD = "correct horse staple"


def _user(store: Store, id: str = "ann", role: Role = "editor", email: str = "", password: str = PASSWORD) -> User:
    return create_user(store, "setup", id, name="A. Person", role=role, email=email, password=password, hasher=CHEAP)


def _sign_in(store: Store, name: str = "ann", password: str = PASSWORD, now: datetime = NOW) -> User:
    return authenticate(store, name, password, now, CHEAP)


def test_a_user_signs_in_by_name_and_password(store: Store) -> None:
    made = _user(store, "Ann.Other@example.org ", email="Ann.Other@Example.org")
    assert made.id == "ann.other@example.org"
    assert made.email == "ann.other@example.org"
    assert _sign_in(store, " ANN.other@example.org") == made
    assert find_user(store, "Ann.Other@example.org") == made
    assert [(one.how, one.outcome) for one in sign_ins(store, made.id)] == [
        ("password", "succeeded"),
        ("password", "tried"),
    ]


@pytest.mark.parametrize("name", ["", "ann other", "-ann", "ann\0", "é", "a" * 81, "../ann"])
def test_user_names_that_will_not_do(store: Store, name: str) -> None:
    with pytest.raises(BettercareError, match="cannot be a user name"):
        _user(store, name)
    assert find_user(store, name) is None
    with pytest.raises(SignInRefused, match="not right"):
        _sign_in(store, name)
    assert users(store) == ()


def test_a_user_name_is_given_once(store: Store) -> None:
    _user(store)
    with pytest.raises(Conflict, match="There is already a user 'ann'"):
        _user(store, "ANN")


def test_what_a_new_user_must_have(store: Store) -> None:
    with pytest.raises(BettercareError, match="is not an email address"):
        _user(store, email="ann")
    with pytest.raises(BettercareError, match="too short"):
        _user(store, password="short")
    with pytest.raises(BettercareError, match="has no name"):
        create_user(store, "setup", "ann", name=" ", role="viewer")
    assert users(store) == ()


def test_whatever_is_wrong_the_same_is_said(store: Store) -> None:
    ann = _user(store)
    _user(store, "bob", password="")
    change_user(store, "admin", _user(store, "cat").model_copy(update={"active": False}))
    said = set()
    for name, password in [
        (ann.id, "wrong"),
        (ann.id, ""),
        ("nobody", PASSWORD),
        ("bob", ""),
        ("cat", PASSWORD),
        ("a b", PASSWORD),
    ]:
        with pytest.raises(SignInRefused) as refused:
            _sign_in(store, name, password)
        said.add(str(refused.value))
    assert said == {"The user name or the password is not right. Check both and try again."}


def test_a_name_that_nobody_has_is_checked_as_long_as_one_that_somebody_has(store: Store) -> None:
    _user(store)
    slow = PasswordHash((Argon2Hasher(time_cost=3, memory_cost=8192, parallelism=1),))
    hashed: list[str] = []
    verify = slow.verify
    slow.verify = lambda password, kept: (hashed.append(str(kept)), verify(password, kept))[1]  # type: ignore[method-assign]
    for name in ("ann", "nobody", "not a name"):
        with pytest.raises(SignInRefused):
            authenticate(store, name, "wrong", NOW, slow)
    assert len(hashed) == 3
    assert hashed[1] == hashed[2]
    assert "m=8192,t=3" in hashed[1]


@pytest.mark.parametrize("name", ["ann", "nobody"])
def test_after_five_failures_there_is_a_wait(store: Store, name: str) -> None:
    _user(store)
    for number in range(5):
        with pytest.raises(SignInRefused, match="not right"):
            _sign_in(store, name, "wrong", NOW + number * MINUTE)
    for _ in range(3):
        with pytest.raises(SignInRefused, match=f"too many failed tries to sign in as '{name}'. Wait 10 minutes"):
            _sign_in(store, name, PASSWORD, NOW + 5 * MINUTE)
    assert len(sign_ins(store, name)) == 5, "tries during the wait are not written down, or the log could be filled"
    with pytest.raises(SignInRefused, match="Wait 1 minute and"):
        _sign_in(store, name, PASSWORD, NOW + 14.5 * MINUTE)
    with pytest.raises(SignInRefused, match="not right"):
        _sign_in(store, name, "wrong", NOW + 15 * MINUTE)
    with pytest.raises(SignInRefused, match="Wait 1 minute "):
        _sign_in(store, name, PASSWORD, NOW + 15 * MINUTE)
    if name == "ann":
        assert _sign_in(store, name, PASSWORD, NOW + 16 * MINUTE).id == "ann"


def test_a_success_wipes_the_failures_out(store: Store) -> None:
    _user(store)
    for _ in range(3):
        for _ in range(4):
            with pytest.raises(SignInRefused, match="not right"):
                _sign_in(store, password="wrong")
        assert _sign_in(store).id == "ann"


def test_tries_at_one_moment_are_all_counted(store: Store) -> None:
    _user(store)

    def one(_: int) -> str:
        with pytest.raises(SignInRefused) as refused:
            _sign_in(store, password="wrong")
        return str(refused.value)

    with ThreadPoolExecutor(20) as pool:
        said = list(pool.map(one, range(20)))
    assert sum("not right" in text for text in said) == 5


def test_a_browser_is_known_by_its_token(store: Store) -> None:
    ann = _user(store)
    token, session = start_session(store, ann, NOW)
    assert len(token) >= 43
    assert session_of(store, token, NOW) == (ann, session)
    other, _ = start_session(store, ann, NOW)
    assert other != token
    for wrong in ("", "x", session.id, token + "x", "\ud800", "\0", "é" * 5000):
        assert session_of(store, wrong, NOW) is None
    end_session(store, token)
    end_session(store, token)
    assert session_of(store, token, NOW) is None
    assert session_of(store, other, NOW) is not None


def test_no_token_is_kept_only_hashes(store: Store) -> None:
    ann = _user(store)
    token, session = start_session(store, ann, NOW)
    key = issue_token(store, ann, "import", now=NOW)
    with store.engine.connect() as connection:
        kept = "".join(
            str(row)
            for table in ("sessions", "api_tokens", "users", "changes")
            for row in connection.exec_driver_sql(f"SELECT * FROM {table}")
        )
    assert token not in kept
    assert key.split("_", 2)[2] not in kept  # the secret itself may hold underscores
    assert PASSWORD not in kept
    assert session.csrf not in repr(session)
    history = str(store.changes(""))
    assert "argon2" not in history
    assert tokens_of(store, ann)[0].token_hash not in history


def test_a_session_ends_when_idle_and_at_the_latest_after_half_a_day(store: Store) -> None:
    token, _ = start_session(store, _user(store), NOW)
    assert session_of(store, token, NOW + sessions.IDLE) is None
    now = NOW
    while now + timedelta(hours=1) < NOW + sessions.LONGEST:
        now += timedelta(hours=1)
        assert session_of(store, token, now) is not None
    assert session_of(store, token, NOW + sessions.LONGEST) is None


def test_that_a_session_is_used_is_written_once_a_minute(store: Store) -> None:
    token, session = start_session(store, _user(store), NOW)
    for seconds, seen in ((59, 0), (60, 60), (119, 60), (120, 120)):
        found = session_of(store, token, NOW + timedelta(seconds=seconds))
        assert found is not None
        assert found[1].seen == NOW + timedelta(seconds=seen)
        assert store.read(Session, "", session.id) == found[1]
    assert not [change for change in store.changes("") if change.kind == "sessions"]


def test_a_request_asks_for_its_session_and_its_user_and_writes_nothing(store: Store) -> None:
    token, _ = start_session(store, _user(store), NOW)
    said: list[str] = []
    event.listen(store.engine, "before_cursor_execute", lambda _c, _cur, statement, *_: said.append(statement))
    assert session_of(store, token, NOW) is not None
    assert [text.split()[0] for text in said if not text.startswith("BEGIN")] == ["SELECT", "SELECT"]


def test_requests_of_one_browser_at_one_moment_all_know_it(store: Store) -> None:
    token, _ = start_session(store, _user(store), NOW)
    with ThreadPoolExecutor(10) as pool:
        found = list(pool.map(lambda _: session_of(store, token, NOW + 2 * MINUTE), range(10)))
    assert all(found)


def test_a_new_password_ends_every_session(store: Store) -> None:
    ann, bob = _user(store), _user(store, "bob")
    mine, theirs = start_session(store, ann, NOW)[0], start_session(store, bob, NOW)[0]
    with pytest.raises(BettercareError, match="too short"):
        set_password(store, "admin", ann, "short", hasher=CHEAP)
    assert session_of(store, mine, NOW) is not None
    new = set_password(store, "admin", ann, "another three words", must_change=True, hasher=CHEAP)
    assert new.must_change
    assert session_of(store, mine, NOW) is None
    assert session_of(store, theirs, NOW) is not None
    with pytest.raises(SignInRefused):
        _sign_in(store)
    assert _sign_in(store, password="another three words") == new


def test_users_change_their_own_password_with_the_present_one(store: Store) -> None:
    ann = set_password(store, "admin", _user(store), "given by the office", must_change=True, hasher=CHEAP)
    with pytest.raises(SignInRefused, match="not right"):
        change_password(store, ann, "a guess at it", "another three words", NOW, CHEAP)
    with pytest.raises(BettercareError, match="is the present one"):
        change_password(store, ann, "given by the office", "given by the office", NOW, CHEAP)
    changed = change_password(store, ann, "given by the office", "another three words", NOW, CHEAP)
    assert not changed.must_change
    assert _sign_in(store, password="another three words") == changed


def test_who_may_no_longer_sign_in_is_known_nowhere(store: Store) -> None:
    ann = _user(store)
    token, key = start_session(store, ann, NOW)[0], issue_token(store, ann, "import", now=NOW)
    off = change_user(store, "admin", ann.model_copy(update={"active": False}), "Has left")
    assert session_of(store, token, NOW) is None
    assert user_of_token(store, key, NOW) is None
    assert off.password_hash == ann.password_hash
    assert store.history(User, "", "ann")[-1].why == "Has left"


def test_somebody_always_looks_after_accounts(store: Store) -> None:
    first = _user(store, role="administrator")
    for fields in ({"active": False}, {"role": "editor"}):
        with pytest.raises(BettercareError, match=r"is the only administrator\. Make someone else"):
            change_user(store, "ann", first.model_copy(update=fields))
    change_user(store, "ann", first.model_copy(update={"name": "Anne"}))
    second = _user(store, "bob", role="administrator")
    change_user(store, "bob", store.read(User, "", "ann").model_copy(update={"role": "editor"}))
    with pytest.raises(BettercareError, match="only administrator"):
        change_user(store, "bob", second.model_copy(update={"active": False}))


def test_two_administrators_do_not_overwrite_each_other(store: Store) -> None:
    ann = _user(store)
    change_user(store, "one", ann.model_copy(update={"role": "board"}))
    with pytest.raises(Conflict, match="one changed 'ann'"):
        change_user(store, "two", ann.model_copy(update={"email": "x@example.org"}))


def test_a_program_is_known_by_its_token_until_it_expires_or_is_revoked(store: Store) -> None:
    ann = _user(store)
    key = issue_token(store, ann, "monthly import", 30, NOW)
    other = issue_token(store, ann, "another", 1, NOW + MINUTE)
    assert user_of_token(store, key, NOW + timedelta(days=29)) == ann
    assert user_of_token(store, key, NOW + timedelta(days=30)) is None
    assert [token.name for token in tokens_of(store, ann)] == ["another", "monthly import"]
    assert [token.token_hash for token in tokens_of(store, ann)] != ["", ""]
    swapped = "_".join([*key.split("_")[:2], other.split("_", 2)[2]])
    for wrong in (
        "",
        "x",
        key + "x",
        key[:-1],
        swapped,
        "bettercare__",
        "bettercare_\0_x",
        "bettercare_" + "f" * 500,
        "\ud800_a_b",
    ):
        assert user_of_token(store, wrong, NOW) is None
    revoke_token(store, "admin", tokens_of(store, ann)[1].id)
    assert user_of_token(store, key, NOW) is None
    assert user_of_token(store, other, NOW) == ann
    with pytest.raises(Missing):
        revoke_token(store, "admin", "nothing")


@pytest.mark.parametrize(("name", "days"), [("x", 0), ("x", -1), ("x", tokens.LONGEST + 1), (" ", 30)])
def test_a_token_has_a_name_and_an_end(store: Store, name: str, days: int) -> None:
    with pytest.raises(BettercareError, match=r"cannot last|has no name"):
        issue_token(store, _user(store), name, days)


def test_the_organisations_account_finds_its_user_and_makes_none(store: Store) -> None:
    ann = _user(store, email="ann@example.org", password="")
    _user(store, "bob", email="shared@example.org")
    _user(store, "cat", email="shared@example.org")
    for subject, email in (
        ("issuer x", "nobody@example.org"),
        ("issuer x", ""),
        ("", ""),
        ("issuer x", "shared@example.org"),
    ):
        with pytest.raises(SignInRefused, match="has no user here"):
            recognise(store, subject, email, NOW)
    found = recognise(store, "issuer 1", "Ann@Example.org", NOW)
    assert found.id == "ann"
    assert found.role == ann.role
    assert recognise(store, "issuer 1", "new.address@example.org", NOW) == found
    with pytest.raises(SignInRefused):
        recognise(store, "issuer 2", "ann@example.org", NOW)
    change_user(store, "admin", found.model_copy(update={"active": False}))
    with pytest.raises(SignInRefused):
        recognise(store, "issuer 1", "", NOW)
    assert [one.how for one in sign_ins(store, "ann")] == ["OpenID Connect"] * 2


def test_sign_ins_are_in_order_of_time(store: Store) -> None:
    _user(store)
    for number in range(3):
        _sign_in(store, now=NOW + number * MINUTE)
    assert [one.at for one in sign_ins(store, "ann", 6)] == [NOW + number * MINUTE for number in (2, 2, 1, 1, 0, 0)]
    assert [one.outcome for one in sign_ins(store, "ann", 2)] == ["succeeded", "tried"]
    assert sign_in.sign_ins(store, "nobody") == ()
