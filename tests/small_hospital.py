"""A hospital small enough to simulate in a moment, with everything a report speaks of: ambulances, a shift, blocking, a choice, discharge times."""

from __future__ import annotations

from datetime import date

from bettercare.flow.network import (
    Arrival,
    Change,
    Choice,
    Clock,
    Distribution,
    Evidence,
    Knob,
    Network,
    Outcome,
    PatientClass,
    Profile,
    Route,
    Scenario,
    Service,
    Shift,
    Station,
    Target,
)

GUESSED = Evidence("assumed", note="Invented for a test")
STATED = Evidence("stated", "a-paper", "page 1")
HOSTILE = 'Ward <b>&"one"'
"""A title that must be escaped wherever it is set."""


def hospital(beds: int = 16) -> Network:
    """Walk-ins and ambulances to a department, on to two wards or home; the wards wait for a small community team."""
    stations = (
        Station("handover", "Handover", "transport", places="ambulances", servers=-1, holds=True, evidence=GUESSED),
        Station("cubicles", "Cubicles", "emergency", site="city-general", places="cubicles", servers=5, shifts=(Shift((0, 1, 2, 3, 4, 5, 6), 8, 24, 3),), holds=True, evidence=GUESSED),
        Station("ward-one", HOSTILE, "ward", site="city-general", places="beds", servers=beds, queue=0, holds=True, leaves_on="leaving", evidence=STATED),
        Station("ward-two", "Ward two", "ward", site="city-general", places="beds", servers=6, queue=0, holds=True, evidence=GUESSED),
        Station("team", "Community team", "community", places="places", servers=5, queue=0, evidence=GUESSED),
    )  # fmt: skip
    hours = {"handover": (0.3, "lognormal"), "cubicles": (2.5, "lognormal"), "ward-one": (70.0, "lognormal"), "ward-two": (60.0, "lognormal"), "team": (90.0, "lognormal")}  # fmt: skip
    services = tuple(
        Service(station, "any", Distribution(kind, mean=mean, sd=mean), GUESSED)
        for station, (mean, kind) in hours.items()
    )
    ways = (
        ("handover", "cubicles", 1.0), ("cubicles", "bed", 0.17), ("cubicles", "home", 0.83), ("ward-one", "team", 0.2), ("ward-one", "home", 0.8),
        ("ward-two", "home", 1.0), ("team", "home", 1.0),
    )  # fmt: skip
    return Network(
        id="small",
        title="A small hospital",
        starts=date(2016, 4, 1),
        days=30,
        warm_up=7,
        classes=(PatientClass("adult", "Adults", 3), PatientClass("old", "Older people", 2)),
        arrivals=(
            Arrival("walk-ins", "adult", "cubicles", per_day=22, profile="busy", title="Walk-ins", evidence=STATED),
            Arrival("ambulances", "old", "handover", per_day=10, profile="busy", title="Ambulances", evidence=GUESSED),
        ),
        stations=stations,
        services=services,
        routes=tuple(Route(station, "any", to, share, evidence=GUESSED) for station, to, share in ways),
        outcomes=(Outcome("home", "Home"),),
        profiles=(
            Profile("busy", hours=(1.0,) * 8 + (3.0,) * 16, evidence=GUESSED),
            Profile("leaving", hours=(0.0,) * 9 + (1.0,) * 9 + (0.0,) * 6, weekdays=(1, 1, 1, 1, 1, 0.5, 0.5), evidence=GUESSED),
        ),
        choices=(Choice("bed", ("ward-one", "ward-two"), "first-with-room"),),
        clocks=(
            Clock("four-hour", "Time in the department", ("handover", "cubicles"), (4.0,)),
            Clock("waiting-outside", "Ambulance handover", ("handover",), (0.25, 0.5)),
        ),
        scenarios=(
            Scenario("more-beds", "Ten more beds", (Change("servers", "ward-one", add=10, evidence=GUESSED),)),
            Scenario("nothing", "Nothing at all", (Change("service", "ward-two", times=1.0, evidence=GUESSED),)),
        ),
        targets=(
            Target("seen", "Within four hours", "within-4", "four-hour", 0.85, evidence=STATED),
            Target("seen-april", "Within four hours, April", "within-4", "four-hour", 0.8, period="2016-04", held_out=True, evidence=STATED),
        ),
        knobs=(Knob("stay", "Time in a cubicle", Change("service", "cubicles", times=1.0), 0.7, 1.4, GUESSED),),
        replications=4,
        summary="Invented for tests.",
    )  # fmt: skip
