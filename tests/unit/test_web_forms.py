"""Forms made from kinds of record: what they ask, how what is typed becomes a record, and what is said of what is wrong."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import ClassVar, Literal

import pytest
from starlette.datastructures import FormData

from bettercare.assurance.ledger import Entry
from bettercare.assurance.metrics import MetricRules
from bettercare.assurance.risks import Risk
from bettercare.store import Conflict, Record, asks
from bettercare.store.record import KINDS
from bettercare.web.forms import Faults, Form, clash_of, form_of, read_form
from bettercare.web.render import environment
from web_client import Client, client  # noqa: F401

BOARDS = {"boards": [("health", "Health Board"), ("care", "Care Board")]}


class Sample(Record):
    table: ClassVar[str] = "samples"
    word: str = asks("Word", "A word", min_length=1, max_length=5)
    kind: Literal["one", "two"] = asks("Kind", default="one")
    when: date | None = asks("When", "The day", None)
    day: date = asks("Day")
    number: int | None = asks("Number", "How many", None, ge=1, le=5)
    exact: Decimal | None = asks("Exact", default=None)
    pence: int | None = asks("Cost", "In pence", None, ge=0)
    board: str = asks("Board", default="", refers="boards")
    boards: tuple[str, ...] = asks("Awaits", default=(), refers="boards")
    about: tuple[str, ...] = asks("About", default=(), refers="ref")
    left: bool = asks("Left", default=False)
    more: str = asks("More", default="", long=True)


del KINDS[Sample.table]  # no store has a table of it, and other tests check stores whole


WHOLE = {
    "word": "tea", "kind": "two", "when-day": "1", "when-month": "Apr", "when-year": "2015", "day-day": "31", "day-month": "3", "day-year": "2016",
    "number": "4", "exact": "12.50", "pence": "£1,234.56", "board": "care", "about": "risk:a\r\n\r\n action:b ", "left": "yes", "more": "a\r\nb",
}  # fmt: skip


def _sent(**changes: str) -> FormData:
    pairs = {**WHOLE, **{name.replace("_", "-"): value for name, value in changes.items()}}
    return FormData([*pairs.items(), ("boards", "health"), ("boards", "care")])


def test_what_is_typed_becomes_a_record() -> None:
    made = read_form(Sample, _sent(), plan="p", choices=BOARDS)
    assert isinstance(made, Sample)
    assert made == Sample(
        plan="p", word="tea", kind="two", when=date(2015, 4, 1), day=date(2016, 3, 31), number=4, exact=Decimal("12.50"), pence=123456, board="care",
        boards=("health", "care"), about=("risk:a", "action:b"), left=True, more="a\nb",
    )  # fmt: skip


def test_a_form_holds_what_its_record_holds_and_gives_it_back() -> None:
    made = read_form(Sample, _sent())
    assert isinstance(made, Sample)
    form = form_of(Sample, made, choices=BOARDS)
    values = {one.name: one.value for one in form.asked}
    assert values["when"] == ("1", "4", "2015")
    assert values["pence"] == "1,234.56"
    sent: list[tuple[str, str]] = [("version", "0")]
    for one in form.asked:
        if one.shape == "date":
            sent += [
                (f"{one.name}-{part}", value) for part, value in zip(("day", "month", "year"), one.value, strict=True)
            ]
        elif one.shape == "many":
            sent += [(one.name, value) for value in one.value]
        elif one.shape != "flag" or one.value:
            sent.append((one.name, str(one.value)))
    assert read_form(Sample, FormData(sent), made) == made


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("word", "", "Enter word"),
        ("word", "coffee", "Word must be 5 characters or fewer"),
        ("word", "a\x07b", "Word must not hold control characters"),
        ("kind", "", "Choose kind"),
        ("kind", "three", "Choose kind from the list"),
        ("number", "many", "Number must be a number"),
        ("number", "1.5", "Number must be a whole number"),
        ("number", "0", "Number must be 1 or more"),
        ("number", "9", "Number must be 5 or less"),
        ("exact", "1e5", "Exact must be a number"),
        ("pence", "1.234", "Cost must be pounds and whole pence"),
        ("pence", "-1", "Cost must be 0 or more"),
        ("pence", "9" * 25, "Cost is too large"),
        ("pence", "ten", "Cost must be an amount of money, such as 1,234.56"),
        ("board", "other", "Choose board from the list"),
        ("day_day", "", "Day must include a day"),
        ("day_day", "32", "Day must be a real date, such as 31 3 2016"),
        ("day_year", "16", "Day must be a real date, such as 31 3 2016"),
        ("more", "x" * 20_001, "More must be 20,000 characters or fewer"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_in_a_sentence_and_what_was_typed_is_kept(field: str, typed: str, said: str) -> None:
    sent = _sent(**{field: typed})
    faults = read_form(Sample, sent, choices=BOARDS)
    assert isinstance(faults, Faults)
    name = field.partition("_")[0]
    assert faults.of == {name: said}
    form = form_of(Sample, sent=sent, faults=faults, choices=BOARDS)
    (asked,) = [one for one in form.asked if one.name == name]
    assert asked.fault == said
    assert form.summary == [{"text": said, "href": f"#{asked.anchor}"}]
    if len(typed) < 100 and typed and asked.shape == "text":
        assert asked.value == typed


def test_every_fault_is_said_at_once() -> None:
    faults = read_form(Sample, FormData([("number", "x"), ("kind", "three")]))
    assert isinstance(faults, Faults)
    assert faults.of == {
        "number": "Number must be a number", "word": "Enter word", "day": "Enter day", "kind": "Choose kind from the list",
    }  # fmt: skip


def test_a_form_is_shown_with_labels_hints_faults_and_no_choice_forced(client: Client) -> None:  # noqa: F811
    faults = Faults({"word": "Enter word", "": "All of it is odd"})
    form = form_of(Sample, sent=_sent(word="<b>"), faults=faults, choices={})
    page = _shown(form)
    assert page.count("<label") >= 10
    assert 'href="#word"' in page
    assert "All of it is odd" in page
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    # Without choices a reference is typed.
    assert next(one.shape for one in form.asked if one.name == "board") == "text"
    assert next(one.shape for one in form.asked if one.name == "boards") == "list"
    ids = [part.split('"')[0] for part in page.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def _shown(form: Form) -> str:
    source = '{% from "_form.html.j2" import summary, fields %}{{ summary(form) }}{{ fields(form) }}'
    return environment().from_string(source).render(form=form)


def test_only_and_without_choose_the_fields() -> None:
    assert [one.name for one in form_of(Risk, only=("owner", "risk")).asked] == ["owner", "risk"]
    names = [one.name for one in form_of(Risk, without=("owner",)).asked]
    assert "owner" not in names
    assert not {"plan", "id", "version", "synthetic"} & set(names)
    risk = Risk(plan="p", id="r", risk="It may rain", owner="Ann", likelihood=3)
    changed = read_form(Risk, FormData([("owner", "Bo"), ("version", "7")]), risk, only=("owner",))
    assert isinstance(changed, Risk)
    assert (changed.owner, changed.risk, changed.likelihood, changed.version) == ("Bo", "It may rain", 3, 7)


def test_records_of_assurance_can_be_asked_for() -> None:
    shapes = {one.name: one.shape for one in form_of(Entry).asked}
    assert shapes["pence"] == "money"
    assert shapes["on"] == "date"
    assert shapes["note"] == "long"
    rules = read_form(
        MetricRules, FormData([("preset", "making-data-count"), ("rebase", "2015-04-01\n2015-10-01"), ("amber", "5")])
    )
    assert isinstance(rules, MetricRules)
    assert rules.rebase == (date(2015, 4, 1), date(2015, 10, 1))
    wrong = read_form(MetricRules, FormData([("rebase", "April")]))
    assert isinstance(wrong, Faults)
    assert wrong.of["rebase"].endswith("one a line")


def test_a_clash_names_the_other_person_and_what_they_changed(client: Client) -> None:  # noqa: F811
    with client.store.change("ann") as changing:
        first = changing.add(Risk(plan="p", id="r", risk="It may rain", owner="Ann"))
    with client.store.change("bo") as changing:
        changing.replace(Risk.model_validate(first.model_dump() | {"owner": "Bo"}))
    with pytest.raises(Conflict) as caught, client.store.change("cy") as changing:
        changing.replace(Risk.model_validate(first.model_dump() | {"owner": "Cy"}))
    clash = clash_of(Risk, caught.value)
    assert clash is not None
    assert (clash.by, clash.version, list(clash.changed)) == ("bo", 2, [("Owner", "Ann", "Bo")])
    assert abs((datetime.now(UTC) - clash.at).total_seconds()) < 60
    form = form_of(Risk, first, sent=FormData([("owner", "Cy"), ("version", "1")]), clash=clash)
    assert form.version == 2
    page = _shown(form)
    assert "bo saved a change" in page
    assert 'value="Cy"' in page
