"""Money: cost if nothing is done, what schemes save and cost, funding, and the gap.

Do-nothing cost of an organisation is its base spend times the stated growth of cost, and moves with its activity: where activity in a run
differs from what the plan assumes, cost differs by the priced part of it. A saving that follows an activity effect is released only as far
as that activity is removed, so beds, staff and money come from the same activity. Work that appears elsewhere has a cost: activity that
*shifts* takes its budget with it; work that replaces what is *avoided* is paid from the theme's planned investment, and what that does
not cover is a line of its own. New work starts before hospital work stops: the overlap is the line of double running.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bettercare.errors import Fault, PlanError
from bettercare.model.activity import (
    ActivityModel,
    ActivityResult,
    Growth,
    Place,
    effect_figure,
    growth_of,
    own_distribution,
)
from bettercare.model.attribution import SMALLEST, contributions
from bettercare.model.capital import CapitalResult
from bettercare.model.delivery import Delivery, delayed, ramp
from bettercare.model.drivers import Case, Drivers
from bettercare.model.lines import Ground, Line, Lines, figure_of, money_of
from bettercare.model.scenarios import Overlay
from bettercare.plan import Figure, Plan, Row, Scheme
from bettercare.vocabulary import UNITS, FinancialYear

Array = NDArray[np.float64]


@dataclass
class MoneyEffect:
    """A ``save`` or ``invest`` effect on one organisation."""

    scheme: Scheme
    row: Row
    figure: Figure
    organisation: str
    part: float
    """The organisation's part of the size."""
    ramp: Array
    own_driver: str
    follows: str
    """Key of the activity effect it follows, or ""."""

    @property
    def key(self) -> str:
        return f"{self.scheme.id}.{self.row.id}@{self.organisation}"


@dataclass
class MoneyResult:
    """Money in some runs, in pounds."""

    gap: Lines
    cost: Lines
    funding: Lines
    saving: Lines
    investment: Lines
    free_savings: list[tuple[MoneyEffect, Array]]
    """Savings that follow no activity, for the staff they imply."""


class MoneyModel:
    """The money of a plan."""

    def __init__(self, plan: Plan, overlay: Overlay, drivers: Drivers, activity: ActivityModel) -> None:
        self.plan, self.overlay, self.activity = plan, overlay, activity
        organisations = plan["organisations"].by_id
        self.sector = {name: row["sector"] for name, row in organisations.items()}
        self.base = {name: figure_of(plan, "spend", row) for name, row in self._base_rows().items()}
        self.growth: dict[str, Growth] = {}
        self.funding_growth: list[Growth] = []
        for row in plan["growth"]:
            if row["measure"] == "cost":
                self._add_cost_growth(row, growth_of(plan, overlay, drivers, row))
            elif row["measure"] == "funding":
                self.funding_growth.append(growth_of(plan, overlay, drivers, row))
        for name in self.base:
            if name not in self.growth and "" in self.growth:
                self.growth[name] = self.growth[""]
        self._places: dict[str, list[Place]] = {}
        for place in activity.pools:
            self._places.setdefault(place[0], []).append(place)
        self.double_running = drivers.parameter(overlay, "double-running", "months", "Double running", above=-1.0)
        self.builds = {scheme.id for scheme in plan.schemes if any(row["kind"] == "build" for row in scheme.effects)}
        """Schemes whose own investment is the cost of their capital."""
        self.effects: list[MoneyEffect] = []
        for scheme in plan.schemes:
            for row in scheme.effects:
                if row["kind"] in ("save", "invest"):
                    self.effects.extend(self._effect(scheme, row, drivers))
        self._refuse_too_much()
        self.left_out: frozenset[str] = frozenset()
        """Schemes a scenario takes out of the plan; set by the system."""

    def _base_rows(self) -> Mapping[str, Row]:
        """What each organisation spends in the base year: the row called Base cost, or the only one there is."""
        rows: dict[str, list[Row]] = {}
        for row in self.plan["spend"]:
            if row["organisation"] and row["year"] == str(self.plan.base_year) and UNITS[row["unit"]].is_money:
                rows.setdefault(row["organisation"], []).append(row)
        found = {}
        for name, listed in rows.items():
            called = [row for row in listed if row["category"] == "Base cost"] or listed
            if len(called) > 1:
                what = f"The base cost of {name} is not clear: {called[0].id} and {called[1].id}."
                raise PlanError(
                    [Fault(called[1].where, what, "Give one row the category Base cost: all the organisation spends.")]
                )
            if called[0]["value"] > 0:
                found[name] = called[0]
        return found

    def _add_cost_growth(self, row: Row, growth: Growth) -> None:
        name = row["organisation"] or ""
        if name and name not in self.base:
            raise PlanError(
                [Fault(row.where, f"The cost of {name} grows, but what it spends is not given.", "Add a row to spend.")]
            )
        if not name and growth.total_of == "units":
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{row.id} adds one amount to the cost of every organisation.",
                        "Name one, or give it as %.",
                    )
                ]
            )
        if name in self.growth:
            other = self.growth[name].row.id
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"The cost of {name or 'everyone'} has two growths: {other} and {row.id}.",
                        "Keep one row.",
                    )
                ]
            )
        self.growth[name] = growth

    def _effect(self, scheme: Scheme, row: Row, drivers: Drivers) -> list[MoneyEffect]:
        organisations = tuple(dict.fromkeys(row["organisation"]))
        bases = [self.base[name].base if name in self.base else 0.0 for name in organisations]
        if len(organisations) > 1 and not all(bases):
            missing = ", ".join(name for name, base in zip(organisations, bases, strict=True) if not base)
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{scheme.id}.{row.id} is shared by base cost, which {missing} lacks.",
                        "Add rows to spend.",
                    )
                ]
            )
        follows = f"{scheme.id}.{row['follows']}" if row["follows"] else ""
        if follows and follows not in self.activity.effects:
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{scheme.id}.{row.id} follows {row['follows']}, which changes no activity.",
                        "Follow another.",
                    )
                ]
            )
        figure = effect_figure(self.plan, scheme, row)
        if figure.unit.name == "%" and not all(bases):
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{scheme.id}.{row.id} is a share of a cost that is not given.",
                        "Add a row to spend.",
                    )
                ]
            )
        if figure.unit.name == "%" and (row["kind"] == "invest" or follows):
            raise PlanError(
                [Fault(row.where, f"{scheme.id}.{row.id} cannot be a share of cost.", "Give an amount of money.")]
            )
        if follows and (row["ramp"] or row["recurrent"] is False):
            what = f"{scheme.id}.{row.id} follows {row['follows']} and takes its timing from it."
            raise PlanError([Fault(row.where, what, "Leave out ramp and recurrent, or follows.")])
        steps, own = ramp(self.plan, scheme, row), own_distribution(row, drivers, scheme)
        share = (
            [base / sum(bases) for base in bases]
            if sum(bases) and figure.unit.name != "%"
            else [1.0] * len(organisations)
        )
        return [
            MoneyEffect(scheme, row, figure, name, part, steps, own, follows)
            for name, part in zip(organisations, share, strict=True)
        ]

    def _refuse_too_much(self) -> None:
        listed: dict[str, list[MoneyEffect]] = {}
        for effect in self.effects:
            if effect.row["kind"] == "save" and effect.figure.unit.is_money and effect.row["per"] != "unit":
                listed.setdefault(effect.organisation, []).append(effect)
        for name, base in self.base.items():
            saves = listed.get(name, [])
            total = sum(effect.figure.base * effect.part * self._scale(effect) for effect in saves)
            if saves and total >= base.base:
                raise PlanError(
                    [
                        Fault(
                            saves[-1].row.where,
                            f"Savings of {total / 1e6:,.1f} GBP m at {name} are more than it spends.",
                            "Lower a size, or the scale of a scenario.",
                        )
                    ]
                )

    def _scale(self, effect: MoneyEffect) -> float:
        change = self.overlay.schemes.get(effect.scheme.id)
        return change.scale if change is not None else 1.0

    # -- running ---------------------------------------------------------------------------------------------------

    def evaluate(
        self,
        case: Case,
        delivery: Delivery,
        activity: ActivityResult,
        reference: ActivityResult,
        capital: CapitalResult,
    ) -> MoneyResult:
        """Money in some runs; ``reference`` is the activity of the published case."""
        result = MoneyResult(Lines(), Lines(), Lines(), Lines(), Lines(), [])
        do_nothing = self._do_nothing(case, activity, reference, result)
        self._opening_and_funding(case, result)
        self._effects(case, delivery, activity, capital, do_nothing, result)
        self._planned_investment(result)
        self._work_elsewhere(case, activity, result)
        return result

    def _years(self, case: Case) -> tuple[int, int]:
        return len(self.plan.years), case.runs

    def _do_nothing(
        self, case: Case, activity: ActivityResult, reference: ActivityResult, result: MoneyResult
    ) -> dict[str, Array]:
        costs: dict[str, Array] = {}
        for name, base in self.base.items():
            shape = self._years(case)
            growth = self.growth.get(name)
            index = growth.index(self.plan, case, base.base) if growth is not None else np.ones(shape)
            volume = np.ones(shape)
            figures = [base] + ([growth.figure] if growth is not None else [])
            for place in self._places.get(name, ()):
                pool, price = self.activity.pools[place], self.activity.rates.get("unit-cost", *place)
                if price is None or pool.base is None:
                    continue
                weight = pool.base_units(case, self.activity.days) * price.at(case) / base.base
                volume = volume + np.minimum(weight, 1.0)[None, :] * (
                    activity.volume[place] / reference.volume[place][:, :1] - 1
                )
            cost = base.base * index * np.maximum(volume, SMALLEST)
            costs[name] = cost
            labels = {"organisation": name, "sector": self.sector[name]}
            ground = Ground(
                "Base spend x growth of cost if nothing is done, moved by activity where it differs from the plan's",
                tuple(figures),
            )
            result.cost.add(
                f"base:{name}",
                np.full((shape[0], 1), base.base),
                Ground("Base spend", (base,)),
                line="Base spend",
                kind="base",
                **labels,
            )
            grown = cost - base.base
            result.cost.add(f"growth:{name}", grown, ground, line="Do-nothing growth", kind="growth", **labels)
            result.gap.add(f"growth:{name}", grown, ground, line="Growth of cost", kind="do-nothing", **labels)
            funded = Ground("Funded for what was spent in the base year", (base,))
            result.funding.add(
                f"base:{name}", np.full((shape[0], 1), base.base), funded, line="Base funding", kind="base", **labels
            )
        return costs

    def _opening_and_funding(self, case: Case, result: MoneyResult) -> None:
        years, _ = self._years(case)
        for growth in self.funding_growth:
            name = growth.row["organisation"] or ""
            sector = self.sector.get(name, "health")
            if growth.total_of == "units":
                start, end = FinancialYear.parse(growth.row["from"]), FinancialYear.parse(growth.row["to"])
                steps = np.maximum(np.arange(years) - max(start - self.plan.base_year, 0), 0) / (end - start)
                added = case[growth.driver][None, :] * steps[:, None]
            else:
                base = self._funded_base(growth, name, sector)
                added = base * (growth.index(self.plan, case, base) - 1)
            ground = Ground("Growth of the money available", (growth.figure,))
            key = f"funding:{growth.row.id}"
            result.funding.add(
                key, added, ground, line="Growth of funding", kind="growth", organisation=name, sector=sector
            )
            result.gap.add(
                key, -added, ground, line="Growth of funding", kind="do-nothing", organisation=name, sector=sector
            )
        for row in self.plan["funding"]:
            figure = money_of(self.plan, "funding", row)
            amount = self.overlay.value("funding", row) * figure.unit.scale
            if (("funding", row.id)) in self.overlay.values:
                figure = replace(figure, value=amount / figure.unit.scale)
            labels: dict[str, str | None] = {"organisation": row["organisation"], "sector": row["sector"]}
            year = self.plan.years.index(row["year"])
            values = np.zeros((years, 1))
            if row["kind"] == "opening-position":
                values[:] = amount
                self._fund(
                    result,
                    row,
                    values,
                    Ground("Position before the plan, carried into every year", (figure,)),
                    "Opening position",
                    labels,
                )
            elif row["kind"] == "unallocated-pressure":
                values[:, 0] = amount * np.arange(years) / max(year, 1)
                ground = Ground("Pressure the papers count but give to no organisation, built up evenly", (figure,))
                result.cost.add(
                    f"fund:{row.id}", values, ground, line="Pressure given to no organisation", kind="growth", **labels
                )
                result.gap.add(
                    f"fund:{row.id}",
                    values,
                    ground,
                    line="Pressure given to no organisation",
                    kind="do-nothing",
                    **labels,
                )
            else:
                values[year] = amount
                line = "Transformation funding" if row["kind"] == "transformation" else "Other funding"
                self._fund(result, row, values, Ground(line, (figure,)), line, labels)

        for row in self.plan["pool"]:
            if row["kind"] == "agreed" and row["year"] in self.plan.years:
                # The pooled fund is what pays for the schemes of a Better Care Fund.
                figure = money_of(self.plan, "pool", row)
                values = np.zeros((years, 1))
                values[self.plan.years.index(row["year"])] = figure.base
                ground = Ground("Agreed value of the pooled fund", (figure,))
                result.funding.add(f"pool:{row.id}", values, ground, line="Pooled fund", kind="funding", sector="both")
                result.gap.add(f"pool:{row.id}", -values, ground, line="Pooled fund", kind="funding", sector="both")

    def _funded_base(self, growth: Growth, name: str, sector: str) -> float:
        """What a share of growth in funding is a share of: the organisation's base cost, or that of all of its sector."""
        if name and name not in self.base:
            what = f"The funding of {name} grows by a share of what it spends, which is not given."
            raise PlanError([Fault(growth.row.where, what, "Add a row to spend, or give an amount of money.")])
        return (
            self.base[name].base
            if name
            else sum(base.base for other, base in self.base.items() if self.sector[other] == sector)
        )

    def _fund(
        self, result: MoneyResult, row: Row, values: Array, ground: Ground, line: str, labels: dict[str, str | None]
    ) -> None:
        kind = "do-nothing" if row["kind"] == "opening-position" else "funding"
        result.funding.add(f"fund:{row.id}", values, ground, line=line, kind=kind, **labels)
        result.gap.add(f"fund:{row.id}", -values, ground, line=line, kind=kind, **labels)

    def _effects(
        self,
        case: Case,
        delivery: Delivery,
        activity: ActivityResult,
        capital: CapitalResult,
        do_nothing: Mapping[str, Array],
        result: MoneyResult,
    ) -> None:
        shares: dict[str, list[tuple[MoneyEffect, Array]]] = {}
        for effect in self.effects:
            name = effect.scheme.id
            if effect.follows:
                if effect.row["per"] == "unit":
                    # A price is for what the effect is counted in: a bed where that is beds.
                    change_of = activity.change(effect.follows)
                    values = effect.figure.base * (change_of.beds if change_of.effect.in_beds else change_of.units)
                else:
                    values = effect.figure.base * self.activity.released(activity, effect.follows)
                if effect.own_driver:
                    values = values * np.maximum(case[effect.own_driver], 0.0)[None, :]
            else:
                share = delivery.size(case, name, effect.own_driver)
                if effect.row["kind"] == "invest":
                    # What is spent does not shrink with what is achieved; a scheme not delivered is not paid for.
                    change = self.overlay.schemes.get(name)
                    share = np.maximum(case[effect.own_driver], 0.0) if effect.own_driver else np.ones(case.runs)
                    share = share * (1.0 if change is None else change.scale)
                in_place = delayed(effect.ramp, delivery.delay[name])
                if effect.row["recurrent"] is False:
                    in_place = np.maximum(np.diff(in_place, axis=0, prepend=0.0), 0.0)
                values = in_place * (share * delivery.delivered[name])[None, :]
                if effect.figure.unit.name == "%":
                    shares.setdefault(effect.organisation, []).append((effect, values))
                    continue
                values = effect.figure.base * values
            values = values * effect.part
            if effect.row["kind"] == "save":
                self._save(effect, values, result)
            else:
                self._invest(effect, values, capital, result)
        for name, listed in shares.items():
            logs = np.stack(
                [np.log(np.maximum(1 - effect.figure.base * amount, SMALLEST)) for effect, amount in listed]
            )
            for (effect, _), part in zip(listed, contributions(do_nothing[name], logs), strict=True):
                self._save(effect, -part, result)

    def _labels(self, effect: MoneyEffect) -> dict[str, str]:
        row = effect.scheme.row
        settings: tuple[str, ...] = row["settings"] or ()
        return {
            "organisation": effect.organisation,
            "sector": self.sector[effect.organisation],
            "scheme": effect.scheme.id,
            "theme": row["theme"],
            "service_model": row["service_model"] or "",
            "setting": str(settings[0]) if len(settings) == 1 else "",
        }

    def _save(self, effect: MoneyEffect, values: Array, result: MoneyResult) -> None:
        labels = self._labels(effect)
        how = (
            "Released as far as the activity it follows is removed"
            if effect.follows
            else "Saving as planned x what is delivered"
        )
        ground = Ground(how, (effect.figure,), (effect.follows,) if effect.follows else ())
        result.saving.add(effect.key, values, ground, line=effect.scheme.name, kind="saving", **labels)
        less = -values
        result.gap.add(effect.key, less, ground, line=effect.scheme.name, kind="saving", **labels)
        result.cost.add(effect.key, less, ground, line=effect.scheme.name, kind="saving", **labels)
        if not effect.follows:
            result.free_savings.append((effect, values))

    def _invest(self, effect: MoneyEffect, values: Array, capital: CapitalResult, result: MoneyResult) -> None:
        labels = self._labels(effect)
        over = capital.overrun_of_scheme.get(effect.scheme.id)
        if over is not None:
            values = values * over[None, :]
        ground = Ground(
            "Cost of the scheme" + (", with any overrun of its capital" if over is not None else ""), (effect.figure,)
        )
        for lines in (result.investment, result.gap, result.cost):
            lines.add(effect.key, values, ground, line=effect.scheme.name, kind="investment", **labels)

    def _planned_investment(self, result: MoneyResult) -> None:
        years = self.plan.years
        for row in self.plan["investments"]:
            figure = money_of(self.plan, "investments", row)
            # Money is spent as planned even where a scheme slips or fails; one that a scenario takes out of the plan is not paid for.
            if row["scheme"] in self.left_out:
                continue
            values = np.zeros((len(years), 1))
            values[years.index(row["year"])] = figure.base
            name = row["organisation"] or ""
            labels = {
                "organisation": name,
                "sector": self.sector.get(name, "health"),
                "scheme": row["scheme"],
                "theme": row["theme"],
            }
            ground = Ground("Investment as planned", (figure,))
            for lines in (result.investment, result.gap, result.cost):
                lines.add(f"invest:{row.id}", values, ground, line=row["line"], kind="investment", **labels)

    def _paid_for(self, result: MoneyResult) -> Mapping[str, list[Line]]:
        """Investment that pays for work elsewhere: a strand's under ``theme:<id>``, and a scheme's own (but for its capital) under its id."""
        paid: dict[str, list[Line]] = {}
        strands = {
            f"invest:{row.id}": f"theme:{row['theme']}"
            for row in self.plan["investments"]
            if row["programme"] == "strand"
        }
        for line in result.investment.lines:
            scheme = line.labels.get("scheme", "")
            if line.key in strands:
                paid.setdefault(strands[line.key], []).append(line)
            elif scheme and (line.key.startswith("invest:") or scheme not in self.builds):
                paid.setdefault(scheme, []).append(line)
        return paid

    def _work_elsewhere(self, case: Case, activity: ActivityResult, result: MoneyResult) -> None:
        """Cost of work that appears elsewhere: what planned investment does not cover, and double running."""
        by_theme: dict[str, list[tuple[str, Array, Ground, dict[str, str]]]] = {}
        paid = self._paid_for(result)
        for effect, pool, units in activity.arrivals:
            price = self.activity.rates.get("unit-cost", *pool.place)
            if price is None:
                continue
            cost = units * price.at(case)[None, :]
            organisation, pod = pool.place
            labels = {
                "organisation": organisation, "pod": pod, "sector": self.sector[organisation], "setting": pool.setting,
                "scheme": effect.scheme.id, "theme": effect.scheme.row["theme"],
            }  # fmt: skip
            key = f"{effect.key}>{organisation}.{pod}"
            if self.double_running:
                overlap = case[self.double_running][None, :] / 365.25
                early = np.maximum(np.diff(cost, axis=0, append=cost[-1:]), 0.0) * overlap
                early[0] = 0.0  # nothing starts before the plan does
                ground = Ground(
                    "New work in place before the hospital work it replaces has stopped",
                    (price.figure, effect.figure),
                    (effect.key,),
                )
                for lines in (result.gap, result.cost):
                    lines.add(f"double:{key}", early, ground, line="Double running", kind="double running", **labels)
            ground = Ground("Units of work that appear x their unit cost", (price.figure, effect.figure), (effect.key,))
            if effect.row["kind"] == "shift":
                # The budget moves with the activity: a cost here and the same amount less where it left.
                left = effect.row["organisation"][0]
                result.cost.add(
                    f"budget:{key}", cost, ground, line="Work that moved here", kind="budget moved", **labels
                )
                away = labels | {
                    "organisation": left,
                    "sector": self.sector[left],
                    "pod": effect.row["pod"],
                    "setting": "",
                }
                result.cost.add(
                    f"budget-left:{key}",
                    -cost,
                    ground,
                    line="Budget that moved with the work",
                    kind="budget moved",
                    **away,
                )
            else:
                by_theme.setdefault(labels["theme"], []).append((key, cost, ground, labels))
        for theme, works in by_theme.items():
            total = sum((cost for _, cost, _, _ in works), np.zeros(self._years(case)))
            planned = np.zeros((total.shape[0], 1))
            figures: list[Figure] = []
            for name in (f"theme:{theme}", *dict.fromkeys(labels["scheme"] for _, _, _, labels in works)):
                for line in paid.get(name, ()):
                    planned = planned + line.values
                    figures.extend(line.ground.figures)
            share = np.maximum(total - planned, 0.0) / np.where(total > 0, total, 1.0)
            for key, cost, ground, labels in works:
                unfunded = Ground(
                    "Cost of the work less the theme's planned investment",
                    ground.figures + tuple(figures),
                    ground.lines,
                )
                beyond = cost * share
                for lines in (result.gap, result.cost):
                    lines.add(
                        f"work:{key}",
                        beyond,
                        unfunded,
                        line="Community work beyond planned investment",
                        kind="community work",
                        **labels,
                    )
