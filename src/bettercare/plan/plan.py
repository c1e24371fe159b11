"""A plan: its tables, schemes and claims, read whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from bettercare.errors import BettercareError
from bettercare.plan.dictionary import dictionary
from bettercare.plan.figures import Figure, Row, Table
from bettercare.vocabulary import FinancialYear, years_between

if TYPE_CHECKING:
    from collections.abc import Sequence

HEADER = {
    "id": "Short name of the plan",
    "title": "Title",
    "kind": "system-plan or better-care-fund",
    "footprint": "The place it is for",
    "base_year": "Financial year before the plan starts, such as 2016/17",
    "first_year": "First year of the plan",
    "last_year": "Last year of the plan",
    "price_base": "Financial year whose prices the money is in",
    "summary": "What the plan is, in a sentence or two",
    "synthetic": "yes if any figure is invented",
}
"""What plan.yaml holds."""

REQUIRED_HEADER = ("id", "title", "kind", "footprint", "base_year", "first_year", "last_year", "price_base")


@dataclass(frozen=True)
class Scheme:
    """A scheme and its effects, as rows."""

    row: Row
    effects: tuple[Row, ...]

    @property
    def id(self) -> str:
        return self.row.id

    @property
    def name(self) -> str:
        return str(self.row["name"])

    @property
    def requires(self) -> tuple[str, ...]:
        return self.row["requires"] or ()


@dataclass(frozen=True)
class Plan:
    """A plan as data. Make one with :meth:`read`; a Plan that exists has passed validation."""

    header: Mapping[str, str]
    tables: Mapping[str, Table]
    scenarios: Mapping[str, str] = field(default_factory=dict)
    """The text of each scenario file, by name."""

    @classmethod
    def read(cls, source: str | Path) -> Plan:
        """Read a plan folder, a workbook (``.xlsx``), or a shipped plan by its name.

        Raises:
            PlanError: listing every fault with file, row, column and remedy.
            BettercareError: there is no such plan.
        """
        from bettercare.plan.read import read_plan

        return read_plan(source)

    def write(self, folder: str | Path) -> Path:
        """Write the plan as a folder: all of it or nothing. The folder must not exist or be empty."""
        from bettercare.plan.write import write_plan

        return write_plan(self, Path(folder))

    @property
    def id(self) -> str:
        return self.header["id"]

    @property
    def title(self) -> str:
        return self.header["title"]

    @property
    def base_year(self) -> FinancialYear:
        return FinancialYear.parse(self.header["base_year"])

    @property
    def first_year(self) -> FinancialYear:
        return FinancialYear.parse(self.header["first_year"])

    @property
    def last_year(self) -> FinancialYear:
        return FinancialYear.parse(self.header["last_year"])

    @cached_property
    def years(self) -> tuple[str, ...]:
        """The base year and every year of the plan."""
        return tuple(map(str, years_between(self.base_year, self.last_year)))

    def __getitem__(self, table: str) -> Table:
        return self.tables.get(table) or Table(dictionary()[table])

    @cached_property
    def schemes(self) -> Sequence[Scheme]:
        """The schemes in the order of their themes, then of their names."""
        order = {row.id: (row["order"], row.id) for row in self["themes"]}
        effects: dict[str, list[Row]] = {}
        for row in self["effects"]:
            effects.setdefault(row["scheme"], []).append(row)
        schemes = [Scheme(row, tuple(effects.get(row.id, ()))) for row in self["schemes"]]
        return sorted(schemes, key=lambda scheme: (order.get(scheme.row["theme"], (99, "")), scheme.id))

    def scheme(self, name: str) -> Scheme:
        for scheme in self.schemes:
            if scheme.id == name:
                return scheme
        raise BettercareError(
            f"The plan {self.id} has no scheme {name!r}.", remedy=f"It has: {', '.join(s.id for s in self.schemes)}."
        )

    def parameter(self, name: str, default: float | None = None) -> float:
        """A parameter in its base unit."""
        row = self["parameters"].by_id.get(name)
        if row is not None:
            return self["parameters"].figure(row).base
        if default is None:
            raise BettercareError(
                f"The plan {self.id} has no parameter {name!r}.", remedy="Add a row to tables/parameters.csv."
            )
        return default

    def figure(self, table: str, row_id: str) -> Figure:
        """One figure of a table by its row's id."""
        row = self[table].by_id.get(row_id)
        if row is None:
            raise BettercareError(f"The table {table} of {self.id} has no row {row_id!r}.")
        return self[table].figure(row, "size" if table == "effects" else "value")

    @cached_property
    def assumed(self) -> Sequence[Row]:
        """Every assumed row of the plan, the reason in ``note``."""
        return [row for table in self.tables.values() for row in table if row["basis"] == "assumed"]
