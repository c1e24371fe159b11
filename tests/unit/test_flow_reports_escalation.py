"""Escalations where people look: in words, in every report of the flow, on the pages and on the terminal."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from bettercare.cli import main
from bettercare.flow import Network, Result, compare, run
from bettercare.flow.forecast import forecast
from bettercare.flow.network import Change, Divert, Escalation, ExtraPlaces, Scenario
from bettercare.flow.network_file import write_network
from bettercare.flow.start_state import invented_state
from bettercare.reports.amounts import count
from bettercare.reports.exhibit import Document, Table
from bettercare.reports.flow import comparison_report, forecast_report, run_report
from bettercare.reports.flow.answers import share
from bettercare.reports.flow.escalations import begins, does, ends
from bettercare.reports.flow.network_frames import stations_frame
from bettercare.reports.page import html
from bettercare.store import Store
from bettercare.web.flow_jobs import FlowJob
from bettercare.web.flow_run import FlowAsked, Kept
from bettercare.web.pages import flow as pages
from bettercare.web.pages.flow_words import escalations_of
from bettercare.web.state import Deployment, Settings
from small_hospital import GUESSED, HOSTILE, hospital
from web_client import BCF, Client, plan

EXTRA = Escalation(
    "extra", "Extra beds <i>", "ward-one", opens=2, closes=0, after=2, places=(ExtraPlaces("ward-one", 4),), evidence=GUESSED
)  # fmt: skip
AWAY = Escalation(
    "away", "Sent away", "cubicles", opens=1, closes=-3,
    diverts=(Divert("walk-ins", 0.5, "home"), Divert("ambulances", 0.5, "home"), Divert("ambulances", 0.25, "team")), evidence=GUESSED,
)  # fmt: skip
NEVER = Escalation("never", "Never", "team", opens=500, closes=1, places=(ExtraPlaces("team", 2),))


def network() -> Network:
    more = Scenario("twice", "Twice as many extra beds", (Change("escalation", "extra", times=2.0, evidence=GUESSED),))
    return replace(hospital(), escalations=(EXTRA, AWAY, NEVER), scenarios=(*hospital().scenarios, more))


@pytest.fixture(scope="module")
def result() -> Result:
    return run(network(), 4, days=45)


@pytest.fixture(scope="module")
def document(result: Result) -> Document:
    return run_report(result)


def table(document: Document, ident: str) -> Table:
    found = next(one.table for one in document.exhibits if one.id == ident)
    assert found
    return found


@pytest.mark.parametrize(
    ("opens", "closes", "after", "begin", "end"),
    [
        (30, 18, 3, f"30 more patients than beds at {HOSTILE}, for 3 hours", "18 more patients than beds"),
        (1, 0, 1, f"1 more patient than beds at {HOSTILE}, for 1 hour", "no more patients than beds"),
        (0, -8, 0, f"no beds free at {HOSTILE}", "8 of the beds free"),
        (-3, -20, 0, f"only 3 of the beds free at {HOSTILE}", "20 of the beds free"),
    ],
)
def test_when_it_begins_and_ends_in_words(opens: int, closes: int, after: int, begin: str, end: str) -> None:
    row = replace(EXTRA, opens=opens, closes=closes, after=after)
    assert (begins(network(), row), ends(network(), row)) == (begin, end)


def test_what_it_does_in_words() -> None:
    assert does(network(), EXTRA) == f"4 more beds at {HOSTILE}"
    assert (
        does(network(), AWAY) == "50% of Walk-ins and Ambulances go to: Home; 25% of Ambulances go to: Community team"
    )
    assert does(network(), replace(AWAY, diverts=())) == "nothing"  # as a scenario may leave it


def test_a_run_says_how_long_each_was_on(result: Result, document: Document) -> None:
    rows = {row["title"]: row for row in table(document, "flow-escalation").rows}
    assert list(rows) == ["Extra beds <i>", "Sent away", "Never"]
    for row in (EXTRA, AWAY):
        on = result.estimate("escalated", row.id)
        assert 0 < on.mean < 1
        found = rows[row.title]
        assert (found["on"], found["p05"], found["p95"]) == tuple(round(100 * one, 2) for one in (on.mean, on.p05, on.p95))  # fmt: skip
        assert found["times"] == pytest.approx(result.estimate("escalations", row.id).mean, abs=0.005)
        months = {f"{period}": result.estimate("escalated", row.id, period=period).mean for period in result.periods}
        assert found["worst"] == round(100 * max(months.values()), 2)
        assert found["month"] == {"2016-04": "April 2016", "2016-05": "May 2016"}[max(months, key=months.__getitem__)]
    assert (rows["Never"]["on"], rows["Never"]["month"]) == (0.0, None)
    hardest = max((EXTRA, AWAY), key=lambda row: float(rows[row.title]["worst"]))
    on = share(result.estimate("escalated", hardest.id).mean)
    assert f" Escalation: {hardest.title} on for {on} of the hours" in document.verdict
    assert "Extra beds &lt;i&gt;" in html(document)
    assert [row["begins"] for row in table(document, "flow-escalation-rules").rows][1] == "1 more patient than cubicles at Cubicles"  # fmt: skip


def test_a_quiet_network_has_no_word_of_it_at_the_top() -> None:
    calm = run_report(run(replace(hospital(), escalations=(NEVER,)), 1, days=5))
    assert "Escalation" not in calm.verdict
    assert any(one.message == "None of 1 escalation was ever on." for one in calm.exhibits)
    bare = run_report(run(hospital(), 1, days=5))
    assert all(section.id != "escalation" for section in bare.sections)


def test_those_diverted_come_from_outside() -> None:
    always = replace(AWAY, opens=-50, closes=-60, diverts=(Divert("ambulances", 0.05, "team"),))
    *others, team = hospital().stations
    roomy = replace(hospital(), stations=(*others, replace(team, servers=40)))
    for escalations, per_day in (((always,), 0.5), ((), 0.0)):
        frame = stations_frame(run(replace(roomy, escalations=escalations), 8, days=45))
        assert dict(frame.select("station", "from_outside").iter_rows())["team"] == pytest.approx(per_day, abs=0.1)


def test_the_drawing_tells_ordinary_places_from_extra_ones(result: Result) -> None:
    places = {row["station"]: (row["servers"], row["places"]) for row in stations_frame(result).iter_rows(named=True)}
    extra = 4 * result.estimate("escalated", "extra").mean
    assert places["ward-one"] == (pytest.approx(16), f"beds + {count(extra)} extra")
    assert places["ward-two"] == (6, "beds")


def test_what_it_rests_on_and_what_a_scenario_changes_are_named(document: Document) -> None:
    assumed = {(row["part"], row["title"]) for row in table(document, "flow-assumed").rows}
    assert {("Escalations", "Extra beds <i>"), ("Escalations", "Sent away")} <= assumed
    its = network()
    made = run_report(run(its, 1, days=5, scenario="twice"), its.scenarios[-1])
    changed = {(row["part"], row["title"]) for row in table(made, "flow-assumed").rows}
    assert ("The scenario's changes", "extra places and diverts of Extra beds <i>") in changed


def test_a_comparison_shows_both() -> None:
    its = network()
    found = compare(its, [its.scenarios[-1]], 4, days=30)
    made = comparison_report(found)
    row = table(made, "flow-escalation").rows[0]
    for key, one in (("0", found.base), ("1", found.scenarios[0][1])):
        assert row[key].startswith(f"{share(one.estimate('escalated', 'extra').mean)} (")
    assert row["0"] != row["1"]
    assert table(made, "flow-changes").rows[0]["change"] == "Extra places and diverts of Extra beds <i>: times 2"


def test_a_forecast_says_what_may_be_done_and_how_likely() -> None:
    always = replace(AWAY, id="always", title="Always", opens=-50, closes=-60)
    never = replace(always, id="never", title="Never", opens=10_000)
    its = replace(network(), escalations=(EXTRA, always, never))
    found = forecast(its, invented_state(its, 1), hours=30, replications=20, decisions=["more-beds"])
    made = forecast_report(found)
    rows = {row["title"]: row for row in table(made, "flow-escalation").rows}
    assert (rows["Always"]["chance:"], rows["Never"]["chance:"]) == (100.0, 0.0)
    assert rows["Extra beds <i>"]["chance:"] == 100 * float(found.escalated[""][0].mean())
    # Ten more beds at the ward it watches leave it no reason.
    assert rows["Extra beds <i>"]["chance:more-beds"] <= rows["Extra beds <i>"]["chance:"]
    assert any(one.message == "Always: a chance of 100% to be on within 2 days." for one in made.exhibits)
    assert [row["title"] for row in table(made, "flow-escalation-rules").rows] == ["Extra beds <i>", "Always", "Never"]


def test_a_station_lists_what_concerns_it(result: Result) -> None:
    of = {one.id: [step.title for step in escalations_of(network(), result, one.id)] for one in network().stations}
    assert of == {
        "handover": ["Sent away"], "cubicles": ["Sent away"], "ward-one": ["Extra beds <i>"], "ward-two": [], "team": ["Sent away", "Never"],
    }  # fmt: skip
    step = escalations_of(network(), result)[0]
    assert step.on == share(result.estimate("escalated", "extra").mean)
    assert escalations_of(network())[0].on == ""


def test_the_pages_show_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, result: Result, document: Document) -> None:  # fmt: skip
    store = Store.open(tmp_path / "flow.db")
    client = Client(Deployment(store, {BCF: plan(BCF)}, Settings(folder=tmp_path / "runs"), networks={BCF: network()}))
    client.sign_in("viewer")
    before = client.get(f"/plans/{BCF}/flow/stations/team").text
    assert "Escalation here" in before
    assert "500 more patients than places at Community team" in before
    assert "Hours on" not in before
    job = FlowJob("one", BCF, FlowAsked("run", 4, 1), "ann", "2026-01-01T00:00:00.000000+00:00", "done", network="")
    monkeypatch.setattr(pages, "last_run", lambda *_: (job, Kept(result.network, document, result), result))
    glance = client.get(f"/plans/{BCF}/flow").text
    on = share(result.estimate("escalated", "extra").mean)
    assert "Extra beds &lt;i&gt;" in glance
    assert f'<td data-head="Hours on" class="bc-number"><div>{on}</div></td>' in glance
    assert glance.index("Begins with") < glance.index("Held elsewhere for it")
    held = count(result.values("held-for-days", "ward-one").mean() * 24 / result.hours)
    assert held != "0"
    assert f'<td data-head="Held elsewhere for it" class="bc-number"><div>{held}</div></td>' in glance
    ward = client.get(f"/plans/{BCF}/flow/stations/ward-one").text
    assert f"<dt>Held elsewhere for a place here, at any time</dt><dd>{held}" in ward
    assert "those held elsewhere for it wait in the place they have" in ward
    assert "<dt>Mean wait for a place" not in ward
    assert "<dt>Mean wait for a place" in client.get(f"/plans/{BCF}/flow/stations/cubicles").text
    two = (job, replace(job, id="two", asked=FlowAsked("forecast", 4, 1, hours=72)))
    monkeypatch.setattr(client.deployment.flow_jobs, "recent", lambda _, kind=None: [one for one in two if kind in (None, one.asked.kind)])  # fmt: skip
    runs, others = client.get(f"/plans/{BCF}/flow/run").text.partition("Forecasts, calibrations and promises so far")[
        ::2
    ]
    assert ("jobs/one" in runs, "jobs/two" in runs) == (True, False)
    assert ("jobs/one" in others, "jobs/two" in others) == (False, True)
    store.close()


def test_the_terminal_says_how_long_each_was_on(tmp_path: Path) -> None:
    file = write_network(network(), tmp_path / "network.yaml")
    words = ["flow", "run", str(file), "--replications", "2", "--days", "7", "--out", str(tmp_path / "out")]
    shown = CliRunner().invoke(main, words, env={"COLUMNS": "200"}, catch_exceptions=False)
    on = share(run(network(), 2, days=7).estimate("escalated", "extra").mean)
    assert f"Escalation: Extra beds <i> {on} of the hours; times begun in 7 days:" in " ".join(shown.output.split())
