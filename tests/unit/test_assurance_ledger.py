"""The ledger: entries are checked, corrected by others, and always balance."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from bettercare.assurance.ledger import (
    Entry,
    accounts,
    balances,
    entry,
    opening,
    pence_of,
    reversal,
    shared,
    sterling,
    trial_balance,
)
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.store import Conflict, Store
from small_fund import YEAR, small_fund, spend
from small_plan import small_plan

DAY = date(2017, 6, 30)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return small_fund()


def make(plan: Plan, **changed: Any) -> Entry:
    usual: dict[str, Any] = {
        "on": DAY, "kind": "spend", "from_account": "scheme:a", "to_account": "spent:a", "pence": 12_345,
    }  # fmt: skip
    return entry(plan, **(usual | changed))


def test_an_entry_takes_its_year_from_its_day(plan: Plan) -> None:
    made = make(plan)
    assert (made.year, made.pence, made.plan) == ("2017/18", 12_345, "example")
    assert make(plan, on=date(2018, 3, 31)).year == "2017/18"
    assert make(plan, on=date(2018, 4, 1)).year == "2018/19"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"from_account": "scheme:z"}, "The money would go from 'z', which is not in the plan's schemes. It has: a, b, c, d."),
        ({"to_account": "bank"}, "'bank' is not an account of the fund."),
        ({"to_account": "bank:a"}, "'bank:a' is not an account of the fund."),
        ({"kind": "correction", "to_account": "scheme:a"}, "leave and reach the same account, Scheme A."),
        ({"pence": 0}, "An entry moves more than nothing."),
        ({"pence": -5}, "An entry moves more than nothing."),
        ({"pence": 10**12}, "£10,000,000,000 is more than one entry can move."),
        ({"year": "2016/17"}, "30 June 2017 is not in 2016/17. Use a day of 2016/17, or the year 2017/18."),
        ({"year": "2017"}, "is not a financial year"),
        ({"on": date(2071, 6, 30)}, "2071/72 is outside the plan (2017/18 to 2020/21)."),
        ({"to_account": "spent:b"}, "from a scheme to what was spent on the same scheme, not from Scheme A to Spent on Scheme B."),
        ({"kind": "contribution"}, "A movement of the kind contribution goes from a partner to the pool"),
        ({"kind": "carry-forward", "from_account": "pool", "to_account": "reserve"}, "into or out of what is carried between years"),
    ],
)  # fmt: skip
def test_a_wrong_entry_is_refused_in_a_sentence(plan: Plan, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(BettercareError) as caught:
        make(plan, **changed)
    assert said in str(caught.value)


def test_spending_more_than_the_budget_is_allowed_and_shows(plan: Plan) -> None:
    ledger = (*opening(plan, YEAR), spend(plan, "d", 7_000))
    assert balances(ledger)["scheme:d"] == -100_000


def test_the_opening_puts_every_pound_in_one_account(plan: Plan) -> None:
    held = balances(opening(plan, YEAR))
    assert held == {
        "partner:council": -2_000_000, "partner:north": -6_000_000, "partner:south": -4_000_000, "pool": -1_900_000, "reserve": 500_000,
        "risk-pool": 2_000_000, "scheme:a": 6_000_000, "scheme:b": 3_600_000, "scheme:c": 1_200_000, "scheme:d": 600_000,
    }  # fmt: skip


def test_the_opening_of_the_shipped_plan_accounts_for_the_agreed_fund() -> None:
    plan = Plan.read("leicestershire-bcf-2014")
    for year, agreed, pool in (("2014/15", 17_254_600_00, 374_600_00), ("2015/16", 38_615_900_00, -2_833_100_00)):
        held = balances(opening(plan, year))
        assert sum(held.values()) == 0
        assert -sum(pence for account, pence in held.items() if account.startswith("partner:")) == agreed
        assert held["pool"] == pool
    assert (held["risk-pool"], held["reserve"]) == (2_840_000_00, 360_000_00)


def test_opening_twice_is_stopped_by_the_store(plan: Plan, tmp_path: Any) -> None:
    store = Store.open(tmp_path / "store.db")
    for attempt in range(2):
        try:
            with store.change("somebody") as changing:
                for each in opening(plan, YEAR):
                    changing.add(each)
        except Conflict:
            assert attempt == 1
    assert store.list(Entry, plan.id) == tuple(
        each.model_copy(update={"version": 1}) for each in sorted(opening(plan, YEAR), key=lambda each: each.id)
    )


def test_a_plan_without_a_fund_has_no_opening() -> None:
    with pytest.raises(BettercareError, match="has no contributions to a pooled fund in 2017/18"):
        opening(small_plan(), "2017/18")


def test_a_reversal_undoes_an_entry_in_the_same_year_however_late(plan: Plan) -> None:
    wrong = spend(plan, "a", 500, synthetic=True)
    undone = reversal(wrong, date(2018, 5, 1), "Posted to the wrong scheme")
    assert (undone.from_account, undone.to_account, undone.pence) == ("spent:a", "scheme:a", 50_000)
    assert (undone.year, undone.kind, undone.reverses, undone.synthetic) == ("2017/18", "correction", wrong.id, True)
    assert set(balances((wrong, undone)).values()) == {0}


def test_an_entry_is_reversed_once_with_a_reason(plan: Plan) -> None:
    wrong = spend(plan, "a", 500)
    undone = reversal(wrong, DAY, "Twice")
    for refused, said in (
        (lambda: reversal(wrong, DAY, "Again", [wrong, undone]), "has been reversed already"),
        (lambda: reversal(undone, DAY, "Back"), "is itself a reversal"),
        (lambda: reversal(wrong, DAY, "  "), "No reason is given"),
        (lambda: reversal(wrong, date(2017, 4, 1), "Early"), "before the entry it corrects (28 April 2017)"),
    ):
        with pytest.raises(BettercareError) as caught:
            refused()
        assert said in str(caught.value)
    assert reversal(wrong, DAY, "Once").id == reversal(wrong, DAY, "Twice").id


def test_the_trial_balance_counts_up_to_a_day(plan: Plan) -> None:
    ledger = [spend(plan, "a", 100, 4), spend(plan, "a", 50, 5)]
    april = {each.account: each for each in trial_balance(ledger, date(2017, 4, 30))}
    assert (april["spent:a"].paid_in, april["scheme:a"].paid_out, april["scheme:a"].balance) == (
        10_000,
        10_000,
        -10_000,
    )
    assert sum(each.balance for each in trial_balance(ledger)) == 0
    assert trial_balance([]) == ()


def test_every_account_has_a_name(plan: Plan) -> None:
    named = accounts(plan)
    assert named["spent:a"] == "Spent on Scheme A"
    assert named["returned:north"] == "Paid to North CCG"
    for each in opening(plan, YEAR):
        assert each.from_account in named
        assert each.to_account in named


@pytest.mark.parametrize(
    ("pence", "words"), [(0, "£0"), (5, "£0.05"), (123_456, "£1,234.56"), (-284_000_000, "-£2,840,000")]
)
def test_exact_amounts_in_words(pence: int, words: str) -> None:
    assert sterling(pence) == words


def test_money_is_read_from_the_digits_printed() -> None:
    plan = small_plan({"funding": [{"id": "a", "value": "2.84"}, {"id": "b", "value": "0.1", "unit": "GBP k"}]})
    assert [pence_of(row) for row in plan["funding"]] == [284_000_000, 10_000]
    odd = small_plan({"funding": [{"id": "a", "value": "0.001", "unit": "GBP"}]})
    with pytest.raises(BettercareError, match="not an amount of whole pence"):
        pence_of(odd["funding"].rows[0])


def test_shares_go_to_the_largest_remainders() -> None:
    assert shared(100, {"a": 1, "b": 1, "c": 1}) == {"a": 34, "b": 33, "c": 33}
    assert shared(-100, {"a": 1, "b": 2}) == {"a": -33, "b": -67}
    assert shared(0, {"a": 0}) == {"a": 0}
    with pytest.raises(BettercareError, match="nobody to share"):
        shared(1, {"a": 0})
