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

from bettercare.model.delivery import Delivery
from bettercare.model.drivers import Case, Distribution, Drivers
from bettercare.model.lines import Ground, Lines, figure_of
from bettercare.model.scenarios import Overlay
from bettercare.plan import Figure, Plan

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
        self.life = max(1.0, plan.parameter("asset-life", 40 * 365.25) / 365.25)
        self.rate = plan.parameter("capital-charge", 0.035)
        over = plan["parameters"].by_id.get("capital-overrun")
        self.builders: dict[str, str] = {}
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] == "build":
                    self.builders[row["programme"]] = scheme.id
        self.drivers: dict[str, str] = {}
        for row in plan["capital_programmes"]:
            if over is not None and over["low"] is not None and over["high"] is not None:
                spread = Distribution.triangular(over["low"] / 100, over["value"] / 100, over["high"] / 100)
                self.drivers[row.id] = drivers.add(
                    f"capital:{row.id}", spread, over["value"] / 100, f"Capital overrun: {row['name']}", "capital"
                )

    def evaluate(self, case: Case, delivery: Delivery) -> CapitalResult:
        years = len(self.plan.years)
        result = CapitalResult(Lines(), Lines(), {})
        overrun = {row.id: 1 + case[self.drivers[row.id]] if row.id in self.drivers else np.ones(case.runs) for row in self.plan["capital_programmes"]}
        spend: dict[str, Array] = {}
        sources: dict[str, list[Figure]] = {}
        for row in self.plan["capital"]:
            figure = figure_of(self.plan, "capital", row)
            programme, scheme = row["programme"], self.builders.get(row["programme"], "")
            position = self.plan.years.index(row["year"]) if row["year"] else years - 1
            late = delivery.delay[scheme] if scheme else np.zeros(case.runs, dtype=np.int64)
            done = delivery.delivered[scheme] if scheme else np.ones(case.runs)
            amount = figure.base * done * (overrun[programme] if row["kind"] == "spend" else 1.0)
            values = np.where(np.arange(years)[:, None] == position + late[None, :], amount[None, :], 0.0)
            how = "Spend as planned, with any overrun" if row["kind"] == "spend" else "Proceeds of disposal"
            ground = Ground(how + ("" if row["year"] else "; not dated in the papers, so in the last year"), (figure,))
            labels = {"organisation": row["organisation"], "programme": programme, "scheme": scheme}
            result.capital.add(row.id, values, ground, line=row["project"], kind=row["kind"], **labels)
            spend[programme] = spend.get(programme, np.zeros((years, case.runs))) + values
            sources.setdefault(programme, []).append(figure)
        for programme, values in spend.items():
            standing = np.maximum(np.cumsum(values, axis=0), 0.0)
            before = np.vstack([np.zeros((1, case.runs)), standing[:-1]])
            written = np.cumsum(before / self.life, axis=0)
            charge = before / self.life + np.maximum(before - np.vstack([np.zeros((1, case.runs)), written[:-1]]), 0.0) * self.rate
            how = "Depreciation over the life of the asset plus the charge on what is left, from the year after the spend"
            scheme = self.builders.get(programme, "")
            result.charges.add(programme, charge, Ground(how, tuple(sources[programme])), line=programme, kind="charges", programme=programme, scheme=scheme)
        result.overrun_of_scheme = {scheme: overrun[programme] for programme, scheme in self.builders.items()}
        return result


def net_present_value(flows: Array, rate: float) -> float:
    """Present value in year 0 of flows at the end of years 0, 1, 2, ...; shape (year,).

    >>> round(net_present_value(np.array([-100.0, 60.0, 60.0]), 0.035), 2)
    13.98
    """
    return float((flows / (1 + rate) ** np.arange(len(flows))).sum())


def payback(capital: float, yearly: float) -> float:
    """Years until a level yearly saving has returned the capital (simple payback); infinite when it never does."""
    return capital / yearly if yearly > 0 else float("inf")
