"""Reports on paper: tagged so that a screen reader can read them, inert whatever is in them, the same bytes each time."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import pikepdf
import pytest

from bettercare.errors import BettercareError
from bettercare.reports import typeface
from bettercare.reports.charts.icons import rating_icon
from bettercare.reports.charts.spc import spc
from bettercare.reports.exhibit import Chart, Column, Document, Exhibit, Headline, Section, Sign, Table
from bettercare.reports.pdf import pdf
from judged import judged

HOSTILE = (
    '#panic("x") *bold* $x$ @ref <label> `raw` \\ "quoted" // = Heading \u202e\u200b\x07 [x] #include "/etc/passwd"'
)


def document(words: str = "Metrics", picture: bool = True) -> Document:
    one = judged()
    chart = Chart(*(spc(one, width) for width in (820.0, 372.0)))
    rows = [
        {"name": f"{words} {i}", "value": 1000.5 * i, "sign": Sign(rating_icon("red"), "Red", "Red"), "why": words * 5}
        for i in range(80)
    ]  # fmt: skip
    columns = (
        Column("name", "Name"),
        Column("value", "Value", "money"),
        Column("sign", "Rating"),
        Column("why", words),
    )
    table = Table(columns, rows)
    exhibits = (
        Exhibit("picture", f"{words}: a chart.", table, chart if picture else None, words),
        Exhibit("short", "A table.", Table(columns, rows[:3]), rests_on=("a", "b")),
        Exhibit("long", "A long table.", table, folded=True),
        Exhibit("bare", "A table without rows.", Table(columns, [])),
    )
    return Document(
        title=f"Report on {words}", place=words, verdict=words, headlines=(Headline(words, "£1.2m", words),) * 4, sections=(Section("one", words, words, exhibits),),
        front=exhibits[:1], banner="Synthetic figures. All of it.", dated=date(2016, 1, 31), footer=(words, ""),
    )  # fmt: skip


@pytest.fixture(scope="module")
def made() -> bytes:
    return pdf(document())


@pytest.fixture(scope="module")
def book(made: bytes) -> Iterator[pikepdf.Pdf]:
    with pikepdf.open(io.BytesIO(made)) as opened:
        yield opened


def elements(node: Any) -> Iterator[Any]:
    """Every element of the structure tree."""
    if isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield node
    children = node.get("/K") if isinstance(node, pikepdf.Dictionary) else None
    for child in children if isinstance(children, pikepdf.Array) else [] if children is None else [children]:
        if isinstance(child, pikepdf.Dictionary):
            yield from elements(child)


def kinds(book: pikepdf.Pdf) -> list[str]:
    return [str(one["/S"]) for one in elements(book.Root.StructTreeRoot)]


def test_it_is_tagged_titled_and_in_british_english(book: pikepdf.Pdf) -> None:
    assert book.Root.MarkInfo.Marked
    assert str(book.Root.Lang) == "en-GB"
    assert book.Root.ViewerPreferences.DisplayDocTitle
    assert str(book.docinfo["/Title"]) == "Report on Metrics"
    with book.open_metadata() as metadata:
        assert metadata["pdfuaid:part"] == "1"
        assert metadata["dc:title"] == "Report on Metrics"


def test_every_picture_has_words(book: pikepdf.Pdf) -> None:
    figures = [one for one in elements(book.Root.StructTreeRoot) if one["/S"] == "/Figure"]
    assert len(figures) > 3
    assert all(str(one.get("/Alt", "")) for one in figures)
    assert {str(one["/Alt"]) for one in figures} == {"Metrics: a chart.", "Red"}


def test_every_table_has_heading_cells_and_headings_are_in_order(book: pikepdf.Pdf) -> None:
    found = kinds(book)
    tables = [one for one in elements(book.Root.StructTreeRoot) if one["/S"] == "/Table"]
    assert tables
    for table in tables:
        inside = [str(one["/S"]) for one in elements(table)]
        assert inside.count("/TH") == 4
        assert inside.count("/THead") == 1
    levels = [int(kind[2:]) for kind in found if kind.startswith("/H") and kind[2:].isdigit()]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_has_bookmarks_and_page_numbers(book: pikepdf.Pdf) -> None:
    with book.open_outline() as outline:
        titles = [one.title for one in outline.root]
    assert titles[0] == "In short"
    assert "Figures behind the charts" in titles
    assert len(book.pages) > 2


def test_the_same_document_gives_the_same_bytes(made: bytes) -> None:
    assert pdf(document()) == made
    assert b"D:20160131" in made


def test_only_its_own_typeface_is_used(book: pikepdf.Pdf) -> None:
    names = {str(font.BaseFont) for page in book.pages for font in page.resources.get("/Font", {}).values()}
    assert names
    assert all("Arimo" in name for name in names)


def test_words_cannot_become_markup() -> None:
    with pikepdf.open(io.BytesIO(pdf(document(HOSTILE)))) as opened:
        assert str(opened.docinfo["/Title"]).startswith('Report on #panic("x") *bold* $x$ @ref <label>')


def test_what_the_typeface_has_not_is_shown_as_a_square() -> None:
    assert typeface.printable("£3 − 4 → 5 ≥ é") == "£3 − 4 → 5 ≥ é"
    assert typeface.printable("漢 \U0001f600 \u202eab\x00c") == "□ □ abc"
    assert pdf(document("漢字 \U0001f600 שלום", picture=False))[:5] == b"%PDF-"


def test_a_missing_typeface_is_said_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bettercare.reports.typeface.resources.files", lambda _: tmp_path)
    with pytest.raises(BettercareError, match="typeface of documents on paper is missing"):
        typeface.folder()
