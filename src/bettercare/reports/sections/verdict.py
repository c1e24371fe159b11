"""What a reader must know in ten seconds: a sentence and a handful of figures."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bettercare.model import Result
from bettercare.model.triangulate import staffed_by
from bettercare.plan.check import Verdict
from bettercare.reports.amounts import chance, count, money, span
from bettercare.reports.exhibit import Headline
from bettercare.reports.words import organisation_name, plural, pod_name, scenario_title

VIRTUAL = "virtual-ward"
"""Care at home counted in beds: not a bed in a building, so never added to those."""


def has_gap(result: Result) -> bool:
    """Whether the plan says what happens to money if nothing is done."""
    return any(labels.get("kind") == "do-nothing" for labels in result.gap.labels)


def is_funded(result: Result) -> bool:
    """Whether a fund is set against what the schemes spend."""
    return any(labels.get("kind") == "funding" for labels in result.gap.labels)


def left_over(amount: float) -> str:
    """What a gap of so much leaves: ``£11.2m to spare`` or ``£130.3m short``."""
    return f"{money(amount)} short" if amount > 0 else f"{money(-amount)} to spare"


def money_name(result: Result) -> str:
    """What the money left over or short is called: a gap only where the plan says what happens if nothing is done."""
    return "The gap" if has_gap(result) else "Balance of the fund" if is_funded(result) else "Net cost of the schemes"


def real_pods(result: Result, organisation: str = "") -> list[str]:
    """Points of delivery with beds in buildings, of an organisation or of all."""
    pods = [labels["pod"] for labels in result.beds.labels if organisation in ("", labels["organisation"])]
    return [pod for pod in dict.fromkeys(pods) if pod != VIRTUAL]


def in_buildings(result: Result, organisation: str) -> dict[str, Any]:
    """The filter for an organisation's beds in buildings."""
    return {"organisation": organisation, "pod": real_pods(result, organisation)}


def bed_holders(result: Result) -> list[str]:
    """Organisations with beds, most beds first."""
    names = [
        name
        for name in dict.fromkeys(labels["organisation"] for labels in result.beds.labels)
        if real_pods(result, name)
    ]
    first = result.years[0]
    return sorted(names, key=lambda name: -result.beds.total(first, organisation=name, pod=real_pods(result, name)))


def sentence_of(result: Result) -> str:
    """The verdict in one sentence."""
    last = result.years[-1]
    under = f" Under {scenario_title(result)}." if result.scenarios else ""
    if has_gap(result):
        return _gap_sentence(result, last) + under
    avoided = _avoided(result)
    spent = result.investment.total(last) if result.investment.labels else 0.0
    parts = []
    if spent:
        parts.append(f"puts {money(spent)} into {plural(len(result.plan.schemes), 'scheme')} in {last}")
    if avoided:
        pod, planned, expected, low, high = avoided
        what = pod_name(pod).lower() + "s"
        parts.append(f"avoids {count(planned)} {what}")
        if result.runs:
            tail = f"; run {result.runs:,} times with what may go otherwise, it avoids an expected {count(expected)} (p10 {count(low)} to p90 {count(high)})"
            return f"As published the plan {' and '.join(parts)}{tail}." + under
    return f"As published the plan {' and '.join(parts) or 'changes nothing that can be counted'}." + under


def _gap_sentence(result: Result, last: str) -> str:
    nothing, plan = result.gap.total(last, kind="do-nothing"), result.gap.total(last)
    if nothing <= 0:
        start = f"If nothing is done there is no gap in {last} ({money(-nothing)} to spare)"
    elif plan <= 0:
        start = f"As published the plan closes the {money(nothing)} gap of {last} with {money(-plan)} to spare"
    else:
        start = f"As published the plan leaves {money(plan)} of the {money(nothing)} gap of {last} open"
    if not result.runs:
        return start + "; how sure that is was not asked (no runs)."
    row = result.gap(year=last).row(0, named=True)
    expected = f"a gap of {money(row['mean'])}" if row["mean"] > 0 else f"a surplus of {money(-row['mean'])}"
    balance = chance(result.probability("gap", at_most=0))
    return (
        f"{start}; run {result.runs:,} times with what may go otherwise, it balances in {balance} of runs "
        f"and leaves an expected {expected.removeprefix('a ')} (p10 {money(row['p10'])} to p90 {money(row['p90'])})."
    )


def headlines(result: Result, verdicts: Sequence[Verdict] | None) -> list[Headline]:
    """Four to six figures, those the plan has."""
    last = result.years[-1]
    found: list[Headline] = []
    if has_gap(result):
        found += _gap_headlines(result, last)
    elif result.investment.labels:
        spent = result.investment.total(last)
        saved = result.saving.total(last) if result.saving.labels else 0.0
        found.append(
            Headline(
                f"Investment in {last}",
                money(spent),
                f"saves {money(saved)} a year as planned" if saved else "no savings stated",
            )
        )
    avoided = _avoided(result)
    if avoided and not has_gap(result):
        pod, planned, expected, low, high = avoided
        detail = f"expected {count(expected)} (p10 to p90: {span(low, high, count)})" if result.runs else "as planned"
        found.append(Headline(f"{pod_name(pod)}s avoided", count(planned), detail))
        if result.runs:
            full = result.probability("avoided", at_least=planned * (1 - 1e-9), pod=pod)
            found.append(Headline("Chance of avoiding as many as planned", chance(full), f"of {result.runs:,} runs"))
    holders = bed_holders(result)
    if holders and has_gap(result):
        found.append(_beds_headline(result, holders[0], last))
    found += _staff_headline(result, last) if has_gap(result) else []
    if any(result.capital.published_case.flat):
        gross = sum(result.capital.total(year, kind="spend") for year in result.years)
        net = sum(result.capital.total(year) for year in result.years)
        found.append(Headline("Capital", money(gross), f"{money(net)} after disposals"))
    if verdicts:
        bad = sum(verdict.verdict == "inconsistent" for verdict in verdicts)
        found.append(
            Headline(
                "Claims that do not add up",
                f"{bad}",
                f"of {plural(len(verdicts), 'claim')} the plan makes about itself",
            )
        )
    return found


def _gap_headlines(result: Result, last: str) -> list[Headline]:
    nothing, plan = result.gap.total(last, kind="do-nothing"), result.gap.total(last)
    shown = f"{money(nothing)} → {money(plan)}"
    detail = "do nothing → as planned" + (" (a surplus)" if plan < 0 else "")
    if not result.runs:
        return [Headline(f"Gap in {last}", shown, detail)]
    row = result.gap(year=last).row(0, named=True)
    return [
        Headline(f"Gap in {last}", shown, f"{detail}; expected {money(row['mean'])}"),
        Headline("Chance of balance", chance(result.probability("gap", at_most=0)), f"of {result.runs:,} runs; p10 to p90: {span(row['p10'], row['p90'], money)}"),
    ]  # fmt: skip


def _beds_headline(result: Result, organisation: str, last: str) -> Headline:
    where = in_buildings(result, organisation)
    first, plan = (result.beds.total(year, **where) for year in (result.years[0], last))
    title = f"Beds, {organisation_name(result.plan, organisation)}"
    shown = f"{count(first)} → {count(plan)}"
    if not result.runs:
        return Headline(title, shown, "now → as planned")
    row = result.beds(year=last, **where).row(0, named=True)
    return Headline(title, shown, f"expected {count(row['mean'])} (p10 to p90: {span(row['p10'], row['p90'], count)})")


def _staff_headline(result: Result, last: str) -> list[Headline]:
    """The largest published staff figure beside what the run implies."""
    rows = [
        row
        for row in result.plan["published"]
        if row["measure"] == "staff" and row["year"] == last and row["organisation"]
    ]
    for row in sorted(rows, key=lambda row: -row["value"])[:1]:
        members = [
            name
            for name in staffed_by(result.plan, row["organisation"])
            if any(name == labels.get("organisation") for labels in result.staff.labels)
        ]
        if members:
            implied = result.staff.total(last, organisation=members)
            now = result.staff.total(result.years[0], organisation=members, kind="base")
            name = organisation_name(result.plan, row["organisation"])
            return [
                Headline(
                    f"Staff (WTE), {name}",
                    f"{count(now)} → {count(row['value'])}",
                    f"published; the run implies {count(implied)}",
                )
            ]
    return []


def _avoided(result: Result) -> tuple[str, float, float, float, float] | None:
    """The point of delivery with admissions avoided, most first: planned, expected, p10, p90."""
    last = result.years[-1]
    pods = dict.fromkeys(labels["pod"] for labels in result.avoided.labels)
    rows = [(result.avoided(by="pod", year=last, pod=pod).row(0, named=True)) for pod in pods]
    rows = sorted((row for row in rows if row["published_case"] > 0), key=lambda row: -row["published_case"])
    if not rows:
        return None
    best = rows[0]
    planned = float(best["published_case"])
    expected, low, high = (float(best.get(name, planned)) for name in ("mean", "p10", "p90"))
    return str(best["pod"]), planned, expected, low, high
