"""Red, amber, green and grey, each with its reason."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from bettercare.assurance.metrics import metrics
from bettercare.assurance.rag import AMBER_WITHIN, rate, rule, status
from bettercare.plan import Plan

BCF = {metric.id: metric for metric in metrics(Plan.read("leicestershire-bcf-2014"))}
LLR = {metric.id: metric for metric in metrics(Plan.read("llr-stp-2016"))}
MARCH, ON = date(2015, 3, 1), date(2015, 4, 30)


@pytest.mark.parametrize(
    ("actual", "better", "baseline", "colour"),
    [
        (100.0, "lower", None, "green"), (99.0, "lower", None, "green"), (100.0 + 1e-12, "lower", None, "green"), (105.0, "lower", None, "amber"),
        (105.01, "lower", None, "red"), (95.0, "higher", None, "amber"), (94.9, "higher", None, "red"), (101.0, "higher", None, "green"),
        # No better than where it started is red, however near the trajectory is.
        (102.0, "lower", 103.0, "amber"), (103.0, "lower", 103.0, "amber"), (103.1, "lower", 103.0, "red"), (97.0, "higher", 98.0, "red"),
        # Where the trajectory lets it get worse than the baseline, the baseline says nothing.
        (104.0, "lower", 90.0, "amber"),
    ],
)  # fmt: skip
def test_status(actual: float, better: str, baseline: float | None, colour: str) -> None:
    assert status(actual, 100.0, better, AMBER_WITHIN, baseline) == colour


def test_an_expected_nought_has_no_amber() -> None:
    assert [status(value, 0.0, "lower") for value in (0.0, 0.1)] == ["green", "red"]


@pytest.mark.parametrize(
    ("value", "colour", "reason"),
    [
        (355.0, "green", "355.00 in March 2015 against a trajectory of 356.19 per 100,000 a month: 0.3% better."),
        (356.19, "green", "356.19 in March 2015 against a trajectory of 356.19 per 100,000 a month: as asked."),
        (360.0, "amber", "360.00 in March 2015 against a trajectory of 356.19 per 100,000 a month: 1.1% worse, within 5%."),
        (362.0, "red", "362.00 in March 2015 against a trajectory of 356.19 per 100,000 a month: 1.6% worse, and worse than the baseline of 361.98."),
        (400.0, "red", "400.00 in March 2015 against a trajectory of 356.19 per 100,000 a month: 12.3% worse."),
    ],
)  # fmt: skip
def test_the_reason_has_both_figures(value: float, colour: str, reason: str) -> None:
    rag = rate(BCF["m3"], MARCH, value, ON)
    assert (rag.status, rag.reason) == (colour, reason)
    assert (rag.actual, rag.expected) == (value, 356.19)


def test_a_figure_read_off_the_line_is_marked_assumed() -> None:
    assert (
        "(assumed: on the straight line between stated figures)"
        in rate(BCF["m3"], date(2015, 4, 1), 350.0, date(2015, 5, 31)).reason
    )
    assert rate(LLR["ae-4h"], date(2017, 9, 1), 82.78, date(2017, 10, 31)).reason == (
        "82.78% in September 2017 against the last target, 92.10%: 9.3 percentage points worse (10.1% of it)."
    )


def test_amber_of_its_own() -> None:
    assert rate(BCF["m3"], MARCH, 360.0, ON, Decimal(1)).status == "red"
    assert "at most 1%" in rate(BCF["m3"], MARCH, 360.0, ON, Decimal("1.0")).rule


@pytest.mark.parametrize(
    ("name", "period", "on", "reason"),
    [
        ("m3", None, ON, "There is no figure yet."),
        ("m5", MARCH, ON, "The plan gives no trajectory."),
        ("m3", date(2014, 2, 1), date(2014, 3, 31), "its first figure is 361.98 per 100,000 a month at 31 March 2014."),
        ("m3", date(2015, 3, 1), date(2015, 7, 31), "is of March 2015: more than 2 months behind July 2015."),
        ("gp-inadequate", date(2016, 4, 1), date(2017, 4, 30), "The plan gives a baseline (3.0%) and nothing to reach."),
        ("ltc-supported", date(2016, 4, 1), date(2017, 4, 30), "The plan gives baselines of several places and nothing to reach."),
    ],
)  # fmt: skip
def test_grey_says_why(name: str, period: date | None, on: date, reason: str) -> None:
    rag = rate({**BCF, **LLR}[name], period, None if period is None else 50.0, on)
    assert rag.status == "grey"
    assert rag.reason.endswith(reason)


def test_two_periods_behind_is_still_rated() -> None:
    assert rate(BCF["m3"], MARCH, 350.0, date(2015, 5, 31)).status == "green"
    assert rate(BCF["m3"], MARCH, 350.0, date(2015, 6, 29)).status == "green"
    assert rate(BCF["m3"], MARCH, 350.0, date(2015, 6, 30)).status == "grey"


def test_the_rule_in_words_names_the_threshold() -> None:
    assert rule(Decimal("2.50")).startswith("Green: no worse than the trajectory. Amber: worse by at most 2.5% of it")
