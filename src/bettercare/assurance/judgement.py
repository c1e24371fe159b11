"""One metric judged: rating, signal, forecast, and where the first two disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise

from bettercare.assurance.forecast import Forecast, forecast
from bettercare.assurance.metrics import (
    Actual,
    Metric,
    MetricRules,
    bare,
    current,
    expected,
    next_period,
    period_end,
    period_name,
    written,
)
from bettercare.assurance.rag import AMBER_WITHIN, Rag, rate, status
from bettercare.assurance.spc import Spc, xmr
from bettercare.errors import BettercareError

AMBER_RUN = 2
"""Periods running that amber (or red) must last before it is an exception. Red is one at once. Assumed: the papers do not say."""
LEAST_CHANCE = 0.2
"""Chance of meeting the trajectory at the end of the year below which a metric is an exception whatever its rating. Assumed."""
EVEN_CHANCE = 0.5
"""Chance of meeting the trajectory at the end of the year below which a green rating is said to disagree with the forecast. Assumed."""

EXCEPTION_KINDS = ("off track", "getting worse", "expected to miss")
"""Rated amber or red; rated green with a special cause for concern; rated green with too small a chance of meeting the trajectory."""


@dataclass(frozen=True)
class Exception_:
    """A metric that is off track."""

    metric: str
    since: date
    """First period of the present run off track."""
    why: tuple[str, ...]
    """Each reason in a sentence: the rating, the signal, the forecast."""
    schemes: tuple[str, ...]
    """Ids of the schemes that should have moved it."""
    sentence: str
    state: str = "off track"
    """In half a sentence: off track since when, getting worse since when, or expected to miss its trajectory."""

    @property
    def kind(self) -> str:
        """``off track``, ``getting worse`` or ``expected to miss``: the state without its day."""
        return next(kind for kind in EXCEPTION_KINDS if self.state.startswith(kind))

    @property
    def id(self) -> str:
        return f"{self.metric}@{self.since.isoformat()}"


@dataclass(frozen=True)
class Judgement:
    """All that is said of one metric at a date."""

    metric: Metric
    rules: MetricRules
    actuals: tuple[Actual, ...]
    """Latest revision of each period known by the date, in order."""
    rag: Rag
    history: tuple[tuple[date, str], ...]
    """The rating of each period."""
    spc: Spc | None
    spc_refused: str
    """Why there is no chart, or ""."""
    forecast: Forecast | None
    forecast_refused: str
    disagreement: str
    """Where the rating and the signal disagree, such as "Green, but deteriorating: ..."; else ""."""
    exception: Exception_ | None
    synthetic: bool


def judge(metric: Metric, actuals: Sequence[Actual], rules: MetricRules | None, on: date) -> Judgement:
    """Judge a metric by its actuals of periods that ended on or before ``on``.

    Args:
        actuals: of the metric, all revisions; those of other metrics are left aside.
        rules: how this metric is judged; None for the usual way.
    """
    used = rules or MetricRules(id=metric.id)
    known = tuple(actual for actual in current(actuals, metric.id) if period_end(metric, actual.period) <= on)
    periods = tuple(actual.period for actual in known)
    values = tuple(float(actual.value) for actual in known)
    history = _history(metric, periods, values, used.amber)
    rag = rate(metric, periods[-1] if known else None, values[-1] if known else None, on, used.amber)
    spc: Spc | None = None
    coming: Forecast | None = None
    spc_refused = forecast_refused = ""
    try:
        target = expected(metric, periods[-1]) if periods else None
        spc = xmr(periods, values, metric.better, target, used.preset, used.rebase, used.fix_after)
    except BettercareError as refused:
        spc_refused = str(refused)
    try:
        coming = forecast(metric, periods, values, on)
    except BettercareError as refused:
        forecast_refused = str(refused)
    return Judgement(
        metric=metric,
        rules=used,
        actuals=known,
        rag=rag,
        history=history,
        spc=spc,
        spc_refused=spc_refused,
        forecast=coming,
        forecast_refused=forecast_refused,
        disagreement=disagreement(metric, rag, spc, coming),
        exception=_exception(metric, rag, history, spc, coming),
        synthetic=any(actual.synthetic for actual in known),
    )


def _history(
    metric: Metric, periods: Sequence[date], values: Sequence[float], amber: Decimal | None
) -> tuple[tuple[date, str], ...]:
    within = AMBER_WITHIN if amber is None else amber
    start = metric.baseline.value if metric.baseline is not None else None
    rated = []
    for period, value in zip(periods, values, strict=True):
        asked = expected(metric, period)
        rated.append((period, "grey" if asked is None else status(value, asked, metric.better, within, start)))
    return tuple(rated)


def disagreement(metric: Metric, rag: Rag, spc: Spc | None, coming: Forecast | None) -> str:
    """Where the rating says one thing and the signal or the forecast another, in sentences; "" where they agree."""
    found = []
    if spc is not None:
        last = spc.points[-1]
        between = f"{bare(metric, last.lower)} to {written(metric, last.upper)}"
        if rag.status == "green" and last.meaning == "concern":
            found.append(f"Green, but deteriorating: {_signal(metric, spc)}.")
        elif rag.status in ("amber", "red") and last.meaning == "improvement":
            found.append(f"{rag.status.capitalize()}, but improving: {_signal(metric, spc)}.")
        elif rag.status == "green" and spc.assurance == "hit-or-miss":
            found.append(f"Green, but by chance: the process runs from {between} and will hit or miss the trajectory.")
        elif rag.status == "green" and spc.assurance == "fail":
            found.append(f"Green, but not to be relied on: the process usually runs from {between}.")
        elif rag.status in ("amber", "red") and spc.assurance == "pass":
            found.append(
                f"{rag.status.capitalize()}, but unusual: the process usually runs from {between}, within the trajectory."
            )
    if rag.status == "green" and coming is not None and coming.chance is not None and coming.chance < EVEN_CHANCE:
        found.append(f"Green, but the forecast misses. {coming.sentence}")
    if found and spc is not None:
        found += _earlier_level(metric, rag, spc, coming)
    return " ".join(found)


def _earlier_level(metric: Metric, rag: Rag, spc: Spc, coming: Forecast | None) -> list[str]:
    """Why limits say "will fail" of a process that has improved since, where rating or forecast say otherwise; and what to do about it."""
    points = [point for point in spc.points if point.period >= spc.segments[-1]]
    last = points[-1]
    likely = coming is not None and coming.chance is not None and coming.chance >= EVEN_CHANCE
    if spc.assurance != "fail" or last.meaning != "improvement" or not (rag.status == "green" or likely):
        return []
    run = _lasted([point.meaning == "improvement" for point in points])
    start = period_name(metric, points[-run].period)
    said = f"The limits still include the earlier, worse level, so the chart says it will fail; since {start} it has been better"
    if coming is not None and coming.chance is not None:
        said += f", and the forecast, which follows the latest figures, gives a chance of {coming.chance:.0%}"
    if run == len(points):
        return [f"{said}."]
    wait = "" if run >= spc.rules.minimum_stretch else f" once there are {spc.rules.minimum_stretch} figures since"
    return [f"{said}. If the change is known to last, begin the limits anew at {start}{wait}."]


def _signal(metric: Metric, spc: Spc) -> str:
    """The special cause of the last point, as half a sentence: the longest-lasting of the rules it breaks."""
    # Runs end where limits were worked out anew.
    points = [point for point in spc.points if point.period >= spc.segments[-1]]
    last = points[-1]
    up = spc.variation.endswith("high")
    values = [point.value for point in points]
    run = 1 + _lasted([after > before if up else after < before for before, after in pairwise(values)])
    # A point outside one limit may end a run towards the other.
    if "trend" in last.special and run >= spc.rules.trend:
        return f"it has {'risen' if up else 'fallen'} with every figure from {period_name(metric, points[-run].period)} on ({run} points)"
    if "shift" in last.special:
        run = _lasted([point.value > point.mean if up else point.value < point.mean for point in points])
        since = period_name(metric, points[-run].period)
        return f"it has been {'above' if up else 'below'} its mean of {written(metric, last.mean)} since {since} ({run} points)"
    if "outside" in last.special:
        return f"the last figure lies outside the limits ({bare(metric, last.lower)} to {written(metric, last.upper)})"
    return f"two of the last three figures lie near the {'upper' if up else 'lower'} limit"


def _exception(
    metric: Metric, rag: Rag, history: Sequence[tuple[date, str]], spc: Spc | None, coming: Forecast | None
) -> Exception_ | None:
    """What is off track, or None.

    Off track: red; amber (or red) for :data:`AMBER_RUN` periods running; a special cause for concern at the last point; or a chance of
    less than :data:`LEAST_CHANCE` of meeting the trajectory at the end of the year. A metric that was off track when its figures stopped
    stays so, although its rating is grey by then.
    """
    if not history:
        return None
    colour = history[-1][1]
    lasted = _lasted([status in ("amber", "red") for _, status in history])
    why = []
    if colour == "red" or lasted >= AMBER_RUN:
        why.append(rag.reason)
    if spc is not None and spc.points[-1].meaning == "concern":
        why.append(spc.sentence)
    if coming is not None and coming.chance is not None and coming.chance < LEAST_CHANCE:
        why.append(coming.sentence)
    if not why:
        return None
    concerned = {point.period for point in spc.points if point.meaning == "concern"} if spc is not None else set()
    off = [status in ("amber", "red") or period in concerned for period, status in history]
    run = max(_lasted(off), 1)
    since = history[-run][0]
    latest = history[-1][0]
    unit = {"monthly": "month", "quarterly": "quarter"}.get(metric.frequency, "year")
    if next_period(metric, since, run - 1) != latest:
        unit = "figure"  # Some periods between have none.
    if colour in ("amber", "red") or latest in concerned:
        state = f"{'off track' if colour in ('amber', 'red') else 'getting worse'} since {period_name(metric, since)}"
        lasting = f"({run} {unit}{'' if run == 1 else 's'})"
    else:
        state, lasting = "expected to miss its trajectory", f"by the figures to {period_name(metric, latest)}"
    rated = "not rated" if rag.status == "grey" else f"rated {rag.status}"
    sentence = f"{metric.name}: {state} {lasting}, {rated}. {why[0]}"
    return Exception_(metric.id, since, tuple(why), metric.schemes, sentence, state)


def _lasted(flags: Sequence[bool]) -> int:
    """How many at the end are set without a break."""
    return next((count for count, flag in enumerate(reversed(flags)) if not flag), len(flags))
