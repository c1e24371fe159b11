"""The monthly programme report."""

from __future__ import annotations

from dataclasses import replace

import bettercare
from bettercare.assurance import Assessment
from bettercare.assurance.programme import RULES_VERSION, in_words
from bettercare.reports.exhibit import Document, Section
from bettercare.reports.programme.changes import changes
from bettercare.reports.programme.delivery import milestones, plan_on_a_page
from bettercare.reports.programme.facts import Facts, facts
from bettercare.reports.programme.front import SYNTHETIC, headlines, verdict
from bettercare.reports.programme.judged import judged
from bettercare.reports.programme.money import fund
from bettercare.reports.programme.performance import dashboard, exceptions
from bettercare.reports.programme.registers import actions, decisions, decisions_asked, questions
from bettercare.reports.programme.risks import risks


def programme_report(assessment: Assessment, before: Facts | None = None) -> Document:
    """The report of the month of the assessment's date.

    Args:
        before: the frozen facts of the last monthly report; None when this is the first.
    """
    made = (
        plan_on_a_page(assessment),
        dashboard(assessment),
        exceptions(assessment),
        changes(before, facts(assessment)),
        fund(assessment),
        milestones(assessment),
        risks(assessment),
        actions(assessment, before),
        decisions_asked(assessment),
        decisions(assessment, before),
        questions(assessment, before),
        judged(assessment),
    )
    return document(assessment, f"Programme report, {assessment.on:%B %Y}", made)


def document(assessment: Assessment, title: str, made: tuple[Section, ...], wider: bool = False) -> Document:
    """A programme report of sections, with the first screen every one has; empty sections are left out.

    Args:
        wider: the sections are a part of the programme, so the first screen says that it counts the whole.
    """
    plan = assessment.plan
    said, tiles = verdict(assessment), headlines(assessment)
    if wider:
        said = f"Across the whole programme: {_lowered(said)}"
        tiles = tuple(replace(tile, title=f"Programme: {_lowered(tile.title)}") for tile in tiles)
    return Document(
        title=title,
        place=f"{plan.title} · as at {in_words(assessment.on)}",
        verdict=said,
        headlines=tiles,
        sections=tuple(section for section in made if not section.empty),
        banner=SYNTHETIC if assessment.registers.synthetic else "",
        dated=assessment.on,
        footer=(
            f"Made by bettercare {bettercare.__version__} from data as at {in_words(assessment.on)} (change {assessment.revision} of the store), judged by rules version {RULES_VERSION}.",
        ),
    )  # fmt: skip


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]
