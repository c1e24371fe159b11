"""How fast the system model runs, how much memory it takes, and how both grow, beside a plain program of the same arithmetic.

    python benchmarks/model.py [--quick] [--folder benchmarks/results]

Limits: 1,000 runs of the LLR plan in 2 s and 10,000 in 15 s, under 1 GiB and level in the number of runs; cost linear in runs, schemes and
organisations up to a hundred times the plan. Each measurement is a process of its own, so that its time holds everything (start, imports,
reading the plan, sampling, the gap with its interval) and its memory is its own. Times are the best of three.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

PLAN = "llr-stp-2016"
LIMITS = {1_000: 2.0, 10_000: 15.0}
"""Seconds by number of runs."""
MIB = 1024.0
RUNS = (0, 1_000, 10_000, 100_000)
SIZES = (1, 3, 10, 30, 100)
SIZED_RUNS = 64
PEER_RUNS = 200

Figures = dict[str, Any]


# -- in a process of its own ---------------------------------------------------------------------------------------


def measure(task: str, amount: int, workers: int) -> Figures:
    """One measurement: what it took, in the parts that matter."""
    from bettercare import Plan, run

    plan = Plan.read(PLAN)
    if task == "peer":
        return peer(plan, amount)
    if task in ("systems", "schemes"):
        from enlarged import more_schemes, more_systems

        plan = {"systems": more_systems, "schemes": more_schemes}[task](plan, amount)
    before, used = time.perf_counter(), time.process_time()
    result = run(plan, runs=amount if task == "runs" else SIZED_RUNS, workers=workers)
    ran, spent = time.perf_counter() - before, time.process_time() - used
    before = time.perf_counter()
    bridge = result.bridge("gap")
    asked = time.perf_counter() - before
    return {
        "running": ran, "processor": spent, "bridge": asked, "mib": _mib(), "gap": float(bridge["published_case"][-1]),
        "schemes": len(plan.schemes), "organisations": len(plan["organisations"]), "rows": sum(len(it.keys) for it in result.measures.values()),
    }  # fmt: skip


def peer(plan: Any, runs: int) -> Figures:
    """The plain program, and how far apart the two stand (they share neither code nor draws, so by chance alone)."""
    import numpy as np
    from plain_model import PlainModel

    from bettercare import run

    plain = PlainModel(plan)
    plain.run(runs)
    ours = run(plan, runs=20_000)
    found: Figures = {"seconds_a_run": plain.seconds_each, "runs": runs, "mib": _mib()}
    for name, mine, its, planned in (
        ("acute beds", ours.beds.sample(organisation="uhl"), np.array(plain.beds), plain.as_planned[0]),
        ("gap", ours.gap.sample(), np.array(plain.gaps), plain.as_planned[1]),
    ):
        found[name] = {
            "mean": float(mine.mean()), "plain_mean": float(its.mean()), "apart_in_standard_errors": float((its.mean() - mine.mean()) / (its.std() / runs**0.5)),
            "as_planned": planned,
        }  # fmt: skip
    found["gap"]["ours_as_planned"] = ours.gap.total()
    found["acute beds"]["ours_as_planned"] = ours.beds.total(organisation="uhl")
    return found


def _mib() -> float:
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


# -- all of them ---------------------------------------------------------------------------------------------------


def measured(task: str, amount: int, workers: int = 1, times: int = 3) -> Figures:
    """The best of some processes, with the whole of its wall time."""
    found = []
    for _ in range(times):
        before = time.perf_counter()
        command = [sys.executable, __file__, "--task", task, "--amount", str(amount), "--workers", str(workers)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        found.append(json.loads(done.stdout.splitlines()[-1]) | {"seconds": time.perf_counter() - before})
    best: Figures = min(found, key=lambda one: float(one["seconds"]))
    return best | {"running": min(one["running"] for one in found)} if "running" in best else best


def slope(amounts: list[float], costs: list[float]) -> float:
    """The power of the amount that cost grows with between the two largest amounts: 1 is linear."""
    import math

    return math.log(costs[-1] / costs[-2]) / math.log(amounts[-1] / amounts[-2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="sizes up to 10 and one process each")
    parser.add_argument("--task", choices=["runs", "systems", "schemes", "peer"], help=argparse.SUPPRESS)
    parser.add_argument("--amount", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(measure(options.task, options.amount, options.workers)))
        return
    times, sizes = (1, SIZES[:3]) if options.quick else (3, SIZES)
    load = os.getloadavg()[0]
    found: Figures = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": round(load, 2)},
        "runs": {runs: measured("runs", runs, times=times) for runs in RUNS},
        "two_workers": {runs: measured("runs", runs, workers=2, times=times) for runs in LIMITS},
        "systems": {size: measured("systems", size, times=times if size < 30 else 1) for size in sizes},
        "schemes": {size: measured("schemes", size, times=times if size < 30 else 1) for size in sizes},
        "peer": measured("peer", PEER_RUNS, times=1),
    }
    text = table(found)
    print(text)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "model.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.folder / "model.md").write_text(text, encoding="utf-8")
    from scaling_plot import scaling_plot

    (options.folder / "scaling.svg").write_text(scaling_plot(found), encoding="utf-8")


def table(found: Figures) -> str:
    """The measurements as a page of Markdown."""
    machine = found["machine"]
    lines = [
        "# The system model: time and memory", "",
        f"Python {machine['python']} on {machine['cores']} cores; load before: {machine['load_before']}. Made by `python benchmarks/model.py`.", "",
        f"## Runs of {PLAN}", "",
        "| runs | whole process, s | of it running, s | on two workers, s | most memory, MiB | limit | part of limit used |",
        "|---:|---:|---:|---:|---:|---|---:|",
    ]  # fmt: skip
    for runs, one in found["runs"].items():
        limit = LIMITS.get(runs)
        two = found["two_workers"].get(runs)
        used = max(one["seconds"] / limit, one["mib"] / MIB) if limit else None
        lines.append(
            f"| {runs:,} | {one['seconds']:.2f} | {one['running']:.2f} | {two['seconds']:.2f} | {one['mib']:.0f} | {limit:.0f} s, {MIB:.0f} MiB | {used:.0%} |"
            if limit and two and used is not None
            else f"| {runs:,} | {one['seconds']:.2f} | {one['running']:.2f} | | {one['mib']:.0f} | | |"
        )
    for name, what in (
        ("systems", "More systems like it, side by side"),
        ("schemes", "More schemes in it, each a part of the size"),
    ):
        lines += [
            "", f"## {what} ({SIZED_RUNS} runs)", "",
            "| times | schemes | organisations | rows of results | running, s | s for each time | most memory, MiB |", "|---:|---:|---:|---:|---:|---:|---:|",
        ]  # fmt: skip
        for size, one in found[name].items():
            lines.append(
                f"| {size} | {one['schemes']:,} | {one['organisations']:,} | {one['rows']:,} | {one['running']:.2f} "
                f"| {one['running'] / size:.3f} | {one['mib']:.0f} |"
            )
    runs = found["runs"]
    powers = {
        "runs": slope([10_000, 100_000], [runs[10_000]["running"], runs[100_000]["running"]]),
        **{
            name: slope(list(found[name]), [one["running"] for one in found[name].values()])
            for name in ("systems", "schemes")
        },
    }
    plain = found["peer"]
    each = runs[10_000]["running"] / 10_000
    lines += [
        "", "Cost grows with the power " + ", ".join(f"{power:.2f} of {name}" for name, power in powers.items()) + " between the two largest (1 is linear).",
        "", "## Beside a plain program", "",
        f"The same bed and gap arithmetic written as a loop over runs, one number at a time: {plain['seconds_a_run'] * 1000:.1f} ms a run, "
        f"against {each * 1e6:.0f} microseconds a run here (10,000 runs, every measure and year): {plain['seconds_a_run'] / each:.0f} times as fast.", "",
        "The two share neither code nor draws. As planned they give the same, and their means differ as chance has it:", "",
        "| | as planned, plain | as planned, here | mean, plain | mean, here | apart, standard errors |", "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    for name, scale, unit in (("acute beds", 1.0, ""), ("gap", 1e6, " GBP m")):
        one = plain[name]
        lines.append(
            f"| {name}{unit} | {one['as_planned'] / scale:,.1f} | {one['ours_as_planned'] / scale:,.1f} | {one['plain_mean'] / scale:,.1f} "
            f"| {one['mean'] / scale:,.1f} | {one['apart_in_standard_errors']:+.1f} |"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
