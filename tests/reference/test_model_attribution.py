"""Attribution and distributions against worked numbers, other people's programs and closed forms."""

from __future__ import annotations

import math
from itertools import permutations

import numpy as np
import pytest
from scipy import stats

from bettercare.model.attribution import contributions, log_mean
from bettercare.model.drivers import Distribution, stream

# -- log-mean Divisia ----------------------------------------------------------------------------------------------


def test_log_mean_by_hand() -> None:
    assert float(log_mean(np.array(math.e), np.array(1.0))) == pytest.approx(math.e - 1)
    assert float(log_mean(np.array(1.0), np.array(math.e))) == pytest.approx(math.e - 1)
    assert float(log_mean(np.array(5.0), np.array(5.0))) == 5.0
    # It lies between the geometric and the arithmetic mean, and is exact next to equality.
    near = float(log_mean(np.array(1.0 + 1e-12), np.array(1.0)))
    assert near == pytest.approx(1.0 + 5e-13, abs=1e-15)
    assert math.sqrt(2 * 8) < float(log_mean(np.array(8.0), np.array(2.0))) < 5


def test_a_bridge_by_hand() -> None:
    """100 beds; one effect leaves 80 %, another 50 %: 40 are left, and the 60 are shared as the logarithms are."""
    parts = contributions(np.array(100.0), np.log(np.array([0.8, 0.5])))
    mean = 60 / math.log(100 / 40)
    assert parts.tolist() == pytest.approx([-mean * math.log(1 / 0.8), -mean * math.log(2)])
    assert parts.sum() == pytest.approx(-60)


def test_the_example_of_another_implementation() -> None:
    """Two sectors, three factors: the worked example of the R package LMDIR (its tests give the three effects to ten digits)."""
    before = np.array([[1.0, 10.0, 2.0], [4.0, 5.0, 3.0]])
    after = np.array([[4.0, 5.0, 3.0], [5.0, 6.0, 4.0]])
    third = np.array([[8.0, 2.0, 4.0], [5.0, 7.0, 5.0]])
    for one, two, expected in (
        (before, after, [69.79006598, -9.455125793, 39.66505981]),
        (after, third, [42.96021467, -34.31902656, 50.3588119]),
    ):
        start = one.prod(axis=1)
        effects = contributions(start, np.log(two / one).T).sum(axis=1)
        assert effects.tolist() == pytest.approx(expected, rel=1e-8)
        assert effects.sum() == pytest.approx(two.prod(axis=1).sum() - start.sum())


def test_the_order_of_the_factors_does_not_matter_and_the_parts_are_near_shapley() -> None:
    """Shapley averages over every order; the log mean is its close neighbour and costs nothing."""
    left = np.array([0.9, 0.7, 0.95])
    parts = contributions(np.array(100.0), np.log(left))
    assert contributions(np.array(100.0), np.log(left[::-1]))[::-1].tolist() == pytest.approx(parts.tolist())
    shapley = np.zeros(3)
    for order in permutations(range(3)):
        level = 100.0
        for factor in order:
            shapley[factor] += level * (left[factor] - 1) / 6
            level *= left[factor]
    assert parts.tolist() == pytest.approx(shapley.tolist(), rel=0.01)


def test_parts_stay_exact_where_effects_are_very_small_or_take_all() -> None:
    for left in ([1 - 1e-13, 1 - 2e-13], [1e-12, 0.5], [1.0, 1.0], [1.0, 0.3]):
        parts = contributions(np.array(1e6), np.log(np.array(left)))
        assert parts.sum() == pytest.approx(1e6 * (np.prod(left) - 1), rel=1e-9, abs=1e-9)
        assert np.isfinite(parts).all()


# -- distributions -------------------------------------------------------------------------------------------------

LEVELS = np.linspace(0.001, 0.999, 999)


@pytest.mark.parametrize(
    ("low", "likely", "high"), [(0.2, 0.6, 1.1), (0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (-5.0, 1.0, 25.0)]
)
def test_triangular_quantiles_are_those_of_scipy(low: float, likely: float, high: float) -> None:
    theirs = stats.triang((likely - low) / (high - low), loc=low, scale=high - low).ppf(LEVELS)
    np.testing.assert_allclose(Distribution.triangular(low, likely, high).at(LEVELS), theirs, rtol=1e-10, atol=1e-12)


def test_normal_quantiles_are_those_of_scipy_and_go_through_the_tenths() -> None:
    spread = Distribution.normal(60.0, 140.0)
    assert spread.at(np.array([0.1, 0.5, 0.9])).tolist() == pytest.approx([60, 100, 140])
    theirs = stats.norm(100, 40 / stats.norm.ppf(0.9)).ppf(LEVELS)
    np.testing.assert_allclose(spread.at(LEVELS), theirs, rtol=1e-12)


def test_streams_are_normal_and_independent() -> None:
    drawn = [stream(2016, f"driver {n}", 0, 50_000) for n in range(6)]
    for values in drawn:
        assert stats.kstest(values, "norm").pvalue > 1e-4
        assert abs(np.corrcoef(values[:-1], values[1:])[0, 1]) < 0.02
    # The first run of many streams: the names must not be related either.
    assert stats.kstest([stream(2016, f"driver {n}", 0, 1)[0] for n in range(5_000)], "norm").pvalue > 1e-4
    together = np.corrcoef(drawn) - np.eye(6)
    assert np.abs(together).max() < 0.02
