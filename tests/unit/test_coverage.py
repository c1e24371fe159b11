"""What the documents say exists does: coverage is complete, commands, pages and calls are real, links lead somewhere, the guide's commands run."""

import doctest
import re
import shlex
import socket
import tempfile
from functools import cache
from pathlib import Path

import click
import polars as pl
import pytest
from click.testing import CliRunner
from fastapi.routing import iter_route_contexts
from rich.console import Console

from bettercare.cli import main
from bettercare.model import Result, run
from bettercare.plan import Plan, dictionary, shipped
from bettercare.store import Store
from bettercare.web.app import create_app
from bettercare.web.state import Deployment

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
COVERAGE = (DOCS / "coverage.md").read_text(encoding="utf-8")
SECTIONS = {"A": 38, "B": 27, "C": 35, "D": 40, "E": 26, "F": 23, "G": 36, "H": 18, "I": 13, "J": 12, "K": 19}
STATES = ("works", "partly", "not yet")
SHOWS = ("bettercare ", "tests/", "/", "GET /", "POST /", "PUT /", "DELETE /")
"""How a command, a test, a page or a call of the API begins."""
ROWS = [
    tuple(cell.strip() for cell in line.strip("|").split("|"))
    for line in COVERAGE.splitlines()
    if re.match(r"\| [A-K]-\d", line)
]
PAGES = [ROOT / "GLOSSARY.md", ROOT / "README.md", *sorted(DOCS.glob("*.md"))]


def test_every_capability_is_listed_once_and_in_order():
    expected = [f"{letter}-{number:02}" for letter, count in SECTIONS.items() for number in range(1, count + 1)]
    assert [row[0] for row in ROWS] == expected
    assert all(len(row) == 4 and row[1] and row[2] in STATES for row in ROWS)


def test_the_counts_are_those_of_the_tables():
    count = {state: sum(row[2] == state for row in ROWS) for state in STATES}
    assert (
        f"Of {len(ROWS)}: {count['works']} work, {count['partly']} work partly, {count['not yet']} do not yet."
        in COVERAGE
    )
    for letter, total in SECTIONS.items():
        own = {state: sum(row[0][0] == letter and row[2] == state for row in ROWS) for state in STATES}
        assert f"{total}: {own['works']} works, {own['partly']} partly, {own['not yet']} not yet." in COVERAGE


@pytest.mark.parametrize("row", [row for row in ROWS if row[2] != "not yet" or row[3]], ids=lambda row: row[0])
def test_what_a_row_names_exists(row: tuple[str, str, str, str]):
    shown = re.findall(r"`([^`]+)`", row[3])
    assert row[3], f"{row[0]} says nothing"
    if row[2] == "works":
        assert any(item.startswith(SHOWS) for item in shown), f"{row[0]} names no command, test, page or call"
    for item in shown:
        _check_it_exists(item)


@cache
def _plans() -> tuple[Plan, ...]:
    return tuple(Plan.read(name) for name in shipped())


@cache
def _result() -> Result:
    return run("llr-stp-2016")


@cache
def _addresses() -> frozenset[str]:
    """Every page and call of the web application: GET /plans/{plan}/risks."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder) / "bettercare.db")
        deployment = Deployment(store, {})
        try:
            routes = iter_route_contexts(create_app(deployment).routes)
            return frozenset(f"{method} {route.path}" for route in routes for method in route.methods)
        finally:
            deployment.jobs.close()
            store.close()


def _check_it_exists(item: str) -> None:
    plans = _plans()
    if item.startswith("bettercare "):
        _check_it_parses(shlex.split(item)[1:])
    elif item.startswith(SHOWS) and not item.startswith("tests/"):
        address = item if " " in item else f"GET {item}"
        assert address in _addresses(), f"the web application has no {address}"
    elif item.startswith("tests/"):
        assert (ROOT / item).is_file(), f"there is no {item}"
    elif item.startswith("result."):
        assert eval(item, {"result": _result()}) is not None
    elif item.startswith("schemes/"):
        assert any(item == "schemes/*.yaml" or Path(item).stem in plan["schemes"].by_id for plan in plans), (
            f"no plan has {item}"
        )
    elif item.startswith("growth-net"):
        assert any("growth-net-uhl" in plan["claims"].by_id for plan in plans)
    elif item not in ("requires", "build", "evidence") and not item.startswith("run("):
        assert item in dictionary(), f"there is no table {item}"
        assert any(len(plan[item]) for plan in plans), f"no shipped plan has a row of {item}"


def _check_it_parses(words: list[str]) -> None:
    command: click.Command = main
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        named = command.get_command(click.Context(command), words[0])
        assert named is not None, f"there is no command {words[0]}"
        command, words = named, words[1:]
    if not isinstance(command, click.Group):
        with command.make_context("bettercare", list(words)):
            pass


def _anchors(page: Path) -> set[str]:
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in re.findall(r"(?m)^#+ (.*)$", text)
    }


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path):
    text = re.sub(r"(?ms)^```.*?^```", "", page.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if "://" in target:
            continue
        file, _, anchor = target.partition("#")
        there = (page.parent / file).resolve() if file else page
        assert there.exists(), f"{page.name} links to {target}"
        if anchor and there.suffix == ".md":
            assert anchor in _anchors(there), f"{page.name} links to {target}"


def test_glossary_is_alphabetical_and_its_index_leads_to_the_first_of_each_letter():
    text = (ROOT / "GLOSSARY.md").read_text(encoding="utf-8")
    entries = {entry: re.sub(r"[^a-z0-9 ]", "", entry.lower()) for entry in re.findall(r"(?m)^### (.*)$", text)}
    assert len(entries) >= 200
    assert list(entries) == sorted(entries, key=lambda entry: entries[entry].split())
    first = {words[0].upper(): re.sub(r"[^\w\- ]", "", entry.lower()) for entry, words in reversed(entries.items())}
    index = re.findall(r"\[([A-Z])\]\(#(.*?)\)", text)
    assert index == [(letter, first[letter].replace(" ", "-")) for letter in sorted(first)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_in_the_documents_exist(page: Path):
    for block in re.findall(r"(?ms)^```console\n(.*?)^```", page.read_text(encoding="utf-8")):
        for line in block.splitlines():
            if line.startswith("$ bettercare "):
                _check_it_parses(shlex.split(line, comments=True)[2:])


def _spells() -> pl.DataFrame:
    """Invented spells, for the commands that take activity records."""
    return pl.DataFrame(
        {
            "age": [82, 45, 71, 30] * 50,
            "sex": ["female", "male"] * 100,
            "specialty": ["300", "100"] * 100,
            "admission_method": ["emergency", "elective", "emergency", "day-case"] * 50,
            "length_of_stay": [9, 2, 6, 0] * 50,
            "site": ["royal", "general"] * 100,
        }
    )


def test_the_commands_of_the_guide_give_what_it_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("bettercare.cli.commands.out", Console(width=500))
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setattr("bettercare.cli.serve.PORT", free.getsockname()[1])  # the usual one may be in use here
    text = (DOCS / "guide.md").read_text(encoding="utf-8")
    for name, body in re.findall(r"(?ms)^```yaml\n# (\S+\.yaml)\n(.*?)^```", text):
        Path(name).write_text(body, encoding="utf-8")
    _spells().write_parquet("spells.parquet")
    for block in re.findall(r"(?ms)^```console\n(.*?)^```", text):
        for step in re.split(r"(?m)^\$ ", block)[1:]:
            line, _, expected = step.partition("\n")
            words = shlex.split(line, comments=True)
            if words[0] != "bettercare":
                continue
            got = CliRunner().invoke(main, words[1:], catch_exceptions=False)
            assert "Traceback" not in got.output
            flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
            assert not expected.strip() or doctest.OutputChecker().check_output(expected, got.output, flags), (
                f"$ {line}\n{got.output[-2000:]}"
            )
