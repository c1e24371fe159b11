"""The pooled fund's spend, month after month, against what was budgeted."""

from __future__ import annotations

from itertools import accumulate

from bettercare.assurance.fund import FundPosition
from bettercare.reports.amounts import money
from bettercare.reports.charts.canvas import FALL, INK, QUIET, RISE, RULE, Canvas
from bettercare.reports.charts.lettering import apart
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import WIDE, legend
from bettercare.reports.charts.scale import Scale

MONTHS = ("Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "Jan", "Feb", "Mar")


def spend(fund: FundPosition, width: float) -> str:
    """Draw cumulative spend against the budget spread evenly over twelve months, and the forecast outturn.

    Returns:
        SVG text.
    """
    spent = cumulative(fund)
    canvas = Canvas(width, f"Spend of the fund in {fund.year}: {fund.sentence}")
    top = legend(canvas, [(f"circle {FALL}", "spent"), (f"dash {QUIET}", "budget, an even twelfth a month"), (f"diamond {RISE}", "forecast outturn")])  # fmt: skip
    if fund.synthetic:
        top = canvas.stamp(top)
    wide = width >= WIDE
    high, low = top + 12, top + (292 if wide else 212)
    budget, outturn = fund.budget / 100, fund.outturn / 100
    up = Scale.over([*spent, budget, outturn], low, high)
    ends = [(budget, f"budget {money(budget)}", QUIET), (outturn, f"outturn {money(outturn)}", RISE)]
    if not wide:
        ends = [(value, text.partition(" ")[2], colour) for value, text, colour in ends]
    marks = [(tick, money(tick)) for tick in up.ticks(6 if wide else 4)]
    left = max(text_width(text, 12) for _, text in marks) + 8
    right = width - max(text_width(text, 12, True) for _, text, _ in ends) - 14
    xs = [left + (right - left) * (i + 1) / 12 for i in range(12)]
    for value, text in marks:
        canvas.line((left, up(value)), (right, up(value)), RULE)
        canvas.text(left - 6, up(value) + 4, text, QUIET, "end", size=12)
    canvas.path([(left, up(0)), (xs[-1], up(budget))], QUIET, width=2, dash="6 4")
    points = [(x, up(value)) for x, value in zip(xs, spent, strict=False)]
    last = points[-1] if points else (left, up(0))
    canvas.path([last, (xs[-1], up(outturn))], RISE, width=1.5, dash="2 3")
    canvas.path([(left, up(0)), *points], FALL, width=2)
    for x, y in points:
        canvas.mark(x, y, "circle", FALL)
    canvas.mark(xs[-1], up(outturn), "diamond", RISE)
    for (_, text, colour), y in zip(ends, apart([up(value) for value, _, _ in ends], 15), strict=True):
        canvas.text(right + 10, y + 4, text, colour, bold=True, size=12)
    for i, (x, month) in enumerate(zip(xs, MONTHS, strict=True)):
        if wide or i % 3 == 2:
            canvas.text(x, low + 18, month, INK, "middle", size=12)
    return canvas.svg(low + 26)


def cumulative(fund: FundPosition) -> list[float]:
    """Pounds spent by the end of each month that accounts are in for."""
    return list(accumulate(sum(line.by_month[i] for line in fund.lines) / 100 for i in range(fund.months)))
