"""The run beside the published results: where it lands, where rounding explains the difference, where it cannot, and why."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from bettercare import run
from bettercare.model.triangulate import SCHEMA, staffed_by, triangulate
from small_plan import ORDINARY, Rows, small_plan


@pytest.fixture(scope="module")
def llr() -> pl.DataFrame:
    return triangulate(run("llr-stp-2016", runs=50))


def found(frame: pl.DataFrame, name: str) -> dict[str, Any]:
    return frame.filter(pl.col("id") == name).row(0, named=True)


@pytest.mark.parametrize(
    "name",
    [
        "published.gap-total", "published.gap-health", "published.gap-social-care", "published.beds-acute-2020", "published.beds-acute-growth",
        "published.beds-acute-reduction", "published.beds-community-2020", "published.strand-1-gross", "published.strand-5-gross",
        "published.staff-primary-care-2020", "published.capital-acute-disposals", "published.capital-community-net", "published.capital-plan-on-a-page",
        "growth.cost-uhl", "growth.cost-lpt", "growth.cost-emas", "growth.cost-ccgs", "growth.cost-specialised", "growth.cost-local-authorities",
    ],
)  # fmt: skip
def test_the_run_lands_where_the_published_arithmetic_is_sound(llr: pl.DataFrame, name: str) -> None:
    row = found(llr, name)
    assert row["finding"] == "lands", row


def test_it_says_where_it_cannot_and_why(llr: pl.DataFrame) -> None:
    net = found(llr, "published.strand-4-net")
    assert net["finding"] == "cannot"
    assert net["model"] == pytest.approx(286.1)
    total = found(llr, "published.capital-total")
    assert total["finding"] == "cannot"
    assert "Electronic Patient Record" in total["reading"]


def test_a_saving_of_one_scheme_is_found(llr: pl.DataFrame) -> None:
    row = found(llr, "published.reconfiguration-dividend")
    assert (row["finding"], row["model"]) == ("lands", pytest.approx(25.6))


def test_landing_on_an_assumption_is_said(llr: pl.DataFrame) -> None:
    assert "funding.unallocated-health" in found(llr, "published.gap-health")["rests_on"]
    assert found(llr, "published.strand-1-gross")["rests_on"] == ""


def test_parts_of_a_whole_are_not_judged(llr: pl.DataFrame) -> None:
    assert found(llr, "published.stf-1718")["finding"] == "lands"
    part = found(llr, "published.stf-1718-rec")
    assert part["finding"] == "not compared"
    assert part["model"] is None


def test_every_row_has_a_finding_and_a_reading() -> None:
    for name in ("llr-stp-2016", "leicestershire-bcf-2014"):
        for runs in (0, 20):
            result = run(name, runs=runs)
            frame = triangulate(result)
            assert frame.schema == pl.Schema(SCHEMA)
            assert set(frame["finding"]) <= {"lands", "within rounding", "cannot", "not compared"}
            assert all(text.endswith(".") for text in frame["reading"])
            assert frame.height >= len(result.plan["published"])
            compared = frame.filter(pl.col("finding") != "not compared")
            assert compared["model"].null_count() == 0
            assert compared["expected"].null_count() == (0 if runs else compared.height)


def test_rounding_of_prices_is_carried_through() -> None:
    """1,911 admissions at about 1,490 pounds: the printed 2.84 million is within the rounding of the price."""
    frame = triangulate(run("leicestershire-bcf-2014"))
    assert found(frame, "published.saving-2015")["finding"] == "within rounding"
    assert found(frame, "published.admissions-2015")["finding"] == "lands"


# -- a small plan, one published row at a time ------------------------------------------------------------------------

SAVING = {
    "id": "s1",
    "effects": [{"id": "e", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": "10.0"}],
}


def one(**row: Any) -> dict[str, Any]:
    tables: dict[str, Rows] = {**ORDINARY, "published": [{"id": "it", "year": "2020/21", **row}]}
    tables["capital_programmes"] = [{"id": "site"}]
    tables["capital"] = [
        {"id": "wing", "year": "2018/19", "value": 30},
        {"id": "land", "kind": "disposal", "year": "2020/21", "value": -5},
    ]
    return found(triangulate(run(small_plan(tables, [SAVING]))), "published.it")


@pytest.mark.parametrize(
    ("row", "finding"),
    [
        ({"measure": "saving", "gross": "gross", "value": "10.0", "unit": "GBP m"}, "lands"),
        ({"measure": "saving", "gross": "gross", "value": "10.1", "unit": "GBP m"}, "within rounding"),
        ({"measure": "saving", "gross": "gross", "value": "10.3", "unit": "GBP m"}, "cannot"),
        ({"measure": "saving", "value": "10.0", "unit": "GBP m"}, "not compared"),
        ({"measure": "saving", "gross": "gross", "organisation": "council", "value": "1", "unit": "GBP m"}, "not compared"),
        ({"measure": "saving", "gross": "gross", "organisation": "acute", "value": "1.25", "unit": "%"}, "lands"),
        ({"measure": "growth", "gross": "net", "organisation": "acute", "value": "18.75", "unit": "%"}, "lands"),
        ({"measure": "growth", "organisation": "acute", "value": "20", "unit": "%"}, "lands"),
        ({"measure": "gap", "sector": "health", "gross": "gross", "value": "60", "unit": "GBP m"}, "lands"),
        ({"measure": "beds", "organisation": "acute", "pod": "elective", "value": "275", "unit": "beds"}, "lands"),
        ({"measure": "beds", "organisation": "community", "value": "200", "unit": "virtual beds"}, "lands"),
        ({"measure": "beds", "organisation": "council", "value": "200", "unit": "beds"}, "not compared"),
        ({"measure": "admissions", "organisation": "acute", "pod": "non-elective", "value": "89600", "unit": "admissions"}, "lands"),
        ({"measure": "admissions", "organisation": "acute", "pod": "non-elective", "value": "90000", "unit": "admissions"}, "not compared"),
        ({"measure": "staff", "value": "9000", "unit": "WTE"}, "not compared"),
        ({"measure": "capital", "gross": "gross", "value": "30", "unit": "GBP m", "year": None}, "lands"),
        ({"measure": "capital", "gross": "net", "value": "25", "unit": "GBP m", "year": None}, "lands"),
        ({"measure": "capital", "value": "-5", "unit": "GBP m", "year": None}, "lands"),
        ({"measure": "capital", "value": "30", "unit": "GBP m", "year": None}, "not compared"),
        ({"measure": "investment", "value": "3", "unit": "GBP m"}, "not compared"),
        ({"measure": "funding", "value": "1700", "unit": "GBP m"}, "lands"),
        ({"measure": "cost", "organisation": "community", "value": "300", "unit": "GBP m"}, "lands"),
    ],
)  # fmt: skip
def test_what_a_row_is_held_against(row: dict[str, Any], finding: str) -> None:
    assert one(**row)["finding"] == finding


def test_a_grouping_takes_in_the_staff_of_its_parts() -> None:
    organisations = [
        {"id": "all", "kind": "other"},
        {"id": "acute", "part_of": "all"},
        {"id": "community", "part_of": "all"},
        {"id": "council", "kind": "local-authority", "sector": "social-care"},
    ]
    plan = small_plan({"organisations": organisations, "workforce": [{"id": "w", "organisation": "all", "value": 100}]})
    assert staffed_by(plan, "all") == ("all", "acute", "community")
    assert staffed_by(plan, "council") == ("council",)
    own = [{"id": "w", "organisation": "all", "value": 100}, {"id": "v", "organisation": "acute", "value": 60}]
    assert staffed_by(small_plan({"organisations": organisations, "workforce": own}), "all") == ("all", "community")
