"""Meetings, agendas and declarations."""

from datetime import date

from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting, forward_plan, in_full, not_written_up

HELD = Meeting(id="held", body="hwb", on=date(2016, 11, 17), status="held")
NEXT = Meeting(id="next", body="hwb", on=date(2017, 1, 5), time="14:00")
EARLY = Meeting(id="early", body="slt", on=date(2017, 1, 5), time="9:30")
OFF = Meeting(id="off", body="hwb", on=date(2017, 1, 6), status="cancelled")
ITEMS = [
    AgendaItem(id="c", meeting="next", title="Other"),
    AgendaItem(id="b", meeting="next", number="10", title="Tenth"),
    AgendaItem(id="a", meeting="next", number="9", title="Ninth"),
]
DECLARED = [
    Declaration(id="d", meeting="held", member="Rick", interest="Chair", withdrew=True),
    Declaration(id="e", meeting="held", member="Ann", interest="Patient"),
]


def test_the_forward_plan_is_what_is_still_to_come():
    plan = forward_plan([NEXT, OFF, HELD, EARLY], ITEMS, DECLARED, date(2016, 12, 1))
    assert [one.meeting.id for one in plan] == ["early", "next"]
    assert [item.id for item in plan[1].agenda] == ["a", "b", "c"]
    assert forward_plan([NEXT], ITEMS, [], date(2017, 1, 6)) == ()


def test_who_withdrew():
    held = in_full([HELD], ITEMS, DECLARED)[0]
    assert held.withdrew == ("Rick",)
    assert len(held.declarations) == 2
    assert held.agenda == ()


def test_a_meeting_past_its_day_and_still_planned_is_named():
    assert not_written_up([HELD, NEXT, OFF], date(2017, 1, 6)) == (NEXT,)
    assert not_written_up([HELD, NEXT, OFF], date(2017, 1, 5)) == ()
