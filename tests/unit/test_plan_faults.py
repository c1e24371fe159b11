"""Every way a plan folder can be wrong: where it is said to be, what is said, and that a remedy is given.

Each case spoils one thing in a copy of the template, which has no faults.
"""

from __future__ import annotations

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.plan import Plan, faults, read
from bettercare.plan.cells import number, printed_place, ramp, value_of
from bettercare.plan.dictionary import Column, dictionary
from bettercare.plan.template import TEMPLATE

Spoil = Callable[[Path], object]


def faults_of(folder: Path) -> tuple[Fault, ...]:
    with pytest.raises(PlanError) as caught:
        Plan.read(folder)
    return caught.value.faults


def put(file: str, row: int, **cells: str) -> Spoil:
    """Set cells of a row of a CSV file; the heading is row 1, as a spreadsheet shows it."""

    def spoil(folder: Path) -> None:
        path = folder / "tables" / f"{file}.csv"
        lines = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))
        for name, text in cells.items():
            lines[row - 1][lines[0].index(name.rstrip("_"))] = text
        with path.open("w", encoding="utf-8", newline="") as out:
            csv.writer(out, lineterminator="\n").writerows(lines)

    return spoil


def swap(file: str, old: str, new: str) -> Spoil:
    """Replace text in a file; it must be there."""

    def spoil(folder: Path) -> None:
        path = folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text, f"{old!r} is not in {file}"
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return spoil


def make(file: str, content: str | bytes) -> Spoil:
    """Write a file, in place of one of that name."""

    def spoil(folder: Path) -> None:
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def both(*spoils: Spoil) -> Spoil:
    def spoil(folder: Path) -> None:
        for one in spoils:
            one(folder)

    return spoil


def remove(file: str) -> Spoil:
    def spoil(folder: Path) -> None:
        path = folder / file
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def at(file: str, text: str) -> str:
    """Where the template's file holds the text: ``file, line 7``."""
    lines = (TEMPLATE / file).read_text(encoding="utf-8").splitlines()
    return f"{file}, line {next(number for number, line in enumerate(lines, start=1) if text in line)}"


TEAMS, HOME, HUB = "schemes/neighbourhood-teams.yaml", "schemes/home-first.yaml", "schemes/surgical-hub.yaml"
PLAN = "plan.yaml"
HEADING = "id,organisation,pod,site,year,value,unit,precision,source,where,basis,note\n"
GOOD_ROW = "a,infirmary,elective,,2025/26,60,beds,,board-paper,,stated,\n"

# what is spoilt, where it is said to be, what is said
CASES: dict[str, tuple[Spoil, str, str]] = {
    # cells
    "not a number": (put("beds", 2, value="many"), "tables/beds.csv, row 2, column value", "'many' is not a number."),
    "nan": (put("beds", 2, value="nan"), "tables/beds.csv, row 2, column value", "is not a number"),
    "infinity": (put("beds", 2, value="inf"), "tables/beds.csv, row 2, column value", "is not a number"),
    "exponent": (put("beds", 2, value="1e400"), "tables/beds.csv, row 2, column value", "is not a number"),
    "percent sign": (put("beds", 2, value="20%"), "tables/beds.csv, row 2, column value", "is not a number"),
    "pound sign": (put("beds", 2, value="£20"), "tables/beds.csv, row 2, column value", "is not a number"),
    "brackets": (put("beds", 2, value="(20)"), "tables/beds.csv, row 2, column value", "is not a number"),
    "long minus": (put("beds", 2, value="−20"), "tables/beds.csv, row 2, column value", "is not a number"),
    "commas astray": (put("beds", 2, value="1,94,0"), "tables/beds.csv, row 2, column value", "is not a number"),
    "other digits": (put("beds", 2, value="٤٢"), "tables/beds.csv, row 2, column value", "is not a number"),
    "too large": (put("beds", 2, value="9" * 20), "tables/beds.csv, row 2, column value", "too large"),
    "too many digits": (put("beds", 2, value="1." + "3" * 60), "tables/beds.csv, row 2, column value", "more digits"),
    "10 MB cell": (put("beds", 2, note="x" * 10_000_000), "tables/beds.csv, row 2, column note", "holds 10,000,000 characters"),
    "control character": (put("beds", 2, note="bell \x07"), "tables/beds.csv, row 2, column note", "cannot be printed (U+0007)"),
    "id with a capital": (put("beds", 2, id="Beds 1"), "tables/beds.csv, row 2, column id", "is not a short name"),
    "id too long": (put("beds", 2, id="b" * 101), "tables/beds.csv, row 2, column id", "is not a short name"),
    "not whole": (put("themes", 2, order="1.5"), "tables/themes.csv, row 2, column order", "is not a whole number"),
    "not a year": (put("beds", 2, year="2025"), "tables/beds.csv, row 2, column year", "is not a financial year"),
    "year of two centuries": (put("beds", 2, year="2025/27"), "tables/beds.csv, row 2, column year", "is not a financial year"),
    "year too early": (put("beds", 2, year="0001/02"), "tables/beds.csv, row 2, column year", "is not a financial year"),
    "not a date": (put("milestones", 2, due="31/03/2027"), "tables/milestones.csv, row 2, column due", "is not a date"),
    "neither yes nor no": (put("sites", 2, inpatients_now="maybe"), "tables/sites.csv, row 2, column inpatients_now", "neither yes nor no"),
    "not a choice": (put("beds", 2, basis="guessed"), "tables/beds.csv, row 2, column basis", "is not allowed here"),
    "not a unit": (put("beds", 2, unit="furlongs"), "tables/beds.csv, row 2, column unit", "is not a unit"),
    "ramp without a colon": (swap(TEAMS, "ramp: {2026/27: 0.2, 2027/28: 0.5, 2028/29: 0.8, 2029/30: 1}", "ramp: straight"),
                             at(TEAMS, "id: admissions") + ", column ramp", "is not a step of a ramp"),
    "ramp above one": (swap(TEAMS, "2029/30: 1}", "2029/30: 100}"), at(TEAMS, "id: admissions") + ", column ramp", "is not between 0 and 1"),
    "ramp with a word": (swap(TEAMS, "2029/30: 1}", "2029/30: all}"), at(TEAMS, "id: admissions") + ", column ramp", "'all' is not a number"),
    "ramp naming a year twice": (swap(TEAMS, "ramp: {2026/27: 0.2, 2027/28: 0.5, 2028/29: 0.8, 2029/30: 1}", "ramp: '2026/27: 0; 2026/27: 1'"),
                                 at(TEAMS, "id: admissions") + ", column ramp", "names a year twice"),
    "setting not known": (swap(TEAMS, "[community, primary-care]", "[community, moonbase]"), f"{TEAMS}, line 3, column settings", "'moonbase' is not allowed"),
    # files
    "no plan.yaml": (remove(PLAN), PLAN, "has no plan.yaml"),
    "plan.yaml not YAML": (make(PLAN, "id: ["), f"{PLAN}, line", "is not YAML"),
    "plan.yaml a list": (make(PLAN, "- a\n"), f"{PLAN}, line 1", "is not a list of `name: value` lines"),
    "a link to nothing": (lambda folder: (folder / "schemes" / "a.yaml").symlink_to("nowhere"), "schemes/a.yaml", "is not there"),
    "no such table": (make("tables/bed.csv", HEADING), "tables/bed.csv", "is not a table of a plan"),
    "a table of schemes": (make("tables/effects.csv", "id\n"), "tables/effects.csv", "is not a table of a plan"),
    "not a CSV file": (make("tables/beds.xlsx", b"PK"), "tables/beds.xlsx", "is not a table of a plan"),
    "a folder for a table": (both(remove("tables/beds.csv"), make("tables/beds.csv/x", "")), "tables/beds.csv", "is not a file"),
    "a table in the wrong place": (make("beds.csv", HEADING), "beds.csv", "Nothing is read from a file here"),
    "a scheme of another ending": (make("schemes/a.yml", "id: a\n"), "schemes/a.yml", "is not a scheme"),
    "a scenario of another ending": (make("scenarios/a.txt", "id: a\n"), "scenarios/a.txt", "is not a scenario"),
    "a scenario's name": (make("scenarios/Big Bang.yaml", "id: a\n"), "scenarios/Big Bang.yaml", "is not a short name"),
    "a scenario too long": (make("scenarios/a.yaml", f"id: a\ntitle: {'x' * 30_000}\n"), "scenarios/a.yaml", "at most 30,000"),
    "a scenario that is not YAML": (make("scenarios/a.yaml", "changes: [\n"), "scenarios/a.yaml, line 2", "is not YAML"),
    "not UTF-8": (make("tables/beds.csv", (HEADING + GOOD_ROW).encode() + b"b,\xe9\n"), "tables/beds.csv, line 3", "is not UTF-8 text"),
    "UTF-16": (make("tables/beds.csv", (HEADING + GOOD_ROW).encode("utf-16")), "tables/beds.csv, line 1", "is not UTF-8 text"),
    "zero bytes": (make("tables/beds.csv", HEADING + "a\0b\n"), "tables/beds.csv", "zero bytes"),
    "too large a file": (make("tables/beds.csv", b"x" * 20_000_001), "tables/beds.csv", "holds 20,000,001 bytes"),
    "an empty file": (make("tables/beds.csv", ""), "tables/beds.csv, row 1", "Columns are missing: id, organisation"),
    # rows and columns of a CSV file
    "column missing": (make("tables/beds.csv", HEADING.replace(",unit", "")), "tables/beds.csv, row 1", "Columns are missing: unit."),
    "column not known": (make("tables/beds.csv", HEADING.replace(",note", ",colour")), "tables/beds.csv, row 1", "'colour' is not known"),
    "column twice": (make("tables/beds.csv", HEADING.replace(",note", ",unit")), "tables/beds.csv, row 1", "'unit' is there twice"),
    "too many columns": (make("tables/beds.csv", ",".join(f"c{n}" for n in range(5000))), "tables/beds.csv, row 1", "There are 5,000 columns."),
    "semicolons": (make("tables/beds.csv", HEADING.replace(",", ";")), "tables/beds.csv, row 1", "not separated by commas"),
    "tabs": (make("tables/beds.csv", HEADING.replace(",", "\t")), "tables/beds.csv, row 1", "not separated by commas"),
    "a cell too few": (make("tables/beds.csv", HEADING + GOOD_ROW + "b,infirmary\n"), "tables/beds.csv, row 3", "has 2 cells and the table 12 columns"),
    "a cell too many": (make("tables/beds.csv", HEADING + GOOD_ROW.replace("\n", ",x\n")), "tables/beds.csv, row 2", "has 13 cells"),
    "a quote not closed": (make("tables/beds.csv", HEADING + GOOD_ROW + 'b,"infirmary,\n\n\n'), "tables/beds.csv, row 3", "opened and not closed"),
    "a quote in the wrong place": (make("tables/beds.csv", HEADING + 'b,"inf"irmary\n'), "tables/beds.csv, row 2", "cannot be read"),
    "blank": (put("beds", 2, unit=""), "tables/beds.csv, row 2, column unit", "The cell is blank."),
    "blank choice": (put("beds", 2, basis=""), "tables/beds.csv, row 2, column basis", "The cell is blank."),
    "blank reference": (put("beds", 2, organisation=""), "tables/beds.csv, row 2, column organisation", "The cell is blank."),
    "no reason": (put("parameters", 4, note=""), "tables/parameters.csv, row 4, column note", "An assumed figure has no reason."),
    "id twice": (put("beds", 3, id="emergency-2025"), "tables/beds.csv, row 3, column id", "already used at tables/beds.csv, row 2"),
    # plan.yaml
    "header line not known": (swap(PLAN, "kind:", "sort:"), at(PLAN, "kind:"), "'sort' is not known."),
    "header line missing": (swap(PLAN, "footprint: Exampleshire", ""), PLAN, "footprint is missing."),
    "header line a list": (swap(PLAN, "footprint: Exampleshire", "footprint: [a, b]"), at(PLAN, "footprint:"), "must be a single value"),
    "header id": (swap(PLAN, "id: exampleshire", "id: ../etc"), f"{PLAN}, id", "is not a short name"),
    "header kind": (swap(PLAN, "system-plan\n", "wish-list\n"), f"{PLAN}, kind", "is not allowed here"),
    "header year": (swap(PLAN, "2029/30", "2030"), f"{PLAN}, last_year", "is not a financial year"),
    "header years in the wrong order": (swap(PLAN, "first_year: 2026/27", "first_year: 2025/26"), f"{PLAN}, first_year", "not in order"),
    "header years too many": (swap(PLAN, "2029/30", "2129/30"), f"{PLAN}, last_year", "longer than 60 years"),
    "header flag": (swap(PLAN, "synthetic: yes", "synthetic: partly"), f"{PLAN}, synthetic", "neither yes nor no"),
    # YAML
    "not YAML": (swap(TEAMS, "id: neighbourhood-teams ", "id: 'neighbourhood-teams "), "schemes/neighbourhood-teams.yaml, line", "is not YAML"),
    "a tab for an indent": (swap(TEAMS, "    kind: avoid", "\tkind: avoid"), at(TEAMS, "kind: avoid"), "is not YAML"),
    "a list for a mapping": (make(TEAMS, "- id: a\n"), f"{TEAMS}, line 1", "is not a list of `name: value` lines"),
    "empty YAML": (make(TEAMS, "# nothing\n"), TEAMS, "The file is empty."),
    "a name twice": (swap(TEAMS, "owner:", "theme:"), at(TEAMS, "owner:"), "'theme' is written twice."),
    "a name that is a list": (swap(TEAMS, "owner:", "[owner]:"), at(TEAMS, "owner:"), "is not a word"),
    "an alias": (make(TEAMS, "id: &a x\nname: *a\n"), f"{TEAMS}, line 2", "Aliases (*name) are not used"),
    "two documents": (swap(TEAMS, "# What the scheme", "---\n# What the scheme"), at(TEAMS, "# What the scheme"), "more than one document"),
    "too deep": (make(TEAMS, "a: " + "[" * 50 + "]" * 50), f"{TEAMS}, line 1", "nested too deeply"),
    "too large YAML": (make(TEAMS, "a: " + "x" * 1_000_001), TEAMS, "at most 1,000,000 are read"),
    "a control character in YAML": (swap(TEAMS, "Director of", "Director\x07 of"), at(TEAMS, "owner:"), "cannot be printed (U+0007)"),
    "a line missing in a scheme": (swap(TEAMS, "delivery: demand-management", "note: none"), "schemes/neighbourhood-teams.yaml, line 3, column delivery", "delivery is missing."),
    # scheme files
    "scheme named otherwise": (swap(TEAMS, "id: neighbourhood-teams", "id: neighbour-teams    "), TEAMS, "The scheme's id is 'neighbour-teams'."),
    "effects no list": (swap(TEAMS, "effects:\n  - id: admissions   ", "effects:\n    id: admissions     "), TEAMS, "is not YAML"),
    "effects a word": (make(TEAMS, "id: neighbourhood-teams\neffects: many\n"), f"{TEAMS}, line 2", "effects must be a list."),
    "effect a word": (make(TEAMS, "id: neighbourhood-teams\neffects: [many]\n"), f"{TEAMS}, line 2", "An effect must be a list"),
    "target a word": (swap(HUB, "target: {programme: hub}", "target: hub"), at(HUB, "target: {programme"), "target must be a list"),
    "not known under target": (swap(HUB, "{programme: hub}", "{project: hub}"), at(HUB, "target: {programme"), "'project' is not known under target."),
    "effect naming its scheme": (swap(HUB, "kind: build ", "scheme: surgical-hub\n    kind: build "), at(HUB, "kind: build"), "does not name the scheme"),
    "effect part in the wrong place": (swap(HUB, "target: {programme: hub}", "programme: hub"), at(HUB, "target: {programme"), "stands in the wrong place"),
    "a list of values": (swap(HOME, "size: 3.1", "size: [3.1]"), at(HOME, "size: 3.1"), "size must be a single value"),
    "a mapping of values": (swap(HOME, "unit: GBP m", "unit: {GBP: m}"), at(HOME, "unit: GBP m"), "unit must be a single value"),
    "a list of lists": (swap(HOME, "settings: [crisis, community]", "settings: [[crisis], community]"), at(HOME, "settings:"), "must be a list of words"),
    "a semicolon in a list": (swap(HOME, "settings: [crisis, community]", "settings: [crisis; community]"), at(HOME, "settings:"), "holds a semicolon"),
    "scheme line not known": (swap(HOME, "owner:", "boss:"), at(HOME, "owner:"), "'boss' is not known here."),
    "effect line not known": (swap(HOME, "follows: stay ", "pursues: stay "), at(HOME, "follows: stay"), "'pursues' is not known here."),
    # between tables
    "unknown row": (put("beds", 2, organisation="hospital"), "tables/beds.csv, row 2, column organisation", "'hospital' is not in organisations."),
    "unknown row of an empty table": (both(remove("tables/sites.csv"), put("beds", 2, site="ward")), "tables/beds.csv, row 2, column site", "is not in sites"),
    "unknown in a list": (swap(TEAMS, "[community-trust, infirmary]", "[community-trust, vets]"), f"{TEAMS}, line 3, column organisations", "'vets' is not in"),
    "unknown in text": (put("risks", 2, scheme="teams"), "tables/risks.csv, row 2, column scheme", "'teams' is not in schemes."),
    "negative count": (put("beds", 2, value="-5"), "tables/beds.csv, row 2, column value", "-5 is negative."),
    "precision of nothing": (put("activity", 2, precision="0"), "tables/activity.csv, row 2, column precision", "must be above zero"),
    "low above high": (put("growth", 5, low="20"), "tables/growth.csv, row 5, column low", "low 20 is above high 14"),
    "risk off the scale": (put("risks", 2, impact="25"), "tables/risks.csv, row 2, column impact", "25 is not on the scale."),
    "year outside the plan": (put("funding", 3, year="2031/32"), "tables/funding.csv, row 3, column year", "2031/32 is outside the plan (2025/26 to 2029/30)."),
    "growth backwards": (put("growth", 5, to="2024/25"), "tables/growth.csv, row 5, column to", "does not go forward"),
    "effect outside the plan": (swap(HOME, "by: 2028/29", "by: 2038/39"), at(HOME, "id: follow-up"), "names 2038/39, outside the plan"),
    "ramp outside the plan": (swap(TEAMS, "{2026/27: 0.2", "{2016/17: 0.2"), at(TEAMS, "id: admissions"), "names 2016/17, outside the plan"),
    "start outside the plan": (swap(HOME, "starts: 2027/28", "starts: 2037/38"), f"{HOME}, line 3", "starts 2037/38 is outside the plan"),
    "spend below zero": (put("capital", 2, value="-9.0"), "tables/capital.csv, row 2, column value", "-9.0 has the wrong sign."),
    "disposal above zero": (put("capital", 4, value="4.0"), "tables/capital.csv, row 4, column value", "4.0 has the wrong sign."),
    "builds nothing": (swap(HUB, "target: {programme: hub}", "target: {organisation: infirmary}"), at(HUB, "id: building"), "'building' builds nothing."),
    "no target": (swap(HOME, "target: {organisation: infirmary, pod: outpatient}", "target: {pod: outpatient}"), at(HOME, "id: follow-up"), "has no target organisation"),
    "no size": (swap(HOME, "    size: 3.1", "    note: none"), at(HOME, "id: wards"), "'wards' has no usable size."),
    "half a size": (swap(TEAMS, "{low: 900, likely: 1800, high: 2200}", "{low: 900, high: 2200}"), at(TEAMS, "id: admissions"), "has no usable size"),
    "negative size": (swap(HOME, "size: 3.1", "size: -3.1"), at(HOME, "id: wards"), "'wards' has a negative size."),
    "sizes out of order": (swap(TEAMS, "low: 900", "low: 1900"), at(TEAMS, "id: admissions"), "are not in order"),
    "p10 above p90": (swap(TEAMS, "{low: 900, likely: 1800, high: 2200}", "{p10: 9, p90: 1}"), at(TEAMS, "id: admissions"), "are not in order"),
    "no unit": (swap(HOME, "unit: GBP m\n", "note: none\n"), at(HOME, "id: wards"), "'wards' has no unit."),
    "money in beds": (swap(HOME, "unit: GBP m", "unit: beds"), at(HOME, "id: wards"), "is money but its unit is beds"),
    "activity in money": (swap(HOME, "unit: beds ", "unit: GBP k "), at(HOME, "id: stay"), "changes activity but its unit is GBP k"),
    "staff in heads": (swap(TEAMS, "unit: WTE", "unit: headcount"), at(TEAMS, "id: coordinators"), "is staff but its unit is headcount"),
    "more than all": (swap(HOME, "size: 5\n", "size: 105\n"), at(HOME, "id: follow-up"), "'follow-up' would remove more than there is."),
    "no point of delivery": (swap(HOME, "target: {organisation: infirmary, pod: outpatient}", "target: {organisation: infirmary}"), at(HOME, "id: follow-up"), "no point of delivery"),
    "several organisations": (swap(HOME, "{organisation: infirmary, pod: outpatient}", "{organisation: [infirmary, council], pod: outpatient}"),
                              at(HOME, "id: follow-up"), "changes activity at several organisations"),
    "shift to nowhere": (swap(HOME, "    becomes: {organisation: community-trust, pod: community-outpatient, per_unit: 1}\n", ""), at(HOME, "id: follow-up"), "Where the activity of 'follow-up' goes is not clear."),
    "becomes by unit and bed": (swap(TEAMS, "per_unit: 8}", "per_unit: 8, per_bed: 1}"), at(TEAMS, "id: admissions"), "is not clear"),
    "follows what is not there": (swap(HOME, "follows: stay ", "follows: goes "), at(HOME, "id: wards"), "follows 'goes', which is not an effect of the scheme"),
    "follows itself": (swap(HOME, "follows: stay ", "follows: wards "), at(HOME, "id: wards"), "Effects follow each other in a circle"),
    "price of nothing": (swap(HOME, "follows: stay ", "per: unit "), at(HOME, "id: wards"), "is a price for each unit of nothing"),
    "schemes in a circle": (swap(TEAMS, "requires: []  ", "requires: [home-first]  "), f"{HOME}, line 3", "Schemes require each other in a circle"),
    "scheme requiring itself": (swap(TEAMS, "requires: []  ", "requires: [neighbourhood-teams]  "), f"{TEAMS}, line 3", "Schemes require each other in a circle"),
    "milestones in a circle": (put("milestones", 2, requires="transfer-hub-open"), "tables/milestones.csv, row 2", "Milestones require each other in a circle"),
    "organisations in a circle": (put("organisations", 2, part_of="board"), "tables/organisations.csv, row 2", "Rows are part of each other in a circle"),
    "localities in a circle": (put("localities", 2, part_of="north"), "tables/localities.csv, row", "Rows are part of each other in a circle"),
    "probability above one": (put("delivery", 2, probability="85"), "tables/delivery.csv, row 2", "A probability is not between 0 and 1."),
    "delays not adding up": (put("delivery", 2, on_time="0.4"), "tables/delivery.csv, row 2", "add to 0.9"),
    "delivery out of order": (put("delivery", 2, low="0.9"), "tables/delivery.csv, row 2", "low, likely and high are not in order"),
    "loadings too large": (put("common_causes", 2, loading="1.2"), "tables/common_causes.csv, row 2", "square to 1.44"),
    "share without a band": (put("rates", 12, band=""), "tables/rates.csv, row 12, column band", "names no age band"),
    "shares not adding up": (put("rates", 12, value="25"), "tables/rates.csv, row 12", "The age shares of non-elective add to 110%."),
    "occupancy above one": (put("rates", 3, value="190"), "tables/rates.csv, row 3, column value", "Occupancy is not between 0 and 100 %."),
    "no stay at all": (put("rates", 2, value="0"), "tables/rates.csv, row 2, column value", "must be above zero"),
}  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TEMPLATE, tmp_path / "plan"))


@pytest.mark.parametrize("case", CASES)
def test_every_fault_says_where_what_and_what_to_do(case: str, folder: Path) -> None:
    spoil, where, what = CASES[case]
    spoil(folder)
    found = faults_of(folder)
    matching = [fault for fault in found if fault.where.startswith(where) and what in fault.what]
    assert matching, "\n".join(map(str, found))
    for fault in found:
        assert fault.remedy, fault
        assert fault.remedy.endswith((".", "?")), fault
        assert fault.what.endswith("."), fault
        assert len(str(fault)) < 1_000


def test_all_faults_are_reported_at_once(folder: Path) -> None:
    for spoil in (
        put("beds", 2, value="many"),
        put("growth", 5, low="20"),
        swap(TEAMS, "owner:", "boss:"),
        swap(PLAN, "2029/30", "2030"),
    ):
        spoil(folder)
    assert {fault.where.split(",")[0] for fault in faults_of(folder)} == {
        PLAN,
        "tables/beds.csv",
        "tables/growth.csv",
        TEAMS,
    }


def test_faults_stand_in_the_order_of_the_rows(folder: Path) -> None:
    make(
        "tables/beds.csv",
        HEADING + "".join(f"a{n},infirmary,elective,,2025/26,x,beds,,board-paper,,stated,\n" for n in range(12)),
    )(folder)
    assert [fault.where.split(",")[1] for fault in faults_of(folder)] == [f" row {n}" for n in range(2, 14)]


def test_faults_of_one_file_are_counted_when_there_are_too_many(folder: Path) -> None:
    make("tables/beds.csv", HEADING + "".join(f"a{n},infirmary,,,x,x,x,,,,x,\n" for n in range(3_000)))(folder)
    found = [fault for fault in faults_of(folder) if fault.where.startswith("tables/beds.csv")]
    assert faults.MOST < len(found) < 3 * faults.MOST
    assert any("more faults like these" in fault.what for fault in found)


def test_a_table_too_long_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "MOST_ROWS", 3)
    assert any("more than 3 rows" in fault.what for fault in faults_of(folder))


def test_rows_are_counted_as_a_spreadsheet_shows_them(folder: Path) -> None:
    text = (
        HEADING
        + GOOD_ROW.replace(",stated,", ',stated,"two\nlines"')
        + "\n"
        + GOOD_ROW.replace("a,", "b,").replace("60", "many")
    )
    make("tables/beds.csv", text)(folder)
    assert any(fault.where == "tables/beds.csv, row 4, column value" for fault in faults_of(folder))


@pytest.mark.parametrize(
    "text",
    [
        "\ufeff" + HEADING + GOOD_ROW,
        (HEADING + GOOD_ROW).replace("\n", "\r\n"),
        (HEADING + GOOD_ROW).replace("\n", "\r"),
        HEADING.replace("\n", ",,,\n") + GOOD_ROW.replace("\n", ",,,\n"),
        HEADING + "\n,,,,\n" + GOOD_ROW + "\n\n",
        HEADING.replace(",", " , ") + GOOD_ROW.replace(",", " , "),
        '"id",organisation,pod,site,year,value,unit,precision,source,where,basis,note\n' + GOOD_ROW.replace("60", '"60"'),
    ],
    ids=["byte order mark", "CRLF", "CR", "blank columns at the end", "blank rows", "spaces", "quotes"],
)  # fmt: skip
def test_habits_of_other_programs_are_borne(text: str, folder: Path) -> None:
    make("tables/beds.csv", text)(folder)
    make("tables/claims.csv", "")(folder)
    remove("tables/claims.csv")(folder)
    row = Plan.read(folder)["beds"].by_id["a"]
    assert (row["value"], row.text["value"]) == (60.0, "60")


def test_a_pipe_in_place_of_a_table_is_not_waited_for(folder: Path) -> None:
    import os

    remove("tables/beds.csv")(folder)
    os.mkfifo(folder / "tables" / "beds.csv")
    assert any(fault.where == "tables/beds.csv" and "not a file" in fault.what for fault in faults_of(folder))


def test_a_file_one_may_not_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*arguments: object, **options: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_text", refused)
    found = faults_of(folder)
    assert all("cannot be read (Permission denied)" in fault.what and fault.remedy for fault in found)
    assert {fault.where for fault in found} >= {PLAN, TEAMS, "tables/beds.csv", "scenarios/slow-start.yaml"}


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("no-such-plan", "There is no plan"),
        ("x" * 5_000, "cannot be opened"),
        ("a\0b", "There is no plan"),
        ("", "has no plan.yaml"),
    ],
)
def test_what_is_no_plan_is_one_sentence(
    source: str, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BettercareError, match=says) as caught:
        Plan.read(source)
    assert caught.value.remedy or caught.value.faults[0].remedy
    assert len(str(caught.value)) < 600


def test_of_a_folder_of_other_things_only_the_missing_plan_is_said(tmp_path: Path) -> None:
    for name in ("settings.yaml", "list.csv"):
        (tmp_path / name).write_text("a: 1\n", encoding="utf-8")
    (found,) = faults_of(tmp_path)
    assert (found.where, found.what) == (PLAN, "The folder has no plan.yaml.")


def test_a_file_that_is_no_workbook(tmp_path: Path) -> None:
    path = tmp_path / "plan.pdf"
    path.write_bytes(b"%PDF")
    with pytest.raises(BettercareError, match="not a plan"):
        Plan.read(path)


class TestCells:
    @pytest.mark.parametrize(
        ("text", "value", "place"),
        [("1940", 1940, 1), ("1,940", 1940, 1), ("54.40", 54.4, 0.01), ("-28,350", -28350, 1), ("+3", 3, 1), (".5", 0.5, 0.1), (" 7 ", 7, 1), ("0.10", 0.1, 0.01)],
    )  # fmt: skip
    def test_numbers_as_printed(self, text: str, value: float, place: float) -> None:
        assert number(text) == value
        assert printed_place(text) == pytest.approx(place)

    @pytest.mark.parametrize(
        "text",
        ["", " ", "-", ".", "1.", "1,2", "1,0000", "1 940", "1_000", "0x10", "1e5", "--1", "NaN", "½", "1,940.5,0"],
    )
    def test_what_is_no_number(self, text: str) -> None:
        with pytest.raises(BettercareError, match="is not a number"):
            number(text)

    @pytest.mark.parametrize(
        ("text", "remedy"),
        [("20%", "% as the unit"), ("£5", "GBP"), ("(5)", "minus sign"), ("−5", "hyphen"), ("five", "Write digits")],
    )
    def test_the_remedy_fits_the_mistake(self, text: str, remedy: str) -> None:
        with pytest.raises(BettercareError) as caught:
            number(text)
        assert remedy in caught.value.remedy

    def test_ramps(self) -> None:
        assert ramp("2018/19: 1; 2017/18: 0.25") == (("2017/18", 0.25), ("2018/19", 1.0))

    def test_every_type_of_column_is_read(self) -> None:
        types = {column.type for spec in dictionary().values() for column in spec.columns}
        examples = {
            "id": "a-1", "text": "x", "number": "1.5", "integer": "2", "year": "2016/17", "date": "2017-03-31", "flag": "yes",
            "choice": "a", "choices": "a; b", "ref": "r", "refs": "r; s", "unit": "beds", "ramp": "2016/17: 1", "expression": "1 + 1",
        }  # fmt: skip
        assert types <= set(examples)
        for kind, text in examples.items():
            assert value_of(Column("c", kind, "no", "", ("a", "b"), ""), text) is not None
