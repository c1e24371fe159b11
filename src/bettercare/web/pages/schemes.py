"""A scheme's own page: everything that is known of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from bettercare.assurance.milestones import belongs
from bettercare.plan import Plan, Row, Scheme
from bettercare.reports.programme.front import fund_year
from bettercare.store import Missing
from bettercare.vocabulary import PODS
from bettercare.web.guard import Reader
from bettercare.web.pages.dashboard import row
from bettercare.web.pages.overview import published
from bettercare.web.render import page
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

KINDS = {
    "avoid": "Avoids", "shift": "Moves", "shorten": "Shortens stays", "add": "Adds", "save": "Saves", "invest": "Costs", "build": "Waits for",
    "staff": "Changes staff",
}  # fmt: skip


@router.get("/plans/{plan}/schemes/{id}")
def scheme(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """A scheme: what it does and on what evidence, who owns it, and how it stands."""
    plan = assessment.plan
    its = next((one for one in plan.schemes if one.id == id), None)
    if its is None:
        raise Missing(f"The plan has no scheme {id!r}.", remedy="Choose one from the plan's page.")
    year = fund_year(assessment)
    fund = assessment.fund(year) if year else None
    metrics = [assessment.judgements[name] for name in its.row["metrics"] or () if name in assessment.judgements]
    about = {f"scheme:{id}", *(f"exception:{one.exception.id}" for one in metrics if one.exception)}
    return page(
        request, visitor, "scheme.html.j2", assessment, title=its.name, scheme=its,
        theme=plan["themes"].by_id[its.row["theme"]], does=published(deployed, plan).planned.schemes[id],
        effects=[_effect(plan, its, effect) for effect in its.effects], source=source(plan, its.row),
        requires=[plan.scheme(name) for name in its.requires], metrics=[row(one) for one in metrics],
        milestones=[one for one in assessment.schedule.milestones if belongs(one.id, one.scheme, its)],
        line=next((one for one in fund.lines if one.account == f"scheme:{id}"), None) if fund else None, fund=fund,
        risks=[risk for risk in assessment.registers.risks if risk.scheme == id],
        actions=[action for action in assessment.registers.actions if about & set(action.about)],
        organisations=[_name(plan, one) for one in its.row["organisations"] or ()], chain=assessment.chain(f"scheme:{id}"),
        delivery=plan["delivery"].by_id[its.row["delivery"]],
    )  # fmt: skip


def source(plan: Plan, row: Row) -> str:
    """Title of the document a row comes from, and where in it."""
    document = plan["sources"].by_id.get(str(row["source"] or ""))
    return ": ".join(filter(None, (str(document["title"]) if document else "", row["where"])))


def _name(plan: Plan, organisation: str) -> str:
    found = plan["organisations"].by_id.get(organisation)
    return str(found["name"]) if found else organisation


def _effect(plan: Plan, its: Scheme, effect: Row) -> Mapping[str, Any]:
    """An effect in words."""
    what = PODS[effect["pod"]].name if effect["pod"] in PODS else ""
    where = ", ".join(_name(plan, one) for one in effect["organisation"] or ())
    return {
        "id": effect.id,
        "kind": KINDS[effect["kind"]],
        "size": _size(effect),
        "target": "; ".join(filter(None, (what, where))),
        "by": effect["by"] or str(plan.last_year),
        "basis": effect["basis"],
        "source": source(plan, effect if effect["source"] else its.row)
        if effect["basis"] != "assumed"
        else "Not in the papers",
        "note": effect["note"] or "",
    }


MONEY = {"GBP": "", "GBP k": "k", "GBP m": "m", "GBP bn": "bn"}
"""How a unit of money ends."""


def _size(effect: Row) -> str:
    """The size with the digits that are printed."""
    each = " each" if effect["per"] == "unit" else ""
    unit = str(effect["unit"] or "")

    def written(column: str) -> str:
        text = f"{float(effect.text[column]):,.0f}" if effect.text[column].isdigit() else effect.text[column]
        return f"£{text}{MONEY[unit]}" if unit in MONEY else f"{text} {unit}".strip()

    if effect.text.get("size"):
        return written("size") + each
    if effect.text.get("likely"):
        return f"{written('likely')}{each} ({written('low')} to {written('high')})"
    return f"{written('p10')} to {written('p90')}{each}" if effect.text.get("p10") else ""
