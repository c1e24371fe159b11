"""Pay for performance: paid quarterly in arrears on fewer non-elective admissions; the shortfall is released from the risk pool to commissioners."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


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


def payments(
    rule: PaymentRule, quarters: Sequence[tuple[str, int, int]], actual: Mapping[str, int]
) -> tuple[QuarterPayment, ...]:
    """Work out each quarter in order.

    Args:
        quarters: name, baseline admissions, planned admissions.
        actual: admissions of the quarters known so far.
    """
    raise NotImplementedError
