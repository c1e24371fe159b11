"""A station through the hours of the week: places in use and patients waiting against places open, with a strip or a grid of how full it is."""

from __future__ import annotations

import math
from collections.abc import Sequence

import polars as pl

from bettercare.reports.amounts import count
from bettercare.reports.charts.canvas import BAND, BAND_INNER, FALL, INK, PAPER, QUIET, RISE, RULE, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import WIDE, legend
from bettercare.reports.charts.scale import Scale

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
STEPS = (
    (0.75, "#eef4fa", "under 75% full"),
    (0.85, BAND, "75 to 85%"),
    (0.95, BAND_INNER, "85 to 95%"),
    (math.inf, FALL, "95% or more"),
)
"""Up to which share of places in use each shade goes, and its name."""
CLOSED = "#c9ced2"


def week_of_hours(frame: pl.DataFrame, width: float, title: str) -> str:
    """Draw a week.

    Args:
        frame: ``hour_of_week`` (0 is Monday 00:00), ``servers`` (NaN or null without limit), ``occupied, waiting``: 168 rows.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    wide = width >= WIDE
    rows = frame.sort("hour_of_week")
    occupied, waiting = (list(map(float, rows[name].to_list())) for name in ("occupied", "waiting"))
    servers = [float("nan") if value is None else float(value) for value in rows["servers"].to_list()]
    limited = not all(math.isnan(value) for value in servers)
    waits = max(waiting, default=0.0) >= 0.05
    entries = [(f"band {BAND_INNER}", "places in use")]
    entries += [(f"band {RISE}", "waiting, on top of them")] if waits else []
    entries += [(f"line {INK}", "places open")] if limited else []
    top = legend(canvas, entries) + 10
    bottom = top + (200 if wide else 170)
    both = [a + b for a, b in zip(occupied, waiting, strict=True)]
    up = Scale.over([*both, *(value for value in servers if not math.isnan(value))], bottom, top)
    marks = [(tick, count(tick)) for tick in up.ticks(5)]
    left = max(max(text_width(text, 12) for _, text in marks) + 8, 0 if wide else 30)
    right = width - 4
    hour = (right - left) / 168
    for value, text in marks:
        canvas.line((left, up(value)), (right, up(value)), RULE)
        canvas.text(left - 5, up(value) + 4, text, QUIET, "end", size=12)
    _steps(canvas, [0.0] * 168, occupied, left, hour, up, BAND_INNER)
    if waits:
        _steps(canvas, occupied, both, left, hour, up, RISE)
    if limited:
        level = [
            (left + hour * (n + side), up(value))
            for n, value in enumerate(servers)
            if not math.isnan(value)
            for side in (0, 1)
        ]
        canvas.path(level, INK, width=1.75)
    for day, name in enumerate(DAYS):
        x = left + hour * 24 * day
        canvas.line((x, top), (x, bottom + 4), QUIET, 1.0, "" if day == 0 else "2 3")
        canvas.text(x + hour * 12, bottom + 16, name if wide else name[:3], INK, "middle", size=12)
    y = bottom + 28
    if not limited:
        return canvas.svg(y)
    shades = [_shade(a, b) for a, b in zip(occupied, servers, strict=True)]
    y = legend(
        canvas,
        [(f"band {colour}", name) for _, colour, name in STEPS]
        + ([(f"band {CLOSED}", "closed")] if CLOSED in shades else []),
        y,
    )
    if wide:
        for n, colour in enumerate(shades):
            canvas.rect(left + hour * n, y + 2, left + hour * (n + 1) + 0.3, 22, colour)
        return canvas.svg(y + 30)
    return canvas.svg(_grid(canvas, shades, left, right, y + 4))


def _steps(
    canvas: Canvas, low: Sequence[float], high: Sequence[float], left: float, hour: float, up: Scale, fill: str
) -> None:
    """A filled band whose edges are level through each hour."""
    edge = [(left + hour * (n + side), up(value)) for n, value in enumerate(high) for side in (0, 1)]
    edge += [(left + hour * (n + side), up(low[n])) for n in reversed(range(len(low))) for side in (1, 0)]
    canvas.path(edge, fill=fill, closed=True)


def _shade(occupied: float, servers: float) -> str:
    if math.isnan(servers):
        return PAPER
    if servers <= 0:
        return CLOSED
    return next(colour for upto, colour, _ in STEPS if occupied / servers < upto)


def _grid(canvas: Canvas, shades: Sequence[str], left: float, right: float, y: float) -> float:
    """A row a day and a column an hour; returns where it ends."""
    cell = (right - left) / 24
    for day, name in enumerate(DAYS):
        canvas.text(left - 5, y + 13, name[:3], INK, "end", size=12)
        for hour in range(24):
            canvas.rect(left + cell * hour, y, left + cell * (hour + 1) - 0.5, 17, shades[24 * day + hour])
        y += 18
    for hour in (0, 6, 12, 18):
        canvas.text(left + cell * hour, y + 14, f"{hour:02d}", QUIET, size=12)
    return y + 20
