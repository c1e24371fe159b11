"""The plan on a page: what it is to do, how it stands, and its strands or themes with their schemes."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, Request, Response

from bettercare.assurance import Assessment
from bettercare.model import run
from bettercare.plan import Plan, Row, Scheme
from bettercare.reports.exhibit import Headline
from bettercare.reports.programme.delivery import plan_on_a_page
from bettercare.reports.programme.signs import worst
from bettercare.reports.sections.schemes import Planned, planned
from bettercare.reports.sections.verdict import headlines, sentence_of
from bettercare.web.guard import Reader
from bettercare.web.pages.home import state_of
from bettercare.web.render import page
from bettercare.web.state import Assessed, Deployed, Deployment

router = APIRouter(include_in_schema=False)

RUNS = 1000
"""Runs that say how sure the plan's result is."""


@dataclass(frozen=True)
class Published:
    """What the plan says happens when everything goes as planned."""

    sentence: str
    headlines: tuple[Headline, ...]
    planned: Planned


@dataclass(frozen=True)
class SchemeState:
    """A scheme as a line of the plan on a page."""

    scheme: Scheme
    does: str
    delivery: str
    """The worse of its money and its milestones."""
    metrics: str
    """The worst rating of those it should move."""


@dataclass(frozen=True)
class Theme:
    """A strand or theme with its schemes."""

    row: Row
    does: str
    schemes: tuple[SchemeState, ...]


def published(deployed: Deployment, plan: Plan) -> Published:
    """The plan as published, worked out once: a plan does not change while the server runs."""

    def make() -> Published:
        result = run(plan, RUNS)
        return Published(sentence_of(result), tuple(headlines(result, None)), planned(result))

    return deployed.keep((plan.id, "published"), make)


def themes(assessment: Assessment, said: Planned) -> tuple[Theme, ...]:
    """The themes of a plan, each scheme with its state."""
    exhibits = plan_on_a_page(assessment).exhibits
    rows = exhibits[0].table.rows if exhibits and exhibits[0].table else ()
    delivery = {row["id"]: row["status"] for row in rows}

    def state(scheme: Scheme) -> SchemeState:
        metrics = worst(one.rag.status for one in assessment.judgements.values() if scheme.id in one.metric.schemes)
        return SchemeState(scheme, said.schemes[scheme.id], delivery.get(scheme.id, "grey"), metrics)

    return tuple(
        Theme(theme, said.themes.get(theme.id, ""), tuple(state(one) for one in assessment.plan.schemes if one.row["theme"] == theme.id))
        for theme in assessment.plan["themes"]
    )  # fmt: skip


@router.get("/plans/{plan}")
def overview(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The plan on a page."""
    as_published = published(deployed, assessment.plan)
    listed = deployed.remember(assessment, "themes", lambda: themes(assessment, as_published.planned))
    state = state_of(deployed, assessment.plan.id)
    return page(
        request,
        visitor,
        "overview.html.j2",
        assessment,
        title="Plan on a page",
        published=as_published,
        state=state,
        themes=listed,
    )
