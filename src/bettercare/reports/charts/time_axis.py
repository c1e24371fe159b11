"""Periods along the foot of a chart: where each stands and which are named."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

from bettercare.reports.charts.canvas import INK, RULE, Canvas
from bettercare.reports.charts.lettering import width as text_width
from bettercare.vocabulary.years import FinancialYear, Quarter

_MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12}


def short(period: date, frequency: str) -> str:
    """A period as a chart names it.

    >>> short(date(2015, 4, 1), "monthly"), short(date(2015, 4, 1), "quarterly"), short(date(2015, 4, 1), "annual")
    ('Apr 2015', '2015/16 Q1', '2015/16')
    """
    if frequency == "annual":
        return str(FinancialYear.of(period))
    return str(Quarter.of(period)) if frequency == "quarterly" else f"{period:%b %Y}"


@dataclass(frozen=True)
class TimeAxis:
    """Days from ``first`` to ``last`` along ``start..end``."""

    first: date
    last: date
    start: float
    end: float

    @classmethod
    def over(cls, periods: Sequence[date], start: float, end: float) -> TimeAxis:
        """An axis that holds the periods; one period alone stands in the middle."""
        first, last = min(periods), max(periods)
        return (
            cls(first, last, start, end) if last > first else cls(first - timedelta(1), last + timedelta(1), start, end)
        )

    def __call__(self, day: date) -> float:
        return self.start + (self.end - self.start) * (day - self.first).days / (self.last - self.first).days

    def named(self, periods: Sequence[date], frequency: str, size: float = 12.0) -> list[tuple[float, str]]:
        """The periods there is room to name: every one, or those that begin a quarter, half-year, year or several years."""
        room = max((text_width(short(period, frequency), size) for period in periods), default=0.0) + 10
        for step in (1, 3, 6, 12, 24, 36, 60, 120, 240):
            chosen = [
                period
                for period in periods
                if ((period.year - 2000) * 12 + period.month - 4) % max(step, _MONTHS[frequency]) == 0
            ]
            places = [self(period) for period in chosen]
            if all(after - before >= room for before, after in pairwise(places)):
                break
        return [(x, short(period, frequency)) for x, period in zip(places, chosen, strict=True)]

    def draw(self, canvas: Canvas, periods: Sequence[date], frequency: str, y: float, size: float = 12.0) -> float:
        """Name the periods under a line at ``y``; returns where the names end."""
        for x, text in self.named(periods, frequency, size):
            half = text_width(text, size) / 2
            canvas.line((x, y), (x, y + 5), RULE)
            canvas.text(min(max(x, half), canvas.width - half), y + 18, text, INK, "middle", size=size)
        return y + 24
