"""A network of care as data: who arrives, where they are cared for, for how long, and where they go next.

Times are in hours unless a name says otherwise. A network is frozen; a changed one is a new one (``scenarios.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

Basis = Literal["stated", "reconstructed", "derived", "assumed"]
Spread = Literal["poisson", "even"]
ANY = "any"
"""Stands for every class that no other row of the same station names."""
UNLIMITED = -1
"""Servers or queue places without limit, written ``unlimited`` in a file."""
HOURS_OF_WEEK = 168
FIRST_YEAR, LAST_YEAR = 1900, 2200
"""Days outside these years are taken for slips of the pen."""
KINDS = ("contact", "transport", "emergency", "assessment", "ward", "critical", "community", "home", "delay")
"""What a station is: advice on the telephone, ambulance, emergency department, assessment unit, ward, critical care,
community hospital, virtual ward or care at home, or no more than a time that passes."""


@dataclass(frozen=True)
class Evidence:
    """How a row is known: as in the tables of a plan."""

    basis: Basis = "assumed"
    source: str = ""
    where: str = ""
    note: str = ""


@dataclass(frozen=True)
class Distribution:
    """A length of time. ``kind`` decides which of the others are used; every one has a finite mean.

    fixed(mean) · exponential(mean) · uniform(low, high) · triangular(low, likely, high) · lognormal(mean, sd) ·
    gamma(mean, sd) · weibull(mean, shape) · erlang(mean, phases) · phase-type(start, rates: square matrix of moves between
    phases, per unit of time, row sums at most 0 with the diagonal) · empirical(values, weights) · mixture(parts, weights).
    ``at_most`` cuts: a longer one counts as this long. ``unit`` is minutes, hours or days.
    """

    kind: str
    unit: Literal["minutes", "hours", "days"] = "hours"
    mean: float | None = None
    sd: float | None = None
    shape: float | None = None
    phases: int | None = None
    low: float | None = None
    likely: float | None = None
    high: float | None = None
    start: tuple[float, ...] = ()
    rates: tuple[tuple[float, ...], ...] = ()
    values: tuple[float, ...] = ()
    weights: tuple[float, ...] = ()
    parts: tuple[Distribution, ...] = ()
    at_most: float | None = None
    times: float = 1.0
    """What scenarios multiply: every length drawn is this many times as long."""


@dataclass(frozen=True)
class PatientClass:
    """A kind of patient. A lower ``priority`` is seen first."""

    id: str
    title: str
    priority: int = 5


@dataclass(frozen=True)
class Profile:
    """How a rate moves with the hour, the weekday (Monday first) and the month (January first); only proportions matter."""

    id: str
    hours: tuple[float, ...] = (1.0,) * 24
    weekdays: tuple[float, ...] = (1.0,) * 7
    months: tuple[float, ...] = (1.0,) * 12
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Arrival:
    """A stream of patients of one class to a station or a choice.

    ``per_day`` at the mean of the profile; ``spread`` poisson or even (as many each day as the rate says, spread evenly
    over the hours of the profile); ``varies`` is the coefficient of variation of a day's rate over the profile.
    ``every`` instead of ``per_day``: time between one arrival and the next, with no profile.
    """

    id: str
    patient: str
    to: str
    per_day: float | None = None
    every: Distribution | None = None
    profile: str | None = None
    spread: Spread = "poisson"
    varies: float = 0.0
    title: str = ""
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Shift:
    """``servers`` at work on ``days`` (0 is Monday) from hour ``start`` to hour ``end`` (whole hours, 0 to 24; an end at or
    before the start is on the next day). Shifts of a station add up."""

    days: tuple[int, ...]
    start: int
    end: int
    servers: int


@dataclass(frozen=True)
class Step:
    """From the first hour of ``on``, the station has ``servers`` more (or fewer, negative) than its shifts say."""

    on: date
    servers: int


@dataclass(frozen=True)
class Station:
    """A place with room for so many at a time: cubicles, beds, places of a virtual ward, clinicians on a telephone.

    ``queue``: how many may wait; one who finds no room to wait goes to ``if_full``, unless the station they come from
    ``holds``: then they stay there, and keep its place, until there is room (blocking). ``if_closed`` is where those go who
    come while no servers are at work; without it they wait. ``preempts``: one of better priority takes the place of the one
    of worst priority in service, who waits and later goes on from where they stopped. ``leaves_on``: those who are done
    leave at the next discharge time: on each day they go with the weekday's chance (the largest counts as 1), at an hour
    drawn from the profile's hours; if that hour is past when they are done, the next day is tried.
    """

    id: str
    title: str
    kind: str = "ward"
    site: str = ""
    organisation: str = ""
    places: str = "places"
    """What one server is called: beds, cubicles, ..."""
    servers: int = 0
    shifts: tuple[Shift, ...] = ()
    steps: tuple[Step, ...] = ()
    queue: int = UNLIMITED
    holds: bool = False
    if_full: str | None = None
    if_closed: str | None = None
    preempts: bool = False
    leaves_on: str | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Service:
    """How long patients of a class are in a station's care, once they have a place."""

    station: str
    patient: str
    time: Distribution
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Patience:
    """How long patients of a class wait at a station before they give up and go ``to`` a station, choice or outcome.
    Those who wait in another station's place do not give up."""

    station: str
    patient: str
    time: Distribution
    to: str
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Route:
    """Where patients of a class go when a station has done with them: to a station, choice or outcome, with a probability.

    ``becomes`` changes the class of those who take this way. ``days`` and ``start``-``end`` (as in a shift) limit a route to
    a part of the week; where such a route of a station and class applies, its routes without limits do not.
    """

    station: str
    patient: str
    to: str
    share: float
    becomes: str | None = None
    days: tuple[int, ...] = ()
    start: int = 0
    end: int = 24
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Choice:
    """Several stations of which one is taken: ``first-with-room`` (in this order; when none has room, the first to have it)
    or ``shortest-queue`` (fewest waiting and in service for each server; the earlier of two alike)."""

    id: str
    of: tuple[str, ...]
    by: Literal["first-with-room", "shortest-queue"]
    title: str = ""


@dataclass(frozen=True)
class ExtraPlaces:
    """``servers`` more at a station while an escalation is on."""

    station: str
    servers: int


@dataclass(frozen=True)
class Divert:
    """A share of a stream's patients, each by chance, who go ``to`` a station, choice or outcome instead while an escalation
    is on. Shares of the same stream add up over the escalations that are on, to at most 1."""

    stream: str
    share: float
    to: str


@dataclass(frozen=True)
class Escalation:
    """What is done when too many wait: extra places open, patients are diverted, planned ones put off.

    At each turn of the hour those are counted who are in a place of station ``watches`` or wait for one, wherever they wait,
    less its ordinary places: 12 is twelve more patients than places, -5 is five places free. ``opens`` or more, at the turn
    of this hour and of the ``after`` hours before it, switch the escalation on; ``closes`` or fewer switch it off. Extra
    places that close keep whoever is in them until they leave.
    """

    id: str
    title: str
    watches: str
    opens: int
    closes: int
    after: int = 0
    """Hours."""
    places: tuple[ExtraPlaces, ...] = ()
    diverts: tuple[Divert, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Outcome:
    """A way to leave the network."""

    id: str
    title: str


@dataclass(frozen=True)
class Clock:
    """Time from coming to any of ``stations`` until leaving them all, waiting there and being held there included.

    ``targets``: hours within which it should end. ``patients``: the classes (at the start) it counts, or all.
    """

    id: str
    title: str
    stations: tuple[str, ...]
    targets: tuple[float, ...] = ()
    patients: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """One thing a scenario changes. Exactly one of ``to``, ``add`` and ``times`` is given.

    ============  ==================================================================================
    what          changes
    ============  ==================================================================================
    servers       servers of station ``at`` (``add`` or ``to`` on all shifts; ``on`` makes it a step from that day)
    queue         queue places of station ``at``
    arrivals      per_day of stream ``at``, or of every stream of class ``patient`` when ``at`` is ``any``
    service       the times at station ``at`` for ``patient`` (``any``: every class)
    patience      the same for patience
    share         the share of route ``at`` -> ``goes`` for ``patient``; ``instead_of`` (a target of the same route) gives or
                  takes the difference, else the others change in proportion
    leaves_on     the chance of discharge at ``at`` on ``days`` against the other days (``to`` a share of the best day)
    escalation    extra places and shares diverted of escalation ``at`` (``times`` alone; places are rounded, one at least, 0 is never)
    ============  ==================================================================================
    """

    what: Literal["servers", "queue", "arrivals", "service", "patience", "share", "leaves_on", "escalation"]
    at: str
    patient: str = ANY
    goes: str = ""
    instead_of: str = ""
    days: tuple[int, ...] = ()
    on: date | None = None
    to: float | None = None
    add: float | None = None
    times: float | None = None
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Scenario:
    """Changes made together, under a name."""

    id: str
    title: str
    changes: tuple[Change, ...]
    note: str = ""


@dataclass(frozen=True)
class Target:
    """A figure the network should reproduce, for calibration: a measure of a run (see ``measures.py``) and what was seen."""

    id: str
    title: str
    measure: str
    of: str
    value: float
    patient: str = "all"
    period: str = "all"
    tolerance: float = 0.05
    """Share of the value by which a run may differ and still agree."""
    weight: float = 1.0
    held_out: bool = False
    """Not used to calibrate, only to check."""
    later: bool = False
    """Known only after the plan; a check alone, of no use to what the plan could have known."""
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Knob:
    """What calibration may turn: a change whose ``times`` (or ``to``) lies between ``low`` and ``high``."""

    id: str
    title: str
    change: Change
    low: float
    high: float
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Network:
    """A network of care. ``starts`` is the first day that counts; ``days`` of it count, after ``warm_up`` days that do not."""

    id: str
    title: str
    starts: date
    days: int
    warm_up: int
    classes: tuple[PatientClass, ...]
    arrivals: tuple[Arrival, ...]
    stations: tuple[Station, ...]
    services: tuple[Service, ...]
    routes: tuple[Route, ...]
    outcomes: tuple[Outcome, ...]
    profiles: tuple[Profile, ...] = ()
    patience: tuple[Patience, ...] = ()
    choices: tuple[Choice, ...] = ()
    escalations: tuple[Escalation, ...] = ()
    clocks: tuple[Clock, ...] = ()
    scenarios: tuple[Scenario, ...] = ()
    targets: tuple[Target, ...] = ()
    knobs: tuple[Knob, ...] = ()
    replications: int = 100
    summary: str = ""
    plan: str = ""
    """The plan this network belongs to; empty for one that stands alone."""

    def station(self, ident: str) -> Station:
        return self._stations[ident]

    @property
    def _stations(self) -> Mapping[str, Station]:
        return {station.id: station for station in self.stations}
