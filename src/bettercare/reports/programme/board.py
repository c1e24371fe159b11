"""The bi-annual report to a Board."""

from __future__ import annotations

from bettercare.assurance import Assessment
from bettercare.assurance.boards import board as board_of
from bettercare.reports.exhibit import Document
from bettercare.reports.programme.changes import changes
from bettercare.reports.programme.delivery import milestones, plan_on_a_page
from bettercare.reports.programme.facts import Facts, facts
from bettercare.reports.programme.focus import focus
from bettercare.reports.programme.judged import judged
from bettercare.reports.programme.money import fund
from bettercare.reports.programme.monthly import document
from bettercare.reports.programme.performance import control_charts, dashboard, exceptions
from bettercare.reports.programme.registers import actions, decisions, decisions_asked, questions
from bettercare.reports.programme.risks import risks


def board_report(assessment: Assessment, board: str, before: Facts | None = None) -> Document:
    """The report to one Board: what is asked of it, its areas of focus, what is off track with its control chart, and its questions.

    Args:
        board: id of the board.
        before: the frozen facts of its last report; None when this is the first.

    Raises:
        Missing: the plan has no such board.
    """
    its = board_of(assessment.plan, board)
    made = (
        decisions_asked(assessment, board),
        focus(assessment, its),
        dashboard(assessment),
        exceptions(assessment),
        control_charts(assessment, {one.metric for one in assessment.exceptions}),
        questions(assessment, before, board),
        changes(before, facts(assessment)),
        fund(assessment),
        *(() if its.focus else (plan_on_a_page(assessment),)),
        milestones(assessment, its.schemes or None),
        risks(assessment, "programme"),
        actions(assessment, before, board),
        decisions(assessment, before, board),
        judged(assessment),
    )
    return document(assessment, f"Report to the {its.name}, {assessment.on:%B %Y}", made, wider=True)
