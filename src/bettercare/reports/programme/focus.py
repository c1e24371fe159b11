"""What a Board is asked to look into: its areas of focus and its functions."""

from __future__ import annotations

from bettercare.assurance import Assessment
from bettercare.assurance.boards import Board
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.programme.delivery import plan_on_a_page
from bettercare.reports.words import named, plural


def focus(assessment: Assessment, board: Board) -> Section:
    """The Board's areas of focus with the state of their schemes, and the questions it has asked under each function."""
    exhibits = []
    asked = [one for one in assessment.registers.questions if one.body == board.id]
    if board.focus:
        rows = [
            {"focus": area.focus, "kind": area.kind.replace("-", " "), "schemes": "; ".join(named(assessment.plan, "schemes", name) for name in area.schemes) or "no scheme of its own",
             "questions": _counted([one.status for one in asked if one.focus == area.id]), "where": area.where}
            for area in board.focus
        ]  # fmt: skip
        columns = (Column("focus", "Area of focus"), Column("kind", "Sort of change"), Column("schemes", "Schemes"), Column("questions", "Questions"), Column("where", "Source"))  # fmt: skip
        exhibits.append(
            Exhibit(
                "focus-areas",
                f"{plural(len(board.focus), 'area')} of focus.",
                Table(columns, rows),
                sheet="Areas of focus",
            )
        )
        exhibits += plan_on_a_page(assessment, board.schemes).exhibits
    if board.functions:
        rows = [
            {"function": one.function, "questions": _counted([q.status for q in asked if q.function == one.tests]), "where": one.where}
            for one in board.functions
        ]  # fmt: skip
        tested = (
            Column("function", "What the Board is to do"),
            Column("questions", "Questions under it"),
            Column("where", "Source"),
        )
        exhibits.append(Exhibit("functions", f"{plural(len(board.functions), 'function')} of the Board.", Table(tested, rows), sheet="Functions"))  # fmt: skip
    return Section("focus", "The Board's areas of focus", exhibits=tuple(exhibits))


def _counted(statuses: list[str]) -> str:
    counts = {status: statuses.count(status) for status in dict.fromkeys(statuses)}
    return ", ".join(f"{count} {status}" for status, count in counts.items()) or "none yet"
