"""Confirm and challenge: each Board's areas of focus and functions, what it could ask, what it asked, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from urllib.parse import urlencode

from fastapi import Depends, Request, Response

from bettercare.access.roles import Right
from bettercare.assurance import Assessment
from bettercare.assurance.boards import Board, board
from bettercare.assurance.questions import (
    Question,
    Suggestion,
    answer,
    close,
    confirm,
    escalate,
    escalations,
    next_steps,
    overdue,
    suggestions,
)
from bettercare.plan import Plan
from bettercare.store import Missing
from bettercare.web.forms import Form, form_of
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.pages.registers import (
    Context,
    Filter,
    Register,
    board_name,
    found,
    in_a_line,
    routes,
    save,
    scheme_name,
    show_form,
)
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment

STATES = ("open", "answered", "escalated", "confirmed", "closed")
"""What needs somebody first."""
SHOWN = 8
"""How many suggestions are shown before the rest are folded away."""


@dataclass(frozen=True)
class Step:
    """A step of a question's course, with its own form."""

    right: Right
    asked: tuple[str, ...]
    title: str
    intro: str
    button: str
    said: str
    needed: tuple[str, ...]
    """Fields that the step cannot do without."""
    take: Callable[[Question, Question, date], Question]
    """What becomes of the question: given as it is stored, as the form has it, and the data date."""


STEPS = {
    "answer": Step(
        "edit", ("answer", "answered", "answered_by"), "Answer the question", "", "Give the answer", "The answer is given to the Board.", ("answer",),
        lambda one, typed, on: answer(one, typed.answer, typed.answered or on, typed.answered_by),
    ),
    "confirm": Step(
        "challenge", ("outcome",), "Confirm the answer", "The Board is content with the answer.", "Confirm", "The answer is confirmed.", (),
        lambda one, typed, on: confirm(one, typed.outcome),
    ),
    "escalate": Step(
        "challenge", ("escalated_to", "outcome"), "Escalate the question",
        "The Board is not content, or the matter is not the programme's. Say to whom it goes and why.", "Escalate", "The question is escalated.", ("escalated_to", "outcome"),
        lambda one, typed, on: escalate(one, typed.escalated_to, typed.outcome),
    ),
    "close": Step(
        "challenge", ("outcome",), "Close the question", "Nothing more is to come of it.", "Close", "The question is closed.", (),
        lambda one, typed, on: close(one, typed.outcome),
    ),
}  # fmt: skip


def _rows(assessment: Assessment) -> Sequence[Question]:
    """Those that need somebody first, the longest raised first."""
    return sorted(assessment.registers.questions, key=lambda one: (STATES.index(one.status), one.raised, one.id))


def _focus(plan: Plan, area: str) -> str:
    row = plan["focus_areas"].by_id.get(area)
    return str(row["focus"]) if row is not None else area


def _listing(assessment: Assessment, rows: Sequence[Question]) -> Context:
    every = assessment.registers.questions
    of = {one: [row for row in every if row.body == one.id] for one in assessment.boards.values()}
    return {
        "boards": [(one, [row for row in its if row.status == "open"], its) for one, its in of.items() if one.focus or one.functions or its],
        "overdue": overdue(every, assessment.on), "escalated": escalations(every), "name": assessment.board_name,
        "counts": {state: sum(row.status == state for row in every) for state in STATES},
        "focus": lambda area: _focus(assessment.plan, area),
    }  # fmt: skip


def _viewing(assessment: Assessment, deployment: Deployment, row: Question) -> Context:
    return {
        "name": assessment.board_name, "focus": _focus(assessment.plan, row.focus), "steps": {name: STEPS[name] for name in next_steps(row)},
        "late": row in overdue([row], assessment.on),
    }  # fmt: skip


def _short(row: Question) -> str:
    return in_a_line(row.question)


QUESTIONS = Register(
    kind=Question, path="questions", one="question", many="questions", right="challenge", rows=_rows, call=_short,
    asked=("body", "focus", "function", "question", "about", "raised", "raised_by", "to", "due"),
    listing=_listing, viewing=_viewing, start=lambda assessment: {"raised": assessment.on}, signed="raised_by",
    filters=(
        Filter("body", "Board", lambda one: str(one.body), board_name),
        Filter("status", "Status", lambda one: str(one.status)),
    ),
)  # fmt: skip

router = routes(QUESTIONS)


# --- a Board's page -------------------------------------------------------------------------------------------------------


@router.get(f"{QUESTIONS.pattern}/boards/{{id}}")
def of_board(request: Request, id: str, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """What one Board looks into, what it could ask and what it asked."""
    one = board(assessment.plan, id)
    found_here = deployed.remember(assessment, ("suggestions", id), lambda: suggestions(assessment, one))
    suggested = [each for each in found_here if not each.raised]
    rows = [row for row in _rows(assessment) if row.body == id]
    return page(
        request, visitor, "questions_board.html.j2", assessment, title=one.name, board=one, rows=rows, suggested=suggested, shown=SHOWN,
        raise_address=lambda each: _raise_address(assessment, one, each), overdue=overdue(rows, assessment.on),
        may=visitor.may("challenge"), name=assessment.board_name, scheme_name=lambda scheme: scheme_name(assessment.plan, scheme),
        focus=lambda area: _focus(assessment.plan, area), register=QUESTIONS,
        crumbs=(("Confirm and challenge", QUESTIONS.address(assessment.plan.id)),),
    )  # fmt: skip


def _raise_address(assessment: Assessment, one: Board, each: Suggestion) -> str:
    """The form of a new question with a suggestion filled in."""
    query = [("body", one.id), ("focus", each.focus), ("function", each.function), ("question", each.question)]
    said = urlencode([(name, value) for name, value in query if value] + [("about", ref) for ref in each.about])
    return f"{QUESTIONS.address(assessment.plan.id)}/new?{said}"


# --- the steps ------------------------------------------------------------------------------------------------------------


def _add_step(name: str, step: Step) -> None:
    taker = Depends(needs(step.right))

    def show(
        request: Request, visitor: Visitor, assessment: Assessment, row: Question, form: Form, status: int = 200
    ) -> Response:
        own = QUESTIONS.address(assessment.plan.id, row.id)
        # An escalated question is closed with what came of it.
        needed = ("outcome",) if name == "close" and row.status == "escalated" else step.needed
        form = replace(
            form, asked=tuple(replace(one, required=one.required or one.name in needed) for one in form.asked)
        )
        return show_form(
            QUESTIONS, request, visitor, assessment, form, row, status, title=step.title, action=f"{own}/{name}", intro=step.intro, button=step.button
        )  # fmt: skip

    @router.get(f"{QUESTIONS.pattern}/{{id}}/{name}", name=f"ask {name}")
    def ask(request: Request, id: str, assessment: Assessed, visitor: Visitor = taker) -> Response:
        row = found(QUESTIONS, assessment, id)
        if name not in next_steps(row):
            raise Missing(
                f"A question that is {row.status} cannot take this step.",
                remedy="Open the question to see what can be done with it.",
            )
        # What was answered may be mended; an outcome is written anew.
        start = row.model_copy(
            update={"answered": row.answered or assessment.on, "answered_by": row.answered_by or visitor.user.name, "outcome": ""}
        )  # fmt: skip
        return show(request, visitor, assessment, row, form_of(Question, start, only=step.asked))

    @router.post(f"{QUESTIONS.pattern}/{{id}}/{name}", name=name)
    def take(
        request: Request, id: str, assessment: Assessed, deployed: Deployed, sent: Sent, visitor: Visitor = taker
    ) -> Response:
        row = found(QUESTIONS, assessment, id)

        def taken(assessment: Assessment, typed: Question) -> Question:
            return step.take(row.model_copy(update={"version": typed.version}), typed, assessment.on)

        made = save(QUESTIONS, assessment, deployed, visitor, sent, row, asked=step.asked, check=taken)
        if isinstance(made, tuple):
            return show(request, visitor, assessment, row, made[1], made[0])
        return done(QUESTIONS.address(assessment.plan.id, id), step.said)


for _name, _step in STEPS.items():
    _add_step(_name, _step)
