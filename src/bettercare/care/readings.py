"""Who has looked at patients, when and for what: a record that is only added to."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime
from typing import ClassVar

from bettercare.care.stays import book
from bettercare.store import Record, Store, asks


class Reading(Record):
    """Somebody looked at a page about patients. The id is in order of time."""

    table: ClassVar[str] = "readings"
    append_only: ClassVar[bool] = True
    # A reading changes nothing, so it has no place in the history of changes.
    kept: ClassVar[bool] = False

    who: str = asks("Who", "User name", min_length=1)
    what: str = asks("What", "The page: wards, ward:... or stay:...", min_length=1, max_length=200)
    at: datetime = asks("When", "When it was shown")
    purpose: str = asks("Purpose", "What it was for", min_length=1, max_length=200)


def note_reading(store: Store, plan: str, who: str, what: str, purpose: str, now: datetime | None = None) -> Reading:
    """Write down that somebody is shown patients: before they are."""
    now = now or datetime.now(UTC)
    id = f"{int(now.timestamp() * 1_000_000):014x}-{secrets.token_hex(4)}"
    with store.change(who) as changing:
        return changing.add(Reading(plan=book(plan), id=id, who=who, what=what[:200], at=now, purpose=purpose))


def readings(store: Store, plan: str, count: int = 100) -> tuple[Reading, ...]:
    """The last readings, the last one first."""
    return store.last(Reading, book(plan), count)
