"""Does the network reproduce what was seen: each target before and after calibration, those held out, and where the knobs ended."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import bettercare
from bettercare.flow.calibrate import Calibration, Residual
from bettercare.flow.measures import measure
from bettercare.flow.result import ALL
from bettercare.reports.amounts import count, plain
from bettercare.reports.charts.residuals import Residual as Drawn
from bettercare.reports.charts.residuals import residuals
from bettercare.reports.exhibit import Column, Document, Exhibit, Headline, Section, Table
from bettercare.reports.flow.answers import hours, share
from bettercare.reports.flow.evidence import basis_section
from bettercare.reports.flow.run_report import SIMULATED, chart, lowered
from bettercare.reports.words import plural, sentence

_HELD_OUT = (
    "These targets were not used by the search. Whoever made the network may have set other figures of it by hand with these in view, "
    "and then agreement says less: the network's summary and notes tell, as far as they are written."
)


def calibration_report(found: Calibration) -> Document:
    """The report of a calibration."""
    network = found.network
    fitted = [one for one in found.residuals if not one.target.held_out]
    held = [one for one in found.residuals if one.target.held_out]
    made = (
        _targets("fitted", "What was fitted", "These targets were used to turn the knobs.", fitted),
        _targets("held-out", "What was held out", _HELD_OUT, held),
        _knobs(found),
        _unmet(found),
        basis_section(network),
        Section(
            "reading", "How to read this",
            f"Before and after are means of {plural(found.replications, 'run')} with other luck than the search had ({plural(found.runs, 'try', 'tries')} of {plural(found.fitted_with, 'run')} each). "
            "A target agrees when the mean lies within its tolerance. That it agrees does not make the knobs true: other values may fit as well, and a knob takes the blame for whatever else is wrong.",
        ),
    )  # fmt: skip
    return Document(
        title=f"{network.title}: calibration",
        place=f"{SIMULATED} {plural(found.replications, 'run')} before and after · {plural(len(found.settings), 'knob')}",
        verdict=_verdict(found, fitted, held),
        headlines=_headlines(found, fitted, held),
        sections=tuple(section for section in made if not section.empty),
        dated=network.starts,
        footer=(network.summary, f"Made by bettercare {bettercare.__version__}."),
    )


def writer(name: str) -> Callable[[float], str]:
    """How amounts of a measure are written."""
    unit = measure(name).unit
    return {"share": share, "hours": hours}.get(unit, count)


def _agreeing(rows: Sequence[Residual]) -> int:
    return sum(row.agrees for row in rows)


def _verdict(found: Calibration, fitted: Sequence[Residual], held: Sequence[Residual]) -> str:
    said = f"The network reproduces {_agreeing(fitted)} of the {plural(len(fitted), 'target')} it was fitted to"
    said += (
        f", and {_agreeing(held)} of the {len(held)} not used by the search."
        if held
        else "; none was held out to check it."
    )
    before, after = found.misfit
    turned = max((abs(one.after - one.before) / (one.knob.high - one.knob.low) for one in found.settings), default=0.0)
    if after >= before and turned:
        said += (
            f" What the search gained is not seen in the check, which has other luck than the search had: the misfit is {before:.3g} before and {after:.3g} after. "
            f"No knob moved by more than {share(turned)} of the way between its limits. More replications would tell a gain from luck."
        )
    elif after >= before:
        said += " The search found nothing better than where it began: more replications would make its slopes better known."
    worst = max(
        (row for row in found.residuals if not row.agrees and math.isfinite(row.difference)), key=_missed, default=None
    )
    if worst is None:
        return said
    write = writer(worst.target.measure)
    return f"{said} It is furthest from: {lowered(worst.target.title)}, {write(worst.after.mean)} where {write(worst.target.value)} was seen."


def _missed(row: Residual) -> float:
    """By how many tolerances a target is missed."""
    return abs(row.difference) / max(row.target.tolerance * abs(row.target.value), 1e-12)


def _headlines(found: Calibration, fitted: Sequence[Residual], held: Sequence[Residual]) -> tuple[Headline, ...]:
    before, after = found.misfit
    heads = [
        Headline(
            "Fitted targets that agree",
            f"{_agreeing(fitted)} of {len(fitted)}",
            "within their tolerances, after calibration.",
        )
    ]
    if held:
        heads.append(
            Headline("Held-out targets that agree", f"{_agreeing(held)} of {len(held)}", "not used by the search.")
        )
    if math.isfinite(before) and math.isfinite(after):
        heads.append(
            Headline(
                "Misfit",
                f"{before:.3g} → {after:.3g}",
                "mean square of (modelled less seen) over tolerance; under 1, targets are met on the whole.",
            )
        )
    stuck = sum(setting.at_limit for setting in found.settings)
    heads.append(Headline("Knobs at a limit", f"{stuck} of {len(found.settings)}", "might have been turned further."))
    return tuple(heads)


def _targets(ident: str, title: str, lead: str, rows: Sequence[Residual]) -> Section:
    if not rows:
        return Section(ident, title)
    drawn = [_drawn(row) for row in rows]
    message = f"{_agreeing(rows)} of {plural(len(rows), 'target')} within tolerance."
    columns = (
        Column("title", "Target"), Column("period", "Period"), Column("seen", "Seen"), Column("before", "Before"), Column("after", "After"),
        Column("low", "Interval from"), Column("high", "Interval to"), Column("tolerance", "Tolerance", "percent"), Column("agrees", "Agrees"),
        Column("basis", "Basis"), Column("source", "Source"), Column("where", "Where"), Column("note", "Note"),
    )  # fmt: skip
    table = [_row(row) for row in rows]
    picture = chart(lambda width: residuals(drawn, width, f"{title}. {message}"))
    return Section(
        ident, title, lead, (Exhibit(f"flow-{ident}", message, Table(columns, table), picture, sheet=title),)
    )


def _drawn(row: Residual) -> Drawn:
    write, target = writer(row.target.measure), row.target
    modelled = write(row.after.mean) if math.isfinite(row.after.mean) else "–"
    return Drawn(
        target.title, target.value, row.after.mean, row.after.low, row.after.high, target.tolerance, write(target.value), modelled, target.held_out
    )  # fmt: skip


def _row(row: Residual) -> dict[str, str | float]:
    write, target = writer(row.target.measure), row.target

    def written(value: float) -> str:
        return write(value) if math.isfinite(value) else ""

    return {
        "title": target.title, "period": "" if target.period == ALL else target.period, "seen": write(target.value), "before": written(row.before.mean),
        "after": written(row.after.mean), "low": written(row.after.low), "high": written(row.after.high), "tolerance": round(100 * target.tolerance, 2),
        "agrees": "yes" if row.agrees else "no", "basis": target.evidence.basis, "source": target.evidence.source, "where": target.evidence.where,
        "note": target.evidence.note,
    }  # fmt: skip


def _knobs(found: Calibration) -> Section:
    rows = [
        {
            "title": one.knob.title, "how": "set to" if one.knob.change.to is not None else "times", "before": plain(one.before), "after": plain(round(one.after, 4)),
            "low": plain(one.knob.low), "high": plain(one.knob.high), "limit": "yes" if one.at_limit else "no", "note": one.knob.evidence.note,
        }
        for one in found.settings
    ]  # fmt: skip
    columns = (
        Column("title", "Knob"), Column("how", "How it works"), Column("before", "Before"), Column("after", "After"), Column("low", "Lowest"),
        Column("high", "Highest"), Column("limit", "At a limit"), Column("note", "Reason or note"),
    )  # fmt: skip
    most = max(
        found.settings,
        key=lambda one: abs(math.log(one.after / one.before)) if one.before > 0 and one.after > 0 else 0.0,
    )
    message = sentence(f"Turned most: {most.knob.title}, from {plain(most.before)} to {plain(round(most.after, 4))}")
    return Section(
        "knobs", "Where the knobs ended", "A knob stands for what the sources do not say. It never leaves its limits.",
        (Exhibit("flow-knobs", message, Table(columns, rows), sheet="Knobs"),),
    )  # fmt: skip


def _unmet(found: Calibration) -> Section:
    if not found.unmet:
        return Section("unmet", "What was not met")
    table = Table((Column("text", "Target"),), [{"text": text} for text in found.unmet])
    message = f"{plural(len(found.unmet), 'target')} not met by what was found."
    return Section("unmet", "What was not met", "", (Exhibit("flow-unmet", message, table, sheet="Not met"),))
