"""The state of a network now: who is where, since when, and whether they wait, are cared for, or are ready to leave.

A snapshot is a CSV or rows from a store. It names no one: a pseudonym that is a valid NHS number is refused, and never repeated.
Times are local clock times. In the hour that comes twice in October a time may be an hour out; nothing else depends on the clock change.
"""

from __future__ import annotations

import math
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from bettercare.errors import BettercareError, Fault
from bettercare.flow.network import UNLIMITED, Network, Station
from bettercare.flow.ways import Ways
from bettercare.plan import Column, TableSpec
from bettercare.plan.cells import strange_character
from bettercare.plan.faults import Gathered
from bettercare.plan.read import read_csv

STATES = ("waiting", "in service", "ready")
"""Waiting for a place; in a station's care; done, and waiting to leave with the place still held."""
CROWDED = 1.5
"""Patients in a station's places for each place it has, above which a snapshot is doubted."""
LONGEST = timedelta(days=365 * 5)
"""Longest time in a place that is believed."""
COLUMNS = TableSpec(
    "now",
    "The state now",
    False,
    "Everybody who is in the network, one row each",
    (
        Column("patient", "text", "yes", "", (), "A pseudonym, never an NHS number; each patient once"),
        Column("station", "text", "yes", "", (), "Id of the station where the patient is, or waits"),
        Column("class", "text", "yes", "", (), "Id of the patient's class"),
        Column("since", "text", "yes", "", (), "When they came to have the place, or began to wait: 2016-04-01T13:05"),
        Column("state", "choice", "yes", "", STATES, "waiting, in service, or ready (done, and waiting to leave)"),
        Column("goes_to", "text", "no", "", (), "Station, choice or outcome that a ready patient waits for, when known"),
        Column("expected_discharge", "text", "no", "", (), "Date, or date and time, when they are expected to leave the station"),
        Column("ready_since", "text", "no", "", (), "When a ready patient was done, when known"),
        Column("at", "text", "no", "", (), "When the snapshot was taken, the same in every row"),
    ),
)  # fmt: skip
"""The columns of the file."""
_TIMES = ("since", "expected_discharge", "ready_since", "at")
SCHEMA = pl.Schema({
    "patient": pl.String(), "station": pl.String(), "class": pl.String(), "since": pl.Datetime("us"), "state": pl.String(),
    "goes_to": pl.String(), "expected_discharge": pl.Datetime("us"), "by_day": pl.Boolean(),
    "ready_since": pl.Datetime("us"),
})  # fmt: skip


class SnapshotError(BettercareError):
    """A snapshot has faults; all of them are listed, and none of its rows is taken."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        count = len(faults)
        super().__init__(f"The state now cannot be used: {count} fault{'' if count == 1 else 's'}.")
        self.faults = tuple(faults)
        self.args = ("\n".join([self.what, *(f"  {fault}" for fault in self.faults)]),)


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
        reader = _Reader(network, _moment(at))
        for position, row in enumerate(rows, start=1):
            reader.take(f"row {position}", row)
        return reader.now()


def read_now(path: str | Path, network: Network, at: datetime | None = None) -> Now:
    """The state of ``network`` from a CSV file (UTF-8) with the columns of :data:`COLUMNS`.

    Args:
        at: when the snapshot was taken; may be in the file's column ``at`` instead.

    Raises:
        SnapshotError: with every fault, by row and column.
    """
    path = Path(path)
    shown = _shown(path.name)
    if not os.path.exists(path):
        raise BettercareError("The file is not there.", shown, "Check its name and folder.")
    faults: list[Fault] = []
    raw = read_csv(path, shown, COLUMNS, faults)
    if faults:
        raise SnapshotError([Fault(_shown(fault.where), _masked(fault.what), fault.remedy) for fault in faults])
    moment = _moment(at) if at is not None else None
    told, wrong = _taken_at(raw, moment, shown)
    reader = _Reader(network, told)
    reader.faults.extend(wrong)
    for where, cells in raw:
        reader.take(where, cells)
    return reader.now()


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


def is_nhs_number(text: str) -> bool:
    """Whether text is a valid NHS number, however it is spaced: ten digits whose last is the check digit, modulus 11 (NHS Data Dictionary)."""
    digits = re.sub(r"[\s\-‐-―./_]+", "", unicodedata.normalize("NFKC", text))
    if not re.fullmatch(r"[0-9]{10}", digits):
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1))) % 11
    return check != 10 and int(digits[9]) == check % 11


_TEN_DIGITS = re.compile(r"(?<![0-9A-Za-z])(?:[0-9][\s\-‐-―./_]?){9}[0-9](?![0-9A-Za-z])")


def holds_nhs_number(text: str) -> bool:
    """Whether a valid NHS number stands in the text as a word of its own: ``patient 943 476 5919``. Digits among letters, as in a hash, do not."""
    found = _TEN_DIGITS.findall(unicodedata.normalize("NFKC", text))
    return any(is_nhs_number(digits) for digits in found)


class _Reader:
    """Takes rows one by one, gathering what is wrong with them."""

    def __init__(self, network: Network, at: datetime | None) -> None:
        self._network, self._at = network, at
        self._stations = {station.id: station for station in network.stations}
        self._classes = {patient.id for patient in network.classes}
        self._possible = possible(network)
        outcomes, choices = (outcome.id for outcome in network.outcomes), (choice.id for choice in network.choices)
        self._targets = {*self._stations, *choices, *outcomes}
        self._seen: dict[str, str] = {}
        self._overdue = 0
        self._rows: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self._gathered = Gathered(self.faults)

    def take(self, where: str, row: Mapping[str, Any]) -> None:
        clean = True

        def fault(column: str, what: str, remedy: str) -> None:
            nonlocal clean
            clean = False
            self._gathered.append(Fault(f"{where}, column {column}", what, remedy))

        texts = {column.name: _text(row.get(column.name)) for column in COLUMNS.columns}
        if unknown := [str(name) for name in row if name not in texts]:
            fault(_shown(unknown[0]), "The column is not known.", f"Columns: {', '.join(COLUMNS.names)}.")
        for column in COLUMNS.columns:
            text = texts[column.name]
            if is_nhs_number(text) or (column.name not in _TIMES and holds_nhs_number(text)):
                fault(
                    column.name,
                    "The pseudonym is or holds a valid NHS number."
                    if column.name == "patient"
                    else "The cell holds a valid NHS number.",
                    "Replace NHS numbers by pseudonyms before the file leaves the source system; begin each with a letter to tell them apart.",
                )
                texts[column.name] = ""
            elif column.required == "yes" and not text:
                fault(column.name, "The cell is blank.", f"Write {column.meaning[0].lower()}{column.meaning[1:]}.")
            elif strange := strange_character(text):
                fault(column.name, f"The text holds a character that cannot be printed ({strange}).", "Remove it.")
                texts[column.name] = ""
            elif len(text) > 100:
                fault(column.name, f"The cell holds {len(text):,} characters.", "Keep it under 100.")
                texts[column.name] = ""
        if patient := texts["patient"]:
            if before := self._seen.get(patient):
                fault("patient", f"The patient is already at {before}.", "Keep one row for each patient.")
            self._seen.setdefault(patient, where)
        self._place(texts, fault)
        since = self._since(texts["since"], fault)
        leaves, by_day = self._expected(texts["expected_discharge"], fault)
        done = self._done(texts["ready_since"], since, texts["state"], fault)
        if clean and since is not None:
            self._rows.append(
                {
                    **{name: texts[name] for name in ("patient", "station", "class")},
                    "since": since,
                    "state": texts["state"].casefold(),
                    "goes_to": texts["goes_to"] or None,
                    "expected_discharge": leaves,
                    "by_day": by_day,
                    "ready_since": done,
                }
            )

    def _place(self, texts: Mapping[str, str], fault: Any) -> None:
        station, patient, state, target = (texts[name] for name in ("station", "class", "state", "goes_to"))
        if station and station not in self._stations:
            fault(
                "station", f"The network has no station {_quoted(station)}.", f"Its stations: {_some(self._stations)}."
            )
        if patient and patient not in self._classes:
            fault("class", f"The network has no class {_quoted(patient)}.", f"Its classes: {_some(self._classes)}.")
        elif patient and station in self._stations and patient not in self._possible[station]:
            there = _some(self._possible[station]) or "none"
            fault("class", f"No {patient} patient can be at {station}.", f"Classes that can be there: {there}.")
        if state and state.casefold() not in STATES:
            fault("state", f"{_quoted(state)} is not a state.", f"Use one of: {', '.join(STATES)}.")
        if target and target not in self._targets:
            fault(
                "goes_to",
                f"The network has no station, choice or outcome {_quoted(target)}.",
                f"Use one of: {_some(self._targets)}.",
            )
        elif target and state.casefold() in STATES[:2]:
            fault(
                "goes_to",
                "Only a patient who is ready waits to go somewhere.",
                "Leave it blank, or make the state ready.",
            )

    def _since(self, text: str, fault: Any) -> datetime | None:
        if not text:
            return None
        since, _ = _when(text, "since", fault)
        if since is None or self._at is None:
            return since
        if since > self._at:
            fault(
                "since",
                f"{since:%Y-%m-%d %H:%M} is after the snapshot ({self._at:%Y-%m-%d %H:%M}).",
                "Correct one of them.",
            )
        elif self._at - since > LONGEST:
            fault("since", f"{since:%Y-%m-%d %H:%M} is more than five years before the snapshot.", "Correct it.")
        return since

    def _done(self, text: str, since: datetime | None, state: str, fault: Any) -> datetime | None:
        if not text:
            return None
        done, by_day = _when(text, "ready_since", fault)
        if done is None or self._at is None:
            return done
        if state.casefold() in STATES[:2]:
            fault(
                "ready_since",
                "Only a patient who is ready has been so since.",
                "Leave it blank, or make the state ready.",
            )
        elif not by_day and (done > self._at or (since is not None and done < since)):
            fault("ready_since", f"{done:%Y-%m-%d %H:%M} is not between since and the snapshot.", "Correct it.")
        return done

    def _expected(self, text: str, fault: Any) -> tuple[datetime | None, bool]:
        if not text:
            return None, False
        leaves, by_day = _when(text, "expected_discharge", fault)
        if leaves is None or self._at is None:
            return leaves, by_day
        if leaves - self._at > LONGEST:
            fault("expected_discharge", f"{leaves:%Y-%m-%d} is more than five years after the snapshot.", "Correct it.")
        past = leaves.date() < self._at.date() if by_day else leaves < self._at
        self._overdue += past
        return leaves, by_day

    def now(self) -> Now:
        """What was taken, or every fault."""
        self._gathered.close()
        if self.faults:
            raise SnapshotError(self.faults)
        assert self._at is not None
        frame = pl.DataFrame(self._rows, schema=SCHEMA).sort("station", "since", "patient")
        return Now(self._network.id, self._at, frame, tuple(self._warnings(frame)))

    def _warnings(self, frame: pl.DataFrame) -> Iterator[str]:
        assert self._at is not None
        if not self._rows:
            yield "Nobody is in the network: the forecast starts from empty."
        held = frame.filter(pl.col("state") != "waiting").group_by("station", maintain_order=True).len()
        for ident, count in held.iter_rows():
            servers = servers_at(self._stations[ident], self._at)
            if servers != UNLIMITED and count > servers * CROWDED:
                yield (
                    f"{ident} has {count:,} patients in {servers:,} places: either the snapshot or the network's places are out of date."
                )
        if self._overdue:
            patients = "1 patient was" if self._overdue == 1 else f"{self._overdue:,} patients were"
            yield f"{patients} expected to leave before the snapshot: their time is drawn as if no date were given."


def _taken_at(
    raw: Sequence[tuple[str, Mapping[str, str]]], at: datetime | None, shown: str
) -> tuple[datetime | None, list[Fault]]:
    """When the snapshot was taken, by the argument or the column, which must not differ."""
    faults: list[Fault] = []
    given: dict[datetime, str] = {}
    for where, cells in raw:
        text = cells.get("at", "").strip()
        if not text or is_nhs_number(text):
            continue
        moment, by_day = _when(text, "at", lambda column, what, remedy, where=where: faults.append(Fault(f"{where}, column {column}", what, remedy)))  # fmt: skip
        if moment is not None and by_day:
            faults.append(
                Fault(f"{where}, column at", "The snapshot has a date and no time.", "Write 2016-04-01T13:05.")
            )
        elif moment is not None:
            given.setdefault(moment, where)
    if at is not None:
        given = {at: "", **given}
    if len(given) > 1 and not faults:
        first, second = list(given.items())[:2]
        faults.append(
            Fault(
                f"{second[1]}, column at",
                f"The snapshot was taken at {second[0]:%Y-%m-%d %H:%M} here and at {first[0]:%Y-%m-%d %H:%M} elsewhere.",
                "Give one moment in all.",
            )
        )
    if not given and not faults:
        faults.append(
            Fault(shown, "When the snapshot was taken is not known.", "Fill the column at, or give the time.")
        )
    return next(iter(given), None), faults[:20]


def _moment(at: datetime) -> datetime:
    if not isinstance(at, datetime):
        raise BettercareError(f"{str(at)[:40]!r} is not a date and time.", "at", "Give a datetime.")
    if at.tzinfo is not None:
        raise BettercareError(
            "The time of the snapshot carries a time zone.", "at", "Give the local clock time without one."
        )
    return at


def _when(text: str, column: str, fault: Any) -> tuple[datetime | None, bool]:
    """A moment, and whether only its day was given."""
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time()), True
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text) else None
    except ValueError:
        moment = None
    if moment is None:
        fault(column, f"{_quoted(text)} is not a date and time.", "Write it as 2016-04-01T13:05.")
    elif moment.tzinfo is not None:
        fault(column, f"{_quoted(text)} carries a time zone.", "Write the local clock time without one.")
        moment = None
    return moment, False


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def _masked(text: str) -> str:
    """Text with every valid NHS number in it taken out, for messages."""
    plain = unicodedata.normalize("NFKC", text)
    return _TEN_DIGITS.sub(lambda found: "(number)" if is_nhs_number(found.group()) else found.group(), plain)


def _shown(text: str) -> str:
    return _masked(text[:100])


def _quoted(text: str) -> str:
    return repr(_masked(text if len(text) <= 60 else text[:57] + "..."))


def _some(names: Iterable[str]) -> str:
    listed = sorted(names)
    return ", ".join(listed[:30]) + (f" and {len(listed) - 30} more" if len(listed) > 30 else "")
