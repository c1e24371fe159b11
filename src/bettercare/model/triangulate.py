"""The run held against what the published plan says its results are.

The published results are never an input of the model, so where the two meet the plan's arithmetic is sound, and where they do not the
reader is told why as far as the plan's own figures show it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bettercare.model.result import Result
from bettercare.plan import Figure, Plan, Row
from bettercare.vocabulary.care import PODS
from bettercare.vocabulary.units import UNITS, Unit

Array = NDArray[np.float64]
Finding = Literal["lands", "within rounding", "cannot", "not compared"]

GROWTH = ("demographic growth", "other growth", "growth")

SCHEMA = {
    "id": pl.String, "measure": pl.String, "what": pl.String, "year": pl.String, "published": pl.Float64, "model": pl.Float64,
    "difference": pl.Float64, "unit": pl.String, "finding": pl.String, "reading": pl.String, "expected": pl.Float64, "p10": pl.Float64,
    "p90": pl.Float64, "source": pl.String, "where": pl.String, "basis": pl.String,
    "rests_on": pl.String,
}  # fmt: skip


@dataclass(frozen=True)
class Part:
    """Some rows of one measure, counted with a sign, in one year or over all (``position`` None)."""

    measure: str
    rows: tuple[int, ...]
    position: int | None
    sign: float = 1.0


@dataclass(frozen=True)
class Answer:
    """What of the run a published result is held against."""

    parts: tuple[Part, ...]
    over: float = 1.0
    """What the sum is divided by: base cost, for a share of it."""
    because: str = ""
    """What a reader must know where the two differ."""
    of: tuple[Figure, ...] = field(default=())
    """Figures beside those of the lines, such as the base cost divided by."""


def triangulate(result: Result) -> pl.DataFrame:
    """Each published result beside the run's own.

    Args:
        result: a run without scenarios; under a scenario the two differ by design.

    Returns:
        A frame with the columns of SCHEMA: ``published`` and ``model`` (published case) with their ``difference`` in the printed ``unit``;
        ``finding`` is ``lands`` (the model rounds to the printed figure), ``within rounding`` (the rounding of the figures it is made
        from can explain the difference), ``cannot`` (it cannot) or ``not compared``; ``reading`` says it in a sentence. With runs,
        ``expected``, ``p10`` and ``p90`` too. ``rests_on`` names the assumed figures behind the model's: landing on those proves less.
    """
    records = [_record(result, row, figure, _resolved(result, row, figure)) for row, figure in _published(result.plan)]
    return pl.DataFrame(_settle_twins(result.plan, records), schema=SCHEMA)


def staffed_by(plan: Plan, organisation: str) -> tuple[str, ...]:
    """The organisations whose staff changes belong to the staff of an organisation: itself and its parts that have no staff given."""
    staffed = {row["organisation"] for row in plan["workforce"]}
    if organisation not in staffed:
        return (organisation,)
    found = [organisation]
    for name in found:
        found += [
            row.id
            for row in plan["organisations"]
            if row["part_of"] == name and row.id not in staffed and row.id not in found
        ]
    return tuple(found)


def _published(plan: Plan) -> Iterator[tuple[Row, Figure]]:
    for row in plan["growth"]:
        if row["measure"] == "cost" and row["to"] == str(plan.last_year):
            yield row, plan["growth"].figure(row)
    for row in plan["published"]:
        yield row, plan["published"].figure(row)


def _record(result: Result, row: Row, figure: Figure, answer: Answer | str) -> dict[str, object]:
    year = row["to"] if row["measure"] == "cost" else row["year"]
    record: dict[str, object] = {
        "id": figure.id, "measure": row["measure"], "what": _what(result.plan, row), "year": year or "", "published": figure.value,
        "unit": figure.unit.name, "source": figure.source, "where": figure.where, "basis": figure.basis,
    }  # fmt: skip
    if isinstance(answer, str):
        return record | {"finding": "not compared", "reading": answer}
    unit = figure.unit
    value = _value(result, answer) / unit.scale
    finding = _finding(result, answer, figure, value)
    record |= {
        "model": value, "difference": value - figure.value, "finding": finding, "reading": _reading(result, answer, figure, value, finding),
        "rests_on": "; ".join(one.id for one in _figures(result, answer) if one.basis == "assumed"),
    }  # fmt: skip
    if result.runs:
        draws = _draws(result, answer) / unit.scale
        p10, p90 = np.quantile(draws, (0.1, 0.9))
        record |= {"expected": float(draws.mean()), "p10": float(p10), "p90": float(p90)}
    return record


# -- which part of the run a published row speaks of ---------------------------------------------------------------


def _answer(result: Result, row: Row) -> Answer | str:
    """What to hold a row against, or why it cannot be held against anything."""
    measure = row["measure"]
    if row["year"] and row["year"] not in result.years:
        return f"{row['year']} is not a year of the plan."
    if not row["year"] and measure not in ("capital", "cost", "investment"):
        return "The row has no year."
    return _ANSWERS[measure](result, row)


def _resolved(result: Result, row: Row, figure: Figure) -> Answer | str:
    """The answer to a row; where a row names no scheme, theme or programme and one scheme or programme alone gives its figure, that one."""
    answer = _answer(result, row)
    if isinstance(answer, str) or answer.over != 1.0 or row["scheme"] or row["theme"] or row["programme"]:
        return answer
    if _finding(result, answer, figure, _value(result, answer) / figure.unit.scale) != "cannot":
        return answer
    for word in ("scheme", "programme"):
        alone: dict[str, list[Part]] = {}
        for part in answer.parts:
            labels = result.measure(part.measure).labels
            for name in dict.fromkeys(labels[index].get(word, "") for index in part.rows):
                if name:
                    rows = tuple(index for index in part.rows if labels[index].get(word) == name)
                    alone.setdefault(name, []).append(Part(part.measure, rows, part.position, part.sign))
        answers = {
            name: Answer(tuple(parts), because=f"Of {_name(result.plan, word, name)} alone.")
            for name, parts in alone.items()
        }
        sound = [
            one
            for one in answers.values()
            if _finding(result, one, figure, _value(result, one) / figure.unit.scale) == "lands"
        ]
        if len(sound) == 1:
            return sound[0]
    return answer


def _select(
    result: Result, measure: str, year: str | None, sign: float = 1.0, **where: str | Sequence[str] | None
) -> Part:
    """The rows of a measure whose labels match; a filter of None is none."""
    wanted = {word: (want,) if isinstance(want, str) else want for word, want in where.items() if want is not None}
    rows = tuple(
        index
        for index, labels in enumerate(result.measure(measure).labels)
        if all(labels.get(word, "") in want for word, want in wanted.items())
    )
    return Part(measure, rows, result.years.index(year) if year else None, sign)


def _of_gap(result: Result, row: Row) -> Answer | str:
    kinds = ["do-nothing"] if row["gross"] != "net" else ["do-nothing", "funding"]
    part = _select(result, "gap", row["year"], kind=kinds, sector=None if row["sector"] == "both" else row["sector"])
    return Answer((part,)) if part.rows else "The run has no gap for this sector."


def _of_saving(result: Result, row: Row) -> Answer | str:
    where = {"theme": row["theme"], "organisation": row["organisation"]}
    saving = _select(result, "saving", row["year"], scheme=row["scheme"], **where)
    if not saving.rows:
        return "No scheme saves money there."
    because = _shared(result.plan, row["organisation"])
    if UNITS[row["unit"]].dimension == ():
        return _share(
            result, row, (saving,), because or "Taken as a share of what the organisation spent in the base year."
        )
    if row["gross"] == "gross":
        return Answer((saving,), because=because)
    if row["gross"] != "net":
        return "The paper does not say whether this is before or after investment."
    themes = [row["theme"]] if row["theme"] else [theme.id for theme in result.plan["themes"]]
    spent = _select(
        result, "investment", row["year"], -1.0, theme=themes, scheme=row["scheme"], organisation=row["organisation"]
    )
    return Answer((saving, spent), because=because)


def _of_growth(result: Result, row: Row) -> Answer | str:
    growth = _select(result, "cost", row["year"], organisation=row["organisation"] or None, kind="growth")
    saving = _select(result, "cost", row["year"], organisation=row["organisation"] or None, kind="saving")
    if row["gross"] != "net":
        return _share(result, row, (growth,), "")
    because = f"Growth less what the schemes save there. {_shared(result.plan, row['organisation'])}".strip()
    return _share(result, row, (growth, saving), because)


def _shared(plan: Plan, organisation: str | None) -> str:
    """A warning where some of an organisation's savings are its part of a saving of several."""
    lists = [row["organisation"] or () for row in plan["effects"] if row["kind"] == "save"]
    if not any(organisation in listed and len(listed) > 1 for listed in lists):
        return ""
    return "Savings that the plan gives to several organisations together are shared here by what each spends."


def _of_cost(result: Result, row: Row) -> Answer | str:
    """A row of the growth table, or a published cost."""
    if row["to"]:
        part = _select(result, "cost", row["to"], organisation=row["organisation"], kind="growth")
        return _share(result, row, (part,), "") if part.rows else "The organisation has no base cost."
    part = _select(
        result,
        "cost",
        row["year"],
        organisation=row["organisation"],
        sector=None if row["sector"] == "both" else row["sector"],
    )
    return Answer((part,)) if part.rows and row["year"] else "The run has no such cost."


def _share(result: Result, row: Row, parts: tuple[Part, ...], because: str) -> Answer | str:
    base = _select(result, "cost", str(result.plan.base_year), organisation=row["organisation"] or None, kind="base")
    over = _value(result, Answer((base,)))
    if not over or not any(part.rows for part in parts):
        return "The organisation has no base cost."
    return Answer(parts, over, because, _figures(result, Answer((base,))))


def _of_beds(result: Result, row: Row) -> Answer | str:
    virtual = row["unit"] == "virtual beds"
    pods = sorted(
        {labels.get("pod", "") for labels in result.beds.labels} - ({"virtual-ward"} if not virtual else set())
    )
    wanted = [row["pod"]] if row["pod"] else ["virtual-ward"] if virtual else pods
    kinds = sorted({labels.get("kind", "") for labels in result.beds.labels})
    if row["gross"] == "gross":
        kinds = [kind for kind in kinds if kind in GROWTH]
    elif row["value"] < 0:
        kinds = [kind for kind in kinds if kind not in (*GROWTH, "base")]
    part = _select(result, "beds", row["year"], organisation=row["organisation"], pod=wanted, kind=kinds)
    return Answer((part,)) if part.rows else "The run has no such beds."


def _of_staff(result: Result, row: Row) -> Answer | str:
    if not row["organisation"]:
        return "The row does not say whose staff."
    members = staffed_by(result.plan, row["organisation"])
    part = _select(result, "staff", row["year"], organisation=members)
    because = "The staff that activity, savings and investment imply are not the staff the workforce plan counts on."
    if len(members) > 1:
        because += f" Counts {', '.join(_name(result.plan, 'organisation', name) for name in members[1:])}."
    return Answer((part,), because=because) if part.rows else "The run has no staff there."


def _of_capital(result: Result, row: Row) -> Answer | str:
    kind = (
        "disposal"
        if row["value"] < 0 and row["gross"] != "net"
        else {"gross": "spend", "net": None}.get(row["gross"], "")
    )
    if kind == "":
        return "The row does not say whether it is before or after disposals, nor of which programme."
    part = _select(
        result, "capital", row["year"], programme=row["programme"], organisation=row["organisation"], kind=kind
    )
    return Answer((part,)) if part.rows else "The run has no such capital."


def _of_admissions(result: Result, row: Row) -> Answer | str:
    """Admissions left, or admissions avoided: a row that does not say is held against the one it fits, if it fits one."""
    where = {"organisation": row["organisation"], "pod": row["pod"], "theme": row["theme"]}
    left = _select(result, "activity", row["year"], **where)
    avoided = _select(result, "avoided", row["year"], -1.0 if row["value"] < 0 else 1.0, scheme=row["scheme"], **where)
    figure = result.plan["published"].figure(row)
    certain = row["value"] < 0 or bool(row["scheme"])
    for part in (avoided,) if certain else (left, avoided):
        units = result.measure(part.measure).units
        if len({units[index] for index in part.rows}) == 1:
            answer = Answer((part,))
            if certain or _finding(result, answer, figure, _value(result, answer)) == "lands":
                return answer
    return "The row does not say whether the admissions are left or avoided, nor by which scheme."


def _of_investment(result: Result, row: Row) -> Answer | str:
    """A figure given for no theme is held against the investment that belongs to none or, where all of it does, against all."""
    free = _select(result, "investment", row["year"], theme="", organisation=row["organisation"])
    part = (
        free
        if free.rows and not row["theme"]
        else _select(result, "investment", row["year"], theme=row["theme"], organisation=row["organisation"])
    )
    return Answer((part,)) if part.rows else "The run has no such investment."


def _of_funding(result: Result, row: Row) -> Answer | str:
    part = _select(
        result,
        "funding",
        row["year"],
        organisation=row["organisation"],
        sector=None if row["sector"] == "both" else row["sector"],
    )
    return Answer((part,)) if part.rows else "The run has no such funding."


_ANSWERS: dict[str, Callable[[Result, Row], Answer | str]] = {
    "gap": _of_gap, "cost": _of_cost, "saving": _of_saving, "beds": _of_beds, "staff": _of_staff, "capital": _of_capital,
    "growth": _of_growth, "admissions": _of_admissions, "investment": _of_investment, "funding": _of_funding,
}  # fmt: skip


# -- what it comes to ----------------------------------------------------------------------------------------------


def _positions(result: Result, part: Part) -> range:
    return range(len(result.years)) if part.position is None else range(part.position, part.position + 1)


def _value(result: Result, answer: Answer) -> float:
    """In the measure's unit (pounds, beds, ...) or as a fraction of what it is a share of."""
    total = 0.0
    for part in answer.parts:
        case = result.measure(part.measure).published_case
        total += part.sign * sum(float(case[list(part.rows), position].sum()) for position in _positions(result, part))
    return total / answer.over


def _draws(result: Result, answer: Answer) -> Array:
    total = np.zeros(result.runs)
    for part in answer.parts:
        for position in _positions(result, part):
            total = total + part.sign * result.measure(part.measure)._sum(part.rows, position)
    return np.asarray(total / answer.over)


def _figures(result: Result, answer: Answer) -> tuple[Figure, ...]:
    found = {
        figure.id: figure
        for part in answer.parts
        for row in part.rows
        for figure in result.lines[part.measure][row].ground.figures
    }  # fmt: skip
    return tuple({**found, **{figure.id: figure for figure in answer.of}}.values())


def _finding(result: Result, answer: Answer, figure: Figure, value: float) -> Finding:
    noise = 1e-9 * max(abs(value), abs(figure.value), figure.place)
    apart = abs(value - figure.value)
    if apart <= figure.place / 2 + noise:
        return "lands"
    return "within rounding" if apart <= figure.place / 2 + _leeway(result, answer, figure.unit) + noise else "cannot"


def _leeway(result: Result, answer: Answer, unit: Unit) -> float:
    """How far the rounding of the printed figures behind the answer can move it, in ``unit``: a line moves in proportion to each of its figures."""
    total = 0.0
    for part in answer.parts:
        measure = result.measure(part.measure)
        for row in part.rows:
            amount = abs(float(sum(measure.published_case[row, position] for position in _positions(result, part))))
            known = [
                figure
                for figure in result.lines[part.measure][row].ground.figures
                if figure.basis != "assumed" and figure.base
            ]
            total += amount * sum(figure.half_width / abs(figure.base) for figure in known)
    share = abs(_value(result, answer)) * sum(
        figure.half_width / abs(figure.base) for figure in answer.of if figure.basis != "assumed"
    )
    return (total / answer.over + share) / unit.scale


def _reading(result: Result, answer: Answer, figure: Figure, value: float, finding: Finding) -> str:
    if finding == "lands":
        made = {
            f"funding.{row.id}"
            for row in result.plan["funding"]
            if row["kind"] == "unallocated-pressure" and row["basis"] == "assumed"
        }
        if any(one.id in made for one in _figures(result, answer)):
            return "The model gives the published figure, made to do so by an assumed pressure that the papers give to no organisation."
        return f"The model gives the published figure. {answer.because if answer.because.endswith('alone.') else ''}".strip()
    if finding == "within rounding":
        return "The rounding of the printed figures it is made from can explain the difference."
    missing = _component(result, answer, (value - figure.value) * figure.unit.scale, figure.place * figure.unit.scale)
    return missing or answer.because or "No rounding of the plan's own figures gives the published one."


def _component(result: Result, answer: Answer, apart: float, place: float) -> str:
    """A part of the answer that is as large as the difference, if one is."""
    if answer.over != 1.0:
        return ""
    sums: dict[tuple[str, str], float] = {}
    for part in answer.parts:
        measure = result.measure(part.measure)
        for row in part.rows:
            labels = measure.labels[row]
            amount = part.sign * float(
                sum(measure.published_case[row, position] for position in _positions(result, part))
            )
            kind = "growth" if labels.get("kind") in GROWTH else labels.get("kind", "")
            for word, name in (
                *((word, labels.get(word, "")) for word in ("programme", "scheme", "theme", "pod")),
                ("kind", kind),
            ):
                if name and name != "base":
                    sums[word, name] = sums.get((word, name), 0.0) + amount
    for (word, name), amount in sums.items():
        if amount and abs(abs(amount) - abs(apart)) <= place + 0.005 * abs(amount):
            more = "more" if apart > 0 else "less"
            return f"The model has {more} by about as much as its {word} {_name(result.plan, word, name)}."
    return ""


def _name(plan: Plan, word: str, name: str) -> str:
    table = {
        "programme": "capital_programmes",
        "scheme": "schemes",
        "theme": "themes",
        "organisation": "organisations",
    }.get(word)
    row = plan[table].by_id.get(name) if table else None
    return str(row["name"]) if row is not None else name


def _what(plan: Plan, row: Row) -> str:
    """What a published row is about, in words."""
    kind = {"gap": "Gap", "cost": "Cost", "saving": "Savings", "beds": "Beds", "staff": "Staff", "capital": "Capital", "growth": "Growth of cost",
            "admissions": "Admissions", "investment": "Investment", "funding": "Funding"}[row["measure"]]  # fmt: skip
    if row["to"]:
        kind = "Growth of cost if nothing is done"
    side = {"beds": {"gross": "growth"}, "gap": {"gross": "if nothing is done", "net": "after funding, before savings"}, "growth": {"net": "after savings"},
            "capital": {"gross": "before disposals", "net": "after disposals"}}.get(row["measure"], {"gross": "gross", "net": "net of investment"})  # fmt: skip
    words = [side.get(row["gross"] or "", "")]
    if row["measure"] == "beds" and row["value"] < 0:
        words.append("reductions")
    if row["measure"] == "capital" and row["value"] < 0 and row["gross"] != "net":
        words.append("disposals")
    for column, table in (("theme", "themes"), ("programme", "capital_programmes"), ("organisation", "organisations")):
        if row[column]:
            words.append(str(plan[table].by_id[row[column]]["name"]))
    if row["pod"]:
        words.append(
            PODS[row["pod"]].name.lower() if not PODS[row["pod"]].name.startswith("A&E") else PODS[row["pod"]].name
        )
    if row["sector"] in ("health", "social-care"):
        words.append(row["sector"].replace("-", " "))
    shown = ", ".join(word for word in words if word)
    return f"{kind}: {shown}" if shown else kind


def _settle_twins(plan: Plan, records: list[dict[str, object]]) -> list[dict[str, object]]:
    """Published rows with the same labels where some add up to another that is reproduced are its parts: the run does not tell them apart."""
    labels = ("measure", "organisation", "sector", "theme", "programme", "pod", "year", "gross")
    twins: dict[tuple[object, ...], list[dict[str, object]]] = {}
    for record in records:
        table, _, name = str(record["id"]).partition(".")
        row = plan[table].by_id[name]
        twins.setdefault((table, row["value"] < 0, *(row[word] for word in labels)), []).append(record)
    settled = {}
    for group in twins.values():
        whole = [record for record in group if record["finding"] in ("lands", "within rounding")]
        rest = [record for record in group if record not in whole]
        parts = (
            bool(whole)
            and len(rest) > 1
            and math.isclose(sum(_number(one) for one in rest), _number(whole[0]), rel_tol=1e-9)
        )
        for record in group:
            if parts and record in rest:
                reading = f"A part of {str(whole[0]['id']).partition('.')[2]}, which is reproduced as a whole."
                empty = dict.fromkeys(("model", "difference", "expected", "p10", "p90"))
                record = record | empty | {"finding": "not compared", "reading": reading}
            settled[record["id"]] = record
    return [settled[record["id"]] for record in records]


def _number(record: dict[str, object]) -> float:
    value = record["published"]
    assert isinstance(value, float)
    return value
