"""Red, amber, green: a figure against its trajectory, by a stated rule, with the reason in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from bettercare.assurance.metrics import (
    Metric,
    bare,
    expected,
    expected_is_stated,
    last_period,
    next_period,
    period_end,
    period_name,
    written,
)
from bettercare.assurance.programme import in_words

AMBER_WITHIN = Decimal(5)
"""How much worse than the trajectory, in per cent of it, is still amber, unless the metric says otherwise. Assumed: the papers do not say."""
OLD_AFTER = 2
"""Periods that the latest figure may be behind before the metric is grey. Assumed: the papers do not say."""


@dataclass(frozen=True)
class Rag:
    """A rating."""

    status: str
    """green, amber, red, or grey when it cannot be rated."""
    reason: str
    """In a sentence, with both figures."""
    rule: str
    """The rule that was used, in words."""
    actual: float | None = None
    expected: float | None = None


def status(
    actual: float, expected: float, better: str, amber_within: Decimal = AMBER_WITHIN, baseline: float | None = None
) -> str:
    """green, amber or red.

    Green: no worse than the trajectory. Amber: worse by at most ``amber_within`` per cent of the trajectory, and no worse than the
    baseline where the trajectory asks for better than that. Red: anything else.
    """
    sign = 1.0 if better == "lower" else -1.0
    worse = sign * (actual - expected)
    # A hair's breadth, so that a figure that prints the same as the trajectory is never worse than it.
    hair = 1e-9 * max(1.0, abs(expected))
    if worse <= hair:
        return "green"
    if baseline is not None and sign * (expected - baseline) < -hair and sign * (actual - baseline) > hair:
        return "red"
    return "amber" if worse <= float(amber_within) / 100 * abs(expected) + hair else "red"


def rule(amber_within: Decimal = AMBER_WITHIN) -> str:
    """The rule in words."""
    return (
        f"Green: no worse than the trajectory. Amber: worse by at most {amber_within.normalize():f}% of it, and no worse than the"
        " baseline where it asks for better than that."
        " Red: worse than that. Grey: cannot be rated."
    )


def rate(
    metric: Metric, period: date | None, actual: float | None, on: date, amber_within: Decimal | None = None
) -> Rag:
    """Rate the latest figure of a metric, with the reason in a sentence.

    Args:
        period: of the figure; None when there is no figure.
        on: the date of the judgement; a figure too far behind it is grey.
        amber_within: per cent of the trajectory; :data:`AMBER_WITHIN` when not given.
    """
    within = AMBER_WITHIN if amber_within is None else amber_within
    words = rule(within)
    if period is None or actual is None:
        return Rag("grey", "There is no figure yet.", words)
    name, figure = period_name(metric, period), written(metric, actual)
    asked = expected(metric, period)
    if asked is None:
        return Rag("grey", f"{figure} in {name}. {_nothing_asked(metric)}", words, actual)
    latest = last_period(metric, on)
    if next_period(metric, period, OLD_AFTER) < latest:
        behind = f"{OLD_AFTER} {_PERIODS.get(metric.frequency, 'years')}"
        reason = f"The latest figure, {figure}, is of {name}: more than {behind} behind {period_name(metric, latest)}."
        return Rag("grey", reason, words, actual, asked)
    start = metric.baseline.value if metric.baseline is not None else None
    colour = status(actual, asked, metric.better, within, start)
    against = f"a trajectory of {written(metric, asked)}"
    if metric.held_to_standard:
        against = f"the national standard, {written(metric, asked)} (the plan sets no trajectory)"
    elif metric.line[-1].at < period_end(metric, period):
        against = f"the last target, {written(metric, asked)}"
    elif not expected_is_stated(metric, period):
        against += " (assumed: on the straight line between stated figures)"
    reason = f"{bare(metric, actual)} in {name} against {against}: {_how_far(metric, actual, asked)}"
    if colour == "amber":
        reason += f", within {within.normalize():f}%"
    elif colour == "red" and start is not None and status(actual, asked, metric.better, within) == "amber":
        reason += f", and worse than the baseline of {bare(metric, start)}"
    return Rag(colour, reason + ".", words, actual, asked)


_PERIODS = {"monthly": "months", "quarterly": "quarters", "annual": "years"}


def _nothing_asked(metric: Metric) -> str:
    if metric.line:
        first = metric.line[0]
        return (
            f"The trajectory starts later: its first figure is {written(metric, first.value)} at {in_words(first.at)}."
        )
    starts = [aim for aim in metric.aims if aim.kind == "baseline"]
    if len(starts) == 1:
        return f"The plan gives a baseline ({written(metric, starts[0].value)}) and nothing to reach."
    if starts:
        return "The plan gives baselines of several places and nothing to reach."
    return "The plan gives no trajectory."


def _how_far(metric: Metric, actual: float, asked: float) -> str:
    """Better or worse by how much, in per cent of the trajectory, or percentage points for a percentage."""
    gap = actual - asked
    if abs(gap) < 10.0**-metric.places / 2:
        return "as asked"
    word = "worse" if (gap > 0) == (metric.better == "lower") else "better"
    if metric.unit == "%":
        of_it = f" ({_percent(gap, asked)} of it)" if asked else ""
        return f"{abs(gap):.{min(metric.places, 1)}f} percentage points {word}{of_it}"
    return f"{_percent(gap, asked)} {word}" if asked else word


def _percent(gap: float, asked: float) -> str:
    share = 100 * abs(gap) / abs(asked)
    return f"{share:.1f}%" if share >= 0.05 else "less than 0.1%"
