"""Milestones: due, expected, done; what waits for what; the critical path; what a slip delays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import ClassVar

from bettercare.assurance.programme import days_in_words, in_words
from bettercare.errors import BettercareError
from bettercare.plan import Plan, Scheme
from bettercare.plan.cells import parts
from bettercare.store import Record, asks

RED_AFTER = 28
"""Days later than due beyond which a milestone is red; less is amber. Assumed: the papers do not say."""


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
    """Earliest it can be, given what it waits for, if none of the time between is needed; when done, the day it was."""
    at_most: date | None
    """If all of the planned time between is needed."""
    requires: tuple[str, ...]
    delays: tuple[str, ...]
    """Every milestone that waits for it, directly or not."""
    slip: int
    """Days that ``at_least`` is later than due."""
    float_days: int | None
    """Days it may still slip, from ``at_least``, before a milestone that waits for it is late, if none of the time between is needed;
    None when nothing that is dated and not done waits. Negative: it makes one late already."""
    critical: bool
    status: str
    """done, done late, on course, at risk, late, undated."""
    rag: str
    reason: str
    comments: str
    owner: str
    float_least: int | None = None
    """As ``float_days``, from ``at_most``, if all of the planned time between is needed."""
    where: str = ""
    """Source and line in the paper."""
    due_as_stated: str = ""
    """The paper's words for the date."""


@dataclass(frozen=True)
class Schedule:
    """The milestones of a plan at a date."""

    on: date
    milestones: tuple[Scheduled, ...]
    """In order of due date."""
    critical_path: tuple[str, ...]
    """Ids of the chain that decides when the last dated milestone can be reached."""
    sentence: str

    @cached_property
    def by_id(self) -> Mapping[str, Scheduled]:
        return {milestone.id: milestone for milestone in self.milestones}

    @property
    def late(self) -> tuple[Scheduled, ...]:
        """Not done, and late or at risk of it; the latest first."""
        found = [milestone for milestone in self.milestones if milestone.status in ("late", "at risk")]
        return tuple(sorted(found, key=lambda milestone: (-milestone.slip, milestone.id)))


@dataclass(frozen=True)
class Dates:
    """One milestone's dates, as the forward pass takes them."""

    due: date | None
    expected: date | None
    done_on: date | None
    requires: tuple[str, ...]


def belongs(milestone: str, named: str, scheme: Scheme) -> bool:
    """Whether a milestone is a scheme's: it names the scheme, or the scheme names it."""
    return named == scheme.id or milestone in (scheme.row["milestones"] or ())


Pass = Mapping[str, tuple[date | None, date | None]]
"""The two bounds of each milestone: ``at_least`` and ``at_most``."""


def schedule(plan: Plan, progress: Sequence[Progress], on: date) -> Schedule:
    """Work out the schedule.

    A milestone that is not done is reached when it is expected (else when due), never before ``on``, and never before what it requires.
    ``at_least`` lets it follow what it requires at once; ``at_most`` keeps the whole of the planned time between the two due dates.
    A milestone without a date takes its dates from what it requires.

    Raises:
        BettercareError: milestones wait for each other in a circle, or one waits for what the plan does not have.
    """
    entered = {row.id: row for row in progress}
    rows = plan["milestones"].by_id
    titles = {name: str(row["milestone"]) for name, row in rows.items()}
    given: dict[str, Dates] = {}
    for name, row in rows.items():
        own = entered.get(name)
        done = own.done_on if own else None
        known = done if done is not None and done <= on else None
        # What was reached after the date is, at the date, only expected then.
        expected = done if done is not None and known is None else (own.expected if own else None)
        given[name] = Dates(row["due"], expected or row["due"], known, parts(row["requires"] or ""))
    bounds = forward(given, on)
    waiting = _waiting(given)
    path = _critical_path(given, bounds)
    found = []
    for name, row in rows.items():
        dates, (at_least, at_most) = given[name], bounds[name]
        own = entered.get(name)
        slip = max(0, (at_least - dates.due).days) if at_least and dates.due else 0
        status, rag, reason = _judged(name, given, bounds, on, titles)
        found.append(
            Scheduled(
                id=name, milestone=row["milestone"], scheme=(parts(row["scheme"] or "") or ("",))[0], theme=row["theme"] or "",
                due=dates.due, expected=dates.expected, done_on=dates.done_on, at_least=at_least, at_most=at_most,
                requires=dates.requires, delays=tuple(other for other in rows if other in waiting[name]), slip=slip,
                float_days=_float(name, given, bounds, waiting), float_least=_float_least(name, given, bounds, waiting), critical=name in path, status=status, rag=rag, reason=reason,
                comments=own.comments if own else "", owner=own.owner if own else "",
                where=": ".join(filter(None, (row["source"], row["where"]))), due_as_stated=row["due_as_stated"] or "",
            )
        )  # fmt: skip
    order = list(rows)
    found.sort(key=lambda one: (one.due is None, one.due or date.max, order.index(one.id)))
    return Schedule(on, tuple(found), path, _sentence(found, path, on))


def forward(given: Mapping[str, Dates], on: date) -> Pass:
    """The forward pass: the two bounds of every milestone.

    Raises:
        BettercareError: a circle, or an unknown milestone required.
    """
    for name, dates in given.items():
        for other in dates.requires:
            if other not in given:
                raise BettercareError(
                    f"The milestone {name!r} waits for {other!r}, which the plan does not have.",
                    remedy="Correct `requires` in tables/milestones.csv.",
                )
    try:
        order = tuple(TopologicalSorter({name: dates.requires for name, dates in given.items()}).static_order())
    except CycleError as error:
        raise BettercareError(
            f"Milestones wait for each other in a circle: {' -> '.join(map(str, error.args[1]))}.",
            remedy="Take one requirement out.",
        ) from error
    bounds: dict[str, tuple[date | None, date | None]] = {}
    for name in order:
        dates = given[name]
        if dates.done_on is not None:
            bounds[name] = (dates.done_on, dates.done_on)
            continue
        least = [bound for other in dates.requires if (bound := bounds[other][0])]
        most = [after(bound, given[other], dates) for other in dates.requires if (bound := bounds[other][1])]
        if dates.expected is not None:
            least.append(max(dates.expected, on))
            most.append(max(dates.expected, on))
        bounds[name] = (max(least, default=None), max([*least, *most], default=None))
    return bounds


def after(reached: date, before: Dates, waits: Dates) -> date:
    """The day a milestone can be reached if what it waits for is reached on a day and all of the planned time between the two is needed.

    No time is planned where either is undated or they are due out of order. No day is later than the last of the calendar.
    """
    planned = max((waits.due - before.due).days, 0) if before.due is not None and waits.due is not None else 0
    return date.fromordinal(min(reached.toordinal() + planned, date.max.toordinal()))


def _waiting(given: Mapping[str, Dates]) -> Mapping[str, frozenset[str]]:
    """Every milestone that waits for each, directly or not."""
    direct: dict[str, set[str]] = {name: set() for name in given}
    for name, dates in given.items():
        for other in dates.requires:
            direct[other].add(name)
    found: dict[str, frozenset[str]] = {}
    for name in reversed(
        tuple(TopologicalSorter({name: dates.requires for name, dates in given.items()}).static_order())
    ):
        found[name] = frozenset(direct[name]).union(*(found[other] for other in direct[name]))
    return found


def _float(name: str, given: Mapping[str, Dates], bounds: Pass, waiting: Mapping[str, frozenset[str]]) -> int | None:
    at_least = bounds[name][0]
    due = [given[other].due for other in waiting[name] if given[other].done_on is None]
    dated = [day for day in due if day is not None]
    if at_least is None or not dated or given[name].done_on is not None:
        return None
    return (min(dated) - at_least).days


def _float_least(
    name: str, given: Mapping[str, Dates], bounds: Pass, waiting: Mapping[str, frozenset[str]]
) -> int | None:
    most, at_most = _float(name, given, bounds, waiting), bounds[name][1]
    if most is None or at_most is None:
        return None
    reached, left = {name: at_most}, [most]
    # What waits, in the order in which it can be reached: each the planned time after the latest it waits for on the way from here.
    for other in TopologicalSorter({one: given[one].requires for one in given}).static_order():
        dates = given[other]
        ahead = [after(reached[one], given[one], dates) for one in dates.requires if one in reached]
        if ahead and dates.done_on is None:
            reached[other] = max(ahead)
            left += [(dates.due - reached[other]).days] if dates.due is not None else []
    return min(left)


def _critical_path(given: Mapping[str, Dates], bounds: Pass) -> tuple[str, ...]:
    """Back from the milestone that comes last if all planned time is needed, each time to what holds it longest; of several, the longest chain."""

    def back(name: str) -> tuple[str, ...]:
        chain = [name]
        while given[chain[-1]].requires:
            here = given[chain[-1]]
            holds = [
                (after(bound, given[other], here), len(given[other].requires), other)
                for other in here.requires
                if (bound := bounds[other][1]) is not None
            ]
            if not holds:
                break
            chain.append(max(holds)[2])
        return tuple(reversed(chain))

    ends = {
        name: bound
        for name, dates in given.items()
        if dates.due is not None and dates.done_on is None and (bound := bounds[name][1]) is not None
    }
    if not ends:
        return ()
    last = max(ends.values())
    # Of equally long chains the first in the plan.
    return max((back(name) for name, bound in ends.items() if bound == last), key=len)


def _judged(
    name: str, given: Mapping[str, Dates], bounds: Pass, on: date, titles: Mapping[str, str]
) -> tuple[str, str, str]:
    """Status, rating and the reason in words."""
    dates, (at_least, at_most) = given[name], bounds[name]
    if dates.done_on is not None:
        ahead = [titles[other] for other in dates.requires if given[other].done_on is None]
        rest = f" What it waits for is not done: {'; '.join(ahead)}." if ahead else ""
        late = (dates.done_on - dates.due).days if dates.due else 0
        if late > 0:
            return "done late", "green", f"Reached on {in_words(dates.done_on)}, {days_in_words(late)} late.{rest}"
        return "done", "green", f"Reached on {in_words(dates.done_on)}{', in time' if dates.due else ''}.{rest}"
    held = _held_by(name, given, bounds, on)
    because = f', because it waits for "{titles[held]}"' if held else ""
    if at_least is None or at_most is None:
        return "undated", "grey", "The papers give no date and none has been entered."
    if dates.due is None:
        return "undated", "grey", f"The papers give no date; {in_words(at_least)} at the earliest{because}."
    slip, most = (at_least - dates.due).days, (at_most - dates.due).days
    if slip > 0:
        rag = "red" if slip > RED_AFTER else "amber"
        so = f"so red (more than {RED_AFTER})" if rag == "red" else f"so amber ({RED_AFTER} or fewer)"
        said = f"Due on {in_words(dates.due)}" + (" and not done" if dates.due < on else "")
        if at_least > on or held:
            said += f"; {in_words(at_least)} at the earliest{because}"
        return (
            "late" if dates.due < on or rag == "red" else "at risk",
            rag,
            f"{said}: {days_in_words(slip)} late, {so}.",
        )
    if most > 0:
        when = f"not before {in_words(at_most)} if all the planned time is needed"
        return "at risk", "amber", f"Can still be reached when due, {in_words(dates.due)}, but {when}{because}."
    return "on course", "green", f"Due on {in_words(dates.due)}; nothing says it will be later."


def _held_by(name: str, given: Mapping[str, Dates], bounds: Pass, on: date) -> str:
    """The milestone that moves this one past its own date, or ""."""
    dates = given[name]
    holds = [
        (after(bound, given[other], dates), other)
        for other in dates.requires
        if given[other].done_on is None and (bound := bounds[other][1]) is not None
    ]
    if not holds:
        return ""
    day, other = max(holds)
    return other if dates.expected is None or day > max(dates.expected, on) else ""


def _sentence(found: Sequence[Scheduled], path: Sequence[str], on: date) -> str:
    if not found:
        return "The plan has no milestones."
    count = {status: sum(one.status == status for one in found) for status in ("done", "done late", "late", "at risk")}
    done = count["done"] + count["done late"]
    said = f"Of {len(found)} milestone{'' if len(found) == 1 else 's'} {done} {'is' if done == 1 else 'are'} done"
    said += f", {count['late']} {'is' if count['late'] == 1 else 'are'} late" if count["late"] else ", none is late"
    if count["at risk"]:
        said += f" and {count['at risk']} at risk"
    if not path:
        return f"{said}."
    last = next(one for one in found if one.id == path[-1])
    when = " to ".join(dict.fromkeys(in_words(bound) for bound in (last.at_least, last.at_most) if bound is not None))
    through = f" through {len(path) - 1} other{'s' if len(path) > 2 else ''}" if len(path) > 1 else ""
    return f"{said}. The critical path ends{through} with: {last.milestone} ({when})."
