"""What may go wrong, what the plan depends on, and when things are due."""

from __future__ import annotations

from typing import Any

from bettercare.plan import Plan
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.words import named, plural


def risks(plan: Plan) -> Section:
    """Risks, interdependencies, risk sharing and milestones as the plan gives them."""
    exhibits = [
        exhibit
        for exhibit in (_risks(plan), _dependencies(plan), _sharing(plan), _milestones(plan))
        if exhibit is not None
    ]
    return Section("risks", "Risks and dependencies", exhibits=tuple(exhibits))


def _place(row: Any) -> str:
    return f"{row['where'] or ''} ({row['source']})"


def _schemes(plan: Plan, text: str | None) -> str:
    return "; ".join(named(plan, "schemes", name.strip()) for name in (text or "").split(";") if name.strip())


def _risks(plan: Plan) -> Exhibit | None:
    found = plan["risks"].rows
    if not found:
        return None
    scored = [row for row in found if row["likelihood"] and row["impact"]]
    without = sum(not row["mitigation"] for row in found)
    message = f"{plural(len(found), 'risk')}; {without or 'none'} without a mitigation"
    message += f", {len(scored)} scored." if scored else ", none scored for likelihood and impact."
    columns: tuple[Column, ...] = (
        Column("risk", "Risk"), Column("category", "Group"), Column("scheme", "Scheme"), Column("score", "Likelihood x impact"), Column("owner", "Owner"),
        Column("mitigation", "Mitigation"), Column("source", "Source"),
    )  # fmt: skip
    rows = [
        {"risk": row["risk"], "category": row["category"] or "", "scheme": _schemes(plan, row["scheme"]), "owner": row["owner"] or "none named",
         "score": f"{row['likelihood']} x {row['impact']}" if row["likelihood"] and row["impact"] else "", "mitigation": row["mitigation"] or "none given", "source": _place(row)}
        for row in sorted(found, key=lambda row: -(row["likelihood"] or 0) * (row["impact"] or 0))
    ]  # fmt: skip
    if not scored:
        columns = tuple(column for column in columns if column.key != "score")
    return Exhibit("risks-register", message, Table(columns, rows), sheet="Risks", folded=len(rows) > 12)


def _dependencies(plan: Plan) -> Exhibit | None:
    rows = [
        {"depends_on": row["depends_on"], "schemes": _schemes(plan, row["schemes"]), "source": _place(row)}
        for row in plan["interdependencies"]
    ]
    columns = (Column("depends_on", "Depends on"), Column("schemes", "Schemes"), Column("source", "Source"))
    message = f"{plural(len(rows), 'thing')} outside its schemes that the plan depends on."
    return (
        Exhibit("interdependencies", message, Table(columns, rows), sheet="Interdependencies", folded=len(rows) > 12)
        if rows
        else None
    )


def _sharing(plan: Plan) -> Exhibit | None:
    rows = [
        {"scenario": row["scenario"], "treatment": row["treatment"] or "not said", "source": _place(row)}
        for row in plan["risk_sharing"]
    ]
    columns = (
        Column("scenario", "What happens"),
        Column("treatment", "What the partners then do"),
        Column("source", "Source"),
    )
    return (
        Exhibit(
            "risk-sharing",
            f"{plural(len(rows), 'case')} the partners plan for.",
            Table(columns, rows),
            sheet="Risk sharing",
        )
        if rows
        else None
    )


def _milestones(plan: Plan) -> Exhibit | None:
    found = sorted(plan["milestones"], key=lambda row: (row["due"] is None, str(row["due"])))
    names = {row.id: str(row["milestone"]) for row in found}
    rows = [
        {"milestone": row["milestone"], "due": str(row["due"] or "no date"), "stated": row["due_as_stated"] or "", "scheme": _schemes(plan, row["scheme"]),
         "requires": "; ".join(names.get(name.strip(), name.strip()) for name in (row["requires"] or "").split(";") if name.strip()), "source": _place(row)}
        for row in found
    ]  # fmt: skip
    columns = (Column("milestone", "Milestone"), Column("due", "Due by"), Column("stated", "As printed"), Column("scheme", "Scheme"), Column("requires", "Waits for"),
               Column("source", "Source"))  # fmt: skip
    return (
        Exhibit(
            "milestones",
            f"{plural(len(rows), 'milestone')} in order of date.",
            Table(columns, rows),
            sheet="Milestones",
            folded=True,
        )
        if rows
        else None
    )
