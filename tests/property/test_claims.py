"""What holds for every expression and every verdict."""

from __future__ import annotations

import math
from itertools import product

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.plan.check import judge
from bettercare.plan.claims import parse
from bettercare.plan.read import build
from small_plan import HEADER

LEAVES = tuple("abcde")
QUICK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=60)


def plan(values: dict[str, str]) -> Plan:
    rows = [
        {"id": name, "topic": "t", "name": name, "value": text, "unit": "ratio", "source": "paper", "basis": "stated"}
        for name, text in values.items()
    ]
    raw = {
        "sources": [("tables/sources.csv, row 2", {"id": "paper", "title": "The paper"})],
        "indicators": [(f"tables/indicators.csv, row {number}", cells) for number, cells in enumerate(rows, 2)],
    }
    return build(HEADER, raw, [])


def printed(low: int, high: int) -> st.SearchStrategy[str]:
    """A number as a paper prints it, with nought to two decimals."""
    return st.builds(
        lambda value, places: f"{value / 10**places:.{places}f}", st.integers(low, high), st.integers(0, 2)
    )


figures = st.fixed_dictionaries({name: printed(-3000, 3000) for name in LEAVES})
positive = st.fixed_dictionaries({name: printed(100, 3000) for name in LEAVES})
leaf = st.sampled_from([f'indicators["{name}"]' for name in LEAVES])
sums = st.lists(leaf, min_size=1, max_size=12).map(" + ".join)
linear = st.recursive(
    leaf, lambda part: st.builds("({} {} {})".format, part, st.sampled_from("+-"), part), max_leaves=6
)
anything = st.recursive(
    leaf | st.sampled_from(["2", "0.5", "100"]),
    lambda part: (
        st.builds("({} {} {})".format, part, st.sampled_from(["+", "-", "*", "/"]), part)
        | st.builds("abs({})".format, part)
        | st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), part, part)
    ),
    max_leaves=6,
)


def by_python(expression: str, values: dict[str, float]) -> float:
    """The same arithmetic by another way."""
    return float(eval(expression, {"indicators": values, "abs": abs, "min": min, "max": max}))


def half(text: str) -> float:
    return 0.5 * 10.0 ** -len(text.partition(".")[2])


@QUICK
@given(figures, anything)
def test_an_expression_is_ordinary_arithmetic(values: dict[str, str], expression: str):
    numbers = {name: float(text) for name, text in values.items()}
    try:
        expected = by_python(expression, numbers)
    except ZeroDivisionError:
        expected = math.nan
    try:
        found = parse(expression, plan(values)).value
    except BettercareError:
        assert not math.isfinite(expected)
    else:
        assert math.isclose(found, expected, rel_tol=1e-9, abs_tol=1e-9)


@QUICK
@given(figures, anything, st.lists(st.tuples(*[st.floats(-1, 1)] * len(LEAVES)), max_size=20))
def test_no_reading_of_the_printed_figures_lies_outside_the_range(
    values: dict[str, str], expression: str, shifts: list[tuple[float, ...]]
):
    """Corners of the box, and points inside it, by plain arithmetic."""
    try:
        low, high = parse(expression, plan(values)).range
    except BettercareError:
        return
    corners = list(product((-1.0, 1.0), repeat=len(LEAVES)))
    for shift in [*corners, *shifts]:
        moved = {name: float(text) + by * half(text) for (name, text), by in zip(values.items(), shift, strict=True)}
        try:
            here = by_python(expression, moved)
        except ZeroDivisionError:
            continue
        slack = 1e-7 * max(1.0, abs(here))
        assert low - slack <= here <= high + slack


@QUICK
@given(positive, st.lists(leaf, min_size=2, max_size=9), st.lists(leaf, min_size=1, max_size=9))
def test_the_range_of_a_share_is_that_of_its_corners(values: dict[str, str], above: list[str], below: list[str]):
    expression = f"({' + '.join(above)}) / ({' + '.join(below)})"
    low, high = parse(expression, plan(values)).range
    corners = [
        by_python(
            expression,
            {name: float(text) + by * half(text) for (name, text), by in zip(values.items(), shift, strict=True)},
        )
        for shift in product((-1, 1), repeat=len(LEAVES))
    ]
    assert math.isclose(low, min(corners), rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(high, max(corners), rel_tol=1e-9, abs_tol=1e-12)


MANY = tuple("abcdefgh")
many = st.fixed_dictionaries({name: printed(100, 3000) for name in MANY})
of_many = st.lists(st.sampled_from([f'indicators["{name}"]' for name in MANY]), min_size=4, max_size=12)


@QUICK
@given(many, of_many, of_many)
def test_the_range_of_many_figures_is_that_of_its_corners(values: dict[str, str], above: list[str], below: list[str]):
    """More figures than every corner is tried for: the slopes must lead to the same place."""
    expression = f"({' + '.join(above)}) / ({' + '.join(below)}) - 1"
    low, high = parse(expression, plan(values)).range
    corners = [
        by_python(
            expression,
            {name: float(text) + by * half(text) for (name, text), by in zip(values.items(), shift, strict=True)},
        )
        for shift in product((-1, 1), repeat=len(MANY))
    ]
    assert math.isclose(low, min(corners), rel_tol=1e-9, abs_tol=1e-12)
    assert math.isclose(high, max(corners), rel_tol=1e-9, abs_tol=1e-12)


@QUICK
@given(figures, linear)
def test_what_cancels_on_paper_cancels_in_the_range(values: dict[str, str], expression: str):
    """The width of a sum is that of the figures left in it, however often each is written."""
    low, high = parse(expression, plan(values)).range
    noughts = dict.fromkeys(LEAVES, 0.0)
    weights = {name: by_python(expression, {**noughts, name: 1.0}) for name in LEAVES}
    width = sum(abs(weights[name]) * 2 * half(values[name]) for name in LEAVES)
    assert math.isclose(high - low, width, rel_tol=1e-9, abs_tol=1e-9)


@QUICK
@given(figures, sums)
def test_a_sum_over_rows_is_the_sum_of_the_rows(values: dict[str, str], expression: str):
    names = [part.split('"')[1] for part in expression.split(" + ")]
    once = list(dict.fromkeys(names))
    listed = parse(f"sum(indicators, id={once!r})", plan(values))
    added = parse(" + ".join(f'indicators["{name}"]' for name in once), plan(values))
    assert math.isclose(listed.value, added.value, rel_tol=1e-12, abs_tol=1e-9)
    assert all(math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-9) for a, b in zip(listed.range, added.range, strict=True))


ORDER = {"agrees": 0, "rounding": 1, "inconsistent": 2}
whole = st.integers(-10_000, 10_000).map(lambda number: number / 100)
places = st.sampled_from([0.01, 0.1, 1.0, 10.0])


@given(st.sampled_from(["equals", "about"]), whole, places, whole, st.floats(0, 10), st.floats(0, 10))
def test_less_precision_is_never_harsher(
    relation: str, stated: float, place: float, central: float, below: float, above: float
):
    low, high = central - below, central + above
    fine, coarse = (
        judge(relation, stated, place, central, low, high),
        judge(relation, stated, 10 * place, central, low, high),
    )
    assert ORDER[coarse] <= ORDER[fine]
    assert (
        ORDER[judge("about", stated, place, central, low, high)]
        <= ORDER[judge("equals", stated, place, central, low, high)]
    )


@given(
    st.sampled_from(["equals", "about", "over", "under", "at-most", "at-least", "compares"]),
    whole,
    places,
    whole,
    st.floats(0, 9),
    st.floats(0, 9),
)
def test_a_wider_range_is_never_harsher(
    relation: str, stated: float, place: float, central: float, width: float, more: float
):
    narrow = judge(relation, stated, place, central, central - width, central + width)
    wide = judge(relation, stated, place, central, central - width - more, central + width + more)
    assert ORDER[wide] <= ORDER[narrow]
    assert (wide == "agrees") == (narrow == "agrees")


@given(
    st.sampled_from(["over", "under", "at-most", "at-least", "compares", "equals"]),
    whole,
    places,
    whole,
    st.floats(0, 9),
)
def test_turning_every_sign_turns_the_relation(
    relation: str, stated: float, place: float, central: float, width: float
):
    turned = {"over": "under", "under": "over", "at-most": "at-least", "at-least": "at-most"}.get(relation, relation)
    here = judge(relation, stated, place, central, central - width, central + width)
    assert here == judge(turned, -stated, place, -central, -central - width, -central + width)


TOKENS = ["indicators", "beds", "sum", "count", "abs", "grow", "(", ")", "[", "]", '"a"', "'", '"', ",", "=", "id", ".", "+", "-", "*", "/", "**", "1",
          "0", "9" * 30, "1e308", "year", "empty", "lambda", "if", "else", ":", "{", "}", "\\", "\n", "\t", " ", "#", "é", "\x00", ";", "@", "%", "not"]  # fmt: skip


@settings(deadline=None, max_examples=300)
@given(st.lists(st.sampled_from(TOKENS), max_size=25).map("".join) | st.text(max_size=60))
def test_any_text_is_an_expression_or_a_sentence_about_it(text: str):
    example = plan({"a": "1.0"})
    refused = ""
    try:
        expression = parse(text, example)
        value, (low, high) = expression.value, expression.range
    except BettercareError as refusal:
        refused = refusal.what
    assert refused.endswith(".") or (not refused and math.isfinite(value) and low <= high)
