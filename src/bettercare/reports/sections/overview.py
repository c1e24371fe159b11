"""The two bridges a board looks at first: money by strand, beds by cause."""

from __future__ import annotations

from bettercare.model import Result
from bettercare.plan import Figure
from bettercare.reports.amounts import count, money
from bettercare.reports.exhibit import Exhibit, Section
from bettercare.reports.provenance import rests_on, step_figures
from bettercare.reports.sections.frames import HALF, bridge_chart, bridge_table, folded, ordered_bridge
from bettercare.reports.sections.verdict import bed_holders, has_gap, in_buildings, is_funded, left_over
from bettercare.reports.words import organisation_name, pod_name

SPENT = "Investment outside the strands"


def overview(result: Result) -> Section:
    """The gap bridge by strand or theme and the bed bridge of the organisation with most beds."""
    exhibits = []
    if any(result.gap.published_case.flat):
        exhibits.append(_money(result))
    if bed_holders(result):
        exhibits.append(_beds(result))
    return Section("bridges", "From here to the plan", exhibits=tuple(exhibits))


def _money(result: Result) -> Exhibit:
    plan, last = result.plan, result.years[-1]
    themes = {str(row["name"]) for row in plan["themes"]}
    funded = {labels["line"] for labels in result.gap.labels if labels.get("kind") == "funding"}
    elsewhere = SPENT if themes & set(result.bridge("gap", by="theme")["step"]) else "Investment"
    frame = folded(
        result.bridge("gap", by="theme"),
        lambda step, kind: elsewhere if kind == "change" and step not in themes | funded else step,
    )
    frame = ordered_bridge(frame, {"Plan": f"Plan, {last}"})
    figures: dict[str, list[Figure]] = {}
    for step, found in step_figures(result, "gap", "theme").items():
        figures.setdefault(step if step in themes | funded | {"Do nothing"} else elsewhere, []).extend(found)
    end = result.gap.total(last)
    message = _message(result, last, end)
    note = "Each strand or theme net of its own investment. Above zero is a deficit."
    if not has_gap(result):
        note = "Each theme net of what it saves. " + (
            "Below zero is money over." if is_funded(result) else "Above zero is a cost."
        )
    return Exhibit(
        "overview-money", message + ".", bridge_table(result, frame, figures, "money", "GBP"), bridge_chart(frame, money, message, HALF), note,
        rests_on(result, "gap"), "Money bridge by theme",
    )  # fmt: skip


def _message(result: Result, last: str, end: float) -> str:
    left = left_over(end)
    if has_gap(result):
        return f"Money: {money(result.gap.total(last, kind='do-nothing'))} if nothing is done becomes {left} in {last}"
    if is_funded(result):
        # What a hospital saves is not the fund's to spend, and a reserve the partners hold is not taken off here.
        saved = result.saving.total(last) if result.saving.labels else 0.0
        beside = f", with {money(saved)} saved beside it" if saved else ""
        return f"Money: the fund less the schemes is {left_over(end + saved)} in {last}{beside}; any reserve is not taken off"
    return f"Money: the schemes cost {money(end)} net of what they save in {last}"


def _beds(result: Result) -> Exhibit:
    last, organisation = result.years[-1], bed_holders(result)[0]
    where = in_buildings(result, organisation)
    growth = {
        f"{pod}: {kind}": f"Growth: {pod_name(pod).lower()}s"
        for pod in where["pod"]
        for kind in ("demographic growth", "other growth", "growth")
    }
    frame = folded(result.bridge("beds", **where), lambda step, kind: growth.get(step, step))
    frame = ordered_bridge(frame, {"Start": result.years[0], "Plan": f"Plan, {last}"})
    figures: dict[str, list[Figure]] = {}
    for step, found in step_figures(result, "beds", **where).items():
        figures.setdefault(growth.get(step, result.years[0] if step == "Start" else step), []).extend(found)
    first, plan = (result.beds.total(year, **where) for year in (result.years[0], last))
    message = f"Beds, {organisation_name(result.plan, organisation)}: {count(first)} become {count(plan)} in {last}"
    return Exhibit(
        "overview-beds", message + ".", bridge_table(result, frame, figures, "count", "beds"), bridge_chart(frame, count, message, HALF), "",
        rests_on(result, "beds", **where), "Bed bridge",
    )  # fmt: skip
