"""SAFER on a ward: what was done today of the patient flow bundle, and what to ask next at the board round.

The papers ask for SAFER on acute and community wards without saying what it is. What is here is the NHS's general practice: a **S**enior review
of every patient before midday; **A**ll patients with an expected date of discharge and clinical criteria for it; **F**low from assessment units
as early as can be, the first patient before ten; **E**arly discharge, a third before midday; **R**eview of those who stay over a week.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from bettercare.care.bed_days import OUTSIDE, BedDay, by_stay
from bettercare.care.stays import LONG, Stay, at, day_of, is_long, nights, wall

MIDDAY = time(12)
FIRST_BY = time(10)
"""By when the first patient of the day should have come from an assessment unit."""
EARLY = 1 / 3
"""Share of the day's discharges that should be before midday."""
WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share; None of none."""
        return self.count / self.of if self.of else None

    @property
    def rest(self) -> int:
        """How many of them are not counted."""
        return self.of - self.count


@dataclass(frozen=True)
class Safer:
    """A ward, or several, on one day, as known at a moment of it."""

    now: datetime
    here: int
    """Patients on the ward now."""
    reviewed: Share
    """S: reviewed by a senior before midday, of those who were there before midday."""
    reviewed_today: Share
    """Reviewed at any time today, of those here now."""
    planned: Share
    """A: with an expected date and criteria for discharge, of those here now."""
    dated: Share
    """With an expected date of discharge, of those here now."""
    overdue: int
    """Here now, past their expected date."""
    came: int
    """F: came today from an assessment unit."""
    first_came: datetime | None
    """F: when the first of them came."""
    early: Share
    """E: left before midday, of those who left today."""
    long: Share
    """R: reviewed by the whole team within a week, of those here now for over :data:`~bettercare.care.stays.LONG` nights."""
    green: int
    red: int
    """Days of those here now, as marked today."""
    unmarked: int
    ready: int
    """Here now, and could leave."""

    @property
    def day(self) -> date:
        return day_of(self.now)


def safer(
    stays: Iterable[Stay], bed_days: Iterable[BedDay], now: datetime, assessment_units: Collection[str] = ()
) -> Safer:
    """The measures of SAFER for the day of ``now``.

    Args:
        stays: those on the ward, and those who left today.
        bed_days: at least those of the last seven days.
        assessment_units: ids of the stations that are assessment units.
    """
    day = day_of(now)
    midday = at(day, MIDDAY)
    days = tuple(bed_days)
    today = by_stay(days, day)
    lately = {one.stay for one in days if one.team_review and day - WEEK < one.day <= day}
    every = [stay for stay in stays if stay.since <= now]
    here = [stay for stay in every if stay.left is None or stay.left > now]
    gone = [stay for stay in every if stay.left is not None and stay.left <= now and stay.left_on == day]
    before = [stay for stay in (*here, *gone) if stay.since < midday]
    came = [stay for stay in (*here, *gone) if stay.came_from in assessment_units and day_of(stay.since) == day]
    long = [stay for stay in here if is_long(stay, now)]
    colours = [today[stay.id].colour if stay.id in today else "not yet" for stay in here]
    return Safer(
        now=now,
        here=len(here),
        reviewed=Share(sum(_reviewed(today, stay, midday) for stay in before), len(before)),
        reviewed_today=Share(sum(_reviewed(today, stay, None) for stay in here), len(here)),
        planned=Share(sum(stay.expected_discharge is not None and bool(stay.criteria) for stay in here), len(here)),
        dated=Share(sum(stay.expected_discharge is not None for stay in here), len(here)),
        overdue=sum(stay.expected_discharge is not None and stay.expected_discharge < day for stay in here),
        came=len(came),
        first_came=min((stay.since for stay in came), default=None),
        early=Share(sum(stay.left is not None and stay.left < midday for stay in gone), len(gone)),
        long=Share(sum(stay.id in lately for stay in long), len(long)),
        green=colours.count("green"),
        red=colours.count("red"),
        unmarked=colours.count("not yet"),
        ready=sum(stay.ready_since is not None and stay.ready_since <= now for stay in here),
    )


def _reviewed(today: Mapping[str, BedDay], stay: Stay, before: datetime | None) -> bool:
    seen = today[stay.id].reviewed if stay.id in today else None
    return seen is not None and (before is None or seen < before)


# --- what to ask --------------------------------------------------------------------------------------------------------


def ask_of(measured: Safer) -> tuple[str, ...]:
    """What the ward should ask itself now, the most pressing first; nothing when all is as SAFER has it."""
    asks: list[str] = []
    wall_now = wall(measured.now).time()
    left_to_see = measured.reviewed_today.rest
    if left_to_see:
        have = "have" if left_to_see > 1 else "has"
        when = "Who sees them before midday?" if wall_now < MIDDAY else "It is past midday: who sees them now?"
        asks.append(f"{_patients(left_to_see)} {have} not had a senior review today. {when}")
    if measured.ready:
        asks.append(
            f"{_patients(measured.ready)} {'are' if measured.ready > 1 else 'is'} ready and still here. What would let each leave today?"
        )
    if measured.overdue:
        asks.append(
            f"{_patients(measured.overdue)} {'are' if measured.overdue > 1 else 'is'} past the expected date. What stopped it, and what is the new date?"
        )
    if measured.planned.rest:
        asks.append(
            f"{_patients(measured.planned.rest)} {'have' if measured.planned.rest > 1 else 'has'} no expected date or no criteria for it. When will that be set?"
        )
    if measured.long.rest:
        asks.append(
            f"{_patients(measured.long.rest)} {'have' if measured.long.rest > 1 else 'has'} been here over {LONG} nights without the weekly review. When is it?"
        )
    if wall_now >= FIRST_BY and not measured.came:
        asks.append("Nobody has come from an assessment unit yet today. Which bed is next, and who is it for?")
    if measured.early.of >= 3 and (measured.early.value or 0) < EARLY:
        asks.append(
            f"{measured.early.count} of {measured.early.of} who left today left before midday. Who could be first tomorrow, and are medicines and transport arranged?"
        )
    if measured.unmarked and not left_to_see:
        asks.append(f"{measured.unmarked} days are not marked yet. Is each red or green?")
    return tuple(asks)


def ask_about(stay: Stay, bed_days: Sequence[BedDay], now: datetime) -> tuple[str, ...]:
    """What to ask about one patient now, the most pressing first.

    Args:
        bed_days: of the stay, at least those of the last seven days.
    """
    day = day_of(now)
    days = {one.day: one for one in bed_days if one.stay == stay.id}
    today = days.get(day)
    asks: list[str] = []
    if stay.ready_since is not None and stay.ready_since <= now:
        held = (day - day_of(stay.ready_since)).days
        since = "since today" if not held else "since yesterday" if held == 1 else f"for {held} days"
        asks.append(
            f"Ready {since}. {'Who can move it today?' if stay.waiting_for else 'Where to, and what is missing?'}"
        )
    running = _red_running(days, day)
    if running and running[0] > 1:
        count, reason = running
        outside = "Who takes it up outside the hospital?" if reason in OUTSIDE else "Who can put it right today?"
        asks.append(f"{count} red days running, last for {reason}. {outside}")
    if today is None or today.reviewed is None:
        asks.append("No senior review yet today. Who, and when?")
    if stay.expected_discharge is None:
        asks.append("When could they leave, and what has to be true by then?")
    elif stay.expected_discharge < day and stay.ready_since is None:
        late = (day - stay.expected_discharge).days
        asks.append(
            f"Expected {'yesterday' if late == 1 else f'{late} days ago'}. What has changed, and what is the new date?"
        )
    elif day <= stay.expected_discharge <= day + timedelta(days=1):
        when = "today" if stay.expected_discharge == day else "tomorrow"
        asks.append(f"Leaving {when}: are medicines, transport and the next place arranged before midday?")
    if stay.expected_discharge is not None and not stay.criteria:
        asks.append("What has to be true for them to leave?")
    if is_long(stay, now) and not any(one.team_review and one.day > day - WEEK for one in days.values()):
        asks.append(
            f"Here {nights(stay, now)} nights. What keeps them in a hospital bed, and when is the weekly review?"
        )
    if (today is None or today.colour == "not yet") and not asks:
        asks.append("Is today red or green?")
    return tuple(asks)


def _red_running(days: Mapping[date, BedDay], day: date) -> tuple[int, str] | None:
    """How many days running were red, up to today or, while today is not marked, yesterday; and the last one's reason."""
    known = days.get(day)
    step = day if known is not None and known.colour != "not yet" else day - timedelta(days=1)
    count, reason = 0, ""
    while step in days and days[step].colour == "red":
        count, reason = count + 1, reason or days[step].reason
        step -= timedelta(days=1)
    return (count, reason) if count else None


def _patients(count: int) -> str:
    return "1 patient" if count == 1 else f"{count} patients"
