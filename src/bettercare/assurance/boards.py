"""Boards and groups: who answers to whom, who decides, and what each board is to look into."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bettercare.plan import Plan, Row
from bettercare.store import Missing


@dataclass(frozen=True)
class Function:
    """Something a board is asked to do."""

    id: str
    function: str
    tests: str
    """What a question under it tests; the words of :class:`~bettercare.assurance.questions.Question`."""
    where: str


@dataclass(frozen=True)
class FocusArea:
    """A part of the plan that a board looks into more closely."""

    id: str
    board: str
    kind: str
    """new-model-of-care or service-reconfiguration."""
    focus: str
    schemes: tuple[str, ...]
    where: str


@dataclass(frozen=True)
class Board:
    """A board, committee or group."""

    id: str
    name: str
    kind: str
    area: str
    accountable_to: tuple[str, ...]
    informs: tuple[str, ...]
    decides: bool
    focus: tuple[FocusArea, ...]
    functions: tuple[Function, ...]
    note: str
    where: str

    @property
    def schemes(self) -> frozenset[str]:
        """Schemes of its areas of focus."""
        return frozenset(scheme for area in self.focus for scheme in area.schemes)


def boards(plan: Plan) -> Mapping[str, Board]:
    """The boards and groups of a plan by id, in its order."""
    focus: dict[str, list[FocusArea]] = {}
    for row in plan["focus_areas"]:
        focus.setdefault(row["board"], []).append(
            FocusArea(row.id, row["board"], row["kind"], row["focus"], row["schemes"] or (), _where(row))
        )
    functions: dict[str, list[Function]] = {}
    for row in sorted(plan["board_functions"], key=lambda row: int(row["order"])):
        for name in row["boards"]:
            functions.setdefault(name, []).append(Function(row.id, row["function"], row["tests"], _where(row)))
    return {
        row.id: Board(
            row.id, row["name"], row["kind"], row["area"] or "", row["accountable_to"] or (), row["informs"] or (), row["decides"],
            tuple(focus.get(row.id, ())), tuple(functions.get(row.id, ())), row["note"] or "", _where(row),
        )
        for row in plan["boards"]
    }  # fmt: skip


def board(plan: Plan, name: str) -> Board:
    """One board.

    Raises:
        Missing: the plan has no such board.
    """
    known = boards(plan)
    if name not in known:
        raise Missing(
            f"The plan {plan.id} has no board {name!r}.",
            remedy=f"It has: {', '.join(known)}." if known else "Add it to tables/boards.csv.",
        )
    return known[name]


def _where(row: Row) -> str:
    return ": ".join(filter(None, (row["source"], row["where"])))
