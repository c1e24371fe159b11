"""The plot of what simulating patient flow costs as it grows: time of a patient and memory, over those of the smallest."""

from __future__ import annotations

import math
from typing import Any

from bettercare.reports.charts.canvas import FALL, INK, QUIET, RISE, STANDARD, Canvas

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760.0, 420.0, 64.0, 64.0, 230.0, 60.0
SERIES = (
    ("long", "seconds", "longer: time of a patient", FALL, "circle"),
    ("long", "bytes", "longer: the engine's arrays", QUIET, "ring"),
    ("large", "seconds", "more patients: time of each", RISE, "square"),
    ("inside", "seconds", "longer stays: time of a patient", STANDARD, "triangle"),
)


def growth_plot(found: dict[str, Any]) -> str:
    """An SVG: how many times as much, against how many times what it was; level is proportional growth."""
    lines = []
    for name, what, label, colour, shape in SERIES:
        its = list(found[name].values())
        per = [one[what] / (one["patients"] if what == "seconds" else 1) for one in its]
        lines.append(([float(size) for size in found[name]], [cost / per[0] for cost in per], label, colour, shape))
    widest = max(sizes[-1] for sizes, *_ in lines)
    highest = max(2.0, *(max(costs) for _, costs, *_ in lines)) * 1.1
    canvas = Canvas(WIDTH, "What a patient costs as length, size and patients inside grow", size=14)
    canvas.text(LEFT, 28, canvas.title, bold=True, size=17)
    canvas.text(LEFT, 48, "Over the smallest of each. The table is in flow.md.", QUIET)

    def across(size: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log(size) / math.log(widest)

    def up(cost: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * cost / highest

    for power in range(int(math.log2(widest)) + 1):
        canvas.line((across(2**power), TOP), (across(2**power), HEIGHT - BOTTOM))
        canvas.text(across(2**power), HEIGHT - BOTTOM + 20, str(2**power), anchor="middle")
    step = 1.0 if highest > 4 else 0.5
    for number in range(int(highest / step) + 1):
        canvas.line((LEFT, up(number * step)), (WIDTH - RIGHT, up(number * step)))
        canvas.text(LEFT - 8, up(number * step) + 5, f"{number * step:g}", anchor="end")
    canvas.text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 16, "Times as much", anchor="middle")
    for place, (sizes, costs, label, colour, shape) in enumerate(lines):
        points = [(across(size), up(cost)) for size, cost in zip(sizes, costs, strict=True)]
        canvas.path(points, stroke=colour, width=2.5)
        key = WIDTH - RIGHT + 22, TOP + 20 + 26 * place
        for x, y in [*points, key]:
            canvas.mark(x, y, shape, colour, radius=5)
        canvas.text(key[0] + 14, key[1] + 5, label, INK, size=13)
    return canvas.svg(HEIGHT)
