"""Meetings held and to come: the forward plan, and declarations of interest made at them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
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
    source: str = asks("Source", "Document and line, where the papers give it", "")


class AgendaItem(Record):
    """Something a meeting considers: the forward plan is the items of meetings to come."""

    table: ClassVar[str] = "agenda_items"

    meeting: str = asks("Meeting", "Id of the meeting", refers="meetings", min_length=1)
    number: str = asks("Item", "Number on the agenda or in the minutes", "")
    title: str = asks("Title", "", min_length=1)
    report_of: str = asks("Report of", "Officer or body whose report it is", "")
    about: tuple[str, ...] = asks("About", "What it concerns", (), refers="ref")
    minute: str = asks("Minute", "What was said, in short", "", long=True)
    source: str = asks("Source", "Document and line, where the papers give it", "")


class Declaration(Record):
    """An interest declared at a meeting."""

    table: ClassVar[str] = "declarations"

    meeting: str = asks("Meeting", "Id of the meeting", refers="meetings", min_length=1)
    member: str = asks("Member", "Who declared it", min_length=1)
    interest: str = asks("Interest", "What the interest is", min_length=1, long=True)
    kind: Literal["personal", "personal leading to bias", "disclosable pecuniary"] = asks("Kind", "", "personal")
    item: str = asks("Item", "Agenda item or minute it bears on", "")
    withdrew: bool = asks("Withdrew", "Left the room while the item was considered", False)
    source: str = asks("Source", "Document and line, where the papers give it", "")


@dataclass(frozen=True)
class Planned:
    """A meeting with what it considers and what was declared at it."""

    meeting: Meeting
    agenda: tuple[AgendaItem, ...]
    """In the order of their numbers; items without one last."""
    declarations: tuple[Declaration, ...]

    @property
    def withdrew(self) -> tuple[str, ...]:
        """Members who left the room for an item."""
        return tuple(declaration.member for declaration in self.declarations if declaration.withdrew)


def in_full(
    meetings: Iterable[Meeting], agenda: Iterable[AgendaItem], declarations: Iterable[Declaration]
) -> tuple[Planned, ...]:
    """Meetings with their agenda and declarations, in order of time."""
    items, declared = list(agenda), list(declarations)
    return tuple(
        Planned(
            meeting,
            tuple(sorted((item for item in items if item.meeting == meeting.id), key=_number)),
            tuple(one for one in declared if one.meeting == meeting.id),
        )
        for meeting in sorted(meetings, key=lambda meeting: (meeting.on, meeting.time.rjust(5, "0"), meeting.id))
    )


def forward_plan(
    meetings: Iterable[Meeting], agenda: Iterable[AgendaItem], declarations: Iterable[Declaration], on: date
) -> tuple[Planned, ...]:
    """Meetings still to come at a date, the next one first."""
    coming = [meeting for meeting in meetings if meeting.status == "planned" and meeting.on >= on]
    return in_full(coming, agenda, declarations)


def not_written_up(meetings: Iterable[Meeting], on: date) -> tuple[Meeting, ...]:
    """Meetings whose day has passed and that are still down as planned: held or cancelled, nobody has said."""
    return tuple(meeting for meeting in meetings if meeting.status == "planned" and meeting.on < on)


def _number(item: AgendaItem) -> tuple[bool, int, str, str]:
    digits = "".join(char for char in item.number if char.isdigit())
    return not item.number, int(digits or 0), item.number, item.id
