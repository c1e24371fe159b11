"""What holds for every payment rule, whatever the admissions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from bettercare.assurance.ledger import balances, opening
from bettercare.assurance.metrics import Actual
from bettercare.assurance.payment import (
    PaymentRule,
    month_admissions,
    payment_quarters,
    payment_rule,
    payments,
    proposed,
)
from small_fund import Q1, Q2, YEAR, small_fund

QUICK = settings(deadline=None, max_examples=120)
NAMES = ("2014/15 Q4", "2015/16 Q1", "2015/16 Q2", "2015/16 Q3")
PLAN = small_fund()

rules = st.builds(
    PaymentRule,
    unit_price=st.integers(1, 300_000),
    threshold=st.sampled_from([0.0, 0.1, 0.5, 0.8, 1.0]),
    cumulative=st.booleans(),
    most=st.integers(0, 400_000_000),
    source=st.just(""),
)
quarters = st.lists(st.tuples(st.integers(0, 20_000), st.integers(0, 800)), min_size=4, max_size=4).map(
    lambda rows: [(name, planned + fewer, planned) for name, (planned, fewer) in zip(NAMES, rows, strict=True)]
)
Quarters = list[tuple[str, int, int]]


@st.composite
def cases(draw: st.DrawFn) -> tuple[PaymentRule, Quarters, dict[str, int]]:
    rows: Quarters = draw(quarters)
    counted = {
        name: max(0, baseline + draw(st.integers(-1_500, 700))) for name, baseline, _ in rows if draw(st.booleans())
    }
    return draw(rules), rows, counted


@QUICK
@given(cases())
def test_every_pound_of_a_known_quarter_goes_one_way(case: tuple[PaymentRule, Quarters, dict[str, int]]) -> None:
    rule, rows, counted = case
    made = payments(rule, rows, counted)
    for each in made:
        assert min(each.earned, each.released, each.recovered, each.part) >= 0
        if each.reduction is None:
            assert (each.earned, each.released, each.recovered) == (0, 0, 0)
        else:
            assert each.earned + each.released - each.recovered == each.part
        if each.actual is None:
            assert each.reduction is None
    assert sum(each.earned for each in made) <= sum(each.part for each in made) <= rule.most
    asked = sum(baseline - planned for _, baseline, planned in rows)
    assert sum(each.part for each in made) == min(rule.most, rule.unit_price * asked)


@QUICK
@given(cases())
def test_no_more_comes_back_than_was_released(case: tuple[PaymentRule, Quarters, dict[str, int]]) -> None:
    out = 0
    for each in payments(*case):
        out += each.released - each.recovered
        assert out >= 0


@QUICK
@given(cases(), st.sampled_from(NAMES), st.integers(1, 500))
def test_more_admissions_never_earn_more(
    case: tuple[PaymentRule, Quarters, dict[str, int]], name: str, more: int
) -> None:
    rule, rows, counted = case
    if name not in counted:
        return
    before, after = payments(rule, rows, counted), payments(rule, rows, counted | {name: counted[name] + more})
    to_date = [0, 0]
    for first, second in zip(before, after, strict=True):
        to_date = [to_date[0] + first.earned, to_date[1] + second.earned]
        assert to_date[1] <= to_date[0]


@QUICK
@given(cases())
def test_a_quarter_more_changes_nothing_before_it(case: tuple[PaymentRule, Quarters, dict[str, int]]) -> None:
    rule, rows, counted = case
    whole = payments(rule, rows, counted)
    for number, name in enumerate(NAMES):
        known = {each: count for each, count in counted.items() if NAMES.index(each) < number}
        assert payments(rule, rows, known)[:number] == whole[:number], name


@QUICK
@given(cases())
def test_the_plan_met_exactly_earns_every_part(case: tuple[PaymentRule, Quarters, dict[str, int]]) -> None:
    rule, rows, _ = case
    made = payments(rule, rows, {name: planned for name, _, planned in rows})
    assert all(each.earned == each.part for each in made)
    # Nothing avoided passes no threshold above nothing and is worth nothing at any.
    assert sum(each.earned for each in payments(rule, rows, {name: baseline for name, baseline, _ in rows})) == 0


@QUICK
@given(
    st.lists(st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(0, 9_999)), max_size=40, unique_by=lambda row: row[:2]),
    st.randoms(),
)  # fmt: skip
def test_the_order_of_revisions_does_not_matter(rows: list[tuple[int, int, int]], chance: object) -> None:
    figures = [
        Actual(plan="p", metric="m", period=date(2015, month, 1), value=Decimal(1), numerator=Decimal(count), revision=revision, source="s")
        for month, revision, count in rows
    ]  # fmt: skip
    counted = month_admissions(figures, "m")
    chance.shuffle(figures)  # type: ignore[attr-defined]
    assert month_admissions(figures, "m") == counted
    assert all(
        counted[date(2015, month, 1)] == count
        for month, revision, count in rows
        if revision == max(each[1] for each in rows if each[0] == month)
    )


@QUICK
@given(st.lists(st.dictionaries(st.sampled_from([Q1, Q2]), st.integers(700, 1_200)), min_size=1, max_size=5))
def test_posting_after_each_revision_ends_where_posting_once_does(revisions: list[dict[str, int]]) -> None:
    """However often figures are revised and posted, the ledger balances and each account holds what the last figures say."""
    rule = payment_rule(PLAN)
    assert rule is not None
    rule = replace(rule, months_after=1)
    known: dict[str, int] = {}
    ledger = opening(PLAN, YEAR)
    for revision in revisions:
        known |= revision
        ledger = (*ledger, *proposed(PLAN, payments(rule, payment_quarters(PLAN), known), ledger))
    once = (*opening(PLAN, YEAR), *proposed(PLAN, payments(rule, payment_quarters(PLAN), known), ()))
    held, wanted = balances(ledger), balances(once)
    assert {name: pence for name, pence in held.items() if pence} == {
        name: pence for name, pence in wanted.items() if pence
    }
    assert held["risk-pool"] >= 0
    assert len({each.id for each in ledger}) == len(ledger)
