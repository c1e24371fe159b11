"""What a reader asks of a run first: are patients seen in time, are ambulances kept waiting, how full are the beds, who is held in them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from bettercare.flow import Estimate, Network, Result
from bettercare.flow.measures import hours_text, target_in_words
from bettercare.flow.network import UNLIMITED, Clock, Outcome, Station
from bettercare.flow.result import estimate
from bettercare.reports.amounts import MINUS, count, signed
from bettercare.reports.flow.network_frames import stations_of

Floats = np.ndarray[Any, np.dtype[np.float64]]
BEDS = ("assessment", "ward", "critical")
"""Kinds of station whose places are beds of a hospital for the acutely ill."""
WARDS = ("ward", "critical", "community")
"""Kinds of station from which a delay is a delayed transfer of care."""
EMERGENCY = ("transport", "emergency")
PUT_OFF = "put-off-"
"""How the id of an answer begins that counts patients who found no room or were diverted."""


def share(value: float) -> str:
    """A share with one decimal.

    >>> share(0.7948), share(1.0), share(-0.012)
    ('79.5%', '100%', '−1.2%')
    """
    text = f"{100 * value:.1f}".removesuffix(".0")
    return ("0" if text == "-0" else text).replace("-", MINUS) + "%"


def points(value: float) -> str:
    """A difference of shares, in percentage points.

    >>> points(0.021), points(-0.0004)
    ('+2.1 points', '−0.04 points')
    """
    number = 100 * value
    if abs(number) < 0.005:
        return "no points"
    return signed(f"{number:.{1 if abs(number) >= 0.095 else 2}f}".removesuffix(".0").replace("-", MINUS)) + " points"


def hours(value: float) -> str:
    """A time, in the unit it is best read in.

    >>> hours(0.4), hours(2.75), hours(130.0)
    ('24 minutes', '2.8 hours', '5.4 days')
    """
    if abs(value) < 0.99:
        return f"{round(60 * value)} minutes".replace("-", MINUS)
    return f"{value:.1f} hours".replace("-", MINUS) if abs(value) < 72 else f"{value / 24:.1f} days".replace("-", MINUS)


@dataclass(frozen=True)
class Answer:
    """One figure of a run, replication by replication.

    Attributes:
        better: "higher", "lower", or "" where neither is.
        values: the figure in every replication of a result.
        write, difference: how an amount of it is written, and how a difference of two.
    """

    id: str
    title: str
    better: str
    values: Callable[[Result], Floats]
    write: Callable[[float], str]
    difference: Callable[[float], str]

    def estimate(self, result: Result) -> Estimate:
        """Its mean with the interval."""
        return estimate(self.values(result), result.antithetic)


def main_clock(network: Network) -> tuple[Clock, float] | None:
    """The clock a run is judged by: the first with a target of four hours, or else the first with any."""
    timed = [clock for clock in network.clocks if clock.targets]
    for clock in timed:
        if 4.0 in clock.targets:
            return clock, 4.0
    return (timed[0], timed[0].targets[0]) if timed else None


def handover_clock(network: Network) -> tuple[Clock, float] | None:
    """The clock of ambulances that wait to hand over, with half an hour where that is a target of it."""
    kinds = {station.id: station.kind for station in network.stations}
    for clock in network.clocks:
        if clock.targets and all(kinds.get(station) == "transport" for station in clock.stations):
            return clock, 0.5 if 0.5 in clock.targets else clock.targets[-1]
    return None


def answers(network: Network) -> list[Answer]:
    """The figures that can be asked of this network, the most important first."""
    found = []
    main, handover = main_clock(network), handover_clock(network)
    if main:
        clock, target = main
        found.append(
            _of(
                f"within-{hours_text(target)}",
                clock.id,
                f"{clock.title}: within {target_in_words(target)}",
                "higher",
                share,
                points,
            )
        )
    if handover and (main is None or handover[0] is not main[0]):
        clock, target = handover
        found.append(
            _of(
                f"over-{hours_text(target)}",
                clock.id,
                f"{clock.title}: over {target_in_words(target)}",
                "lower",
                share,
                points,
            )
        )
    if beds := _limited(network, BEDS):
        found.append(
            Answer("beds-in-use", "Hospital beds in use", "lower", lambda result: _in_use(result, beds), share, points)
        )
    if front := _stations(network, EMERGENCY):
        found.append(
            Answer(
                "kept-in-emergency", "Patients waiting or held in emergency care, at any time", "lower",
                lambda result: _sum(result, front, ("waiting", "blocked")), count, lambda value: signed(count(value)),
            )
        )  # fmt: skip
    if wards := _stations(network, WARDS):
        found.append(
            Answer(
                "days-held", "Days in a ward bed, held because the next place has no room", "lower",
                lambda result: _sum(result, wards, ("blocked-days",)), count, lambda value: signed(count(value)),
            )
        )  # fmt: skip
    if main:
        found.append(
            _of("mean", main[0].id, f"{main[0].title}: mean", "lower", hours, lambda value: signed(hours(value)))
        )
    found += [
        Answer(
            f"{PUT_OFF}{one.id}", f"{one.title}: patients, each time counted", "lower",
            lambda result, measure=measure, one=one: result.values(measure, one.id), count, lambda value: signed(count(value)),  # type: ignore[misc]
        )
        for measure, one in put_off(network)
    ]  # fmt: skip
    if not found:
        every = [station.id for station in network.stations]
        found.append(
            Answer(
                "waiting", "Patients waiting, at any time", "lower",
                lambda result: _sum(result, every, ("waiting",)), count, lambda value: signed(count(value)),
            )
        )  # fmt: skip
    return found


def put_off(network: Network) -> list[tuple[str, Station | Outcome]]:
    """The stations and outcomes that nobody comes to but who finds no room or is diverted, each with the measure of how many do."""
    meant = [stream.to for stream in network.arrivals]
    meant += [route.to for route in network.routes if route.to != route.station]
    meant += [row.to for row in network.patience] + [one.if_closed for one in network.stations if one.if_closed]
    instead = [one.if_full for one in network.stations if one.if_full]
    instead += [divert.to for row in network.escalations for divert in row.diverts]
    ends = {one.id for one in network.outcomes}
    only = _leads_to(network, instead, ends) - _leads_to(network, meant, ends)
    return [("arrivals", one) for one in network.stations if one.id in only] + [
        ("left", one) for one in network.outcomes if one.id in only
    ]


def _leads_to(network: Network, places: Sequence[str], ends: set[str]) -> set[str]:
    return {one for place in places for one in (stations_of(network, place) or {place} & ends)}


def _of(
    measure: str, of: str, title: str, better: str, write: Callable[[float], str], difference: Callable[[float], str]
) -> Answer:
    return Answer(f"{measure}-{of}", title, better, lambda result: result.values(measure, of), write, difference)


def _stations(network: Network, kinds: Sequence[str]) -> list[str]:
    return [station.id for station in network.stations if station.kind in kinds]


def _limited(network: Network, kinds: Sequence[str]) -> list[str]:
    return [station.id for station in network.stations if station.kind in kinds and station.servers != UNLIMITED]


def _sum(result: Result, stations: Sequence[str], measures: Sequence[str]) -> Floats:
    return np.asarray(np.sum([result.values(measure, station) for station in stations for measure in measures], axis=0))


def _in_use(result: Result, stations: Sequence[str]) -> Floats:
    occupied, open_ = _sum(result, stations, ("occupied",)), _sum(result, stations, ("servers",))
    shares: Floats = np.divide(occupied, open_, out=np.full(len(occupied), np.nan), where=open_ > 0)
    return shares


def between(found: Estimate, write: Callable[[float], str]) -> str:
    """The 95% interval of a mean, or why there is none."""
    if not math.isfinite(found.low):
        return "one run, so no interval" if found.replications == 1 else "nothing to measure"
    # No figure here can be negative, and no share more than all, though the interval of a mean of few runs may reach there.
    low, high = max(found.low, 0.0), min(found.high, 1.0 if write is share else math.inf)
    if write(low) == write(high) and low < high:
        write = _FINER.get(write, write)
    return f"95% interval {write(low)} to {write(high)}"


_FINER: dict[Callable[[float], str], Callable[[float], str]] = {
    count: lambda value: f"{value:,.1f}",
    share: lambda value: f"{100 * value:.2f}%",
    hours: lambda value: f"{60 * value:.1f} minutes" if value < 0.99 else f"{value:,.2f} hours",
}
"""How the ends of an interval are written when they would else look the same."""


def written(found: Estimate, write: Callable[[float], str]) -> str:
    """A mean, or a dash."""
    return write(found.mean) if math.isfinite(found.mean) else "–"
