"""Whether the published plan agrees with itself: every claim, recomputed."""

from __future__ import annotations

from collections import Counter

from fastapi import APIRouter, Request, Response

from bettercare.plan.check import check, why
from bettercare.web.guard import Reader
from bettercare.web.render import page
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

VERDICTS = {"inconsistent": "Does not add up", "rounding": "Rounding explains it", "agrees": "Agrees"}
SHOWN = 50
"""Claims on a page."""


@router.get("/plans/{plan}/check")
def claims(
    request: Request,
    visitor: Reader,
    assessment: Assessed,
    deployed: Deployed,
    only: str = "inconsistent",
    words: str = "",
    at: int = 1,
) -> Response:
    """The claims of a plan with their verdicts, those that do not add up first."""
    plan = assessment.plan
    verdicts = deployed.keep((plan.id, "check"), lambda: [(one, why(one)) for one in check(plan)])
    counts = Counter(one.verdict for one, _ in verdicts)
    only = only if only in VERDICTS or only == "all" else "inconsistent"
    sought = words.strip().lower()[:200]
    found = [
        (one, reason)
        for one, reason in verdicts
        if only in ("all", one.verdict)
        and all(word in f"{one.statement} {one.source} {one.id}".lower() for word in sought.split())
    ]
    order = list(VERDICTS)
    found.sort(key=lambda pair: order.index(pair[0].verdict))
    pages = max(1, -(-len(found) // SHOWN))
    at = min(max(at, 1), pages)
    return page(
        request, visitor, "check.html.j2", assessment, title="Check", verdicts=VERDICTS, counts=counts, total=len(verdicts), only=only,
        words=sought, found=found[(at - 1) * SHOWN : at * SHOWN], count=len(found), at=at, pages=pages,
    )  # fmt: skip
