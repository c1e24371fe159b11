"""The tornado: how far a result moves with each thing that is uncertain, largest first."""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from bettercare.reports.charts.canvas import FALL, INK, RISE, Canvas
from bettercare.reports.charts.rows import Rows, legend
from bettercare.reports.charts.scale import Scale


def tornado(frame: pl.DataFrame, centre: float, write: Callable[[float], str], width: float, title: str) -> str:
    """Draw a tornado.

    Args:
        frame: ``label, at_low, at_high``: the mean result where the driver is in its lowest and its highest tenth.
        centre: the mean result over all runs.

    Returns:
        SVG text.
    """
    rows = frame.to_dicts()
    canvas = Canvas(width, title)
    top = legend(
        canvas,
        [
            ("outline " + RISE, "driver at its lowest"),
            ("bar " + FALL, "driver at its highest"),
            ("line " + INK, "mean of all runs"),
        ],
    )
    figures = [[write(row["at_low"]), write(row["at_high"])] for row in rows]
    table = Rows(canvas, [row["label"] for row in rows], figures, ["At lowest", "At highest"], 14.0, top)
    ends = [value for row in rows for value in (row["at_low"], row["at_high"])] + [centre]
    axis = Scale.over(ends, table.left, table.right, zero=False)
    lanes = table.lanes(axis, [(tick, write(tick)) for tick in axis.ticks(6 if table.wide else 4)])
    for lane, row in zip(lanes, rows, strict=True):
        middle = lane.top + lane.height / 2
        for value, fill, stroke in ((row["at_low"], "#ffffff", RISE), (row["at_high"], FALL, "none")):
            # Two that lie on one side overlap: the lower half is the highest tenth.
            canvas.rect(
                axis(centre), lane.top if stroke != "none" else middle, axis(value), lane.height / 2 - 0.5, fill, stroke
            )
        canvas.line((axis(centre), lane.top - 2), (axis(centre), lane.top + lane.height + 2), INK, 2)
    return canvas.svg(table.bottom + 4)
