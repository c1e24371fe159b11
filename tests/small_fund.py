"""A small pooled fund for tests: two commissioners, a council, four schemes, two quarters of pay for performance."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from bettercare.assurance.ledger import Entry, entry
from bettercare.plan import Plan
from small_plan import Rows, small_plan

YEAR = "2017/18"
Q1, Q2 = "2017/18 Q1", "2017/18 Q2"

ORGANISATIONS: Rows = [
    {"id": "acute", "name": "Hospital"},
    {"id": "north", "name": "North CCG", "kind": "commissioner"},
    {"id": "south", "name": "South CCG", "kind": "commissioner"},
    {"id": "council", "name": "County", "kind": "local-authority", "sector": "social-care"},
]
SCHEMES: Rows = [{"id": name, "name": f"Scheme {name.upper()}"} for name in ("a", "b", "c", "d")]


def _budget(scheme: str, pounds: int) -> dict[str, Any]:
    return {"id": f"budget-{scheme}", "scheme": scheme, "value": pounds, "unit": "GBP"}


TABLES: Mapping[str, Rows] = {
    "organisations": ORGANISATIONS,
    "rates": [
        {"id": "price", "organisation": "acute", "pod": "non-elective", "measure": "unit-cost", "value": 100, "unit": "GBP"}
    ],
    "pool": [
        {"id": "agreed", "kind": "agreed", "year": YEAR, "value": "120,000", "unit": "GBP"},
        {"id": "reserve", "kind": "reserve", "year": YEAR, "value": "25,000", "unit": "GBP"},
        {"id": "risk-pool", "kind": "risk-pool", "year": YEAR, "value": "20,000", "unit": "GBP"},
        {"id": "performance", "kind": "pay-for-performance", "year": YEAR, "value": "20,000", "unit": "GBP"},
    ],
    "contributions": [
        {"id": "n", "organisation": "north", "year": YEAR, "value": "60,000", "unit": "GBP", "fixed_share": 50},
        {"id": "s", "organisation": "south", "year": YEAR, "value": "40,000", "unit": "GBP", "fixed_share": 25},
        {"id": "c", "organisation": "council", "year": YEAR, "value": "20,000", "unit": "GBP", "fixed_share": 25},
    ],
    "investments": [_budget("a", 60_000), _budget("b", 36_000), _budget("c", 12_000), _budget("d", 6_000)],
    "metrics": [{"id": "admissions", "name": "Admissions", "better": "lower", "source": "paper"}],
    "milestones": [{"id": "act", "milestone": "The Act is in force", "due": "2018-03-31", "source": "paper"}],
    "payment_rule": [
        {
            "id": "rule", "metric": "admissions", "price": "price", "most": "performance", "threshold": 0, "cumulative": "yes",
            "months_after": 1, "released_to": "north;south", "source": "paper", "basis": "stated",
        }
    ],
    "payment_quarters": [
        {"id": "q1b", "quarter": Q1, "kind": "baseline", "value": 1000, "unit": "admissions"},
        {"id": "q1p", "quarter": Q1, "kind": "planned", "value": 900, "unit": "admissions"},
        {"id": "q2b", "quarter": Q2, "kind": "baseline", "value": 1000, "unit": "admissions"},
        {"id": "q2p", "quarter": Q2, "kind": "planned", "value": 900, "unit": "admissions"},
    ],
    "overspend_rule": [
        {"id": f"step-{number}", "order": number, "step": step, "share": share, "source": "paper", "basis": "assumed", "note": "because"}
        for number, step, share in ((1, "underspends", None), (2, "risk-pool", None), (3, "uncommitted", None), (4, "partners", "variable"))
    ],
    "risk_sharing": [
        {"id": name, "scenario": case, "case": case, "source": "paper", "schemes": schemes, "milestones": milestones}
        for name, case, schemes, milestones in (
            ("a", "trajectory-missed", None, None), ("b", "exempt-event", None, None), ("c", "demand-outstrips", None, None),
            ("d", "care-at-home", "a;b", None), ("e", "timetable", None, "act"),
        )
    ],
}  # fmt: skip
"""Contributions of GBP 120,000; budgets of 114,000, risk pool of 20,000 and other reserve of 5,000: GBP 19,000 waits to be earned."""


def small_fund(**tables: Rows) -> Plan:
    """The fund, with some tables replaced."""
    return small_plan({**TABLES, **tables}, SCHEMES)


def spend(plan: Plan, scheme: str, pounds: int, month: int = 4, **more: Any) -> Entry:
    """Money spent on a scheme in a month of 2017."""
    return entry(
        plan, on=date(2017, month, 28), kind="spend", from_account=f"scheme:{scheme}", to_account=f"spent:{scheme}", pence=pounds * 100,
        id=f"spend-{scheme}-{month}", **more,
    )  # fmt: skip
