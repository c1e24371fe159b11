"""How many patients will come: each stream's daily rates for the next days, with how uncertain they are, and the shape of its day.

Rates are forecast from the stream's own days (see :mod:`bettercare.flow.arrival_series`). A stream without history keeps what the network says.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.arrival_history import COLUMNS, ArrivalHistory, HistoryError, read_arrivals
from bettercare.flow.arrival_series import UNSETTLED, Array, OwnRate, Series, days_from
from bettercare.flow.compiled import months_of, week_of
from bettercare.flow.network import Arrival, Network, Profile

__all__ = ["COLUMNS", "ArrivalHistory", "ArrivalPaths", "HistoryError", "forecast_arrivals", "read_arrivals"]

STALE_DAYS = 7
"""Days without a figure before the forecast starts that are worth a word."""
_CANDIDATES = 8


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
    weekdays = [day.weekday() for day in days_from(at.date(), days)]
    known, methods, words = [False] * count, {}, []
    told = history.before(at) if history is not None else None
    for position, stream in enumerate(network.arrivals):
        own_week, own_months = _own_profile(network, stream)
        week[position] = _shares(own_week)
        hours[position] = week[position, weekdays].mean(axis=0)
        series = Series.of(told, stream.id, at) if told is not None else None
        if series is None or stream.per_day is None or stream.per_day <= 0:
            methods[stream.id] = _why_not(stream, series is not None)
            if series is not None:
                words.append(f"{stream.id}: {methods[stream.id]}")
            continue
        generator = np.random.default_rng(_key(seed, stream.id))
        week[position] = series.shape(week[position])
        hours[position] = week[position, weekdays].mean(axis=0)
        own = OwnRate(stream, own_week.mean(axis=1) * stream.per_day, own_months)
        ahead = days_from(at.date(), days)
        drawn, methods[stream.id] = series.sampled(generator, own, ahead, replications * _CANDIDATES)
        share = float(hours[position, : series.today_hours].sum())
        kept = _kept(generator, drawn[:, 0], series.today, share, replications)
        rates[:, position] = drawn[kept] / stream.per_day
        known[position] = True
        if methods[stream.id].endswith(UNSETTLED):
            words.append(f"{stream.id}:{UNSETTLED}")
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


def _own_profile(network: Network, stream: Arrival) -> tuple[Array, Array]:
    """Relative rates by weekday and hour [7, 24], mean 1, and by month [12]."""
    profile = next((profile for profile in network.profiles if profile.id == stream.profile), None)
    if profile is None:
        return np.ones((7, 24)), np.ones(12)
    return week_of(profile).reshape(7, 24), months_of(profile)


def _own_days(network: Network, paths: ArrivalPaths) -> Array:
    """What the network's own profile makes of each day, for streams that are not forecast: [streams, days]."""
    days = days_from(paths.first_day, paths.rates.shape[2])
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


def _key(seed: int, stream: str) -> list[int]:
    digest = hashlib.blake2b(stream.encode(), digest_size=16).digest()
    return [seed & (2**64 - 1), *(int.from_bytes(digest[part : part + 4], "little") for part in range(0, 16, 4))]
