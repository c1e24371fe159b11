"""Milestones along time: when each was due, when it is now expected, and how late it can become."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bettercare.assurance.milestones import Schedule, Scheduled
from bettercare.reports.charts.canvas import INK, PAPER, QUIET, RAG, RISE, RULE, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.rows import WIDE, legend
from bettercare.reports.charts.time_axis import TimeAxis

MARKS = {"done": ("circle", RAG["green"][1]), "done late": ("circle", RAG["amber"][1])}
"""Mark of a milestone that was reached; what is still to come is a diamond."""


def gantt(schedule: Schedule, width: float, shown: Sequence[Scheduled] | None = None) -> str:
    """Draw the schedule.

    A ring stands where a milestone was due; the mark where it was or is expected; a line from one to the other is the slip, and a dashed
    line goes on to the latest it can be, if all of the planned time before it is needed. Bold milestones marked with a star are on the critical path.

    Args:
        shown: the milestones to draw; all that have a date when not given.

    Returns:
        SVG text.
    """
    rows = [one for one in (schedule.milestones if shown is None else shown) if _days(one)]
    canvas = Canvas(width, f"Milestones: {schedule.sentence}")
    if not rows:
        canvas.text(0, 20, "No milestone has a date.", QUIET)
        return canvas.svg(30)
    entries = [
        (f"ring {QUIET}", "due"), (f"circle {MARKS['done'][1]}", "done"), (f"circle {MARKS['done late'][1]}", "done late"), (f"diamond {INK}", "expected"),
        (f"line {RISE}", "slip"), (f"dash {RISE}", "at most"),
    ]  # fmt: skip
    top = legend(canvas, [*entries, ("", "► on the critical path")])
    wide = width >= WIDE
    room = 0.42 * width if wide else width - 4
    left = room + 18 if wide else 8.0
    days = sorted({day for one in rows for day in _days(one)} | {schedule.on})
    across = TimeAxis.over(days, left + 4, width - 10)
    months = _months(days[0], days[-1])
    texts = [wrapped(("► " if one.critical else "") + one.milestone, 13, room, 2, one.critical) for one in rows]
    heights = [max(26.0, 16.0 * len(lines) + 8) if wide else 16.0 * len(lines) + 26 for lines in texts]
    named = across.named(months, "monthly")
    high, low = top + 22, top + 22 + sum(heights)
    for x, text in named:
        half = text_width(text, 12) / 2
        canvas.text(min(max(x, half), width - half), top + 14, text, QUIET, "middle", size=12)
        if wide:
            canvas.line((x, high), (x, low))
    now, y = across(schedule.on), high
    for one, lines, height in zip(rows, texts, heights, strict=True):
        canvas.line((0, y), (width, y))
        middle = y + height / 2 if wide else y + height - 13
        start = middle - 8.0 * (len(lines) - 1) + 4.5 if wide else y + 15
        for i, line in enumerate(lines):
            canvas.text(0, start + 16 * i, line, bold=one.critical)
        if not wide:
            canvas.line((now, middle - 9), (now, middle + 9), INK, 1.5, "2 2")
        _milestone(canvas, one, across, middle)
        y += height
    canvas.line((0, y), (width, y))
    words = f"{schedule.on:%-d %b %Y}"
    if wide:
        canvas.line((now, high), (now, low + 4), INK, 1.5, "2 2")
    half = text_width(words, 12, True) / 2
    canvas.text(min(max(now, half), width - half), y + 17, words, INK, "middle", bold=True, size=12)
    return canvas.svg(y + 24)


def _milestone(canvas: Canvas, one: Scheduled, across: TimeAxis, y: float) -> None:
    at = one.done_on or one.at_least or one.expected or one.due
    assert at is not None
    if one.at_most and not one.done_on and one.at_most > at:
        canvas.line((across(at), y), (across(one.at_most), y), RISE, 2, "4 3")
        canvas.line((across(one.at_most), y - 5), (across(one.at_most), y + 5), RISE, 2)
    if one.due:
        if at != one.due:
            canvas.line((across(one.due), y), (across(at), y), RISE if at > one.due else RULE, 2.5)
        canvas.mark(across(one.due), y, "ring", QUIET, radius=5.0)
    shape, colour = MARKS.get(one.status, ("diamond", RAG[one.rag][1] if one.rag in RAG else INK))
    canvas.mark(across(at), y, shape, colour, PAPER, 5.0)


def _days(one: Scheduled) -> list[date]:
    return [day for day in (one.due, one.expected, one.done_on, one.at_least, one.at_most) if day is not None]


def _months(first: date, last: date) -> list[date]:
    start, count = first.replace(day=1), (last.year - first.year) * 12 + last.month - first.month
    months = [
        date(start.year + (start.month - 1 + i) // 12, (start.month - 1 + i) % 12 + 1, 1) for i in range(count + 1)
    ]
    return [month for month in months if month >= first] or [start]
