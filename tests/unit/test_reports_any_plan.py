"""Whatever the plan holds, the report is whole: well-formed, every figure named, nothing fetched, and a workbook that reads back."""

from __future__ import annotations

import io
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import openpyxl
import pytest
from hypothesis import given, settings
from rich.console import Console

from bettercare.model.result import Result
from bettercare.model.run import run
from bettercare.plan import Plan
from bettercare.reports import compare_table, summary, write_html, write_workbook
from bettercare.reports.model_report import model_report
from bettercare.reports.page import html as page_of
from small_plan import ORDINARY, small_plan, small_plans


def html(result: Result, comparisons: Sequence[Result] = ()) -> str:
    return page_of(model_report(result, comparisons))


_VOID = {"meta", "link", "br", "hr", "img", "input"}


class Page(HTMLParser):
    """A page read the strict way: every element closed in turn, ids once, links that lead somewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[int] = []
        self.pictures: list[dict[str, str | None]] = []
        self.outside: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag not in _VOID:
            self.open.append(tag)
        if given.get("id"):
            self.ids.append(str(given["id"]))
        if tag == "a":
            self.links.append(str(given["href"]))
        if tag in ("h1", "h2", "h3", "h4"):
            self.headings.append(int(tag[1]))
        if tag == "svg":
            self.pictures.append(given)
        if tag == "script":
            self.outside.append("script")
        self.outside += [
            str(value) for name, value in attrs if name in ("src", "href", "srcset") and "://" in str(value)
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def sound(text: str) -> Page:
    page = Page(text)
    assert page.outside == []
    assert len(page.ids) == len(set(page.ids))
    assert {link.removeprefix("#") for link in page.links} <= set(page.ids)
    assert page.headings[0] == 1
    assert all(after <= before + 1 for before, after in zip(page.headings, page.headings[1:], strict=False))
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in page.pictures)
    assert "nan" not in text.lower().replace("finan", "").replace("mainten", "").replace("nance", "").split()
    return page


def pictures(text: str) -> list[ElementTree.Element]:
    """Every chart of a page, read as XML."""
    return [ElementTree.fromstring("<svg" + part.partition("</svg>")[0] + "</svg>") for part in text.split("<svg")[1:]]


def printed(result: Result, width: int = 100) -> str:
    """The summary as the terminal shows it."""
    console = Console(width=width, file=io.StringIO())
    for part in summary(result):
        console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@settings(max_examples=20)
@given(small_plans())
def test_any_plan_has_a_report(tables_and_schemes: tuple[Any, Any]) -> None:
    tables, schemes = tables_and_schemes
    for runs in (0, 30):
        result = run(small_plan(tables, schemes), runs=runs)
        text = html(result)
        sound(text)
        pictures(text)
        assert printed(result)


@pytest.fixture(scope="module")
def bare() -> Result:
    """A plan of organisations and nothing else."""
    return run(small_plan(), runs=10)


def test_a_plan_of_nothing_says_so(bare: Result, tmp_path: Path) -> None:
    text = html(bare)
    sound(text)
    assert "states no money" in text
    assert "The plan has no schemes." in text
    assert "As published the plan changes nothing that can be counted." in text
    assert not pictures(text)
    write_workbook(bare, tmp_path / "bare.xlsx")
    assert "Summary" in openpyxl.load_workbook(tmp_path / "bare.xlsx").sheetnames


def test_a_plan_without_capital_or_beds_leaves_them_out() -> None:
    tables = {"spend": ORDINARY["spend"], "growth": [row for row in ORDINARY["growth"] if "pod" not in row]}
    text = html(run(small_plan(tables), runs=20))
    page = sound(text)
    assert "capital" not in page.ids
    assert "beds" not in page.ids
    assert "gap" in page.ids


def test_without_runs_nothing_is_said_of_uncertainty() -> None:
    text = html(run(small_plan(ORDINARY, [saving("s1")])))
    assert "no runs" in text
    assert "Run with runs=1000" in text
    assert "Expected</th>" not in text


def saving(name: str, /, **more: Any) -> dict[str, Any]:
    effect = {"id": "e", "kind": "save", "organisation": "acute", "unit": "GBP m", "size": 10}
    return {"id": name, "delivery": "hopeful", "effects": [effect], **more}


HOSTILE = '</style><script>alert("x")</script> & \'"><svg onload=1> =HYPERLINK("x") \u202e'


def hostile() -> Plan:
    """A plan whose every name tries to break out of where it is set."""
    tables = {
        **ORDINARY,
        "themes": [{"id": "one", "name": HOSTILE}],
        "risks": [{"id": "r", "risk": "=1+1", "source": "paper"}],
    }
    tables["sources"] = [{"id": "paper", "title": HOSTILE}]
    tables["organisations"] = [
        {"id": "acute", "name": HOSTILE},
        {"id": "community", "kind": "community-mental-health-provider"},
        {"id": "council", "kind": "local-authority", "sector": "social-care"},
    ]
    return small_plan(tables, [saving("s1", name=HOSTILE, owner=HOSTILE, evidence=HOSTILE)])


def test_names_cannot_break_out_of_the_page() -> None:
    text = html(run(hostile(), runs=20))
    sound(text)
    assert "<script" not in text
    assert "onload=1>" not in text
    assert pictures(text)


def test_names_cannot_become_formulas(tmp_path: Path) -> None:
    write_workbook(run(hostile(), runs=20), tmp_path / "book.xlsx")
    book = openpyxl.load_workbook(tmp_path / "book.xlsx")
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
    assert not [cell.value for cell in cells if cell.data_type == "f"]
    assert "=1+1" in [cell.value for cell in cells]


def test_the_synthetic_say_so(tmp_path: Path) -> None:
    plan = small_plan(ORDINARY)
    invented = Plan({**plan.header, "synthetic": "yes"}, plan.tables)
    result = run(invented, runs=10)
    assert "Synthetic plan." in html(result)
    assert "Synthetic plan." not in html(run(plan, runs=10))
    assert printed(result).startswith("Synthetic")
    write_workbook(result, tmp_path / "book.xlsx")
    assert "Synthetic" in str(openpyxl.load_workbook(tmp_path / "book.xlsx")["Summary"]["A1"].value)


def test_scenarios_of_another_plan_are_refused(tmp_path: Path) -> None:
    from bettercare.errors import BettercareError

    one = run(small_plan(ORDINARY), runs=10)
    other = run(Plan({**one.plan.header, "id": "other"}, one.plan.tables), runs=10)
    with pytest.raises(BettercareError, match="other cannot be set beside example"):
        write_html(one, tmp_path / "page.html", comparisons=[other])
    assert not list(tmp_path.iterdir())


def test_results_with_and_without_runs_compare() -> None:
    one, other = run(small_plan(ORDINARY), runs=10), run(small_plan(ORDINARY), runs=0)
    assert compare_table([one, other]).row_count == 2
    sound(html(one, [other]))
