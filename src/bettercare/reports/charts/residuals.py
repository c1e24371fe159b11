"""Rows with an interval: a network against what was seen, with the tolerance, and scenarios against the network as it is."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bettercare.reports.charts.canvas import BAND, FALL, INK, QUIET, RISE, Canvas
from bettercare.reports.charts.rows import Rows, legend
from bettercare.reports.charts.scale import Scale

_MOST = 100.0
"""Percent beyond which a mark is drawn at the edge: its figure says how far it really is."""


@dataclass(frozen=True)
class Residual:
    """One target: what it is called, amounts in its own unit and written out, and the share by which they may differ."""

    title: str
    seen: float
    modelled: float
    low: float
    high: float
    tolerance: float
    seen_text: str
    modelled_text: str
    held_out: bool = False

    @property
    def agrees(self) -> bool:
        return abs(self.modelled - self.seen) <= self.tolerance * abs(self.seen)

    def percent(self, value: float) -> float:
        """How far a value is from what was seen, in percent of it; NaN where nothing was seen or the value is not known."""
        return 100 * (value - self.seen) / abs(self.seen) if self.seen else math.nan


def residuals(rows: Sequence[Residual], width: float, title: str) -> str:
    """Draw seen against modelled, each as percent of what was seen.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    top = legend(
        canvas,
        [
            (f"band {BAND}", "within tolerance of what was seen"), (f"circle {FALL}", "modelled, agrees"), (f"square {RISE}", "modelled, does not agree"),
            (f"ring {QUIET}", "held out of calibration (hollow)"), (f"whisker {INK}", "95% interval of the mean"),
        ],
    )  # fmt: skip
    labels = [row.title + (" (held out)" if row.held_out else "") for row in rows]
    table = Rows(canvas, labels, [[row.modelled_text, row.seen_text] for row in rows], ["Modelled", "Seen"], 18.0, top)
    values = [_held(row.percent(value)) for row in rows for value in (row.modelled, row.low, row.high)]
    values += [side * min(100 * row.tolerance, _MOST) for row in rows for side in (-1, 1)]
    axis = Scale.over(
        [value for value in values if math.isfinite(value)] or [-5.0, 5.0], table.left + 8, table.right - 8
    )
    lanes = table.lanes(
        axis,
        [
            (tick, f"{tick:+.0f}%".replace("-", "−") if tick else "as seen")
            for tick in axis.ticks(6 if table.wide else 4)
        ],
    )
    for lane, row in zip(lanes, rows, strict=True):
        half, middle = min(100 * row.tolerance, _MOST), lane.top + lane.height / 2
        canvas.rect(axis(-half), lane.top, axis(half), lane.height, BAND)
        canvas.line((axis(0), lane.top), (axis(0), lane.top + lane.height), QUIET)
        at = row.percent(row.modelled)
        if not math.isfinite(at):
            continue
        low, high = row.percent(row.low), row.percent(row.high)
        if math.isfinite(low) and math.isfinite(high):
            canvas.whisker(axis(_held(low)), axis(_held(high)), middle, 8)
        shape, colour = ("circle", FALL) if row.agrees else ("square", RISE)
        canvas.mark(
            axis(_held(at)), middle, shape, "#ffffff" if row.held_out else colour, colour if row.held_out else "#ffffff"
        )
    return canvas.svg(table.bottom + 4)


def _held(percent: float) -> float:
    return min(max(percent, -_MOST), _MOST)


@dataclass(frozen=True)
class Difference:
    """One scenario's difference to the network as it is, with its 95% interval, and how it is written. ``better`` is "higher", "lower" or ""."""

    title: str
    mean: float
    low: float
    high: float
    text: str
    better: str = ""

    @property
    def sure(self) -> bool:
        """Whether the interval leaves no doubt which way it goes."""
        return self.low > 0 or self.high < 0

    @property
    def meaning(self) -> str:
        """better, worse, different, or no difference that can be told from chance."""
        if not self.sure:
            return "no clear difference"
        if not self.better:
            return "different"
        return "better" if (self.mean > 0) == (self.better == "higher") else "worse"


MEANINGS = {
    "better": ("circle", FALL), "worse": ("square", RISE), "different": ("diamond", INK), "no clear difference": ("ring", QUIET),
}  # fmt: skip
"""The shape and colour of what a difference means."""


def differences(rows: Sequence[Difference], write: Callable[[float], str], width: float, title: str) -> str:
    """Draw differences around none.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    used = [meaning for meaning in MEANINGS if any(row.meaning == meaning for row in rows)]
    top = legend(
        canvas, [(" ".join(MEANINGS[meaning]), meaning) for meaning in used] + [(f"whisker {INK}", "95% interval")]
    )
    table = Rows(canvas, [row.title for row in rows], [[row.text] for row in rows], ["Difference"], 16.0, top)
    values = [value for row in rows for value in (row.mean, row.low, row.high) if math.isfinite(value)]
    axis = Scale.over(values, table.left + 8, table.right - 8)
    lanes = table.lanes(
        axis, [(tick, write(tick) if tick else "as it is") for tick in axis.ticks(5 if table.wide else 3)]
    )
    for lane, row in zip(lanes, rows, strict=True):
        middle = lane.top + lane.height / 2
        canvas.line((axis(0), lane.top - 2), (axis(0), lane.top + lane.height + 2), QUIET)
        if math.isfinite(row.low) and math.isfinite(row.high):
            canvas.whisker(axis(row.low), axis(row.high), middle, 9)
        if math.isfinite(row.mean):
            canvas.mark(axis(row.mean), middle, *MEANINGS[row.meaning])
    return canvas.svg(table.bottom + 4)
