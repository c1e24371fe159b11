"""Decisions with the minute that made them, and recommendations on their way to each board that must decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any

from fastapi import Depends, Request, Response

from bettercare.assurance import Assessment
from bettercare.assurance.decisions import Decision, awaiting, by_meeting, decide, recommend
from bettercare.errors import BettercareError
from bettercare.store import Conflict
from bettercare.web.forms import Faults, Form, choices_of, form_of, read_form, version_of
from bettercare.web.guard import Sent, Visitor, needs
from bettercare.web.pages.registers import Context, Filter, Register, board_name, found, in_a_line, routes, show_form
from bettercare.web.render import done
from bettercare.web.state import Assessed, Deployed, Deployment

Decider = Annotated[Visitor, Depends(needs("decide"))]
"""For the signature of a route that records what a board decided."""

RULING = ("body", "status", "on", "minute", "meeting")
"""Asked when a board decides on a recommendation."""


def _rows(assessment: Assessment) -> Sequence[Decision]:
    return [one for rows in by_meeting(assessment.registers.decisions).values() for one in rows]


def _listing(assessment: Assessment, rows: Sequence[Decision]) -> Context:
    return {
        "meetings": [((assessment.board_name(body), on), decided) for (body, on), decided in by_meeting(rows).items()],
        "awaiting": [(assessment.board_name(board), decided) for board, decided in awaiting(assessment.registers.decisions).items()],
        "name": assessment.board_name,
    }  # fmt: skip


def _viewing(assessment: Assessment, deployment: Deployment, row: Decision) -> Context:
    routed = row.kind == "recommendation" and row.status == "proposed" and not row.awaits
    boards = assessment.boards
    members = boards[row.body].accountable_to if row.body in boards else ()
    return {
        "name": assessment.board_name,
        "resolutions": [one for one in assessment.registers.decisions if f"decision:{row.id}" in one.about],
        "entries": [one for one in assessment.registers.entries if one.because == f"decision:{row.id}"],
        "to_route": routed,
        "members": [name for name in members if name in boards and boards[name].kind in ("governing-body", "executive")] if routed else [],
        "deciders": [board.id for board in boards.values() if board.decides] if routed else [],
    }  # fmt: skip


def _short(row: Decision) -> str:
    return f"{row.minute} {in_a_line(row.decision)}".strip()


DECISIONS = Register(
    kind=Decision, path="decisions", one="decision", many="decisions", right="decide", rows=_rows, call=_short,
    asked=("decision", "kind", "body", "on", "minute", "meeting", "about", "consequence", "status"),
    listing=_listing, viewing=_viewing,
    start=lambda assessment: {"on": assessment.on, "status": "agreed"},
    filters=(
        Filter("body", "Board", lambda one: str(one.body), board_name),
        Filter("kind", "Kind", lambda one: str(one.kind)),
        Filter("status", "Status", lambda one: str(one.status)),
    ),
)  # fmt: skip

router = routes(DECISIONS)


@router.post(f"{DECISIONS.pattern}/{{id}}/route")
def route(id: str, visitor: Decider, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Send a recommendation that all its members agree on to each board that must decide."""
    row = found(DECISIONS, assessment, id)
    agreed, to = (tuple(str(one) for one in sent.getlist(name)) for name in ("agreed", "to"))
    made = recommend(row, assessment.boards, agreed, to).model_copy(update={"version": version_of(sent)})
    with deployed.store.change(visitor.user.id, "Sent to the boards that must decide") as changing:
        changing.replace(made)
    names = ", ".join(assessment.board_name(board) for board in made.awaits)
    return done(DECISIONS.address(assessment.plan.id, id), f"The recommendation now awaits {names}.")


def _ruling_form(assessment: Assessment, row: Decision, board: str = "") -> Form:
    """What is asked of a board that decides on a recommendation."""
    choices = {**choices_of(assessment), "boards": [(one, assessment.board_name(one)) for one in row.awaits]}
    start: dict[str, Any] = {
        "body": board or (row.awaits[0] if len(row.awaits) == 1 else ""),
        "on": max(assessment.on, row.on),
        "status": "agreed",
    }
    return _ruling(form_of(Decision, only=RULING, choices=choices, **start), row)


def _ruling(form: Form, row: Decision) -> Form:
    """A board agrees or refuses; the other fields are a decision's own."""
    asked = [
        replace(one, title="What it decided", hint="", choices=(("agreed", "Agreed"), ("refused", "Refused"))) if one.name == "status"
        else replace(one, title="Board", hint="") if one.name == "body" else one
        for one in form.asked
    ]  # fmt: skip
    return replace(form, asked=tuple(asked), version=row.version)


def _show_ruling(
    request: Request, visitor: Visitor, assessment: Assessment, row: Decision, form: Form, status: int = 200
) -> Response:
    own = DECISIONS.address(assessment.plan.id, row.id)
    return show_form(
        DECISIONS, request, visitor, assessment, form, row, status, title="A board decides", action=f"{own}/decide", button="Record it"
    )  # fmt: skip


@router.get(f"{DECISIONS.pattern}/{{id}}/decide")
def ask_ruling(request: Request, id: str, visitor: Decider, assessment: Assessed, board: str = "") -> Response:
    """The form in which a board's decision on a recommendation is recorded."""
    row = found(DECISIONS, assessment, id)
    return _show_ruling(request, visitor, assessment, row, _ruling_form(assessment, row, board))


@router.post(f"{DECISIONS.pattern}/{{id}}/decide")
def rule(request: Request, id: str, visitor: Decider, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Record what one board decided on a recommendation: the recommendation moves on, and the board's own resolution is added."""
    row = found(DECISIONS, assessment, id)
    choices = {**choices_of(assessment), "boards": [(one, assessment.board_name(one)) for one in row.awaits]}

    def again(status: int, faults: Faults) -> Response:
        form = _ruling(form_of(Decision, only=RULING, choices=choices, sent=sent, faults=faults), row)
        return _show_ruling(request, visitor, assessment, row, form, status)

    made = read_form(Decision, sent, only=RULING, plan=row.plan, decision=row.decision)
    if isinstance(made, Faults):
        return again(400, made)
    opened = row.model_copy(update={"version": version_of(sent)})
    try:
        moved, resolution = decide(
            opened, assessment.boards, made.body, made.status == "agreed", made.on, made.minute, made.meeting
        )
        with deployed.store.change(visitor.user.id, f"{assessment.board_name(made.body)} decided") as changing:
            changing.replace(moved)
            changing.add(resolution)
    except Conflict as error:
        return again(409, Faults({"": f"{error.what} {error.remedy}".strip()}))
    except BettercareError as error:
        return again(400, Faults({"": f"{error.what} {error.remedy}".strip()}))
    name = assessment.board_name(made.body)
    return done(DECISIONS.address(row.plan, id), f"{name} {'agreed' if made.status == 'agreed' else 'refused'}.")
