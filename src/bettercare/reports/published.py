"""Reports as they were published: frozen with their facts, their files and a hash of each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any, ClassVar, Literal

from bettercare.assurance import Assessment
from bettercare.assurance.programme import RULES_VERSION
from bettercare.errors import BettercareError
from bettercare.reports.exhibit import Document
from bettercare.reports.page import html
from bettercare.reports.pdf import pdf
from bettercare.reports.programme import board_report, programme_report
from bettercare.reports.programme.facts import canonical, facts, sha256
from bettercare.reports.workbook import workbook
from bettercare.store import Record, Store, asks

Kind = Literal["monthly", "board"]


class Published(Record):
    """A report as it was published. The id is ``monthly-2016-01``, or ``board-leicestershire-hwb-2016-01``; a second one of a month ends in -2."""

    table: ClassVar[str] = "published_reports"
    append_only: ClassVar[bool] = True

    kind: Kind = asks("Kind", "Monthly programme report, or a Board's own")
    board: str = asks("Board", "Whose report it is; blank for the programme's", "", refers="boards")
    period: date = asks("Period", "First day of the month it is about")
    number: int = asks("Number", "1 for the first of its kind in a month, then 2, 3 ...", 1, ge=1)
    title: str = asks("Title", "", min_length=1)
    data_date: date = asks("Data date", "The day its figures are as at")
    rules_version: str = asks("Rules version", "Version of the rules it was judged by")
    revision: int = asks("Revision", "Number of the store's last change that it rests on", ge=0)
    published_by: str = asks("Published by", "Who published it")
    published_at: datetime = asks("Published at", "When it was published")
    facts: dict[str, Any] = asks("Facts", "Everything it says, as data")
    sha256: str = asks("Hash", "SHA-256 of its facts in canonical JSON", pattern="^[0-9a-f]{64}$")
    html: bytes = asks("Page", "The report as a web page")
    pdf: bytes = asks("Paper", "The report as a tagged PDF")
    xlsx: bytes = asks("Workbook", "The report as a workbook")
    html_sha256: str = asks("Hash of the page", "SHA-256", pattern="^[0-9a-f]{64}$")
    pdf_sha256: str = asks("Hash of the PDF", "SHA-256", pattern="^[0-9a-f]{64}$")
    xlsx_sha256: str = asks("Hash of the workbook", "SHA-256", pattern="^[0-9a-f]{64}$")


WRITERS: dict[str, Callable[[Document], bytes]] = {
    "html": lambda document: html(document).encode(),
    "pdf": pdf,
    "xlsx": workbook,
}
"""How a document becomes the bytes of each file."""


def publish(store: Store, assessment: Assessment, kind: Kind, board: str, by: str) -> Published:
    """Make a report of the month of the data date, and freeze it.

    Args:
        board: id of the board whose report it is; "" for the monthly programme report.
        by: who publishes it.

    Raises:
        Missing: the plan has no such board.
        Conflict: someone else published the same report at the same moment.
    """
    before = previous(store, assessment.plan.id, kind, board, assessment.on)
    document = make(assessment, kind, board, before)
    period = assessment.on.replace(day=1)
    number = before.number + 1 if before is not None and before.period == period else 1
    known, files = facts(assessment), {name: write(document) for name, write in WRITERS.items()}
    report = Published(
        plan=assessment.plan.id,
        id=_id(kind, board, period, number),
        synthetic=assessment.registers.synthetic,
        kind=kind,
        board=board,
        period=period,
        number=number,
        title=document.title,
        data_date=assessment.on,
        rules_version=RULES_VERSION,
        revision=assessment.revision,
        published_by=by,
        published_at=datetime.now(UTC),
        facts=known,
        sha256=sha256(canonical(known)),
        html=files["html"],
        pdf=files["pdf"],
        xlsx=files["xlsx"],
        html_sha256=sha256(files["html"]),
        pdf_sha256=sha256(files["pdf"]),
        xlsx_sha256=sha256(files["xlsx"]),
    )
    with store.change(by, f"Published {document.title}") as changing:
        return changing.add(report)


def make(assessment: Assessment, kind: Kind, board: str = "", before: Published | None = None) -> Document:
    """A report that is not published: a preview, or one written to a file.

    Raises:
        BettercareError: a Board's report without a board, or the programme's with one.
        Missing: the plan has no such board.
    """

    if kind == "monthly":
        if board:
            raise BettercareError(
                "The monthly report is the programme's, not a board's.", remedy="Ask for a Board report."
            )
        return programme_report(assessment, before.facts if before else None)
    if not board:
        raise BettercareError("A Board report needs a board.", remedy="Say whose it is.")
    return board_report(assessment, board, before.facts if before else None)


def previous(store: Store, plan: str, kind: Kind, board: str, on: date) -> Published | None:
    """The last report of its kind published for the month of a day, or for one before it; None when this is the first."""
    found = [one for one in store.list(Published, plan, board=board) if one.kind == kind and one.period <= on]
    return max(found, key=lambda one: (one.period, one.number), default=None)


def verify(published: Published) -> None:
    """Check that a report is as it was published.

    Raises:
        BettercareError: its facts or a file are not what the hashes were made from.
    """
    parts = [("facts", canonical(published.facts), published.sha256)]
    parts += [
        ("page", published.html, published.html_sha256),
        ("PDF", published.pdf, published.pdf_sha256),
        ("workbook", published.xlsx, published.xlsx_sha256),
    ]
    changed = [name for name, content, stated in parts if sha256(content) != stated]
    if changed:
        raise BettercareError(
            f"The report {published.id} is not as it was published: its {' and its '.join(changed)} changed.",
            remedy="Restore the store from a copy, and find out who has had access to it.",
        )


def _id(kind: str, board: str, period: date, number: int) -> str:
    return "-".join(filter(None, (kind, board, f"{period:%Y-%m}", str(number) if number > 1 else "")))
