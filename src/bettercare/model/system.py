"""The long-term system model: one linked run from population and activity to beds, staff, capital and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import PlanError
from bettercare.model.activity import ActivityModel, Moved, full_moves
from bettercare.model.capital import CapitalModel
from bettercare.model.delivery import Delivery, DeliveryModel
from bettercare.model.drivers import Case, Drivers
from bettercare.model.lines import Ground, Line, Lines
from bettercare.model.money import MoneyModel
from bettercare.model.scenarios import Overlay
from bettercare.model.staff import StaffModel
from bettercare.plan import Plan

Array = NDArray[np.float64]

UNITS: Mapping[str, str] = {
    "gap": "GBP",
    "cost": "GBP",
    "funding": "GBP",
    "saving": "GBP",
    "slippage": "GBP",
    "investment": "GBP",
    "activity": "by point of delivery",
    "avoided": "by point of delivery",
    "beds": "beds",
    "bed_days": "bed days",
    "staff": "WTE",
    "capital": "GBP",
    "charges": "GBP",
}
"""Every measure and its unit."""


@dataclass
class System:
    """A plan under an overlay, ready to run."""

    plan: Plan
    seed: int
    overlay: Overlay = field(default_factory=Overlay)

    def __post_init__(self) -> None:
        self.drivers = Drivers(self.plan, self.seed)
        self.delivery = DeliveryModel.of(self.plan, self.overlay, self.drivers)
        # What schemes are worth and what was planned are the plan's own, whatever the scenario.
        plain = System(self.plan, self.seed) if self.overlay != Overlay() else None
        self.activity: ActivityModel = ActivityModel(
            self.plan, self.overlay, self.drivers, plain.activity if plain else None
        )
        self.capital = CapitalModel(self.plan, self.overlay, self.drivers)
        self.money = MoneyModel(self.plan, self.overlay, self.drivers, self.activity)
        self.staff = StaffModel(self.plan, self.activity, self.overlay, self.drivers)
        self._localities = self._locality_shares()
        self.planned_savings: Mapping[str, Array] = {}
        case = self.drivers.published_case()
        if plain is None:
            self.reference = self.activity.evaluate(case, self.delivery.deliver(case))
            self.activity.full = full_moves(self.plan, self.reference)
        else:
            self.reference, self.planned_savings = plain.reference, plain.planned_savings
            self.activity.full = plain.activity.full
        done = self.delivery.deliver(case).delivered
        self.money.left_out = frozenset(name for name, times in done.items() if times[0] == 0)
        self.activity.refuse_following_nothing()
        # Rates register their drivers when first asked for, so all are asked for before any run is drawn.
        first = self.evaluate(case)
        self.planned_savings = self.planned_savings or {line.key: line.values for line in first["saving"].lines}
        if plain is None and (faults := self.drivers.unmatched()):
            raise PlanError(faults)

    def evaluate(self, case: Case) -> Mapping[str, Lines]:
        """Every measure in some runs."""
        delivery: Delivery = self.delivery.deliver(case)
        activity = self.activity.evaluate(case, delivery)
        capital = self.capital.evaluate(case, delivery)
        money = self.money.evaluate(case, delivery, activity, self.reference, capital)
        staff = self.staff.evaluate(case, delivery, activity, money)
        bed_days = Lines()
        for line in activity.beds.lines:
            occupancy = self.activity.rates.get("occupancy", line.labels["organisation"], line.labels["pod"])
            used = occupancy.at(case)[None, :] if occupancy is not None else 1.0
            bed_days.lines.append(Line(line.key, line.labels, line.values * used * self.activity.days, line.ground))
        return {
            "gap": money.gap,
            "cost": money.cost,
            "funding": money.funding,
            "saving": money.saving,
            "slippage": self._slippage(money.saving),
            "investment": money.investment,
            "activity": activity.activity,
            "avoided": self._avoided(activity.moved),
            "beds": activity.beds,
            "bed_days": bed_days,
            "staff": staff,
            "capital": capital.capital,
            "charges": capital.charges,
        }

    def _slippage(self, saving: Lines) -> Lines:
        """Savings as planned less savings as they come, by scheme: positive is less or later than planned."""
        lines = Lines()
        for line in saving.lines:
            planned = self.planned_savings.get(line.key, line.values)
            lines.lines.append(Line(line.key, {**line.labels, "kind": "slippage"}, planned - line.values, line.ground))
        return lines

    def _avoided(self, moves: Mapping[str, Moved]) -> Lines:
        """Activity that no longer happens where it did, by scheme and, where the plan shares it out, by locality."""
        lines = Lines()
        for key, moved in moves.items():
            if moved.effect.shortens:
                continue
            scheme = moved.effect.scheme
            shares = self._localities.get(scheme.id, {"": 1.0})
            for locality, share in shares.items():
                labels = {
                    "organisation": moved.pool.place[0], "pod": moved.pool.place[1], "scheme": scheme.id, "theme": scheme.row["theme"],
                    "kind": moved.effect.row["kind"], "locality": locality, "setting": moved.pool.setting,
                }  # fmt: skip
                ground = Ground(
                    "Removed by the scheme" + (", at the locality's share of the cohort" if locality else ""),
                    (moved.effect.figure,),
                    (key,),
                )
                lines.add(f"{key}@{locality}", moved.units * share, ground, moved.pool.unit, line=scheme.name, **labels)
        return lines

    def _locality_shares(self) -> Mapping[str, Mapping[str, float]]:
        result = {}
        kinds = {row.id: row["kind"] for row in self.plan["localities"]}
        for scheme in self.plan.schemes:
            band = scheme.row["localities"]
            if band:
                persons = {
                    row["area"]: row["value"]
                    for row in self.plan["population"]
                    if row["band"] == band and kinds[row["area"]] == "locality"
                }
                total = sum(persons.values())
                if total:
                    result[scheme.id] = {area: value / total for area, value in persons.items()}
        return result
