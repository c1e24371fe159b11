"""Reports of a programme: monthly, and twice a year to each Board."""

from bettercare.reports.programme.board import board_report
from bettercare.reports.programme.facts import facts
from bettercare.reports.programme.monthly import programme_report

__all__ = ["board_report", "facts", "programme_report"]
