"""What the answer depends on most: the tornado, and what makes things move together."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import polars as pl

from bettercare.model import Result
from bettercare.reports.amounts import count, money
from bettercare.reports.charts.tornado import tornado
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.sections.frames import NARROW, WIDE
from bettercare.reports.sections.verdict import bed_holders, in_buildings, money_name
from bettercare.reports.words import driver_label, organisation_name

TOP = 12


def drivers(result: Result) -> Section:
    """Tornado of the gap and of the beds of the organisation with most; common causes."""
    if not result.runs:
        return Section(
            "drivers",
            "What drives it",
            "Nothing was sampled, so what drives the result cannot be said. Run with runs=1000 or more.",
        )
    exhibits = []
    if any(result.gap.published_case.flat):
        name = money_name(result)[:1].lower() + money_name(result)[1:]
        found = _tornado(result, "gap", name, money, "money", "GBP")
        exhibits += [found] if found else []
    for organisation in bed_holders(result)[:1]:
        where = in_buildings(result, organisation)
        name = f"beds at {organisation_name(result.plan, organisation)}"
        found = _tornado(result, "beds", name, count, "count", "beds", **where)
        exhibits += [found] if found else []
    causes = result.plan["common_causes"]
    if causes.rows:
        columns = (
            Column("cause", "Shared cause"),
            Column("driver", "Moves"),
            Column("loading", "Correlation", "plain"),
            Column("basis", "Basis"),
            Column("note", "Reason"),
        )
        rows = [{name: row[name] for name in ("cause", "driver", "loading", "basis", "note")} for row in causes]
        message = (
            "What moves together: drivers that share a cause rise and fall with it, so bad luck does not average out."
        )
        exhibits.append(
            Exhibit("common-causes", message, Table(columns, rows), sheet="Common causes", folded=len(rows) > 12)
        )
    lead = "Each bar is the average result over the tenth of runs where one thing, on its own, is at its lowest and its highest."
    return Section("drivers", "What drives it", lead if exhibits else "", tuple(exhibits))


def _tornado(
    result: Result,
    measure: str,
    name: str,
    write: Callable[[float], str],
    kind: str,
    unit: str,
    **where: Any,
) -> Exhibit | None:
    frame = result.drivers(measure, **where).filter(pl.col("swing").abs() > 0)
    if not frame.height:
        return None
    frame = frame.with_columns(pl.Series("label", [driver_label(result, driver) for driver in frame["driver"]]))
    mean = float(result.measure(measure)(year=result.years[-1], **where)["mean"][0])
    top = frame.row(0, named=True)
    message = f"{top['label']} moves {name} most: {write(top['at_low'])} where it is lowest, {write(top['at_high'])} where it is highest"
    chart = Chart(*(tornado(frame.head(TOP), mean, write, width, message) for width in (WIDE, NARROW)))
    columns = (
        Column("label", "Driver"), Column("at_low", "At its lowest tenth", kind, unit), Column("at_high", "At its highest tenth", kind, unit),
        Column("swing", "Difference", f"{kind} change" if kind == "money" else "change", unit), Column("rank_correlation", "Rank correlation", "plain"),
    )  # fmt: skip
    note = f"The {min(TOP, frame.height)} largest of {frame.height} drivers; small differences at the foot are partly chance."
    return Exhibit(
        f"tornado-{measure}",
        message + ".",
        Table(columns, frame.to_dicts()),
        chart,
        note,
        sheet=f"Drivers of {measure}",
    )
