"""Several schemes aimed at one thing, and several figures for one thing."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import TYPE_CHECKING

from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    activity_name,
    amount,
    ask,
    base,
    base_cost,
    baseline_activity,
    baseline_beds,
    cost_shares,
    count,
    effects,
    money,
    name_of,
    organisations,
    percent,
    plan_years,
    scheme_names,
    size,
)
from bettercare.plan.check import Verdict, check
from bettercare.plan.claims import expression_of
from bettercare.plan.expression import Leaf
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, UNITS, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

ORDINARY_EFFICIENCY = 0.02
"""Share of cost a year that national tariffs asked providers to save in 2016/17 to 2018/19 (NHS England and NHS Improvement)."""


def one_activity(plan: Plan) -> Iterator[Challenge]:
    """Several schemes that remove the same activity: what they claim together, and what is left if each acts on the rest."""
    targets: dict[tuple[str, str], list[Row]] = {}
    for effect in effects(plan, "avoid", "shift", "shorten"):
        if effect["pod"] and len(organisations(effect)) == 1 and size(effect):
            targets.setdefault((organisations(effect)[0], effect["pod"]), []).append(effect)
    for (organisation, pod), rows in targets.items():
        if len({row["scheme"] for row in rows}) < 2:
            continue
        beds, activity = baseline_beds(plan, organisation, pod), baseline_activity(plan, organisation, pod)
        whole = {"beds": sum(map(base, beds)), PODS[pod].unit: sum(map(base, activity)), "%": 1.0}
        if not all(whole.get(row["unit"]) for row in rows):
            continue
        shares = [(size(row) or 0.0) / whole[row["unit"]] for row in rows]
        together, on_what_is_left = sum(shares), 1 - prod(1 - min(share, 1.0) for share in shares)
        unit = next((row["unit"] for row in rows if row["unit"] != "%"), "%")
        lost = (together - on_what_is_left) * whole[unit]
        severity: Severity = "serious" if together > 0.25 else "question" if together > 0.1 else "look"
        of = f"{count(whole[unit], unit)} there are" if unit != "%" else "activity there is"
        if unit == "%":
            claimed, over = percent(together), f"{percent(lost)} of it"
        else:
            claimed, over = f"{count(together * whole[unit], unit)} ({percent(together)})", f"{count(lost, unit)}"
        yield ask(
            plan,
            "double-counting",
            f"{organisation}-{pod}",
            severity,
            f"{len({row['scheme'] for row in rows})} schemes each take from the {activity_name(pod)} of {name_of(plan, 'organisations', organisation)}: "
            f"{scheme_names(plan, (row['scheme'] for row in rows))}. Together they claim {claimed} of the {of}. "
            f"If each was sized alone, acting on what the others leave gives {percent(on_what_is_left)}, about {over} fewer: "
            "do they mean the same patients?",
            used=[
                *(("effects", row) for row in rows),
                *(("beds", row) for row in beds),
                *(("activity", row) for row in activity),
            ],
            concerns=[row["scheme"] for row in rows],
            figures={
                "claimed together": Quantity(together * 100, "%"),
                "acting on what the others leave": Quantity(on_what_is_left * 100, "%"),
                "overlap": Quantity(lost * (100 if unit == "%" else 1), unit),
            },
        )


def one_purse(plan: Plan) -> Iterator[Challenge]:
    """What all schemes together save at one organisation, against what it spends."""
    saved: dict[str, list[tuple[Row, float]]] = {}
    for effect in effects(plan, "save"):
        total = money(plan, effect)
        for organisation, share in cost_shares(plan, effect).items() if total else ():
            saved.setdefault(organisation, []).append((effect, (total or 0.0) * share))
    for organisation, parts in saved.items():
        costs = base_cost(plan, organisation)
        cost = sum(map(base, costs))
        schemes = list(dict.fromkeys(effect["scheme"] for effect, _ in parts))
        if len(schemes) < 2 or not cost:
            continue
        total = sum(part for _, part in parts)
        grown = [row for row in plan["growth"].where(measure="cost", organisation=organisation) if row["unit"] == "%"]
        do_nothing = cost * (1 + sum(map(base, grown)))
        yearly = 1 - (1 - total / do_nothing) ** (1 / plan_years(plan)) if total < do_nothing else 1.0
        severity: Severity = (
            "serious" if yearly > 2 * ORDINARY_EFFICIENCY else "question" if yearly > ORDINARY_EFFICIENCY else "look"
        )
        largest = sorted(parts, key=lambda part: -part[1])
        used: list[Used] = [
            *(("effects", effect) for effect, _ in parts),
            *(("spend", row) for row in costs),
            *(("growth", row) for row in grown),
        ]
        yield ask(
            plan,
            "savings-on-one-purse",
            organisation,
            severity,
            f"{len(schemes)} schemes together save {pounds(total)} at {name_of(plan, 'organisations', organisation)}, "
            f"{percent(total / do_nothing)} of the {pounds(do_nothing)} it would spend, or {percent(yearly)} a year "
            f"(national tariffs asked for about {percent(ORDINARY_EFFICIENCY)}). "
            f"The largest is {name_of(plan, 'schemes', largest[0][0]['scheme'])} at {pounds(largest[0][1])}. "
            "Do efficiency and avoided work count any of the same cost twice?",
            used=used,
            concerns=schemes,
            figures={
                "saved": Quantity(total, "GBP"),
                "spend if nothing is done": Quantity(do_nothing, "GBP"),
                "share": Quantity(total / do_nothing * 100, "%"),
                "share a year": Quantity(yearly * 100, "% a year"),
            },
        )


def one_basket(plan: Plan) -> Iterator[Challenge]:
    """One scheme that carries a large part of all savings."""
    saved: dict[str, list[tuple[Row, float]]] = {}
    for effect in effects(plan, "save"):
        if total := money(plan, effect):
            saved.setdefault(effect["scheme"], []).append((effect, total))
    if len(saved) < 4:
        return
    totals = {name: sum(part for _, part in parts) for name, parts in saved.items()}
    name, most = max(totals.items(), key=lambda item: item[1])
    share = most / sum(totals.values())
    if share > 0.25:
        yield ask(
            plan,
            "one-basket",
            name,
            "question",
            f"{name_of(plan, 'schemes', name)} carries {pounds(most)} of the {pounds(sum(totals.values()))} of savings ({percent(share)}), "
            f"as much as {_smallest(totals, most)} of the other schemes together. Into what parts does it divide, and who answers for each?",
            used=[("effects", effect) for parts in saved.values() for effect, _ in parts],
            concerns=[name],
            figures={
                "its savings": Quantity(most, "GBP"),
                "all savings": Quantity(sum(totals.values()), "GBP"),
                "share": Quantity(share * 100, "%"),
            },
        )


def _smallest(totals: dict[str, float], most: float) -> int:
    """How many of the smallest schemes together save no more than one does."""
    running, number = 0.0, 0
    for value in sorted(totals.values())[:-1]:
        running += value
        if running > most:
            break
        number += 1
    return number


def two_figures(plan: Plan) -> Iterator[Challenge]:
    """Two printed figures for one thing that no rounding reconciles."""
    claims = plan["claims"].by_id
    for verdict in check(plan):
        if verdict.verdict == "inconsistent" and verdict.relation in ("equals", "about"):
            node = expression_of(plan, claims[verdict.id]).node
            if isinstance(node, Leaf):
                yield _two(plan, verdict, claims[verdict.id], node)


def _two(plan: Plan, verdict: Verdict, claim: Row, leaf: Leaf) -> Challenge:
    table, _, name = leaf.id.partition(".")
    row, scale = plan[table].by_id.get(name), UNITS[verdict.unit].scale
    used: list[Used] = [("claims", claim), *([(table, row)] if row is not None else [])]
    return ask(
        plan,
        "two-figures",
        verdict.id,
        # Two labels for one thing (a paragraph, the name of a standard) are a slip; two amounts are a decision.
        "look" if verdict.unit == "text-number" else "question",
        f"Two figures are printed for one thing: {amount(verdict.stated * scale, verdict.unit)} and {amount(leaf.value, verdict.unit)} "
        f"({verdict.statement.rstrip('.')}). Which one is the plan's?",
        used=used,
        concerns=[leaf.id],
        figures={
            "stated": Quantity(verdict.stated, verdict.unit),
            "elsewhere": Quantity(verdict.recomputed, verdict.unit),
        },
    )
