"""The chain on pages: both directions from anything, by links alone."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import quote

from bettercare.assurance.chain import refs
from bettercare.web.render import environment
from demo_client import check_outline, demo
from web_client import BCF, Client

__all__ = ["demo"]


def test_the_walk_is_the_chains_own_in_its_order(demo: Client) -> None:
    demo.sign_in("viewer")
    chain = demo.deployment.assessment(BCF).chain("rag:m4")
    text = demo.get(f"/plans/{BCF}/chain/rag:m4").text
    check_outline(text)
    walked = [unescape(ref) for ref in re.findall(rf'bc-chain__walk" href="/plans/{BCF}/chain/([^"]*)"', text)]
    assert walked == [quote(link.ref, safe="/") for link in (*chain.before, *chain.after)]


def test_one_can_walk_from_a_trajectory_to_the_ledger_and_back_by_links(demo: Client) -> None:
    demo.sign_in("viewer")
    for start, end in (("trajectory:m4", "entry"), ("entry", "trajectory:m4")):
        begin = next(ref for ref in refs(demo.deployment.assessment(BCF)) if ref == start or (start == "entry" and ref.startswith("entry:") and "m4" in str(demo.deployment.assessment(BCF).chain(ref).before)))  # fmt: skip
        text = demo.get(f"/plans/{BCF}/chain/{quote(begin)}").text
        assert f"/plans/{BCF}/chain/{quote(end)}" in text


def test_everything_that_may_be_named_has_a_walk(demo: Client) -> None:
    demo.sign_in("viewer")
    index = demo.get(f"/plans/{BCF}/chain").text
    check_outline(index)
    named = refs(demo.deployment.assessment(BCF))
    assert all(f"/chain/{quote(ref, safe='/')}" in unescape(index) for ref in named)
    kinds = {ref.partition(":")[0]: ref for ref in named}
    for ref in kinds.values():
        answer = demo.get(f"/plans/{BCF}/chain/{quote(ref)}")
        assert answer.status_code == 200, ref
        check_outline(answer.text)


def test_there_is_no_chain_of_nothing(demo: Client) -> None:
    answer = demo.sign_in("viewer").get(f"/plans/{BCF}/chain/action:none-such")
    assert answer.status_code == 404
    assert "nothing called" in answer.text


def test_an_exception_whose_start_moved_is_still_found(demo: Client) -> None:
    answer = demo.sign_in("viewer").get(f"/plans/{BCF}/chain/exception:m4@2014-05-01")
    assert answer.status_code == 200
    assert "recorded as off track since 2014-05-01" in answer.text


def test_the_strip_shows_both_sides_the_nearest_first(demo: Client) -> None:
    chain = demo.deployment.assessment(BCF).chain("rag:m4")
    module = environment().get_template("_chain_strip.html.j2").module
    text = str(module.chain_strip(chain, BCF))  # type: ignore[attr-defined]
    before, after = text.split("What follows", 1)
    assert f"/plans/{BCF}/metrics/m4" in before
    assert f"/plans/{BCF}/exceptions#m4" in after
    assert f"/plans/{BCF}/chain/rag%3Am4" in text


def test_titles_of_users_are_escaped(demo: Client) -> None:
    from bettercare.assurance.actions import Action

    [exception, *_] = demo.deployment.assessment(BCF).exceptions
    with demo.store.change("test") as changing:
        changing.add(
            Action(
                plan=BCF,
                id="evil",
                action="<script>alert(1)</script>",
                officers="x",
                about=(f"exception:{exception.id}",),
            )
        )
    demo.sign_in("viewer")
    for page in ("exceptions", f"chain/exception:{exception.id}", f"metrics/{exception.metric}", "changes"):
        text = demo.get(f"/plans/{BCF}/{page}").text
        assert "<script>alert" not in text
        assert "&lt;script&gt;alert" in text


def test_every_link_leads_somewhere(demo: Client) -> None:
    demo.sign_in("programme office")
    led: dict[str, int] = {}
    for page in ("dashboard", "exceptions", "metrics/m4", "chain/rag:m4", "reports", "changes?kind=decisions"):
        for link in check_outline(demo.get(f"/plans/{BCF}/{page}").text).links:
            address = link.partition("#")[0]
            if address and address not in led:
                led[address] = demo.get(address).status_code
    assert {address: status for address, status in led.items() if status != 200} == {}
    assert len(led) > 80
