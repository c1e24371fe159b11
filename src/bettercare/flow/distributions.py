"""Lengths of time: their means, how likely each is, and the quantiles from which the engine draws.

Everything is drawn by inversion (one uniform number, one length): scenarios then give the same patient the same luck, antithetic
pairs are mirror images, and a stay that has lasted some time goes on as the quantile function says.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from scipy import linalg, special

from bettercare.errors import BettercareError
from bettercare.flow.network import Distribution

HOURS = {"minutes": 1 / 60, "hours": 1.0, "days": 24.0}
DEEPEST = 20.0
"""The quantile tables reach to where one length in e^20 (485 million) is longer."""
CELLS = 256
"""Cells of a quantile table, evenly spaced in the share of lengths that are shorter."""
BODY = 224
"""Cells that are used; the longest eighth is drawn from the tail, where quantiles bend too much for cells of that width."""
TAIL_CELLS = 256
"""Cells of the tail, evenly spaced in -log of the share that are longer, in which most lengths of stay are nearly straight."""
TAIL = -math.log(1.0 - BODY / CELLS)
_ITERATIONS = 90

Array = np.ndarray[Any, np.dtype[np.float64]]


def scale(distribution: Distribution) -> float:
    """Hours that one unit of the distribution, as a scenario has it, stands for."""
    return HOURS[distribution.unit] * distribution.times


def mean(distribution: Distribution) -> float:
    """The mean in hours, cut at ``at_most``."""
    if distribution.at_most is None:
        return _mean(distribution) * scale(distribution)
    grid = np.linspace(0.0, distribution.at_most, 20001)
    return float(np.trapezoid(1.0 - _cdf(distribution, grid), grid)) * scale(distribution)


def cdf(distribution: Distribution, hours: Array | float) -> Array:
    """The share of lengths of at most ``hours`` (an array of any shape), in [0, 1]."""
    at = np.asarray(hours, dtype=np.float64) / scale(distribution)
    share = _cdf(distribution, at)
    if distribution.at_most is not None:
        share = np.where(at >= distribution.at_most, 1.0, share)
    return share


def quantile(distribution: Distribution, share: Array | float) -> Array:
    """The length in hours that this share of lengths do not exceed; ``share`` in (0, 1)."""
    found = _quantile(distribution, np.asarray(share, dtype=np.float64))
    if distribution.at_most is not None:
        found = np.minimum(found, distribution.at_most)
    return found * scale(distribution)


def _needs(distribution: Distribution, *names: str) -> list[float]:
    values = [getattr(distribution, name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is None or not math.isfinite(value):
            raise BettercareError(
                f"A {distribution.kind} length of time has no {name}.", remedy=f"Give {' and '.join(names)}."
            )
    return [float(value) for value in values]


def _gamma(distribution: Distribution) -> tuple[float, float]:
    """Shape and scale."""
    if distribution.kind == "erlang":
        average, phases = _needs(distribution, "mean", "phases")
        return phases, average / phases
    average, sd = _needs(distribution, "mean", "sd")
    return (average / sd) ** 2, sd * sd / average


def lognormal_parameters(average: float, sd: float) -> tuple[float, float]:
    """Mean and standard deviation of the logarithm."""
    variance = math.log1p((sd / average) ** 2)
    return math.log(average) - variance / 2, math.sqrt(variance)


def _mean(distribution: Distribution) -> float:
    match distribution.kind:
        case "uniform":
            low, high = _needs(distribution, "low", "high")
            return (low + high) / 2
        case "triangular":
            return sum(_needs(distribution, "low", "likely", "high")) / 3
        case "phase-type":
            start, rates = np.array(distribution.start), np.array(distribution.rates)
            return float(-start @ np.linalg.solve(rates, np.ones(len(start))))
        case "empirical":
            return float(np.average(distribution.values, weights=distribution.weights or None))
        case "mixture":
            # Parts say their own unit.
            return (
                float(np.average([mean(part) for part in distribution.parts], weights=distribution.weights))
                / HOURS[distribution.unit]
            )
        case _:
            return _needs(distribution, "mean")[0]


def _cdf(distribution: Distribution, at: Array) -> Array:
    at = np.asarray(at, dtype=np.float64)
    positive = np.maximum(at, 0.0)
    match distribution.kind:
        case "fixed":
            return np.where(at >= _needs(distribution, "mean")[0], 1.0, 0.0)
        case "exponential":
            return -np.expm1(-positive / _needs(distribution, "mean")[0])
        case "uniform":
            low, high = _needs(distribution, "low", "high")
            return np.clip((at - low) / (high - low), 0.0, 1.0) if high > low else np.where(at >= low, 1.0, 0.0)
        case "weibull":
            scale_, shape = weibull_parameters(distribution)
            return -np.expm1(-((positive / scale_) ** shape))
        case "lognormal":
            mu, sigma = lognormal_parameters(*_needs(distribution, "mean", "sd"))
            with np.errstate(divide="ignore"):
                return np.asarray(special.ndtr((np.log(positive) - mu) / sigma))
        case "gamma" | "erlang":
            shape, size = _gamma(distribution)
            return np.asarray(special.gammainc(shape, positive / size))
        case "triangular":
            low, likely, high = _needs(distribution, "low", "likely", "high")
            rising = (at - low) ** 2 / max((high - low) * (likely - low), 1e-300)
            falling = 1.0 - (high - at) ** 2 / max((high - low) * (high - likely), 1e-300)
            return np.where(at <= low, 0.0, np.where(at >= high, 1.0, np.where(at <= likely, rising, falling)))
        case "empirical":
            values, cumulative = _steps(distribution)
            return np.concatenate([[0.0], cumulative])[np.searchsorted(values, at, side="right")]
        case "phase-type":
            times, depth = _phases(distribution)
            return -np.expm1(-np.interp(positive, times, depth))
        case "mixture":
            weights = np.array(distribution.weights) / sum(distribution.weights)
            return np.asarray(
                sum(
                    weight * cdf(part, at * HOURS[distribution.unit])
                    for weight, part in zip(weights, distribution.parts, strict=True)
                )
            )
    raise BettercareError(f"{distribution.kind!r} is not a length of time.")


def weibull_parameters(distribution: Distribution) -> tuple[float, float]:
    """Scale and shape."""
    average, shape = _needs(distribution, "mean", "shape")
    return average / math.gamma(1 + 1 / shape), shape


def _steps(distribution: Distribution) -> tuple[Array, Array]:
    """Values in rising order and the share not above each."""
    order = np.argsort(np.asarray(distribution.values, dtype=np.float64), kind="stable")
    weights = np.asarray(distribution.weights or (1.0,) * len(order), dtype=np.float64)[order]
    return np.asarray(distribution.values, dtype=np.float64)[order], np.cumsum(weights) / weights.sum()


_expm: Any = linalg.expm


def _phases(distribution: Distribution) -> tuple[Array, Array]:
    """Times, and -log of the share that lasts longer, until almost none does; the step doubles as the tail goes on."""
    start, rates = np.array(distribution.start), np.array(distribution.rates)
    step = _mean(distribution) / 200
    at, state = 0.0, start
    times, depth = [0.0], [max(0.0, -math.log(min(1.0, max(state.sum(), 1e-300))))]
    while depth[-1] < DEEPEST and len(times) < 40_000:
        move: Array = _expm(rates * step)
        for _ in range(400):
            at, state = at + step, state @ move
            times.append(at)
            depth.append(-math.log(max(float(state.sum()), 1e-300)))
            if depth[-1] >= DEEPEST:
                break
        step *= 2
    return np.array(times), np.maximum.accumulate(np.array(depth))


def _quantile(distribution: Distribution, share: Array) -> Array:
    match distribution.kind:
        case "fixed":
            return np.full_like(share, _needs(distribution, "mean")[0])
        case "exponential":
            return -np.log1p(-share) * _needs(distribution, "mean")[0]
        case "uniform":
            low, high = _needs(distribution, "low", "high")
            return low + share * (high - low)
        case "weibull":
            size, shape = weibull_parameters(distribution)
            return np.asarray(size * (-np.log1p(-share)) ** (1 / shape))
        case "lognormal":
            mu, sigma = lognormal_parameters(*_needs(distribution, "mean", "sd"))
            return np.asarray(np.exp(mu + sigma * special.ndtri(share)))
        case "gamma" | "erlang":
            shape, size = _gamma(distribution)
            return np.asarray(special.gammainccinv(shape, 1.0 - share) * size)
        case "triangular":
            low, likely, high = _needs(distribution, "low", "likely", "high")
            peak = (likely - low) / (high - low)
            return np.where(
                share <= peak,
                low + np.sqrt(share * (high - low) * (likely - low)),
                high - np.sqrt((1.0 - share) * (high - low) * (high - likely)),
            )
        case "empirical":
            values, cumulative = _steps(distribution)
            return values[np.minimum(np.searchsorted(cumulative, share, side="left"), len(values) - 1)]
        case "phase-type":
            times, depth = _phases(distribution)
            return np.interp(-np.log1p(-share), depth, times)
        case "mixture":
            ends = [
                quantile(part, np.array([1e-12, -math.expm1(-DEEPEST)])) / HOURS[distribution.unit]
                for part in distribution.parts
            ]
            under: Array = np.full_like(share, min(end[0] for end in ends) * 0.999)
            over: Array = np.full_like(share, max(end[1] for end in ends) * 1.001 + 1e-12)
            for _ in range(_ITERATIONS):
                middle = (under + over) / 2
                below = _cdf(distribution, middle) < share
                under, over = np.where(below, middle, under), np.where(below, over, middle)
            return over
    raise BettercareError(f"{distribution.kind!r} is not a length of time.")


def table(distribution: Distribution) -> Array:
    """Quantiles in hours for drawing by straight lines: at the shares 0/CELLS ... BODY/CELLS, then at TAIL_CELLS + 1 points of
    the tail, [BODY + TAIL_CELLS + 2]. Scaled so that what is drawn has the distribution's mean exactly."""
    share = np.arange(BODY + 1) / CELLS
    share[0] = 1e-12
    depth = np.linspace(TAIL, DEEPEST, TAIL_CELLS + 1)
    body = np.maximum(quantile(distribution, share), 0.0)
    tail = np.maximum(quantile(distribution, -np.expm1(-depth)), 0.0)
    width = depth[1] - depth[0]
    drawn = float(np.sum(body[1:] + body[:-1])) / (2 * CELLS)
    # The mean of straight lines between the points of the tail, under the density e^-z.
    inside = np.exp(-depth[:-1]) - np.exp(-depth[1:]) * (1.0 + width)
    drawn += float(np.sum(tail[:-1] * -np.diff(np.exp(-depth)) + np.diff(tail) / width * inside))
    drawn += float(tail[-1]) * math.exp(-DEEPEST)
    values = np.concatenate([body, tail])
    return values * (mean(distribution) / drawn) if drawn > 0 else values
