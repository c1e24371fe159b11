"""The format of a plan, said in cases that run: what stands in a file, and what reading it gives.

Each case is a change to one small plan. The cases are data, so that the documents can show them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bettercare.errors import PlanError
from bettercare.plan import Plan
from bettercare.plan.workbook import write_workbook

SMALL: Mapping[str, str] = {
    "plan.yaml": """
id: small
title: A small plan
kind: system-plan
footprint: Smallshire
base_year: 2016/17
first_year: 2017/18
last_year: 2018/19
price_base: 2016/17
""",
    "tables/sources.csv": """
id,title
paper,The paper
""",
    "tables/organisations.csv": """
id,name,kind,sector
hospital,The hospital,acute-provider,health
community,The community trust,community-mental-health-provider,health
""",
    "tables/themes.csv": """
id,name,order,source
home,Care at home,1,paper
""",
    "tables/delivery.csv": """
id,name,low,likely,high,probability,on_time,year_late,two_years_late,basis,note
sure,Sure,1,1,1,1,1,0,0,assumed,For the example
""",
    "tables/activity.csv": """
id,organisation,pod,year,value,unit,source,basis
admissions,hospital,non-elective,2016/17,"10,000",admissions,paper,stated
""",
    "schemes/teams.yaml": """
id: teams
name: Teams
theme: home
delivery: sure
source: paper
effects:
  - id: fewer
    kind: avoid
    target: {organisation: hospital, pod: non-elective}
    size: 500
    unit: admissions
    basis: stated
""",
}


@dataclass(frozen=True)
class Case:
    """What the case says, the files that differ from the small plan, and either what is asked of it or the fault it has."""

    says: str
    files: Mapping[str, str] = field(default_factory=dict)
    ask: Callable[[Plan], Any] | None = None
    answer: Any = None
    fault: str = ""


def figure(cell: str, unit: str = "beds", extra: str = "", extra_cell: str = "") -> dict[str, str]:
    heading = "id,organisation,year,value,unit,source,basis" + (f",{extra}" if extra else "")
    row = f'a,hospital,2016/17,"{cell}",{unit},paper,stated' + (f',"{extra_cell}"' if extra else "")
    return {"tables/beds.csv": f"{heading}\n{row}\n"}


def beds(plan: Plan) -> Any:
    return plan.figure("beds", "a")


def effect(size: str = "size: 500", more: str = "") -> dict[str, str]:
    text = SMALL["schemes/teams.yaml"].replace("size: 500", size)
    return {"schemes/teams.yaml": text + "".join(f"    {line}\n" for line in more.splitlines())}


def first(plan: Plan) -> Any:
    return plan.scheme("teams").effects[0]


CASES: Mapping[str, list[Case]] = {
    "A plan is a folder": [
        Case("The plan's own lines stand in plan.yaml.", {}, lambda plan: (plan.id, plan.years), ("small", ("2016/17", "2017/18", "2018/19"))),
        Case("A table that is not there has no rows.", {}, lambda plan: len(plan["risks"]), 0),
        Case("A scheme's file is named by its id.", {"schemes/teams.yaml": SMALL["schemes/teams.yaml"].replace("id: teams", "id: team")},
             fault="schemes/teams.yaml: The scheme's id is 'team'. Make it 'teams', or rename the file."),
        Case("A file that is no table is a fault, so that a misspelt name is not a silent loss.", {"tables/organisation.csv": "id\n"},
             fault="tables/organisation.csv: This is not a table of a plan."),
        Case("Columns may stand in any order, and those that are not required may be left out.",
             {"tables/sources.csv": "title,id\nThe paper,paper\n"}, lambda plan: plan["sources"].by_id["paper"]["title"], "The paper"),
        Case("Spaces round a cell do not count.", {"tables/sources.csv": "id , title\n paper , The paper \n"}, lambda plan: plan["sources"].by_id["paper"].text, {"id": "paper", "title": "The paper"}),
        Case("Rows without any cell filled are passed over.", {"tables/sources.csv": "id,title\n,\n\npaper,The paper\n"}, lambda plan: len(plan["sources"]), 1),
    ],
    "Figures": [
        Case("The digits printed say how precisely a figure is known: 33.0 to the nearest tenth.", figure("33.0"), lambda plan: (beds(plan).value, beds(plan).place), (33.0, 0.1)),
        Case("33 is known to the nearest whole.", figure("33"), lambda plan: (beds(plan).value, beds(plan).place), (33.0, 1.0)),
        Case("Commas between thousands are allowed.", figure("1,940"), lambda plan: (beds(plan).value, beds(plan).place), (1940.0, 1.0)),
        Case("precision says when fewer digits count than are printed.", figure("54,000", extra="precision", extra_cell="1000"), lambda plan: beds(plan).place, 1000.0),
        Case("Half the last digit is how far the truth may lie from the figure, in the base unit.", figure("2.5", unit="GBP m"), lambda plan: (beds(plan).base, beds(plan).half_width), (2.5e6, 0.05e6)),
        Case("A figure names its source.", {"tables/beds.csv": "id,organisation,year,value,unit,source,basis\na,hospital,2016/17,33,beds,rumour,stated\n"},
             fault="tables/beds.csv, row 2, column source: 'rumour' is not in sources. It has: paper."),
        Case("An assumed figure gives its reason.", {"tables/beds.csv": "id,organisation,year,value,unit,source,basis,note\na,hospital,2016/17,33,beds,paper,assumed,\n"},
             fault="tables/beds.csv, row 2, column note: An assumed figure has no reason."),
        Case("Numbers are digits: words, signs of money and per cent, exponents and nan are not.", figure("33%"), fault="'33%' is not a number. Leave the % sign out and write % as the unit."),
        Case("A count is not below zero.", figure("-33"), fault="tables/beds.csv, row 2, column value: -33 is negative."),
    ],
    "Words": [
        Case("A financial year is written with both its years.", {"plan.yaml": SMALL["plan.yaml"].replace("2018/19", "2018")}, fault="plan.yaml, last_year: '2018' is not a financial year. Write it as 2016/17."),
        Case("The base year comes before the plan.", {"plan.yaml": SMALL["plan.yaml"].replace("first_year: 2017/18", "first_year: 2016/17")}, fault="plan.yaml, first_year: The years are not in order."),
        Case("A date is written year first.", {"tables/milestones.csv": "id,milestone,due,source\nopen,Opens,2018-03-31,paper\n"}, lambda plan: plan["milestones"].by_id["open"]["due"], date(2018, 3, 31)),
        Case("A list in a cell is separated by semicolons, and in YAML is a list.", {"schemes/teams.yaml": SMALL["schemes/teams.yaml"].replace("effects:", "settings: [community, primary-care]\neffects:")},
             lambda plan: (plan.scheme("teams").row["settings"], plan.scheme("teams").row.text["settings"]), (("community", "primary-care"), "community; primary-care")),
        Case("A word of a list is one of the list.", {"tables/activity.csv": SMALL["tables/activity.csv"].replace("non-elective", "emergency")}, fault="column pod: 'emergency' is not allowed here."),
        Case("A row refers to another by its id.", {"tables/activity.csv": SMALL["tables/activity.csv"].replace("hospital", "clinic")}, fault="column organisation: 'clinic' is not in organisations. It has: hospital, community."),
        Case("Two rows of a table do not share an id.", {"tables/sources.csv": "id,title\npaper,One\npaper,Two\n"}, fault="tables/sources.csv, row 3, column id: 'paper' is already used at tables/sources.csv, row 2."),
    ],
    "Schemes": [
        Case("The text of a size is kept: 12.0 is known to the nearest tenth.", effect("size: 12.0"), lambda plan: (first(plan)["size"], plan["effects"].figure(first(plan), "size").place), (12.0, 0.1)),
        Case("A size may be a range.", effect("size: {low: 300, likely: 500, high: 600}"), lambda plan: (first(plan)["size"], first(plan)["low"], first(plan)["high"]), (None, 300.0, 600.0)),
        Case("Or two points of a distribution.", effect("size: {p10: 300, p90: 600}"), lambda plan: (first(plan)["p10"], first(plan)["p90"]), (300.0, 600.0)),
        Case("A range is in order.", effect("size: {low: 700, likely: 500, high: 600}"), fault="schemes/teams.yaml, line 7: The sizes of 'fewer' are not in order."),
        Case("Sizes are positive: the kind says which way they go.", effect("size: -500"), fault="The effect 'fewer' has a negative size."),
        Case("A ramp gives the share in place each year.", effect(more="ramp: {2017/18: 0.25, 2018/19: 1}"), lambda plan: first(plan)["ramp"], (("2017/18", 0.25), ("2018/19", 1.0))),
        Case("Work that appears elsewhere says where, and how much for each unit.", effect(more="becomes: {organisation: community, pod: community-contact, per_unit: 6}"), lambda plan: (first(plan)["becomes_organisation"], first(plan)["per_unit"]), ("community", 6.0)),
        Case("It cannot say only half of that.", effect(more="becomes: {organisation: community}"), fault="Where the activity of 'fewer' goes is not clear."),
        Case("Money that follows an effect names one of the same scheme.", effect(more="follows: others"), fault="'fewer' follows 'others', which is not an effect of the scheme."),
        Case("An effect takes place within the plan.", effect(more="by: 2020/21"), fault="The effect 'fewer' names 2020/21, outside the plan (2016/17 to 2018/19)."),
        Case("No more than all can be removed.", {"schemes/teams.yaml": SMALL["schemes/teams.yaml"].replace("500", "120").replace("unit: admissions", "unit: '%'")}, fault="The effect 'fewer' would remove more than there is."),
        Case("Schemes do not wait for each other in a circle.", {"schemes/teams.yaml": SMALL["schemes/teams.yaml"].replace("effects:", "requires: [teams]\neffects:")}, fault="Schemes require each other in a circle: teams -> teams."),
        Case("A line that is not known is a fault, so that a misspelt one is not a silent loss.", effect(more="bye: 2018/19"), fault="schemes/teams.yaml, line 13: 'bye' is not known here."),
    ],
    "Faults": [
        Case("All faults are reported at once, each with its place and a remedy.", figure("many") | effect("size: lots"),
             fault="The plan cannot be used: 3 faults."),
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("chapter", "case"),
    [(chapter, case) for chapter, cases in CASES.items() for case in cases],
    ids=lambda value: getattr(value, "says", value),
)
def test_the_format(chapter: str, case: Case, tmp_path: Path) -> None:
    folder = tmp_path / "small"
    for name, text in {**SMALL, **case.files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), encoding="utf-8")
    if case.fault:
        with pytest.raises(PlanError) as caught:
            Plan.read(folder)
        assert case.fault in str(caught.value), f"{chapter}: {caught.value}"
        return
    plan = Plan.read(folder)
    assert case.ask is not None
    assert (
        case.ask(plan) == pytest.approx(case.answer)
        if isinstance(case.answer, float)
        else case.ask(plan) == case.answer
    )
    # What the format says holds for a copy and for a workbook too.
    assert case.ask(Plan.read(plan.write(tmp_path / "copy"))) == case.answer
    assert case.ask(Plan.read(write_workbook(plan, tmp_path / "plan.xlsx"))) == case.answer


def test_the_page_in_the_documents_is_the_page_the_dictionary_makes() -> None:
    from bettercare.plan.format_page import page

    committed = Path(__file__).parents[2] / "docs" / "plan-format.md"
    assert committed.read_text(encoding="utf-8") == page(), "Write it again with: make docs"
