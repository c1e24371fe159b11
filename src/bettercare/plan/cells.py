"""From the text of a cell to its value, and from its digits to how precisely it is known."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Any

from bettercare.errors import BettercareError
from bettercare.plan.dictionary import Column
from bettercare.vocabulary import FinancialYear, unit

LONGEST_CELL = 20_000
"""Characters. A longer cell is a mistake (a pasted file, a broken quote), not a fact."""

_NUMBER = re.compile(r"[-+]?([0-9]{1,3}(,[0-9]{3})+|[0-9]+)?(\.[0-9]+)?")
_ID = re.compile(r"[a-z0-9][a-z0-9._-]*")
# Control characters other than new line and tab, surrogates and non-characters: no YAML or workbook can hold them.
STRANGE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_LONGEST_NUMBER = 40
_LONGEST_ID = 100


def number(text: str) -> float:
    """Read a printed number: digits, an optional sign, commas between thousands, a decimal point.

    Raises:
        BettercareError: it is not such a number (``nan``, ``inf`` and exponents are not).
    """
    stripped = text.strip()
    if not _NUMBER.fullmatch(stripped) or not any(char.isdigit() for char in stripped):
        raise BettercareError(f"{_short(text)} is not a number.", remedy=_number_remedy(stripped))
    value = float(stripped.replace(",", ""))
    if not math.isfinite(value) or abs(value) > 1e15:
        raise BettercareError(
            f"{_short(text)} is too large to be a figure of a plan.", remedy="Check it, or use a larger unit."
        )
    if len(stripped) > _LONGEST_NUMBER:
        raise BettercareError(
            f"{_short(text)} has more digits than a figure can have.", remedy="Write it as it is printed."
        )
    return value


def _number_remedy(text: str) -> str:
    """What to do about text that is not a number, by what it looks like."""
    if text.endswith("%") and _NUMBER.fullmatch(text[:-1].strip()):
        return "Leave the % sign out and write % as the unit."
    if text[:1] in {"£", "$", "€"}:
        return "Leave the currency sign out and write GBP, GBP k or GBP m as the unit."
    if text[:1] == "(" and text[-1:] == ")":
        return "Write a negative number with a minus sign."
    if text[:1] in {"\u2212", "\u2013"}:
        return "Write the minus sign as a hyphen (-)."
    return "Write digits with a decimal point, such as 1940 or 54.4."


def printed_place(text: str) -> float:
    """The place of the last digit printed: 1 for ``1940``, 0.1 for ``54.4``, 0.01 for ``54.40``."""
    _, point, decimals = text.strip().partition(".")
    return float(10.0 ** -len(decimals)) if point else 1.0


def value_of(column: Column, text: str) -> Any:
    """The typed value of a cell that is not blank.

    Returns str, float, int, bool, date, tuple of str, or (for a ramp) a tuple of (year, share).

    Raises:
        BettercareError: the text does not fit the column, saying how to write it.
    """
    if len(text) > LONGEST_CELL:
        raise BettercareError(
            f"The cell holds {len(text):,} characters.", remedy=f"Keep cells under {LONGEST_CELL:,} characters."
        )
    if strange := strange_character(text):
        raise BettercareError(f"The text holds a character that cannot be printed ({strange}).", remedy="Remove it.")
    match column.type:
        case "id":
            if not _ID.fullmatch(text) or len(text) > _LONGEST_ID:
                raise BettercareError(
                    f"{_short(text)} is not a short name.",
                    remedy="Use lower-case letters, digits, hyphens, dots and underscores, a letter or digit first.",
                )
            return text
        case "number":
            return number(text)
        case "integer":
            whole = number(text)
            if whole != int(whole):
                raise BettercareError(f"{_short(text)} is not a whole number.", remedy="Write it without decimals.")
            return int(whole)
        case "year":
            return str(FinancialYear.parse(text))
        case "date":
            try:
                return date.fromisoformat(text.strip())
            except ValueError:
                raise BettercareError(f"{_short(text)} is not a date.", remedy="Write it as 2017-03-31.") from None
        case "flag":
            if text.strip().lower() not in {"yes", "no", "true", "false"}:
                raise BettercareError(f"{_short(text)} is neither yes nor no.", remedy="Write yes or no.")
            return text.strip().lower() in {"yes", "true"}
        case "choice":
            return _chosen(column, text)
        case "choices":
            return tuple(_chosen(column, part) for part in parts(text))
        case "refs":
            return parts(text)
        case "unit":
            return unit(text).name
        case "ramp":
            return ramp(text)
        case _:
            return text


def parts(text: str) -> tuple[str, ...]:
    """The parts of a list written with semicolons."""
    return tuple(part.strip() for part in text.split(";") if part.strip())


def ramp(text: str) -> tuple[tuple[str, float], ...]:
    """Read ``2017/18: 0.25; 2018/19: 1``; shares lie between 0 and 1."""
    steps = []
    for part in parts(text):
        year, colon, share = part.partition(":")
        if not colon:
            raise BettercareError(f"{_short(part)} is not a step of a ramp.", remedy="Write 2017/18: 0.25; 2018/19: 1.")
        value = number(share.strip())
        if not 0 <= value <= 1:
            raise BettercareError(
                f"The share {_short(share.strip())} in a ramp is not between 0 and 1.",
                remedy="Write a quarter as 0.25 and all of it as 1.",
            )
        steps.append((str(FinancialYear.parse(year)), value))
    if len({year for year, _ in steps}) < len(steps):
        raise BettercareError("A ramp names a year twice.", remedy="Keep one share a year.")
    return tuple(sorted(steps))


def _chosen(column: Column, text: str) -> str:
    if text not in column.choices:
        raise BettercareError(
            f"{_short(text)} is not allowed here.", remedy=f"Use one of: {', '.join(column.choices)}."
        )
    return text


def strange_character(text: str) -> str:
    """The first character that no cell may hold (a control character, half a surrogate pair, a non-character), or nothing."""
    found = STRANGE.search(text)
    return f"U+{ord(found.group()):04X}" if found else ""


def _short(text: str) -> str:
    shown = text if len(text) <= 60 else text[:57] + "..."
    return repr(shown)
