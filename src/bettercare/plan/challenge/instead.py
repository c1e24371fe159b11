"""The care put in place of hospital work: what it costs, who gives it, and where there is none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bettercare.plan.challenge.implied import REMOVES, in_units_of, savings_of, units_in
from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    ask,
    base,
    count,
    effects,
    listed,
    money,
    name_of,
    organisations,
    rate,
    size,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, UNITS, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan


def care_that_replaces(plan: Plan) -> Iterator[Challenge]:
    """What the care put in place of hospital work costs and who gives it, against what is saved."""
    for effect in effects(plan, *REMOVES):
        if len(organisations(effect)) != 1 or not effect["becomes_pod"] or not effect["becomes_organisation"]:
            continue
        units, used = _appearing(plan, effect)
        cost = rate(plan, "unit-cost", effect["becomes_organisation"], effect["becomes_pod"])
        savings = savings_of(plan, effect, organisations(effect)[0])
        saved = sum(money(plan, row) or 0.0 for row in savings)
        if not units or cost is None or cost["pod"] != effect["becomes_pod"] or not saved:
            continue
        spent = units * base(cost)
        severity: Severity = "serious" if spent > saved else "question" if spent > saved / 2 else "look"
        unit = PODS[effect["becomes_pod"]].unit
        figures = {
            "new work a year": Quantity(units, unit),
            "cost of the new work": Quantity(spent, "GBP"),
            "saving": Quantity(saved, "GBP"),
        }
        question = (
            f"{name_of(plan, 'schemes', effect['scheme'])} puts {count(units, unit)} a year in the place of what it removes: "
            f"{pounds(spent)} at {pounds(base(cost))} each, against a saving of {pounds(saved)}."
        )
        each = rate(plan, "staff-per-unit", effect["becomes_organisation"], effect["becomes_pod"])
        if each is not None and each["pod"] == effect["becomes_pod"]:
            used.append(("rates", each))
            figures["staff for it"] = Quantity(units * base(each), "WTE")
            question += f" It takes {count(units * base(each), 'WTE')} at {name_of(plan, 'organisations', effect['becomes_organisation'])}."
        question += " Is the saving before or after that, and who is recruited to do it?"
        yield ask(
            plan,
            "care-that-replaces",
            f"{effect['scheme']}.{effect.id}",
            severity,
            question,
            used=[("effects", effect), *used, ("rates", cost), *(("effects", row) for row in savings)],
            concerns=[effect["scheme"]],
            figures=figures,
        )


def _appearing(plan: Plan, effect: Row) -> tuple[float, list[Used]]:
    """Units of the work that appears elsewhere a year, and the rows that say so; none where the plan cannot tell."""
    removed, pod, new = size(effect) or 0.0, effect["pod"], effect["becomes_pod"]
    if effect["per_bed"] is not None:
        used = _rates_of_beds(plan, effect["becomes_organisation"], new)
        return (
            (removed * effect["per_bed"] * _units_a_bed(plan, used), used)
            if used and effect["unit"] == "beds"
            else (0.0, [])
        )
    if effect["per_unit"] is None or pod not in PODS:
        return 0.0, []
    if effect["unit"] == PODS[pod].unit:
        return removed * effect["per_unit"], []
    in_units = in_units_of(plan, effect["scheme"], organisations(effect)[0], pod)
    if effect["unit"] == "beds" and in_units:
        return units_in(in_units) * effect["per_unit"], in_units
    used = _rates_of_beds(plan, organisations(effect)[0], pod)
    return (
        (removed * _units_a_bed(plan, used) * effect["per_unit"], used)
        if used and effect["unit"] == "beds"
        else (0.0, [])
    )


def _rates_of_beds(plan: Plan, organisation: str, pod: str) -> list[Used]:
    occupancy, stay = rate(plan, "occupancy", organisation, pod), rate(plan, "length-of-stay", organisation, pod)
    return (
        [("rates", occupancy), ("rates", stay)] if occupancy is not None and stay is not None and base(stay) > 0 else []
    )


def _units_a_bed(plan: Plan, used: list[Used]) -> float:
    (_, occupancy), (_, stay) = used
    return plan.parameter("days-in-year", 365) * base(occupancy) / base(stay)


def work_that_goes_nowhere(plan: Plan) -> Iterator[Challenge]:
    """Activity taken out of hospital with no care put in its place."""
    gone = [
        row
        for row in effects(plan, "avoid")
        if not row["becomes_pod"] and row["unit"] and not UNITS[row["unit"]].is_money
    ]
    if gone:
        sizes = listed(
            [f"{count(size(row) or 0.0, row['unit'])} ({name_of(plan, 'schemes', row['scheme'])})" for row in gone]
        )
        yield ask(
            plan,
            "nowhere-to-go",
            "",
            "question",
            f"Activity is avoided and nothing appears in its place: {sizes}. Who looks after these people instead, with what staff, and what does it cost?",
            used=[("effects", row) for row in gone],
            concerns=[row["scheme"] for row in gone],
        )
