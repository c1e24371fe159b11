"""Points and ranges: rows with a planned value, an expected one and how far it may go."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import polars as pl

from bettercare.reports.charts.canvas import FALL, INK, QUIET, RISE, STANDARD, Canvas
from bettercare.reports.charts.rows import Rows, legend
from bettercare.reports.charts.scale import Scale

MARKS: Mapping[str, tuple[str, str]] = {
    "now": ("square", QUIET), "published": ("triangle", STANDARD), "planned": ("circle", FALL), "expected": ("diamond", RISE),
}  # fmt: skip
"""Each column that may be given and the mark it gets."""


def ranges(
    frame: pl.DataFrame,
    write: Callable[[float], str],
    width: float,
    title: str,
    names: Mapping[str, str],
    zero: bool = True,
) -> str:
    """Draw points and ranges.

    Args:
        frame: ``label`` and any of the columns of MARKS, with ``p10`` and ``p90`` where there were runs; nulls are left out.
        names: what each column given is called, in the order its figure stands.

    Returns:
        SVG text.
    """
    rows = frame.to_dicts()
    canvas = Canvas(width, title)
    spread = "p10" in frame.columns
    entries = [(" ".join(MARKS[key]), name) for key, name in names.items()] + (
        [("whisker " + INK, "p10 to p90")] if spread else []
    )
    top = legend(canvas, entries)
    figures = [["–" if row[key] is None else write(row[key]) for key in names] for row in rows]
    if width < 500 and len(names) > 2:
        # No room for every figure on a telephone; the table beside the chart has them.
        figures, names = (
            [[row[0], row[-1]] for row in figures],
            dict([next(iter(names.items())), list(names.items())[-1]]),
        )
    table = Rows(canvas, [row["label"] for row in rows], figures, list(names.values()), 16.0, top)
    keys = [key for key in (*MARKS, "p10", "p90") if key in frame.columns]
    axis = Scale.over(
        [row[key] for row in rows for key in keys if row[key] is not None], table.left + 6, table.right - 6, zero=zero
    )
    lanes = table.lanes(axis, [(tick, write(tick)) for tick in axis.ticks(6 if table.wide else 4)])
    for lane, row in zip(lanes, rows, strict=True):
        y = lane.top + lane.height / 2
        if spread and row["p10"] is not None:
            canvas.whisker(axis(row["p10"]), axis(row["p90"]), y, 9)
        for key, (shape, colour) in MARKS.items():
            if key in frame.columns and row[key] is not None:
                canvas.mark(axis(row[key]), y, shape, colour)
    return canvas.svg(table.bottom + 4)
