"""Patient flow in a real browser: a first look comes by itself, scripts or none, and the pages are accessible at both widths."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bettercare.demo import PASSWORD
from bettercare.web.state import Deployment
from browsing import WIDTHS, needs_chromium
from served import serving

pytestmark = needs_chromium

BASE = "/plans/llr-stp-2016/flow"
PAGES = ("", "/run", "/stations/majors", "/compare", "/day", "/calibration", "/now", "/forecast", "/promises")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Deployment]]:
    with serving(tmp_path_factory.mktemp("flow")) as served:
        yield served
        served[1].flow_jobs.close()


@pytest.fixture
def visit(browser: Any, server: tuple[str, Deployment]) -> Iterator[Callable[..., Any]]:
    """Opens pages signed in as somebody; what pages complained of is kept."""
    opened: list[Any] = []

    def sign_in(user: str, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 844}, base_url=server[0], **options)
        opened.append(context)
        page = context.new_page()
        page.set_default_timeout(120_000)
        page.complaints = []
        page.on(
            "console", lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else None
        )
        page.goto("/sign-in")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    yield sign_in
    for context in opened:
        context.close()


def test_a_first_look_comes_by_itself_and_leads_on(visit: Callable[..., Any]) -> None:
    page = visit("viewer")
    page.goto(BASE)
    # Whoever asks first sees how far it is; the page is then fetched anew by itself.
    page.get_by_text("Simulated, not measured").wait_for()
    assert page.locator(".bc-tile").count() >= 3
    assert page.locator("main svg:visible").count() >= 1
    page.get_by_role("link", name="Majors", exact=True).click()
    page.get_by_role("heading", name="A week of hours").wait_for()
    page.goto(f"{BASE}/day")
    page.get_by_role("link", name="The hour after").click()
    page.get_by_role("heading", name="In figures, at 13:00").wait_for()
    assert page.complaints == []


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_the_pages_of_flow_are_accessible(visit: Callable[..., Any], width: int) -> None:
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="skipped: needs axe-playwright-python"
    ).Axe()
    page = visit("flow", width, bypass_csp=True)
    page.goto(BASE)
    page.get_by_text("Simulated, not measured").wait_for()
    report = page.get_by_role("link", name="The whole report of this run").get_attribute("href")
    wrong: list[str] = []
    for path in (*(BASE + path for path in PAGES), report):
        assert page.goto(path).status == 200
        across = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        if across[0] > across[1]:
            wrong.append(f"{path}: {across[0]} wide on a screen of {across[1]}")
        wrong += [
            f"{path}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in axe.run(page).response["violations"]
        ]
    assert wrong + page.complaints == []


def test_pictures_of_the_documents_can_be_taken(visit: Callable[..., Any], tmp_path: Path) -> None:
    """``BETTERCARE_PICTURES=docs/pictures pytest tests/browser -k pictures`` takes it again for the documents."""
    folder = Path(os.environ.get("BETTERCARE_PICTURES") or tmp_path)
    page = visit("viewer")
    page.goto(BASE)
    page.get_by_text("Simulated, not measured").wait_for()
    page.set_viewport_size({"width": 1280, "height": 1500})
    assert len(page.screenshot(path=folder / "flow-1280.png")) < 700_000
