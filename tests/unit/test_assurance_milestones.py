"""The schedule of a plan's milestones."""

from dataclasses import replace
from datetime import date

import pytest

from bettercare.assurance.milestones import RED_AFTER, Dates, Progress, Schedule, forward, schedule
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from small_plan import small_plan

ON = date(2017, 6, 30)


def _plan(*rows: tuple[str, str, str]) -> Plan:
    return small_plan(
        {
            "milestones": [
                {"id": name, "milestone": f"Reach {name}", "due": due or None, "requires": requires or None, "source": "paper"}
                for name, due, requires in rows
            ]
        }
    )  # fmt: skip


def _schedule(*rows: tuple[str, str, str], on: date = ON, **progress: Progress) -> Schedule:
    return schedule(_plan(*rows), [row.model_copy(update={"id": name}) for name, row in progress.items()], on)


def test_one_that_is_due_later_is_on_course():
    one = _schedule(("a", "2017-09-30", "")).by_id["a"]
    assert (one.status, one.rag, one.slip, one.at_least, one.at_most) == (
        "on course", "green", 0, date(2017, 9, 30), date(2017, 9, 30),
    )  # fmt: skip


def test_one_not_done_cannot_be_reached_before_the_date():
    one = _schedule(("a", "2017-06-20", "")).by_id["a"]
    assert (one.at_least, one.slip, one.status, one.rag) == (ON, 10, "late", "amber")
    assert one.reason == "Due on 20 June 2017 and not done: 10 days late, so amber (28 or fewer)."


@pytest.mark.parametrize(("days", "rag"), [(RED_AFTER, "amber"), (RED_AFTER + 1, "red")])
def test_it_is_red_beyond_so_many_days(days: int, rag: str):
    due = date(2017, 9, 30)
    late = Progress(expected=date.fromordinal(due.toordinal() + days))
    assert _schedule(("a", due.isoformat(), ""), a=late).by_id["a"].rag == rag


def test_one_done_is_done_and_says_how_late():
    done = _schedule(("a", "2017-03-31", ""), a=Progress(done_on=date(2017, 4, 10))).by_id["a"]
    assert (done.status, done.rag, done.slip) == ("done late", "green", 10)
    assert "10 days late" in done.reason
    in_time = _schedule(("a", "2017-03-31", ""), a=Progress(done_on=date(2017, 3, 1))).by_id["a"]
    assert (in_time.status, in_time.reason) == ("done", "Reached on 1 March 2017, in time.")


def test_what_is_done_after_the_date_is_at_the_date_only_expected():
    one = _schedule(("a", "2017-03-31", ""), a=Progress(done_on=date(2017, 8, 1))).by_id["a"]
    assert (one.done_on, one.at_least, one.status) == (None, date(2017, 8, 1), "late")


def test_the_two_bounds_of_what_waits():
    # Two months lie between the due dates; the first is 100 days late.
    found = _schedule(("a", "2017-07-31", ""), ("b", "2017-09-30", "a"), a=Progress(expected=date(2017, 11, 8))).by_id
    assert found["b"].at_least == date(2017, 11, 8)
    assert found["b"].at_most == date(2018, 1, 8)
    assert found["b"].slip == 39
    assert 'because it waits for "Reach a"' in found["b"].reason


def test_one_that_can_still_be_in_time_is_at_risk_when_the_planned_time_is_needed():
    found = _schedule(("a", "2017-07-31", ""), ("b", "2018-07-31", "a"), a=Progress(expected=date(2017, 9, 30))).by_id
    b = found["b"]
    assert (b.slip, b.status, b.rag, b.at_most) == (0, "at risk", "amber", date(2018, 9, 30))


def test_one_without_a_date_takes_those_of_what_it_requires():
    found = _schedule(("a", "2017-09-30", ""), ("b", "", "a"), ("c", "2018-09-30", "b"), ("d", "", "")).by_id
    assert (found["b"].at_least, found["b"].status, found["b"].rag) == (date(2017, 9, 30), "undated", "grey")
    assert found["d"].at_least is None
    assert found["c"].status == "on course"


def test_float_is_the_days_to_the_first_that_waits():
    found = _schedule(("a", "2017-09-30", ""), ("b", "2017-10-31", "a"), ("c", "2018-10-31", "b")).by_id
    assert (found["a"].float_days, found["b"].float_days, found["c"].float_days) == (31, 365, None)
    assert found["a"].delays == ("b", "c")


def test_the_critical_path_is_the_longest_chain_to_the_last():
    made = _schedule(
        ("a", "2017-09-30", ""), ("x", "2017-10-31", ""), ("b", "2018-03-31", "a;x"), ("c", "2018-12-31", "b"), ("z", "2018-12-31", ""),
    )  # fmt: skip
    # x is due later than a, but both must come before b: the one nearest in planned time holds it as long, and x has the later date.
    assert made.critical_path[-2:] == ("b", "c")
    assert all(made.by_id[name].critical == (name in made.critical_path) for name in made.by_id)
    assert "The critical path ends through 2 others with: Reach c" in made.sentence


def test_the_critical_path_goes_through_what_slips():
    made = _schedule(
        ("a", "2017-09-30", ""), ("x", "2017-09-30", ""), ("b", "2018-03-31", "a;x"), x=Progress(expected=date(2018, 9, 30))
    )  # fmt: skip
    assert made.critical_path == ("x", "b")


def test_nothing_left_to_do_has_no_critical_path():
    made = _schedule(("a", "2017-03-31", ""), a=Progress(done_on=date(2017, 3, 31)))
    assert made.critical_path == ()
    assert made.sentence == "Of 1 milestone 1 is done, none is late."
    assert schedule(small_plan(), [], ON).sentence == "The plan has no milestones."


def test_done_before_what_it_waits_for_is_said():
    found = _schedule(("a", "2017-09-30", ""), ("b", "2017-03-31", "a"), b=Progress(done_on=date(2017, 3, 31))).by_id
    assert "What it waits for is not done: Reach a." in found["b"].reason


def test_circles_and_strangers_are_refused_in_a_sentence():
    one = Dates(date(2017, 1, 1), None, None, ("b",))
    with pytest.raises(BettercareError, match="wait for each other in a circle"):
        forward({"a": one, "b": replace(one, requires=("a",))}, ON)
    with pytest.raises(BettercareError, match="waits for 'b', which the plan does not have"):
        forward({"a": one}, ON)


def test_the_shipped_plans_have_a_schedule():
    for name in ("llr-stp-2016", "leicestershire-bcf-2014"):
        made = schedule(Plan.read(name), [], date(2014, 1, 1))
        assert made.milestones
        assert [one.due for one in made.milestones if one.due] == sorted(one.due for one in made.milestones if one.due)


def test_the_critical_path_ends_with_what_comes_last_now_and_not_what_was_due_last():
    made = _schedule(
        ("a", "2018-03-31", ""), ("b", "2018-06-30", "a"), ("z", "2018-12-31", ""), a=Progress(expected=date(2019, 6, 30))
    )  # fmt: skip
    assert made.critical_path == ("a", "b")


def test_a_milestone_still_to_come_due_is_not_called_not_done():
    late = _schedule(("a", "2018-03-31", ""), a=Progress(expected=date(2018, 6, 30))).by_id["a"]
    assert late.reason.startswith("Due on 31 March 2018; 30 June 2018 at the earliest: 91 days late")


def test_a_day_at_the_end_of_the_calendar_breaks_nothing():
    made = _schedule(("a", "2018-03-31", ""), ("b", "2018-06-30", "a"), a=Progress(expected=date.max)).by_id
    assert made["b"].at_most == date.max


def test_float_runs_from_none_when_all_of_the_planned_time_is_needed_to_the_days_between():
    a = _schedule(("a", "2017-09-30", ""), ("b", "", "a"), ("c", "2018-09-30", "a")).by_id["a"]
    assert (a.float_least, a.float_days) == (0, 365)
    late = _schedule(("a", "2017-03-31", ""), ("c", "2018-03-31", "a"), a=Progress(expected=date(2017, 11, 30))).by_id[
        "a"
    ]
    assert (late.float_least, late.float_days) == (-244, 121)
    assert _schedule(("a", "2017-09-30", "")).by_id["a"].float_least is None
