"""The next hours, from who is where now: how full each unit will be, the chance that it runs out, and what a decision would change.

Every replication begins with the same patients. What is left of a stay is drawn from the lengths of stay of those who have stayed that
long already, or around the expected discharge where one is given; those yet to come are drawn around sampled rates of arrival. Decisions
meet the same patients with the same luck, so that what differs is the decision.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.arrivals import ArrivalHistory, ArrivalPaths, forecast_arrivals
from bettercare.flow.compiled import names_of, routes_of
from bettercare.flow.network import UNLIMITED, Network, Profile, Scenario, Shift, Station
from bettercare.flow.now import STATES, Now, servers_at
from bettercare.flow.run import Start, run
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as named_scenario

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]

What = Literal["occupied", "waiting", "blocked"]
WHATS: tuple[What, ...] = ("occupied", "waiting", "blocked")
"""Places held; patients in the line who hold no place; patients who are done and hold a place because the next has no room."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
LONGEST = 24 * 28
SEED = 2016
EXPECTED_ERROR = 0.5
"""Standard deviation of the logarithm of (time that was left / time that was expected to be left). Assumed: two of three patients then
leave between 0.6 and 1.65 times the expected time; to be replaced by what a hospital finds of its own dates."""
SOONEST = 1.0
"""Hours that are left at the least to those expected to leave now."""
DAY_ENDS_AT = 14
"""Clock hour by which a patient expected on a day, with no time, is taken to be done, at the middle of what is drawn. Assumed. Where
patients leave at discharge times it is DONE_BY, so that there is a discharge time left on that day."""
DONE_BY = 8
MOST_DAYS_READY = 30
"""Days after which one who is ready leaves whatever the weekday."""
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
    for number, decision in enumerate((None, *chosen)):
        other = _steps_taken(paths.onto(network if decision is None else changed(network, decision)), now.at)
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
    return Forecast(network, now, hours, replications, seed, chosen, paths, turns, places, samples)


def start_of(
    now: Now, network: Network, replications: int, seed: int = SEED, expected_error: float = EXPECTED_ERROR
) -> Start:
    """The state now as the engine takes it, a row a patient: those in service first, then those who are ready, those they wait for before
    them, then those who wait.

    What is left of a stay with an expected discharge is drawn for each replication: lognormal, its middle the time from now until then (never
    less than :data:`SOONEST`). A date without a time stands for the hour of that day at which patients are done (:data:`DAY_ENDS_AT`, or
    :data:`DONE_BY` where they leave at discharge times). A date that has passed says nothing: what is left is then drawn from the length of stay.

    One who is ready and waits for no station, or for one that has room, leaves at the next discharge time, drawn given that they have not left
    until now; where there are none, at once. Where they then go is drawn as everybody's. One who waits for a station without room is of the
    class that the route there gives.

    ``residual_hours`` has a row for each replication when anything of it is drawn.
    """
    names = names_of(network)
    rows = _in_order(now)
    stations = {station.id: station for station in network.stations}
    profiles = {profile.id: profile for profile in network.profiles}
    full = _full_now(now, network)
    state = np.array([STATES.index(row["state"]) for row in rows], dtype=np.int64)
    goes_to = np.full(len(rows), -1, dtype=np.int64)
    residual = np.full((replications, len(rows)), np.nan)
    for position, row in enumerate(rows):
        station = stations[row["station"]]
        if row["state"] == "in service":
            middle = _hours_left(row, now.at, station)
            if not math.isnan(middle):
                luck = _generator(seed, row["patient"]).standard_normal(replications)
                residual[:, position] = middle * np.exp(expected_error * luck)
        elif row["state"] == "ready" and _is_held(row["goes_to"], station, full, network):
            goes_to[position] = names.place(row["goes_to"])
        elif row["state"] == "ready" and station.leaves_on:
            generator = _generator(seed, row["patient"])
            residual[:, position] = _leaves_in(profiles[station.leaves_on], now.at, row, generator, replications)
        elif row["state"] == "ready":
            # Done with nothing left, so that nobody moves before everybody has their place.
            state[position], residual[:, position] = STATES.index("in service"), 0.0
    same = len(rows) == 0 or bool((np.isnan(residual) | (residual == residual[:1])).all())
    return Start(
        at=now.at,
        station=np.array([names.stations[row["station"]] for row in rows], dtype=np.int64),
        patient_class=np.array([names.classes[_class_of(row, network)] for row in rows], dtype=np.int64),
        elapsed_hours=np.array([(now.at - row["since"]).total_seconds() / 3600 for row in rows], dtype=np.float64),
        state=state,
        goes_to=goes_to,
        residual_hours=residual[0] if same else residual,
    )


def _full_now(now: Now, network: Network) -> set[str]:
    """Stations with no free place."""
    held = {
        row[0]: row[1] for row in now.rows.filter(pl.col("state") != "waiting").group_by("station").len().iter_rows()
    }
    limits = {station.id: servers_at(station, now.at) for station in network.stations}
    return {ident for ident, limit in limits.items() if limit != UNLIMITED and held.get(ident, 0) >= limit}


def _is_held(goes_to: str | None, station: Station, full: set[str], network: Network) -> bool:
    """Whether a ready patient waits for a place elsewhere, and not for a discharge time: where they go there is no room, or they are at a
    station that patients leave at any time."""
    choices = {choice.id: choice.of for choice in network.choices}
    places = choices.get(goes_to or "", (goes_to,))
    if any(place not in {one.id for one in network.stations} for place in places):
        return False
    return station.leaves_on is None or all(place in full for place in places)


def _class_of(row: Mapping[str, Any], network: Network) -> str:
    """The class of a patient; of one who waits to move, the class they have there."""
    patient: str = row["class"]
    if row["state"] != "ready" or row["goes_to"] is None:
        return patient
    choices = {choice.id: choice.of for choice in network.choices}
    for route in routes_of(network, row["station"], patient):
        if row["goes_to"] in (route.to, *choices.get(route.to, ())):
            return route.becomes or patient
    return patient


def _leaves_in(
    profile: Profile, at: datetime, row: Mapping[str, Any], generator: np.random.Generator, draws: int
) -> Array:
    """Hours until the next discharge time of one who is still there: [draws].

    Each day they go with the weekday's chance, at an hour of the profile. What has not happened by now weighs today against later: a patient
    who was to go this morning would have gone.
    """
    chances = np.asarray(profile.weekdays) / max(profile.weekdays)
    shares = np.concatenate([[0.0], np.cumsum(profile.hours) / sum(profile.hours)])

    def gone_by(hours: float) -> float:
        return float(np.interp(hours, np.arange(25), shares))

    clock = at.hour + at.minute / 60 + at.second / 3600
    done: datetime = row["ready_since"] or row["since"]
    # One who was done today may have drawn an hour before that, and then waits for tomorrow.
    missed = gone_by(done.hour + done.minute / 60) if done.date() == at.date() else 0.0
    today = chances[at.weekday()] * (1 - gone_by(clock))
    later = 1 - chances[at.weekday()] * (1 - missed)
    chance = today / (today + later) if today + later > 0 else 0.0
    days = np.zeros(draws)
    staying = generator.random(draws) >= chance
    lowest = np.where(staying, 0.0, gone_by(clock))
    for day in range(1, MOST_DAYS_READY):
        days[staying] = day
        staying &= generator.random(draws) >= chances[(at.weekday() + day) % 7]
    place = lowest + generator.random(draws) * (1 - lowest)
    # Where no patient leaves, the shares stand still: an hour is found by the first share above the place.
    hour = np.clip(np.searchsorted(shares, place, side="right") - 1, 0, 23)
    width = shares[hour + 1] - shares[hour]
    within = np.divide(place - shares[hour], width, out=np.zeros(draws), where=width > 0)
    return np.asarray(np.maximum(days * 24 + hour + within - clock, 0.0))


def _in_order(now: Now) -> list[dict[str, Any]]:
    rows = list(now.rows.iter_rows(named=True))
    after: dict[str, set[str]] = {}
    for row in rows:
        if row["state"] == "ready" and row["goes_to"] is not None:
            after.setdefault(row["station"], set()).add(row["goes_to"])
    depth: dict[str, int] = {}

    def deep(station: str, above: frozenset[str]) -> int:
        # The last station of a chain has depth 0: its patients are put in their places before others try to come there.
        if station not in depth:
            nexts = after.get(station, set()) - above
            depth[station] = 1 + max((deep(one, above | {station}) for one in sorted(nexts)), default=-1)
        return depth[station]

    order = {"in service": 0, "ready": 1, "waiting": 2}
    return sorted(
        rows,
        key=lambda row: (
            order[row["state"]],
            deep(row["station"], frozenset({row["station"]})) if row["state"] == "ready" else 0,
            row["since"],
            row["patient"],
        ),
    )


def _hours_left(row: Mapping[str, Any], at: datetime, station: Station) -> float:
    """Hours until a patient is expected to be done; NaN when nothing is expected, or it has passed."""
    leaves: datetime | None = row["expected_discharge"]
    if leaves is None:
        return float("nan")
    if row["by_day"] or station.leaves_on:
        # At a station with discharge times the engine waits for the next one itself.
        day: date = leaves.date()
        if day < at.date():
            return float("nan")
        leaves = datetime.combine(day, time(DONE_BY if station.leaves_on else DAY_ENDS_AT))
    elif leaves < at:
        return float("nan")
    return max((leaves - at).total_seconds() / 3600, SOONEST)


def _generator(seed: int, patient: str) -> np.random.Generator:
    """A patient's own, the same however many others there are."""
    digest = hashlib.blake2b(patient.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return np.random.default_rng([seed & (2**64 - 1), int.from_bytes(digest, "little")])


def _steps_taken(network: Network, at: datetime) -> Network:
    """The network with what steps have added until now as a shift round the clock: a run takes steps at the turn of the hour, from its first."""
    stations = []
    for station in network.stations:
        added = sum(step.servers for step in station.steps if step.on <= at.date())
        left = tuple(step for step in station.steps if step.on > at.date())
        always = (Shift(tuple(range(7)), 0, 24, added),) if added and station.servers != UNLIMITED else ()
        stations.append(replace(station, shifts=station.shifts + always, steps=left))
    return replace(network, stations=tuple(stations))


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
