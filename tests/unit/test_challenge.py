"""Questions for a board: each kind on a small plan whose answer can be worked out by hand, and its silence without data."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

import bettercare.plan.challenge as room
from bettercare.plan import Plan, Table, shipped
from bettercare.plan.challenge import Challenge, challenge
from bettercare.plan.challenge.question import in_place, listed, percent
from bettercare.plan.dictionary import dictionary
from bettercare.plan.read import build
from small_plan import HEADER

Rows = list[dict[str, str]]
STATED = {"source": "paper", "where": "L1", "basis": "stated"}
ASSUMED = {"source": "paper", "basis": "assumed", "note": "For the example"}


def plan(**tables: Rows) -> Plan:
    usual = {
        "id": "usual", "name": "Usual", "low": "0.5", "likely": "1", "high": "1", "probability": "1", "on_time": "1", "year_late": "0",
        "two_years_late": "0", "basis": "stated", "note": "x",
    }  # fmt: skip
    given: dict[str, Rows] = {
        "sources": [{"id": "paper", "title": "The paper"}],
        "organisations": [
            {"id": "hospital", "name": "Hospital", "kind": "acute-provider", "sector": "health"},
            {
                "id": "community",
                "name": "Community trust",
                "kind": "community-mental-health-provider",
                "sector": "health",
            },
            {"id": "providers", "name": "Providers", "kind": "other", "sector": "health"},
        ],
        "themes": [{"id": "one", "name": "One", "order": "1", "source": "paper"}],
        "delivery": [usual],
        **tables,
    }
    raw = {
        name: [(f"tables/{name}.csv, row {row}", cells) for row, cells in enumerate(rows, 2)]
        for name, rows in given.items()
    }
    return build(HEADER, raw, [])


def scheme(name: str, **other: str) -> dict[str, str]:
    return {"id": name, "name": name.capitalize(), "theme": "one", "delivery": "usual", "source": "paper", **other}


def effect(
    of: str, name: str, kind: str, size: str, unit: str, organisation: str = "hospital", **other: str
) -> dict[str, str]:
    return {
        "id": name,
        "scheme": of,
        "kind": kind,
        "size": size,
        "unit": unit,
        "organisation": organisation,
        "basis": "stated",
        "where": "L2",
        **other,
    }


def avoid(of: str, size: str, unit: str, **other: str) -> dict[str, str]:
    return effect(
        of,
        f"avoid-{'share' if unit == '%' else unit}",
        "avoid",
        size,
        unit,
        pod=other.pop("pod", "non-elective"),
        **other,
    )


def save(of: str, size: str, unit: str = "GBP m", **other: str) -> dict[str, str]:
    return effect(of, "saving", "save", size, unit, **other)


def rate(measure: str, value: str, unit: str, pod: str = "", organisation: str = "", **other: str) -> dict[str, str]:
    basis = other or STATED
    return {
        "id": f"{measure}-{organisation}{pod}".strip("-"),
        "measure": measure,
        "value": value,
        "unit": unit,
        "pod": pod,
        "organisation": organisation,
        **basis,
    }


STAY = rate("length-of-stay", "5.0", "days", "non-elective")
OCCUPANCY = rate("occupancy", "90", "%")
PRICE = rate("unit-cost", "1,500", "GBP", "non-elective")


def asked(its: Plan, kind: str) -> list[Challenge]:
    return [one for one in challenge(its) if one.kind == kind]


def only(its: Plan, kind: str) -> Challenge:
    found = asked(its, kind)
    assert len(found) == 1, [one.id for one in challenge(its)]
    return found[0]


def figure(one: Challenge, name: str) -> float:
    return one.figures[name].value


# --- stays, prices, beds ------------------------------------------------------------------------------------------------


def test_the_stay_implied_by_beds_and_admissions():
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", "128", "beds"), avoid("teams", "20,071", "admissions")],
        rates=[STAY, OCCUPANCY],
    )
    one = only(its, "length-of-stay")
    assert figure(one, "implied stay") == pytest.approx(128 * 0.9 * 365 / 20071)
    assert figure(one, "beds at the average stay") == pytest.approx(20071 * 5 / 365 / 0.9)
    assert one.severity == "question"
    assert "2.1 days in bed for each" in one.question
    assert one.concerns == ("teams",)
    assert one.source == "The paper: L2; L1"


def test_admissions_a_scheme_implies_may_stand_in_an_indicator():
    implied = {
        "id": "avoided",
        "topic": "Implied by teams",
        "name": "Admissions avoided",
        "value": "20,071",
        "unit": "admissions",
        **STATED,
    }
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", "128", "beds")],
        rates=[STAY, OCCUPANCY],
        indicators=[implied],
    )
    assert figure(only(its, "length-of-stay"), "implied stay") == pytest.approx(2.095, abs=0.001)


@pytest.mark.parametrize(
    ("beds", "severity"), [("10", "serious"), ("15", "question"), ("29", "look"), ("45", "question"), ("90", "serious")]
)
def test_a_stay_far_from_the_average_is_more_than_a_look(beds: str, severity: str):
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", beds, "beds"), avoid("teams", "1,900", "admissions")],
        rates=[STAY, OCCUPANCY],
    )
    assert only(its, "length-of-stay").severity == severity


def test_what_rests_on_an_assumed_figure_is_never_serious():
    guess = rate("length-of-stay", "5.0", "days", "non-elective", **ASSUMED)
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", "10", "beds"), avoid("teams", "1,900", "admissions")],
        rates=[guess, OCCUPANCY],
    )
    one = only(its, "length-of-stay")
    assert one.severity == "question"
    assert one.rests_on == ("rates.length-of-stay-non-elective",)


def test_admissions_avoided_with_no_bed_released():
    its = plan(schemes=[scheme("teams")], effects=[avoid("teams", "1,911", "admissions")], rates=[STAY, OCCUPANCY])
    one = only(its, "length-of-stay")
    assert one.id == "length-of-stay:hospital-non-elective-no-beds"
    assert figure(one, "beds at the average stay") == pytest.approx(1911 * 5 / 365 / 0.9)
    assert "about 29 beds" in one.question


def test_beds_released_with_no_admissions_avoided():
    its = plan(
        schemes=[scheme("teams"), scheme("ward")],
        effects=[avoid("teams", "60", "beds"), avoid("ward", "17", "beds")],
        rates=[STAY, OCCUPANCY],
    )
    one = only(its, "length-of-stay")
    assert figure(one, "to be avoided a year") == pytest.approx(77 * 365 * 0.9 / 5)
    assert one.concerns == ("teams", "ward")


def test_no_occupancy_no_question_about_stays():
    its = plan(schemes=[scheme("teams")], effects=[avoid("teams", "60", "beds")], rates=[STAY])
    assert not asked(its, "length-of-stay")


@pytest.mark.parametrize(("saving", "severity"), [("1.0", "look"), ("3.0", "question"), ("4.0", "serious")])
def test_what_each_admission_saves_against_what_one_costs(saving: str, severity: str):
    its = plan(
        schemes=[scheme("teams")], effects=[avoid("teams", "2,000", "admissions"), save("teams", saving)], rates=[PRICE]
    )
    one = only(its, "saving-per-unit")
    assert figure(one, "saving for each") == pytest.approx(float(saving) * 1e6 / 2000)
    assert one.severity == severity


def test_the_whole_average_price_counted_for_each_admission():
    effects = [
        row
        for name, size in (("teams", "425"), ("falls", "338"))
        for row in (avoid(name, size, "admissions"), save(name, "1,500", "GBP", per="unit", follows="avoid-admissions"))
    ]
    one = only(plan(schemes=[scheme("teams"), scheme("falls")], effects=effects, rates=[PRICE]), "saving-per-unit")
    assert figure(one, "value") == 763 * 1500
    assert one.concerns == ("falls", "teams")


def test_what_each_bed_saves_against_what_a_bed_costs():
    its = plan(
        schemes=[scheme("teams"), scheme("ward")],
        effects=[
            avoid("teams", "100", "beds"),
            save("teams", "10.0", follows="avoid-beds"),
            avoid("ward", "10", "beds"),
            save("ward", "5.0"),
        ],
        beds=[{"id": "now", "organisation": "hospital", "year": "2016/17", "value": "1,000", "unit": "beds", **STATED}],
        spend=[
            {
                "id": "cost",
                "organisation": "hospital",
                "category": "Base cost",
                "year": "2016/17",
                "value": "400",
                "unit": "GBP m",
                **STATED,
            }
        ],
    )
    one = only(its, "saving-per-bed")
    assert (figure(one, "saving a bed a year: teams"), figure(one, "saving a bed a year: ward")) == (100_000, 500_000)
    assert figure(one, "spend for each bed now") == 400_000
    assert one.severity == "question"


def test_money_of_several_effects_is_not_given_to_one_of_them():
    effects = [
        effect("cip", "a", "shorten", "44", "beds", pod="elective"),
        effect("cip", "b", "shorten", "90", "beds", pod="non-elective"),
        save("cip", "174.2"),
    ]
    assert not asked(plan(schemes=[scheme("cip")], effects=effects), "saving-per-bed")


# --- growth, staff, care instead ----------------------------------------------------------------------------------------


def grow(name: str, measure: str, value: str, unit: str = "%", **other: str) -> dict[str, str]:
    return {
        "id": name,
        "measure": measure,
        "from": "2016/17",
        "to": "2020/21",
        "value": value,
        "unit": unit,
        **STATED,
        **other,
    }


def test_growth_of_cost_each_year():
    spend = [
        {
            "id": name,
            "organisation": name,
            "category": "Base cost",
            "year": "2016/17",
            "value": "100",
            "unit": "GBP m",
            **STATED,
        }
        for name in ("hospital", "community")
    ]
    growth = [
        grow("hospital-cost", "cost", "25", organisation="hospital"),
        grow("community-cost", "cost", "15", organisation="community"),
        grow("funds", "funding", "8", "GBP m"),
        grow("older", "population", "11.1", band="older", to="2021/22"),
    ]
    one = only(plan(spend=spend, growth=growth), "growth")
    assert figure(one, "cost growth a year: hospital") == pytest.approx((1.25**0.25 - 1) * 100)
    assert figure(one, "cost growth a year: together") == pytest.approx((1.20**0.25 - 1) * 100)
    assert figure(one, "funding growth a year") == pytest.approx((1.04**0.25 - 1) * 100)
    assert figure(one, "fastest growing age band a year") == pytest.approx((1.111**0.2 - 1) * 100)
    assert one.severity == "question"


def test_growth_of_beds_each_year():
    beds = [{"id": "now", "organisation": "hospital", "year": "2016/17", "value": "1,940", "unit": "beds", **STATED}]
    its = plan(
        beds=beds,
        growth=[
            grow("beds-a", "beds", "159", "beds", organisation="hospital"),
            grow("beds-b", "beds", "51", "beds", organisation="hospital"),
        ],
    )
    one = only(its, "growth")
    assert figure(one, "growth a year") == pytest.approx(((1 + 210 / 1940) ** 0.25 - 1) * 100)


def test_counting_on_no_growth():
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", "1,911", "admissions")],
        activity=[
            {
                "id": "now",
                "organisation": "hospital",
                "pod": "non-elective",
                "year": "2016/17",
                "value": "54,594",
                "unit": "admissions",
                **STATED,
            }
        ],
        growth=[grow("none", "activity", "0", organisation="hospital", pod="non-elective", high="3")],
    )
    one = only(its, "growth")
    assert figure(one, "growth at its high end") == pytest.approx(0.03 * 54594)
    assert one.severity == "serious"


def test_staff_that_fall_while_cost_grows():
    staff = [
        {
            "id": f"s{year[:4]}",
            "organisation": "providers",
            "staff_group": "All staff",
            "year": year,
            "value": value,
            "unit": "WTE",
            **STATED,
        }
        for year, value in (("2016/17", "19,805"), ("2020/21", "18,303"))
    ]
    growth = [grow("a", "cost", "25", organisation="hospital"), grow("b", "cost", "15", organisation="community")]
    one = only(plan(workforce=staff, growth=growth), "staff-against-work")
    assert figure(one, "change") == pytest.approx(-7.584, abs=0.001)
    assert (figure(one, "cost growth, lowest"), figure(one, "cost growth, highest")) == pytest.approx((15, 25))
    assert one.severity == "serious"
    assert not asked(plan(workforce=list(reversed(staff))[:1], growth=growth), "staff-against-work")


def test_the_care_put_in_place_of_hospital_work():
    moved = effect(
        "clinics", "moved", "shift", "150,000", "attendances", pod="outpatient", becomes_organisation="community",
        becomes_pod="community-outpatient", per_unit="1",
    )  # fmt: skip
    its = plan(
        schemes=[scheme("clinics")],
        effects=[moved, save("clinics", "9.7", follows="moved")],
        rates=[
            rate("unit-cost", "100", "GBP", "community-outpatient", "community"),
            rate("staff-per-unit", "0.001", "WTE", "community-outpatient", "community"),
        ],
    )
    one = only(its, "care-that-replaces")
    assert (figure(one, "cost of the new work"), figure(one, "saving"), figure(one, "staff for it")) == pytest.approx(
        (15e6, 9.7e6, 150)
    )
    assert one.severity == "serious"


def test_beds_become_contacts_by_the_stay():
    gone = avoid(
        "teams", "10", "beds", becomes_organisation="community", becomes_pod="community-contact", per_unit="12"
    )
    its = plan(
        schemes=[scheme("teams")],
        effects=[gone, save("teams", "4.0", follows="avoid-beds")],
        rates=[STAY, OCCUPANCY, rate("unit-cost", "45", "GBP", "community-contact", "community")],
    )
    assert figure(only(its, "care-that-replaces"), "new work a year") == pytest.approx(10 * 365 * 0.9 / 5 * 12)


def test_beds_become_virtual_beds_by_the_stay_there():
    gone = avoid("ward", "10", "beds", becomes_organisation="community", becomes_pod="virtual-ward", per_bed="2")
    its = plan(
        schemes=[scheme("ward")],
        effects=[gone, save("ward", "4.0", follows="avoid-beds")],
        rates=[
            OCCUPANCY,
            rate("length-of-stay", "9", "days", "virtual-ward"),
            rate("unit-cost", "700", "GBP", "virtual-ward", "community"),
        ],
    )
    assert figure(only(its, "care-that-replaces"), "new work a year") == pytest.approx(20 * 365 * 0.9 / 9)


def test_work_that_goes_nowhere():
    kept = avoid("kept", "10", "beds", becomes_organisation="community", becomes_pod="community-contact", per_unit="12")
    one = only(
        plan(schemes=[scheme("gone"), scheme("kept")], effects=[avoid("gone", "12", "beds"), kept]), "nowhere-to-go"
    )
    assert one.concerns == ("gone",)


# --- double counting ----------------------------------------------------------------------------------------------------


def test_several_schemes_on_one_activity():
    beds = [
        {
            "id": "now",
            "organisation": "hospital",
            "pod": "non-elective",
            "year": "2016/17",
            "value": "1,000",
            "unit": "beds",
            **STATED,
        }
    ]
    effects = [avoid("a", "100", "beds"), avoid("b", "20", "%"), avoid("c", "50", "beds", pod="elective")]
    one = only(plan(schemes=[scheme("a"), scheme("b"), scheme("c")], effects=effects, beds=beds), "double-counting")
    assert one.concerns == ("a", "b")
    assert figure(one, "claimed together") == pytest.approx(30)
    assert figure(one, "acting on what the others leave") == pytest.approx(28)
    assert figure(one, "overlap") == pytest.approx(20)
    assert one.severity == "serious"


def test_shares_alone_need_no_baseline():
    effects = [avoid("a", "10", "%"), avoid("b", "10", "%")]
    one = only(plan(schemes=[scheme("a"), scheme("b")], effects=effects), "double-counting")
    assert figure(one, "acting on what the others leave") == pytest.approx(19)
    assert figure(one, "overlap") == pytest.approx(1)


def test_several_schemes_on_one_purse():
    spend = [
        {
            "id": name,
            "organisation": name,
            "category": "Base cost",
            "year": "2016/17",
            "value": value,
            "unit": "GBP m",
            **STATED,
        }
        for name, value in (("hospital", "300"), ("community", "100"))
    ]
    effects = [save("a", "20", organisation="hospital; community"), save("b", "30")]
    its = plan(
        schemes=[scheme("a"), scheme("b")],
        effects=effects,
        spend=spend,
        growth=[grow("g", "cost", "10", organisation="hospital")],
    )
    one = only(its, "savings-on-one-purse")
    assert figure(one, "saved") == pytest.approx(45e6)
    assert figure(one, "spend if nothing is done") == pytest.approx(330e6)
    assert figure(one, "share a year") == pytest.approx((1 - (1 - 45 / 330) ** 0.25) * 100)
    assert one.severity == "question"


def test_one_scheme_that_carries_most():
    its = plan(
        schemes=[scheme(name) for name in "abcd"],
        effects=[save("a", "5"), save("b", "5"), save("c", "5"), save("d", "15")],
    )
    one = only(its, "one-basket")
    assert (one.concerns, figure(one, "share")) == (("d",), 50)
    assert "as much as 3 of the other schemes together" in one.question


def test_two_figures_for_one_thing():
    indicators = [{"id": "spend", "topic": "t", "name": "Spend", "value": "2,420", "unit": "GBP m", **STATED}]
    claims = [
        {
            "id": name,
            "statement": "Spend is the same",
            "stated": stated,
            "unit": "GBP bn",
            "relation": "equals",
            "expression": expression,
            "source": "paper",
        }
        for name, stated, expression in (
            ("other", "2.121", 'indicators["spend"]'),
            ("same", "2.42", 'indicators["spend"]'),
            ("worked-out", "9.9", 'indicators["spend"] * 2'),
        )
    ]
    one = only(plan(indicators=indicators, claims=claims), "two-figures")
    assert one.id == "two-figures:other"
    assert "£2.121bn and £2.420bn" in one.question


# --- capital ------------------------------------------------------------------------------------------------------------


def programme(name: str, **other: str) -> dict[str, str]:
    return {"id": name, "name": name.capitalize(), "source": "paper", **other}


def capital(of: str, value: str, year: str = "", kind: str = "spend") -> dict[str, str]:
    return {
        "id": f"{of}-{kind}-{year[:4] or 'undated'}",
        "programme": of,
        "project": "p",
        "kind": kind,
        "year": year,
        "value": value,
        "unit": "GBP m",
        **STATED,
    }


def test_payback_is_one_over_the_return():
    programmes = [
        programme("right", roi="15.6", payback="6.41"),
        programme("rounded", roi="15.6", payback="6.4"),
        programme("wrong", roi="10.20", payback="11.43"),
        programme("near", roi="4.67", payback="21.6"),
    ]
    found = {one.concerns[0]: one for one in asked(plan(capital_programmes=programmes), "payback-and-return")}
    assert found.keys() == {"wrong", "near"}
    assert figure(found["wrong"], "payback from the return") == pytest.approx(1 / 0.102)
    assert (found["wrong"].severity, found["near"].severity) == ("question", "look")


def test_the_same_pair_twice():
    programmes = [
        programme("a", roi="15.6", payback="6.41"),
        programme("b", roi="15.60", payback="6.41"),
        programme("c", roi="10.0", payback="10.0"),
    ]
    assert only(plan(capital_programmes=programmes), "payback-and-return").concerns == ("a", "b")


def test_return_against_the_savings_it_makes_possible():
    its = plan(
        schemes=[scheme("sites")],
        effects=[save("sites", "8.6")],
        capital_programmes=[programme("wards", schemes="sites", roi="10.0", roi_on="net", payback="10.0")],
        capital=[capital("wards", "30", "2018/19"), capital("wards", "-10", "2020/21", "disposal")],
    )
    one = only(its, "return-against-savings")
    assert (figure(one, "saving the return implies"), figure(one, "saving of the schemes")) == pytest.approx(
        (2e6, 8.6e6)
    )


def test_programmes_that_share_a_scheme_are_taken_together():
    its = plan(
        schemes=[scheme("sites")],
        effects=[save("sites", "3.0")],
        capital_programmes=[programme("a", schemes="sites", roi="10.0"), programme("b", schemes="sites", roi="20.0")],
        capital=[capital("a", "10", "2018/19"), capital("b", "10", "2018/19")],
    )
    assert not asked(its, "return-against-savings")


def test_a_return_no_scheme_counts():
    its = plan(capital_programmes=[programme("record", roi="31.4")], capital=[capital("record", "28", "2017/18")])
    assert figure(only(its, "return-without-saving"), "saving the return implies") == pytest.approx(0.314 * 28e6)


RATE = {"id": "discount-rate", "name": "Discount rate", "value": "3.5", "unit": "%", **STATED}


@pytest.mark.parametrize(("saving", "severity"), [("1.0", "serious"), ("3.0", "question"), ("6.0", "look")])
def test_net_present_value(saving: str, severity: str):
    its = plan(
        schemes=[scheme("sites", starts="2019/20")],
        effects=[save("sites", saving, by="2020/21", ramp="2019/20: 0.5; 2020/21: 1")],
        capital_programmes=[programme("wards", schemes="sites", life="20")],
        capital=[
            capital("wards", "15", "2017/18"),
            capital("wards", "15", "2018/19"),
            capital("wards", "-2", kind="disposal"),
        ],
        parameters=[RATE],
    )
    one = only(its, "net-present-value")
    cost = 15 / 1.035 + 15 / 1.035**2 - 2 / 1.035**4
    benefit = float(saving) * (0.5 / 1.035**3 + sum(1 / 1.035**year for year in range(4, 23)))
    assert figure(one, "net present value") == pytest.approx((benefit - cost) * 1e6)
    assert figure(one, "share of the saving needed") == pytest.approx(cost / benefit * 100)
    assert one.severity == severity


def test_value_of_a_return_alone_runs_from_the_year_after_the_last_spending():
    its = plan(
        capital_programmes=[programme("record", roi="30", life="5")],
        capital=[capital("record", "10", "2017/18"), capital("record", "10", "2018/19")],
        parameters=[RATE],
    )
    benefit = 0.3 * 20 * sum(1 / 1.035**year for year in range(3, 8))
    assert figure(only(its, "net-present-value"), "saving today") == pytest.approx(benefit * 1e6)


def test_land_that_pays_for_buildings():
    its = plan(
        capital_programmes=[programme("a"), programme("b")],
        capital=[
            capital("a", "30", "2018/19"),
            capital("b", "2", "2018/19"),
            capital("b", "-4", "2020/21", "disposal"),
            capital("a", "-4", "2018/19", "disposal"),
        ],
    )
    one = only(its, "disposals")
    assert figure(one, "share") == pytest.approx(25)
    assert "50% of it in the last year; B sells more than it spends" in one.question


def test_capital_that_others_must_still_give():
    rows = [("Wards", "requirement", "", "100"), ("Own", "internal", "", "-40"), ("PF2", "private-finance", "", "-30")]
    rows += [("Land", "disposal", "2019/20", "-10"), ("Land", "disposal", "2020/21", "-20")]
    funding = [
        {
            "id": f"f{number}",
            "group": "Acute",
            "line": line,
            "kind": kind,
            "year": year,
            "value": value,
            "unit": "GBP m",
            **STATED,
        }
        for number, (line, kind, year, value) in enumerate(rows)
    ]
    one = only(plan(capital_funding=funding), "capital-not-secured")
    assert (figure(one, "private finance"), figure(one, "disposals")) == pytest.approx((30e6, 30e6))
    assert one.severity == "serious"


# --- timing -------------------------------------------------------------------------------------------------------------


def test_a_benefit_before_what_it_requires():
    its = plan(
        schemes=[scheme("records", starts="2019/20"), scheme("teams", requires="records", starts="2017/18")],
        effects=[effect("records", "staff", "staff", "5", "WTE"), avoid("teams", "10", "beds", by="2018/19")],
    )
    one = only(its, "before-what-it-requires")
    assert one.severity == "serious"
    assert "Records in 2018/19" in one.question


def test_complete_in_the_same_year_is_a_look():
    its = plan(
        schemes=[scheme("beds"), scheme("sites", requires="beds", starts="2020/21")],
        effects=[avoid("beds", "10", "beds"), save("sites", "5")],
    )
    one = only(its, "before-what-it-requires")
    assert (one.severity, one.concerns) == ("look", ("sites", "beds"))


def test_requirements_that_keep_pace_are_not_asked_about():
    its = plan(
        schemes=[scheme("beds"), scheme("sites", requires="beds", starts="2018/19")],
        effects=[avoid("beds", "10", "beds", by="2019/20"), save("sites", "5")],
    )
    assert not asked(its, "before-what-it-requires")


def test_a_requirement_without_dates():
    its = plan(schemes=[scheme("records"), scheme("teams", requires="records")], effects=[avoid("teams", "10", "beds")])
    assert only(its, "before-what-it-requires").id == "before-what-it-requires:records-undated"


def test_milestones_date_a_requirement_without_effects():
    milestone = {"id": "live", "milestone": "Records live", "scheme": "records", "due": "2020-03-31", "source": "paper"}
    its = plan(
        schemes=[scheme("records"), scheme("teams", requires="records")],
        effects=[avoid("teams", "10", "beds", by="2018/19")],
        milestones=[milestone],
    )
    assert only(its, "before-what-it-requires").severity == "serious"


@pytest.mark.parametrize(("ramp", "severity"), [("2020/21: 1", "question"), ("2019/20: 1; 2020/21: 1", "serious")])
def test_a_benefit_ahead_of_the_building(ramp: str, severity: str):
    its = plan(
        schemes=[scheme("sites")],
        effects=[
            {"id": "build", "scheme": "sites", "kind": "build", "programme": "wards", "basis": "stated"},
            save("sites", "5", ramp=ramp),
        ],
        capital_programmes=[programme("wards")],
        capital=[capital("wards", "60", "2019/20"), capital("wards", "40", "2020/21")],
    )
    one = only(its, "before-it-is-built")
    assert one.severity == severity
    assert figure(one, "share of the benefit counted") == 100


def test_a_benefit_that_follows_the_building():
    its = plan(
        schemes=[scheme("sites")],
        effects=[
            {"id": "build", "scheme": "sites", "kind": "build", "programme": "wards", "basis": "stated"},
            save("sites", "5", ramp="2019/20: 0.5; 2020/21: 1"),
        ],
        capital_programmes=[programme("wards")],
        capital=[capital("wards", "60", "2017/18"), capital("wards", "40", "2018/19")],
    )
    assert not asked(its, "before-it-is-built")


def test_a_benefit_before_its_milestones():
    milestone = {"id": "open", "milestone": "Service opens", "scheme": "teams", "due": "2018-05-31", "source": "paper"}
    one = only(
        plan(schemes=[scheme("teams")], effects=[avoid("teams", "10", "beds")], milestones=[milestone]),
        "before-its-milestones",
    )
    assert "due only on 31 May 2018" in one.question
    late = milestone | {"due": "2021-05-31"}
    its = plan(
        schemes=[scheme("teams")],
        effects=[avoid("teams", "10", "beds")],
        milestones=[milestone | {"id": "first", "due": "2017-06-30"}, late],
    )
    assert "counts its full benefit in 2020/21" in only(its, "before-its-milestones").question


def test_milestones_out_of_order():
    milestones = [
        {"id": "counted", "milestone": "Counted", "due": "2018-01-31", "requires": "trained", "source": "paper"},
        {"id": "trained", "milestone": "Trained", "due": "2018-12-31", "source": "paper"},
    ]
    one = only(plan(milestones=milestones), "milestones-out-of-order")
    assert (one.severity, one.concerns) == ("serious", ("counted", "trained"))
    milestones[0]["due"] = "2018-12-31"
    assert not asked(plan(milestones=milestones), "milestones-out-of-order")


def invest(year: str, value: str, **other: str) -> dict[str, str]:
    row = {
        "line": "Teams",
        "programme": "local-priority",
        "recurrence": "recurrent",
        "year": year,
        "value": value,
        "unit": "GBP m",
        **STATED,
        **other,
    }
    return {"id": f"i{year[:4]}-{row['line'].lower()}", **row}


def test_investment_before_release():
    its = plan(
        schemes=[scheme("a")],
        effects=[save("a", "10", ramp="2019/20: 0.5; 2020/21: 1")],
        investments=[invest("2017/18", "3"), invest("2018/19", "4")],
    )
    one = only(its, "investment-before-release")
    assert (figure(one, "put in"), figure(one, "taken out"), figure(one, "years behind")) == pytest.approx(
        (7e6, 15e6, 3)
    )
    assert "Until the end of 2019/20" in one.question
    early = plan(schemes=[scheme("a")], effects=[save("a", "40")], investments=[invest("2017/18", "3")])
    assert not asked(early, "investment-before-release")


def test_a_last_year_that_must_save_most():
    its = plan(schemes=[scheme("a"), scheme("b", starts="2020/21")], effects=[save("a", "40"), save("b", "20")])
    one = only(its, "savings-late")
    assert (figure(one, "added in the last year"), figure(one, "added a year before")) == pytest.approx((30e6, 10e6))
    assert one.concerns == ("b",)
    assert not asked(plan(schemes=[scheme("a")], effects=[save("a", "40")]), "savings-late")


def trajectory(*points: tuple[str, str, str], better: str = "lower") -> Plan:
    return plan(
        metrics=[{"id": "m", "name": "Delays", "better": better, "source": "paper"}],
        trajectories=[
            {"id": f"p{number}", "metric": "m", "kind": kind, "at": at, "value": value, "unit": "%", **STATED}
            for number, (kind, at, value) in enumerate(points)
        ],
    )


@pytest.mark.parametrize(
    ("points", "severity"),
    [
        (
            (("baseline", "2014-03-31", "40"), ("trajectory", "2015-03-31", "38"), ("target", "2016-03-31", "35")),
            "question",
        ),
        ((("baseline", "2014-03-31", "40"), ("trajectory", "2015-03-31", "38"), ("target", "2016-03-31", "36")), None),
        (
            (("baseline", "2014-03-31", "40"), ("trajectory", "2015-03-31", "41"), ("target", "2016-03-31", "36")),
            "serious",
        ),
        ((("baseline", "2016/17", "40"), ("target", "2017/18", "30")), "question"),
        ((("baseline", "2016", "40"), ("target", "2020", "39")), None),
        ((("baseline", "2016", "40"), ("baseline", "2016", "50"), ("target", "2020", "10")), None),
        ((("baseline", "some day", "40"), ("target", "2020", "10")), None),
    ],
)
def test_the_pace_of_a_trajectory(points: tuple[tuple[str, str, str], ...], severity: str | None):
    found = asked(trajectory(*points), "trajectory")
    assert [one.severity for one in found] == ([severity] if severity else [])


def test_a_trajectory_short_of_the_standard():
    one = only(
        trajectory(
            ("baseline", "2016-09-30", "90"),
            ("trajectory", "2017-03-31", "92"),
            ("national-standard", "2016", "95"),
            better="higher",
        ),
        "trajectory",
    )
    assert one.id == "trajectory:m-short"


def test_recurrent_cost_on_passing_money():
    its = plan(
        funding=[
            {
                "id": "stf",
                "sector": "health",
                "kind": "transformation",
                "year": "2020/21",
                "value": "66",
                "unit": "GBP m",
                **STATED,
            }
        ],
        investments=[invest("2020/21", "26"), invest("2020/21", "40", line="Other")],
    )
    one = only(its, "recurrent-on-passing-money")
    assert (figure(one, "recurrent investment"), one.severity) == (66e6, "serious")
    assert figure(only(its, "investment-not-named"), "not named") == 66e6


def test_once_only_money_every_year():
    years = ("2017/18", "2018/19", "2019/20")
    its = plan(investments=[invest(year, "3", recurrence="non-recurrent") for year in years])
    assert "Teams" in only(its, "once-only-every-year").question
    assert not asked(
        plan(investments=[invest(year, "3", recurrence="non-recurrent") for year in years[:2]]), "once-only-every-year"
    )


# --- what is missing ----------------------------------------------------------------------------------------------------


def test_schemes_without():
    full = scheme("full", owner="A", metrics="m", evidence="A trial", milestones="done")
    its = plan(
        schemes=[full, scheme("bare")],
        effects=[save("full", "1")],
        metrics=[{"id": "m", "name": "Delays", "better": "lower", "source": "paper"}],
        milestones=[{"id": "done", "milestone": "Done", "due": "2018-03-31", "source": "paper"}],
    )
    for missing in ("owner", "metric", "evidence", "milestone", "effect"):
        assert only(its, f"without-{missing}").concerns == ("bare",)


def test_metrics_without():
    metrics = [{"id": name, "name": name, "better": "lower", "source": "paper"} for name in ("start", "end", "both")]
    points = [("start", "baseline"), ("end", "target"), ("both", "baseline"), ("both", "target")]
    trajectories = [
        {
            "id": f"{metric}-{kind}",
            "metric": metric,
            "kind": kind,
            "at": "2016" if kind == "baseline" else "2020",
            "value": "1",
            "unit": "%",
            **STATED,
        }
        for metric, kind in points
    ]
    its = plan(metrics=metrics, trajectories=trajectories, schemes=[scheme("a", metrics="both")])
    assert only(its, "metric-without-baseline").concerns == ("end",)
    assert only(its, "metric-without-target").concerns == ("start",)
    assert only(its, "metric-without-scheme").concerns == ("start", "end")


def test_risks_without():
    risks = [
        {"id": "r1", "risk": "One", "source": "paper", "owner": "A"},
        {"id": "r2", "risk": "Two", "source": "paper", "mitigation": "Watch"},
    ]
    its = plan(risks=risks)
    assert only(its, "risk-without-owner").concerns == ("r2",)
    assert only(its, "risk-without-mitigation").concerns == ("r1",)


def test_savings_tied_to_nothing():
    its = plan(schemes=[scheme("a"), scheme("b")], effects=[avoid("a", "10", "beds"), save("a", "5"), save("b", "15")])
    one = only(its, "money-alone")
    assert (one.concerns, figure(one, "savings tied to nothing")) == (("b",), 15e6)


def test_how_much_is_assumed():
    its = plan(rates=[STAY, rate("occupancy", "90", "%", **ASSUMED)])
    one = only(its, "assumed")
    assert figure(one, "assumed rows") == 1
    assert one.rests_on == ("rates.occupancy",)
    assert one.source == "Not in the plan's documents (assumed)"


# --- every plan ---------------------------------------------------------------------------------------------------------


def test_a_plan_with_nothing_in_it_raises_no_question():
    assert challenge(build(HEADER, {}, [])) == ()


def test_serious_questions_come_first():
    order = {"serious": 0, "question": 1, "look": 2}
    for name in shipped():
        severities = [order[one.severity] for one in challenge(Plan.read(name))]
        assert severities == sorted(severities)


@pytest.mark.parametrize("name", shipped())
def test_questions_of_the_shipped_plans_can_be_read_and_written(name: str):
    found = challenge(Plan.read(name))
    assert len({one.id for one in found}) == len(found)
    for one in found:
        assert one.question.endswith("?"), one.question
        assert not re.search(r"\b(nan|inf|None)\b|\(\)|  |text-number", one.question), one.question
        assert one.source
        assert one.severity != "serious" or not one.rests_on
    json.dumps([one.as_dict() for one in found], allow_nan=False)


@pytest.mark.parametrize("name", shipped())
@pytest.mark.parametrize("table", [name for name in dictionary() if name not in ("organisations", "themes", "claims")])
def test_a_question_without_its_data_is_not_asked(name: str, table: str):
    """Take any one table out: nothing breaks, and no question rests on a row that is not there."""
    its = Plan.read(name)
    without = replace(
        its, tables={**its.tables, table: Table(dictionary()[table]), "claims": Table(dictionary()["claims"])}
    )
    for one in challenge(without):
        assert not any(row.startswith(f"{table}.") for row in one.rests_on)


def test_no_footprint_is_known_to_the_code():
    words = {word.lower() for name in shipped() for word in Plan.read(name)["organisations"].by_id if len(word) > 2}
    text = "".join(path.read_text(encoding="utf-8").lower() for path in Path(room.__file__).parent.glob("*.py"))
    assert not {word for word in words if f'"{word}"' in text}


def test_the_share_of_an_effect_in_place():
    ramps = {
        "": (0, 0.25, 0.5, 0.75, 1),
        "2018/19: 0.5; 2020/21: 1": (0, 0, 0.5, 0.75, 1),
        "2017/18: 1; 2018/19: 0": (0, 1, 0, 0, 0),
    }
    for ramp, shares in ramps.items():
        its = plan(schemes=[scheme("a")], effects=[save("a", "1", ramp=ramp)])
        assert tuple(in_place(its, its["effects"].rows[0]).values()) == pytest.approx(shares)


def test_words():
    assert (listed([]), listed(["a"]), listed(["a", "b", "c"]), listed(list("abcd"), 2)) == (
        "none",
        "a",
        "a, b and c",
        "a, b and 2 more",
    )
    assert (percent(0.285), percent(0.0249), percent(-0.5)) == ("28%", "2.5%", "-50%")
