"""The report for the terminal: a verdict and a table that fit a screen."""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import fill
from typing import Any

from rich.console import RenderableType
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.text import Text

from bettercare.model import Result
from bettercare.reports.amounts import count, money, span
from bettercare.reports.exhibit import Document, Headline, Section
from bettercare.reports.sections.comparison import compared
from bettercare.reports.sections.soundness import Soundness
from bettercare.reports.sections.verdict import bed_holders, has_gap, headlines, in_buildings, money_name, sentence_of
from bettercare.reports.words import driver_label, is_synthetic, organisation_name

_DRIVERS = 5
_COMPARED = ("gap", "mean", "balance", "shift")


def summary(result: Result) -> list[RenderableType]:
    """What ``bettercare run`` prints: the verdict, the headline figures, the money by year and what drives it."""
    found = Soundness.of(result.plan)
    parts: list[RenderableType] = []
    if is_synthetic(result):
        parts.append(Text("Synthetic plan: some or all of its figures are invented.", style="bold black on yellow"))
    parts.append(Panel(Text(sentence_of(result)), title=Text(result.plan.title), title_align="left", expand=True))
    parts.append(_heads(headlines(result, found.verdicts)))
    if any(result.gap.published_case.flat):
        parts.append(_by_year(result))
    if len(bed_holders(result)) > 1:
        parts.append(_beds(result))
    if result.runs and any(result.gap.published_case.flat):
        parts.append(_drivers(result))
    return parts


def in_short(document: Document) -> list[RenderableType]:
    """A document's first page: what it warns of, its verdict and its headline figures."""
    parts: list[RenderableType] = [Text(document.banner, style="bold black on yellow")] if document.banner else []
    parts.append(Panel(Text(document.verdict), title=Text(document.title), title_align="left", expand=True))
    return [*parts, _heads(document.headlines)]


def section_tables(section: Section) -> list[RenderableType]:
    """A section of a document: what each exhibit says, with its table."""
    parts: list[RenderableType] = [Text(section.lead)] if section.lead else []
    for exhibit in section.exhibits:
        if exhibit.table is None:
            parts.append(Text(exhibit.message, style="bold"))
            continue
        table = RichTable(
            title=Text(exhibit.message), title_justify="left", title_style="bold", header_style="dim", show_lines=True
        )
        for column in exhibit.table.columns:
            table.add_column(Text(column.title), justify="right" if column.numeric else "left", overflow="fold")
        for row in exhibit.table.rows:
            table.add_row(*(Text(column.written(row)) for column in exhibit.table.columns))
        parts.append(table)
    return parts


def _heads(headlines: Sequence[Headline]) -> RichTable:
    heads = RichTable(box=None, show_header=False, padding=(0, 2, 0, 0))
    heads.add_column(style="dim")
    heads.add_column(style="bold", no_wrap=True)
    heads.add_column()
    for head in headlines:
        heads.add_row(Text(head.title), Text(head.value), Text(head.detail))
    return heads


def _table(title: str, first: str, rest: Sequence[str]) -> RichTable:
    table = RichTable(title=Text(title), title_justify="left", title_style="bold", header_style="dim")
    table.add_column(first, overflow="fold")
    for name in rest:
        table.add_column(name, justify="right", no_wrap=True)
    return table


def _case(row: dict[str, Any], write: Any) -> list[str]:
    return [write(row["published_case"])] + (
        [write(row["mean"]), span(row["p10"], row["p90"], write)] if "mean" in row else []
    )


def _names(result: Result) -> list[str]:
    return ["As planned"] + (["Expected", "p10 to p90"] if result.runs else [])


def _by_year(result: Result) -> RichTable:
    nothing = result.gap(kind="do-nothing")["published_case"].to_list() if has_gap(result) else []
    table = _table(
        f"{money_name(result).removeprefix('The ').capitalize()} by year",
        "Year",
        (["Do nothing"] if nothing else []) + _names(result),
    )
    for index, row in enumerate(result.gap().to_dicts()):
        table.add_row(row["year"], *([money(nothing[index])] if nothing else []), *_case(row, money))
    return table


def _beds(result: Result) -> RichTable:
    first, last = result.years[0], result.years[-1]
    table = _table(f"Beds in {last}", "Organisation", ["Now", *_names(result)])
    for name in bed_holders(result):
        where = in_buildings(result, name)
        row = result.beds(year=last, **where).row(0, named=True)
        table.add_row(
            Text(organisation_name(result.plan, name)), count(result.beds.total(first, **where)), *_case(row, count)
        )
    return table


def _drivers(result: Result) -> RichTable:
    table = _table("What moves it most, each on its own", "Driver", ["At its lowest", "At its highest"])
    for row in result.drivers("gap", top=_DRIVERS).to_dicts():
        table.add_row(Text(driver_label(result, row["driver"])), money(row["at_low"]), money(row["at_high"]))
    return table


def compare_table(results: Sequence[Result]) -> RichTable:
    """Results of one plan side by side, the first being what the others are held against; the page has more columns."""
    made = compared(results)
    kept = [c for c in made.columns if c.key in _COMPARED or c.key.startswith("beds:")][: len(_COMPARED) + 1]
    table = _table(f"{results[0].plan.title}: {results[0].years[-1]}", made.columns[0].title, [])
    for column in kept:
        # Narrow headings leave a scenario's title, a sentence, room for its longest words on a terminal of 80 columns.
        table.add_column(fill(column.title.partition(",")[0], 9), justify="right", no_wrap=True)
    for row in made.rows:
        table.add_row(Text(made.columns[0].written(row)), *(Text(column.written(row)) for column in kept))
    return table
