"""The plot of cost against size: runs, systems and schemes, on one pair of logarithmic axes."""

from __future__ import annotations

import math
from typing import Any

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 460, 70, 54, 190, 64
SERIES = (
    ("runs", "runs (of 1,000)", "#005eb8", "circle"),
    ("systems", "systems like LLR", "#007f3b", "square"),
    ("schemes", "schemes (of LLR's 34)", "#7c2855", "triangle"),
)


def scaling_plot(found: dict[str, Any]) -> str:
    """An SVG: how many times as much, against how many times as long; straight and along the dashed line is linear."""
    points: dict[str, list[tuple[float, float]]] = {
        "runs": [(runs / 1000, one["running"]) for runs, one in found["runs"].items() if runs],
        "systems": [(float(size), one["running"]) for size, one in found["systems"].items()],
        "schemes": [(float(size), one["running"]) for size, one in found["schemes"].items()],
    }
    shown = {name: [(x, y / its[0][1]) for x, y in its] for name, its in points.items()}
    top = max(3, math.ceil(math.log10(max(y for its in shown.values() for _, y in its))))

    def across(x: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * math.log10(x) / 2

    def up(y: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log10(max(y, 0.5)) / top

    largest = max(shown["systems"][-1][1], shown["schemes"][-1][1])
    title = f"A hundred times the plan takes at most {largest:.0f} times as long"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="t d" font-family="Arial, sans-serif" '
        'font-size="14" fill="#212b32">',
        f'<title id="t">{title}</title>',
        '<desc id="d">Time against size on logarithmic axes, each over its own smallest. The table is in model.md.</desc>',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="28" font-size="18" font-weight="bold">{title}</text>',
    ]
    for power in range(3):
        x = across(10**power)
        parts.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}" stroke="#d8dde0"/>')
        parts.append(f'<text x="{x}" y="{HEIGHT - BOTTOM + 20}" text-anchor="middle">{10**power}</text>')
    for power in range(top + 1):
        y = up(10**power)
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y}" y2="{y}" stroke="#d8dde0"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y + 5}" text-anchor="end">{10**power:,}</text>')
    middle = (LEFT + WIDTH - RIGHT) / 2
    parts.append(f'<text x="{middle}" y="{HEIGHT - 18}" text-anchor="middle">Times as much</text>')
    parts.append(
        f'<text transform="translate(20 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" text-anchor="middle">Times as long</text>'
    )
    parts.append(
        f'<line x1="{across(1)}" y1="{up(1)}" x2="{across(100)}" y2="{up(100)}" stroke="#4c6272" stroke-width="2" stroke-dasharray="6 5"/>'
    )
    labels = sorted(SERIES, key=lambda one: -shown[one[0]][-1][1])
    for place, (name, label, colour, mark) in enumerate(labels):
        its = [(across(x), up(y)) for x, y in shown[name] if x <= 100]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in its)
        parts.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2.5"/>')
        parts.extend(_mark(mark, x, y, colour) for x, y in its)
        y = TOP + 20 + 26 * place
        parts.append(_mark(mark, WIDTH - RIGHT + 20, y - 5, colour))
        parts.append(f'<text x="{WIDTH - RIGHT + 34}" y="{y}">{label}</text>')
    y = TOP + 20 + 26 * len(labels)
    parts.append(
        f'<line x1="{WIDTH - RIGHT + 10}" x2="{WIDTH - RIGHT + 30}" y1="{y - 5}" y2="{y - 5}" stroke="#4c6272" stroke-width="2" stroke-dasharray="6 5"/>'
    )
    parts.append(f'<text x="{WIDTH - RIGHT + 34}" y="{y}">linear</text></svg>')
    return "\n".join(parts) + "\n"


def _mark(shape: str, x: float, y: float, colour: str) -> str:
    if shape == "circle":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}"/>'
    if shape == "square":
        return f'<rect x="{x - 5:.1f}" y="{y - 5:.1f}" width="10" height="10" fill="{colour}"/>'
    return f'<path d="M{x:.1f} {y - 6:.1f} L{x + 6:.1f} {y + 5:.1f} L{x - 6:.1f} {y + 5:.1f} Z" fill="{colour}"/>'
