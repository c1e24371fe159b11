"""What is off track, and what is being done about it."""

from __future__ import annotations

from urllib.parse import quote

from bettercare.assurance.judgement import AMBER_RUN
from demo_client import check_outline, demo
from web_client import BCF, Client, client

__all__ = ["client", "demo"]


def test_an_exception_says_since_when_why_which_schemes_and_what_is_done(demo: Client) -> None:
    text = demo.sign_in("editor").get(f"/plans/{BCF}/exceptions").text
    check_outline(text)
    assessment = demo.deployment.assessment(BCF)
    for exception in assessment.exceptions:
        assert f'id="{exception.metric}"' in text
        assert f"{exception.since:%B %Y}" in text
        for scheme in exception.schemes:
            assert f"/plans/{BCF}/schemes/{scheme}" in text
        for link in assessment.chain(f"exception:{exception.id}").after:
            if link.kind == "action":
                assert f"/plans/{BCF}/actions/{link.ref.partition(':')[2]}" in text


def test_an_action_may_be_added_with_what_it_is_about(demo: Client) -> None:
    [first, *_] = demo.deployment.assessment(BCF).exceptions
    address = f"/plans/{BCF}/actions/new?about={quote(f'exception:{first.id}', safe='')}"
    assert address in demo.sign_in("editor").get(f"/plans/{BCF}/exceptions").text
    assert address not in demo.sign_in("viewer").get(f"/plans/{BCF}/exceptions").text


def test_what_nobody_acts_on_is_counted(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/exceptions").text
    assert "Nothing is still being done about 3 of them." in text  # What was done about them is done.
    assert "3 exceptions: 2 off track, 1 getting worse." in text
    assert "No action, decision or question answers it yet." in text


def test_the_thresholds_are_printed(demo: Client) -> None:
    text = demo.sign_in("viewer").get(f"/plans/{BCF}/exceptions").text
    assert f"{AMBER_RUN} periods running" in text
    assert "20%" in text
    assert "assumed" in text


def test_nothing_off_track_is_said(client: Client) -> None:
    assert "Nothing is off track." in client.sign_in("viewer").get(f"/plans/{BCF}/exceptions").text
