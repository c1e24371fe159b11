"""Metrics of a plan: periods, trajectories, actuals and their revisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from bettercare.assurance.metrics import (
    Actual,
    Aim,
    Metric,
    current,
    day_of,
    expected,
    expected_is_stated,
    last_period,
    metrics,
    next_actual,
    next_period,
    period_end,
    period_name,
    period_of,
    revisions,
    written,
)
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from small_plan import small_plan

BCF = {metric.id: metric for metric in metrics(Plan.read("leicestershire-bcf-2014"))}
LLR = {metric.id: metric for metric in metrics(Plan.read("llr-stp-2016"))}
ON = date(2016, 1, 31)


def metric(**changes: Any) -> Metric:
    return replace(BCF["m3"], **changes)


def enter(of: Metric, period: date, value: str, known: tuple[Actual, ...] = (), **more: Any) -> Actual:
    given = {"plan": "p", "source": "a return", "on": ON, **more}
    return next_actual(known, of, period, Decimal(value), **given)


def test_the_six_metrics_of_the_fund() -> None:
    assert list(BCF) == ["m1", "m2", "m3", "m4", "m5", "m6"]
    m4 = BCF["m4"]
    assert (m4.unit, m4.per, m4.better, m4.frequency) == ("per 100,000 a month", 100000, "lower", "monthly")
    assert [(aim.kind, aim.at, aim.value) for aim in m4.aims] == [
        ("baseline", date(2014, 12, 31), 672.31),
        ("target", date(2015, 12, 31), 644.57),
    ]
    assert m4.schemes == ("ltc1", "ltc3", "ltc4", "iur1", "iur2", "iur3", "iur4", "iur5", "hdr1", "hdr3")
    assert BCF["m5"].aims == ()


def test_the_stp_has_the_trajectories_of_the_paper() -> None:
    assert [LLR[name].aims[0].value for name in ("red-1", "red-2", "handover-30", "handover-60")] == [
        67.7,
        56.5,
        12.8,
        6.2,
    ]
    # A national standard stands beside the trajectory.
    assert [aim.value for aim in LLR["ae-4h"].line] == [79.48, 92.1]
    # Where the plan sets nothing to reach, the standard then in force stands in; it is marked as assumed.
    assert {name: [(aim.value, aim.basis) for aim in LLR[name].line] for name in ("red-1", "handover-60", "cancer-62")} == {
        "red-1": [(75, "assumed")], "handover-60": [(0, "assumed")], "cancer-62": [(85, "assumed")],
    }  # fmt: skip
    assert LLR["gp-inadequate"].frequency_assumed


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2015-03-31", date(2015, 3, 31)), ("2015-02", date(2015, 2, 28)), ("2016", date(2016, 12, 31)), ("2016/17", date(2017, 3, 31)),
        ("2012/14", date(2014, 12, 31)), ("1999/00", date(2000, 3, 31)),
    ],
)  # fmt: skip
def test_dates_of_trajectories(text: str, day: date) -> None:
    assert day_of(text) == day


@pytest.mark.parametrize("text", ["", "soon", "2016/16", "2016/15", "2015-02-30", "15-02-01", "0000", "2015-13"])
def test_what_is_no_date(text: str) -> None:
    with pytest.raises(BettercareError, match="is not a date of a trajectory"):
        day_of(text, "trajectories.csv, row 2")


def test_periods() -> None:
    month, quarter, year = BCF["m3"], LLR["personal-health-budgets"], BCF["m1"]
    day = date(2016, 2, 29)
    assert [period_of(of, day) for of in (month, quarter, year)] == [
        date(2016, 2, 1),
        date(2016, 1, 1),
        date(2015, 4, 1),
    ]
    assert [period_end(of, period_of(of, day)) for of in (month, quarter, year)] == [
        day,
        date(2016, 3, 31),
        date(2016, 3, 31),
    ]
    assert [period_name(of, period_of(of, day)) for of in (month, quarter, year)] == [
        "February 2016",
        "2015/16 Q4",
        "2015/16",
    ]
    assert [last_period(of, day) for of in (month, quarter, year)] == [
        date(2016, 2, 1),
        date(2015, 10, 1),
        date(2014, 4, 1),
    ]
    assert last_period(month, date(2016, 2, 28)) == date(2016, 1, 1)
    assert next_period(month, date(2015, 11, 1), 3) == date(2016, 2, 1)


def test_expected_is_a_straight_line_held_after_the_last_point() -> None:
    m3 = BCF["m3"]
    assert expected(m3, date(2014, 2, 1)) is None
    assert expected(m3, date(2014, 3, 1)) == 361.98
    assert expected(m3, date(2015, 3, 1)) == 356.19
    # 183 of 365 days from 361.98 to 356.19
    assert expected(m3, date(2014, 9, 1)) == round(361.98 - 5.79 * 183 / 365, 2)
    assert expected(m3, date(2030, 1, 1)) == 350.48
    assert expected_is_stated(m3, date(2015, 3, 1))
    assert not expected_is_stated(m3, date(2014, 9, 1))


def test_baselines_of_several_places_are_not_the_start_of_a_line() -> None:
    survival = LLR["cancer-survival"]
    assert [aim.kind for aim in survival.line] == ["target"]
    assert expected(survival, date(2018, 4, 1)) is None
    assert expected(survival, date(2020, 4, 1)) == 75
    assert survival.baseline is None


def test_a_baseline_alone_asks_for_nothing() -> None:
    assert LLR["gp-inadequate"].line == ()
    assert expected(LLR["gp-inadequate"], date(2017, 4, 1)) is None


def test_a_standard_that_stands_in_for_a_trajectory_holds_throughout() -> None:
    assert expected(LLR["red-1"], date(2014, 4, 1)) == expected(LLR["red-1"], date(2020, 4, 1)) == 75


def test_a_trajectory_in_two_units_is_refused() -> None:
    rows = {
        "metrics": [{"id": "m", "name": "M", "better": "lower", "source": "paper"}],
        "trajectories": [
            {"id": "a", "metric": "m", "kind": "baseline", "at": "2016", "value": "1", "unit": "%"},
            {"id": "b", "metric": "m", "kind": "target", "at": "2017", "value": "1", "unit": "beds"},
        ],
    }
    with pytest.raises(BettercareError, match="in several units"):
        metrics(small_plan(rows))


def test_revisions_are_rows_of_their_own() -> None:
    first = enter(BCF["m3"], date(2015, 4, 1), "361.98", status="provisional")
    second = enter(BCF["m3"], date(2015, 4, 1), "362.10", (first,))
    other = enter(BCF["m3"], date(2015, 3, 1), "360", (first, second))
    assert (first.id, second.id) == ("m3@2015-04-01#1", "m3@2015-04-01#2")
    assert current((second, first, other), "m3") == (other, second)
    assert revisions((second, other, first), "m3", date(2015, 4, 1)) == (first, second)
    assert current((first,), "m4") == ()


def test_the_same_figure_again_is_refused_unless_it_has_become_final() -> None:
    first = enter(BCF["m3"], date(2015, 4, 1), "361.98", status="provisional")
    with pytest.raises(BettercareError, match=r"in April 2015 is already 361\.98 per 100,000 a month \(revision 1\)"):
        enter(BCF["m3"], date(2015, 4, 1), "361.98", (first,), status="provisional")
    assert enter(BCF["m3"], date(2015, 4, 1), "361.98", (first,)).revision == 2


@pytest.mark.parametrize(
    ("of", "period", "value", "more", "said"),
    [
        (BCF["m3"], date(2015, 4, 2), "1", {}, "2015-04-02 is not the first day of a month"),
        (BCF["m1"], date(2014, 5, 1), "1", {}, "is not the first day of a financial year"),
        (LLR["personal-health-budgets"], date(2015, 5, 1), "1", {}, "is not the first day of a quarter"),
        (BCF["m3"], date(2016, 2, 1), "1", {}, "February 2016 had not ended by 31 January 2016"),
        (BCF["m3"], date(215, 4, 1), "1", {}, "cannot be the period"),
        (BCF["m2"], date(2014, 4, 1), "100.1", {}, "not a share of 100"),
        (BCF["m2"], date(2014, 4, 1), "-1", {}, "not a share of 100"),
        (BCF["m3"], date(2015, 4, 1), "-1", {}, "cannot be below nought"),
        (BCF["m3"], date(2015, 4, 1), "NaN", {}, "not a number"),
        (BCF["m3"], date(2015, 4, 1), "1e30", {}, "more digits"),
        (BCF["m3"], date(2015, 4, 1), "1.123456789", {}, "more digits"),
        (BCF["m3"], date(2015, 4, 1), "1", {"source": "  "}, "no source"),
        (BCF["m3"], date(2015, 4, 1), "1", {"denominator": Decimal(0)}, "denominator must be above nought"),
        (BCF["m3"], date(2015, 4, 1), "1", {"numerator": Decimal(-1)}, "numerator is below nought"),
        (BCF["m2"], date(2014, 4, 1), "50", {"numerator": Decimal(3), "denominator": Decimal(2)}, "larger than the denominator"),
        (BCF["m4"], date(2015, 4, 1), "641.70", {"numerator": Decimal(4370), "denominator": Decimal(681112)}, "gives 641.60"),
    ],
)  # fmt: skip
def test_what_cannot_be_a_figure(of: Metric, period: date, value: str, more: dict[str, Any], said: str) -> None:
    with pytest.raises(BettercareError, match=said) as refused:
        enter(of, period, value, **more)
    assert refused.value.remedy


@pytest.mark.parametrize("value", ["641.60", "641.6", "642"])
def test_numerator_and_denominator_may_differ_by_rounding(value: str) -> None:
    assert enter(
        BCF["m4"], date(2015, 4, 1), value, numerator=Decimal(4370), denominator=Decimal(681112)
    ).value == Decimal(value)


def test_a_monthly_rate_of_a_quarter_is_of_an_average_month() -> None:
    quarterly = metric(frequency="quarterly")
    made = enter(quarterly, date(2015, 4, 1), "641.60", numerator=Decimal(3 * 4370), denominator=Decimal(681112))
    assert made.revision == 1


def test_figures_in_words() -> None:
    assert written(BCF["m3"], 361.98) == "361.98 per 100,000 a month"
    assert written(BCF["m2"], 80.3) == "80.30%"
    assert written(LLR["nel-admissions"], 55150.0) == "55,150 admissions"
    assert written(metric(unit="GBP m"), 2.84) == "£2.8m"
    assert written(metric(unit="", places=0), Decimal("3.25")) == "3.25"


def test_an_aim_says_where_it_comes_from() -> None:
    aim = BCF["m3"].aims[0]
    assert isinstance(aim, Aim)
    assert aim.where == "bcf-2014: National Metric 3, L865"
    assert aim.note


def test_every_better_care_fund_metric_says_what_is_counted_and_from_where():
    found = {one.id: one for one in metrics(Plan.read("leicestershire-bcf-2014"))}
    assert all(one.actuals_from for one in found.values())
    assert [one.id for one in found.values() if not (one.numerator and one.denominator)] == ["m5"]
    assert found["m3"].counted == (
        "Delayed bed days of adults in all hospitals over adults in the county. From: NHS England's monthly return of delayed transfers; the paper"
        " does not say."
    )
