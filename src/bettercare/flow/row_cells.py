"""The cells of a row that comes from a CSV file or a store: as text, as a moment, and as they are quoted in a message."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any

from bettercare.errors import BettercareError
from bettercare.vocabulary.nhs_number import without_nhs_numbers

_MOST_NAMED = 30


def text_of(value: Any) -> str:
    """A cell as text without spaces around it; blank for None and NaN, dates as in ISO 8601."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, datetime | date):
        return value.isoformat()
    return str(value).strip()


def moment_of(text: str) -> tuple[datetime, bool]:
    """A local clock time, and whether only its day was given (it is then 00:00).

    Raises:
        BettercareError: it is neither a date nor a date and time, or carries a time zone.
    """
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return datetime.combine(date.fromisoformat(text), time()), True
        moment = datetime.fromisoformat(text) if re.match(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}", text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise BettercareError(
            f"{quoted(text)} is not a date, or date and time.", remedy="Write the local clock time: 2016-04-01T13:05."
        )
    if moment.tzinfo is not None:
        raise BettercareError(f"{quoted(text)} carries a time zone.", remedy="Write the local clock time without one.")
    return moment, False


def quoted(text: str) -> str:
    """A cell in a message: cut, and without a valid NHS number that may be in it."""
    return repr(without_nhs_numbers(text if len(text) <= 60 else text[:57] + "..."))


def some_of(names: Iterable[str]) -> str:
    """Names in order, the first ones when there are many."""
    listed = sorted(names)
    more = f" and {len(listed) - _MOST_NAMED} more" if len(listed) > _MOST_NAMED else ""
    return ", ".join(listed[:_MOST_NAMED]) + more
