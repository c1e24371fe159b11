"""How fast patient flow is simulated, beside three other engines on one model, and how time and memory grow.

    python benchmarks/flow.py [--network ID] [--quick] [--folder benchmarks/results]

Limits: 80 times the patients a second of SimPy on one core; 1,000 replications of a shipped network in 120 s on two cores.
The engines run the model of ``urgent_care.py`` for a year, each in a process of its own, and must agree: each peer's means
are held against many replications here. Each measurement is a process of its own. The first run translates the engine to
machine code, which is then kept on disk; it is timed apart. Of each engine ten runs are timed, and the quickest and the middle
one are set beside each other, so that none has more luck than another.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from importlib import import_module, metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from urgent_care import MEASURES, UrgentCare, network

if TYPE_CHECKING:
    from bettercare.flow.network import Network

LIMIT_RATIO = 80.0
LIMIT_SECONDS = 120.0
YEAR, WARM_UP = 365, 30
PEERS = {"simpy": 10, "ciw": 3, "salabim": 3}
"""Peer and how many runs of a year."""
OURS = 200
"""Replications here that the peers' means are held against."""
SPEED, BLOCKS = 20, 5
"""Replications here that are timed at once, and how often: half before the peers, half after them."""
LENGTHS = (1, 2, 4, 8)
"""Years."""
SIZES = (1, 4, 16, 64)
"""Times the patients and the places of the model."""
Figures = dict[str, Any]


# -- in a process of its own ---------------------------------------------------------------------------------------


def measure(task: str, amount: int, workers: int, ident: str) -> Figures:
    """One measurement."""
    if task in PEERS:
        return peer(task, amount)
    return {"ours": ours, "speed": speed, "shipped": shipped, "long": long, "large": large, "inside": inside}[task](
        amount, workers, ident
    )


def peer(name: str, runs: int) -> Figures:
    """Runs of a peer with seeds of its own, so that what one happened to draw says nothing of the others."""
    simulate = import_module(f"flow_peers.{name}_model").simulate
    first = 1_000 * (1 + list(PEERS).index(name))
    found, each = [], []
    for seed in range(first, first + runs):
        before = time.process_time()
        measures, patients = simulate(UrgentCare(), YEAR, WARM_UP, seed)
        each.append((time.process_time() - before) / patients)
        found.append(measures)
    means = {key: sum(one[key] for one in found) / runs for key in found[0]}
    return {"version": metadata.version(name), "runs": runs, "each": each, "means": means, "mib": _mib()}


def speed(replications: int, _: int, __: str) -> Figures:
    """Processor seconds a patient here, of each block of replications; the first run of the process apart."""
    from bettercare.flow import run

    it = network(UrgentCare(), YEAR, WARM_UP)
    first = time.perf_counter()
    run(it, replications=1, days=2, warm_up=0)
    first = time.perf_counter() - first
    each = []
    for seed in range(BLOCKS):
        before = time.process_time()
        result = run(it, replications=replications, seed=seed)
        used = time.process_time() - before
        patients = float(result.values("left", "home").sum() + result.values("left", "discharged").sum())
        each.append(used / (patients * (YEAR + WARM_UP) / YEAR))  # the days before the count are simulated as well
    return {"first": first, "each": each, "mib": _mib()}


def ours(replications: int, workers: int, _: str) -> Figures:
    """The means of the model here, and their spread."""
    from bettercare.flow import run

    result = run(network(UrgentCare(), YEAR, WARM_UP), replications=replications, seed=1, workers=workers)
    found = {f"{one} {of}": result.values(one, of) for one, of, _ in MEASURES}
    return {
        "replications": replications,
        "means": {key: float(values.mean()) for key, values in found.items()},
        "sds": {key: float(values.std(ddof=1)) for key, values in found.items()},
    }


def shipped(replications: int, workers: int, ident: str) -> Figures:
    """Replications of a shipped network."""
    from bettercare.flow import read_network, run
    from bettercare.flow.network_file import find_network

    it = read_network(find_network(ident))
    run(it, replications=1, days=2, warm_up=0)
    before = time.perf_counter()
    result = run(it, replications=replications, seed=1, workers=workers)
    seconds = time.perf_counter() - before
    patients = float(sum(result.values("left", outcome.id).sum() for outcome in it.outcomes))
    before = time.perf_counter()
    rows = result.table().height
    return {
        "seconds": seconds,
        "replications": replications,
        "patients": patients,
        "mib": _mib(),
        "table": time.perf_counter() - before,
        "rows": rows,
    }


def long(years: int, _: int, __: str) -> Figures:
    """One replication of many years: memory should not grow with them."""
    return _one(UrgentCare(), YEAR * years)


def large(times: int, _: int, __: str) -> Figures:
    """A system many times as large: time should grow as patients do, but for the logarithm of the calendar."""
    return _one(UrgentCare().sized(times), YEAR)


def inside(times: int, _: int, __: str) -> Figures:
    """As many patients a day, staying many times as long on a ward with room for them."""
    from dataclasses import replace

    from urgent_care import Length

    it = UrgentCare()
    return _one(replace(it, ward=Length(it.ward.mean * times, it.ward.sd * times), beds=it.beds * times), YEAR)


def _one(figures: UrgentCare, days: int) -> Figures:
    from bettercare.flow import run

    it = network(figures, days, WARM_UP)
    run(it, replications=1, days=2, warm_up=0)
    base = _mib()
    best = math.inf
    for _ in range(3):
        before = time.process_time()
        result = run(it, replications=1, seed=1)
        best = min(best, time.process_time() - before)
    patients = float(sum(result.values("left", outcome.id).sum() for outcome in it.outcomes)) * (days + WARM_UP) / days
    stations = [station.id for station in it.stations]
    inside_now = float(sum(result.values(what, one).sum() for what in ("occupied", "waiting") for one in stations))
    return {
        "seconds": best, "patients": patients, "inside": inside_now, "more_mib": _mib() - base, "mib": _mib(), "bytes": state_bytes(it),
    }  # fmt: skip


def state_bytes(it: Network) -> int:
    """Bytes of the engine's arrays at the end of a replication: what it keeps, however long it ran."""
    import numpy as np

    from bettercare.flow import engine
    from bettercare.flow.compiled import compiled

    program = compiled(it)
    months = it.days // 28 + 2
    nobody = np.zeros((0, 4), dtype=np.int64), np.zeros((0, 3))
    hours = (it.days + it.warm_up) * 24
    state = engine.fresh(
        program, len(it.arrivals), months, 0, hours, 0.0, it.warm_up * 24, 0, *nobody, 256, 1_000_000, None, 0
    )
    key = engine.run_key(1, 0)
    engine.begin(key, program, state)
    while (status := engine.advance(key, program, state, 10**12)) == engine.FULL:
        state = engine.grown(state)
    assert status == engine.FINISHED
    return sum(array.nbytes for array in state)


def _mib() -> float:
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


# -- all of them ---------------------------------------------------------------------------------------------------


def measured(task: str, amount: int, workers: int = 1, ident: str = "") -> Figures:
    """One measurement, in a process of its own."""
    asked = {"--task": task, "--amount": amount, "--workers": workers, "--network": ident}
    command = [sys.executable, __file__, *(str(part) for pair in asked.items() for part in pair)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: Figures = json.loads(done.stdout.splitlines()[-1])
    return found


def agreement(here: Figures, theirs: Figures) -> dict[str, float]:
    """How many standard errors each mean of a peer is from ours; the spread is that of our many replications."""
    error = math.sqrt(1 / theirs["runs"] + 1 / here["replications"])
    return {key: (theirs["means"][key] - mean) / (here["sds"][key] * error) for key, mean in here["means"].items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--network", default="", help="id of a shipped network; the first one unless given")
    parser.add_argument("--quick", action="store_true", help="fewer runs and smaller sizes")
    parser.add_argument(
        "--task", choices=[*PEERS, "speed", "ours", "shipped", "long", "large", "inside"], help=argparse.SUPPRESS
    )
    parser.add_argument("--amount", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--workers", type=int, default=1, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        print(json.dumps(measure(options.task, options.amount, options.workers, options.network)))
        return 0
    found = everything(options.network or first_shipped(), options.quick)
    text = page(found)
    print(text)
    options.folder.mkdir(parents=True, exist_ok=True)
    (options.folder / "flow.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    (options.folder / "flow.md").write_text(text, encoding="utf-8")
    from growth_plot import growth_plot

    (options.folder / "flow.svg").write_text(growth_plot(found) + "\n", encoding="utf-8")
    return 0


def first_shipped() -> str:
    from bettercare.flow.network_file import shipped_networks

    return min(shipped_networks(), default="")


def everything(ident: str, quick: bool) -> Figures:
    load = os.getloadavg()[0]
    found: Figures = {
        "machine": {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": round(load, 2)},
        "speed": [measured("speed", SPEED)],
        "many": measured("ours", OURS, workers=2),
        "peers": {name: measured(name, 1 if quick else runs) for name, runs in PEERS.items()},
        "shipped": {"id": ident, **measured("shipped", 100 if quick else 1_000, 2, ident)} if ident else None,
        "long": {years: measured("long", years) for years in LENGTHS[: 2 if quick else None]},
        "large": {size: measured("large", size) for size in SIZES[: 2 if quick else None]},
        "inside": {size: measured("inside", size) for size in SIZES[: 2 if quick else None]},
    }
    found["speed"].append(measured("speed", SPEED))
    found["apart"] = {name: agreement(found["many"], one) for name, one in found["peers"].items()}
    return found


def page(found: Figures) -> str:
    """The measurements as a page of Markdown."""
    machine, peers = found["machine"], found["peers"]
    each = {"bettercare": [seconds for half in found["speed"] for seconds in half["each"]]}
    each |= {name: one["each"] for name, one in peers.items()}
    quickest = {name: 1 / min(seconds) for name, seconds in each.items()}
    middle = {name: 1 / statistics.median(seconds) for name, seconds in each.items()}
    lines = [
        "# Patient flow: time and memory", "",
        f"Python {machine['python']} on {machine['cores']} cores; load before: {machine['load_before']}. Made by `python benchmarks/flow.py`.", "",
        "## Beside other engines", "",
        f"One urgent-care model (about {UrgentCare().per_day:.0f} patients a day, {YEAR} days after {WARM_UP} to fill up), one core, processor time. "
        f"A run here is {SPEED} replications.", "",
        "| engine | runs | patients a second, the quickest run | bettercare is times as fast | the middle run | times |",
        "|---|---:|---:|---:|---:|---:|",
    ]  # fmt: skip
    ratios = {name: (quickest["bettercare"] / quickest[name], middle["bettercare"] / middle[name]) for name in each}
    for name, (fast, usual) in ratios.items():
        named = name if name == "bettercare" else f"{name} {peers[name]['version']}"
        times = ("", "") if name == "bettercare" else (f"{fast:.0f}", f"{usual:.0f}")
        lines.append(
            f"| {named} | {len(each[name])} | {quickest[name]:,.0f} | {times[0]} | {middle[name]:,.0f} | {times[1]} |"
        )
    fast, usual = ratios["simpy"]
    lines += [
        "", f"Limit: {LIMIT_RATIO:.0f} times SimPy: {'met' if min(fast, usual) >= LIMIT_RATIO else 'MISSED'} "
        f"({fast:.0f} by the quickest runs, {usual:.0f} by the middle ones). "
        f"The first run in a process took {found['speed'][0]['first']:.1f} s more, to load the engine.", "",
        "The same model, so the same answers. Apart: in standard errors, which beyond 3 would be more than chance.", "",
        "| | bettercare | " + " | ".join(f"{name} | apart" for name in peers) + " |",
        "|---|---:|" + "---:|---:|" * len(peers),
    ]  # fmt: skip
    for one, of, words in MEASURES:
        key = f"{one} {of}"
        cells = [f"{peer['means'][key]:.4g} | {found['apart'][name][key]:+.1f}" for name, peer in peers.items()]
        lines.append(f"| {words} | {found['many']['means'][key]:.4g} | " + " | ".join(cells) + " |")
    if found["shipped"]:
        one = found["shipped"]
        lines += [
            "", f"## {one['replications']:,} replications of {one['id']} on two cores", "",
            f"{one['seconds']:.1f} s ({one['patients'] / one['seconds']:,.0f} patients a second), {one['mib']:.0f} MiB at most; the table of {one['rows']:,} rows "
            f"in {one['table']:.1f} s more. Limit for 1,000: {LIMIT_SECONDS:.0f} s: "
            f"{'met' if one['seconds'] * 1_000 / one['replications'] <= LIMIT_SECONDS else 'MISSED'}.",
        ]  # fmt: skip
    lines += [
        "",
        "## Length, size and patients inside",
        "",
        "One replication on one core; processor time, the best of three in one process.",
        "",
    ]
    for name, what in (
        ("long", "years"),
        ("large", "times the patients and places"),
        ("inside", "times the stay on the ward, with room for them"),
    ):
        lines += [
            f"| {what} | patients | inside, mean | s | ns a patient | engine's arrays, KiB | process, MiB |", "|---:|---:|---:|---:|---:|---:|---:|",
            *(
                f"| {size} | {one['patients']:,.0f} | {one['inside']:,.0f} | {one['seconds']:.3f} | {one['seconds'] / one['patients'] * 1e9:.0f} "
                f"| {one['bytes'] / 1024:,.0f} | {one['mib']:.0f} |"
                for size, one in found[name].items()
            ), "",
        ]  # fmt: skip
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
