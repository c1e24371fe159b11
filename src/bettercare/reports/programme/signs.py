"""Ratings, signals and courses as signs in a table."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from bettercare.assurance.judgement import Judgement
from bettercare.reports.amounts import NONE
from bettercare.reports.charts.icons import (
    ASSURANCE,
    VARIATION,
    assurance_icon,
    rating_icon,
    variation_icon,
)
from bettercare.reports.charts.sparkline import sparkline
from bettercare.reports.exhibit import Sign
from bettercare.reports.words import plural

WIDE, NARROW = 820.0, 372.0
"""Widths the charts of a programme report are drawn for: a page of paper or screen, and a telephone."""
WORST_FIRST = ("red", "amber", "green", "grey")
NOT_RATED = "Not rated"


def rating(status: str, words: str = "") -> Sign:
    """A rating with its word beside it, or with other words."""
    word = words or (NOT_RATED if status == "grey" else status.capitalize())
    return Sign(rating_icon(status, 18.0), word, word)


def variation(judgement: Judgement) -> Sign:
    """The sign of the last point's variation."""
    kind = judgement.spc.variation if judgement.spc else ""
    return Sign(variation_icon(kind, 34.0), VARIATION[kind][1] if kind in VARIATION else "No process limits")


def assurance(judgement: Judgement) -> Sign:
    """The sign of whether the process will meet its target."""
    kind = judgement.spc.assurance if judgement.spc else ""
    return Sign(assurance_icon(kind, 34.0), ASSURANCE[kind][1] if kind in ASSURANCE else "No target to hold it against")


def course(judgement: Judgement) -> Sign:
    """The metric's last periods."""
    return Sign(sparkline(judgement, 96.0, 26.0), plural(len(judgement.actuals), "period"))


def worst(statuses: Iterable[str]) -> str:
    """The worst of several ratings; grey when there is none."""
    found = set(statuses)
    return next((status for status in WORST_FIRST if status in found), "grey")


def day(when: date | None) -> str:
    """31 Jan 2016, or a dash."""
    return f"{when.day} {when:%b %Y}" if when else NONE
