"""The simulation gives what queueing theory says, within the error of its replications.

Every interval is at 99.9%, since many are tried with seeds that never change; each must also be narrow, or agreeing would say nothing.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import special

import queueing_theory as theory
from bettercare.flow import Result, run
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Choice,
    Distribution,
    Network,
    Patience,
    PatientClass,
    Profile,
    Shift,
    Station,
)
from queue_networks import exponential, network, one_station

Z = 3.29


def simulated(it: Network, replications: int = 40) -> Result:
    return run(it, replications=replications, seed=7)


def agrees(result: Result, measure: str, of: str, expected: float, within: float = 0.03, patient: str = "all") -> None:
    """The mean over replications is the expected value as far as chance goes, and chance goes no further than ``within``."""
    values = result.values(measure, of, patient=patient)
    half = Z * float(values.std(ddof=1)) / math.sqrt(len(values))
    assert half <= within * expected, f"{measure} {of}: known only within {half:.4g} of {expected:.4g}"
    assert values.mean() == pytest.approx(expected, abs=half), f"{measure} {of}: half-width {half:.4g}"


# -- one station -------------------------------------------------------------------------------------------------


def test_one_server() -> None:
    result = simulated(one_station(0.7, exponential(1.0), days=600))
    agrees(result, "wait", "desk", theory.wait_mmc(0.7, 1.0, 1), 0.05)
    agrees(result, "stay", "desk", 1.0, 0.01)
    agrees(result, "occupied", "desk", 0.7, 0.01)
    agrees(result, "occupancy", "desk", 0.7, 0.01)
    agrees(result, "waiting", "desk", 0.7 * theory.wait_mmc(0.7, 1.0, 1), 0.05)
    agrees(result, "mean", "all", theory.wait_mmc(0.7, 1.0, 1) + 1.0, 0.04)
    agrees(result, "within-4", "all", 1 - math.exp(-0.3 * 4), 0.02)
    agrees(result, "full", "desk", 0.7, 0.01)
    agrees(result, "arrivals", "desk", 0.7 * 24 * 600, 0.01)


def test_many_servers() -> None:
    result = simulated(one_station(8.5, exponential(1.0), servers=10, days=300))
    agrees(result, "wait", "desk", theory.wait_mmc(8.5, 1.0, 10), 0.06)
    agrees(result, "occupied", "desk", 8.5, 0.01)
    agrees(result, "full", "desk", theory.erlang_c(8.5, 10), 0.03)
    agrees(result, "wait-q90", "desk", theory.wait_mmc_quantile(8.5, 1.0, 10, 0.9), 0.06)
    agrees(result, "wait-q95", "desk", theory.wait_mmc_quantile(8.5, 1.0, 10, 0.95), 0.08)


@pytest.mark.parametrize(("servers", "room"), [(1, 4), (3, 8)])
def test_limited_room(servers: int, room: int) -> None:
    arrivals = 0.9 * servers
    lost, waiting, wait = theory.mmck(arrivals, 1.0, servers, room)
    result = simulated(one_station(arrivals, exponential(1.0), servers, days=400, queue=room - servers, if_full="lost"))
    agrees(result, "turned-away", "desk", lost * arrivals * 24 * 400)
    agrees(result, "waiting", "desk", waiting)
    agrees(result, "wait", "desk", wait)


@pytest.mark.parametrize(
    "time", [exponential(1.0), Distribution("lognormal", mean=1.0, sd=2.0)], ids=["exponential", "lognormal"]
)
def test_no_room_to_wait_does_not_depend_on_the_shape(time: Distribution) -> None:
    result = simulated(one_station(8.0, time, servers=10, days=200, queue=0, if_full="lost"))
    lost = theory.erlang_b(8.0, 10)
    agrees(result, "turned-away", "desk", lost * 8.0 * 24 * 200)
    agrees(result, "left", "lost", lost * 8.0 * 24 * 200)
    agrees(result, "occupied", "desk", 8.0 * (1 - lost), 0.01)


PHASES = ((-3.0, 2.0), (0.0, -0.8))
MIXED = (0.7, 0.3)
SHAPES = {
    "fixed": (Distribution("fixed", mean=1.0), 1.0, 1.0),
    "lognormal": (Distribution("lognormal", mean=60.0, sd=60.0, unit="minutes"), 1.0, 2.0),
    "weibull": (Distribution("weibull", mean=1.0, shape=1.5), 1.0, math.gamma(1 + 2 / 1.5) / math.gamma(1 + 1 / 1.5) ** 2),
    "gamma": (Distribution("gamma", mean=1.0, sd=0.7), 1.0, 1.49),
    "erlang": (Distribution("erlang", mean=1.0, phases=4), 1.0, 1.25),
    "uniform": (Distribution("uniform", low=0.5, high=1.5), 1.0, 1 + 1 / 12),
    "triangular": (Distribution("triangular", low=0.0, likely=0.5, high=2.5), 1.0, 1 + (0.25 + 6.25 - 1.25) / 18),
    "empirical": (Distribution("empirical", values=(0.5, 1.0, 2.5), weights=(4.0, 4.0, 1.0)), 8.5 / 9, 11.25 / 9),
    "phase-type": (Distribution("phase-type", start=(0.8, 0.2), rates=PHASES), *theory.phase_type_moments((0.8, 0.2), PHASES)),
    "mixture": (Distribution("mixture", parts=(exponential(0.5), exponential(2.0)), weights=MIXED), 0.95, 0.7 * 0.5 + 0.3 * 8.0),
    "cut": (Distribution("exponential", mean=1.0, at_most=2.0), 1 - math.exp(-2), 2 * (1 - 3 * math.exp(-2))),
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
def test_any_length_of_time(shape: str) -> None:
    time, mean, second = SHAPES[shape]
    result = simulated(one_station(0.6, time, days=400))
    agrees(result, "stay", "desk", mean, 0.015)
    agrees(result, "wait", "desk", theory.pollaczek_khinchine(0.6, mean, second), 0.08)


@pytest.mark.parametrize("shape", ["exponential", "lognormal", "fixed"])
def test_room_for_everybody(shape: str) -> None:
    time = {
        "exponential": exponential(2.0),
        "lognormal": Distribution("lognormal", mean=2.0, sd=3.0),
        "fixed": Distribution("fixed", mean=2.0),
    }[shape]
    result = simulated(one_station(5.0, time, servers=UNLIMITED, days=100), 30)
    agrees(result, "occupied", "desk", 10.0, 0.01)
    agrees(result, "mean", "all", 2.0, 0.02)
    assert result.values("wait", "desk") == pytest.approx(0.0)


def test_arrivals_that_move_with_the_hour() -> None:
    hours = tuple(1.0 + 0.8 * math.sin(2 * math.pi * hour / 24) for hour in range(24))
    length = Distribution("lognormal", mean=5.0, sd=4.0)
    it = network(
        [Station("desk", "Desk", servers=UNLIMITED)],
        [Arrival("all", "patient", "desk", per_day=240.0, profile="day")],
        {"desk": length},
        days=140,
        profiles=(Profile("day", hours=hours),),
    )
    sigma = math.sqrt(math.log1p(0.64))

    def survival(ago: np.ndarray) -> np.ndarray:
        return np.asarray(1 - special.ndtr((np.log(ago / 5.0) + sigma**2 / 2) / sigma))

    rates = [10.0 * hour for hour in hours]
    expected = theory.infinite_servers(rates, survival, np.arange(24.0), 200.0)
    found = simulated(it, 30).by_hour().sort("hour_of_week")["occupied"].to_numpy().reshape(7, 24).mean(axis=0)
    # The number inside is Poisson: over 140 days of 30 replications its mean is out by sqrt(expected / 4200), as one
    # standard error if days did not resemble each other, which at a mean stay of 5 hours they hardly do.
    assert np.abs((found - expected) / np.sqrt(expected / 4200)).max() < 3.7
    assert expected.max() / expected.min() > 2


def test_servers_that_go_home_at_night() -> None:
    """Three by day and one by night; those in service when the day ends are seen to the end of it."""
    it = one_station(1.0, exponential(1.5), servers=1, days=400, shifts=(Shift((0, 1, 2, 3, 4, 5, 6), 8, 20, 2),))
    busy, waiting = theory.day_and_night(1.0, 1.5, [3 if 8 <= hour < 20 else 1 for hour in range(24)], 90)
    result = simulated(it)
    agrees(result, "occupied", "desk", busy, 0.02)
    agrees(result, "waiting", "desk", waiting, 0.05)
    agrees(result, "wait", "desk", waiting / 1.0, 0.05)
    agrees(result, "servers", "desk", 2.0, 0.001)


@pytest.mark.parametrize(
    "weekdays", [(1.0,) * 7, (1.0, 0.8, 0.8, 0.8, 1.0, 0.25, 0.0)], ids=["daily", "few at weekends"]
)
def test_waiting_for_the_next_discharge_time(weekdays: tuple[float, ...]) -> None:
    hours = (0.0,) * 11 + (1.0, 2.0) + (0.0,) * 11
    it = one_station(1.0, exponential(30.0), servers=UNLIMITED, days=210, leaves_on="rounds")
    result = simulated(replace(it, profiles=(Profile("rounds", hours=hours, weekdays=weekdays),)))
    delay = theory.until_discharge(weekdays, hours)
    agrees(result, "discharge-days", "desk", 24 * 210 * delay / 24, 0.02)
    agrees(result, "stay", "desk", 30.0 + delay, 0.02)
    agrees(result, "occupied", "desk", 30.0 + delay, 0.02)


@pytest.mark.parametrize(
    ("spread", "varies", "expected"),
    [("poisson", 0.0, 24.0), ("poisson", 0.3, 24 + (0.3 * 24) ** 2), ("even", 0.0, 0.0)],
)
def test_how_days_differ(spread: str, varies: float, expected: float) -> None:
    """The variance of a day's arrivals is its mean; and with a rate that varies, its square as well; or nothing."""
    it = one_station(1.0, exponential(1.0), servers=UNLIMITED, days=1, warm_up=0)
    stream = replace(it.arrivals[0], spread=spread, varies=varies)  # type: ignore[arg-type]
    came = run(replace(it, arrivals=(stream,)), replications=3000, seed=5).values("arrivals", "desk")
    assert came.mean() == pytest.approx(24.0, abs=Z * math.sqrt(expected / 3000) + 1e-9)
    # the sample variance is out by about sqrt(2 / 3000), more where the tail is long
    assert came.var(ddof=1) == pytest.approx(expected, rel=0.15, abs=1e-9)


# -- who goes first ----------------------------------------------------------------------------------------------

THREE = [PatientClass("first", "First", 1), PatientClass("second", "Second", 2), PatientClass("third", "Third", 3)]
RATES = (0.2, 0.3, 0.2)


def by_priority(mean_of: dict[str, float], preempts: bool) -> Result:
    return simulated(
        network(
            [Station("desk", "Desk", servers=1, preempts=preempts)],
            [Arrival(one.id, one.id, "desk", per_day=rate * 24) for one, rate in zip(THREE, RATES)],
            {("desk", patient): exponential(mean) for patient, mean in mean_of.items()},
            classes=THREE,
            days=700,
        )
    )


def test_better_priority_goes_first() -> None:
    means = {"first": 0.5, "second": 1.0, "third": 1.5}
    result = by_priority(means, preempts=False)
    waits = theory.waits_by_priority(RATES, list(means.values()), [2 * mean**2 for mean in means.values()])
    for patient, wait in zip(means, waits):
        agrees(result, "wait", "desk", wait, 0.06, patient)


def test_better_priority_interrupts() -> None:
    means = {"first": 0.5, "second": 1.0, "third": 1.5}
    result = by_priority(means, preempts=True)
    times = theory.times_with_interruption(RATES, list(means.values()), [2 * mean**2 for mean in means.values()])
    for patient, time in zip(means, times):
        agrees(result, "mean", "all", time, 0.06, patient)


def test_better_priority_goes_first_among_several_servers() -> None:
    rates = [0.8, 1.0, 0.6]
    result = simulated(
        network(
            [Station("desk", "Desk", servers=3)],
            [Arrival(one.id, one.id, "desk", per_day=rate * 24) for one, rate in zip(THREE, rates)],
            {"desk": exponential(1.0)},
            classes=THREE,
            days=500,
        )
    )
    waits = theory.waits_by_priority_mmc(rates, 1.0, 3)
    for patient, wait in zip(THREE, waits):
        agrees(result, "wait", "desk", wait, 0.06, patient.id)


def test_patients_who_give_up() -> None:
    share, line = theory.erlang_a(10.0, 1.0, 10, 2.0)
    it = network(
        [Station("desk", "Desk", servers=10)],
        [Arrival("all", "patient", "desk", per_day=240.0)],
        {"desk": exponential(1.0)},
        patience=(Patience("desk", "patient", exponential(2.0), "gave-up"),),
    )
    result = simulated(it)
    agrees(result, "gave-up", "desk", share * 240 * 200)
    agrees(result, "left", "gave-up", share * 240 * 200)
    agrees(result, "waiting", "desk", line * 10.0)


# -- several stations --------------------------------------------------------------------------------------------


def test_stations_in_a_network_with_returns() -> None:
    outside = (2.0, 0.5, 0.0)
    moves = ((0.0, 0.5, 0.3), (0.2, 0.0, 0.5), (0.3, 0.1, 0.0))
    names, servers, means = ("a", "b", "c"), (4, 1, 3), (1.0, 0.35, 1.0)
    rates = theory.jackson(outside, moves)
    assert max(rates * means / servers) < 0.9
    routes = [(names[i], names[j], moves[i][j]) for i in range(3) for j in range(3)]
    it = network(
        [Station(name, name, servers=count) for name, count in zip(names, servers)],
        [Arrival(name, "patient", name, per_day=rate * 24) for name, rate in zip(names, outside) if rate],
        {name: exponential(mean) for name, mean in zip(names, means)},
        [*routes, *((names[i], "home", 1 - sum(moves[i])) for i in range(3))],
        days=500,
    )
    result = simulated(it)
    total = 0.0
    for name, rate, mean, count in zip(names, rates, means, servers):
        wait = theory.wait_mmc(rate, mean, count)
        agrees(result, "arrivals", name, rate * 24 * 500, 0.01)
        agrees(result, "wait", name, wait, 0.06)
        total += rate * (wait + mean)
    agrees(result, "mean", "all", total / sum(outside), 0.04)  # Little's law


@pytest.mark.parametrize("count", [2, 3, 4])
def test_saturated_line_without_room_between(count: int) -> None:
    names = [f"s{place}" for place in range(count)]
    it = network(
        [
            Station(name, name, servers=1, queue=0 if place else 60, holds=True, if_full=None if place else "lost")
            for place, name in enumerate(names)
        ],
        [Arrival("all", "patient", "s0", per_day=48.0)],
        {name: exponential(1.0) for name in names},
        [*((one, other, 1.0) for one, other in itertools.pairwise(names)), (names[-1], "home", 1.0)],
        days=200,
    )
    expected = theory.saturated_line(count)
    assert expected == pytest.approx({2: 2 / 3, 3: 22 / 39, 4: 0.514775}[count], abs=1e-6)
    result = simulated(it)
    agrees(result, "served", names[-1], expected * 24 * 200, 0.01)
    # the first server is always in use: working for a mean of 1 hour on each patient, held for the rest
    agrees(result, "blocked", "s0", 1 - expected, 0.02)
    agrees(result, "blocked-days", "s0", (1 - expected) * 200, 0.02)


def test_overflow_to_a_second_station() -> None:
    """What the first cannot take goes to the second: both lose what one of their joint size would, if it does not wait."""
    it = network(
        [
            Station("a", "A", servers=4, queue=0, if_full="b"),
            Station("b", "B", servers=6, queue=0, if_full="lost"),
        ],
        [Arrival("all", "patient", "a", per_day=8 * 24.0)],
        {"a": exponential(1.0), "b": exponential(1.0)},
    )
    result = simulated(it)
    over, lost = theory.erlang_b(8.0, 4), theory.erlang_b(8.0, 10)
    agrees(result, "turned-away", "a", over * 8 * 24 * 200, 0.01)
    agrees(result, "occupied", "a", 8 * (1 - over), 0.01)
    agrees(result, "occupied", "b", 8 * (over - lost), 0.01)
    agrees(result, "left", "lost", lost * 8 * 24 * 200)


def chosen(by: str, stations: list[Station], per_hour: float, days: int) -> Result:
    return simulated(
        network(
            stations,
            [Arrival("all", "patient", "either", per_day=per_hour * 24)],
            {station.id: exponential(1.0) for station in stations},
            choices=(Choice("either", tuple(station.id for station in stations), by),),  # type: ignore[arg-type]
            days=days,
        )
    )


def test_first_with_room() -> None:
    first, second, waiting = theory.first_with_room(8.0, 1.0, (4, 6), 300)
    result = chosen("first-with-room", [Station("a", "A", servers=4), Station("b", "B", servers=6)], 8.0, 300)
    agrees(result, "occupied", "a", first, 0.01)
    agrees(result, "occupied", "b", second, 0.01)
    agrees(result, "mean", "all", 1.0 + waiting / 8.0, 0.03)


def test_shortest_queue() -> None:
    first, second = theory.shortest_queue(1.6, 1.0, 60)
    result = chosen("shortest-queue", [Station("a", "A", servers=1), Station("b", "B", servers=1)], 1.6, 400)
    for station, expected in (("a", first), ("b", second)):
        inside = result.values("occupied", station) + result.values("waiting", station)
        half = Z * inside.std(ddof=1) / math.sqrt(len(inside))
        assert half < 0.05 * expected
        assert inside.mean() == pytest.approx(expected, abs=half)
