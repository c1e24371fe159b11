"""The monthly report and the Board's: whole, marked as synthetic, saying what changed, the same in page, paper and workbook."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from bettercare import demo
from bettercare.assurance import Assessment, Registers, assess
from bettercare.assurance.actions import Action
from bettercare.assurance.decisions import Decision
from bettercare.assurance.programme import Programme
from bettercare.plan import Plan
from bettercare.reports.amounts import NONE
from bettercare.reports.exhibit import Document, Exhibit
from bettercare.reports.page import html
from bettercare.reports.programme import board_report, facts, programme_report
from bettercare.reports.programme.changes import Difference, differences
from bettercare.reports.programme.facts import canonical, sha256
from bettercare.reports.workbook import workbook
from bettercare.store import Missing, Store
from small_plan import ORDINARY, small_plan

BCF, LLR, BOARD = "leicestershire-bcf-2014", "llr-stp-2016", "leicestershire-hwb"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    opened = Store.open(tmp_path_factory.mktemp("store") / "demo.db")
    demo.fill(opened)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def bcf(store: Store) -> Assessment:
    return assess(store, Plan.read(BCF))


@pytest.fixture(scope="module")
def llr(store: Store) -> Assessment:
    return assess(store, Plan.read(LLR))


@pytest.fixture(scope="module")
def monthly(bcf: Assessment) -> Document:
    return programme_report(bcf)


def exhibit(document: Document, name: str) -> Exhibit:
    return next(one for one in document.exhibits if one.id == name)


def rows(document: Document, name: str) -> list[dict[str, Any]]:
    table = exhibit(document, name).table
    assert table is not None
    return [{column.key: column.written(row) for column in table.columns} for row in table.rows]


def later(assessment: Assessment, **registers: Any) -> Assessment:
    """The same plan with other rows in its registers."""
    return Assessment(
        assessment.plan, replace(assessment.registers, **registers), assessment.on, assessment.revision + 1
    )


def test_the_first_screen_says_how_things_stand(bcf: Assessment, monthly: Document) -> None:
    counts = [one.rag.status for one in bcf.judgements.values()]
    assert f"{counts.count('red')} are red" in monthly.verdict or f"{counts.count('red')} is red" in monthly.verdict
    assert "the fund is heading for" in monthly.verdict
    assert [one.title for one in monthly.headlines] == [
        "Metrics", "Forecast outturn, 2015/16", "Earned for performance", "Milestones late", "Risks scored 15 or more", "Actions overdue",
    ]  # fmt: skip
    assert monthly.title == "Programme report, January 2016"
    assert "as at 31 January 2016" in monthly.place


def test_every_part_is_there_in_order(monthly: Document) -> None:
    assert [section.title for section in monthly.sections] == [
        "The plan on a page", "Metrics", "Off track", "What changed since the last report", "The pooled fund", "Milestones", "Risks", "Actions", "Decisions asked for", "Decisions made",
        "Questions and answers", "How this was judged",
    ]  # fmt: skip


def test_synthetic_figures_are_marked_wherever_they_are_seen(bcf: Assessment, monthly: Document) -> None:
    assert monthly.warning[0] == "Synthetic figures."
    assert "Synthetic figures." in html(monthly)
    assert "Synthetic" in str(openpyxl.load_workbook(io.BytesIO(workbook(monthly)))["Summary"]["A1"].value)
    assert programme_report(later(bcf, **dict.fromkeys(("actuals", "rules", "progress", "risks", "actions", "decisions", "meetings", "agenda", "declarations", "questions", "entries"), ()))).banner == ""  # fmt: skip


def test_each_metric_is_a_row_with_its_rating_signal_and_course(bcf: Assessment, monthly: Document) -> None:
    found = rows(monthly, "metrics")
    assert len(found) == len(bcf.judgements)
    for row, judgement in zip(found, bcf.judgements.values(), strict=True):
        assert row["metric"].startswith(judgement.metric.name)
        assert row["rating"] == ("Not rated" if judgement.rag.status == "grey" else judgement.rag.status.capitalize())
    assert html(monthly).count('class="sign"') > 4 * len(found)


def test_an_exception_says_since_when_why_who_and_what_is_done(bcf: Assessment, monthly: Document) -> None:
    found = rows(monthly, "exceptions-table")
    assert len(found) == len(bcf.exceptions) > 0
    assert all(row["since"] and row["why"] and row["schemes"] and row["done"] for row in found)
    answered = {ref.partition("@")[0] for action in bcf.registers.actions for ref in action.about}
    for row, one in zip(found, bcf.exceptions, strict=True):
        assert (row["done"] == "Nothing recorded.") is (f"exception:{one.metric}" not in answered)


def test_the_money_is_the_funds(bcf: Assessment, monthly: Document) -> None:
    fund = bcf.fund("2015/16")
    table = exhibit(monthly, "fund-lines").table
    assert table is not None
    assert sum(round(row["budget"] * 100) for row in table.rows) == fund.budget
    assert sum(round(row["outturn"] * 100) for row in table.rows) == fund.outturn
    quarters = exhibit(monthly, "payments").table
    assert quarters is not None
    assert sum(round(row["earned"] * 100) for row in quarters.rows) == sum(one.earned for one in bcf.payments)


def test_the_workbook_has_a_sheet_for_each_part_and_reads_back(monthly: Document) -> None:
    book = openpyxl.load_workbook(io.BytesIO(workbook(monthly)))
    for sheet in (
        "Plan on a page",
        "Metrics",
        "Exceptions",
        "Fund by scheme",
        "Pay for performance",
        "Milestones",
        "Risks",
        "Actions",
        "Rules",
    ):
        assert sheet in book.sheetnames
    values = list(book["Metrics"].values)
    assert values[3][:4] == ("Metric", "Latest", "Expected", "Rating")
    assert book.properties.created.date() == date(2016, 1, 31)


def test_the_same_assessment_gives_the_same_report(bcf: Assessment, monthly: Document) -> None:
    again = programme_report(Assessment(bcf.plan, bcf.registers, bcf.on, bcf.revision))
    assert html(again) == html(monthly)
    assert workbook(again) == workbook(monthly)
    assert canonical(facts(bcf)) == canonical(facts(Assessment(bcf.plan, bcf.registers, bcf.on, bcf.revision)))


def test_nothing_changed_between_equal_facts(bcf: Assessment) -> None:
    assert differences(facts(bcf), facts(bcf)) == ()
    said = programme_report(bcf, facts(bcf))
    assert "Nothing, since the report as at 31 Jan 2016." in next(
        one.lead for one in said.sections if one.id == "changes"
    )


def test_what_changed_is_said_in_words(bcf: Assessment) -> None:
    before = facts(bcf)
    registers = bcf.registers
    latest = max((one for one in registers.actuals if one.metric == "m3"), key=lambda one: (one.period, one.revision))
    revised = latest.model_copy(update={"id": f"m3@{latest.period}#9", "revision": 9, "value": latest.value * 2})
    entry = next(one for one in registers.entries if one.kind == "spend" and one.year == "2015/16")
    spent = entry.model_copy(update={"id": "more", "pence": 1_000_000_00})
    late = next(one for one in bcf.schedule.milestones if one.done_on is None and one.due)
    slipped = [one.model_copy(update={"expected": late.at_least + timedelta(400)}) for one in registers.progress if one.id == late.id and late.at_least]  # fmt: skip
    done = next(one for one in registers.actions if one.status != "done")
    now = later(
        bcf,
        actuals=(*registers.actuals, revised),
        entries=(*registers.entries, spent),
        progress=(*(one for one in registers.progress if one.id != late.id), *slipped),
        risks=registers.risks[1:],
        actions=(*(one.model_copy(update={"status": "done"}) if one.id == done.id else one for one in registers.actions), Action(plan=BCF, id="new", action="Look again", officers="Director")),
    )  # fmt: skip
    found = differences(before, facts(now))
    kinds = {one.kind for one in found}
    assert {"Figure revised", "Fund", "Action", "Risk"} <= kinds
    assert Difference("Action", done.action, done.status, "done") in found
    assert Difference("Action", "Look again", "–", "new: green") in found
    assert Difference("Risk", registers.risks[0].risk, next(one.before for one in found if one.what == registers.risks[0].risk), "taken out of the register") in found  # fmt: skip
    shown = programme_report(now, before)
    assert len(rows(shown, "changes-table")) == len(found)
    since = {row["action"]: row["since"] for row in rows(shown, "actions-table")}
    assert since["Look again"] == "new"
    assert since[done.action] == f"was {done.status}"


def test_a_board_sees_its_own_areas_questions_and_decisions(llr: Assessment) -> None:
    report = board_report(llr, BOARD)
    focus = [row["focus"] for row in rows(report, "focus-areas")]
    assert focus == [row["focus"] for row in llr.plan["focus_areas"] if row["board"] == BOARD]
    its = [row for row in llr.plan["board_functions"] if BOARD in row["boards"]]
    assert [row["function"] for row in rows(report, "functions")] == [row["function"] for row in its]
    asked = [one.question for one in llr.registers.questions if one.body == BOARD]
    shown = {
        row["question"]
        for one in report.exhibits
        if one.id == "questions-table"
        for row in rows(report, "questions-table")
    }
    assert shown == set(asked)
    assert report.title == "Report to the Leicestershire Health and Wellbeing Board, October 2017"
    awaited = [one.decision for one in llr.registers.decisions if BOARD in one.awaits]
    assert report.sections[0].title == "Decisions asked for"
    assert [row["decision"] for row in rows(report, "asked")] == awaited != []


def test_a_board_gets_the_control_chart_of_each_exception(bcf: Assessment) -> None:
    report = board_report(bcf, BOARD)
    charts = [one for one in report.exhibits if one.id.startswith("chart-")]
    assert {one.id for one in charts} == {f"chart-{one.metric}" for one in bcf.exceptions}
    for one in charts:
        assert one.chart is not None
        assert "Rules: " in one.chart.wide
        assert one.table is not None
        assert len(one.table.rows) == len(bcf.judgements[one.id.removeprefix("chart-")].actuals)


def test_a_board_the_plan_has_not_is_refused(bcf: Assessment) -> None:
    with pytest.raises(Missing, match="no board 'parish-council'"):
        board_report(bcf, "parish-council")


def test_a_plan_of_which_nothing_is_known_still_has_a_report(tmp_path: Path) -> None:
    plan = small_plan(ORDINARY)
    empty = Assessment(plan, Registers(Programme(plan=plan.id, id=plan.id)), date(2016, 1, 31))
    report = programme_report(empty)
    assert report.verdict == "No metric can be rated yet."
    assert "<h1>Programme report, January 2016</h1>" in html(report)
    assert workbook(report)[:2] == b"PK"
    assert len(sha256(canonical(facts(empty)))) == 64


def test_a_quarter_that_waits_is_not_said_to_have_avoided_nothing(bcf: Assessment) -> None:
    counted = tuple(one for one in bcf.registers.actuals if not (one.metric == "m4" and one.period == date(2015, 7, 1)))
    document = programme_report(replace(bcf, registers=replace(bcf.registers, actuals=counted)))
    assert "810 of 947 admissions fewer by 2015/16 Q1" in exhibit(document, "payments").message
    assert [row["earned"] == NONE for row in rows(document, "payments")] == [False, False, True, True]
    assert any("810 of 947 admissions fewer" in headline.detail for headline in document.headlines)


def test_without_spend_no_forecast_is_claimed(bcf: Assessment) -> None:
    unspent = tuple(one for one in bcf.registers.entries if one.kind != "spend")
    document = programme_report(replace(bcf, registers=replace(bcf.registers, entries=unspent)))
    assert "no spend of the fund has been entered in 2015/16" in document.verdict
    assert exhibit(document, "fund-spend").message.startswith("No spend has been entered")


def test_a_decision_written_up_after_the_last_report_is_in_the_next(bcf: Assessment) -> None:
    before = facts(bcf)
    late = Decision(plan=BCF, id="late", decision="Decided in time, written up late", body="integration-executive", on=bcf.on - timedelta(days=5))  # fmt: skip
    registers = replace(bcf.registers, decisions=(*bcf.registers.decisions, late))
    made = rows(programme_report(replace(bcf, registers=registers), before), "decisions-made")
    assert [row["decision"] for row in made] == [late.decision]


def test_money_that_budgets_lack_stands_beside_the_forecast(bcf: Assessment, monthly: Document) -> None:
    assert bcf.fund("2015/16").not_covered == 1_194_100_00
    said = "£1.2m of the budgets has no money behind it"
    assert f"budget of £38.4m in 2015/16, but {said}" in monthly.verdict
    assert any(said in tile.detail for tile in monthly.headlines if tile.title.startswith("Forecast outturn"))
    unposted = tuple(one for one in bcf.registers.entries if not one.because.startswith("payment:"))
    early = later(bcf, entries=unposted)
    assert early.fund("2015/16").not_covered == 1_194_100_00
    tile = next(one for one in programme_report(early).headlines if one.title == "Earned for performance")
    assert "of these £1.6m earned and £1.2m released not yet in the ledger" in tile.detail
    assert "of which £1,639,000 earned and £1,201,000 released not yet in the ledger" in early.fund("2015/16").sentence


def test_exceptions_are_counted_by_kind_and_the_longest_is_off_track(bcf: Assessment, monthly: Document) -> None:
    assert any("3 exceptions: 2 off track, 1 getting worse" in tile.detail for tile in monthly.headlines)
    off = next(one for one in bcf.exceptions if one.kind == "off track")
    assert f"Longest off track: {bcf.judgements[off.metric].metric.name}" in monthly.verdict


def test_only_what_is_under_way_counts_as_being_done(bcf: Assessment) -> None:
    assert "nothing is still being done about 3" in exhibit(programme_report(bcf), "exceptions-table").message
    registers = bcf.registers
    made = tuple(
        Action(
            plan=BCF, id=f"look-{one.metric}", action="Look again", officers="Director", about=(f"exception:{one.id}",)
        )
        for one in bcf.exceptions
    )
    now = programme_report(later(bcf, actions=(*registers.actions, *made)))
    assert exhibit(now, "exceptions-table").message.endswith("something is still being done about each.")


def test_a_boards_first_screen_says_it_counts_the_whole_programme(bcf: Assessment) -> None:
    report = board_report(bcf, BOARD)
    assert report.verdict.startswith("Across the whole programme: of 5 rated metrics")
    assert all(tile.title.startswith("Programme: ") for tile in report.headlines)
