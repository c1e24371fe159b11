"""Who is on the wards, from a file: CSV in, all of it or nothing, with every fault at once; those not in it are marked as left."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from bettercare.care.stays import CLOCK, Stay, Ward, book, gone, present, wall
from bettercare.errors import BettercareError, Fault, FaultsError
from bettercare.plan import Column, TableSpec
from bettercare.plan.cells import value_of
from bettercare.plan.faults import Gathered
from bettercare.plan.read import read_csv
from bettercare.store import Store
from bettercare.store.changing import Changing
from bettercare.vocabulary.nhs_number import holds_nhs_number

LONGEST = timedelta(days=365 * 5)
"""Longest stay that is believed."""
COLUMNS = TableSpec(
    "stays",
    "Stays",
    False,
    "Everybody on the wards at one moment, one row each",
    (
        Column("patient", "text", "yes", "", (), "A pseudonym of letters, digits, dots, hyphens and underscores; never an NHS number or a name"),
        Column("ward", "text", "yes", "", (), "Id or title of the ward in the plan's network of care"),
        Column("unit", "text", "no", "", (), "What staff call the ward or bay, where the network's ward stands for several"),
        Column("bed", "text", "no", "", (), "Bed or bay number"),
        Column("class", "text", "yes", "", (), "Id of the class of patient in the network of care"),
        Column("since", "text", "yes", "", (), "When they came to this ward, by the clock on the wall: 2016-11-02T13:05 or 2/11/2016 13:05"),
        Column("admitted", "text", "no", "", (), "When they came to hospital; blank where that is when they came to this ward"),
        Column("expected_discharge", "text", "no", "", (), "The day they are expected to leave: 2016-11-04 or 4/11/2016; blank leaves what is known"),
        Column("criteria", "text", "no", "", (), "What has to be true for them to leave; blank leaves what is known"),
        Column("ready_since", "text", "no", "", (), "When they could have left; blank leaves what is known"),
        Column("waiting_for", "text", "no", "", (), "Id or title of where a ready patient waits to go; blank leaves what is known"),
    ),
)  # fmt: skip
"""The columns of the file."""


class SnapshotError(FaultsError):
    """A file of stays has faults; all of them are listed, and nothing of it is taken."""

    said = "The stays cannot be taken"


@dataclass(frozen=True)
class Snapshot:
    """What a file says, by pseudonym. A blank cell is left out."""

    at: datetime
    rows: Mapping[str, Mapping[str, Any]]
    """Fields of each patient's stay."""


@dataclass(frozen=True)
class Difference:
    """What a snapshot changes in the stays that are known."""

    came: tuple[Stay, ...]
    """New stays; those who came from another ward among them."""
    moved: tuple[Stay, ...]
    """Stays that end because the patient is on another ward now."""
    changed: tuple[Stay, ...]
    """Stays that go on, with something new."""
    left: tuple[Stay, ...]
    """Stays that end because the patient is not in the file."""
    kept: tuple[str, ...]
    """Pseudonyms of those who are in the file, and were marked as left before it was taken: they stay left."""

    def __bool__(self) -> bool:
        return bool(self.came or self.moved or self.changed or self.left)


def read_snapshot(
    path: str | Path, wards: Sequence[Ward], classes: Collection[str], at: datetime, shown: str = ""
) -> Snapshot:
    """What a file says of who is on the wards.

    Args:
        path: a .csv (UTF-8) with the columns of :data:`COLUMNS`.
        wards: those of the plan's network.
        classes: ids of the network's classes of patient.
        at: when the snapshot was taken.
        shown: what faults call the file.

    Raises:
        SnapshotError: with every fault, by row and column. An NHS number is never repeated.
    """
    path = Path(path)
    shown = shown or path.name
    if path.suffix.lower() != ".csv":
        raise BettercareError("Stays are read from .csv files.", shown[:100], "Save the file as CSV (UTF-8).")
    faults: list[Fault] = []
    raw = read_csv(path, shown, COLUMNS, faults)
    gathered = Gathered(faults)
    reader = _Reader(wards, classes, at, gathered)
    for where, cells in raw:
        reader.take(where, cells)
    gathered.close()
    if not raw and not faults:
        faults.append(
            Fault(shown, "There is nobody in the file.", "Write one row for each patient below the headings.")
        )
    if faults:
        # A fault of the file's own shape may quote what stands in it.
        raise SnapshotError([fault if not holds_nhs_number(str(fault)) else _unsaid(fault, shown) for fault in faults])
    return Snapshot(at, reader.rows)


def read_upload(name: str, content: bytes, wards: Sequence[Ward], classes: Collection[str], at: datetime) -> Snapshot:
    """:func:`read_snapshot` of a file that came over the web, by the name it had there."""
    shown = re.sub(r"[^A-Za-z0-9._ -]+", "-", name.replace("\\", "/").rpartition("/")[2])[-80:].strip(" .") or "stays"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("stays.csv" if name.lower().endswith(".csv") else "stays")
        path.write_bytes(content)
        return read_snapshot(path, wards, classes, at, "the file" if holds_nhs_number(shown) else shown)


def template(wards: Sequence[Ward], classes: Collection[str]) -> str:
    """The file to fill in: the headings, and one example row, to be written over."""
    ward, patient = wards[0].id if wards else "", next(iter(classes), "")
    example = {"patient": "example-1", "ward": ward, "bed": "1", "class": patient, "since": "2016-11-02T13:05"}
    names = [column.name for column in COLUMNS.columns]
    return f"{','.join(names)}\n{','.join(example.get(name, '') for name in names)}\n"


def difference(
    known: Iterable[Stay], ended: Iterable[Stay], snapshot: Snapshot, plan: str, ward: str = ""
) -> Difference:
    """What a snapshot changes.

    Args:
        known: stays that have not ended.
        ended: stays that have ended lately.
        plan: id of the plan.
        ward: id of the one ward that the file is of; blank for all. Only there is somebody missing taken to have left.
    """
    open_now = {stay.pseudonym: stay for stay in known}
    over = {(stay.pseudonym, stay.station, stay.since) for stay in ended}
    came: list[Stay] = []
    moved: list[Stay] = []
    changed: list[Stay] = []
    kept: list[str] = []
    for pseudonym, fields in snapshot.rows.items():
        stay = open_now.get(pseudonym)
        if stay is None and (pseudonym, fields["station"], fields["since"]) in over:
            kept.append(pseudonym)
        elif stay is None:
            came.append(_stay(fields, plan=book(plan), pseudonym=pseudonym))
        elif stay.station == fields["station"]:
            after = _stay({**stay.model_dump(), **fields})
            if after != stay:
                changed.append(after)
        elif fields["since"] >= stay.since:
            moved.append(gone(stay, fields["since"], fields["station"]))
            carried = {
                "admitted": stay.admitted or stay.since, "came_from": stay.station, "expected_discharge": stay.expected_discharge,
                "criteria": stay.criteria,
            }  # fmt: skip
            came.append(_stay({**carried, **fields}, plan=book(plan), pseudonym=pseudonym))
        else:
            raise BettercareError(
                f"{pseudonym} is known to have come to another ward after the file says they came to {fields['station']}.",
                remedy="Take a newer snapshot, or correct the time.",
            )
    left = [
        gone(stay, snapshot.at)
        for stay in open_now.values()
        # One who came after the snapshot was taken could not be in it.
        if stay.pseudonym not in snapshot.rows and ward in ("", stay.station) and stay.since <= snapshot.at
    ]
    return Difference(tuple(came), tuple(moved), tuple(changed), tuple(left), tuple(kept))


def take(store: Store, plan: str, by: str, snapshot: Snapshot, ward: str = "", why: str = "") -> Difference:
    """Store what a snapshot changes: all of it or nothing.

    Raises:
        BettercareError: the file contradicts what is known.
    """
    with store.change(by, why or "Snapshot of the wards") as changing:
        found = difference(present(store, plan), _ended(store, plan, snapshot), snapshot, plan, ward)
        _write(changing, found)
    return found


def preview(store: Store, plan: str, snapshot: Snapshot, ward: str = "") -> Difference:
    """What :func:`take` would change."""
    return difference(present(store, plan), _ended(store, plan, snapshot), snapshot, plan, ward)


def _write(changing: Changing, found: Difference) -> None:
    for stay in (*found.moved, *found.changed, *found.left):
        changing.replace(stay)
    changing.add_all(found.came)


def _ended(store: Store, plan: str, snapshot: Snapshot) -> tuple[Stay, ...]:
    """Stays of the snapshot's patients that have ended."""
    open_now = {stay.pseudonym for stay in present(store, plan)}
    asked = [pseudonym for pseudonym in snapshot.rows if pseudonym not in open_now]
    return tuple(stay for one in asked for stay in store.list(Stay, book(plan), pseudonym=one) if stay.left is not None)


def _stay(fields: Mapping[str, Any], **more: Any) -> Stay:
    try:
        return Stay.model_validate({**fields, **more})
    except ValidationError as error:
        detail = error.errors(include_input=False)[0]
        named = Stay.model_fields[str(detail["loc"][0])].title if detail["loc"] else ""
        who = more.get("pseudonym") or fields.get("pseudonym", "")
        said = str(detail["msg"]).removeprefix("Value error, ")
        raise BettercareError(
            f"{who}: {f'{named} ' if named else ''}{said}.", remedy="Correct the row, or what is known of the stay."
        ) from None


class _Reader:
    """Takes rows one by one, gathering what is wrong with them."""

    def __init__(self, wards: Sequence[Ward], classes: Collection[str], at: datetime, faults: Gathered) -> None:
        self._wards = {name.casefold(): ward for ward in wards for name in (ward.title, ward.id)}
        self._classes, self._at, self._faults = classes, at, faults
        self._named = ", ".join(ward.id for ward in wards)
        self._seen: dict[str, str] = {}
        self.rows: dict[str, Mapping[str, Any]] = {}

    def take(self, where: str, cells: Mapping[str, str]) -> None:
        """Take a row, or say what is wrong with it."""
        clean = True

        def fault(column: str, what: str, remedy: str) -> None:
            nonlocal clean
            clean = False
            self._faults.append(Fault(f"{where}, column {column}", what, remedy))

        texts: dict[str, str] = {}
        for column in COLUMNS.columns:
            text = cells.get(column.name, "").strip()
            if not text:
                if column.required == "yes":
                    fault(column.name, "The cell is blank.", f"Write {column.meaning[0].lower()}{column.meaning[1:]}.")
                continue
            if holds_nhs_number(text):
                fault(column.name, "The cell holds an NHS number.", "Write a pseudonym, and keep its key elsewhere.")
                continue
            try:
                value_of(column, text)
                texts[column.name] = text
            except BettercareError as error:
                fault(column.name, error.what, error.remedy)
        patient = texts.get("patient", "")
        if patient and not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}", patient):
            fault(
                "patient", f"{patient[:40]!r} cannot be a pseudonym.",
                "Use up to 40 letters, digits, dots, hyphens and underscores, a letter or digit first.",
            )  # fmt: skip
        elif before := self._seen.get(patient):
            fault("patient", f"{patient} is already at {before}.", "Keep the row of the ward where they are now.")
        if patient:
            self._seen.setdefault(patient, where)
        for name, most in (("unit", 60), ("bed", 20), ("criteria", 1_000)):
            if len(texts.get(name, "")) > most:
                fault(name, f"The cell holds more than {most:,} characters.", "Shorten it.")
        ward = self._wards.get(texts.get("ward", "").casefold())
        if ward is None and "ward" in texts:
            fault("ward", f"There is no ward {texts['ward'][:40]!r}.", f"The wards: {self._named}.")
        if "class" in texts and texts["class"] not in self._classes:
            fault("class", f"There is no class {texts['class'][:40]!r}.", f"The classes: {', '.join(self._classes)}.")
        times = {}
        for name in ("since", "admitted", "ready_since"):
            if name in texts:
                moment = _moment(texts[name])
                if moment is None:
                    fault(
                        name, f"{texts[name][:40]!r} is not a time.", "Write it as 2016-11-02T13:05 or 2/11/2016 13:05."
                    )
                elif moment > self._at:
                    fault(
                        name, "The time is after the snapshot was taken.", "Check it, and when the snapshot was taken."
                    )
                elif moment < self._at - LONGEST:
                    fault(name, "The time is more than five years ago.", "Check the year.")
                else:
                    times[name] = moment
        expected = _day(texts["expected_discharge"]) if "expected_discharge" in texts else None
        if "expected_discharge" in texts and expected is None:
            fault(
                "expected_discharge", f"{texts['expected_discharge'][:40]!r} is not a day.", "Write it as 2016-11-04."
            )
        elif expected is not None and abs(expected - wall(self._at).date()) > LONGEST:
            fault("expected_discharge", "The day is more than five years away.", "Check the year.")
        if "admitted" in times and "since" in times and times["admitted"] > times["since"]:
            fault("admitted", "They were admitted after they came to the ward.", "Check both times.")
        if "ready_since" in times and "since" in times and times["ready_since"] < times.get("admitted", times["since"]):
            fault("ready_since", "They were ready before they came.", "Check both times.")
        goes = self._destination(ward, texts.get("waiting_for", ""), fault)
        if goes and "ready_since" not in texts:
            fault(
                "waiting_for",
                "Only one who is ready waits to go somewhere.",
                "Say since when they are ready, or leave it blank.",
            )
        if clean and ward is not None:
            given = {
                "station": ward.id, "patient_class": texts["class"], "unit": texts.get("unit"), "bed": texts.get("bed"),
                "expected_discharge": expected, "criteria": texts.get("criteria"), "waiting_for": goes, **times,
            }  # fmt: skip
            self.rows[patient] = {name: value for name, value in given.items() if value}

    def _destination(self, ward: Ward | None, text: str, fault: Any) -> str:
        if not text or ward is None:
            return ""
        known = {name.casefold(): id for id, title in ward.goes_to for name in (title, id)}
        if text.casefold() not in known:
            places = ", ".join(id for id, _ in ward.goes_to)
            fault(
                "waiting_for",
                f"Nobody goes from {ward.id} to {text[:40]!r}.",
                f"Places patients go to from there: {places}.",
            )
        return known.get(text.casefold(), "")


def _unsaid(fault: Fault, shown: str) -> Fault:
    return Fault(
        shown, "The file holds an NHS number where none should be.", "Write pseudonyms, and keep their key elsewhere."
    )


def _moment(text: str) -> datetime | None:
    """A time by the clock on the wall, or None."""
    try:
        if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})[ T](\d{1,2}):(\d{2})(?::\d{2})?", text):
            day, month, year, hour, minute = map(int, found.groups())
            plain = datetime(year, month, day, hour, minute)
        elif re.fullmatch(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2})?", text):
            plain = datetime.fromisoformat(text)
        else:
            return None
        return plain.replace(tzinfo=CLOCK).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _day(text: str) -> date | None:
    try:
        if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
            return date(int(found[3]), int(found[2]), int(found[1]))
        return date.fromisoformat(text[:10]) if re.fullmatch(r"\d{4}-\d{2}-\d{2}([ T].*)?", text) else None
    except ValueError:
        return None
