"""The board round in a real browser: a press marks one row in place, without scripts too, and the pages are accessible at both widths."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bettercare.care.bed_days import BedDay
from bettercare.care.stays import Stay, book, present
from bettercare.web.state import Deployment
from browsing import WIDTHS, barriers, checker, needs_chromium, too_wide

pytestmark = needs_chromium

PLAN = "llr-stp-2016"


def _open_round(deployment: Deployment) -> list[Stay]:
    """Stays of one unit that nothing is marked on today."""
    marked = {day.stay for day in deployment.store.list(BedDay, book(PLAN)) if day.id.endswith("2017-10-31")}
    open_now = [stay for stay in present(deployment.store, PLAN) if stay.id not in marked]
    return [stay for stay in open_now if stay.station == open_now[-1].station]


def _today(deployment: Deployment, stay: Stay) -> BedDay:
    return deployment.store.read(BedDay, book(PLAN), f"{stay.id}@2017-10-31")


def test_a_press_marks_one_row_in_place(visit: Callable[..., Any], server: tuple[str, Deployment]) -> None:
    one, two, *_ = _open_round(server[1])
    page = visit("ward")
    page.goto(f"/plans/{PLAN}/wards/{one.station}")
    page.evaluate("window.same = true")
    row = page.locator(f"#stay-{one.id}")
    before = page.locator("#safer").inner_text()
    row.get_by_role("button", name="Senior review done").click()
    row.get_by_text("Reviewed 11:00").wait_for()
    row.get_by_role("button", name="Green").click()
    page.locator(f"#stay-{one.id}.bc-patient--green").wait_for()
    assert page.locator("#safer").inner_text() != before
    assert one.pseudonym in page.locator("#said").inner_text()
    row.locator("summary", has_text="Red, for").click()
    row.get_by_role("button", name="Transport").click()
    row.get_by_text("Red: transport").wait_for()
    assert _today(server[1], one).reason == "transport"
    # Refused in words, on the row.
    row.locator("summary", has_text="Other reason").click()
    row.get_by_role("button", name="Another reason").click()
    row.get_by_text("needs a note").wait_for()
    row.locator("summary", has_text="Change").click()
    row.get_by_label("Expected date").fill("2017-11-03")
    row.get_by_role("button", name="Save the plan").click()
    row.get_by_text("3 November, in 3 days").wait_for()
    count = page.locator(".bc-patient").count()
    other = page.locator(f"#stay-{two.id}")
    other.locator("summary", has_text="Change").click()
    other.get_by_role("button", name="Left the ward").click()
    other.get_by_text("left at 11:00").wait_for()
    assert f"{count - 1} patients" in page.locator("#patients").inner_text()
    assert page.evaluate("window.same") is True, "the page was never loaded anew"
    assert [said for said in page.complaints if "400" not in said] == []


def test_a_round_works_without_scripts(visit: Callable[..., Any], server: tuple[str, Deployment]) -> None:
    one = _open_round(server[1])[2]
    page = visit("ward", java_script_enabled=False)
    page.goto(f"/plans/{PLAN}/wards/{one.station}")
    page.locator(f"#stay-{one.id}").get_by_role("button", name="Senior review done").click()
    assert f"{one.pseudonym} was reviewed at 11:00" in page.locator("main").inner_text()
    row = page.locator(f"#stay-{one.id}")
    row.locator("summary", has_text="Red, for").click()
    row.get_by_role("button", name="Therapy").click()
    assert "Red: therapy" in page.locator(f"#stay-{one.id}").inner_text()


@pytest.mark.parametrize("width", WIDTHS.values(), ids=WIDTHS.keys())
def test_the_wards_pages_are_accessible(visit: Callable[..., Any], server: tuple[str, Deployment], width: int) -> None:
    axe = checker()
    one = present(server[1].store, PLAN)[-1]
    page = visit("flow", width, bypass_csp=True)
    wrong: list[str] = []
    for path in (
        "wards",
        f"wards/{one.station}",
        f"wards/{one.station}/new",
        f"stays/{one.id}",
        "stays/import",
        "stays/readings",
    ):
        assert page.goto(f"/plans/{PLAN}/{path}").status == 200
        for summary in page.locator(".bc-patient summary").all()[:2]:
            summary.click()
        wrong += too_wide(page) + barriers(page, axe)
    assert wrong + page.complaints == []
