"""The language of claims: an expression over a plan's own tables, and the range its printed figures allow.

An expression reads figures (``beds["acute-2016"]``, ``sum(capital, kind="spend")``), and combines them with ``+ - * / **``,
``abs``, ``min``, ``max``, ``grow``, ``count`` and ``number``.
"""

from __future__ import annotations

import ast
import difflib
import math
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from bettercare.errors import BettercareError, Fault
from bettercare.plan.cells import printed_place
from bettercare.plan.dictionary import dictionary
from bettercare.plan.expression import PURE, Constant, Expression, Leaf, Node, Operation
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS, UNITS, Unit
from bettercare.vocabulary.units import Dimension

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

TIMES = {
    name: Unit(name, UNITS[f"{name}s"].scale, UNITS[f"{name}s"].dimension)
    for name in ("hour", "day", "week", "month", "year")
}
"""Lengths of time an expression may name: ``1 / capital_programmes["acute"].roi * year``."""

_ALIASES = {"scheme_effects": "effects"}
_COLUMN_UNITS = {
    ("capital_programmes", "roi"): "%",
    ("capital_programmes", "payback"): "years",
    ("capital_programmes", "life"): "years",
}
_ROW_UNIT = {"value", "size", "low", "likely", "high", "p10", "p90"}
_NOT_COUNTED = {"GBP", "days"}
_NEVER_ROUNDED = {"text-number", "schemes", "sites", "practices"}
"""Labels and small counts of whole things: 4 printed is 4, never 4.4. A precision given for the row says otherwise."""
_LONGEST = 5_000
_DEEPEST = 60


# --- reading one ----------------------------------------------------------------------------------------------------------


def parse(text: str, plan: Plan) -> Expression:
    """Read an expression and find every figure it names.

    Raises:
        BettercareError: it is not in the language, or names what the plan does not have, or mixes kinds of thing.
    """
    if len(text) > _LONGEST:
        raise BettercareError(f"The expression holds {len(text):,} characters.", remedy=f"Keep it under {_LONGEST:,}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python warns of text such as 2year, which the error below already says
            tree = ast.parse(" ".join(text.split()), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise BettercareError(
            f"{_short(text)} is not an expression.",
            remedy='Write it like sum(capital, kind="spend") / capital["a"]; check quotes and brackets.',
        ) from None
    return Expression(text, _Reader(plan).node(tree.body, 0))


class _Reader:
    def __init__(self, plan: Plan) -> None:
        self.plan = plan

    def node(self, tree: ast.expr, depth: int) -> Node:
        if depth > _DEEPEST:
            raise BettercareError(
                "The expression is nested too deeply.", remedy="Split it into several claims, or use sum()."
            )
        match tree:
            case ast.Constant(value=bool()):
                pass
            case ast.Constant(value=int() | float() as number):
                return _constant(number)
            case ast.Name(id=name) if name in TIMES:
                return Constant(TIMES[name].scale, TIMES[name].dimension)
            case ast.Name(id=name):
                table = self._table(name)
                raise BettercareError(
                    f"{name} alone is a whole table.",
                    remedy=f'Write {name}["row-id"] or sum({name}, ...).' if table else "",
                )
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                part = self.node(operand, depth + 1)
                return Operation("-", (Constant(0.0, part.dimension), part), part.dimension)
            case ast.UnaryOp(op=ast.UAdd(), operand=operand):
                return self.node(operand, depth + 1)
            case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _OPERATORS:
                return _combine(_OPERATORS[type(operator)], (self.node(left, depth + 1), self.node(right, depth + 1)))
            case ast.Subscript():
                return self._cell(tree, "")
            case ast.Attribute(value=ast.Subscript() as cell, attr=column):
                return self._cell(cell, column)
            case ast.Call(func=ast.Name(id=function)):
                return self._call(function, tree, depth)
        raise BettercareError(
            f"{_short(ast.unparse(tree))} is not part of the language of claims.",
            remedy='Use table["row-id"], sum, count, + - * / **, abs, min, max, grow, number and lengths of time.',
        )

    def _table(self, name: str) -> str:
        table = _ALIASES.get(name, name)
        if table not in dictionary() or table == "claims":
            known = [name for name in (*dictionary(), *_ALIASES) if name != "claims"]
            raise BettercareError(f"There is no table {_short(name)}.", remedy=_nearest(name, known))
        return table

    def _cell(self, tree: ast.Subscript, column: str) -> Node:
        match tree:
            case ast.Subscript(value=ast.Name(id=name), slice=ast.Constant(value=str() as row_id)):
                table = self._table(name)
            case _:
                raise BettercareError(
                    f"{_short(ast.unparse(tree))} does not name a row.", remedy='Write table["row-id"].'
                )
        rows = _rows(self.plan, table)
        row = rows.get(row_id)
        if row is None:
            raise BettercareError(f"The table {name} has no row {_short(row_id)}.", remedy=_nearest(row_id, list(rows)))
        return leaf(self.plan, table, row_id, row, column)

    def _call(self, function: str, tree: ast.Call, depth: int) -> Node:
        if function in ("sum", "count"):
            return self._over_rows(function, tree)
        if function not in _FUNCTIONS:
            raise BettercareError(
                f"There is no function {_short(function)}.", remedy=f"Use one of: sum, count, {', '.join(_FUNCTIONS)}."
            )
        fewest, most = _FUNCTIONS[function]
        if tree.keywords or not fewest <= len(tree.args) <= most:
            raise BettercareError(
                f"{function} takes {'one figure' if most == 1 else 'two figures' if most == 2 else 'two figures or more'}."
            )
        parts = tuple(self.node(argument, depth + 1) for argument in tree.args)
        if function == "number":
            return _without_counts(parts[0])
        if function == "grow":
            rate, years = parts
            if years.dimension == TIMES["year"].dimension:
                years = _combine("/", (years, Constant(TIMES["year"].scale, TIMES["year"].dimension)))
            return _combine("**", (_combine("+", (Constant(1.0), rate)), years))
        return _combine(function, parts)

    def _over_rows(self, function: str, tree: ast.Call) -> Node:
        match tree.args:
            case [ast.Name(id=name)]:
                table = self._table(name)
            case _:
                raise BettercareError(
                    f"{function} takes one table and the columns to match.",
                    remedy=f'Write {function}(beds, organisation="uhl").',
                )
        wanted: dict[str, tuple[str | float, ...]] = {}
        empty: float | None = None
        for keyword in tree.keywords:
            if keyword.arg == "empty" and function == "sum":
                if not isinstance(keyword.value, ast.Constant) or keyword.value.value != 0:
                    raise BettercareError("empty must be 0.", remedy="Write empty=0 where there may be no such row.")
                empty = 0.0
            elif keyword.arg is None:
                raise BettercareError(f"{function} takes columns to match by name.")
            else:
                wanted[keyword.arg] = _literals(keyword)
        matched = self._matching(name, table, wanted, sure=empty is None)
        if function == "count":
            return Constant(float(len(matched)), PURE, is_count=True)
        if not matched:
            if empty is not None:
                return Constant(0.0)
            raise BettercareError(
                f"{_short(ast.unparse(tree))} matches no row.",
                remedy="Check the words, or add empty=0 if there may be none.",
            )
        return _combine("+", tuple(leaf(self.plan, table, row_id, row) for row_id, row in matched))

    def _matching(
        self, name: str, table: str, wanted: Mapping[str, tuple[str | float, ...]], sure: bool
    ) -> list[tuple[str, Row]]:
        """Rows that match every column; a word that no row has is a typing mistake where there is ``sure`` to be one."""
        rows = _rows(self.plan, table)
        columns = (*dictionary()[table].names, *(("theme",) if table == "effects" else ()))
        tests: list[tuple[str, list[Callable[[tuple[str, ...]], bool]]]] = []
        for column, words in wanted.items():
            if column not in columns:
                raise BettercareError(f"{name} has no column {_short(column)}.", remedy=_nearest(column, list(columns)))
            either = [_test(word) for word in words]
            tests.append((column, either))
            for word, test in zip(words, either, strict=True):
                found = any(test(self._cells(table, key, row, column)) for key, row in rows.items())
                if sure and not found and not self._possible(table, column, word):
                    raise BettercareError(
                        f"No row of {name} has {column} {_short(str(word))}.",
                        remedy=self._seen(table, column, str(word)),
                    )
        return [
            (key, row)
            for key, row in rows.items()
            if all(any(test(self._cells(table, key, row, column)) for test in either) for column, either in tests)
        ]

    def _possible(self, table: str, column: str, word: str | float) -> bool:
        """Whether a word no row has could still be right: blank, a year of the plan, a choice, or an id it may refer to."""
        spec = dictionary()[table].column(column)
        if word == "":
            return True
        if spec is None:
            return column == "theme" and word in self.plan["themes"].by_id
        if spec.type == "year":
            return word in self.plan.years
        return word in spec.choices or (bool(spec.refers_to) and word in self.plan[spec.refers_to].by_id)

    def _cells(self, table: str, key: str, row: Row, column: str) -> tuple[str, ...]:
        """The words of a cell: several for a list, one blank for none."""
        if column == "id":
            return (key,)
        if table == "effects" and column == "theme":
            scheme = self.plan["schemes"].by_id.get(str(row["scheme"]))
            return (str(scheme["theme"] or ""),) if scheme else ("",)
        value = row[column]
        if isinstance(value, tuple):
            return tuple(str(part) for part in value) or ("",)
        if isinstance(value, bool):
            return ("yes" if value else "no",)
        if isinstance(value, float | int):
            return (f"{value:g}",)
        return ("" if value is None else str(value),)

    def _seen(self, table: str, column: str, word: str) -> str:
        seen = {
            cell
            for key, row in _rows(self.plan, table).items()
            for cell in self._cells(table, key, row, column)
            if cell
        }
        return _nearest(word, sorted(seen))


_OPERATORS: Mapping[type[ast.operator], str] = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.Pow: "**"}
_FUNCTIONS = {"abs": (1, 1), "min": (2, 99), "max": (2, 99), "grow": (2, 2), "number": (1, 1)}


def _constant(number: float) -> Constant:
    try:
        value = float(number)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise BettercareError("A number in the expression is too large.")
    return Constant(value)


def _literals(keyword: ast.keyword) -> tuple[str | float, ...]:
    try:
        value = ast.literal_eval(keyword.value)
    except (ValueError, SyntaxError):
        value = None
    words = value if isinstance(value, list | tuple) else [value]
    if not words or not all(isinstance(word, str | int | float) and not isinstance(word, bool) for word in words):
        raise BettercareError(
            f"{keyword.arg} must be a word or a list of words.",
            remedy=f'Write {keyword.arg}="x" or {keyword.arg}=["x", "y"].',
        )
    return tuple(words)


def _test(word: str | float) -> Callable[[tuple[str, ...]], bool]:
    text = word if isinstance(word, str) else f"{word:g}"
    if "*" not in text and "?" not in text:
        return lambda cells: text in cells
    pattern = re.compile(re.escape(text).replace(r"\*", ".*").replace(r"\?", "."), re.DOTALL)
    return lambda cells: any(pattern.fullmatch(cell) for cell in cells)


def _rows(plan: Plan, table: str) -> Mapping[str, Row]:
    """The rows of a table by the id an expression knows them by."""
    if table == "effects":
        return {f"{row['scheme']}.{row.id}": row for row in plan["effects"]}
    return plan[table].by_id


def leaf(plan: Plan, table: str, row_id: str, row: Row, column: str = "") -> Leaf:
    """One figure as a leaf, in its base unit.

    A rate takes the dimension of what it means: a unit cost is pounds for each admission (or other unit of its point of
    delivery), a length of stay is bed days for each, so that activity times rate gives pounds and bed days.

    Raises:
        BettercareError: the row holds no such figure.
    """
    spec = dictionary()[table]
    name = column or ("size" if table == "effects" else "value")
    if table == "effects" and not column and row["size"] is None and row["likely"] is not None:
        name = "likely"
    found = spec.column(name)
    if found is None or not found.is_number or name == "precision":
        numbers = [column.name for column in spec.columns if column.is_number and column.name != "precision"]
        what = (
            f"{table} has no number column {_short(name)}." if column else f"{table} holds no figure in a column value."
        )
        raise BettercareError(
            what, remedy=f"Its number columns: {', '.join(numbers)}." if numbers else "Use count() for it."
        )
    if row[name] is None:
        raise BettercareError(f"{table}[{row_id!r}] has no {name}.", remedy="Fill the cell, or name another column.")
    unit = UNITS[_COLUMN_UNITS.get((table, name)) or (row["unit"] if name in _ROW_UNIT and row["unit"] else "ratio")]
    exact = row["precision"] if name in {"value", "size"} else None
    whole = unit.name in _NEVER_ROUNDED or found.type == "integer"
    place = float(exact) if exact is not None else 0.0 if whole else printed_place(row.text.get(name, ""))
    dimension = _times(unit.dimension, _per_what(plan, table, row), 1) if name in _ROW_UNIT else unit.dimension
    shown = f"{table}.{row_id}" + (f".{column}" if column and column not in {"value", "size"} else "")
    return Leaf(shown, float(row[name]) * unit.scale, place * unit.scale / 2, dimension, row["basis"] == "assumed")


def _per_what(plan: Plan, table: str, row: Row) -> Dimension:
    """What the dimension of a row's unit leaves unsaid: a unit cost is for each admission, and so on."""
    if table == "effects" and row["per"] == "unit":
        followed = _rows(plan, "effects").get(f"{row['scheme']}.{row['follows']}")
        return _times(PURE, UNITS[followed["unit"]].dimension, -1) if followed and followed["unit"] else PURE
    if table != "rates":
        return PURE
    unit = UNITS[PODS[row["pod"]].unit].dimension if row["pod"] in PODS else PURE
    match row["measure"]:
        case "unit-cost" | "staff-per-unit":
            return _times(PURE, unit, -1)
        case "length-of-stay":
            return _times((("beds", 1),), unit, -1)
        case "staff-per-bed":
            return (("beds", -1),)
    return PURE


# --- dimensions -------------------------------------------------------------------------------------------------------------


def _times(left: Dimension, right: Dimension, power: int) -> Dimension:
    powers = dict(left)
    for kind, exponent in right:
        powers[kind] = powers.get(kind, 0) + power * exponent
    return tuple(sorted((kind, exponent) for kind, exponent in powers.items() if exponent))


def _combine(name: str, parts: tuple[Node, ...]) -> Node:
    if name == "*":
        return Operation(name, parts, _times(parts[0].dimension, parts[1].dimension, 1))
    if name == "/":
        return Operation(name, parts, _times(parts[0].dimension, parts[1].dimension, -1))
    if name == "**":
        base, exponent = parts
        if exponent.dimension != PURE:
            raise BettercareError(
                f"A power cannot be a number of {in_words(exponent.dimension)}.", remedy="Use a plain number of years."
            )
        if base.dimension == PURE:
            return Operation(name, parts, PURE)
        if not isinstance(exponent, Constant) or exponent.value != int(exponent.value) or abs(exponent.value) > 9:
            raise BettercareError(f"Only a small whole power of {in_words(base.dimension)} can be taken.")
        return Operation(name, parts, _times(PURE, base.dimension, int(exponent.value)))
    kinds = {
        part.dimension for part in parts if not (isinstance(part, Constant) and part.value == 0 and not part.is_count)
    }
    if len(kinds) > 1:
        shown = " and ".join(sorted(in_words(kind) for kind in kinds))
        verb = {"+": "added", "-": "subtracted"}.get(name, "compared")
        raise BettercareError(f"{shown} cannot be {verb}.", remedy=_odd_one_out(parts))
    return Operation(name, parts, kinds.pop() if kinds else PURE)


def _odd_one_out(parts: Sequence[Node]) -> str:
    first: dict[Dimension, str] = {}
    for part in parts:
        if isinstance(part, Leaf):
            first.setdefault(part.dimension, part.id)
    if len(first) < 2:
        return "Add like to like."
    return (
        "Add like to like: "
        + "; ".join(f"{name} is in {in_words(dimension)}" for dimension, name in first.items())
        + "."
    )


def _without_counts(node: Node) -> Node:
    """The same number with the words for what is counted taken off (admissions, beds, persons); money and time stay."""
    kept = tuple((kind, power) for kind, power in node.dimension if kind in _NOT_COUNTED)
    removed = tuple((kind, -power) for kind, power in node.dimension if kind not in _NOT_COUNTED)
    return Operation("*", (node, Constant(1.0, removed)), kept)


def in_words(dimension: Dimension) -> str:
    """A dimension as a planner says it: ``GBP per admission``.

    >>> in_words((("GBP", 1), ("admissions", -1)))
    'GBP per admission'
    """
    if dimension == PURE:
        return "a plain number"
    above = [kind if power == 1 else f"{kind}^{power}" for kind, power in dimension if power > 0]
    below = [kind.removesuffix("s") if power == -1 else f"{kind}^{-power}" for kind, power in dimension if power < 0]
    return (" x ".join(above) or "1") + "".join(f" per {kind}" for kind in below)


def fits(expression: Expression, unit: Unit) -> bool:
    """Whether an expression can give a figure in a unit.

    Equal dimensions fit. A figure *per thing counted* fits the unit it is an amount of (pounds per admission are ``GBP``,
    persons per practice ``persons``), things per thing fit ``ratio`` and ``per 1,000``, and a count of rows fits any count.
    """
    dimension = expression.dimension
    if dimension == unit.dimension:
        return True
    counted = [(kind, power) for kind, power in dimension if kind not in _NOT_COUNTED]
    if unit.dimension == PURE:
        return (
            (unit.name == "ratio" or unit.name.startswith("per "))
            and len(counted) == len(dimension)
            and sum(power for _, power in counted) == 0
        )
    if dimension == PURE:
        return expression.counts and all(kind not in _NOT_COUNTED and power == 1 for kind, power in unit.dimension)
    return tuple((kind, power) for kind, power in dimension if power > 0 or kind in _NOT_COUNTED) == unit.dimension


# --- the claims of a plan ---------------------------------------------------------------------------------------------------


def expression_of(plan: Plan, claim: Row) -> Expression:
    """The expression of a claim, resolved and checked against its unit.

    Raises:
        BettercareError: with no place, saying what is wrong with it.
    """
    expression = parse(str(claim["expression"]), plan)
    unit = UNITS[claim["unit"]]
    if not fits(expression, unit):
        raise BettercareError(
            f"The expression gives {in_words(expression.dimension)} and the claim is in {unit.name}.",
            remedy="Give both the same kind of unit; number() takes the word for what is counted off.",
        )
    _ = expression.value
    return expression


def faults_of_claims(plan: Plan) -> list[Fault]:
    """Every claim that cannot be recomputed, with file and row."""
    faults = []
    for claim in plan["claims"]:
        if claim["expression"] is None or claim["unit"] is None:
            continue
        try:
            expression_of(plan, claim)
        except BettercareError as error:
            faults.append(Fault(f"{claim.where}, column expression", error.what, error.remedy))
    return faults


def _short(text: Any) -> str:
    shown = str(text)
    return repr(shown if len(shown) <= 60 else shown[:57] + "...")


def _nearest(word: str, known: Sequence[str]) -> str:
    if not known:
        return "It is empty: add a row."
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.6)
    if near:
        return f"Did you mean {' or '.join(near)}?"
    return f"It has: {', '.join(known[:12])}{', ...' if len(known) > 12 else ''}."
