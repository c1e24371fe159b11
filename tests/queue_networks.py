"""Small networks for tests: each a queue whose answer is known, or one drawn at random."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any

from bettercare.flow.network import (
    Arrival,
    Clock,
    Distribution,
    Network,
    Outcome,
    PatientClass,
    Route,
    Service,
    Station,
)

MONDAY = date(2025, 1, 6)


def exponential(mean: float) -> Distribution:
    return Distribution("exponential", mean=mean)


def network(
    stations: Sequence[Station],
    arrivals: Sequence[Arrival],
    services: Mapping[str | tuple[str, str], Distribution],
    routes: Sequence[tuple[str, str, float]] = (),
    classes: Sequence[PatientClass] = (),
    days: int = 200,
    warm_up: int = 20,
    **others: Any,
) -> Network:
    """A network whose patients leave by ``home`` where no route says otherwise.

    ``services``: by station, or by station and class. ``routes``: (station, to, share), for every class.
    """
    classes = tuple(classes) or (PatientClass("patient", "Patient"),)
    named = {one[0] for one in routes}
    ways = [*routes, *((station.id, "home", 1.0) for station in stations if station.id not in named)]
    made = Network(
        id="queues",
        title="Queues with known answers",
        starts=MONDAY,
        days=days,
        warm_up=warm_up,
        classes=tuple(classes),
        arrivals=tuple(arrivals),
        stations=tuple(stations),
        services=tuple(
            Service(station.id, patient.id, time)
            for station in stations
            for patient in classes
            if (time := services.get((station.id, patient.id), services.get(station.id))) is not None
        ),
        routes=tuple(
            Route(station, patient.id, to, share) for station, to, share in ways if share > 0 for patient in classes
        ),
        outcomes=(Outcome("home", "Home"), Outcome("lost", "Not seen"), Outcome("gave-up", "Gave up")),
        clocks=(
            *(Clock(f"in-{station.id}", f"In {station.id}", (station.id,)) for station in stations),
            Clock("all", "All of it", tuple(station.id for station in stations), targets=(4.0,)),
        ),
    )
    return replace(made, **others)


def one_station(
    arrivals_an_hour: float, time: Distribution, servers: int = 1, days: int = 200, warm_up: int = 20, **station: Any
) -> Network:
    """Poisson arrivals to one station."""
    return network(
        [Station("desk", "Desk", servers=servers, **station)],
        [Arrival("all", "patient", "desk", per_day=arrivals_an_hour * 24)],
        {"desk": time},
        days=days,
        warm_up=warm_up,
    )
