"""Money, capital and staff: what follows from activity and delivery, one thing at a time on a small plan."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from bettercare.errors import PlanError
from bettercare.model.capital import net_present_value, payback
from bettercare.model.result import Result
from bettercare.model.run import run
from bettercare.model.scenarios import Change, Scenario
from small_plan import ORDINARY, RATES, Rows, small_plan

NE: dict[str, Any] = {"organisation": "acute", "pod": "non-elective"}
SITE: dict[str, Rows] = {
    "capital_programmes": [{"id": "site"}],
    "capital": [
        {"id": "wing", "year": "2018/19", "value": 30},
        {"id": "more", "year": "2019/20", "value": 10},
        {"id": "land", "kind": "disposal", "year": "2020/21", "value": -5},
    ],
}
OVERRUN = {"id": "capital-overrun", "value": 0, "low": 0, "high": 50, "unit": "%"}


def result(schemes: Rows = (), runs: int = 0, *scenarios: Scenario, **tables: Rows) -> Result:
    return run(small_plan({**ORDINARY, **tables}, schemes), runs=runs, scenarios=scenarios)


def scheme(*effects: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"id": "s0", **more, "effects": [{"id": f"e{n}", **effect} for n, effect in enumerate(effects)]}


def save(**more: Any) -> dict[str, Any]:
    return {"kind": "save", "organisation": "acute", "unit": "GBP m", "size": 10, **more}


def change(target: str, **values: Any) -> Scenario:
    return Scenario("test", "Test", tuple(Change(target, name, value, "test") for name, value in values.items()))


# -- do nothing ----------------------------------------------------------------------------------------------------


def test_cost_grows_as_stated_and_funding_from_its_first_year() -> None:
    its = result(growth=[
        {"id": "cost", "organisation": "acute", "measure": "cost", "value": 20},
        {"id": "money", "measure": "funding", "value": 100, "unit": "GBP m"},
        {"id": "share", "organisation": "council", "measure": "funding", "value": 10, "from": "2012/13"},
    ])  # fmt: skip
    assert its.cost.total("2018/19", organisation="acute") == pytest.approx(800e6 * 1.2**0.5)
    added = its.funding(by="organisation", year=["2016/17", "2018/19", "2020/21"], kind="growth")
    assert added.filter(organisation="")["published_case"].to_list() == pytest.approx([0, 50e6, 100e6])
    # 10 % over eight years, of which four are past when the plan starts.
    assert added.filter(organisation="council")["published_case"].to_list()[-1] == pytest.approx(500e6 * (1.1**0.5 - 1))


def test_growth_of_cost_for_everyone_leaves_those_with_their_own() -> None:
    its = result(
        growth=[
            {"id": "all", "measure": "cost", "value": 10},
            {"id": "own", "organisation": "acute", "measure": "cost", "value": 20},
        ]
    )
    frame = its.cost(by="organisation", year="2020/21", kind="growth")
    assert dict(zip(frame["organisation"], frame["published_case"])) == pytest.approx(
        {"acute": 160e6, "community": 30e6, "council": 50e6}
    )


def test_activity_that_grows_more_than_the_plan_assumes_costs_more() -> None:
    more = result((), 0, change("growth:grow-ne", value=22.0))
    # The priced part of the trust's cost, 80,000 admissions x GBP 1,490 of GBP 800m, grown with its cost, is 1.22 / 1.12 as large.
    expected = 80000 * 1490 * 1.2 * (1.22 / 1.12 - 1)
    assert more.gap.total() - result().gap.total() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ({"spend": [{"id": "a", "organisation": "acute", "value": 5, "category": "Pay"}, {"id": "b", "organisation": "acute", "value": 5, "category": "Drugs"}]}, "base cost of acute is not clear"),
        ({"spend": [{"id": "a", "organisation": "acute", "value": 5}, {"id": "b", "organisation": "acute", "value": 6}]}, "base cost of acute is not clear"),
        ({"growth": [{"id": "g", "organisation": "acute", "measure": "cost", "value": 5}], "spend": []}, "what it spends is not given"),
        ({"growth": [{"id": "g", "measure": "cost", "value": 5, "unit": "GBP m"}]}, "adds one amount to the cost of every"),
        ({"growth": [{"id": "g", "organisation": "acute", "measure": "cost", "value": 5}, {"id": "h", "organisation": "acute", "measure": "cost", "value": 6}]}, "two growths"),
        ({"growth": [{"id": "g", "organisation": "acute", "measure": "funding", "value": 5}], "spend": []}, "which is not given"),
        ({"funding": [{"id": "f", "value": 3, "unit": "beds"}]}, "money but its unit is beds"),
        ({"investments": [{"id": "f", "value": 3, "unit": "WTE"}]}, "money but its unit is WTE"),
        ({"capital_programmes": [{"id": "site"}], "capital": [{"id": "f", "value": 3, "unit": "beds"}]}, "money but its unit is beds"),
        ({"parameters": [{"id": "wte-cost", "value": 0, "unit": "GBP k"}, {"id": "pay-share", "value": 60, "unit": "%"}]}, "must be above 0"),
        ({"parameters": [{"id": "double-running", "value": 6, "unit": "GBP"}]}, "is GBP. Use months"),
    ],
)  # fmt: skip
def test_money_that_does_not_add_up_is_refused(tables: dict[str, Rows], said: str) -> None:
    with pytest.raises(PlanError, match=said) as caught:
        result(**tables)
    assert "tables/" in str(caught.value)


# -- effects -------------------------------------------------------------------------------------------------------


def test_money_at_several_organisations_is_shared_by_what_they_spend() -> None:
    its = result([scheme(save(organisation="acute; community"))])
    shares = its.saving(by="organisation", year="2020/21")
    assert dict(zip(shares["organisation"], shares["published_case"])) == pytest.approx(
        {"acute": 10e6 * 8 / 11, "community": 10e6 * 3 / 11}
    )


def test_shares_of_cost_multiply_and_do_not_depend_on_their_order() -> None:
    its = result([scheme(save(unit="%", size=10), save(unit="%", size=20))])
    assert its.saving.total() == pytest.approx(800e6 * 1.2 * (1 - 0.9 * 0.8))


def test_what_happens_once_happens_once() -> None:
    once = scheme(save(kind="invest", recurrent="no", ramp="2017/18: 0.5; 2018/19: 1; 2020/21: 1"))
    values = result([once]).investment()["published_case"].to_list()
    assert values == pytest.approx([0, 5e6, 5e6, 0, 0])


def test_investment_varies_by_its_own_size_and_not_by_what_is_achieved() -> None:
    fixed = result([scheme(save(kind="invest"), delivery="short")], 300)
    assert set(np.round(fixed.investment.sample()).tolist()) == {0.0, 10e6}
    wide = result([scheme(save(kind="invest", size=None, low=5, likely=10, high=20))], 300)
    assert 5e6 <= wide.investment.sample().min() < 8e6
    assert 15e6 < wide.investment.sample().max() <= 20e6


def test_savings_larger_than_what_is_spent_are_refused() -> None:
    with pytest.raises(PlanError, match="more than it spends") as caught:
        result([scheme(save(size=700), save(size=100))])
    assert "schemes/s0.yaml" in str(caught.value)


# -- work that appears elsewhere -----------------------------------------------------------------------------------

CONTACTS = {"becomes_organisation": "community", "becomes_pod": "community-contact", "per_unit": 10}
AVOID: dict[str, Any] = {"kind": "avoid", **NE, "unit": "admissions", "size": 4000, **CONTACTS}
NO_OVERLAP: Rows = [{"id": "double-running", "value": 0, "unit": "months"}]


def work(its: Result) -> float:
    return float(its.gap(by="kind", year="2020/21").filter(kind="community work")["published_case"].sum())


def test_work_that_replaces_what_is_avoided_costs_what_investment_does_not_cover() -> None:
    cost = 4000 * 10 * 45
    assert work(result([scheme(AVOID)], parameters=NO_OVERLAP)) == pytest.approx(cost)
    strand = [{"id": "i", "programme": "strand", "theme": "one", "value": 1, "year": "2020/21"}]
    assert work(result([scheme(AVOID)], parameters=NO_OVERLAP, investments=strand)) == pytest.approx(cost - 1e6)
    more = [{**strand[0], "value": 9}]
    assert work(result([scheme(AVOID)], parameters=NO_OVERLAP, investments=more)) == 0.0
    # A scheme that says what its own work costs is not charged for it twice.
    its = result([scheme(AVOID, save(kind="invest", size=2))], parameters=NO_OVERLAP)
    assert work(its) == 0.0
    assert its.investment.total() == pytest.approx(2e6)


def test_work_that_moves_takes_its_budget_with_it() -> None:
    its = result([scheme({**AVOID, "kind": "shift"})], parameters=NO_OVERLAP)
    plain = result(parameters=NO_OVERLAP)
    assert its.gap.total() == pytest.approx(plain.gap.total())
    moved = 4000 * 10 * 45
    for organisation, amount in (("acute", -moved), ("community", moved)):
        assert its.cost.total(organisation=organisation) - plain.cost.total(organisation=organisation) == pytest.approx(
            amount
        )


def test_new_work_overlaps_with_what_it_replaces_in_the_year_before_each_step() -> None:
    its = result([scheme(AVOID)], parameters=[{"id": "double-running", "value": 6, "unit": "months"}])
    frame = its.gap(year=list(its.years), kind="double running")["published_case"].to_list()
    left = its.activity(year=list(its.years), kind="arrival")["published_case"].to_numpy() * 45
    # Nothing starts before the plan does.
    assert frame == pytest.approx([0.0, *(0.5 * np.diff(left)[1:]), 0.0], rel=1e-6)


# -- capital -------------------------------------------------------------------------------------------------------

BUILD = {"kind": "build", "programme": "site"}


def test_charges_are_depreciation_and_interest_on_what_is_not_written_off() -> None:
    its = result(
        **SITE,
        parameters=[
            {"id": "asset-life", "value": 10, "unit": "years"},
            {"id": "capital-charge", "value": 4, "unit": "%"},
        ],
    )
    charges = its.charges()["published_case"].to_list()
    first = 30e6 / 10 + 30e6 * 0.04
    second = (30e6 + 10e6) / 10 + (27e6 + 10e6) * 0.04
    assert charges == pytest.approx([0, 0, 0, first, second])


def test_charges_end_with_the_life_of_the_asset() -> None:
    short = [{"id": "asset-life", "value": 1, "unit": "years"}, {"id": "capital-charge", "value": 4, "unit": "%"}]
    capital = [{"id": "wing", "year": "2017/18", "value": 30}]
    charges = (
        result(capital_programmes=SITE["capital_programmes"], capital=capital, parameters=short)
        .charges()["published_case"]
        .to_list()
    )
    assert charges == pytest.approx([0, 0, 30e6 * 1.04, 0, 0])


def test_capital_waits_for_the_first_of_the_schemes_it_is_built_for() -> None:
    builders = [{**scheme(BUILD, delivery="hopeful"), "id": "a"}, {**scheme(BUILD, delivery="hopeful"), "id": "b"}]
    its = result(builders, 400, **SITE)
    delivery = its.system.delivery.deliver(its.system.drivers.case(0, 400))
    built = np.maximum(delivery.delivered["a"], delivery.delivered["b"])
    spent = its.capital.sample("2018/19", line="A wing")
    late = np.where(delivery.delivered["a"] > 0, delivery.delay["a"], 9)
    first = np.minimum(late, np.where(delivery.delivered["b"] > 0, delivery.delay["b"], 9))
    assert 0 < built.mean() < 1
    np.testing.assert_allclose(spent, np.where((built > 0) & (first == 0), 30e6, 0.0))
    assert all(labels.get("scheme", "") == "" for labels in its.capital.labels)


def test_an_overrun_moves_the_charges_of_every_scheme_that_waits_for_the_capital() -> None:
    pays = save(kind="invest")
    builders = [{**scheme(BUILD, pays), "id": "a"}, {**scheme(BUILD, pays), "id": "b"}]
    its = result(builders, 200, **SITE, parameters=[OVERRUN])
    over = its.capital.sample("2018/19", line="A wing") / 30e6
    assert np.ptp(over) > 0.3
    for name in ("a", "b"):
        np.testing.assert_allclose(its.investment.sample(scheme=name), 10e6 * over)


def test_an_overrun_without_a_range_still_counts() -> None:
    its = result(**SITE, parameters=[{"id": "capital-overrun", "value": 10, "unit": "%"}])
    assert its.capital.total("2018/19") == pytest.approx(33e6)
    half = result((), 0, change("parameter:capital-overrun", value=50.0), **SITE, parameters=[OVERRUN])
    assert half.capital.total("2018/19") == pytest.approx(45e6)


def test_net_present_value_and_payback_against_closed_forms() -> None:
    rate, years = 0.035, 40
    annuity = (1 - (1 + rate) ** -years) / rate
    flows = np.array([-100.0] + [9.0] * years)
    assert net_present_value(flows, rate) == pytest.approx(-100 + 9 * annuity)
    assert net_present_value(np.array([5.0]), rate) == 5.0
    assert payback(100.0, 8.0) == 12.5
    assert payback(100.0, 0.0) == float("inf")


def test_the_case_for_capital_uses_the_discount_rate_a_scenario_sets() -> None:
    tables: dict[str, Rows] = {
        "capital_programmes": [{"id": "site", "schemes": "s0", "life": 20}],
        "capital": [{"id": "wing", "year": "2017/18", "value": 30}],
        "parameters": [{"id": "discount-rate", "value": 3.5, "unit": "%"}],
    }
    schemes = [scheme(save(size=3, ramp="2018/19: 1"), BUILD)]
    for rate, its in (
        (0.035, result(schemes, **tables)),
        (0.06, result(schemes, 0, change("parameter:discount-rate", value=6.0), **tables)),
    ):
        case = its.capital_case().row(0, named=True)
        assert case["roi"] == pytest.approx(10.0)
        assert case["payback"] == pytest.approx(10.0)
        flows = np.array([0.0, -30e6] + [3e6] * 20)
        assert case["net_present_value"] == pytest.approx(net_present_value(flows, rate))


# -- staff ---------------------------------------------------------------------------------------------------------


def test_the_more_particular_of_two_staff_rates_counts() -> None:
    ward = {"organisation": "community", "pod": "virtual-ward"}
    move = {
        "kind": "shift",
        **NE,
        "unit": "beds",
        "size": 20,
        "becomes_organisation": "community",
        "becomes_pod": "virtual-ward",
        "per_bed": 1,
    }
    by_bed = {"id": "b", "organisation": "community", "measure": "staff-per-bed", "value": 1.4, "unit": "WTE"}
    by_unit = {"id": "u", **ward, "measure": "staff-per-unit", "value": 0.016, "unit": "WTE"}
    spells = 20 * 365 * 0.9 / 9
    for rates, expected in (([by_bed], 28.0), ([by_unit], spells * 0.016), ([by_bed, by_unit], spells * 0.016)):
        its = result([scheme(move)], rates=[*RATES, *rates], growth=[])
        assert its.staff.total(kind="arrival") == pytest.approx(expected)


def test_staff_of_beds_a_scheme_closes_are_not_counted_again_in_its_saving() -> None:
    close = {"kind": "avoid", "organisation": "acute", "pod": "elective", "unit": "beds", "size": 20}
    pay: Rows = [{"id": "wte-cost", "value": 50, "unit": "GBP k"}, {"id": "pay-share", "value": 60, "unit": "%"}]
    beds = 20 * 1.9
    saving = 10e6 * 0.6 / 50e3
    its = result([scheme(close, save())], parameters=pay, growth=[])
    assert its.staff.total(scheme="s0") == pytest.approx(-saving)
    small = result([scheme(close, save(size=1))], parameters=pay, growth=[])
    assert small.staff.total(scheme="s0") == pytest.approx(-beds)
    follows = result([scheme(close, save(follows="e0"))], parameters=pay, growth=[])
    assert follows.staff.total(scheme="s0") == pytest.approx(-beds)
