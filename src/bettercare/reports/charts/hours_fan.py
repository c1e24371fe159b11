"""The next hours of a unit: how full it is likely to be, how full it may be, the places it has, and what decisions would change."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from bettercare.reports.amounts import count
from bettercare.reports.charts.canvas import BAND, BAND_INNER, EITHER, FALL, INK, QUIET, RISE, RULE, STANDARD, Canvas
from bettercare.reports.charts.lettering import apart, wrapped
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import WIDE, legend
from bettercare.reports.charts.scale import Scale

_LINES = ((RISE, "triangle"), (STANDARD, "square"), (EITHER, "diamond"), (INK, "circle"))


@dataclass(frozen=True)
class Decision:
    """What a decision comes to: its name, and the mean at each hour of the fan."""

    title: str
    mean: Sequence[float]


def hours_fan(
    frame: pl.DataFrame,
    now: float,
    start: datetime,
    width: float,
    title: str,
    decisions: Sequence[Decision] = (),
    synthetic: bool = False,
) -> str:
    """Draw a fan of hours.

    Args:
        frame: ``at`` (date and time), ``mean, p05, p25, p75, p95`` patients and ``places`` (null without limit), a row an hour.
        now: patients there at the start; NaN when not known.
        start: when the forecast was made.
        decisions: at most four are drawn, as lines with marks of their own.
        synthetic: stamp it.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    wide = width >= WIDE
    shown = list(decisions)[: len(_LINES)]
    entries = [(f"band {BAND}", "9 in 10 lie within"), (f"band {BAND_INNER}", "half lie within"), (f"line {FALL}", "mean, nothing changed")]  # fmt: skip
    entries += [
        (f"{mark} {colour}", wrapped(one.title, 12, width - 40, 1)[0])
        for one, (colour, mark) in zip(shown, _LINES, strict=False)
    ]
    if frame["places"].null_count() < frame.height:
        entries.append((f"dash {INK}", "places open"))
    top = legend(canvas, entries) + 12
    if synthetic:
        top = canvas.stamp(top - 6) + 8
    bottom = top + (270 if wide else 220)
    hours: list[datetime] = frame["at"].to_list()
    known = [value for value in (now,) if value == value]
    values = [value for name in ("p05", "p95", "places") for value in frame[name].drop_nulls().to_list()] + known
    values += [value for one in shown for value in one.mean]
    least = min(values, default=0.0)
    zero = least < 0.4 * max(values, default=0.0)
    up = Scale.over(values, bottom, top, zero=zero, room=0.06)
    marks = [(tick, count(tick)) for tick in up.ticks(6 if wide else 4)]
    left = max(text_width(text, 12) for _, text in marks) + 10
    ends = [(float(frame["mean"][-1]), count(frame["mean"][-1]), FALL)]
    ends += [
        (float(one.mean[-1]), count(one.mean[-1]), colour) for one, (colour, _) in zip(shown, _LINES, strict=False)
    ]
    right = width - max(text_width(text, 13, True) for _, text, _ in ends) - 10
    span = max((hours[-1] - start).total_seconds(), 3600.0)

    def across(at: datetime) -> float:
        return left + 4 + (right - left - 8) * (at - start).total_seconds() / span

    for value, text in marks:
        canvas.line((left, up(value)), (right, up(value)), RULE)
        canvas.text(left - 6, up(value) + 4, text, QUIET, "end", size=12)
    _clock(canvas, hours, across, top, bottom, 6 if wide else 12)
    xs = [across(at) for at in hours]
    origin = [(across(start), up(now))] if known else []
    for low, high, fill in (("p05", "p95", BAND), ("p25", "p75", BAND_INNER)):
        edge = origin + [(x, up(v)) for x, v in zip(xs, frame[high].to_list(), strict=True)]
        edge += [(x, up(v)) for x, v in reversed(list(zip(xs, frame[low].to_list(), strict=True)))]
        canvas.path(edge, fill=fill, closed=True)
    _places(canvas, frame["places"].to_list(), xs, across(start), up)
    canvas.path(origin + [(x, up(v)) for x, v in zip(xs, frame["mean"].to_list(), strict=True)], FALL, width=2.25)
    for one, (colour, mark) in zip(shown, _LINES, strict=False):
        points = [(x, up(v)) for x, v in zip(xs, one.mean, strict=True)]
        canvas.path(origin + points, colour, width=1.75, dash="6 3")
        for x, y in points[5 :: 12 if wide else 18]:
            canvas.mark(x, y, mark, colour, radius=4.0)
    if known:
        # The words go where the middle line does not.
        x, rises = across(start), sum(frame["mean"].to_list()[:6]) >= now * min(frame.height, 6)
        canvas.mark(x, up(now), "circle", INK)
        canvas.text(x + 8, up(now) + (20 if rises else -10), f"now {count(now)}", INK, bold=True, size=12)
    for (_, text, colour), y in zip(ends, apart([up(value) for value, _, _ in ends], 15), strict=True):
        canvas.text(right + 6, y + 4, text, colour, bold=True)
    return canvas.svg(bottom + 40)


def _clock(
    canvas: Canvas, hours: Sequence[datetime], across: Callable[[datetime], float], top: float, bottom: float, step: int
) -> None:
    """The hours along the foot, and each midnight with the name of the day it begins."""
    for at in hours:
        x = across(at)
        if at.hour == 0:
            canvas.line((x, top), (x, bottom), QUIET, 1.0, "2 3")
        if at.hour % step == 0:
            canvas.text(x, bottom + 16, f"{at.hour:02d}", QUIET, "middle", size=12)
    days: dict[str, list[float]] = {}
    for at in hours:
        days.setdefault(f"{at:%a} {at.day} {at:%b}", []).append(across(at))
    for name, found in days.items():
        if found[-1] - found[0] > text_width(name, 12):
            canvas.text((found[0] + found[-1]) / 2, bottom + 34, name, INK, "middle", size=12)


def _places(canvas: Canvas, places: Sequence[float | None], xs: Sequence[float], start: float, up: Scale) -> None:
    """The line of places open: level, with a step where a shift begins or ends."""
    points: list[tuple[float, float]] = []
    before = start
    for x, value in zip(xs, places, strict=True):
        if value is None:
            canvas.path(points, INK, width=1.5, dash="6 4") if len(points) > 1 else None
            points = []
        else:
            points += [(before, up(value)), (x, up(value))]
        before = x
    if len(points) > 1:
        canvas.path(points, INK, width=1.5, dash="6 4")
