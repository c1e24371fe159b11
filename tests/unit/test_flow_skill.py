"""Visits of the past, and forecasts held against what came."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from bettercare.errors import BettercareError
from bettercare.flow.run import run
from bettercare.flow.skill import METHODS, score
from bettercare.flow.visits import Visits, read_log
from small_flow import NETWORK as SMALL


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Visits, Any]:
    log = tmp_path_factory.mktemp("log") / "log.parquet"
    result = run(SMALL, replications=1, seed=7, days=80, log=log, trace=True)
    return read_log(log, SMALL), result


def test_visits_are_what_the_run_counted(lived: tuple[Visits, Any]) -> None:
    visits, result = lived
    hours = [datetime(2016, 4, 4) + timedelta(hours=hour) for hour in range(80 * 24)]
    for station in ("ed", "ward", "community"):
        for what in ("occupied", "waiting"):
            assert (visits.at(hours, station, what) == result.series(station, what)[0][: len(hours)]).all()
    assert visits.synthetic
    assert (
        visits.arrivals().frame["count"].sum()
        == visits.frame.filter(pl.col("stream").is_not_null())["patient"].n_unique()
    )


def test_a_past_state_knows_nothing_of_what_came_after(lived: tuple[Visits, Any]) -> None:
    visits, _ = lived
    at = datetime(2016, 5, 9, 10, 30)
    state = visits.state(SMALL, at)
    assert set(state.rows["state"]) == {"in service", "ready"} or set(state.rows["state"]) == {
        "in service",
        "ready",
        "waiting",
    }
    hidden = [pl.when(pl.col(name) <= at).then(name).alias(name) for name in ("began", "done", "held", "left")]
    past = visits.frame.filter(pl.col("came") <= at).with_columns(hidden)
    held = pl.col("held").is_not_null()
    past = past.with_columns(pl.when(held).then("goes_to").alias("goes_to"))
    assert Visits.of(past, SMALL, visits.first, at).state(SMALL, at).rows.equals(state.rows)


def test_the_forecast_has_skill(lived: tuple[Visits, Any]) -> None:
    visits, _ = lived
    origins = [datetime(2016, 6, 1, 9) + timedelta(days=day) for day in range(16)]
    found = score(SMALL, visits, origins, ahead=(4, 24, 48), replications=60, workers=2)
    assert found.synthetic
    assert set(found.cases["method"]) == set(METHODS)
    assert found.cases.height == len(METHODS) * 16 * 3 * 6
    overall = found.compared(()).row(0, named=True)
    assert overall["skill against persistence"] > 0.1
    assert overall["skill against last week"] > 0.1
    assert overall["skill against no capacities"] > 0
    ward = found.compared(("station", "what")).filter((pl.col("station") == "ward") & (pl.col("what") == "occupied"))
    assert 0.75 <= ward["coverage"][0] <= 1
    table = found.table().filter((pl.col("method") == "bettercare") & (pl.col("what") == "occupied"))
    assert table["bias"].abs().max() < 5
    assert table["brier"].mean() < 0.2


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"origins": []}, "nothing to score"),
        ({"origins": [datetime(2016, 6, 1, 9, 30)]}, "not a whole hour"),
        ({"origins": [datetime(2016, 3, 20)]}, "too little before or after"),
        ({"origins": [datetime(2016, 9, 1)]}, "too little before or after"),
        ({"ahead": (0,)}, "not between 1 and 168"),
        ({"stations": ["mars"]}, "no station 'mars'"),
    ],
)
def test_what_cannot_be_scored_is_refused(lived: tuple[Visits, Any], given: dict[str, Any], says: str) -> None:
    with pytest.raises(BettercareError, match=says):
        score(SMALL, lived[0], **({"origins": [datetime(2016, 6, 1, 9)], "replications": 2} | given))


def test_a_file_that_is_no_log_and_visits_that_run_backwards(tmp_path: Path, lived: tuple[Visits, Any]) -> None:
    path = tmp_path / "log.parquet"
    with pytest.raises(BettercareError, match="not there"):
        read_log(path, SMALL)
    path.write_bytes(b"PAR1 no")
    with pytest.raises(BettercareError, match="not an event log"):
        read_log(path, SMALL)
    frame, first, last = lived[0].frame.head(50), lived[0].first, lived[0].last
    with pytest.raises(BettercareError, match="no column began"):
        Visits.of(frame.drop("began"), SMALL, first, last)
    with pytest.raises(BettercareError, match="left is before"):
        Visits.of(frame.with_columns(left=pl.col("came") - pl.duration(days=1)), SMALL, first, last)
    with pytest.raises(BettercareError, match="no station 'mars'"):
        Visits.of(frame.with_columns(station=pl.lit("mars")), SMALL, first, last)
    with pytest.raises(BettercareError, match="wrong kind"):
        Visits.of(frame.with_columns(came=pl.lit("soon")), SMALL, first, last)
