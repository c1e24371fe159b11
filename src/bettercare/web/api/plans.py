"""Who one is, the plans, their schemes, and what checking and challenging them finds."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal

from fastapi import Depends, Path
from pydantic import BaseModel, Field

from bettercare.access.roles import RIGHTS, Right, Role
from bettercare.assurance import Assessment
from bettercare.assurance.boards import Board
from bettercare.assurance.programme import Programme
from bettercare.plan import Row, Scheme
from bettercare.plan.challenge import challenge
from bettercare.plan.check import check
from bettercare.store import Missing
from bettercare.web.api.routing import Assessed, changing, of_plan, part
from bettercare.web.api.shapes import body_of, record_of, shape, takes
from bettercare.web.guard import Reader, Visitor, needs
from bettercare.web.pages.home import state_of
from bettercare.web.state import Deployed, Deployment

RuleMaker = Annotated[Visitor, Depends(needs("rules"))]

router = part("Plans")
about = of_plan("Plans")


class Me(BaseModel):
    """Who the request is made as."""

    user: str = Field(description="User name")
    name: str = Field(description="What people call them")
    role: Role = Field(description="Decides what they may do")
    rights: list[Right] = Field(description="What they may do")
    by: Literal["token", "session"] = Field(description="How they are known")


class PlanState(BaseModel):
    """A plan and how it stands."""

    id: str = Field(description="Reference", examples=["leicestershire-bcf-2014"])
    title: str
    footprint: str = Field(description="The place it is for")
    first_year: str = Field(examples=["2014/15"])
    last_year: str = Field(examples=["2015/16"])
    on: date = Field(description="Data date: the day that everything said of it is as at")
    verdict: str = Field(description="How it stands, in a sentence or two")
    ratings: dict[str, int] = Field(description="How many metrics have each rating", examples=[{"red": 2, "green": 4}])
    off_track: int = Field(description="Metrics off track")
    late: int = Field(description="Milestones late or at risk")
    synthetic: bool = Field(
        description="Whether any of what the store holds for it is invented, for trying the software out"
    )


class Named(BaseModel):
    """A thing of the plan and what it is called."""

    id: str
    name: str


class PlanOut(PlanState):
    """A plan with what it is made of."""

    kind: str = Field(description="system-plan or better-care-fund")
    base_year: str
    price_base: str = Field(description="Financial year whose prices the money is in")
    summary: str
    themes: list[Named]
    organisations: list[Named]
    boards: list[shape(Board)]  # type: ignore[valid-type]
    scenarios: list[str] = Field(description="Names of the scenarios that the model can be run under")
    fund_years: list[str] = Field(description="Financial years the pooled fund has entries in")


class Effect(BaseModel):
    """Something a scheme does."""

    id: str
    kind: str = Field(description="avoid, shift, shorten, add, save, invest, build or staff")
    organisations: list[str]
    pod: str = Field(description="Point of delivery; blank for none")
    size: dict[str, str] = Field(
        description="As it is printed: size, or low, likely and high, or p10 and p90", examples=[{"size": "128"}]
    )
    unit: str
    by: str = Field(description="The year the full size is reached; blank for the plan's last")
    basis: str = Field(description="stated, reconstructed or assumed")
    where: str = Field(description="Source and line in the papers")
    note: str


class SchemeOut(BaseModel):
    """A scheme."""

    id: str
    name: str
    theme: str
    owner: str = Field(description="Blank when the papers name none")
    summary: str
    evidence: str = Field(description="What the papers offer as evidence")
    starts: str = Field(description="First year anything is delivered")
    requires: list[str] = Field(description="Schemes that must be delivered first")
    metrics: list[str] = Field(description="Metrics it should move")
    milestones: list[str]
    where: str = Field(description="Source and line in the papers")
    effects: list[Effect]


@router.get("/me", response_model=Me)
def me(visitor: Reader) -> Any:
    """Who one is and what one may do."""
    user = visitor.user
    return Me(
        user=user.id, name=user.name, role=user.role, rights=sorted(RIGHTS[user.role]), by="session" if visitor.session else "token"
    )  # fmt: skip


@router.get("/plans", response_model=list[PlanState])
def plans(visitor: Reader, deployed: Deployed) -> Any:
    """The plans of this server, with the state of each."""
    return [_state(deployed, deployed.assessment(plan)) for plan in deployed.plans]


def _state(deployed: Deployment, assessment: Assessment) -> Mapping[str, Any]:
    plan, state = assessment.plan, state_of(deployed, assessment.plan.id)
    return {
        "id": plan.id, "title": plan.title, "footprint": plan.header["footprint"], "first_year": str(plan.first_year), "last_year": str(plan.last_year),
        "on": state.on, "verdict": state.verdict, "ratings": dict(state.counts), "off_track": state.off_track, "late": state.late, "synthetic": state.synthetic,
    }  # fmt: skip


@about.get("", response_model=PlanOut)
def plan(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """One plan."""
    its = assessment.plan
    return {
        **_state(deployed, assessment),
        "kind": its.header["kind"], "base_year": str(its.base_year), "price_base": its.header["price_base"], "summary": str(its.header.get("summary") or ""),
        "themes": [{"id": row.id, "name": row["name"]} for row in its["themes"]],
        "organisations": [{"id": row.id, "name": row["name"]} for row in its["organisations"]],
        "boards": list(assessment.boards.values()), "scenarios": list(its.scenarios), "fund_years": list(assessment.years),
    }  # fmt: skip


@about.get("/programme", response_model=Programme)
def programme(visitor: Reader, assessment: Assessed) -> Any:
    """How the plan is run: its data date, and where the section 75 agreement stands."""
    return assessment.registers.programme


_PROGRAMME = body_of(Programme, ("as_at", "section_75"), "ProgrammeIn", {"as_at": "2016-01-31"}, again=True)


@about.put("/programme", response_model=Programme)
@takes(_PROGRAMME)
def change_programme(visitor: RuleMaker, assessment: Assessed, deployed: Deployed, body: Any) -> Any:
    """Change the data date or the words on the section 75 agreement. Send the version that was read."""
    now = assessment.registers.programme
    made = record_of(Programme, **now.model_dump() | body.model_dump())
    with changing(deployed, visitor, "Changed through the API") as change:
        return change.replace(made)


@about.get("/schemes", response_model=list[SchemeOut])
def schemes(visitor: Reader, assessment: Assessed) -> Any:
    """The schemes of a plan, each with its effects."""
    return [_scheme(one) for one in assessment.plan.schemes]


@about.get("/schemes/{id}", response_model=SchemeOut)
def scheme(
    visitor: Reader, assessment: Assessed, id: Annotated[str, Path(description="Id of the scheme", max_length=120)]
) -> Any:
    """One scheme."""
    for one in assessment.plan.schemes:
        if one.id == id:
            return _scheme(one)
    raise Missing(f"The plan has no scheme {id!r}.", remedy="Choose one from the list of schemes.")


def _scheme(one: Scheme) -> Mapping[str, Any]:
    row = one.row
    words = {name: str(row[name] or "") for name in ("theme", "owner", "summary", "evidence", "starts")}
    lists = {name: row[name] or () for name in ("requires", "metrics", "milestones")}
    return {
        "id": one.id,
        "name": one.name,
        **words,
        **lists,
        "where": _where(row),
        "effects": [_effect(effect) for effect in one.effects],
    }


def _effect(row: Row) -> Mapping[str, Any]:
    words = {name: str(row[name] or "") for name in ("kind", "pod", "unit", "by", "basis", "note")}
    size = {name: row.text[name] for name in ("size", "low", "likely", "high", "p10", "p90") if row.text.get(name)}
    return {"id": row.id, **words, "organisations": row["organisation"] or (), "size": size, "where": _where(row)}


def _where(row: Row) -> str:
    return ": ".join(filter(None, (row["source"], row["where"])))


class Verdict(BaseModel):
    """A claim that the plan makes about itself, worked out again."""

    id: str
    plan: str
    statement: str
    stated: float
    recomputed: float | None = Field(description="By the plan's own tables")
    unit: str
    verdict: Literal["agrees", "rounding", "inconsistent"] = Field(
        description="inconsistent: no rounding of the printed figures can reconcile the two"
    )
    source: str
    relation: str
    low: float | None = Field(
        description="Lowest it can be by the rounding of printed figures; null for a range without end"
    )
    high: float | None
    where: str
    note: str
    components: list[str] = Field(description="Rows it is worked out from")
    rests_on: list[str] = Field(description="Those of them that are assumed")
    why: str


class Figure(BaseModel):
    """A figure of a question."""

    value: float
    unit: str


class ChallengeOut(BaseModel):
    """Something the plan implies and does not say."""

    id: str
    kind: str
    severity: Literal["look", "question", "serious"]
    question: str
    figures: dict[str, Figure]
    concerns: list[str] = Field(description="Ids of the schemes, programmes, metrics or organisations it is about")
    source: str
    rests_on: list[str] = Field(description="Assumed rows it uses")


@about.get("/check", response_model=list[Verdict])
def check_claims(
    visitor: Reader,
    assessment: Assessed,
    deployed: Deployed,
    only: Literal["agrees", "rounding", "inconsistent"] | None = None,
) -> Any:
    """What the plan says about itself, recomputed; of one verdict alone when asked."""
    its = assessment.plan
    found = deployed.keep((its.id, "verdicts"), lambda: [one.as_dict() for one in check(its)])
    return [one for one in found if only in (None, one["verdict"])]


@about.get("/challenge", response_model=list[ChallengeOut])
def challenge_plan(visitor: Reader, assessment: Assessed, deployed: Deployed) -> Any:
    """What the plan implies and does not say, for a Board to confirm or challenge."""
    its = assessment.plan
    return [one.as_dict() for one in deployed.keep((its.id, "challenge"), lambda: challenge(its))]
