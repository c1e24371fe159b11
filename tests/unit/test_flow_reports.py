"""Reports of patient flow: the drawings hold what the run found, the documents say it in every form, and nothing a user wrote is taken as markup."""

from __future__ import annotations

import io
import math
import re
from dataclasses import replace
from datetime import datetime, timedelta
from xml.etree import ElementTree

import numpy as np
import openpyxl
import polars as pl
import pytest

from bettercare.flow import Result, compare, run
from bettercare.flow.calibrate import calibrate
from bettercare.flow.forecast import Forecast, forecast
from bettercare.flow.network import Change, Scenario
from bettercare.flow.now import Now
from bettercare.reports.charts.a_day import a_day
from bettercare.reports.charts.hours_fan import Decision, hours_fan
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.network_drawing import columns_of, drawn_flows, network_drawing
from bettercare.reports.charts.residuals import Difference, Residual, differences, residuals
from bettercare.reports.charts.week_of_hours import week_of_hours
from bettercare.reports.exhibit import Document
from bettercare.reports.flow import calibration_report, comparison_report, forecast_report, run_report
from bettercare.reports.flow.answers import answers, hours, points, share
from bettercare.reports.flow.evidence import rows_of
from bettercare.reports.flow.network_frames import flows_frame, stations_frame
from bettercare.reports.page import html
from bettercare.reports.pdf import pdf
from bettercare.reports.workbook import workbook
from small_hospital import HOSTILE, hospital

SVG = "{http://www.w3.org/2000/svg}"
WIDTHS = (340.0, 358.0, 1000.0)


@pytest.fixture(scope="module")
def result() -> Result:
    return run(hospital(), 3, days=28)


@pytest.fixture(scope="module")
def document(result: Result) -> Document:
    return run_report(result)


@pytest.fixture(scope="module")
def ahead() -> Forecast:
    network = hospital()
    at = datetime(2016, 4, 4, 8, 20)
    rows = [{"patient": f"p{n}", "station": "ward-two", "class": "adult", "since": at - timedelta(hours=5 * n), "state": "in service"} for n in range(5)]  # fmt: skip
    return forecast(network, Now.of(rows, network, at), hours=30, replications=20, decisions=["more-beds"])


def texts(svg: str) -> list[str]:
    return [text.text or "" for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


# --- drawings ---------------------------------------------------------------------------------------------------------------


def drawn(result: Result, width: float) -> dict[str, str]:
    flows = flows_frame(result)
    stations = stations_frame(result, flows)
    hourly = result.by_hour()
    at = [datetime(2016, 4, 1, 9) + timedelta(hours=hour) for hour in range(72)]
    middle = np.linspace(40, 55, 72)
    fan = pl.DataFrame(
        {"at": at, "mean": middle, "places": [50.0] * 40 + [54.0] * 32}
        | {name: middle + add for name, add in (("p05", -6), ("p25", -2), ("p50", 0), ("p75", 2), ("p95", 7))}
    )
    rows = [
        Residual("Within four hours, a title that is much too long for one line of any chart", 0.8, 0.79, 0.78, 0.8, 0.03, "80%", "79%"),
        Residual("Far off", 1.0, 9.0, 8.0, 10.0, 0.1, "1", "9", True),
        Residual("Nothing seen", 0.0, 1.0, 0.5, 1.5, 0.1, "0", "1"),
        Residual("One run", 1.0, 1.05, math.nan, math.nan, 0.1, "1", "1"),
    ]  # fmt: skip
    found = [
        Difference("Better & <sure>", 0.02, 0.01, 0.03, "+2 points", "higher"),
        Difference("Not", 0.0, -0.01, 0.01, "0", "higher"),
    ]
    day = hourly.filter(pl.col("hour_of_week") < 24).rename({"hour_of_week": "hour"})
    return {
        "network": network_drawing(stations, flows, width, "A network"),
        "day": a_day(stations, flows, day, width, "A day", "day_1"),
        "fan": hours_fan(fan, 40.0, datetime(2016, 4, 1, 8, 20), width, "Hours", [Decision("Open & <close>", list(middle - 3))], True),
        "fan without limit": hours_fan(fan.with_columns(places=pl.lit(None, pl.Float64)), math.nan, at[0], width, "Hours"),
        "week": week_of_hours(hourly.filter(pl.col("station") == "cubicles"), width, "A week"),
        "week without limit": week_of_hours(hourly.filter(pl.col("station") == "handover"), width, "A week"),
        "residuals": residuals(rows, width, "Targets"),
        "differences": differences(found, points, width, "Scenarios"),
    }  # fmt: skip


@pytest.mark.parametrize("width", WIDTHS)
def test_a_drawing_is_named_and_stays_in_its_frame(result: Result, width: float) -> None:
    for name, svg in drawn(result, width).items():
        root = ElementTree.fromstring(svg)
        assert root.get("aria-label"), name
        assert root.get("role") == ("group" if name == "day" else "img")
        _, _, across, down = map(float, str(root.get("viewBox")).split())
        assert across == width
        for text in root.findall(f"{SVG}text"):
            size = float(text.get("font-size") or root.get("font-size") or 13)
            x, long = float(str(text.get("x"))), text_width(text.text or "", size, text.get("font-weight") == "600")
            start = x - long * {"start": 0.0, "middle": 0.5, "end": 1.0}[text.get("text-anchor") or "start"]
            assert start > -6, (name, text.text)
            assert start + long < across + 6, (name, text.text)
            assert 0 < float(str(text.get("y"))) <= down, (name, text.text)
        for bar in root.findall(f"{SVG}rect"):
            x, long = float(str(bar.get("x"))), float(str(bar.get("width")))
            assert -1 <= x <= x + long <= across + 1, name
            assert float(str(bar.get("y"))) + float(str(bar.get("height"))) <= down, name
        assert "nan" not in svg


def test_a_network_is_drawn_the_same_each_time_and_tells_its_stations_apart(result: Result) -> None:
    svg = drawn(result, 1000.0)["network"]
    assert svg == drawn(result, 1000.0)["network"]
    said = " ".join(texts(svg))
    assert "no limit" in said
    assert "Emergency and urgent care, City General" in said
    assert "Ward &lt;b&gt;&amp;" in svg.replace("&#34;", '"')
    assert "<b>" not in svg
    occupancy = result.estimate("occupancy", "team").mean
    assert f"{occupancy:.0%} of 5 places" in said


def test_columns_follow_patients_and_arrows_are_as_wide_as_they_are_many(result: Result) -> None:
    flows = flows_frame(result)
    stations = stations_frame(result, flows)
    columns = columns_of(stations.to_dicts(), drawn_flows(flows))
    order = [{ident for group in column for ident in group} for column in columns]
    assert "handover" in order[0]
    assert "team" in order[-1]
    assert next(n for n, one in enumerate(order) if "cubicles" in one) < next(
        n for n, one in enumerate(order) if "ward-one" in one
    )
    made = pl.DataFrame({"station": ["a", "b"], "to": ["b", "c"], "per_day": [40.0, 10.0]})
    bare = pl.DataFrame(
        [
            {"station": name, "title": name, "kind": "ward", "site": "", "holds": False, "places": "beds", "servers": 4.0, "occupied": 2.0, "occupancy": 0.5,
             "waiting": 0.0, "blocked": 0.0, "from_outside": 40.0 * (name == "a"), "leaving": 0.0}
            for name in "abc"
        ]
    )  # fmt: skip
    svg = network_drawing(bare, made, 1000.0, "Three")
    widths = {float(found) for found in re.findall(r'fill="none" stroke="[^"]*" stroke-width="([\d.]+)"', svg)}
    assert widths >= {13.0, 3.25}  # 40 a day and 10 a day


def test_who_goes_where_adds_up_to_who_came(result: Result) -> None:
    flows = flows_frame(result)
    stations = stations_frame(result, flows)
    ways = {(a, b): flow for a, b, flow in flows.iter_rows()}
    served = {station.id: result.estimate("served", station.id).mean / 28 for station in result.network.stations}
    assert ways["handover", "cubicles"] == pytest.approx(served["handover"])
    assert ways["cubicles", "ward-one"] + ways["cubicles", "ward-two"] == pytest.approx(0.17 * served["cubicles"])
    assert ways["ward-one", "team"] == pytest.approx(0.2 * served["ward-one"])
    outside = dict(stations.select("station", "from_outside").iter_rows())
    assert outside["cubicles"] == pytest.approx(22, rel=0.15)
    assert outside["handover"] == pytest.approx(10, rel=0.15)
    assert outside["ward-two"] == 0.0
    assert dict(stations.select("station", "leaving").iter_rows())["ward-two"] == pytest.approx(served["ward-two"])
    both = dict(flows.filter(pl.col("station") == "cubicles").select("to", "per_day").iter_rows())
    assert both["ward-one"] > both["ward-two"] > 0
    assert set(both) == {"ward-one", "ward-two"}


def test_a_day_can_be_played_stopped_and_picked_by_the_hour(result: Result) -> None:
    svg = drawn(result, 1000.0)["day"]
    root = ElementTree.fromstring(svg)
    buttons = [one.get("id") for one in root.iter(f"{SVG}g") if one.get("role") == "button"]
    assert len(buttons) == len(set(buttons)) == 26
    assert all(
        one.get("tabindex") == "0" and one.get("aria-label")
        for one in root.iter(f"{SVG}g")
        if one.get("role") == "button"
    )
    begun = {
        part.partition(".")[0]
        for one in root.iter(f"{SVG}animateTransform")
        for name in ("begin", "end")
        for part in str(one.get(name)).split(";")
    }
    assert begun == set(buttons)
    assert all(
        "click" in str(one.get("begin")) for one in root.iter(f"{SVG}animateTransform")
    )  # nothing moves by itself
    assert {f"{hour:02d}:00" for hour in range(24)} <= set(texts(svg))
    assert not re.search(r"<script|<style| style=|\son\w+=", svg)
    with pytest.raises(ValueError, match="cannot start an id"):
        a_day(stations_frame(result), flows_frame(result), result.by_hour().head(0), 1000.0, "A day", "day-1")


def test_a_week_shows_shifts_waiting_and_when_it_is_closed() -> None:
    frame = pl.DataFrame(
        {
            "hour_of_week": range(168),
            "servers": [0.0] * 8 + [4.0] * 160,
            "occupied": [0.0] * 8 + [3.9] * 160,
            "waiting": [2.0] * 168,
        }
    )
    said = texts(week_of_hours(frame, 1000.0, "A week"))
    assert {"places in use", "waiting, on top of them", "places open", "closed", "Monday"} <= set(said)
    quiet = texts(week_of_hours(frame.with_columns(waiting=pl.lit(0.0), servers=pl.lit(4.0)), 1000.0, "A week"))
    assert not {"waiting, on top of them", "closed"} & set(quiet)


def test_a_fan_draws_what_there_is() -> None:
    at = [datetime(2016, 4, 1, 9) + timedelta(hours=hour) for hour in range(5)]
    frame = pl.DataFrame(
        {"at": at} | {name: [5.0] * 5 for name in ("mean", "p05", "p25", "p50", "p75", "p95", "places")}
    )
    svg = hours_fan(
        frame, 5.0, at[0] - timedelta(minutes=30), 1000.0, "Flat", [Decision(f"No. {n}", [4.0] * 5) for n in range(6)]
    )
    said = texts(svg)
    assert "places open" in said
    assert "now 5" in said
    assert "No. 3" in said
    assert "No. 4" not in said  # four at most can be told apart


def test_a_target_agrees_or_not_by_its_tolerance() -> None:
    row = Residual("One", 0.8, 0.77, 0.76, 0.78, 0.03, "80%", "77%")
    assert not row.agrees
    assert replace(row, modelled=0.777).agrees
    assert not replace(row, modelled=0.775).agrees  # 3% of 0.8 is 0.024
    assert math.isnan(replace(row, seen=0.0).percent(1.0))
    assert Difference("a", 1.0, 0.5, 1.5, "", "lower").meaning == "worse"
    assert Difference("a", 1.0, -0.5, 1.5, "", "lower").meaning == "no clear difference"
    assert Difference("a", -1.0, -1.5, -0.5, "", "lower").meaning == "better"
    assert Difference("a", math.nan, math.nan, math.nan, "", "lower").meaning == "no clear difference"


# --- documents --------------------------------------------------------------------------------------------------------------


def test_the_verdict_says_what_the_run_found(result: Result, document: Document) -> None:
    value = result.estimate("within-4", "four-hour")
    assert document.verdict.startswith(f"Time in the department: within 4 hours, {share(value.mean)} (95% interval {share(value.low)} to {share(min(value.high, 1.0))})")  # fmt: skip
    assert (
        f"ambulance handover: over 30 minutes, {share(result.estimate('over-0.5', 'waiting-outside').mean)}"
        in document.verdict
    )
    held = sum(result.values("blocked-days", station) for station in ("ward-one", "ward-two", "team"))
    found = next(answer for answer in answers(result.network) if answer.id == "days-held")
    assert np.asarray(held) == pytest.approx(found.values(result))
    rows = rows_of(result.network)
    assumed = sum(row.evidence.basis == "assumed" for row in rows)
    assert f"{assumed} of the {len(rows)} rows it rests on are assumed" in document.verdict
    assert document.place.startswith("Simulated, not measured. 3 runs of 28 days from 1 April 2016")


def test_a_document_is_written_in_every_form(document: Document) -> None:
    page = html(document)
    assert html(document) == page
    for section in ("network", "times", "waits", "held", "week", "day", "outcomes", "basis", "reading"):
        assert f'<section id="{section}"' in page
    assert "<script" not in page
    assert "<b>&amp;" not in page.replace("&lt;b&gt;", "")
    assert 'Ward <b>&"one"' not in page
    idents = re.findall(r'\sid="([^"]+)"', page)
    assert len(idents) == len(set(idents))
    book = openpyxl.load_workbook(io.BytesIO(workbook(document)))
    assert {"Summary", "Flows", "Times", "Waits and stays", "Held", "A day", "Outcomes", "What it rests on"} <= set(
        book.sheetnames
    )
    stations = [row[0] for row in book["Waits and stays"].iter_rows(min_row=5, values_only=True)]
    assert HOSTILE in stations
    assert pdf(document).startswith(b"%PDF")
    for exhibit in document.exhibits:
        assert exhibit.message.endswith("."), exhibit.message


def test_one_run_has_no_interval_and_one_scenario_is_named() -> None:
    network = hospital()
    made = run_report(run(network, 1, days=5, warm_up=0, scenario="more-beds"), network.scenarios[0])
    assert "one run, so no interval" in made.verdict
    assert made.title == "A small hospital: Ten more beds"
    assert any(row["part"] == "The scenario's changes" for exhibit in made.exhibits if exhibit.id == "flow-assumed" and exhibit.table for row in exhibit.table.rows)  # fmt: skip
    assert "nan" not in html(made)


def test_a_network_without_clocks_or_patients_still_has_a_report() -> None:
    network = replace(hospital(), clocks=(), arrivals=(replace(hospital().arrivals[0], per_day=0.001),))
    made = run_report(run(network, 2, days=2, warm_up=0))
    assert "nan" not in html(made)
    assert made.verdict


def test_scenarios_are_paired_with_the_same_patients() -> None:
    network = hospital()
    found = compare(network, network.scenarios, 4, days=21)
    made = comparison_report(found)
    assert "Ten more beds does most for it" in made.verdict or "No scenario does clearly better" in made.verdict
    table = next(exhibit.table for exhibit in made.exhibits if exhibit.id.startswith("flow-difference-within-4"))
    assert table is not None
    nothing = next(row for row in table.rows if row["scenario"] == "Nothing at all")
    assert (nothing["difference"], nothing["meaning"]) == ("no points", "no clear difference")
    changes = next(exhibit.table for exhibit in made.exhibits if exhibit.id == "flow-changes")
    assert changes is not None
    assert changes.rows[0]["change"] == f"Places at {HOSTILE}: +10"
    assert html(made)
    assert workbook(made)


def test_an_invented_state_is_said_before_all_else(ahead: Forecast) -> None:
    made = forecast_report(ahead, synthetic=True)
    assert made.banner.startswith("Synthetic: the state now is invented.")
    page = html(made)
    assert page.index("Synthetic: the state now is invented.") < page.index("<h1>")
    fans = [exhibit for exhibit in made.exhibits if exhibit.id.startswith("flow-fan-")]
    assert fans
    assert all(
        exhibit.chart and "Synthetic figures" in exhibit.chart.wide and "Synthetic figures" in exhibit.chart.narrow
        for exhibit in fans
    )
    real = forecast_report(ahead)
    assert real.banner == ""
    assert "Synthetic" not in html(real)
    assert workbook(made)


def test_a_forecast_says_its_chances(ahead: Forecast) -> None:
    made = forecast_report(ahead)
    table = next(exhibit.table for exhibit in made.exhibits if exhibit.id == "flow-runs-out")
    assert table is not None
    full = {(row["decision"], row["title"]): row["chance"] for row in ahead.first_full().iter_rows(named=True)}
    for row in table.rows:
        assert row["chance:"] == pytest.approx(100 * full["", row["station"]], abs=0.05)
        assert row["chance:more-beds"] == pytest.approx(100 * full["more-beds", row["station"]], abs=0.05)
    assert "5 patients now" in html(made)
    assert ("does most" in made.verdict) != ("No decision leaves clearly fewer" in made.verdict)


def test_the_best_decision_is_not_one_that_moves_the_shortage() -> None:
    network = hospital(beds=4)
    at = datetime(2016, 4, 4, 8)
    rows = [
        {"patient": f"p{n}", "station": "ward-one", "class": "adult", "since": at, "state": "in service"}
        for n in range(4)
    ]
    now = Now.of(rows, network, at)
    fewer = Scenario("fewer", "Fewer beds", (Change("servers", "ward-two", add=-3),))
    found = forecast(network, now, hours=24, replications=10, decisions=["more-beds", fewer])
    assert "Of the decisions, Ten more beds does most" in forecast_report(found).verdict
    alone = forecast(network, now, hours=24, replications=10, decisions=[fewer])
    assert "No decision leaves clearly fewer" in forecast_report(alone).verdict


def test_a_calibration_report_keeps_what_was_held_out_apart() -> None:
    found = calibrate(hospital(), 4, days=14)
    made = calibration_report(found)
    agreed = {held: sum(one.agrees for one in found.residuals if one.target.held_out is held) for held in (False, True)}
    assert made.verdict.startswith(f"The network reproduces {agreed[False]} of the 1 target it was fitted to, and {agreed[True]} of the 1 not used by the search.")  # fmt: skip
    tables = {exhibit.id: exhibit.table for exhibit in made.exhibits}
    fitted, held, knobs = tables["flow-fitted"], tables["flow-held-out"], tables["flow-knobs"]
    assert fitted
    assert held
    assert knobs
    assert [row["title"] for row in fitted.rows] == ["Within four hours"]
    assert [(row["title"], row["period"]) for row in held.rows] == [("Within four hours, April", "2016-04")]
    assert fitted.rows[0]["after"] == share(found.residuals[0].after.mean)
    assert 0.7 <= float(knobs.rows[0]["after"]) <= 1.4
    lead = next(section.lead for section in made.sections if section.id == "held-out")
    assert lead.startswith("These targets were not used by the search.")
    assert "by hand" in lead  # agreement is no proof where somebody had them in view
    drawing = next(exhibit.chart for exhibit in made.exhibits if exhibit.id == "flow-held-out")
    assert drawing
    assert "(held out)" in " ".join(texts(drawing.wide))
    assert html(made)
    assert pdf(made)
    (knob,) = found.settings
    moved = replace(found, misfit=(1.0, 1.5), settings=(replace(knob, before=1.0, after=1.07),))
    assert (
        "the misfit is 1 before and 1.5 after. No knob moved by more than 10% of" in calibration_report(moved).verdict
    )
    still = replace(moved, settings=(replace(knob, before=1.0, after=1.0),))
    assert "The search found nothing better than where it began" in calibration_report(still).verdict


def test_amounts_are_written_as_they_are_read() -> None:
    assert (share(0.7948), share(0.8), share(-0.0001)) == ("79.5%", "80%", "0%")
    assert (hours(0.4), hours(0.999), hours(130), hours(0)) == ("24 minutes", "1.0 hours", "5.4 days", "0 minutes")
