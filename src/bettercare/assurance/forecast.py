"""Where a metric will be at the end of its year.

Simple exponential smoothing, ETS(A,N,N): the level moves by a share (alpha) of each surprise, and what is to come is the last level.
With two whole years of months, fixed effects of the calendar months may stand on top, ETS(A,N,A) with gamma 0, when they describe the
figures better by the corrected Akaike criterion. Alpha is the most likely of a grid of steps of 0.02; the first level and the months
are then exact least squares. The interval is the exact one of the model (Hyndman, Koehler, Ord and Snyder, Forecasting with Exponential
Smoothing, 2008, table 6.1): variance sigma2 (1 + (h - 1) alpha2) at h periods, with sigma2 the squared surprises over their number
less the parameters, and Student's t for sigma2 being an estimate. It leaves out that alpha and the months are estimates too: in trials
on series made by the model, 75 to 80 in 100 outcomes lay within (70 where twelve or fewer points wander much).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtr, stdtrit

from bettercare.assurance.metrics import (
    Metric,
    bare,
    expected,
    months_in,
    next_period,
    period_end,
    period_name,
    written,
)
from bettercare.errors import BettercareError
from bettercare.vocabulary import FinancialYear

FEWEST = 6
"""Fewest points a forecast is made from. Assumed: with fewer, two parameters and an interval are hardly known."""
FEWEST_FOR_MONTHS = 24
"""Fewest months that calendar effects are looked for in: each month twice."""
LONGEST = 60
"""Latest points used: what was before five years says little about the end of this one. Assumed."""
FURTHEST = 24
"""Periods ahead beyond which nothing is said. Assumed."""
INTERVAL = 0.8
"""Share of outcomes that lie within the interval, if the model holds."""

_ALPHAS = np.linspace(0.0, 1.0, 51)
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Forecast:
    """Figures expected for the periods still to come, and for the year."""

    method: str
    """In words."""
    periods: tuple[date, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    """80 in 100 lie between low and high."""
    year: str
    year_end: float
    """The last period of the year."""
    year_end_low: float
    year_end_high: float
    target: float | None
    chance: float | None
    """Of meeting what the trajectory asks for at the end of the year."""
    sentence: str


@dataclass(frozen=True)
class Smoothing:
    """A smoothed series: what it rests on, and what it says of the periods to come."""

    alpha: float
    level: float
    """After the last point, without its month's effect."""
    months: tuple[float, ...]
    """Effect of each of twelve months, the first point's month first; empty when there are none. They add up to nought."""
    sigma: float
    """Standard deviation of a surprise."""
    log_likelihood: float
    criterion: float
    """Corrected Akaike criterion; lower is better."""
    points: int
    freedom: int
    """Points less parameters."""

    def mean(self, ahead: int) -> float:
        """Expected so many periods after the last point."""
        return self.level + (self.months[(self.points + ahead - 1) % 12] if self.months else 0.0)

    def deviation(self, ahead: int) -> float:
        """Standard deviation of what comes so many periods after the last point."""
        return self.sigma * math.sqrt(1 + (ahead - 1) * self.alpha**2)

    def spread(self, ahead: int) -> float:
        """Half the width of the interval so many periods after the last point."""
        return float(stdtrit(self.freedom, 0.5 + INTERVAL / 2)) * self.deviation(ahead)

    def chance_below(self, value: float, ahead: int) -> float:
        """Chance that what comes so many periods after the last point is below a value."""
        deviation = self.deviation(ahead)
        if deviation <= 0:
            return float(self.mean(ahead) <= value)
        return float(stdtr(self.freedom, (value - self.mean(ahead)) / deviation))


def forecast(metric: Metric, periods: Sequence[date], values: Sequence[float], on: date) -> Forecast:
    """Forecast a metric to 31 March of the financial year a day falls in.

    Args:
        periods: first days of the periods there are figures for, in order.
        on: the date of the judgement.

    Raises:
        BettercareError: there are too few figures, or nothing of the year is left to forecast.
    """
    if len(values) < FEWEST:
        raise BettercareError(
            f"A forecast needs {FEWEST} figures, and there {'is' if len(values) == 1 else 'are'} {len(values)}.",
            remedy="Wait for more.",
        )
    year = FinancialYear.of(on)
    ahead: list[date] = []
    coming = next_period(metric, periods[-1])
    while period_end(metric, coming) <= year.last_day and len(ahead) <= FURTHEST:
        ahead.append(coming)
        coming = next_period(metric, coming)
    if not ahead:
        raise BettercareError(f"The figures reach the end of {year} already.", remedy="Nothing is left to forecast.")
    if len(ahead) > FURTHEST:
        raise BettercareError(
            f"The latest figure is of {period_name(metric, periods[-1])}, too long before the end of {year}.",
            remedy="Enter later figures.",
        )
    periods, values = periods[-LONGEST:], values[-LONGEST:]
    unbroken = next_period(metric, periods[0], len(periods) - 1) == periods[-1]
    fitted = smooth(values, months=unbroken and months_in(metric) == 1)
    means = [fitted.mean(step) for step in range(1, len(ahead) + 1)]
    spreads = [fitted.spread(step) for step in range(1, len(ahead) + 1)]
    least, most = (0.0 if min(values) >= 0 else -math.inf), (100.0 if metric.unit == "%" else math.inf)
    low = tuple(min(max(mean - spread, least), most) for mean, spread in zip(means, spreads, strict=True))
    high = tuple(min(max(mean + spread, least), most) for mean, spread in zip(means, spreads, strict=True))
    target = expected(metric, ahead[-1])
    below = None if target is None else fitted.chance_below(target, len(ahead))
    chance = below if below is None or metric.better == "lower" else 1 - below
    mean = tuple(min(max(mean, least), most) for mean in means)
    return Forecast(
        method=_method(fitted),
        periods=tuple(ahead),
        mean=mean,
        low=low,
        high=high,
        year=str(year),
        year_end=mean[-1],
        year_end_low=low[-1],
        year_end_high=high[-1],
        target=target,
        chance=chance,
        sentence=_sentence(metric, ahead[-1], mean[-1], low[-1], high[-1], target, chance),
    )


def smooth(values: Sequence[float], months: bool = False) -> Smoothing:
    """Simple exponential smoothing by maximum likelihood.

    Args:
        months: whether the figures are of months in a row, so that effects of the calendar months may be looked for.
    """
    figures = np.asarray(values, dtype=float)
    fits = [_fit(figures, season) for season in ((0, 12) if months and len(values) >= FEWEST_FOR_MONTHS else (0,))]
    return _smoothed(figures, min(fits, key=lambda fit: fit.criterion))


@dataclass(frozen=True)
class _Fit:
    """The most likely alpha with a season of so many months (0 for none)."""

    months: int
    alpha: float
    square: float
    """Sum of the squared surprises."""
    likelihood: float
    criterion: float
    freedom: int


def _fit(values: Array, months: int) -> _Fit:
    points = len(values)
    squares = np.square(_filters(points, months) @ values).sum(axis=1)
    best = int(np.argmin(squares))
    # What is smaller than rounding is nought, and nought has no logarithm.
    floor = (1e-12 * max(1.0, float(np.abs(values).max()))) ** 2 * points
    square = max(float(squares[best]), floor)
    parameters = 2 + max(months - 1, 0)
    likelihood = -points / 2 * (math.log(2 * math.pi * square / points) + 1)
    # The variance is a parameter too.
    count = parameters + 1
    corrected = 2 * count * (count + 1) / (points - count - 1) if points > count + 1 else math.inf
    criterion = -2 * likelihood + 2 * count + corrected
    return _Fit(months, float(_ALPHAS[best]), square, likelihood, criterion, max(points - parameters, 1))


def _smoothed(values: Array, fit: _Fit) -> Smoothing:
    level, effects = _states(values, fit.alpha, fit.months)
    for position, value in enumerate(values.tolist()):
        level += fit.alpha * (value - level - (effects[position % 12] if effects else 0.0))
    sigma = math.sqrt(fit.square / fit.freedom)
    return Smoothing(fit.alpha, level, effects, sigma, fit.likelihood, fit.criterion, len(values), fit.freedom)


@lru_cache(maxsize=24)
def _filters(points: int, months: int) -> Array:
    """For each alpha the matrix that turns figures into surprises, the first level and the months' effects fitted out. Shape (alphas, n, n)."""
    whiten = np.empty((len(_ALPHAS), points, points))
    for index, alpha in enumerate(_ALPHAS):
        surprises, states = _linear(points, float(alpha), months)
        basis, _ = np.linalg.qr(states)
        whiten[index] = surprises - basis @ (basis.T @ surprises)
    return whiten


def _linear(points: int, alpha: float, months: int) -> tuple[Array, Array]:
    """Surprises are linear in the figures and in the states: surprises = first @ figures - second @ (first level, months' effects)."""
    keep = 1.0 - alpha
    lags = np.subtract.outer(np.arange(points), np.arange(points))
    filtered = np.where(lags > 0, -alpha * keep ** np.clip(lags - 1, 0, None), 0.0) + np.eye(points)
    states = [keep ** np.arange(points)[:, None]]
    if months:
        states.append(filtered @ _contrasts(points, months))
    return filtered, np.hstack(states)


def _contrasts(points: int, months: int) -> Array:
    """Indicators of the months, the last one's effect being what makes them add up to nought. Shape (points, months - 1)."""
    effects = np.vstack([np.eye(months - 1), -np.ones(months - 1)])
    return effects[np.arange(points) % months]


def _states(values: Array, alpha: float, months: int) -> tuple[float, tuple[float, ...]]:
    """The first level and the months' effects that make the surprises least."""
    filtered, states = _linear(len(values), alpha, months)
    solved = np.linalg.lstsq(states, filtered @ values, rcond=None)[0]
    effects = tuple(float(effect) for effect in solved[1:])
    return float(solved[0]), (*effects, -math.fsum(effects)) if months else ()


def _method(fitted: Smoothing) -> str:
    months = " with an effect of each calendar month" if fitted.months else ""
    return (
        f"Simple exponential smoothing{months} of {fitted.points} figures (alpha {fitted.alpha:.2f}); it carries the present level on and"
        " expects no trend"
    )


def _sentence(
    metric: Metric, period: date, mean: float, low: float, high: float, target: float | None, chance: float | None
) -> str:
    """What is expected at the end of the year."""
    spread = f"{period_name(metric, period)}: {written(metric, mean)} expected, in {INTERVAL:.0%} of cases between {bare(metric, low)} and {bare(metric, high)}"
    if target is None or chance is None:
        return f"{spread}."
    words = "less than 1%" if chance < 0.005 else "more than 99%" if chance > 0.995 else f"{chance:.0%}"
    asks = "The trajectory asks for"
    if metric.held_to_standard:
        asks = "The national standard is"
    elif metric.line[-1].at < period_end(metric, period):
        asks = "The last target is"
    return f"{spread}. {asks} {bare(metric, target)}; the chance of meeting it is {words}."
