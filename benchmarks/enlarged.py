"""A plan many times as large, in memory: more systems like it, or more schemes in it."""

from __future__ import annotations

from collections.abc import Mapping

from bettercare.plan import Plan
from bettercare.plan.dictionary import dictionary
from bettercare.plan.read import build
from bettercare.plan.scheme_file import RawRow

SHARED = ("sources", "localities", "population", "delivery", "parameters", "common_causes")
"""Tables of the plan as a whole: there is one of each however many systems it is for."""
LEFT_OUT = ("claims",)
"""What the paper says of its own arithmetic: the model does not read it."""
LISTED = {
    "capital_programmes": ("schemes",), "interdependencies": ("schemes",), "milestones": ("requires", "scheme"), "risks": ("scheme",),
    "investments": ("scheme",), "allocations": ("scheme",),
}  # fmt: skip
"""Columns of text that hold ids."""
SIZES = ("size", "low", "likely", "high", "p10", "p90")


def more_systems(plan: Plan, times: int) -> Plan:
    """``times`` systems like the plan's side by side: organisations, activity, schemes, capital and all."""
    raw: dict[str, list[RawRow]] = {}
    for name, spec in dictionary().items():
        if name in LEFT_OUT:
            continue
        references = {column.name for column in spec.columns if column.refers_to and column.refers_to not in SHARED}
        references |= set(LISTED.get(name, ())) | ({"scheme"} if name == "effects" else set())
        rows: list[RawRow] = []
        for copy in range(1 if name in SHARED else times):
            for where, cells in _cells(plan, name):
                # Growth and rates for everyone stand once.
                if copy and name in ("growth", "rates") and "organisation" not in cells:
                    continue
                if name not in SHARED:
                    for column in references & cells.keys():
                        cells[column] = "; ".join(f"{part.strip()}-{copy}" for part in cells[column].split(";"))
                    if name != "effects":
                        cells["id"] = f"{cells['id']}-{copy}"
                rows.append((where, cells))
        raw[name] = rows
    return build(dict(plan.header), raw, [])


def more_schemes(plan: Plan, times: int) -> Plan:
    """The same system with each scheme cut into ``times`` schemes of a part of its size."""
    raw: dict[str, list[RawRow]] = {}
    for name, spec in dictionary().items():
        if name in LEFT_OUT:
            continue
        if name not in ("schemes", "effects"):
            # What belonged to a scheme belongs to its first part.
            named = {column.name for column in spec.columns if column.refers_to == "schemes"}
            named |= {column for column in LISTED.get(name, ()) if column != "requires"}
            raw[name] = [
                (where, {column: _first(cell) if column in named else cell for column, cell in cells.items()})
                for where, cells in _cells(plan, name)
            ]
            continue
        rows: list[RawRow] = []
        for copy in range(times):
            for where, cells in _cells(plan, name):
                for column in ("id", "requires") if name == "schemes" else ("scheme",):
                    if column in cells:
                        cells[column] = "; ".join(f"{part.strip()}-{copy}" for part in cells[column].split(";"))
                for column in SIZES:
                    if column in cells:
                        cells[column] = repr(float(cells[column].replace(",", "")) / times)
                rows.append((where, cells))
        raw[name] = rows
    return build(dict(plan.header), raw, [])


def _first(text: str) -> str:
    return "; ".join(f"{part.strip()}-0" for part in text.split(";"))


def _cells(plan: Plan, table: str) -> list[tuple[str, dict[str, str]]]:
    def written(text: Mapping[str, str]) -> dict[str, str]:
        return {column: cell for column, cell in text.items() if cell}

    return [(row.where, written(row.text)) for row in plan[table]]
