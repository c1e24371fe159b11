"""The flow of patients through a plan's network: runs, their figures, stations, the last forecast, and the plan's promises."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any

import polars as pl
from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from bettercare.assurance import Assessment
from bettercare.errors import BettercareError
from bettercare.flow.network import UNLIMITED, Network
from bettercare.flow.result import Result
from bettercare.flow.run import SEED
from bettercare.flow.scenarios import scenario as named
from bettercare.store import Missing
from bettercare.web.api.routing import Assessed, Limit, Start, of_plan
from bettercare.web.api.shapes import Body, Rows, Wall, many, part_of, shape
from bettercare.web.flow_jobs import MOST, FlowJob, fingerprint
from bettercare.web.flow_run import FlowAsked, Kept, Kind
from bettercare.web.guard import Reader, Visitor
from bettercare.web.pages.flow import last_run
from bettercare.web.pages.flow_runs import kept_for, last_seen, may_see, opened
from bettercare.web.state import Deployed, Deployment, network_of

router = of_plan("Flow")

RunId = Annotated[str, Path(description="Id of the run", max_length=40)]
Run = Annotated[str, Query(description="Id of a run; without it, the newest of the network as it is", max_length=40)]
Forecast = Annotated[
    str, Query(description="Id of a forecast; without it, the newest of the network as it is", max_length=40)
]


class HeadlineOut(BaseModel):
    """A figure with its name and what qualifies it."""

    title: str
    value: str
    detail: str


class NetworkOut(BaseModel):
    """A plan's network, and what its last run says."""

    id: str
    title: str
    summary: str
    starts: date = Field(description="The first day that counts")
    days: int
    fingerprint: str = Field(description="Changes when the network does: runs of the same fingerprint can be compared")
    scenarios: dict[str, str] = Field(description="Title of each scenario, by its id")
    run: str | None = Field(description="Id of the newest run of the network as it is; null when there is none")
    verdict: str = Field(description="What that run says, in a sentence or two; blank when there is none")
    headlines: list[HeadlineOut]


class StationOut(BaseModel):
    """A station of the network; figures are means over a run, null where there is none or nothing to measure."""

    id: str
    title: str
    kind: str
    site: str
    organisation: str
    places: str = Field(description="What one place is called")
    limited: bool = Field(description="Whether it has a limit of places")
    holds: bool = Field(description="Whether those who are done keep their place until the next has room")
    occupancy: float | None = Field(description="Share of places in use")
    wait: float | None = Field(description="Mean hours from coming to having a place")
    waiting: float | None = Field(description="Patients waiting, on average")
    blocked: float | None = Field(description="Patients held because the next place has no room, on average")
    full: float | None = Field(description="Share of the hours it is open with no free place")


class MeasureOut(BaseModel):
    """One figure of a run. low to high: how well the mean is known (95%); p05 to p95: how one replication differs from another."""

    measure: str
    of: str = Field(description="Id of the station, clock or outcome")
    title: str
    patient: str = Field(description="all, or id of a class")
    period: str = Field(description="all, or a month")
    unit: str
    mean: float | None
    low: float | None
    high: float | None
    p05: float | None
    p50: float | None
    p95: float | None
    replications: int


class OutlookOut(BaseModel):
    """The chance that a unit runs out of places."""

    decision: str = Field(description="Id of a decision; blank for changing nothing")
    station: str
    title: str
    chance: float | None = Field(description="Of having no free place at the turn of any hour")
    first_hour: float | None = Field(
        description="Hours until then in the middle future; null when fewer than half run out"
    )
    first_hour_if: float | None = Field(description="The same of the futures that do run out")
    at_risk_from: int | None = Field(description="The first hour with a chance of a half; null when there is none")


class HourOut(BaseModel):
    """A station at the turn of an hour, over the futures of a forecast."""

    decision: str = Field(description="Id of a decision; blank for changing nothing")
    station: str
    what: str = Field(description="occupied, waiting or blocked")
    hour: int = Field(description="1 is the first turn of the hour after now")
    at: Wall = Field(description="By the clock on the wall")
    mean: float | None
    p05: float | None
    p25: float | None
    p50: float | None
    p75: float | None
    p95: float | None


class DecisionOut(BaseModel):
    """A decision that is compared with changing nothing."""

    id: str
    title: str


class ForecastOut(BaseModel):
    """A forecast."""

    run: str
    fingerprint: str = Field(description="Of the network it was made with")
    at: Wall = Field(description="The moment it begins at, by the clock on the wall")
    hours: int
    replications: int
    state: str = Field(description="What it begins with: wards, file or invented")
    synthetic: bool = Field(description="Whether patients of that state are invented")
    decisions: list[DecisionOut]
    verdict: str
    units: list[OutlookOut]


class PromiseOut(BaseModel):
    """A promise of the plan, tested in its network."""

    promise: str
    title: str
    metric: str
    period: str
    unit: str
    value: float | None = Field(description="The middle of all futures")
    low: float | None = Field(description="Nine futures in ten lie between low and high")
    high: float | None
    bound: float | None = Field(description="What is promised")
    comparison: str
    probability: float | None = Field(description="Share of futures in which it holds")
    draws: int


class PromisesOut(BaseModel):
    """The plan's promises as they were last tested."""

    run: str
    verdict: str
    promises: list[PromiseOut]


class FlowRunIn(Body):
    """What is asked of a network."""

    replications: int = Field(100, description="Independent runs", ge=2, le=MOST["run"])
    seed: int = Field(SEED, description="The same seed gives the same numbers", ge=0, le=2**31)
    scenario: str = Field("", description="Of the network; blank for the network as it is", max_length=120)


def _known(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value


def rows_of(frame: pl.DataFrame) -> list[dict[str, Any]]:
    return [{name: _known(value) for name, value in row.items()} for row in frame.iter_rows(named=True)]


def _last(
    visitor: Visitor, deployed: Deployment, assessment: Assessment, kind: Kind, what: str, run: str = ""
) -> tuple[FlowJob, Kept]:
    network = network_of(deployed, assessment)
    if run:
        asked = opened(deployed, assessment, visitor, run)
        if asked.asked.kind != kind or asked.state != "done":
            raise Missing(f"{run[:40]!r} is no {what} that is done.", remedy="Wait until it is, or ask for one.")
        return asked, kept_for(deployed, visitor, asked)
    job = last_seen(deployed, assessment, network, visitor, kind)
    if job is None and (hidden := deployed.flow_jobs.last(assessment.plan, network, kind, of_patients=True)):
        opened(deployed, assessment, visitor, hidden.id)
    if job is None:
        raise Missing(f"There is no {what} of the network as it now is.", remedy="Ask for one on the plan's pages.")
    return job, kept_for(deployed, visitor, job)


@router.get("/flow", response_model=NetworkOut)
def network(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """The plan's network, and the headlines of its last run."""
    its = network_of(deployed, assessment)
    shown = last_run(deployed, assessment, its)
    return {
        "id": its.id, "title": its.title, "summary": its.summary, "starts": its.starts, "days": its.days, "fingerprint": fingerprint(its),
        "scenarios": {one.id: one.title for one in its.scenarios}, "run": shown[0].id if shown else None,
        "verdict": shown[1].document.verdict if shown else "",
        "headlines": [vars(one) for one in shown[1].document.headlines] if shown else [],
    }  # fmt: skip


@router.get("/flow/stations", response_model=list[StationOut])
def stations(visitor: Reader, assessment: Assessed, deployed: Deployed, run: Run = "") -> Any:
    """Every station, with its figures in a run."""
    its = network_of(deployed, assessment)
    shown = last_run(deployed, assessment, its, run)
    return list(_stations(shown[1].network if shown else its, shown[2] if shown else None))


def _stations(its: Network, result: Result | None) -> list[Mapping[str, Any]]:
    names = ("occupancy", "wait", "waiting", "blocked", "full")
    return [
        {
            "id": one.id, "title": one.title, "kind": one.kind, "site": one.site, "organisation": one.organisation, "places": one.places,
            "limited": one.servers != UNLIMITED, "holds": one.holds,
        } | {name: _known(result.estimate(name, one.id).mean) if result else None for name in names}
        for one in its.stations
    ]  # fmt: skip


@router.get("/flow/table", response_model=Rows[MeasureOut])
def table(
    visitor: Reader, assessment: Assessed, deployed: Deployed, run: Run = "", start: Start = 0, limit: Limit = 100
) -> Any:
    """Every figure of a run: stations, clocks and outcomes over the whole of it."""
    shown = last_run(deployed, assessment, network_of(deployed, assessment), run)
    if shown is None:
        raise Missing("There is no run of the network as it now is.", remedy="Ask for one first.")
    job, _, result = shown
    frame = deployed.remember(assessment, ("flow table", job.id), result.table)
    return part_of(rows_of(frame), start, limit)


@router.get("/flow/forecast", response_model=ForecastOut)
def forecast(visitor: Reader, assessment: Assessed, deployed: Deployed, run: Forecast = "") -> Any:
    """A forecast: which units run out of places."""
    job, kept = _last(visitor, deployed, assessment, "forecast", "forecast", run)
    asked = job.asked
    ids = [one for one in kept.tables["runs-out"]["decision"].unique(maintain_order=True) if one]
    return {
        "run": job.id, "fingerprint": job.network, "at": asked.at, "hours": asked.hours, "replications": asked.replications, "state": asked.state,
        "synthetic": asked.synthetic or asked.state == "invented", "verdict": kept.document.verdict,
        "decisions": [{"id": id, "title": title} for id, title in zip(ids, asked.decisions, strict=False)],
        "units": rows_of(kept.tables["runs-out"]),
    }  # fmt: skip


@router.get("/flow/forecast/hours", response_model=Rows[HourOut])
def forecast_hours(
    visitor: Reader, assessment: Assessed, deployed: Deployed, run: Forecast = "",
    station: Annotated[str, Query(description="Id of a station; blank for all", max_length=120)] = "", start: Start = 0, limit: Limit = 100,
) -> Any:  # fmt: skip
    """A forecast hour by hour."""
    _, kept = _last(visitor, deployed, assessment, "forecast", "forecast", run)
    frame = kept.tables["hours"]
    end = start + limit
    chosen = frame.filter(pl.col("station") == station) if station else frame
    return {"rows": rows_of(chosen.slice(start, limit)), "next": end if end < chosen.height else None}


@router.get("/flow/promises", response_model=PromisesOut)
def promises(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """The plan's promises as they were last tested in its network."""
    job, kept = _last(visitor, deployed, assessment, "promises", "test of the promises")
    return {"run": job.id, "verdict": kept.document.verdict, "promises": rows_of(kept.tables["answers"])}


@router.get("/flow/runs", response_model=many(FlowJob))
def flow_runs(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """The work on the network that is kept, the newest first."""
    network_of(deployed, assessment)
    return [job for job in deployed.flow_jobs.recent(assessment.plan.id) if may_see(visitor, job)]


@router.post("/flow/runs", response_model=shape(FlowJob), status_code=202)
def start_flow_run(visitor: Reader, assessment: Assessed, deployed: Deployed, body: FlowRunIn) -> Any:
    """Ask for a run of the network. One that is done or under way already is not made again: its id is the same."""
    its = network_of(deployed, assessment)
    if body.scenario:
        named(its, body.scenario)
    asked = FlowAsked("run", body.replications, body.seed, body.scenario)
    return deployed.flow_jobs.start(assessment.plan, its, asked, visitor.user.id)


@router.get("/flow/runs/{run}", response_model=shape(FlowJob))
def flow_run(visitor: Reader, assessment: Assessed, deployed: Deployed, run: RunId) -> Any:
    """How far a piece of work is."""
    network_of(deployed, assessment)
    return opened(deployed, assessment, visitor, run)


@router.delete("/flow/runs/{run}", status_code=204, response_class=Response)
def cancel_flow_run(visitor: Reader, assessment: Assessed, deployed: Deployed, run: RunId) -> None:
    """Stop a piece of work; nothing of it is kept."""
    network_of(deployed, assessment)
    job = opened(deployed, assessment, visitor, run)
    if job.over:
        raise BettercareError("The run is over, so it cannot be stopped.", remedy="Nothing needs to be done.")
    deployed.flow_jobs.cancel(job, visitor.user.id)
