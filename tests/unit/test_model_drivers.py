"""Drivers and delivery: what is drawn, what moves together, and what scenarios do to it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bettercare.errors import BettercareError, PlanError
from bettercare.model.delivery import delayed, ramp
from bettercare.model.drivers import Distribution, Drivers, stream
from bettercare.model.result import Result
from bettercare.model.run import run
from bettercare.model.scenarios import Change, Scenario
from small_plan import ORDINARY, Rows, small_plan

SAVE: dict[str, Any] = {"id": "money", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 10}


def scheme(delivery: str = "hopeful", name: str = "s0", **more: Any) -> dict[str, Any]:
    return {"id": name, "delivery": delivery, "effects": [SAVE], **more}


def change(target: str, **values: Any) -> Scenario:
    return Scenario("test", "Test", tuple(Change(target, name, value, "test") for name, value in values.items()))


def result(schemes: Rows, *scenarios: Scenario, runs: int = 400, **tables: Rows) -> Result:
    return run(small_plan({**ORDINARY, **tables}, schemes), runs=runs, scenarios=scenarios)


# -- streams -------------------------------------------------------------------------------------------------------


def test_a_stream_is_the_same_wherever_it_is_entered() -> None:
    whole = stream(7, "growth:beds", 0, 100)
    for first in range(30):
        assert np.array_equal(stream(7, "growth:beds", first, 41), whole[first : first + 41])


def test_streams_of_different_names_and_seeds_are_different() -> None:
    one = stream(7, "a", 0, 1000)
    assert not np.array_equal(one, stream(7, "b", 0, 1000))
    assert not np.array_equal(one, stream(8, "a", 0, 1000))
    assert abs(np.corrcoef(one, stream(7, "b", 0, 1000))[0, 1]) < 0.15


def test_a_point_is_itself_in_every_run_even_where_the_plan_counts_on_more() -> None:
    """A class that always delivers seven tenths delivers seven tenths in the runs, and all of it in the published case."""
    short = [{"id": "short", "low": 0.7, "likely": 0.7, "high": 0.7}]
    its = result([scheme("short")], delivery=short, common_causes=[])
    assert its.saving.total() == pytest.approx(10e6)
    assert its.saving.sample() == pytest.approx(7e6)


def test_a_distribution_with_its_value_outside_its_range_is_drawn_from_the_range() -> None:
    spread = Distribution.triangular(2.0, 9.0, 5.0)
    assert spread.at(np.array([0.0, 1.0])) == pytest.approx([2.0, 5.0])


def test_a_wide_size_never_turns_a_saving_into_a_cost() -> None:
    its = result([{"id": "s0", "effects": [{**SAVE, "size": None, "p10": 0, "p90": 20}]}])
    assert its.saving.sample().min() == 0.0
    assert its.saving.total() == pytest.approx(10e6)


# -- moving together -----------------------------------------------------------------------------------------------


def test_a_common_cause_of_something_the_plan_does_not_have_is_a_fault() -> None:
    row = {"id": "c9", "cause": "Weather", "driver": "scheme:umbrellas", "loading": 0.1}
    with pytest.raises(PlanError, match="scheme:umbrellas"):
        result([scheme()], common_causes=[row])


def test_drivers_that_share_causes_are_correlated_as_said_and_others_are_not() -> None:
    drivers = result([scheme(), scheme(name="s1")], runs=0).system.drivers
    drawn = drivers.uniforms(0, 20_000)
    growth, size, other = "growth:grow-ne", "scheme:s0:size", "scheme:s1:size"
    assert drivers.correlation(growth, size) == pytest.approx(0.6 * -0.3)
    assert drivers.correlation(size, other) == pytest.approx(0.3**2 + 0.5**2)
    assert drivers.correlation(growth, "growth:more-money") == 0.0
    for one, two in ((growth, size), (size, other), (growth, "growth:more-money")):
        from scipy.special import ndtri

        sample = float(np.corrcoef(ndtri(drawn[one]), ndtri(drawn[two]))[0, 1])
        assert sample == pytest.approx(drivers.correlation(one, two), abs=0.025)


@pytest.mark.parametrize("turned", [False, True])
def test_the_row_that_names_a_driver_more_particularly_counts_whatever_the_order(turned: bool) -> None:
    rows = [
        {"id": "a", "cause": "Capacity", "driver": "class:*", "loading": 0.5},
        {"id": "b", "cause": "Capacity", "driver": "class:hopeful", "loading": 0.4},
        {"id": "c", "cause": "Capacity", "driver": "scheme:s0", "loading": 0.3},
        {"id": "d", "cause": "Capacity", "driver": "scheme:s0:delay", "loading": 0.2},
    ]
    schemes = [scheme(), scheme(name="s1"), scheme("other", name="s2")]
    classes = [
        {"id": "hopeful", "probability": 0.5, "low": 0.5, "on_time": 0.5, "year_late": 0.5},
        {"id": "other", "low": 0.5},
    ]
    its = result(schemes, runs=0, common_causes=rows[::-1] if turned else rows, delivery=classes).system.drivers.by_name
    loadings = {name: dict(its[name].causes).get("Capacity") for name in its if name.startswith("scheme:")}
    assert loadings["scheme:s0:delay"] == 0.2
    assert loadings["scheme:s0:size"] == loadings["scheme:s0:delivery"] == 0.3
    assert loadings["scheme:s1:size"] == 0.4
    assert loadings["scheme:s2:size"] == 0.5


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([("X", "grow-*", 0.8), ("Y", "grow-ne", 0.8)], "square to 1.28"),
        ([("X", "grow-?e", 0.5), ("X", "grow-n?", 0.4)], "with 0.5 and with 0.4"),
    ],
)
def test_causes_that_cannot_hold_together_are_refused(rows: list[tuple[str, str, float]], said: str) -> None:
    table = [
        {"id": f"r{n}", "cause": cause, "driver": driver, "loading": loading}
        for n, (cause, driver, loading) in enumerate(rows)
    ]
    with pytest.raises(PlanError, match=said) as caught:
        result([], common_causes=table)
    assert "common_causes.csv" in str(caught.value)


def test_a_driver_that_is_not_there_is_said_to_be_missing() -> None:
    with pytest.raises(BettercareError, match="no driver 'nobody'"):
        result([], runs=0).system.drivers.correlation("nobody", "growth:grow-ne")


def test_a_driver_first_asked_for_after_the_runs_were_drawn_is_a_fault_of_the_program() -> None:
    drivers = Drivers(small_plan(), 1)
    case = drivers.case(0, 4)
    drivers.add("late", Distribution.triangular(0, 1, 2), 1.0, "Late")
    with pytest.raises(KeyError):
        case["late"]


# -- delivery ------------------------------------------------------------------------------------------------------


def test_schemes_are_delivered_as_often_and_as_late_as_their_class_says() -> None:
    system = result([scheme()], runs=0, common_causes=[]).system
    delivery = system.delivery.deliver(system.drivers.case(0, 20_000))
    assert delivery.delivered["s0"].mean() == pytest.approx(0.85, abs=0.01)
    late = np.bincount(delivery.delay["s0"], minlength=3) / 20_000
    assert late == pytest.approx([0.5, 0.35, 0.15], abs=0.012)
    assert delivery.share["s0"].mean() == pytest.approx((0.2 + 0.6 + 1.1) / 3, abs=0.01)


def test_what_requires_a_scheme_goes_with_it_and_is_at_least_as_late() -> None:
    schemes = [scheme(name="s2", requires="s1"), scheme(name="s1", requires="s0"), scheme(name="s0")]
    system = result(schemes, runs=0).system
    delivery = system.delivery.deliver(system.drivers.case(0, 500))
    for later, earlier in (("s1", "s0"), ("s2", "s1")):
        assert (delivery.delivered[later] <= delivery.delivered[earlier]).all()
        assert (delivery.delay[later] >= delivery.delay[earlier]).all()
    off = result(schemes, change("scheme:s0", off=True), runs=50)
    assert off.saving.total() == 0.0
    assert (off.saving.sample() == 0.0).all()


def test_a_late_ramp_is_the_ramp_some_years_on() -> None:
    steps = np.array([0.0, 0.25, 0.5, 1.0])
    late = delayed(steps, np.array([0, 1, 2, 9]))
    assert late.T.tolist() == [[0, 0.25, 0.5, 1], [0, 0, 0.25, 0.5], [0, 0, 0, 0.25], [0, 0, 0, 0]]


@pytest.mark.parametrize(
    ("more", "steps"),
    [
        ({}, [0, 0.25, 0.5, 0.75, 1]),
        ({"by": "2018/19"}, [0, 0.5, 1, 1, 1]),
        ({"ramp": "2018/19: 0.4; 2020/21: 1"}, [0, 0, 0.4, 0.7, 1]),
    ],
)
def test_ramps(more: dict[str, str], steps: list[float]) -> None:
    plan = small_plan(ORDINARY, [{"id": "s0", "effects": [{**SAVE, **more}]}])
    assert ramp(plan, plan.scheme("s0"), plan.scheme("s0").effects[0]).tolist() == pytest.approx(steps)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"by": "2017/18", "starts": "2018/19"}, "before its scheme starts"),
        ({"by": "2018/19", "ramp": "2020/21: 1"}, "nothing in place"),
    ],
)
def test_ramps_that_cannot_be_are_refused(more: dict[str, str], said: str) -> None:
    effect = {**SAVE, **{name: text for name, text in more.items() if name != "starts"}}
    with pytest.raises(PlanError, match=said):
        result([{"id": "s0", "starts": more.get("starts"), "effects": [effect]}])


# -- what scenarios do ---------------------------------------------------------------------------------------------


def test_a_probability_holds_even_for_a_class_that_never_fails() -> None:
    its = result([scheme("sure")], change("scheme:s0", probability=0.3), runs=2000, common_causes=[])
    assert (its.saving.sample() > 0).mean() == pytest.approx(0.3, abs=0.03)
    assert its.saving.total() == pytest.approx(10e6)


@pytest.mark.parametrize(
    "size", [{"size": 10}, {"size": None, "low": 4, "likely": 10, "high": 12}, {"size": None, "p10": 8, "p90": 12}]
)
def test_scale_and_end_hold_for_sizes_of_every_shape_in_the_published_case_and_in_the_runs(
    size: dict[str, Any],
) -> None:
    schemes = [{**scheme("sure"), "effects": [{**SAVE, **size}]}]
    plain, half = result(schemes), result(schemes, change("scheme:s0", scale=0.5))
    np.testing.assert_allclose(half.saving.sample(), plain.saving.sample() / 2)
    assert half.saving.total() == pytest.approx(plain.saving.total() / 2)
    low = result([{**schemes[0], "delivery": "short"}], change("scheme:s0", end="low"), common_causes=[])
    expected = {"size": 7e6, "low": 4e6, "p10": 8e6}[next(name for name, value in size.items() if value is not None)]
    assert low.saving.total() == pytest.approx(expected)
    assert low.saving.sample()[low.saving.sample() > 0] == pytest.approx(expected)


def test_a_delay_adds_to_what_luck_brings() -> None:
    schemes = [scheme("sure")]
    plain, late = result(schemes), result(schemes, change("scheme:s0", delay=2))
    years = plain.years
    for year in range(2, len(years)):
        assert late.saving.total(years[year]) == pytest.approx(plain.saving.total(years[year - 2]))


def test_a_growth_changed_by_a_scenario_keeps_its_width() -> None:
    plain, more = result([]), result([], change("growth:cost-acute", value=25.0))
    moved = more.cost.sample("2020/21") - plain.cost.sample("2020/21")
    assert moved == pytest.approx(0.05 * 800e6, rel=0.05)
    assert more.explain("cost", kind="growth").children[0].children[0].children[1].value == 25.0


def test_scenarios_that_disagree_are_a_conflict_and_those_that_agree_are_not() -> None:
    schemes = [scheme()]
    with pytest.raises(PlanError, match="must agree"):
        result(schemes, change("scheme:s0", delay=1), change("scheme:s0", delay=2))
    both = result(schemes, change("scheme:s0", delay=1), change("scheme:s0", delay=1, scale=0.5), runs=0)
    assert both.saving.total() == pytest.approx(10e6 * 0.5 * 0.75)


def test_parameters_a_scenario_sets_are_used() -> None:
    shift = {"id": "e", "kind": "shift", "organisation": "acute", "pod": "non-elective", "unit": "%", "size": 10}
    shift |= {"becomes_organisation": "community", "becomes_pod": "virtual-ward", "per_unit": 1}
    schemes = [{"id": "s0", "effects": [shift]}]
    none = result(schemes, change("parameter:double-running", value=0.0), runs=20)
    year = result(schemes, change("parameter:double-running", value=12.0), runs=20)
    half = result(schemes, runs=20)
    early = [its.gap.total("2018/19", kind="double running") for its in (none, half, year)]
    assert early[0] == 0.0
    assert early[2] == pytest.approx(2 * early[1], rel=1e-3)
    assert np.ptp(half.gap.sample("2018/19", kind="double running")) > 0


@pytest.mark.parametrize(
    ("target", "values", "said"),
    [
        ("scheme:nobody", {"off": True}, "no scheme 'nobody'"),
        ("growth:nothing", {"value": 1.0}, "no growth 'nothing'"),
        ("beds:s0.money@", {"beds": 1.0}, "not an effect that closes beds"),
        ("beds:s0.beds@", {"beds": 99.0}, "99 beds are more than the 20"),
    ],
)
def test_changes_of_what_is_not_there_are_refused(target: str, values: dict[str, Any], said: str) -> None:
    beds = {"id": "beds", "kind": "avoid", "organisation": "acute", "pod": "elective", "unit": "beds", "size": 20}
    with pytest.raises(PlanError, match=said):
        result([{"id": "s0", "effects": [SAVE, beds]}], change(target, **values))


def test_beds_kept_are_taken_off_what_is_closed_with_the_money_that_follows() -> None:
    beds = {"id": "beds", "kind": "avoid", "organisation": "acute", "pod": "elective", "unit": "beds", "size": 20}
    schemes = [{"id": "s0", "effects": [beds, {**SAVE, "follows": "beds"}]}]
    keep = change("beds:s0.beds@", beds=5.0)
    plain, kept = result(schemes, runs=10), result(schemes, keep, runs=10)
    assert kept.beds.total() - plain.beds.total() == pytest.approx(5.0)
    assert kept.saving.total() == pytest.approx(7.5e6)
    assert (kept.beds.sample() > plain.beds.sample()).all()


def test_beds_kept_at_several_sites_are_held_against_what_is_closed_together() -> None:
    beds = {"id": "beds", "kind": "avoid", "organisation": "acute", "pod": "elective", "unit": "beds", "size": 20}
    with pytest.raises(PlanError, match="24 beds are more than the 20"):
        result([{"id": "s0", "effects": [beds]}], change("beds:s0.beds@", beds=12.0), change("beds:s0.beds@x", beds=12.0), sites=[
            {"id": "x", "name": "X", "kind": "acute", "inpatients_now": "yes", "inpatients_planned": "no", "source": "paper"}
        ])  # fmt: skip


def test_investment_of_a_scheme_taken_out_of_the_plan_is_not_spent_but_of_one_that_fails_it_is() -> None:
    rows = [{"id": "i", "scheme": "s0", "value": 4, "year": "2020/21"}]
    plain = result([scheme()], investments=rows)
    assert plain.investment.sample() == pytest.approx(4e6)
    assert not plain.saving.sample().all()
    off = result([scheme()], change("scheme:s0", off=True), investments=rows)
    assert off.investment.total() == 0.0
