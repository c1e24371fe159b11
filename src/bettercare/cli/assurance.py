"""Is the plan being delivered? The same facts as the pages, on the terminal and in files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import click
from rich.table import Table
from rich.text import Text

from bettercare.assurance import Assessment, assess, open_programme
from bettercare.assurance.actual_files import read_actuals, template
from bettercare.assurance.chain import KINDS, Link
from bettercare.assurance.metrics import period_name
from bettercare.assurance.metrics import written as figure
from bettercare.assurance.programme import in_words
from bettercare.cli import commands
from bettercare.cli.commands import Command, Group, no_file_in_the_way
from bettercare.cli.serve import opened, shell_user, store_option
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.reports.files import written
from bettercare.reports.published import WRITERS, Kind, make, previous, publish
from bettercare.reports.terminal import in_short, section_tables
from bettercare.store import Store

_plan = click.argument("plan")
_day = click.DateTime(["%Y-%m-%d"])


@contextmanager
def _assessed(plan: str, where: str, on: datetime | None = None) -> Iterator[tuple[Store, Assessment]]:
    its = Plan.read(plan)
    with opened(where) as store:
        yield store, assess(store, its, on.date() if on else None)


def _say(text: str, style: str = "") -> None:
    commands.out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


@click.command("open", cls=Command)
@_plan
@store_option
@click.option("--as-at", type=_day, help="Set the data date: the day the pages speak of.")
def open_command(plan: str, where: str, as_at: datetime | None) -> None:
    """Start to run a plan: the registers of its papers become rows of the store. Does nothing the second time."""
    its = Plan.read(plan)
    with opened(where, make=True) as store:
        programme = open_programme(store, its, shell_user())
        if as_at is not None and programme.as_at != as_at.date():
            with store.change(shell_user(), "Data date set") as change:
                programme = change.replace(programme.model_copy(update={"as_at": as_at.date()}))
        day = in_words(programme.as_at) if programme.as_at else "today"
        _say(f"{its.title} is open in {store.address}; its data date is {day}.")


@click.command("status", cls=Command)
@_plan
@click.argument("part", required=False)
@store_option
@click.option("--on", type=_day, help="Judge as at this day.  [default: the programme's data date]")
def status_command(plan: str, part: str | None, where: str, on: datetime | None) -> None:
    """Is the plan being delivered? In short, or one PART whole: dashboard, exceptions, fund, milestones, risks, actions, questions, ..."""
    with _assessed(plan, where, on) as (_, assessment):
        document = make(assessment, "monthly")
    if part is None:
        shown = in_short(document)
    else:
        sections = {section.id: section for section in document.sections}
        if part not in sections:
            raise BettercareError(f"There is no part {part!r}.", remedy=f"The parts are {', '.join(sections)}.")
        shown = section_tables(sections[part])
    for one in shown:
        commands.out.print(one)


@click.command("chain", cls=Command)
@_plan
@click.argument("ref")
@store_option
def chain_command(plan: str, ref: str, where: str) -> None:
    """What leads to a thing and what follows from it. REF is kind:id, such as rag:m3 or decision:327(b)."""
    with _assessed(plan, where) as (_, assessment):
        chain = assessment.chain(ref)
    for title, links in (("What led to it", chain.before), ("", (chain.here,)), ("What follows", chain.after)):
        if title:
            _say(title if links else f"{title}: nothing", "dim")
        for link in links:
            _link(link, here=not title)


def _link(link: Link, here: bool) -> None:
    _say(f"{'►' if here else ' '} {KINDS[link.kind]}: {link.title}", "bold" if here else "")
    _say(f"    {link.status}. {link.detail} ({link.ref})", "" if here else "dim")


@click.command("report", cls=Command)
@_plan
@store_option
@click.option(
    "--kind",
    type=click.Choice(["monthly", "board"]),
    default="monthly",
    show_default=True,
    help="The programme's monthly report, or a Board's own.",
)
@click.option("--board", default="", help="Id of the board whose report it is.")
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder for the page, the PDF and the workbook.  [default: out/PLAN]",
)
@click.option(
    "--publish",
    "freeze",
    is_flag=True,
    help="Publish it: it is kept in the store and never changes; the next one says what did.",
)
def report_command(plan: str, where: str, kind: Kind, board: str, folder: Path | None, freeze: bool) -> None:
    """Write the monthly programme report, or a Board's, as a page, a PDF and a workbook."""
    no_file_in_the_way(folder)
    with _assessed(plan, where) as (store, assessment):
        folder = folder or Path("out") / assessment.plan.id
        if freeze:
            report = publish(store, assessment, kind, board, shell_user())
            name, files = report.id, {ending: getattr(report, ending) for ending in WRITERS}
            _say(f"{report.title} is published as {report.id}. It will not change.")
        else:
            document = make(assessment, kind, board, previous(store, assessment.plan.id, kind, board, assessment.on))
            name = "-".join(filter(None, (kind, board, f"{assessment.on:%Y-%m}", "preview")))
            files = {ending: write(document) for ending, write in WRITERS.items()}
    folder.mkdir(parents=True, exist_ok=True)
    for ending, content in files.items():
        _write(folder / f"{name}.{ending}", content)


def _write(file: Path, content: bytes) -> None:
    with written(file) as part:
        part.write_bytes(content)
    _say(f"Written: {file}")


# --- figures --------------------------------------------------------------------------------------------------------------


@click.group("actuals", cls=Group)
def actuals_group() -> None:
    """What was measured: import a file, get the file to fill in, list what there is."""


@actuals_group.command("import")
@_plan
@click.argument("file", type=click.Path(path_type=Path))
@store_option
@click.option("--dry-run", is_flag=True, help="Say what the file would bring, and keep nothing.")
@click.option("--synthetic", is_flag=True, help="Mark the figures as invented.")
def import_command(plan: str, file: Path, where: str, dry_run: bool, synthetic: bool) -> None:
    """Take the figures of a CSV or XLSX file: all of them or none, with every fault at once. What is there already gets a revision."""
    if not file.is_file():
        raise BettercareError(f"There is no file {str(file)!r}.", remedy="Check the name.")
    with _assessed(plan, where) as (store, assessment):
        figures = read_actuals(file, assessment.plan, assessment.registers.actuals, assessment.on, synthetic)
        if figures and not dry_run:
            with store.change(shell_user(), f"Imported from {file.name[:100]}") as change:
                change.add_all(figures)
    revised = sum(one.revision > 1 for one in figures)
    done = "would be stored" if dry_run else "stored"
    _say(f"{len(figures)} figures {done}, {revised} of them revisions. What was there already is left out.")


@actuals_group.command("template")
@_plan
@click.argument("file", type=click.Path(path_type=Path))
def template_command(plan: str, file: Path) -> None:
    """Write the workbook to fill in, with the plan's metrics."""
    if file.suffix.lower() != ".xlsx":
        raise BettercareError(f"{file.name} is not an .xlsx file.", remedy="Change the ending.")
    _write(file, template(Plan.read(plan)))


@actuals_group.command("list")
@_plan
@store_option
@click.option("--metric", help="Of this metric alone.")
def list_command(plan: str, where: str, metric: str | None) -> None:
    """The figures there are, the latest revision of each period."""
    with _assessed(plan, where) as (_, assessment):
        judged = assessment.judgements
    if metric is not None and metric not in judged:
        raise BettercareError(f"The plan has no metric {metric!r}.", remedy=f"It has: {', '.join(judged)}.")
    table = Table(header_style="dim")
    for title in ("Metric", "Period", "Value", "Revision", "Source"):
        table.add_column(title, justify="right" if title in ("Value", "Revision") else "left")
    for name, one in judged.items():
        for actual in one.actuals if metric in (None, name) else ():
            source = actual.source + (" (synthetic)" if actual.synthetic else "")
            cells = (
                name,
                period_name(one.metric, actual.period),
                figure(one.metric, actual.value),
                str(actual.revision),
                source,
            )
            table.add_row(*map(Text, cells))
    commands.out.print(table if table.row_count else "There are no figures yet.")
