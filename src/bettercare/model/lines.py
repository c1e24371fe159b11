"""Lines: the rows every measure is made of, each with what it rests on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import Fault, PlanError
from bettercare.plan import Figure, Plan, Row

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Ground:
    """What a line rests on: a sentence on how it is reached, figures of the plan, and other lines by key."""

    how: str
    figures: tuple[Figure, ...] = ()
    lines: tuple[str, ...] = ()

    @property
    def assumed(self) -> tuple[Figure, ...]:
        return tuple(figure for figure in self.figures if figure.basis == "assumed")


@dataclass(frozen=True)
class Line:
    """One row of a measure."""

    key: str
    """Unique within its measure, the same in every case."""
    labels: Mapping[str, str]
    values: Array
    """shape (year, run) or (year, 1) where nothing is uncertain"""
    ground: Ground
    unit: str = ""


@dataclass
class Lines:
    """Lines being gathered for one measure."""

    lines: list[Line] = field(default_factory=list)

    def add(self, key: str, values: Array, ground: Ground, unit: str = "", /, **labels: str | None) -> None:
        self.lines.append(Line(key, {word: value for word, value in labels.items() if value}, values, ground, unit))

    def __iter__(self) -> Iterator[Line]:
        return iter(self.lines)


def figure_of(plan: Plan, table: str, row: Row, column: str = "value") -> Figure:
    """The figure of a row, for a ground."""
    return plan[table].figure(row, column)


def money_of(plan: Plan, table: str, row: Row) -> Figure:
    """The figure of a row that must be money.

    Raises:
        PlanError: its unit is not one of money.
    """
    figure = figure_of(plan, table, row)
    if not figure.unit.is_money:
        raise PlanError(
            [Fault(row.where, f"{row.id} is money but its unit is {figure.unit.name}.", "Use GBP, GBP k or GBP m.")]
        )
    return figure
