"""Measures: tables of labelled rows by year by run, all asked in the same words."""

from __future__ import annotations

import os
import tempfile
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError

Array = NDArray[np.float64]

LABELS = (
    "organisation", "sector", "setting", "service_model", "pod", "scheme", "theme", "programme", "locality", "line", "kind",
)  # fmt: skip
"""The words results are filtered and grouped by, the same for every measure."""

QUANTILES = (0.1, 0.5, 0.9)
IN_MEMORY = 64_000_000
"""Bytes of sampled values held in memory; more are kept in a temporary file, so that memory stays level in the number of runs."""


class Draws:
    """The sampled values of a run of a plan: rows by year by run.

    They are filled piece by piece, in order, and read a row and a year at a time. The temporary file has no name and goes with the object.
    """

    def __init__(self, rows: int, years: int, runs: int) -> None:
        self.rows, self.years, self.runs = rows, years, runs
        self._pieces: list[tuple[int, int, int]] = []
        """First run, number of runs, and place in the file of each piece."""
        self._held: Array | None = None
        if rows * years * runs * 8 <= IN_MEMORY:
            self._held = np.empty((years, rows, runs))
        else:
            self._file = tempfile.TemporaryFile(buffering=1 << 16)  # noqa: SIM115 - it lives as long as the draws do
            weakref.finalize(self, self._file.close)

    def put(self, first: int, values: Sequence[Array]) -> None:
        """Values of the runs from ``first`` on: for each row an array of shape (year, run)."""
        if self._held is not None:
            for row, its in enumerate(values):
                self._held[:, row, first : first + its.shape[1]] = its
            return
        try:
            place = self._file.seek(0, os.SEEK_END)
            for its in values:
                self._file.write(np.ascontiguousarray(its).data)
            self._file.flush()
        except OSError as error:
            raise BettercareError(
                f"The sampled values cannot be kept ({error.strerror}).",
                remedy="Make room for temporary files, or ask for fewer runs.",
            ) from None
        self._pieces.append((first, values[0].shape[1], place))

    def get(self, row: int, year: int) -> Array:
        """One row in one year; shape (run,)."""
        if self._held is not None:
            return np.asarray(self._held[year, row])
        found = np.empty(self.runs)
        for first, count, place in self._pieces:
            self._file.seek(place + 8 * count * (row * self.years + year))
            found[first : first + count] = np.frombuffer(self._file.read(8 * count), dtype=np.float64)
        return found


@dataclass(frozen=True)
class Sampled:
    """The draws of one measure: for each of its rows the row of the draws, or None where nothing moves it. Rows may share draws."""

    draws: Draws
    index: tuple[int | None, ...]

    def get(self, row: int, year: int) -> Array | None:
        its = self.index[row]
        return None if its is None else self.draws.get(its, year)


@dataclass(frozen=True)
class Measure:
    """One quantity in all its detail.

    Attributes:
        name: what it is called, such as ``gap``.
        unit: unit of the values.
        labels: one mapping a row, from the words of LABELS to a value ("" where the word does not apply).
        years: financial years, in order.
        published_case: shape (row, year): everything happens as the plan says.
        draws: the sampled values of each row, or None when nothing was sampled.
        keys: name of each row, unique within the measure.
    """

    name: str
    unit: str
    labels: tuple[Mapping[str, str], ...]
    years: tuple[str, ...]
    published_case: Array
    draws: Sampled | None = None
    keys: tuple[str, ...] = ()
    runs: int = 0
    units: tuple[str, ...] = ()
    """Unit of each row where they differ (activity); rows of different units are never added."""

    def __call__(
        self,
        by: str | Sequence[str] = (),
        year: str | Sequence[str] | None = None,
        **where: str | Sequence[str],
    ) -> pl.DataFrame:
        """Sum the measure over rows that match, by group.

        Args:
            by: word or words of LABELS to group by; none for the total.
            year: a financial year, several, or None for all.
            where: words of LABELS with the value or values wanted.

        Returns:
            A frame with the ``by`` columns, ``year``, ``published_case`` and, if there are runs, ``mean, p10, p50, p90``;
            values in ``unit``.

        Raises:
            BettercareError: a word or a year is not known.
        """
        words = (by,) if isinstance(by, str) else tuple(by)
        groups = self._groups(words, where)
        years = self._years(year)
        records = []
        for key, rows in groups.items():
            for position in years:
                record: dict[str, object] = dict(zip(words, key, strict=True))
                record["year"] = self.years[position]
                record["published_case"] = float(self.published_case[rows, position].sum())
                if self.draws is not None:
                    values = self._sum(rows, position)
                    record["mean"] = float(values.mean())
                    for quantile, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
                        record[f"p{quantile * 100:.0f}"] = float(value)
                records.append(record)
        columns = [*words, "year", "published_case"] + (["mean", "p10", "p50", "p90"] if self.draws is not None else [])
        schema = {name: pl.String if name in words or name == "year" else pl.Float64 for name in columns}
        return pl.DataFrame(records, schema=schema)

    def total(self, year: str | None = None, **where: str | Sequence[str]) -> float:
        """The published case of the rows that match, in one number (the last year unless said)."""
        rows = self._groups((), where).get((), [])
        return float(self.published_case[rows, self._years(year or self.years[-1])[0]].sum())

    def sample(self, year: str | None = None, **where: str | Sequence[str]) -> Array:
        """The sum over matching rows in every run; shape (run,)."""
        if self.draws is None:
            raise BettercareError("Nothing was sampled.", remedy="Run with runs=1000 or more.")
        rows = self._groups((), where).get((), [])
        return self._sum(rows, self._years(year or self.years[-1])[0])

    def _sum(self, rows: Sequence[int], position: int) -> Array:
        """Sum of rows in one year in every run; shape (run,)."""
        assert self.draws is not None
        total = np.zeros(self.runs)
        fixed = 0.0
        for row in rows:
            drawn = self.draws.get(row, position)
            if drawn is None:
                fixed += float(self.published_case[row, position])
            else:
                total += drawn
        return total + fixed

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Every row of the published case, with its labels, long by year."""
        rows = [
            {
                **{word: labels.get(word, "") for word in LABELS},
                "year": year,
                "value": float(self.published_case[i, t]),
                "unit": self.units[i] if self.units else self.unit,
            }
            for i, labels in enumerate(self.labels)
            for t, year in enumerate(self.years)
        ]
        schema = {**dict.fromkeys(LABELS, pl.String), "year": pl.String, "value": pl.Float64, "unit": pl.String}
        return pl.DataFrame(rows, schema=schema)

    def __repr__(self) -> str:
        return f"<{self.name} in {self.unit}: {len(self.labels)} rows, {self.years[0]} to {self.years[-1]}>"

    def _years(self, year: str | Sequence[str] | None) -> list[int]:
        if year is None:
            return list(range(len(self.years)))
        wanted = [year] if isinstance(year, str) else list(year)
        unknown = [name for name in wanted if name not in self.years]
        if unknown:
            raise BettercareError(
                f"{unknown[0]!r} is not a year of the plan.", remedy=f"Years: {', '.join(self.years)}."
            )
        return [self.years.index(name) for name in wanted]

    def _groups(
        self, words: tuple[str, ...], where: Mapping[str, str | Sequence[str]]
    ) -> dict[tuple[str, ...], list[int]]:
        for word in (*words, *where):
            if word not in LABELS:
                raise BettercareError(
                    f"{word!r} is not a word results are grouped by.", remedy=f"Use: {', '.join(LABELS)}, year."
                )
        groups: dict[tuple[str, ...], list[int]] = {}
        for index, labels in enumerate(self.labels):
            if all(
                labels.get(word, "") in ((want,) if isinstance(want, str) else want) for word, want in where.items()
            ):
                groups.setdefault(tuple(labels.get(word, "") for word in words), []).append(index)
        for word, want in where.items():
            known = {labels.get(word, "") for labels in self.labels}
            for value in (want,) if isinstance(want, str) else want:
                if value not in known:
                    raise BettercareError(
                        f"{self.name} has no {word} {value!r}.",
                        remedy=f"It has: {', '.join(sorted(filter(None, known))) or 'none'}.",
                    )
        for rows in groups.values() if self.units else ():
            kinds = sorted({self.units[index] for index in rows})
            if len(kinds) > 1:
                raise BettercareError(
                    f"{self.name} in {' and '.join(kinds)} cannot be added.", remedy="Ask by='pod', or for one pod."
                )
        return groups
