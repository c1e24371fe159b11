"""The growth and effects of a plan, as the row-level mode takes them: the same drivers, the same runs."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.model.activity import Pool, PoolEffect
from bettercare.model.activity_rows import EMERGENCY, INPATIENTS, OUTPATIENTS, POINTS, Point
from bettercare.model.result import Result
from bettercare.model.row_model import Between, GrowthLine, RowEffect, RowGrowth, RowModel, Size
from bettercare.vocabulary import PODS

Array = NDArray[np.float64]

AGES = {"children": (0, 17), "adults": (18, 64), "older": (65, None), "all": (0, None)}
"""Ages of the bands that are words."""

USUAL_PART = {"outpatient": "first", "community-outpatient": "first", "accident-emergency": "other"}
"""The part that moved work is counted under, where rows have parts and plans have none."""


def plan_rows(result: Result, organisation: str, year: str | None = None) -> tuple[RowModel, tuple[str, ...]]:
    """The growth and effects of a plan on one organisation's activity in a year, for ``run_rows``.

    Each size is the one the plan's own run drew (delivery, delay, ramp, scenarios and common causes included), so run
    *i* of the rows is run *i* of the plan: pass ``runs=result.runs``. A result without runs gives its published case.

    Population growth follows each row's age where the plan's age bands have ages, and otherwise the point of delivery;
    the rest of the do-nothing growth follows the point of delivery. An effect takes the share of its point of delivery
    that the plan gives it, the same of each row.

    Args:
        result: a run of the plan.
        organisation: id of the organisation whose rows they are.
        year: financial year; the last of the plan unless said.

    Returns:
        The model, and what rows cannot show of the plan (a sentence each).

    Raises:
        BettercareError: the plan has no such year, or no activity of that organisation in activity rows.
    """
    chosen = year or result.years[-1]
    if chosen not in result.years:
        raise BettercareError(f"{chosen!r} is not a year of the plan.", remedy=f"Years: {', '.join(result.years)}.")
    model = result.system.activity
    pools = [pool for (owner, pod), pool in model.pools.items() if owner == organisation and _table(pod)]
    if not pools:
        owners = sorted({owner for owner, pod in model.pools if _table(pod)})
        raise BettercareError(
            f"The plan has no hospital activity of {organisation!r}.",
            remedy=f"Organisations with some: {', '.join(owners)}.",
        )
    return _Translation(result, chosen).of(pools)


class _Translation:
    """The case the sizes are taken from, and what could not be taken over."""

    def __init__(self, result: Result, year: str) -> None:
        self.result = result
        self.model = result.system.activity
        self.at = result.years.index(year)
        drivers = result.system.drivers
        self.case = drivers.case(0, result.runs) if result.runs else drivers.published_case()
        self.delivery = result.system.delivery.deliver(self.case)
        self.left_out: list[str] = []

    def of(self, pools: list[Pool]) -> tuple[RowModel, tuple[str, ...]]:
        by_age = self._by_age(pools)
        demographic, other = [], []
        for pool in pools:
            people, whole = (index[self.at] for index in pool.grown(self.result.plan, self.case, self.model.days))
            where, table = {"pod": pool.place[1]}, _table(pool.place[1])
            demographic.append(GrowthLine(self._size(people), where, table))
            other.append(GrowthLine(self._size(whole / people), where, table))
        growth = [RowGrowth("population", by_age or tuple(demographic)), RowGrowth("other growth", tuple(other))]
        effects = [made for pool in pools for effect in pool.effects for made in self._effect(pool, effect)]
        return RowModel(tuple(growth), tuple(effects)), tuple(self.left_out)

    def _size(self, values: Array) -> Size:
        values = np.broadcast_to(values, (self.case.runs,))
        return Size(each_run=tuple(values.tolist())) if self.result.runs else Size(float(values[0]))

    def _by_age(self, pools: list[Pool]) -> tuple[GrowthLine, ...]:
        # Empty where the ages of a band are not known, or two bands share an age.
        bands = {str(growth.row["band"] or "all"): growth for pool in pools for _, growth in pool.bands}
        ages = {band: _ages(band) for band in bands}
        known = sorted((span[0], 999 if span[1] is None else span[1]) for span in ages.values() if span is not None)
        if len(known) < len(ages) or any(low <= high for (_, high), (low, _) in pairwise(known)):
            return ()
        return tuple(
            GrowthLine(
                self._size(bands[band].index(self.result.plan, self.case, 1.0)[self.at]), {"age": Between(*span)}
            )
            for band, span in ages.items()
            if span is not None
        )

    def _effect(self, pool: Pool, effect: PoolEffect) -> list[RowEffect]:
        pod, kind = pool.place[1], effect.row["kind"]
        if kind == "add":
            self.left_out.append(f"{effect.key} adds activity that no row stands for.")
            return []
        share = effect.fraction * effect.amount(self.case, self.delivery)[self.at]
        size = self._size(np.clip(share, 0.0, 1.0))
        table, where = _table(pod), {"pod": pod}
        if kind == "shorten":
            return [RowEffect(effect.key, "shorten", table, size, where)]
        target = effect.row["becomes_pod"]
        if not target:
            return [RowEffect(effect.key, "avoid", table, size, where)]
        per_unit = effect.row["per_unit"]
        if effect.row["per_bed"] is not None:
            other = self.model.pools[effect.row["becomes_organisation"], target]
            beds, there = (one.beds_per_unit(self.case, self.model.days) for one in (pool, other))
            per_unit = float(np.mean(beds * effect.row["per_bed"] / there))
            if self.result.runs:
                self.left_out.append(f"{effect.key} gives {per_unit:.3g} for each one moved: the mean of the runs.")
        point = Point(target, USUAL_PART.get(target, ""))
        if point not in POINTS or point == Point(pod) or not per_unit:
            return [RowEffect(effect.key, "avoid", table, size, where)]
        return [RowEffect(effect.key, "shift", table, size, where, str(point), float(per_unit))]


def _table(pod: str) -> str:
    """The table whose rows have that point of delivery; "" where none has."""
    if PODS[pod].bedded:
        return INPATIENTS
    return {"outpatient": OUTPATIENTS, "community-outpatient": OUTPATIENTS, "accident-emergency": EMERGENCY}.get(
        pod, ""
    )


def _ages(band: str) -> tuple[int, int | None] | None:
    if band in AGES:
        return AGES[band]
    low, dash, high = band.rstrip("+").partition("-")
    if not low.isdecimal() or (dash and not high.isdecimal()):
        return None
    return int(low), int(high) if dash else None
