"""A plan as an Excel workbook: nothing lost on the way out and back, Excel's habits borne, and what cannot be read said clearly."""

from __future__ import annotations

import csv
import io
import shutil
import tracemalloc
import zipfile
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import openpyxl
import openpyxl.chart
import pytest
import xlsxwriter

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.plan import Plan, dictionary, shipped, workbook_parts
from bettercare.plan.template import TEMPLATE
from bettercare.plan.workbook import PLAN_SHEET, number_format, raw_from_workbook, write_workbook

PLANS = {**shipped(), "template": TEMPLATE}


def cells(plan: Plan) -> dict[str, list[dict[str, str]]]:
    return {name: [dict(row.text) for row in table] for name, table in plan.tables.items()}


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_workbook(Plan.read(TEMPLATE), tmp_path_factory.mktemp("book") / "plan.xlsx")


@pytest.fixture(scope="module")
def plain(exported: Path) -> Path:
    """The same without comments and lists, which only slow the editing down."""
    book = openpyxl.load_workbook(exported)
    for sheet in book:
        sheet.data_validations.dataValidation.clear()
        for cell in sheet[1]:
            cell.comment = None
    book.save(exported.with_name("plain.xlsx"))
    return exported.with_name("plain.xlsx")


def edited(exported: Path, folder: Path, edit: Callable[[Any], object]) -> Path:
    """The workbook after an edit by another program."""
    book = openpyxl.load_workbook(exported)
    edit(book)
    path = folder / "edited.xlsx"
    book.save(path)
    return path


def faults_of(path: Path) -> tuple[Fault, ...]:
    with pytest.raises(BettercareError) as caught:
        Plan.read(path)
    assert not isinstance(caught.value, PlanError) or caught.value.faults
    for fault in caught.value.faults:
        assert fault.remedy, fault
        assert len(str(fault)) < 1_000
    return caught.value.faults


def at(book: Any, sheet: str, row: int, column: str) -> Any:
    """A cell by the name of its column."""
    names = [cell.value for cell in book[sheet][1]]
    return book[sheet].cell(row, names.index(column) + 1)


class TestRoundTrip:
    @pytest.mark.parametrize("name", sorted(PLANS))
    def test_out_and_back_is_cell_for_cell_the_same(self, name: str, tmp_path: Path) -> None:
        plan = Plan.read(PLANS[name])
        again = Plan.read(write_workbook(plan, tmp_path / "plan.xlsx"))
        assert cells(again) == cells(plan)
        assert again.header == plan.header
        assert again.scenarios == plan.scenarios

    @pytest.mark.parametrize("name", sorted(PLANS))
    def test_a_folder_made_from_a_workbook_is_the_folder_it_came_from(self, name: str, tmp_path: Path) -> None:
        plan = Plan.read(PLANS[name])
        first = plan.write(tmp_path / "first")
        second = Plan.read(write_workbook(plan, tmp_path / "plan.xlsx")).write(tmp_path / "second")
        listed = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
        assert listed == sorted(path.relative_to(second) for path in second.rglob("*") if path.is_file())
        for path in listed:
            assert (first / path).read_text(encoding="utf-8") == (second / path).read_text(encoding="utf-8"), path

    def test_another_program_saving_it_changes_nothing(self, exported: Path, tmp_path: Path) -> None:
        assert cells(Plan.read(edited(exported, tmp_path, lambda book: None))) == cells(Plan.read(TEMPLATE))

    def test_the_same_plan_gives_the_same_bytes(self, exported: Path, tmp_path: Path) -> None:
        again = write_workbook(Plan.read(TEMPLATE), tmp_path / "again.xlsx")
        assert again.read_bytes() == exported.read_bytes()

    def test_numbers_are_numbers_that_show_what_was_printed(self, tmp_path: Path) -> None:
        shapes = {
            "33": "0", "33.0": "0.0", "54.40": "0.00", "0.10": "0.00", "1,940": "#,##0", "1,940.50": "#,##0.00", "-28,350": "#,##0",
            "-0.5": "0.0", "1940": "0", "0": "0", "0.000": "0.000", "123456789012345": "0",
        }  # fmt: skip
        assert {text: number_format(text) for text in shapes} == shapes
        assert _through_a_workbook("value", shapes, tmp_path) == {text: (text, "n") for text in shapes}

    def test_what_no_number_shows_is_kept_as_text(self, tmp_path: Path) -> None:
        texts = ["+5", "007", ".5", "-0", "-0.0", "0.1234567890123456", "999,999,999,999,999.1"]
        assert [number_format(text) for text in texts] == [""] * len(texts)
        assert _through_a_workbook("value", texts, tmp_path) == {text: (text, "s") for text in texts}

    def test_dates_are_dates(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        assert at(book, "milestones", 2, "due").value == datetime(2027, 3, 31)

    def test_a_date_written_another_way_is_kept_as_written(self, tmp_path: Path) -> None:
        folder = Path(shutil.copytree(TEMPLATE, tmp_path / "plan"))
        path = folder / "tables" / "milestones.csv"
        path.write_text(path.read_text(encoding="utf-8").replace("2027-03-31", "20270331"), encoding="utf-8")
        row = Plan.read(write_workbook(Plan.read(folder), tmp_path / "plan.xlsx"))["milestones"].rows[0]
        assert (row.text["due"], row["due"]) == ("20270331", date(2027, 3, 31))

    def test_years_and_ids_are_text(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        for column in ("year", "id"):
            cell = at(book, "beds", 2, column)
            assert (cell.data_type, cell.number_format) == ("s", "@")

    def test_awkward_text_survives_and_no_text_becomes_a_formula(self, tmp_path: Path) -> None:
        texts = [
            "=HYPERLINK(1)", "_x000D_", "two\nlines", "a\ttab", "œ £ 日本 😀", "'quoted", '"', "<b>&amp;", "#REF!", "TRUE", "12", "-", "@x",
            "{=1}", "http://example.org", "x" * 20_000,
        ]  # fmt: skip
        assert _through_a_workbook("note", texts, tmp_path) == {text: (text, "s") for text in texts}


def _through_a_workbook(column: str, texts: Iterable[str], tmp_path: Path) -> dict[str, tuple[str, str]]:
    """What cells of a table of figures hold after a workbook, and whether they stood there as numbers (n) or text (s)."""
    texts = list(texts)
    folder = Path(shutil.copytree(TEMPLATE, tmp_path / "plan"))
    names = dictionary()["indicators"].names
    filled = {"topic": "t", "name": "n", "value": "1", "unit": "ratio", "source": "plan-document", "basis": "stated"}
    with (folder / "tables" / "indicators.csv").open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        writer.writerows({**filled, "id": f"row-{row}", column: text} for row, text in enumerate(texts))
    path = write_workbook(Plan.read(folder), tmp_path / "plan.xlsx")
    book, rows = openpyxl.load_workbook(path), Plan.read(path)["indicators"].rows
    return {
        text: (row.text[column], at(book, "indicators", number, column).data_type)
        for number, (text, row) in enumerate(zip(texts, rows), start=2)
    }


class TestComfort:
    def test_one_sheet_a_table_and_the_plan_first(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        assert book.sheetnames == [PLAN_SHEET, *dictionary(), "scenarios", "Lists"]
        assert all(len(name) <= 31 for name in book.sheetnames)
        assert book["Lists"].sheet_state == "hidden"

    def test_headings_are_frozen_and_explained(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        for name, spec in dictionary().items():
            sheet = book[name]
            assert sheet.freeze_panes == "B2"
            assert [cell.value for cell in sheet[1]] == list(spec.names)
            for cell, column in zip(sheet[1], spec.columns, strict=True):
                assert column.meaning in cell.comment.text
                assert ("Required." in cell.comment.text) == (column.required == "yes")

    def test_choices_have_lists(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        for name, spec in dictionary().items():
            letters = {str(rule.sqref)[0] for rule in book[name].data_validations.dataValidation}
            for position, column in enumerate(spec.columns):
                if column.type in {"choice", "unit", "flag", "ref"}:
                    assert openpyxl.utils.get_column_letter(position + 1) in letters, (name, column.name)

    def test_a_list_too_long_for_a_cell_stands_on_the_hidden_sheet(self, exported: Path) -> None:
        book = openpyxl.load_workbook(exported)
        rules = {str(rule.sqref)[0]: rule.formula1 for rule in book["beds"].data_validations.dataValidation}
        units = rules[openpyxl.utils.get_column_letter(dictionary()["beds"].names.index("unit") + 1)]
        assert units.startswith("'Lists'!")
        letter = units.split("$")[1]
        assert [cell.value for cell in book["Lists"][letter] if cell.value][:3] == ["GBP", "GBP k", "GBP m"]
        for rule in rules.values():
            assert len(rule) <= 257

    def test_the_first_sheet_says_how_to_use_it(self, exported: Path) -> None:
        sheet = openpyxl.load_workbook(exported)[PLAN_SHEET]
        text = " ".join(str(cell.value) for row in sheet.iter_rows() for cell in row if cell.value)
        assert "How to use this workbook" in text
        assert "bettercare plan import" in text


def _huge(cell: Any) -> None:
    cell._value, cell.data_type = "x" * 10_000_000, "s"


# what a planner's program did, where it is said to be, what is said
EDITS: dict[str, tuple[Callable[[Any], object], str, str]] = {
    "a year turned into a date": (lambda b: setattr(at(b, "beds", 3, "year"), "value", date(2025, 12, 1)), "sheet beds, row 3, column year", "made a date of the financial year (1 December 2025)"),
    "an id turned into a date": (lambda b: setattr(at(b, "beds", 3, "id"), "value", date(2025, 12, 1)), "sheet beds, row 3, column id", "made a date of the cell"),
    "a number turned into a date": (lambda b: setattr(at(b, "beds", 3, "value"), "value", date(1901, 5, 1)), "sheet beds, row 3, column value", "formatted as a date"),
    "a time": (lambda b: setattr(at(b, "beds", 3, "value"), "value", time(4, 20)), "sheet beds, row 3, column value", "made a time of the cell"),
    "a date with a time": (lambda b: setattr(at(b, "milestones", 2, "due"), "value", datetime(2027, 3, 31, 9)), "sheet milestones, row 2, column due", "holds a time of day"),
    "a percentage": (lambda b: (setattr(at(b, "rates", 3, "value"), "value", 0.9), setattr(at(b, "rates", 3, "value"), "number_format", "0%")), "sheet rates, row 3, column value", "formatted as a percentage"),
    "an error": (lambda b: setattr(at(b, "beds", 3, "value"), "value", "#REF!"), "sheet beds, row 3, column value", "shows the error #REF!"),
    "a formula never computed": (lambda b: setattr(at(b, "beds", 3, "value"), "value", "=1+1"), "sheet beds, row 3, column value", "a formula whose result was never stored"),
    "a formula never computed on the first sheet": (lambda b: setattr(b[PLAN_SHEET]["B3"], "value", '="a"'), "sheet Plan, row 3", "a formula whose result was never stored"),
    "a number that is a word": (lambda b: setattr(at(b, "beds", 3, "value"), "value", "sixty"), "sheet beds, row 3, column value", "'sixty' is not a number"),
    "a year that is a number": (lambda b: setattr(at(b, "beds", 3, "year"), "value", 2025), "sheet beds, row 3, column year", "'2025' is not a financial year"),
    "an enormous number": (lambda b: setattr(at(b, "beds", 3, "value"), "value", 1e200), "sheet beds, row 3, column value", "too large"),
    "a required cell cleared": (lambda b: setattr(at(b, "beds", 3, "unit"), "value", None), "sheet beds, row 3, column unit", "The cell is blank."),
    "a 10 MB cell": (lambda b: _huge(at(b, "beds", 3, "note")), "sheet beds, row 3, column note", "holds 10,000,000 characters"),
    "an id used twice": (lambda b: setattr(at(b, "beds", 3, "id"), "value", "emergency-2025"), "sheet beds, row 3, column id", "already used at sheet beds, row 2"),
    "an unknown row": (lambda b: setattr(at(b, "beds", 3, "organisation"), "value", "vets"), "sheet beds, row 3, column organisation", "'vets' is not in organisations."),
    "merged cells": (lambda b: b["beds"].merge_cells("A2:A3"), "sheet beds", "Cells are merged: A2:A3."),
    "a column renamed": (lambda b: setattr(b["beds"]["A1"], "value", "name"), "sheet beds, row 1", "The column 'name' is not known."),
    "a column added": (lambda b: setattr(b["beds"]["M1"], "value", "mine"), "sheet beds, row 1", "The column 'mine' is not known."),
    "a cell beside the table": (lambda b: setattr(b["beds"]["N4"], "value", "to do"), "sheet beds, row 4, cell N4", "stands under no heading"),
    "the heading deleted": (lambda b: b["beds"].delete_rows(1), "sheet beds, row 1", "is not known"),
    "a sheet emptied": (lambda b: b["beds"].delete_rows(1, 100), "sheet beds, row 1", "The sheet is empty."),
    "a sheet deleted": (lambda b: b.remove(b["beds"]), "sheet beds", "The sheet is missing."),
    "the first sheet deleted": (lambda b: b.remove(b[PLAN_SHEET]), "sheet Plan", "The sheet is missing."),
    "a sheet added": (lambda b: b.create_sheet("Workings"), "sheet Workings", "This sheet is not a table of a plan."),
    "a chart of its own": (lambda b: b.create_chartsheet("beds chart").add_chart(openpyxl.chart.BarChart()), "sheet beds chart", "This sheet is not a table of a plan."),
    "a line of the plan renamed": (lambda b: setattr(b[PLAN_SHEET]["A3"], "value", "heading"), "sheet Plan, row 3", "'heading' is not known."),
    "a line of the plan twice": (lambda b: setattr(b[PLAN_SHEET]["A3"], "value", "id"), "sheet Plan, row 3", "'id' is there twice."),
    "a line of the plan cleared": (lambda b: setattr(b[PLAN_SHEET]["B3"], "value", None), "sheet Plan", "title is missing."),
    "a year of the plan turned into a date": (lambda b: setattr(b[PLAN_SHEET]["B6"], "value", date(2011, 12, 1)), "sheet Plan, row 6", "made a date of the financial year"),
    "a chart in place of a table": (lambda b: (b.remove(b["beds"]), b.create_chartsheet("beds").add_chart(openpyxl.chart.BarChart())), "sheet beds", "The sheet is a chart."),
    "a sheet twice": (lambda b: setattr(b.copy_worksheet(b["beds"]), "title", "beds "), "sheet beds", "The sheet is there twice."),
    "a number beyond numbers": (lambda b: setattr(at(b, "beds", 3, "value"), "value", 1e305), "sheet beds, row 3, column value", "is not a number"),
    "a scenario too long": (lambda b: setattr(b["scenarios"]["B2"], "value", "a: " + "x" * 31_000), "sheet scenarios, row 2", "holds 31,004 characters"),
    "a scenario that is not YAML": (lambda b: setattr(b["scenarios"]["B2"], "value", "a: ["), "sheet scenarios, row 2", "is not YAML"),
    "a scenario twice": (lambda b: (b["scenarios"].append(["slow-start", "id: a"])), "sheet scenarios, row 3, column id", "is there twice"),
    "a scenario without a name": (lambda b: setattr(b["scenarios"]["A2"], "value", "Slow Start"), "sheet scenarios, row 2", "is not a short name"),
}  # fmt: skip


@pytest.mark.parametrize("case", EDITS)
def test_what_is_wrong_is_said_with_sheet_row_and_column(case: str, plain: Path, tmp_path: Path) -> None:
    edit, where, what = EDITS[case]
    found = faults_of(edited(plain, tmp_path, edit))
    assert [fault for fault in found if fault.where.startswith(where) and what in fault.what], "\n".join(
        map(str, found)
    )
    assert len(found) <= 12, "one mistake, one fault (and what refers to it)"


HABITS: dict[str, tuple[Callable[[Any], object], str, str, Any]] = {
    "a number stored as text": (lambda b: setattr(at(b, "beds", 3, "value"), "value", "60.0"), "beds", "value", 60.0),
    "spaces at the end": (lambda b: setattr(at(b, "beds", 3, "unit"), "value", " beds \u00a0"), "beds", "unit", "beds"),
    "TRUE for yes": (lambda b: setattr(at(b, "sites", 3, "inpatients_now"), "value", True), "sites", "inpatients_now", True),
    "FALSE for no": (lambda b: setattr(at(b, "sites", 3, "inpatients_planned"), "value", False), "sites", "inpatients_planned", False),
    "a date in a text cell": (lambda b: setattr(at(b, "trajectories", 3, "at"), "value", date(2030, 3, 31)), "trajectories", "at", "2030-03-31"),
    "a year in a text cell": (lambda b: setattr(at(b, "population", 3, "period"), "value", 2025), "population", "period", "2025"),
    "TRUE in a text cell": (lambda b: setattr(at(b, "indicators", 3, "note"), "value", True), "indicators", "note", "TRUE"),
    "line ends of Windows": (lambda b: setattr(at(b, "population", 3, "note"), "value", "a\r\nb"), "population", "note", "a\nb"),
}  # fmt: skip


def test_excels_habits_are_borne(plain: Path, tmp_path: Path) -> None:
    plan = Plan.read(edited(plain, tmp_path, lambda book: [edit(book) for edit, _, _, _ in HABITS.values()]))
    assert {case: plan[table].rows[1][column] for case, (_, table, column, _) in HABITS.items()} == {
        case: value for case, (_, _, _, value) in HABITS.items()
    }


# what Excel holds, the number format it has, what is read
TYPED = [
        (61, "General", "61"), (61.5, "General", "61.5"), (54.4, "0.00", "54.40"), (54.4321, "0.0", "54.4321"), (1940, "#,##0", "1,940"),
        (1940.5, "#,##0.00_);[Red](#,##0.00)", "1,940.50"), (1940, '"£"#,##0', "1,940"), (-5, "0_ ;[Red]-0 ", "-5"), (0.00001, "General", "0.00001"),
        (1e-7, "0.00E+00", "0.0000001"), (7, "000", "7"), (3, "@", "3"), (2.5, "# ?/?", "2.5"), (1.1 + 2.2, "General", "3.3"), (1.1 + 2.2, "0.00", "3.30"), (1e15, "0.0E+0", "1000000000000000"),
]  # fmt: skip


def test_numbers_typed_in_excel_are_read_as_they_show(plain: Path, tmp_path: Path) -> None:
    def edit(book: Any) -> None:
        for row, (value, shape, _) in enumerate(TYPED, start=4):
            for column, cell in enumerate(book["indicators"][2], start=1):
                book["indicators"].cell(row, column).value = cell.value
            at(book, "indicators", row, "id").value = f"typed-{row}"
            cell = at(book, "indicators", row, "value")
            cell.value, cell.number_format = value, shape

    read = [row.text["value"] for row in Plan.read(edited(plain, tmp_path, edit))["indicators"].rows[2:]]
    assert read == [text for _, _, text in TYPED]


def test_blank_rows_are_passed_over_and_rows_keep_their_numbers(plain: Path, tmp_path: Path) -> None:
    path = edited(plain, tmp_path, lambda book: book["beds"].insert_rows(3, 2))
    assert len(Plan.read(path)["beds"]) == len(Plan.read(TEMPLATE)["beds"])
    path = edited(
        plain,
        tmp_path,
        lambda book: (book["beds"].insert_rows(3, 2), setattr(at(book, "beds", 5, "value"), "value", "x")),
    )
    assert any(fault.where == "sheet beds, row 5, column value" for fault in faults_of(path))


def test_formulas_count_as_what_excel_last_stored(tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    write_workbook(Plan.read(TEMPLATE), path)
    whole = zipfile.ZipFile(path).read("xl/worksheets/sheet11.xml").decode()
    assert "<v>420</v>" in whole
    _replace_part(path, "xl/worksheets/sheet11.xml", whole.replace("<v>420</v>", "<f>400+20</f><v>420</v>").encode())
    assert Plan.read(path)["beds"].rows[0].text["value"] == "420"


def test_sheet_names_in_another_case_are_known(plain: Path, tmp_path: Path) -> None:
    path = edited(plain, tmp_path, lambda book: setattr(book["beds"], "title", "Beds "))
    assert len(Plan.read(path)["beds"]) == 4


def test_a_workbook_without_scenarios_is_a_plan(plain: Path, tmp_path: Path) -> None:
    assert Plan.read(edited(plain, tmp_path, lambda book: book.remove(book["scenarios"]))).scenarios == {}


def _replace_part(path: Path, name: str, content: bytes | None) -> None:
    with zipfile.ZipFile(path) as old:
        parts = {info.filename: old.read(info) for info in old.infolist()}
    if content is None:
        del parts[name]
    else:
        parts[name] = content
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for part, data in parts.items():
            new.writestr(part, data)


SHEET = (
    '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{}</sheetData></worksheet>'
)
BOMB = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;">]>' + SHEET.format(
    '<row><c t="inlineStr"><is><t>&c;</t></is></c></row>'
)
BEDS = "xl/worksheets/sheet11.xml"
# what was done to the file, and what is said
BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no zip": (lambda p: p.write_bytes(b"id,organisation\n"), "not an Excel workbook"),
    "nothing": (lambda p: p.write_bytes(b""), "not an Excel workbook"),
    "another zip": (lambda p: _zip(p, {"a.txt": b"x"}), "not an Excel workbook"),
    "OpenDocument": (lambda p: _zip(p, {"mimetype": b"application/vnd.oasis.opendocument.spreadsheet", "content.xml": b"<a/>"}), "not an Excel workbook"),
    "binary workbook": (lambda p: _zip(p, {"[Content_Types].xml": b"<Types/>", "xl/workbook.bin": b"x"}), "not an Excel workbook"),
    "password": (lambda p: p.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600), "protected with a password"),
    "password on the zip": (lambda p: _encrypted_flag(p), "protected with a password"),
    "cut short": (lambda p: p.write_bytes(p.read_bytes()[:5_000]), "damaged"),
    "bytes changed": (lambda p: p.write_bytes(p.read_bytes()[:3_000] + b"\xff" * 500 + p.read_bytes()[3_500:]), "damaged"),
    "not XML": (lambda p: _replace_part(p, BEDS, b"<worksheet><row>"), "damaged"),
    "no workbook part": (lambda p: _replace_part(p, "xl/workbook.xml", None), "not an Excel workbook"),
    "no styles": (lambda p: _replace_part(p, "xl/styles.xml", None), "damaged"),
    "no shared text": (lambda p: _replace_part(p, "xl/sharedStrings.xml", b"<sst/>"), "damaged"),
    "a part missing": (lambda p: _replace_part(p, BEDS, None), ""),
    "a document type": (lambda p: _replace_part(p, BEDS, BOMB.encode()), "document type"),
    "nested deeply": (lambda p: _replace_part(p, BEDS, SHEET.format("<a>" * 5_000 + "</a>" * 5_000).encode()), "nested too deeply"),
    "a zip bomb": (lambda p: _replace_part(p, "xl/bomb.xml", b"<a>" + b" " * 81_000_000 + b"</a>"), "unpacks to"),
    "a bomb in the styles": (lambda p: _replace_part(p, "xl/styles.xml", b"<a>" + b" " * 3_000_000 + b"</a>"), "holds 3,000,007 bytes"),
    "a row far down": (lambda p: _replace_part(p, BEDS, SHEET.format('<row r="1048576"><c r="A1048576"><v>1</v></c></row>').encode()), "more than 200,000 rows"),
    "a number without end": (lambda p: _replace_part(p, BEDS, SHEET.format(f'<row r="1"><c r="A1"><v>{"9" * 6_000}</v></c></row>').encode()), "damaged"),
    "a comment without end": (lambda p: _replace_part(p, BEDS, b"<worksheet><!--" + b"x" * 30_000_000 + b"--></worksheet>"), "piece of more than 1,000,000 bytes"),
    "attributes without end": (lambda p: _replace_part(p, BEDS, b"<worksheet " + b" ".join(b'a%d="b"' % n for n in range(300_000)) + b"/>"), "piece of more than"),
    "a row too wide": (lambda p: _replace_part(p, BEDS, SHEET.format(f'<row>{"<c/>" * 17_000}</row>').encode()), "more than 16,384 cells"),
    "many parts": (lambda p: _zip(p, {f"xl/{n}.bin": b"" for n in range(2_001)}), "has 2,001 parts"),
}  # fmt: skip


def _zip(path: Path, parts: dict[str, bytes]) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in parts.items():
            new.writestr(name, data)


def _encrypted_flag(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        data[data.index(mark) + offset] |= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_workbook_is_one_sentence_that_names_the_file(case: str, exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(exported.read_bytes())
    spoil, says = BROKEN[case]
    spoil(path)
    found = faults_of(path)
    assert any(says in fault.what for fault in found), "\n".join(map(str, found))
    if says:
        assert found[0].where.startswith("plan.xlsx")
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_too_large_and_a_sheet_too_full_are_refused(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbook_parts, "MOST_ELEMENTS", 20)
    assert "more than 20 pieces" in faults_of(exported)[0].what
    monkeypatch.setattr(workbook_parts, "LARGEST_WORKBOOK", 100)
    assert "at most 100 are read" in faults_of(exported)[0].what


def test_a_workbook_one_may_not_open(exported: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **options: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refused)
    assert "cannot be read (Permission denied)" in faults_of(exported)[0].what


def test_memory_stays_bounded_on_a_bomb(exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "plan.xlsx"
    path.write_bytes(exported.read_bytes())
    _replace_part(path, BEDS, SHEET.format("<row/>" * 50_000).encode())
    tracemalloc.start()
    try:
        faults_of(path)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 60_000_000


@pytest.mark.parametrize(
    ("name", "prepare", "says"),
    [
        ("plan.xls", lambda folder: None, "not the name of a workbook"),
        ("plan.xlsx", lambda folder: (folder / "plan.xlsx").write_bytes(b"mine"), "is there already"),
        ("plan.xlsx", lambda folder: (folder / "plan.xlsx").mkdir(), "is a folder"),
        ("no/plan.xlsx", lambda folder: None, "There is no folder"),
        ("x" * 300 + ".xlsx", lambda folder: None, "cannot be"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(
    name: str, prepare: Callable[[Path], object], says: str, tmp_path: Path
) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(BettercareError, match=says) as caught:
        write_workbook(Plan.read(TEMPLATE), tmp_path / name)
    assert caught.value.remedy
    assert sorted(tmp_path.rglob("*")) == before


def test_a_workbook_is_replaced_when_asked(tmp_path: Path) -> None:
    (tmp_path / "plan.xlsx").write_bytes(b"mine")
    path = write_workbook(Plan.read(TEMPLATE), tmp_path / "plan.xlsx", replace=True)
    assert Plan.read(path).id == "exampleshire"


def test_a_workbook_made_by_hand_with_plain_cells_is_read(tmp_path: Path) -> None:
    """No formats, no comments, rows without cells: what a script or another program would write."""
    plan = Plan.read(TEMPLATE)
    out = io.BytesIO()
    book: Any = xlsxwriter.Workbook(out, {"in_memory": True})
    first = book.add_worksheet("Plan")
    first.write_row(0, 0, ["name", "value"])
    for row, (name, text) in enumerate(plan.header.items(), start=1):
        first.write_row(row, 0, [name, text])
    for name, table in plan.tables.items():
        sheet = book.add_worksheet(name)
        sheet.write_row(0, 0, table.spec.names)
        for row, line in enumerate(table, start=1):
            for column, heading in enumerate(table.spec.names):
                sheet.write_string(row, column, line.text.get(heading, ""))
    book.close()
    path = tmp_path / "plan.xlsx"
    path.write_bytes(out.getvalue())
    assert cells(Plan.read(path)) == cells(plan)
    assert raw_from_workbook(path).faults == []
