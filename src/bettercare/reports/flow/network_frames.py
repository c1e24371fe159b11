"""What the drawing of a network needs of a run: its stations as they were on average, and who went from where to where."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import polars as pl

from bettercare.flow import Network, Result
from bettercare.flow.compiled import routes_of
from bettercare.flow.network import UNLIMITED, Route, Station
from bettercare.reports.amounts import count

STATIONS: dict[str, Any] = {
    "station": pl.String, "title": pl.String, "kind": pl.String, "site": pl.String, "holds": pl.Boolean, "places": pl.String,
    "servers": pl.Float64, "occupied": pl.Float64, "occupancy": pl.Float64, "waiting": pl.Float64, "blocked": pl.Float64,
    "arrivals": pl.Float64, "from_outside": pl.Float64, "leaving": pl.Float64,
}  # fmt: skip


def stations_frame(result: Result, flows: pl.DataFrame | None = None) -> pl.DataFrame:
    """A row a station, in the network's order: what it is, and means over the run.

    ``servers`` are the ordinary places, extra ones are named in ``places``. ``servers`` and ``occupancy`` are null where there is no limit; ``occupancy`` also where no place was open; ``arrivals``, ``from_outside``
    (by no other station) and ``leaving`` (the network) are patients a day.
    """
    network, days = result.network, result.hours / 24
    moves = flows_frame(result) if flows is None else flows
    into = dict(moves.group_by("to").agg(pl.col("per_day").sum()).iter_rows())
    out = dict(moves.group_by("station").agg(pl.col("per_day").sum()).iter_rows())
    comes = [stream.to for stream in network.arrivals] + [to.to for row in network.escalations for to in row.diverts]
    first = {station for place in comes for station in stations_of(network, place)}
    rows = []
    for station in network.stations:
        mean = {
            name: result.estimate(name, station.id).mean
            for name in ("occupied", "waiting", "blocked", "arrivals", "served")
        }
        limited = station.servers != UNLIMITED
        coming = mean["arrivals"] / days
        extra = _extra(result, station) if limited else 0.0
        rows.append(
            {
                "station": station.id, "title": station.title, "kind": station.kind, "site": station.site, "holds": station.holds,
                "places": station.places + (f" + {count(extra)} extra" if extra >= 0.05 else ""),
                "servers": known(result.estimate("servers", station.id).mean - extra) if limited else None,
                "occupied": mean["occupied"], "occupancy": known(result.estimate("occupancy", station.id).mean) if limited else None,
                "waiting": mean["waiting"], "blocked": mean["blocked"], "arrivals": coming,
                "from_outside": max(coming - into.get(station.id, 0.0), 0.0) if station.id in first else 0.0,
                "leaving": max(mean["served"] / days - out.get(station.id, 0.0), 0.0),
            }
        )  # fmt: skip
    return pl.DataFrame(rows, schema=STATIONS)


def _extra(result: Result, station: Station) -> float:
    """Places that escalations held open at a station, on average."""
    return sum(
        more.servers * result.estimate("escalated", row.id).mean
        for row in result.network.escalations
        for more in row.places
        if more.station == station.id
    )


def flows_frame(result: Result) -> pl.DataFrame:
    """Patients a day between stations: station, to, per_day, greatest first.

    Those of each class who left a station, shared out by its routes (routes limited to a part of the week count by its hours) and, in a
    choice, by who of the class came to each of its stations.
    """
    network, days = result.network, result.hours / 24
    found: dict[tuple[str, str], float] = {}
    coming = {
        (station.id, patient.id): float(result.values("arrivals", station.id, patient.id).mean())
        for station in network.stations
        for patient in network.classes
    }
    for station in network.stations:
        for patient in network.classes:
            if not coming[station.id, patient.id]:
                continue
            served = float(result.values("served", station.id, patient.id).mean()) / days
            for share, route in _weighted(routes_of(network, station.id, patient.id)):
                becomes = route.becomes or patient.id
                stations = stations_of(network, route.to)
                weights = [coming[one, becomes] for one in stations]
                for to, weight in zip(stations, weights, strict=True):
                    part = weight / sum(weights) if sum(weights) else 1 / len(stations)
                    if part * share * served > 0:
                        found[station.id, to] = found.get((station.id, to), 0.0) + part * share * served
        if station.if_full is not None:
            turned = result.estimate("turned-away", station.id).mean / days
            for to in stations_of(network, station.if_full)[:1]:
                if turned > 0:
                    found[station.id, to] = found.get((station.id, to), 0.0) + turned
    rows = sorted(((a, b, flow) for (a, b), flow in found.items()), key=lambda row: (-row[2], row[0], row[1]))
    return pl.DataFrame(rows, schema={"station": pl.String, "to": pl.String, "per_day": pl.Float64}, orient="row")


def _weighted(routes: list[Route]) -> Iterator[tuple[float, Route]]:
    """Routes with the share of all who take them: those limited to hours weigh by the hours, the others by the rest of the week."""
    windows = {(route.days, route.start, route.end) for route in routes if route.days}
    hours = {window: len(window[0]) * ((window[2] - window[1]) % 24 or 24) / 168 for window in windows}
    rest = max(1.0 - sum(hours.values()), 0.0)
    for route in routes:
        yield route.share * (hours[route.days, route.start, route.end] if route.days else rest), route


def stations_of(network: Network, place: str) -> tuple[str, ...]:
    """The stations that those who go to a place may come to: itself, those of a choice, or none where they leave."""
    for choice in network.choices:
        if choice.id == place:
            return choice.of
    return (place,) if any(station.id == place for station in network.stations) else ()


def known(value: float) -> float | None:
    """The value, or None where there is nothing to measure."""
    return value if math.isfinite(value) else None
