"""Reports that were published, and the history of every row."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Literal

from fastapi import Path, Query, Response
from pydantic import BaseModel, Field

from bettercare.errors import BettercareError
from bettercare.reports.published import Kind, Published, publish, verify
from bettercare.web.api.routing import Assessed, Id, Limit, of_plan
from bettercare.web.api.shapes import Body
from bettercare.web.guard import Reader
from bettercare.web.pages.changes import NAMES
from bettercare.web.pages.reports import TYPES, File, Publisher, boards_of, file_of
from bettercare.web.state import Deployed

router = of_plan("Reports")
history = of_plan("Changes")


class ReportOut(BaseModel):
    """A report as it was published: it never changes."""

    id: str = Field(examples=["monthly-2016-01"])
    kind: Kind
    board: str = Field(description="Whose report it is; blank for the programme's")
    period: date = Field(description="First day of the month it is about")
    number: int
    title: str
    data_date: date = Field(description="The day its figures are as at")
    rules_version: str = Field(description="Version of the rules it was judged by")
    revision: int = Field(description="Number of the store's last change that it rests on")
    published_by: str
    published_at: datetime
    sha256: str = Field(description="SHA-256 of its facts in canonical JSON")
    html_sha256: str
    pdf_sha256: str
    xlsx_sha256: str
    synthetic: bool


class ReportWhole(ReportOut):
    """A report with everything it says."""

    as_published: bool = Field(description="Whether its facts and files still have the hashes they were published with")
    facts: dict[str, Any] = Field(description="Everything it says, as data: money in pence, days as 2016-01-31")


class ReportIn(Body):
    """The report to publish."""

    kind: Kind = Field(description="monthly: the programme's; board: a Board's own")
    board: str = Field("", description="Id of the board whose report it is; blank for the programme's", max_length=120)


def _shown(report: Published) -> Mapping[str, Any]:
    return {name: getattr(report, name) for name in ReportOut.model_fields}


@router.get("/reports", response_model=list[ReportOut])
def reports(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """The reports published, the latest first."""
    found = deployed.remember(
        assessment, "API reports", lambda: [_shown(one) for one in deployed.store.list(Published, assessment.plan.id)]
    )
    return sorted(found, key=lambda one: (one["published_at"], one["id"]), reverse=True)


@router.post("/reports", response_model=ReportOut, status_code=201)
def publish_report(visitor: Publisher, assessment: Assessed, deployed: Deployed, body: ReportIn) -> Any:
    """Publish a report with the data as they are. It will not change."""
    if body.kind == "board" and body.board not in dict(boards_of(assessment)):
        raise BettercareError(
            "The Board whose report it is is not named.",
            "board",
            f"Choose one of: {', '.join(dict(boards_of(assessment)))}.",
        )
    if body.kind == "monthly" and body.board:
        raise BettercareError(
            "The monthly report is the programme's, not a board's.", "board", "Leave the board blank."
        )
    return _shown(publish(deployed.store, assessment, body.kind, body.board, visitor.user.id))


@router.get("/reports/{id}", response_model=ReportWhole)
def report(visitor: Reader, assessment: Assessed, deployed: Deployed, id: Id) -> Any:
    """One published report, with everything it says."""
    found = deployed.store.read(Published, assessment.plan.id, id)
    try:
        verify(found)
        sound = True
    except BettercareError:
        sound = False
    return {**_shown(found), "facts": found.facts, "as_published": sound}


@router.get(
    "/reports/{id}/{file}", response_class=Response,
    responses={200: {"description": "The file as it was published", "content": {kind.partition(";")[0]: {} for kind in TYPES.values()}}},
)  # fmt: skip
def report_file(
    visitor: Reader,
    assessment: Assessed,
    deployed: Deployed,
    id: Id,
    file: Annotated[File, Path(description="Which file")],
) -> Response:
    """A file of a published report."""
    return file_of(visitor, assessment, deployed, id, file)


class ChangeOut(BaseModel):
    """One write: the row as it then was."""

    number: int = Field(
        description="Changes are numbered in the order in which they became true; a number may be missing"
    )
    at: datetime
    by: str
    why: str
    kind: str = Field(description="Register it is in")
    id: str
    version: int
    action: Literal["add", "replace", "remove"]
    row: dict[str, Any] = Field(description="The row after the change; as it last was, when removed")


class Changes(BaseModel):
    """Changes, the first one first."""

    rows: list[ChangeOut]
    last: int = Field(description="Send it as `after` to have those that follow")


@history.get("/changes", response_model=Changes)
def changes(
    visitor: Reader,
    assessment: Assessed,
    deployed: Deployed,
    after: Annotated[int, Query(description="Only changes after the one with this number", ge=0, le=10**15)] = 0,
    kind: Annotated[
        str, Query(description="Of this register alone", pattern=f"^({'|'.join(NAMES)})?$", examples=["risks"])
    ] = "",
    limit: Limit = 100,
) -> Any:
    """Who changed what and when, the first one first: ask again with `after` to follow the plan."""
    store, plan = deployed.store, assessment.plan.id
    found = store.changes(plan, after, limit, kind=kind) if kind else store.changes(plan, after, limit)
    rows = [{name: getattr(one, name) for name in ChangeOut.model_fields} for one in found]
    return {"rows": rows, "last": found[-1].number if found else after}
