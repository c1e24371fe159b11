"""The answer: every measure of a run, and the questions planners ask of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.errors import BettercareError
from bettercare.model.capital import net_present_value, payback
from bettercare.model.explain import Node, leaf
from bettercare.model.lines import Line
from bettercare.model.measures import QUANTILES, Measure
from bettercare.model.quality import quality
from bettercare.model.scenarios import Scenario
from bettercare.model.system import System
from bettercare.plan import Figure, Plan

Array = NDArray[np.float64]

_START = {"gap": ("do-nothing",)}
_GROWTH = ("demographic growth", "other growth", "growth")


@dataclass(frozen=True, repr=False)
class Result:
    """What a run of a plan gives."""

    plan: Plan
    system: System
    seed: int
    runs: int
    scenarios: tuple[Scenario, ...]
    measures: Mapping[str, Measure]
    lines: Mapping[str, Sequence[Line]]
    sources: Mapping[str, Array]
    """The independent standard normal behind each driver and common cause in each run, shape (run,)."""

    def __repr__(self) -> str:
        under = ", under " + " and ".join(scenario.id for scenario in self.scenarios) if self.scenarios else ""
        return f"<run of {self.plan.id}: {self.runs:,} runs, seed {self.seed}{under}>"

    @property
    def years(self) -> tuple[str, ...]:
        return self.plan.years

    @property
    def gap(self) -> Measure:
        """Cost less funding, GBP: positive is a deficit. Kinds: do-nothing, saving, investment, community work, double running, funding."""
        return self.measures["gap"]

    @property
    def cost(self) -> Measure:
        """Cost by organisation, GBP."""
        return self.measures["cost"]

    @property
    def funding(self) -> Measure:
        """Money available, GBP."""
        return self.measures["funding"]

    @property
    def saving(self) -> Measure:
        """Gross savings by scheme, GBP a year."""
        return self.measures["saving"]

    @property
    def slippage(self) -> Measure:
        """Savings the plan counts on less savings as they come, GBP a year: positive is less or later than planned."""
        return self.measures["slippage"]

    @property
    def investment(self) -> Measure:
        """Investment by line and scheme, GBP."""
        return self.measures["investment"]

    @property
    def activity(self) -> Measure:
        """Activity by point of delivery, in its own unit; ask by="pod" or for one."""
        return self.measures["activity"]

    @property
    def avoided(self) -> Measure:
        """Activity that no longer happens where it did, by scheme and locality."""
        return self.measures["avoided"]

    @property
    def beds(self) -> Measure:
        """Beds needed."""
        return self.measures["beds"]

    @property
    def bed_days(self) -> Measure:
        """Occupied bed days a year."""
        return self.measures["bed_days"]

    @property
    def staff(self) -> Measure:
        """Whole-time equivalents that activity and money imply."""
        return self.measures["staff"]

    @property
    def capital(self) -> Measure:
        """Capital spend (positive) and disposals (negative), GBP."""
        return self.measures["capital"]

    @property
    def charges(self) -> Measure:
        """Capital charges worked out from the spend, GBP a year (beside what the plan states, which is in the gap)."""
        return self.measures["charges"]

    def measure(self, name: str) -> Measure:
        """A measure by name."""
        if name not in self.measures:
            raise BettercareError(f"There is no measure {name!r}.", remedy=f"Measures: {', '.join(self.measures)}.")
        return self.measures[name]

    # -- questions -------------------------------------------------------------------------------------------------

    def bridge(
        self, measure: str = "gap", by: str = "scheme", year: str | None = None, **where: str | Sequence[str]
    ) -> pl.DataFrame:
        """From where the measure starts to where it ends, step by step; the steps add up exactly, in the published case and in every run.

        Args:
            measure: gap, beds, bed_days, activity, staff, cost or another.
            by: scheme, theme, kind or pod: what a step is, once growth is past.
            where: filters, as for any measure.

        Returns:
            A frame with ``step, kind`` (start, growth, change, end), ``published_case`` and, if there are runs, ``mean, p10, p50, p90``.
        """
        it = self.measure(measure)
        groups = it._groups(("kind", by) if by != "kind" else ("kind",), where)
        position = it._years(year or self.years[-1])[0]
        starts, growth, changes = [], {}, {}  # type: ignore[var-annotated]
        # Units must be one: asking for the whole raises where they are not.
        every = [row for rows in it._groups((), where).values() for row in rows]
        for key, rows in groups.items():
            kind = key[0]
            if kind in _START.get(measure, ("base",)):
                starts.extend(rows)
            elif kind in _GROWTH and measure != "gap":
                for row in rows:
                    labels = it.labels[row]
                    growth.setdefault((labels.get("pod") or labels.get("organisation", ""), kind), []).append(row)
            else:
                for row in rows:
                    labels = it.labels[row]
                    name = labels.get(by, "") if by != "kind" else kind
                    changes.setdefault(name or labels.get("line", kind), []).append(row)
        names = {scheme.id: scheme.name for scheme in self.plan.schemes} | {
            row.id: row["name"] for row in self.plan["themes"]
        }
        records = [self._step(it, "Do nothing" if measure == "gap" else "Start", "start", starts, position)]
        for (place, kind), rows in growth.items():
            records.append(self._step(it, f"{place}: {kind}" if place else kind, "growth", rows, position))
        for name, rows in changes.items():
            records.append(self._step(it, names.get(name, name), "change", rows, position))
        records.append(self._step(it, "Plan", "end", every, position))
        return pl.DataFrame(records)

    def _step(self, it: Measure, step: str, kind: str, rows: Sequence[int], position: int) -> dict[str, object]:
        record: dict[str, object] = {
            "step": step,
            "kind": kind,
            "published_case": float(it.published_case[list(rows), position].sum()),
        }
        if it.draws is not None:
            values = it._sum(rows, position)
            record["mean"] = float(values.mean())
            for quantile, value in zip(QUANTILES, np.quantile(values, QUANTILES), strict=True):
                record[f"p{quantile * 100:.0f}"] = float(value)
        return record

    def probability(
        self,
        measure: str = "gap",
        at_most: float | None = None,
        at_least: float | None = None,
        year: str | None = None,
        **where: str | Sequence[str],
    ) -> float:
        """The share of runs in which the measure lies within bounds, such as ``probability("gap", at_most=0)`` for balance."""
        if at_most is None and at_least is None:
            raise BettercareError("A probability of what?", remedy="Give at_most or at_least.")
        values = self.measure(measure).sample(year, **where)
        inside = np.ones(values.shape, dtype=bool)
        # A millionth of a pound or a bed is how far adding many rows may be out.
        if at_most is not None:
            inside &= values <= at_most + 1e-6
        if at_least is not None:
            inside &= values >= at_least - 1e-6
        return float(inside.mean())

    def drivers(
        self, measure: str = "gap", year: str | None = None, top: int | None = None, **where: str | Sequence[str]
    ) -> pl.DataFrame:
        """What moves a measure most: the tornado, by independent source (a driver's own luck, or a cause that many share).

        Returns:
            ``driver, label, at_low`` and ``at_high`` (mean of the measure in the tenth of runs where the source is lowest and highest,
            less what the other sources happened to do in those runs, as far as that is linear), ``swing`` (their difference),
            ``rank_correlation``; largest swing first. Worked out from the first 20,000 runs at most.
        """
        used = min(self.runs, 20_000)
        values = self.measure(measure).sample(year, **where)[:used]
        levels = np.array([level[:used] for level in self.sources.values()]).reshape(len(self.sources), used)
        slopes = _slopes(levels, values)
        rest = values - slopes @ levels
        ranks = _ranks(values)
        # What is left of adding up floats is not a movement.
        moved = bool(np.ptp(values) > 1e-9 * np.abs(values).max()) if used else False
        tenth = max(1, used // 10)
        records = []
        for name, level, slope in zip(self.sources, levels, slopes, strict=True):
            order = np.argsort(level, kind="stable")
            own = rest + slope * level
            low, high = float(own[order[:tenth]].mean()), float(own[order[-tenth:]].mean())
            correlation = float(np.corrcoef(_ranks(level), ranks)[0, 1]) if moved else 0.0
            records.append(
                {
                    "driver": name,
                    "label": self.system.drivers.label(name),
                    "at_low": low,
                    "at_high": high,
                    "swing": high - low,
                    "rank_correlation": correlation,
                }
            )
        schema = {"driver": pl.String, "label": pl.String} | dict.fromkeys(
            ("at_low", "at_high", "swing", "rank_correlation"), pl.Float64
        )
        frame = pl.DataFrame(records, schema=schema).sort(pl.col("swing").abs(), descending=True)
        return frame.head(top) if top else frame

    def quality(self) -> pl.DataFrame:
        """Each metric's baseline and target, the schemes it waits for, and the share of runs in which they are all there by then."""
        return quality(self.system, self.runs)

    def capital_case(self) -> pl.DataFrame:
        """Each capital programme in the published case: gross and net capital, yearly saving, return, payback, net present value, beside what is published.

        Money in GBP, return in percent, payback in years.
        """
        plan = self.plan
        rate = self.system.overlay.parameter(plan, "discount-rate", 0.035, "%", above=-1.0)
        life = self.system.overlay.parameter(plan, "asset-life", 40 * 365.25, "years") / 365.25
        listed: dict[str, list[str]] = {
            row.id: [part.strip() for part in str(row["schemes"] or "").split(";") if part.strip()]
            for row in plan["capital_programmes"]
        }
        records = []
        for row in plan["capital_programmes"]:
            spend = np.array(self._by_year(self.capital, programme=row.id))
            gross = sum(self._by_year(self.capital, programme=row.id, kind="spend"))
            net = float(spend.sum())
            capital = gross if row["roi_on"] == "gross" or net <= 0 else net
            # A scheme that several programmes make possible cannot be credited to one of them.
            own = [scheme for scheme in listed[row.id] if sum(scheme in others for others in listed.values()) == 1]
            saving = np.zeros(len(self.years))
            for scheme in own:
                saving = saving + np.array(self._by_year(self.saving, scheme=scheme))
            origin = "savings of its schemes" if saving[-1] > 0 and own == listed[row.id] else ""
            if not origin and row["roi"] is not None:
                built = (
                    np.cumsum(np.array(self._by_year(self.capital, programme=row.id, kind="spend"))) / gross
                    if gross
                    else 0.0
                )
                saving, origin = row["roi"] / 100 * capital * built * np.ones(len(self.years)), "published return"
            yearly = float(saving[-1])
            # The benefit is counted for the programme's life from the first year it comes.
            first = int(np.argmax(saving > 0)) if (saving > 0).any() else len(saving)
            after = max(0, first + int(row["life"] or life) - len(saving))
            flows = np.concatenate([saving - spend, np.full(after, yearly)])
            known = bool(origin) and yearly > 0 and capital > 0
            records.append(
                {
                    "programme": row["name"],
                    "gross": gross,
                    "disposals": net - gross,
                    "net": net,
                    "yearly_saving": yearly if known else None,
                    "saving_from": origin or "not stated",
                    "roi": 100 * yearly / capital if known else None,
                    "roi_published": row["roi"],
                    "payback": payback(capital, yearly) if known else None,
                    "payback_published": row["payback"],
                    "net_present_value": net_present_value(flows, rate) if known else None,
                }
            )
        numbers = (
            "gross",
            "disposals",
            "net",
            "yearly_saving",
            "roi",
            "roi_published",
            "payback",
            "payback_published",
            "net_present_value",
        )
        schema = {"programme": pl.String, "saving_from": pl.String} | dict.fromkeys(numbers, pl.Float64)
        return pl.DataFrame(records, schema_overrides=schema) if records else pl.DataFrame(schema=schema)

    def _by_year(self, measure: Measure, **where: str) -> list[float]:
        if any(not any(labels.get(word) == value for labels in measure.labels) for word, value in where.items()):
            return [0.0] * len(self.years)
        frame = measure(**where)
        return frame["published_case"].to_list() if frame.height else [0.0] * len(self.years)

    # -- where numbers come from -----------------------------------------------------------------------------------

    def rests_on(self, measure: str, year: str | None = None, **where: str | Sequence[str]) -> tuple[Figure, ...]:
        """The assumed figures a result owes something to."""
        found: dict[str, Figure] = {}
        for _, node in self.explain(measure, year, **where).walk():
            if node.basis == "assumed":
                found.setdefault(node.label, self._figure(node.label))
        return tuple(found.values())

    def _figure(self, name: str) -> Figure:
        table, _, row = name.partition(".")
        if table == "effects":
            scheme, _, effect = row.partition(".")
            from bettercare.model.activity import effect_figure

            its = self.plan.scheme(scheme)
            return effect_figure(self.plan, its, next(r for r in its.effects if r.id == effect))
        return self.plan.figure(table, row)

    def explain(self, measure: str = "gap", year: str | None = None, **where: str | Sequence[str]) -> Node:
        """The calculation tree of a result in the published case, down to sourced figures.

        The lines under the result add to it; under a line stand the figures it was worked out from.
        """
        it = self.measure(measure)
        position = it._years(year or self.years[-1])[0]
        rows = [row for group in it._groups((), where).values() for row in group]
        titles = {row.id: row["title"] for row in self.plan["sources"]}
        names = {scheme.id: scheme.name for scheme in self.plan.schemes}
        kinds: dict[str, list[Node]] = {}
        for row in rows:
            line = self.lines[measure][row]
            value = float(it.published_case[row, position])
            if value == 0.0:
                continue
            kinds.setdefault(line.labels.get("kind", ""), []).append(
                self._line_node(line, value, it, row, titles, names, position)
            )
        children = tuple(
            Node(
                kind.capitalize() or "Lines",
                sum(node.value for node in nodes),
                nodes[0].unit,
                children=tuple(nodes),
                adds=True,
            )
            for kind, nodes in kinds.items()
        )
        unit = it.units[rows[0]] if it.units and rows else it.unit
        shown = ", ".join(f"{word} {value}" for word, value in where.items())
        label = f"{measure.replace('_', ' ')} {self.years[position]}" + (f" ({shown})" if shown else "")
        return Node(
            label, sum(child.value for child in children), unit, "Sum of what follows", children=children, adds=True
        )

    @cached_property
    def _row_of(self) -> Mapping[str, Mapping[str, int]]:
        """The rows of activity and of beds by key, for what other measures rest on."""
        return {name: {line.key: row for row, line in enumerate(self.lines[name])} for name in ("activity", "beds")}

    def _line_node(
        self,
        line: Line,
        value: float,
        it: Measure,
        row: int,
        titles: dict[str, str],
        names: dict[str, str],
        position: int,
    ) -> Node:
        labels = line.labels
        place = " ".join(
            filter(None, (labels.get("pod"), "at " + labels["organisation"] if labels.get("organisation") else ""))
        )
        label = names.get(labels.get("scheme", ""), "") or labels.get("line", line.key)
        unit = it.units[row] if it.units else it.unit
        children = [leaf(figure, titles) for figure in line.ground.figures]
        for key in line.ground.lines:
            for name in ("activity", "beds"):
                other_row = self._row_of[name].get(key)
                if other_row is not None and it.name != name:
                    other, measure = self.lines[name][other_row], self.measures[name]
                    other_value = float(measure.published_case[other_row, position])
                    other_unit = measure.units[other_row] if measure.units else measure.unit
                    inner = tuple(leaf(figure, titles) for figure in other.ground.figures)
                    children.append(Node(f"{label}: {name}", other_value, other_unit, other.ground.how, children=inner))
        return Node(
            f"{label}" + (f" ({place})" if place else ""), value, unit, line.ground.how, children=tuple(children)
        )


def _slopes(levels: Array, values: Array) -> Array:
    """How much the values rise with each source, all taken together (least squares); none where there are too few runs to tell."""
    sources, runs = levels.shape
    if not sources or runs < 4 * sources:
        return np.zeros(sources)
    centred = levels - levels.mean(axis=1, keepdims=True)
    return np.asarray(np.linalg.solve(centred @ centred.T, centred @ (values - values.mean())))


def _ranks(values: Array) -> Array:
    """Ranks, equal values sharing the middle of theirs."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[inverse])
