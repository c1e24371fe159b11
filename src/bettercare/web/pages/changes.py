"""Changes: who changed what and when, of a whole plan and of one row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from bettercare.assurance import Assessment
from bettercare.store import Change, Missing, Record, Store
from bettercare.store.record import KINDS
from bettercare.web.forms import shape_of
from bettercare.web.guard import Reader
from bettercare.web.render import day, money, page, segment
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

SHOWN = 30
"""Changes on a page."""
PAGES = 200
"""Most pages that are turned to; a history longer than that is narrowed by its filters."""

NAMES = {
    "programmes": "Programme", "actuals": "Figure", "metric_rules": "Rules of a metric", "milestone_progress": "Milestone", "risks": "Risk",
    "actions": "Action", "decisions": "Decision", "meetings": "Meeting", "agenda_items": "Agenda item", "declarations": "Declaration",
    "questions": "Question", "ledger": "Ledger entry", "published_reports": "Report",
}  # fmt: skip
"""Kinds of row that a plan has, and what a page calls each."""

LINKS = {
    "actuals": "rag", "metric_rules": "rag", "milestone_progress": "milestone", "risks": "risk", "actions": "action", "decisions": "decision",
    "meetings": "meeting", "questions": "question", "ledger": "entry",
}  # fmt: skip
"""What each kind of row is called in the chain."""

PLACES = {
    "actuals": "metrics", "metric_rules": "metrics", "milestone_progress": "milestones", "published_reports": "reports", "risks": "risks",
    "actions": "actions", "decisions": "decisions", "meetings": "meetings", "questions": "questions", "ledger": "budget/ledger",
    "agenda_items": "agenda", "declarations": "declarations",
}  # fmt: skip
"""Kinds whose rows have a page of their own, and where."""

LONGEST = 160
"""Letters of a title."""

DONE = {"add": "added", "replace": "changed", "remove": "removed"}


@dataclass(frozen=True)
class Said:
    """A change as a page shows it."""

    change: Change
    what: str
    """Kind of row."""
    title: str
    done: str
    fields: Sequence[tuple[str, str, str]]
    """Title, before and after of each field that changed."""
    page: str
    """Address of the row's own page; "" when it has none."""


@router.get("/plans/{plan}/changes")
def changes(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, kind: str = "", by: str = "",
    number: Annotated[int, Query(alias="page", ge=1, le=PAGES)] = 1,
) -> Response:  # fmt: skip
    """The changes of a plan, the latest first."""
    asked = {name: value for name, value in (("kind", kind if kind in NAMES else ""), ("by", by.strip())) if value}
    plan = assessment.plan.id
    found = deployed.store.changes(plan, 0, SHOWN * number + 1, newest=True, **asked)
    shown = [_said(assessment, deployed.store, change) for change in found[SHOWN * (number - 1) : SHOWN * number]]

    def turned(to: int) -> str:
        return f"/plans/{plan}/changes?{urlencode(asked | {'page': str(to)})}"

    return page(
        request, visitor, "changes.html.j2", assessment, title="Changes", shown=shown, names=NAMES, kind=asked.get("kind", ""), by=asked.get("by", ""),
        number=number, newer=turned(number - 1) if number > 1 else "", older=turned(number + 1) if len(found) > SHOWN * number and number < PAGES else "",
    )  # fmt: skip


@router.get("/plans/{plan}/changes/{kind}/{id:path}")
def history(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, kind: str, id: str
) -> Response:
    """Every change of one row, the latest first."""
    if kind not in NAMES:
        raise Missing(f"There is no register {kind[:60]!r}.", remedy="Start from the list of changes.")
    found = deployed.store.history(KINDS[kind], assessment.plan.id, id)
    shown = [_said_from(assessment, change, earlier) for change, earlier in zip(found, (None, *found), strict=False)][
        ::-1
    ]
    title = shown[0].title if shown else id
    return page(
        request, visitor, "changes_of.html.j2", assessment, title=f"History of {title}", shown=shown, name=NAMES[kind], row_title=title,
        own=_own_page(assessment, kind, id, found[-1].row if found else {}), crumbs=(("Changes", f"/plans/{assessment.plan.id}/changes"),),
    )  # fmt: skip


def _said(assessment: Assessment, store: Store, change: Change) -> Said:
    earlier = None
    if change.action != "add" and change.kind in KINDS:
        history = store.history(KINDS[change.kind], change.plan, change.id)
        earlier = next((one for one in reversed(history) if one.number < change.number), None)
    return _said_from(assessment, change, earlier)


def _said_from(assessment: Assessment, change: Change, earlier: Change | None) -> Said:
    kind = KINDS[change.kind]
    named = [
        (_title(kind, name), _value(assessment, kind, name, was), _value(assessment, kind, name, now))
        for name, (was, now) in change.fields(earlier).items()
        if (was or now) not in (None, "", [], {}, False) and not isinstance(was or now, dict)
    ]
    return Said(
        change, NAMES.get(change.kind, change.kind), _row_title(assessment, change), DONE.get(change.action, change.action), named,
        "" if change.action == "remove" else _own_page(assessment, change.kind, change.id, change.row),
    )  # fmt: skip


def _title(kind: type[Record], name: str) -> str:
    field = kind.model_fields.get(name)
    return (field.title or name) if field is not None else name


def _value(assessment: Assessment, kind: type[Record], name: str, value: Any) -> str:
    """A value of the history as a reader sees it."""
    if value is None or value == "" or value == []:
        return "blank"
    field = kind.model_fields.get(name)
    shape = shape_of(name, field) if field is not None else "text"
    if shape == "date" and isinstance(value, str):
        return day(date.fromisoformat(value))
    if shape == "money" and isinstance(value, int):
        return money(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _row_title(assessment: Assessment, change: Change) -> str:
    """What a row is known by: as it stands in the chain, else its own words, else its reference."""
    row = change.row
    known = assessment.web.links.get(f"{LINKS.get(change.kind, '')}:{row.get('metric') or change.id}")
    words = next((str(row[name]) for name in ("title", "interest", "risk", "action", "decision", "question") if row.get(name)), change.id)  # fmt: skip
    return known.title if known else words if len(words) <= LONGEST else words[: LONGEST - 1].rstrip() + "…"


def _own_page(assessment: Assessment, kind: str, id: str, row: dict[str, Any]) -> str:
    place = PLACES.get(kind)
    name = str(row.get("metric") or id) if kind == "actuals" else id
    return f"/plans/{assessment.plan.id}/{place}/{segment(name)}" if place else ""
