"""A scheme as a YAML file, and the same scheme as rows of the tables ``schemes`` and ``effects``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import yaml

from bettercare.errors import Fault
from bettercare.plan.cells import parts
from bettercare.plan.dictionary import Column, dictionary
from bettercare.plan.yaml_file import Node

RawRow = tuple[str, dict[str, str]]
"""Where it stands, and the text of its cells by column."""

_LISTS = {
    column.name
    for name in ("schemes", "effects")
    for column in dictionary()[name].columns
    if column.type in {"refs", "choices"}
}
_EFFECT_PLACE = {
    ("target", "organisation"): "organisation",
    ("target", "pod"): "pod",
    ("target", "programme"): "programme",
    ("becomes", "organisation"): "becomes_organisation",
    ("becomes", "pod"): "becomes_pod",
    ("becomes", "per_unit"): "per_unit",
    ("becomes", "per_bed"): "per_bed",
    ("size", "low"): "low",
    ("size", "likely"): "likely",
    ("size", "high"): "high",
    ("size", "p10"): "p10",
    ("size", "p90"): "p90",
}
PLACE_OF = {column: place for place, column in _EFFECT_PLACE.items()}
"""Where a column of ``effects`` stands in a scheme's file, when not at the top of the effect."""
_EFFECT_KEYS = tuple(
    dict.fromkeys(
        PLACE_OF[name][0] if name in PLACE_OF else name for name in dictionary()["effects"].names if name != "scheme"
    )
)


def rows_of(node: Node, shown: str, fault: Callable[[Fault], None]) -> tuple[RawRow, list[RawRow]]:
    """Flatten a scheme file to one row of ``schemes`` and its rows of ``effects``; what does not fit is a fault."""
    scheme: dict[str, str] = {}
    effects: list[RawRow] = []
    for key, child in node.items():
        where = f"{shown}, line {node.keys[key]}"
        if key == "effects":
            if child.value is not None and not isinstance(child.value, list):
                fault(Fault(where, "effects must be a list.", "Start each effect with a dash."))
                continue
            effects.extend(row for item in child.value or [] if (row := _effect_row(item, shown, fault)))
        elif key not in dictionary()["schemes"].names:
            fault(
                Fault(
                    where,
                    f"{key[:60]!r} is not known here.",
                    f"Known: {', '.join(dictionary()['schemes'].names)}, effects.",
                )
            )
        else:
            _set(scheme, key, child, where, fault)
    name = scheme.get("id", "")
    for _, cells in effects:
        cells["scheme"] = name
    return (f"{shown}, line {node.line}", scheme), effects


def _effect_row(node: Node, shown: str, fault: Callable[[Fault], None]) -> RawRow | None:
    cells: dict[str, str] = {}
    where = f"{shown}, line {node.line}"
    if not isinstance(node.value, dict):
        fault(
            Fault(
                where,
                "An effect must be a list of `name: value` lines.",
                "Start it with `- id: ...` and give one name a line.",
            )
        )
        return None
    for key, child in node.items():
        at = f"{shown}, line {node.keys[key]}"
        if key == "ramp" and isinstance(child.value, dict):
            cells["ramp"] = _ramp_text((year, share.text()) for year, share in child.items())
        elif key in {"target", "becomes"} or (key == "size" and isinstance(child.value, dict)):
            if not isinstance(child.value, dict):
                inside = ", ".join(name for place, name in _EFFECT_PLACE if place == key)
                fault(Fault(at, f"{key} must be a list of `name: value` lines.", f"Put under it: {inside}."))
                continue
            for inner, value in child.items():
                column = _EFFECT_PLACE.get((key, inner))
                if column is None:
                    known = ", ".join(name for place, name in _EFFECT_PLACE if place == key)
                    fault(Fault(at, f"{inner[:60]!r} is not known under {key}.", f"Use: {known}."))
                else:
                    _set(cells, column, value, at, fault)
        elif key == "scheme":
            fault(Fault(at, "An effect in a scheme's file does not name the scheme.", "Take the line out."))
        elif key in PLACE_OF:
            outer, inner = PLACE_OF[key]
            fault(Fault(at, f"{key!r} stands in the wrong place.", f"Write it as {outer}: {{{inner}: ...}}."))
        elif key not in dictionary()["effects"].names:
            fault(Fault(at, f"{key[:60]!r} is not known here.", f"Known: {', '.join(_EFFECT_KEYS)}."))
        else:
            _set(cells, key, child, at, fault)
    return where, cells


def _ramp_text(steps: Iterable[tuple[str, str]]) -> str:
    return "; ".join(f"{year}: {share}" for year, share in steps)


def _set(cells: dict[str, str], key: str, child: Node, where: str, fault: Callable[[Fault], None]) -> None:
    if isinstance(child.value, dict) or (isinstance(child.value, list) and key not in _LISTS):
        fault(Fault(where, f"{key[:60]} must be a single value.", f"Write it as {key[:60]}: ... on one line."))
    elif isinstance(child.value, list):
        items = [item.text() for item in child.value]
        if not all(items):
            fault(Fault(where, f"{key} must be a list of words.", f"Write it as {key}: [one, another]."))
        elif any(";" in item for item in items):
            fault(Fault(where, f"An item of {key} holds a semicolon.", "Write one item for each."))
        else:
            cells[key] = "; ".join(items)
    elif child.value is not None:
        cells[key] = child.text()


class _Text(str):
    """Text to be written as it stands: a number keeps its printed digits."""


class _Dumper(yaml.SafeDumper):
    pass


def _represent(dumper: yaml.SafeDumper, data: _Text) -> yaml.Node:
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(data), style=None if "\n" not in data else "|")


class _Bare(_Text):
    """Text written without quotes (a number, yes, no): reading keeps it as text whatever YAML would make of it."""


def _represent_bare(dumper: yaml.SafeDumper, data: _Bare) -> yaml.Node:
    # The tag YAML would give it, so that neither the tag nor quotes are written.
    resolve: Any = dumper.resolve
    tag = resolve(yaml.ScalarNode, str(data), (True, False))
    return yaml.ScalarNode(tag, str(data), style=None)


class _OneLine(dict[str, Any]):
    """A short mapping written on one line: ``{organisation: uhl, pod: non-elective}``."""


def _represent_one_line(dumper: yaml.SafeDumper, data: _OneLine) -> yaml.Node:
    return dumper.represent_mapping("tag:yaml.org,2002:map", data, flow_style=True)


def _represent_list(dumper: yaml.SafeDumper, data: list[Any]) -> yaml.Node:
    words = all(isinstance(item, _Text) for item in data)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=words)


_Dumper.add_representer(_Text, _represent)
_Dumper.add_representer(_Bare, _represent_bare)
_Dumper.add_representer(_OneLine, _represent_one_line)
_Dumper.add_representer(list, _represent_list)


def yaml_of(scheme: Mapping[str, str], effects: Sequence[Mapping[str, str]]) -> str:
    """The YAML file of a scheme from its rows (text of cells by column; blank cells left out)."""
    whole: dict[str, Any] = {
        column.name: _yaml_value(column, scheme[column.name])
        for column in dictionary()["schemes"].columns
        if scheme.get(column.name)
    }
    if effects:
        whole["effects"] = [_effect_yaml(cells) for cells in effects]
    return yaml.dump(whole, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


def _effect_yaml(cells: Mapping[str, str]) -> dict[str, Any]:
    result: dict[str, Any] = {}
    for column in dictionary()["effects"].columns:
        text = cells.get(column.name, "")
        if not text or column.name == "scheme":
            continue
        if column.name == "ramp":
            steps = {year.strip(): share.strip() for year, _, share in (step.partition(":") for step in parts(text))}
            # Written as a mapping only if reading it gives the same text back.
            same = _ramp_text(steps.items()) == text
            result["ramp"] = _OneLine({year: _Bare(share) for year, share in steps.items()}) if same else _Text(text)
        elif column.name in PLACE_OF:
            outer, inner = PLACE_OF[column.name]
            result.setdefault(outer, _OneLine())[inner] = _yaml_value(column, text)
        else:
            result[column.name] = _yaml_value(column, text)
    return result


def _yaml_value(column: Column, text: str) -> Any:
    if column.name in _LISTS:
        items = parts(text)
        # A list is written as one only if reading it gives the same text back.
        return [_Text(item) for item in items] if len(items) > 1 and "; ".join(items) == text else _Text(text)
    bare = column.type == "flag" or (column.is_number and "," not in text)
    return _Bare(text) if bare else _Text(text)


def header_yaml(header: Mapping[str, str]) -> str:
    """The text of plan.yaml from the plan's header."""
    lines = {name: _Bare(text) if name == "synthetic" else _Text(text) for name, text in header.items() if text}
    return yaml.dump(lines, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
