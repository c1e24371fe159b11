"""One run of the model in a process of its own, so that pages stay quick and a run can be stopped: ``python -m bettercare.web.model_run``.

It reads a plan and what is asked from standard input, says how far it is on standard output, and writes the report's document to a file.
"""

from __future__ import annotations

import json
import os
import pickle
import sys
from dataclasses import dataclass
from pathlib import Path

from bettercare.errors import BettercareError
from bettercare.plan import Plan


@dataclass(frozen=True)
class Asked:
    """What is asked of the model."""

    runs: int
    seed: int
    scenarios: tuple[str, ...] = ()
    """Run together, as one case."""
    comparisons: tuple[str, ...] = ()
    """Each run on its own and set beside that case."""


@dataclass(frozen=True)
class Order:
    """What the process is given."""

    plan: Plan
    asked: Asked
    target: Path
    """Where the document is written, whole or not at all."""


def main() -> None:
    """Carry out the order on standard input."""
    order: Order = pickle.load(sys.stdin.buffer)
    # Imported here, so that the order is known to be read before the seconds this takes.
    from bettercare.model import run
    from bettercare.reports.model_report import model_report

    asked = order.asked
    cases = [asked.scenarios, *((name,) for name in asked.comparisons)]
    results = []
    try:
        for number, scenarios in enumerate(cases):

            def progress(done: int, of: int, before: int = number) -> None:
                print(before * of + done, len(cases) * of, flush=True)

            results.append(run(order.plan, asked.runs, asked.seed, scenarios, progress=progress))
        document = model_report(results[0], results[1:])
    except BettercareError as error:
        print(json.dumps(str(error)), flush=True)
        return
    part = order.target.with_suffix(".part")
    part.write_bytes(pickle.dumps(document))
    os.replace(part, order.target)


if __name__ == "__main__":
    main()
