"""A plan as data: read, write, check, challenge."""

from bettercare.plan.dictionary import Column, TableSpec, dictionary
from bettercare.plan.figures import Figure, Row, Table
from bettercare.plan.plan import Plan, Scheme
from bettercare.plan.read import shipped

__all__ = ["Column", "Figure", "Plan", "Row", "Scheme", "Table", "TableSpec", "dictionary", "shipped"]
