"""Whatever the milestones: the two bounds of a schedule, and what a slip does to them."""

from datetime import date, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from bettercare.assurance.milestones import Dates, after, forward

DAYS = st.dates(date(2016, 1, 1), date(2020, 12, 31))
ON = date(2017, 6, 30)


@st.composite
def milestones(draw: st.DrawFn) -> dict[str, Dates]:
    """Up to ten milestones that wait only for earlier ones, so there is no circle."""
    made: dict[str, Dates] = {}
    for number in range(draw(st.integers(1, 10))):
        due = draw(st.none() | DAYS)
        done = draw(st.none() | st.none() | st.dates(date(2016, 1, 1), ON))
        names = sorted(made)
        requires = draw(st.lists(st.sampled_from(names), unique=True, max_size=3)) if names else []
        made[f"m{number}"] = Dates(due, draw(st.none() | DAYS) or due, done, tuple(requires))
    return made


@settings(deadline=None)
@given(milestones())
def test_the_bounds_hold_what_they_say(given_dates: dict[str, Dates]):
    bounds = forward(given_dates, ON)
    for name, dates in given_dates.items():
        least, most = bounds[name]
        assert (least is None) == (most is None)
        if dates.done_on is not None:
            assert least == most == dates.done_on
            continue
        if least is None or most is None:
            continue
        assert least <= most
        if dates.expected is not None:
            assert least >= max(dates.expected, ON)
        for other in dates.requires:
            before = bounds[other]
            if before[0] is not None and before[1] is not None:
                assert least >= before[0]
                assert most >= after(before[1], given_dates[other], dates)


@settings(deadline=None)
@given(milestones(), st.integers(0, 1000), st.data())
def test_a_slip_moves_nothing_earlier_nothing_further_than_itself_and_only_what_waits(
    given_dates: dict[str, Dates], days: int, data: st.DataObject
):
    name = data.draw(st.sampled_from(sorted(given_dates)))
    one = given_dates[name]
    if one.expected is None or one.done_on is not None:
        return
    later = Dates(one.due, one.expected + timedelta(days), None, one.requires)
    before, moved = forward(given_dates, ON), forward(given_dates | {name: later}, ON)
    waiting = {name}
    for other in given_dates:
        if waiting & set(given_dates[other].requires):
            waiting.add(other)
        for old, new in zip(before[other], moved[other], strict=True):
            if old is None or new is None:
                assert old == new
                continue
            assert timedelta(0) <= new - old <= timedelta(days)
            if other not in waiting:
                assert new == old


@settings(deadline=None)
@given(milestones(), st.randoms())
def test_the_order_of_the_rows_does_not_matter(given_dates: dict[str, Dates], random):
    names = list(given_dates)
    random.shuffle(names)
    assert dict(forward({name: given_dates[name] for name in names}, ON)) == dict(forward(given_dates, ON))
