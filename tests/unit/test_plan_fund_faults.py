"""What can be wrong between the tables of a pooled fund, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from bettercare.errors import PlanError
from small_fund import Q1, TABLES, small_fund


def changed(table: str, row: int, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    rows = [dict(each) for each in TABLES[table]]
    rows[row] |= cells
    return {table: rows}


def more(table: str, **cells: Any) -> dict[str, list[dict[str, Any]]]:
    return {table: [*(dict(each) for each in TABLES[table]), cells]}


RULE = dict(TABLES["payment_rule"][0])
FAULTS: dict[str, tuple[dict[str, list[dict[str, Any]]], str, str]] = {
    "do not make up the fund": (changed("contributions", 0, value="59,999.99"), "tables/contributions.csv, row 4", "add to 119,999.99 and the agreed fund is 120,000.00"),
    "below nothing": (changed("contributions", 0, value="-1"), "row 2, column value", "-1 is negative."),
    "not money": (changed("contributions", 0, unit="beds"), "row 2, column unit", "beds is not money."),
    "shares of the partners": (changed("contributions", 0, fixed_share=49), "row 4, column fixed_share", "The fixed shares of 2017/18 add to 99."),
    "a partner not known": (changed("contributions", 0, organisation="bank"), "row 2, column organisation", "'bank' is not in organisations."),
    "threshold": (changed("payment_rule", 0, threshold=101), "tables/payment_rule.csv, row 2, column threshold", "101 is not between 0 and 100 %."),
    "months after": (changed("payment_rule", 0, months_after=-1), "row 2, column months_after", "-1 is not between 0 and 12 months."),
    "a price that is no money": (
        {"rates": [*(dict(row) for row in TABLES["rates"]), {"id": "stay", "measure": "length-of-stay", "value": 5, "unit": "days"}], **changed("payment_rule", 0, price="stay")},
        "row 2, column price", "stay is not money.",
    ),
    "an assumed rule": (changed("payment_rule", 0, basis="assumed"), "row 2, column note", "An assumed figure has no reason."),
    "two rules": (more("payment_rule", **(RULE | {"id": "other"})), "tables/payment_rule.csv, row 3", "There is a second payment rule."),
    "no quarters": ({"payment_quarters": []}, "tables/payment_rule.csv, row 2", "The payment rule has no quarters."),
    "not a quarter": (changed("payment_quarters", 0, quarter="spring"), "tables/payment_quarters.csv, row 2, column quarter", "'spring' is not a quarter."),
    "half a quarter": ({"payment_quarters": [dict(TABLES["payment_quarters"][0])]}, "row 2", f"{Q1} has no row of the kind planned."),
    "a quarter twice": (more("payment_quarters", id="x", quarter=Q1, kind="planned", value=1, unit="admissions"), "row 6", "has two rows of the kind planned."),
    "not a count": (changed("payment_quarters", 0, value="1000.5"), "row 2, column value", "1000.5 is not a count."),
    "more than the baseline": (changed("payment_quarters", 1, value=1001), "row 3, column value", "plans more admissions than its baseline."),
    "a step twice": (changed("overspend_rule", 1, order=1), "tables/overspend_rule.csv, row 3, column order", "Step 1 is there twice."),
    "no way to share": (changed("overspend_rule", 3, share=None), "row 5, column share", "The partners have no way to share."),
    "a saving nowhere": (
        {"same_saving": [{"id": "x", "saving": "s", "first": "pool.agreed", "second": "effects.a.b", "why": "w", "source": "paper"}]},
        "tables/same_saving.csv, row 2, column second", "There is no 'effects.a.b'.",
    ),
    "a scheme of a scenario": (changed("risk_sharing", 3, schemes="a;z"), "tables/risk_sharing.csv, row 5, column schemes", "'z' is not in schemes."),
}  # fmt: skip


@pytest.mark.parametrize("name", FAULTS)
def test_fault(name: str) -> None:
    tables, where, said = FAULTS[name]
    with pytest.raises(PlanError) as caught:
        small_fund(**tables)
    found = [fault for fault in caught.value.faults if said in fault.what and where in fault.where]
    assert found, caught.value
    assert all(fault.remedy for fault in found)


def test_the_fund_of_tests_has_none() -> None:
    assert len(small_fund()["contributions"]) == 3
