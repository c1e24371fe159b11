"""Actuals from a file: CSV or XLSX in, all of it or nothing, with every fault at once; and the file to fill in."""

from __future__ import annotations

import io
import re
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import xlsxwriter

from bettercare.assurance.metrics import Actual, Metric, current, faults_of_actual, metrics, next_actual, period_name
from bettercare.errors import BettercareError, Fault, FaultsError
from bettercare.plan import Column, Plan, TableSpec
from bettercare.plan.cells import number, value_of
from bettercare.plan.faults import Gathered
from bettercare.plan.read import read_csv
from bettercare.plan.workbook import how_to_fill, opened, read_rows
from bettercare.plan.workbook_parts import SheetFacts
from bettercare.vocabulary import FinancialYear, Quarter

SHEET = "Actuals"
_KEY = "Metrics"
_PERIODS = {
    "monthly": ("a month", "2015-04 or Apr 2015"), "quarterly": ("a quarter", "2015/16 Q1"), "annual": ("a financial year", "2015/16"),
}  # fmt: skip
COLUMNS = TableSpec(
    SHEET,
    "Actuals",
    False,
    "What each metric was, one row a period",
    (
        Column("metric", "text", "yes", "", (), "Id or name of the metric"),
        Column("period", "text", "yes", "", (), "Month (2015-04, Apr 2015), quarter (2015/16 Q1) or year (2015/16), or its first day"),
        Column("value", "number", "yes", "", (), "In the unit of the metric's trajectory; a percentage as 79.48"),
        Column("numerator", "number", "no", "", (), "What was counted, when known"),
        Column("denominator", "number", "no", "", (), "What it was counted over, when known"),
        Column("status", "choice", "no", "", ("provisional", "final"), "Provisional figures may still be revised; blank is final"),
        Column("source", "text", "yes", "", (), "Where the figure comes from"),
        Column("note", "text", "no", "", (), "Anything a reader should know"),
    ),
)  # fmt: skip
"""The columns of the file."""


class ActualsError(FaultsError):
    """A file of actuals has faults; all of them are listed, and none of its figures is taken."""

    said = "The figures cannot be taken"


def read_actuals(
    path: str | Path, plan: Plan, known: Sequence[Actual], on: date, synthetic: bool = False
) -> tuple[Actual, ...]:
    """The figures of a file that are new: first figures of their periods, or revisions. What is there already is left out.

    Args:
        path: a .csv (UTF-8) or an .xlsx whose figures are on the sheet Actuals, or on its only sheet.
        known: the actuals of the plan that there are.
        on: the day of entry, or the programme's data date.

    Raises:
        ActualsError: with every fault, by file, row and column.
        BettercareError: the file cannot be read at all.
    """
    path = Path(path)
    faults: list[Fault] = []
    if path.suffix.lower() == ".xlsx":
        rows = _read_workbook(path, faults)
    elif path.suffix.lower() == ".csv":
        rows = read_csv(path, path.name, COLUMNS, faults)
    else:
        raise BettercareError(
            "Figures are read from .csv and .xlsx files.", path.name[:100], "Save the file as one of them."
        )
    gathered = Gathered(faults)
    reader = _Reader(plan, known, on, synthetic, gathered)
    taken = [actual for where, cells in rows if (actual := reader.row(where, cells)) is not None]
    gathered.close()
    if not rows and not faults:
        faults.append(
            Fault(path.name, "There is no figure in the file.", "Write one row for each figure below the headings.")
        )
    if faults:
        raise ActualsError(faults)
    return tuple(taken)


def read_upload(
    name: str, content: bytes, plan: Plan, known: Sequence[Actual], on: date, synthetic: bool = False
) -> tuple[Actual, ...]:
    """:func:`read_actuals` of a file that came over the web, by the name it had there."""
    suffix = Path(name).suffix.lower()
    if not re.fullmatch(r"\.[a-z0-9]{1,10}", suffix):
        suffix = ""
    with tempfile.TemporaryDirectory() as folder:
        # The name is the visitor's: only its letters are used.
        stem = re.sub(r"[^A-Za-z0-9._ -]+", "-", Path(name.replace("\\", "/")).stem)[:80].strip(" .") or "actuals"
        path = Path(folder) / f"{stem}{suffix}"
        path.write_bytes(content)
        return read_actuals(path, plan, known, on, synthetic)


class _Reader:
    def __init__(self, plan: Plan, known: Sequence[Actual], on: date, synthetic: bool, faults: Gathered) -> None:
        self._plan, self._on, self._synthetic, self._faults = plan, on, synthetic, faults
        self._metrics = {key: metric for metric in metrics(plan) for key in (metric.id, metric.name.casefold())}
        self._known: dict[str, list[Actual]] = {}
        for actual in known:
            self._known.setdefault(actual.metric, []).append(actual)
        self._seen: dict[tuple[str, date], str] = {}

    def row(self, where: str, cells: Mapping[str, str]) -> Actual | None:
        """The figure of a row; None when it has a fault, or is there already."""
        cells = {name: text.strip() for name, text in cells.items()}
        clean = True

        def fault(column: str, error: BettercareError) -> None:
            nonlocal clean
            clean = False
            self._faults.append(Fault(f"{where}, column {column}", error.what, error.remedy))

        texts: dict[str, str] = {}
        for column in COLUMNS.columns:
            text = cells.get(column.name, "")
            if not text:
                if column.required == "yes":
                    fault(
                        column.name,
                        BettercareError(
                            "The cell is blank.", remedy=f"Write {column.meaning[0].lower()}{column.meaning[1:]}."
                        ),
                    )
                continue
            try:
                value_of(column, text.lower() if column.type == "choice" else text)
                texts[column.name] = text
            except BettercareError as error:
                fault(column.name, error)
        metric = self._metrics.get(texts.get("metric", "").casefold())
        if metric is None:
            if "metric" in texts:
                fault(
                    "metric",
                    BettercareError(
                        f"The plan has no metric {texts['metric'][:60]!r}.",
                        remedy=f"Its metrics: {', '.join(self._ids)}.",
                    ),
                )
            return None
        period: date | None = None
        try:
            period = period_from(metric, texts["period"]) if "period" in texts else None
        except BettercareError as error:
            fault("period", error)
        if period is None or "value" not in texts:
            return None
        value = _decimal(texts["value"])
        numerator = _decimal(texts["numerator"]) if "numerator" in texts else None
        denominator = _decimal(texts["denominator"]) if "denominator" in texts else None
        for column_name, wrong in faults_of_actual(metric, period, value, numerator, denominator, self._on):
            fault(column_name, wrong)
        if before := self._seen.get((metric.id, period)):
            fault(
                "period",
                BettercareError(
                    f"{period_name(metric, period)} of {metric.id} is already given at {before}.",
                    remedy="Keep one row.",
                ),
            )
        self._seen.setdefault((metric.id, period), where)
        if not clean:
            return None
        status: Literal["provisional", "final"] = (
            "provisional" if texts.get("status", "").lower() == "provisional" else "final"
        )
        latest = next(
            (actual for actual in current(self._known.get(metric.id, ()), metric.id) if actual.period == period), None
        )
        if latest is not None and (latest.value, latest.numerator, latest.denominator, latest.status) == (
            value,
            numerator,
            denominator,
            status,
        ):
            return None
        return next_actual(
            self._known.get(metric.id, ()), metric, period, value, plan=self._plan.id, source=texts["source"], on=self._on,
            numerator=numerator, denominator=denominator, status=status, note=texts.get("note", ""), synthetic=self._synthetic,
        )  # fmt: skip

    @property
    def _ids(self) -> list[str]:
        return list(dict.fromkeys(metric.id for metric in self._metrics.values()))


def _decimal(text: str) -> Decimal:
    """A printed number, digit for digit."""
    number(text)
    return Decimal(text.replace(",", ""))


_MONTHS = {
    form: month for month in range(1, 13) for form in (f"{date(2000, month, 1):%b}".lower(), f"{date(2000, month, 1):%B}".lower())
}  # fmt: skip


def period_from(metric: Metric, text: str) -> date:
    """First day of the period that a cell names: 2015-04, Apr 2015 or Apr-15 for a month, 2015/16 Q1, 2015/16, or a day.

    Raises:
        BettercareError: it names no period, or one of another length than the metric's.
    """
    kind, day = _period(text.strip())
    if day is None:
        how = _PERIODS[metric.frequency]
        raise BettercareError(
            f"{text[:40]!r} is not a period.", remedy=f"{metric.id} is measured {metric.frequency}: write {how[1]}."
        )
    if kind not in ("day", metric.frequency):
        raise BettercareError(
            f"{text[:40]!r} is {_PERIODS[kind][0]}, and {metric.id} is measured {metric.frequency}.",
            remedy=f"Write {_PERIODS[metric.frequency][1]}.",
        )
    return day


def _period(text: str) -> tuple[str, date | None]:
    try:
        if found := re.fullmatch(r"(\d{4})-(\d{1,2})", text):
            return "monthly", date(int(found[1]), int(found[2]), 1)
        if found := re.fullmatch(r"([A-Za-z]{3,9})[ -](\d{4}|\d{2})", text):
            month = _MONTHS.get(found[1].lower(), 0)
            return "monthly", date(int(found[2]) + (2000 if len(found[2]) == 2 else 0), month, 1)
        if re.fullmatch(r"\d{4}/\d{2} Q\d", text):
            quarter = Quarter.parse(text)
            return "quarterly", date(quarter.year.start + (quarter.number == 4), (quarter.number * 3) % 12 + 1, 1)
        if re.fullmatch(r"\d{4}/\d{2}", text):
            return "annual", FinancialYear.parse(text).first_day
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return "day", date.fromisoformat(text)
        # As Excel writes a date in a CSV file in this country.
        if found := re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text):
            return "day", date(int(found[3]), int(found[2]), int(found[1]))
    except (ValueError, BettercareError):
        pass
    return "", None


def _read_workbook(path: Path, faults: list[Fault]) -> list[tuple[str, dict[str, str]]]:
    with opened(path) as (book, facts):
        names = [name for name in book.sheetnames if name.strip().casefold() == SHEET.casefold()] or (
            book.sheetnames if len(book.sheetnames) == 1 else []
        )
        if not names or not hasattr(book[names[0]], "iter_rows"):
            raise BettercareError(
                f"The workbook has no sheet {SHEET}.", path.name, "Put the figures on a sheet of that name."
            )
        sheet = book[names[0]]
        part = facts.get(str(getattr(sheet, "_worksheet_path", "")).lstrip("/"), SheetFacts())
        if part.merged:
            faults.append(
                Fault(
                    f"sheet {SHEET}",
                    f"Cells are merged: {', '.join(part.merged[:5])}.",
                    "Unmerge them and fill each cell.",
                )
            )
        return read_rows(sheet, COLUMNS, part, faults)


def template(plan: Plan) -> bytes:
    """A workbook to fill in: the headings with what each means, and a sheet of the plan's metrics. The same plan gives the same bytes."""
    buffer = io.BytesIO()
    book: Any = xlsxwriter.Workbook(buffer, {"in_memory": True})
    book.set_properties({"title": f"Actuals: {plan.title}", "created": datetime(2000, 1, 1)})
    needed = book.add_format({"bold": True, "font_color": "#FFFFFF", "bg_color": "#003087", "valign": "top"})
    optional = book.add_format({"bold": True, "font_color": "#212B32", "bg_color": "#D8DDE0", "valign": "top"})
    text = book.add_format({"num_format": "@", "valign": "top"})
    sheet, key = book.add_worksheet(SHEET), book.add_worksheet(_KEY)
    found = metrics(plan)
    for position, column in enumerate(COLUMNS.columns):
        sheet.write_string(0, position, column.name, needed if column.required == "yes" else optional)
        sheet.write_comment(0, position, how_to_fill(column), {"x_scale": 2.2, "y_scale": 1.4})
        sheet.set_column(
            position,
            position,
            28 if column.name in ("metric", "source", "note") else 14,
            None if column.is_number else text,
        )
        if column.choices:
            sheet.data_validation(1, position, 5000, position, {"validate": "list", "source": list(column.choices)})
    if found:
        ids = f"='{_KEY}'!$A$2:$A${len(found) + 1}"
        sheet.data_validation(1, 0, 5000, 0, {"validate": "list", "source": ids, "error_type": "warning"})
    sheet.freeze_panes(1, 0)
    for position, heading in enumerate(("metric", "name", "unit", "measured", "write the period as")):
        key.write_string(0, position, heading, optional)
        key.set_column(position, position, (24, 60, 24, 12, 24)[position], text)
    for row, metric in enumerate(found, start=1):
        for position, value in enumerate(
            (metric.id, metric.name, metric.unit, metric.frequency, _PERIODS[metric.frequency][1])
        ):
            key.write_string(row, position, value, text)
    key.freeze_panes(1, 0)
    book.close()
    return buffer.getvalue()
