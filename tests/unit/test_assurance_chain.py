"""The chain, on small registers."""

from dataclasses import replace
from datetime import date

import pytest

from bettercare.assurance import Assessment, Registers
from bettercare.assurance.actions import Action, answering
from bettercare.assurance.chain import KINDS, check_ref, refs
from bettercare.assurance.decisions import Decision
from bettercare.assurance.ledger import Entry
from bettercare.assurance.programme import Programme
from bettercare.assurance.questions import Question
from bettercare.demo.actuals import actuals
from bettercare.plan import Plan
from bettercare.store import Missing

PLAN = Plan.read("leicestershire-bcf-2014")
ON = date(2016, 1, 31)
FIGURES = actuals(PLAN)


def _assessment(**registers: tuple[object, ...]) -> Assessment:
    held = Registers(Programme(plan=PLAN.id, id=PLAN.id), actuals=FIGURES)
    return Assessment(PLAN, replace(held, **registers), ON)


def _action(name: str, *about: str, **fields: object) -> Action:
    return Action(plan=PLAN.id, id=name, action=f"Do {name}", officers="A", about=about, **fields)  # type: ignore[arg-type]


def _decision(name: str, *about: str, **fields: object) -> Decision:
    return Decision(
        plan=PLAN.id, id=name, decision=f"Decide {name}", body="integration-executive", on=ON, about=about, **fields
    )  # type: ignore[arg-type]


def _entry(name: str, because: str, **fields: object) -> Entry:
    return Entry(
        plan=PLAN.id, id=name, on=date(2015, 10, 30), year="2015/16", kind="budget", from_account="reserve", to_account="scheme:iur2",
        pence=90_000_00, because=because, **fields,
    )  # type: ignore[arg-type]  # fmt: skip


def test_the_judged_part_stands_without_any_register():
    assessment = _assessment()
    chain = assessment.chain("rag:m4")
    assert [link.ref for link in chain.before] == ["trajectory:m4", "signal:m4"]
    assert chain.after[0].ref == f"exception:{assessment.judgements['m4'].exception.id}"
    assert ("signal:m4", "rag:m4") in chain.edges


def test_causes_come_nearest_last_and_consequences_nearest_first():
    exception = f"exception:{_assessment().judgements['m4'].exception.id}"
    assessment = _assessment(
        actions=(_action("a", exception),),
        decisions=(_decision("d", "action:a"),),
        entries=(_entry("e", "decision:d"),),
    )
    chain = assessment.chain("decision:d")
    assert [link.ref for link in chain.before][-2:] == [exception, "action:a"]
    assert [link.ref for link in chain.after] == ["entry:e"]
    assert chain.after[0].title.startswith("£90,000 from Reserve beside the risk pool: Rapid Assessment")


def test_siblings_are_not_part_of_a_chain():
    exception = f"exception:{_assessment().judgements['m4'].exception.id}"
    assessment = _assessment(actions=(_action("a", exception), _action("b", exception)))
    chain = assessment.chain("action:a")
    assert "action:b" not in {link.ref for link in (*chain.before, *chain.after)}
    assert all("action:b" not in edge for edge in chain.edges)


def test_a_circle_ends():
    assessment = _assessment(
        actions=(_action("a", "question:q"),),
        questions=(
            Question(plan=PLAN.id, id="q", body="leicestershire-hwb", question="Why?", raised=ON, about=("action:a",)),
        ),
    )
    chain = assessment.chain("action:a")
    assert [link.ref for link in chain.before] == ["question:q"]
    assert [link.ref for link in chain.after] == ["question:q"]


def test_an_exception_whose_first_day_moved_is_still_the_same_and_says_so():
    assessment = _assessment(actions=(_action("a", "exception:m4@2015-05-01"),))
    now = f"exception:{assessment.judgements['m4'].exception.id}"
    assert check_ref(assessment, "exception:m4@2015-05-01") == now
    chain = assessment.chain("exception:m4@2015-05-01")
    assert chain.here.ref == now
    assert "recorded as off track since 2015-05-01" in chain.here.detail
    assert [link.ref for link in chain.after if link.kind == "action"] == ["action:a"]
    assert answering(assessment, now) == assessment.registers.actions


def test_an_exception_that_has_ended_keeps_its_place():
    assessment = _assessment(actions=(_action("a", "exception:m1@2014-04-01"),))
    assert assessment.judgements["m1"].exception is None
    chain = assessment.chain("action:a")
    assert [(link.ref, link.status) for link in chain.before][-1] == ("exception:m1@2014-04-01", "green")
    assert chain.before[0].ref == "trajectory:m1"


def test_what_is_named_and_gone_is_said_to_be_gone():
    chain = _assessment(actions=(_action("a", "risk:gone", "nonsense"),)).chain("action:a")
    assert {link.ref: link.detail for link in chain.before} == dict.fromkeys(
        ("risk:gone", "other:nonsense"),
        "It is named by a row, but nothing, or more than one thing, is held under that name.",
    )
    assert {link.kind for link in chain.before} <= set(KINDS)


def test_other_ways_to_name_a_thing():
    assessment = _assessment(
        decisions=(_decision("d", minute="44(b)"), _decision("e", minute="45"), _decision("f", minute="45"))
    )
    assert check_ref(assessment, "decision:44(b)") == "decision:d"
    assert check_ref(assessment, "metric:m4") == "rag:m4"
    assert check_ref(assessment, "payment:2015/16-Q1") == "payment:2015/16 Q1"
    with pytest.raises(Missing):
        check_ref(assessment, "decision:45")


@pytest.mark.parametrize("ref", ["", "nothing", "action:", "exception:m9@2015-01-01", ":", "action:" + "x" * 5000])
def test_what_is_not_there_is_refused_in_a_sentence(ref: str):
    with pytest.raises(Missing, match="to follow") as refused:
        _assessment().chain(ref)
    assert len(str(refused.value)) < 400


def test_a_near_miss_is_named():
    with pytest.raises(Missing, match=r"Did you mean scheme:iur\d"):
        _assessment().chain("scheme:iur")


def test_refs_are_listed_in_the_order_of_the_chain():
    listed = refs(_assessment(actions=(_action("a"),)))
    kinds = [ref.partition(":")[0] for ref in listed]
    assert kinds == sorted(kinds, key=list(KINDS).index)
    assert listed["action:a"] == "Do a"
    assert {"trajectory", "signal", "rag", "exception", "payment", "scheme", "milestone", "action"} <= set(kinds)


def test_only_a_late_milestone_explains_a_scheme():
    assessment = _assessment()
    late = {one.id for one in assessment.schedule.milestones if one.rag in ("red", "amber")}
    exception = assessment.chain(f"exception:{assessment.judgements['m4'].exception.id}")
    named = {link.ref.partition(":")[2] for link in exception.before if link.kind == "milestone"}
    assert named
    assert named <= late


def test_a_correction_follows_from_what_it_corrects():
    assessment = _assessment(
        decisions=(_decision("d"),), entries=(_entry("e", "decision:d"), _entry("f", "decision:d", reverses="e"))
    )
    assert [link.ref for link in assessment.chain("entry:e").after] == ["entry:f"]


def test_a_quarter_that_waits_for_another_is_not_green():
    counted = tuple(one for one in FIGURES if not (one.metric == "m4" and one.period == date(2015, 4, 1)))
    links = _assessment(actuals=counted).web.links
    assert [links[f"payment:{quarter}"].status for quarter in ("2015/16 Q1", "2015/16 Q2", "2015/16 Q3")] == [
        "grey"
    ] * 3


def test_two_boards_with_one_minute_are_not_taken_for_each_other():
    twice = (
        _decision("one", minute="12(a)"),
        _decision("two", minute="12(a)").model_copy(update={"body": "leicestershire-hwb"}),
    )
    assessment = _assessment(decisions=twice, actions=(_action("a", "decision:12(a)"),))
    assert [link.detail for link in assessment.chain("action:a").before] == [
        "It is named by a row, but nothing, or more than one thing, is held under that name."
    ]
    assert assessment.chain("decision:one").after == assessment.chain("decision:two").after == ()
