"""A client of the web application on a copy of the demonstration data, for tests of pages."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bettercare.demo import fill
from bettercare.store import Store
from bettercare.web.state import Deployment, Settings
from web_client import BCF, LLR, Client, plan


@cache
def filled() -> Path:
    """A store filled once for all tests of a process."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    store = Store.open(folder / "demo.db")
    fill(store)
    store.close()
    return folder / "demo.db"


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Client]:
    """Nobody is signed in yet; both shipped plans hold the demonstration data."""
    shutil.copy(filled(), tmp_path / "demo.db")
    store = Store.open(tmp_path / "demo.db")
    yield Client(Deployment(store, {name: plan(name) for name in (BCF, LLR)}, Settings(folder=tmp_path / "runs")))
    store.close()


class Outline(HTMLParser):
    """What a page is made of, as far as readers who cannot see it depend on it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.faults: list[str] = []
        self._table: dict[str, bool] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in ("h1", "h2", "h3", "h4"):
            level = int(tag[1])
            # A notice or a summary of faults stands above the page's own heading, as the design system has it.
            before = self.headings[-1] if self.headings else 1
            if level > before + 1:
                self.faults.append(f"{tag} after h{before}")
            self.headings.append(level)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a" and given.get("href"):
            self.links.append(str(given["href"]))
        if tag == "table":
            self._table = {"caption": False}
        if tag == "caption" and self._table is not None:
            self._table["caption"] = True
        if tag == "th" and not given.get("scope"):
            self.faults.append("th without scope")
        if tag in ("style", "script") and not given.get("src"):
            self.faults.append(f"inline {tag}")
        if "style" in given or any(name.startswith("on") for name in given):
            self.faults.append(f"{tag} with a style or a script of its own")

    def handle_endtag(self, tag: str) -> None:
        if tag == "table" and self._table is not None:
            if not self._table["caption"]:
                self.faults.append("table without caption")
            self._table = None


def check_outline(page: str) -> Outline:
    """Headings in order with one h1, tables with captions and scopes, ids once, nothing that the policy forbids."""
    found = Outline(page)
    assert found.faults == []
    assert found.headings.count(1) == 1
    assert len(found.ids) == len(set(found.ids)), sorted(id for id in found.ids if found.ids.count(id) > 1)
    return found
