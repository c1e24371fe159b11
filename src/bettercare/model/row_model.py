"""What the row-level mode does to activity rows: growth, and effects that avoid, shift or shorten."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, cast

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.special import ndtr

from bettercare.errors import BettercareError
from bettercare.model.activity_rows import (
    ACTIVITY_COLUMNS,
    INPATIENTS,
    POINT_NUMBER,
    POINTS,
    TABLES,
    Point,
    tele_of,
)
from bettercare.model.drivers import Distribution, stream

Array = NDArray[np.float64]

_BAND = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3})|\+)")
GREATEST_GROWTH = 100.0
GREATEST_PER_UNIT = 10_000.0


@dataclass(frozen=True)
class Between:
    """A range of a number, both ends included; None leaves an end open."""

    low: float | None = None
    high: float | None = None


Value = str | int | float | bool
Condition = Value | Between | Collection[Value]
"""What a column must be: a value, any of several, or between two."""

Where = Mapping[str, Condition]
"""Column -> condition; a row is chosen when all hold. A blank never meets a condition."""


@dataclass(frozen=True)
class Size:
    """How large something is, and how sure that is: one value, ``low/likely/high`` (triangular), ``p10/p90`` (normal,
    cut off at what is possible), or a value for each run drawn elsewhere (the runs of a system model).

    A share for an effect (0.1 is a tenth), a factor for growth (1.1 is a tenth more).
    """

    likely: float | None = None
    low: float | None = None
    high: float | None = None
    p10: float | None = None
    p90: float | None = None
    each_run: tuple[float, ...] | None = None

    @classmethod
    def read(cls, data: object, where: str) -> Size:
        """From a number, a list with a value for each run, or a mapping with the names of the fields."""
        remedy = "Give a number, or low, likely and high, or p10 and p90."
        if isinstance(data, (int, float)) and not isinstance(data, bool):
            return cls(float(data))
        if isinstance(data, Sequence) and not isinstance(data, str):
            return cls(each_run=tuple(_number(value, where, remedy) for value in data))
        if not isinstance(data, Mapping):
            raise BettercareError(f"{data!r} is not a size.", where, remedy)
        for name in data:
            if name not in ("likely", "low", "high", "p10", "p90"):
                raise BettercareError(f"a size has no {name!r}.", where, remedy)
        given = {str(name): _number(value, where, remedy) for name, value in data.items()}
        return cls(given.get("likely"), given.get("low"), given.get("high"), given.get("p10"), given.get("p90"))

    def check(self, least: float, most: float, where: str) -> None:
        """Raise a BettercareError if this is not one kind of size, or reaches outside ``least`` to ``most``."""
        given = {
            name for name in ("likely", "low", "high", "p10", "p90", "each_run") if getattr(self, name) is not None
        }
        if given not in ({"likely"}, {"low", "likely", "high"}, {"p10", "p90"}, {"each_run"}):
            raise BettercareError(
                f"a size is given by {', '.join(sorted(given)) or 'nothing'}.",
                where,
                "Give likely alone; or low, likely and high; or p10 and p90; or a value for each run.",
            )
        numbers = self.each_run if self.each_run is not None else tuple(getattr(self, name) for name in sorted(given))
        for number in numbers:
            if not (isinstance(number, (int, float, np.floating, np.integer)) and math.isfinite(number)):
                raise BettercareError(
                    f"a size of {number} is not a number.", where, f"Give a number from {least:g} to {most:g}."
                )
            if not least <= number <= most:
                raise BettercareError(
                    f"a size of {number:g} is outside {least:g} to {most:g}.",
                    where,
                    f"Give a number from {least:g} to {most:g}.",
                )
        ordered = [number for number in (self.low, self.likely, self.high, self.p10, self.p90) if number is not None]
        if ordered != sorted(ordered):
            raise BettercareError(
                "the size is not in order.", where, "Give low at most likely at most high, or p10 at most p90."
            )

    def draw(self, uniform: Array, least: float, most: float, where: str) -> Array:
        """The size in each run, given a uniform number for each; kept within ``least`` to ``most``."""
        if self.each_run is not None:
            if len(self.each_run) != uniform.size:
                raise BettercareError(
                    f"there are {len(self.each_run)} values for {uniform.size} runs.",
                    where,
                    "Give one for each run, or run as many.",
                )
            return np.asarray(self.each_run, dtype=np.float64)
        if self.p10 is not None and self.p90 is not None:
            distribution = Distribution.normal(self.p10, self.p90)
        elif self.low is not None and self.high is not None and self.likely is not None:
            distribution = Distribution.triangular(self.low, self.likely, self.high)
        else:
            distribution = Distribution.point(0.0 if self.likely is None else self.likely)
        return np.asarray(np.clip(distribution.at(uniform), least, most))


@dataclass(frozen=True)
class GrowthLine:
    """A factor for the rows it chooses.

    Attributes:
        factor: multiplier of activity, 1.0 meaning none (0 to 100).
        where: which rows.
        table: one of TABLES, or "" for all of them.
    """

    factor: Size
    where: Where = field(default_factory=dict)
    table: str = ""


@dataclass(frozen=True)
class RowGrowth:
    """A cause of growth. A row grows by the one line that chooses it, or not at all where none does; several causes
    multiply.

    All its lines share one draw a run (they are high together), from the stream of its name.
    """

    name: str
    lines: tuple[GrowthLine, ...]

    @classmethod
    def flat(cls, name: str, factor: Size | float, where: Where | None = None, table: str = "") -> RowGrowth:
        """One factor for all the rows chosen."""
        return cls(name, (GrowthLine(factor if isinstance(factor, Size) else Size(factor), where or {}, table),))

    @classmethod
    def from_frame(cls, name: str, frame: pl.DataFrame, table: str = "") -> RowGrowth:
        """A line a row of a table: ``factor``, or ``low, likely, high``, or ``p10, p90``; ``age_from`` and ``age_to``
        (either may be blank) for ages; every other column must equal the row's own (sex, pod, site ...), blank
        meaning any."""
        sizes = [column for column in ("factor", "likely", "low", "high", "p10", "p90") if column in frame.columns]
        if not sizes:
            raise BettercareError(
                "the growth table has no factors.",
                f"growth {name}",
                "Add a column factor, or low, likely and high, or p10 and p90.",
            )
        lines = []
        for number, row in enumerate(frame.iter_rows(named=True), start=1):
            where: dict[str, Condition] = {
                column: value
                for column, value in row.items()
                if column not in (*sizes, "age_from", "age_to") and value is not None and value != ""
            }
            if row.get("age_from") is not None or row.get("age_to") is not None:
                where["age"] = Between(row.get("age_from"), row.get("age_to"))
            size = {
                ("likely" if column == "factor" else column): row[column] for column in sizes if row[column] is not None
            }
            lines.append(GrowthLine(Size.read(size, f"growth {name}, row {number}"), where, table))
        return cls(name, tuple(lines))


@dataclass(frozen=True)
class RowEffect:
    """Something that changes the rows it chooses.

    Attributes:
        name: unique among growth and effects; it keys the effect's stream.
        kind: ``avoid``: the activity does not happen. ``shift``: it happens as ``becomes`` instead, and takes no bed
            days there. ``shorten``: the stay is shorter (inpatients).
        table: one of TABLES.
        size: share of the chosen activity (avoid, shift, shorten ``same-day``) or of its days (shorten ``days``), 0
            to 1. Several effects on a row act on what the others leave.
        where: which rows of the table; columns of the file, or pod, part and band.
        becomes: for shift: a point of delivery such as ``day-case``, with its part where it has parts
            (``outpatient/procedure``, ``accident-emergency/walk-in``), or ``tele`` for the same attendance by
            telephone or video.
        per_unit: for shift: how many of those for each one moved.
        how: for shorten: ``days`` (each day is saved with probability ``size``) or ``same-day`` (the spell keeps no
            night).
        first_days: for shorten by days: only the first so many days of the stay, such as 1 for the day before an
            operation; None for the whole stay.
    """

    name: str
    kind: str
    table: str
    size: Size
    where: Where = field(default_factory=dict)
    becomes: str = ""
    per_unit: float = 1.0
    how: str = "days"
    first_days: int | None = None

    def outlet(self, point: Point) -> Point | None:
        """What a row of that point becomes; None where the shift changes nothing."""
        target = tele_of(point) if self.becomes == "tele" else _point(self.becomes)
        return None if target == point else target


@dataclass(frozen=True)
class RowModel:
    """Growth and effects for activity rows.

    Attributes:
        growth: causes of growth. effects: what avoids, shifts and shortens.
        bands: age bands of the results, from 0 upwards without gaps, as ``0-17`` or ``85+``.
        common_causes: cause -> {name of a growth or effect, or a pattern with *: loading}. Drivers that share a cause
            move together: the correlation of two is the sum over causes of the products of their loadings.
    """

    growth: tuple[RowGrowth, ...] = ()
    effects: tuple[RowEffect, ...] = ()
    bands: tuple[str, ...] = ("0-24", "25-64", "65-84", "85+")
    common_causes: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "growth", tuple(self.growth))
        object.__setattr__(self, "effects", tuple(self.effects))
        object.__setattr__(self, "bands", tuple(self.bands))
        self.band_edges()
        seen: set[str] = set()
        for name in (*(growth.name for growth in self.growth), *(effect.name for effect in self.effects)):
            if not isinstance(name, str) or not name:
                raise BettercareError("a growth or an effect has no name.", "row model", "Give each a name of its own.")
            if name in seen:
                raise BettercareError(
                    f"two growths or effects are called {name!r}.",
                    "row model",
                    "Give each a name of its own; the name keys its draws.",
                )
            seen.add(name)
        for growth in self.growth:
            if not growth.lines:
                raise BettercareError("it has no lines.", f"growth {growth.name}", "Give at least one factor.")
            for number, line in enumerate(growth.lines, start=1):
                where = f"growth {growth.name}" + (f", line {number}" if len(growth.lines) > 1 else "")
                line.factor.check(0.0, GREATEST_GROWTH, where)
                if line.table:
                    _check_table(line.table, where)
                check_where(line.where, line.table, where, self.bands)
        for effect in self.effects:
            _check_effect(effect, self.bands)
        for cause, loadings in self.common_causes.items():
            for pattern, loading in loadings.items():
                if not (isinstance(loading, (int, float)) and -1 <= loading <= 1):
                    raise BettercareError(
                        f"the loading of {pattern!r} is {loading}.",
                        f"common cause {cause}",
                        "Give a number from -1 to 1.",
                    )

    def band_edges(self) -> tuple[int, ...]:
        """The lowest age of each band."""
        edges: list[int] = []
        expected: int | None = 0
        for band in self.bands:
            match = _BAND.fullmatch(band) if isinstance(band, str) else None
            low, high = (int(match[1]), match[2]) if match else (-1, None)
            if low != expected or (high is not None and int(high) < low):
                expected = -1
                break
            edges.append(low)
            expected = None if high is None else int(high) + 1
        if not edges or expected is not None:
            raise BettercareError(
                f"the age bands {', '.join(map(str, self.bands))} do not follow one another from 0 to an open end.",
                "row model, bands",
                "Write them without gaps as 0-17, 18-64, 65+.",
            )
        return tuple(edges)

    def uniforms(self, name: str, seed: int, runs: int) -> Array:
        """The probability level of a growth's or an effect's size in each run: its own stream and its common causes;
        shape (run,)."""
        normal = stream(seed, name, 0, runs)
        loadings = {
            cause: max((loading for pattern, loading in of.items() if fnmatchcase(name, pattern)), key=abs, default=0.0)
            for cause, of in self.common_causes.items()
        }
        explained = sum(loading**2 for loading in loadings.values())
        if explained > 1 + 1e-9:
            raise BettercareError(
                f"the loadings on its common causes square to {explained:.2f}.",
                name,
                "The squares may add to at most 1: lower one.",
            )
        if explained:
            normal = math.sqrt(max(0.0, 1 - explained)) * normal
            for cause, loading in loadings.items():
                if loading:
                    normal = normal + loading * stream(seed, f"cause|{cause}", 0, runs)
        return np.asarray(ndtr(normal))

    @classmethod
    def read(cls, data: object, where: str = "row model") -> RowModel:
        """From plain data, as a YAML or JSON file holds it.

        ``growth`` is a list of mappings with name and either factor (with where, table) or lines (each factor, where,
        table); ``effects`` a list of mappings with the fields of RowEffect; ``bands`` and ``common_causes`` as in
        RowModel. A condition is a value, a list of values, or a mapping with ``from`` and ``to``.

        >>> older = {"age": {"from": 75}, "pod": "non-elective"}
        >>> model = RowModel.read({
        ...     "growth": [{"name": "demography", "factor": {"low": 1.0, "likely": 1.1, "high": 1.3}}],
        ...     "effects": [
        ...         {"name": "frailty", "kind": "avoid", "table": "inpatients", "size": 0.1, "where": older}
        ...     ],
        ... })
        >>> model.effects[0].where["age"]
        Between(low=75, high=None)

        Raises:
            BettercareError: something in it is not understood; the place is named.
        """
        body = _mapping(data, where, {"growth", "effects", "bands", "common_causes"})
        growth = []
        for number, item in enumerate(_list(body.get("growth", []), f"{where}, growth"), start=1):
            place = f"{where}, growth {number}"
            entry = _mapping(item, place, {"name", "lines", "factor", "where", "table"})
            if ("lines" in entry) == ("factor" in entry):
                raise BettercareError("a growth needs a factor or lines, not both.", place, "Give one of them.")
            lines = (
                _list(entry["lines"], place) if "lines" in entry else [{k: v for k, v in entry.items() if k != "name"}]
            )
            made = []
            for line in lines:
                fields = _mapping(line, place, {"factor", "where", "table"})
                if "factor" not in fields:
                    raise BettercareError(
                        "a line has no factor.", place, "Give factor: a number, or low, likely and high."
                    )
                made.append(
                    GrowthLine(
                        Size.read(fields["factor"], place),
                        _where(fields.get("where"), place),
                        str(fields.get("table", "")),
                    )
                )
            growth.append(RowGrowth(_name(entry, place), tuple(made)))
        effects = []
        for number, item in enumerate(_list(body.get("effects", []), f"{where}, effects"), start=1):
            place = f"{where}, effect {number}"
            entry = _mapping(item, place, set(RowEffect.__dataclass_fields__))
            for needed in ("kind", "table", "size"):
                if needed not in entry:
                    raise BettercareError(f"an effect has no {needed}.", place, "Give name, kind, table and size.")
            rest = {
                key: entry[key] for key in ("becomes", "per_unit", "how", "first_days") if entry.get(key) is not None
            }
            effects.append(
                RowEffect(
                    _name(entry, place),
                    str(entry["kind"]),
                    str(entry["table"]),
                    Size.read(entry["size"], place),
                    _where(entry.get("where"), place),
                    **rest,
                )
            )
        optional: dict[str, Any] = {}
        if body.get("bands") is not None:
            optional["bands"] = tuple(str(band) for band in _list(body["bands"], f"{where}, bands"))
        if body.get("common_causes") is not None:
            causes = _mapping(body["common_causes"], f"{where}, common_causes", None)
            optional["common_causes"] = {
                str(cause): dict(_mapping(of, f"{where}, common cause {cause}", None)) for cause, of in causes.items()
            }
        return cls(tuple(growth), tuple(effects), **optional)


def check_where(where: Where, table: str, asker: str, bands: Sequence[str]) -> None:
    """Raise a BettercareError where a condition cannot be asked, or asks for a value its column never has."""
    if not isinstance(where, Mapping):
        raise BettercareError("where is not a mapping.", asker, "Give column: value.")
    for column, condition in where.items():
        if isinstance(condition, Between):
            ends = [end for end in (condition.low, condition.high) if end is not None]
            if not ends or any(
                isinstance(end, bool) or not isinstance(end, (int, float)) or not math.isfinite(end) for end in ends
            ):
                raise BettercareError(
                    f"the range of {column} has no number.", asker, "Give a lowest or a highest number, or both."
                )
            if len(ends) == 2 and ends[0] > ends[1]:
                raise BettercareError(
                    f"the range of {column} runs from {ends[0]} down to {ends[1]}.",
                    asker,
                    "Give the lower number first.",
                )
            continue
        values = condition_values(condition)
        if not values or not all(isinstance(value, (str, int, float)) for value in values):
            raise BettercareError(
                f"{column} is compared with {condition!r}.", asker, "Give a value, a list of values, or a range."
            )
        if len({kind_of_value(value) for value in values}) > 1:
            raise BettercareError(
                f"{column} is compared with values of several types.",
                asker,
                "Give text, or numbers, or true and false.",
            )
        known = {
            choice
            for one in ACTIVITY_COLUMNS
            if one.column == column and one.table == (table or one.table)
            for choice in one.choices
        }
        known = {point.pod for point in POINTS} if column == "pod" else known
        known = {point.part for point in POINTS} if column == "part" else known
        known = set(bands) if column == "band" else known
        for value in values if known else ():
            if value not in known:
                raise BettercareError(
                    f"{column} is never {value!r}.", asker, f"Use: {', '.join(sorted(filter(None, known)))}."
                )


def condition_values(condition: Condition) -> list[Value]:
    """The values a condition other than a range accepts."""
    return list(condition) if isinstance(condition, (list, tuple, set, frozenset)) else [cast(Value, condition)]


def kind_of_value(value: Value) -> str:
    return "true or false" if isinstance(value, bool) else "text" if isinstance(value, str) else "numbers"


def chooses(where: Where, frame_schema: Mapping[str, pl.DataType], asker: str, file: str) -> pl.Expr:
    """The expression that is true on the rows chosen.

    Raises:
        BettercareError: a column holds another type than it is compared with.
    """
    terms = [pl.lit(True)]
    for column, condition in where.items():
        kind = frame_schema[column]
        holds = (
            "text" if isinstance(kind, pl.String) else "true or false" if isinstance(kind, pl.Boolean) else "numbers"
        )
        if holds == "numbers" and not kind.is_numeric():
            raise BettercareError(
                f"{asker} chooses rows by {column!r}, which holds {kind}.",
                file,
                "Choose by text, a number or true and false.",
            )
        asked = "numbers" if isinstance(condition, Between) else kind_of_value(condition_values(condition)[0])
        if asked != holds:
            raise BettercareError(
                f"{asker} compares {column!r} with {asked}, and it holds {holds}.",
                file,
                "Compare it with values of its own type.",
            )
        name = pl.col(column)
        if isinstance(condition, Between):
            if condition.low is not None:
                terms.append(name >= condition.low)
            if condition.high is not None:
                terms.append(name <= condition.high)
        else:
            values = condition_values(condition)
            terms.append(
                name == values[0] if len(values) == 1 else pl.any_horizontal(name == value for value in values)
            )
    return pl.all_horizontal(terms).fill_null(False)


def _check_table(table: str, where: str) -> None:
    if table not in TABLES:
        raise BettercareError(f"{table!r} is not a table of activity rows.", where, f"Use one of: {', '.join(TABLES)}.")


def _check_effect(effect: RowEffect, bands: Sequence[str]) -> None:
    where = f"effect {effect.name}"
    if effect.kind not in ("avoid", "shift", "shorten"):
        raise BettercareError(
            f"{effect.kind!r} is not a kind of effect on rows.", where, "Use avoid, shift or shorten."
        )
    _check_table(effect.table, where)
    effect.size.check(0.0, 1.0, where)
    check_where(effect.where, effect.table, where, bands)
    if effect.kind == "shift":
        if effect.becomes != "tele" and _point(effect.becomes) not in POINT_NUMBER:
            pod = _point(effect.becomes).pod
            known = [str(point) for point in POINTS if point.pod == pod] or [
                *sorted({point.pod for point in POINTS}),
                "tele",
            ]
            raise BettercareError(
                f"a shift cannot become {effect.becomes!r}.", where, f"Use one of: {', '.join(known)}."
            )
        number = effect.per_unit
        if isinstance(number, bool) or not isinstance(number, (int, float)) or not 0 < number <= GREATEST_PER_UNIT:
            raise BettercareError(
                f"per_unit is {number}.", where, f"Give a number above 0 and at most {GREATEST_PER_UNIT:g}."
            )
    elif effect.becomes or effect.per_unit != 1.0:
        raise BettercareError(
            f"an effect of kind {effect.kind} has becomes or per_unit.", where, "Leave them out, or make it a shift."
        )
    if effect.kind == "shorten":
        if effect.table != INPATIENTS:
            raise BettercareError("only inpatients have a stay to shorten.", where, f"Set table to {INPATIENTS}.")
        if effect.how not in ("days", "same-day"):
            raise BettercareError(f"a stay cannot be shortened by {effect.how!r}.", where, "Use days or same-day.")
        first = effect.first_days
        if first is not None and (
            effect.how != "days" or isinstance(first, bool) or not isinstance(first, int) or not 1 <= first <= 365
        ):
            raise BettercareError(
                f"first_days is {first}.", where, "Give a whole number from 1 to 365, with how: days."
            )
    elif effect.first_days is not None or effect.how != "days":
        raise BettercareError(
            f"an effect of kind {effect.kind} has how or first_days.", where, "Leave them out, or make it shorten."
        )


def _point(text: str) -> Point:
    pod, _, part = str(text).partition("/")
    return Point(pod, part)


def _number(value: object, where: str, remedy: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.floating, np.integer)):
        raise BettercareError(f"{value!r} is not a number.", where, remedy)
    return float(value)


def _mapping(data: object, where: str, known: set[str] | None) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise BettercareError("it is not a mapping.", where, "Give names with values.")
    for key in data:
        if known is not None and key not in known:
            raise BettercareError(f"{key!r} is not known here.", where, f"Use: {', '.join(sorted(known))}.")
    return data


def _list(data: object, where: str) -> list[Any]:
    if not isinstance(data, (list, tuple)):
        raise BettercareError("it is not a list.", where, "Give a list.")
    return list(data)


def _name(entry: Mapping[str, Any], where: str) -> str:
    if not isinstance(entry.get("name"), str) or not entry["name"]:
        raise BettercareError("there is no name.", where, "Give it a name of its own.")
    return str(entry["name"])


def _where(data: object, where: str) -> Where:
    made: dict[str, Condition] = {}
    for column, condition in _mapping(data or {}, where, None).items():
        if isinstance(condition, Mapping):
            ends = _mapping(condition, f"{where}, {column}", {"from", "to"})
            made[column] = Between(ends.get("from"), ends.get("to"))
        else:
            made[column] = tuple(condition) if isinstance(condition, list) else condition
    return made
