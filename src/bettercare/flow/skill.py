"""Was the forecast any good: held against what came, and against forecasts that cost nothing, at many moments of a history.

Nothing a forecast is given at a moment comes from after it, and what the rival forecasts learn comes from before the first moment. The
rivals:

* ``persistence``: as full as now, plus the changes over the same hours of the day seen before.
* ``last week``: as full as a week before that hour, plus the changes from week to week seen before.
* ``no capacities``: the approach of predicting demand from a snapshot, as the open package patientflow does for admissions: each patient,
  by where they are, their class and for how long, is at each place later with the chance that was so for such patients at the same time of
  day (so that their number is Poisson-binomial), and those yet to come are Poisson with the mean seen before, in proportion to the
  arrivals of the weekday. Patients are independent: beds are not limited. It is our own writing of that approach, for every station and not
  for admissions alone; patientflow itself finds the chances with a classifier on the records of patients, which a network has not.

The first two carry the errors they made before, so that they are forecasts with uncertainty and not a line.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.forecast import Forecast, What, forecast
from bettercare.flow.network import UNLIMITED, Network, Station
from bettercare.flow.now import servers_at
from bettercare.flow.scores import brier, crps, inside, pit, skill
from bettercare.flow.start_state import SEED
from bettercare.flow.visits import Visits

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

OURS = "bettercare"
PERSISTENCE, LAST_WEEK, NO_CAPACITIES = "persistence", "last week", "no capacities"
METHODS = (OURS, PERSISTENCE, LAST_WEEK, NO_CAPACITIES)
AHEAD = (1, 4, 8, 24, 48, 72)
LEVEL = 0.9
FEWEST_TRAINING_DAYS = 21
MOST_TRAINING_DAYS = 182
_IN_THE_MIDDLE = ((pl.col("pit") - 0.5).abs() < LEVEL / 2).cast(pl.Float64)
_STAYED = (1.0, 2.0, 4.0, 8.0, 12.0, 24.0, 48.0, 96.0, 168.0, 336.0)
_LIKE_THE_STATION = 10.0
"""Patients that the chances of a whole station are worth beside those of a class with a length of stay so far."""


@dataclass(frozen=True)
class Skill:
    """Forecasts held against what came."""

    cases: pl.DataFrame = field(repr=False)
    """method, station, what, ahead (hours), at (moment of the forecast), seen, mean, crps, inside (of the 90% interval: 1 or 0), pit, chance (of
    having no free place) and brier (null where places are not limited, or there are none)."""
    synthetic: bool
    """Whether what came was simulated."""
    replications: int

    def table(self) -> pl.DataFrame:
        """method, station, what, ahead, moments, crps, bias (mean of forecast less seen), coverage (share in the 90% interval; of counts a little more
        than 0.9 when all is well), calibration (share whose randomised rank is in the middle 90%; 0.9 when all is well), brier."""
        keys = ["method", "station", "what", "ahead"]
        return self.cases.group_by(keys, maintain_order=True).agg(
            pl.len().alias("moments"),
            pl.col("crps").mean(),
            (pl.col("mean") - pl.col("seen")).mean().alias("bias"),
            pl.col("inside").mean().alias("coverage"),
            _IN_THE_MIDDLE.mean().alias("calibration"),
            pl.col("brier").mean(),
        )

    def compared(self, by: Sequence[str] = ("station", "what", "ahead")) -> pl.DataFrame:
        """The CRPS of the forecast, its coverage and calibration (see :meth:`table`), and its skill against each rival (share of the rival's CRPS that is saved), by any of station,
        what and ahead; with none of them, one row for all."""
        keys = [*by, "method"]
        means = self.cases.group_by(keys, maintain_order=True).agg(
            pl.col("crps").mean(), pl.col("inside").mean().alias("coverage"), _IN_THE_MIDDLE.mean().alias("calibration")
        )
        rows = []
        groups = means.partition_by(list(by), maintain_order=True) if by else [means]
        for group in groups:
            score = {row["method"]: row for row in group.iter_rows(named=True)}
            row: dict[str, Any] = {name: group[name][0] for name in by}
            row |= {name: score[OURS][name] for name in ("crps", "coverage", "calibration")}
            row |= {f"skill against {rival}": skill(row["crps"], score[rival]["crps"]) for rival in METHODS[1:]}
            rows.append(row)
        return pl.DataFrame(rows)


def score(
    network: Network,
    visits: Visits,
    origins: Sequence[datetime],
    ahead: Sequence[int] = AHEAD,
    replications: int = 200,
    seed: int = SEED,
    workers: int = 1,
    stations: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> Skill:
    """Forecast from each of ``origins`` and hold it against what came.

    Args:
        visits: what happened, from :data:`FEWEST_TRAINING_DAYS` days before the first origin to the longest time ahead after the last.
        origins: whole hours.
        ahead: hours ahead that are scored.
        stations: ids of those that are scored; all that have limited places unless given.

    Raises:
        BettercareError: the history is too short for the origins, or an argument is out of range.
    """
    origins, ahead = sorted(set(origins)), sorted(set(ahead))
    _sensible(visits, origins, ahead)
    known = {station.id: station for station in network.stations}
    scored = (
        [station.id for station in network.stations if station.servers != UNLIMITED]
        if stations is None
        else list(stations)
    )
    if unknown := [ident for ident in scored if ident not in known]:
        raise BettercareError(f"The network has no station {unknown[0][:60]!r}.", "stations")
    whats: tuple[What, ...] = ("occupied", "waiting")
    places = [(ident, what) for ident in scored for what in whats]
    history = visits.arrivals()
    rivals = _Rivals(visits, places, ahead, origins[0], seed)
    frames = []
    for number, at in enumerate(origins):
        ours = forecast(network, visits.state(network, at), history, max(ahead), replications, seed, workers=workers)
        moments = [at + timedelta(hours=hours) for hours in ahead]
        seen = np.stack([visits.at(moments, station, what) for station, what in places])
        for method, samples in ((OURS, _ours(ours, places, ahead)), *rivals.at(at, replications)):
            frames.append(
                _cases(method, samples, seen, places, ahead, at, [known[station] for station, _ in places], seed)
            )
        if progress:
            progress("Forecasting the past", number + 1, len(origins))
    return Skill(pl.concat(frames), visits.synthetic, replications)


def _sensible(visits: Visits, origins: Sequence[datetime], ahead: Sequence[int]) -> None:
    if not origins or not ahead:
        raise BettercareError("There is nothing to score.", remedy="Give moments to forecast from, and hours ahead.")
    if any(at.minute or at.second or at.microsecond for at in origins):
        raise BettercareError("A moment to forecast from is not a whole hour.", "origins", "Give whole hours.")
    if ahead[0] < 1 or ahead[-1] > 24 * 7:
        raise BettercareError("The hours ahead are not between 1 and 168.", "ahead", "Give 1 to 168.")
    earliest = visits.first + timedelta(days=FEWEST_TRAINING_DAYS)
    latest = visits.last - timedelta(hours=ahead[-1])
    if origins[0] < earliest or origins[-1] > latest:
        raise BettercareError(
            f"The history goes from {visits.first:%Y-%m-%d} to {visits.last:%Y-%m-%d}: too little before or after the moments to forecast from.",
            "origins",
            f"Give moments from {earliest:%Y-%m-%d %H:%M} to {latest:%Y-%m-%d %H:%M}.",
        )


def _ours(found: Forecast, places: Sequence[tuple[str, What]], ahead: Sequence[int]) -> Array:
    """[places, ahead, draws]"""
    columns = [hours - 1 for hours in ahead]
    return np.stack([found.samples(station, what)[:, columns].T for station, what in places])


def _cases(
    method: str,
    samples: Array,
    seen: Array,
    places: Sequence[tuple[str, str]],
    ahead: Sequence[int],
    at: datetime,
    stations: Sequence[Station],
    seed: int,
) -> pl.DataFrame:
    limits = np.array(
        [
            [servers_at(station, at + timedelta(hours=hours)) if what == "occupied" else 0 for hours in ahead]
            for station, (_, what) in zip(stations, places, strict=True)
        ]
    )
    limited = limits > 0
    chance = np.where(limited, (samples >= limits[:, :, None]).mean(axis=2), np.nan)
    happened = np.where(limited, seen >= limits, np.nan)
    count = len(ahead)
    return pl.DataFrame(
        {
            "method": [method] * seen.size,
            "station": np.repeat([station for station, _ in places], count),
            "what": np.repeat([what for _, what in places], count),
            "ahead": np.tile(ahead, len(places)),
            "at": [at] * seen.size,
            "seen": seen.ravel(),
            "mean": samples.mean(axis=2).ravel(),
            "crps": crps(samples, seen).ravel(),
            "inside": inside(samples, seen, LEVEL).ravel(),
            "pit": pit(samples, seen, seed).ravel(),
            "chance": chance.ravel(),
            "brier": brier(chance, happened).ravel(),
        }
    ).with_columns(pl.col("chance", "brier").fill_nan(None))


class _Rivals:
    """Forecasts that know only the past of the history."""

    def __init__(
        self, visits: Visits, places: Sequence[tuple[str, What]], ahead: Sequence[int], until: datetime, seed: int
    ) -> None:
        self._visits, self._places, self._ahead, self._seed = visits, places, list(ahead), seed
        self._until = until
        days = (until - visits.first).days
        self._days = [until.date() - timedelta(days=back) for back in range(1, min(days, MOST_TRAINING_DAYS) + 1)]
        self._demand: dict[int, _Demand] = {}
        self._changes: dict[tuple[int, int], Array] = {}

    def at(self, at: datetime, draws: int) -> Iterable[tuple[str, Array]]:
        """Each rival with its draws: [places, ahead, draws]."""
        generator = np.random.default_rng([self._seed, int(at.timestamp())])
        trained = self._training(at.hour)
        yield PERSISTENCE, self._dressed(at, trained, 0)
        yield LAST_WEEK, self._dressed(at, trained, 168)
        if at.hour not in self._demand:
            self._demand[at.hour] = _Demand(self._visits, self._places, self._ahead, trained)
        yield NO_CAPACITIES, self._demand[at.hour].draws(at, draws, generator)

    def _training(self, hour: int) -> list[datetime]:
        """Moments at this hour of the day with a whole week before and all that is forecast after, before the first origin."""
        moments = [datetime(day.year, day.month, day.day, hour) for day in self._days]
        first = self._visits.first + timedelta(hours=168)
        return [at for at in moments if at >= first and at + timedelta(hours=self._ahead[-1]) <= self._until]

    def _dressed(self, at: datetime, trained: Sequence[datetime], back: int) -> Array:
        """A past value plus the changes seen since such a value before: back 0 is now, 168 the same hour a week before the one forecast."""
        lags = [timedelta(hours=hours - back if back else 0) for hours in self._ahead]
        if (at.hour, back) not in self._changes:
            self._changes[at.hour, back] = np.array(
                [
                    [
                        self._visits.at([moment + timedelta(hours=hours) for moment in trained], station, what)
                        - self._visits.at([moment + lag for moment in trained], station, what)
                        for hours, lag in zip(self._ahead, lags, strict=True)
                    ]
                    for station, what in self._places
                ]
            )
        values = np.array(
            [self._visits.at([at + lag for lag in lags], station, what) for station, what in self._places]
        )
        return np.maximum(values[:, :, None] + self._changes[at.hour, back], 0.0)


class _Demand:
    """Where patients will be, learned from snapshots at one hour of the day, with no regard to room."""

    def __init__(
        self, visits: Visits, places: Sequence[tuple[str, What]], ahead: Sequence[int], trained: Sequence[datetime]
    ) -> None:
        self._visits, self._ahead, self._places = visits, ahead, places
        self._number = {place: number for number, place in enumerate(places)}
        self._firsts = visits.frame.group_by("patient").agg(pl.col("came").min().alias("first"))
        self._came = np.sort(self._firsts["first"].to_numpy().astype("datetime64[us]"))
        count = (len(places), len(ahead))
        self._groups: dict[tuple[str, ...], Array] = {}
        """Patients of a group, and of them those at each place at each time: [1 + places * ahead]."""
        self._new = np.zeros(count)
        arrived = np.zeros(len(ahead))
        for at in trained:
            here = self._here(at)
            groups = dict(zip(here["patient"].to_list(), zip(*(here[name].to_list() for name in _GROUP)), strict=True))
            for group in groups.values():
                for key in (group, group[:2]):
                    self._groups.setdefault(key, np.zeros(1 + count[0] * count[1]))[0] += 1
            for column, hours in enumerate(ahead):
                there = self._here(at + timedelta(hours=hours)).select("patient", "station", "what", "first")
                for patient, station, what, first in there.iter_rows():
                    place = self._number.get((station, what))
                    if place is None:
                        continue
                    if patient in groups:
                        for key in (groups[patient], groups[patient][:2]):
                            self._groups[key][1 + place * count[1] + column] += 1
                    elif first > at:
                        self._new[place, column] += 1
                arrived[column] += self._arrivals(at, hours)
        self._new /= max(len(trained), 1)
        self._usual = arrived / max(len(trained), 1)
        self._trained = trained

    def draws(self, at: datetime, draws: int, generator: np.random.Generator) -> Array:
        """[places, ahead, draws]"""
        shape = (len(self._places), len(self._ahead))
        counted = self._here(at).group_by(_GROUP, maintain_order=True).len()
        total = np.zeros((*shape, draws))
        for *group, patients in counted.iter_rows():
            whole = self._groups.get(tuple(group[:2]))
            if whole is None:
                continue
            own = self._groups.get(tuple(group), np.zeros_like(whole))
            chances = (own[1:] + _LIKE_THE_STATION * whole[1:] / whole[0]) / (own[0] + _LIKE_THE_STATION)
            total += generator.binomial(patients, np.clip(chances, 0, 1).reshape(*shape, 1), (*shape, draws))
        # The week's own shape: how many come in these hours on this weekday, against the mean of all.
        same = [moment for moment in self._trained if moment.weekday() == at.weekday()]
        here = np.array(
            [np.mean([self._arrivals(moment, hours) for moment in same]) if same else np.nan for hours in self._ahead]
        )
        week = np.where(np.isfinite(here) & (self._usual > 0), here / np.maximum(self._usual, 1e-9), 1.0)
        return np.asarray(total + generator.poisson((self._new * week)[:, :, None], (*shape, draws)))

    def _arrivals(self, at: datetime, hours: int) -> float:
        ends = np.array([at, at + timedelta(hours=hours)], dtype="datetime64[us]")
        first, last = np.searchsorted(self._came, ends, side="right")
        return float(last - first)

    def _here(self, at: datetime) -> pl.DataFrame:
        """patient, station, what, class, stayed (a band), first (when they came to the network)."""
        frame = self._visits.frame.filter((pl.col("came") <= at) & (pl.col("left").is_null() | (pl.col("left") > at)))
        placed = (pl.col("began") <= at).fill_null(False)
        since = pl.when(placed).then("began").otherwise("came")
        stayed = (pl.lit(at) - since).dt.total_seconds() / 3600
        return (
            frame.with_columns(
                pl.when(placed).then(pl.lit("occupied")).otherwise(pl.lit("waiting")).alias("what"),
                pl.sum_horizontal((stayed > band).cast(pl.Int64) for band in _STAYED).cast(pl.String).alias("stayed"),
            )
            .unique("patient", keep="last", maintain_order=True)
            .join(self._firsts, on="patient")
            .select("patient", "station", "what", "class", "stayed", "first")
        )


_GROUP = ["station", "what", "class", "stayed"]
