"""The registers' pages: listed, filtered, added to, changed without losing anybody's words, removed with the history kept."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from html.parser import HTMLParser
from urllib.parse import quote

import pytest

from bettercare.assurance.actions import Action
from bettercare.assurance.decisions import Decision
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting
from bettercare.assurance.questions import Question
from bettercare.assurance.risks import Risk
from bettercare.store import Record
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client

__all__ = ["client", "demo"]


@dataclass(frozen=True)
class Case:
    """A register, a row that can be entered in it, and a field to change."""

    kind: type[Record]
    path: str
    row: dict[str, str]
    field: str

    @property
    def base(self) -> str:
        return f"/plans/{LLR}/{self.path}"


DAY = {"on-day": "23", "on-month": "11", "on-year": "2017"}
CASES = [
    Case(Risk, "risks", {"risk": "Lifts fail", "level": "project", "likelihood": "4", "impact": "5", "pence": "£1,234.56", "status": "open"}, "mitigation"),
    Case(Action, "actions", {"action": "Mend the lift", "officers": "Estates", "status": "amber", "about": "risk:stp-1"}, "comments"),
    Case(Decision, "decisions", {"decision": "Close the lift", "kind": "resolution", "body": "rutland-hwb", "status": "agreed", **DAY}, "consequence"),
    Case(Meeting, "meetings", {"body": "rutland-hwb", "status": "planned", "time": "14:00", **DAY}, "note"),
    Case(AgendaItem, "agenda", {"meeting": "hwb-2016-11-17", "title": "Lifts"}, "minute"),
    Case(Declaration, "declarations", {"meeting": "hwb-2016-11-17", "member": "A member", "interest": "Owns a lift", "kind": "personal"}, "interest"),
    Case(Question, "questions", {"body": "rutland-hwb", "question": "Who mends it?", "function": "pace", "raised-day": "1", "raised-month": "10", "raised-year": "2017"}, "question"),
]  # fmt: skip
each = pytest.mark.parametrize("case", CASES, ids=lambda case: case.path)


def _added(demo: Client, case: Case) -> Record:
    """A row entered through the form."""
    before = {row.id for row in demo.store.list(case.kind, LLR)}
    response = demo.submit(f"{case.base}/new", case.row)
    assert response.status_code == 303, unescape(response.text)
    return next(row for row in demo.store.list(case.kind, LLR) if row.id not in before)


class Shown(HTMLParser):
    """What a browser would send of a page's last form that has a version."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.values: dict[str, list[str]] = {}
        self._name = self._words = ""
        self.feed(page.split("<main", 1)[1].rsplit("</main>", 1)[0])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if (
            tag == "input"
            and "name" in given
            and (given.get("type") not in ("checkbox", "radio") or "checked" in given)
        ):
            self.values.setdefault(given["name"], []).append(given.get("value", ""))
        elif tag in ("select", "textarea"):
            self._name, self._words = given["name"], ""
            if tag == "select":
                self.values[self._name] = [""]
        elif tag == "option" and "selected" in given:
            self.values[self._name] = [given["value"]]

    def handle_data(self, data: str) -> None:
        self._words += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self.values[self._name] = [self._words]


def _said(text: str) -> str:
    """The words of a page."""
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


@each
def test_a_list_shows_every_row_and_each_has_a_page(demo: Client, case: Case) -> None:
    text = demo.sign_in("viewer").get(case.base).text
    check_outline(text)
    for row in demo.store.list(case.kind, LLR):
        assert f'href="{case.base}/{quote(row.id, safe="")}"' in text
    for row in demo.store.list(case.kind, LLR)[:3]:
        page = demo.get(f"{case.base}/{row.id}")
        assert page.status_code == 200
        check_outline(page.text)
        assert f"/plans/{LLR}/changes/{case.kind.table}/{row.id}" in page.text


@each
def test_what_a_visitor_may_not_do_is_not_offered(demo: Client, case: Case) -> None:
    row = demo.store.list(case.kind, LLR)
    for address in (case.base, *(f"{case.base}/{one.id}" for one in row[:1])):
        assert not re.search(r'/(new|edit|remove)["?]', demo.sign_in("viewer").get(address).text)
        assert re.search(r'/(new|edit|remove)["?]', demo.sign_in("programme office").get(address).text)


@each
def test_a_row_is_added_changed_and_removed_and_the_history_is_kept(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    check_outline(demo.get(f"{case.base}/new").text)
    row = _added(demo, case)
    assert row.version == 1
    assert not row.synthetic
    form = demo.get(f"{case.base}/{row.id}/edit")
    check_outline(form.text)
    changed = demo.submit(
        f"{case.base}/{row.id}/edit", case.row | {"version": "1", case.field: "Words of the second hand"}
    )
    assert changed.status_code == 303
    assert getattr(demo.store.read(case.kind, LLR, row.id), case.field) == "Words of the second hand"
    ask = demo.get(f"{case.base}/{row.id}/remove").text
    check_outline(ask)
    assert 'name="version" value="2"' in ask
    assert demo.submit(f"{case.base}/{row.id}/remove", {"version": "2"}).status_code == 303
    assert demo.get(f"{case.base}/{row.id}").status_code == 404
    actions = [change.action for change in demo.store.history(case.kind, LLR, row.id)]
    assert actions == ["add", "replace", "remove"]
    assert {change.by for change in demo.store.history(case.kind, LLR, row.id)} == {"programme-office"}


@each
def test_a_form_sent_as_it_is_shown_changes_nothing(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    for plan in (BCF, LLR):
        for row in demo.store.list(case.kind, plan)[:4]:
            address = f"/plans/{plan}/{case.path}/{row.id}/edit"
            sent = demo.post(address, data=Shown(demo.get(address).text).values)
            assert sent.status_code == 303, _said(sent.text)
            now = demo.store.read(case.kind, plan, row.id)
            assert now.model_dump(exclude={"version"}) == row.model_dump(exclude={"version"})


@each
def test_the_second_of_two_editors_is_told_what_changed_and_keeps_their_words(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    row = _added(demo, case)
    first = {"version": "1", case.field: "The first one's words"}
    second = {"version": "1", case.field: "The second one's words"}
    assert demo.submit(f"{case.base}/{row.id}/edit", case.row | first).status_code == 303
    lost = demo.submit(f"{case.base}/{row.id}/edit", case.row | second)
    assert lost.status_code == 409
    check_outline(lost.text)
    said = _said(lost.text)
    assert "Someone else changed this" in said
    assert "The first one's words" in said
    assert "The second one's words" in unescape(lost.text)
    assert 'name="version" value="2"' in lost.text
    assert getattr(demo.store.read(case.kind, LLR, row.id), case.field) == "The first one's words"
    # Having seen it, the second one saves again, and that stands.
    assert demo.submit(f"{case.base}/{row.id}/edit", case.row | second | {"version": "2"}).status_code == 303
    assert getattr(demo.store.read(case.kind, LLR, row.id), case.field) == "The second one's words"


@each
def test_a_row_removed_while_somebody_writes_can_be_added_again(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    row = _added(demo, case)
    demo.submit(f"{case.base}/{row.id}/remove", {"version": "1"})
    lost = demo.submit(f"{case.base}/{row.id}/edit", case.row | {"version": "1", case.field: "Not to be lost"})
    assert lost.status_code == 409
    assert "Not to be lost" in lost.text
    assert "was removed while you were writing" in lost.text
    assert f'action="{case.base}/new"' in lost.text


@each
def test_a_row_somebody_changed_is_not_removed_unseen(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    row = _added(demo, case)
    demo.submit(f"{case.base}/{row.id}/edit", case.row | {"version": "1", case.field: "Changed"})
    refused = demo.submit(f"{case.base}/{row.id}/remove", {"version": "1"})
    assert refused.status_code == 409
    assert "changed" in refused.text
    assert demo.store.read(case.kind, LLR, row.id)


@each
def test_an_empty_form_says_what_is_wanted_and_stores_nothing(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    before = demo.store.revision(LLR)
    refused = demo.submit(f"{case.base}/new", {})
    assert refused.status_code == 400
    check_outline(refused.text)
    assert "There is a problem" in refused.text
    assert re.search(r"(Enter|Choose) ", _said(refused.text))
    assert demo.store.revision(LLR) == before


def test_money_is_entered_in_pounds_and_kept_in_pence(demo: Client) -> None:
    demo.sign_in("programme office")
    row = _added(demo, CASES[0])
    assert isinstance(row, Risk)
    assert row.pence == 123456
    assert "£1,234.56" in demo.get(f"/plans/{LLR}/risks/{row.id}").text


@each
def test_a_form_that_is_sent_twice_makes_one_row(demo: Client, case: Case) -> None:
    demo.sign_in("programme office")
    id = re.search(r'name="id" value="([0-9a-f]{12})"', demo.get(f"{case.base}/new").text)
    assert id is not None
    before = len(demo.store.list(case.kind, LLR))
    first, again = (demo.submit(f"{case.base}/new", case.row | {"id": id[1]}) for _ in range(2))
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"]
    assert len(demo.store.list(case.kind, LLR)) == before + 1
    other = demo.submit(f"{case.base}/new", case.row | {"id": id[1], case.field: "Something else"})
    assert other.status_code == 409
    assert "Something else" in other.text
    new = re.search(r'name="id" value="([0-9a-f]{12})"', other.text)
    assert new is not None
    assert new[1] != id[1]


@pytest.mark.parametrize("version", ["9" * 30, "9" * 5000, "-1", "x", ""])
def test_a_version_that_is_none_loses(demo: Client, version: str) -> None:
    demo.sign_in("programme office")
    row = _added(demo, CASES[0])
    for step in ("edit", "remove"):
        assert demo.submit(f"{CASES[0].base}/{row.id}/{step}", CASES[0].row | {"version": version}).status_code == 409


def test_what_the_address_fills_in_may_be_nonsense(demo: Client) -> None:
    demo.sign_in("programme office")
    shown = demo.get(f"/plans/{LLR}/risks/new?pence=lots&likelihood=x&review=never&status=odd")
    assert shown.status_code == 200
    assert 'value="lots"' in shown.text


def test_a_row_may_be_about_only_what_there_is(demo: Client) -> None:
    demo.sign_in("programme office")
    refused = demo.submit(f"/plans/{LLR}/actions/new", CASES[1].row | {"about": "risk:no-such-risk"})
    assert refused.status_code == 400
    assert "no-such-risk" in refused.text
    assert "Mend the lift" in refused.text
    assert 'href="#about"' in refused.text


def test_a_new_row_is_filled_in_from_the_address(demo: Client) -> None:
    demo.sign_in("programme office")
    one = demo.deployment.assessment(BCF).exceptions[0]
    form = unescape(demo.get(f"/plans/{BCF}/actions/new?about={quote(f'exception:{one.id}')}").text)
    assert f"exception:{one.id}</textarea>" in form
    assert demo.deployment.assessment(BCF).judgements[one.metric].metric.name in form
    decision = demo.get(f"/plans/{LLR}/decisions/new?body=rutland-hwb&on=2017-12-05&meeting=hwb-2016-11-17").text
    assert re.search(r'value="rutland-hwb" selected', decision)
    assert re.search(r'<input[^>]*name="on-year"[^>]*value="2017"[^>]*>', decision)


def test_filters_are_links_whose_counts_are_of_what_they_show(demo: Client) -> None:
    demo.sign_in("viewer")
    text = demo.get(f"/plans/{BCF}/risks").text
    choices = re.findall(r'<a href="(\?[^"]*)"[^>]*>([^<(]+) \((\d+)\)</a>', text)
    assert {words for _, words, _ in choices} >= {"All", "Programme", "Project", "Finance"}
    for address, _, count in choices:
        shown = demo.get(f"/plans/{BCF}/risks{unescape(address)}").text
        assert len(re.findall(r'<tr id="', shown)) == int(count)
    assert "No risk matches" in demo.get(f"/plans/{BCF}/risks?level=none").text


def test_overdue_actions_come_first_and_the_log_says_how_long(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{LLR}/actions").text
    assert text.index("273 days") < text.index("330(d)")
    assert "The date suggests red" in text
    for name in ("No.", "Agreed", "Action", "Responsible officer", "Due", "Comments", "Status"):
        assert f'<th scope="col">{name}</th>' in text


def test_a_risk_shows_how_its_score_has_moved(demo: Client) -> None:
    demo.sign_in("programme office")
    row = _added(demo, CASES[0])
    demo.submit(f"/plans/{LLR}/risks/{row.id}/edit", CASES[0].row | {"version": "1", "likelihood": "2"})
    moved = _said(demo.get(f"/plans/{LLR}/risks/{row.id}").text).split("How the scores have moved")[1]
    assert moved.index("A 10") < moved.index("R 20")


def test_words_of_a_user_are_never_part_of_the_page(demo: Client) -> None:
    demo.sign_in("programme office")
    attack = "<script>alert(1)</script>"
    demo.submit(f"/plans/{LLR}/risks/new", CASES[0].row | {"risk": attack, "owner": '"><img src=x>'})
    for address in ("risks", "risks/new?risk=" + quote(attack), "actions/new?about=" + quote(attack)):
        text = demo.get(f"/plans/{LLR}/{address}").text
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_a_meeting_shows_its_agenda_decisions_actions_and_declarations(demo: Client) -> None:
    said = _said(demo.sign_in("editor").get(f"/plans/{LLR}/meetings/hwb-2016-11-17").text)
    for words in ("Agenda and minutes", "Healthwatch", "326(a)", "Actions agreed", "333(b)", "left the room"):
        assert words in said, words
    plan = demo.get(f"/plans/{LLR}/meetings").text
    coming = [one for one in demo.store.list(Meeting, LLR) if one.status == "planned" and one.on.year == 2017]
    assert any(one.on.month == 11 for one in coming)
    assert "It still has to decide" in plan


def test_a_recommendation_goes_to_each_board_that_must_decide(demo: Client) -> None:
    demo.sign_in("board")
    base = f"/plans/{LLR}/decisions"
    row = {"decision": "Share one record", "kind": "recommendation", "body": "slt", "status": "proposed", **DAY}
    assert demo.submit(f"{base}/new", row).status_code == 303
    one = next(row for row in demo.store.list(Decision, LLR) if row.decision == "Share one record")
    page = demo.get(f"{base}/{one.id}").text
    check_outline(page)
    assert "Send it to the boards that must decide" in page
    members = re.findall(r'name="agreed"[^>]*value="([^"]+)"', page)
    assert "uhl-board" in members
    # Not all members agree, so it goes nowhere.
    refused = demo.submit(f"{base}/{one.id}/route", {"version": "1", "agreed": members[:-1], "to": "rutland-hwb"})
    assert refused.status_code == 400
    assert "agree" in refused.text
    sent = {"version": "1", "agreed": members, "to": ["rutland-hwb", "leicester-hwb"]}
    assert demo.submit(f"{base}/{one.id}/route", sent).status_code == 303
    assert demo.store.read(Decision, LLR, one.id).awaits == ("rutland-hwb", "leicester-hwb")
    assert "Share one record" in demo.get(base).text.split("Still to be decided")[1]
    ruling = {"version": "2", "body": "rutland-hwb", "status": "agreed", "minute": "12(a)", **DAY}
    check_outline(demo.get(f"{base}/{one.id}/decide?board=rutland-hwb").text)
    assert demo.submit(f"{base}/{one.id}/decide", ruling).status_code == 303
    again = demo.submit(f"{base}/{one.id}/decide", ruling | {"version": "3"})
    assert again.status_code == 400
    assert "does not await" in again.text
    late = demo.submit(f"{base}/{one.id}/decide", ruling | {"body": "leicester-hwb"})
    assert late.status_code == 409
    assert demo.submit(f"{base}/{one.id}/decide", ruling | {"version": "3", "body": "leicester-hwb"}).status_code == 303
    now = demo.store.read(Decision, LLR, one.id)
    assert (now.awaits, now.status) == ((), "agreed")
    assert {row.body for row in demo.store.list(Decision, LLR) if f"decision:{one.id}" in row.about} == {"rutland-hwb", "leicester-hwb"}  # fmt: skip


def test_a_plan_without_boards_or_rows_still_has_its_pages(client: Client) -> None:
    client.sign_in("programme office")
    for path in ("risks", "actions", "decisions", "meetings", "agenda", "declarations", "questions", "milestones"):
        for plan in (BCF, LLR):
            page = client.get(f"/plans/{plan}/{path}")
            assert page.status_code == 200, path
            check_outline(page.text)
