"""What a plan implies but does not say, put as questions for a board to confirm or challenge.

Every question is derived from the plan's own tables; one whose data are absent is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from bettercare.plan.challenge import gaps, growth, implied, instead, overlap, returns, timing
from bettercare.plan.challenge.question import Challenge, Quantity, Severity

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

__all__ = ["Challenge", "Quantity", "Severity", "challenge"]

_ASKED: tuple[Callable[[Plan], Iterable[Challenge]], ...] = (
    overlap.two_figures,
    implied.lengths_of_stay,
    implied.prices_of_avoidance,
    implied.savings_per_bed,
    growth.growth_each_year,
    growth.staff_against_work,
    instead.care_that_replaces,
    instead.work_that_goes_nowhere,
    overlap.one_activity,
    overlap.one_purse,
    overlap.one_basket,
    returns.payback_and_return,
    returns.return_against_savings,
    returns.value_today,
    returns.where_capital_comes_from,
    timing.before_what_it_requires,
    timing.before_it_is_built,
    timing.before_its_milestones,
    timing.milestones_out_of_order,
    timing.investment_before_release,
    timing.savings_late_in_the_plan,
    timing.trajectories,
    timing.recurrent_on_passing_money,
    gaps.schemes_without,
    gaps.money_alone,
    gaps.metrics_without,
    gaps.risks_without,
    gaps.assumed,
)


def challenge(plan: Plan) -> tuple[Challenge, ...]:
    """Every question the plan raises, the serious first, otherwise in the order they are asked.

    Raises:
        PlanError: a claim of the plan cannot be recomputed.
    """
    order = {"serious": 0, "question": 1, "look": 2}
    found = [question for asked in _ASKED for question in asked(plan)]
    return tuple(sorted(found, key=lambda question: order[question.severity]))
