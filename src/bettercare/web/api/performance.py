"""Metrics and their judgement, the figures behind them, how each is judged, what is off track, and the chain."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

from fastapi import Depends, Path, Query, UploadFile
from pydantic import BaseModel, BeforeValidator, Field

from bettercare.assurance.actual_files import ActualsError, read_upload
from bettercare.assurance.chain import Chain, refs
from bettercare.assurance.judgement import Exception_, Judgement
from bettercare.assurance.metrics import Actual, MetricRules, faults_of_actual, next_actual
from bettercare.assurance.rag import Rag
from bettercare.errors import Fault
from bettercare.web.api.routing import Assessed, Limit, Start, changing, of_plan, refused
from bettercare.web.api.shapes import MULTIPART, Body, Rows, body_of, many, part_of, record_of, shape, takes
from bettercare.web.guard import Reader, Visitor, needs
from bettercare.web.pages.metrics import RULES, faults_of_rules, metric_of
from bettercare.web.state import Deployed

Enterer = Annotated[Visitor, Depends(needs("enter"))]
RuleMaker = Annotated[Visitor, Depends(needs("rules"))]
MetricId = Annotated[str, Path(description="Id of the metric", max_length=120, examples=["m3"])]

router = of_plan("Metrics")


class MetricState(BaseModel):
    """A metric and how it stands."""

    id: str
    name: str
    unit: str
    better: str = Field(description="lower or higher")
    frequency: str = Field(description="monthly, quarterly or annual")
    schemes: list[str] = Field(description="Schemes that should move it")
    period: date | None = Field(description="First day of the period of the latest figure; null when there is none")
    value: Decimal | None = Field(description="The latest figure, in `unit`")
    rag: shape(Rag)  # type: ignore[valid-type]
    variation: str | None = Field(
        description="What the process control chart says of the latest point; null without a chart"
    )
    assurance: str | None = Field(
        description="Whether the process will meet the trajectory: pass, fail, hit-or-miss, or blank without a target"
    )
    year_end: float | None = Field(description="Forecast for the last period of the year; null without a forecast")
    chance: float | None = Field(description="Of meeting the trajectory at the end of the year, 0 to 1")
    disagreement: str = Field(description="Where rating and signal disagree, in words; blank where they agree")
    exception: str | None = Field(description="Reference of the exception, when it is off track")
    synthetic: bool


@router.get("/metrics", response_model=list[MetricState])
def metrics(visitor: Reader, assessment: Assessed) -> Any:
    """Every metric and how it stands."""
    return [_state(one) for one in assessment.judgements.values()]


def _state(one: Judgement) -> MetricState:
    metric, last = one.metric, one.actuals[-1] if one.actuals else None
    return MetricState.model_validate(
        {
            "id": metric.id, "name": metric.name, "unit": metric.unit, "better": metric.better, "frequency": metric.frequency, "schemes": metric.schemes,
            "period": last.period if last else None, "value": last.value if last else None, "rag": one.rag,
            "variation": one.spc.variation if one.spc else None, "assurance": one.spc.assurance if one.spc else None,
            "year_end": one.forecast.year_end if one.forecast else None, "chance": one.forecast.chance if one.forecast else None,
            "disagreement": one.disagreement, "exception": one.exception.id if one.exception else None, "synthetic": one.synthetic,
        },
        from_attributes=True,
    )  # fmt: skip


@router.get("/metrics/{metric}", response_model=shape(Judgement))
def metric_judgement(visitor: Reader, assessment: Assessed, metric: MetricId) -> Any:
    """One metric: its trajectory and figures, its rating with the reason, its process control chart, its forecast, and where they disagree."""
    return metric_of(assessment, metric)


@router.get("/metrics/{metric}/rules", response_model=MetricRules)
def metric_rules(visitor: Reader, assessment: Assessed, metric: MetricId) -> Any:
    """How a metric is judged. Version 0: by the usual rules, of which nothing is stored."""
    return metric_of(assessment, metric).rules


_RULES = body_of(
    MetricRules, ("preset", *RULES), "MetricRulesIn", {"preset": "making-data-count", "amber": "5"}, again=True
)


@router.put("/metrics/{metric}/rules", response_model=MetricRules)
@takes(_RULES)
def change_metric_rules(
    visitor: RuleMaker, assessment: Assessed, deployed: Deployed, metric: MetricId, body: Any
) -> Any:
    """Change how a metric is judged. Send the version that was read."""
    one = metric_of(assessment, metric)
    made = record_of(
        MetricRules, **one.rules.model_dump() | body.model_dump() | {"plan": assessment.plan.id, "id": metric}
    )
    faults = faults_of_rules(assessment, one, made)
    if faults:
        raise refused("The metric cannot be judged so.", [Fault(name, what) for name, what in faults.items()])
    with changing(deployed, visitor, "Changed how the metric is judged") as change:
        return change.replace(made) if made.version else change.add(made)


@router.get("/exceptions", response_model=many(Exception_))
def exceptions(visitor: Reader, assessment: Assessed) -> Any:
    """What is off track, the longest first."""
    return assessment.exceptions


# --- figures --------------------------------------------------------------------------------------------------------------


@router.get("/actuals", response_model=Rows[Actual])
def actuals(
    visitor: Reader,
    assessment: Assessed,
    metric: Annotated[str, Query(description="Of this metric alone", max_length=120)] = "",
    start: Start = 0,
    limit: Limit = 100,
) -> Any:
    """Every figure there has been, revisions included; a metric's in order of period and revision."""
    found = [one for one in assessment.registers.actuals if metric in ("", one.metric)]
    return part_of(sorted(found, key=lambda one: (one.metric, one.period, one.revision)), start, limit)


_FIGURE = ("metric", "value", "numerator", "denominator", "status", "source", "note")


def _first_day(sent: Any) -> Any:
    """A month that was sent as 2015-12 as its first day; anything else as it is."""
    return f"{sent}-01" if isinstance(sent, str) and re.fullmatch(r"\d{4}-\d{2}", sent, re.ASCII) else sent


_ACTUAL = body_of(
    Actual,
    _FIGURE,
    "ActualIn",
    {"metric": "m3", "period": "2015-12-01", "value": "364.21", "source": "NHS England, delayed transfers of care"},
    again=False,
    period=(
        Annotated[date, BeforeValidator(_first_day)],
        Field(title="Period", description="First day of the month, quarter or year; 2015-12 is taken for 2015-12-01"),
    ),
)


@router.post("/actuals", response_model=Actual, status_code=201)
@takes(_ACTUAL)
def enter_actual(visitor: Enterer, assessment: Assessed, deployed: Deployed, body: Any) -> Any:
    """Enter a figure: the first of its period, or a revision of the one that is there, which is kept."""
    sent = record_of(Actual, plan=assessment.plan.id, **body.model_dump())
    metric = metric_of(assessment, sent.metric).metric
    faults = faults_of_actual(metric, sent.period, sent.value, sent.numerator, sent.denominator, assessment.on)
    if faults:
        raise ActualsError([Fault(name, fault.what, fault.remedy) for name, fault in faults])
    made = next_actual(
        assessment.registers.actuals, metric, sent.period, sent.value, plan=sent.plan, source=sent.source, on=assessment.on,
        numerator=sent.numerator, denominator=sent.denominator, status=sent.status, note=sent.note,
    )  # fmt: skip
    with changing(deployed, visitor, "Entered through the API") as change:
        return change.add(made)


class FiguresIn(Body):
    """A file of figures."""

    file: UploadFile = Field(description="A .csv (UTF-8) or .xlsx file with the columns of the template")
    look: bool = Field(False, description="Only say what the file would bring")


class Imported(BaseModel):
    """What a file of figures brought."""

    stored: bool = Field(description="False for a file that was only looked at")
    figures: list[Actual] = Field(description="Those that are new or revised; what was there already is left out")


@router.post("/actuals/file", response_model=Imported)
def import_actuals(
    visitor: Enterer, assessment: Assessed, deployed: Deployed, body: Annotated[FiguresIn, MULTIPART]
) -> Any:
    """Take a file of figures: all of it or nothing, with every fault at once."""
    name = body.file.filename or "figures"
    figures = read_upload(name, body.file.file.read(), assessment.plan, assessment.registers.actuals, assessment.on)
    if figures and not body.look:
        with changing(deployed, visitor, f"Imported from {name[:100]}") as change:
            figures = change.add_all(figures)
    return {"stored": not body.look, "figures": figures}


# --- the chain ------------------------------------------------------------------------------------------------------------


class Ref(BaseModel):
    """Something that stands in a chain."""

    ref: str = Field(description="`kind:id`", examples=["rag:m3"])
    title: str


@router.get("/chain", response_model=list[Ref])
def chain_refs(visitor: Reader, assessment: Assessed) -> Any:
    """Everything that stands in a chain, in the order of the chain."""
    return [{"ref": ref, "title": title} for ref, title in refs(assessment).items()]


@router.get("/chain/{ref:path}", response_model=shape(Chain))
def chain(
    visitor: Reader, assessment: Assessed, ref: Annotated[str, Path(description="`kind:id`", max_length=300, examples=["rag:m3"])]
) -> Any:  # fmt: skip
    """What leads to a thing and what follows from it: trajectory, signal, rating, exception, action, decision, money."""
    return assessment.chain(ref)
