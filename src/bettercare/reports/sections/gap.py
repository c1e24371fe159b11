"""The gap: year by year with how uncertain it is, scheme by scheme, and what the do-nothing is made of."""

from __future__ import annotations

import numpy as np
import polars as pl

from bettercare.model import Result
from bettercare.reports.amounts import chance, money
from bettercare.reports.charts.fan import fan
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.provenance import assumed, figures_by, rests_on, step_figures
from bettercare.reports.sections.frames import (
    NARROW,
    SOURCES,
    WIDE,
    bridge_chart,
    bridge_table,
    case_columns,
    ordered_bridge,
    with_sources,
)
from bettercare.reports.sections.verdict import has_gap, is_funded, left_over, money_name
from bettercare.reports.words import organisation_name


def gap(result: Result) -> Section:
    """Money over the years of the plan."""
    if not any(result.gap.published_case.flat):
        return Section("gap", "The gap", "The plan states no money, so there is no gap to show.")
    name = money_name(result)
    lead = ""
    if not has_gap(result):
        what = "spend less the fund that pays for them" if is_funded(result) else "cost"
        lead = (
            "The plan does not say what happens to cost and funding if nothing is done, so there is no gap to close: "
            f"this is what its schemes {what} and what they save."
        )
    exhibits = [_by_year(result, name), _by_scheme(result, name), _by_kind(result)]
    if has_gap(result):
        exhibits.append(_do_nothing(result))
    return Section("gap", name, lead, tuple(exhibits))


def gap_by_year(result: Result) -> pl.DataFrame:
    """The gap by year: as planned, do nothing and, with runs, mean, p10, p25, p50, p75, p90; GBP."""
    frame = result.gap()
    if has_gap(result):
        frame = frame.with_columns(result.gap(kind="do-nothing")["published_case"].alias("do_nothing"))
    if result.runs:
        quarters = [np.quantile(result.gap.sample(year), (0.25, 0.75)) for year in result.years]
        frame = frame.with_columns(
            pl.Series("p25", [low for low, _ in quarters]), pl.Series("p75", [high for _, high in quarters])
        )
        balance = [result.probability("gap", at_most=0, year=year) for year in result.years]
        frame = frame.with_columns(pl.Series("balance", balance))
    return frame


def _by_year(result: Result, name: str) -> Exhibit:
    frame = gap_by_year(result)
    last = frame.row(-1, named=True)
    left = left_over if has_gap(result) or is_funded(result) else money
    message = f"{name} in {last['year']} as planned: {left(last['published_case'])}"
    if result.runs:
        message += (
            f"; expected {left(last['mean'])}, eight runs in ten between {left(last['p10'])} and {left(last['p90'])}"
        )
        if has_gap(result):
            message += f"; it balances in {chance(last['balance'])} of runs"
    columns = [Column("year", "Year")]
    columns += [Column("do_nothing", "Do nothing", "money", "GBP")] if has_gap(result) else []
    columns += [*case_columns(result, "money", "GBP")]
    if result.runs:
        columns[-1:-1] = [Column(key, key, "money", "GBP") for key in ("p25", "p50", "p75")]
        columns += [Column("balance", "Share of runs in balance", "chance")] if has_gap(result) else []
    zero = "balance" if has_gap(result) or is_funded(result) else "no cost"
    chart = Chart(fan(frame, money, WIDE, message, zero), fan(frame, money, NARROW, message, zero))
    note = "Above zero money is short." if zero == "balance" else "Above zero is a cost."
    if result.runs and any(row["basis"] == "assumed" for row in result.plan["delivery"]):
        note += " How sure it is rests on assumed delivery of the schemes, under What this rests on."
    return Exhibit(
        "gap-by-year",
        message + ".",
        Table(tuple(columns), frame.to_dicts()),
        chart,
        note,
        rests_on(result, "gap"),
        "Gap by year",
    )


def _by_scheme(result: Result, name: str) -> Exhibit:
    last = result.years[-1]
    bridge = result.bridge("gap")
    frame = ordered_bridge(bridge, {"Plan": f"Plan, {last}"})
    funded = {labels["line"] for labels in result.gap.labels if labels.get("kind") == "funding"}
    changes = frame.filter((pl.col("kind") == "change") & ~pl.col("step").is_in(funded))
    message = f"{name} in {last}, scheme by scheme"
    if changes.height:
        falls = changes["published_case"][0] < 0 and changes["published_case"].abs().arg_max() == 0
        top = changes.row(0 if falls else -1, named=True)
        message += f": {top['step']} {'takes off' if falls else 'costs'} most ({money(abs(top['published_case']))}"
        message += f" as planned, {money(abs(top['mean']))} expected)" if result.runs else " as planned)"
    table = bridge_table(result, frame, step_figures(result, "gap"), "money", "GBP")
    note = "Each scheme's savings less its own investment; the steps add up exactly, as planned and in every run."
    return Exhibit(
        "gap-bridge", message + ".", table, bridge_chart(frame, money, message), note, sheet="Money bridge by scheme"
    )


def _by_kind(result: Result) -> Exhibit:
    """What the gap is made of in each year, as planned."""
    frame = (
        result.gap(by="kind")
        .select("kind", "year", "published_case")
        .pivot("year", index="kind", values="published_case")
    )
    rows = [
        {**row, "kind": row["kind"].capitalize()} for row in frame.to_dicts() if any(row[year] for year in result.years)
    ]
    total = {"kind": money_name(result).removeprefix("The ").capitalize()} | dict(
        zip(result.years, result.gap()["published_case"].to_list(), strict=True)
    )
    columns = (Column("kind", "As planned"), *(Column(year, year, "money", "GBP") for year in result.years))
    message = "What it is made of, year by year, as planned."
    note = "Savings and funding are negative: they count against what is spent."
    return Exhibit("gap-by-kind", message, Table(columns, [*rows, total]), note=note, sheet="Gap by kind")


def _do_nothing(result: Result) -> Exhibit:
    """The do-nothing gap by organisation: growth of cost less growth of funding, and what was there before."""
    last, words = result.years[-1], ("organisation", "sector", "line")
    lines = [line for line in result.lines["gap"] if line.labels.get("kind") == "do-nothing"]
    rows = []
    for row in result.gap(by=words, year=last, kind="do-nothing").to_dicts():
        own = [line for line in lines if all(line.labels.get(word, "") == row[word] for word in words)]
        name, sector = organisation_name(result.plan, row["organisation"]), row["sector"].replace("-", " ")
        figures = [figure for line in own for figure in line.ground.figures]
        rows.append(with_sources(row | {"organisation": name, "sector": sector}, figures))
    total = result.gap.total(last, kind="do-nothing")
    message = f"If nothing is done the gap is {money(total)} in {last}: growth of cost less growth of funding"
    beside = total - sum(row["published_case"] for row in rows if row["line"].startswith("Growth of "))
    message += f", and {money(beside)} beside them." if abs(beside) >= 0.05e6 else "."
    columns = (
        Column("organisation", "Organisation"),
        Column("line", "What"),
        Column("sector", "Sector"),
        *case_columns(result, "money", "GBP"),
        *SOURCES,
    )
    resting = assumed(figures_by(result, "gap", "kind").get("do-nothing", []))
    return Exhibit(
        "do-nothing", message, Table(columns, rows), rests_on=resting, sheet="Do-nothing gap", folded=len(rows) > 12
    )
