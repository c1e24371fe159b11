"""Tables of a plan and the figures in them, each with where it comes from and how precisely it is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import polars as pl

from bettercare.plan.cells import printed_place
from bettercare.plan.dictionary import TableSpec
from bettercare.vocabulary import UNITS, Unit


@dataclass(frozen=True)
class Figure:
    """A number with its unit, its source and its basis."""

    id: str
    """``table.row``"""
    value: float
    """As printed, in ``unit``."""
    unit: Unit
    place: float
    """Place of the last digit that counts, in ``unit``."""
    source: str
    where: str
    basis: str
    note: str
    low: float | None = None
    high: float | None = None

    @property
    def base(self) -> float:
        """The value in the dimension's base unit: pounds, a fraction, beds, days."""
        return self.value * self.unit.scale

    @property
    def half_width(self) -> float:
        """Half the place of the last digit that counts, in the base unit."""
        return self.place * self.unit.scale / 2


@dataclass(frozen=True)
class Row:
    """One row of a table: typed values, the text they were read from, and where."""

    values: Mapping[str, Any]
    text: Mapping[str, str]
    where: str

    def __getitem__(self, column: str) -> Any:
        return self.values.get(column)

    @property
    def id(self) -> str:
        return str(self.values.get("id", ""))


@dataclass(frozen=True)
class Table:
    """A table of the plan: rows in the order of the file."""

    spec: TableSpec
    rows: tuple[Row, ...] = ()

    @property
    def name(self) -> str:
        return self.spec.name

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    @cached_property
    def by_id(self) -> Mapping[str, Row]:
        return {row.id: row for row in self.rows}

    def where(self, **wanted: Any) -> list[Row]:
        """Rows whose columns have the values wanted (None matches a blank)."""
        return [row for row in self.rows if all(row[column] == value for column, value in wanted.items())]

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The table as a Polars frame; lists and ramps as text, dates as dates."""
        columns: dict[str, pl.Series] = {}
        for column in self.spec.columns:
            kind: Any = {"number": pl.Float64, "integer": pl.Int64, "flag": pl.Boolean, "date": pl.Date}.get(
                column.type, pl.String
            )
            values = [row.text.get(column.name) or None if kind == pl.String else row[column.name] for row in self.rows]
            columns[column.name] = pl.Series(column.name, values, dtype=kind)
        return pl.DataFrame(columns)

    def figure(self, row: Row, column: str = "value") -> Figure:
        """The figure a row holds (``column`` may be another number column, taken in the row's unit)."""
        text = row.text.get(column, "")
        place = (
            row["precision"] if row["precision"] is not None and column in {"value", "size"} else printed_place(text)
        )
        return Figure(
            id=f"{self.name}.{row.id}",
            value=float(row[column]),
            unit=UNITS[row["unit"]] if row["unit"] else UNITS["ratio"],
            place=float(place),
            source=row["source"] or "",
            where=row["where"] or "",
            basis=row["basis"] or "stated",
            note=row["note"] or "",
            low=row["low"],
            high=row["high"],
        )
