"""One metric judged: rating, signal, forecast, and where the first two disagree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from bettercare.assurance.forecast import Forecast
from bettercare.assurance.metrics import Actual, Metric, MetricRules
from bettercare.assurance.rag import Rag
from bettercare.assurance.spc import Spc


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
    """Judge a metric by its actuals of periods that ended on or before ``on``."""
    raise NotImplementedError
