"""The day the pages of a plan speak of, and where its section 75 agreement stands."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from bettercare.assurance.programme import Programme
from bettercare.store import Conflict
from bettercare.web.forms import Clash, Faults, clash_of, form_of, read_form
from bettercare.web.guard import Sent, Visitor, needs
from bettercare.web.render import day, done, page
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)
Ruler = Annotated[Visitor, Depends(needs("rules"))]

TITLE = "Data date and agreement"


@router.get("/plans/{plan}/programme")
def edit(request: Request, visitor: Ruler, assessment: Assessed) -> Response:
    """The form."""
    form = form_of(Programme, assessment.registers.programme)
    return page(request, visitor, "programme.html.j2", assessment, title=TITLE, form=form)


@router.post("/plans/{plan}/programme")
def change(request: Request, visitor: Ruler, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Change it; every page speaks of the new day from then on."""
    programme = assessment.registers.programme
    read = read_form(Programme, sent, programme)
    clash: Clash | None = None
    if not isinstance(read, Faults):
        try:
            with deployed.store.change(visitor.user.id, "Changed on a page") as changing:
                changing.replace(read)
            return done(f"/plans/{assessment.plan.id}", f"The pages now speak of {day(read.as_at) or 'today'}.")
        except Conflict as error:
            clash = clash_of(Programme, error)
    faults = read if isinstance(read, Faults) else None
    form = form_of(Programme, programme, sent=sent, faults=faults, clash=clash)
    status = 409 if clash else 400
    return page(request, visitor, "programme.html.j2", assessment, title=TITLE, status=status, faulty=True, form=form)
