"""Pay for performance by quarter: the reduction planned and reached, and what was earned and released for it."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.assurance.payment import QuarterPayment
from bettercare.reports.amounts import NONE, count, money
from bettercare.reports.charts.canvas import FALL, PAPER, QUIET, RISE, Canvas
from bettercare.reports.charts.rows import Rows, legend
from bettercare.reports.charts.scale import Scale


def payment(payments: Sequence[QuarterPayment], width: float) -> str:
    """Draw each quarter's cumulative reduction in admissions, as planned (outlined) and as it was (solid), with what was earned and released beside it.

    Returns:
        SVG text.
    """
    known = [one for one in payments if one.reduction is not None]
    said = f"{count(known[-1].reduction or 0)} of {count(known[-1].planned_reduction)} fewer admissions by {known[-1].quarter}" if known else "no quarter known yet"  # fmt: skip
    canvas = Canvas(width, f"Pay for performance: {said}")
    top = legend(canvas, [(f"outline {QUIET}", "planned reduction to date"), (f"bar {FALL}", "reduction reached"), (f"bar {RISE}", "more admissions, not fewer")])  # fmt: skip
    figures = [
        [f"{NONE if one.reduction is None else count(one.reduction)} of {count(one.planned_reduction)}",
         money(one.earned / 100) if one in known else NONE, money((one.released - one.recovered) / 100) if one in known else NONE]
        for one in payments
    ]  # fmt: skip
    table = Rows(canvas, [one.quarter for one in payments], figures, ["Reached", "Earned", "Released"], 22.0, top)
    axis = Scale.over(
        [float(value) for one in payments for value in (one.planned_reduction, one.reduction or 0)],
        table.left + 2,
        table.right - 4,
    )
    lanes = table.lanes(axis, [(tick, count(tick)) for tick in axis.ticks(5 if table.wide else 4)])
    for lane, one in zip(lanes, payments, strict=True):
        canvas.rect(axis(0), lane.top, axis(one.planned_reduction), 10, PAPER, QUIET)
        if one.reduction is not None:
            canvas.rect(axis(0), lane.top + 11, axis(one.reduction), 11, FALL if one.reduction >= 0 else RISE)
    return canvas.svg(table.bottom + 4)
