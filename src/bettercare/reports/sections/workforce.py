"""Workforce: the staff the plan publishes beside the staff its activity and money imply."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl

from bettercare.model import Result
from bettercare.model.triangulate import staffed_by
from bettercare.plan import Figure
from bettercare.reports.amounts import count
from bettercare.reports.charts.ranges import ranges
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.provenance import rests_on
from bettercare.reports.sections.frames import NARROW, SOURCES, WIDE, case_columns, with_sources
from bettercare.reports.words import named, organisation_name

_MOVED = 0.5
"""Changes smaller than half a whole-time equivalent are not shown."""


def workforce(result: Result) -> Section:
    """By organisation, published and implied; and by scheme."""
    if not result.staff.labels:
        return Section("workforce", "Workforce")
    exhibits = [_by_organisation(result)]
    schemes = _by_scheme(result)
    if schemes.table is not None and schemes.table.rows:
        exhibits.append(schemes)
    return Section(
        "workforce",
        "Workforce",
        exhibits=tuple(exhibit for exhibit in exhibits if exhibit.table and exhibit.table.rows),
    )


def _groups(result: Result) -> list[tuple[str, tuple[str, ...]]]:
    """Organisations with staff or staff changes, each with the organisations whose changes it takes in."""
    plan = result.plan
    known = {labels["organisation"] for labels in result.staff.labels}
    taken: set[str] = set()
    groups = []
    for row in plan["organisations"]:
        members = tuple(name for name in staffed_by(plan, row.id) if name in known)
        if row.id in known and len(members) > 1:
            groups.append((row.id, members))
            taken |= set(members)
    groups += [(row.id, (row.id,)) for row in plan["organisations"] if row.id in known - taken]
    return groups


def _published(result: Result, organisation: str) -> float | None:
    last = result.years[-1]
    for table in ("published", "workforce"):
        for row in result.plan[table]:
            staff = row["measure"] == "staff" if table == "published" else row["staff_group"] == "All staff"
            if staff and row["organisation"] == organisation and row["year"] == last:
                return float(row["value"])
    return None


def _behind(result: Result, members: Sequence[str], scheme: str = "") -> list[Figure]:
    lines = [
        line
        for line in result.lines["staff"]
        if line.labels.get("organisation") in members and scheme in ("", line.labels.get("scheme"))
    ]
    return list({figure.id: figure for line in lines for figure in line.ground.figures}.values())


def _by_organisation(result: Result) -> Exhibit:
    last, first = result.years[-1], result.years[0]
    rows: list[dict[str, Any]] = []
    for name, members in _groups(result):
        has_base = any(labels["organisation"] in members and labels["kind"] == "base" for labels in result.staff.labels)
        now = result.staff.total(first, organisation=members, kind="base") if has_base else None
        row = result.staff(year=last, organisation=members).row(0, named=True)
        published = _published(result, name)
        moved = max(abs(row[key] - (now or 0.0)) for key in ("published_case", "mean") if key in row)
        if published is None and moved < _MOVED:
            continue
        label = organisation_name(result.plan, name) + (
            "" if now is not None else " (change only: staff now not given)"
        )
        more = ", ".join(organisation_name(result.plan, member) for member in members if member != name)
        rows.append(
            with_sources(
                {"label": label, "now": now, "published": published, "takes_in": more, **row}, _behind(result, members)
            )
        )
    columns = (
        Column("label", "Organisation"), Column("now", f"Now ({first})", "count", "WTE"), Column("published", f"Published for {last}", "count", "WTE"),
        *case_columns(result, "count", "WTE"), Column("takes_in", "Takes in the changes at"), *SOURCES,
    )  # fmt: skip
    message = _message(rows, last)
    chart = _chart(rows, message) if rows else None
    note = (
        "As planned, expected: the staff that beds, work that moves, savings and investment imply when all are counted from one run. "
        "Where that differs from the published figure, the workforce plan and the money do not tell one story."
    )
    return Exhibit(
        "staff-by-organisation",
        message,
        Table(columns, rows),
        chart,
        note,
        rests_on(result, "staff"),
        "Staff by organisation",
    )


def _message(rows: Sequence[dict[str, Any]], last: str) -> str:
    apart = [row for row in rows if row["published"] is not None]
    if not apart:
        return f"The plan publishes no staff for {last}; these are the changes its activity and money imply."
    worst = max(apart, key=lambda row: abs(row["published_case"] - row["published"]))
    more = "more" if worst["published_case"] > worst["published"] else "fewer"
    if round(worst["published_case"]) == round(worst["published"]):
        return f"The staff that activity and money imply in {last} are those the plan publishes."
    difference = count(abs(worst["published_case"] - worst["published"]))
    return f"{worst['label']}: {count(worst['published'])} WTE published for {last}, {difference} {more} implied by its activity and money as planned."


def _chart(rows: Sequence[dict[str, Any]], message: str) -> Chart | None:
    """Each organisation on one axis, as a change from now: sizes differ too much for levels."""
    changes = []
    for row in rows:
        base = row["now"] or 0.0
        known = {
            "published": row["published"],
            "planned": row["published_case"],
            "expected": row.get("mean"),
            "p10": row.get("p10"),
            "p90": row.get("p90"),
        }
        changes.append(
            {"label": row["label"].partition(" (")[0]}
            | {key: None if value is None else value - base for key, value in known.items()}
        )
    names = {"published": "Published", "planned": "As planned", "expected": "Expected"}
    frame = pl.DataFrame(
        changes, schema_overrides=dict.fromkeys(("published", "planned", "expected", "p10", "p90"), pl.Float64)
    )
    if frame["expected"].null_count() == frame.height:
        frame, names = (
            frame.drop("expected", "p10", "p90"),
            {key: name for key, name in names.items() if key != "expected"},
        )
    title = f"Change in staff from now. {message}"
    return Chart(*(ranges(frame, count, width, title, names) for width in (WIDE, NARROW)))


def _by_scheme(result: Result) -> Exhibit:
    last = result.years[-1]
    rows = []
    for row in result.staff(by=("scheme", "organisation"), year=last).to_dicts():
        if row["scheme"] and max(abs(row[key]) for key in ("published_case", "mean") if key in row) >= _MOVED:
            figures = _behind(result, (row["organisation"],), row["scheme"])
            shown = {
                "scheme": named(result.plan, "schemes", row["scheme"]),
                "organisation": organisation_name(result.plan, row["organisation"]),
            }
            rows.append(with_sources(row | shown, figures))
    rows.sort(key=lambda row: row["published_case"])
    columns = (
        Column("scheme", "Scheme"),
        Column("organisation", "Organisation"),
        *case_columns(result, "count", "WTE", change=True),
        *SOURCES,
    )
    message = f"Staff change by scheme and organisation in {last}, largest fall first."
    return Exhibit("staff-by-scheme", message, Table(columns, rows), sheet="Staff by scheme", folded=len(rows) > 12)
