"""Milestones: due, expected and done, what waits for what, and what a slip delays down to the benefits in the model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup

from bettercare.assurance import Assessment
from bettercare.assurance.milestones import Progress, Scheduled
from bettercare.assurance.slippage import Consequences, Difference, consequences
from bettercare.errors import BettercareError
from bettercare.reports.amounts import count, money, signed
from bettercare.reports.charts.gantt import gantt
from bettercare.reports.exhibit import Chart
from bettercare.reports.programme.signs import NARROW, WIDE
from bettercare.store import Missing
from bettercare.web.forms import Form, form_of
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.pages.registers import Filter, Register, filtered, save, scheme_name, show_form
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment

router = APIRouter(prefix="/plans/{plan}/milestones", include_in_schema=False)

Enterer = Annotated[Visitor, Depends(needs("enter"))]
"""For the signature of a route that enters progress."""

PROGRESS = Register(
    kind=Progress, path="milestones", one="milestone", many="milestones", right="enter", rows=lambda assessment: assessment.registers.progress,
    call=lambda row: row.id, asked=("expected", "done_on", "owner", "comments"),
)  # fmt: skip

FILTERS = (
    Filter("status", "Status", lambda one: str(one.status), first=("Not done", lambda one: one.done_on is None)),
    Filter("theme", "Theme", lambda one: str(one.theme), lambda plan, value: str(plan["themes"].by_id[value]["name"]) if value in plan["themes"].by_id else value),
    Filter("critical", "Critical path", lambda one: "yes" if one.critical else "no"),
)  # fmt: skip


@dataclass(frozen=True)
class Change:
    """What a delay does to one measure in one year, in words."""

    measure: str
    year: str
    planned: str
    least: str
    most: str


def _milestone(assessment: Assessment, id: str) -> Scheduled:
    one = assessment.schedule.by_id.get(id)
    if one is None:
        raise Missing(f"There is no milestone {id!r}.", remedy="Look at the list of milestones.")
    return one


@router.get("")
def milestones(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The schedule."""
    schedule = assessment.schedule
    rows, groups = filtered(assessment.plan, schedule.milestones, FILTERS, request)
    shown = tuple(one.id for one in rows)
    chart = deployed.remember(
        assessment, ("gantt", shown), lambda: Chart(*(Markup(gantt(schedule, width, rows)) for width in (WIDE, NARROW)))
    )
    return page(
        request, visitor, "milestones.html.j2", assessment, title="Milestones", schedule=schedule, rows=rows, groups=groups, chart=chart,
        path=[schedule.by_id[id] for id in schedule.critical_path], titles=_titles(assessment),
        scheme_name=lambda scheme: scheme_name(assessment.plan, scheme),
        counts={status: sum(one.status == status for one in schedule.milestones) for status in ("done", "done late", "on course", "at risk", "late", "undated")},
    )  # fmt: skip


def _titles(assessment: Assessment) -> dict[str, str]:
    return {one.id: one.milestone for one in assessment.schedule.milestones}


@router.get("/{id}")
def milestone(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """One milestone."""
    return _show(request, visitor, assessment, deployed, _milestone(assessment, id))


@router.get("/{id}/delays")
def delays(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str, days: str = ""
) -> Response:
    """What its slip delays, worked through the model; or a slip of some days to try."""
    one = _milestone(assessment, id)
    try:
        if days.strip() and not re.fullmatch(r"\d{1,5}", days.strip()):
            raise BettercareError("Enter a whole number of days, such as 90.")
        tried = int(days) if days.strip() else None

        def worked() -> Consequences:
            return consequences(assessment.plan, assessment.schedule, id, tried)

        # A delay to try is not remembered: there is no end to what can be tried.
        found = deployed.remember(assessment, ("delays", id), worked) if tried is None else worked()
    except BettercareError as error:
        fault = f"{error.what} {error.remedy}".strip()
        return _show(request, visitor, assessment, deployed, one, days=days, fault=fault)
    return _show(request, visitor, assessment, deployed, one, found, days)


def _show(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, one: Scheduled, found: Consequences | None = None,
    days: str = "", fault: str = "",
) -> Response:  # fmt: skip
    plan = assessment.plan
    row = plan["milestones"].by_id[one.id]
    entered = _progress(assessment, one.id)
    return page(
        request, visitor, "milestone.html.j2", assessment, title=one.milestone, status=400 if fault else 200, faulty=bool(fault), one=one,
        entered=entered, history=deployed.store.history(Progress, plan.id, one.id), titles=_titles(assessment), found=found, days=days, fault=fault,
        changes=_changes(found.differences) if found else (), chain=assessment.chain(f"milestone:{one.id}"), may=visitor.may("enter"),
        schemes=[scheme for scheme in plan.schemes if scheme.id == one.scheme or one.id in (scheme.row["milestones"] or ())],
        source=", ".join(filter(None, (row["source"], row["where"]))), crumbs=(("Milestones", f"/plans/{plan.id}/milestones"),),
    )  # fmt: skip


def _changes(differences: Sequence[Difference]) -> list[Change]:
    """The differences there are, written in their unit."""
    made = []
    for one in differences:
        if one.by_least or one.by_most:
            write = money if one.unit == "GBP" else count
            made.append(
                Change(
                    one.measure.capitalize(), one.year, write(one.planned), signed(write(one.by_least)), signed(write(one.by_most))
                )
            )  # fmt: skip
    return made


# --- entering progress ----------------------------------------------------------------------------------------------------


def _progress(assessment: Assessment, id: str) -> Progress | None:
    return next((one for one in assessment.registers.progress if one.id == id), None)


def _show_progress(
    request: Request, visitor: Visitor, assessment: Assessment, one: Scheduled, form: Form, status: int = 200
) -> Response:
    own = PROGRESS.address(assessment.plan.id, one.id)
    row = _progress(assessment, one.id) or Progress(plan=assessment.plan.id, id=one.id)
    due = f"due {one.due.day} {one.due:%B %Y}" if one.due else "not dated in the papers"
    return show_form(
        PROGRESS, request, visitor, assessment, form, row, status, title="Enter progress", action=f"{own}/progress", intro=f"It is {due}.",
        called=one.milestone,
    )  # fmt: skip


@router.get("/{id}/progress")
def ask_progress(request: Request, visitor: Enterer, assessment: Assessed, id: str) -> Response:
    """The form in which progress is entered."""
    one = _milestone(assessment, id)
    form = form_of(Progress, _progress(assessment, id), only=PROGRESS.asked)
    return _show_progress(request, visitor, assessment, one, form)


@router.post("/{id}/progress")
def enter_progress(
    request: Request, visitor: Enterer, assessment: Assessed, deployed: Deployed, sent: Sent, id: str
) -> Response:
    """Keep what is entered, and say what the milestone's rating now is."""
    one = _milestone(assessment, id)
    made = save(PROGRESS, assessment, deployed, visitor, sent, _progress(assessment, id), id=id)
    if isinstance(made, tuple):
        return _show_progress(request, visitor, assessment, one, made[1], made[0])
    now = deployed.assessment(assessment.plan.id).schedule.by_id[id]
    return done(
        PROGRESS.address(assessment.plan.id, id),
        f"Progress is entered. The milestone is now {now.status}. {now.reason}",
    )
