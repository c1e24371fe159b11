"""Small plans for tests, written as tables of text and read as any plan is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from hypothesis import strategies as st

from bettercare.plan import Plan
from bettercare.plan.dictionary import dictionary
from bettercare.plan.read import build

Rows = Sequence[Mapping[str, Any]]
Raw = dict[str, list[tuple[str, dict[str, str]]]]

FIGURE = {"source": "paper", "basis": "stated", "unit": "ratio", "note": "because"}
FILLED: Mapping[str, Mapping[str, str]] = {
    "sources": {"title": "The paper"},
    "organisations": {"name": "Somebody", "kind": "acute-provider", "sector": "health"},
    "localities": {"name": "Somewhere", "kind": "footprint"},
    "themes": {"name": "A strand", "order": "1", "source": "paper"},
    "population": {"area": "all", "band": "all", "period": "2016/17", "unit": "persons"},
    "spend": {"category": "Base cost", "year": "2016/17", "unit": "GBP m"},
    "activity": {"year": "2016/17", "unit": "admissions"},
    "beds": {"year": "2016/17", "unit": "beds"},
    "workforce": {"staff_group": "All staff", "year": "2016/17", "unit": "WTE"},
    "growth": {"from": "2016/17", "to": "2020/21", "unit": "%"},
    "funding": {"sector": "health", "kind": "transformation", "year": "2017/18", "unit": "GBP m"},
    "investments": {"line": "A line", "programme": "scheme", "recurrence": "recurrent", "year": "2017/18", "unit": "GBP m"},
    "capital_programmes": {"name": "A building", "source": "paper"},
    "capital": {"programme": "site", "project": "A wing", "kind": "spend", "unit": "GBP m"},
    "delivery": {
        "name": "A class", "low": "1", "likely": "1", "high": "1", "probability": "1", "on_time": "1", "year_late": "0",
        "two_years_late": "0", "basis": "assumed", "note": "because",
    },
    "common_causes": {"basis": "assumed", "note": "because"},
    "parameters": {"name": "A parameter"},
    "schemes": {"name": "A scheme", "theme": "one", "delivery": "sure", "source": "paper"},
    "effects": {"basis": "stated"},
}  # fmt: skip

HEADER = {
    "id": "example",
    "title": "Example",
    "kind": "system-plan",
    "footprint": "Exampleshire",
    "base_year": "2016/17",
    "first_year": "2017/18",
    "last_year": "2020/21",
    "price_base": "2016/17",
}
"""plan.yaml of a plan for tests."""

ALWAYS: Mapping[str, Rows] = {
    "sources": [{"id": "paper"}],
    "localities": [{"id": "all"}],
    "themes": [{"id": "one"}],
    "organisations": [
        {"id": "acute"},
        {"id": "community", "kind": "community-mental-health-provider"},
        {"id": "council", "kind": "local-authority", "sector": "social-care"},
    ],
    "delivery": [
        {"id": "sure"},
        {
            "id": "hopeful", "low": 0.2, "likely": 0.6, "high": 1.1, "probability": 0.85, "on_time": 0.5, "year_late": 0.35,
            "two_years_late": 0.15,
        },
        {"id": "short", "low": 0.7, "likely": 0.7, "high": 0.7, "probability": 0.9, "on_time": 1},
    ],
}  # fmt: skip
"""Rows a plan cannot do without; a test may give its own instead."""


def raw_of(tables: Mapping[str, Rows], schemes: Rows = ()) -> Raw:
    """The text of a plan's cells. A scheme is a row with its ``effects`` under it."""
    given: dict[str, Iterable[Mapping[str, Any]]] = {**ALWAYS, **tables}
    given["schemes"] = [{name: value for name, value in scheme.items() if name != "effects"} for scheme in schemes]
    given["effects"] = [
        {**effect, "scheme": scheme["id"]} for scheme in schemes for effect in scheme.get("effects", ())
    ]
    raw: Raw = {}
    for table, rows in given.items():
        spec = dictionary()[table]
        base = {**(FIGURE if spec.figures else {}), **FILLED.get(table, {})}
        raw[table] = []
        for number, row in enumerate(rows, start=2):
            where = (
                f"schemes/{row['scheme']}.yaml, effect {row['id']}"
                if table == "effects"
                else f"tables/{table}.csv, row {number}"
            )
            cells = {
                "id": f"{table}-{number}",
                **base,
                **{name: str(value) for name, value in row.items() if value is not None},
            }
            raw[table].append((where, cells))
    return raw


def small_plan(
    tables: Mapping[str, Rows] | None = None, schemes: Rows = (), last: str = "2020/21", raw: Raw | None = None
) -> Plan:
    """A plan from 2016/17 to ``last``."""
    header = {**HEADER, "last_year": last}
    return build(header, raw if raw is not None else raw_of(tables or {}, schemes), [])


RATES: Rows = (
    {
        "id": "stay-ne",
        "organisation": "acute",
        "pod": "non-elective",
        "measure": "length-of-stay",
        "value": 5,
        "unit": "days",
        "low": 4,
        "high": 6,
    },
    {
        "id": "stay-el",
        "organisation": "acute",
        "pod": "elective",
        "measure": "length-of-stay",
        "value": 3,
        "unit": "days",
    },
    {
        "id": "stay-ward",
        "organisation": "community",
        "pod": "virtual-ward",
        "measure": "length-of-stay",
        "value": 9,
        "unit": "days",
    },
    {"id": "full", "measure": "occupancy", "value": 90, "unit": "%", "low": 85, "high": 95},
    {
        "id": "price-ne",
        "organisation": "acute",
        "pod": "non-elective",
        "measure": "unit-cost",
        "value": 1490,
        "unit": "GBP",
    },
    {
        "id": "price-contact",
        "pod": "community-contact",
        "measure": "unit-cost",
        "value": 45,
        "unit": "GBP",
        "low": 35,
        "high": 55,
    },
    {"id": "price-ward", "pod": "virtual-ward", "measure": "unit-cost", "value": 700, "unit": "GBP"},
    {
        "id": "staff-bed",
        "organisation": "acute",
        "measure": "staff-per-bed",
        "value": 1.9,
        "unit": "WTE",
        "low": 1.6,
        "high": 2.2,
    },
    {"id": "staff-contact", "pod": "community-contact", "measure": "staff-per-unit", "value": 0.001, "unit": "WTE"},
)
ORDINARY: Mapping[str, Rows] = {
    "activity": [
        {"id": "ne", "organisation": "acute", "pod": "non-elective", "value": 80000},
        {"id": "contacts", "organisation": "community", "pod": "community-contact", "value": 200000, "unit": "contacts"},
    ],
    "beds": [
        {"id": "el", "organisation": "acute", "pod": "elective", "value": 250},
        {"id": "ward", "organisation": "community", "pod": "virtual-ward", "value": 200, "unit": "virtual beds"},
    ],
    "rates": RATES,
    "spend": [
        {"id": "acute", "organisation": "acute", "value": 800},
        {"id": "community", "organisation": "community", "value": 300},
        {"id": "council", "organisation": "council", "value": 500},
    ],
    "growth": [
        {"id": "grow-ne", "organisation": "acute", "pod": "non-elective", "measure": "activity", "value": 12, "low": 8, "high": 18},
        {"id": "grow-el", "organisation": "acute", "pod": "elective", "measure": "beds", "value": 25, "unit": "beds", "low": 10, "high": 35},
        {"id": "cost-acute", "organisation": "acute", "measure": "cost", "value": 20, "low": 16, "high": 24},
        {"id": "more-money", "measure": "funding", "value": 100, "unit": "GBP m", "low": 80, "high": 120},
    ],
    "workforce": [{"id": "staff-acute", "organisation": "acute", "value": 9000}],
    "parameters": [
        {"id": "wte-cost", "value": 45, "unit": "GBP k", "low": 40, "high": 50},
        {"id": "pay-share", "value": 65, "unit": "%"},
        {"id": "double-running", "value": 6, "unit": "months", "low": 3, "high": 9},
    ],
    "common_causes": [
        {"id": "c1", "cause": "Demand", "driver": "grow-*", "loading": 0.6},
        {"id": "c2", "cause": "Demand", "driver": "class:hopeful", "loading": -0.3},
        {"id": "c3", "cause": "Capacity", "driver": "class:*", "loading": 0.5},
    ],
}  # fmt: skip
"""A system with a hospital, a community provider and a council, of about the size of a small county's."""

YEARS = ("2016/17", "2017/18", "2018/19", "2019/20", "2020/21")


@st.composite
def effects_on(draw: st.DrawFn, place: tuple[str, str], sizes: float) -> dict[str, Any]:
    """An effect on one pool of ORDINARY, of at most ``sizes`` (a share of what is there)."""
    organisation, pod = place
    base = {
        "non-elective": ("admissions", 80000),
        "elective": ("admissions", 27375),
        "community-contact": ("contacts", 200000),
    }[pod]
    bedded = pod != "community-contact"
    kind = draw(st.sampled_from(["avoid", "shift", "shorten"] if bedded else ["avoid"]))
    beds = {"non-elective": 1217, "elective": 250}.get(pod, 0)
    units = ["%", *(["beds"] if bedded else []), "days" if kind == "shorten" else base[0]]
    unit = draw(st.sampled_from(units))
    whole = {"%": 100.0, "beds": float(beds), "days": 3.0}.get(unit, float(base[1]))
    size = round(draw(st.floats(0.001, 1.0)) * sizes * whole, 4)
    effect: dict[str, Any] = {
        "kind": kind,
        "organisation": organisation,
        "pod": pod,
        "unit": unit,
        **draw(spread(size)),
    }
    if draw(st.booleans()):
        effect["by"] = draw(st.sampled_from(YEARS[2:]))
    if kind == "shift" or draw(st.integers(0, 3)) == 0:
        per_bed = bedded and (kind == "shorten" or draw(st.booleans()))
        effect |= {"becomes_organisation": "community"}
        effect |= (
            {"becomes_pod": "virtual-ward", "per_bed": 1} if per_bed else {"becomes_pod": "virtual-ward", "per_unit": 1}
        )
    return effect


@st.composite
def spread(draw: st.DrawFn, size: float) -> dict[str, float]:
    """A size: one number, low/likely/high or p10/p90."""
    shape = draw(st.integers(0, 3))
    if shape == 1:
        return {"low": size * 0.5, "likely": size, "high": size * 1.2}
    if shape == 2:
        return {"p10": size * 0.8, "p90": size * 1.2}
    return {"size": size}


@st.composite
def small_schemes(draw: st.DrawFn, most: int = 5) -> list[dict[str, Any]]:
    """Schemes over ORDINARY, whose effects cannot together remove more than there is."""
    schemes: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, most))):
        effects: list[dict[str, Any]] = []
        for position in range(draw(st.integers(0, 3))):
            place = draw(
                st.sampled_from([("acute", "non-elective"), ("acute", "elective"), ("community", "community-contact")])
            )
            effects.append({"id": f"e{position}", **draw(effects_on(place, 0.8 / most / 3))})
        followed = [effect["id"] for effect in effects]
        organisation = draw(st.sampled_from(["acute", "community", "council", "acute; community"]))
        money = draw(st.sampled_from(["", "save", "invest", "share", "follow", "price"]))
        size = round(draw(st.floats(0.1, 10.0)), 3)
        if money in ("save", "invest"):
            effects.append(
                {"id": "money", "kind": money, "organisation": organisation, "unit": "GBP m", **draw(spread(size))}
            )
            if money == "invest" and draw(st.booleans()):
                effects[-1]["recurrent"] = "no"
        elif money == "share":
            effects.append({"id": "money", "kind": "save", "organisation": organisation, "unit": "%", "size": size})
        elif money == "follow" and followed:
            effects.append(
                {
                    "id": "money",
                    "kind": "save",
                    "organisation": organisation,
                    "unit": "GBP m",
                    "follows": draw(st.sampled_from(followed)),
                }
                | draw(spread(size))
            )
        elif money == "price" and followed:
            effects.append(
                {
                    "id": "money",
                    "kind": "save",
                    "organisation": "acute",
                    "unit": "GBP",
                    "per": "unit",
                    "size": 1490,
                    "follows": followed[0],
                }
            )
        if draw(st.integers(0, 3)) == 0:
            effects.append(
                {
                    "id": "people",
                    "kind": "staff",
                    "organisation": "acute",
                    "unit": "WTE",
                    "size": draw(st.integers(-50, 50)),
                }
            )
        if draw(st.integers(0, 4)) == 0:
            effects.append(
                {"id": "more", "kind": "add", "organisation": "acute", "pod": "elective", "unit": "beds", "size": 12}
            )
        scheme: dict[str, Any] = {
            "id": f"s{number}",
            "delivery": draw(st.sampled_from(["sure", "hopeful", "short"])),
            "effects": effects,
        }
        if schemes and draw(st.integers(0, 2)) == 0:
            scheme["requires"] = draw(st.sampled_from(schemes))["id"]
        if draw(st.integers(0, 2)) == 0:
            scheme["starts"] = draw(st.sampled_from(YEARS[1:3]))
        schemes.append(scheme)
    return schemes


@st.composite
def small_tables(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    """ORDINARY with some tables left out, changed or added."""
    tables = {name: [dict(row) for row in rows] for name, rows in ORDINARY.items()}
    for name in ("workforce", "common_causes", "parameters"):
        if draw(st.integers(0, 3)) == 0:
            del tables[name]
    tables["growth"] = [row for row in tables["growth"] if draw(st.integers(0, 3))]
    for row in tables["growth"]:
        if row["unit" if "unit" in row else "id"] not in ("beds", "GBP m") and draw(st.booleans()):
            row["unit"] = "% a year"
    if draw(st.booleans()):
        tables["growth"] += [
            {"id": "older", "measure": "population", "band": "older", "value": 10, "low": 8, "high": 12},
            {"id": "adults", "measure": "population", "band": "adults", "value": 2},
        ]
        tables["rates"] += [
            {
                "id": f"age-{band}",
                "pod": "non-elective",
                "measure": "age-share",
                "band": band,
                "value": share,
                "unit": "%",
            }
            for band, share in (("children", 10), ("adults", 40), ("older", 50))
        ]
    if draw(st.booleans()):
        tables["funding"] = [
            {"id": "opening", "kind": "opening-position", "year": "2016/17", "value": draw(st.integers(-30, 30))},
            {"id": "fund", "value": 20, "year": "2020/21"},
            {"id": "pressure", "kind": "unallocated-pressure", "year": "2020/21", "value": 12},
        ]
    if draw(st.booleans()):
        tables["capital_programmes"] = [{"id": "site"}]
        tables["capital"] = [
            {"id": "wing", "year": "2017/18", "value": 30},
            {"id": "land", "kind": "disposal", "year": "2019/20", "value": -10},
        ]
        tables.setdefault("parameters", []).append(
            {"id": "capital-overrun", "value": 0, "low": -5, "high": 25, "unit": "%"}
        )
    if draw(st.booleans()):
        tables["investments"] = [{"id": "strand", "programme": "strand", "theme": "one", "year": "2020/21", "value": 3}]
    return tables


@st.composite
def small_plans(draw: st.DrawFn) -> tuple[dict[str, list[dict[str, Any]]], list[dict[str, Any]]]:
    """Tables and schemes of a small plan that can be run."""
    return draw(small_tables()), draw(small_schemes())
