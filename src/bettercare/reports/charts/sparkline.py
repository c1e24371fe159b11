"""A metric's course in the height of a line of text."""

from __future__ import annotations

from bettercare.assurance.judgement import Judgement
from bettercare.reports.amounts import in_unit
from bettercare.reports.charts.canvas import QUIET, RULE, Canvas
from bettercare.reports.charts.scale import Scale
from bettercare.reports.charts.spc import MEANINGS
from bettercare.reports.charts.time_axis import TimeAxis, short


def sparkline(judgement: Judgement, width: float = 120.0, height: float = 28.0, most: int = 24) -> str:
    """Draw the last periods of a metric: its line, its mean where there are limits, and its last point with the mark of its meaning.

    Args:
        most: how many periods are shown.

    Returns:
        SVG text with no words in it; its name says from what to what it went.
    """
    shown, metric = judgement.actuals[-most:], judgement.metric
    if not shown:
        return Canvas(width, "No figures yet", pixels=width).svg(height)
    first, last = (f"{in_unit(float(one.value), metric.unit)} in {short(one.period, metric.frequency)}" for one in (shown[0], shown[-1]))  # fmt: skip
    said = f"From {first} to {last}" if len(shown) > 1 else last
    canvas = Canvas(width, said, pixels=width)
    points = {point.period: point for point in judgement.spc.points} if judgement.spc else {}
    values = [float(one.value) for one in shown]
    up = Scale.over(values, height - 6, 6, zero=False, room=0.02)
    across = TimeAxis.over([one.period for one in shown], 2, width - 7)
    if points and (point := points.get(shown[-1].period)) and up.low <= point.mean <= up.high:
        canvas.line((0, up(point.mean)), (width, up(point.mean)), RULE, 1.5)
    canvas.path([(across(one.period), up(value)) for one, value in zip(shown, values, strict=True)], QUIET, width=1.5)
    meaning = points[shown[-1].period].meaning if shown[-1].period in points else "common-cause"
    shape, colour, _ = MEANINGS[meaning]
    canvas.mark(across(shown[-1].period), up(values[-1]), shape, colour, radius=4.0)
    return canvas.svg(height)
