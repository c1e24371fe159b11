"""Who meets an overspend of the pooled fund: an ordered rule, held as data of the plan and worked to the penny."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from typing import Literal

from bettercare.assurance.fund import FundPosition
from bettercare.assurance.ledger import Entry, account_name, entry, shared, sterling
from bettercare.assurance.payment import QuarterPayment
from bettercare.errors import BettercareError
from bettercare.plan import Plan

Share = Literal["fixed", "variable"]

_WORDS = {
    "underspends": "Underspends of other schemes",
    "risk-pool": "Risk pool and reserve",
    "uncommitted": "Money not committed",
    "partners": "The partners",
}


@dataclass(frozen=True)
class RuleStep:
    """One step of the rule, as data of the plan."""

    id: str
    order: int
    step: str
    """underspends, risk-pool, uncommitted or partners."""
    share: str
    """For the partners: fixed or variable."""
    source: str
    basis: str
    note: str

    @property
    def words(self) -> str:
        if self.step != "partners":
            return _WORDS[self.step]
        return _WORDS[self.step] + (", by fixed shares" if self.share == "fixed" else ", by what each pays in")


@dataclass(frozen=True)
class Means:
    """What there is to meet an overspend with, in pence by account."""

    underspends: Mapping[str, int]
    risk_pool: Mapping[str, int]
    """What nothing else can still call on."""
    uncommitted: Mapping[str, int]
    contributions: Mapping[str, int]
    """What each partner pays in."""
    fixed_shares: Mapping[str, int]
    """Each partner's fixed share, as whole numbers in proportion; empty where none is agreed."""
    held_for_payment: int = 0
    """Part of the risk pool that pay for performance can still call on."""


@dataclass(frozen=True)
class Step:
    """One step, worked."""

    rule: RuleStep
    needed: int
    available: Mapping[str, int]
    """By account; for the partners, what each would bear."""
    used: Mapping[str, int]
    left: int
    """Still to be met after it."""
    sentence: str


@dataclass(frozen=True)
class Cover:
    """An overspend and what meets it. Every penny of it is in ``used`` of one step or in ``left``."""

    overspends: Mapping[str, int]
    """By account."""
    steps: tuple[Step, ...]
    left: int
    """What the rule leaves with nobody."""
    sentence: str

    @property
    def total(self) -> int:
        return sum(self.overspends.values())

    @property
    def partners(self) -> Mapping[str, int]:
        """What each partner pays beside its contribution, by organisation."""
        return {
            account.removeprefix("partner:"): pence
            for step in self.steps
            for account, pence in step.used.items()
            if account.startswith("partner:") and pence
        }


def overspend_rule(plan: Plan) -> tuple[RuleStep, ...]:
    """The plan's rule in order; empty when it has none."""
    steps = [
        RuleStep(
            row.id, row["order"], row["step"], row["share"] or "", ", ".join(filter(None, (row["source"], row["where"]))), row["basis"],
            row["note"] or "",
        )
        for row in plan["overspend_rule"]
    ]  # fmt: skip
    return tuple(sorted(steps, key=lambda step: step.order))


def cover(plan: Plan, rule: Sequence[RuleStep], overspends: Mapping[str, int], means: Means) -> Cover:
    """Work the rule: each step gives what it can, in proportion to what each account has, until nothing is left.

    Args:
        overspends: pence by account, such as ``scheme:hdr1``; none below zero.

    Raises:
        BettercareError: an overspend below zero, or fixed shares are asked for and none are agreed.
    """
    if any(pence < 0 for pence in overspends.values()):
        raise BettercareError("An overspend cannot be below nothing.", remedy="Write the amount without a minus sign.")
    left, steps = sum(overspends.values()), []
    for each in rule:
        needed = left
        available, weights = _source(each, means, needed)
        amount = min(needed, sum(available.values()))
        used = {account: pence for account, pence in shared(amount, weights).items() if pence} if amount else {}
        left -= amount
        steps.append(
            Step(
                each,
                needed,
                used if each.step == "partners" else available,
                used,
                left,
                _said(plan, each, available, used, needed, means),
            )
        )
    return Cover(dict(overspends), tuple(steps), left, _summed(plan, overspends, steps, left))


def present(
    plan: Plan, fund: FundPosition, ledger: Sequence[Entry], payments: Sequence[QuarterPayment] = (), amount: int | None = None,
    account: str = "pool", share: Share | None = None,
) -> Cover:  # fmt: skip
    """The rule worked on the fund as it stands: the forecast overspends, or an amount to try.

    Args:
        fund: the position to start from.
        ledger: every entry of the plan, to see which quarters of pay for performance are settled.
        payments: the quarters of pay for performance.
        amount: pence to try instead of the forecast overspends, falling on ``account``.
        share: fixed or variable, to try for the partners instead of what the rule says.
    """
    rule = overspend_rule(plan)
    if share:
        rule = tuple(replace(step, share=share) if step.step == "partners" else step for step in rule)
    overspends = forecast_overspends(fund) if amount is None else {account: amount}
    return cover(plan, rule, overspends, means_of(plan, fund, ledger, payments))


def forecast_overspends(fund: FundPosition) -> dict[str, int]:
    """What each scheme is forecast to overspend, and what the fund lacks for the budgets it gave (``pool``)."""
    found = {line.account: line.variance for line in fund.lines if line.variance > 0}
    return found | ({"pool": fund.not_covered} if fund.not_covered else {})


def means_of(plan: Plan, fund: FundPosition, ledger: Sequence[Entry], payments: Sequence[QuarterPayment] = ()) -> Means:
    """What the fund has to meet an overspend with.

    A scheme with nothing spent is uncommitted, all of its budget; an underspend is that of a scheme under way. Of the risk pool only what
    no quarter of pay for performance still to be settled can call on, and no budget counts on.
    """
    settled = {each.because for each in ledger}
    unsettled = sum(payment.part for payment in payments if payment.ref not in settled)
    called = min(fund.risk_pool, max(unsettled, fund.to_earn))
    under_way = [line for line in fund.lines if line.spent]
    not_started = [line for line in fund.lines if not line.spent and line.budget > 0] if fund.months else []
    return Means(
        underspends={line.account: -line.variance for line in under_way if line.variance < 0},
        risk_pool=_above_nothing({"risk-pool": fund.risk_pool - called, "reserve": fund.reserve}),
        uncommitted=_above_nothing({"pool": fund.pool} | {line.account: line.budget for line in not_started}),
        contributions=_above_nothing(fund.contributions),
        fixed_shares=fixed_shares(plan, fund.year),
        held_for_payment=called,
    )


def fixed_shares(plan: Plan, year: str) -> dict[str, int]:
    """Each partner's fixed share of an overspend, as whole numbers in proportion."""
    rows = [row for row in plan["contributions"].where(year=year) if row["fixed_share"]]
    parts = {row["organisation"]: Decimal(row.text["fixed_share"].strip()) for row in rows}
    return {name: int(part.scaleb(6)) for name, part in parts.items()}


def entries(plan: Plan, cover: Cover, on: date, because: str = "", ledger: Sequence[Entry] = ()) -> tuple[Entry, ...]:
    """The ledger entries that carry a cover out: money from what each step uses to what is overspent, in order.

    Args:
        because: what it follows from, such as a decision.
        ledger: every entry of the plan, so that ids differ from those in it.
    """
    known = {each.id for each in ledger}
    sources = [(step, account, pence) for step in cover.steps for account, pence in step.used.items() if pence]
    made: list[Entry] = []
    needs = [(account, pence) for account, pence in cover.overspends.items() if pence]
    for step, account, pence in sources:
        while pence and needs:
            target, need = needs.pop(0)
            amount = min(pence, need)
            if account != target:
                name = f"cover-{on.isoformat()}-{account}-{target}".replace(":", "-")
                same = sum(1 for each in known if each == name or each.startswith(f"{name}-again"))
                made.append(
                    entry(
                        plan, on=on, kind="cover", from_account=account, to_account=target, pence=amount, because=because,
                        note=f"Overspend rule, step {step.rule.order}: {step.rule.words.lower()}",
                        id=name + (f"-again-{same + 1}" if same else ""),
                    )
                )  # fmt: skip
            pence -= amount
            if need > amount:
                needs.insert(0, (target, need - amount))
    return tuple(made)


def _source(step: RuleStep, means: Means, needed: int) -> tuple[Mapping[str, int], Mapping[str, int]]:
    """What a step can give by account, and the weights it is shared by."""
    if step.step != "partners":
        given = {"underspends": means.underspends, "risk-pool": means.risk_pool, "uncommitted": means.uncommitted}
        return given[step.step], given[step.step]
    weights = means.fixed_shares if step.share == "fixed" else means.contributions
    if needed and not sum(weights.values()):
        raise BettercareError(
            "No fixed shares of an overspend are agreed for the year."
            if step.share == "fixed"
            else "No partner has paid into the fund in the year, so there is nothing to share by.",
            remedy="Add them to tables/contributions.csv."
            if step.share == "fixed"
            else "Enter the contributions in the ledger.",
        )
    accounts = {f"partner:{name}": weight for name, weight in weights.items()}
    # Partners bear whatever is left: their means are not the fund's to limit.
    return {"partners": needed}, accounts


def _said(
    plan: Plan, step: RuleStep, available: Mapping[str, int], used: Mapping[str, int], needed: int, means: Means
) -> str:
    held = ""
    if step.step == "risk-pool" and means.held_for_payment:
        held = f" {sterling(means.held_for_payment)} of the risk pool is held: pay for performance, and the budgets that count on it, can still call on it."
    if not needed:
        return "Nothing is left to meet." + held
    if step.step == "partners":
        parts = "; ".join(f"{account_name(plan, account)} {sterling(pence)}" for account, pence in used.items())
        return f"The partners pay {sterling(needed)} more: {parts}."
    there = sum(available.values())
    if not there:
        return f"{step.words}: there is nothing to use.{held}"
    taken = sum(used.values())
    return f"{step.words}: {sterling(taken)} of {sterling(there)} is used; {sterling(needed - taken)} is left to meet.{held}"


def _summed(plan: Plan, overspends: Mapping[str, int], steps: Sequence[Step], left: int) -> str:
    total = sum(overspends.values())
    if not total:
        return "Nothing is forecast to be overspent."
    largest = max(overspends, key=lambda account: overspends[account])
    met = [
        f"{sterling(sum(step.used.values()))} from {step.rule.words[0].lower()}{step.rule.words[1:]}"
        for step in steps
        if step.used
    ]
    over = f"{sterling(total)} is overspent"
    if len(overspends) > 1:
        over += f" in {len(overspends)} places, most in {_place(plan, largest)} ({sterling(overspends[largest])})"
    said = f"{over}. It is met by {'; '.join(met)}." if met else f"{over}."
    if not steps:
        return f"{said} The plan has no rule for who meets it."
    return said + (f" The rule leaves {sterling(left)} with nobody." if left else "")


def _place(plan: Plan, account: str) -> str:
    return "budgets the fund has no money for" if account == "pool" else account_name(plan, account)


def _above_nothing(amounts: Mapping[str, int]) -> dict[str, int]:
    return {name: pence for name, pence in amounts.items() if pence > 0}
