"""A network as the arrays the engine runs on: words become numbers, lengths of time become quantile tables."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any, NamedTuple

import numpy as np

from bettercare.flow import distributions
from bettercare.flow.network import (
    ANY,
    HOURS_OF_WEEK,
    UNLIMITED,
    Arrival,
    Distribution,
    Network,
    PatientClass,
    Profile,
    Route,
    Service,
    Shift,
    Station,
)

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float64]]

FIXED, TABLE, UNIFORM, STEPS = range(4)
POISSON, EVEN, RENEWAL = range(3)
FIRST_WITH_ROOM, SHORTEST = range(2)
TURNED_AWAY = "turned-away"
"""The outcome of those who find no room to wait where nothing says where they go instead; every network has it."""
NO_LIMIT = 2**40
_MOST_CLOCKS = 62


class Program(NamedTuple):
    """What the engine reads and never writes. S stations, C classes, A streams, L priorities, K clocks, O outcomes, P profiles.

    Places to go to are numbered: stations 0..S-1, then choices, then outcomes.
    """

    station_key: np.ndarray[
        Any, np.dtype[np.uint64]
    ]  # [S] from the station's id, so that draws do not depend on its place in the file
    servers: Ints  # [S, 168] by hour of the week; NO_LIMIT when unlimited
    most: Ints  # [S] the most there ever are, escalations apart
    most_extra: Ints  # [S] what all escalations together add
    step_hour: Ints  # [steps] hours from the first midnight, rising
    step_station: Ints
    step_servers: Ints
    of_station: (
        Ints  # [S * 8] queue, holds, if_full, if_closed (-1: they wait), preempts, leaves_on (row of leave_day, or -1)
    )
    leave_day: Floats  # [P, 7] chance of discharge
    leave_hour: Floats  # [P, 24] cumulative
    level: Ints  # [C] priority, 0 first
    of_class: Ints  # [S * C * 8] service, patience (a distribution, or -1), where patience ends, first and last route, row of window (or -1)
    window: Ints  # [windows, 168] routes in that hour
    block_first: Ints  # [blocks + 1]
    route_share: Floats  # [routes] cumulative within a block
    of_route: Ints  # [routes * 2] where to; class they become, or -1
    choice_first: Ints  # [choices + 1]
    choice_by: Ints
    choice_of: Ints
    stream_key: np.ndarray[Any, np.dtype[np.uint64]]  # [A]
    stream_class: Ints
    stream_to: Ints
    stream_kind: Ints
    stream_rate: Floats  # [A] an hour, at the mean of the profile
    stream_week: Floats  # [A * 168] mean 1
    stream_month: Floats  # [A, 12] mean 1 over the days of a year
    stream_varies: Floats  # [A] standard deviation of the logarithm of a day's rate
    stream_time: Ints  # [A] a distribution, or -1
    escalation: Ints  # [E * 4] station watched, opens, closes, after
    extra: Ints  # [extras * 3] escalation, station, servers
    divert_first: Ints  # [A + 1]
    of_divert: Ints  # [diverts * 2] escalation, where to
    divert_share: Floats
    time_kind: Ints  # [D * 2] kind, where its table starts; the first is the exponential of mean 1
    time_figures: Floats  # [D * 4] length, low or number of steps; width; at most, in hours
    tables: Floats
    clock_mask: Ints  # [places to go to] bit k: clock k runs there
    clock_class: Ints  # [K, C] 0 or 1: counted
    clock_first: Ints  # [K + 1]
    clock_target: Floats  # hours
    first_day: int  # days since 1970-01-01 of the first midnight
    outcomes: int
    widest: int  # stations of the largest choice
    revisits: int  # 1 when a patient can come to a station twice


class Names(NamedTuple):
    """Positions by id."""

    stations: dict[str, int]
    classes: dict[str, int]
    choices: dict[str, int]
    outcomes: dict[str, int]

    def place(self, ident: str) -> int:
        """The number of a place to go to."""
        if ident in self.stations:
            return self.stations[ident]
        if ident in self.choices:
            return len(self.stations) + self.choices[ident]
        return len(self.stations) + len(self.choices) + self.outcomes[ident]


def names_of(network: Network) -> Names:
    """Positions in the order of the file; the implied outcome ``turned-away`` is added when the file has none."""
    outcomes = [outcome.id for outcome in network.outcomes]
    return Names(
        {station.id: number for number, station in enumerate(network.stations)},
        {patient.id: number for number, patient in enumerate(network.classes)},
        {choice.id: number for number, choice in enumerate(network.choices)},
        {ident: number for number, ident in enumerate([*outcomes, *({TURNED_AWAY} - set(outcomes))])},
    )


def key_of(ident: str) -> np.uint64:
    """64 bits from a name, the same on every machine."""
    return np.uint64(int.from_bytes(hashlib.blake2b(ident.encode(), digest_size=8).digest(), "little"))


def servers_by_hour(station: Station) -> Ints:
    """Servers in each hour of the week, Monday first: [168]."""
    hours = np.full(HOURS_OF_WEEK, NO_LIMIT if station.servers == UNLIMITED else station.servers, dtype=np.int64)
    for shift in station.shifts:
        hours[_hours_of(shift.days, shift.start, shift.end)] += shift.servers
    return hours


def _hours_of(days: Iterable[int], start: int, end: int) -> list[int]:
    length = end - start if end > start else end + 24 - start
    return [(day * 24 + start + hour) % HOURS_OF_WEEK for day in days for hour in range(length)]


def _shape(values: Sequence[float], weights: Sequence[float] | None = None) -> Floats:
    shape = np.asarray(values, dtype=np.float64)
    return shape / np.average(shape, weights=weights)


_DAYS = (31, 28.2425, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def week_of(profile: Profile) -> Floats:
    """Relative rate by hour of the week, mean 1: [168]."""
    return np.outer(_shape(profile.weekdays), _shape(profile.hours)).ravel()


def months_of(profile: Profile) -> Floats:
    """Relative rate by month, mean 1 over the days of a year: [12]."""
    return _shape(profile.months, _DAYS)


class _Times:
    """Distributions, each once."""

    def __init__(self) -> None:
        self._found: dict[Distribution, int] = {}
        self.kind: list[int] = []
        self.a: list[float] = []
        self.b: list[float] = []
        self.cap: list[float] = []
        self.first: list[int] = []
        self.tables: list[Floats] = []
        self.add(Distribution("exponential", mean=1.0))

    def add(self, distribution: Distribution | None) -> int:
        if distribution is None:
            return -1
        if distribution not in self._found:
            self._found[distribution] = len(self.kind)
            self._append(distribution)
        return self._found[distribution]

    def _append(self, distribution: Distribution) -> None:
        unit = distributions.scale(distribution)
        a = b = 0.0
        table = np.zeros(0)
        match distribution.kind:
            case "fixed":
                kind, a = FIXED, (distribution.mean or 0.0) * unit
            case "uniform":
                kind, a, b = (
                    UNIFORM,
                    (distribution.low or 0.0) * unit,
                    ((distribution.high or 0.0) - (distribution.low or 0.0)) * unit,
                )
            case "empirical":
                order = np.argsort(distribution.values, kind="stable")
                weights = np.asarray(distribution.weights or (1.0,) * len(order))[order]
                kind, a = STEPS, float(len(order))
                table = np.concatenate(
                    [np.cumsum(weights) / weights.sum(), np.asarray(distribution.values)[order] * unit]
                )
            case _:
                kind, table = TABLE, distributions.table(distribution)
        cap = np.inf if distribution.at_most is None else distribution.at_most * unit
        self.kind.append(kind)
        self.a.append(a)
        self.b.append(b)
        self.cap.append(cap)
        self.first.append(sum(map(len, self.tables)))
        self.tables.append(table)


def _for_class(rows: Sequence[Any], station: str, patient: str) -> list[Any]:
    """Rows of a station for a class: its own, else those for any class."""
    own = [row for row in rows if row.station == station and row.patient == patient]
    return own or [row for row in rows if row.station == station and row.patient == ANY]


def service_of(network: Network, station: str, patient: str) -> Service | None:
    """The length of service of a class at a station."""
    found = _for_class(network.services, station, patient)
    return found[0] if found else None


def routes_of(network: Network, station: str, patient: str) -> list[Route]:
    """The ways on from a station for a class, those limited to a part of the week included."""
    return _for_class(network.routes, station, patient)


def compiled(network: Network, warm_up: int | None = None) -> Program:
    """The arrays of a network whose first midnight is ``warm_up`` days (the network's own, unless given) before it starts."""
    names = names_of(network)
    stations, classes = network.stations, network.classes
    first = network.starts - timedelta(days=network.warm_up if warm_up is None else warm_up)
    times = _Times()
    profiles = {profile.id: profile for profile in network.profiles}
    leave = {ident: number for number, ident in enumerate(dict.fromkeys(s.leaves_on for s in stations if s.leaves_on))}
    leaving = [profiles[ident] for ident in leave]
    servers = np.array([servers_by_hour(station) for station in stations], dtype=np.int64).reshape(-1, HOURS_OF_WEEK)
    steps = sorted(
        ((step.on - first).days * 24, number, step.servers)
        for number, station in enumerate(stations)
        for step in station.steps
    )
    patience = [
        [next(iter(_for_class(network.patience, station.id, patient.id)), None) for patient in classes]
        for station in stations
    ]
    blocks = _Blocks(network, names)
    streams = network.arrivals
    extra = [of for row in network.escalations for of in row.places]
    levels = sorted({patient.priority for patient in classes})
    clock_mask = np.zeros(len(stations) + len(network.choices) + len(names.outcomes), dtype=np.int64)
    for number, clock in enumerate(network.clocks[:_MOST_CLOCKS]):
        for ident in clock.stations:
            clock_mask[names.stations[ident]] |= 1 << number
    service = np.array(
        [
            [times.add(found.time if (found := service_of(network, s.id, c.id)) else None) for c in classes]
            for s in stations
        ],
        dtype=np.int64,
    ).reshape(len(stations), len(classes))
    waits = np.array(
        [[times.add(row.time if row else None) for row in line] for line in patience], dtype=np.int64
    ).reshape(service.shape)
    stream_time = np.array([times.add(stream.every) for stream in streams], dtype=np.int64)
    of_class = np.full((*service.shape, 8), -1, dtype=np.int64)
    of_class[..., 0], of_class[..., 1] = service, waits
    of_class[..., 2] = np.array([[names.place(row.to) if row else -1 for row in line] for line in patience]).reshape(
        service.shape
    )
    firsts = np.array(blocks.first, dtype=np.int64)
    of_class[..., 3] = np.where(blocks.block >= 0, firsts[blocks.block], -1)
    of_class[..., 4] = np.where(blocks.block >= 0, firsts[blocks.block + 1] - 1, -1)
    of_class[..., 5] = blocks.window_of
    diverts = [
        [
            (number, divert)
            for number, row in enumerate(network.escalations)
            for divert in row.diverts
            if divert.stream == stream.id
        ]
        for stream in streams
    ]
    choice_of = [[names.stations[ident] for ident in choice.of] for choice in network.choices]
    return Program(
        station_key=np.array([key_of(station.id) for station in stations], dtype=np.uint64),
        servers=servers,
        most=servers.max(axis=1)
        + np.array([sum(max(step.servers, 0) for step in station.steps) for station in stations], dtype=np.int64),
        most_extra=np.array(
            [sum(row.servers for row in extra if row.station == station.id) for station in stations], dtype=np.int64
        ),
        step_hour=np.array([step[0] for step in steps], dtype=np.int64),
        step_station=np.array([step[1] for step in steps], dtype=np.int64),
        step_servers=np.array([step[2] for step in steps], dtype=np.int64),
        of_station=np.array([_of_station(station, names, leave) for station in stations], dtype=np.int64).ravel(),
        leave_day=np.array([np.asarray(p.weekdays) / max(p.weekdays) for p in leaving], dtype=np.float64).reshape(
            -1, 7
        ),
        leave_hour=np.array([np.cumsum(p.hours) / sum(p.hours) for p in leaving], dtype=np.float64).reshape(-1, 24),
        level=np.array([levels.index(patient.priority) for patient in classes], dtype=np.int64),
        of_class=of_class.ravel(),
        window=np.array(blocks.windows, dtype=np.int64).reshape(-1, HOURS_OF_WEEK),
        block_first=firsts,
        route_share=np.array(blocks.share, dtype=np.float64),
        of_route=np.array([blocks.to, blocks.becomes], dtype=np.int64).T.ravel(),
        choice_first=np.concatenate([[0], np.cumsum([len(of) for of in choice_of])]).astype(np.int64),
        choice_by=np.array(
            [FIRST_WITH_ROOM if c.by == "first-with-room" else SHORTEST for c in network.choices], dtype=np.int64
        ),
        choice_of=np.array([number for of in choice_of for number in of], dtype=np.int64),
        stream_key=np.array([key_of(stream.id) for stream in streams], dtype=np.uint64),
        stream_class=np.array([names.classes[stream.patient] for stream in streams], dtype=np.int64),
        stream_to=np.array([names.place(stream.to) for stream in streams], dtype=np.int64),
        stream_kind=np.array([_kind(stream) for stream in streams], dtype=np.int64),
        stream_rate=np.array([(stream.per_day or 0.0) / 24 for stream in streams], dtype=np.float64),
        stream_week=np.array(
            [week_of(profiles[s.profile]) if s.profile else np.ones(HOURS_OF_WEEK) for s in streams], dtype=np.float64
        ).reshape(-1),
        stream_month=np.array(
            [months_of(profiles[s.profile]) if s.profile else np.ones(12) for s in streams], dtype=np.float64
        ).reshape(-1, 12),
        stream_varies=np.sqrt(np.log1p(np.array([stream.varies for stream in streams], dtype=np.float64) ** 2)),
        stream_time=stream_time,
        escalation=np.array(
            [(names.stations[row.watches], row.opens, row.closes, row.after) for row in network.escalations],
            dtype=np.int64,
        ).ravel(),
        extra=np.array(
            [
                (number, names.stations[of.station], of.servers)
                for number, row in enumerate(network.escalations)
                for of in row.places
            ],
            dtype=np.int64,
        ).ravel(),
        divert_first=np.concatenate([[0], np.cumsum([len(rows) for rows in diverts])]).astype(np.int64),
        of_divert=np.array(
            [(number, names.place(row.to)) for rows in diverts for number, row in rows], dtype=np.int64
        ).ravel(),
        divert_share=np.array([row.share for rows in diverts for _, row in rows], dtype=np.float64),
        time_kind=np.array([times.kind, times.first], dtype=np.int64).T.ravel(),
        time_figures=np.array([times.a, times.b, times.cap, [0.0] * len(times.cap)], dtype=np.float64).T.ravel(),
        tables=np.concatenate([*times.tables, np.zeros(1)]),
        clock_mask=clock_mask,
        clock_class=np.array(
            [[not k.patients or c.id in k.patients for c in classes] for k in network.clocks], dtype=np.int64
        ).reshape(-1, len(classes)),
        clock_first=np.concatenate([[0], np.cumsum([len(clock.targets) for clock in network.clocks])]).astype(np.int64),
        clock_target=np.array([hours for clock in network.clocks for hours in clock.targets], dtype=np.float64),
        first_day=(first - date(1970, 1, 1)).days,
        outcomes=len(names.outcomes),
        widest=max([len(of) for of in choice_of], default=1),
        revisits=int(_revisits(network)),
    )


def _of_station(station: Station, names: Names, leave: Mapping[str, int]) -> tuple[int, ...]:
    return (
        NO_LIMIT if station.queue == UNLIMITED else station.queue,
        int(station.holds),
        names.place(station.if_full or TURNED_AWAY),
        names.place(station.if_closed) if station.if_closed else -1,
        int(station.preempts),
        leave[station.leaves_on] if station.leaves_on else -1,
        0,
        0,
    )


def _revisits(network: Network) -> bool:
    """Whether any way leads from a station back to it."""
    choices = {choice.id: choice.of for choice in network.choices}
    onward: dict[str, set[str]] = {station.id: set() for station in network.stations}
    ways = [(route.station, route.to) for route in network.routes]
    ways += [(patience.station, patience.to) for patience in network.patience]
    ways += [(station.id, to) for station in network.stations for to in (station.if_full, station.if_closed) if to]
    for station, to in ways:
        onward[station].update(of for of in choices.get(to, (to,)) if of in onward)
    # A network without a way back can be taken apart from its ends.
    while ends := {station for station, after in onward.items() if not after}:
        onward = {station: after - ends for station, after in onward.items() if station not in ends}
    return bool(onward)


def _kind(stream: Arrival) -> int:
    if stream.every is not None:
        return RENEWAL
    return EVEN if stream.spread == "even" else POISSON


class _Blocks:
    """Routes gathered into blocks: one for each station, class and part of the week."""

    def __init__(self, network: Network, names: Names) -> None:
        self.first = [0]
        self.share: list[float] = []
        self.to: list[int] = []
        self.becomes: list[int] = []
        self.windows: list[Ints] = []
        self.block = np.full((len(network.stations), len(network.classes)), -1, dtype=np.int64)
        self.window_of = np.full_like(self.block, -1)
        for station in network.stations:
            for patient in network.classes:
                self._routes(network, names, station, patient)

    def _routes(self, network: Network, names: Names, station: Station, patient: PatientClass) -> None:
        at = names.stations[station.id], names.classes[patient.id]
        rows = routes_of(network, station.id, patient.id)
        always = [row for row in rows if not row.days]
        if always:
            self.block[at] = self._add(always, names)
        hours: Ints | None = None
        windows = dict.fromkeys((row.days, row.start, row.end) for row in rows if row.days)
        for days, start, end in windows:
            hours = np.full(HOURS_OF_WEEK, self.block[at], dtype=np.int64) if hours is None else hours
            hours[_hours_of(days, start, end)] = self._add(
                [row for row in rows if (row.days, row.start, row.end) == (days, start, end)], names
            )
        if hours is not None:
            self.window_of[at] = len(self.windows)
            self.windows.append(hours)

    def _add(self, rows: Sequence[Route], names: Names) -> int:
        shares = np.cumsum([row.share for row in rows])
        self.share.extend((shares / shares[-1]).tolist())
        self.to.extend(names.place(row.to) for row in rows)
        self.becomes.extend(names.classes[row.becomes] if row.becomes else -1 for row in rows)
        self.first.append(len(self.share))
        return len(self.first) - 2


def mean_servers(station: Station) -> float:
    """Servers over a week, on average; infinite when unlimited."""
    if station.servers == UNLIMITED:
        return float("inf")
    return float(servers_by_hour(station).mean())


__all__ = [
    "TURNED_AWAY",
    "Names",
    "Program",
    "Shift",
    "compiled",
    "mean_servers",
    "names_of",
    "routes_of",
    "service_of",
]
