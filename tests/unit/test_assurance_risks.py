"""The risk register."""

from datetime import UTC, date, datetime

from bettercare.assurance.risks import (
    CHANCE,
    Risk,
    band,
    exposure,
    matrix,
    movement,
    open_risks,
    overdue_reviews,
)
from bettercare.store import Change

HIGH = Risk(
    id="high", risk="r", likelihood=5, impact=5, residual_likelihood=4, residual_impact=4, pence=100_00, falls_on="CCGs",
    review=date(2016, 1, 1),
)  # fmt: skip
LOW = Risk(id="low", risk="r", level="project", likelihood=1, impact=2, pence=50_00, review=date(2016, 3, 1))
UNSCORED = Risk(id="unscored", risk="r")
CLOSED = Risk(id="closed", risk="r", likelihood=5, impact=5, pence=1, status="closed", review=date(2010, 1, 1))
ALL = (UNSCORED, LOW, CLOSED, HIGH)


def test_bands_of_the_score():
    assert [band(score) for score in (None, 1, 6, 8, 12, 15, 25)] == [
        "grey", "green", "green", "amber", "amber", "red", "red",
    ]  # fmt: skip


def test_the_score_that_counts_is_after_mitigation():
    assert (HIGH.score, HIGH.residual, HIGH.now) == (25, 16, 16)
    assert LOW.now == 2
    assert UNSCORED.now is None


def test_open_risks_highest_first_and_by_view():
    assert [risk.id for risk in open_risks(ALL)] == ["high", "low", "unscored"]
    assert [risk.id for risk in open_risks(ALL, "project")] == ["low"]
    assert [risk.id for risk in open_risks(ALL, "programme")] == ["high", "unscored"]


def test_the_matrix_before_and_after():
    before, after = matrix(ALL), matrix(ALL, after=True)
    assert len(before) == len(after) == 25
    assert before[5, 5] == (HIGH,)
    assert after[4, 4] == (HIGH,)
    assert before[1, 2] == (LOW,)
    assert sum(map(len, before.values())) == 2


def test_overdue_reviews():
    assert overdue_reviews(ALL, date(2016, 1, 1)) == ()
    assert overdue_reviews(ALL, date(2016, 4, 1)) == (HIGH, LOW)


def test_exposure_in_pence_and_by_whom():
    found = exposure(ALL)
    assert found.if_all_happen == 150_00
    assert found.weighted == round(100_00 * CHANCE[4] + 50_00 * CHANCE[1])
    assert found.without_money == 1
    assert found.falls_on == {"CCGs": 100_00, "": 50_00}
    assert "assumed" in found.assumed


def test_movement_lists_changes_of_score_alone():
    def change(number: int, risk: Risk) -> Change:
        return Change(
            number, datetime(2016, number, 1, tzinfo=UTC), "olive", "", "risks", "p", risk.id, number, "replace", risk.model_dump(mode="json")
        )  # fmt: skip

    worse = LOW.model_copy(update={"likelihood": 3})
    said = worse.model_copy(update={"owner": "Somebody"})
    found = movement([change(1, LOW), change(2, worse), change(3, said)])
    assert [(one.since, one.score) for one in found] == [(date(2016, 1, 1), 2), (date(2016, 2, 1), 6)]
