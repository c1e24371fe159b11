"""Parts of the week: days and hours, in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterator

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
SETS_OF_DAYS = {"all": (0, 1, 2, 3, 4, 5, 6), "weekdays": (0, 1, 2, 3, 4), "weekend": (5, 6)}
Window = tuple[tuple[int, ...], int, int]
"""Days, the hour it starts and the hour it ends; no days stand for the whole week."""
WHOLE_WEEK: Window = ((), 0, 24)


def hours_of(window: Window) -> Iterator[int]:
    """The hours of the week (0 is Monday midnight) of a part of it; an end at or before the start is on the next day."""
    days, start, end = window
    length = end - start if end > start else end + 24 - start
    for day in days or range(7):
        for hour in range(length):
            yield (day * 24 + start + hour) % 168


def words_of(window: Window) -> str:
    """`` on mon, tue from 08:00 to 20:00``, or nothing for the whole week."""
    days, start, end = window
    if window == WHOLE_WEEK:
        return ""
    return f" on {', '.join(DAYS[day] for day in days)} from {start:02}:00 to {end:02}:00"
