"""A network of care: its stations in columns by how far they are from where patients come in, and who goes from where to where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import polars as pl

from bettercare.reports.amounts import count
from bettercare.reports.charts.canvas import BAND, BAND_INNER, FALL, INK, PAPER, QUIET, RISE, Canvas, Point
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.lettering import wrapped
from bettercare.reports.charts.rows import WIDE, legend

KINDS: Mapping[str, str] = {
    "contact": "Calls", "transport": "Ambulances", "emergency": "Emergency and urgent care", "assessment": "Assessment", "ward": "Wards",
    "critical": "Critical care", "community": "Community care", "home": "At home", "delay": "Time that passes",
}  # fmt: skip
"""What the stations of each kind are called together, in the order used where distances are alike."""
FULL, BUSY = 0.95, 0.85
"""Occupancy from which a station is drawn as full, and as busy."""
LEAST = 0.5
"""Patients a day below which a way is not drawn."""
_BESIDE = {"critical": "ward", "transport": "contact"}
"""Kinds that stand in the column of another."""
_COLUMNS = 6
_BOX, _STEP, _ACROSS = 12.0, 14.0, 12.0
_WIDEST = 13.0

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Box:
    """Where a station stands, and its words."""

    row: Row
    x: float
    y: float
    width: float
    height: float
    title: tuple[str, ...]
    words: tuple[str, ...]

    @property
    def bar(self) -> tuple[float, float, float]:
        """Left, top and length of the bar of its load."""
        return self.x + 7, self.y + self.height - 11, self.width - (18 if self.row["holds"] else 14)


@dataclass(frozen=True)
class Layout:
    """A network set out on a wide page."""

    boxes: Mapping[str, Box]
    headings: tuple[tuple[float, float, str], ...]
    """Left, baseline and words."""
    column: Mapping[str, int]
    bottom: float


def network_drawing(stations: pl.DataFrame, flows: pl.DataFrame, width: float, title: str) -> str:
    """Draw a network.

    Args:
        stations: ``station, title, kind, site, holds, places, servers`` (null without limit), ``occupied, occupancy`` (null without limit),
            ``waiting, blocked`` (patients on average) and ``from_outside, leaving`` (patients a day).
        flows: ``station, to, per_day`` between stations.
        width: from WIDE on boxes and arrows; below, boxes from top to bottom, each with its ways on.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title, size=_BOX)
    rows, ways = stations.to_dicts(), drawn_flows(flows)
    top = key(canvas)
    if width < WIDE:
        return canvas.svg(_narrow(canvas, rows, ways, top + 6))
    layout = laid_out(rows, ways, width, top + 8)
    arrows(canvas, layout, ways)
    for box in layout.boxes.values():
        station_box(canvas, box)
        load_bar(canvas, box, box.row["occupancy"])
    return canvas.svg(layout.bottom)


def drawn_flows(flows: pl.DataFrame) -> list[tuple[str, str, float]]:
    """The ways that are drawn, least first so that the greatest lie on top."""
    kept = flows.filter((pl.col("per_day") >= LEAST) & (pl.col("station") != pl.col("to")))
    return list(kept.sort("per_day", "station", "to").select("station", "to", "per_day").iter_rows())


def key(canvas: Canvas, top: float = 0.0) -> float:
    """What shapes and colours mean; returns where it ends."""
    entries = [
        (f"bar {BAND_INNER}", f"places in use, under {BUSY:.0%}"), (f"bar {FALL}", f"{BUSY:.0%} or more"), (f"bar {RISE}", f"{FULL:.0%} or more"),
        (f"line {BAND_INNER}", "patients who move on: the thicker, the more"),
    ]  # fmt: skip
    y = legend(canvas, entries, top)
    x = 0.0
    for words, draw in (
        ("holds: those who are done keep the place until the next has room", _held_sample),
        ("cut corners: no limit of places", _open_sample),
    ):
        room = 26 + text_width(words, 12)
        if x and x + room > canvas.width:
            x, y = 0.0, y + 18
        draw(canvas, x, y)
        for number, line in enumerate(wrapped(words, 12, canvas.width - 26, 3)):
            y += 16 if number else 0
            canvas.text(x + 22, y + 11, line, QUIET, size=12)
        x += room + 14
    return y + 18


def _held_sample(canvas: Canvas, x: float, y: float) -> None:
    canvas.rect(x, y, x + 16, 13, PAPER, QUIET)
    canvas.rect(x + 12, y, x + 16, 13, INK)


def _open_sample(canvas: Canvas, x: float, y: float) -> None:
    canvas.path(_cut(x, y, 16, 13, 4), QUIET, PAPER, closed=True)


def _cut(x: float, y: float, width: float, height: float, corner: float) -> list[Point]:
    right, foot = x + width, y + height
    return [
        (x + corner, y), (right - corner, y), (right, y + corner), (right, foot - corner), (right - corner, foot), (x + corner, foot),
        (x, foot - corner), (x, y + corner),
    ]  # fmt: skip


# --- where stations stand ---------------------------------------------------------------------------------------------------


def distances(rows: Sequence[Row], ways: Sequence[tuple[str, str, float]]) -> dict[str, float]:
    """How many stations patients have been to before each, on average."""
    outside = {row["station"]: max(float(row["from_outside"] or 0.0), 0.0) for row in rows}
    coming: dict[str, list[tuple[str, float]]] = {ident: [] for ident in outside}
    for before, after, flow in ways:
        if before in outside and after in outside:
            coming[after].append((before, flow))
    found = dict.fromkeys(outside, 0.0)
    for _ in range(60):  # Enough for any network that can be read in a drawing; those in circles settle too.
        found = {
            ident: sum(flow * (found[before] + 1) for before, flow in sources) / total
            if (total := outside[ident] + sum(flow for _, flow in sources)) > 0
            else 0.0
            for ident, sources in coming.items()
        }
    return {ident: min(depth, float(len(rows))) for ident, depth in found.items()}


def columns_of(rows: Sequence[Row], ways: Sequence[tuple[str, str, float]]) -> list[list[list[str]]]:
    """The stations of each column, in groups from top to bottom."""
    depth = distances(rows, ways)
    kinds: dict[str, str] = {row["station"]: _BESIDE.get(str(row["kind"]), str(row["kind"])) for row in rows}
    few = len(set(kinds.values())) < 3
    groups: dict[tuple[str, int], list[str]] = {}
    for ident, kind in kinds.items():
        # Where nearly all are of one kind, the distance alone tells columns apart.
        groups.setdefault((kind, min(round(depth[ident]), _COLUMNS - 1) if few else 0), []).append(ident)
    order = list(KINDS)

    def place(group: tuple[str, int]) -> tuple[float, int, str]:
        members = groups[group]
        kind = group[0]
        return (
            sum(depth[one] for one in members) / len(members),
            order.index(kind) if kind in order else len(order),
            kind,
        )

    columns = [[groups[group]] for group in sorted(groups, key=place)]
    while len(columns) > _COLUMNS or _small_pair(columns):
        sizes = [sum(map(len, a)) + sum(map(len, b)) for a, b in pairwise(columns)]
        at = sizes.index(min(sizes))
        columns[at : at + 2] = [columns[at] + columns[at + 1]]
    if len(columns) < _COLUMNS and not few:
        columns = _split(columns, ways, depth)
    return _ordered(columns, rows, ways)


def _small_pair(columns: Sequence[Sequence[Sequence[str]]]) -> bool:
    """Whether two neighbours would leave a column nearly empty where others are long."""
    sizes = [sum(map(len, column)) for column in columns]
    return len(sizes) > 3 and max(sizes) >= 6 and min(a + b for a, b in pairwise(sizes)) <= max(sizes) * 0.75


def _split(
    columns: list[list[list[str]]], ways: Sequence[tuple[str, str, float]], depth: Mapping[str, float]
) -> list[list[list[str]]]:
    """The column that most patients move about within, in two by distance."""
    where = {ident: n for n, column in enumerate(columns) for group in column for ident in group}
    within = [0.0] * len(columns)
    for before, after, flow in ways:
        if before in where and where[before] == where.get(after):
            within[where[before]] += flow
    at = max(range(len(columns)), key=lambda n: (within[n], -n))
    members = [ident for group in columns[at] for ident in group]
    if within[at] <= 0 or len(members) < 4 or len(columns[at]) > 1:
        return columns
    members.sort(key=lambda ident: depth[ident])
    cuts = range(1, len(members))
    cut = max(cuts, key=lambda n: (depth[members[n]] - depth[members[n - 1]], -abs(n - len(members) / 2)))
    return [*columns[:at], [members[:cut]], [members[cut:]], *columns[at + 1 :]]


def _ordered(
    columns: list[list[list[str]]], rows: Sequence[Row], ways: Sequence[tuple[str, str, float]]
) -> list[list[list[str]]]:
    """Each group by site, and so that those who send each other many stand at like heights."""
    site = {row["station"]: (row["kind"], row["site"] or "") for row in rows}
    near: dict[str, list[tuple[str, float]]] = {ident: [] for ident in site}
    for before, after, flow in ways:
        if before in near and after in near:
            near[before].append((after, flow))
            near[after].append((before, flow))
    for _ in range(8):
        for column in columns:
            length = max(sum(map(len, column)), 1)
            height = {
                ident: (n + 0.5) / max(sum(map(len, other)), 1)
                for other in columns
                for n, ident in enumerate(ident for group in other for ident in group)
            }

            def middle(ident: str, height: Mapping[str, float] = height) -> float:
                total = sum(flow for _, flow in near[ident])
                return sum(height[one] * flow for one, flow in near[ident]) / total if total else height[ident]

            for number, group in enumerate(column):
                sites = {
                    name: [middle(ident) for ident in group if site[ident] == name]
                    for name in {site[ident] for ident in group}
                }
                rank = {name: sum(found) / len(found) for name, found in sites.items()}
                column[number] = sorted(
                    group, key=lambda ident: (rank[site[ident]], site[ident], round(middle(ident) * length, 6), ident)
                )
    return columns


def laid_out(rows: Sequence[Row], ways: Sequence[tuple[str, str, float]], width: float, top: float) -> Layout:
    """Stations set out in columns, each as tall as its words need."""
    known = {row["station"]: row for row in rows}
    columns = columns_of(rows, ways)
    gap = min(50.0, width / max(len(columns), 1) * 0.28)
    pitch = (width - 30 + gap) / max(len(columns), 1)
    wide = pitch - gap
    boxes: dict[str, Box] = {}
    headings: list[tuple[float, float, str]] = []
    column_of: dict[str, int] = {}
    heights: list[float] = []
    texts = {ident: _words(row, wide) for ident, row in known.items()}
    headed = {ident: wrapped(_heading(row), 11, wide + gap / 2, 3) for ident, row in known.items()}
    for number, column in enumerate(columns):
        heights.append(
            sum(
                sum(_height(texts[ident]) + _ACROSS for ident in group)
                + sum(7 + 13 * len(headed[part[0]]) for part in _parts(group, known))
                for group in column
            )
        )
        column_of |= {ident: number for group in column for ident in group}
    tallest = max(heights, default=0.0)
    for number, (column, height) in enumerate(zip(columns, heights, strict=True)):
        x, y = 14 + number * pitch, top + (tallest - height) / 2
        for group in column:
            for part in _parts(group, known):
                for line in headed[part[0]]:
                    headings.append((x, y + 12, line))
                    y += 13
                y += 7
                for ident in part:
                    title, said = texts[ident]
                    tall = _height(texts[ident])
                    boxes[ident] = Box(known[ident], x, y, wide, tall, title, said)
                    y += tall + _ACROSS
    return Layout(
        boxes, tuple(headings), column_of, max((box.y + box.height for box in boxes.values()), default=top) + 8
    )


def _parts(group: Sequence[str], known: Mapping[str, Row]) -> list[list[str]]:
    """A group at each site it is at, and each kind it is of."""
    parts: list[list[str]] = []
    for ident in group:
        if parts and all(known[parts[-1][0]][name] == known[ident][name] for name in ("site", "kind")):
            parts[-1].append(ident)
        else:
            parts.append([ident])
    return parts


def _heading(row: Row) -> str:
    """What stations are, and where."""
    site = f", {str(row['site']).replace('-', ' ').title()}" if row["site"] else ""
    return KINDS.get(row["kind"], str(row["kind"])) + site


def _words(row: Row, wide: float) -> tuple[tuple[str, ...], tuple[str, ...]]:
    room = wide - (18 if row["holds"] else 12)
    return tuple(wrapped(str(row["title"]), _BOX, room, 4, bold=True)), tuple(
        line for words in figures(row) for line in wrapped(words, 11, room, 2)
    )


def _height(texts: tuple[tuple[str, ...], tuple[str, ...]]) -> float:
    return 8 + _STEP * len(texts[0]) + 13 * len(texts[1]) + 15


def figures(row: Row) -> tuple[str, ...]:
    """How full a station is and who waits or is held there, in a few words."""
    places = str(row["places"])
    if row["occupancy"] is None:
        said = [f"{count(row['occupied'])} there, no limit" if row["servers"] is None else f"no {places} open"]
    else:
        said = [f"{row['occupancy']:.0%} of {count(row['servers'])} {places}"]
    if row["waiting"] >= 0.05:
        said.append(f"{count(row['waiting'])} wait")
    if row["blocked"] >= 0.05:
        said.append(f"{count(row['blocked'])} held")
    return tuple(said)


# --- drawing ---------------------------------------------------------------------------------------------------------------


def station_box(canvas: Canvas, box: Box) -> None:
    """The outline of a station with its words: a bar at the right for one that holds, cut corners for one without limit."""
    row = box.row
    if row["servers"] is None:
        canvas.path(_cut(box.x, box.y, box.width, box.height, 8), QUIET, PAPER, 1.25, closed=True)
    else:
        canvas.rect(box.x, box.y, box.x + box.width, box.height, PAPER, QUIET)
    if row["holds"]:
        inset = 8.0 if row["servers"] is None else 0.0
        canvas.rect(box.x + box.width - 5, box.y + inset, box.x + box.width, box.height - 2 * inset, INK)
    y = box.y + 5
    for line in box.title:
        y += _STEP
        canvas.text(box.x + 7, y, line, INK, bold=True)
    for line in box.words:
        y += 13
        canvas.text(box.x + 7, y, line, QUIET, size=11)


def load_bar(canvas: Canvas, box: Box, occupancy: float | None) -> None:
    """How full, as a filled share; nothing where there is no limit."""
    if occupancy is None:
        return
    x, y, long = box.bar
    canvas.rect(x, y, x + long, 6, BAND)
    if occupancy > 0:
        canvas.rect(x, y, x + long * min(occupancy, 1.0), 6, colour_of(occupancy))


def colour_of(occupancy: float) -> str:
    """Of a filled share."""
    return RISE if occupancy >= FULL else FALL if occupancy >= BUSY else BAND_INNER


def thickness(flow: float, most: float) -> float:
    """Of an arrow, in proportion to the patients a day."""
    return max(_WIDEST * flow / most, 0.75)


def arrows(canvas: Canvas, layout: Layout, ways: Sequence[tuple[str, str, float]]) -> None:
    """The ways between stations, those who come from outside, and those who leave."""
    for x, y, words in layout.headings:
        canvas.text(x, y, words, QUIET, size=11)
    shown = [(a, b, flow) for a, b, flow in ways if a in layout.boxes and b in layout.boxes]
    outside = [
        (box, float(box.row["from_outside"] or 0.0), float(box.row["leaving"] or 0.0)) for box in layout.boxes.values()
    ]
    most = max([flow for _, _, flow in shown] + [value for _, a, b in outside for value in (a, b)], default=0.0)
    if most <= 0:
        return
    starts, ends = _ports(layout, shown, most)
    for number, (before, after, flow) in enumerate(shown):
        a, b = layout.boxes[before], layout.boxes[after]
        stroke = thickness(flow, most)
        edge = canvas.width - stroke / 2 - 1
        way = _way(a, b, starts[number], ends[number], layout.column[after] - layout.column[before])
        points = [(min(x, edge), y) for x, y in way]
        canvas.path(points, BAND_INNER if stroke > 1.5 else "#8fa9c4", width=round(stroke, 2))
        _head(canvas, points, stroke)
    for box, coming, leaving in outside:
        if coming >= LEAST:
            y, stroke = box.y + 10, thickness(coming, most)
            canvas.line((box.x - 12, y), (box.x - 4, y), QUIET, round(stroke, 2))
            _head(canvas, [(box.x - 12, y), (box.x, y)], stroke, QUIET)
        if leaving >= LEAST:
            y, stroke = box.y + box.height - 8, thickness(leaving, most)
            right = box.x + box.width
            canvas.line((right, y), (right + 5, y), QUIET, round(stroke, 2))
            _head(canvas, [(right, y), (right + 11, y)], stroke, QUIET)


def _ports(
    layout: Layout, shown: Sequence[tuple[str, str, float]], most: float
) -> tuple[dict[int, float], dict[int, float]]:
    """Where each way leaves its box and where it comes in: spread down the side in the order of the other ends."""
    starts: dict[int, float] = {}
    ends: dict[int, float] = {}
    for ident, box in layout.boxes.items():
        leaving = [n for n, (a, _, _) in enumerate(shown) if a == ident]
        coming = [n for n, (_, b, _) in enumerate(shown) if b == ident]
        leaving.sort(key=lambda n: (layout.boxes[shown[n][1]].y, n))
        coming.sort(key=lambda n: (layout.boxes[shown[n][0]].y, n))
        starts |= _spread(box, leaving, shown, most, 6, 16)
        ends |= _spread(box, coming, shown, most, 16, 6)
    return starts, ends


def _spread(
    box: Box, listed: Sequence[int], shown: Sequence[tuple[str, str, float]], most: float, above: float, below: float
) -> dict[int, float]:
    widths = [thickness(shown[n][2], most) for n in listed]
    room = box.height - above - below
    free = max(room - sum(widths), 0.0) / (len(listed) + 1)
    squeeze = min(1.0, room / sum(widths)) if widths else 1.0
    found, y = {}, box.y + above
    for n, stroke in zip(listed, widths, strict=True):
        y += free
        found[n] = y + stroke * squeeze / 2
        y += stroke * squeeze
    return found


def _way(a: Box, b: Box, start: float, end: float, columns: int) -> list[Point]:
    """The line of a way: straight on to a later column, round the right side within one, over and back to an earlier one."""
    x0 = a.x + a.width
    if columns > 0:
        x1 = b.x - 5
        reach = (x1 - x0) * 0.5
        return _bezier((x0, start), (x0 + reach, start), (x1 - reach, end), (x1, end))
    if columns == 0:
        x1 = b.x + b.width + 5
        reach = min(16 + abs(end - start) * 0.06, 36)
        return _bezier((x0, start), (x0 + reach, start), (x1 + reach - 5, end), (x1, end))
    x1 = b.x + b.width + 5
    return _bezier((x0, start), (x0 + 40, start), (x1 + 60, end), (x1, end))


def _bezier(a: Point, b: Point, c: Point, d: Point, steps: int = 14) -> list[Point]:
    found = []
    for i in range(steps + 1):
        t = i / steps
        weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        found.append((
            sum(w * p[0] for w, p in zip(weights, (a, b, c, d), strict=True)),
            sum(w * p[1] for w, p in zip(weights, (a, b, c, d), strict=True)),
        ))  # fmt: skip
    return found


def _head(canvas: Canvas, points: Sequence[Point], stroke: float, fill: str = FALL) -> None:
    """An arrow's head at the end of a line, pointing left or right."""
    x, y = points[-1]
    way = 1 if x >= points[-2][0] else -1
    half = max(stroke / 2 + 2, 3.0)
    tip = x + 5 * way if fill == FALL else x
    canvas.path([(tip - 6 * way, y - half), (tip, y), (tip - 6 * way, y + half)], fill=fill, closed=True)


def _narrow(canvas: Canvas, rows: Sequence[Row], ways: Sequence[tuple[str, str, float]], top: float) -> float:
    """Boxes from top to bottom, each with its greatest ways on as short arrows; returns where they end."""
    known = {row["station"]: row for row in rows}
    most = max([flow for _, _, flow in ways] + [float(row["from_outside"] or 0.0) for row in rows], default=0.0) or 1.0
    y, wide = top, canvas.width - 2
    for column in columns_of(rows, ways):
        for part in (part for group in column for part in _parts(group, known)):
            for line in wrapped(_heading(known[part[0]]), 13, wide, 2, bold=True):
                canvas.text(0, y + 14, line, INK, bold=True, size=13)
                y += 17
            y += 5
            for ident in part:
                row = known[ident]
                title = tuple(wrapped(str(row["title"]), _BOX, wide - 20, 2, bold=True))
                said = tuple(wrapped(", ".join(figures(row)), 11, wide - 20, 2))
                box = Box(row, 1, y, wide, _height((title, said)), title, said)
                station_box(canvas, box)
                load_bar(canvas, box, row["occupancy"])
                y = _ways_on(canvas, row, known, ways, most, y + box.height + 4) + 10
    return y


def _ways_on(
    canvas: Canvas, row: Row, known: Mapping[str, Row], ways: Sequence[tuple[str, str, float]], most: float, y: float
) -> float:
    onward = sorted(((flow, to) for before, to, flow in ways if before == row["station"] and to in known), reverse=True)
    shown = [(flow, f"to {known[to]['title']}") for flow, to in onward[:3]]
    if row["from_outside"] >= LEAST:
        shown.insert(0, (float(row["from_outside"]), "come from outside"))
    for flow, words in shown:
        stroke = thickness(flow, most)
        high = max(15.0, stroke + 4)
        canvas.line((12, y + high / 2), (34, y + high / 2), BAND_INNER, round(stroke, 2))
        _head(canvas, [(12, y + high / 2), (34, y + high / 2)], stroke)
        text = f"{count(flow)} a day {words}"
        canvas.text(46, y + high / 2 + 4, wrapped(text, 11, canvas.width - 48, 1)[0], QUIET, size=11)
        y += high
    if len(onward) > 3:
        canvas.text(46, y + 11, f"and {len(onward) - 3} smaller way{'s' if len(onward) > 4 else ''}", QUIET, size=11)
        y += 15
    return y
