"""The fund's pages: position, ledger, pay for performance, overspend, risk sharing, claimed twice."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

import pytest

from bettercare.assurance.ledger import Entry, balances, sterling
from bettercare.assurance.overspend import forecast_overspends
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client

__all__ = ["client", "demo"]

BASE = f"/plans/{BCF}/budget"
PAGES = ("", "/ledger", "/payments", "/overspend", "/sharing", "/claimed-twice")
ENTRY = {
    "on-day": "20", "on-month": "1", "on-year": "2016", "year": "2015/16", "kind": "spend", "from_account": "scheme:hdr1", "to_account": "spent:hdr1",
    "pence": "1,234.56", "note": "A late bill",
}  # fmt: skip


def _said(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text))).replace("−", "-")


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("plan", [BCF, LLR])
def test_every_page_is_there_for_a_plan_with_a_fund_and_for_one_without(demo: Client, plan: str, page: str) -> None:
    response = demo.sign_in("viewer").get(f"/plans/{plan}/budget{page}")
    assert response.status_code == 200
    check_outline(response.text)


def test_the_position_shows_every_line_and_says_it_is_synthetic(demo: Client) -> None:
    text = demo.sign_in("viewer").get(BASE).text
    said = _said(text)
    fund = demo.deployment.assessment(BCF).fund("2015/16")
    assert _said(fund.sentence) in said
    for line in fund.lines:
        assert line.name in said
        assert _said(line.reason) in said
    assert "Synthetic" in text.split("<h1")[1].split("</h1>")[0]
    assert "New ledger entry" not in text
    assert "New ledger entry" in demo.sign_in("programme office").get(BASE).text
    assert "2014/15" in _said(demo.get(f"{BASE}?year=2014/15").text).split("pooled fund in")[1]
    assert demo.get(f"{BASE}?year=2031/32").status_code == 404


def test_the_ledger_adds_up_and_an_account_shows_its_balance_after_each_entry(demo: Client) -> None:
    demo.sign_in("viewer")
    assert "All accounts together: £0 ." in _said(demo.get(f"{BASE}/ledger").text)
    account = "risk-pool"
    text = demo.get(f"{BASE}/ledger?account={account}").text
    entries = demo.store.list(Entry, BCF)
    own = [one for one in entries if account in (one.from_account, one.to_account)]
    assert len(re.findall(r'<tr id="', text)) == len(own)
    # The newest stands first, so the first balance on the page is the one of today.
    newest = re.findall(r'data-head="Balance after"[^>]*><div>([^<]+)<', text)[0]
    assert newest.replace("−", "-") == sterling(balances(entries)[account])
    assert demo.get(f"{BASE}/ledger?account=nobody").status_code == 404
    by_kind = demo.get(f"{BASE}/ledger?kind=reserve&account={account}").text
    assert set(re.findall(r'data-head="What"><div>(\w+)', by_kind)) == {"Reserve"}
    assert f"account={account}" in by_kind


def test_the_pages_of_the_ledger_hold_each_entry_once(demo: Client) -> None:
    demo.sign_in("viewer")
    count = len(demo.store.list(Entry, BCF))
    last = max(map(int, re.findall(r"\?number=(\d+)", demo.get(f"{BASE}/ledger").text)))
    seen = [id for number in range(1, last + 1) for id in re.findall(r'<tr id="([^"]+)"', demo.get(f"{BASE}/ledger?number={number}").text)]  # fmt: skip
    assert len(seen) == len(set(seen)) == count
    assert demo.get(f"{BASE}/ledger?number=999").status_code == 200


def test_an_entry_is_made_once_however_often_its_form_is_sent(demo: Client) -> None:
    demo.sign_in("programme office")
    form = demo.get(f"{BASE}/ledger/new?because=payment:2015/16 Q1").text
    check_outline(form)
    assert 'value="payment:2015/16 Q1"' in form
    found = re.search(r'name="id" value="([0-9a-f]{12})"', form)
    assert found is not None
    before = len(demo.store.list(Entry, BCF))
    sent = ENTRY | {"id": found[1]}
    response = demo.submit(f"{BASE}/ledger/new", sent)
    assert response.headers["location"] == f"{BASE}/ledger/{found[1]}"
    again = demo.submit(f"{BASE}/ledger/new", sent)
    assert again.status_code == 409
    assert len(demo.store.list(Entry, BCF)) == before + 1
    made = demo.store.read(Entry, BCF, found[1])
    assert (made.pence, made.synthetic) == (123456, False)
    page = demo.get(response.headers["location"]).text
    check_outline(page)
    assert "£1,234.56" in page
    assert "A late bill" in page


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"to_account": "scheme:hdr1"}, "same account"),
        ({"pence": "0"}, "must be more than 0"),
        ({"pence": "12.345"}, "whole pence"),
        ({"pence": "lots"}, "an amount of money"),
        ({"year": "2014/15"}, "is not in 2014/15"),
        ({"from_account": "scheme:nowhere"}, "nowhere"),
        ({"to_account": "spent:hdr2"}, "on the same scheme"),
        ({"because": "decision:none"}, "nothing called"),
        ({"on-day": "31", "on-month": "2"}, "real date"),
    ],
)
def test_a_wrong_entry_is_refused_in_a_sentence_and_what_was_typed_is_kept(
    demo: Client, wrong: dict[str, str], words: str
) -> None:
    demo.sign_in("programme office")
    before = demo.store.revision(BCF)
    response = demo.submit(f"{BASE}/ledger/new", ENTRY | wrong)
    assert response.status_code == 400
    assert words in _said(response.text)
    assert "A late bill" in response.text
    assert demo.store.revision(BCF) == before


def test_an_entry_is_reversed_once_and_both_stay(demo: Client) -> None:
    demo.sign_in("programme office")
    one = next(each for each in demo.store.list(Entry, BCF) if each.kind == "spend")
    address = f"{BASE}/ledger/{quote(one.id, safe='')}"
    before = balances(demo.store.list(Entry, BCF))
    check_outline(demo.get(f"{address}/reverse").text)
    day = {"on-day": "31", "on-month": "1", "on-year": "2016"}
    blank = demo.submit(f"{address}/reverse", day)
    assert blank.status_code == 400
    assert "No reason" in blank.text
    assert demo.submit(f"{address}/reverse", day | {"note": "Paid twice"}).status_code == 303
    now = balances(demo.store.list(Entry, BCF))
    assert now[one.from_account] == before[one.from_account] + one.pence
    assert sum(now.values()) == 0
    page = demo.get(address).text
    assert "was reversed" in page
    assert "Reverse this entry" not in page
    second = demo.submit(f"{address}/reverse", day | {"note": "Again"})
    assert second.status_code == 400
    assert "reversed already" in second.text


def test_what_the_quarters_earned_is_posted_as_it_was_seen_and_once(demo: Client) -> None:
    demo.sign_in("programme office")
    page = demo.get(f"{BASE}/payments").text
    found = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert found is not None
    assert "Post" not in demo.sign_in("viewer").get(f"{BASE}/payments").text
    demo.sign_in("programme office")
    before = len(demo.store.list(Entry, BCF))
    unseen = demo.submit(f"{BASE}/payments/post", {"seen": "0" * 16})
    assert unseen.status_code == 409
    assert len(demo.store.list(Entry, BCF)) == before
    assert demo.submit(f"{BASE}/payments/post", {"seen": found[1]}).status_code == 303
    posted = demo.store.list(Entry, BCF)
    assert len(posted) > before
    new = [one for one in posted if one.because == "payment:2015/16 Q3"]
    assert new
    assert all(one.synthetic for one in new)
    assert demo.submit(f"{BASE}/payments/post", {"seen": found[1]}).status_code == 409
    assert "Nothing: every quarter that is known and due is in the ledger" in demo.get(f"{BASE}/payments").text


def test_the_overspend_rule_is_worked_on_the_forecast_and_on_an_amount_to_try(demo: Client) -> None:
    demo.sign_in("viewer")
    fund = demo.deployment.assessment(BCF).fund("2015/16")
    said = _said(demo.get(f"{BASE}/overspend").text)
    assert f"In all {sterling(sum(forecast_overspends(fund).values()))}" in said
    tried = demo.get(f"{BASE}/overspend?pence=9,000,000&to_account=pool&share=fixed").text
    check_outline(tried)
    assert "In all £9,000,000" in _said(tried)
    assert 'value="fixed" selected' in tried
    for wrong, words in (
        ("pence=much", "an amount of money"),
        ("pence=-1", "more than 0"),
        ("pence=5&to_account=carried", "one of its schemes"),
    ):
        refused = demo.get(f"{BASE}/overspend?{wrong}")
        assert refused.status_code == 400
        assert words in refused.text


def test_carrying_the_rule_out_needs_a_decision_and_moves_what_was_seen(demo: Client) -> None:
    demo.sign_in("programme office")
    decision = demo.deployment.assessment(BCF).registers.decisions[0]
    form = {"pence": "1000", "to_account": "scheme:hdr1", "year": "2015/16"}
    page = demo.get(f"{BASE}/overspend?pence=1000&to_account=scheme:hdr1&year=2015/16").text
    seen = re.search(r'name="seen" value="([0-9a-f]+)"', page)
    assert seen is not None
    without = demo.submit(f"{BASE}/overspend/post", form | {"seen": seen[1]})
    assert without.status_code == 400
    assert "which decision" in without.text
    before = len(demo.store.list(Entry, BCF))
    sent = form | {"seen": seen[1], "because": f"decision:{decision.id}"}
    assert demo.submit(f"{BASE}/overspend/post", sent).status_code == 303
    made = [
        one for one in demo.store.list(Entry, BCF) if one.kind == "cover" and one.because == f"decision:{decision.id}"
    ]
    assert len(demo.store.list(Entry, BCF)) > before
    assert sum(one.pence for one in made) == 100000
    assert {one.to_account for one in made} == {"scheme:hdr1"}


def test_the_risk_sharing_cases_are_worked_with_what_a_reader_varies(demo: Client) -> None:
    demo.sign_in("viewer")
    usual = _said(demo.get(f"{BASE}/sharing").text)
    for case in "abcde":
        assert f"({case})" in usual
    assert usual.count("Not settled:") == 5
    varied = demo.get(f"{BASE}/sharing?exempt=2015-04-01&exempt=2015-05-01&more=25&avoided=1,911&demand=0")
    assert varied.status_code == 200
    assert "April 2015, May 2015 left out" in _said(varied.text)
    assert "25% above budget" in _said(varied.text)
    for wrong in ("more=lots", "exempt=May", "exempt=1999-01-01", "more=101"):
        assert demo.get(f"{BASE}/sharing?{wrong}").status_code == 400


def test_what_is_claimed_in_two_places_names_both(demo: Client) -> None:
    said = _said(demo.sign_in("viewer").get(f"{BASE}/claimed-twice").text)
    assert "may be counted twice" in said
    assert said.count("And here") >= 2


def test_a_year_is_opened_once_from_the_plans_contributions(client: Client) -> None:
    client.sign_in("viewer")
    assert "Open the ledger" not in client.get(BASE).text
    client.sign_in("programme office")
    assert "Open the ledger of 2015/16" in client.get(BASE).text
    assert client.submit(f"{BASE}/open", {"year": "2015/16"}).status_code == 303
    entries = client.store.list(Entry, BCF)
    assert sum(balances(entries).values()) == 0
    assert entries
    assert client.submit(f"{BASE}/open", {"year": "2015/16"}).status_code == 409
    assert client.submit(f"{BASE}/open", {"year": "1999/00"}).status_code == 400
    assert "no spend has been entered yet" in client.get(f"{BASE}?year=2015/16").text
    for page in PAGES:
        assert client.get(f"{BASE}{page}").status_code == 200


def test_an_amount_is_asked_for_in_pounds(demo: Client) -> None:
    form = demo.sign_in("programme office").get(f"{BASE}/ledger/new").text
    assert "Pounds and pence" in form
    assert not re.search(r">\s*Pence\s*<", form)
