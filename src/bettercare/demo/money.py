"""Ledger entries to try the software with. Openings come from the plan; every other entry is invented and says so."""

from __future__ import annotations

import random
from datetime import date

from bettercare.assurance.ledger import Entry, entry, opening, pence_of
from bettercare.assurance.payment import payment_rule, proposed, worked
from bettercare.demo.actuals import actuals
from bettercare.plan import Plan
from bettercare.vocabulary import FinancialYear

_PACE = {
    "iur1": 1.09, "hdr1": 1.08, "hdr2": 1.04, "ltc4": 1.01,
    "upo6": 0.80, "ltc2": 0.55, "iur4": 0.85, "hdr6": 0.72, "hdr7": 0.80, "upo3": 0.93, "iur5": 0.0,
}  # fmt: skip
"""Share of an even twelfth that a scheme spends a month in the last year. The story: care at home is needed by more people than planned
and overspends; schemes that wait for staff, systems or a design underspend; one has not started. Other schemes keep to about a twelfth."""
_MONTHS_LAST_YEAR = 9
_NOTE = "Synthetic"


def entries(plan: Plan) -> tuple[Entry, ...]:
    """A fund's ledger: openings, spend by month (the last year to December) and every quarter of pay for performance known but the last.

    The same on every call. Empty for a plan without contributions to a fund.
    """
    years = sorted({row["year"] for row in plan["contributions"]})
    made: list[Entry] = []
    for year in years:
        made += opening(plan, year)
        made += _spend(plan, year, _MONTHS_LAST_YEAR if year == years[-1] else 12, _PACE if year == years[-1] else {})
    return (*made, *_payments(plan, made))


def _spend(plan: Plan, year: str, months: int, pace: dict[str, float]) -> list[Entry]:
    chance = random.Random(f"{plan.id} {year}")
    start = FinancialYear.parse(year).start
    made = []
    for row in plan["investments"].where(programme="scheme", year=year):
        usual = pace.get(row["scheme"], 0.97 + 0.04 * chance.random())
        for month in range(months):
            # Spend gathers speed a little through the year, as posts are filled.
            wobble = 0.97 + 0.06 * chance.random() + 0.004 * (month - months / 2)
            pence = round(pence_of(row) / 12 * usual * wobble / 100) * 100
            if not pence:
                continue
            day = date(start + (month + 3) // 12, (month + 3) % 12 + 1, 28)
            made.append(
                entry(
                    plan, on=day, kind="spend", from_account=f"scheme:{row['scheme']}", to_account=f"spent:{row['scheme']}", pence=pence,
                    id=f"spend-{day:%Y-%m}-{row['scheme']}", note=_NOTE, synthetic=True,
                )
            )  # fmt: skip
    return made


def _payments(plan: Plan, ledger: list[Entry]) -> list[Entry]:
    rule = payment_rule(plan)
    if rule is None:
        return []
    known = [quarter for quarter in worked(plan, actuals(plan)) if quarter.reduction is not None]
    # The last quarter is left for whoever tries the software to post.
    return [
        each.model_copy(update={"synthetic": True, "note": f"{_NOTE}. {each.note}"})
        for each in proposed(plan, known[:-1], ledger)
    ]
