"""Units of the figures in a plan, and money with its price base.

Every unit has a dimension and a scale to that dimension's base unit, so that GBP k and GBP m mix and GBP and beds do not.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from bettercare.errors import BettercareError

Dimension = tuple[tuple[str, int], ...]
"""Powers of base kinds, sorted: ``(("GBP", 1), ("person", -1))``. A pure number is the empty tuple."""


@dataclass(frozen=True)
class Unit:
    """A unit as written in a plan."""

    name: str
    scale: float
    dimension: Dimension

    @property
    def is_money(self) -> bool:
        return self.dimension == (("GBP", 1),)

    @property
    def is_share(self) -> bool:
        return self.name in {"%", "% a year", "percentage points"}


def _of(kind: str) -> Dimension:
    return ((kind, 1),)


_COUNTS = (
    "persons", "beds", "virtual beds", "WTE", "headcount", "admissions", "attendances", "appointments",
    "day cases", "contacts", "calls", "packages", "placements", "practices", "patients", "people", "sites", "schemes", "items",
)  # fmt: skip
# Kinds that are the same thing by another name, so that sums over them are honest.
_SAME = {"patients": "persons", "people": "persons", "virtual beds": "beds", "headcount": "persons"}

UNITS: Mapping[str, Unit] = {
    unit.name: unit
    for unit in (
        Unit("GBP", 1.0, _of("GBP")),
        Unit("GBP k", 1e3, _of("GBP")),
        Unit("GBP m", 1e6, _of("GBP")),
        Unit("GBP bn", 1e9, _of("GBP")),
        Unit("GBP a head", 1.0, (("GBP", 1), ("persons", -1))),
        Unit("%", 0.01, ()),
        Unit("% a year", 0.01, ()),
        Unit("percentage points", 0.01, ()),
        Unit("ratio", 1.0, ()),
        Unit("text-number", 1.0, ()),
        Unit("bed days", 1.0, (("beds", 1), ("days", 1))),
        Unit("hours", 1 / 24, _of("days")),
        Unit("days", 1.0, _of("days")),
        Unit("weeks", 7.0, _of("days")),
        Unit("months", 365.25 / 12, _of("days")),
        Unit("years", 365.25, _of("days")),
        Unit("per 1,000", 1e-3, ()),
        Unit("per 100,000", 1e-5, ()),
        Unit("per 100,000 a month", 1e-5, ()),
        Unit("per 100,000 a year", 1e-5, ()),
        *(Unit(name, 1.0, _of(_SAME.get(name, name))) for name in _COUNTS),
    )
}


def unit(name: str) -> Unit:
    """The unit of that name.

    Raises:
        BettercareError: there is no such unit.
    """
    try:
        return UNITS[name]
    except KeyError:
        raise BettercareError(
            f"{name[:60]!r} is not a unit bettercare knows.", remedy=f"Use one of: {', '.join(UNITS)}."
        ) from None


@dataclass(frozen=True, order=True)
class Money:
    """An amount in pounds at the prices of a financial year; amounts at different prices do not add.

    >>> Money(1.5e6, "2016/17") + Money(5e5, "2016/17")
    Money(pounds=2000000.0, price_base='2016/17')
    """

    pounds: float
    price_base: str = field(default="", compare=False)

    def __add__(self, other: Money) -> Money:
        if self.price_base != other.price_base:
            raise BettercareError(
                f"Money at {self.price_base} prices cannot be added to money at {other.price_base} prices.",
                remedy="Bring both to one price base first.",
            )
        return Money(self.pounds + other.pounds, self.price_base)

    def __neg__(self) -> Money:
        return Money(-self.pounds, self.price_base)

    def at_prices_of(self, year: str, index: float) -> Money:
        """The same money at another year's prices; ``index`` is that year's price level over this one's."""
        return Money(self.pounds * index, year)

    def __str__(self) -> str:
        return pounds(self.pounds)


def pounds(amount: float) -> str:
    """Money as the field writes it: £399.3m, £28k, -£1.2m.

    >>> pounds(399_300_000), pounds(-28_350_000), pounds(1490)
    ('£399.3m', '-£28.4m', '£1,490')
    """
    sign = "-" if amount < 0 else ""
    size = abs(amount)
    if size >= 999_950_000:
        return f"{sign}£{size / 1e9:.3f}bn"
    if size >= 999_950:
        return f"{sign}£{size / 1e6:,.1f}m"
    if size >= 99_950:
        return f"{sign}£{size / 1e3:,.0f}k"
    return f"{sign}£{size:,.0f}"
