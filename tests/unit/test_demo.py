"""The demonstration: what a newcomer finds."""

from pathlib import Path

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bettercare.access.roles import RIGHTS
from bettercare.access.sign_in import authenticate
from bettercare.access.users import users
from bettercare.assurance import Assessment, assess, open_programme
from bettercare.assurance.actions import answering, overdue
from bettercare.assurance.ledger import balances
from bettercare.assurance.programme import Programme
from bettercare.demo import ACCOUNTS, AS_AT, PASSWORD, demo_users, fill
from bettercare.plan import Plan
from bettercare.store import Store

QUICK = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))
FUND, SYSTEM = "leicestershire-bcf-2014", "llr-stp-2016"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    opened = Store.open(tmp_path_factory.mktemp("demo") / "demo.db")
    assert fill(opened) == (FUND, SYSTEM)
    return opened


@pytest.fixture(scope="module")
def seen(store: Store) -> dict[str, Assessment]:
    return {name: assess(store, Plan.read(name)) for name in AS_AT}


def test_both_plans_speak_of_their_day(seen: dict[str, Assessment]):
    assert {name: assessment.on for name, assessment in seen.items()} == AS_AT


def test_filling_twice_changes_nothing(store: Store):
    before = store.revision()
    assert fill(store) == ()
    assert store.revision() == before


def test_a_plan_somebody_runs_already_is_left_alone(tmp_path: Path):
    store, plan = Store.open(tmp_path / "own.db"), Plan.read(FUND)
    programme = open_programme(store, plan, "olive")
    with store.change("olive") as changing:
        changing.replace(programme.model_copy(update={"as_at": AS_AT[SYSTEM]}))
    assert fill(store) == (SYSTEM,)
    assert store.read(Programme, FUND, FUND).as_at == AS_AT[SYSTEM]


def test_what_is_invented_says_so(store: Store, seen: dict[str, Assessment]):
    for assessment in seen.values():
        held = assessment.registers
        assert held.synthetic
        for row in (*held.actuals, *held.entries):
            assert row.synthetic or getattr(row, "source", "") or row.note, row.id
        assert all(row.synthetic for row in (*held.progress, *held.questions, *held.risks, held.programme))
        for row in (*held.actions, *held.decisions, *held.meetings, *held.agenda, *held.declarations):
            assert row.synthetic or row.source, row.id
        for row in (*held.entries,):
            assert row.synthetic or row.id.startswith("opening-"), row.id


def test_the_papers_own_words_are_kept(seen: dict[str, Assessment]):
    for assessment in seen.values():
        for risk in assessment.registers.risks:
            assert risk.risk == assessment.plan["risks"].by_id[risk.id]["risk"]
            assert risk.score
            assert risk.residual
            assert risk.residual <= risk.score


def test_nothing_names_what_is_not_there(seen: dict[str, Assessment]):
    for assessment in seen.values():
        assert [link.ref for link in assessment.web.links.values() if "no longer, held" in link.detail] == []
        for meeting in assessment.registers.meetings:
            assert meeting.body in assessment.boards
        boards = {
            row.body
            for row in (*assessment.registers.actions, *assessment.registers.decisions, *assessment.registers.questions)
        }
        assert boards <= set(assessment.boards)
        areas = {area.id for board in assessment.boards.values() for area in board.focus}
        assert {question.focus for question in assessment.registers.questions} - {""} <= areas


def test_there_is_something_of_every_kind_to_look_at(seen: dict[str, Assessment]):
    fund, system = seen[FUND], seen[SYSTEM]
    for assessment in seen.values():
        statuses = {one.status for one in assessment.schedule.milestones}
        assert {"done", "done late", "late", "at risk", "on course"} <= statuses
        assert overdue(assessment.registers.actions, assessment.on)
        assert any(
            meeting.status == "planned" and meeting.on > assessment.on for meeting in assessment.registers.meetings
        )
        assert {"open", "escalated"} <= {question.status for question in assessment.registers.questions}
        assert any(decision.awaits for decision in assessment.registers.decisions)
    assert {judgement.rag.status for judgement in fund.judgements.values()} == {"green", "amber", "red", "grey"}
    assert any(judgement.disagreement for judgement in fund.judgements.values())
    assert sum(balances(fund.registers.entries).values()) == 0
    assert fund.payments
    assert system.registers.entries == ()
    for name in ("m3", "m4"):
        exception = fund.judgements[name].exception
        assert exception is not None
        assert answering(fund, f"exception:{exception.id}")


def test_the_accounts_sign_in_and_are_made_once(store: Store):
    assert set(demo_users(store, hasher=QUICK)) == set(ACCOUNTS)
    assert demo_users(store) == ()
    assert {user.role for user in users(store)} == set(RIGHTS)
    assert all(user.synthetic for user in users(store))
    assert authenticate(store, "office", PASSWORD, hasher=QUICK).role == "programme office"
