"""From amounts to positions, and the round numbers to mark."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """A straight line from ``low..high`` to the positions ``start..end``."""

    low: float
    high: float
    start: float
    end: float

    @classmethod
    def over(cls, values: Iterable[float], start: float, end: float, zero: bool = True, room: float = 0.03) -> Scale:
        """A scale that holds the values (and zero) with a little room at the ends."""
        known = [value for value in values if math.isfinite(value)] + ([0.0] if zero else [])
        low, high = (min(known), max(known)) if known else (0.0, 1.0)
        if low == high:
            high = low + (abs(low) or 1.0)
        span = high - low
        return cls(
            low - (room * span if low < 0 or not zero else 0),
            high + (room * span if high > 0 or not zero else 0),
            start,
            end,
        )

    def __call__(self, value: float) -> float:
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[float]:
        """Round numbers within the scale, at most about so many.

        >>> Scale(0, 400, 0, 100).ticks(5)
        [0.0, 100.0, 200.0, 300.0, 400.0]
        """
        rough = (self.high - self.low) / max(1, most)
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough * 0.999999)
        first = math.ceil(self.low / step - 1e-9)
        return [step * n + 0.0 for n in range(first, math.floor(self.high / step + 1e-9) + 1)]
