"""Demonstration figures of the shipped plans' metrics, from CSV files such as anyone may import. Invented, but for those with a source."""

from __future__ import annotations

from datetime import date
from importlib import resources
from pathlib import Path

from bettercare.assurance.actual_files import read_actuals
from bettercare.assurance.metrics import Actual
from bettercare.plan import Plan

INVENTED = "Invented for demonstration"
"""The source of every figure that is not a fact."""
_FILES = Path(str(resources.files("bettercare.demo"))) / "figures"


def actuals(plan: Plan) -> tuple[Actual, ...]:
    """The figures of a shipped plan, later revisions included; none for any other plan."""
    found: tuple[Actual, ...] = ()
    for name in (plan.id, f"{plan.id}-revised"):
        path = _FILES / f"{name}.csv"
        if path.is_file():
            found += read_actuals(path, plan, found, on=date.max)
    return tuple(actual.model_copy(update={"synthetic": actual.source == INVENTED}) for actual in found)
