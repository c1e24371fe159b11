"""Writing a plan as a folder, and starting one from the template."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from bettercare.errors import BettercareError
from bettercare.plan import Plan, shipped
from bettercare.plan.template import TEMPLATE, new_plan
from bettercare.plan.write import write_file, write_folder, write_plan

PLANS = {**shipped(), "template": TEMPLATE}


def cells(plan: Plan) -> dict[str, list[dict[str, str]]]:
    """Every cell of a plan as text, and the typed values beside them."""
    return {name: [dict(row.text) for row in table] for name, table in plan.tables.items()}


def values(plan: Plan) -> dict[str, list[dict[str, object]]]:
    return {name: [dict(row.values) for row in table] for name, table in plan.tables.items()}


@pytest.mark.parametrize("name", sorted(PLANS))
def test_a_plan_written_reads_back_cell_for_cell(name: str, tmp_path: Path) -> None:
    plan = Plan.read(PLANS[name])
    again = Plan.read(plan.write(tmp_path / "copy"))
    assert cells(again) == cells(plan)
    assert values(again) == values(plan)
    assert again.header == plan.header
    assert again.scenarios == plan.scenarios


def test_writing_twice_gives_the_same_files(tmp_path: Path) -> None:
    plan = Plan.read(TEMPLATE)
    first, second = (
        write_plan(plan, tmp_path / "first"),
        write_plan(Plan.read(plan.write(tmp_path / "x")), tmp_path / "second"),
    )
    listed = sorted(path.relative_to(first) for path in first.rglob("*"))
    assert listed == sorted(path.relative_to(second) for path in second.rglob("*"))
    for path in listed:
        if (first / path).is_file():
            assert (first / path).read_bytes() == (second / path).read_bytes()


def test_schemes_are_written_as_people_write_them(tmp_path: Path) -> None:
    folder = Plan.read(TEMPLATE).write(tmp_path / "copy")
    text = (folder / "schemes" / "neighbourhood-teams.yaml").read_text(encoding="utf-8")
    assert "target: {organisation: infirmary, pod: non-elective}" in text
    assert "size: {low: 900, likely: 1800, high: 2200}" in text
    assert "ramp: {2026/27: 0.2, 2027/28: 0.5, 2028/29: 0.8, 2029/30: 1}" in text
    assert "settings: [community, primary-care]" in text
    assert "!!" not in text
    assert "size: 3.1\n" in (folder / "schemes" / "home-first.yaml").read_text(encoding="utf-8")
    assert "recurrent: no\n" in (folder / "schemes" / "surgical-hub.yaml").read_text(encoding="utf-8")


def test_tables_without_rows_are_left_out(tmp_path: Path) -> None:
    folder = Plan.read(TEMPLATE).write(tmp_path / "copy")
    assert not (folder / "tables" / "pool.csv").exists()


def test_an_empty_folder_is_filled(tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    assert Plan.read(Plan.read(TEMPLATE).write(tmp_path / "copy")).id == "exampleshire"


def _full(folder: Path) -> None:
    folder.mkdir()
    (folder / "mine.txt").write_text("mine", encoding="utf-8")


@pytest.mark.parametrize(
    ("prepare", "target", "says"),
    [
        (lambda tmp: _full(tmp / "plan"), "plan", "is not empty"),
        (lambda tmp: (tmp / "plan").write_text("x", encoding="utf-8"), "plan", "is a file"),
        (lambda tmp: None, "missing/plan", "There is no folder"),
        (lambda tmp: None, "x" * 300, "cannot be"),
        (lambda tmp: None, "a\0b", "cannot be used as a name"),
        (lambda tmp: (tmp / "loop").symlink_to(tmp / "loop"), "loop/plan", "cannot be"),
        (lambda tmp: (tmp / "file").write_text("x", encoding="utf-8"), "file/plan", "There is no folder"),
    ],
)
def test_what_cannot_be_written_is_refused_and_nothing_is_left(prepare, target: str, says: str, tmp_path: Path) -> None:
    prepare(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    plan = Plan.read(TEMPLATE)
    for attempt in (lambda: plan.write(tmp_path / target), lambda: new_plan(tmp_path / target, "mine")):
        with pytest.raises(BettercareError, match=says) as caught:
            attempt()
        assert caught.value.remedy
        assert sorted(tmp_path.rglob("*")) == before


def test_the_folder_one_is_in_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BettercareError, match="the folder you are in"):
        Plan.read(TEMPLATE).write(".")


def test_an_interruption_leaves_nothing_half_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def interrupted(path: Path, *arguments: object, **options: object) -> int:
        written.append(path)
        if len(written) == 3:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(Path, "write_text", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Plan.read(TEMPLATE).write(tmp_path / "copy")
    assert len(written) == 3
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> int:
        raise OSError(28, "No space left on device")

    plan = Plan.read(TEMPLATE)
    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(BettercareError, match="No space left on device"):
        plan.write(tmp_path / "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_file_is_replaced_only_by_a_finished_one(tmp_path: Path) -> None:
    path = tmp_path / "report.txt"
    write_file(path, lambda partial: partial.write_text("first", encoding="utf-8"))

    def broken(partial: Path) -> None:
        partial.write_text("half", encoding="utf-8")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_file(path, broken)
    assert path.read_text(encoding="utf-8") == "first"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(BettercareError, match="is a folder"):
        write_file(tmp_path, broken)


def test_files_of_a_folder_are_utf_8_with_plain_line_ends(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "a", {"b/c.txt": "£1\nœ\n"})
    assert (folder / "b" / "c.txt").read_bytes() == "£1\nœ\n".encode()


class TestNew:
    def test_the_template_becomes_a_plan_of_ones_own(self, tmp_path: Path) -> None:
        plan = Plan.read(new_plan(tmp_path / "rutland", "Rutland: 2027 & on"))
        assert (plan.id, plan.title) == ("rutland-2027-on", "Rutland: 2027 & on")
        assert plan.header["synthetic"] == "yes"
        assert len(plan.schemes) == 3

    def test_comments_come_with_it(self, tmp_path: Path) -> None:
        folder = new_plan(tmp_path / "mine", "mine")
        assert (folder / "plan.yaml").read_text(encoding="utf-8").count("#") >= 10
        assert (folder / "README.md").exists()
        assert (folder / "scenarios" / "slow-start.yaml").exists()

    @pytest.mark.parametrize(
        "name", ["yes", "123", "null", "a: b", "'quoted'", "# no comment", "Ærø 7", "\\1 back", "[x]"]
    )
    def test_awkward_names_are_kept(self, name: str, tmp_path: Path) -> None:
        assert Plan.read(new_plan(tmp_path / "mine", name)).title == name

    @pytest.mark.parametrize("name", ["", "   ", "...", "日本", "x" * 101, "a\x01b"])
    def test_names_that_cannot_be(self, name: str, tmp_path: Path) -> None:
        with pytest.raises(BettercareError, match="cannot be the name of a plan") as caught:
            new_plan(tmp_path / "mine", name)
        assert caught.value.remedy
        assert list(tmp_path.iterdir()) == []

    def test_the_template_shows_every_kind_of_effect_and_every_basis_but_one(self) -> None:
        plan = Plan.read(TEMPLATE)
        kinds = {row["kind"] for row in plan["effects"]}
        assert kinds == set(plan["effects"].spec.column("kind").choices)
        assert {row["basis"] for table in plan.tables.values() for row in table if row["basis"]} >= {
            "stated",
            "assumed",
        }

    def test_every_key_of_a_scheme_in_the_template_is_explained(self) -> None:
        path = TEMPLATE / "schemes" / "neighbourhood-teams.yaml"
        lines = path.read_text(encoding="utf-8").splitlines()
        for key in yaml.safe_load(path.read_text(encoding="utf-8")):
            line = next(line for line in lines if line.startswith(f"{key}:"))
            assert "#" in line or key in {"id", "summary", "where", "effects"}, key


def test_a_copied_plan_with_an_editors_hidden_files_still_reads(tmp_path: Path) -> None:
    shutil.copytree(TEMPLATE, tmp_path / "plan")
    for place in ("tables", "schemes", "scenarios"):
        (tmp_path / "plan" / place / ".~lock.beds.csv#").write_text("x", encoding="utf-8")
    assert Plan.read(tmp_path / "plan").id == "exampleshire"
