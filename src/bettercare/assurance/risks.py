"""The risk register: likelihood x impact, before and after mitigation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Change, Record, asks

RED_FROM = 15
AMBER_FROM = 8
"""Scores from which a risk is red or amber; below it is green. Assumed: the papers give the two scales of 1 to 5 and no bands. These are the
bands of the risk matrix that NHS bodies commonly use (National Patient Safety Agency, 2008), its low and moderate ones taken together."""

CHANCE: Mapping[int, float] = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.7, 5: 0.9}
"""The chance taken for each likelihood, to weight money by: the middles of five equal bands. Assumed."""


class Risk(Record):
    """A risk to the plan. Its history is the history of its row."""

    table: ClassVar[str] = "risks"

    risk: str = asks("Risk", "There is a risk that ...", min_length=1, long=True)
    level: Literal["programme", "project"] = asks(
        "Level", "Programme risks are reported to boards, project risks to the operational group", "programme"
    )
    category: str = asks("Category", "", "")
    scheme: str = asks("Scheme", "", "", refers="schemes")
    likelihood: int | None = asks("Likelihood", "1 very unlikely to 5 very likely, before mitigation", None, ge=1, le=5)
    impact: int | None = asks("Impact", "1 small to 5 major, before mitigation", None, ge=1, le=5)
    residual_likelihood: int | None = asks("Likelihood after mitigation", "1 to 5", None, ge=1, le=5)
    residual_impact: int | None = asks("Impact after mitigation", "1 to 5", None, ge=1, le=5)
    pence: int | None = asks("Financial impact", "Pence, if it happens", None, ge=0)
    falls_on: str = asks("Falls on", "Who bears the impact", "")
    mitigation: str = asks("Mitigation", "What is done about it", "", long=True)
    owner: str = asks("Owner", "", "")
    review: date | None = asks("Review date", "When it is next looked at", None)
    status: Literal["open", "closed", "happened"] = asks("Status", "", "open")
    source: str = asks("Source", "", "")

    @property
    def score(self) -> int | None:
        """Likelihood x impact before mitigation."""
        return self.likelihood * self.impact if self.likelihood and self.impact else None

    @property
    def residual(self) -> int | None:
        """Likelihood x impact after mitigation."""
        return (
            self.residual_likelihood * self.residual_impact
            if self.residual_likelihood and self.residual_impact
            else None
        )

    @property
    def now(self) -> int | None:
        """The score that counts today: after mitigation, where that is scored."""
        return self.residual or self.score


def band(score: int | None) -> str:
    """red, amber or green for a score of 1 to 25; grey when not scored."""
    if score is None:
        return "grey"
    return "red" if score >= RED_FROM else "amber" if score >= AMBER_FROM else "green"


def open_risks(risks: Iterable[Risk], level: str = "") -> tuple[Risk, ...]:
    """Risks that are open, the highest score first and unscored ones last; of one level (programme or project) when given."""
    found = [risk for risk in risks if risk.status == "open" and level in ("", risk.level)]
    return tuple(sorted(found, key=lambda risk: (-(risk.now or 0), -(risk.score or 0), risk.id)))


def matrix(risks: Iterable[Risk], after: bool = False) -> Mapping[tuple[int, int], tuple[Risk, ...]]:
    """Open risks by (likelihood, impact), before or after mitigation. All 25 cells are there; unscored risks are in none."""
    cells: dict[tuple[int, int], list[Risk]] = {
        (likelihood, impact): [] for likelihood in range(1, 6) for impact in range(1, 6)
    }
    for risk in open_risks(risks):
        scores = (risk.residual_likelihood, risk.residual_impact) if after else (risk.likelihood, risk.impact)
        if scores[0] is not None and scores[1] is not None:
            cells[scores[0], scores[1]].append(risk)
    return {place: tuple(found) for place, found in cells.items()}


def overdue_reviews(risks: Iterable[Risk], on: date) -> tuple[Risk, ...]:
    """Open risks whose review date has passed, the longest first."""
    found = [risk for risk in open_risks(risks) if risk.review is not None and risk.review < on]
    return tuple(sorted(found, key=lambda risk: (risk.review or on, risk.id)))


@dataclass(frozen=True)
class Exposure:
    """What open risks could cost, in pence."""

    if_all_happen: int
    weighted: int
    """Each impact times the chance of its likelihood today (:data:`CHANCE`, assumed)."""
    without_money: int
    """Open risks with no amount; they are not free of cost."""
    falls_on: Mapping[str, int]
    """``if_all_happen`` by who bears it."""

    @property
    def assumed(self) -> str:
        weights = ", ".join(f"{likelihood}: {chance:.0%}" for likelihood, chance in CHANCE.items())
        return f"Weighted by an assumed chance for each likelihood ({weights}). Risks may overlap: the sums are no forecast."


def exposure(risks: Iterable[Risk]) -> Exposure:
    """What open risks could cost. One with an amount and no likelihood counts in full in both sums."""
    total = without = 0
    weighted = 0.0
    bearers: dict[str, int] = {}
    for risk in open_risks(risks):
        if risk.pence is None:
            without += 1
            continue
        likelihood = risk.residual_likelihood or risk.likelihood
        total += risk.pence
        weighted += risk.pence * (CHANCE[likelihood] if likelihood else 1.0)
        bearers[risk.falls_on] = bearers.get(risk.falls_on, 0) + risk.pence
    return Exposure(
        total, round(weighted), without, dict(sorted(bearers.items(), key=lambda item: (-item[1], item[0])))
    )


@dataclass(frozen=True)
class Scored:
    """What a risk's scores were from one change to the next."""

    since: date
    by: str
    score: int | None
    residual: int | None


def movement(history: Sequence[Change]) -> tuple[Scored, ...]:
    """The scores a risk has had, the first one first; a change that left both alone is not listed.

    Args:
        history: of the one risk, from :meth:`Store.history`.
    """
    found: list[Scored] = []
    for change in history:
        row = Risk.model_validate({name: value for name, value in change.row.items() if name in Risk.model_fields})
        scores = (row.score, row.residual)
        if not found or scores != (found[-1].score, found[-1].residual):
            found.append(Scored(change.at.date(), change.by, *scores))
    return tuple(found)
