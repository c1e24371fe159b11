"""The milestones' pages: the schedule, progress, and what a slip delays."""

from __future__ import annotations

import re
from html import unescape

import pytest

from bettercare.assurance.milestones import Progress
from demo_client import check_outline, demo
from web_client import BCF, LLR, Client, client

__all__ = ["client", "demo"]

LATE = "nhs-number"


def _said(text: str) -> str:
    return re.sub(r"\s+", " ", unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.mark.parametrize("plan", [BCF, LLR])
def test_the_schedule_shows_every_milestone_the_critical_path_and_what_is_late(demo: Client, plan: str) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{plan}/milestones").text
    check_outline(text)
    schedule = demo.deployment.assessment(plan).schedule
    said = _said(text)
    assert schedule.sentence in said
    assert len(re.findall(r'<tr id="', text)) == sum(one.done_on is None for one in schedule.milestones)
    every = demo.get(f"/plans/{plan}/milestones?status=all").text
    assert len(re.findall(r'<tr id="', every)) == len(schedule.milestones)
    path = re.findall(r'<a href="[^"]*/milestones/([^"]+)">', text.split('class="bc-path"')[1].split("</ol>")[0])
    assert tuple(path) == schedule.critical_path
    late = text.split('id="late"')[1].split("</section>")[0]
    assert re.findall(r'<a href="[^"]*/milestones/([^"]+)">', late) == [one.id for one in schedule.late[:8]]


def test_filters_leave_those_asked_for(demo: Client) -> None:
    demo.sign_in("viewer")
    schedule = demo.deployment.assessment(BCF).schedule
    text = demo.get(f"/plans/{BCF}/milestones?critical=yes&status=all").text
    assert set(re.findall(r'<tr id="([^"]+)"', text)) == set(schedule.critical_path)
    for address, count in re.findall(r'<a href="(\?[^"]*)"[^>]*>[^<(]+ \((\d+)\)</a>', text):
        shown = demo.get(f"/plans/{BCF}/milestones{unescape(address)}").text
        assert len(re.findall(r'<tr id="', shown)) == int(count), address
    assert "No milestone matches" in demo.get(f"/plans/{BCF}/milestones?status=none").text


def test_each_milestone_has_a_page(demo: Client) -> None:
    demo.sign_in("viewer")
    for one in demo.deployment.assessment(LLR).schedule.milestones[:6]:
        page = demo.get(f"/plans/{LLR}/milestones/{one.id}")
        assert page.status_code == 200
        check_outline(page.text)
        assert "Enter progress" not in page.text
    assert demo.get(f"/plans/{LLR}/milestones/none").status_code == 404


def test_progress_is_entered_and_the_new_rating_is_said(demo: Client) -> None:
    demo.sign_in("editor")
    base = f"/plans/{BCF}/milestones/{LATE}"
    version = demo.store.read(Progress, BCF, LATE).version
    form = demo.get(f"{base}/progress").text
    check_outline(form)
    assert f'name="version" value="{version}"' in form
    done = {
        "version": str(version),
        "done_on-day": "15",
        "done_on-month": "1",
        "done_on-year": "2016",
        "comments": "Done at last",
    }
    response = demo.submit(f"{base}/progress", done)
    assert response.headers["location"] == base
    text = _said(demo.get(base).text)
    assert "Progress is entered. The milestone is now done late." in text
    assert "Done at last" in text
    lost = demo.submit(f"{base}/progress", done | {"comments": "Not yet"})
    assert lost.status_code == 409
    assert "Not yet" in lost.text
    assert "Done at last" in lost.text
    assert demo.submit(f"{base}/progress", done | {"done_on-month": "13"}).status_code == 400


def test_of_two_who_enter_the_first_progress_at_once_one_is_told(client: Client) -> None:
    client.sign_in("editor")
    base = f"/plans/{BCF}/milestones/{LATE}"
    assert client.submit(f"{base}/progress", {"version": "0", "owner": "One"}).status_code == 303
    lost = client.submit(f"{base}/progress", {"version": "0", "owner": "Another"})
    assert lost.status_code == 409
    assert client.store.read(Progress, BCF, LATE).owner == "One"
    assert 'value="Another"' in lost.text
    assert client.submit(f"{base}/progress", {"version": "1", "owner": "Another"}).status_code == 303


def test_what_a_slip_delays_is_followed_down_to_the_model(demo: Client) -> None:
    demo.sign_in("viewer")
    base = f"/plans/{LLR}/milestones/urgent-start"
    text = demo.get(f"{base}/delays?days=400").text
    check_outline(text)
    said = _said(text)
    assert "400 days late" in said
    assert "Schemes put back" in said
    assert "What that does to the plan's benefits" in said
    assert "Saving" in said
    assert "The model counts in whole years" in said
    assert demo.get(f"{base}/delays").status_code == 200
    for wrong in ("many", "-5", "99999", "1.5"):
        refused = demo.get(f"{base}/delays?days={wrong}")
        assert refused.status_code == 400
        assert "There is a problem" in refused.text


def test_the_form_for_progress_names_the_milestone(demo: Client) -> None:
    one = demo.deployment.assessment(LLR).schedule.milestones[0]
    text = unescape(demo.sign_in("editor").get(f"/plans/{LLR}/milestones/{one.id}/progress").text)
    heading = re.search(r"<h1.*?</h1>", text, re.S)
    assert heading is not None
    assert one.milestone in heading[0]
    assert one.id not in heading[0]


def test_a_late_milestone_says_how_far_it_may_slip_as_a_range(demo: Client) -> None:
    late = next(one for one in demo.deployment.assessment(LLR).schedule.late if (one.float_days or 0) > 0 and one.slip)
    text = demo.sign_in("viewer").get(f"/plans/{LLR}/milestones/{late.id}").text
    assert "May slip further before it delays another" in text
    assert f"0 to {late.float_days} days" in text
