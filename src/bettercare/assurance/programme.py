"""A plan under assurance: what the store holds for it, and the one view every page and report is made from."""

from __future__ import annotations

from datetime import date
from typing import ClassVar

from bettercare.store import Record, asks

RULES_VERSION = "1"
"""Version of the rules that judge; printed in every report. Raise it when a rule changes what is said."""


class Programme(Record):
    """A plan that is being run. The id is the plan's, and so is ``plan``."""

    table: ClassVar[str] = "programmes"

    as_at: date | None = asks(
        "Data date", "The day the pages speak of; blank for today", None, ge=date(1990, 1, 1), le=date(2199, 12, 31)
    )
    section_75: str = asks("Section 75 agreement", "Where the agreement stands", "", long=True)


def in_words(day: date) -> str:
    """A day as it is read: 1 April 2015."""
    return f"{day.day} {day:%B %Y}"


def days_in_words(count: int) -> str:
    """A number of days: 1 day, 1,095 days."""
    return "1 day" if count == 1 else f"{count:,} days"
