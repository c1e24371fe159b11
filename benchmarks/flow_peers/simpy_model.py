"""The urgent-care model in SimPy: each patient is a process that asks for places and keeps or returns them."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from typing import Any

import simpy
from urgent_care import Length, UrgentCare

from flow_peers.tally import Tally, arrival_times

Steps = Generator[Any, Any, None]
PRIORITY = {"resus": 1, "major": 2, "minor": 3}


class SimpyModel:
    """One run; ``patients`` is how many came, the days before the count included."""

    def __init__(self, figures: UrgentCare, days: int, warm_up: int, seed: int) -> None:
        self.figures = figures
        self.random = random.Random(seed)
        self.env = simpy.Environment()
        self.triage = simpy.Resource(self.env, figures.triage_nurses)
        self.minors = simpy.Resource(self.env, figures.clinicians)
        self.majors = simpy.PriorityResource(self.env, figures.cubicles)
        self.ward = simpy.Resource(self.env, figures.beds)
        self.hours = (warm_up + days) * 24
        self.tally = Tally(warm_up * 24.0, float(self.hours), figures.target)
        self.cubicle = {"resus": figures.majors_resus, "major": figures.majors_major, "minor": figures.majors_minor}
        self.admitted = {"resus": figures.admitted_resus, "major": figures.admitted_major, "minor": figures.admitted_minor}  # fmt: skip
        self.patients = 0

    def run(self) -> dict[str, float]:
        figures = self.figures
        for patient, per_day in (
            ("resus", figures.resus_per_day),
            ("major", figures.major_per_day),
            ("minor", figures.minor_per_day),
        ):
            times = arrival_times(figures, per_day, self.hours, self.random)
            self.patients += len(times)
            self.env.process(self.stream(patient, iter(times)))
        self.env.run(until=self.hours)
        return self.tally.measures()

    def stream(self, patient: str, times: Iterator[float]) -> Steps:
        env = self.env
        for time in times:
            yield env.timeout(time - env.now)
            env.process(self.in_majors(patient, env.now) if patient == "resus" else self.in_triage(patient))

    def lasts(self, length: Length) -> float:
        return self.random.lognormvariate(length.mu, length.sigma)

    def in_triage(self, patient: str) -> Steps:
        env, came = self.env, self.env.now
        with self.triage.request() as nurse:
            yield nurse
            self.tally.waited("triage", came, env.now)
            yield env.timeout(self.random.expovariate(1 / self.figures.triage_mean))
        if patient == "major" or self.random.random() < self.figures.minor_to_majors:
            yield from self.in_majors(patient, came)
            return
        here = env.now
        with self.minors.request() as clinician:
            yield clinician
            self.tally.waited("minors", here, env.now)
            yield env.timeout(self.lasts(self.figures.minors))
        self.tally.left_department(came, env.now)

    def in_majors(self, patient: str, came: float) -> Steps:
        env, here = self.env, self.env.now
        cubicle = self.majors.request(priority=PRIORITY[patient])
        yield cubicle
        self.tally.waited("majors", here, env.now)
        self.tally.begins("occupied majors", env.now)
        yield env.timeout(self.lasts(self.cubicle[patient]))
        admitted = self.random.random() < self.admitted[patient]
        if admitted:
            self.tally.begins("blocked majors", env.now)
            bed = self.ward.request()
            yield bed
            self.tally.ends("blocked majors", env.now)
        self.majors.release(cubicle)
        self.tally.ends("occupied majors", env.now)
        self.tally.left_department(came, env.now)
        if admitted:
            self.tally.begins("occupied ward", env.now)
            yield env.timeout(self.lasts(self.figures.ward))
            self.ward.release(bed)
            self.tally.ends("occupied ward", env.now)


def simulate(figures: UrgentCare, days: int, warm_up: int, seed: int) -> tuple[dict[str, float], int]:
    """The measures of one run, and how many patients came in it."""
    model = SimpyModel(figures, days, warm_up, seed)
    return model.run(), model.patients
