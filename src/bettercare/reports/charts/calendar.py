"""Amounts by year: a row for each thing, a column for each year, a bar and its figure in each cell."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from bettercare.reports.charts.canvas import FALL, INK, QUIET, RULE, STANDARD, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.rows import WIDE, legend


def calendar(
    frame: pl.DataFrame, write: Callable[[float], str], width: float, title: str, out: str, into: str = ""
) -> str:
    """Draw amounts by year.

    Args:
        frame: ``label`` and one column a period. A row or a period called ``Total`` is written without a bar, so that bars are all to one scale.
        out: what a positive amount is called, such as ``spend``.
        into: what a negative amount is called; drawn outlined.

    Returns:
        SVG text.
    """
    periods = [name for name in frame.columns if name != "label"]
    rows = frame.to_dicts()
    canvas = Canvas(width, title)
    negative = any((row[name] or 0) < 0 for row in rows for name in periods)
    top = legend(canvas, [(f"bar {FALL}", out)] + ([(f"outline {STANDARD}", into)] if negative and into else []))
    wide = width >= WIDE
    room = 0.3 * width if wide else width
    left = room + 12 if wide else 0.0
    cell = (width - left) / max(len(periods), 1)
    size = 13.0 if cell >= 64 else 12.0 if cell >= 56 else 11.0
    for i, name in enumerate(periods):
        canvas.text(left + cell * i + 2, top + 12, name, QUIET, size=size)
    y = top + 20
    most = (
        max(
            (abs(row[name] or 0) for row in rows for name in periods if row["label"] != "Total" and name != "Total"),
            default=1.0,
        )
        or 1.0
    )
    for row in rows:
        bold = row["label"] == "Total"
        lines = wrapped(str(row["label"]), canvas.size, room, 2)
        canvas.line((0, y), (width, y), INK if bold else RULE)
        height = max(40.0, len(lines) * 16 + 10) if wide else len(lines) * 16 + 42
        first = y + height / 2 - (len(lines) - 1) * 8 + 4.5 if wide else y + 16
        for i, line in enumerate(lines):
            canvas.text(0, first + i * 16, line, bold=bold)
        lane = y + (height - 26) / 2 if wide else y + len(lines) * 16 + 6
        for i, name in enumerate(periods):
            value = row[name]
            if value is None:
                continue
            x = left + cell * i + 2
            canvas.text(
                x,
                lane + 11,
                write(value) if value else "–",
                INK if value else QUIET,
                bold=bold or name == "Total",
                size=_fit(write(value), size, cell - 4),
            )
            if value and not bold and name != "Total":
                canvas.rect(
                    x,
                    lane + 16,
                    x + (cell - 10) * abs(value) / most,
                    9,
                    FALL if value > 0 else "#ffffff",
                    "none" if value > 0 else STANDARD,
                )
        y += height
    return canvas.svg(y + 2)


def _fit(text: str, size: float, room: float) -> float:
    return size if text_width(text, size, True) <= room else 11.0
