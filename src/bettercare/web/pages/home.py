"""The plans of this server, with the state of each in a line."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from fastapi import APIRouter, Request, Response

from bettercare.reports.programme.front import ratings, verdict
from bettercare.reports.programme.signs import WORST_FIRST
from bettercare.web.guard import Reader
from bettercare.web.render import page
from bettercare.web.state import Deployed, Deployment

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class State:
    """How a plan stands."""

    on: date
    verdict: str
    counts: tuple[tuple[str, int], ...]
    """Ratings and how many metrics have each, the worst first."""
    off_track: int
    late: int
    """Milestones late or at risk."""
    synthetic: bool


@router.get("/")
def home(request: Request, visitor: Reader, deployed: Deployed) -> Response:
    """The list of plans."""
    states = [(deployed.plan(plan), state_of(deployed, plan)) for plan in deployed.plans]
    return page(request, visitor, "home.html.j2", title="Plans", states=states)


def state_of(deployed: Deployment, plan: str) -> State:
    """How a plan stands, made once for each state of the store."""
    assessment = deployed.assessment(plan)

    def make() -> State:
        found = ratings(assessment)
        return State(
            assessment.on, verdict(assessment), tuple((status, found[status]) for status in WORST_FIRST if found[status]), len(assessment.exceptions),
            len(assessment.schedule.late), assessment.registers.synthetic,
        )  # fmt: skip

    return deployed.remember(assessment, "state", make)
