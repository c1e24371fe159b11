"""The forecast against statsmodels' ETS models: the same model by an independent program."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from bettercare.assurance.forecast import Smoothing, smooth

RANDOM = np.random.default_rng(20141231)


def walks() -> list[np.ndarray]:
    """Series from still to wandering, short and long."""
    made = []
    for points, wander in ((6, 0.2), (12, 0.0), (21, 0.4), (36, 0.8), (60, 1.0), (60, 0.1)):
        level = 350 + np.cumsum(RANDOM.normal(0, 8 * wander, points))
        made.append(level + RANDOM.normal(0, 6, points))
    return made


def likelihood(surprises: np.ndarray) -> float:
    return float(-len(surprises) / 2 * (math.log(2 * math.pi * np.mean(surprises**2)) + 1))


@pytest.mark.parametrize("values", walks(), ids=lambda values: f"{len(values)} points")
def test_simple_smoothing(values: np.ndarray) -> None:
    mine = smooth(values.tolist())
    model = ETSModel(pd.Series(values), error="add")
    fitted = model.fit(disp=False)
    # Ours is on a grid of alpha, and has the exact first level: no worse than theirs by more than a hair.
    assert mine.log_likelihood >= fitted.llf - 0.02
    with model.fix_params({"smoothing_level": min(max(mine.alpha, 1e-4), 1 - 1e-4)}):
        same = model.fit(disp=False)
    assert mine.log_likelihood == pytest.approx(same.llf, abs=0.05)
    assert mine.mean(1) == pytest.approx(same.forecast(1).iloc[0], abs=0.02 * float(np.std(values)))
    frame = same.get_prediction(start=len(values), end=len(values) + 4).summary_frame(alpha=0.2)
    ratio = math.sqrt(len(values) / (len(values) - 2))  # theirs divides by the points, ours by the points less two
    for step in range(1, 6):
        half = (frame["pi_upper"].iloc[step - 1] - frame["pi_lower"].iloc[step - 1]) / 2
        assert 1.2815515655 * mine.deviation(step) == pytest.approx(half * ratio, rel=0.01)


@pytest.mark.parametrize("alpha_index", [0, 10, 35, 50])
def test_the_level_and_the_surprises_are_those_of_the_recursion(alpha_index: int) -> None:
    from bettercare.assurance.forecast import _ALPHAS, _filters, _states

    values = walks()[2]
    alpha = float(_ALPHAS[alpha_index])
    level, _ = _states(values, alpha, 0)
    surprises = []
    for value in values:
        surprises.append(value - level)
        level += alpha * (value - level)
    assert (_filters(len(values), 0)[alpha_index] @ values) == pytest.approx(np.array(surprises), abs=1e-6)


def test_months() -> None:
    """With a strong season the months are found; with fixed effects (gamma nearly nought) statsmodels gives the same likelihood."""
    points = 48
    season = np.array([9, 4, -2, -6, -8, -9, -7, -3, 1, 5, 7, 9], dtype=float)
    values = (
        600 + np.cumsum(RANDOM.normal(0, 1.0, points)) + season[np.arange(points) % 12] + RANDOM.normal(0, 1.5, points)
    )
    mine = smooth(values.tolist(), months=True)
    assert mine.months
    assert math.fsum(mine.months) == pytest.approx(0, abs=1e-9)
    assert np.corrcoef(mine.months, season)[0, 1] > 0.95
    level, _ = _replay(mine, values)
    assert mine.log_likelihood == pytest.approx(likelihood(np.array(level)), abs=1e-6)
    model = ETSModel(values, error="add", seasonal="add", seasonal_periods=12)
    with model.fix_params({"smoothing_level": max(mine.alpha, 1e-3), "smoothing_seasonal": 1e-6}):
        theirs = model.fit(disp=False, maxiter=2000)
    assert mine.log_likelihood >= theirs.llf - 0.05
    # Where theirs has come to rest at the same place, the forecasts agree.
    if theirs.llf > mine.log_likelihood - 0.5:
        ahead = theirs.forecast(12)
        assert [mine.mean(step) for step in range(1, 13)] == pytest.approx(list(ahead), abs=1.0)


def _replay(fitted: Smoothing, values: np.ndarray) -> tuple[list[float], float]:
    """Surprises by the recursion, from the first level that ends at the fitted one."""
    from bettercare.assurance.forecast import _states

    level, months = _states(values, fitted.alpha, 12)
    surprises = []
    for position, value in enumerate(values):
        surprise = float(value) - level - months[position % 12]
        surprises.append(surprise)
        level += fitted.alpha * surprise
    assert level == pytest.approx(fitted.level)
    return surprises, level


def test_no_months_where_there_are_none() -> None:
    values = 350 + RANDOM.normal(0, 5, 48)
    assert smooth(values.tolist(), months=True).months == ()
    assert smooth((350 + RANDOM.normal(0, 5, 23)).tolist(), months=True).months == ()


@pytest.mark.parametrize("wander", [0, 3])
def test_about_eighty_in_a_hundred_lie_within_the_interval(wander: int) -> None:
    """What the interval says, tried on series made by the model itself: a little less, because alpha is estimated too."""
    inside = chances = 0.0
    tries = 1000
    for _ in range(tries):
        level = 1000 + np.cumsum(RANDOM.normal(0, wander, 36))
        values = level + RANDOM.normal(0, 10, 36)
        seen = smooth(values[:33].tolist(), months=True)
        inside += abs(values[35] - seen.mean(3)) <= seen.spread(3)
        chances += seen.chance_below(values[35], 3) < 0.2
    assert 0.75 <= inside / tries < 0.84
    assert 0.15 < chances / tries < 0.27
