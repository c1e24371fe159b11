"""The dashboard: metrics, money, milestones, risks and what is off track, on one page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from bettercare.assurance import Assessment
from bettercare.assurance.fund import FundPosition, Line
from bettercare.assurance.judgement import Exception_, Judgement
from bettercare.assurance.metrics import Metric, bare, period_name
from bettercare.assurance.milestones import Scheduled
from bettercare.assurance.rag import rule
from bettercare.assurance.risks import Risk, open_risks
from bettercare.reports.amounts import chance, money
from bettercare.reports.charts.icons import ASSURANCE, VARIATION, assurance_icon, variation_icon
from bettercare.reports.charts.sparkline import sparkline
from bettercare.reports.exhibit import Headline
from bettercare.reports.programme.front import exceptions_counted, fund_year, headlines, ratings, verdict
from bettercare.reports.programme.signs import NOT_RATED, WORST_FIRST
from bettercare.reports.words import plural
from bettercare.web.guard import Reader
from bettercare.web.render import page, text_of
from bettercare.web.state import Assessed, Deployed

router = APIRouter(include_in_schema=False)

TOP = 5
"""How many schemes whose money is off course, and how many risks, are shown."""


@dataclass(frozen=True)
class Row:
    """A metric as a row of the dashboard."""

    judgement: Judgement
    latest: str
    period: str
    unit: str
    """Said beside the figures where they do not carry it."""
    expected: str
    course: Markup
    forecast: str
    forecast_note: str


@dataclass(frozen=True)
class Choice:
    """One value of a filter, as a link."""

    words: str
    address: str
    here: bool
    count: int


@dataclass(frozen=True)
class Board:
    """What the dashboard shows of an assessment. The first screen is that of the reports."""

    on: date
    verdict: str
    counts: tuple[tuple[str, int], ...]
    counts_note: str
    headlines: tuple[Headline, ...]
    exceptions: tuple[Exception_, ...]
    exceptions_counted: str
    filters: tuple[tuple[str, tuple[Choice, ...]], ...]
    rows: tuple[Row, ...]
    rule: str
    fund: FundPosition | None
    lines: tuple[Line, ...]
    """Those whose money is furthest off course."""
    payment: str
    late: tuple[Scheduled, ...]
    schedule_sentence: str
    risks: tuple[Risk, ...]


class Icons:
    """The signs of variation and assurance, drawn once in a page and used by name: 200 metrics then cost little."""

    @property
    def sprite(self) -> Markup:
        drawn = [(f"variation-{kind or 'none'}", variation_icon(kind)) for kind in ("", *VARIATION)]
        drawn += [(f"assurance-{kind or 'none'}", assurance_icon(kind)) for kind in ("", *ASSURANCE)]
        symbols = "".join(
            f'<symbol id="{name}" viewBox="0 0 44 44">{svg[svg.index(">") + 1 : svg.rindex("</svg>")]}</symbol>'
            for name, svg in drawn
        )
        return Markup(
            f'<svg class="bc-sprite" width="0" height="0" aria-hidden="true" focusable="false">{symbols}</svg>'
        )

    def variation(self, kind: str) -> str:
        return VARIATION[kind][1] if kind in VARIATION else "No process limits yet"

    def assurance(self, kind: str) -> str:
        return ASSURANCE[kind][1] if kind in ASSURANCE else "No target to hold it against"

    @property
    def key(self) -> list[tuple[str, str]]:
        """Name and words of every sign."""
        return [(f"variation-{kind}", words) for kind, (_, words) in VARIATION.items()] + [
            (f"assurance-{kind}", words) for kind, (_, words) in ASSURANCE.items()
        ]


@router.get("/plans/{plan}/dashboard")
def dashboard(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, rag: str = "", theme: str = ""
) -> Response:
    """The dashboard, made once for each state of the store."""
    themes = {row.id for row in assessment.plan["themes"]}
    rag, theme = rag if rag in WORST_FIRST else "", theme if theme in themes else ""
    body = deployed.remember(assessment, ("dashboard", rag, theme), lambda: _body(assessment, rag, theme))
    return page(request, visitor, "dashboard.html.j2", assessment, title="Dashboard", body=body)


def _body(assessment: Assessment, rag: str, theme: str) -> Markup:
    return Markup(
        text_of(
            "dashboard_body.html.j2", plan=assessment.plan, base=f"/plans/{assessment.plan.id}", icons=Icons(), short=in_pounds, judgements=assessment.judgements,
            board=board(assessment, fund_now(assessment), rag, theme),
        )
    )  # fmt: skip


def board(assessment: Assessment, fund: FundPosition | None, rag: str = "", theme: str = "") -> Board:
    """What the dashboard shows, of the metrics with a rating or of a theme alone when asked."""
    judgements = list(assessment.judgements.values())
    counts = ratings(assessment)
    differing = sum(bool(one.disagreement) for one in judgements)
    paid = [quarter for quarter in assessment.payments if quarter.reduction is not None]
    return Board(
        on=assessment.on,
        verdict=verdict(assessment),
        counts=tuple((status, counts[status]) for status in WORST_FIRST if counts[status]),
        counts_note=f"In {plural(differing, 'case')} rating and signal disagree." if differing else "",
        headlines=headlines(assessment)[1:],
        exceptions=assessment.exceptions,
        exceptions_counted=exceptions_counted(assessment),
        filters=_filters(assessment, judgements, rag, theme),
        rows=tuple(
            row(one)
            for one in sorted(judgements, key=lambda one: WORST_FIRST.index(one.rag.status))
            if (not rag or one.rag.status == rag) and (not theme or theme in themes_of(assessment, one.metric))
        ),
        rule=rule(),
        fund=fund,
        lines=_off_course(fund) if fund else (),
        payment=paid[-1].reason if paid else "",
        late=assessment.schedule.late,
        schedule_sentence=assessment.schedule.sentence,
        risks=tuple(one for one in open_risks(assessment.registers.risks) if one.score)[:TOP],
    )


def row(judgement: Judgement) -> Row:
    """A metric as a row."""
    metric = judgement.metric
    last = judgement.actuals[-1] if judgement.actuals else None
    forecast = judgement.forecast
    return Row(
        judgement=judgement,
        latest=bare(metric, last.value) if last else "",
        period=period_name(metric, last.period) if last else "",
        unit="" if metric.unit == "%" else metric.unit,
        expected=bare(metric, judgement.rag.expected) if judgement.rag.expected is not None else "",
        course=Markup(sparkline(judgement)) if last else Markup(""),
        forecast=bare(metric, forecast.year_end) if forecast else "",
        forecast_note=forecast_note(metric, judgement),
    )


def forecast_note(metric: Metric, judgement: Judgement) -> str:
    """When, and how likely the trajectory is to be met."""
    forecast = judgement.forecast
    if forecast is None:
        return ""
    ending = f"end of {forecast.year}"
    if forecast.chance is None or forecast.target is None:
        return ending
    return f"{ending}; {chance(forecast.chance)} chance of meeting {bare(metric, forecast.target)}"


def themes_of(assessment: Assessment, metric: Metric) -> set[str]:
    """The themes of the schemes that should move a metric."""
    return {str(assessment.plan.scheme(scheme).row["theme"]) for scheme in metric.schemes}


def fund_now(assessment: Assessment) -> FundPosition | None:
    """The fund in the year of the data date, or in the last year before it; None without entries."""
    year = fund_year(assessment)
    return assessment.fund(year) if year else None


def _off_course(fund: FundPosition) -> tuple[Line, ...]:
    off = [line for line in fund.lines if line.rag in ("red", "amber")]
    return tuple(sorted(off, key=lambda line: (WORST_FIRST.index(line.rag), -abs(line.variance)))[:TOP])


def in_pounds(pence: int) -> str:
    """Pence in pounds, short: £38.6m."""
    return money(pence / 100)


def variance(fund: FundPosition) -> str:
    """How far the forecast is from the budget."""
    if fund.variance == 0:
        return "on budget"
    return f"{in_pounds(abs(fund.variance))} {'over' if fund.variance > 0 else 'under'} budget"


def _filters(
    assessment: Assessment, judgements: Sequence[Judgement], rag: str, theme: str
) -> tuple[tuple[str, tuple[Choice, ...]], ...]:
    base = f"/plans/{assessment.plan.id}/dashboard"
    of = {one.metric.id: themes_of(assessment, one.metric) for one in judgements}

    def choice(words: str, with_rag: str, with_theme: str, here: bool) -> Choice:
        asked = {name: value for name, value in (("rag", with_rag), ("theme", with_theme)) if value}
        count = sum(
            (not with_rag or one.rag.status == with_rag) and (not with_theme or with_theme in of[one.metric.id])
            for one in judgements
        )
        return Choice(words, f"{base}?{urlencode(asked)}" if asked else base, here, count)

    ratings = [choice("All", "", theme, not rag)]
    ratings += [
        choice(NOT_RATED if status == "grey" else status.capitalize(), status, theme, rag == status)
        for status in WORST_FIRST
    ]
    themes = [choice("All", rag, "", not theme)]
    themes += [choice(str(row["name"]), rag, row.id, theme == row.id) for row in assessment.plan["themes"]]
    return ("Rating", tuple(ratings)), ("Theme", tuple(one for one in themes if one.count or one.here))
