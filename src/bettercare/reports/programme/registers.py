"""Actions, decisions and questions: what happened since last time, and what is open."""

from __future__ import annotations

from datetime import date
from typing import Any

from bettercare.assurance import Assessment
from bettercare.assurance.actions import Action, overdue
from bettercare.assurance.boards import boards
from bettercare.reports.exhibit import Column, Exhibit, Section, Sign, Table, filled
from bettercare.reports.programme.facts import Facts
from bettercare.reports.programme.signs import WORST_FIRST, day, rating
from bettercare.reports.words import plural


def actions(assessment: Assessment, before: Facts | None, board: str = "") -> Section:
    """The action log: those open, and those that were closed or changed since the last report.

    Args:
        before: facts of the last report; None when this is the first.
        board: whose log; "" for all.
    """
    known: dict[str, Any] = before["actions"] if before else {}
    shown = [one for one in assessment.registers.actions if board in ("", one.body) and (one.status != "done" or known.get(one.id, {}).get("status") != "done")]  # fmt: skip
    if not shown:
        return Section("actions", "Actions")
    late = {one.id for one in overdue(shown, assessment.on)}
    place = {status: number for number, status in enumerate((*WORST_FIRST, "done"))}
    shown.sort(key=lambda one: (one.id not in late, place[one.status], one.due or date.max, one.id))
    names = _names(assessment)
    rows = [
        {"action": one.action, "minute": one.minute, "board": names.get(one.body, one.body), "officers": one.officers,
         "due": day(one.due) + (" (overdue)" if one.id in late else ""), "status": _status(one), "since": _since(one.id, one.status, known, before), "comments": one.comments}
        for one in shown
    ]  # fmt: skip
    columns = (
        Column("action", "Action"), Column("minute", "Minute"), *(() if board else (Column("board", "Board"),)), Column("officers", "Responsible officer"), Column("due", "Due"),
        Column("status", "Status"), Column("since", "Since last report"), Column("comments", "Where it has got to"),
    )  # fmt: skip
    closed = sum(one.status == "done" for one in shown)
    message = f"{plural(len(shown) - closed, 'action')} open, {len(late)} overdue" + (f"; {closed} done since the last report." if before else f"; {closed} done.")  # fmt: skip
    return Section(
        "actions",
        "Actions",
        exhibits=(Exhibit("actions-table", message, Table(filled(columns, rows), rows), sheet="Actions"),),
    )


def _status(one: Action) -> Sign | str:
    return "Done" if one.status == "done" else rating(one.status)


def _since(name: str, status: str, known: dict[str, Any], before: Facts | None) -> str:
    if before is None:
        return ""
    if name not in known:
        return "new"
    return "" if known[name]["status"] == status else f"was {known[name]['status']}"


def decisions_asked(assessment: Assessment, board: str = "") -> Section:
    """Recommendations that boards, or one board, still have to decide on."""
    awaited = [one for one in assessment.registers.decisions if (board in one.awaits if board else one.awaits)]
    if not awaited:
        return Section("decisions-asked", "Decisions asked for")
    names = _names(assessment)
    rows = [
        {"decision": one.decision, "from": names.get(one.body, one.body), "on": day(one.on), "awaits": "; ".join(names.get(name, name) for name in one.awaits),
         "consequence": one.consequence}
        for one in awaited
    ]  # fmt: skip
    columns = (
        Column("decision", "Recommendation"), Column("from", "From"), Column("on", "Date"), Column("awaits", "Boards that have to decide"),
        Column("consequence", "What follows"),
    )  # fmt: skip
    said = f"{plural(len(awaited), 'decision')} asked of this Board." if board else f"{plural(len(awaited), 'recommendation')} waiting for boards to decide."  # fmt: skip
    exhibit = Exhibit("asked", said, Table(filled(columns, rows), rows), sheet="Decisions asked for")
    return Section("decisions-asked", "Decisions asked for", exhibits=(exhibit,))


def decisions(assessment: Assessment, before: Facts | None, board: str = "") -> Section:
    """Decisions made since the last report, or entered since then; all when it is the first."""
    since = str(before["data_date"]) if before else ""
    known: dict[str, Any] = before["decisions"] if before else {}
    made = [
        one for one in assessment.registers.decisions
        if board in ("", one.body) and one.on <= assessment.on and not one.awaits and (one.id not in known or since < one.on.isoformat())
    ]  # fmt: skip
    if not made:
        return Section("decisions", "Decisions made")
    names = _names(assessment)
    rows = [
        {"decision": one.decision, "board": names.get(one.body, one.body), "on": day(one.on), "minute": one.minute, "status": one.status, "consequence": one.consequence}
        for one in sorted(made, key=lambda one: (one.on, one.id), reverse=True)
    ]  # fmt: skip
    columns = (
        Column("decision", "Decision"), *(() if board else (Column("board", "Board"),)), Column("on", "Date"), Column("minute", "Minute"), Column("status", "Status"),
        Column("consequence", "What follows"),
    )  # fmt: skip
    said = f"{plural(len(made), 'decision')} since the last report." if before else f"{plural(len(made), 'decision')} on record."  # fmt: skip
    exhibit = Exhibit("decisions-made", said, Table(filled(columns, rows), rows), sheet="Decisions", folded=len(rows) > 12)  # fmt: skip
    return Section("decisions", "Decisions made", exhibits=(exhibit,))


def questions(assessment: Assessment, before: Facts | None, board: str = "") -> Section:
    """Confirm and challenge: questions open, and for a Board those answered since its last report, with what was escalated."""
    known: dict[str, Any] = before["questions"] if before else {}
    names = _names(assessment)
    shown = [
        one for one in assessment.registers.questions
        if board in ("", one.body) and (one.status in ("open", "answered", "escalated") or (board and known.get(one.id, {}).get("status") != one.status))
    ]  # fmt: skip
    if not shown:
        return Section("questions", "Questions", "The Board has no question open." if board else "")
    focus = {row.id: str(row["focus"]) for row in assessment.plan["focus_areas"]}
    rows = [
        {"question": one.question, "board": names.get(one.body, one.body), "focus": focus.get(one.focus, one.focus), "raised": day(one.raised), "to": one.to,
         "answer": one.answer or "no answer yet", "status": one.status.capitalize() + (f" to {one.escalated_to}" if one.escalated_to else "")}
        for one in sorted(shown, key=lambda one: (one.raised, one.id))
    ]  # fmt: skip
    columns = (
        Column("question", "Question"), *(() if board else (Column("board", "Board"),)), Column("focus", "Area of focus"), Column("raised", "Raised"), Column("to", "Put to"),
        Column("answer", "Answer"), Column("status", "Status"),
    )  # fmt: skip
    open_ = sum(one.status == "open" for one in shown)
    late = sum(one.status == "open" and one.due is not None and one.due < assessment.on for one in shown)
    escalated = sum(one.status == "escalated" for one in shown)
    message = f"{plural(open_, 'question')} without an answer, {late} of them late; {escalated} escalated."
    return Section(
        "questions",
        "Questions and answers",
        exhibits=(Exhibit("questions-table", message, Table(filled(columns, rows), rows), sheet="Questions"),),
    )


def _names(assessment: Assessment) -> dict[str, str]:
    return {name: board.name for name, board in boards(assessment.plan).items()}
