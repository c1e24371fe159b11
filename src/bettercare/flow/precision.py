"""How well a measure is to be known before a run may stop."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bettercare.flow.result import Result


@dataclass(frozen=True)
class Precision:
    """Go on until the 95% interval of the mean of a measure is within ``relative`` of it on each side, ``first`` replications at least.
    A mean of 0 is never known so well: what has not happened yet may be rare."""

    measure: str
    of: str
    relative: float = 0.05
    patient: str = "all"
    period: str = "all"
    first: int = 20

    def reached(self, result: Result) -> bool:
        """Whether the run so far knows the measure well enough."""
        found = result.estimate(self.measure, self.of, self.patient, self.period)
        return found.replications > 1 and found.mean != 0 and found.half_width <= self.relative * abs(found.mean)
