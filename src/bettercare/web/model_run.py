"""One run of the model in a process of its own: ``python -m bettercare.web.model_run``. The report's document is written to a file."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from pathlib import Path

from bettercare.plan import Plan
from bettercare.web.worker import Progress, carry_out, write_whole


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


def run_and_report(order: Order, progress: Progress) -> None:
    """Run every case that is asked for, and write the report's document."""
    # Imported here, so that the order is known to be read before the seconds this takes.
    from bettercare.model import run
    from bettercare.reports.model_report import model_report

    asked = order.asked
    cases = [asked.scenarios, *((name,) for name in asked.comparisons)]
    results = []
    for number, scenarios in enumerate(cases):

        def of_all(done: int, of: int, before: int = number) -> None:
            progress("Running the model", before * of + done, len(cases) * of)

        results.append(run(order.plan, asked.runs, asked.seed, scenarios, progress=of_all))
    write_whole(order.target, pickle.dumps(model_report(results[0], results[1:])))


if __name__ == "__main__":
    carry_out(run_and_report)
