"""The sections of a report, in the order they stand: each a pure function of a result, empty where the plan has no such data."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.model import Result
from bettercare.reports.exhibit import Section
from bettercare.reports.sections.assumptions import assumptions
from bettercare.reports.sections.beds import beds
from bettercare.reports.sections.capital import capital
from bettercare.reports.sections.comparison import comparison
from bettercare.reports.sections.drivers import drivers
from bettercare.reports.sections.gap import gap
from bettercare.reports.sections.overview import overview
from bettercare.reports.sections.performance import performance
from bettercare.reports.sections.pool import pool
from bettercare.reports.sections.risks import risks
from bettercare.reports.sections.schemes import schemes
from bettercare.reports.sections.soundness import Soundness, challenges, claims, triangulation
from bettercare.reports.sections.workforce import workforce


def sections(result: Result, comparisons: Sequence[Result] = ()) -> tuple[tuple[Section, ...], Soundness]:
    """Every section that has something to say, and what the check and the challenge found."""
    found = Soundness.of(result.plan)
    made = (
        overview(result),
        comparison((result, *comparisons)) if comparisons else Section("scenarios", "Scenarios"),
        gap(result),
        beds(result),
        workforce(result),
        capital(result),
        pool(result),
        schemes(result),
        drivers(result),
        claims(result.plan, found),
        challenges(result.plan, found),
        triangulation(result),
        performance(result),
        risks(result.plan),
        assumptions(result),
    )
    return tuple(section for section in made if not section.empty), found
