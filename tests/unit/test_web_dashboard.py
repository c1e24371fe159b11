"""The dashboard: everything on one page, filtered by links, made once for each state of the store."""

from __future__ import annotations

import re

import pytest

from bettercare.assurance.metrics import Actual
from bettercare.web.pages import dashboard
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client

__all__ = ["client", "demo"]


@pytest.mark.parametrize("plan", [BCF, LLR])
def test_milestones_metrics_and_money_stand_on_one_page(demo: Client, plan: str) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{plan}/dashboard").text
    check_outline(text)
    assessment = demo.deployment.assessment(plan)
    for judgement in assessment.judgements.values():
        assert f"/plans/{plan}/metrics/{judgement.metric.id}" in text
    for milestone in assessment.schedule.late[:8]:
        assert milestone.reason.split(":")[0] in text.replace("&#34;", '"').replace("&#39;", "'")
    assert ("spent" in text) == bool(assessment.years)


def test_a_rating_is_a_word_and_a_shape_and_the_reason_is_given(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/dashboard").text
    row = re.search(r'<th scope="row"><a href="/plans/[^"]*/metrics/m3">.*?</tr>', text, re.S)
    assert row is not None
    assert re.search(r"bc-rag--red.*<svg.*</svg></span>Red</span>", row[0], re.S)
    assert "364.21" in row[0]
    assert "December 2015" in row[0]
    assert "351.90" in row[0]
    assert 'aria-label="Improvement' in row[0]
    assert "Red, but improving" in row[0]
    assert "chance of meeting 350.48" in row[0]


def test_green_but_deteriorating_is_said(demo: Client) -> None:
    assert "Green, but deteriorating" in demo.sign_in("viewer").get(f"/plans/{BCF}/dashboard").text


def test_what_is_off_track_says_since_when(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/dashboard").text
    for exception in demo.deployment.assessment(BCF).exceptions:
        assert f"{exception.since:%B %Y}" in text


def test_filters_are_links_and_their_counts_are_of_what_they_show(demo: Client) -> None:
    demo.sign_in("viewer")
    text = demo.get(f"/plans/{BCF}/dashboard").text
    choices = re.findall(r'href="(/plans/[^"]*dashboard[^"]*)#metrics"[^>]*>([^<(]+) \((\d+)\)</a>', text)
    assert {words for _, words, _ in choices} >= {
        "All",
        "Red",
        "Amber",
        "Green",
        "Not rated",
        "Integrated Urgent Response",
    }
    for address, _, count in choices:
        shown = demo.get(address.replace("&amp;", "&")).text
        assert len(re.findall(r'<td data-head="Latest">', shown)) == int(count)


def test_a_filter_that_is_not_known_shows_everything(demo: Client) -> None:
    answer = demo.sign_in("viewer").get(f"/plans/{BCF}/dashboard?rag=purple&theme=%22%3E%3Cscript%3E")
    assert answer.status_code == 200
    assert "<script>" not in answer.text.partition("<main")[2]
    assert len(re.findall(r'<td data-head="Latest">', answer.text)) == len(demo.deployment.assessment(BCF).judgements)


def test_a_plan_without_actuals_is_shown_as_such(client: Client) -> None:
    text = client.sign_in("viewer").get(f"/plans/{BCF}/dashboard").text
    check_outline(text)
    assert "No metric can be rated yet" in text
    assert "none yet" in text
    assert "Nothing is off track." in text


def test_the_body_is_made_once_for_each_state_of_the_store(demo: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    body = dashboard._body
    monkeypatch.setattr(dashboard, "_body", lambda *asked: made.append(asked) or body(*asked))
    demo.sign_in("viewer")
    first, _, _ = (demo.get(f"/plans/{BCF}/dashboard").text for _ in range(3))
    assert len(made) == 1
    last = demo.deployment.assessment(BCF).judgements["m3"].actuals[-1]
    with demo.store.change("test") as changing:
        changing.add(
            Actual(
                plan=BCF, id="m3@2015-12-01#2", metric="m3", period=last.period, value="399.99", revision=2, source="x"
            )
        )
    second = demo.get(f"/plans/{BCF}/dashboard").text
    assert len(made) == 2
    assert "399.99" in second
    assert "399.99" not in first


def test_the_cached_body_holds_nothing_of_the_visitor(demo: Client) -> None:
    demo.sign_in("programme office")
    demo.get(f"/plans/{BCF}/dashboard")
    secret = demo.csrf
    assert secret not in demo.sign_in("viewer").get(f"/plans/{BCF}/dashboard").text
