"""A network as a YAML file: finding one, reading it whole or not at all, and writing it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path
from typing import Any

from bettercare.errors import BettercareError, Fault
from bettercare.flow.cells import REST, NotThis, nearest, places_of, value
from bettercare.flow.check_network import NetworkError, Place, faults_of
from bettercare.flow.fields import EVIDENCE, INSIDE, MOST, MOST_ROWS, RECORDS, Field, attributes_of, dictionary
from bettercare.flow.network import ANY, Change, Evidence, Network
from bettercare.flow.network_yaml import yaml_of
from bettercare.flow.week import SETS_OF_DAYS
from bettercare.plan.faults import Gathered
from bettercare.plan.write import write_file
from bettercare.plan.yaml_file import Node, parse_yaml, read_yaml

FILE = "network.yaml"
_LINES = "lines"
"""Under it the cells of a row keep where each of them stands."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]*")
_ID = re.compile(rf"^id:\s*[\"']?({_NAME.pattern})", re.MULTILINE)


def shipped_networks() -> Mapping[str, Path]:
    """The networks that come with bettercare: the file of each, by its id."""
    root = Path(str(resources.files("bettercare"))) / "plans"
    found = {}
    for path in sorted(root.glob(f"*/flow/{FILE}")):
        # Only the id is wanted, and a large file takes its time to parse.
        named = _ID.search(path.read_text(encoding="utf-8", errors="replace"))
        if named:
            found[named.group(1)] = path
    return found


def find_network(name: str) -> Path:
    """The file of a network: a path to a ``.yaml`` file, a folder that holds network.yaml or flow/network.yaml, the id of a
    shipped network, or the name of a shipped plan that has one.

    Raises:
        BettercareError: there is none, with the names there are.
    """
    path = Path(name)
    shipped = shipped_networks()
    try:
        if path.is_dir():
            for inside in (path / FILE, path / "flow" / FILE):
                if inside.is_file():
                    return inside
        elif path.exists():
            if path.suffix.lower() not in {".yaml", ".yml"}:
                raise BettercareError(
                    "This is not a network.", name[:200], "Give a .yaml file, or the folder it is in."
                )
            return path
    except (OSError, ValueError):
        pass  # No path can be called so: it can still not be found below.
    if name in shipped:
        return shipped[name]
    for at in shipped.values():
        if at.parent.parent.name == name:
            return at
    remedy = f"Give a .yaml file, the folder of a {FILE}, or one of: {', '.join(shipped) or 'none is shipped'}."
    raise BettercareError(f"There is no network {name[:200]!r}.", remedy=remedy)


def read_network(path: Path) -> Network:
    """Read a network's file.

    Raises:
        NetworkError: listing every fault with file, line and remedy.
        BettercareError: it cannot be read at all, or is not YAML.
    """
    path = Path(path)
    network = parse_network(read_yaml(path, path.name), path.name)
    return network if network.plan else replace(network, plan=_plan_around(path))


def network_of(text: str, shown: str = FILE) -> Network:
    """The same from text; ``shown`` names it in faults."""
    return parse_network(parse_yaml(text, shown), shown)


def parse_network(root: Node, shown: str) -> Network:
    """The network of a file already parsed; raises as :func:`read_network`."""
    reading = _Reading(shown)
    network = reading.network(root)
    found = faults_of(network, reading.places, reading.unread)
    if reading.faults or found:
        raise NetworkError([*reading.faults, *found])
    return network


def write_network(network: Network, path: Path) -> Path:
    """Write a network so that reading it gives the same again: the whole file or nothing.

    Raises:
        NetworkError: the network has faults.
        BettercareError: the file cannot be written.
    """
    if found := faults_of(network):
        raise NetworkError(found)
    text = yaml_of(network)
    return write_file(Path(path), lambda at: _put(at, text))


def _put(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _plan_around(path: Path) -> str:
    """The id of the plan whose folder holds flow/network.yaml."""
    header = path.absolute().parent.parent / "plan.yaml"
    if path.absolute().parent.name != "flow" or not header.is_file():
        return ""
    named = _ID.search(header.read_text(encoding="utf-8", errors="replace"))
    return named.group(1) if named else ""


class _Reading:
    """A file on its way to a network: the faults so far, where each row stands, and sections not read in full."""

    def __init__(self, shown: str) -> None:
        self.shown = shown
        self.faults: list[Fault] = []
        self.places: dict[Place, str] = {}
        self.unread: dict[str, set[str]] = {}
        self._gathered = Gathered(self.faults)
        self._count = 0

    def network(self, root: Node) -> Network:
        known = dictionary()["network"]
        for name in root.value:
            if name not in known and name not in RECORDS:
                remedy = nearest(name, [*known, *RECORDS])
                self._fault("network", root.keys[name], f"{name[:60]!r} is not known here.", remedy)
                for section in RECORDS:
                    if f" {section}?" in remedy:
                        self.unread.setdefault(section, set()).add("")
        head = self._cells("network", root, beside=tuple(RECORDS)) or {}
        sections: dict[str, Any] = {name: tuple(self._section(name, root.get(name))) for name in RECORDS}
        for name, field in known.items():
            self.places["network", 0, name] = self._line(root.keys.get(name, root.line))
            if field.required == "yes":
                head.setdefault(name, {"starts": date(2000, 1, 3), "days": 1, "warm_up": 0}.get(name, "-"))
        self._gathered.close()
        return Network(**head, **sections)

    def _section(self, section: str, node: Node | None) -> Iterator[Any]:
        if node is None or node.value is None:
            return
        rows = self._list(section, node)
        read = []
        for row in rows:
            cells = self._cells(section, row)
            if cells is not None:
                cells[_LINES] = {**{(name,): at for name, at in row.keys.items()}, **cells.get(_LINES, {})}
                read.append((row, cells))
            else:
                named = row.get("id")
                ident = _NAME.fullmatch(named.text().strip()) if named else None
                self.unread.setdefault(section, set()).add(ident.group() if ident else "")
        whole = [(line, cells) for row, each in read for line, cells in self._expanded(section, row.line, each)]
        if section == "routes":
            whole = self._rests(whole)
        for index, (line, cells) in enumerate(whole):
            self.places[section, index] = self._line(line)
            for inner, at in cells.pop(_LINES).items():
                if at != line:
                    self.places[section, index, *inner] = self._line(at)
            yield _record(section, cells)

    def _list(self, section: str, node: Node) -> list[Node]:
        if not isinstance(node.value, list):
            self.unread.setdefault(section, set()).add("")
            self._fault(section, node.line, f"{section} must be a list.", "Start each row with a dash.")
            return []
        most = MOST.get(section, MOST_ROWS)
        if len(node.value) > most:
            self.unread.setdefault(section, set()).add("")
            self._fault(
                section, node.value[most].line, f"There are more than {most:,} {section}.", "Put alike ones together."
            )
            return []
        rows: list[Node] = node.value
        return rows

    def _cells(self, section: str, node: Node, beside: tuple[str, ...] = ()) -> dict[str, Any] | None:
        """The values of a row by the names of its fields, or None when any of them is at fault."""
        if not isinstance(node.value, dict):
            remedy = "Start it with `- ` and give one name a line."
            self._fault(section, node.line, f"A row of {section} must be a list of `name: value`.", remedy)
            return None
        known = dictionary()[section]
        before = self._count
        cells: dict[str, Any] = {}
        for name, item in node.items():
            if name in known and item.value is not None:
                self._read(cells, known[name], item, node.keys[name])
            elif name not in known and not beside:
                remedy = nearest(name, known)
                if item.value is None and " " in name:
                    remedy = "A comma between { and } ends a value: put a text that holds one in quotes."
                self._fault(section, node.keys[name], f"{name[:60]!r} is not known in {section}.", remedy)
        for name, field in known.items():
            if field.required == "yes" and (node.get(name) is None or node.value[name].value is None):
                own = f" {node.value['id'].text()[:60]!r}" if node.get("id") else ""
                self._fault(
                    section, node.line, f"A row of {section}{own} has no {name}.", f"Add {name}: {_example(field)}"
                )
        return None if self._count > before else cells

    def _read(self, cells: dict[str, Any], field: Field, node: Node, line: int) -> None:
        try:
            if field.type in INSIDE:
                self._inside(cells, field, node)
            elif field.type == "change":
                cells[field.name] = self._one_change(node)
            else:
                cells[field.name] = value(field, node)
        except BettercareError as error:
            at = error.line if isinstance(error, NotThis) and error.line else line
            self._fault(field.section, at, f"{field.name}: {error.what}", error.remedy)

    def _inside(self, cells: dict[str, Any], field: Field, node: Node) -> None:
        """A list of shifts, steps, places, diverts or changes inside a row."""
        rows = [
            (row.keys, line, each)
            for row in (places_of(field, node) if field.type == "places" else self._list(field.name, node))
            if (found := self._cells(field.type, row)) is not None
            for line, each in self._expanded(field.type, row.line, found)
        ]
        cells[field.name] = tuple(_record(field.type, each) for _, _, each in rows)
        lines = cells.setdefault(_LINES, {})
        for inner, (keys, line, _) in enumerate(rows):
            lines[field.name, inner] = line
            lines |= {(field.name, inner, name): at for name, at in keys.items()}

    def _one_change(self, node: Node) -> Change | None:
        found = self._cells("changes", node)
        if found is None:
            return None
        if not {"to", "add", "times"} & set(found):
            found["times"] = 1.0
        rows = [_record("changes", cells) for _, cells in self._expanded("changes", node.line, found)]
        if len(rows) != 1:
            raise NotThis("A knob turns one change.", "Name one class, or any, and make a knob for each.", node.line)
        change: Change = rows[0]
        return change

    def _expanded(self, section: str, line: int, cells: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        """One row for each class of a list, and for each target of shares."""
        ways = list(self._ways(line, cells)) if section == "routes" else [(line, cells)]
        several = dictionary()[section].get("class")
        if several is None or several.type != "classes":
            yield from ways
            return
        for name in cells.get("class", (ANY,)):
            for at, way in ways:
                yield at, {**way, "class": name}

    def _ways(self, line: int, cells: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
        one = {name: item for name, item in cells.items() if name not in {"shares", "becomes"}}
        becomes = cells.get("becomes")
        if ("shares" in cells) == ("to" in cells) or ("shares" in cells and "share" in cells):
            remedy = "Write to: home and share: 0.6, or shares: {home: 0.6, ward: rest}."
            self._unusable("routes", line, "A route needs either to (with share) or shares.", remedy)
            return
        if isinstance(becomes, dict):
            targets = cells.get("shares", {cells.get("to"): None})
            for name in becomes:
                if name not in targets:
                    self._unusable(
                        "routes", line, f"becomes names {name[:60]!r}, which has no share.", "Name a target."
                    )
                    return
        # Hours without days are of every day: a route without days holds in the whole week.
        if ("from" in one or "until" in one) and "days" not in one:
            one["days"] = SETS_OF_DAYS["all"]
        for to, (share, at) in cells.get("shares", {cells.get("to"): (cells.get("share", 1.0), line)}).items():
            then = becomes.get(to) if isinstance(becomes, dict) else becomes
            yield at, {**one, "to": to, "share": share, **({"becomes": then} if then else {})}

    def _rests(self, rows: list[tuple[int, dict[str, Any]]]) -> list[tuple[int, dict[str, Any]]]:
        """Put a number for each ``rest``: what the other shares of its station, class and hours leave."""
        groups: dict[tuple[Any, ...], list[tuple[int, dict[str, Any]]]] = {}
        for line, cells in rows:
            key = tuple(cells.get(name) for name in ("station", "class", "days", "from", "until"))
            groups.setdefault(key, []).append((line, cells))
        for group in groups.values():
            rests = [(line, cells) for line, cells in group if cells["share"] == REST]
            if len(rests) > 1:
                what = f"rest is written twice for {rests[1][1]['station']}."
                self._unusable("routes", rests[1][0], what, "Write it once for each station, class and hours.")
            shares = [cells["share"] for _, cells in group if cells["share"] != REST]
            given = sum(shares)
            for line, cells in rests:
                if given > 1 + 1e-9 and len(rests) == 1 and max(shares) <= 1:
                    what = f"The shares from {cells['station']} add to {given:g} without the rest."
                    self._unusable("routes", line, what, "Lower them: together they may be at most 1.")
                # Twelve places: 1 - 0.7 is then 0.3 and not 0.30000000000000004.
                cells["share"] = min(max(0.0, round(1.0 - given, 12)), 1.0)
        return rows

    def _unusable(self, section: str, line: int, what: str, remedy: str) -> None:
        self._fault(section, line, what, remedy)

    def _fault(self, section: str, line: int, what: str, remedy: str) -> None:
        self.unread.setdefault(section, set())
        self._count += 1
        self._gathered.append(Fault(self._line(line), what, remedy))

    def _line(self, line: int) -> str:
        return f"{self.shown}, line {line}"


def _example(field: Field) -> str:
    examples = {
        "id": "short-name.",
        "text": "a few words.",
        "date": "2016-04-01.",
        "time": "{lognormal: {mean: 5, sd: 6}, unit: days}.",
        "refs": "[one, another].",
        "choice": f"one of {', '.join(field.choices)}.",
    }
    return examples.get(field.type, "...")


def _record(section: str, cells: Mapping[str, Any]) -> Any:
    kind = RECORDS.get(section) or INSIDE[section]
    known = dictionary()[section]
    evident = dictionary()[EVIDENCE] if "evidence" in attributes_of(kind) else {}
    proof = {name: item for name, item in cells.items() if name in evident}
    own = {known[name].attribute: item for name, item in cells.items() if name not in proof}
    if section == "shifts":
        own = {**_WHOLE_WEEK, **own}
    return kind(**own, **({"evidence": Evidence(**proof)} if proof else {}))


_WHOLE_WEEK: Mapping[str, Any] = {"days": (0, 1, 2, 3, 4, 5, 6), "start": 0, "end": 24}
