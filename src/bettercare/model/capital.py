"""Capital: spend and disposals by year, charges, return, payback and net present value.

Return is the yearly saving the programme makes possible over its capital; payback its reciprocal (simple payback). Net present value
discounts each year's flows to the base year at the plan's discount rate (3.5 % real in the Green Book, HM Treasury).
Charges are depreciation in equal parts over the life of the asset plus the dividend or interest on what is not yet written off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import Fault, PlanError
from bettercare.model.delivery import Delivery
from bettercare.model.drivers import Case, Distribution, Drivers
from bettercare.model.lines import Ground, Lines, figure_of, money_of
from bettercare.model.scenarios import Overlay
from bettercare.plan import Figure, Plan, Row

Array = NDArray[np.float64]


@dataclass
class CapitalResult:
    """Capital in some runs, in pounds: spend positive, disposals negative."""

    capital: Lines
    charges: Lines
    overrun_of_scheme: Mapping[str, Array]
    """Cost of the capital a scheme waits for over what was planned, shape (run,)."""


class CapitalModel:
    """The capital programmes of a plan."""

    def __init__(self, plan: Plan, overlay: Overlay, drivers: Drivers) -> None:
        self.plan = plan
        self.life = drivers.parameter(overlay, "asset-life", "years", "Life of an asset", above=0.0)
        self.rate = drivers.parameter(overlay, "capital-charge", "%", "Charge on capital")
        self.builders: dict[str, list[str]] = {}
        """Schemes that wait for each programme."""
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] == "build" and scheme.id not in self.builders.setdefault(row["programme"], []):
                    self.builders[row["programme"]].append(scheme.id)
        self.drivers: dict[str, str] = {}
        over = plan["parameters"].by_id.get("capital-overrun")
        if over is not None:
            planned, spread = self._overrun(over, overlay)
            for row in plan["capital_programmes"]:
                label = f"Capital overrun: {row['name']}"
                self.drivers[row.id] = drivers.add(f"capital:{row.id}", spread, planned, label, "capital")

    def evaluate(self, case: Case, delivery: Delivery) -> CapitalResult:
        years = len(self.plan.years)
        result = CapitalResult(Lines(), Lines(), {})
        overrun = {
            row.id: 1 + case[self.drivers[row.id]] if row.id in self.drivers else np.ones(case.runs)
            for row in self.plan["capital_programmes"]
        }
        built: dict[str, tuple[Array, NDArray[np.int64]]] = {}
        spend: dict[str, Array] = {}
        sources: dict[str, list[Figure]] = {}
        for row in self.plan["capital"]:
            figure = money_of(self.plan, "capital", row)
            programme, scheme = row["programme"], self._only_builder(row["programme"])
            position = self.plan.years.index(row["year"]) if row["year"] else years - 1
            if programme not in built:
                built[programme] = self._built(programme, case, delivery)
            done, late = built[programme]
            amount = figure.base * done * (overrun[programme] if row["kind"] == "spend" else 1.0)
            values = np.where(np.arange(years)[:, None] == position + late[None, :], amount[None, :], 0.0)
            how = "Spend as planned, with any overrun" if row["kind"] == "spend" else "Proceeds of disposal"
            ground = Ground(how + ("" if row["year"] else "; not dated in the papers, so in the last year"), (figure,))
            labels = {"organisation": row["organisation"], "programme": programme, "scheme": scheme}
            result.capital.add(row.id, values, ground, line=row["project"], kind=row["kind"], **labels)
            spend[programme] = spend.get(programme, np.zeros((years, case.runs))) + values
            sources.setdefault(programme, []).append(figure)
        life = np.maximum(1.0, case[self.life] / 365.25 if self.life else np.full(case.runs, 40.0))
        rate = case[self.rate] if self.rate else np.full(case.runs, 0.035)
        for programme, values in spend.items():
            # Disposals take what they fetch off what stands, and cannot take more.
            added = np.diff(np.maximum(np.cumsum(values, axis=0), 0.0), axis=0, prepend=0.0)
            charge = np.zeros((years, case.runs))
            for age in range(years - 1):
                yearly = np.clip(life - age, 0.0, 1.0) / life + np.maximum(1 - age / life, 0.0) * rate
                charge[age + 1 :] += added[: years - 1 - age] * yearly[None, :]
            how = (
                "Depreciation over the life of the asset plus the charge on what is left, from the year after the spend"
            )
            scheme = self._only_builder(programme)
            result.charges.add(
                programme,
                charge,
                Ground(how, tuple(sources[programme])),
                line=programme,
                kind="charges",
                programme=programme,
                scheme=scheme,
            )
        waits: dict[str, list[Array]] = {}
        for programme, schemes in self.builders.items():
            for scheme in schemes:
                waits.setdefault(scheme, []).append(overrun[programme])
        result.overrun_of_scheme = {scheme: np.mean(times, axis=0) for scheme, times in waits.items()}
        return result

    def _overrun(self, row: Row, overlay: Overlay) -> tuple[float, Distribution]:
        figure = figure_of(self.plan, "parameters", row)
        if not figure.unit.is_share:
            raise PlanError([Fault(row.where, f"The unit of capital-overrun is {figure.unit.name}.", "Use %.")])
        value = overlay.value("parameters", row) * figure.unit.scale
        if row["low"] is None or row["high"] is None or ("parameters", row.id) in overlay.values:
            return value, Distribution.point(value)
        return value, Distribution.triangular(row["low"] * figure.unit.scale, value, row["high"] * figure.unit.scale)

    def _only_builder(self, programme: str) -> str:
        """The scheme a programme is built for, where there is one and no more."""
        schemes = self.builders.get(programme, [])
        return schemes[0] if len(schemes) == 1 else ""

    def _built(self, programme: str, case: Case, delivery: Delivery) -> tuple[Array, NDArray[np.int64]]:
        """Whether a programme is built, and how many years late: when the first of the schemes that wait for it is ready for it."""
        schemes = self.builders.get(programme, [])
        if not schemes:
            return np.ones(case.runs), np.zeros(case.runs, dtype=np.int64)
        done = np.stack([delivery.delivered[scheme] for scheme in schemes])
        late = np.stack([delivery.delay[scheme] for scheme in schemes])
        first = np.where(done > 0, late, np.iinfo(np.int64).max).min(axis=0)
        return done.max(axis=0), np.where(done.max(axis=0) > 0, first, 0)


def net_present_value(flows: Array, rate: float) -> float:
    """Present value in year 0 of flows at the end of years 0, 1, 2, ...; shape (year,).

    >>> round(net_present_value(np.array([-100.0, 60.0, 60.0]), 0.035), 2)
    13.98
    """
    return float((flows / (1 + rate) ** np.arange(len(flows))).sum())


def payback(capital: float, yearly: float) -> float:
    """Years until a level yearly saving has returned the capital (simple payback); infinite when it never does."""
    return capital / yearly if yearly > 0 else float("inf")
