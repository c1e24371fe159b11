"""The fan: a result year by year with how uncertain it is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from bettercare.reports.charts.canvas import BAND, BAND_INNER, FALL, INK, QUIET, RISE, RULE, Canvas
from bettercare.reports.charts.lettering import apart
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import legend
from bettercare.reports.charts.scale import Scale


@dataclass(frozen=True)
class _Line:
    column: str
    name: str
    colour: str
    shape: str
    dash: str = ""


LINES = (
    _Line("do_nothing", "Do nothing", QUIET, "square", "6 4"),
    _Line("mean", "Expected", RISE, "diamond"),
    _Line("published_case", "As planned", FALL, "circle"),
)


def fan(frame: pl.DataFrame, write: Callable[[float], str], width: float, title: str, zero: str = "balance") -> str:
    """Draw a fan.

    Args:
        frame: ``year, published_case`` and, where known, ``do_nothing``, ``mean, p10, p25, p75, p90``.
        zero: what lying at zero means.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    known = [line for line in LINES if line.column in frame.columns]
    entries = [(f"{line.shape} {line.colour}", line.name.lower()) for line in known]
    if "p10" in frame.columns:
        entries += [(f"band {BAND}", "p10 to p90"), (f"band {BAND_INNER}", "p25 to p75")]
    top = legend(canvas, entries) + 10
    years = frame["year"].to_list()
    columns = [line.column for line in known] + [name for name in ("p10", "p90") if name in frame.columns]
    values = [value for name in columns for value in frame[name].to_list()]
    bottom = top + (340 if width >= 620 else 260)
    up = Scale.over(values, bottom, top)
    marks = [(tick, write(tick)) for tick in up.ticks(6)]
    left = max([text_width(text, 12) for _, text in marks] + [text_width(zero, 11)]) + 10
    ends = [f"{write(frame[line.column][-1])}" for line in known]
    right = width - max(text_width(f"{end}", 13, True) for end in ends) - 12
    xs = [left + 14 + (right - left - 24) * i / max(len(years) - 1, 1) for i in range(len(years))]
    for value, text in marks:
        canvas.line((left, up(value)), (right, up(value)), QUIET if value == 0 else RULE, 1.5 if value == 0 else 1.0)
        canvas.text(left - 6, up(value) + 4, text, QUIET, "end", size=12)
    canvas.text(left - 6, up(0.0) + 17, zero, QUIET, "end", size=11)
    for low, high, fill in (("p10", "p90", BAND), ("p25", "p75", BAND_INNER)):
        if low in frame.columns:
            edge = [(x, up(v)) for x, v in zip(xs, frame[high].to_list(), strict=True)]
            edge += [(x, up(v)) for x, v in reversed(list(zip(xs, frame[low].to_list(), strict=True)))]
            canvas.path(edge, fill=fill, closed=True)
    if "p10" in frame.columns:
        canvas.line((left, up(0.0)), (right, up(0.0)), QUIET, 1.5)
    for line in known:
        points = [(x, up(v)) for x, v in zip(xs, frame[line.column].to_list(), strict=True)]
        canvas.path(points, line.colour, width=2.25, dash=line.dash)
        for x, y in points:
            canvas.mark(x, y, line.shape, line.colour)
    for line, text, y in zip(known, ends, apart([up(frame[line.column][-1]) for line in known], 16), strict=True):
        canvas.text(xs[-1] + 10, y + 4, text, line.colour, bold=True)
    for i, (x, year) in enumerate(zip(xs, years, strict=True)):
        if width >= 620 or len(years) <= 6 or i % 2 == 0:
            canvas.text(x, bottom + 20, year, INK, "middle", size=12)
    return canvas.svg(bottom + 28)
