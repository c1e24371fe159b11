"""Model runs in the background: one at a time, with progress, kept for the next who asks the same."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from threading import RLock
from typing import Literal

import bettercare
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.reports.exhibit import Document
from bettercare.store import Missing
from bettercare.web.model_run import Asked, Order

MOST_RUNS = 100_000
"""Runs that a page may ask for."""
MOST_WAITING = 20
KEPT = 40
"""Runs of a plan that are kept."""

Progress = Literal["waiting", "running", "done", "failed", "cancelled", "lost"]


@dataclass(frozen=True)
class Job:
    """A run that was asked for."""

    id: str
    plan: str
    asked: Asked
    by: str
    at: str
    """When, in ISO form."""
    state: Progress = "waiting"
    """lost: the server was restarted before it was done."""
    done: int = 0
    of: int = 0
    fault: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in ("waiting", "running")

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass
class _Live:
    """A job of this server, and its process while it runs."""

    job: Job
    process: subprocess.Popen[bytes] | None = field(default=None)


class Jobs:
    """The runs of a server. Safe to share between threads."""

    def __init__(self, folder: Path | None) -> None:
        """Keep results in ``folder``; in a temporary one when None."""
        self._temporary = tempfile.TemporaryDirectory()
        self._folder = folder or Path(self._temporary.name)
        self._lock = RLock()
        self._live: dict[tuple[str, str], _Live] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="model")

    def start(self, plan: Plan, asked: Asked, by: str) -> Job:
        """Ask for a run; one that is done or under way already is not made again.

        Raises:
            BettercareError: too many runs are asked for, or are waiting.
        """
        if not 0 <= asked.runs <= MOST_RUNS:
            raise BettercareError(f"{asked.runs} runs cannot be made.", remedy=f"Ask for 0 to {MOST_RUNS:,}.")
        id = _name(plan, asked)
        with self._lock:
            with suppress(Missing):
                found = self.job(plan.id, id)
                if found.state in ("waiting", "running", "done"):
                    return found
            if sum(not live.job.over for live in self._live.values()) >= MOST_WAITING:
                raise BettercareError("Too many runs are waiting.", remedy="Try again when some are done.")
            job = Job(id, plan.id, asked, by, datetime.now(UTC).isoformat(timespec="seconds"))
            self._live[plan.id, id] = _Live(job)
            self._place(plan.id, id, "json").parent.mkdir(parents=True, exist_ok=True)
            self._write(job)
            self._pool.submit(self._carry_out, plan, job)
            self._forget_old(plan.id)
            return job

    def job(self, plan: str, id: str) -> Job:
        """A run by its id.

        Raises:
            Missing: there is none.
        """
        with self._lock:
            if (plan, id) in self._live:
                return self._live[plan, id].job
            if id.isalnum():
                with suppress(OSError, ValueError, KeyError, TypeError):
                    return self._read(self._place(plan, id, "json"))
            raise Missing("There is no such run.", remedy="It may be too old to be kept: run it again.")

    def recent(self, plan: str) -> list[Job]:
        """The runs of a plan, the newest first."""
        with self._lock:
            names = {path.stem for path in (self._folder / plan).glob("*.json")}
            found = []
            for name in names:
                with suppress(Missing):
                    found.append(self.job(plan, name))
            return sorted(found, key=lambda job: (job.at, job.id), reverse=True)

    def document(self, job: Job) -> Document:
        """The report of a run that is done.

        Raises:
            Missing: it is not there any more.
        """
        try:
            # Written by this program in a folder of its own.
            document: Document = pickle.loads(self._place(job.plan, job.id, "pickle").read_bytes())
        except OSError as error:
            raise Missing("The result of this run is no longer kept.", remedy="Run it again.") from error
        return document

    def cancel(self, job: Job, by: str) -> None:
        """Stop a run; nothing of it is kept.

        Raises:
            BettercareError: somebody else asked for it.
        """
        if job.by != by:
            raise BettercareError(f"{job.by} asked for this run.", remedy="Ask them to stop it, or wait.")
        with self._lock:
            live = self._live.get((job.plan, job.id))
            if live is not None and not live.job.over:
                live.job = replace(live.job, state="cancelled")
                if live.process is not None:
                    live.process.kill()
                self._write(live.job)

    def close(self) -> None:
        """Stop what is running."""
        with self._lock:
            for live in self._live.values():
                if live.process is not None:
                    live.process.kill()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._temporary.cleanup()

    def _carry_out(self, plan: Plan, job: Job) -> None:
        live = self._live[job.plan, job.id]
        order = pickle.dumps(Order(plan, job.asked, self._place(job.plan, job.id, "pickle")))
        with self._lock:
            if live.job.over:
                return
            command = [sys.executable, "-m", "bettercare.web.model_run"]
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            live.process, live.job = process, replace(live.job, state="running")
            self._write(live.job)
        assert process.stdin is not None
        assert process.stdout is not None
        fault = ""
        with suppress(BrokenPipeError):
            process.stdin.write(order)
            process.stdin.close()
        for line in process.stdout:
            if line.startswith(b'"'):
                fault = str(json.loads(line))
            else:
                done, of = map(int, line.split())
                live.job = replace(live.job, done=done, of=of)
        process.stdout.close()
        ended = process.wait()
        with self._lock:
            live.process = None
            if live.job.state == "cancelled":
                return
            if ended or fault:
                fault = (
                    fault
                    or "The run ended before it was done. Run it again; if that does not help, ask for fewer runs."
                )
            live.job = replace(live.job, state="failed" if fault else "done", fault=fault)
            self._write(live.job)

    def _place(self, plan: str, id: str, ending: str) -> Path:
        return self._folder / plan / f"{id}.{ending}"

    def _write(self, job: Job) -> None:
        place = self._place(job.plan, job.id, "json")
        part = place.with_suffix(".new")
        part.write_text(json.dumps(asdict(job)), encoding="utf-8")
        part.replace(place)

    def _read(self, place: Path) -> Job:
        held = json.loads(place.read_text(encoding="utf-8"))
        asked = held.pop("asked")
        job = Job(
            **held, asked=Asked(asked["runs"], asked["seed"], tuple(asked["scenarios"]), tuple(asked["comparisons"]))
        )
        return job if job.over else replace(job, state="lost")

    def _forget_old(self, plan: str) -> None:
        for job in [job for job in self.recent(plan) if job.over][KEPT:]:
            self._live.pop((plan, job.id), None)
            for ending in ("json", "pickle"):
                self._place(plan, job.id, ending).unlink(missing_ok=True)


def _name(plan: Plan, asked: Asked) -> str:
    """The same for the same plan, program and question."""
    tables = {name: [dict(row.text) for row in table] for name, table in plan.tables.items()}
    whole = [bettercare.__version__, dict(plan.header), tables, dict(plan.scenarios), asdict(asked)]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:16]
