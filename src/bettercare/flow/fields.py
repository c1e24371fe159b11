"""The dictionary of a network's fields: one description that drives reading, checking, writing and the format's page."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib import resources
from typing import Any

from bettercare.flow import network as data

RECORDS: Mapping[str, type[Any]] = {
    "classes": data.PatientClass,
    "profiles": data.Profile,
    "arrivals": data.Arrival,
    "stations": data.Station,
    "services": data.Service,
    "patience": data.Patience,
    "routes": data.Route,
    "choices": data.Choice,
    "escalations": data.Escalation,
    "outcomes": data.Outcome,
    "clocks": data.Clock,
    "scenarios": data.Scenario,
    "targets": data.Target,
    "knobs": data.Knob,
}
"""What a row of each section is, in the order of the file."""
MOST_ROWS = 20_000
MOST_TO_CHOOSE = 50
"""Stations of a choice."""
INSIDE: Mapping[str, type[Any]] = {
    "shifts": data.Shift,
    "steps": data.Step,
    "places": data.ExtraPlaces,
    "diverts": data.Divert,
    "changes": data.Change,
}
"""What stands in a list inside a row; places are written as a mapping, a number for each station."""
EVIDENCE = "(evidence)"
MOST = {
    "classes": 50,
    "profiles": 500,
    "arrivals": 2_000,
    "stations": 500,
    "choices": 500,
    "escalations": 100,
    "outcomes": 500,
    "clocks": 62,
    "scenarios": 100,
}
"""Rows of a section. The largest are ten times a large system; the engine keeps the clocks of a patient in 62 bits."""
_ATTRIBUTES = {
    ("shifts", "from"): "start",
    ("shifts", "to"): "end",
    ("routes", "from"): "start",
    ("routes", "until"): "end",
    ("clocks", "classes"): "patients",
    ("", "class"): "patient",
}


@dataclass(frozen=True)
class Field:
    """A field of a section: how it is written, what it may hold, and which attribute of the record keeps it."""

    section: str
    name: str
    type: str
    """id, text, number, integer, limit (a whole number or unlimited), limit number, share (a number or rest), flag, date,
    hour, days, choice, ref, refs, classes, numbers, matrix, time, kind, shares, becomes, shifts, steps, places, diverts,
    changes or change."""
    unit: str
    required: str
    """``yes``, ``no`` or ``if assumed``."""
    default: str
    low: float
    high: float
    choices: tuple[str, ...]
    """Allowed words; of a ref the sections it may point into and words allowed beside; of a list of numbers how many."""
    meaning: str

    @property
    def attribute(self) -> str:
        """The name the record of ``network.py`` has for it."""
        return _ATTRIBUTES.get((self.section, self.name)) or _ATTRIBUTES.get(("", self.name)) or self.name

    @property
    def points_into(self) -> tuple[str, ...]:
        """The sections a reference may point into; empty for other fields."""
        refers = self.type in {"ref", "refs", "classes", "becomes"}
        return tuple(name for name in self.choices if name in RECORDS) if refers else ()

    @property
    def words(self) -> tuple[str, ...]:
        """The words a reference may be instead of an id (``any``)."""
        return tuple(name for name in self.choices if name not in RECORDS)


def attributes_of(record: type[Any]) -> frozenset[str]:
    """The names a record of ``network.py`` keeps its values under."""
    return frozenset(each.name for each in fields(record))


@cache
def may_be_none() -> frozenset[tuple[str, str]]:
    """Section and attribute of what a record need not have."""
    kinds = {**RECORDS, **INSIDE}
    return frozenset((name, each.name) for name, kind in kinds.items() for each in fields(kind) if each.default is None)


@cache
def dictionary() -> Mapping[str, Mapping[str, Field]]:
    """The fields of each section by name, in the order they are written."""
    sections: dict[str, dict[str, Field]] = {}
    text = resources.files("bettercare.flow").joinpath("fields.csv").read_text(encoding="utf-8")
    for row in csv.DictReader(text.splitlines()):
        low, high = float(row["low"] or "-inf"), float(row["high"] or "inf")
        choices = tuple(filter(None, row["choices"].split("|")))
        found = Field(
            row["section"], row["field"], row["type"], row["unit"], row["required"], row["default"], low, high, choices,
            row["meaning"],
        )  # fmt: skip
        sections.setdefault(found.section, {})[found.name] = found
    evidence = sections[EVIDENCE]
    for name, record in {**RECORDS, **INSIDE}.items():
        if "evidence" in attributes_of(record):
            sections[name] |= evidence
    return sections


def parameters(kind: str) -> tuple[str, ...]:
    """The parameters of a kind of distribution; empty for a word that is none."""
    found = dictionary()["times"].get(kind)
    return found.choices if found and found.type == "kind" else ()


@cache
def kinds() -> tuple[str, ...]:
    """The kinds of distribution."""
    return tuple(name for name, found in dictionary()["times"].items() if found.type == "kind")
