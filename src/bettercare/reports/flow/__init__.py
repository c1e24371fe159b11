"""Documents of patient flow: a run, scenarios compared, a calibration, a forecast."""

from bettercare.reports.flow.calibration_report import calibration_report
from bettercare.reports.flow.comparison_report import comparison_report
from bettercare.reports.flow.forecast_report import forecast_report
from bettercare.reports.flow.run_report import run_report

__all__ = ["calibration_report", "comparison_report", "forecast_report", "run_report"]
