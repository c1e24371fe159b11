"""A small network of care, invented: an emergency department, a ward that patients leave in the daytime, and a community hospital."""

from __future__ import annotations

from datetime import date

from bettercare.flow.network import (
    Arrival,
    Change,
    Choice,
    Distribution,
    Network,
    Outcome,
    PatientClass,
    Profile,
    Route,
    Scenario,
    Service,
    Station,
)

DAY = (0.4, 0.3, 0.3, 0.25, 0.25, 0.3, 0.5, 0.8, 1.1, 1.5, 1.6, 1.6, 1.5, 1.4, 1.4, 1.4, 1.4, 1.4, 1.5, 1.4, 1.2, 1, 0.8, 0.6)  # fmt: skip
LEAVE = (0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 4, 3, 2, 1, 1, 0, 0, 0, 0)
NETWORK = Network(
    id="small",
    title="A small hospital, invented",
    starts=date(2016, 4, 4),
    days=28,
    warm_up=28,
    classes=(PatientClass("walk-in", "Walk-in"), PatientClass("major", "Major", 3), PatientClass("medical", "Medical", 3)),
    arrivals=(
        Arrival("walk-ins", "walk-in", "ed", per_day=60, profile="day"),
        Arrival("ambulances", "major", "ed", per_day=40, profile="day"),
    ),
    stations=(
        Station("ed", "Emergency department", kind="emergency", servers=16, holds=True),
        Station("ward", "Ward", servers=85, queue=0, leaves_on="leave", holds=True),
        Station("community", "Community hospital", kind="community", servers=40, queue=0),
    ),
    services=(
        Service("ed", "walk-in", Distribution("lognormal", mean=1.5, sd=1)),
        Service("ed", "major", Distribution("lognormal", mean=3, sd=2)),
        Service("ward", "medical", Distribution("lognormal", unit="days", mean=5, sd=4)),
        Service("community", "medical", Distribution("gamma", unit="days", mean=14, sd=9)),
    ),
    routes=(
        Route("ed", "walk-in", "home", 1.0),
        Route("ed", "major", "home", 0.65),
        Route("ed", "major", "beds", 0.35, becomes="medical"),
        Route("ward", "medical", "home", 0.8),
        Route("ward", "medical", "community", 0.2),
        Route("community", "medical", "home", 1.0),
    ),
    outcomes=(Outcome("home", "Home"),),
    choices=(Choice("beds", ("ward",), "first-with-room"),),
    profiles=(
        Profile("day", DAY, weekdays=(1.1, 1, 1, 1, 1, 0.95, 0.95)),
        Profile("leave", LEAVE, weekdays=(1, 1, 1, 1, 1, 0.5, 0.4)),
    ),
    scenarios=(Scenario("more-beds", "Ten more beds", (Change("servers", "ward", add=10),)),),
)  # fmt: skip
