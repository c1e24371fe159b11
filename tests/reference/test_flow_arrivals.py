"""Whether the rates sampled from daily arrivals are calibrated, and follow what the smoothing of statsmodels forecasts."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from bettercare.flow.arrivals import ArrivalHistory, forecast_arrivals
from bettercare.flow.scores import coverage, pit
from small_flow import NETWORK

WEEK = np.array([1.12, 1.02, 0.98, 0.98, 1.0, 0.95, 0.95])
FIRST = date(2016, 1, 4)


def history(counts: np.ndarray) -> ArrivalHistory:
    rows = [
        {"when": FIRST + timedelta(days=day), "stream": "walk-ins", "count": int(count)}
        for day, count in enumerate(counts)
    ]
    return ArrivalHistory.of(rows, NETWORK)


def after(counts: np.ndarray, gap: int = 0) -> datetime:
    day = FIRST + timedelta(days=len(counts) + gap)
    return datetime(day.year, day.month, day.day)


@pytest.mark.parametrize(("days", "drift", "per_day"), [(36, 0, 60), (201, 3, 300)])
def test_the_mean_is_the_forecast_of_the_totals(days: int, drift: float, per_day: float) -> None:
    """Fitted to the totals themselves, without our square roots, statsmodels forecasts nearly the same week."""
    random = np.random.default_rng(days)
    level = np.maximum(per_day + np.cumsum(random.normal(0, drift, days)), 1)
    counts = random.poisson(level * WEEK[np.arange(days) % 7])
    theirs = ETSModel(counts.astype(float), error="add", seasonal="add", seasonal_periods=7).fit(disp=False).forecast(9)
    ours = forecast_arrivals(NETWORK, history(counts), after(counts), 9, 1000).rates[:, 0].mean(axis=0) * 60
    assert ours == pytest.approx(theirs, abs=0.25 * float(np.std(counts)))
    # Two days later it is still that week, two days on.
    later = forecast_arrivals(NETWORK, history(counts), after(counts, 2), 7, 1000).rates[:, 0].mean(axis=0) * 60
    assert later == pytest.approx(ours[2:], rel=0.03)


def test_sampled_arrivals_are_calibrated() -> None:
    """Days that wander, differ and are counted: the counts drawn around the sampled rates cover those that come."""
    random = np.random.default_rng(5)
    length, ahead, drawn, came = 90, 5, [], []
    for case in range(50):
        level = 60 + np.cumsum(random.normal(0, 0.5, length + ahead))
        rates = np.maximum(level * WEEK[np.arange(length + ahead) % 7], 1) * random.gamma(
            1 / 0.1**2, 0.1**2, length + ahead
        )
        counts = random.poisson(rates)
        known = counts[:length]
        paths = forecast_arrivals(NETWORK, history(known), after(known), ahead, 200, seed=case)
        drawn.append(random.poisson(paths.rates[:, 0] * 60).T.astype(float))
        came.append(counts[length:].astype(float))
    assert coverage(np.array(drawn), np.array(came), 0.9) == pytest.approx(0.9, abs=0.05)
    assert stats.kstest(pit(np.array(drawn), np.array(came)).ravel(), "uniform").pvalue > 0.005
