"""The words every room shares."""

from bettercare.vocabulary.care import (
    AGE_BANDS,
    BASES,
    CHOICES,
    PODS,
    SERVICE_MODELS,
    SETTINGS,
    PointOfDelivery,
)
from bettercare.vocabulary.units import UNITS, Money, Unit, pounds, unit
from bettercare.vocabulary.years import FinancialYear, Quarter, years_between

__all__ = [
    "AGE_BANDS", "BASES", "CHOICES", "PODS", "SERVICE_MODELS", "SETTINGS", "UNITS",
    "FinancialYear", "Money", "PointOfDelivery", "Quarter", "Unit", "pounds", "unit", "years_between",
]  # fmt: skip
