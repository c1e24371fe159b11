"""A day in a network of care: how full every station is, hour by hour. It can be played, and each hour can be shown by itself.

Nothing moves until it is asked to: a reader who wants no motion picks hours one by one. It needs no script and no style sheet: the hours lie
side by side behind a window, and what is pressed moves them. On paper, and where that is not understood, one hour stands still.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl
from markupsafe import escape

from bettercare.reports.amounts import count
from bettercare.reports.charts.canvas import BAND, FALL, INK, PAPER, QUIET, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.network_drawing import (
    Box,
    arrows,
    colour_of,
    drawn_flows,
    figures,
    key,
    laid_out,
    load_bar,
    station_box,
)
from bettercare.reports.charts.rows import WIDE

HOURS = 24
SECONDS_AN_HOUR = 0.8


def a_day(
    stations: pl.DataFrame,
    flows: pl.DataFrame,
    hours: pl.DataFrame,
    width: float,
    title: str,
    name: str,
    shown: int = 12,
) -> str:
    """Draw a day.

    Args:
        stations, flows: as :func:`network_drawing` takes them.
        hours: ``station, hour`` (0 to 23), ``servers`` (NaN or null without limit), ``occupied, waiting``: a row for each station and hour.
        name: starts the ids of the buttons, so it is unlike any other on the page: letters, digits and underscores (a hyphen would be read as a minus).
        shown: the hour that stands still at first, and on paper.

    Returns:
        SVG text.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        raise ValueError(f"{name!r} cannot start an id")
    canvas = Canvas(width, title, size=12)
    rows = stations.to_dicts()
    by_hour: dict[tuple[str, int], Mapping[str, Any]] = {(row["station"], row["hour"]): row for row in hours.to_dicts()}
    buttons = _buttons(canvas, name)
    if width < WIDE:
        return _list(canvas, rows, by_hour, name, shown, buttons)
    top = key(canvas, buttons[-1][3] + 32)
    ways = drawn_flows(flows)
    layout = laid_out([_with_room(row) for row in rows], ways, width, top + 8)
    arrows(canvas, layout, ways)
    for box in layout.boxes.values():
        station_box(canvas, Box(box.row, box.x, box.y, box.width, box.height, box.title, ()))
    frames = [
        _frame(width, [(box, by_hour.get((ident, hour))) for ident, box in layout.boxes.items()], hour)
        for hour in range(HOURS)
    ]
    return _film(canvas, frames, width, layout.bottom, name, shown, buttons)


def _with_room(row: Mapping[str, Any]) -> Mapping[str, Any]:
    """A station whose box has a line for how full it is and one for who waits, whatever the hour."""
    return {**row, "blocked": 0.0, "waiting": 1.0 if row["waiting"] >= 0.005 else 0.0}


def _at(row: Mapping[str, Any], hour: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """A station as it is in an hour."""
    if hour is None:
        return row
    servers = hour["servers"]
    limited = servers is not None and servers == servers and row["servers"] is not None
    return {
        **row, "servers": servers if limited else None if row["servers"] is None else 0.0, "blocked": 0.0,
        "occupied": float(hour["occupied"]), "waiting": float(hour["waiting"]),
        "occupancy": float(hour["occupied"]) / servers if limited and servers > 0 else None,
    }  # fmt: skip


def _frame(width: float, boxes: Sequence[tuple[Box, Mapping[str, Any] | None]], hour: int) -> str:
    """What changes with the hour: the bars and their words, and the clock."""
    part = Canvas(width, "", size=12)
    part.text(122, 22, f"{hour:02d}:00", INK, bold=True, size=22)
    for box, found in boxes:
        row = _at(box.row, found)
        y = box.y + 5 + 14 * len(box.title)
        for line in figures(row):
            y += 13
            part.text(
                box.x + 7, y, line if text_width(line, 11) < box.width - 10 else line.rsplit(" ", 1)[0], QUIET, size=11
            )
        load_bar(part, box, row["occupancy"])
    return _inside(part.svg(1))


def _list(
    canvas: Canvas, rows: Sequence[Mapping[str, Any]], by_hour: Mapping[tuple[str, int], Mapping[str, Any]], name: str, shown: int,
    buttons: Sequence[tuple[str, str, float, float, float]],
) -> str:  # fmt: skip
    """On a telephone: a line a station, with its bar."""
    top = buttons[-1][3] + 38
    step, left, right = 30.0, 2.0, canvas.width - 2
    for number, row in enumerate(rows):
        canvas.text(left, top + step * number + 12, _short(str(row["title"]), right - 150), INK, size=12)
    frames = []
    for hour in range(HOURS):
        part = Canvas(canvas.width, "", size=12)
        part.text(122, 22, f"{hour:02d}:00", INK, bold=True, size=22)
        for number, row in enumerate(rows):
            now = _at(row, by_hour.get((row["station"], hour)))
            y = top + step * number
            waits = f", {count(now['waiting'])} wait" if now["waiting"] >= 0.05 else ""
            words = (
                f"{now['occupancy']:.0%} full"
                if now["occupancy"] is not None
                else f"{count(now['occupied'])} there"
                if now["servers"] is None
                else "closed"
            )
            part.text(right, y + 12, words + waits, QUIET, "end", size=12)
            if now["occupancy"] is not None:
                part.rect(left, y + 17, right, 5, BAND)
                if now["occupancy"] > 0:
                    part.rect(
                        left, y + 17, left + (right - left) * min(now["occupancy"], 1.0), 5, colour_of(now["occupancy"])
                    )
        frames.append(_inside(part.svg(1)))
    return _film(canvas, frames, canvas.width, top + step * len(rows) + 4, name, shown, buttons)


def _short(text: str, room: float) -> str:
    if text_width(text, 12) <= room:
        return text
    while text and text_width(text + "…", 12) > room:
        text = text[:-1]
    return text.rstrip() + "…"


# --- what moves -------------------------------------------------------------------------------------------------------------


def _buttons(canvas: Canvas, name: str) -> list[tuple[str, str, float, float, float]]:
    """Id, words, left, top and width of each button: play, stop, and the hours."""
    found: list[tuple[str, str, float, float, float]] = []
    x, y = 1.0, 1.0
    words = [("play", "Play"), ("stop", "Stop"), *((f"h{hour}", f"{hour:02d}") for hour in range(HOURS))]
    for ident, text in words:
        wide = (32.0 if canvas.width >= WIDE else 38.0) if ident[0] == "h" else 52.0
        if x + wide > canvas.width or ident == "h0":
            # The hours have lines of their own; the clock stands beside what plays them.
            x, y = 1.0, y + 30
        found.append((f"{name}_{ident}", text, x, y, wide))
        x += wide + 6
    return found


def _film(
    canvas: Canvas, frames: Sequence[str], width: float, height: float, name: str, shown: int,
    buttons: Sequence[tuple[str, str, float, float, float]],
) -> str:  # fmt: skip
    """The drawing with its hours side by side behind a window, moved by what is pressed."""
    still = canvas.svg(height).replace('role="img"', 'role="group"', 1)
    body = still.removesuffix("</svg>")
    pressed = {ident: f"{ident}.click;{ident}.keypress" for ident, *_ in buttons}
    picks = ";".join(pressed[f"{name}_h{hour}"] for hour in range(HOURS))
    stop = pressed[f"{name}_stop"]
    places = ";".join(f"{-width * hour:.0f} 0" for hour in range(HOURS))
    moving = (
        f'<animateTransform attributeName="transform" type="translate" calcMode="discrete" values="{places}" dur="{HOURS * SECONDS_AN_HOUR:g}s" '
        f'begin="{pressed[f"{name}_play"]}" end="{stop};{picks}" repeatCount="indefinite" fill="freeze"/>'
    )
    moving += "".join(
        f'<animateTransform attributeName="transform" type="translate" values="{-width * hour:.0f} 0;{-width * hour:.0f} 0" dur="1s" '
        f'begin="{pressed[f"{name}_h{hour}"]}" end="{pressed[f"{name}_play"]}" fill="freeze"/>'
        for hour in range(HOURS)
    )
    film = "".join(f'<g transform="translate({width * hour:.0f} 0)">{frame}</g>' for hour, frame in enumerate(frames))
    window = (
        f'<svg x="0" y="0" width="{width:.0f}" height="{height:.0f}" viewBox="0 0 {width:.0f} {height:.0f}" overflow="hidden" aria-hidden="true" pointer-events="none">'
        f'<g transform="translate({-width * shown:.0f} 0)">{film}{moving}</g></svg>'
    )
    drawn = "".join(_button(*one) for one in buttons)
    return f"{body}{window}{drawn}</svg>"


def _button(ident: str, words: str, x: float, y: float, wide: float) -> str:
    said = f"Show {words}:00" if words.isdigit() else f"{words} the day"
    fill, ink = (PAPER, FALL) if words.isdigit() else (FALL, PAPER)
    return (
        f'<g id="{ident}" role="button" tabindex="0" aria-label="{escape(said)}" cursor="pointer">'
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="26" fill="{fill}" stroke="{FALL}"/>'
        f'<text x="{x + wide / 2:.1f}" y="{y + 18:.1f}" fill="{ink}" text-anchor="middle" font-size="13">{escape(words)}</text></g>'
    )


def _inside(svg: str) -> str:
    """What stands between the tags of a drawing, on one line."""
    return svg[svg.index(">") + 1 : svg.rindex("</svg>")].replace("\n", "")
