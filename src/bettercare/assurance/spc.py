"""Statistical process control as the NHS's Making Data Count does it: XmR charts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class RuleSet:
    """One way of finding special causes."""

    name: str
    title: str
    """Printed on the chart."""
    shift: int
    """Points running on one side of the mean."""
    trend: int
    """Points in a run that only rises or only falls."""
    two_of_three: str
    """"window" marks all three points, "band" only those near the limit, "" for not used."""
    screen_outliers: bool
    """Whether moving ranges above their own limit are left out of the mean range."""
    minimum: int
    """Fewest points that limits are drawn for."""
    source: str


RULE_SETS: Mapping[str, RuleSet] = {}


@dataclass(frozen=True)
class SpcPoint:
    """One point and what the rules say of it."""

    period: date
    value: float
    mean: float
    lower: float
    """Lower process limit."""
    upper: float
    special: tuple[str, ...]
    """Rules it breaks: outside, shift, trend, two-of-three."""
    meaning: str
    """common-cause, improvement, concern, or special-up / special-down when neither way is better."""


@dataclass(frozen=True)
class Spc:
    """A chart's figures and what they mean."""

    rules: RuleSet
    points: tuple[SpcPoint, ...]
    segments: tuple[date, ...]
    """First period of each stretch with limits of its own."""
    variation: str
    """common-cause, improvement-high, improvement-low, concern-high, concern-low, special-high, special-low (of the last point)."""
    assurance: str
    """pass, fail, hit-or-miss, or "" without a target."""
    target: float | None
    sentence: str
    """What the chart says, in one sentence."""


def xmr(
    periods: Sequence[date], values: Sequence[float], better: str = "", target: float | None = None, rules: RuleSet | str = "making-data-count",
    rebase: Sequence[date] = (), fix_after: int | None = None,
) -> Spc:  # fmt: skip
    """Work out an XmR chart.

    Raises:
        BettercareError: too few points, or all the same.
    """
    raise NotImplementedError
