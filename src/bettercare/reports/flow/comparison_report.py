"""Scenarios of a network beside each other: what each changes, with its interval, and what it rests on."""

from __future__ import annotations

import math
from collections.abc import Iterator

from bettercare.flow import Comparison, Network, Scenario
from bettercare.flow.network import Change, Escalation
from bettercare.flow.result import estimate
from bettercare.reports.amounts import MINUS, plain, signed
from bettercare.reports.charts.residuals import Difference, differences
from bettercare.reports.exhibit import Column, Document, Exhibit, Headline, Section, Table
from bettercare.reports.flow.answers import PUT_OFF, Answer, answers, between, points, share, written
from bettercare.reports.flow.escalations import in_figures, places_called, rules_table
from bettercare.reports.flow.evidence import basis_section, changed_in_words
from bettercare.reports.flow.run_report import NOTABLE, SIMULATED, chart, lowered, made_by, place_of
from bettercare.reports.words import plural, sentence

_SHOWN = 5
"""Scenarios that stand on the first screen."""
_TOLD = 3
"""Escalations that the verdict names."""


def comparison_report(comparison: Comparison) -> Document:
    """The report of a comparison: the first figure answers, the others follow, each as a difference for each scenario."""
    base = comparison.base
    found = _asked(comparison)
    made = (
        Section(
            "differences", "What each scenario changes",
            "Every scenario meets the same patients with the same luck, so that what differs is the scenario. A difference whose interval holds zero cannot be told from chance.",
            tuple(_section(comparison, answer) for answer in found),
        ),
        _stations(comparison),
        _escalations(comparison),
        _changes(comparison),
        basis_section(base.network),
        Section("reading", "How to read this", "A difference is the mean over pairs of runs, the scenario's less the network's as it is. Its 95% interval says how well that mean is known. What a scenario costs, and whether it can be done, is not in it."),
    )  # fmt: skip
    return Document(
        title=f"{base.network.title}: scenarios compared",
        place=f"{SIMULATED} {place_of(base)} for each",
        verdict=_verdict(comparison, found[0]),
        headlines=_headlines(comparison, found[0]),
        sections=tuple(section for section in made if not section.empty),
        dated=base.started.date(),
        footer=(base.network.summary, made_by()),
    )


def _asked(comparison: Comparison) -> list[Answer]:
    """The figures that are compared: all there are, less places where nobody was put off in any of the networks."""
    results = [comparison.base, *(result for _, result in comparison.scenarios)]
    return [
        answer
        for answer in answers(comparison.base.network)
        if not answer.id.startswith(PUT_OFF) or any(answer.values(result).any() for result in results)
    ]


def difference_of(comparison: Comparison, scenario: Scenario, answer: Answer) -> Difference:
    """What a scenario changes of one figure, paired run by run."""
    result = next(result for one, result in comparison.scenarios if one.id == scenario.id)
    value = estimate(answer.values(result) - answer.values(comparison.base), comparison.base.antithetic)
    text = answer.difference(value.mean) if math.isfinite(value.mean) else "–"
    return Difference(scenario.title, value.mean, value.low, value.high, text, answer.better)


def _verdict(comparison: Comparison, answer: Answer) -> str:
    base = answer.estimate(comparison.base)
    found = [difference_of(comparison, scenario, answer) for scenario, _ in comparison.scenarios]
    said = f"{_named(answer)}: {written(base, answer.write)} as it is"
    if len(found) == 1:
        under = written(answer.estimate(comparison.scenarios[0][1]), answer.write)
        return f"{said}, {under} with {lowered(found[0].title)}: {_meant(found[0])}.{_stepped_up(comparison)}"
    better = sorted((one for one in found if one.meaning == "better"), key=lambda one: -abs(one.mean))
    worse = sorted((one for one in found if one.meaning == "worse"), key=lambda one: -abs(one.mean))
    parts = [
        f"{better[0].title} does most for it: {_meant(better[0])}" if better
        else "Every scenario is clearly worse" if len(worse) == len(found) else "No scenario does clearly better"
    ]  # fmt: skip
    if worse:
        parts.append(f"{worse[0].title} does most against it: {_meant(worse[0])}")
    return " ".join(sentence(part) for part in (said, *parts)) + _stepped_up(comparison)


def _named(answer: Answer) -> str:
    """A figure's title where a colon follows it."""
    return answer.title.replace(": ", ", ")


def _meant(one: Difference) -> str:
    """What a difference means, with its size where it is clear: ``worse by 0.5 points``."""
    return f"{one.meaning} by {one.text.lstrip(f'+{MINUS}')}" if one.sure else one.meaning


def _stepped_up(comparison: Comparison) -> str:
    """What a scenario costs in escalations: those on for clearly more of the hours, or fewer, by NOTABLE or more; "" where none is."""
    found = []
    for row in comparison.base.network.escalations:
        on = _on(row)
        for scenario, result in comparison.scenarios:
            one = difference_of(comparison, scenario, on)
            if one.sure and abs(one.mean) >= NOTABLE:
                words = f"{row.title}, {share(on.estimate(result).mean)} of the hours with {lowered(scenario.title)} ({share(on.estimate(comparison.base).mean)} as it is)"
                found.append((-abs(one.mean), words))
    found.sort()
    return f" Escalation: {'; '.join(words for _, words in found[:_TOLD])}." if found else ""


def _on(row: Escalation) -> Answer:
    """The share of the hours that an escalation was on."""
    return Answer(row.id, row.title, "lower", lambda result: result.values("escalated", row.id), share, points)


def price_of(comparison: Comparison) -> tuple[Headline, ...]:
    """What scenarios cost, for the terminal: patients put off, and how long each escalation was on."""
    network = comparison.base.network
    asked = [(answer, "") for answer in _asked(comparison) if answer.id.startswith(PUT_OFF)]
    asked += [(_on(row), " of the hours") for row in network.escalations]
    return tuple(
        Headline(
            answer.title if not unit else f"Escalation: {answer.title}", written(answer.estimate(comparison.base), answer.write),
            f"{unit} as it is; ".lstrip() + "; ".join(
                f"{written(answer.estimate(result), answer.write)} with {lowered(scenario.title)}" for scenario, result in comparison.scenarios[:_SHOWN]
            ) + ".",
        )
        for answer, unit in asked
    )  # fmt: skip


def _headlines(comparison: Comparison, answer: Answer) -> tuple[Headline, ...]:
    base = answer.estimate(comparison.base)
    heads = [
        Headline("As it is", written(base, answer.write), sentence(f"{answer.title}, {between(base, answer.write)}"))
    ]
    for scenario, result in comparison.scenarios[:_SHOWN]:
        one = difference_of(comparison, scenario, answer)
        heads.append(
            Headline(scenario.title, written(answer.estimate(result), answer.write), f"{one.text}: {one.meaning}.")
        )
    return tuple(heads)


def _section(comparison: Comparison, answer: Answer) -> Exhibit:
    rows = [(scenario, difference_of(comparison, scenario, answer)) for scenario, _ in comparison.scenarios]
    clear = [one for _, one in rows if one.sure]
    most = max(clear, key=lambda one: abs(one.mean), default=None)
    message = f"{_named(answer)}: " + (
        f"{most.title} changes it most, {most.text}." if most else "no scenario changes it clearly."
    )
    columns = (
        Column("scenario", "Scenario"), Column("as_it_is", "As it is"), Column("under", "Under it"), Column("difference", "Difference"),
        Column("low", "Interval from"), Column("high", "Interval to"), Column("meaning", "Meaning"),
    )  # fmt: skip
    base = written(answer.estimate(comparison.base), answer.write)
    values = [
        {
            "scenario": scenario.title, "as_it_is": base, "under": written(answer.estimate(result), answer.write), "difference": one.text,
            "low": answer.difference(one.low) if math.isfinite(one.low) else "", "high": answer.difference(one.high) if math.isfinite(one.high) else "",
            "meaning": one.meaning,
        }
        for (scenario, one), (_, result) in zip(rows, comparison.scenarios, strict=True)
    ]  # fmt: skip
    drawn = [one for _, one in rows]
    return Exhibit(
        f"flow-difference-{answer.id}", message, Table(columns, values),
        chart(lambda width: differences(drawn, answer.difference, width, message)), sheet=answer.title,
    )  # fmt: skip


def _stations(comparison: Comparison) -> Section:
    asked = [("occupancy", station.id) for station in comparison.base.network.stations]
    titles = {station.id: station.title for station in comparison.base.network.stations}
    frame = comparison.table(asked)
    rows: dict[str, dict[str, str]] = {}
    columns = [Column("station", "Station"), Column("base", "As it is")]
    columns += [Column(scenario.id, scenario.title) for scenario, _ in comparison.scenarios]
    for row in frame.iter_rows(named=True):
        if row["mean"] is not None and math.isfinite(row["mean"]):
            cells = rows.setdefault(row["of"], {"station": titles[row["of"]]})
            cells[row["scenario"] or "base"] = share(row["mean"])
    if not rows:
        return Section("stations", "How full each station is")
    return Section(
        "stations", "How full each station is", "",
        (Exhibit("flow-occupancies", "Occupancy of each station with a limit, as it is and under each scenario.", Table(tuple(columns), list(rows.values())), sheet="Occupancy"),),
    )  # fmt: skip


def _escalations(comparison: Comparison) -> Section:
    network = comparison.base.network
    if not network.escalations:
        return Section("escalation", "Escalation")
    results = [("As it is", comparison.base), *((scenario.title, result) for scenario, result in comparison.scenarios)]
    longest = max(
        network.escalations, key=lambda row: max(result.estimate("escalated", row.id).mean for _, result in results)
    )
    on = _on(longest)
    clear = [found for scenario, _ in comparison.scenarios if (found := difference_of(comparison, scenario, on)).sure]
    most = max(clear, key=lambda found: abs(found.mean), default=None)
    message = f"{longest.title}: on for {share(on.estimate(comparison.base).mean)} of the hours as it is; " + (
        f"{most.title} changes that most, {most.text}." if most else "no scenario changes that clearly."
    )
    rows = [
        {"title": row.title}
        | {str(n): "{} ({})".format(*in_figures(result, row)) for n, (_, result) in enumerate(results)}
        for row in network.escalations
    ]
    columns = (Column("title", "Escalation"), *(Column(str(n), title) for n, (title, _) in enumerate(results)))
    figures = Exhibit(
        "flow-escalation", message, Table(columns, rows), sheet="Escalation",
        note=f"Share of the hours it was on and, in brackets, how often it was begun in {plural(round(comparison.base.hours / 24), 'day')}: means over the runs.",
    )  # fmt: skip
    return Section("escalation", "Escalation", "", (figures, rules_table(network)))


def _changes(comparison: Comparison) -> Section:
    rows = [
        {"scenario": scenario.title, "change": words, "basis": change.evidence.basis, "source": change.evidence.source, "where": change.evidence.where, "note": change.evidence.note}
        for scenario, _ in comparison.scenarios
        for change, words in changes_in_words(comparison.base.network, scenario)
    ]  # fmt: skip
    columns = (
        Column("scenario", "Scenario"), Column("change", "What it changes"), Column("basis", "Basis"), Column("source", "Source"), Column("where", "Where"),
        Column("note", "Reason or note"),
    )  # fmt: skip
    assumed = sum(row["basis"] == "assumed" for row in rows)
    message = f"{plural(len(rows), 'change')}, {assumed} of them assumed."
    return Section(
        "changes",
        "What the scenarios are",
        "",
        (Exhibit("flow-changes", message, Table(columns, rows), sheet="Changes"),),
    )


def changes_in_words(network: Network, scenario: Scenario) -> Iterator[tuple[Change, str]]:
    """Each change of a scenario, such as ``Places at Majors: +4``."""
    called = places_called(network)
    for change in scenario.changes:
        amount = (
            f"to {plain(change.to)}" if change.to is not None else signed(plain(change.add)) if change.add is not None
            else f"times {plain(change.times)}" if change.times is not None else ""
        )  # fmt: skip
        goes = f" who go on to {called.get(change.goes, change.goes)}" if change.goes else ""
        who = f", {change.patient}" if change.patient != "any" else ""
        yield change, sentence(f"{changed_in_words(network, change)}{who}{goes}: {amount}").rstrip(".")


__all__ = ["comparison_report", "difference_of", "price_of"]
