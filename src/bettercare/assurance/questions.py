"""Confirm and challenge: a Board's questions on its areas of focus, the answers, and what is escalated."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks


class Question(Record):
    """A question a Board put to the programme."""

    table: ClassVar[str] = "questions"

    body: str = asks("Board", "Who asks", refers="boards", min_length=1)
    focus: str = asks("Area of focus", "Which of the Board's areas it belongs to", "", refers="focus_areas")
    function: Literal[
        "needs", "partners' plans", "case for change", "new model", "escalation", "pace", "readiness", "other"
    ] = asks("Tests", "Which of the Board's functions the question serves", "other")
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
