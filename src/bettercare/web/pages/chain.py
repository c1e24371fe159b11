"""The chain: what leads to a thing and what follows from it, from trajectory to the pooled fund, walked both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from fastapi import APIRouter, Request, Response

from bettercare.assurance.chain import KINDS, Chain, Link, refs
from bettercare.web.guard import Reader
from bettercare.web.render import page
from bettercare.web.state import Assessed

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class Step:
    """One thing on the way, with what else it leads to."""

    link: Link
    leads_to: Sequence[Link]


@router.get("/plans/{plan}/chain")
def everything(request: Request, visitor: Reader, assessment: Assessed) -> Response:
    """Every thing that stands in a chain, by kind."""
    links = assessment.web.links
    kinds = [
        (KINDS[kind], [links[ref] for ref in group])
        for kind, group in groupby(refs(assessment), key=lambda ref: links[ref].kind)
    ]
    return page(request, visitor, "chain_index.html.j2", assessment, title="The chain", kinds=kinds)


@router.get("/plans/{plan}/chain/{ref:path}")
def walk(request: Request, visitor: Reader, assessment: Assessed, ref: str) -> Response:
    """One thing, what led to it and what follows."""
    chain = assessment.chain(ref)
    return page(
        request, visitor, "chain.html.j2", assessment, title=f"The chain of {chain.here.title}", chain=chain, before=steps(chain, chain.before),
        after=steps(chain, chain.after), crumbs=(("The chain", f"/plans/{assessment.plan.id}/chain"),),
    )  # fmt: skip


def steps(chain: Chain, side: Sequence[Link]) -> list[Step]:
    """The things of a side of the chain in their order, each with what it leads to directly besides where we are."""
    by_ref: Mapping[str, Link] = {link.ref: link for link in (*chain.before, chain.here, *chain.after)}
    leads: dict[str, list[Link]] = {}
    for one, other in chain.edges:
        if other != chain.here.ref:
            leads.setdefault(one, []).append(by_ref[other])
    return [Step(link, leads.get(link.ref, [])) for link in side]
