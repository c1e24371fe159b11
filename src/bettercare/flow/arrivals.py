"""How many patients will come: each stream's daily rates for the next days, with how uncertain they are, and the shape of its day.

A day's total is forecast by exponential smoothing as a state-space model, ETS(A,N,A) with a season of seven days (Hyndman, Koehler, Ord
and Snyder, Forecasting with Exponential Smoothing, 2008), whose weekdays keep their effects (gamma 0): what a week looks like changes more
slowly than how many come. What is sampled is the *rate*, because the engine draws Poisson arrivals around it: of the model's one-day
variance, the part that a Poisson count has anyway is left out. With little history the mean of its days is used, with the network's own
week, and says so. Public holidays are not known to it.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError, Fault
from bettercare.flow.compiled import months_of, week_of
from bettercare.flow.network import Arrival, Network, Profile
from bettercare.plan import Column, TableSpec
from bettercare.plan.cells import number
from bettercare.plan.faults import Gathered
from bettercare.plan.read import read_csv

Array = NDArray[np.float64]

FEWEST_DAYS = 28
"""Whole days of history below which no season of the week is fitted."""
FEWEST_A_DAY = 5.0
"""Mean patients a day below which counts are too few for a normal model."""
LONGEST_HISTORY = 730
"""Days of history used, the last ones."""
MOST_MISSING = 0.2
"""Share of days without a figure above which no season of the week is fitted."""
STALE_DAYS = 7
"""Days without a figure before the forecast starts that are worth a word."""
SHAPE_FROM = 400.0
"""Patients that the network's own shape of the day is worth beside those of the history (assumed: it is a smoother, and 400 in a day of
24 hours is known to about a quarter in each)."""
_LARGEST_COUNT = 1_000_000
_CANDIDATES = 8
COLUMNS = TableSpec(
    "arrivals",
    "Arrivals so far",
    False,
    "How many came in each stream, by hour or by day",
    (
        Column("when", "text", "yes", "", (), "The hour (2016-04-01T13:00), or the day (2016-04-01) when the count is of a day"),
        Column("stream", "text", "yes", "", (), "Id of a stream of arrivals of the network"),
        Column("count", "integer", "yes", "", (), "How many came"),
    ),
)  # fmt: skip
"""The columns of the file."""
SCHEMA = pl.Schema({"stream": pl.String(), "day": pl.Date(), "hour": pl.Int64(), "count": pl.Float64()})


class HistoryError(BettercareError):
    """A history of arrivals has faults; all of them are listed, and none of its rows is taken."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        count = len(faults)
        super().__init__(f"The history of arrivals cannot be used: {count} fault{'' if count == 1 else 's'}.")
        self.faults = tuple(faults)
        self.args = ("\n".join([self.what, *(f"  {fault}" for fault in self.faults)]),)


@dataclass(frozen=True)
class ArrivalHistory:
    """Counts of arrivals. In hourly counts an hour without a row had none, if any stream has a row on that day; a day without any row is
    not known. In daily counts a day without a row is not known."""

    frame: pl.DataFrame = field(repr=False)
    """stream, day, hour (null for a day's total), count; one row each."""

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], network: Network) -> ArrivalHistory:
        """The history from rows with the columns of the file; ``when`` may be a datetime or a date.

        Raises:
            HistoryError: with every fault.
        """
        return _read([(f"row {position}", row) for position, row in enumerate(rows, start=1)], network)

    def before(self, at: datetime) -> ArrivalHistory:
        """What was known at a moment: whole days before its day, and whole hours of its day."""
        today = (pl.col("day") == at.date()) & (pl.col("hour") < at.hour)
        return ArrivalHistory(self.frame.filter((pl.col("day") < at.date()) | today.fill_null(False)))

    @property
    def ends(self) -> datetime | None:
        """The end of the last hour or day with a row; None when there is none."""
        if self.frame.is_empty():
            return None
        last = self.frame.with_columns(end=pl.col("hour").fill_null(23) + 1).sort("day", "end").row(-1, named=True)
        return datetime.combine(last["day"], time()) + timedelta(hours=last["end"])


@dataclass(frozen=True)
class ArrivalPaths:
    """Sampled futures of the rates of arrivals."""

    streams: tuple[str, ...]
    """Ids, in the network's order."""
    first_day: date
    rates: Array = field(repr=False)
    """[replications, streams, days] times the stream's ``per_day``; around it the engine draws the arrivals. 1 where there is no history."""
    week: Array = field(repr=False)
    """[streams, 7, 24] share of a day's arrivals in each hour by weekday (Monday first); each day adds up to 1."""
    hours: Array = field(repr=False)
    """[streams, 24] the same, the mean of the days forecast: what the engine is given."""
    known: tuple[bool, ...]
    """Whether the stream was forecast from history; the others keep the network's own profile."""
    methods: Mapping[str, str]
    """How each stream was forecast, in words."""
    warnings: tuple[str, ...] = ()

    def table(self, network: Network) -> pl.DataFrame:
        """stream, day, mean, p05, p50, p95 of the rate (patients a day), forecast (yes or no) and method."""
        base = np.array([stream.per_day or math.nan for stream in network.arrivals])
        daily = self.rates * base[None, :, None] * _own_days(network, self)[None]
        low, middle, high = np.quantile(daily, [0.05, 0.5, 0.95], axis=0)
        mean = daily.mean(axis=0)
        rows = [
            {
                "stream": ident,
                "day": self.first_day + timedelta(days=day),
                "mean": float(mean[position, day]),
                "p05": float(low[position, day]),
                "p50": float(middle[position, day]),
                "p95": float(high[position, day]),
                "forecast": self.known[position],
                "method": self.methods[ident],
            }
            for position, ident in enumerate(self.streams)
            for day in range(self.rates.shape[2])
        ]
        return pl.DataFrame(rows)

    def onto(self, network: Network) -> Network:
        """The network with the forecast streams' shape of the day in place of their profiles: their week, season and daily variation
        are in ``rates``."""
        streams, profiles = [], list(network.profiles)
        for position, stream in enumerate(network.arrivals):
            if not self.known[position]:
                streams.append(stream)
                continue
            ident = f"forecast:{stream.id}"
            profiles.append(Profile(ident, tuple((self.hours[position] * 24).tolist())))
            streams.append(replace(stream, profile=ident, varies=0.0))
        return replace(network, arrivals=tuple(streams), profiles=tuple(profiles))


def read_arrivals(path: str | Path, network: Network) -> ArrivalHistory:
    """The history of arrivals from a CSV file (UTF-8) with the columns of :data:`COLUMNS`.

    A time that is not a whole hour counts to the hour it lies in, so a file with a row for each patient and a count of 1 will do.

    Raises:
        HistoryError: with every fault, by row and column.
    """
    path = Path(path)
    if not os.path.exists(path):
        raise BettercareError("The file is not there.", path.name[:100], "Check its name and folder.")
    faults: list[Fault] = []
    rows = read_csv(path, path.name[:100], COLUMNS, faults)
    if faults:
        raise HistoryError(faults)
    return _read(rows, network)


def forecast_arrivals(
    network: Network, history: ArrivalHistory | None, at: datetime, days: int, replications: int, seed: int = 2016
) -> ArrivalPaths:
    """Sampled rates of every stream for ``days`` days, the first being the day of ``at``.

    What is known of the first day (hourly counts up to ``at``) is used: futures under which it is likely are kept more often.

    Args:
        history: only what was known at ``at`` is used; None leaves every stream as the network has it.
        seed: each stream draws from a generator of its own, by seed and the stream's id.

    Raises:
        BettercareError: days or replications are not between 1 and their limits.
    """
    if not 1 <= days <= 60:
        raise BettercareError(f"Arrivals cannot be forecast for {days} days.", remedy="Ask for 1 to 60.")
    if not 1 <= replications <= 100_000:
        raise BettercareError(f"{replications} replications cannot be made.", remedy="Ask for 1 to 100,000.")
    count = len(network.arrivals)
    rates = np.ones((replications, count, days))
    week, hours = np.zeros((count, 7, 24)), np.zeros((count, 24))
    weekdays = [day.weekday() for day in _days(at.date(), days)]
    known, methods, words = [False] * count, {}, []
    told = history.before(at) if history is not None else None
    for position, stream in enumerate(network.arrivals):
        own_week, own_months = _own_profile(network, stream)
        week[position] = _shares(own_week)
        hours[position] = week[position, weekdays].mean(axis=0)
        series = _Series.of(told, stream.id, at) if told is not None else None
        if series is None or stream.per_day is None or stream.per_day <= 0:
            methods[stream.id] = _why_not(stream, series is not None)
            if series is not None:
                words.append(f"{stream.id}: {methods[stream.id]}")
            continue
        generator = np.random.default_rng(_key(seed, stream.id))
        week[position] = series.shape(week[position])
        hours[position] = week[position, weekdays].mean(axis=0)
        own = _OwnRate(stream, own_week.mean(axis=1) * stream.per_day, own_months)
        ahead = _days(at.date(), days)
        drawn, methods[stream.id] = series.sampled(generator, own, ahead, replications * _CANDIDATES)
        share = float(hours[position, : series.today_hours].sum())
        kept = _kept(generator, drawn[:, 0], series.today, share, replications)
        rates[:, position] = drawn[kept] / stream.per_day
        known[position] = True
        if series.gap > STALE_DAYS:
            words.append(f"{stream.id}: the last whole day of the history is {series.gap} days before the forecast.")
    return ArrivalPaths(
        tuple(stream.id for stream in network.arrivals),
        at.date(),
        rates,
        week,
        hours,
        tuple(known),
        methods,
        tuple(words),
    )


@dataclass(frozen=True)
class _OwnRate:
    """What the network says of a stream."""

    stream: Arrival
    week: Array
    """[7] patients a day by weekday."""
    months: Array

    def on(self, days: Iterable[date]) -> Array:
        """Patients on each day."""
        return np.array([self.week[day.weekday()] * self.months[day.month - 1] for day in days], dtype=np.float64)


@dataclass(frozen=True)
class _Series:
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
    def of(cls, history: ArrivalHistory, stream: str, at: datetime) -> _Series | None:
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

    def sampled(
        self, generator: np.random.Generator, own: _OwnRate, ahead: list[date], paths: int
    ) -> tuple[Array, str]:
        """Rates a day: [paths, days], and how they were found."""
        totals = self.totals
        known = ~np.isnan(totals)
        missing = 1 - known.mean()
        mean = float(totals[known].mean()) if known.any() else 0.0
        if known.sum() >= FEWEST_DAYS and missing <= MOST_MISSING and mean >= FEWEST_A_DAY:
            filled = int((~known).sum())
            gaps = f", {filled} of them filled in from their weekday" if filled else ""
            words = f"Exponential smoothing with a season of the week, from {len(totals):,} days{gaps}."
            return _smoothed(generator, _filled(totals), self.gap, len(ahead), paths), words
        recent = min(len(totals), 2 * FEWEST_DAYS)
        past = _days(self.ends - timedelta(days=recent - 1), recent)
        drawn = _averaged(generator, totals[-recent:], own, past, ahead, paths)
        days = int(known[-recent:].sum())
        return drawn, f"Mean of the last {days} days with the network's own week: {self._why(missing)}."

    def _why(self, missing: float) -> str:
        if len(self.totals) < FEWEST_DAYS or (~np.isnan(self.totals)).sum() < FEWEST_DAYS:
            return f"a season of the week needs {FEWEST_DAYS} days"
        if missing > MOST_MISSING:
            return f"{missing:.0%} of the days have no figure"
        return "too few patients a day for a season of the week"


@dataclass(frozen=True)
class Smoothing:
    """Exponential smoothing of daily totals with fixed effects of the weekdays: ETS(A,N,A) with gamma 0."""

    alpha: float
    level: float
    """After the last day."""
    effects: Array
    """[7] of the days that follow the last, in their order; they add up to 0."""
    variance: float
    """Of one day ahead."""
    log_likelihood: float


def smooth(totals: Array) -> Smoothing:
    """The most likely smoothing of whole days without gaps, at least 15 of them.

    Alpha is the best of steps of 0.02; given it, the surprises are linear in the first level and the effects, which are then least squares.
    """
    count = len(totals)
    alphas = np.arange(51) / 50
    weekday = np.arange(count) % 7
    columns = np.empty((count, 7))
    columns[:, 0] = totals
    columns[:, 1:] = np.where(weekday[:, None] == 6, -1.0, weekday[:, None] == np.arange(6))
    level = np.zeros((51, 7))
    surprises = np.empty((51, count, 7))
    for day in range(count):
        surprises[:, day] = columns[day] - level
        level += alphas[:, None] * surprises[:, day]
    states = np.concatenate(
        [(1 - alphas[:, None, None]) ** np.arange(count)[None, :, None], surprises[:, :, 1:]], axis=2
    )
    # Sums written out, and not matrix products: those wait for each other's threads on a busy machine.
    squares = np.einsum("atj,atk->ajk", states, states)
    found = np.linalg.solve(squares, np.einsum("atj,at->aj", states, surprises[:, :, 0])[:, :, None])[:, :, 0]
    left = surprises[:, :, 0] - np.einsum("atj,aj->at", states, found)
    errors = np.square(left).sum(axis=1)
    best = int(np.argmin(errors))
    first, effects = found[best, 0], np.append(found[best, 1:], -found[best, 1:].sum())
    error = max(float(errors[best]), 1e-12 * count)
    return Smoothing(
        float(alphas[best]),
        float(first + alphas[best] * left[best].sum()),
        np.roll(effects, -(count % 7)),
        error / (count - 8),
        -count / 2 * (math.log(2 * math.pi * error / count) + 1),
    )


def _smoothed(generator: np.random.Generator, totals: Array, gap: int, days: int, paths: int) -> Array:
    """Rates by exponential smoothing: [paths, days]."""
    fitted = smooth(totals)
    steps = gap - 1 + days
    surprises = generator.normal(0, math.sqrt(fitted.variance), (paths, steps))
    before = np.concatenate([np.zeros((paths, 1)), np.cumsum(surprises, axis=1)[:, :-1]], axis=1)
    effects = fitted.effects[np.arange(steps) % 7]
    expected = (fitted.level + fitted.alpha * before + effects)[:, gap - 1 :]
    # The one-day variance is that of the count around the rate (Poisson), of days that differ, and of not knowing the level: the last is
    # alpha times the whole in a local-level model in its steady state. That seven weekdays are estimated comes on top.
    estimated = 7 / len(totals)
    unknown = fitted.variance * max(fitted.alpha, estimated)
    middle = np.maximum(expected.mean(axis=0), 0.0)
    differs = np.maximum(fitted.variance * (1 + estimated) - middle - unknown, 0.0)
    shared = generator.normal(0, math.sqrt(unknown), (paths, 1))
    rates = expected + shared + generator.normal(0, 1, expected.shape) * np.sqrt(differs)
    return np.asarray(np.maximum(rates, 0.02 * middle))


def _averaged(
    generator: np.random.Generator, totals: Array, own: _OwnRate, past: list[date], ahead: list[date], paths: int
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


def _kept(
    generator: np.random.Generator, first: Array, today: float, share: float, replications: int
) -> NDArray[np.int64]:
    """Which futures to keep: as many as replications, each as often as what came today is likely under its first day's rate."""
    if share <= 0:
        return np.arange(replications)
    expected = np.maximum(first * share, 1e-9)
    logs = today * np.log(expected) - expected
    weights = np.cumsum(np.exp(logs - logs.max()))
    places = (np.arange(replications) + generator.random()) / replications
    kept = np.minimum(np.searchsorted(weights / weights[-1], places), len(first) - 1)
    # In an order of chance: the same replication of another stream must not have the same place.
    return np.asarray(generator.permutation(kept), dtype=np.int64)


def _filled(totals: Array) -> Array:
    """Days that are not known, as the mean of the two nearest known days of the same weekday."""
    found = totals.copy()
    for position in np.flatnonzero(np.isnan(totals)):
        same = np.flatnonzero(~np.isnan(totals) & (np.arange(len(totals)) % 7 == position % 7))
        near = same[np.argsort(np.abs(same - position), kind="stable")[:2]]
        found[position] = totals[near].mean() if len(near) else np.nanmean(totals)
    return found


def _own_profile(network: Network, stream: Arrival) -> tuple[Array, Array]:
    """Relative rates by weekday and hour [7, 24], mean 1, and by month [12]."""
    profile = next((profile for profile in network.profiles if profile.id == stream.profile), None)
    if profile is None:
        return np.ones((7, 24)), np.ones(12)
    return week_of(profile).reshape(7, 24), months_of(profile)


def _own_days(network: Network, paths: ArrivalPaths) -> Array:
    """What the network's own profile makes of each day, for streams that are not forecast: [streams, days]."""
    days = _days(paths.first_day, paths.rates.shape[2])
    found = np.ones((len(paths.streams), len(days)))
    for position, stream in enumerate(network.arrivals):
        if not paths.known[position]:
            week, months = _own_profile(network, stream)
            found[position] = [week[day.weekday()].mean() * months[day.month - 1] for day in days]
    return found


def _shares(week: Array) -> Array:
    """Each weekday's hours as shares of the day; a day without any is spread evenly."""
    days = week.sum(axis=1, keepdims=True)
    return np.where(days > 0, week / np.where(days > 0, days, 1.0), 1 / 24)


def _why_not(stream: Arrival, has_history: bool) -> str:
    if not has_history:
        return "No history: the network's own rate."
    if stream.per_day is None:
        return "The stream has times between arrivals and no rate: its history is not used."
    return "The stream's rate in the network is 0: its history is not used."


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=day) for day in range(count)]


def _key(seed: int, stream: str) -> list[int]:
    digest = hashlib.blake2b(stream.encode(), digest_size=16).digest()
    return [seed & (2**64 - 1), *(int.from_bytes(digest[part : part + 4], "little") for part in range(0, 16, 4))]


def _read(rows: Sequence[tuple[str, Mapping[str, Any]]], network: Network) -> ArrivalHistory:
    faults: list[Fault] = []
    gathered = Gathered(faults)
    streams = {stream.id for stream in network.arrivals}
    counts: dict[tuple[str, date, int | None], float] = {}
    whole: dict[tuple[str, date, int | None], str] = {}
    kinds: dict[str, tuple[bool, str]] = {}
    for where, cells in rows:
        stream = _cell(cells.get("stream"))
        moment, by_day, off = _when(cells.get("when"), where, gathered)
        count = _count(cells.get("count"), where, gathered)
        if stream not in streams:
            gathered.append(
                Fault(
                    f"{where}, column stream",
                    f"The network has no stream {stream[:60]!r}.",
                    f"Its streams: {_some(streams)}.",
                )
            )
            continue
        if moment is None or count is None:
            continue
        before = kinds.setdefault(stream, (by_day, where))
        if before[0] != by_day:
            gathered.append(
                Fault(
                    f"{where}, column when",
                    f"{stream} is counted by {'day' if by_day else 'hour'} here and by {'hour' if by_day else 'day'} at {before[1]}.",
                    "Give one of the two.",
                )
            )
            continue
        key = (stream, moment.date(), None if by_day else moment.hour)
        if not off and key in whole:
            gathered.append(
                Fault(f"{where}, column when", f"{stream} is already counted at {whole[key]}.", "Keep one row.")
            )
            continue
        if not off:
            whole[key] = where
        counts[key] = counts.get(key, 0.0) + count
    gathered.close()
    if not rows:
        faults.append(Fault("the history", "There is no row in it.", "Write one row for each hour or day and stream."))
    if faults:
        raise HistoryError(faults)
    frame = pl.DataFrame([(*key, count) for key, count in counts.items()], schema=SCHEMA, orient="row")
    return ArrivalHistory(frame.sort("stream", "day", "hour"))


def _when(value: Any, where: str, faults: Gathered) -> tuple[datetime | None, bool, bool]:
    """A moment; whether it is a day; whether it is off the hour."""
    text = value.isoformat() if isinstance(value, datetime | date) else _cell(value)
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time()), True, False
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is not None:
        what = "is not a date, or date and time" if moment is None else "carries a time zone"
        faults.append(
            Fault(f"{where}, column when", f"{text[:40]!r} {what}.", "Write the local time as 2016-04-01T13:00.")
        )
        return None, False, False
    return moment, False, bool(moment.minute or moment.second or moment.microsecond)


def _count(value: Any, where: str, faults: Gathered) -> float | None:
    try:
        found = float(value) if isinstance(value, int | float) and not isinstance(value, bool) else number(_cell(value))
    except BettercareError as error:
        faults.append(Fault(f"{where}, column count", error.what, error.remedy))
        return None
    if not (0 <= found <= _LARGEST_COUNT and found == int(found)):
        what = f"{found:g} is not a number of patients."
        faults.append(Fault(f"{where}, column count", what, f"Write a whole number from 0 to {_LARGEST_COUNT:,}."))
        return None
    return found


def _cell(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:30]) + (f" and {len(listed) - 30} more" if len(listed) > 30 else "")
