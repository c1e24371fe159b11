"""Who is where now, as the engine starts from it: what is left of each stay, and where those who are ready go.

What is left of a stay is drawn from the lengths of stay of those who have stayed that long already, or around the expected discharge where
one is given.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.flow.compiled import names_of, routes_of
from bettercare.flow.network import UNLIMITED, Network, Profile, Station
from bettercare.flow.now import STATES, Now, servers_at
from bettercare.flow.run import Start, run
from bettercare.flow.visits import read_log

Array = NDArray[np.float64]

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
    class that the route there gives. Where nothing is said of where they go, one who has been ready for longer than discharge times explain
    is taken to wait for one of the stations without room that their routes lead to, drawn once for all replications.

    ``residual_hours`` has a row for each replication when anything of it is drawn.
    """
    names = names_of(network)
    stations = {station.id: station for station in network.stations}
    profiles = {profile.id: profile for profile in network.profiles}
    full = _full_now(now, network)
    rows = _in_order(now, lambda row: _waits_for(row, now.at, network, stations, profiles, full, seed))
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


def _waits_for(
    row: Mapping[str, Any],
    at: datetime,
    network: Network,
    stations: Mapping[str, Station],
    profiles: Mapping[str, Profile],
    full: set[str],
    seed: int,
) -> str | None:
    """Where a ready patient waits to go, of whom it is not said: a station without room, or None for a discharge time still to come.

    By Bayes' rule: beforehand they go to a station without room by the shares of their routes; who does is there still when their discharge
    time is past, who does not is there only if it is not.
    """
    if row["state"] != "ready" or row["goes_to"] is not None:
        target: str | None = row["goes_to"]
        return target
    choices = {choice.id: choice.of for choice in network.choices}
    shares: dict[str, float] = {}
    for route in routes_of(network, row["station"], row["class"]):
        if all(place in full for place in choices.get(route.to, (route.to,))):
            shares[route.to] = shares.get(route.to, 0.0) + route.share
    without_room = sum(shares.values())
    if without_room <= 0:
        return None
    leaves_on = stations[row["station"]].leaves_on
    if leaves_on is None:
        still_to_leave = 0.0
    elif row["ready_since"] is None:
        return None
    else:
        still_to_leave = _not_gone(profiles[leaves_on], row["ready_since"], at)
    past = without_room * (1 - still_to_leave)
    generator = _generator(seed, f"{row['patient']} waits for")
    if generator.random() >= past / (past + still_to_leave):
        return None
    place = generator.random() * without_room
    for target, share in shares.items():
        place -= share
        if place < 0:
            return target
    return next(reversed(shares))


def _not_gone(profile: Profile, done: datetime, at: datetime) -> float:
    """The chance that one who was done then has had no discharge time until now."""
    chances = np.asarray(profile.weekdays) / max(profile.weekdays)
    shares = np.concatenate([[0.0], np.cumsum(profile.hours) / sum(profile.hours)])
    days = min((at.date() - done.date()).days, MOST_DAYS_READY)
    chance = 1.0
    for day in range(days + 1):
        clocks = (done if day == 0 else None, at if day == days else None)
        first, last = (
            end if clock is None else float(np.interp(clock.hour + clock.minute / 60, np.arange(25), shares))
            for clock, end in zip(clocks, (0.0, 1.0), strict=True)
        )
        chance *= 1 - float(chances[(done.weekday() + day) % 7]) * max(last - first, 0.0)
    return chance


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


def _in_order(now: Now, waits_for: Callable[[Mapping[str, Any]], str | None]) -> list[dict[str, Any]]:
    rows = [row | {"goes_to": waits_for(row)} for row in now.rows.iter_rows(named=True)]
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


def invented_state(network: Network, seed: int, at: datetime | None = None) -> Now:
    """Who is where in a simulation of the network: to try a forecast on, and about nobody.

    Args:
        at: the moment, after a warm-up that ends at its midnight; without it, 08:00 on the first day of the network.
    """
    at = at or datetime.combine(network.starts, time(8))
    there = replace(network, starts=at.date())
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log.parquet"
        run(there, 1, seed, days=1, log=log)
        return read_log(log, there).state(network, at)
