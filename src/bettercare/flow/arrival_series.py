"""The days of one stream so far, and its rates on the days to come.

A day's total is forecast by exponential smoothing as a state-space model with an additive season of seven days, ETS(A,N,A) (Hyndman, Koehler,
Ord and Snyder, Forecasting with Exponential Smoothing, 2008), fitted and simulated by statsmodels. It is fitted to the square roots of the
totals plus 3/8, in which counts around a rate have a variance of a quarter whatever the rate (Anscombe, Biometrika 35, 1948). What is sampled
is the *rate*, because the engine draws Poisson arrivals around it: of the model's one-day variance, that quarter is left out. With little
history the mean of its days is used, with the network's own week, and says so. Public holidays are not known to it.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.flow.arrival_history import ArrivalHistory
from bettercare.flow.network import Arrival

Array = NDArray[np.float64]

FEWEST_DAYS = 35
"""Whole days of history below which no season of the week is fitted: five weeks."""
FEWEST_A_DAY = 5.0
"""Mean patients a day below which counts are too few for a normal model of their square roots."""
LONGEST_HISTORY = 730
"""Days of history used, the last ones."""
MOST_MISSING = 0.2
"""Share of days without a figure above which no season of the week is fitted."""
SHAPE_FROM = 400.0
"""Patients that the network's own shape of the day is worth beside those of the history (assumed: it is a smoother, and 400 in a day of
24 hours is known to about a quarter in each)."""
UNSETTLED = " The search for its best fit did not settle: the best that was found is used."
_ROOT_SHIFT, _ROOT_VARIANCE = 3 / 8, 1 / 4
_MEAN_OF = 56
"""Days whose mean is used where no season is fitted."""


@dataclass(frozen=True)
class OwnRate:
    """What the network says of a stream."""

    stream: Arrival
    week: Array
    """[7] patients a day by weekday."""
    months: Array

    def on(self, days: Iterable[date]) -> Array:
        """Patients on each day."""
        return np.array([self.week[day.weekday()] * self.months[day.month - 1] for day in days], dtype=np.float64)


@dataclass(frozen=True)
class Series:
    """The history of a stream, ready to be forecast."""

    totals: Array
    """Whole days up to the last known; NaN where not known."""
    ends: date
    """The last of them."""
    gap: int
    """Days from the last known to the first forecast, 1 when none is missing."""
    hourly: Array
    """[7, 24] counts by weekday and hour, of the last twelve weeks with hours."""
    today: float
    """Patients so far on the day of the forecast."""
    today_hours: int
    """Hours of that day that are known, from midnight."""

    @classmethod
    def of(cls, history: ArrivalHistory, stream: str, at: datetime) -> Series | None:
        frame = history.frame.filter(pl.col("day") >= at.date() - timedelta(days=LONGEST_HISTORY))
        own = frame.filter(pl.col("stream") == stream)
        past = own.filter(pl.col("day") < at.date())
        if past.is_empty():
            return None
        first, last = past["day"].min(), frame.filter(pl.col("day") < at.date())["day"].max()
        assert isinstance(first, date)
        assert isinstance(last, date)
        by_hour = bool(past["hour"].is_not_null().any())
        if not by_hour:
            last_own = past["day"].max()
            assert isinstance(last_own, date)
            last = last_own
        elif first == frame["day"].min() and (frame.filter(pl.col("day") == first)["hour"].min() or 0) != 0:
            first += timedelta(days=1)  # the file begins in the middle of a day
        length = (last - first).days + 1
        if length < 1:
            return None
        totals = np.full(length, np.nan)
        if by_hour:
            covered = frame.filter(pl.col("hour").is_not_null())["day"].unique().to_list()
            totals[[(day - first).days for day in covered if first <= day <= last]] = 0.0
        for day, total in past.group_by("day").agg(pl.col("count").sum()).iter_rows():
            if day >= first:
                totals[(day - first).days] = total
        hourly = np.zeros((7, 24))
        recent = past.filter(pl.col("hour").is_not_null() & (pl.col("day") > last - timedelta(days=84)))
        for day, hour, came in recent.select("day", "hour", "count").iter_rows():
            hourly[day.weekday(), hour] += came
        now = frame.filter((pl.col("day") == at.date()) & pl.col("hour").is_not_null())
        latest = now["hour"].max()
        # Hours after the last row of any stream may not have reached us yet.
        hours = min(at.hour, int(latest) + 1) if isinstance(latest, int) and by_hour else 0
        today = float(now.filter((pl.col("stream") == stream) & (pl.col("hour") < hours))["count"].sum())
        return cls(totals, last, (at.date() - last).days, hourly, today, hours)

    def shape(self, own: Array) -> Array:
        """Shares of each weekday's hours: the history's, drawn towards its all-week shape, and that towards the network's."""
        pooled = own.mean(axis=0) * SHAPE_FROM + self.hourly.sum(axis=0)
        pooled = pooled / pooled.sum()
        found = self.hourly + pooled * SHAPE_FROM
        return np.asarray(found / found.sum(axis=1, keepdims=True))

    def sampled(self, generator: np.random.Generator, own: OwnRate, ahead: list[date], paths: int) -> tuple[Array, str]:
        """Rates a day: [paths, days], and how they were found."""
        totals = self.totals
        known = ~np.isnan(totals)
        missing = 1 - known.mean()
        mean = float(totals[known].mean()) if known.any() else 0.0
        if known.sum() >= FEWEST_DAYS and missing <= MOST_MISSING and mean >= FEWEST_A_DAY:
            filled = int((~known).sum())
            gaps = f", {filled} of them filled in from their weekday" if filled else ""
            fitted = _fitted(_filled(totals))
            if fitted is not None:
                words = f"Exponential smoothing with a season of the week, from {len(totals):,} days{gaps}."
                words += "" if fitted.settled else UNSETTLED
                return fitted.sampled(generator, self.gap, len(ahead), paths), words
        recent = min(len(totals), _MEAN_OF)
        past = days_from(self.ends - timedelta(days=recent - 1), recent)
        drawn = _averaged(generator, totals[-recent:], own, past, ahead, paths)
        days = int(known[-recent:].sum())
        return drawn, f"Mean of the last {days} days with the network's own week: {self._why(missing)}."

    def _why(self, missing: float) -> str:
        if len(self.totals) < FEWEST_DAYS or (~np.isnan(self.totals)).sum() < FEWEST_DAYS:
            return f"a season of the week needs {FEWEST_DAYS} days"
        if missing > MOST_MISSING:
            return f"{missing:.0%} of the days have no figure"
        if float(np.nanmean(self.totals)) < FEWEST_A_DAY:
            return "too few patients a day for a season of the week"
        return "exponential smoothing could not be fitted to them"


@dataclass(frozen=True)
class _Fitted:
    """A smoothing of the square roots of daily totals."""

    found: Any
    """The fit, of statsmodels."""
    alpha: float
    """How much of a day's surprise the level takes up."""
    variance: float
    """Of one day ahead, in square roots."""
    days: int
    settled: bool
    """Whether the search for its parameters came to an end."""

    def sampled(self, generator: np.random.Generator, gap: int, days: int, paths: int) -> Array:
        """Rates a day: [paths, days], the first ``gap`` days after the last known."""
        steps = gap - 1 + days
        surprises = generator.normal(0, math.sqrt(self.variance), (steps, paths))
        simulated = self.found.simulate(steps, anchor="end", repetitions=paths, random_errors=surprises)
        # A path less its own surprises is what was expected of each day after those before it.
        expected = np.asarray(simulated - surprises, dtype=np.float64).reshape(steps, paths).T[:, gap - 1 :]
        # The one-day variance is that of the count around the rate (Poisson), of days that differ, and of not knowing the level: the last
        # is alpha times the whole in a local-level model in its steady state. That seven weekdays are estimated comes on top.
        estimated = 7 / self.days
        unknown = self.variance * max(self.alpha, estimated)
        differs = max(self.variance * (1 + estimated) - _ROOT_VARIANCE - unknown, 0.0)
        shared = generator.normal(0, math.sqrt(unknown), (paths, 1))
        roots = np.maximum(expected + shared + generator.normal(0, math.sqrt(differs), expected.shape), 0.0)
        rates = np.square(roots) + _ROOT_VARIANCE - _ROOT_SHIFT
        return np.asarray(np.maximum(rates, 0.02 * rates.mean(axis=0)))


def _fitted(totals: Array) -> _Fitted | None:
    """The smoothing of whole days without gaps; None when there is none that is finite."""
    # Slow to import, and only a forecast from history needs it.
    from statsmodels.tsa.exponential_smoothing import ets

    smoothing: Any = ets.ETSModel
    roots = np.sqrt(totals + _ROOT_SHIFT)
    with warnings.catch_warnings():
        # What it would say is said in words: by ``settled``, or by falling back.
        warnings.simplefilter("ignore")
        try:
            found = smoothing(roots, error="add", seasonal="add", seasonal_periods=7).fit(disp=False)
            surprises = np.asarray(found.resid, dtype=np.float64)
            alpha = float(found.smoothing_level)
            settled = bool(found.mle_retvals["converged"])
        except (ValueError, ArithmeticError, np.linalg.LinAlgError):
            return None
    variance = float(np.square(surprises).sum()) / (len(totals) - 8)
    if not (math.isfinite(variance) and math.isfinite(alpha)):
        return None
    # Days that are all the same leave nothing to search, and nothing to settle.
    return _Fitted(found, alpha, variance, len(totals), settled or variance < 1e-12)


def _averaged(
    generator: np.random.Generator, totals: Array, own: OwnRate, past: list[date], ahead: list[date], paths: int
) -> Array:
    """Rates by the mean of the days relative to the network's own: a gamma posterior in which the network counts as one day."""
    known = ~np.isnan(totals)
    said = own.on(past)[known]
    came, expected = float(totals[known].sum()), float(said.sum())
    prior = float(own.stream.per_day or 1.0)
    level = generator.gamma(came + prior, 1 / (expected + prior), (paths, 1))
    spread = own.stream.varies**2
    if known.sum() >= 14 and came > 0:
        fitted = said * came / expected
        # What the squares exceed a Poisson's by, relative to the mean: the variance of a day's rate about its mean of 1.
        spread = max(float((np.square(totals[known] - fitted) - fitted).sum() / np.square(fitted).sum()), 0.0)
    differs = (
        generator.gamma(1 / spread, spread, (paths, len(ahead))) if spread > 1e-6 else np.ones((paths, len(ahead)))
    )
    return np.asarray(level * own.on(ahead) * differs)


def _filled(totals: Array) -> Array:
    """Days that are not known, as the mean of the two nearest known days of the same weekday."""
    found = totals.copy()
    for position in np.flatnonzero(np.isnan(totals)):
        same = np.flatnonzero(~np.isnan(totals) & (np.arange(len(totals)) % 7 == position % 7))
        near = same[np.argsort(np.abs(same - position), kind="stable")[:2]]
        found[position] = totals[near].mean() if len(near) else np.nanmean(totals)
    return found


def days_from(first: date, count: int) -> list[date]:
    """So many days, the first one first."""
    return [first + timedelta(days=day) for day in range(count)]
