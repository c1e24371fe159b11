"""Confirm and challenge, step by step."""

from datetime import date

import pytest

from bettercare.assurance import Assessment, Registers
from bettercare.assurance.programme import Programme
from bettercare.assurance.questions import (
    Question,
    answer,
    close,
    confirm,
    escalate,
    escalations,
    next_steps,
    overdue,
    suggestions,
)
from bettercare.errors import BettercareError
from bettercare.plan import Plan

LLR = Plan.read("llr-stp-2016")
OPEN = Question(
    id="q", body="rutland-hwb", question="Where do people go?", raised=date(2017, 9, 1), due=date(2017, 10, 1)
)
ON = date(2017, 9, 20)


def test_the_usual_way():
    answered = answer(OPEN, " To Melton. ", ON, "olive")
    assert (answered.status, answered.answer, answered.answered, answered.answered_by) == (
        "answered", "To Melton.", ON, "olive",
    )  # fmt: skip
    confirmed = confirm(answered, "Content")
    assert (confirmed.status, confirmed.outcome) == ("confirmed", "Content")
    assert close(confirmed).status == "closed"
    assert close(confirmed).outcome == "Content"


def test_an_escalation_comes_back_with_an_answer():
    escalated = escalate(OPEN, "System Leadership Team", "Nobody answers")
    assert (escalated.status, escalated.escalated_to, escalated.outcome) == (
        "escalated", "System Leadership Team", "Nobody answers",
    )  # fmt: skip
    assert answer(escalated, "Now we do", ON, "slt").status == "escalated"
    assert confirm(answer(escalated, "Now we do", ON, "slt")).status == "confirmed"
    assert close(escalated, "Taken up by the team").status == "closed"
    with pytest.raises(BettercareError, match="outcome is blank"):
        close(escalated)


@pytest.mark.parametrize(
    ("status", "does", "said"),
    [
        ("open", confirm, "has not been answered"),
        ("open", close, "is open cannot be closed"),
        ("answered", close, "is answered cannot be closed"),
        ("closed", close, "is closed cannot be closed"),
        ("closed", lambda q: answer(q, "x", ON, "o"), "is closed cannot be answered"),
        ("confirmed", lambda q: answer(q, "x", ON, "o"), "is confirmed cannot be answered"),
        ("confirmed", lambda q: escalate(q, "x", "y"), "is confirmed cannot be escalated"),
        ("escalated", lambda q: escalate(q, "x", "y"), "is escalated cannot be escalated"),
    ],
)
def test_the_wrong_order_is_refused_in_a_sentence(status, does, said):
    with pytest.raises(BettercareError, match=said) as refused:
        does(OPEN.model_copy(update={"status": status}))
    assert refused.value.remedy


def test_blanks_and_days_before_are_refused():
    with pytest.raises(BettercareError, match="answer is blank"):
        answer(OPEN, "  ", ON, "o")
    with pytest.raises(BettercareError, match="before the question was raised"):
        answer(OPEN, "x", date(2017, 8, 31), "o")
    with pytest.raises(BettercareError, match="body it is escalated to is blank"):
        escalate(OPEN, "", "why")
    with pytest.raises(BettercareError, match="reason for escalating it is blank"):
        escalate(OPEN, "slt", "")


@pytest.mark.parametrize("status", ["open", "answered", "confirmed", "escalated", "closed"])
def test_the_next_steps_are_those_that_are_allowed(status: str):
    question = OPEN.model_copy(update={"status": status, "answer": "" if status == "open" else "Yes"})
    steps = {
        "answer": lambda: answer(question, "x", ON, "o"),
        "confirm": lambda: confirm(question),
        "escalate": lambda: escalate(question, "slt", "why"),
        "close": lambda: close(question, "done"),
    }
    for name, step in steps.items():
        if name in next_steps(question):
            step()
        else:
            with pytest.raises(BettercareError):
                step()


def test_what_is_overdue_and_escalated():
    answered = answer(OPEN, "x", ON, "o")
    assert overdue([OPEN, answered], date(2017, 10, 2)) == (OPEN,)
    assert overdue([OPEN], date(2017, 10, 1)) == ()
    assert escalations([OPEN, escalate(OPEN, "slt", "why")])[0].status == "escalated"


def _assessment(*questions: Question) -> Assessment:
    return Assessment(LLR, Registers(Programme(plan=LLR.id, id=LLR.id), questions=questions), date(2017, 10, 31))


def test_a_board_is_given_questions_of_its_own_areas():
    assessment = _assessment()
    for name in ("leicester-hwb", "leicestershire-hwb", "rutland-hwb"):
        board = assessment.boards[name]
        found = suggestions(assessment, board)
        assert found
        assert {one.focus for one in found} <= {area.id for area in board.focus}
        assert [one.severity for one in found] == sorted(
            (one.severity for one in found), key=["serious", "question", "look"].index
        )
        for one in found:
            for ref in one.about:
                assert assessment.web.resolve(ref)
    teams = [
        one
        for one in suggestions(assessment, assessment.boards["leicestershire-hwb"])
        if one.focus == "leicestershire-teams"
    ]
    assert any("scheme:integrated-teams" in one.about for one in teams)


def test_a_question_that_was_raised_is_marked():
    first = suggestions(_assessment(), _assessment().boards["rutland-hwb"])[0]
    asked = _assessment(OPEN.model_copy(update={"question": first.question}))
    assert suggestions(asked, asked.boards["rutland-hwb"])[0].raised == "q"
