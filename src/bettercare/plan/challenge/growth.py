"""What growth and staff come to each year, and whether they fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from bettercare.plan.challenge.implied import REMOVES, targets
from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    activity_name,
    ask,
    base,
    base_cost,
    baseline_activity,
    baseline_beds,
    count,
    listed,
    name_of,
    percent,
    plan_years,
    size,
    years_of,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan


def growth_each_year(plan: Plan) -> Iterator[Challenge]:
    """What the growth if nothing is done is each year, compounded, by what grows."""
    yield from _cost_growth(plan)
    yield from _bed_growth(plan)
    yield from _no_growth(plan)


def _yearly(total: float, years: int) -> float:
    """The rate a year that compounds to a growth over some years."""
    return float((1 + total) ** (1 / years) - 1) if years > 0 and total > -1 else 0.0


def _population_growth(plan: Plan) -> tuple[float, Row] | None:
    """The fastest yearly growth of any age band."""
    rows = [row for row in plan["growth"].where(measure="population") if row["unit"] == "%"]
    rates = [(_yearly(base(row), years_of(plan, row["from"], row["to"])), row) for row in rows]
    return max(rates, key=lambda pair: pair[0], default=None)


def _cost_growth(plan: Plan) -> Iterator[Challenge]:
    rows = [row for row in plan["growth"].where(measure="cost") if row["unit"] == "%"]
    if not rows:
        return
    yearly = {row["organisation"] or "all": _yearly(base(row), years_of(plan, row["from"], row["to"])) for row in rows}
    used: list[Used] = [("growth", row) for row in rows]
    figures = {f"cost growth a year: {name}": Quantity(value * 100, "% a year") for name, value in yearly.items()}
    spoken = listed(
        [
            f"{percent(value)} ({name_of(plan, 'organisations', name)})"
            for name, value in sorted(yearly.items(), key=lambda item: -item[1])
        ]
    )
    question = f"If nothing is done cost is to grow each year by {spoken}."
    costs = {row["organisation"]: base_cost(plan, row["organisation"]) for row in rows if row["organisation"]}
    total = sum(base(row) for found in costs.values() for row in found)
    severity: Severity = "look"
    if total and len(costs) == len(rows) and all(costs.values()):
        whole = sum(base(row) * sum(map(base, costs[row["organisation"]])) for row in rows) / total
        overall = _yearly(whole, plan_years(plan))
        used += [("spend", row) for found in costs.values() for row in found]
        figures["cost growth a year: together"] = Quantity(overall * 100, "% a year")
        question += f" Together it is {percent(overall)} a year"
        funding = plan["growth"].where(measure="funding")
        if funding:
            more = sum(base(row) * (total if row["unit"] == "%" else 1.0) for row in funding)
            used += [("growth", row) for row in funding]
            figures["funding growth a year"] = Quantity(_yearly(more / total, plan_years(plan)) * 100, "% a year")
            question += f", with funding at {percent(_yearly(more / total, plan_years(plan)))}"
            severity = "question" if overall > 2 * _yearly(more / total, plan_years(plan)) else severity
        question += "."
    people = _population_growth(plan)
    if people is not None:
        used.append(("growth", people[1]))
        figures["fastest growing age band a year"] = Quantity(people[0] * 100, "% a year")
        question += f" The age band that grows fastest grows by {percent(people[0])} a year."
    question += " What of the rest is price, what is more care for each person, and who has agreed it?"
    yield ask(
        plan,
        "growth",
        "cost",
        severity,
        question,
        used=used,
        concerns=[name for name in yearly if name != "all"],
        figures=figures,
    )


def _bed_growth(plan: Plan) -> Iterator[Challenge]:
    for organisation in dict.fromkeys(
        row["organisation"] for row in plan["growth"].where(measure="beds") if row["organisation"]
    ):
        rows = plan["growth"].where(measure="beds", organisation=organisation, unit="beds")
        beds = baseline_beds(plan, organisation)
        if not rows or not beds or not sum(map(base, beds)) or sum(map(base, rows)) <= 0:
            continue
        more, now = sum(map(base, rows)), sum(map(base, beds))
        years = max(years_of(plan, row["from"], row["to"]) for row in rows)
        yearly = _yearly(more / now, years)
        used: list[Used] = [*(("growth", row) for row in rows), *(("beds", row) for row in beds)]
        figures = {
            "beds now": Quantity(now, "beds"),
            "more beds needed": Quantity(more, "beds"),
            "growth a year": Quantity(yearly * 100, "% a year"),
        }
        question = (
            f"{name_of(plan, 'organisations', organisation)} is to need {count(more, 'beds')} more on {count(now)} if nothing is done, "
            f"{percent(yearly)} a year for {years} years."
        )
        people = _population_growth(plan)
        if people is not None:
            used.append(("growth", people[1]))
            figures["fastest growing age band a year"] = Quantity(people[0] * 100, "% a year")
            question += f" The age band that grows fastest grows by {percent(people[0])} a year."
        question += " Is the growth of the last years in it, and is it for stays as they are now?"
        severity: Severity = "question" if people is not None and yearly > people[0] else "look"
        yield ask(
            plan,
            "growth",
            f"beds-{organisation}",
            severity,
            question,
            used=used,
            concerns=[organisation],
            figures=figures,
        )


def _no_growth(plan: Plan) -> Iterator[Challenge]:
    """A plan that counts on no growth, against what growth at its own upper end would take back."""
    removing = targets(plan, REMOVES)
    for row in plan["growth"].where(measure="activity", unit="%"):
        organisation, pod = row["organisation"], row["pod"]
        if base(row) > 0 or not row["high"] or pod not in PODS:
            continue
        now = baseline_activity(plan, organisation, pod)
        removed = [effect for effect in removing.get((organisation, pod), []) if effect["unit"] == PODS[pod].unit]
        more = base(row, "high") * sum(map(base, now))
        less = sum(size(effect) or 0.0 for effect in removed)
        if not less or not more:
            continue
        yield ask(
            plan,
            "growth",
            row.id,
            "serious" if more > 0.5 * less else "question",
            f"The plan counts on no growth of {activity_name(pod)} at {name_of(plan, 'organisations', organisation)}. "
            f"Growth of {percent(base(row, 'high'))} by {row['to']} would add {count(more)}, "
            f"against {count(less)} to be avoided: is the target a fall from today or from what would have come?",
            used=[
                ("growth", row),
                *(("activity", found) for found in now),
                *(("effects", effect) for effect in removed),
            ],
            concerns=[effect["scheme"] for effect in removed],
            figures={
                "growth at its high end": Quantity(more, PODS[pod].unit),
                "to be avoided": Quantity(less, PODS[pod].unit),
            },
        )


def staff_against_work(plan: Plan) -> Iterator[Challenge]:
    """Staff that fall or grow against the growth of cost and of beds."""
    grown = [row for row in plan["growth"].where(measure="cost") if row["unit"] == "%"]
    for organisation in dict.fromkeys(row["organisation"] for row in plan["workforce"]):
        whole = [
            row
            for row in plan["workforce"].where(organisation=organisation, staff_group="All staff")
            if row["unit"] == "WTE"
        ]
        whole.sort(key=lambda row: row["year"])
        if len(whole) < 2 or whole[0]["year"] == whole[-1]["year"] or base(whole[0]) <= 0:
            continue
        first, last = whole[0], whole[-1]
        change = base(last) / base(first) - 1
        # An organisation that stands for several has no growth of its own: theirs is the range.
        own = [row for row in grown if row["organisation"] == organisation] or (
            [row for row in grown if _kind(plan, row["organisation"]).endswith("provider")]
            if _kind(plan, organisation) in ("other", "system")
            else []
        )
        if change >= 0 or not own:
            continue
        growths = sorted(base(row) for row in own)
        spoken = (
            percent(growths[0]) if growths[0] == growths[-1] else f"{percent(growths[0])} to {percent(growths[-1])}"
        )
        yield ask(
            plan,
            "staff-against-work",
            organisation,
            "serious" if -change > 0.05 else "question",
            f"Staff at {name_of(plan, 'organisations', organisation)} are to fall from {count(base(first))} to {count(base(last), 'WTE')} "
            f"({percent(-change)}) by {last['year']}, while work and prices if nothing is done add {spoken} to cost. "
            "Which posts go, from where, and who does the work that is not avoided?",
            used=[("workforce", first), ("workforce", last), *(("growth", row) for row in own)],
            concerns=[organisation],
            figures={
                "staff now": Quantity(base(first), "WTE"),
                "staff planned": Quantity(base(last), "WTE"),
                "change": Quantity(change * 100, "%"),
                "cost growth, lowest": Quantity(growths[0] * 100, "%"),
                "cost growth, highest": Quantity(growths[-1] * 100, "%"),
            },
        )


def _kind(plan: Plan, organisation: str | None) -> str:
    row = plan["organisations"].by_id.get(organisation or "")
    return str(row["kind"]) if row else ""
