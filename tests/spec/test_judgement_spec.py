"""The rules of judgement as docs/judgement.md says them, one example of each."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bettercare.assurance import forecast, judgement, metrics, rag, spc
from bettercare.errors import BettercareError

PAGE = (Path(__file__).parents[2] / "docs" / "judgement.md").read_text(encoding="utf-8")


def chart(
    values: list[float], better: str = "lower", name: str = "making-data-count", target: float | None = None
) -> spc.Spc:
    periods = [date(2014 + step // 12, step % 12 + 1, 1) for step in range(len(values))]
    return spc.xmr(periods, values, better, target, name)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        (rag, "AMBER_WITHIN"), (rag, "OLD_AFTER"), (spc, "LIMIT"), (spc, "LARGEST_RANGE"), (spc, "FEWEST"), (spc, "SHORTEST_STRETCH"),
        (forecast, "FEWEST"), (forecast, "FEWEST_FOR_MONTHS"), (forecast, "LONGEST"), (forecast, "FURTHEST"), (judgement, "AMBER_RUN"),
        (judgement, "LEAST_CHANCE"), (judgement, "EVEN_CHANCE"), (metrics, "EARLIEST"),
    ],
)  # fmt: skip
def test_every_threshold_is_named_with_its_value(module: object, name: str) -> None:
    value = getattr(module, name)
    where = f"`{getattr(module, '__name__', '').rpartition('.')[2]}.{name}`"
    row = next((line for line in PAGE.splitlines() if line.startswith("|") and where in line), "")
    assert row, f"{where} is not on the page"
    assert f"| {value} |" in row


def test_every_rule_set_is_on_the_page_as_it_is() -> None:
    for rules in spc.RULE_SETS.values():
        row = next((line for line in PAGE.splitlines() if line.startswith(f"| `{rules.name}` |")), "")
        cells = [cell.strip() for cell in row.split("|")[2:5]]
        assert cells == [
            str(rules.shift or "grows"),
            str(rules.trend or "–"),
            {"": "–", "band": "near ones", "window": "all three"}[rules.two_of_three],
        ], rules.name
        assert rules.source
        assert re.search(r"\d|long run", rules.title)


NOISE = [10.0, 12, 11, 13, 9, 12, 10, 13, 11, 9, 12, 10]


@pytest.mark.parametrize(
    ("tail", "rule", "meaning"),
    [
        ([30.0], "outside", "concern"),
        ([0.0], "outside", "improvement"),
        ([15, 15, 15, 15, 15, 15, 15], "shift", "concern"),
        ([7.0, 7.5, 8, 8.5, 9, 9.5, 10], "trend", "concern"),
        ([12.0, 15.9, 15.8], "two-of-three", "concern"),
    ],
)  # fmt: skip
def test_the_four_rules(tail: list[float], rule: str, meaning: str) -> None:
    # The limits are held at those of the noise, so that each tail breaks the rule it is made for.
    values = NOISE + tail
    periods = [date(2014 + step // 12, step % 12 + 1, 1) for step in range(len(values))]
    made = spc.xmr(periods, values, "lower", fix_after=len(NOISE))
    assert rule in made.points[-1].special
    assert made.points[-1].meaning == meaning


def test_lengths_differ_by_tool() -> None:
    values = [*NOISE, *[13.0] * 6, 9.0]
    broken = {
        name: "shift" in chart(values, name=name).points[-2].special
        for name in ("run-chart", "making-data-count", "western-electric")
    }
    assert broken == {"run-chart": True, "making-data-count": False, "western-electric": False}


@pytest.mark.parametrize(
    ("target", "better", "said"),
    [
        (30.0, "lower", "pass"),
        (0.0, "lower", "fail"),
        (11.0, "lower", "hit-or-miss"),
        (30.0, "higher", "fail"),
        (0.0, "higher", "pass"),
    ],
)
def test_assurance(target: float, better: str, said: str) -> None:
    assert chart(NOISE, better, target=target).assurance == said


def test_neither_way_better_has_no_assurance() -> None:
    made = chart([*NOISE, 30.0], "", target=11.0)
    assert (made.assurance, made.variation, made.points[-1].meaning) == ("", "special-high", "special-up")


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (NOISE[:11], "A chart needs 12 points, and there are 11."),
        ([10.0] * 12, "The 12 figures from January 2014 are all the same"),
        ([float("nan"), *NOISE], "not a number"),
    ],
)
def test_refused_in_words(values: list[float], said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        chart(values)


def test_screening_that_leaves_no_range_is_refused_in_words() -> None:
    with pytest.raises(BettercareError, match="hardly ever change"):
        chart([1.0] * 8 + [9.0] * 8, name="nhsr-plotthedots")


def test_a_stretch_too_short_is_refused_and_a_short_one_is_called_a_trial() -> None:
    periods = [date(2014 + step // 12, step % 12 + 1, 1) for step in range(18)]
    values = [*NOISE, 8.0, 7, 9, 6, 8, 7]
    assert spc.xmr(periods, values, "lower", rebase=[periods[12]]).sentence.endswith(
        "Trial limits: they rest on fewer than 12 points."
    )
    with pytest.raises(
        BettercareError, match=r"The stretch from February 2015 has 5 points; limits of its own need 6\."
    ):
        spc.xmr(periods, values, "lower", rebase=[periods[13]])


def test_a_rebase_with_no_point_after_it_changes_nothing() -> None:
    periods = [date(2014, step + 1, 1) for step in range(12)]
    assert spc.xmr(periods, NOISE, rebase=[date(2016, 1, 1)]).points == spc.xmr(periods, NOISE).points


def test_periods_out_of_order_are_refused() -> None:
    with pytest.raises(BettercareError, match="in order"):
        spc.xmr([date(2014, 1, 1)] * 12, NOISE)


def test_limits_held_after_a_few_points_are_trial_limits_and_refused_for_those_points_alone() -> None:
    values = [5.0, 7.0, 6.0, *(6.0 + step % 2 for step in range(15))]
    periods = [date(2014 + month // 12, month % 12 + 1, 1) for month in range(len(values))]
    assert "Trial limits" in spc.xmr(periods, values, fix_after=3).sentence
    assert "Trial limits" not in spc.xmr(periods, values).sentence
    with pytest.raises(BettercareError, match="The 3 figures from January 2014 are all the same"):
        spc.xmr(periods, [6.0] * 3 + values[3:], fix_after=3)
