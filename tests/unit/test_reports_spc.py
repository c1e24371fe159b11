"""Charts of assurance: what a judgement, a schedule, a fund says is drawn, in its frame, in shape and words as well as colour."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from bettercare.assurance.fund import FundPosition, Line
from bettercare.assurance.milestones import Schedule, Scheduled
from bettercare.assurance.payment import QuarterPayment
from bettercare.assurance.risks import Risk
from bettercare.reports.charts.gantt import gantt
from bettercare.reports.charts.icons import ASSURANCE, RATINGS, VARIATION, assurance_icon, rating_icon, variation_icon
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.payment import payment
from bettercare.reports.charts.risk_matrix import risk_matrix
from bettercare.reports.charts.sparkline import sparkline
from bettercare.reports.charts.spc import printed_rules, spc
from bettercare.reports.charts.spend import cumulative, spend
from bettercare.reports.charts.time_axis import TimeAxis
from judged import judged, months, without_actuals

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = (340.0, 372.0, 820.0, 900.0)


def scheduled(name: str, due: date | None, status: str, **more: Any) -> Scheduled:
    given: dict[str, Any] = {
        "id": name, "milestone": f"{name}: a milestone with a name that is too long for one line of a chart", "scheme": "s", "theme": "t", "due": due, "expected": due,
        "done_on": None, "at_least": due, "at_most": due, "requires": (), "delays": (), "slip": 0, "float_days": None, "critical": False, "status": status, "rag": "green",
        "reason": "", "comments": "", "owner": "",
    }  # fmt: skip
    return Scheduled(**(given | more))


SCHEDULE = Schedule(
    date(2016, 1, 31),
    (
        scheduled("done", date(2015, 4, 1), "done", done_on=date(2015, 4, 1)),
        scheduled("late", date(2015, 10, 1), "late", at_least=date(2016, 3, 1), at_most=date(2016, 9, 1), rag="red", critical=True),
        scheduled("undated", None, "undated"),
    ),
    ("late",), "Of 3 milestones 1 is late.",
)  # fmt: skip
FUND = FundPosition(
    year="2015/16", on=date(2016, 1, 31), contributions={"council": 30_000_00}, pool=0, reserve=0, risk_pool=0, earned=0, budget=24_000_00, spent=15_000_00, outturn=20_000_00,
    variance=-4_000_00, sentence="Under.", synthetic=True, months=3,
    lines=(Line("scheme:a", "A", 24_000_00, 15_000_00, (5_000_00,) * 3 + (0,) * 9, 6_000_00, 20_000_00, -4_000_00, "green", "on course"),),
)  # fmt: skip
QUARTERS = (
    QuarterPayment("2014/15 Q4", 13_648, 13_171, 13_400, 477, 248, 24_000_00, 47_000_00, "Part of it."),
    QuarterPayment("2015/16 Q1", 13_648, 13_171, 14_000, 954, -104, 0, 71_000_00, "More, not fewer."),
    QuarterPayment("2015/16 Q2", 13_648, 13_171, None, 1431, None, 0, 0, "Not known yet."),
)
RISKS = [
    Risk(plan="p", id=f"r{i}", risk="It fails", likelihood=5, impact=5, residual_likelihood=1 + i % 2, residual_impact=3)
    for i in range(9)
] + [Risk(plan="p", id="unscored", risk="Who knows")]  # fmt: skip


def drawn(width: float) -> dict[str, str]:
    return {
        "spc": spc(judged(), width),
        "spc of five years": spc(judged(60), width),
        "spc refused": spc(judged(6, chart=False), width),
        "spc of one point": spc(judged(1, chart=False), width),
        "spc without figures": spc(without_actuals(), width),
        "gantt": gantt(SCHEDULE, width),
        "gantt of nothing": gantt(SCHEDULE, width, []),
        "spend": spend(FUND, width),
        "spend not begun": spend(replace(FUND, months=0), width),
        "payment": payment(QUARTERS, width),
        "payment not begun": payment(QUARTERS[2:], width),
        "risk matrix": risk_matrix(RISKS, width),
        "risk matrix of nothing": risk_matrix([], width),
    }


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_chart_is_named_and_stays_in_its_frame(width: float) -> None:
    for name, svg in drawn(width).items():
        root = ElementTree.fromstring(svg)
        assert root.get("role") == "img", name
        assert root.get("aria-label"), name
        _, _, across, down = map(float, str(root.get("viewBox")).split())
        assert across == width
        for text in root.iter(f"{SVG}text"):
            size = float(text.get("font-size") or root.get("font-size") or 13)
            x, long = float(str(text.get("x"))), text_width(text.text or "", size, text.get("font-weight") == "600")
            start = x - long * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor") or "start"]
            assert start > -4, (name, text.text, start)
            assert start + long < across + 4, (name, text.text, start + long)
            assert 0 < float(str(text.get("y"))) <= down, (name, text.text)


def test_each_meaning_has_a_shape_of_its_own() -> None:
    """A reader who sees no colour tells usual variation, improvement and concern apart."""
    root = ElementTree.fromstring(spc(judged(), 900.0))
    circles = [one for one in root.iter(f"{SVG}circle") if one.get("r") == "4.5"]
    closed = [str(one.get("d")) for one in root.iter(f"{SVG}path") if str(one.get("d")).endswith("Z")]
    corners = [d.count("L") + 1 for d in closed]
    assert len(circles) == 8 + 1  # usual points, and one in the legend
    assert corners.count(3) == 7 + 1  # triangles: concern
    assert corners.count(4) == 6 + 1  # diamonds: improvement


def test_the_chart_says_what_its_figures_are() -> None:
    shown = texts(spc(judged(), 900.0))
    assert "Synthetic figures" in shown
    assert "Synthetic figures" not in texts(spc(replace(judged(), synthetic=False), 900.0))
    assert any(text.startswith("Rules: Rules for a test") for text in shown)
    assert "new limits from May 2015" in shown
    assert "upper limit 363.00" in shown
    assert "mean 343.00" in shown
    assert "expected by the plan" in shown
    assert "per 100,000 a month" in shown
    assert "Discharge at home began." in printed_rules(judged())


def test_limits_step_where_they_were_worked_out_anew() -> None:
    root = ElementTree.fromstring(spc(judged(), 900.0))
    dashed = [one for one in root.iter(f"{SVG}path") if one.get("stroke-dasharray") == "6 4"]
    assert len(dashed) == 4  # two stretches, each with an upper and a lower limit


def test_a_metric_without_limits_says_why() -> None:
    shown = texts(spc(judged(6, chart=False), 900.0))
    assert "No process limits: Six figures are too few for limits." in shown
    assert not [text for text in shown if "limit " in text and text.startswith("upper")]
    assert "No figure has been entered yet." in texts(spc(without_actuals(), 900.0))


def test_words_from_a_plan_are_escaped() -> None:
    assert "&lt;waits&gt;" in spc(judged(), 900.0)


def test_signs_differ_in_letter_or_shape_and_say_what_they_mean() -> None:
    def seen(svg: str) -> tuple[object, ...]:
        """What is left without colour."""
        root = ElementTree.fromstring(svg)
        return tuple((one.tag, one.get("d"), one.get("cx"), one.get("cy"), one.text) for one in root.iter() if one is not root)  # fmt: skip

    for names, draw in ((VARIATION, variation_icon), (ASSURANCE, assurance_icon), (RATINGS, rating_icon)):
        assert len({seen(draw(name)) for name in names}) == len(names)
        for name, (_, words) in names.items():
            assert ElementTree.fromstring(draw(name)).get("aria-label") == words
    assert ElementTree.fromstring(variation_icon("")).get("aria-label") == "No process limits yet"


def test_a_sparkline_says_from_what_to_what() -> None:
    svg = sparkline(judged())
    assert ElementTree.fromstring(svg).get("width") == "120"
    assert "From 360 per 100,000 a month in Apr 2014" in svg
    assert "No figures yet" in sparkline(without_actuals())


def test_a_slip_is_drawn_from_due_to_expected_and_on_to_the_latest() -> None:
    svg = gantt(SCHEDULE, 900.0)
    assert [text for text in texts(svg) if text.startswith("► late")]
    assert not [text for text in texts(svg) if "undated" in text]
    assert "31 Jan 2016" in texts(svg)
    root = ElementTree.fromstring(svg)
    assert [one for one in root.iter(f"{SVG}path") if one.get("stroke-dasharray") == "4 3" and one.get("stroke-width") == "2"]  # fmt: skip


def test_spend_stops_where_accounts_stop() -> None:
    assert cumulative(FUND) == [5_000.0, 10_000.0, 15_000.0]
    assert "outturn £20,000" in texts(spend(FUND, 900.0))
    assert "budget £24,000" in texts(spend(FUND, 900.0))


def test_a_quarter_that_is_not_known_has_no_figure() -> None:
    shown = texts(payment(QUARTERS, 900.0))
    assert "248 of 477" in shown
    assert "−104 of 954" in shown
    assert "– of 1,431" in shown


def test_each_square_lists_its_risks_and_unscored_ones_are_in_none() -> None:
    shown = texts(risk_matrix(RISKS, 900.0))
    assert "Before mitigation (9)" in shown
    assert "After mitigation (9)" in shown
    listed = [text for text in shown if "," in text or text in "123456789"]
    assert not [text for text in listed if "10" in text.split(", ")]


def test_periods_are_named_where_there_is_room() -> None:
    periods = months(60)
    wide = TimeAxis.over(periods, 0, 800).named(periods, "monthly")
    narrow = TimeAxis.over(periods, 0, 200).named(periods, "monthly")
    assert wide[0][1] == narrow[0][1] == "Apr 2014"
    assert len(narrow) < len(wide) < 60
    for found in (wide, narrow):
        assert all(after[0] - before[0] >= text_width(before[1], 12) for before, after in pairwise(found))  # fmt: skip
