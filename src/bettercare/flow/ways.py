"""Where patients can go in a network: the walk over stations and classes, and what it finds that no patient could get through."""

from __future__ import annotations

import graphlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from bettercare.flow import distributions
from bettercare.flow.compiled import servers_by_hour
from bettercare.flow.network import ANY, UNLIMITED, Network, Patience, Route, Service, Station

Pair = tuple[str, str]
"""A station and a class."""
Found = tuple[tuple[str | int, ...], str, str]
"""Section and position of a row, what is wrong with it, and what to do."""
MOST_SHOWN = 12


@dataclass(frozen=True)
class Move:
    """A way from a station and class to another, or out (``to`` is None)."""

    to: Pair | None
    by: str
    """route, patience, if_full or if_closed."""
    share: float = 1.0


class Ways:
    """The rows of a network by station and class."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.stations = {station.id: station for station in network.stations}
        self.position = {station.id: index for index, station in enumerate(network.stations)}
        self.choices = {choice.id: choice for choice in network.choices}
        self._services: dict[Pair, Service] = {(row.station, row.patient): row for row in network.services}
        self._patience: dict[Pair, Patience] = {(row.station, row.patient): row for row in network.patience}
        self._routes: dict[Pair, list[Route]] = {}
        for route in network.routes:
            self._routes.setdefault((route.station, route.patient), []).append(route)

    def service(self, pair: Pair) -> Service | None:
        return self._services.get(pair) or self._services.get((pair[0], ANY))

    def patience(self, pair: Pair) -> Patience | None:
        return self._patience.get(pair) or self._patience.get((pair[0], ANY))

    def routes(self, pair: Pair) -> list[Route]:
        return self._routes.get(pair) or self._routes.get((pair[0], ANY)) or []

    def stations_of(self, place: str) -> tuple[str, ...]:
        """The stations a place stands for: itself, those of a choice, or none for an outcome."""
        if place in self.choices:
            return self.choices[place].of
        return (place,) if place in self.stations else ()

    def moves(self, pair: Pair) -> Iterator[Move]:
        """Every way on from a station for a class, those of share 0 included: a scenario may open them."""
        for route in self.routes(pair):
            yield from self._to(route.to, route.becomes or pair[1], "route", route.share)
        patience = self.patience(pair)
        if patience is not None:
            yield from self._to(patience.to, pair[1], "patience")
        yield from self.turned(pair)

    def turned(self, pair: Pair) -> Iterator[Move]:
        """Where those go who come and cannot stay."""
        station = self.stations[pair[0]]
        if station.if_full and station.queue != UNLIMITED and station.servers != UNLIMITED:
            yield from self._to(station.if_full, pair[1], "if_full")
        if station.if_closed and station.servers != UNLIMITED:
            yield from self._to(station.if_closed, pair[1], "if_closed")

    def _to(self, place: str, patient: str, by: str, share: float = 1.0) -> Iterator[Move]:
        stations = self.stations_of(place)
        if not stations:
            yield Move(None, by, share)
        for station in stations:
            yield Move((station, patient), by, share)

    def entering(self) -> Iterator[tuple[Pair, str]]:
        """Every station and class patients come to from outside, with the stream; those an escalation diverts included."""
        streams = {stream.id: stream for stream in self.network.arrivals}
        came = [(stream.to, stream, stream.id) for stream in self.network.arrivals]
        for row in self.network.escalations:
            came += [(of.to, streams[of.stream], f"{of.stream} (diverted by {row.id})") for of in row.diverts]
        for place, stream, by in came:
            for station in self.stations_of(place):
                yield (station, stream.patient), by

    @cached_property
    def reached(self) -> Mapping[Pair, str]:
        """Every station and class some patient can come to, and the station or stream they come from, in words to follow."""
        before: dict[Pair, Pair | str] = {}
        waiting: list[Pair] = []

        def reach(pair: Pair, source: Pair | str) -> None:
            if pair not in before:
                before[pair] = source
                waiting.append(pair)

        for pair, stream in self.entering():
            reach(pair, stream)
        # By breadth, so that the way shown is a shortest one.
        for pair in waiting:
            for move in self.moves(pair):
                if move.to:
                    reach(move.to, pair)
        return {pair: self._path(pair, before) for pair in before}

    def _path(self, pair: Pair, before: Mapping[Pair, Pair | str]) -> str:
        steps: list[str] = []
        at: Pair | str = pair
        while not isinstance(at, str) and len(steps) < MOST_SHOWN:
            steps.append(at[0])
            at = before[at]
        return " -> ".join([at if isinstance(at, str) else "...", *reversed(steps)])


def structure_faults(network: Network) -> Iterator[Found]:
    """What keeps patients from moving through a network whose rows are each in order."""
    ways = Ways(network)
    if not network.arrivals:
        yield ("network", 0, "title"), "Nobody comes: there are no arrivals.", "Add a row to arrivals."
        return
    yield from _unreached(ways)
    missing = list(missing_rows(ways))
    yield from missing
    if not missing:
        yield from _timeless(ways)
        yield from never_left(ways)


def _unreached(ways: Ways) -> Iterator[Found]:
    visited = {station for station, _ in ways.reached}
    extra = {of.station for row in ways.network.escalations for of in row.places}
    for index, station in enumerate(ways.network.stations):
        if station.id not in visited:
            remedy = "Send a stream or a route there (a share of 0 will do), or take it out."
            yield ("stations", index), f"No patient can come to {station.id}.", remedy
        elif not station.if_closed and most_servers(station) <= 0 and station.id not in extra:
            remedy = "Give it servers, shifts, or if_closed: where they go instead."
            yield ("stations", index), f"{station.id} never has a server, and patients come to it.", remedy


def most_servers(station: Station) -> float:
    """The most servers a station has in any hour, steps counted."""
    if station.servers == UNLIMITED:
        return float("inf")
    level, most = 0, 0
    for step in sorted(station.steps, key=lambda step: step.on):
        level += step.servers
        most = max(most, level)
    return float(servers_by_hour(station).max()) + most


def missing_rows(ways: Ways) -> Iterator[Found]:
    for pair, path in ways.reached.items():
        place = ("stations", ways.position[pair[0]])
        if ways.service(pair) is None:
            yield place, f"No service time for {pair[1]} at {pair[0]} (they come by {path}).", "Add a row to services."
        if not ways.routes(pair):
            yield place, f"No route for {pair[1]} from {pair[0]} (they come by {path}).", "Add a row to routes."


def _timeless(ways: Ways) -> Iterator[Found]:
    """Circles in which no time passes."""
    graph: dict[Pair, set[Pair]] = {}
    for pair in ways.reached:
        service, patience = ways.service(pair), ways.patience(pair)
        moves = list(ways.turned(pair))
        if service is not None and distributions.mean(service.time) == 0:
            moves += [move for move in ways.moves(pair) if move.by == "route" and move.share > 0]
        if patience is not None and distributions.mean(patience.time) == 0:
            moves += [move for move in ways.moves(pair) if move.by == "patience"]
        graph[pair] = {move.to for move in moves if move.to}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        circle = list(reversed(error.args[1]))
        shown = " -> ".join(pair[0] for pair in circle[:MOST_SHOWN])
        what = f"Patients of {circle[0][1]} could go round without time passing: {shown}."
        yield (
            ("stations", ways.position[circle[0][0]]),
            what,
            "Let one of the stations take time, or send them elsewhere.",
        )


def never_left(ways: Ways) -> Iterator[Found]:
    """Stations from which no way leads out of the network."""
    back: dict[Pair, set[Pair]] = {pair: set() for pair in ways.reached}
    waiting: list[Pair] = []
    for pair in ways.reached:
        for move in ways.moves(pair):
            if move.to is None and move.share > 0:
                waiting.append(pair)
            elif move.to is not None and move.share > 0:
                back[move.to].add(pair)
    leaves = set(waiting)
    for pair in waiting:
        new = back[pair] - leaves
        leaves |= new
        waiting.extend(new)
    stuck = [pair for pair in ways.reached if pair not in leaves]
    if stuck:
        names = list(dict.fromkeys(station for station, _ in stuck))
        shown = ", ".join(names[:MOST_SHOWN]) + (", ..." if len(names) > MOST_SHOWN else "")
        what = f"Patients of {stuck[0][1]} never leave the network from: {shown}."
        yield ("stations", ways.position[stuck[0][0]]), what, "Give one of them a route to an outcome."
