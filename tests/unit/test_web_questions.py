"""Confirm and challenge: what a Board could ask, and the course of a question from being raised to being closed."""

from __future__ import annotations

import re
from html import unescape

import pytest

from bettercare.access.roles import Role
from bettercare.assurance.boards import boards
from bettercare.assurance.questions import Question
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client

__all__ = ["demo"]

BASE = f"/plans/{LLR}/questions"


def _said(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


def _step(demo: Client, role: Role, id: str, step: str, form: dict[str, object] | None = None) -> int:
    version = demo.store.read(Question, LLR, id).version
    return int(demo.sign_in(role).submit(f"{BASE}/{id}/{step}", {"version": str(version)} | (form or {})).status_code)


def _raised(demo: Client) -> Question:
    """A suggestion of the Leicestershire Board, raised by its link."""
    page = demo.sign_in("board").get(f"{BASE}/boards/leicestershire-hwb").text
    link = unescape(
        re.findall(r'href="(/plans/[^"]*/questions/new\?body=leicestershire-hwb&amp;focus=[^"]*)"', page)[0]
    )
    form = demo.get(link).text
    check_outline(form)
    words = re.search(r'<textarea[^>]*name="question"[^>]*>(.*?)</textarea>', form, re.S)
    about = re.search(r'<textarea[^>]*name="about"[^>]*>(.*?)</textarea>', form, re.S)
    focus = re.search(r'<select[^>]*name="focus".*?value="([^"]+)" selected', form, re.S)
    assert words is not None
    assert about is not None
    assert focus is not None
    sent = {
        "body": "leicestershire-hwb", "focus": focus[1], "function": "pace", "question": unescape(words[1]), "about": unescape(about[1]),
        "raised-day": "1", "raised-month": "10", "raised-year": "2017", "to": "Programme office",
    }  # fmt: skip
    before = {one.id for one in demo.store.list(Question, LLR)}
    assert demo.submit(f"{BASE}/new", sent).status_code == 303
    return next(one for one in demo.store.list(Question, LLR) if one.id not in before)


def test_each_board_has_its_areas_its_functions_and_what_it_could_ask(demo: Client) -> None:
    demo.sign_in("viewer")
    text = demo.get(BASE).text
    check_outline(text)
    for id, board in boards(demo.deployment.plan(LLR)).items():
        assert (f"{BASE}/boards/{id}" in text) == bool(board.focus or board.functions)
        if not board.focus and id != "slt":
            continue
        page = demo.get(f"{BASE}/boards/{id}")
        assert page.status_code == 200, id
        said = _said(page.text)
        for area in board.focus:
            assert area.focus in said
        for function in board.functions:
            assert function.function in said
    check_outline(demo.get(f"{BASE}/boards/rutland-hwb").text)
    assert "Raise this question" not in demo.get(f"{BASE}/boards/rutland-hwb").text
    assert demo.get(f"{BASE}/boards/none").status_code == 404


def test_a_suggestion_is_raised_by_a_link_and_not_suggested_again(demo: Client) -> None:
    one = _raised(demo)
    assert one.about
    page = unescape(demo.get(f"{BASE}/boards/leicestershire-hwb").text)
    assert one.question not in page.split("What it could ask")[1]
    assert one.question[:60] in page.split("What it could ask")[0]


def test_a_question_goes_from_open_to_closed(demo: Client) -> None:
    one = _raised(demo)
    page = demo.get(f"{BASE}/{one.id}").text
    check_outline(page)
    assert f"{BASE}/{one.id}/escalate" in page
    assert f"{BASE}/{one.id}/answer" not in page, "a Board does not answer its own question"
    # Nothing to confirm yet, and nothing to close.
    assert _step(demo, "board", one.id, "confirm") == 400
    assert _step(demo, "board", one.id, "close", {"outcome": "Enough"}) == 400
    assert demo.get(f"{BASE}/{one.id}/confirm").status_code == 404
    check_outline(demo.sign_in("editor").get(f"{BASE}/{one.id}/answer").text)
    assert _step(demo, "editor", one.id, "answer", {"answer": " ", "answered_by": "An editor"}) == 400
    answer = {
        "answer": "By June",
        "answered-day": "9",
        "answered-month": "10",
        "answered-year": "2017",
        "answered_by": "The lead",
    }
    assert _step(demo, "editor", one.id, "answer", answer) == 303
    assert _step(demo, "board", one.id, "confirm", {"outcome": "Content"}) == 303
    assert demo.store.read(Question, LLR, one.id).status == "confirmed"
    assert _step(demo, "editor", one.id, "answer", answer) == 400
    assert _step(demo, "board", one.id, "close") == 303
    closed = demo.store.read(Question, LLR, one.id)
    assert (closed.status, closed.answer, closed.outcome) == ("closed", "By June", "Content")
    assert not re.search(rf"{one.id}/(answer|confirm|escalate|close)", demo.get(f"{BASE}/{one.id}").text)


def test_a_question_is_escalated_with_to_whom_and_why(demo: Client) -> None:
    one = _raised(demo)
    refused = demo.submit(f"{BASE}/{one.id}/escalate", {"version": "1", "escalated_to": "The council"})
    assert refused.status_code == 400
    assert "reason" in refused.text
    assert 'value="The council"' in refused.text
    assert _step(demo, "board", one.id, "escalate", {"escalated_to": "The council", "outcome": "No answer came"}) == 303
    said = _said(demo.get(BASE).text)
    assert "to The council: No answer came" in said


def test_a_step_taken_on_an_older_version_is_not_taken(demo: Client) -> None:
    one = _raised(demo)
    assert _step(demo, "board", one.id, "escalate", {"escalated_to": "SLT", "outcome": "Late"}) == 303
    lost = demo.sign_in("editor").submit(f"{BASE}/{one.id}/answer", {"version": "1", "answer": "My answer"})
    assert lost.status_code == 409
    assert "My answer" in lost.text
    assert "board saved a change" in _said(lost.text)
    assert demo.store.read(Question, LLR, one.id).answer == ""


@pytest.mark.parametrize(
    ("role", "step", "status"), [("board", "answer", 403), ("editor", "confirm", 403), ("viewer", "escalate", 403)]
)
def test_each_step_is_for_those_with_its_right(demo: Client, role: Role, step: str, status: int) -> None:
    one = demo.store.list(Question, LLR)[0]
    assert demo.sign_in(role).submit(f"{BASE}/{one.id}/{step}", {"version": str(one.version)}).status_code == status


def test_what_a_step_needs_is_not_called_optional_and_the_asker_is_filled_in(demo: Client) -> None:
    at = f"/plans/{BCF}/questions"
    text = demo.sign_in("editor").get(f"{at}/falls-in-homes/answer").text
    assert re.search(r'<label[^>]*for="answer"[^>]*>\s*Answer\s*</label>', text)
    name = demo.sign_in("board").get(f"{at}/new").text
    found = re.search(r'<input[^>]*id="raised_by"[^>]*>', name)
    assert found is not None
    assert re.search(r'value="[^"]+"', found[0])


def test_a_question_that_tests_no_function_does_not_say_other(demo: Client) -> None:
    with demo.store.change("ann") as changing:
        changing.add(Question(plan=BCF, id="mine", body="leicestershire-hwb", question="Why?", raised="2016-01-01"))
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/questions/mine").text
    assert ">Tests<" not in text
