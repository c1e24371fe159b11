"""Running a plan: the published case, and as many runs as are asked for, in pieces that give the same numbers however they are shared out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.model.measures import Measure
from bettercare.model.result import Result
from bettercare.model.scenarios import Scenario, compose, read_scenarios
from bettercare.model.system import UNITS, System
from bettercare.plan import Plan

Array = NDArray[np.float64]

PIECE = 1000
"""Runs evaluated at once for a plan of ordinary size; fewer for a larger one, so that memory stays level."""
SEED = 2016

Drawn = Mapping[str, tuple[Array | None, ...]]


def run(
    plan: Plan | str | Path,
    runs: int = 0,
    seed: int = SEED,
    scenarios: Iterable[str | Path | Scenario] = (),
    workers: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Result:
    """Run a plan.

    Args:
        plan: a Plan, or what :meth:`Plan.read` takes.
        runs: how many times to sample what is uncertain; 0 gives the published case alone.
        seed: the same seed gives the same numbers, on any number of workers.
        scenarios: overlays, by file, by name in the plan, or as objects.
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
    chosen = read_scenarios(plan, scenarios)
    system = System(plan, seed, compose(plan, chosen))
    published = {name: lines.lines for name, lines in system.evaluate(system.drivers.published_case()).items()}
    rows = sum(len(lines) for lines in published.values()) * len(plan.years)
    size = int(min(PIECE, max(16, 40_000_000 // max(rows, 1))))
    pieces = [(first, min(size, runs - first)) for first in range(0, runs, size)]
    drawn: dict[str, list[list[Array | None]]] = {name: [] for name in published}
    done = 0
    for piece, (_, count) in zip(_evaluate(system, pieces, workers), pieces, strict=True):
        for name, rows_of_piece in piece.items():
            drawn[name].append(list(rows_of_piece))
        done += count
        if progress is not None:
            progress(done, runs)
    measures = {
        name: Measure(
            name,
            UNITS[name],
            tuple(line.labels for line in lines),
            plan.years,
            np.array([line.values[:, 0] for line in lines]).reshape(len(lines), len(plan.years)),
            _joined(drawn[name]) if runs else None,
            tuple(line.key for line in lines),
            runs,
            tuple(line.unit for line in lines) if any(line.unit for line in lines) else (),
        )
        for name, lines in published.items()
    }
    sources = system.drivers.sources(0, runs) if runs else {}
    return Result(plan, system, seed, runs, tuple(chosen), measures, published, sources)


def _evaluate(system: System, pieces: list[tuple[int, int]], workers: int) -> Iterable[Drawn]:
    if workers == 1 or len(pieces) < 2:
        return (_piece(system, first, count) for first, count in pieces)
    from joblib import Parallel, delayed  # a second's import that one worker does not need

    return Parallel(n_jobs=workers, return_as="generator")(delayed(partial(_piece, system))(first, count) for first, count in pieces)  # type: ignore[no-any-return]


def _piece(system: System, first: int, count: int) -> Drawn:
    case = system.drivers.case(first, count)
    return {
        name: tuple(np.ascontiguousarray(line.values) if line.values.shape[1] == count and _moves(line.values) else None for line in lines.lines)
        for name, lines in system.evaluate(case).items()
    }


def _moves(values: Array) -> bool:
    """Whether a row may differ between runs: a row of one column never does."""
    return values.strides[1] != 0 if values.ndim == 2 else False


def _joined(pieces: list[list[Array | None]]) -> tuple[Array | None, ...]:
    joined: list[Array | None] = []
    for rows in zip(*pieces, strict=True):
        joined.append(None if rows[0] is None else np.concatenate([row for row in rows if row is not None], axis=1))
    # Let each piece go as soon as it has been joined.
    pieces.clear()
    return tuple(joined)
