"""The text of a network's file: reading it gives the same network again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from datetime import date
from decimal import Decimal
from itertools import groupby
from typing import Any

import yaml

from bettercare.flow.fields import EVIDENCE, RECORDS, Field, dictionary, parameters
from bettercare.flow.network import UNLIMITED, Distribution, Evidence, Network, Route
from bettercare.flow.week import DAYS, SETS_OF_DAYS

_WIDTH = 118
_PLACES = 38
"""Decimals of the longest number that is read."""


class _Bare(str):
    """Text written without quotes: a number, yes, a date."""


class _OneLine(dict[str, Any]):
    """A mapping written on one line."""


class _Dumper(yaml.SafeDumper):
    pass


def _bare(dumper: yaml.SafeDumper, data: _Bare) -> yaml.Node:
    # The tag YAML would give it, so that neither the tag nor quotes are written.
    resolve: Any = dumper.resolve
    return yaml.ScalarNode(resolve(yaml.ScalarNode, str(data), (True, False)), str(data))


def _one_line(dumper: yaml.SafeDumper, data: _OneLine) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


def _list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    flat = all(isinstance(item, str | list) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Dumper.add_representer(_Bare, _bare)
_Dumper.add_representer(_OneLine, _one_line)
_Dumper.add_representer(list, _list)


def yaml_of(network: Network) -> str:
    """The file of a network without faults. Routes of one station and class that rest on the same evidence share a row."""
    whole: dict[str, Any] = _cells("network", network)
    for section in RECORDS:
        rows = getattr(network, section)
        if rows:
            whole[section] = _routes(rows) if section == "routes" else [_row(section, row) for row in rows]
    return yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=_WIDTH)


def _row(section: str, record: Any) -> dict[str, Any]:
    cells = _cells(section, record)
    short = not any(isinstance(item, dict | list) for item in cells.values()) and len(str(cells)) < _WIDTH
    return _OneLine(cells) if short else cells


def _cells(section: str, record: Any) -> dict[str, Any]:
    """What is not as by default, in the dictionary's order."""
    default = {each.name: each.default for each in fields(record)}
    cells: dict[str, Any] = {}
    evidence = getattr(record, "evidence", None)
    evident = dictionary()[EVIDENCE] if evidence is not None else {}
    for name, field in dictionary()[section].items():
        if name in evident or not hasattr(record, field.attribute):
            continue
        value = getattr(record, field.attribute)
        if value is not None and (default[field.attribute] is MISSING or value != default[field.attribute]):
            cells[name] = _written(field, value)
    if evidence is not None and evidence != Evidence():
        cells |= {name: _written(field, text) for name, field in evident.items() if (text := getattr(evidence, name))}
    return cells


def _written(field: Field, value: Any) -> Any:
    match field.type:
        case "time":
            return time_yaml(value)
        case "days":
            word = next((word for word, days in SETS_OF_DAYS.items() if days == value), None)
            return word or [DAYS[day] for day in value]
        case "hour":
            return f"{value:02}:00"
        case "places":
            return _OneLine({of.station: _scalar(of.servers) for of in value})
        case "shifts" | "steps" | "diverts" | "changes":
            return _Block(_OneLine(_cells(field.type, each)) for each in value)
        case "change":
            return _OneLine(_cells("changes", value))
        case "flag":
            return _Bare("yes" if value else "no")
        case _:
            return _scalar(value, unlimited=field.type.startswith("limit"))


class _Block(list[Any]):
    """A list written with one item a line."""


def _block(dumper: yaml.SafeDumper, data: _Block) -> yaml.Node:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=False)


_Dumper.add_representer(_Block, _block)


def _scalar(value: Any, unlimited: bool = False) -> Any:
    if isinstance(value, list | tuple):
        return [_scalar(item) for item in value]
    if unlimited and value == UNLIMITED:
        return "unlimited"
    if isinstance(value, int | float):
        return _Bare(digits(value))
    if isinstance(value, date):
        return _Bare(value.isoformat())
    return str(value)


def digits(value: float) -> str:
    """A number in plain digits: no exponent, no decimals when it is whole, and none beyond the 34th."""
    text = format(Decimal(repr(value)), "f")
    if len(text) > _PLACES:
        text = format(value, f".{_PLACES - 4}f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def time_yaml(time: Distribution, weight: float | None = None, unit: str = "") -> dict[str, Any]:
    """A length of time as a file has it; a part of a mixture leaves out the unit it shares with the whole."""
    known = dictionary()
    written = _OneLine() if weight is None else _OneLine({"weight": _scalar(weight)})
    if time.kind == "mixture":
        written["mixture"] = _Block(
            time_yaml(part, share, time.unit) for part, share in zip(time.parts, time.weights, strict=True)
        )
    else:
        inside = {name: _scalar(getattr(time, name)) for name in parameters(time.kind) if getattr(time, name) != ()}
        written[time.kind] = inside["mean"] if list(inside) == ["mean"] else _OneLine(inside)
    if time.unit != unit:
        written["unit"] = time.unit
    for name in ("at_most", "times"):
        value = getattr(time, name)
        if value is not None and (name, value) != ("times", 1.0):
            written[name] = _written(known["times"][name], value)
    return written


def _routes(routes: Iterable[Route]) -> list[dict[str, Any]]:
    """Routes one after another of one station, class, hours and evidence as one row with shares."""
    rows: list[dict[str, Any]] = []
    for _, group in groupby(routes, key=lambda r: (r.station, r.patient, r.days, r.start, r.end, r.evidence)):
        members = list(group)
        if len(members) == 1 or len({route.to for route in members}) < len(members):
            rows += [_row("routes", route) for route in members]
            continue
        cells = {name: item for name, item in _cells("routes", members[0]).items() if name not in {"share", "becomes"}}
        shares = _OneLine({route.to: _scalar(route.share) for route in members})
        becomes = _OneLine({route.to: route.becomes for route in members if route.becomes})
        row: dict[str, Any] = {}
        for name, item in cells.items():
            row |= {"shares": shares, **({"becomes": becomes} if becomes else {})} if name == "to" else {name: item}
        rows.append(row)
    return rows
