"""The pooled fund: what partners put in, what is held back, and what it pays for another way."""

from __future__ import annotations

from bettercare.model import Result
from bettercare.plan import Plan
from bettercare.reports.amounts import money
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.words import named

_KINDS = {
    "minimum": "Minimum required", "agreed": "Agreed by the partners", "reserve": "Reserve", "risk-pool": "Risk pool", "pay-for-performance": "Pay for performance",
    "contingency": "Contingency",
}  # fmt: skip


def pool(result: Result) -> Section:
    """The fund beside what the schemes spend, and the registers that split money already in the plan."""
    plan = result.plan
    exhibits = []
    if plan["pool"].rows:
        exhibits.append(_fund(result))
    exhibits += _registers(plan)
    return Section("pool", "The pooled fund" if plan["pool"].rows else "Allocations", exhibits=tuple(exhibits))


def _fund(result: Result) -> Exhibit:
    plan = result.plan
    rows = []
    for row in plan["pool"]:
        figure = plan["pool"].figure(row)
        place = {"basis": figure.basis, "source": f"{figure.where} ({figure.source})", "note": figure.note}
        rows.append({"kind": _KINDS[row["kind"]], "year": row["year"], "value": figure.base, **place})
    for year in result.years:
        outlay = result.investment.total(year) if result.investment.labels else 0.0
        if outlay and any(row["year"] == year for row in rows):
            rows.append(
                {
                    "kind": "Spent by the schemes",
                    "year": year,
                    "value": outlay,
                    "basis": "from the run",
                    "source": "",
                    "note": "Sum of the investments of the plan",
                }
            )
    rows.sort(
        key=lambda row: (row["year"], list(_KINDS.values()).index(row["kind"]) if row["kind"] in _KINDS.values() else 9)
    )
    last = [row for row in rows if row["year"] == rows[-1]["year"]]
    agreed = next((row["value"] for row in last if row["kind"] == _KINDS["agreed"]), None)
    spent = next((row["value"] for row in last if row["kind"] == "Spent by the schemes"), None)
    message = "The pooled fund and what is held back from it."
    if agreed and spent:
        message = f"In {rows[-1]['year']} the partners agree {money(agreed)}; the schemes spend {money(spent)} of it."
    columns = (
        Column("kind", "What"),
        Column("year", "Year"),
        Column("value", "Amount", "money", "GBP"),
        Column("basis", "Basis"),
        Column("source", "Source"),
        Column("note", "Note"),
    )
    return Exhibit("pooled-fund", message, Table(columns, rows), sheet="Pooled fund")


def _registers(plan: Plan) -> list[Exhibit]:
    exhibits = []
    for register in dict.fromkeys(row["register"] for row in plan["allocations"]):
        rows = []
        for row in plan["allocations"]:
            if row["register"] == register:
                figure = plan["allocations"].figure(row)
                place = {"basis": figure.basis, "source": f"{figure.where} ({figure.source})", "note": figure.note}
                rows.append(
                    {
                        "line": row["line"],
                        "scheme": named(plan, "schemes", row["scheme"] or ""),
                        "year": row["year"],
                        "value": figure.value,
                        "unit": figure.unit.name,
                        **place,
                    }
                )
        title = str(register).replace("-", " ").capitalize()
        columns = (Column("line", "What it pays for"), Column("scheme", "Counted in scheme"), Column("year", "Year"), Column("value", "Amount", "amount"), Column("basis", "Basis"),
                   Column("source", "Source"), Column("note", "Note"))  # fmt: skip
        message = f"{title}: {len(rows)} lines of money already in the plan, split another way."
        exhibits.append(
            Exhibit(f"allocations-{register}", message, Table(columns, rows), sheet=title, folded=len(rows) > 12)
        )
    return exhibits
