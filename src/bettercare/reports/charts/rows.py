"""Rows of labels, bars and figures, set for a wide page (label at the left) or a narrow one (label above its bar)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bettercare.reports.charts.canvas import INK, QUIET, RULE, Canvas
from bettercare.reports.charts.lettering import width, wrapped
from bettercare.reports.charts.scale import Scale

WIDE = 620.0
"""From this width on labels stand beside their bars."""


@dataclass(frozen=True)
class Lane:
    """Where one row's bar goes."""

    top: float
    height: float


@dataclass
class Rows:
    """Rows being set on a canvas from the top down."""

    canvas: Canvas
    labels: Sequence[str]
    figures: Sequence[Sequence[str]]
    """The figures at the end of each row, one a heading."""
    headings: Sequence[str]
    bar: float
    """Height of the lane for bars."""
    top: float = 0.0

    def __post_init__(self) -> None:
        canvas = self.canvas
        self.wide = canvas.width >= WIDE
        cells = [
            max([width(row[i], canvas.size, i == 0) for row in self.figures] + [width(head, 12)]) + 14
            for i, head in enumerate(self.headings)
        ]
        self.columns = [canvas.width - sum(cells[i + 1 :]) for i in range(len(cells))]
        self.label_room = 0.34 * canvas.width if self.wide else canvas.width - sum(cells) - 4
        self.left = self.label_room + 14 if self.wide else 2.0
        self.right = canvas.width - sum(cells) - 6 if self.wide else canvas.width - 2.0
        self.texts = [wrapped(label, canvas.size, self.label_room, 2 if self.wide else 3) for label in self.labels]
        step = canvas.size + 3
        self.heights = [
            max(self.bar + 12, len(lines) * step + 6) if self.wide else len(lines) * step + self.bar + 10
            for lines in self.texts
        ]

    def lanes(self, axis: Scale, marks: Sequence[tuple[float, str]]) -> list[Lane]:
        """Draw headings, axis, labels and figures; return where the bars go."""
        canvas, y = self.canvas, self.top
        if any(self.headings):
            for x, heading in zip(self.columns, self.headings, strict=True):
                canvas.text(x, y + 12, heading, QUIET, "end", size=12)
            y += 18
        shown: list[tuple[float, float]] = []
        for value, text in marks:
            x, half = axis(value), width(text, 12) / 2
            at = min(max(x, half), canvas.width - half)
            if not shown or at - half > shown[-1][1] + 8:
                canvas.text(at, y + 12, text, QUIET, "middle", size=12)
                shown.append((at - half, at + half))
        y += 20
        if self.wide:
            self._grid(axis, marks, y, y + sum(self.heights))
        lanes = []
        step = canvas.size + 3
        for lines, figures, height in zip(self.texts, self.figures, self.heights, strict=True):
            middle = y + height / 2
            first = middle - (len(lines) - 1) * step / 2 + canvas.size * 0.35 if self.wide else y + step
            for i, line in enumerate(lines):
                canvas.text(0, first + i * step, line)
            at = middle + canvas.size * 0.35 if self.wide else y + step
            for i, (x, figure) in enumerate(zip(self.columns, figures, strict=True)):
                canvas.text(x, at, figure, INK if i == 0 else QUIET, "end", bold=i == 0)
            lane = Lane(middle - self.bar / 2 if self.wide else y + len(lines) * step + 5, self.bar)
            if not self.wide:
                self._grid(axis, marks, lane.top - 2, lane.top + lane.height + 2)
            lanes.append(lane)
            y += height
        self.bottom = y
        return lanes

    def _grid(self, axis: Scale, marks: Sequence[tuple[float, str]], top: float, bottom: float) -> None:
        """The axis marks carried down, past bars and never through words."""
        for value, _ in marks:
            self.canvas.line((axis(value), top), (axis(value), bottom), QUIET if value == 0 else RULE)


def legend(canvas: Canvas, entries: Sequence[tuple[str, str]], top: float = 0.0) -> float:
    """A line or two that say what each mark means; returns where it ends."""
    x, y = 0.0, top
    for mark, text in entries:
        # An entry without a mark is words alone.
        start = 22 if mark else 0
        room = start + 4 + width(text, 12)
        if x and x + room > canvas.width:
            x, y = 0.0, y + 18
        if mark:
            _sample(canvas, mark, x, y + 9)
        canvas.text(x + start, y + 13, text, QUIET, size=12)
        x += room + 14
    return y + 22 if entries else top


def _sample(canvas: Canvas, mark: str, x: float, y: float) -> None:
    shape, _, colour = mark.partition(" ")
    colour = colour or INK
    if shape == "bar":
        canvas.rect(x, y - 5, x + 16, 10, colour)
    elif shape == "outline":
        canvas.rect(x, y - 4, x + 16, 8, "#ffffff", colour)
    elif shape == "arrows":
        canvas.arrow(x + 8, x, y - 5, 10, colour.partition(" ")[0])
        canvas.arrow(x + 9, x + 17, y - 5, 10, colour.partition(" ")[2])
    elif shape == "left":
        canvas.arrow(x + 16, x, y - 5, 10, colour)
    elif shape == "right":
        canvas.arrow(x, x + 16, y - 5, 10, colour)
    elif shape == "whisker":
        canvas.whisker(x, x + 16, y, 8, colour)
    elif shape == "band":
        # The lightest shade is hardly there without an edge.
        canvas.rect(x, y - 6, x + 16, 12, colour, QUIET)
    elif shape in ("line", "dash", "dots"):
        canvas.line((x, y), (x + 16, y), colour, 2, {"line": "", "dash": "4 3", "dots": "1 4"}[shape])
    else:
        canvas.mark(x + 8, y, shape, colour)
