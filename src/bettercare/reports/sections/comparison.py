"""Scenarios beside the plan, run by run with the same luck."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars as pl

from bettercare.model import Result
from bettercare.reports.amounts import chance, money
from bettercare.reports.charts.ranges import ranges
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.sections.frames import NARROW, WIDE
from bettercare.reports.sections.verdict import bed_holders, has_gap, in_buildings, money_name
from bettercare.reports.words import organisation_name, scenario_title


def compared(results: Sequence[Result]) -> Table:
    """One row a result, the first being what the others are held against."""
    first = results[0]
    holders = bed_holders(first)
    rows = [_row(result, first, holders) for result in results]
    runs = all(result.runs for result in results)
    name = money_name(first).removeprefix("The ").capitalize()
    columns = [Column("label", "Scenario"), Column("gap", f"{name} as planned", "money", "GBP")]
    if runs:
        columns += [
            Column("mean", f"{name} expected", "money", "GBP"),
            Column("p10", "p10", "money", "GBP"),
            Column("p90", "p90", "money", "GBP"),
        ]
        columns += [Column("balance", "Chance of balance", "chance")] if has_gap(first) else []
        columns += [Column("shift", "Expected change", "money change", "GBP")] if len(results) > 1 else []
        columns += (
            [Column("worse", "Runs worse than the first", "chance")] if len(results) > 1 and _paired(results) else []
        )
    if first.saving.labels:
        columns.append(Column("saving", "Savings as planned", "money", "GBP"))
    for holder in holders:
        name = organisation_name(first.plan, holder)
        columns.append(Column(f"beds:{holder}", f"Beds as planned, {name}", "count", "beds"))
        columns += [Column(f"beds_mean:{holder}", f"Beds expected, {name}", "count", "beds")] if runs else []
    return Table(tuple(columns), rows)


def comparison(results: Sequence[Result]) -> Section:
    """The table and its picture."""
    table = compared(results)
    runs = all(result.runs for result in results)
    keys = {"planned": "gap"} | ({"expected": "mean", "p10": "p10", "p90": "p90"} if runs else {})
    frame = pl.DataFrame(
        [{"label": row["label"]} | {key: row[name] for key, name in keys.items()} for row in table.rows]
    )
    names = {"planned": "As planned"} | ({"expected": "Expected"} if runs else {})
    worst = max(table.rows, key=lambda row: row["mean" if runs else "gap"])
    name = money_name(results[0]).removeprefix("The ").lower()
    message = f"The {name} in {results[0].years[-1]} is largest under ‘{worst['label']}’: {money(worst['mean' if runs else 'gap'])}{' expected' if runs else ''}"
    if runs and has_gap(results[0]):
        message += f", balancing in {chance(worst['balance'])} of runs"
    chart = Chart(*(ranges(frame, money, width, message, names) for width in (WIDE, NARROW)))
    note = (
        "Run by run with the same luck: two rows differ only by what differs between them." if _paired(results) else ""
    )
    return Section(
        "scenarios",
        "Scenarios",
        exhibits=(Exhibit("scenario-comparison", message + ".", table, chart, note, sheet="Scenarios"),),
    )


def _paired(results: Sequence[Result]) -> bool:
    return all((result.runs, result.seed) == (results[0].runs, results[0].seed) and result.runs for result in results)


def _row(result: Result, first: Result, holders: list[str]) -> dict[str, Any]:
    last = result.years[-1]
    row: dict[str, Any] = {"label": scenario_title(result), "gap": result.gap.total(last)}
    if result.runs and first.runs:
        frame = result.gap(year=last).row(0, named=True)
        row |= {name: frame[name] for name in ("mean", "p10", "p90")}
        row["balance"] = result.probability("gap", at_most=0)
        row["shift"] = None if result is first else frame["mean"] - first.gap(year=last)["mean"][0]
        if result is not first and _paired((first, result)):
            difference = result.gap.sample(last) - first.gap.sample(last)
            row["worse"] = float(np.mean(difference > 1e-6 * max(1.0, abs(frame["mean"]))))
    if result.saving.labels:
        row["saving"] = result.saving.total(last)
    for holder in set(holders) & set(bed_holders(result)):
        where = in_buildings(result, holder)
        row[f"beds:{holder}"] = result.beds.total(last, **where)
        if result.runs:
            row[f"beds_mean:{holder}"] = float(result.beds(year=last, **where)["mean"][0])
    return row
