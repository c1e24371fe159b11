"""How wide text is and where it breaks, near enough to set labels beside bars whatever system font shows them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

_NARROW = set("ijl.,:;|!'`()[]{}ftrI /-")
_WIDE = set("mwMWQGOD@%&£")
_ALLOWANCE = 1.04
"""System fonts differ: a little room more than the commonest needs."""


def width(text: str, size: float, bold: bool = False) -> float:
    """About how many pixels wide the text is at that size.

    >>> 60 < width("non-elective", 13) < 85
    True
    """
    ems = sum(0.31 if c in _NARROW else 0.85 if c in _WIDE else 0.68 if c.isupper() else 0.55 for c in text)
    return ems * size * _ALLOWANCE * (1.07 if bold else 1.0)


def wrapped(text: str, size: float, room: float, lines: int = 2, bold: bool = False) -> list[str]:
    """The text broken at spaces into at most so many lines; what is left over is cut with an ellipsis.

    >>> wrapped("Community hospitals: eight inpatient sites to six", 13, 180)
    ['Community hospitals: eight', 'inpatient sites to six']
    """
    result: list[str] = []
    words = text.split()
    while words and len(result) < lines:
        line = words.pop(0)
        while words and width(f"{line} {words[0]}", size, bold) <= room:
            line += f" {words.pop(0)}"
        result.append(line)
    if words:
        result[-1] += f" {words[0]}"
    return [_cut(line, size, room, bold, keep=line is not result[-1] or not words) for line in result] or [""]


def _cut(line: str, size: float, room: float, bold: bool, keep: bool) -> str:
    if keep and width(line, size, bold) <= room:
        return line
    while len(line) > 1 and width(line + "…", size, bold) > room:
        line = line[:-1]
    return line.rstrip(" ,;:") + "…"


def apart(positions: Sequence[float], least: float) -> list[float]:
    """The positions moved so that no two are nearer than the least distance, in their own order."""
    order = sorted(range(len(positions)), key=lambda i: positions[i])
    moved = list(positions)
    for before, after in pairwise(order):
        moved[after] = max(moved[after], moved[before] + least)
    return moved
