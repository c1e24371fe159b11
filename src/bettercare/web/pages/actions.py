"""The action log, as each Board keeps it: what, who, by when, where it has got to."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.assurance import Assessment
from bettercare.assurance.actions import Action, days_overdue, overdue, suggested
from bettercare.web.pages.registers import Context, Filter, Register, board_name, in_a_line, routes
from bettercare.web.state import Deployment

WORST_FIRST = ("red", "amber", "green", "done")


def _rows(assessment: Assessment) -> Sequence[Action]:
    """Overdue ones first, the longest first; then by status and day."""
    late = overdue(assessment.registers.actions, assessment.on)
    rest = [one for one in assessment.registers.actions if one not in late]
    return (
        *late,
        *sorted(
            rest, key=lambda one: (WORST_FIRST.index(one.status), one.due is None, one.due or assessment.on, one.id)
        ),
    )


def _listing(assessment: Assessment, rows: Sequence[Action]) -> Context:
    boards = list(dict.fromkeys(one.body for one in rows))
    return {
        "logs": [(assessment.board_name(board) if board else "In no Board's log", [one for one in rows if one.body == board]) for board in boards],
        "late": {one.id: days_overdue(one, assessment.on) for one in rows},
        "suggested": {one.id: suggested(one, assessment.on) for one in rows},
        "counts": {status: sum(one.status == status for one in rows) for status in WORST_FIRST},
    }  # fmt: skip


def _viewing(assessment: Assessment, deployment: Deployment, row: Action) -> Context:
    return {
        "board": assessment.board_name(row.body), "late": days_overdue(row, assessment.on), "suggested": suggested(row, assessment.on),
        "decided": [f"decision:{one.id}" for one in assessment.registers.decisions if f"action:{row.id}" in one.about],
    }  # fmt: skip


def _short(row: Action) -> str:
    return f"{row.minute} {in_a_line(row.action)}".strip()


ACTIONS = Register(
    kind=Action, path="actions", one="action", many="actions", right="edit", rows=_rows, call=_short,
    asked=("action", "body", "minute", "agreed", "officers", "due", "status", "comments", "done_on", "about"),
    listing=_listing, viewing=_viewing, start=lambda assessment: {"agreed": assessment.on},
    filters=(
        Filter("body", "Board", lambda one: str(one.body), board_name),
        Filter("status", "Status", lambda one: str(one.status)),
        Filter("officers", "Officer", lambda one: str(one.officers), lambda plan, value: value),
    ),
)  # fmt: skip

router = routes(ACTIONS)
