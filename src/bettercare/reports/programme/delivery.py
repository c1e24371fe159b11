"""The plan on a page, and its milestones."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from bettercare.assurance import Assessment
from bettercare.assurance.milestones import RED_AFTER, Scheduled, belongs
from bettercare.plan import Scheme
from bettercare.reports.charts.gantt import gantt
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table, filled
from bettercare.reports.programme.front import fund_year
from bettercare.reports.programme.signs import NARROW, WIDE, WORST_FIRST, day, rating, worst
from bettercare.reports.words import named, plural

SOON = timedelta(days=90)
"""Milestones due within so long are drawn beside those that are late."""
MOST_DRAWN = 20


def plan_on_a_page(assessment: Assessment, only: Collection[str] | None = None) -> Section:
    """Themes and schemes with the state of each.

    Args:
        only: ids of the schemes to show; all when not given.
    """
    plan = assessment.plan
    order = {row.id: place for place, row in enumerate(sorted(plan["themes"], key=lambda row: row["order"] or 0))}
    schemes = [scheme for scheme in plan.schemes if only is None or scheme.id in only]
    schemes.sort(key=lambda scheme: order.get(str(scheme.row["theme"]), len(order)))
    rows = [_scheme(assessment, scheme) for scheme in schemes]
    columns = (
        Column("scheme", "Scheme"), Column("state", "Delivery"), Column("money", "Money"), Column("milestones", "Milestones"), Column("metrics", "Metrics it should move"),
        Column("theme", "Theme"), Column("owner", "Owner"),
    )  # fmt: skip
    counts = {status: sum(row["status"] == status for row in rows) for status in WORST_FIRST}
    parts = [f"{counts[status]} {status}" for status in WORST_FIRST[:3] if counts[status]]
    message = f"Delivery of {plural(len(rows), 'scheme')}: {', '.join(parts) or 'none rated'}" + (f", {counts['grey']} not rated." if counts["grey"] else ".")  # fmt: skip
    note = "Delivery is the worse of a scheme's money and its milestones. What its metrics do is set beside it: several schemes move each."
    exhibit = Exhibit("schemes", message, Table(filled(columns, rows), rows), note=note, sheet="Plan on a page")
    return Section("plan", "The plan on a page", exhibits=(exhibit,) if rows else ())


def _scheme(assessment: Assessment, scheme: Scheme) -> dict[str, Any]:
    plan, year = assessment.plan, fund_year(assessment)
    lines = {line.account: line for line in assessment.fund(year).lines} if year else {}
    line = lines.get(f"scheme:{scheme.id}")
    steps = [one for one in assessment.schedule.milestones if belongs(one.id, one.scheme, scheme)]
    behind = [one for one in steps if one.status in ("late", "at risk")]
    status = worst([*([line.rag] if line else []), *(one.rag for one in steps)])
    done = f"{len(behind)} of {len(steps)} late or at risk" if behind else f"{len(steps)} on course or done"
    judged = [one for one in assessment.judgements.values() if scheme.id in one.metric.schemes]
    return {
        "id": scheme.id,
        "status": status,
        "theme": named(plan, "themes", str(scheme.row["theme"] or "")),
        "scheme": scheme.name,
        "state": rating(status),
        "money": rating(line.rag) if line else "none of its own",
        "milestones": rating(worst(one.rag for one in steps), done) if steps else "none of its own",
        "metrics": "; ".join(f"{one.metric.name}: {one.rag.status.replace('grey', 'not rated')}" for one in judged) or "none",
        "owner": scheme.row["owner"] or "",
    }  # fmt: skip


def milestones(assessment: Assessment, only: Collection[str] | None = None) -> Section:
    """The schedule: what is late, what is due soon, the critical path, and every milestone.

    Args:
        only: ids of the schemes whose milestones are shown, with the critical path; all when not given.
    """
    schedule = assessment.schedule
    schemes = [scheme for scheme in assessment.plan.schemes if only is None or scheme.id in only]
    found = [
        one
        for one in schedule.milestones
        if only is None or one.critical or any(belongs(one.id, one.scheme, scheme) for scheme in schemes)
    ]
    if not found:
        return Section("milestones", "Milestones")
    urgent = sorted((one for one in found if _urgent(one, assessment)), key=_urgency)[:MOST_DRAWN]
    drawn = [one for one in found if one in urgent]
    names = {one.id: one.milestone for one in schedule.milestones}
    chart = Chart(*(gantt(schedule, width, drawn) for width in (WIDE, NARROW)))
    columns = (
        Column("milestone", "Milestone"), Column("due", "Due"), Column("at_least", "At the earliest"), Column("at_most", "At the latest"), Column("rating", "Rating"),
        Column("reason", "Why"), Column("delays", "What waits for it"),
    )  # fmt: skip
    rows = [
        {"milestone": ("► " if one.critical else "") + one.milestone, "due": day(one.due), "at_least": day(one.done_on or one.at_least), "at_most": day(one.done_on or one.at_most),
         "rating": rating(one.rag, one.status.capitalize()), "reason": " ".join(filter(None, (one.reason, one.comments))),
         "delays": "; ".join(names[name] for name in one.delays if name in names) or "nothing"}
        for one in found
    ]  # fmt: skip
    late = sum(one.status == "late" for one in found)
    note = (
        f"Drawn: late, due within {SOON.days} days, or on the critical path (►)"
        + (f"; the {MOST_DRAWN} most urgent" if len(drawn) == MOST_DRAWN else "")
        + f". At the earliest: what it waits for is followed at once; at the latest: all of the planned time between is needed. Red: more than {RED_AFTER} days late."
    )
    picture = Exhibit("milestones-chart", schedule.sentence, None, chart, note)
    table = Exhibit("milestones-table", f"{plural(len(found), 'milestone')}, {late} late.", Table(columns, rows), sheet="Milestones", folded=len(rows) > 15)  # fmt: skip
    return Section("milestones", "Milestones", exhibits=(picture, table) if drawn else (table,))


def _urgent(one: Scheduled, assessment: Assessment) -> bool:
    if one.due is None and one.at_least is None:
        return False
    soon = one.done_on is None and one.due is not None and one.due <= assessment.on + SOON
    return one.critical or soon or one.status in ("late", "at risk")


def _urgency(one: Scheduled) -> tuple[int, int, str]:
    """The critical path first, then the latest."""
    return -one.critical, -one.slip, one.id
