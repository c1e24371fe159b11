"""The report of a twin: are a plan's promises kept in its network of care, how sure is that, and what would keep them?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

import bettercare
from bettercare.flow.network import Evidence
from bettercare.plan import Plan
from bettercare.reports.amounts import MINUS, chance, count, in_unit, percent
from bettercare.reports.charts.canvas import BAND_INNER, FALL, INK, PAPER, QUIET, RISE, STANDARD, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.reports.charts.rows import Rows, legend
from bettercare.reports.charts.scale import Scale
from bettercare.reports.exhibit import Chart, Column, Document, Exhibit, Headline, Section, Table, filled
from bettercare.reports.flow.evidence import BASES, Known, assumed_in_words, rows_of
from bettercare.reports.flow.evidence import PARTS as NETWORK_PARTS
from bettercare.reports.sections.frames import NARROW, WIDE
from bettercare.reports.words import listed, plural, sentence
from bettercare.twin import Answer, Judged, Needed, Reply, Smallest
from bettercare.twin.mapping import Driver, Lever, Promise
from bettercare.twin.smallest import ALL, NEEDED, PARTS, Together

Array = NDArray[np.float64]
_BINS = 30
_TOP = 12
_FEW = 30
"""A search over fewer futures is rough."""
_LINES = ((STANDARD, "6 3"), (RISE, "2 3"), (INK, "9 3 2 3"))
"""Colour and dash of each bound on a distribution."""


def promises_report(answer: Answer) -> Document:
    """The report of a twin's answers: for each question whether it holds, how sure that is, what drives it, what would change
    it; and what all of it rests on."""
    plan = answer.plan
    sections = [_question(answer, reply) for reply in answer.replies]
    scenario = f" · scenario: {answer.scenario}" if answer.scenario else ""
    return Document(
        title=f"{plan.title}: are its promises kept?",
        place=f"{plan.header['footprint']} · {answer.network.title} · {plural(answer.draws, 'future')} (seed {answer.seed}){scenario}",
        verdict=" ".join(f"{reply.question.title} {verdict_of(reply)}" for reply in answer.replies),
        headlines=tuple(head for reply in answer.replies for head in _headlines(reply)),
        sections=(*sections, _basis(answer)),
        banner="Synthetic plan. Some or all of its figures are invented: nothing here is about a real place." if _synthetic(plan) else "",
        footer=(
            "Each future is one draw of what is uncertain and one run of the network with its own luck. Nine futures in ten lie between low and high. "
            f"With {plural(answer.draws, 'future')} a chance is itself known to about {100 / math.sqrt(answer.draws):.0f} percentage points either way, less near none or all.",
            f"Made by bettercare {bettercare.__version__}.",
        ),
    )  # fmt: skip


def _synthetic(plan: Plan) -> bool:
    return str(plan.header.get("synthetic", "")).strip().lower() in ("yes", "true", "1")


def verdict_of(reply: Reply) -> str:
    """The answer to a question in a sentence or two."""
    parts = []
    criteria = [one for one in reply.answered.judged if one.promise.suffices]
    if criteria:
        every = "the one criterion holds" if len(criteria) == 1 else f"all {len(criteria)} criteria hold"
        planned = f" with {reply.answered.futures.beds_planned:,} beds" if reply.question.beds else ""
        out = reply.answered.unmeasured
        draws = len(reply.answered.futures.items) - out
        parts.append(
            f"{_likely(reply.answered.suffices)}: {every}{planned} {_of(reply.answered.suffices, draws)}.{_left_out_of(out)}"
        )
        together = next((one for one in reply.needed if one.criterion == "all"), None)
        if together is not None:
            parts.append(_need_sentence(together))
        return " ".join(parts)
    for judged in reply.answered.judged:
        if judged.promise.headline:
            low, middle, high = (_shown(judged.promise, value) for value in judged.interval())
            parts.append(
                f"{_likely(judged.probability)}: {_bounded(judged)} {_of(judged.probability, int(judged.measured.sum()))}.{_left_out_of(judged.unmeasured)} "
                f"The middle of the futures is {middle}, and nine in ten lie from {low} to {high}."
            )
    return " ".join(parts)


def _likely(probability: float) -> str:
    if math.isnan(probability):
        return "It cannot be said"
    words = (
        (0.95, "Very likely"),
        (0.8, "Likely"),
        (0.5, "More likely than not"),
        (0.2, "Less likely than not"),
        (0.05, "Unlikely"),
    )
    return next((word for least, word in words if probability >= least), "Very unlikely")


def _chance(probability: float) -> str:
    if math.isnan(probability):
        return "unknown"
    return "less than 1%" if 0 < probability < 0.01 else chance(probability)


def _of(probability: float, draws: int) -> str:
    """A chance as a share of futures; none of a few is not never."""
    if probability in (0.0, 1.0):
        return f"in {'all' if probability else 'none'} of {plural(draws, 'future')}"
    return (
        f"with a chance of {chance(probability)}"
        if math.isfinite(probability)
        else "in no future that could be measured"
    )


def _left_out_of(futures: int) -> str:
    """What could not be measured, said after a chance that leaves it out."""
    return (
        f" {plural(futures, 'future')} that could not be measured {'is' if futures == 1 else 'are'} left out."
        if futures
        else ""
    )


def _need_sentence(needed: Needed) -> str:
    said = [f"{_beds(needed, wanted)} for {chance(wanted)}" for wanted in NEEDED]
    searched = f"the first {plural(len(needed.beds), 'future')}"
    left_out, rough = _left_out_of(needed.unmeasured), _rough(len(needed.beds))
    return f"The beds that would be needed, all else alike, from {searched}: {listed(said)}.{left_out}{rough}"


def _rough(draws: int) -> str:
    """A warning where a search looked at few futures."""
    return f" From so few futures this is rough: ask for {_FEW} or more." if draws < _FEW else ""


def _beds(needed: Needed, wanted: float, signs: bool = False) -> str:
    """The beds for a probability; at either end of what was tried, only that it lies beyond, in words or signs."""
    above, most = needed.limits(wanted)
    if most is None:
        return "unknown" if above is None else f"{'>' if signs else 'more than'} {above:,}"
    if above is not None:
        return f"{most:,}"
    return f"≤ {most:,}" if signs else f"{most:,} or fewer"


def _shown(promise: Promise, value: float) -> str:
    if not math.isfinite(value):
        return "–"
    return percent(round(100 * value, 1)) if promise.unit == "share" else in_unit(round(value, 1), promise.unit)


def _bounded(judged: Judged) -> str:
    bound = _shown(judged.promise, judged.bound) if judged.promise.as_now is None else "as now"
    return f"{'at least' if judged.promise.upwards else 'at most'} {bound}"


def _headlines(reply: Reply) -> list[Headline]:
    found = []
    for judged in reply.answered.judged:
        if judged.promise.headline:
            low, middle, high = (_shown(judged.promise, value) for value in judged.interval())
            found.append(Headline(judged.promise.title, middle, f"nine futures in ten from {low} to {high}"))
            found.append(Headline(f"Chance of {_bounded(judged)}", chance(judged.probability), judged.promise.title))
    together = next((one for one in reply.needed if one.criterion == "all"), None)
    if together is not None:
        shown = f"{together.planned:,} are planned; from the first {plural(len(together.beds), 'future')}"
        found.append(Headline("Beds for a chance of four in five", _beds(together, 0.8), shown))
    return found


def _question(answer: Answer, reply: Reply) -> Section:
    exhibits = [_promises(reply)]
    for judged in reply.answered.judged:
        if judged.promise.headline and np.isfinite(judged.values).any():
            frame = reply.answered.drivers(judged.promise.id)
            exhibits += [_distribution(reply, judged), _drivers(frame, judged.promise.id, judged.promise.title)]
    if reply.needed:
        together = next(one for one in reply.needed if one.criterion == "all")
        frame = reply.answered.drivers_of(together.beds)
        exhibits += [
            _needed_chart(reply),
            _needed_table(reply),
            _drivers(frame, f"{reply.question.id}-needed", "Beds needed"),
        ]
    if reply.smallest:
        exhibits += [_smallest(reply), *_together(reply)]
    last = reply.question.starts + timedelta(days=reply.question.days - 1)
    period = " to ".join(dict.fromkeys(f"{day.day} {day:%B %Y}" for day in (reply.question.starts, last)))
    lead = f"{verdict_of(reply)} Simulated for {period}."
    return Section(reply.question.id, reply.question.title, lead, tuple(exhibits))


def _promises(reply: Reply) -> Exhibit:
    rows: list[dict[str, Any]] = []
    for judged in reply.answered.judged:
        promise = judged.promise
        low, middle, high = (_number(promise, value) for value in judged.interval())
        rows.append(
            {
                "title": promise.title, "now": _number(promise, judged.now), "unmeasured": judged.unmeasured,
                "bound": ("≥ " if promise.upwards else "≤ ") + (_shown(promise, judged.bound) if promise.as_now is None else "as now"),
                "low": low, "middle": middle, "high": high, "unit": "%" if promise.unit == "share" else promise.unit,
                "probability": None if math.isnan(judged.probability) else judged.probability,
            }
        )  # fmt: skip
    columns = (
        Column("title", "Promise"), Column("bound", "Holds when"), Column("probability", "Chance", "chance"), Column("now", "Now", "amount"),
        Column("low", "Low", "amount"), Column("middle", "Middle", "amount"), Column("high", "High", "amount"),
        *((Column("unmeasured", "Not measured", "count"),) if any(row["unmeasured"] for row in rows) else ()),
    )  # fmt: skip
    kept = sum(one.probability >= 0.5 for one in reply.answered.judged)
    message = f"{kept} of {plural(len(rows), 'promise')} {'hold' if kept != 1 else 'holds'} in more futures than not.{_which(reply)}"
    note = (
        "Now: the mean of the network in the same days as it is, before what it misses is corrected. Low to high: nine futures in ten. "
        "Where the network is overrun the figures say that it does not suffice, and not how bad it would be."
    )
    if any(one.promise.as_now is not None for one in reply.answered.judged):
        note += " As now: each future is held against the network as it is with the same luck, both uncorrected."
    if any(row["unmeasured"] for row in rows):
        note += " Futures in which a promise could not be measured are left out of its chance."
    ident = f"{reply.question.id}-promises"
    return Exhibit(ident, message, Table(columns, rows), note=note, sheet=f"Promises {reply.question.id}")


def _which(reply: Reply) -> str:
    """Which of the promises are criteria, where some are."""
    promises = [one.promise for one in reply.answered.judged]
    others = [promise.title for promise in promises if not promise.suffices]
    if len(others) == len(promises):
        return ""
    return f" All are criteria of whether the beds suffice{' but: ' if others else ''}{'; '.join(others)}."


def _number(promise: Promise, value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return round(100 * value, 1) if promise.unit == "share" else round(value, 1)


def _evident(evidence: Evidence) -> dict[str, str]:
    source = " ".join(filter(None, (evidence.source, evidence.where)))
    return {"basis": f"{evidence.basis}: {source}" if source else evidence.basis, "note": evidence.note}


def _distribution(reply: Reply, judged: Judged) -> Exhibit:
    """The values of a headline promise against the bounds of every promise of the same measure and place."""
    promise = judged.promise
    times = 100.0 if promise.unit == "share" else 1.0
    values = times * judged.values[np.isfinite(judged.values)]
    same = [
        one for one in reply.answered.judged if (one.promise.measure, one.promise.of) == (promise.measure, promise.of)
    ]
    bounds = [(times * one.bound, one.promise.title) for one in same[: len(_LINES)]]
    low, middle, high = (_shown(promise, value) for value in judged.interval())
    message = f"{promise.title}: {low} to {high} in nine futures of ten, {middle} in the middle; {_bounded(judged)} {_of(judged.probability, int(judged.measured.sum()))}"
    unit = "%" if promise.unit == "share" else ""
    chart = Chart(*(histogram(values, bounds, unit, width, message) for width in (WIDE, NARROW)))
    edges, counts = _binned(values)
    rows = [
        {"from": float(a), "to": float(b), "futures": int(n)} for a, b, n in zip(edges, edges[1:], counts, strict=False)
    ]
    columns = (
        Column("from", "From", "plain", unit),
        Column("to", "To", "plain", unit),
        Column("futures", "Futures", "count"),
    )
    missed = judged.missed
    note = (
        f"Corrected by what the network missed of {plural(missed.compared, 'value')} seen, and widened by how far it may miss the next."
        if missed.compared
        else "Nothing seen could be compared; widened by an assumed spread alone."
    )
    return Exhibit(
        f"{promise.id}-distribution", message + ".", Table(columns, rows), chart, note, sheet=f"Futures {promise.id}"
    )


def _binned(values: Array) -> tuple[Array, Array]:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-9:
        low, high = low - 0.5, high + 0.5
    counts, edges = np.histogram(values, bins=min(_BINS, max(5, len(values) // 5)), range=(low, high))
    return edges, counts.astype(np.float64)


def histogram(
    values: Array, bounds: Sequence[tuple[float, str]], unit: str, width: float, title: str, more: int = 0
) -> str:
    """Draw how values are distributed, with the bounds they are held against.

    Args:
        values: finite, at least one.
        bounds: value and what it is, at most three.
        more: values beyond the scale, drawn as a bar of their own at its end.

    Returns:
        SVG text.
    """
    canvas = Canvas(width, title)
    write = (lambda value: percent(round(value, 1))) if unit == "%" else count
    edges, counts = _binned(values)
    entries = [(f"bar {BAND_INNER}", f"futures: {counts.max():,.0f} at the highest bar")]
    entries += [
        (("line", "dots", "dash")[i] + f" {_LINES[i][0]}", f"{text}: {write(value)}")
        for i, (value, text) in enumerate(bounds)
    ]
    top = 0.0
    for entry in entries:
        # One below the other: a title is a sentence.
        top = legend(canvas, [(entry[0], _cut(entry[1], width - 40))], top) - 4
    right = width - (70 if more else 8)
    across = Scale.over([*edges, *(value for value, _ in bounds)], 4, right, zero=False)
    labels = [_Label(write(value), across(value), width) for value, _ in bounds]
    lifts = _lifts(labels)
    top += 40 + max(lifts, default=0)
    bottom = top + (220 if width >= 620 else 160)
    up = Scale.over([0, float(max(counts.max(), more))], bottom, top)
    for tick in across.ticks(8 if width >= 620 else 4):
        canvas.line((across(tick), top - 4), (across(tick), bottom), "#d8dde0")
        canvas.text(min(max(across(tick), 16), width - 16), bottom + 18, write(tick), QUIET, "middle", size=12)
    for left, end, number in zip(edges, edges[1:], counts, strict=False):
        if number:
            canvas.rect(
                across(float(left)) + 0.5,
                up(float(number)),
                across(float(end)) - 0.5,
                bottom - up(float(number)),
                BAND_INNER,
            )
    if more:
        canvas.rect(right + 18, up(more), right + 44, bottom - up(more), RISE)
        canvas.text(right + 31, bottom + 18, "more", QUIET, "middle", size=12)
        canvas.text(right + 31, up(more) - 4, f"{more:,}", INK, "middle", size=12)
    canvas.line((4, bottom), (right, bottom), QUIET, 1.5)
    for (value, _), lift, (colour, dash) in zip(bounds, lifts, _LINES, strict=False):
        start = (across(value), top - 14 - lift)
        canvas.line(start, (across(value), bottom), colour, 2.5, "" if colour == STANDARD else dash)
    for label, lift, (colour, _) in zip(labels, lifts, _LINES, strict=False):
        # The line of a label above is broken where it would run through this one.
        canvas.rect(label.left, top - 29 - lift, label.right, 14, PAPER)
        canvas.text((label.left + label.right) / 2, top - 18 - lift, label.text, colour, "middle", bold=True, size=12)
    return canvas.svg(bottom + 26)


class _Label:
    """A label over its line, kept on the canvas."""

    def __init__(self, text: str, x: float, width: float) -> None:
        room = text_width(text, 12, bold=True)
        self.text = text
        self.left = min(max(x - room / 2, 0.0), width - room)
        self.right = self.left + room


def _lifts(labels: Sequence[_Label]) -> list[float]:
    """How far up each label goes so that none is over another."""
    ends: list[float] = []
    lifts = [0.0] * len(labels)
    for place in sorted(range(len(labels)), key=lambda place: labels[place].left):
        row = next((row for row, end in enumerate(ends) if labels[place].left > end + 6), len(ends))
        ends[row : row + 1] = [labels[place].right]
        lifts[place] = 14.0 * row
    return lifts


def _cut(text: str, room: float) -> str:
    while len(text) > 4 and text_width(text, 12) > room:
        text = text[:-2].rstrip() + "…"
    return text


def _drivers(frame: pl.DataFrame, ident: str, name: str) -> Exhibit:
    """What a value hangs on; ``frame`` as ``Answered.drivers`` gives it."""
    rows = [
        {"title": row["title"], "correlation": round(row["correlation"], 2), "share": row["share"], "chance": "could be chance" if row["chance"] else ""}
        for row in frame.to_dicts()
    ]  # fmt: skip
    columns = (
        Column("title", "Driver"), Column("correlation", "Rank correlation", "plain"), Column("share", "Share of the spread", "chance"), Column("chance", "How sure"),
    )  # fmt: skip
    told = [row for row in rows if not row["chance"]]
    message = (
        f"{told[0]['title']} goes with {chance(told[0]['share'])} of the spread of: {name}"
        if told
        else f"No driver stands out from chance: {name}"
    )
    note = (
        "The share is the square of the rank correlation. Drivers that move together share what they explain, so the shares need not add to one; what no driver explains is "
        "the luck of the days themselves, and what drivers do only together."
    )
    chart = Chart(*(_bars(rows[:_TOP], width, message) for width in (WIDE, NARROW))) if rows else None
    return Exhibit(f"{ident}-drivers", message + ".", Table(columns, rows), chart, note, sheet=f"Drivers {ident}")


def _bars(rows: Sequence[dict[str, Any]], width: float, title: str) -> str:
    canvas = Canvas(width, title)
    top = legend(canvas, [(f"bar {FALL}", "share of the spread"), (f"outline {QUIET}", "could be chance")])
    # Where it is narrow the bars alone give the shares: the titles need the room.
    headings = ["Share", "Correlation"] if width >= WIDE else ["Correlation"]
    figures = [[chance(row["share"]), _signed(row["correlation"])][-len(headings) :] for row in rows]
    table = Rows(canvas, [row["title"] for row in rows], figures, headings, 12.0, top)
    axis = Scale.over([row["share"] for row in rows], table.left, table.right)
    for lane, row in zip(table.lanes(axis, [(tick, chance(tick)) for tick in axis.ticks(5)]), rows, strict=True):
        fill, stroke = ("#ffffff", QUIET) if row["chance"] else (FALL, "none")
        canvas.rect(axis(0), lane.top, axis(row["share"]), lane.height, fill, stroke)
    return canvas.svg(table.bottom + 4)


def _signed(correlation: float) -> str:
    return f"{correlation:+.2f}".replace("-", MINUS) if correlation else "0.00"


def _needed_chart(reply: Reply) -> Exhibit:
    together = next(one for one in reply.needed if one.criterion == "all")
    known = together.beds[np.isfinite(together.beds)]
    more = len(together.known) - len(known)
    measured = len(reply.answered.futures.items) - reply.answered.unmeasured
    message = f"{together.planned:,} beds suffice {_of(together.chance, measured)}. {_need_sentence(together)}"
    chart = None
    if len(known):
        bounds = [(float(together.planned), "Planned"), (float(reply.answered.futures.beds_now), "Today")]
        chart = Chart(*(histogram(known, bounds, "", width, message, more) for width in (WIDE, NARROW)))
    levels = {reply.answered.futures.beds_now, *range(together.planned, together.most + 1, 50)} - {together.planned}
    found = [(beds, together.probability(beds), len(together.known)) for beds in levels]
    found.append((together.planned, together.chance, measured))
    rows = [
        {"beds": beds, "chance": likely, "futures": futures}
        for beds, likely, futures in sorted(found)
        if math.isfinite(likely)
    ]
    columns = (
        Column("beds", "Beds", "count"),
        Column("chance", "Chance that they suffice", "chance"),
        Column("futures", "From futures", "count"),
    )
    note = (
        f"Beds at which every criterion of beds holds, and goes on to hold with more, in each of the first {plural(len(together.beds), 'future')}. "
        f"At the left end: {together.least:,} or fewer. The chance with the planned number is of all {plural(measured, 'future')} that could be measured, so it need not fall in line with the others."
    )
    return Exhibit(
        f"{reply.question.id}-needed",
        message,
        Table(columns, rows),
        chart,
        note,
        sheet=f"Beds needed {reply.question.id}",
    )


def _needed_table(reply: Reply) -> Exhibit:
    rows = []
    for one in reply.needed:
        row: dict[str, Any] = {"title": one.title, "planned": one.chance if math.isfinite(one.chance) else None}
        rows.append(row | {f"p{wanted:g}": _beds(one, wanted, signs=True) for wanted in NEEDED})
    planned = reply.needed[0].planned
    columns = (
        Column("title", "Criterion"), Column("planned", f"Chance with {planned:,}", "chance"), *(Column(f"p{wanted:g}", f"Beds for {chance(wanted)}") for wanted in NEEDED),
    )  # fmt: skip
    hardest = max(reply.needed[:-1] or reply.needed, key=lambda one: (one.for_probability(0.5) or math.inf, one.title))
    message = f"The criterion that needs most beds: {hardest.title}."
    first = reply.needed[0]
    note = (
        f"The chance with {planned:,} is of all {plural(len(reply.answered.futures.items), 'future')}; beds are from the first {len(first.beds):,} of them, "
        f"each run with {first.least:,} to {first.most:,} beds."
    )
    out = max(one.unmeasured for one in reply.needed)
    note += (
        f" Up to {plural(out, 'future')} could not be measured and {'is' if out == 1 else 'are'} left out."
        if out
        else ""
    )
    ident = f"{reply.question.id}-criteria"
    return Exhibit(ident, message, Table(columns, rows), note=note, sheet=f"Beds by criterion {reply.question.id}")


def _smallest(reply: Reply) -> Exhibit:
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for one in reply.smallest:
        row = rows.setdefault(
            (one.promise, one.lever.id),
            {"lever": one.lever.title, "title": _asked(reply, one.promise), "before": one.before if math.isfinite(one.before) else None},
        )  # fmt: skip
        row[f"p{one.wanted:g}"] = _size(one)
        row[f"of{one.wanted:g}"] = one.relative
        row["note"] = one.lever.evidence.note
    wanted = list(dict.fromkeys(one.wanted for one in reply.smallest))
    several = len({one.promise for one in reply.smallest}) > 1
    columns = (
        Column("lever", "Lever, alone"), *((Column("title", "Promise"),) if several else ()), Column("before", "Chance without", "chance"),
        *(
            column
            for chance_wanted in wanted
            for column in (Column(f"p{chance_wanted:g}", f"For {chance(chance_wanted)}"), Column(f"of{chance_wanted:g}", "Of what there is", "chance"))
        ),
    )  # fmt: skip
    first = reply.smallest[0]
    found = [one for one in reply.smallest if one.size]
    if found:
        least = min(found, key=lambda one: (one.wanted, one.relative if one.relative is not None else math.inf))
        message = (
            f"{_asked(reply, least.promise)}. Smallest against what there is: {least.lever.title} by {_size(least)} "
            f"gives a chance of {chance(least.reached)}, from {plural(least.draws, 'future')}."
        )
    else:
        message = (
            f"{'' if several else _asked(reply, first.promise) + '. '}No lever alone does it within what was tried."
        )
    hard = dict.fromkeys(one.promise for one in reply.together)
    message = " ".join([message, *(_said_of(reply, promise) for promise in hard)]) + _rough(first.draws)
    tried = listed([f"{lever.title.lower()} up to {_amount(lever, lever.limit)}" for lever in _levers(reply.smallest)])
    asked = "" if several else f" What must hold: {_asked(reply, first.promise)}."
    note = f"One lever at a time, the same futures with the same luck ({plural(first.draws, 'future')}; the chance without is of all {len(reply.answered.futures.items):,}).{asked} Tried: {tried}."
    note += _shortcomings(reply)
    if reply.needed:
        note += " Beds are tried here in steps; the beds needed are read between the numbers tried, so the two need not agree to the bed."
    if any(change.what == "arrivals" for lever in _levers(reply.smallest) for change in lever.changes):
        note += (
            " Fewer arrivals shorten only the waits for places: lengths of time in the network do not shrink when fewer come, "
            "even where they hold other waits, such as for a clinician."
        )
    ident = f"{reply.question.id}-smallest"
    shown = list(rows.values())
    table = Table(filled(columns, shown), shown)
    return Exhibit(ident, message, table, note=note, sheet=f"Smallest {reply.question.id}")


def _shortcomings(reply: Reply) -> str:
    """What stands in the way of each lever that is not enough for every criterion at once."""
    criteria = [one.promise for one in reply.answered.judged if one.promise.suffices]
    said: dict[str, str] = {}
    for one in sorted(reply.smallest, key=lambda one: one.wanted):
        if one.short and one.lever.id not in said and len(criteria) > 1:
            titles = [promise.title for promise in criteria if promise.id in one.short]
            fails = "; ".join(titles) if len(titles) < len(criteria) else "every criterion"
            said[one.lever.id] = (
                f" Not met for {chance(one.wanted)} by {one.lever.title.lower()}, alone at its limit: {fails}."
            )
    return "".join(said.values())


def _asked(reply: Reply, promise: str) -> str:
    """What a lever is to make hold: a promise, or every criterion at once."""
    criteria = [one.promise.title for one in reply.answered.judged if one.promise.suffices]
    if promise != ALL:
        return reply.answered.of(promise).promise.title
    return criteria[0] if len(criteria) == 1 else f"All {len(criteria)} criteria together"


def _said_of(reply: Reply, promise: str) -> str:
    """What all levers together come to, where none alone is enough for a promise."""
    found = [one for one in reply.together if one.promise == promise]
    of = f" ({_asked(reply, promise)})" if len({one.promise for one in reply.smallest}) > 1 else ""
    parts = [(chance(one.wanted), chance(one.part)) for one in found if one.part]
    given = [f"a chance of {wanted} with each at {part} of its limit" for wanted, part in parts[:1]]
    given += [f"one of {wanted} at {part}" for wanted, part in parts[1:]]
    said = [f"All levers together give {listed(given)}{of}."] if given else []
    short = next((one for one in found if one.part is None), None)
    if short is not None and not short.most:
        said.append(f"All levers together are not possible in this network{of}.")
    elif short is not None:
        most = (
            "their limits" if short.most == 1 else f"{chance(short.most)} of their limits, the most possible at once,"
        )
        said.append(
            f"Not even all levers together at {most} give a chance of {chance(short.wanted)}{of}: it is {_chance(short.reached)}."
        )
    return " ".join(said)


def _together(reply: Reply) -> list[Exhibit]:
    """For each promise no lever alone is enough for: how much of each lever it takes when all are pulled."""
    found = [one for one in reply.together if one.part]
    promises = dict.fromkeys(one.promise for one in found)
    return [_sizes(reply, [one for one in found if one.promise == promise]) for promise in promises]


def _sizes(reply: Reply, found: Sequence[Together]) -> Exhibit:
    keys = [f"p{one.wanted:g}" for one in found]
    rows: list[dict[str, Any]] = [
        {"lever": lever.title, "limit": _amount(lever, lever.limit)}
        | {key: _bare(lever, one.sizes[lever.id]) for key, one in zip(keys, found, strict=True)}
        for lever in _levers(reply.smallest)
    ]
    columns = (
        Column("lever", "Lever, with the others"),
        *(Column(key, f"For {chance(one.wanted)}, at {chance(one.part or 0)}") for key, one in zip(keys, found, strict=True)),
        Column("limit", "Limit"),
    )  # fmt: skip
    title = _asked(reply, found[0].promise)
    gives = [f"{chance(one.part or 0)} of each limit gives a chance of {chance(one.reached)}" for one in found]
    message = f"With all levers together {listed(gives)}."
    note = (
        f"What must hold: {title}. All levers at the same part of their limits, tried by {chance(1 / PARTS)}; each in whole steps, rounded down, one at least. "
        f"The same {plural(found[0].draws, 'future')} with the same luck."
    )
    name = reply.question.id if found[0].promise == ALL else found[0].promise
    return Exhibit(f"{name}-together", message, Table(columns, rows), note=note, sheet=f"Together {name}")


def _levers(found: Sequence[Smallest]) -> list[Lever]:
    return list({one.lever.id: one.lever for one in found}.values())


def _size(one: Smallest) -> str:
    if one.size is None:
        return f"not even {_amount(one.lever, one.most)} ({_chance(one.reached)})" if one.most else "not possible"
    return _amount(one.lever, one.size) if one.size else f"nothing: the chance is {_chance(one.before)} already"


def _amount(lever: Lever, size: float) -> str:
    return f"{size:,g}{'' if lever.unit.startswith('%') else ' '}{lever.unit}"


def _bare(lever: Lever, size: float) -> str:
    """A size beside its limit, which says the unit."""
    return f"{size:,g}{'%' if lever.unit.startswith('%') else ''}"


def _basis(answer: Answer) -> Section:
    lead = (
        "Every future is made of what is written here. Assumed means that the sources do not have it and the answer needs it; each has its reason. "
        + sentence(answer.twin.summary)
    )
    found = (
        _criteria(answer),
        _driver_table(answer),
        _joins(answer),
        _misses(answer),
        _network_basis(answer),
        _own_basis(answer),
        _left_out(answer),
    )
    return Section("basis", "What this rests on", lead, tuple(exhibit for exhibit in found if exhibit is not None))


def _criteria(answer: Answer) -> Exhibit | None:
    rows = [
        {"title": one.title, "measure": f"{one.measure} of {', '.join(one.of)}", **_evident(one.evidence)}
        for one in answer.twin.promises
    ]
    columns = (
        Column("title", "Promise"),
        Column("measure", "In the network"),
        Column("basis", "Basis"),
        Column("note", "Note"),
    )
    message = f"Where the {plural(len(rows), 'promise')} come from."
    return Exhibit("twin-promised", message, Table(columns, rows), sheet="Where promises come from")


def _driver_table(answer: Answer) -> Exhibit | None:
    rows = [
        {
            "title": driver.title, "questions": listed(list(driver.questions)) or "all", "low": driver.low, "likely": driver.likely, "high": driver.high,
            "probability": driver.probability, "when": _when(driver), "changes": _changes(driver), **_evident(driver.evidence),
        }
        for driver in answer.twin.drivers
    ]  # fmt: skip
    columns = (
        Column("title", "Driver"), Column("questions", "Question"), Column("low", "Least", "plain"), Column("likely", "Likeliest", "plain"), Column("high", "Greatest", "plain"),
        Column("probability", "Comes at all", "chance"), Column("when", "When"), Column("changes", "At size 1"), Column("basis", "Basis"), Column("note", "Reason"),
    )  # fmt: skip
    message = f"{plural(len(rows), 'driver')} drawn beside those of the plan's own model; sizes are triangular and 1 is what stands under At size 1."
    return (
        Exhibit("twin-drivers", message, Table(columns, rows), sheet="Assumed drivers", folded=True) if rows else None
    )


def _when(driver: Driver) -> str:
    if driver.starts is None or driver.full is None:
        return "throughout"
    late = f", {driver.late[0]:g} to {driver.late[2]:g} months late" if driver.late else ""
    return f"{driver.starts:%B %Y}, in full {driver.full:%B %Y}{late}"


def _changes(driver: Driver) -> str:
    said = []
    for change in driver.changes:
        place = f"{change.at} to {change.goes}" if change.goes else change.at
        who = f" ({change.patient})" if change.patient != "any" else ""
        amount = f"× {change.times:g}" if change.times is not None else f"{change.add:+g}"
        said.append(f"{change.what} {place}{who} {amount}")
    return "; ".join(said)


def _joins(answer: Answer) -> Exhibit | None:
    twin = answer.twin
    rows: list[dict[str, str]] = [
        {
            "network": f"arrivals {one.stream}",
            "plan": f"{one.organisation}, {one.pod} ({one.takes})",
            **_evident(one.evidence),
        }
        for one in twin.streams
    ]
    rows += [
        {
            "network": f"length of stay {one.station} ({one.patient})",
            "plan": f"{one.organisation}, {one.pod}",
            **_evident(one.evidence),
        }
        for one in twin.services
    ]
    rows += [
        {
            "network": f"share {one.station} to {one.goes}",
            "plan": f"{one.organisation}, {one.pod}",
            **_evident(one.evidence),
        }
        for one in twin.routes
    ]
    rows += [
        {
            "network": f"beds {one.station}",
            "plan": f"{one.organisation}, {one.pod}: {100 * one.share:.0f}% of the change",
            **_evident(one.evidence),
        }
        for one in twin.beds
    ]
    columns = (
        Column("network", "In the network"),
        Column("plan", "Moved by, in the plan"),
        Column("basis", "Basis"),
        Column("note", "Reason"),
    )
    message = f"{plural(len(rows), 'place')} at which the plan's model moves the network."
    return Exhibit("twin-joins", message, Table(columns, rows), sheet="Plan to network", folded=True) if rows else None


def _misses(answer: Answer) -> Exhibit | None:
    rows = []
    for reply in answer.replies:
        for judged in reply.answered.judged:
            missed = judged.missed
            scale = "log odds" if judged.promise.unit == "share" else judged.promise.unit
            now = judged.promise.as_now is not None
            rows.append(
                {"title": judged.promise.title, "compared": 0 if now else missed.compared, "shift": None if now else round(missed.shift, 3), "sd": None if now else round(missed.sd, 3), "scale": scale,
                 "spread": "compared with the network itself, draw by draw" if now else _shown(judged.promise, judged.promise.spread),
                 "note": judged.promise.evidence.note if judged.promise.spread else ""}
            )  # fmt: skip
    columns = (
        Column("title", "Promise"), Column("compared", "Values seen", "count"), Column("shift", "Seen above simulated", "plain"), Column("sd", "Standard deviation of the next", "plain"),
        Column("scale", "On the scale of"), Column("spread", "Assumed spread on top"), Column("note", "Reason"),
    )  # fmt: skip
    seen = sum(bool(row["compared"]) for row in rows)
    message = f"{seen} of {plural(len(rows), 'promise')} could be held against something seen; the others are widened by an assumed spread alone."
    return Exhibit("twin-missed", message, Table(columns, rows), sheet="What the network misses")


def _network_basis(answer: Answer) -> Exhibit:
    """As reports of runs count it."""
    rows = rows_of(answer.network)
    message = f"The network: {assumed_in_words(rows)}; its file gives the reason of each."
    note = "Rows of one station that are known in the same way count once."
    return _counted("twin-network", message, rows, NETWORK_PARTS, note, "Basis of the network")


def _own_basis(answer: Answer) -> Exhibit:
    twin = answer.twin
    groups: dict[str, Sequence[Any]] = {
        "Questions": twin.questions, "Promises": twin.promises, "Arrivals that follow the plan": twin.streams, "Lengths of stay that follow it": twin.services,
        "Ways on that follow it": twin.routes, "Beds that follow it": twin.beds, "Drivers": twin.drivers, "Levers": twin.levers,
    }  # fmt: skip
    rows = [Known(title, title, one.evidence) for title, ones in groups.items() for one in ones]
    message = f"What joins the plan to it: {assumed_in_words(rows)}."
    return _counted("twin-own", message, rows, {title: title for title in groups}, "", "Basis of the joins")


def _counted(
    ident: str, message: str, rows: Sequence[Known], parts: Mapping[str, str], note: str, sheet: str
) -> Exhibit:
    counts = {part: Counter[str](row.evidence.basis for row in rows if row.part == part) for part in parts}
    shown = [
        {"title": parts[part]} | {basis: found[basis] for basis in BASES} for part, found in counts.items() if found
    ]
    columns = (Column("title", "Part"), *(Column(basis, basis.capitalize(), "count") for basis in BASES))
    return Exhibit(ident, message, Table(columns, shown), note=note, sheet=sheet)


def _left_out(answer: Answer) -> Exhibit | None:
    rows = [{"what": one.what, "note": sentence(one.note)} for one in answer.twin.not_modelled]
    columns = (Column("what", "Not modelled"), Column("note", "Why it matters"))
    return (
        Exhibit("twin-left-out", "What the answers leave out.", Table(columns, rows), sheet="Not modelled")
        if rows
        else None
    )
