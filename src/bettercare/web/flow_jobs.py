"""Work on networks of care in the background: one piece at a time, with progress, kept for the next who asks the same."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
import tempfile
import threading
import zlib
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import bettercare
from bettercare.errors import BettercareError
from bettercare.flow.network import Network, Scenario
from bettercare.flow.now import Now
from bettercare.plan import Plan
from bettercare.store import Missing
from bettercare.twin import find_twin
from bettercare.web.flow_run import FlowAsked, FlowOrder, Kept, Kind

MOST: dict[Kind, int] = {"run": 500, "calibration": 100, "forecast": 2_000, "promises": 1_000}
"""Replications that a page may ask for."""
MOST_WAITING = 20
KEPT = 20
"""Pieces of work of each kind that are kept for a plan."""
AT_HAND = 8
"""Answers that are kept in memory."""

Progress = Literal["waiting", "running", "done", "failed", "cancelled", "lost"]


@dataclass(frozen=True)
class FlowJob:
    """A piece of work that was asked for."""

    id: str
    plan: str
    network: str
    """What it was worked out from, see :func:`mark_of`: the same mark and question give the same answer."""
    asked: FlowAsked
    by: str
    at: str
    """When, in ISO form."""
    state: Progress = "waiting"
    """lost: the server was restarted before it was done."""
    what: str = ""
    """What is being done just now, in words."""
    done: int = 0
    of: int = 0
    fault: str = ""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in ("waiting", "running")

    @property
    def of_patients(self) -> bool:
        """Whether it begins with who is where in fact, so that only those who may see the wards may see it."""
        return self.asked.state in ("wards", "file")

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.at)


@dataclass
class _Live:
    """A job of this server, its order until it is begun, and its process while it runs."""

    job: FlowJob
    order: FlowOrder | None
    process: subprocess.Popen[bytes] | None = field(default=None)


class FlowJobs:
    """The work of a server on networks of care. Safe to share between threads."""

    def __init__(self, folder: Path | None) -> None:
        """Keep answers in ``folder``, those of a plan under its id; in a temporary one when None."""
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        self._folder = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self._lock = threading.RLock()
        self._live: dict[tuple[str, str], _Live] = {}
        self._waiting: deque[_Live] = deque()
        self._busy = False
        self._at_hand: OrderedDict[tuple[str, str], Kept] = OrderedDict()

    def start(
        self, plan: Plan, network: Network, asked: FlowAsked, by: str, *, now: Now | None = None, decisions: tuple[Scenario, ...] = (),
        warnings: tuple[str, ...] = (),
    ) -> FlowJob:  # fmt: skip
        """Ask for a piece of work; one that is done or under way already is not done again.

        Args:
            now: who is where, for a forecast. It is handed on and never written.

        Raises:
            BettercareError: too much is asked for, or is waiting.
        """
        most = MOST[asked.kind]
        if not 2 <= asked.replications <= most:
            raise BettercareError(
                f"{asked.replications} replications cannot be made.", remedy=f"Ask for 2 to {most:,}."
            )
        mark = mark_of(plan, network, asked.kind)
        id = _name(mark, plan.id, asked, now, decisions)
        with self._lock:
            with suppress(Missing):
                found = self.job(plan.id, id)
                if found.state in ("waiting", "running", "done"):
                    return found
            if sum(not live.job.over for live in self._live.values()) >= MOST_WAITING:
                raise BettercareError("Too many runs are waiting.", remedy="Try again when some are done.")
            job = FlowJob(id, plan.id, mark, asked, by, datetime.now(UTC).isoformat(timespec="microseconds"))
            target = self._place(plan.id, id, "kept")
            try:
                target.parent.mkdir(parents=True, exist_ok=True)
                self._write(job)
            except OSError as error:
                raise BettercareError(
                    "The run cannot be written down, so it is not begun.",
                    remedy="Ask whoever runs the server to look at its disk, then try again.",
                ) from error
            live = self._live[plan.id, id] = _Live(
                job, FlowOrder(plan, network, asked, target, now, decisions, warnings)
            )
            self._at_hand.pop((plan.id, id), None)
            self._waiting.append(live)
            if not self._busy:
                self._busy = True
                # A daemon: it does not keep a server that stops from ending, and its process ends with the server.
                threading.Thread(target=self._work, name="flow", daemon=True).start()
            self._forget_old(plan.id, asked.kind)
            return job

    def job(self, plan: str, id: str) -> FlowJob:
        """A piece of work by its id.

        Raises:
            Missing: there is none.
        """
        with self._lock:
            if (plan, id) in self._live:
                return self._live[plan, id].job
            if id.isalnum() and id.isascii():
                with suppress(OSError, ValueError, KeyError, TypeError):
                    return self._read(self._place(plan, id, "json"))
            raise Missing("There is no such run.", remedy="It may be too old to be kept: run it again.")

    def recent(self, plan: str, kind: Kind | None = None) -> list[FlowJob]:
        """The work for a plan, the newest first."""
        with self._lock:
            names = {path.stem for path in (self._folder / plan / "flow").glob("*.json")}
            found = []
            for name in names:
                with suppress(Missing):
                    found.append(self.job(plan, name))
            wanted = [job for job in found if kind is None or job.asked.kind == kind]
            return sorted(wanted, key=lambda job: (job.at, job.id), reverse=True)

    def last(self, plan: Plan, network: Network, kind: Kind, *, of_patients: bool = False) -> FlowJob | None:
        """The newest that is done with a network as it now is; of runs, the newest without a scenario, or else the newest.

        Args:
            of_patients: whether those that begin with who is where in fact are among them.
        """
        mark = mark_of(plan, network, kind)
        done = [job for job in self.recent(plan.id, kind) if job.state == "done" and job.network == mark]
        done = [job for job in done if of_patients or not job.of_patients]
        return next((job for job in done if not job.asked.scenario), done[0] if done else None)

    def kept(self, job: FlowJob) -> Kept:
        """What came of a piece of work that is done.

        Raises:
            Missing: it is not there any more, or another version of bettercare wrote it.
        """
        key = (job.plan, job.id)
        with self._lock:
            if key not in self._at_hand:
                try:
                    self._at_hand[key] = Kept.read(self._place(job.plan, job.id, "kept"))
                except (OSError, zlib.error, pickle.UnpicklingError, AttributeError, ImportError, TypeError, EOFError) as error:  # fmt: skip
                    raise Missing("The result of this run is no longer kept.", remedy="Run it again.") from error
                while len(self._at_hand) > AT_HAND:
                    self._at_hand.popitem(last=False)
            self._at_hand.move_to_end(key)
            return self._at_hand[key]

    def cancel(self, job: FlowJob, by: str) -> None:
        """Stop a piece of work; nothing of it is kept.

        Raises:
            BettercareError: somebody else asked for it.
        """
        if job.by != by:
            raise BettercareError(f"{job.by} asked for this run.", remedy="Ask them to stop it, or wait.")
        with self._lock:
            live = self._live.get((job.plan, job.id))
            if live is not None and not live.job.over:
                live.job, live.order = replace(live.job, state="cancelled"), None
                if live.process is not None:
                    live.process.kill()
                self._write(live.job)

    def close(self) -> None:
        """Stop what is running and forget what waits."""
        with self._lock:
            self._waiting.clear()
            for live in self._live.values():
                if live.process is not None:
                    live.process.kill()
        if self._temporary is not None:
            self._temporary.cleanup()

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._busy = False
                    return
                live = self._waiting.popleft()
            try:
                self._turn(live)
            except Exception:
                # Whatever it was, what waits behind it goes on. It is not repeated: it might say who is where.
                self._fail(live)

    def _turn(self, live: _Live) -> None:
        """Do one piece of work."""
        with self._lock:
            if live.job.over or live.order is None:
                return
            # Held no longer than it is needed: it may say who is where.
            order, live.order = pickle.dumps(live.order), None
            command = [sys.executable, "-m", "bettercare.web.flow_run"]
            live.process = process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            live.job = replace(live.job, state="running")
            self._write(live.job)
        self._follow(live, process, order)

    def _fail(self, live: _Live) -> None:
        """End what went wrong, and say so."""
        with self._lock:
            process, live.process, live.order = live.process, None, None
            if live.job.state != "cancelled":
                fault = "The run could not be followed or written down. Run it again; if that does not help, tell whoever runs the server."
                live.job = replace(live.job, state="failed", fault=fault)
            # What cannot be written is known until the server ends, and is lost afterwards.
            with suppress(OSError):
                self._write(live.job)
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()

    def _follow(self, live: _Live, process: subprocess.Popen[bytes], order: bytes) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(order)
            process.stdin.flush()
        fault = ""
        for line in process.stdout:
            told: dict[str, Any] = json.loads(line)
            fault = told.pop("fault", "")
            with self._lock:
                live.job = replace(live.job, **told)
        process.stdout.close()
        ended = process.wait()
        with suppress(BrokenPipeError):
            process.stdin.close()
        with self._lock:
            live.process = None
            if live.job.state == "cancelled":
                return
            if ended and not fault:
                fault = (
                    "The run ended before it was done. Run it again; if that does not help, ask for fewer replications."
                )
            live.job = replace(live.job, state="failed" if fault else "done", fault=fault)
            self._write(live.job)

    def _place(self, plan: str, id: str, ending: str) -> Path:
        return self._folder / plan / "flow" / f"{id}.{ending}"

    def _write(self, job: FlowJob) -> None:
        place = self._place(job.plan, job.id, "json")
        part = place.with_suffix(".new")
        part.write_text(json.dumps(asdict(job)), encoding="utf-8")
        part.replace(place)

    def _read(self, place: Path) -> FlowJob:
        held = json.loads(place.read_text(encoding="utf-8"))
        asked = held.pop("asked")
        job = FlowJob(**held, asked=FlowAsked(**asked | {"decisions": tuple(asked["decisions"])}))
        return job if job.over else replace(job, state="lost")

    def _forget_old(self, plan: str, kind: Kind) -> None:
        for job in [job for job in self.recent(plan, kind) if job.over][KEPT:]:
            self._live.pop((plan, job.id), None)
            self._at_hand.pop((plan, job.id), None)
            for ending in ("json", "kept"):
                self._place(plan, job.id, ending).unlink(missing_ok=True)


def fingerprint(network: Network) -> str:
    """The same for the same network and program."""
    return hashlib.sha256(f"{bettercare.__version__} {network!r}".encode()).hexdigest()[:16]


def mark_of(plan: Plan, network: Network, kind: Kind) -> str:
    """The same for the same matter: the network and program; of promises, the plan and the file that joins the two as well."""
    mark = fingerprint(network)
    if kind != "promises":
        return mark
    twin = ""
    with suppress(BettercareError, OSError):
        twin = find_twin(plan.id).read_bytes().hex()
    tables = {name: [dict(row.text) for row in table] for name, table in plan.tables.items()}
    whole = [mark, dict(plan.header), tables, dict(plan.scenarios), twin]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _name(mark: str, plan: str, asked: FlowAsked, now: Now | None, decisions: tuple[Scenario, ...]) -> str:
    """The same for the same question. A state has a name of its own each time, as nothing may follow from it."""
    own = "" if now is None else datetime.now(UTC).isoformat()
    return hashlib.sha256(repr((mark, plan, asked, decisions, own)).encode()).hexdigest()[:16]
