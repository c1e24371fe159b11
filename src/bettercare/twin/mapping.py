"""What joins a plan to a network: which of its figures move what, and which of its promises are which measures.

The file is ``flow/twin.yaml`` beside a plan's network; ``fields.csv`` is the dictionary of its fields.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import date, timedelta
from difflib import get_close_matches
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.flow.measures import measure
from bettercare.flow.network import ANY, UNLIMITED, Change, Evidence, Network
from bettercare.flow.network_file import find_network
from bettercare.flow.scenarios import changed
from bettercare.plan import Plan
from bettercare.plan.cells import number, value_of
from bettercare.plan.dictionary import Column
from bettercare.plan.yaml_file import Node, parse_yaml, read_text

FILE = "twin.yaml"
_EVIDENCE = "(evidence)"
_LARGEST = 1_000_000
_MOST_ROWS = 2_000


@dataclass(frozen=True)
class Question:
    """What is asked of the plan: a stretch of days in a year of it."""

    id: str
    title: str
    year: str
    starts: date
    days: int
    warm_up: int | None = None
    beds: str | None = None
    organisation: str = ""
    """Whose beds are counted."""
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def middle(self) -> date:
        return self.starts + timedelta(days=self.days // 2)


@dataclass(frozen=True)
class Promise:
    """What must hold: a measure of the network against a bound."""

    id: str
    question: str
    title: str
    measure: str
    of: tuple[str, ...]
    at_least: float | None = None
    at_most: float | None = None
    as_now: Literal["at-least", "at-most"] | None = None
    metric: str = ""
    period: str = ""
    spread: float = 0.0
    headline: bool = False
    suffices: bool = False
    evidence: Evidence = field(default_factory=Evidence)

    @property
    def upwards(self) -> bool:
        """Whether more is better."""
        return self.at_least is not None or self.as_now == "at-least"

    @property
    def bound(self) -> float | None:
        """The value it is held against; None where that is what the network gives now."""
        return self.at_least if self.at_least is not None else self.at_most

    @property
    def unit(self) -> str:
        return measure(self.measure).unit


@dataclass(frozen=True)
class Stream:
    """A stream of arrivals that follows activity of the plan."""

    stream: str
    organisation: str
    pod: str
    takes: Literal["all", "growth", "added"] = "all"
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Stay:
    """A station's times that follow a length of stay of the plan."""

    station: str
    organisation: str
    pod: str
    patient: str = ANY
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Way:
    """A share of a station's patients, sent to a place, that follows the activity of that place in the plan."""

    station: str
    goes: str
    instead_of: str
    organisation: str
    pod: str
    patient: str = ANY
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Beds:
    """A station that holds a share of the change in a kind of bed."""

    station: str
    organisation: str
    pod: str
    share: float = 1.0
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Driver:
    """Something uncertain that the plan's model does not draw: a size (triangular; 1 is the size its changes are written at),
    whether it comes at all, and how many months late."""

    id: str
    title: str
    low: float
    likely: float
    high: float
    changes: tuple[Change, ...]
    questions: tuple[str, ...] = ()
    probability: float = 1.0
    starts: date | None = None
    full: date | None = None
    late: tuple[float, ...] = ()
    cause: str = ""
    loading: float = 0.0
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class Lever:
    """One thing that could be done more: what a unit of it changes, and how far it is tried."""

    id: str
    title: str
    unit: str
    limit: float
    changes: tuple[Change, ...]
    step: float = 1.0
    grid: tuple[float, ...] = ()
    questions: tuple[str, ...] = ()
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True)
class LeftOut:
    """What the answers leave out."""

    what: str
    note: str


@dataclass(frozen=True)
class Twin:
    """All that joins a plan to a network."""

    plan: str
    network: str
    questions: tuple[Question, ...]
    promises: tuple[Promise, ...]
    streams: tuple[Stream, ...] = ()
    services: tuple[Stay, ...] = ()
    routes: tuple[Way, ...] = ()
    beds: tuple[Beds, ...] = ()
    drivers: tuple[Driver, ...] = ()
    levers: tuple[Lever, ...] = ()
    not_modelled: tuple[LeftOut, ...] = ()
    summary: str = ""

    def question(self, ident: str) -> Question:
        """A question by its id.

        Raises:
            BettercareError: there is none of that id.
        """
        found = next((one for one in self.questions if one.id == ident), None)
        if found is None:
            raise BettercareError(
                f"There is no question {ident[:60]!r}.", remedy=_nearest(ident, [one.id for one in self.questions])
            )
        return found

    def promises_of(self, question: Question) -> tuple[Promise, ...]:
        return tuple(one for one in self.promises if one.question == question.id)

    def drivers_of(self, question: Question) -> tuple[Driver, ...]:
        return tuple(one for one in self.drivers if not one.questions or question.id in one.questions)

    def levers_of(self, question: Question) -> tuple[Lever, ...]:
        return tuple(one for one in self.levers if not one.questions or question.id in one.questions)

    def lever(self, ident: str) -> Lever:
        """A lever by its id.

        Raises:
            BettercareError: there is none of that id.
        """
        found = next((one for one in self.levers if one.id == ident), None)
        if found is None:
            raise BettercareError(
                f"There is no lever {ident[:60]!r}.", remedy=_nearest(ident, [one.id for one in self.levers])
            )
        return found


@dataclass(frozen=True)
class Field:
    """A field of a section: how it is written and what it may hold."""

    section: str
    name: str
    type: str
    required: str
    low: float
    high: float
    choices: tuple[str, ...]
    meaning: str


_RECORDS: Mapping[str, type[Any]] = {
    "questions": Question, "promises": Promise, "streams": Stream, "services": Stay, "routes": Way, "beds": Beds, "drivers": Driver,
    "levers": Lever, "not_modelled": LeftOut,
}  # fmt: skip


@cache
def dictionary() -> Mapping[str, Mapping[str, Field]]:
    """The fields of each section by name."""
    found: dict[str, dict[str, Field]] = {}
    text = resources.files("bettercare.twin").joinpath("fields.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        low, high = float(row["low"] or "-inf"), float(row["high"] or "inf")
        one = Field(
            row["section"], row["field"], row["type"], row["required"], low, high,
            tuple(filter(None, row["choices"].split("|"))), row["meaning"],
        )  # fmt: skip
        found.setdefault(one.section, {})[one.name] = one
    evidence = found[_EVIDENCE]
    for name, record in _RECORDS.items():
        if any(each.name == "evidence" for each in fields(record)):
            found[name] |= evidence
    return found


def find_twin(plan: str | Path, network: Path | None = None) -> Path:
    """The file that joins a plan to its network: ``twin.yaml`` beside it.

    Args:
        plan: its folder, or the name of a shipped plan.
        network: the network's file; None to find it by ``plan``.

    Raises:
        BettercareError: the plan has no network, or no such file.
    """
    path = (network or find_network(str(plan))).with_name(FILE)
    if not path.is_file():
        raise BettercareError(
            f"There is no {FILE} beside the network of {str(plan)[:200]!r}.",
            remedy=f"Write which promises are which measures into flow/{FILE}.",
        )
    return path


def read_twin(path: str | Path) -> Twin:
    """Read the file that joins a plan to its network.

    Raises:
        PlanError: listing every fault with its line and what to do.
        BettercareError: it cannot be read, or is not YAML.
    """
    path = Path(path)
    return twin_of(read_text(path, path.name, _LARGEST), path.name)


def twin_of(text: str, shown: str = FILE) -> Twin:
    """The same from text; ``shown`` names it in faults."""
    reading = _Reading(shown)
    found = reading.twin(parse_yaml(text, shown))
    if reading.faults:
        raise PlanError(reading.faults)
    assert found is not None
    return found


@dataclass
class _Reading:
    shown: str
    faults: list[Fault] = field(default_factory=list)

    def fault(self, line: int, what: str, remedy: str) -> None:
        self.faults.append(Fault(f"{self.shown}, line {line}", what, remedy))

    def twin(self, root: Node) -> Twin | None:
        top = dictionary()["twin"]
        for name in root.value:
            if name not in top and name not in _RECORDS:
                self.fault(root.keys[name], f"{name[:60]!r} is not known.", _nearest(name, [*top, *_RECORDS]))
        head = Node({name: node for name, node in root.items() if name in top}, root.line, root.keys)
        cells = self.cells("twin", head)
        sections = {name: tuple(self.section(name, root.get(name))) for name in _RECORDS}
        if not self.faults:
            self.rules(sections)
        if self.faults or cells is None:
            return None
        whole: dict[str, Any] = {**cells, **sections}
        return Twin(**whole)

    def section(self, name: str, node: Node | None) -> Iterator[Any]:
        if node is None or node.value is None:
            return
        if not isinstance(node.value, list) or len(node.value) > _MOST_ROWS:
            self.fault(
                node.line, f"{name} must be a list.", f"Write rows that begin with `- `, at most {_MOST_ROWS:,}."
            )
            return
        seen: set[str] = set()
        for row in node.value:
            cells = self.cells(name, row)
            if cells is None:
                continue
            if "id" in cells:
                if cells["id"] in seen:
                    self.fault(row.line, f"{cells['id']!r} is in {name} twice.", "Give one another id.")
                seen.add(cells["id"])
            yield self.record(name, cells)

    def record(self, name: str, cells: dict[str, Any]) -> Any:
        record = _RECORDS[name]
        known = {each.name for each in fields(record)}
        if "class" in cells:
            cells["patient"] = cells.pop("class")
        evidence = {
            key: cells.pop(key) for key in ("basis", "source", "where", "note") if key in cells and "evidence" in known
        }
        return record(**cells, **({"evidence": Evidence(**evidence)} if "evidence" in known else {}))

    def cells(self, section: str, node: Node) -> dict[str, Any] | None:
        """The values of a row that are written, or None when it has a fault."""
        known = dictionary()[section]
        if not isinstance(node.value, dict):
            self.fault(node.line, f"A row of {section} is not a list of `name: value`.", "Write {id: ..., title: ...}.")
            return None
        before = len(self.faults)
        for name in node.value:
            if name not in known:
                line = node.keys.get(name, node.line)
                self.fault(line, f"{name[:60]!r} is not known in {section}.", _nearest(name, known))
        found: dict[str, Any] = {}
        for name, one in known.items():
            item = node.get(name)
            if item is None or item.value is None or item.value == "":
                if one.required == "yes":
                    self.fault(
                        node.line,
                        f"A row of {section} has no {name}.",
                        f"Add {name}: {one.meaning[:1].lower()}{one.meaning[1:]}.",
                    )
                continue
            try:
                found[name] = self.value(one, item)
            except BettercareError as error:
                self.fault(item.line, f"{name} of {section}: {error.what}", error.remedy)
        reasoned = "note" in known and known["note"].required == "if assumed"
        if reasoned and found.get("basis", "assumed") == "assumed" and not str(found.get("note", "")).strip():
            self.fault(node.line, f"A row of {section} is assumed and gives no reason.", "Add note: and the reason.")
        return found if len(self.faults) == before else None

    def value(self, one: Field, node: Node) -> Any:
        if one.type == "changes":
            return self.changes(node)
        if one.type in ("names", "numbers"):
            items = node.value if isinstance(node.value, list) else [node]
            if not items or not all(isinstance(item.value, str) for item in items):
                raise BettercareError("This is not a list.", remedy=f"Write {one.name}: [one, another].")
            if one.type == "names":
                return tuple(item.value.strip() for item in items)
            wanted = int(one.choices[0]) if one.choices else 0
            if wanted and len(items) != wanted:
                raise BettercareError(f"It has {len(items)} numbers.", remedy=f"Write {wanted}.")
            return tuple(_within(one, number(item.value)) for item in items)
        if not isinstance(node.value, str):
            raise BettercareError("It must be a single value.", remedy=f"Write it as {one.name}: ... on one line.")
        kind = one.type if one.type in ("id", "number", "integer", "year", "date", "flag", "choice") else "text"
        found = value_of(Column(one.name, kind, one.required, "", one.choices, one.meaning), node.value.strip())
        return _within(one, found) if kind in ("number", "integer") else found

    def changes(self, node: Node) -> tuple[Change, ...]:
        if not isinstance(node.value, list) or not node.value:
            raise BettercareError("It must be a list of changes.", remedy="Write [{what: servers, at: ward, add: 1}].")
        found = []
        for row in node.value:
            cells = self.cells("changes", row)
            if cells is None:
                continue
            if ("add" in cells) == ("times" in cells):
                self.fault(row.line, "A change needs one of add and times.", "Write times: 0.9, for example.")
                continue
            found.append(Change(patient=cells.pop("class", ANY), **cells))
        return tuple(found)

    def rules(self, sections: Mapping[str, tuple[Any, ...]]) -> None:
        """What one row has to do with another; the line is not known any more, so the row is named."""
        questions = [one.id for one in sections["questions"]]
        levers = [one.id for one in sections["levers"]]
        for section in ("questions", "promises"):
            if not sections[section]:
                self.faults.append(Fault(self.shown, f"There are no {section}.", f"Add {section}: and a list."))
        for section, row, what, remedy in _rules(sections, questions, levers):
            self.faults.append(Fault(f"{self.shown}, {section} {row}", what, remedy))


def _rules(
    sections: Mapping[str, tuple[Any, ...]], questions: Sequence[str], levers: Sequence[str]
) -> Iterator[tuple[str, str, str, str]]:
    for one in sections["questions"]:
        if one.beds and one.beds not in levers:
            yield "questions", one.id, f"There is no lever {one.beds!r}.", _nearest(one.beds, levers)
        if one.beds and not one.organisation:
            yield "questions", one.id, "It does not say whose beds are counted.", "Add organisation."
        if not any(promise.question == one.id for promise in sections["promises"]):
            yield "questions", one.id, "No promise belongs to it.", "Add one, or take the question out."
    for one in sections["promises"]:
        if one.question not in questions:
            yield "promises", one.id, f"There is no question {one.question!r}.", _nearest(one.question, questions)
        if sum(given is not None for given in (one.at_least, one.at_most, one.as_now)) != 1:
            yield "promises", one.id, "It needs exactly one of at_least, at_most and as_now.", "Write at_least: 0.95."
        if len(one.period) > 40:
            yield "promises", one.id, "Its period is too long.", "Write it as 2017-03."
    for section in ("drivers", "levers"):
        for one in sections[section]:
            for name in one.questions:
                if name not in questions:
                    yield section, one.id, f"There is no question {name!r}.", _nearest(name, questions)
    for one in sections["drivers"]:
        if not one.low <= one.likely <= one.high:
            yield "drivers", one.id, "low, likely and high are not in this order.", "Put them in order."
        if (one.starts is None) != (one.full is None) or (one.starts and one.full and one.full < one.starts):
            yield "drivers", one.id, "starts and full do not go together.", "Give both, full not before starts."
        if one.late and (one.starts is None or list(one.late) != sorted(one.late)):
            yield "drivers", one.id, "late needs starts, and its numbers in order.", "Write late: [0, 1, 4]."
    for one in sections["levers"]:
        if one.step > one.limit:
            yield "levers", one.id, "Its step is larger than its limit.", "Lower the step."
        if list(one.grid) != sorted(set(one.grid)):
            yield "levers", one.id, "The sizes of its grid are not in order.", "Write each once, the least first."
    shares: dict[tuple[str, str], float] = {}
    for one in sections["beds"]:
        shares[one.organisation, one.pod] = shares.get((one.organisation, one.pod), 0.0) + one.share
    for (organisation, pod), total in shares.items():
        if abs(total - 1) > 1e-6:
            yield "beds", f"{organisation} {pod}", f"Its shares add to {total:g}.", "They must add to 1."


def _within(one: Field, value: Any) -> Any:
    if not one.low <= value <= one.high:
        raise BettercareError(f"{value:g} is out of range.", remedy=f"It lies from {one.low:g} to {one.high:g}.")
    return value


def _nearest(name: str, known: Iterable[str]) -> str:
    listed = list(known)
    close = get_close_matches(name[:60], listed, 1)
    return f"Did you mean {close[0]}?" if close else f"Known: {', '.join(listed[:12]) or 'none yet'}."


def whole_shares(amounts: Sequence[float]) -> list[int]:
    """Whole numbers as near to the amounts as may be that add to their rounded sum (the largest remainders are rounded up).

    >>> whole_shares([-136.8, -40.1, -51.1])
    [-137, -40, -51]
    """
    floors = [int(np.floor(amount)) for amount in amounts]
    missing = int(np.floor(sum(amounts) + 0.5)) - sum(floors)
    order = sorted(range(len(amounts)), key=lambda place: (floors[place] - amounts[place], place))
    for place in order[:missing]:
        floors[place] += 1
    return floors


def sized(changes: Sequence[Change], size: float) -> tuple[Change, ...]:
    """Changes written at size 1 as they are at another size: ``add`` in proportion (servers in whole numbers that add up),
    ``times`` with that part of the difference from 1, and never below a hundredth."""
    adds = [change.add * size for change in changes if change.what == "servers" and change.add is not None]
    servers = iter(whole_shares(adds))
    found = []
    for change in changes:
        if change.times is not None:
            found.append(replace(change, times=max(1 + (change.times - 1) * size, 0.01)))
        elif change.what in ("servers", "queue"):
            whole = next(servers) if change.what == "servers" else round((change.add or 0.0) * size)
            found.append(replace(change, add=float(whole)))
        else:
            found.append(replace(change, add=(change.add or 0.0) * size))
    return tuple(found)


def faults_of(twin: Twin, plan: Plan, network: Network) -> list[Fault]:
    """What the file names and the plan or the network does not have, and changes that cannot be made; empty when all is well."""
    return list(_Held(twin, plan, network).all())


@dataclass(frozen=True)
class _Held:
    """The file held against the plan and the network."""

    twin: Twin
    plan: Plan
    network: Network

    def all(self) -> Iterator[Fault]:
        stations = [one.id for one in self.network.stations]
        yield from self._heads()
        yield from self._promises(stations)
        places = {
            (row["organisation"], row["pod"]) for name in ("beds", "activity") for row in self.plan[name] if row["pod"]
        }
        beds = {(row["organisation"], row["pod"]) for row in self.plan["beds"] if row["pod"]}
        arrivals = [one.id for one in self.network.arrivals]
        for stream in self.twin.streams:
            yield from self._known("streams", stream.stream, stream.stream, arrivals, "stream")
            yield from self._pod("streams", stream.stream, stream.organisation, stream.pod, places)
        for stay in self.twin.services:
            yield from self._known("services", stay.station, stay.station, stations, "station")
            yield from self._pod("services", stay.station, stay.organisation, stay.pod, beds)
        for way in self.twin.routes:
            yield from self._pod("routes", way.station, way.organisation, way.pod, places)
            part = Change("share", way.station, way.patient, way.goes, way.instead_of, times=0.9)
            yield from self._made("routes", way.station, (part,), 1.0)
        for row in self.twin.beds:
            yield from self._known("beds", row.station, row.station, stations, "station")
            yield from self._pod("beds", row.station, row.organisation, row.pod, beds)
        for driver in self.twin.drivers:
            for size in (driver.low, driver.high):
                yield from self._made("drivers", driver.id, driver.changes, size)
        for lever in self.twin.levers:
            for size in (lever.limit, *(size for size in lever.grid if size)):
                yield from self._made("levers", lever.id, lever.changes, size)

    def _fault(self, section: str, row: str, what: str, remedy: str) -> Fault:
        return Fault(f"{FILE}, {section} {row}", what, remedy)

    def _heads(self) -> Iterator[Fault]:
        if self.twin.plan != self.plan.id:
            yield Fault(FILE, f"It is of the plan {self.twin.plan}, not of {self.plan.id}.", "Correct plan:.")
        if self.twin.network != self.network.id:
            yield Fault(
                FILE, f"It is of the network {self.twin.network}, not of {self.network.id}.", "Correct network:."
            )
        for question in self.twin.questions:
            if question.year not in self.plan.years:
                remedy = f"Its years: {', '.join(self.plan.years)}."
                yield self._fault("questions", question.id, f"The plan has no year {question.year}.", remedy)

    def _known(self, section: str, row: str, name: str, known: Iterable[str], noun: str) -> Iterator[Fault]:
        listed = list(known)
        if name not in listed:
            yield self._fault(section, row, f"The network has no {noun} {name[:60]!r}.", _nearest(name, listed))

    def _pod(self, section: str, row: str, organisation: str, pod: str, known: set[tuple[str, str]]) -> Iterator[Fault]:
        if (organisation, pod) not in known:
            remedy = f"It has: {', '.join(sorted(f'{a} {b}' for a, b in known)) or 'none'}."
            yield self._fault(section, row, f"The plan has no {pod[:40]!r} at {organisation[:40]!r}.", remedy)

    def _made(self, section: str, row: str, changes: Sequence[Change], size: float) -> Iterator[Fault]:
        try:
            changed(self.network, sized(changes, size))
        except BettercareError as error:
            yield self._fault(section, row, f"{error.what} (at size {size:g})", error.remedy)

    def _promises(self, stations: Sequence[str]) -> Iterator[Fault]:
        metrics = [row.id for row in self.plan["metrics"]]
        clocks = {clock.id: clock for clock in self.network.clocks}
        outcomes = [outcome.id for outcome in self.network.outcomes]
        escalations = [row.id for row in self.network.escalations]
        known: dict[str, Iterable[str]] = {
            "station": stations, "clock": clocks, "outcome": outcomes, "escalation": escalations,
        }  # fmt: skip
        for promise in self.twin.promises:
            if promise.metric and promise.metric not in metrics:
                remedy = _nearest(promise.metric, metrics)
                yield self._fault("promises", promise.id, f"The plan has no metric {promise.metric!r}.", remedy)
            try:
                asked = measure(promise.measure)
            except BettercareError as error:
                yield self._fault("promises", promise.id, error.what, error.remedy)
                continue
            for name in promise.of:
                yield from self._known("promises", promise.id, name, known[asked.of], asked.of)
            hours = promise.measure.partition("-")[2]
            timed = promise.measure.startswith(("within-", "over-"))
            for clock in (clocks[name] for name in promise.of if timed and name in clocks):
                if float(hours) not in clock.targets:
                    shown = ", ".join(f"{target:g}" for target in clock.targets)
                    yield self._fault(
                        "promises", promise.id, f"{clock.id} has no target of {hours} hours.", f"Its targets: {shown}."
                    )
            if promise.measure.startswith(("q", "wait-q")):
                yield self._fault("promises", promise.id, "Quantiles cannot be promised.", "Use within- and over-.")
            if len(promise.of) > 1 and not (asked.of_several or (asked.adds and asked.of != "station")):
                remedy = "Name one, or ask for occupancy or a count."
                yield self._fault("promises", promise.id, f"{promise.measure} is of one {asked.of} at a time.", remedy)
            for station in self.network.stations:
                if promise.measure == "occupancy" and station.id in promise.of and station.servers == UNLIMITED:
                    yield self._fault(
                        "promises", promise.id, f"{station.id} has no limit and no occupancy.", "Leave it out."
                    )
