"""A document on paper: a tagged PDF (PDF/UA-1), the same bytes for the same document."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, time
from functools import cache
from importlib import resources
from typing import Any

import typst

from bettercare.reports import typeface
from bettercare.reports.exhibit import Column, Document, Exhibit, Section, Sign, Table

_MOST_ROWS = 60
"""A folded table longer than this is left to the workbook."""
_SHORT = 16
"""Characters up to which a column is as wide as its words."""
_PAGE = 820.0
"""Pixels of a drawing that fill the width of a page at a size that can be read."""


def pdf(document: Document) -> bytes:
    """The document's bytes: tagged, titled, bookmarked, in British English, with words for every picture and headings for every table.

    Charts keep their tables in an appendix, since paper cannot fold them away.

    Raises:
        BettercareError: the typeface is missing from this installation.
    """
    appendix = [_figures(exhibit) for exhibit in document.exhibits if exhibit.chart and exhibit.table]
    sections = [_section(section) for section in document.sections]
    if any(appendix):
        sections.append(
            {"title": "Figures behind the charts", "lead": "", "exhibits": [one for one in appendix if one]}
        )
    data = {
        "title": document.title,
        "place": document.place,
        "verdict": document.verdict,
        "banner": list(document.warning),
        "headlines": [{"title": one.title, "value": one.value, "detail": one.detail} for one in document.headlines],
        "front": [_exhibit(one) for one in document.front],
        "sections": sections,
        "footer": [text for text in document.footer if text],
    }
    dated = document.dated
    made = _compiler().compile(
        resources.files("bettercare.reports.templates").joinpath("document.typ").read_bytes(),
        format="pdf",
        sys_inputs={"data": json.dumps(_printable(data) | {"dated": {"year": dated.year, "month": dated.month, "day": dated.day}})},
        pdf_standards=["ua-1"],
        timestamp=datetime.combine(dated, time(), UTC),
    )  # fmt: skip
    assert isinstance(made, bytes)
    return made


@cache
def _fonts() -> typst.Fonts:
    """The one typeface: what the machine has installed makes no difference."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[str(typeface.folder())])


def _compiler() -> typst.Compiler:
    return typst.Compiler(font_paths=_fonts(), ignore_system_fonts=True)


def _printable(value: Any) -> Any:
    if isinstance(value, str):
        return typeface.printable(value)
    if isinstance(value, Mapping):
        return {key: _printable(inner) for key, inner in value.items()}
    return [_printable(inner) for inner in value] if isinstance(value, list) else value


def _section(section: Section) -> dict[str, Any]:
    return {"title": section.title, "lead": section.lead, "exhibits": [_exhibit(one) for one in section.exhibits]}


def _exhibit(exhibit: Exhibit) -> dict[str, Any]:
    """What stands in the body: a chart without its table, or a table, or where a long one is."""
    table = exhibit.table
    long = table is not None and exhibit.folded and len(table.rows) > _MOST_ROWS
    svg = exhibit.chart.wide if exhibit.chart else ""
    rests = f" Rests on assumed: {', '.join(exhibit.rests_on)}." if exhibit.rests_on else ""
    return {
        "message": exhibit.message,
        "svg": svg,
        "share": min(1.0, _width(svg) / _PAGE) if svg else 0,
        "note": exhibit.note + rests,
        "table": _table(table) if table and table.rows and not svg and not long else None,
        "elsewhere": f"Its {len(table.rows)} rows are in the workbook." if table and long and not svg else "",
    }


def _figures(exhibit: Exhibit) -> dict[str, Any] | None:
    """The table behind a chart."""
    table = exhibit.table
    if table is None or not table.rows or (exhibit.folded and len(table.rows) > _MOST_ROWS):
        return None
    return {"message": exhibit.message, "svg": "", "share": 0, "note": "", "table": _table(table), "elsewhere": ""}


def _table(table: Table) -> dict[str, Any]:
    return {
        "titles": [column.title for column in table.columns],
        "numeric": [column.numeric for column in table.columns],
        "widths": _widths(table),
        "heading": table.heading,
        "cells": [[_cell(column, row) for column in table.columns] for row in table.rows],
    }


def _cell(column: Column, row: Mapping[str, Any]) -> str | dict[str, Any]:
    value = row.get(column.key)
    if isinstance(value, Sign):
        return {"svg": value.svg, "alt": value.words, "width": _width(value.svg), "beside": value.beside}
    return column.written(row)


def _widths(table: Table) -> Sequence[int]:
    """For each column its share of what is left, or 0 for as wide as it needs: short words, figures and signs."""
    found = []
    for column in table.columns:
        lengths = [len(column.written(row)) + 3 * isinstance(row.get(column.key), Sign) for row in table.rows]
        words = [len(word) for row in table.rows for word in column.written(row).split()] + [
            len(column.title.split()[0])
        ]
        alone = all(isinstance(sign := row.get(column.key), Sign) and not sign.beside for row in table.rows)
        if (column.numeric or alone or max(lengths) <= _SHORT) and len(column.title) <= _SHORT:
            found.append(0)
        else:
            # Between the longest cell and the usual one, with room for the longest word.
            usual = sum(lengths) / len(lengths)
            found.append(max(round((min(max(lengths), 60) + 2 * min(usual, 60)) / 3), max(words) + 2))
    return found


def _width(svg: str) -> float:
    """Pixels the drawing is shown at."""
    found = re.search(r'<svg[^>]*? width="([0-9.]+)"', svg) or re.search(r'viewBox="0 0 ([0-9.]+)', svg)
    return float(found[1]) if found else _PAGE
