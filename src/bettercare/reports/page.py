"""The report as one HTML page that needs nothing from outside itself."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path

from markupsafe import Markup

import bettercare
from bettercare.errors import BettercareError
from bettercare.model import Result
from bettercare.reports.files import written
from bettercare.reports.sections import sections
from bettercare.reports.sections.verdict import headlines, sentence_of
from bettercare.reports.templates import environment
from bettercare.reports.words import is_synthetic, plural, scenario_title


def html(result: Result, comparisons: Sequence[Result] = ()) -> str:
    """The page as text. The same result gives the same page.

    Args:
        comparisons: results of the same plan under scenarios, to set beside it.
    """
    listed, found = sections(result, comparisons)
    verdicts = found.verdicts
    bridges, rest = (
        [section for section in listed if section.id == "bridges"],
        [section for section in listed if section.id != "bridges"],
    )
    return environment().get_template("report.html.j2").render(
        plan=result.plan, result=result, style=Markup(resources.files("bettercare.reports.templates").joinpath("style.css").read_text(encoding="utf-8")),
        verdict=sentence_of(result), headlines=headlines(result, verdicts), bridges=bridges, sections=rest, version=bettercare.__version__,
        synthetic=is_synthetic(result), scenario=scenario_title(result) if result.scenarios else "", runs=plural(result.runs, "run"), svg=Markup,
    )  # fmt: skip


def write_html(result: Result, path: str | Path, comparisons: Sequence[Result] = ()) -> Path:
    """Write the report, whole or not at all.

    Raises:
        BettercareError: the file cannot be written, or a comparison is of another plan.
    """
    other = next((one.plan.id for one in comparisons if one.plan.id != result.plan.id), None)
    if other is not None:
        raise BettercareError(
            f"{other} cannot be set beside {result.plan.id}.", remedy="Compare scenarios of one plan."
        )
    text = html(result, comparisons)
    with written(path) as file:
        file.write_text(text, encoding="utf-8")
    return Path(path)
