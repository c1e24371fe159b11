"""The next hours from now: which units run out of places, how full each is likely to be, and what each decision changes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl

from bettercare.flow.forecast import NOW_AS_IT_IS, Forecast
from bettercare.flow.network import Network
from bettercare.flow.now import Now, occupancy_now
from bettercare.reports.amounts import chance, count, signed
from bettercare.reports.charts.hours_fan import Decision, hours_fan
from bettercare.reports.exhibit import Column, Document, Exhibit, Headline, Section, Table
from bettercare.reports.flow.answers import BEDS
from bettercare.reports.flow.escalations import rules_table
from bettercare.reports.flow.evidence import basis_section
from bettercare.reports.flow.run_report import chart, lowered, made_by
from bettercare.reports.words import listed, plural, sentence

_FANS = 6
_DOUBTS = 3
_EMPTY = 0.25
"""Share of stations with nobody above which a snapshot is taken to leave some out."""
_WHAT = {"occupied": "in its places", "waiting": "waiting for it", "blocked": "held there for a next place"}
INVENTED = "Synthetic: the state now is invented. It was taken from a simulated run, so this shows what a forecast looks like and says nothing about any real day."
"""What stands over a forecast from an invented state."""


def forecast_report(forecast: Forecast, synthetic: bool = False, warnings: tuple[str, ...] = ()) -> Document:
    """The report of a forecast.

    Args:
        synthetic: the state now is invented; said before all else, and stamped on every chart.
        warnings: what to know of the snapshot and the arrivals, beside their own.
    """
    now, network = forecast.now, forecast.network
    full = forecast.first_full()
    risks = _at_risk(forecast, full)
    moment = f"{now.at:%H:%M} on {now.at:%A} {now.at.day} {now.at:%B %Y}"
    doubts = tuple(dict.fromkeys((*warnings, *now.warnings, *forecast.arrivals.warnings)))
    made = (
        _running_out(forecast, full, risks),
        _escalations(forecast),
        _fans(forecast, risks, synthetic),
        _decisions(forecast),
        _now(forecast),
        _arrivals(forecast),
        Section("doubts", "What to know of the snapshot", "", (Exhibit("flow-doubts", f"{plural(len(doubts), 'thing')} to know.", Table((Column("text", "What"),), [{"text": one} for one in doubts])),)) if doubts else Section("doubts", "What to know of the snapshot"),
        basis_section(network),
        Section(
            "reading", "How to read this",
            f"The next {forecast.hours} hours were simulated {plural(forecast.replications, 'time')} from the same patients in the same places. A chance of 30% means that three in ten of those futures had no free place. "
            "In nine of ten futures the number lies between p05 and p95, if the model and the snapshot are right. Decisions meet the same futures, so their differences are known better than the futures themselves.",
        ),
    )  # fmt: skip
    return Document(
        title=f"{network.title}: the next {forecast.hours} hours",
        place=f"From {moment} · {plural(forecast.replications, 'future')} · seed {forecast.seed}",
        verdict=" ".join((_verdict(forecast, risks), *_doubted(tuple(dict.fromkeys((*warnings, *now.warnings)))))),
        headlines=_headlines(forecast, risks),
        sections=tuple(section for section in made if not section.empty),
        banner=INVENTED if synthetic else "",
        dated=now.at.date(),
        footer=(network.summary, made_by()),
    )


def unknown_at(now: Now, network: Network) -> tuple[str, ...]:
    """What to know of a state that has nobody at so many stations that some are likely not known."""
    frame = occupancy_now(now, network)
    empty = frame.filter(pl.col("in_service") + pl.col("ready") + pl.col("waiting") == 0).height
    if empty == frame.height or empty <= _EMPTY * frame.height:
        return ()
    return (
        f"Nobody is known at {empty} of {frame.height} stations: a forecast begins with them empty, so it says little of them and of those they fill.",
    )


def _doubted(warnings: Sequence[str]) -> list[str]:
    """What to know of the state, as it stands beside the verdict."""
    more = len(warnings) - _DOUBTS
    return [*warnings[:_DOUBTS], *([f"{plural(more, 'more thing')} to know below."] if more > 0 else [])]


def _at_risk(forecast: Forecast, full: pl.DataFrame) -> list[dict[str, Any]]:
    """Units as they are, those likeliest to run out first, with ``hours`` (how many, on average).

    Only hospital beds where there are any: a clinic is full for an hour of every day, and a service that is always full runs out of nothing.
    """
    kinds = {station.id: station.kind for station in forecast.network.stations}
    lost = hours_full(forecast)
    rows = [
        row | {"hours": lost.get((NOW_AS_IT_IS, row["station"]), 0.0)}
        for row in full.iter_rows(named=True)
        if row["decision"] == NOW_AS_IT_IS
    ]
    beds = [row for row in rows if kinds[row["station"]] in BEDS]
    return sorted(beds or rows, key=lambda row: (-row["chance"], -row["hours"], row["station"]))


def hours_full(forecast: Forecast) -> dict[tuple[str, str], float]:
    """Hours with no free place, on average, by decision and station."""
    frame = forecast.runs_out()
    if frame.is_empty():
        return {}
    summed = frame.group_by("decision", "station").agg(pl.col("chance").sum())
    return {(decision, station): hours for decision, station, hours in summed.iter_rows()}


def _when(forecast: Forecast, hour: float | None) -> str:
    if hour is None or not math.isfinite(hour):
        return "–"
    at = forecast.times[0] + timedelta(hours=round(hour) - 1)
    return f"{at:%a %H:%M}"


def _verdict(forecast: Forecast, risks: list[dict[str, Any]]) -> str:
    likely = [row for row in risks if row["chance"] >= 0.5]
    if not risks:
        return "No unit of this network has a limit, so none can run out."
    if likely:
        names = [f"{row['title']} ({chance(row['chance'])}, {count(row['hours'])} of the hours)" for row in likely[:3]]
        more = [plural(len(likely) - 3, "other")] if len(likely) > 3 else []
        said = f"{_kind(forecast, risks)}s more likely than not to run out of places within {forecast.hours} hours: {listed([*names, *more])}."
    else:
        said = f"No {lowered(_kind(forecast, risks))} is more likely than not to run out of places within {forecast.hours} hours; {risks[0]['title']} comes nearest, with a chance of {chance(risks[0]['chance'])}."
    return f"{said} {_best(forecast, [row['station'] for row in risks])}".strip()


def _best(forecast: Forecast, stations: Sequence[str]) -> str:
    """The decision that leaves fewest hours without a free place, over all these units: one may only move the shortage."""
    if not forecast.decisions:
        return ""
    lost = hours_full(forecast)

    def total(decision: str) -> float:
        return sum(lost.get((decision, station), 0.0) for station in stations)

    before = total(NOW_AS_IT_IS)
    best = min(forecast.decisions, key=lambda one: (total(one.id), one.id))
    if total(best.id) > before - 0.5:
        return " ".join(
            ["No decision leaves clearly fewer hours without a free place over these units.", *_idle(forecast)]
        )
    return sentence(
        f"Of the decisions, {best.title} does most: {count(total(best.id))} hours without a free place over these units, against {count(before)}"
    )


def _idle(forecast: Forecast) -> list[str]:
    """Why places that a decision opens change nothing: a sentence for each unit that would not have run out without them."""
    lost, found = hours_full(forecast), {}
    for change in (change for decision in forecast.decisions for change in decision.changes):
        more = change.what == "servers" and (change.add or 0) > 0
        if more and lost.get((NOW_AS_IT_IS, change.at), math.inf) < 0.5:
            station = forecast.network.station(change.at)
            places = forecast.places[NOW_AS_IT_IS][forecast.network.stations.index(station)]
            free = (places - forecast.samples(change.at).mean(axis=0))[places > 0]
            if free.size:
                found[change.at] = (
                    f"{station.title} already had {count(free.min())} {station.places} free in the fullest hour, on average."
                )
    return list(found.values())


def _kind(forecast: Forecast, risks: list[dict[str, Any]]) -> str:
    """What the units that may run out are called."""
    kinds = {station.id: station.kind for station in forecast.network.stations}
    return "Hospital bed unit" if all(kinds[row["station"]] in BEDS for row in risks) else "Unit"


def _headlines(forecast: Forecast, risks: list[dict[str, Any]]) -> tuple[Headline, ...]:
    return tuple(
        Headline(
            row["title"], chance(row["chance"]),
            f"chance to have no free place at some hour; {count(row['hours'])} of {forecast.hours} hours on average.",
        )
        for row in risks[:6]
    )  # fmt: skip


def _running_out(forecast: Forecast, full: pl.DataFrame, risks: list[dict[str, Any]]) -> Section:
    titles = {NOW_AS_IT_IS: "As it is"} | {one.id: one.title for one in forecast.decisions}
    lost = hours_full(forecast)
    rows: dict[str, dict[str, Any]] = {}
    for row in full.iter_rows(named=True):
        cells = rows.setdefault(row["station"], {"station": row["title"]})
        cells[f"chance:{row['decision']}"] = 100 * row["chance"]
        cells[f"hours:{row['decision']}"] = lost.get((row["decision"], row["station"]), 0.0)
        if row["decision"] == NOW_AS_IT_IS:
            cells |= {"first": _when(forecast, row["first_hour_if"]), "from": _when(forecast, row["at_risk_from"])}
    ordered = sorted(
        rows.values(), key=lambda row: (-row[f"chance:{NOW_AS_IT_IS}"], -row[f"hours:{NOW_AS_IT_IS}"], row["station"])
    )
    for cells in ordered:
        cells.update({key: round(value, 1) for key, value in cells.items() if isinstance(value, float)})
    columns = (
        Column("station", "Unit"), *(Column(f"chance:{ident}", f"Chance: {title[:1].lower()}{title[1:]}", "percent") for ident, title in titles.items()),
        *(Column(f"hours:{ident}", f"Hours full: {title[:1].lower()}{title[1:]}", "plain") for ident, title in titles.items()),
        Column("first", "First time, middle of those that run out"), Column("from", "More likely than not from"),
    )  # fmt: skip
    if not ordered:
        return Section("running-out", "Which units run out")
    sure = sum(row[f"chance:{NOW_AS_IT_IS}"] >= 50 for row in ordered)
    of = f"{sure} of all {plural(len(ordered), 'unit')} with a limit"
    if len(risks) < len(ordered):
        of = f"{sum(row['chance'] >= 0.5 for row in risks)} of {plural(len(risks), 'hospital bed unit')}, and {of},"
    message = f"{of} more likely than not to have no free place at the turn of some hour."
    return Section(
        "running-out",
        "Which units run out",
        "",
        (Exhibit("flow-runs-out", message, Table(columns, ordered), sheet="Running out"),),
    )


def _fans(forecast: Forecast, risks: list[dict[str, Any]], synthetic: bool) -> Section:
    table = forecast.table().filter(pl.col("what") == "occupied")
    places = forecast.runs_out()
    today = {row["station"]: row for row in occupancy_now(forecast.now, forecast.network).iter_rows(named=True)}
    exhibits = []
    touched = {change.at for one in forecast.decisions for change in one.changes}
    # What a decision is about is shown first; then what is likeliest to run out.
    for risk in sorted(risks, key=lambda row: row["station"] not in touched)[:_FANS]:
        ident, title = risk["station"], risk["title"]
        own = table.filter(pl.col("station") == ident)
        base = own.filter(pl.col("decision") == NOW_AS_IT_IS).sort("hour")
        open_ = places.filter((pl.col("station") == ident) & (pl.col("decision") == NOW_AS_IT_IS)).sort("hour")
        frame = base.select("hour", "at", "mean", "p05", "p25", "p50", "p75", "p95").with_columns(
            places=open_["places"].cast(pl.Float64), chance=open_["chance"]
        )
        middles = [
            Decision(one.title, own.filter(pl.col("decision") == one.id).sort("hour")["mean"].to_list())
            for one in forecast.decisions
        ]
        there = float(today[ident]["in_service"] + today[ident]["ready"])
        last = frame.row(-1, named=True)
        message = f"{title}: {count(there)} there now, {count(last['mean'])} after {forecast.hours} hours ({count(last['p05'])} to {count(last['p95'])}), {chance(risk['chance'])} to run out."
        columns = (
            Column("time", "Time"), Column("places", "Places", "count"), *(Column(name, name, "count") for name in ("p05", "p25", "p50", "p75", "p95")),
            Column("mean", "Mean", "plain"), Column("chance", "Chance of no free place", "percent"),
            *(Column(f"d{n}", f"Mean: {one.title}", "plain") for n, one in enumerate(forecast.decisions)),
        )  # fmt: skip
        rows = [
            row | {"time": f"{row['at']:%a %d %b %H:%M}", "mean": round(row["mean"], 1), "chance": None if row["chance"] is None else round(100 * row["chance"], 1)}
            | {f"d{n}": round(one.mean[place], 1) for n, one in enumerate(middles)}
            for place, row in enumerate(frame.iter_rows(named=True))
        ]  # fmt: skip
        draw = _drawing(frame, there, forecast, middles, message, synthetic)
        exhibits.append(
            Exhibit(
                f"flow-fan-{ident}", message, Table(columns, rows), chart(draw), sheet=f"Hours {title}", folded=True
            )
        )
    return Section(
        "fans",
        "Hour by hour",
        "Places in use at the turn of each hour, for the units that decisions are about and those most at risk. Places open are those without decisions.",
        tuple(exhibits),
    )


def _drawing(
    frame: pl.DataFrame, there: float, forecast: Forecast, middles: list[Decision], message: str, synthetic: bool
) -> Any:
    return lambda width: hours_fan(frame, there, forecast.now.at, width, message, middles, synthetic)


def _decisions(forecast: Forecast) -> Section:
    if not forecast.decisions:
        return Section("decisions", "What the decisions change")
    titles = {one.id: one.title for one in forecast.decisions}
    frame = forecast.differences().filter(pl.col("hour") == forecast.hours)
    rows = []
    for row in frame.iter_rows(named=True):
        if abs(row["mean"]) >= 0.05:
            sure = row["low"] > 0 or row["high"] < 0
            rows.append(
                {
                    "decision": titles[row["decision"]], "unit": row["title"], "what": _WHAT[row["what"]], "mean": signed(count(row["mean"])),
                    "low": signed(count(row["low"])), "high": signed(count(row["high"])), "sure": "yes" if sure else "no", "size": abs(row["mean"]),
                }
            )  # fmt: skip
    rows.sort(key=lambda row: (-float(row["size"]), row["decision"], row["unit"]))
    clear = next((row for row in rows if row["sure"] == "yes"), None)
    for row in rows:
        del row["size"]
    columns = (
        Column("decision", "Decision"), Column("unit", "Unit"), Column("what", "Patients"), Column("mean", "Difference"), Column("low", "Interval from"),
        Column("high", "Interval to"), Column("sure", "Clear of chance"),
    )  # fmt: skip
    message = (
        f"After {forecast.hours} hours the greatest difference is of {clear['decision'][:1].lower()}{clear['decision'][1:]}: {clear['unit']}, {clear['mean']} patients {clear['what']}."
        if clear
        else f"After {forecast.hours} hours the decisions make no difference that is clear of chance."
    )
    return Section(
        "decisions",
        "What the decisions change",
        "",
        (
            Exhibit(
                "flow-decisions",
                message,
                Table(columns, rows),
                note=" ".join(_idle(forecast)),
                sheet="Decisions",
                folded=len(rows) > 30,
            ),
        ),
    )


def _now(forecast: Forecast) -> Section:
    frame = occupancy_now(forecast.now, forecast.network)
    rows = [
        {**row, "occupancy": None if row["occupancy"] is None else round(100 * row["occupancy"], 1)}
        for row in frame.iter_rows(named=True)
    ]
    columns = (
        Column("title", "Unit"), Column("servers", "Places", "count"), Column("in_service", "In care", "count"), Column("ready", "Ready to leave", "count"),
        Column("waiting", "Waiting", "count"), Column("free", "Free", "count"), Column("occupancy", "Occupancy", "percent"),
    )  # fmt: skip
    patients = forecast.now.rows.height
    ready = int(frame["ready"].sum())
    message = f"{plural(patients, 'patient')} now, {count(ready)} of them done and waiting to leave."
    return Section("now", "The state now", "", (Exhibit("flow-now", message, Table(columns, rows), sheet="Now"),))


def _arrivals(forecast: Forecast) -> Section:
    paths = forecast.arrivals
    titles = {stream.id: stream.title or stream.id for stream in forecast.network.arrivals}
    frame = paths.table(forecast.network)
    rows = [
        {"stream": titles[row["stream"]], "day": f"{row['day']:%a} {row['day'].day} {row['day']:%b}", "mean": _round(row["mean"]), "p05": _round(row["p05"]), "p95": _round(row["p95"]), "method": row["method"]}
        for row in frame.iter_rows(named=True)
    ]  # fmt: skip
    columns = (
        Column("stream", "Stream"), Column("day", "Day"), Column("mean", "Mean a day", "plain"), Column("p05", "p05", "plain"), Column("p95", "p95", "plain"),
        Column("method", "How"),
    )  # fmt: skip
    known = sum(paths.known)
    message = f"Arrivals of {known} of {plural(len(paths.known), 'stream')} are forecast from history; the others follow the network's own rates."
    return Section(
        "arrivals",
        "Who is yet to come",
        "",
        (Exhibit("flow-arrivals", message, Table(columns, rows), sheet="Arrivals", folded=True),),
    )


def _escalations(forecast: Forecast) -> Section:
    if not forecast.network.escalations:
        return Section("escalation", "Escalation")
    titles = {NOW_AS_IT_IS: "as it is"} | {
        one.id: f"{one.title[:1].lower()}{one.title[1:]}" for one in forecast.decisions
    }
    likely = {ident: found.mean(axis=1) for ident, found in forecast.escalated.items()}
    rows = [
        {"title": row.title} | {f"chance:{ident}": round(100 * float(likely[ident][n]), 1) for ident in titles}
        for n, row in enumerate(forecast.network.escalations)
    ]
    days = plural(forecast.days, "day")
    most = int(np.argmax(likely[NOW_AS_IT_IS]))
    message = f"{rows[most]['title']}: a chance of {chance(float(likely[NOW_AS_IT_IS][most]))} to be on within {days}."
    columns = (
        Column("title", "Escalation"), *(Column(f"chance:{ident}", f"Chance: {title}", "percent") for ident, title in titles.items()),
    )  # fmt: skip
    figures = Exhibit(
        "flow-escalation", message, Table(columns, rows), note=f"The chance to be on at some hour within {days}.", sheet="Escalation"
    )  # fmt: skip
    return Section(
        "escalation", "Escalation",
        "One that has cause to begin now is on from the first turn of the hour; each begins and ends in the futures as it would. Places are the ordinary ones throughout: a unit that has none free may have extra ones open.",
        (figures, rules_table(forecast.network)),
    )  # fmt: skip


def _round(value: float | None) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, 1)
