"""Activity and beds: baselines, growth, effects and their edges, one at a time on a small plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bettercare.errors import PlanError
from bettercare.model.result import Result
from bettercare.model.run import run
from small_plan import ORDINARY, RATES, Rows, small_plan

NE: dict[str, Any] = {"organisation": "acute", "pod": "non-elective"}
EL: dict[str, Any] = {"organisation": "acute", "pod": "elective"}


def result(schemes: Rows = (), runs: int = 0, last: str = "2020/21", **tables: Rows) -> Result:
    return run(small_plan({**ORDINARY, **tables}, schemes, last), runs=runs)


def scheme(*effects: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    return [{"id": "s0", **more, "effects": [{"id": f"e{n}", **effect} for n, effect in enumerate(effects)]}]


def avoid(**more: Any) -> dict[str, Any]:
    return {"kind": "avoid", **NE, "unit": "%", "size": 10, **more}


# -- growth --------------------------------------------------------------------------------------------------------


def growth(**more: Any) -> Rows:
    return [{"id": "g", **NE, "measure": "activity", "value": 10, **more}]


@pytest.mark.parametrize(
    ("row", "times"),
    [
        ({}, 1.1),
        ({"value": 2, "unit": "% a year"}, 1.02**4),
        ({"value": 8000, "unit": "admissions"}, 1.1),
        # 8 % of 80,000 admissions x 5 days / (365 x 90 %)
        ({"value": 97.412, "unit": "beds", "measure": "beds"}, 1.08),
        ({"from": "2018/19"}, 1.1),
        # Growth told from before the plan gives the pace, not a head start.
        ({"from": "2012/13"}, 1.1**0.5),
        ({"to": "2024/25"}, 1.1**0.5),
        ({"value": -100}, 0.0),
        ({"value": 0}, 1.0),
    ],
)
def test_do_nothing_growth(row: dict[str, Any], times: float) -> None:
    its = result(growth=growth(**row))
    assert its.activity.total("2016/17", **NE) == pytest.approx(80000)
    assert its.activity.total(**NE) == pytest.approx(80000 * times, rel=1e-5, abs=1e-3)
    assert its.beds.total(**NE) == pytest.approx(80000 * times * 5 / (365 * 0.9), rel=1e-5, abs=1e-3)


@pytest.mark.parametrize(
    "row",
    [
        {"value": -150, "unit": "% a year"},
        {"value": -101},
        {"value": -80_001, "unit": "admissions"},
        {"value": 0, "low": -120, "high": 5},
    ],
)
def test_growth_takes_away_no_more_than_there_is(row: dict[str, Any]) -> None:
    with pytest.raises(PlanError, match="g would remove more than there is"):
        result(growth=growth(**row))


def test_the_growth_that_names_a_place_most_particularly_counts() -> None:
    rows = [
        {"id": "all", "measure": "activity", "value": 40},
        {"id": "pod", "pod": "non-elective", "measure": "activity", "value": 30},
        {"id": "owner", "organisation": "acute", "measure": "activity", "value": 20},
        {"id": "both", **NE, "measure": "activity", "value": 10},
    ]
    for turn in (rows, rows[::-1]):
        its = result(growth=turn)
        assert its.activity.total(**NE) == pytest.approx(88000)
        assert its.beds.total(**EL) == pytest.approx(250 * 1.2)
        assert its.activity.total(pod="community-contact") == pytest.approx(200000 * 1.4)
    assert result(growth=rows[:3]).activity.total(**NE) == pytest.approx(80000 * 1.3)


POPULATION: Rows = [
    {"id": "older", "measure": "population", "band": "older", "value": 10},
    {"id": "adults", "measure": "population", "band": "adults", "value": 5},
]


def shares(**by: float) -> Rows:
    return [
        *RATES,
        *(
            {
                "id": f"age-{band}",
                "pod": "non-elective",
                "measure": "age-share",
                "band": band,
                "value": value,
                "unit": "%",
            }
            for band, value in by.items()
        ),
    ]


def test_activity_follows_the_population_by_age_and_bands_that_do_not_grow_stay() -> None:
    its = result(growth=POPULATION, rates=shares(children=20, adults=30, older=50))
    assert its.activity.total("2016/17", **NE) == pytest.approx(80000)
    assert its.activity.total(**NE) == pytest.approx(80000 * (0.2 + 0.3 * 1.05 + 0.5 * 1.1))
    assert its.activity.total(**NE, kind="demographic growth") == pytest.approx(80000 * 0.065)


def test_stated_growth_is_the_whole_and_population_explains_part_of_it() -> None:
    its = result(growth=[*POPULATION, *growth(value=20)], rates=shares(adults=50, older=50))
    assert its.activity.total(**NE) == pytest.approx(96000)
    parts = [its.activity.total(**NE, kind=kind) for kind in ("demographic growth", "other growth")]
    assert sum(parts) == pytest.approx(16000)
    assert parts[0] / parts[1] == pytest.approx(np.log(1.075) / np.log(1.2 / 1.075))


def test_without_age_shares_the_whole_population_counts_by_the_persons_there_are() -> None:
    persons = [
        {"id": "p1", "band": "older", "value": 100}, {"id": "p2", "band": "adults", "value": 300},
        {"id": "old", "band": "older", "value": 999, "period": "2011/12"},
    ]  # fmt: skip
    for turn in (persons, persons[::-1]):
        its = result(growth=POPULATION, population=turn)
        assert its.activity.total(**NE) == pytest.approx(80000 * (0.25 * 1.1 + 0.75 * 1.05))


def test_an_organisation_may_have_a_population_of_its_own() -> None:
    own = {"id": "all-acute", "organisation": "acute", "measure": "population", "value": 20}
    its = result(growth=[{"id": "all", "measure": "population", "value": 10}, own])
    assert its.activity.total(**NE) == pytest.approx(96000)
    assert its.activity.total(pod="community-contact") == pytest.approx(220000)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"growth": growth(value=5, unit="contacts")}, "no baseline in contacts"),
        ({"growth": growth(value=5, unit="GBP m")}, "unit of the growth of activity g is GBP m"),
        ({"growth": [{"id": "g", "measure": "population", "value": 500, "unit": "persons"}]}, "is persons"),
        ({"growth": [{"id": "g", "organisation": "acute", "measure": "cost", "value": 5, "unit": "beds"}]}, "is beds"),
        ({"growth": [*growth(), {"id": "h", **NE, "measure": "beds", "value": 3}]}, "two growths: g and h"),
        (
            {"growth": [{"id": "g", "measure": "activity", "value": 5, "unit": "admissions"}]},
            "is a count and would be added at",
        ),
        (
            {
                "growth": [
                    {"id": "g", "measure": "population", "value": 5},
                    {"id": "h", "measure": "population", "value": 6},
                ]
            },
            "given twice",
        ),
        ({"growth": growth(value=5, unit="admissions"), "activity": [{"id": "ne", **NE, "value": 0}]}, "no baseline"),
        ({"activity": [{"id": "ne", **NE, "value": 5, "unit": "contacts"}]}, "counted in contacts"),
        ({"activity": [{"id": "a", **NE, "value": 5}, {"id": "b", **NE, "value": 6}]}, "two baselines"),
        ({"beds": [{"id": "a", **EL, "value": 5}, {"id": "b", **EL, "value": 6}]}, "two baselines"),
        ({"beds": [{"id": "a", **EL, "value": 5, "unit": "WTE"}]}, "counted in WTE"),
        ({"rates": [*RATES, {"id": "x", "measure": "occupancy", "value": 80, "unit": "%"}]}, "given twice"),
        ({"rates": [{**RATES[0], "low": 0}]}, "can be 0 days"),
        ({"rates": [{**RATES[3], "high": 120}]}, "can be 120%"),
        ({"rates": [{**RATES[0], "unit": "beds"}]}, "is beds. Use days"),
        ({"parameters": [{"id": "days-in-year", "value": 0, "unit": "days"}]}, "must be above 0"),
    ],
)
def test_what_cannot_be_counted_is_refused(tables: dict[str, Rows], said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        result(**tables)
    assert "tables/" in str(caught.value)


def test_activity_and_beds_of_one_place_need_a_stay_between_them() -> None:
    maternity = {"organisation": "acute", "pod": "maternity"}
    both: dict[str, Rows] = {
        "activity": [{"id": "m", **maternity, "value": 9000}],
        "beds": [{"id": "b", **maternity, "value": 100}],
    }
    with pytest.raises(PlanError, match="no length of stay"):
        result(growth=[], **both)
    stay = {"id": "stay", **maternity, "measure": "length-of-stay", "value": 2, "unit": "days"}
    its = result(growth=[], rates=[*RATES, stay], **both)
    assert its.beds.total(**maternity) == pytest.approx(9000 * 2 / (365 * 0.9))


# -- effects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("effect", "said"),
    [
        (avoid(unit="admissions", size=89601), "would remove more than there is"),
        (avoid(unit="beds", size=1400), "would remove more than there is"),
        (avoid(unit="attendances", size=5), "The unit of s0.e0 is attendances"),
        (avoid(pod="maternity"), "has no baseline"),
        (
            avoid(kind="shorten", pod="community-contact", organisation="community"),
            "shortens a stay where there are no beds",
        ),
        (avoid(kind="shorten", unit="days", size=5), "would remove more than there is"),
        (
            avoid(kind="shift", becomes_organisation="acute", becomes_pod="non-elective", per_unit=1),
            "where it already is",
        ),
        (
            avoid(kind="shift", becomes_organisation="community", becomes_pod="home-care", per_bed=1),
            "beds where there are none",
        ),
        ({"kind": "add", **NE, "unit": "%", "size": 5}, "The unit of s0.e0 is %"),
    ],
)
def test_effects_that_cannot_be_are_refused_naming_the_file(effect: dict[str, Any], said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        result(scheme(effect))
    assert "schemes/s0.yaml" in str(caught.value)


def test_two_effects_that_together_remove_more_than_there_is_are_refused() -> None:
    with pytest.raises(PlanError, match="more than there is"):
        result(scheme(avoid(unit="admissions", size=50000), avoid(unit="admissions", size=50000)))
    with pytest.raises(PlanError, match="together remove more than there is"):
        result(
            scheme(
                avoid(unit="admissions", size=70000),
                avoid(unit="beds", size=1200),
                avoid(kind="shorten", unit="days", size=4.9),
            )
        )


def test_all_there_is_may_be_removed() -> None:
    its = result(scheme(avoid(size=100)), runs=5)
    assert its.activity.total(**NE) == pytest.approx(0.0, abs=1e-6)
    assert np.isfinite(its.beds.sample()).all()


def test_an_effect_of_nothing_changes_nothing() -> None:
    for unit in ("%", "admissions", "beds"):
        assert result(scheme(avoid(unit=unit, size=0))).beds.total() == pytest.approx(result().beds.total())


def test_a_place_without_baseline_may_receive_work_but_not_lose_any_whatever_the_order() -> None:
    move = avoid(kind="shift", becomes_organisation="community", becomes_pod="home-care", per_unit=2)
    lose = {"kind": "avoid", "organisation": "community", "pod": "home-care", "unit": "%", "size": 10}
    assert result(scheme(move)).activity.total(pod="home-care") == pytest.approx(2 * 8960)
    for effects in ([move, lose], [lose, move]):
        with pytest.raises(PlanError, match="no baseline"):
            result(scheme(*effects))


def test_work_that_arrives_is_not_thinned_by_what_is_done_where_it_arrives() -> None:
    move = avoid(kind="shift", becomes_organisation="community", becomes_pod="virtual-ward", per_unit=1)
    thin = {"kind": "avoid", "organisation": "community", "pod": "virtual-ward", "unit": "%", "size": 50}
    its = result(scheme(move, thin))
    base = 200 * 365 * 0.9 / 9
    assert its.activity.total(pod="virtual-ward") == pytest.approx(base / 2 + 8960)


def test_sizes_of_effects_that_are_full_in_different_years_hold_in_the_last_of_them() -> None:
    its = result(
        scheme(
            avoid(unit="admissions", size=4000, by="2018/19"),
            avoid(unit="admissions", size=8000, by="2020/21"),
            avoid(size=5),
        )
    )
    for key, size in (("s0.e0", 4000), ("s0.e1", 8000)):
        row = its.activity.keys.index(key)
        assert -its.activity.published_case[row, -1] == pytest.approx(size, rel=1e-9)


def test_sizes_hold_where_shares_are_not_yet_in_full() -> None:
    """The sized effect is full in 2018/19, when the share on the same activity is only half in place."""
    its = result(scheme(avoid(unit="admissions", size=4000, by="2018/19"), avoid(size=20)))
    row = its.activity.keys.index("s0.e0")
    assert -its.activity.published_case[row, 2] == pytest.approx(4000, rel=1e-9)


def test_what_is_removed_is_taken_off_the_service_model_it_was_counted_in() -> None:
    its = result(scheme(avoid(size=60), service_model="frail-older-people"))
    frame = its.beds(by=("pod", "service_model"), year="2020/21")
    assert (frame["published_case"] >= 0).all()


def test_beds_of_a_place_counted_in_beds_do_not_move_with_stay_or_occupancy() -> None:
    its = result(runs=50, growth=[])
    assert np.ptp(its.beds.sample(**EL)) == pytest.approx(0.0, abs=1e-9)
    assert np.ptp(its.bed_days.sample(**EL)) > 0
    assert np.ptp(its.beds.sample(**NE)) > 0


# -- what follows --------------------------------------------------------------------------------------------------


def money(**more: Any) -> dict[str, Any]:
    return {"kind": "save", "organisation": "acute", "unit": "GBP m", "size": 6, "follows": "e0", **more}


def test_money_may_follow_beds_that_are_added() -> None:
    its = result(
        scheme({"kind": "add", **EL, "unit": "beds", "size": 12}, money(kind="invest"), delivery="hopeful"), runs=200
    )
    assert its.investment.total() == pytest.approx(6e6)
    ratio = its.investment.sample() / 6e6
    np.testing.assert_allclose(its.beds.sample(kind="arrival"), 12 * ratio, atol=1e-9)


def test_money_that_follows_has_its_own_size_as_well() -> None:
    plain = result(scheme(avoid(), money()), runs=100)
    wide = result(scheme(avoid(), money(size=None, low=3, likely=6, high=9)), runs=100)
    times = wide.saving.sample() / plain.saving.sample()
    assert times.min() > 0.5
    assert times.max() < 1.5
    assert times.std() > 0.15


def test_a_price_is_for_what_the_effect_is_counted_in() -> None:
    price = {"unit": "GBP", "per": "unit", "size": 1000}
    for effect, count in (
        (avoid(unit="admissions", size=500), 500),
        (avoid(unit="beds", size=20), 20),
        (avoid(kind="shorten", unit="beds", size=30), 30),
    ):
        assert result(scheme(effect, money(**price))).saving.total() == pytest.approx(1000 * count)


def test_staff_may_follow_activity_and_have_a_size_of_their_own() -> None:
    people = {
        "kind": "staff",
        "organisation": "acute",
        "unit": "WTE",
        "follows": "e0",
        "low": -40,
        "likely": -20,
        "high": -10,
    }
    its = result(scheme(avoid(), people, delivery="hopeful"), runs=300)
    assert its.staff.total(kind="staff") == pytest.approx(-20)
    drawn = its.staff.sample(kind="staff")
    gone = its.activity.sample(kind="avoid") / -8960
    assert (drawn[gone == 0] == 0).all()
    assert np.ptp(drawn[gone > 0] / gone[gone > 0]) > 5


@pytest.mark.parametrize(
    ("effects", "said"),
    [
        ((avoid(size=0), money()), "changes nothing as planned"),
        ((money(follows=None), money(follows="e0")), "changes no activity"),
        ((avoid(), money(ramp="2020/21: 1")), "takes its timing from it"),
        ((avoid(), money(recurrent="no")), "takes its timing from it"),
        ((avoid(), money(unit="%")), "cannot be a share of cost"),
    ],
)
def test_money_that_follows_what_it_cannot_is_refused(effects: tuple[dict[str, Any], ...], said: str) -> None:
    with pytest.raises(PlanError, match=said):
        result(scheme(*effects))


# -- small and empty plans -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("runs", [0, 1, 3])
def test_a_plan_with_nothing_in_it_runs(runs: int) -> None:
    its = run(small_plan(), runs=runs)
    for name in its.measures:
        assert its.measure(name)().height in (0, len(its.years))
        assert its.bridge(name)["step"].to_list()[-1] == "Plan"
        assert its.explain(name).value == 0.0
    assert its.gap.total() == 0.0


def test_a_plan_of_one_year_runs() -> None:
    its = result(scheme(avoid(unit="admissions", size=500, by="2017/18")), runs=3, last="2017/18")
    assert its.years == ("2016/17", "2017/18")
    assert its.activity.total(kind="avoid") == pytest.approx(-500)


def test_a_baseline_of_nothing_stays_nothing() -> None:
    its = result(scheme(avoid()), runs=3, activity=[{"id": "ne", **NE, "value": 0}], growth=growth())
    assert its.activity.total(**NE) == 0.0
    assert (its.beds.sample(**NE) == 0.0).all()
