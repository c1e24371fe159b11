"""What can be asked of a run: the names of its measures, what each is of, and in what unit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bettercare.errors import BettercareError

Of = Literal["station", "clock", "outcome", "escalation"]


@dataclass(frozen=True)
class Measure:
    """One thing that can be asked. ``adds``: months add up to the whole; else it is an average."""

    id: str
    of: Of
    unit: str
    title: str
    adds: bool = False

    @property
    def of_several(self) -> bool:
        """Whether stations can be taken together: counts of patients, places and days add up, and so does what occupancy is of."""
        return self.of == "station" and (self.unit in ("patients", "places", "days") or self.id == "occupancy")


MEASURES = {
    measure.id: measure
    for measure in (
        Measure("patients", "clock", "patients", "Patients", True),
        Measure("mean", "clock", "hours", "Mean time"),
        Measure("q50", "clock", "hours", "Median time"),
        Measure("q90", "clock", "hours", "Time that nine in ten do not exceed"),
        Measure("q95", "clock", "hours", "Time that nineteen in twenty do not exceed"),
        Measure("arrivals", "station", "patients", "Arrivals", True),
        Measure("served", "station", "patients", "Patients who left after care", True),
        Measure("wait", "station", "hours", "Mean wait for a place"),
        Measure("wait-q50", "station", "hours", "Median wait for a place"),
        Measure("wait-q90", "station", "hours", "Wait for a place that nine in ten do not exceed"),
        Measure("wait-q95", "station", "hours", "Wait for a place that nineteen in twenty do not exceed"),
        Measure("stay", "station", "hours", "Mean length of stay, time held included"),
        Measure("blocked", "station", "patients", "Patients held because the next place has no room, on average"),
        Measure("blocked-days", "station", "days", "Days spent held because the next place has no room", True),
        Measure("held", "station", "patients", "Patients who were held", True),
        Measure(
            "ready",
            "station",
            "patients",
            "Patients whose care there is done: held, or waiting for the next discharge time",
        ),
        Measure(
            "held-for-days",
            "station",
            "days",
            "Days patients were held elsewhere for a place here, counted when they move",
            True,
        ),
        Measure("discharge-days", "station", "days", "Days spent waiting for the next discharge time", True),
        Measure("occupied", "station", "patients", "Places in use, on average"),
        Measure("waiting", "station", "patients", "Patients waiting, on average"),
        Measure("servers", "station", "places", "Places open, on average"),
        Measure("occupancy", "station", "share", "Occupancy"),
        Measure("full", "station", "share", "Share of the hours it is open with no free place"),
        Measure("turned-away", "station", "patients", "Patients who found no room to wait", True),
        Measure("gave-up", "station", "patients", "Patients who gave up waiting", True),
        Measure("preempted", "station", "patients", "Times somebody more urgent took the place", True),
        Measure("left", "outcome", "patients", "Patients who left this way", True),
        Measure("escalated", "escalation", "share", "Share of the hours it was on"),
        Measure("escalations", "escalation", "times", "Times it was switched on", True),
    )
}

TOGETHER = "+"
"""Between the stations of a measure that is of several: ward-a+ward-b."""
QUANTILES = (0.5, 0.9, 0.95)
CLOCK_MEASURES = ("patients", "mean", "q50", "q90", "q95")
BY_CLASS = ("arrivals", "served", "wait", "stay", "blocked-days")
"""Measures of a station that are kept by class, for a whole run."""
STATION_MEASURES = tuple(measure.id for measure in MEASURES.values() if measure.of == "station")


def hours_text(hours: float) -> str:
    """A target as it stands in the name of a measure: 4, 0.25, 12."""
    return f"{hours:g}"


def measure(ident: str) -> Measure:
    """A measure by its id; ``within-4`` and ``over-4`` are of a clock with that target.

    Raises:
        BettercareError: there is none of that name.
    """
    if ident in MEASURES:
        return MEASURES[ident]
    kind, _, hours = ident.partition("-")
    if kind in ("within", "over"):
        try:
            shown = hours_text(float(hours))
        except ValueError:
            shown = ""
        if shown:
            said = "Ended within" if kind == "within" else "Took longer than"
            return Measure(f"{kind}-{shown}", "clock", "share", f"{said} {target_in_words(float(hours))}")
    raise BettercareError(
        f"{ident!r} is not a measure.", remedy=f"Ask for one of: {', '.join(MEASURES)}, within-N, over-N."
    )


def target_in_words(hours: float) -> str:
    """4 hours, 15 minutes, 1 hour."""
    if hours < 1:
        return f"{hours * 60:g} minutes"
    return f"{hours:g} hour{'' if hours == 1 else 's'}"
