"""Starting to run a plan: the registers its papers give become rows of the store."""

from __future__ import annotations

from collections.abc import Iterator

from bettercare.assurance.actions import Action
from bettercare.assurance.decisions import Decision
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting
from bettercare.assurance.programme import Programme
from bettercare.assurance.risks import Risk
from bettercare.plan import Plan, Row
from bettercare.plan.cells import parts
from bettercare.store import Conflict, Missing, Record, Store


def open_programme(store: Store, plan: Plan, by: str) -> Programme:
    """Start running a plan: its risks, actions, decisions, meetings and declarations become rows of the store. Does nothing the second time.

    Args:
        by: who opens it, for the history.
    """
    try:
        return store.read(Programme, plan.id, plan.id)
    except Missing:
        pass
    try:
        with store.change(by, f"Opened {plan.title}") as changing:
            programme = changing.add(Programme(plan=plan.id, id=plan.id))
            for record in registers_of(plan):
                changing.add(record)
    except Conflict:
        # Somebody else opened it at the same moment.
        return store.read(Programme, plan.id, plan.id)
    return programme


def registers_of(plan: Plan) -> Iterator[Record]:
    """The rows of the store that a plan's own papers give."""
    for row in plan["risks"]:
        yield Risk(
            plan=plan.id,
            id=row.id,
            risk=row["risk"],
            level="project" if row["scheme"] else "programme",
            category=row["category"] or "",
            scheme=(parts(row["scheme"] or "") or ("",))[0],
            likelihood=row["likelihood"],
            impact=row["impact"],
            mitigation=row["mitigation"] or "",
            owner=row["owner"] or "",
            source=_source(row),
        )
    for kind in (Meeting, AgendaItem, Decision, Action, Declaration):
        for row in plan[kind.table]:
            yield _record(kind, plan.id, row)


def _record(kind: type[Record], plan: str, row: Row) -> Record:
    """A row of a register of the plan: its columns are the fields of the record."""
    values = {
        name: value
        for name, value in row.values.items()
        if name in kind.model_fields and value is not None and name not in ("about", "source")
    }
    values["source"] = _source(row)
    if "about" in kind.model_fields:
        values["about"] = parts(row["about"] or "")
    return kind(plan=plan, **values)


def _source(row: Row) -> str:
    return ": ".join(filter(None, (row["source"], row["where"])))
