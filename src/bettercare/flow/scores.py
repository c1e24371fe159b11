"""How good a forecast with uncertainty was: proper scores of samples, and whether its intervals kept their word.

A score is proper when nobody can expect a better one by saying other than what they believe (Gneiting and Raftery, Strictly Proper
Scoring Rules, Prediction, and Estimation, JASA 102, 2007). Lower is better in all of them. ``samples`` has shape [..., n]: n draws of a
forecast, of each of the cases in the axes before; ``seen`` has the shape of the cases. A case whose observation is NaN scores NaN.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bettercare.errors import BettercareError

Array = NDArray[np.float64]


def crps(samples: ArrayLike, seen: ArrayLike) -> Array:
    """Continuous ranked probability score, in the unit of what is forecast: 0 for a forecast that was certain and right.

    The fair version: mean |x - y| less half the mean |x - x'| over pairs of different draws. Its expectation does not depend on how many
    draws there are (Ferro, Fair scores for ensemble forecasts, Quarterly Journal 140, 2014; Zamo and Naveau, Mathematical Geosciences 50, 2018).
    For one case it may be a little below 0.

    Args:
        samples: [..., n], n at least 2.
        seen: [...].

    Returns:
        [...]

    Raises:
        BettercareError: the shapes do not fit, or there are fewer than two draws.
    """
    drawn, came = _fitting(samples, seen, 2)
    n = drawn.shape[-1]
    ordered = np.sort(drawn, axis=-1)
    # The sum of |x - x'| over all pairs, from the ranks: each draw is the larger of (rank) pairs and the smaller of the rest.
    pairs = (ordered * (2.0 * np.arange(n) - n + 1.0)).sum(axis=-1)
    return np.asarray(np.abs(drawn - came[..., None]).mean(axis=-1) - pairs / (n * (n - 1.0)))


def pinball(forecast: ArrayLike, seen: ArrayLike, p: float) -> Array:
    """Loss of a forecast of the ``p`` quantile: ``p`` for each unit it was too low, 1 - ``p`` for each unit it was too high.

    Twice its integral over p is the CRPS (Gneiting and Ranjan, JBES 29, 2011).

    Raises:
        BettercareError: ``p`` is not between 0 and 1, or the shapes do not fit.
    """
    _share(p, "The quantile")
    said, came = _same(forecast, seen)
    short = came - said
    return np.asarray(np.maximum(p * short, (p - 1.0) * short))


def brier(chance: ArrayLike, happened: ArrayLike) -> Array:
    """Squared difference between the chance that was given and what happened (0 or 1; Brier 1950): 0 best, 1 worst.

    Raises:
        BettercareError: a chance is not between 0 and 1, something happened neither 0 nor 1 times, or the shapes do not fit.
    """
    said, came = _same(chance, happened)
    if np.any((said < 0) | (said > 1)):
        raise BettercareError("A chance lies outside 0 to 1.", remedy="Give shares, not per cent.")
    if np.any(~np.isnan(came) & (came != 0) & (came != 1)):
        raise BettercareError(
            "What happened is neither 0 nor 1.", remedy="Give 1 where it happened and 0 where it did not."
        )
    return np.asarray((said - came) ** 2)


def inside(samples: ArrayLike, seen: ArrayLike, level: float = 0.9) -> Array:
    """Whether what came lies in the central interval of the draws that should hold ``level`` of cases: 1, 0, or NaN. Shape [...].

    The mean of it is the coverage. Counts have ties: an interval of whole numbers holds a little more than its level, never less.

    Raises:
        BettercareError: the level is not between 0 and 1, or the shapes do not fit.
    """
    _share(level, "The level")
    drawn, came = _fitting(samples, seen, 1)
    # The order statistics just outside, so that a count at the edge is in: as an interval of a discrete forecast is.
    low = np.quantile(drawn, (1 - level) / 2, axis=-1, method="inverted_cdf")
    high = np.quantile(drawn, (1 + level) / 2, axis=-1, method="inverted_cdf")
    held = ((low <= came) & (came <= high)).astype(float)
    return np.where(np.isnan(came) | np.isnan(drawn).any(axis=-1), np.nan, held)


def coverage(samples: ArrayLike, seen: ArrayLike, level: float = 0.9) -> float:
    """Share of cases inside their central ``level`` interval; NaN when nothing was seen. Errors as :func:`inside`."""
    held = inside(samples, seen, level)
    known = held[~np.isnan(held)]
    return float(known.mean()) if known.size else float("nan")


def pit(samples: ArrayLike, seen: ArrayLike, seed: int = 0) -> Array:
    """Where what came lies in the forecast, from 0 to 1: uniform over many cases when the forecast is calibrated. Shape [...].

    The randomised rank among the draws, so that counts, which tie, are uniform as well (Czado, Gneiting and Held, Biometrics 65, 2009).

    Raises:
        BettercareError: the shapes do not fit.
    """
    drawn, came = _fitting(samples, seen, 1)
    below = (drawn < came[..., None]).sum(axis=-1)
    tied = (drawn == came[..., None]).sum(axis=-1)
    place = (below + np.random.default_rng(seed).random(came.shape) * (tied + 1)) / (drawn.shape[-1] + 1)
    return np.where(np.isnan(came) | np.isnan(drawn).any(axis=-1), np.nan, place)


def skill(score: float, reference: float) -> float:
    """Share of the reference's score that is saved: 1 perfect, 0 no better, negative worse; NaN where the reference is perfect or unknown."""
    return 1.0 - score / reference if reference > 0 else float("nan")


def _fitting(samples: ArrayLike, seen: ArrayLike, least: int) -> tuple[Array, Array]:
    drawn, came = _floats(samples), _floats(seen)
    if drawn.ndim == 0 or drawn.shape[:-1] != came.shape:
        raise BettercareError(
            f"Draws of shape {list(drawn.shape)} do not fit observations of shape {list(came.shape)}.",
            remedy="Give one row of draws for each observation, the draws along the last axis.",
        )
    if drawn.shape[-1] < least:
        raise BettercareError(
            f"{drawn.shape[-1]} draws cannot be scored.", remedy=f"Make at least {least} replications."
        )
    return drawn, came


def _same(forecast: ArrayLike, seen: ArrayLike) -> tuple[Array, Array]:
    said, came = _floats(forecast), _floats(seen)
    if said.shape != came.shape:
        raise BettercareError(
            f"Forecasts of shape {list(said.shape)} do not fit observations of shape {list(came.shape)}.",
            remedy="Give one forecast for each observation.",
        )
    return said, came


def _floats(values: Any) -> Array:
    try:
        found: Array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BettercareError("What is to be scored is not all numbers.", remedy="Give arrays of numbers.") from None
    if np.isinf(found).any():
        raise BettercareError("What is to be scored holds an infinite number.", remedy="Leave it out, or give NaN.")
    return found


def _share(p: float, what: str) -> None:
    if not 0 < p < 1:
        raise BettercareError(f"{what} {p} is not between 0 and 1.", remedy="Give a share such as 0.9.")
