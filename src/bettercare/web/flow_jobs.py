"""Work on networks of care in the background."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import bettercare
from bettercare.errors import BettercareError
from bettercare.flow.network import Network, Scenario
from bettercare.flow.now import Now
from bettercare.plan import Plan
from bettercare.web.background import Background, Task, digest
from bettercare.web.flow_run import FlowAsked, FlowOrder, Kept, Kind

MOST: dict[Kind, int] = {"run": 500, "calibration": 100, "forecast": 2_000, "promises": 1_000}
"""Replications that a page may ask for."""


@dataclass(frozen=True)
class FlowJob(Task):
    """A piece of work that was asked for."""

    asked: FlowAsked
    network: str = field(kw_only=True)
    """Mark of what it was worked out from: the same mark and question give the same answer."""

    @property
    def kind(self) -> Kind:
        return self.asked.kind

    @property
    def of_patients(self) -> bool:
        """Whether it begins with who is where in fact, so that only those who may see the wards may see it."""
        return self.asked.state in ("wards", "file")


class FlowJobs(Background[FlowJob, Kept]):
    """The work of a server on networks of care. Safe to share between threads."""

    module = "bettercare.web.flow_run"
    ending = "kept"
    under = "flow"
    most_kept = 20

    def __init__(self, folder: Path | None, twin: Callable[[str], Path]) -> None:
        """``twin`` gives the file that joins a plan, by its id, to its network; it raises BettercareError when there is none."""
        super().__init__(folder)
        self._twin = twin

    def start(
        self, plan: Plan, network: Network, asked: FlowAsked, by: str, *, now: Now | None = None, decisions: tuple[Scenario, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> FlowJob:  # fmt: skip
        """Ask for a piece of work; one that is done or under way already is not done again.

        Args:
            now: who is where, for a forecast. It is handed on and never written.

        Raises:
            BettercareError: too much is asked for, or is waiting; of promises, nothing joins the plan to its network.
        """
        most = MOST[asked.kind]
        if not 2 <= asked.replications <= most:
            raise BettercareError(
                f"{asked.replications} replications cannot be made.", remedy=f"Ask for 2 to {most:,}."
            )
        twin = self._twin(plan.id) if asked.kind == "promises" else None
        mark = self.mark(plan, network, asked.kind)
        id = _name(mark, plan.id, asked, now, decisions)
        target = self._place(plan.id, id, self.ending)
        order = FlowOrder(plan, network, asked, target, now, decisions, warnings, twin)
        return self._ask(FlowJob(id, plan.id, asked, by, network=mark), order)

    def last(self, plan: Plan, network: Network, kind: Kind, *, of_patients: bool = False) -> FlowJob | None:
        """The newest that is done with a network as it now is; of runs, the newest without a scenario, or else the newest.

        Args:
            of_patients: whether those that begin with who is where in fact are among them.
        """
        mark = self.mark(plan, network, kind)
        done = [job for job in self.recent(plan.id, kind) if job.state == "done" and job.network == mark]
        done = [job for job in done if of_patients or not job.of_patients]
        return next((job for job in done if not job.asked.scenario), done[0] if done else None)

    def kept(self, job: FlowJob) -> Kept:
        """What came of a piece of work that is done.

        Raises:
            Missing: it is not there any more, or another version of bettercare wrote it.
        """
        return self._answer(job)

    def mark(self, plan: Plan, network: Network, kind: Kind) -> str:
        """The same for the same matter: the network and program; of promises, the plan and the file that joins the two as well."""
        mark = fingerprint(network)
        if kind != "promises":
            return mark
        twin = ""
        with suppress(BettercareError, OSError):
            twin = self._twin(plan.id).read_bytes().hex()
        return digest(mark, plan, twin)

    def _task(self, asked: dict[str, Any], **held: Any) -> FlowJob:
        return FlowJob(asked=FlowAsked(**asked), **held)

    def _read_answer(self, place: Path) -> Kept:
        return Kept.read(place)


def fingerprint(network: Network) -> str:
    """The same for the same network and program."""
    return hashlib.sha256(f"{bettercare.__version__} {network!r}".encode()).hexdigest()[:16]


def _name(mark: str, plan: str, asked: FlowAsked, now: Now | None, decisions: tuple[Scenario, ...]) -> str:
    """The same for the same question. A state has a name of its own each time, as nothing may follow from it."""
    own = "" if now is None else datetime.now(UTC).isoformat()
    return hashlib.sha256(repr((mark, plan, asked, decisions, own)).encode()).hexdigest()[:16]
