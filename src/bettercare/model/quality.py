"""Quality beside money and activity: the plan's trajectories, the schemes that should move them, and how sure those schemes are.

The papers give trajectories but not how much of each a scheme is worth, so the model does not invent it: it says what each trajectory
waits for and the share of runs in which all of it is delivered, in full or in part, by the date of the target.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl

from bettercare.errors import BettercareError
from bettercare.model.delivery import delayed, ramp
from bettercare.model.system import System
from bettercare.plan import Row
from bettercare.vocabulary import FinancialYear


def quality(system: System, runs: int) -> pl.DataFrame:
    """Each metric with a figure: baseline, last target, its schemes, and the share of runs in which all are under way by then.

    The shares are those of the first 20,000 runs at most.

    Returns:
        ``metric, name, better, unit, baseline, target, at, schemes, all_under_way, all_complete`` (shares of runs; null without runs
        or without schemes). Under way: delivered and started by the target's year. Complete: delivered and in full by then.
    """
    plan = system.plan
    runs = min(runs, 20_000)
    delivery = system.delivery.deliver(system.drivers.case(0, runs)) if runs else None
    records = []
    for metric in plan["metrics"]:
        rows = plan["trajectories"].where(metric=metric.id)
        if not rows:
            continue
        baseline = next((row for row in rows if row["kind"] == "baseline"), None)
        targets = [row for row in rows if row["kind"] in ("trajectory", "target")]
        target = targets[-1] if targets else None
        schemes = [scheme for scheme in plan.schemes if metric.id in (scheme.row["metrics"] or ())]
        under_way = complete = None
        if delivery is not None and schemes and target is not None:
            position = _position(plan.years, target)
            started, full = np.ones(runs, dtype=bool), np.ones(runs, dtype=bool)
            for scheme in schemes:
                done = delivery.delivered[scheme.id] > 0
                steps = [ramp(plan, scheme, effect) for effect in scheme.effects] or [
                    _starts(plan.years, scheme.row["starts"])
                ]
                level = np.max([delayed(step, delivery.delay[scheme.id])[position] for step in steps], axis=0)
                least = np.min([delayed(step, delivery.delay[scheme.id])[position] for step in steps], axis=0)
                started &= done & (level > 0)
                full &= done & (least >= 1)
            under_way, complete = float(started.mean()), float(full.mean())
        records.append(
            {
                "metric": metric.id,
                "name": metric["name"],
                "better": metric["better"],
                "unit": rows[0]["unit"],
                "baseline": baseline["value"] if baseline is not None else None,
                "target": target["value"] if target is not None else None,
                "at": target["at"] if target is not None else "",
                "schemes": "; ".join(scheme.name for scheme in schemes),
                "all_under_way": under_way,
                "all_complete": complete,
            }
        )
    text = dict.fromkeys(("metric", "name", "better", "unit", "at", "schemes"), pl.String)
    numbers = dict.fromkeys(("baseline", "target", "all_under_way", "all_complete"), pl.Float64)
    order = ("metric", "name", "better", "unit", "baseline", "target", "at", "schemes", "all_under_way", "all_complete")
    return pl.DataFrame(records, schema={name: (text | numbers)[name] for name in order})


def _position(years: tuple[str, ...], row: Row) -> int:
    """The year of the plan a target falls in; the last where its date is not one."""
    text = str(row["at"])
    try:
        year = str(FinancialYear.of(date.fromisoformat(text)))
    except ValueError:
        try:
            year = str(FinancialYear.parse(text))
        except BettercareError:
            return len(years) - 1
    return years.index(year) if year in years else (0 if year < years[0] else len(years) - 1)


def _starts(years: tuple[str, ...], first: str | None) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    start = years.index(first) if first else 1
    return (np.arange(len(years)) >= start).astype(float)
