"""Pay for performance: worked cases by hand, posting, and revisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bettercare.assurance.ledger import Entry, balances, entry, opening, reversal
from bettercare.assurance.metrics import Actual
from bettercare.assurance.payment import (
    PaymentRule,
    due,
    entries,
    month_admissions,
    months_of,
    payment_quarters,
    payment_rule,
    payments,
    proposed,
    quarter_admissions,
    worked,
)
from bettercare.plan import Plan
from small_fund import Q1, Q2, YEAR, small_fund
from small_plan import small_plan

RULE = PaymentRule(unit_price=10_000, threshold=0, cumulative=True, most=2_000_000, source="")
QUARTERS = (("Q1", 1000, 900), ("Q2", 1000, 900))


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_fund()


def pounds(rule: PaymentRule = RULE, **counted: int) -> list[tuple[int, int, int]]:
    """Earned, released and recovered of each quarter, in pounds."""
    return [
        (each.earned // 100, each.released // 100, each.recovered // 100) for each in payments(rule, QUARTERS, counted)
    ]


@pytest.mark.parametrize(
    ("counted", "moved"),
    [
        ({}, [(0, 0, 0), (0, 0, 0)]),
        ({"Q1": 900}, [(10_000, 0, 0), (0, 0, 0)]),
        ({"Q1": 900, "Q2": 900}, [(10_000, 0, 0), (10_000, 0, 0)]),
        # Nothing is avoided: all is released. More admissions than the baseline cost the fund no more than its part.
        ({"Q1": 1000, "Q2": 1000}, [(0, 10_000, 0), (0, 10_000, 0)]),
        ({"Q1": 1200, "Q2": 1200}, [(0, 10_000, 0), (0, 10_000, 0)]),
        ({"Q1": 960, "Q2": 940}, [(4_000, 6_000, 0), (6_000, 4_000, 0)]),
        # More than planned is not paid ahead, but counts towards the next quarter.
        ({"Q1": 850, "Q2": 950}, [(10_000, 0, 0), (10_000, 0, 0)]),
        # A later quarter makes good: what was released comes back.
        ({"Q1": 950, "Q2": 850}, [(5_000, 5_000, 0), (15_000, 0, 5_000)]),
        # A quarter that undoes what was avoided earns nothing; what was earned stays.
        ({"Q1": 900, "Q2": 1100}, [(10_000, 0, 0), (0, 10_000, 0)]),
        # The second quarter waits for the first.
        ({"Q2": 900}, [(0, 0, 0), (0, 0, 0)]),
    ],
)
def test_each_quarter(counted: dict[str, int], moved: list[tuple[int, int, int]]) -> None:
    assert pounds(**counted) == moved


def test_below_the_threshold_nothing_is_paid() -> None:
    half = replace(RULE, threshold=0.5)
    assert pounds(half, Q1=951, Q2=1000)[0] == (0, 10_000, 0)
    assert pounds(half, Q1=950, Q2=1000)[0] == (5_000, 5_000, 0)
    assert "short of the threshold of 50% of the plan" in payments(half, QUARTERS, {"Q1": 951})[0].reason


def test_quarters_that_stand_alone() -> None:
    alone = replace(RULE, cumulative=False)
    assert pounds(alone, Q1=950, Q2=850) == [(5_000, 5_000, 0), (10_000, 0, 0)]
    assert pounds(alone, Q1=1100, Q2=900) == [(0, 10_000, 0), (10_000, 0, 0)]
    assert pounds(alone, Q2=950) == [(0, 0, 0), (5_000, 5_000, 0)]


def test_the_cap_is_what_there_is() -> None:
    capped = replace(RULE, most=1_500_000)
    assert pounds(capped, Q1=900, Q2=900) == [(10_000, 0, 0), (5_000, 0, 0)]
    assert [each.part // 100 for each in payments(capped, QUARTERS, {})] == [10_000, 5_000]


def test_the_shipped_plan_in_full_pays_the_printed_cap() -> None:
    plan = Plan.read("leicestershire-bcf-2014")
    rule = payment_rule(plan)
    assert rule is not None
    quarters = payment_quarters(plan)
    assert (rule.unit_price, rule.most, rule.released_to) == (149_000, 284_000_000, ("elr-ccg", "wl-ccg"))
    assert (sum(row[1] for row in quarters), sum(row[2] for row in quarters)) == (54_594, 52_683)
    assert [name for name, _, _ in quarters] == ["2014/15 Q4", "2015/16 Q1", "2015/16 Q2", "2015/16 Q3"]
    # 1,911 x 1,490 is 2,847,390: the printed 2.84m is paid.
    full = payments(rule, quarters, {name: planned for name, _, planned in quarters})
    assert sum(each.earned for each in full) == 284_000_000
    none = payments(rule, quarters, {name: baseline for name, baseline, _ in quarters})
    assert sum(each.released for each in none) == 284_000_000


def actual(month: int, count: int, revision: int = 1, metric: str = "admissions") -> Actual:
    return Actual(
        plan="example", metric=metric, period=date(2017, month, 1), value=Decimal(1), numerator=Decimal(count), revision=revision,
        source="counted",
    )  # fmt: skip


def test_a_quarter_is_counted_when_its_three_months_are_known() -> None:
    months = month_admissions(
        [actual(4, 300), actual(5, 310), actual(6, 400, 2), actual(6, 320), actual(7, 1), actual(4, 9, metric="other")],
        "admissions",
    )
    assert months == {date(2017, 4, 1): 300, date(2017, 5, 1): 310, date(2017, 6, 1): 400, date(2017, 7, 1): 1}
    assert quarter_admissions(months) == {Q1: 1010}


def test_the_plan_is_worked_from_months_that_have_ended(plan: Plan) -> None:
    figures = [actual(4, 300), actual(5, 300), actual(6, 300)]
    assert worked(plan, figures, date(2017, 6, 30))[0].actual == 900
    assert worked(plan, figures, date(2017, 6, 29))[0].actual is None
    assert worked(small_plan(), figures) == ()


def test_quarters_are_due_in_arrears() -> None:
    assert months_of("2014/15 Q4") == (date(2015, 1, 1), date(2015, 2, 1), date(2015, 3, 1))
    assert [due(RULE, f"2015/16 Q{number}") for number in (1, 2, 3, 4)] == [
        date(2015, 7, 31), date(2015, 10, 31), date(2016, 1, 31), date(2016, 4, 30),
    ]  # fmt: skip
    assert due(replace(RULE, months_after=0), "2015/16 Q3") == date(2015, 12, 31)


def post(
    plan: Plan, counted: dict[str, int], ledger: tuple[Entry, ...] = (), on: date | None = None
) -> tuple[Entry, ...]:
    rule = payment_rule(plan)
    assert rule is not None
    return proposed(plan, payments(rule, payment_quarters(plan), counted), ledger, on)


def test_entries_share_a_release_by_what_each_commissioner_pays_in(plan: Plan) -> None:
    made = post(plan, {Q1: 960})
    assert [(each.kind, each.to_account, each.pence, each.because, each.on) for each in made] == [
        ("risk-pool-release", "returned:south", 240_000, f"payment:{Q1}", date(2017, 7, 31)),
        ("risk-pool-release", "returned:north", 360_000, f"payment:{Q1}", date(2017, 7, 31)),
        ("performance-payment", "performance", 400_000, f"payment:{Q1}", date(2017, 7, 31)),
    ]
    rule = payment_rule(plan)
    assert rule is not None
    assert entries(plan, payments(rule, payment_quarters(plan), {Q1: 960})[0]) == made


def test_only_what_is_not_posted_is_proposed(plan: Plan) -> None:
    first = post(plan, {Q1: 960})
    assert post(plan, {Q1: 960}, first) == ()
    second = post(plan, {Q1: 960, Q2: 900}, first)
    assert {each.because for each in second} == {f"payment:{Q2}"}
    assert post(plan, {Q1: 960, Q2: 900}, (*first, *second)) == ()
    assert post(plan, {Q1: 960}, on=date(2017, 7, 30)) == ()


def test_ids_make_a_second_posting_impossible(plan: Plan) -> None:
    assert [each.id for each in post(plan, {Q1: 960})] == [each.id for each in post(plan, {Q1: 950})]


def test_a_revision_proposes_the_difference(plan: Plan) -> None:
    first = post(plan, {Q1: 960})
    better = post(plan, {Q1: 950}, first)
    assert [(each.kind, each.from_account, each.to_account, each.pence) for each in better] == [
        ("recovery", "returned:north", "risk-pool", 60_000),
        ("recovery", "returned:south", "risk-pool", 40_000),
        ("performance-payment", "risk-pool", "performance", 100_000),
    ]
    worse = post(plan, {Q1: 980}, (*first, *better))
    assert next(each for each in worse if each.from_account == "performance").kind == "correction"
    everything = (*opening(plan, YEAR), *first, *better, *worse)
    assert balances(everything)["performance"] == 200_000
    assert len({each.id for each in everything}) == len(everything)


def test_a_reversed_posting_is_proposed_again(plan: Plan) -> None:
    first = post(plan, {Q1: 900})
    undone = reversal(first[0], date(2017, 8, 1), "Posted too early")
    again = post(plan, {Q1: 900}, (*first, undone))
    assert [(each.pence, each.id != first[0].id) for each in again] == [(1_000_000, True)]


def test_a_reason_has_both_figures(plan: Plan) -> None:
    made = payments(RULE, QUARTERS, {"Q1": 960})
    assert made[0].reason == (
        "40 fewer admissions to date than the baseline, 100 fewer planned. Of this quarter's £10,000, £4,000 is earned; "
        "£6,000 is released to the commissioners."
    )
    assert made[1].reason == "Admissions of Q2 are not known in full yet, so nothing is paid or released."
    assert (
        payments(RULE, QUARTERS, {"Q2": 1})[1].reason == "Waits for Q1: each quarter is judged on all quarters so far."
    )


def test_a_month_whose_latest_revision_has_no_count_is_not_known() -> None:
    uncounted = actual(4, 300, 2).model_copy(update={"numerator": None})
    assert month_admissions([uncounted, actual(4, 300)], "admissions") == {}


def test_earned_money_given_to_schemes_is_not_paid_again(plan: Plan) -> None:
    paid = post(plan, {Q1: 950})
    given = entry(
        plan, on=date(2017, 8, 1), kind="budget", from_account="performance", to_account="scheme:a", pence=500_000, because=f"payment:{Q1}",
        id="given",
    )  # fmt: skip
    assert sum(each.pence for each in paid if each.to_account == "performance") == 500_000
    assert post(plan, {Q1: 950}, (*paid, given)) == ()


def test_reasons_say_no_more_than_the_rule() -> None:
    more, good = (payments(RULE, QUARTERS, counted) for counted in ({"Q1": 1100}, {"Q1": 950, "Q2": 850}))
    assert "threshold" not in more[0].reason
    assert good[1].reason.endswith(
        "This quarter's part is £10,000; with what earlier quarters missed £15,000 is earned; £5,000 released before is recovered from the"
        " commissioners."
    )
