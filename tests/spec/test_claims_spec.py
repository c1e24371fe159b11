"""What the language of claims means: small plans in, values and verdicts out. Each case is an example for a reader."""

from __future__ import annotations

import pytest

from bettercare import BettercareError
from bettercare.plan import Plan
from bettercare.plan.check import check
from bettercare.plan.claims import in_words, parse
from bettercare.plan.read import build
from small_plan import HEADER

FIGURE = {"source": "paper", "basis": "stated"}
TABLES: dict[str, list[dict[str, str]]] = {
    "sources": [{"id": "paper", "title": "The paper"}],
    "organisations": [
        {"id": "hospital", "name": "Hospital", "kind": "acute-provider", "sector": "health"},
        {"id": "community", "name": "Community trust", "kind": "community-mental-health-provider", "sector": "health"},
    ],
    "themes": [
        {"id": "home", "name": "Care at home", "order": "1", "source": "paper"},
        {"id": "money", "name": "Efficiency", "order": "2", "source": "paper"},
    ],
    "delivery": [
        {
            "id": "usual",
            "name": "Usual",
            "low": "0.5",
            "likely": "1",
            "high": "1",
            "probability": "1",
            "on_time": "1",
            "year_late": "0",
            "two_years_late": "0",
            "basis": "assumed",
            "note": "For the example",
        }
    ],
    "schemes": [
        {"id": "teams", "name": "Teams", "theme": "home", "owner": "A. Owner", "delivery": "usual", "source": "paper"},
        {"id": "ward", "name": "Ward", "theme": "home", "delivery": "usual", "source": "paper"},
        {"id": "buying", "name": "Buying", "theme": "money", "delivery": "usual", "source": "paper"},
    ],
    "effects": [
        {
            "id": "admissions", "scheme": "teams", "kind": "avoid", "organisation": "hospital", "pod": "non-elective", "size": "2,000",
            "unit": "admissions", "basis": "stated",
        },
        {
            "id": "price", "scheme": "teams", "kind": "save", "organisation": "hospital", "size": "1,500", "unit": "GBP", "per": "unit",
            "follows": "admissions", "basis": "stated",
        },
        {
            "id": "beds", "scheme": "ward", "kind": "avoid", "organisation": "hospital", "pod": "elective", "low": "10", "likely": "12",
            "high": "20", "unit": "beds", "basis": "stated",
        },
        {
            "id": "saving", "scheme": "buying", "kind": "save", "organisation": "hospital; community", "size": "6.0", "unit": "GBP m",
            "by": "2019/20", "basis": "stated",
        },
    ],
    "beds": [
        {"id": "now", "organisation": "hospital", "year": "2016/17", "value": "1,000", "unit": "beds", **FIGURE},
        {"id": "then", "organisation": "hospital", "year": "2020/21", "value": "900", "unit": "beds", **FIGURE},
    ],
    "rates": [
        {"id": "price", "pod": "non-elective", "measure": "unit-cost", "value": "1,500", "unit": "GBP", **FIGURE},
        {"id": "stay", "pod": "non-elective", "measure": "length-of-stay", "value": "5.0", "unit": "days", **FIGURE},
        {"id": "occupancy", "measure": "occupancy", "value": "90", "unit": "%", **FIGURE},
    ],
    "capital_programmes": [{"id": "build", "name": "Build", "roi": "10.2", "payback": "9.8", "source": "paper"}],
    "capital": [
        {"id": "a-2017", "programme": "build", "project": "A", "kind": "spend", "year": "2017/18", "value": "4,000", "unit": "GBP k", **FIGURE},
        {"id": "a-2018", "programme": "build", "project": "A", "kind": "spend", "year": "2018/19", "value": "6.0", "unit": "GBP m", **FIGURE},
        {"id": "land", "programme": "build", "project": "Land", "kind": "disposal", "value": "-1,500", "unit": "GBP k", **FIGURE},
    ],
    "indicators": [
        {"id": "people", "topic": "People", "name": "People", "value": "325,000", "precision": "1000", "unit": "persons", **FIGURE},
        {"id": "practices", "topic": "People", "name": "Practices", "value": "31", "unit": "practices", **FIGURE},
        {"id": "a", "topic": "Parts", "name": "A", "value": "1.2", "unit": "GBP m", **FIGURE},
        {"id": "b", "topic": "Parts", "name": "B", "value": "3.4", "unit": "GBP m", **FIGURE},
        {"id": "share", "topic": "Share", "name": "Share", "value": "20", "unit": "%", **FIGURE},
        {"id": "label", "topic": "Label", "name": "Name of a standard", "value": "62", "unit": "text-number", **FIGURE},
        {"id": "nothing", "topic": "None", "name": "Nought", "value": "0", "unit": "GBP m", **FIGURE},
        {"id": "guess", "topic": "Parts", "name": "Guess", "value": "5.0", "unit": "GBP m", "source": "paper", "basis": "assumed", "note": "x"},
    ],
    "sites": [
        {"id": "royal", "name": "Royal", "kind": "acute", "inpatients_now": "yes", "inpatients_planned": "yes", "source": "paper"},
        {"id": "cottage", "name": "Cottage", "kind": "community", "inpatients_now": "yes", "inpatients_planned": "no", "source": "paper"},
    ],
}  # fmt: skip


def plan(*claims: dict[str, str]) -> Plan:
    tables = {**TABLES, "claims": list(claims)}
    raw = {
        name: [(f"tables/{name}.csv, row {row}", cells) for row, cells in enumerate(rows, 2)]
        for name, rows in tables.items()
    }
    return build(HEADER, raw, [])


def claim(expression: str, stated: str, unit: str, relation: str = "equals", **other: str) -> dict[str, str]:
    return {
        "id": "the-claim",
        "statement": "It is so",
        "stated": stated,
        "unit": unit,
        "relation": relation,
        "expression": expression,
        "source": "paper",
        "where": "page 1",
        **other,
    }


# --- what an expression gives -------------------------------------------------------------------------------------------

VALUES = [
    # one figure; money of every scale is in pounds
    ('beds["now"]', 1000, "beds"),
    ('capital["a-2017"]', 4e6, "GBP"),
    ('capital["a-2017"] + capital["a-2018"]', 10e6, "GBP"),
    # effects of schemes under either name; one without a single size stands for its likely size
    ('effects["teams.admissions"]', 2000, "admissions"),
    ('scheme_effects["ward.beds"]', 12, "beds"),
    ('effects["ward.beds"].high', 20, "beds"),
    # other columns
    ('capital_programmes["build"].roi', 0.102, "a plain number"),
    ('1 / capital_programmes["build"].roi * year', 365.25 / 0.102, "days"),
    ('capital_programmes["build"].payback / year', 9.8, "a plain number"),
    # sums and counts: words, lists of words, patterns
    ("sum(capital)", 8.5e6, "GBP"),
    ('sum(capital, kind="spend")', 10e6, "GBP"),
    ('sum(capital, id="a-*")', 10e6, "GBP"),
    ('sum(capital, year=["2017/18", "2018/19"])', 10e6, "GBP"),
    ('sum(capital, year="")', -1.5e6, "GBP"),
    ('sum(capital, kind="spend", year="2019/20", empty=0)', 0, "a plain number"),
    ('sum(scheme_effects, kind="save", organisation="community")', 6e6, "GBP"),
    ('sum(scheme_effects, theme="money")', 6e6, "GBP"),
    ('sum(capital, project="C", empty=0)', 0, "a plain number"),
    ("count(schemes)", 3, "a plain number"),
    ('count(schemes, theme="home")', 2, "a plain number"),
    ('count(schemes, owner="?*")', 1, "a plain number"),
    ('count(sites, inpatients_now="yes") - count(sites, inpatients_planned="yes")', 1, "a plain number"),
    ("count(themes, order=2)", 1, "a plain number"),
    # arithmetic
    ('(beds["now"] - beds["then"]) / beds["now"]', 0.1, "a plain number"),
    ('-beds["then"] + +beds["now"]', 100, "beds"),
    ('abs(beds["then"] - beds["now"])', 100, "beds"),
    ('max(beds["now"], beds["then"], 0)', 1000, "beds"),
    ("grow(0.02, 4)", 1.02**4, "a plain number"),
    ('beds["now"] * grow(indicators["share"], 2 * year)', 1440, "beds"),
    ('(beds["then"] / beds["now"]) ** (1 / 4) - 1', 0.9**0.25 - 1, "a plain number"),
    # rates carry what they are for
    ('effects["teams.admissions"] * rates["price"]', 3e6, "GBP"),
    ('effects["teams.admissions"] * effects["teams.price"]', 3e6, "GBP"),
    ('effects["teams.admissions"] * rates["stay"] / (365 * day) / rates["occupancy"]', 2000 * 5 / 365 / 0.9, "beds"),
    # number() takes off the word for what is counted
    ('number(effects["teams.admissions"]) / number(indicators["people"])', 2000 / 325000, "a plain number"),
    ('indicators["people"] / indicators["practices"]', 325000 / 31, "persons per practice"),
]


@pytest.mark.parametrize(("expression", "value", "dimension"), VALUES)
def test_an_expression_gives(expression: str, value: float, dimension: str):
    read = parse(expression, plan())
    assert read.value == pytest.approx(value)
    assert in_words(read.dimension) == dimension


# --- the range its printed digits allow ---------------------------------------------------------------------------------

RANGES = [
    # half the last printed digit
    ('indicators["a"]', 1.15e6, 1.25e6),
    ('indicators["a"] + indicators["b"]', 4.5e6, 4.7e6),
    ('indicators["b"] - indicators["a"]', 2.1e6, 2.3e6),
    # a precision that is not the last digit
    ('indicators["people"]', 324500, 325500),
    # one figure twice is one figure
    ('indicators["a"] - indicators["a"]', 0, 0),
    ('(indicators["b"] - indicators["a"]) / indicators["a"]', 3.35 / 1.25 - 1, 3.45 / 1.15 - 1),
    # labels, small counts of whole things and counts of rows are exact
    ('indicators["label"]', 62, 62),
    ('indicators["practices"]', 31, 31),
    ("count(schemes)", 3, 3),
    # numbers written in the expression are exact
    ("365 * day", 365, 365),
    # a difference that may be of either sign: its size may be nought
    ('max(indicators["a"], indicators["b"])', 3.35e6, 3.45e6),
    ('abs(indicators["a"] + indicators["b"] - indicators["guess"])', 0.25e6, 0.55e6),
    ('abs(indicators["nothing"])', 0, 0.5e6),
    ('indicators["nothing"] ** 2', 0, 0.25e12),
    # a divisor that may be nought
    (
        'indicators["a"] / (indicators["nothing"] + 0 * indicators["a"] + indicators["a"] / 1000)',
        float("-inf"),
        float("inf"),
    ),
]


@pytest.mark.parametrize(("expression", "low", "high"), RANGES)
def test_the_printed_digits_allow(expression: str, low: float, high: float):
    assert parse(expression, plan()).range == pytest.approx((low, high))


# --- the verdict --------------------------------------------------------------------------------------------------------

SUM = 'indicators["a"] + indicators["b"]'  # 4.6, and between 4.5 and 4.7
VERDICTS = [
    # equals: to the printed digit; then whether the ranges meet
    (SUM, "4.6", "GBP m", "equals", "agrees"),
    (SUM, "5", "GBP m", "equals", "agrees"),
    (SUM, "4600", "GBP k", "equals", "agrees"),
    (SUM, "4.7", "GBP m", "equals", "rounding"),
    (SUM, "4.5", "GBP m", "equals", "rounding"),
    (SUM, "4.60", "GBP m", "equals", "agrees"),
    (SUM, "4.65", "GBP m", "equals", "rounding"),
    # ranges that just touch meet: 4.70 and 4.75
    (SUM, "4.75", "GBP m", "equals", "inconsistent"),
    (SUM, "4.8", "GBP m", "equals", "inconsistent"),
    # a tie agrees either way
    ("count(schemes) / 2", "1", "ratio", "equals", "agrees"),
    ("count(schemes) / 2", "2", "ratio", "equals", "agrees"),
    # about: twice the width
    ("count(schemes) / 2", "2.4", "ratio", "about", "inconsistent"),
    (SUM, "4.7", "GBP m", "about", "agrees"),
    (SUM, "4.8", "GBP m", "about", "rounding"),
    (SUM, "4.9", "GBP m", "about", "inconsistent"),
    # over, under, at most, at least
    (SUM, "4", "GBP m", "over", "agrees"),
    (SUM, "4.65", "GBP m", "over", "rounding"),
    (SUM, "4.7", "GBP m", "over", "rounding"),
    (SUM, "4.71", "GBP m", "over", "inconsistent"),
    (SUM, "4.7", "GBP m", "under", "agrees"),
    (SUM, "4.6", "GBP m", "under", "rounding"),
    (SUM, "4.4", "GBP m", "under", "inconsistent"),
    (SUM, "4.6", "GBP m", "at-most", "agrees"),
    (SUM, "4.55", "GBP m", "at-most", "rounding"),
    (SUM, "4.49", "GBP m", "at-most", "inconsistent"),
    (SUM, "4.6", "GBP m", "at-least", "agrees"),
    (SUM, "4.8", "GBP m", "at-least", "inconsistent"),
    ("count(schemes)", "3", "schemes", "over", "inconsistent"),
    ("count(schemes)", "3", "schemes", "at-least", "agrees"),
    # compares: the sign alone
    ('indicators["b"] - indicators["a"]', "1", "GBP m", "compares", "agrees"),
    ('indicators["b"] - indicators["a"]', "-1", "GBP m", "compares", "inconsistent"),
    ('indicators["a"] - indicators["a"]', "1", "GBP m", "compares", "inconsistent"),
    ('indicators["a"] - indicators["a"]', "0", "GBP m", "compares", "agrees"),
    ('indicators["nothing"]', "1", "GBP m", "compares", "rounding"),
    # percentages are compared out of a hundred
    ('(beds["now"] - beds["then"]) / beds["now"]', "10", "%", "equals", "agrees"),
    ('(beds["now"] - beds["then"]) / beds["now"]', "10.0", "%", "equals", "agrees"),
    ('(beds["now"] - beds["then"]) / beds["now"]', "10.03", "%", "equals", "rounding"),
    ('(beds["now"] - beds["then"]) / beds["now"]', "11", "%", "equals", "inconsistent"),
    # figures per thing: the unit names what is counted above the line
    ('indicators["people"] / indicators["practices"]', "10,484", "patients", "equals", "agrees"),
    ('indicators["people"] / indicators["practices"]', "10,490", "ratio", "equals", "rounding"),
    ('effects["buying.saving"] / effects["teams.admissions"]', "3,000", "GBP", "equals", "agrees"),
    ('1 / capital_programmes["build"].roi * year', "9.8", "years", "equals", "agrees"),
    ('1 / capital_programmes["build"].roi * year', "11.43", "years", "equals", "inconsistent"),
    # labels do not round
    ('indicators["label"]', "63", "text-number", "equals", "inconsistent"),
    ("count(schemes)", "4", "schemes", "equals", "inconsistent"),
]


@pytest.mark.parametrize(("expression", "stated", "unit", "relation", "verdict"), VERDICTS)
def test_the_verdict_is(expression: str, stated: str, unit: str, relation: str, verdict: str):
    (found,) = check(plan(claim(expression, stated, unit, relation)))
    assert found.verdict == verdict, found


def test_a_stated_figure_may_be_known_less_precisely_than_it_is_printed():
    exact = check(plan(claim('indicators["a"] * 1000', "1,000", "GBP m")))[0]
    rounded = check(plan(claim('indicators["a"] * 1000', "1,000", "GBP m", precision="1000")))[0]
    assert (exact.verdict, rounded.verdict) == ("inconsistent", "agrees")


# --- what is refused ----------------------------------------------------------------------------------------------------

REFUSED = [
    ('beds["nwo"]', "no row 'nwo'. Did you mean now"),
    ('bed["now"]', "no table 'bed'. Did you mean beds"),
    ('beds["now"].colour', "no number column 'colour'"),
    ('beds["now"].precision', "no number column 'precision'"),
    ('beds["now"].id', "no number column 'id'"),
    ('schemes["teams"]', "no figure in a column value"),
    ('capital_programmes["build"].life', "has no life"),
    ('capital_programmes["build"]', "no figure in a column value"),
    ("beds", "is a whole table"),
    ("claims", "no table 'claims'"),
    ("sum(capital, king='spend')", "no column 'king'. Did you mean kind"),
    ("sum(capital, project='B')", "No row of capital has project 'B'"),
    ("sum(capital, project=['A', 'B'])", "No row of capital has project 'B'"),
    ("sum(capital, kind='spend', year='2019/20')", "matches no row"),
    ("sum(capital, year='2091/92')", "No row of capital has year '2091/92'"),
    ("sum(capital, kind='disposal', year='2017/18')", "matches no row"),
    ("sum(capital, kind=spend)", "must be a word or a list of words"),
    ("sum(capital, empty=1)", "empty must be 0"),
    ("sum('capital')", "takes one table"),
    ("sum(capital, **{})", "columns to match by name"),
    ("beds[1]", "does not name a row"),
    ('spend["total"]', "It is empty: add a row"),
    ("sum(scheme_effects, theme='money', kind='avoid')", "matches no row"),
    ("sum(schemes)", "holds no figure"),
    ("sum(indicators)", "cannot be added"),
    ('beds["now"] + indicators["a"]', "GBP and beds cannot be added. Add like to like: beds.now is in beds; indicators.a is in GBP"),
    ('beds["now"] - 1', "a plain number and beds cannot be subtracted"),
    ('max(beds["now"], indicators["a"])', "cannot be compared"),
    ('2 ** beds["now"]', "A power cannot be a number of beds"),
    ('beds["now"] ** 0.5', "Only a small whole power"),
    ("abs(1, 2)", "abs takes one figure"),
    ("min(1)", "min takes two figures or more"),
    ("grow(1)", "grow takes two figures"),
    ("round(1.5)", "no function 'round'"),
    ("1 / 0", "divides by zero"),
    ("(0 - 1) ** 0.5", "divides by zero or leaves the real numbers"),
    ("9.0 ** 9 ** 9 ** 9", "divides by zero or leaves the real numbers"),
    ("1 +", "is not an expression"),
    ("", "is not an expression"),
    ("1; 2", "is not an expression"),
    ("beds['now'", "is not an expression"),
    ("'text'", "not part of the language"),
    ("True", "not part of the language"),
    ("1j", "not part of the language"),
    ("lambda: 1", "not part of the language"),
    ("[1, 2]", "not part of the language"),
    ("1 if 2 else 3", "not part of the language"),
    ("1 < 2", "not part of the language"),
    ("(1).real", "not part of the language"),
    ("__import__('os').system('true')", "not part of the language"),
    ("beds.__class__", "not part of the language"),
    ("().__class__", "not part of the language"),
    ("7 // 2", "not part of the language"),
    ("1e999", "too large"),
    ("9" * 400, "too large"),
    ("(" * 400 + "1" + ")" * 400, "is not an expression"),
    ("-" * 200 + "1", "nested too deeply"),
    ("-" * 4990 + "1", "n"),
    ("1 + " * 2000 + "1", "Keep it under"),
]  # fmt: skip


@pytest.mark.parametrize(("expression", "message"), REFUSED)
def test_is_refused(expression: str, message: str):
    with pytest.raises(BettercareError) as refusal:
        _ = parse(expression, plan()).value
    assert message in str(refusal.value)


UNFIT = [
    ('indicators["a"]', "beds"),
    ('indicators["a"]', "%"),
    ('indicators["share"]', "GBP m"),
    ('indicators["people"] / indicators["practices"]', "%"),
    ('1 / capital_programmes["build"].roi', "years"),
    ("1.0", "schemes"),
    ("count(schemes)", "GBP m"),
    ("count(schemes)", "days"),
    ('1 / indicators["people"]', "persons"),
]


@pytest.mark.parametrize(("expression", "unit"), UNFIT)
def test_an_expression_that_does_not_fit_the_unit_is_a_fault(expression: str, unit: str):
    with pytest.raises(BettercareError) as refusal:
        plan(claim(expression, "1", unit))
    (fault,) = refusal.value.faults
    assert fault.where == "tables/claims.csv, row 2, column expression"
    assert f"the claim is in {unit}" in fault.what
    assert fault.remedy
