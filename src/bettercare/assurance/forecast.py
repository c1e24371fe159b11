"""Where a metric will be at the end of its year."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Forecast:
    """Figures expected for the periods still to come, and for the year."""

    method: str
    """In words."""
    periods: tuple[date, ...]
    mean: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    """80 in 100 lie between low and high."""
    year: str
    year_end: float
    """The last period of the year."""
    year_end_low: float
    year_end_high: float
    target: float | None
    chance: float | None
    """Of meeting what the trajectory asks for at the end of the year."""
    sentence: str
