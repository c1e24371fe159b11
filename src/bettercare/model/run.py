"""Running a plan: the published case, and as many runs as are asked for, in pieces that give the same numbers however they are shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.model.measures import Draws, Measure, Sampled
from bettercare.model.result import Result
from bettercare.model.scenarios import Scenario, compose, read_scenarios
from bettercare.model.system import UNITS, System
from bettercare.plan import Plan

Array = NDArray[np.float64]

PIECE = 1000
"""Runs evaluated at once for a plan of ordinary size; fewer for a larger one, so that memory stays level."""
SEED = 2016

Drawn = tuple[tuple[Array, ...], Mapping[str, tuple[int | None, ...]]]
"""The arrays of a piece, each once; and for each measure which of them is the row's, None where nothing moves it."""


def run(
    plan: Plan | str | Path,
    runs: int = 0,
    seed: int = SEED,
    scenarios: str | Path | Scenario | Iterable[str | Path | Scenario] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a plan.

    Args:
        plan: a Plan, or what :meth:`Plan.read` takes.
        runs: how many times to sample what is uncertain; 0 gives the published case alone.
        seed: the same seed gives the same numbers, on any number of workers.
        scenarios: one or more overlays, by file, by name in the plan, or as objects.
        workers: processes to share the runs between.
        progress: called with (runs done, runs asked).

    Raises:
        BettercareError: the plan or a scenario cannot be used, saying why.
    """
    if not 0 <= runs <= 1_000_000:
        raise BettercareError(f"{runs} runs cannot be made.", remedy="Ask for 0 to 1,000,000.")
    if workers < 1:
        raise BettercareError(f"{workers} workers cannot be used.", remedy="Ask for 1 or more.")
    if not isinstance(plan, Plan):
        plan = Plan.read(plan)
    chosen = read_scenarios(plan, (scenarios,) if isinstance(scenarios, (str, Path, Scenario)) else scenarios)
    system = System(plan, seed, compose(plan, chosen))
    published = {name: lines.lines for name, lines in system.evaluate(system.drivers.published_case()).items()}
    rows = sum(len(lines) for lines in published.values()) * len(plan.years)
    size = int(min(PIECE, max(16, 40_000_000 // max(rows, 1))))
    pieces = [(first, min(size, runs - first)) for first in range(0, runs, size)]
    draws: Draws | None = None
    index: Mapping[str, tuple[int | None, ...]] = {}
    for (values, rows_of), (first, count) in zip(_evaluate(system, pieces, workers), pieces, strict=True):
        if draws is None:
            draws, index = Draws(len(values), len(plan.years), runs), rows_of
        draws.put(first, values)
        if progress is not None:
            progress(first + count, runs)
    measures = {
        name: Measure(
            name,
            UNITS[name],
            tuple(line.labels for line in lines),
            plan.years,
            np.array([line.values[:, 0] for line in lines]).reshape(len(lines), len(plan.years)),
            Sampled(draws, index[name]) if draws is not None else None,
            tuple(line.key for line in lines),
            runs,
            tuple(line.unit for line in lines) if any(line.unit for line in lines) else (),
        )
        for name, lines in published.items()
    }
    return Result(plan, system, seed, runs, tuple(chosen), measures, published, system.drivers.sources(0, runs))


def _evaluate(system: System, pieces: list[tuple[int, int]], workers: int) -> Iterable[Drawn]:
    if workers == 1 or len(pieces) < 2:
        return (_piece(system, first, count) for first, count in pieces)
    from joblib import Parallel, delayed  # a second's import that one worker does not need

    jobs = [delayed(partial(_piece, system))(first, count) for first, count in pieces]  # type: ignore[no-untyped-call]
    shared: Iterable[Drawn] = Parallel(n_jobs=workers, return_as="generator")(jobs)  # type: ignore[no-untyped-call]
    return shared


def _piece(system: System, first: int, count: int) -> Drawn:
    # Two runs at least, so that a row nothing moves (one column) is told from one that moves.
    case = system.drivers.case(first, max(count, 2))
    arrays: list[Array] = []
    known: dict[int, int] = {}
    index: dict[str, tuple[int | None, ...]] = {}
    for name, lines in system.evaluate(case).items():
        rows: list[int | None] = []
        for line in lines.lines:
            if line.values.shape[1] == 1:
                rows.append(None)
                continue
            # One array may be a row of several measures: a saving is less gap and less cost.
            if id(line.values) not in known:
                known[id(line.values)] = len(arrays)
                arrays.append(line.values)
            rows.append(known[id(line.values)])
        index[name] = tuple(rows)
    return tuple(np.ascontiguousarray(values[:, :count]) for values in arrays), index
