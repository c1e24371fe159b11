"""The report of a simulated network: are patients seen in time, where do they wait, where are they held, and what does that rest on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

import bettercare
from bettercare.flow import Result, Scenario
from bettercare.flow.measures import hours_text, target_in_words
from bettercare.flow.network import Escalation
from bettercare.reports.amounts import count
from bettercare.reports.charts.a_day import a_day
from bettercare.reports.charts.network_drawing import LEAST, network_drawing
from bettercare.reports.charts.ranges import ranges
from bettercare.reports.charts.week_of_hours import DAYS, week_of_hours
from bettercare.reports.exhibit import Chart, Column, Document, Exhibit, Headline, Section, Table
from bettercare.reports.flow.answers import Answer, answers, between, hours, main_clock, share, written
from bettercare.reports.flow.escalations import rules_table
from bettercare.reports.flow.evidence import assumed_in_words, basis_section, rows_of
from bettercare.reports.flow.network_frames import flows_frame, known, stations_frame
from bettercare.reports.words import plural, sentence

WIDE, NARROW = 1000.0, 358.0
"""Widths at which charts are drawn for a page and for a telephone."""
_WEEKS = 4
NOTABLE = 0.05
"""Share of hours from which an escalation is worth a word at the top."""
SIMULATED = "Simulated, not measured."

Row = dict[str, Any]


def run_report(result: Result, scenario: Scenario | None = None) -> Document:
    """The report of a run.

    Args:
        scenario: the one the run was made under, when there was one.
    """
    network = result.network
    flows = flows_frame(result)
    stations = stations_frame(result, flows)
    found = answers(network)
    made = (
        _network(result, stations, flows),
        _times(result),
        _waits(result),
        _held(result),
        _escalations(result),
        _week(result, stations),
        _day(result, stations, flows),
        _months(result),
        _outcomes(result),
        basis_section(network, scenario),
        _reading(result),
    )
    return Document(
        title=network.title + (f": {scenario.title}" if scenario else ""),
        place=f"{SIMULATED} {place_of(result)}" + (f" · scenario: {scenario.title}" if scenario else ""),
        verdict=verdict_of(result, found),
        headlines=headlines_of(result, found),
        sections=tuple(section for section in made if not section.empty),
        dated=result.started.date(),
        footer=(network.summary, made_by()),
    )


def made_by() -> str:
    """The last line of a report."""
    return f"Made by bettercare {bettercare.__version__}."


def place_of(result: Result) -> str:
    """What was run, in a line."""
    days = round(result.hours / 24)
    pairs = ", in mirrored pairs" if result.antithetic else ""
    return f"{plural(result.replications, 'run')} of {plural(days, 'day')} from {result.started.day} {result.started:%B %Y}{pairs} · seed {result.seed}"


def verdict_of(result: Result, found: Sequence[Answer]) -> str:
    """The answer in a sentence or two: the first figure with its interval, then the others, and how much is assumed."""
    parts = []
    for number, answer in enumerate(found[:5]):
        value = answer.estimate(result)
        if math.isfinite(value.mean):
            interval = f" ({between(value, answer.write)})" if number == 0 else ""
            parts.append(f"{lowered(answer.title) if number else answer.title}, {answer.write(value.mean)}{interval}")
    said = sentence("; ".join(parts)) if parts else "Nothing was there to measure."
    hardest = _hardest(_escalated(result))
    if hardest and hardest.worst >= NOTABLE:
        said += f" Escalation: {hardest.in_words}."
    return f"{said} Of this model, {assumed_in_words(rows_of(result.network))}."


def lowered(text: str) -> str:
    """A title within a sentence; abbreviations stay as they are."""
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def headlines_of(result: Result, found: Sequence[Answer]) -> tuple[Headline, ...]:
    """The figures on the first screen."""
    heads = []
    for answer in found:
        value = answer.estimate(result)
        heads.append(Headline(answer.title, written(value, answer.write), sentence(between(value, answer.write))))
    return tuple(heads[:6])


def chart(draw: Callable[[float], str]) -> Chart:
    """A picture at both widths."""
    return Chart(draw(WIDE), draw(NARROW))


# --- sections ---------------------------------------------------------------------------------------------------------------


def _network(result: Result, stations: pl.DataFrame, flows: pl.DataFrame) -> Section:
    titles = dict(stations.select("station", "title").iter_rows())
    fullest = stations.filter(pl.col("occupancy").is_not_null()).sort("occupancy", "station", descending=[True, False])
    message = (
        f"{fullest['title'][0]}: {share(fullest['occupancy'][0])} of places in use, the fullest of {plural(stations.height, 'station')}."
        if fullest.height
        else f"{plural(stations.height, 'station')}, none of them with a limit."
    )
    rows = [{"from": titles[before], "to": titles[after], "per_day": flow} for before, after, flow in flows.iter_rows()]
    drawing = Exhibit(
        "flow-network",
        message,
        Table(
            (Column("from", "From"), Column("to", "To"), Column("per_day", "Patients a day", "plain")),
            [_rounded(row) for row in rows],
        ),
        chart(lambda width: network_drawing(stations, flows, width, f"The network of care. {message}")),
        note=f"Means over the run. Columns run from those who arrive to those who have been to most stations; ways that fewer than {LEAST:g} patients a day take are not drawn. "
        "Short arrows at the left are patients who come from outside, at the right those who leave. How many take each way is worked out from its "
        "probability and those who left the station.",
        sheet="Flows",
    )
    return Section("network", "The network", "", (drawing,))


def _times(result: Result) -> Section:
    rows: list[Row] = []
    for clock in result.network.clocks:
        base: Row = {"clock": clock.title, "patients": result.estimate("patients", clock.id).mean}
        base |= {name: known(result.estimate(name, clock.id).mean) for name in ("mean", "q50", "q90", "q95")}
        for target in clock.targets or (None,):
            row = dict(base)
            if target is not None:
                value = result.estimate(f"within-{hours_text(target)}", clock.id)
                row |= {
                    "target": target_in_words(target),
                    "within": _percent(value.mean),
                    "low": _percent(max(value.low, 0.0)),
                    "high": _percent(min(value.high, 1.0)),
                }
            rows.append(_rounded(row))
    if not rows:
        return Section("times", "How long patients take")
    columns = (
        Column("clock", "Time"), Column("target", "Target"), Column("within", "Within it", "percent"), Column("low", "Interval from", "percent"),
        Column("high", "Interval to", "percent"), Column("patients", "Patients", "count"), Column("mean", "Mean", "plain", "hours"),
        Column("q50", "Median", "plain", "hours"), Column("q90", "Nine in ten", "plain", "hours"), Column("q95", "19 in 20", "plain", "hours"),
    )  # fmt: skip
    main = main_clock(result.network)
    message = "Nobody's time was measured against a target."
    if main:
        value = result.estimate(f"within-{hours_text(main[1])}", main[0].id)
        message = f"{main[0].title}: {written(value, share)} within {target_in_words(main[1])}."
    return Section(
        "times", "How long patients take", "Times are in hours, from coming to any of the stations of a clock until leaving them all: waits and being held included.",
        (Exhibit("flow-times", message, Table(columns, rows), sheet="Times"),),
    )  # fmt: skip


def _waits(result: Result) -> Section:
    days, rows = result.hours / 24, []
    for station in result.network.stations:
        mean = {
            name: known(result.estimate(name, station.id).mean)
            for name in (
                "arrivals",
                "wait",
                "wait-q50",
                "wait-q90",
                "wait-q95",
                "stay",
                "waiting",
                "occupied",
                "servers",
                "occupancy",
                "full",
            )
        }
        row: Row = {"station": station.title, "per_day": (mean.pop("arrivals") or 0.0) / days, **mean}
        row["occupancy"], row["full"] = (
            None if row[name] is None else 100 * row[name] for name in ("occupancy", "full")
        )
        rows.append(_rounded(row))
    waited = [row for row in rows if row["wait"]]
    worst = max(waited, key=lambda row: row["waiting"], default=None)
    message = (
        f"Most wait for {worst['station']}: {count(worst['waiting'])} at any time, {hours(worst['wait'])} each on average."
        if worst
        else "Nobody waits in a line."
    )
    columns = (
        Column("station", "Station"), Column("per_day", "Patients a day", "plain"), Column("wait", "Mean wait", "plain", "hours"),
        Column("wait-q50", "Median wait", "plain", "hours"), Column("wait-q90", "Nine in ten wait less than", "plain", "hours"),
        Column("wait-q95", "19 in 20 wait less than", "plain", "hours"), Column("waiting", "Waiting at any time", "plain"),
        Column("stay", "Mean stay", "plain", "hours"), Column("occupied", "Places in use", "plain"), Column("servers", "Places", "plain"),
        Column("occupancy", "Occupancy", "percent"), Column("full", "Hours without a free place", "percent"),
    )  # fmt: skip
    return Section(
        "waits", "Where patients wait", "Times are in hours. A wait is from coming until having a place; a stay from then until leaving it. No figure of places stands where there is no limit.",
        (Exhibit("flow-waits", message, Table(columns, rows), sheet="Waits and stays"),),
    )  # fmt: skip


def _held(result: Result) -> Section:
    rows = []
    for station in result.network.stations:
        if station.holds or station.leaves_on:
            values = result.values("blocked", station.id)
            rows.append(
                _rounded(
                    {
                        "station": station.title, "blocked": float(values.mean()), "p10": float(np.quantile(values, 0.1)), "p90": float(np.quantile(values, 0.9)),
                        "held": result.estimate("held", station.id).mean, "days": result.estimate("blocked-days", station.id).mean,
                        "discharge": result.estimate("discharge-days", station.id).mean,
                    }
                )
            )  # fmt: skip
    if not rows:
        return Section("held", "Where patients are held")
    rows.sort(key=lambda row: (-float(row["blocked"]), str(row["station"])))
    most = rows[0]
    message = (
        f"Most are held in {most['station']}: {count(float(most['blocked']))} at any time."
        if float(most["blocked"]) > 0
        else "Nobody is held for want of a next place."
    )
    columns = (
        Column("station", "Station"), Column("blocked", "Held at any time", "plain"), Column("p10", "p10", "plain"), Column("p90", "p90", "plain"),
        Column("held", "Patients held", "count"), Column("days", "Days held", "count"), Column("discharge", "Days waiting for a discharge time", "count"),
    )  # fmt: skip
    shown = [row for row in rows if float(row["blocked"]) >= 0.005][:14]
    for_what = _held_for(result)
    picture = None
    if shown:
        frame = pl.DataFrame(
            [
                {"label": row["station"], "expected": row["blocked"], "p10": row["p10"], "p90": row["p90"]}
                for row in shown
            ]
        )
        picture = chart(lambda width: ranges(frame, count, width, message, {"expected": "Held at any time"}))
    return Section(
        "held", "Where patients are held",
        "Ambulances that wait to hand over, patients who wait for a bed in the emergency department, and delayed transfers of care are one thing: patients who are done and keep their place because the next has no room.",
        (
            Exhibit(
                "flow-held", message, Table(columns, rows), picture, sheet="Held",
                note="p10 to p90: how one run differs from another. Days waiting for a discharge time are no delay for want of a place: they come from when in the day and the week patients leave.",
            ),
            *((for_what,) if for_what else ()),
        ),
    )  # fmt: skip


def _held_for(result: Result) -> Exhibit | None:
    """What patients who were held waited for; None where nobody was."""
    values = {station.title: result.values("held-for-days", station.id) for station in result.network.stations}
    total = sum(float(one.mean()) for one in values.values())
    rows = [
        _rounded(
            {
                "station": title, "days": float(one.mean()), "share": 100 * float(one.mean()) / total,
                "p10": float(np.quantile(one, 0.1)), "p90": float(np.quantile(one, 0.9)),
            }
        )
        for title, one in sorted(values.items(), key=lambda item: -float(item[1].mean())) if one.mean() >= 0.05
    ]  # fmt: skip
    if not rows:
        return None
    columns = (
        Column("station", "Held for a place at"), Column("days", "Days", "count"), Column("share", "Share", "percent"),
        Column("p10", "p10", "count"), Column("p90", "p90", "count"),
    )  # fmt: skip
    message = f"Most days are lost waiting for {rows[0]['station']}: {share(float(rows[0]['share']) / 100)} of them."
    return Exhibit(
        "flow-held-for", message, Table(columns, rows), sheet="Held for",
        note="Each patient's days count when they move; where several places would have done, at the one that took them.",
    )  # fmt: skip


@dataclass(frozen=True)
class _Escalated:
    """How long an escalation was on: as a share of all hours, and of those of the month when it was on longest."""

    row: Escalation
    on: float
    month: str
    worst: float

    @property
    def in_words(self) -> str:
        most = f", {share(self.worst)} in {self.month}" if self.worst > self.on else ""
        return f"{self.row.title} on for {share(self.on)} of the hours{most}"


def _escalated(result: Result) -> list[_Escalated]:
    found = []
    for row in result.network.escalations:
        worst, month = max(
            (result.estimate("escalated", row.id, period=period).mean, -number)
            for number, period in enumerate(result.periods)
        )
        on = result.estimate("escalated", row.id).mean
        found.append(_Escalated(row, on, month_name(result.periods[-month]), worst))
    return found


def _hardest(found: Sequence[_Escalated]) -> _Escalated | None:
    """The escalation that was on longest in any month, where there is any."""
    return max(found, key=lambda one: one.worst, default=None)


def _escalations(result: Result) -> Section:
    found = _escalated(result)
    hardest = _hardest(found)
    if hardest is None:
        return Section("escalation", "Escalation")
    rows = []
    for one in found:
        value = result.estimate("escalated", one.row.id)
        rows.append(
            {
                "title": one.row.title, "on": _percent(one.on), "p05": _percent(value.p05), "p95": _percent(value.p95),
                "times": round(result.estimate("escalations", one.row.id).mean, 2), "month": one.month if one.worst else None,
                "worst": _percent(one.worst) if one.worst else None,
            }
        )  # fmt: skip
    columns = (
        Column("title", "Escalation"), Column("on", "Share of hours on", "percent"), Column("p05", "p05", "percent"), Column("p95", "p95", "percent"),
        Column("times", f"Times begun in {plural(round(result.hours / 24), 'day')}", "count"), Column("month", "Longest in"),
        Column("worst", "Share of its hours", "percent"),
    )  # fmt: skip
    message = f"{hardest.in_words}." if hardest.on else f"None of {plural(len(found), 'escalation')} was ever on."
    return Section(
        "escalation", "Escalation", "",
        (
            Exhibit(
                "flow-escalation", message, Table(columns, rows), sheet="Escalation",
                note="Means over the runs. p05 to p95: nine in ten runs lie between. Extra places count as places while they are open, in every figure of places and occupancy.",
            ),
            rules_table(result.network),
        ),
    )  # fmt: skip


def _week(result: Result, stations: pl.DataFrame) -> Section:
    hourly = result.by_hour()
    exhibits = []
    for ident in _telling(stations, hourly):
        station = result.network.station(ident)
        frame = hourly.filter(pl.col("station") == ident)
        most = frame.sort(
            "waiting" if frame["waiting"].max() else "occupied", "hour_of_week", descending=[True, False]
        ).row(0, named=True)
        when = f"{DAYS[most['hour_of_week'] // 24]} at {most['hour_of_week'] % 24:02d}:00"
        crowd = (
            f"most wait on {when}, {count(most['waiting'])}"
            if most["waiting"] >= 0.05
            else f"fullest on {when}, {count(most['occupied'])} there"
        )
        message = f"{station.title}: {crowd} on average."
        rows = [
            _rounded({"hour": f"{DAYS[row['hour_of_week'] // 24]} {row['hour_of_week'] % 24:02d}:00", **{name: known(row[name]) for name in ("servers", "occupied", "waiting", "blocked")}})
            for row in frame.iter_rows(named=True)
        ]  # fmt: skip
        columns = (
            Column("hour", "Hour"), Column("servers", "Places open", "plain"), Column("occupied", "In use", "plain"), Column("waiting", "Waiting", "plain"),
            Column("blocked", "Held", "plain"),
        )  # fmt: skip
        exhibits.append(
            Exhibit(
                f"flow-week-{ident}", message, Table(columns, rows),
                chart(lambda width, frame=frame, message=message: week_of_hours(frame, width, message)),  # type: ignore[misc]
                sheet=f"Week {station.title}", folded=True,
            )
        )  # fmt: skip
    return Section(
        "week",
        "The week",
        "Means at the turn of each hour. The stations with most waiting, most held and the most uneven days are shown.",
        tuple(exhibits),
    )


def _telling(stations: pl.DataFrame, hourly: pl.DataFrame) -> list[str]:
    """The stations whose week says most: where most wait, where most are held, and where the hours differ most."""
    limited = stations.filter(pl.col("servers").is_not_null() & (pl.col("servers") > 0))
    swing = (
        hourly.filter(pl.col("servers").is_not_nan() & (pl.col("servers") > 0)).group_by("station")
        .agg(((pl.col("occupied") / pl.col("servers")).max() - (pl.col("occupied") / pl.col("servers")).min()).alias("swing"))
        .sort("swing", "station", descending=[True, False])
    )  # fmt: skip
    waiting = (
        limited.filter(pl.col("waiting") >= 0.05)
        .sort("waiting", "station", descending=[True, False])["station"]
        .to_list()
    )
    held = (
        limited.filter(pl.col("blocked") >= 0.05)
        .sort("blocked", "station", descending=[True, False])["station"]
        .to_list()
    )
    turns = [waiting, held, swing["station"].to_list()]
    found: dict[str, None] = {}
    for place in range(max(map(len, turns), default=0)):
        for candidates in turns:
            if place < len(candidates) and len(found) < _WEEKS:
                found.setdefault(candidates[place])
    return list(found)


def _day(result: Result, stations: pl.DataFrame, flows: pl.DataFrame) -> Section:
    hourly = result.by_hour().with_columns(day=pl.col("hour_of_week") // 24, hour=pl.col("hour_of_week") % 24)
    kept = (
        hourly.group_by("day")
        .agg((pl.col("waiting") + pl.col("blocked")).sum().alias("kept"))
        .sort("kept", "day", descending=[True, False])
    )
    number = int(kept["day"][0])
    frame = hourly.filter(pl.col("day") == number)
    message = f"{DAYS[number]} is the day on which most wait or are held."
    titles = dict(stations.select("station", "title").iter_rows())
    rows = []
    for ident, title in titles.items():
        found = frame.filter(pl.col("station") == ident).sort("hour")
        rows.append(
            {"station": title} | {f"h{hour}": round(value, 1) for hour, value in enumerate(found["occupied"].to_list())}
        )
    columns = (
        Column("station", "Patients there at"),
        *(Column(f"h{hour}", f"{hour:02d}:00", "plain") for hour in range(24)),
    )
    picture = Chart(
        a_day(stations, flows, frame, WIDE, f"A {DAYS[number]} in the network, hour by hour.", "day_wide"),
        a_day(stations, flows, frame, NARROW, f"A {DAYS[number]} in the network, hour by hour.", "day_narrow"),
    )
    return Section(
        "day", "A day", "",
        (
            Exhibit(
                "flow-day", message, Table(columns, rows), picture, sheet="A day", folded=True,
                note="Means at the turn of each hour. Nothing moves until Play is pressed; each hour can be shown by itself, and stands in the table. On paper it is noon.",
            ),
        ),
    )  # fmt: skip


def _months(result: Result) -> Section:
    main, network = main_clock(result.network), result.network
    if len(result.periods) < 2 or main is None:
        return Section("months", "Month by month")
    clock, target = main
    name = f"within-{hours_text(target)}"
    # The first target of a month is the one shown; calibration has them all.
    seen = {
        one.period: one.value
        for one in reversed(network.targets)
        if (one.measure, one.of, one.patient) == (name, clock.id, "all")
    }
    rows: list[Row] = []
    for period in result.periods:
        values = result.values(name, clock.id, period=period)
        value = result.estimate(name, clock.id, period=period)
        if not math.isfinite(value.mean):
            continue
        rows.append(
            {
                "month": month_name(period), "label": month_name(period), "patients": round(result.estimate("patients", clock.id, period=period).mean),
                "now": seen.get(period), "expected": value.mean, "p10": float(np.nanquantile(values, 0.1)), "p90": float(np.nanquantile(values, 0.9)),
            }
        )  # fmt: skip
    if len(rows) < 2:
        return Section("months", "Month by month")
    worst = min(rows, key=lambda row: float(row["expected"]))
    message = (
        f"{worst['month']} is the hardest month: {share(float(worst['expected']))} within {target_in_words(target)}."
    )
    frame = pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col("now").cast(pl.Float64))
    names = ({"now": "Seen"} if seen else {}) | {"expected": "Simulated"}
    if not seen:
        frame = frame.drop("now")
    columns = (
        Column("month", "Month"), Column("patients", "Patients", "count"), *([Column("now", "Seen", "percent")] if seen else []),
        Column("expected", "Simulated", "percent"), Column("p10", "p10", "percent"), Column("p90", "p90", "percent"),
    )  # fmt: skip
    shown = [
        {key: _percent(value) if key in ("now", "expected", "p10", "p90") else value for key, value in row.items()}
        for row in rows
    ]
    return Section(
        "months", "Month by month", "",
        (
            Exhibit(
                "flow-months", message, Table(columns, [_rounded(row) for row in shown]), chart(lambda width: ranges(frame, share, width, message, names, zero=False)),
                note=f"{clock.title}. Seen: what the network is calibrated to or checked against, where it is known.", sheet="Months",
            ),
        ),
    )  # fmt: skip


def _outcomes(result: Result) -> Section:
    titles = {outcome.id: outcome.title for outcome in result.network.outcomes} | {
        "turned-away": "Found no room to wait"
    }
    days = result.hours / 24
    rows = []
    for ident in dict.fromkeys([outcome.id for outcome in result.network.outcomes] + ["turned-away"]):
        value = result.estimate("left", ident)
        if value.mean > 0:
            rows.append(
                _rounded(
                    {
                        "outcome": titles[ident],
                        "patients": value.mean,
                        "low": known(value.low),
                        "high": known(value.high),
                        "per_day": value.mean / days,
                    }
                )
            )
    rows.sort(key=lambda row: -float(row["patients"]))
    if not rows:
        return Section("outcomes", "How patients leave")
    gave_up = sum(result.estimate("gave-up", station.id).mean for station in result.network.stations)
    tail = f" {count(gave_up)} gave up waiting somewhere." if gave_up >= 0.5 else ""
    columns = (
        Column("outcome", "Outcome"), Column("patients", "Patients", "count"), Column("low", "Interval from", "count"), Column("high", "Interval to", "count"),
        Column("per_day", "A day", "plain"),
    )  # fmt: skip
    message = f"Most leave by: {lowered(str(rows[0]['outcome']))}, {count(float(rows[0]['patients']))} patients.{tail}"
    return Section(
        "outcomes",
        "How patients leave",
        "",
        (Exhibit("flow-outcomes", message, Table(columns, rows), sheet="Outcomes"),),
    )


def _reading(result: Result) -> Section:
    return Section("reading", "How to read this", reading_of(result.replications))


def reading_of(replications: int) -> str:
    """What the numbers beside a mean say."""
    return (
        f"The network was simulated {plural(replications, 'time')}, each with other luck. A figure is the mean of those runs. Its 95% interval says how well that mean is known: "
        "more runs make it narrower. p10 to p90, or p05 to p95, say how one run differs from another: more runs leave that as wide as it is, since it is the luck of a year. "
        "Neither holds what is wrong with the model: its assumptions are listed above."
    )


def month_name(period: str) -> str:
    """
    >>> month_name("2016-04")
    'April 2016'
    """
    return f"{date.fromisoformat(f'{period}-01'):%B %Y}"


def _percent(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(100 * value, 2)


def _rounded(row: Row) -> Row:
    """Numbers with the digits a reader can use; what is not a number is nothing."""
    return {key: _short(value) if isinstance(value, float) else value for key, value in row.items()}


def _short(value: float) -> float | None:
    if not math.isfinite(value):
        return None
    return round(value, 0 if abs(value) >= 1000 else 1 if abs(value) >= 100 else 2)
