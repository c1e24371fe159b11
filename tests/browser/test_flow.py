"""Patient flow in a real browser: a first look comes by itself, scripts or none, and the pages are accessible at both widths."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from browsing import WIDTHS, barriers, checker, needs_chromium, too_wide

pytestmark = needs_chromium

BASE = "/plans/llr-stp-2016/flow"
FIRST_LOOK = 120_000
"""Milliseconds that it may take on a slow machine."""
PAGES = ("", "/run", "/stations/majors", "/compare", "/day", "/calibration", "/now", "/forecast", "/promises")


def test_a_first_look_comes_by_itself_and_leads_on(visit: Callable[..., Any]) -> None:
    page = visit("viewer")
    page.goto(BASE)
    # Whoever asks first sees how far it is; the page is then fetched anew by itself.
    page.get_by_text("Simulated, not measured").wait_for(timeout=FIRST_LOOK)
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
    axe = checker()
    page = visit("flow", width, bypass_csp=True)
    page.goto(BASE)
    page.get_by_text("Simulated, not measured").wait_for(timeout=FIRST_LOOK)
    report = page.get_by_role("link", name="The whole report of this run").get_attribute("href")
    wrong: list[str] = []
    for path in (*(BASE + path for path in PAGES), report):
        assert page.goto(path).status == 200
        wrong += too_wide(page) + barriers(page, axe)
    assert wrong + page.complaints == []


def test_pictures_of_the_documents_can_be_taken(visit: Callable[..., Any], tmp_path: Path) -> None:
    """``BETTERCARE_PICTURES=docs/pictures pytest tests/browser -k pictures`` takes it again for the documents."""
    folder = Path(os.environ.get("BETTERCARE_PICTURES") or tmp_path)
    page = visit("viewer")
    page.goto(BASE)
    page.get_by_text("Simulated, not measured").wait_for(timeout=FIRST_LOOK)
    page.set_viewport_size({"width": 1280, "height": 1500})
    assert len(page.screenshot(path=folder / "flow-1280.png")) < 700_000
