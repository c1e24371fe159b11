"""Sessions: who is signed in on which browser. The browser holds a random token; the store holds only the token's hash."""

from __future__ import annotations

import hashlib
import secrets
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from bettercare.access.users import User
from bettercare.store import Changing, Conflict, Missing, Record, Store, asks

IDLE = timedelta(hours=2)
"""A session that is not used for so long ends."""
LONGEST = timedelta(hours=12)
"""A session ends after so long, used or not."""
TOUCH = timedelta(minutes=1)
"""That a session is in use is written down at most so often."""


class Session(Record):
    """A browser that somebody is signed in on. The id is the hash of its token."""

    table: ClassVar[str] = "sessions"
    kept: ClassVar[bool] = False
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("user",),)

    user: str = asks("User", "User name", min_length=1)
    started: datetime = asks("Started", "When they signed in")
    seen: datetime = asks("Last used", "To the minute")
    ends: datetime = asks("Ends", "When it ends at the latest")
    csrf: str = asks("Form secret", "What a form of this session must send back", "", secret=True)


def token_hash(token: str) -> str:
    """What is kept of a token: it has 256 random bits, so a plain hash cannot be guessed back."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def start_session(store: Store, user: User, now: datetime | None = None) -> tuple[str, Session]:
    """Sign a user in on a browser: the token for its cookie, and the session."""
    now = now or datetime.now(UTC)
    token = secrets.token_urlsafe(32)
    session = Session(
        id=token_hash(token),
        user=user.id,
        started=now,
        seen=now,
        ends=now + LONGEST,
        csrf=secrets.token_urlsafe(32),
        synthetic=user.synthetic,
    )
    with store.change(user.id) as changing:
        # Everyone's that are over, so that those of people who never come back do not gather.
        for old in store.list(Session):
            if _over(old, now):
                _drop(changing, old)
        return token, changing.add(session)


def session_of(store: Store, token: str, now: datetime | None = None) -> tuple[User, Session] | None:
    """Who a browser's token belongs to; None when the session is over or the user may no longer sign in."""
    if not token:
        return None
    now = now or datetime.now(UTC)
    session = store.find(Session, "", token_hash(token))
    if session is None or _over(session, now):
        return None
    user = store.find(User, "", session.user)
    if user is None or not user.active:
        return None
    if now - session.seen >= TOUCH:
        # Another request of the same browser may have just done so.
        with suppress(Conflict, Missing), store.change(user.id) as changing:
            session = changing.replace(session.model_copy(update={"seen": now}))
    return user, session


def end_session(store: Store, token: str) -> None:
    """Sign out."""
    session = store.find(Session, "", token_hash(token))
    if session is not None:
        with store.change(session.user) as changing:
            _drop(changing, session)


def end_sessions(store: Store, changing: Changing, user: str) -> None:
    """Sign a user out everywhere, as part of a change."""
    for session in store.list(Session, user=user):
        _drop(changing, session)


def _over(session: Session, now: datetime) -> bool:
    return now >= session.ends or now - session.seen >= IDLE


def _drop(changing: Changing, session: Session) -> None:
    with suppress(Conflict, Missing):
        changing.remove(session)
