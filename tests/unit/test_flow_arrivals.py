"""Arrivals so far, read with every fault, and the rates forecast from them."""

from __future__ import annotations

import subprocess
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from bettercare.errors import BettercareError
from bettercare.flow.arrivals import ArrivalHistory, HistoryError, forecast_arrivals, read_arrivals
from small_flow import NETWORK as SMALL

AT = datetime(2016, 4, 11, 10, 30)


def history(
    days: int, per_day: float, stream: str = "walk-ins", hourly: bool = False, seed: int = 1, until: datetime = AT
) -> ArrivalHistory:
    generator = np.random.default_rng(seed)
    first = until.date() - timedelta(days=days)
    rows: list[dict[str, Any]] = []
    for day in range(days + hourly):
        on = first + timedelta(days=day)
        if not hourly:
            rows.append({"when": on, "stream": stream, "count": int(generator.poisson(per_day))})
            continue
        last = until.hour if on == until.date() else 24
        rows += [
            {
                "when": datetime(on.year, on.month, on.day, hour),
                "stream": stream,
                "count": int(generator.poisson(per_day / 24)),
            }
            for hour in range(last)
        ]
    return ArrivalHistory.of(rows, SMALL)


def test_rates_follow_the_history() -> None:
    paths = forecast_arrivals(SMALL, history(90, 120), AT, 4, 400)
    assert paths.known == (True, False)
    assert paths.rates[:, 0].mean() == pytest.approx(2, rel=0.05)
    assert (paths.rates[:, 1] == 1).all()
    assert paths.methods["walk-ins"] == "Exponential smoothing with a season of the week, from 90 days."
    assert paths.methods["ambulances"] == "No history: the network's own rate."
    onto = paths.onto(SMALL)
    assert onto.arrivals[0].profile == "forecast:walk-ins"
    assert onto.arrivals[1] == SMALL.arrivals[1]
    table = paths.table(SMALL)
    assert table.filter(pl.col("stream") == "walk-ins")["mean"].mean() == pytest.approx(120, rel=0.05)
    monday = table.filter((pl.col("stream") == "ambulances") & (pl.col("day") == date(2016, 4, 11)))
    assert monday["mean"][0] == pytest.approx(44)


def test_a_stream_draws_the_same_whatever_the_others_do() -> None:
    alone = forecast_arrivals(SMALL, history(90, 60), AT, 3, 50, seed=3)
    with_more = ArrivalHistory(pl.concat([history(90, 60).frame, history(90, 40, "ambulances").frame]))
    both = forecast_arrivals(SMALL, with_more, AT, 3, 50, seed=3)
    assert (alone.rates[:, 0] == both.rates[:, 0]).all()
    assert not (alone.rates == forecast_arrivals(SMALL, history(90, 60), AT, 3, 50, seed=4).rates).all()


def test_little_history_falls_back_and_says_so() -> None:
    paths = forecast_arrivals(SMALL, history(10, 90), AT, 3, 2000)
    assert "a season of the week needs 35 days" in paths.methods["walk-ins"]
    # Ten days of 90 and the network's 60 as one day, in the network's own week.
    assert paths.rates[:, 0, 1:].mean() == pytest.approx((900 + 60) / (603 + 60), rel=0.08)
    rare = forecast_arrivals(SMALL, history(60, 2), AT, 2, 50)
    assert "too few patients a day" in rare.methods["walk-ins"]
    frame = history(90, 60).frame
    gappy = forecast_arrivals(SMALL, ArrivalHistory(frame.filter(pl.col("day").dt.weekday() < 5)), AT, 2, 50)
    assert "of the days have no figure" in gappy.methods["walk-ins"]
    stale = forecast_arrivals(SMALL, history(60, 60, until=AT - timedelta(days=20)), AT, 2, 50)
    assert stale.warnings == ("walk-ins: the last whole day of the history is 21 days before the forecast.",)
    assert forecast_arrivals(SMALL, ArrivalHistory(frame.clear()), AT, 2, 50).known == (False, False)


def test_what_came_today_is_used_and_what_comes_later_is_not() -> None:
    hourly = history(60, 60, hourly=True)
    usual = forecast_arrivals(SMALL, hourly, AT, 1, 500).rates[:, 0, 0].mean()
    today = pl.col("day") == AT.date()
    busy = ArrivalHistory(
        hourly.frame.with_columns(pl.when(today).then(pl.col("count") + 8).otherwise("count").alias("count"))
    )
    assert forecast_arrivals(SMALL, busy, AT, 1, 500).rates[:, 0, 0].mean() > usual
    later = hourly.frame.with_columns(pl.col("day") + pl.duration(days=1), count=pl.col("count") * 50.0).filter(
        pl.col("day") > AT.date()
    )
    peeking = ArrivalHistory(pl.concat([hourly.frame, later.cast(dict(hourly.frame.schema))]))
    assert forecast_arrivals(SMALL, peeking, AT, 1, 500).rates[:, 0, 0].mean() == usual


def test_hours_without_a_row_had_none_and_days_without_one_are_not_known() -> None:
    rows = [
        {"when": datetime(2016, 2, 10, hour) + timedelta(days=day), "stream": "walk-ins", "count": 30}
        for day in range(50)
        for hour in (0, 12)
        if day != 29
    ]
    paths = forecast_arrivals(SMALL, ArrivalHistory.of(rows, SMALL), datetime(2016, 3, 31), 2, 100)
    assert paths.methods["walk-ins"].endswith("from 50 days, 1 of them filled in from their weekday.")
    assert paths.rates[:, 0].mean() == pytest.approx(1, rel=0.1)
    assert paths.hours[0, [0, 12]].sum() > 0.6
    assert paths.hours.sum(axis=1) == pytest.approx([1, 1])


def test_a_row_for_each_patient_will_do(tmp_path: Path) -> None:
    path = tmp_path / "arrivals.csv"
    path.write_text(
        "when,stream,count\n2016-04-01T13:07,walk-ins,1\n2016-04-01T13:07,walk-ins,1\n2016-04-01 14:59:59,walk-ins,1\n",
        encoding="utf-8",
    )
    found = read_arrivals(path, SMALL)
    assert found.frame.select("hour", "count").rows() == [(13, 2.0), (14, 1.0)]
    assert found.ends == datetime(2016, 4, 1, 15)


def test_every_fault_of_a_history_at_once(tmp_path: Path) -> None:
    path = tmp_path / "arrivals.csv"
    rows = [
        "2016-04-01T13:00,walk-ins,3", "2016-04-01T13:00,walk-ins,3", "2016-04-02,walk-ins,3", "2016-04-02,mars,3", "soon,walk-ins,3",
        "2016-04-03T13:00,walk-ins,-1", "2016-04-03T14:00,walk-ins,1.5", "2016-04-03T15:00,walk-ins,nan", "2016-04-03T16:00Z,walk-ins,1",
        "2016-04-03T17:00,walk-ins,99999999",
    ]  # fmt: skip
    path.write_text("when,stream,count\n" + "\n".join(rows), encoding="utf-8")
    with pytest.raises(HistoryError) as refused:
        read_arrivals(path, SMALL)
    assert [(fault.where.removeprefix("arrivals.csv, "), fault.what) for fault in refused.value.faults] == [
        ("row 3, column when", "walk-ins is already counted at arrivals.csv, row 2."),
        ("row 4, column when", "walk-ins is counted by day here and by hour at arrivals.csv, row 2."),
        ("row 5, column stream", "The network has no stream 'mars'."),
        ("row 6, column when", "'soon' is not a date, or date and time."),
        ("row 7, column count", "-1 is not a number of patients."),
        ("row 8, column count", "1.5 is not a number of patients."),
        ("row 9, column count", "'nan' is not a number."),
        ("row 10, column when", "'2016-04-03T16:00Z' carries a time zone."),
        ("row 11, column count", "1e+08 is not a number of patients."),
    ]
    for days, replications in ((0, 5), (3, 0), (10**6, 5)):
        with pytest.raises(BettercareError, match="cannot be"):
            forecast_arrivals(SMALL, None, AT, days, replications)
    with pytest.raises(BettercareError, match="no row"):
        ArrivalHistory.of([], SMALL)
    with pytest.raises(BettercareError, match="not there"):
        read_arrivals(tmp_path / "none.csv", SMALL)


def test_days_that_are_all_the_same_and_a_fit_that_fails_are_forecast_too(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"when": AT.date() - timedelta(days=day), "stream": "walk-ins", "count": 90} for day in range(1, 61)]
    same = ArrivalHistory.of(rows, SMALL)
    paths = forecast_arrivals(SMALL, same, AT, 3, 50)
    assert paths.warnings == ()
    assert paths.rates[:, 0] == pytest.approx(1.5, rel=0.01)
    from statsmodels.tsa.exponential_smoothing import ets

    fit = ets.ETSModel.fit
    varied = history(60, 60)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ets.ETSModel, "fit", lambda model, **given: fit(model, maxiter=1, **given))
        unsettled = forecast_arrivals(SMALL, varied, AT, 3, 50)
    assert unsettled.warnings == (
        "walk-ins: The search for its best fit did not settle: the best that was found is used.",
    )

    def fails(*_: Any, **__: Any) -> None:
        raise np.linalg.LinAlgError

    monkeypatch.setattr(ets.ETSModel, "fit", fails)
    failed = forecast_arrivals(SMALL, varied, AT, 3, 50)
    assert "exponential smoothing could not be fitted to them" in failed.methods["walk-ins"]
    assert failed.rates[:, 0].mean() == pytest.approx(1, rel=0.1)


def test_statsmodels_is_imported_only_when_it_is_needed() -> None:
    code = "import sys, bettercare.flow, bettercare.flow.arrivals; sys.exit('statsmodels' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
