"""Escalations as a planner reads them: when each begins and ends, what it does, and how often it was on."""

from __future__ import annotations

from bettercare.flow import Network, Result
from bettercare.flow.network import Choice, Escalation, Outcome, Station
from bettercare.reports.amounts import count
from bettercare.reports.exhibit import Column, Exhibit, Headline, Table
from bettercare.reports.flow.answers import share
from bettercare.reports.words import listed, plural


def places_called(network: Network) -> dict[str, str]:
    """What stations, choices and outcomes are called, by id."""
    rows: tuple[Outcome | Choice | Station, ...] = (*network.outcomes, *network.choices, *network.stations)
    return {one.id: one.title or one.id for one in rows}


def begins(network: Network, row: Escalation) -> str:
    """When it begins: ``30 more patients than beds at Acute medical unit, for 3 hours``."""
    station = network.station(row.watches)
    many = f"only {_beyond(row.opens, station)}" if row.opens < 0 else _beyond(row.opens, station)
    lasting = f", for {plural(row.after, 'hour')}" if row.after else ""
    return f"{many if row.opens else f'no {station.places} free'} at {station.title}{lasting}"


def ends(network: Network, row: Escalation) -> str:
    """When it ends: ``18 more patients than beds``, or ``30 of the beds free``."""
    station = network.station(row.watches)
    return _beyond(row.closes, station) if row.closes else f"no more patients than {station.places}"


def _beyond(patients: int, station: Station) -> str:
    if patients < 0:
        return f"{-patients:,} of the {station.places} free"
    return f"{plural(patients, 'more patient')} than {station.places}"


def does(network: Network, row: Escalation) -> str:
    """What it does: ``12 more beds at Acute medical unit; 20% of Other ambulances go to: Treated elsewhere``."""
    called, streams = places_called(network), {one.id: one.title or one.id for one in network.arrivals}
    opened = [
        f"{one.servers:,} more {network.station(one.station).places} at {called[one.station]}" for one in row.places
    ]
    alike: dict[tuple[float, str], list[str]] = {}
    for one in row.diverts:
        alike.setdefault((one.share, one.to), []).append(streams[one.stream])
    diverted = [f"{share(part)} of {listed(of)} go to: {called.get(to, to)}" for (part, to), of in alike.items()]
    return "; ".join(opened + diverted) or "nothing"


def rules_table(network: Network) -> Exhibit:
    """Each escalation in words: when it begins and ends, and what it does."""
    rows = [
        {"title": row.title, "begins": begins(network, row), "ends": ends(network, row), "does": does(network, row)}
        for row in network.escalations
    ]
    columns = (
        Column("title", "Escalation"), Column("begins", "Begins with"), Column("ends", "Ends with"), Column("does", "What it does"),
    )  # fmt: skip
    return Exhibit(
        "flow-escalation-rules", f"{plural(len(rows), 'escalation')}: when each begins and ends, and what it does.", Table(columns, rows),
        note="Counted at each turn of the hour: patients in a place or waiting for one, wherever they wait, against the ordinary places.",
        sheet="Escalations",
    )  # fmt: skip


def in_figures(result: Result, row: Escalation) -> tuple[str, str]:
    """Share of the hours it was on, and times it was begun in a run, as means."""
    return share(result.estimate("escalated", row.id).mean), count(result.estimate("escalations", row.id).mean)


def headlines_of(result: Result) -> tuple[Headline, ...]:
    """How often each escalation was on, as a run says it in short."""
    days = plural(round(result.hours / 24), "day")
    found = [(row.title, *in_figures(result, row)) for row in result.network.escalations]
    return tuple(
        Headline(f"Escalation: {title}", on, f"of the hours; times begun in {days}: {times}.")
        for title, on, times in found
    )
