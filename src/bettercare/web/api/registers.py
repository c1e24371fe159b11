"""Registers: risks, actions, decisions, meetings with agenda and declarations, questions. Each is listed, read, added to, changed and
removed in one way, by the rules of its pages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, Field

from bettercare.assurance import Assessment
from bettercare.assurance.boards import board
from bettercare.assurance.chain import check_ref
from bettercare.assurance.decisions import Decision, decide, recommend
from bettercare.assurance.questions import Suggestion, suggestions
from bettercare.errors import BettercareError, Fault
from bettercare.store import Record
from bettercare.web.api.routing import Assessed, Id, Limit, Start, Version, changing, of_plan, refused
from bettercare.web.api.shapes import REFERENCE, VERSION, Body, Rows, body_of, many, part_of, record_of, takes
from bettercare.web.guard import Reader, Visitor, needs
from bettercare.web.pages.actions import ACTIONS
from bettercare.web.pages.decisions import DECISIONS, Decider
from bettercare.web.pages.meetings import AGENDA, DECLARATIONS, MEETINGS
from bettercare.web.pages.questions import QUESTIONS, STEPS
from bettercare.web.pages.registers import Register, found
from bettercare.web.pages.risks import RISKS
from bettercare.web.state import Deployed

R = TypeVar("R", bound=Record)

EXAMPLES: dict[str, dict[str, Any]] = {
    "risks": {"risk": "There is a risk that posts are not filled in time", "likelihood": 3, "impact": 4, "owner": "Workforce lead", "review": "2016-03-31"},
    "actions": {"action": "Agree the rota for weekends", "body": "integration-executive", "officers": "Operational Group", "due": "2016-02-26", "about": ["rag:m4"]},
    "decisions": {"decision": "The unit opens on Saturdays", "body": "integration-executive", "on": "2016-01-28", "minute": "45(a)", "about": ["rag:m4"]},
    "meetings": {"body": "integration-executive", "on": "2016-03-31", "time": "14:00"},
    "agenda": {"meeting": "ie-2016-02-25", "number": "4", "title": "Delayed transfers of care"},
    "declarations": {"meeting": "ie-2016-02-25", "member": "A member", "interest": "Employed by a provider of the scheme", "item": "4"},
    "questions": {"question": "What will be different by March?", "body": "leicestershire-hwb", "raised": "2016-01-28", "about": ["rag:m4"]},
}  # fmt: skip
"""One row of each register, for the description."""


def checked(register: Register[R], assessment: Assessment, made: R, before: R | None, asked: Sequence[str] = ()) -> R:
    """A row put right, by the rules of its register.

    Args:
        before: the row it takes the place of; None for a new one.
        asked: the fields that were sent, where they are not all of the register's.

    Raises:
        BettercareError: with a fault for each field that refers to what there is not.
    """
    choices, faults = register.choices(assessment), []
    for name in asked or register.asked:
        value = getattr(made, name)
        # What is there already may stay, though the plan no longer names it.
        if before is not None and getattr(before, name) == value:
            continue
        if name == "about":
            value, wrong = _about(assessment, value)
            made = made.model_copy(update={"about": value})
            faults += wrong
            continue
        given = choices.get(name, choices.get(_refers(register.kind, name)))
        if given is not None:
            known = {one for one, _ in given}
            faults += [Fault(name, f"There is no {value!r}.", _among(known))] if value not in known | {""} else []
    if faults:
        raise refused(f"The {register.one} names what there is not.", faults)
    return register.check(assessment, made)


def _refers(kind: type[Record], name: str) -> str:
    extra = kind.model_fields[name].json_schema_extra
    return str(extra.get("refers", "")) if isinstance(extra, dict) else ""


def _about(assessment: Assessment, refs: Sequence[str]) -> tuple[tuple[str, ...], list[Fault]]:
    held, faults = [], []
    for ref in refs:
        try:
            held.append(check_ref(assessment, ref))
        except BettercareError as error:
            faults.append(Fault("about", error.what, error.remedy))
    return tuple(held), faults


def _among(known: set[str], most: int = 12) -> str:
    named = sorted(known)
    return (
        f"There {'is' if len(named) == 1 else 'are'}: {', '.join(named[:most])}{' ...' if len(named) > most else ''}."
        if named
        else "There are none."
    )


def _routes(register: Register[Any]) -> APIRouter:
    router, kind, one = of_plan(register.many.capitalize()), register.kind, register.one
    path = f"/{register.path}"
    name, plural = one.replace(" ", "_"), register.many.replace(" ", "_")
    title = "".join(word.capitalize() for word in one.split())
    new = body_of(kind, register.asked, f"{title}In", EXAMPLES[register.path], again=False, id=(str, REFERENCE))
    changed = body_of(kind, register.asked, f"{title}Change", EXAMPLES[register.path], again=True)
    editor: Any = Depends(needs(register.right))

    @router.get(path, name=f"list_{plural}", summary=f"List {register.many}", response_model=Rows[kind])  # type: ignore[valid-type]
    def listed(visitor: Reader, assessment: Assessed, start: Start = 0, limit: Limit = 100) -> Any:
        """In the order of the page: what needs somebody first."""
        return part_of(register.rows(assessment), start, limit)

    @router.get(f"{path}/{{id}}", name=f"read_{name}", summary=f"Read one {one}", response_model=kind)
    def read(visitor: Reader, assessment: Assessed, id: Id) -> Any:
        return found(register, assessment, id)

    @router.post(path, name=f"add_{name}", summary=f"Add one {one}", response_model=kind, status_code=201)
    @takes(new)
    def add(assessment: Assessed, deployed: Deployed, body: Any, visitor: Visitor = editor) -> Any:
        made = checked(register, assessment, record_of(kind, **body.model_dump(), plan=assessment.plan.id), None)
        with changing(deployed, visitor) as change:
            return change.add(made)

    @router.put(f"{path}/{{id}}", name=f"change_{name}", summary=f"Change one {one}", response_model=kind)
    @takes(changed)
    def change(assessment: Assessed, deployed: Deployed, id: Id, body: Any, visitor: Visitor = editor) -> Any:
        """Every field is replaced: one that is left out takes its usual value."""
        before = found(register, assessment, id)
        made = checked(register, assessment, record_of(kind, **before.model_dump() | body.model_dump()), before)
        with changing(deployed, visitor) as change:
            return change.replace(made)

    if register.removable:

        @router.delete(
            f"{path}/{{id}}",
            name=f"remove_{name}",
            summary=f"Remove one {one}",
            status_code=204,
            response_class=Response,
        )
        def remove(
            assessment: Assessed, deployed: Deployed, id: Id, version: Version, visitor: Visitor = editor
        ) -> None:
            """Its history is kept."""
            opened = found(register, assessment, id).model_copy(update={"version": version})
            with changing(deployed, visitor) as change:
                change.remove(opened)

    return router


def _steps() -> APIRouter:
    """The steps of a question's course."""
    router = of_plan(QUESTIONS.many.capitalize())

    def add(name: str) -> None:
        step = STEPS[name]
        taker: Any = Depends(needs(step.right))
        body_kind = body_of(
            QUESTIONS.kind, step.asked, f"Question{name.capitalize()}", {step.asked[0]: "In words"}, again=True
        )

        @router.post(
            f"/questions/{{id}}/{name}", name=f"{name}_question", summary=step.title, response_model=QUESTIONS.kind
        )
        @takes(body_kind)
        def take(assessment: Assessed, deployed: Deployed, id: Id, body: Any, visitor: Visitor = taker) -> Any:
            before = found(QUESTIONS, assessment, id)
            sent = record_of(QUESTIONS.kind, **before.model_dump() | body.model_dump())
            made = step.take(before.model_copy(update={"version": sent.version}), sent, assessment.on)
            with changing(deployed, visitor) as change:
                return change.replace(made)

        take.__doc__ = step.intro

    for name in STEPS:
        add(name)
    return router


class RouteIn(Body):
    """Who agrees to a recommendation, and which boards must decide on it."""

    agreed: list[str] = Field(description="Bodies whose members agree")
    to: list[str] = Field(description="Boards that must decide", min_length=1)
    version: int = VERSION


class RulingIn(Body):
    """What a board decided on a recommendation."""

    board: str = Field(description="Board that decided")
    agrees: bool
    on: date = Field(description="The day of the meeting")
    minute: str = Field("", description="Minute and letter, such as 326(a)", max_length=120)
    meeting: str = Field("", description="Id of the meeting", max_length=120)
    version: int = VERSION


class Ruling(BaseModel):
    """A recommendation as it now stands, and the board's own resolution."""

    recommendation: Decision
    resolution: Decision


boards = of_plan(QUESTIONS.many.capitalize())


@boards.get("/boards/{id}/suggestions", response_model=many(Suggestion), summary="What a Board could ask")
def board_suggestions(
    visitor: Reader,
    assessment: Assessed,
    deployed: Deployed,
    id: Annotated[str, Path(description="Id of the board", max_length=120)],
) -> Any:
    """On metrics off track, on late milestones, and on what the plan implies and does not say; the serious first."""
    its = board(assessment.plan, id)
    return deployed.remember(assessment, ("suggestions", id), lambda: suggestions(assessment, its))


decisions = of_plan(DECISIONS.many.capitalize())


@decisions.post("/decisions/{id}/route", response_model=Decision, summary="Send a recommendation to the boards")
def route_decision(visitor: Decider, assessment: Assessed, deployed: Deployed, id: Id, body: RouteIn) -> Any:
    """Send a recommendation that all its members agree on to each board that must decide."""
    opened = found(DECISIONS, assessment, id).model_copy(update={"version": body.version})
    made = recommend(opened, assessment.boards, body.agreed, body.to)
    with changing(deployed, visitor, "Sent to the boards that must decide") as change:
        return change.replace(made)


@decisions.post("/decisions/{id}/ruling", response_model=Ruling, status_code=201, summary="A board decides")
def rule_on_decision(visitor: Decider, assessment: Assessed, deployed: Deployed, id: Id, body: RulingIn) -> Any:
    """Record what one board decided on a recommendation that awaits it."""
    before = found(DECISIONS, assessment, id)
    sent = record_of(
        Decision, **before.model_dump() | {"minute": body.minute, "meeting": body.meeting, "version": body.version}
    )
    opened = before.model_copy(update={"version": sent.version})
    moved, resolution = decide(opened, assessment.boards, body.board, body.agrees, body.on, sent.minute, sent.meeting)
    resolution = checked(DECISIONS, assessment, resolution, None, ("meeting",))
    with changing(deployed, visitor, f"{assessment.board_name(body.board)} decided") as change:
        return {"recommendation": change.replace(moved), "resolution": change.add(resolution)}


REGISTERS: tuple[Register[Any], ...] = (RISKS, ACTIONS, DECISIONS, MEETINGS, AGENDA, DECLARATIONS, QUESTIONS)

routers = (*map(_routes, REGISTERS), _steps(), boards, decisions)
