"""Whatever stands in a plan folder or a workbook, reading it gives a plan, or faults that name the file; never anything else.

Nothing is ever written by reading.
"""

from __future__ import annotations

import csv
import io
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bettercare.errors import BettercareError
from bettercare.plan import Plan, dictionary
from bettercare.plan.template import TEMPLATE
from bettercare.plan.workbook import write_workbook

TABLES = [name for name in dictionary() if name not in ("schemes", "effects")]
PRESENT = sorted(path.stem for path in (TEMPLATE / "tables").glob("*.csv"))
SCHEMES = sorted(path.name for path in (TEMPLATE / "schemes").glob("*.yaml"))
PLACES = ("plan.yaml", "tables/", "schemes/", "scenarios/", "sheet ")
YAMLS = ["plan.yaml", *(f"schemes/{name}" for name in SCHEMES), "scenarios/slow-start.yaml"]
FILES = [*YAMLS, *(f"tables/{name}.csv" for name in PRESENT)]

NASTY = [
    "", " ", "nan", "NaN", "inf", "-inf", "1e400", "1e-400", "-1", "-0", "0", "999999999999999999999", "9" * 400, "0.1", "1,2,3", "½", "٣",
    "yes", "no", "TRUE", "null", "~", "2016/17", "1850/51", "2525/26", "9999/00", "2026-02-30", "2026-13-01", "*", "sum(", "a;b;;c", ";", "infirmary",
    "board", "beds", "GBP m", "%", "non-elective", "older", "assumed", "stated", "\u2028", "\x85", "\ufeff", "\u202e", "é", "😀", "=1+1", "'", '"', "a\nb",
    "[", "{", "a: b", "- x", "&a", "*a", "!!python/object:os.system x", "# c", "|", ">", "%", "@", "`", "x" * 30_000, "neighbourhood-teams", "home-first",
    "surgical-hub", "2026/27: 0.5", "2026/27: 2", "2026/27", "build", "shift", "avoid", "100", "1e3", "+5", "007", "_x000D_", "../../etc/passwd", "CON",
]  # fmt: skip


@contextmanager
def copied() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(TEMPLATE, Path(place) / "plan"))


def snapshot(place: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(place)): path.read_bytes() if path.is_file() else None for path in sorted(place.rglob("*"))
    }


def outcome(source: Path) -> Plan | None:
    """Read, insist on one of the two outcomes, and that reading changed nothing."""
    before = snapshot(source.parent)
    plan, refused = None, None
    try:
        plan = Plan.read(source)
    except BettercareError as error:
        refused = error
    assert snapshot(source.parent) == before
    if plan is not None:
        assert plan.id
        assert set(plan.tables) == set(dictionary())
    if refused is not None:
        assert refused.faults, refused
        for fault in refused.faults:
            file = fault.where.split(",")[0]
            assert file.startswith(PLACES) or file.endswith((".csv", ".yaml", ".xlsx")), fault
            assert fault.what, fault
        # What is said can be printed, whatever stood in the file.
        str(refused).encode()
    return plan


def both_ways(plan: Plan) -> None:
    """What was read can be written, and reads back the same."""
    with tempfile.TemporaryDirectory() as place:
        for again in (plan.write(Path(place) / "folder"), write_workbook(plan, Path(place) / "book.xlsx")):
            copy = Plan.read(again)
            assert {n: [dict(r.text) for r in t] for n, t in copy.tables.items()} == {
                n: [dict(r.text) for r in t] for n, t in plan.tables.items()
            }
            assert copy.scenarios == plan.scenarios


@given(st.sampled_from(FILES), st.binary(max_size=300))
@example("tables/beds.csv", b"\xff\xfe" + "id".encode("utf-16-le"))
@example("plan.yaml", b"\0")
@example("tables/beds.csv", b"id\0")
@example("plan.yaml", b"%YAML 9.9999999999999999999999\n---\na: b")
@example("plan.yaml", b"id: &a [*a]")
@example("schemes/home-first.yaml", b"effects: &a\n  - *a\n")
@example("schemes/home-first.yaml", b'id: "\\uD800"')
@example("schemes/home-first.yaml", b'id: "\\UFFFFFFFF"')
@example("schemes/home-first.yaml", b"? [a]\n: b\n")
@example("schemes/home-first.yaml", b"<<: {a: b}")
def test_any_bytes_in_place_of_a_file(file: str, content: bytes) -> None:
    with copied() as folder:
        (folder / file).write_bytes(content)
        outcome(folder)


CSV_PIECES = st.sampled_from(
    [*dictionary()["beds"].names, ",", ",", ",", "\n", "\n", '"', '""', ";", "\t", "\r\n", " ", *NASTY[:40]]
)


@given(st.sampled_from(TABLES), st.lists(CSV_PIECES, max_size=40).map("".join))
def test_any_text_in_place_of_a_table(table: str, text: str) -> None:
    with copied() as folder:
        (folder / "tables" / f"{table}.csv").write_text(text, encoding="utf-8", errors="surrogatepass")
        outcome(folder)


@given(
    st.sampled_from(PRESENT),
    st.lists(st.lists(st.sampled_from(NASTY), min_size=1, max_size=20), min_size=1, max_size=4),
)
def test_a_good_heading_over_any_cells(table: str, rows: list[list[str]]) -> None:
    names = dictionary()[table].names
    out = io.StringIO()
    csv.writer(out).writerows([names, *([row[n % len(row)] for n in range(len(names))] for row in rows)])
    with copied() as folder:
        (folder / "tables" / f"{table}.csv").write_text(out.getvalue(), encoding="utf-8")
        outcome(folder)


YAML_PIECES = st.sampled_from(
    ["id", "effects", "target", "size", "ramp", "becomes", "a", ": ", ": ", "\n", "\n", "\n  ", "\n  - ", "- ", "{", "}", "[", "]", ", ", "|", ">", "'", '"',
     "&a ", "*a", "<<: *a", "!!", "!t ", "? ", "---\n", "...\n", "%YAML 1.1\n", "\t", "#", "~", "null", "\r\n", *NASTY[:40]]
)  # fmt: skip


@given(st.sampled_from(YAMLS), st.lists(YAML_PIECES, max_size=40).map("".join), st.booleans())
def test_any_text_in_place_of_a_yaml_file_or_after_a_good_one(file: str, text: str, after: bool) -> None:
    with copied() as folder:
        good = (folder / file).read_text(encoding="utf-8") if after else ""
        (folder / file).write_bytes((good + text).encode("utf-8", "surrogatepass"))
        outcome(folder)


BOMBS: dict[str, str] = {
    "aliases within aliases": "a0: &a0 [x, x]\n"
    + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60)),
    "an anchor within itself": "a: &a\n  b: *a\n",
    "a merge with itself": "a: &a\n  <<: *a\n",
    "brackets": "a: " + "[" * 200_000,
    "braces": "a: " + "{" * 200_000,
    "indents": "\n".join(" " * n + "a:" for n in range(1_300)),
    "dashes": "a:\n" + "- " * 100_000,
    "question marks": "? " * 100_000,
    "a wide mapping": "\n".join(f"k{n}: v" for n in range(60_000)),
    "a long key": "k" * 900_000 + ": v",
    "a long list": "a: [" + "x, " * 200_000 + "]",
    "open quotes": "a: " + "'" * 99_999,
    "tags": "a: " + "!!map " * 1_000 + "{}",
    "anchors": "\n".join(f"k{n}: &a{n} v" for n in range(30_000)),
    "documents": "---\na: b\n" * 10_000,
    "comments": "#\n" * 400_000,
    "directives": "%TAG ! x\n" * 10_000 + "---\na: b",
    "escapes": 'a: "' + "\\u0041" * 100_000 + '"',
    "a list of effects": "effects:\n" + "- id: a\n" * 50_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_bombs_cost_no_more_than_their_length(bomb: str) -> None:
    with copied() as folder:
        (folder / "schemes" / "home-first.yaml").write_text(BOMBS[bomb], encoding="utf-8")
        assert outcome(folder) is None


def _cell(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    lines[1 + draw(len(lines) - 1)][draw(len(lines[0]))] = text


def _drop_column(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    position = draw(len(lines[0]))
    for line in lines:
        del line[position]


def _add_column(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    for number, line in enumerate(lines):
        line.append(text if number == 0 else "x")


def _double_row(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    lines.append(list(lines[1 + draw(len(lines) - 1)]))


def _drop_row(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    del lines[1 + draw(len(lines) - 1)]


def _double_column(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    position = draw(len(lines[0]))
    for line in lines:
        line.append(line[position])


def _swap_columns(lines: list[list[str]], draw: Callable[[int], int], text: str) -> None:
    one, other = draw(len(lines[0])), draw(len(lines[0]))
    lines[0][one], lines[0][other] = lines[0][other], lines[0][one]


CHANGES = st.sampled_from(
    [_cell, _cell, _cell, _drop_column, _add_column, _double_row, _drop_row, _double_column, _swap_columns]
)


@settings(max_examples=150)
@given(st.data(), st.integers(1, 3))
def test_a_good_plan_changed_in_a_few_places(data: st.DataObject, times: int) -> None:
    def draw(count: int) -> int:
        return data.draw(st.integers(0, count - 1))

    with copied() as folder:
        for _ in range(times):
            path = folder / "tables" / f"{data.draw(st.sampled_from(PRESENT))}.csv"
            lines = list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))
            if len(lines) > 1 and lines[0]:
                data.draw(CHANGES)(lines, draw, data.draw(st.sampled_from(NASTY)))
            with path.open("w", encoding="utf-8", newline="") as out:
                csv.writer(out, lineterminator="\n").writerows(lines)
        outcome(folder)


@settings(max_examples=150)
@given(st.data())
def test_a_good_scheme_with_a_line_changed(data: st.DataObject) -> None:
    with copied() as folder:
        path = folder / data.draw(st.sampled_from(YAMLS))
        lines = path.read_text(encoding="utf-8").splitlines()
        position = data.draw(st.integers(0, len(lines) - 1))
        change = data.draw(st.sampled_from(["value", "value", "drop", "double", "indent", "swap"]))
        if change == "value":
            head, colon, _ = lines[position].partition(": ")
            lines[position] = head + colon + data.draw(st.sampled_from(NASTY))
        elif change == "drop":
            del lines[position]
        elif change == "double":
            lines.insert(position, lines[position])
        elif change == "indent":
            lines[position] = data.draw(st.sampled_from([" ", "  ", "\t", "- "])) + lines[position]
        else:
            other = data.draw(st.integers(0, len(lines) - 1))
            lines[position], lines[other] = lines[other], lines[position]
        path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))
        outcome(folder)


ENCODINGS = ["utf-8-sig", "utf-16", "utf-32", "latin-1", "cp1252", "cp037"]


@given(st.sampled_from(FILES), st.sampled_from(ENCODINGS), st.sampled_from(["\n", "\r\n", "\r"]))
def test_other_encodings_and_line_ends(file: str, encoding: str, end: str) -> None:
    with copied() as folder:
        text = (folder / file).read_text(encoding="utf-8").replace("Exampleshire", "Éxampleshire", 1)
        (folder / file).write_bytes(text.replace("\n", end).encode(encoding, "replace"))
        plan = outcome(folder)
        if encoding == "utf-8-sig":
            assert plan is not None


@given(st.sampled_from(FILES), st.integers(0, 10_000), st.binary(max_size=3), st.integers(0, 20))
def test_bytes_put_in_or_taken_out(file: str, position: int, new: bytes, taken: int) -> None:
    with copied() as folder:
        content = (folder / file).read_bytes()
        start = position % (len(content) + 1)
        (folder / file).write_bytes(content[:start] + new + content[start + taken :])
        outcome(folder)


# -- plans with any text in them, out and back --------------------------------------------------------------------------

WRITTEN = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40) | st.sampled_from(NASTY[-60:])
PRINTED = st.one_of(
    st.integers(-(10**9), 10**9).map(str),
    st.integers(-(10**9), 10**9).map("{:,}".format),
    st.decimals(-(10**6), 10**6, places=3).map(str),
    st.decimals(0, 10**6, places=2).map("{:,}".format),
    st.sampled_from(["0.10", "+5", "007", ".5", "-0", "33.0", "0.000", "999,999,999,999.12345"]),
)


@settings(max_examples=12)
@given(st.lists(st.tuples(WRITTEN, PRINTED, WRITTEN), min_size=1, max_size=8))
def test_any_text_and_any_printed_number_survives_folder_and_workbook(rows: list[tuple[str, str, str]]) -> None:
    names = dictionary()["indicators"].names
    with copied() as folder:
        with (folder / "tables" / "indicators.csv").open("w", encoding="utf-8", newline="") as out:
            writer = csv.DictWriter(out, names, lineterminator="\n")
            writer.writeheader()
            for number, (topic, value, note) in enumerate(rows):
                filled = {
                    "id": f"r{number}",
                    "topic": topic,
                    "name": "n",
                    "value": value,
                    "unit": "ratio",
                    "note": note,
                }
                writer.writerow({**filled, "source": "plan-document", "basis": "stated"})
        plan = outcome(folder)
        if plan is not None:
            assert [row.text["value"] for row in plan["indicators"]] == [value for _, value, _ in rows]
            both_ways(plan)


@settings(max_examples=12)
@given(
    st.lists(WRITTEN, min_size=5, max_size=5),
    PRINTED,
    st.dictionaries(st.sampled_from(["2026/27", "2027/28", "2029/30"]), st.integers(0, 100)),
)
def test_any_text_in_a_scheme_survives_folder_and_workbook(texts: list[str], size: str, ramp: dict[str, int]) -> None:
    name, summary, evidence, where, note = (text.replace("\u2028", " ") for text in texts)
    steps = ", ".join(f"{year}: {share / 100}" for year, share in ramp.items())
    quoted = {key: "'" + text.replace("'", "''").replace("\n", " ") + "'" for key, text in
              {"name": name, "summary": summary, "evidence": evidence, "where": where, "note": note}.items()}  # fmt: skip
    text = f"""
id: home-first
name: {quoted["name"]}
summary: {quoted["summary"]}
evidence: {quoted["evidence"]}
theme: care-at-home
delivery: pathway
source: plan-document
effects:
  - id: stay
    kind: staff
    target: {{organisation: [infirmary, council]}}
    size: '{size}'
    unit: WTE
    ramp: {{{steps}}}
    where: {quoted["where"]}
    note: {quoted["note"]}
    basis: stated
"""
    with copied() as folder:
        (folder / "schemes" / "home-first.yaml").write_text(text, encoding="utf-8")
        plan = outcome(folder)
        if plan is not None:
            assert plan.scheme("home-first").effects[0].text["size"] == size
            both_ways(plan)


# -- workbooks ----------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return write_workbook(Plan.read(TEMPLATE), tmp_path_factory.mktemp("book") / "plan.xlsx").read_bytes()


def read_bytes(content: bytes) -> Plan | None:
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "plan.xlsx"
        path.write_bytes(content)
        return outcome(path)


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_for_a_workbook(content: bytes, zipped: bool) -> None:
    assert read_bytes(b"PK\x03\x04" + content if zipped else content) is None


@given(st.integers(0, 10**6), st.binary(min_size=1, max_size=8), st.booleans())
def test_a_workbook_with_bytes_changed_or_cut(book: bytes, position: int, new: bytes, cut: bool) -> None:
    start = position % len(book)
    read_bytes(book[:start] if cut else book[:start] + new + book[start + len(new) :])


XML_CHANGES = [
    ("<v>", "<v>x"), ("<v>", "<v>-"), ("<v>", "<v>1E400"), ("<v>", "<v>99999"), ("<v>", "<f>1</f><v>"), ("</v>", "</v><v>3</v>"), ('t="s"', 't="e"'), ('t="s"', 't="b"'),
    ('t="s"', 't="d"'), ('t="s"', 't="inlineStr"'), ('t="s"', 't="n"'), ('t="s"', 't="zz"'), ('t="s"', 't="str"'), ('s="', 's="9'), ('s="', 's="-'), (' r="', ' r="Z'),
    (' r="', ' r="9'), (' r="', ' x="'), ("<row", "<row/><row"), ("<row", "<zow"), ("</row>", ""), ("<sheetData>", "<sheetData/><sheetData>"), ("<c ", "<c><c "),
    ("<sheetData>", '<mergeCells><mergeCell ref="A1:B2"/></mergeCells><sheetData>'), ("ref=", "fer="), ('<sheet name="', '<sheet name="x'), ("sheetId=", "sheetId='a' x="),
    ("r:id=", "r:di="), ('Target="', 'Target="../'), ("<si>", "<si><r>"), ("<t>", "<t>&#65534;"), ("<t>", "<t>\ud83d".encode("utf-16", "surrogatepass").decode("utf-16", "replace")),
    ("numFmtId=", "numFmtId='9' x="), ("formatCode=", "formatCode='yyyy' x="), ("<xf ", "<fx "), ("count=", "count='x' y="), ("xmlns", "ymlns"), ("utf-8", "utf-16"), ("UTF-8", "UTF-7"),
    ("standalone", "standalonely"), ("date1904", "date"), ("<workbookPr", '<workbookPr date1904="1"'), ("<cellXfs", "<cellXfsx"), ('indexed="', 'indexed="z'), ("true", "maybe"),
]  # fmt: skip


@settings(max_examples=80)
@given(st.data())
def test_a_workbook_with_its_xml_changed(book: bytes, data: st.DataObject) -> None:
    with zipfile.ZipFile(io.BytesIO(book)) as old:
        parts = {name: old.read(name) for name in old.namelist()}
    old_text, new_text = data.draw(st.sampled_from(XML_CHANGES))
    holding = [name for name, content in parts.items() if old_text.encode() in content]
    if not holding:
        return
    name = data.draw(st.sampled_from(sorted(holding)))
    pieces = parts[name].split(old_text.encode())
    place = data.draw(st.integers(1, len(pieces) - 1))
    parts[name] = (
        old_text.encode().join(pieces[:place])
        + new_text.encode("utf-8", "replace")
        + old_text.encode().join(pieces[place:])
    )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as new:
        for part, content in parts.items():
            new.writestr(part, content)
    plan = read_bytes(out.getvalue())
    if plan is not None:
        assert len(plan["beds"]) <= 8
