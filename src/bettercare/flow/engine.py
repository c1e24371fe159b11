"""The event engine: one replication of a compiled network, advanced event by event.

A binary heap holds what will happen next: arrivals, ends of service, discharge times, ends of patience, and the turn of
each hour. Patients live in slots that are used again. A patient who waits stands in the line of each station they would go
to; one who is done and finds no room stays in their place and stands in the same lines (blocking). When a place becomes
free the best in its line takes it, which may free another place, and so on; that chain is followed with a small stack.

Every random number is a hash of the run's key, the stream, the patient's number in it, the station, the visit and what it is
for. So it does not matter in which order things happen: the same patient has the same luck in every scenario.

The kernel can stop after any event and go on later. It stops by itself when an array is full (it is then made larger
outside), when the log is to be emptied, and when it is stuck, so that nothing can hang.

It is written for speed where it is hot: arrays are flat, with rows of 2, 4, 8 or 16, and are read through unsigned
positions (``U``), which spares the code for counting from the end; what stands over time is added up by adding what is left of
the period when somebody comes and taking it off again when they go.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import llvmlite.ir
import numba
import numba.extending
import numpy as np

from bettercare.flow.compiled import EVEN, FIRST_WITH_ROOM, FIXED, RENEWAL, TABLE, UNIFORM, Floats, Ints, Program
from bettercare.flow.distributions import BODY, CELLS, DEEPEST, TAIL, TAIL_CELLS

Keys = np.ndarray[Any, np.dtype[np.uint64]]

# Why the kernel stopped.
FINISHED, FULL, LOG_FULL, STUCK, DEADLOCKED, CROWDED, PAUSED = range(7)
# Kinds of event on the calendar.
_ARRIVAL, _DONE, _GO, _GIVE_UP, _HOUR = range(5)
# What a patient is doing.
NOWHERE, WAITING, IN_SERVICE, READY, HELD = range(5)
# Steps of one event.
_MOVE, _ENTER, _ROUTE, _NEXT = range(4)
# Events of the log.
ARRIVES, WAITS, STARTS, IS_DONE, IS_HELD, LEAVES, IS_OUT, IS_TURNED_AWAY, GIVES_UP, IS_PREEMPTED = range(10)
LOG_EVENTS = ("arrives", "waits", "starts", "done", "held", "leaves", "out", "turned away", "gives up", "preempted")
# Columns of State.counts; LINED is how many stand in its lines, wherever they are, EXTRA what escalations have opened.
BUSY, WAIT, HOLD, AWAIT, SERVERS, ADDED, LINED, EXTRA = range(8)
# Columns of State.station.
(
    BUSY_HOURS,
    WAIT_HOURS,
    HELD_HOURS,
    READY_HOURS,
    SERVER_HOURS,
    FULL_TIMES,
    TIMES,
    TURNED,
    GAVE_UP,
    PREEMPTED,
    HELD_N,
    HELD_FOR,
) = range(12)
# Columns of State.by_class.
JOINED, SERVED, WAIT_SUM, WAIT_N, STAY_SUM, CLASS_HELD = range(6)
# Columns of State.who and State.when.
CLASS, AT, STATE, TO, STAMP, CLOCKS, NUMBER = range(7)
_CAME, _BEGAN, _SINCE, _UNTIL, _LEFT = range(5)
# Columns of State.num.
(
    _HEAP,
    FREE,
    _PERIOD,
    LOGGED,
    _STEP,
    _INITIAL,
    _SAME,
    TRAP,
    MIRROR,
    _FIRST_PERIOD,
    INSIDE,
    EVENTS,
    _WARM,
    _STACK,
    _MOST,
    _TRAPPED,
) = range(16)
# Columns of State.real.
NOW, UNTIL, PERIOD_END = range(3)
# Columns of Program.of_station and Program.of_class.
_QUEUE, _HOLDS, _IF_FULL, _IF_CLOSED, _PREEMPTS, _LEAVES_ON = range(6)
_SERVICE, _PATIENCE, _PATIENCE_TO, _FIRST_ROUTE, _LAST_ROUTE, _WINDOW = range(6)
# Columns of State.escalation and State.escalated.
ON, TOO_MANY = range(2)
ON_HOURS, BEGUN = range(2)

BINS = 338
"""Bins of a histogram of times: none, then 16 to each doubling from half a minute to two and a half years."""
_LOWEST = 2.0**-7
_FIRST_BIN = (1023 - 7) * 16 - 1
_MARGIN = 64
_MIX_A = np.uint64(0xBF58476D1CE4E5B9)
_MIX_B = np.uint64(0x94D049BB133111EB)
_VISIT = np.uint64(0x9E3779B97F4A7C15)
_PURPOSE = np.uint64(0xD6E8FEB86659FD93)
_U30, _U27, _U31, _U11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_FOR_SERVICE, _FOR_WAY, _FOR_PATIENCE, _FOR_LEAVING = np.uint64(1), np.uint64(2), np.uint64(3), np.uint64(16)
_FOR_DIVERT = np.uint64(4)
_LONG_TRAPPED = 14 * 24
"""Hours after which no escalation that is off will break a circle of places kept: none takes over a week to begin."""
_MOST_SAME = 200_000
"""Events at one moment that nothing can explain but patients going round in no time."""

U = np.uint64
Function = TypeVar("Function", bound=Callable[..., Any])
_numba: Any = numba
_ir: Any = llvmlite.ir


def _inlined(function: Function) -> Function:
    """Compiled into whatever calls it. Nothing here makes an array, so references to arrays are not counted."""
    made: Function = _numba.njit(forceinline=True, cache=True, error_model="numpy", _nrt=False)(function)
    return made


def _called(function: Function) -> Function:
    """Compiled, called, and run without Python's lock."""
    made: Function = _numba.njit(nogil=True, cache=True, error_model="numpy", _nrt=False)(function)
    return made


class State(NamedTuple):
    """What the engine writes. S stations, C classes, L priorities, K clocks, O outcomes, W stations of the largest choice."""

    real: Floats  # [3]
    num: Ints  # [16]
    heap_time: Floats
    heap_what: Ints  # kind, stamp and slot in one
    free: Ints  # slots nobody is in
    counts: Ints  # [S, 8]
    head: Ints  # [S, 2, L] lines: those who wait, those who wait in another place
    tail: Ints
    after: Ints  # [slots * W] the next in a line
    before: Ints
    line: Ints  # [slots * W] which line, or -1
    serving_head: Ints  # [S, L] in service, at stations that preempt
    serving_tail: Ints
    serving_after: Ints  # [slots]
    serving_before: Ints
    stack: Ints  # [S] stations where a place may have become free
    stacked: Ints  # [S]
    alive: np.ndarray[Any, np.dtype[np.bool_]]  # [S] scratch of the search for a deadlock
    who: Ints  # [slots, 8] class, station, state, where they wait to go, stamp, running clocks, number
    when: Floats  # [slots, 8] came, began, done or held since, will be done, hours of service left (or -1)
    key: Keys  # [slots, 2] the patient's, the visit's
    visits: np.ndarray[Any, np.dtype[np.uint32]]  # [slots, S]
    clock_start: Floats  # [slots, K]
    clock_of: Ints  # [slots, K] class when the clock started
    comes: Floats  # [A] when the next of each stream comes
    stream: Ints  # [A, 2] patients so far, day of the factor
    stream_factor: Floats  # [A]
    stream_key: Keys  # [A, 2] for the gaps, for the patients
    day_rates: Floats  # [A, days] or [A, 0]
    initial: Ints  # [patients at the start, 4] station, class, state, where they wait to go (-1: as usual)
    initial_time: (
        Floats  # [.., 3] hours since, hours left (-1: from the distribution), share that stay longer than since
    )
    station: Floats  # [periods, S, 16]
    by_class: Floats  # [periods, S, C, 8]
    wait_bins: Floats  # [S, B]
    clock: Floats  # [periods, K, C, 2]
    over: Floats  # [periods, targets, C]
    clock_bins: Floats  # [K, C, B]
    left: Floats  # [periods, O, C]
    escalation: Ints  # [E, 2] on or not, turns of the hour so far with too many waiting
    escalated: Floats  # [periods, E, 2] hours on, times begun
    week: Floats  # [168, S, 4] occupied, waiting, held, servers at the turn of the hour
    times: Floats  # [168] how often each hour of the week came
    trace: np.ndarray[Any, np.dtype[np.int32]]  # [hours, S, 3] or [0, S, 3]
    log_time: Floats
    log_what: Ints  # [.., 4] number, event, at, class


@_inlined
def _mixed(x: Any) -> Any:
    x ^= x >> _U30
    x *= _MIX_A
    x ^= x >> _U27
    x *= _MIX_B
    return x ^ (x >> _U31)


@_inlined
def _uniform(x: Any, mirror: Any) -> Any:
    """In (0, 1), never an end."""
    u = (float(np.int64(_mixed(x) >> _U11)) + 0.5) * (1.0 / 9007199254740992.0)
    return 1.0 - u if mirror else u


@_inlined
def _length(d: Any, longer: Any, kinds: Any, figures: Any, tables: Any) -> Any:
    """Hours, from the share of lengths that are longer, in (0, 1)."""
    first = kinds[U(d * 2 + 1)]
    kind = kinds[U(d * 2)]
    if kind == TABLE:
        at = (1.0 - longer) * CELLS
        i = int(at)
        if i >= BODY:
            at = (-math.log(longer) - TAIL) * (TAIL_CELLS / (DEEPEST - TAIL))
            i = max(min(int(at), TAIL_CELLS - 1), 0)
            at -= i
            i += BODY + 1
        else:
            at -= i
        low = tables[U(first + i)]
        x = low + (tables[U(first + i + 1)] - low) * at
    elif kind == FIXED:
        x = figures[U(d * 4)]
    elif kind == UNIFORM:
        x = figures[U(d * 4)] + figures[U(d * 4 + 1)] * (1.0 - longer)
    else:
        n, low_i = int(figures[U(d * 4)]), 0
        high_i = n - 1
        while low_i < high_i:
            middle = (low_i + high_i) // 2
            if tables[first + middle] < 1.0 - longer:
                low_i = middle + 1
            else:
                high_i = middle
        x = tables[first + n + low_i]
    return min(x, figures[U(d * 4 + 2)])


def _bits_of(_: Any, number: Any) -> Any:
    def code(__: Any, builder: Any, ___: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], _ir.IntType(64))

    return _numba.types.int64(_numba.types.float64), code


_bits: Any = _numba.extending.intrinsic(_bits_of)
"""The 64 bits of a float, as an integer."""


@_inlined
def _bin(hours: Any) -> Any:
    """The exponent and the first four binary places are the number of the bin."""
    if hours < _LOWEST:
        return 0
    return min((_bits(hours) >> 48) - _FIRST_BIN, BINS - 1)


@_called
def _normal(u: Any) -> Any:
    """The quantile of the standard normal, by Newton's method on its distribution function."""
    x = 0.0
    for _ in range(60):
        error = 0.5 * math.erfc(-x / math.sqrt(2.0)) - u
        step = error * math.sqrt(2.0 * math.pi) * math.exp(0.5 * x * x)
        step = min(max(step, -1.0), 1.0)
        x -= step
        if abs(step) < 1e-12:
            break
    return x


@_called
def month_of(day: Any) -> Any:
    """Months since the year 0 of a day counted from 1970-01-01 (proleptic Gregorian calendar, years from March)."""
    z = day + 719468
    era = z // 146097
    of_era = z - era * 146097
    year = (of_era - of_era // 1460 + of_era // 36524 - of_era // 146096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 2 if shifted < 10 else shifted - 10
    return (year + era * 400 + (1 if month < 2 else 0)) * 12 + month


@_called
def _period_end(hour: Any, first_day: Any, until: Any) -> Any:
    """The hour at which the month of an hour ends, or the run."""
    day = first_day + hour // 24
    month = month_of(day)
    while month_of(day) == month:
        day += 1
    return min(until, (day - first_day) * 24.0)


@_inlined
def _push(time: Any, what: Any, n: Any, heap_time: Any, heap_what: Any) -> Any:
    """Add an event to the heap, in which each has four below it; returns the new size."""
    i = n
    while i > 0:
        parent = (i - 1) >> 2
        if heap_time[U(parent)] <= time:
            break
        heap_time[U(i)], heap_what[U(i)] = heap_time[U(parent)], heap_what[U(parent)]
        i = parent
    heap_time[U(i)], heap_what[U(i)] = time, what
    return n + 1


@_inlined
def _replace(time: Any, what: Any, n: Any, heap_time: Any, heap_what: Any) -> Any:
    """Put an event in the place of the first, which has been taken: half the work of removing one and adding another.
    Behind the last event the times are infinite, so that the four below need not be counted."""
    i, child = 0, 1
    while child < n:
        a = child + int(heap_time[U(child + 1)] < heap_time[U(child)])
        b = child + 2 + int(heap_time[U(child + 3)] < heap_time[U(child + 2)])
        child = b if heap_time[U(b)] < heap_time[U(a)] else a
        if heap_time[U(child)] >= time:
            break
        heap_time[U(i)], heap_what[U(i)] = heap_time[U(child)], heap_what[U(child)]
        i = child
        child = 4 * i + 1
    heap_time[U(i)], heap_what[U(i)] = time, what


@_inlined
def _pull(n: Any, heap_time: Any, heap_what: Any) -> Any:
    """Remove the first event; returns the new size."""
    n -= 1
    time, what = heap_time[U(n)], heap_what[U(n)]
    heap_time[U(n)] = np.inf
    if n > 0:
        _replace(time, what, n, heap_time, heap_what)
    return n


@_inlined
def _append(node: Any, line: Any, head: Any, tail: Any, after: Any, before: Any) -> Any:
    """Put a node at the end of a line; lines are numbered flat."""
    end = tail[U(line)]
    before[U(node)], after[U(node)] = end, -1
    tail[U(line)] = node
    if end >= 0:
        after[U(end)] = node
    else:
        head[U(line)] = node


@_inlined
def _take_out(node: Any, line: Any, head: Any, tail: Any, after: Any, before: Any) -> Any:
    """Take a node out of the line it stands in."""
    a, b = after[U(node)], before[U(node)]
    if b >= 0:
        after[U(b)] = a
    else:
        head[U(line)] = a
    if a >= 0:
        before[U(a)] = b
    else:
        tail[U(line)] = b


@_inlined
def _join(node: Any, line: Any, in_front: Any, head: Any, tail: Any, after: Any, before: Any, lines: Any) -> Any:
    """Let a node wait at the end (or the front) of a line."""
    lines[U(node)] = line
    if in_front:
        first = head[U(line)]
        before[U(node)], after[U(node)] = -1, first
        head[U(line)] = node
        if first >= 0:
            before[U(first)] = node
        else:
            tail[U(line)] = node
    else:
        _append(node, line, head, tail, after, before)


@_inlined
def _quit(node: Any, lines_each: Any, count: Any, head: Any, tail: Any, after: Any, before: Any, lines: Any) -> Any:
    """Take a node out of the line it waits in, if any; ``lines_each`` is how many lines a station has."""
    line = lines[U(node)]
    if line >= 0:
        lines[U(node)] = -1
        count[U((line // lines_each) * 8 + LINED)] -= 1
        _take_out(node, line, head, tail, after, before)


@_inlined
def _look_at(station: Any, n: Any, stack: Any, stacked: Any) -> Any:
    """Put a station on the stack, unless it is there; returns how many are."""
    if stacked[U(station)]:
        return n
    stacked[U(station)] = 1
    stack[U(n)] = station
    return n + 1


@_inlined
def _change_clocks(
    p: Any, running: Any, mask: Any, now: Any, c: Any, C: Any, K: Any, T: Any, period: Any, start: Any, start_class: Any,
    counts: Any, clock: Any, bins: Any, first: Any, targets: Any, over: Any,
) -> Any:  # fmt: skip
    """Stop the clocks that do not run at a place (``mask``) and start those that do; returns which run."""
    changed, k = running ^ mask, -1
    while changed:
        k += 1
        if not changed & 1:
            changed >>= 1
            continue
        changed >>= 1
        if (running >> k) & 1:
            x = now - start[U(p * K + k)]
            j = start_class[U(p * K + k)]
            clock[U(((period * K + k) * C + j) * 2)] += 1.0
            clock[U(((period * K + k) * C + j) * 2 + 1)] += x
            bins[U((k * C + j) * BINS + _bin(x))] += 1.0
            for i in range(first[k], first[k + 1]):
                if x > targets[i]:
                    over[U((period * T + i) * C + j)] += 1.0
            running ^= 1 << k
        elif counts[k, c]:
            start[U(p * K + k)], start_class[U(p * K + k)] = now, c
            running |= 1 << k
    return running


@_inlined
def _logged(n: Any, now: Any, number: Any, event: Any, at: Any, patient: Any, log_time: Any, log_what: Any) -> Any:
    """Write an event to the log; returns the number of rows."""
    log_time[n] = now
    log_what[n * 4], log_what[n * 4 + 1], log_what[n * 4 + 2], log_what[n * 4 + 3] = number, event, at, patient
    return n + 1


@_called
def _variation(day: Any, key: Any, sigma: Any, mirror: Any) -> Any:
    """A day's own luck, lognormal with mean 1."""
    return math.exp(sigma * _normal(_uniform(_mixed(key) + U(day) * _PURPOSE, mirror)) - 0.5 * sigma * sigma)


@_inlined
def _next_arrival(
    a: Any, now: Any, mirror: Any, until: Any, first_how: Any, first_day: Any, stream: Any, factor: Any, day_rates: Any, keys: Any,
    kinds: Any, rates: Any, week: Any, months: Any, varies: Any, time: Any, time_kind: Any, time_figures: Any, tables: Any,
) -> Any:  # fmt: skip
    """When the next of a stream comes, or infinity: the hours' rates are used up until a unit exponential (or, when
    spread evenly, one patient) is spent. Arrays one by one, because a tuple of them costs more to pass than the work."""
    number = stream[U(a * 2)]
    u = _uniform(keys[U(a * 2)] + U(number) * _VISIT, mirror)
    if kinds[U(a)] == RENEWAL:
        return now + _length(time[a], u, time_kind, time_figures, tables)
    left = _length(0, u, time_kind, time_figures, tables)
    if kinds[U(a)] == EVEN:
        left = u if number == 0 else 1.0
    hour = int(now)
    x = now
    while hour <= until:
        day = hour // 24
        if stream[U(a * 2 + 1)] != day:
            # What a day's rate is multiplied by: month, day-to-day variation, and a forecast's path.
            stream[U(a * 2 + 1)] = day
            factor[a] = months[a, month_of(first_day + day) % 12]
            if varies[a] > 0.0:
                factor[a] *= _variation(day, keys[U(a * 2)] ^ _MIX_A, varies[a], mirror)
            if day_rates.shape[1] > 0:
                factor[a] *= day_rates[a, min(day, day_rates.shape[1] - 1)]
        rate = rates[U(a)] * week[U(a * 168 + (first_how + hour) % 168)] * factor[U(a)]
        room = (hour + 1 - x) * rate
        if room >= left and rate > 0.0:
            return x + left / rate
        left -= room
        hour += 1
        x = float(hour)
    return np.inf


@_called
def _goes_at(now: Any, profile: Any, key: Any, first_day: Any, chances: Any, hours: Any, mirror: Any) -> Any:
    """The next discharge time of one who is done."""
    day = int(now // 24)
    for k in range(90):
        weekday = (first_day + day + k + 3) % 7
        if _uniform(key + (_FOR_LEAVING + U(2 * k)) * _PURPOSE, mirror) < chances[profile, weekday]:
            u = _uniform(key + (_FOR_LEAVING + U(2 * k + 1)) * _PURPOSE, mirror)
            hour = 0
            while hour < 23 and hours[profile, hour] <= u:
                hour += 1
            below = hours[profile, hour - 1] if hour > 0 else 0.0
            width = hours[profile, hour] - below
            at = (day + k) * 24.0 + hour + (min((u - below) / width, 1.0) if width > 0.0 else 0.0)
            if at >= now:
                return at
    return now


@_called
def _deadlocked(
    who: Any, count: Any, alive: Any, most: Any, most_extra: Any, all_extra: Any, choice_first: Any, choice_of: Any
) -> Any:
    """A station whose patients wait for each other for ever, or -1. Those that some patient can leave, or that have or will
    have a place (with what all escalations may open, or only what is open), are crossed out until nothing changes; whoever is
    left waits only for others that are left."""
    S = most.shape[0]
    for s in range(S):
        places = most[s] + (most_extra[s] if all_extra else count[s * 8 + EXTRA])
        alive[s] = count[s * 8 + BUSY] < places or count[s * 8 + HOLD] < count[s * 8 + BUSY]
    again = True
    while again:
        again = False
        for p in range(who.shape[0] // 8):
            if who[p * 8 + STATE] == HELD and not alive[who[p * 8 + AT]]:
                to = who[p * 8 + TO]
                if to < S:
                    if alive[to]:
                        alive[who[p * 8 + AT]] = True
                        again = True
                else:
                    for i in range(choice_first[to - S], choice_first[to - S + 1]):
                        if alive[choice_of[i]]:
                            alive[who[p * 8 + AT]] = True
                            again = True
    for s in range(S):
        if not alive[s] and count[s * 8 + HOLD] > 0:
            return s
    return -1


@_called
def _begin(run_key: Any, P: Any, F: Any, stream: Any, keys: Any) -> Any:
    now = F.real[NOW]
    first_how = ((P.first_day + 3) % 7) * 24
    hour = int(now)
    warm = F.num[_WARM]
    F.real[PERIOD_END] = float(warm) if warm > 0 else _period_end(hour, P.first_day, F.real[UNTIL])
    while F.num[_STEP] < P.step_hour.shape[0] and P.step_hour[F.num[_STEP]] <= hour:
        F.counts[P.step_station[F.num[_STEP]], ADDED] += P.step_servers[F.num[_STEP]]
        F.num[_STEP] += 1
    for s in range(P.most.shape[0]):
        F.counts[s, SERVERS] = max(P.servers[s, (first_how + hour) % 168] + F.counts[s, ADDED], 0)
        F.station[0, s, SERVER_HOURS] = (F.real[PERIOD_END] - now) * F.counts[s, SERVERS]
    for a in range(P.stream_to.shape[0]):
        keys[a * 2] = _mixed(run_key ^ P.stream_key[a])
        keys[a * 2 + 1] = _mixed(run_key + P.stream_key[a] * _MIX_B)
        stream[a * 2 + 1] = -1
        F.comes[a] = _next_arrival(
            a, now, F.num[MIRROR], F.real[UNTIL], first_how, P.first_day, stream, F.stream_factor, F.day_rates, keys,
            P.stream_kind, P.stream_rate, P.stream_week, P.stream_month, P.stream_varies, P.stream_time,
            P.time_kind, P.time_figures, P.tables,
        )  # fmt: skip
        stream[a * 2] = 1
    F.num[_HEAP] = _push(math.ceil(now), _HOUR, F.num[_HEAP], F.heap_time, F.heap_what)
    F.num[_FIRST_PERIOD] = month_of(P.first_day + warm // 24)


def begin(run_key: np.uint64, program: Program, state: State) -> None:
    """Draw the first arrival of each stream, and put the first turn of the hour on the calendar."""
    _begin(run_key, program, state, state.stream.reshape(-1), state.stream_key.reshape(-1))


def advance(run_key: np.uint64, program: Program, state: State, most_events: int) -> int:
    """Take events until the end, at most ``most_events`` of them; returns why it stopped (FINISHED, PAUSED, FULL ...)."""
    flat = state._replace(**{name: getattr(state, name).reshape(-1) for name in _FLAT})
    log = (flat.log_time, flat.log_what) if len(flat.log_time) else None
    return int(_advance(run_key, program, flat, most_events, log))


_FLAT = {
    "counts", "head", "tail", "serving_head", "serving_tail", "who", "when", "key", "visits", "clock_start", "clock_of", "station",
    "escalation", "escalated", "stream", "stream_key", "by_class", "wait_bins", "clock", "over", "clock_bins", "left", "week", "log_what",
}  # fmt: skip


@_called
def _advance(run_key: Any, P: Any, F: Any, most_events: Any, log: Any) -> Any:
    # Without a log the kernel is compiled without what writes one.
    if log is not None:
        log_time, log_what = log
    # Everything the loop touches is a local name.
    real, num, heap_time, heap_what, free = F.real, F.num, F.heap_time, F.heap_what, F.free
    count, who, when, keys, visits = F.counts, F.who, F.when, F.key, F.visits
    head, tail, after, before, lines = F.head, F.tail, F.after, F.before, F.line
    serving_head, serving_tail, serving_after, serving_before = (
        F.serving_head,
        F.serving_tail,
        F.serving_after,
        F.serving_before,
    )
    stack, stacked, alive = F.stack, F.stacked, F.alive
    clock_start, clock_of = F.clock_start, F.clock_of
    comes, stream, stream_factor, stream_key_now, day_rates = (
        F.comes,
        F.stream,
        F.stream_factor,
        F.stream_key,
        F.day_rates,
    )
    A = comes.shape[0]
    initial, initial_time = F.initial, F.initial_time
    station, by_class, wait_bins = F.station, F.by_class, F.wait_bins
    clock, over, clock_bins, left_by = F.clock, F.over, F.clock_bins, F.left
    week, times, trace = F.week, F.times, F.trace
    escalation, escalated = F.escalation, F.escalated
    station_key, servers_at, most, most_extra = P.station_key, P.servers, P.most, P.most_extra
    step_hour, step_station, step_servers = P.step_hour, P.step_station, P.step_servers
    of_station, of_class, of_route, level = P.of_station, P.of_class, P.of_route, P.level
    leave_day, leave_hour, window = P.leave_day, P.leave_hour, P.window
    block_first, route_share = P.block_first, P.route_share
    choice_first, choice_by, choice_of = P.choice_first, P.choice_by, P.choice_of
    stream_class, stream_to, stream_kind, stream_rate = P.stream_class, P.stream_to, P.stream_kind, P.stream_rate
    stream_week, stream_month, stream_varies, stream_time = (
        P.stream_week,
        P.stream_month,
        P.stream_varies,
        P.stream_time,
    )
    time_kind, time_figures, tables = P.time_kind, P.time_figures, P.tables
    watched, extra, divert_first, of_divert, divert_share = (
        P.escalation,
        P.extra,
        P.divert_first,
        P.of_divert,
        P.divert_share,
    )
    clock_mask, clock_class, clock_first, clock_target = P.clock_mask, P.clock_class, P.clock_first, P.clock_target
    first_day, W, revisits = P.first_day, P.widest, P.revisits
    S, C, CH, E = most.shape[0], level.shape[0], choice_by.shape[0], watched.shape[0] // 4
    K, T, outcomes = clock_first.shape[0] - 1, clock_target.shape[0], P.outcomes
    L = head.shape[0] // (2 * S)
    until, warm, mirror = real[UNTIL], num[_WARM], num[MIRROR]
    tracing = trace.shape[0] > 0
    first_how = ((first_day + 3) % 7) * 24
    n_heap, n_free, period, n_log, inside, events, n_stack = (
        num[_HEAP], num[FREE], num[_PERIOD], num[LOGGED], num[INSIDE], num[EVENTS], num[_STACK],
    )  # fmt: skip
    now, ends, same = real[NOW], real[PERIOD_END], num[_SAME]
    heap_limit = heap_time.shape[0] - _MARGIN - 2 * S
    n_initial = initial.shape[0]
    of_period, of_classes = period * S * 16, period * S * C * 8
    taken, status = 0, FINISHED
    # The first of the heap has been taken and is still there: it is before all others, so the heap is in order.
    hole = False
    soonest, coming = np.inf, 0
    for a in range(A):
        if comes[a] < soonest:
            soonest, coming = comes[a], a

    while True:
        if hole:
            n_heap = _pull(n_heap, heap_time, heap_what)
            hole = False
        if taken >= most_events:
            status = PAUSED
            break
        if n_free < 2 or n_heap > heap_limit:
            status = FULL
            break
        if log is not None:  # noqa: SIM102 - only so alone is it left out of what is compiled
            if n_log > log_time.shape[0] - 8 * (S + _MARGIN):
                status = LOG_FULL
                break
        p, s, target, frm, step = 0, 0, 0, -1, _NEXT
        if num[_INITIAL] < n_initial:
            # Somebody who is in the network when the run begins.
            i = num[_INITIAL]
            num[_INITIAL] += 1
            n_free -= 1
            p = free[n_free]
            inside += 1
            s = initial[i, 0]
            c = initial[i, 1]
            who[p * 8 + CLASS], who[p * 8 + AT], who[p * 8 + STATE] = c, s, NOWHERE
            who[p * 8 + STAMP] += 1
            who[p * 8 + NUMBER] = -1 - i
            keys[p * 2] = _mixed(_mixed(run_key + U(0x2545F4914F6CDD1D)) + U(i) * _VISIT)
            for j in range(S):
                visits[p * S + j] = 0
            since = now - initial_time[i, 0]
            when[p * 8 + _CAME], when[p * 8 + _BEGAN], when[p * 8 + _SINCE], when[p * 8 + _LEFT] = (
                since,
                since,
                now,
                -1.0,
            )
            who[p * 8 + CLOCKS] = 0
            for k in range(K):
                if (clock_mask[s] >> k) & 1 and clock_class[k, c]:
                    who[p * 8 + CLOCKS] |= 1 << k
                    clock_start[p * K + k], clock_of[p * K + k] = since, c
            if initial[i, 2] == WAITING:
                target, step = s, _MOVE
            else:
                # They have their place, whatever the servers say.
                visits[p * S + s] = 1
                count[s * 8 + BUSY] += 1
                station[of_period + s * 16 + BUSY_HOURS] += ends - now
                keys[p * 2 + 1] = _mixed(keys[p * 2] + station_key[s] + _VISIT)
                d = of_class[(s * C + c) * 8 + _SERVICE]
                if initial[i, 2] == IN_SERVICE:
                    x = initial_time[i, 1]
                    if x < 0.0 and d >= 0:
                        longer = initial_time[i, 2] * _uniform(keys[p * 2 + 1] + _FOR_SERVICE * _PURPOSE, mirror)
                        x = _length(d, max(longer, 1e-300), time_kind, time_figures, tables) - initial_time[i, 0]
                    x = max(x, 0.0)
                    who[p * 8 + STATE] = IN_SERVICE
                    when[p * 8 + _UNTIL] = now + x
                    if of_station[s * 8 + _PREEMPTS]:
                        lv = level[c]
                        _append(p, s * L + lv, serving_head, serving_tail, serving_after, serving_before)
                    n_heap = _push(
                        now + x, (((who[p * 8 + STAMP] << 24) | p) << 3) | _DONE, n_heap, heap_time, heap_what
                    )
                else:
                    frm = s
                    at = now
                    if initial_time[i, 1] >= 0.0:
                        at = now + initial_time[i, 1]
                    elif initial[i, 3] < 0 and of_station[s * 8 + _LEAVES_ON] >= 0:
                        at = _goes_at(
                            now,
                            of_station[s * 8 + _LEAVES_ON],
                            keys[p * 2 + 1],
                            first_day,
                            leave_day,
                            leave_hour,
                            mirror,
                        )
                    if initial[i, 3] >= 0:
                        target, step = initial[i, 3], _MOVE
                    elif at > now:
                        who[p * 8 + STATE] = READY
                        count[s * 8 + AWAIT] += 1
                        station[of_period + s * 16 + READY_HOURS] += ends - now
                        n_heap = _push(at, (((who[p * 8 + STAMP] << 24) | p) << 3) | _GO, n_heap, heap_time, heap_what)
                    else:
                        step = _ROUTE
        else:
            # Streams are few: the soonest is looked for among them, and the heap holds only what happens to those who are here.
            if soonest <= heap_time[0]:
                t, kind, what = soonest, _ARRIVAL, coming
            else:
                t, what = heap_time[0], heap_what[0]
                kind = what & 7
                what >>= 3
                hole = True
            if t > until:
                hole = False
                break
            if t > now:
                same = 0
            else:
                same += 1
                if same > _MOST_SAME + 4 * inside:
                    status = STUCK
                    break
            now = t
            if kind == _DONE:
                p = what & 0xFFFFFF
                p8 = p * 8
                if who[U(p8 + STAMP)] != what >> 24:
                    continue
                s = who[U(p8 + AT)]
                c = who[U(p8 + CLASS)]
                if of_station[U(s * 8 + _PREEMPTS)]:
                    lv = level[c]
                    _take_out(p, s * L + lv, serving_head, serving_tail, serving_after, serving_before)
                if log is not None:
                    n_log = _logged(n_log, now, who[p8 + NUMBER], IS_DONE, s, c, log_time, log_what)
                frm, step = s, _ROUTE
                if of_station[U(s * 8 + _LEAVES_ON)] >= 0:
                    at = _goes_at(
                        now, of_station[s * 8 + _LEAVES_ON], keys[p * 2 + 1], first_day, leave_day, leave_hour, mirror
                    )
                    if at > now:
                        who[p8 + STATE] = READY
                        who[p8 + STAMP] += 1
                        count[s * 8 + AWAIT] += 1
                        station[of_period + s * 16 + READY_HOURS] += ends - now
                        n_heap = _push(at, (((who[p8 + STAMP] << 24) | p) << 3) | _GO, n_heap, heap_time, heap_what)
                        step = _NEXT
            elif kind == _ARRIVAL:
                a = what
                n_free -= 1
                p = free[U(n_free)]
                p8 = p * 8
                inside += 1
                number = stream[U(a * 2)]
                who[U(p8 + CLASS)], who[U(p8 + AT)], who[U(p8 + STATE)] = stream_class[U(a)], 0, NOWHERE
                who[U(p8 + STAMP)] += 1
                who[U(p8 + CLOCKS)] = 0
                who[U(p8 + NUMBER)] = (a << 40) | number
                keys[U(p * 2)] = _mixed(stream_key_now[U(a * 2 + 1)] + U(number) * _VISIT)
                if revisits:
                    for j in range(S):
                        visits[U(p * S + j)] = 0
                when[U(p8 + _LEFT)] = -1.0
                target, step = stream_to[U(a)], _MOVE
                if E > 0:
                    i, end = divert_first[a], divert_first[a + 1]
                    if i < end:
                        u = _uniform(keys[p * 2] + _FOR_DIVERT * _PURPOSE, mirror)
                        while i < end:
                            if escalation[of_divert[i * 2] * 2 + ON]:
                                u -= divert_share[i]
                                if u < 0.0:
                                    target = of_divert[i * 2 + 1]
                                    break
                            i += 1
                comes[U(a)] = _next_arrival(
                    a, now, mirror, until, first_how, first_day, stream, stream_factor, day_rates, stream_key_now, stream_kind, stream_rate,
                    stream_week, stream_month, stream_varies, stream_time, time_kind, time_figures, tables,
                )  # fmt: skip
                stream[U(a * 2)] = number + 1
                soonest = np.inf
                for j in range(A):
                    if comes[U(j)] < soonest:
                        soonest, coming = comes[U(j)], j
                if log is not None:
                    n_log = _logged(n_log, now, who[p8 + NUMBER], ARRIVES, target, who[p8 + CLASS], log_time, log_what)
            elif kind == _GO:
                p = what & 0xFFFFFF
                if who[p * 8 + STAMP] != what >> 24:
                    continue
                s = who[p * 8 + AT]
                count[s * 8 + AWAIT] -= 1
                station[of_period + s * 16 + READY_HOURS] -= ends - now
                who[p * 8 + STATE] = NOWHERE
                frm, step = s, _ROUTE
            elif kind == _GIVE_UP:
                p = what & 0xFFFFFF
                if who[p * 8 + STAMP] != what >> 24:
                    continue
                s = who[p * 8 + AT]
                who[p * 8 + STAMP] += 1
                for j in range(W):
                    _quit(p * W + j, 2 * L, count, head, tail, after, before, lines)
                count[s * 8 + WAIT] -= 1
                station[of_period + s * 16 + WAIT_HOURS] -= ends - now
                station[of_period + s * 16 + GAVE_UP] += 1.0
                who[p * 8 + STATE] = NOWHERE
                if log is not None:
                    n_log = _logged(
                        n_log, now, who[p * 8 + NUMBER], GIVES_UP, s, who[p * 8 + CLASS], log_time, log_what
                    )
                if count[s * 8 + LINED] > 0:
                    n_stack = _look_at(s, n_stack, stack, stacked)
                target, step = of_class[(s * C + who[p * 8 + CLASS]) * 8 + _PATIENCE_TO], _MOVE
            else:
                # The turn of an hour: months end, shifts change, what stands is counted.
                hour = int(now)
                how = (first_how + hour) % 168
                if now >= ends and now < until:
                    if hour == warm:
                        # Warm-up is over: what was counted is dropped, who is inside stays.
                        station[:] = 0.0
                        by_class[:] = 0.0
                        wait_bins[:] = 0.0
                        clock[:] = 0.0
                        over[:] = 0.0
                        clock_bins[:] = 0.0
                        left_by[:] = 0.0
                        escalated[:] = 0.0
                        week[:] = 0.0
                        times[:] = 0.0
                    period = month_of(first_day + hour // 24) - num[_FIRST_PERIOD]
                    of_period, of_classes = period * S * 16, period * S * C * 8
                    ends = _period_end(hour, first_day, until)
                    for i in range(S):
                        j = of_period + i * 16
                        station[j + BUSY_HOURS] += count[i * 8 + BUSY] * (ends - now)
                        station[j + WAIT_HOURS] += count[i * 8 + WAIT] * (ends - now)
                        station[j + HELD_HOURS] += count[i * 8 + HOLD] * (ends - now)
                        station[j + READY_HOURS] += count[i * 8 + AWAIT] * (ends - now)
                        station[j + SERVER_HOURS] += count[i * 8 + SERVERS] * (ends - now)
                while num[_STEP] < step_hour.shape[0] and step_hour[num[_STEP]] <= hour:
                    count[step_station[num[_STEP]] * 8 + ADDED] += step_servers[num[_STEP]]
                    num[_STEP] += 1
                for e in range(E if now < until else 0):
                    i, j = e * 4, (period * E + e) * 2
                    s = watched[i]
                    ordinary = max(servers_at[s, how] + count[s * 8 + ADDED], 0)
                    beyond = count[s * 8 + BUSY] + count[s * 8 + LINED] - ordinary
                    change = 0
                    if escalation[e * 2 + ON]:
                        if beyond <= watched[i + 2]:
                            change = -1
                    elif beyond < watched[i + 1]:
                        escalation[e * 2 + TOO_MANY] = 0
                    else:
                        escalation[e * 2 + TOO_MANY] += 1
                        if escalation[e * 2 + TOO_MANY] > watched[i + 3]:
                            change = 1
                            escalated[j + BEGUN] += 1.0
                    if change != 0:
                        escalation[e * 2 + ON] += change
                        escalation[e * 2 + TOO_MANY] = 0
                        for i in range(0, extra.shape[0], 3):
                            if extra[i] == e:
                                count[extra[i + 1] * 8 + EXTRA] += change * extra[i + 2]
                    escalated[j + ON_HOURS] += escalation[e * 2 + ON] * min(until - now, 1.0)
                held_fast = False
                kept = tracing and hour >= warm and hour - warm < trace.shape[0]
                for i in range(S):
                    j = i * 8
                    servers = max(servers_at[U(i), U(how)] + count[U(j + ADDED)], 0) + count[U(j + EXTRA)]
                    if servers != count[U(j + SERVERS)]:
                        station[of_period + i * 16 + SERVER_HOURS] += (servers - count[j + SERVERS]) * (ends - now)
                        if servers > count[j + SERVERS] and count[j + LINED] > 0:
                            n_stack = _look_at(i, n_stack, stack, stacked)
                        count[j + SERVERS] = servers
                    of_week = U((how * S + i) * 4)
                    week[of_week] += count[U(j + BUSY)]
                    week[of_week + U(1)] += count[U(j + WAIT)]
                    week[of_week + U(2)] += count[U(j + HOLD)]
                    week[of_week + U(3)] += servers
                    if servers > 0:
                        # One that is closed is not full.
                        station[U(of_period + i * 16 + TIMES)] += 1.0
                        if count[U(j + BUSY)] >= servers:
                            station[U(of_period + i * 16 + FULL_TIMES)] += 1.0
                    if count[U(j + HOLD)] > 0 and count[U(j + HOLD)] == count[U(j + BUSY)]:
                        held_fast = True
                    if kept:
                        trace[hour - warm, i, 0] = count[j + BUSY]
                        trace[hour - warm, i, 1] = count[j + WAIT]
                        trace[hour - warm, i, 2] = count[j + HOLD]
                times[how] += 1.0
                n_heap = _push(now + 1.0, _HOUR, n_heap, heap_time, heap_what)
                if held_fast:
                    s = _deadlocked(who, count, alive, most, most_extra, True, choice_first, choice_of)
                    if s < 0 and E > 0:
                        # An escalation may still break the circle; if none has for so long, none will.
                        s = _deadlocked(who, count, alive, most, most_extra, False, choice_first, choice_of)
                        num[_TRAPPED] = num[_TRAPPED] + 1 if s >= 0 else 0
                        if num[_TRAPPED] < _LONG_TRAPPED:
                            s = -1
                    if s >= 0:
                        num[TRAP] = s
                        status = DEADLOCKED
                        break
                else:
                    num[_TRAPPED] = 0
                if inside > num[_MOST]:
                    status = CROWDED
                    break

        taken += 1
        hops = 0
        while True:
            if step == _ROUTE:
                # Where now? They are still in their place at s, which is frm.
                c = who[U(p * 8 + CLASS)]
                sc = (s * C + c) * 8
                i = of_class[U(sc + _FIRST_ROUTE)]
                end = of_class[U(sc + _LAST_ROUTE)]
                if of_class[U(sc + _WINDOW)] >= 0:
                    block = window[of_class[sc + _WINDOW], (first_how + int(now)) % 168]
                    i = block_first[block]
                    end = block_first[block + 1] - 1
                if i < end:
                    u = _uniform(keys[U(p * 2 + 1)] + _FOR_WAY * _PURPOSE, mirror)
                    while i < end and route_share[U(i)] <= u:
                        i += 1
                target = of_route[U(i * 2)]
                becomes = of_route[U(i * 2 + 1)]
                step = _MOVE
                if becomes >= 0:
                    # What they did here was done as what they were.
                    j = of_classes + sc
                    by_class[U(j + SERVED)] += 1.0
                    by_class[U(j + STAY_SUM)] += now - when[U(p * 8 + _BEGAN)]
                    j = of_classes + (s * C + becomes) * 8
                    by_class[U(j + SERVED)] -= 1.0
                    by_class[U(j + STAY_SUM)] -= now - when[U(p * 8 + _BEGAN)]
                    who[U(p * 8 + CLASS)] = becomes

            elif step == _MOVE:
                # p goes from frm (-1: holds no place) to target.
                hops += 1
                if hops > 1000:
                    status = STUCK
                    num[TRAP] = s
                    break
                p8 = p * 8
                take = -1  # a station with room, or an outcome
                line_at = target  # the station in whose line they are counted
                if target < S:
                    j = target * 8
                    if count[U(j + BUSY)] < count[U(j + SERVERS)]:
                        take = target
                    elif of_station[U(j + _IF_CLOSED)] >= 0 and count[U(j + SERVERS)] == 0:
                        s = target
                        target = of_station[U(j + _IF_CLOSED)]
                        continue
                elif target >= S + CH:
                    take = target
                else:
                    i, end = choice_first[target - S], choice_first[target - S + 1]
                    if choice_by[target - S] == FIRST_WITH_ROOM:
                        line_at = choice_of[i]
                        while i < end:
                            j = choice_of[i]
                            if count[U(j * 8 + BUSY)] < count[U(j * 8 + SERVERS)]:
                                take = j
                                break
                            i += 1
                    else:
                        best = np.inf
                        while i < end:
                            j = choice_of[i]
                            x = float(count[j * 8 + BUSY] + count[j * 8 + WAIT])
                            # One that is closed is for when all are.
                            x = x / count[j * 8 + SERVERS] if count[j * 8 + SERVERS] > 0 else x + 1e12
                            if x < best:
                                best = x
                                target = j
                            i += 1
                        continue

                c = who[U(p8 + CLASS)]
                lv = level[U(c)]
                victim = -1
                if take < 0:
                    j = line_at * 8
                    if of_station[U(j + _PREEMPTS)] and target < S:
                        worse = L - 1
                        while worse > lv and victim < 0:
                            victim = serving_tail[line_at * L + worse]
                            worse -= 1
                    if victim >= 0:
                        take = line_at
                    elif count[U(j + WAIT)] >= of_station[U(j + _QUEUE)]:
                        if frm >= 0 and of_station[frm * 8 + _HOLDS]:
                            # Nowhere to go: they stay, and keep the place.
                            who[p8 + STATE] = HELD
                            who[p8 + STAMP] += 1
                            who[p8 + TO] = target
                            when[p8 + _SINCE] = now
                            count[frm * 8 + HOLD] += 1
                            station[of_period + frm * 16 + HELD_HOURS] += ends - now
                            station[of_period + frm * 16 + HELD_N] += 1.0
                            if target < S:
                                _join(p * W, (target * 2 + 1) * L + lv, False, head, tail, after, before, lines)
                                count[target * 8 + LINED] += 1
                            else:
                                for i in range(choice_first[target - S], choice_first[target - S + 1]):
                                    j = choice_of[i]
                                    _join(
                                        p * W + i - choice_first[target - S],
                                        (j * 2 + 1) * L + lv,
                                        False,
                                        head,
                                        tail,
                                        after,
                                        before,
                                        lines,
                                    )
                                    count[j * 8 + LINED] += 1
                            if log is not None:
                                n_log = _logged(n_log, now, who[p8 + NUMBER], IS_HELD, frm, c, log_time, log_what)
                            step = _NEXT
                            continue
                        station[of_period + line_at * 16 + TURNED] += 1.0
                        if log is not None:
                            n_log = _logged(
                                n_log, now, who[p8 + NUMBER], IS_TURNED_AWAY, line_at, c, log_time, log_what
                            )
                        s = line_at
                        target = of_station[line_at * 8 + _IF_FULL]
                        continue

                # They move: the old place is free, clocks stop and start.
                if frm >= 0:
                    f8 = frm * 8
                    count[U(f8 + BUSY)] -= 1
                    station[U(of_period + frm * 16 + BUSY_HOURS)] -= ends - now
                    j = of_classes + (frm * C + c) * 8
                    by_class[U(j + SERVED)] += 1.0
                    by_class[U(j + STAY_SUM)] += now - when[U(p8 + _BEGAN)]
                    if count[U(f8 + LINED)] > 0:
                        n_stack = _look_at(frm, n_stack, stack, stacked)
                    if log is not None:
                        n_log = _logged(n_log, now, who[p8 + NUMBER], LEAVES, frm, c, log_time, log_what)
                    frm = -1
                goes = take if take >= 0 else line_at
                mask = clock_mask[U(goes)]
                running = who[U(p8 + CLOCKS)]
                if running != mask:
                    running = _change_clocks(
                        p, running, mask, now, c, C, K, T, period, clock_start, clock_of, clock_class, clock, clock_bins,
                        clock_first, clock_target, over,
                    )  # fmt: skip
                    who[U(p8 + CLOCKS)] = running

                if take >= S + CH:
                    left_by[U((period * outcomes + take - S - CH) * C + c)] += 1.0
                    who[U(p8 + STATE)] = NOWHERE
                    who[U(p8 + STAMP)] += 1
                    if log is not None:
                        n_log = _logged(n_log, now, who[p8 + NUMBER], IS_OUT, take, c, log_time, log_what)
                    free[U(n_free)] = p
                    n_free += 1
                    inside -= 1
                    step = _NEXT
                    continue
                s = goes
                by_class[U(of_classes + (s * C + c) * 8 + JOINED)] += 1.0
                who[U(p8 + AT)] = s
                when[U(p8 + _CAME)] = now
                visit = U(1)
                if revisits:
                    visits[U(p * S + s)] += 1
                    visit = U(visits[U(p * S + s)])
                keys[U(p * 2 + 1)] = _mixed(keys[U(p * 2)] + station_key[U(s)] + visit * _VISIT)
                if take >= 0:
                    step = _ENTER
                    if victim >= 0:
                        # The one of worst priority, last to begin, goes back to the front of the line.
                        v8 = victim * 8
                        lv = level[who[v8 + CLASS]]
                        _take_out(victim, s * L + lv, serving_head, serving_tail, serving_after, serving_before)
                        who[v8 + STAMP] += 1
                        who[v8 + STATE] = WAITING
                        who[v8 + TO] = s
                        when[v8 + _LEFT] = max(when[v8 + _UNTIL] - now, 0.0)
                        when[v8 + _CAME] = now
                        count[s * 8 + BUSY] -= 1
                        count[s * 8 + WAIT] += 1
                        count[s * 8 + LINED] += 1
                        j = of_period + s * 16
                        station[j + BUSY_HOURS] -= ends - now
                        station[j + WAIT_HOURS] += ends - now
                        station[j + PREEMPTED] += 1.0
                        _join(victim * W, (s * 2) * L + lv, True, head, tail, after, before, lines)
                        # The one who interrupts may have left a place here itself.
                        n_stack = _look_at(s, n_stack, stack, stacked)
                        if log is not None:
                            n_log = _logged(
                                n_log, now, who[v8 + NUMBER], IS_PREEMPTED, s, who[v8 + CLASS], log_time, log_what
                            )
                    continue
                # Wait in line.
                who[U(p8 + STATE)] = WAITING
                who[U(p8 + STAMP)] += 1
                who[U(p8 + TO)] = target
                count[U(s * 8 + WAIT)] += 1
                station[U(of_period + s * 16 + WAIT_HOURS)] += ends - now
                if target < S:
                    _join(p * W, (target * 2) * L + lv, False, head, tail, after, before, lines)
                    count[U(target * 8 + LINED)] += 1
                    if count[U(target * 8 + BUSY)] < count[U(target * 8 + SERVERS)]:
                        # The place they have just left is one they may have again.
                        n_stack = _look_at(target, n_stack, stack, stacked)
                else:
                    for i in range(choice_first[target - S], choice_first[target - S + 1]):
                        j = choice_of[i]
                        _join(
                            p * W + i - choice_first[target - S],
                            (j * 2) * L + lv,
                            False,
                            head,
                            tail,
                            after,
                            before,
                            lines,
                        )
                        count[U(j * 8 + LINED)] += 1
                        if count[U(j * 8 + BUSY)] < count[U(j * 8 + SERVERS)]:
                            n_stack = _look_at(j, n_stack, stack, stacked)
                d = of_class[U((s * C + c) * 8 + _PATIENCE)]
                if d >= 0:
                    x = _length(
                        d, _uniform(keys[p * 2 + 1] + _FOR_PATIENCE * _PURPOSE, mirror), time_kind, time_figures, tables
                    )
                    n_heap = _push(
                        now + x, (((who[p8 + STAMP] << 24) | p) << 3) | _GIVE_UP, n_heap, heap_time, heap_what
                    )
                if log is not None:
                    n_log = _logged(n_log, now, who[p8 + NUMBER], WAITS, s, c, log_time, log_what)
                step = _NEXT

            elif step == _ENTER:
                # p has a place at s.
                p8 = p * 8
                count[U(s * 8 + BUSY)] += 1
                station[U(of_period + s * 16 + BUSY_HOURS)] += ends - now
                c = who[U(p8 + CLASS)]
                sc = (s * C + c) * 8
                j = of_classes + sc
                waited = now - when[U(p8 + _CAME)]
                x = when[U(p8 + _LEFT)]
                by_class[U(j + WAIT_SUM)] += waited
                if x < 0.0:
                    by_class[U(j + WAIT_N)] += 1.0
                    wait_bins[U(s * BINS + _bin(waited))] += 1.0
                    when[U(p8 + _BEGAN)] = now
                    longer = _uniform(keys[U(p * 2 + 1)] + _FOR_SERVICE * _PURPOSE, mirror)
                    x = _length(of_class[U(sc + _SERVICE)], longer, time_kind, time_figures, tables)
                else:
                    # Going on after somebody of better priority: the second wait adds to the first.
                    when[U(p8 + _BEGAN)] += waited
                    when[U(p8 + _LEFT)] = -1.0
                who[U(p8 + STATE)] = IN_SERVICE
                stamp = who[U(p8 + STAMP)] + 1
                who[U(p8 + STAMP)] = stamp
                if of_station[U(s * 8 + _PREEMPTS)]:
                    when[p8 + _UNTIL] = now + x
                    lv = level[c]
                    _append(p, s * L + lv, serving_head, serving_tail, serving_after, serving_before)
                if hole:
                    _replace(now + x, (((stamp << 24) | p) << 3) | _DONE, n_heap, heap_time, heap_what)
                    hole = False
                else:
                    n_heap = _push(now + x, (((stamp << 24) | p) << 3) | _DONE, n_heap, heap_time, heap_what)
                if log is not None:
                    n_log = _logged(n_log, now, who[p8 + NUMBER], STARTS, s, c, log_time, log_what)
                step = _NEXT

            else:
                # Whose turn is it? The station on top of the stack serves its line while it has places.
                if n_stack == 0:
                    break
                o = stack[U(n_stack - 1)]
                node = -1
                entering = count[U(o * 8 + BUSY)] < count[U(o * 8 + SERVERS)]
                if count[U(o * 8 + LINED)] > 0:
                    if entering:
                        for lv in range(L):
                            node = head[U((o * 2) * L + lv)]
                            if node < 0:
                                node = head[U((o * 2 + 1) * L + lv)]
                            if node >= 0:
                                break
                    elif count[o * 8 + WAIT] < of_station[o * 8 + _QUEUE]:
                        # No place; but there may be room to wait for those who wait in another place.
                        for lv in range(L):
                            node = head[(o * 2 + 1) * L + lv]
                            while (
                                node >= 0
                                and who[(node // W) * 8 + TO] >= S
                                and choice_of[choice_first[who[(node // W) * 8 + TO] - S]] != o
                            ):
                                node = after[node]
                            if node >= 0:
                                break
                if node < 0:
                    n_stack -= 1
                    stacked[U(o)] = 0
                    continue
                p = node // W
                p8 = p * 8
                for j in range(W):
                    _quit(p * W + j, 2 * L, count, head, tail, after, before, lines)
                i = who[U(p8 + AT)]
                if who[U(p8 + STATE)] == WAITING:
                    count[U(i * 8 + WAIT)] -= 1
                    station[U(of_period + i * 16 + WAIT_HOURS)] -= ends - now
                    s, step = o, _ENTER
                    if i != o:
                        # They waited for several, and were counted at the first of them.
                        if count[i * 8 + LINED] > 0:
                            n_stack = _look_at(i, n_stack, stack, stacked)
                        c = who[p8 + CLASS]
                        by_class[of_classes + (i * C + c) * 8 + JOINED] -= 1.0
                        by_class[of_classes + (o * C + c) * 8 + JOINED] += 1.0
                        running = _change_clocks(
                            p, who[p8 + CLOCKS], clock_mask[o], now, c, C, K, T, period, clock_start, clock_of, clock_class,
                            clock, clock_bins, clock_first, clock_target, over,
                        )  # fmt: skip
                        who[p8 + CLOCKS] = running
                        visit = U(1)
                        if revisits:
                            visits[p * S + o] += 1
                            visit = U(visits[p * S + o])
                        keys[p * 2 + 1] = _mixed(keys[p * 2] + station_key[o] + visit * _VISIT)
                        who[p8 + AT] = o
                    continue
                # Held elsewhere: that place becomes free now.
                frm = i
                count[U(frm * 8 + HOLD)] -= 1
                station[U(of_period + frm * 16 + HELD_HOURS)] -= ends - now
                by_class[of_classes + (frm * C + who[p8 + CLASS]) * 8 + CLASS_HELD] += now - when[p8 + _SINCE]
                station[of_period + o * 16 + HELD_FOR] += now - when[p8 + _SINCE]
                who[U(p8 + STATE)] = NOWHERE
                target = o if entering else who[p8 + TO]
                s, step = o, _MOVE

        if status != FINISHED:
            break

    if hole:
        n_heap = _pull(n_heap, heap_time, heap_what)
    num[_HEAP], num[FREE], num[_PERIOD], num[LOGGED], num[INSIDE], num[EVENTS], num[_STACK] = (
        n_heap, n_free, period, n_log, inside, events + taken, n_stack,
    )  # fmt: skip
    num[_SAME], real[PERIOD_END], real[NOW] = same, ends, now
    if status == FINISHED:
        real[NOW] = until
    return status


def run_key(seed: int, replication: int) -> np.uint64:
    """The key of a replication: 64 bits from the seed and its number."""
    with np.errstate(over="ignore"):
        mixed = np.uint64(seed % 2**64) * _VISIT + np.uint64(replication) * _PURPOSE
        return np.uint64(_mixed(np.uint64(_mixed(mixed ^ _MIX_B))))


@_called
def _depth_at(d: Any, hours: Any, kinds: Any, figures: Any, tables: Any) -> Any:
    low, high = 0.0, 60.0
    for _ in range(80):
        middle = 0.5 * (low + high)
        if _length(d, math.exp(-middle), kinds, figures, tables) <= hours:
            low = middle
        else:
            high = middle
    return low


def share_longer(d: int, hours: float, program: Program) -> float:
    """The share of lengths of distribution ``d`` longer than ``hours``, at least e^-60."""
    return math.exp(-float(_depth_at(d, hours, program.time_kind, program.time_figures, program.tables)))


def fresh(
    program: Program, streams: int, periods: int, trace_hours: int, hours: float, first_hour: float, warm_hours: int, mirror: int,
    initial: Ints, initial_time: Floats, slots: int, most_inside: int, day_rates: Floats | None, log_rows: int,
) -> State:  # fmt: skip
    """The state before anything has happened, with room for ``slots`` patients at once."""
    S, C = program.most.shape[0], program.level.shape[0]
    K, outcomes = program.clock_first.shape[0] - 1, program.outcomes
    L = int(program.level.max(initial=0)) + 1
    W = program.widest
    num = np.zeros(16, dtype=np.int64)
    num[FREE], num[MIRROR], num[_WARM], num[_MOST] = slots, mirror, warm_hours, most_inside

    def none(*shape: int) -> Ints:
        return np.full(shape, -1, dtype=np.int64)

    return State(
        real=np.array([first_hour, hours, hours]),
        num=num,
        heap_time=np.full(2 * slots + 4 * S + 256, np.inf),
        heap_what=np.zeros(2 * slots + 4 * S + 256, dtype=np.int64),
        free=np.arange(slots - 1, -1, -1, dtype=np.int64),
        counts=np.zeros((S, 8), dtype=np.int64),
        head=none(S, 2, L),
        tail=none(S, 2, L),
        after=none(slots * W),
        before=none(slots * W),
        line=none(slots * W),
        serving_head=none(S, L),
        serving_tail=none(S, L),
        serving_after=none(slots),
        serving_before=none(slots),
        stack=np.zeros(S, dtype=np.int64),
        stacked=np.zeros(S, dtype=np.int64),
        alive=np.zeros(S, dtype=np.bool_),
        who=np.zeros((slots, 8), dtype=np.int64),
        when=np.zeros((slots, 8)),
        key=np.zeros((slots, 2), dtype=np.uint64),
        visits=np.zeros((slots, S), dtype=np.uint32),
        clock_start=np.zeros((slots, K)),
        clock_of=np.zeros((slots, K), dtype=np.int64),
        comes=np.full(streams, np.inf),
        stream=np.zeros((streams, 2), dtype=np.int64),
        stream_factor=np.ones(streams),
        stream_key=np.zeros((streams, 2), dtype=np.uint64),
        day_rates=np.zeros((streams, 0)) if day_rates is None else np.ascontiguousarray(day_rates, dtype=np.float64),
        initial=initial,
        initial_time=initial_time,
        station=np.zeros((periods, S, 16)),
        by_class=np.zeros((periods, S, C, 8)),
        wait_bins=np.zeros((S, BINS)),
        clock=np.zeros((periods, K, C, 2)),
        over=np.zeros((periods, program.clock_target.shape[0], C)),
        clock_bins=np.zeros((K, C, BINS)),
        left=np.zeros((periods, outcomes, C)),
        escalation=np.zeros((program.escalation.shape[0] // 4, 2), dtype=np.int64),
        escalated=np.zeros((periods, program.escalation.shape[0] // 4, 2)),
        week=np.zeros((168, S, 4)),
        times=np.zeros(168),
        trace=np.zeros((trace_hours, S, 3), dtype=np.int32),
        log_time=np.zeros(log_rows),
        log_what=np.zeros((log_rows, 4), dtype=np.int64),
    )


_PER_SLOT = ("who", "when", "key", "visits", "clock_start", "clock_of")
_LINKS = ("serving_after", "serving_before", "after", "before", "line")


def grown(state: State) -> State:
    """The same state with twice the room for patients and events."""
    slots = state.who.shape[0]
    if slots * 2 >= 2**24:
        raise MemoryError
    bigger: dict[str, Any] = {}
    for name in (*_PER_SLOT, *_LINKS, "heap_time", "heap_what"):
        old = getattr(state, name)
        none = -1 if name in _LINKS else np.inf if name == "heap_time" else 0
        bigger[name] = np.concatenate([old, np.full_like(old, none)])
    free = np.zeros(slots * 2, dtype=np.int64)
    n_free = int(state.num[FREE])
    free[:slots] = np.arange(slots * 2 - 1, slots - 1, -1)
    free[slots : slots + n_free] = state.free[:n_free]
    state.num[FREE] = slots + n_free
    return state._replace(free=free, **bigger)


def warm_hours(state: State) -> float:
    """Hours of the warm-up."""
    return float(state.num[_WARM])
