"""One piece of work on a network of care in a process of its own: ``python -m bettercare.web.flow_run``. What came of it is written to a file."""

from __future__ import annotations

import os
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Literal

import polars as pl

from bettercare.flow.network import Network, Scenario
from bettercare.flow.now import Now, occupancy_now
from bettercare.flow.result import Result
from bettercare.plan import Plan
from bettercare.reports.exhibit import Document
from bettercare.web.worker import Progress, carry_out, write_whole

Kind = Literal["run", "calibration", "forecast", "promises"]
State = Literal["wards", "file", "invented"]
"""Where the state that a forecast begins with came from."""
INVENTED_PATIENTS = "Synthetic: patients of this state are invented. It shows what a forecast looks like and says nothing about any real day."


@dataclass(frozen=True)
class FlowAsked:
    """What is asked of a network."""

    kind: Kind
    """A run, a calibration, a forecast from now, or the plan's promises tested."""
    replications: int
    """Independent runs; of a calibration, of each trial; of promises, futures."""
    seed: int
    scenario: str = ""
    """Of the network; blank for the network as it is."""
    hours: int = 0
    """How far a forecast looks."""
    state: State | Literal[""] = ""
    at: str = ""
    """The moment a forecast begins at, in ISO form, by the clock on the wall."""
    decisions: tuple[str, ...] = ()
    """What each decision that a forecast compares is called."""
    synthetic: bool = False
    """Whether patients of the state are invented."""


@dataclass(frozen=True)
class FlowOrder:
    """What the process is given."""

    plan: Plan
    network: Network
    asked: FlowAsked
    target: Path
    """Where the answer is written, whole or not at all."""
    now: Now | None = None
    """Who is where; None when it is to be invented."""
    decisions: tuple[Scenario, ...] = ()
    warnings: tuple[str, ...] = ()
    """What to know of the state, beside its own warnings."""
    twin: Path | None = None
    """The file that joins the plan to its network, for promises."""


@dataclass(frozen=True)
class Kept:
    """What came of it. It holds nobody: of the state that a forecast began with, counts alone are kept."""

    network: Network
    """With the scenario applied."""
    document: Document
    result: Result | None = field(default=None, repr=False)
    tables: Mapping[str, pl.DataFrame] = field(default_factory=dict, repr=False)

    def write(self, target: Path) -> None:
        """Put it in its place, whole or not at all."""
        write_whole(target, zlib.compress(pickle.dumps(self, pickle.HIGHEST_PROTOCOL), 1))

    @classmethod
    def read(cls, target: Path) -> Kept:
        """What was written, by this program in a folder of its own."""
        held: Kept = pickle.loads(zlib.decompress(target.read_bytes()))
        return held


def work(order: FlowOrder, progress: Progress) -> None:
    """Do what is asked, and write what came of it."""
    kinds = {"run": simulated, "calibration": calibrated, "forecast": forecast, "promises": promises}
    kinds[order.asked.kind](order, os.cpu_count() or 1, progress).write(order.target)


def simulated(order: FlowOrder, workers: int, progress: Progress) -> Kept:
    """A run of the network, under a scenario or as it is."""
    from bettercare.flow import run
    from bettercare.flow.scenarios import scenario as named
    from bettercare.reports.flow.run_report import run_report

    asked = order.asked
    scenario = named(order.network, asked.scenario) if asked.scenario else None
    result = run(order.network, asked.replications, asked.seed, workers, scenario, progress=progress)
    return Kept(result.network, run_report(result, scenario), result)


def calibrated(order: FlowOrder, workers: int, progress: Progress) -> Kept:
    """The network held against what was seen, its knobs turned until it agrees as well as it can."""
    from bettercare.flow.calibrate import calibrate
    from bettercare.reports.flow.calibration_report import calibration_report

    asked = order.asked
    found = calibrate(order.network, asked.replications, asked.seed, workers, progress=progress)
    return Kept(order.network, calibration_report(found))


def forecast(order: FlowOrder, workers: int, progress: Progress) -> Kept:
    """The next hours from now, as it is and under each decision."""
    from bettercare.flow.forecast import forecast as look_ahead
    from bettercare.flow.start_state import invented_state
    from bettercare.reports.flow.forecast_report import forecast_report

    asked, network = order.asked, order.network
    now = order.now or invented_state(network, asked.seed, datetime.fromisoformat(asked.at))
    found = look_ahead(
        network, now, None, asked.hours, asked.replications, asked.seed, order.decisions, workers, progress
    )
    tables = {
        "now": occupancy_now(now, network), "hours": found.table(), "runs-out": found.first_full(),
        "differences": found.differences(),
    }  # fmt: skip
    document = forecast_report(found, synthetic=asked.synthetic or order.now is None, warnings=order.warnings)
    if asked.synthetic and order.now is not None:
        document = replace(document, banner=INVENTED_PATIENTS)
    return Kept(network, document, tables=tables)


def promises(order: FlowOrder, workers: int, progress: Progress) -> Kept:
    """The plan's promises tested in its network."""
    from bettercare.reports.twin_report import promises_report
    from bettercare.twin import answer, answers, read_twin

    asked = order.asked
    assert order.twin is not None
    found = answer(
        order.plan, order.network, read_twin(order.twin), asked.replications, asked.seed, workers, progress=progress
    )
    return Kept(order.network, promises_report(found), tables={"answers": answers(found)})


if __name__ == "__main__":
    # By its own name, under which others read what it writes.
    from bettercare.web import flow_run

    carry_out(flow_run.work)
