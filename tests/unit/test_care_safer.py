"""SAFER on a ward on a day, and what to ask next, against wards small enough to count by hand."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

import pytest

from bettercare.care.bed_days import REASONS, BedDay, mark, of_day, reviewed
from bettercare.care.safer import Safer, Share, ask_about, ask_of, safer
from bettercare.care.stays import Stay, at, gone, ready

DAY = date(2016, 11, 2)
NOW = at(DAY, time(11))


def stay(id: str, came: datetime | None = None, **given: Any) -> Stay:
    since = came or at(date(2016, 10, 31), time(14))
    return Stay.model_validate({"plan": "p/wards", "id": id, "pseudonym": id, "station": "medicine", "patient_class": "frail", "since": since, **given})  # fmt: skip


def seen(one: Stay, hour: int, minute: int = 0, day: date = DAY) -> BedDay:
    return reviewed(of_day(one, day), at(day, time(hour, minute)))


def red(one: Stay, back: int, reason: str = "therapy") -> BedDay:
    return mark(of_day(one, DAY - timedelta(days=back)), "red", reason)


def test_nobody_on_the_ward_is_not_measured_as_nought() -> None:
    measured = safer((), (), NOW)
    assert measured.here == measured.ready == 0
    assert measured.reviewed.value is measured.planned.value is measured.early.value is measured.long.value is None
    assert measured.first_came is None
    assert ask_of(safer((), (), at(DAY, time(8)))) == ()


def test_s_is_of_those_who_were_there_before_midday() -> None:
    early, late, never = stay("early"), stay("late"), stay("never")
    left_unseen = gone(stay("unseen"), at(DAY, time(10)))
    afternoon = stay("afternoon", at(DAY, time(12)))
    days = [seen(early, 11, 59), seen(late, 12)]
    measured = safer((early, late, never, left_unseen, afternoon), days, at(DAY, time(17)))
    assert measured.reviewed == Share(1, 4)
    assert measured.reviewed_today == Share(2, 4)


def test_s_is_by_the_clock_on_the_wall_in_summer_too() -> None:
    day = date(2016, 7, 1)
    one = stay("one", at(day - timedelta(days=1), time(9)))
    assert safer([one], [seen(one, 11, 59, day)], at(day, time(13))).reviewed == Share(1, 1)
    assert safer([one], [seen(one, 12, 0, day)], at(day, time(13))).reviewed == Share(0, 1)


def test_a_needs_the_date_and_the_criteria() -> None:
    stays = (
        stay("a", expected_discharge=DAY, criteria="Walks"),
        stay("b", expected_discharge=DAY - timedelta(days=1)),
        stay("c", criteria="Eats"),
    )
    measured = safer(stays, (), NOW)
    assert (measured.planned, measured.dated, measured.overdue) == (Share(1, 3), Share(2, 3), 1)


def test_f_is_the_first_of_today_from_an_assessment_unit() -> None:
    stays = (
        stay("a", at(DAY, time(9, 35)), came_from="amu"),
        gone(stay("b", at(DAY, time(9, 5)), came_from="amu"), at(DAY, time(10))),
        stay("c", at(DAY, time(8)), came_from="home"),
        stay("d", at(DAY - timedelta(days=1), time(8)), came_from="amu"),
        stay("e", at(DAY, time(23)), came_from="amu"),
    )
    measured = safer(stays, (), NOW, {"amu"})
    assert (measured.came, measured.first_came) == (2, at(DAY, time(9, 5)))
    assert safer(stays, (), NOW).came == 0


def test_e_is_of_those_who_left_today() -> None:
    def left(id: str, hour: int, back: int = 0) -> Stay:
        return gone(stay(id), at(DAY - timedelta(days=back), time(hour)))

    stays = (left("a", 9), left("b", 12), left("c", 16), left("d", 9, 1), left("e", 20), stay("f"))
    assert safer(stays, (), at(DAY, time(18))).early == Share(1, 3)
    # One who leaves later is still there.
    assert safer(stays, (), at(DAY, time(18))).here == 2


def test_r_is_of_long_stays_reviewed_within_a_week() -> None:
    old = at(date(2016, 10, 20), time(9))
    stays = [stay("now", old), stay("then", old), stay("edge", old), stay("never", old), stay("short")]

    def team(one: Stay, back: int) -> BedDay:
        return of_day(one, DAY - timedelta(days=back)).model_copy(update={"team_review": True})

    measured = safer(stays, [team(stays[0], 0), team(stays[1], 6), team(stays[2], 7), team(stays[4], 0)], NOW)
    assert measured.long == Share(2, 4)


def test_colours_and_the_ready_are_of_those_here_now() -> None:
    a, b, c = stay("a"), stay("b"), ready(stay("c"), NOW)
    out = gone(stay("d"), at(DAY, time(9)))
    measured = safer((a, b, c, out), [red(a, 0), mark(of_day(b, DAY), "green"), red(c, 1), red(out, 0)], NOW)
    assert (measured.red, measured.green, measured.unmarked, measured.ready) == (1, 1, 1, 1)


# --- what to ask ----------------------------------------------------------------------------------------------------------


def ward(now: datetime = NOW, **given: Any) -> Safer:
    """A ward on which all is as SAFER has it, but for what is given."""
    usual = {
        "now": now, "here": 4, "reviewed": Share(4, 4), "reviewed_today": Share(4, 4), "planned": Share(4, 4), "dated": Share(4, 4), "overdue": 0,
        "came": 1, "first_came": now, "early": Share(1, 3), "long": Share(0, 0), "green": 4, "red": 0, "unmarked": 0, "ready": 0,
    }  # fmt: skip
    return Safer(**{**usual, **given})


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({"reviewed_today": Share(3, 4)}, "1 patient has not had a senior review today. Who sees them before midday?"),
        ({"reviewed_today": Share(2, 4), "now": at(DAY, time(14))}, "2 patients have not had a senior review today. It is past midday: who sees them now?"),
        ({"ready": 2}, "2 patients are ready and still here."),
        ({"overdue": 1}, "1 patient is past the expected date."),
        ({"planned": Share(1, 4)}, "3 patients have no expected date or no criteria for it."),
        ({"long": Share(1, 2)}, "1 patient has been here over 7 nights without the weekly review."),
        ({"came": 0, "first_came": None}, "Nobody has come from an assessment unit yet today."),
        ({"early": Share(0, 3)}, "0 of 3 who left today left before midday."),
        ({"unmarked": 2}, "2 days are not marked yet."),
    ],
)  # fmt: skip
def test_each_thing_that_is_not_as_it_should_be_is_asked_about(given: dict[str, Any], asked: str) -> None:
    assert ask_of(ward()) == ()
    [one] = ask_of(ward(**given))
    assert one.startswith(asked)
    assert "?" in one


def test_what_is_asked_first_is_the_review_and_a_small_number_of_discharges_is_not_judged() -> None:
    asks = ask_of(ward(reviewed_today=Share(1, 4), planned=Share(1, 4), ready=1, unmarked=3))
    assert "senior review" in asks[0]
    assert "ready" in asks[1]
    assert not any("not marked" in one for one in asks), "the round comes to them with the review"
    assert ask_of(ward(early=Share(0, 2))) == ()
    assert ask_of(ward(now=at(DAY, time(9)), came=0, first_came=None)) == ()


def about(one: Stay, *days: BedDay) -> tuple[str, ...]:
    return ask_about(one, days, NOW)


def settled(**given: Any) -> tuple[Stay, BedDay]:
    """A patient about whom nothing need be asked, but for what is given."""
    usual = {"expected_discharge": DAY + timedelta(days=3), "criteria": "Walks"}
    one = stay("a", **{**usual, **given})
    return one, mark(seen(one, 9), "green")


def test_nothing_is_asked_of_one_who_is_seen_to() -> None:
    assert about(*settled()) == ()


def test_what_is_asked_about_a_patient() -> None:
    one, day = settled()
    assert about(one) == ("No senior review yet today. Who, and when?",)
    assert about(one, mark(day, "not yet")) == ("Is today red or green?",)
    assert about(*settled(expected_discharge=None)) == ("When could they leave, and what has to be true by then?",)
    assert about(*settled(criteria="")) == ("What has to be true for them to leave?",)
    assert about(*settled(expected_discharge=DAY - timedelta(days=1)))[0].startswith("Expected yesterday.")
    assert about(*settled(expected_discharge=DAY - timedelta(days=3)))[0].startswith("Expected 3 days ago.")
    assert about(*settled(expected_discharge=DAY))[0].startswith("Leaving today")
    assert about(*settled(expected_discharge=DAY + timedelta(days=1)))[0].startswith("Leaving tomorrow")
    long = stay("a", at(date(2016, 10, 20), time(9)), expected_discharge=DAY + timedelta(days=3), criteria="Walks")
    assert about(long, day)[0].startswith("Here 13 nights.")
    assert about(long, day.model_copy(update={"team_review": True})) == ()


def test_one_who_is_ready_is_asked_about_first_and_not_about_the_date() -> None:
    one, day = settled(expected_discharge=DAY - timedelta(days=2))
    held = ready(one, at(DAY - timedelta(days=1), time(9)), "rehab")
    assert about(held, day) == ("Ready since yesterday. Who can move it today?",)
    assert about(ready(one, NOW), day) == ("Ready since today. Where to, and what is missing?",)


def test_red_days_running_are_counted_up_to_today_or_yesterday() -> None:
    one, day = settled(since=at(DAY - timedelta(days=6), time(9)))
    inside = about(
        one, day.model_copy(update={"colour": "red", "reason": "transport"}), red(one, 1), red(one, 2), red(one, 4)
    )
    assert inside == ("3 red days running, last for transport. Who can put it right today?",)
    outside = about(one, mark(day, "not yet"), red(one, 1, "care home"), red(one, 2))
    assert outside == ("2 red days running, last for care home. Who takes it up outside the hospital?",)
    assert about(one, day, red(one, 1), red(one, 2)) == (), "a green day ends the run"
    assert about(one, day.model_copy(update={"colour": "red", "reason": "therapy"})) == ()


def test_every_reason_can_be_marked_and_is_said() -> None:
    one, _ = settled()
    for reason in REASONS:
        assert mark(of_day(one, DAY), "red", reason, "A strike").reason == reason
