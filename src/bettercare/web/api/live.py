"""Live state: who is on the wards, a snapshot taken in, every unit as it is now, and forecasts from there."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, File, Form, Query, UploadFile
from pydantic import BaseModel, Field

from bettercare.care.readings import note_reading
from bettercare.care.safer import Safer
from bettercare.care.snapshot import preview, read_upload, take
from bettercare.care.stays import Stay, present
from bettercare.errors import BettercareError
from bettercare.flow.decisions import decisions_of
from bettercare.flow.network import Network
from bettercare.flow.now import Now, occupancy_now
from bettercare.flow.run import SEED
from bettercare.reports.flow.forecast_report import unknown_at
from bettercare.web.api.flow import rows_of
from bettercare.web.api.routing import Assessed, Limit, Start, of_plan
from bettercare.web.api.shapes import Body, Rows, Wall, part_of, shape
from bettercare.web.flow_jobs import MOST, FlowJob
from bettercare.web.guard import Reader, Visitor, needs
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
from bettercare.web.pages.stays import snapshot_time
from bettercare.web.pages.wards import Onlooker, moment_of, network_of, ward_of, wards_now, wards_of
from bettercare.web.state import Deployed

router = of_plan("Live state")

Taker = Annotated[Visitor, Depends(needs("snapshot"))]
Ward = Annotated[str, Query(description="Id of a ward; blank for all of them", max_length=100)]
TakenAt = Annotated[
    str,
    Query(description="When it was taken, by the clock on the wall: 2016-11-02T08:00; blank for now", max_length=40),
]
Csv = Annotated[UploadFile, File(description="A .csv (UTF-8) file with the columns of the template")]
_HOURS = Field(description="How far ahead", ge=1, le=int(HOURS[-1]))
_REPLICATIONS = Field(description="Futures to simulate", ge=2, le=MOST["forecast"])
_SEED = Field(description="The same seed gives the same numbers", ge=0, le=2**31)
_DECISION = Field(
    description="What to try, each a scenario of the network by its id or in words, parts joined with +: "
    "open 12 at STATION, close 4 at STATION, divert 20% of STREAM, weekend discharges at STATION",
    max_length=MOST_DECISIONS,
)


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


class SnapshotOut(BaseModel):
    """What a snapshot of the wards changed, or would change. One who is on another ward now has moved, and has come there."""

    stored: bool = Field(description="False for a file that was only looked at")
    at: datetime
    came: list[Stay] = Field(description="Stays that begin")
    moved: list[Stay] = Field(description="Stays that end, of those who are on another ward now")
    changed: list[Stay] = Field(description="Stays with something new")
    left: list[Stay] = Field(description="Stays that end, of those who are not in the file")
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


class ForecastIn(Body):
    """A forecast that begins with nobody real."""

    hours: Annotated[int, _HOURS] = int(USUAL_HOURS)
    replications: Annotated[int, _REPLICATIONS] = int(USUAL)
    seed: Annotated[int, _SEED] = SEED
    decision: Annotated[list[str], _DECISION] = Field(default_factory=list)


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
    note_reading(
        deployed.store, assessment.plan.id, visitor.user.id, f"ward:{ward}" if ward else "wards", "Read by a program"
    )
    return part_of(present(deployed.store, assessment.plan.id, ward), start, limit)


@router.post("/wards/snapshot", response_model=SnapshotOut)
def snapshot(
    visitor: Taker, assessment: Assessed, deployed: Deployed, file: Csv, ward: Ward = "", at: TakenAt = "",
    look: Annotated[bool, Query(description="Only say what the file would change")] = False,
) -> Any:  # fmt: skip
    """Take in who is on the wards: all of the file or nothing, with every fault at once. Those not in it are marked as left."""
    now, plan = moment_of(assessment), assessment.plan.id
    network = network_of(deployed, assessment)
    if ward:
        ward_of(deployed, assessment, ward, now)
    taken_at = snapshot_time(at, now)
    its = tuple(wards_of(network, now).values())
    read = read_upload(
        file.filename or "stays.csv", file.file.read(), its, [one.id for one in network.classes], taken_at
    )
    found = (
        preview(deployed.store, plan, read, ward) if look else take(deployed.store, plan, visitor.user.id, read, ward)
    )
    return {"stored": not look, "at": taken_at, **vars(found)}


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
def flow_now_of_file(visitor: Onlooker, assessment: Assessed, deployed: Deployed, file: Csv, at: TakenAt = "") -> Any:
    """Every station as a file has it. Nothing of the file is stored."""
    network = network_of(deployed, assessment)
    return _now(now_of_file(file.file.read(), network, at, clock_now(assessment)), network, False)


# --- forecasts ------------------------------------------------------------------------------------------------------------


@router.post("/flow/forecasts", response_model=shape(FlowJob), status_code=202)
def start_forecast(visitor: Reader, assessment: Assessed, deployed: Deployed, body: ForecastIn) -> Any:
    """Ask for a forecast from an invented state, which is about nobody. Follow it at `/flow/runs/{run}`."""
    network = network_of(deployed, assessment)
    decisions = decisions_of(network, body.decision, "decision")
    return ask_forecast(
        visitor, assessment, deployed, network, Wish("invented", body.hours, body.replications, body.seed, decisions)
    )


@router.post("/flow/now/forecasts", response_model=shape(FlowJob), status_code=202)
def start_forecast_now(
    visitor: Onlooker, assessment: Assessed, deployed: Deployed,
    file: Annotated[UploadFile | None, File(description="Who is where, with the columns of the template; without it, from the stays on the wards")] = None,
    at: Annotated[str, Form(description="When the file was taken, if it does not say; blank for now", max_length=40)] = "",
    hours: Annotated[int, Form(), _HOURS] = int(USUAL_HOURS),
    replications: Annotated[int, Form(), _REPLICATIONS] = int(USUAL),
    seed: Annotated[int, Form(), _SEED] = SEED,
    decision: Annotated[list[str], Form(), _DECISION] = [],  # noqa: B006 - FastAPI copies it
) -> Any:  # fmt: skip
    """Ask for a forecast from the stays on the wards, or from a file. Follow it at `/flow/runs/{run}`."""
    network = network_of(deployed, assessment)
    if file is None and at:
        raise BettercareError(
            "It says when a file was taken, and there is no file.", "at", "Send the file, or leave it out."
        )
    decisions = decisions_of(network, decision, "decision")
    wish = Wish(
        "wards" if file is None else "file", hours, replications, seed, decisions, b"" if file is None else file.file.read(), at
    )  # fmt: skip
    return ask_forecast(visitor, assessment, deployed, network, wish)
