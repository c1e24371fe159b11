"""The ledger of the pooled fund: every movement has two sides, so it always balances. Money is whole pence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.plan.figures import Row
from bettercare.store import Record, asks
from bettercare.vocabulary import UNITS, FinancialYear

Kind = Literal[
    "contribution",
    "budget",
    "reserve",
    "spend",
    "performance-payment",
    "risk-pool-release",
    "recovery",
    "cover",
    "carry-forward",
    "correction",
]

MOST = 1_000_000_000_00
"""Pence. A movement of more than GBP 1,000m is a slip of the keys."""


class Entry(Record):
    """A movement of money from one account to another. Never changed: a mistake is corrected by an entry that reverses it.

    Accounts: ``partner:<organisation>``, ``pool`` (in the fund, not yet given to anything), ``scheme:<id>``, ``reserve``, ``risk-pool``,
    ``performance`` (earned pay for performance), ``spent:<scheme>`` (left the fund), ``returned:<organisation>``, ``carried`` (between years).
    """

    table: ClassVar[str] = "ledger"
    append_only: ClassVar[bool] = True

    on: date = asks("Date", "The day the movement counts for")
    year: str = asks("Financial year", "Such as 2015/16", pattern=r"^\d{4}/\d{2}$")
    kind: Kind = asks("Kind", "What sort of movement it is")
    from_account: str = asks("From", "The account the money leaves", refers="accounts", min_length=1)
    to_account: str = asks("To", "The account the money reaches", refers="accounts", min_length=1)
    pence: int = asks("Amount", "Pence", gt=0)
    because: str = asks(
        "Because of", "What it follows from, such as decision:327(b) or payment:2015/16 Q1", "", refers="ref"
    )
    reverses: str = asks("Reverses", "Id of the entry it corrects", "", refers="ledger")
    note: str = asks("Note", "", "", long=True)


@dataclass(frozen=True)
class Account:
    """What passed through one account, in pence."""

    account: str
    paid_in: int
    paid_out: int

    @property
    def balance(self) -> int:
        return self.paid_in - self.paid_out


# --- accounts -------------------------------------------------------------------------------------------------------------

_PLAIN = {
    "pool": "In the fund, given to nothing yet",
    "reserve": "Reserve beside the risk pool",
    "risk-pool": "Risk pool",
    "performance": "Pay for performance earned",
    "carried": "Carried between years",
}
_OF = {"partner": "organisations", "returned": "organisations", "scheme": "schemes", "spent": "schemes"}
_WORDS = {"partner": "{}", "returned": "Paid to {}", "scheme": "{}", "spent": "Spent on {}"}

_SIDES: Mapping[str, tuple[tuple[str, ...], tuple[str, ...], str]] = {
    "contribution": (("partner",), ("pool",), "from a partner to the pool"),
    "budget": (("pool", "scheme", "performance", "reserve"), ("pool", "scheme"), "between the pool and schemes"),
    "reserve": (("pool",), ("reserve", "risk-pool"), "from the pool to the reserve or the risk pool"),
    "spend": (("scheme",), ("spent",), "from a scheme to what was spent on the same scheme"),
    "performance-payment": (("risk-pool",), ("performance",), "from the risk pool to pay for performance earned"),
    "risk-pool-release": (("risk-pool", "reserve"), ("returned", "pool", "scheme"), "from the risk pool or reserve"),
    "recovery": (("returned",), ("risk-pool", "pool"), "from an organisation that was paid back to the fund"),
    "cover": (
        ("scheme", "pool", "reserve", "risk-pool", "partner"),
        ("scheme", "pool"),
        "to the scheme that overspends, or the pool",
    ),
    "carry-forward": (
        ("pool", "scheme", "reserve", "risk-pool", "performance", "carried"),
        ("carried", "pool", "scheme", "reserve", "risk-pool"),
        "into or out of what is carried between years",
    ),
}
"""Which accounts each kind of movement joins: from, to, in words. A correction may join any two."""


def accounts(plan: Plan) -> Mapping[str, str]:
    """Every account of a plan's fund, with its name in words."""
    named = dict(_PLAIN)
    for prefix, table in _OF.items():
        rows = plan.schemes if table == "schemes" else plan["organisations"]
        for thing in rows:
            name = thing.name if table == "schemes" else thing["name"]  # type: ignore[union-attr,index]
            named[f"{prefix}:{thing.id}"] = _WORDS[prefix].format(name)
    return named


def account_name(plan: Plan, account: str) -> str:
    """An account in words; the account itself when the plan does not know it."""
    prefix, _, name = account.partition(":")
    row = plan[_OF[prefix]].by_id.get(name) if prefix in _OF else None
    return _WORDS[prefix].format(row["name"]) if row is not None else _PLAIN.get(account, account)


# --- making entries -------------------------------------------------------------------------------------------------------


def entry(
    plan: Plan, *, on: date, kind: Kind, from_account: str, to_account: str, pence: int, year: str = "", because: str = "", note: str = "",
    id: str = "", synthetic: bool = False,
) -> Entry:  # fmt: skip
    """A movement of the plan's fund, checked. An account may go below zero: an overspend is shown, never refused.

    Args:
        on: the day it counts for.
        pence: how much.
        year: financial year it counts in; blank for the one the day falls in.
        id: left to the store when blank.

    Raises:
        BettercareError: an account the plan does not have, the same account twice, an amount of nothing or too large, accounts the kind
            does not join, or a day outside the year.
    """
    for side, account in (("from", from_account), ("to", to_account)):
        _known(plan, account, side)
    if from_account == to_account:
        raise BettercareError(
            f"The money would leave and reach the same account, {account_name(plan, to_account)}.",
            remedy="Choose another account to pay from or to.",
        )
    _amount(pence)
    _joined(plan, kind, from_account, to_account)
    year = year or str(FinancialYear.of(on))
    counted = FinancialYear.parse(year)
    if not counted.first_day <= on <= counted.last_day:
        raise BettercareError(
            f"{_day(on)} is not in {year}.", remedy=f"Use a day of {year}, or the year {FinancialYear.of(on)}."
        )
    if not plan.base_year <= counted <= plan.last_year + 1:
        raise BettercareError(
            f"{year} is outside the plan ({plan.first_year} to {plan.last_year}).", remedy="Check the date."
        )
    return Entry(
        plan=plan.id, id=id, on=on, year=year, kind=kind, from_account=from_account, to_account=to_account, pence=pence, because=because,
        note=note, synthetic=synthetic,
    )  # fmt: skip


def reversal(wrong: Entry, on: date, why: str, ledger: Sequence[Entry] = ()) -> Entry:
    """The entry that undoes another. It counts in the same financial year, however late it is made.

    Args:
        wrong: the entry to undo.
        on: the day of the correction.
        why: the reason, for whoever reads the ledger.
        ledger: all entries, to see that it has not been undone already. Its id makes a second one impossible to store as well.

    Raises:
        BettercareError: it is undone already, is itself such a correction, no reason is given, or the day is before the entry's.
    """
    if wrong.reverses:
        raise BettercareError("This entry is itself a reversal.", remedy="Make the entry it undid again instead.")
    if any(each.reverses == wrong.id for each in ledger):
        raise BettercareError(f"The entry {wrong.id} has been reversed already.")
    if not why.strip():
        raise BettercareError("No reason is given for the correction.", remedy="Say what was wrong.")
    if on < wrong.on:
        raise BettercareError(f"The correction is dated {_day(on)}, before the entry it corrects ({_day(wrong.on)}).")
    return Entry(
        plan=wrong.plan, id=f"{wrong.id}-reversed", on=on, year=wrong.year, kind="correction", from_account=wrong.to_account,
        to_account=wrong.from_account, pence=wrong.pence, because=wrong.because, reverses=wrong.id, note=why.strip(), synthetic=wrong.synthetic,
    )  # fmt: skip


def opening(plan: Plan, year: str) -> tuple[Entry, ...]:
    """The entries a year starts with: contributions in, the risk pool and the rest of the reserve set aside, each scheme its budget.

    Every pound of the contributions is in one account afterwards. What the list of schemes leaves unnamed stays in ``pool``. Where schemes
    and reserve together are more than the fund, ``pool`` goes below zero by that much: the schemes have been given pay for performance
    that is still to be earned.

    Raises:
        BettercareError: the plan has no contributions in that year.
    """
    contributions = plan["contributions"].where(year=year)
    if not contributions:
        raise BettercareError(
            f"The plan {plan.id} has no contributions to a pooled fund in {year}.",
            remedy="Add rows to tables/contributions.csv.",
        )
    made: list[Entry] = []

    def put(kind: Kind, name: str, from_account: str, to_account: str, pence: int, note: str) -> None:
        if pence:
            made.append(
                entry(
                    plan, on=FinancialYear.parse(year).first_day, kind=kind, from_account=from_account, to_account=to_account, pence=pence,
                    id=f"opening-{year.replace('/', '-')}-{name}", note=note,
                )
            )  # fmt: skip

    for row in contributions:
        put("contribution", row.id, f"partner:{row['organisation']}", "pool", pence_of(row), _origin(row))
    held = {row["kind"]: row for row in plan["pool"].where(year=year)}
    risk_pool, reserve = held.get("risk-pool"), held.get("reserve")
    if risk_pool is not None:
        put("reserve", "risk-pool", "pool", "risk-pool", pence_of(risk_pool), _origin(risk_pool))
    if reserve is not None:
        rest = pence_of(reserve) - (pence_of(risk_pool) if risk_pool is not None else 0)
        put("reserve", "reserve", "pool", "reserve", max(0, rest), _origin(reserve))
    for row in plan["investments"].where(programme="scheme", year=year):
        if row["scheme"]:
            put("budget", row.id, "pool", f"scheme:{row['scheme']}", pence_of(row), _origin(row))
    return tuple(made)


def _known(plan: Plan, account: str, side: str) -> None:
    prefix, colon, name = account.partition(":")
    if account in _PLAIN:
        return
    if not colon or prefix not in _OF:
        raise BettercareError(
            f"{account[:60]!r} is not an account of the fund.",
            remedy=f"Use {', '.join(_PLAIN)}, or partner:, returned:, scheme: or spent: with a name.",
        )
    known = plan[_OF[prefix]].by_id
    if name not in known:
        raise BettercareError(
            f"The money would go {side} {name[:60]!r}, which is not in the plan's {_OF[prefix]}.",
            remedy=f"It has: {', '.join(known)}.",
        )


def _amount(pence: int) -> None:
    if pence <= 0:
        raise BettercareError(
            "An entry moves more than nothing.", remedy="To take money back, make the entry the other way round."
        )
    if pence > MOST:
        raise BettercareError(f"{sterling(pence)} is more than one entry can move.", remedy="Check the amount.")


def _joined(plan: Plan, kind: Kind, from_account: str, to_account: str) -> None:
    if kind not in _SIDES:
        return
    out, into, words = _SIDES[kind]
    source, target = from_account.partition(":")[0], to_account.partition(":")[0]
    fits = source in out and target in into
    if kind == "spend":
        fits = fits and from_account.partition(":")[2] == to_account.partition(":")[2]
    if kind == "carry-forward":
        fits = fits and "carried" in (from_account, to_account)
    if not fits:
        raise BettercareError(
            f"A movement of the kind {kind.replace('-', ' ')} goes {words}, not from {account_name(plan, from_account)} to {account_name(plan, to_account)}.",
            remedy="Choose other accounts, or another kind.",
        )


# --- reading the ledger ---------------------------------------------------------------------------------------------------


def trial_balance(entries: Sequence[Entry], on: date | None = None) -> tuple[Account, ...]:
    """What passed through each account, by name; the balances sum to nothing.

    Args:
        on: only movements up to and including that day.
    """
    paid_in: dict[str, int] = {}
    paid_out: dict[str, int] = {}
    for each in entries:
        if on is None or each.on <= on:
            paid_out[each.from_account] = paid_out.get(each.from_account, 0) + each.pence
            paid_in[each.to_account] = paid_in.get(each.to_account, 0) + each.pence
    return tuple(
        Account(account, paid_in.get(account, 0), paid_out.get(account, 0)) for account in sorted({*paid_in, *paid_out})
    )


def balances(entries: Sequence[Entry], on: date | None = None) -> Mapping[str, int]:
    """Pence in each account; they sum to nothing."""
    return {account.account: account.balance for account in trial_balance(entries, on)}


@dataclass(frozen=True)
class Posting:
    """An entry as one account sees it, in pence."""

    entry: Entry
    change: int
    """Positive when money reaches the account."""
    balance: int
    """Of the account after it."""


def statement(entries: Sequence[Entry], account: str) -> tuple[Posting, ...]:
    """The movements of one account with its balance after each, in order of date."""
    made: list[Posting] = []
    for each in sorted(entries, key=lambda each: (each.on, each.id)):
        if account in (each.from_account, each.to_account):
            change = each.pence if each.to_account == account else -each.pence
            made.append(Posting(each, change, (made[-1].balance if made else 0) + change))
    return tuple(made)


# --- money ----------------------------------------------------------------------------------------------------------------


def sterling(pence: int) -> str:
    """An exact amount: ``£2,840,000``, ``-£12.50``."""
    pounds, rest = divmod(abs(pence), 100)
    return f"{'-' if pence < 0 else ''}£{pounds:,}" + (f".{rest:02d}" if rest else "")


def pence_of(row: Row) -> int:
    """A money figure of the plan in whole pence, from the digits printed.

    Raises:
        BettercareError: it is not money, or is finer than a penny.
    """
    unit = UNITS[row["unit"]]
    amount = Decimal(row.text["value"].strip().replace(",", "")) * Decimal(int(unit.scale)) * 100
    if not unit.is_money or amount != int(amount):
        raise BettercareError("The figure is not an amount of whole pence.", row.where, "Write it in GBP.")
    return int(amount)


def shared(pence: int, weights: Mapping[str, int]) -> dict[str, int]:
    """Share an amount in proportion to weights, to the penny: whole pence first, the rest to the largest remainders (then by name).

    Raises:
        BettercareError: there is something to share and no weight is above zero.
    """
    total = sum(weights.values())
    if not pence:
        return dict.fromkeys(weights, 0)
    if total <= 0 or min(weights.values()) < 0:
        raise BettercareError("There is nobody to share the amount between.", remedy="Give each partner a share.")
    parts = {name: pence * weight // total for name, weight in weights.items()}
    largest = sorted(weights, key=lambda name: (-(pence * weights[name] % total), name))
    for name in largest[: pence - sum(parts.values())]:
        parts[name] += 1
    return parts


def _origin(row: Row) -> str:
    """Where a figure comes from, for the note of an entry."""
    if row["basis"] == "assumed":
        return f"Assumed: {row['note']}"
    return ", ".join(filter(None, (row["source"], row["where"])))


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
