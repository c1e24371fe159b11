"""What is missing: schemes nobody owns, measures or evidences, figures that are assumed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    ask,
    effects,
    listed,
    money,
    percent,
    scheme_names,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

_MODELLED = (
    "spend",
    "activity",
    "beds",
    "rates",
    "growth",
    "funding",
    "delivery",
    "common_causes",
    "parameters",
    "effects",
)
"""Tables the model reads its numbers from."""


_MISSING = {
    "owner": "owner",
    "metric": "measure that should move",
    "evidence": "evidence",
    "milestone": "dated milestone",
    "effect": "effect on activity, beds, staff or money",
}


def schemes_without(plan: Plan) -> Iterator[Challenge]:
    """Schemes without owner, metric, evidence, dated milestone or effect: one question each."""
    with_effect = {effect["scheme"] for effect in plan["effects"] if effect["kind"] != "build"}
    with_milestone = {row["scheme"] for row in plan["milestones"] if row["due"]}
    tests: tuple[tuple[str, Severity, str, Callable[[Row], bool]], ...] = (
        ("owner", "question", "Who answers for them?", lambda row: bool(row["owner"])),
        ("metric", "question", "How will the board know they work?", lambda row: bool(row["metrics"])),
        ("evidence", "question", "What is the size of their effect taken from?", lambda row: bool(row["evidence"])),
        (
            "milestone",
            "look",
            "When will anything be seen?",
            lambda row: bool(row["milestones"]) or row.id in with_milestone,
        ),
        ("effect", "look", "What do they change, and how will that be counted?", lambda row: row.id in with_effect),
    )
    schemes = [scheme.row for scheme in plan.schemes]
    saving = {
        name: sum(money(plan, effect) or 0.0 for effect in effects(plan, "save") if effect["scheme"] == name)
        for name in {row.id for row in schemes}
    }
    for missing, severity, asked, has in tests:
        without = [row for row in schemes if not has(row)]
        if not without:
            continue
        worth, whole = sum(saving[row.id] for row in without), sum(saving.values())
        money_said = (
            f", {pounds(worth)} of {pounds(whole)} of the savings"
            if worth and missing in ("owner", "evidence", "metric")
            else ""
        )
        yield ask(
            plan,
            f"without-{missing}",
            "",
            severity,
            f"No {_MISSING[missing]} is given for {len(without)} of {len(schemes)} schemes{money_said} ({scheme_names(plan, (row.id for row in without))}). "
            f"{asked}",
            used=[("schemes", row) for row in without],
            concerns=[row.id for row in without],
            figures={
                "schemes": Quantity(float(len(without)), "schemes"),
                **({"savings": Quantity(worth, "GBP")} if money_said else {}),
            },
        )


def metrics_without(plan: Plan) -> Iterator[Challenge]:
    """Metrics with a target and no baseline, a baseline and no target, or no scheme that should move them."""
    kinds: dict[str, set[str]] = {}
    for row in plan["trajectories"]:
        kinds.setdefault(row["metric"], set()).add(row["kind"])
    aims = {"target", "trajectory"}
    no_start = [
        row for row in plan["metrics"] if kinds.get(row.id, set()) & aims and "baseline" not in kinds.get(row.id, set())
    ]
    no_end = [row for row in plan["metrics"] if not kinds.get(row.id, set()) & aims]
    moved = {name for row in plan["schemes"] for name in row["metrics"] or ()}
    alone = [row for row in plan["metrics"] if row.id not in moved]
    for about, rows, asked in (
        ("baseline", no_start, "How far is there to go?"),
        ("target", no_end, "What would be good enough, and by when?"),
        ("scheme", alone, "Which scheme should move them?"),
    ):
        if rows:
            yield ask(
                plan,
                f"metric-without-{about}",
                "",
                "look",
                f"No {about} is given for {len(rows)} of {len(plan['metrics'])} measures{' with a target' if about == 'baseline' else ''} "
                f"({listed([row['name'] for row in rows])}). {asked}",
                used=[("metrics", row) for row in rows],
                concerns=[row.id for row in rows],
                figures={"measures": Quantity(float(len(rows)), "items")},
            )


def risks_without(plan: Plan) -> Iterator[Challenge]:
    """Risks nobody owns or does anything about."""
    for column, asked in (("owner", "Who watches them?"), ("mitigation", "What is done about them?")):
        rows = [row for row in plan["risks"] if not row[column]]
        if rows:
            yield ask(
                plan,
                f"risk-without-{column}",
                "",
                "look",
                f"No {column} is given for {len(rows)} of {len(plan['risks'])} risks. {asked}",
                used=[("risks", row) for row in rows],
                concerns=[row.id for row in rows],
                figures={"risks": Quantity(float(len(rows)), "items")},
            )


def money_alone(plan: Plan) -> Iterator[Challenge]:
    """Savings tied to no change in activity, beds, staff or buildings."""
    savings = [(effect, money(plan, effect) or 0.0) for effect in effects(plan, "save")]
    tied = {effect["scheme"] for effect in plan["effects"] if effect["kind"] not in ("save", "invest")}
    alone = sorted(
        ((effect, total) for effect, total in savings if effect["scheme"] not in tied and total),
        key=lambda pair: -pair[1],
    )
    worth, whole = sum(total for _, total in alone), sum(total for _, total in savings)
    if worth and worth > 0.1 * whole:
        names = scheme_names(plan, (effect["scheme"] for effect, _ in alone))
        yield ask(
            plan,
            "money-alone",
            "",
            "question",
            f"{pounds(worth)} of {pounds(whole)} of savings ({percent(worth / whole)}) is tied to no change in activity, beds, staff or buildings ({names}). "
            "What will be different for the money to be saved?",
            used=[("effects", effect) for effect, _ in alone],
            concerns=[effect["scheme"] for effect, _ in alone],
            figures={"savings tied to nothing": Quantity(worth, "GBP"), "all savings": Quantity(whole, "GBP")},
        )


def assumed(plan: Plan) -> Iterator[Challenge]:
    """How much of what the model reads is not in the papers."""
    rows: list[Used] = [(name, row) for name in _MODELLED for row in plan[name]]
    invented = [(name, row) for name, row in rows if row["basis"] == "assumed"]
    if not invented:
        return
    by_table = {name: sum(1 for table, _ in invented if table == name) for name in _MODELLED}
    spoken = listed([f"{number} of {len(plan[name])} in {name}" for name, number in by_table.items() if number], 10)
    share = len(invented) / len(rows)
    yield ask(
        plan,
        "assumed",
        "",
        "question" if share > 0.5 else "look",
        f"{len(invented)} of the {len(rows)} rows the model reads ({percent(share)}) are not in the papers and are assumed: {spoken}. "
        "Which of them can the partners replace with their own figures?",
        used=invented,
        figures={"assumed rows": Quantity(float(len(invented)), "items"), "share": Quantity(share * 100, "%")},
    )
