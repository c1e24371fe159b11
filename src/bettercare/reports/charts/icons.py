"""Small signs with a letter, a shape and a colour: variation, assurance, rating. Our own drawing; each says in words what it means."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from bettercare.reports.charts.canvas import EITHER, FALL, INK, PAPER, QUIET, RAG, RISE, Canvas, Point

VARIATION: Mapping[str, tuple[str, str]] = {
    "common-cause": ("C", "Usual variation: no special cause"),
    "improvement-high": ("H", "Improvement: special cause, running high"),
    "improvement-low": ("L", "Improvement: special cause, running low"),
    "concern-high": ("H", "Concern: special cause, running high"),
    "concern-low": ("L", "Concern: special cause, running low"),
    "special-high": ("H", "Special cause, running high; neither way is better"),
    "special-low": ("L", "Special cause, running low; neither way is better"),
}
"""Letter and words of each variation."""

ASSURANCE: Mapping[str, tuple[str, str]] = {
    "pass": ("P", "Will pass: the process meets the target every time"),
    "fail": ("F", "Will fail: the process misses the target every time, unless it changes"),
    "hit-or-miss": ("?", "Hit or miss: the target lies within usual variation"),
}
"""Letter and words of each assurance."""

RATINGS: Mapping[str, tuple[str, str]] = {
    "green": ("G", "Green: at or better than the trajectory"),
    "amber": ("A", "Amber: a little worse than the trajectory"),
    "red": ("R", "Red: worse than the trajectory"),
    "grey": ("–", "Not rated"),
}
"""Letter and words of each rating."""

_SIDE = 44.0


@cache
def variation_icon(variation: str, size: float = _SIDE) -> str:
    """The sign of a variation; words for "" too, since a metric without a chart has none.

    Improvement stands in a house that points up, concern in an eight-sided sign, and what is neither in a square; usual variation is a wave in a circle.
    """
    letter, words = VARIATION.get(variation, ("–", "No process limits yet"))
    canvas = Canvas(_SIDE, words, pixels=size)
    kind, _, way = variation.partition("-")
    if variation == "common-cause":
        canvas.mark(22, 22, "ring", QUIET, radius=19.0)
        canvas.path([(8, 25), (13, 18), (19, 27), (25, 17), (31, 26), (36, 20)], QUIET, width=2.5)
        return canvas.svg(_SIDE)
    if kind not in ("improvement", "concern", "special"):
        return _blank(canvas, letter)
    colour = {"improvement": FALL, "concern": RISE, "special": EITHER}[kind]
    canvas.path(_sign(kind), colour, PAPER, 3.0, closed=True)
    up = way == "high"
    tip, tail = (12.0, 31.0) if up else (32.0, 13.0)
    canvas.line((16, tail), (16, tip), colour, 2.5)
    canvas.path([(11.5, tip + (5 if up else -5)), (16, tip - (1 if up else -1)), (20.5, tip + (5 if up else -5))], colour, width=2.5)  # fmt: skip
    canvas.text(27, 27, letter, colour, "middle", bold=True, size=16)
    return canvas.svg(_SIDE)


@cache
def assurance_icon(assurance: str, size: float = _SIDE) -> str:
    """The sign of an assurance: points beside a target line, and a letter."""
    letter, words = ASSURANCE.get(assurance, ("–", "No target to hold it against"))
    canvas = Canvas(_SIDE, words, pixels=size)
    if assurance not in ASSURANCE:
        return _blank(canvas, letter)
    colour = {"pass": FALL, "fail": RISE, "hit-or-miss": QUIET}[assurance]
    kind = {"pass": "improvement", "fail": "concern", "hit-or-miss": "special"}[assurance]
    canvas.path(_sign(kind), colour, PAPER, 3.0, closed=True)
    canvas.text(22, 22, letter, colour, "middle", bold=True, size=15)
    canvas.line((10, 29), (34, 29), INK, 1.5, "4 2")
    heights = {"pass": (34, 35, 34), "fail": (25, 24, 25), "hit-or-miss": (25, 33, 25)}[assurance]
    for x, y in zip((14, 22, 30), heights, strict=True):
        if not (x == 22 and y < 29):
            canvas.mark(x, y, "circle", colour, colour, 2.0)
    return canvas.svg(_SIDE)


@cache
def rating_icon(status: str, size: float = 24.0) -> str:
    """The sign of a rating: a circle for green, a triangle for amber, a square for red, a ring for not rated, each with its letter."""
    letter, words = RATINGS.get(status, RATINGS["grey"])
    shape, colour = RAG.get(status, RAG["grey"])
    canvas = Canvas(24.0, words, pixels=size)
    canvas.mark(12, 12 if shape != "triangle" else 13, shape, colour, colour, {"circle": 11.0, "ring": 10.5, "square": 10.0, "triangle": 10.0}[shape])  # fmt: skip
    canvas.text(12, 17 if shape != "triangle" else 20.5, letter, QUIET if shape == "ring" else PAPER, "middle", bold=True, size=14 if shape != "triangle" else 12)  # fmt: skip
    return canvas.svg(24.0)


def _blank(canvas: Canvas, letter: str) -> str:
    canvas.mark(22, 22, "ring", QUIET, radius=19.0)
    canvas.text(22, 28, letter, QUIET, "middle", bold=True, size=16)
    return canvas.svg(_SIDE)


def _sign(kind: str) -> list[Point]:
    """The outline of a sign: eight sides for concern, a house for improvement, a square for neither."""
    if kind == "concern":
        a, b, c, d = 3.0, 14.0, 30.0, 41.0
        return [(b, a), (c, a), (d, b), (d, c), (c, d), (b, d), (a, c), (a, b)]
    if kind == "improvement":
        return [(22.0, 2.0), (41.0, 13.0), (41.0, 41.0), (3.0, 41.0), (3.0, 13.0)]
    return [(4.0, 4.0), (40.0, 4.0), (40.0, 40.0), (4.0, 40.0)]
