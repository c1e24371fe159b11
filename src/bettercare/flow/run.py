"""Run a network: replications of it, shared between workers, the same numbers on any number of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path

import numpy as np

from bettercare.errors import BettercareError
from bettercare.flow import engine
from bettercare.flow.compiled import NO_LIMIT, Floats, Ints, Program, compiled, names_of
from bettercare.flow.engine import State
from bettercare.flow.event_log import EventLog
from bettercare.flow.network import HOURS_OF_WEEK, Network, Scenario
from bettercare.flow.precision import Precision
from bettercare.flow.result import Recorded, Result
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as named_scenario

Progress = Callable[[str, int, int], None]
SEED = 1
_EVENTS_A_TURN = 2_000_000
_LOG_ROWS = 200_000
MOST_INSIDE = 4_000_000
"""Patients inside at once, over which a network is taken to grow without end."""
_FIRST_SLOTS = 4096


@dataclass(frozen=True)
class Start:
    """Who is in the network when a run begins, instead of nobody. Arrays of one length, a row a patient.

    ``state`` 0 waits, 1 is in service, 2 is ready to leave. ``goes_to`` is a place to go to as ``compiled.names_of`` numbers
    them, or -1: the routes decide. ``residual_hours`` is what is left of the service, or, of who is ready, until they leave; one row
    for all replications or one each, [replications, patients]; NaN: drawn from the distribution of those who have stayed
    ``elapsed_hours`` already, or the next discharge time.
    """

    at: datetime
    station: Ints
    patient_class: Ints
    elapsed_hours: Floats
    state: Ints
    goes_to: Ints
    residual_hours: Floats


@dataclass
class _Plan:
    """What every replication of a run shares."""

    network: Network
    program: Program
    seed: int
    warm_hours: int
    hours: float
    first_hour: float
    periods: tuple[str, ...]
    antithetic: bool
    trace_hours: int
    start: Start | None
    day_rates: Floats | None
    log: EventLog | None
    initial: Ints
    initial_time: Floats
    cancel: threading.Event = field(default_factory=threading.Event)


def run(
    network: Network,
    replications: int | None = None,
    seed: int = SEED,
    workers: int = 1,
    scenario: Scenario | str | None = None,
    antithetic: bool = False,
    days: int | None = None,
    warm_up: int | None = None,
    log: Path | None = None,
    trace: bool = False,
    progress: Progress | None = None,
    until: Precision | None = None,
    start: Start | None = None,
    day_rates: Floats | None = None,
) -> Result:
    """Simulate a network.

    Args:
        network: the network; ``scenario`` (one of its own by id, or any) is applied to it first.
        replications: independent runs (the network's own number unless given). With ``until``, the most there may be.
        seed: the same seed gives the same numbers, and the same luck to the same patient in every scenario.
        workers: threads to share the replications between; the numbers do not change.
        antithetic: replications 1 and 2, 3 and 4 ... are mirror images of each other.
        days, warm_up: instead of the network's own.
        log: a Parquet file for the event log of every replication.
        trace: keep who is where at the turn of every hour that counts.
        progress: called with (what, done, of).
        until: go on until a measure is known this well.
        start: begin with these patients at this moment instead of empty on a midnight; there is no warm-up then, and an
            escalation that has cause to begin does so at the first turn of the hour.
        day_rates: [replications, streams, days] what each day's arrivals are multiplied by.

    Raises:
        BettercareError: the network cannot be run, or does not come to an end: deadlock, a line that grows without end.
    """
    if scenario is not None:
        network = changed(network, named_scenario(network, scenario) if isinstance(scenario, str) else scenario)
    wanted = network.replications if replications is None else replications
    _sensible(wanted, workers)
    # Pairs are whole, or their means would not be.
    wanted += wanted % 2 if antithetic else 0
    plan = _planned(network, seed, warm_up, days, antithetic, trace, start, day_rates, log)
    recorded: list[Recorded] = []
    week = np.zeros((HOURS_OF_WEEK, len(network.stations), 4))
    nothing = np.zeros((0, 0, 0))
    try:
        for batch in _batches(wanted, until, antithetic):
            for one in _together(plan, batch, workers):
                # The week is kept as a sum: it is the largest part, and nobody asks for it replication by replication.
                week += one.week
                recorded.append(replace(one, week=nothing))
                if progress:
                    progress(f"Simulating {network.id}", len(recorded), wanted)
            if until and until.reached(_result(plan, recorded, week)):
                break
        if plan.log:
            plan.log.close()
    except BaseException:
        plan.cancel.set()
        if plan.log:
            plan.log.discard()
        raise
    return _result(plan, recorded, week)


def _sensible(replications: int, workers: int) -> None:
    if not 1 <= replications <= 1_000_000:
        raise BettercareError(f"{replications} replications cannot be run.", remedy="Ask for 1 to 1,000,000.")
    if not 1 <= workers <= 256:
        raise BettercareError(f"{workers} workers cannot be had.", remedy="Ask for 1 to 256.")


def _planned(
    network: Network, seed: int, warm_up: int | None, days: int | None, antithetic: bool, trace: bool,
    start: Start | None, day_rates: Floats | None, log: Path | None,
) -> _Plan:  # fmt: skip
    warm = 0 if start else network.warm_up if warm_up is None else warm_up
    length = network.days if days is None else days
    if not 1 <= length <= 1_000_000:
        raise BettercareError(f"A run of {length} days is not possible.", remedy="Ask for 1 to 1,000,000 days.")
    if not 0 <= warm <= 100_000:
        raise BettercareError(f"A warm-up of {warm} days is not possible.", remedy="Ask for 0 to 100,000 days.")
    if start:
        network = replace(network, starts=start.at.date())
    program = compiled(network, warm)
    first = 0.0 if start is None else start.at.hour + start.at.minute / 60 + start.at.second / 3600
    initial, initial_time = _initial(program, start)
    hours = (warm + length) * 24.0 + first
    return _Plan(
        network, program, seed, warm * 24, hours, first, _periods(network.starts, length + (1 if first else 0)), antithetic,
        int(length * 24 + first) + 1 if trace else 0, start, day_rates,
        None if log is None else EventLog(log, network), initial, initial_time,
    )  # fmt: skip


def _periods(starts: date, days: int) -> tuple[str, ...]:
    """The months that any of the days is in."""
    last = starts + timedelta(days=days - 1)
    count = (last.year - starts.year) * 12 + last.month - starts.month + 1
    months = (starts.year * 12 + starts.month - 1 + number for number in range(count))
    return tuple(f"{month // 12:04d}-{month % 12 + 1:02d}" for month in months)


def _initial(program: Program, start: Start | None) -> tuple[Ints, Floats]:
    if start is None:
        return np.zeros((0, 4), dtype=np.int64), np.zeros((1, 0, 3))
    state = np.array([engine.WAITING, engine.IN_SERVICE, engine.READY])[np.asarray(start.state)]
    # Those who have a place are put there before those who wait for one.
    order = np.argsort(state == engine.WAITING, kind="stable")
    _can_go(program, start)
    initial = np.stack([start.station, start.patient_class, state, start.goes_to], axis=1).astype(np.int64)[order]
    longer = _longer(
        program, np.asarray(start.station), np.asarray(start.patient_class), np.asarray(start.elapsed_hours)
    )
    residual = np.atleast_2d(np.where(np.isnan(start.residual_hours), -1.0, start.residual_hours))
    times = np.zeros((len(residual), len(longer), 3))
    times[:, :, 0], times[:, :, 1], times[:, :, 2] = start.elapsed_hours, residual, longer
    return initial, np.ascontiguousarray(times[:, order])


def _service(program: Program) -> Ints:
    """The distribution of the time of each class at each station, or -1: [S, C]."""
    return program.of_class.reshape(len(program.most), -1, 8)[:, :, 0]


def _can_go(program: Program, start: Start) -> None:
    """Whoever waits for a station that has no time for their class would never have one drawn."""
    stations, service = len(program.most), _service(program)
    for s, c, state, to in zip(start.station, start.patient_class, start.state, start.goes_to, strict=True):
        place = int(s) if state == 0 else int(to)
        if stations <= place < stations + len(program.choice_by):
            options = program.choice_of[
                program.choice_first[place - stations] : program.choice_first[place - stations + 1]
            ]
        else:
            options = np.array([place] if 0 <= place < stations else [], dtype=np.int64)
        if (service[options, c] < 0).any():
            raise BettercareError(
                "A patient who is there at the start is to go where nothing says how long those of their class stay.",
                remedy="Leave out where they go next, or add a time for that station and class to the network.",
            )


def _longer(program: Program, station: Ints, patient: Ints, elapsed: Floats) -> Floats:
    """The share of stays longer than what has passed, from the same tables the engine draws from."""
    shares, service = np.ones(len(station)), _service(program)
    for row, (s, c, hours) in enumerate(zip(station, patient, elapsed, strict=True)):
        d = service[s, c]
        if d >= 0:
            shares[row] = engine.share_longer(int(d), float(hours), program)
    return shares


def _batches(wanted: int, until: Precision | None, antithetic: bool) -> Iterator[range]:
    if until is None:
        yield range(wanted)
        return
    first, size = 0, max(until.first - until.first % 2, 2)
    while first < wanted:
        yield range(first, min(first + size, wanted))
        first, size = first + size, max(size // 2 - (size // 2) % 2, 2)


def _together(plan: _Plan, batch: Sequence[int], workers: int) -> Iterator[Recorded]:
    """The replications of a batch in their order."""
    if workers == 1 and plan.log is None:
        yield from (_replication(plan, number) for number in batch)
        return
    with ThreadPoolExecutor(workers) as pool:
        waiting: dict[int, Future[Recorded]] = {}
        numbers = iter(batch)
        try:
            for expected in batch:
                # No more are begun than can be held until their turn: memory does not grow with replications.
                while len(waiting) < 2 * workers and (number := next(numbers, None)) is not None:
                    waiting[number] = pool.submit(_replication, plan, number)
                while not waiting[expected].done():
                    wait([waiting[expected]], timeout=0.2, return_when=FIRST_COMPLETED)
                yield waiting.pop(expected).result()
        except BaseException:
            plan.cancel.set()
            for future in waiting.values():
                future.cancel()
            raise


def _replication(plan: _Plan, number: int) -> Recorded:
    """One replication, from nobody (or the start) to the end."""
    program, network = plan.program, plan.network
    pair, mirror = (number // 2, number % 2) if plan.antithetic else (number, 0)
    key = engine.run_key(plan.seed, pair)
    state = engine.fresh(
        program, len(network.arrivals), len(plan.periods), plan.trace_hours, plan.hours, plan.first_hour, plan.warm_hours,
        mirror, plan.initial, plan.initial_time[number % len(plan.initial_time)], _FIRST_SLOTS + 2 * len(plan.initial), MOST_INSIDE,
        None if plan.day_rates is None else plan.day_rates[number % len(plan.day_rates)], _LOG_ROWS if plan.log else 0,
    )  # fmt: skip
    if plan.start:
        # Whatever is too much when a run begins with who is there has been so for long enough.
        state.escalation[:, engine.TOO_MANY] = NO_LIMIT
    engine.begin(key, program, state)
    logged = plan.log.replication(number) if plan.log else None
    while True:
        status = engine.advance(key, program, state, _EVENTS_A_TURN)
        if logged and (status in (engine.LOG_FULL, engine.FINISHED)):
            logged.write(state)
        if status == engine.FINISHED:
            break
        if plan.cancel.is_set():
            raise KeyboardInterrupt
        if status == engine.FULL:
            state = engine.grown(state)
        elif status not in (engine.PAUSED, engine.LOG_FULL):
            raise _explained(plan, state, status)
    return Recorded.of(state)


def _explained(plan: _Plan, state: State, status: int) -> BettercareError:
    """Why a network does not come to an end, with the name of the station."""
    stations = plan.network.stations
    when = datetime.combine(plan.network.starts, time()) + timedelta(
        hours=float(state.real[engine.NOW]) - plan.warm_hours
    )
    at = f"{when:%d %B %Y %H:%M}"
    if status == engine.DEADLOCKED:
        station = stations[int(state.num[engine.TRAP])]
        return BettercareError(
            f"Nobody can move any more: every place of {station.title!r} is kept by a patient who waits, in a circle, for a place that is kept in the same way (first noticed on {at}).",
            f"station {station.id}", "Give one station of the circle a queue, more places, or a way out that does not wait.",
        )  # fmt: skip
    if status == engine.CROWDED:
        worst = int(np.argmax(state.counts[:, engine.WAIT]))
        return BettercareError(
            f"The line at {stations[worst].title!r} grows without end: {int(state.counts[worst, engine.WAIT]):,} wait there on {at}.",
            f"station {stations[worst].id}", "Give it more servers or a limit to its queue, or send fewer patients there.",
        )  # fmt: skip
    station = stations[max(int(state.num[engine.TRAP]), 0)]
    return BettercareError(
        f"Patients go round {station.title!r} without any time passing (on {at}).",
        f"station {station.id}", "Give one of the stations of that circle a length of service, or a way out.",
    )  # fmt: skip


def _result(plan: _Plan, recorded: Sequence[Recorded], week: Floats) -> Result:
    started = plan.start.at if plan.start else datetime.combine(plan.network.starts, time())
    return Result(
        plan.network,
        plan.seed,
        started,
        plan.hours - plan.warm_hours - plan.first_hour,
        plan.periods,
        plan.antithetic,
        tuple(recorded),
        week / max(len(recorded), 1),
    )


__all__ = ["SEED", "Precision", "Start", "names_of", "run"]
