"""Whatever the network, nobody is lost and nobody is made: looked at after every single event, in networks drawn at random."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st

from bettercare.errors import BettercareError
from bettercare.flow import Result, engine, run
from bettercare.flow.compiled import compiled
from bettercare.flow.engine import (
    AWAIT,
    BUSY,
    HELD,
    HOLD,
    IN_SERVICE,
    INSIDE,
    NOW,
    READY,
    SERVERS,
    WAIT,
    WAITING,
    State,
)
from bettercare.flow.network import (
    UNLIMITED,
    Arrival,
    Choice,
    Distribution,
    Divert,
    Escalation,
    ExtraPlaces,
    Network,
    Patience,
    PatientClass,
    Profile,
    Shift,
    Station,
)
from queue_networks import network

CLASSES = (PatientClass("urgent", "Urgent", 1), PatientClass("other", "Other", 2))
ENDS = {engine.FINISHED, engine.DEADLOCKED, engine.STUCK, engine.CROWDED}


def times() -> st.SearchStrategy[Distribution]:
    mean = st.sampled_from([0.5, 1.0, 3.0])
    return st.one_of(
        mean.map(lambda hours: Distribution("exponential", mean=hours)),
        mean.map(lambda hours: Distribution("fixed", mean=hours)),
        mean.map(lambda hours: Distribution("lognormal", mean=hours, sd=hours)),
        st.just(Distribution("fixed", mean=0.0)),
    )


@st.composite
def networks(draw: st.DrawFn) -> Network:
    """Up to four stations with anything a station may have; some of these deadlock or go round, as a careless one does."""
    names = [f"s{number}" for number in range(draw(st.integers(1, 4)))]
    places = [*names, "home", *(["either"] if len(names) > 1 else [])]
    stations = []
    for name in names:
        unlimited = draw(st.integers(0, 5)) == 0
        stations.append(
            Station(
                name,
                name,
                servers=UNLIMITED if unlimited else draw(st.integers(0, 3)),
                shifts=(Shift((0, 1, 2, 3, 4, 5, 6), 8, 18, draw(st.integers(1, 2))),) if not unlimited and draw(st.booleans()) else (),
                queue=draw(st.sampled_from([UNLIMITED, UNLIMITED, 0, 1, 3])),
                holds=draw(st.booleans()),
                if_full=draw(st.sampled_from([None, "lost", *names])),
                if_closed=draw(st.sampled_from([None, None, "lost"])),
                preempts=draw(st.integers(0, 3)) == 0,
                leaves_on="rounds" if draw(st.integers(0, 3)) == 0 else None,
            )
        )  # fmt: skip
    routes = []
    for name in names:
        to = draw(st.sampled_from(places))
        routes += [(name, "home", 0.4), (name, to, 0.6)] if to != "home" else [(name, "home", 1.0)]
    choice = Choice("either", tuple(names[:2]), draw(st.sampled_from(["first-with-room", "shortest-queue"])))
    return network(
        stations,
        [
            Arrival(one.id, one.id, draw(st.sampled_from([place for place in places if place != "home"])), per_day=draw(st.sampled_from([12.0, 60.0])))
            for one in CLASSES
        ],
        {name: draw(times()) for name in names},
        routes,
        classes=CLASSES,
        days=3,
        warm_up=0,
        profiles=(Profile("rounds", hours=(0.0,) * 10 + (1.0, 3.0, 2.0) + (0.0,) * 11, weekdays=(1.0, 0.3, 1.0, 1.0, 1.0, 0.0, 0.0)),),
        choices=(choice,) if len(names) > 1 else (),
        escalations=tuple(
            Escalation(name, name, name, opens := draw(st.integers(-2, 3)), opens - 1 - draw(st.integers(0, 2)), draw(st.integers(0, 1)), (ExtraPlaces(name, 2),), (Divert("other", 0.5, "lost"),))
            for name, station in zip(names, stations) if station.servers != UNLIMITED and draw(st.integers(0, 3)) == 0
        ),
        patience=tuple(
            Patience(name, "other", Distribution("exponential", mean=1.0), "gave-up") for name in names if draw(st.integers(0, 3)) == 0
        ),
    )  # fmt: skip


def returning(servers: int) -> Network:
    """Patients go back to where they come from, and may interrupt there: the place they leave is one that somebody waits for."""
    return network(
        [Station("s0", "s0", servers=servers, preempts=True)],
        [Arrival(one.id, one.id, "s0", per_day=12.0) for one in CLASSES],
        {"s0": Distribution("exponential", mean=0.5)},
        [("s0", "home", 0.4), ("s0", "s0", 0.6)],
        classes=CLASSES,
        days=3,
        warm_up=0,
    )


def each_event(it: Network, most: int, slots: int = 8) -> Iterator[tuple[State, int]]:
    """The state after each event. So few slots that the arrays must grow on the way."""
    program = compiled(it)
    nobody = np.zeros((0, 4), dtype=np.int64), np.zeros((0, 3))
    state = engine.fresh(program, len(it.arrivals), 2, 0, it.days * 24.0, 0.0, 0, 0, *nobody, slots, 100_000, None, 0)
    key = engine.run_key(1, 0)
    engine.begin(key, program, state)
    for _ in range(most):
        status = engine.advance(key, program, state, 1)
        if status == engine.FULL:
            state = engine.grown(state)
            continue
        yield state, status
        if status in ENDS:
            return
        assert status == engine.PAUSED


@given(networks())
@example(returning(1))
@example(returning(2))
def test_nobody_is_lost_or_made(it: Network) -> None:
    busy, now = np.zeros(len(it.stations), dtype=np.int64), 0.0
    for state, status in each_event(it, 300):
        count = state.counts
        came = int(state.stream[:, 0].sum()) - len(it.arrivals)  # the one after the last is numbered already
        assert came == state.left.sum() + state.num[INSIDE]
        assert state.real[NOW] >= now
        if status == engine.STUCK:
            return  # stopped in the middle of a move
        assert state.num[INSIDE] == count[:, BUSY].sum() + count[:, WAIT].sum()
        assert recount(state) == {
            (place, what): number
            for place in range(len(it.stations))
            for what, number in zip(
                ("busy", "waiting", "held", "ready"), count[place, [BUSY, WAIT, HOLD, AWAIT]].tolist()
            )
            if number
        }
        assert (count[:, BUSY] <= np.maximum(count[:, SERVERS], busy)).all()  # nobody begins without a place
        for station, waiting in zip(it.stations, count[:, WAIT].tolist()):
            # those who are interrupted wait as well, room or not
            assert station.queue == UNLIMITED or station.preempts or waiting <= station.queue
        if status in ENDS - {engine.FINISHED}:
            return  # stopped before places that became free were given away
        for place in np.flatnonzero(count[:, BUSY] < count[:, SERVERS]):
            assert (state.head[place] == -1).all(), f"a place is free at {it.stations[place].id} and somebody waits"
        for patient in np.flatnonzero(state.who[:, engine.STATE] == HELD):
            to = int(state.who[patient, engine.TO])
            assert to >= len(it.stations) or 0 <= it.stations[to].queue <= count[to, WAIT], (
                "held, and there is room to wait"
            )
        busy, now = count[:, BUSY].copy(), float(state.real[NOW])


def recount(state: State) -> dict[tuple[int, str], int]:
    """How many are where, from the patients themselves."""
    nobody = set(state.free[: state.num[engine.FREE]].tolist())
    found: Counter[tuple[int, str]] = Counter()
    for patient in range(len(state.who)):
        if patient in nobody:
            continue
        at, what = int(state.who[patient, engine.AT]), int(state.who[patient, engine.STATE])
        if what == WAITING:
            found[at, "waiting"] += 1
            continue
        assert what in (IN_SERVICE, READY, HELD)
        found[at, "busy"] += 1
        if what != IN_SERVICE:
            found[at, "held" if what == HELD else "ready"] += 1
    return dict(found)


def whole(it: Network, slots: int, most_events: int) -> State:
    """A replication to its end."""
    program = compiled(it)
    nobody = np.zeros((0, 4), dtype=np.int64), np.zeros((0, 3))
    state = engine.fresh(program, len(it.arrivals), 2, 0, it.days * 24.0, 0.0, 0, 0, *nobody, slots, 100_000, None, 0)
    key = engine.run_key(1, 0)
    engine.begin(key, program, state)
    while (status := engine.advance(key, program, state, most_events)) not in ENDS:
        if status == engine.FULL:
            state = engine.grown(state)
    return state


@given(networks())
def test_neither_room_nor_pauses_change_anything(it: Network) -> None:
    plain, other = whole(it, 4096, 10**9), whole(it, 8, 7)
    for name in ("station", "by_class", "clock", "over", "left", "week", "wait_bins", "clock_bins", "counts", "stream"):
        np.testing.assert_array_equal(getattr(plain, name), getattr(other, name), err_msg=name)
    assert plain.num[INSIDE] == other.num[INSIDE]


@given(networks(), st.integers(0, 2**63))
def test_the_log_is_the_same_on_any_number_of_workers(it: Network, seed: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        logs = []
        for number, workers in enumerate((1, 2)):
            path = Path(folder) / f"{number}.parquet"
            try:
                result = run(it, replications=3, seed=seed, workers=workers, log=path)
            except BettercareError:
                assert not list(Path(folder).iterdir()), "a run that fails leaves nothing behind"
                return
            logs.append(pl.read_parquet(path))
            assert sorted(one.name for one in Path(folder).iterdir()) == [f"{n}.parquet" for n in range(number + 1)]
        assert logs[0].equals(logs[1])
        adds_up(logs[0], result)


def adds_up(log: pl.DataFrame, result: Result) -> None:
    """What the log tells, patient by patient, is what was counted."""
    rows = log.filter(pl.col("event").is_in(["arrives", "out"]))
    patients = rows.group_by("replication", "patient", maintain_order=True).agg("event", "hours")
    assert set(map(tuple, patients["event"])) <= {("arrives",), ("arrives", "out")}
    for number in range(result.replications):
        assert log.filter(pl.col("replication") == number)["hours"].is_sorted()
    inside = log["event"].eq("arrives").sum() - log["event"].eq("out").sum()
    assert inside == sum(one.inside for one in result.recorded)
    for outcome in log.filter(pl.col("event") == "out")["at"].unique():
        out = log.filter((pl.col("event") == "out") & (pl.col("at") == outcome)).height
        assert out == result.values("left", outcome).sum()
    for station in result.network.stations:
        here = log.filter(pl.col("at") == station.id)["event"].value_counts()
        told = dict(here.iter_rows())
        for event, measure in (
            ("leaves", "served"),
            ("gives up", "gave-up"),
            ("turned away", "turned-away"),
            ("held", "held"),
        ):
            assert told.get(event, 0) == result.values(measure, station.id).sum(), f"{event} at {station.id}"


def test_scenarios_meet_the_same_patients_with_the_same_luck(tmp_path: Path) -> None:
    """More servers change when patients are seen, and nothing of when they come and how long they need."""
    slow = network(
        [Station("a", "A", servers=2), Station("b", "B", servers=2)],
        [Arrival(one.id, one.id, "a", per_day=20.0) for one in CLASSES],
        {"a": Distribution("exponential", mean=1.0), "b": Distribution("lognormal", mean=1.0, sd=2.0)},
        [("a", "b", 0.5), ("a", "home", 0.5), ("b", "a", 0.2), ("b", "home", 0.8)],
        classes=CLASSES,
        days=30,
        warm_up=0,
    )
    quick = replace(slow, stations=tuple(replace(station, servers=20) for station in slow.stations))
    found = []
    for name, it in (("slow", slow), ("quick", quick)):
        run(it, replications=1, seed=1, log=tmp_path / name)
        log = pl.read_parquet(tmp_path / name)
        visits = (
            log.filter(pl.col("event").is_in(["arrives", "starts", "done"]))
            .group_by("patient", "event")
            .agg("hours", "at")
        )
        came = {patient: hours[0] for patient, event, hours, _ in visits.iter_rows() if event == "arrives"}
        starts = {patient: (hours, at) for patient, event, hours, at in visits.iter_rows() if event == "starts"}
        done = {patient: hours for patient, event, hours, _ in visits.iter_rows() if event == "done"}
        needs = {
            patient: [(place, round(end - start, 6)) for start, place, end in zip(hours, at, done.get(patient, []))]
            for patient, (hours, at) in starts.items()
        }
        found.append((came, needs, starts))
    assert found[0][0] == found[1][0]
    same = [patient for patient in found[0][1] if len(found[0][1][patient]) == len(found[1][1][patient])]
    assert len(same) > 0.95 * len(found[0][1])
    assert all(found[0][1][patient] == found[1][1][patient] for patient in same)
    assert found[0][2] != found[1][2]
