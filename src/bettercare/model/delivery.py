"""Schemes as they are delivered: how much, whether, and how late.

A scheme takes its class's share of the planned size (unless an effect has a distribution of its own), is delivered with the class's
probability, and may be a year or two late. A scheme that requires another is delivered only if that one is, and is at least as late.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import TopologicalSorter

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import Fault, PlanError
from bettercare.model.drivers import Case, Distribution, Drivers
from bettercare.model.scenarios import Overlay, SchemeChange
from bettercare.plan import Plan, Row, Scheme

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Delivery:
    """Delivered schemes in some runs: by scheme, arrays of shape (run,)."""

    share: Mapping[str, Array]
    delivered: Mapping[str, Array]
    delay: Mapping[str, NDArray[np.int64]]
    changes: Mapping[str, SchemeChange]
    """What the scenarios do to schemes."""

    def size(self, case: Case, scheme: str, own: str, least: float = 0.0) -> Array:
        """The share of its planned size an effect reaches where its scheme is delivered; shape (run,).

        ``own`` is the driver of the effect's own distribution, or "" where it takes the scheme's share. A scenario's low or high end and
        its scale hold for both. ``least``: how far a wide normal distribution may go down (nothing saved, rather than the reverse).
        """
        if not own:
            return self.share[scheme]
        change = self.changes.get(scheme)
        drawn = np.maximum(case[own], least)
        if change is None:
            return drawn
        spread = case.drivers[own].distribution
        ends = {"low": spread.low, "high": spread.high}
        return (np.full(case.runs, ends[change.end]) if change.end else drawn) * change.scale


@dataclass(frozen=True)
class DeliveryModel:
    """How the schemes of a plan are delivered."""

    plan: Plan
    overlay: Overlay
    order: tuple[str, ...]
    classes: Mapping[str, Row]
    schemes: Mapping[str, Scheme]

    @classmethod
    def of(cls, plan: Plan, overlay: Overlay, drivers: Drivers) -> DeliveryModel:
        schemes = {scheme.id: scheme for scheme in plan.schemes}
        order = tuple(TopologicalSorter({name: scheme.requires for name, scheme in schemes.items()}).static_order())
        classes = {name: plan["delivery"].by_id[scheme.row["delivery"]] for name, scheme in schemes.items()}
        for name, scheme in schemes.items():
            row, label = classes[name], scheme.name
            known = (f"scheme:{name}", f"class:{row.id}")
            share = Distribution.triangular(row["low"], row["likely"], row["high"])
            drivers.add(f"scheme:{name}:size", share, 1.0, f"{label}: share of its size delivered", *known)
            change = overlay.schemes.get(name)
            if row["probability"] < 1 or (change is not None and change.probability is not None):
                drivers.add(f"scheme:{name}:delivery", Distribution.level(), 1.0, f"{label}: delivered at all", *known)
            if row["on_time"] < 1:
                drivers.add(f"scheme:{name}:delay", Distribution.level(), 1.0, f"{label}: on time", *known)
        return cls(plan, overlay, order, classes, schemes)

    def deliver(self, case: Case) -> Delivery:
        share: dict[str, Array] = {}
        delivered: dict[str, Array] = {}
        delay: dict[str, NDArray[np.int64]] = {}
        for name in self.order:
            row, change = self.classes[name], self.overlay.schemes.get(name)
            share[name] = case[f"scheme:{name}:size"]
            done = np.ones(case.runs)
            late = np.zeros(case.runs, dtype=np.int64)
            probability = row["probability"] if change is None or change.probability is None else change.probability
            if not case.published:
                if probability < 1:
                    done = (1 - case[f"scheme:{name}:delivery"] < probability).astype(float)
                if row["on_time"] < 1:
                    badness = 1 - case[f"scheme:{name}:delay"]
                    late = (badness >= row["on_time"]).astype(np.int64) + (
                        badness >= row["on_time"] + row["year_late"] - 1e-12
                    )
            if change is not None:
                if change.end in ("low", "high"):
                    share[name] = np.full(case.runs, float(row[change.end]))
                if change.off:
                    done = np.zeros(case.runs)
                share[name] = share[name] * change.scale
                late = late + change.delay
            for required in self.schemes[name].requires:
                done = done * delivered[required]
                late = np.maximum(late, delay[required])
            delivered[name], delay[name] = done, late
        return Delivery(share, delivered, delay, self.overlay.schemes)


def ramp(plan: Plan, scheme: Scheme, effect: Row) -> Array:
    """The share of an effect's full size in place each year; shape (year,). The base year is first.

    Raises:
        PlanError: the full size is reached before the scheme starts.
    """
    years = plan.years
    result = np.zeros(len(years))
    start = years.index(scheme.row["starts"] or str(plan.first_year))
    full = years.index(effect["by"] or str(plan.last_year))
    steps = dict(effect["ramp"] or ())
    if not steps and full < start:
        raise PlanError(
            [
                Fault(
                    effect.where,
                    f"{effect.id!r} is complete by {years[full]}, before its scheme starts in {years[start]}.",
                    "Move one.",
                )
            ]
        )
    if steps:
        known = sorted((years.index(year), share) for year, share in steps.items())
        positions = [position for position, _ in known]
        result = np.interp(np.arange(len(years)), positions, [share for _, share in known])
        result[: positions[0]] = 0.0
        if result[full] <= 0:
            what = f"{effect.id!r} is in place by {years[full]}, but its ramp has nothing in place then."
            raise PlanError([Fault(effect.where, what, "Correct by or the ramp.")])
    else:
        for year in range(start, len(years)):
            result[year] = min(1.0, (year - start + 1) / (full - start + 1))
    return result


def delayed(steps: Array, delay: NDArray[np.int64]) -> Array:
    """The ramp in each run when it is late by whole years; shape (year, run)."""
    positions = np.arange(len(steps))[:, None] - delay[None, :]
    return np.where(positions >= 0, steps[np.maximum(positions, 0)], 0.0)
