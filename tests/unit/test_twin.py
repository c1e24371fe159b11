"""The twin: a small plan with a small network whose answers can be checked by running it again."""

from __future__ import annotations

import dataclasses
import re
from functools import cache
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from scipy import stats

from bettercare.cli.twin import twin_command
from bettercare.errors import BettercareError, PlanError
from bettercare.flow.network import Change, Escalation, Evidence, Network, Target
from bettercare.flow.network_file import network_of
from bettercare.plan import Plan
from bettercare.reports.flow.evidence import BASES, assumed_in_words, rows_of
from bettercare.reports.page import html
from bettercare.reports.twin_report import _beds, _Label, _lifts, promises_report
from bettercare.reports.workbook import workbook
from bettercare.twin import (
    Answer,
    Futures,
    Needed,
    Reply,
    Search,
    Trial,
    Twin,
    answer,
    answers,
    faults_of,
    futures,
    needed,
    twin_of,
)
from bettercare.twin.mapping import Promise, sized, whole_shares
from bettercare.twin.promises import Answered, Base, Missed, judge, missed, predicted
from bettercare.twin.smallest import ALL, _turns
from small_plan import small_plan

NETWORK = """
id: small
plan: example
title: A ward and a front door
starts: 2016-04-01
days: 30
warm_up: 20
replications: 4
classes: [{id: ill, title: Ill}, {id: hurt, title: Hurt}]
arrivals:
  - {id: ill, class: ill, to: door, per_day: 10, basis: stated}
  - {id: hurt, class: hurt, to: door, per_day: 20, basis: stated}
stations:
  - {id: door, title: Front door, kind: emergency, places: cubicles, servers: 5, holds: yes, basis: stated}
  - {id: ward, title: Ward, places: beds, servers: 60, queue: 0, holds: yes, basis: stated}
services:
  - {station: door, time: {exponential: 2, unit: hours}, basis: stated}
  - {station: ward, time: {exponential: 5, unit: days}, basis: stated}
routes:
  - {station: door, class: ill, shares: {ward: 0.99, home: 0.01}, basis: stated}
  - {station: door, class: hurt, shares: {home: 1}, basis: stated}
  - {station: ward, shares: {home: 1}, basis: stated}
outcomes: [{id: home, title: Home}]
clocks: [{id: a-and-e, title: Time at the front door, stations: [door], targets: [4]}]
scenarios:
  - {id: busy, title: Busy, changes: [{what: arrivals, at: ill, times: 1.1, basis: stated}]}
targets:
  - {id: seen, title: Within four hours, measure: within-4, of: a-and-e, value: 0.8, tolerance: 0.05, basis: stated}
"""
TWIN = """
plan: example
network: small
questions:
  - {id: door, title: Is the door quick enough?, year: 2016/17, starts: 2017-01-01, days: 20, warm_up: 10, basis: stated}
  - {id: beds, title: Do the beds suffice?, year: 2020/21, starts: 2021-01-01, days: 20, warm_up: 20, beds: beds, organisation: acute, basis: stated}
promises:
  - {id: quick, question: door, title: Within four hours, measure: within-4, of: [a-and-e], at_least: 0.9, metric: four, period: 2017-01, headline: yes, basis: stated}
  - {id: room, question: beds, title: At most 85% full, measure: occupancy, of: [ward], at_most: 0.85, spread: 0.1, headline: yes, suffices: yes, basis: stated}
  - {id: as-now, question: beds, title: As quick as now, measure: within-4, of: [a-and-e], as_now: at-least, basis: stated}
  - {id: never, question: beds, title: Empty, measure: occupancy, of: [ward], at_most: 0, basis: stated}
streams:
  - {stream: ill, organisation: acute, pod: non-elective, basis: stated}
services:
  - {station: ward, organisation: acute, pod: non-elective, basis: stated}
routes:
  - {station: door, class: ill, goes: ward, instead_of: home, organisation: acute, pod: elective, basis: stated}
beds:
  - {station: ward, organisation: acute, pod: non-elective, basis: stated}
drivers:
  - {id: faster, title: Faster, questions: [door], low: 0, likely: 0.5, high: 1.5, probability: 0.8, starts: 2016-12-01, full: 2017-01-01, late: [0, 0, 2], cause: Capacity, loading: 0.5, changes: [{what: service, at: door, times: 0.8}], basis: stated}
  - {id: later, title: Later, questions: [door], low: 1, likely: 1, high: 2, starts: 2017-06-01, full: 2017-07-01, changes: [{what: service, at: door, times: 0.5}], basis: stated}
levers:
  - {id: beds, title: Beds, unit: beds, questions: [beds], limit: 40, step: 2, grid: [-10, 0, 10, 20, 40], changes: [{what: servers, at: ward, add: 1}], basis: stated}
  - {id: stays, title: Shorter stays, unit: "% off", questions: [beds], limit: 4, step: 1, changes: [{what: service, at: ward, times: 0.99}], basis: stated}
  - {id: cubicles, title: Cubicles, unit: cubicles, questions: [door], limit: 4, step: 1, changes: [{what: servers, at: door, add: 1}], basis: stated}
not_modelled:
  - {what: Weather, note: It may rain}
"""


@cache
def plan(schemes: bool = True) -> Plan:
    effects = [
        {"id": "less", "kind": "avoid", "organisation": "acute", "pod": "non-elective", "size": 8, "unit": "beds", "by": "2020/21"},
        {"id": "short", "kind": "shorten", "organisation": "acute", "pod": "non-elective", "size": 4, "unit": "beds", "by": "2020/21"},
    ]  # fmt: skip
    tables = {
        "beds": [
            {"id": "ne", "organisation": "acute", "pod": "non-elective", "value": 60},
            {"id": "el", "organisation": "acute", "pod": "elective", "value": 30},
        ],
        "rates": [
            {"id": "stay", "organisation": "acute", "pod": "non-elective", "measure": "length-of-stay", "value": 5, "unit": "days"},
            {"id": "stay-el", "organisation": "acute", "pod": "elective", "measure": "length-of-stay", "value": 3, "unit": "days"},
            {"id": "full", "measure": "occupancy", "value": 90, "unit": "%"},
        ],
        "growth": [
            {"id": "more", "organisation": "acute", "pod": "non-elective", "measure": "beds", "value": 6, "unit": "beds", "low": 2, "high": 9},
            {"id": "more-el", "organisation": "acute", "pod": "elective", "measure": "beds", "value": 3, "unit": "beds", "low": 1, "high": 6},
        ],
        "metrics": [{"id": "four", "name": "Four hours", "better": "higher", "source": "paper"}],
    }  # fmt: skip
    return small_plan(
        tables, [{"id": "teams", "delivery": "hopeful", "starts": "2017/18", "effects": effects}] if schemes else ()
    )


@cache
def network() -> Network:
    return network_of(NETWORK)


@cache
def twin() -> Twin:
    return twin_of(TWIN)


@cache
def drawn(question: str, draws: int = 12, scenario: str | None = None) -> Futures:
    return futures(plan(), network(), twin(), twin().question(question), draws, 7, scenario)


@cache
def answered(question: str, workers: int = 1) -> Answered:
    its = twin().question(question)
    trial = Trial(network(), drawn(question), twin().promises_of(its), 7, workers)
    return judge(trial, Base(network(), 7, workers, 4))


@cache
def whole() -> Answer:
    return answer(plan(), network(), twin(), draws=8, seed=7, workers=2, search_draws=6)


# -- the file --------------------------------------------------------------------------------------------------------


def test_the_file_fits():
    assert faults_of(twin(), plan(), network()) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("plan: example", "plan: Example!", "short name"),
        ("network: small", "networks: small", "'networks' is not known. Did you mean network?"),
        ("days: 20, warm_up: 10", "days: 0, warm_up: 10", "0 is out of range"),
        ("days: 20, warm_up: 10", "days: nan, warm_up: 10", "not a number"),
        ("year: 2016/17", "year: 2016", "year of questions"),
        ("at_least: 0.9", "at_least: 0.9, at_most: 1", "exactly one of at_least"),
        ("at_least: 0.9, ", "", "exactly one of at_least"),
        ("question: door", "question: window", "no question 'window'"),
        ("low: 0, likely: 0.5", "low: 1, likely: 0.5", "not in this order"),
        ("late: [0, 0, 2]", "late: [0, 2]", "2 numbers"),
        ("late: [0, 0, 2]", "late: [3, 0, 2]", "in order"),
        ("starts: 2016-12-01, ", "", "do not go together"),
        ("probability: 0.8", "probability: 80", "80 is out of range"),
        ("add: 1}", "add: 1, times: 2}", "one of add and times"),
        ("what: servers, at: ward", "what: walls, at: ward", "walls"),
        ("grid: [-10, 0", "grid: [10, 0", "not in order"),
        ("beds: beds, organisation", "beds: bed, organisation", "Did you mean beds?"),
        ("beds: beds, organisation: acute", "beds: beds", "whose beds"),
        ("question: door, title", "question: beds, title", "No promise belongs"),
        ("id: room", "id: quick", "twice"),
        ("title: Beds,", "titel: Beds,", "Did you mean title?"),
        ("limit: 40, step: 2", "limit: 40, step: 50", "larger than its limit"),
        ("organisation: acute, pod: non-elective, basis: stated}\ndrivers", "organisation: acute, pod: non-elective, share: 0.5, basis: stated}\ndrivers", "add to 0.5"),
        ("- {what: Weather, note: It may rain}", "nothing", "must be a list"),
        ("note: It may rain", "notes: It may rain", "has no note"),
        ("pod: elective, basis: stated", "pod: elective, basis: assumed", "gives no reason"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_the_file_is_said(old: str, new: str, said: str):
    assert old in TWIN
    with pytest.raises(PlanError, match=re.escape(said)) as caught:
        twin_of(TWIN.replace(old, new, 1))
    assert all(fault.where.startswith("twin.yaml") and fault.remedy for fault in caught.value.faults)


@pytest.mark.parametrize(
    "text", ["", "- a", "plan: *x", "plan: \x00", "plan: [[[[[[[[[[[[[[1]]]]]]]]]]]]]]", "plan: {a: b}"]
)
def test_hostile_text_is_refused(text: str):
    with pytest.raises(BettercareError):
        twin_of(text)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("plan: example", "plan: other", "of the plan other"),
        ("year: 2016/17", "year: 2031/32", "no year 2031/32"),
        ("of: [a-and-e], at_least", "of: [ward], at_least", "no clock 'ward'"),
        ("measure: within-4, of: [a-and-e], at_least", "measure: within-6, of: [a-and-e], at_least", "no target of 6"),
        ("measure: occupancy, of: [ward], at_most: 0.85", "measure: wait-q90, of: [ward], at_most: 3", "Quantiles"),
        ("measure: occupancy, of: [ward], at_most: 0.85", "measure: full, of: [ward, door], at_most: 3", "one station at a time"),
        ("metric: four", "metric: five", "no metric 'five'"),
        ("grid: [-10, 0", "grid: [-100, 0", "would be -40"),
        ("stream: ill", "stream: sick", "no stream 'sick'"),
        ("station: ward, organisation: acute, pod: non-elective", "station: ward, organisation: acute, pod: maternity", "no 'maternity'"),
        ("goes: ward, instead_of: home", "goes: ward, instead_of: heaven", "heaven"),
        ("at: door, times: 0.8", "at: gate, times: 0.8", "no station 'gate'"),
        ("add: 1}], basis: stated}\n  - {id: stays", "add: -2}], basis: stated}\n  - {id: stays", "would be -20"),
    ],
)  # fmt: skip
def test_what_plan_or_network_lack_is_said(old: str, new: str, said: str):
    assert old in TWIN
    wrong = twin_of(TWIN.replace(old, new, 1))
    assert any(said in str(fault) for fault in faults_of(wrong, plan(), network()))
    with pytest.raises(PlanError):
        futures(plan(), network(), wrong, wrong.questions[0], 4)


# -- sizes -----------------------------------------------------------------------------------------------------------


def test_changes_at_a_size():
    changes = (
        Change("servers", "a", add=0.6),
        Change("servers", "b", add=0.4),
        Change("service", "a", times=0.8),
        Change("share", "a", goes="b", add=0.2),
    )
    made = sized(changes, 5)
    assert [one.add for one in made[:2]] == [3, 2]
    assert made[2].times == pytest.approx(0.01)  # 1 - 5 x 0.2 is none of the time: a hundredth is the least
    assert sized(changes, 0.5)[2].times == pytest.approx(0.9)
    assert made[3].add == pytest.approx(1.0)


@pytest.mark.parametrize("amounts", [[0.5, 0.5, 0.5], [-3.3, -3.3, -3.4], [2.2], [], [1e-9, -1e-9]])
def test_whole_shares_add_up(amounts: list[float]):
    shared = whole_shares(amounts)
    assert sum(shared) == int(np.floor(sum(amounts) + 0.5))
    assert all(abs(one - amount) < 1 for one, amount in zip(shared, amounts, strict=True))


# -- futures ---------------------------------------------------------------------------------------------------------


def test_a_draw_is_the_same_however_many_are_drawn():
    assert drawn("beds", 12).items[:5] == drawn("beds", 5).items
    assert drawn("beds", 5) == futures(plan(), network(), twin(), twin().question("beds"), 5, 7)
    other = futures(plan(), network(), twin(), twin().question("beds"), 5, 8)
    assert other.items != drawn("beds", 5).items


def test_beds_are_the_plans_whatever_comes():
    found = drawn("beds")
    assert (found.beds_now, found.beds_planned) == (60, 54)
    for future in found.items:
        assert found.network(network(), future).station("ward").servers == 54


def test_patients_and_stays_multiply_to_the_models_beds():
    from bettercare.model import run

    result = run(plan(), 12, 7)
    beds = result.beds.sample("2020/21", organisation="acute", pod="non-elective") / 60
    for future, wanted in zip(drawn("beds").items, beds, strict=True):
        arrivals = next(one.times for one in future.changes if one.what == "arrivals")
        stay = next(one.times for one in future.changes if one.what == "service")
        assert arrivals * stay == pytest.approx(wanted)


def test_a_scenario_keeps_the_luck():
    plain, busy = drawn("beds"), drawn("beds", 12, "busy")
    assert [one.drivers for one in busy.items] == [one.drivers for one in plain.items]
    for one, other in zip(plain.items, busy.items, strict=True):
        assert other.changes == (network().scenarios[0].changes[0], *one.changes)


def test_the_base_year_moves_nothing_of_the_plan_and_drivers_come_when_they_come():
    found = drawn("door", 200)
    assert {one.what for future in found.items for one in future.changes} == {"service"}
    sizes = found.driver("faster")
    assert "later" not in found.titles  # it starts after the days asked about
    assert sizes.min() >= 0
    assert sizes.max() <= 1.5
    # Not at all in a fifth of the draws; of the others some are late, and then smaller or not there yet.
    prompt = dataclasses.replace(twin(), drivers=tuple(dataclasses.replace(one, late=()) for one in twin().drivers))
    on_time = futures(plan(), network(), prompt, prompt.question("door"), 200, 7).driver("faster")
    assert 0.12 < (on_time == 0).mean() < 0.28
    assert (sizes <= on_time).all()
    assert sizes.mean() < 0.9 * on_time.mean()
    for future, size in zip(found.items, sizes, strict=True):
        assert [one.times for one in future.changes] == ([pytest.approx(1 - 0.2 * size)] if size else [])


@pytest.mark.parametrize("draws", [0, 1, -5, 10**9])
def test_senseless_numbers_of_draws(draws: int):
    with pytest.raises(BettercareError, match="draws cannot be made"):
        futures(plan(), network(), twin(), twin().question("beds"), draws)


def test_a_scenario_nobody_has():
    with pytest.raises(BettercareError, match="busy"):
        futures(plan(), network(), twin(), twin().question("beds"), 2, scenario="quiet\x1b[2J")


# -- what the network misses -----------------------------------------------------------------------------------------


def target(value: float, period: str, basis: str = "stated", measure: str = "arrivals") -> Target:
    return Target(
        f"{period}-{value}", "", measure, "ward", value, period=period, tolerance=0.1, evidence=Evidence(basis)
    )  # type: ignore[arg-type]


def test_missed_is_the_spread_of_the_next_residual():
    promise = Promise("p", "q", "P", "arrivals", ("ward",), at_most=100)
    targets = [target(10, "a"), target(14, "b"), target(12, "c"), target(30, "c", "assumed")]
    found = missed(promise, targets, {one.id: 9.0 for one in targets})
    residuals = np.array([1, 5, 3])
    assert found.shift == pytest.approx(3)
    assert found.sd == pytest.approx(residuals.std(ddof=1) * np.sqrt(4 / 3))
    assert (found.degrees, found.compared) == (2, 3)
    one = missed(promise, targets[:1], {targets[0].id: 9.0})
    assert (one.shift, one.sd, one.degrees) == (0, 1, 0)  # its tolerance is a tenth of 10, its residual 1
    twice = [target(10, "a"), target(12, "a")]
    assert missed(promise, twice, {one.id: 9.0 for one in twice}).compared == 1
    assert missed(promise, [targets[3]], {targets[3].id: 9.0}) == Missed("arrivals", ("ward",), 0, 0, 0, 0)


def test_what_was_known_only_later_or_of_one_place_of_several_says_nothing():
    promise = Promise("p", "q", "P", "arrivals", ("ward",), at_most=100)
    before = [target(10, "a"), target(14, "b"), target(12, "c")]
    after = [dataclasses.replace(target(90, period), later=True) for period in "defg"]
    given = {one.id: 9.0 for one in (*before, *after)}
    assert missed(promise, [*before, *after], given) == missed(promise, before, given)
    assert missed(promise, after, given).compared == 0
    several = dataclasses.replace(promise, of=("ward", "other"))
    assert missed(several, before, given) == Missed("arrivals", ("ward", "other"), 0, 0, 0, 0)


def test_a_prediction_has_that_spread_and_stays_a_share():
    count = Promise("p", "q", "P", "arrivals", ("ward",), at_most=100)
    seen = predicted(count, np.full(20_000, 50.0), Missed("arrivals", ("ward",), 3.0, 2.0, 5, 6), 1)
    low, high = np.quantile(seen, [0.05, 0.95])
    assert (low, high) == pytest.approx(53 + 2 * stats.t.ppf([0.05, 0.95], 5), abs=0.15)
    share = dataclasses.replace(count, measure="within-4", of=("a",), spread=0.05)
    held = predicted(share, np.full(2_000, 0.97), Missed("within-4", ("a",), 0, 1.0, 0, 1), 1)
    assert 0 <= held.min() < 0.97 < held.max() <= 1
    assert (predicted(share, np.full(100, 0.97), Missed("within-4", ("a",), 0, 1.0, 0, 1), 1) == held[:100]).all()
    now = dataclasses.replace(count, at_most=None, as_now="at-most")
    assert (predicted(now, np.array([1.0, np.nan]), Missed("", (), 9, 9, 0, 1), 1)[:1] == 1.0).all()


def test_the_assumed_spread_of_a_share_is_on_the_scale_of_shares():
    share = Promise("p", "q", "P", "within-4", ("a",), at_least=0.9, spread=0.02)
    none = Missed("within-4", ("a",), 0, 0, 0, 0)
    errors = [predicted(share, np.full(5_000, level), none, 1) - level for level in (0.5, 0.9)]
    assert errors[0].std() == pytest.approx(0.02, rel=0.05)
    assert errors[0] == pytest.approx(errors[1])  # the same error in the same draw, whatever the level
    mixed = predicted(share, np.array([0.5, 0.9, np.nan, 0.1]), none, 1)
    assert mixed[[0, 1, 3]] - [0.5, 0.9, 0.1] == pytest.approx(errors[0][[0, 1, 3]])
    assert np.isnan(mixed[2])
    ends = predicted(share, np.tile([0.0, 1.0], 500), none, 1)
    assert (ends.min(), ends.max()) == (0, 1)


# -- judging ---------------------------------------------------------------------------------------------------------


def test_the_numbers_do_not_hang_on_workers():
    one, two = answered("beds"), answered("beds", 2)
    for left, right in zip(one.judged, two.judged, strict=True):
        assert (left.values == right.values).all()
        assert left.bound == right.bound


def test_promises_are_judged():
    beds = answered("beds")
    assert beds.of("never").probability == 0
    assert beds.suffices == beds.of("room").probability
    now = beds.of("as-now")
    assert now.bound == now.now
    assert (now.bounds == beds.trial.unchanged()["as-now"]).all()
    assert np.unique(now.bounds).size > 1  # draw by draw, and not their mean
    low, middle, high = beds.of("room").interval()
    assert low <= middle <= high
    assert np.isnan(answered("door").suffices)
    with pytest.raises(BettercareError, match="never"):
        beds.of("nothing")


def test_an_unchanged_network_is_for_certain_as_good_as_now():
    same = dataclasses.replace(
        drawn("beds"), items=tuple(dataclasses.replace(one, changes=()) for one in drawn("beds").items)
    )
    its = twin().promises_of(twin().question("beds"))
    for as_now in ("at-least", "at-most"):
        promises = tuple(dataclasses.replace(one, as_now=as_now) if one.as_now else one for one in its)
        found = judge(Trial(network(), same, promises, 7), Base(network(), 7, 1, 4)).of("as-now")
        assert found.probability == 1
        assert np.ptp(found.values) > 0


def test_what_could_not_be_measured_counts_neither_way():
    whole = answered("beds")
    room = whole.of("room")
    lost = np.arange(12) == int(np.argmax(~room.holds))  # one in which it does not hold
    gap = np.where(lost, np.nan, room.values)
    part = dataclasses.replace(room, values=gap)
    also = dataclasses.replace(
        whole.of("as-now"), promise=dataclasses.replace(whole.of("as-now").promise, suffices=True)
    )
    unpaired = dataclasses.replace(also, bounds=np.where(np.arange(12) == 11, np.nan, also.bounds))
    assert not room.holds[lost].any()
    assert (part.unmeasured, unpaired.unmeasured) == (1, 1)
    assert part.probability == room.holds[~lost].mean() > room.probability
    found = Answered(whole.trial, (part, unpaired))
    left = ~lost & (np.arange(12) != 11)
    assert found.unmeasured == (~left).sum()
    assert found.suffices == (room.holds & also.holds)[left].mean()
    nothing = dataclasses.replace(room, values=np.full(12, np.nan))
    assert np.isnan(Answered(whole.trial, (nothing,)).suffices)
    its = twin().question("beds")
    document = promises_report(Answer(plan(), network(), twin(), (Reply(its, found),), 12, 7))
    assert f"{found.unmeasured} future" in document.verdict
    assert "left out" in document.verdict
    assert "Not measured" in html(document)


def test_more_demand_is_the_driver_of_a_fuller_ward():
    found = answered("beds").drivers("room")
    growth = found.filter(pl.col("driver") == "growth:acute:non-elective")
    assert growth["correlation"][0] > 0
    assert (found["share"] <= 1).all()


# -- the smallest change ---------------------------------------------------------------------------------------------


def test_the_smallest_lever_is_right_when_it_is_run_again():
    beds = answered("beds")
    lever = twin().lever("beds")
    search = Search(beds, 12)
    found = search.smallest("room", lever, 0.5)
    assert found.size is not None
    assert found.size > 0
    again = Search(beds, 12)
    steps = round(found.size / lever.step)
    assert again.probability("room", lever, steps) == found.reached >= 0.5
    assert again.probability("room", lever, steps - 1) < 0.5
    assert found.relative == pytest.approx(found.size / 60)


def test_a_search_begins_where_the_promise_was_judged():
    room = answered("beds").of("room")
    found = Search(answered("beds"), 12).probability("room", twin().lever("beds"), 0)
    assert found == room.probability
    assert found != (room.simulated <= 0.85).mean()  # what the network may miss is counted


def test_a_lever_too_weak_and_a_promise_that_holds():
    search = Search(answered("beds"), 12)
    none = search.smallest("never", twin().lever("stays"), 0.5)
    assert none.size is None
    assert none.relative is None
    held = search.smallest("room", twin().lever("stays"), 0.01)
    assert held.size == 0 or held.before < 0.01
    with pytest.raises(BettercareError, match="cannot be wanted"):
        search.smallest("room", twin().lever("stays"), float("nan"))


def scarce() -> Twin:
    """Levers of which neither alone is enough for a chance of 80%."""
    fewer = TWIN.replace("limit: 40, step: 2", "limit: 6, step: 2").replace(
        "limit: 4, step: 1", "limit: 10, step: 1", 1
    )
    return twin_of(fewer)


def test_levers_together_do_what_none_does_alone():
    search, levers = Search(answered("beds"), 12), scarce().levers_of(twin().question("beds"))
    assert [search.smallest("room", lever, 0.8).size for lever in levers] == [None, None]
    found = search.together("room", levers, 0.6)
    assert found.part is not None
    assert (found.before, found.draws) == (answered("beds").of("room").probability, 12)
    # Run again by hand: both changes at once are enough, and a twentieth less of the limits is not.
    part = round(20 * found.part)
    chances = [by_hand({"beds": 2 * (3 * at // 20), "stays": 10 * at // 20}) for at in (part, part - 1)]
    assert found.sizes == {"beds": 2 * (3 * part // 20), "stays": 10 * part // 20}
    assert chances[0] == found.reached >= 0.6 > chances[1]


def by_hand(sizes: dict[str, float]) -> float:
    beds = answered("beds")
    more = [change for name, size in sizes.items() for change in sized(twin().lever(name).changes, size)]
    room = beds.of("room")
    values = predicted(room.promise, beds.trial.values(more)["room"], room.missed, 7)
    return float((values <= 0.85).mean())


def test_levers_together_at_their_least_and_their_limits():
    search, levers = Search(answered("beds"), 12), scarce().levers_of(twin().question("beds"))
    few = search.together("room", levers, 0.26)
    assert all(size >= lever.step for lever, size in zip(levers, few.sizes.values(), strict=True))
    none = search.together("never", levers, 0.5)
    assert (none.part, none.reached, none.sizes) == (None, 0, {"beds": 6, "stays": 10})
    held = search.together("room", levers, 0.2)
    assert (held.part, held.reached, held.sizes) == (0, held.before, {"beds": 0, "stays": 0})


def test_the_report_says_what_all_levers_do_where_none_does():
    found = answer(plan(), network(), scarce(), draws=12, seed=7, workers=2, search_draws=12, wanted=(0.3, 0.8, 0.95))
    assert found.reply("door").together == ()  # it has one lever
    reply = found.reply("beds")
    assert [(one.wanted, one.part) for one in reply.together] == [(0.8, 1.0), (0.95, None)]
    tables = {one.id: one for one in promises_report(found).exhibits}
    said = tables["beds-smallest"].message
    assert "All levers together give a chance of 80% with each at 100% of its limit." in said
    assert "Not even all levers together at their limits give a chance of 95%: it is 83%." in said
    sizes = {row["lever"]: (row["p0.8"], row["limit"]) for row in tables["beds-together"].table.rows}
    assert sizes == {"Beds": ("6", "6 beds"), "Shorter stays": ("10%", "10% off")}


def test_every_criterion_at_once_is_held_against_the_same_futures():
    beds = answered("beds")
    room, quick = beds.of("room"), beds.of("as-now")
    both = tuple(
        dataclasses.replace(one, promise=dataclasses.replace(one.promise, suffices=True)) for one in (room, quick)
    )
    search, lever = Search(Answered(beds.trial, both), 12), twin().lever("beds")
    found = search.smallest(ALL, lever, 0.5)
    assert found.size is not None
    assert found.before == (room.holds & quick.holds).mean() < 0.5
    # Run again by hand: the futures in which both hold, and not the fewer of two chances.
    values = beds.trial.values(sized(lever.changes, found.size))
    held = predicted(room.promise, values["room"], room.missed, 7) <= 0.85
    assert found.reached == (held & (values["as-now"] >= quick.bounds - 1e-12)).mean() >= 0.5
    short = search.smallest(ALL, twin().lever("stays"), 0.99)
    assert (short.size, short.short) == (None, ("room", "as-now"))
    with pytest.raises(BettercareError, match="no criteria"):
        Search(answered("door"), 12).probability(ALL, lever, 0)


def test_levers_that_get_in_each_others_way_are_tried_as_far_as_both_go():
    way = "{what: share, at: door, class: ill, goes: home, instead_of: ward, add: 0.01}"
    extra = "".join(
        f"  - {{id: {name}, title: {name}, unit: points, questions: [beds], limit: 60, step: 1, changes: [{way}], basis: stated}}\n"
        for name in ("avoid", "prevent")
    )
    levers = twin_of(TWIN.replace("not_modelled:", f"{extra}not_modelled:")).levers[-2:]
    search = Search(answered("beds"), 12)
    # Each alone moves 60 of the 99 points or fewer; together no more than all that go to the ward.
    assert search.smallest("never", levers[0], 0.5).most == 60
    found = search.together("never", levers, 0.5)
    assert (found.part, found.most) == (None, 0.8)
    assert found.sizes == {"avoid": 48, "prevent": 48}
    reply = Reply(twin().question("beds"), answered("beds"), (search.smallest("never", levers[0], 0.5),), (), (found,))
    said = {one.id: one.message for one in promises_report(Answer(plan(), network(), twin(), (reply,), 12, 7)).exhibits}
    assert "at 80% of their limits, the most possible at once, give" in said["beds-smallest"]


def test_beds_needed():
    beds = answered("beds")
    found = {one.criterion: one for one in needed(beds, twin().lever("beds"), 12)}
    room = found["room"]
    assert (found["all"].beds == room.beds).all()
    assert (room.least, room.most) == (44, 94)
    chances = [room.probability(number) for number in range(44, 95)]
    assert chances == sorted(chances)
    fifty, eighty = room.for_probability(0.5), room.for_probability(0.8)
    assert fifty is not None
    assert eighty is not None
    assert fifty <= eighty
    # The beds planned suffice exactly where the promise holds as it was judged.
    assert room.probability(54) == pytest.approx(beds.of("room").probability)
    with pytest.raises(BettercareError, match="beds needed"):
        needed(beds, twin().lever("stays"))


def need(beds: list[float], chance: float) -> Needed:
    return Needed("all", "All", np.array(beds), 54, 44, 94, chance)


@pytest.mark.parametrize(
    ("beds", "chance", "limits", "said"),
    [
        ([60.0, 70, 80, 90], 0.0, (70, 70), "70"),
        ([44.0, 44, 44, 60], 0.9, (None, 44), "44 or fewer"),
        ([60.0, np.inf, np.inf, np.inf], 0.0, (94, None), "more than 94"),
        ([60.0, np.inf, np.nan, np.nan], 0.0, (60, 60), "60"),
        ([np.nan] * 4, 0.0, (None, None), "unknown"),
        # Where few draws and all of them are at odds about the planned 54, all of them are believed.
        ([44.0, 44, 44, 60], 0.4, (54, None), "more than 54"),
        ([60.0, 70, 80, 90], 0.6, (None, 54), "54 or fewer"),
    ],
)
def test_a_need_beyond_what_was_tried_is_only_said_to_lie_there(
    beds: list[float], chance: float, limits: tuple[int | None, int | None], said: str
):
    assert need(beds, chance).limits(0.5) == limits
    assert _beds(need(beds, chance), 0.5) == said


def test_one_claim_has_one_chance_and_the_search_says_its_draws():
    found = whole()
    reply = found.reply("beds")
    together = next(one for one in reply.needed if one.criterion == "all")
    assert (len(together.beds), found.draws) == (6, 8)
    assert together.chance == reply.answered.suffices
    for one in reply.smallest:
        assert one.promise == ALL
        assert one.before == reply.answered.suffices
        assert (one.size == 0) == (one.before >= one.wanted)
    document = promises_report(found)
    tables = {one.id: one for one in document.exhibits}
    criteria, planned = tables["beds-criteria"], tables["beds-needed"]
    assert [row["planned"] for row in criteria.table.rows] == [reply.answered.of("room").probability, together.chance]
    assert [row["chance"] for row in planned.table.rows if row["beds"] == 54] == [together.chance]
    for exhibit in (criteria, planned):
        assert "first 6" in exhibit.note
        assert "all 8 futures" in exhibit.note
    assert "6 futures" in document.verdict
    assert "rough" in document.verdict
    smallest = tables["beds-smallest"]
    assert smallest.message.startswith("At most 85% full.")  # the one criterion
    assert "rough" in smallest.message
    assert (
        "All are criteria of whether the beds suffice but: As quick as now; Empty." in tables["beds-promises"].message
    )
    assert "do not shrink when fewer come" not in smallest.note


def test_a_promise_that_holds_in_the_first_draws_alone_does_not_hold_already():
    beds = answered("beds")
    room = beds.of("room")
    held = np.arange(12) < 4
    values = np.where(held, 0.0, 1.0)
    luck = dataclasses.replace(beds, judged=(dataclasses.replace(room, values=values, simulated=values),))
    search = Search(luck, 4)
    lever = twin().lever("beds")
    assert search.probability("room", lever, 0) > 0.5 > luck.of("room").probability
    found = search.smallest("room", lever, 0.5)
    assert found.size != 0
    assert found.before == luck.of("room").probability


def test_turns():
    margins = np.array([[1.0, -2, -2, -1, np.nan], [1, -1, 1, 1, -1], [1, 1, -1, np.nan, -1], [1, 3, 1, 1, -1]])
    found = _turns([0, 10, 20, 40], margins)
    assert found[0] == 0
    assert found[1] == pytest.approx(15)
    assert found[2] == pytest.approx(30)  # holding once and then not is not enough
    assert np.isnan(found[3])  # at 10 or before, or only at 40: what was not measured would say
    assert np.isinf(found[4])


# -- the whole -------------------------------------------------------------------------------------------------------


def test_answers_for_the_metrics_pages():
    frame = answers(whole())
    assert frame["metric"].to_list() == ["four"]
    row = frame.row(0, named=True)
    assert row["unit"] == "%"
    assert row["bound"] == 90
    assert row["comparison"] == "at least"
    assert row["period"] == "2017-01"
    assert row["low"] <= row["value"] <= row["high"] <= 100


def test_the_report_says_it_and_is_written():
    document = promises_report(whole())
    assert "Is the door quick enough?" in document.verdict
    assert "54 beds" in document.verdict
    page = html(document)
    assert page == html(promises_report(whole()))
    for said in ("Weather", "Shorter stays", "A ward and a front door", "Smallest against what there is"):
        assert said in page or (said == "Smallest against what there is" and "No lever alone" in page)
    assert len(workbook(document)) > 5_000
    ids = [exhibit.id for exhibit in document.exhibits]
    assert len(ids) == len(set(ids))


def test_the_basis_is_counted_as_reports_of_runs_count_it():
    surge = Escalation("surge", "Extra beds", "ward", 4, 2, evidence=Evidence("assumed", note="Chosen"))
    steps = dataclasses.replace(whole(), network=dataclasses.replace(network(), escalations=(surge,)))
    tables = {one.id: one for one in promises_report(steps).exhibits}
    rows = rows_of(steps.network)
    assert "1 of the" in assumed_in_words(rows)
    assert assumed_in_words(rows) in tables["twin-network"].message
    assert tables["twin-network"].table.rows[-1] == {"title": "Escalations"} | dict.fromkeys(BASES, 0) | {"assumed": 1}
    own = {row["title"]: row["stated"] for row in tables["twin-own"].table.rows}
    assert (own["Promises"], own["Levers"]) == (4, 3)


def test_labels_over_their_lines_keep_apart():
    labels = [_Label("92.1%", 200, 372), _Label("92%", 210, 372), _Label("1,697", 2, 372)]
    assert _lifts(labels) == [0, 14, 0]
    assert labels[2].left == 0


@pytest.mark.parametrize("wrong", [{"workers": 0}, {"search_draws": -1}, {"wanted": (float("nan"),)}, {"wanted": ()}])
def test_senseless_settings(wrong: dict[str, object]):
    with pytest.raises(BettercareError):
        answer(plan(), network(), twin(), draws=2, **wrong)  # type: ignore[arg-type]


def test_the_command(tmp_path: Path):
    folder = plan().write(tmp_path / "example")
    (folder / "flow").mkdir()
    (folder / "flow" / "network.yaml").write_text(NETWORK, encoding="utf-8")
    asked = [str(folder), "--draws", "3", "--no-search", "--out", str(tmp_path / "out")]
    missing = CliRunner().invoke(twin_command, asked)
    assert missing.exit_code == 2
    assert not (tmp_path / "out").exists()
    as_quick = "title: As quick as now, measure: within-4, of: [a-and-e], as_now: at-least"
    long = "title: No more cancellations of planned patients for want of a bed than now, measure: arrivals, of: [ward], as_now: at-most"
    assert as_quick in TWIN
    (folder / "flow" / "twin.yaml").write_text(TWIN.replace(as_quick, long), encoding="utf-8")
    found = CliRunner().invoke(twin_command, asked)
    assert found.exit_code == 0, found.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "twin.csv",
        "twin.html",
        "twin.pdf",
        "twin.xlsx",
    ]
    assert "Is the door quick enough?" in found.output
    table = found.output.partition("Do the beds suffice?\n")[2]
    assert "cancellations" in table  # whole, on a terminal of 80 columns
    assert "(patients)" in table
