"""Decisions, and recommendations on their way to the boards that must decide."""

from datetime import date

import pytest

from bettercare.assurance.boards import Board, board, boards
from bettercare.assurance.decisions import Decision, awaiting, by_meeting, decide, recommend
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.store import Missing

LLR = Plan.read("llr-stp-2016")
BOARDS = boards(LLR)
MEMBERS = [name for name in BOARDS["slt"].accountable_to if BOARDS[name].kind in ("governing-body", "executive")]
ON = date(2017, 10, 19)
BEDS = Decision(plan=LLR.id, id="beds", decision="Open 28 beds", body="slt", on=ON)


def test_the_boards_of_the_plan():
    assert len(MEMBERS) == 8
    assert {name for name, one in BOARDS.items() if one.kind == "health-and-wellbeing-board"} == {
        "leicester-hwb", "leicestershire-hwb", "rutland-hwb",
    }  # fmt: skip
    county = BOARDS["leicestershire-hwb"]
    assert [area.focus for area in county.focus] == ["Integrated teams", "Community hospitals but for Rutland Memorial"]
    assert [function.tests for function in county.functions[:5]] == [
        "needs", "partners' plans", "case for change", "new model", "escalation",
    ]  # fmt: skip
    assert "integrated-teams" in county.schemes
    with pytest.raises(Missing, match="no board 'nobody'"):
        board(LLR, "nobody")


def test_a_recommendation_needs_all_its_members():
    with pytest.raises(BettercareError, match="Board of University Hospitals of Leicester"):
        recommend(BEDS, BOARDS, [name for name in MEMBERS if name != "uhl-board"], ["uhl-board"])
    made = recommend(BEDS, BOARDS, MEMBERS, ["uhl-board", "lpt-board", "uhl-board"])
    assert (made.kind, made.status, made.awaits) == ("recommendation", "proposed", ("uhl-board", "lpt-board"))


def test_a_recommendation_goes_to_boards_that_decide():
    with pytest.raises(BettercareError, match="takes no decisions of its own"):
        recommend(BEDS, BOARDS, MEMBERS, ["estates-group"])
    with pytest.raises(BettercareError, match="goes to no board"):
        recommend(BEDS, BOARDS, MEMBERS, [])
    with pytest.raises(BettercareError, match="no board 'x'"):
        recommend(BEDS, BOARDS, MEMBERS, ["x"])


def test_it_is_agreed_when_the_last_board_agrees():
    made = recommend(BEDS, BOARDS, MEMBERS, ["uhl-board", "lpt-board"])
    first, own = decide(made, BOARDS, "uhl-board", True, date(2017, 11, 2), "9(a)")
    assert (first.status, first.awaits) == ("proposed", ("lpt-board",))
    assert (own.body, own.about, own.minute, own.status) == ("uhl-board", ("decision:beds",), "9(a)", "agreed")
    last, _ = decide(first, BOARDS, "lpt-board", True, date(2017, 11, 3))
    assert (last.status, last.awaits) == ("agreed", ())


def test_it_is_refused_when_any_board_refuses():
    made = recommend(BEDS, BOARDS, MEMBERS, ["uhl-board", "lpt-board"])
    refused, own = decide(made, BOARDS, "uhl-board", False, date(2017, 11, 2))
    assert (refused.status, own.status) == ("refused", "refused")
    after, _ = decide(refused, BOARDS, "lpt-board", True, date(2017, 11, 3))
    assert after.status == "refused"


def test_only_a_board_it_awaits_decides_and_not_before_it_was_made():
    made = recommend(BEDS, BOARDS, MEMBERS, ["uhl-board"])
    with pytest.raises(BettercareError, match="does not await Board of Leicestershire Partnership"):
        decide(made, BOARDS, "lpt-board", True, date(2017, 11, 2))
    with pytest.raises(BettercareError, match="before the recommendation was made"):
        decide(made, BOARDS, "uhl-board", True, date(2017, 10, 1))


def test_by_meeting_and_by_board():
    later = BEDS.model_copy(update={"id": "later", "on": date(2017, 11, 16), "minute": "2(b)"})
    again = later.model_copy(update={"id": "again", "minute": "2(a)", "awaits": ("uhl-board",)})
    found = by_meeting([BEDS, later, again])
    assert [[one.id for one in own] for own in found.values()] == [["again", "later"], ["beds"]]
    assert awaiting([BEDS, again]) == {"uhl-board": (again,)}


def test_a_board_knows_its_own_schemes():
    assert isinstance(BOARDS["rutland-hwb"], Board)
    assert BOARDS["rutland-hwb"].schemes >= {"community-hospitals"}
    assert BOARDS["slt"].schemes == frozenset()
