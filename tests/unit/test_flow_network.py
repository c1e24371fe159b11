"""A network as a file: read, checked, written and changed."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import MISSING, fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bettercare.errors import BettercareError, Fault
from bettercare.flow import network as data
from bettercare.flow.cells import value
from bettercare.flow.check_network import NetworkError, faults_of, loads, warnings_of
from bettercare.flow.distributions import mean
from bettercare.flow.fields import EVIDENCE, INSIDE, RECORDS, attributes_of, dictionary, parameters
from bettercare.flow.format_page import EXAMPLE, page
from bettercare.flow.network import Change, Distribution, Divert, ExtraPlaces, Network, Route, Scenario, Step
from bettercare.flow.network_file import find_network, network_of, read_network, shipped_networks, write_network
from bettercare.flow.network_yaml import yaml_of
from bettercare.flow.scenarios import changed, scenario
from bettercare.plan.yaml_file import Node

SMALL = """
id: small
title: Small
starts: 2016-04-04
days: 28
warm_up: 7
classes:
  - {id: old, title: Old}
  - {id: young, title: Young}
profiles:
  - {id: rounds, weekdays: [4, 4, 4, 4, 4, 2, 1]}
arrivals:
  - {id: door, class: old, to: desk, per_day: 48}
  - {id: calls, class: young, to: desk, every: {fixed: 1, unit: hours}}
stations:
  - {id: desk, title: Desk, servers: 2}
  - {id: ward, title: Ward, servers: 10, holds: yes, leaves_on: rounds}
services:
  - {station: desk, time: {exponential: 30, unit: minutes}}
  - {station: ward, time: {fixed: 12, unit: hours}}
routes:
  - {station: desk, shares: {ward: 0.25, home: rest}}
  - {station: ward, to: home}
outcomes:
  - {id: home, title: Home}
"""
FULL = f"""{SMALL}
escalations:
  - id: full
    title: Full
    watches: ward
    opens: 10
    closes: 5
    after: 3
    places: {{desk: 1, ward: 5}}
    diverts: [{{stream: door, share: 0.25, to: home}}, {{stream: door, share: 0.5, to: ward}}]
    basis: stated
    source: Escalation plan
"""


def small(*swaps: tuple[str, str], more: str = "") -> str:
    text = SMALL
    for old, new in swaps:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text + more


def faults(text: str) -> list[str]:
    with pytest.raises(BettercareError) as caught:
        network_of(text)
    return [str(fault) for fault in caught.value.faults]


@pytest.fixture(scope="module")
def base() -> Network:
    return network_of(SMALL)


FAULTS: list[tuple[str, tuple[str, str], str]] = [
    ("unknown section", ("outcomes:", "outcome:"), "'outcome' is not known here. Did you mean outcomes?"),
    ("unknown field", ("servers: 2", "sevrers: 2"), "line 16: 'sevrers' is not known in stations. Did you mean servers?"),
    ("the model's word", ("class: old", "patient: old"), "'patient' is not known in arrivals. Did you mean class?"),
    ("a comma in a text", ("title: Desk", "title: Desk, of the front door"), "A comma between { and } ends a value"),
    ("missing field", ("title: Ward, ", ""), "line 17: A row of stations 'ward' has no title. Add title: a few words."),
    ("missing line at the top", ("days: 28\n", ""), "line 2: A row of network 'small' has no days."),
    ("a section that is none", ("  - {id: home, title: Home}", "  home"), "outcomes must be a list."),
    ("a row that is none", ("{id: home, title: Home}", "home"), "A row of outcomes must be a list of `name: value`."),
    ("not a number", ("per_day: 48", "per_day: many"), "line 13: per_day: 'many' is not a number."),
    ("nan", ("per_day: 48", "per_day: .nan"), "per_day: '.nan' is not a number."),
    ("negative", ("per_day: 48", "per_day: -48"), "line 13: per_day is -48. It must lie from 0 to 1,000,000"),
    ("too many", ("per_day: 48", "per_day: 2000000"), "per_day is 2,000,000. It must lie from 0 to 1,000,000 patients a day."),
    ("too many servers", ("servers: 10", "servers: 1000001"), "servers is 1,000,001."),
    ("half a server", ("servers: 10", "servers: 10.5"), "'10.5' is not a whole number."),
    ("not a flag", ("holds: yes", "holds: maybe"), "holds: 'maybe' is neither yes nor no."),
    ("not a date", ("2016-04-04", "4 April 2016"), "line 4: starts: '4 April 2016' is not a date."),
    ("a date of long ago", ("2016-04-04", "0016-04-04"), "line 4: starts is 0016-04-04."),
    ("no days at all", ("days: 28", "days: 0"), "line 5: days is 0."),
    ("not a word of the list", ("servers: 2", "servers: 2, kind: hotel"), "kind: 'hotel' is not allowed here."),
    ("not an id", ("- {id: home,", "- {id: Home!,"), "'Home!' is not a short name."),
    ("an id twice", ("{id: young, title: Young}", "{id: old, title: Young}"), "'old' is there already, in classes."),
    ("a place twice", ("{id: home, title", "{id: ward, title"), "'ward' is there already, in stations."),
    ("no name of its own", ("{id: young, title", "{id: any, title"), "'any' is not a name of its own."),
    ("an unknown station", ("- {station: ward, to", "- {station: wrad, to"), "station names 'wrad', which is not in stations. Did you mean ward?"),
    ("an unknown target", ("home: rest", "hom: rest"), "to names 'hom', which is not in stations or choices or outcomes. Did you mean home?"),
    ("an unknown class", ("class: young", "class: yuong"), "class names 'yuong', which is not in classes. Did you mean young?"),
    ("an unknown profile", ("leaves_on: rounds", "leaves_on: round"), "leaves_on names 'round', which is not in profiles."),
    ("a profile of six days", ("[4, 4, 4, 4, 4, 2, 1]", "[4, 4, 4, 4, 4, 2]"), "weekdays has 6 numbers. Give 7."),
    ("a profile of nothing", ("[4, 4, 4, 4, 4, 2, 1]", "[0, 0, 0, 0, 0, 0, 0]"), "All weekdays are 0."),
    ("two rates", ("per_day: 48", "per_day: 48, every: {fixed: 1, unit: hours}"), "door needs either per_day or every."),
    ("no rate", (", per_day: 48", ""), "door needs either per_day or every."),
    ("no time between", ("{fixed: 1, unit: hours}", "{fixed: 0, unit: hours}"), "calls has more than 1,000,000 patients a day."),
    ("shares above 1", ("ward: 0.25, home: rest", "ward: 0.25, home: 0.8"), "line 22: The shares from desk of any add to 1.05."),
    ("shares without a rest", ("ward: 0.25", "ward: 0.25, desk: 1"), "The shares from desk add to 1.25 without the rest."),
    ("two rests", ("ward: 0.25", "ward: rest"), "rest is written twice for desk."),
    ("a share in per cent", ("ward: 0.25", "ward: 33.3%"), "'33.3%' is not a number. Write 0.333."),
    ("words for a whole number", ("servers: 10", "servers: soon"), "'soon' is not a number. Write a whole number, such as 12."),
    ("words for a number", ("per_day: 48", "per_day: soon"), "'soon' is not a number. Write digits with a decimal point"),
    ("to and shares", ("shares: {ward", "to: home, shares: {ward"), "A route needs either to (with share) or shares."),
    ("becomes of nothing", ("home: rest}", "home: rest}, becomes: {wrad: old}"), "becomes names 'wrad', which has no share."),
    ("hours that overlap", ("  - {station: ward, to: home}", "  - {station: ward, to: home}\n  - {station: ward, to: home, days: all}\n  - {station: ward, to: home, from: 8, until: 9}"), "Two parts of the week of the routes from ward of any overlap."),
    ("hours without routes", ("ward, to: home", "ward, to: home, days: weekdays"), "The routes from ward of any say nothing for part of the week."),
    ("half an hour", ("ward, to: home", "ward, to: home, from: 08:30"), "from: '08:30' is not a whole hour of the day."),
    ("a day that is none", ("ward, to: home", "ward, to: home, days: [mo]"), "days: 'mo' is not a day."),
    ("a second service time", ("services:", "services:\n  - {station: ward, time: {fixed: 1, unit: hours}}"), "There is another row for ward and any."),
    ("no service time", ("  - {station: ward, time: {fixed: 12, unit: hours}}\n", ""), "line 17: No service time for old at ward (they come by door -> desk -> ward)."),
    ("no route", ("  - {station: ward, to: home}\n", ""), "No route for young from ward (they come by calls -> desk -> ward)."),
    ("a class left out", ("{station: ward, time:", "{station: ward, class: old, time:"), "No service time for young at ward"),
    ("out of reach", ("{ward: 0.25, home: rest}", "{home: rest}"), "No patient can come to ward."),
    ("no servers", ("servers: 10, ", ""), "line 17: ward never has a server, and patients come to it."),
    ("a way back is none", ("ward, to: home", "ward, to: desk"), ""),
    ("round for ever", ("- {station: desk, shares: {ward: 0.25, home: rest}}\n  - {station: ward, to: home}", "- {station: desk, to: ward}\n  - {station: ward, to: desk}"), "Patients of old never leave the network from: desk, ward."),
    ("round in no time", ("{exponential: 30, unit: minutes}}\n  - {station: ward, time: {fixed: 12, unit: hours}}\nroutes:\n  - {station: desk, shares: {ward: 0.25, home: rest}}\n  - {station: ward, to: home", "{fixed: 0, unit: minutes}}\n  - {station: ward, time: {fixed: 0, unit: hours}}\nroutes:\n  - {station: desk, shares: {ward: 0.25, home: rest}}\n  - {station: ward, to: desk"), "could go round without time passing"),
    ("full and full", ("{id: desk, title: Desk, servers: 2}\n  - {id: ward, ", "{id: desk, title: Desk, servers: 2, queue: 0, if_full: ward}\n  - {id: ward, queue: 0, if_full: desk, "), "could go round without time passing"),
    ("nobody comes", ("  - {id: door, class: old, to: desk, per_day: 48}\n  - {id: calls, class: young, to: desk, every: {fixed: 1, unit: hours}}\n", ""), "Nobody comes: there are no arrivals."),
    ("shifts of the unlimited", ("servers: 2", "servers: unlimited, shifts: [{servers: 1}]"), "desk has unlimited servers and shifts or steps."),
    ("no unit", ("30, unit: minutes", "30"), "line 19: time: A time has no unit. Add unit: minutes, hours or days."),
    ("two kinds", ("{fixed: 12, unit", "{fixed: 12, exponential: 3, unit"), "A time names fixed and exponential."),
    ("no kind", ("{fixed: 12, unit", "{unit"), "A time does not say how it is distributed."),
    ("an unknown kind", ("{fixed: 12, unit", "{normal: 12, unit"), "'normal' is not known in a time. Did you mean lognormal?"),
    ("a bare number", ("{fixed: 12, unit: hours}", "12"), "time must be a list of `name: value`."),
    ("no sd", ("{fixed: 12, unit", "{lognormal: {mean: 12}, unit"), "lognormal has no sd."),
    ("an sd of 0", ("{fixed: 12, unit", "{lognormal: {mean: 12, sd: 0}, unit"), "A lognormal time needs a mean and an sd above 0."),
    ("a mean of 0", ("{exponential: 30, unit", "{exponential: 0, unit"), "An exponential time needs a mean above 0."),
    ("the wrong way round", ("{fixed: 12, unit", "{uniform: {low: 3, high: 2}, unit"), "low and high are not in order."),
    ("ages", ("{fixed: 12, unit: hours", "{fixed: 999999, unit: days"), "The mean of a time is 999,999 days."),
    ("a billion days", ("{fixed: 12, unit: hours", "{fixed: 1000000000, unit: days"), "mean is 1,000,000,000."),
    ("phases never left", ("{fixed: 12, unit", "{phase-type: {start: [1, 0], rates: [[-1, 1], [1, -1]]}, unit"), "A phase of a phase-type time is never left."),
    ("phases that do not fit", ("{fixed: 12, unit", "{phase-type: {start: [1], rates: [[-1, 1]]}, unit"), "The rates of a phase-type time are not one row"),
    ("weights that do not fit", ("{fixed: 12, unit", "{empirical: {values: [1, 2], weights: [1]}, unit"), "The weights of an empirical time do not fit."),
    ("a part without weight", ("{fixed: 12, unit", "{mixture: [{fixed: 3}], unit"), "A part of a mixture has no weight."),
    ("mixtures of mixtures", ("{fixed: 12, unit", "{mixture: [{weight: 1, mixture: [{weight: 1, fixed: 3}]}], unit"), "A mixture stands inside a mixture."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("swap", "says"), [(swap, says) for _, swap, says in FAULTS], ids=[name for name, _, _ in FAULTS]
)
def test_each_fault_says_where_and_what(swap: tuple[str, str], says: str) -> None:
    if not says:
        network_of(small(swap))
        return
    found = faults(small(swap))
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("network.yaml, line ") for fault in found), found
    assert len(found) <= 3, found


MORE: list[tuple[str, str, str]] = [
    ("a clock of nothing", "clocks: [{id: c, title: C, stations: [dsk]}]", "stations names 'dsk', which is not in stations."),
    ("a target of nothing", "targets: [{id: t, title: T, measure: wait, of: dsk, value: 1}]", "of names 'dsk', which is not in stations. Did you mean desk?"),
    ("a measure that is none", "targets: [{id: t, title: T, measure: weight, of: desk, value: 1}]", "'weight' is not a measure."),
    ("a measure of another thing", "targets: [{id: t, title: T, measure: left, of: desk, value: 1}]", "of names 'desk', which is not in outcomes."),
    ("hours no clock has", "clocks: [{id: c, title: C, stations: [desk], targets: [4]}]\ntargets: [{id: t, title: T, measure: within-6, of: c, value: 1}]", "line 27: The clock c has no target of 6 hours."),
    ("later and not held out", "targets: [{id: t, title: T, measure: wait, of: desk, value: 1, later: yes}]", "line 26: t is later than the plan and not held out. Add held_out: yes."),
    ("a period that is none", "targets: [{id: t, title: T, measure: wait, of: desk, value: 1, period: April}]", "'April' is not a period."),
    ("a knob upside down", "knobs: [{id: k, title: K, change: {what: service, at: ward}, low: 2, high: 1}]", "low 2 is not below high 1."),
    ("a knob that adds", "knobs: [{id: k, title: K, change: {what: servers, at: ward, add: 1}, low: 1, high: 2}]", "A knob cannot turn add."),
    ("a knob of nothing", "knobs: [{id: k, title: K, change: {what: service, at: wrd}, low: 1, high: 2}]", "There is no station 'wrd'. Did you mean ward?"),
    ("a change by nothing", "scenarios: [{id: s, title: S, changes: [{what: servers, at: ward}]}]", "A change needs exactly one of to, add and times."),
    ("a change of nothing", "scenarios: [{id: s, title: S, changes: [{what: beds, at: ward, add: 1}]}]", "what: 'beds' is not allowed here."),
    ("no changes", "scenarios: [{id: s, title: S}]", "A row of scenarios 's' has no changes."),
    ("a scenario of too much", "scenarios: [{id: s, title: S, changes: [{what: servers, at: ward, add: 1000000}]}]", "The servers of ward would be 1,000,010. It must lie from 0 to 1,000,000."),
    ("a scenario nobody can run", "scenarios: [{id: s, title: S, changes: [{what: servers, at: ward, add: -11}]}]", "The servers of ward would be -1."),
    ("a choice of nothing", "choices: [{id: c, of: [], by: shortest-queue}]", "of must be a list of words."),
    ("a choice of no kind", "choices: [{id: c, of: [ward], by: luck}]", "by: 'luck' is not allowed here."),
    ("patience to nowhere", "patience: [{station: desk, time: {fixed: 1, unit: hours}, to: hme}]", "to names 'hme'"),
    ("an alias", "summary: *x", "Aliases (*name) are not used in plans."),
    ("a section twice", "outcomes: []", "'outcomes' is written twice."),
]  # fmt: skip


@pytest.mark.parametrize(("more", "says"), [(more, says) for _, more, says in MORE], ids=[name for name, _, _ in MORE])
def test_each_fault_of_what_may_be_left_out(more: str, says: str) -> None:
    found = faults(small(more=more))
    assert any(says in fault for fault in found), found
    assert all(" line 2" in fault for fault in found), found


ESCALATIONS: list[tuple[str, tuple[str, str], str]] = [
    ("no title", ("    title: Full\n", ""), "line 28: A row of escalations 'full' has no title."),
    ("an unknown field", ("after: 3", "afer: 3"), "line 33: 'afer' is not known in escalations. Did you mean after?"),
    ("never full", ("opens: 10", "opens: 1000001"), "opens is 1,000,001. It must lie from -1,000,000 to 1,000,000 patients."),
    ("closes out of range", ("closes: 5", "closes: -1000001"), "line 32: closes is -1,000,001."),
    ("per cent of patients", ("opens: 10", "opens: 20%"), "line 31: opens: '20%' is not a number. Write a whole number, such as 12."),
    ("half a patient", ("closes: 5", "closes: 5.5"), "line 32: closes: '5.5' is not a whole number."),
    ("eight days", ("after: 3", "after: 169"), "after is 169. It must lie from 0 to 168 hours."),
    ("upside down", ("closes: 5", "closes: 10"), "line 28: full begins at 10 patients more than places and ends at 10."),
    ("watches nothing", ("watches: ward", "watches: wrd"), "line 30: watches names 'wrd', which is not in stations. Did you mean ward?"),
    ("watches an outcome", ("watches: ward", "watches: home"), "watches names 'home', which is not in stations."),
    ("watches the unlimited", ("servers: 10", "servers: unlimited"), "full watches ward, which has unlimited servers: there are never more patients."),
    ("places of the unlimited", ("servers: 2", "servers: unlimited"), "line 28: full opens places at desk, which has unlimited servers."),
    ("places nowhere", ("ward: 5", "wrad: 5"), "station names 'wrad', which is not in stations. Did you mean ward?"),
    ("no more places", ("{desk: 1, ward: 5}", "\n      desk: 1\n      ward: 0"), "line 36: servers is 0. It must lie from 1 to 1,000,000 servers."),
    ("half a place", ("ward: 5", "ward: 0.5"), "line 34: servers: '0.5' is not a whole number."),
    ("places without a number", ("ward: 5", "ward: ~"), "line 34: places: 'ward' has no number. Write how many more places it has."),
    ("a list of places", ("{desk: 1, ward: 5}", "[{station: ward, servers: 5}]"), "line 34: places: places must be a list of `name: value`. Write it as places: {ward: 10}."),
    ("places twice", ("desk: 1", "ward: 1"), "'ward' is written twice."),
    ("diverts nobody", ("stream: door, share: 0.25", "stream: dor, share: 0.25"), "stream names 'dor', which is not in arrivals. Did you mean door?"),
    ("diverts to nowhere", ("0.25, to: home", "0.25, to: hme"), "to names 'hme', which is not in stations or choices or outcomes. Did you mean home?"),
    ("diverts to where they go", ("0.25, to: home", "0.25, to: desk"), "line 28: full diverts door to desk, where it goes anyway."),
    ("diverts more than all", ("0.25, to", "0.75, to"), "line 28: The shares of door that full diverts add to 1.25. Lower them"),
    ("a share in per cent", ("0.25, to", "20%, to"), "line 35: share: '20%' is not a number. Write 0.2."),
    ("a share of nothing", ("0.25, to", "0, to"), "full diverts no share of door."),
    ("no share", ("share: 0.25, ", ""), "line 35: A row of diverts has no share."),
    ("a mapping of diverts", ("[{stream: door, share: 0.25, to: home}, {stream: door, share: 0.5, to: ward}]", "{door: 0.5}"), "line 35: diverts must be a list."),
    ("nothing to do", ("    places: {desk: 1, ward: 5}\n    diverts: [{stream: door, share: 0.25, to: home}, {stream: door, share: 0.5, to: ward}]\n", ""), "line 28: full neither opens places nor diverts anybody."),
]  # fmt: skip


@pytest.mark.parametrize(
    ("swap", "says"), [(swap, says) for _, swap, says in ESCALATIONS], ids=[name for name, _, _ in ESCALATIONS]
)
def test_each_fault_of_an_escalation(swap: tuple[str, str], says: str) -> None:
    assert FULL.count(swap[0]) == 1
    found = faults(FULL.replace(*swap))
    assert any(says in fault for fault in found), found
    assert all(fault.startswith("network.yaml, line ") for fault in found), found
    assert len(found) <= 2, found


@pytest.mark.parametrize(
    ("swap", "says"),
    [
        (("0.25, to", "1.25, to"), "line 35: share is 1.25."),
        (("0.25, to", "-0.25, to"), "line 35: share is -0.25."),
        (("{ward: 0.25, home: rest}", "{ward: 1.25, home: rest}"), "line 22: share is 1.25."),
        (("{ward: 0.25, home: rest}", "{ward: -0.25, home: rest}"), "line 22: share is -0.25."),
        (("{station: ward, to: home}", "station: ward\n    to: home\n    share: 1.25"), "line 25: share is 1.25."),
    ],
)
def test_a_share_out_of_range_is_one_fault_in_its_own_line(swap: tuple[str, str], says: str) -> None:
    (fault,) = faults(FULL.replace(*swap))
    assert says in fault


def test_an_escalation_is_read_and_written() -> None:
    network = network_of(FULL)
    (full,) = network.escalations
    assert (full.watches, full.opens, full.closes, full.after) == ("ward", 10, 5, 3)
    assert full.places == (ExtraPlaces("desk", 1), ExtraPlaces("ward", 5))
    assert full.diverts == (Divert("door", 0.25, "home"), Divert("door", 0.5, "ward"))
    assert full.evidence == data.Evidence("stated", "Escalation plan")
    text = yaml_of(network)
    assert "  places: {desk: 1, ward: 5}\n" in text
    assert network_of(text) == network
    twice = replace(full, places=(*full.places, ExtraPlaces("ward", 1)))
    assert "full opens places at ward twice." in str(faults_of(replace(network, escalations=(twice,))))
    assert "'full' is there already" in str(faults_of(replace(network, escalations=(full, full))))


def test_who_is_diverted_can_be_cared_for_there() -> None:
    """Only the young come to the ward by the desk."""
    young = FULL.replace("{station: ward, time", "{station: ward, class: young, time")
    young = young.replace("home: rest}}", "home: rest}, becomes: {ward: young}}")
    (fault,) = faults(young)
    assert "No service time for old at ward (they come by door (diverted by full) -> ward)." in fault
    network_of(young.replace("stream: door, share: 0.5", "stream: calls, share: 0.5"))


def test_a_ward_may_be_open_in_an_escalation_alone() -> None:
    spare = FULL.replace(
        "services:\n", "  - {id: spare, title: Spare}\nservices:\n  - {station: spare, time: {fixed: 1, unit: days}}\n"
    )
    spare = spare.replace("routes:\n", "routes:\n  - {station: spare, to: home}\n").replace(
        "0.5, to: ward", "0.5, to: spare"
    )
    (fault,) = faults(spare)
    assert "spare never has a server" in fault
    network = network_of(spare.replace("{desk: 1, ward: 5}", "{ward: 5, spare: 9}"))
    # What escalations do is not in the traffic equations.
    arrive = dict(loads(network).select("station", "arrivals_per_day").iter_rows())
    assert arrive == {"desk": pytest.approx(72), "ward": pytest.approx(18), "spare": 0}


@pytest.mark.parametrize(
    ("times", "places", "shares"),
    [
        (1.0, {"desk": 1, "ward": 5}, [0.25, 0.5]),
        (0.5, {"desk": 1, "ward": 3}, [0.125, 0.25]),
        (0.4, {"desk": 1, "ward": 2}, [0.1, 0.2]),
        (2.0, {"desk": 2, "ward": 10}, [1 / 3, 2 / 3]),
        (0.0, {}, []),
    ],
)
def test_an_escalation_so_many_times(times: float, places: dict[str, int], shares: list[float]) -> None:
    """Halves are rounded up, one place is left at least, and no more than the whole stream is diverted."""
    network = network_of(
        f"{FULL}scenarios: [{{id: s, title: S, changes: [{{what: escalation, at: full, times: {times}}}]}}]"
    )
    assert network_of(yaml_of(network)) == network
    (full,) = changed(network, "s").escalations
    assert {of.station: of.servers for of in full.places} == places
    assert [divert.share for divert in full.diverts] == pytest.approx(shares)
    assert replace(full, places=(), diverts=()) == replace(network.escalations[0], places=(), diverts=())


def test_a_knob_turns_an_escalation() -> None:
    knob = "knobs: [{id: k, title: K, change: {what: escalation, at: full}, low: 0, high: 2}]"
    assert network_of(FULL + knob).knobs[0].change == Change("escalation", "full", times=1.0)
    assert "There is no escalation 'ful'. Did you mean full?" in faults(FULL + knob.replace("at: full", "at: ful"))[0]


def test_more_than_anybody_could_mean_is_refused_at_once() -> None:
    many = "".join(f"  - {{id: x{i}, title: X}}\n" for i in range(501))
    found = faults(small(("outcomes:\n", f"outcomes:\n{many}")))
    assert len(found) == 1
    assert "line 525: There are more than 500 outcomes." in found[0]
    wrong = "".join(f"  - {{station: d{i}, to: home}}\n" for i in range(3000))
    found = faults(small(("routes:\n", f"routes:\n{wrong}")))
    assert len(found) == 501
    assert any("There are more faults like these." in fault for fault in found)


def test_every_fault_is_reported_at_once() -> None:
    text = small(
        ("per_day: 48", "per_day: -1"), ("2016-04-04", "soon"), ("home: rest", "hom: rest"), ("servers: 2", "server: 2")
    )
    found = faults(text)
    assert len(found) == 4
    for says in ("starts", "per_day", "'hom'", "'server'"):
        assert any(says in fault for fault in found), says
    with pytest.raises(NetworkError, match=r"The network cannot be used: 4 faults\."):
        network_of(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "a",
        "id: [",
        "\x00",
        "id: !!python/object:os.system x",
        "id: " + "[" * 40,
        "- 1",
        "{" * 3000,
        "id: &a [*a]",
        "? [a]: b",
    ],
)
def test_what_is_no_network_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(BettercareError):
        network_of(text)


def test_a_network_may_be_made_without_a_file_and_is_checked_the_same(base: Network) -> None:
    desk = base.stations[0]
    nan = float("nan")
    wrong: list[tuple[Callable[[Network], Network], str]] = [
        (lambda n: replace(n, stations=(replace(desk, servers=nan), n.stations[1])), "stations, desk: servers is nan."),
        (lambda n: replace(n, stations=(replace(desk, servers="2"), n.stations[1])), "stations, desk: servers is '2'."),  # type: ignore[arg-type]
        (lambda n: replace(n, stations=(replace(desk, queue=-5), n.stations[1])), "queue is -5."),
        (lambda n: replace(n, starts=None), "network, starts: starts is missing."),  # type: ignore[arg-type]
        (lambda n: replace(n, title=["x"]), "network, title: title is ['x']."),  # type: ignore[arg-type]
        (lambda n: replace(n, title="a\x07"), "a character that cannot be printed"),
        (lambda n: replace(n, arrivals=(replace(n.arrivals[0], per_day=float("inf")),)), "per_day is inf."),
        (lambda n: replace(n, routes=(replace(n.routes[0], share=nan), *n.routes[1:])), "routes, row 1 (desk, any): share is nan."),
        (lambda n: replace(n, routes=(replace(n.routes[2], start=8), *n.routes[:2])), "A route has hours and no days."),
        (lambda n: replace(n, services=(replace(n.services[0], time=Distribution("fixed", mean=1, sd=2)),)), "A fixed time does not use sd."),
        (lambda n: replace(n, services=(replace(n.services[0], time="long"),)), "services, row 1 (desk, any): time is 'long'."),  # type: ignore[arg-type]
        (lambda n: replace(n, services=(replace(n.services[0], time=Distribution("pareto", mean=1)),)), "'pareto' is not a kind of time."),
        (lambda n: replace(n, stations=(replace(desk, holds="yes"), n.stations[1])), "holds is 'yes'."),  # type: ignore[arg-type]
        (lambda n: replace(n, knobs=(data.Knob("k", "K", Change("servers", "ward", times=nan), 0, 1),)), "times is nan."),
        (lambda n: replace(n, scenarios=(Scenario("s", "S", (Change("queue", "ward", add=1),)),)), "scenarios, s, change 1: The queue of ward is unlimited."),
    ]  # fmt: skip
    for make, says in wrong:
        found = faults_of(make(base))
        assert any(says in str(fault) for fault in found), (says, found)
        with pytest.raises(NetworkError):
            write_network(make(base), Path("/nowhere/network.yaml"))


def test_the_example_of_the_page_is_a_network_without_faults() -> None:
    network = network_of(EXAMPLE)
    assert network_of(yaml_of(network)) == network
    assert network.station("medicine").steps == (Step(date(2016, 12, 1), 12),)
    assert [route.share for route in network.routes if route.station == "streaming"] == [0.4, 0.6]
    assert len(warnings_of(network)) == 1


def test_the_page_in_the_documents_is_the_page_the_dictionary_makes() -> None:
    committed = Path(__file__).parents[2] / "docs" / "flow-format.md"
    assert committed.read_text(encoding="utf-8") == page(), "Write it again with: make docs"


def test_the_dictionary_and_the_records_agree() -> None:
    """Every attribute has a field with the same default, or reading would lose or change it."""
    for section, record in {"network": Network, **RECORDS, **INSIDE}.items():
        known = {field.attribute: field for field in dictionary()[section].values()}
        assert attributes_of(record) - {"evidence"} - set(RECORDS) <= set(known), section
        for each in fields(record):
            field = known.get(each.name)
            if field is None or each.default is MISSING:
                continue
            if field.default in {"", "all", "all alike"}:
                assert not each.default or each.default in {"all"} or set(each.default) == {1.0}, (section, each.name)
            else:
                given = value(field, Node(field.default, 1))
                assert given in (each.default, (each.default,)), (section, each.name)
    assert attributes_of(data.Evidence) == set(dictionary()[EVIDENCE])
    kinds = dictionary()["stations"]["kind"].choices
    assert kinds == data.KINDS
    used = {name for kind in dictionary()["times"] for name in parameters(kind)}
    assert used | {"kind", "unit", "at_most", "times"} == attributes_of(Distribution)


def test_finding_a_network(tmp_path: Path) -> None:
    path = tmp_path / "my.yaml"
    path.write_text(SMALL, encoding="utf-8")
    assert find_network(str(path)) == path
    folder = tmp_path / "plan" / "flow"
    folder.mkdir(parents=True)
    (folder / "network.yaml").write_text(SMALL, encoding="utf-8")
    (folder.parent / "plan.yaml").write_text("id: a-plan\n", encoding="utf-8")
    assert find_network(str(folder)) == find_network(str(folder.parent)) == folder / "network.yaml"
    assert read_network(folder / "network.yaml").plan == "a-plan"
    assert read_network(path).plan == ""
    for ident, at in shipped_networks().items():
        assert find_network(ident) == find_network(at.parent.parent.name) == at
    for name in ("no-such", "", "a\x00b", "x" * 5000, str(tmp_path), "../.."):
        with pytest.raises(BettercareError, match="There is no network"):
            find_network(name)
    (tmp_path / "notes.txt").write_text("x", encoding="utf-8")
    with pytest.raises(BettercareError, match="This is not a network"):
        find_network(str(tmp_path / "notes.txt"))
    with pytest.raises(BettercareError, match="not there"):
        read_network(tmp_path / "gone.yaml")


def test_writing_is_whole_or_not_at_all(tmp_path: Path, base: Network) -> None:
    path = write_network(base, tmp_path / "out.yaml")
    assert read_network(path) == base
    with pytest.raises(NetworkError):
        write_network(replace(base, days=-1), path)
    assert read_network(path) == base
    assert [each.name for each in tmp_path.iterdir()] == ["out.yaml"]
    with pytest.raises(BettercareError):
        write_network(base, tmp_path / "gone" / "out.yaml")
    with pytest.raises(BettercareError):
        write_network(base, tmp_path)


def of(network: Network, station: str, patient: str = "any") -> dict[str, float]:
    return {r.to: round(r.share, 9) for r in network.routes if (r.station, r.patient) == (station, patient)}


CHANGES: list[tuple[Change, Callable[[Network], Any], Any]] = [
    (Change("servers", "ward", add=3), lambda n: n.station("ward").servers, 13),
    (Change("servers", "ward", times=0.75), lambda n: n.station("ward").servers, 8),
    (Change("servers", "ward", to=-1), lambda n: n.station("ward").servers, data.UNLIMITED),
    (Change("servers", "ward", add=3, on=date(2016, 4, 9)), lambda n: n.station("ward").steps, (Step(date(2016, 4, 9), 3),)),
    (Change("servers", "ward", to=3, on=date(2016, 4, 9)), lambda n: n.station("ward").steps, (Step(date(2016, 4, 9), -7),)),
    (Change("queue", "ward", to=4), lambda n: n.station("ward").queue, 4),
    (Change("arrivals", "door", times=1.5), lambda n: n.arrivals[0].per_day, 72),
    (Change("arrivals", "door", add=2), lambda n: n.arrivals[0].per_day, 50),
    (Change("arrivals", "any", times=2), lambda n: (n.arrivals[0].per_day, mean(n.arrivals[1].every)), (96, 0.5)),
    (Change("arrivals", "any", patient="young", times=2), lambda n: n.arrivals[0].per_day, 48),
    (Change("service", "ward", times=0.5), lambda n: mean(n.services[1].time), 6),
    (Change("service", "ward", to=8), lambda n: mean(n.services[1].time), pytest.approx(8)),
    (Change("service", "ward", add=-2), lambda n: mean(n.services[1].time), pytest.approx(10)),
    (Change("service", "ward", patient="old", times=2), lambda n: [(s.patient, mean(s.time)) for s in n.services[1:]], [("any", 12), ("old", 24)]),
    (Change("share", "desk", goes="ward", times=2), lambda n: of(n, "desk"), {"ward": 0.5, "home": 0.5}),
    (Change("share", "desk", goes="ward", to=1), lambda n: of(n, "desk"), {"ward": 1, "home": 0}),
    (Change("share", "desk", goes="ward", add=0.05, instead_of="home"), lambda n: of(n, "desk"), {"ward": 0.3, "home": 0.7}),
    (Change("share", "desk", patient="old", goes="ward", to=0), lambda n: (of(n, "desk", "old"), of(n, "desk")), ({"ward": 0, "home": 1}, {"ward": 0.25, "home": 0.75})),
    (Change("leaves_on", "ward", days=(5, 6), to=0.9), lambda n: n.profiles[1].weekdays, (1, 1, 1, 1, 1, 0.9, 0.9)),
    (Change("leaves_on", "ward", days=(6,), add=0.25), lambda n: (n.profiles[1].weekdays[5:], n.profiles[0].weekdays[6]), ((0.5, 0.5), 1)),
]  # fmt: skip


@pytest.mark.parametrize(("change", "ask", "answer"), CHANGES)
def test_a_change_does_what_it_says(base: Network, change: Change, ask: Callable[[Network], Any], answer: Any) -> None:
    new = changed(base, [change])
    assert ask(new) == answer
    assert faults_of(new) == []
    assert base == network_of(SMALL)
    # A change can be kept in the file and read back.
    kept = replace(base, scenarios=(Scenario("s", "S", (change,)),))
    assert network_of(yaml_of(kept)) == kept
    assert changed(kept, "s").stations == new.stations


def test_servers_of_shifts(base: Network) -> None:
    shifts = 'shifts: [{from: "08:00", to: "20:00", servers: 4}, {days: weekend, servers: 1}]'
    network = network_of(small(("servers: 2", shifts)))
    assert [s.servers for s in changed(network, [Change("servers", "desk", add=1)]).station("desk").shifts] == [5, 2]
    assert [s.servers for s in changed(network, [Change("servers", "desk", times=2)]).station("desk").shifts] == [8, 2]
    both = network_of(small(("servers: 2", f"servers: 2, {shifts}")))
    desk = changed(both, [Change("servers", "desk", add=1)]).station("desk")
    assert (desk.servers, [s.servers for s in desk.shifts]) == (3, [4, 1])
    desk = changed(both, [Change("servers", "desk", to=5)]).station("desk")
    assert (desk.servers, desk.shifts) == (5, ())


WRONG: list[tuple[Change, str]] = [
    (Change("servers", "ward"), "exactly one of to, add and times"),
    (Change("servers", "ward", to=1, add=1), "exactly one of to, add and times"),
    (Change("servers", "ward", add=float("nan")), "A change by nan is none."),
    (Change("servers", "ward", times=-1), "times -1 is negative."),
    (Change("servers", "ward", add=0.5), "The servers of ward would be 11.5."),
    (Change("servers", "ward", add=-12), "The servers of ward would be -1."),
    (Change("servers", "wrad", add=1), "There is no station 'wrad'. Did you mean ward?"),
    (Change("servers", "ward", patient="old", add=1), "A change of servers is for every class."),
    (Change("servers", "ward", patient="odd", add=1), "There is no class 'odd'. Did you mean old?"),
    (Change("servers", "ward", days=(1,), add=1), "days is of changes of leaves_on alone."),
    (Change("servers", "ward", add=1e300), "The servers of ward would be 1e+300."),
    (Change("queue", "ward", add=1), "The queue of ward is unlimited."),
    (Change("arrivals", "doors", times=2), "There is no stream of arrivals 'doors'. Did you mean door?"),
    (Change("arrivals", "door", patient="young", times=2), "The stream door has patients of young."),
    (Change("arrivals", "any", add=2), "Several streams would get the same."),
    (Change("arrivals", "calls", add=2), "has a time between arrivals and no rate."),
    (Change("arrivals", "door", add=-49), "per_day of door would be -1."),
    (Change("service", "ward", add=-13), "The mean of services at ward (in hours) would be -1."),
    (Change("patience", "ward", times=2), "ward has no patience for any."),
    (Change("share", "desk", goes="wrad", to=0.5), "No route of any goes from desk to 'wrad'. Did you mean ward?"),
    (Change("share", "desk", goes="ward", to=1.5), "The share from desk to ward would be 1.5."),
    (Change("share", "desk", goes="ward", to=0.5, instead_of="ward"), "instead_of 'ward' is no other target of the route."),
    (Change("share", "ward", goes="home", to=0.5), "The share from ward to home leaves 0.5 to no one."),
    (Change("leaves_on", "desk", days=(6,), to=1), "desk has no discharge times."),
    (Change("leaves_on", "ward", to=1), "A change of leaves_on needs days."),
    (Change("leaves_on", "ward", days=(6,), to=1.2), "would be 1.2."),
    (Change("escalation", "ful", times=2), "There is no escalation 'ful'."),
    (Change("beds", "ward", to=1), "'beds' cannot be changed."),  # type: ignore[arg-type]
]  # fmt: skip


@pytest.mark.parametrize(("change", "says"), WRONG)
def test_a_change_that_cannot_be_made_names_the_scenario_and_the_change(
    base: Network, change: Change, says: str
) -> None:
    with pytest.raises(BettercareError) as caught:
        changed(base, Scenario("winter", "Winter", (Change("servers", "ward", add=1), change)))
    (fault,) = caught.value.faults
    assert isinstance(fault, Fault)
    assert says in str(fault)
    assert fault.where == f"scenario winter, change 2 ({change.what} at {change.at})"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change("escalation", "full", to=2), "An escalation is changed by times alone."),
        (Change("escalation", "full", add=2), "An escalation is changed by times alone."),
        (Change("escalation", "full", times=1e9), "The places of full at desk would be 1,000,000,000."),
        (Change("escalation", "full", patient="old", times=2), "A change of escalation is for every class."),
    ],
)
def test_what_cannot_be_done_to_an_escalation(change: Change, says: str) -> None:
    with pytest.raises(BettercareError, match=re.escape(says)):
        changed(network_of(FULL), [change])


def test_a_scenario_by_its_id(base: Network) -> None:
    network = replace(base, scenarios=(Scenario("winter", "Winter", ()),))
    assert scenario(network, "winter").title == "Winter"
    assert changed(network, "winter") == network
    with pytest.raises(BettercareError, match=r"no scenario 'wintr'. Did you mean winter\?"):
        changed(network, "wintr")


def test_loads_solve_the_traffic_equations(base: Network) -> None:
    """desk = 48 + 24 + ward; ward = 0.25 desk, of whom 0.5 come back: desk = 72 / (1 - 0.125)."""
    network = network_of(small(("ward, to: home", "ward, shares: {desk: 0.5, home: 0.5}")))
    table = {row["station"]: row for row in loads(network).iter_rows(named=True)}
    assert table["desk"]["arrivals_per_day"] == pytest.approx(72 / 0.875)
    assert table["desk"]["load"] == pytest.approx(72 / 0.875 * 0.5 / 24 / 2)
    assert table["ward"]["offered"] == pytest.approx(72 / 0.875 * 0.25 / 2)
    assert table["ward"]["mean_service"] == pytest.approx(12)
    # Four hours of the day to one place and the rest to another, and a station closed for half the day.
    windows = "  - {station: desk, to: home}\n  - {station: desk, to: ward, from: 8, until: 12}\n"
    network = network_of(small(("  - {station: desk, shares: {ward: 0.25, home: rest}}\n", windows)))
    assert loads(network).row(1, named=True)["arrivals_per_day"] == pytest.approx(72 * 4 / 24)
    closed = network_of(small(("servers: 2", "shifts: [{from: 8, to: 20, servers: 4}], if_closed: ward")))
    table = {row["station"]: row["arrivals_per_day"] for row in loads(closed).iter_rows(named=True)}
    assert table == {"desk": pytest.approx(36), "ward": pytest.approx(36 + 9)}


def test_loads_of_choices_and_the_unlimited() -> None:
    two = "  - {id: other, title: Other, servers: unlimited}\n"
    choice = "choices: [{id: either, of: [ward, other], by: shortest-queue}]\n"
    text = small(
        ("services:\n", f"{two}services:\n  - {{station: other, time: {{fixed: 1, unit: hours}}}}\n"),
        ("shares: {ward: 0.25", "shares: {either: 0.25"),
        ("routes:\n", "routes:\n  - {station: other, to: home}\n"),
        more=choice,
    )
    arrive = {
        row["station"]: (row["arrivals_per_day"], row["load"]) for row in loads(network_of(text)).iter_rows(named=True)
    }
    assert arrive["ward"] == (pytest.approx(9), pytest.approx(0.45))
    assert arrive["other"] == (pytest.approx(9), None)
    arrive = dict(
        loads(network_of(text.replace("shortest-queue", "first-with-room")))
        .select("station", "arrivals_per_day")
        .iter_rows()
    )
    assert arrive["ward"] == pytest.approx(18)
    assert arrive["other"] == 0


def test_warnings() -> None:
    def warned(*swaps: tuple[str, str], more: str = "") -> str:
        return "\n".join(warnings_of(network_of(small(*swaps, more=more))))

    assert warned().startswith("10 rows are assumed and give no reason: profiles rounds, arrivals door")
    assert "desk has 1.5 servers' work for 1.0 servers (load 1.50)" in warned(("servers: 2", "servers: 1"))
    assert "leave the network as turned away" in warned(("servers: 10", "servers: 10, queue: 0"))
    assert "turned away" not in warned(("servers: 10", "servers: 10, queue: 0, if_full: home"))
    hold = warned(("servers: 2", "servers: 2, queue: 0, holds: yes"), ("servers: 10", "servers: 10, queue: 0"), ("ward, to: home", "ward, shares: {desk: 0.1, home: rest}"))  # fmt: skip
    assert "hold each other's places for ever: desk -> ward -> desk" in hold or "ever: ward -> desk -> ward" in hold
    assert "no patient uses: old at ward" in warned(("  - {station: ward, to", "  - {station: ward, class: [old, young], to: home}\n  - {station: ward, to")).replace("any", "old")  # fmt: skip
    late = "targets: [{id: t, title: T, measure: wait, of: desk, value: 1, period: 2024-01}]"
    assert "Targets of months that are not simulated: t." in warned(more=late)
    begins = FULL.removeprefix(SMALL)
    assert "escalations full" in warned(more=begins.replace("basis: stated", "basis: assumed"))
    short = ("servers: 10", "servers: 10, queue: 9, if_full: home")
    assert "full can never begin: at most 9 can wait for ward, and it takes 10." in warned(short, more=begins)
    assert "never begin" not in warned(("servers: 10", "servers: 10, queue: 10, if_full: home"), more=begins)
    for opens, closes, says in (
        (100, -10, ""),
        (101, 5, "full will hardly ever begin: it takes 101 patients more than places at ward, which has 10."),
        (-9, -11, "full can never end: it ends at -11, and ward when empty is at -10."),
        (-10, -11, "full is always on: it begins at -10, and ward when empty is at -10."),
    ):
        said = warned(more=begins.replace("opens: 10", f"opens: {opens}").replace("closes: 5", f"closes: {closes}"))
        assert [line for line in said.splitlines() if line.startswith("full ")] == [says] * bool(says)
    # Who is held at the desk waits for the ward too.
    assert "never begin" not in warned(short, ("servers: 2", "servers: 2, holds: yes"), more=begins)


def test_a_class_may_be_a_list_and_a_route_may_change_it() -> None:
    text = small(
        ("{station: ward, time:", "{station: ward, class: [old, young], time:"),
        ("home: rest}", "home: rest}, becomes: {ward: old}"),
    )
    network = network_of(text)
    assert [row.patient for row in network.services] == ["any", "old", "young"]
    assert network.routes[0] == Route("desk", "any", "ward", 0.25, becomes="old")
    assert network.routes[1] == Route("desk", "any", "home", 0.75)
    assert network_of(yaml_of(network)) == network
