"""What if: a network with changes made to it. The changes are specified in :class:`~bettercare.flow.network.Change`."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from bettercare.errors import BettercareError
from bettercare.flow import distributions
from bettercare.flow.cells import nearest
from bettercare.flow.network import (
    ANY,
    UNLIMITED,
    Arrival,
    Change,
    Distribution,
    Network,
    Patience,
    Profile,
    Route,
    Scenario,
    Service,
    Station,
    Step,
)

_MOST = 1_000_000
_ONLY = {"on": "servers", "goes": "share", "instead_of": "share", "days": "leaves_on"}
"""Fields of a change that one kind alone uses."""
_Timed = TypeVar("_Timed", bound=Service | Patience)


def scenario(network: Network, ident: str) -> Scenario:
    """A scenario of the network by its id.

    Raises:
        BettercareError: it has none of that id, with the nearest that it has.
    """
    for found in network.scenarios:
        if found.id == ident:
            return found
    remedy = nearest(ident, [found.id for found in network.scenarios])
    raise BettercareError(f"The network {network.id} has no scenario {ident[:60]!r}.", remedy=remedy)


def changed(network: Network, changes: Scenario | str | Iterable[Change]) -> Network:
    """The network with a scenario (or its id, or loose changes) made to it, one change after another.

    Raises:
        BettercareError: a change does not fit the network, naming the scenario and the change.
    """
    if isinstance(changes, str):
        changes = scenario(network, changes)
    name, rows = (
        (f"scenario {changes.id}, ", changes.changes) if isinstance(changes, Scenario) else ("", tuple(changes))
    )
    for number, change in enumerate(rows, start=1):
        try:
            network = _one(network, change)
        except BettercareError as error:
            where = f"{name}change {number} ({change.what} at {str(change.at)[:60]})"
            raise BettercareError(error.what, where, error.remedy) from None
    return network


def _one(network: Network, change: Change) -> Network:
    given = [value for value in (change.to, change.add, change.times) if value is not None]
    if len(given) != 1:
        raise BettercareError("A change needs exactly one of to, add and times.", remedy="Write add: 12, for example.")
    if isinstance(given[0], bool) or not isinstance(given[0], int | float) or not math.isfinite(given[0]):
        raise BettercareError(f"A change by {str(given[0])[:40]} is none.", remedy="Write a number.")
    if change.times is not None and change.times < 0:
        raise BettercareError(f"times {change.times:g} is negative.", remedy="Write 0.9 for a tenth less.")
    for name, what in _ONLY.items():
        if getattr(change, name) and change.what != what:
            raise BettercareError(f"{name} is of changes of {what} alone.", remedy="Take it out.")
    known = [patient.id for patient in network.classes]
    if change.patient != ANY and change.patient not in known:
        raise BettercareError(f"There is no class {change.patient[:60]!r}.", remedy=nearest(change.patient, known))
    if change.patient != ANY and change.what in {"servers", "queue", "leaves_on", "escalation"}:
        raise BettercareError(f"A change of {change.what} is for every class.", remedy="Leave class out.")
    make = _KINDS.get(change.what)
    if make is None:
        raise BettercareError(f"{str(change.what)[:40]!r} cannot be changed.", remedy=nearest(str(change.what), _KINDS))
    return make(network, change)


def _new(change: Change, old: float) -> float:
    if change.to is not None:
        return change.to
    return old + change.add if change.add is not None else old * (change.times or 0.0)


def _within(name: str, value: float, most: float = _MOST) -> float:
    if not 0 <= value <= most:
        raise BettercareError(f"{name} would be {value:,.10g}.", remedy=f"It must lie from 0 to {most:,.10g}.")
    return value


def _whole(name: str, value: float, rounded: bool) -> int:
    """A count; what a factor leaves is rounded, half upwards."""
    _within(name, value)
    if not rounded and value != int(value):
        raise BettercareError(f"{name} would be {value:,.10g}.", remedy="Write a whole number.")
    return math.floor(value + 0.5)


def _station(network: Network, ident: str) -> Station:
    for station in network.stations:
        if station.id == ident:
            return station
    known = [station.id for station in network.stations]
    raise BettercareError(f"There is no station {ident[:60]!r}.", remedy=nearest(ident, known))


def _with(network: Network, station: Station) -> Network:
    return replace(network, stations=tuple(station if old.id == station.id else old for old in network.stations))


def _servers(network: Network, change: Change) -> Network:
    station = _station(network, change.at)
    name = f"The servers of {station.id}"
    if change.on is not None:
        return _with(network, replace(station, steps=(*station.steps, _step(station, change))))
    if change.to == UNLIMITED:
        return _with(network, replace(station, servers=UNLIMITED, shifts=(), steps=()))
    if station.servers == UNLIMITED and change.to is None:
        raise BettercareError(f"{name} are unlimited.", remedy="Write to: and how many there are.")
    rounded = change.times is not None
    shifts = station.shifts
    # Servers at all hours are there in every shift: they alone then take what is added or put.
    if change.times is not None or not station.servers:
        shifts = tuple(replace(s, servers=_whole(name, _new(change, s.servers), rounded)) for s in shifts)
    elif change.to is not None:
        shifts = ()
    servers = station.servers
    if servers or not shifts:
        servers = _whole(name, _new(change, servers), rounded)
    return _with(network, replace(station, servers=servers, shifts=shifts))


def _step(station: Station, change: Change) -> Step:
    assert change.on is not None
    if station.servers == UNLIMITED:
        raise BettercareError(f"The servers of {station.id} are unlimited.", remedy="Leave on out.")
    if change.add is not None:
        if change.add != int(change.add) or abs(change.add) > _MOST:
            raise BettercareError(f"{change.add:,.10g} servers cannot be added.", remedy="Write a whole number.")
        return Step(change.on, int(change.add))
    if station.shifts or change.to == UNLIMITED:
        raise BettercareError(f"The servers of {station.id} differ by the hour.", remedy="Write add: with on.")
    before = station.servers + sum(step.servers for step in station.steps if step.on <= change.on)
    after = _whole(f"The servers of {station.id}", _new(change, before), change.times is not None)
    return Step(change.on, after - before)


def _queue(network: Network, change: Change) -> Network:
    station = _station(network, change.at)
    if change.to == UNLIMITED:
        return _with(network, replace(station, queue=UNLIMITED))
    if station.queue == UNLIMITED and change.to is None:
        raise BettercareError(f"The queue of {station.id} is unlimited.", remedy="Write to: and how many may wait.")
    queue = _whole(f"The queue of {station.id}", _new(change, station.queue), change.times is not None)
    return _with(network, replace(station, queue=queue))


def _arrivals(network: Network, change: Change) -> Network:
    hit = [s.id for s in network.arrivals if change.at in (ANY, s.id) and change.patient in (ANY, s.patient)]
    known = [stream.id for stream in network.arrivals]
    if change.at != ANY and change.at not in known:
        raise BettercareError(f"There is no stream of arrivals {change.at[:60]!r}.", remedy=nearest(change.at, known))
    if not hit:
        where = "No stream" if change.at == ANY else f"The stream {change.at}"
        raise BettercareError(f"{where} has patients of {change.patient}.", remedy="Name another class.")
    if len(hit) > 1 and change.times is None:
        raise BettercareError("Several streams would get the same.", remedy="Write times, or name one stream as at.")
    return replace(network, arrivals=tuple(_stream(s, change) if s.id in hit else s for s in network.arrivals))


def _stream(stream: Arrival, change: Change) -> Arrival:
    if stream.every is None:
        return replace(stream, per_day=_within(f"per_day of {stream.id}", _new(change, stream.per_day or 0.0)))
    if not change.times:
        what = f"The stream {stream.id} has a time between arrivals and no rate."
        raise BettercareError(what, remedy="Write times, above 0.")
    return replace(stream, every=replace(stream.every, times=stream.every.times / change.times))


def _time(time: Distribution, change: Change, name: str) -> Distribution:
    """The same distribution with another mean: as many times as long."""
    if change.times is not None:
        factor = change.times
    else:
        mean = distributions.mean(time)
        wanted = _within(f"The mean of {name} (in hours)", _new(change, mean))
        if mean <= 0:
            return Distribution("fixed", mean=wanted)
        factor = wanted / mean
    return replace(time, times=_within(f"times of {name}", time.times * factor, 1000.0))


def _timed(network: Network, change: Change, rows: tuple[_Timed, ...], name: str) -> tuple[_Timed, ...]:
    station = _station(network, change.at)
    here = [row for row in rows if row.station == station.id]
    hit = [row for row in here if change.patient in (ANY, row.patient)]
    any_row = [row for row in here if row.patient == ANY]
    if not hit and not any_row:
        remedy = f"Name another station or class, or add a row to {name}."
        raise BettercareError(f"{station.id} has no {name} for {change.patient}.", remedy=remedy)
    label = f"{name} at {station.id}"
    if not hit:
        # The row for every class goes on as it is; this class gets its own.
        return (*rows, replace(any_row[0], patient=change.patient, time=_time(any_row[0].time, change, label)))
    return tuple(replace(row, time=_time(row.time, change, label)) if row in hit else row for row in rows)


def _service(network: Network, change: Change) -> Network:
    return replace(network, services=_timed(network, change, network.services, "services"))


def _patience(network: Network, change: Change) -> Network:
    return replace(network, patience=_timed(network, change, network.patience, "patience"))


def _share(network: Network, change: Change) -> Network:
    station = _station(network, change.at)
    routes = network.routes
    here = [route for route in routes if route.station == station.id]
    if change.patient != ANY and not any(route.patient == change.patient for route in here):
        own = tuple(replace(route, patient=change.patient) for route in here if route.patient == ANY)
        routes = (*routes, *own)
    groups: dict[tuple[object, ...], list[int]] = {}
    for index, route in enumerate(routes):
        if route.station == station.id and change.patient in (ANY, route.patient):
            groups.setdefault((route.patient, route.days, route.start, route.end), []).append(index)
    hit = [rows for rows in groups.values() if any(routes[index].to == change.goes for index in rows)]
    if not hit:
        known = dict.fromkeys(routes[index].to for rows in groups.values() for index in rows)
        what = f"No route of {change.patient} goes from {station.id} to {change.goes[:60]!r}."
        raise BettercareError(what, remedy=f"{nearest(change.goes, known)} A new way is first written with share 0.")
    new = list(routes)
    for rows in hit:
        for index, share in _shares(new, rows, change).items():
            new[index] = replace(new[index], share=share)
    return replace(network, routes=tuple(new))


def _shares(routes: Sequence[Route], rows: Sequence[int], change: Change) -> dict[int, float]:
    """The new shares of one station, class and part of the week."""
    mine = [index for index in rows if routes[index].to == change.goes]
    give = [index for index in rows if routes[index].to == change.instead_of] if change.instead_of else []
    name = f"The share from {change.at} to {change.goes}"
    if change.instead_of and (not give or change.instead_of == change.goes):
        known = [routes[index].to for index in rows if index not in mine]
        what = f"instead_of {change.instead_of[:60]!r} is no other target of the route."
        raise BettercareError(what, remedy=nearest(change.instead_of, known))
    give = give or [index for index in rows if index not in mine]
    old = sum(routes[index].share for index in mine)
    new = _within(name, _new(change, old), 1.0)
    rest = sum(routes[index].share for index in give)
    left = rest - (new - old)
    if left < -1e-9:
        what = f"{name} would rise by {new - old:g}, and {change.instead_of or 'the others'} have {rest:g}."
        raise BettercareError(what, remedy="Let it rise by less, or leave instead_of out.")
    if rest <= 0 and left > 1e-12 and len(give) != 1:
        raise BettercareError(f"{name} leaves {left:g} to no one.", remedy="Write instead_of: where they go.")
    return _spread(routes, mine, old, new) | _spread(routes, give, rest, max(left, 0.0))


def _spread(routes: Sequence[Route], rows: Sequence[int], old: float, new: float) -> dict[int, float]:
    """``new`` over rows in proportion to what they have, or all to the first when they have nothing."""
    if old > 0:
        return {index: routes[index].share * new / old for index in rows}
    return {index: new if index == rows[0] else 0.0 for index in rows}


def _leaves_on(network: Network, change: Change) -> Network:
    station = _station(network, change.at)
    profile = next((found for found in network.profiles if found.id == station.leaves_on), None)
    if profile is None:
        raise BettercareError(f"{station.id} has no discharge times.", remedy="Give the station leaves_on, a profile.")
    if not change.days or not set(change.days) <= set(range(7)):
        raise BettercareError("A change of leaves_on needs days.", remedy="Write days: weekend, for example.")
    best = max(profile.weekdays) or 1.0
    name = f"The chance of discharge from {station.id}"
    chances = [
        _within(name, _new(change, chance / best), 1.0) if day in change.days else chance / best
        for day, chance in enumerate(profile.weekdays)
    ]
    if not any(chances):
        raise BettercareError(f"{name} would be 0 on every day.", remedy="Leave a day above 0.")
    own = Profile(_free(network, f"{profile.id}-{station.id}"), profile.hours, tuple(chances), profile.months)
    # The profile may be of other stations too, and only this one changes.
    moved = _with(network, replace(station, leaves_on=own.id))
    return replace(moved, profiles=(*network.profiles, own))


def _free(network: Network, ident: str) -> str:
    taken = {profile.id for profile in network.profiles}
    number = 2
    found = ident[:90]
    while found in taken:
        found, number = f"{ident[:90]}-{number}", number + 1
    return found


def _escalation(network: Network, change: Change) -> Network:
    row = next((found for found in network.escalations if found.id == change.at), None)
    if row is None:
        known = [found.id for found in network.escalations]
        raise BettercareError(f"There is no escalation {change.at[:60]!r}.", remedy=nearest(change.at, known))
    if change.times is None:
        raise BettercareError("An escalation is changed by times alone.", remedy="Write times: 1.2 for a fifth more.")
    places = [
        # One at least: patients may be diverted there.
        replace(of, servers=max(_whole(f"The places of {row.id} at {of.station}", of.servers * change.times, True), 1))
        for of in row.places
        if change.times > 0
    ]
    diverts = []
    for divert in row.diverts:
        together = sum(other.share for other in row.diverts if other.stream == divert.stream)
        # More than the whole stream cannot be diverted.
        diverts.append(replace(divert, share=divert.share * change.times / max(1.0, together * change.times)))
    new = replace(
        row,
        places=tuple(places),
        diverts=tuple(divert for divert in diverts if divert.share),
    )
    return replace(network, escalations=tuple(new if old is row else old for old in network.escalations))


_KINDS: dict[str, Callable[[Network, Change], Network]] = {
    "servers": _servers,
    "queue": _queue,
    "arrivals": _arrivals,
    "service": _service,
    "patience": _patience,
    "share": _share,
    "leaves_on": _leaves_on,
    "escalation": _escalation,
}
