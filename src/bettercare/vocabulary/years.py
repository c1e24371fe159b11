"""Financial years and quarters. A financial year runs from 1 April and is written ``2016/17``."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from bettercare.errors import BettercareError

_WRITTEN = re.compile(r"^([0-9]{4})/([0-9]{2})$")


@dataclass(frozen=True, order=True)
class FinancialYear:
    """A year from 1 April ``start`` to 31 March ``start + 1``.

    >>> FinancialYear.parse("2016/17") + 4
    FinancialYear('2020/21')
    """

    start: int

    @classmethod
    def parse(cls, text: str) -> FinancialYear:
        """Read ``2016/17``; the second part must be the next year, and the first lie between 1900 and 2199."""
        match = _WRITTEN.match(str(text).strip())
        if not match or (int(match[1]) + 1) % 100 != int(match[2]) or not 1900 <= int(match[1]) < 2200:
            shown = str(text) if len(str(text)) <= 60 else str(text)[:57] + "..."
            raise BettercareError(f"{shown!r} is not a financial year.", remedy="Write it as 2016/17.")
        return cls(int(match[1]))

    @classmethod
    def of(cls, day: date) -> FinancialYear:
        """The financial year a day falls in."""
        return cls(day.year if day.month >= 4 else day.year - 1)

    def __str__(self) -> str:
        return f"{self.start}/{(self.start + 1) % 100:02d}"

    def __repr__(self) -> str:
        return f"FinancialYear('{self}')"

    def __add__(self, years: int) -> FinancialYear:
        return FinancialYear(self.start + years)

    def __sub__(self, other: FinancialYear) -> int:
        return self.start - other.start

    @property
    def first_day(self) -> date:
        return date(self.start, 4, 1)

    @property
    def last_day(self) -> date:
        return date(self.start + 1, 3, 31)

    @property
    def quarters(self) -> tuple[Quarter, Quarter, Quarter, Quarter]:
        return (Quarter(self, 1), Quarter(self, 2), Quarter(self, 3), Quarter(self, 4))


@dataclass(frozen=True, order=True)
class Quarter:
    """A quarter of a financial year: quarter 1 is April to June."""

    year: FinancialYear
    number: int

    @classmethod
    def parse(cls, text: str) -> Quarter:
        """Read ``2015/16 Q1``."""
        head, _, tail = str(text).strip().partition(" Q")
        if tail not in {"1", "2", "3", "4"}:
            raise BettercareError(f"{text!r} is not a quarter.", remedy="Write it as 2015/16 Q1.")
        return cls(FinancialYear.parse(head), int(tail))

    @classmethod
    def of(cls, day: date) -> Quarter:
        return cls(FinancialYear.of(day), (day.month - 4) % 12 // 3 + 1)

    def __str__(self) -> str:
        return f"{self.year} Q{self.number}"


def years_between(first: FinancialYear, last: FinancialYear) -> tuple[FinancialYear, ...]:
    """Every year from first to last, both included."""
    return tuple(first + step for step in range(last - first + 1))
