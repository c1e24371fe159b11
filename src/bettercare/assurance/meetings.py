"""Meetings held and to come: the forward plan, and declarations of interest made at them."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks


class Meeting(Record):
    """A meeting of a board."""

    table: ClassVar[str] = "meetings"

    body: str = asks("Board", "Whose meeting it is", refers="boards", min_length=1)
    on: date = asks("Date", "The day it is held")
    time: str = asks("Time", "Such as 14:00", "", pattern=r"^(\d{1,2}:\d{2})?$")
    place: str = asks("Place", "", "")
    status: Literal["planned", "held", "cancelled"] = asks("Status", "", "planned")
    note: str = asks("Note", "", "", long=True)


class AgendaItem(Record):
    """Something a meeting considers: the forward plan is the items of meetings to come."""

    table: ClassVar[str] = "agenda_items"

    meeting: str = asks("Meeting", "Id of the meeting", refers="meetings", min_length=1)
    number: str = asks("Item", "Number on the agenda or in the minutes", "")
    title: str = asks("Title", "", min_length=1)
    report_of: str = asks("Report of", "Officer or body whose report it is", "")
    about: tuple[str, ...] = asks("About", "What it concerns", (), refers="ref")
    minute: str = asks("Minute", "What was said, in short", "", long=True)


class Declaration(Record):
    """An interest declared at a meeting."""

    table: ClassVar[str] = "declarations"

    meeting: str = asks("Meeting", "Id of the meeting", refers="meetings", min_length=1)
    member: str = asks("Member", "Who declared it", min_length=1)
    interest: str = asks("Interest", "What the interest is", min_length=1, long=True)
    kind: Literal["personal", "personal leading to bias", "disclosable pecuniary"] = asks("Kind", "", "personal")
    item: str = asks("Item", "Agenda item or minute it bears on", "")
    withdrew: bool = asks("Withdrew", "Left the room while the item was considered", False)
