"""Activity and beds: what is done if nothing changes, what schemes remove or add, and the beds that follow.

A *pool* is the activity of one organisation at one point of delivery. Do-nothing activity is the baseline times growth, of which the
demographic part follows population by age band. Effects multiply what is left by ``1 - fraction x delivered share``; what each removes
is attributed by the log mean Divisia index, so parts add exactly in every run and their order does not matter. Beds are
admissions x length of stay / (days in the year x occupancy).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from bettercare.errors import Fault, PlanError
from bettercare.model.attribution import SMALLEST, contributions
from bettercare.model.delivery import Delivery, delayed, ramp
from bettercare.model.drivers import Case, Distribution, Drivers
from bettercare.model.lines import Ground, Lines, figure_of
from bettercare.model.scenarios import Overlay, planned_size
from bettercare.plan import Figure, Plan, Row, Scheme
from bettercare.vocabulary import PODS, UNITS, FinancialYear

Array = NDArray[np.float64]
Place = tuple[str, str]
"""An organisation and a point of delivery."""

_BED_UNITS = ("beds", "virtual beds")
_LEAST_LEFT = -600.0
"""Logarithm of the least that may be left while a share is being looked for."""
_RATE_UNITS = {
    "length-of-stay": "days",
    "occupancy": "%",
    "unit-cost": "GBP",
    "staff-per-unit": "WTE",
    "staff-per-bed": "WTE",
}


@dataclass(frozen=True)
class Rate:
    """A rate and the driver that moves it, if any."""

    row: Row
    figure: Figure
    driver: str

    def at(self, case: Case) -> Array:
        """Value in the base unit, shape (run,)."""
        return case[self.driver] if self.driver else np.full(case.runs, self.figure.base)


@dataclass
class Rates:
    """Rates by measure, organisation and point of delivery; the most particular row wins."""

    plan: Plan
    overlay: Overlay
    drivers: Drivers
    _found: dict[tuple[str, str, str], Rate | None] = field(default_factory=dict)

    @cached_property
    def _rows(self) -> Mapping[str, Mapping[tuple[str | None, str | None], list[Row]]]:
        """The rows of each measure, by the organisation and point of delivery they name."""
        measures: dict[str, list[Row]] = {}
        for row in self.plan["rates"]:
            measures.setdefault(row["measure"], []).append(row)
        return {measure: _by_place(rows) for measure, rows in measures.items()}

    def rank(self, measure: str, organisation: str, pod: str) -> int:
        """How particular the row found is: 3 names both, 2 the point of delivery, 1 the organisation, 0 neither; -1 there is none."""
        rate = self.get(measure, organisation, pod)
        return -1 if rate is None else 2 * (rate.row["pod"] is not None) + (rate.row["organisation"] is not None)

    def get(self, measure: str, organisation: str, pod: str) -> Rate | None:
        key = (measure, organisation, pod)
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, measure: str, organisation: str, pod: str) -> Rate | None:
        rows = _most_particular(self._rows.get(measure, {}), (organisation, pod))
        if not rows:
            return None
        row = rows[0]
        figure = figure_of(self.plan, "rates", row)
        scale = figure.unit.scale
        value = self.overlay.value("rates", row) * scale
        self._check(measure, rows, figure, value)
        driver = ""
        if row["low"] is not None and row["high"] is not None and ("rates", row.id) not in self.overlay.values:
            spread = Distribution.triangular(row["low"] * scale, value, row["high"] * scale)
            driver = self.drivers.add(f"rate:{row.id}", spread, value, f"Rate: {row.id}")
        elif value != figure.base:
            figure = replace(figure, value=value / scale)
        return Rate(row, figure, driver)

    @staticmethod
    def _check(measure: str, rows: list[Row], figure: Figure, value: float) -> None:
        row = rows[0]
        if len(rows) > 1:
            raise PlanError(
                [Fault(rows[1].where, f"{measure} is given twice: {row.id} and {rows[1].id}.", "Keep one row.")]
            )
        unit, wanted = figure.unit, _RATE_UNITS[measure]
        if unit.dimension != UNITS[wanted].dimension:
            raise PlanError([Fault(row.where, f"The unit of {measure} {row.id} is {unit.name}.", f"Use {wanted}.")])
        ends = [value, *(row[end] * unit.scale for end in ("low", "high") if row[end] is not None)]
        least, most = min(ends), max(ends)
        if least < 0 or (least <= 0 and measure in ("length-of-stay", "occupancy")):
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{measure} {row.id} can be {least / unit.scale:g} {unit.name}.",
                        "It must be above zero.",
                    )
                ]
            )
        if measure == "occupancy" and most > 1:
            raise PlanError(
                [Fault(row.where, f"Occupancy {row.id} can be {most:.0%}.", "Beds cannot be more than full.")]
            )


@dataclass(frozen=True)
class Growth:
    """Growth of one thing: its index by year in each run."""

    row: Row
    figure: Figure
    driver: str
    total_of: str
    """``total`` growth over the row's span, ``a year``, or ``units`` added."""

    def index(self, plan: Plan, case: Case, base: Array | float) -> Array:
        """Level of each year over the base year's; shape (year, run). ``base`` turns units added into a rate."""
        value = case[self.driver]
        start, end = FinancialYear.parse(self.row["from"]), FinancialYear.parse(self.row["to"])
        # A row that starts before the plan gives the pace; the level is still that of the base year.
        steps = np.arange(len(plan.years))[:, None] - max(start - plan.base_year, 0)
        if self.total_of == "a year":
            yearly = np.log1p(np.maximum(value, -1 + SMALLEST))
        else:
            total = value if self.total_of == "total" else value / base
            yearly = np.log1p(np.maximum(total, -1 + SMALLEST)) / (end - start)
        return np.asarray(np.exp(np.maximum(steps, 0) * yearly))


def growth_of(plan: Plan, overlay: Overlay, drivers: Drivers, row: Row) -> Growth:
    """Growth from a row, its driver registered under the row's id."""
    figure = figure_of(plan, "growth", row)
    unit, measure = figure.unit, row["measure"]
    fits = unit.dimension == () or (
        unit.is_money if measure in ("cost", "funding") else measure in ("activity", "beds") and not unit.is_money
    )
    if not fits:
        remedy = "Use %, % a year" + (
            " or GBP m." if measure in ("cost", "funding") else "." if measure == "population" else " or a count."
        )
        raise PlanError([Fault(row.where, f"The unit of the growth of {measure} {row.id} is {unit.name}.", remedy)])
    scale = unit.scale
    value = overlay.value("growth", row) * scale
    moved = value - figure.base
    if moved:
        figure = replace(figure, value=value / scale)
    spread = Distribution.point(value)
    if row["low"] is not None and row["high"] is not None:
        # A scenario's value shifts the whole range, so that it changes the level and not how sure anyone is.
        spread = Distribution.triangular(row["low"] * scale + moved, value, row["high"] * scale + moved)
    kind = "a year" if figure.unit.name == "% a year" else "total" if figure.unit.dimension == () else "units"
    if kind != "units":
        _refuse_fall(row, min(value, spread.low), -1.0)
    name = drivers.add(f"growth:{row.id}", spread, value, f"Growth: {row.id}", row.id)
    return Growth(row, figure, name, kind)


def _refuse_fall(row: Row, least: float, all_there_is: float) -> None:
    """Refuse growth that may take away more than there is."""
    if least < all_there_is:
        raise PlanError(
            [
                Fault(
                    row.where,
                    f"The growth {row.id} would remove more than there is.",
                    "Raise value and low: a fall is at most the whole.",
                )
            ]
        )


@dataclass
class Pool:
    """Activity of one organisation at one point of delivery."""

    place: Place
    base: Figure | None
    counted_in_beds: bool
    growth: Growth | None
    bands: tuple[tuple[float, Growth], ...]
    """Population growth by age band with the band's share of the activity."""
    stay: Rate | None
    occupancy: Rate | None
    effects: list[PoolEffect] = field(default_factory=list)
    setting: str = ""
    service_model: str = ""

    @property
    def bedded(self) -> bool:
        return self.counted_in_beds or (self.stay is not None and self.occupancy is not None)

    @property
    def unit(self) -> str:
        return PODS[self.place[1]].unit if not self.counted_in_beds or self.stay is not None else "bed days"

    def beds_per_unit(self, case: Case, days: float) -> Array:
        """Beds one unit of activity a year needs; shape (run,)."""
        occupancy = self.occupancy.at(case) if self.occupancy is not None else np.ones(case.runs)
        stay = self.stay.at(case) if self.stay is not None else np.ones(case.runs)
        return np.asarray(stay / (days * occupancy))

    def base_units(self, case: Case, days: float) -> Array:
        """Activity of the base year; shape (run,)."""
        if self.base is None:
            return np.zeros(case.runs)
        value = np.full(case.runs, self.base.base)
        return value / self.beds_per_unit(case, days) if self.counted_in_beds else value

    def grown(self, plan: Plan, case: Case, days: float) -> tuple[Array, Array]:
        """Demographic index and whole do-nothing index; each shape (year, run)."""
        demographic = np.ones((len(plan.years), case.runs))
        for share, growth in self.bands:
            # Age bands whose population the plan does not grow stay as they are.
            demographic += share * (growth.index(plan, case, 1.0) - 1)
        if self.growth is None or self.base is None:
            return demographic, demographic
        return demographic, self.growth.index(plan, case, self._base_as(self.growth, case, days))

    def _base_as(self, growth: Growth, case: Case, days: float) -> Array | float:
        """The baseline in the unit the growth is counted in: beds, or units of activity."""
        if growth.total_of != "units":
            return 1.0
        unit = growth.figure.unit
        in_beds = unit.dimension == UNITS["beds"].dimension
        known = self.bedded if in_beds else unit.dimension == UNITS[self.unit].dimension
        if not known or self.base is None or self.base.base <= 0:
            what = f"{self.place[1]} at {self.place[0]} has no baseline in {unit.name} to grow from."
            raise PlanError([Fault(growth.row.where, what, "Give the growth as %, or use an effect of the kind add.")])
        if in_beds == self.counted_in_beds:
            return self.base.base
        units = self.base_units(case, days)
        return units * self.beds_per_unit(case, days) if in_beds else units


@dataclass
class PoolEffect:
    """An effect on a pool."""

    scheme: Scheme
    row: Row
    figure: Figure
    ramp: Array
    own_driver: str
    """Driver of the effect's own distribution, as a multiple of the planned size; "" takes the scheme's share."""
    fraction: float = 0.0
    """Share of the pool the effect removes at its full planned size."""
    scale: float = 1.0
    """What a scenario does to the size."""

    @property
    def key(self) -> str:
        return f"{self.scheme.id}.{self.row.id}"

    @property
    def shortens(self) -> bool:
        return bool(self.row["kind"] == "shorten")

    @property
    def in_beds(self) -> bool:
        return self.shortens or self.figure.unit.name in _BED_UNITS

    def amount(self, case: Case, delivery: Delivery) -> Array:
        """How many times the full planned effect is in place; shape (year, run)."""
        name = self.scheme.id
        share = delivery.size(case, name, self.own_driver)
        return np.asarray(
            delayed(self.ramp, delivery.delay[name]) * (share * delivery.delivered[name] * self.scale)[None, :]
        )


def effect_figure(plan: Plan, scheme: Scheme, row: Row) -> Figure:
    """The size of an effect as a figure with its source."""
    column = next(name for name in ("size", "likely", "p10") if row[name] is not None)
    figure = plan["effects"].figure(row, column)
    source = row["source"] or scheme.row["source"] or ""
    where = row["where"] or scheme.row["where"] or ""
    return replace(figure, id=f"effects.{scheme.id}.{row.id}", value=planned_size(row), source=source, where=where)


def own_distribution(row: Row, drivers: Drivers, scheme: Scheme) -> str:
    """Register the effect's own distribution, as multiples of its planned size; "" if it has none."""
    size = planned_size(row)
    if row["size"] is not None or size == 0:
        return ""
    # Sorted, for a fall in staff has a negative size.
    if row["likely"] is not None:
        low, high = sorted((row["low"] / size, row["high"] / size))
        spread = Distribution.triangular(low, 1.0, high)
    else:
        spread = Distribution.normal(*sorted((row["p10"] / size, row["p90"] / size)))
    known = (f"scheme:{scheme.id}", f"class:{scheme.row['delivery']}")
    return drivers.add(f"effect:{scheme.id}.{row.id}:size", spread, 1.0, f"{scheme.name}: size of {row.id}", *known)


@dataclass
class Moved:
    """What one effect takes from its pool; arrays of shape (year, run), not negative when something is removed."""

    effect: PoolEffect
    pool: Pool
    units: Array
    beds: Array


@dataclass
class ActivityResult:
    """Activity in some runs."""

    activity: Lines
    beds: Lines
    moved: dict[str, Moved]
    arrivals: list[tuple[PoolEffect, Pool, Array]]
    """Work that appears elsewhere: effect, pool it appears in, units (year, run)."""
    volume: dict[Place, Array]
    """Do-nothing activity over the base year's, by pool."""
    added: dict[str, Moved] = field(default_factory=dict)
    """What effects of the kind ``add`` put there, by effect."""

    def change(self, key: str) -> Moved:
        """What an effect takes away, or puts there."""
        return self.moved[key] if key in self.moved else self.added[key]


def _by_place(rows: Iterable[Row]) -> Mapping[tuple[str | None, str | None], list[Row]]:
    """Rows by the organisation and point of delivery they name."""
    found: dict[tuple[str | None, str | None], list[Row]] = {}
    for row in rows:
        found.setdefault((row["organisation"], row["pod"]), []).append(row)
    return found


def _most_particular(rows: Mapping[tuple[str | None, str | None], list[Row]], place: Place) -> list[Row]:
    """The rows that name the place most particularly: both, the point of delivery, the organisation, or neither."""
    organisation, pod = place
    tried = ((organisation, pod), (None, pod), (organisation, None), (None, None))
    return next((rows[key] for key in tried if key in rows), [])


def full_moves(plan: Plan, published: ActivityResult) -> Mapping[str, tuple[float, float]]:
    """Units and beds each effect takes away (or adds) at its full size, from the published case in the year it is full."""
    full: dict[str, tuple[float, float]] = {}
    for key, moved in (published.moved | published.added).items():
        year = plan.years.index(moved.effect.row["by"] or plan.years[-1])
        part = float(moved.effect.ramp[year])
        full[key] = (float(moved.units[year, 0]) / part, float(moved.beds[year, 0]) / part)
    return full


class ActivityModel:
    """The pools of a plan and the effects of its schemes on them."""

    def __init__(self, plan: Plan, overlay: Overlay, drivers: Drivers, plain: ActivityModel | None = None) -> None:
        """``plain`` is the model of the plan without scenarios, from which one under scenarios takes what its schemes are worth."""
        self.plan, self.overlay, self.drivers = plan, overlay, drivers
        self.days = overlay.parameter(plan, "days-in-year", 365.0, "days")
        self.rates = Rates(plan, overlay, drivers)
        self._growth = _by_place(row for row in plan["growth"] if row["measure"] in ("activity", "beds"))
        self._counted: dict[str, Place] = {}
        self._shares = _by_place(row for row in plan["rates"] if row["measure"] == "age-share")
        self._population: dict[str, dict[str, Growth]] = {}
        for row in plan["growth"]:
            if row["measure"] == "population":
                its = self._population.setdefault(row["organisation"] or "", {})
                if its.setdefault(row["band"] or "all", growth := growth_of(plan, overlay, drivers, row)) is not growth:
                    raise PlanError(
                        [
                            Fault(
                                row.where,
                                f"Population growth of {row['band'] or 'all ages'} is given twice.",
                                "Keep one row.",
                            )
                        ]
                    )
        self.pools: dict[Place, Pool] = {}
        self._add_pools()
        self.full: Mapping[str, tuple[float, float]] = {}
        """Units and beds each effect takes away at its full size in the plan's own published case; set by the system."""
        self.effects: dict[str, PoolEffect] = {}
        self._add_effects()
        # A scheme means the same share of activity in every scenario: the one the plan's own published case gives.
        for pool in self.pools.values():
            if pool.growth is not None and pool.base is not None and pool.growth.total_of == "units":
                driver = drivers.by_name[pool.growth.driver]
                _refuse_fall(pool.growth.row, min(driver.planned, driver.distribution.low), -pool.base.base)
        for pool in self.pools.values():
            if plain is None:
                self._calibrate(pool)
            else:
                for effect in pool.effects:
                    effect.fraction = plain.effects[effect.key].fraction
                    self._refuse_scale(effect)

    def _refuse_scale(self, effect: PoolEffect) -> None:
        """Refuse a scenario that makes an effect so large that nothing would be left."""
        change = self.overlay.schemes.get(effect.scheme.id)
        if change is not None and change.scale > 1 and effect.fraction * change.scale >= 1:
            raise PlanError(
                [
                    Fault(
                        effect.row.where,
                        f"At {change.scale:g} times its size, {effect.key} would remove more than there is.",
                        f"Keep the scenario's scale under {1 / effect.fraction:.3g}.",
                    )
                ]
            )

    @cached_property
    def _persons(self) -> Mapping[str, float]:
        """Persons of the footprint by age band: of the base year where the plan has them, otherwise of the first period."""
        kinds = {row.id: row["kind"] for row in self.plan["localities"]}
        found: dict[str, Row] = {}
        for row in self.plan["population"]:
            if kinds[row["area"]] != "footprint":
                continue
            best = found.setdefault(row["band"], row)
            base = str(self.plan.base_year)
            if (row["period"] != base, row["period"], row.id) < (best["period"] != base, best["period"], best.id):
                found[row["band"]] = row
        return {band: row["value"] for band, row in sorted(found.items())}

    # -- compiling -------------------------------------------------------------------------------------------------

    def _add_pools(self) -> None:
        base = str(self.plan.base_year)
        for row in self.plan["activity"]:
            if row["group"] is None and row["year"] == base:
                self._pool((row["organisation"], row["pod"]), figure_of(self.plan, "activity", row), False, row)
        for row in self.plan["beds"]:
            if row["pod"] and not row["site"] and row["year"] == base:
                place = (row["organisation"], row["pod"])
                known = self.pools.get(place)
                if known is None or known.counted_in_beds:
                    self._pool(place, figure_of(self.plan, "beds", row), True, row)
                elif not known.bedded:
                    what = f"{place[1]} at {place[0]} has activity and beds but no length of stay to turn one into the other."
                    raise PlanError(
                        [
                            Fault(
                                row.where,
                                what,
                                "Add length-of-stay and occupancy to tables/rates.csv, or leave one row out.",
                            )
                        ]
                    )

    def _pool(self, place: Place, base: Figure | None, in_beds: bool, row: Row | None) -> Pool:
        if place in self.pools:
            where = row.where if row is not None else ""
            raise PlanError(
                [Fault(where, f"{place[1]} at {place[0]} has two baselines.", "Keep one row without a group.")]
            )
        if base is not None:
            wanted = "beds" if in_beds else PODS[place[1]].unit
            if base.unit.dimension != UNITS[wanted].dimension:
                where = row.where if row is not None else ""
                raise PlanError(
                    [
                        Fault(
                            where, f"{place[1]} at {place[0]} is counted in {base.unit.name}.", f"Count it in {wanted}."
                        )
                    ]
                )
        organisation, pod = place
        growth = self._growth_at(place) if base is not None else None
        shares = {r["band"]: r["value"] * UNITS[r["unit"]].scale for r in _most_particular(self._shares, place)}
        pool = Pool(
            place,
            base,
            in_beds,
            growth,
            self._bands(organisation, shares),
            self.rates.get("length-of-stay", organisation, pod),
            self.rates.get("occupancy", organisation, pod) if PODS[pod].bedded else None,
            setting=(row["setting"] if row is not None and row["setting"] else PODS[pod].setting),
            service_model=(
                row["service_model"] if row is not None and row["service_model"] else PODS[pod].service_model
            ),
        )
        self.pools[place] = pool
        return pool

    def _growth_at(self, place: Place) -> Growth | None:
        rows = _most_particular(self._growth, place)
        if len(rows) > 1:
            raise PlanError(
                [
                    Fault(
                        rows[1].where,
                        f"{place[1]} at {place[0]} has two growths: {rows[0].id} and {rows[1].id}.",
                        "Keep one row.",
                    )
                ]
            )
        if not rows:
            return None
        growth = growth_of(self.plan, self.overlay, self.drivers, rows[0])
        first = self._counted.setdefault(rows[0].id, place)
        if growth.total_of == "units" and first != place:
            what = f"The growth {rows[0].id} is a count and would be added at {first[0]} and at {place[0]}."
            raise PlanError(
                [Fault(rows[0].where, what, "Name one organisation and point of delivery, or give it as %.")]
            )
        return growth

    def _bands(self, organisation: str, shares: Mapping[str, float]) -> tuple[tuple[float, Growth], ...]:
        by_band = self._population.get("", {}) | self._population.get(organisation, {})
        if not by_band:
            return ()
        if shares:
            return tuple((share, by_band[band]) for band, share in shares.items() if band in by_band and share > 0)
        if "all" in by_band:
            return ((1.0, by_band["all"]),)
        persons = {band: value for band, value in self._persons.items() if band in by_band}
        total = sum(persons.values())
        return tuple((value / total, by_band[band]) for band, value in persons.items()) if total else ()

    def _add_effects(self) -> None:
        for scheme in self.plan.schemes:
            for row in scheme.effects:
                if row["kind"] not in ("avoid", "shift", "shorten", "add"):
                    continue
                place = (row["organisation"][0], row["pod"])
                if place not in self.pools or self.pools[place].base is None:
                    if row["kind"] != "add":
                        raise PlanError(
                            [
                                Fault(
                                    row.where,
                                    f"{scheme.id} changes {place[1]} at {place[0]}, which has no baseline.",
                                    "Add a row to tables/activity.csv or tables/beds.csv.",
                                )
                            ]
                        )
                    if place not in self.pools:
                        self._pool(place, None, False, None)
                pool = self.pools[place]
                effect = PoolEffect(
                    scheme,
                    row,
                    effect_figure(self.plan, scheme, row),
                    ramp(self.plan, scheme, row),
                    own_distribution(row, self.drivers, scheme),
                )
                self._check_unit(pool, effect)
                kept = self.overlay.beds_kept.get(effect.key, 0.0)
                effect.scale = max(0.0, 1 - kept / effect.figure.value) if effect.figure.value else 1.0
                pool.effects.append(effect)
                self.effects[effect.key] = effect
                if row["becomes_pod"]:
                    target = (row["becomes_organisation"], row["becomes_pod"])
                    if target == place:
                        raise PlanError(
                            [
                                Fault(
                                    row.where, f"{effect.key} moves activity to where it already is.", "Change becomes."
                                )
                            ]
                        )
                    if target not in self.pools:
                        self._pool(target, None, False, None)
                    per_bed = row["per_bed"] is not None
                    if per_bed and not (pool.bedded and self.pools[target].bedded):
                        raise PlanError(
                            [
                                Fault(
                                    row.where,
                                    f"{effect.key} turns beds into beds where there are none.",
                                    "Add beds or a length of stay.",
                                )
                            ]
                        )

    def _check_unit(self, pool: Pool, effect: PoolEffect) -> None:
        name = effect.figure.unit.name
        allowed = ["%", *(_BED_UNITS if pool.bedded else ()), *(["days"] if effect.shortens and pool.stay else [])]
        if not effect.shortens:
            allowed.append(pool.unit)
        if effect.shortens and not pool.bedded:
            raise PlanError(
                [
                    Fault(
                        effect.row.where,
                        f"{effect.key} shortens a stay where there are no beds.",
                        "Add beds or a length of stay.",
                    )
                ]
            )
        if name not in allowed or (name == "%" and effect.row["kind"] == "add"):
            raise PlanError(
                [
                    Fault(
                        effect.row.where,
                        f"The unit of {effect.key} is {name}.",
                        f"For {pool.place[1]} at {pool.place[0]} use {', '.join(allowed)}.",
                    )
                ]
            )

    def _calibrate(self, pool: Pool) -> None:
        """Turn sizes in units, beds or days into the shares that give exactly those attributions in the published case.

        Solves, for the logarithms x of what is left of activity and y of what is left of the stay,
        ``x = ln(1 - shares) - sum(size / log mean)`` and the like; with sizes in beds alone this is ``ln(1 - total / do-nothing beds)``.
        """
        active = [effect for effect in pool.effects if effect.row["kind"] != "add"]
        for effect in active:
            if effect.figure.unit.name == "%":
                effect.fraction = effect.figure.base
        sized = [effect for effect in active if effect.figure.unit.name != "%"]
        if not sized:
            return
        years = self.plan.years
        last = max(years.index(effect.row["by"] or years[-1]) for effect in sized)
        case = self.drivers.published_case()
        units, beds, stay = self._levels(pool, case, last)
        # What the ramps have in place that year: normally all of it.
        part = {effect.key: float(effect.ramp[last]) for effect in active}
        sums = {"units": 0.0, "beds": 0.0, "stay_beds": 0.0, "days": 0.0}
        for effect in sized:
            kind = effect.figure.unit.name
            size = effect.figure.value * part[effect.key]
            if kind in _BED_UNITS:
                sums["stay_beds" if effect.shortens else "beds"] += size
            else:
                sums["days" if kind == "days" else "units"] += size
        self._refuse_too_much(pool, sized, sums, units, beds, stay)
        shares = [0.0, 0.0]
        for effect in active:
            if effect.figure.unit.name == "%":
                shares[effect.shortens] += float(np.log1p(-min(effect.fraction * part[effect.key], 1 - SMALLEST)))

        def mean(start: float, log: float) -> float:
            return start if abs(log) < 1e-12 or not start else float(start * np.expm1(log) / log)

        def wanted(x: float, y: float) -> tuple[float, float]:
            by_beds = mean(beds, x + y) if beds else 1.0
            by_stay = mean(stay, y) if stay else 1.0
            return (
                shares[0] - sums["units"] / mean(units, x) - sums["beds"] / by_beds,
                shares[1] - sums["days"] / by_stay - sums["stay_beds"] / by_beds,
            )

        # Each round lowers both, towards what solves them; the solver then does what is left.
        x, y = shares
        for _ in range(40):
            x, y = (max(value, _LEAST_LEFT) for value in wanted(x, y))
        solved = root(  # type: ignore[no-untyped-call]
            lambda unknown: unknown - np.array(wanted(*np.clip(unknown, _LEAST_LEFT, 0.0))), np.array([x, y]), tol=1e-14
        )
        x, y = map(float, np.clip(solved.x, _LEAST_LEFT, 0.0))
        # Near the limit of the machine's precision the solver may report no further progress: what counts is what is left over.
        if max(abs(x - wanted(x, y)[0]), abs(y - wanted(x, y)[1])) > 1e-9 * max(1.0, abs(x), abs(y)):
            what = f"The effects on {pool.place[1]} at {pool.place[0]} together remove more than there is."
            raise PlanError([Fault(sized[-1].row.where, what, "Lower a size.")])
        for effect in sized:
            kind = effect.figure.unit.name
            by = mean(beds, x + y) if kind in _BED_UNITS else mean(stay, y) if kind == "days" else mean(units, x)
            full = part[effect.key]
            effect.fraction = float(-np.expm1(-effect.figure.value * full / by)) / full if full else 0.0

    def _levels(self, pool: Pool, case: Case, year: int) -> tuple[float, float, float]:
        """Do-nothing units, beds and length of stay of a year in the published case."""
        index = pool.grown(self.plan, case, self.days)[1]
        units = float(pool.base_units(case, self.days)[0] * index[year, 0])
        beds = units * float(pool.beds_per_unit(case, self.days)[0]) if pool.bedded else 0.0
        return units, beds, float(pool.stay.at(case)[0]) if pool.stay is not None else 0.0

    def _refuse_too_much(
        self, pool: Pool, sized: list[PoolEffect], sums: Mapping[str, float], units: float, beds: float, stay: float
    ) -> None:
        too_much = (
            sums["units"] >= units
            or (beds > 0 and sums["beds"] + sums["stay_beds"] >= beds)
            or (stay > 0 and sums["days"] >= stay)
        )
        if too_much:
            named = ", ".join(effect.key for effect in sized)
            raise PlanError(
                [
                    Fault(
                        sized[-1].row.where,
                        f"The effects on {pool.place[1]} at {pool.place[0]} ({named}) would remove more than there is "
                        f"({units:,.0f} {pool.unit}" + (f", {beds:,.0f} beds)." if beds else ")."),
                        "Lower a size.",
                    )
                ]
            )

    def refuse_following_nothing(self) -> None:
        """Refuse money or staff that follow an effect that takes nothing away: what part of them is released has no answer."""
        for scheme in self.plan.schemes:
            for row in scheme.effects:
                key = f"{scheme.id}.{row['follows']}"
                if not row["follows"] or row["per"] == "unit":
                    continue
                if key not in self.effects:
                    what = f"{scheme.id}.{row.id} follows {row['follows']}, which changes no activity."
                    raise PlanError([Fault(row.where, what, "Follow an effect on activity or beds.")])
                if self.full[key][1 if self.effects[key].in_beds else 0] <= 0:
                    what = f"{scheme.id}.{row.id} follows {row['follows']}, which changes nothing as planned."
                    raise PlanError([Fault(row.where, what, "Give that effect a size, or leave out follows.")])

    def released(self, result: ActivityResult, key: str) -> Array:
        """How much of an effect is in place, over its full size in the plan's own published case; shape (year, run).

        Counted as the effect is: in beds where its size is, so that money for beds does not move with the length of stay.
        """
        change = result.change(key)
        units, beds = self.full[key]
        return change.beds / beds if change.effect.in_beds else change.units / units

    # -- running ---------------------------------------------------------------------------------------------------

    def evaluate(self, case: Case, delivery: Delivery) -> ActivityResult:
        result = ActivityResult(Lines(), Lines(), {}, [], {})
        added: dict[Place, list[tuple[PoolEffect, Array]]] = {}
        per_bed = {place: pool.beds_per_unit(case, self.days) for place, pool in self.pools.items() if pool.bedded}
        for place, pool in self.pools.items():
            self._do_nothing(pool, case, per_bed.get(place), result)
            self._remove(pool, case, delivery, per_bed.get(place), result)
        for moved in result.moved.values():
            row = moved.effect.row
            if row["becomes_pod"]:
                target = (row["becomes_organisation"], row["becomes_pod"])
                if row["per_bed"] is not None:
                    units = moved.beds * row["per_bed"] / per_bed[target][None, :]
                else:
                    units = moved.units * row["per_unit"]
                added.setdefault(target, []).append((moved.effect, units))
                result.arrivals.append((moved.effect, self.pools[target], units))
        for place, pool in self.pools.items():
            for effect in pool.effects:
                if effect.row["kind"] == "add":
                    amount = effect.amount(case, delivery) * effect.figure.value
                    units = amount / per_bed[place][None, :] if effect.figure.unit.name in _BED_UNITS else amount
                    beds = units * per_bed[place][None, :] if place in per_bed else np.zeros_like(units)
                    result.added[effect.key] = Moved(effect, pool, units, beds)
                    added.setdefault(place, []).append((effect, units))
            for effect, units in added.get(place, []):
                here = effect.row["kind"] == "add"
                ground = Ground(
                    f"{effect.scheme.name} adds this."
                    if here
                    else f"Work that appears here because of {effect.scheme.name}.",
                    (effect.figure,),
                    () if here else (effect.key,),
                )
                labels = self._labels(pool) | {
                    "scheme": effect.scheme.id,
                    "theme": effect.scheme.row["theme"],
                    "kind": "arrival",
                }
                key = f"{effect.key}>{place[0]}.{place[1]}"
                result.activity.add(key, units, ground, pool.unit, line=effect.scheme.name, **labels)
                if place in per_bed:
                    result.beds.add(key, units * per_bed[place][None, :], ground, line=effect.scheme.name, **labels)
        return result

    def _labels(self, pool: Pool) -> dict[str, str]:
        organisation, pod = pool.place
        sector = self.plan["organisations"].by_id[organisation]["sector"]
        return {
            "organisation": organisation,
            "pod": pod,
            "setting": pool.setting,
            "service_model": pool.service_model,
            "sector": sector,
        }

    def _do_nothing(self, pool: Pool, case: Case, per_bed: Array | None, result: ActivityResult) -> None:
        demographic, whole = pool.grown(self.plan, case, self.days)
        result.volume[pool.place] = whole
        if pool.base is None:
            return
        base = pool.base_units(case, self.days)
        labels = self._labels(pool)
        steady = np.broadcast_to(base, whole.shape)
        grounds = [pool.base] + ([pool.stay.figure] if pool.counted_in_beds and pool.stay else [])
        name = f"{pool.place[0]}.{pool.place[1]}"
        ground = Ground(
            "Baseline"
            + (" turned from beds by length of stay and occupancy" if pool.counted_in_beds and pool.stay else ""),
            tuple(grounds),
        )
        result.activity.add(f"{name}:base", steady, ground, pool.unit, line="Baseline", kind="base", **labels)
        worked = () if pool.counted_in_beds else tuple(rate.figure for rate in (pool.stay, pool.occupancy) if rate)
        how = "Baseline beds" if pool.counted_in_beds else "Baseline activity x length of stay / (days x occupancy)"
        bed_ground = Ground(how, (pool.base, *worked))
        if per_bed is not None:
            result.beds.add(
                f"{name}:base", steady * per_bed[None, :], bed_ground, line="Baseline", kind="base", **labels
            )
        logs = np.stack([np.log(demographic), np.log(whole / demographic)])
        parts = contributions(base[None, :], logs)
        stated = (pool.growth.figure,) if pool.growth is not None else ()
        people = tuple(growth.figure for _, growth in pool.bands)
        for kind, part, figures, how in (
            ("demographic growth", parts[0], people, "Population by age band, at the age band's share of the activity"),
            ("other growth", parts[1], stated + people, "Do-nothing growth less what population explains"),
        ):
            if not figures or (kind == "other growth" and pool.growth is None):
                continue
            ground = Ground(how, (*figures, pool.base))
            line = kind.capitalize()
            result.activity.add(f"{name}:{kind}", part, ground, pool.unit, line=line, kind=kind, **labels)
            if per_bed is not None:
                result.beds.add(f"{name}:{kind}", part * per_bed[None, :], ground, line=line, kind=kind, **labels)

    def _remove(
        self, pool: Pool, case: Case, delivery: Delivery, per_bed: Array | None, result: ActivityResult
    ) -> None:
        active = [effect for effect in pool.effects if effect.row["kind"] != "add"]
        if not active or pool.base is None:
            return
        logs = np.stack(
            [np.log(np.maximum(1 - effect.fraction * effect.amount(case, delivery), SMALLEST)) for effect in active]
        )
        do_nothing = pool.base_units(case, self.days)[None, :] * result.volume[pool.place]
        on_units = np.array([0.0 if effect.shortens else 1.0 for effect in active])[:, None, None]
        units = contributions(do_nothing, logs * on_units)
        beds = contributions(do_nothing * per_bed[None, :], logs) if per_bed is not None else np.zeros_like(units)
        labels = self._labels(pool)
        for position, effect in enumerate(active):
            result.moved[effect.key] = Moved(effect, pool, -units[position], -beds[position])
            ground = Ground(
                f"{effect.scheme.name}: takes {effect.fraction:.2%} of what is left when in full "
                f"({effect.figure.value:,g} {effect.figure.unit.name} as planned)",
                (effect.figure,),
            )
            # The service model stays the activity's own: what is removed is taken off where it was counted.
            its = labels | {"scheme": effect.scheme.id, "theme": effect.scheme.row["theme"], "kind": effect.row["kind"]}
            if not effect.shortens:
                result.activity.add(effect.key, units[position], ground, pool.unit, line=effect.scheme.name, **its)
            if per_bed is not None:
                result.beds.add(effect.key, beds[position], ground, line=effect.scheme.name, **its)
