"""Every fault of a network: what no simulation could make sense of, each with its place and a remedy."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.flow import distributions
from bettercare.flow.cells import nearest
from bettercare.flow.check_times import faults_of_time, number_faults, shown
from bettercare.flow.compiled import TURNED_AWAY
from bettercare.flow.fields import (
    INSIDE,
    MOST,
    MOST_ROWS,
    MOST_TO_CHOOSE,
    RECORDS,
    Field,
    attributes_of,
    dictionary,
    may_be_none,
)
from bettercare.flow.measures import BY_CLASS, TOGETHER, Measure, hours_text, measure
from bettercare.flow.network import (
    ANY,
    FIRST_YEAR,
    LAST_YEAR,
    UNLIMITED,
    Change,
    Distribution,
    Escalation,
    Network,
    Station,
    Target,
)
from bettercare.flow.scenarios import changed
from bettercare.flow.traffic import loads, warnings_of
from bettercare.flow.ways import structure_faults
from bettercare.flow.week import WHOLE_WEEK, Window, hours_of, words_of
from bettercare.plan.cells import value_of
from bettercare.plan.dictionary import Column

Place = tuple[str | int, ...]
"""Section and position of a row; then a field of it, the position of a row inside that, and a field of this one."""
MOST_FAULTS = 500
"""Faults listed of one kind: a network with more is wrong in one way all through."""
_NAMED = {"stations", "choices", "outcomes"}
"""Sections whose ids are places to go to: no two of them may be alike."""
_PERIOD = re.compile(r"all|[0-9]{4}-(0[1-9]|1[0-2])")
_TEXT_TYPES = {"id", "text", "choice"}
_NUMBER_TYPES = {"number", "integer", "limit", "limit number", "share", "hour"}

_KINDS: Mapping[str, Any] = {
    **dict.fromkeys(_NUMBER_TYPES, int | float),
    **dict.fromkeys([*_TEXT_TYPES, "ref", "becomes", "classes"], str),
    **dict.fromkeys(["numbers", "refs", "days", *INSIDE], tuple),
    "flag": bool,
    "date": date,
    "time": Distribution,
    "change": Change,
}
_SAY = {
    **dict.fromkeys([*_TEXT_TYPES, "ref", "becomes", "classes"], "Write a few words."),
    **dict.fromkeys(["numbers", "refs", "days", *INSIDE], "Give a list."),
    "flag": "Write yes or no.",
    "date": "Write a day, such as 2016-04-01.",
    "time": "Give a distribution.",
    "change": "Give a change.",
}

__all__ = ["NetworkError", "faults_of", "loads", "warnings_of"]


class NetworkError(PlanError):
    """A network has faults; all of them are listed, not the first alone."""

    said = "The network cannot be used"


def faults_of(
    network: Network, places: Mapping[Place, str] | None = None, unread: Mapping[str, Collection[str]] | None = None
) -> list[Fault]:
    """Every fault of a network.

    ``places`` says where each row stands in its file; without it rows are named by section and id. ``unread`` are sections
    that could not be read in full, with the ids of the rows at fault (blank for a row whose id is not known): nothing is
    said to be missing from them.
    """
    for section, kind in RECORDS.items():
        rows = getattr(network, section)
        if isinstance(rows, tuple) and len(rows) > MOST.get(section, MOST_ROWS):
            return [
                Fault(
                    section,
                    f"There are more than {MOST.get(section, MOST_ROWS):,} {section}.",
                    "Put alike ones together.",
                )
            ]
        if not isinstance(rows, tuple) or not all(isinstance(row, kind) for row in rows):
            return [Fault(section, f"{section} is {shown(rows)}.", f"Give a tuple of {kind.__name__}.")]
    check = _Check(network, places or {}, unread or {})
    faults: list[Fault] = []
    _add(faults, check.values())
    # Values of a wrong kind (never from a file) could not be compared with each other.
    if check.typed:
        for found in (check.names(), check.references(), check.rules(), check.shares(), check.escalations()):
            _add(faults, found)
    if not faults and not unread:
        _add(faults, check.changes())
    if not faults and not unread:
        _add(faults, (check.fault(place, what, remedy) for place, what, remedy in structure_faults(network)))
    return faults


def _add(faults: list[Fault], found: Iterable[Fault]) -> None:
    for number, fault in enumerate(found):
        if number == MOST_FAULTS:
            remedy = "Correct those listed, then read it again."
            faults.append(Fault(fault.where, "There are more faults like these.", remedy))
            return
        faults.append(fault)


class _Check:
    def __init__(self, network: Network, places: Mapping[Place, str], unread: Mapping[str, Collection[str]]) -> None:
        self.network = network
        self.at = places
        self.unread = unread
        self.typed = True
        self.ids = {
            section: {row.id: index for index, row in enumerate(getattr(network, section)) if isinstance(row.id, str)}
            for section, kind in RECORDS.items()
            if "id" in attributes_of(kind)
        }
        # Those who find no room leave by it though no file names it.
        self.ids["outcomes"].setdefault(TURNED_AWAY, -1)

    def fault(self, place: Place, what: str, remedy: str) -> Fault:
        # The nearest that has a line: the value, the row it is in, the row around that.
        known = (self.at.get(place[:length]) for length in range(len(place), 1, -1))
        return Fault(next(filter(None, known), None) or self._named(place), what, remedy)

    def _named(self, place: Place) -> str:
        section, index = str(place[0]), int(place[1])
        if section == "network":
            return f"network, {place[2]}"
        row = getattr(self.network, section)[index]
        named = [getattr(row, name, None) for name in ("id", "station", "patient")]
        words = ", ".join(name for name in named if isinstance(name, str) and name)
        name = f"{section}, {words}" if "id" in attributes_of(type(row)) else f"{section}, row {index + 1} ({words})"
        return f"{name}, change {int(place[3]) + 1}" if "changes" in place[2:3] and len(place) > 3 else name

    def values(self, but: Network | None = None) -> Iterator[Fault]:
        """Each value is of its kind and within its limits; rows that ``but`` has too are passed over."""
        if "network" not in self.unread:
            for place, field, value in _fields("network", self.network, ("network", 0)):
                yield from self._value(place, field, value)
        for section in RECORDS:
            known = {id(row) for row in getattr(but, section)} if but else set()
            for index, row in enumerate(getattr(self.network, section)):
                if id(row) not in known:
                    for place, field, value in _fields(section, row, (section, index)):
                        yield from self._value(place, field, value)

    def _value(self, place: Place, field: Field, value: Any) -> Iterator[Fault]:
        if value is None:
            if (field.section, field.attribute) not in may_be_none():
                self.typed = False
                yield self.fault(place, f"{field.name} is missing.", f"Give {field.name}.")
            return
        if not _is(field, value):
            self.typed = False
            yield self.fault(place, f"{field.name} is {shown(value)}.", _SAY.get(field.type, "Write a number."))
            return
        for what, remedy in _wrong(field, value):
            yield self.fault(place, what, remedy)

    def names(self) -> Iterator[Fault]:
        """Ids are short names, each used once."""
        seen: dict[tuple[str, str], str] = {}
        for section in self.ids:
            for index, row in enumerate(getattr(self.network, section)):
                key = ("places" if section in _NAMED else section, row.id)
                if key in seen:
                    also = f"{row.id!r} is there already, in {seen[key]}."
                    yield self.fault((section, index), also, "Give one of them another id.")
                seen[key] = section
                if row.id in {ANY, "all"}:
                    yield self.fault((section, index), f"{row.id!r} is not a name of its own.", "Give it another id.")

    def references(self) -> Iterator[Fault]:
        """What is named exists."""
        for section in RECORDS:
            for index, row in enumerate(getattr(self.network, section)):
                for place, field, value in _fields(section, row, (section, index)):
                    if field.points_into and value is not None:
                        for name in value if isinstance(value, tuple) else (value,):
                            yield from self._known(place, field, name)

    def _known(self, place: Place, field: Field, name: Any) -> Iterator[Fault]:
        into = field.points_into
        if name in field.words or not isinstance(name, str):
            return
        if not self._there(name, into):
            listed = dict.fromkeys(known for section in into for known, at in self.ids[section].items() if at >= 0)
            what = f"{field.name} names {name[:60]!r}, which is not in {' or '.join(into)}."
            yield self.fault(place, what, nearest(name, listed))

    def _there(self, name: str, sections: Iterable[str]) -> bool:
        """Whether a section has a row of that id, or may have one that could not be read."""
        unread = [self.unread.get(section, ()) for section in sections]
        return any(name in self.ids[section] for section in sections) or any(name in ids or "" in ids for ids in unread)

    def rules(self) -> Iterator[Fault]:
        """What must hold within a row, and between rows of one section."""
        network = self.network
        for index, profile in enumerate(network.profiles):
            for name in ("hours", "weekdays", "months"):
                if not sum(getattr(profile, name)) > 0:
                    yield self.fault(("profiles", index), f"All {name} are 0.", "Give at least one a number above 0.")
        for index, stream in enumerate(network.arrivals):
            place = ("arrivals", index)
            if (stream.per_day is None) == (stream.every is None):
                yield self.fault(place, f"{stream.id} needs either per_day or every.", "Write per_day: 12.")
            elif stream.every is not None and (stream.profile or stream.varies):
                what = f"{stream.id} has every with a profile or varies."
                yield self.fault(place, what, "Write per_day to use them, or leave them out.")
            elif stream.every is not None and not _short_enough(stream.every):
                yield self.fault(place, f"{stream.id} has more than 1,000,000 patients a day.", "Check its unit.")
        for index, station in enumerate(network.stations):
            for what, remedy in _station_rules(station):
                yield self.fault(("stations", index), what, remedy)
        for index, choice in enumerate(network.choices):
            if len(choice.of) > MOST_TO_CHOOSE:
                what = f"{choice.id} is a choice of {len(choice.of)} stations."
                yield self.fault(("choices", index), what, f"Name at most {MOST_TO_CHOOSE}.")
        for section in ("services", "patience"):
            seen: set[tuple[str, str]] = set()
            for index, row in enumerate(getattr(network, section)):
                if (row.station, row.patient) in seen:
                    what = f"There is another row for {row.station} and {row.patient}."
                    yield self.fault((section, index), what, "Keep one.")
                seen.add((row.station, row.patient))
        for index, target in enumerate(network.targets):
            if not _PERIOD.fullmatch(target.period):
                what = f"{target.period[:40]!r} is not a period."
                yield self.fault(("targets", index), what, "Write all, or a month such as 2016-04.")
            if target.later and not target.held_out:
                what = f"{target.id} is later than the plan and not held out."
                yield self.fault(("targets", index), what, "Add held_out: yes.")
            for what, remedy in self._measured(target):
                yield self.fault(("targets", index), what, remedy)
        for index, knob in enumerate(network.knobs):
            if not knob.low < knob.high:
                what = f"low {knob.low:,.10g} is not below high {knob.high:,.10g}."
                yield self.fault(("knobs", index), what, "Swap them.")
            if knob.change.add is not None:
                yield self.fault(("knobs", index), "A knob cannot turn add.", "Write times, or to.")

    def _measured(self, target: Target) -> Iterator[tuple[str, str]]:
        """A run can give the measure a target names."""
        try:
            asked = measure(target.measure)
        except BettercareError as error:
            yield error.what, error.remedy
            return
        section = f"{asked.of}s"
        several = target.of.split(TOGETHER) if asked.of_several else [target.of]
        for of in several:
            if not self._there(of, [section]):
                yield f"of names {of[:60]!r}, which is not in {section}.", nearest(of, self.ids[section])
                return
        if len(set(several)) < len(several):
            yield f"of names a station twice: {target.of[:60]}.", "Name each once."
        if target.patient != "all" and not _kept_by_class(asked, target.period):
            yield f"{asked.id} of a {asked.of} is not kept by class and month so.", "Leave class out, or period."
        kind, _, hours = asked.id.partition("-")
        index = self.ids[section].get(target.of)
        if kind in {"within", "over"} and index is not None:
            known = {hours_text(each) for each in self.network.clocks[index].targets}
            if hours not in known:
                yield f"The clock {target.of} has no target of {hours} hours.", f"Add {hours} to its targets."

    def shares(self) -> Iterator[Fault]:
        """The shares of each station, class and part of the week add to 1, and parts of the week do not overlap."""
        if "routes" in self.unread:
            return
        groups: dict[tuple[str, str], dict[Window, list[int]]] = {}
        for index, route in enumerate(self.network.routes):
            if not route.days and (route.start, route.end) != (0, 24):
                yield self.fault(("routes", index), "A route has hours and no days.", "Add days: all.")
            window = (route.days, route.start, route.end) if route.days else WHOLE_WEEK
            groups.setdefault((route.station, route.patient), {}).setdefault(window, []).append(index)
        for (station, patient), windows in groups.items():
            covered: set[int] = set()
            for window, rows in windows.items():
                shares = [self.network.routes[index].share for index in rows]
                total = math.fsum(shares)
                if abs(total - 1) > 1e-6 and all(0 <= share <= 1 for share in shares):
                    what = f"The shares from {station} of {patient}{words_of(window)} add to {total:.9g}."
                    yield self.fault(("routes", rows[0]), what, "Make them add to 1; rest takes what is left.")
                hours = set(hours_of(window)) if window[0] else set()
                if hours & covered:
                    what = f"Two parts of the week of the routes from {station} of {patient} overlap."
                    yield self.fault(("routes", rows[0]), what, "Let each hour be in one.")
                covered |= hours
            if WHOLE_WEEK not in windows and len(covered) < 168:
                what = f"The routes from {station} of {patient} say nothing for part of the week."
                remedy = "Add routes without days, for all other hours."
                yield self.fault(("routes", min(min(rows) for rows in windows.values())), what, remedy)

    def escalations(self) -> Iterator[Fault]:
        """What an escalation must be as it is written; a scenario may leave one that does nothing."""
        servers = {station.id: station.servers for station in self.network.stations}
        goes = {stream.id: stream.to for stream in self.network.arrivals}
        for index, row in enumerate(self.network.escalations):
            for what, remedy in _escalation_rules(row, servers, goes):
                yield self.fault(("escalations", index), what, remedy)

    def changes(self) -> Iterator[Fault]:
        """What scenarios and knobs change can be changed so."""
        for index, scenario in enumerate(self.network.scenarios):
            network = self.network
            before = True
            for number, change in enumerate(scenario.changes):
                try:
                    network = changed(network, [change])
                except BettercareError as error:
                    before = False
                    yield self.fault(("scenarios", index, "changes", number), error.what, error.remedy)
            if before:
                yield from self._left(network, ("scenarios", index), f"With the scenario {scenario.id}, ")
        for index, knob in enumerate(self.network.knobs):
            try:
                changed(self.network, [knob.change])
            except BettercareError as error:
                yield self.fault(("knobs", index), error.what, error.remedy)

    def _left(self, network: Network, place: Place, text: str) -> Iterator[Fault]:
        """Faults of the network a scenario leaves."""
        check = _Check(network, {}, {})
        for fault in [*check.values(but=self.network), *check.rules(), *check.shares()][:3]:
            yield self.fault(place, f"{text}{fault.where}: {fault.what}", fault.remedy)


def _short_enough(every: Distribution) -> bool:
    return distributions.mean(every) * 1_000_000 >= 24


def _station_rules(station: Station) -> Iterator[tuple[str, str]]:
    if station.servers == UNLIMITED and (station.shifts or station.steps):
        yield f"{station.id} has unlimited servers and shifts or steps.", "Take the shifts and steps out."
    for shift in station.shifts:
        if not shift.days:
            yield f"A shift of {station.id} has no days.", "Write days: all, weekdays or a list."


def _kept_by_class(asked: Measure, period: str) -> bool:
    if asked.of == "station":
        return asked.id in BY_CLASS and period == "all"
    return asked.of != "escalation"


def _escalation_rules(
    row: Escalation, servers: Mapping[str, int], goes: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    if not row.closes < row.opens:
        what = f"{row.id} begins at {row.opens} patients more than places and ends at {row.closes}."
        yield what, "Let closes be below opens."
    if not row.places and not row.diverts:
        yield f"{row.id} neither opens places nor diverts anybody.", "Add places: {ward: 10}, or diverts."
    if servers.get(row.watches) == UNLIMITED:
        what = f"{row.id} watches {row.watches}, which has unlimited servers: there are never more patients."
        yield what, "Watch a station that can be full."
    stations = [of.station for of in row.places]
    for station in dict.fromkeys(stations):
        if servers.get(station) == UNLIMITED:
            yield f"{row.id} opens places at {station}, which has unlimited servers.", "Take it out of places."
        if stations.count(station) > 1:
            yield f"{row.id} opens places at {station} twice.", "Put them together."
    for divert in row.diverts:
        if divert.share == 0:
            yield f"{row.id} diverts no share of {divert.stream}.", "Write a share above 0, or take it out."
        if goes.get(divert.stream) == divert.to:
            yield f"{row.id} diverts {divert.stream} to {divert.to}, where it goes anyway.", "Name another place."
    for stream in dict.fromkeys(divert.stream for divert in row.diverts):
        shares = [divert.share for divert in row.diverts if divert.stream == stream]
        total = math.fsum(shares)
        if total > 1 + 1e-9 and max(shares) <= 1:
            what = f"The shares of {stream} that {row.id} diverts add to {total:.9g}."
            yield what, "Lower them: together they may be at most 1."


def _fields(section: str, row: Any, place: Place) -> Iterator[tuple[Place, Field, Any]]:
    """Every field of a row that is kept, with its place, those of rows inside it too."""
    for field in dictionary()[section].values():
        owner = row if hasattr(row, field.attribute) else getattr(row, "evidence", None)
        value = getattr(owner, field.attribute, None)
        at = (*place, field.name)
        if field.type in INSIDE:
            yield at, field, value
            for index, inside in enumerate(value if isinstance(value, tuple) else ()):
                if isinstance(inside, INSIDE[field.type]):
                    yield from _fields(field.type, inside, (*at, index))
        elif field.type == "change" and isinstance(value, Change):
            yield from _fields("changes", value, at)
        elif owner is not None and hasattr(owner, field.attribute):
            yield at, field, value


def _is(field: Field, value: Any) -> bool:
    """Whether a value is of the kind its field holds; a file can give no other."""
    if isinstance(value, bool):
        return field.type == "flag"
    inside = INSIDE.get(field.type) or (str if field.type == "refs" else object)
    return isinstance(value, _KINDS.get(field.type, object)) and (
        not isinstance(value, tuple) or all(isinstance(item, inside) for item in value)
    )


def _wrong(field: Field, value: Any) -> Iterator[tuple[str, str]]:
    """What is wrong with one value, whoever made it."""
    if field.type in _NUMBER_TYPES:
        if not (field.type.startswith("limit") and value == UNLIMITED):
            yield from number_faults(field, value)
    elif field.type == "numbers":
        count = int(field.choices[0]) if field.choices else len(value)
        if len(value) != count:
            yield f"{field.name} has {len(value)} numbers.", f"Give {count}."
        yield from number_faults(field, value)
    elif field.type == "time":
        yield from ((f"{field.name}: {what}", remedy) for what, remedy in faults_of_time(value))
    elif field.type == "date":
        if not FIRST_YEAR <= value.year <= LAST_YEAR:
            yield f"{field.name} is {value}.", f"Write a day from {FIRST_YEAR} to {LAST_YEAR}, such as 2016-04-01."
    elif field.type == "days":
        if not all(isinstance(day, int) and 0 <= day <= 6 for day in value) or len(set(value)) < len(value):
            yield f"{field.name} is {shown(value)}.", "Write each day once, Monday as 0."
    elif field.type in _TEXT_TYPES:
        if value or field.required == "yes" or field.type == "choice":
            yield from _wrong_text(field, value)
    elif field.type in {"refs", "classes"} and not value and field.required == "yes":
        yield f"{field.name} is empty.", "Name at least one."


def _wrong_text(field: Field, text: str) -> Iterator[tuple[str, str]]:
    if not text.strip():
        yield f"{field.name} is blank.", "Write a few words."
        return
    try:
        value_of(Column(field.name, field.type, field.required, "", field.choices, field.meaning), text)
    except BettercareError as error:
        yield f"{field.name}: {error.what}", error.remedy
