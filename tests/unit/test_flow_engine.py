"""What the engine does with each thing a network may have."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bettercare.errors import BettercareError
from bettercare.flow import Precision, Scenario, Start, compare, run, warm_up
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Change,
    Choice,
    Clock,
    Distribution,
    Divert,
    Escalation,
    ExtraPlaces,
    Network,
    Patience,
    PatientClass,
    Profile,
    Route,
    Service,
    Shift,
    Station,
    Step,
)
from bettercare.flow.result import estimate
from bettercare.flow.warm_up import truncation
from queue_networks import network as _network

WEEK = (0, 1, 2, 3, 4, 5, 6)


def network(*parts: object, **more: object) -> Network:
    return _network(*parts, **{"classes": (PatientClass("a", "A"),), **more})  # type: ignore[arg-type]


def fixed(hours: float) -> Distribution:
    return Distribution("fixed", mean=hours)


def regular(per_day: float, to: str = "s", patient: str = "a", **more: object) -> Arrival:
    return Arrival("in-" + patient, patient, to, per_day=per_day, spread="even", **more)  # type: ignore[arg-type]


def one_station(arrivals: Arrival, station: Station, time: Distribution, **more: object) -> Network:
    return network([station], [arrivals], {station.id: time}, [(station.id, "home", 1.0)], **more)


def test_patients_spread_evenly_come_as_many_as_the_rate_says() -> None:
    it = one_station(regular(48.0), Station("s", "S", servers=UNLIMITED), fixed(1.0), days=10, warm_up=2)
    result = run(it, 3)
    assert result.values("arrivals", "s") == pytest.approx(480, abs=1)
    assert result.values("occupied", "s") == pytest.approx(2.0, abs=0.01)
    assert result.values("occupancy", "s").tolist() == pytest.approx([np.nan] * 3, nan_ok=True)


def test_arrivals_follow_hour_weekday_and_month() -> None:
    profile = Profile("p", hours=(0.0,) * 12 + (1.0,) * 12, weekdays=(1, 1, 1, 1, 1, 0, 0), months=(2.0,) + (1.0,) * 11)
    stream = Arrival("in", "a", "s", per_day=24.0, profile="p")
    it = one_station(stream, Station("s", "S", servers=UNLIMITED), fixed(0.5), days=365, warm_up=0, profiles=(profile,), starts=date(2018, 1, 1))  # fmt: skip
    result = run(it, 4)
    week = result.by_hour()["occupied"].to_numpy().reshape(7, 24)
    assert week[5:, 1:].max() == 0.0
    assert week[:, 1:12].max() == 0.0
    assert week[0, 14] > 1.0
    january, february = (result.estimate("arrivals", "s", period=f"2018-0{month}").mean for month in (1, 2))
    weekdays = {1: 23, 2: 20}
    assert january / weekdays[1] == pytest.approx(2 * february / weekdays[2], rel=0.1)


def test_a_day_may_have_luck_of_its_own() -> None:
    spread = []
    for varies in (0.0, 0.3):
        it = one_station(
            Arrival("in", "a", "s", per_day=400.0, varies=varies),
            Station("s", "S", servers=UNLIMITED),
            fixed(1.0),
            days=60,
        )
        result = run(it, 4, trace=True)
        spread.append(float(np.std([result.series("s")[:, 12::24]])))
        assert result.estimate("arrivals", "s").mean == pytest.approx(400 * 60, rel=0.04)
    assert spread[1] > spread[0] * 1.3


def test_shifts_add_up_and_a_step_comes_on_its_day() -> None:
    station = Station(
        "s", "S", servers=1, shifts=(Shift((0,), 8, 20, 3), Shift((0,), 18, 2, 2)), steps=(Step(date(2016, 4, 9), 4),)
    )
    it = one_station(regular(1.0), station, fixed(0.1), days=14, warm_up=0, starts=date(2016, 4, 4))
    servers = run(it, 1, trace=False).by_hour()["servers"].to_numpy()
    steps = 4 * np.r_[np.zeros(120), np.full(48, 1.0)] + np.r_[np.full(120, 2.0), np.full(48, 2.0)]
    assert servers[[7, 8, 19, 20, 25, 26]] == pytest.approx([3, 6, 8, 5, 5, 3])
    assert servers[120:] == pytest.approx(1 + steps[120:] / 2 + 1, abs=2)


def test_who_comes_to_a_closed_door_waits_or_goes_where_it_says() -> None:
    day = Station("s", "S", shifts=(Shift(WEEK, 8, 20, 50),))
    it = one_station(regular(24.0), day, fixed(0.1), days=10, warm_up=1)
    assert run(it, 1).values("wait-q95", "s")[0] > 8.0
    it = replace(
        it,
        stations=(replace(day, if_closed="elsewhere"),),
        outcomes=(*it.outcomes, replace(it.outcomes[0], id="elsewhere")),
    )
    result = run(it, 1)
    assert result.values("wait", "s")[0] == 0.0
    assert result.values("left", "elsewhere")[0] == pytest.approx(120, abs=2)


def test_those_who_lose_patience_go_where_it_says() -> None:
    it = one_station(regular(48.0), Station("s", "S", servers=1), fixed(1.0), days=20, warm_up=5)
    it = replace(
        it,
        patience=(Patience("s", "any", fixed(2.0), "gone"),),
        outcomes=(*it.outcomes, replace(it.outcomes[0], id="gone")),
    )
    result = run(it, 2)
    assert result.values("gave-up", "s") == pytest.approx(result.values("left", "gone"))
    assert result.values("gave-up", "s") == pytest.approx(480, rel=0.05)
    assert result.values("wait-q95", "s").max() <= 2.15  # a bin of the histogram is wide


def test_a_full_station_turns_away_and_a_holding_one_keeps() -> None:
    ward = Station("ward", "Ward", servers=1, queue=0)
    door = Station("door", "Door", servers=1, holds=True)
    ways = [("door", "ward", 1.0), ("ward", "home", 1.0)]
    times = {"door": fixed(0.1), "ward": fixed(2.0)}
    kept = run(network([door, ward], [regular(24.0, "door")], times, ways, days=20, warm_up=2), 1)
    assert kept.values("turned-away", "ward")[0] == 0
    assert kept.values("blocked", "door")[0] > 0.8
    assert kept.values("blocked-days", "door")[0] == pytest.approx(kept.values("blocked", "door")[0] * 20)
    assert kept.values("occupancy", "ward")[0] == pytest.approx(1.0, abs=0.01)
    lost = run(network([replace(door, holds=False), ward], [regular(24.0, "door")], times, ways, days=20, warm_up=2), 1)
    assert lost.values("blocked", "door")[0] == 0
    assert lost.values("turned-away", "ward")[0] == pytest.approx(240, abs=5)
    assert lost.values("left", "turned-away")[0] == lost.values("turned-away", "ward")[0]


def test_the_first_with_room_is_taken_in_its_order() -> None:
    stations = [Station("door", "Door", servers=UNLIMITED, holds=True), Station("first", "First", servers=2, queue=0), Station("second", "Second", servers=9, queue=0)]  # fmt: skip
    it = network(
        stations, [regular(24.0, "door")], {"door": fixed(0.0), "first": fixed(4.0), "second": fixed(4.0)},
        [("door", "either", 1.0), ("first", "home", 1.0), ("second", "home", 1.0)], days=20, warm_up=2,
        choices=(Choice("either", ("first", "second"), "first-with-room"),),
    )  # fmt: skip
    result = run(it, 1)
    assert result.values("occupied", "first")[0] == pytest.approx(2.0, abs=0.01)
    assert result.values("occupied", "second")[0] == pytest.approx(2.0, abs=0.01)


def test_the_shorter_queue_is_joined() -> None:
    stations = [Station("one", "One", servers=1), Station("two", "Two", servers=1)]
    it = network(
        stations, [Arrival("in", "a", "either", per_day=40.0)], {"one": Distribution("exponential", mean=1.0), "two": Distribution("exponential", mean=1.0)},
        [("one", "home", 1.0), ("two", "home", 1.0)], days=100, warm_up=5, choices=(Choice("either", ("one", "two"), "shortest-queue"),),
    )  # fmt: skip
    result = run(it, 4)
    assert result.estimate("wait", "one").mean == pytest.approx(result.estimate("wait", "two").mean, rel=0.3)
    alone = run(
        one_station(
            Arrival("in", "a", "s", per_day=20.0),
            stations[0].__class__("s", "S", servers=1),
            Distribution("exponential", mean=1.0),
            days=100,
        ),
        4,
    )
    assert result.estimate("wait", "one").mean < alone.estimate("wait", "s").mean * 0.75


def test_routes_of_a_part_of_the_week_replace_the_others_then() -> None:
    it = one_station(
        regular(24.0), Station("s", "S", servers=UNLIMITED), fixed(0.0), days=14, warm_up=0, starts=date(2016, 4, 4)
    )
    routes = (*it.routes, Route("s", "a", "weekend", 1.0, days=(5, 6), start=0, end=24))
    it = replace(it, routes=routes, outcomes=(*it.outcomes, replace(it.outcomes[0], id="weekend")))
    result = run(it, 1)
    assert result.values("left", "weekend")[0] == pytest.approx(4 * 24, abs=1)
    assert result.values("left", "home")[0] == pytest.approx(10 * 24, abs=1)


def test_a_class_may_change_on_the_way_and_what_was_done_counts_for_what_they_were() -> None:
    stations = [Station("one", "One", servers=UNLIMITED), Station("two", "Two", servers=UNLIMITED)]
    it = network(stations, [regular(24.0, "one")], {"one": fixed(1.0), "two": fixed(2.0)}, [("one", "home", 0.0), ("two", "home", 1.0)],
                 classes=(PatientClass("a", "A"), PatientClass("b", "B")), days=10, warm_up=1)  # fmt: skip
    it = replace(it, routes=(*it.routes, Route("one", "any", "two", 1.0, becomes="b")))
    result = run(it, 1)
    assert result.values("stay", "one", "a")[0] == pytest.approx(1.0)
    assert result.values("served", "one", "b")[0] == 0
    assert result.values("stay", "two", "b")[0] == pytest.approx(2.0)


def test_patients_leave_at_discharge_times() -> None:
    rounds = Profile("rounds", hours=(0.0,) * 11 + (1.0,) + (0.0,) * 12, weekdays=(1, 1, 1, 1, 1, 0, 0))
    ward = Station("s", "Ward", servers=UNLIMITED, leaves_on="rounds")
    it = one_station(regular(24.0), ward, fixed(1.0), days=28, warm_up=7, profiles=(rounds,), starts=date(2016, 4, 4))
    result = run(it, 1)
    inside = result.by_hour()["occupied"].to_numpy()
    drops = np.flatnonzero(np.diff(inside) < -3)
    assert (drops % 24 == 11).all()
    assert set(drops // 24) == {0, 1, 2, 3, 4}
    assert result.values("discharge-days", "s")[0] > 0
    assert result.values("blocked-days", "s")[0] == 0


def test_the_more_urgent_interrupts_and_the_other_goes_on_where_it_stopped() -> None:
    it = network(
        [Station("s", "S", servers=1, preempts=True)], [Arrival(one, one, "s", per_day=day) for one, day in (("low", 8.0), ("high", 4.0))], {"s": fixed(1.0)},
        [("s", "home", 1.0)], classes=(PatientClass("high", "High", 1), PatientClass("low", "Low", 9)), days=40, warm_up=1,
    )  # fmt: skip
    result = run(it, 2)
    assert result.values("wait", "s", "high").max() < 0.2 < result.values("wait", "s", "low").min()
    assert result.values("preempted", "s").min() > 0
    assert result.values("stay", "s", "low") == pytest.approx(1.0)
    assert result.values("occupancy", "s") == pytest.approx(0.5, abs=0.1)


def test_a_clock_runs_over_stations_waits_and_places_kept() -> None:
    stations = [Station("door", "Door", servers=UNLIMITED, holds=True), Station("ward", "Ward", servers=1, queue=0)]
    it = network(stations, [Arrival("in", "a", "door", per_day=3.5)], {"door": fixed(1.0), "ward": fixed(5.0)}, [("door", "ward", 1.0), ("ward", "home", 1.0)],
                 days=300, warm_up=5, clocks=(Clock("ae", "A&E", ("door",), (1.5, 4.0)), Clock("all", "All", ("door", "ward"))))  # fmt: skip
    result = run(it, 1)
    assert result.values("mean", "ae")[0] == pytest.approx(1.0 + result.values("blocked-days", "door")[0] * 24 / result.values("patients", "ae")[0], rel=0.02)  # fmt: skip
    assert result.values("mean", "all")[0] == pytest.approx(result.values("mean", "ae")[0] + 5.0, rel=0.05)
    assert result.values("within-1.5", "ae")[0] < result.values("within-4", "ae")[0] < 1.0
    assert result.values("over-4", "ae")[0] == pytest.approx(1 - result.values("within-4", "ae")[0])
    months = [result.values("patients", "ae", period=period)[0] for period in result.periods]
    assert sum(months) == result.values("patients", "ae")[0]


def busy(days: int = 60) -> Network:
    return one_station(
        Arrival("in", "a", "s", per_day=40.0),
        Station("s", "S", servers=2),
        Distribution("lognormal", mean=1.0, sd=1.0),
        days=days,
    )


def test_the_same_seed_gives_the_same_numbers_on_any_number_of_workers() -> None:
    one, two, other = run(busy(), 6, seed=5), run(busy(), 6, seed=5, workers=2), run(busy(), 6, seed=6)
    assert one.table().equals(two.table())
    assert not one.table().equals(other.table())
    assert run(busy(), 3, seed=5).values("wait", "s").tolist() == one.values("wait", "s")[:3].tolist()


def test_scenarios_meet_the_same_patients_with_the_same_luck() -> None:
    more = Scenario("more", "One more", (Change("servers", "s", add=1.0),))
    found = compare(busy(), [more], 10)
    assert found.base.values("arrivals", "s").tolist() == found.scenarios[0][1].values("arrivals", "s").tolist()
    difference = found.difference("more", "wait", "s")
    alone = found.base.estimate("wait", "s")
    assert difference.high < 0
    unpaired = found.base.values("wait", "s")[::-1] - found.scenarios[0][1].values("wait", "s")
    assert difference.half_width < 1.2 * alone.half_width
    assert np.var(found.base.values("wait", "s") - found.scenarios[0][1].values("wait", "s")) <= np.var(unpaired) * 1.5
    table = found.table([("wait", "s")])
    assert table["difference"].to_list() == [None, pytest.approx(difference.mean)]


def test_a_station_more_changes_nothing_for_those_who_do_not_go_there() -> None:
    it = busy(20)
    with_other = replace(
        it, stations=(Station("new", "New", servers=1), *it.stations), services=(*it.services, Service("new", "any", fixed(1.0))),
        routes=(*it.routes, Route("new", "any", "home", 1.0)), arrivals=(*it.arrivals, Arrival("other", "a", "new", per_day=1.0)),
    )  # fmt: skip
    assert run(it, 2).values("wait", "s").tolist() == run(with_other, 2).values("wait", "s").tolist()


def test_antithetic_pairs_know_the_mean_better() -> None:
    it = one_station(
        Arrival("in", "a", "s", per_day=20.0),
        Station("s", "S", servers=UNLIMITED),
        Distribution("exponential", mean=2.0),
        days=30,
    )
    plain, pairs = run(it, 60), run(it, 60, antithetic=True)
    assert pairs.estimate("stay", "s").half_width < 0.6 * plain.estimate("stay", "s").half_width
    values = pairs.values("stay", "s").reshape(-1, 2)
    assert np.corrcoef(values.T)[0, 1] < -0.5


def test_a_run_goes_on_until_the_measure_is_known() -> None:
    wanted = Precision("wait", "s", relative=0.05, first=4)
    result = run(busy(), 400, until=wanted)
    assert 4 < result.replications < 400
    assert wanted.reached(result)
    assert run(busy(), 400, until=wanted, workers=2).replications == result.replications
    # Nobody is ever held there: that is not known to be so however many times it was not seen.
    assert run(busy(5), 30, until=Precision("blocked", "s", first=4)).replications == 30


def test_the_log_tells_each_patients_story(tmp_path: Path) -> None:
    path = tmp_path / "log.parquet"
    result = run(busy(5), 2, log=path, workers=2)
    log = pl.read_parquet(path)
    assert log.columns == ["replication", "hours", "patient", "event", "at", "class"]
    story = log.filter((pl.col("replication") == 0) & (pl.col("patient") == log["patient"][0]))["event"].to_list()
    assert story[0] == "arrives"
    assert story[-3:] == ["done", "leaves", "out"]
    assert log.filter((pl.col("event") == "out") & (pl.col("hours") >= 0)).height == result.values("left", "home").sum()
    assert [one.name for one in tmp_path.iterdir()] == ["log.parquet"]


def test_an_interrupt_leaves_nothing_behind(tmp_path: Path) -> None:
    def interrupt(what: str, done: int, of: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(busy(), 50, log=tmp_path / "log.parquet", progress=interrupt, workers=2)
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() < 10


def start(state: int, elapsed: float, count: int = 400, **more: object) -> Start:
    zeros = np.zeros(count, dtype=np.int64)
    given = {"residual_hours": np.full(count, np.nan), "goes_to": zeros - 1, **more}
    return Start(datetime(2016, 11, 21, 14, 30), zeros, zeros, np.full(count, elapsed), zeros + state, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", ["exponential", "lognormal", "fixed"])
def test_who_is_there_at_the_start_stays_as_long_as_is_left(kind: str) -> None:
    stay = Distribution(kind, mean=10.0, sd=6.0)
    it = one_station(regular(0.001), Station("s", "S", servers=400), stay, days=3)
    inside = run(it, 2, start=start(1, 6.0), trace=True, days=2).series("s").mean(axis=0)
    assert inside[0] >= 300
    if kind == "fixed":
        assert inside[0] == pytest.approx(400, abs=1)
        assert inside[5] == pytest.approx(0, abs=1)
    else:
        from bettercare.flow.distributions import cdf

        hours = np.arange(0, 10) + 0.5
        left = 400 * (1 - cdf(stay, 6.0 + hours)) / (1 - cdf(stay, 6.0))
        assert inside[:10] == pytest.approx(left, abs=35)


def test_who_is_ready_at_the_start_leaves_and_who_waits_is_seen() -> None:
    it = one_station(regular(0.001), Station("s", "S", servers=400), fixed(10.0), days=3)
    assert run(it, 1, start=start(2, 6.0), trace=True, days=2).series("s")[0, 0] <= 1
    waits = run(replace(it, stations=(Station("s", "S", servers=100),)), 1, start=start(0, 6.0), trace=True, days=2)
    assert waits.series("s", "waiting")[0, 0] == 300
    told = run(it, 1, start=start(1, 6.0, residual_hours=np.full(400, 20.2)), trace=True, days=2).series("s")[0]
    assert told[[19, 20]].tolist() == pytest.approx([400, 0], abs=1)


def test_a_forecasts_path_of_days_multiplies_the_rates() -> None:
    it = one_station(regular(24.0), Station("s", "S", servers=UNLIMITED), fixed(1.0), days=4, warm_up=0)
    rates = np.array([[[1.0, 0.0, 3.0, 1.0]], [[1.0, 1.0, 1.0, 1.0]]])
    result = run(it, 2, day_rates=rates, trace=True)
    occupied = result.series("s")
    assert occupied[0, 30:47].max() == 0
    assert occupied[0, 50:70].mean() == pytest.approx(3.0, abs=0.2)
    assert occupied[1, 30:47].mean() == pytest.approx(1.0, abs=0.1)


def test_a_circle_of_places_kept_is_a_deadlock_and_says_where() -> None:
    stations = [Station(name, f"Ward {name}", servers=2, queue=0, holds=True) for name in "xy"]
    it = network(stations, [Arrival("in", "a", "x", per_day=40.0), Arrival("on", "a", "y", per_day=40.0)], {"x": fixed(1.0), "y": fixed(1.0)},
                 [("x", "y", 1.0), ("y", "x", 0.9), ("y", "home", 0.1)])  # fmt: skip
    with pytest.raises(BettercareError, match=r"Ward [xy].*kept by a patient"):
        run(it, 1)


def test_a_line_that_grows_without_end_says_where(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setattr(sys.modules["bettercare.flow.run"], "MOST_INSIDE", 5000)
    it = one_station(Arrival("in", "a", "s", per_day=400.0), Station("s", "Majors", servers=1), fixed(1.0), days=100)
    with pytest.raises(BettercareError, match="'Majors' grows without end"):
        run(it, 1)


def test_going_round_in_no_time_says_where() -> None:
    it = network([Station(name, f"Ward {name}", servers=UNLIMITED) for name in "xy"], [regular(1.0, "x")], {"x": fixed(0.0), "y": fixed(0.0)},
                 [("x", "y", 1.0), ("y", "x", 1.0)])  # fmt: skip
    with pytest.raises(BettercareError, match="without any time passing"):
        run(it, 1)


@pytest.mark.parametrize(
    "wrong",
    [{"replications": 0}, {"replications": 10**9}, {"workers": 0}, {"days": 0}, {"days": 10**9}, {"warm_up": -1}],
)
def test_absurd_wishes_are_refused_and_leave_nothing(wrong: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(BettercareError, match=r"Ask for"):
        run(busy(), log=tmp_path / "log.parquet", **wrong)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_who_comes_back_hundreds_of_times_has_luck_of_their_own_each_time() -> None:
    it = network(
        [Station("s", "S", servers=UNLIMITED)], [Arrival("in", "a", "s", per_day=4.0)], {"s": Distribution("exponential", mean=0.1)},
        [("s", "s", 0.99), ("s", "home", 0.01)], days=200, warm_up=20,
    )  # fmt: skip
    found = run(it, 10).estimate("occupied", "s")
    assert found.mean == pytest.approx(4.0 / 24 * 0.1 / 0.01, rel=0.08)


def test_a_closed_station_is_not_full() -> None:
    it = one_station(regular(1.0), Station("s", "S", shifts=(Shift(WEEK, 8, 18, 50),)), fixed(0.1), days=20)
    assert run(it, 1).values("full", "s")[0] == 0.0


def test_stations_taken_together() -> None:
    stations = [Station("s", "S", servers=3, holds=True), Station("t", "T", servers=1, queue=0)]
    it = network(stations, [regular(20.0)], {"s": fixed(1.0), "t": fixed(1.25)}, [("s", "t", 1.0)], days=20, warm_up=1)
    result = run(it, 2)

    def both(measure: str) -> float:
        return float((result.values(measure, "s") + result.values(measure, "t"))[0])

    for measure in ("occupied", "servers", "blocked", "blocked-days", "ready", "arrivals"):
        assert result.values(measure, "s+t")[0] == pytest.approx(both(measure))
    assert result.values("blocked", "s")[0] == result.values("ready", "s")[0] > 0
    # All but who is held at the ends have moved, and they were held for the one place there is.
    assert result.values("held-for-days", "t")[0] == pytest.approx(result.values("blocked-days", "s")[0], rel=0.2)
    assert result.values("held-for-days", "s")[0] == 0
    assert result.values("occupancy", "s+t")[0] == pytest.approx(both("occupied") / 4)
    with pytest.raises(BettercareError, match="wait is of one station at a time"):
        result.values("wait", "s+t")


@pytest.mark.parametrize("antithetic", [False, True])
def test_places_and_hours_of_an_escalation_add_up_over_warm_up_and_months(antithetic: bool) -> None:
    rule = Escalation("more", "More", "s", opens=2, closes=-1, after=1, places=(ExtraPlaces("s", 4),))
    times = Distribution("exponential", mean=2.0)
    stations, arrivals = [Station("s", "S", servers=4)], [Arrival("in", "a", "s", per_day=44.0)]
    it = network(stations, arrivals, {"s": times}, days=40, warm_up=5, escalations=(rule,))
    result = run(replace(it, starts=date(2025, 1, 20)), 4, antithetic=antithetic)
    for period in ("all", "2025-01", "2025-02"):
        on, servers = (result.values(name, of, period=period) for name, of in (("escalated", "more"), ("servers", "s")))
        assert (on > 0.05).all()
        assert servers == pytest.approx(4 + 4 * on)
    begun = [result.values("escalations", "more", period=period) for period in ("all", "2025-01", "2025-02")]
    assert begun[0] == pytest.approx(begun[1] + begun[2])


def test_hours_on_are_no_more_than_there_are() -> None:
    rule = Escalation("on", "On", "s", opens=-10, closes=-20, diverts=(Divert("in", 0.5, "lost"),))
    nobody = np.zeros(0, dtype=np.int64)
    half_past = Start(datetime(2025, 1, 30, 8, 30), nobody, nobody, np.zeros(0), nobody, nobody, np.zeros((1, 0)))
    result = run(hourly(rule), 1, start=half_past)
    assert result.values("escalated", "on")[0] == pytest.approx(71.5 / 72)
    assert result.values("escalated", "on", period="2025-02")[0] == pytest.approx(1.0)


def test_a_circle_that_no_escalation_breaks_is_a_deadlock() -> None:
    stations = [Station(name, f"Ward {name}", servers=1, queue=0, holds=True) for name in "xy"]
    other = Escalation("never", "Never", "z", 50, 10, places=(ExtraPlaces("x", 1),))
    it = network(
        [*stations, Station("z", "Z", servers=1)],
        [Arrival("in", "a", "x", per_day=40.0), Arrival("on", "a", "y", per_day=40.0), Arrival("off", "a", "z", per_day=1.0)],
        {name: fixed(1.0) for name in "xyz"}, [("x", "y", 1.0), ("y", "x", 1.0)], days=60, escalations=(other,),
    )  # fmt: skip
    with pytest.raises(BettercareError, match=r"Ward [xy].*kept by a patient"):
        run(it, 1)


def test_the_shortest_queue_is_not_that_of_a_closed_station() -> None:
    stations = [Station("shut", "Shut"), Station("open", "Open", servers=1)]
    either = Choice("either", ("shut", "open"), "shortest-queue")
    it = network(
        stations,
        [Arrival("in", "a", "either", per_day=40.0)],
        {"shut": fixed(1.0), "open": fixed(1.0)},
        choices=(either,),
    )
    assert run(it, 1).values("arrivals", "shut")[0] == 0


def test_antithetic_runs_come_in_whole_pairs() -> None:
    assert run(busy(5), 3, antithetic=True).replications == 4
    values = np.array([1.0, 3.0, 2.0, np.nan, 5.0])
    found = estimate(values, antithetic=True)
    assert found.mean == 2.0
    assert np.isnan(found.low)


@pytest.mark.parametrize(
    ("measure", "of", "patient", "period"),
    [("waits", "s", "all", "all"), ("wait", "ward", "all", "all"), ("wait", "s", "z", "all"), ("wait", "s", "all", "1999-01"),
     ("within-x", "s", "all", "all"), ("within-4", "s", "all", "all"), ("left", "nowhere", "all", "all"), ("full", "s", "a", "all"), ("occupied", "s+ward", "all", "all"), ("escalated", "s", "all", "all")],
)  # fmt: skip
def test_what_a_run_does_not_know_it_says(measure: str, of: str, patient: str, period: str) -> None:
    with pytest.raises(BettercareError):
        run(busy(5), 1).values(measure, of, patient, period)


def test_the_warm_up_is_found() -> None:
    it = one_station(
        Arrival("in", "a", "s", per_day=50.0),
        Station("s", "S", servers=UNLIMITED),
        Distribution("exponential", mean=10.0, unit="days"),
        days=200,
    )
    found = warm_up(it, days=200, replications=4)
    assert found.settled
    assert 15 <= found.days <= 90
    rng = np.random.default_rng(1)
    assert truncation(rng.normal(size=400)) < 150
    assert truncation(np.r_[np.linspace(0, 1, 100), np.ones(300)] + rng.normal(scale=0.01, size=400)) >= 90


def test_a_clock_starts_where_those_who_waited_for_several_are_taken_in() -> None:
    stations = [
        Station("first", "First", servers=0, shifts=(Shift(WEEK, 0, 1, 1),)),
        Station("second", "Second", shifts=(Shift(WEEK, 12, 13, 99),)),
    ]
    it = network(
        stations, [Arrival("in", "a", "either", per_day=24.0)], {"first": fixed(0.5), "second": fixed(0.5)},
        [("first", "home", 1.0), ("second", "home", 1.0)], days=20, warm_up=2,
        choices=(Choice("either", ("first", "second"), "first-with-room"),),
        clocks=(Clock("there", "There", ("second",)),),
    )  # fmt: skip
    result = run(it, 2)
    assert result.values("served", "second").min() > 200
    assert result.values("patients", "there") == pytest.approx(result.values("served", "second"), abs=1)


def hourly(*escalations: Escalation, **more: object) -> Network:
    """A patient an hour, on the hour, and one place where each is cared for two hours; more come than can be."""
    arrivals = [Arrival("in", "a", "s", every=fixed(1.01))]
    return network([Station("s", "S", servers=1)], arrivals, {"s": fixed(2.0)}, days=3, warm_up=0, escalations=escalations, **more)  # fmt: skip


def test_extra_places_open_when_too_many_have_waited_and_close_when_few_do() -> None:
    rule = Escalation("more", "More", "s", opens=3, closes=1, after=2, places=(ExtraPlaces("s", 4),))
    result = run(hourly(rule), 1, trace=True)
    busy, waiting = result.recorded[0].trace[:72, 0, 0], result.recorded[0].trace[:72, 0, 1]
    on, so_long, states = False, 0, []
    for beyond in busy + waiting - 1:
        so_long = so_long + 1 if beyond >= 3 else 0
        on = beyond > 1 if on else so_long > 2
        so_long = 0 if on else so_long
        states.append(on)
    times = sum(now and not before for before, now in zip([False, *states], states, strict=False))
    assert times > 2
    assert not all(states[states.index(True) :])
    assert result.values("escalations", "more") == times
    assert result.values("escalated", "more") == pytest.approx(np.mean(states))
    assert result.values("servers", "s") == pytest.approx(1 + 4 * np.mean(states))
    # The five places are all in use an hour after they opened.
    assert busy[states.index(True) : states.index(True) + 2].tolist() == [1, 5]
    assert set(result.table().filter(pl.col("of") == "more")["measure"]) == {"escalated", "escalations"}


def test_who_is_there_at_the_start_can_be_cause_for_an_escalation() -> None:
    rule = Escalation("more", "More", "s", opens=3, closes=1, after=20, places=(ExtraPlaces("s", 4),))
    five = np.zeros(5, dtype=np.int64)
    waiting = Start(datetime(2025, 1, 6, 8), five, five, np.zeros(5), five, five - 1, np.full(5, np.nan))
    trace = run(hourly(rule), 1, trace=True, start=waiting).recorded[0].trace[:, 0, 0]
    assert trace[8:11].tolist() == [1, 5, 5]


@pytest.mark.parametrize(("state", "to"), [(0, -1), (2, 1)])
def test_nobody_begins_on_the_way_to_where_their_class_has_no_time(state: int, to: int) -> None:
    stations = [Station("t", "T", servers=1), Station("s", "S", servers=1)]
    one, two = PatientClass("a", "A"), PatientClass("b", "B")
    it = network(stations, [regular(1.0)], {("s", "a"): fixed(1.0), ("t", "b"): fixed(1.0)}, classes=(one, two), days=2)
    at = np.array([1 if state == 0 else 0])
    begun = Start(
        datetime(2025, 1, 6, 8), at, np.array([1]), np.zeros(1), np.array([state]), np.array([to]), np.full(1, np.nan)
    )
    with pytest.raises(BettercareError, match="how long those of their class stay"):
        run(it, 1, start=begun)


def test_an_escalation_that_never_begins_changes_nothing() -> None:
    never = Escalation(
        "never", "Never", "s", 10_000, 0, places=(ExtraPlaces("s", 4),), diverts=(Divert("in", 1.0, "lost"),)
    )
    assert run(hourly(never), 1).values("escalations", "never") == 0
    assert run(hourly(never), 1).values("wait", "s") == run(hourly(), 1).values("wait", "s")


@pytest.mark.parametrize(("shares", "lost"), [((1.0,), 1.0), ((0.25, 0.5), 0.75), ((0.75, 0.75), 1.0)])
def test_a_stream_is_diverted_while_an_escalation_is_on(shares: tuple[float, ...], lost: float) -> None:
    # On from the first hour that somebody is there, for good.
    rules = [
        Escalation(f"e{n}", "E", "s", -10, -20, diverts=(Divert("in", share, "lost"),))
        for n, share in enumerate(shares)
    ]
    it = hourly(*rules)
    result = run(replace(it, days=200, stations=(replace(it.stations[0], servers=4),)), 1)
    total = result.values("left", "lost") + result.values("left", "home")
    assert result.values("left", "lost") / total == pytest.approx(lost, abs=0.02)


def test_planned_patients_put_off_are_the_same_in_every_scenario() -> None:
    rule = Escalation("off", "Off", "s", -10, -20, diverts=(Divert("in", 0.5, "lost"),))
    it = replace(hourly(rule), days=100, stations=(Station("s", "S", servers=4),))
    slower = replace(it, services=(replace(it.services[0], time=fixed(3.0)),))
    assert run(it, 1).values("left", "lost") == run(slower, 1).values("left", "lost")


def test_a_place_that_only_an_escalation_opens_is_no_deadlock() -> None:
    stations = [Station("s", "S", servers=1, holds=True), Station("t", "T", servers=0, queue=0)]
    arrivals = [Arrival("in", "a", "s", every=fixed(1.0))]
    rule = Escalation("open", "Open", "s", 5, 1, places=(ExtraPlaces("t", 1),))
    it = network(
        stations,
        arrivals,
        {"s": fixed(0.1), "t": fixed(0.1)},
        [("s", "t", 1.0)],
        days=5,
        warm_up=0,
        escalations=(rule,),
    )
    assert run(it, 1).values("served", "t") > 50
