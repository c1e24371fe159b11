"""Milestones: due, expected, done; what waits for what; the critical path; what a slip delays."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar

from bettercare.plan import Plan
from bettercare.store import Record, asks


class Progress(Record):
    """Where a milestone of the plan has got to. The id is the milestone's."""

    table: ClassVar[str] = "milestone_progress"

    expected: date | None = asks("Expected", "When it is now expected, if not when due", None)
    done_on: date | None = asks("Done on", "The day it was reached", None)
    owner: str = asks("Owner", "", "")
    comments: str = asks("Comments", "Where it has got to", "", long=True)


@dataclass(frozen=True)
class Scheduled:
    """A milestone in the schedule."""

    id: str
    milestone: str
    scheme: str
    theme: str
    due: date | None
    expected: date | None
    """As entered, or when due."""
    done_on: date | None
    at_least: date | None
    """Earliest it can be, given what it waits for, if none of the time between is needed."""
    at_most: date | None
    """If all of the planned time between is needed."""
    requires: tuple[str, ...]
    delays: tuple[str, ...]
    """Every milestone that waits for it, directly or not."""
    slip: int
    """Days that ``at_least`` is later than due."""
    float_days: int | None
    """Days it may slip before the last milestone that waits for it is late; None when nothing waits."""
    critical: bool
    status: str
    """done, done late, on course, at risk, late, undated."""
    rag: str
    reason: str
    comments: str
    owner: str


@dataclass(frozen=True)
class Schedule:
    """The milestones of a plan at a date."""

    on: date
    milestones: tuple[Scheduled, ...]
    """In order of due date."""
    critical_path: tuple[str, ...]
    """Ids of the chain that decides when the last dated milestone can be reached."""
    sentence: str


def schedule(plan: Plan, progress: Sequence[Progress], on: date) -> Schedule:
    """Work out the schedule."""
    raise NotImplementedError
