"""The next hours, from who is where now: how full each unit will be, the chance that it runs out, and what a decision would change.

Every replication begins with the same patients. What is left of a stay is drawn from the lengths of stay of those who have stayed that
long already, or around the expected discharge where one is given; those yet to come are drawn around sampled rates of arrival. Decisions
meet the same patients with the same luck, so that what differs is the decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.arrivals import ArrivalHistory, ArrivalPaths, forecast_arrivals
from bettercare.flow.network import UNLIMITED, Network, Scenario, Station
from bettercare.flow.now import Now, servers_at
from bettercare.flow.run import run
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as named_scenario
from bettercare.flow.start_state import EXPECTED_ERROR, SEED, start_of

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

What = Literal["occupied", "waiting", "blocked"]
WHATS: tuple[What, ...] = ("occupied", "waiting", "blocked")
"""Places held; patients in the line who hold no place; patients who are done and hold a place because the next has no room."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LONGEST = 24 * 28
NOW_AS_IT_IS = ""
"""The decision to change nothing."""


@dataclass(frozen=True)
class Forecast:
    """Sampled futures of a network from now, as it is and under each decision."""

    network: Network
    now: Now
    hours: int
    replications: int
    seed: int
    decisions: tuple[Scenario, ...]
    arrivals: ArrivalPaths
    times: tuple[datetime, ...]
    """The turns of the hour that are forecast: the first is the first after now."""
    places: Mapping[str, NDArray[np.int64]] = field(repr=False)
    """For each decision servers [stations, hours]; -1 without limit."""
    _samples: Mapping[str, NDArray[np.int32]] = field(repr=False)
    """For each decision [3 of WHATS, stations, replications, hours]."""
    days: int
    """Whole days that were simulated to reach the last hour."""
    escalated: Mapping[str, NDArray[np.bool_]] = field(repr=False)
    """For each decision whether each escalation was ever on in those days: [escalations, replications]. None is on at the start."""

    def samples(self, station: str, what: str = "occupied", decision: str = NOW_AS_IT_IS) -> Array:
        """Patients at the turn of each hour: [replications, hours].

        Raises:
            BettercareError: the network has no such station, or the forecast no such decision.
        """
        if what not in WHATS:
            raise BettercareError(f"{what[:40]!r} is not forecast.", remedy=f"Ask for one of: {', '.join(WHATS)}.")
        if decision not in self._samples:
            known = ", ".join(scenario.id for scenario in self.decisions) or "none"
            raise BettercareError(f"The forecast has no decision {decision[:60]!r}.", remedy=f"Its decisions: {known}.")
        return np.asarray(self._samples[decision][WHATS.index(what), self._position(station)], dtype=np.float64)

    def table(self) -> pl.DataFrame:
        """decision (empty for none), station, title, what, hour (1 is the first turn of the hour after now), at, mean, p05, p25, p50, p75, p95."""
        return self._tidy(dict(self._samples), dict.fromkeys(self._samples, None))

    def runs_out(self) -> pl.DataFrame:
        """The chance that a unit has no free place: decision, station, title, hour, at, places, chance. Units without limit are left out,
        and an hour in which a unit has no places at all is null: it is closed, not full."""
        frames = []
        for decision in self._samples:
            full = self._full(decision)
            chance = full.mean(axis=1)
            for position, station in self._limited(decision):
                places = self.places[decision][position]
                frames.append(
                    self._hours_of(decision, station).with_columns(
                        places=pl.Series(places),
                        chance=pl.Series(
                            [float(c) if p > 0 else None for c, p in zip(chance[position], places, strict=True)],
                            dtype=pl.Float64,
                        ),
                    )
                )
        return pl.concat(frames) if frames else pl.DataFrame()

    def first_full(self) -> pl.DataFrame:
        """decision, station, title, chance (of having no free place at the turn of any hour), first_hour (hours until then in the middle one of
        all replications; null when fewer than half run out), first_hour_if (the middle of those that do), at_risk_from (the first hour with a
        chance of a half, null when there is none)."""
        rows = []
        for decision in self._samples:
            full = self._full(decision)
            for position, station in self._limited(decision):
                ever = full[position].any(axis=1)
                first = np.where(ever, full[position].argmax(axis=1) + 1.0, np.inf)
                middle = float(np.quantile(first, 0.5, method="inverted_cdf"))
                likely = np.flatnonzero(full[position].mean(axis=0) >= 0.5)
                rows.append(
                    {
                        "decision": decision,
                        "station": station.id,
                        "title": station.title,
                        "chance": float(ever.mean()),
                        "first_hour": middle if np.isfinite(middle) else None,
                        "first_hour_if": float(np.median(first[ever])) if ever.any() else None,
                        "at_risk_from": int(likely[0]) + 1 if len(likely) else None,
                    }
                )
        kinds: dict[str, Any] = {
            "decision": pl.String,
            "station": pl.String,
            "title": pl.String,
            "at_risk_from": pl.Int64,
        }
        names = ("decision", "station", "title", "chance", "first_hour", "first_hour_if", "at_risk_from")
        return pl.DataFrame(rows, schema={name: kinds.get(name, pl.Float64) for name in names})

    def differences(self) -> pl.DataFrame:
        """What each decision changes, replication by replication: the columns of :meth:`table`, of the difference to doing nothing, and low and
        high, the 95% confidence interval of its mean. Empty without decisions."""
        base = self._samples[NOW_AS_IT_IS]
        paired = {scenario.id: self._samples[scenario.id] - base for scenario in self.decisions}
        return self._tidy(paired, {decision: _half_width(values) for decision, values in paired.items()})

    def _tidy(self, samples: Mapping[str, NDArray[np.int32]], halves: Mapping[str, Array | None]) -> pl.DataFrame:
        frames = []
        for decision, values in samples.items():
            mean = values.mean(axis=2)
            quantiles = np.quantile(values, QUANTILES, axis=2, method="inverted_cdf")
            half = halves[decision]
            for position, station in enumerate(self.network.stations):
                for number, what in enumerate(WHATS):
                    columns = {"mean": mean[number, position]} | (
                        {
                            "low": mean[number, position] - half[number, position],
                            "high": mean[number, position] + half[number, position],
                        }
                        if half is not None
                        else {}
                    )
                    columns |= {
                        f"p{round(p * 100):02d}": quantiles[k, number, position].astype(float)
                        for k, p in enumerate(QUANTILES)
                    }
                    frame = self._hours_of(decision, station).with_columns(pl.lit(what).alias("what"))
                    frames.append(frame.with_columns(**{name: pl.Series(found) for name, found in columns.items()}))
        return pl.concat(frames) if frames else pl.DataFrame()

    def _hours_of(self, decision: str, station: Station) -> pl.DataFrame:
        hours = pl.DataFrame(
            {"hour": np.arange(1, self.hours + 1), "at": pl.Series(self.times, dtype=pl.Datetime("us"))}
        )
        return hours.select(
            pl.lit(decision).alias("decision"),
            pl.lit(station.id).alias("station"),
            pl.lit(station.title).alias("title"),
            "hour",
            "at",
        )

    def _limited(self, decision: str) -> Iterator[tuple[int, Station]]:
        for position, station in enumerate(self.network.stations):
            if (self.places[decision][position] != UNLIMITED).all():
                yield position, station

    def _full(self, decision: str) -> NDArray[np.bool_]:
        """[stations, replications, hours]"""
        places = self.places[decision][:, None, :]
        return np.asarray((self._samples[decision][0] >= places) & (places > 0))

    def _position(self, station: str) -> int:
        for position, one in enumerate(self.network.stations):
            if one.id == station:
                return position
        raise BettercareError(
            f"The network has no station {station[:60]!r}.", remedy="Its stations are listed in its file."
        )


def forecast(
    network: Network,
    now: Now,
    history: ArrivalHistory | None = None,
    hours: int = 72,
    replications: int = 500,
    seed: int = SEED,
    decisions: Sequence[Scenario | str] = (),
    workers: int = 1,
    progress: Progress | None = None,
    expected_error: float = EXPECTED_ERROR,
) -> Forecast:
    """Simulate forward from now.

    Known to be weak: of one who is ready and of whom nothing is said, where they go is drawn once and not for each replication, by the shares of
    routes and not by how slow each station is. In synthetic histories large wards (medical, elective) and units of long stays (intensive
    community support) had intervals that held less often than they say in some histories and not in others; the cause is not known.
    ``benchmarks/forecast.py`` prints it by station, of one history whose forecasts overlap: two seeds may not agree.

    Args:
        history: arrivals so far; without it the network's own rates are used. What came after now is not looked at.
        hours: turns of the hour to forecast.
        decisions: scenarios, or ids of the network's own; each is compared with doing nothing.
        expected_error: how far expected discharges are off, see :data:`EXPECTED_ERROR`; 0 believes them to the hour.

    Raises:
        BettercareError: the state is of another network, a number is out of range, or a decision cannot be made.
    """
    _sensible(network, now, hours, replications, expected_error)
    chosen = _decisions(network, decisions)
    turns = tuple(_first_turn(now.at) + timedelta(hours=hour) for hour in range(hours))
    days = -(-int((turns[-1] - now.at).total_seconds()) // 86_400)
    calendar_days = (turns[-1].date() - now.at.date()).days + 1
    paths = forecast_arrivals(network, history, now.at, calendar_days, replications, seed)
    start = start_of(now, network, replications, seed, expected_error)
    # A run that begins on the hour has that hour as its first row.
    skipped = 0 if now.at.minute else 1
    rows = slice(skipped, skipped + hours)
    samples: dict[str, NDArray[np.int32]] = {}
    places: dict[str, NDArray[np.int64]] = {}
    escalated: dict[str, NDArray[np.bool_]] = {}
    for number, decision in enumerate((None, *chosen)):
        other = paths.onto(network if decision is None else changed(network, decision))
        result = run(
            other,
            replications=replications,
            seed=seed,
            workers=workers,
            days=days,
            warm_up=0,
            trace=True,
            start=start,
            day_rates=paths.rates,
            progress=_of_all(progress, number, 1 + len(chosen), replications),
        )
        ident = NOW_AS_IT_IS if decision is None else decision.id
        samples[ident] = np.array(
            [[result.series(station.id, what)[:, rows] for station in network.stations] for what in WHATS],
            dtype=np.int32,
        )
        places[ident] = np.array(
            [[servers_at(station, at) for at in turns] for station in other.stations], dtype=np.int64
        )
        escalated[ident] = np.array(
            [result.values("escalated", row.id) > 0 for row in network.escalations], dtype=np.bool_
        ).reshape(-1, replications)
    return Forecast(network, now, hours, replications, seed, chosen, paths, turns, places, samples, days, escalated)


def _half_width(values: NDArray[np.int32]) -> Array:
    """Half of the 95% confidence interval of the mean over replications: [3, stations, hours]."""
    count = values.shape[2]
    if count < 2:
        return np.full((values.shape[0], values.shape[1], values.shape[3]), np.nan)
    return np.asarray(1.96 * values.std(axis=2, ddof=1) / np.sqrt(count))


def _first_turn(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)


def _of_all(progress: Progress | None, number: int, runs: int, replications: int) -> Progress | None:
    """The progress of one run as a part of all of them."""
    if progress is None:
        return None
    return lambda what, done, _: progress(what, number * replications + done, runs * replications)


def _decisions(network: Network, decisions: Sequence[Scenario | str]) -> tuple[Scenario, ...]:
    if isinstance(decisions, str | Scenario):
        decisions = (decisions,)
    chosen = tuple(named_scenario(network, one) if isinstance(one, str) else one for one in decisions)
    idents = [one.id for one in chosen]
    if len(set(idents)) < len(idents) or NOW_AS_IT_IS in idents:
        raise BettercareError(
            "Two decisions have the same id, or one has none.", "decisions", "Give each an id of its own."
        )
    return chosen


def _sensible(network: Network, now: Now, hours: int, replications: int, expected_error: float) -> None:
    if now.network != network.id:
        raise BettercareError(
            f"The state is of the network {now.network[:60]!r} and not of {network.id[:60]!r}.",
            remedy="Read it with that network.",
        )
    if not 1 <= hours <= LONGEST:
        raise BettercareError(f"{hours} hours cannot be forecast.", remedy=f"Ask for 1 to {LONGEST}.")
    if not 2 <= replications <= 20_000:
        raise BettercareError(f"A forecast cannot have {replications} replications.", remedy="Ask for 2 to 20,000.")
    if not 0 <= expected_error <= 3:
        raise BettercareError(
            f"The error of expected discharges cannot be {expected_error}.",
            remedy="Give the standard deviation of its logarithm, 0 to 3.",
        )
