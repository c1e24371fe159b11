"""XmR charts against what public tools give: 117 cases of NHSRplotthedots 0.2.2 and nhspy-plotthedots, with their sources in the file."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bettercare.assurance.spc import (
    LIMIT,
    RULE_SETS,
    assured,
    limits,
    run_ends,
    trend_ends,
    two_of_three,
    whole_runs,
    xmr,
)
from bettercare.errors import BettercareError

REFERENCE = json.loads((Path(__file__).parent / "spc_plotthedots.json").read_text(encoding="utf-8"))
BETTER = {"increase": "higher", "decrease": "lower", "neutral": ""}
ASSURANCE = {None: "", "inconsistent": "hit-or-miss", "consistent_fail": "fail", "consistent_pass": "pass"}
MEANING = {
    "common_cause": "common-cause", "special_cause_improvement": "improvement", "special_cause_concern": "concern",
    "special_cause_neutral_high": "special-up", "special_cause_neutral_low": "special-down",
}  # fmt: skip
RULE = {
    "Above UCL": "outside", "Below LCL": "outside", "7 Point Trend (Increasing)": "trend", "7 Point Trend (Decreasing)": "trend",
    "2 in 3 Above CL": "two-of-three", "2 in 3 Below CL": "two-of-three", "7 Points Above CL": "shift", "7 Points Below CL": "shift",
}  # fmt: skip
# The package draws charts of any length, with a warning.
ANY_LENGTH = replace(RULE_SETS["nhsr-plotthedots"], minimum=2, minimum_stretch=2)


def cases(kind: str) -> list[Any]:
    return [
        pytest.param(case["input"], case["expected"], case["name"], id=f"{number}-{case['name'][:40]}")
        for number, case in enumerate(REFERENCE["cases"])
        if case["kind"] == kind
    ]


def test_every_case_is_used() -> None:
    kinds = {case["kind"] for case in REFERENCE["cases"]}
    assert kinds == {"series_full", "rule_vector", "assurance_limits", "limits"}
    assert sum(len(cases(kind)) for kind in kinds) == len(REFERENCE["cases"]) == 117


@pytest.mark.parametrize(("given", "expected", "name"), cases("series_full"))
def test_series(given: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    periods = [date.fromisoformat(day) for day in given["dates"]]
    rebase = given["rebase"] or []
    starts = [date.fromisoformat(day) for day in ([rebase] if isinstance(rebase, str) else rebase)]
    rules = replace(ANY_LENGTH, screen_outliers=given["screen_outliers"])

    def chart() -> Any:
        better = BETTER[given["improvement_direction"]]
        return xmr(periods, given["values"], better, given["target"], rules, starts, given["fix_after_n_points"])

    if expected["lpl"][0] is None:
        # Where the package draws figures that are all the same without limits, we refuse them in words.
        with pytest.raises(BettercareError, match="no variation to judge"):
            chart()
        return
    made = chart()
    size = max(map(abs, given["values"]))
    close = {"rel": 1e-7, "abs": 1e-9 * size}
    assert [point.mean for point in made.points] == pytest.approx(expected["mean"], **close)
    assert [point.lower for point in made.points] == pytest.approx(expected["lpl"], **close)
    assert [point.upper for point in made.points] == pytest.approx(expected["upl"], **close)
    assert [point.special[0] if point.special else None for point in made.points] == [
        RULE.get(kind) for kind in expected["special_cause_type"]
    ]
    assert [point.meaning for point in made.points] == [MEANING[kind] for kind in expected["point_type"]]
    kind = MEANING[expected["variation_last"]]
    assert made.variation.startswith(kind if kind in ("common-cause", "improvement", "concern") else "special-")
    assert made.assurance == ASSURANCE[expected["assurance"]]


@pytest.mark.parametrize(("given", "expected", "name"), cases("rule_vector"))
def test_rules(given: dict[str, Any], expected: list[int], name: str) -> None:
    if name.startswith("ptd_seven_point_one_side_mean"):
        assert [abs(mark) for mark in run_ends(given["relative_to_mean"], 7)] == expected
    elif name.startswith("ptd_part_of_seven_trend"):
        assert [abs(mark) for mark in whole_runs(given["flag"], 7)] == expected
    elif name.startswith("ptd_seven_point_trend"):
        assert trend_ends(given["values"], 7) == expected
    else:
        sides = given["relative_to_mean"]
        near = [close * side for close, side in zip(given["close_to_limits"], sides, strict=True)]
        mark = "band" if name.startswith("ptd_part_of_two_in_three") else "window"
        assert [abs(mark) for mark in two_of_three(near, sides, mark, "within")] == expected


@pytest.mark.parametrize(("given", "expected", "name"), cases("assurance_limits"))
def test_assurance(given: dict[str, Any], expected: dict[str, Any], name: str) -> None:
    better = BETTER[given["improvement_direction"]]
    assert assured(given["lpl"], given["upl"], given["target"], better) == ASSURANCE[expected["assurance"]]


@pytest.mark.parametrize(("given", "expected", "name"), cases("limits"))
def test_limits(given: dict[str, Any], expected: dict[str, float], name: str) -> None:
    mean, lower, upper = limits(given["values"], given["screen_outliers"])
    assert (mean, lower, upper) == pytest.approx((expected["mean"], expected["lpl"], expected["upl"]))
    near = mean + (upper - mean) * 2 / 3, mean - (mean - lower) * 2 / 3
    assert near == pytest.approx((expected["nupl"], expected["nlpl"]))


def test_the_constant_is_three_standard_deviations_of_ranges_of_two() -> None:
    assert pytest.approx(3 / 1.128, abs=0.0005) == LIMIT


@pytest.mark.parametrize(
    ("points", "longest"),
    # Anhøj and Olesen 2014: the longest run that is still usual, round(log2(n) + 3).
    [(10, 6), (12, 7), (20, 7), (24, 8), (60, 9), (100, 10)],
)
def test_the_run_of_anhoej(points: int, longest: int) -> None:
    from bettercare.assurance.spc import longest_run

    assert longest_run(points) == longest + 1
