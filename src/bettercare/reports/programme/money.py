"""The pooled fund: spend against budget, each scheme's money, contributions, pay for performance."""

from __future__ import annotations

from bettercare.assurance import Assessment
from bettercare.assurance.fund import RULE, FundPosition
from bettercare.reports.amounts import money
from bettercare.reports.charts.payment import payment
from bettercare.reports.charts.spend import MONTHS, cumulative, spend
from bettercare.reports.exhibit import Chart, Column, Exhibit, Section, Table
from bettercare.reports.programme.front import fund_year, reached, settled
from bettercare.reports.programme.signs import NARROW, WIDE, rating
from bettercare.reports.words import organisation_name, plural

PENNIES = "Amounts are rounded here; the workbook has them to the penny."


def fund(assessment: Assessment) -> Section:
    """The fund of the year the report speaks of, and pay for performance."""
    year = fund_year(assessment)
    exhibits = []
    if year:
        held = assessment.fund(year)
        exhibits += [_spend(held), _lines(held)]
        if held.contributions:
            exhibits.append(_contributions(assessment, held))
    if assessment.payments:
        exhibits.append(_payments(assessment))
    return Section("fund", "The pooled fund", assessment.fund(year).sentence if year else "", tuple(exhibits))


def _spend(held: FundPosition) -> Exhibit:
    spent = cumulative(held)
    rows = [
        {"month": month, "spent": sum(line.by_month[i] for line in held.lines) / 100 if i < len(spent) else None, "total": spent[i] if i < len(spent) else None,
         "budget": held.budget * (i + 1) / 1200}
        for i, month in enumerate(MONTHS)
    ]  # fmt: skip
    columns = (
        Column("month", "Month"), Column("spent", "Spent", "money", "GBP"), Column("total", "Spent so far", "money", "GBP"),
        Column("budget", "Even twelfths of the budget", "money", "GBP"),
    )  # fmt: skip
    chart = Chart(*(spend(held, width) for width in (WIDE, NARROW)))
    forecast = (
        f"the forecast is {money(abs(held.variance) / 100)} {'over' if held.variance > 0 else 'under'} for {held.year}"
    )
    if not held.variance:
        forecast = f"the forecast for {held.year} is on budget"
    message = f"{money(held.spent / 100)} of {money(held.budget / 100)} spent; {forecast}."
    if not held.months:
        message = f"No spend has been entered of the {money(held.budget / 100)} of {held.year}."
    return Exhibit("fund-spend", message, Table(columns, rows), chart, sheet="Spend by month")


def _lines(held: FundPosition) -> Exhibit:
    rows = [
        {"name": line.name, "budget": line.budget / 100, "spent": line.spent / 100, "outturn": line.outturn / 100, "variance": line.variance / 100,
         "rating": rating(line.rag), "reason": line.reason}
        for line in sorted(held.lines, key=lambda line: -line.variance)
    ]  # fmt: skip
    columns = (
        Column("name", "Scheme"), Column("budget", "Budget", "money", "GBP"), Column("spent", "Spent", "money", "GBP"), Column("outturn", "Outturn", "money", "GBP"),
        Column("variance", "Over or under", "money change", "GBP"), Column("rating", "Rating"), Column("reason", "Why"),
    )  # fmt: skip
    red = sum(line.rag == "red" for line in held.lines)
    return Exhibit("fund-lines", f"{plural(len(held.lines), 'scheme')} with money in the fund, {red} red.", Table(columns, rows), note=f"{RULE} {PENNIES}", sheet="Fund by scheme")  # fmt: skip


def _contributions(assessment: Assessment, held: FundPosition) -> Exhibit:
    rows = [{"name": organisation_name(assessment.plan, name), "amount": pence / 100} for name, pence in sorted(held.contributions.items(), key=lambda one: -one[1])]  # fmt: skip
    message = f"{plural(len(rows), 'partner')} put in {money(sum(held.contributions.values()) / 100)}; {money(held.reserve / 100)} is in reserve and {money(held.risk_pool / 100)} in the risk pool."  # fmt: skip
    return Exhibit("contributions", message, Table((Column("name", "Partner"), Column("amount", "Contribution", "money", "GBP")), rows), sheet="Contributions")  # fmt: skip


def _payments(assessment: Assessment) -> Exhibit:
    found = assessment.payments
    known = settled(found)
    rows = [
        {"quarter": one.quarter, "baseline": one.baseline, "planned": one.planned, "actual": one.actual, "reduction": one.reduction,
         "earned": one.earned / 100 if one in known else None, "released": (one.released - one.recovered) / 100 if one in known else None, "reason": one.reason}
        for one in found
    ]  # fmt: skip
    columns = (
        Column("quarter", "Quarter"), Column("baseline", "Baseline", "count", "admissions"), Column("planned", "Planned", "count", "admissions"),
        Column("actual", "Actual", "count", "admissions"), Column("reduction", "Fewer so far", "count", "admissions"), Column("earned", "Earned", "money", "GBP"),
        Column("released", "Released", "money", "GBP"), Column("reason", "Why"),
    )  # fmt: skip
    message = "Pay for performance: no quarter is known yet."
    if known:
        earned, released = sum(one.earned for one in known), sum(one.released - one.recovered for one in known)
        message = f"Pay for performance: {reached(known[-1])} by {known[-1].quarter}; {money(earned / 100)} earned, {money(released / 100)} released."  # fmt: skip
    chart = Chart(*(payment(found, width) for width in (WIDE, NARROW)))
    return Exhibit("payments", message, Table(columns, rows), chart, sheet="Pay for performance")
