"""A row of a snapshot of who is where now: its columns, what may stand in them, and every fault at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from bettercare.errors import BettercareError, Fault, FaultsError
from bettercare.flow.compiled import routes_of
from bettercare.flow.network import Network
from bettercare.flow.row_cells import moment_of, quoted, some_of, text_of
from bettercare.plan import Column, TableSpec
from bettercare.plan.cells import strange_character
from bettercare.plan.faults import Gathered
from bettercare.vocabulary.nhs_number import holds_nhs_number, is_nhs_number, without_nhs_numbers

STATES = ("waiting", "in service", "ready")
"""Waiting for a place; in a station's care; done, and waiting to leave with the place still held."""
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


class SnapshotError(FaultsError):
    """A snapshot has faults; all of them are listed, and none of its rows is taken."""

    said = "The state now cannot be used"


class RowReader:
    """Takes rows one by one, gathering what is wrong with them. ``possible`` are the classes that can be at each station."""

    def __init__(self, network: Network, at: datetime | None, possible: Mapping[str, Collection[str]]) -> None:
        self._network, self._at = network, at
        self._stations = {station.id: station for station in network.stations}
        self._classes = {patient.id for patient in network.classes}
        self._possible = possible
        self._choices = {choice.id: choice.of for choice in network.choices}
        self._targets = {*self._stations, *self._choices, *(outcome.id for outcome in network.outcomes)}
        self._seen: dict[str, str] = {}
        self._led: dict[tuple[str, str], Collection[str]] = {}
        self.overdue = 0
        self.astray: Counter[tuple[str, str]] = Counter()
        """Ready patients who wait to go where no route leads, by station and where to: it is not taken."""
        self._rows: list[dict[str, Any]] = []
        self.faults: list[Fault] = []
        self._gathered = Gathered(self.faults)

    def take(self, where: str, row: Mapping[str, Any]) -> None:
        clean = True

        def fault(column: str, what: str, remedy: str) -> None:
            nonlocal clean
            clean = False
            self._gathered.append(Fault(f"{where}, column {column}", what, remedy))

        texts = {column.name: text_of(row.get(column.name)) for column in COLUMNS.columns}
        if unknown := [str(name) for name in row if name not in texts]:
            fault(shown(unknown[0]), "The column is not known.", f"Columns: {', '.join(COLUMNS.names)}.")
        for column in COLUMNS.columns:
            text = texts[column.name]
            if is_nhs_number(text) or (column.name not in _TIMES and holds_nhs_number(text)):
                fault(
                    column.name,
                    "The pseudonym is or holds a valid NHS number."
                    if column.name == "patient"
                    else "The cell holds a valid NHS number.",
                    "Replace NHS numbers by pseudonyms before the file leaves the source system; make them longer or shorter than ten digits to tell them apart.",
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
            target = texts["goes_to"]
            if target and target not in self._leads_to(texts["station"], texts["class"]):
                self.astray[texts["station"], target] += 1
                target = ""
            self._rows.append(
                {
                    **{name: texts[name] for name in ("patient", "station", "class")},
                    "since": since,
                    "state": texts["state"].casefold(),
                    "goes_to": target or None,
                    "expected_discharge": leaves,
                    "by_day": by_day,
                    "ready_since": done,
                }
            )

    def _place(self, texts: Mapping[str, str], fault: Any) -> None:
        station, patient, state, target = (texts[name] for name in ("station", "class", "state", "goes_to"))
        if station and station not in self._stations:
            fault(
                "station", f"The network has no station {quoted(station)}.", f"Its stations: {some_of(self._stations)}."
            )
        if patient and patient not in self._classes:
            fault("class", f"The network has no class {quoted(patient)}.", f"Its classes: {some_of(self._classes)}.")
        elif patient and station in self._stations and patient not in self._possible[station]:
            there = some_of(self._possible[station]) or "none"
            fault("class", f"No {patient} patient can be at {station}.", f"Classes that can be there: {there}.")
        if state and state.casefold() not in STATES:
            fault("state", f"{quoted(state)} is not a state.", f"Use one of: {', '.join(STATES)}.")
        if target and target not in self._targets:
            fault(
                "goes_to",
                f"The network has no station, choice or outcome {quoted(target)}.",
                f"Use one of: {some_of(self._targets)}.",
            )
        elif target and state.casefold() in STATES[:2]:
            fault(
                "goes_to",
                "Only a patient who is ready waits to go somewhere.",
                "Leave it blank, or make the state ready.",
            )

    def _leads_to(self, station: str, patient: str) -> Collection[str]:
        """Where the routes of a class lead from a station: stations, choices with the stations of each, and outcomes."""
        if (station, patient) not in self._led:
            routes = routes_of(self._network, station, patient)
            self._led[station, patient] = {to for one in routes for to in (one.to, *self._choices.get(one.to, ()))}
        return self._led[station, patient]

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
        self.overdue += past
        return leaves, by_day

    def frame(self) -> pl.DataFrame:
        """The rows that were taken, by station, time and patient.

        Raises:
            SnapshotError: there is a fault, with all of them.
        """
        self._gathered.close()
        if self.faults:
            raise SnapshotError(self.faults)
        return pl.DataFrame(self._rows, schema=SCHEMA).sort("station", "since", "patient")


def taken_at(
    raw: Sequence[tuple[str, Mapping[str, str]]], at: datetime | None, file: str
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
            Fault(
                file,
                "When the snapshot was taken is not known.",
                "Fill the column at, or give the time (--at on the command line).",
            )
        )
    return next(iter(given), None), faults[:20]


def _when(text: str, column: str, fault: Any) -> tuple[datetime | None, bool]:
    """A moment, or a fault; and whether only its day was given."""
    try:
        return moment_of(text)
    except BettercareError as error:
        fault(column, error.what, error.remedy)
        return None, False


def shown(text: str) -> str:
    """A name from outside, such as a file's, in a message."""
    return without_nhs_numbers(text[:100])
