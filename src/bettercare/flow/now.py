"""The state of a network now: who is where, since when, and whether they wait, are cared for, or are ready to leave.

A snapshot is a CSV or rows from a store. It names no one: a pseudonym that is a valid NHS number is refused, and never repeated.
Times are local clock times. In the hour that comes twice in October a time may be an hour out; nothing else depends on the clock change.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from bettercare.errors import BettercareError, Fault
from bettercare.flow.network import FIRST_YEAR, LAST_YEAR, UNLIMITED, Network, Station
from bettercare.flow.row_cells import some_of
from bettercare.flow.snapshot_rows import COLUMNS, SCHEMA, STATES, RowReader, SnapshotError, shown, taken_at
from bettercare.flow.ways import Ways
from bettercare.plan.read import read_csv
from bettercare.vocabulary.nhs_number import without_nhs_numbers

__all__ = [
    "COLUMNS", "CROWDED", "SCHEMA", "STATES", "Now", "SnapshotError", "occupancy_now", "possible", "read_now", "servers_at", "template",
]  # fmt: skip

CROWDED = 1.5
"""Patients in a station's places for each place it has, above which a snapshot is doubted."""


@dataclass(frozen=True)
class Now:
    """Everybody in a network at one moment."""

    network: str
    """Id of the network."""
    at: datetime
    rows: pl.DataFrame = field(repr=False)
    """patient, station, class, since, state, goes_to (or null), expected_discharge (or null; with ``by_day`` true when only its
    date was given, and then at 00:00), ready_since (or null). Sorted by station, since and patient."""
    warnings: tuple[str, ...] = ()
    """What is believed, but looks odd."""

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], network: Network, at: datetime) -> Now:
        """The state from rows with the columns of the file, as a store gives them; dates may be dates or text.

        Raises:
            SnapshotError: with every fault.
        """
        reader = RowReader(network, _moment(at), possible(network))
        for position, row in enumerate(rows, start=1):
            reader.take(f"row {position}", row)
        return _now(reader, network, _moment(at))


def read_now(path: str | Path, network: Network, at: datetime | None = None) -> Now:
    """The state of ``network`` from a CSV file (UTF-8) with the columns of :data:`COLUMNS`.

    Args:
        at: when the snapshot was taken; may be in the file's column ``at`` instead.

    Raises:
        SnapshotError: with every fault, by row and column.
    """
    path = Path(path)
    file = shown(path.name)
    if not os.path.exists(path):
        raise BettercareError("The file is not there.", file, "Check its name and folder.")
    faults: list[Fault] = []
    raw = read_csv(path, file, COLUMNS, faults)
    if faults:
        raise SnapshotError(
            [Fault(shown(fault.where), without_nhs_numbers(fault.what), fault.remedy) for fault in faults]
        )
    moment = _moment(at) if at is not None else None
    told, wrong = taken_at(raw, moment, file)
    told = told and _moment(told)
    reader = RowReader(network, told, possible(network))
    reader.faults.extend(wrong)
    for where, cells in raw:
        reader.take(where, cells)
    return _now(reader, network, told)


def template(network: Network, at: datetime | None = None) -> str:
    """The file to fill in: the headings, and one example row for each station that cares for patients, marked as an example."""
    lines = [",".join(column.name for column in COLUMNS.columns)]
    moment = at or datetime.combine(network.starts, time(8))
    began = (moment - timedelta(hours=2)).isoformat(timespec="minutes")
    classes = possible(network)
    order = {patient.id: position for position, patient in enumerate(network.classes)}
    for number, station in enumerate((station for station in network.stations if classes[station.id]), start=1):
        first = min(classes[station.id], key=order.__getitem__)
        cells = {
            "patient": f"example-{number}",
            "station": station.id,
            "class": first,
            "since": began,
            "state": "in service",
        }
        cells["at"] = moment.isoformat(timespec="minutes")
        lines.append(",".join(cells.get(column.name, "") for column in COLUMNS.columns))
    return "\n".join(lines) + "\n"


def occupancy_now(now: Now, network: Network) -> pl.DataFrame:
    """How full each station is: station, title, servers (null without limit), in_service, ready, waiting, occupancy (share; null without limit
    or servers), free (null without limit). One row a station, in the network's order."""
    counts = {(row[0], row[1]): row[2] for row in now.rows.group_by("station", "state").len().iter_rows()}
    rows = []
    for station in network.stations:
        servers = servers_at(station, now.at)
        waiting, serving, ready = (counts.get((station.id, state), 0) for state in STATES)
        limited = servers != UNLIMITED
        rows.append(
            {
                "station": station.id,
                "title": station.title,
                "servers": servers if limited else None,
                "in_service": serving,
                "ready": ready,
                "waiting": waiting,
                "occupancy": (serving + ready) / servers if limited and servers else None,
                "free": max(servers - serving - ready, 0) if limited else None,
            }
        )
    kinds: dict[str, Any] = {"station": pl.String, "title": pl.String, "occupancy": pl.Float64}
    names = ("station", "title", "servers", "in_service", "ready", "waiting", "occupancy", "free")
    return pl.DataFrame(rows, schema={name: kinds.get(name, pl.Int64) for name in names})


def servers_at(station: Station, at: datetime) -> int:
    """Servers of a station in the hour that ``at`` lies in, by its shifts and steps; -1 without limit."""
    if station.servers == UNLIMITED:
        return UNLIMITED
    servers = station.servers
    for shift in station.shifts:
        # A shift that ends at or before its start goes on into the next day.
        over = shift.end <= shift.start
        today = at.weekday() in shift.days and shift.start <= at.hour < (24 if over else shift.end)
        after = over and (at.weekday() - 1) % 7 in shift.days and at.hour < shift.end
        servers += shift.servers * (today + after)
    return max(servers + sum(step.servers for step in station.steps if step.on <= at.date()), 0)


def possible(network: Network) -> dict[str, set[str]]:
    """The classes that can be at each station: those that arrive there, or come by routes, choices, overflow or lost patience."""
    found: dict[str, set[str]] = {station.id: set() for station in network.stations}
    for station, patient in Ways(network).reached:
        found[station].add(patient)
    return found


def _now(reader: RowReader, network: Network, at: datetime | None) -> Now:
    """What a reader took, or every fault."""
    frame = reader.frame()
    assert at is not None
    return Now(network.id, at, frame, tuple(_warnings(frame, reader, network, at)))


def _warnings(frame: pl.DataFrame, reader: RowReader, network: Network, at: datetime) -> Iterator[str]:
    stations = {station.id: station for station in network.stations}
    if frame.is_empty():
        yield "Nobody is in the network: the forecast starts from empty."
    held = frame.filter(pl.col("state") != "waiting").group_by("station", maintain_order=True).len()
    for ident, count in held.iter_rows():
        servers = servers_at(stations[ident], at)
        if servers != UNLIMITED and count > servers * CROWDED:
            yield (
                f"{ident} has {count:,} patients in {servers:,} places: either the snapshot or the network's places are out of date."
            )
    if reader.overdue:
        patients = "1 patient was" if reader.overdue == 1 else f"{reader.overdue:,} patients were"
        yield f"{patients} expected to leave before the snapshot: their time is drawn as if no date were given."
    if reader.astray:
        count = reader.astray.total()
        patients = "1 patient waits" if count == 1 else f"{count:,} patients wait"
        ways = some_of(f"{station} to {target}" for station, target in reader.astray)
        yield f"{patients} to go where no route leads ({ways}): where they go is drawn as if it were not given."


def _moment(at: datetime) -> datetime:
    if not isinstance(at, datetime):
        raise BettercareError(f"{str(at)[:40]!r} is not a date and time.", "at", "Give a datetime.")
    if at.tzinfo is not None:
        raise BettercareError(
            "The time of the snapshot carries a time zone.", "at", "Give the local clock time without one."
        )
    if not FIRST_YEAR <= at.year <= LAST_YEAR:
        raise BettercareError(
            f"The snapshot is of the year {at.year}.", "at", f"Give a moment from {FIRST_YEAR} to {LAST_YEAR}."
        )
    return at
