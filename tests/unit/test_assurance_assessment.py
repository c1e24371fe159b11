"""Opening a plan, reading its registers, and the one view of it."""

from datetime import date

import pytest

from bettercare.assurance import Assessment, Registers, assess, open_programme
from bettercare.assurance.actions import Action
from bettercare.assurance.decisions import Decision, awaiting
from bettercare.assurance.meetings import forward_plan, in_full
from bettercare.assurance.programme import Programme
from bettercare.assurance.risks import Risk
from bettercare.plan import Plan
from bettercare.store import Missing, Store
from small_plan import small_plan

LLR, FUND = Plan.read("llr-stp-2016"), Plan.read("leicestershire-bcf-2014")
READ = 12
"""Tables a reading of the registers looks at."""


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    opened = Store.open(tmp_path_factory.mktemp("store") / "opened.db")
    for plan in (LLR, FUND):
        open_programme(opened, plan, "olive")
    return opened


def test_the_boards_own_action_log_is_there(store: Store):
    actions = store.list(Action, LLR.id)
    assert len(actions) == 9
    assert sorted(action.status for action in actions) == ["amber"] * 2 + ["green"] * 7
    prisoners = next(action for action in actions if action.minute == "330(d)")
    assert (prisoners.officers, prisoners.status) == ("Mike Sandys", "amber")
    assert prisoners.source == "hwb-minutes-2016: Action log, L387-389; L399-413"
    assert not any(action.synthetic for action in actions)


def test_resolutions_stand_by_minute_and_letter(store: Store):
    decisions = store.list(Decision, LLR.id)
    minuted = [decision.minute for decision in decisions if decision.minute]
    assert len(minuted) == len(set(minuted)) == 19
    assert {"326(c)", "327(b)", "330(d)", "333(b)"} <= set(minuted)
    assert len(awaiting(decisions)["rutland-hwb"]) == 4


def test_who_withdrew_and_when_the_board_meets_next(store: Store):
    held = Registers.read(store, LLR.id)
    meetings = {one.meeting.id: one for one in in_full(held.meetings, held.agenda, held.declarations)}
    assert meetings["hwb-2016-11-17"].withdrew == ("Rick Moore",)
    assert [item.number for item in meetings["hwb-2016-11-17"].agenda] == [str(number) for number in range(320, 335)]
    coming = forward_plan(held.meetings, held.agenda, held.declarations, date(2016, 11, 18))
    assert [one.meeting.on for one in coming] == [date(2016, 12, 6), date(2017, 1, 5), date(2017, 6, 1)]


def test_the_approvals_of_the_fund(store: Store):
    decisions = {decision.id: decision for decision in store.list(Decision, FUND.id)}
    assert decisions["mou"].on == date(2014, 5, 31)
    assert decisions["reserve-raised"].about == ("risk:admissions-target",)
    assert {risk.id for risk in store.list(Risk, FUND.id)} == set(FUND["risks"].by_id)


def test_risks_of_a_scheme_are_project_risks(store: Store):
    levels = {risk.id: risk.level for risk in store.list(Risk, LLR.id)}
    assert (levels["stp-1"], levels["acute-demand"]) == ("programme", "project")


@pytest.mark.parametrize("plan", [LLR, FUND], ids=lambda plan: plan.id)
def test_everything_the_papers_name_is_there_to_follow(store: Store, plan: Plan):
    assessment = assess(store, plan)
    assert [link.ref for link in assessment.web.links.values() if "is not, or no longer, held" in link.detail] == []


def test_opening_twice_changes_nothing(store: Store):
    before = store.revision()
    assert open_programme(store, LLR, "somebody else") == store.read(Programme, LLR.id, LLR.id)
    assert store.revision() == before


def test_a_plan_that_is_not_open_is_refused_in_a_sentence(store: Store):
    with pytest.raises(Missing, match="The plan example is not open in this store") as refused:
        assess(store, small_plan())
    assert "bettercare open example" in str(refused.value)


def test_the_date_is_asked_for_or_the_data_date_or_today(tmp_path):
    store, plan = Store.open(tmp_path / "one.db"), small_plan()
    programme = open_programme(store, plan, "olive")
    assert assess(store, plan).on == date.today()
    with store.change("olive") as changing:
        changing.replace(programme.model_copy(update={"as_at": date(2017, 9, 30)}))
    assert assess(store, plan).on == date(2017, 9, 30)
    assert assess(store, plan, date(2018, 1, 1)).on == date(2018, 1, 1)


def test_a_plan_with_nothing_to_run_has_a_view_all_the_same(tmp_path):
    store, plan = Store.open(tmp_path / "bare.db"), small_plan()
    open_programme(store, plan, "olive")
    found = assess(store, plan, date(2017, 9, 30))
    assert (found.judgements, found.exceptions, found.years, found.payments, found.schedule.milestones) == (
        {}, (), (), (), (),
    )  # fmt: skip
    assert not found.registers.synthetic


def test_each_table_is_read_once(store: Store, monkeypatch: pytest.MonkeyPatch):
    read = []
    listed, one = Store.list, Store.read
    monkeypatch.setattr(
        Store, "list", lambda self, kind, *rest, **where: read.append(kind) or listed(self, kind, *rest, **where)
    )
    monkeypatch.setattr(Store, "read", lambda self, kind, *rest: read.append(kind) or one(self, kind, *rest))
    found = assess(store, FUND, date(2015, 1, 1))
    assert found.judgements
    assert found.web
    assert found.payments
    assert len(read) == len(set(read)) == READ


def test_what_was_worked_out_is_kept(store: Store):
    found = assess(store, LLR, date(2017, 10, 31))
    assert found.schedule is found.schedule
    assert found.consequences("consultation", 400) is found.consequences("consultation", 400)
    assert found.consequences("consultation", 400) is not found.consequences("consultation", 500)


def test_it_names_boards(store: Store):
    found: Assessment = assess(store, LLR, date(2017, 10, 31))
    assert found.board_name("slt") == "System Leadership Team"
    assert found.board_name("nobody") == "nobody"


@pytest.mark.parametrize("day", [date.min, date(1989, 12, 31), date(2200, 1, 1), date.max])
def test_a_data_date_is_of_this_age(day):
    with pytest.raises(ValueError, match="as_at"):
        Programme(plan="p", id="p", as_at=day)
