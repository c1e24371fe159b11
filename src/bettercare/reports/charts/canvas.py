"""A drawing being made: shapes are gathered and set in the SVG template, which escapes every text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bettercare.reports.templates import environment

INK, QUIET, RULE, PAPER = "#212b32", "#4c6272", "#d8dde0", "#ffffff"
FALL, RISE = "#005eb8", "#a84300"
"""Less of a thing, more of it; each also points its own way."""
BAND, BAND_INNER = "#dbe8f4", "#a9c8e6"
STANDARD = "#006747"
EITHER = "#5b3a92"
"""A change that is neither better nor worse."""
RAG: Mapping[str, tuple[str, str]] = {
    "green": ("circle", "#006747"), "amber": ("triangle", "#a86200"), "red": ("square", "#b30f0f"), "grey": ("ring", "#4c6272"),
}  # fmt: skip
"""Shape and colour of each rating; each colour carries white words (4.5 to 1) and stands out on white."""
WARNING = "#ffeb3b"

Point = tuple[float, float]


@dataclass
class Canvas:
    """What has been drawn so far; lengths in pixels, y downwards. ``pixels`` sets the width it is shown at; 0 for as wide as there is room."""

    width: float
    title: str
    size: float = 13.0
    pixels: float = 0.0
    shapes: list[dict[str, object]] = field(default_factory=list)

    def rect(self, x0: float, y: float, x1: float, height: float, fill: str, stroke: str = "none") -> None:
        left, right = min(x0, x1), max(x0, x1)
        self.shapes.append(
            {
                "kind": "rect",
                "x": left,
                "y": y,
                "width": max(right - left, 0.75),
                "height": height,
                "fill": fill,
                "stroke": stroke,
            }
        )

    def line(self, start: Point, end: Point, stroke: str = RULE, width: float = 1.0, dash: str = "") -> None:
        self.shapes.append({"kind": "line", "start": start, "end": end, "stroke": stroke, "width": width, "dash": dash})

    def path(
        self,
        points: Sequence[Point],
        stroke: str = "none",
        fill: str = "none",
        width: float = 1.0,
        dash: str = "",
        closed: bool = False,
    ) -> None:
        steps = " ".join(f"{'L' if i else 'M'}{x:.1f} {y:.1f}" for i, (x, y) in enumerate(points))
        self.shapes.append(
            {
                "kind": "path",
                "d": steps + (" Z" if closed else ""),
                "stroke": stroke,
                "fill": fill,
                "width": width,
                "dash": dash,
            }
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        fill: str = INK,
        anchor: str = "start",
        bold: bool = False,
        size: float = 0.0,
    ) -> None:
        self.shapes.append(
            {
                "kind": "text",
                "x": x,
                "y": y,
                "text": text,
                "fill": fill,
                "anchor": anchor,
                "bold": bold,
                "size": size or self.size,
            }
        )

    def arrow(self, x0: float, x1: float, y: float, height: float, fill: str, stroke: str = "none") -> None:
        """A bar from x0 to x1 whose end points the way it goes."""
        tip = min(abs(x1 - x0), height / 2) * (1 if x1 >= x0 else -1)
        if abs(x1 - x0) < 1.0:
            self.line((x0, y), (x0, y + height), stroke if stroke != "none" else fill, 1.5)
            return
        points = [(x0, y), (x1 - tip, y), (x1, y + height / 2), (x1 - tip, y + height), (x0, y + height)]
        self.path(points, stroke, fill, closed=True)

    def whisker(self, x0: float, x1: float, y: float, height: float, stroke: str = INK) -> None:
        """A range from x0 to x1 with its ends marked."""
        self.line((x0, y), (x1, y), stroke, 1.5)
        for x in (x0, x1):
            self.line((x, y - height / 2), (x, y + height / 2), stroke, 1.5)

    def mark(self, x: float, y: float, shape: str, fill: str, stroke: str = PAPER, radius: float = 4.5) -> None:
        """A point: circle, square, diamond, triangle or ring."""
        if shape == "ring":
            shape, fill, stroke = "circle", PAPER, fill
        if shape == "circle":
            self.shapes.append({"kind": "circle", "x": x, "y": y, "r": radius, "fill": fill, "stroke": stroke})
            return
        r = radius
        points = {
            "square": [(x - r, y - r), (x + r, y - r), (x + r, y + r), (x - r, y + r)],
            "diamond": [(x, y - r * 1.3), (x + r * 1.3, y), (x, y + r * 1.3), (x - r * 1.3, y)],
            "triangle": [(x, y - r * 1.2), (x + r * 1.15, y + r), (x - r * 1.15, y + r)],
        }[shape]
        self.path(points, stroke, fill, 1.0, closed=True)

    def stamp(self, y: float) -> float:
        """Say that the figures are invented; returns where the words end."""
        self.rect(0, y + 2, 118, 18, WARNING)
        self.text(6, y + 15.5, "Synthetic figures", INK, bold=True, size=12)
        return y + 24

    def svg(self, height: float) -> str:
        """The finished drawing."""
        return environment().get_template("chart.svg.j2").render(canvas=self, height=height).strip()
