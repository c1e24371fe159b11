"""Red and green days: whether a day in a bed brought a patient nearer to leaving, and if not, what they waited for.

The papers name Red/Green days without saying what they are; what is here is the NHS's general practice. A day is green when it brings care that
moves the patient towards discharge and could only be given in a bed, and red when it does not, with what was waited for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import ClassVar, Literal, Self, get_args

import polars as pl
from pydantic import ConfigDict, field_validator, model_validator

from bettercare.care.stays import Stay, book, day_of
from bettercare.errors import BettercareError
from bettercare.store import Record, Store, asks
from bettercare.vocabulary.nhs_number import holds_nhs_number, no_nhs_number

Colour = Literal["red", "green", "not yet"]
Reason = Literal[
    "", "senior review", "diagnostic", "specialty opinion", "therapy", "medication", "procedure", "transport",
    "social care assessment", "package of care", "community bed", "care home", "family choice", "other",
]  # fmt: skip
REASONS: tuple[Reason, ...] = tuple(reason for reason in get_args(Reason) if reason)
"""What a patient may have waited for on a red day."""
OUTSIDE: frozenset[Reason] = frozenset(
    {"social care assessment", "package of care", "community bed", "care home", "family choice"}
)
"""Reasons that lie outside the hospital; a ward can put the others right, or ask within the hospital. Our own division: the papers give none."""


class BedDay(Record):
    """One day of one stay. The id is the stay's and the day's, so that a day is marked once."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    table: ClassVar[str] = "bed_days"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("plan", "day"), ("plan", "stay"))

    stay: str = asks("Stay", "Id of the stay", refers="stays", min_length=1, max_length=120)
    station: str = asks("Ward", "Id of the ward in the plan's network of care", refers="stations", max_length=100)
    unit: str = asks("Unit", "What staff call the ward or bay", "", max_length=60)
    day: date = asks("Day", "The day, by the clock on the wall")
    colour: Colour = asks(
        "Day",
        "Green: care that moves the patient towards discharge and needs a bed. Red: a day without. Not yet: not marked",
        "not yet",
    )
    reason: Reason = asks("Waited for", "What the patient waited for on a red day", "")
    reviewed: datetime | None = asks("Senior review", "When a senior clinician reviewed the patient that day", None)
    team_review: bool = asks(
        "Weekly review", "The whole team reviewed a long stay that day: why is the patient not at home?", False
    )
    note: str = asks("Note", "Anything the next round should know; nothing that names the patient", "", max_length=500)

    _holds_no_nhs_number = field_validator("note", mode="before")(no_nhs_number)

    @model_validator(mode="after")
    def _hangs_together(self) -> Self:
        if self.colour == "red" and not self.reason:
            raise ValueError("A red day needs what was waited for")
        if self.colour != "red" and self.reason:
            raise ValueError("Only a red day has something waited for")
        if self.reason == "other" and not self.note:
            raise ValueError("A red day for another reason needs a note that says which")
        if self.reviewed is not None and day_of(self.reviewed) != self.day:
            raise ValueError("Senior review must be on the day")
        return self


def of_day(stay: Stay, day: date, known: BedDay | None = None) -> BedDay:
    """The day of a stay: the one that is known, or one that nothing is marked on yet.

    Raises:
        BettercareError: the patient was not on the ward that day.
    """
    if not day_of(stay.since) <= day <= (stay.left_on or day):
        raise BettercareError(
            f"{stay.pseudonym} was not on the ward on {day.day} {day:%B %Y}.", remedy="Mark a day of the stay."
        )
    return known or BedDay(
        plan=stay.plan, id=f"{stay.id}@{day.isoformat()}", stay=stay.id, station=stay.station, unit=stay.unit, day=day,
        synthetic=stay.synthetic,
    )  # fmt: skip


def mark(bed_day: BedDay, colour: str, reason: str = "", note: str | None = None) -> BedDay:
    """The day marked red, green or not yet.

    Args:
        reason: what was waited for, one of :data:`REASONS`; a red day needs it.
        note: None leaves the note that is there.

    Raises:
        BettercareError: there is no such colour or reason, or a red day has none.
    """
    if colour not in get_args(Colour):
        raise BettercareError("A day is red, green or not marked yet.", remedy="Use the page's own buttons.")
    if colour == "red" and reason not in REASONS:
        raise BettercareError(
            "A red day needs what the patient waited for.", remedy=f"Choose one of: {', '.join(REASONS)}."
        )
    note = bed_day.note if note is None else note.strip()
    if reason == "other" and colour == "red" and not note:
        raise BettercareError("A red day for another reason needs a note.", remedy="Say in the note what it was.")
    if holds_nhs_number(note):
        raise BettercareError("The note holds an NHS number.", remedy="Leave out what names the patient.")
    if len(note) > 500:
        raise BettercareError("The note is longer than 500 characters.", remedy="Shorten it.")
    return bed_day.model_copy(update={"colour": colour, "reason": reason if colour == "red" else "", "note": note})


def reviewed(bed_day: BedDay, on: datetime | None) -> BedDay:
    """The day with the time of its senior review, or without.

    Raises:
        BettercareError: the time is on another day.
    """
    if on is not None and day_of(on) != bed_day.day:
        raise BettercareError("The review is on another day.", remedy="Give a time on the day.")
    return bed_day.model_copy(update={"reviewed": on})


def days_of(store: Store, plan: str, first: date, last: date, station: str = "") -> tuple[BedDay, ...]:
    """Days that something is marked on, from ``first`` to ``last``, both counted; of one ward or of all."""
    where = {"station": station} if station else {}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return tuple(found for day in days for found in store.list(BedDay, book(plan), day=day, **where))


def by_stay(bed_days: Iterable[BedDay], day: date) -> Mapping[str, BedDay]:
    """The days that are one day, by stay."""
    return {one.stay: one for one in bed_days if one.day == day}


def red_days(bed_days: Iterable[BedDay], first: date, last: date) -> pl.DataFrame:
    """Red days of a period by what was waited for, the most first.

    Returns:
        ``reason``, ``outside`` (whether it lies outside the hospital), ``days`` (patient-days), ``stays`` (patients it was so for), ``share`` of
        all red days. No row where there is no red day.
    """
    rows = [(one.reason, one.stay) for one in bed_days if one.colour == "red" and first <= one.day <= last]
    frame = pl.DataFrame(rows, schema={"reason": pl.String, "stay": pl.String}, orient="row")
    return (
        frame.group_by("reason")
        .agg(days=pl.len().cast(pl.Int64), stays=pl.col("stay").n_unique().cast(pl.Int64))
        .with_columns(outside=pl.col("reason").is_in(list(OUTSIDE)), share=pl.col("days") / pl.col("days").sum())
        .select("reason", "outside", "days", "stays", "share")
        .sort(["days", "reason"], descending=[True, False])
    )


def lost_bed_days(
    stays: Iterable[Stay], bed_days: Iterable[BedDay], first: date, last: date, now: datetime
) -> pl.DataFrame:
    """Days of care, and days lost, in a period, by ward.

    Args:
        stays: those of the period, ended ones among them.
        bed_days: days that something was marked on.
        now: days to come are not counted.

    Returns:
        ``station``; ``bed_days``, the days on which patients were on the ward, in whole days (the day of coming counts, the day of leaving does
        not, unless it is the same); ``green``, ``red`` (days lost) and ``unmarked`` days among them; ``ready``, days on which a patient was
        ready at midnight and had not left.
    """
    last = min(last, day_of(now))
    marked = {(one.stay, one.day): one.colour for one in bed_days}
    counts: dict[str, dict[str, int]] = {}
    for stay in stays:
        start, end = day_of(stay.since), stay.left_on
        day = max(first, start)
        while day <= last and (end is None or day < end or day == start == end):
            of = counts.setdefault(stay.station, {"bed_days": 0, "green": 0, "red": 0, "unmarked": 0, "ready": 0})
            colour = marked.get((stay.id, day), "not yet")
            of["bed_days"] += 1
            of["unmarked" if colour == "not yet" else colour] += 1
            # Held over the midnight at the end of the day.
            of["ready"] += stay.ready_since is not None and day_of(stay.ready_since) <= day and day != end and day < day_of(now)  # fmt: skip
            day += timedelta(days=1)
    schema = {"station": pl.String} | dict.fromkeys(("bed_days", "green", "red", "unmarked", "ready"), pl.Int64)
    return pl.DataFrame([{"station": name, **of} for name, of in sorted(counts.items())], schema=schema)
