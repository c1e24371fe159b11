"""The scenarios of the risk-sharing agreement, worked as cases: what happens, who bears what, by which clause, and what is not settled.

Each case is a pure function of the plan and of what a reader may vary. Amounts are whole pence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from bettercare.assurance.fund import FundPosition
from bettercare.assurance.ledger import Entry, account_name, pence_of, shared, sterling
from bettercare.assurance.overspend import cover, forecast_overspends, means_of, overspend_rule
from bettercare.assurance.payment import (
    MONTHS_IN_QUARTER,
    PaymentRule,
    QuarterPayment,
    months_of,
    payment_quarters,
    payment_rule,
    payments,
    quarter_admissions,
)
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.plan.cells import parts
from bettercare.plan.figures import Row


@dataclass(frozen=True)
class Bearing:
    """What one party bears or receives."""

    who: str
    """An account of the fund, a step of the overspend rule, or ``outside``: commissioners, through their own contracts."""
    name: str
    pence: int
    """Positive bears, negative receives."""
    why: str


@dataclass(frozen=True)
class Case:
    """One scenario, worked."""

    id: str
    """a to e, as in the plan's risk_sharing table."""
    scenario: str
    treatment: str
    """What the paper says is done."""
    happens: str
    """What happens with the figures at hand, in a sentence."""
    bears: tuple[Bearing, ...]
    clauses: tuple[str, ...]
    """Rows of the plan it is worked by: ``table.row``."""
    steps: tuple[str, ...]
    """How it is worked, line by line."""
    not_settled: str
    """What the paper leaves open and is assumed here."""
    source: str


@dataclass(frozen=True)
class Given:
    """What a reader may vary."""

    exempt: tuple[date, ...] = ()
    """First days of months in which something outside the plan's control happened."""
    avoided: int | None = None
    """Admissions the schemes avoided, as measured; None for the number planned."""
    demand: int | None = None
    """Admissions that came beside, from growing demand; None for the number that explains the admissions counted."""
    more_care_at_home: int = 10
    """Per cent by which home care and reablement run above budget, for case d."""


def cases(
    plan: Plan, fund: FundPosition, ledger: Sequence[Entry], months: Mapping[date, int], given: Given | None = None
) -> tuple[Case, ...]:
    """Every scenario of the plan's risk_sharing table that can be worked, in its order.

    Args:
        fund: the position to start from.
        ledger: every entry of the plan.
        months: admissions by first day of the month, those known (``payment.month_admissions``).
        given: what the reader varies.
    """
    given = given or Given()
    rule = payment_rule(plan)
    worked = payments(rule, payment_quarters(plan), quarter_admissions(months)) if rule is not None else ()
    made: list[Case] = []
    for row in plan["risk_sharing"]:
        if row["case"] == "timetable":
            made.append(timetable(plan))
        elif row["case"] == "care-at-home":
            made.append(care_at_home(plan, fund, ledger, worked, given.more_care_at_home))
        elif rule is not None and row["case"] == "trajectory-missed":
            made.append(trajectory_missed(plan, rule, worked))
        elif rule is not None and row["case"] == "exempt-event":
            made.append(exempt_event(plan, rule, months, given.exempt))
        elif rule is not None and row["case"] == "demand-outstrips":
            made.append(demand_outstrips(plan, rule, quarter_admissions(months), given.avoided, given.demand))
    return tuple(made)


# --- a: the trajectory is missed ------------------------------------------------------------------------------------------


def trajectory_missed(plan: Plan, rule: PaymentRule, worked: Sequence[QuarterPayment]) -> Case:
    """The quarters known: what is earned, and what goes to the commissioners instead."""
    known = [quarter for quarter in worked if quarter.reduction is not None]
    released = sum(quarter.released - quarter.recovered for quarter in known)
    earned = sum(quarter.earned for quarter in known)
    if not known:
        happens = "No quarter is known yet, so nothing is paid or released."
    elif not released:
        met = (known[-1].reduction or 0) >= known[-1].planned_reduction
        happens = f"{'The trajectory is met' if met else 'All there is to earn is earned'} to {known[-1].quarter}: {sterling(earned)} is earned and nothing is released."
    else:
        last = known[-1]
        happens = (
            f"To {last.quarter} there are {_change(last.reduction or 0)} than the baseline against {last.planned_reduction:,} fewer planned: "
            f"{sterling(earned)} is earned and {sterling(released)} goes to the commissioners to pay the hospital."
        )
    beyond = _beyond(rule, known)
    bears = [_bears("pool", plan, released, "Budgets that counted on the money being earned")] if released else []
    bears += [
        _bears(f"returned:{name}", plan, -pence, "To pay the hospital for admissions not avoided")
        for name, pence in _to_commissioners(plan, rule, released).items()
        if pence
    ]
    if beyond:
        bears.append(_outside(beyond, "Admissions above the baseline, which the risk pool does not pay for"))
    return _case(
        plan,
        "trajectory-missed",
        happens,
        bears,
        [f"payment_rule.{row.id}" for row in plan["payment_rule"]],
        [f"{quarter.quarter}: {quarter.reason}" for quarter in worked],
        "Thresholds, timing and whether a later quarter makes good an earlier one are left to the section 75 agreement. "
        + rule.note,
    )


# --- b: something outside the plan's control ------------------------------------------------------------------------------


def exempt_event(plan: Plan, rule: PaymentRule, months: Mapping[date, int], exempt: Sequence[date]) -> Case:
    """Months left out: each is taken as if the plan had been met in it, a third of its quarter.

    Args:
        months: admissions of the months known.
        exempt: first days of the months left out.

    Raises:
        BettercareError: a month outside the payment year.
    """
    quarters = payment_quarters(plan)
    planned = {month: count for name, _, asked in quarters for month, count in _thirds(name, asked).items()}
    left_out = sorted({day.replace(day=1) for day in exempt})
    for month in left_out:
        if month not in planned:
            raise BettercareError(
                f"{month:%B %Y} is not in the payment year.",
                remedy=f"It runs from {min(planned):%B %Y} to {max(planned):%B %Y}.",
            )
    known = {month: count for month, count in months.items() if month in planned}
    instead = known | {month: planned[month] for month in left_out}
    before, after = (_net(payments(rule, quarters, quarter_admissions(counts))) for counts in (known, instead))
    kept = before - after
    if not left_out:
        happens = f"No month is exempt: {sterling(before)} is released as things stand."
    else:
        listed = ", ".join(f"{month:%B %Y}" for month in left_out)
        happens = f"With {listed} left out, {sterling(after)} is released instead of {sterling(before)}: " + (
            f"the fund keeps {sterling(kept)} more." if kept > 0 else "leaving it out does not help the fund."
        )
    bears = []
    if kept:
        bears = [
            _bears("pool", plan, -kept, "Kept by the fund" if kept > 0 else "Lost to the fund"),
            _outside(kept, "What the risk pool then does not pay towards the contract"),
        ]
    steps = [
        f"{month:%B %Y}: {known[month]:,} admissions counted, {planned[month]:,} taken instead."
        if month in known
        else f"{month:%B %Y}: not counted yet, {planned[month]:,} taken."
        for month in left_out
    ]
    return _case(
        plan,
        "exempt-event",
        happens,
        bears,
        [f"payment_rule.{row.id}" for row in plan["payment_rule"]],
        steps,
        "What counts as outside the plan's control, who decides, and how such a month is treated. Here it is taken as if the plan had been met "
        "in it, as a third of its quarter.",
    )


# --- c: the schemes work and demand grows faster --------------------------------------------------------------------------


def demand_outstrips(
    plan: Plan,
    rule: PaymentRule,
    counted: Mapping[str, int],
    avoided: int | None,
    demand: int | None,
) -> Case:
    """The schemes avoid what they should, yet admissions in all do not fall: the contract overspends.

    Args:
        avoided: admissions the schemes avoided; None for the plan's reduction.
        demand: admissions beside; None for what explains those counted (nothing while a quarter is missing).

    Raises:
        BettercareError: a number below nothing.
    """
    quarters = payment_quarters(plan)
    baseline = sum(before for _, before, _ in quarters)
    planned = sum(after for _, _, after in quarters)
    avoided = baseline - planned if avoided is None else avoided
    complete = all(name in counted for name, _, _ in quarters)
    if demand is None:
        demand = max(0, sum(counted[name] for name, _, _ in quarters) - baseline + avoided) if complete else 0
    actual = baseline - avoided + demand
    if min(avoided, demand, actual) < 0:
        raise BettercareError(
            "Admissions cannot be below nothing.",
            remedy=f"Write a number of 0 or more, and avoid at most {baseline:,}.",
        )
    cost = rule.unit_price * max(0, actual - planned)
    by_quarter = shared(actual, {name: before for name, before, _ in quarters})
    released = _net(payments(rule, quarters, by_quarter))
    beyond = cost - released
    bears = [_bears("pool", plan, released, "Released although the schemes did what they should")] if released else []
    bears += [
        _bears(f"returned:{name}", plan, -pence, "Towards the contract")
        for name, pence in _to_commissioners(plan, rule, released).items()
        if pence
    ]
    if beyond > 0:
        bears.append(_outside(beyond, "The rest of what the contract overspends"))
    return _case(
        plan,
        "demand-outstrips",
        f"The schemes avoid {avoided:,} admissions and {demand:,} come beside: {actual:,} against {planned:,} planned. The contract overspends "
        f"by {sterling(cost)}; the risk pool "
        + (
            f"pays {sterling(released)} of it and {sterling(beyond)} stays with the commissioners."
            if beyond >= 0
            else f"releases {sterling(released)}, which is {sterling(-beyond)} more."
        ),
        bears,
        [f"payment_rule.{row.id}" for row in plan["payment_rule"]],
        [
            f"{baseline:,} admissions at baseline, less {avoided:,} avoided, with {demand:,} beside, make {actual:,}.",
            f"{max(0, actual - planned):,} above plan at {sterling(rule.unit_price)} each cost {sterling(cost)}.",
            f"The payment rule looks at all admissions, so {sterling(released)} is released whatever the schemes did.",
        ],
        "Whether partners share a contract that overspends although the schemes work, and how what a scheme avoided is measured. Here the rule "
        "for payment applies as it stands and the rest is the commissioners', by their contracts.",
    )


# --- d: more people cared for at home -------------------------------------------------------------------------------------


def care_at_home(
    plan: Plan, fund: FundPosition, ledger: Sequence[Entry], worked: Sequence[QuarterPayment], per_cent: int
) -> Case:
    """Home care and reablement run above budget by some per cent: the overspend rule, worked.

    Raises:
        BettercareError: a share below 0 or above 100 per cent.
    """
    if not 0 <= per_cent <= 100:
        raise BettercareError(f"{per_cent}% is not between 0 and 100%.", remedy="Write 10 for a tenth more.")
    schemes = parts(_row(plan, "care-at-home")["schemes"] or "")
    lines = [line for line in fund.lines if line.account.partition(":")[2] in schemes and line.budget > 0]
    overspends = {line.account: line.budget * per_cent // 100 for line in lines}
    means = means_of(plan, fund, ledger, worked)
    # A scheme of this case overspends, whatever it is forecast to do now.
    means = replace(
        means,
        underspends={account: pence for account, pence in means.underspends.items() if account not in overspends},
        uncommitted={account: pence for account, pence in means.uncommitted.items() if account not in overspends},
    )
    found = cover(plan, overspend_rule(plan), overspends, means)
    bears = []
    for step in found.steps:
        if step.rule.step == "partners":
            bears += [_bears(account, plan, pence, step.rule.words) for account, pence in step.used.items()]
        elif step.used:
            why = f"Step {step.rule.order} of the overspend rule"
            bears.append(Bearing(step.rule.step, step.rule.words, sum(step.used.values()), why))
    budget = sum(line.budget for line in lines)
    others = sum(forecast_overspends(fund).values())
    return _case(
        plan,
        "care-at-home",
        f"Home care and reablement ({len(lines)} schemes, {sterling(budget)}) run {per_cent}% above budget. {found.sentence}",
        bears,
        [f"overspend_rule.{step.rule.id}" for step in found.steps],
        [
            f"Worked on its own: the {sterling(others)} the fund is forecast to overspend or lack now is left aside.",
            *(step.sentence for step in found.steps),
        ]
        if others
        else [step.sentence for step in found.steps],
        "Everything: the paper says only that arrangements will be in the section 75 agreement. The overspend rule here is assumed.",
    )


# --- e: the timetable -----------------------------------------------------------------------------------------------------


def timetable(plan: Plan) -> Case:
    """The Care Act: dates the plan gives and the money that waits for them. Nobody bears anything yet."""
    duties = plan["allocations"].where(register="care-act")
    total = sum(pence_of(row) for row in duties)
    named = [plan["milestones"].by_id[name] for name in parts(_row(plan, "timetable")["milestones"] or "")]
    dated = sorted((row for row in named if row["due"]), key=lambda row: row["due"])
    dates = [f"{row['due'].day} {row['due']:%B %Y}: {row['milestone']}." for row in dated]
    return _case(
        plan,
        "timetable",
        f"{len(duties)} duties of the Care Act are given {sterling(total)}; the date by which the sums behind them will be assured is not set.",
        (),
        [f"allocations.{row.id}" for row in duties],
        dates,
        "The timetable itself. There are dates for the Act and for the agreement, none for assuring the figures.",
    )


# --- parts ----------------------------------------------------------------------------------------------------------------


def _case(
    plan: Plan,
    case: str,
    happens: str,
    bears: Iterable[Bearing],
    clauses: Iterable[str],
    steps: Iterable[str],
    open_: str,
) -> Case:
    row = _row(plan, case)
    return Case(
        row.id, row["scenario"], row["treatment"] or "", happens, tuple(bears), (f"risk_sharing.{row.id}", *clauses), tuple(steps), open_,
        ", ".join(filter(None, (row["source"], row["where"]))),
    )  # fmt: skip


def _bears(account: str, plan: Plan, pence: int, why: str) -> Bearing:
    name = "The fund's schemes" if account == "pool" else account_name(plan, account)
    return Bearing(account, name.removeprefix("Paid to "), pence, why)


def _outside(pence: int, why: str) -> Bearing:
    return Bearing("outside", "Commissioners, outside the fund", pence, why)


def _to_commissioners(plan: Plan, rule: PaymentRule, pence: int) -> dict[str, int]:
    paid = {
        name: sum(pence_of(row) for row in plan["contributions"].where(organisation=name)) for name in rule.released_to
    }
    return shared(pence, paid if sum(paid.values()) else dict.fromkeys(rule.released_to, 1))


def _net(worked: Iterable[QuarterPayment]) -> int:
    return sum(quarter.released - quarter.recovered for quarter in worked)


def _beyond(rule: PaymentRule, known: Sequence[QuarterPayment]) -> int:
    """What admissions above the baseline cost, which is more than the risk pool was sized for."""
    reduction = known[-1].reduction if known else 0
    return rule.unit_price * max(0, -(reduction or 0))


def _thirds(quarter: str, count: int) -> dict[date, int]:
    """A quarter's number by month, as evenly as whole numbers go."""
    return {
        month: count * (step + 1) // MONTHS_IN_QUARTER - count * step // MONTHS_IN_QUARTER
        for step, month in enumerate(months_of(quarter))
    }


def _row(plan: Plan, case: str) -> Row:
    """The scenario that is worked this way.

    Raises:
        BettercareError: the plan has none.
    """
    found = plan["risk_sharing"].where(case=case)
    if not found:
        raise BettercareError(
            f"The plan {plan.id} has no risk-sharing scenario of the kind {case}.",
            remedy="Add it to tables/risk_sharing.csv.",
        )
    return found[0]


def _change(reduction: int) -> str:
    return f"{abs(reduction):,} {'fewer' if reduction >= 0 else 'more'} admissions"
