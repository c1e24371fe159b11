"""Metrics: the dashboard, what is off track, and the control chart of each."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from bettercare.assurance import Assessment
from bettercare.assurance.actions import answering, being_done
from bettercare.assurance.chain import KINDS
from bettercare.assurance.judgement import Exception_, Judgement
from bettercare.assurance.metrics import bare, expected, period_name, written
from bettercare.reports.amounts import NONE, chance
from bettercare.reports.charts.spc import spc
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.programme.front import exceptions_counted, ratings
from bettercare.reports.programme.signs import NARROW, WIDE, WORST_FIRST, assurance, course, rating, variation
from bettercare.reports.words import named, plural, sentence


def dashboard(assessment: Assessment) -> Section:
    """Every metric in a row, and where rating and signal disagree."""
    judged = list(assessment.judgements.values())
    if not judged:
        return Section("dashboard", "Metrics")
    columns = (
        Column("metric", "Metric"), Column("latest", "Latest"), Column("expected", "Expected"), Column("rating", "Rating"), Column("course", "Course"),
        Column("variation", "Variation"), Column("assurance", "Assurance"), Column("forecast", "Forecast for the year end"),
    )  # fmt: skip
    counts = ratings(assessment)
    parts = [f"{counts[status]} {status}" for status in WORST_FIRST[:3] if counts[status]]
    message = f"{plural(len(judged), 'metric')}: {', '.join(parts) or 'none rated'}" + (f", {counts['grey']} not rated." if counts["grey"] else ".")  # fmt: skip
    note = (
        "Rating: the latest figure against the plan's trajectory. Variation: C usual, H unusually high, L unusually low; a house for improvement, eight sides for concern. "
        "Assurance: P will pass its target, F will fail, ? hit or miss."
    )
    board = Exhibit("metrics", message, Table(columns, [_row(one) for one in judged]), note=note, sheet="Metrics")
    differing = [{"metric": one.metric.name, "says": one.disagreement} for one in judged if one.disagreement]
    if not differing:
        return Section("dashboard", "Metrics", exhibits=(board,))
    disagreements = Exhibit(
        "disagreements", f"Rating and signal disagree on {plural(len(differing), 'metric')}.",
        Table((Column("metric", "Metric"), Column("says", "What to make of it")), differing), sheet="Disagreements",
    )  # fmt: skip
    return Section("dashboard", "Metrics", exhibits=(board, disagreements))


def _row(one: Judgement) -> dict[str, Any]:
    metric, latest = one.metric, one.actuals[-1] if one.actuals else None
    forecast = NONE
    if one.forecast:
        figures = [
            bare(metric, value)
            for value in (one.forecast.year_end, one.forecast.year_end_low, one.forecast.year_end_high)
        ]
        forecast = f"{figures[0]} ({figures[1]} to {figures[2]})"
        if one.forecast.chance is not None:
            forecast += f"; {chance(one.forecast.chance)} chance of meeting it"
    return {
        "metric": f"{metric.name} ({metric.unit}; {metric.better} is better)" if metric.unit else metric.name,
        "latest": f"{bare(metric, latest.value)}, {period_name(metric, latest.period)}" + (" (provisional)" if latest.status == "provisional" else "") if latest else NONE,
        "expected": bare(metric, one.rag.expected) if one.rag.expected is not None else NONE,
        "rating": rating(one.rag.status), "course": course(one), "variation": variation(one), "assurance": assurance(one), "forecast": forecast,
    }  # fmt: skip


def exceptions(assessment: Assessment) -> Section:
    """What is off track, since when, why, which schemes should have moved it, and what is being done."""
    found = assessment.exceptions
    if not found:
        return Section("exceptions", "Off track", "Nothing is off track by the rules under How this was judged.")
    columns = (
        Column("metric", "Metric"), Column("since", "Since"), Column("why", "Why"), Column("schemes", "Schemes that should have moved it"),
        Column("done", "What is being done"),
    )  # fmt: skip
    rows = [_exception(assessment, one) for one in found]
    without = sum(not being_done(assessment, f"exception:{one.id}") for one in found)
    message = exceptions_counted(assessment) + (f"; nothing is still being done about {without}." if without else "; something is still being done about each.")  # fmt: skip
    return Section("exceptions", "Off track", exhibits=(Exhibit("exceptions-table", message, Table(columns, rows), sheet="Exceptions"),))  # fmt: skip


def _exception(assessment: Assessment, one: Exception_) -> dict[str, Any]:
    metric = assessment.judgements[one.metric].metric
    actions = answering(assessment, f"exception:{one.id}")
    named_above = {f"action:{action.id}" for action in actions}
    others = [link for link in being_done(assessment, f"exception:{one.id}") if link.ref not in named_above]
    return {
        "metric": metric.name,
        "since": period_name(metric, one.since),
        "why": " ".join(map(sentence, one.why)),
        "schemes": "; ".join(named(assessment.plan, "schemes", name) for name in one.schemes) or "none named in the plan",
        "done": " ".join((
            *(f"{sentence(action.action).removesuffix('.')} ({action.officers}, {action.status})." for action in actions),
            *(f"{KINDS[link.kind]}: {sentence(link.title).removesuffix('.')} ({link.status})." for link in others),
        )) or "Nothing recorded.",
    }  # fmt: skip


def control_charts(assessment: Assessment, metrics: Collection[str]) -> Section:
    """The control chart of each of some metrics, with its figures."""
    exhibits = tuple(_chart(one) for name, one in assessment.judgements.items() if name in metrics and one.actuals)
    return Section("charts", "Control charts", exhibits=exhibits)


def _chart(one: Judgement) -> Exhibit:
    metric = one.metric
    points = {point.period: point for point in one.spc.points} if one.spc else {}
    rated = dict(one.history)
    rows = []
    for actual in one.actuals:
        point, aim = points.get(actual.period), expected(metric, actual.period)
        rows.append(
            {"period": period_name(metric, actual.period), "value": written(metric, actual.value), "expected": bare(metric, aim) if aim is not None else NONE,
             "rating": rated.get(actual.period, "grey").replace("grey", "not rated"),
             "signal": f"{point.meaning.replace('-', ' ')}{': ' + ', '.join(point.special) if point.special else ''}" if point else NONE,
             "limits": f"{bare(metric, point.lower)} to {bare(metric, point.upper)}, mean {bare(metric, point.mean)}" if point else NONE,
             "revision": f"{actual.revision}, {actual.status}", "source": actual.source + (" (synthetic)" if actual.synthetic else "")}
        )  # fmt: skip
    columns = (
        Column("period", "Period"), Column("value", "Value"), Column("expected", "Expected"), Column("rating", "Rating"), Column("signal", "Signal"),
        Column("limits", "Limits"), Column("revision", "Revision"), Column("source", "Source"),
    )  # fmt: skip
    said = one.disagreement or (one.spc.sentence if one.spc else one.spc_refused)
    chart = Chart(*(spc(one, width) for width in (WIDE, NARROW)))
    note = " ".join(filter(None, (one.rag.reason, one.forecast.sentence if one.forecast else one.forecast_refused)))
    return Exhibit(f"chart-{metric.id}", f"{metric.name}: {said}", Table(columns, rows), chart, note, sheet=metric.name)
