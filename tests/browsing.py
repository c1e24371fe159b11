"""Chromium, for tests that look at pages as a person would."""

from __future__ import annotations

import importlib.util
import os
import shutil
from typing import Any

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
WIDTHS = {"desk": 1280, "telephone": 390}

# Where it must run (BETTERCARE_CI) a missing browser is a failure, not a reason to skip.
needs_chromium = pytest.mark.skipif(
    not os.environ.get("BETTERCARE_CI") and (not CHROMIUM or importlib.util.find_spec("playwright") is None),
    reason="skipped: needs Chromium",
)


def listen(page: Any) -> Any:
    """The same page; what it asks for and complains of is kept as ``asked`` and ``complaints``."""
    page.asked, page.complaints = [], []
    page.on("request", lambda asked: page.asked.append(asked.url))
    page.on("console", lambda said: page.complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    return page


def checker() -> Any:
    """What finds barriers on a page; the test is skipped where it is not installed."""
    reason = "skipped: needs axe-playwright-python"
    return pytest.importorskip("axe_playwright_python.sync_playwright", reason=reason).Axe()


def too_wide(page: Any) -> list[str]:
    """A sentence when the page is wider than the screen."""
    wide, screen = page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    return [f"{page.url}: {wide} wide on a screen of {screen}"] if wide > screen else []


def barriers(page: Any, axe: Any) -> list[str]:
    """A line for each kind of barrier that the checker finds on a page."""
    return [f"{page.url}: {one['id']}: {one['nodes'][0]['html'][:200]}" for one in axe.run(page).response["violations"]]
