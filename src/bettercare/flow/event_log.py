"""The log of every event of a run, written to Parquet a piece at a time and put in place when it is whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

from bettercare.errors import BettercareError
from bettercare.flow import engine
from bettercare.flow.compiled import names_of
from bettercare.flow.engine import State
from bettercare.flow.network import Network


class EventLog:
    """Columns: replication, hours (from the first hour that counts; negative in the warm-up), patient (the same number is the
    same patient in every scenario; negative for those there at the start), event, at (a station, choice or outcome), class.
    Rows are in the order of replications and of events within each, whatever the number of workers."""

    def __init__(self, path: Path, network: Network) -> None:
        names = names_of(network)
        self._path = path
        self._at = [*names.stations, *names.choices, *names.outcomes]
        self._classes = list(names.classes)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
        except OSError as error:
            raise BettercareError(
                f"The log cannot be written ({error.strerror}).", str(path), "Name a folder you may write in."
            ) from None

    def replication(self, number: int) -> _Piece:
        return _Piece(self._folder, number, self._at, self._classes)

    def close(self) -> None:
        """Join the pieces under the file's name."""
        whole = self._folder / "whole.parquet"
        pl.scan_parquet(sorted(self._folder.glob("part-*.parquet"))).sink_parquet(whole)
        os.replace(whole, self._path)
        self.discard()

    def discard(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._folder, ignore_errors=True)


class _Piece:
    """The log of one replication."""

    def __init__(self, folder: Path, number: int, at: list[str], classes: list[str]) -> None:
        self._folder, self._number, self._at, self._classes, self._parts = folder, number, at, classes, 0

    def write(self, state: State) -> None:
        """Take over what the engine has logged, and let it start again."""
        count = int(state.num[engine.LOGGED])
        state.num[engine.LOGGED] = 0
        what = state.log_what[:count]
        frame = pl.DataFrame(
            {
                "replication": np.full(count, self._number, dtype=np.int32),
                "hours": state.log_time[:count] - engine.warm_hours(state),
                "patient": what[:, 0].copy(),
                "event": pl.Series(what[:, 1].copy()).cast(pl.UInt8),
                "at": pl.Series(what[:, 2].copy()).cast(pl.UInt16),
                "class": pl.Series(what[:, 3].copy()).cast(pl.UInt16),
            }
        ).with_columns(
            pl.col("event").replace_strict(dict(enumerate(engine.LOG_EVENTS)), return_dtype=pl.String),
            pl.col("at").replace_strict(dict(enumerate(self._at)), return_dtype=pl.String),
            pl.col("class").replace_strict(dict(enumerate(self._classes)), return_dtype=pl.String),
        )
        frame.write_parquet(self._folder / f"part-{self._number:08d}-{self._parts:06d}.parquet")
        self._parts += 1
