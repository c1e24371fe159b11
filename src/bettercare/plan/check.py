"""Whether the published plan agrees with itself: every claim recomputed from the plan's own tables and judged."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.plan.cells import printed_place
from bettercare.plan.claims import expression_of
from bettercare.plan.expression import Expression
from bettercare.plan.figures import Row
from bettercare.vocabulary import UNITS

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

Judgement = Literal["agrees", "rounding", "inconsistent"]

_NOISE = 1e-9
"""Relative difference two floating-point ways to one number may have; a tie or a touch within it counts as one."""


@dataclass(frozen=True)
class Verdict:
    """What the plan states, what its own figures give, and whether they agree."""

    id: str
    plan: str
    statement: str
    stated: float
    recomputed: float
    """In the unit of the claim, like ``stated``, ``low`` and ``high``."""
    unit: str
    verdict: Judgement
    source: str
    """Title of the document and the heading or line in it."""
    where: str
    """File and row of the claim."""
    note: str
    low: float
    high: float
    """The range the printed figures allow; infinite where a divisor may be zero."""
    relation: str
    place: float
    """Place of the last digit of the stated figure that counts."""
    stated_text: str
    components: tuple[str, ...]
    """Ids of the figures it is recomputed from."""
    rests_on: tuple[str, ...]
    """Those of them that are assumed."""

    def as_dict(self) -> dict[str, Any]:
        """The verdict as JSON takes it (a range without end is null)."""
        return {
            "id": self.id,
            "plan": self.plan,
            "statement": self.statement,
            "stated": self.stated,
            "recomputed": _plain(self.recomputed),
            "unit": self.unit,
            "verdict": self.verdict,
            "source": self.source,
            "relation": self.relation,
            "low": _plain(self.low),
            "high": _plain(self.high),
            "where": self.where,
            "note": self.note,
            "components": list(self.components),
            "rests_on": list(self.rests_on),
            "why": why(self),
        }


def _plain(value: float) -> float | None:
    """A number without the noise of binary fractions; None for a range without end."""
    return float(f"{value:.12g}") if math.isfinite(value) else None


def check(plan: Plan) -> tuple[Verdict, ...]:
    """Judge every claim of a plan, in the order of its table.

    Raises:
        PlanError: naming every claim that cannot be recomputed.
    """
    faults: list[Fault] = []
    verdicts = []
    for claim in plan["claims"]:
        try:
            verdicts.append(_verdict(plan, claim, expression_of(plan, claim)))
        except BettercareError as error:
            faults.append(Fault(f"{claim.where}, column expression", error.what, error.remedy))
    if faults:
        raise PlanError(faults)
    return tuple(verdicts)


def _verdict(plan: Plan, claim: Row, expression: Expression) -> Verdict:
    unit = UNITS[claim["unit"]]
    low, high = (bound / unit.scale for bound in expression.range)
    central = expression.value / unit.scale
    # Where large figures cancel, the noise is that of the large figures.
    largest = (
        max((abs(leaf.value) for leaf in expression.leaves), default=0.0) / unit.scale
        if expression.dimension == unit.dimension
        else 0.0
    )
    place = float(claim["precision"] if claim["precision"] is not None else printed_place(claim.text["stated"]))
    noise = _NOISE * max(abs(claim["stated"]), abs(central), place) + 1e-14 * largest
    document = plan["sources"].by_id.get(str(claim["source"]))
    title = str(document["title"]) if document else str(claim["source"])
    return Verdict(
        id=claim.id,
        plan=plan.id,
        statement=str(claim["statement"]),
        stated=float(claim["stated"]),
        recomputed=central,
        unit=unit.name,
        verdict=judge(str(claim["relation"]), float(claim["stated"]), place, central, low, high, noise),
        source=", ".join(filter(None, (title, claim["where"]))),
        where=claim.where,
        note=str(claim["note"] or ""),
        low=low,
        high=high,
        relation=str(claim["relation"]),
        place=place,
        stated_text=claim.text["stated"],
        components=tuple(leaf.id for leaf in expression.leaves),
        rests_on=tuple(leaf.id for leaf in expression.leaves if leaf.assumed),
    )


def judge(
    relation: str, stated: float, place: float, central: float, low: float, high: float, noise: float = 0.0
) -> Judgement:
    """The verdict from a stated figure, the place of its last digit, and the recomputed value with its range.

    >>> judge("equals", 412.9, 0.1, 412.86, 412.5, 413.2), judge("equals", 412.9, 0.1, 412.6, 412.2, 413.0)
    ('agrees', 'rounding')
    >>> judge("equals", 343, 1, 346.9, 346.3, 347.4), judge("under", 50, 1, 51, 49, 53)
    ('inconsistent', 'rounding')
    """
    if relation in ("equals", "about"):
        half = place if relation == "about" else place / 2
        if abs(central - stated) <= half + noise:
            return "agrees"
        return "rounding" if low <= stated + half + noise and high >= stated - half - noise else "inconsistent"
    if relation == "compares":
        relation = "over" if stated > 0 else "under" if stated < 0 else "zero"
        stated = 0.0
    if relation == "zero":
        if abs(central) <= noise:
            return "agrees"
        return "rounding" if low <= noise and high >= -noise else "inconsistent"
    if relation in ("under", "at-most"):
        stated, central, low, high = -stated, -central, -high, -low
    strict = relation in ("over", "under")
    if central > stated + noise or (not strict and central >= stated - noise):
        return "agrees"
    # A range without width that only touches a strict bound is equal to it: no rounding makes it more.
    return (
        "rounding"
        if high > stated + noise or (high >= stated - noise and (not strict or high - low > noise))
        else "inconsistent"
    )


def why(verdict: Verdict) -> str:
    """One sentence that says what was found, for a reader of the plan."""
    if verdict.relation == "compares":
        said = {1: "above zero", -1: "below zero", 0: "zero"}[(verdict.stated > 0) - (verdict.stated < 0)]
    else:
        said = f"{_RELATIONS[verdict.relation]}{verdict.stated_text}{_unit(verdict)}"
    given = f"{_shown(verdict.recomputed, verdict.place)}{_unit(verdict)}"
    spread = _spread(verdict)
    if verdict.verdict == "agrees":
        return f"Stated {said}; the plan's own figures give {given}."
    if verdict.verdict == "rounding":
        return f"Stated {said}; the plan's own figures give {given}{spread}, and the rounding of the printed figures can explain the difference."
    return f"Stated {said}; the plan's own figures give {given}{spread}, and no rounding of the printed figures can reconcile the two."


_RELATIONS = {
    "equals": "",
    "about": "about ",
    "over": "over ",
    "under": "under ",
    "at-most": "at most ",
    "at-least": "at least ",
}


def _spread(verdict: Verdict) -> str:
    if not (math.isfinite(verdict.low) and math.isfinite(verdict.high)):
        return " (anything, as a divisor may be zero)"
    low, high = _shown(verdict.low, verdict.place), _shown(verdict.high, verdict.place)
    return f" (between {low} and {high})" if low != high else ""


def _unit(verdict: Verdict) -> str:
    """The unit as it follows a number."""
    if verdict.unit in ("text-number", "ratio"):
        return ""
    return verdict.unit if verdict.unit.startswith("%") else f" {verdict.unit}"


def _shown(value: float, place: float) -> str:
    """A number with one digit more than the stated figure has."""
    decimals = max(0, min(9, 1 - math.floor(math.log10(place) + 1e-9)))
    text = f"{value:,.{decimals}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
