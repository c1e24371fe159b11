"""The report of a model run: what the plan does, how sure that is, and what it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import bettercare
from bettercare.errors import BettercareError
from bettercare.model import Result
from bettercare.reports.exhibit import Document
from bettercare.reports.files import written
from bettercare.reports.page import html
from bettercare.reports.sections import sections
from bettercare.reports.sections.verdict import headlines, sentence_of
from bettercare.reports.words import is_synthetic, plural, scenario_title
from bettercare.reports.workbook import workbook


def model_report(result: Result, comparisons: Sequence[Result] = ()) -> Document:
    """The report of a run.

    Args:
        comparisons: results of the same plan under scenarios, to set beside it.

    Raises:
        BettercareError: a comparison is of another plan.
    """
    plan = result.plan
    other = next((one.plan.id for one in comparisons if one.plan.id != plan.id), None)
    if other is not None:
        raise BettercareError(f"{other} cannot be set beside {plan.id}.", remedy="Compare scenarios of one plan.")
    listed, found = sections(result, comparisons)
    scenario = scenario_title(result) if result.scenarios else ""
    runs = plural(result.runs, "run") + (f" (seed {result.seed})" if result.runs else "")
    place = (
        f"{plan.header['footprint']} · {plan.first_year} to {plan.last_year} · {plan.header['price_base']} prices"
        + (f" · scenario: {scenario}" if scenario else "")
    )
    return Document(
        title=plan.title + (f": {scenario}" if scenario else ""),
        place=place,
        verdict=sentence_of(result),
        headlines=tuple(headlines(result, found.verdicts)),
        sections=tuple(section for section in listed if section.id != "bridges"),
        front=tuple(exhibit for section in listed if section.id == "bridges" for exhibit in section.exhibits),
        banner="Synthetic plan. Some or all of its figures are invented: nothing here is about a real place." if is_synthetic(result) else "",
        footer=(
            str(plan.header.get("summary", "")),
            f"As planned: everything happens as the plan says. Expected: the mean of {runs}. p10 to p90: eight runs in ten lie between. "
            f"Made by bettercare {bettercare.__version__}; bettercare explain {plan.id} gap shows how any number is worked out.",
        ),
    )  # fmt: skip


def write_html(result: Result, path: str | Path, comparisons: Sequence[Result] = ()) -> Path:
    """Write the report as a page, whole or not at all.

    Raises:
        BettercareError: the file cannot be written, or a comparison is of another plan.
    """
    text = html(model_report(result, comparisons))
    with written(path) as file:
        file.write_text(text, encoding="utf-8")
    return Path(path)


def write_workbook(result: Result, path: str | Path, comparisons: Sequence[Result] = ()) -> Path:
    """Write the report as a workbook, whole or not at all.

    Raises:
        BettercareError: the file cannot be written, or a comparison is of another plan.
    """
    made = workbook(model_report(result, comparisons))
    with written(path) as file:
        file.write_bytes(made)
    return Path(path)
