"""The pooled fund in a year: contributions, budgets, spend by month, forecast outturn and variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bettercare.assurance.ledger import Entry
from bettercare.plan import Plan


@dataclass(frozen=True)
class Line:
    """One scheme's (or reserve's) money in a year, in pence."""

    account: str
    name: str
    budget: int
    spent: int
    by_month: tuple[int, ...]
    """Spend of the twelve months from April."""
    profile: int
    """What an even twelfth a month would have spent by the date."""
    outturn: int
    """Forecast for the whole year."""
    variance: int
    """Outturn less budget; positive is overspent."""
    rag: str
    reason: str


@dataclass(frozen=True)
class FundPosition:
    """The fund in one year at a date, in pence."""

    year: str
    on: date
    contributions: Mapping[str, int]
    """By organisation."""
    lines: tuple[Line, ...]
    pool: int
    reserve: int
    risk_pool: int
    earned: int
    """Pay for performance earned."""
    budget: int
    spent: int
    outturn: int
    variance: int
    sentence: str
    synthetic: bool


def position(plan: Plan, entries: Sequence[Entry], year: str, on: date) -> FundPosition:
    """The fund's position in a financial year at a date."""
    raise NotImplementedError
