"""``bettercare``: the commands a planner types."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, ClassVar

import click
from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.tree import Tree

from bettercare import __version__
from bettercare.cli.frames import read_plain_yaml, table_of, write_frame
from bettercare.cli.progress import shown
from bettercare.errors import BettercareError, PlanError
from bettercare.model import SEED, Node, Result, run
from bettercare.plan import Plan, shipped
from bettercare.vocabulary import pounds

out = Console()
err = Console(stderr=True)

BAD_INPUT = 2
DOES_NOT_ADD_UP = 1


class Command(click.Command):
    """A command that turns what a user gets wrong into a sentence and exit code 2."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except BettercareError as error:
            err.print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
            raise SystemExit(BAD_INPUT) from None
        except OSError as error:
            what = f"{error.filename or 'A file'}: {error.strerror or error}".rstrip(".")
            err.print(
                f"{what}. Check the name, and that you may write there.", style="red", markup=False, soft_wrap=True
            )
            raise SystemExit(BAD_INPUT) from None
        except KeyboardInterrupt:
            err.print("Interrupted; nothing was written.")
            raise SystemExit(130) from None


class Group(click.Group):
    command_class = Command


class Rooms(Group):
    """Commands that bring much with them are imported when they are asked for, so that the others start quickly."""

    elsewhere: ClassVar[dict[str, str]] = {
        "serve": "bettercare.cli.serve:serve_command",
        "user": "bettercare.cli.serve:user_group",
        "store": "bettercare.cli.serve:store_group",
        "open": "bettercare.cli.assurance:open_command",
        "status": "bettercare.cli.assurance:status_command",
        "report": "bettercare.cli.assurance:report_command",
        "chain": "bettercare.cli.assurance:chain_command",
        "actuals": "bettercare.cli.assurance:actuals_group",
        "flow": "bettercare.cli.flow:flow_group",
        "twin": "bettercare.cli.twin:twin_command",
    }

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), *self.elsewhere])

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in self.elsewhere:
            module, _, name = self.elsewhere[cmd_name].partition(":")
            command: click.Command = getattr(import_module(module), name)
            return command
        return super().get_command(ctx, cmd_name)


@click.group(cls=Rooms, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="bettercare")
def main() -> None:
    """Plan, run and assure an integrated health and care system.

    PLAN is the name of a shipped plan (see `bettercare plan list`), a plan folder, or a workbook.
    """


_plan = click.argument("plan")
_format = click.option(
    "--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True, help="How to print."
)


def _run_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in (
        click.option(
            "--workers",
            default=1,
            show_default=True,
            help="Processes to share the runs between; the numbers do not change.",
        ),
        click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same numbers."),
        click.option(
            "--runs", default=1000, show_default=True, help="How many times to sample what is uncertain; 0 for none."
        ),
    ):
        command = option(command)
    return command


@main.command("run")
@_plan
@_run_options
@click.option(
    "--scenario", "scenarios", multiple=True, help="A scenario file, or the name of one in the plan; may be repeated."
)
@click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder for report.html and results.xlsx.  [default: out/PLAN]",
)
def run_command(plan: str, runs: int, seed: int, workers: int, scenarios: tuple[str, ...], folder: Path | None) -> None:
    """Run a plan: print a summary and write an HTML report and a workbook."""
    from bettercare.reports import summary, write_html, write_workbook

    no_file_in_the_way(folder)
    result = _run(plan, runs, seed, workers, scenarios)
    for part in summary(result):
        out.print(part)
    folder = folder or Path("out") / result.plan.id
    folder.mkdir(parents=True, exist_ok=True)
    for writer, name in ((write_html, "report.html"), (write_workbook, "results.xlsx")):
        writer(result, folder / name)
        out.print(f"Written: {folder / name}", soft_wrap=True)


def no_file_in_the_way(folder: Path | None) -> None:
    """Refuse an --out that is a file, or below one, before the time of a run is spent."""
    for place in (folder, *folder.parents) if folder else ():
        if place.exists() and not place.is_dir():
            raise BettercareError(f"{str(place)!r} is a file.", remedy="Give --out the name of a folder.")


def _run(plan: str, runs: int, seed: int, workers: int, scenarios: Sequence[str]) -> Result:
    its = Plan.read(plan)
    with shown(f"Running {its.id}", err) as progress:
        return run(its, runs, seed, scenarios, workers, progress)


@main.command("check")
@_plan
@_format
@click.option("--only", type=click.Choice(["agrees", "rounding", "inconsistent"]), help="Print these verdicts only.")
def check_command(plan: str, shape: str, only: str | None) -> None:
    """Recompute what the plan says about itself.

    Exit code 0 when nothing is inconsistent, 1 when something is, 2 when the plan cannot be read.
    """
    from bettercare.plan.check import check, why

    verdicts = check(Plan.read(plan))
    listed = [verdict for verdict in verdicts if only in (None, verdict.verdict)]
    if shape == "json":
        click.echo(json.dumps([verdict.as_dict() for verdict in listed], indent=2, ensure_ascii=False))
    else:
        marks = {
            "agrees": "[green]agrees      [/]",
            "rounding": "[yellow]rounding    [/]",
            "inconsistent": "[bold red]INCONSISTENT[/]",
        }
        for verdict in listed:
            out.print(
                f"{marks[verdict.verdict]} {escape(verdict.statement)} [dim]({escape(verdict.id)})[/]", highlight=False
            )
            if verdict.verdict != "agrees" or only:
                out.print(
                    Padding(f"{escape(why(verdict))} [dim]{escape(verdict.source)}[/]", (0, 0, 0, 13)), highlight=False
                )
        counts = {name: sum(verdict.verdict == name for verdict in verdicts) for name in marks}
        out.print(f"{len(verdicts)} claims: " + ", ".join(f"{count} {name}" for name, count in counts.items()))
    if any(verdict.verdict == "inconsistent" for verdict in verdicts):
        raise SystemExit(DOES_NOT_ADD_UP)


@main.command("challenge")
@_plan
@_format
def challenge_command(plan: str, shape: str) -> None:
    """What the plan implies but does not say, for a board to confirm or challenge."""
    from bettercare.plan.challenge import challenge

    challenges = challenge(Plan.read(plan))
    if shape == "json":
        click.echo(json.dumps([one.as_dict() for one in challenges], indent=2, ensure_ascii=False))
        return
    for one in challenges:
        out.print(f"[bold]{one.severity.upper()}[/] {one.kind}", highlight=False)
        out.print("  " + one.question, markup=False, highlight=False)
        if one.rests_on:
            out.print(f"  Rests on assumed: {', '.join(one.rests_on)}", style="dim", markup=False, highlight=False)
    out.print(f"{len(challenges)} questions for a board.")


@main.command("explain")
@_plan
@click.argument("measure")
@click.option("--year", help="Financial year.  [default: the plan's last]")
@click.option("--where", "filters", multiple=True, help="word=value, such as organisation=uhl; may be repeated.")
@click.option("--scenario", "scenarios", multiple=True, help="A scenario file or name; may be repeated.")
@_format
def explain_command(
    plan: str, measure: str, year: str | None, filters: tuple[str, ...], scenarios: tuple[str, ...], shape: str
) -> None:
    """Print where a result comes from, down to sourced figures. MEASURE is gap, beds, staff, capital, ..."""
    result = _run(plan, 0, SEED, 1, scenarios)
    node = result.explain(measure.replace("-", "_"), year, **_filters(filters))
    if shape == "json":
        click.echo(json.dumps(_as_dict(node), indent=2, ensure_ascii=False))
        return
    tree = Tree(_branch(node), highlight=False)
    _grow(tree, node)
    out.print(tree)


def _filters(filters: Sequence[str]) -> dict[str, str]:
    parts = [text.partition("=") for text in filters]
    for name, equals, value in parts:
        if not (name and equals and value):
            raise BettercareError(f"{name!r} is not a filter.", remedy="Write word=value, such as organisation=uhl.")
    return {name: value for name, _, value in parts}


def _amount(node: Node) -> str:
    return (
        pounds(node.value)
        if node.unit == "GBP"
        else f"{node.value:,.10g} {node.unit}"
        if node.basis
        else f"{node.value:,.1f} {node.unit}"
    )


def _branch(node: Node) -> str:
    basis = f" [dim]({escape(node.basis)}; {escape(node.source)})[/]" if node.basis else ""
    how = f" [dim]– {escape(node.how)}[/]" if node.how else ""
    return f"{escape(node.label)}: [bold]{escape(_amount(node))}[/]{how}{basis}"


def _grow(tree: Tree, node: Node) -> None:
    for child in node.children:
        _grow(tree.add(_branch(child)), child)


def _as_dict(node: Node) -> dict[str, Any]:
    return {
        **{name: getattr(node, name) for name in ("label", "value", "unit", "how", "source", "basis", "note", "adds")}
    } | {"children": [_as_dict(child) for child in node.children]}


@main.command("compare")
@_plan
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    required=True,
    help="A scenario; join several with + to run them together; repeat to compare.",
)
@_run_options
@click.option(
    "--out", "folder", type=click.Path(path_type=Path), help="Folder for comparison.html and comparison.xlsx."
)
def compare_command(
    plan: str, scenarios: tuple[str, ...], runs: int, seed: int, workers: int, folder: Path | None
) -> None:
    """Set the plan beside scenarios of it, run by run with the same luck."""
    from bettercare.reports import compare_table, write_html, write_workbook

    no_file_in_the_way(folder)
    results = [_run(plan, runs, seed, workers, ())]
    results += [_run(plan, runs, seed, workers, scenario.split("+")) for scenario in scenarios]
    out.print(compare_table(results))
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        write_html(results[0], folder / "comparison.html", comparisons=results[1:])
        write_workbook(results[0], folder / "comparison.xlsx", comparisons=results[1:])
        out.print(f"Written: {folder / 'comparison.html'}", soft_wrap=True)


@main.command("new")
@click.argument("folder", type=click.Path(path_type=Path))
def new_command(folder: Path) -> None:
    """Start a plan of your own from a commented template."""
    from bettercare.plan.template import new_plan

    written = new_plan(folder, folder.name)
    out.print(f"Started {written}. Edit plan.yaml first, then run: bettercare plan validate {written}", soft_wrap=True)


@main.command("rows")
@click.option("--plan", help="Take growth and effects from a plan ...")
@click.option("--organisation", help="... for the activity of this organisation.")
@click.option("--year", help="Financial year of the plan.  [default: its last]")
@click.option("--model", "model_file", type=click.Path(path_type=Path), help="Or take them from a YAML file.")
@click.option("--inpatients", type=click.Path(path_type=Path), help="Parquet file of inpatient spells.")
@click.option("--outpatients", type=click.Path(path_type=Path), help="Parquet file of outpatient attendances.")
@click.option("--accident-emergency", type=click.Path(path_type=Path), help="Parquet file of A&E attendances.")
@click.option("--runs", default=256, show_default=True, help="How many times to draw every row.")
@click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same numbers.")
@click.option(
    "--workers", default=1, show_default=True, help="Threads to share the runs between; the numbers do not change."
)
@click.option(
    "--out",
    "target",
    type=click.Path(path_type=Path),
    help="Write results by point of delivery, age, sex and site here (.csv or .parquet).",
)
def rows_command(
    plan: str | None,
    organisation: str | None,
    year: str | None,
    model_file: Path | None,
    runs: int,
    seed: int,
    workers: int,
    target: Path | None,
    **files: Path | None,
) -> None:
    """Draw activity rows anew with the growth and effects of a plan or of a model file."""
    from bettercare.model.rows import RowModel, run_rows

    if target is not None and target.suffix not in (".csv", ".parquet"):
        raise BettercareError(f"{target.name} is neither .csv nor .parquet.", remedy="Change the ending.")
    if (model_file is None) == (plan is None) or (plan is not None and organisation is None):
        raise BettercareError(
            "What is to happen to the rows is not clear.", remedy="Give --model, or --plan and --organisation."
        )
    left_out: tuple[str, ...] = ()
    if model_file is not None:
        model = RowModel.read(read_plain_yaml(model_file), str(model_file))
    else:
        from bettercare.model.plan_rows import plan_rows

        model, left_out = plan_rows(_run(str(plan), runs, seed, 1, ()), str(organisation), year)
    paths = {name.replace("_", "-"): path for name, path in files.items() if path is not None}
    with shown("Drawing rows", err) as progress:
        result = run_rows(paths, model, runs, seed, workers, progress)
    for measure in ("activity", "bed_days"):
        out.print(table_of(measure.replace("_", " ").capitalize(), result.table(measure, by="pod")))
    for sentence in left_out:
        out.print(f"Not in the rows: {sentence}", markup=False, highlight=False)
    if target is not None:
        write_frame(result.frame, target)
        out.print(f"Written: {target}", soft_wrap=True)


@main.group("plan", cls=Group)
def plan_group() -> None:
    """Look after plans: list, validate, and move them to Excel and back."""


@plan_group.command("list")
def list_command() -> None:
    """The plans that come with bettercare."""
    for name in shipped():
        out.print(f"{name}: {Plan.read(name).title}", markup=False, highlight=False)


@plan_group.command("validate")
@_plan
def validate_command(plan: str) -> None:
    """Say every fault of a plan at once, each with file, row, column and remedy."""
    from bettercare.plan.claims import faults_of_claims

    its = Plan.read(plan)
    faults = faults_of_claims(its)
    if faults:
        raise PlanError(faults)
    run(its)
    figures = sum(len(table) for table in its.tables.values())
    out.print(
        f"{its.id} has no faults: {figures:,} rows, {len(its.schemes)} schemes, {len(its['claims'])} claims.",
        highlight=False,
    )


@plan_group.command("export")
@_plan
@click.argument("workbook", type=click.Path(path_type=Path))
def export_command(plan: str, workbook: Path) -> None:
    """Write a plan as an Excel workbook, one sheet a table."""
    from bettercare.plan.workbook import write_workbook

    write_workbook(Plan.read(plan), workbook)
    out.print(f"Written: {workbook}", soft_wrap=True)


@plan_group.command("import")
@click.argument("workbook", type=click.Path(path_type=Path))
@click.argument("folder", type=click.Path(path_type=Path))
def import_command(workbook: Path, folder: Path) -> None:
    """Read an Excel workbook back into a plan folder; nothing is written if it has faults."""
    if not workbook.is_file():
        raise BettercareError(
            "There is no such workbook.", str(workbook), "Give the .xlsx file that `bettercare plan export` wrote."
        )
    written = Plan.read(workbook).write(folder)
    out.print(f"Written: {written}", soft_wrap=True)


if __name__ == "__main__":
    sys.exit(main())
