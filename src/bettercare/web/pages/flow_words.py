"""How figures and rows of a network are written on its pages."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bettercare.flow.distributions import mean
from bettercare.flow.network import (
    ANY,
    UNLIMITED,
    Distribution,
    Escalation,
    Evidence,
    Network,
    Patience,
    Route,
    Shift,
    Station,
)
from bettercare.flow.result import Estimate, Result
from bettercare.reports.amounts import NONE, count
from bettercare.reports.flow.answers import hours, share
from bettercare.reports.flow.escalations import begins, does, ends, in_figures, places_called
from bettercare.reports.flow.network_frames import stations_of

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
KINDS = {
    "contact": "Advice on the telephone", "transport": "Ambulance", "emergency": "Emergency or urgent care", "assessment": "Assessment unit",
    "ward": "Ward", "critical": "Critical care", "community": "Community care", "home": "Care at home", "delay": "A time that passes",
}  # fmt: skip
"""What a station of each kind is."""


def lasting(value: float) -> str:
    """A length of time in the unit that suits it, or a dash.

    >>> lasting(0.25), lasting(0.0), lasting(float("nan"))
    ('15 minutes', 'none', '–')
    """
    return NONE if math.isnan(value) else "none" if value < 1 / 120 else hours(value)


def written(value: float, unit: str) -> str:
    """A figure in the unit of its measure.

    >>> written(0.7953, "share"), written(1521.2, "patients"), written(2.5, "hours")
    ('79.5%', '1,521', '2.5 hours')
    """
    if math.isnan(value):
        return NONE
    return share(value) if unit == "share" else lasting(value) if unit == "hours" else count(value)


def known_to(found: Estimate, unit: str) -> str:
    """How well a mean is known; "" where one replication says nothing of it."""
    if math.isnan(found.low):
        return ""
    return f"{written(max(found.low, 0.0), unit)} to {written(found.high, unit)}"


def time_of(time: Distribution) -> str:
    """A distribution: its mean, and of which kind it is."""
    kind = {"fixed": "always", "empirical": "as observed", "phase-type": "in phases"}.get(time.kind, time.kind)
    return f"{lasting(mean(time))}, {kind}"


def basis_of(evidence: Evidence) -> str:
    """What a row rests on: how it is known, where it is from and what is to be said about it."""
    place = ", ".join(part for part in (evidence.source, evidence.where) if part)
    return ". ".join(part for part in (place, evidence.note) if part)


def title_of(network: Network, ident: str) -> str:
    """What a station, choice, outcome or class is called."""
    titles = {ANY: "Everybody else"} | {one.id: one.title for one in network.classes} | places_called(network)
    return titles.get(ident) or ident


def days_of(days: Sequence[int]) -> str:
    """
    >>> days_of((0, 1, 2, 3, 4)), days_of((5, 6)), days_of(range(7)), days_of((0, 2))
    ('weekdays', 'weekends', 'every day', 'Monday, Wednesday')
    """
    known = {(0, 1, 2, 3, 4): "weekdays", (5, 6): "weekends", tuple(range(7)): "every day"}
    return known.get(tuple(sorted(days)), ", ".join(DAYS[day] for day in sorted(days)))


def window_of(row: Route | Shift) -> str:
    """When a route or a shift holds; "" for always."""
    if not row.days:
        return ""
    return f"{days_of(row.days)}, {row.start:02d}:00 to {row.end:02d}:00"


def places_of(station: Station) -> str:
    """How many places a station has, and when."""
    if station.servers == UNLIMITED:
        return f"{station.places}, without limit"
    parts = [f"{station.servers:,} {station.places}" + (" at all hours" if station.shifts else "")] if station.servers or not station.shifts else []  # fmt: skip
    parts += [f"{shift.servers:,} {'more ' if station.servers else ''}{window_of(shift)}" for shift in station.shifts]
    parts += [f"{step.servers:+,} from {step.on.day} {step.on:%B %Y}" for step in station.steps]
    return "; ".join(parts)


def rules_of(network: Network, station: Station) -> list[str]:
    """What happens at a station when it is full or closed, and when patients leave it."""
    said = []
    if station.queue == 0:
        held = any(
            network.station(row.station).holds and station.id in stations_of(network, row.to) for row in network.routes
        )
        said.append(
            "It has no line: "
            + ("those held elsewhere for it wait in the place they have." if held else "nobody can wait for it.")
        )
    elif station.queue != UNLIMITED:
        said.append(f"{station.queue:,} can wait for it.")
    if station.if_full:
        said.append(f"Those who find no room go to: {title_of(network, station.if_full)}.")
    if station.if_closed:
        said.append(f"Those who come when it is closed go to: {title_of(network, station.if_closed)}.")
    if station.holds:
        said.append("Those who are done keep their place until the next has room for them.")
    if station.preempts:
        said.append("The most urgent may take the place of the least urgent.")
    if station.leaves_on:
        said.append("Patients leave at the hours and on the days when discharges are made.")
    return said


def patience_of(network: Network, row: Patience) -> str:
    """Who gives up waiting, after how long, and what they do."""
    return f"{title_of(network, row.patient)}: {time_of(row.time)}, then {title_of(network, row.to)}"


@dataclass(frozen=True)
class Step:
    """An escalation as a page shows it."""

    title: str
    begins: str
    ends: str
    does: str
    on: str
    """Share of the hours it was on, and how often it was begun; "" of a network that was not run."""
    times: str
    basis: str
    because: str


def escalations_of(network: Network, result: Result | None = None, station: str = "") -> list[Step]:
    """The escalations of a network, or those alone that watch a station, open places at it or divert to it or from it."""
    return [
        Step(
            row.title, begins(network, row), ends(network, row), does(network, row),
            *(in_figures(result, row) if result else ("", "")), row.evidence.basis, basis_of(row.evidence),
        )
        for row in network.escalations
        if not station or station in _touched(network, row)
    ]  # fmt: skip


def _touched(network: Network, row: Escalation) -> Iterator[str]:
    """The stations that an escalation is about."""
    yield row.watches
    for extra in row.places:
        yield extra.station
    streams = {one.id: one.to for one in network.arrivals}
    for divert in row.diverts:
        yield from stations_of(network, divert.to)
        yield from stations_of(network, streams[divert.stream])
