"""Model runs in the background."""

from __future__ import annotations

import pickle
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import bettercare
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.reports.exhibit import Document
from bettercare.web.background import Background, Task, digest
from bettercare.web.model_run import Asked, Order

MOST_RUNS = 100_000
"""Runs that a page may ask for."""


@dataclass(frozen=True)
class Job(Task):
    """A run that was asked for."""

    asked: Asked


class Jobs(Background[Job, Document]):
    """The model runs of a server. Safe to share between threads."""

    module = "bettercare.web.model_run"
    ending = "pickle"
    most_kept = 40

    def start(self, plan: Plan, asked: Asked, by: str) -> Job:
        """Ask for a run; one that is done or under way already is not made again.

        Raises:
            BettercareError: too many runs are asked for, or are waiting.
        """
        if not 0 <= asked.runs <= MOST_RUNS:
            raise BettercareError(f"{asked.runs} runs cannot be made.", remedy=f"Ask for 0 to {MOST_RUNS:,}.")
        id = digest(bettercare.__version__, plan, asdict(asked))
        return self._ask(Job(id, plan.id, asked, by), Order(plan, asked, self._place(plan.id, id, self.ending)))

    def document(self, job: Job) -> Document:
        """The report of a run that is done.

        Raises:
            Missing: it is not there any more.
        """
        return self._answer(job)

    def _task(self, asked: dict[str, Any], **held: Any) -> Job:
        return Job(asked=Asked(**asked), **held)

    def _read_answer(self, place: Path) -> Document:
        # Written by this program in a folder of its own.
        document: Document = pickle.loads(place.read_bytes())
        return document
