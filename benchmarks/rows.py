"""How fast the row-level mode draws, beside a plain simulation of the same model in numpy, both measured here and now.

    python benchmarks/rows.py [--runs 256] [--workers 2] [--scale 1.0] [--peer-runs 3] [--json FILE]

Target: 900,000 rows, 61 effects that avoid, 31 that shift or shorten, 256 runs, on two cores, in 30 s and 1 GiB.
Each measurement is a process of its own, so that its time holds everything (imports, reading, drawing, intervals) and
its memory is its own. ``first`` also holds the translation to machine code, which is then kept on disk; ``next`` is
every later time.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from activity_rows import BANDS, ROWS, growth_and_effects, write_rows
from numpy.typing import NDArray

from bettercare.model.row_model import chooses
from bettercare.model.rows import SEED, RowModel, RowResult, run_rows

TARGET_SECONDS, TARGET_MIB = 30.0, 1024.0
Bools = NDArray[np.bool_]


def ours(paths: dict[str, Path], runs: int, workers: int, peer_runs: int) -> dict[str, Any]:
    """Run it, ask for every cell's interval, and say what it took."""
    before, used = time.perf_counter(), time.process_time()
    result = run_rows(paths, growth_and_effects(), runs=runs, workers=workers)
    cells = result.frame.height
    return {
        "seconds": time.perf_counter() - before,
        "processor_seconds": time.process_time() - used,
        "mib": _mib(),
        "cells": cells,
        "means": _means(result, peer_runs),
    }


def peer(paths: dict[str, Path], runs: int) -> dict[str, Any]:
    """The same model one run after another in numpy: a Poisson number a row, a binomial for what is avoided, one for
    each way to shift, one for the nights of each spell. Which rows each effect chooses is worked out before the clock
    starts."""
    model = growth_and_effects()
    tables = {table: _Table(path, table, model) for table, path in paths.items()}
    rng = np.random.default_rng(1)
    names = [*(growth.name for growth in model.growth), *(effect.name for effect in model.effects)]
    uniforms = {name: model.uniforms(name, SEED, runs) for name in names}
    before, used = time.perf_counter(), time.process_time()
    totals: dict[str, list[dict[str, float]]] = {"activity": [], "bed_days": []}
    for run in range(runs):
        cells: dict[str, dict[str, float]] = {"activity": {}, "bed_days": {}}
        for table in tables.values():
            table.draw(model, {name: values[run : run + 1] for name, values in uniforms.items()}, rng, cells)
        for measure, found in cells.items():
            totals[measure].append(found)
    seconds, processor = time.perf_counter() - before, time.process_time() - used
    means = {
        f"{measure} {pod}": float(np.mean([one[pod] for one in every]))
        for measure, every in totals.items()
        for pod in sorted(every[0])
    }
    return {"seconds_a_run": seconds / runs, "processor_seconds_a_run": processor / runs, "mib": _mib(), "means": means}


class _Table:
    """A table in memory with the rows each effect chooses."""

    def __init__(self, path: Path, table: str, model: RowModel) -> None:
        frame = pl.read_parquet(path)
        pods = {"elective": "elective", "day-case": "day-case", "emergency": "non-elective", "maternity": "maternity"}
        pod = (
            pl.col("admission_method").replace_strict(pods)
            if table == "inpatients"
            else pl.lit("outpatient" if table == "outpatients" else table)
        )
        edges = model.band_edges()
        frame = frame.with_columns(pod.alias("pod"))
        self.pods = sorted({*frame["pod"].unique(), "day-case", "outpatient"})
        self.pod = frame["pod"].replace_strict({pod: number for number, pod in enumerate(self.pods)}).to_numpy()
        band = np.searchsorted(edges, frame["age"].to_numpy(), side="right") - 1
        sex = (frame["sex"] == "female").to_numpy().astype(int)
        site = frame["site"].cast(pl.Categorical).to_physical().to_numpy().astype(int)
        self.place = (site * 2 + sex) * len(BANDS) + band
        self.width = int(self.place.max()) + 1
        self.stay = frame["length_of_stay"].to_numpy() if table == "inpatients" else None

        def rows(where: Any) -> NDArray[np.intp]:
            return np.flatnonzero(frame.select(chooses(where, frame.schema, "", "")).to_series().to_numpy())

        self.lines = [
            (growth.name, line.factor, rows(line.where))
            for growth in model.growth
            for line in growth.lines
            if line.table in ("", table)
        ]
        self.effects = [(effect, rows(effect.where)) for effect in model.effects if effect.table == table]

    def draw(
        self, model: RowModel, uniform: dict[str, Any], rng: np.random.Generator, cells: dict[str, dict[str, float]]
    ) -> None:
        factor = np.ones(self.pod.size)
        for name, size, rows in self.lines:
            factor[rows] *= size.draw(uniform[name], 0.0, 100.0, "")[0]
        times = rng.poisson(factor)
        share = {effect.name: effect.size.draw(uniform[effect.name], 0.0, 1.0, "")[0] for effect, _ in self.effects}
        left = np.ones(self.pod.size)
        for effect, rows in self.effects:
            if effect.kind == "avoid":
                left[rows] *= 1 - share[effect.name]
        times = rng.binomial(times, left)
        for effect, rows in self.effects:
            if effect.kind == "shift":
                moved = rng.binomial(times[rows], share[effect.name])
                times[rows] -= moved
                if effect.becomes != "tele":
                    pod = effect.becomes.partition("/")[0]
                    self._add(cells["activity"], np.full(rows.size, self.pods.index(pod)), self.place[rows], moved)
                else:
                    self._add(cells["activity"], self.pod[rows], self.place[rows], moved)
        self._add(cells["activity"], self.pod, self.place, times)
        if self.stay is None:
            return
        # Every spell drawn is a row of its own from here.
        spell = np.repeat(np.arange(times.size), times)
        nights = self.stay[spell]
        keep = np.ones(self.pod.size)
        for effect, rows in self.effects:
            if effect.kind == "shorten" and effect.how == "days" and effect.first_days is None:
                keep[rows] *= 1 - share[effect.name]
        first: dict[int, NDArray[np.float64]] = {}
        for effect, rows in self.effects:
            if effect.first_days is not None:
                first.setdefault(effect.first_days, np.ones(self.pod.size))[rows] *= 1 - share[effect.name]
        early = np.zeros_like(nights)
        done = 0
        for reach in sorted(first):
            days = np.minimum(nights, reach) - np.minimum(nights, done)
            inner = np.prod([first[other][spell] for other in first if other >= reach], axis=0)
            early += rng.binomial(days, inner * keep[spell])
            done = reach
        kept = early + rng.binomial(np.maximum(nights - done, 0), keep[spell])
        for effect, rows in self.effects:
            if effect.how == "same-day":
                chosen = np.zeros(self.pod.size, dtype=bool)
                chosen[rows] = True
                kept[chosen[spell] & (rng.random(spell.size) < share[effect.name])] = 0
        self._add(cells["bed_days"], self.pod[spell], self.place[spell], kept)

    def _add(self, totals: dict[str, float], pod: NDArray[Any], place: NDArray[Any], what: NDArray[Any]) -> None:
        # Into cells by point of delivery, band, sex and site, as ours are; the totals are for comparison.
        counts = np.bincount(pod * self.width + place, weights=what, minlength=len(self.pods) * self.width)
        for number, total in enumerate(counts.reshape(len(self.pods), -1).sum(axis=1)):
            if total:
                totals[self.pods[number]] = totals.get(self.pods[number], 0.0) + float(total)


def _means(result: RowResult, runs: int) -> dict[str, float]:
    """Means of the runs the peer makes too, with the same sizes: the two differ by the chance of the draws alone."""
    return {
        f"{measure} {pod}": float(value)
        for measure in ("activity", "bed_days")
        for pod, value in result.draws(measure, by="pod")
        .filter(pl.col("run") < runs)
        .group_by("pod")
        .agg(pl.col("value").mean())
        .sort("pod")
        .iter_rows()
    }


def _mib() -> float:
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss) / 1024


def _measured(task: str, folder: Path, options: argparse.Namespace, cache: Path) -> dict[str, Any]:
    before = time.perf_counter()
    command = [sys.executable, __file__, "--task", task, "--folder", str(folder)]
    for name in ("runs", "workers", "peer_runs"):
        command += [f"--{name.replace('_', '-')}", str(getattr(options, name))]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={**os.environ, "NUMBA_CACHE_DIR": str(cache)}
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    found["whole_seconds"] = time.perf_counter() - before
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=256)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--scale", type=float, default=1.0, help="share of the 900,000 rows")
    parser.add_argument("--peer-runs", type=int, default=3)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--task", choices=["ours", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        paths = {table: options.folder / f"{table}.parquet" for table in ROWS}
        print(
            json.dumps(
                ours(paths, options.runs, options.workers, options.peer_runs)
                if options.task == "ours"
                else peer(paths, options.peer_runs)
            )
        )
        return
    with tempfile.TemporaryDirectory() as folder:
        write_rows(Path(folder), options.scale)
        load = os.getloadavg()[0]
        cache = Path(folder) / "compiled"
        first = _measured("ours", Path(folder), options, cache)
        again = [_measured("ours", Path(folder), options, cache) for _ in range(3)]
        best = min(again, key=lambda one: float(one["whole_seconds"]))
        plain = _measured("peer", Path(folder), options, cache)
    rows = sum(max(1, int(count * options.scale)) for count in ROWS.values())
    print(
        f"{rows:,} rows, {options.runs} runs, {options.workers} workers; "
        f"load before: {load:.2f} on {os.cpu_count()} cores"
    )
    for name, one in (("first", first), *((f"next {number}", one) for number, one in enumerate(again, start=1))):
        print(
            f"  {name:7} {one['whole_seconds']:6.1f} s in all, {one['seconds']:6.1f} s of it running, "
            f"{one['processor_seconds']:6.1f} processor seconds, {one['mib']:6.0f} MiB at most, {one['cells']:,} cells"
        )
    spent = best["processor_seconds"] / options.runs
    print(f"  a run: {spent * 1000:.1f} ms of processor time, {spent / rows * 1e9:.1f} ns a row")
    peer_seconds = plain["seconds_a_run"] * options.runs
    print(
        f"  numpy, one run after another: {plain['seconds_a_run']:.2f} s a run (from {options.peer_runs}), so "
        f"{peer_seconds:.0f} s for {options.runs} on one core, {peer_seconds / 2:.0f} s on two; {plain['mib']:.0f} MiB"
    )
    ratio = plain["processor_seconds_a_run"] / spent
    print(f"  ratio of processor time, numpy to ours: {ratio:.1f}")
    print(
        f"  means of the first {options.peer_runs} runs, numpy and ours (same sizes, so they differ by chance alone):"
    )
    for name, value in plain["means"].items():
        print(f"    {name:30} {value:12,.0f} {best['means'][name]:12,.0f}")
    met = best["whole_seconds"] <= TARGET_SECONDS and best["mib"] <= TARGET_MIB
    print(f"  target {TARGET_SECONDS:.0f} s and {TARGET_MIB:.0f} MiB: {'met' if met else 'MISSED'}")
    if options.json:
        found = {"rows": rows, "runs": options.runs, "workers": options.workers, "load": load}
        options.json.write_text(
            json.dumps(found | {"first": first, "next": again, "peer": plain, "ratio": ratio}, indent=1)
        )


if __name__ == "__main__":
    main()
