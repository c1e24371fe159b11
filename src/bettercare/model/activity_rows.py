"""Activity rows in Parquet: their column dictionary (rows.csv), and reading them a chunk at a time with every fault
named.

Any further column may stand in a file; effects and growth can choose rows by it.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from bettercare.errors import BettercareError
from bettercare.vocabulary import PODS

if TYPE_CHECKING:
    Codes = npt.NDArray[np.int32]

INPATIENTS, OUTPATIENTS, EMERGENCY = "inpatients", "outpatients", "accident-emergency"
TABLES = (INPATIENTS, OUTPATIENTS, EMERGENCY)

SEXES = ("male", "female", "other", "unknown")
DERIVED = ("pod", "part", "band")
"""Columns every chunk is given beside its own: point of delivery, part of it, and age band."""

OLDEST = 130
LONGEST_STAY = 36_525
LARGEST_COUNT = 1_000_000
MOST_SITES = 5_000

_POD_OF_ADMISSION = {
    "elective": "elective",
    "day-case": "day-case",
    "emergency": "non-elective",
    "maternity": "maternity",
    "other": "non-elective",
}
_BEDDED = tuple(pod.id for pod in PODS.values() if pod.bedded)
_KINDS = ("first", "follow-up", "procedure")
_OUTPATIENT_PODS = ("outpatient", "community-outpatient")
_ARRIVALS = ("ambulance", "walk-in", "other")
_TELE = "-tele"


@dataclass(frozen=True)
class ActivityColumn:
    """One row of the column dictionary."""

    table: str
    column: str
    type: str
    required: bool
    choices: tuple[str, ...]
    meaning: str


def _dictionary() -> tuple[ActivityColumn, ...]:
    text = files(__package__).joinpath("rows.csv").read_text(encoding="utf-8")
    return tuple(
        ActivityColumn(
            row["table"],
            row["column"],
            row["type"],
            row["required"] == "yes",
            _BEDDED if row["choices"] == "vocabulary:bedded_pods" else tuple(filter(None, row["choices"].split("|"))),
            row["meaning"],
        )
        for row in csv.DictReader(text.splitlines())
    )


ACTIVITY_COLUMNS: tuple[ActivityColumn, ...] = _dictionary()


@dataclass(frozen=True, order=True)
class Point:
    """A point of delivery and the part of it a row belongs to (first, follow-up-tele, ambulance; empty where it has
    no parts)."""

    pod: str
    part: str = ""

    def __str__(self) -> str:
        return f"{self.pod}/{self.part}" if self.part else self.pod


POINTS: tuple[Point, ...] = (
    *(Point(pod) for pod in _BEDDED),
    *(Point(pod, kind + tele) for pod in _OUTPATIENT_PODS for tele in ("", _TELE) for kind in _KINDS),
    *(Point("accident-emergency", arrival) for arrival in _ARRIVALS),
    *(
        Point(pod.id)
        for pod in PODS.values()
        if not pod.bedded and pod.id not in (*_OUTPATIENT_PODS, "accident-emergency")
    ),
)
"""Everything a row can be or become."""

POINT_NUMBER: Mapping[Point, int] = {point: number for number, point in enumerate(POINTS)}


def tele_of(point: Point) -> Point | None:
    """The same attendance held by telephone or video; None where that means nothing."""
    if point.pod not in _OUTPATIENT_PODS or point.part.endswith(_TELE):
        return None
    return Point(point.pod, point.part + _TELE)


@dataclass(frozen=True)
class RowChunk:
    """Some rows of a table, checked and coded; arrays are [row].

    Attributes:
        first_row: number of rows in the file before these.
        frame: the rows as read, with pod, part and band, for conditions to be asked of.
        point: place in POINTS. band: place in the age bands asked for. sex: place in SEXES. site: number of the site.
        stay: length of stay in days (0 outside inpatients). count: spells or attendances the row stands for.
    """

    first_row: int
    frame: pl.DataFrame
    point: Codes
    band: Codes
    sex: Codes
    site: Codes
    stay: Codes
    count: Codes


class Sites:
    """Numbers given to sites as they are met."""

    def __init__(self) -> None:
        self.number: dict[str, int] = {}

    def codes(self, labels: pl.Series, where: str) -> Codes:
        for label in labels.unique().to_list():
            self.number.setdefault(label, len(self.number))
        if len(self.number) > MOST_SITES:
            raise BettercareError(
                f"there are more than {MOST_SITES:,} different sites.",
                where,
                "Give the hospital or department; results are kept for each site.",
            )
        return _numbers(labels, self.number)


def _numbers(labels: pl.Series, number: Mapping[str, int]) -> Codes:
    codes = labels.replace_strict(list(number), list(number.values()), default=-1, return_dtype=pl.Int32)
    return codes.to_numpy()


def _is_text(kind: pl.DataType) -> bool:
    return isinstance(kind, (pl.String, pl.Categorical, pl.Enum))


def _is_number(kind: pl.DataType) -> bool:
    return kind.is_numeric()


class RowFile:
    """A Parquet file of activity rows.

    Args:
        path: the file.
        table: one of TABLES.
        wanted: columns that conditions ask for beside the dictionary's, and who asks (for the error).

    Raises:
        BettercareError: it cannot be read, has no rows, lacks a column, or a column is of the wrong type.
    """

    def __init__(self, path: Path, table: str, wanted: Mapping[str, str]) -> None:
        self.path = Path(path)
        self.table = table
        self.columns = tuple(column for column in ACTIVITY_COLUMNS if column.table == table)
        if not self.path.is_file():
            raise BettercareError("there is no such file.", str(self.path), f"Give the Parquet file of {table}.")
        try:
            self.scan = pl.scan_parquet(self.path, glob=False)
            self.schema: Mapping[str, pl.DataType] = self.scan.collect_schema()
            self.rows = int(self.scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise self._unreadable(error) from None
        for column in self.columns:
            self._check_column(column)
        for name, asker in wanted.items():
            if name not in self.schema and name not in DERIVED:
                raise BettercareError(
                    f"{asker} chooses rows by {name!r}, and there is no such column.",
                    str(self.path),
                    f"Columns: {', '.join(self.schema)}. A line of growth may be kept to one table.",
                )
        if self.rows == 0:
            raise BettercareError("there are no rows.", str(self.path), f"Leave {table} out, or give a file with rows.")
        # specialty is read only where a condition asks for it; pod is read as pod_given, because the chunk's own pod
        # is made from it
        own = {
            column.column for column in self.columns if column.column in self.schema and column.column != "specialty"
        }
        self.wanted = tuple(name for name in wanted if name in self.schema and name not in DERIVED)
        self.given = sorted(own.union(self.wanted).difference(DERIVED))

    def _unreadable(self, error: BaseException) -> BettercareError:
        reason = " ".join(str(error).split())[:160]
        return BettercareError(
            f"it cannot be read as Parquet ({reason}).",
            str(self.path),
            "Write it again as Parquet and check that the copy is whole.",
        )

    def _check_column(self, column: ActivityColumn) -> None:
        name, where = column.column, f"{self.path}, column {column.column}"
        if name not in self.schema:
            if column.required:
                raise BettercareError(
                    f"the column {name!r} is missing.",
                    str(self.path),
                    f"Add it: {column.meaning}. Columns: {', '.join(self.schema)}.",
                )
            return
        kind = self.schema[name]
        good = {
            "integer": _is_number(kind),
            "flag": isinstance(kind, pl.Boolean) or kind.is_integer(),
            "choice": _is_text(kind),
            "text": _is_text(kind) or kind.is_integer(),
        }[column.type]
        # A column without a single value has no type of its own in Parquet.
        if not good and not isinstance(kind, pl.Null):
            needs = {"integer": "whole numbers", "flag": "true or false", "choice": "text", "text": "text"}[column.type]
            raise BettercareError(f"it holds {kind}, not {needs}.", where, f"{column.meaning}.")

    def chunk(
        self, first_row: int, rows: int, band_edges: Sequence[int], bands: Sequence[str], sites: Sites
    ) -> RowChunk:
        """Read, check and code rows ``first_row`` to ``first_row + rows - 1`` (counted from 0).

        ``band_edges`` are the lowest ages of ``bands``, which must start at 0.
        """
        names = [pl.col(name) for name in self.given]
        if "pod" in self.schema:
            names.append(pl.col("pod").alias("pod_given"))
        try:
            frame = self.scan.slice(first_row, rows).select(names).collect()
        except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
            raise self._unreadable(error) from None
        frame = frame.with_columns(
            pl.col(name).cast(pl.String)
            for name, kind in frame.schema.items()
            if isinstance(kind, (pl.Categorical, pl.Enum))
        )
        read = _Reading(self, frame, first_row)
        for name in self.wanted:
            read.no_nan(name)
        age = read.whole("age", 0, OLDEST)
        stay = (
            read.whole("length_of_stay", 0, LONGEST_STAY)
            if self.table == INPATIENTS
            else np.zeros(len(frame), np.int32)
        )
        count = (
            read.whole("count", 1, LARGEST_COUNT, blank=1)
            if "count" in frame.columns
            else np.ones(len(frame), np.int32)
        )
        sex = read.choice("sex", SEXES, blank="unknown")
        point = self._points(read)
        labels = frame["site"].cast(pl.String).fill_null("unknown").replace("", "unknown")
        site = sites.codes(labels, f"{self.path}, column site")
        band = (np.searchsorted(np.asarray(band_edges), age, side="right") - 1).astype(np.int32)
        # Blanks read as the dictionary says they are read, so that a condition sees what the results show.
        places = pl.Series(point)
        shown = {
            "pod": pl.Series([one.pod for one in POINTS]).gather(places),
            "part": pl.Series([one.part for one in POINTS]).gather(places),
            "band": pl.Series(bands).gather(pl.Series(band)),
            "sex": pl.Series(SEXES).gather(pl.Series(sex)),
            "site": labels,
            "age": pl.Series(age),
            "count": pl.Series(count),
        }
        if self.table == INPATIENTS:
            shown["length_of_stay"] = pl.Series(stay)
        if self.table == OUTPATIENTS:
            shown["tele"] = frame["tele"].cast(pl.Boolean)
        if self.table == EMERGENCY:
            shown["arrival_mode"] = frame["arrival_mode"].cast(pl.String).fill_null("other").replace("", "other")
        if "specialty" in frame.columns:
            shown["specialty"] = frame["specialty"].cast(pl.String).fill_null("unknown").replace("", "unknown")
        frame = frame.with_columns(values.alias(name) for name, values in shown.items())
        return RowChunk(first_row, frame, point, band, sex, site, stay, count)

    def _points(self, read: _Reading) -> Codes:
        if self.table == INPATIENTS:
            methods = tuple(_POD_OF_ADMISSION)
            derived = np.array([POINT_NUMBER[Point(pod)] for pod in _POD_OF_ADMISSION.values()], np.int32)
            point = derived[read.choice("admission_method", methods)]
            given = read.pod(_BEDDED)
            numbers = np.array([POINT_NUMBER[Point(pod)] for pod in _BEDDED], np.int32)
            return point if given is None else np.where(given >= 0, numbers[given], point)
        if self.table == OUTPATIENTS:
            kind = read.choice("kind", _KINDS)
            tele = read.flag("tele")
            pod = read.pod(_OUTPATIENT_PODS)
            numbers = np.array(
                [
                    [[POINT_NUMBER[Point(pod, kind + tele)] for kind in _KINDS] for tele in ("", _TELE)]
                    for pod in _OUTPATIENT_PODS
                ],
                np.int32,
            )
            return np.asarray(numbers[np.zeros_like(kind) if pod is None else np.maximum(pod, 0), tele, kind], np.int32)
        numbers = np.array([POINT_NUMBER[Point("accident-emergency", arrival)] for arrival in _ARRIVALS], np.int32)
        return np.asarray(numbers[read.choice("arrival_mode", _ARRIVALS, blank="other")], np.int32)


class _Reading:
    """Columns of one chunk turned into arrays; the first row at fault is named."""

    def __init__(self, file: RowFile, frame: pl.DataFrame, first_row: int) -> None:
        self.file = file
        self.frame = frame
        self.first_row = first_row

    def _fault(self, name: str, row: int, what: str, remedy: str) -> BettercareError:
        return BettercareError(what, f"{self.file.path}, row {self.first_row + row + 1}, column {name}", remedy)

    def no_nan(self, name: str) -> None:
        """A column that conditions ask of may have blanks, and no NaN."""
        values = self.frame[name]
        if values.dtype.is_float() and values.is_nan().any():
            raise self._fault(
                name,
                values.is_nan().fill_null(False).arg_max() or 0,
                "it is not a number.",
                "Give a number or leave it blank.",
            )

    def whole(self, name: str, least: int, most: int, blank: int | None = None) -> Codes:
        values = self.frame[name]
        remedy = f"Give a whole number from {least:,} to {most:,}."
        if blank is None and values.null_count():
            raise self._fault(name, values.is_null().arg_max() or 0, "there is no value.", remedy)
        if isinstance(values.dtype, pl.Null):
            values = values.cast(pl.Int32)
        values = values.fill_null(blank) if blank is not None else values
        if values.dtype.is_float() or values.dtype.is_decimal():
            numbers = values.cast(pl.Float64).to_numpy()
            wrong = ~np.isfinite(numbers)
            if wrong.any():
                raise self._fault(name, int(wrong.argmax()), "it is not a number.", remedy)
            wrong = numbers != np.floor(numbers)
            if wrong.any():
                raise self._fault(
                    name, int(wrong.argmax()), f"{numbers[wrong.argmax()]:g} is not a whole number.", remedy
                )
        else:
            numbers = values.to_numpy()
        wrong = (numbers < least) | (numbers > most)
        if wrong.any():
            row = int(wrong.argmax())
            raise self._fault(name, row, f"{numbers[row]:.15g} is out of range.", remedy)
        return np.asarray(numbers.astype(np.int32))

    def choice(self, name: str, choices: Sequence[str], blank: str | None = None) -> Codes:
        values = self.frame[name].cast(pl.String)
        remedy = f"Use one of: {', '.join(choices)}."
        if blank is not None:
            values = values.fill_null(blank).replace("", blank)
        elif values.null_count():
            raise self._fault(name, values.is_null().arg_max() or 0, "there is no value.", remedy)
        codes = _numbers(values, {label: number for number, label in enumerate(choices)})
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            raise self._fault(name, row, f"{str(values[row])[:60]!r} is not one of its choices.", remedy)
        return codes

    def pod(self, choices: Sequence[str]) -> Codes | None:
        """The point of delivery the file gives, -1 where it is blank; None where the file has no such column."""
        if "pod_given" not in self.frame.columns:
            return None
        values = self.frame["pod_given"].cast(pl.String).replace("", None)
        codes = _numbers(values.fill_null(choices[0]), {label: number for number, label in enumerate(choices)})
        if (codes < 0).any():
            row = int((codes < 0).argmax())
            raise self._fault(
                "pod",
                row,
                f"{str(values[row])[:60]!r} is not one of its choices.",
                f"Use one of: {', '.join(choices)}.",
            )
        return np.where(values.is_null().to_numpy(), np.int32(-1), codes)

    def flag(self, name: str) -> Codes:
        values = self.frame[name]
        if values.null_count():
            raise self._fault(name, values.is_null().arg_max() or 0, "there is no value.", "Give true or false.")
        numbers = values.cast(pl.Int64).to_numpy()
        wrong = (numbers != 0) & (numbers != 1)
        if wrong.any():
            raise self._fault(
                name,
                int(wrong.argmax()),
                f"{numbers[wrong.argmax()]} is neither true nor false.",
                "Give true or false.",
            )
        return np.asarray(numbers.astype(np.int32))
