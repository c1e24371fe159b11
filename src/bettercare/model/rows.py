"""The row-level mode of the system model: growth and effects resample activity rows.

Each row of an activity file (a spell, an attendance) is drawn anew in every run: how often it appears is Poisson,
with the product of its growth factors and of what its avoidance effects leave as mean; shifts move some of its
appearances to another point of delivery and shortening takes days from the stays (both binomial). Rows are read a
chunk at a time and added to the results' cells as they are drawn, so memory does not grow with the rows.
:mod:`bettercare.model.resample` has the draws and the reasoning.

The result depends on the files (the order of rows included), the model, the number of runs and the seed, and on
nothing else: not on workers, nor on chunks. The first 100 of 256 runs are the runs of 100. A file with a ``count``
column may hold identical rows once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from bettercare.errors import BettercareError
from bettercare.model import resample
from bettercare.model.activity_rows import (
    ACTIVITY_COLUMNS,
    POINT_NUMBER,
    POINTS,
    SEXES,
    TABLES,
    ActivityColumn,
    Point,
    RowChunk,
    RowFile,
    Sites,
)
from bettercare.model.row_model import (
    GREATEST_GROWTH,
    Between,
    GrowthLine,
    RowEffect,
    RowGrowth,
    RowModel,
    Size,
    Where,
    chooses,
)
from bettercare.model.row_result import RowResult
from bettercare.vocabulary import PODS

if TYPE_CHECKING:
    from bettercare.model.resample import Codes, Flags, Floats, Integers, Words

__all__ = [
    "ACTIVITY_COLUMNS",
    "POINTS",
    "TABLES",
    "ActivityColumn",
    "Between",
    "GrowthLine",
    "Point",
    "RowEffect",
    "RowGrowth",
    "RowModel",
    "RowResult",
    "Size",
    "Where",
    "run_rows",
]

SEED = 2016
MOST_RUNS = 100_000
MOST_OF_A_ROW = 1e8
"""How many times one row may be expected to appear: beyond this it is a total, and drawing it would take for ever."""
MOST_BYTES = 384 * 2**20
"""What the results may take in memory."""

Progress = Callable[[int, int], None]


def run_rows(
    paths: Mapping[str, str | Path],
    model: RowModel,
    runs: int = 256,
    seed: int = SEED,
    workers: int = 1,
    progress: Progress | None = None,
    rows_at_once: int = 262_144,
) -> RowResult:
    """Draw every row of the files in every run.

    Args:
        paths: table (``inpatients``, ``outpatients``, ``accident-emergency``; one or more) -> Parquet file with the
            columns of ACTIVITY_COLUMNS and any others that conditions ask for.
        model: growth and effects.
        runs: how many runs.
        seed: the same seed gives the same numbers.
        workers: threads that share the runs.
        progress: called with rows done and rows in all, several times a chunk; what it raises stops the work.
        rows_at_once: rows in a chunk; a larger chunk takes more memory and changes nothing else.

    Raises:
        BettercareError: a file, a row, or the model cannot be used; the file and row are named.
    """
    _check_whole("runs", runs, 1, MOST_RUNS)
    _check_whole("workers", workers, 1, 1024)
    _check_whole("rows_at_once", rows_at_once, 1, 10_000_000)
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise BettercareError(f"seed is {seed!r}.", remedy="Give a whole number.")
    if not paths:
        raise BettercareError(
            "There are no activity files.", remedy=f"Give a Parquet file for one or more of: {', '.join(TABLES)}."
        )
    for table in paths:
        if table not in TABLES:
            raise BettercareError(
                f"{table!r} is not a table of activity rows.", remedy=f"Use one of: {', '.join(TABLES)}."
            )
    work = _Work(model, runs, seed)
    opened = [RowFile(Path(paths[table]), table, work.wanted(table)) for table in TABLES if table in paths]
    total = sum(file.rows for file in opened)
    done = 0
    pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="rows")
    try:
        for file in opened:
            for first_row in range(0, file.rows, rows_at_once):
                chunk = file.chunk(first_row, rows_at_once, work.edges, model.bands, work.sites)
                for share in work.add(file, chunk, pool, workers):
                    if progress is not None:
                        progress(done + int(share * chunk.point.size), total)
                done += chunk.point.size
        return work.result(pool, workers)
    finally:
        # On an interruption the pieces already running (a fraction of a second each) end; the others never start.
        pool.shutdown(wait=True, cancel_futures=True)


class _Work:
    """The model laid out as arrays, and the results as they build up."""

    def __init__(self, model: RowModel, runs: int, seed: int) -> None:
        self.model, self.runs, self.seed = model, runs, seed
        # Sorted by name, so that the order the model lists them in changes nothing, not even the last bit of a product.
        self.growth = sorted(model.growth, key=lambda one: one.name)
        self.effects = sorted(model.effects, key=lambda one: one.name)
        self.edges = model.band_edges()
        self.sites = Sites()
        self._lay_out_growth()
        self._lay_out_effects()
        self.run_key = resample.keys(_key(seed, "runs"), 0, runs)
        self.compact = np.full(0, -1, np.int32)
        self.cell_of: list[int] = []
        self.activity = np.zeros((runs, 0), np.int64)
        self.bed_days = np.zeros((runs, 0), np.int64)
        self.base_activity = np.zeros(0, np.int64)
        self.base_bed_days = np.zeros(0, np.int64)
        self.profiles: dict[bytes, int] = {}
        self.profile_rows: list[int] = []
        self.profile_days: list[Integers] = []
        self.tests: dict[tuple[str, str], list[pl.Expr]] = {}
        self.rows_seen = dict.fromkeys(TABLES, 0)

    def _lay_out_growth(self) -> None:
        self.lines = [(number, line) for number, growth in enumerate(self.growth) for line in growth.lines]
        self.line_reach = np.zeros(len(self.lines), np.int64)
        self.growth_factor = np.ones((self.runs, len(self.lines)))
        uniforms = [self.model.uniforms(growth.name, self.seed, self.runs) for growth in self.growth]
        for place, (number, line) in enumerate(self.lines):
            where = f"growth {self.growth[number].name}"
            self.growth_factor[:, place] = line.factor.draw(uniforms[number], 0.0, GREATEST_GROWTH, where)
        most = np.ones(len(self.growth))
        np.maximum.at(most, [number for number, _ in self.lines], self.growth_factor.max(axis=0))
        self.most_growth = float(most.prod())

    def _lay_out_effects(self) -> None:
        count = len(self.effects)
        self.size = np.zeros((self.runs, count))
        self.kind = np.zeros(count, np.int32)
        self.first_days = np.zeros(count, np.int32)
        self.effect_word = np.array([_key(0, f"shift|{effect.name}") for effect in self.effects], np.uint64)
        self.effect_reach = np.zeros(count, np.int64)
        # Outlets are the points a row may have, and one more for each shift that gives several units for one.
        self.outlets: list[tuple[Point, float]] = [(point, 1.0) for point in POINTS]
        self.outlet_of = np.full((count, len(POINTS)), -1, np.int32)
        for place, effect in enumerate(self.effects):
            uniform = self.model.uniforms(effect.name, self.seed, self.runs)
            self.size[:, place] = effect.size.draw(uniform, 0.0, 1.0, f"effect {effect.name}")
            if effect.kind == "avoid":
                self.kind[place] = resample.AVOID
            elif effect.kind == "shorten":
                self.kind[place] = resample.DAYS if effect.how == "days" else resample.SAME_DAY
                self.first_days[place] = effect.first_days or 0
            else:
                self.kind[place] = resample.SHIFT
                for number, point in enumerate(POINTS):
                    target = effect.outlet(point)
                    if target is not None and target in POINT_NUMBER:
                        self.outlet_of[place, number] = self._outlet(target, effect.per_unit)
        self.cuts = np.unique(self.first_days[self.first_days > 0]).astype(np.int32)

    def _outlet(self, point: Point, per_unit: float) -> int:
        if (point, per_unit) not in self.outlets:
            self.outlets.append((point, per_unit))
        return self.outlets.index((point, per_unit))

    def wanted(self, table: str) -> dict[str, str]:
        """The columns conditions ask of a table, and who asks."""
        asked: dict[str, str] = {}
        for number, line in self.lines:
            if line.table in ("", table):
                asked |= dict.fromkeys(line.where, f"growth {self.growth[number].name}")
        for effect in self.effects:
            if effect.table == table:
                asked |= dict.fromkeys(effect.where, f"effect {effect.name}")
        return asked

    def add(self, file: RowFile, chunk: RowChunk, pool: ThreadPoolExecutor, workers: int) -> Iterator[float]:
        """Draw a chunk in every run, telling what share of it is done."""
        rows = chunk.point.size
        if chunk.count.max() * self.most_growth > MOST_OF_A_ROW:
            raise BettercareError(
                f"growth of up to {self.most_growth:,.0f} times on a count of {chunk.count.max():,} is too much.",
                f"{file.path}, column count",
                "Lower the factors, or give the rows themselves.",
            )
        self.rows_seen[file.table] += rows
        lines = self._lines_of(file, chunk)
        bits = self._effects_of(file, chunk)
        profile, first = resample.find_profiles(chunk.point, lines, bits)
        profile_point, profile_lines, profile_bits = chunk.point[first], lines[first], bits[first]
        # One block of outlets for each site, band and sex.
        width = len(self.outlets)
        base = ((chunk.site * len(self.edges) + chunk.band) * len(SEXES) + chunk.sex) * width
        self._make_cells(chunk, base, bits, width)
        cell = self.compact[base + chunk.point]
        rows_of, days_of = resample.tally(
            first.size, self.cuts, profile, cell, chunk.stay, chunk.count, self.base_activity, self.base_bed_days
        )
        self._keep_profiles(profile_point, profile_lines, profile_bits, rows_of, days_of)
        row_key = resample.keys(_key(self.seed, f"rows|{file.table}"), chunk.first_row, rows)
        avoid = resample.list_effects(profile_bits, self.kind, resample.AVOID)
        shift = resample.list_effects(profile_bits, self.kind, resample.SHIFT)
        same_day = resample.list_effects(profile_bits, self.kind, resample.SAME_DAY)
        days = resample.list_effects(profile_bits, self.kind, resample.DAYS)

        def draw(run_from: int, run_to: int) -> None:
            resample.draw_rows(
                run_from, run_to, self.run_key, self.growth_factor, self.size, profile_point, profile_lines,
                *avoid, *shift, *same_day, *days,
                self.first_days, self.cuts, self.effect_word, self.outlet_of, self.compact,
                row_key, profile, base, cell, chunk.stay, chunk.count, self.activity, self.bed_days,
            )  # fmt: skip

        yield from _share_runs(draw, self.runs, pool, workers)

    def _lines_of(self, file: RowFile, chunk: RowChunk) -> Codes:
        # The line of each growth that chooses each row, or -1; by growth first, so that a growth's lines lie together.
        chosen = np.full((len(self.growth), chunk.point.size), -1, np.int32)
        asked = [(place, number) for place, (number, line) in enumerate(self.lines) if line.table in ("", file.table)]
        masks = self._masks(
            file,
            chunk,
            "growth",
            [(self.lines[place][1].where, f"growth {self.growth[number].name}") for place, number in asked],
        )
        for (place, number), mask in zip(asked, masks, strict=True):
            count, clash = resample.set_line(chosen[number], place, mask)
            self.line_reach[place] += count
            if clash >= 0:
                raise BettercareError(
                    f"two lines of the growth {self.growth[number].name!r} choose this row.",
                    f"{file.path}, row {chunk.first_row + clash + 1}",
                    "Make its lines exclude one another, or make two growths of them.",
                )
        return np.ascontiguousarray(chosen.T)

    def _effects_of(self, file: RowFile, chunk: RowChunk) -> Words:
        # Which effects choose each row, a bit each.
        bits = np.zeros((chunk.point.size, len(self.effects) // 64 + 1), np.uint64)
        asked = [(place, effect) for place, effect in enumerate(self.effects) if effect.table == file.table]
        masks = self._masks(file, chunk, "effects", [(effect.where, f"effect {effect.name}") for _, effect in asked])
        for (place, effect), mask in zip(asked, masks, strict=True):
            if effect.kind == "shift":
                mask = mask & (self.outlet_of[place] >= 0)[chunk.point]
            self.effect_reach[place] += int(np.count_nonzero(mask))
            resample.set_bits(bits, place, mask)
        return bits

    def _masks(self, file: RowFile, chunk: RowChunk, what: str, asked: Sequence[tuple[Where, str]]) -> list[Flags]:
        # Which rows each condition chooses. The expressions are made once a table: a table's chunks have one schema.
        key = (file.table, what)
        if key not in self.tests:
            schema = chunk.frame.schema
            self.tests[key] = [
                chooses(where, schema, asker, str(file.path)).alias(str(number))
                for number, (where, asker) in enumerate(asked)
            ]
        # A condition without columns is a single value, which stretches to the rows only beside a column that has them.
        answer = chunk.frame.with_columns(self.tests[key])
        return [answer[str(number)].to_numpy() for number in range(len(asked))]

    def _make_cells(self, chunk: RowChunk, base: Codes, bits: Words, width: int) -> None:
        dense = len(self.sites.number) * len(self.edges) * len(SEXES) * width
        if 4 * dense > MOST_BYTES:
            raise self._too_much(dense)
        if dense > self.compact.size:
            self.compact = np.concatenate([self.compact, np.full(dense - self.compact.size, -1, np.int32)])
        needed = [base + chunk.point]
        for place in np.flatnonzero(self.kind == resample.SHIFT):
            here = ((bits[:, place >> 6] >> np.uint64(place & 63)) & np.uint64(1)).astype(bool)
            if here.any():
                needed.append(base[here] + self.outlet_of[place, chunk.point[here]])
        for codes in needed:
            new = np.unique(codes[self.compact[codes] < 0])
            self.compact[new] = np.arange(len(self.cell_of), len(self.cell_of) + new.size, dtype=np.int32)
            self.cell_of.extend(new.tolist())
        room = self.activity.shape[1]
        if len(self.cell_of) > room:
            more = max(len(self.cell_of), min(2 * room, room + 4096)) - room
            if 2 * 8 * self.runs * (room + more) > MOST_BYTES:
                raise self._too_much(len(self.cell_of))
            wider = ((0, 0), (0, more))
            self.activity, self.bed_days = np.pad(self.activity, wider), np.pad(self.bed_days, wider)
            self.base_activity, self.base_bed_days = (
                np.pad(self.base_activity, (0, more)),
                np.pad(self.base_bed_days, (0, more)),
            )

    def _too_much(self, cells: int) -> BettercareError:
        return BettercareError(
            f"The results may have {cells:,} cells or more in {self.runs:,} runs: too much to hold.",
            remedy="Use fewer runs, fewer age bands, or larger groups of sites.",
        )

    def _keep_profiles(self, point: Codes, lines: Codes, bits: Words, rows_of: Integers, days_of: Integers) -> None:
        packed = np.concatenate([point[:, None].view(np.uint8), lines.view(np.uint8), bits.view(np.uint8)], axis=1)
        width = packed.shape[1]
        text = packed.tobytes()
        rows = rows_of.tolist()
        for number in range(point.size):
            key = text[number * width : (number + 1) * width]
            place = self.profiles.setdefault(key, len(self.profile_rows))
            if place == len(self.profile_rows):
                self.profile_rows.append(rows[number])
                self.profile_days.append(days_of[number])
            else:
                self.profile_rows[place] += rows[number]
                self.profile_days[place] = self.profile_days[place] + days_of[number]

    def result(self, pool: ThreadPoolExecutor, workers: int) -> RowResult:
        """The labelled results."""
        width = len(self.outlets)
        codes = np.asarray(self.cell_of, np.int64)
        rest, outlet = np.divmod(codes, width)
        rest, sex = np.divmod(rest, len(SEXES))
        site, band = np.divmod(rest, len(self.edges))
        names = list(self.sites.number)
        rank = np.empty(len(names), np.int64)
        rank[np.argsort(np.asarray(names, dtype=object))] = np.arange(len(names))
        pod_names = list(PODS)
        cells = pl.DataFrame(
            {
                "cell": np.arange(codes.size),
                "point": [POINT_NUMBER[self.outlets[one][0]] for one in outlet.tolist()],
                "pod_order": [pod_names.index(self.outlets[one][0].pod) for one in outlet.tolist()],
                "band_order": band,
                "sex_order": sex,
                "site_order": rank[site],
                "per_unit": [self.outlets[one][1] for one in outlet.tolist()],
                "site": [names[one] for one in site.tolist()],
            }
        ).sort("pod_order", "point", "band_order", "sex_order", "site_order", "per_unit")
        order = cells["cell"].to_numpy()
        same = ["pod_order", "point", "band_order", "sex_order", "site_order"]
        starts = np.flatnonzero(
            cells.select(pl.struct(same) != pl.struct(same).shift(1)).to_series().fill_null(True).to_numpy()
        )
        per_unit = cells["per_unit"].to_numpy()

        def tidy(values: Integers) -> Integers | Floats:
            values = values[..., order]
            if (per_unit != 1.0).any():
                return np.add.reduceat(values * per_unit, starts, axis=-1)
            return values

        kept = cells[starts]
        labels = pl.DataFrame(
            {
                "pod": [POINTS[one].pod for one in kept["point"]],
                "part": [POINTS[one].part for one in kept["point"]],
                "setting": [PODS[POINTS[one].pod].setting for one in kept["point"]],
                "band": [self.model.bands[one] for one in kept["band_order"]],
                "sex": [SEXES[one] for one in kept["sex_order"]],
                "site": kept["site"],
            },
            schema=dict.fromkeys(("pod", "part", "setting", "band", "sex", "site"), pl.String),
        )
        pods = tuple(dict.fromkeys(labels["pod"].to_list()))
        activity, bed_days = self._changes(pods, pool, workers)
        drawn = {"activity": tidy(self.activity)}
        self.activity = np.zeros((0, 0), np.int64)  # the sorted copy replaces it
        drawn["bed_days"] = tidy(self.bed_days)
        self.bed_days = np.zeros((0, 0), np.int64)
        causes = (
            *((growth.name, "growth") for growth in self.growth),
            *((effect.name, effect.kind) for effect in self.effects),
        )
        return RowResult(
            runs=self.runs,
            seed=self.seed,
            cells=labels,
            baseline={"activity": tidy(self.base_activity), "bed_days": tidy(self.base_bed_days)},
            drawn=drawn,
            causes=causes,
            pods=pods,
            changes={"activity": activity, "bed_days": bed_days},
            factors=self._factors(),
            reach=self._reach(),
        )

    def _changes(self, pods: Sequence[str], pool: ThreadPoolExecutor, workers: int) -> tuple[Floats, Floats]:
        # Sorted by content, so that the sums are the same whatever chunk a profile was first met in.
        order = sorted(self.profiles.items())
        places = [place for _, place in order]
        words = len(self.effects) // 64 + 1
        packed = np.frombuffer(b"".join(key for key, _ in order), np.uint8).reshape(len(order), -1)
        growths = len(self.growth)
        point = np.ascontiguousarray(packed[:, :4]).view(np.int32)[:, 0]
        lines = np.ascontiguousarray(packed[:, 4 : 4 + 4 * growths]).view(np.int32).reshape(len(order), growths)
        bits = np.ascontiguousarray(packed[:, 4 + 4 * growths :]).view(np.uint64).reshape(len(order), words)
        avoid = resample.list_effects(bits, self.kind, resample.AVOID)
        shift = resample.list_effects(bits, self.kind, resample.SHIFT)
        lasting = resample.list_effects(bits, self.kind, resample.SHIFT | resample.SAME_DAY | resample.DAYS)
        number = {pod: place for place, pod in enumerate(pods)}
        pod_of_outlet = np.array([number.get(point.pod, -1) for point, _ in self.outlets], np.int32)
        with np.errstate(divide="ignore"):
            log_growth, log_left = np.log(self.growth_factor), np.log1p(-self.size)
        shape = (self.runs, len(pods), growths + len(self.effects))
        activity, bed_days = np.zeros(shape), np.zeros(shape)
        cause_of_line = np.array([number for number, _ in self.lines], np.int32)
        per_unit = np.array([share for _, share in self.outlets])
        rows_of = np.asarray([self.profile_rows[place] for place in places], np.float64)
        days_of = np.asarray([self.profile_days[place] for place in places], np.float64)

        def explain(run_from: int, run_to: int) -> None:
            resample.explain_change(
                run_from, run_to, log_growth, log_left, cause_of_line, growths, np.ascontiguousarray(point), lines,
                *avoid, *shift, *lasting, self.first_days, self.cuts, self.outlet_of, per_unit, pod_of_outlet,
                rows_of, days_of, activity, bed_days,
            )  # fmt: skip

        for _ in _share_runs(explain, self.runs, pool, workers):
            pass
        return activity, bed_days

    def _factors(self) -> pl.DataFrame:
        # By line first: numpy adds a run of numbers in one order only where they lie together.
        sizes = np.ascontiguousarray(np.concatenate([self.growth_factor, self.size], axis=1).T)
        names = [
            *((self.growth[number].name, "growth") for number, _ in self.lines),
            *((effect.name, effect.kind) for effect in self.effects),
        ]
        low, middle, high = np.quantile(sizes, (0.1, 0.5, 0.9), axis=1)
        return pl.DataFrame(
            {
                "name": [name for name, _ in names],
                "kind": [kind for _, kind in names],
                "line": [*self._line_numbers(), *[1] * len(self.effects)],
                "mean": sizes.mean(axis=1),
                "p10": low,
                "p50": middle,
                "p90": high,
            },
            schema_overrides={"name": pl.String, "kind": pl.String, "line": pl.Int64},
        )

    def _line_numbers(self) -> list[int]:
        return [place for growth in self.growth for place in range(1, len(growth.lines) + 1)]

    def _reach(self) -> pl.DataFrame:
        seen = sum(self.rows_seen.values())
        return pl.DataFrame(
            {
                "name": [
                    *(self.growth[number].name for number, _ in self.lines),
                    *(effect.name for effect in self.effects),
                ],
                "kind": [*("growth" for _ in self.lines), *(effect.kind for effect in self.effects)],
                "line": [*self._line_numbers(), *[1] * len(self.effects)],
                "table": [*(line.table for _, line in self.lines), *(effect.table for effect in self.effects)],
                "rows": [*self.line_reach.tolist(), *self.effect_reach.tolist()],
                "of": [
                    *(self.rows_seen[line.table] if line.table else seen for _, line in self.lines),
                    *(self.rows_seen[effect.table] for effect in self.effects),
                ],
            },
            schema={
                "name": pl.String,
                "kind": pl.String,
                "line": pl.Int64,
                "table": pl.String,
                "rows": pl.Int64,
                "of": pl.Int64,
            },
        )


def _share_runs(task: Callable[[int, int], None], runs: int, pool: ThreadPoolExecutor, workers: int) -> Iterator[float]:
    # Several pieces for each worker, so that none waits long for the others, nor an interruption for any.
    ends = np.unique(np.linspace(0, runs, min(runs, 8 * workers) + 1).astype(int)).tolist()
    pieces = [pool.submit(task, first, last) for first, last in pairwise(ends)]
    for number, piece in enumerate(pieces, start=1):
        piece.result()
        yield number / len(pieces)


def _key(seed: int, name: str) -> np.uint64:
    return np.uint64(int.from_bytes(hashlib.blake2b(f"{seed}|{name}".encode(), digest_size=8).digest(), "little"))


def _check_whole(name: str, value: int, least: int, most: int) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or not least <= value <= most:
        raise BettercareError(f"{name} is {value!r}.", remedy=f"Give a whole number from {least:,} to {most:,}.")
