"""What the plan implies and does not say: questions for a Board to confirm or challenge."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from bettercare.plan.challenge import challenge
from bettercare.web.guard import Reader
from bettercare.web.render import page
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

SEVERITIES = {
    "serious": ("Serious", "As printed it cannot all be so, or much money rests on it."),
    "question": ("Needs an answer", "A Board should ask."),
    "look": ("Worth knowing", ""),
}


@router.get("/plans/{plan}/challenge")
def questions(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The questions by severity, each of which a Board may raise."""
    plan = assessment.plan
    found = deployed.keep((plan.id, "challenge"), lambda: challenge(plan))
    groups = [(name, *words, [one for one in found if one.severity == name]) for name, words in SEVERITIES.items()]
    return page(request, visitor, "challenge.html.j2", assessment, title="Challenge", groups=groups, total=len(found))
