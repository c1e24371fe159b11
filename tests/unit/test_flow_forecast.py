"""The forecast from now: against closed forms, who is where at the start, and what decisions change."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
import pytest
from scipy import stats

from bettercare.errors import BettercareError
from bettercare.flow import distributions
from bettercare.flow.forecast import forecast
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Change,
    Distribution,
    Network,
    Outcome,
    PatientClass,
    Profile,
    Route,
    Scenario,
    Service,
    Shift,
    Station,
    Step,
)
from bettercare.flow.now import Now
from bettercare.flow.start_state import start_of
from small_flow import NETWORK as SMALL

AT = datetime(2016, 4, 11, 10, 30)


def one_unit(time: Distribution, per_day: float = 48, **station: Any) -> Network:
    """One class, one stream, one station."""
    return Network(
        "one", "One unit", date(2016, 4, 4), 7, 0, (PatientClass("a", "A"),),
        (Arrival("come", "a", "ward", per_day=per_day),), (Station("ward", "Ward", **station),),
        (Service("ward", "a", time),), (Route("ward", "a", "home", 1.0),), (Outcome("home", "Home"),),
    )  # fmt: skip


def there(
    network: Network, count: int, hours: float = 5, state: str = "in service", at: datetime = AT, **cells: Any
) -> Now:
    """So many patients at the first station for so long."""
    row = {
        "station": network.stations[0].id,
        "class": network.classes[0].id,
        "since": at - timedelta(hours=hours),
        "state": state,
        **cells,
    }
    return Now.of([{"patient": f"p{number}", **row} for number in range(count)], network, at)


# --- against closed forms ---------------------------------------------------------------------------------------------------------


def test_without_limits_it_is_binomial_and_poisson() -> None:
    """M(t)/G/infinity from a state: those there stay with the conditional survival, those to come are Poisson."""
    time = Distribution("lognormal", mean=10, sd=8)
    network = one_unit(time, servers=UNLIMITED)
    found = forecast(network, there(network, 60), hours=24, replications=4000, workers=2)
    for hour in (1, 6, 24):
        ahead = (found.times[hour - 1] - AT).total_seconds() / 3600
        stays = (1 - distributions.cdf(time, 5 + ahead)) / (1 - distributions.cdf(time, 5))
        grid = np.linspace(0, ahead, 2001)
        new = 2 * float(np.trapezoid(1 - distributions.cdf(time, grid), grid))
        samples = found.samples("ward")[:, hour - 1]
        mean, variance = 60 * float(stays) + new, 60 * float(stays * (1 - stays)) + new
        assert samples.mean() == pytest.approx(mean, abs=5 * math.sqrt(variance / 4000))
        assert samples.var() == pytest.approx(variance, rel=0.12)


def test_expected_discharges_are_drawn_around() -> None:
    """Each replication draws its own: the count still there is binomial with the lognormal's survival."""
    network = one_unit(Distribution("fixed", mean=10_000), per_day=0.001, servers=UNLIMITED)
    found = forecast(
        network, there(network, 40, expected_discharge=AT + timedelta(hours=10)), hours=24, replications=1000
    )
    for hour in (4, 10, 20):
        stays = float(stats.norm.sf(math.log((hour - 0.5) / 10) / 0.5))
        samples = found.samples("ward")[:, hour - 1]
        assert samples.mean() == pytest.approx(40 * stays, abs=0.35)
        assert samples.var() == pytest.approx(40 * stays * (1 - stays), rel=0.2)
    sure = forecast(
        network,
        there(network, 40, expected_discharge=AT + timedelta(hours=10)),
        hours=24,
        replications=5,
        expected_error=0,
    )
    assert sure.samples("ward")[:, [9, 10]].tolist() == [[40, 0]] * 5


def test_those_who_are_ready_leave_at_discharge_times_that_are_still_to_come() -> None:
    """Between 12 and 13 on every day: who is there at 12:30 goes before 13:00, and nobody waits for tomorrow."""
    network = one_unit(Distribution("fixed", mean=10_000), per_day=0.001, servers=UNLIMITED, leaves_on="noon")
    noon = Profile("noon", hours=tuple(float(hour == 12) for hour in range(24)), weekdays=(1, 0.5, 1, 1, 1, 1, 1))
    network = replace(network, profiles=(noon,))
    monday = datetime(2016, 4, 11, 12, 30)
    now = there(network, 200, hours=50, state="ready", at=monday)
    assert (forecast(network, now, hours=2, replications=20).samples("ward") == 0).all()
    # On a Tuesday half go: of those still there at 12:30, a quarter of all would go later and half not at all.
    tuesday = there(network, 200, hours=50, state="ready", at=monday + timedelta(days=1))
    found = forecast(network, tuesday, hours=26, replications=50).samples("ward")
    assert found[:, 0].mean() == pytest.approx(200 * 2 / 3, abs=5)
    assert (found[:, 24] == 0).all()
    # Done at 12:15 today: those who drew an earlier time wait for tomorrow.
    late = there(network, 200, hours=50, state="ready", at=monday, ready_since=monday - timedelta(minutes=15))
    found = forecast(network, late, hours=26, replications=50).samples("ward")
    assert found[:, 0].mean() == pytest.approx(200 * 0.25 / 0.75, abs=5)


def test_an_expected_date_is_a_time_of_that_day() -> None:
    network = one_unit(Distribution("fixed", mean=10_000), servers=UNLIMITED)
    today, past = there(network, 1, expected_discharge="2016-04-11"), there(network, 1, expected_discharge="2016-04-10")
    assert start_of(today, network, 2, expected_error=0).residual_hours.tolist() == [3.5]
    assert np.isnan(start_of(past, network, 2).residual_hours).all()
    assert start_of(there(network, 1, expected_discharge=AT), network, 2, expected_error=0).residual_hours.tolist() == [
        1.0
    ]


# --- who is where -----------------------------------------------------------------------------------------------------------------


def test_places_are_taken_before_others_try_to_come() -> None:
    rows = [
        {"patient": "w", "station": "ed", "class": "walk-in", "since": AT - timedelta(hours=9), "state": "waiting"},
        {
            "patient": "r1",
            "station": "ed",
            "class": "major",
            "since": AT - timedelta(hours=5),
            "state": "ready",
            "goes_to": "ward",
        },
        {
            "patient": "r2",
            "station": "ward",
            "class": "medical",
            "since": AT - timedelta(hours=80),
            "state": "ready",
            "goes_to": "community",
        },
        {
            "patient": "c",
            "station": "community",
            "class": "medical",
            "since": AT - timedelta(hours=90),
            "state": "in service",
        },
    ]
    tight = replace(
        SMALL,
        stations=(SMALL.stations[0], replace(SMALL.stations[1], servers=1), replace(SMALL.stations[2], servers=1)),
    )
    now = Now.of(rows, tight, AT)
    start = start_of(now, tight, 2)
    assert start.station.tolist() == [2, 1, 0, 0]
    assert start.state.tolist() == [1, 2, 2, 0]
    assert start.goes_to.tolist() == [-1, 2, 1, -1]
    # Who waits for the ward is of the class that the route to it gives.
    assert [tight.classes[number].id for number in start.patient_class] == ["medical", "medical", "medical", "walk-in"]
    # With room in the community hospital its patient waits for a discharge time, and not for a place.
    roomy = replace(tight, stations=(*tight.stations[:2], replace(tight.stations[2], servers=9)))
    start = start_of(now, roomy, 2)
    assert (start.state.tolist()[1], start.goes_to.tolist()[1]) == (2, -1)
    assert np.isfinite(np.atleast_2d(start.residual_hours)[:, 1]).all()


def test_one_long_ready_of_whom_nothing_is_said_waits_for_a_station_without_room() -> None:
    """Without it the ward would be emptied of those it cannot send on."""
    full = replace(SMALL, stations=(*SMALL.stations[:2], replace(SMALL.stations[2], servers=1)))
    row = {"class": "medical", "since": AT - timedelta(days=20), "state": "ready"}
    long, just = AT - timedelta(days=12), AT
    rows = [{**row, "patient": "c", "station": "community", "state": "in service"}]
    rows += [{**row, "patient": f"l{n}", "station": "ward", "ready_since": long} for n in range(10)]
    rows += [{**row, "patient": f"j{n}", "station": "ward", "ready_since": just} for n in range(10)]
    rows += [{**row, "patient": f"u{n}", "station": "ward"} for n in range(10)]

    def waiting(network: Network) -> dict[str, int]:
        start = start_of(Now.of(rows, network, AT), network, 2)
        held = start.elapsed_hours[start.goes_to == 2]
        return {"held": len(held), "leaving": int((np.atleast_2d(start.residual_hours)[0] >= 0).sum())}

    assert waiting(full) == {"held": 10, "leaving": 20}
    # With room there nobody can be waiting for it.
    assert waiting(replace(SMALL, stations=(*SMALL.stations[:2], replace(SMALL.stations[2], servers=9))))["held"] == 0


def test_blocked_patients_stay_until_there_is_room() -> None:
    tight = replace(SMALL, stations=(SMALL.stations[0], replace(SMALL.stations[1], servers=2), SMALL.stations[2]))
    row = {
        "class": "medical",
        "since": AT - timedelta(hours=1),
        "state": "in service",
        "expected_discharge": AT + timedelta(days=9),
    }
    rows = [{**row, "patient": f"b{n}", "station": "ward"} for n in range(2)]
    rows += [
        {
            "patient": "r",
            "station": "ed",
            "class": "major",
            "since": AT - timedelta(hours=5),
            "state": "ready",
            "goes_to": "beds",
        }
    ]
    found = forecast(tight, Now.of(rows, tight, AT), hours=12, replications=50, expected_error=0.01)
    assert (found.samples("ward") == 2).all()
    assert (found.samples("ed", "blocked") >= 1).all()


def test_places_added_before_now_are_there_at_once_and_those_to_come_on_their_day() -> None:
    steps = (Step(date(2016, 4, 5), 3), Step(date(2016, 4, 12), -4))
    network = one_unit(Distribution("fixed", mean=10_000), per_day=0.001, servers=2, steps=steps)
    now = there(network, 9, state="waiting", at=datetime(2016, 4, 11, 10, 59))
    found = forecast(network, now, hours=20, replications=3)
    assert (found.samples("ward")[:, 0] == 5).all()
    assert (found.samples("ward", "waiting")[:, 0] == 4).all()
    assert found.places[""][0].tolist() == [5] * 13 + [1] * 7


def test_nobody_there_is_a_forecast_too() -> None:
    found = forecast(SMALL, Now.of([], SMALL, AT), hours=3, replications=5)
    assert found.table().height == 3 * 3 * 3
    assert found.differences().is_empty()


# --- what it says -----------------------------------------------------------------------------------------------------------------


def test_when_a_unit_runs_out() -> None:
    never_leave = one_unit(Distribution("fixed", mean=10_000), per_day=24, servers=8)
    evenly = replace(never_leave, arrivals=(replace(never_leave.arrivals[0], spread="even"),))
    found = forecast(evenly, there(evenly, 5), hours=12, replications=100)
    # One an hour: the third free place goes within three hours.
    first = found.first_full().row(0, named=True)
    assert first["chance"] == 1
    assert first["first_hour"] in (3, 4)
    assert first["at_risk_from"] == first["first_hour"]
    chances = found.runs_out()["chance"].to_list()
    assert chances[0] == 0
    assert chances[4:] == [1.0] * 8
    assert chances == sorted(chances)
    shut = replace(
        evenly, stations=(replace(evenly.stations[0], servers=0, shifts=(Shift(tuple(range(7)), 8, 14, 8),)),)
    )
    closed = forecast(shut, there(shut, 5), hours=12, replications=20).runs_out()
    assert closed.filter(pl.col("chance").is_null())["at"].min() == datetime(2016, 4, 11, 14)
    unlimited = replace(evenly, stations=(replace(evenly.stations[0], servers=UNLIMITED),))
    assert forecast(unlimited, there(unlimited, 5), hours=2, replications=5).runs_out().is_empty()


def test_decisions_meet_the_same_patients() -> None:
    rows = [
        {
            "patient": f"b{n}",
            "station": "ward",
            "class": "medical",
            "since": AT - timedelta(hours=3 * n + 1),
            "state": "in service",
        }
        for n in range(84)
    ]
    now = Now.of(rows, SMALL, AT)
    nothing = Scenario("nothing", "No change", (Change("servers", "ward", add=0),))
    calls: list[tuple[int, int]] = []
    found = forecast(
        SMALL,
        now,
        hours=36,
        replications=60,
        decisions=["more-beds", nothing],
        progress=lambda _, done, of: calls.append((done, of)),
    )
    assert calls[-1] == (180, 180)
    for what in ("occupied", "waiting", "blocked"):
        assert (found.samples("ward", what, "nothing") == found.samples("ward", what)).all()
    differences = found.differences().filter(pl.col("decision") == "more-beds")
    blocked = differences.filter((pl.col("station") == "ed") & (pl.col("what") == "blocked"))
    assert blocked["mean"].max() <= 0
    assert blocked["mean"].min() < -0.2
    assert (blocked["low"] <= blocked["mean"]).all()
    assert (blocked["high"] >= blocked["mean"]).all()
    full = found.first_full().filter(pl.col("station") == "ward")
    assert (
        full.filter(pl.col("decision") == "more-beds")["chance"][0] < full.filter(pl.col("decision") == "")["chance"][0]
    )


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_workers() -> None:
    now = there(SMALL, 12, hours=2)
    one, two, other = (
        forecast(SMALL, now, hours=12, replications=16, seed=seed, workers=workers)
        for seed, workers in ((4, 1), (4, 2), (5, 1))
    )
    assert one.table().equals(two.table())
    assert not one.table().equals(other.table())


def test_the_table_is_in_order() -> None:
    found = forecast(SMALL, there(SMALL, 12, hours=2), hours=30, replications=40).table()
    assert found.columns == [
        "decision",
        "station",
        "title",
        "hour",
        "at",
        "what",
        "mean",
        "p05",
        "p25",
        "p50",
        "p75",
        "p95",
    ]
    assert found["at"].min() == datetime(2016, 4, 11, 11)
    assert found["at"].max() == datetime(2016, 4, 12, 16)
    ranks = found.select("p05", "p25", "p50", "p75", "p95").to_numpy()
    assert (np.diff(ranks, axis=1) >= 0).all()


def test_on_the_hour_the_first_turn_is_the_next() -> None:
    at = datetime(2016, 4, 11, 10)
    network = one_unit(Distribution("fixed", mean=6.5), per_day=0.001, servers=9)
    found = forecast(network, there(network, 4, at=at), hours=3, replications=3)
    assert found.times[0] == datetime(2016, 4, 11, 11)
    assert found.samples("ward").tolist() == [[4, 0, 0]] * 3


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"hours": 0}, "0 hours cannot be forecast"),
        ({"hours": 10**6}, "cannot be forecast"),
        ({"replications": 1}, "cannot have 1 replications"),
        ({"expected_error": math.nan}, "cannot be nan"),
        ({"decisions": ["no-such"]}, "no scenario 'no-such'"),
        ({"decisions": ["more-beds", "more-beds"]}, "the same id"),
        ({"workers": 0}, "0 workers"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(given: dict[str, Any], says: str) -> None:
    with pytest.raises(BettercareError, match=says):
        forecast(SMALL, there(SMALL, 1), **({"hours": 2, "replications": 2} | given))


def test_a_state_of_another_network_and_a_station_that_is_not_there() -> None:
    with pytest.raises(BettercareError, match="not of 'small'"):
        forecast(SMALL, there(one_unit(Distribution("fixed", mean=1)), 1))
    found = forecast(SMALL, there(SMALL, 1), hours=1, replications=2)
    for asked, says in (
        (("mars",), "no station 'mars'"),
        (("ed", "sleeping"), "not forecast"),
        (("ed", "occupied", "x"), "no decision 'x'"),
    ):
        with pytest.raises(BettercareError, match=says):
            found.samples(*asked)
