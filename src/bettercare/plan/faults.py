"""Faults gathered while a plan is read: as many of each file as say something new."""

from __future__ import annotations

from collections.abc import Iterable

from bettercare.errors import Fault

MOST = 500
"""Faults kept of one file. A file with more is wrong in one way all through, and the list would fill the memory."""


class Gathered:
    """Adds faults to a list until there are too many, and then counts the rest."""

    def __init__(self, faults: list[Fault]) -> None:
        self._faults = faults
        self._count = 0
        self._file = ""

    def append(self, fault: Fault) -> None:
        self._count += 1
        if self._count <= MOST:
            self._faults.append(fault)
        else:
            self._file = fault.where.split(",")[0]

    def extend(self, faults: Iterable[Fault]) -> None:
        for fault in faults:
            self.append(fault)

    def close(self) -> None:
        """Say how many were counted and not kept."""
        if self._count > MOST:
            more = f"There are {self._count - MOST:,} more faults like these."
            self._faults.append(Fault(self._file, more, "Correct those listed, then read the plan again."))
