"""Any network that has no faults reads back as it was written; any text is read or refused in a sentence."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bettercare.errors import BettercareError, Fault
from bettercare.flow.check_network import faults_of, loads, warnings_of
from bettercare.flow.format_page import EXAMPLE
from bettercare.flow.network import (
    ANY,
    UNLIMITED,
    Arrival,
    Change,
    Choice,
    Clock,
    Distribution,
    Divert,
    Escalation,
    Evidence,
    ExtraPlaces,
    Knob,
    Network,
    Outcome,
    Patience,
    PatientClass,
    Profile,
    Route,
    Scenario,
    Service,
    Shift,
    Station,
    Step,
    Target,
)
from bettercare.flow.network_file import network_of
from bettercare.flow.network_yaml import yaml_of
from bettercare.flow.scenarios import changed

UNITS = st.sampled_from(["minutes", "hours", "days"])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=20).filter(str.strip) | st.sampled_from(
    ["yes", "null", "~", "1.50", "a: b", "a, b", "# c", "- d", "'e'", '"f"', "{g}", "2016-04-04", " x ", "l\nm", "x\u2028y", "&a", "*a", "!a"]
)  # fmt: skip
WHOLE = st.integers(0, 50)
POSITIVE = st.floats(0.001, 1000.0) | st.integers(1, 1000)
DAYS = st.frozensets(st.integers(0, 6), min_size=1).map(lambda days: tuple(sorted(days)))
SHARE = st.sampled_from([0.25, 0.5, 0.75]) | st.floats(0, 1).map(lambda share: round(share, 12))
EVIDENCE = st.builds(
    Evidence,
    st.sampled_from(["stated", "assumed", "derived"]),
    st.just("") | TEXT,
    st.just("") | TEXT,
    st.just("") | TEXT,
)
START = date(2016, 4, 4)


@st.composite
def plain_times(draw: st.DrawFn) -> Distribution:
    kind = draw(st.sampled_from(["fixed", "exponential", "uniform", "triangular", "lognormal", "gamma", "weibull", "erlang", "phase-type", "empirical"]))  # fmt: skip
    low, step, more = (draw(POSITIVE) for _ in range(3))
    given: dict[str, Any] = {
        "fixed": {"mean": low},
        "exponential": {"mean": low},
        "uniform": {"low": low, "high": low + step},
        "triangular": {"low": low, "likely": low + step, "high": low + step + more},
        "lognormal": {"mean": low, "sd": low * 1.5},
        "gamma": {"mean": low, "sd": low * 0.7},
        "weibull": {"mean": low, "shape": 1.5},
        "erlang": {"mean": low, "phases": 3},
        "phase-type": {"start": (0.25, 0.75), "rates": ((-step, step / 2), (0.0, -more))},
        "empirical": {"values": (low, step, 0.0), "weights": draw(st.just(()) | st.just((1, 2.5, 0)))},
    }[kind]
    return Distribution(kind, draw(UNITS), **given, times=draw(st.just(1.0) | st.floats(0.5, 2)))


@st.composite
def times(draw: st.DrawFn) -> Distribution:
    if draw(st.integers(0, 4)):
        return draw(plain_times())
    parts = tuple(draw(st.lists(plain_times(), min_size=1, max_size=3)))
    return Distribution(
        "mixture",
        draw(UNITS),
        parts=parts,
        weights=tuple(draw(POSITIVE) for _ in parts),
        at_most=draw(st.none() | st.just(100.0)),
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Stations in a row, each with a chance to go back, so that most of what is drawn has no faults."""
    size = draw(st.integers(1, 4))
    patients = [PatientClass(f"c{i}", draw(TEXT), draw(WHOLE)) for i in range(draw(st.integers(1, 3)))]
    names = [f"s{i}" for i in range(size)]
    profiles = (Profile("p", tuple(draw(st.lists(POSITIVE, min_size=24, max_size=24))), evidence=draw(EVIDENCE)),)
    stations = tuple(draw(_station(name, index, size)) for index, name in enumerate(names))
    routes: list[Route] = []
    for index, name in enumerate(names):
        patient = draw(st.sampled_from([ANY] * 3 + [each.id for each in patients]))
        for who in {ANY, patient}:
            on = names[index + 1] if index + 1 < size else "out"
            share = draw(SHARE)
            evidence = draw(EVIDENCE)
            becomes = draw(st.none() | st.sampled_from([each.id for each in patients]))
            routes.append(Route(name, who, on, 1 - share, becomes, evidence=evidence))
            routes.append(Route(name, who, "left", share, evidence=evidence))
            if draw(st.booleans()):
                days = draw(DAYS)
                routes.append(
                    Route(
                        name, who, "out", 1.0, None, days, draw(st.integers(0, 23)), draw(st.integers(1, 24)), evidence
                    )
                )
    escalations = _escalations(draw, stations)
    return Network(
        draw(st.sampled_from(["n", "net-1"])), draw(TEXT), START, draw(st.integers(1, 400)), draw(WHOLE), tuple(patients),
        tuple(_arrival(draw, f"a{i}", each.id, "choose" if i == 0 else names[0]) for i, each in enumerate(patients)),
        stations, tuple(Service(name, ANY, draw(times()), draw(EVIDENCE)) for name in names), tuple(routes),
        (Outcome("out", draw(TEXT)), Outcome("left", draw(TEXT))), profiles,
        tuple(Patience(name, patients[0].id, draw(times()), "left") for name in names[1:2]),
        (Choice("choose", tuple(names), draw(st.sampled_from(["first-with-room", "shortest-queue"]))),),
        escalations,
        (Clock("k", draw(TEXT), tuple(names), tuple(draw(st.lists(POSITIVE, max_size=2))), (patients[0].id,)),),
        (Scenario("s", draw(TEXT), (Change("arrivals", ANY, times=draw(st.floats(0.1, 2))), *(Change("escalation", row.id, times=draw(st.floats(0.1, 3))) for row in escalations), Change("service", names[0], patient=patients[0].id, times=1.5)), draw(st.just("") | TEXT)),),
        (Target("t", draw(TEXT), "arrivals", names[0], draw(st.integers(-(10**9), 10**9)) / 1000, period="2016-04", held_out=draw(st.booleans()), evidence=draw(EVIDENCE)),),
        (Knob("k", draw(TEXT), Change("service", names[0], times=1.0), 0.5, 2.0),),
        draw(st.integers(1, 500)), draw(st.just("") | TEXT), draw(st.sampled_from(["", "a-plan"])),
    )  # fmt: skip


def _arrival(draw: st.DrawFn, ident: str, patient: str, to: str) -> Arrival:
    if draw(st.booleans()):
        return Arrival(ident, patient, to, every=Distribution("exponential", draw(UNITS), mean=1 + draw(POSITIVE)))
    rate, spread = draw(POSITIVE), draw(st.sampled_from(["poisson", "even"]))
    return Arrival(
        ident, patient, to, rate, None, draw(st.none() | st.just("p")), spread, draw(st.sampled_from([0.0, 0.1]))
    )


def _escalations(draw: st.DrawFn, stations: tuple[Station, ...]) -> tuple[Escalation, ...]:
    limited = [station.id for station in stations if station.servers != UNLIMITED]
    if not limited:
        return ()
    closes = draw(WHOLE)
    places = tuple(ExtraPlaces(name, draw(st.integers(1, 50))) for name in limited if draw(st.booleans()))
    share = draw(st.sampled_from([0.25, 0.5]) | st.floats(0.01, 0.5))
    diverts = (Divert("a0", share, "left"), Divert("a0", 0.5, limited[0]))
    opens = closes + draw(st.integers(1, 50))
    return (
        Escalation(
            "e", draw(TEXT), limited[-1], opens, closes, draw(st.integers(0, 168)), places, diverts, draw(EVIDENCE)
        ),
    )


@st.composite
def _station(draw: st.DrawFn, name: str, index: int, size: int) -> Station:
    shift = Shift(draw(DAYS), draw(st.integers(0, 24)), draw(st.integers(0, 24)), draw(WHOLE))
    free = draw(st.booleans())
    return Station(
        name, draw(TEXT), draw(st.sampled_from(["ward", "delay"])), draw(st.just("") | TEXT), "", draw(TEXT),
        UNLIMITED if free else draw(st.integers(1, 50)), () if free else (shift,) * draw(st.integers(0, 2)),
        () if free else (Step(START, draw(st.integers(-3, 3))),), draw(st.just(UNLIMITED) | WHOLE), draw(st.booleans()),
        draw(st.none() | st.just("left")), draw(st.none() | st.just(f"s{index + 1}" if index + 1 < size else "out")),
        draw(st.booleans()), draw(st.none() | st.just("p")), draw(EVIDENCE),
    )  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(networks())
def test_what_is_written_is_read_back(network: Network) -> None:
    if faults_of(network):
        # Whatever keeps it from being run keeps it from being read, too.
        with pytest.raises(BettercareError):
            network_of(yaml_of(network))
        return
    assert network_of(yaml_of(network)) == network
    table = loads(network)
    assert (table["arrivals_per_day"] >= 0).all()
    assert all(isinstance(sentence, str) for sentence in warnings_of(network))
    assert faults_of(replace(changed(network, "s"), scenarios=())) == []


def test_most_networks_drawn_have_no_faults() -> None:
    """Or the test above would say nothing."""
    sound: list[bool] = []

    @settings(max_examples=40, deadline=None, database=None, derandomize=True)
    @given(networks())
    def count(network: Network) -> None:
        sound.append(not faults_of(network))

    count()
    assert sum(sound) > len(sound) / 2


BITS = st.sampled_from(
    ["", "[", "]", "{", "}", ":", "-", ",", "nan", "-1", "1e9", "~", "'", "any", "rest", "unlimited", "\n", "  ", "\x00", "\u0663", "0x10", "id", "medicine", "99999999999999999999", "{fixed: 1}", "&a", "!!int", "\ufeff"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(EXAMPLE)), st.integers(0, 30), BITS)
def test_a_damaged_file_is_read_or_refused_in_a_sentence(at: int, cut: int, put: str) -> None:
    faults: tuple[Fault, ...] = ()
    try:
        network = network_of(EXAMPLE[:at] + put + EXAMPLE[at + cut :])
    except BettercareError as error:
        faults = error.faults
    if faults:
        assert all(fault.where and fault.what and fault.remedy for fault in faults), faults
        return
    assert faults_of(network) == []
    assert network_of(yaml_of(network)) == network


NONSENSE = st.sampled_from(
    [None, float("nan"), float("inf"), -1, 1e300, "x", "", [], (), True, b"x", date(1, 1, 1), 10**30]
)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_nonsense_in_any_attribute_is_a_fault_or_means_something(data: st.DataObject) -> None:
    network = network_of(EXAMPLE)
    section = data.draw(
        st.sampled_from(
            [
                "stations",
                "arrivals",
                "services",
                "routes",
                "profiles",
                "clocks",
                "patience",
                "classes",
                "escalations",
                "scenarios",
            ]
        )
    )
    rows = getattr(network, section)
    row = data.draw(st.sampled_from(rows))
    name = data.draw(st.sampled_from(sorted(set(row.__dataclass_fields__) - {"evidence"})))
    wrong = replace(row, **{name: data.draw(NONSENSE)})
    network = replace(network, **{section: tuple(wrong if each is row else each for each in rows)})
    if not faults_of(network):
        assert network_of(yaml_of(network)) == network
