"""Risks in a square of likelihood by impact, before and after what is done about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bettercare.assurance.risks import Risk, band
from bettercare.reports.charts.canvas import INK, PAPER, QUIET, Canvas
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.rows import WIDE

SHADES = {"green": "#e4efe6", "amber": "#fbe3b5", "red": "#f6c7b8"}
"""The shade of each band of scores, pale enough to read on."""


def risk_matrix(risks: Sequence[Risk], width: float, numbers: Mapping[str, int] | None = None) -> str:
    """Draw the scored risks by number, once as scored before mitigation and once after.

    Args:
        numbers: the number each risk goes by, by its id; its place in ``risks`` when not given.

    Returns:
        SVG text. Each cell says its score, so no reader needs the colour.
    """
    called = numbers or {risk.id: place for place, risk in enumerate(risks, start=1)}
    before = [(risk.likelihood, risk.impact, called[risk.id]) for risk in risks if risk.likelihood and risk.impact]
    after = [(risk.residual_likelihood, risk.residual_impact, called[risk.id]) for risk in risks if risk.residual_likelihood and risk.residual_impact]  # fmt: skip
    canvas = Canvas(
        width, f"{len(before)} risks scored before mitigation, {len(after)} after, by likelihood and impact"
    )
    wide = width >= WIDE
    side = (width - 40) / 2 if wide else width
    bottom = 0.0
    for i, (name, found) in enumerate((("Before mitigation", before), ("After mitigation", after))):
        left, top = ((side + 40) * i, 0.0) if wide else (0.0, bottom + (16 if i else 0))
        bottom = _square(canvas, name, found, left, top, side)
    return canvas.svg(bottom)


def _square(canvas: Canvas, name: str, found: Sequence[tuple[int | None, int | None, int]], left: float, top: float, side: float) -> float:  # fmt: skip
    canvas.text(left, top + 14, f"{name} ({len(found)})", INK, bold=True)
    canvas.text(left, top + 32, "Likelihood ↑", QUIET, size=12)
    start, high = left + 18, top + 40
    cell, tall = (side - 18) / 5, 46.0
    for row, likelihood in enumerate(range(5, 0, -1)):
        y = high + tall * row
        canvas.text(left + 4, y + tall / 2 + 4, str(likelihood), INK, "middle", size=12)
        for column, impact in enumerate(range(1, 6)):
            x, score = start + cell * column, likelihood * impact
            canvas.rect(x, y, x + cell - 2, tall - 2, SHADES[band(score)])
            canvas.text(x + cell - 5, y + 12, str(score), QUIET, "end", size=10)
            here = [number for one, other, number in found if (one, other) == (likelihood, impact)]
            for i, line in enumerate(wrapped(", ".join(map(str, here)), 13, cell - 8, 2, bold=True) if here else ()):
                canvas.text(x + 4, y + 25 + 15 * i, line, INK, bold=True)
    foot = high + 5 * tall
    for column in range(5):
        canvas.text(start + cell * (column + 0.5), foot + 13, str(column + 1), INK, "middle", size=12)
    canvas.text(start + 5 * cell - 2, foot + 29, "Impact →", QUIET, "end", size=12)
    x = left
    for word, colour in SHADES.items():
        canvas.rect(x, foot + 20, x + 14, 11, colour, PAPER)
        canvas.text(x + 18, foot + 29, word, QUIET, size=12)
        x += 64
    return foot + 36
