"""The ledger of the pooled fund: every movement has two sides, so it always balances. Money is whole pence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import ClassVar, Literal

from bettercare.store import Record, asks

Kind = Literal[
    "contribution",
    "budget",
    "reserve",
    "spend",
    "forecast",
    "performance-payment",
    "risk-pool-release",
    "cover",
    "carry-forward",
    "correction",
]


class Entry(Record):
    """A movement of money from one account to another. Never changed: a mistake is corrected by an entry that reverses it.

    Accounts: ``partner:<organisation>``, ``pool`` (in the fund, not yet given to anything), ``scheme:<id>``, ``reserve``, ``risk-pool``,
    ``performance`` (earned pay for performance), ``spent:<scheme>`` (left the fund), ``returned:<organisation>``.
    """

    table: ClassVar[str] = "ledger"
    append_only: ClassVar[bool] = True

    on: date = asks("Date", "The day the movement counts for")
    year: str = asks("Financial year", "Such as 2015/16", pattern=r"^\d{4}/\d{2}$")
    kind: Kind = asks("Kind", "What sort of movement it is")
    from_account: str = asks("From", "The account the money leaves", min_length=1)
    to_account: str = asks("To", "The account the money reaches", min_length=1)
    pence: int = asks("Amount", "Pence", gt=0)
    because: str = asks(
        "Because of", "What it follows from, such as decision:327(b) or payment:2015/16-Q1", "", refers="ref"
    )
    reverses: str = asks("Reverses", "Id of the entry it corrects", "", refers="ledger")
    note: str = asks("Note", "", "", long=True)


def balances(entries: Sequence[Entry], on: date | None = None) -> Mapping[str, int]:
    """Pence in each account; they sum to nothing."""
    raise NotImplementedError
