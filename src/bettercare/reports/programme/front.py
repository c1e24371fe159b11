"""The first screen: what a reader must know in ten seconds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from bettercare.assurance import Assessment
from bettercare.assurance.actions import overdue
from bettercare.assurance.fund import FundPosition
from bettercare.assurance.judgement import EXCEPTION_KINDS
from bettercare.assurance.metrics import period_name
from bettercare.assurance.payment import QuarterPayment
from bettercare.assurance.programme import in_words
from bettercare.assurance.risks import RED_FROM, band, open_risks
from bettercare.reports.amounts import count, money
from bettercare.reports.exhibit import Headline
from bettercare.reports.programme.signs import WORST_FIRST
from bettercare.reports.words import listed, plural, sentence
from bettercare.vocabulary import FinancialYear

SYNTHETIC = "Synthetic figures. Actuals, spend, scores and progress are partly or wholly invented, to show how this works: they say nothing about a real service."


def fund_year(assessment: Assessment) -> str:
    """The financial year a report speaks of: that of its date, else the last one before it the fund has entries in; "" for none."""
    now = str(FinancialYear.of(assessment.on))
    past = [year for year in assessment.years if year <= now]
    return now if now in past else past[-1] if past else ""


def verdict(assessment: Assessment) -> str:
    """A sentence or two: ratings, what has been off track longest, money, milestones."""
    counts = ratings(assessment)
    rated = sum(counts[status] for status in WORST_FIRST if status != "grey")
    if not rated:
        said = ["No metric can be rated yet"]
    else:
        parts = [
            f"{counts[status]} {'is' if counts[status] == 1 else 'are'} {status}"
            for status in WORST_FIRST[:3]
            if counts[status]
        ]
        said = [f"Of {rated} rated metrics {listed(parts)}" if rated > 1 else f"The one rated metric {parts[0][2:]}"]
    year = fund_year(assessment)
    fund = assessment.fund(year) if year else None
    if fund and not fund.months:
        said.append(f"no spend of the fund has been entered in {year}")
    elif fund:
        said.append(
            f"the fund is heading for {_variance(fund)} its budget of {money(fund.budget / 100)} in {year}{_without_money(fund, ', but ')}"
        )
    late = assessment.schedule.late
    if assessment.schedule.milestones:
        said.append(f"{plural(len(late), 'milestone')} of {len(assessment.schedule.milestones)} late or at risk")
    text = "; ".join(said) + "."
    first = next((one for kind in EXCEPTION_KINDS for one in assessment.exceptions if one.kind == kind), None)
    if first is not None:
        metric = assessment.judgements[first.metric].metric
        since = f", since {period_name(metric, first.since)}" if first.kind != "expected to miss" else ""
        text += f" {sentence(f'{_LONGEST[first.kind]}: {metric.name}{since}')}"
    return text


_LONGEST = {
    "off track": "Longest off track",
    "getting worse": "Longest getting worse",
    "expected to miss": "Expected to miss its trajectory",
}


def exceptions_counted(assessment: Assessment) -> str:
    """``3 exceptions: 2 off track, 1 getting worse``."""
    kinds = Counter(one.kind for one in assessment.exceptions)
    total = plural(len(assessment.exceptions), "exception")
    parts = [f"{kinds[kind]} {kind}" for kind in EXCEPTION_KINDS if kinds[kind]]
    return f"{total}: {', '.join(parts)}" if parts else total


def headlines(assessment: Assessment) -> tuple[Headline, ...]:
    """Up to six figures, those there is something to say of."""
    counts = ratings(assessment)
    parts = [f"{counts[status]} {status}" for status in WORST_FIRST[:3] if counts[status]]
    found = [
        Headline(
            "Metrics",
            ", ".join(parts) or "None rated",
            f"{counts['grey']} not rated; {exceptions_counted(assessment)}",
        )
    ]
    year = fund_year(assessment)
    if year:
        fund = assessment.fund(year)
        found.append(
            Headline(
                f"Forecast outturn, {year}",
                money(fund.outturn / 100),
                f"{_variance(fund)} the budget of {money(fund.budget / 100)}; {money(fund.spent / 100)} spent{_without_money(fund, '; ')}",
            )
        )
    known = settled(assessment.payments)
    if known:
        earned, released = sum(one.earned for one in known), sum(one.released - one.recovered for one in known)
        years = [assessment.fund(each) for each in assessment.years]
        unposted = (
            ("earned", sum(one.earned_unposted for one in years)),
            ("released", sum(one.released_unposted for one in years)),
        )
        parts = [f"{money(pence / 100)} {word}" for word, pence in unposted if pence]
        waits = f"; of these {listed(parts)} not yet in the ledger" if parts else ""
        found.append(
            Headline(
                "Earned for performance",
                money(earned / 100),
                f"{money(released / 100)} released to commissioners{waits}; {reached(known[-1])}",
            )
        )
    schedule = assessment.schedule
    if schedule.milestones:
        late = [one for one in schedule.milestones if one.status == "late"]
        done = sum(one.done_on is not None for one in schedule.milestones)
        found.append(
            Headline(
                "Milestones late",
                str(len(late)),
                f"of {len(schedule.milestones)}; {done} done, {len(schedule.late) - len(late)} at risk",
            )
        )
    risks = open_risks(assessment.registers.risks)
    if risks:
        high = sum(band(one.now) == "red" for one in risks)
        found.append(
            Headline(
                f"Risks scored {RED_FROM} or more",
                str(high),
                f"of {plural(len(risks), 'open risk')}, after mitigation where that is scored",
            )
        )
    open_ = [one for one in assessment.registers.actions if one.status != "done"]
    if open_:
        passed = len(overdue(open_, assessment.on))
        found.append(Headline("Actions overdue", str(passed), f"of {len(open_)} open, at {in_words(assessment.on)}"))
    return tuple(found)


def settled(payments: Sequence[QuarterPayment]) -> list[QuarterPayment]:
    """The quarters of which it is known what is paid: counted, and waiting for none before them."""
    return [one for one in payments if one.reduction is not None]


def reached(quarter: QuarterPayment) -> str:
    """The reduction in admissions to a quarter against the plan, in words."""
    moved = quarter.reduction or 0
    if moved < 0:
        return f"{count(-moved)} more admissions, {count(quarter.planned_reduction)} fewer planned"
    return f"{count(moved)} of {count(quarter.planned_reduction)} admissions fewer"


def ratings(assessment: Assessment) -> Counter[str]:
    """How many metrics have each rating."""
    return Counter(one.rag.status for one in assessment.judgements.values())


def _without_money(fund: FundPosition, joined: str) -> str:
    return f"{joined}{money(fund.not_covered / 100)} of the budgets has no money behind it" if fund.not_covered else ""


def _variance(fund: FundPosition) -> str:
    if not fund.variance:
        return "exactly"
    return f"{money(abs(fund.variance) / 100)} {'over' if fund.variance > 0 else 'under'}"
