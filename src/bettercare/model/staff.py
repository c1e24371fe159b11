"""Staff: whole-time equivalents that activity, savings and investment imply.

Beds opened or closed and work that appears or goes take their staff with them (staff per bed, staff per unit). A saving that follows no
activity is partly pay: its pay share over the cost of a whole-time equivalent. The result is held against the published workforce plan.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from bettercare.model.activity import ActivityModel, ActivityResult, effect_figure
from bettercare.model.delivery import Delivery, delayed, ramp
from bettercare.model.drivers import Case
from bettercare.model.lines import Ground, Line, Lines, figure_of
from bettercare.model.money import MoneyResult
from bettercare.plan import Plan

Array = NDArray[np.float64]


class StaffModel:
    """The workforce of a plan."""

    def __init__(self, plan: Plan, activity: ActivityModel) -> None:
        self.plan, self.activity = plan, activity
        parameters = plan["parameters"].by_id
        known = "wte-cost" in parameters and "pay-share" in parameters
        self.pay = (plan.parameter("pay-share"), plan.parameter("wte-cost")) if known else None
        self.ramps = {
            (scheme.id, row.id): ramp(plan, scheme, row) for scheme in plan.schemes for row in scheme.effects if row["kind"] == "staff"
        }

    def evaluate(self, case: Case, delivery: Delivery, activity: ActivityResult, money: MoneyResult) -> Lines:
        lines = Lines()
        plan = self.plan
        sector = {row.id: row["sector"] for row in plan["organisations"]}
        for row in plan["workforce"]:
            if row["year"] != str(plan.base_year) or row["staff_group"] == "All staff" and self._has_groups(row["organisation"]):
                continue
            figure = figure_of(plan, "workforce", row)
            values = np.full((len(plan.years), 1), figure.base)
            labels = {"organisation": row["organisation"], "sector": sector[row["organisation"]]}
            lines.add(f"base:{row.id}", values, Ground("In post", (figure,)), line=row["staff_group"], kind="base", **labels)
        self._from_activity(case, activity, lines)
        if self.pay is not None:
            share, cost = self.pay
            figures = tuple(figure_of(plan, "parameters", plan["parameters"].by_id[name]) for name in ("pay-share", "wte-cost"))
            for effect, values in money.free_savings:
                # A commissioner's saving buys less of something; it is not its own payroll.
                if plan["organisations"].by_id[effect.organisation]["kind"] in ("commissioner", "specialised-commissioner"):
                    continue
                ground = Ground("Pay share of a saving over the cost of a whole-time equivalent", (effect.figure, *figures))
                labels = {"organisation": effect.organisation, "sector": sector[effect.organisation], "scheme": effect.scheme.id}
                theme = effect.scheme.row["theme"]
                lines.add(f"save:{effect.key}", -values * share / cost, ground, line=effect.scheme.name, kind="saving", theme=theme, **labels)
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] != "staff":
                    continue
                figure = effect_figure(plan, scheme, row)
                amount = delayed(self.ramps[scheme.id, row.id], delivery.delay[scheme.id])
                amount = amount * (delivery.share[scheme.id] * delivery.delivered[scheme.id])[None, :]
                for name in row["organisation"]:
                    part = figure.base / len(row["organisation"])
                    labels = {"organisation": name, "sector": sector[name], "scheme": scheme.id, "theme": scheme.row["theme"]}
                    ground = Ground("Staff change the plan states", (figure,))
                    lines.add(f"staff:{scheme.id}.{row.id}@{name}", amount * part, ground, line=scheme.name, kind="staff", **labels)
        return lines

    def _has_groups(self, organisation: str) -> bool:
        return any(row["organisation"] == organisation and row["staff_group"] != "All staff" for row in self.plan["workforce"])

    def _from_activity(self, case: Case, activity: ActivityResult, lines: Lines) -> None:
        """Staff of every change in beds or, where there are none, in activity."""
        for source, measure in ((activity.beds, "staff-per-bed"), (activity.activity, "staff-per-unit")):
            for line in _changes(source):
                place = (line.labels["organisation"], line.labels["pod"])
                rate = self.activity.rates.get(measure, *place)
                if rate is None or (measure == "staff-per-unit" and self.activity.rates.get("staff-per-bed", *place) and self.activity.pools[place].bedded):
                    continue
                ground = Ground(f"{line.ground.how}; x {measure.replace('-', ' ')}", (*line.ground.figures, rate.figure), (line.key,))
                labels = dict(line.labels)
                if labels["kind"] in ("demographic growth", "other growth"):
                    labels["kind"] = "growth"
                lines.add(f"{measure}:{line.key}", line.values * rate.at(case)[None, :], ground, **labels)


def _changes(lines: Lines) -> Iterable[Line]:
    return (line for line in lines.lines if line.labels.get("kind") != "base")
