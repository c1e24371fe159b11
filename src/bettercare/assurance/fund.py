"""The pooled fund in a year: contributions, budgets, spend by month, forecast outturn and variance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bettercare.assurance.ledger import Entry, account_name, balances, sterling
from bettercare.assurance.payment import QuarterPayment, proposed
from bettercare.plan import Plan
from bettercare.vocabulary import FinancialYear, pounds

GREEN_WITHIN = 2
"""Per cent of a budget that a forecast may be over it and still be green. Assumed: the papers do not say."""
AMBER_WITHIN = 5
"""Per cent of a budget that a forecast may be over it and still be amber. Assumed: the papers do not say."""
UNUSED_BEYOND = 10
"""Per cent of a budget left unspent beyond which the line is amber: the scheme may not be happening. Assumed: the papers do not say."""

RULE = (
    f"Forecast: spend so far carries on at the same pace a month. Green: within {GREEN_WITHIN}% over budget. Amber: within "
    f"{AMBER_WITHIN}% over, or more than {UNUSED_BEYOND}% under. Red: further over."
)
"""How lines are forecast and rated, in words."""


@dataclass(frozen=True)
class Line:
    """One scheme's money in a year, in pence."""

    account: str
    name: str
    budget: int
    spent: int
    by_month: tuple[int, ...]
    """Spend of the twelve months from April; a correction made after the year is in its last month."""
    profile: int
    """What an even twelfth a month would have spent in the months accounts are in for."""
    outturn: int
    """Forecast for the whole year: what is spent so far goes on at the same pace a month."""
    variance: int
    """Outturn less budget; positive is overspent."""
    rag: str
    reason: str


@dataclass(frozen=True)
class FundPosition:
    """The fund in one year at a date, in pence."""

    year: str
    on: date
    contributions: Mapping[str, int]
    """By organisation."""
    lines: tuple[Line, ...]
    pool: int
    """Given to nothing yet; below zero when schemes have been given money that is still to be earned."""
    reserve: int
    """Beside the risk pool."""
    risk_pool: int
    earned: int
    """Pay for performance earned."""
    budget: int
    spent: int
    outturn: int
    variance: int
    sentence: str
    synthetic: bool
    months: int = 0
    """Months of the year, from April, that accounts are in for: up to the last one with any spend."""
    released: int = 0
    """Paid from the risk pool to organisations, less what came back."""
    returned: Mapping[str, int] | None = None
    """The same by organisation."""
    to_earn: int = 0
    """Part of the budgets that counts on money still in the risk pool being earned."""
    not_covered: int = 0
    """Budgets and reserve above all the money there is or may still be earned."""
    earned_unposted: int = 0
    """Pay for performance of quarters whose result is known that is not in the ledger yet; below zero when a revision takes some back."""
    released_unposted: int = 0
    """The same of what is released to organisations, less what comes back."""


def position(
    plan: Plan, entries: Sequence[Entry], year: str, on: date, payments: Sequence[QuarterPayment] = ()
) -> FundPosition:
    """The fund's position in a financial year at a date.

    Args:
        entries: the whole ledger of the plan.
        payments: the quarters of pay for performance; what is known of one but not posted is no longer to be earned.
    """
    counted = [each for each in entries if each.year == year and each.on <= on]
    held = balances(counted)
    months = months_in(counted, year)
    with_money = {account.partition(":")[2] for account in held if account.startswith(("scheme:", "spent:"))}
    lines = tuple(_line(plan, counted, year, scheme.id, months) for scheme in plan.schemes if scheme.id in with_money)
    returned = {name: pence for name, pence in _of(held, "returned").items() if pence}
    pool, risk_pool, in_hand = (held.get(account, 0) for account in ("pool", "risk-pool", "performance"))
    earned = sum(
        each.pence * ((each.to_account == "performance") - (each.from_account == "performance"))
        for each in counted
        if "risk-pool" in (each.from_account, each.to_account)
    )
    # A quarter's result is what it is before anybody posts it; a year whose ledger is not open has nothing to pay from.
    coming = [each for each in proposed(plan, payments, entries) if each.year == year] if counted else []
    moved = balances(coming)
    earned_unposted = moved.get("performance", 0)
    left, lacking = risk_pool + moved.get("risk-pool", 0), -(pool + in_hand + earned_unposted)
    found = FundPosition(
        year=year,
        on=on,
        contributions={name: -pence for name, pence in _of(held, "partner").items()},
        lines=lines,
        pool=pool,
        reserve=held.get("reserve", 0),
        risk_pool=risk_pool,
        earned=earned,
        budget=sum(line.budget for line in lines),
        spent=sum(line.spent for line in lines),
        outturn=sum(line.outturn for line in lines),
        variance=sum(line.variance for line in lines),
        sentence="",
        synthetic=any(each.synthetic for each in counted),
        months=months,
        released=sum(returned.values()),
        returned=returned,
        to_earn=max(0, min(left, lacking)),
        not_covered=max(0, lacking - left),
        earned_unposted=earned_unposted,
        released_unposted=sum(_of(moved, "returned").values()),
    )
    return replace(found, sentence=" ".join(_sentences(found, bool(plan["overspend_rule"]))))


def years(entries: Sequence[Entry]) -> tuple[str, ...]:
    """Financial years the ledger has entries in."""
    return tuple(sorted({each.year for each in entries}))


def months_in(entries: Sequence[Entry], year: str) -> int:
    """How many months of a year accounts are in for: up to the last one with any spend that was not undone."""
    undone = {each.reverses for each in entries if each.reverses}
    spending = [
        _month(each, year) + 1
        for each in entries
        if each.year == year and each.to_account.startswith("spent:") and each.id not in undone
    ]
    return max(spending, default=0)


def _month(each: Entry, year: str) -> int:
    """0 for April to 11 for March."""
    first = FinancialYear.parse(year).first_day
    return min(11, (each.on.year - first.year) * 12 + each.on.month - first.month)


def _of(held: Mapping[str, int], prefix: str) -> dict[str, int]:
    return {account.partition(":")[2]: pence for account, pence in held.items() if account.partition(":")[0] == prefix}


def _line(plan: Plan, entries: Sequence[Entry], year: str, scheme: str, months: int) -> Line:
    budget, by_month = 0, [0] * 12
    account, spent_on = f"scheme:{scheme}", f"spent:{scheme}"
    for each in entries:
        if spent_on in (each.from_account, each.to_account):
            by_month[_month(each, year)] += each.pence if each.to_account == spent_on else -each.pence
        else:
            budget += each.pence * ((each.to_account == account) - (each.from_account == account))
    spent = sum(by_month)
    # Whole pence, halves up.
    outturn = (spent * 24 + months) // (2 * months) if months else budget
    rag, reason = _rated(budget, spent, outturn, months)
    return Line(
        account, account_name(plan, account), budget, spent, tuple(by_month), budget * months // 12, outturn, outturn - budget, rag, reason
    )  # fmt: skip


def _rated(budget: int, spent: int, outturn: int, months: int) -> tuple[str, str]:
    if not months:
        return "grey", "No spend has been entered yet."
    over = outturn - budget
    so_far = f"{pounds(spent / 100)} spent in {_months(months)}"
    if budget <= 0:
        return ("red", f"{so_far}, with no budget.") if spent > 0 else ("green", "No budget and no spend.")
    if not spent:
        return "amber", f"Nothing spent in {_months(months)} of {pounds(budget / 100)}: it may not have started."
    forecast = f"{so_far}; at that pace {pounds(outturn / 100)} against {pounds(budget / 100)}"
    share = f"{abs(over) / budget:.1%}"
    if over * 100 > AMBER_WITHIN * budget:
        return "red", f"{forecast}, {share} over (more than {AMBER_WITHIN}%)."
    if over * 100 > GREEN_WITHIN * budget:
        return "amber", f"{forecast}, {share} over (more than {GREEN_WITHIN}%)."
    if -over * 100 > UNUSED_BEYOND * budget:
        return (
            "amber",
            f"{forecast}, {share} under (more than {UNUSED_BEYOND}%): is the scheme doing what it was paid for?",
        )
    return "green", f"{forecast}, {share} {'over' if over > 0 else 'under'}." if over else f"{forecast}."


def _sentences(fund: FundPosition, ruled: bool) -> list[str]:
    if not fund.contributions:
        return [f"The ledger has no money in {fund.year}."]
    said = []
    if fund.months:
        over = [line for line in sorted(fund.lines, key=lambda line: -line.variance) if line.rag == "red"]
        most = f"; most over: {' and '.join(line.name for line in over[:2])}" if over else ""
        said.append(
            f"With {_months(fund.months)} of accounts in, {pounds(fund.spent / 100)} of {pounds(fund.budget / 100)} is spent and the forecast is "
            f"{pounds(fund.outturn / 100)}, {_variance(fund.variance)}{most}."
        )
    else:
        said.append(f"Schemes have {pounds(fund.budget / 100)} of budget; no spend has been entered yet.")
    if fund.risk_pool or fund.earned or fund.released:
        earned, released = fund.earned + fund.earned_unposted, fund.released + fund.released_unposted
        left = fund.risk_pool - fund.earned_unposted - fund.released_unposted
        said.append(
            f"Pay for performance: {sterling(earned)} earned, {sterling(released)} released to commissioners{_unposted(fund)}, "
            f"{sterling(left)} still in the risk pool."
        )
    if fund.not_covered:
        said.append(
            f"Budgets and reserve are {sterling(fund.not_covered)} more than the fund now has or can still earn: {'the overspend rule says who meets it' if ruled else 'the plan has no rule for who meets it'}."
        )
    elif fund.to_earn:
        said.append(f"Of the budgets, {sterling(fund.to_earn)} counts on pay for performance still to be earned.")
    elif fund.pool > 0:
        said.append(f"{sterling(fund.pool)} is in the fund and given to nothing.")
    return said


def _unposted(fund: FundPosition) -> str:
    parts = (("earned", fund.earned_unposted), ("released", fund.released_unposted))
    said = [f"{sterling(pence)} {word}" for word, pence in parts if pence]
    return f" (of which {' and '.join(said)} not yet in the ledger)" if said else ""


def _months(months: int) -> str:
    return "1 month" if months == 1 else f"{months} months"


def _variance(pence: int) -> str:
    if not pence:
        return "on budget"
    return f"{pounds(abs(pence) / 100)} {'over' if pence > 0 else 'under'}"
