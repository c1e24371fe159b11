"""Confirm and challenge: a Board's questions on its areas of focus, the answers, and what is escalated.

A question is open until it is answered; the Board then confirms that it is content, or escalates; either is closed in the end. An open
question may be escalated too, when nobody answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Literal

from bettercare.assurance.boards import Board
from bettercare.assurance.milestones import belongs
from bettercare.assurance.programme import days_in_words, in_words
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.plan.challenge import Challenge, challenge
from bettercare.store import Record, asks

if TYPE_CHECKING:
    from bettercare.assurance.assessment import Assessment

Tests = Literal["needs", "partners' plans", "case for change", "new model", "escalation", "pace", "readiness", "other"]


class Question(Record):
    """A question a Board put to the programme."""

    table: ClassVar[str] = "questions"

    body: str = asks("Board", "Who asks", refers="boards", min_length=1)
    focus: str = asks("Area of focus", "Which of the Board's areas it belongs to", "", refers="focus_areas")
    function: Tests = asks("Tests", "Which of the Board's functions the question serves", "other")
    question: str = asks("Question", "", min_length=1, long=True)
    about: tuple[str, ...] = asks("About", "What it concerns", (), refers="ref")
    raised: date = asks("Raised on")
    raised_by: str = asks("Raised by", "", "")
    to: str = asks("Put to", "Who is to answer", "")
    due: date | None = asks("Answer due", "", None)
    answer: str = asks("Answer", "", "", long=True)
    answered: date | None = asks("Answered on", "", None)
    answered_by: str = asks("Answered by", "", "")
    status: Literal["open", "answered", "confirmed", "escalated", "closed"] = asks(
        "Status",
        "Confirmed: the Board is content with the answer. Escalated: it is not, or the matter is not the programme's",
        "open",
    )
    escalated_to: str = asks("Escalated to", "Who it was escalated or referred to", "")
    outcome: str = asks("Outcome", "What came of it", "", long=True)


# --- the steps of a question ----------------------------------------------------------------------------------------------


def answer(question: Question, text: str, on: date, by: str) -> Question:
    """The question answered; one that was escalated stays so, with its new answer.

    Raises:
        BettercareError: it is confirmed or closed, the answer is blank, or the day is before it was raised.
    """
    _must_be(question, ("open", "answered", "escalated"), "answered")
    _said(text, "answer")
    _not_before(question, on)
    status = "escalated" if question.status == "escalated" else "answered"
    return question.model_copy(update={"answer": text.strip(), "answered": on, "answered_by": by, "status": status})


def confirm(question: Question, outcome: str = "") -> Question:
    """The Board is content with the answer.

    Raises:
        BettercareError: there is no answer to be content with.
    """
    if not question.answer:
        raise BettercareError(
            "The question has not been answered, so there is nothing to confirm.",
            remedy="Answer it first, or escalate it.",
        )
    _must_be(question, ("answered", "escalated"), "confirmed")
    return question.model_copy(update={"status": "confirmed", "outcome": outcome.strip() or question.outcome})


def escalate(question: Question, to: str, why: str) -> Question:
    """The Board is not content, or the matter is not the programme's: it goes to another body.

    Raises:
        BettercareError: it is confirmed or closed, or it is not said to whom or why.
    """
    _must_be(question, ("open", "answered"), "escalated")
    _said(to, "body it is escalated to")
    _said(why, "reason for escalating it")
    return question.model_copy(update={"status": "escalated", "escalated_to": to.strip(), "outcome": why.strip()})


def close(question: Question, outcome: str = "") -> Question:
    """Nothing more is to come of it. An escalated question is closed with what came of it.

    Raises:
        BettercareError: it is still open or only answered, or an escalated one has no outcome.
    """
    _must_be(question, ("confirmed", "escalated"), "closed")
    if question.status == "escalated":
        _said(outcome, "outcome")
    return question.model_copy(update={"status": "closed", "outcome": outcome.strip() or question.outcome})


def next_steps(question: Question) -> tuple[str, ...]:
    """What can be done with it now: answer, confirm, escalate, close."""
    return {
        "open": ("answer", "escalate"),
        "answered": ("confirm", "escalate", "answer"),
        "confirmed": ("close",),
        "escalated": ("answer", "confirm", "close") if question.answer else ("answer", "close"),
        "closed": (),
    }[question.status]


def _must_be(question: Question, states: tuple[str, ...], becoming: str) -> None:
    if question.status not in states:
        raise BettercareError(
            f"A question that is {question.status} cannot be {becoming}; it must be {' or '.join(states)}.",
            remedy={
                "open": "Answer it first.",
                "answered": "Confirm or escalate it first.",
                "confirmed": "Close it, or raise a new question.",
                "escalated": "Answer it, confirm it or close it.",
                "closed": "Raise a new question.",
            }[question.status],
        )


def _said(text: str, what: str) -> None:
    if not text.strip():
        raise BettercareError(f"The {what} is blank.", remedy="Write it in a sentence.")


def _not_before(question: Question, on: date) -> None:
    if on < question.raised:
        raise BettercareError(f"{in_words(on)} is before the question was raised ({in_words(question.raised)}).")


# --- what is due, and what could be asked ---------------------------------------------------------------------------------


def overdue(questions: Iterable[Question], on: date) -> tuple[Question, ...]:
    """Open questions whose answer was due before a day, the longest first."""
    found = [(one.due, one) for one in questions if one.status == "open" and one.due is not None and one.due < on]
    return tuple(one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].id)))


def escalations(questions: Iterable[Question]) -> tuple[Question, ...]:
    """Questions escalated and not closed."""
    return tuple(one for one in questions if one.status == "escalated")


@dataclass(frozen=True)
class Suggestion:
    """A question a Board could ask, with what it comes from."""

    question: str
    function: Tests
    focus: str
    """Id of the Board's area of focus, or ""."""
    about: tuple[str, ...]
    because: str
    """Where it comes from, in a few words."""
    severity: str
    """serious, question or look."""
    raised: str
    """Id of the question that asks this already, or ""."""


def suggestions(assessment: Assessment, board: Board) -> tuple[Suggestion, ...]:
    """What a Board could ask: on metrics off track, on late milestones, and on what the plan implies without saying.

    A Board with areas of focus is given what concerns their schemes; any other board everything. The serious first.
    """
    plan, asked = assessment.plan, {question.question: question.id for question in assessment.registers.questions}
    areas = {scheme: area.id for area in reversed(board.focus) for scheme in area.schemes}
    found: list[Suggestion] = []

    def suggest(
        question: str, function: Tests, schemes: Iterable[str], about: tuple[str, ...], because: str, severity: str
    ) -> None:
        within = [scheme for scheme in schemes if scheme in areas]
        if within or not board.focus:
            focus = areas[within[0]] if within else ""
            found.append(Suggestion(question, function, focus, about, because, severity, asked.get(question, "")))

    for exception in assessment.exceptions:
        name = assessment.judgements[exception.metric].metric.name
        rating = assessment.judgements[exception.metric].rag.status
        suggest(
            f"{name}: {exception.state}. Is a scheme that should have moved it short of its plan, and what will be different by the next report?",
            "pace", exception.schemes, (f"exception:{exception.id}",), "A metric off track", "serious" if rating == "red" else "question",
        )  # fmt: skip
    for one in assessment.schedule.late:
        count = len(one.delays)
        waits = f" {count} other milestone{' waits' if count == 1 else 's wait'} for it." if count else ""
        own = [scheme.id for scheme in plan.schemes if belongs(one.id, one.scheme, scheme)]
        suggest(
            f"{one.milestone}: {days_in_words(one.slip)} late.{waits} Who can say when it will be reached, and what is lost until then?"
            if one.slip
            else f"{one.milestone}: in time only if what comes before it takes less long than planned. What shows that it will?",
            "readiness" if one.slip == 0 else "pace", own, (f"milestone:{one.id}",), "A milestone late or at risk",
            "serious" if one.rag == "red" else "question",
        )  # fmt: skip
    for item in challenge(plan):
        suggest(
            item.question,
            _function(item),
            item.concerns,
            _about(plan, item),
            "Implied by the plan's figures",
            item.severity,
        )
    order = {"serious": 0, "question": 1, "look": 2}
    return tuple(sorted(found, key=lambda one: order[one.severity]))


_FUNCTION_OF: Mapping[str, Tests] = {
    "before": "pace",
    "milestones": "pace",
    "savings": "pace",
    "investment": "pace",
    "without": "readiness",
    "risk": "readiness",
    "metric": "readiness",
    "assumed": "readiness",
    "staff": "readiness",
    "care": "new model",
    "nowhere": "new model",
    "growth": "needs",
    "trajectory": "needs",
    "capital": "partners' plans",
    "disposals": "partners' plans",
    "recurrent": "partners' plans",
}
"""Which function of a Board a question of the plan's own serves, by the first word of its kind; the rest test the case for change."""


def _function(item: Challenge) -> Tests:
    return _FUNCTION_OF.get(item.kind.partition("-")[0], "case for change")


def _about(plan: Plan, item: Challenge) -> tuple[str, ...]:
    """The things a question of the plan's own concerns, as refs; organisations and programmes are left out."""
    kinds = (("schemes", "scheme"), ("milestones", "milestone"), ("metrics", "rag"), ("risks", "risk"))
    return tuple(f"{kind}:{name}" for name in item.concerns for table, kind in kinds if name in plan[table].by_id)
