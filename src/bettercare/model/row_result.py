"""What the row-level mode found: activity and bed days by point of delivery, part, age band, sex and site, with their
intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.vocabulary import PODS

Array = NDArray[np.float64]
Integers = NDArray[np.int64]

CELL_LABELS = ("pod", "part", "setting", "band", "sex", "site")
"""The words results are grouped and filtered by."""

MEASURES = ("activity", "bed_days")
QUANTILES = (0.1, 0.5, 0.9)


@dataclass(frozen=True)
class RowResult:
    """Counts drawn in every run, and the expected change each cause brings.

    Attributes:
        runs: number of runs. seed: seed they were drawn with.
        cells: one row a cell: pod, part, setting, band, sex, site.
        baseline: measure -> rows as they are, shape (cell,).
        drawn: measure -> what each run drew, shape (run, cell).
        causes: name and kind of each growth and effect, in the order of ``changes``.
        pods: points of delivery, in the order of ``changes``.
        changes: measure -> expected change by cause, shape (run, pod, cause).
        factors: one row a growth line or effect: what its size was over the runs (mean, p10, p50, p90).
        reach: one row a growth line or effect: how many rows (and of how many) it chose. An effect that chose none
            changed nothing.
    """

    runs: int
    seed: int
    cells: pl.DataFrame
    baseline: Mapping[str, Integers | Array]
    drawn: Mapping[str, Integers | Array]
    causes: tuple[tuple[str, str], ...]
    pods: tuple[str, ...]
    changes: Mapping[str, Array]
    factors: pl.DataFrame
    reach: pl.DataFrame

    def activity(self, by: str | Sequence[str] = (), **where: str | Sequence[str]) -> pl.DataFrame:
        """Spells and attendances. See :meth:`table`."""
        return self.table("activity", by, **where)

    def bed_days(self, by: str | Sequence[str] = (), **where: str | Sequence[str]) -> pl.DataFrame:
        """Bed days (nights). See :meth:`table`."""
        return self.table("bed_days", by, **where)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """Both measures in every cell: pod, part, setting, band, sex, site, measure, unit, baseline, mean, p10, p50,
        p90."""
        parts = [
            self.table(measure, CELL_LABELS).with_columns(pl.lit(measure).alias("measure"))
            for measure in MEASURES
        ]  # fmt: skip
        columns = [*CELL_LABELS, "measure", "unit", "baseline", "mean", "p10", "p50", "p90"]
        return pl.concat(parts).select(columns)

    def table(self, measure: str, by: str | Sequence[str] = (), **where: str | Sequence[str]) -> pl.DataFrame:
        """One measure by group, summed in each run before the interval is taken.

        Args:
            measure: ``activity`` or ``bed_days``.
            by: word or words of CELL_LABELS; none for the total.
            where: words of CELL_LABELS with the value or values wanted.

        Returns:
            A frame with the ``by`` columns, ``unit``, ``baseline`` (the rows as they are), ``mean, p10, p50, p90``
            over runs. Activity is never added over units: a group with admissions and attendances has a row for each.
            Bed days are given for points of delivery with beds.

        Raises:
            BettercareError: a word or a value is not known.
        """
        keys, baseline, drawn = self._grouped(measure, by, where)
        # By group first: numpy adds a run of numbers in one order only where they lie together.
        drawn = np.ascontiguousarray(drawn.T)
        low, middle, high = np.quantile(drawn, QUANTILES, axis=1) if keys.height else np.empty((3, 0))
        return keys.with_columns(
            pl.Series("baseline", baseline, pl.Float64),
            pl.Series("mean", drawn.mean(axis=1), pl.Float64),
            pl.Series("p10", low, pl.Float64),
            pl.Series("p50", middle, pl.Float64),
            pl.Series("p90", high, pl.Float64),
        )

    def draws(self, measure: str, by: str | Sequence[str] = (), **where: str | Sequence[str]) -> pl.DataFrame:
        """As :meth:`table`, but what each run drew: the ``by`` columns, ``unit``, ``run`` (from 0) and ``value``."""
        keys, _, drawn = self._grouped(measure, by, where)
        rows = np.repeat(np.arange(keys.height), self.runs)
        return keys[rows].with_columns(
            pl.Series("run", np.tile(np.arange(self.runs), keys.height)),
            pl.Series("value", drawn.T.reshape(-1), pl.Float64),
        )

    def bridge(
        self, measure: str = "activity", by: str | Sequence[str] = "pod", **where: str | Sequence[str]
    ) -> pl.DataFrame:
        """From the rows as they are to what the runs drew, by cause.

        The bars add up exactly in each run: ``baseline``, one a growth or effect (expected change, by log-mean
        Divisia shares, so the order of the causes does not matter), ``chance`` (what the draw added to what was
        expected) and ``result``. What a shift takes from one point of delivery it gives another (times ``per_unit``).

        Args:
            measure: ``activity`` or ``bed_days``.
            by: ``pod``, ``setting`` or nothing.
            where: pod or setting with the value or values wanted.

        Returns:
            A frame with the ``by`` columns, ``unit``, ``kind``, ``cause``, ``mean``, ``p10``, ``p90`` over runs.
            Causes that changed nothing in a group are left out of it.
        """
        words = (by,) if isinstance(by, str) else tuple(by)
        for word in (*words, *where):
            if word not in ("pod", "setting"):
                raise BettercareError(f"A bridge has no {word!r}.", remedy="Group and filter by pod or setting.")
        keys, baseline, drawn = self._grouped(measure, words, where)
        labels = pl.DataFrame(
            {
                "pod": self.pods,
                "setting": [PODS[pod].setting for pod in self.pods],
                "unit": [_unit(measure, pod) for pod in self.pods],
            }
        )
        bars: list[pl.DataFrame] = []
        for number, key in enumerate(keys.iter_rows(named=True)):
            chosen = labels.with_row_index("place").filter(
                *(pl.col(word) == value for word, value in key.items()),
                *(pl.col(word).is_in(_values(wanted)) for word, wanted in where.items()),
            )["place"]
            changes = self.changes[measure][:, chosen.to_numpy(), :].sum(axis=1)
            moved = np.flatnonzero(np.abs(changes).max(axis=0) > 0)
            changes = changes[:, moved]
            chance = drawn[:, number] - baseline[number] - changes.sum(axis=1)
            names = [
                ("baseline", ""),
                *((self.causes[cause][1], self.causes[cause][0]) for cause in moved),
                ("chance", ""),
                ("result", ""),
            ]
            values = np.column_stack([np.full(self.runs, float(baseline[number])), changes, chance, drawn[:, number]])
            low, high = np.quantile(values, (0.1, 0.9), axis=0)
            bars.append(
                pl.DataFrame(
                    {
                        **{word: [value] * len(names) for word, value in key.items()},
                        "kind": [kind for kind, _ in names],
                        "cause": [cause for _, cause in names],
                        "mean": values.mean(axis=0),
                        "p10": low,
                        "p90": high,
                    }
                )
            )
        return pl.concat(bars)

    def _grouped(
        self, measure: str, by: str | Sequence[str], where: Mapping[str, str | Sequence[str]]
    ) -> tuple[pl.DataFrame, Array, Array]:
        # Groups in the order of their first cell; baseline [group]; drawn [run, group].
        if measure not in MEASURES:
            raise BettercareError(
                f"{measure!r} is not a measure of rows.", remedy=f"Use one of: {', '.join(MEASURES)}."
            )
        words = (by,) if isinstance(by, str) else tuple(by)
        for word in (*words, *where):
            if word not in CELL_LABELS:
                raise BettercareError(
                    f"{word!r} is not a word results are grouped by.", remedy=f"Use: {', '.join(CELL_LABELS)}."
                )
        for word, wanted in where.items():
            known = self.cells[word].unique().to_list()
            for value in _values(wanted):
                if value not in known:
                    raise BettercareError(
                        f"The rows have no {word} {value!r}.",
                        remedy=f"They have: {', '.join(sorted(filter(None, known)))}.",
                    )
        units = pl.Series("unit", [_unit(measure, pod) for pod in self.cells["pod"]], pl.String)
        cells = self.cells.with_columns(units).with_row_index("cell")
        cells = cells.filter(*(pl.col(word).is_in(_values(wanted)) for word, wanted in where.items()))
        if measure == "bed_days":
            cells = cells.filter(pl.col("pod").is_in([pod.id for pod in PODS.values() if pod.bedded]))
        groups = cells.group_by([*words, "unit"], maintain_order=True).agg(pl.col("cell"))
        keys = groups.drop("cell")
        sizes = groups["cell"].list.len().to_numpy()
        if not keys.height:
            return keys, np.zeros(0), np.zeros((self.runs, 0))
        order = groups["cell"].explode().to_numpy()
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.intp)
        baseline = np.add.reduceat(self.baseline[measure][order], starts)
        drawn = np.add.reduceat(self.drawn[measure][:, order], starts, axis=1)
        return keys, baseline.astype(np.float64), drawn.astype(np.float64)


def _values(wanted: str | Sequence[str]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else list(wanted)


def _unit(measure: str, pod: str) -> str:
    return "bed days" if measure == "bed_days" else PODS[pod].unit
