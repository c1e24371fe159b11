"""From a piece of a network's file to the value of one field."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

from bettercare.errors import BettercareError
from bettercare.flow.fields import Field, dictionary, kinds, parameters
from bettercare.flow.network import UNLIMITED, Distribution
from bettercare.flow.network_yaml import digits
from bettercare.flow.week import DAYS, SETS_OF_DAYS
from bettercare.plan.cells import number, value_of
from bettercare.plan.dictionary import Column
from bettercare.plan.yaml_file import Node

REST = "rest"
_HOUR = re.compile(r"([0-9]{1,2})(:00)?")
_WHOLE = "Write a whole number, such as 12."
_HOUR_REMEDY = "Write a whole hour from 00:00 to 24:00, such as 08:00."
# What the same thing is called in the data model, or elsewhere in the file, and here.
_OTHERWISE = {
    "patient": ("class",),
    "patients": ("classes", "class"),
    "start": ("from",),
    "end": ("until", "to"),
    "instead": ("instead_of",),
}


class NotThis(BettercareError):
    """A value that does not fit its field, with the line it stands in when that is not the field's own."""

    def __init__(self, what: str, remedy: str, line: int = 0) -> None:
        super().__init__(what, remedy=remedy)
        self.line = line


def nearest(name: str, known: Iterable[str]) -> str:
    """What to do about a name that is not known: the nearest that is, or all there are."""
    listed = list(known)
    otherwise = next((other for other in _OTHERWISE.get(name, ()) if other in listed), None)
    close = [otherwise] if otherwise else get_close_matches(name[:60], listed, 1)
    if close:
        return f"Did you mean {close[0]}?"
    if not listed:
        return "There are none yet: add it."
    return f"Known: {', '.join(listed[:12])}{', ...' if len(listed) > 12 else ''}."


def value(field: Field, node: Node) -> Any:
    """The typed value of a field that is not blank.

    Raises:
        NotThis, BettercareError: it does not fit, saying how to write it.
    """
    return _READERS.get(field.type, _word)(field, node)


def _scalar(field: Field, node: Node) -> str:
    if not isinstance(node.value, str):
        raise NotThis(f"{field.name} must be a single value.", f"Write it as {field.name}: ... on one line.", node.line)
    return node.value.strip() if field.type != "text" else node.value


def _word(field: Field, node: Node) -> Any:
    text = _scalar(field, node)
    kind = field.type if field.type in {"id", "text", "flag", "choice", "date"} else "text"
    return value_of(Column(field.name, kind, field.required, "", field.choices, field.meaning), text)


def _ref(field: Field, node: Node) -> str:
    text = _scalar(field, node)
    return text if text in field.words else str(value_of(Column(field.name, "id", "yes", "", (), ""), text))


def _number(field: Field, node: Node) -> Any:
    text = _scalar(field, node)
    whole = field.type in {"integer", "limit"}
    try:
        return value_of(Column(field.name, "integer" if whole else "number", "yes", "", (), ""), text)
    except BettercareError as error:
        remedy = error.remedy
        # A network has no column of units for the sign to go to.
        if "%" in remedy:
            remedy = _WHOLE if whole else f"Write {digits(round(number(text.rstrip('%')) / 100, 12))}."
        elif whole:
            remedy = remedy.replace("Write digits with a decimal point, such as 1940 or 54.4.", _WHOLE)
        raise BettercareError(error.what, remedy=remedy) from None


def _limit(field: Field, node: Node) -> float:
    text = _scalar(field, node)
    if text == "unlimited":
        return UNLIMITED
    if text.startswith("-"):
        raise NotThis(f"{text[:40]} is negative.", f"Write a number, 0 or more, or unlimited, as {field.name}.")
    found: float = _number(field, node)
    return found


def _share(field: Field, node: Node) -> float | str:
    found: float | str = REST if _scalar(field, node) == REST else _number(field, node)
    return found


def _hour(field: Field, node: Node) -> int:
    text = _scalar(field, node)
    found = _HOUR.fullmatch(text)
    if not found or int(found.group(1)) > 24:
        raise NotThis(f"{text[:40]!r} is not a whole hour of the day.", _HOUR_REMEDY)
    return int(found.group(1))


def _days(field: Field, node: Node) -> tuple[int, ...]:
    if isinstance(node.value, str) and node.value.strip() in SETS_OF_DAYS:
        return SETS_OF_DAYS[node.value.strip()]
    words = _words(field, node)
    for word in words:
        if word not in DAYS:
            raise NotThis(f"{word[:40]!r} is not a day.", "Write weekdays, weekend, all, or a list such as [mon, sat].")
    return tuple(sorted({DAYS.index(word) for word in words}))


def _words(field: Field, node: Node) -> tuple[str, ...]:
    items = node.value if isinstance(node.value, list) else [node]
    found = tuple(item.text().strip() for item in items)
    if not found or not all(found):
        raise NotThis(f"{field.name} must be a list of words.", f"Write it as {field.name}: [one, another].", node.line)
    return found


def _refs(field: Field, node: Node) -> tuple[str, ...]:
    found = _words(field, node)
    for position, word in enumerate(found):
        if word in found[:position]:
            raise NotThis(f"{word[:60]!r} is named twice.", "Keep one.", node.line)
    return found


def _numbers(field: Field, node: Node) -> tuple[float, ...]:
    items = node.value if isinstance(node.value, list) else [node]
    if not items or not all(isinstance(item.value, str) for item in items):
        raise NotThis(f"{field.name} must be a list of numbers.", f"Write it as {field.name}: [1, 2, 3].", node.line)
    return tuple(_number(field, item) for item in items)


def _matrix(field: Field, node: Node) -> tuple[tuple[float, ...], ...]:
    if not isinstance(node.value, list):
        raise NotThis(f"{field.name} must be a list of rows.", "Write it as [[-1, 0.5], [0, -2]].", node.line)
    return tuple(_numbers(field, row) for row in node.value)


def _mapping(field: Field, node: Node, remedy: str) -> Mapping[str, Node]:
    if not isinstance(node.value, dict) or not node.value:
        raise NotThis(f"{field.name} must be a list of `name: value`.", remedy, node.line)
    return node.value


def _shares(field: Field, node: Node) -> dict[str, tuple[float | str, int]]:
    """The share of each target, and the line it stands in."""
    found = {}
    for name, item in _mapping(field, node, "Write it as shares: {majors: 0.4, home: rest}.").items():
        if item.value is None:
            raise NotThis(f"The share of {name[:60]!r} is blank.", "Write a number, or rest.", item.line)
        found[name] = (_share(field, item), item.line)
    return found


def places_of(field: Field, node: Node) -> list[Node]:
    """Extra places, ``{ward: 10}``, as a row of station and servers for each.

    Raises:
        NotThis: they are not written so.
    """
    found = []
    for name, item in _mapping(field, node, "Write it as places: {ward: 10}.").items():
        if item.value is None:
            raise NotThis(f"{name[:60]!r} has no number.", "Write how many more places it has.", item.line)
        line = node.keys[name]
        found.append(Node({"station": Node(name, line), "servers": item}, line, {"station": line, "servers": line}))
    return found


def _becomes(field: Field, node: Node) -> str | dict[str, str]:
    if isinstance(node.value, dict):
        return {name: _ref(field, item) for name, item in node.items()}
    return _ref(field, node)


def time_of(field: Field, node: Node, default_unit: str = "") -> Distribution:
    """A length of time: ``{lognormal: {mean: 5, sd: 6}, unit: days}``."""
    known = dictionary()["times"]
    remedy = "Write it as {lognormal: {mean: 5, sd: 6}, unit: days}."
    items = _mapping(field, node, remedy)
    for name in items:
        if name not in known and not (name == "weight" and default_unit):
            raise NotThis(f"{name[:60]!r} is not known in a time.", nearest(name, known), node.keys[name])
    named = [name for name in items if parameters(name)]
    if len(named) != 1:
        what = f"A time names {' and '.join(named)}." if named else "A time does not say how it is distributed."
        raise NotThis(what, f"Name one of: {', '.join(kinds())}.", node.line)
    given = {name: value(known[name], items[name]) for name in ("unit", "at_most", "times") if _there(items.get(name))}
    if "unit" not in given and not default_unit:
        raise NotThis("A time has no unit.", "Add unit: minutes, hours or days.", node.line)
    unit = given.setdefault("unit", default_unit)
    inside = items[named[0]]
    if named[0] == "mixture":
        given |= _mixture(field, inside, unit)
    else:
        given |= _parameters(named[0], inside)
    return Distribution(named[0], **given)


def _there(node: Node | None) -> bool:
    return node is not None and node.value is not None


def _parameters(kind: str, node: Node) -> dict[str, Any]:
    known = parameters(kind)
    fields = dictionary()["parameters"]
    if known == ("mean",) and isinstance(node.value, str):
        return {"mean": value(fields["mean"], node)}
    wanted = f"Write it as {kind}: {{{', '.join(f'{name}: ...' for name in known)}}}."
    if not isinstance(node.value, dict):
        raise NotThis(f"{kind} has no {' and '.join(known)}.", wanted, node.line)
    for name in node.value:
        if name not in known:
            raise NotThis(f"{name[:60]!r} is not known in {kind}.", nearest(name, known), node.keys[name])
    for name in known:
        if fields[name].required == "yes" and not _there(node.get(name)):
            raise NotThis(f"{kind} has no {name}.", wanted, node.line)
    return {name: value(fields[name], item) for name, item in node.items() if _there(item)}


def _mixture(field: Field, node: Node, unit: str) -> dict[str, Any]:
    if not isinstance(node.value, list) or not node.value:
        raise NotThis(
            "A mixture must be a list of times.",
            "Write it as mixture: [{weight: 0.7, fixed: 1}, {weight: 0.3, exponential: 4}].",
            node.line,
        )
    weight = dictionary()["parameters"]["weights"]
    weights = []
    for item in node.value:
        if not isinstance(item.value, dict) or not _there(item.get("weight")):
            raise NotThis("A part of a mixture has no weight.", "Add weight: 0.5 to it.", item.line)
        weights.append(_number(weight, item.value["weight"]))
    return {"parts": tuple(time_of(field, item, unit) for item in node.value), "weights": tuple(weights)}


_READERS: Mapping[str, Callable[[Field, Node], Any]] = {
    "number": _number,
    "integer": _number,
    "ref": _ref,
    "limit": _limit,
    "limit number": _limit,
    "share": _share,
    "hour": _hour,
    "days": _days,
    "refs": _refs,
    "classes": _refs,
    "numbers": _numbers,
    "matrix": _matrix,
    "shares": _shares,
    "becomes": _becomes,
    "time": time_of,
}
