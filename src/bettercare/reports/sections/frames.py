"""Frames of results turned into the rows and columns of exhibits: naming, ordering and folding, no model arithmetic."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import polars as pl

from bettercare.model import Result
from bettercare.plan import Figure
from bettercare.reports.charts.bridge import bridge
from bettercare.reports.exhibit import Chart, Column, Table
from bettercare.reports.provenance import bases, cited, step_name

WIDE, NARROW, HALF = 900.0, 372.0, 470.0
"""Widths charts are drawn for: a page, a telephone, half a page."""

_SMALLEST = 1e-9


def case_columns(result: Result, kind: str, unit: str, change: bool = False) -> tuple[Column, ...]:
    """As planned and, where there were runs, expected with its range."""
    written = ("money change" if kind == "money" else "change") if change else kind
    planned = Column("published_case", "As planned", written, unit)
    if not result.runs:
        return (planned,)
    return (
        planned,
        *(Column(key, title, written, unit) for key, title in (("mean", "Expected"), ("p10", "p10"), ("p90", "p90"))),
    )


SOURCES = (Column("basis", "Basis"), Column("source", "Source"))


def with_sources(row: dict[str, Any], figures: list[Figure]) -> dict[str, Any]:
    """The row with where its figures come from."""
    return row | {"basis": bases(figures), "source": cited(figures)}


def ordered_bridge(frame: pl.DataFrame, names: Mapping[str, str] | None = None) -> pl.DataFrame:
    """A bridge without its empty steps, growth in its own order, then changes from the largest fall to the largest rise."""
    cases = [name for name in ("published_case", "mean", "p10", "p90") if name in frame.columns]
    scale = max(float(frame[name].abs().max() or 0.0) for name in cases) or 1.0  # type: ignore[arg-type]
    there = pl.any_horizontal([pl.col(name).abs() > _SMALLEST * scale for name in cases])
    steps = frame.filter(there | pl.col("kind").is_in(["end"]))
    if names:
        steps = steps.with_columns(pl.col("step").replace(names))
    steps = steps.with_columns(pl.col("step").map_elements(step_name, return_dtype=pl.String))
    growth = steps.filter(pl.col("kind") == "growth")
    place = {step.partition(":")[0]: number for number, step in reversed(list(enumerate(growth["step"])))}
    order = pl.Series([place[step.partition(":")[0]] for step in growth["step"]], dtype=pl.Int64).arg_sort()
    changes = steps.filter(pl.col("kind") == "change").sort("published_case")
    return pl.concat(
        [steps.filter(pl.col("kind") == "start"), growth[order], changes, steps.filter(pl.col("kind") == "end")]
    )


def folded(frame: pl.DataFrame, group: Callable[[str, str], str]) -> pl.DataFrame:
    """A bridge with steps that share a group's name put together (sums of the published case and of the mean; ranges do not add)."""
    cases = [name for name in ("published_case", "mean") if name in frame.columns]
    spread = [name for name in ("p10", "p90") if name in frame.columns]
    named = frame.with_columns(
        pl.struct("step", "kind")
        .map_elements(lambda row: group(row["step"], row["kind"]), return_dtype=pl.String)
        .alias("step")
    )
    grouped = named.group_by("step", "kind", maintain_order=True).agg(
        *(pl.col(name).sum() for name in cases),
        *(pl.when(pl.len() == 1).then(pl.col(name).first()).alias(name) for name in spread),
    )
    return grouped


def bridge_chart(frame: pl.DataFrame, write: Callable[[float], str], title: str, wide: float = WIDE) -> Chart:
    """A bridge for a wide page and a narrow one."""
    return Chart(bridge(frame, write, wide, title), bridge(frame, write, NARROW, title))


def bridge_table(
    result: Result, frame: pl.DataFrame, figures: Mapping[str, list[Figure]], kind: str, unit: str
) -> Table:
    """The figures of a bridge with their sources; ``figures`` by the step's name in words."""
    names = {step_name(step): found for step, found in figures.items()}
    rows = [with_sources(row, names.get(row["step"], [])) for row in frame.to_dicts()]
    return Table((Column("step", "Step"), *case_columns(result, kind, unit), *SOURCES), rows)
