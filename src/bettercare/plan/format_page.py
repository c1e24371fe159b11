"""The page that describes the format of a plan, made from the column dictionary so that it cannot say anything else.

``python -m bettercare.plan.format_page docs/plan-format.md`` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bettercare.plan.dictionary import SCHEME_TABLES, Column, TableSpec, dictionary
from bettercare.plan.read import HEADER_COLUMNS
from bettercare.plan.scheme_file import PLACE_OF
from bettercare.plan.template import TEMPLATE
from bettercare.vocabulary import AGE_BANDS, BASES, PODS, SERVICE_MODELS, SETTINGS, UNITS

_KINDS = {
    "id": "a short name: lower-case letters, digits, hyphens, dots and underscores",
    "text": "any text",
    "number": "digits as printed, with commas between thousands if you like: `1940`, `1,940`, `54.40`, `-28.5`",
    "integer": "a whole number",
    "year": "a financial year: `2016/17` runs from 1 April 2016 to 31 March 2017",
    "date": "a day: `2017-03-31`",
    "flag": "`yes` or `no`",
    "choice": "one word of a list",
    "choices": "words of a list, separated by semicolons (in YAML, a list)",
    "ref": "the id of a row of another table",
    "refs": "ids of rows of another table, separated by semicolons (in YAML, a list)",
    "unit": "one of the [units](#units)",
    "ramp": "shares by year: `2017/18: 0.25; 2018/19: 1` (in YAML, a mapping)",
    "expression": "a calculation over the tables of the plan, in the [language of claims](architecture.md#claims)",
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _INTRODUCTION.strip().splitlines()
    yield from heading("plan.yaml", "The plan itself, in a few lines.")
    yield from table(
        ("name", "how", "required", "meaning"),
        ([f"`{name}`", _how(column), column.required, column.meaning] for name, column in HEADER_COLUMNS.items()),
    )
    yield from heading("What a cell may hold")
    yield from table(("kind", "what to write"), ([kind, how] for kind, how in _KINDS.items()))
    yield from _FIGURES.rstrip().splitlines()[1:]
    specs = dictionary()
    shared = next(spec for spec in specs.values() if spec.figures)
    own = [column for column in shared.columns if column.name in _SHARED]
    yield from _columns(own)
    yield from heading("Tables")
    yield from table(
        ("file", "what it holds"),
        (
            [f"[`tables/{spec.name}.csv`](#{spec.name})", f"{spec.meaning}."]
            for spec in specs.values()
            if spec.name not in SCHEME_TABLES
        ),
    )
    for spec in specs.values():
        if spec.name not in SCHEME_TABLES:
            yield from _spec(spec)
    yield from heading("Schemes")
    yield from _SCHEMES.rstrip().splitlines()[1:]
    yield ""
    yield "```yaml"
    yield from (TEMPLATE / "schemes" / "neighbourhood-teams.yaml").read_text(encoding="utf-8").strip().splitlines()
    yield "```"
    for name, text in (("schemes", "### Of the scheme"), ("effects", "### Of each effect")):
        yield ""
        yield text
        yield from _columns(specs[name].columns, in_yaml=name == "effects")
    yield from heading("Scenarios", "Small changes laid over the plan, one file each in `scenarios/`.")
    yield ""
    yield "```yaml"
    yield from (TEMPLATE / "scenarios" / "slow-start.yaml").read_text(encoding="utf-8").strip().splitlines()
    yield "```"
    yield from heading("Workbooks")
    yield from _WORKBOOKS.rstrip().splitlines()[1:]
    yield from heading("Words")
    for title, words in (
        ("Settings of care", SETTINGS),
        ("Service models", SERVICE_MODELS),
        ("Age bands", AGE_BANDS),
        ("Basis of a figure", BASES),
    ):
        yield ""
        yield f"### {title}"
        yield from table(("word", "meaning"), ([f"`{word}`", meaning] for word, meaning in words.items()))
    yield ""
    yield "### Points of delivery"
    yield from table(
        ("word", "meaning", "one of it is counted in", "usual setting", "has beds"),
        ([f"`{pod.id}`", pod.name, pod.unit, pod.setting, "yes" if pod.bedded else "no"] for pod in PODS.values()),
    )
    yield from heading(
        "Units", "Figures of one kind add; figures of different kinds do not, and trying to is an error."
    )
    yield from table(("unit", "kind"), ([f"`{unit.name}`", _dimension(unit.dimension)] for unit in UNITS.values()))


_SHARED = ("value", "unit", "precision", "source", "where", "basis", "note")


def heading(title: str, text: str = "") -> Iterator[str]:
    yield ""
    yield f"## {title}"
    if text:
        yield ""
        yield text


def table(names: Sequence[str], rows: Iterator[list[str]]) -> Iterator[str]:
    yield ""
    yield f"| {' | '.join(names)} |"
    yield f"|{'---|' * len(names)}"
    for row in rows:
        yield f"| {' | '.join(_cell(cell) for cell in row)} |"


def _cell(text: str) -> str:
    """Text as a cell of a Markdown table."""
    return text.replace("|", "\\|").replace("<", "&lt;") or " "


def _spec(spec: TableSpec) -> Iterator[str]:
    yield ""
    yield f"### {spec.name}"
    yield ""
    yield f"{spec.title}. {spec.meaning}."
    yield from _columns([column for column in spec.columns if not (spec.figures and column.name in _SHARED)])
    if spec.figures:
        yield ""
        yield "And the [columns of a figure](#figures)."


def _columns(columns: Sequence[Column], in_yaml: bool = False) -> Iterator[str]:
    def name(column: Column) -> str:
        place = PLACE_OF.get(column.name) if in_yaml else None
        return f"`{place[0]}: {{{place[1]}}}`" if place else f"`{column.name}`"

    listed = [column for column in columns if not (in_yaml and column.name == "scheme")]
    yield from table(
        ("column", "how", "required", "meaning"), ([name(c), _how(c), c.required, c.meaning] for c in listed)
    )


_LINKED = {
    tuple(PODS): "a [point of delivery](#points-of-delivery)",
    tuple(SETTINGS): "a [setting](#settings-of-care)",
    tuple(SERVICE_MODELS): "a [service model](#service-models)",
    tuple(AGE_BANDS): "an [age band](#age-bands)",
}


def _how(column: Column) -> str:
    """How a cell of the column is written, in a few words."""
    if column.choices:
        shown = _LINKED.get(column.choices) or ", ".join(f"`{choice}`" for choice in column.choices)
        return f"any of: {shown}" if column.type == "choices" else shown
    if column.refers_to:
        return f"{'ids' if column.type == 'refs' else 'an id'} in `{column.refers_to}`"
    return column.type


def _dimension(dimension: tuple[tuple[str, int], ...]) -> str:
    over = [kind for kind, power in dimension if power < 0]
    return (
        " ".join(kind for kind, power in dimension if power > 0) + (f" over {' '.join(over)}" if over else "")
        or "a pure number"
    )


_INTRODUCTION = """
# The format of a plan

This page is made from the column dictionary that reading, checking and workbooks use.

A plan is a folder:

```
my-plan/
  plan.yaml          the plan in a few lines
  tables/*.csv       one file a table, one row a fact
  schemes/*.yaml     one file a scheme; the file's name is the scheme's id
  scenarios/*.yaml   what if: small changes laid over the plan
```

A table that is not there has no rows. Files are UTF-8 text; the CSV files are separated by commas and open in any spreadsheet.
`bettercare new FOLDER` starts one from a small plan that already runs, `bettercare plan validate FOLDER` lists every fault at once
with its file, row, column and remedy, and nothing is read from a plan that has any.
"""

_FIGURES = """

## Figures

Tables of figures have these columns after their own. Write figures as they are printed: the last digit printed says how precisely
a figure is known, so 33.0 is known to the nearest tenth and 33 to the nearest whole.
"""

_SCHEMES = """

A scheme is a YAML file. Sizes of effects are what happens in a full year and are positive; the kind says which way they go:

| kind | target | size in | what it does |
|---|---|---|---|
| `avoid` | organisation, pod | %, beds, activity | activity does not happen; `becomes` may say what appears in its place |
| `shift` | organisation, pod | %, beds, activity | the same work is done elsewhere, as `becomes` says |
| `shorten` | organisation, pod | %, beds, days | length of stay falls |
| `add` | organisation, pod | beds, activity | activity or beds appear |
| `save` | organisation | money, % | cost falls; with `follows`, only as far as that effect is delivered |
| `invest` | organisation | money | cost rises; with `recurrent: no`, once |
| `build` | capital programme | | the scheme waits for that programme's spending |
| `staff` | organisation | WTE | staff beside what activity and money imply; may be negative |

This scheme of the template explains each line:
"""

_WORKBOOKS = """

`bettercare plan export PLAN plan.xlsx` writes a plan as an Excel workbook and `bettercare plan import plan.xlsx FOLDER` reads it back,
cell for cell the same; a workbook can also be named wherever a plan is asked for. The first sheet, Plan, holds plan.yaml. Each table has a
sheet of its own, and so have `schemes` (one row a scheme), `effects` (one row an effect) and `scenarios` (the text of each file).

* Numbers are numbers, shown with the decimals their source prints. Change the decimals shown when the precision changes.
* Financial years and ids are text, so that Excel makes no date of 2016/17. A cell in which it did is reported.
* A formula counts as the value Excel last stored. Errors such as #REF! are reported with sheet, row and column, and so are merged
  cells, sheets that are no table, and cells under no heading.
* Comments in the YAML files are not carried over.
"""


def main(arguments: Sequence[str]) -> None:
    """Write the page to the file named."""
    path = Path(arguments[0] if arguments else "docs/plan-format.md")
    path.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
