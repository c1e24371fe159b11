"""A browser, a server with the demonstration data, and pages signed in to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from bettercare.demo import PASSWORD
from bettercare.web.state import Deployment
from browsing import ARGUMENTS, CHROMIUM, listen
from served import serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Deployment]]:
    """Its address, and the deployment behind it."""
    with serving(tmp_path_factory.mktemp("served")) as served:
        yield served


@pytest.fixture
def visit(browser: Any, server: tuple[str, Deployment]) -> Iterator[Callable[..., Any]]:
    """Opens pages signed in as somebody; what pages asked for and complained of is kept."""
    opened: list[Any] = []

    def sign_in(user: str, width: int = 1280, **options: Any) -> Any:
        context = browser.new_context(viewport={"width": width, "height": 844}, base_url=server[0], **options)
        opened.append(context)
        page = listen(context.new_page())
        page.goto("/sign-in")
        page.get_by_label("User name").fill(user)
        page.get_by_label("Password", exact=True).fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/")
        return page

    yield sign_in
    for context in opened:
        context.close()
