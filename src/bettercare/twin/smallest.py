"""The smallest change that would make a promise hold, and the beds that would be needed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.flow.network import UNLIMITED, Change, Network
from bettercare.twin.mapping import Lever, sized
from bettercare.twin.promises import Answered, Judged, could_measure, meets, predicted, share_of

Array = NDArray[np.float64]
WANTED = (0.5, 0.8)
NEEDED = (0.5, 0.8, 0.95)
SEARCH_DRAWS = 40
"""Futures used in a search, unless there are fewer: a search runs the network many times over."""
PARTS = 20
"""Levers are tried together at so many parts of their limits."""
ALL = "all"
"""What stands for a promise where every criterion of beds that suffice must hold."""


@dataclass(frozen=True)
class Smallest:
    """The least of a lever that makes a promise hold with a probability; ``size`` None where its limit does not.

    ``relative`` is the size against what there is now: servers against servers of the same stations, times and shares as a
    share. ``reached`` is the probability at the size, or at the limit where there is none, from the ``draws`` of the search;
    ``before`` is that without the lever, from every draw, as the promise was judged. ``most`` is the largest size tried: that
    of the limit, or of what the network can take in every future. ``promise`` may be ``ALL``; then ``short`` are the criteria,
    by id, that do not even alone hold with the probability wanted at the largest size, where that is not enough.
    """

    promise: str
    lever: Lever
    wanted: float
    size: float | None
    relative: float | None
    reached: float
    before: float
    draws: int
    most: float
    short: tuple[str, ...] = ()


@dataclass(frozen=True)
class Together:
    """The least part of their limits at which all levers at once make a promise hold; ``part`` None where not even all of it does.

    ``sizes`` of the levers, by id and each in its unit, are those at that part, or at ``most`` where there is none: the largest
    part tried, 1 unless the levers get in each other's way. ``reached``, ``before`` and ``draws`` are as of ``Smallest``.
    """

    promise: str
    wanted: float
    part: float | None
    sizes: Mapping[str, float]
    reached: float
    before: float
    draws: int
    most: float


@dataclass
class Search:
    """Looks for the least of each lever alone, or of all together, under the same futures with the same luck."""

    answered: Answered
    draws: int = SEARCH_DRAWS
    progress: Callable[[int], None] | None = None
    _seen: dict[tuple[tuple[str, int], ...], Mapping[str, Array]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.draws = min(self.draws, len(self.answered.futures.items))

    def probability(self, promise: str, lever: Lever, steps: int) -> float:
        """How likely the promise (or ``ALL``) holds with so many steps of the lever."""
        return self._probability(promise, [(lever, steps)])

    def _probability(self, promise: str, steps: Sequence[tuple[Lever, int]]) -> float:
        return self._chance(self._asked(promise), steps)

    def _chance(self, asked: Sequence[Judged], steps: Sequence[tuple[Lever, int]]) -> float:
        simulated = self._values(steps)
        holds, could = [], []
        for judged in asked:
            # The whole of the first draws keeps the same errors, since a stream is the same however much of it is drawn.
            values = predicted(judged.promise, simulated[judged.promise.id], judged.missed, self.answered.trial.seed)
            bounds = judged.bounds[: self.draws]
            holds.append(meets(judged.promise, values, bounds))
            could.append(could_measure(values, bounds))
        return share_of(np.logical_and.reduce(holds), np.logical_and.reduce(could))

    def _asked(self, promise: str) -> Sequence[Judged]:
        if promise != ALL:
            return [self.answered.of(promise)]
        found = [one for one in self.answered.judged if one.promise.suffices]
        if not found:
            raise BettercareError("The question has no criteria.", remedy="Give promises suffices: yes.")
        return found

    def before(self, promise: str) -> float:
        """How likely the promise (or ``ALL``) holds without any lever, from every draw, as it was judged."""
        return self.answered.suffices if promise == ALL else self.answered.of(promise).probability

    def _values(self, steps: Sequence[tuple[Lever, int]]) -> Mapping[str, Array]:
        if not any(number for _, number in steps):
            return {one.promise.id: one.simulated[: self.draws] for one in self.answered.judged}
        key = tuple((lever.id, number) for lever, number in steps)
        if key not in self._seen:
            self._seen[key] = self.answered.trial.values(_changes(steps), self.draws, self.progress)
        return self._seen[key]

    def _possible(self, most: int, steps: Callable[[int], Sequence[tuple[Lever, int]]]) -> int:
        """The largest number up to the most whose steps the network can take in every future: levers, or what a future brings,
        may move the same share."""
        return next(number for number in range(most, -1, -1) if number == 0 or self._fits(_changes(steps(number))))

    def _fits(self, more: Sequence[Change]) -> bool:
        trial = self.answered.trial
        try:
            for future in trial.futures.items[: self.draws]:
                trial.futures.network(trial.network, future, more)
        except BettercareError:
            return False
        return True

    def smallest(self, promise: str, lever: Lever, wanted: float) -> Smallest:
        """Bisection over whole steps of the lever: the least found at which the promise (or ``ALL``) holds with the probability wanted.

        It is right where more of the lever never makes the promise less likely; luck may make it a step out. That it holds
        without the lever is only said where it does in every draw there is, not in the fewer of the search alone.
        """
        before = self.before(promise)
        most = self._possible(_steps(lever), lambda number: [(lever, number)])
        steps, reached = _least(before, wanted, most, lambda steps: self.probability(promise, lever, steps))
        size = None if steps is None else steps * lever.step
        relative = None if size is None else size * relative_size(self.answered.trial.network, lever)
        short = [
            one.promise.id
            for one in (self._asked(promise) if promise == ALL and steps is None else ())
            if not self._chance([one], [(lever, most)]) >= wanted
        ]
        return Smallest(
            promise, lever, wanted, size, relative, reached, before, self.draws, most * lever.step, tuple(short)
        )

    def together(self, promise: str, levers: Sequence[Lever], wanted: float) -> Together:
        """Bisection over the part of their limits that all levers are at: the least found that is enough, as for one lever.

        A lever is at that part in whole steps, rounded down, and at one step at least.
        """
        before = self.before(promise)

        def steps(part: int) -> list[tuple[Lever, int]]:
            return [(lever, max(part * _steps(lever) // PARTS, min(part, 1))) for lever in levers]

        most = self._possible(PARTS, steps)
        part, reached = _least(before, wanted, most, lambda part: self._probability(promise, steps(part)))
        sizes = {lever.id: number * lever.step for lever, number in steps(most if part is None else part)}
        at = None if part is None else part / PARTS
        return Together(promise, wanted, at, sizes, reached, before, self.draws, most / PARTS)


def _changes(steps: Sequence[tuple[Lever, int]]) -> list[Change]:
    return [change for lever, number in steps for change in sized(lever.changes, number * lever.step)]


def _least(before: float, wanted: float, most: int, chance_at: Callable[[int], float]) -> tuple[int | None, float]:
    """The least number up to the most at which the chance is as wanted, or None, and the chance there or at the most."""
    if not 0 < wanted <= 1:
        raise BettercareError(
            f"A probability of {wanted:g} cannot be wanted.", remedy="Ask for more than 0, at most 1."
        )
    if before >= wanted:
        return 0, before
    reached = chance_at(most)
    if not most or not reached >= wanted:
        return None, reached
    low, high = 0, most
    while high - low > 1:
        middle = (low + high) // 2
        chance = chance_at(middle)
        if chance >= wanted:
            high, reached = middle, chance
        else:
            low = middle
    return high, reached


def _steps(lever: Lever) -> int:
    """Whole steps of a lever up to its limit."""
    return max(math.floor(lever.limit / lever.step + 1e-9), 1)


def relative_size(network: Network, lever: Lever) -> float:
    """One unit of a lever against what there is: servers of the same stations together, or the part of a time, rate or share."""
    servers = [change for change in lever.changes if change.what == "servers" and change.add is not None]
    if servers:
        stations = {change.at for change in servers}
        there = sum(_most_servers(network, name) for name in stations)
        return sum(abs(change.add or 0.0) for change in servers) / there if there else float("nan")
    first = lever.changes[0]
    return abs(first.times - 1) if first.times is not None else abs(first.add or 0.0)


def _most_servers(network: Network, name: str) -> float:
    """Servers of a station over a week, on average."""
    station = network.station(name)
    if station.servers == UNLIMITED:
        return 0.0
    hours = sum(len(shift.days) * ((shift.end - shift.start) % 24 or 24) * shift.servers for shift in station.shifts)
    return station.servers + hours / 168


@dataclass(frozen=True)
class Needed:
    """Beds needed for one criterion (or all together): in each future, and for a probability; None: not within what was tried."""

    criterion: str
    title: str
    beds: Array
    """Shape (draws,); infinite where no number tried is enough, the least tried where that or fewer is, NaN where it could not be
    measured."""
    planned: int
    least: int
    most: int
    """The fewest and the most beds tried."""
    chance: float
    """How likely the planned beds suffice, from every draw, as the promises were judged."""

    @property
    def known(self) -> Array:
        """The needs that could be measured."""
        return self.beds[~np.isnan(self.beds)]

    @property
    def unmeasured(self) -> int:
        """Draws of the search in which the need could not be measured."""
        return len(self.beds) - len(self.known)

    def probability(self, beds: float) -> float:
        """How likely so many beds suffice, from the draws of the search; NaN where fewer or more than were tried."""
        if not self.least <= beds <= self.most or not len(self.known):
            return float("nan")
        return float((self.known <= beds + 1e-9).mean())

    def for_probability(self, wanted: float) -> int | None:
        """The fewest beds that suffice with that probability, from the draws of the search: ``least`` stands for that or fewer;
        None where it takes more than were tried, or nothing could be measured."""
        found = float(np.quantile(self.known, wanted, method="inverted_cdf")) if len(self.known) else math.inf
        return math.ceil(found - 1e-9) if math.isfinite(found) else None

    def limits(self, wanted: float) -> tuple[int | None, int | None]:
        """What can be said of the fewest beds for that probability: more than the first, at most the second.

        Both the same: that number. A None on the left: the second or fewer; on the right: more than the first. Where the draws
        of the search and all of them are at odds about the planned beds, all of them are believed.
        """
        if not len(self.known):
            return None, None
        found = self.for_probability(wanted)
        if self.chance >= wanted and (found is None or found > self.planned):
            return None, self.planned
        if self.chance < wanted and found is not None and found <= self.planned:
            return self.planned, None
        if found is None:
            return self.most, None
        return (None if found <= self.least else found), found


def needed(
    answered: Answered, lever: Lever, draws: int = SEARCH_DRAWS, progress: Callable[[int], None] | None = None
) -> tuple[Needed, ...]:
    """Beds needed by each criterion of the question that beds must suffice for, and by all of them together.

    Each future is run at every size of the lever's grid. Its need is the least size from which the criterion holds at every
    larger one, by a straight line between the two sizes it turns at; the least size of the grid where it holds at all. It is
    unknown where it hangs on what could not be measured. How likely the planned beds suffice is taken from every draw.

    Raises:
        BettercareError: the lever has no grid, or none of the promises says that beds suffice.
    """
    criteria = [one for one in answered.judged if one.promise.suffices]
    if not lever.grid or not criteria:
        raise BettercareError(
            "The beds needed cannot be worked out.",
            f"lever {lever.id}",
            "Give the lever a grid, and promises suffices: yes.",
        )
    count = min(draws, len(answered.futures.items))
    planned = answered.futures.beds_planned
    margins: dict[str, list[Array]] = {one.promise.id: [] for one in criteria}
    for size in lever.grid:
        if size == 0:
            values: Mapping[str, Array] = {one.promise.id: one.simulated[:count] for one in criteria}
        else:
            values = answered.trial.values(sized(lever.changes, size), count, progress)
        for one in criteria:
            seen = predicted(one.promise, values[one.promise.id], one.missed, answered.trial.seed)
            margins[one.promise.id].append((seen - one.bounds[:count]) * (1.0 if one.promise.upwards else -1.0))
    least, most = planned + int(lever.grid[0]), planned + int(lever.grid[-1])
    each = [
        Needed(one.promise.id, one.promise.title, planned + _turns(lever.grid, np.array(margins[one.promise.id])), planned,
               least, most, one.probability)
        for one in criteria
    ]  # fmt: skip
    together = np.max([one.beds for one in each], axis=0)
    return (*each, Needed(ALL, "All of them together", together, planned, least, most, answered.suffices))


def _turns(grid: Sequence[float], margins: Array) -> Array:
    """The size at which each column of margins [sizes, draws] turns from below 0 for good; NaN where it hangs on a margin that
    could not be measured."""
    margins = np.where(np.isfinite(margins), margins, np.nan)
    at_worst, at_best = (
        _turned(grid, margins, np.nan_to_num(margins, nan=unknown) >= -1e-12) for unknown in (-1.0, 1.0)
    )
    return np.where(at_worst == at_best, at_worst, np.nan)


def _turned(grid: Sequence[float], margins: Array, holds: NDArray[np.bool_]) -> Array:
    stays = np.flip(np.cumprod(np.flip(holds, axis=0), axis=0), axis=0).astype(bool)
    found = np.full(margins.shape[1], np.inf)
    for draw in range(margins.shape[1]):
        if not stays[-1, draw]:
            continue
        first = int(np.argmax(stays[:, draw]))
        if first == 0:
            found[draw] = grid[0]
            continue
        below, above = margins[first - 1, draw], margins[first, draw]
        part = -below / (above - below) if np.isfinite(below) and above > below else 1.0
        found[draw] = grid[first - 1] + min(max(part, 0.0), 1.0) * (grid[first] - grid[first - 1])
    return found
