"""The risk register: likelihood x impact, before and after mitigation."""

from __future__ import annotations

from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks


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
