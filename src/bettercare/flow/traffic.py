"""How many patients come to each station, by the traffic equations, and what to know of a network before it is run."""

from __future__ import annotations

import graphlib
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl
import scipy.sparse
import scipy.sparse.linalg

from bettercare.errors import BettercareError
from bettercare.flow import distributions
from bettercare.flow.compiled import mean_servers, servers_by_hour
from bettercare.flow.fields import RECORDS, attributes_of
from bettercare.flow.network import HOURS_OF_WEEK, UNLIMITED, Network, Station
from bettercare.flow.ways import MOST_SHOWN, Pair, Ways, missing_rows, most_servers, never_left
from bettercare.flow.week import hours_of

Floats = np.ndarray[Any, np.dtype[np.float64]]

PLAUSIBLE_TIMES = 10
PLAUSIBLE = 100
"""Patients more than places: so many for each place, and so many where places are few, are not doubted."""


def loads(network: Network) -> pl.DataFrame:
    """How busy each station would be if nobody were turned away or gave up.

    Columns: station, arrivals_per_day, mean_service (hours), offered (servers busy on average), servers (mean over the
    counted days; null when unlimited), load (offered / servers; null when unlimited).

    Arrivals solve the traffic equations, flow = arrivals + flow x routes (Jackson 1957), over stations and classes. Routes
    limited to part of the week and stations that close count by the share of all arrivals that come in those hours. Patients
    who may choose ``first-with-room`` all count at the first, those who choose the ``shortest-queue`` evenly. Time spent
    held in a place, or waiting there for a discharge time, is not in it, nor is what escalations do.

    Raises:
        BettercareError: patients never leave, or a station has no service time.
    """
    ways = Ways(network)
    for _, what, remedy in [*missing_rows(ways), *never_left(ways)]:
        raise BettercareError(what, remedy=remedy)
    hours = _arrival_hours(network)
    pairs = {pair: index for index, pair in enumerate(ways.reached)}
    entering = np.zeros(len(pairs))
    rows: list[int] = []
    columns: list[int] = []
    shares: list[float] = []
    for stream in network.arrivals:
        each = 24 / distributions.mean(stream.every) if stream.every else stream.per_day or 0.0
        for pair, part in _arriving(ways, stream.to, stream.patient):
            entering[pairs[pair]] += each * part
    open_ = {station.id: _open_share(station, hours) for station in network.stations}
    for pair, index in pairs.items():
        # Those who come while it is closed go on at once; the others are served first.
        for share, to, patient in _onward(ways, pair, open_[pair[0]], hours):
            for after, part in _arriving(ways, to, patient):
                rows.append(pairs[after])
                columns.append(index)
                shares.append(share * part)
    flows = _solved(entering, rows, columns, shares) if pairs else entering
    if not np.isfinite(flows).all() or (flows < -1e-6).any():
        raise BettercareError(
            "Patients go round for ever when nobody is turned away.", remedy="Add a route that leaves."
        )
    return _table(ways, pairs, flows, open_)


def _solved(entering: Floats, rows: Sequence[int], columns: Sequence[int], shares: Sequence[float]) -> Floats:
    """Flows that are what enters and what the routes bring: (I - P') flow = entering."""
    sparse: Any = scipy.sparse
    size = len(entering)
    matrix = sparse.eye(size, format="csc") - sparse.csc_matrix((shares, (rows, columns)), shape=(size, size))
    with warnings.catch_warnings():
        # A matrix without a solution gives NaN, which the caller names.
        warnings.simplefilter("ignore")
        return np.atleast_1d(np.asarray(sparse.linalg.spsolve(matrix, entering), dtype=np.float64))


def _table(ways: Ways, pairs: Mapping[Pair, int], flows: Floats, open_: Mapping[str, float]) -> pl.DataFrame:
    coming = dict.fromkeys(ways.stations, 0.0)
    busy = dict.fromkeys(ways.stations, 0.0)
    for pair, index in pairs.items():
        service = ways.service(pair)
        served = float(flows[index]) * open_[pair[0]]
        coming[pair[0]] += served
        busy[pair[0]] += served * distributions.mean(service.time) / 24 if service else 0.0
    listed = []
    for ident, station in ways.stations.items():
        servers = None if station.servers == UNLIMITED else _servers(ways.network, station)
        # No servers and nobody to serve is no load; no servers and patients is one beyond measure.
        load = (
            None
            if servers is None
            else busy[ident] / servers
            if servers > 0
            else float("inf")
            if busy[ident] > 0
            else 0.0
        )
        mean = busy[ident] / coming[ident] * 24 if coming[ident] > 0 else None
        listed.append((ident, coming[ident], mean, busy[ident], servers, load))
    columns = ("station", "arrivals_per_day", "mean_service", "offered", "servers", "load")
    types = {name: pl.String if name == "station" else pl.Float64 for name in columns}
    return pl.DataFrame(listed, schema=types, orient="row")


def _servers(network: Network, station: Station) -> float:
    """Servers at work on average over the days that count."""
    total = mean_servers(station)
    for step in station.steps:
        before = min(max((step.on - network.starts).days, 0), network.days)
        total += step.servers * (network.days - before) / network.days
    return max(total, 0.0)


def _arrival_hours(network: Network) -> Floats:
    """The share of all arrivals that come in each hour of the week: [168]."""
    profiles = {profile.id: profile for profile in network.profiles}
    hours = np.zeros(HOURS_OF_WEEK)
    for stream in network.arrivals:
        profile = profiles.get(stream.profile or "")
        shape = np.outer(profile.weekdays, profile.hours).ravel() if profile else np.ones(HOURS_OF_WEEK)
        hours += (stream.per_day if stream.per_day is not None else 1.0) * shape / shape.sum()
    return hours / hours.sum() if hours.sum() > 0 else np.full(HOURS_OF_WEEK, 1 / HOURS_OF_WEEK)


def _open_share(station: Station, hours: Floats) -> float:
    """The share of those who come to a station that it serves."""
    if not station.if_closed or station.servers == UNLIMITED:
        return 1.0
    if most_servers(station) <= 0:
        return 0.0
    return float(hours[servers_by_hour(station) > 0].sum()) if not station.steps else 1.0


def _arriving(ways: Ways, place: str, patient: str) -> Iterator[tuple[Pair, float]]:
    choice = ways.choices.get(place)
    if choice is not None and choice.by == "shortest-queue":
        for station in choice.of:
            yield (station, patient), 1 / len(choice.of)
    else:
        for station in ways.stations_of(place)[:1]:
            yield (station, patient), 1.0


def _onward(ways: Ways, pair: Pair, open_: float, hours: Floats) -> Iterator[tuple[float, str, str]]:
    """Where those go who come to a station: share, place and class."""
    station = ways.stations[pair[0]]
    if station.if_closed and open_ < 1:
        yield 1 - open_, station.if_closed, pair[1]
    routes = ways.routes(pair)
    within = {(r.days, r.start, r.end) for r in routes if r.days}
    weights = {window: float(hours[list(hours_of(window))].sum()) for window in within}
    other = max(0.0, 1.0 - sum(weights.values()))
    for route in routes:
        weight = weights[route.days, route.start, route.end] if route.days else other
        yield open_ * route.share * weight, route.to, route.becomes or pair[1]


def warnings_of(network: Network) -> list[str]:
    """What a planner should know of a network without faults before it is run, a sentence each."""
    ways = Ways(network)
    table = loads(network)
    found = [
        f"{row['station']} has {row['offered']:,.1f} servers' work for {row['servers']:,.1f} servers (load {row['load']:.2f}): "
        "its line will grow."
        for row in table.filter(pl.col("load") > 1).iter_rows(named=True)
    ]
    return [
        *found,
        *_deadlocks(ways),
        *_turned_away(ways),
        *_never_on(ways),
        *_unused(ways),
        *_without_reason(network),
        *_outside(network),
    ]


def _deadlocks(ways: Ways) -> Iterator[str]:
    """Circles of stations each of which may hold its patients until the next has room."""
    graph: dict[str, set[str]] = {}
    for pair in ways.reached:
        if not ways.stations[pair[0]].holds or ways.stations[pair[0]].servers == UNLIMITED:
            continue
        for move in ways.moves(pair):
            if move.by == "route" and move.share > 0 and move.to and _can_hold(ways.stations[move.to[0]]):
                graph.setdefault(pair[0], set()).add(move.to[0])
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = " -> ".join(list(reversed(error.args[1]))[:MOST_SHOWN])
        yield f"Patients could hold each other's places for ever: {circle}. Give one of them a queue without limit."


def _can_hold(station: Station) -> bool:
    return station.holds and station.queue != UNLIMITED and station.servers != UNLIMITED


def _turned_away(ways: Ways) -> Iterator[str]:
    """Stations that may send patients out of the network because nothing says where else they go."""
    coming = {station for (station, _), _ in ways.entering()}
    for pair in ways.reached:
        free = not ways.stations[pair[0]].holds
        coming |= {
            move.to[0] for move in ways.moves(pair) if move.to and move.share > 0 and (free or move.by != "route")
        }
    for station in ways.network.stations:
        if station.id in coming and station.queue != UNLIMITED and station.servers != UNLIMITED and not station.if_full:
            yield f"Those who find no room at {station.id} leave the network as turned away: it has no if_full."


def _never_on(ways: Ways) -> Iterator[str]:
    """Escalations that cannot begin or end, or that hardly could."""
    outside = {station for choice in ways.network.choices for station in choice.of}
    for pair in ways.reached:
        if ways.stations[pair[0]].holds:
            outside |= {move.to[0] for move in ways.moves(pair) if move.to and move.by == "route"}
            outside |= {move.to[0] for other in ways.reached for move in ways.turned(other) if move.to}
    for row in ways.network.escalations:
        station = ways.stations[row.watches]
        places = most_servers(station)
        # Not -places, which for none is written -0.
        empty = 0 - places
        if row.opens <= empty:
            yield f"{row.id} is always on: it begins at {row.opens:,}, and {station.id} when empty is at {empty:,.0f}."
        elif row.closes < empty:
            yield f"{row.id} can never end: it ends at {row.closes:,}, and {station.id} when empty is at {empty:,.0f}."
        others = {of.station for other in ways.network.escalations if other is not row for of in other.places}
        # One whose place is taken goes back into the line though it is full; when places close there are more patients than places.
        more = station.preempts or station.shifts or station.steps or station.id in outside | others
        if not more and UNLIMITED < station.queue < row.opens:
            yield f"{row.id} can never begin: at most {station.queue} can wait for {station.id}, and it takes {row.opens}."
        elif row.opens > max(PLAUSIBLE_TIMES * places, PLAUSIBLE) + max(station.queue, 0):
            yield f"{row.id} will hardly ever begin: it takes {row.opens:,} patients more than places at {station.id}, which has {places:,.0f}."


def _unused(ways: Ways) -> Iterator[str]:
    """Rows for a station and class that no patient can be in."""
    used: dict[str, set[Pair]] = {"services": set(), "patience": set(), "routes": set()}
    for pair in ways.reached:
        service, patience, routes = ways.service(pair), ways.patience(pair), ways.routes(pair)
        for name, row in (("services", service), ("patience", patience), ("routes", routes[0] if routes else None)):
            if row is not None:
                used[name].add((row.station, row.patient))
    for name, pairs in used.items():
        rows: Iterable[Any] = getattr(ways.network, name)
        idle = list(dict.fromkeys(f"{r.patient} at {r.station}" for r in rows if (r.station, r.patient) not in pairs))
        if idle:
            yield f"Rows of {name} that no patient uses: {_some(idle)}."


def _without_reason(network: Network) -> Iterator[str]:
    names: list[str] = []
    for section in (name for name, kind in RECORDS.items() if "evidence" in attributes_of(kind)):
        for row in getattr(network, section):
            if row.evidence.basis == "assumed" and not row.evidence.note:
                names.append(f"{section} {getattr(row, 'id', None) or f'{row.station} ({row.patient})'}")
    if names:
        count = "1 row is assumed and gives" if len(names) == 1 else f"{len(names)} rows are assumed and give"
        yield f"{count} no reason: {_some(list(dict.fromkeys(names)))}."


def _outside(network: Network) -> Iterator[str]:
    """Targets of months the run does not reach."""
    last = network.starts.toordinal() + network.days - 1
    months = {
        f"{day.year}-{day.month:02}"
        for day in map(network.starts.fromordinal, range(network.starts.toordinal(), last + 1))
    }
    outside = [target.id for target in network.targets if target.period != "all" and target.period not in months]
    if outside:
        yield f"Targets of months that are not simulated: {_some(outside)}."


def _some(names: list[str]) -> str:
    return ", ".join(names[:MOST_SHOWN]) + (f" and {len(names) - MOST_SHOWN} more" if len(names) > MOST_SHOWN else "")
