"""Staff: whole-time equivalents that activity, savings and investment imply.

If nothing is done staff grow as far as cost outgrows pay: the pay share of that growth over the cost of a whole-time equivalent, of which
beds and work that grow are the part seen. Beds closed and work that appears elsewhere take their staff with them (staff per bed, staff per
unit). A saving that follows no activity is partly pay. Both are worked at the pay of the year. Commissioners' money buys services, not
staff of their own, and is left out; so is the staff that investment may buy. The result is held against the published workforce plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from bettercare.model.activity import ActivityModel, ActivityResult, Place, effect_figure, own_distribution
from bettercare.model.delivery import Delivery, delayed, ramp
from bettercare.model.drivers import Case, Drivers
from bettercare.model.lines import Ground, Line, Lines, figure_of
from bettercare.model.money import MoneyResult
from bettercare.model.scenarios import Overlay
from bettercare.plan import Figure, Plan

Array = NDArray[np.float64]


class StaffModel:
    """The workforce of a plan."""

    def __init__(self, plan: Plan, activity: ActivityModel, overlay: Overlay, drivers: Drivers) -> None:
        self.plan, self.activity = plan, activity
        self.pay_growth = drivers.parameter(overlay, "pay-growth", "%", "Pay growth a year", above=-1.0)
        share = drivers.parameter(overlay, "pay-share", "%", "Pay share of provider cost")
        cost = drivers.parameter(overlay, "wte-cost", "GBP", "Cost of a whole-time equivalent", above=0.0)
        self.pay = (share, cost) if share and cost else None
        self.ramps: dict[tuple[str, str], Array] = {}
        self.own: dict[tuple[str, str], str] = {}
        """Drivers of the effects' own distributions."""
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] == "staff":
                    self.ramps[scheme.id, row.id] = ramp(plan, scheme, row)
                    self.own[scheme.id, row.id] = own_distribution(row, drivers, scheme)
        self.grouped = {row["organisation"] for row in plan["workforce"] if row["staff_group"] != "All staff"}
        """Organisations whose staff are given by group."""

    def evaluate(self, case: Case, delivery: Delivery, activity: ActivityResult, money: MoneyResult) -> Lines:
        lines = Lines()
        plan = self.plan
        sector = {row.id: row["sector"] for row in plan["organisations"]}
        for row in plan["workforce"]:
            if row["year"] != str(plan.base_year) or (
                row["staff_group"] == "All staff" and row["organisation"] in self.grouped
            ):
                continue
            figure = figure_of(plan, "workforce", row)
            values = np.full((len(plan.years), 1), figure.base)
            labels = {"organisation": row["organisation"], "sector": sector[row["organisation"]]}
            lines.add(
                f"base:{row.id}", values, Ground("In post", (figure,)), line=row["staff_group"], kind="base", **labels
            )
        self._from_activity(case, activity, lines)
        if self.pay is not None:
            share, cost = (case[name][None, :] for name in self.pay)
            names = ("pay-share", "wte-cost", "pay-growth") if self.pay_growth else ("pay-share", "wte-cost")
            figures = tuple(figure_of(plan, "parameters", plan["parameters"].by_id[name]) for name in names)
            level = self._pay_level(case)
            self._from_cost(money, lines, share, cost * level, level, figures, sector)
            gone = self._gone(lines)
            for effect, values in money.free_savings:
                if not self._employs(effect.organisation):
                    continue
                # Beds a scheme closes have taken their staff already; they count against what its saving implies, once.
                place = (effect.organisation, effect.scheme.id)
                implied = -values * share / (cost * level)
                seen = np.maximum(gone[place], np.minimum(implied, 0.0)) if place in gone else 0.0
                if place in gone:
                    gone[place] = gone[place] - seen
                how = "Pay share of a saving over the cost of a whole-time equivalent"
                ground = Ground(
                    how + (", less the staff of the beds it closes" if place in gone else ""), (effect.figure, *figures)
                )
                labels = {
                    "organisation": effect.organisation,
                    "sector": sector[effect.organisation],
                    "scheme": effect.scheme.id,
                }
                theme = effect.scheme.row["theme"]
                lines.add(
                    f"save:{effect.key}",
                    implied - seen,
                    ground,
                    line=effect.scheme.name,
                    kind="saving",
                    theme=theme,
                    **labels,
                )
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] != "staff":
                    continue
                figure = effect_figure(plan, scheme, row)
                own = self.own[scheme.id, row.id]
                if row["follows"]:
                    amount = self.activity.released(activity, f"{scheme.id}.{row['follows']}") * (
                        case[own][None, :] if own else 1.0
                    )
                else:
                    amount = delayed(self.ramps[scheme.id, row.id], delivery.delay[scheme.id])
                    amount = (
                        amount
                        * (delivery.size(case, scheme.id, own, least=-np.inf) * delivery.delivered[scheme.id])[None, :]
                    )
                for name in row["organisation"]:
                    part = figure.base / len(row["organisation"])
                    labels = {
                        "organisation": name,
                        "sector": sector[name],
                        "scheme": scheme.id,
                        "theme": scheme.row["theme"],
                    }
                    ground = Ground("Staff change the plan states", (figure,))
                    lines.add(
                        f"staff:{scheme.id}.{row.id}@{name}",
                        amount * part,
                        ground,
                        line=scheme.name,
                        kind="staff",
                        **labels,
                    )
        return lines

    def _employs(self, organisation: str) -> bool:
        return self.plan["organisations"].by_id[organisation]["kind"] not in (
            "commissioner",
            "specialised-commissioner",
        )

    def _pay_level(self, case: Case) -> Array:
        """Pay of each year over the base year's; shape (year, run)."""
        growth = case[self.pay_growth] if self.pay_growth else np.zeros(case.runs)
        return np.asarray((1 + growth)[None, :] ** np.arange(len(self.plan.years))[:, None])

    def _gone(self, lines: Lines) -> dict[tuple[str, str], Array]:
        """Staff each scheme has taken away with beds and work, by organisation; not above zero."""
        gone: dict[tuple[str, str], Array] = {}
        for line in lines.lines:
            if line.labels.get("scheme") and line.labels["kind"] in ("avoid", "shift", "shorten"):
                place = (line.labels["organisation"], line.labels["scheme"])
                gone[place] = gone.get(place, np.zeros((1, 1))) + line.values
        return gone

    def _from_cost(
        self,
        money: MoneyResult,
        lines: Lines,
        share: Array,
        cost: Array,
        level: Array,
        figures: tuple[Figure, ...],
        sector: Mapping[str, str],
    ) -> None:
        """Do-nothing growth of staff that growth of cost implies, beyond the part that beds and work already show."""
        shown: dict[str, Array | float] = {}
        for line in lines.lines:
            if line.labels["kind"] == "growth":
                name = line.labels["organisation"]
                shown[name] = shown.get(name, 0.0) + line.values
        base = {
            line.labels["organisation"]: line
            for line in money.cost.lines
            if line.key == f"base:{line.labels.get('organisation')}"
        }
        for grown in money.cost.lines:
            name = grown.labels.get("organisation", "")
            if grown.key != f"growth:{name}" or not self._employs(name):
                continue
            start = base[name].values
            implied = (start + grown.values - start * level) * share / cost
            seen = shown.get(name, 0.0)
            ground = Ground(
                "Pay share of cost growth beyond pay growth, over the cost of a whole-time equivalent, less what beds and work show",
                (*grown.ground.figures, *figures),
            )
            labels = {"organisation": name, "sector": sector[name]}
            lines.add(
                f"cost:{name}", implied - seen, ground, line="Growth beyond beds and work", kind="growth", **labels
            )

    def _counted_by(self, place: Place) -> str:
        """Whether the staff of a place follow its beds or its activity: the more particular rate, and beds where both are alike."""
        rates, bedded = self.activity.rates, self.activity.pools[place].bedded
        beds = rates.rank("staff-per-bed", *place) if bedded else -1
        return "staff-per-bed" if beds >= rates.rank("staff-per-unit", *place) else "staff-per-unit"

    def _from_activity(self, case: Case, activity: ActivityResult, lines: Lines) -> None:
        """Staff of every change in beds or, where there are none, in activity."""
        for source, measure in ((activity.beds, "staff-per-bed"), (activity.activity, "staff-per-unit")):
            for line in _changes(source):
                place = (line.labels["organisation"], line.labels["pod"])
                rate = self.activity.rates.get(measure, *place)
                if rate is None or measure != self._counted_by(place):
                    continue
                ground = Ground(
                    f"{line.ground.how}; x {measure.replace('-', ' ')}",
                    (*line.ground.figures, rate.figure),
                    (line.key,),
                )
                labels = dict(line.labels)
                if labels["kind"] in ("demographic growth", "other growth"):
                    labels["kind"] = "growth"
                lines.add(f"{measure}:{line.key}", line.values * rate.at(case)[None, :], ground, **labels)


def _changes(lines: Lines) -> Iterable[Line]:
    return (line for line in lines.lines if line.labels.get("kind") != "base")
