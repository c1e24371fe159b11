"""The bridge (waterfall): from a start, step by step, to an end, as planned and as expected."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from bettercare.reports.amounts import signed
from bettercare.reports.charts.canvas import FALL, INK, PAPER, QUIET, RISE, Canvas
from bettercare.reports.charts.rows import WIDE, Lane, Rows, legend
from bettercare.reports.charts.scale import Scale

Write = Callable[[float], str]


def bridge(frame: pl.DataFrame, write: Write, width: float, title: str) -> str:
    """Draw a bridge.

    Args:
        frame: ``step, kind`` (start, growth, change, end), ``published_case`` and, when there were runs, ``mean, p10, p90``.
        write: how amounts are written.
        width: pixels.
        title: what the chart says, for readers who cannot see it.

    Returns:
        SVG text. Bars point the way the step goes; the thinner outlined bar under each is what is expected over the runs.
    """
    cases = ["published_case"] + (["mean"] if "mean" in frame.columns else [])
    rows = frame.to_dicts()
    spans = {case: _spans([(row["kind"], row[case]) for row in rows]) for case in cases}
    ends = [end for case in cases for span in spans[case] for end in span]
    inner = [
        end
        for case in cases
        for (start, stop), row in zip(spans[case], rows, strict=True)
        for end in (start, stop)
        if row["kind"] not in ("start", "end")
    ]
    tops = [
        stop
        for case in cases
        for (_, stop), row in zip(spans[case], rows, strict=True)
        if row["kind"] in ("start", "end")
    ]
    ranges = [row[name] for row in rows if row["kind"] == "end" for name in ("p10", "p90") if name in row]
    cut = min(inner + tops + ranges) > 0.5 * max(inner + tops + ranges) > 0
    canvas = Canvas(width, title)
    entries = [(f"arrows {FALL} {RISE}", "as planned: less, more")]
    if len(cases) > 1:
        entries += [(f"outline {QUIET}", "expected over the runs"), ("whisker", "p10 to p90")]
    top = legend(canvas, entries)
    figures = [[_figure(row, case, write) for case in cases] for row in rows]
    solid, thin = (12.0, 7.0) if width >= WIDE else (9.0, 5.0)
    bar = solid + 1 + thin if len(cases) > 1 else 14.0
    names = ["As planned", "Expected"][: len(cases)]
    table = Rows(canvas, [row["step"] for row in rows], figures, names, bar, top)
    axis = Scale.over(
        (inner + tops + ranges) if cut else (ends + ranges),
        table.left,
        table.right,
        zero=not cut,
        room=0.12 if cut else 0.03,
    )
    lanes = table.lanes(axis, [(tick, write(tick)) for tick in axis.ticks(6 if table.wide else 4)])
    for case in cases:
        high, shift = (solid, 0.0) if case == "published_case" else (thin, solid + 1)
        for lane, row, (start, stop) in zip(lanes, rows, spans[case], strict=True):
            _bar(
                canvas,
                axis,
                lane.top + shift,
                high if len(cases) > 1 else lane.height,
                row["kind"],
                start,
                stop,
                case,
                cut,
            )
        _connect(canvas, axis, lanes, spans[case], shift, high)
    last = rows[-1]
    if ranges and last["kind"] == "end":
        canvas.whisker(axis(last["p10"]), axis(last["p90"]), lanes[-1].top + solid + 1 + thin / 2, thin + 2)
    bottom = table.bottom + 4
    if cut:
        canvas.text(
            table.left, bottom + 12, f"The axis does not start at zero: it starts at {write(axis.low)}.", QUIET, size=12
        )
        bottom += 18
    return canvas.svg(bottom)


def _spans(steps: list[tuple[str, float]]) -> list[tuple[float, float]]:
    """Where each bar starts and stops."""
    result, level = [], 0.0
    for kind, amount in steps:
        if kind in ("start", "end"):
            result.append((0.0, amount))
            level = amount
        else:
            result.append((level, level + amount))
            level += amount
    return result


def _figure(row: dict[str, object], case: str, write: Write) -> str:
    value = row[case]
    assert isinstance(value, float)
    return write(value) if row["kind"] in ("start", "end") else signed(write(value))


def _bar(
    canvas: Canvas, axis: Scale, y: float, height: float, kind: str, start: float, stop: float, case: str, cut: bool
) -> None:
    solid = case == "published_case"
    if kind in ("start", "end"):
        left = axis.start if cut else axis(0.0)
        canvas.rect(left, y, axis(stop), height, INK if solid else PAPER, "none" if solid else QUIET)
        if cut:
            # The bar is broken because it does not start at zero.
            canvas.path(
                [(left + 6, y - 1), (left + 10, y - 1), (left + 6, y + height + 1), (left + 2, y + height + 1)],
                fill=PAPER,
                closed=True,
            )
        return
    colour = RISE if stop > start else FALL
    canvas.arrow(axis(start), axis(stop), y, height, colour if solid else PAPER, "none" if solid else colour)


def _connect(
    canvas: Canvas, axis: Scale, lanes: list[Lane], spans: list[tuple[float, float]], shift: float, height: float
) -> None:
    for lane, after, (_, level) in zip(lanes, lanes[1:], spans, strict=False):
        # In a narrow chart words stand between the bars: only a short end shows where the next one starts.
        far = after.top + shift if after.top - lane.top < 1.8 * lane.height else lane.top + lane.height + 4
        canvas.line((axis(level), lane.top + shift + height), (axis(level), far), QUIET, 0.75, "2 2" if shift else "")
