"""One metric judged as a whole: what is said, what is refused, what is an exception and since when."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from bettercare.assurance.judgement import LEAST_CHANCE, Judgement, judge
from bettercare.assurance.metrics import Actual, Aim, Metric, MetricRules, next_period
from bettercare.demo.actuals import INVENTED, actuals
from bettercare.plan import Plan, shipped

FIRST = date(2014, 4, 1)


def of(better: str = "lower", target: float = 100.0, baseline: float | None = 120.0) -> Metric:
    aims = [Aim("t", "trajectory", date(2014, 4, 1), target, "", "stated")]
    if baseline is not None:
        aims.insert(0, Aim("b", "baseline", date(2014, 3, 31), baseline, "", "stated"))
    return Metric("m", "Waits", "", "per 1,000", 1000, better, "monthly", False, tuple(aims), ("one", "two"), "")


def rows(values: Sequence[float], first: date = FIRST, synthetic: bool = False) -> list[Actual]:
    metric = of()
    return [
        Actual(
            plan="p", id=f"m@{step}", metric="m", period=next_period(metric, first, step), value=Decimal(str(value)), source="a return",
            synthetic=synthetic,
        )
        for step, value in enumerate(values)
    ]  # fmt: skip


def judged(values: Sequence[float], metric: Metric | None = None, rules: MetricRules | None = None) -> Judgement:
    metric = metric or of()
    last = next_period(metric, FIRST, len(values))
    return judge(metric, rows(values), rules, last)


STEADY = [97, 99, 98, 96, 99, 97, 98, 99, 97, 96, 98, 99, 97, 98]


def test_nothing_known() -> None:
    made = judge(of(), (), None, date(2016, 1, 31))
    assert (made.rag.status, made.spc, made.forecast, made.exception, made.disagreement) == (
        "grey",
        None,
        None,
        None,
        "",
    )
    assert "A chart needs 12 points, and there are 0" in made.spc_refused
    assert "A forecast needs 6 figures" in made.forecast_refused
    assert (made.history, made.actuals, made.synthetic) == ((), (), False)


def test_a_steady_metric_that_meets_its_trajectory() -> None:
    made = judged(STEADY)
    assert made.rag.status == "green"
    assert {status for _, status in made.history} == {"green"}
    assert made.spc is not None
    assert (made.spc.variation, made.spc.target) == ("common-cause", 100.0)
    assert made.exception is None


def test_only_periods_that_have_ended_and_their_latest_revisions_count() -> None:
    given = rows(STEADY)
    revised = given[2].model_copy(update={"revision": 2, "value": Decimal(500)})
    other = given[0].model_copy(update={"metric": "another", "value": Decimal(900)})
    made = judge(of(), [*given, revised, other], None, date(2014, 7, 30))
    assert [actual.value for actual in made.actuals] == [97, 99, 500]


def test_green_but_deteriorating() -> None:
    made = judged([90, 91, 90, 89, 91, 90, 89, 90, 91, 92, 93, 94, 95, 96])
    assert made.rag.status == "green"
    assert made.disagreement.startswith(
        "Green, but deteriorating: it has risen with every figure from October 2014 on (8 points)."
    )
    assert made.exception is not None
    assert "getting worse" in made.exception.sentence


def test_red_but_improving() -> None:
    made = judged([150, 148, 151, 149, 150, 152, 149, 140, 138, 136, 134, 132, 130, 128])
    assert made.rag.status == "red"
    assert made.disagreement.startswith(
        "Red, but improving: it has fallen with every figure from September 2014 on (9 points)"
    )
    assert made.exception is not None
    assert made.exception.since == FIRST


def test_green_by_chance() -> None:
    values = [95, 104, 97, 103, 96, 105, 98, 102, 95, 104, 97, 103, 96, 99]
    assert "Green, but by chance" in judged(values).disagreement


def test_green_though_the_forecast_misses() -> None:
    values = [104, 106, 105, 107, 104, 106, 105, 107, 99]
    made = judged(values)
    assert made.rag.status == "green"
    assert "Green, but the forecast misses" in made.disagreement


def test_red_at_once_and_amber_when_it_lasts() -> None:
    assert judged([*STEADY, 107]).rag.status == "red"
    assert judged([*STEADY, 107]).exception is not None
    one, two = judged([99, 98, 99, 102]), judged([99, 98, 102, 102])
    assert one.rag.status == two.rag.status == "amber"
    assert one.exception is None
    assert two.exception is not None
    assert two.exception.since == date(2014, 6, 1)
    assert two.exception.id == "m@2014-06-01"
    assert two.exception.schemes == ("one", "two")


def test_since_is_the_first_period_of_the_present_run() -> None:
    made = judged([130, 130, 99, 110, 102, 130])
    assert made.exception is not None
    assert made.exception.since == date(2014, 7, 1)
    assert made.exception.why[0] == made.rag.reason


def test_a_small_chance_is_an_exception_whatever_the_rating() -> None:
    made = judged([112, 113, 112, 111, 113, 112, 112, 113, 111, 112, 100])
    assert made.rag.status == "green"
    assert made.forecast is not None
    assert made.forecast.chance is not None
    assert made.forecast.chance < LEAST_CHANCE
    assert made.exception is not None
    assert made.exception.since == date(2015, 2, 1)
    assert "expected to miss its trajectory by the figures to February 2015, rated green" in made.exception.sentence


def test_an_exception_does_not_go_away_because_figures_stop() -> None:
    made = judge(of(), rows([130, 130]), None, date(2015, 1, 31))
    assert made.rag.status == "grey"
    assert made.exception is not None
    assert "not rated" in made.exception.sentence


def test_rules_of_its_own() -> None:
    values = [130, 128, 131, 129, 132, 128, 96, 95, 97, 96, 95, 97]
    rules = MetricRules(id="m", preset="western-electric", rebase=(date(2014, 10, 1),), amber=Decimal(1))
    made = judged(values, rules=rules)
    assert made.spc is not None
    assert made.spc.rules.name == "western-electric"
    assert made.spc.segments == (date(2014, 4, 1), date(2014, 10, 1))
    assert made.spc.points[-1].mean == 96
    assert "Trial limits" in made.spc.sentence
    assert "at most 1%" in made.rag.rule
    wrong = judged(values, rules=MetricRules(id="m", preset="nobody's"))
    assert "There is no rule set" in wrong.spc_refused


def test_higher_is_better_is_the_mirror_image() -> None:
    values = [150, 148, 151, 149, 150, 152, 149, 140, 138, 136, 134, 132, 130, 128]
    low = judged(values)
    high = judged([200 - value for value in values], of("higher", 100.0, 80.0))
    assert [status for _, status in low.history] == [status for _, status in high.history]
    assert low.spc is not None
    assert high.spc is not None
    assert [point.meaning for point in low.spc.points] == [point.meaning for point in high.spc.points]
    assert (low.spc.variation, high.spc.variation) == ("improvement-low", "improvement-high")


@pytest.mark.parametrize(
    ("values", "said"), [([100.0] * 14, "all the same"), ([*[100.0] * 10, 130.0, *[130.0] * 6], None)]
)
def test_constant_figures_are_refused_in_words(values: list[float], said: str | None) -> None:
    made = judged(values)
    assert said is None or said in made.spc_refused
    assert made.rag.status in ("green", "red")


def test_percentages_and_counts_are_never_forecast_out_of_range() -> None:
    metric = replace(of("higher", 99.0, None), unit="%")
    made = judged([99.5, 98.0, 99.9, 97.0, 99.8, 98.5, 99.9], metric)
    assert made.forecast is not None
    assert max(made.forecast.high) <= 100
    counted = judged([0, 2, 0, 1, 3, 0, 0])
    assert counted.forecast is not None
    assert min(counted.forecast.low) == 0


def test_the_year_end_is_that_of_the_day() -> None:
    made = judged([100 + step % 3 for step in range(9)])
    assert made.forecast is not None
    assert (made.forecast.year, made.forecast.periods[0], made.forecast.periods[-1]) == (
        "2014/15",
        date(2015, 1, 1),
        date(2015, 3, 1),
    )
    complete = judge(of(), rows([100 + step % 3 for step in range(12)]), None, date(2015, 3, 31))
    assert "reach the end of 2014/15" in complete.forecast_refused
    old = judge(of(), rows([100 + step % 3 for step in range(12)]), None, date(2018, 1, 31))
    assert "too long before the end of 2017/18" in old.forecast_refused


class TestDemonstration:
    """The story that the invented figures tell."""

    def judged(self, plan: str, on: date) -> dict[str, Judgement]:
        from bettercare.assurance.metrics import metrics

        read = Plan.read(plan)
        figures = actuals(read)
        return {metric.id: judge(metric, figures, None, on) for metric in metrics(read)}

    def test_better_care_fund(self) -> None:
        made = self.judged("leicestershire-bcf-2014", date(2016, 1, 31))
        assert {name: one.rag.status for name, one in made.items()} == {
            "m1": "green", "m2": "amber", "m3": "red", "m4": "red", "m5": "grey", "m6": "green",
        }  # fmt: skip
        assert made["m3"].disagreement.startswith("Red, but improving")
        assert made["m6"].disagreement.startswith("Green, but deteriorating")
        assert {name for name, one in made.items() if one.exception} == {"m3", "m4", "m6"}
        year = [actual for actual in made["m4"].actuals if actual.period.year == 2015]
        assert sum(actual.numerator or 0 for actual in year) == 54594 - 1100
        assert any(actual.revision == 2 for actual in made["m3"].actuals)
        assert made["m3"].synthetic

    def test_stp(self) -> None:
        made = self.judged("llr-stp-2016", date(2017, 10, 31))
        assert made["ae-4h"].rag.status == "red"
        assert made["red-1"].rag.status == "red"
        assert "the national standard, 75.0% (the plan sets no trajectory)" in made["red-1"].rag.reason
        facts = [actual for actual in made["ae-4h"].actuals if not actual.synthetic]
        assert [actual.period for actual in facts] == [date(2016, month, 1) for month in range(4, 11)]
        assert all("NHS England" in actual.source for actual in facts)

    def test_it_is_the_same_each_time_and_nothing_for_other_plans(self) -> None:
        for name in shipped():
            plan = Plan.read(name)
            assert actuals(plan) == actuals(plan)
            assert all(actual.synthetic == (actual.source == INVENTED) for actual in actuals(plan))
        template = Plan.read(shipped()["llr-stp-2016"].parent / "template")
        assert actuals(template) == ()


def test_with_months_missing_figures_are_counted_and_not_months() -> None:
    gaps = [
        row.model_copy(update={"period": next_period(of(), FIRST, step)})
        for row, step in zip(rows([110, 111, 112]), (0, 5, 9), strict=True)
    ]
    made = judge(of(), gaps, None, date(2015, 1, 31)).exception
    assert made is not None
    assert "off track since April 2014 (3 figures), rated red" in made.sentence


def test_one_that_gets_worse_after_a_missed_month_is_said_to_get_worse() -> None:
    # Amber in the last month but one; green and outside its limits in the last.
    made = judged([*[80, 81, 79, 80, 82, 80, 79, 81, 80, 82, 80, 79, 81], 103, 95], of(baseline=None))
    assert [status for _, status in made.history][-2:] == ["amber", "green"]
    assert made.spc is not None
    assert made.spc.points[-1].meaning == "concern"
    assert made.exception is not None
    assert made.exception.state == "getting worse since May 2015"


def test_a_run_ends_where_limits_were_worked_out_anew() -> None:
    values = [*[98, 97, 96, 95, 94, 93, 98, 97, 96, 95, 94], *[90 + step for step in range(8)]]
    made = judged(values, of(baseline=None), MetricRules(plan="p", id="m", rebase=(date(2015, 3, 1),)))
    assert "it has risen with every figure from March 2015 on (8 points)" in made.disagreement


def test_after_the_last_target_no_trajectory_asks() -> None:
    made = judged(STEADY).forecast
    assert made is not None
    assert "The last target is 100" in made.sentence
    assert "trajectory asks" not in made.sentence


def test_limits_that_include_the_earlier_level_are_reconciled_with_the_rating() -> None:
    earlier, since = [130 + step % 3 for step in range(14)], [94 + step % 3 for step in range(9)]
    made = judged([*earlier, *since])
    assert made.spc is not None
    assert (made.rag.status, made.spc.assurance) == ("green", "fail")
    assert "Green, but not to be relied on" in made.disagreement
    assert (
        "The limits still include the earlier, worse level, so the chart says it will fail; since June 2015"
        in made.disagreement
    )
    assert "begin the limits anew at June 2015." in made.disagreement
    anew = judged([*earlier, *since], rules=MetricRules(plan="p", id="m", rebase=(date(2015, 6, 1),)))
    assert anew.spc is not None
    assert anew.spc.assurance == "pass"
    assert anew.disagreement == ""


def test_an_exception_is_of_one_kind() -> None:
    worse = judged([90, 91, 90, 89, 91, 90, 89, 90, 91, 92, 93, 94, 95, 96]).exception
    off = judged([*STEADY, 107]).exception
    missing = judged([112, 113, 112, 111, 113, 112, 112, 113, 111, 112, 100]).exception
    assert [one.kind for one in (worse, off, missing) if one] == ["getting worse", "off track", "expected to miss"]
