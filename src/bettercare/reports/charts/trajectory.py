"""Performance trajectories: a small picture for each metric that has more than one point."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bettercare.reports.charts.canvas import FALL, INK, QUIET, RISE, RULE, STANDARD, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.rows import legend
from bettercare.reports.charts.scale import Scale

MARKS: Mapping[str, tuple[str, str]] = {
    "baseline": ("square", QUIET), "trajectory": ("circle", FALL), "target": ("triangle", STANDARD), "national-standard": ("dash", RISE),
}  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A figure of a metric and when it is for (in years, for its place)."""

    at: float
    shown: str
    value: float
    kind: str


@dataclass(frozen=True)
class Metric:
    """A metric, which way is better, and its points in order of time."""

    name: str
    better: str
    points: Sequence[Point]


def trajectories(metrics: Sequence[Metric], write: Callable[[float], str], width: float, title: str) -> str:
    """Draw each metric in a frame of its own.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    used = dict.fromkeys(point.kind for metric in metrics for point in metric.points)
    top = legend(canvas, [(" ".join(MARKS[kind]), kind.replace("-", " ")) for kind in MARKS if kind in used]) + 4
    across = 3 if width >= 900 else 2 if width >= 560 else 1
    gap, each = 32.0, 190.0
    cell = (width - gap * (across - 1)) / across
    for i, metric in enumerate(metrics):
        _metric(canvas, metric, write, (cell + gap) * (i % across), top + (each + 14) * (i // across), cell)
    return canvas.svg(top + (each + 14) * ((len(metrics) + across - 1) // across))


def _metric(
    canvas: Canvas, metric: Metric, write: Callable[[float], str], left: float, top: float, width: float
) -> None:
    arrow = "↓ lower is better" if metric.better == "lower" else "↑ higher is better"
    lines = wrapped(metric.name, 13, width, 2, bold=True)
    for i, line in enumerate(lines):
        canvas.text(left, top + 13 + 16 * i, line, bold=True)
    canvas.text(left, top + 13 + 16 * len(lines), arrow, QUIET, size=12)
    high, low = top + 82.0, top + 158.0
    up = Scale.over([point.value for point in metric.points], low, high, zero=False, room=0.02)
    timed = [point for point in metric.points if point.kind != "national-standard"]
    first, last = timed[0].at, timed[-1].at
    inset = max(text_width(write(point.value), 12, True) for point in metric.points) / 2 + 2
    inset = max(inset, 30.0)
    xs = [
        left + inset + (width - 2 * inset) * ((point.at - first) / (last - first) if last > first else 0.5)
        for point in timed
    ]
    canvas.line((left, low + 8), (left + width, low + 8), RULE)
    canvas.path([(x, up(point.value)) for x, point in zip(xs, timed, strict=True)], FALL, width=2)
    for point in metric.points:
        if point.kind == "national-standard":
            canvas.line((left, up(point.value)), (left + width, up(point.value)), RISE, 1.5, "6 4")
            canvas.text(left, up(point.value) - 5, f"standard {write(point.value)}", RISE, size=12)
    taken = -1e9
    for x, point in zip(xs, timed, strict=True):
        canvas.mark(x, up(point.value), *MARKS[point.kind])
        crowded = any(
            0 <= up(point.value) - up(other.value) < 22 for other in metric.points if other.kind == "national-standard"
        )
        canvas.text(x, up(point.value) + (18 if crowded else -9), write(point.value), INK, "middle", bold=True, size=12)
        half = text_width(point.shown, 11) / 2
        if x - half > taken + 4:
            canvas.text(x, low + 23, point.shown, QUIET, "middle", size=11)
            taken = x + half
