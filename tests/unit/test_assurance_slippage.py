"""What a slip delays, down to the benefits."""

from datetime import date

import pytest

from bettercare.assurance.milestones import Progress, schedule
from bettercare.assurance.slippage import consequences
from bettercare.errors import BettercareError
from bettercare.model import run
from bettercare.model.scenarios import Change, Scenario
from bettercare.plan import Plan
from bettercare.store import Missing
from small_plan import ORDINARY, small_plan

ON = date(2016, 10, 1)


def _plan() -> Plan:
    effects = [
        {"id": "fewer", "kind": "avoid", "organisation": "acute", "pod": "non-elective", "unit": "admissions", "size": 4000},
        {"id": "money", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 8},
    ]  # fmt: skip
    milestones = [
        {"id": "begin", "milestone": "Begin", "due": "2017-03-31", "scheme": "s0", "source": "paper"},
        {"id": "middle", "milestone": "Middle", "due": "2017-09-30", "requires": "begin", "source": "paper"},
        {"id": "far", "milestone": "Far", "due": "2019-09-30", "requires": "begin", "source": "paper"},
        {"id": "loose", "milestone": "Loose", "source": "paper"},
    ]
    return small_plan(
        dict(ORDINARY) | {"milestones": milestones},
        [
            {"id": "s0", "delivery": "sure", "effects": effects},
            {"id": "s1", "delivery": "sure", "milestones": "far", "effects": [effects[1]]},
        ],
    )


def _at(days: int) -> Progress:
    return Progress(id="begin", expected=date.fromordinal(date(2017, 3, 31).toordinal() + days))


def test_what_is_in_time_delays_nothing():
    plan = _plan()
    found = consequences(plan, schedule(plan, [], ON), "begin")
    assert (found.least, found.most, found.milestones, found.schemes, found.differences) == (0, 0, (), (), ())
    assert "delays nothing" in found.sentence


def test_the_bounds_of_a_slip_of_two_hundred_days():
    plan = _plan()
    found = consequences(plan, schedule(plan, [_at(200)], ON), "begin")
    delayed = {one.id: (one.least, one.most) for one in found.milestones}
    # The middle was 183 days after the beginning; the far one 913.
    assert delayed == {"middle": (17, 200), "far": (0, 200)}
    assert {one.scheme: (one.years_least, one.years_most) for one in found.schemes} == {"s0": (0, 1), "s1": (0, 1)}


def test_the_money_is_the_models_own():
    plan = _plan()
    found = consequences(plan, schedule(plan, [_at(400)], ON), "begin")
    assert {one.scheme: (one.years_least, one.years_most) for one in found.schemes} == {"s0": (1, 2), "s1": (0, 2)}
    late = Scenario("late", "late", (Change("scheme:s0", "delay", 2, ""), Change("scheme:s1", "delay", 2, "")))
    for year in plan.years:
        expected = run(plan, scenarios=late).saving.total(year)
        saving = found.difference("saving", year)
        assert saving is not None
        assert saving.most == pytest.approx(expected)
        assert saving.planned == pytest.approx(run(plan).saving.total(year))
        assert saving.by_most <= saving.by_least <= 0
        gap = found.difference("gap", year)
        assert gap is not None
        assert gap.by_most >= gap.by_least >= 0
    assert found.difference("admissions avoided", "2020/21") is not None
    assert "less" in found.sentence
    assert "whole years" in found.assumed


def test_a_slip_can_be_tried_out():
    plan = _plan()
    made = schedule(plan, [], ON)
    assert consequences(plan, made, "begin", days=366).schemes[0].years_most == 1
    assert consequences(plan, made, "begin", days=0).schemes == ()
    with pytest.raises(BettercareError, match="cannot be tried"):
        consequences(plan, made, "begin", days=-1)


def test_what_others_were_expected_at_does_not_hide_the_slip():
    plan = _plan()
    entered = [_at(400), Progress(id="middle", expected=date(2019, 1, 1))]
    found = consequences(plan, schedule(plan, entered, ON), "begin")
    assert {one.id: one.most for one in found.milestones}["middle"] == 400


def test_no_date_and_no_milestone_are_refused_in_words():
    plan = _plan()
    made = schedule(plan, [], ON)
    with pytest.raises(BettercareError, match="has no date in the plan"):
        consequences(plan, made, "loose")
    with pytest.raises(Missing, match="no milestone 'nothing'"):
        consequences(plan, made, "nothing")
