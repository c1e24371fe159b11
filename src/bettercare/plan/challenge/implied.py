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
    baseline_activity,
    baseline_beds,
    count,
    effects,
    followed_by,
    listed,
    money,
    name_of,
    organisations,
    percent,
    plan_years,
    rate,
    scheme_names,
    size,
    years_of,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, UNITS, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

_REMOVES = ("avoid", "shift")
_IMPLIED = "Implied by "
"""Topic of indicator rows that belong to a scheme's effect without being one: ``Implied by integrated-teams``."""


def _targets(plan: Plan, kinds: tuple[str, ...]) -> dict[tuple[str, str], list[Row]]:
    """Effects on activity by the organisation and point of delivery they change."""
    found: dict[tuple[str, str], list[Row]] = {}
    for effect in effects(plan, *kinds):
        if effect["pod"] and len(organisations(effect)) == 1:
            found.setdefault((organisations(effect)[0], effect["pod"]), []).append(effect)
    return found


def _in_units(plan: Plan, scheme: str, organisation: str, pod: str) -> list[Used]:
    """Rows that say how many units of activity a scheme removes: its own effects, else indicators implied by it."""
    unit = PODS[pod].unit
    own: list[Used] = [
        ("effects", row)
        for row in effects(plan, *_REMOVES)
        if row["scheme"] == scheme and row["pod"] == pod and organisations(row) == (organisation,) and row["unit"] == unit
    ]
    return own or [("indicators", row) for row in plan["indicators"].where(topic=f"{_IMPLIED}{scheme}", unit=unit)]


def _units(used: list[Used]) -> float:
    return sum((size(row) or 0.0) if table == "effects" else base(row) for table, row in used)


def lengths_of_stay(plan: Plan) -> Iterator[Challenge]:
    """The stay implied by beds released and admissions avoided, against the average stay."""
    days = plan.parameter("days-in-year", 365)
    for (organisation, pod), rows in _targets(plan, _REMOVES).items():
        if pod not in PODS or not PODS[pod].bedded:
            continue
        occupancy, stay = rate(plan, "occupancy", organisation, pod), rate(plan, "length-of-stay", organisation, pod)
        if occupancy is None or base(occupancy) <= 0:
            continue
        rates: list[Used] = [("rates", row) for row in (occupancy, stay) if row is not None]
        beds_alone: list[Row] = []
        units_alone: list[Row] = []
        for effect in rows:
            in_units = _in_units(plan, effect["scheme"], organisation, pod)
            if effect["unit"] == "beds" and not in_units:
                beds_alone.append(effect)
            elif effect["unit"] == "beds":
                yield from _stay(plan, effect, in_units, occupancy, stay, days)
            elif effect["unit"] == PODS[pod].unit and not any(row["scheme"] == effect["scheme"] and row["unit"] == "beds" for row in rows):
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
                figures={"avoided": Quantity(units, PODS[pod].unit), "beds at the average stay": Quantity(beds, "beds")},
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
                figures={"beds": Quantity(beds, "beds"), "to be avoided a year": Quantity(beds * per_bed, PODS[pod].unit)},
            )


def _stay(plan: Plan, effect: Row, in_units: list[Used], occupancy: Row, stay: Row | None, days: float) -> Iterator[Challenge]:
    beds, units = size(effect) or 0.0, _units(in_units)
    if not units or not beds:
        return
    implied = beds * base(occupancy) * days / units
    unit = PODS[effect["pod"]].unit
    figures = {"beds": Quantity(beds, "beds"), "avoided": Quantity(units, unit), "implied stay": Quantity(implied, "days")}
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
        question += f" The average is {count(average, 'days')}, at which they would free {count(at_average, 'beds')}: " + (
            "are these stays so much shorter, or are fewer admissions avoided than the table says?"
            if ratio < 1
            else "are these stays so much longer, or are more beds counted than these admissions can free?"
        )
    else:
        question += " Is that the stay of the people it means?"
    yield ask(plan, "length-of-stay", f"{effect['scheme']}.{effect.id}", severity, question, used=used, concerns=[effect["scheme"]], figures=figures)


def prices_of_avoidance(plan: Plan) -> Iterator[Challenge]:
    """What each admission (or other unit) avoided saves, against what one costs."""
    at_price: dict[tuple[str, str], list[tuple[Row, Row, float]]] = {}
    for (organisation, pod), rows in _targets(plan, _REMOVES).items():
        cost = rate(plan, "unit-cost", organisation, pod)
        if cost is None or cost["pod"] != pod or base(cost) <= 0 or pod not in PODS:
            continue
        for effect in rows:
            savings = _savings_of(plan, effect, organisation)
            in_units = [("effects", effect)] if effect["unit"] == PODS[pod].unit else _in_units(plan, effect["scheme"], organisation, pod)
            units = _units(in_units)
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
            figures={"removed": Quantity(units, unit), "cost of each": Quantity(base(cost), "GBP"), "value": Quantity(units * base(cost), "GBP")},
        )


def _savings_of(plan: Plan, effect: Row, organisation: str) -> list[Row]:
    """The money an effect on activity is said to save: what follows it, else what its scheme saves at the same organisation."""
    savings = [row for row in effects(plan, "save") if row["scheme"] == effect["scheme"] and money(plan, row)]
    following = [row for row in savings if row["follows"] == effect.id]
    return following or [row for row in savings if not row["follows"] and organisations(row) == (organisation,)]


def savings_per_bed(plan: Plan) -> Iterator[Challenge]:
    """What each bed released saves a year, scheme by scheme and against what a bed costs now."""
    for organisation in dict.fromkeys(target[0] for target in _targets(plan, (*_REMOVES, "shorten"))):
        found: list[tuple[Row, list[Row], float, float]] = []
        for effect in effects(plan, *_REMOVES, "shorten"):
            if effect["unit"] != "beds" or organisations(effect) != (organisation,) or not size(effect):
                continue
            # One scheme's money over several of its effects cannot be given to one of them.
            alone = sum(1 for row in effects(plan, *_REMOVES, "shorten") if row["scheme"] == effect["scheme"]) == 1
            savings = _savings_of(plan, effect, organisation)
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
        yield ask(plan, "saving-per-bed", organisation, severity, question, used=used, concerns=list(each), figures=figures)


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
    spoken = listed([f"{percent(value)} ({name_of(plan, 'organisations', name)})" for name, value in sorted(yearly.items(), key=lambda item: -item[1])])
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
    yield ask(plan, "growth", "cost", severity, question, used=used, concerns=[name for name in yearly if name != "all"], figures=figures)


def _bed_growth(plan: Plan) -> Iterator[Challenge]:
    for organisation in dict.fromkeys(row["organisation"] for row in plan["growth"].where(measure="beds") if row["organisation"]):
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
        yield ask(plan, "growth", f"beds-{organisation}", severity, question, used=used, concerns=[organisation], figures=figures)


def _no_growth(plan: Plan) -> Iterator[Challenge]:
    """A plan that counts on no growth, against what growth at its own upper end would take back."""
    targets = _targets(plan, _REMOVES)
    for row in plan["growth"].where(measure="activity", unit="%"):
        organisation, pod = row["organisation"], row["pod"]
        if base(row) > 0 or not row["high"] or pod not in PODS:
            continue
        now = baseline_activity(plan, organisation, pod)
        removed = [effect for effect in targets.get((organisation, pod), []) if effect["unit"] == PODS[pod].unit]
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
            used=[("growth", row), *(("activity", found) for found in now), *(("effects", effect) for effect in removed)],
            concerns=[effect["scheme"] for effect in removed],
            figures={"growth at its high end": Quantity(more, PODS[pod].unit), "to be avoided": Quantity(less, PODS[pod].unit)},
        )


def staff_against_work(plan: Plan) -> Iterator[Challenge]:
    """Staff that fall or grow against the growth of cost and of beds."""
    grown = [row for row in plan["growth"].where(measure="cost") if row["unit"] == "%"]
    for organisation in dict.fromkeys(row["organisation"] for row in plan["workforce"]):
        whole = [row for row in plan["workforce"].where(organisation=organisation, staff_group="All staff") if row["unit"] == "WTE"]
        whole.sort(key=lambda row: row["year"])
        if len(whole) < 2 or whole[0]["year"] == whole[-1]["year"] or base(whole[0]) <= 0:
            continue
        first, last = whole[0], whole[-1]
        change = base(last) / base(first) - 1
        # An organisation that stands for several has no growth of its own: theirs is the range.
        own = [row for row in grown if row["organisation"] == organisation] or (
            [row for row in grown if _kind(plan, row["organisation"]).endswith("provider")] if _kind(plan, organisation) in ("other", "system") else []
        )
        if change >= 0 or not own:
            continue
        growths = sorted(base(row) for row in own)
        spoken = percent(growths[0]) if growths[0] == growths[-1] else f"{percent(growths[0])} to {percent(growths[-1])}"
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


def care_that_replaces(plan: Plan) -> Iterator[Challenge]:
    """What the care put in place of hospital work costs and who gives it, against what is saved."""
    for effect in effects(plan, *_REMOVES):
        if len(organisations(effect)) != 1 or not effect["becomes_pod"] or not effect["becomes_organisation"]:
            continue
        units, used = _appearing(plan, effect)
        cost = rate(plan, "unit-cost", effect["becomes_organisation"], effect["becomes_pod"])
        savings = _savings_of(plan, effect, organisations(effect)[0])
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
        return (removed * effect["per_bed"] * _units_a_bed(plan, used), used) if used and effect["unit"] == "beds" else (0.0, [])
    if effect["per_unit"] is None or pod not in PODS:
        return 0.0, []
    if effect["unit"] == PODS[pod].unit:
        return removed * effect["per_unit"], []
    in_units = _in_units(plan, effect["scheme"], organisations(effect)[0], pod)
    if effect["unit"] == "beds" and in_units:
        return _units(in_units) * effect["per_unit"], in_units
    used = _rates_of_beds(plan, organisations(effect)[0], pod)
    return (removed * _units_a_bed(plan, used) * effect["per_unit"], used) if used and effect["unit"] == "beds" else (0.0, [])


def _rates_of_beds(plan: Plan, organisation: str, pod: str) -> list[Used]:
    occupancy, stay = rate(plan, "occupancy", organisation, pod), rate(plan, "length-of-stay", organisation, pod)
    return [("rates", occupancy), ("rates", stay)] if occupancy is not None and stay is not None and base(stay) > 0 else []


def _units_a_bed(plan: Plan, used: list[Used]) -> float:
    (_, occupancy), (_, stay) = used
    return plan.parameter("days-in-year", 365) * base(occupancy) / base(stay)


def work_that_goes_nowhere(plan: Plan) -> Iterator[Challenge]:
    """Activity taken out of hospital with no care put in its place."""
    gone = [row for row in effects(plan, "avoid") if not row["becomes_pod"] and row["unit"] and not UNITS[row["unit"]].is_money]
    if gone:
        sizes = listed([f"{count(size(row) or 0.0, row['unit'])} ({name_of(plan, 'schemes', row['scheme'])})" for row in gone])
        yield ask(
            plan,
            "nowhere-to-go",
            "",
            "question",
            f"Activity is avoided and nothing appears in its place: {sizes}. Who looks after these people instead, with what staff, and what does it cost?",
            used=[("effects", row) for row in gone],
            concerns=[row["scheme"] for row in gone],
        )
