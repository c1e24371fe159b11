"""The process control chart of a metric: what was measured, its mean and limits, what is expected of it, and where it is heading."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby

from bettercare.assurance.judgement import Judgement
from bettercare.assurance.metrics import bare, expected
from bettercare.assurance.spc import Spc, SpcPoint
from bettercare.reports.amounts import percent, plain
from bettercare.reports.charts.canvas import BAND, EITHER, FALL, INK, PAPER, QUIET, RISE, RULE, STANDARD, Canvas
from bettercare.reports.charts.lettering import apart, wrapped
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import WIDE, legend
from bettercare.reports.charts.scale import Scale
from bettercare.reports.charts.time_axis import TimeAxis, short
from bettercare.reports.words import sentence

MEANINGS: Mapping[str, tuple[str, str, str]] = {
    "common-cause": ("circle", QUIET, "usual variation"),
    "improvement": ("diamond", FALL, "improvement"),
    "concern": ("triangle", RISE, "concern"),
    "special-up": ("square", EITHER, "unusually high"),
    "special-down": ("square", EITHER, "unusually low"),
}
"""The shape, the colour and the word of each meaning a point may have."""


def spc(judgement: Judgement, width: float) -> str:
    """Draw the chart of one metric.

    Points are common cause, improvement or concern by shape and colour. The mean and limits step where they were worked out anew.
    A metric whose limits were refused is drawn without them, with the reason. The rules are printed underneath.

    Returns:
        SVG text.
    """
    metric, found = judgement.metric, judgement.spc
    write = writer(metric.unit)
    canvas = Canvas(width, title(judgement))
    wide = width >= WIDE
    periods = [actual.period for actual in judgement.actuals]
    ahead = judgement.forecast.periods if judgement.forecast else ()
    top = legend(canvas, _entries(judgement))
    if judgement.synthetic:
        top = canvas.stamp(top)
    if not periods:
        canvas.text(0, top + 20, "No figure has been entered yet.", QUIET)
        return canvas.svg(top + 30)
    shown = sorted({*periods, *ahead})
    aims = [(period, aim) for period in shown if (aim := expected(metric, period)) is not None]
    values = [float(actual.value) for actual in judgement.actuals] + [aim for _, aim in aims]
    if found:
        values += [edge for point in found.points for edge in (point.lower, point.upper)]
    if judgement.forecast:
        values += [*judgement.forecast.low, *judgement.forecast.high]
    renewed = found.segments[1:] if found else ()
    high = top + 26 + (16 if renewed else 0)
    low = high + (290 if wide else 220)
    up = Scale.over(values, low, high, zero=False, room=0.04)
    marks = [(tick, write(tick)) for tick in up.ticks(6 if wide else 4)]
    ends = _ends(judgement, found, aims[-1][1] if aims else None, wide)
    left = max(text_width(text, 12) for _, text in marks) + 8
    right = width - max((text_width(text, 12, True) for _, text, _ in ends), default=0.0) - 12
    across = TimeAxis.over(shown, left + 10, right - 8)
    half = min(6.0, (right - left) / max(len(shown), 1) / 2)
    canvas.text(0, top + 14, metric.unit, QUIET, size=12)
    for value, text in marks:
        canvas.line((left, up(value)), (right, up(value)), RULE)
        canvas.text(left - 6, up(value) + 4, text, QUIET, "end", size=12)
    if judgement.forecast:
        _forecast(canvas, judgement, across, up, half)
    for day in renewed:
        x = across(day) - half
        canvas.line((x, high - 14), (x, low), QUIET, 1.0, "2 3")
        words = f"new limits from {short(day, metric.frequency)}"
        canvas.text(x - 4 if x - 4 - text_width(words, 12) > left else x + 4, high - 6, words, QUIET, "end" if x - 4 - text_width(words, 12) > left else "start", size=12)  # fmt: skip
    if found:
        _limits(canvas, found.points, found.segments, across, up, half)
    canvas.path([(across(period), up(aim)) for period, aim in aims], STANDARD, width=2, dash="1 4")
    points = [(across(actual.period), up(float(actual.value))) for actual in judgement.actuals]
    canvas.path(points, INK, width=1.25)
    meanings = {point.period: point.meaning for point in found.points} if found else {}
    radius = 4.5 if half >= 4 else 3.0
    for actual, (x, y) in zip(judgement.actuals, points, strict=True):
        shape, colour, _ = MEANINGS[meanings.get(actual.period, "common-cause")]
        canvas.mark(x, y, shape, colour, radius=radius)
    for (_, text, colour), y in zip(ends, apart([up(at) for at, _, _ in ends], 14), strict=True):
        canvas.text(right + 6, y + 4, text, colour, bold=True, size=12)
    bottom = across.draw(canvas, shown, metric.frequency, low + 4)
    for line in wrapped(printed_rules(judgement), 12, width - 4, 6):
        bottom += 16
        canvas.text(0, bottom, line, QUIET, size=12)
    return canvas.svg(bottom + 6)


def title(judgement: Judgement) -> str:
    """What the chart says, for readers who cannot see it."""
    said = judgement.spc.sentence if judgement.spc else judgement.spc_refused
    return f"{judgement.metric.name}: {said}" + (" Synthetic figures." if judgement.synthetic else "")


def writer(unit: str) -> Callable[[float], str]:
    """How the figures of a metric are written where its unit is said beside them."""
    return percent if unit == "%" else plain


def printed_rules(judgement: Judgement) -> str:
    """The rules the points were judged by, as printed under the chart."""
    if judgement.spc is None:
        return f"No process limits: {judgement.spc_refused}"
    text = f"Rules: {judgement.spc.rules.title}."
    if len(judgement.spc.segments) > 1 and judgement.rules.rebase_reason:
        text += f" New limits because: {sentence(judgement.rules.rebase_reason)}"
    if judgement.rules.fix_after:
        text += f" Limits held after the first {judgement.rules.fix_after} points."
    return text


def _entries(judgement: Judgement) -> list[tuple[str, str]]:
    entries: list[tuple[str, str]] = []
    if judgement.spc:
        used = dict.fromkeys(point.meaning for point in judgement.spc.points)
        entries += [(f"{shape} {colour}", words) for name, (shape, colour, words) in MEANINGS.items() if name in used]
        entries += [(f"line {QUIET}", "mean"), (f"dash {QUIET}", "process limits")]
    elif judgement.actuals:
        entries.append((f"circle {QUIET}", "measured"))
    if judgement.metric.aims:
        entries.append((f"dots {STANDARD}", "expected by the plan"))
    if judgement.forecast:
        entries.append((f"band {BAND}", "forecast, 80 in 100"))
    return entries


def _limits(
    canvas: Canvas,
    points: Sequence[SpcPoint],
    segments: Sequence[object],
    across: TimeAxis,
    up: Scale,
    half: float,
) -> None:
    """Mean and limits of each stretch."""
    stretch = 0

    def key(point: SpcPoint) -> tuple[int, float, float, float]:
        nonlocal stretch
        stretch += point.period in segments
        return stretch, point.mean, point.lower, point.upper

    for (_, mean, lower, upper), group in groupby(points, key):
        found = list(group)
        start, end = across(found[0].period) - half, across(found[-1].period) + half
        canvas.line((start, up(mean)), (end, up(mean)), QUIET, 1.5)
        for edge in (lower, upper):
            canvas.line((start, up(edge)), (end, up(edge)), QUIET, 1.5, "6 4")


def _forecast(canvas: Canvas, judgement: Judgement, across: TimeAxis, up: Scale, half: float) -> None:
    forecast = judgement.forecast
    assert forecast is not None
    xs = [across(period) for period in forecast.periods]
    if len(xs) == 1:
        # One period ahead is a band as wide as a point, since a single line cannot be shaded.
        xs = [xs[0] - half, xs[0] + half]
    low, mean, high = (list(part) * (2 if len(forecast.periods) == 1 else 1) for part in (forecast.low, forecast.mean, forecast.high))  # fmt: skip
    edge = [(x, up(value)) for x, value in zip(xs, high, strict=True)]
    edge += [(x, up(value)) for x, value in reversed(list(zip(xs, low, strict=True)))]
    canvas.path(edge, fill=BAND, closed=True)
    canvas.path([(x, up(value)) for x, value in zip(xs, mean, strict=True)], FALL, width=1.5, dash="3 3")
    canvas.mark(xs[-1] if len(forecast.periods) > 1 else sum(xs) / 2, up(mean[-1]), "ring", FALL, PAPER, 3.5)


def _ends(judgement: Judgement, found: Spc | None, aim: float | None, wide: bool) -> list[tuple[float, str, str]]:
    """What is written at the right: value for its place, words, colour."""
    ends: list[tuple[float, str, str]] = []
    if found:
        last = found.points[-1]
        for value, word in ((last.upper, "upper limit"), (last.mean, "mean"), (last.lower, "lower limit")):
            ends.append(
                (value, f"{word} {bare(judgement.metric, value)}" if wide else bare(judgement.metric, value), QUIET)
            )
    if aim is not None:
        ends.append((aim, f"expected {bare(judgement.metric, aim)}" if wide else bare(judgement.metric, aim), STANDARD))
    if judgement.forecast:
        value = judgement.forecast.mean[-1]
        ends.append(
            (value, f"forecast {bare(judgement.metric, value)}" if wide else bare(judgement.metric, value), FALL)
        )
    return ends
