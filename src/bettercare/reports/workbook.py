"""A document as a workbook: one sheet an exhibit, real numbers with their units and sources, no macros."""

from __future__ import annotations

import io
import math
import re
from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

import xlsxwriter

import bettercare
from bettercare.reports.exhibit import Column, Document, Exhibit, Table

_FORMATS = {
    "money": "#,##0", "money change": "+#,##0;-#,##0;0", "count": "#,##0.0", "change": "+#,##0.0;-#,##0.0;0", "percent": "0.00", "chance": "0.0%",
    "plain": "General", "years": "0.00", "amount": "#,##0.######",
}  # fmt: skip
_LONGEST = 32_000
"""A cell holds 32,767 characters."""


def workbook(document: Document) -> bytes:
    """The workbook's bytes. The same document gives the same bytes.

    Numbers are written in full, money in pounds; percentages as the plan writes them, shares of runs as shares.
    """
    exhibits = [exhibit for exhibit in document.exhibits if exhibit.sheet and exhibit.table is not None]
    made = io.BytesIO()
    options = {
        "strings_to_formulas": False,
        "strings_to_urls": False,
        "strings_to_numbers": False,
        "in_memory": True,
    }
    with xlsxwriter.Workbook(made, options) as book:
        book.set_properties(
            {
                "title": document.title,
                "comments": f"Made by bettercare {bettercare.__version__}",
                "created": datetime.combine(document.dated, time()),
            }
        )
        styles = _Styles(book)
        names = _sheet_names([exhibit.sheet for exhibit in exhibits])
        _summary(book.add_worksheet("Summary"), styles, document, list(zip(names, exhibits, strict=True)))
        for name, exhibit in zip(names, exhibits, strict=True):
            _exhibit(book.add_worksheet(name), styles, exhibit)
    return made.getvalue()


class _Styles:
    """Cell formats, each made once."""

    def __init__(self, book: Any) -> None:
        self.title = book.add_format({"bold": True, "font_size": 14, "font_color": "#003087"})
        self.note = book.add_format({"italic": True, "font_color": "#4c6272"})
        self.warning = book.add_format({"bold": True, "bg_color": "#ffeb3b"})
        self.heading = book.add_format(
            {"bold": True, "bg_color": "#e8edee", "bottom": 1, "text_wrap": True, "valign": "bottom"}
        )
        self.text = book.add_format({"valign": "top", "text_wrap": True})
        self.link = book.add_format({"font_color": "#005eb8", "underline": 1})
        self.numbers = {
            kind: book.add_format({"num_format": shown, "valign": "top"}) for kind, shown in _FORMATS.items()
        }


def _sheet_names(wanted: Sequence[str]) -> list[str]:
    """Names a sheet may have (31 characters, none of ``[]:*?/\\``), each once."""
    names: list[str] = ["Summary"]
    for name in wanted:
        name = re.sub(r"[\[\]:*?/\\]", " ", name).strip("' ")[:31] or "Sheet"
        number = 1
        unique = name
        while unique.lower() in {known.lower() for known in names}:
            number += 1
            unique = f"{name[: 30 - len(str(number))]} {number}"
        names.append(unique)
    return names[1:]


def _summary(sheet: Any, styles: _Styles, document: Document, listed: Sequence[tuple[str, Exhibit]]) -> None:
    sheet.set_column(0, 0, 44)
    sheet.set_column(1, 1, 30)
    sheet.set_column(2, 2, 90)
    row = 0
    if document.banner:
        sheet.write_string(row, 0, document.banner, styles.warning)
        row += 1
    sheet.write_string(row, 0, document.title, styles.title)
    sheet.write_string(row + 1, 0, document.verdict)
    sheet.write_string(row + 2, 0, document.place, styles.note)
    row += 4
    for head in document.headlines:
        for column, text in enumerate((head.title, head.value, head.detail)):
            sheet.write_string(row, column, text, styles.text)
        row += 1
    row += 1
    for column, text in enumerate(("Sheet", "Rows", "What it says")):
        sheet.write_string(row, column, text, styles.heading)
    for name, exhibit in listed:
        row += 1
        sheet.write_url(row, 0, f"internal:'{name}'!A1", styles.link, name)
        sheet.write_number(row, 1, len(exhibit.table.rows) if exhibit.table else 0, styles.numbers["plain"])
        sheet.write_string(row, 2, exhibit.message, styles.text)
    for text in document.footer:
        row += 2
        sheet.write_string(row, 0, text, styles.note)


def _exhibit(sheet: Any, styles: _Styles, exhibit: Exhibit) -> None:
    assert exhibit.table is not None
    sheet.write_string(0, 0, exhibit.message, styles.title)
    sheet.write_string(1, 0, exhibit.note, styles.note)
    columns = list(_spread(exhibit.table))
    top = 3
    for index, column in enumerate(columns):
        sheet.write_string(
            top,
            index,
            column.title + (f" ({column.unit})" if column.unit and column.unit not in column.title else ""),
            styles.heading,
        )
        sheet.set_column(index, index, _width(column, exhibit.table))
    for number, row in enumerate(exhibit.table.rows, start=top + 1):
        for index, column in enumerate(columns):
            _cell(sheet, number, index, column, row, styles)
    sheet.freeze_panes(top + 1, 1)
    if exhibit.table.rows:
        sheet.autofilter(top, 0, top + len(exhibit.table.rows), len(columns) - 1)
    if exhibit.rests_on:
        sheet.write_string(2, 0, "Rests on assumed: " + ", ".join(exhibit.rests_on)[:_LONGEST], styles.note)
    sheet.set_landscape()
    sheet.fit_to_pages(1, 0)
    sheet.repeat_rows(top)


def _spread(table: Table) -> Sequence[Column]:
    """The columns, with the unit of amounts after the last of them."""
    columns = list(table.columns)
    amounts = [index for index, column in enumerate(columns) if column.kind == "amount"]
    if amounts:
        columns.insert(amounts[-1] + 1, Column("unit", "Unit"))
    return columns


def _width(column: Column, table: Table) -> float:
    if column.numeric:
        return 15
    longest = max((len(column.written(row)) for row in table.rows), default=8)
    return min(max(10, longest + 2), 60)


def _cell(sheet: Any, row: int, index: int, column: Column, values: Any, styles: _Styles) -> None:
    value = values.get(column.key)
    if value is None or value == "":
        return
    if not column.numeric:
        sheet.write_string(row, index, str(value)[:_LONGEST], styles.text)
    elif math.isfinite(value):
        sheet.write_number(row, index, value, styles.numbers[column.kind])
    else:
        sheet.write_string(row, index, "without end", styles.text)
