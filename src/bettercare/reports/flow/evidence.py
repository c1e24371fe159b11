"""What a network rests on: how each of its rows is known, and every assumption with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bettercare.flow import Network, Scenario
from bettercare.flow.network import ANY, Arrival, Change, Escalation, Evidence, Station
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.words import plural, sentence

BASES = ("stated", "derived", "reconstructed", "assumed")
PARTS = {
    "arrivals": "Arrivals", "profiles": "When patients come and go", "stations": "Stations and their places", "services": "Lengths of time",
    "routes": "Ways on", "patience": "Patience", "escalations": "Escalations", "scenario": "The scenario's changes",
}  # fmt: skip
_CHANGED = {
    "servers": "places",
    "leaves_on": "discharges",
    "service": "length of stay",
    "escalation": "extra places and diverts",
}


@dataclass(frozen=True)
class Known:
    """A row of a network, or several of one station that are known in the same way."""

    part: str
    title: str
    evidence: Evidence


def rows_of(network: Network, scenario: Scenario | None = None) -> list[Known]:
    """Everything the network's figures rest on, rows of one station with the same evidence together."""
    found: dict[tuple[str, str, Evidence], Known] = {}
    for one in _rows(network, scenario):
        found.setdefault((one.part, one.title, one.evidence), one)
    return list(found.values())


def _rows(network: Network, scenario: Scenario | None) -> Iterator[Known]:
    titles = {station.id: station.title for station in network.stations}
    classes = {patient.id: patient.title for patient in network.classes} | {ANY: "everybody"}
    for stream in network.arrivals:
        yield Known("arrivals", stream.title or stream.id, stream.evidence)
    for profile in network.profiles:
        yield Known("profiles", profile.id.replace("-", " ").capitalize(), profile.evidence)
    for station in network.stations:
        yield Known("stations", station.title, station.evidence)
    for service in network.services:
        yield Known("services", f"{titles[service.station]}: {classes[service.patient].lower()}", service.evidence)
    for route in network.routes:
        yield Known("routes", f"From {titles[route.station]}", route.evidence)
    for patience in network.patience:
        yield Known("patience", f"{titles[patience.station]}: {classes[patience.patient].lower()}", patience.evidence)
    for escalation in network.escalations:
        yield Known("escalations", escalation.title, escalation.evidence)
    for change in scenario.changes if scenario else ():
        yield Known("scenario", changed_in_words(network, change), change.evidence)


def changed_in_words(network: Network, change: Change) -> str:
    """What a change is made to, such as ``places at Majors``."""
    rows: Mapping[str, Sequence[Arrival | Escalation | Station]] = {
        "arrivals": network.arrivals,
        "escalation": network.escalations,
    }
    found = (row.title or row.id for row in rows.get(change.what, network.stations) if row.id == change.at)
    at = "of" if change.what == "escalation" else "at"
    return f"{_CHANGED.get(change.what, change.what)} {at} {next(found, change.at)}"


def assumed_in_words(rows: Sequence[Known]) -> str:
    """How many rows are assumed, as a clause.

    >>> assumed_in_words([Known("arrivals", "Walk-ins", Evidence("assumed")), Known("stations", "Ward", Evidence("stated"))])
    '1 of the 2 rows it rests on is assumed'
    """
    count = sum(row.evidence.basis == "assumed" for row in rows)
    return f"{count:,} of the {plural(len(rows), 'row')} it rests on {'is' if count == 1 else 'are'} assumed"


def basis_section(network: Network, scenario: Scenario | None = None) -> Section:
    """What the network owes to assumptions: counted by part and basis, then each with its reason."""
    rows = rows_of(network, scenario)
    counts = [
        {
            "part": title,
            **{basis: sum(row.part == part and row.evidence.basis == basis for row in rows) for basis in BASES},
        }
        for part, title in PARTS.items()
        if any(row.part == part for row in rows)
    ]
    assumed = [row for row in rows if row.evidence.basis == "assumed"]
    sourced = [row for row in rows if row.evidence.basis != "assumed"]
    listed = [
        Exhibit(
            "flow-basis",
            sentence(f"{assumed_in_words(rows)}"),
            Table((Column("part", "Part"), *(Column(basis, basis.capitalize(), "count") for basis in BASES)), counts),
            note="Stated: printed in a source. Derived: worked out from one. Reconstructed: read out of one that is not clear. Assumed: chosen, with a reason. "
            "Rows of one station that are known in the same way count once.",
            sheet="What it rests on",
        )
    ]
    if assumed:
        listed.append(_list("flow-assumed", _complete(assumed, "assumption", "reason"), "Assumptions", assumed))
    if sourced:
        listed.append(_list("flow-sourced", _complete(sourced, "other figure", "source"), "Sources", sourced))
    return Section(
        "basis", "What this rests on",
        "A simulation says what follows from its figures. Where they are assumed, so is what follows.", tuple(listed),
    )  # fmt: skip


def _complete(rows: Sequence[Known], noun: str, wants: str) -> str:
    """Whether all have what they should have: an assumption a reason, anything else a source."""
    bare = sum(not (row.evidence.note if wants == "reason" else row.evidence.source) for row in rows)
    if not bare:
        return f"Each {noun} has its {wants}."
    return f"{bare:,} of {plural(len(rows), noun)} {'gives' if bare == 1 else 'give'} no {wants}."


def _list(ident: str, message: str, sheet: str, rows: Sequence[Known]) -> Exhibit:
    columns = (
        Column("title", "What"), Column("part", "Part"), Column("basis", "Basis"), Column("source", "Source"), Column("where", "Where"),
        Column("note", "Reason or note"),
    )  # fmt: skip
    values = [
        {
            "title": row.title, "part": PARTS[row.part], "basis": row.evidence.basis, "source": row.evidence.source, "where": row.evidence.where,
            "note": row.evidence.note,
        }
        for row in rows
    ]  # fmt: skip
    return Exhibit(ident, message, Table(columns, values), sheet=sheet, folded=True)
