"""A question for a board, with the figures it stands on, and how such a question is put together."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from bettercare.plan.claims import parse
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, UNITS, FinancialYear, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

Severity = Literal["look", "question", "serious"]
"""``look``: worth knowing. ``question``: needs an answer. ``serious``: as printed it cannot all be so, or much money rests on it.

What rests on an assumed figure is never more than a question: the figure may be what is wrong."""

_NOWHERE = "Not in the plan's documents (assumed)"

Used = tuple[str, Row]
"""A row a question rests on, with the name of its table."""


class Quantity(NamedTuple):
    """A figure of a question."""

    value: float
    unit: str


@dataclass(frozen=True)
class Challenge:
    """Something the plan implies and does not say, for a board to confirm or challenge."""

    id: str
    """The same from run to run while the plan's ids are."""
    kind: str
    question: str
    """One or two sentences, the figures filled in."""
    figures: Mapping[str, Quantity]
    concerns: tuple[str, ...]
    """Ids of the schemes, programmes, metrics or organisations it is about."""
    source: str
    """Where in the plan's documents the figures stand."""
    rests_on: tuple[str, ...]
    """``table.row`` of each assumed row it uses."""
    severity: Severity

    def as_dict(self) -> dict[str, Any]:
        """The challenge as JSON takes it."""
        return {
            "id": self.id,
            "kind": self.kind,
            "severity": self.severity,
            "question": self.question,
            "figures": {
                name: {"value": value, "unit": unit}
                for name, (value, unit) in self.figures.items()
                if math.isfinite(value)
            },
            "concerns": list(self.concerns),
            "source": self.source,
            "rests_on": list(self.rests_on),
        }


def ask(
    plan: Plan,
    kind: str,
    about: str,
    severity: Severity,
    question: str,
    *,
    used: Iterable[Used] = (),
    concerns: Sequence[str] = (),
    figures: Mapping[str, Quantity] | None = None,
) -> Challenge:
    """Put a question, with the sources of the rows it uses and those of them that are assumed."""
    rows = {f"{table}.{_row_name(table, row)}": (table, row) for table, row in used}
    places: dict[str, list[str]] = {}
    for table, row in rows.values():
        source = row["source"] or (_scheme_source(plan, row) if table == "effects" else None)
        if source and row["basis"] != "assumed":
            where = places.setdefault(str(source), [])
            if row["where"] and row["where"] not in where:
                where.append(str(row["where"]))
    rests_on = tuple(name for name, (_, row) in rows.items() if row["basis"] == "assumed")
    titles = {row.id: str(row["title"]) for row in plan["sources"]}
    return Challenge(
        id=f"{kind}:{about}" if about else kind,
        kind=kind,
        question=question,
        figures=dict(figures or {}),
        concerns=tuple(dict.fromkeys(concerns)),
        source=_NOWHERE
        if rows and not places
        else "; ".join(
            ": ".join(filter(None, (titles.get(source, source), _listed_places(where))))
            for source, where in places.items()
        ),
        rests_on=rests_on,
        severity="question" if severity == "serious" and rests_on else severity,
    )


def _row_name(table: str, row: Row) -> str:
    return f"{row['scheme']}.{row.id}" if table == "effects" else row.id


def _scheme_source(plan: Plan, effect: Row) -> str | None:
    scheme = plan["schemes"].by_id.get(str(effect["scheme"]))
    return scheme["source"] if scheme else None


def _listed_places(places: Sequence[str]) -> str:
    return "; ".join(places[:6]) + (f"; and {len(places) - 6} more" if len(places) > 6 else "")


# --- figures --------------------------------------------------------------------------------------------------------------


def base(row: Row, column: str = "value") -> float:
    """A figure in its base unit: pounds, a fraction, beds, days."""
    return float(row[column]) * UNITS[row["unit"]].scale if row["unit"] else float(row[column])


def size(effect: Row) -> float | None:
    """The central full-year size of an effect in its base unit; None for a build."""
    scale = UNITS[effect["unit"]].scale if effect["unit"] else 1.0
    for column in ("size", "likely"):
        if effect[column] is not None:
            return float(effect[column]) * scale
    if effect["p10"] is not None and effect["p90"] is not None:
        return (float(effect["p10"]) + float(effect["p90"])) / 2 * scale
    return None


def organisations(effect: Row) -> tuple[str, ...]:
    """Whose activity or money an effect changes."""
    return tuple(effect["organisation"] or ())


def in_place(plan: Plan, effect: Row) -> dict[str, float]:
    """The share of an effect's full size in place in each year of the plan, when nothing is late.

    A ramp is joined by straight lines between the years it names; without one the effect grows evenly from the year its
    scheme starts to the year it is full.
    """
    years = plan.years
    scheme = plan["schemes"].by_id.get(str(effect["scheme"]))
    start = years.index((scheme["starts"] if scheme else None) or str(plan.first_year))
    full = max(start, years.index(effect["by"] or str(plan.last_year)))
    steps = sorted((years.index(year), share) for year, share in effect["ramp"] or () if year in years)
    if not steps:
        return {
            year: max(0.0, min(1.0, (position - start + 1) / (full - start + 1))) for position, year in enumerate(years)
        }
    shares = {}
    for position, year in enumerate(years):
        before = [step for step in steps if step[0] <= position]
        after = [step for step in steps if step[0] >= position]
        if not before:
            shares[year] = 0.0
        elif not after:
            shares[year] = before[-1][1]
        else:
            (left, low), (right, high) = before[-1], after[0]
            shares[year] = low if left == right else low + (high - low) * (position - left) / (right - left)
    return shares


def effects(plan: Plan, *kinds: str) -> list[Row]:
    """Effects of some kinds, in the order of the plan's themes and schemes."""
    return [effect for scheme in plan.schemes for effect in scheme.effects if effect["kind"] in kinds]


def money(plan: Plan, effect: Row) -> float | None:
    """The full-year pounds of a money effect; None where it is a share or cannot be told.

    A price per unit is multiplied by the size of the effect it follows.
    """
    amount = size(effect)
    if amount is None or not effect["unit"] or not UNITS[effect["unit"]].is_money:
        return None
    if effect["per"] != "unit":
        return amount
    followed = followed_by(plan, effect)
    units = size(followed) if followed is not None else None
    return None if units is None else amount * units


def followed_by(plan: Plan, effect: Row) -> Row | None:
    """The effect whose delivery an effect's money follows."""
    return next(
        (row for row in plan["effects"] if row["scheme"] == effect["scheme"] and row.id == effect["follows"]), None
    )


def rate(plan: Plan, measure: str, organisation: str | None, pod: str | None) -> Row | None:
    """The rate that fits best: that organisation and point of delivery, then either alone, then everyone's."""
    rows = plan["rates"].where(measure=measure)
    for wanted in ((organisation, pod), (organisation, None), (None, pod), (None, None)):
        for row in rows:
            if (row["organisation"], row["pod"]) == wanted:
                return row
    return None


def baseline_beds(plan: Plan, organisation: str, pod: str | None = None) -> list[Row]:
    """Rows of the beds there are: the split by point of delivery where there is one, else the total."""
    rows = [
        row
        for row in plan["beds"].where(organisation=organisation, site=None)
        if row["year"] == str(plan.base_year) and row["unit"] == "beds"
    ]
    split = [row for row in rows if row["pod"] and pod in (None, row["pod"])]
    return split if split or pod else rows[:1]


def baseline_activity(plan: Plan, organisation: str, pod: str) -> list[Row]:
    return [
        row
        for row in plan["activity"].where(organisation=organisation, pod=pod, group=None)
        if row["year"] == str(plan.base_year)
    ]


def base_cost(plan: Plan, organisation: str) -> list[Row]:
    """Rows of what an organisation spends before the plan."""
    return [
        row
        for row in plan["spend"].where(organisation=organisation)
        if UNITS[row["unit"]].is_money and row["year"] == str(plan.base_year)
    ]


def plan_years(plan: Plan) -> int:
    """Years from the base year to the last."""
    return plan.last_year - plan.base_year


def cost_shares(plan: Plan, effect: Row) -> dict[str, float]:
    """How money aimed at several organisations divides: by base cost where that is known, else evenly."""
    names = organisations(effect)
    costs = {name: sum(base(row) for row in base_cost(plan, name)) for name in names}
    total = sum(costs.values())
    return {name: costs[name] / total if total else 1 / len(names) for name in names}


def judged(plan: Plan, text: str) -> tuple[float, tuple[float, float]]:
    """An expression's value and the range its printed figures allow."""
    expression = parse(text, plan)
    return expression.value, expression.range


def years_of(plan: Plan, first: str, last: str) -> int:
    return FinancialYear.parse(last) - FinancialYear.parse(first)


# --- words ----------------------------------------------------------------------------------------------------------------


def name_of(plan: Plan, table: str, row_id: str) -> str:
    """The name a planner knows a row by."""
    row = plan[table].by_id.get(row_id)
    return str(row["name"]) if row is not None and row["name"] else row_id


def scheme_names(plan: Plan, ids: Iterable[str], most: int = 6) -> str:
    return listed([name_of(plan, "schemes", name) for name in dict.fromkeys(ids)], most)


def listed(words: Sequence[str], most: int = 6) -> str:
    """``a, b and c``; a long list is cut with the number left out."""
    shown = list(words[:most]) + ([f"{len(words) - most} more"] if len(words) > most else [])
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}" if shown else "none"


def count(value: float, unit: str = "") -> str:
    """A number of things: no decimals from ten up."""
    text = f"{value:,.0f}" if abs(value) >= 10 or value == round(value) else f"{value:,.1f}"
    return f"{text} {unit}".strip()


def percent(share: float) -> str:
    """A share as a percentage: 28%, 2.5%."""
    return f"{share * 100:.0f}%" if abs(share) >= 0.0995 else f"{share * 100:.1f}%"


def amount(value: float, unit: str) -> str:
    """A base-unit value with its unit's name: money as pounds."""
    known = UNITS.get(unit)
    if known is not None and known.is_money:
        return pounds(value)
    if known is not None and known.is_share:
        return percent(value)
    if unit == "text-number":
        return f"{value:g}"
    return count(value / (known.scale if known else 1.0), "" if unit == "ratio" else unit)


def activity_name(pod: str, number: int = 2) -> str:
    """What one point of delivery's work is called: non-elective admissions."""
    spoken = PODS[pod].name.lower().replace("a&e", "A&E") if pod in PODS else pod
    return spoken if number == 1 else f"{spoken}s"
