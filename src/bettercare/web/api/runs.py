"""Runs of the model in the background: asked for, followed, stopped; their results as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Response
from pydantic import BaseModel, Field

from bettercare.errors import BettercareError
from bettercare.model import SEED
from bettercare.reports.exhibit import Document, Exhibit
from bettercare.web.api.routing import Assessed, of_plan
from bettercare.web.api.shapes import Body, many, shape
from bettercare.web.guard import Reader
from bettercare.web.jobs import MOST_RUNS, Job
from bettercare.web.model_run import Asked
from bettercare.web.state import Deployed

RunId = Annotated[str, Path(description="Id of the run", max_length=40)]

router = of_plan("Model")


class RunIn(Body):
    """What is asked of the model."""

    runs: int = Field(
        1000, description="How many times to sample what is uncertain; 0 for the plan as published", ge=0, le=MOST_RUNS
    )
    seed: int = Field(SEED, description="The same seed gives the same numbers", ge=0, le=2**31)
    scenarios: list[str] = Field([], description="Scenarios of the plan to run under, together", max_length=20)
    comparisons: list[str] = Field([], description="Scenarios to set beside it, each on its own", max_length=20)


class TableOut(BaseModel):
    """Figures with what they say."""

    id: str
    message: str = Field(description="What the figures say, in a sentence")
    columns: dict[str, str] = Field(description="Title of each column, by its name in the rows")
    rows: list[dict[str, str | float | None]]


class ResultOut(BaseModel):
    """What came of a run."""

    title: str
    verdict: str = Field(description="What a reader must know, in a sentence or two")
    tables: list[TableOut]


@router.get("/runs", response_model=many(Job))
def runs(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """The runs that are kept, the newest first."""
    return deployed.jobs.recent(assessment.plan.id)


@router.post("/runs", response_model=shape(Job), status_code=202)
def start_run(visitor: Reader, assessment: Assessed, deployed: Deployed, body: RunIn) -> Any:
    """Ask for a run. One that is done or under way already is not made again: its id is the same."""
    plan = assessment.plan
    unknown = [name for name in (*body.scenarios, *body.comparisons) if name not in plan.scenarios]
    if unknown:
        raise BettercareError(
            f"The plan has no scenario {unknown[0]!r}.", remedy=f"It has: {', '.join(plan.scenarios)}."
        )
    asked = Asked(body.runs, body.seed, tuple(body.scenarios), tuple(body.comparisons))
    return deployed.jobs.start(plan, asked, visitor.user.id)


@router.get("/runs/{run}", response_model=shape(Job))
def run(visitor: Reader, assessment: Assessed, deployed: Deployed, run: RunId) -> Any:
    """How far a run is."""
    return deployed.jobs.job(assessment.plan.id, run)


@router.delete("/runs/{run}", status_code=204, response_class=Response)
def cancel_run(visitor: Reader, assessment: Assessed, deployed: Deployed, run: RunId) -> None:
    """Stop a run; nothing of it is kept."""
    deployed.jobs.cancel(deployed.jobs.job(assessment.plan.id, run), visitor.user.id)


@router.get("/runs/{run}/result", response_model=ResultOut)
def run_result(visitor: Reader, assessment: Assessed, deployed: Deployed, run: RunId) -> Any:
    """What came of a run: every table of its report."""
    job = deployed.jobs.job(assessment.plan.id, run)
    if job.state != "done":
        raise BettercareError(f"The run is {job.state}, so it has no result.", remedy=job.fault or "Ask how far it is.")
    return _result(deployed.jobs.document(job))


def _result(document: Document) -> Mapping[str, Any]:
    return {
        "title": document.title,
        "verdict": document.verdict,
        "tables": [_table(one) for one in document.exhibits if one.table],
    }


def _table(exhibit: Exhibit) -> Mapping[str, Any]:
    assert exhibit.table is not None
    columns = exhibit.table.columns
    return {
        "id": exhibit.id,
        "message": exhibit.message,
        "columns": {one.key: one.title for one in columns},
        "rows": [{one.key: _cell(row.get(one.key), one.numeric) for one in columns} for row in exhibit.table.rows],
    }


def _cell(value: Any, numeric: bool) -> str | float | None:
    if value is None or value == "":
        return None
    return float(value) if numeric else str(value)
