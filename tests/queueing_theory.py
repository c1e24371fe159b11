"""Closed forms of queueing theory, written from their formulas and sharing no code with the package they check.

Rates are an hour and times are hours, unless a name says otherwise. Sources: Kleinrock, Queueing Systems (1975); Gross,
Shortle, Thompson and Harris, Fundamentals of Queueing Theory (2008); others where they stand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import expm
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import spsolve

Array = NDArray[np.float64]


def erlang_b(load: float, servers: int) -> float:
    """Chance that all servers are busy when nobody waits (Erlang 1917), by the recursion in the number of servers."""
    chance = 1.0
    for count in range(1, servers + 1):
        chance = load * chance / (count + load * chance)
    return chance


def erlang_c(load: float, servers: int) -> float:
    """Chance of waiting in M/M/c (Erlang 1917)."""
    lost = erlang_b(load, servers)
    return lost / (1 - load / servers * (1 - lost))


def wait_mmc(arrivals: float, mean: float, servers: int) -> float:
    """Mean wait in M/M/c."""
    return erlang_c(arrivals * mean, servers) / (servers / mean - arrivals)


def wait_mmc_quantile(arrivals: float, mean: float, servers: int, share: float) -> float:
    """The wait that a share of patients do not exceed: P(W > t) = C exp(-(c mu - lambda) t)."""
    longer = erlang_c(arrivals * mean, servers)
    return max(0.0, math.log(longer / (1 - share)) / (servers / mean - arrivals))


def birth_death(births: Callable[[int], float], deaths: Callable[[int], float], most: int) -> Array:
    """Chance of each number from 0 to ``most``: balance of what goes up and down between neighbours."""
    logs = np.concatenate(
        [[0.0], np.cumsum([math.log(births(count)) - math.log(deaths(count + 1)) for count in range(most)])]
    )
    weights = np.exp(logs - logs.max())
    return np.asarray(weights / weights.sum())


def mmck(arrivals: float, mean: float, servers: int, room: int) -> tuple[float, float, float]:
    """M/M/c/K with ``room`` for K in all: share turned away, mean number waiting, mean wait of those let in."""
    chance = birth_death(lambda _: arrivals, lambda count: min(count, servers) / mean, room)
    waiting = float(np.maximum(np.arange(room + 1) - servers, 0) @ chance)
    return float(chance[-1]), waiting, waiting / (arrivals * (1 - chance[-1]))


def erlang_a(arrivals: float, mean: float, servers: int, patience: float, most: int = 400) -> tuple[float, float]:
    """M/M/c+M (Palm 1957): share who give up, and the mean time in the line of all who come, given up or served."""
    chance = birth_death(
        lambda _: arrivals, lambda count: min(count, servers) / mean + max(count - servers, 0) / patience, most
    )
    waiting = float(np.maximum(np.arange(most + 1) - servers, 0) @ chance)
    return waiting / patience / arrivals, waiting / arrivals


def pollaczek_khinchine(arrivals: float, mean: float, second_moment: float) -> float:
    """Mean wait in M/G/1 (Pollaczek 1930, Khinchine 1932)."""
    return arrivals * second_moment / (2 * (1 - arrivals * mean))


def phase_type_moments(start: Sequence[float], rates: Sequence[Sequence[float]]) -> tuple[float, float]:
    """Mean and second moment of the time until the phases are left: start (-S)^-1 1 and 2 start (-S)^-2 1 (Neuts 1981)."""
    inverse = np.linalg.inv(-np.asarray(rates))
    first = np.asarray(start) @ inverse
    return float(first.sum()), float(2 * (first @ inverse).sum())


def waits_by_priority(
    arrivals: Sequence[float], means: Sequence[float], second_moments: Sequence[float]
) -> list[float]:
    """Mean wait in M/G/1 of each class, best priority first, when nobody is interrupted (Cobham 1954)."""
    rest = sum(rate * second for rate, second in zip(arrivals, second_moments)) / 2
    loads = np.concatenate([[0.0], np.cumsum(np.multiply(arrivals, means))])
    return [rest / ((1 - loads[k]) * (1 - loads[k + 1])) for k in range(len(arrivals))]


def waits_by_priority_mmc(arrivals: Sequence[float], mean: float, servers: int) -> list[float]:
    """Mean wait in M/M/c of each class, best priority first, all with one mean time (Kella and Yechiali 1985)."""
    total = sum(arrivals)
    rest = erlang_c(total * mean, servers) * mean / servers
    loads = np.concatenate([[0.0], np.cumsum(arrivals)]) * mean / servers
    return [float(rest / ((1 - loads[k]) * (1 - loads[k + 1]))) for k in range(len(arrivals))]


def times_with_interruption(
    arrivals: Sequence[float], means: Sequence[float], second_moments: Sequence[float]
) -> list[float]:
    """Mean time from coming to leaving in M/G/1 of each class when better priority interrupts and the interrupted
    go on from where they stopped (Kleinrock, Queueing Systems II, 3.6)."""
    loads = np.concatenate([[0.0], np.cumsum(np.multiply(arrivals, means))])
    times = []
    for k in range(len(arrivals)):
        rest = sum(rate * second for rate, second in zip(arrivals[: k + 1], second_moments[: k + 1])) / 2
        times.append(float(means[k] / (1 - loads[k]) + rest / ((1 - loads[k]) * (1 - loads[k + 1]))))
    return times


def infinite_servers(rates: Sequence[float], survival: Callable[[Array], Array], at: Array, back: float) -> Array:
    """Mean number in M(t)/G/infinity at times ``at`` (Eick, Massey and Whitt 1993): the integral over u of
    rate(t - u) P(S > u). ``rates`` are level within each hour and come round again; ``back``: hours looked back."""
    step = 1 / 64
    ago = np.arange(step / 2, back, step)
    hours = np.floor(at[:, None] - ago[None, :]).astype(int) % len(rates)
    return np.asarray((np.asarray(rates)[hours] * survival(ago)[None, :]).sum(axis=1) * step)


def day_and_night(arrivals: float, mean: float, servers: Sequence[int], most: int) -> tuple[float, float]:
    """Mean number in service and waiting over a day when servers change with the hour, and those who go home finish the
    patient they have: the Kolmogorov equations of (in service, waiting), hour by hour until a day is like the last."""
    states = [(busy, waiting) for busy in range(max(servers) + 1) for waiting in range(most + 1)]
    index = {state: place for place, state in enumerate(states)}

    def hour(count: int) -> tuple[Array, Array]:
        """What an hour does to the chances, and the integral over it."""
        rates = np.zeros((len(states), len(states)))
        for (busy, waiting), place in index.items():
            ways = []
            if busy < count:
                ways.append(((busy + 1, waiting), arrivals))
            elif waiting < most:
                ways.append(((busy, waiting + 1), arrivals))
            if busy:
                ways.append(((busy, waiting - 1) if waiting and busy <= count else (busy - 1, waiting), busy / mean))
            for after, rate in ways:
                rates[place, index[after]] += rate
                rates[place, place] -= rate
        step = expm(rates / 8)
        return step, np.asarray((np.eye(len(states)) + step) / 2)

    moves = {count: hour(count) for count in set(servers)}
    chances = np.zeros(len(states))
    chances[0] = 1.0
    for _ in range(60):
        means = np.zeros(2)
        for count in servers:
            chances = _taken_up(chances, states, index, count)
            step, half = moves[count]
            for _ in range(8):
                means += (chances @ half) @ np.array(states)
                chances = chances @ step
    means /= 8 * len(servers)
    return float(means[0]), float(means[1])


def _taken_up(
    chances: Array, states: Sequence[tuple[int, int]], index: Mapping[tuple[int, int], int], count: int
) -> Array:
    """When more servers come, those who wait are taken up at once."""
    after = np.zeros_like(chances)
    for (busy, waiting), chance in zip(states, chances):
        taken = max(0, min(waiting, count - busy))
        after[index[busy + taken, waiting - taken]] += chance
    return after


def until_discharge(weekdays: Sequence[float], hours: Sequence[float]) -> float:
    """Mean hours from being done, at any time of the week alike, to the next discharge time: on each day with the chance
    of its weekday, at a time drawn from the hours; when that is past on the first day, the next is tried."""
    at = np.repeat(np.arange(24), 60) + np.tile((np.arange(60) + 0.5) / 60, 24)
    share = np.repeat(np.asarray(hours) / sum(hours), 60) / 60
    mean = float(at @ share)
    chances = np.asarray(weekdays) / max(weekdays)
    # hours from the midnight at which a day begins to going, when the day is tried in full: a linear equation a weekday
    following = (np.arange(7) + 1) % 7
    equations = np.eye(7)
    equations[np.arange(7), following] -= 1 - chances
    from_midnight = np.linalg.solve(equations, chances * mean + (1 - chances) * 24)
    total = 0.0
    for day in range(7):
        for done in at:
            today = chances[day] * share * (at >= done)
            total += float(today @ (at - done)) + (1 - today.sum()) * (24 - done + from_midnight[following[day]])
    return total / (7 * len(at))


def jackson(outside: Sequence[float], moves: Sequence[Sequence[float]]) -> Array:
    """Arrivals at each node of a Jackson network (1957), from outside and from each other: those of M/M/c nodes."""
    return np.asarray(np.linalg.solve(np.eye(len(outside)) - np.asarray(moves).T, np.asarray(outside)))


State = tuple[Any, ...]


def stationary(start: State, leaving: Callable[[State], Mapping[State, float]]) -> dict[State, float]:
    """Chance of each state of a Markov chain in continuous time, found from ``start`` by the rates ``leaving`` gives."""
    index: dict[State, int] = {start: 0}
    rows, columns, rates = [], [], []
    todo = [start]
    while todo:
        state = todo.pop()
        for other, rate in leaving(state).items():
            if other not in index:
                index[other] = len(index)
                todo.append(other)
            here, there = index[state], index[other]
            rows += [there, here]
            columns += [here, here]
            rates += [rate, -rate]
    size = len(index)
    balance = coo_matrix((rates, (rows, columns)), shape=(size, size)).tolil()
    balance[size - 1, :] = 1.0  # one balance equation follows from the others; chances add up to one instead
    right = np.zeros(size)
    right[-1] = 1.0
    found = spsolve(balance.tocsc(), right)
    return {state: float(found[place]) for state, place in index.items()}


WORKING, BLOCKED, EMPTY = "working", "blocked", "empty"


def saturated_line(stations: int, mean: float = 1.0) -> float:
    """Patients an hour through single exponential servers in a row with no room between them, the first never without
    a patient: one who is done stays, and blocks, while the next is taken (Hunt 1956). 2, 3 and 4 stations: 2/3, 22/39
    and 0.5148 of one server's rate."""

    def leaving(state: State) -> dict[State, float]:
        found: dict[State, float] = {}
        for place, one in enumerate(state):
            if one == WORKING:
                after = _moved_on([*state], place)
                found[after] = found.get(after, 0.0) + 1 / mean
        return found

    chances = stationary((WORKING,) + (EMPTY,) * (stations - 1), leaving)
    return sum(chance for state, chance in chances.items() if state[-1] == WORKING) / mean


def _moved_on(state: list[str], place: int) -> tuple[str, ...]:
    """The line after the one at ``place`` is done: moves on, and those held behind move up."""
    if place + 1 < len(state) and state[place + 1] != EMPTY:
        state[place] = BLOCKED
        return tuple(state)
    if place + 1 < len(state):
        state[place + 1] = WORKING
    state[place] = EMPTY
    while place > 0 and state[place - 1] == BLOCKED:
        state[place] = WORKING
        state[place - 1] = EMPTY
        place -= 1
    if place == 0:
        state[0] = WORKING
    return tuple(state)


def first_with_room(arrivals: float, mean: float, servers: tuple[int, int], room: int) -> tuple[float, float, float]:
    """Two groups of exponential servers of which the first is taken when it has room, with one line for both, ``room``
    long: mean number in service in each and mean number waiting."""

    def leaving(state: State) -> dict[State, float]:
        first, second, waiting = state
        found: dict[State, float] = {}
        if first < servers[0]:
            found[first + 1, second, 0] = arrivals
        elif second < servers[1]:
            found[first, second + 1, 0] = arrivals
        elif waiting < room:
            found[first, second, waiting + 1] = arrivals
        for after, busy in (((first - 1, second, 0), first), ((first, second - 1, 0), second)):
            to = (first, second, waiting - 1) if waiting else after
            if busy:
                found[to] = found.get(to, 0.0) + busy / mean
        return found

    chances = stationary((0, 0, 0), leaving)
    means = [sum(state[place] * chance for state, chance in chances.items()) for place in range(3)]
    return means[0], means[1], means[2]


def shortest_queue(arrivals: float, mean: float, room: int) -> tuple[float, float]:
    """Two exponential servers with a line each, patients joining the shorter and of two alike the first: mean number at each."""

    def leaving(state: State) -> dict[State, float]:
        first, second = state
        found: dict[State, float] = {}
        if min(first, second) < room:
            found[(first + 1, second) if first <= second else (first, second + 1)] = arrivals
        if first:
            found[first - 1, second] = 1 / mean
        if second:
            found[first, second - 1] = 1 / mean
        return found

    chances = stationary((0, 0), leaving)
    first, second = (sum(state[place] * chance for state, chance in chances.items()) for place in (0, 1))
    return first, second
