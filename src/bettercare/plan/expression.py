"""An expression over the figures of a plan: its value, and the range their printed digits allow.

Every figure is a *leaf*, known to half its last printed digit. The same figure read twice is one leaf, so that what cancels on
paper cancels here.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from bettercare.errors import BettercareError
from bettercare.vocabulary.units import Dimension

PURE: Dimension = ()


@dataclass(frozen=True)
class Leaf:
    """A figure of the plan, in the base unit of its dimension."""

    id: str
    """``table.row`` or ``table.row.column``"""
    value: float
    half: float
    """Half the place of its last printed digit."""
    dimension: Dimension
    assumed: bool = False


@dataclass(frozen=True)
class Constant:
    """A number or a length of time written in the expression, or a count of rows: exact."""

    value: float
    dimension: Dimension = PURE
    is_count: bool = False


@dataclass(frozen=True)
class Operation:
    """``+ - * / **``, ``abs``, ``min`` or ``max`` of its parts."""

    name: str
    parts: tuple[Node, ...]
    dimension: Dimension


Node = Leaf | Constant | Operation


@dataclass(frozen=True)
class _Slope:
    """A value and its derivative by each leaf."""

    value: float
    by: Mapping[str, float]


def _at(node: Node, point: Mapping[str, float]) -> _Slope:
    """The value and derivatives of a node where the leaves have the values of ``point`` (else their printed ones)."""
    if isinstance(node, Leaf):
        return _Slope(point.get(node.id, node.value), {node.id: 1.0})
    if isinstance(node, Constant):
        return _Slope(node.value, {})
    parts = [_at(part, point) for part in node.parts]
    if node.name == "+":
        return _mix(math.fsum(part.value for part in parts), [(part, 1.0) for part in parts])
    left, *others = parts
    if node.name == "abs":
        return _mix(abs(left.value), [(left, -1.0 if left.value < 0 else 1.0)])
    if node.name in ("min", "max"):
        return (min if node.name == "min" else max)(parts, key=lambda part: part.value)
    right = others[0]
    if node.name == "-":
        return _mix(left.value - right.value, [(left, 1.0), (right, -1.0)])
    if node.name == "*":
        return _mix(left.value * right.value, [(left, right.value), (right, left.value)])
    if node.name == "/":
        value = left.value / right.value
        return _mix(value, [(left, 1 / right.value), (right, -value / right.value)])
    value = _power(left.value, right.value)
    by_left = right.value * _power(left.value, right.value - 1) if right.value else 0.0
    by_right = value * math.log(left.value) if left.value > 0 and right.by else 0.0
    return _mix(value, [(left, by_left), (right, by_right)])


def _power(base: float, exponent: float) -> float:
    if base < 0 and exponent != int(exponent):
        raise ArithmeticError("a fractional power of a negative number")
    return float(base**exponent)


def _mix(value: float, parts: Sequence[tuple[_Slope, float]]) -> _Slope:
    by: dict[str, float] = {}
    for part, weight in parts:
        for leaf, slope in part.by.items():
            by[leaf] = by.get(leaf, 0.0) + weight * slope
    return _Slope(value, by)


def _walk(node: Node) -> Iterator[Node]:
    yield node
    if isinstance(node, Operation):
        for part in node.parts:
            yield from _walk(part)


@dataclass(frozen=True)
class Expression:
    """A claim's expression, resolved against the plan it is about."""

    text: str
    node: Node

    @property
    def dimension(self) -> Dimension:
        return self.node.dimension

    @cached_property
    def leaves(self) -> tuple[Leaf, ...]:
        """The figures it reads, each once, in the order it reads them."""
        return tuple({node.id: node for node in _walk(self.node) if isinstance(node, Leaf)}.values())

    @property
    def counts(self) -> bool:
        """Whether it counts rows."""
        return any(isinstance(node, Constant) and node.is_count for node in _walk(self.node))

    @property
    def value(self) -> float:
        """Where every figure is exactly as printed, in the base unit of its dimension.

        Raises:
            BettercareError: the printed figures make it divide by zero.
        """
        try:
            value = _at(self.node, {}).value
        except (ArithmeticError, ValueError):
            raise BettercareError(
                "The expression divides by zero or leaves the real numbers.", remedy="Check the figures it reads."
            ) from None
        if not math.isfinite(value):
            raise BettercareError("The expression is too large to be a figure of a plan.")
        return value

    @cached_property
    def range(self) -> tuple[float, float]:
        """The lowest and highest value as each leaf moves within half its last printed digit, in the base unit.

        Infinite where a divisor may be zero within that.
        """
        leaves = {leaf.id: leaf for leaf in self.leaves if leaf.half > 0}
        try:
            if any(
                _crosses_zero(node.parts[1], leaves)
                for node in _walk(self.node)
                if isinstance(node, Operation) and node.name == "/"
            ):
                return -math.inf, math.inf
            values = [_at(self.node, {}).value, *_at_corners(self.node, leaves)]
            starts: list[dict[str, float]] = []
            for difference in _kinks(self.node):
                ends = [_climb(difference, leaves, side, {})[1] for side in (-1, 1)]
                starts += ends
                starts += _where_zero(difference, *ends)
            for start in starts:
                # A kink itself may be the extreme: hold the leaves that make it and move the others alone.
                others = {name: leaf for name, leaf in leaves.items() if name not in start}
                for side in (-1, 1):
                    values += [_climb(self.node, leaves, side, start)[0], _climb(self.node, others, side, start)[0]]
        except (ArithmeticError, ValueError):
            return -math.inf, math.inf
        return min(values), max(values)


_FEW = 6
"""Leaves whose every corner is tried; more than that are sums and ratios of sums, where the slopes lead to the right corner."""


def _at_corners(node: Node, leaves: Mapping[str, Leaf]) -> list[float]:
    """Values where each leaf is at one of its ends: at every such corner if the leaves are few, else at the best found."""
    if len(leaves) <= _FEW:
        ends = [[(name, leaf.value - leaf.half), (name, leaf.value + leaf.half)] for name, leaf in leaves.items()]
        return [_at(node, dict(corner)).value for corner in product(*ends)]
    values = []
    for side in (-1, 1):
        for start in ({}, *({name: leaf.value + end * leaf.half for name, leaf in leaves.items()} for end in (-1, 1))):
            values.append(_climb(node, leaves, side, start)[0])
    return values


def _climb(
    node: Node, leaves: Mapping[str, Leaf], side: int, start: Mapping[str, float]
) -> tuple[float, dict[str, float]]:
    """The extreme on one side (-1 low, 1 high), and where: each leaf goes to the end its slope points to."""
    point = dict(start)
    best, best_point = side * -math.inf, point
    for _ in range(6):
        here = _at(node, point)
        if side * here.value > side * best:
            best, best_point = here.value, point
        # A leaf without slope stays where it is: it does not matter here.
        moved = {
            name: leaves[name].value + side * math.copysign(leaves[name].half, slope)
            for name, slope in here.by.items()
            if name in leaves and slope
        }
        if all(point.get(name) == value for name, value in moved.items()):
            break
        point = {**point, **moved}
    return best, best_point


def _crosses_zero(node: Node, leaves: Mapping[str, Leaf]) -> bool:
    return _climb(node, leaves, -1, {})[0] <= 0 <= _climb(node, leaves, 1, {})[0]


def _kinks(node: Node) -> Iterator[Node]:
    """The differences whose sign decides a branch of ``abs``, ``min`` or ``max``."""
    for part in _walk(node):
        if isinstance(part, Operation) and part.name == "abs":
            yield part.parts[0]
        elif isinstance(part, Operation) and part.name in ("min", "max"):
            for index, first in enumerate(part.parts):
                for second in part.parts[index + 1 :]:
                    yield Operation("-", (first, second), part.dimension)


def _where_zero(difference: Node, low: Mapping[str, float], high: Mapping[str, float]) -> list[dict[str, float]]:
    """A point between two where the difference is zero, if it changes sign between them."""
    if not _at(difference, low).value < 0 < _at(difference, high).value:
        return []
    near, far = 0.0, 1.0

    def between(share: float) -> dict[str, float]:
        return {name: low[name] + share * (high[name] - low[name]) for name in low.keys() & high.keys()}

    for _ in range(60):
        middle = (near + far) / 2
        near, far = (middle, far) if _at(difference, between(middle)).value < 0 else (near, middle)
    return [between(far)]
