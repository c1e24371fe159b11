"""The report in a browser, from a file: nothing fetched, nothing wider than the screen, everything named and reached by keyboard."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import pytest

from bettercare import Plan, demo, run
from bettercare.assurance import assess
from bettercare.reports import write_html
from bettercare.reports.published import WRITERS, make
from bettercare.store import Store
from browsing import WIDTHS, barriers, checker, listen, needs_chromium, too_wide

pytestmark = needs_chromium


@pytest.fixture(scope="module", params=["llr-stp-2016", "leicestershire-bcf-2014", "monthly", "board"])
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model report of each shipped plan, the first with a scenario beside it; a programme report and a Board's."""
    if request.param in ("monthly", "board"):
        return programme(request.param, tmp_path_factory.mktemp("report"))
    plan = Plan.read(request.param)
    scenarios = list(plan.scenarios)[:1]
    result, others = run(plan, runs=100), [run(plan, runs=100, scenarios=[name]) for name in scenarios]
    return write_html(result, tmp_path_factory.mktemp("report") / f"{plan.id}.html", comparisons=others)


def programme(kind: Literal["monthly", "board"], folder: Path) -> Path:
    """A report made from the demonstration data."""
    store = Store.open(folder / "demo.db")
    demo.fill(store)
    assessment = assess(store, Plan.read("leicestershire-bcf-2014" if kind == "monthly" else "llr-stp-2016"))
    made = make(assessment, kind, "" if kind == "monthly" else "leicestershire-hwb")
    (folder / f"{kind}.html").write_bytes(WRITERS["html"](made))
    store.close()
    return folder / f"{kind}.html"


@pytest.fixture(params=list(WIDTHS))
def page(request: pytest.FixtureRequest, browser: Any, report: Path) -> Iterator[Any]:
    """The report at one width, with what it asked for and what it complained of."""
    context = browser.new_context(viewport={"width": WIDTHS[request.param], "height": 844})
    opened = listen(context.new_page())
    opened.goto(report.as_uri())
    yield opened
    context.close()


def open_all(page: Any) -> None:
    page.eval_on_selector_all("details", "all => all.forEach(one => { one.open = true; })")


def test_nothing_is_fetched_and_nothing_goes_wrong(page: Any, report: Path) -> None:
    open_all(page)
    page.wait_for_timeout(100)
    assert [url for url in page.asked if not url.startswith("data:")] == [report.as_uri()]
    assert page.complaints == []


@pytest.mark.parametrize("opened", [False, True])
def test_nothing_is_wider_than_the_screen(page: Any, opened: bool) -> None:
    if opened:
        open_all(page)
    assert too_wide(page) == []


def test_the_first_screen_has_the_verdict_and_the_figures(page: Any) -> None:
    for selector in (".verdict", ".cards div:first-child"):
        box = page.locator(selector).first.bounding_box()
        assert box["y"] + box["height"] <= 844


def test_one_drawing_of_each_chart_is_shown_and_its_words_are_legible(page: Any) -> None:
    charts = page.evaluate(
        """() => [...document.querySelectorAll('figure.charted')].map(figure => {
            const shown = [...figure.querySelectorAll('svg')].filter(svg => svg.getClientRects().length);
            const scale = shown[0].getBoundingClientRect().width / shown[0].viewBox.baseVal.width;
            const sizes = [...shown[0].querySelectorAll('text')].map(text => parseFloat(getComputedStyle(text).fontSize) * scale);
            return {id: figure.id, shown: shown.length, name: shown[0].getAttribute('aria-label'), least: Math.min(...sizes)};
        })"""
    )
    assert charts
    for chart in charts:
        assert chart["shown"] == 1, chart
        assert chart["name"], chart
        assert chart["least"] >= 9.5, chart


def test_words_in_charts_do_not_run_into_each_other(page: Any) -> None:
    """Measured as the browser sets them: label, figures and marks of one line of a chart keep apart."""
    clashes = page.evaluate(
        """() => {
            const found = [];
            for (const svg of document.querySelectorAll('figure svg')) {
                if (!svg.getClientRects().length) continue;
                const boxes = [...svg.querySelectorAll('text')].map(text => ({words: text.textContent, box: text.getBoundingClientRect()}));
                for (let i = 0; i < boxes.length; i++) for (let j = i + 1; j < boxes.length; j++) {
                    const [a, b] = [boxes[i].box, boxes[j].box];
                    const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                    const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                    if (across > 2 && down > 6) found.push([svg.closest('figure').id, boxes[i].words, boxes[j].words]);
                }
            }
            return found;
        }"""
    )
    assert clashes == []


def test_headings_are_in_order_and_parts_are_named(page: Any) -> None:
    levels = page.eval_on_selector_all("h1, h2, h3, h4", "all => all.map(one => Number(one.tagName[1]))")
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert (
        page.locator("main").count() == page.locator("header").count() == page.locator("nav[aria-label]").count() == 1
    )
    assert page.locator("html").get_attribute("lang") == "en-GB"
    assert page.eval_on_selector_all(
        "table",
        "all => all.every(one => one.caption && one.querySelector('th[scope=col]') && one.querySelector('th[scope=row]'))",
    )


def test_the_keyboard_goes_everywhere(page: Any) -> None:
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    for _ in range(12):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "SUMMARY":
            break
    folded = "document.activeElement.parentElement"
    assert page.evaluate(f"{folded}.tagName") == "DETAILS"
    page.keyboard.press("Enter")
    assert page.evaluate(f"{folded}.open")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "scroll"


def test_every_section_can_be_reached_from_the_first(page: Any) -> None:
    for link in page.locator("nav a").all():
        name = str(link.get_attribute("href"))
        link.click()
        assert page.evaluate("location.hash") == name
        box = page.locator(name).bounding_box()
        assert box["y"] < 844


def test_an_independent_checker_finds_nothing(page: Any, browser: Any, report: Path) -> None:
    axe = checker()
    # The page's own policy lets no script in, the checker's included.
    context = browser.new_context(viewport=page.viewport_size, bypass_csp=True)
    opened = context.new_page()
    opened.goto(report.as_uri())
    # Every folded table is made alike, and the checker is slow on thousands of cells.
    opened.eval_on_selector_all("details", "all => all.slice(0, 6).forEach(one => { one.open = true; })")
    found = barriers(opened, axe)
    context.close()
    assert found == []


def test_it_prints_on_paper(browser: Any, report: Path) -> None:
    context = browser.new_context(viewport={"width": 690, "height": 1000})
    opened = context.new_page()
    opened.emulate_media(media="print")
    opened.goto(report.as_uri())
    assert not opened.locator("nav").is_visible()
    assert opened.locator(".charted .wide").first.is_visible()
    assert opened.pdf(format="A4")[:5] == b"%PDF-"
    context.close()


PICTURES = {"report-1280": (1280, ""), "report-390": (390, ""), "gap-bridge": (1280, "#gap-bridge .wide"), "bed-bridge": (1280, "#beds-uhl .wide"),
            "tornado": (1280, "#tornado-gap .wide")}  # fmt: skip


def test_pictures_of_the_documents_can_be_taken(browser: Any, tmp_path: Path) -> None:
    """``BETTERCARE_PICTURES=docs/pictures pytest tests/browser -k pictures`` takes them again for the documents."""
    folder = Path(os.environ.get("BETTERCARE_PICTURES") or tmp_path)
    file = write_html(run("llr-stp-2016", runs=1000), tmp_path / "report.html")
    for name, (width, part) in PICTURES.items():
        context = browser.new_context(
            viewport={"width": width, "height": 960 if width > 1000 else 1400},
            device_scale_factor=1 if name == "report-1280" else 1.5,
        )
        opened = context.new_page()
        opened.goto(file.as_uri())
        taken = (opened.locator(part).first if part else opened).screenshot(path=folder / f"{name}.png")
        assert len(taken) < 300_000, name
        context.close()
