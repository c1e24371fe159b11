"""Checking a store: is the file sound, and does every row agree with its history?"""

from __future__ import annotations

from sqlalchemy import Connection, select

from bettercare.errors import Fault
from bettercare.store.history import last_of_each
from bettercare.store.record import KINDS, Record
from bettercare.store.schema import shape_of


def faults_of(connection: Connection) -> tuple[Fault, ...]:
    """What is wrong, for every kind of record that has been defined; nothing, unless something else than bettercare has written to the database."""
    found: list[Fault] = []
    if connection.dialect.name == "sqlite":
        for said in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
            if said != "ok":
                found.append(Fault("the file", str(said), "Restore it from a copy."))
    for kind in KINDS.values():
        if kind.kept:
            found += _faults(connection, kind)
    return tuple(found)


def _faults(connection: Connection, kind: type[Record]) -> list[Fault]:
    shape = shape_of(kind)
    read = shape.reader()
    rows = {(row.plan, row.id): row for row in map(read, connection.execute(select(shape.table)))}
    last = last_of_each(connection, kind.table)
    found: list[Fault] = []
    for key in sorted(rows.keys() | last.keys()):
        row, change = rows.get(key), last.get(key)
        where = f"{kind.table}, {'/'.join(filter(None, key))}"
        if row is None:
            if change is not None and change.action != "remove":
                found.append(Fault(where, "The history has this row and its register does not."))
        elif change is None or change.action == "remove":
            found.append(Fault(where, "The register has this row and the history does not."))
        else:
            now = shape.history(row)
            other = sorted(name for name in now.keys() & change.row.keys() if now[name] != change.row[name])
            if other:
                found.append(Fault(where, f"The row is not as its last change left it: {', '.join(other)}."))
    return found
