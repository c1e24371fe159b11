"""A published report is frozen: its bytes and hash stay when data change, and the next report says what changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from bettercare import demo
from bettercare.assurance import assess
from bettercare.assurance.metrics import Actual, current
from bettercare.assurance.programme import Programme
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.reports.published import Published, make, previous, publish, verify
from bettercare.store import Missing, Store

BCF, BOARD = "leicestershire-bcf-2014", "leicestershire-hwb"


@pytest.fixture(scope="module")
def plan() -> Plan:
    return Plan.read(BCF)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(tmp_path / "store.db")
    demo.fill(opened)
    yield opened
    opened.close()


def revise(store: Store, metric: str, value: str) -> None:
    """Someone enters a later revision of a metric's last figure."""
    latest = current(store.list(Actual, BCF), metric)[-1]
    number = latest.revision + 1
    with store.change("ann", "Revised by its source") as changing:
        changing.add(latest.model_copy(update={"id": f"{metric}@{latest.period}#{number}", "revision": number, "value": Decimal(value), "version": 0}))  # fmt: skip


def test_a_published_report_never_changes_and_the_next_one_says_what_did(store: Store, plan: Plan) -> None:
    first = publish(store, assess(store, plan), "monthly", "", "olive")
    assert first.id == "monthly-2016-01"
    assert (first.data_date, first.period, first.published_by) == (date(2016, 1, 31), date(2016, 1, 1), "olive")
    assert first.synthetic
    assert first.pdf[:5] == b"%PDF-"
    assert b"This is the first report of its kind" in first.html
    verify(first)

    revise(store, "m6", "199.99")
    kept = store.read(Published, BCF, first.id)
    assert (kept.html, kept.pdf, kept.xlsx, kept.facts, kept.sha256) == (first.html, first.pdf, first.xlsx, first.facts, first.sha256)  # fmt: skip
    verify(kept)

    second = publish(store, assess(store, plan), "monthly", "", "olive")
    assert second.id == "monthly-2016-01-2"
    assert second.sha256 != first.sha256
    assert second.revision > first.revision
    page = second.html.decode()
    assert "Figure revised" in page
    assert "199.99 (revision" in page
    assert publish(store, assess(store, plan), "monthly", "", "olive").id == "monthly-2016-01-3"


def test_the_next_month_is_held_against_the_last_report_published(store: Store, plan: Plan) -> None:
    publish(store, assess(store, plan), "monthly", "", "olive")
    programme = store.read(Programme, BCF, BCF)
    with store.change("olive") as changing:
        changing.replace(programme.model_copy(update={"as_at": date(2016, 2, 29)}))
    before = previous(store, BCF, "monthly", "", date(2016, 2, 29))
    assert before is not None
    assert before.id == "monthly-2016-01"
    assert previous(store, BCF, "monthly", "", date(2015, 12, 31)) is None
    assert previous(store, BCF, "board", BOARD, date(2016, 2, 29)) is None
    report = publish(store, assess(store, plan), "monthly", "", "olive")
    assert report.id == "monthly-2016-02"
    assert b"since the report as at 31 Jan 2016" in report.html


def test_each_board_has_reports_of_its_own(store: Store, plan: Plan) -> None:
    report = publish(store, assess(store, plan), "board", BOARD, "olive")
    assert report.id == f"board-{BOARD}-2016-01"
    assert previous(store, BCF, "board", BOARD, date(2016, 1, 31)) == report
    assert previous(store, BCF, "monthly", "", date(2016, 1, 31)) is None


def test_a_report_that_was_tampered_with_is_found_out(store: Store, plan: Plan) -> None:
    report = publish(store, assess(store, plan), "monthly", "", "olive")
    for changed, part in (
        ({"facts": {**report.facts, "data_date": "2016-02-01"}}, "facts"), ({"html": report.html + b" "}, "page"), ({"pdf": b""}, "PDF"), ({"xlsx": b""}, "workbook"),
    ):  # fmt: skip
        with pytest.raises(BettercareError, match=f"monthly-2016-01 is not as it was published: its {part} changed"):
            verify(report.model_copy(update=changed))


def test_a_published_report_cannot_be_changed_or_removed(store: Store, plan: Plan) -> None:
    report = publish(store, assess(store, plan), "monthly", "", "olive")
    with pytest.raises(BettercareError, match="never changed"), store.change("eve") as changing:
        changing.replace(report.model_copy(update={"title": "Better news"}))
    with pytest.raises(BettercareError, match="never removed"), store.change("eve") as changing:
        changing.remove(report)


def test_a_report_of_the_wrong_sort_is_refused(store: Store, plan: Plan) -> None:
    assessment = assess(store, plan)
    with pytest.raises(BettercareError, match="needs a board"):
        make(assessment, "board")
    with pytest.raises(BettercareError, match="not a board's"):
        make(assessment, "monthly", BOARD)
    with pytest.raises(Missing, match="no board"):
        publish(store, assessment, "board", "parish-council", "olive")
    assert store.list(Published, BCF) == ()
