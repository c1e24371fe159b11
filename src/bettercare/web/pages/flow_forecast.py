"""Where the network stands now, and a forecast from there: which units run out of places, and what a decision would change."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl
from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData, UploadFile

from bettercare.assurance import Assessment
from bettercare.care.now import state_now
from bettercare.care.readings import note_reading
from bettercare.care.stays import present, wall
from bettercare.errors import BettercareError, Fault
from bettercare.flow.decisions import divert, open_places, wards_with_discharge_times, weekend_discharges
from bettercare.flow.network import UNLIMITED, Network, Scenario
from bettercare.flow.now import COLUMNS, Now, occupancy_now, read_now, template
from bettercare.flow.run import SEED
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as named
from bettercare.reports.amounts import NONE, count
from bettercare.reports.flow.answers import share
from bettercare.reports.flow.forecast_report import unknown_at
from bettercare.store import Missing
from bettercare.web.flow_jobs import FlowJob
from bettercare.web.flow_run import FlowAsked, State
from bettercare.web.forms import faults_said
from bettercare.web.guard import Reader, Sent, Visitor
from bettercare.web.pages.flow import without_network
from bettercare.web.pages.flow_runs import address, jobs_of, kept_for, last_seen, may_see, whole_number
from bettercare.web.pages.model import is_sign
from bettercare.web.pages.wards import Onlooker, moment_of
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

HOURS = ("24", "72", "168")
REPLICATIONS = ("100", "200", "500", "1000")
USUAL_HOURS, USUAL = "72", "200"
FEWER = {
    "0.9": (10, "one in ten fewer"),
    "0.75": (25, "a quarter fewer"),
    "0.5": (50, "half as many"),
    "0": (100, "none at all"),
}
"""How much of a stream can be sent elsewhere, by what its arrivals are multiplied with: in a hundred, and in words."""
MOST_DECISIONS = 4
SHOWN = 200
"""Most faults of a file that a page shows."""
PART = 200_000
"""Letters of a hidden field; a field of a form may hold a megabyte."""


# --- now -------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """A station as it is now."""

    id: str
    title: str
    places: str
    used: int
    free: str
    ready: int
    waiting: int
    occupancy: str
    is_full: bool


@dataclass(frozen=True)
class Standing:
    """The network as it is now."""

    now: Now
    units: tuple[Unit, ...]
    """Those where somebody is."""
    empty: tuple[str, ...]
    """Titles of the others."""
    unknown: tuple[str, ...]
    """What to know when there are many of them."""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What to know of the state."""
        return (*self.now.warnings, *self.unknown)


def standing_of(now: Now, network: Network) -> Standing:
    frame = occupancy_now(now, network)
    somebody = pl.col("in_service") + pl.col("ready") + pl.col("waiting") > 0
    units = tuple(
        Unit(
            row["station"], row["title"], "no limit" if row["servers"] is None else count(row["servers"]), row["used"],
            NONE if row["free"] is None else count(row["free"]), row["ready"], row["waiting"],
            NONE if row["occupancy"] is None else share(row["occupancy"]), row["free"] == 0,
        )
        for row in frame.filter(somebody).with_columns(used=pl.col("in_service") + pl.col("ready")).iter_rows(named=True)
    )  # fmt: skip
    return Standing(now, units, tuple(frame.filter(~somebody)["title"].to_list()), unknown_at(now, network))


def clock_now(assessment: Assessment) -> datetime:
    """The moment that pages speak of, by the clock on the wall."""
    return wall(moment_of(assessment)).replace(tzinfo=None, microsecond=0)


def now_of_wards(deployed: Deployment, assessment: Assessment, network: Network, visitor: Visitor, why: str) -> tuple[Now, bool]:  # fmt: skip
    """The state from the wards' stays, and whether some of it is invented; the reading is written down first."""
    note_reading(deployed.store, assessment.plan.id, visitor.user.id, "wards", why)
    stays = present(deployed.store, assessment.plan.id)
    now = Now.of(state_now(stays, moment_of(assessment)), network, clock_now(assessment))
    return now, any(stay.synthetic for stay in stays)


@router.get("/plans/{plan}/flow/now")
def live(request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Response:
    """Every unit as it is now, from the stays on the wards."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    try:
        now, synthetic = now_of_wards(deployed, assessment, network, visitor, "State of the network")
    except BettercareError as error:
        return _now_page(request, visitor, assessment, network, unfit=faults_said(error))
    return _now_page(request, visitor, assessment, network, standing=standing_of(now, network), synthetic=synthetic)


@router.post("/plans/{plan}/flow/now")
def from_file(request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Every unit as a file has it. Nothing of the file is stored."""
    network = network_of(deployed, assessment)
    try:
        content = _content(sent)
        now = now_of_file(content, network, _taken_at(sent), clock_now(assessment))
    except BettercareError as error:
        return _now_page(request, visitor, assessment, network, faults=faults_said(error), sent=sent)
    text = content.decode("utf-8-sig", "replace")
    rows = [text[start : start + PART] for start in range(0, len(text), PART)]
    return _now_page(request, visitor, assessment, network, standing=standing_of(now, network), rows=rows, sent=sent)


@router.get("/plans/{plan}/flow/now/template.csv")
def now_template(visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Response:
    """The file to fill in."""
    network = network_of(deployed, assessment)
    named_file = {"Content-Disposition": f'attachment; filename="{assessment.plan.id}-now.csv"'}
    return Response(template(network, clock_now(assessment)), media_type="text/csv; charset=utf-8", headers=named_file)


def _now_page(
    request: Request, visitor: Visitor, assessment: Assessment, network: Network, *, standing: Standing | None = None, synthetic: bool = False,
    rows: Sequence[str] = (), faults: Sequence[Fault] = (), unfit: Sequence[Fault] = (), sent: FormData | None = None,
) -> Response:  # fmt: skip
    units = standing.units if standing else ()
    return page(
        request, visitor, "flow_now.html.j2", assessment, title="Now", status=400 if faults else 200, faulty=bool(faults), faults=faults, unfit=unfit,
        most=SHOWN, network=network, standing=standing, synthetic=synthetic, rows=rows, at=str(sent.get("at", ""))[:40] if sent else "",
        full=sum(one.is_full for one in units), ready=sum(one.ready for one in units), waiting=sum(one.waiting for one in units),
        columns=COLUMNS.columns, hours=USUAL_HOURS, replications=USUAL, seed=SEED,
    )  # fmt: skip


def _content(sent: FormData) -> bytes:
    """The file that was sent, or the rows of one that was shown before.

    Raises:
        BettercareError: there is neither.
    """
    shown = "".join(part for part in sent.getlist("rows") if isinstance(part, str))
    file = sent.get("file")
    if shown:
        return shown.encode()
    if not isinstance(file, UploadFile) or not file.filename:
        raise BettercareError("No file is chosen.", remedy="Choose one with the columns listed below.")
    return file.file.read()


def _taken_at(sent: FormData) -> str:
    return str(sent.get("at", ""))


def now_of_file(content: bytes, network: Network, taken_at: str, moment: datetime) -> Now:
    """The state from a file that was sent.

    Args:
        taken_at: when it was taken, as typed; where it is blank and the file does not say, it is ``moment``.

    Raises:
        BettercareError: that is not a time, or the file has faults: all of them.
    """
    text = taken_at.strip()
    try:
        at = datetime.fromisoformat(text) if text else None
    except ValueError:
        raise BettercareError("When it was taken is not a time.", "at", "Write it as 2016-11-02T08:00.") from None
    if at is None and b"at" not in content.partition(b"\n")[0].lower().replace(b'"', b"").strip().split(b","):
        at = moment
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "now.csv"
        path.write_bytes(content)
        return read_now(path, network, at)


# --- decisions -------------------------------------------------------------------------------------------------------------


def _chosen(network: Network, sent: FormData) -> Iterator[Scenario]:
    """The decisions that a form asks to compare."""
    units = {one.id: one for one in network.stations}
    if str(sent.get("beds", "")).strip():
        beds, at = whole_number(sent, "beds", "number of places to open"), str(sent.get("unit", ""))
        if at not in units:
            raise BettercareError("No unit is chosen to open places at.", remedy="Choose one from the list.")
        yield open_places(units[at], beds)
    if stream := str(sent.get("stream", "")):
        streams, factor = {one.id: one for one in network.arrivals}, str(sent.get("fewer", ""))
        if stream not in streams or factor not in FEWER:
            raise BettercareError("What to divert is not on the list.", remedy="Choose a stream, and how many fewer.")
        yield divert(streams[stream], FEWER[factor][0])
    if sent.get("weekend"):
        yield weekend_discharges(wards_with_discharge_times(network))
    for one in dict.fromkeys(str(one) for one in sent.getlist("scenario")):
        yield named(network, one)


# --- the forecast ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wish:
    """A forecast that somebody wants."""

    state: State
    hours: int
    replications: int
    seed: int
    decisions: tuple[Scenario, ...] = ()
    file: bytes = b""
    """Who is where, when the state is a file's."""
    taken_at: str = ""
    """When that was, as typed."""


def ask_forecast(
    visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network, wish: Wish
) -> FlowJob:
    """Ask for a forecast from the wards, from a file, or from an invented state; a reading of the wards is written down first.

    Raises:
        BettercareError: there is nobody to begin from, the file has faults, or the forecast cannot be made as wanted.
    """
    if not 1 <= wish.hours <= int(HOURS[-1]):
        raise BettercareError(f"{wish.hours} hours cannot be forecast.", "hours", f"Ask for 1 to {HOURS[-1]}.")
    if len(wish.decisions) > MOST_DECISIONS:
        raise BettercareError(
            f"{len(wish.decisions)} decisions are too many to compare.", "decision", f"Choose at most {MOST_DECISIONS}."
        )
    for one in wish.decisions:
        changed(network, one)
    now: Now | None = None
    synthetic, warnings, moment = False, tuple[str, ...](), clock_now(assessment)
    if wish.state == "wards":
        now, synthetic = now_of_wards(deployed, assessment, network, visitor, "Forecast of the network")
    elif wish.state == "file":
        now = now_of_file(wish.file, network, wish.taken_at, moment)
    if now is not None:
        if not now.rows.height:
            raise BettercareError(
                "Nobody is in that state, so there is nothing to begin from.",
                remedy="Take in a snapshot of the wards, choose a file, or begin from an invented state.",
            )
        # Its own warnings are told by the report.
        warnings = unknown_at(now, network)
    asked = FlowAsked(
        "forecast", wish.replications, wish.seed, hours=wish.hours, state=wish.state, at=(now.at if now else moment).isoformat(),
        decisions=tuple(one.title for one in wish.decisions), synthetic=synthetic,
    )  # fmt: skip
    return deployed.flow_jobs.start(
        assessment.plan, network, asked, visitor.user.id, now=now, decisions=wish.decisions, warnings=warnings
    )


@router.get("/plans/{plan}/flow/forecast")
def forecast(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The last forecast, and a form for another; a first one is made from an invented state when there has been none."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    return _forecast_page(request, visitor, assessment, deployed, network)


@router.post("/plans/{plan}/flow/forecast")
def forecast_invented(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent
) -> Response:
    """Forecast from an invented state, which is about nobody."""
    return _start(request, visitor, assessment, deployed, sent, "invented")


@router.post("/plans/{plan}/flow/now/forecast")
def forecast_now(request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Forecast from the wards, from a file, or from an invented state."""
    asked = str(sent.get("state", ""))
    state: State = "wards" if asked == "wards" else "file" if asked == "file" else "invented"
    return _start(request, visitor, assessment, deployed, sent, state)


def _start(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, sent: FormData, state: State
) -> Response:
    network = network_of(deployed, assessment)
    try:
        wish = Wish(
            state, whole_number(sent, "hours", "number of hours"), whole_number(sent, "replications", "number of replications"),
            whole_number(sent, "seed", "seed"), tuple(_chosen(network, sent)), _content(sent) if state == "file" else b"", _taken_at(sent),
        )  # fmt: skip
        job = ask_forecast(visitor, assessment, deployed, network, wish)
    except BettercareError as error:
        return _forecast_page(request, visitor, assessment, deployed, network, faults_said(error), sent)
    return done(address(job))


def _forecast_page(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network, faults: Sequence[Fault] = (),
    sent: FormData | None = None,
) -> Response:  # fmt: skip
    job = last_seen(deployed, assessment, network, visitor, "forecast")
    try:
        document = kept_for(deployed, visitor, job).document if job else None
    except Missing:
        document = None
    typed = sent if sent is not None else FormData()
    first = None if document or faults else _first(visitor, assessment, deployed, network)
    return page(
        request, visitor, "flow_forecast.html.j2", assessment, title="Forecast", status=400 if faults else 200, faulty=bool(faults), faults=faults,
        most=SHOWN, network=network, job=first or job, document=document, first=first, is_sign=is_sign, jobs=jobs_of(deployed, assessment, network, visitor, "forecast"),
        units=[one for one in network.stations if one.servers != UNLIMITED], streams=network.arrivals, fewer={factor: words for factor, (_, words) in FEWER.items()}, all_hours=HOURS, numbers=REPLICATIONS,
        weekend=bool(wards_with_discharge_times(network)), ticked=[str(one) for one in typed.getlist("scenario")],
        typed={
            "hours": USUAL_HOURS, "replications": USUAL, "seed": str(SEED), "state": "wards", "beds": "", "unit": "", "stream": "", "fewer": "0.75",
            "weekend": "", "at": "",
        } | {name: str(value)[:120] for name, value in typed.items() if isinstance(value, str)},
    )  # fmt: skip


def _first(visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network) -> FlowJob | None:
    """The forecast that is under way, or else a first one that is begun: so that whoever opens the page sees what one looks like."""
    jobs, mark = deployed.flow_jobs, deployed.flow_jobs.mark(assessment.plan, network, "forecast")
    known = [
        job for job in jobs.recent(assessment.plan.id, "forecast") if job.network == mark and may_see(visitor, job)
    ]
    if not known:
        asked = FlowAsked(
            "forecast", int(USUAL), SEED, hours=int(USUAL_HOURS), state="invented", at=clock_now(assessment).isoformat()
        )
        with suppress(BettercareError):
            return jobs.start(assessment.plan, network, asked, "bettercare")
    return next((job for job in known if not job.over), None)
