"""What the first lines of a report must not hide: worse is said to be worse, what it costs, and how little a thin snapshot says."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from importlib import import_module
from pathlib import Path

import pytest
from click.testing import CliRunner

from bettercare.cli import main
from bettercare.flow import Comparison, Network, compare
from bettercare.flow.decisions import open_places
from bettercare.flow.forecast import Forecast, forecast
from bettercare.flow.network import Change, Divert, Escalation, ExtraPlaces, Outcome, Route, Scenario, Station
from bettercare.flow.network_file import write_network
from bettercare.flow.now import Now
from bettercare.flow.result import Estimate
from bettercare.reports.amounts import count
from bettercare.reports.flow import comparison_report, forecast_report
from bettercare.reports.flow.answers import between, hours, put_off, share
from bettercare.reports.flow.comparison_report import price_of
from bettercare.reports.flow.forecast_report import unknown_at
from small_hospital import HOSTILE, hospital

FEWER = Scenario("fewer", "Fewer beds", (Change("servers", "ward-one", add=-6),))
AWAY = Escalation(
    "away", "Sent away", "cubicles", opens=2, closes=-3, places=(ExtraPlaces("ward-two", 1),), diverts=(Divert("walk-ins", 0.3, "elsewhere"),)
)  # fmt: skip


def network() -> Network:
    small = hospital()
    return replace(
        small,
        outcomes=(*small.outcomes, Outcome("elsewhere", "Seen elsewhere")),
        escalations=(AWAY,),
        scenarios=(*small.scenarios, FEWER),
    )


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    its = network()
    return compare(its, its.scenarios, 8, days=28)


def verdict(comparison: Comparison, *idents: str) -> str:
    return comparison_report(
        Comparison(comparison.base, tuple(pair for pair in comparison.scenarios if pair[0].id in idents))
    ).verdict


def test_a_comparison_says_which_way_it_goes(comparison: Comparison) -> None:
    results = {scenario.id: result for scenario, result in comparison.scenarios}
    base = comparison.base.estimate("within-4", "four-hour").mean

    def line(ident: str, title: str) -> str:
        mean = results[ident].estimate("within-4", "four-hour").mean
        return f"Time in the department, within 4 hours: {share(base)} as it is, {share(mean)} with {title}: "

    assert verdict(comparison, "fewer").startswith(line("fewer", "fewer beds") + "worse by ")
    assert verdict(comparison, "more-beds").startswith(line("more-beds", "ten more beds") + "better by ")
    assert verdict(comparison, "nothing") == line("nothing", "nothing at all") + "no clear difference."
    mixed = verdict(comparison, "fewer", "more-beds")
    assert "Ten more beds does most for it: better by " in mixed
    assert "Fewer beds does most against it: worse by " in mixed
    assert "No scenario does clearly better. Fewer beds does most against it" in verdict(comparison, "fewer", "nothing")
    (pair,) = (pair for pair in comparison.scenarios if pair[0].id == "fewer")
    twice = Comparison(comparison.base, (pair, (replace(FEWER, id="again"), pair[1])))
    assert "Every scenario is clearly worse. Fewer beds does most against it" in comparison_report(twice).verdict


def test_a_comparison_says_what_it_costs(comparison: Comparison) -> None:
    (result,) = (result for scenario, result in comparison.scenarios if scenario.id == "fewer")
    was, on = (share(one.estimate("escalated", "away").mean) for one in (comparison.base, result))
    assert verdict(comparison, "fewer").endswith(f" Escalation: Sent away, {on} of the hours with fewer beds ({was} as it is).")  # fmt: skip
    assert "Escalation" not in verdict(comparison, "nothing")
    heads = {head.title: head for head in price_of(comparison)}
    assert heads["Escalation: Sent away"].value == was
    assert f"{on} with fewer beds" in heads["Escalation: Sent away"].detail
    away = heads["Seen elsewhere: patients, each time counted"]
    assert away.value == count(comparison.base.estimate("left", "elsewhere").mean)
    assert f"{count(result.estimate('left', 'elsewhere').mean)} with fewer beds" in away.detail
    ids = [exhibit.id for exhibit in comparison_report(comparison).exhibits]
    assert "flow-difference-put-off-elsewhere" in ids


def test_who_is_put_off_is_found_in_any_network() -> None:
    its = network()
    later = Station("later", "Another date", "delay", servers=-1)
    stations = [replace(one, if_full="later") if one.id == "cubicles" else one for one in its.stations]
    its = replace(its, stations=(*stations, later), routes=(*its.routes, Route("later", "any", "cubicles", 1.0)))
    assert [(measure, one.id) for measure, one in put_off(its)] == [("arrivals", "later"), ("left", "elsewhere")]
    meant = replace(its, routes=(*its.routes, Route("team", "adult", "later", 1.0)))
    assert [one.id for _, one in put_off(meant)] == ["elsewhere"]
    assert put_off(hospital()) == []


def test_the_terminal_shows_what_a_comparison_costs(tmp_path: Path) -> None:
    file = write_network(network(), tmp_path / "network.yaml")
    words = ["flow", "compare", str(file), "--scenario", "fewer", "--replications", "2", "--days", "7", "--out", str(tmp_path / "out")]  # fmt: skip
    shown = CliRunner().invoke(main, words, env={"COLUMNS": "200"}, catch_exceptions=False).output
    assert "Escalation: Sent away" in shown
    assert "Seen elsewhere" in shown


# --- forecasts --------------------------------------------------------------------------------------------------------------


AT = datetime(2016, 4, 4, 8, 20)


def ahead(station: str = "ward-two", patients: int = 4) -> Forecast:
    its = hospital()
    rows = [{"patient": f"p{n}", "station": station, "class": "adult", "since": AT, "state": "in service"} for n in range(patients)]  # fmt: skip
    return forecast(its, Now.of(rows, its, AT), hours=24, replications=10, decisions=[open_places(its.station("ward-one"), 5)])  # fmt: skip


def test_a_thin_or_crowded_snapshot_is_doubted_beside_the_verdict() -> None:
    found = ahead()
    doubts = unknown_at(found.now, found.network)
    assert doubts == ("Nobody is known at 4 of 5 stations: a forecast begins with them empty, so it says little of them and of those they fill.",)  # fmt: skip
    assert forecast_report(found, warnings=doubts).verdict.endswith(doubts[0])
    rows = [{"patient": one.id, "station": one.id, "class": "old", "since": AT, "state": "in service"} for one in found.network.stations[:4]]  # fmt: skip
    assert unknown_at(Now.of(rows, found.network, AT), found.network) == ()
    crowded = ahead("ward-one", 30)
    assert "30 patients in 16 places" in forecast_report(crowded).verdict


def test_a_decision_that_does_nothing_is_said_why() -> None:
    found = ahead()
    free = 16 - found.samples("ward-one").mean(axis=0).max()
    said = f"{HOSTILE} already had {count(free)} beds free in the fullest hour, on average."
    made = forecast_report(found)
    assert f"No decision leaves clearly fewer hours without a free place over these units. {said}" in made.verdict
    assert next(one for one in made.exhibits if one.id == "flow-decisions").note == said


def test_decisions_are_told_in_words() -> None:
    found = ahead("ward-one", 16)
    table = next(one for one in forecast_report(found).exhibits if one.id == "flow-decisions").table
    assert table
    assert {row["what"] for row in table.rows} <= {"in its places", "waiting for it", "held there for a next place"}
    assert table.rows


def test_units_are_listed_by_chance_and_counted_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    found = ahead("ward-one", 16)
    chances = {row["station"]: row["chance"] for row in found.first_full().iter_rows(named=True) if not row["decision"]}
    assert chances["ward-one"] > chances["ward-two"]
    monkeypatch.setattr(
        import_module("bettercare.reports.flow.forecast_report"), "hours_full", lambda _: {("", "ward-two"): 24.0}
    )
    made = forecast_report(found)
    assert [head.title for head in made.headlines] == [HOSTILE, "Ward two"]
    table = next(one for one in made.exhibits if one.id == "flow-runs-out")
    sure = sum(one >= 0.5 for one in chances.values())
    of_beds = sum(chances[one] >= 0.5 for one in ("ward-one", "ward-two"))
    assert table.message.startswith(f"{of_beds} of 2 hospital bed units, and {sure} of all 4 units with a limit,")
    assert "Hospital bed units more likely than not to run out" in made.verdict


@pytest.mark.parametrize(
    ("write", "low", "high", "said"),
    [(count, 17.9, 18.2, "17.9 to 18.2"), (share, 0.78912, 0.78934, "78.91% to 78.93%"), (hours, 2.71, 2.74, "2.71 hours to 2.74 hours"), (count, 17.0, 18.2, "17 to 18")],
)  # fmt: skip
def test_the_ends_of_an_interval_differ(write: object, low: float, high: float, said: str) -> None:
    found = Estimate((low + high) / 2, low, high, low, low, high, 10)
    assert between(found, write) == f"95% interval {said}"  # type: ignore[arg-type]
