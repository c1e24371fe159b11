"""Futures: what the plan is uncertain about, drawn, and turned into changes of the network.

One draw of the plan's model is one future. What the model does not draw (years before its first, and what the network alone
knows of) is drawn here from streams of the same kind, so that a draw means the same in every scenario and for every lever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr

from bettercare.errors import BettercareError, PlanError
from bettercare.flow.network import ANY, Change, Network
from bettercare.flow.scenarios import changed
from bettercare.model import SEED, run
from bettercare.model.drivers import Distribution, stream
from bettercare.model.result import Result
from bettercare.plan import Plan
from bettercare.twin.mapping import Beds, Driver, Question, Twin, Way, faults_of, sized, whole_shares

Array = NDArray[np.float64]
MOST_DRAWS = 100_000
_GROWTH = ("demographic growth", "other growth", "growth")
_DAYS_A_YEAR = 365.0
_DAYS_A_MONTH = 365.25 / 12


@dataclass(frozen=True)
class Future:
    """One draw: the changes it makes to the network, and the drivers behind them."""

    draw: int
    changes: tuple[Change, ...]
    drivers: Mapping[str, float]


@dataclass(frozen=True)
class Futures:
    """The futures of one question. ``beds``: planned beds of the stations that hold them, today and in the year asked about."""

    question: Question
    items: tuple[Future, ...]
    titles: Mapping[str, str]
    """What each driver is called."""
    beds_now: int
    beds_planned: int

    def network(self, network: Network, future: Future, more: Sequence[Change] = ()) -> Network:
        """The network as it is in a future, with further changes on top; its first day is the question's."""
        return changed(replace(network, starts=self.question.starts), (*future.changes, *more))

    def driver(self, name: str) -> Array:
        """A driver in every draw."""
        return np.array([future.drivers[name] for future in self.items])


def futures(
    plan: Plan,
    network: Network,
    twin: Twin,
    question: Question,
    draws: int,
    seed: int = SEED,
    scenario: str | None = None,
) -> Futures:
    """Draw futures. The same arguments give the same futures, and draw *i* has the same luck in every scenario.

    Args:
        scenario: a scenario of the plan by its id, or else one of the network, laid under every future.

    Raises:
        PlanError: the twin names what the plan or the network does not have.
        BettercareError: there is no such scenario, or no sensible number of draws.
    """
    if not 2 <= draws <= MOST_DRAWS:
        raise BettercareError(f"{draws} draws cannot be made.", remedy=f"Ask for 2 to {MOST_DRAWS:,}.")
    if found := faults_of(twin, plan, network):
        raise PlanError(found)
    of_plan, of_network = _scenario(plan, network, scenario)
    result = run(plan, draws, seed, of_plan)
    planned = run(plan) if of_plan else result
    moved = _Moved(result, question.year, draws)
    columns: list[list[Change]] = [[] for _ in range(draws)]
    _demand(columns, moved, twin, network)
    beds = _bed_changes(planned, twin, question.year)
    own = {driver.id: _drawn(driver, question, draws, seed) for driver in twin.drivers_of(question)}
    for driver in twin.drivers_of(question):
        for place, size in enumerate(own[driver.id]):
            if size:
                columns[place].extend(sized(driver.changes, float(size)))
    levels, titles = moved.drivers(plan, twin)
    for driver in twin.drivers_of(question):
        if np.ptp(own[driver.id]) > 0:
            levels[driver.id], titles[driver.id] = own[driver.id], driver.title
    items = tuple(
        Future(
            draw, (*of_network, *beds, *columns[draw]), {name: float(values[draw]) for name, values in levels.items()}
        )
        for draw in range(draws)
    )
    now, then = (_beds_total(planned, twin, question, year) for year in (planned.years[0], question.year))
    return Futures(question, items, titles, now, then)


def _scenario(plan: Plan, network: Network, scenario: str | None) -> tuple[tuple[str, ...], tuple[Change, ...]]:
    if scenario is None:
        return (), ()
    if scenario in plan.scenarios:
        return (scenario,), ()
    own = {one.id: one.changes for one in network.scenarios}
    if scenario not in own:
        listed = ", ".join([*plan.scenarios, *own]) or "there are none"
        raise BettercareError(
            f"There is no scenario {scenario[:60]!r}.", remedy=f"Of the plan and the network: {listed}."
        )
    return (), own[scenario]


@dataclass(frozen=True)
class _Moved:
    """How activity and lengths of stay of the plan move by a year, in each draw."""

    result: Result
    year: str
    draws: int

    @property
    def base(self) -> str:
        return self.result.years[0]

    def _sum(self, name: str, year: str, organisation: str, pod: str, kinds: Sequence[str] = ()) -> Array:
        """A measure over the rows of a kind in every draw; zeros where there are none."""
        measure = self.result.measure(name)
        here = {
            labels.get("kind", "")
            for labels in measure.labels
            if labels.get("organisation") == organisation and labels.get("pod") == pod
        }
        wanted = sorted(here & set(kinds)) if kinds else sorted(here)
        if not wanted:
            return np.zeros(self.draws)
        return measure.sample(year, organisation=organisation, pod=pod, kind=wanted)

    def _has(self, name: str, organisation: str, pod: str) -> bool:
        return bool(self._sum(name, self.base, organisation, pod).any())

    def _source(self, organisation: str, pod: str) -> str:
        """Activity where the model has it, or else beds."""
        return "activity" if self._has("activity", organisation, pod) else "beds"

    def demand(self, organisation: str, pod: str, growth_only: bool = False) -> Array:
        """Patients as a share of today's."""
        name = self._source(organisation, pod)
        today = self._sum(name, self.base, organisation, pod)
        then = (
            today + self._sum(name, self.year, organisation, pod, _GROWTH)
            if growth_only
            else self._sum(name, self.year, organisation, pod)
        )
        return np.maximum(np.divide(then, today, out=np.ones(self.draws), where=today > 0), 0.0)

    def added(self, organisation: str, pod: str) -> Array:
        """Patients a day on top of today's; beds are no patients, so where the model has no activity this is 0."""
        if self._source(organisation, pod) == "beds":
            return np.zeros(self.draws)
        more = self._sum("activity", self.year, organisation, pod) - self._sum("activity", self.base, organisation, pod)
        return more / _DAYS_A_YEAR

    def stay(self, organisation: str, pod: str) -> Array:
        """Length of stay as a share of today's: the change in beds that patients do not explain."""
        if self._source(organisation, pod) == "beds":
            return np.ones(self.draws)
        today = self._sum("beds", self.base, organisation, pod)
        beds = np.divide(
            self._sum("beds", self.year, organisation, pod), today, out=np.ones(self.draws), where=today > 0
        )
        patients = self.demand(organisation, pod)
        return np.maximum(np.divide(beds, patients, out=np.ones(self.draws), where=patients > 0), 0.01)

    def drivers(self, plan: Plan, twin: Twin) -> tuple[dict[str, Array], dict[str, str]]:
        """What moves demand and stays in these draws: growth of each kind of bed or activity, and what each scheme takes off it."""
        places = dict.fromkeys(
            [(row.organisation, row.pod) for row in twin.streams]
            + [(row.organisation, row.pod) for row in twin.services]
            + [(row.organisation, row.pod) for row in twin.routes]
        )
        levels: dict[str, Array] = {}
        titles: dict[str, str] = {}
        names = {scheme.id: scheme.name for scheme in plan.schemes}
        for organisation, pod in places:
            name = "beds" if self._has("beds", organisation, pod) else "activity"
            measure = self.result.measure(name)
            levels[f"growth:{organisation}:{pod}"] = self._sum(name, self.year, organisation, pod, _GROWTH)
            titles[f"growth:{organisation}:{pod}"] = f"Growth of demand, {pod.replace('-', ' ')}"
            schemes = {
                labels["scheme"]
                for labels in measure.labels
                if labels.get("scheme") and labels.get("organisation") == organisation and labels.get("pod") == pod
                and labels.get("kind") != "arrival"
            }  # fmt: skip
            for scheme in sorted(schemes):
                taken = -measure.sample(self.year, organisation=organisation, pod=pod, scheme=scheme)
                key = f"scheme:{scheme}"
                levels[key] = levels[key] + taken if key in levels else taken
                titles[key] = f"{names.get(scheme, scheme)}: what it takes off"
        moving = {key: values for key, values in levels.items() if np.ptp(values) > 1e-9}
        return moving, {key: titles[key] for key in moving}


def _demand(columns: list[list[Change]], moved: _Moved, twin: Twin, network: Network) -> None:
    """Arrivals and lengths of stay as the plan's own draws move them."""
    if moved.year == moved.base:
        return
    known = {one.id: one.per_day or 0.0 for one in network.arrivals}
    for row in twin.streams:
        if row.takes == "added":
            for column, more in zip(columns, moved.added(row.organisation, row.pod), strict=True):
                column.append(Change("arrivals", row.stream, add=max(float(more), -known[row.stream])))
            continue
        factors = moved.demand(row.organisation, row.pod, row.takes == "growth")
        for column, factor in zip(columns, factors, strict=True):
            column.append(Change("arrivals", row.stream, times=float(factor)))
    for way in twin.routes:
        most = _most(network, way)
        for column, factor in zip(columns, moved.demand(way.organisation, way.pod), strict=True):
            times = min(float(factor), most)
            column.append(Change("share", way.station, way.patient, way.goes, way.instead_of, times=times))
    for stay in twin.services:
        for column, factor in zip(columns, moved.stay(stay.organisation, stay.pod), strict=True):
            column.append(Change("service", stay.station, patient=stay.patient, times=float(factor)))


def _most(network: Network, way: Way) -> float:
    """How many times its share a route may take before what gives the difference has nothing left, in any class."""
    shares: dict[str, dict[str, float]] = {}
    for route in network.routes:
        if route.station == way.station and way.patient in (ANY, route.patient):
            of_class = shares.setdefault(route.patient, {})
            of_class[route.to] = of_class.get(route.to, 0.0) + route.share
    found = [1 + row.get(way.instead_of, 0.0) / row[way.goes] for row in shares.values() if row.get(way.goes)]
    return min(found, default=1.0) - 1e-9


def _planned_beds(result: Result, organisation: str, pod: str, year: str) -> float:
    return result.beds.total(year, organisation=organisation, pod=pod)


def _beds_total(result: Result, twin: Twin, question: Question, year: str) -> int:
    """Beds of the question's organisation in a year, of the kinds the twin's stations hold, as the plan has them."""
    pods = dict.fromkeys(row.pod for row in twin.beds if row.organisation == question.organisation)
    return round(sum(_planned_beds(result, question.organisation, pod, year) for pod in pods))


def _bed_changes(result: Result, twin: Twin, year: str) -> tuple[Change, ...]:
    """The beds of the year as the plan has them, whatever comes: of each kind whole beds that add to the plan's own change."""
    kinds: dict[tuple[str, str], list[Beds]] = {}
    for row in twin.beds:
        kinds.setdefault((row.organisation, row.pod), []).append(row)
    found: list[Change] = []
    for (organisation, pod), rows in kinds.items():
        now, then = (_planned_beds(result, organisation, pod, one) for one in (result.years[0], year))
        whole = whole_shares([(then - now) * row.share for row in rows])
        found += [Change("servers", row.station, add=float(n)) for row, n in zip(rows, whole, strict=True) if n]
    return tuple(found)


def _drawn(driver: Driver, question: Question, draws: int, seed: int) -> Array:
    """The size of a driver in each draw on the middle day of the question; shape (draws,).

    The size is triangular, times 0 where it does not come, times how far it is in place: from nothing on the day it starts to
    all on the day it is full, so many months later as it is late.
    """
    cause = stream(seed, f"cause|{driver.cause}", 0, draws) if driver.cause else np.zeros(draws)
    load = driver.loading if driver.cause else 0.0

    def level(part: str) -> Array:
        own = stream(seed, f"twin|{driver.id}|{part}", 0, draws)
        return np.asarray(ndtr(load * cause + np.sqrt(1 - load**2) * own))

    size = Distribution.triangular(driver.low, driver.likely, driver.high).at(level("size"))
    if driver.probability < 1:
        size = size * (1 - level("delivery") < driver.probability)
    if driver.starts is None or driver.full is None:
        return np.asarray(size)
    late = np.zeros(draws)
    if driver.late:
        late = Distribution.triangular(*driver.late).at(1 - level("delay"))
    since = _months(driver.starts, question.middle) - late
    whole = _months(driver.starts, driver.full)
    place = np.where(since >= whole, 1.0, since / whole) if whole > 0 else (since >= 0).astype(float)
    return np.asarray(size * np.clip(place, 0.0, 1.0))


def _months(start: date, end: date) -> float:
    return (end - start).days / _DAYS_A_MONTH
