"""Red, amber, green: a figure against its trajectory, by a stated rule, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

AMBER_WITHIN = Decimal(5)
"""How much worse than the trajectory, in per cent of it, is still amber, unless the metric says otherwise. Assumed: the papers do not say."""


@dataclass(frozen=True)
class Rag:
    """A rating."""

    status: str
    """green, amber, red, or grey when it cannot be rated."""
    reason: str
    """In a sentence, with both figures."""
    rule: str
    """The rule that was used, in words."""
    actual: float | None = None
    expected: float | None = None
