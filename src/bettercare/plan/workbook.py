"""A plan as an Excel workbook, out and back in without loss: one sheet a table, the plan's own lines on the first.

Numbers are written as numbers whose format shows the digits printed (``54.40`` is 54.4 shown with two decimals), so that Excel can
add them up and reading still knows how precisely each is known. What Excel cannot hold exactly is written as text.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import xlsxwriter
from openpyxl.reader import excel
from xlsxwriter.exceptions import FileCreateError

from bettercare.errors import BettercareError, Fault
from bettercare.plan.cells import LONGEST_CELL, number
from bettercare.plan.dictionary import Column, TableSpec, dictionary
from bettercare.plan.faults import Gathered
from bettercare.plan.read import HEADER_COLUMNS, check_columns, scenario_faults
from bettercare.plan.workbook_parts import SheetFacts, damaged, look_over
from bettercare.plan.write import write_file
from bettercare.vocabulary import UNITS

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan
    from bettercare.plan.scheme_file import RawRow

PLAN_SHEET = "Plan"
SCENARIO_SHEET = "scenarios"
LIST_SHEET = "Lists"
_HOW_TO = "How to use this workbook"
_SCENARIOS = TableSpec(
    SCENARIO_SHEET,
    "Scenarios",
    False,
    "Small overlays on the plan, one row each, in the words of a scenario file",
    (
        Column("id", "id", "yes", "", (), "Short name of the scenario"),
        Column("yaml", "text", "yes", "", (), "The scenario file, line by line"),
    ),
)
_TEXT_TYPES = {"text", "ramp", "expression", "choices", "refs"}
_SPARE_ROWS = 500
"""Empty rows below each table that have drop-down lists too."""
_MOST_HEADINGS = 101


# -- writing -----------------------------------------------------------------------------------------------------------


def write_workbook(plan: Plan, path: str | Path, replace: bool = False) -> Path:
    """Write the plan as a workbook that reads back cell for cell the same. The same plan gives the same bytes.

    Args:
        replace: write over a workbook that is already there.

    Raises:
        BettercareError: the file is there already, does not end in .xlsx, or cannot be written. Nothing is left half-written.
    """
    path = Path(path)
    if path.suffix.lower() != ".xlsx":
        raise BettercareError(f"{path.name!r} is not the name of a workbook.", remedy="End it in .xlsx.")
    return write_file(path, lambda partial: _Writer(plan, partial).write(), replace)


class _Writer:
    def __init__(self, plan: Plan, path: Path) -> None:
        self._plan = plan
        self._book: Any = xlsxwriter.Workbook(str(path))
        # A fixed date, so that the file depends on the plan alone.
        self._book.set_properties({"title": plan.title, "created": datetime(2000, 1, 1)})
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}
        self._lists: dict[tuple[str, ...], str] = {}

    def write(self) -> None:
        tables = self._tables()
        first = self._book.add_worksheet(PLAN_SHEET)
        sheets = {spec.name: self._book.add_worksheet(spec.name) for spec, _ in tables}
        self._list_sheet = self._book.add_worksheet(LIST_SHEET)
        self._list_sheet.hide()
        self._plan_sheet(first, tables)
        for spec, rows in tables:
            self._table_sheet(sheets[spec.name], spec, rows)
        try:
            self._book.close()
        except FileCreateError as error:
            raise OSError(*error.args[0].args) from None  # what the caller expects when a place cannot be written

    def _tables(self) -> list[tuple[TableSpec, Sequence[Mapping[str, str]]]]:
        tables: list[tuple[TableSpec, Sequence[Mapping[str, str]]]] = [
            (spec, [row.text for row in self._plan[name]]) for name, spec in dictionary().items()
        ]
        # A final new line would look like an empty line of the cell; reading puts it back.
        scenarios = [{"id": name, "yaml": text.rstrip()} for name, text in self._plan.scenarios.items()]
        return [*tables, (_SCENARIOS, scenarios)]

    def _style(self, **style: Any) -> Any:
        key = tuple(sorted(style.items()))
        if key not in self._formats:
            self._formats[key] = self._book.add_format({"valign": "top", **style})
        return self._formats[key]

    @property
    def _heading(self) -> Any:
        return self._style(bold=True, font_color="#FFFFFF", bg_color="#003087", text_wrap=True)

    @property
    def _optional_heading(self) -> Any:
        return self._style(bold=True, font_color="#212B32", bg_color="#D8DDE0", text_wrap=True)

    def _plan_sheet(self, sheet: Any, tables: Sequence[tuple[TableSpec, Sequence[Mapping[str, str]]]]) -> None:
        wrapped, text = self._style(text_wrap=True), self._style(text_wrap=True, num_format="@")
        for position, name in enumerate(("name", "value", "meaning")):
            sheet.write_string(0, position, name, self._heading)
        for row, (name, column) in enumerate(HEADER_COLUMNS.items(), start=1):
            sheet.write_string(row, 0, name, self._style(bold=column.required == "yes"))
            sheet.write_string(row, 1, self._plan.header.get(name, ""), text)
            sheet.write_string(row, 2, column.meaning, wrapped)
            if choices := column.choices or (("yes", "no") if column.type == "flag" else ()):
                sheet.data_validation(row, 1, row, 1, _choice(list(choices)))
        row = len(HEADER_COLUMNS) + 2
        sheet.write_string(row, 0, _HOW_TO, self._style(bold=True))
        for line in _ADVICE:
            row += 1
            sheet.merge_range(row, 0, row, 2, line, wrapped)
            sheet.set_row(row, 15 * (1 + len(line) // 105))
        row += 2
        for position, name in enumerate(("sheet", "rows", "what it holds")):
            sheet.write_string(row, position, name, self._heading)
        for spec, rows in tables:
            row += 1
            sheet.write_url(
                row, 0, f"internal:'{spec.name}'!A1", self._style(font_color="#005EB8", underline=1), spec.name
            )
            sheet.write_number(row, 1, len(rows), self._style(align="left"))
            sheet.write_string(row, 2, f"{spec.title}: {spec.meaning[0].lower()}{spec.meaning[1:]}", wrapped)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, 1, 46)
        sheet.set_column(2, 2, 60)
        sheet.freeze_panes(1, 0)

    def _table_sheet(self, sheet: Any, spec: TableSpec, rows: Sequence[Mapping[str, str]]) -> None:
        for position, column in enumerate(spec.columns):
            sheet.write_string(
                0, position, column.name, self._heading if column.required == "yes" else self._optional_heading
            )
            sheet.write_comment(0, position, how_to_fill(column), {"x_scale": 2.2, "y_scale": 1.4})
            sheet.set_column(position, position, _width(column, rows), self._cell_style(column))
            if validation := self._validation(column, len(rows)):
                sheet.data_validation(1, position, len(rows) + _SPARE_ROWS, position, validation)
            for row, cells in enumerate(rows, start=1):
                if text := cells.get(column.name, ""):
                    self._cell(sheet, row, position, column, text)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, max(len(rows), 1), len(spec.columns) - 1)

    def _cell_style(self, column: Column) -> Any:
        if column.is_number:
            return self._style()
        if column.type == "date":
            return self._style(num_format="yyyy-mm-dd", align="left")
        # Text, so that Excel makes no date of 2016/17 and no number of an id.
        return self._style(num_format="@", text_wrap=column.type in _TEXT_TYPES)

    def _cell(self, sheet: Any, row: int, position: int, column: Column, text: str) -> None:
        if column.is_number and (shape := number_format(text)):
            sheet.write_number(row, position, number(text), self._style(num_format=shape))
        elif column.type == "date" and (day := _day(text)):
            sheet.write_datetime(row, position, day, self._cell_style(column))
        else:
            sheet.write_string(row, position, text, self._cell_style(column))

    def _validation(self, column: Column, rows: int) -> dict[str, Any] | None:
        if column.type == "choice":
            return _choice(self._source(column.choices))
        if column.type == "unit":
            return _choice(self._source(tuple(UNITS)))
        if column.type == "flag":
            return _choice(["yes", "no"])
        if column.type == "ref":
            last = len(self._plan[column.refers_to]) + _SPARE_ROWS
            # A warning and not a stop: the row may be added to the other sheet afterwards.
            source = f"='{column.refers_to}'!$A$2:$A${last}"
            return {
                **_choice(source),
                "error_type": "warning",
                "error_message": f"There is no such row on the sheet {column.refers_to}.",
            }
        return None

    def _source(self, choices: Sequence[str]) -> str | list[str]:
        """Choices for a drop-down list: written in it, or on the hidden sheet when Excel would cut them off."""
        if len(",".join(choices)) <= 250 and not any("," in choice for choice in choices):
            return list(choices)
        key = tuple(choices)
        if key not in self._lists:
            position = len(self._lists)
            self._list_sheet.write_column(0, position, choices)
            letter = xlsxwriter.utility.xl_col_to_name(position, True)
            self._lists[key] = f"='{LIST_SHEET}'!{letter}$1:{letter}${len(choices)}"
        return self._lists[key]


_ADVICE = (
    "Each sheet is a table; the first row names its columns. Rest the pointer on a name to see what it means.",
    "Dark blue columns must be filled in every row. Cells with a list take only what is on the list.",
    "Show a figure with as many decimals as its source prints: 33.0 is known to the nearest tenth, 33 to the nearest whole.",
    "Write a percentage as 20 with % as the unit, not as a cell formatted to show 20%.",
    "Financial years are text such as 2016/17. Lists in one cell are separated by semicolons.",
    "Do not merge cells, rename sheets or add columns. Notes of your own belong in another workbook.",
    "schemes has one row a scheme, effects one row for each thing a scheme changes, scenarios the text of each scenario file.",
    "To use the workbook, give its name wherever a plan is asked for, or turn it back into a folder with `bettercare plan import`.",
)


def how_to_fill(column: Column) -> str:
    """What a column means and how to fill it, as the comment on its heading says it."""
    lines = [column.meaning] if column.meaning else []
    if column.choices:
        lines.append(
            f"One of: {', '.join(column.choices)}."
            if column.type == "choice"
            else f"Some of: {', '.join(column.choices)}."
        )
    if column.refers_to:
        lines.append(f"{'Ids' if column.type == 'refs' else 'An id'} from the sheet {column.refers_to}.")
    kind = {
        "choices": "Separate them with semicolons.",
        "refs": "Separate them with semicolons.",
        "year": "A financial year such as 2016/17.",
        "date": "A date.",
        "flag": "yes or no.",
        "ramp": "Such as 2017/18: 0.25; 2018/19: 1.",
        "integer": "A whole number.",
    }.get(column.type, "")
    if kind:
        lines.append(kind)
    lines.append(
        {"yes": "Required.", "if assumed": "Required when the basis is assumed."}.get(column.required, "May be blank.")
    )
    return "\n".join(lines)


def _choice(source: str | list[str]) -> dict[str, Any]:
    return {
        "validate": "list",
        "source": source,
        "error_title": "Not on the list",
        "error_message": "Choose from the list.",
    }


def _width(column: Column, rows: Sequence[Mapping[str, str]]) -> float:
    longest = max((len(cells.get(column.name, "")) for cells in rows), default=0)
    most = 60 if column.type in _TEXT_TYPES else 40
    return float(max(len(column.name) + 4, min(longest + 2, most), 9))


def number_format(text: str) -> str:
    """The Excel number format that shows a number as it is printed, or nothing when no number shows so (+5, 007, too many digits)."""
    whole, point, decimals = text.lstrip("-").partition(".")
    shape = ("#,##0" if "," in whole else "0") + (f".{'0' * len(decimals)}" if point else "")
    # A number in a workbook holds fifteen significant digits, and no minus sign before zero.
    fits = sum(char.isdigit() for char in text) <= 15 and (number(text) != 0 or text[0] != "-")
    return shape if fits and _printed(number(text), shape) == text else ""


def _day(text: str) -> date | None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    # Excel knows no day before 1900, and counts a 29 February 1900 that never was.
    return day if day.isoformat() == text and day >= date(1900, 3, 1) else None


# -- reading -----------------------------------------------------------------------------------------------------------


@contextmanager
def opened(path: Path) -> Iterator[tuple[Any, Mapping[str, SheetFacts]]]:
    """A workbook to read, and what is known of its sheets. Memory is bounded by its size, which is bounded too.

    Raises:
        BettercareError: the file is no workbook, is protected or damaged, or too large to read.
    """
    facts = look_over(path)
    try:
        with warnings.catch_warnings():
            # openpyxl warns of drawings and styles it leaves out; no value is among them
            warnings.simplefilter("ignore")
            book: Any = excel.load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                yield book, facts
            finally:
                book.close()
    except BettercareError:
        raise
    except Exception as error:  # openpyxl lets through whatever a damaged part makes it raise
        raise damaged(error, path.name) from None


@dataclass
class WorkbookText:
    """The text of a workbook's cells, as a plan folder would hold it, and what was wrong with them."""

    header: dict[str, str] | None = None
    raw: dict[str, list[RawRow]] = field(default_factory=dict)
    scenarios: dict[str, str] = field(default_factory=dict)
    unread: set[str] = field(default_factory=set)
    """Tables of which a part could not be read."""
    faults: list[Fault] = field(default_factory=list)


def raw_from_workbook(path: Path) -> WorkbookText:
    """Read the cells of a workbook.

    Raises:
        BettercareError: the file is no workbook, is protected or damaged, or too large to read.
    """
    found = WorkbookText()
    with opened(path) as (book, facts):
        _read_book(book, facts, found)
    # In the order a folder gives them, so that a plan is the same whichever way it came.
    found.raw.get("schemes", []).sort(key=lambda row: row[1].get("id", ""))
    found.raw.get("effects", []).sort(key=lambda row: row[1].get("scheme", ""))
    return found


def _read_book(book: Any, facts: Mapping[str, SheetFacts], found: WorkbookText) -> None:
    known = {name.lower(): name for name in (PLAN_SHEET, SCENARIO_SHEET, LIST_SHEET, *dictionary())}
    seen: set[str] = set()
    for title in book.sheetnames:
        name = known.get(title.strip().lower())
        if name is None:
            remedy = "Take it out of the workbook, or give it the name of a table."
            found.faults.append(Fault(f"sheet {title[:40]}", "This sheet is not a table of a plan.", remedy))
        elif name in seen:
            found.faults.append(Fault(f"sheet {name}", "The sheet is there twice.", "Keep one."))
        elif name != LIST_SHEET:
            _read_sheet(book[title], name, facts, found)
        seen.add(name or title)
    if PLAN_SHEET not in seen:
        found.faults.append(
            Fault(f"sheet {PLAN_SHEET}", "The sheet is missing.", "Export the plan again and work in that copy.")
        )
    for name in dictionary():
        if name not in seen:
            found.unread.add(name)
            remedy = "Put it back, with the row that names its columns, even if it has no other."
            found.faults.append(Fault(f"sheet {name}", "The sheet is missing.", remedy))


def _read_sheet(sheet: Any, name: str, facts: Mapping[str, SheetFacts], found: WorkbookText) -> None:
    if not hasattr(sheet, "iter_rows"):
        found.faults.append(Fault(f"sheet {name}", "The sheet is a chart.", "Take it out of the workbook."))
        return
    # The part the sheet stands in is known to openpyxl alone, under a private name.
    part = facts.get(str(getattr(sheet, "_worksheet_path", "")).lstrip("/"), SheetFacts())
    if name == PLAN_SHEET:
        _read_plan_sheet(sheet, part, found)
        return
    if part.merged:
        what = f"Cells are merged: {', '.join(part.merged[:5])}{', ...' if len(part.merged) > 5 else ''}."
        found.faults.append(Fault(f"sheet {name}", what, "Unmerge them and fill each cell."))
    spec = _SCENARIOS if name == SCENARIO_SHEET else dictionary()[name]
    before = len(found.faults)
    rows = read_rows(sheet, spec, part, found.faults)
    if len(found.faults) > before:
        found.unread.add(name)
    if name != SCENARIO_SHEET:
        found.raw[name] = rows
        return
    for where, cells in rows:
        scenario, text = cells.get("id", "").strip(), cells.get("yaml", "").rstrip() + "\n"
        found.faults.extend(scenario_faults(scenario, text, where))
        if scenario in found.scenarios:
            found.faults.append(
                Fault(f"{where}, column id", f"{scenario[:60]!r} is there twice.", "Give each row a name of its own.")
            )
        found.scenarios[scenario] = text


def read_rows(sheet: Any, spec: TableSpec, part: SheetFacts, faults: list[Fault]) -> list[RawRow]:
    """The rows of a sheet that holds a table, each with where it stands; what is wrong is added to ``faults``."""
    shown = f"sheet {spec.name}"
    names: list[str] | None = None
    rows: list[RawRow] = []
    gathered = Gathered(faults)
    for index, cells in _rows(sheet, part.rows):
        if names is None:
            names = [str(cell.value).strip() if cell.value is not None else "" for cell in cells]
            while names and not names[-1]:
                names.pop()
            if not check_columns(names, shown, spec, faults):
                return []
            columns = [spec.column(name) for name in names]
            continue
        where = f"{shown}, row {index}"
        row: dict[str, str] = {}
        for position, cell in enumerate(cells):
            column = columns[position] if position < len(columns) else None
            if column is None:
                if str(cell.value or "").strip():
                    gathered.append(
                        Fault(
                            f"{where}, cell {cell.coordinate}",
                            "The cell stands under no heading.",
                            "Clear it, or move it.",
                        )
                    )
                continue
            try:
                text = cell_text(cell, column, part.uncomputed)
            except BettercareError as error:
                gathered.append(Fault(f"{where}, column {column.name}", error.what, error.remedy))
                continue
            if text.strip():
                row[column.name] = text
        if row:
            rows.append((where, row))
    gathered.close()
    if names is None:
        faults.append(
            Fault(
                f"{shown}, row 1",
                "The sheet is empty.",
                f"Put the names of the columns in row 1: {', '.join(spec.names)}.",
            )
        )
    return rows


def _rows(sheet: Any, last: int) -> Iterator[tuple[int, Sequence[Any]]]:
    """Rows that hold something, with their number as Excel shows it."""
    # The size a sheet claims for itself may be wrong: what counts is where its cells are.
    sheet.reset_dimensions()
    for index, cells in enumerate(sheet.iter_rows(max_row=max(last, 1), max_col=_MOST_HEADINGS), start=1):
        if cells and any(getattr(cell, "coordinate", None) for cell in cells):
            yield index, cells


def _read_plan_sheet(sheet: Any, part: SheetFacts, found: WorkbookText) -> None:
    found.header = {}
    for index, cells in _rows(sheet, part.rows):
        name = str(cells[0].value or "").strip()
        if name == _HOW_TO:
            break
        if index == 1 or not name:
            continue
        where = f"sheet {PLAN_SHEET}, row {index}"
        if name not in HEADER_COLUMNS:
            found.faults.append(Fault(where, f"{name[:60]!r} is not known.", f"Known: {', '.join(HEADER_COLUMNS)}."))
        elif name in found.header:
            found.faults.append(Fault(where, f"{name!r} is there twice.", "Keep one."))
        elif len(cells) > 1:
            try:
                if text := cell_text(cells[1], HEADER_COLUMNS[name], part.uncomputed).strip():
                    found.header[name] = text
            except BettercareError as error:
                found.faults.append(Fault(where, error.what, error.remedy))


def cell_text(cell: Any, column: Column, uncomputed: Container[str] = ()) -> str:
    """The text of a cell as it would stand in a CSV file; ``uncomputed`` names the cells whose formula has no result.

    Raises:
        BettercareError: Excel has made something of the cell that the column cannot take.
    """
    value = cell.value
    if value is None and getattr(cell, "coordinate", "") in uncomputed:
        what = "The cell holds a formula whose result was never stored."
        raise BettercareError(what, remedy="Open the workbook in Excel and save it, or write the value.")
    if value is None:
        return ""
    if getattr(cell, "data_type", "") == "e":
        raise BettercareError(f"The cell shows the error {value}.", remedy="Correct the formula, or write the value.")
    if isinstance(value, bool):
        return ("yes" if value else "no") if column.type == "flag" else str(value).upper()
    if isinstance(value, datetime | date):
        return _date_text(value, column)
    if isinstance(value, time | timedelta):
        raise BettercareError(
            "Excel has made a time of the cell.", remedy="Set the cell's format to Text and write it again."
        )
    if isinstance(value, int | float):
        shape = str(getattr(cell, "number_format", "General") or "General")
        if column.is_number and "%" in re.sub(r'"[^"]*"|\\.', "", shape):
            raise BettercareError(
                f"The cell is formatted as a percentage (Excel holds {value:g}).",
                remedy="Set its format to Number and write 20 for 20 %, with % as the unit.",
            )
        return _printed(value, shape)
    text = str(value).replace("\r\n", "\n").replace("\r", "\n")
    if len(text) > LONGEST_CELL and column.name != "yaml":
        raise BettercareError(
            f"The cell holds {len(text):,} characters.", remedy=f"Keep cells under {LONGEST_CELL:,} characters."
        )
    return text


def _date_text(value: datetime | date, column: Column) -> str:
    day = value.date() if isinstance(value, datetime) else value
    whole = not isinstance(value, datetime) or value.time() == time(0)
    if whole and column.type in {"date", "text"}:
        return day.isoformat()
    shown = f"{day.day} {day:%B} {day.year}"
    if column.type == "year":
        raise BettercareError(
            f"Excel has made a date of the financial year ({shown}).",
            remedy="Set the cell's format to Text and write it again, such as 2016/17.",
        )
    if column.type in {"date", "text"}:
        raise BettercareError(
            f"The cell holds a time of day as well as the date {shown}.", remedy="Write the date alone."
        )
    if column.is_number:
        raise BettercareError(
            f"The cell is formatted as a date ({shown}).", remedy="Set its format to Number and write the figure again."
        )
    raise BettercareError(
        f"Excel has made a date of the cell ({shown}).", remedy="Set the cell's format to Text and write it again."
    )


_SHAPE = re.compile(r"(#,##0|0|#,###|#)(?:\.(0+))?")


def _printed(value: float, shape: str) -> str:
    """A number as its format prints it; the shortest way of writing it when the format would hide digits or is not a plain one."""
    if abs(value) > 1e300:
        return str(value)
    # Excel holds and shows fifteen significant digits: 1.1 + 2.2 is 3.3 and not 3.3000000000000003.
    value = float(f"{value:.15g}")
    # The part for positive numbers, without colours, currency, padding and quoted words.
    plain = re.sub(r'\[[^\]]*\]|"[^"]*"|\\.|_.|\*.|[£$€() ]', "", shape.split(";")[0])
    if match := _SHAPE.fullmatch(plain):
        comma = "," if "," in match[1] else ""
        text = f"{value:{comma}.{len(match[2] or '')}f}"
        if float(text.replace(",", "")) == value:
            return text
    text = format(Decimal(repr(value)), "f")
    return text.removesuffix(".0") if "." in text else text
