"""Patient flow: the network of a plan at a glance, each of its stations, and a day in it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import polars as pl
from fastapi import APIRouter, Request, Response

from bettercare.assurance import Assessment
from bettercare.errors import BettercareError
from bettercare.flow.compiled import routes_of
from bettercare.flow.measures import measure
from bettercare.flow.network import ANY, UNLIMITED, Network, Route, Station
from bettercare.flow.result import Result, estimate
from bettercare.flow.run import SEED
from bettercare.reports.charts.a_day import a_day
from bettercare.reports.charts.week_of_hours import week_of_hours
from bettercare.reports.exhibit import Chart
from bettercare.reports.flow.network_frames import flows_frame, stations_frame
from bettercare.reports.flow.run_report import chart
from bettercare.store import Missing
from bettercare.web.flow_jobs import FlowJob
from bettercare.web.flow_run import FlowAsked, Kept
from bettercare.web.guard import Reader, Visitor
from bettercare.web.pages import flow_words
from bettercare.web.pages.model import is_sign
from bettercare.web.render import page
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

FIRST_LOOK = 20
"""Replications of the run that is made when a network is looked at and has none."""
DRAWING = "flow-network"
"""The exhibit of a run's report that draws the network."""


# --- what the pages of a network share -------------------------------------------------------------------------------------


def without_network(request: Request, visitor: Visitor, assessment: Assessment) -> Response:
    """What a page says of a plan that has no network."""
    return page(request, visitor, "flow_none.html.j2", assessment, title="Flow")


def station_of(network: Network, ident: str) -> Station:
    for station in network.stations:
        if station.id == ident:
            return station
    raise Missing(f"There is no station {ident[:60]!r}.", remedy="Choose one from the list of stations.")


def job_title(job: FlowJob, network: Network) -> str:
    """What a piece of work is of, in words."""
    asked = job.asked
    if asked.kind == "forecast":
        beside = f", with {' and '.join(asked.decisions)}" if asked.decisions else ""
        source = {"wards": "the wards", "file": "a file", "invented": "an invented state"}.get(asked.state, asked.state)
        return f"The next {asked.hours} hours, from {source}{beside}"
    if asked.kind == "calibration":
        return f"Calibration, {asked.replications:,} replications, seed {asked.seed}"
    if asked.kind == "promises":
        return f"The plan's promises, {asked.replications:,} futures, seed {asked.seed}"
    return f"{scenario_title(network, asked.scenario)}, {asked.replications:,} replications, seed {asked.seed}"


def scenario_title(network: Network, ident: str) -> str:
    return next((one.title for one in network.scenarios if one.id == ident), ident) if ident else "As it is"


@dataclass(frozen=True)
class Figure:
    """A measure as a page shows it."""

    title: str
    value: str
    known_to: str
    """Its 95% confidence interval."""


def figure(result: Result, name: str, of: str, title: str = "") -> Figure:
    asked = measure(name)
    found = result.estimate(name, of)
    return Figure(
        title or asked.title, flow_words.written(found.mean, asked.unit), flow_words.known_to(found, asked.unit)
    )


def held_elsewhere(result: Result, station: Station) -> Figure:
    """Patients held elsewhere for a place at a station, at any time: their days, which count when they move, over the days of the run."""
    days = result.values("held-for-days", station.id)
    found = estimate(days * 24 / result.hours, result.antithetic)
    title = "Held elsewhere for a place here, at any time"
    return Figure(title, flow_words.written(found.mean, "patients"), flow_words.known_to(found, "patients"))


def last_run(
    deployed: Deployment, assessment: Assessment, network: Network, wanted: str = ""
) -> tuple[FlowJob, Kept, Result] | None:
    """The run that pages show: the one asked for, or the newest of the network as it is; None when there is none."""
    jobs, plan = deployed.flow_jobs, assessment.plan
    job = jobs.job(plan.id, wanted) if wanted else jobs.last(plan, network, "run")
    if job is None:
        return None
    if job.asked.kind != "run" or job.state != "done":
        raise Missing("That run has no result to show.", remedy="Choose one that is done.")
    kept = jobs.kept(job)
    assert kept.result is not None
    return job, kept, kept.result


# --- at a glance -----------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/flow")
def at_a_glance(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The network with the figures that matter most; a first look is simulated when nothing has been."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    try:
        shown = last_run(deployed, assessment, network)
    except Missing:  # Taken away, or of another version.
        shown = None
    if shown is None:
        return _first_look(request, visitor, assessment, deployed, network)
    job, kept, result = shown
    lines = deployed.remember(assessment, ("flow lines", job.id), lambda: list(_lines(result)))
    return page(
        request, visitor, "flow.html.j2", assessment, title="Flow", network=network, job=job, what=job_title(job, network), document=kept.document,
        drawing=next((one for one in kept.document.exhibits if one.id == DRAWING), None), lines=lines, is_sign=is_sign,
        steps=deployed.remember(assessment, ("flow escalations", job.id), lambda: flow_words.escalations_of(result.network, result)),
    )  # fmt: skip


def _first_look(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network
) -> Response:
    job, fault = None, ""
    try:
        job = deployed.flow_jobs.start(assessment.plan, network, FlowAsked("run", FIRST_LOOK, SEED), "bettercare")
    except BettercareError as error:
        fault = str(error)
    return page(
        request, visitor, "flow_first.html.j2", assessment, title="Flow", network=network, job=job, fault=fault,
        stations=[(station, flow_words.KINDS.get(station.kind, station.kind), flow_words.places_of(station)) for station in network.stations],
        steps=flow_words.escalations_of(network),
    )  # fmt: skip


@dataclass(frozen=True)
class Line:
    """A station in the list of stations."""

    station: Station
    kind: str
    figures: tuple[str, ...]
    """Occupancy, mean wait, patients held, those held elsewhere for it, share of hours with no free place."""
    full: bool


def _lines(result: Result) -> Iterator[Line]:
    for station in result.network.stations:
        limited = station.servers != UNLIMITED
        occupancy = figure(result, "occupancy", station.id).value if limited else "no limit"
        always = figure(result, "full", station.id).value if limited else "–"
        held = figure(result, "blocked", station.id).value if station.holds else "–"
        yield Line(
            station, flow_words.KINDS.get(station.kind, station.kind),
            (occupancy, figure(result, "wait", station.id).value if station.queue else "no line", held, held_elsewhere(result, station).value, always),
            limited and result.estimate("occupancy", station.id).mean >= 0.95,
        )  # fmt: skip


# --- a station -------------------------------------------------------------------------------------------------------------

OF_STATION = (
    "occupancy", "full", "arrivals", "wait", "wait-q90", "stay", "waiting", "blocked", "blocked-days", "discharge-days", "turned-away", "gave-up",
)  # fmt: skip
"""What the page of a station says of it."""


@dataclass(frozen=True)
class Onward:
    """A way on from a station."""

    route: Route
    patient: str
    to: str
    station: str
    """Id of the station it leads to; "" for a choice or an outcome."""
    share: str
    becomes: str
    when: str
    full: str
    """How often the station it leads to has no free place."""


@router.get("/plans/{plan}/flow/stations/{station}")
def one_station(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, station: str, run: str = ""
) -> Response:
    """A station: its load, its week, its waits, who is held, and the rows of the network that make it what it is."""
    whole = network_of(deployed, assessment)
    # The run may be of a scenario, in which the station differs.
    try:
        shown = last_run(deployed, assessment, whole, run)
    except Missing:
        if run:
            raise
        shown = None
    network = shown[1].network if shown else whole
    one = station_of(network, station)
    result = shown[2] if shown else None
    job = shown[0] if shown else None
    onward = list(_onward(network, one, result))
    return page(
        request, visitor, "flow_station.html.j2", assessment, title=one.title, station=one, kind=flow_words.KINDS.get(one.kind, one.kind),
        places=flow_words.places_of(one), rules=flow_words.rules_of(network, one), because=flow_words.basis_of(one.evidence), job=job,
        what=job_title(job, whole) if job else "", figures=_figures(result, one) if result else [], classes=_classes(result, one) if result else [],
        week=_week(deployed, assessment, job, result, one) if job and result else None, onward=onward, known=_known(onward),
        services=[(flow_words.title_of(network, row.patient), flow_words.time_of(row.time), row.evidence.basis, flow_words.basis_of(row.evidence))
                  for row in network.services if row.station == one.id],
        patience=[(flow_words.patience_of(network, row), row.evidence.basis, flow_words.basis_of(row.evidence))
                  for row in network.patience if row.station == one.id],
        streams=[(row, flow_words.title_of(network, row.patient), flow_words.basis_of(row.evidence)) for row in network.arrivals if row.to == one.id],
        steps=flow_words.escalations_of(network, result, one.id),
        crumbs=(("Flow", f"/plans/{assessment.plan.id}/flow"),),
    )  # fmt: skip


def _figures(result: Result, station: Station) -> list[Figure]:
    rows = [(name, figure(result, name, station.id)) for name in OF_STATION]
    rows.insert(OF_STATION.index("wait"), ("held-for", held_elsewhere(result, station)))
    unheld = {"blocked", "blocked-days"} if not station.holds else set()
    unheld |= {"wait", "wait-q90", "waiting"} if station.queue == 0 else set()
    unheld |= {"discharge-days"} if not station.leaves_on else set()
    return [row for name, row in rows if name not in unheld and row.value not in ("–",)]


def _classes(result: Result, station: Station) -> list[tuple[str, ...]]:
    """Who comes: class, patients, mean wait, mean stay, days held."""
    rows = []
    for patient in result.network.classes:
        came = result.estimate("arrivals", station.id, patient.id)
        if came.mean > 0:
            others = [
                flow_words.written(result.estimate(name, station.id, patient.id).mean, measure(name).unit)
                for name in ("wait", "stay", "blocked-days")
            ]
            rows.append((patient.title, flow_words.written(came.mean, "patients"), *others))
    return rows


def _week(deployed: Deployment, assessment: Assessment, job: FlowJob, result: Result, station: Station) -> Chart:
    def make() -> Chart:
        frame = result.by_hour().filter(pl.col("station") == station.id)
        title = f"{station.title} through the hours of the week: places in use, patients waiting and places open"
        return chart(lambda width: week_of_hours(frame, width, title))

    return deployed.remember(assessment, ("flow week", job.id, station.id), make)


def _onward(network: Network, station: Station, result: Result | None) -> Iterator[Onward]:
    known = {one.id: one for one in network.stations}
    named = {route.patient for route in network.routes if route.station == station.id}
    for patient in [one.id for one in network.classes if one.id in named] + ([ANY] if ANY in named else []):
        rows = (
            [row for row in network.routes if row.station == station.id and row.patient == ANY]
            if patient == ANY
            else routes_of(network, station.id, patient)
        )
        for row in rows:
            to = known.get(row.to)
            limited = to is not None and to.servers != UNLIMITED and result is not None
            yield Onward(
                row, flow_words.title_of(network, patient), flow_words.title_of(network, row.to), row.to if to else "", f"{row.share:.1%}",
                flow_words.title_of(network, row.becomes) if row.becomes else "", flow_words.window_of(row),
                figure(result, "full", row.to).value if limited and result else "",
            )  # fmt: skip


def _known(onward: list[Onward]) -> list[tuple[str, str, str]]:
    """How the shares are known: of whom, basis, and what there is to say of it; those known alike together."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in onward:
        evidence = one.route.evidence
        of = found.setdefault((evidence.basis, flow_words.basis_of(evidence)), [])
        if one.patient not in of:
            of.append(one.patient)
    return [(", ".join(of), basis, because) for (basis, because), of in found.items()]


# --- a day -----------------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/flow/day")
def day(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, weekday: str = "Monday", hour: str = "12"
) -> Response:  # fmt: skip
    """A day in the network, to be played or stepped through hour by hour."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    if weekday not in flow_words.DAYS or hour not in HOURS:
        raise Missing("There is no such day or hour.", remedy="Choose a day of the week, and an hour from 0 to 23.")
    try:
        shown = last_run(deployed, assessment, network)
    except Missing:
        shown = None
    if shown is None:
        return page(request, visitor, "flow_unrun.html.j2", assessment, title="A day", called="A day in the network")
    job, _, result = shown
    at = HOURS.index(hour)
    frames = deployed.remember(assessment, ("flow hours", job.id), lambda: _hours(result))
    frame = frames[flow_words.DAYS.index(weekday)]
    return page(
        request, visitor, "flow_day.html.j2", assessment, title="A day", job=job, what=job_title(job, network), weekday=weekday, weekdays=flow_words.DAYS,
        hour=hour, hours=HOURS, before=HOURS[at - 1] if at else "", after=HOURS[at + 1] if at + 1 < len(HOURS) else "",
        film=_film(deployed, assessment, job, result, weekday, frame),
        rows=[_row(network, row) for row in frame.filter(pl.col("hour") == at).iter_rows(named=True)],
    )  # fmt: skip


HOURS = tuple(str(hour) for hour in range(24))


def _hours(result: Result) -> list[pl.DataFrame]:
    """Each weekday hour by hour: station, hour, servers, occupied, waiting, blocked."""
    week = result.by_hour().with_columns(pl.col("hour_of_week") // 24, hour=pl.col("hour_of_week") % 24)
    return [week.filter(pl.col("hour_of_week") == number).drop("hour_of_week") for number in range(7)]


def _film(
    deployed: Deployment, assessment: Assessment, job: FlowJob, result: Result, weekday: str, frame: pl.DataFrame
) -> Chart:
    def make() -> Chart:
        flows = flows_frame(result)
        stations = stations_frame(result, flows)
        title = f"{weekday} in the network, hour by hour: how full each station is and who waits"
        # Each width has buttons of its own, so that no two things on the page have the same id.
        return chart(lambda width: a_day(stations, flows, frame, width, title, f"day{width:.0f}"))

    return deployed.remember(assessment, ("flow day", job.id, weekday), make)


def _row(network: Network, row: dict[str, Any]) -> tuple[Station, str, str, str, str]:
    """Station, places in use, of how many, waiting, held."""
    station = station_of(network, row["station"])
    limited = station.servers != UNLIMITED
    return (
        station, flow_words.written(row["occupied"], "patients"), flow_words.written(row["servers"], "patients") if limited else "no limit",
        flow_words.written(row["waiting"], "patients"), flow_words.written(row["blocked"], "patients") if station.holds else "–",
    )  # fmt: skip
