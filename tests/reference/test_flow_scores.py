"""Scores of forecasts against closed forms and against their own definitions, worked out the long way."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from bettercare.errors import BettercareError
from bettercare.flow.scores import brier, coverage, crps, inside, pinball, pit, skill


def crps_of_a_normal(mean: float, sd: float, seen: float) -> float:
    """Gneiting and Raftery 2007, section 4.2."""
    z = (seen - mean) / sd
    return sd * (z * (2 * stats.norm.cdf(z) - 1) + 2 * stats.norm.pdf(z) - 1 / math.sqrt(math.pi))


def crps_of_a_count(chances: np.ndarray, seen: int) -> float:
    """The sum over whole numbers of (P(X <= k) - 1[seen <= k])^2."""
    return float(np.square(np.cumsum(chances) - (np.arange(len(chances)) >= seen)).sum())


@pytest.mark.parametrize(("mean", "sd", "seen"), [(0, 1, 0), (0, 1, 2.5), (10, 3, 4), (-2, 0.1, -2.2)])
def test_crps_of_a_normal(mean: float, sd: float, seen: float) -> None:
    levels = (np.arange(20_000) + 0.5) / 20_000
    draws = stats.norm.ppf(levels, mean, sd)
    # Evenly spaced levels and not random ones: what is tested is the formula, not luck.
    assert crps(draws, seen) == pytest.approx(crps_of_a_normal(mean, sd, seen), abs=2e-4 * sd)


def test_crps_is_fair_for_a_few_draws() -> None:
    """The mean score of four draws is that of the whole distribution; the plain version's is not."""
    draws = np.random.default_rng(1).normal(0, 1, (200_000, 4))
    fair = crps(draws, np.full(200_000, 0.7))
    assert fair.mean() == pytest.approx(crps_of_a_normal(0, 1, 0.7), abs=5 * fair.std() / math.sqrt(200_000))
    plain = fair.mean() + (1 / math.sqrt(math.pi)) / 4
    assert plain > crps_of_a_normal(0, 1, 0.7) + 0.1


def test_crps_of_a_poisson_count() -> None:
    draws = stats.poisson.ppf((np.arange(40_000) + 0.5) / 40_000, 6.3)
    for seen in (0, 6, 13):
        assert crps(draws, seen) == pytest.approx(
            crps_of_a_count(stats.poisson.pmf(np.arange(60), 6.3), seen), abs=1e-3
        )


def test_crps_is_the_definition_over_pairs() -> None:
    random = np.random.default_rng(2)
    draws, seen = random.integers(0, 9, (3, 5, 7)).astype(float), random.integers(0, 9, (3, 5)).astype(float)
    pairs = np.abs(draws[..., :, None] - draws[..., None, :]).sum(axis=(-1, -2)) / (7 * 6)
    expected = np.abs(draws - seen[..., None]).mean(axis=-1) - pairs / 2
    assert crps(draws, seen) == pytest.approx(expected)


def test_crps_is_twice_the_integral_of_the_pinball_loss() -> None:
    levels = (np.arange(2000) + 0.5) / 2000
    draws = stats.gamma.ppf(levels, 4, scale=2)
    losses = [float(pinball(value, 5.0, level)) for level, value in zip(levels, draws, strict=True)]
    assert crps(draws, 5.0) == pytest.approx(2 * np.mean(losses), rel=2e-3)


def test_saying_what_one_believes_scores_best() -> None:
    random = np.random.default_rng(3)
    seen = random.normal(0, 1, 4000)
    honest, narrow, wide, off = (random.normal(m, s, (4000, 60)) for m, s in ((0, 1), (0, 0.5), (0, 2), (0.7, 1)))
    best = crps(honest, seen).mean()
    assert all(crps(other, seen).mean() > best * 1.04 for other in (narrow, wide, off))


def test_coverage_and_pit_of_a_calibrated_forecast() -> None:
    random = np.random.default_rng(4)
    draws, seen = random.normal(5, 2, (6000, 399)), random.normal(5, 2, 6000)
    assert coverage(draws, seen, 0.9) == pytest.approx(0.9, abs=0.015)
    assert coverage(draws * 0.5 + 2.5, seen, 0.9) < 0.7
    assert stats.kstest(pit(draws, seen), "uniform").pvalue > 0.01
    counts, came = random.poisson(3, (6000, 399)).astype(float), random.poisson(3, 6000).astype(float)
    assert stats.kstest(pit(counts, came), "uniform").pvalue > 0.01
    assert stats.kstest(pit(counts + 1, came), "uniform").pvalue < 1e-6
    assert coverage(counts, came, 0.8) >= 0.8


def test_the_edges_of_an_interval_of_counts_are_in_it() -> None:
    draws = np.arange(10.0)
    assert [float(inside(draws, value, 0.8)) for value in (-1, 0, 4.5, 8, 9)] == [0, 1, 1, 1, 0]


def test_brier_and_skill() -> None:
    assert brier([0.0, 1.0, 0.25, 0.5], [0, 1, 1, 0]) == pytest.approx([0, 0, 0.5625, 0.25])
    assert skill(0.5, 2.0) == 0.75
    assert skill(3.0, 2.0) == -0.5
    assert math.isnan(skill(1.0, 0.0))
    assert math.isnan(skill(1.0, math.nan))


def test_what_was_not_seen_is_not_scored() -> None:
    draws = np.tile(np.arange(5.0), (2, 1))
    assert np.isnan(crps(draws, [1.0, math.nan])).tolist() == [False, True]
    assert np.isnan(pit(draws, [1.0, math.nan])).tolist() == [False, True]
    assert coverage(draws, [2.0, math.nan]) == 1.0
    assert math.isnan(coverage(draws, [math.nan, math.nan]))


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: crps([1.0], 1.0), "1 draws cannot be scored"),
        (lambda: crps([[1.0, 2.0]], [1.0, 2.0]), "do not fit"),
        (lambda: crps(1.0, 1.0), "do not fit"),
        (lambda: crps(["a", "b"], 1.0), "not all numbers"),
        (lambda: crps([math.inf, 1.0], 1.0), "infinite"),
        (lambda: pinball([1.0], [1.0, 2.0], 0.5), "do not fit"),
        (lambda: pinball([1.0], [1.0], 1.5), "The quantile 1.5"),
        (lambda: inside([1.0, 2.0], 1.0, math.nan), "The level nan"),
        (lambda: brier([55.0], [1]), "outside 0 to 1"),
        (lambda: brier([0.5], [2]), "neither 0 nor 1"),
    ],
)
def test_nonsense_is_refused_in_a_sentence(call, says: str) -> None:
    with pytest.raises(BettercareError, match=says):
        call()
