"""A stay: one patient in one ward's care, by pseudonym, from coming to leaving."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, ClassVar, Self
from zoneinfo import ZoneInfo

from pydantic import ConfigDict, field_validator, model_validator

from bettercare.errors import BettercareError
from bettercare.store import Record, Store, asks
from bettercare.vocabulary.nhs_number import no_nhs_number

CLOCK = ZoneInfo("Europe/London")
"""The clock on the ward's wall: "before midday" is by it."""

LONG = 7
"""Nights after which a stay is long, and a weekly review by the whole team is due: the R of SAFER."""


class Stay(Record):
    """One patient's stay on one ward. One who moves on to another ward has another stay there, with the same pseudonym."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)

    table: ClassVar[str] = "stays"
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = (("plan", "left"), ("plan", "left_on"), ("plan", "pseudonym"))

    pseudonym: str = asks(
        "Patient",
        "A pseudonym of letters, digits, dots, hyphens and underscores; never an NHS number or a name",
        pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$",
    )
    station: str = asks(
        "Ward", "Id of the ward in the plan's network of care", refers="stations", min_length=1, max_length=100
    )
    unit: str = asks(
        "Unit", "What staff call the ward or bay, where the network's ward stands for several", "", max_length=60
    )
    bed: str = asks("Bed", "Bed or bay number", "", max_length=20)
    patient_class: str = asks(
        "Class", "Id of the class of patient in the network of care", refers="classes", min_length=1, max_length=100
    )
    since: datetime = asks("Since", "When they came to this ward")
    admitted: datetime | None = asks(
        "Admitted", "When they came to hospital; blank where that is when they came to this ward", None
    )
    came_from: str = asks(
        "Came from", "Id of the station they came from; blank when not known", "", refers="stations", max_length=100
    )
    expected_discharge: date | None = asks("Expected date of discharge", "The day they are expected to leave", None)
    criteria: str = asks(
        "Criteria for discharge", "What has to be true, clinically, for them to leave", "", long=True, max_length=1_000
    )
    ready_since: datetime | None = asks(
        "Ready since", "When they met the criteria and could have left; blank while they have not", None
    )
    waiting_for: str = asks(
        "Waiting for",
        "Id of the station or outcome they wait to go to, once ready",
        "",
        refers="stations",
        max_length=100,
    )
    left: datetime | None = asks("Left", "When they left the ward; blank while they are there", None)
    left_on: date | None = asks("Left on", "The day they left, by the clock on the wall", None)
    outcome: str = asks(
        "Went to",
        "Id of the station or outcome they went to; blank when not known",
        "",
        refers="stations",
        max_length=100,
    )

    _holds_no_nhs_number = field_validator("pseudonym", "station", "unit", "bed", "criteria", mode="before")(
        no_nhs_number
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.admitted is not None and self.admitted > self.since:
            raise ValueError("Admitted must not be after since")
        if self.ready_since is not None and self.ready_since < (self.admitted or self.since):
            raise ValueError("Ready since must not be before the stay began")
        if self.waiting_for and self.ready_since is None:
            raise ValueError("Waiting for is said of those who are ready alone")
        if (self.left is None) != (self.left_on is None):
            raise ValueError("Left and left on are given together")
        if self.left is not None and (self.left < self.since or self.left_on != day_of(self.left)):
            raise ValueError("Left must not be before since, and left on is its day")
        if self.left is None and self.outcome:
            raise ValueError("Went to is said of those who have left alone")
        return self


@dataclass(frozen=True)
class Ward:
    """A ward as the network of care has it."""

    id: str
    title: str
    kind: str
    """assessment, ward, critical or community."""
    beds: int | None = None
    """Beds open now; None when there is no limit."""
    organisation: str = ""
    goes_to: tuple[tuple[str, str], ...] = ()
    """Id and title of where its patients go next: stations and outcomes."""


def wall(moment: datetime) -> datetime:
    """A moment by the clock on the wall."""
    return moment.astimezone(CLOCK)


def day_of(moment: datetime) -> date:
    """The day a moment is in, by the clock on the wall."""
    return wall(moment).date()


def at(day: date, hour: time) -> datetime:
    """A moment by the clock on the wall, in UTC."""
    return datetime.combine(day, hour, CLOCK).astimezone(UTC)


def nights(stay: Stay, on: datetime) -> int:
    """Nights in hospital so far: midnights between admission and a moment, or leaving if that came first."""
    end = min(on, stay.left) if stay.left is not None else on
    return max(0, (day_of(end) - day_of(stay.admitted or stay.since)).days)


def is_long(stay: Stay, on: datetime) -> bool:
    """Whether a stay is longer than :data:`LONG` nights."""
    return nights(stay, on) > LONG


def ready(stay: Stay, on: datetime, waiting_for: str = "") -> Stay:
    """The stay of one who could leave from a moment on, and where they wait to go; one who was ready before stays so from then.

    Raises:
        BettercareError: they have left, or had not come.
    """
    _here(stay, on)
    return stay.model_copy(update={"ready_since": stay.ready_since or on, "waiting_for": waiting_for})


def not_ready(stay: Stay) -> Stay:
    """The stay of one who no longer meets the criteria."""
    return stay.model_copy(update={"ready_since": None, "waiting_for": ""})


def gone(stay: Stay, on: datetime, outcome: str = "") -> Stay:
    """The stay ended.

    Raises:
        BettercareError: they have left already, or had not come.
    """
    _here(stay, on)
    return stay.model_copy(update={"left": on, "left_on": day_of(on), "outcome": outcome})


def back(stay: Stay) -> Stay:
    """The stay as it was before it was marked as ended: the mark was a mistake."""
    return stay.model_copy(update={"left": None, "left_on": None, "outcome": ""})


def _here(stay: Stay, on: datetime) -> None:
    if stay.left is not None:
        when = wall(stay.left)
        raise BettercareError(
            f"{stay.pseudonym} left at {when:%H:%M} on {when.day} {when:%B %Y}.",
            remedy="If that was a mistake, open the stay and put them back on the ward.",
        )
    if on < stay.since:
        raise BettercareError(
            f"{stay.pseudonym} had not come to the ward by then.", remedy="Give a time after they came."
        )


# --- in the store ---------------------------------------------------------------------------------------------------------


def book(plan: str) -> str:
    """What the store keeps a plan's ward records under.

    Apart from the plan's own registers: everybody may read the plan's history, and few may read of patients; and the plan is judged anew
    when its registers change, which a ward round does all day.
    """
    return f"{plan}/wards"


def present(store: Store, plan: str, station: str = "") -> tuple[Stay, ...]:
    """Stays that have not ended, of one ward or of all; by bed, then pseudonym."""
    where: dict[str, Any] = {"left": None} | ({"station": station} if station else {})
    return tuple(sorted(store.list(Stay, book(plan), **where), key=_by_bed))


def left_between(store: Store, plan: str, first: date, last: date, station: str = "") -> tuple[Stay, ...]:
    """Stays that ended on days from ``first`` to ``last``, both counted; the last to leave first."""
    where = {"station": station} if station else {}
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    found = [stay for day in days for stay in store.list(Stay, book(plan), left_on=day, **where)]
    return tuple(sorted(found, key=lambda stay: (stay.left or stay.since, stay.pseudonym), reverse=True))


def by_ward(stays: Iterable[Stay]) -> dict[str, list[Stay]]:
    """Stays by the ward they are on."""
    found: dict[str, list[Stay]] = {}
    for stay in stays:
        found.setdefault(stay.station, []).append(stay)
    return found


def _by_bed(stay: Stay) -> tuple[Any, ...]:
    """Bed 2 comes before bed 10; those without a bed last."""
    digits = "".join(char for char in stay.bed if char.isdigit())
    return (stay.station, stay.unit, not stay.bed, int(digits or 0), stay.bed, stay.pseudonym)
