"""Risks: the matrix before and after mitigation, and the register with the highest first."""

from __future__ import annotations

from bettercare.assurance import Assessment
from bettercare.assurance.risks import AMBER_FROM, RED_FROM, Risk, band, open_risks, overdue_reviews
from bettercare.reports.amounts import NONE
from bettercare.reports.charts.risk_matrix import risk_matrix
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.programme.signs import NARROW, WIDE, day, rating
from bettercare.reports.words import named, plural


def risks(assessment: Assessment, level: str = "") -> Section:
    """The register.

    Args:
        level: programme or project; "" for both.
    """
    plan = assessment.plan
    found = open_risks(assessment.registers.risks, level)
    if not found:
        return Section("risks", "Risks")
    numbers = {one.id: place for place, one in enumerate(found, start=1)}
    rows = [
        {"number": str(numbers[one.id]), "risk": one.risk, "scheme": named(plan, "schemes", one.scheme) if one.scheme else "", "before": _score(one.likelihood, one.impact),
         "after": _score(one.residual_likelihood, one.residual_impact), "money": one.pence / 100 if one.pence is not None else None,
         "rating": rating(band(one.now)), "owner": one.owner or "none named", "review": _review(one, assessment), "mitigation": one.mitigation or "none given"}
        for one in found
    ]  # fmt: skip
    columns: tuple[Column, ...] = (
        Column("number", "No."), Column("risk", "Risk"), Column("before", "Before"), Column("after", "After"), Column("rating", "Rating"), Column("owner", "Owner"),
        Column("review", "Next review"), Column("mitigation", "What is done about it"),
    )  # fmt: skip
    if any(row["money"] is not None for row in rows):
        columns = (*columns[:5], Column("money", "If it happens", "money", "GBP"), *columns[5:])
    scored = [one for one in found if one.score]
    red = sum(band(one.now) == "red" for one in found)
    overdue = len(overdue_reviews(found, assessment.on))
    message = f"{plural(len(found), 'open risk')}, {red} red (after mitigation, where that is scored); {plural(overdue, 'review')} overdue."
    register = Exhibit(
        "risk-register",
        message,
        Table(columns, rows, heading=1),
        note=f"Likelihood x impact, each 1 to 5. Red from {RED_FROM}, amber from {AMBER_FROM}: assumed, as the papers give no bands.",
        sheet="Risks",
    )
    if not scored:
        return Section("risks", "Risks", exhibits=(register,))
    moved = sum((one.residual or 25) < (one.score or 0) for one in scored)
    chart = Chart(*(risk_matrix(found, width, numbers) for width in (WIDE, NARROW)))
    matrix = Exhibit("risk-matrix", f"Mitigation lowers {moved} of {plural(len(scored), 'scored risk')}.", None, chart, "Numbers are those of the register below; each square says its score.")  # fmt: skip
    return Section("risks", "Risks", exhibits=(matrix, register))


def _score(likelihood: int | None, impact: int | None) -> str:
    return f"{likelihood} x {impact} = {likelihood * impact}" if likelihood and impact else NONE


def _review(risk: Risk, assessment: Assessment) -> str:
    return day(risk.review) + (" (overdue)" if risk.review and risk.review < assessment.on else "")
