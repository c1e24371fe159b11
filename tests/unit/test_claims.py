"""Claims: the whole check of a plan, what a verdict carries, and how a faulty claim is reported."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from bettercare.errors import PlanError
from bettercare.plan import Plan, Table, shipped
from bettercare.plan.check import check, judge, why
from bettercare.plan.claims import expression_of, parse
from bettercare.plan.read import build
from small_plan import HEADER


def indicator(name: str, value: str, unit: str = "GBP m", **other: str) -> dict[str, str]:
    return {
        "id": name,
        "topic": "t",
        "name": name,
        "value": value,
        "unit": unit,
        "source": "paper",
        "basis": "stated",
        **other,
    }


def claim(
    name: str, expression: str, stated: str, unit: str = "GBP m", relation: str = "equals", **other: str
) -> dict[str, str]:
    return {
        "id": name, "statement": f"{name} in our words", "stated": stated, "unit": unit, "relation": relation, "expression": expression,
        "source": "paper", **other,
    }  # fmt: skip


def plan(*claims: dict[str, str]) -> Plan:
    tables = {
        "sources": [{"id": "paper", "title": "The paper"}],
        "indicators": [
            indicator("a", "1.2"),
            indicator("b", "3.4"),
            indicator("guess", "5", basis="assumed", note="a reason"),
            indicator("nought", "0"),
            indicator("people", "1,061,800", "persons", precision="100"),
        ],
        "claims": list(claims),
    }
    raw = {
        name: [(f"tables/{name}.csv, row {row}", cells) for row, cells in enumerate(rows, 2)]
        for name, rows in tables.items()
    }
    return build(HEADER, raw, [])


SUM = 'indicators["a"] + indicators["b"]'


def test_a_verdict_carries_what_a_reader_needs():
    (verdict,) = check(plan(claim("total", SUM, "4.9", where="Table 1, L20", note="Read with care")))
    assert (verdict.id, verdict.plan, verdict.statement) == ("total", "example", "total in our words")
    assert (verdict.stated, verdict.unit, verdict.verdict, verdict.relation) == (4.9, "GBP m", "inconsistent", "equals")
    assert (verdict.recomputed, verdict.low, verdict.high) == pytest.approx((4.6, 4.5, 4.7))
    assert verdict.source == "The paper, Table 1, L20"
    assert verdict.where == "tables/claims.csv, row 2"
    assert verdict.components == ("indicators.a", "indicators.b")
    assert verdict.rests_on == ()
    assert verdict.note == "Read with care"


def test_a_verdict_is_json_with_the_keys_agreed():
    verdicts = check(
        plan(
            claim("total", SUM, "4.6"),
            claim("odd", 'indicators["a"] / (indicators["nought"] + indicators["guess"] / 100)', "24", "ratio"),
        )
    )
    written = json.loads(json.dumps([verdict.as_dict() for verdict in verdicts], allow_nan=False))
    assert {"id", "plan", "statement", "stated", "recomputed", "unit", "verdict", "source"} <= written[0].keys()
    assert written[0]["recomputed"] == 4.6
    assert written[1]["low"] is None
    assert written[1]["high"] is None
    assert written[1]["rests_on"] == ["indicators.guess"]


@pytest.mark.parametrize(
    ("stated", "relation", "sentence"),
    [
        ("4.6", "equals", "Stated 4.6 GBP m; the plan's own figures give 4.6 GBP m."),
        (
            "4.7",
            "equals",
            "Stated 4.7 GBP m; the plan's own figures give 4.6 GBP m (between 4.5 and 4.7), and the rounding of the printed figures "
            "can explain the difference.",
        ),
        (
            "5.0",
            "about",
            "Stated about 5.0 GBP m; the plan's own figures give 4.6 GBP m (between 4.5 and 4.7), and no rounding of the printed figures "
            "can reconcile the two.",
        ),
        (
            "-1",
            "compares",
            "Stated below zero; the plan's own figures give 4.6 GBP m (between 4.5 and 4.7), and no rounding of the printed figures "
            "can reconcile the two.",
        ),
    ],
)
def test_why_is_one_sentence(stated: str, relation: str, sentence: str):
    assert why(check(plan(claim("total", SUM, stated, relation=relation)))[0]) == sentence


def test_why_says_when_a_divisor_may_be_nought():
    (verdict,) = check(
        plan(claim("odd", 'indicators["a"] / (indicators["nought"] + indicators["guess"] / 100)', "24", "ratio"))
    )
    assert (verdict.low, verdict.high) == (-math.inf, math.inf)
    (far,) = check(
        plan(claim("odd", 'indicators["a"] / (indicators["nought"] + indicators["guess"] / 100)', "99", "ratio"))
    )
    assert far.verdict == "rounding"
    assert "a divisor may be zero" in why(far)


def test_verdicts_keep_the_order_of_the_table():
    names = ["c", "a", "b"]
    assert [verdict.id for verdict in check(plan(*(claim(name, SUM, "4.6") for name in names)))] == names


def test_every_faulty_claim_is_reported_with_its_row():
    with pytest.raises(PlanError) as refusal:
        plan(
            claim("good", SUM, "4.6"),
            claim("gone", 'indicators["c"]', "1"),
            claim("mixed", 'indicators["a"] + indicators["people"]', "1"),
        )
    faults = refusal.value.faults
    assert [fault.where for fault in faults] == [
        "tables/claims.csv, row 3, column expression",
        "tables/claims.csv, row 4, column expression",
    ]
    assert faults[0].what == "The table indicators has no row 'c'."
    assert faults[1].what == "GBP and persons cannot be added."
    assert all(fault.remedy for fault in faults)


def test_claims_wait_until_the_tables_they_read_are_sound():
    """A row that could not be read is one fault, not one more for every claim that reads it."""
    tables = {
        "sources": [{"id": "paper", "title": "The paper"}],
        "indicators": [indicator("a", "1.2.3")],
        "claims": [claim("total", 'indicators["a"]', "1")],
    }
    raw = {
        name: [(f"tables/{name}.csv, row {row}", cells) for row, cells in enumerate(rows, 2)]
        for name, rows in tables.items()
    }
    with pytest.raises(PlanError) as refusal:
        build(HEADER, raw, [])
    assert [fault.where for fault in refusal.value.faults] == ["tables/indicators.csv, row 2, column value"]


def test_check_of_a_plan_made_by_hand_reports_too():
    good = plan(claim("total", SUM, "4.6"))
    row = good["claims"].rows[0]
    bad = replace(row, values={**row.values, "expression": "1 +"})
    by_hand = replace(good, tables={**good.tables, "claims": Table(good["claims"].spec, (bad,))})
    with pytest.raises(PlanError, match="is not an expression"):
        check(by_hand)


def test_precision_of_a_row_is_that_of_its_figure():
    assert parse('indicators["people"]', plan()).range == (1_061_750, 1_061_850)


def test_ties_agree_whichever_way_they_round():
    assert judge("equals", 2, 1, 2.5, 2.5, 2.5) == judge("equals", 3, 1, 2.5, 2.5, 2.5) == "agrees"
    assert judge("equals", 0.3, 0.1, 0.1 + 0.2 + 0.05, 0, 1, 1e-9) == "agrees"


def test_large_figures_that_cancel_leave_no_noise():
    rows = {f"x{number}": f"{number}00,000,000.{number}" for number in range(1, 10)}
    tables = {
        "sources": [{"id": "paper", "title": "The paper"}],
        "indicators": [indicator(name, value, "GBP") for name, value in rows.items()],
        "claims": [
            claim(
                "zero",
                f"sum(indicators) - ({' + '.join(f'indicators[{name!r}]' for name in reversed(rows))})",
                "0.000",
                "GBP",
            ),
        ],
    }
    raw = {
        name: [(f"tables/{name}.csv, row {row}", cells) for row, cells in enumerate(rows, 2)]
        for name, rows in tables.items()
    }
    (verdict,) = check(build(HEADER, raw, []))
    assert verdict.verdict == "agrees"
    assert verdict.high - verdict.low < 1e-3


@pytest.mark.parametrize("name", shipped())
def test_every_claim_of_the_shipped_plans_can_be_judged(name: str):
    shipped_plan = Plan.read(name)
    verdicts = check(shipped_plan)
    assert len(verdicts) == len(shipped_plan["claims"])
    for verdict in verdicts:
        assert verdict.low - 1e-9 * abs(verdict.low) <= verdict.recomputed <= verdict.high + 1e-9 * abs(verdict.high), (
            verdict.id
        )
        assert verdict.source
        assert why(verdict).endswith(".")
    for row in shipped_plan["claims"]:
        assert expression_of(shipped_plan, row).text == row["expression"]
