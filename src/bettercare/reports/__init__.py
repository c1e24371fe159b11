"""Documents made from results: a page, a workbook and a summary for the terminal, all of the same exhibits."""

from bettercare.reports.page import write_html
from bettercare.reports.terminal import compare_table, summary
from bettercare.reports.workbook import write_workbook

__all__ = ["compare_table", "summary", "write_html", "write_workbook"]
