"""The league table of schemes: what each is planned and expected to do, how likely that is, and what it rests on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from bettercare.model import Result
from bettercare.model.activity import effect_figure
from bettercare.plan import Scheme
from bettercare.reports.amounts import chance, count, money
from bettercare.reports.charts.ranges import ranges
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.provenance import cited
from bettercare.reports.sections.frames import NARROW, WIDE, case_columns
from bettercare.reports.sections.verdict import VIRTUAL
from bettercare.reports.words import named, plural, pod_unit

_RELEASES = ("avoid", "shift", "shorten")
_SHOWN = 20
"""Schemes drawn; the table has them all."""


def schemes(result: Result) -> Section:
    """Every scheme of the plan."""
    if not result.plan.schemes:
        return Section("schemes", "Schemes", "The plan has no schemes.")
    rows = [_row(result, scheme) for scheme in result.plan.schemes]
    rows.sort(key=lambda row: (-(row["published_case"] or 0.0), -(row["avoided"] or 0.0), -(row["investment"] or 0.0)))
    columns = (
        Column("scheme", "Scheme"), Column("theme", "Strand or theme"), *(_saving(column) for column in case_columns(result, "money", "GBP")),
        Column("beds", "Beds released", "count", "beds"), Column("avoided", "Admissions avoided", "count", "admissions"), Column("moved", "Other work moved or avoided"),
        Column("investment", "Investment", "money", "GBP"), *((Column("full", "Chance of delivering in full", "chance"),) if result.runs else ()),
        Column("owner", "Owner"), Column("basis", "What its effects rest on"), Column("evidence", "Evidence offered"), Column("source", "Source"),
    )  # fmt: skip
    last = result.years[-1]
    table = Table(columns, rows)
    saving = [row for row in rows if row["published_case"]]
    message = _message(result, saving, rows)
    note = (
        f"In {last}, as planned unless said. Savings are gross; beds and admissions are those released where they were. "
        "In full means at least the planned saving, or beds or activity where no saving is stated, in that year."
    )
    chart = _chart(result, saving, message) if saving else None
    return Section("schemes", "Schemes", exhibits=(Exhibit("league", message, table, chart, note, sheet="Schemes"),))


@dataclass(frozen=True)
class Planned:
    """What is planned of schemes and of themes, in a few words each, such as "saves £0.6m, costs £2.0m"."""

    schemes: Mapping[str, str]
    """By scheme."""
    themes: Mapping[str, str]
    """By theme: what its schemes are planned to do together."""


def planned(result: Result) -> Planned:
    """What the plan says each scheme, and the schemes of each theme together, do in its last year."""
    rows = {scheme.id: _row(result, scheme) for scheme in result.plan.schemes}
    together: dict[str, dict[str, float]] = {}
    for scheme in result.plan.schemes:
        sums = together.setdefault(str(scheme.row["theme"]), {})
        for name in ("published_case", "beds", "avoided", "investment"):
            sums[name] = sums.get(name, 0.0) + (rows[scheme.id][name] or 0.0)
    return Planned(
        {id: _words(row) for id, row in rows.items()}, {theme: _words(row) for theme, row in together.items()}
    )


def _words(row: Mapping[str, Any]) -> str:
    saves, beds, avoids, costs = (row[name] for name in ("published_case", "beds", "avoided", "investment"))
    parts = [
        f"saves {money(saves)}" if saves else "", f"frees {count(beds)} beds" if beds else "",
        f"avoids {count(avoids)} admissions" if avoids else "", f"costs {money(costs)}" if costs else "",
    ]  # fmt: skip
    return ", ".join(filter(None, parts))


def _saving(column: Column) -> Column:
    titles = {"published_case": "Saving as planned", "mean": "Saving expected"}
    return Column(column.key, titles.get(column.key, f"Saving {column.title}"), column.kind, column.unit)


def _row(result: Result, scheme: Scheme) -> dict[str, Any]:
    last = result.years[-1]
    row: dict[str, Any] = {
        "scheme": scheme.name,
        "theme": named(result.plan, "themes", scheme.row["theme"]),
        "published_case": None,
    }
    if _has(result, "saving", scheme):
        row |= result.saving(by="scheme", year=last, scheme=scheme.id).row(0, named=True) | {"scheme": scheme.name}
    kinds = [
        kind
        for kind in _RELEASES
        if any(labels.get("kind") == kind and labels.get("scheme") == scheme.id for labels in result.beds.labels)
    ]
    pods = [
        labels["pod"] for labels in result.beds.labels if labels.get("scheme") == scheme.id and labels["pod"] != VIRTUAL
    ]
    row["beds"] = -result.beds.total(last, scheme=scheme.id, kind=kinds, pod=pods) if kinds and pods else None
    units: dict[str, float] = {}
    if _has(result, "avoided", scheme):
        for moved in result.avoided(by="pod", year=last, scheme=scheme.id).to_dicts():
            unit = pod_unit(moved["pod"])
            units[unit] = units.get(unit, 0.0) + moved["published_case"]
    row["avoided"] = units.pop("admissions", None)
    row["moved"] = "; ".join(f"{count(amount)} {unit}" for unit, amount in units.items() if amount)
    row["investment"] = result.investment.total(last, scheme=scheme.id) if _has(result, "investment", scheme) else None
    row["full"] = _in_full(result, scheme)
    row["owner"] = scheme.row["owner"] or "none named"
    row["evidence"] = scheme.row["evidence"] or "none given"
    row["basis"] = _basis(result, scheme)
    row["source"] = f"{scheme.row['where'] or ''} ({scheme.row['source']})"
    return row


def _has(result: Result, measure: str, scheme: Scheme) -> bool:
    return any(labels.get("scheme") == scheme.id for labels in result.measure(measure).labels)


def _in_full(result: Result, scheme: Scheme) -> float | None:
    """The share of runs that reach what is planned: in money or, without a saving, in beds or activity."""
    if not result.runs:
        return None
    last = result.years[-1]
    if _has(result, "saving", scheme):
        planned = result.saving.total(last, scheme=scheme.id)
        return result.probability("saving", at_least=planned * (1 - 1e-9), scheme=scheme.id) if planned else None
    if _has(result, "avoided", scheme):
        pod = next(labels["pod"] for labels in result.avoided.labels if labels.get("scheme") == scheme.id)
        planned = result.avoided.total(last, scheme=scheme.id, pod=pod)
        return (
            result.probability("avoided", at_least=planned * (1 - 1e-9), scheme=scheme.id, pod=pod) if planned else None
        )
    return None


def _basis(result: Result, scheme: Scheme) -> str:
    """How the sizes of its effects are known, and the delivery class that says how far they are believed."""
    counts = Counter(row["basis"] for row in scheme.effects)
    sizes = ", ".join(f"{number} {basis}" for basis, number in counts.most_common()) or "no effect with a size"
    kind = result.plan["delivery"].by_id[scheme.row["delivery"]]
    assumed = [
        effect_figure(result.plan, scheme, row)
        for row in scheme.effects
        if row["basis"] == "assumed" and row["size"] is not None
    ]
    tail = f" ({cited(assumed, 2)})" if assumed else ""
    return f"{sizes}{tail}; delivery: {str(kind['name']).lower()} ({kind['basis']})"


def _message(result: Result, saving: list[dict[str, Any]], rows: list[dict[str, Any]]) -> str:
    if not saving:
        return f"{plural(len(rows), 'scheme')}; the plan states no saving for any of them."
    top = saving[0]
    message = f"{plural(len(saving), 'scheme')} of {len(rows)} save money; {top['scheme']} is to save most, {money(top['published_case'])} a year"
    if result.runs:
        message += f", and reaches it in {chance(top['full'])} of runs"
    return message + "."


def _chart(result: Result, saving: list[dict[str, Any]], message: str) -> Chart:
    names = {"planned": "As planned"} | ({"expected": "Expected"} if result.runs else {})
    drawn = [
        {"label": row["scheme"], "planned": row["published_case"]}
        | ({"expected": row["mean"], "p10": row["p10"], "p90": row["p90"]} if result.runs else {})
        for row in saving
    ]
    frame = pl.DataFrame(drawn[:_SHOWN])
    title = f"Saving in {result.years[-1]} by scheme, as planned and expected. {message}"
    return Chart(*(ranges(frame, money, width, title, names) for width in (WIDE, NARROW)))
