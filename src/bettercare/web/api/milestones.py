"""Milestones: the schedule, progress, and what a slip delays."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from bettercare.assurance import Assessment
from bettercare.assurance.milestones import Progress, Schedule, Scheduled
from bettercare.assurance.slippage import LONGEST, Consequences
from bettercare.store import Missing
from bettercare.web.api.routing import Assessed, changing, of_plan
from bettercare.web.api.shapes import body_of, record_of, shape, takes
from bettercare.web.guard import Reader, Visitor, needs
from bettercare.web.pages.milestones import PROGRESS
from bettercare.web.state import Deployed

Enterer = Annotated[Visitor, Depends(needs(PROGRESS.right))]
MilestoneId = Annotated[str, Path(description="Id of the milestone", max_length=120)]

router = of_plan("Milestones")


class MilestoneOut(BaseModel):
    """A milestone in the schedule, and what was entered of it."""

    scheduled: shape(Scheduled)  # type: ignore[valid-type]
    progress: Progress | None = Field(description="Null when nothing has been entered")


@router.get("/milestones", response_model=shape(Schedule))
def schedule(visitor: Reader, assessment: Assessed) -> Any:
    """Every milestone in order of due date, with the critical path."""
    return assessment.schedule


def _scheduled(assessment: Assessment, id: str) -> Scheduled:
    found = assessment.schedule.by_id.get(id)
    if found is None:
        raise Missing(f"The plan has no milestone {id!r}.", remedy="Look at the list of milestones.")
    return found


def _entered(assessment: Assessment, id: str) -> Progress | None:
    return next((one for one in assessment.registers.progress if one.id == id), None)


@router.get("/milestones/{id}", response_model=MilestoneOut)
def milestone(visitor: Reader, assessment: Assessed, id: MilestoneId) -> Any:
    """One milestone."""
    return {"scheduled": _scheduled(assessment, id), "progress": _entered(assessment, id)}


@router.get("/milestones/{id}/consequences", response_model=shape(Consequences))
def milestone_consequences(
    visitor: Reader,
    assessment: Assessed,
    id: MilestoneId,
    days: Annotated[int | None, Query(description="A slip to try; without it, the one the schedule shows", ge=0, le=LONGEST)] = None,
) -> Any:  # fmt: skip
    """What the slip of a milestone delays: other milestones, schemes, and the benefits in the model."""
    return assessment.consequences(id, days)


_PROGRESS = body_of(
    Progress, PROGRESS.asked, "ProgressIn", {"expected": "2016-03-31", "comments": "Waits for staff"}, again=True
)


@router.put("/milestones/{id}/progress", response_model=Progress)
@takes(_PROGRESS)
def enter_progress(visitor: Enterer, assessment: Assessed, deployed: Deployed, id: MilestoneId, body: Any) -> Any:
    """Enter where a milestone has got to. Version 0 when nothing has been entered yet."""
    _scheduled(assessment, id)
    before = _entered(assessment, id)
    kept = before.model_dump() if before else {}
    made = PROGRESS.check(
        assessment, record_of(Progress, **kept | body.model_dump() | {"plan": assessment.plan.id, "id": id})
    )
    with changing(deployed, visitor) as change:
        return change.replace(made) if made.version else change.add(made)
