"""The commands, as a planner types them: output, files written, exit codes."""

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

from bettercare.cli import main

BCF = "leicestershire-bcf-2014"
LLR = "llr-stp-2016"


def bettercare(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), catch_exceptions=False)


def test_the_shipped_plans_are_listed():
    shown = bettercare("plan", "list")
    assert shown.exit_code == 0
    assert BCF in shown.output
    assert LLR in shown.output


@pytest.mark.parametrize("plan", [BCF, LLR])
def test_the_shipped_plans_have_no_faults(plan: str):
    shown = bettercare("plan", "validate", plan)
    assert shown.exit_code == 0, shown.output
    assert "has no faults" in shown.output


def test_run_writes_a_report_and_a_workbook(tmp_path: Path):
    shown = bettercare("run", BCF, "--runs", "50", "--out", str(tmp_path / "out"))
    assert shown.exit_code == 0
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert "<html" in page
    assert (tmp_path / "out" / "results.xlsx").stat().st_size > 5000


def test_check_says_whether_anything_is_inconsistent():
    shown = bettercare("check", BCF, "--format", "json")
    verdicts = json.loads(shown.output)
    assert shown.exit_code == 1
    assert {"id", "plan", "statement", "stated", "recomputed", "unit", "verdict", "source"} <= set(verdicts[0])
    assert {verdict["verdict"] for verdict in verdicts} == {"agrees", "rounding", "inconsistent"}


def test_check_is_content_with_a_plan_that_adds_up(tmp_path: Path):
    assert bettercare("new", str(tmp_path / "mine")).exit_code == 0
    assert bettercare("plan", "validate", str(tmp_path / "mine")).exit_code == 0
    assert bettercare("check", str(tmp_path / "mine")).exit_code == 0
    assert bettercare("run", str(tmp_path / "mine"), "--runs", "20", "--out", str(tmp_path / "out")).exit_code == 0


def test_challenge_asks_questions():
    shown = bettercare("challenge", BCF, "--format", "json")
    assert shown.exit_code == 0
    assert all(one["question"].endswith("?") or one["question"] for one in json.loads(shown.output))


def test_explain_goes_down_to_sources():
    shown = bettercare(
        "explain", LLR, "beds", "--where", "organisation=uhl", "--where", "pod=day-case", "--format", "json"
    )
    tree = json.loads(shown.output)
    assert shown.exit_code == 0
    assert tree["value"] == pytest.approx(107)
    assert "Better Care" in bettercare("explain", BCF, "saving").output


def test_a_plan_goes_to_excel_and_back(tmp_path: Path):
    book, folder = tmp_path / "plan.xlsx", tmp_path / "plan"
    assert bettercare("plan", "export", BCF, str(book)).exit_code == 0
    assert bettercare("plan", "import", str(book), str(folder)).exit_code == 0
    again = json.loads(bettercare("check", str(folder), "--format", "json").output)
    assert again == json.loads(bettercare("check", BCF, "--format", "json").output)


def test_scenarios_are_compared(tmp_path: Path):
    file = tmp_path / "without.yaml"
    file.write_text("id: without-teams\nchanges:\n  - scheme: integrated-teams\n    off: yes\n", encoding="utf-8")
    shown = bettercare("compare", LLR, "--scenario", str(file), "--runs", "100", "--out", str(tmp_path / "out"))
    assert shown.exit_code == 0, shown.output
    assert (tmp_path / "out" / "comparison.html").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["run", "no-such-plan"], "There is no plan"),
        (["run", BCF, "--runs", "-1"], "runs cannot be made"),
        (["run", BCF, "--scenario", "nowhere"], "There is no scenario"),
        (["check", "pyproject.toml"], "is not a plan"),
        (["explain", BCF, "happiness"], "There is no measure"),
        (["explain", BCF, "beds", "--where", "planet=mars"], "not a word"),
        (["explain", BCF, "beds", "--where", "organisation=mars"], "has no organisation"),
        (["explain", BCF, "beds", "--where", "organisation"], "not a filter"),
        (["explain", BCF, "beds", "--year", "1999/00"], "not a year of the plan"),
        (["plan", "import", "nothing.xlsx", "somewhere"], "no such workbook"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(words: list[str], said: str):
    shown = bettercare(*words)
    assert shown.exit_code == 2
    assert said in shown.output
    assert "Traceback" not in shown.output


def test_an_existing_folder_is_not_overwritten(tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "keep.txt").write_text("mine", encoding="utf-8")
    assert bettercare("new", str(tmp_path / "full")).exit_code == 2
    assert bettercare("plan", "export", BCF, str(tmp_path / "no" / "such" / "folder.xlsx")).exit_code == 2
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["keep.txt"]


def test_rows_are_drawn_with_a_plan(tmp_path: Path):
    pl.DataFrame(
        {
            "age": [80, 45, 70] * 40,
            "sex": ["female", "male", "female"] * 40,
            "site": ["Site A"] * 120,
            "specialty": ["general medicine"] * 120,
            "admission_method": ["emergency", "elective", "day-case"] * 40,
            "length_of_stay": [6, 3, 0] * 40,
        }
    ).write_parquet(tmp_path / "spells.parquet")
    words = ["--plan", LLR, "--organisation", "uhl", "--inpatients", str(tmp_path / "spells.parquet"), "--runs", "10"]
    shown = bettercare("rows", *words, "--out", str(tmp_path / "out.csv"))
    assert shown.exit_code == 0, shown.output
    assert "non-elective" in shown.output
    assert pl.read_csv(tmp_path / "out.csv").height > 3
    assert bettercare("rows", "--plan", LLR).exit_code == 2
    assert bettercare("rows", *words, "--out", "results.doc").exit_code == 2
    assert bettercare("rows", "--model", str(tmp_path / "none.yaml")).exit_code == 2
