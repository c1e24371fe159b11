"""The demonstration ledger: the same each time, balanced, invented and marked so, with the last quarter left to post."""

from __future__ import annotations

from datetime import date

import pytest

from bettercare.assurance.fund import position
from bettercare.assurance.ledger import Entry, balances, entry
from bettercare.assurance.payment import proposed, worked
from bettercare.demo.actuals import actuals
from bettercare.demo.money import entries
from bettercare.plan import Plan

ON = date(2016, 1, 31)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.read("leicestershire-bcf-2014")


@pytest.fixture(scope="module")
def ledger(plan: Plan) -> tuple[Entry, ...]:
    return entries(plan)


def test_it_is_the_same_each_time_and_balances(plan: Plan, ledger: tuple[Entry, ...]) -> None:
    assert entries(plan) == ledger
    assert sum(balances(ledger).values()) == 0
    assert len({each.id for each in ledger}) == len(ledger)


def test_every_entry_would_be_allowed_and_is_marked(plan: Plan, ledger: tuple[Entry, ...]) -> None:
    for each in ledger:
        assert entry(
            plan, on=each.on, kind=each.kind, from_account=each.from_account, to_account=each.to_account, pence=each.pence, year=each.year
        ).pence  # fmt: skip
        assert each.synthetic != each.id.startswith("opening-")


def test_the_story_is_told(plan: Plan, ledger: tuple[Entry, ...]) -> None:
    fund = position(plan, ledger, "2015/16", ON)
    rated = {line.account: line.rag for line in fund.lines}
    assert (rated["scheme:iur1"], rated["scheme:hdr1"], rated["scheme:upo6"]) == ("red", "red", "amber")
    assert {line.account for line in fund.lines if not line.spent} == {"scheme:iur5"}
    assert (fund.months, fund.synthetic) == (9, True)
    assert fund.earned > 0
    assert fund.released > 0


def test_the_last_quarter_is_left_to_post(plan: Plan, ledger: tuple[Entry, ...]) -> None:
    left = proposed(plan, worked(plan, actuals(plan), ON), ledger, ON)
    assert {each.because for each in left} == {"payment:2015/16 Q3"}
    assert {each.on for each in left} == {ON}
    after = position(plan, (*ledger, *left), "2015/16", ON)
    assert after.risk_pool == 0
    assert after.earned + after.released == 284_000_000


def test_a_plan_without_a_fund_has_no_entries() -> None:
    assert entries(Plan.read("llr-stp-2016")) == ()
