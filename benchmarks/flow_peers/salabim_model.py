"""The urgent-care model in salabim: components as generators (its quicker way), with its own monitors and tracing off."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from typing import Any

import salabim
from urgent_care import Length, UrgentCare

from flow_peers.tally import Tally, arrival_times

Steps = Generator[Any, Any, None]
PRIORITY = {"resus": 1, "major": 2, "minor": 3}
salabim.yieldless(False)


class Department:
    """The places, the figures and the counts that every patient shares."""

    def __init__(self, figures: UrgentCare, env: salabim.Environment, tally: Tally, seed: int) -> None:
        self.figures, self.env, self.tally = figures, env, tally
        self.random = random.Random(seed)
        self.triage, self.minors, self.majors, self.ward = (
            salabim.Resource(name, capacity=capacity, env=env, monitor=False)
            for name, capacity in (
                ("triage", figures.triage_nurses),
                ("minors", figures.clinicians),
                ("majors", figures.cubicles),
                ("ward", figures.beds),
            )
        )
        self.cubicle = {"resus": figures.majors_resus, "major": figures.majors_major, "minor": figures.majors_minor}
        self.admitted = {"resus": figures.admitted_resus, "major": figures.admitted_major, "minor": figures.admitted_minor}  # fmt: skip

    def lasts(self, length: Length) -> float:
        return self.random.lognormvariate(length.mu, length.sigma)


class Stream(salabim.Component):  # type: ignore[misc]
    """Arrivals of one class at the times drawn before."""

    def setup(self, department: Department, patient: str, times: Iterator[float]) -> None:
        self.department, self.patient, self.times = department, patient, times

    def process(self) -> Steps:
        for time in self.times:
            yield self.hold(till=time)
            Patient(department=self.department, patient=self.patient, env=self.env)


class Patient(salabim.Component):  # type: ignore[misc]
    def setup(self, department: Department, patient: str) -> None:
        self.department, self.patient = department, patient

    def process(self) -> Steps:
        department = self.department
        figures, env, tally = department.figures, self.env, department.tally
        came = env.now()
        if self.patient != "resus":
            yield self.request(department.triage)
            tally.waited("triage", came, env.now())
            yield self.hold(department.random.expovariate(1 / figures.triage_mean))
            self.release(department.triage)
        here = env.now()
        if self.patient == "minor" and department.random.random() >= figures.minor_to_majors:
            yield self.request(department.minors)
            tally.waited("minors", here, env.now())
            yield self.hold(department.lasts(figures.minors))
            self.release(department.minors)
            tally.left_department(came, env.now())
            return
        yield self.request((department.majors, 1, PRIORITY[self.patient]))
        tally.waited("majors", here, env.now())
        tally.begins("occupied majors", env.now())
        yield self.hold(department.lasts(department.cubicle[self.patient]))
        admitted = department.random.random() < department.admitted[self.patient]
        if admitted:
            tally.begins("blocked majors", env.now())
            yield self.request(department.ward)
            tally.ends("blocked majors", env.now())
        self.release(department.majors)
        tally.ends("occupied majors", env.now())
        tally.left_department(came, env.now())
        if admitted:
            tally.begins("occupied ward", env.now())
            yield self.hold(department.lasts(figures.ward))
            self.release(department.ward)
            tally.ends("occupied ward", env.now())


def simulate(figures: UrgentCare, days: int, warm_up: int, seed: int) -> tuple[dict[str, float], int]:
    """The measures of one run, and how many patients came in it."""
    hours = (warm_up + days) * 24
    env = salabim.Environment(trace=False, random_seed=seed)
    tally = Tally(warm_up * 24.0, float(hours), figures.target)
    department = Department(figures, env, tally, seed)
    patients = 0
    for patient, per_day in (
        ("resus", figures.resus_per_day),
        ("major", figures.major_per_day),
        ("minor", figures.minor_per_day),
    ):
        times = arrival_times(figures, per_day, hours, department.random)
        patients += len(times)
        Stream(department=department, patient=patient, times=iter(times), env=env)
    env.run(till=hours)
    return tally.measures(), patients
