"""Pay for performance: paid quarterly in arrears on fewer non-elective admissions; the shortfall is released from the risk pool to commissioners.

Each quarter has its part of the money: what the plan's reduction to date is worth, up to the most there is, less the parts before it.
What the reduction reached to date is worth is earned, up to that part; the rest of the part is released to the commissioners. If a later
quarter makes good, what was released is recovered from them; what was earned is never taken back. So, for every quarter known,
``earned + released - recovered`` is exactly its part, and no pound is paid twice.
"""

from __future__ import annotations

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from bettercare.assurance.ledger import Entry, Kind, entry, pence_of, shared, sterling
from bettercare.assurance.metrics import Actual, current
from bettercare.plan import Plan
from bettercare.vocabulary import FinancialYear, Quarter

MONTHS_IN_QUARTER = 3


@dataclass(frozen=True)
class PaymentRule:
    """The rule, as data of the plan."""

    unit_price: int
    """Pence for each admission fewer."""
    threshold: float
    """Share of the cumulative reduction that must be reached before anything is paid."""
    cumulative: bool
    most: int
    """Pence in all."""
    source: str
    metric: str = ""
    months_after: int = 1
    """Paid at the end of this month after the quarter."""
    released_to: tuple[str, ...] = ()
    """Organisations that receive what is not earned."""
    basis: str = "stated"
    note: str = ""


@dataclass(frozen=True)
class QuarterPayment:
    """One quarter, admissions and pence. Quarters are of the payment year, such as 2014/15 Q4."""

    quarter: str
    baseline: int
    planned: int
    """Admissions if the plan is met."""
    actual: int | None
    planned_reduction: int
    """Cumulative."""
    reduction: int | None
    """Cumulative, against baseline."""
    earned: int
    """Paid for this quarter."""
    released: int
    """From the risk pool to commissioners for this quarter."""
    reason: str
    part: int = 0
    """The quarter's part of the money, whether it is known yet or not."""
    recovered: int = 0
    """Back from commissioners, because this quarter makes good what earlier ones missed."""

    @property
    def ref(self) -> str:
        return f"payment:{self.quarter}"


def payment_rule(plan: Plan) -> PaymentRule | None:
    """The plan's rule; None when it has none."""
    row = next(iter(plan["payment_rule"]), None)
    if row is None:
        return None
    return PaymentRule(
        unit_price=pence_of(plan["rates"].by_id[row["price"]]),
        threshold=row["threshold"] / 100,
        cumulative=row["cumulative"],
        most=pence_of(plan["pool"].by_id[row["most"]]),
        source=", ".join(filter(None, (row["source"], row["where"]))),
        metric=row["metric"],
        months_after=row["months_after"],
        released_to=row["released_to"],
        basis=row["basis"],
        note=row["note"] or "",
    )


def payment_quarters(plan: Plan) -> tuple[tuple[str, int, int], ...]:
    """Name, baseline admissions and planned admissions of each quarter of the payment year, in order of time."""
    counts: dict[Quarter, dict[str, int]] = {}
    for row in plan["payment_quarters"]:
        counts.setdefault(Quarter.parse(row["quarter"]), {})[row["kind"]] = round(row["value"])
    return tuple((str(quarter), counts[quarter]["baseline"], counts[quarter]["planned"]) for quarter in sorted(counts))


def months_of(quarter: str) -> tuple[date, date, date]:
    """First days of the three months of a quarter."""
    parsed = Quarter.parse(quarter)
    first = parsed.year.first_day.month + (parsed.number - 1) * MONTHS_IN_QUARTER - 1
    year = parsed.year.start
    days = [date(year + (first + step) // 12, (first + step) % 12 + 1, 1) for step in range(MONTHS_IN_QUARTER)]
    return days[0], days[1], days[2]


def month_admissions(actuals: Sequence[Actual], metric: str) -> dict[date, int]:
    """Admissions by first day of the month: the numerators of the latest revisions. A month whose latest has none is not known."""
    return {
        actual.period: round(actual.numerator) for actual in current(actuals, metric) if actual.numerator is not None
    }


def quarter_admissions(months: Mapping[date, int]) -> dict[str, int]:
    """Admissions of each quarter whose three months are all known."""
    quarters = {str(Quarter.of(month)) for month in months}
    return {
        quarter: sum(months[month] for month in months_of(quarter))
        for quarter in sorted(quarters)
        if all(month in months for month in months_of(quarter))
    }


def payments(
    rule: PaymentRule, quarters: Sequence[tuple[str, int, int]], actual: Mapping[str, int]
) -> tuple[QuarterPayment, ...]:
    """Work out each quarter in order.

    Args:
        quarters: name, baseline admissions, planned admissions.
        actual: admissions of the quarters known so far. Under a cumulative rule a quarter waits for all before it.
    """
    made: list[QuarterPayment] = []
    planned_to_date = reduced_to_date = parts = earned_to_date = net_released = 0
    waiting = ""
    for name, baseline, planned in quarters:
        planned_to_date += baseline - planned
        part = max(0, min(rule.most, rule.unit_price * planned_to_date) - parts)
        parts += part
        counted = actual.get(name)
        if counted is None or waiting:
            waiting = waiting or (name if rule.cumulative else "")
            made.append(
                QuarterPayment(
                    name, baseline, planned, counted, planned_to_date, None, 0, 0, _waits(name, counted, waiting), part
                )
            )
            if not rule.cumulative:
                net_released += part  # Neither earned nor released: out of the way of the quarters after it.
            continue
        reduced_to_date += baseline - counted
        if rule.cumulative:
            reached, asked, limit, before = reduced_to_date, planned_to_date, parts, earned_to_date
        else:
            reached, asked, limit, before = baseline - counted, baseline - planned, part, 0
        passed = reached >= Fraction(str(rule.threshold)) * asked
        worth = min(limit, max(0, rule.unit_price * reached)) if passed else 0
        earned = max(0, worth - before)
        earned_to_date += earned
        owed = parts - earned_to_date - net_released
        net_released += owed
        made.append(
            QuarterPayment(
                name, baseline, planned, counted, planned_to_date, reduced_to_date, earned, max(0, owed),
                _reason(rule, reached, asked, passed, earned, owed, part), part, max(0, -owed),
            )
        )  # fmt: skip
    return tuple(made)


def worked(plan: Plan, actuals: Sequence[Actual], on: date | None = None) -> tuple[QuarterPayment, ...]:
    """The quarters of a plan by its actuals of months that ended on or before a day; empty when the plan has no rule."""
    rule = payment_rule(plan)
    if rule is None:
        return ()
    known = [actual for actual in actuals if on is None or _last_day(actual.period) <= on]
    return payments(rule, payment_quarters(plan), quarter_admissions(month_admissions(known, rule.metric)))


def due(rule: PaymentRule, quarter: str) -> date:
    """The day a quarter is paid: in arrears, the last day of the month so many after its end."""
    last = months_of(quarter)[-1]
    month = last.month - 1 + rule.months_after
    return _last_day(date(last.year + month // 12, month % 12 + 1, 1))


def proposed(
    plan: Plan, payments: Sequence[QuarterPayment], ledger: Sequence[Entry], on: date | None = None
) -> tuple[Entry, ...]:
    """The entries that follow from the quarters known and are not in the ledger yet, in order of quarter.

    A quarter that was posted and then revised gives the difference, back or forth, as an entry of its own. Ids follow from the quarter and
    from what is in the ledger, so that two people who post at once cannot both succeed.

    Args:
        ledger: every entry of the plan.
        on: only quarters that are due by that day.
    """
    rule = payment_rule(plan)
    if rule is None:
        return ()
    made: list[Entry] = []
    for quarter in payments:
        if quarter.reduction is not None and (on is None or due(rule, quarter.quarter) <= on):
            # What a decision then does with earned money follows from the quarter too, and is no part of its payment.
            posted = [
                each
                for each in ledger
                if each.because == quarter.ref and "risk-pool" in (each.from_account, each.to_account)
            ]
            made += _quarter_entries(plan, rule, quarter, posted)
    return tuple(made)


def entries(plan: Plan, payment: QuarterPayment) -> tuple[Entry, ...]:
    """All entries of one quarter, as if none had been posted."""
    return proposed(plan, (payment,), ())


def _quarter_entries(plan: Plan, rule: PaymentRule, quarter: QuarterPayment, posted: Sequence[Entry]) -> list[Entry]:
    """What is still to move for a quarter: each account it should have moved money to, less what it has."""
    receivers = shared(quarter.released - quarter.recovered, _weights(plan, rule, due(rule, quarter.quarter)))
    wanted = {"performance": quarter.earned} | {f"returned:{name}": pence for name, pence in receivers.items()}
    differences = {
        account: pence
        - sum(each.pence for each in posted if each.to_account == account)
        + sum(each.pence for each in posted if each.from_account == account)
        for account, pence in wanted.items()
    }
    # Money comes back before it goes out, so that the risk pool never seems to lack it.
    in_order = sorted(differences.items(), key=lambda item: item[1])
    return [_entry(plan, rule, quarter, account, pence, posted) for account, pence in in_order if pence]


def _entry(
    plan: Plan, rule: PaymentRule, quarter: QuarterPayment, account: str, pence: int, posted: Sequence[Entry]
) -> Entry:
    name = account.removeprefix("returned:")
    earlier = sum(1 for each in posted if account in (each.from_account, each.to_account))
    slug = quarter.quarter.replace("/", "-").replace(" ", "-").lower()
    kinds: tuple[Kind, Kind] = (
        ("performance-payment", "correction") if account == "performance" else ("risk-pool-release", "recovery")
    )
    return entry(
        plan,
        on=max([due(rule, quarter.quarter), *(each.on for each in posted)]),
        kind=kinds[0] if pence > 0 else kinds[1],
        from_account="risk-pool" if pence > 0 else account,
        to_account=account if pence > 0 else "risk-pool",
        pence=abs(pence),
        because=quarter.ref,
        note=("Revised: " if earlier else "") + quarter.reason,
        id=f"payment-{slug}-{name}" + (f"-{earlier + 1}" if earlier else ""),
    )


def _weights(plan: Plan, rule: PaymentRule, day: date) -> dict[str, int]:
    """What each receiver pays into the fund in the year of the payment; equal where the plan does not say."""
    year = str(FinancialYear.of(day))
    paid = {
        name: sum(pence_of(row) for row in plan["contributions"].where(organisation=name, year=year))
        for name in rule.released_to
    }
    return paid if sum(paid.values()) else dict.fromkeys(rule.released_to, 1)


def _waits(name: str, counted: int | None, waiting: str) -> str:
    if counted is None:
        return f"Admissions of {name} are not known in full yet, so nothing is paid or released."
    return f"Waits for {waiting}: each quarter is judged on all quarters so far."


def _reason(rule: PaymentRule, reached: int, asked: int, passed: bool, earned: int, owed: int, part: int) -> str:
    to_date = " to date" if rule.cumulative else ""
    moved = (
        f"{abs(reached):,} {'fewer' if reached >= 0 else 'more'} admissions{to_date} than the baseline, {asked:,} fewer "
        f"planned"
    )
    if not passed and rule.threshold:
        moved += f": short of the threshold of {rule.threshold:.0%} of the plan"
    if owed > 0:
        left = f"{sterling(owed)} is released to the commissioners"
    elif owed < 0:
        left = f"{sterling(-owed)} released before is recovered from the commissioners"
    else:
        left = "nothing is released"
    if earned > part:
        return f"{moved}. This quarter's part is {sterling(part)}; with what earlier quarters missed {sterling(earned)} is earned; {left}."
    return f"{moved}. Of this quarter's {sterling(part)}, {sterling(earned)} is earned; {left}."


def _last_day(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])
