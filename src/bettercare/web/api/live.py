"""Live state: who is on the wards, a snapshot taken in, every unit as it is now, and forecasts from there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query, UploadFile
from pydantic import BaseModel, Field

from bettercare.assurance import Assessment
from bettercare.care.safer import Safer
from bettercare.care.snapshot import preview, take
from bettercare.care.stays import Stay, present
from bettercare.errors import BettercareError
from bettercare.flow.decisions import decisions_of
from bettercare.flow.network import Network
from bettercare.flow.now import Now, occupancy_now
from bettercare.flow.run import SEED
from bettercare.reports.flow.forecast_report import unknown_at
from bettercare.web.api.flow import rows_of
from bettercare.web.api.routing import Assessed, Limit, Start, of_plan
from bettercare.web.api.shapes import MULTIPART, Body, Rows, Wall, part_of, shape
from bettercare.web.flow_jobs import MOST, FlowJob
from bettercare.web.flow_run import State
from bettercare.web.guard import Reader, Visitor
from bettercare.web.pages.flow_forecast import (
    HOURS,
    MOST_DECISIONS,
    USUAL,
    USUAL_HOURS,
    Wish,
    ask_forecast,
    clock_now,
    now_of_file,
    now_of_wards,
)
from bettercare.web.pages.stays import Taker, snapshot_of
from bettercare.web.pages.wards import Onlooker, moment_of, note_wards, ward_of, wards_now
from bettercare.web.state import Deployed, Deployment, network_of

router = of_plan("Live state")

Ward = Annotated[str, Query(description="Id of a ward; blank for all of them", max_length=100)]
_TAKEN_AT = "When the file was taken, by the clock on the wall: 2016-11-02T08:00; blank for now, or when the file says"


class ForecastIn(Body):
    """A forecast that begins with an invented state."""

    hours: int = Field(int(USUAL_HOURS), description="How far ahead", ge=1, le=int(HOURS[-1]))
    replications: int = Field(int(USUAL), description="Futures to simulate", ge=2, le=MOST["forecast"])
    seed: int = Field(SEED, description="The same seed gives the same numbers", ge=0, le=2**31)
    decision: list[str] = Field(
        default_factory=list,
        description="What to try, each a scenario of the network by its id or in words, parts joined with +: "
        "open 12 at STATION, close 4 at STATION, divert 20% of STREAM, weekend discharges at STATION",
        max_length=MOST_DECISIONS,
    )


class ForecastNowIn(ForecastIn):
    """A forecast that begins with who is there."""

    state: Literal["wards", "file"] = Field(description="The stays on the wards, or the file that is sent with it")
    file: UploadFile | None = Field(
        None, description="Who is where: .csv (UTF-8), as `/plans/{plan}/flow/now/template.csv` has it"
    )
    at: str = Field("", description=_TAKEN_AT, max_length=40)


class NowIn(Body):
    """Who is where."""

    file: UploadFile = Field(description="A .csv (UTF-8) file as `/plans/{plan}/flow/now/template.csv` has it")
    at: str = Field("", description=_TAKEN_AT, max_length=40)


class SnapshotIn(Body):
    """Who is on the wards."""

    file: UploadFile = Field(description="A .csv (UTF-8) file as `/plans/{plan}/stays/template.csv` has it")
    ward: str = Field("", description="Id of the ward that the file is of; blank for all of them", max_length=100)
    at: str = Field("", description=_TAKEN_AT, max_length=40)
    look: bool = Field(False, description="Only say what the file would change")


class WardOut(BaseModel):
    """A ward, or a unit of one, as it does today: the SAFER bundle, and red and green days."""

    id: str = Field(description="Of the ward in the plan's network of care")
    title: str
    unit: str = Field(description="Blank for the whole of a ward")
    beds: int | None = Field(description="Open now, of the whole ward; null without limit")
    today: shape(Safer)  # type: ignore[valid-type]


class WardsOut(BaseModel):
    """Every ward with patients."""

    at: datetime
    synthetic: bool = Field(description="Whether any of the patients is invented")
    whole: shape(Safer)  # type: ignore[valid-type]
    wards: list[WardOut]


class RedOut(BaseModel):
    """Red days of a week, of one reason."""

    reason: str = Field(description="What the patients waited for")
    outside: bool = Field(description="Whether it lies outside the hospital")
    days: int = Field(description="Days of patients")
    stays: int = Field(description="Stays they are of")
    share: float = Field(description="Of all red days")


class OnWard(BaseModel):
    """A stay in short."""

    pseudonym: str
    station: str = Field(description="Id of the ward")
    unit: str
    bed: str
    since: datetime


class SnapshotOut(BaseModel):
    """What a snapshot of the wards changed, or would change. One who is on another ward now has moved, and has come there."""

    stored: bool = Field(description="False for a file that was only looked at")
    at: datetime
    came: list[OnWard] = Field(description="Stays that begin")
    moved: list[OnWard] = Field(description="Stays that end, of those who are on another ward now")
    changed: list[OnWard] = Field(description="Stays with something new")
    left: list[OnWard] = Field(description="Stays that end, of those who are not in the file")
    kept: list[str] = Field(
        description="Pseudonyms in the file that are known to have left before it was taken: they stay left"
    )


class UnitOut(BaseModel):
    """A station now."""

    station: str
    title: str
    servers: int | None = Field(description="Places open now; null without limit")
    in_service: int = Field(description="Patients in a place who are not ready to leave it")
    ready: int = Field(description="Patients in a place who could leave it")
    waiting: int = Field(description="Patients waiting for a place")
    occupancy: float | None = Field(description="Share of places in use; null without limit or places")
    free: int | None = Field(description="Places free; null without limit")


class NowOut(BaseModel):
    """Every station of the network as it is now."""

    at: Wall = Field(description="By the clock on the wall")
    synthetic: bool = Field(description="Whether any of the patients is known to be invented")
    warnings: list[str] = Field(description="What to know of the state")
    units: list[UnitOut]


# --- wards ----------------------------------------------------------------------------------------------------------------


@router.get("/wards", response_model=WardsOut)
def wards(visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Any:
    """Every ward with patients, and how it does today. That it was read is written down."""
    its = wards_now(visitor, assessment, deployed, network_of(deployed, assessment))
    return {
        "at": its.now, "synthetic": any(stay.synthetic for stay in its.here), "whole": its.whole,
        "wards": [
            {"id": one.ward.id, "title": one.ward.title, "unit": one.unit, "beds": one.ward.beds, "today": one.measured}
            for one in its.lines
        ],
    }  # fmt: skip


@router.get("/wards/red-days", response_model=list[RedOut])
def reds(visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Any:
    """What red days of the last seven days were for, the most first. That it was read is written down."""
    return wards_now(visitor, assessment, deployed, network_of(deployed, assessment)).reds.to_dicts()


@router.get("/wards/stays", response_model=Rows[Stay])
def stays(
    visitor: Onlooker, assessment: Assessed, deployed: Deployed, ward: Ward = "", start: Start = 0, limit: Limit = 100
) -> Any:
    """Who is on the wards now, by pseudonym. That it was read is written down."""
    if ward:
        ward_of(deployed, assessment, ward, moment_of(assessment))
    note_wards(visitor, assessment, deployed, ward, "Read by a program")
    return part_of(present(deployed.store, assessment.plan.id, ward), start, limit)


@router.post("/wards/snapshot", response_model=SnapshotOut)
def snapshot(visitor: Taker, assessment: Assessed, deployed: Deployed, body: Annotated[SnapshotIn, MULTIPART]) -> Any:
    """Take in who is on the wards: all of the file or nothing, with every fault at once. Those not in it are marked as left."""
    store, plan, name = deployed.store, assessment.plan.id, body.file.filename or "stays.csv"
    read = snapshot_of(deployed, assessment, name, body.file.file.read(), body.ward, body.at)
    note_wards(visitor, assessment, deployed, body.ward, "What a snapshot changes")
    found = preview(store, plan, read, body.ward) if body.look else take(store, plan, visitor.user.id, read, body.ward)
    return {
        "stored": not body.look, "at": read.at, "kept": found.kept,
        **{name: [vars(stay) for stay in getattr(found, name)] for name in ("came", "moved", "changed", "left")},
    }  # fmt: skip


# --- now ------------------------------------------------------------------------------------------------------------------


def _now(now: Now, network: Network, synthetic: bool) -> dict[str, Any]:
    return {
        "at": now.at, "synthetic": synthetic, "warnings": [*now.warnings, *unknown_at(now, network)],
        "units": rows_of(occupancy_now(now, network)),
    }  # fmt: skip


@router.get("/flow/now", response_model=NowOut)
def flow_now(visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Any:
    """Every station as it is now, from the stays on the wards. That it was read is written down."""
    network = network_of(deployed, assessment)
    now, synthetic = now_of_wards(deployed, assessment, network, visitor, "State of the network")
    return _now(now, network, synthetic)


@router.post("/flow/now", response_model=NowOut)
def flow_now_of_file(
    visitor: Onlooker, assessment: Assessed, deployed: Deployed, body: Annotated[NowIn, MULTIPART]
) -> Any:
    """Every station as a file has it. Nothing of the file is stored."""
    network = network_of(deployed, assessment)
    return _now(now_of_file(body.file.file.read(), network, body.at, clock_now(assessment)), network, False)


# --- forecasts ------------------------------------------------------------------------------------------------------------


@router.post("/flow/forecasts", response_model=shape(FlowJob), status_code=202)
def start_forecast(visitor: Reader, assessment: Assessed, deployed: Deployed, body: ForecastIn) -> Any:
    """Ask for a forecast from an invented state, which is about nobody. Follow it at `/flow/runs/{run}`."""
    return _start(visitor, assessment, deployed, body, "invented")


@router.post("/flow/now/forecasts", response_model=shape(FlowJob), status_code=202)
def start_forecast_now(
    visitor: Onlooker, assessment: Assessed, deployed: Deployed, body: Annotated[ForecastNowIn, MULTIPART]
) -> Any:
    """Ask for a forecast from the stays on the wards, or from a file. Follow it at `/flow/runs/{run}`."""
    if (body.state == "file") != (body.file is not None):
        said = (
            "It is to begin with a file, and there is none"
            if body.file is None
            else "It is to begin with the wards, and there is a file"
        )
        raise BettercareError(f"{said}.", "state", "Say file and send one, or say wards and send none.")
    return _start(visitor, assessment, deployed, body, body.state, body.file, body.at)


def _start(
    visitor: Visitor, assessment: Assessment, deployed: Deployment, body: ForecastIn, state: State, file: UploadFile | None = None, at: str = "",
) -> FlowJob:  # fmt: skip
    network = network_of(deployed, assessment)
    decisions = decisions_of(network, body.decision, "decision")
    content = file.file.read() if file else b""
    wish = Wish(state, body.hours, body.replications, body.seed, decisions, content, at)
    return ask_forecast(visitor, assessment, deployed, network, wish)
