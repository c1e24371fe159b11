"""What is measured: definitions and trajectories from the plan, actuals from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from bettercare.plan import Plan
from bettercare.store import Record, asks


class Actual(Record):
    """What a metric was in one period, as first published or as revised: a revision is a row of its own and nothing is overwritten.

    The id is ``metric@first-day#revision``, so two people who enter the same revision cannot both succeed.
    """

    table: ClassVar[str] = "actuals"
    append_only: ClassVar[bool] = True

    metric: str = asks("Metric", "Id of the metric", refers="metrics")
    period: date = asks("Period", "First day of the month, quarter or year")
    value: Decimal = asks("Value", "In the unit of the metric's trajectory")
    numerator: Decimal | None = asks("Numerator", "What was counted, when known", None)
    denominator: Decimal | None = asks("Denominator", "What it was counted over, when known", None)
    revision: int = asks("Revision", "1 for the first figure of a period, then 2, 3 ...", 1, ge=1)
    status: Literal["provisional", "final"] = asks(
        "Status", "Provisional figures may still be revised by their source", "final"
    )
    source: str = asks("Source", "Where the figure comes from", min_length=1)
    note: str = asks("Note", "Anything a reader should know", "", long=True)


class MetricRules(Record):
    """How one metric is judged, where that is not the usual way. The id is the metric's."""

    table: ClassVar[str] = "metric_rules"

    preset: str = asks("Rule set", "Name of the rules for special causes", "making-data-count")
    rebase: tuple[date, ...] = asks("Rebase at", "First days of the periods at which limits are worked out anew", ())
    rebase_reason: str = asks("Why rebased", "What changed in the system then", "", long=True)
    fix_after: int | None = asks("Fix limits after", "Number of points after which the limits are held", None, ge=3)
    amber: Decimal | None = asks(
        "Amber within", "How much worse than the trajectory, in per cent of it, is still amber", None, ge=0
    )


@dataclass(frozen=True)
class Aim:
    """A figure of a metric's trajectory: what it was or should be at a date."""

    id: str
    kind: str
    """baseline, trajectory, target or national-standard."""
    at: date
    value: float
    where: str
    """Source and line in the paper."""
    basis: str
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric of the plan with its trajectory."""

    id: str
    name: str
    definition: str
    unit: str
    per: float | None
    better: str
    """lower or higher."""
    frequency: str
    """monthly, quarterly or annual."""
    national: bool
    aims: tuple[Aim, ...]
    """In order of date."""
    schemes: tuple[str, ...]
    """Ids of the schemes that should move it."""
    source: str


def metrics(plan: Plan) -> tuple[Metric, ...]:
    """The metrics of a plan, in its order."""
    raise NotImplementedError


def expected(metric: Metric, period: date) -> float | None:
    """What the trajectory asks for in a period: a straight line between its points, held after the last; None before the first.

    A period is compared at its last day.
    """
    raise NotImplementedError


def current(actuals: Sequence[Actual], metric: str) -> tuple[Actual, ...]:
    """The latest revision of each period, in order of time."""
    raise NotImplementedError
