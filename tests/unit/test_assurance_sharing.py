"""The five scenarios of risk sharing, and savings claimed in two places."""

from __future__ import annotations

from datetime import date

import pytest

from bettercare.assurance.claimed_twice import claimed_twice
from bettercare.assurance.fund import position
from bettercare.assurance.ledger import opening
from bettercare.assurance.payment import payment_rule
from bettercare.assurance.sharing import Case, Given, care_at_home, cases, demand_outstrips, exempt_event
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from small_fund import Q1, Q2, TABLES, YEAR, small_fund, spend
from small_plan import small_plan

ON = date(2017, 10, 31)
MONTHS = {date(2017, month, 1): count for month, count in ((4, 320), (5, 320), (6, 320), (7, 310), (8, 310), (9, 380))}
"""960 and 1,000 admissions."""


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_fund()


def worked(plan: Plan, given: Given | None = None, months: dict[date, int] = MONTHS) -> dict[str, Case]:
    ledger = (*opening(plan, YEAR), spend(plan, "a", 5_000), spend(plan, "b", 3_000), spend(plan, "c", 900))
    return {case.id: case for case in cases(plan, position(plan, ledger, YEAR, ON), ledger, months, given)}


def bears(case: Case) -> dict[str, int]:
    return {bearing.who: bearing.pence for bearing in case.bears}


def test_every_scenario_is_worked_with_its_clause_and_what_is_open(plan: Plan) -> None:
    found = worked(plan)
    assert list(found) == ["a", "b", "c", "d", "e"]
    for case in found.values():
        assert case.clauses[0] == f"risk_sharing.{case.id}"
        assert case.not_settled
        assert case.happens


def test_a_what_is_not_earned_goes_from_the_fund_to_the_commissioners(plan: Plan) -> None:
    case = worked(plan)["a"]
    assert bears(case) == {"pool": 1_600_000, "returned:north": -960_000, "returned:south": -640_000}
    assert sum(bears(case).values()) == 0
    assert "40 fewer admissions than the baseline against 200 fewer planned" in case.happens
    assert "nothing is paid or released" in worked(plan, months={})["a"].happens
    met = worked(plan, months=dict.fromkeys(MONTHS, 300))["a"]
    assert (bears(met), "nothing is released" in met.happens) == ({}, True)


def test_a_admissions_above_the_baseline_fall_outside_the_fund(plan: Plan) -> None:
    case = worked(plan, months=dict.fromkeys(MONTHS, 350))["a"]
    assert bears(case)["outside"] == 100 * 10_000


def test_b_exempt_months_are_taken_as_planned(plan: Plan) -> None:
    case = worked(plan, Given(exempt=(date(2017, 9, 15),)))["b"]
    # September's 380 become 300: 120 fewer in all instead of 40.
    assert bears(case) == {"pool": -800_000, "outside": 800_000}
    assert case.steps == ("September 2017: 380 admissions counted, 300 taken instead.",)
    assert bears(worked(plan)["b"]) == {}
    assert (
        "does not help the fund"
        in worked(plan, Given(exempt=(date(2017, 9, 1),)), dict.fromkeys(MONTHS, 290))["b"].happens
    )


def test_b_a_month_outside_the_payment_year_is_refused(plan: Plan) -> None:
    rule = payment_rule(plan)
    assert rule is not None
    with pytest.raises(
        BettercareError, match=r"January 2018 is not in the payment year\. It runs from April 2017 to September 2017"
    ):
        exempt_event(plan, rule, MONTHS, [date(2018, 1, 1)])


def test_c_demand_is_what_explains_the_admissions_counted(plan: Plan) -> None:
    case = worked(plan)["c"]
    # 1,960 counted, 2,000 less 200 avoided: 160 beside. 160 x 100 is overspent; the risk pool pays all of it.
    assert bears(case) == {"pool": 1_600_000, "returned:north": -960_000, "returned:south": -640_000}
    more = worked(plan, Given(avoided=200, demand=500))["c"]
    assert bears(more)["outside"] == 300 * 10_000
    assert bears(more)["pool"] == 2_000_000
    rule = payment_rule(plan)
    assert rule is not None
    with pytest.raises(BettercareError, match="cannot be below nothing"):
        demand_outstrips(plan, rule, {Q1: 960, Q2: 1000}, -1, None)


def test_d_the_overspend_rule_meets_more_care_at_home(plan: Plan) -> None:
    case = worked(plan, Given(more_care_at_home=50))["d"]
    # A half of 60,000 and 36,000; c underspends 1,200; reserve 5,000; d's 6,000 is not committed; the partners pay the rest.
    assert bears(case) == {
        "underspends": 120_000, "risk-pool": 500_000, "uncommitted": 600_000,
        "partner:north": 1_790_000, "partner:south": 1_193_333, "partner:council": 596_667,
    }  # fmt: skip
    assert sum(bears(case).values()) == 4_800_000
    assert bears(worked(plan, Given(more_care_at_home=0))["d"]) == {}


def test_d_refuses_a_share_that_is_none(plan: Plan) -> None:
    fund = position(plan, (), YEAR, ON)
    with pytest.raises(BettercareError, match="101% is not between 0 and 100%"):
        care_at_home(plan, fund, (), (), 101)


def test_e_has_dates_and_no_money(plan: Plan) -> None:
    case = worked(plan)["e"]
    assert case.bears == ()
    assert case.steps == ("31 March 2018: The Act is in force.",)


def test_a_plan_without_scenarios_has_no_cases() -> None:
    plan = small_plan()
    assert cases(plan, position(plan, (), YEAR, ON), (), {}) == ()


def test_the_shipped_plan_shows_one_saving_in_two_places() -> None:
    plan = Plan.read("leicestershire-bcf-2014")
    ledger = opening(plan, "2015/16")
    found = {each.id: each for each in claimed_twice(plan, position(plan, ledger, "2015/16", date(2016, 1, 31)))}
    assert found["contract-and-fund"].first.pence == 468_000_000
    assert found["contract-and-fund"].pence == 284_000_000
    # 1,911 admissions at 1,490 as savings of four schemes; 2.84m as the fund's.
    assert (found["paid-and-saved"].first.pence, found["paid-and-saved"].second.pence) == (284_739_000, 284_000_000)
    assert found["given-and-held-2015-16"].pence == 2_833_100_00
    assert found["double-counting:uhl-non-elective"].pence == pytest.approx(34_237_20, abs=1)
    for each in found.values():
        assert each.first.source
        assert each.second.source
        assert each.why


def test_a_plan_without_a_fund_shows_only_what_its_schemes_imply() -> None:
    assert {each.found_in for each in claimed_twice(Plan.read("llr-stp-2016"))} <= {"derived"}
    assert claimed_twice(small_plan()) == ()


def test_a_place_may_be_a_schemes_saving() -> None:
    effects = [{"id": "less", "kind": "save", "organisation": "acute", "size": 2, "unit": "GBP k", "by": "2018/19"}]
    plan = small_plan(
        {
            "funding": [{"id": "grant", "value": 5, "unit": "GBP k"}],
            "same_saving": [
                {
                    "id": "x",
                    "saving": "s",
                    "first": "effects.one.less",
                    "second": "funding.grant",
                    "why": "w",
                    "source": "paper",
                }
            ],
        },
        [{"id": "one", "name": "One", "effects": effects}],
    )
    found = claimed_twice(plan)[0]
    assert (found.first.name, found.first.pence, found.second.pence, found.pence) == (
        "Saving of One",
        200_000,
        500_000,
        200_000,
    )


def test_a_all_that_can_be_earned_is_not_called_the_trajectory_met() -> None:
    # Three admissions short of the plan, and the cap is GBP 500 below what the plan's reduction is worth.
    capped = small_fund(
        pool=[{**row, "value": "19,500"} if row["id"] == "performance" else row for row in TABLES["pool"]]
    )
    months = dict.fromkeys(MONTHS, 300) | {date(2017, 9, 1): 303}
    assert worked(capped, months=months)["a"].happens.startswith(
        "All there is to earn is earned to 2017/18 Q2: £19,500"
    )


def test_c_no_more_can_be_avoided_than_there_are(plan: Plan) -> None:
    with pytest.raises(BettercareError, match="below nothing"):
        worked(plan, Given(avoided=5000, demand=0))


def test_c_a_release_above_the_cost_is_said_to_be() -> None:
    strict = small_fund(payment_rule=[{**TABLES["payment_rule"][0], "threshold": 100}])
    assert (
        "the risk pool releases £20,000, which is £19,800 more"
        in worked(strict, Given(avoided=200, demand=2))["c"].happens
    )
