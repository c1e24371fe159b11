"""bettercare: plan, run and assure an integrated health and care system."""

__version__ = "0.1.0"

from bettercare.errors import BettercareError, PlanError
from bettercare.model import Result, Scenario, run
from bettercare.plan import Plan

__all__ = ["BettercareError", "Plan", "PlanError", "Result", "Scenario", "run"]
