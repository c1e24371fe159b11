"""The twin: are a plan's promises kept in its network of care?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from bettercare.cli import commands
from bettercare.cli.commands import Command, no_file_in_the_way
from bettercare.cli.frames import write_frame
from bettercare.cli.progress import shown
from bettercare.flow import find_network, read_network
from bettercare.model import SEED
from bettercare.plan import Plan
from bettercare.reports.exhibit import Document, Table
from bettercare.reports.files import written
from bettercare.reports.published import WRITERS
from bettercare.reports.terminal import in_short, section_tables
from bettercare.reports.twin_report import promises_report
from bettercare.twin import DRAWS, answer, answers, find_twin, read_twin
from bettercare.twin.smallest import SEARCH_DRAWS


@click.command("twin", cls=Command)
@click.argument("plan")
@click.option(
    "--draws", default=DRAWS, show_default=True, help="Futures of each question, one run of the network each."
)
@click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same numbers.")
@click.option(
    "--workers", default=2, show_default=True, help="Threads to share the futures between; the numbers do not change."
)
@click.option("--scenario", help="A scenario of the plan, or else of its network.")
@click.option(
    "--search/--no-search", default=True, show_default=True, help="Look for the smallest changes and the beds needed."
)
@click.option("--search-draws", default=SEARCH_DRAWS, show_default=True, help="Futures used in looking for them.")
@click.option("--out", "folder", type=click.Path(path_type=Path), help="Folder for the report.  [default: out/PLAN]")
def twin_command(
    plan: str,
    draws: int,
    seed: int,
    workers: int,
    scenario: str | None,
    search: bool,
    search_draws: int,
    folder: Path | None,
) -> None:
    """Hold the promises of PLAN against its network of care, under the plan's own uncertainty, and write a report.

    PLAN is a shipped plan or a plan folder with flow/network.yaml and flow/twin.yaml.
    """
    no_file_in_the_way(folder)
    its = Plan.read(plan)
    network, twin = read_network(find_network(plan)), read_twin(find_twin(plan))
    with shown(f"Testing {its.id}", commands.err) as update:
        found = answer(
            its, network, twin, draws, seed, workers, scenario, search, search_draws,
            progress=lambda what, done, of: update(done, of),
        )  # fmt: skip
    document = promises_report(found)
    for part in in_short(document):
        commands.out.print(part)
    for section in _short(document).sections:
        for table in section_tables(section):
            commands.out.print(table)
        for note in (one.note for one in section.exhibits if one.id.endswith("-smallest")):
            commands.out.print(Text(note, style="dim"))
    folder = folder or Path("out") / its.id
    folder.mkdir(parents=True, exist_ok=True)
    for kind, write in WRITERS.items():
        made, target = write(document), folder / f"twin.{kind}"
        with written(target) as file:
            file.write_bytes(made)
        commands.out.print(f"Written: {target}", soft_wrap=True)
    write_frame(answers(found), folder / "twin.csv")
    commands.out.print(f"Written: {folder / 'twin.csv'}", soft_wrap=True)


_SHORT = {
    "title": "", "lever": "", "bound": "Holds", "low": "", "middle": "", "high": "", "probability": "", "now": "", "before": "Without", "planned": "Planned",
    "p0.5": "For 50%", "p0.8": "For 80%", "p0.95": "For 95%", "limit": "",
}  # fmt: skip
"""Columns that fit a terminal of 80 columns and what they are called there, or "" for as in the report, which has the others."""
_SHOWN = ("-promises", "-criteria", "-smallest", "-together")


def _short(document: Document) -> Document:
    """What fits a terminal: promises, beds by criterion and smallest changes, without what they rest on."""
    sections = []
    for section in document.sections:
        exhibits = tuple(
            replace(one, table=_table(one.table)) for one in section.exhibits if one.table and one.id.endswith(_SHOWN)
        )
        sections.append(replace(section, lead=section.title if exhibits else "", exhibits=exhibits))
    return replace(document, sections=tuple(section for section in sections if section.exhibits))


def _table(table: Table) -> Table:
    columns = [replace(one, title=_SHORT[one.key] or one.title) for one in table.columns if one.key in _SHORT]
    return Table(tuple(columns), [_row(row) for row in table.rows])


def _row(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A row whose amounts stand without their unit, which its title has: narrow columns leave titles their whole words."""
    unit = row.get("unit", "%")
    if unit == "%":
        return row
    whole = {key: round(value) for key, value in row.items() if isinstance(value, float) and abs(value) >= 100}
    return {**row, **whole, "unit": "ratio", "title": f"{row['title']} ({unit})"}
