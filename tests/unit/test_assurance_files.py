"""Actuals from files: every shape people write, every fault at once, all of it or nothing."""

from __future__ import annotations

import io
import zipfile
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bettercare.assurance.actual_files import COLUMNS, ActualsError, period_from, read_actuals, read_upload, template
from bettercare.assurance.metrics import Actual, metrics
from bettercare.errors import BettercareError
from bettercare.plan import Plan

PLAN = Plan.read("leicestershire-bcf-2014")
BCF = {metric.id: metric for metric in metrics(PLAN)}
LLR = {metric.id: metric for metric in metrics(Plan.read("llr-stp-2016"))}
ON = date(2016, 1, 31)
HEAD = "metric,period,value,numerator,denominator,status,source,note\n"


def read(text: str, known: tuple[Actual, ...] = ()) -> tuple[Actual, ...]:
    return read_upload("actuals.csv", text.encode(), PLAN, known, ON)


def faults(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ActualsError) as refused:
        read(HEAD + text)
    assert all(fault.remedy for fault in refused.value.faults)
    return [(fault.where, fault.what) for fault in refused.value.faults]


def test_a_file_becomes_actuals() -> None:
    found = read(
        HEAD
        + 'm3,2015-04,361.98,,,provisional,SITREP,late\nm4,Apr 2015,641.60,"4,370","681,112",,SUS,\nm1,2014/15,702.36,,,Final,ASCOF,\n'
    )
    assert [(actual.id, actual.status) for actual in found] == [
        ("m3@2015-04-01#1", "provisional"),
        ("m4@2015-04-01#1", "final"),
        ("m1@2014-04-01#1", "final"),
    ]
    assert found[1].numerator == Decimal(4370)
    assert found[0].note == "late"
    assert {actual.plan for actual in found} == {PLAN.id}


def test_a_metric_may_be_given_by_its_name() -> None:
    assert read("metric,period,value,source\ndelayed transfers OF care,2015-04,361,x\n")[0].metric == "m3"


def test_what_is_there_already_is_left_out_and_what_differs_is_a_revision() -> None:
    first = read(HEAD + "m3,2015-04,361.98,,,,x,\nm3,2015-05,360,,,,x,\n")
    again = read(HEAD + "m3,2015-04,361.98,,,,x,\nm3,2015-05,360.5,,,,x,\nm3,2015-06,359,,,,x,\n", first)
    assert [actual.id for actual in again] == ["m3@2015-05-01#2", "m3@2015-06-01#1"]
    assert read(HEAD + "m3,2015-04,361.98,,,,x,\n", first) == ()


@pytest.mark.parametrize(
    ("name", "text", "day"),
    [
        ("m3", "2015-04", date(2015, 4, 1)), ("m3", "2015-04-01", date(2015, 4, 1)), ("m3", "Apr 2015", date(2015, 4, 1)),
        ("m3", "april 2015", date(2015, 4, 1)), ("m3", "Apr-15", date(2015, 4, 1)), ("m3", "01/04/2015", date(2015, 4, 1)),
        ("m1", "2015/16", date(2015, 4, 1)), ("m1", "2015-04-01", date(2015, 4, 1)),
        ("personal-health-budgets", "2015/16 Q1", date(2015, 4, 1)), ("personal-health-budgets", "2015/16 Q4", date(2016, 1, 1)),
    ],
)  # fmt: skip
def test_periods(name: str, text: str, day: date) -> None:
    assert period_from({**BCF, **LLR}[name], text) == day


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("m3", "2015/16", "is a financial year, and m3 is measured monthly"), ("m3", "2015/16 Q1", "is a quarter"),
        ("m1", "2015-04", "is a month, and m1 is measured annual"), ("m3", "soon", "is not a period"), ("m3", "2015-13", "is not a period"),
        ("m3", "2015/16 Q5", "is not a period"), ("m3", "Mai 2015", "is not a period"), ("m3", "31/02/2015", "is not a period"),
    ],
)  # fmt: skip
def test_what_is_no_period(name: str, text: str, said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        period_from(BCF[name], text)


def test_every_fault_at_once_and_nothing_taken() -> None:
    found = faults(
        "m3,2015-04,361.98,,,,x,\n"
        "m9,2015-04,1,,,,x,\n"
        "m3,2015/16,1,,,,x,\n"
        "m2,2014/15,abc,,,,x,\n"
        "m2,2014/15,120,,,,x,\n"
        "m3,2016-02,1,,,,x,\n"
        "m3,2015-04,362,,,,x,\n"
        "m3,2015-05,1,,,maybe,x,\n"
        "m3,2015-06,1,,,,,\n"
        "m4,2015-04,641.70,4370,681112,,x,\n"
    )
    assert [where for where, _ in found] == [
        "actuals.csv, row 3, column metric", "actuals.csv, row 4, column period", "actuals.csv, row 5, column value",
        "actuals.csv, row 6, column value", "actuals.csv, row 7, column period", "actuals.csv, row 8, column period",
        "actuals.csv, row 9, column status", "actuals.csv, row 10, column source", "actuals.csv, row 11, column numerator",
    ]  # fmt: skip
    assert "already given at actuals.csv, row 2" in found[5][1]


def test_the_count_of_faults_stands_first() -> None:
    with pytest.raises(
        ActualsError, match=r"^The figures cannot be taken: 2 faults\.\n  actuals\.csv, row 2"
    ) as refused:
        read(HEAD + "m9,2015-04,1,,,,x,\nm9,2015-05,1,,,,x,\n")
    assert "Its metrics: m1, m2" in refused.value.faults[0].remedy


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.csv", b"metric;period;value;source\nm3;2015-04;1;x\n", "not separated by commas"),
        ("a.csv", b"metric,period,source\n", "Columns are missing: value"),
        ("a.csv", b"metric,period,value,source,extra\n", "'extra' is not known"),
        ("a.csv", HEAD.encode(), "There is no figure in the file"),
        ("a.csv", b"", "Columns are missing"),
        ("a.csv", "metric,period,value,source\nm3,2015-04,1,\xa3\n".encode("latin-1"), "not UTF-8"),
        ("a.csv", b"metric,period,value,source\nm3,2015-04,1,x\0\n", "zero bytes"),
        ("a.csv", b'metric,period,value,source\nm3,2015-04,1,"x\n', "quotation mark is opened and not closed"),
        ("a.csv", b"metric,period,value,source\nm3,2015-04,1,a\x1bb\n", "cannot be printed"),
        ("a.csv", b"metric,period,value,source\nm3,2015-04,=1+1,x\n", "is not a number"),
        ("a.csv", b"metric,period,value,source\nm3,2015-04,1e3,x\n", "is not a number"),
        ("a.csv", b"metric,period,value,source\nm3,2015-04," + b"9" * 50 + b",x\n", "too large|more digits"),
        ("a.xlsx", b"not a zip", "not an Excel workbook"),
        ("a.xlsx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "protected with a password"),
        ("a.exe", b"MZ", "read from .csv and .xlsx"),
        ("../../etc/passwd", b"x", "read from .csv and .xlsx"),
        ("", b"x", "read from .csv and .xlsx"),
    ],
)  # fmt: skip
def test_hostile_files_get_a_sentence(name: str, content: bytes, said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        read_upload(name, content, PLAN, (), ON)


def test_a_large_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.csv"
    with path.open("wb") as file:
        file.truncate(20_000_001)
    with pytest.raises(BettercareError, match="at most 20,000,000 are read"):
        read_actuals(path, PLAN, (), ON)


def test_a_zip_bomb_is_refused_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as parts:
        parts.writestr("[Content_Types].xml", "x")
        parts.writestr("xl/workbook.xml", "x")
        parts.writestr("xl/worksheets/sheet1.xml", b" " * 81_000_000)
    with pytest.raises(BettercareError, match="unpacks to"):
        read_actuals(path, PLAN, (), ON)


def test_many_faults_are_counted_and_not_all_kept() -> None:
    with pytest.raises(ActualsError) as refused:
        read(HEAD + "m9,2015-04,1,,,,x,\n" * 2000)
    assert len(refused.value.faults) == 501
    assert "1,500 more faults" in refused.value.faults[-1].what


@given(
    st.one_of(
        st.binary(max_size=300),
        st.lists(
            st.lists(
                st.sampled_from(
                    ["m3", "m1", "2015-04", "2014/15", "1", "-", "x", "", '"', ",", "\r", "é", "1e5", "=A1"]
                ),
                max_size=9,
            ),
            max_size=6,
        ).map(lambda rows: (HEAD + "\n".join(",".join(row) for row in rows)).encode()),
    ),
    st.sampled_from(["a.csv", "a.xlsx"]),
)
def test_any_bytes_give_figures_or_a_sentence(content: bytes, name: str) -> None:
    try:
        read_upload(name, content, PLAN, (), ON)
    except BettercareError as refused:
        said = refused.faults or (refused,)
        assert all(fault.what.endswith((".", "?")) for fault in said)


def workbook(rows: list[list[Any]], sheet: str = "Actuals") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for row in rows:
        page.append(row)
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def test_a_workbook_becomes_actuals() -> None:
    content = workbook(
        [["metric", "period", "value", "source"], ["m3", date(2015, 4, 1), 361.98, "x"], ["m1", "2014/15", 702.36, "x"]]
    )
    found = read_upload("a.xlsx", content, PLAN, (), ON)
    assert [(actual.id, str(actual.value)) for actual in found] == [
        ("m3@2015-04-01#1", "361.98"),
        ("m1@2014-04-01#1", "702.36"),
    ]
    assert read_upload(
        "a.xlsx", workbook([["metric", "period", "value", "source"], ["m3", "2015-04", 1, "x"]], "Sheet1"), PLAN, (), ON
    )


def test_a_formula_without_a_result_is_a_fault_of_its_cell() -> None:
    content = workbook([["metric", "period", "value", "source"], ["m3", "2015-04", "=1+1", "x"]])
    with pytest.raises(ActualsError) as refused:
        read_upload("a.xlsx", content, PLAN, (), ON)
    assert refused.value.faults[0].where == "sheet Actuals, row 2, column value"
    assert "formula" in refused.value.faults[0].what


def test_a_workbook_of_other_sheets_is_refused() -> None:
    book = openpyxl.Workbook()
    book.create_sheet("Another")
    buffer = io.BytesIO()
    book.save(buffer)
    with pytest.raises(BettercareError, match="has no sheet Actuals"):
        read_upload("a.xlsx", buffer.getvalue(), PLAN, (), ON)


def test_the_template_is_filled_in_and_read_back() -> None:
    assert template(PLAN) == template(PLAN)
    with pytest.raises(ActualsError, match="no figure in the file"):
        read_upload("t.xlsx", template(PLAN), PLAN, (), ON)
    book = openpyxl.load_workbook(io.BytesIO(template(PLAN)))
    assert [cell.value for cell in book["Actuals"][1]] == list(COLUMNS.names)
    assert [row[0].value for row in book["Metrics"].iter_rows(min_row=2)] == list(BCF)
    for column, value in enumerate(["m3", "2015-04", 361.98, None, None, "final", "SITREP"], start=1):
        book["Actuals"].cell(2, column, value)
    buffer = io.BytesIO()
    book.save(buffer)
    assert read_upload("t.xlsx", buffer.getvalue(), PLAN, (), ON)[0].value == Decimal("361.98")
