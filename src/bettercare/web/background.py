"""Work behind the pages: one piece at a time in a process of its own, with progress, kept for the next who asks the same."""

from __future__ import annotations

import hashlib
import json
import pickle
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict, deque
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.store import Missing

MOST_WAITING = 20
AT_HAND = 8
"""Answers that are kept in memory."""
LAST_WORDS = 10
"""Seconds that a server which stops waits for what it broke off to be written down."""

Stage = Literal["waiting", "running", "done", "failed", "cancelled", "lost"]


@dataclass(frozen=True)
class Task:
    """A piece of work that was asked for."""

    id: str
    plan: str
    # A dataclass of plain values and tuples of them.
    asked: Any
    by: str
    at: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="microseconds"))
    """When, in ISO form."""
    state: Stage = "waiting"
    """lost: the server was restarted before it was done."""
    what: str = ""
    """What is being done just now, in words."""
    done: int = 0
    of: int = 0
    fault: str = ""

    @property
    def kind(self) -> str:
        """Those of one kind are counted together."""
        return ""

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self.state not in ("waiting", "running")

    @property
    def when(self) -> datetime:
        return datetime.fromisoformat(self.at)


T = TypeVar("T", bound=Task)
A = TypeVar("A")


@dataclass
class _Live(Generic[T]):
    """A task of this server, its order until it is begun, and its process while it runs."""

    job: T
    order: object
    process: subprocess.Popen[bytes] | None = None


class Background(ABC, Generic[T, A]):
    """The work of a server of one sort: tasks T, answers A. Safe to share between threads."""

    module: ClassVar[str]
    """What the process runs, see :mod:`bettercare.web.worker`."""
    ending: ClassVar[str]
    """Of the file that it writes its answer to."""
    under: ClassVar[str] = ""
    """Folder in that of a plan."""
    most_kept: ClassVar[int]
    """Tasks of each kind that are kept for a plan."""

    def __init__(self, folder: Path | None) -> None:
        """Keep answers in ``folder``, those of a plan under its id; in a temporary one when None."""
        self._temporary = None if folder else tempfile.TemporaryDirectory()
        self._folder = folder or Path(self._temporary.name)  # type: ignore[union-attr]
        self._lock = threading.RLock()
        self._live: dict[tuple[str, str], _Live[T]] = {}
        self._waiting: deque[_Live[T]] = deque()
        self._busy = False
        self._closing = False
        self._thread: threading.Thread | None = None
        self._at_hand: OrderedDict[tuple[str, str], A] = OrderedDict()

    @abstractmethod
    def _task(self, asked: dict[str, Any], **held: Any) -> T:
        """The task that was written down so."""

    @abstractmethod
    def _read_answer(self, place: Path) -> A:
        """The answer that a process wrote."""

    def _ask(self, job: T, order: object) -> T:
        """Ask for a piece of work; one that is done or under way already is not done again.

        Args:
            order: what the process is given. It is handed on and never written.

        Raises:
            BettercareError: too much is waiting, or it cannot be written down.
        """
        key = (job.plan, job.id)
        with self._lock:
            with suppress(Missing):
                found = self.job(*key)
                if not found.over or (found.state == "done" and self._place(*key, self.ending).exists()):
                    return found
            if sum(not live.job.over for live in self._live.values()) >= MOST_WAITING:
                raise BettercareError("Too many runs are waiting.", remedy="Try again when some are done.")
            try:
                self._home(job.plan).mkdir(parents=True, exist_ok=True)
                self._write(job)
            except OSError as error:
                raise BettercareError(
                    "The run cannot be written down, so it is not begun.",
                    remedy="Ask whoever runs the server to look at its disk, then try again.",
                ) from error
            live = self._live[key] = _Live(job, order)
            self._at_hand.pop(key, None)
            try:
                self._begin()
                self._waiting.append(live)
            except Exception:
                # Nobody would come for it, so it does not wait.
                self._fail(live)
            self._forget_old(job)
            return live.job

    def job(self, plan: str, id: str) -> T:
        """A task by its id.

        Raises:
            Missing: there is none.
        """
        with self._lock:
            if (plan, id) in self._live:
                return self._live[plan, id].job
            if id.isalnum() and id.isascii():
                with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
                    return self._read(self._place(plan, id, "json"))
            raise Missing("There is no such run.", remedy="It may be too old to be kept: run it again.")

    def recent(self, plan: str, kind: str | None = None) -> list[T]:
        """The tasks of a plan, the newest first."""
        with self._lock:
            found = []
            for name in {path.stem for path in self._home(plan).glob("*.json")}:
                with suppress(Missing):
                    found.append(self.job(plan, name))
            wanted = [job for job in found if kind is None or job.kind == kind]
            return sorted(wanted, key=lambda job: (job.at, job.id), reverse=True)

    def _answer(self, job: T) -> A:
        """What came of a task that is done.

        Raises:
            Missing: it is not there any more, or another version of bettercare wrote it.
        """
        key = (job.plan, job.id)
        with self._lock:
            if key not in self._at_hand:
                place = self._place(*key, self.ending)
                try:
                    self._at_hand[key] = self._read_answer(place)
                except Exception as error:  # Reading a pickle may raise anything.
                    if not isinstance(error, OSError):
                        # As long as it is there the run counts as done and is not made again.
                        with suppress(OSError):
                            place.unlink()
                    raise Missing("The result of this run is no longer kept.", remedy="Run it again.") from error
                while len(self._at_hand) > AT_HAND:
                    self._at_hand.popitem(last=False)
            self._at_hand.move_to_end(key)
            return self._at_hand[key]

    def cancel(self, job: T, by: str) -> None:
        """Stop a task; nothing of it is kept.

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
                # It is stopped all the same, and is lost when the server ends.
                with suppress(OSError):
                    self._write(live.job)

    def close(self) -> None:
        """Stop what is running and forget what waits; for the next server both are lost."""
        with self._lock:
            self._closing = True
            for live in self._live.values():
                # Without its order it is not begun.
                live.order = None
                if live.process is not None:
                    live.process.kill()
        if self._thread is not None:
            self._thread.join(LAST_WORDS)
        if self._temporary is not None:
            self._temporary.cleanup()

    def _begin(self) -> None:
        """See to it that what waits is worked on."""
        if not self._busy:
            # A daemon: it does not keep a server that stops from ending, and its process ends with the server.
            thread = threading.Thread(target=self._work, name=self.module, daemon=True)
            thread.start()
            self._thread, self._busy = thread, True

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

    def _turn(self, live: _Live[T]) -> None:
        """Do one piece of work."""
        with self._lock:
            if live.order is None:
                return
            order, live.order = pickle.dumps(live.order), None
            command = [sys.executable, "-m", self.module]
            # In a session of its own: Ctrl-C is for the server, which then stops what runs itself.
            live.process = process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True
            )
            live.job = replace(live.job, state="running")
            self._write(live.job)
        assert process.stdin is not None
        with suppress(BrokenPipeError):
            process.stdin.write(order)
            process.stdin.flush()
        # Held no longer than it is needed: it may say who is where.
        del order
        self._follow(live, process)

    def _fail(self, live: _Live[T]) -> None:
        """End what went wrong, and say so."""
        with self._lock:
            process, live.process, live.order = live.process, None, None
            if live.job.state != "cancelled" and not self._closing:
                fault = "The run could not be begun, followed or written down. Run it again; if that does not help, tell whoever runs the server."
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

    def _follow(self, live: _Live[T], process: subprocess.Popen[bytes]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
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
            if live.job.state == "cancelled" or (ended and self._closing):
                return
            if ended and not fault:
                fault = "The run ended before it was done. Run it again; if that does not help, ask for fewer runs."
            live.job = replace(live.job, state="failed" if fault else "done", fault=fault)
            self._write(live.job)

    def _home(self, plan: str) -> Path:
        return self._folder / plan / self.under

    def _place(self, plan: str, id: str, ending: str) -> Path:
        return self._home(plan) / f"{id}.{ending}"

    def _write(self, job: T) -> None:
        place = self._place(job.plan, job.id, "json")
        part = place.with_suffix(".new")
        part.write_text(json.dumps(asdict(job)), encoding="utf-8")
        part.replace(place)

    def _read(self, place: Path) -> T:
        held = json.loads(place.read_text(encoding="utf-8"))
        asked = {name: tuple(value) if isinstance(value, list) else value for name, value in held.pop("asked").items()}
        job = self._task(asked, **held)
        return job if job.over else replace(job, state="lost")

    def _forget_old(self, newest: T) -> None:
        unwanted = []
        for job in [job for job in self.recent(newest.plan, newest.kind) if job.over][self.most_kept :]:
            self._live.pop((job.plan, job.id), None)
            self._at_hand.pop((job.plan, job.id), None)
            unwanted += [self._place(job.plan, job.id, ending) for ending in ("json", self.ending)]
        # What was broken off while it was written.
        under_way = {live.job.id for live in self._live.values() if not live.job.over}
        for ending in ("new", "part"):
            unwanted += [path for path in self._home(newest.plan).glob(f"*.{ending}") if path.stem not in under_way]
        for path in unwanted:
            # What cannot be removed now is tried again with the next.
            with suppress(OSError):
                path.unlink(missing_ok=True)


def digest(before: str, plan: Plan, after: object) -> str:
    """The same for the same plan and what is said before and after it."""
    tables = {name: [dict(row.text) for row in table] for name, table in plan.tables.items()}
    whole = [before, dict(plan.header), tables, dict(plan.scenarios), after]
    return hashlib.sha256(json.dumps(whole, sort_keys=True, default=str).encode()).hexdigest()[:16]
