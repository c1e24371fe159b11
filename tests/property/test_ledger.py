"""What holds for every ledger."""

from __future__ import annotations

from datetime import date

from hypothesis import given, settings
from hypothesis import strategies as st

from bettercare.assurance.fund import position
from bettercare.assurance.ledger import Entry, balances, entry, opening, reversal, shared, trial_balance
from bettercare.assurance.overspend import Means, cover, entries, overspend_rule, present
from small_fund import YEAR, small_fund

QUICK = settings(deadline=None, max_examples=80)
PLAN = small_fund()
ON = date(2018, 3, 31)
pence = st.integers(1, 10_000_000)
scheme = st.sampled_from("abcd")
days = st.dates(date(2017, 4, 1), ON)
spends = st.builds(
    lambda name, amount, on: entry(
        PLAN, on=on, kind="spend", from_account=f"scheme:{name}", to_account=f"spent:{name}", pence=amount
    ),
    scheme,
    pence,
    days,
)
moves = st.builds(
    lambda sides, amount, on: entry(
        PLAN, on=on, kind="budget", from_account=sides[0], to_account=sides[1], pence=amount
    ),
    st.sampled_from([("pool", "scheme:a"), ("scheme:a", "scheme:b"), ("reserve", "scheme:c"), ("scheme:d", "pool")]),
    pence,
    days,
)
ledgers = st.lists(spends | moves, max_size=30).map(
    lambda made: [
        *opening(PLAN, YEAR),
        *(each.model_copy(update={"id": f"e{number}"}) for number, each in enumerate(made)),
    ]
)
amounts = st.dictionaries(st.sampled_from(["scheme:a", "scheme:b", "scheme:c", "scheme:d"]), st.integers(0, 10**6))


@QUICK
@given(ledgers, days)
def test_the_ledger_always_balances(ledger: list[Entry], on: date) -> None:
    assert sum(balances(ledger, on).values()) == 0
    assert sum(each.balance for each in trial_balance(ledger)) == 0
    assert balances(ledger) == balances(ledger[::-1])


@QUICK
@given(ledgers, st.data())
def test_reversing_any_entry_leaves_the_ledger_as_if_it_had_not_been_made(
    ledger: list[Entry], data: st.DataObject
) -> None:
    chosen = data.draw(st.sampled_from(ledger))
    with_it = balances([*ledger, reversal(chosen, ON, "wrong")])
    without = balances([each for each in ledger if each.id != chosen.id])
    assert {name: pence for name, pence in with_it.items() if pence} == {
        name: pence for name, pence in without.items() if pence
    }


@QUICK
@given(ledgers)
def test_a_position_accounts_for_every_penny_put_in(ledger: list[Entry]) -> None:
    fund = position(PLAN, ledger, YEAR, ON)
    assert sum(fund.contributions.values()) == fund.budget + fund.pool + fund.reserve + fund.risk_pool
    assert sum(line.variance for line in fund.lines) == fund.outturn - fund.budget == fund.variance
    for line in fund.lines:
        assert sum(line.by_month) == line.spent


@QUICK
@given(st.integers(-(10**9), 10**9), st.dictionaries(st.text(max_size=3), st.integers(0, 10**9), min_size=1))
def test_shares_add_up_and_are_fair_to_a_penny(amount: int, weights: dict[str, int]) -> None:
    total = sum(weights.values())
    if not total:
        return
    parts = shared(amount, weights)
    assert sum(parts.values()) == amount
    for name, weight in weights.items():
        assert abs(parts[name] * total - amount * weight) < total


@QUICK
@given(amounts, amounts, amounts, st.integers(0, 10**6))
def test_a_cover_conserves_and_uses_no_more_than_there_is(
    over: dict[str, int], under: dict[str, int], uncommitted: dict[str, int], pool: int
) -> None:
    means = Means(under, {"reserve": pool}, uncommitted, {"north": 3, "south": 2, "council": 1}, {})
    found = cover(PLAN, overspend_rule(PLAN), over, means)
    assert sum(sum(step.used.values()) for step in found.steps) + found.left == sum(over.values())
    assert found.left == 0
    for step, limits in zip(found.steps, (under, {"reserve": pool}, uncommitted), strict=False):
        assert all(amount <= limits[account] for account, amount in step.used.items())
    earlier_left = False
    for step in found.steps:
        # A later step is used only when the earlier ones have nothing left to give.
        assert not (earlier_left and step.used)
        earlier_left = earlier_left or sum(step.used.values()) < sum(step.available.values())


@QUICK
@given(ledgers)
def test_carrying_a_cover_out_leaves_nothing_overspent(ledger: list[Entry]) -> None:
    found = present(PLAN, position(PLAN, ledger, YEAR, ON), ledger)
    after = [*ledger, *entries(PLAN, found, ON, ledger=ledger)]
    assert sum(balances(after).values()) == 0
    assert present(PLAN, position(PLAN, after, YEAR, ON), after).total == 0
