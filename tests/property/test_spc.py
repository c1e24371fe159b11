"""What holds of every XmR chart, whatever its figures and its rule set."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from itertools import pairwise

from hypothesis import assume, given, reject
from hypothesis import strategies as st

from bettercare.assurance.spc import RULE_SETS, RuleSet, Spc, limits, run_ends, trend_ends, whole_runs, xmr
from bettercare.errors import BettercareError

# Whole numbers, so that adding to and turning round the figures is exact.
FIGURES = st.lists(st.integers(-50, 50).map(float), min_size=12, max_size=48)
SETS = st.sampled_from(list(RULE_SETS.values()))


def months(count: int) -> list[date]:
    return [date(2014 + month // 12, month % 12 + 1, 1) for month in range(count)]


def chart(values: list[float], rules: RuleSet, better: str = "lower", **more: object) -> Spc:
    try:
        return xmr(months(len(values)), values, better, rules=rules, **more)  # type: ignore[arg-type]
    except BettercareError:
        # Figures that never or hardly ever change are refused.
        reject()


@given(FIGURES, SETS)
def test_a_chart_has_every_point_and_limits_round_the_mean(values: list[float], rules: RuleSet) -> None:
    made = chart(values, rules)
    assert [point.value for point in made.points] == values
    for point in made.points:
        assert point.lower < point.mean < point.upper
        assert math.isclose(point.upper - point.mean, point.mean - point.lower, rel_tol=1e-9)
        assert bool(point.special) == (point.meaning != "common-cause")
        assert ("outside" in point.special) == (not point.lower <= point.value <= point.upper)


@given(FIGURES, SETS, st.integers(-1000, 1000))
def test_adding_to_every_figure_changes_no_judgement(values: list[float], rules: RuleSet, shift: int) -> None:
    # Halves and twelfths of whole numbers are not exact: only charts with no point a hair from a line are compared.
    made = chart(values, rules)
    for point in made.points:
        third = (point.upper - point.mean) * 2 / 3
        lines = (point.mean, point.lower, point.upper, point.mean + third, point.mean - third)
        assume(all(abs(point.value - line) > 1e-9 for line in lines))
    moved = chart([value + shift for value in values], rules)
    assert [point.special for point in moved.points] == [point.special for point in made.points]
    assert moved.variation == made.variation


@given(FIGURES, SETS)
def test_turned_upside_down_it_says_the_opposite(values: list[float], rules: RuleSet) -> None:
    made, turned = chart(values, rules), chart([-value for value in values], rules)
    opposite = {"improvement": "concern", "concern": "improvement", "common-cause": "common-cause"}
    assert [point.special for point in turned.points] == [point.special for point in made.points]
    assert [point.meaning for point in turned.points] == [opposite[point.meaning] for point in made.points]
    same = chart([-value for value in values], rules, better="higher")
    assert [point.meaning for point in same.points] == [point.meaning for point in made.points]


@given(FIGURES, FIGURES, SETS)
def test_a_rebased_chart_is_two_charts(first: list[float], second: list[float], rules: RuleSet) -> None:
    whole = first + second
    made = chart(whole, rules, rebase=[months(len(whole))[len(first)]])
    parts = chart(first, rules).points + chart(second, rules).points
    assert [(p.mean, p.lower, p.upper, p.special, p.meaning) for p in made.points] == [
        (p.mean, p.lower, p.upper, p.special, p.meaning) for p in parts
    ]
    assert len(made.segments) == 2


@given(FIGURES, SETS, st.integers(6, 12))
def test_fixed_limits_are_those_of_the_first_points(values: list[float], rules: RuleSet, held: int) -> None:
    made = chart(values, rules, fix_after=held)
    mean, lower, upper = limits(values[:held], rules.screen_outliers)
    assert {(point.mean, point.lower, point.upper) for point in made.points} == {(mean, lower, upper)}


@given(FIGURES)
def test_screening_never_widens_the_limits(values: list[float]) -> None:
    _, lower, upper = limits(values)
    _, screened_lower, screened_upper = limits(values, screen_outliers=True)
    assume(not math.isnan(screened_upper))
    assert screened_upper - screened_lower <= upper - lower + 1e-9


@given(FIGURES, st.integers(4, 9))
def test_longer_rules_find_no_more(values: list[float], length: int) -> None:
    base = RULE_SETS["making-data-count"]
    short = chart(values, replace(base, shift=length, trend=length))
    long = chart(values, replace(base, shift=length + 1, trend=length + 1))
    for fewer, more in zip(long.points, short.points, strict=True):
        assert set(fewer.special) <= set(more.special)


@given(st.lists(st.sampled_from([-1, 0, 1]), max_size=40), st.integers(1, 8))
def test_a_run_is_marked_whole_and_nothing_else_is(signs: list[int], length: int) -> None:
    marks = whole_runs(run_ends(signs, length), length)
    # By another road: cut the signs into runs, and mark those long enough.
    expected: list[int] = []
    position = 0
    while position < len(signs):
        end = position
        while end < len(signs) and signs[end] == signs[position]:
            end += 1
        expected += [signs[position] if end - position >= length else 0] * (end - position)
        position = end
    assert marks == expected


@given(FIGURES, st.integers(3, 8))
def test_a_trend_only_goes_one_way(values: list[float], length: int) -> None:
    for position, mark in enumerate(trend_ends(values, length)):
        if mark:
            run = values[position - length + 1 : position + 1]
            assert len(run) == length
            assert all((b - a) * mark > 0 for a, b in pairwise(run))
