"""Meetings held and to come, with agenda and minutes, the decisions and actions each made, and interests declared."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.assurance import Assessment
from bettercare.assurance.decisions import awaiting
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting, forward_plan, in_full, not_written_up
from bettercare.web.pages.registers import Context, Filter, Register, board_name, routes
from bettercare.web.state import Deployment


def _meetings(assessment: Assessment) -> Sequence[Meeting]:
    """The latest first."""
    return sorted(assessment.registers.meetings, key=lambda one: (one.on, one.time, one.id), reverse=True)


def _name(assessment: Assessment, meeting: str) -> str:
    """A meeting in a few words; its id when it is gone."""
    row = next((one for one in assessment.registers.meetings if one.id == meeting), None)
    return f"{assessment.board_name(row.body)}, {row.on.day} {row.on:%B %Y}" if row else meeting


def _listing(assessment: Assessment, rows: Sequence[Meeting]) -> Context:
    registers = assessment.registers
    coming = forward_plan(rows, registers.agenda, registers.declarations, assessment.on)
    planned = {one.meeting.id for one in coming}
    return {
        "coming": coming, "past": [one for one in rows if one.id not in planned], "name": assessment.board_name,
        "unwritten": not_written_up(rows, assessment.on), "waiting": awaiting(registers.decisions),
    }  # fmt: skip


def _viewing(assessment: Assessment, deployment: Deployment, row: Meeting) -> Context:
    registers = assessment.registers
    return {
        "planned": in_full([row], registers.agenda, registers.declarations)[0], "name": assessment.board_name,
        "decided": [one for one in registers.decisions if one.meeting == row.id or (not one.meeting and (one.body, one.on) == (row.body, row.on))],
        "agreed": [one for one in registers.actions if (one.body, one.agreed) == (row.body, row.on)],
        "unwritten": row in not_written_up([row], assessment.on),
    }  # fmt: skip


MEETINGS = Register(
    kind=Meeting, path="meetings", one="meeting", many="meetings", right="edit", rows=_meetings,
    call=lambda row: f"Meeting of {row.on.day} {row.on:%B %Y}", asked=("body", "on", "time", "place", "status", "note"),
    listing=_listing, viewing=_viewing,
    filters=(Filter("body", "Board", lambda one: str(one.body), board_name), Filter("status", "Status", lambda one: str(one.status))),
)  # fmt: skip


def _of_meeting(assessment: Assessment, deployment: Deployment, row: AgendaItem | Declaration) -> Context:
    return {"meeting": _name(assessment, row.meeting)}


def _items(assessment: Assessment) -> Sequence[AgendaItem]:
    """In the order of the meetings, the latest first, then of the agenda."""
    registers = assessment.registers
    full = in_full(_meetings(assessment), registers.agenda, registers.declarations)
    known = [item for one in reversed(full) for item in one.agenda]
    return (*known, *(item for item in registers.agenda if item not in known))


def _item_list(assessment: Assessment, rows: Sequence[AgendaItem]) -> Context:
    return {"meetings": {row.meeting: _name(assessment, row.meeting) for row in rows}}


AGENDA = Register(
    kind=AgendaItem, path="agenda", one="agenda item", many="agenda items", right="edit", rows=_items, call=lambda row: row.title,
    asked=("meeting", "number", "title", "report_of", "about", "minute"), listing=_item_list, viewing=_of_meeting, chained=False,
    back=lambda row: f"/meetings/{row.meeting}",
)  # fmt: skip


def _declarations(assessment: Assessment) -> Sequence[Declaration]:
    """Those of the latest meeting first."""
    held = [one.id for one in _meetings(assessment)]
    return sorted(
        assessment.registers.declarations,
        key=lambda one: (held.index(one.meeting) if one.meeting in held else len(held), one.id),
    )


def _declared(assessment: Assessment, rows: Sequence[Declaration]) -> Context:
    return {"meetings": {row.meeting: _name(assessment, row.meeting) for row in rows}}


DECLARATIONS = Register(
    kind=Declaration, path="declarations", one="declaration", many="declarations of interest", right="edit", rows=_declarations,
    call=lambda row: f"{row.member}: {row.interest}", asked=("meeting", "member", "interest", "kind", "item", "withdrew"),
    listing=_declared, viewing=_of_meeting, chained=False,
    filters=(
        Filter("kind", "Kind", lambda one: str(one.kind)),
        Filter("withdrew", "Withdrew", lambda one: "yes" if one.withdrew else "no"),
    ),
)  # fmt: skip

router = routes(DECLARATIONS, routes(AGENDA, routes(MEETINGS)))
