"""The one family of errors a user can cause: each says what is wrong, where, and what to do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, order=True)
class Fault:
    """One thing wrong in what the user gave us."""

    where: str
    """File and row, for example ``tables/beds.csv, row 3, column value``."""
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        said = f"{self.what} {self.remedy}" if self.remedy else self.what
        return f"{self.where}: {said}" if self.where else said


class BettercareError(Exception):
    """Something a user gave cannot be used. Printed as a sentence; never as a traceback."""

    def __init__(self, what: str, where: str = "", remedy: str = "") -> None:
        self.faults = tuple([Fault(where, what, remedy)] if where else [])
        self.what = what
        self.remedy = remedy
        super().__init__(str(self.faults[0]) if where else " ".join(filter(None, (what, remedy))))


def _in_order(fault: Fault) -> tuple[list[str | int], str, str]:
    """Sorts row 2 before row 10."""
    where = re.split("([0-9]{1,18})", fault.where)
    return [int(part) if position % 2 else part for position, part in enumerate(where)], fault.what, fault.remedy


class FaultsError(BettercareError):
    """Something that was read whole has faults; all of them are listed, not the first alone."""

    said: ClassVar[str]
    """What cannot be done, without a full stop."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        listed = tuple(faults)
        super().__init__(f"{self.said}: {len(listed)} fault{'' if len(listed) == 1 else 's'}.")
        self.faults = listed
        self.args = ("\n".join([self.what, *(f"  {fault}" for fault in listed)]),)


class PlanError(FaultsError):
    """A plan folder has faults; each is listed once, in the order of files and rows."""

    said = "The plan cannot be used"

    def __init__(self, faults: Iterable[Fault]) -> None:
        super().__init__(sorted(set(faults), key=_in_order))
