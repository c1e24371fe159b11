"""The column dictionary: one description of every table that drives reading, validation, workbooks and documentation."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources

from bettercare.vocabulary import CHOICES


@dataclass(frozen=True)
class Column:
    """A column of a table: ``type`` is one of id, text, number, integer, year, date, flag, choice, choices, ref, refs, unit, ramp, expression."""

    name: str
    type: str
    required: str
    """``yes``, ``no`` or ``if assumed``."""
    refers_to: str
    choices: tuple[str, ...]
    meaning: str

    @property
    def is_number(self) -> bool:
        return self.type in {"number", "integer"}


@dataclass(frozen=True)
class TableSpec:
    """A table of the plan and its columns in order."""

    name: str
    title: str
    figures: bool
    meaning: str
    columns: tuple[Column, ...]

    def column(self, name: str) -> Column | None:
        return next((column for column in self.columns if column.name == name), None)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)


SCHEME_TABLES = ("schemes", "effects")
"""Tables that live as YAML in a folder and as sheets in a workbook."""


def _rows(name: str) -> list[dict[str, str]]:
    text = resources.files("bettercare.plan").joinpath(name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def dictionary() -> Mapping[str, TableSpec]:
    """Every table of a plan by name, in the order planners read them."""
    columns: dict[str, list[Column]] = {}
    for row in _rows("columns.csv"):
        choices = row["choices"]
        allowed = (
            CHOICES[choices.split(":")[1]]
            if choices.startswith("vocabulary:")
            else tuple(filter(None, choices.split("|")))
        )
        columns.setdefault(row["table"], []).append(
            Column(row["column"], row["type"], row["required"], row["refers_to"], allowed, row["meaning"])
        )
    shared = columns.pop("(figure)")
    return {
        row["table"]: TableSpec(
            row["table"],
            row["title"],
            row["figures"] == "yes",
            row["meaning"],
            tuple(columns[row["table"]] + (shared if row["figures"] == "yes" else [])),
        )
        for row in _rows("tables.csv")
    }
