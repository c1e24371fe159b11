"""Assurance: is the plan being delivered? Rules are pure functions of (plan, registers, date); the registers are kept in the store."""

from bettercare.assurance.assessment import Assessment, Registers, assess
from bettercare.assurance.opening import open_programme

__all__ = ["Assessment", "Registers", "assess", "open_programme"]
