"""How long a Board report takes to make, as a page, on paper and as a workbook.

    python benchmarks/documents.py [--times 5] [--json FILE]

Limit: the Board report as a PDF in 5 s. ``first`` is a process of its own from nothing (imports, store, judging, document, PDF); the others
are the median of several in one process. ``charts`` is a report with 200 control charts of five years of months, as a programme that large
might ask for. Beside it, ``bare``: the same typesetter on an empty page, so that what is ours can be told from what is its.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

from bettercare import demo
from bettercare.assurance import Assessment, assess
from bettercare.plan import Plan
from bettercare.reports.exhibit import Chart, Document, Exhibit, Section
from bettercare.reports.published import WRITERS, make
from bettercare.store import Store

LIMIT = 5.0
PLAN, BOARD = "llr-stp-2016", "leicestershire-hwb"


def board_report(store: Store) -> Document:
    return make(assess(store, Plan.read(PLAN)), "board", BOARD)


def many_charts(store: Store) -> Document:
    """The control chart of five years of months, two hundred times."""
    from bettercare.assurance.judgement import judge
    from bettercare.reports.charts.spc import spc

    assessment: Assessment = assess(store, Plan.read("leicestershire-bcf-2014"))
    one = assessment.judgements["m3"]
    months = [date(2011 + i // 12, i % 12 + 1, 1) for i in range(60)]
    actuals = [one.actuals[i % len(one.actuals)].model_copy(update={"period": month}) for i, month in enumerate(months)]
    judged = judge(one.metric, actuals, one.rules.model_copy(update={"rebase": ()}), assessment.on)
    made = make(assessment, "board", BOARD)
    charts = tuple(
        Exhibit(f"more-{i}", f"Chart {i}", None, Chart(*(spc(judged, width) for width in (820.0, 372.0))))
        for i in range(200)
    )
    return replace(made, sections=(*made.sections, Section("more", "More charts", exhibits=charts)))


def timed(work: Callable[[], Any], times: int) -> float:
    taken = []
    for _ in range(times):
        before = time.perf_counter()
        work()
        taken.append(time.perf_counter() - before)
    return median(taken)


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--first", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.first:
        WRITERS["pdf"](board_report(Store.open(given.first)))
        return 0
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder) / "demo.db"
        store = Store.open(place)
        demo.fill(store)
        command = [sys.executable, __file__, "--first", str(place)]
        report, charts = board_report(store), many_charts(store)
        bare = Document("Empty", "", "", (), ())
        found: dict[str, Any] = {
            "limit_seconds": LIMIT,
            "load_before": round(load, 2),
            "first": timed(lambda: subprocess.run(command, check=True), 1),
            "document": timed(lambda: board_report(store), given.times),
            **{name: timed(lambda write=write: write(report), given.times) for name, write in WRITERS.items()},
            "charts": timed(lambda: WRITERS["pdf"](charts), 1),
            "bare": timed(lambda: WRITERS["pdf"](bare), given.times),
            "bytes": {name: len(write(report)) for name, write in WRITERS.items()},
        }
        store.close()
    found["share_of_limit"] = found["first"] / LIMIT
    for name, value in found.items():
        print(f"{name:16} {value if isinstance(value, dict) else round(value, 3)}")
    if given.json:
        given.json.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
