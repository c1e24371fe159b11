"""Turn a network's knobs until a run says what was seen.

Only the targets that are not held out are fitted. The knobs move between their limits and no further. The method is that of
Levenberg and Marquardt: the slope of every target in every knob is taken from runs with the same luck, which differ by the
knob alone, a linear least-squares problem within the limits gives the next step, and Broyden's rule keeps the slopes up to
date between (Nocedal and Wright, Numerical Optimization, chapters 10 and 11). What comes out is checked with other luck.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from scipy.optimize import lsq_linear

from bettercare.errors import BettercareError
from bettercare.flow.measures import measure
from bettercare.flow.network import Change, Knob, Network, Target
from bettercare.flow.network_file import write_network
from bettercare.flow.result import Estimate, Result
from bettercare.flow.run import SEED, run
from bettercare.flow.scenarios import changed

Floats = np.ndarray[Any, np.dtype[np.float64]]
Progress = Callable[[str, int, int], None]
# The type checker takes the function for the module it is in.
_least_squares: Any = lsq_linear
STEPS = 8
"""Steps tried at most."""
_NUDGE = 0.08
"""How far a knob is turned to see what it does, as a share of the way between its limits."""
_PULL = 0.05
"""How strongly a knob that no target needs is held where it was (1 would weigh as much as a target missed by its tolerance)."""
_LIMIT = 0.005
"""A knob this near a limit (share of the way between them) is at it."""


@dataclass(frozen=True)
class Setting:
    """Where a knob stood and where calibration left it."""

    knob: Knob
    before: float
    after: float

    @property
    def at_limit(self) -> bool:
        """Whether it would perhaps have been turned further."""
        position = _position(self.knob, self.after)
        return position <= _LIMIT or position >= 1 - _LIMIT


@dataclass(frozen=True)
class Residual:
    """A target beside what the network made of it before and after."""

    target: Target
    before: Estimate
    after: Estimate

    @property
    def difference(self) -> float:
        """Modelled less seen, in the target's unit."""
        return self.after.mean - self.target.value

    @property
    def agrees(self) -> bool:
        """Whether the mean lies within the target's tolerance; nothing to measure does not agree."""
        return _agrees(self.target, self.after.mean)


@dataclass(frozen=True)
class Calibration:
    """What calibration found: the network with its knobs turned, and every target before and after."""

    network: Network
    settings: tuple[Setting, ...]
    residuals: tuple[Residual, ...]
    replications: int
    """Of the check; ``fitted_with`` of them for each run of the search."""
    fitted_with: int
    runs: int
    """Runs of the search."""
    misfit: tuple[float, float]
    """Before and after, in the check: weighted mean square of (modelled - seen) / tolerance over the fitted targets."""

    @property
    def unmet(self) -> tuple[str, ...]:
        """A sentence for each fitted target that cannot be met between the limits of the knobs."""
        stuck = [setting.knob.title for setting in self.settings if setting.at_limit]
        why = (
            f"At their limits: {', '.join(stuck)}."
            if stuck
            else "No knob is at its limit: other targets pull against it."
        )
        return tuple(
            f"{residual.target.title}: seen {residual.target.value:g}, modelled {residual.after.mean:.4g}. {why}"
            for residual in self.residuals
            if not residual.target.held_out and not residual.agrees
        )

    def settings_table(self) -> pl.DataFrame:
        """A row a knob: knob, title, before, after, low, high, at_limit."""
        return pl.DataFrame(
            [
                (s.knob.id, s.knob.title, s.before, s.after, s.knob.low, s.knob.high, s.at_limit)
                for s in self.settings
            ],
            schema={
                "knob": pl.String, "title": pl.String, "before": pl.Float64, "after": pl.Float64,
                "low": pl.Float64, "high": pl.Float64, "at_limit": pl.Boolean,
            },
            orient="row",
        )  # fmt: skip

    def residuals_table(self) -> pl.DataFrame:
        """A row a target: what it is of, seen, before, modelled with its 95% interval, difference, agrees, held_out."""
        return pl.DataFrame(
            [
                (
                    r.target.id, r.target.title, r.target.measure, r.target.of, r.target.patient, r.target.period,
                    r.target.value, r.target.tolerance, r.before.mean, r.after.mean, r.after.low, r.after.high,
                    r.difference, r.agrees, r.target.held_out, r.target.evidence.basis,
                )
                for r in self.residuals
            ],
            schema={
                "target": pl.String, "title": pl.String, "measure": pl.String, "of": pl.String, "patient": pl.String,
                "period": pl.String, "seen": pl.Float64, "tolerance": pl.Float64, "before": pl.Float64,
                "modelled": pl.Float64, "low": pl.Float64, "high": pl.Float64, "difference": pl.Float64,
                "agrees": pl.Boolean, "held_out": pl.Boolean, "basis": pl.String,
            },
            orient="row",
        )  # fmt: skip

    def write(self, path: Path) -> Path:
        """Write the calibrated network; the knobs start from 1 again where they multiply.

        Raises:
            BettercareError: the file cannot be written.
        """
        return write_network(self.network, path)


def calibrate(
    network: Network,
    replications: int = 20,
    seed: int = SEED,
    workers: int = 1,
    progress: Progress | None = None,
    days: int | None = None,
    warm_up: int | None = None,
) -> Calibration:
    """Fit the network's knobs to its targets.

    Args:
        network: with knobs, and at least one target that is not held out. It is not changed.
        replications: of the check before and after; the search uses a quarter of them (at least 2) for each of its runs.
        seed: the search has its luck from it, the check from the next; the same seed gives the same answer.
        workers: as in a run; the answer does not depend on it.
        progress: called with (what, done, of).
        days, warm_up: instead of the network's own.

    Raises:
        BettercareError: nothing to turn, nothing to fit, a target or knob that does not fit the network, or the network
            as it stands cannot be run.
    """
    _check(network)
    if not 2 <= replications <= 100_000:
        raise BettercareError(f"{replications} replications cannot check a fit.", remedy="Ask for 2 to 100,000.")
    few = min(max(2, replications // 4), replications)
    search = _Search(network, few, seed, workers, progress, days, warm_up)
    best = search.best()
    start = np.array([_start(knob) for knob in network.knobs])
    found = search.values(best)

    def checked(values: Floats, name: str) -> Result:
        fitted = turned(network, values)
        # Luck that the search has not seen, so that the check is not of the noise that was fitted.
        told = None if progress is None else lambda _, done, of: progress(name, done, of)
        return run(fitted, replications, seed + 1, workers, days=days, warm_up=warm_up, progress=told)

    before, after = checked(start, "Checking before"), checked(found, "Checking after")
    residuals = tuple(Residual(t, _estimate(before, t), _estimate(after, t)) for t in network.targets)
    settings = tuple(
        Setting(knob, float(old), float(new)) for knob, old, new in zip(network.knobs, start, found, strict=True)
    )
    misfit = (
        _misfit([(r.target, r.before.mean) for r in residuals]),
        _misfit([(r.target, r.after.mean) for r in residuals]),
    )
    return Calibration(turned(network, found), settings, residuals, replications, few, search.runs, misfit)


def turned(network: Network, values: Sequence[float] | Floats) -> Network:
    """The network with its knobs at these values, one for each in order."""
    return changed(network, [_change(knob, float(value)) for knob, value in zip(network.knobs, values, strict=True)])


def _change(knob: Knob, value: float) -> Change:
    if knob.change.to is None:
        return replace(knob.change, times=value)
    # There is no half server; what times leaves is rounded where it is applied.
    whole = knob.change.what in {"servers", "queue"}
    return replace(knob.change, to=float(math.floor(value + 0.5)) if whole else value)


def _check(network: Network) -> None:
    if not network.knobs:
        raise BettercareError(f"The network {network.id} has no knobs to turn.", remedy="Add a section knobs.")
    for knob in network.knobs:
        if knob.change.add is not None:
            raise BettercareError("A knob cannot add.", f"knob {knob.id}", "Write times or to.")
        if not (math.isfinite(knob.low) and math.isfinite(knob.high) and 0 <= knob.low < knob.high):
            raise BettercareError(
                f"{knob.low:g} to {knob.high:g} is no room to turn.", f"knob {knob.id}", "Write a low below a high."
            )
        if not knob.low <= _start(knob) <= knob.high:
            what = f"It stands at {_start(knob):g}, outside {knob.low:g} to {knob.high:g}."
            raise BettercareError(what, f"knob {knob.id}", "Widen its limits.")
    for target in network.targets:
        numbers = (target.value, target.weight, target.tolerance)
        if not all(map(math.isfinite, numbers)) or target.weight < 0 or target.tolerance < 0:
            what = "Its value, tolerance or weight is no number, or is negative where it may not be."
            raise BettercareError(what, f"target {target.id}", "Write a number, from 0 for tolerance and weight.")
        try:
            measure(target.measure)
        except BettercareError as error:
            raise BettercareError(error.what, f"target {target.id}", error.remedy) from None
    if not any(not target.held_out and target.weight > 0 for target in network.targets):
        remedy = "Add a section targets, with one that is not held_out and has a weight."
        raise BettercareError(f"The network {network.id} has no targets to fit.", remedy=remedy)


def _start(knob: Knob) -> float:
    """Where a knob stands: what it is set to, or times as much (once, unless it says otherwise)."""
    if knob.change.to is not None:
        return float(knob.change.to)
    return 1.0 if knob.change.times is None else float(knob.change.times)


def _position(knob: Knob, value: float) -> float:
    """Where a value lies between the limits, 0 to 1: on a logarithmic scale, or a straight one when the low limit is 0."""
    if knob.low > 0:
        return math.log(value / knob.low) / math.log(knob.high / knob.low)
    return (value - knob.low) / (knob.high - knob.low)


def _value(knob: Knob, position: float) -> float:
    if knob.low > 0:
        found = knob.low * math.exp(position * math.log(knob.high / knob.low))
    else:
        found = knob.low + position * (knob.high - knob.low)
    return min(max(found, knob.low), knob.high)


def _scale(target: Target) -> float:
    """What a target may be missed by; a thousandth where no tolerance is given, so that an exact target can be fitted."""
    return max(target.tolerance * abs(target.value), abs(target.value) / 1000, 1e-9)


def _agrees(target: Target, mean: float) -> bool:
    return abs(mean - target.value) <= target.tolerance * abs(target.value) + 1e-12


def _misfit(pairs: Sequence[tuple[Target, float]]) -> float:
    fitted = [(t.weight, (mean - t.value) / _scale(t)) for t, mean in pairs if not t.held_out and not math.isnan(mean)]
    total = sum(weight for weight, _ in fitted)
    return sum(weight * miss**2 for weight, miss in fitted) / total if total else math.nan


def _estimate(result: Result, target: Target) -> Estimate:
    try:
        return result.estimate(target.measure, target.of, target.patient, target.period)
    except BettercareError as error:
        raise BettercareError(error.what, f"target {target.id}", error.remedy) from None


class _Search:
    """The search for the best positions of the knobs, each from 0 (its low limit) to 1 (its high)."""

    def __init__(
        self, network: Network, replications: int, seed: int, workers: int, progress: Progress | None,
        days: int | None, warm_up: int | None,
    ) -> None:  # fmt: skip
        self.network = network
        self.targets = [target for target in network.targets if not target.held_out and target.weight > 0]
        self.runs = 0
        self._replications, self._seed, self._workers = replications, seed, workers
        self._days, self._warm_up, self._progress = days, warm_up, progress
        self._most = 1 + len(network.knobs) * 2 + STEPS
        self._begin = np.array([_position(knob, _start(knob)) for knob in network.knobs])

    def values(self, positions: Floats) -> Floats:
        """Knob values; one that was not turned has exactly the value it had."""
        return np.array(
            [
                _start(knob) if position == begin else _value(knob, float(position))
                for knob, position, begin in zip(self.network.knobs, positions, self._begin, strict=True)
            ]
        )

    def missed(self, positions: Floats) -> Floats:
        """By how much each target is missed, in tolerances times the root of its weight: [targets]; NaN: nothing to measure."""
        self.runs += 1
        if self._progress:
            self._progress("Fitting", min(self.runs, self._most), self._most)
        network = turned(self.network, self.values(positions))
        result = run(network, self._replications, self._seed, self._workers, days=self._days, warm_up=self._warm_up)
        return np.array([math.sqrt(t.weight) * (_estimate(result, t).mean - t.value) / _scale(t) for t in self.targets])

    def tried(self, positions: Floats) -> Floats | None:
        """The same, or None where the network so turned cannot be run (a line without end, a deadlock)."""
        try:
            return self.missed(positions)
        except BettercareError:
            return None

    def best(self) -> Floats:
        at = self._begin.copy()
        missed = self.missed(at)
        known = ~np.isnan(missed)
        if not known.any():
            what = "None of the targets to fit can be measured in this network."
            raise BettercareError(what, remedy="Look at the stations, clocks and months they name.")
        slopes = self._slopes(at, missed)
        damping, fresh = 0.1, True
        for _ in range(STEPS):
            cost = self._cost(at, missed, known)
            step = self._step(at, missed, slopes, damping, known)
            if np.abs(step).max() < 1e-3:
                break
            there = np.clip(at + step, 0.0, 1.0)
            found = self.tried(there)
            better = found is not None and not np.isnan(found[known]).any() and self._cost(there, found, known) < cost
            if found is not None and not np.isnan(found[known]).any():
                slopes = _broyden(slopes, there - at, np.nan_to_num(found - missed))
            if better and found is not None:
                gained = cost - self._cost(there, found, known)
                at, missed, damping, fresh = there, found, damping / 3, False
                if gained < 0.005 * cost:
                    break
            else:
                damping *= 6
                if damping > 500:
                    if fresh:
                        break
                    slopes, damping, fresh = self._slopes(at, missed), 0.1, True
        return at

    def _cost(self, at: Floats, missed: Floats, known: Floats) -> float:
        return float((missed[known] ** 2).sum() + (_PULL * (at - self._begin) ** 2).sum())

    def _slopes(self, at: Floats, missed: Floats) -> Floats:
        """[targets, knobs], from one run a knob with the same luck; 0 for a knob that cannot be turned either way."""
        slopes = np.zeros((len(missed), len(at)))
        for knob, position in enumerate(at):
            first = _NUDGE if position + _NUDGE <= 1 else -_NUDGE
            for turn in (first, -first):
                there = at.copy()
                there[knob] = position + turn
                if not 0 <= there[knob] <= 1:
                    continue
                found = self.tried(there)
                if found is not None:
                    slopes[:, knob] = np.nan_to_num((found - missed) / turn)
                    break
        return slopes

    def _step(self, at: Floats, missed: Floats, slopes: Floats, damping: float, known: Floats) -> Floats:
        knobs = len(at)
        rows = np.vstack([slopes[known], math.sqrt(damping) * np.eye(knobs), math.sqrt(_PULL) * np.eye(knobs)])
        right = np.concatenate([-missed[known], np.zeros(knobs), math.sqrt(_PULL) * (self._begin - at)])
        low, high = -at, 1.0 - at
        # A knob at its limit still needs a sliver of room on that side for the solver.
        solved = _least_squares(rows, right, bounds=(np.minimum(low, -1e-9), np.maximum(high, 1e-9)), method="bvls")
        return np.clip(np.asarray(solved.x, dtype=np.float64), low, high)


def _broyden(slopes: Floats, step: Floats, change: Floats) -> Floats:
    """The slopes changed as little as explains what the step did."""
    length = float(step @ step)
    return slopes if length <= 0 else slopes + np.outer(change - slopes @ step, step) / length
