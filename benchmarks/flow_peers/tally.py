"""What is counted of a peer's run, over the hours that count: the same measures whichever engine made it."""

from __future__ import annotations

import math
import random

import numpy as np
from urgent_care import UrgentCare


class Tally:
    """Sums over the hours from ``start`` to ``end``; what began before or ends after counts with its part inside."""

    def __init__(self, start: float, end: float, target: float) -> None:
        self.start, self.end, self.target = start, end, target
        self.waits = {"triage": [0, 0.0], "minors": [0, 0.0], "majors": [0, 0.0]}
        self.hours = {"occupied majors": 0.0, "blocked majors": 0.0, "occupied ward": 0.0}
        self.patients = self.within = 0
        self.stay = 0.0

    def waited(self, station: str, came: float, began: float) -> None:
        if began >= self.start:
            one = self.waits[station]
            one[0] += 1
            one[1] += began - came

    def begins(self, what: str, now: float) -> None:
        """Counts until the end, unless it ends before (``ends`` takes the rest away again)."""
        self.hours[what] += self.end - max(now, self.start)

    def ends(self, what: str, now: float) -> None:
        self.hours[what] -= self.end - max(now, self.start)

    def left_department(self, came: float, now: float) -> None:
        if now >= self.start:
            self.patients += 1
            self.stay += now - came
            self.within += now - came <= self.target

    def measures(self) -> dict[str, float]:
        """By measure and station, in hours, patients and shares."""
        length = self.end - self.start
        return {
            "patients department": float(self.patients),
            "mean department": self.stay / self.patients if self.patients else math.nan,
            "within-4 department": self.within / self.patients if self.patients else math.nan,
            **{
                f"wait {station}": total / count if count else math.nan
                for station, (count, total) in self.waits.items()
            },
            **{what: total / length for what, total in self.hours.items()},
        }


def arrival_times(figures: UrgentCare, per_day: float, hours: int, random_numbers: random.Random) -> list[float]:
    """Arrivals of a stream whose rate is level within each hour: a Poisson number an hour, each at an even chance in it."""
    rng = np.random.default_rng(random_numbers.getrandbits(63))
    rates = np.resize(np.array(figures.rates(per_day)), hours)
    counts = rng.poisson(rates)
    times: list[float] = np.sort(np.repeat(np.arange(hours), counts) + rng.random(counts.sum())).tolist()
    return times
