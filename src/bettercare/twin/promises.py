"""The plan's promises under each future: what each comes to, how likely it holds, and what that hangs on."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit
from scipy.stats import rankdata

from bettercare.errors import BettercareError
from bettercare.flow import run
from bettercare.flow.measures import TOGETHER, measure
from bettercare.flow.network import Change, Network, Target
from bettercare.flow.result import Result
from bettercare.model import SEED
from bettercare.model.drivers import stream
from bettercare.twin.futures import Future, Futures
from bettercare.twin.mapping import Promise

Array = NDArray[np.float64]
Progress = Callable[[str, int, int], None]
INTERVAL = (0.05, 0.5, 0.95)
"""Nine futures in ten lie between the first and the last."""
NOW_RUNS = 20
"""Runs of the network as it is, to say what it gives now and how far it misses what was seen."""
_LEAST = 1e-4
"""Nearest a share may come to 0 or 1 when it is put on the scale of log odds."""


@dataclass(frozen=True)
class Missed:
    """How the network misses what was seen of a measure: on the scale of log odds for a share, else in its own unit.

    ``shift`` is what seen lies above simulated on average, ``sd`` how much more a single value may differ, ``degrees`` of
    freedom (0: normal) and ``compared`` the number of values seen. A prediction is simulated + shift + sd x Student's t.
    """

    measure: str
    of: tuple[str, ...]
    shift: float
    sd: float
    degrees: int
    compared: int


def missed(promise: Promise, targets: Sequence[Target], simulated: Mapping[str, float]) -> Missed:
    """How far the network is out for a promise, from the targets of the same measure and place.

    Args:
        simulated: what the network gives for each target, by id.

    With three values seen or more: their mean residual, and the standard deviation of a further one,
    s x sqrt(1 + 1/n), with n - 1 degrees of freedom. With fewer the network is not corrected and may be out by as much as it
    was, or as its tolerance. Two values of one month count once. With none the promise's own ``spread`` is all there is. So it
    is for a promise of several stations together: what is missed at one of them does not say what is missed by all. What was
    known only later than the plan is not used.
    """
    share = promise.unit == "share"
    by_period: dict[tuple[str, str], list[tuple[float, float]]] = {}
    for target in targets:
        # An assumed target was never seen: a network that meets it has not been shown to be right.
        seen = target.evidence.basis != "assumed" and target.patient == "all" and not target.later
        if seen and target.measure == promise.measure and (target.of,) == promise.of:
            value = simulated.get(target.id, float("nan"))
            if np.isfinite(value):
                pair = (
                    _scaled(target.value, share) - _scaled(value, share),
                    target.tolerance * _slope(target.value, share),
                )
                by_period.setdefault((target.of, target.period), []).append(pair)
    residuals = np.array([np.mean([one for one, _ in pairs]) for pairs in by_period.values()])
    count = len(residuals)
    if count >= 3:
        sd = float(residuals.std(ddof=1) * np.sqrt(1 + 1 / count))
        return Missed(promise.measure, promise.of, float(residuals.mean()), sd, count - 1, count)
    if count:
        tolerances = [tolerance for pairs in by_period.values() for _, tolerance in pairs]
        return Missed(promise.measure, promise.of, 0.0, float(max(np.abs(residuals).max(), *tolerances)), 0, count)
    return Missed(promise.measure, promise.of, 0.0, 0.0, 0, 0)


def _scaled(value: float, share: bool) -> float:
    if not share:
        return value
    held = min(max(value, _LEAST), 1 - _LEAST)
    return float(np.log(held / (1 - held)))


def _slope(value: float, share: bool) -> float:
    """What a share of the value is on the scale of residuals."""
    held = min(max(value, _LEAST), 1 - _LEAST)
    return value / (held * (1 - held)) if share else abs(value)


def predicted(promise: Promise, simulated: Array, missed: Missed, seed: int) -> Array:
    """Simulated values with what the network misses and the promise's ``spread`` put on: what would be seen; shape as given.

    Draw *i* is given the same error wherever it is asked for, and every promise of one measure and place the same. What the
    network misses of a share is on the scale of log odds; ``spread`` is in the measure's own unit, of shares too.
    """
    name = f"twin|missed|{promise.measure}|{','.join(promise.of)}"
    if promise.as_now is not None:
        # Held against what the same network gives now: what it misses is in both.
        return simulated
    normal = stream(seed, name, 0, len(simulated))
    own = stream(seed, f"{name}|spread", 0, len(simulated))
    error = normal if not missed.degrees else stdtrit(missed.degrees, ndtr(normal))
    share = promise.unit == "share"
    if not share:
        return np.maximum(simulated + missed.shift + missed.sd * error + promise.spread * own, 0.0)
    shares = simulated
    if missed.shift or missed.sd:
        held = np.clip(simulated, _LEAST, 1 - _LEAST)
        odds = np.log(held / (1 - held)) + missed.shift + missed.sd * error
        shares = 1 / (1 + np.exp(-odds))
    return np.asarray(np.clip(shares + promise.spread * own, 0.0, 1.0))


def measured(result: Result, promise: Promise) -> Array:
    """A promise's measure in every replication of a run; several stations together where it names several."""
    if len(promise.of) > 1 and measure(promise.measure).of != "station":
        # Outcomes and clocks are counts here: the file is held to that when it is read.
        return np.asarray(sum(result.values(promise.measure, one) for one in promise.of))
    return result.values(promise.measure, TOGETHER.join(promise.of))


@dataclass(frozen=True)
class Trial:
    """The network under the futures of a question: every value depends on the seed, the draw and the changes alone."""

    network: Network
    futures: Futures
    promises: tuple[Promise, ...]
    seed: int = SEED
    workers: int = 1

    def values(
        self, more: Sequence[Change] = (), draws: int | None = None, progress: Callable[[int], None] | None = None
    ) -> Mapping[str, Array]:
        """Each promise's measure in each future, with further changes on top, as simulated; shape (draws,)."""
        return self._each(lambda future: self.futures.network(self.network, future, more), draws, progress)

    def unchanged(self, draws: int | None = None, progress: Callable[[int], None] | None = None) -> Mapping[str, Array]:
        """The same of the network as it is, in the same days and with the luck of each draw; shape (draws,)."""
        network = replace(self.network, starts=self.futures.question.starts)
        return self._each(lambda _: network, draws, progress)

    def _each(
        self, network_in: Callable[[Future], Network], draws: int | None, progress: Callable[[int], None] | None
    ) -> Mapping[str, Array]:
        items = self.futures.items[:draws]

        def one(future: Future) -> list[float]:
            return self._one(network_in(future), future.draw)

        rows = []
        with ThreadPoolExecutor(max(self.workers, 1)) as pool:
            try:
                for number, row in enumerate(pool.map(one, items), start=1):
                    rows.append(row)
                    if progress:
                        progress(number)
            except BaseException:
                pool.shutdown(wait=True, cancel_futures=True)
                raise
        found = np.array(rows).reshape(len(items), len(self.promises))
        return {promise.id: found[:, place] for place, promise in enumerate(self.promises)}

    def _one(self, network: Network, draw: int) -> list[float]:
        question = self.futures.question
        warm = network.warm_up if question.warm_up is None else question.warm_up
        result = run(network, 1, seed_of(self.seed, draw), days=question.days, warm_up=warm)
        return [float(measured(result, promise)[0]) for promise in self.promises]


def seed_of(seed: int, draw: int) -> int:
    """The network's seed in a draw: patients and their luck differ from draw to draw and not with what is changed."""
    return (seed * 1_000_003 + draw) % 2**63


@dataclass(frozen=True)
class Judged:
    """A promise and its answer. Values are in the measure's own unit; shape (draws,)."""

    promise: Promise
    bounds: Array
    """What it is held against in each draw: one value, or what the network as it is gives with the same luck."""
    simulated: Array
    values: Array
    """What would be seen: simulated, with what the network misses."""
    missed: Missed
    now: float
    """What the network gives as it is, in the same days, uncorrected."""

    @property
    def bound(self) -> float:
        """The value it is held against; where that is the network as it is, the mean of what it gives."""
        return self.promise.bound if self.promise.bound is not None else float(_known(self.bounds).mean())

    @cached_property
    def holds(self) -> NDArray[np.bool_]:
        return meets(self.promise, self.values, self.bounds)

    @cached_property
    def measured(self) -> NDArray[np.bool_]:
        """Whether each future could be measured, and what it is held against; the others count neither way."""
        return could_measure(self.values, self.bounds)

    @property
    def unmeasured(self) -> int:
        """Futures that could not be measured."""
        return int((~self.measured).sum())

    @property
    def probability(self) -> float:
        """The share of the futures that could be measured in which it holds; NaN where none could."""
        return share_of(self.holds, self.measured)

    def interval(self) -> tuple[float, float, float]:
        """The middle and the interval nine futures in ten lie in: low, middle, high."""
        known = self.values[np.isfinite(self.values)]
        if not len(known):
            return (float("nan"),) * 3
        low, middle, high = np.quantile(known, INTERVAL)
        return float(low), float(middle), float(high)


def meets(promise: Promise, values: Array, bounds: Array) -> NDArray[np.bool_]:
    """Whether each value keeps the promise; what could not be measured does not."""
    with np.errstate(invalid="ignore"):
        return np.asarray(values >= bounds - 1e-12 if promise.upwards else values <= bounds + 1e-12)


def could_measure(values: Array, bounds: Array) -> NDArray[np.bool_]:
    return np.asarray(np.isfinite(values) & np.isfinite(bounds))


def share_of(holds: NDArray[np.bool_], measured: NDArray[np.bool_]) -> float:
    return float(holds[measured].mean()) if measured.any() else float("nan")


@dataclass(frozen=True)
class Answered:
    """A question with its promises judged, and what goes with them."""

    trial: Trial
    judged: tuple[Judged, ...]

    @property
    def futures(self) -> Futures:
        return self.trial.futures

    def of(self, promise: str) -> Judged:
        """A promise's answer by its id."""
        for one in self.judged:
            if one.promise.id == promise:
                return one
        raise BettercareError(
            f"There is no promise {promise[:60]!r}.",
            remedy=f"There are: {', '.join(one.promise.id for one in self.judged)}.",
        )

    @property
    def suffices(self) -> float:
        """The share of futures in which every criterion of beds that suffice holds, of those in which each could be measured;
        NaN where there are none, or the question has no criteria."""
        criteria = [one for one in self.judged if one.promise.suffices]
        if not criteria:
            return float("nan")
        holds = np.logical_and.reduce([one.holds for one in criteria])
        return share_of(holds, np.logical_and.reduce([one.measured for one in criteria]))

    @property
    def unmeasured(self) -> int:
        """Futures in which some criterion of beds that suffice could not be measured."""
        criteria = [~one.measured for one in self.judged if one.promise.suffices]
        return int(np.logical_or.reduce(criteria).sum()) if criteria else 0

    def drivers(self, promise: str) -> pl.DataFrame:
        """What a promise's value hangs on: driver, title, correlation (of ranks), share (its square: about how much of the
        spread goes with it), chance (whether so small a correlation may be chance); the largest first. What the network may
        miss is one of them; the rest is the luck of one year, and what drivers do together."""
        judged = self.of(promise)
        error = judged.values - judged.simulated
        return self.drivers_of(
            judged.values, error if np.isfinite(error).any() and np.nanmax(np.abs(error)) > 0 else None
        )

    def drivers_of(self, values: Array, error: Array | None = None) -> pl.DataFrame:
        """The same of any values, one for each of the first futures; infinite ones are the largest, NaN are left out."""
        known = ~np.isnan(values)
        levels = {name: self.futures.driver(name)[: len(values)] for name in self.futures.titles}
        titles = dict(self.futures.titles)
        if error is not None:
            levels["missed"], titles["missed"] = error, "What the network may miss"
        schema = {
            "driver": pl.String,
            "title": pl.String,
            "correlation": pl.Float64,
            "share": pl.Float64,
            "chance": pl.Boolean,
        }
        if known.sum() < 4 or np.unique(values[known]).size < 2:
            return pl.DataFrame(schema=schema)
        ranks = rankdata(values[known])
        least = 2 / np.sqrt(known.sum())
        rows = []
        for name, level in levels.items():
            if np.ptp(level[known]) <= 1e-12:
                continue
            found = float(np.corrcoef(rankdata(level[known]), ranks)[0, 1])
            rows.append((name, titles[name], found, found**2, abs(found) < least))
        return pl.DataFrame(rows, schema=schema, orient="row").sort("share", "driver", descending=[True, False])


@dataclass
class Base:
    """The network as it is: what it gives for the targets, and in the days of each question."""

    network: Network
    seed: int = SEED
    workers: int = 1
    runs: int = NOW_RUNS
    _targets: dict[str, float] = field(default_factory=dict)

    def targets(self) -> Mapping[str, float]:
        """What the network gives for each of its targets, by id; a target that is no measure of this run is left out."""
        if not self._targets and self.network.targets:
            result = run(self.network, self.runs, self.seed, self.workers)
            for target in self.network.targets:
                try:
                    found = result.estimate(target.measure, target.of, target.patient, target.period).mean
                except BettercareError:
                    continue
                self._targets[target.id] = found
        return self._targets

    def now(self, trial: Trial) -> Mapping[str, float]:
        """What the network as it is gives for each promise in the days asked about, on average."""
        question = trial.futures.question
        network = replace(self.network, starts=question.starts)
        warm = network.warm_up if question.warm_up is None else question.warm_up
        result = run(network, self.runs, self.seed, self.workers, days=question.days, warm_up=warm)
        return {promise.id: float(np.nanmean(_known(measured(result, promise)))) for promise in trial.promises}


def _known(values: Array) -> Array:
    known = values[np.isfinite(values)]
    return known if len(known) else np.array([np.nan])


def judge(trial: Trial, base: Base, progress: Callable[[int], None] | None = None) -> Answered:
    """Run the futures of a question and judge its promises.

    A promise held against the network as it is, is held against it draw by draw, with the same luck: a network that is not
    changed keeps it for certain.
    """
    simulated = trial.values(progress=progress)
    paired = trial.unchanged() if any(promise.as_now is not None for promise in trial.promises) else {}
    now = {ident: float(_known(values).mean()) for ident, values in paired.items()} or base.now(trial)
    targets = base.targets()
    judged = []
    for promise in trial.promises:
        out = missed(promise, base.network.targets, targets)
        values = predicted(promise, simulated[promise.id], out, trial.seed)
        bounds = paired[promise.id] if promise.bound is None else np.full(len(values), promise.bound)
        judged.append(Judged(promise, bounds, simulated[promise.id], values, out, now[promise.id]))
    return Answered(trial, tuple(judged))
