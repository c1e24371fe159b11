"""The web application in a real browser: what a person does, end to end; every page accessible, at a desk and on a telephone."""

from __future__ import annotations

import hashlib
import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from bettercare.web.state import Deployment
from browsing import WIDTHS, barriers, checker, needs_chromium, too_wide
from served import PLANS

pytestmark = needs_chromium

FUND = "leicestershire-bcf-2014"
NOT_PAGES = re.compile(r"\.(xlsx|csv|pdf|json|html)$|/reports/[^/]+/(html|pdf|xlsx)$|^/static/|^/assets/|^/api/")


def test_an_actual_is_entered_and_the_rating_and_the_chart_follow(visit: Any, server: tuple[str, Deployment]) -> None:
    page = visit("editor")
    page.goto(f"/plans/{FUND}/metrics/m3")
    before = server[1].assessment(FUND).judgements["m3"]
    chart = page.locator("svg[aria-label]:visible").first.inner_html()
    page.get_by_role("button", name="Enter a figure").or_(page.get_by_role("link", name="Enter a figure")).click()
    page.get_by_label("Period").select_option("2015-12-01")
    page.get_by_label("Value").fill("340.5")
    page.get_by_label("Source").fill("Monthly return of delayed days")
    page.get_by_role("button", name="See its rating first").click()
    page.get_by_text("Not stored yet").wait_for()
    assert server[1].assessment(FUND).judgements["m3"].actuals == before.actuals
    page.get_by_role("button", name="Store the figure").click()
    page.wait_for_url("**/metrics/m3")
    after = server[1].assessment(FUND).judgements["m3"]
    assert (before.rag.status, after.rag.status) == ("red", "green")
    assert after.actuals[-1].revision == before.actuals[-1].revision + 1
    said = page.locator("main").inner_text()
    assert after.rag.reason in said
    assert "editor" in said
    assert page.locator("svg[aria-label]:visible").first.inner_html() != chart


def test_a_report_is_published_downloaded_and_stays_as_it_was(visit: Any, server: tuple[str, Deployment]) -> None:
    page = visit("office")
    page.goto(f"/plans/{FUND}/reports")
    page.get_by_role("button", name="Publish the monthly report").click()
    page.get_by_role("button", name="Publish and freeze it").click()
    page.get_by_text("it is as it was published").wait_for()
    address = page.url
    shown = page.locator(".bc-fingerprint").all_inner_texts()
    for file, start in (("pdf", b"%PDF-"), ("xlsx", b"PK")):
        with page.expect_download() as download:
            page.locator(f"main a[href$='/{file}']").click()
        content = Path(download.value.path()).read_bytes()
        assert content.startswith(start)
        assert hashlib.sha256(content).hexdigest() in shown
    page.goto(f"{address}/html")
    assert page.locator("h1").is_visible()
    page.goto(f"/plans/{FUND}/metrics/m6/actuals")
    page.get_by_label("Value").fill("150")
    page.get_by_label("Source").fill("Monthly return")
    page.get_by_role("button", name="Store the figure").click()
    page.wait_for_url("**/metrics/m6")
    page.goto(address)
    assert page.locator(".bc-fingerprint").all_inner_texts() == shown


def test_the_chain_is_walked_from_the_trajectory_to_the_fund_and_back(visit: Any) -> None:
    page = visit("viewer")
    page.goto(f"/plans/{FUND}/metrics/m4")
    page.get_by_role("link", name="Walk the whole chain").first.click()

    def kind() -> str:
        return unquote(urlsplit(page.url).path).rpartition("/chain/")[2].partition(":")[0]

    def side(heading: str) -> dict[str, str]:
        """Kind of each thing on one side of the chain, with where its link goes; the last of each kind."""
        links = page.locator(f"section[aria-labelledby={heading}] a.bc-chain__walk").evaluate_all(
            "all => all.map(one => one.getAttribute('href'))"
        )
        return {href.rpartition("/chain/")[2].partition(":")[0].partition("%")[0]: href for href in links}

    page.goto(side("before")["trajectory"])
    assert kind() == "trajectory"
    assert {"signal", "rag", "exception", "action", "decision", "payment", "entry"} <= set(side("after"))
    page.goto(side("after")["entry"])
    assert kind() == "entry"
    assert {"trajectory", "signal", "rag", "exception"} <= set(side("before"))
    page.goto(side("before")["trajectory"])
    assert kind() == "trajectory"


def test_who_may_not_change_is_not_asked_to(visit: Any) -> None:
    page = visit("viewer")
    page.goto(f"/plans/{FUND}/metrics/m3")
    assert page.locator("main form").count() == 0
    page.goto(f"/plans/{FUND}/risks")
    assert page.get_by_role("link", name=re.compile("^(Add|New)")).count() == 0
    assert page.goto(f"/plans/{FUND}/risks/new").status == 403


def test_the_loser_of_two_editors_is_told_and_keeps_the_text(visit: Any, server: tuple[str, Deployment]) -> None:
    from bettercare.assurance.risks import Risk

    risk = server[1].store.list(Risk, FUND)[0]
    first, second = visit("editor"), visit("office")
    for page in (first, second):
        page.goto(f"/plans/{FUND}/risks/{risk.id}/edit")
    for page, words in ((first, "Weekly calls with the trust"), (second, "A plan of the winter months")):
        page.locator("#mitigation").fill(words)
        page.get_by_role("button", name="Save").click()
        page.wait_for_load_state()
    said = second.locator("main").inner_text()
    assert "editor" in said
    assert "Weekly calls with the trust" in said
    assert second.locator("#mitigation").input_value() == "A plan of the winter months"
    assert server[1].store.read(Risk, FUND, risk.id).mitigation == "Weekly calls with the trust"


def _links(page: Any) -> list[str]:
    found = page.eval_on_selector_all("a[href]", "all => all.map(one => one.href)")
    own = urlsplit(page.url).netloc
    return [
        urlsplit(urldefrag(url)[0])._replace(scheme="", netloc="").geturl()
        for url in found
        if urlsplit(url).netloc == own
    ]


def _pattern(deployment: Deployment, path: str) -> str:
    """The shape of an address, so that each kind of page is looked at once."""
    path = urlsplit(path).path
    path = re.sub(r"/plans/[^/]+", "/plans/{plan}", path)
    return re.sub(
        r"(/(?:metrics|schemes|risks|actions|decisions|meetings|questions|milestones|reports|changes/[^/]+|ledger|users|agenda|declarations|jobs|runs|themes)/)(?!new|import|rules|template|preview)[^/]+",
        r"\1{id}",
        re.sub(r"/chain/.+", "/chain/{ref}", path),
    )


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
@pytest.mark.parametrize("plan", PLANS)
def test_every_page_is_accessible_and_complete(
    visit: Any, server: tuple[str, Deployment], plan: str, width: int
) -> None:
    """Every kind of page that links lead to: nothing found by axe, nothing wider than the screen, nothing asked of another host."""
    axe = checker()
    wrong: list[str] = []
    seen: set[str] = set()
    for user, starts in (("office", ["/", f"/plans/{plan}"]), ("admin", ["/users", "/account"])):
        page = visit(user, width, bypass_csp=True)  # the page's own policy lets no script in, the checker's included
        waiting = list(starts)
        while waiting:
            path = waiting.pop(0)
            pattern = _pattern(server[1], path)
            if pattern in seen or NOT_PAGES.search(urlsplit(path).path) or "sign-out" in path:
                continue
            if "/plans/" in path and f"/plans/{plan}" not in path:
                continue
            seen.add(pattern)
            answer = page.goto(path)
            if answer is None or answer.status != 200:
                wrong.append(f"{path}: {answer and answer.status}")
                continue
            wrong += too_wide(page)
            # The checker is slow on the long tables of the larger plan: it looks at those at one width, the kinds of page being the same.
            wrong += barriers(page, axe) if plan == FUND or width == WIDTHS["desk"] else []
            levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))")
            if levels.count(1) != 1 or any(after > before + 1 for before, after in pairwise(levels)):
                wrong.append(f"{path}: headings {levels}")
            waiting += _links(page)
        outside = [url for url in page.asked if not url.startswith((server[0], "data:"))]
        wrong += [f"asked for {url}" for url in outside] + [f"complained: {said}" for said in page.complaints]
    assert wrong == []
    assert len(seen) > 25, sorted(seen)


def test_pages_work_by_keyboard(visit: Any) -> None:
    page = visit("office")
    page.goto(f"/plans/{FUND}/dashboard")
    page.keyboard.press("Tab")
    assert "skip" in page.evaluate("document.activeElement.className")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") in ("maincontent", "main")
    reached = set()
    for _ in range(60):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.getAttribute('href') || document.activeElement.tagName"))
    assert any("/metrics/" in one for one in reached)


def test_it_works_without_scripts(visit: Any) -> None:
    page = visit("office", java_script_enabled=False)
    for path in ("dashboard", "metrics/m4", "budget", "milestones", "risks", "actions", "questions"):
        assert page.goto(f"/plans/{FUND}/{path}").status == 200
        assert page.locator("h1").is_visible()


PICTURES = {
    "dashboard-1280": (1280, "dashboard"),
    "metric-1280": (1280, "metrics/m6"),
}


def test_pictures_of_the_documents_can_be_taken(visit: Any, tmp_path: Path) -> None:
    """``BETTERCARE_PICTURES=docs/pictures pytest tests/browser -k pictures`` takes them again for the documents."""
    folder = Path(os.environ.get("BETTERCARE_PICTURES") or tmp_path)
    for name, (width, path) in PICTURES.items():
        page = visit("viewer", width)
        page.goto(f"/plans/{FUND}/{path}")
        height = 1400 if width > 1000 else 1500
        page.set_viewport_size({"width": width, "height": height})
        assert len(page.screenshot(path=folder / f"{name}.png")) < 500_000
