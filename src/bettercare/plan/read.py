"""Reading a plan folder, and validating what any reader found. Every fault is reported at once."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from importlib import resources
from pathlib import Path

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.plan.cells import LONGEST_CELL, value_of
from bettercare.plan.claims import faults_of_claims
from bettercare.plan.dictionary import SCHEME_TABLES, Column, TableSpec, dictionary
from bettercare.plan.faults import Gathered
from bettercare.plan.figures import Row, Table
from bettercare.plan.plan import HEADER, REQUIRED_HEADER, Plan
from bettercare.plan.scheme_file import RawRow, rows_of
from bettercare.plan.validate import faults_of
from bettercare.plan.yaml_file import parse_yaml, read_text, read_yaml
from bettercare.vocabulary import FinancialYear

LARGEST_TABLE = 20_000_000
"""Bytes of a CSV file."""
MOST_ROWS = 200_000
"""Rows of a table; a hundred times the largest published plan."""
MOST_COLUMNS = 100
LONGEST_SCENARIO = 30_000
"""Characters of a scenario file: what a cell of a workbook can hold."""
LONGEST_PLAN = 60
"""Years."""


def shipped() -> Mapping[str, Path]:
    """The plans that come with bettercare, by name."""
    root = Path(str(resources.files("bettercare"))) / "plans"
    return {
        path.parent.name: path.parent for path in sorted(root.glob("*/plan.yaml")) if path.parent.name != "template"
    }


def read_plan(source: str | Path) -> Plan:
    """See :meth:`Plan.read`."""
    path = Path(source)
    try:
        found = path.exists()
    except OSError as error:
        raise BettercareError(
            f"{str(source)[:200]!r} cannot be opened ({error.strerror}).", remedy="Give a folder or a workbook."
        ) from None
    if not found:
        plans = shipped()
        if str(source) not in plans:
            raise BettercareError(
                f"There is no plan {str(source)[:200]!r}.",
                remedy=f"Give a folder, a workbook or one of: {', '.join(plans)}.",
            )
        path = plans[str(source)]
    if path.is_file():
        if path.suffix.lower() != ".xlsx":
            raise BettercareError(
                "This is not a plan.", str(source), "Give the folder that holds plan.yaml, or an .xlsx workbook."
            )
        from bettercare.plan.workbook import raw_from_workbook

        book = raw_from_workbook(path)
        return build(book.header, book.raw, book.faults, book.scenarios, header_at="sheet Plan", unread=book.unread)
    return _read_folder(path)


def _read_folder(folder: Path) -> Plan:
    faults: list[Fault] = []
    header = _read_header(folder, faults)
    unread: set[str] = set()
    raw: dict[str, Sequence[RawRow]] = {}
    for path in _files(folder / "tables"):
        shown = f"tables/{path.name}"
        if path.suffix != ".csv" or path.stem not in dictionary() or path.stem in SCHEME_TABLES:
            faults.append(Fault(shown, "This is not a table of a plan.", f"Tables: {', '.join(_table_names())}."))
            continue
        before = len(faults)
        raw[path.stem] = read_csv(path, shown, dictionary()[path.stem], faults)
        if len(faults) > before:
            unread.add(path.stem)
    raw["schemes"], raw["effects"] = _read_schemes(folder, faults, unread)
    return build(header, raw, faults, _read_scenarios(folder, faults), unread=unread)


def _table_names() -> list[str]:
    return [name for name in dictionary() if name not in SCHEME_TABLES]


def _files(folder: Path) -> list[Path]:
    """What a folder of the plan holds, in the order of the names; hidden files (an editor's locks) are not part of it."""
    if not folder.is_dir():
        return []
    return sorted(
        (path for path in folder.iterdir() if not path.name.startswith(".")), key=lambda path: (path.stem, path.suffix)
    )


def _read_header(folder: Path, faults: list[Fault]) -> dict[str, str] | None:
    """What plan.yaml says, or None when it cannot be read."""
    if not (folder / "plan.yaml").exists():
        # Without it the folder is probably none of a plan, and its files are not misplaced.
        remedy = "Give the folder that holds plan.yaml, or start one with `bettercare new`."
        faults.append(Fault("plan.yaml", "The folder has no plan.yaml.", remedy))
        return None
    for path in _files(folder):
        if path.suffix in {".csv", ".yaml", ".yml"} and path.name != "plan.yaml":
            remedy = "Tables stand in tables/, schemes in schemes/ and scenarios in scenarios/: move it."
            faults.append(Fault(path.name, "Nothing is read from a file here.", remedy))
    header: dict[str, str] = {}
    try:
        root = read_yaml(folder / "plan.yaml", "plan.yaml")
    except BettercareError as error:
        faults.extend(error.faults)
        return None
    for key, node in root.items():
        where = f"plan.yaml, line {root.keys[key]}"
        if key not in HEADER:
            faults.append(Fault(where, f"{key[:60]!r} is not known.", f"Known: {', '.join(HEADER)}."))
        elif isinstance(node.value, str):
            if text := node.value.strip():
                header[key] = text
        elif node.value is not None:
            faults.append(Fault(where, f"{key} must be a single value.", f"Write it as {key}: ... on one line."))
    return header


def _read_scenarios(folder: Path, faults: list[Fault]) -> dict[str, str]:
    """The text of each scenario file, by name."""
    texts: dict[str, str] = {}
    for path in _files(folder / "scenarios"):
        shown = f"scenarios/{path.name}"
        if path.suffix != ".yaml":
            faults.append(Fault(shown, "This is not a scenario.", "Scenario files end in .yaml."))
            continue
        try:
            text = read_text(path, shown, LONGEST_SCENARIO)
        except BettercareError as error:
            faults.extend(error.faults)
            continue
        faults.extend(scenario_faults(path.stem, text, shown))
        texts[path.stem] = text.rstrip() + "\n"
    return texts


def scenario_faults(name: str, text: str, shown: str) -> Sequence[Fault]:
    """What keeps a scenario's text from being one: its name, its length or its YAML."""
    try:
        value_of(HEADER_COLUMNS["id"], name)
        parse_yaml(text, shown)
    except BettercareError as error:
        return error.faults or (Fault(shown, error.what, error.remedy),)
    if len(text) > LONGEST_SCENARIO:
        return (Fault(shown, f"The scenario holds {len(text):,} characters.", f"Keep it under {LONGEST_SCENARIO:,}."),)
    return ()


def _read_schemes(folder: Path, faults: list[Fault], unread: set[str]) -> tuple[list[RawRow], list[RawRow]]:
    schemes: list[RawRow] = []
    effects: list[RawRow] = []
    for path in _files(folder / "schemes"):
        shown = f"schemes/{path.name}"
        if path.suffix != ".yaml":
            faults.append(Fault(shown, "This is not a scheme.", "Scheme files end in .yaml."))
            unread.add("schemes")
            continue
        try:
            scheme, its_effects = rows_of(read_yaml(path, shown), shown, faults.append)
        except BettercareError as error:
            faults.extend(error.faults)
            unread.add("schemes")
            continue
        if scheme[1].get("id", path.stem) != path.stem:
            its_id = scheme[1]["id"][:60]
            faults.append(
                Fault(shown, f"The scheme's id is {its_id!r}.", f"Make it {path.stem!r}, or rename the file.")
            )
        schemes.append(scheme)
        effects.extend(its_effects)
    return schemes, effects


def read_csv(path: Path, shown: str, spec: TableSpec, faults: list[Fault]) -> list[RawRow]:
    """The rows of a CSV table, each with where it stands; what is wrong is added to ``faults``."""
    try:
        text = read_text(path, shown, LARGEST_TABLE)
    except BettercareError as error:
        faults.extend(error.faults)
        return []
    if "\0" in text:
        faults.append(Fault(shown, "The file holds zero bytes.", "Save it as UTF-8 text."))
        return []
    previous = csv.field_size_limit(LARGEST_TABLE + 1)
    found = Gathered(faults)
    rows: list[RawRow] = []
    # Rows are counted as a spreadsheet shows them: the heading is row 1, and a cell of several lines is still one row.
    row = 0
    try:
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        names = _heading(next(reader, []))
        row = 1
        if not check_columns(names, shown, spec, faults):
            return []
        for row, cells in enumerate(reader, start=2):
            if not any(cell.strip() for cell in cells):
                continue
            if row > MOST_ROWS:
                found.append(Fault(shown, f"The table has more than {MOST_ROWS:,} rows.", "Is it the right file?"))
                break
            where = f"{shown}, row {row}"
            if len(cells) < len(names) or any(cell.strip() for cell in cells[len(names) :]):
                what = (
                    f"The row has {len(cells)} cell{'' if len(cells) == 1 else 's'} and the table {len(names)} columns."
                )
                found.append(Fault(where, what, "Put quotes round a cell that holds a comma."))
                continue
            rows.append((where, dict(zip(names, cells, strict=False))))
    except csv.Error as error:
        unclosed = "unexpected end of data" in str(error)
        what = "A quotation mark is opened and not closed." if unclosed else f"The row cannot be read ({error})."
        found.append(
            Fault(
                f"{shown}, row {row + 1}",
                what,
                "Check the quotation marks there and below." if unclosed else "Check the quotation marks.",
            )
        )
    finally:
        csv.field_size_limit(previous)
        found.close()
    return rows


def _heading(cells: Sequence[str]) -> list[str]:
    """The names of the columns; blank ones at the end (a spreadsheet's habit) are left out."""
    names = [name.strip() for name in cells]
    while names and not names[-1]:
        names.pop()
    return names


def check_columns(names: Sequence[str], shown: str, spec: TableSpec, faults: list[Fault]) -> bool:
    """Whether a table's columns are those of the dictionary; what is not is a fault."""
    before = len(faults)
    where = f"{shown}, row 1"
    if len(names) > MOST_COLUMNS:
        faults.append(Fault(where, f"There are {len(names):,} columns.", f"Columns: {', '.join(spec.names)}."))
        return False
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        faults.append(
            Fault(
                where, "The columns are not separated by commas.", "Save it as CSV with commas (in Excel: CSV UTF-8)."
            )
        )
        return False
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            faults.append(Fault(where, f"The column {name[:60]!r} is there twice.", "Keep one."))
        if spec.column(name) is None:
            faults.append(Fault(where, f"The column {name[:60]!r} is not known.", f"Columns: {', '.join(spec.names)}."))
    missing = [column.name for column in spec.columns if column.required == "yes" and column.name not in names]
    if missing:
        faults.append(Fault(where, f"Columns are missing: {', '.join(missing)}.", "Add them."))
    return len(faults) == before


def build(
    header: Mapping[str, str] | None,
    raw: Mapping[str, Sequence[RawRow]],
    faults: list[Fault],
    scenarios: Mapping[str, str] | None = None,
    header_at: str = "plan.yaml",
    unread: Collection[str] = (),
) -> Plan:
    """A plan from the text of its cells.

    Args:
        header: None when it could not be read (its faults are then among those given).
        unread: tables of which a part could not be read; what refers to them is not judged, since the row may be in that part.

    Raises:
        PlanError: with every fault found here and those given.
    """
    if header is not None:
        faults.extend(_header_faults(header, header_at))
    tables = {name: Table(spec, tuple(_rows(spec, raw.get(name, ()), faults))) for name, spec in dictionary().items()}
    plan = Plan(dict(header or {}), tables, scenarios or {})
    faults.extend(faults_of(plan, unread))
    if not faults:
        # What a claim reads must be sound before the claim itself can be judged.
        faults.extend(faults_of_claims(plan))
    if faults:
        raise PlanError(faults)
    return plan


_YEARS = ("base_year", "first_year", "last_year", "price_base")
HEADER_COLUMNS = {
    name: Column(
        name,
        {"id": "id", "kind": "choice", "synthetic": "flag"}.get(name, "year" if name in _YEARS else "text"),
        "yes" if name in REQUIRED_HEADER else "no",
        "",
        ("system-plan", "better-care-fund") if name == "kind" else (),
        meaning,
    )
    for name, meaning in HEADER.items()
}


def _header_faults(header: Mapping[str, str], shown: str) -> list[Fault]:
    faults: list[Fault] = []
    years: dict[str, FinancialYear] = {}
    for name, column in HEADER_COLUMNS.items():
        text = header.get(name, "").strip()
        if not text:
            if column.required == "yes":
                faults.append(
                    Fault(
                        shown,
                        f"{name} is missing.",
                        f"Add `{name}:` – {column.meaning[0].lower()}{column.meaning[1:]}.",
                    )
                )
            continue
        try:
            value = value_of(column, text)
            if name in _YEARS:
                years[name] = FinancialYear.parse(value)
        except BettercareError as error:
            faults.append(Fault(f"{shown}, {name}", error.what, error.remedy))
    if {"base_year", "first_year", "last_year"} <= set(years):
        if not years["base_year"] < years["first_year"] <= years["last_year"]:
            remedy = "base_year comes before first_year, and last_year is first_year or later."
            faults.append(Fault(f"{shown}, first_year", "The years are not in order.", remedy))
        elif years["last_year"] - years["base_year"] > LONGEST_PLAN:
            what = f"The plan is longer than {LONGEST_PLAN} years."
            faults.append(Fault(f"{shown}, last_year", what, "Check first_year and last_year."))
    return faults


def _rows(spec: TableSpec, raw: Sequence[RawRow], faults: list[Fault]) -> list[Row]:
    rows = []
    seen: dict[str, str] = {}
    found = Gathered(faults)
    wrong = {fault.where for fault in faults}
    for where, cells in raw:
        values: dict[str, object] = {}
        text: dict[str, str] = {}
        for name in cells:
            if spec.column(name) is None:
                found.append(Fault(where, f"{name[:60]!r} is not known here.", f"Known: {', '.join(spec.names)}."))
        for column in spec.columns:
            cell = cells.get(column.name, "")
            cell = cell.strip() if len(cell) <= LONGEST_CELL else cell
            if not cell:
                # A cell already found wrong by the reader is not blank as well.
                if column.required == "yes" and f"{where}, column {column.name}" not in wrong:
                    what = f"{column.name} is missing." if ".yaml" in where else "The cell is blank."
                    found.append(Fault(f"{where}, column {column.name}", what, _how(column)))
                continue
            try:
                values[column.name] = value_of(column, cell)
                text[column.name] = cell
            except BettercareError as error:
                found.append(Fault(f"{where}, column {column.name}", error.what, error.remedy))
        if values.get("basis") == "assumed" and spec.column("note") is not None and not values.get("note"):
            found.append(
                Fault(
                    f"{where}, column note",
                    "An assumed figure has no reason.",
                    "Say in note why it is needed and why this value.",
                )
            )
        row = Row(values, text, where)
        key = f"{values.get('scheme', '')}.{row.id}" if spec.name == "effects" else row.id
        if row.id and key in seen:
            found.append(
                Fault(
                    f"{where}, column id",
                    f"{row.id!r} is already used at {seen[key]}.",
                    "Give each row a name of its own.",
                )
            )
        seen.setdefault(key, where)
        rows.append(row)
    found.close()
    return rows


def _how(column: Column) -> str:
    """How to fill a blank cell."""
    if column.choices:
        return f"Use one of: {', '.join(column.choices)}."
    if column.refers_to:
        return f"Write the id of a row of {column.refers_to}."
    if column.type in _EXAMPLES:
        return _EXAMPLES[column.type]
    return f"Write {column.meaning[0].lower()}{column.meaning[1:]}." if column.meaning else "Fill it."


_EXAMPLES = {
    "year": "Write a financial year such as 2016/17.",
    "unit": "Write a unit such as beds, % or GBP m.",
    "flag": "Write yes or no.",
    "id": "Write a short name such as acute-2016.",
    "date": "Write a date such as 2017-03-31.",
}
