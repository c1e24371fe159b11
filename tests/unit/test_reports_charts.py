"""Charts: read as pictures, they hold what the frame holds, inside their frame, at every width."""

from __future__ import annotations

from xml.etree import ElementTree

import polars as pl
import pytest

from bettercare.reports.amounts import count, money
from bettercare.reports.charts.bridge import bridge
from bettercare.reports.charts.calendar import calendar
from bettercare.reports.charts.fan import fan
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.ranges import ranges
from bettercare.reports.charts.scale import Scale
from bettercare.reports.charts.tornado import tornado
from bettercare.reports.charts.trajectory import Metric, Point, trajectories

WIDTHS = (340.0, 372.0, 470.0, 900.0)

STEPS = pl.DataFrame(
    {
        "step": [
            "Start",
            "Growth & <ageing>",
            "A scheme with a name that is much too long for one line of any chart",
            "Plan",
        ],
        "kind": ["start", "growth", "change", "end"],
        "published_case": [1940.0, 210.0, -453.0, 1697.0],
        "mean": [1940.0, 212.0, -270.0, 1882.0],
        "p10": [1940.0, 150.0, -400.0, 1764.0],
        "p90": [1940.0, 260.0, -100.0, 1996.0],
    }
)
YEARS = pl.DataFrame(
    {
        "year": ["2016/17", "2017/18", "2018/19"],
        "do_nothing": [31.7e6, 114e6, 203e6],
        "published_case": [6.7e6, 37e6, -11e6],
        "mean": [6.7e6, 78e6, 88e6],
        **{f"p{q}": [6.7e6, 40e6 + q * 1e6, 40e6 + q * 1.2e6] for q in (10, 25, 50, 75, 90)},
    }
)
DRIVERS = pl.DataFrame({"label": ["Capacity", "Demand"], "at_low": [232e6, 71e6], "at_high": [49e6, 191e6]})
POINTS = pl.DataFrame(
    {
        "label": ["One", "Two"],
        "published": [5.0, None],
        "planned": [4.0, -3.0],
        "expected": [2.0, 0.0],
        "p10": [-1.0, -4.0],
        "p90": [5.0, 3.0],
    }
)
MONEY = pl.DataFrame(
    {
        "label": ["Site", "Site: disposals", "Total"],
        "2017/18": [30e6, None, 30e6],
        "2018/19": [10e6, -5e6, 5e6],
        "Total": [40e6, -5e6, 35e6],
    }
)
METRIC = Metric("Still at home after 91 days (%)", "higher", [Point(2014.0, "2014", 78.6, "baseline"), Point(2016.0, "2016", 82.0, "target"),
                                                              Point(2015.0, "2015", 95.0, "national-standard")])  # fmt: skip


def drawn(width: float) -> dict[str, str]:
    names = {"published": "Published", "planned": "As planned", "expected": "Expected"}
    return {
        "bridge": bridge(STEPS, count, width, "1,940 become 1,697"),
        "bridge without runs": bridge(STEPS.drop("mean", "p10", "p90"), count, width, "1,940 become 1,697"),
        "fan": fan(YEARS, money, width, "The gap"),
        "fan without runs": fan(YEARS.select("year", "published_case"), money, width, "The gap"),
        "tornado": tornado(DRIVERS, 130e6, money, width, "Capacity moves it most"),
        "ranges": ranges(POINTS, count, width, "Two rows", names),
        "calendar": calendar(MONEY, money, width, "Spend", "spend", "disposals"),
        "trajectories": trajectories([METRIC, METRIC], count, width, "One metric"),
    }


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", list(drawn(900.0)))
def test_a_chart_is_named_and_stays_in_its_frame(name: str, width: float) -> None:
    root = ElementTree.fromstring(drawn(width)[name])
    assert root.get("role") == "img"
    assert root.get("aria-label")
    _, _, across, down = map(float, str(root.get("viewBox")).split())
    assert across == width
    for text in root.iter("{http://www.w3.org/2000/svg}text"):
        size = float(text.get("font-size") or root.get("font-size") or 13)
        x, long = float(str(text.get("x"))), text_width(text.text or "", size, text.get("font-weight") == "600")
        start = x - long * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor") or "start"]
        assert start > -4, (text.text, start)
        assert start + long < across + 4, (text.text, start + long)
        assert 0 < float(str(text.get("y"))) <= down
    for bar in root.iter("{http://www.w3.org/2000/svg}rect"):
        x, long = float(str(bar.get("x"))), float(str(bar.get("width")))
        assert -1 < x <= x + long < across + 1
        assert float(str(bar.get("y"))) + float(str(bar.get("height"))) <= down


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter("{http://www.w3.org/2000/svg}text")]


def test_a_bridge_shows_both_cases() -> None:
    shown = texts(drawn(900.0)["bridge"])
    for figure in ("1,940", "+210", "+212", "−453", "−270", "1,697", "1,882"):
        assert figure in shown
    assert any(text.startswith("The axis does not start at zero") for text in shown)
    assert "Expected" not in texts(drawn(900.0)["bridge without runs"])


def test_a_bridge_from_nothing_starts_at_zero() -> None:
    steps = pl.DataFrame(
        {
            "step": ["Do nothing", "Saving", "Plan"],
            "kind": ["start", "change", "end"],
            "published_case": [400.0, -411.0, -11.0],
        }
    )
    assert not [text for text in texts(bridge(steps, count, 900.0, "A gap")) if text.startswith("The axis")]


def test_a_word_is_escaped() -> None:
    assert "Growth &amp; &lt;ageing&gt;" in drawn(900.0)["bridge"]


def test_a_fan_labels_its_ends_apart() -> None:
    close = YEARS.with_columns(pl.col("mean").replace(88e6, 203e6))
    root = ElementTree.fromstring(fan(close, money, 372.0, "The gap"))
    ends = [
        float(str(text.get("y")))
        for text in root.iter("{http://www.w3.org/2000/svg}text")
        if text.get("font-weight") == "600"
    ]
    assert len(ends) == 3
    assert min(b - a for a, b in zip(sorted(ends), sorted(ends)[1:], strict=False)) >= 15


def test_a_standard_is_a_line_not_a_point() -> None:
    assert "standard 95" in texts(drawn(900.0)["trajectories"])


@pytest.mark.parametrize("values", [[0.0], [5.0, 5.0], [-3.0, 7.0], [1e9, 2e9], [1e-6]])
def test_a_scale_has_round_marks_inside(values: list[float]) -> None:
    scale = Scale.over(values, 10.0, 110.0)
    marks = scale.ticks(5)
    assert marks
    assert all(10 <= scale(mark) <= 110 for mark in marks)
    assert all(10 <= scale(value) <= 110 for value in values)


def test_lines_break_at_words() -> None:
    lines = wrapped("Rapid Assessment for Frail Older People in the Community", 13, 120, 3)
    assert len(lines) == 3
    assert all(text_width(line, 13) <= 125 for line in lines)
    assert wrapped("", 13, 100) == [""]
    heading = "Emergency and urgent care, Leicester Royal Infirmary"
    (cut,) = wrapped(heading, 13, text_width(heading, 13) + 2, 1, bold=True)  # fits in light letters alone
    assert cut.endswith("…")
    assert text_width(cut, 13, bold=True) <= text_width(heading, 13) + 2
    assert wrapped("Unbreakablewordthatneverends" * 3, 13, 100)[0].endswith("…")
