"""The risk register: before and after mitigation, programme and project, and how each score has moved."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from bettercare.assurance import Assessment
from bettercare.assurance.risks import AMBER_FROM, RED_FROM, Risk, band, exposure, movement, open_risks, overdue_reviews
from bettercare.reports.charts.risk_matrix import risk_matrix
from bettercare.reports.exhibit import Chart
from bettercare.reports.programme.signs import NARROW, WIDE
from bettercare.web.pages.registers import Context, Filter, Register, in_a_line, routes, scheme_name
from bettercare.web.state import Deployment


def _rows(assessment: Assessment) -> Sequence[Risk]:
    """Open risks, the highest first; then the others."""
    still = open_risks(assessment.registers.risks)
    return (*still, *(risk for risk in assessment.registers.risks if risk.status != "open"))


def _listing(assessment: Assessment, rows: Sequence[Risk]) -> Context:
    still = [risk for risk in rows if risk.status == "open"]
    numbers = {risk.id: place for place, risk in enumerate(rows, start=1)}
    scored = [risk for risk in still if risk.score]
    chart = Chart(*(Markup(risk_matrix(still, width, numbers)) for width in (WIDE, NARROW))) if scored else None
    return {
        "numbers": numbers, "chart": chart, "band": band, "open": still, "scored": scored, "overdue": overdue_reviews(still, assessment.on),
        "exposure": exposure(still), "red": [risk for risk in still if band(risk.now) == "red"], "bands": (AMBER_FROM, RED_FROM),
        "scheme_name": lambda scheme: scheme_name(assessment.plan, scheme),
    }  # fmt: skip


def _viewing(assessment: Assessment, deployment: Deployment, risk: Risk) -> Context:
    return {
        "band": band, "bands": (AMBER_FROM, RED_FROM), "scheme_name": lambda scheme: scheme_name(assessment.plan, scheme),
        "history": movement(deployment.store.history(Risk, assessment.plan.id, risk.id)),
        "overdue": risk in overdue_reviews([risk], assessment.on),
    }  # fmt: skip


def _short(risk: Risk) -> str:
    return in_a_line(risk.risk)


RISKS = Register(
    kind=Risk, path="risks", one="risk", many="risks", right="edit", rows=_rows, call=_short,
    asked=(
        "risk", "level", "category", "scheme", "likelihood", "impact", "mitigation", "residual_likelihood", "residual_impact", "pence", "falls_on",
        "owner", "review", "status",
    ),
    listing=_listing, viewing=_viewing,
    filters=(
        Filter("level", "Level", lambda risk: str(risk.level)),
        Filter("status", "Status", lambda risk: str(risk.status)),
        Filter("category", "Category", lambda risk: str(risk.category), lambda plan, value: value),
    ),
)  # fmt: skip

router = routes(RISKS)
