"""What beds, admissions, money and staff imply about each other."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    activity_name,
    ask,
    base,
    base_cost,
    baseline_beds,
    count,
    effects,
    followed_by,
    listed,
    money,
    name_of,
    organisations,
    percent,
    rate,
    scheme_names,
    size,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

REMOVES = ("avoid", "shift")
_IMPLIED = "Implied by "
"""Topic of indicator rows that belong to a scheme's effect without being one: ``Implied by integrated-teams``."""


def targets(plan: Plan, kinds: tuple[str, ...]) -> dict[tuple[str, str], list[Row]]:
    """Effects on activity by the organisation and point of delivery they change."""
    found: dict[tuple[str, str], list[Row]] = {}
    for effect in effects(plan, *kinds):
        if effect["pod"] and len(organisations(effect)) == 1:
            found.setdefault((organisations(effect)[0], effect["pod"]), []).append(effect)
    return found


def in_units_of(plan: Plan, scheme: str, organisation: str, pod: str) -> list[Used]:
    """Rows that say how many units of activity a scheme removes: its own effects, else indicators implied by it."""
    unit = PODS[pod].unit
    own: list[Used] = [
        ("effects", row)
        for row in effects(plan, *REMOVES)
        if row["scheme"] == scheme
        and row["pod"] == pod
        and organisations(row) == (organisation,)
        and row["unit"] == unit
    ]
    return own or [("indicators", row) for row in plan["indicators"].where(topic=f"{_IMPLIED}{scheme}", unit=unit)]


def units_in(used: list[Used]) -> float:
    return sum((size(row) or 0.0) if table == "effects" else base(row) for table, row in used)


def lengths_of_stay(plan: Plan) -> Iterator[Challenge]:
    """The stay implied by beds released and admissions avoided, against the average stay."""
    days = plan.parameter("days-in-year", 365)
    for (organisation, pod), rows in targets(plan, REMOVES).items():
        if pod not in PODS or not PODS[pod].bedded:
            continue
        occupancy, stay = rate(plan, "occupancy", organisation, pod), rate(plan, "length-of-stay", organisation, pod)
        if occupancy is None or base(occupancy) <= 0:
            continue
        rates: list[Used] = [("rates", row) for row in (occupancy, stay) if row is not None]
        beds_alone: list[Row] = []
        units_alone: list[Row] = []
        for effect in rows:
            in_units = in_units_of(plan, effect["scheme"], organisation, pod)
            if effect["unit"] == "beds" and not in_units:
                beds_alone.append(effect)
            elif effect["unit"] == "beds":
                yield from _stay(plan, effect, in_units, occupancy, stay, days)
            elif effect["unit"] == PODS[pod].unit and not any(
                row["scheme"] == effect["scheme"] and row["unit"] == "beds" for row in rows
            ):
                units_alone.append(effect)
        if stay is None:
            continue
        per_bed = days * base(occupancy) / base(stay)
        if units_alone:
            units = sum(size(row) or 0.0 for row in units_alone)
            beds = units / per_bed
            yield ask(
                plan,
                "length-of-stay",
                f"{organisation}-{pod}-no-beds",
                "question",
                f"{count(units, PODS[pod].unit)} are to be avoided at {name_of(plan, 'organisations', organisation)} and no bed is said to be released. "
                f"At a stay of {count(base(stay), 'days')} and {percent(base(occupancy))} occupancy they fill about {count(beds, 'beds')}: "
                "will those beds close, or will others fill them and the cost stay?",
                used=[*(("effects", row) for row in units_alone), *rates],
                concerns=[row["scheme"] for row in units_alone],
                figures={
                    "avoided": Quantity(units, PODS[pod].unit),
                    "beds at the average stay": Quantity(beds, "beds"),
                },
            )
        if beds_alone:
            beds = sum(size(row) or 0.0 for row in beds_alone)
            yield ask(
                plan,
                "length-of-stay",
                f"{organisation}-{pod}-no-activity",
                "look",
                f"{count(beds, 'beds')} for {activity_name(pod)} at {name_of(plan, 'organisations', organisation)} are to go "
                f"({scheme_names(plan, (row['scheme'] for row in beds_alone))}) and the plan does not say how many "
                f"{PODS[pod].unit} that takes. At {count(base(stay), 'days')} each and {percent(base(occupancy))} occupancy "
                f"it takes {count(beds * per_bed)} a year: is that many avoidable?",
                used=[*(("effects", row) for row in beds_alone), *rates],
                concerns=[row["scheme"] for row in beds_alone],
                figures={
                    "beds": Quantity(beds, "beds"),
                    "to be avoided a year": Quantity(beds * per_bed, PODS[pod].unit),
                },
            )


def _stay(
    plan: Plan, effect: Row, in_units: list[Used], occupancy: Row, stay: Row | None, days: float
) -> Iterator[Challenge]:
    beds, units = size(effect) or 0.0, units_in(in_units)
    if not units or not beds:
        return
    implied = beds * base(occupancy) * days / units
    unit = PODS[effect["pod"]].unit
    figures = {
        "beds": Quantity(beds, "beds"),
        "avoided": Quantity(units, unit),
        "implied stay": Quantity(implied, "days"),
    }
    question = (
        f"{name_of(plan, 'schemes', effect['scheme'])} is to avoid {count(units, unit)} a year and release {count(beds, 'beds')}: "
        f"at {percent(base(occupancy))} occupancy that is {implied:.1f} days in bed for each."
    )
    used: list[Used] = [("effects", effect), *in_units, ("rates", occupancy)]
    severity: Severity = "look"
    if stay is not None and base(stay) > 0:
        used.append(("rates", stay))
        average, ratio = base(stay), implied / base(stay)
        at_average = units * average / days / base(occupancy)
        figures |= {"average stay": Quantity(average, "days"), "beds at the average stay": Quantity(at_average, "beds")}
        severity = "look" if 2 / 3 <= ratio <= 1.5 else "question" if 0.4 <= ratio <= 2.5 else "serious"
        question += (
            f" The average is {count(average, 'days')}, at which they would free {count(at_average, 'beds')}: "
            + (
                "are these stays so much shorter, or are fewer admissions avoided than the table says?"
                if ratio < 1
                else "are these stays so much longer, or are more beds counted than these admissions can free?"
            )
        )
    else:
        question += " Is that the stay of the people it means?"
    yield ask(
        plan,
        "length-of-stay",
        f"{effect['scheme']}.{effect.id}",
        severity,
        question,
        used=used,
        concerns=[effect["scheme"]],
        figures=figures,
    )


def prices_of_avoidance(plan: Plan) -> Iterator[Challenge]:
    """What each admission (or other unit) avoided saves, against what one costs."""
    at_price: dict[tuple[str, str], list[tuple[Row, Row, float]]] = {}
    for (organisation, pod), rows in targets(plan, REMOVES).items():
        cost = rate(plan, "unit-cost", organisation, pod)
        if cost is None or cost["pod"] != pod or base(cost) <= 0 or pod not in PODS:
            continue
        for effect in rows:
            savings = savings_of(plan, effect, organisation)
            in_units = (
                [("effects", effect)]
                if effect["unit"] == PODS[pod].unit
                else in_units_of(plan, effect["scheme"], organisation, pod)
            )
            units = units_in(in_units)
            total = sum(money(plan, row) or 0.0 for row in savings)
            if not savings or not units or not total:
                continue
            each, average = total / units, base(cost)
            if all(row["per"] == "unit" for row in savings) and abs(each / average - 1) < 0.02:
                at_price.setdefault((organisation, pod), []).append((effect, savings[0], units))
                continue
            severity: Severity = "look" if each < 0.9 * average else "question" if each <= 1.1 * average else "serious"
            asked = (
                "is the rest of the cost really left, or does the saving leave some of the admissions out?"
                if each < 0.9 * average
                else "can a hospital take out all of the average cost, fixed costs with it?"
                if each <= 1.1 * average
                else "what is saved beyond the whole cost of each?"
            )
            yield ask(
                plan,
                "saving-per-unit",
                f"{effect['scheme']}.{effect.id}",
                severity,
                f"{name_of(plan, 'schemes', effect['scheme'])} is to save {pounds(total)} a year by removing {count(units, PODS[pod].unit)}: "
                f"{pounds(each)} each, where one costs {pounds(average)} ({percent(each / average)} of it): {asked}",
                used=[*in_units, *(("effects", row) for row in savings), ("rates", cost)],
                concerns=[effect["scheme"]],
                figures={
                    "saving a year": Quantity(total, "GBP"),
                    "removed": Quantity(units, PODS[pod].unit),
                    "saving for each": Quantity(each, "GBP"),
                    "cost of each": Quantity(average, "GBP"),
                },
            )
    for (organisation, pod), found in at_price.items():
        cost = rate(plan, "unit-cost", organisation, pod)
        if cost is None:
            continue
        units = sum(number for _, _, number in found)
        unit = PODS[pod].unit
        yield ask(
            plan,
            "saving-per-unit",
            f"{organisation}-{pod}-at-average-cost",
            "question",
            f"{count(units, unit)} avoided are counted at {pounds(base(cost))} each, the whole average cost, {pounds(units * base(cost))} in all. "
            f"Wards, staff and buildings stay until beds close: how much of it can {name_of(plan, 'organisations', organisation)} really take out?",
            used=[*(("effects", row) for pair in found for row in pair[:2]), ("rates", cost)],
            concerns=[effect["scheme"] for effect, _, _ in found],
            figures={
                "removed": Quantity(units, unit),
                "cost of each": Quantity(base(cost), "GBP"),
                "value": Quantity(units * base(cost), "GBP"),
            },
        )


def savings_of(plan: Plan, effect: Row, organisation: str) -> list[Row]:
    """The money an effect on activity is said to save: what follows it, else what its scheme saves at the same organisation."""
    savings = [row for row in effects(plan, "save") if row["scheme"] == effect["scheme"] and money(plan, row)]
    following = [row for row in savings if row["follows"] == effect.id]
    return following or [row for row in savings if not row["follows"] and organisations(row) == (organisation,)]


def savings_per_bed(plan: Plan) -> Iterator[Challenge]:
    """What each bed released saves a year, scheme by scheme and against what a bed costs now."""
    for organisation in dict.fromkeys(target[0] for target in targets(plan, (*REMOVES, "shorten"))):
        found: list[tuple[Row, list[Row], float, float]] = []
        for effect in effects(plan, *REMOVES, "shorten"):
            if effect["unit"] != "beds" or organisations(effect) != (organisation,) or not size(effect):
                continue
            # One scheme's money over several of its effects cannot be given to one of them.
            alone = sum(1 for row in effects(plan, *REMOVES, "shorten") if row["scheme"] == effect["scheme"]) == 1
            savings = savings_of(plan, effect, organisation)
            if savings and (alone or all(followed_by(plan, row) is not None for row in savings)):
                found.append((effect, savings, size(effect) or 0.0, sum(money(plan, row) or 0.0 for row in savings)))
        if not found:
            continue
        each = {effect["scheme"]: total / beds for effect, _, beds, total in found}
        used: list[Used] = [("effects", row) for effect, savings, _, _ in found for row in (effect, *savings)]
        figures = {f"saving a bed a year: {name}": Quantity(value, "GBP") for name, value in each.items()}
        spoken = listed([f"{pounds(value)} ({name_of(plan, 'schemes', name)})" for name, value in each.items()])
        question = f"Each bed released at {name_of(plan, 'organisations', organisation)} is to save {spoken} a year."
        severity: Severity = "look"
        costs, beds_now = base_cost(plan, organisation), baseline_beds(plan, organisation)
        if costs and beds_now:
            now = sum(map(base, costs)) / sum(map(base, beds_now))
            used += [*(("spend", row) for row in costs), *(("beds", row) for row in beds_now)]
            figures["spend for each bed now"] = Quantity(now, "GBP")
            severity = "question" if max(each.values()) > now else "look"
            question += f" The organisation now spends {pounds(now)} for each bed it has, all its other work included: are whole wards to close?"
        else:
            question += " Are whole wards to close?"
        yield ask(
            plan, "saving-per-bed", organisation, severity, question, used=used, concerns=list(each), figures=figures
        )
