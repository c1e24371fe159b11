"""The plan on a page: what it is to do, how it stands, and its strands or themes with their schemes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from bettercare.assurance import Assessment
from bettercare.model import run
from bettercare.plan import Plan, Row, Scheme
from bettercare.reports.amounts import count, money
from bettercare.reports.exhibit import Headline
from bettercare.reports.programme.delivery import plan_on_a_page
from bettercare.reports.programme.signs import worst
from bettercare.reports.sections.schemes import schemes
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
    rows: Mapping[str, Mapping[str, Any]]
    """By the name of each scheme: what it is to save, avoid and cost."""


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
        table = schemes(result).exhibits[0].table if plan.schemes else None
        rows = {str(row["scheme"]): row for row in table.rows} if table else {}
        return Published(sentence_of(result), tuple(headlines(result, None)), rows)

    return deployed.keep((plan.id, "published"), make)


def themes(assessment: Assessment, as_published: Published) -> tuple[Theme, ...]:
    """The themes of a plan, each scheme with its state."""
    exhibits = plan_on_a_page(assessment).exhibits
    delivery = (
        {row["scheme"]: row["status"] for row in exhibits[0].table.rows} if exhibits and exhibits[0].table else {}
    )
    listed = []
    for theme in assessment.plan["themes"]:
        its = [scheme for scheme in assessment.plan.schemes if scheme.row["theme"] == theme.id]
        states = tuple(_state(assessment, as_published, one, delivery.get(one.name, "grey")) for one in its)
        listed.append(Theme(theme, _together(as_published, its), states))
    return tuple(listed)


def _state(assessment: Assessment, as_published: Published, scheme: Scheme, delivery: str) -> SchemeState:
    metrics = worst(one.rag.status for one in assessment.judgements.values() if scheme.id in one.metric.schemes)
    return SchemeState(scheme, does(as_published, scheme), delivery, metrics)


def does(as_published: Published, scheme: Scheme) -> str:
    """What a scheme is to do, in a few words."""
    return _words(as_published.rows.get(scheme.name, {}))


def _together(as_published: Published, its: list[Scheme]) -> str:
    """What the schemes of a theme are to do together."""
    rows = [as_published.rows.get(scheme.name, {}) for scheme in its]
    names = ("published_case", "beds", "avoided", "investment")
    return _words({name: sum(row.get(name) or 0.0 for row in rows) for name in names})


def _words(row: Mapping[str, Any]) -> str:
    parts = [
        words
        for amount, words in (
            (row.get("published_case"), f"saves {money(row.get('published_case') or 0.0)}"),
            (row.get("beds"), f"frees {count(row.get('beds') or 0.0)} beds"),
            (row.get("avoided"), f"avoids {count(row.get('avoided') or 0.0)} admissions"),
            (row.get("investment"), f"costs {money(row.get('investment') or 0.0)}"),
        )
        if amount
    ]
    return ", ".join(parts)


@router.get("/plans/{plan}")
def overview(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The plan on a page."""
    as_published = published(deployed, assessment.plan)
    listed = deployed.remember(assessment, "themes", lambda: themes(assessment, as_published))
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
