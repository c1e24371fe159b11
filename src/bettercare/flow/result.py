"""What a run found, replication by replication: asked by measure, station or clock, class and month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Literal

import numpy as np
import polars as pl
from scipy import stats

from bettercare.errors import BettercareError
from bettercare.flow import engine
from bettercare.flow.compiled import NO_LIMIT, names_of
from bettercare.flow.engine import BINS, State
from bettercare.flow.measures import (
    BY_CLASS,
    CLOCK_MEASURES,
    QUANTILES,
    STATION_MEASURES,
    TOGETHER,
    Measure,
    hours_text,
    measure,
)
from bettercare.flow.network import UNLIMITED, Network

Floats = np.ndarray[Any, np.dtype[np.float64]]
ALL = "all"
CONFIDENCE = 0.95
_stats: Any = stats

_EDGES = np.array([0.0, *(np.ldexp(0.5 + (i % 16) / 32, i // 16 - 6) for i in range(BINS))])


def quantiles(bins: Floats, shares: Sequence[float] = QUANTILES) -> Floats:
    """Quantiles in hours from histograms [..., BINS], by straight lines within a bin (a bin is 3 to 6% wide); NaN when empty."""
    total = bins.sum(axis=-1, keepdims=True)
    cumulative = np.cumsum(bins, axis=-1)
    wanted = total * np.asarray(shares)
    at = np.minimum((cumulative[..., None, :] < wanted[..., None]).sum(axis=-1), BINS - 1)
    below = np.where(at > 0, np.take_along_axis(cumulative, np.maximum(at - 1, 0), axis=-1), 0.0)
    width = np.take_along_axis(bins, at, axis=-1)
    part = np.divide(wanted - below, width, out=np.zeros_like(wanted), where=width > 0)
    low, high = _EDGES[at], _EDGES[np.minimum(at + 1, BINS)]
    hours = np.where(at == 0, 0.0, low + part * (high - low))
    return np.where(total > 0, hours, np.nan)


@dataclass(frozen=True)
class Recorded:
    """One replication. P periods, S stations, C classes, K clocks, O outcomes."""

    station: Floats  # [P, S, 16] as engine.State
    joined: Floats  # [P, S, 8] as by_class, over all classes
    by_class: Floats  # [S, C, 8]
    wait: Floats  # [S, quantiles]
    clock: Floats  # [P, K, C, 2]
    over: Floats  # [P, targets, C]
    times: Floats  # [K, C + 1, quantiles]; the last for all classes
    left: Floats  # [P, O, C]
    escalated: Floats  # [P, E, 2] as engine.State
    week: Floats  # [168, S, 4] means at the turn of the hour
    trace: np.ndarray[Any, np.dtype[np.int32]]  # [hours, S, 3]
    inside: int
    events: int

    @classmethod
    def of(cls, state: State) -> Recorded:
        """What a finished state holds."""
        bins = np.concatenate([state.clock_bins, state.clock_bins.sum(axis=1, keepdims=True)], axis=1)
        often = np.maximum(state.times, 1.0)[:, None, None]
        return cls(
            state.station, state.by_class.sum(axis=2), state.by_class.sum(axis=0), quantiles(state.wait_bins), state.clock, state.over, quantiles(bins), state.left, state.escalated,
            state.week / often, state.trace, int(state.num[engine.INSIDE]), int(state.num[engine.EVENTS]),
        )  # fmt: skip


@dataclass(frozen=True)
class Estimate:
    """A mean over replications, how well it is known (95% confidence interval), and how replications differ."""

    mean: float
    low: float
    high: float
    p05: float
    p50: float
    p95: float
    replications: int

    @property
    def half_width(self) -> float:
        return (self.high - self.low) / 2


def estimate(values: Floats, antithetic: bool = False) -> Estimate:
    """Mean and interval by Student's t over replications (over the means of pairs when they are antithetic); NaN are left out."""
    known = values[~np.isnan(values)]
    nan = float("nan")
    if not len(known):
        return Estimate(nan, nan, nan, nan, nan, nan, 0)
    p05, p50, p95 = (float(value) for value in np.percentile(known, [5, 50, 95]))
    independent = known
    if antithetic:
        # Only whole pairs are independent of each other.
        pairs = values[: len(values) // 2 * 2].reshape(-1, 2).mean(axis=1)
        independent = pairs[~np.isnan(pairs)]
        if not len(independent):
            return Estimate(float(known.mean()), nan, nan, p05, p50, p95, len(known))
    count, mean = len(independent), float(independent.mean())
    half = nan
    if count > 1:
        half = float(_stats.t.ppf((1 + CONFIDENCE) / 2, count - 1) * independent.std(ddof=1) / np.sqrt(count))
    return Estimate(mean, mean - half, mean + half, p05, p50, p95, len(known))


@dataclass(frozen=True)
class Result:
    """A run: its network (with the scenario applied), and what each replication recorded."""

    network: Network
    seed: int
    started: datetime
    """The first hour that counts."""
    hours: float
    periods: tuple[str, ...]
    antithetic: bool
    recorded: tuple[Recorded, ...]
    week: Floats
    """[168, S, 4] occupied, waiting, held and servers at the turn of each hour of the week, mean over replications."""

    @property
    def replications(self) -> int:
        return len(self.recorded)

    @cached_property
    def _names(self) -> Any:
        return names_of(self.network)

    @cached_property
    def _station(self) -> Floats:
        return np.stack([one.station for one in self.recorded])

    @cached_property
    def _joined(self) -> Floats:
        return np.stack([one.joined for one in self.recorded])

    @cached_property
    def _by_class(self) -> Floats:
        return np.stack([one.by_class for one in self.recorded])

    @cached_property
    def _period_hours(self) -> Floats:
        """Hours of each period that count."""
        end = self.started + timedelta(hours=self.hours)
        found = []
        for period in self.periods:
            first = datetime.fromisoformat(f"{period}-01")
            following = (first + timedelta(days=32)).replace(day=1)
            found.append(max((min(following, end) - max(first, self.started)).total_seconds() / 3600, 0.0))
        return np.array(found)

    def estimate(self, name: str, of: str, patient: str = ALL, period: str = ALL) -> Estimate:
        """A measure as a mean with its interval."""
        return estimate(self.values(name, of, patient, period), self.antithetic)

    def values(self, name: str, of: str, patient: str = ALL, period: str = ALL) -> Floats:
        """A measure of a station, clock, outcome or escalation in every replication: [replications]; NaN where there is nothing to measure.

        Stations can be taken together (``ward-a+ward-b``) for counts of patients, places and days, and for occupancy.

        Raises:
            BettercareError: no such measure, station, clock, outcome, class or month.
        """
        asked = measure(name)
        of_period = self._period(period)
        match asked.of:
            case "clock":
                return self._of_clock(asked, of, patient, of_period)
            case "station":
                return self._of_stations(asked, of, patient, of_period)
            case "outcome":
                return self._of_outcome(of, patient, of_period)
            case _:
                return self._of_escalation(asked, of, patient, of_period)

    def _period(self, period: str) -> int | None:
        if period == ALL:
            return None
        if period not in self.periods:
            raise BettercareError(
                f"{period!r} is not a month of this run.",
                remedy=f"It runs from {self.periods[0]} to {self.periods[-1]}; or ask for 'all'.",
            )
        return self.periods.index(period)

    def _class(self, patient: str) -> int | None:
        if patient == ALL:
            return None
        return _known(patient, self._names.classes, "class")

    def _of_clock(self, asked: Measure, of: str, patient: str, period: int | None) -> Floats:
        number = _known(of, {clock.id: n for n, clock in enumerate(self.network.clocks)}, "clock")
        c = self._class(patient)
        if asked.id in ("q50", "q90", "q95"):
            if period is not None:
                raise BettercareError(f"{asked.id} is kept for the whole run only.", remedy="Ask for the period 'all'.")
            column = CLOCK_MEASURES.index(asked.id) - 2
            return np.array([one.times[number, -1 if c is None else c, column] for one in self.recorded])
        counted = self._summed([one.clock[:, number] for one in self.recorded], period, c)  # [R, 2]
        if asked.id == "patients":
            return counted[:, 0]
        if asked.id == "mean":
            return _over(counted[:, 1], counted[:, 0])
        kind, _, hours = asked.id.partition("-")
        targets = [(k, t) for k, clock in enumerate(self.network.clocks) for t in clock.targets]
        wanted = (number, float(hours))
        if wanted not in targets:
            named = ", ".join(hours_text(t) for k, t in targets if k == number) or "none"
            raise BettercareError(f"Clock {of!r} has no target of {hours} hours.", remedy=f"Its targets are: {named}.")
        over = self._summed([one.over[:, targets.index(wanted), :, None] for one in self.recorded], period, c)[:, 0]
        share = _over(over, counted[:, 0])
        return share if kind == "over" else 1.0 - share

    @staticmethod
    def _summed(parts: Sequence[Floats], period: int | None, c: int | None) -> Floats:
        """[R, X] from [P, C, X] of each replication."""
        stacked = np.stack(parts)
        stacked = stacked.sum(axis=1) if period is None else stacked[:, period]
        return np.asarray(stacked.sum(axis=1) if c is None else stacked[:, c])

    def _of_outcome(self, of: str, patient: str, period: int | None) -> Floats:
        number = _known(of, self._names.outcomes, "outcome")
        return self._summed([one.left[:, number, :, None] for one in self.recorded], period, self._class(patient))[:, 0]

    def _of_escalation(self, asked: Measure, of: str, patient: str, period: int | None) -> Floats:
        number = _known(of, {row.id: n for n, row in enumerate(self.network.escalations)}, "escalation")
        if patient != ALL:
            raise BettercareError("An escalation is of no class.", remedy="Ask for all patients.")
        found = np.stack([one.escalated[:, number] for one in self.recorded])
        found = found.sum(axis=1) if period is None else found[:, period]
        if asked.id == "escalations":
            return np.asarray(found[:, engine.BEGUN])
        hours = float(self._period_hours.sum() if period is None else self._period_hours[period])
        return np.asarray(found[:, engine.ON_HOURS] / hours)

    def _of_stations(self, asked: Measure, of: str, patient: str, period: int | None) -> Floats:
        stations = of.split(TOGETHER)
        if len(stations) == 1:
            return self._of_station(asked, of, patient, period)
        if not asked.of_several:
            raise BettercareError(f"{asked.id} is of one station at a time.", remedy=f"Ask for {stations[0]} alone.")

        def together(asked: Measure) -> Floats:
            return np.asarray(sum(self._of_station(asked, one, patient, period) for one in stations))

        if asked.id == "occupancy":
            return _over(together(measure("occupied")), together(measure("servers")))
        return together(asked)

    def _of_station(self, asked: Measure, of: str, patient: str, period: int | None) -> Floats:
        s = _known(of, self._names.stations, "station")
        if patient != ALL:
            return self._of_class(asked, s, self._class(patient), period)
        if asked.id.startswith("wait-q"):
            if period is not None:
                raise BettercareError(f"{asked.id} is kept for the whole run only.", remedy="Ask for the period 'all'.")
            return np.array([one.wait[s, QUANTILES.index(int(asked.id[6:]) / 100)] for one in self.recorded])
        column = self._station[:, :, s].sum(axis=1) if period is None else self._station[:, period, s]
        joined = self._joined[:, :, s].sum(axis=1) if period is None else self._joined[:, period, s]
        hours = float(self._period_hours.sum() if period is None else self._period_hours[period])
        unlimited = self.network.stations[s].servers == UNLIMITED
        servers = np.full(len(column), np.nan) if unlimited else column[:, engine.SERVER_HOURS]
        match asked.id:
            case "arrivals":
                return joined[:, engine.JOINED]
            case "served":
                return joined[:, engine.SERVED]
            case "wait":
                return _over(joined[:, engine.WAIT_SUM], joined[:, engine.WAIT_N])
            case "stay":
                return _over(joined[:, engine.STAY_SUM], joined[:, engine.SERVED])
            case "blocked":
                return column[:, engine.HELD_HOURS] / hours
            case "blocked-days":
                return column[:, engine.HELD_HOURS] / 24
            case "held-for-days":
                return column[:, engine.HELD_FOR] / 24
            case "ready":
                return (column[:, engine.HELD_HOURS] + column[:, engine.READY_HOURS]) / hours
            case "held":
                return column[:, engine.HELD_N]
            case "discharge-days":
                return column[:, engine.READY_HOURS] / 24
            case "occupied":
                return column[:, engine.BUSY_HOURS] / hours
            case "waiting":
                return column[:, engine.WAIT_HOURS] / hours
            case "servers":
                return servers / hours
            case "occupancy":
                return _over(column[:, engine.BUSY_HOURS], servers)
            case "full":
                return (
                    np.full(len(column), np.nan)
                    if unlimited
                    else _over(column[:, engine.FULL_TIMES], column[:, engine.TIMES])
                )
            case "turned-away":
                return column[:, engine.TURNED]
            case "gave-up":
                return column[:, engine.GAVE_UP]
            case _:
                return column[:, engine.PREEMPTED]

    def _of_class(self, asked: Measure, s: int, c: int | None, period: int | None) -> Floats:
        if period is not None:
            raise BettercareError(
                "Stations are kept by class for the whole run only.",
                remedy="Ask for the period 'all', or for all patients.",
            )
        column = self._by_class[:, s, c]
        match asked.id:
            case "arrivals":
                return np.asarray(column[:, engine.JOINED])
            case "served":
                return np.asarray(column[:, engine.SERVED])
            case "wait":
                return _over(column[:, engine.WAIT_SUM], column[:, engine.WAIT_N])
            case "stay":
                return _over(column[:, engine.STAY_SUM], column[:, engine.SERVED])
            case "blocked-days":
                return np.asarray(column[:, engine.CLASS_HELD] / 24)
        raise BettercareError(
            f"{asked.id!r} of a station is not kept by class.",
            remedy=f"By class there are: {', '.join(BY_CLASS)}.",
        )

    def table(self, months: bool = False, classes: bool = False) -> pl.DataFrame:
        """Everything, tidy: measure, of, title, patient, period, unit, mean, low, high, p05, p50, p95, replications.

        ``low`` to ``high`` say how well the mean is known; ``p05`` to ``p95`` how one run of this length differs from another.
        """
        rows = []
        for asked, of, title in self._asked():
            periods = [ALL, *(self.periods if months and not asked.id.startswith(("q", "wait-q")) else ())]
            patients = [ALL, *(self._names.classes if classes and asked.of in ("clock", "outcome") else ())]
            for period in periods:
                for patient in patients:
                    found = self.estimate(asked.id, of, patient, period)
                    if found.replications:
                        rows.append((asked.id, of, title, patient, period, asked.unit, *_fields(found)))
        schema = [
            "measure",
            "of",
            "title",
            "patient",
            "period",
            "unit",
            "mean",
            "low",
            "high",
            "p05",
            "p50",
            "p95",
            "replications",
        ]
        return pl.DataFrame(rows, schema=schema, orient="row")

    def _asked(self) -> Iterator[tuple[Measure, str, str]]:
        for clock in self.network.clocks:
            for name in CLOCK_MEASURES:
                yield measure(name), clock.id, clock.title
            for hours in clock.targets:
                yield measure(f"within-{hours_text(hours)}"), clock.id, clock.title
        for station in self.network.stations:
            for name in STATION_MEASURES:
                yield measure(name), station.id, station.title
        titles = {outcome.id: outcome.title for outcome in self.network.outcomes}
        for ident in self._names.outcomes:
            yield measure("left"), ident, titles.get(ident, "Found no room to wait")
        for escalation in self.network.escalations:
            for name in ("escalated", "escalations"):
                yield measure(name), escalation.id, escalation.title

    def by_hour(self) -> pl.DataFrame:
        """Each station at the turn of each hour of the week: station, hour_of_week (0 is Monday 00:00), servers, occupied, waiting, blocked."""
        week, stations = self.week, [station.id for station in self.network.stations]
        count = week.shape[0]
        servers = np.where(week[:, :, 3] >= NO_LIMIT / 2, np.nan, week[:, :, 3])
        return pl.DataFrame(
            {
                "station": np.repeat(stations, count),
                "hour_of_week": np.tile(np.arange(count), len(stations)),
                "servers": servers.T.ravel(),
                "occupied": week[:, :, 0].T.ravel(),
                "waiting": week[:, :, 1].T.ravel(),
                "blocked": week[:, :, 2].T.ravel(),
            }
        )

    def series(
        self, station: str, what: Literal["occupied", "waiting", "blocked"] = "occupied"
    ) -> np.ndarray[Any, np.dtype[np.int32]]:
        """A station hour by hour in each replication: [replications, hours], from the first whole hour; only of a run with ``trace``."""
        if not self.recorded[0].trace.shape[0]:
            raise BettercareError("This run kept no hours.", remedy="Run it with trace.")
        s = _known(station, self._names.stations, "station")
        first = -(-self.started.minute // 60) + self.started.hour if self.started.hour or self.started.minute else 0
        return np.stack([one.trace[first:, s, ("occupied", "waiting", "blocked").index(what)] for one in self.recorded])

    def daily(self) -> pl.DataFrame:
        """Patients in each station at midnight: station, day, mean, p05, p50, p95; only of a run with ``trace``."""
        frames = []
        for station in self.network.stations:
            midnight = self.series(station.id)[:, ::24]
            low, middle, high = np.percentile(midnight, [5, 50, 95], axis=0)
            days: list[date] = [self.started.date() + timedelta(days=n) for n in range(midnight.shape[1])]
            frames.append(
                pl.DataFrame(
                    {
                        "station": [station.id] * len(days),
                        "day": days,
                        "mean": midnight.mean(axis=0),
                        "p05": low,
                        "p50": middle,
                        "p95": high,
                    }
                )
            )
        return pl.concat(frames)


def _fields(found: Estimate) -> tuple[float | int, ...]:
    return found.mean, found.low, found.high, found.p05, found.p50, found.p95, found.replications


def _over(part: Floats, whole: Floats) -> Floats:
    shares: Floats = np.divide(part, whole, out=np.full(len(part), np.nan), where=whole > 0)
    return shares


def _known(ident: str, among: dict[str, int], noun: str) -> int:
    if ident not in among:
        raise BettercareError(
            f"The network has no {noun} {ident!r}.", remedy=f"Ask for one of: {', '.join(among) or 'none'}."
        )
    return among[ident]
