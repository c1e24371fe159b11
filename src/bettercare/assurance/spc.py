"""Statistical process control as the NHS's Making Data Count does it: XmR charts.

Limits are the mean plus and minus 2.66 mean moving ranges (Shewhart; 2.66 is 3 / 1.128, the constant of ranges of two). Four rules
find special causes: a point outside a limit, a run on one side of the mean (shift), a run that only rises or falls (trend), and two of
three points near a limit. Public tools differ in the lengths and in three details, so each is a :class:`RuleSet` here.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from bettercare.errors import BettercareError

LIMIT = 2.66
"""Mean moving ranges from the mean to a limit."""
LARGEST_RANGE = 3.267
"""Mean moving ranges beyond which a moving range is itself outside its limit (D4 of ranges of two; Nelson 1982)."""
SHORTEST_STRETCH = 6
"""Fewest points of a stretch with limits of its own, after a rebase. Wheeler, Understanding Variation, p60: five or six may do."""
FEWEST = 12
"""Fewest points of a chart. Below it NHSRplotthedots warns of trial limits; here the chart is refused."""


@dataclass(frozen=True)
class RuleSet:
    """One way of finding special causes."""

    name: str
    title: str
    """Printed on the chart."""
    shift: int
    """Points running on one side of the mean; a point on the mean ends a run. 0: the length grows with the series (Anhøj)."""
    trend: int
    """Points in a run that only rises or only falls; two equal points end it. 0 for not used."""
    two_of_three: str
    """"window" marks all three points, "band" only those near the limit, "" for not used."""
    screen_outliers: bool
    """Whether moving ranges above their own limit are left out of the mean range."""
    minimum: int
    """Fewest points that limits are drawn for."""
    source: str
    outer_third: str = "beyond"
    """"within": two points between two thirds of the way and the limit, the third on the same side of the mean. "beyond": points outside
    the limit count too, and the third may be anywhere."""
    differs: str = ""
    """What the tool does that this set does not."""
    minimum_stretch: int = SHORTEST_STRETCH
    """Fewest points of a stretch with limits of its own, after a rebase."""


def _set(
    name: str, tool: str, shift: int, trend: int, two_of_three: str, screen: bool, source: str, outer_third: str = "beyond", differs: str = ""
) -> RuleSet:  # fmt: skip
    parts = [
        f"{shift} on one side of the mean" if shift else "a long run on one side of the mean (by Anhøj)",
        f"{trend} rising or falling" if trend else "",
        "2 of 3 near a limit" if two_of_three else "",
        "outlying moving ranges left out" if screen else "",
    ]
    title = f"{tool}: outside a limit, {', '.join(filter(None, parts))}"
    return RuleSet(name, title, shift, trend, two_of_three, screen, FEWEST, source, outer_third, differs)


RULE_SETS: Mapping[str, RuleSet] = {
    rules.name: rules
    for rules in (
        _set(
            "making-data-count", "Making Data Count", 7, 7, "band", False,
            "NHS England's Excel tool as NHSRplotthedots 0.2.2 follows it; its page on deviations names the screening of outliers as the one"
            " difference in what is worked out. The workbook itself was not opened.",
            "within",
        ),
        _set(
            "nhsr-plotthedots", "NHSRplotthedots", 7, 7, "band", True,
            "The R package NHSRplotthedots 0.2.2. Checked against 68 series it worked out, and the cases of its own tests.",
            "within",
            "It draws charts of fewer than 12 points with a warning, and charts of constant figures without limits; here both are refused.",
        ),
        _set(
            "nhspy-plotthedots", "nhspy-plotthedots", 7, 7, "band", True,
            "The Python package nhspy-plotthedots 0.0.1. Its limits are checked against its own tests; its rules are those of NHSRplotthedots.",
            "within",
            "It counts points that are all exactly on the mean as a run; here a point on the mean ends a run.",
        ),
        _set(
            "powerbi-spc", "PowerBI-SPC", 7, 5, "window", True,
            "The Power BI visual PowerBI-SPC of the Health Department of Western Australia: lengths and the rule on two of three from its"
            " pages. Not checked against its figures.",
            differs="It lets a point on the mean count towards a shift and equal points towards a trend; here both end the run.",
        ),
        _set(
            "qicharts2", "qicharts2", 0, 0, "", True,
            "The R package qicharts2: I chart with Nelson's screening and the run rule of Anhøj and Olesen 2014. Not checked against its figures.",
            differs="Its rule on too few crossings speaks of the whole chart and marks no point; it is left out here.",
        ),
        _set(
            "health-care-data-guide", "Health Care Data Guide", 8, 6, "band", True,
            "Provost and Murray, The Health Care Data Guide (2011). Lengths not checked against the book.",
            differs="Its fifth rule, fifteen points hugging the mean, is left out.",
        ),
        _set(
            "western-electric", "Western Electric", 8, 0, "band", False,
            "Western Electric, Statistical Quality Control Handbook (1956), as the R package qcc and MATLAB's controlrules give it.",
            differs="Four of five points beyond a third of the way to a limit is left out.",
        ),
        _set(
            "nelson", "Nelson", 9, 6, "band", False,
            "Nelson, Journal of Quality Technology 16(4), 1984, tests 1, 2, 3 and 5, as MATLAB's controlrules gives them.",
            differs="Tests 4, 6, 7 and 8 are left out.",
        ),
        _set(
            "run-chart", "Run chart lengths", 6, 5, "", False,
            "The lengths of run charts (the R package runchart; Perla, Provost and Murray 2011), on an XmR chart.",
            differs="A run chart runs about the median and has no limits; this one runs about the mean and has.",
        ),
    )
}  # fmt: skip
"""Rule sets by name, each named for the tool whose ways it follows."""


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
    """Rules it breaks, the weightiest first (NHSRplotthedots' order): outside, trend, two-of-three, shift."""
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


def rule_set(name: str) -> RuleSet:
    """The rule set of that name.

    Raises:
        BettercareError: there is none.
    """
    if name not in RULE_SETS:
        raise BettercareError(f"There is no rule set {name[:60]!r}.", remedy=f"Use one of: {', '.join(RULE_SETS)}.")
    return RULE_SETS[name]


def xmr(
    periods: Sequence[date], values: Sequence[float], better: str = "", target: float | None = None, rules: RuleSet | str = "making-data-count",
    rebase: Sequence[date] = (), fix_after: int | None = None,
) -> Spc:  # fmt: skip
    """Work out an XmR chart.

    Args:
        periods: first days, each later than the one before. Points are taken as neighbours even when a period between is missing.
        better: lower, higher or "" when neither is.
        target: what the last limits are compared with.
        rebase: first days from which limits are worked out anew; a day with no point on or after it changes nothing.
        fix_after: points of each stretch that its limits rest on; later ones are compared with those.

    Raises:
        BettercareError: too few points, or all the same.
    """
    chosen = rule_set(rules) if isinstance(rules, str) else rules
    if len(periods) != len(values) or any(a >= b for a, b in pairwise(periods)):
        raise BettercareError("The periods of a chart must be in order, with one figure each.")
    if not all(math.isfinite(value) for value in values):
        raise BettercareError("A figure of the chart is not a number.", remedy="Correct it.")
    if len(values) < chosen.minimum:
        raise BettercareError(
            f"A chart needs {chosen.minimum} points, and there {'is' if len(values) == 1 else 'are'} {len(values)}.",
            remedy="With fewer the limits say little.",
        )
    starts = sorted({0, *(_first_on(periods, day) for day in rebase)} - {len(periods)})
    points: list[SpcPoint] = []
    direction = 0
    for start, end in zip(starts, [*starts[1:], len(values)], strict=True):
        stretch, direction = _stretch(periods[start:end], values[start:end], better, chosen, len(starts) > 1, fix_after)
        points += stretch
    last = points[-1]
    kind = {"improvement": "improvement", "concern": "concern"}.get(last.meaning, "special")
    variation = "common-cause" if not last.special else f"{kind}-{'high' if direction > 0 else 'low'}"
    assurance = assured(last.lower, last.upper, target, better)
    trial = min(len(values) - starts[-1], fix_after or len(values)) < FEWEST
    sentence = _sentence(points, variation, assurance, target, trial)
    return Spc(chosen, tuple(points), tuple(periods[start] for start in starts), variation, assurance, target, sentence)


def _first_on(periods: Sequence[date], day: date) -> int:
    return next((position for position, period in enumerate(periods) if period >= day), len(periods))


def _stretch(
    periods: Sequence[date], values: Sequence[float], better: str, rules: RuleSet, rebased: bool, fix_after: int | None
) -> tuple[list[SpcPoint], int]:
    """The points of one stretch, and which way (1 up, -1 down, 0 neither) the last one's special cause points."""
    if rebased and len(values) < rules.minimum_stretch:
        raise BettercareError(
            f"The stretch from {periods[0]:%B %Y} has {len(values)} points; limits of its own need {rules.minimum_stretch}.",
            remedy="Rebase later, or not yet.",
        )
    resting = values[:fix_after] if fix_after else values
    mean, lower, upper = limits(resting, rules.screen_outliers)
    if not upper - lower > 1e-12 * max(1.0, abs(mean)):
        same = "are all the same" if min(resting) == max(resting) else "hardly ever change"
        raise BettercareError(
            f"The {len(resting)} figures from {periods[0]:%B %Y} {same}, so there is no variation to judge.",
            remedy="Compare them with the trajectory alone.",
        )
    found = special_causes(values, mean, lower, upper, rules)
    points = []
    direction = 0
    for period, value, special, way in zip(periods, values, *found, strict=True):
        direction = way
        if not way:
            meaning = "common-cause"
        elif better:
            meaning = "improvement" if (way > 0) == (better == "higher") else "concern"
        else:
            meaning = "special-up" if way > 0 else "special-down"
        points.append(SpcPoint(period, value, mean, lower, upper, special, meaning))
    return points, direction


def limits(values: Sequence[float], screen_outliers: bool = False) -> tuple[float, float, float]:
    """Mean, lower and upper process limit. Limits are not a number when screening leaves no moving range.

    >>> mean, lower, upper = limits([1, 2, 3, 4, 5])
    >>> mean, round(lower, 2), round(upper, 2)
    (3.0, 0.34, 5.66)
    """
    mean = math.fsum(values) / len(values)
    ranges = [abs(b - a) for a, b in pairwise(values)]
    average = math.fsum(ranges) / len(ranges) if ranges else math.nan
    if screen_outliers:
        kept = [size for size in ranges if size < LARGEST_RANGE * average]
        average = math.fsum(kept) / len(kept) if kept else math.nan
    return mean, mean - LIMIT * average, mean + LIMIT * average


def assured(lower: float, upper: float, target: float | None, better: str) -> str:
    """Whether a process with these limits meets its target: pass (always), fail (never), hit-or-miss; "" when that cannot be said."""
    if target is None or not better:
        return ""
    if lower <= target <= upper:
        return "hit-or-miss"
    return "pass" if (target < lower) == (better == "higher") else "fail"


def special_causes(
    values: Sequence[float], mean: float, lower: float, upper: float, rules: RuleSet
) -> tuple[list[tuple[str, ...]], list[int]]:
    """For each point the rules it breaks, and which way the weightiest of them points (1 up, -1 down, 0 when it breaks none)."""
    sides = [(value > mean) - (value < mean) for value in values]
    outside = [(value > upper) - (value < lower) for value in values]
    near_upper, near_lower = mean + (upper - mean) * 2 / 3, mean - (mean - lower) * 2 / 3
    near = [(value > near_upper) - (value < near_lower) for value in values]
    if rules.outer_third == "within":
        near = [0 if out else close for close, out in zip(near, outside, strict=True)]
    length = rules.shift or longest_run(sum(1 for side in sides if side))
    none = [0] * len(values)
    found = {
        "outside": outside,
        "trend": whole_runs(trend_ends(values, rules.trend), rules.trend) if rules.trend else none,
        "two-of-three": two_of_three(near, sides, rules.two_of_three, rules.outer_third)
        if rules.two_of_three
        else none,
        "shift": whole_runs(run_ends(sides, length), length),
    }
    broken: list[tuple[str, ...]] = []
    ways: list[int] = []
    for position in range(len(values)):
        special = tuple(name for name, marks in found.items() if marks[position])
        broken.append(special)
        ways.append(found[special[0]][position] if special else 0)
    return broken, ways


def longest_run(points: int) -> int:
    """The shortest run that is unusual among so many points not on the mean: one more than log2(n) + 3, rounded (Anhøj and Olesen 2014)."""
    return round(math.log2(max(points, 1)) + 3) + 1


def run_ends(signs: Sequence[int], length: int) -> list[int]:
    """The sign at each point that is at least the ``length``-th in a row of one sign other than 0; else 0."""
    ends = []
    count = previous = 0
    for sign in signs:
        count = count + 1 if sign == previous else 1
        previous = sign
        ends.append(sign if sign and count >= length else 0)
    return ends


def trend_ends(values: Sequence[float], length: int) -> list[int]:
    """1 (rising) or -1 (falling) at each point that is at least the ``length``-th of a run that only rises or only falls; else 0."""
    steps = [(b > a) - (b < a) for a, b in pairwise(values)]
    return [0, *run_ends(steps, length - 1)]


def whole_runs(ends: Sequence[int], length: int) -> list[int]:
    """Carries each mark of :func:`run_ends` back over the ``length`` points of its run. Where two runs share a point the earlier has it."""
    marks = list(ends)
    left = sign = 0
    for position in range(len(ends) - 1, -1, -1):
        if ends[position]:
            sign, left = ends[position], length
        if left:
            marks[position] = sign
            left -= 1
    return marks


def two_of_three(near: Sequence[int], sides: Sequence[int], mark: str, outer_third: str) -> list[int]:
    """The sign at each point that two of three near a limit mark.

    Args:
        near: 1 near (or beyond) the upper limit, -1 the lower, 0 neither.
        sides: 1 above the mean, -1 below, 0 on it.
        mark: "window" or "band", as in :class:`RuleSet`.
        outer_third: "within" or "beyond", as in :class:`RuleSet`.
    """
    marks = [0] * len(near)
    for first in range(len(near) - 2):
        three = near[first : first + 3]
        for sign in (1, -1):
            if three.count(sign) < 2:
                continue
            if outer_third == "beyond" or sides[first] == sides[first + 1] == sides[first + 2] == sign:
                for position in range(first, first + 3):
                    if mark == "window" or near[position] == sign:
                        marks[position] = sign
    return marks


_RULES_IN_WORDS = {
    "outside": "lies outside the limits", "trend": "ends a run that only goes one way", "two-of-three": "is one of three with two near a limit",
    "shift": "ends a run on one side of the mean",
}  # fmt: skip
_VARIATION = {
    "improvement": "Special cause of improvement", "concern": "Special cause for concern", "special": "Special cause",
}  # fmt: skip
_ASSURANCE = {
    "pass": "As it runs, the process meets the target of {target} every time.",
    "fail": "As it runs, the process cannot meet the target of {target}.",
    "hit-or-miss": "As it runs, the process meets the target of {target} on some occasions and misses it on others by chance.",
}


def _sentence(points: Sequence[SpcPoint], variation: str, assurance: str, target: float | None, trial: bool) -> str:
    last = points[-1]
    between = f"limits {_short(last.lower, last)} to {_short(last.upper, last)}, mean {_short(last.mean, last)}"
    if variation == "common-cause":
        said = f"Common cause: the last point is within the usual variation ({between})."
    else:
        kind, _, side = variation.partition("-")
        reasons = [_RULES_IN_WORDS[rule] for rule in last.special]
        reason = " and ".join(filter(None, (", ".join(reasons[:-1]), reasons[-1])))
        said = f"{_VARIATION[kind]}, {side}: the last point {reason} ({between})."
    if assurance and target is not None:
        said += " " + _ASSURANCE[assurance].format(target=_short(target, last))
    if trial:
        said += f" Trial limits: they rest on fewer than {FEWEST} points."
    return said


def _short(value: float, like: SpcPoint) -> str:
    """With as many decimals as the width of the limits makes worth showing."""
    width = like.upper - like.lower
    places = min(6, max(0, 2 - math.floor(math.log10(width))))
    text = f"{value:,.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
