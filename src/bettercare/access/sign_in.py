"""Signing in: showing who one is. Every try is written down, and after too many for a user name there is a wait."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from math import ceil
from typing import ClassVar, Literal

from pwdlib import PasswordHash

from bettercare.access.passwords import HASHER, check_password, fits, hash_password
from bettercare.access.sessions import end_sessions
from bettercare.access.users import USER_NAME, User, find_user
from bettercare.errors import BettercareError
from bettercare.store import Record, Store, asks

TRIES = 5
WITHIN = timedelta(minutes=15)
"""After so many failed tries within so long a user name waits until the first of them is that old."""


class SignInRefused(BettercareError):
    """The user name and password do not let anybody in."""


class SignIn(Record):
    """A try to sign in. A try that no success follows has failed. The id is in order of time."""

    table: ClassVar[str] = "sign_ins"
    append_only: ClassVar[bool] = True
    kept: ClassVar[bool] = False
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("user", "id"),)

    user: str = asks("User", "User name as given; there may be no such user")
    at: datetime = asks("At", "When")
    how: Literal["password", "OpenID Connect"] = asks("How", "What was shown", "password")
    outcome: Literal["tried", "succeeded"] = asks("Outcome", "Tried is written before the password is looked at")


def authenticate(
    store: Store, name: str, password: str, now: datetime | None = None, hasher: PasswordHash = HASHER
) -> User:
    """The user whose name and password these are.

    Takes as long for a user name that nobody has.

    Raises:
        SignInRefused: they are nobody's, the account is not active, or there were too many failed tries.
    """
    now = now or datetime.now(UTC)
    name = name.strip().lower()
    if not USER_NAME.fullmatch(name):
        fits(password, "", hasher)
        raise _not_right()
    # Written before the password is looked at, so that many tries at one moment are counted too.
    with store.change(name) as changing:
        wait = _wait(store, name, now)
        if wait is None:
            changing.add(_sign_in(name, now, "password", "tried"))
    if wait is not None:
        minutes = max(1, ceil(wait / timedelta(minutes=1)))
        raise SignInRefused(
            f"There were too many failed tries to sign in as {name!r}.",
            remedy=f"Wait {minutes} minute{'' if minutes == 1 else 's'} and try again, or ask an administrator.",
        )
    user = find_user(store, name)
    right = fits(password, user.password_hash if user else "", hasher)
    if user is None or not right or not user.active:
        raise _not_right()
    _succeeded(store, user, now, "password")
    return user


def recognise(store: Store, subject: str, email: str = "", now: datetime | None = None) -> User:
    """The user that the organisation's identity provider has vouched for.

    Args:
        subject: the provider's address and its name for the person, as one text; it never changes hands.
        email: an address that the provider says it has verified. It finds a user the first time, who is known by the subject from then on.

    Raises:
        SignInRefused: there is no such user here, or the account is not active. Nobody is given an account by signing in.
    """
    now = now or datetime.now(UTC)
    found = store.list(User, oidc_subject=subject) if subject else ()
    if not found and email:
        found = store.list(User, email=email.strip().lower(), oidc_subject="")
        if len(found) == 1:
            with store.change(found[0].id, "Known by the organisation's account from now on") as changing:
                found = (changing.replace(found[0].model_copy(update={"oidc_subject": subject})),)
    if len(found) != 1 or not found[0].active:
        raise SignInRefused("Your organisation's account has no user here.", remedy="Ask an administrator to make one.")
    _succeeded(store, found[0], now, "OpenID Connect")
    return found[0]


def set_password(
    store: Store, by: str, user: User, password: str, *, must_change: bool = False, hasher: PasswordHash = HASHER
) -> User:
    """Give a user a new password. They are signed out everywhere.

    Raises:
        BettercareError: the password will not do.
        Conflict: someone changed the user in the meantime.
    """
    check_password(password, user.id, user.name)
    new = user.model_copy(update={"password_hash": hash_password(password, hasher), "must_change": must_change})
    with store.change(by, "Password changed") as changing:
        stored = changing.replace(new)
        end_sessions(store, changing, user.id)
    return stored


def change_password(
    store: Store, user: User, present: str, new: str, now: datetime | None = None, hasher: PasswordHash = HASHER
) -> User:
    """A user's own change of password. They are signed out everywhere, here too.

    Raises:
        SignInRefused: the present password is not right, or there were too many failed tries.
        BettercareError: the new password will not do.
    """
    if new == present:
        raise BettercareError("The new password is the present one.", remedy="Choose another.")
    check_password(new, user.id, user.name)
    return set_password(store, user.id, authenticate(store, user.id, present, now, hasher), new, hasher=hasher)


def sign_ins(store: Store, name: str, count: int = 20) -> tuple[SignIn, ...]:
    """The last tries to sign in under a user name, the last one first."""
    return store.last(SignIn, count=count, user=name)


def _wait(store: Store, name: str, now: datetime) -> timedelta | None:
    """How long a user name has to wait; None when not at all."""
    failed: list[SignIn] = []
    for one in store.last(SignIn, count=TRIES, user=name):
        if one.outcome == "succeeded":
            break
        failed.append(one)
    if len(failed) < TRIES or now - failed[-1].at >= WITHIN:
        return None
    return failed[-1].at + WITHIN - now


def _sign_in(name: str, now: datetime, how: Literal["password", "OpenID Connect"], outcome: str) -> SignIn:
    id = f"{int(now.timestamp() * 1_000_000):014x}-{'b' if outcome == 'succeeded' else 'a'}{secrets.token_hex(4)}"
    return SignIn.model_validate({"id": id, "user": name, "at": now, "how": how, "outcome": outcome})


def _succeeded(store: Store, user: User, now: datetime, how: Literal["password", "OpenID Connect"]) -> None:
    with store.change(user.id) as changing:
        changing.add(_sign_in(user.id, now, how, "succeeded"))


def _not_right() -> SignInRefused:
    return SignInRefused("The user name or the password is not right.", remedy="Check both and try again.")
