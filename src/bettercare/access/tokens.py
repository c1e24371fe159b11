"""Tokens that programs carry instead of a password: named, expiring, and revocable."""

from __future__ import annotations

import hmac
import secrets
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from bettercare.access.sessions import token_hash
from bettercare.access.users import User
from bettercare.errors import BettercareError
from bettercare.store import Record, Store, asks

LONGEST = 366
"""Days a token may last."""

_MARK = "bettercare"


class ApiToken(Record):
    """A token of a user. It may do what the user may."""

    table: ClassVar[str] = "api_tokens"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("user",),)

    user: str = asks("User", "User name", min_length=1)
    name: str = asks("Name", "What it is for", min_length=1, max_length=120)
    made: datetime = asks("Made", "When")
    expires: datetime = asks("Expires", "When it stops being accepted")
    revoked: bool = asks("Revoked", "Is no longer accepted", False)
    token_hash: str = asks("Token", "What is kept of it", "", secret=True)


def issue_token(store: Store, user: User, name: str, days: int = 90, now: datetime | None = None) -> str:
    """Make a token for a program. It is shown this once; only its hash is kept.

    Args:
        name: what it is for.
        days: how long it lasts, 1 to 366.

    Raises:
        BettercareError: it has no name, or lasts too long.
    """
    if not 1 <= days <= LONGEST:
        raise BettercareError(f"A token cannot last {days} days.", remedy=f"Choose 1 to {LONGEST} days.")
    if not name.strip():
        raise BettercareError("The token has no name.", remedy="Say what it is for.")
    now = now or datetime.now(UTC)
    id = secrets.token_hex(6)
    token = f"{_MARK}_{id}_{secrets.token_urlsafe(32)}"
    with store.change(user.id, "Token made") as changing:
        changing.add(
            ApiToken(
                id=id,
                user=user.id,
                name=name,
                made=now,
                expires=now + timedelta(days=days),
                token_hash=token_hash(token),
                synthetic=user.synthetic,
            )
        )
    return token


def user_of_token(store: Store, token: str, now: datetime | None = None) -> User | None:
    """Whose token it is; None when it is nobody's, has expired or was revoked, or the user may no longer sign in."""
    mark, _, rest = token.partition("_")
    id = rest.partition("_")[0]
    if mark != _MARK or not id or len(id) > 12 or not id.isalnum():
        return None
    found = store.find(ApiToken, "", id)
    if found is None or not hmac.compare_digest(found.token_hash, token_hash(token)):
        return None
    if found.revoked or (now or datetime.now(UTC)) >= found.expires:
        return None
    user = store.find(User, "", found.user)
    return user if user is not None and user.active else None


def tokens_of(store: Store, user: User) -> tuple[ApiToken, ...]:
    """A user's tokens, revoked and expired ones among them, the newest first."""
    return tuple(sorted(store.list(ApiToken, user=user.id), key=lambda token: token.made, reverse=True))


def revoke_token(store: Store, by: str, id: str) -> None:
    """Accept a token no longer.

    Raises:
        Missing: there is no such token.
    """
    with store.change(by, "Token revoked") as changing:
        changing.replace(store.read(ApiToken, "", id).model_copy(update={"revoked": True}))
