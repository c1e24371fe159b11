"""Decisions, with the minute that made them and what follows."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks


class Decision(Record):
    """What a board resolved, or a recommendation on its way to the boards that must decide."""

    table: ClassVar[str] = "decisions"

    decision: str = asks("Decision", "What was decided, in plain words", min_length=1, long=True)
    kind: Literal["resolution", "recommendation", "approval", "noted"] = asks(
        "Kind", "A recommendation is agreed by all and goes to each board that must decide", "resolution"
    )
    body: str = asks("Board", "Who decided", refers="boards", min_length=1)
    on: date = asks("Date", "The day of the meeting")
    minute: str = asks("Minute", "Minute and letter, such as 326(a)", "")
    meeting: str = asks("Meeting", "Id of the meeting", "", refers="meetings")
    about: tuple[str, ...] = asks(
        "About", "What it answers: action:..., exception:..., risk:..., question:..., milestone:...", (), refers="ref"
    )
    consequence: str = asks("Consequence", "What follows, for the pooled fund among other things", "", long=True)
    status: Literal["proposed", "agreed", "refused", "carried out"] = asks("Status", "Where it has got to", "agreed")
    awaits: tuple[str, ...] = asks("Awaits", "Boards that still have to decide", (), refers="boards")
