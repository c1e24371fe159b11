"""Beds and activity: a bridge for each organisation with beds, and what is needed where."""

from __future__ import annotations

import polars as pl

from bettercare.model import Result
from bettercare.plan import Figure
from bettercare.reports.amounts import chance, count
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.provenance import rests_on, step_figures
from bettercare.reports.sections.frames import (
    SOURCES,
    bridge_chart,
    bridge_table,
    case_columns,
    ordered_bridge,
    with_sources,
)
from bettercare.reports.sections.verdict import VIRTUAL, bed_holders, in_buildings
from bettercare.reports.words import organisation_name, pod_name, pod_unit, scenario_title

_GROWTH = ("demographic growth", "other growth")


def beds(result: Result) -> Section:
    """Beds by organisation, beds by point of delivery, and activity."""
    exhibits = [_bridge(result, name) for name in bed_holders(result)]
    if result.beds.labels:
        exhibits.append(_beds_table(result))
    if result.activity.labels:
        exhibits.append(_activity(result))
    lead = (
        ""
        if result.beds.labels
        else "The plan gives no beds and no length of stay, so beds are not worked out."
        if result.activity.labels
        else ""
    )
    return Section("beds", "Beds and activity", lead, tuple(exhibits))


def _bridge(result: Result, organisation: str) -> Exhibit:
    last = result.years[-1]
    where = in_buildings(result, organisation)
    frame = ordered_bridge(result.bridge("beds", **where), {"Start": result.years[0], "Plan": f"Plan, {last}"})
    figures = step_figures(result, "beds", **where)
    figures[result.years[0]] = figures.pop("Start", [])
    first, end = frame.row(0, named=True), frame.row(-1, named=True)
    message = f"{organisation_name(result.plan, organisation)}: {count(first['published_case'])} beds become {count(end['published_case'])}"
    if result.runs:
        reach = result.probability("beds", at_most=end["published_case"] * (1 + 1e-9), **where)
        message += (
            f" as planned, {count(end['mean'])} expected; as few as planned are enough in {chance(reach)} of runs"
        )
    note = (
        "Beds for care at home (virtual beds) are not counted here."
        if VIRTUAL in {labels["pod"] for labels in result.beds.labels}
        else ""
    )
    return Exhibit(
        f"beds-{organisation}", message + ".", bridge_table(result, frame, figures, "count", "beds"), bridge_chart(frame, count, message), note,
        rests_on(result, "beds", **where), f"Beds {organisation}",
    )  # fmt: skip


def _levels(result: Result, measure: str, words: tuple[str, ...]) -> list[dict[str, object]]:
    """Base, do-nothing and plan of a measure by place in the last year."""
    it, last = result.measure(measure), result.years[-1]
    kinds = {labels.get("kind", "") for labels in it.labels}
    growth = [kind for kind in _GROWTH if kind in kinds]
    base = it(by=words, year=last, kind="base").select(*words, pl.col("published_case").alias("base"))
    frame = it(by=words, year=last).join(base, on=words, how="left", maintain_order="left")
    if growth:
        grown = it(by=words, year=last, kind=growth).select(*words, pl.col("published_case").alias("growth"))
        frame = frame.join(grown, on=words, how="left", maintain_order="left")
    else:
        frame = frame.with_columns(pl.lit(0.0).alias("growth"))
    return frame.with_columns(
        (pl.col("base").fill_null(0) + pl.col("growth").fill_null(0)).alias("do_nothing")
    ).to_dicts()


def _behind(result: Result, measure: str, organisation: str, pod: str) -> list[Figure]:
    lines = [
        line
        for line in result.lines[measure]
        if line.labels.get("organisation") == organisation and line.labels.get("pod") == pod
    ]
    return list({figure.id: figure for line in lines for figure in line.ground.figures}.values())


def _beds_table(result: Result) -> Exhibit:
    rows = []
    for row in _levels(result, "beds", ("organisation", "pod")):
        organisation, pod = str(row["organisation"]), str(row["pod"])
        figures = _behind(result, "beds", organisation, pod)
        named = row | {
            "organisation": organisation_name(result.plan, organisation),
            "pod": pod_name(pod) + (" (virtual beds)" if pod == VIRTUAL else ""),
        }
        rows.append(with_sources(named, figures))
    columns = (
        Column("organisation", "Organisation"), Column("pod", "Point of delivery"), Column("base", f"Now ({result.years[0]})", "count", "beds"),
        Column("do_nothing", "Do nothing", "count", "beds"), *case_columns(result, "count", "beds"), *SOURCES,
    )  # fmt: skip
    message = f"Beds by organisation and point of delivery in {result.years[-1]}: {scenario_title(result).lower()} beside doing nothing."
    return Exhibit(
        "beds-by-pod", message, Table(columns, rows), sheet="Beds by point of delivery", folded=len(rows) > 12
    )


def _activity(result: Result) -> Exhibit:
    rows = []
    for row in _levels(result, "activity", ("organisation", "pod")):
        organisation, pod = str(row["organisation"]), str(row["pod"])
        figures = _behind(result, "activity", organisation, pod)
        named = row | {
            "organisation": organisation_name(result.plan, organisation),
            "pod": pod_name(pod),
            "counted": pod_unit(pod),
        }
        rows.append(with_sources(named, figures))
    columns = (
        Column("organisation", "Organisation"), Column("pod", "Point of delivery"), Column("counted", "Counted in"),
        Column("base", f"Now ({result.years[0]})", "count"), Column("do_nothing", "Do nothing", "count"), *case_columns(result, "count", ""), *SOURCES,
    )  # fmt: skip
    message = (
        f"Activity in {result.years[-1]}: what leaves hospital appears in the community, with its staff and its cost."
    )
    if not any(labels.get("kind") == "arrival" for labels in result.activity.labels):
        message = f"Activity in {result.years[-1]}."
    return Exhibit("activity", message, Table(columns, rows), sheet="Activity", folded=len(rows) > 12)
