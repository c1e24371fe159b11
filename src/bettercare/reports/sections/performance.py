"""Performance: each metric with its baseline, trajectory and targets."""

from __future__ import annotations

from datetime import date
from typing import Any

from bettercare.errors import BettercareError
from bettercare.model import Result
from bettercare.plan import Plan
from bettercare.reports.amounts import chance, plain
from bettercare.reports.charts.trajectory import Metric, Point, trajectories
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.sections.frames import NARROW, WIDE
from bettercare.reports.words import plural
from bettercare.vocabulary import FinancialYear


def performance(result: Result) -> Section:
    """Metrics of the plan, and how sure what each waits for is."""
    plan = result.plan
    if not plan["metrics"].rows:
        return Section("performance", "Performance")
    by_metric: dict[str, list[Any]] = {row.id: [] for row in plan["metrics"]}
    for row in plan["trajectories"]:
        by_metric[row["metric"]].append(row)
    drawn = [metric for metric in (_metric(plan, name, rows) for name, rows in by_metric.items()) if metric is not None]
    names = {row.id: row for row in plan["metrics"]}
    rows = [
        {"metric": names[name]["name"], "better": names[name]["better"], "kind": row["kind"].replace("-", " "), "at": row["at"], "value": row["value"], "unit": row["unit"],
         "basis": row["basis"], "source": f"{row['where'] or ''} ({row['source']})", "note": row["note"] or ""}
        for name, found in by_metric.items() for row in found
    ]  # fmt: skip
    silent = [
        str(names[name]["name"])
        for name, found in by_metric.items()
        if not any(row["kind"] in ("trajectory", "target") for row in found)
    ]
    message = f"{plural(len(by_metric), 'metric')}"
    message += (
        f"; {len(silent)} of them without a trajectory or target" if silent else ", each with a trajectory or target"
    )
    columns = (
        Column("metric", "Metric"), Column("better", "Better"), Column("kind", "Figure"), Column("at", "For"), Column("value", "Value", "amount"), Column("basis", "Basis"),
        Column("source", "Source"), Column("note", "Note"),
    )  # fmt: skip
    chart = (
        Chart(
            *(
                trajectories(drawn, plain, width, f"Trajectories of {plural(len(drawn), 'metric')}")
                for width in (WIDE, NARROW)
            )
        )
        if drawn
        else None
    )
    note = f"Without a trajectory or target: {'; '.join(silent)}." if silent else ""
    exhibits = [
        Exhibit("trajectories", message + ".", Table(columns, rows), chart, note, sheet="Performance", folded=True)
    ]
    waits = _waits(result)
    return Section("performance", "Performance", exhibits=(*exhibits, *([waits] if waits else [])))


def _waits(result: Result) -> Exhibit | None:
    """What each target waits for, and the share of runs in which it is all there by then."""
    rows = [row for row in result.quality().to_dicts() if row["target"] is not None and row["schemes"]]
    if not rows:
        return None
    columns = (
        Column("name", "Metric"), Column("baseline", "Baseline", "amount"), Column("target", "Last target", "amount"), Column("at", "For"),
        *((Column("all_under_way", "All under way by then", "chance"), Column("all_complete", "All complete by then", "chance")) if result.runs else ()),
        Column("schemes", "Schemes it waits for"),
    )  # fmt: skip
    message = f"{plural(len(rows), 'target')} with schemes behind them."
    if result.runs:
        least = min(rows, key=lambda row: (row["all_under_way"], row["all_complete"]))
        message = f"What the targets wait for: {least['name']} is least sure, all its schemes being under way by then in {chance(least['all_under_way'])} of runs."
    note = "The papers do not say how much of a target each scheme is worth, so this says what must be there, not what it will achieve."
    return Exhibit("targets", message, Table(columns, rows), note=note, sheet="Targets")


def _metric(plan: Plan, name: str, rows: list[Any]) -> Metric | None:
    """A metric that can be drawn: two points or more, of one thing at different times."""
    points = [
        Point(at, _shown(row["at"]), float(row["value"]), row["kind"])
        for row in rows
        if (at := _when(row["at"])) is not None
    ]
    points.sort(key=lambda point: point.at)
    same = [point.at for point in points if point.kind != "national-standard"]
    if len(points) < 2 or len(set(same)) < max(2, len(same)):
        return None
    row = plan["metrics"].by_id[name]
    unit = {found["unit"] for found in rows}
    shown = f"{row['name']}" + (f" ({unit.pop()})" if len(unit) == 1 else "")
    return Metric(shown, row["better"], points)


def _shown(text: str) -> str:
    """A date as a month, anything else as it is."""
    return date.fromisoformat(text).strftime("%b %Y") if len(text) == 10 and _when(text) is not None else text


def _when(text: str) -> float | None:
    """The point in time a label speaks of, in years: a day, a year, or a financial year (its end)."""
    try:
        if len(text) == 10:
            day = date.fromisoformat(text)
            return day.year + (day.timetuple().tm_yday - 1) / 365.25
        if len(text) == 4 and text.isdigit():
            return float(text) + 0.5
        return FinancialYear.parse(text).start + 1.25
    except (ValueError, BettercareError):
        return None
