"""The shipped plan's twin: it fits its plan and network, says the same twice, and what it says can be run again."""

from __future__ import annotations

import dataclasses
from functools import cache

import pytest

from bettercare.flow import find_network, read_network
from bettercare.flow.network import Network
from bettercare.plan import Plan
from bettercare.twin import Answered, Futures, Search, Trial, Twin, faults_of, find_twin, futures, read_twin
from bettercare.twin.promises import Base, judge, missed

PLAN = "llr-stp-2016"
DRAWS = 6


@cache
def plan() -> Plan:
    return Plan.read(PLAN)


@cache
def network() -> Network:
    return read_network(find_network(PLAN))


@cache
def twin() -> Twin:
    """With fewer days than the shipped one, so that a test takes seconds."""
    whole = read_twin(find_twin(PLAN))
    short = tuple(dataclasses.replace(one, days=14, warm_up=45) for one in whole.questions)
    return dataclasses.replace(whole, questions=short)


@cache
def drawn(question: str) -> Futures:
    return futures(plan(), network(), twin(), twin().question(question), DRAWS, 1)


@cache
def answered(question: str) -> Answered:
    its = twin().question(question)
    return judge(Trial(network(), drawn(question), twin().promises_of(its), 1, 2), Base(network(), 1, 2, 2))


def test_the_file_fits_the_plan_and_the_network():
    assert faults_of(read_twin(find_twin(PLAN)), plan(), network()) == []


def test_nothing_known_only_later_is_used():
    later = ("2017", "2018", "2019", "202")
    whole = read_twin(find_twin(PLAN))
    for row in (*whole.promises, *whole.drivers, *whole.streams, *whole.services, *whole.beds, *whole.levers):
        assert not any(year in row.evidence.source for year in later)


def test_figures_later_than_the_plan_are_marked_and_not_used():
    marked = [one for one in network().targets if one.later]
    assert marked
    assert all(one.held_out for one in marked)
    assert {one.id for one in marked} == {one.id for one in network().targets if "later" in one.title.lower()}
    simulated = {one.id: 0.5 for one in network().targets}
    without = [one for one in network().targets if not one.later]
    for promise in twin().promises:
        assert missed(promise, network().targets, simulated) == missed(promise, without, simulated)
    occupancy = next(one for one in twin().promises if one.id == "occupancy")
    assert missed(occupancy, network().targets, simulated).compared == 0
    assert occupancy.spread > 0


def test_every_assumed_spread_has_its_reason():
    assert all("spread" in one.evidence.note.lower() for one in twin().promises if one.spread)


def test_the_beds_are_those_of_the_plan():
    found = drawn("beds")
    assert (found.beds_now, found.beds_planned) == (1940, 1697)
    stations = {row.station for row in twin().beds if row.organisation == "uhl"}
    first = found.network(network(), found.items[0])
    # Beds that are of no kind the bridge changes (critical care, assessment of children) stay as they are.
    assert sum(network().station(one).servers - first.station(one).servers for one in stations) == 1940 - 1697


def test_the_recovery_plan_is_in_every_future():
    areas = {"streaming", "navigation", "ambulance", "flow", "discharge"}
    assert areas <= set(drawn("four-hours").titles)
    assert {one.evidence.basis for one in twin().drivers if one.id in areas} == {"assumed"}


def test_the_same_seed_gives_the_same_answer():
    again = Trial(network(), drawn("four-hours"), answered("four-hours").trial.promises, 1, 1)
    found = again.values(draws=2)
    for judged in answered("four-hours").judged:
        assert (judged.simulated[:2] == found[judged.promise.id]).all()


@pytest.mark.parametrize("criterion", ["occupancy", "twelve-hours"])
def test_more_beds_never_make_it_less_likely(criterion: str):
    search = Search(answered("beds"), DRAWS)
    lever = twin().lever("acute-beds")
    chances = [search.probability(criterion, lever, steps) for steps in (0, 20, 60)]
    assert chances == sorted(chances)
    assert criterion != "occupancy" or chances[-1] > chances[0]


def test_the_smallest_change_keeps_the_promise_when_run_again():
    lever = dataclasses.replace(twin().lever("stay"), step=5.0)
    found = Search(answered("beds"), DRAWS).smallest("occupancy", lever, 0.5)
    assert found.size is not None
    assert found.before < 0.5 <= found.reached
    again = Search(answered("beds"), DRAWS)
    steps = round(found.size / lever.step)
    assert again.probability("occupancy", lever, steps) == found.reached
    assert again.probability("occupancy", lever, steps - 1) < 0.5
