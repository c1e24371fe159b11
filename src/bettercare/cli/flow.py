"""Patient flow on the terminal: simulate a network, compare scenarios, calibrate, and forecast from now."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click
from rich.table import Table
from rich.text import Text

from bettercare.cli import commands
from bettercare.cli.commands import Group, no_file_in_the_way
from bettercare.cli.progress import shown
from bettercare.errors import BettercareError
from bettercare.flow import Network, Precision, Scenario, compare, find_network, read_network, run, shipped_networks
from bettercare.flow import engine as _engine
from bettercare.flow.decisions import decisions_of
from bettercare.flow.measures import measure
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as scenario_of
from bettercare.reports.exhibit import Document, Headline
from bettercare.reports.files import written
from bettercare.reports.terminal import in_short
from bettercare.reports.words import plural

SEED = 1
HOURS = 72
FUTURES = 500

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
Progress = Callable[[str, int, int], None]


@click.group("flow", cls=Group)
def flow_group() -> None:
    """Patient flow: simulate a network of care, calibrate it, compare scenarios, forecast from now.

    NETWORK is the id of a shipped network (see `bettercare flow list`), a shipped plan that has one, a folder, or a .yaml file; it
    may be left out when only one is shipped.
    """


def _asked_for(_: click.Context, __: click.Parameter, name: str | None) -> str:
    """The network asked for, or the only one there is."""
    if name is not None:
        return name
    known = shipped_networks()
    if len(known) != 1:
        raise BettercareError(
            "No network is named.", remedy=f"Name one of: {', '.join(known) or 'a folder or a file'}."
        )
    return next(iter(known))


_network = click.argument("network", required=False, callback=_asked_for)
_out = click.option(
    "--out",
    "folder",
    type=click.Path(path_type=Path),
    help="Folder for the page, the PDF and the workbook.  [default: out/NETWORK]",
)
_seed = click.option("--seed", default=SEED, show_default=True, help="The same seed gives the same numbers.")
_workers = click.option(
    "--workers", type=int, help="Threads to share the runs between; the numbers do not change.  [default: one a core]"
)
_replications = click.option(
    "--replications", type=int, help="How many times to simulate it.  [default: the network's own]"
)
_days = click.option("--days", type=int, help="Days that count in each run.  [default: the network's own]")
_antithetic = click.option(
    "--antithetic", is_flag=True, help="Run in pairs of opposite luck, which often makes means better known."
)


def _options(*options: Callable[[Decorated], Decorated]) -> Callable[[Decorated], Decorated]:
    def decorate(command: Decorated) -> Decorated:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


_simulated = _options(_replications, _seed, _workers, _days, _antithetic, _out)


def _say(text: str, style: str = "") -> None:
    commands.out.print(text, style=style, markup=False, highlight=False, soft_wrap=True)


def _cores(workers: int | None) -> int:
    """As many as asked for, or the cores this process may use."""
    if workers is not None:
        return workers
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def _progress(what: str) -> Iterator[Progress]:
    """Progress as a run tells it. The first run on a machine compiles the engine, which is said."""
    first = "" if _is_compiled() else " (the first run compiles the engine: about 10 seconds)"
    with shown(what + first, commands.err) as update:
        yield lambda _, done, of: update(done, of)


def _is_compiled() -> bool:
    """Whether a compiled engine is kept where its functions say they keep theirs."""
    folders = {getattr(getattr(one, "stats", None), "cache_path", None) for one in vars(_engine).values()} - {None}
    return any(any(Path(str(folder)).glob("engine.*.nbi")) for folder in folders)


def _read(name: str) -> Network:
    if not name.strip() or "\0" in name:
        raise BettercareError("No network is named.", remedy="See `bettercare flow list`.")
    return read_network(find_network(name))


def _folder(folder: Path | None, network: Network) -> Path:
    return folder or Path("out") / network.id


def _publish(document: Document, folder: Path, name: str, more: tuple[Headline, ...] = ()) -> None:
    """Print a document's first page, with more headlines where there are any, and write its files."""
    from bettercare.reports.page import html
    from bettercare.reports.pdf import pdf
    from bettercare.reports.workbook import workbook

    for part in in_short(replace(document, headlines=document.headlines + more)):
        commands.out.print(part)
    folder.mkdir(parents=True, exist_ok=True)
    writers: dict[str, Callable[[Document], bytes]] = {
        "html": lambda one: html(one).encode(),
        "pdf": pdf,
        "xlsx": workbook,
    }
    for ending, write in writers.items():
        _write(folder / f"{name}.{ending}", write(document))


def _write(file: Path, content: bytes) -> None:
    with written(file) as part:
        part.write_bytes(content)
    _say(f"Written: {file}")


# --- a run ------------------------------------------------------------------------------------------------------------------


@flow_group.command("run")
@_network
@_simulated
@click.option("--scenario", help="Id of a scenario of the network; join several with +.")
@click.option(
    "--until",
    help='Go on until a measure is known so well, such as "within-4 of four-hour to 1%"; --replications is then the most there may be.',
)
@click.option("--log", type=click.Path(path_type=Path), help="Write every event of every run to this .parquet file.")
def run_command(
    network: str, replications: int | None, seed: int, workers: int | None, days: int | None, antithetic: bool, folder: Path | None,
    scenario: str | None, until: str | None, log: Path | None,
) -> None:  # fmt: skip
    """Simulate a network: print what comes of it, and write a page, a PDF and a workbook."""
    from bettercare.reports.flow import run_report
    from bettercare.reports.flow.escalations import headlines_of

    its = _read(network)
    chosen = _scenario(its, scenario) if scenario is not None else None
    precision = _precision(its, until) if until is not None else None
    no_file_in_the_way(folder)
    _log_can_be(log)
    with _progress(f"Simulating {its.id}") as progress:
        result = run(
            its,
            replications,
            seed,
            _cores(workers),
            chosen,
            antithetic,
            days,
            log=log,
            progress=progress,
            until=precision,
        )
    if precision and not precision.reached(result):
        _say(
            f"The precision was not reached in {result.replications} replications. Give more with --replications.",
            "yellow",
        )
    name = f"flow-{_slug(chosen.id)}" if chosen else "flow-run"
    _publish(run_report(result, chosen), _folder(folder, its), name, headlines_of(result))
    if log is not None:
        _say(f"Written: {log}")


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:60]


def _scenario(network: Network, text: str) -> Scenario:
    """One scenario, or several joined with + as one: their changes one after another. Made once, so that faults are said before the run."""
    parts = [scenario_of(network, part.strip()) for part in text.split("+")]
    if len({part.id for part in parts}) < len(parts):
        raise BettercareError(f"A scenario stands twice in {text[:60]!r}.", remedy="Name each once.")
    made = parts[0] if len(parts) == 1 else Scenario(
        "+".join(part.id for part in parts), " + ".join(part.title for part in parts), tuple(change for part in parts for change in part.changes),
    )  # fmt: skip
    changed(network, made)
    return made


def _precision(network: Network, text: str) -> Precision:
    """What ``--until`` says.

    Raises:
        BettercareError: it is not of that form, or the network has no such measure.
    """
    found = re.fullmatch(r"\s*(\S+)\s+of\s+(\S+)\s+to\s+([0-9.]+)\s*%\s*", text)
    try:
        relative = float(found[3]) / 100 if found else 0.0
    except ValueError:
        relative = 0.0
    if found is None or not 0 < relative <= 1:
        raise BettercareError(
            f"{text[:60]!r} is not a precision.", "--until", 'Write such as "within-4 of four-hour to 1%".'
        )
    asked = measure(found[1])
    known: dict[str, Sequence[str]] = {
        "clock": [clock.id for clock in network.clocks], "station": [station.id for station in network.stations],
        "outcome": [outcome.id for outcome in network.outcomes], "escalation": [row.id for row in network.escalations],
    }  # fmt: skip
    listed = known[asked.of]
    if found[2] not in listed:
        raise BettercareError(
            f"The network has no {asked.of} {found[2][:60]!r}.",
            "--until",
            f"Ask for one of: {', '.join(listed) or 'none'}.",
        )
    if asked.id.startswith(("within-", "over-")):
        hours = float(asked.id.partition("-")[2])
        targets = next(clock.targets for clock in network.clocks if clock.id == found[2])
        if hours not in targets:
            raise BettercareError(
                f"Clock {found[2]!r} has no target of {hours:g} hours.",
                "--until",
                f"Its targets: {', '.join(f'{one:g}' for one in targets) or 'none'}.",
            )
    return Precision(asked.id, found[2], relative)


def _log_can_be(log: Path | None) -> None:
    if log is not None and log.suffix != ".parquet":
        raise BettercareError(f"{log.name!r} does not end in .parquet.", "--log", "Change the ending.")
    if log is not None and log.is_dir():
        raise BettercareError(f"{str(log)!r} is a folder.", "--log", "Give the name of a file.")
    no_file_in_the_way(log.parent if log else None)


# --- scenarios --------------------------------------------------------------------------------------------------------------


@flow_group.command("compare")
@_network
@click.option(
    "--scenario",
    "scenarios",
    multiple=True,
    required=True,
    help="Id of a scenario of the network; join several with + to run them together; repeat to compare.",
)
@_simulated
def compare_command(
    network: str, scenarios: tuple[str, ...], replications: int | None, seed: int, workers: int | None, days: int | None, antithetic: bool,
    folder: Path | None,
) -> None:  # fmt: skip
    """Set the network beside scenarios of it: the same patients with the same luck."""
    from bettercare.reports.flow.comparison_report import comparison_report, price_of

    its = _read(network)
    chosen = [_scenario(its, one) for one in scenarios]
    if len({one.id for one in chosen}) < len(chosen):
        raise BettercareError("A scenario is named twice.", "--scenario", "Name each once.")
    no_file_in_the_way(folder)
    with _progress(f"Comparing {1 + len(chosen)} networks") as progress:
        found = compare(its, chosen, replications, seed, _cores(workers), antithetic, days, progress)
    _publish(comparison_report(found), _folder(folder, its), "flow-comparison", price_of(found))


# --- now --------------------------------------------------------------------------------------------------------------------


@flow_group.command("forecast")
@_network
@click.option(
    "--state",
    type=click.Path(path_type=Path),
    help="CSV of who is where now (see `flow template`).  [default: an invented state, marked as such]",
)
@click.option(
    "--at",
    "moment",
    type=click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"]),
    help="When the state was taken, if its file does not say.",
)
@click.option(
    "--history",
    type=click.Path(path_type=Path),
    help="CSV of arrivals so far: when, stream, count.  [default: the network's own rates]",
)
@click.option("--hours", default=HOURS, show_default=True, help="How far ahead.")
@click.option(
    "--decision",
    "decisions",
    multiple=True,
    help='What to try: a scenario id, or such as "open 12 at acute medical unit", "close 4 at majors", "divert 20% of walk-in-minor", "weekend discharges at medical-wards"; join several with +; may be repeated.',
)
@click.option("--replications", default=FUTURES, show_default=True, help="How many futures to simulate.")
@_seed
@_workers
@_out
def forecast_command(
    network: str, state: Path | None, moment: datetime | None, history: Path | None, hours: int, decisions: tuple[str, ...], replications: int,
    seed: int, workers: int | None, folder: Path | None,
) -> None:  # fmt: skip
    """Forecast the next hours from who is where now, with the chance that each unit runs out and what decisions change."""
    from bettercare.flow.arrivals import read_arrivals
    from bettercare.flow.forecast import forecast
    from bettercare.flow.now import read_now
    from bettercare.flow.start_state import invented_state
    from bettercare.reports.flow.forecast_report import forecast_report, unknown_at

    its = _read(network)
    no_file_in_the_way(folder)
    chosen = decisions_of(its, decisions, "--decision")
    if state is None and moment is not None:
        raise BettercareError("--at says when a state was taken, and there is none.", remedy="Give --state as well.")
    known = read_arrivals(history, its) if history is not None else None
    with _progress(f"Forecasting {its.id}") as progress:
        now = read_now(state, its, moment) if state is not None else invented_state(its, seed)
        found = forecast(its, now, known, hours, replications, seed, chosen, _cores(workers), progress)
    report = forecast_report(found, synthetic=state is None, warnings=() if state is None else unknown_at(now, its))
    _publish(report, _folder(folder, its), "flow-forecast")


# --- calibration --------------------------------------------------------------------------------------------------------------


@flow_group.command("calibrate")
@_network
@click.option(
    "--replications",
    default=20,
    show_default=True,
    help="Runs of the check before and after; the search uses a quarter of them at a time.",
)
@_seed
@_workers
@_days
@click.option(
    "--write",
    "target",
    type=click.Path(path_type=Path),
    help="Write the network with the fitted values to this .yaml file.",
)
@_out
def calibrate_command(
    network: str, replications: int, seed: int, workers: int | None, days: int | None, target: Path | None, folder: Path | None
) -> None:  # fmt: skip
    """Turn the network's knobs until it reproduces its targets, and say which it cannot."""
    from bettercare.flow.calibrate import calibrate
    from bettercare.reports.flow import calibration_report

    its = _read(network)
    no_file_in_the_way(folder)
    if target is not None and target.suffix.lower() not in (".yaml", ".yml"):
        raise BettercareError(f"{target.name!r} does not end in .yaml.", "--write", "Change the ending.")
    if target is not None and (target.is_dir() or not target.absolute().parent.is_dir()):
        raise BettercareError(
            f"{str(target)!r} cannot be written.", "--write", "Give a file in a folder that is there."
        )
    with _progress(f"Calibrating {its.id}") as progress:
        found = calibrate(its, replications, seed, _cores(workers), progress, days)
    _publish(calibration_report(found), _folder(folder, its), "flow-calibration")
    if target is not None:
        found.write(target)
        _say(f"Written: {target}")


# --- networks ---------------------------------------------------------------------------------------------------------------


@flow_group.command("list")
def list_command() -> None:
    """The networks that come with bettercare, and their scenarios."""
    for ident, path in shipped_networks().items():
        network = read_network(path)
        _say(f"{ident}: {network.title}", "bold")
        _say(
            f"    {plural(len(network.stations), 'station')}, {plural(len(network.arrivals), 'stream')} of patients, plan {network.plan or 'none'}"
        )
        for one in network.scenarios:
            _say(f"    --scenario {one.id}: {one.title}", "dim")


@flow_group.command("check")
@_network
def check_command(network: str) -> None:
    """Say every fault of a network, what to know before it is run, and how busy each station would be."""
    from bettercare.flow.check_network import loads, warnings_of

    its = _read(network)
    table = Table(title=Text(f"{its.title}: loads by the traffic equations"), title_justify="left", header_style="dim")
    for title in ("Station", "Patients a day", "Mean hours", "Busy places", "Places", "Load"):
        table.add_column(title, justify="left" if title == "Station" else "right")
    titles = {station.id: station.title for station in its.stations}
    for row in loads(its).iter_rows(named=True):
        load = row["load"]
        table.add_row(
            Text(titles[row["station"]]), *(_number(row[name]) for name in ("arrivals_per_day", "mean_service", "offered", "servers")),
            Text("no limit" if load is None else f"{load:.0%}", style="bold red" if load is not None and load >= 1 else ""),
        )  # fmt: skip
    commands.out.print(table)
    for sentence in warnings_of(its):
        _say(f"Note: {sentence}")
    listed = ", ".join(
        plural(len(rows), noun)
        for noun, rows in {
            "station": its.stations, "stream": its.arrivals, "escalation": its.escalations, "scenario": its.scenarios, "target": its.targets,
        }.items()
    )  # fmt: skip
    _say(f"{its.id} has no faults: {listed}.")


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.1f}"


@flow_group.command("template")
@_network
@click.option(
    "--out", "target", type=click.Path(path_type=Path), help="Write it to this .csv file.  [default: print it]"
)
@click.option("--force", is_flag=True, help="Write over a file that is there.")
def template_command(network: str, target: Path | None, force: bool) -> None:
    """The CSV to fill in with who is where now, for `flow forecast --state`."""
    from bettercare.flow.now import template

    text = template(_read(network))
    if target is None:
        click.echo(text, nl=False)
        return
    if target.suffix.lower() != ".csv":
        raise BettercareError(f"{target.name!r} does not end in .csv.", "--out", "Change the ending.")
    if target.is_file() and not force:
        raise BettercareError(
            f"{target.name!r} is there already and may be filled in.",
            "--out",
            "Give another name, or --force to write over it.",
        )
    _write(target, text.encode())
