"""What a slipped milestone delays, down to the benefits in the model."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from bettercare.assurance.milestones import Dates, Schedule, Scheduled, belongs, forward
from bettercare.errors import BettercareError
from bettercare.model import Result, Scenario, run
from bettercare.model.scenarios import Change
from bettercare.plan import Plan
from bettercare.store import Missing
from bettercare.vocabulary import pounds

DAYS_IN_YEAR = 365.25
LONGEST = 36_500
"""Days. A longer slip is a slip of the keys."""

ASSUMED = (
    "The model counts in whole years: a delay is rounded down for the least and up for the most (a day more or less is no year), so what "
    "will happen lies between. "
    "A scheme is taken to be as late as its most delayed milestone, whatever else it has; all else goes as planned."
)


@dataclass(frozen=True)
class DelayedMilestone:
    """A milestone moved by the slip, in days: the least, if none of the time between is needed, and the most, if all of it is."""

    id: str
    milestone: str
    scheme: str
    due: date | None
    least: int
    most: int


@dataclass(frozen=True)
class DelayedScheme:
    """A scheme whose effects wait."""

    scheme: str
    name: str
    milestone: str
    """Id of its most delayed milestone."""
    least: int
    most: int
    """Days."""
    years_least: int
    years_most: int
    """Whole years that its effects are put back in the model."""


@dataclass(frozen=True)
class Difference:
    """One measure of the model in one year, as planned and with the delay."""

    measure: str
    unit: str
    year: str
    planned: float
    least: float
    most: float

    @property
    def by_least(self) -> float:
        return self.least - self.planned

    @property
    def by_most(self) -> float:
        return self.most - self.planned


@dataclass(frozen=True)
class Consequences:
    """What the slip of one milestone delays."""

    milestone: str
    due: date
    least: int
    most: int
    """Days it is itself late."""
    milestones: tuple[DelayedMilestone, ...]
    """What waits for it and is moved, the most delayed first."""
    schemes: tuple[DelayedScheme, ...]
    differences: tuple[Difference, ...]
    """Every measure and year of the plan; empty when no scheme is delayed by as much as the model can count."""
    sentence: str
    assumed: str = ASSUMED

    def difference(self, measure: str, year: str) -> Difference | None:
        return next((one for one in self.differences if (one.measure, one.year) == (measure, year)), None)


def consequences(
    plan: Plan, schedule: Schedule, milestone: str, days: int | None = None, planned: Result | None = None
) -> Consequences:
    """What a milestone's slip delays: the milestones and schemes that wait for it, and what that does to money, beds and admissions.

    The slip is held against the plan with this milestone reached when due, in the published case of the model: all else goes as planned.

    Args:
        days: try out a slip of this many days after it was due, in place of the one the schedule shows.
        planned: the plan's run without scenarios, if it is at hand.

    Raises:
        Missing: the plan has no such milestone.
        BettercareError: the milestone has no due date, or the days are out of range.
    """
    one = schedule.by_id.get(milestone)
    if one is None:
        raise Missing(f"The plan {plan.id} has no milestone {milestone!r}.")
    if one.due is None or one.at_least is None or one.at_most is None:
        raise BettercareError(
            f"The milestone {one.milestone!r} has no date in the plan, so how late it is cannot be told.",
            remedy="Enter when it is expected; what waits for it is shown in the schedule.",
        )
    if days is not None and not 0 <= days <= LONGEST:
        raise BettercareError(f"A slip of {days:,} days cannot be tried.", remedy=f"Use 0 to {LONGEST:,}.")
    least = max(0, (one.at_least - one.due).days) if days is None else days
    most = max(0, (one.at_most - one.due).days) if days is None else days
    moved = _moved(schedule, one, least, most)
    schemes = _schemes(plan, [DelayedMilestone(one.id, one.milestone, one.scheme, one.due, least, most), *moved])
    differences: tuple[Difference, ...] = ()
    if any(scheme.years_most for scheme in schemes):
        differences = tuple(_differences(plan, schemes, planned or run(plan)))
    return Consequences(
        one.id, one.due, least, most, moved, schemes, differences,
        _sentence(plan, one, least, most, moved, schemes, differences),
    )  # fmt: skip


def _moved(schedule: Schedule, one: Scheduled, least: int, most: int) -> tuple[DelayedMilestone, ...]:
    """How much later each milestone that waits is than it would be with this one in time, all others as planned or as they were done."""
    given = {other.id: Dates(other.due, other.due, other.done_on, other.requires) for other in schedule.milestones}

    def reached(late: int) -> Mapping[str, tuple[date | None, date | None]]:
        assert one.due is not None
        day = date.fromordinal(min(one.due.toordinal() + late, date.max.toordinal()))
        return forward(given | {one.id: replace(given[one.id], done_on=day)}, date.min)

    in_time, soon, late = reached(0), reached(least), reached(most)
    found = []
    for name in one.delays:
        by_least, by_most = _later(soon[name][0], in_time[name][0]), _later(late[name][1], in_time[name][1])
        if by_most > 0:
            other = schedule.by_id[name]
            found.append(DelayedMilestone(name, other.milestone, other.scheme, other.due, by_least, by_most))
    return tuple(sorted(found, key=lambda delayed: (-delayed.most, -delayed.least, delayed.id)))


def _later(day: date | None, than: date | None) -> int:
    return max(0, (day - than).days) if day is not None and than is not None else 0


def _schemes(plan: Plan, delayed: list[DelayedMilestone]) -> tuple[DelayedScheme, ...]:
    """The schemes that wait: named by a milestone that is moved, or naming one."""
    found = []
    for scheme in plan.schemes:
        own = [one for one in delayed if belongs(one.id, one.scheme, scheme)]
        if not own or not max(one.most for one in own):
            continue
        worst = max(own, key=lambda one: (one.most, one.least))
        least, most = max(one.least for one in own), worst.most
        found.append(
            DelayedScheme(
                scheme.id, scheme.name, worst.id, least, most, math.floor((least + 1) / DAYS_IN_YEAR), math.ceil((most - 1) / DAYS_IN_YEAR)
            )
        )  # fmt: skip
    return tuple(sorted(found, key=lambda one: (-one.most, -one.least, one.scheme)))


def _differences(plan: Plan, schemes: tuple[DelayedScheme, ...], planned: Result) -> list[Difference]:
    least = _run(plan, {one.scheme: one.years_least for one in schemes}) or planned
    most = _run(plan, {one.scheme: one.years_most for one in schemes}) or planned
    found = []
    for measure, unit, values in _MEASURES:
        before = values(planned)
        soon, late = values(least), values(most)
        if any(before.values()) or any(late.values()):
            found += [
                Difference(measure, unit, year, before.get(year, 0.0), soon.get(year, 0.0), late.get(year, 0.0))
                for year in plan.years
            ]
    return found


def _run(plan: Plan, years: Mapping[str, int]) -> Result | None:
    late = {scheme: count for scheme, count in years.items() if count}
    if not late:
        return None
    changes = tuple(Change(f"scheme:{scheme}", "delay", min(count, 60), "slippage") for scheme, count in late.items())
    return run(plan, scenarios=Scenario("slipped", "With the milestone late", changes))


def _by_year(result: Result, measure: str, **where: str) -> dict[str, float]:
    it = result.measures[measure]
    if not it.labels or any(
        not any(labels.get(word) == value for labels in it.labels) for word, value in where.items()
    ):
        return {}
    frame = it(**where)
    return dict(zip(frame["year"].to_list(), frame["published_case"].to_list(), strict=True))


_MEASURES: tuple[tuple[str, str, Callable[[Result], dict[str, float]]], ...] = (
    ("gap", "GBP", lambda result: _by_year(result, "gap")),
    ("saving", "GBP", lambda result: _by_year(result, "saving")),
    ("beds", "beds", lambda result: _by_year(result, "beds")),
    ("admissions avoided", "admissions", lambda result: _by_year(result, "avoided", pod="non-elective")),
)


def _sentence(
    plan: Plan, one: Scheduled, least: int, most: int, moved: tuple[DelayedMilestone, ...], schemes: tuple[DelayedScheme, ...],
    differences: tuple[Difference, ...],
) -> str:  # fmt: skip
    if not most:
        return f"{one.milestone}: not late, so it delays nothing."
    said = f"{one.milestone}: {_between(least, most, 'day')} late"
    said += (
        f", which moves {len(moved)} other milestone{'' if len(moved) == 1 else 's'}"
        if moved
        else ", which moves no other milestone"
    )
    if not schemes:
        return f"{said}. No scheme waits for it."
    names = ", ".join(scheme.name for scheme in schemes[:3]) + (
        f" and {len(schemes) - 3} more" if len(schemes) > 3 else ""
    )
    years = min(one.years_least for one in schemes), max(one.years_most for one in schemes)
    if not years[1]:
        return f"{said}. {names} wait{'s' if len(schemes) == 1 else ''} for it, by too little for the model to count."
    said += f" and puts back {names} by {_between(*years, 'year')}"
    lost = [one for one in differences if one.measure == "saving" and (one.by_least or one.by_most)]
    if lost:
        soon, late = -sum(one.by_least for one in lost), -sum(one.by_most for one in lost)
        low, high = sorted((soon, late))
        said += f". Savings over the plan are {pounds(low) if low == high else f'{pounds(low)} to {pounds(high)}'} less"
    elif differences:
        said += ". The plan gives these schemes no saving that would be lost"
    return f"{said}."


def _between(low: int, high: int, unit: str) -> str:
    plural = "" if (low, high) in ((1, 1), (0, 1)) else "s"
    return f"{low:,} {unit}{plural}" if low == high else f"{low:,} to {high:,} {unit}{plural}"
