"""How amounts are written: £399.3m, 1,697 beds, 2%."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from bettercare.vocabulary.units import UNITS, pounds

MINUS = "−"
NONE = "–"
"""What stands where there is no figure."""


def money(value: float) -> str:
    """
    >>> money(399_300_000), money(-11_204_354), money(0.0), money(-1e-9)
    ('£399.3m', '−£11.2m', '£0', '£0')
    """
    return pounds(value).replace("-", MINUS) if abs(value) >= 0.5 else "£0"


def count(value: float) -> str:
    """
    >>> count(1697.0), count(-12.4), count(0.4), count(18.28)
    ('1,697', '−12', '0.4', '18')
    """
    if value and abs(value) < 9.95 and abs(value - round(value)) >= 0.05:
        return f"{value:.1f}".replace("-", MINUS)
    return f"{round(value):,}".replace("-", MINUS)


def percent(value: float) -> str:
    """A number that is already in percent.

    >>> percent(25.0), percent(-3.94), percent(1.92)
    ('25%', '−3.94%', '1.92%')
    """
    return f"{value:,.2f}".rstrip("0").rstrip(".").replace("-", MINUS) + "%"


def chance(value: float) -> str:
    """A share of runs, as a board reads it.

    >>> chance(0.019), chance(0.0), chance(0.0004), chance(0.9996), chance(1.0)
    ('2%', '0%', 'less than 1%', 'more than 99%', '100%')
    """
    if 0 < value < 0.005:
        return "less than 1%"
    if 0.995 < value < 1:
        return "more than 99%"
    return f"{100 * value:.0f}%"


def signed(written: str) -> str:
    """A change with its sign.

    >>> signed("£3.2m"), signed("−£66.0m"), signed("£0")
    ('+£3.2m', '−£66.0m', '£0')
    """
    return written if written.startswith(MINUS) or not any(digit in written for digit in "123456789") else f"+{written}"


def plain(value: float) -> str:
    """A number with the digits it has, at most four after the point and fewer for large ones.

    >>> plain(754.53), plain(64.0), plain(1490.0)
    ('754.53', '64', '1,490')
    """
    text = _digits(value, 1 if abs(value) >= 1000 else 2 if abs(value) >= 100 else 4, 0)
    return text.replace("-", MINUS) if text != "-0" else "0"


def in_unit(value: float, unit: str) -> str:
    """An amount in a unit of the plan, written with it.

    >>> in_unit(399.3, "GBP m"), in_unit(1697.0, "beds"), in_unit(25.0, "%"), in_unit(64.57, "per 100,000 a month")
    ('£399.3m', '1,697 beds', '25%', '64.57 per 100,000 a month')
    >>> in_unit(-2408.0, "GBP k"), in_unit(286.1, "GBP m"), in_unit(11.43, "years"), in_unit(568, "headcount")
    ('−£2,408k', '£286.1m', '11.43 years', '568 headcount')
    >>> in_unit(2.121, "GBP bn"), in_unit(12.45, "GBP m"), in_unit(9.8039, "years")
    ('£2.121bn', '£12.45m', '9.8 years')
    """
    known = UNITS.get(unit)
    if known is not None and known.is_money:
        letter = unit.removeprefix("GBP").strip()
        most, least = {"": (2, 0), "k": (1, 0), "m": (2, 1), "bn": (3, 1)}[letter]
        sign = MINUS if round(value, most) < 0 else ""
        return f"{sign}£{_digits(abs(value), most, least)}{letter}"
    if unit == "%":
        return percent(value)
    whole = known is not None and known.dimension != () and unit not in (*_TIMES, "GBP a head")
    number = count(value) if whole else plain(value) if unit not in _TIMES else _digits(value, 2, 0).replace("-", MINUS)
    return number if unit in ("ratio", "text-number") else f"{number} {unit}"


_TIMES = ("hours", "days", "weeks", "months", "years")


def _digits(value: float, most: int, least: int) -> str:
    """With the decimals it has, between the least and the most."""
    whole, _, decimals = f"{value:,.{most}f}".partition(".")
    decimals = decimals.rstrip("0").ljust(least, "0")
    return f"{whole}.{decimals}" if decimals else whole


KINDS: Mapping[str, Callable[[float], str]] = {
    "money": money, "count": count, "percent": percent, "chance": chance, "plain": plain,
    "years": lambda value: f"{value:.1f} years" if math.isfinite(value) else "never", "change": lambda value: signed(count(value)),
    "money change": lambda value: signed(money(value)),
}  # fmt: skip
"""Kinds of column and how each is written; "text" and "amount" (in the row's own unit) stand beside them."""


def span(low: float, high: float, write: Callable[[float], str]) -> str:
    """
    >>> span(1764.0, 1996.0, count)
    '1,764 to 1,996'
    """
    return f"{write(low)} to {write(high)}"
