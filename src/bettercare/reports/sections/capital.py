"""Capital: what is built when, who pays, and what it returns."""

from __future__ import annotations

from typing import Any

import polars as pl

from bettercare.model import Result
from bettercare.plan import Plan, Row
from bettercare.reports.amounts import money
from bettercare.reports.charts.calendar import calendar
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.provenance import bases, cited
from bettercare.reports.sections.frames import NARROW, SOURCES, WIDE, case_columns
from bettercare.reports.words import named

KINDS = {
    "requirement": "Needed",
    "approved": "Approved already", "internal": "Internally funded", "disposal": "Disposals", "private-finance": "Private finance",
    "charitable-or-commercial": "Charitable or commercial", "local-authority": "Local authority", "national-capital": "National capital still to be found",
}  # fmt: skip


def capital(result: Result) -> Section:
    """Spend by programme and year, funding by source and year, and the case for each programme."""
    exhibits = []
    if any(result.capital.published_case.flat):
        exhibits += [_by_year(result), _expected(result)]
    exhibits += _funding(result.plan)
    if result.plan["capital_programmes"].rows:
        exhibits.append(_case(result))
    return Section("capital", "Capital", exhibits=tuple(exhibits))


def _wide(rows: list[dict[str, Any]], periods: list[str]) -> list[dict[str, Any]]:
    """Rows with their own total, and a row of totals below."""
    rows = [row | {"Total": sum(row[period] or 0.0 for period in periods)} for row in rows]
    total = {"label": "Total"} | {period: sum(row[period] or 0.0 for row in rows) for period in (*periods, "Total")}
    return [*rows, total]


def _drawn(rows: list[dict[str, Any]], periods: list[str], title: str, out: str, into: str) -> Chart:
    frame = pl.DataFrame(
        [{name: row[name] for name in ("label", *periods)} for row in rows],
        schema_overrides=dict.fromkeys(periods, pl.Float64),
    )
    narrow = frame if len(periods) <= 5 else frame.drop("Total")
    return Chart(calendar(frame, money, WIDE, title, out, into), calendar(narrow, money, NARROW, title, out, into))


def _by_year(result: Result) -> Exhibit:
    plan = result.plan
    spent = result.capital(by=("programme", "kind"))
    years = [year for year in result.years if any(spent.filter(pl.col("year") == year)["published_case"])]
    rows = []
    for (programme, kind), part in spent.group_by(("programme", "kind"), maintain_order=True):
        name = named(plan, "capital_programmes", str(programme))
        figures = [
            figure
            for line in result.lines["capital"]
            if (line.labels.get("programme"), line.labels["kind"]) == (programme, kind)
            for figure in line.ground.figures
        ]
        values = dict(zip(part["year"], part["published_case"], strict=True))
        shown = {"label": name if kind == "spend" else f"{name}: disposals"} | {year: values[year] for year in years}
        rows.append(shown | {"basis": bases(figures), "source": cited(figures, 2)})
    rows.sort(key=lambda row: -sum(row[year] for year in years))
    table = _wide(rows, years)
    gross = sum(result.capital.total(year, kind="spend") for year in result.years)
    peak = max(years, key=lambda year: result.capital.total(year, kind="spend"))
    message = f"{money(gross)} is to be spent, the largest part in {peak}; {money(sum(row[y] for row in rows for y in years))} is left after disposals"
    undated = any(not row["year"] for row in plan["capital"])
    note = "Capital the papers do not date stands in the last year." if undated else ""
    columns = (
        Column("label", "Programme"),
        *(Column(name, name, "money", "GBP") for name in (*years, "Total")),
        *SOURCES,
    )
    return Exhibit("capital-by-year", message + ".", Table(columns, table), _drawn(table, [*years, "Total"], message, "spend", "disposals"), note,
                   sheet="Capital by year")  # fmt: skip


def _expected(result: Result) -> Exhibit:
    names = {"spend": "Spend", "disposal": "Disposals"}
    rows = [
        row | {"kind": names.get(row["kind"], row["kind"])}
        for row in result.capital(by="kind").to_dicts()
        if row["published_case"] or row.get("mean")
    ]
    if result.charges.labels:
        rows += [
            row | {"kind": "Charges worked out from the spend"}
            for row in result.charges().to_dicts()
            if row["published_case"] or row.get("mean")
        ]
    columns = (Column("kind", "What"), Column("year", "Year"), *case_columns(result, "money", "GBP"))
    message = "Capital and its charges by year, as planned and as expected with delay, overrun and schemes that do not go ahead."
    if not result.runs:
        message = "Capital and its charges by year, as planned."
    note = "Charges are depreciation and the charge on capital not yet written off, from the year after the spend; the gap holds the charges the plan itself states."
    return Exhibit(
        "capital-expected", message, Table(columns, rows), note=note, sheet="Capital expected", folded=len(rows) > 12
    )


def _funding(plan: Plan) -> list[Exhibit]:
    """Where the money comes from, by group, source and year."""
    groups = dict.fromkeys(row["group"] for row in plan["capital_funding"])
    made = [
        _sources_of(plan, group, [row for row in plan["capital_funding"] if row["group"] == group]) for group in groups
    ]
    return [exhibit for exhibit in made if exhibit is not None]


def _sources_of(plan: Plan, group: str, found: list[Row]) -> Exhibit | None:
    """One group's need and sources; None where it has no source."""
    dated = {str(row["year"]) for row in found if row["year"]}
    periods = sorted(dated, key=lambda period: (period != "prior", period))
    rows = [_source(plan, found, kind, name, periods) for kind, name in KINDS.items()]
    rows = [row for row in rows if any(row[period] is not None for period in (*periods, "Total"))]
    if len(rows) < 2:
        return None
    need, left = rows[0], rows[-1]
    message = f"{group}: where the capital comes from"
    if left["label"] == KINDS["national-capital"] and left["Total"] and need["Total"]:
        message = (
            f"{group}: of {money(need['Total'])} needed, {money(left['Total'])} is still to come from national capital"
        )
    columns = (
        Column("label", "Source"),
        *(Column(name, name.capitalize(), "money", "GBP") for name in (*periods, "Total")),
        *SOURCES,
    )
    chart = _drawn(rows, [*periods, "Total"], message, "money", "more than is needed")
    note = "As the plan prints it: totals are those stated, not sums of the years."
    name = f"capital-funding-{group.lower().replace(' ', '-')}"
    return Exhibit(name, message + ".", Table(columns, rows), chart, note, sheet=f"Capital funding {group}")


def _source(plan: Plan, found: list[Row], kind: str, name: str, periods: list[str]) -> dict[str, Any]:
    """The amounts of one kind of money by period."""
    # Sources are printed as deductions; the need and what is left for national capital are printed as they are.
    sign = 1 if kind in ("requirement", "national-capital") else -1
    own = [row for row in found if row["kind"] == kind]
    figures = [plan["capital_funding"].figure(row) for row in own]
    values: dict[str, Any] = {"label": name, "basis": bases(figures), "source": cited(figures, 2)}
    for period in (*periods, "Total"):
        amounts = [sign * plan["capital_funding"].figure(row).base for row in own if (row["year"] or "Total") == period]
        values[period] = sum(amounts) if amounts else None
    return values


def _case(result: Result) -> Exhibit:
    rows = []
    for row, programme in zip(result.capital_case().to_dicts(), result.plan["capital_programmes"], strict=True):
        rows.append(
            row | {"source": f"{programme['where'] or ''} ({programme['source']})", "note": programme["note"] or ""}
        )
    columns = (
        Column("programme", "Programme"), Column("gross", "Before disposals", "money", "GBP"), Column("net", "After disposals", "money", "GBP"),
        Column("yearly_saving", "Saving a year", "money", "GBP"), Column("saving_from", "Saving taken from"), Column("roi", "Return", "percent", "%"),
        Column("roi_published", "Return published", "percent", "%"), Column("payback", "Payback", "years", "years"),
        Column("payback_published", "Payback published", "years", "years"), Column("net_present_value", "Net present value", "money", "GBP"),
        Column("source", "Source"), Column("note", "Note"),
    )  # fmt: skip
    rate = result.plan.parameter("discount-rate", 0.035)
    message = "Return, payback and net present value of each programme as planned, beside those published."
    note = f"Return is the yearly saving over the capital; payback its reciprocal; net present value at {100 * rate:.3g}% a year."
    return Exhibit("capital-case", message, Table(columns, rows), note=note, sheet="Capital case")
