"""The overspend rule: each step in order, to the penny."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from bettercare.assurance.fund import position
from bettercare.assurance.ledger import Entry, balances, entry, opening
from bettercare.assurance.overspend import Means, cover, entries, overspend_rule, present
from bettercare.assurance.payment import payment_quarters, payment_rule, payments, proposed
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from small_fund import Q1, Q2, YEAR, small_fund, spend

ON = date(2017, 10, 31)
MEANS = Means(
    underspends={"scheme:b": 300, "scheme:c": 100},
    risk_pool={"reserve": 200},
    uncommitted={"scheme:d": 100},
    contributions={"north": 60, "south": 40, "council": 20},
    fixed_shares={"north": 50, "south": 25, "council": 25},
)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_fund()


def test_the_rule_is_read_in_order() -> None:
    plan = small_fund(overspend_rule=[
        {"id": "last", "order": 2, "step": "partners", "share": "fixed", "source": "paper", "basis": "stated"},
        {"id": "first", "order": 1, "step": "underspends", "source": "paper", "basis": "stated"},
    ])  # fmt: skip
    assert [step.id for step in overspend_rule(plan)] == ["first", "last"]


@pytest.mark.parametrize(
    ("over", "used"),
    [
        (0, [{}, {}, {}, {}]),
        (200, [{"scheme:b": 150, "scheme:c": 50}, {}, {}, {}]),
        (450, [{"scheme:b": 300, "scheme:c": 100}, {"reserve": 50}, {}, {}]),
        (650, [{"scheme:b": 300, "scheme:c": 100}, {"reserve": 200}, {"scheme:d": 50}, {}]),
        (
            820,
            [
                {"scheme:b": 300, "scheme:c": 100}, {"reserve": 200}, {"scheme:d": 100},
                {"partner:north": 60, "partner:south": 40, "partner:council": 20},
            ],
        ),
    ],
)  # fmt: skip
def test_each_step_gives_what_it_can(plan: Plan, over: int, used: list[dict[str, int]]) -> None:
    found = cover(plan, overspend_rule(plan), {"scheme:a": over}, MEANS)
    assert [dict(step.used) for step in found.steps] == used
    assert found.left == 0


def test_partners_by_fixed_shares(plan: Plan) -> None:
    fixed = tuple(replace(step, share="fixed") if step.step == "partners" else step for step in overspend_rule(plan))
    assert cover(plan, fixed, {"scheme:a": 820}, MEANS).partners == {"north": 60, "south": 30, "council": 30}
    with pytest.raises(BettercareError, match="No fixed shares of an overspend are agreed"):
        cover(plan, fixed, {"scheme:a": 820}, replace(MEANS, fixed_shares={}))


def test_a_rule_without_partners_leaves_the_rest_with_nobody(plan: Plan) -> None:
    found = cover(plan, overspend_rule(plan)[:1], {"scheme:a": 100_000}, MEANS)
    assert found.left == 99_600
    assert (
        found.sentence
        == "£1,000 is overspent. It is met by £4 from underspends of other schemes. The rule leaves £996 with nobody."
    )


def test_an_overspend_below_nothing_is_refused(plan: Plan) -> None:
    with pytest.raises(BettercareError, match="cannot be below nothing"):
        cover(plan, overspend_rule(plan), {"scheme:a": -1}, MEANS)


def spent(plan: Plan) -> tuple[Entry, ...]:
    """Five months: a overspends, b underspends, c keeps to its budget, d has not started."""
    made = list(opening(plan, YEAR))
    for month in range(4, 9):
        made += [spend(plan, "a", 5_600, month), spend(plan, "b", 2_800, month), spend(plan, "c", 1_000, month)]
    return tuple(made)


def test_the_present_position(plan: Plan) -> None:
    ledger = spent(plan)
    rule = payment_rule(plan)
    assert rule is not None
    quarters = payments(rule, payment_quarters(plan), {})
    found = present(plan, position(plan, ledger, YEAR, ON), ledger, quarters)
    assert found.overspends == {"scheme:a": 720_000}
    assert [(step.rule.step, sum(step.available.values()), sum(step.used.values())) for step in found.steps] == [
        ("underspends", 240_000, 240_000), ("risk-pool", 500_000, 480_000), ("uncommitted", 600_000, 0), ("partners", 0, 0),
    ]  # fmt: skip
    assert (
        "£20,000 of the risk pool is held: pay for performance, and the budgets that count on it, can still call on it."
        in found.steps[1].sentence
    )


def test_a_risk_pool_that_nothing_can_call_on_is_used(plan: Plan) -> None:
    ledger = spent(plan)
    assert present(plan, position(plan, ledger, YEAR, ON), ledger, ()).steps[1].available == {
        "risk-pool": 100_000, "reserve": 500_000,
    }  # fmt: skip
    # Budgets given back to the pool no longer count on it.
    returned = [
        entry(plan, on=ON, kind="budget", from_account=f"scheme:{name}", to_account="pool", pence=pence)
        for name, pence in (("b", 1_500_000), ("d", 400_000))
    ]
    ledger = (*ledger, *returned)
    assert present(plan, position(plan, ledger, YEAR, ON), ledger, ()).steps[1].available == {
        "risk-pool": 2_000_000, "reserve": 500_000,
    }  # fmt: skip


def test_money_not_earned_is_an_overspend_of_the_fund(plan: Plan) -> None:
    rule = payment_rule(plan)
    assert rule is not None
    quarters = payments(rule, payment_quarters(plan), {Q1: 1000, Q2: 1000})
    ledger = (*spent(plan), *proposed(plan, quarters, ()))
    found = present(plan, position(plan, ledger, YEAR, ON), ledger, quarters)
    assert found.overspends == {"scheme:a": 720_000, "pool": 1_900_000}
    assert found.partners == {"north": 640_000, "south": 426_667, "council": 213_333}


def test_an_amount_to_try(plan: Plan) -> None:
    ledger = opening(plan, YEAR)
    found = present(plan, position(plan, ledger, YEAR, ON), ledger, (), amount=3_000_000, share="fixed")
    assert found.total == 3_000_000
    # 1,000 of the risk pool is free, with 5,000 of reserve; the partners pay the other 24,000.
    assert found.partners == {"north": 1_200_000, "south": 600_000, "council": 600_000}


def test_entries_carry_it_out_and_nothing_is_overspent_afterwards(plan: Plan) -> None:
    ledger = spent(plan)
    found = present(plan, position(plan, ledger, YEAR, ON), ledger, ())
    made = entries(plan, found, ON, "decision:cover", ledger)
    assert sum(each.pence for each in made) == found.total
    assert {each.because for each in made} == {"decision:cover"}
    after = (*ledger, *made)
    assert sum(balances(after).values()) == 0
    again = present(plan, position(plan, after, YEAR, ON), after, ())
    assert again.overspends == {}
    assert again.sentence == "Nothing is forecast to be overspent."


def test_entries_of_a_second_cover_on_a_day_have_ids_of_their_own(plan: Plan) -> None:
    found = cover(plan, overspend_rule(plan), {"scheme:a": 820}, MEANS)
    first = entries(plan, found, ON)
    second = entries(plan, found, ON, ledger=first)
    third = entries(plan, found, ON, ledger=(*first, *second))
    ids = [each.id for each in (*first, *second, *third)]
    assert len(set(ids)) == len(ids) == 21


def test_several_overspends_share_the_sources(plan: Plan) -> None:
    found = cover(plan, overspend_rule(plan), {"scheme:a": 250, "pool": 250}, MEANS)
    made = entries(plan, found, ON)
    into: dict[str, int] = {}
    for each in made:
        into[each.to_account] = into.get(each.to_account, 0) + each.pence
    assert into == {"scheme:a": 250, "pool": 250}
