"""Documents made from results: a page, a workbook and a summary for the terminal, all of the same exhibits."""

from bettercare.reports.model_report import write_html, write_workbook
from bettercare.reports.terminal import compare_table, summary

__all__ = ["compare_table", "summary", "write_html", "write_workbook"]
