"""Reports: the monthly programme report and each Board's own; looked at, published (and then frozen), downloaded."""

from __future__ import annotations

import re
from collections.abc import Sequence
from threading import Lock
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response

from bettercare.assurance import Assessment
from bettercare.assurance.boards import board as there_is
from bettercare.errors import BettercareError
from bettercare.reports.published import WRITERS, Kind, Published, make, previous, publish, verify
from bettercare.web.forms import Faults
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.render import day, done, page
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

Publisher = Annotated[Visitor, Depends(needs("publish"))]
File = Literal["html", "pdf", "xlsx"]

TYPES: dict[str, str] = {
    "html": "text/html; charset=utf-8",
    "pdf": "application/pdf",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
_NO_BOARD = Faults({"board": "Choose the board whose report it is"})
_PUBLISHING = Lock()
"""Held while a report is made, so that the second of two is made after the first is there."""
ALONE = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
"""Content-Security-Policy of a report: a page of its own that runs nothing, fetches nothing and cannot act for the visitor."""


def boards_of(assessment: Assessment) -> Sequence[tuple[str, str]]:
    """Boards a report can be made for: id and name."""
    return [(row.id, str(row["name"])) for row in assessment.plan["boards"]]


def _asked(kind: str, board: str) -> tuple[Kind, str]:
    """The report that a link or form asks for; a Board's when it names a board.

    Raises:
        BettercareError: it is no kind of report.
    """
    if kind not in ("monthly", "board"):
        raise BettercareError(f"{kind[:40]!r} is not a kind of report.", remedy="Choose monthly or board.")
    return ("monthly", "") if kind == "monthly" else ("board", board)


@router.get("/plans/{plan}/reports")
def listed(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The reports there are, the latest first."""
    return _list_page(request, visitor, assessment, deployed)


def _list_page(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployed, faults: Faults | None = None
) -> Response:
    reports = deployed.remember(
        assessment,
        "reports",
        lambda: sorted(
            (_without_files(one) for one in deployed.store.list(Published, assessment.plan.id)),
            key=lambda one: (one.published_at, one.id),
            reverse=True,
        ),
    )
    return page(
        request, visitor, "reports.html.j2", assessment, title="Reports", status=400 if faults else 200, faulty=bool(faults),
        reports=reports, boards=boards_of(assessment), names=dict(boards_of(assessment)), faults=faults or Faults({}),
    )  # fmt: skip


def _without_files(report: Published) -> Published:
    """What is said of a report, without the bytes of its files."""
    return report.model_copy(update={"html": b"", "pdf": b"", "xlsx": b"", "facts": {}})


@router.get("/plans/{plan}/reports/preview")
def preview(
    visitor: Reader, assessment: Assessed, deployed: Deployed, kind: str = "monthly", board: str = "", file: File = "html"
) -> Response:  # fmt: skip
    """A report as it would be published now. Nothing is kept."""
    which, whose = _asked(kind, board)
    if whose:
        there_is(assessment.plan, whose)

    def written() -> bytes:
        before = previous(deployed.store, assessment.plan.id, which, whose, assessment.on)
        return WRITERS[file](make(assessment, which, whose, before))

    content = deployed.remember(assessment, ("report", which, whose, file), written)
    return _file(content, file, f"{assessment.plan.id}-{which}-preview")


@router.get("/plans/{plan}/reports/publish")
def confirm(
    request: Request, visitor: Publisher, assessment: Assessed, deployed: Deployed, kind: str = "monthly", board: str = ""
) -> Response:  # fmt: skip
    """Ask whether a report is to be published: what is published cannot be changed or taken back."""
    which, whose = _asked(kind, board)
    if which == "board" and whose not in dict(boards_of(assessment)):
        return _list_page(request, visitor, assessment, deployed, _NO_BOARD)
    return page(
        request, visitor, "report_publish.html.j2", assessment, title="Publish the report", kind=which, board=whose,
        board_name=dict(boards_of(assessment)).get(whose, ""), crumbs=(("Reports", f"/plans/{assessment.plan.id}/reports"),),
    )  # fmt: skip


@router.post("/plans/{plan}/reports")
def freeze(request: Request, visitor: Publisher, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Publish a report."""
    which, whose = _asked(str(sent.get("kind", "")), str(sent.get("board", "")))
    if which == "board" and whose not in dict(boards_of(assessment)):
        return _list_page(request, visitor, assessment, deployed, _NO_BOARD)
    with _PUBLISHING:
        there = _published_since(deployed, assessment, str(sent.get("seen", "")), which, whose)
        if there:
            return done(f"/plans/{assessment.plan.id}/reports/{there}", "It was published a moment ago.")
        report = publish(deployed.store, assessment, which, whose, visitor.user.id)
    return done(
        f"/plans/{assessment.plan.id}/reports/{report.id}",
        f"{report.title} is published with the data of {day(report.data_date)}. It will not change.",
    )


def _published_since(deployed: Deployed, assessment: Assessment, seen: str, kind: Kind, board: str) -> str:
    """Id of the report that the same form has published already, when it was sent twice; the form was opened after change number ``seen``."""
    if not re.fullmatch("[0-9]{1,15}", seen):
        return ""
    since = deployed.store.changes(assessment.plan.id, int(seen), kind=Published.table)
    return next((one.id for one in since if (one.row["kind"], one.row["board"]) == (kind, board)), "")


@router.get("/plans/{plan}/reports/{id}")
def report(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """One published report: what it was made from, whether it is still as published, and its files."""
    found = deployed.store.read(Published, assessment.plan.id, id)
    try:
        verify(found)
        broken = ""
    except BettercareError as error:
        broken = str(error)
    files = [
        (file, words, len(content), stated)
        for file, words, content, stated in (
            ("html", "Web page", found.html, found.html_sha256),
            ("pdf", "PDF", found.pdf, found.pdf_sha256),
            ("xlsx", "Workbook", found.xlsx, found.xlsx_sha256),
        )
    ]
    return page(
        request, visitor, "report.html.j2", assessment, title=found.title, report=_without_files(found), broken=broken, files=files,
        board=dict(boards_of(assessment)).get(found.board, found.board), crumbs=(("Reports", f"/plans/{assessment.plan.id}/reports"),),
    )  # fmt: skip


@router.get("/plans/{plan}/reports/{id}/{file}")
def file_of(visitor: Reader, assessment: Assessed, deployed: Deployed, id: str, file: File) -> Response:
    """A file of a published report, as it was frozen."""
    found = deployed.store.read(Published, assessment.plan.id, id)
    content: bytes = getattr(found, file)
    return _file(content, file, f"{assessment.plan.id}-{found.id}")


def _file(content: bytes, file: str, name: str) -> Response:
    name = re.sub(r"[^A-Za-z0-9._-]", "-", name)
    shown = "inline" if file == "html" else "attachment"
    headers = {"Content-Disposition": f'{shown}; filename="{name}.{file}"'}
    if file == "html":
        headers["Content-Security-Policy"] = ALONE
    return Response(content, media_type=TYPES[file], headers=headers)
