"""Users: the people, and the programs, that may sign in."""

from __future__ import annotations

import re
from typing import ClassVar

from pwdlib import PasswordHash

from bettercare.access.passwords import HASHER, check_password, hash_password
from bettercare.access.roles import Role
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Record, Store, asks

USER_NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,79}")
"""What a user name looks like; an email address will do."""


class User(Record):
    """Somebody who may sign in. The id is the user name, in lower case."""

    table: ClassVar[str] = "users"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("oidc_subject",), ("email",))

    name: str = asks("Name", "What people call them", min_length=1, max_length=120)
    email: str = asks("Email", "Where they are reached, in lower case", "", max_length=250)
    role: Role = asks("Role", "Decides what they may do", "viewer")
    active: bool = asks("Active", "May sign in", True)
    must_change: bool = asks("Must change password", "Is asked for a new password at the next sign-in", False)
    oidc_subject: str = asks(
        "Identity", "Who they are to the organisation's identity provider: its address and its name for them", ""
    )
    password_hash: str = asks("Password", "What is kept of it; blank when they have none", "", secret=True)


def user_name(text: str) -> str:
    """A user name as it is kept.

    Raises:
        BettercareError: it cannot be one.
    """
    name = text.strip().lower()
    if not USER_NAME.fullmatch(name):
        raise BettercareError(
            f"{text.strip()[:80]!r} cannot be a user name.",
            remedy="Use letters, digits, dots, hyphens, underscores and @; start with a letter or digit.",
        )
    return name


def create_user(
    store: Store,
    by: str,
    id: str,
    *,
    name: str,
    role: Role,
    password: str = "",
    email: str = "",
    must_change: bool = False,
    synthetic: bool = False,
    hasher: PasswordHash = HASHER,
) -> User:
    """Make an account.

    Args:
        by: who makes it.
        id: user name.
        name: what people call them.
        password: blank for one who signs in with their organisation's account only.
        must_change: ask for a new password at the first sign-in.
        hasher: how the password is kept.

    Raises:
        Conflict: the user name is taken.
        BettercareError: the user name, email or password will not do.
    """
    id = user_name(id)
    email = email.strip().lower()
    if email and not re.fullmatch(r"[^@\s]+@[^@\s]+", email):
        raise BettercareError(f"{email!r} is not an email address.", remedy="Leave it blank or correct it.")
    if not name.strip():
        raise BettercareError("The user has no name.", remedy="Say what people call them.")
    if password:
        check_password(password, id, name)
    user = User(
        id=id,
        name=name,
        email=email,
        role=role,
        password_hash=hash_password(password, hasher) if password else "",
        must_change=must_change,
        synthetic=synthetic,
    )
    try:
        with store.change(by, "Account made") as changing:
            return changing.add(user)
    except Conflict as error:
        raise Conflict(f"There is already a user {id!r}.", "Choose another user name.", error.change) from error


def users(store: Store) -> tuple[User, ...]:
    """Everyone, by user name."""
    return store.list(User)


def find_user(store: Store, id: str) -> User | None:
    """A user by user name, however it is typed."""
    name = id.strip().lower()
    return store.find(User, "", name) if USER_NAME.fullmatch(name) else None


def change_user(store: Store, by: str, user: User, why: str = "") -> User:
    """Store a changed user: name, email, role, whether active. Their password is changed by ``set_password`` alone.

    Raises:
        BettercareError: nobody would be left who looks after accounts.
        Conflict: someone changed the user in the meantime.
    """
    with store.change(by, why or "Account changed") as changing:
        stored = store.read(User, "", user.id)
        runs_accounts = stored.active and stored.role == "administrator"
        if runs_accounts and not (user.active and user.role == "administrator"):
            others = [one for one in store.list(User, role="administrator", active=True) if one.id != user.id]
            if not others:
                raise BettercareError(
                    f"{user.name} is the only administrator.", remedy="Make someone else an administrator first."
                )
        return changing.replace(user.model_copy(update={"password_hash": stored.password_hash}))
