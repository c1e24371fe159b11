"""Where a number comes from: a tree from a result down to sourced figures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bettercare.plan import Figure


@dataclass(frozen=True)
class Node:
    """One number and the numbers it is made of."""

    label: str
    value: float
    unit: str
    how: str = ""
    source: str = ""
    basis: str = ""
    note: str = ""
    children: tuple[Node, ...] = ()
    adds: bool = False
    """Whether the children add to the value (otherwise they are what it was worked out from)."""

    def walk(self, depth: int = 0) -> Iterator[tuple[int, Node]]:
        yield depth, self
        for child in self.children:
            yield from child.walk(depth + 1)


def leaf(figure: Figure, titles: dict[str, str]) -> Node:
    """A figure of the plan as the end of a branch."""
    source = titles.get(figure.source, figure.source) + (f", {figure.where}" if figure.where else "")
    return Node(figure.id, figure.value, figure.unit.name, "", source, figure.basis, figure.note)
