"""The long-term system model: one linked run from population and activity to beds, staff, capital and money."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bettercare.model.activity import ActivityModel
from bettercare.model.capital import CapitalModel
from bettercare.model.delivery import Delivery, DeliveryModel
from bettercare.model.drivers import Case, Drivers
from bettercare.model.lines import Line, Lines
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
        self.activity = ActivityModel(self.plan, self.overlay, self.drivers)
        self.capital = CapitalModel(self.plan, self.overlay, self.drivers)
        self.money = MoneyModel(self.plan, self.overlay, self.drivers, self.activity)
        self.staff = StaffModel(self.plan, self.activity, self.overlay, self.drivers)
        self._localities = self._locality_shares()
        published = self.drivers.published_case()
        # What each activity effect removes in its full year when all goes as the plan itself says, whatever the scenario.
        plain = self if self.overlay == Overlay() else None
        own = plain.drivers if plain else Drivers(self.plan, self.seed)
        delivery_model = self.delivery if plain else DeliveryModel.of(self.plan, Overlay(), own)
        activity_model = self.activity if plain else ActivityModel(self.plan, Overlay(), own)
        whole = own.published_case()
        result = activity_model.evaluate(whole, delivery_model.deliver(whole))
        self.reference = result
        moves: dict[str, tuple[float, float]] = {}
        for key, moved in result.moved.items():
            year = self.plan.years.index(moved.effect.row["by"] or self.plan.years[-1])
            moves[key] = (float(moved.units[year, 0]), float(moved.beds[year, 0]))
        self.money.published_moves = moves
        # Rates and drivers are registered as they are first asked for, so ask for all before any run is drawn.
        self.evaluate(published)

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
            "investment": money.investment,
            "activity": activity.activity,
            "avoided": self._avoided(activity.moved),
            "beds": activity.beds,
            "bed_days": bed_days,
            "staff": staff,
            "capital": capital.capital,
            "charges": capital.charges,
        }

    def _avoided(self, moves: Mapping[str, object]) -> Lines:
        """Activity that no longer happens where it did, by scheme and, where the plan shares it out, by locality."""
        from bettercare.model.activity import Moved

        lines = Lines()
        for key, moved in moves.items():
            assert isinstance(moved, Moved)
            if moved.effect.shortens:
                continue
            scheme = moved.effect.scheme
            shares = self._localities.get(scheme.id, {"": 1.0})
            for locality, share in shares.items():
                labels = {
                    "organisation": moved.pool.place[0], "pod": moved.pool.place[1], "scheme": scheme.id, "theme": scheme.row["theme"],
                    "kind": moved.effect.row["kind"], "locality": locality, "setting": moved.pool.setting,
                }  # fmt: skip
                from bettercare.model.lines import Ground

                ground = Ground("Removed by the scheme" + (", at the locality's share of the cohort" if locality else ""), (moved.effect.figure,), (key,))
                lines.add(f"{key}@{locality}", moved.units * share, ground, moved.pool.unit, line=scheme.name, **labels)
        return lines

    def _locality_shares(self) -> Mapping[str, Mapping[str, float]]:
        result = {}
        kinds = {row.id: row["kind"] for row in self.plan["localities"]}
        for scheme in self.plan.schemes:
            band = scheme.row["localities"]
            if band:
                persons = {
                    row["area"]: row["value"] for row in self.plan["population"] if row["band"] == band and kinds[row["area"]] == "locality"
                }
                total = sum(persons.values())
                if total:
                    result[scheme.id] = {area: value / total for area, value in persons.items()}
        return result
