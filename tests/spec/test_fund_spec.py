"""The rules of the pooled fund, each as a sentence that is run.

The fund of ``small_fund``: north pays in GBP 60,000, south 40,000 and the council 20,000; schemes a to d have 60,000, 36,000, 12,000 and
6,000; GBP 20,000 is paid on 200 admissions fewer in two quarters, at GBP 100 each.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import pytest

from bettercare.assurance.fund import FundPosition, position
from bettercare.assurance.ledger import Entry, balances, entry, opening
from bettercare.assurance.overspend import Cover, present
from bettercare.assurance.payment import QuarterPayment, payment_quarters, payment_rule, payments, proposed
from bettercare.errors import BettercareError, PlanError
from bettercare.plan import Plan
from bettercare.plan.check import check
from small_fund import Q1, Q2, TABLES, YEAR, small_fund, spend

END = date(2018, 3, 31)


@dataclass(frozen=True)
class Fund:
    """The fund after what the case did to it."""

    plan: Plan
    ledger: tuple[Entry, ...]
    quarters: tuple[QuarterPayment, ...]

    @property
    def position(self) -> FundPosition:
        return position(self.plan, self.ledger, YEAR, END)

    @property
    def cover(self) -> Cover:
        return present(self.plan, self.position, self.ledger, self.quarters)


def fund(counted: dict[str, int] | None = None, spends: Sequence[tuple[str, int]] = (), months: int = 12) -> Fund:
    """The fund with admissions counted and posted, and so much spent on schemes evenly over months from April (pounds in all)."""
    plan = small_fund()
    rule = payment_rule(plan)
    assert rule is not None
    quarters = payments(rule, payment_quarters(plan), counted or {})
    spent = tuple(
        spend(plan, scheme, pounds // months, 4 + month)
        if month < 9
        else _next_year(plan, scheme, pounds // months, month)
        for scheme, pounds in spends
        for month in range(months)
    )
    return Fund(plan, (*opening(plan, YEAR), *proposed(plan, quarters, ()), *spent), quarters)


def _next_year(plan: Plan, scheme: str, pounds: int, month: int) -> Entry:
    return entry(
        plan, on=date(2018, month - 8, 28), kind="spend", from_account=f"scheme:{scheme}", to_account=f"spent:{scheme}", pence=pounds * 100
    )  # fmt: skip


AS_PLANNED = (("a", 60_000), ("b", 36_000), ("c", 12_000), ("d", 6_000))
OVER = (("a", 66_000), ("b", 30_000), ("c", 12_000), ("d", 6_000))


@dataclass(frozen=True)
class Case:
    says: str
    ask: Callable[[], Any]
    answer: Any = field(default=None)
    refused: str = ""


def _contributions(value: str) -> Plan:
    rows = [dict(row) for row in TABLES["contributions"]]
    rows[0]["value"] = value
    return small_fund(contributions=rows)


CASES: dict[str, list[Case]] = {
    "The ledger": [
        Case("Every movement leaves one account and reaches another, so all accounts add to nothing.",
             lambda: sum(balances(fund({Q1: 950}, OVER).ledger).values()), 0),
        Case("What partners pay in is what schemes, reserve, risk pool and pool hold.",
             lambda: (lambda f: sum(f.contributions.values()) - f.budget - f.reserve - f.risk_pool - f.pool)(fund().position), 0),
        Case("Money of no amount does not move.", lambda: spend(small_fund(), "a", 0), refused="An entry moves more than nothing."),
        Case("Contributions that do not make up the agreed fund are a fault of the plan.", lambda: _contributions("60,001"),
             refused="The contributions of 2017/18 add to 120,001.00 and the agreed fund is 120,000.00."),
    ],
    "Budgets and the forecast": [
        Case("Spend as planned is forecast on budget.", lambda: fund(spends=AS_PLANNED, months=6).position.variance, 114_000_00),
        Case("A year's spend by the end of the year is its own forecast.", lambda: fund(spends=AS_PLANNED).position.variance, 0),
        Case("A scheme more than 5 per cent over is red, and the others are not.",
             lambda: {line.account: line.rag for line in fund(spends=OVER).position.lines},
             {"scheme:a": "red", "scheme:b": "amber", "scheme:c": "green", "scheme:d": "green"}),
    ],
    "Pay for performance": [
        Case("Nothing is paid before a quarter is known.", lambda: fund().position.risk_pool, 20_000_00),
        Case("A quarter that meets the plan earns its part.", lambda: fund({Q1: 900}).position.earned, 10_000_00),
        Case("What is not earned goes to the commissioners, in proportion to what they pay in.", lambda: fund({Q1: 950}).position.returned,
             {"north": 3_000_00, "south": 2_000_00}),
        Case("A later quarter that makes good brings it back.", lambda: (lambda f: (f.earned, f.returned))(fund({Q1: 950, Q2: 850}).position),
             (20_000_00, {})),
        Case("What was earned is not taken back by a bad quarter.", lambda: fund({Q1: 900, Q2: 1_300}).position.earned, 10_000_00),
        Case("However few the admissions, no more is paid than there is.", lambda: fund({Q1: 1, Q2: 1}).position.earned, 20_000_00),
        Case("However many, no more is released than there is.", lambda: fund({Q1: 9_000, Q2: 9_000}).position.released, 20_000_00),
        Case("Each quarter is paid at the end of the month after it.", lambda: sorted({each.on for each in proposed(small_fund(), fund({Q1: 900, Q2: 900}).quarters, ())}),
             [date(2017, 7, 31), date(2017, 10, 31)]),
    ],
    "Missing the target costs the schemes": [
        Case("Budgets that count on the money are covered when it is earned.", lambda: fund({Q1: 900, Q2: 900}).position.not_covered, 0),
        Case("What is released is missing from them.", lambda: fund({Q1: 1_000, Q2: 1_000}).position.not_covered, 19_000_00),
        Case("The overspend rule then says who meets it.", lambda: fund({Q1: 1_000, Q2: 1_000}, AS_PLANNED).cover.partners,
             {"north": 7_000_00, "south": 4_666_67, "council": 2_333_33}),
    ],
    "An overspend is met in order": [
        Case("First by underspends of other schemes.", lambda: [sum(step.used.values()) for step in fund({Q1: 900, Q2: 900}, OVER).cover.steps],
             [6_000_00, 0, 0, 0]),
        Case("Then by the reserve and what is free of the risk pool, then by what is not committed, then by the partners.",
             lambda: [sum(step.used.values()) for step in fund({Q1: 900, Q2: 900}, (("a", 72_000), ("b", 36_000), ("c", 12_000))).cover.steps],
             [0, 5_000_00, 6_000_00, 1_000_00]),
        Case("Nothing is overspent, nothing is met.", lambda: fund({Q1: 900, Q2: 900}, AS_PLANNED).cover.sentence, "Nothing is forecast to be overspent."),
    ],
    "The shipped fund": [
        Case("The printed 2.84m is the cap, not 1,911 times 1,490.", lambda: payment_rule(Plan.read("leicestershire-bcf-2014")).most, 284_000_000),  # type: ignore[union-attr]
        Case("Schemes and reserve are 2,833,100 more than the fund, as the plan's own check says.",
             lambda: (balances(opening(Plan.read("leicestershire-bcf-2014"), "2015/16"))["pool"],
                      [round(each.recomputed - each.stated) for each in check(Plan.read("leicestershire-bcf-2014")) if each.id == "pool-reserve-2015"]),
             (-2_833_100_00, [2_833_100])),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    "case", [pytest.param(case, id=f"{heading}: {case.says}") for heading, cases in CASES.items() for case in cases]
)
def test_the_pooled_fund(case: Case) -> None:
    if not case.refused:
        assert case.ask() == case.answer
        return
    with pytest.raises((BettercareError, PlanError)) as caught:
        case.ask()
    assert case.refused in str(caught.value)
