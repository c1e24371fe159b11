"""What is measured: definitions and trajectories from the plan, actuals from the store."""

from __future__ import annotations

import calendar
import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cached_property
from typing import ClassVar, Literal

from bettercare.assurance.programme import in_words
from bettercare.errors import BettercareError
from bettercare.plan import Plan, Row
from bettercare.store import Record, asks
from bettercare.vocabulary import UNITS, FinancialYear, Quarter, pounds

EARLIEST = date(1990, 1, 1)
"""No figure is of a period before this: an earlier one is a slip of the pen."""
LARGEST = Decimal(10) ** 12
"""No figure is this large, in whatever unit."""
MOST_DECIMALS = 8


class Actual(Record):
    """What a metric was in one period, as first published or as revised: a revision is a row of its own and nothing is overwritten.

    The id is ``metric@first-day#revision``, so two people who enter the same revision cannot both succeed.
    """

    table: ClassVar[str] = "actuals"
    append_only: ClassVar[bool] = True

    metric: str = asks("Metric", "Id of the metric", refers="metrics")
    period: date = asks("Period", "First day of the month, quarter or year")
    value: Decimal = asks("Value", "In the unit of the metric's trajectory")
    numerator: Decimal | None = asks("Numerator", "What was counted, when known", None)
    denominator: Decimal | None = asks("Denominator", "What it was counted over, when known", None)
    revision: int = asks("Revision", "1 for the first figure of a period, then 2, 3 ...", 1, ge=1)
    status: Literal["provisional", "final"] = asks(
        "Status", "Provisional figures may still be revised by their source", "final"
    )
    source: str = asks("Source", "Where the figure comes from", min_length=1)
    note: str = asks("Note", "Anything a reader should know", "", long=True)


class MetricRules(Record):
    """How one metric is judged, where that is not the usual way. The id is the metric's."""

    table: ClassVar[str] = "metric_rules"

    preset: str = asks("Rule set", "Name of the rules for special causes", "making-data-count")
    rebase: tuple[date, ...] = asks("Rebase at", "First days of the periods at which limits are worked out anew", ())
    rebase_reason: str = asks("Why rebased", "What changed in the system then", "", long=True)
    fix_after: int | None = asks("Fix limits after", "Number of points after which the limits are held", None, ge=3)
    amber: Decimal | None = asks(
        "Amber within", "How much worse than the trajectory, in per cent of it, is still amber", None, ge=0
    )


@dataclass(frozen=True)
class Aim:
    """A figure of a metric's trajectory: what it was or should be at a date."""

    id: str
    kind: str
    """baseline, trajectory, target or national-standard."""
    at: date
    value: float
    where: str
    """Source and line in the paper."""
    basis: str
    note: str = ""


@dataclass(frozen=True)
class Metric:
    """A metric of the plan with its trajectory."""

    id: str
    name: str
    definition: str
    unit: str
    """Of its trajectory and of its actuals; "" when the plan gives no figure."""
    per: float | None
    better: str
    """lower or higher."""
    frequency: str
    """monthly, quarterly or annual."""
    national: bool
    aims: tuple[Aim, ...]
    """In order of date."""
    schemes: tuple[str, ...]
    """Ids of the schemes that should move it."""
    source: str
    places: int = 2
    """Decimals that its figures are printed with."""
    frequency_assumed: bool = False
    """Whether the plan says how often; when it does not, annual is taken."""
    numerator: str = ""
    """What is counted, where the plan says."""
    denominator: str = ""
    """What it is counted over, where the plan says."""
    actuals_from: str = ""
    """Where its actuals come from, where the plan says."""

    @property
    def counted(self) -> str:
        """What is counted, over what and from where, in a sentence or two; "" where the plan says none of it."""
        said = " over ".join(
            filter(None, (self.numerator, self.denominator and self.denominator[0].lower() + self.denominator[1:]))
        )
        return " ".join(f"{part}." for part in (said, self.actuals_from and f"From: {self.actuals_from}") if part)

    @cached_property
    def line(self) -> tuple[Aim, ...]:
        """The points that the trajectory runs through; empty when the plan sets nothing to reach.

        A baseline takes part when it is the only one: several are of several places, or of several times of which no one is the start.
        A national standard stands beside the trajectory and is not part of it; where the plan sets nothing to reach, the latest
        standard is the line.
        """
        baselines = [aim for aim in self.aims if aim.kind == "baseline"]
        sought = [aim for aim in self.aims if aim.kind in ("trajectory", "target")]
        if not sought:
            return tuple(aim for aim in self.aims if aim.kind == "national-standard")[-1:]
        return tuple(aim for aim in self.aims if aim in sought or baselines == [aim])

    @property
    def held_to_standard(self) -> bool:
        """Whether a national standard stands in for a trajectory that the plan does not set."""
        return len(self.line) == 1 and self.line[0].kind == "national-standard"

    @cached_property
    def baseline(self) -> Aim | None:
        """Where the trajectory starts from, when the plan says so once."""
        return self.line[0] if self.line and self.line[0].kind == "baseline" else None

    @cached_property
    def _days(self) -> tuple[int, ...]:
        return tuple(aim.at.toordinal() for aim in self.line)


def metrics(plan: Plan) -> tuple[Metric, ...]:
    """The metrics of a plan, in its order.

    Raises:
        BettercareError: a row of the trajectories has a date that cannot be read, or figures of one metric are in several units.
    """
    rows: dict[str, list[Row]] = {}
    for row in plan["trajectories"]:
        rows.setdefault(row["metric"], []).append(row)
    moved: dict[str, list[str]] = {}
    for scheme in plan.schemes:
        for name in scheme.row["metrics"] or ():
            moved.setdefault(name, []).append(scheme.id)
    return tuple(_metric(row, rows.get(row.id, []), moved.get(row.id, [])) for row in plan["metrics"])


def _metric(row: Row, trajectory: Sequence[Row], schemes: Sequence[str]) -> Metric:
    units = {str(point["unit"]) for point in trajectory}
    if len(units) > 1:
        raise BettercareError(
            f"The trajectory of {row.id} is in several units ({', '.join(sorted(units))}).",
            trajectory[0].where.split(",")[0],
            "Give all figures of a metric in one unit.",
        )
    aims = [
        Aim(
            id=point.id,
            kind=point["kind"],
            at=day_of(str(point["at"]), f"{point.where}, column at"),
            value=float(point["value"]),
            where=": ".join(filter(None, (point["source"], point["where"]))),
            basis=point["basis"] or "stated",
            note=point["note"] or "",
        )
        for point in trajectory
    ]
    return Metric(
        id=row.id,
        name=row["name"],
        definition=row["definition"] or "",
        unit=next(iter(units), ""),
        per=row["per"],
        better=row["better"],
        frequency=row["frequency"] or "annual",
        national=bool(row["national"]),
        aims=tuple(sorted(aims, key=lambda aim: (aim.at, aim.id))),
        schemes=tuple(schemes),
        source=": ".join(filter(None, (row["source"], row["where"]))),
        places=_places(next(iter(units), ""), [point.text["value"] for point in trajectory]),
        frequency_assumed=not row["frequency"],
        numerator=row["numerator"] or "",
        denominator=row["denominator"] or "",
        actuals_from=row["actuals_from"] or "",
    )


def _places(unit: str, printed: Sequence[str]) -> int:
    """Decimals of a metric's figures: as many as its trajectory prints, and for shares and rates enough to tell one month from another."""
    least = 1 if unit == "%" else 2 if unit.startswith("per ") or not printed else 0
    return max(least, *(len(text.partition(".")[2]) for text in printed), 0)


def day_of(text: str, where: str = "") -> date:
    """The last day of the date, month, year, financial year or run of years a trajectory names.

    >>> day_of("2015-03-31"), day_of("2016"), day_of("2016/17"), day_of("2012/14")
    (datetime.date(2015, 3, 31), datetime.date(2016, 12, 31), datetime.date(2017, 3, 31), datetime.date(2014, 12, 31))

    Raises:
        BettercareError: it is none of these.
    """
    text = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
        if re.fullmatch(r"\d{4}-\d{2}", text):
            return _month_end(date.fromisoformat(f"{text}-01"))
        if re.fullmatch(r"\d{4}", text):
            return date(int(text), 12, 31)
        if found := re.fullmatch(r"(\d{2})(\d{2})/(\d{2})", text):
            first, last = int(found[1] + found[2]), int(found[1] + found[3])
            if last == first + 1 or (found[2], found[3]) == ("99", "00"):
                return FinancialYear(first).last_day
            if last > first:
                # Rates pooled over calendar years are written 2012/14.
                return date(last, 12, 31)
    except ValueError:
        pass
    raise BettercareError(
        f"{text[:60]!r} is not a date of a trajectory.",
        where,
        "Write 2015-03-31, 2016 or 2016/17; a run of years is 2012/14.",
    )


_MONTHS = {"monthly": 1, "quarterly": 3, "annual": 12}


# -- periods -----------------------------------------------------------------------------------------------------------


def period_of(metric: Metric, day: date) -> date:
    """First day of the period (month, quarter or financial year, by the metric's frequency) that a day falls in."""
    if metric.frequency == "monthly":
        return day.replace(day=1)
    if metric.frequency == "quarterly":
        return date(day.year, (day.month - 1) // 3 * 3 + 1, 1)
    return FinancialYear.of(day).first_day


def period_end(metric: Metric, period: date) -> date:
    """Last day of the period that begins on a day."""
    return date.fromordinal(_end(metric, period))


def _end(metric: Metric, period: date) -> int:
    return next_period(metric, period).toordinal() - 1


def next_period(metric: Metric, period: date, steps: int = 1) -> date:
    """First day of the period that many later (earlier when negative)."""
    months = period.year * 12 + period.month - 1 + steps * months_in(metric)
    return date(months // 12, months % 12 + 1, 1)


def months_in(metric: Metric) -> int:
    """Months in a period of the metric."""
    return _MONTHS.get(metric.frequency, 12)


def period_name(metric: Metric, period: date) -> str:
    """As the field writes it: April 2015, 2015/16 Q1, 2015/16."""
    if metric.frequency == "monthly":
        return f"{period:%B %Y}"
    return str(Quarter.of(period) if metric.frequency == "quarterly" else FinancialYear.of(period))


def last_period(metric: Metric, on: date) -> date:
    """The latest period that has ended on or before a day."""
    return next_period(metric, period_of(metric, on + timedelta(days=1)), -1)


def _month_end(day: date) -> date:
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


# -- the trajectory ----------------------------------------------------------------------------------------------------


def expected(metric: Metric, period: date) -> float | None:
    """What the trajectory asks for in a period: a straight line between its points, held after the last; None before the first.

    A period is compared at its last day. A figure between two stated points is assumed (the papers give the points alone) and is
    rounded to the decimals the points are printed with. A national standard that stands in for a trajectory holds throughout. None too
    when there is nothing to reach.
    """
    line = metric.line
    if not line:
        return None
    if metric.held_to_standard:
        return line[0].value
    day = _end(metric, period)
    after = bisect_right(metric._days, day)
    if after == 0:
        return None
    before = line[after - 1]
    if after == len(line) or before.at.toordinal() == day:
        return before.value
    nxt = line[after]
    share = (day - metric._days[after - 1]) / (metric._days[after] - metric._days[after - 1])
    return round(before.value + share * (nxt.value - before.value), metric.places)


def expected_is_stated(metric: Metric, period: date) -> bool:
    """Whether the trajectory's figure for a period is printed in the paper for that very day, and not read off the line between."""
    return metric.held_to_standard or _end(metric, period) in metric._days


# -- actuals -----------------------------------------------------------------------------------------------------------


def current(actuals: Sequence[Actual], metric: str) -> tuple[Actual, ...]:
    """The latest revision of each period, in order of time."""
    latest: dict[date, Actual] = {}
    for actual in actuals:
        if actual.metric == metric:
            known = latest.get(actual.period)
            if known is None or actual.revision > known.revision:
                latest[actual.period] = actual
    return tuple(latest[period] for period in sorted(latest))


def revisions(actuals: Sequence[Actual], metric: str, period: date) -> tuple[Actual, ...]:
    """Every figure there has been for a period, the first one first."""
    found = [actual for actual in actuals if actual.metric == metric and actual.period == period]
    return tuple(sorted(found, key=lambda actual: actual.revision))


def next_actual(
    actuals: Sequence[Actual], metric: Metric, period: date, value: Decimal, *, plan: str, source: str, on: date,
    numerator: Decimal | None = None, denominator: Decimal | None = None, status: Literal["provisional", "final"] = "final", note: str = "",
    synthetic: bool = False,
) -> Actual:  # fmt: skip
    """A figure as it would be stored: the first of its period, or the next revision.

    Args:
        actuals: those there are, of this metric or of all.
        value: in the unit of the trajectory, as printed (79.48 for 79.48%).
        on: the day of entry, or the programme's data date: a period that has not ended by then has no figure.

    Raises:
        BettercareError: the period is not one of the metric's or has not ended, the figure cannot be right, or it is what is there already.
    """
    if faults := faults_of_actual(metric, period, value, numerator, denominator, on):
        raise faults[0][1]
    if not source.strip():
        raise BettercareError("The figure has no source.", remedy="Say where it comes from.")
    known = revisions(actuals, metric.id, period)
    last = known[-1] if known else None
    if last is not None and (last.value, last.numerator, last.denominator, last.status) == (
        value,
        numerator,
        denominator,
        status,
    ):
        raise BettercareError(
            f"{metric.name} in {period_name(metric, period)} is already {written(metric, value)} (revision {last.revision}).",
            remedy="Enter a figure only when it differs from the one that is there.",
        )
    number = last.revision + 1 if last is not None else 1
    return Actual(
        plan=plan, id=f"{metric.id}@{period.isoformat()}#{number}", metric=metric.id, period=period, value=value, numerator=numerator,
        denominator=denominator, revision=number, status=status, source=source, note=note, synthetic=synthetic,
    )  # fmt: skip


def faults_of_actual(
    metric: Metric, period: date, value: Decimal, numerator: Decimal | None, denominator: Decimal | None, on: date
) -> tuple[tuple[str, BettercareError], ...]:
    """What is wrong with a figure, each fault with the field it is in."""
    found = [("period", _period_fault(metric, period, on))]
    sizes = {"value": value, "numerator": numerator, "denominator": denominator}
    found += [(name, _size_fault(size)) for name, size in sizes.items() if size is not None]
    if not any(fault for name, fault in found if name != "period"):
        found.append(("value", _range_fault(metric, value)))
        found.append(("numerator", _ratio_fault(metric, value, numerator, denominator)))
    return tuple((name, fault) for name, fault in found if fault is not None)


def _period_fault(metric: Metric, period: date, on: date) -> BettercareError | None:
    if period < EARLIEST or period.year > 2200:
        return BettercareError(f"{period.isoformat()} cannot be the period of a figure.", remedy="Check the year.")
    first = period_of(metric, period)
    if period != first:
        kind = {"monthly": "month", "quarterly": "quarter (April, July, October, January)"}.get(
            metric.frequency, "financial year (1 April)"
        )
        return BettercareError(
            f"{metric.name} is measured {metric.frequency}, and {period.isoformat()} is not the first day of a {kind}.",
            remedy=f"Write {first.isoformat()} for {period_name(metric, first)}.",
        )
    end = period_end(metric, period)
    if end > on:
        return BettercareError(
            f"{period_name(metric, period)} had not ended by {in_words(on)}.",
            remedy=f"Enter its figure from {in_words(end)} on, or move the data date of the programme.",
        )
    return None


def _size_fault(value: Decimal) -> BettercareError | None:
    if not value.is_finite():
        return BettercareError(
            "The figure is not a number.", remedy="Write digits with a decimal point, such as 79.48."
        )
    exponent = value.as_tuple().exponent
    if abs(value) >= LARGEST or (isinstance(exponent, int) and exponent < -MOST_DECIMALS):
        return BettercareError(
            f"The figure has more digits than a figure can have (at most {MOST_DECIMALS} decimals).",
            remedy="Write it as it is published.",
        )
    return None


def _range_fault(metric: Metric, value: Decimal) -> BettercareError | None:
    if metric.unit == "%" and not 0 <= value <= 100:
        return BettercareError(
            f"{value}% is not a share of 100.", remedy="Write a percentage between 0 and 100, such as 79.48."
        )
    signed = metric.unit == "percentage points" or metric.unit.startswith("GBP")
    if value < 0 and not signed:
        return BettercareError(
            f"{metric.name} cannot be below nought.", remedy="Leave out the minus sign, or check the figure."
        )
    return None


def _ratio_fault(
    metric: Metric, value: Decimal, numerator: Decimal | None, denominator: Decimal | None
) -> BettercareError | None:
    if numerator is not None and numerator < 0:
        return BettercareError("The numerator is below nought.", remedy="A count is nought or more.")
    if denominator is None:
        return None
    if denominator <= 0:
        return BettercareError(
            "The denominator must be above nought.", remedy="Leave both out when they are not known."
        )
    if numerator is None:
        return None
    if metric.unit == "%" and numerator > denominator:
        return BettercareError(
            "The numerator is larger than the denominator.", remedy="A share is a part over the whole."
        )
    scale = scale_of(metric)
    if scale is None:
        return None
    worked = numerator / denominator * scale
    exponent = value.as_tuple().exponent
    place = Decimal(1).scaleb(exponent if isinstance(exponent, int) else 0)
    if abs(worked - value) <= place / 2:
        return None
    return BettercareError(
        f"The figure is {value}, but {numerator:,f} over {denominator:,f} gives {worked.quantize(place)}.",
        remedy="Correct one of the three, or leave out the numerator and the denominator.",
    )


def scale_of(metric: Metric) -> Decimal | None:
    """What numerator over denominator is multiplied by to give the value; None when the plan does not say."""
    unit = metric.unit
    if unit == "%":
        return Decimal(100)
    per = (
        Decimal(str(metric.per))
        if metric.per
        else Decimal(unit.split()[1].replace(",", ""))
        if unit.startswith("per ")
        else None
    )
    if per is None:
        return Decimal(1) if unit in ("ratio", "days") else None
    # A rate "a month" of a year's count is that of an average month.
    months = 1 if unit.endswith("a month") else 12 if unit.endswith("a year") else months_in(metric)
    return per * months / months_in(metric)


def written(metric: Metric, value: float | Decimal) -> str:
    """A figure of a metric with its unit, to the decimals it is printed with: 79.48%, 361.98 per 100,000 a month."""
    known = UNITS.get(metric.unit)
    if known is not None and known.is_money:
        return pounds(float(value) * known.scale)
    if metric.unit in ("", "%", "ratio", "text-number"):
        return bare(metric, value)
    return f"{bare(metric, value)} {metric.unit}"


def bare(metric: Metric, value: float | Decimal) -> str:
    """A figure without its unit, where that is said already (a percentage keeps its sign)."""
    known = UNITS.get(metric.unit)
    if known is not None and known.is_money:
        return pounds(float(value) * known.scale)
    places = max(metric.places, -int(value.as_tuple().exponent)) if isinstance(value, Decimal) else metric.places
    return f"{float(value):,.{min(places, 4)}f}" + ("%" if metric.unit == "%" else "")
