"""The bed and gap arithmetic of a plan written again, plainly: one run after another, one number at a time.

It is the peer of the benchmark and a check on the model: it reads the same tables, but shares none of the model's code and none of its
draws. It knows what a system plan like the shipped one uses: pools counted in beds or activity, growth in beds or by age, sizes in beds,
activity or money, money that follows an effect, work that moves or replaces, common causes, delays and requirements.
"""

from __future__ import annotations

import math
import random
import time
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from statistics import NormalDist

from bettercare.plan import Plan, Row, Scheme

NORMAL = NormalDist()
POUNDS = {"GBP m": 1e6, "GBP k": 1e3, "GBP": 1.0}
ACTIVITY = ("avoid", "shift", "shorten")


@dataclass
class PlainModel:
    """A plan, run as a spreadsheet with a loop would run it."""

    plan: Plan
    seconds_each: float = 0.0
    beds: list[float] = field(default_factory=list)
    """Acute beds of the last year in each run."""
    gaps: list[float] = field(default_factory=list)
    """Gap of the last year in each run, GBP."""
    reference: dict[tuple[str, str], float] = field(default_factory=dict)
    full: dict[str, tuple[float, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        plan = self.plan
        self.years = [int(year[:4]) for year in plan.years]
        self.classes = {row.id: row for row in plan["delivery"]}
        self.rates: dict[tuple[str, str], Row] = {}
        self.ages: dict[tuple[str, str], dict[str, float]] = {}
        for row in plan["rates"]:
            place = (row["organisation"] or "", row["pod"] or "")
            if row["measure"] == "age-share":
                self.ages.setdefault(place, {})[row["band"]] = row["value"] / 100
            else:
                self.rates[row["measure"], *place] = row
        self.population = {row["band"]: row for row in plan["growth"] if row["measure"] == "population"}
        self.growth = {
            (row["organisation"], row["pod"]): row for row in plan["growth"] if row["measure"] in ("beds", "activity")
        }
        base = plan.years[0]
        self.pools: dict[tuple[str, str], tuple[float, bool]] = {}
        for row in plan["activity"]:
            if row["year"] == base and not row["group"]:
                self.pools[row["organisation"], row["pod"]] = (row["value"], False)
        for row in plan["beds"]:
            if row["year"] == base and row["pod"] and not row["site"]:
                self.pools.setdefault((row["organisation"], row["pod"]), (row["value"], True))
        self.spend = {
            row["organisation"]: row["value"] * 1e6 for row in plan["spend"] if row["category"] == "Base cost"
        }
        self.order: list[Scheme] = []
        while len(self.order) < len(plan.schemes):
            done = {scheme.id for scheme in self.order}
            self.order += [s for s in plan.schemes if s.id not in done and set(s.requires) <= done]
        self.effects = [(s, e) for s in plan.schemes for e in s.effects]
        self.fractions = self._fractions()
        self.as_planned = self._one(None)[:2]

    # -- pieces ----------------------------------------------------------------------------------------------------

    def _draw(self, rng: random.Random | None, causes: dict[str, float], *names: str) -> float:
        """A level between 0 and 1 of a driver known by these names."""
        assert rng is not None
        loads = {
            r["cause"]: r["loading"]
            for r in self.plan["common_causes"]
            if any(fnmatchcase(n, r["driver"]) for n in names)
        }
        for cause in loads:
            causes.setdefault(cause, rng.gauss(0, 1))
        own = math.sqrt(1 - sum(load**2 for load in loads.values())) * rng.gauss(0, 1)
        return NORMAL.cdf(own + sum(load * causes[cause] for cause, load in loads.items()))

    @staticmethod
    def _triangle(level: float, low: float, likely: float, high: float) -> float:
        if low >= high:
            return likely
        turn = (likely - low) / (high - low)
        if level < turn:
            return low + math.sqrt(level * (high - low) * (likely - low))
        return high - math.sqrt((1 - level) * (high - low) * (high - likely))

    def _varied(self, rng: random.Random | None, causes: dict[str, float], row: Row, *names: str) -> float:
        if rng is None or row["low"] is None:
            return float(row["value"])
        return self._triangle(self._draw(rng, causes, *names), row["low"], row["value"], row["high"])

    def _rate(self, values: dict[str, float], measure: str, place: tuple[str, str]) -> float | None:
        for name in (place, ("", place[1]), (place[0], ""), ("", "")):
            row = self.rates.get((measure, *name))
            if row is not None:
                return values[row.id]
        return None

    def _ramp(self, scheme: Scheme, effect: Row, year: int) -> float:
        if year < self.years[0]:
            return 0.0
        if effect["ramp"]:
            known = {int(name[:4]): share for name, share in effect["ramp"]}
            before = [y for y in known if y <= year]
            after = [y for y in known if y >= year]
            if not before:
                return 0.0
            one, two = max(before), min(after) if after else max(before)
            return known[one] if two <= one else known[one] + (known[two] - known[one]) * (year - one) / (two - one)
        start = int((scheme.row["starts"] or str(self.plan.first_year))[:4])
        full = int((effect["by"] or str(self.plan.last_year))[:4])
        return min(1.0, max(0.0, (year - start + 1) / (full - start + 1)))

    def _fractions(self) -> dict[str, float]:
        """Shares that give the stated sizes when everything happens: from the logarithmic mean of what there was and what is left."""
        values = {row.id: row["value"] for row in self.rates.values()}
        grown = self._do_nothing(None, {}, values)
        found: dict[str, float] = {}
        for place, (units, beds) in grown.items():
            its = [
                (s, e) for s, e in self.effects if e["kind"] in ACTIVITY and (e["organisation"][0], e["pod"]) == place
            ]
            if not its:
                continue
            whole = beds[-1] if its[0][1]["unit"] == "beds" else units[-1]
            sizes = {f"{s.id}.{e.id}": e["size"] or e["likely"] for s, e in its}
            total = sum(sizes.values())
            mean = total / math.log(whole / (whole - total))
            found |= {key: 1 - math.exp(-size / mean) for key, size in sizes.items()}
        return found

    def _do_nothing(
        self, rng: random.Random | None, causes: dict[str, float], values: dict[str, float]
    ) -> dict[tuple[str, str], tuple[list[float], list[float]]]:
        """Activity and beds of each year if nothing is done."""
        people = {
            band: self._varied(rng, causes, row, f"growth:{row.id}", row.id) / 100
            for band, row in self.population.items()
        }
        result = {}
        for place, (base, in_beds) in self.pools.items():
            stay, full = self._rate(values, "length-of-stay", place), self._rate(values, "occupancy", place)
            per_unit = stay / (365 * full / 100) if stay and full else 0.0
            row = self.growth.get(place)
            size = self._varied(rng, causes, row, f"growth:{row.id}", row.id) if row is not None else 0.0
            units = []
            for year in self.years:
                if row is not None:
                    start, end = int(row["from"][:4]), int(row["to"][:4])
                    total = size / base if row["unit"] == "beds" else size / 100
                    times = (1 + total) ** ((year - start) / (end - start))
                else:
                    times = 1.0
                    shares = self.ages.get(place) or self.ages.get(("", place[1])) or {}
                    for band, grown in people.items():
                        start, end = int(self.population[band]["from"][:4]), int(self.population[band]["to"][:4])
                        times += shares.get(band, 0.0) * ((1 + grown) ** ((year - start) / (end - start)) - 1)
                units.append((base / per_unit if in_beds else base) * times)
            result[place] = (units, [count * per_unit for count in units])
        return result

    # -- a run -----------------------------------------------------------------------------------------------------

    def _one(self, rng: random.Random | None) -> tuple[float, float, dict[str, tuple[float, float]]]:
        """Acute beds and gap in the last year of one run (all as planned without ``rng``), and what each effect took in that year."""
        causes: dict[str, float] = {}
        values = {row.id: self._varied(rng, causes, row, f"rate:{row.id}") for row in self.rates.values()}
        grown = self._do_nothing(rng, causes, values)
        sizes, late = self._delivered(rng, causes)
        taken: dict[str, tuple[float, float]] = {}
        acute = 0.0
        for place, (units, beds) in grown.items():
            left = stay = 1.0
            its = []
            for scheme, effect in self.effects:
                if effect["kind"] in ACTIVITY and (effect["organisation"][0], effect["pod"]) == place:
                    key = f"{scheme.id}.{effect.id}"
                    part = sizes[key] * self._ramp(scheme, effect, self.years[-1] - late[scheme.id])
                    factor = 1 - self.fractions[key] * part
                    its.append((key, math.log(factor), effect["kind"] == "shorten"))
                    left, stay = (left, stay * factor) if effect["kind"] == "shorten" else (left * factor, stay)
            for key, log, shortens in its:
                mean_units = units[-1] * ((left - 1) / math.log(left) if left < 1 else 1.0)
                mean_beds = beds[-1] * ((left * stay - 1) / math.log(left * stay) if left * stay < 1 else 1.0)
                taken[key] = (0.0 if shortens else -log * mean_units, -log * mean_beds)
            if self.plan["organisations"].by_id[place[0]]["kind"] == "acute-provider":
                acute += beds[-1] * left * stay
        if not self.reference:
            self.reference = {place: units[-1] / units[0] for place, (units, _) in grown.items()}
            self.full = taken
        gap = self._gap_before_schemes(rng, causes, values, grown)
        gap += self._gap_of_schemes(rng, causes, values, taken, sizes, late)
        return acute, gap, taken

    def _delivered(
        self, rng: random.Random | None, causes: dict[str, float]
    ) -> tuple[dict[str, float], dict[str, int]]:
        """How much of its size each effect reaches (nothing where its scheme is not delivered), and how late each scheme is."""
        sizes: dict[str, float] = {}
        done: dict[str, bool] = {}
        late: dict[str, int] = {}
        for scheme in self.order:
            row = self.classes[scheme.row["delivery"]]
            names = (f"scheme:{scheme.id}", f"class:{row.id}")
            share, done[scheme.id], late[scheme.id] = 1.0, True, 0
            if rng is not None:
                level = self._draw(rng, causes, f"scheme:{scheme.id}:size", *names)
                share = self._triangle(level, row["low"], row["likely"], row["high"])
                done[scheme.id] = (
                    1 - self._draw(rng, causes, f"scheme:{scheme.id}:delivery", *names) < row["probability"]
                )
                luck = 1 - self._draw(rng, causes, f"scheme:{scheme.id}:delay", *names)
                late[scheme.id] = int(luck >= row["on_time"]) + int(luck >= row["on_time"] + row["year_late"])
            for other in scheme.requires:
                done[scheme.id] = done[scheme.id] and done[other]
                late[scheme.id] = max(late[scheme.id], late[other])
            for effect in scheme.effects:
                size = 1.0 if effect["kind"] == "invest" else share
                if rng is not None and effect["likely"] is not None:
                    level = self._draw(rng, causes, f"effect:{scheme.id}.{effect.id}:size", *names)
                    size = self._triangle(level, effect["low"], effect["likely"], effect["high"]) / effect["likely"]
                sizes[f"{scheme.id}.{effect.id}"] = size if done[scheme.id] else 0.0
        return sizes, late

    def _gap_before_schemes(
        self,
        rng: random.Random | None,
        causes: dict[str, float],
        values: dict[str, float],
        grown: dict[tuple[str, str], tuple[list[float], list[float]]],
    ) -> float:
        last, gap = self.years[-1], 0.0
        for row in self.plan["growth"]:
            if row["measure"] not in ("cost", "funding"):
                continue
            size = self._varied(rng, causes, row, f"growth:{row.id}", row.id)
            start, end = int(row["from"][:4]), int(row["to"][:4])
            if row["measure"] == "funding":
                gap -= size * POUNDS[row["unit"]] * (last - start) / (end - start)
                continue
            base = self.spend[row["organisation"]]
            volume = 1.0
            for place, (units, _) in grown.items():
                price = self._rate(values, "unit-cost", place)
                if place[0] == row["organisation"] and price is not None:
                    volume += units[0] * price / base * (units[-1] / units[0] / self.reference[place] - 1)
            gap += base * (1 + size / 100) ** ((last - start) / (end - start)) * volume - base
        for row in self.plan["funding"]:
            amount = row["value"] * POUNDS[row["unit"]]
            if row["kind"] == "unallocated-pressure":
                gap += amount
            elif row["kind"] == "opening-position" or int(row["year"][:4]) == last:
                gap -= amount
        return gap

    def _gap_of_schemes(
        self,
        rng: random.Random | None,
        causes: dict[str, float],
        values: dict[str, float],
        taken: dict[str, tuple[float, float]],
        sizes: dict[str, float],
        late: dict[str, int],
    ) -> float:
        plan, last, gap = self.plan, self.years[-1], 0.0
        paid: dict[str, float] = {}
        for row in plan["investments"]:
            if int(row["year"][:4]) == last:
                amount = row["value"] * POUNDS[row["unit"]]
                gap += amount
                name = row["theme"] if row["programme"] == "strand" else row["scheme"]
                paid[name] = paid.get(name, 0.0) + amount
        over = plan["parameters"].by_id.get("capital-overrun")
        overrun = {}
        for programme in plan["capital_programmes"]:
            overrun[programme.id] = (
                self._varied(rng, causes, over, f"capital:{programme.id}", "capital") / 100 if over else 0.0
            )
        works: dict[str, float] = {}
        payers: dict[str, set[str]] = {}
        for scheme, effect in self.effects:
            key = f"{scheme.id}.{effect.id}"
            part = sizes[key] * self._ramp(scheme, effect, last - late[scheme.id]) if effect["kind"] != "build" else 0.0
            if effect["kind"] == "save" and effect["follows"]:
                followed = next(e for e in scheme.effects if e.id == effect["follows"])
                column, name = int(followed["unit"] == "beds"), f"{scheme.id}.{followed.id}"
                gap -= (
                    (effect["size"] or effect["likely"])
                    * POUNDS[effect["unit"]]
                    * taken[name][column]
                    / self.full[name][column]
                )
            elif effect["kind"] == "save":
                gap -= (effect["size"] or effect["likely"]) * POUNDS[effect["unit"]] * part
            elif effect["kind"] == "invest":
                built = [e["programme"] for e in scheme.effects if e["kind"] == "build"]
                times = 1 + sum(overrun[name] for name in built) / len(built) if built else 1.0
                gap += effect["size"] * POUNDS[effect["unit"]] * part * times
            elif effect["kind"] == "avoid" and effect["becomes_pod"]:
                price = self._rate(values, "unit-cost", (effect["becomes_organisation"], effect["becomes_pod"]))
                if price is not None:
                    theme = scheme.row["theme"]
                    works[theme] = works.get(theme, 0.0) + taken[key][0] * effect["per_unit"] * price
                    payers.setdefault(theme, {theme}).add(scheme.id)
        for theme, cost in works.items():
            gap += max(0.0, cost - sum(paid.get(name, 0.0) for name in payers[theme]))
        return gap

    def run(self, runs: int, seed: int = 1) -> None:
        """Add runs."""
        rng = random.Random(seed)
        before = time.perf_counter()
        for _ in range(runs):
            beds, gap, _ = self._one(rng)
            self.beds.append(beds)
            self.gaps.append(gap)
        self.seconds_each = (time.perf_counter() - before) / runs
