"""The fund's position: budget, spend, forecast, rating, and the sentence that says it."""

from __future__ import annotations

from datetime import date

import pytest

from bettercare.assurance.fund import months_in, position, years
from bettercare.assurance.ledger import Entry, entry, opening, reversal
from bettercare.assurance.overspend import present
from bettercare.assurance.payment import payment_quarters, payment_rule, payments, proposed
from bettercare.plan import Plan
from small_fund import Q1, Q2, YEAR, small_fund, spend

ON = date(2017, 6, 30)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_fund()


def ledger(plan: Plan, *more: Entry) -> tuple[Entry, ...]:
    return (*opening(plan, YEAR), *more)


def pay(plan: Plan, counted: dict[str, int]) -> tuple[Entry, ...]:
    rule = payment_rule(plan)
    assert rule is not None
    return proposed(plan, payments(rule, payment_quarters(plan), counted), ())


def test_at_the_start_everything_is_budget(plan: Plan) -> None:
    fund = position(plan, ledger(plan), YEAR, ON)
    assert fund.contributions == {"north": 6_000_000, "south": 4_000_000, "council": 2_000_000}
    assert (fund.budget, fund.spent, fund.outturn, fund.variance, fund.months) == (11_400_000, 0, 11_400_000, 0, 0)
    assert (fund.pool, fund.reserve, fund.risk_pool, fund.earned) == (-1_900_000, 500_000, 2_000_000, 0)
    assert (fund.to_earn, fund.not_covered, fund.synthetic) == (1_900_000, 0, False)
    assert {line.rag for line in fund.lines} == {"grey"}
    assert "£19,000 counts on pay for performance still to be earned" in fund.sentence


def test_the_forecast_carries_on_at_the_pace_so_far(plan: Plan) -> None:
    fund = position(plan, ledger(plan, spend(plan, "a", 5_000, 4), spend(plan, "a", 6_000, 5)), YEAR, ON)
    line = next(line for line in fund.lines if line.account == "scheme:a")
    assert (line.budget, line.spent, line.profile) == (6_000_000, 1_100_000, 1_000_000)
    assert (line.outturn, line.variance) == (6_600_000, 600_000)
    assert line.by_month == (500_000, 600_000, *[0] * 10)
    assert (line.rag, fund.months) == ("red", 2)
    assert "10.0% over (more than 5%)" in line.reason


@pytest.mark.parametrize(
    ("pounds", "rag"),
    [(5_000, "green"), (5_100, "green"), (5_101, "amber"), (5_250, "amber"), (5_251, "red"), (4_500, "green"), (4_499, "amber")],
)  # fmt: skip
def test_ratings_at_their_limits(plan: Plan, pounds: int, rag: str) -> None:
    fund = position(plan, ledger(plan, spend(plan, "a", pounds)), YEAR, ON)
    assert next(line.rag for line in fund.lines if line.account == "scheme:a") == rag


def test_a_scheme_with_nothing_spent_may_not_have_started(plan: Plan) -> None:
    fund = position(plan, ledger(plan, spend(plan, "a", 5_000)), YEAR, ON)
    line = next(line for line in fund.lines if line.account == "scheme:b")
    assert (line.rag, line.outturn, line.variance) == ("amber", 0, -3_600_000)
    assert "it may not have started" in line.reason


def test_spend_without_a_budget_is_red() -> None:
    plan = small_fund(investments=[{"scheme": "a", "value": 60_000, "unit": "GBP"}])
    fund = position(plan, (*opening(plan, YEAR), spend(plan, "b", 100)), YEAR, ON)
    assert next((line.rag, line.reason) for line in fund.lines if line.account == "scheme:b") == (
        "red", "£100 spent in 1 month, with no budget.",
    )  # fmt: skip


def test_only_the_year_and_the_days_so_far_count(plan: Plan) -> None:
    later, next_year = spend(plan, "a", 5_000, 8), entry(
        plan, on=date(2018, 4, 2), kind="spend", from_account="scheme:a", to_account="spent:a", pence=100
    )  # fmt: skip
    entries = ledger(plan, spend(plan, "a", 4_000, 5), later, next_year)
    assert position(plan, entries, YEAR, ON).spent == 400_000
    assert position(plan, entries, YEAR, date(2018, 3, 31)).spent == 900_000
    assert years(entries) == ("2017/18", "2018/19")
    assert months_in(entries, YEAR) == 5


def test_a_correction_takes_spend_back_in_its_year(plan: Plan) -> None:
    wrong = spend(plan, "a", 4_000, 5)
    undone = reversal(wrong, date(2018, 4, 20), "Wrong scheme")
    fund = position(plan, ledger(plan, wrong, undone), YEAR, date(2018, 4, 30))
    line = next(line for line in fund.lines if line.account == "scheme:a")
    assert (line.spent, line.by_month[1], line.by_month[11], line.budget) == (0, 400_000, -400_000, 6_000_000)


def test_money_released_leaves_budgets_without_cover(plan: Plan) -> None:
    entries = ledger(plan, *pay(plan, {Q1: 980, Q2: 950}))
    fund = position(plan, entries, YEAR, date(2017, 10, 31))
    assert (fund.earned, fund.released, fund.risk_pool) == (700_000, 1_300_000, 0)
    assert fund.returned == {"north": 780_000, "south": 520_000}
    assert (fund.to_earn, fund.not_covered) == (0, 1_200_000)
    assert "£12,000 more than the fund now has or can still earn" in fund.sentence


def test_all_earned_covers_every_budget(plan: Plan) -> None:
    fund = position(plan, ledger(plan, *pay(plan, {Q1: 900, Q2: 900})), YEAR, date(2017, 10, 31))
    assert (fund.earned, fund.released, fund.not_covered, fund.to_earn) == (2_000_000, 0, 0, 0)


def test_earned_money_given_to_a_scheme_is_still_earned(plan: Plan) -> None:
    given = entry(
        plan, on=date(2017, 8, 1), kind="budget", from_account="performance", to_account="scheme:a", pence=100_000
    )
    fund = position(plan, ledger(plan, *pay(plan, {Q1: 900}), given), YEAR, date(2017, 10, 31))
    assert (fund.earned, fund.budget, fund.to_earn) == (1_000_000, 11_500_000, 1_000_000)


def test_a_year_without_entries_says_so(plan: Plan) -> None:
    fund = position(plan, (), YEAR, ON)
    assert (fund.lines, fund.sentence) == ((), "The ledger has no money in 2017/18.")


def test_synthetic_entries_make_the_position_synthetic(plan: Plan) -> None:
    assert position(plan, ledger(plan, spend(plan, "a", 1, synthetic=True)), YEAR, ON).synthetic


def test_spend_that_was_undone_does_not_lengthen_the_year(plan: Plan) -> None:
    slip = spend(plan, "b", 900, 9)
    undone = reversal(slip, date(2017, 9, 30), "entered for the wrong month")
    fund = position(plan, ledger(plan, spend(plan, "a", 5_000, 4), slip, undone), YEAR, date(2017, 10, 31))
    assert (fund.months, fund.spent) == (1, 500_000)


def test_without_a_rule_nothing_is_said_to_say_who_meets_it() -> None:
    unruled = small_fund(overspend_rule=[])
    fund = position(unruled, ledger(unruled, *pay(unruled, {Q1: 1000, Q2: 1000})), YEAR, date(2018, 3, 31))
    assert fund.not_covered
    assert "the plan has no rule for who meets it" in fund.sentence
    assert present(unruled, fund, ()).sentence.endswith("The plan has no rule for who meets it.")


def test_a_quarter_known_and_not_posted_is_no_longer_to_be_earned(plan: Plan) -> None:
    rule = payment_rule(plan)
    assert rule is not None
    known = payments(rule, payment_quarters(plan), {Q1: 950})
    before = position(plan, ledger(plan), YEAR, date(2017, 8, 31), known)
    after = position(plan, ledger(plan, *proposed(plan, known, ())), YEAR, date(2017, 8, 31), known)
    assert (before.to_earn, before.not_covered) == (after.to_earn, after.not_covered) == (1_000_000, 400_000)
    assert (before.earned_unposted, before.released_unposted) == (500_000, 500_000)
    assert (after.earned_unposted, after.released_unposted) == (0, 0)
    paid = "£5,000 earned, £5,000 released to commissioners"
    assert (
        f"{paid} (of which £5,000 earned and £5,000 released not yet in the ledger), £10,000 still" in before.sentence
    )
    assert f"{paid}, £10,000 still in the risk pool." in after.sentence


def test_a_year_without_a_ledger_has_nothing_to_pay_from(plan: Plan) -> None:
    rule = payment_rule(plan)
    assert rule is not None
    fund = position(plan, (), YEAR, ON, payments(rule, payment_quarters(plan), {Q1: 950}))
    assert (fund.earned_unposted, fund.not_covered) == (0, 0)
