"""The smoothing of daily arrivals against statsmodels' ETS models, and whether what it samples is calibrated."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
import pytest
from scipy import stats
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from bettercare.flow.arrivals import ArrivalHistory, forecast_arrivals, smooth
from bettercare.flow.scores import coverage, pit
from small_flow import NETWORK

WEEK = np.array([1.12, 1.02, 0.98, 0.98, 1.0, 0.95, 0.95])


def totals(days: int, drift: float, per_day: float, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    level = np.maximum(per_day + np.cumsum(random.normal(0, drift, days)), 1)
    return random.poisson(level * WEEK[np.arange(days) % 7]).astype(float)


@pytest.mark.parametrize(("days", "drift", "per_day"), [(30, 0, 60), (120, 0, 60), (201, 3, 300), (365, 8, 300)])
def test_smoothing(days: int, drift: float, per_day: float) -> None:
    series = totals(days, drift, per_day, days)
    mine = smooth(series)
    model = ETSModel(series, error="add", seasonal="add", seasonal_periods=7)
    # Their weekdays may move as well: with effects that stand still ours is no worse than a hair.
    assert mine.log_likelihood >= model.fit(disp=False).llf - 0.6
    with model.fix_params({"smoothing_seasonal": 1e-4, "smoothing_level": min(max(mine.alpha, 1.1e-4), 0.9999)}):
        same = model.fit(disp=False)
    assert mine.log_likelihood == pytest.approx(same.llf, abs=0.05)
    assert mine.level + mine.effects == pytest.approx(same.forecast(7), abs=0.05 * float(np.std(series)))
    assert mine.effects.sum() == pytest.approx(0, abs=1e-6)


def test_sampled_arrivals_are_calibrated() -> None:
    """Days that wander, differ and are counted: the counts drawn around the sampled rates cover those that come."""
    random = np.random.default_rng(5)
    length, ahead, drawn, came = 120, 3, [], []
    for case in range(150):
        level = 60 + np.cumsum(random.normal(0, 0.5, length + ahead))
        rates = np.maximum(level * WEEK[np.arange(length + ahead) % 7], 1) * random.gamma(
            1 / 0.1**2, 0.1**2, length + ahead
        )
        counts = random.poisson(rates)
        days = [date(2016, 1, 4) + timedelta(days=day) for day in range(length + ahead)]
        rows = [
            {"when": day, "stream": "walk-ins", "count": int(count)}
            for day, count in zip(days[:length], counts, strict=False)
        ]
        at = datetime(days[length].year, days[length].month, days[length].day)
        paths = forecast_arrivals(NETWORK, ArrivalHistory.of(rows, NETWORK), at, ahead, 200, seed=case)
        drawn.append(random.poisson(paths.rates[:, 0] * 60).T.astype(float))
        came.append(counts[length:].astype(float))
    assert coverage(np.array(drawn), np.array(came), 0.9) == pytest.approx(0.9, abs=0.045)
    assert stats.kstest(pit(np.array(drawn), np.array(came)).ravel(), "uniform").pvalue > 0.005
