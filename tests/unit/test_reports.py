"""The report on the shipped plans: its figures are the run's, its page and its workbook say the same, and it is written whole or not at all."""

from __future__ import annotations

import io
import re
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from rich.console import Console

from bettercare import BettercareError, Result, run
from bettercare.reports import compare_table, summary, write_html, write_workbook
from bettercare.reports.files import written
from bettercare.reports.model_report import model_report
from bettercare.reports.page import html as page_of
from bettercare.reports.sections import sections
from bettercare.reports.sections.verdict import headlines, sentence_of

LLR, BCF = "llr-stp-2016", "leicestershire-bcf-2014"


def html(result: Result) -> str:
    return page_of(model_report(result))


@pytest.fixture(scope="module")
def llr() -> Result:
    return run(LLR, runs=200)


@pytest.fixture(scope="module")
def bcf() -> Result:
    return run(BCF, runs=200)


@pytest.fixture(scope="module")
def page(llr: Result) -> str:
    return html(llr)


@pytest.fixture(scope="module")
def book(llr: Result, tmp_path_factory: pytest.TempPathFactory) -> openpyxl.Workbook:
    path = write_workbook(llr, tmp_path_factory.mktemp("book") / "results.xlsx")
    return openpyxl.load_workbook(path)


def shown(part: object, width: int) -> str:
    console = Console(width=width, file=io.StringIO())
    console.print(part)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def rows_of(book: openpyxl.Workbook, sheet: str) -> list[dict[str, object]]:
    """A sheet read back: headings on the fourth row."""
    values = list(book[sheet].values)
    return [dict(zip(values[3], row, strict=True)) for row in values[4:]]


def test_the_verdict_says_what_the_run_says(llr: Result) -> None:
    said = sentence_of(llr)
    assert said.startswith(
        "As published the plan closes the £399.3m gap of 2020/21 with £11.2m to spare; run 200 times"
    )
    assert f"it balances in {100 * llr.probability('gap', at_most=0):.0f}% of runs" in said


def test_a_pooled_fund_is_judged_by_the_admissions_it_avoids(bcf: Result) -> None:
    assert "avoids 1,911 non-elective admissions" in sentence_of(bcf)
    titles = [head.title for head in headlines(bcf, None)]
    assert titles == [
        "Investment in 2015/16",
        "Non-elective admissions avoided",
        "Chance of avoiding as many as planned",
    ]


def test_the_headlines(llr: Result) -> None:
    found = {head.title: head.value for head in headlines(llr, sections(llr)[1].verdicts)}
    assert found["Gap in 2020/21"] == "£399.3m → −£11.2m"
    assert found["Beds, University Hospitals of Leicester NHS Trust"] == "1,940 → 1,697"
    assert found["Staff (WTE), NHS providers together"] == "19,805 → 18,303"
    assert found["Capital"] == "£349.9m"
    assert int(found["Claims that do not add up"]) > 0


def test_a_scenario_is_named(llr: Result) -> None:
    name = next(iter(llr.plan.scenarios))
    late = run(LLR, runs=50, scenarios=[name])
    text = html(late)
    assert f"scenario: {late.scenarios[0].title}" in text
    assert f"Under {late.scenarios[0].title}." in text
    assert "without scenarios, is held against" in text


def test_every_section_the_issue_asks_for_is_there(page: str) -> None:
    for name in (
        "gap",
        "beds",
        "workforce",
        "capital",
        "schemes",
        "drivers",
        "claims",
        "challenge",
        "triangulation",
        "performance",
        "risks",
        "basis",
    ):
        assert f'<section id="{name}"' in page


def test_every_chart_has_its_table(llr: Result) -> None:
    for section in sections(llr)[0]:
        for exhibit in section.exhibits:
            assert exhibit.message.endswith((".", "?"))
            if exhibit.chart is not None:
                assert exhibit.table is not None
                assert exhibit.table.rows


def test_tables_of_figures_carry_basis_and_source(llr: Result) -> None:
    made = {exhibit.id: exhibit.table for section in sections(llr)[0] for exhibit in section.exhibits}
    for name in (
        "overview-money",
        "overview-beds",
        "gap-bridge",
        "do-nothing",
        "beds-uhl",
        "beds-lpt",
        "staff-by-scheme",
        "capital-by-year",
    ):
        table = made[name]
        assert table is not None
        for row in table.rows:
            if row.get("kind") == "end" or row.get("label") == "Total":
                continue
            assert row["source"], (name, row)
            assert row["basis"], (name, row)


def test_bridges_in_the_report_add_up(llr: Result) -> None:
    for section in sections(llr)[0]:
        for exhibit in section.exhibits:
            if exhibit.id in ("overview-money", "overview-beds", "gap-bridge", "beds-uhl", "beds-lpt"):
                assert exhibit.table is not None
                rows = exhibit.table.rows
                for case in ("published_case", "mean"):
                    steps = sum(row[case] for row in rows if row["kind"] != "end")
                    assert steps == pytest.approx(rows[-1][case], abs=1e-3)


def test_the_page_is_the_same_each_time(llr: Result, page: str) -> None:
    assert html(llr) == page


def test_the_page_is_small_enough_to_mail(page: str) -> None:
    assert len(page.encode()) < 1_500_000


def test_the_page_reaches_for_nothing(page: str) -> None:
    assert not re.search(r"(src|href)=\"(https?:)?//", page)
    assert "<script" not in page
    assert "@import" not in page
    assert "default-src 'none'" in page


# -- the workbook ----------------------------------------------------------------------------------------------------


def test_numbers_read_back_as_they_are(llr: Result, book: openpyxl.Workbook) -> None:
    rows = rows_of(book, "Gap by year")
    frame = llr.gap()
    assert [row["Year"] for row in rows] == list(llr.years)
    for name, heading in (
        ("published_case", "As planned (GBP)"),
        ("mean", "Expected (GBP)"),
        ("p10", "p10 (GBP)"),
        ("p90", "p90 (GBP)"),
    ):
        assert [row[heading] for row in rows] == pytest.approx(frame[name].to_list(), rel=1e-14)


def test_schemes_read_back(llr: Result, book: openpyxl.Workbook) -> None:
    rows = {row["Scheme"]: row for row in rows_of(book, "Schemes")}
    saving = llr.saving(by="scheme", year="2020/21")
    for scheme in llr.plan.schemes:
        expected = saving.filter(pl.col("scheme") == scheme.id)
        if expected.height:
            assert rows[scheme.name]["Saving as planned (GBP)"] == pytest.approx(
                expected["published_case"][0], abs=1e-6
            )
    teams = rows["Integrated locality teams"]
    assert teams["Beds released (beds)"] == pytest.approx(128)
    assert 0 <= float(str(teams["Chance of delivering in full"])) <= 1


def test_the_check_keeps_its_units(book: openpyxl.Workbook) -> None:
    rows = rows_of(book, "Check")
    assert len(rows) == sum(1 for row in rows if isinstance(row["Stated"], int | float))
    assert {"GBP m", "beds", "%"} <= {row["Unit"] for row in rows}


def test_every_sheet_is_fit_to_read(book: openpyxl.Workbook) -> None:
    assert book.sheetnames[0] == "Summary"
    for sheet in book.worksheets[1:]:
        assert len(sheet.title) <= 31
        assert sheet.freeze_panes == "B5"
        assert sheet["A1"].value
    linked = {
        str(link.location).split("'")[1]
        for row in book["Summary"].iter_rows()
        for cell in row
        if (link := cell.hyperlink)
    }
    assert linked == set(book.sheetnames[1:])


# -- the terminal ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [60, 80, 120])
def test_the_summary_fits(llr: Result, bcf: Result, width: int) -> None:
    for result in (llr, bcf):
        for part in summary(result):
            text = shown(part, width)
            assert all(len(line) <= width for line in text.splitlines())
    assert "£399.3m" in "".join(shown(part, width) for part in summary(llr))


def test_scenarios_are_set_beside_the_plan(llr: Result, tmp_path: Path) -> None:
    names = list(llr.plan.scenarios)[:2]
    results = [llr, *(run(LLR, runs=200, scenarios=[name]) for name in names)]
    text = shown(compare_table(results), 100)
    assert "The plan" in text
    write_html(llr, tmp_path / "comparison.html", comparisons=results[1:])
    page = (tmp_path / "comparison.html").read_text(encoding="utf-8")
    assert '<section id="scenarios"' in page
    for result in results[1:]:
        assert result.scenarios[0].title in page
    write_workbook(llr, tmp_path / "comparison.xlsx", comparisons=results[1:])
    rows = rows_of(openpyxl.load_workbook(tmp_path / "comparison.xlsx"), "Scenarios")
    shifts = [row["Expected change (GBP)"] for row in rows]
    assert shifts[0] is None
    assert shifts[1] == pytest.approx(results[1].gap(year="2020/21")["mean"][0] - llr.gap(year="2020/21")["mean"][0])


# -- files -----------------------------------------------------------------------------------------------------------


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    target = tmp_path / "report.html"
    target.write_text("before")

    def interrupted() -> None:
        with written(target) as file:
            file.write_text("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert target.read_text() == "before"
    assert list(tmp_path.iterdir()) == [target]
    with written(target) as file:
        file.write_text("after")
    assert target.read_text() == "after"
    assert list(tmp_path.iterdir()) == [target]


def test_no_folder_no_file(bcf: Result, tmp_path: Path) -> None:
    for write in (write_html, write_workbook):
        with pytest.raises(BettercareError, match="cannot be written"):
            write(bcf, tmp_path / "nowhere" / "report")
    assert not list(tmp_path.iterdir())
