"""One urgent-care model for every engine that is compared: its figures once, and the network bettercare runs from them.

All figures are invented, to load each station well without drowning it. Walk-in patients with minor needs and patients
brought by ambulance are streamed at triage; those brought to resuscitation go straight to a cubicle and come before the
others there. Some walk-in patients turn out to need a cubicle. Those who are admitted keep their cubicle until the ward
has a bed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bettercare.flow.network import Distribution, Network

HOURS = (
    0.5,
    0.4,
    0.35,
    0.3,
    0.3,
    0.35,
    0.5,
    0.75,
    1.05,
    1.35,
    1.5,
    1.5,
    1.4,
    1.35,
    1.3,
    1.3,
    1.35,
    1.4,
    1.45,
    1.4,
    1.3,
    1.1,
    0.95,
    0.85,
)
"""Arrivals in each hour of the day, in proportion."""
CLASSES = ("resus", "major", "minor")
"""The best priority first."""


@dataclass(frozen=True)
class Length:
    """A lognormal length of time: mean and standard deviation in hours."""

    mean: float
    sd: float

    @property
    def sigma(self) -> float:
        """Standard deviation of the logarithm."""
        return math.sqrt(math.log1p((self.sd / self.mean) ** 2))

    @property
    def mu(self) -> float:
        """Mean of the logarithm."""
        return math.log(self.mean) - self.sigma**2 / 2


@dataclass(frozen=True)
class UrgentCare:
    """The figures. Hours, patients a day, places, shares."""

    minor_per_day: float = 140.0
    major_per_day: float = 140.0
    resus_per_day: float = 20.0
    hours: tuple[float, ...] = HOURS
    triage_nurses: int = 4
    triage_mean: float = 0.15
    """Exponential."""
    minor_to_majors: float = 0.15
    clinicians: int = 6
    minors: Length = Length(0.6, 0.4)
    cubicles: int = 36
    majors_resus: Length = Length(4.0, 2.5)
    majors_major: Length = Length(3.0, 2.0)
    majors_minor: Length = Length(2.0, 1.5)
    admitted_resus: float = 0.7
    admitted_major: float = 0.35
    admitted_minor: float = 0.1
    beds: int = 110
    ward: Length = Length(36.0, 36.0)
    target: float = 4.0
    """Hours within which the emergency department should have done with a patient."""

    @property
    def per_day(self) -> float:
        return self.minor_per_day + self.major_per_day + self.resus_per_day

    def rates(self, per_day: float) -> list[float]:
        """Arrivals an hour in each hour of the day."""
        total = sum(self.hours)
        return [per_day * share / total for share in self.hours]

    def sized(self, times: float) -> UrgentCare:
        """As busy in each place, with so many times the patients and the places."""

        def places(count: int) -> int:
            return max(1, round(count * times))

        return replace(
            self,
            minor_per_day=self.minor_per_day * times,
            major_per_day=self.major_per_day * times,
            resus_per_day=self.resus_per_day * times,
            triage_nurses=places(self.triage_nurses),
            clinicians=places(self.clinicians),
            cubicles=places(self.cubicles),
            beds=places(self.beds),
        )


MEASURES = (
    ("patients", "department", "patients through the department"),
    ("mean", "department", "hours in the department"),
    ("within-4", "department", "share within 4 hours"),
    ("wait", "triage", "hours waiting for triage"),
    ("wait", "minors", "hours waiting for the minors clinic"),
    ("wait", "majors", "hours waiting for a cubicle"),
    ("occupied", "majors", "cubicles in use"),
    ("blocked", "majors", "patients in a cubicle who wait for a bed"),
    ("occupied", "ward", "beds in use"),
)
"""What every engine is asked for: measure, of, in words."""


def network(figures: UrgentCare, days: int, warm_up: int) -> Network:
    """The figures as a network for bettercare."""
    from bettercare.flow.network import (
        Arrival,
        Clock,
        Distribution,
        Network,
        Outcome,
        PatientClass,
        Profile,
        Route,
        Service,
        Station,
    )

    def lognormal(length: Length) -> Distribution:
        return Distribution("lognormal", mean=length.mean, sd=length.sd)

    def leaves(station: str, patient: str, *ways: tuple[str, float, str | None]) -> list[Route]:
        return [Route(station, patient, to, share, becomes) for to, share, becomes in ways if share > 0]

    stay = lognormal(figures.ward)
    return Network(
        id="urgent-care",
        title="Urgent care, invented figures",
        starts=date(2025, 1, 6),
        days=days,
        warm_up=warm_up,
        classes=(
            PatientClass("resus", "Resuscitation", 1),
            PatientClass("major", "Major, by ambulance", 2),
            PatientClass("minor", "Minor, walking in", 3),
            PatientClass("admitted", "Admitted", 2),
        ),
        profiles=(Profile("day", hours=figures.hours),),
        arrivals=(
            Arrival("resus", "resus", "majors", per_day=figures.resus_per_day, profile="day"),
            Arrival("major", "major", "triage", per_day=figures.major_per_day, profile="day"),
            Arrival("minor", "minor", "triage", per_day=figures.minor_per_day, profile="day"),
        ),
        stations=(
            Station("triage", "Triage", kind="emergency", servers=figures.triage_nurses),
            Station("minors", "Minors clinic", kind="emergency", servers=figures.clinicians),
            Station("majors", "Majors", kind="emergency", places="cubicles", servers=figures.cubicles, holds=True),
            Station("ward", "Ward", kind="ward", places="beds", servers=figures.beds, queue=0),
        ),
        services=(
            *(
                Service("triage", patient, Distribution("exponential", mean=figures.triage_mean))
                for patient in ("major", "minor")
            ),
            Service("minors", "minor", lognormal(figures.minors)),
            Service("majors", "resus", lognormal(figures.majors_resus)),
            Service("majors", "major", lognormal(figures.majors_major)),
            Service("majors", "minor", lognormal(figures.majors_minor)),
            Service("ward", "admitted", stay),
        ),
        routes=(
            *leaves("triage", "major", ("majors", 1.0, None)),
            *leaves("triage", "minor", ("majors", figures.minor_to_majors, None), ("minors", 1 - figures.minor_to_majors, None)),
            *leaves("minors", "minor", ("home", 1.0, None)),
            *leaves("majors", "resus", ("ward", figures.admitted_resus, "admitted"), ("home", 1 - figures.admitted_resus, None)),
            *leaves("majors", "major", ("ward", figures.admitted_major, "admitted"), ("home", 1 - figures.admitted_major, None)),
            *leaves("majors", "minor", ("ward", figures.admitted_minor, "admitted"), ("home", 1 - figures.admitted_minor, None)),
            *leaves("ward", "admitted", ("discharged", 1.0, None)),
        ),
        outcomes=(Outcome("home", "Home from the department"), Outcome("discharged", "Discharged from the ward")),
        clocks=(Clock("department", "In the department", ("triage", "minors", "majors"), targets=(figures.target,)),),
        summary="Invented, for benchmarks and tests: one model that four engines can express.",
    )  # fmt: skip
