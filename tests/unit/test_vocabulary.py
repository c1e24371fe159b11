"""Years, units and money."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bettercare import BettercareError
from bettercare.vocabulary import (
    PODS,
    SERVICE_MODELS,
    SETTINGS,
    UNITS,
    FinancialYear,
    Money,
    Quarter,
    pounds,
    unit,
    years_between,
)


def test_a_financial_year_runs_from_april_to_march():
    year = FinancialYear.parse("2016/17")
    assert (year.first_day, year.last_day) == (date(2016, 4, 1), date(2017, 3, 31))
    assert FinancialYear.of(date(2017, 3, 31)) == year
    assert FinancialYear.of(date(2017, 4, 1)) == year + 1


@given(st.integers(1900, 2199))
def test_a_year_reads_back_as_written(start: int):
    year = FinancialYear(start)
    assert FinancialYear.parse(str(year)) == year


@pytest.mark.parametrize("text", ["2016", "2016/18", "16/17", "2016-17", "", "2016/2017"])
def test_what_is_not_a_year_is_refused(text: str):
    with pytest.raises(BettercareError, match="not a financial year"):
        FinancialYear.parse(text)


@given(st.dates(date(1990, 1, 1), date(2050, 1, 1)))
def test_every_day_lies_in_one_quarter_of_its_year(day: date):
    quarter = Quarter.of(day)
    assert quarter in FinancialYear.of(day).quarters
    assert Quarter.parse(str(quarter)) == quarter


def test_years_between_counts_both_ends():
    assert [str(year) for year in years_between(FinancialYear(2016), FinancialYear(2018))] == [
        "2016/17",
        "2017/18",
        "2018/19",
    ]


def test_money_at_different_prices_does_not_add():
    assert (Money(1.0, "2016/17") + Money(2.0, "2016/17")).pounds == 3.0
    with pytest.raises(BettercareError, match="2014/15 prices"):
        Money(1.0, "2016/17") + Money(1.0, "2014/15")
    assert Money(100.0, "2014/15").at_prices_of("2016/17", 1.03) + Money(0.0, "2016/17") == Money(103.0, "2016/17")


def test_pounds_reads_as_the_field_writes_it():
    assert [pounds(x) for x in (2.42e9, 399.3e6, -28.35e6, 250_000, 1490, 0)] == [
        "£2.420bn",
        "£399.3m",
        "-£28.4m",
        "£250k",
        "£1,490",
        "£0",
    ]


def test_units_of_one_kind_share_a_dimension_and_others_do_not():
    assert UNITS["GBP k"].dimension == UNITS["GBP m"].dimension
    assert UNITS["GBP"].dimension != UNITS["beds"].dimension
    assert UNITS["virtual beds"].dimension == UNITS["beds"].dimension
    with pytest.raises(BettercareError, match="not a unit"):
        unit("florins")


def test_points_of_delivery_use_known_words():
    assert (len(SETTINGS), len(SERVICE_MODELS)) == (6, 8)
    for pod in PODS.values():
        assert pod.setting in SETTINGS
        assert pod.unit in UNITS
        assert not pod.service_model or pod.service_model in SERVICE_MODELS
