"""How a part of the API is put together: the right each route needs is checked, and said in its description; refusals have one shape."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPBearer

from bettercare.access.roles import SAID, Right
from bettercare.assurance import Assessment
from bettercare.errors import BettercareError, Fault
from bettercare.store import Changing, Conflict
from bettercare.web.api.shapes import Refusal
from bettercare.web.guard import Visitor
from bettercare.web.state import Deployment, deployment_of

PREFIX = "/api/v1"

MOST = 1000
"""Rows of one part of a list."""

_BEARER = HTTPBearer(
    scheme_name="token", auto_error=False,
    description="An API token: made on the page of one's account, or by `bettercare user token`. A session's cookie will do too; a change then needs its X-CSRF-Token.",
)  # fmt: skip

_SAID = {
    400: "It cannot be done as asked: why, and what to do, in words",
    401: "Nobody is signed in, or the token is not accepted",
    403: "The role does not allow it",
    404: "There is no such thing",
    409: "Someone else changed it first, or the reference is taken",
    413: "More than 10 MB were sent",
    422: "What was sent has not the shape described here",
}


class Route(APIRoute):
    """A route whose description says which right it needs."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self.summary = self.summary or re.split(r"[.:;]", self.description)[0]
        right = right_of(self.dependant)
        if right:
            self.description = f"{self.description.strip()}\n\nNeeds the right {SAID[right]}.".strip()
            self.openapi_extra = {**(self.openapi_extra or {}), "x-right": right}


def right_of(dependant: Dependant) -> Right | None:
    """The right that a route asks for; None when it is public."""
    own: Right | None = getattr(dependant.call, "right", None)
    return own or next(filter(None, map(right_of, dependant.dependencies)), None)


def part(tag: str, under: str = "", **more: Any) -> APIRouter:
    """A part of the API.

    Args:
        tag: what it is called in the description.
        under: its address after the API's own.
    """
    return APIRouter(
        prefix=PREFIX + under, tags=[tag], route_class=Route, dependencies=[Security(_BEARER)],
        responses={status: {"model": Refusal, "description": said} for status, said in _SAID.items()},
        generate_unique_id_function=lambda route: route.name, **more,
    )  # fmt: skip


def of_plan(tag: str) -> APIRouter:
    """A part of the API that is about one plan."""
    return part(tag, "/plans/{plan}")


def _assessment_of(
    request: Request,
    plan: Annotated[str, Path(description="Id of the plan", max_length=120, examples=["leicestershire-bcf-2014"])],
) -> Assessment:
    return deployment_of(request).assessment(plan)


Assessed = Annotated[Assessment, Depends(_assessment_of)]
"""For the signature of a route under a plan: the plan's assessment."""
Id = Annotated[str, Path(description="Reference of the row", max_length=120)]
Start = Annotated[int, Query(description="Where the part begins: 0, or `next` of the part before", ge=0, le=10**9)]
Limit = Annotated[int, Query(description="Rows of the part", ge=1, le=MOST)]
Version = Annotated[
    int, Query(description="The version that was read; another version now stored is a conflict", ge=1, le=10**9)
]


@contextmanager
def changing(deployed: Deployment, visitor: Visitor, why: str = "") -> Iterator[Changing]:
    """A change of the store.

    Raises:
        Conflict: with each field that somebody else changed as a fault.
    """
    try:
        with deployed.store.change(visitor.user.id, why) as change:
            yield change
    except Conflict as conflict:
        conflict.faults = tuple(
            Fault(name, f"It was {before!r} and is now {after!r}.") for name, (before, after) in conflict.fields.items()
        )
        raise


def refused(what: str, faults: list[Fault]) -> BettercareError:
    """A refusal with every fault."""
    error = BettercareError(what)
    error.faults = tuple(faults)
    return error
