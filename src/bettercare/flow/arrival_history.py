"""How many patients came so far in each stream, by hour or by day, from a CSV file or rows of a store."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from bettercare.errors import BettercareError, Fault, FaultsError
from bettercare.flow.network import Network
from bettercare.flow.row_cells import moment_of, quoted, some_of, text_of
from bettercare.plan import Column, TableSpec
from bettercare.plan.cells import number
from bettercare.plan.faults import Gathered
from bettercare.plan.read import read_csv

_LARGEST_COUNT = 1_000_000
COLUMNS = TableSpec(
    "arrivals",
    "Arrivals so far",
    False,
    "How many came in each stream, by hour or by day",
    (
        Column("when", "text", "yes", "", (), "The hour (2016-04-01T13:00), or the day (2016-04-01) when the count is of a day"),
        Column("stream", "text", "yes", "", (), "Id of a stream of arrivals of the network"),
        Column("count", "integer", "yes", "", (), "How many came"),
    ),
)  # fmt: skip
"""The columns of the file."""
SCHEMA = pl.Schema({"stream": pl.String(), "day": pl.Date(), "hour": pl.Int64(), "count": pl.Float64()})


class HistoryError(FaultsError):
    """A history of arrivals has faults; all of them are listed, and none of its rows is taken."""

    said = "The history of arrivals cannot be used"


@dataclass(frozen=True)
class ArrivalHistory:
    """Counts of arrivals. In hourly counts an hour without a row had none, if any stream has a row on that day; a day without any row is
    not known. In daily counts a day without a row is not known."""

    frame: pl.DataFrame = field(repr=False)
    """stream, day, hour (null for a day's total), count; one row each."""

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, Any]], network: Network) -> ArrivalHistory:
        """The history from rows with the columns of the file; ``when`` may be a datetime or a date.

        Raises:
            HistoryError: with every fault.
        """
        return _read([(f"row {position}", row) for position, row in enumerate(rows, start=1)], network)

    def before(self, at: datetime) -> ArrivalHistory:
        """What was known at a moment: whole days before its day, and whole hours of its day."""
        today = (pl.col("day") == at.date()) & (pl.col("hour") < at.hour)
        return ArrivalHistory(self.frame.filter((pl.col("day") < at.date()) | today.fill_null(False)))

    @property
    def ends(self) -> datetime | None:
        """The end of the last hour or day with a row; None when there is none."""
        if self.frame.is_empty():
            return None
        last = self.frame.with_columns(end=pl.col("hour").fill_null(23) + 1).sort("day", "end").row(-1, named=True)
        return datetime.combine(last["day"], time()) + timedelta(hours=last["end"])


def read_arrivals(path: str | Path, network: Network) -> ArrivalHistory:
    """The history of arrivals from a CSV file (UTF-8) with the columns of :data:`COLUMNS`.

    A time that is not a whole hour counts to the hour it lies in, so a file with a row for each patient and a count of 1 will do.

    Raises:
        HistoryError: with every fault, by row and column.
    """
    path = Path(path)
    if not os.path.exists(path):
        raise BettercareError("The file is not there.", path.name[:100], "Check its name and folder.")
    faults: list[Fault] = []
    rows = read_csv(path, path.name[:100], COLUMNS, faults)
    if faults:
        raise HistoryError(faults)
    return _read(rows, network)


def _read(rows: Sequence[tuple[str, Mapping[str, Any]]], network: Network) -> ArrivalHistory:
    faults: list[Fault] = []
    gathered = Gathered(faults)
    streams = {stream.id for stream in network.arrivals}
    counts: dict[tuple[str, date, int | None], float] = {}
    whole: dict[tuple[str, date, int | None], str] = {}
    kinds: dict[str, tuple[bool, str]] = {}
    for where, cells in rows:
        stream = text_of(cells.get("stream"))
        moment, by_day = _when(cells.get("when"), where, gathered)
        count = _count(cells.get("count"), where, gathered)
        if stream not in streams:
            gathered.append(
                Fault(
                    f"{where}, column stream",
                    f"The network has no stream {quoted(stream)}.",
                    f"Its streams: {some_of(streams)}.",
                )
            )
            continue
        if moment is None or count is None:
            continue
        before = kinds.setdefault(stream, (by_day, where))
        if before[0] != by_day:
            gathered.append(
                Fault(
                    f"{where}, column when",
                    f"{stream} is counted by {'day' if by_day else 'hour'} here and by {'hour' if by_day else 'day'} at {before[1]}.",
                    "Give one of the two.",
                )
            )
            continue
        off = bool(moment.minute or moment.second or moment.microsecond)
        key = (stream, moment.date(), None if by_day else moment.hour)
        if not off and key in whole:
            gathered.append(
                Fault(f"{where}, column when", f"{stream} is already counted at {whole[key]}.", "Keep one row.")
            )
            continue
        if not off:
            whole[key] = where
        counts[key] = counts.get(key, 0.0) + count
    gathered.close()
    if not rows:
        faults.append(Fault("the history", "There is no row in it.", "Write one row for each hour or day and stream."))
    if faults:
        raise HistoryError(faults)
    frame = pl.DataFrame([(*key, count) for key, count in counts.items()], schema=SCHEMA, orient="row")
    return ArrivalHistory(frame.sort("stream", "day", "hour"))


def _when(value: Any, where: str, faults: Gathered) -> tuple[datetime | None, bool]:
    """A moment, or a fault; and whether it is a day."""
    try:
        return moment_of(text_of(value))
    except BettercareError as error:
        faults.append(Fault(f"{where}, column when", error.what, error.remedy))
        return None, False


def _count(value: Any, where: str, faults: Gathered) -> float | None:
    try:
        found = (
            float(value) if isinstance(value, int | float) and not isinstance(value, bool) else number(text_of(value))
        )
    except BettercareError as error:
        faults.append(Fault(f"{where}, column count", error.what, error.remedy))
        return None
    if not (0 <= found <= _LARGEST_COUNT and found == int(found)):
        what = f"{found:g} is not a number of patients."
        faults.append(Fault(f"{where}, column count", what, f"Write a whole number from 0 to {_LARGEST_COUNT:,}."))
        return None
    return found
