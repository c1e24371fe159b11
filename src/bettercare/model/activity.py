"""Activity and beds: what is done if nothing changes, what schemes remove or add, and the beds that follow.

A *pool* is the activity of one organisation at one point of delivery. Do-nothing activity is the baseline times growth, of which the
demographic part follows population by age band. Effects multiply what is left by ``1 - fraction x delivered share``; what each removes
is attributed by the log mean Divisia index, so parts add exactly in every run and their order does not matter. Beds are
admissions x length of stay / (days in the year x occupancy).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from bettercare.errors import Fault, PlanError
from bettercare.model.attribution import SMALLEST, contributions
from bettercare.model.delivery import Delivery, delayed, ramp
from bettercare.model.drivers import Case, Distribution, Drivers
from bettercare.model.lines import Ground, Lines, figure_of
from bettercare.model.scenarios import Overlay
from bettercare.plan import Figure, Plan, Row, Scheme
from bettercare.vocabulary import PODS, UNITS, FinancialYear

Array = NDArray[np.float64]
Place = tuple[str, str]
"""An organisation and a point of delivery."""

_BED_UNITS = ("beds", "virtual beds")


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

    def get(self, measure: str, organisation: str, pod: str) -> Rate | None:
        key = (measure, organisation, pod)
        if key not in self._found:
            self._found[key] = self._look(*key)
        return self._found[key]

    def _look(self, measure: str, organisation: str, pod: str) -> Rate | None:
        best: tuple[int, Row] | None = None
        for row in self.plan["rates"]:
            if row["measure"] != measure or row["organisation"] not in (None, organisation) or row["pod"] not in (None, pod):
                continue
            rank = 2 * (row["pod"] is not None) + (row["organisation"] is not None)
            if best is None or rank > best[0]:
                best = (rank, row)
        if best is None:
            return None
        row = best[1]
        figure = figure_of(self.plan, "rates", row)
        scale = figure.unit.scale
        value = self.overlay.value("rates", row) * scale
        driver = ""
        if row["low"] is not None and row["high"] is not None and ("rates", row.id) not in self.overlay.values:
            spread = Distribution.triangular(row["low"] * scale, value, row["high"] * scale)
            driver = self.drivers.add(f"rate:{row.id}", spread, value, f"Rate: {row.id}")
        elif value != figure.base:
            figure = Figure(**{**figure.__dict__, "value": value / scale})
        return Rate(row, figure, driver)


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
        steps = np.arange(len(plan.years))[:, None] - (start - plan.base_year)
        if self.total_of == "a year":
            yearly = np.log1p(np.maximum(value, -1 + SMALLEST))
        else:
            total = value if self.total_of == "total" else value / base
            yearly = np.log1p(np.maximum(total, -1 + SMALLEST)) / (end - start)
        return np.asarray(np.exp(np.maximum(steps, 0) * yearly))


def growth_of(plan: Plan, overlay: Overlay, drivers: Drivers, row: Row) -> Growth:
    """Growth from a row, its driver registered under the row's id."""
    figure = figure_of(plan, "growth", row)
    scale = figure.unit.scale
    value = overlay.value("growth", row) * scale
    moved = value - figure.base
    spread = Distribution.point(value)
    if row["low"] is not None and row["high"] is not None:
        # A scenario's value shifts the whole range, so that it changes the level and not how sure anyone is.
        spread = Distribution.triangular(row["low"] * scale + moved, value, row["high"] * scale + moved)
    name = drivers.add(f"growth:{row.id}", spread, value, f"Growth: {row.id}", row.id)
    kind = "a year" if figure.unit.name == "% a year" else "total" if figure.unit.dimension == () else "units"
    return Growth(row, figure, name, kind)


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

    def grown(self, plan: Plan, case: Case) -> tuple[Array, Array]:
        """Demographic index and whole do-nothing index; each shape (year, run)."""
        years = len(plan.years)
        demographic = np.zeros((years, case.runs))
        for share, growth in self.bands:
            demographic += share * growth.index(plan, case, 1.0)
        if not self.bands:
            demographic = np.ones((years, case.runs))
        if self.growth is None:
            return demographic, demographic
        base: float = self.base.base if self.base is not None else 1.0
        return demographic, self.growth.index(plan, case, base)


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

    def amount(self, case: Case, delivery: Delivery) -> Array:
        """How many times the full planned effect is in place; shape (year, run)."""
        name = self.scheme.id
        share = case[self.own_driver] if self.own_driver and not case.published else delivery.share[name]
        return np.asarray(delayed(self.ramp, delivery.delay[name]) * (share * delivery.delivered[name] * self.scale)[None, :])


def planned_size(row: Row) -> float:
    """The size the plan counts on: the size, the likeliest, or the middle of p10 and p90."""
    for name in ("size", "likely"):
        if row[name] is not None:
            return float(row[name])
    return float((row["p10"] + row["p90"]) / 2)


def effect_figure(plan: Plan, scheme: Scheme, row: Row) -> Figure:
    """The size of an effect as a figure with its source."""
    column = next(name for name in ("size", "likely", "p10") if row[name] is not None)
    figure = plan["effects"].figure(row, column)
    source = row["source"] or scheme.row["source"] or ""
    where = row["where"] or scheme.row["where"] or ""
    return Figure(**{**figure.__dict__, "id": f"effects.{scheme.id}.{row.id}", "value": planned_size(row), "source": source, "where": where})


def own_distribution(row: Row, drivers: Drivers, scheme: Scheme) -> str:
    """Register the effect's own distribution, as multiples of its planned size; "" if it has none."""
    size = planned_size(row)
    if row["size"] is not None or size == 0:
        return ""
    if row["likely"] is not None:
        spread = Distribution.triangular(row["low"] / size, 1.0, row["high"] / size)
    else:
        spread = Distribution.normal(row["p10"] / size, row["p90"] / size)
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


class ActivityModel:
    """The pools of a plan and the effects of its schemes on them."""

    def __init__(self, plan: Plan, overlay: Overlay, drivers: Drivers) -> None:
        self.plan, self.overlay, self.drivers = plan, overlay, drivers
        self.days = plan.parameter("days-in-year", 365.0)
        self.rates = Rates(plan, overlay, drivers)
        self.population = [
            growth_of(plan, overlay, drivers, row) for row in plan["growth"] if row["measure"] == "population" and not row["organisation"]
        ]
        self.pools: dict[Place, Pool] = {}
        self._add_pools()
        self.effects: dict[str, PoolEffect] = {}
        self._add_effects()
        for pool in self.pools.values():
            self._calibrate(pool)

    # -- compiling -------------------------------------------------------------------------------------------------

    def _add_pools(self) -> None:
        base = str(self.plan.base_year)
        for row in self.plan["activity"]:
            if row["group"] is None and row["year"] == base:
                self._pool((row["organisation"], row["pod"]), figure_of(self.plan, "activity", row), False, row)
        for row in self.plan["beds"]:
            if row["pod"] and not row["site"] and row["year"] == base:
                place = (row["organisation"], row["pod"])
                if place not in self.pools:
                    self._pool(place, figure_of(self.plan, "beds", row), True, row)

    def _pool(self, place: Place, base: Figure | None, in_beds: bool, row: Row | None) -> Pool:
        if place in self.pools:
            where = row.where if row is not None else ""
            raise PlanError([Fault(where, f"{place[1]} at {place[0]} has two baselines.", "Keep one row without a group.")])
        organisation, pod = place
        growth = None
        for candidate in self.plan["growth"]:
            if candidate["measure"] in ("activity", "beds") and candidate["pod"] == pod and candidate["organisation"] in (None, organisation):
                growth = growth_of(self.plan, self.overlay, self.drivers, candidate)
                break
        shares = {
            r["band"]: r["value"] * UNITS[r["unit"]].scale
            for r in self.plan["rates"]
            if r["measure"] == "age-share" and r["pod"] == pod and r["organisation"] in (None, organisation)
        }
        pool = Pool(
            place,
            base,
            in_beds,
            growth,
            self._bands(shares),
            self.rates.get("length-of-stay", organisation, pod),
            self.rates.get("occupancy", organisation, pod) if PODS[pod].bedded else None,
            setting=(row["setting"] if row is not None and row["setting"] else PODS[pod].setting),
            service_model=(row["service_model"] if row is not None and row["service_model"] else PODS[pod].service_model),
        )
        self.pools[place] = pool
        return pool

    def _bands(self, shares: Mapping[str, float]) -> tuple[tuple[float, Growth], ...]:
        if not self.population:
            return ()
        by_band = {growth.row["band"] or "all": growth for growth in self.population}
        if shares:
            return tuple((share, by_band[band]) for band, share in shares.items() if band in by_band and share > 0)
        if "all" in by_band:
            return ((1.0, by_band["all"]),)
        persons = {
            row["band"]: row["value"]
            for row in self.plan["population"]
            if row["band"] in by_band and self.plan["localities"].by_id[row["area"]]["kind"] == "footprint"
        }
        total = sum(persons.values())
        return tuple((value / total, by_band[band]) for band, value in persons.items()) if total else ()

    def _add_effects(self) -> None:
        for scheme in self.plan.schemes:
            for row in scheme.effects:
                if row["kind"] not in ("avoid", "shift", "shorten", "add"):
                    continue
                place = (row["organisation"][0], row["pod"])
                if place not in self.pools:
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
                        raise PlanError([Fault(row.where, f"{effect.key} moves activity to where it already is.", "Change becomes.")])
                    if target not in self.pools:
                        self._pool(target, None, False, None)
                    per_bed = row["per_bed"] is not None
                    if per_bed and not (pool.bedded and self.pools[target].bedded):
                        raise PlanError(
                            [Fault(row.where, f"{effect.key} turns beds into beds where there are none.", "Add beds or a length of stay.")]
                        )

    def _check_unit(self, pool: Pool, effect: PoolEffect) -> None:
        name = effect.figure.unit.name
        allowed = ["%", *(_BED_UNITS if pool.bedded else ()), *(["days"] if effect.shortens and pool.stay else [])]
        if not effect.shortens:
            allowed.append(pool.unit)
        if effect.shortens and not pool.bedded:
            raise PlanError([Fault(effect.row.where, f"{effect.key} shortens a stay where there are no beds.", "Add beds or a length of stay.")])
        if name not in allowed or (name == "%" and effect.row["kind"] == "add"):
            raise PlanError(
                [Fault(effect.row.where, f"The unit of {effect.key} is {name}.", f"For {pool.place[1]} at {pool.place[0]} use {', '.join(allowed)}.")]
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
        last = max(self.plan.years.index(effect.row["by"] or self.plan.years[-1]) for effect in sized)
        # The plan's own growth, not a scenario's: a scheme means the same share of activity in every scenario.
        case = Drivers(self.plan, 0)
        plain = Overlay()
        own = ActivityCalibration(self, pool, case, plain)
        units, beds, stay = own.levels(last)
        sums = {"units": 0.0, "beds": 0.0, "stay_beds": 0.0, "days": 0.0}
        for effect in sized:
            kind = effect.figure.unit.name
            if kind in _BED_UNITS:
                sums["stay_beds" if effect.shortens else "beds"] += effect.figure.value
            else:
                sums["days" if kind == "days" else "units"] += effect.figure.value
        self._refuse_too_much(pool, sized, sums, units, beds, stay)
        shares_x = sum(np.log1p(-min(e.fraction, 1 - SMALLEST)) for e in active if e.figure.unit.name == "%" and not e.shortens)
        shares_y = sum(np.log1p(-min(e.fraction, 1 - SMALLEST)) for e in active if e.figure.unit.name == "%" and e.shortens)

        def mean(start: float, log: float) -> float:
            return start if abs(log) < 1e-12 else float(start * np.expm1(log) / log)

        def gaps(unknown: Array) -> list[float]:
            x, y = float(unknown[0]), float(unknown[1])
            by_beds = mean(beds, x + y) if beds else 1.0
            return [
                x - shares_x + sums["units"] / mean(units, x) + sums["beds"] / by_beds,
                y - shares_y + sums["days"] / (mean(stay, y) if stay else 1.0) + sums["stay_beds"] / by_beds,
            ]

        start = np.array([shares_x - sums["units"] / units - (sums["beds"] / beds if beds else 0), shares_y])
        solved = root(gaps, start, tol=1e-13)
        # Near the limit of the machine's precision the solver may report no further progress: what counts is what is left over.
        if max(map(abs, gaps(solved.x))) > 1e-9:
            raise PlanError([Fault(sized[0].row.where, f"The effects on {pool.place[1]} at {pool.place[0]} together remove more than there is.")])
        x, y = map(float, solved.x)
        for effect in sized:
            kind = effect.figure.unit.name
            if kind in _BED_UNITS:
                by = mean(beds, x + y)
            elif kind == "days":
                by = mean(stay, y)
            else:
                by = mean(units, x)
            effect.fraction = float(-np.expm1(-effect.figure.value / by))

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
                    added.setdefault(place, []).append((effect, units))
            for effect, units in added.get(place, []):
                here = effect.row["kind"] == "add"
                ground = Ground(
                    f"{effect.scheme.name} adds this." if here else f"Work that appears here because of {effect.scheme.name}.",
                    (effect.figure,),
                    () if here else (effect.key,),
                )
                labels = self._labels(pool) | {"scheme": effect.scheme.id, "theme": effect.scheme.row["theme"], "kind": "arrival"}
                key = f"{effect.key}>{place[0]}.{place[1]}"
                result.activity.add(key, units, ground, pool.unit, line=effect.scheme.name, **labels)
                if place in per_bed:
                    result.beds.add(key, units * per_bed[place][None, :], ground, line=effect.scheme.name, **labels)
        return result

    def _labels(self, pool: Pool) -> dict[str, str]:
        organisation, pod = pool.place
        sector = self.plan["organisations"].by_id[organisation]["sector"]
        return {"organisation": organisation, "pod": pod, "setting": pool.setting, "service_model": pool.service_model, "sector": sector}

    def _do_nothing(self, pool: Pool, case: Case, per_bed: Array | None, result: ActivityResult) -> None:
        demographic, whole = pool.grown(self.plan, case)
        result.volume[pool.place] = whole
        if pool.base is None:
            return
        base = pool.base_units(case, self.days)
        labels = self._labels(pool)
        steady = np.broadcast_to(base, whole.shape)
        grounds = [pool.base] + ([pool.stay.figure] if pool.counted_in_beds and pool.stay else [])
        name = f"{pool.place[0]}.{pool.place[1]}"
        ground = Ground("Baseline" + (" turned from beds by length of stay and occupancy" if pool.counted_in_beds and pool.stay else ""), tuple(grounds))
        result.activity.add(f"{name}:base", steady, ground, pool.unit, line="Baseline", kind="base", **labels)
        bed_ground = Ground("Baseline beds" if pool.counted_in_beds else "Baseline activity x length of stay / (days x occupancy)", tuple(
            [pool.base, *([] if pool.counted_in_beds else [r.figure for r in (pool.stay, pool.occupancy) if r])]))  # fmt: skip
        if per_bed is not None:
            result.beds.add(f"{name}:base", steady * per_bed[None, :], bed_ground, line="Baseline", kind="base", **labels)
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
            ground = Ground(how, figures + (pool.base,))
            line = kind.capitalize()
            result.activity.add(f"{name}:{kind}", part, ground, pool.unit, line=line, kind=kind, **labels)
            if per_bed is not None:
                result.beds.add(f"{name}:{kind}", part * per_bed[None, :], ground, line=line, kind=kind, **labels)

    def _remove(self, pool: Pool, case: Case, delivery: Delivery, per_bed: Array | None, result: ActivityResult) -> None:
        active = [effect for effect in pool.effects if effect.row["kind"] != "add"]
        if not active or pool.base is None:
            return
        logs = np.stack([np.log(np.maximum(1 - effect.fraction * effect.amount(case, delivery), SMALLEST)) for effect in active])
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
            its = labels | {"scheme": effect.scheme.id, "theme": effect.scheme.row["theme"], "kind": effect.row["kind"]}
            if effect.scheme.row["service_model"]:
                its["service_model"] = effect.scheme.row["service_model"]
            if not effect.shortens:
                result.activity.add(effect.key, units[position], ground, pool.unit, line=effect.scheme.name, **its)
            if per_bed is not None:
                result.beds.add(effect.key, beds[position], ground, line=effect.scheme.name, **its)


@dataclass
class ActivityCalibration:
    """Do-nothing levels of a pool in the plan's own published case."""

    model: ActivityModel
    pool: Pool
    drivers: Drivers
    overlay: Overlay

    def levels(self, year: int) -> tuple[float, float, float]:
        """Do-nothing units, beds and length of stay in the year."""
        plan, pool = self.model.plan, self.pool
        organisation, pod = pool.place
        rates = Rates(plan, self.overlay, self.drivers)
        stay = rates.get("length-of-stay", organisation, pod)
        occupancy = rates.get("occupancy", organisation, pod) if pool.occupancy is not None else None
        growth = growth_of(plan, self.overlay, self.drivers, pool.growth.row) if pool.growth is not None else None
        bands = tuple((share, growth_of(plan, self.overlay, self.drivers, band.row)) for share, band in pool.bands)
        own = Pool(pool.place, pool.base, pool.counted_in_beds, growth, bands, stay, occupancy)
        case = self.drivers.published_case()
        _, index = own.grown(plan, case)
        units = float(own.base_units(case, self.model.days)[0] * index[year, 0])
        beds = units * float(own.beds_per_unit(case, self.model.days)[0]) if own.bedded else 0.0
        return units, beds, stay.figure.base if stay is not None else 0.0
