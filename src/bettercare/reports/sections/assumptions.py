"""What is not in the papers: every assumed figure with its reason and the results that rest on it, and the documents."""

from __future__ import annotations

from typing import Any

from bettercare.model import Result
from bettercare.plan import Plan
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.provenance import rests_on
from bettercare.reports.words import plural
from bettercare.vocabulary.care import BASES

MEASURES = ("gap", "beds", "staff", "capital", "saving")


def assumptions(result: Result) -> Section:
    """Assumed figures, delivery classes, how the rest is known, and the sources."""
    plan = result.plan
    exhibits = [
        exhibit for exhibit in (_assumed(result), _delivery(plan), _known(plan), _sources(plan)) if exhibit is not None
    ]
    lead = (
        "A figure is stated when the papers print it, reconstructed when its place in a table had to be put back, derived when it was worked out from printed figures, "
        "and assumed when the papers do not have it and the model needs it."
    )
    return Section("basis", "What this rests on", lead, tuple(exhibits))


def _assumed(result: Result) -> Exhibit | None:
    plan = result.plan
    used = {measure: set(rests_on(result, measure)) for measure in MEASURES}
    rows = []
    for table in plan.tables.values():
        if table.name in ("delivery", "common_causes"):
            continue
        for row in table:
            if row["basis"] == "assumed":
                name = f"{table.name}.{row['scheme']}.{row.id}" if table.name == "effects" else f"{table.name}.{row.id}"
                results = [measure for measure in MEASURES if name in used[measure]]
                rows.append({"id": name, "value": _size(row), "unit": row["unit"] or "ratio", "low": row["low"], "high": row["high"],
                             "results": ", ".join(results), "note": row["note"] or ""})  # fmt: skip
    if not rows:
        return None
    rows.sort(key=lambda row: -len(row["results"]))
    named = sum(bool(row["results"]) for row in rows)
    message = f"{plural(len(rows), 'assumed figure')}; {named} of them are behind the gap, beds, staff, capital or savings as planned."
    columns = (
        Column("id", "Figure"), Column("value", "Value", "amount"), Column("low", "Low", "amount"), Column("high", "High", "amount"),
        Column("results", "Behind, as planned"), Column("note", "Reason"),
    )  # fmt: skip
    return Exhibit("assumed", message, Table(columns, rows), sheet="Assumed figures", folded=len(rows) > 12)


def _size(row: Any) -> float | None:
    for name in ("value", "size", "likely"):
        if row[name] is not None:
            return float(row[name])
    return None


def _delivery(plan: Plan) -> Exhibit | None:
    rows = [
        {
            name: row[name]
            for name in (
                "name",
                "low",
                "likely",
                "high",
                "probability",
                "on_time",
                "year_late",
                "two_years_late",
                "basis",
                "note",
            )
        }
        for row in plan["delivery"]
    ]
    counts = {row.id: sum(scheme.row["delivery"] == row.id for scheme in plan.schemes) for row in plan["delivery"]}
    rows = [row | {"schemes": counts[found.id]} for row, found in zip(rows, plan["delivery"], strict=True)]
    columns = (
        Column("name", "Class of scheme"), Column("schemes", "Schemes", "count"), Column("low", "Lowest share", "plain"), Column("likely", "Likeliest share", "plain"),
        Column("high", "Highest share", "plain"), Column("probability", "Delivered at all", "chance"), Column("on_time", "On time", "chance"), Column("year_late", "A year late", "chance"),
        Column("two_years_late", "Two years late", "chance"), Column("basis", "Basis"), Column("note", "Reason"),
    )  # fmt: skip
    message = "How far and how late schemes are expected to deliver, by class: the expected results and their ranges rest on these."
    return Exhibit("delivery", message, Table(columns, rows), sheet="Delivery classes") if rows else None


def _known(plan: Plan) -> Exhibit | None:
    rows = []
    for table in plan.tables.values():
        if not any(column.name == "basis" for column in table.spec.columns):
            continue
        counts = {basis: sum(row["basis"] == basis for row in table) for basis in BASES}
        if any(counts.values()):
            rows.append({"table": table.spec.title} | counts)
    total = {basis: sum(row[basis] for row in rows) for basis in BASES}
    everything = sum(total.values())
    if not everything:
        return None
    message = f"How the plan's {everything:,} figures are known: {total['stated']:,} stated, {total['reconstructed']:,} reconstructed, {total['derived']:,} derived, {total['assumed']:,} assumed."
    columns = (Column("table", "Table"), *(Column(basis, basis.capitalize(), "count") for basis in BASES))
    return Exhibit(
        "bases", message, Table(columns, [*rows, {"table": "Total"} | total]), sheet="Basis of figures", folded=True
    )


def _sources(plan: Plan) -> Exhibit | None:
    rows = [{name: row[name] or "" for name in ("id", "title", "publisher", "date", "note")} for row in plan["sources"]]
    columns = (
        Column("id", "Short name"),
        Column("title", "Title"),
        Column("publisher", "Publisher"),
        Column("date", "Date"),
        Column("note", "Used for"),
    )
    return (
        Exhibit(
            "sources",
            f"{plural(len(rows), 'source')}, by the short names used above.",
            Table(columns, rows),
            sheet="Sources",
        )
        if rows
        else None
    )
