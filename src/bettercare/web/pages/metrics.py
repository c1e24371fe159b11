"""Metrics: what each is, what it was, how it is judged; entering its figures and changing its rules."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from starlette.datastructures import UploadFile

from bettercare.assurance import Assessment
from bettercare.assurance.actual_files import COLUMNS, read_upload, template
from bettercare.assurance.judgement import Judgement, judge
from bettercare.assurance.metrics import (
    Actual,
    MetricRules,
    bare,
    expected,
    expected_is_stated,
    faults_of_actual,
    last_period,
    next_actual,
    next_period,
    period_name,
    period_of,
    revisions,
    written,
)
from bettercare.assurance.spc import RULE_SETS
from bettercare.errors import BettercareError, Fault
from bettercare.reports.charts import spc as spc_chart
from bettercare.reports.exhibit import Chart
from bettercare.reports.programme.front import verdict
from bettercare.reports.words import plural
from bettercare.store import Change, Conflict, Missing
from bettercare.web.forms import Asked, Faults, Form, clash_of, faults_said, form_of, read_form
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.pages.dashboard import Icons, row
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment

router = APIRouter(include_in_schema=False)

Enterer = Annotated[Visitor, Depends(needs("enter"))]
RuleMaker = Annotated[Visitor, Depends(needs("rules"))]

WIDE, NARROW = 900.0, 340.0
"""Widths that charts are drawn for: a page, and a telephone."""
SHOWN = 200
"""Most rows of a file, or faults in it, that a page shows."""
PART = 200_000
"""Letters of a hidden field; a field of a form may hold a megabyte."""
MOST_POINTS = 1_000
"""Most figures that limits can be worked out from before they are held."""
CHOICES = 120
"""Most periods that a form offers."""
FIGURE = ("value", "numerator", "denominator", "status", "source", "note")
RULES = ("rebase", "rebase_reason", "fix_after", "amber")


@dataclass(frozen=True)
class Entered:
    """A revision of a figure as the table of a metric shows it."""

    actual: Actual
    period: str
    expected: str
    rating: str
    """Of the period; "" for a revision that another took the place of."""
    change: Change | None
    """Who entered it and when."""


def metric_of(assessment: Assessment, id: str) -> Judgement:
    """A metric of the plan, judged.

    Raises:
        Missing: the plan has none of that name.
    """
    if id not in assessment.judgements:
        raise Missing(f"The plan has no metric {id!r}.", remedy="Choose one from the list of metrics.")
    return assessment.judgements[id]


@router.get("/plans/{plan}/metrics")
def listed(request: Request, visitor: Reader, assessment: Assessed) -> Response:
    """Every metric: what it is and how far its figures go."""
    rows = [row(one) for one in assessment.judgements.values()]
    return page(request, visitor, "metrics.html.j2", assessment, title="Metrics", rows=rows)


@router.get("/plans/{plan}/metrics/template.xlsx")
def template_of(visitor: Reader, assessment: Assessed) -> Response:
    """The workbook to fill in."""
    return Response(
        template(assessment.plan), media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{assessment.plan.id}-actuals.xlsx"'},
    )  # fmt: skip


@router.get("/plans/{plan}/metrics/import")
def ask_file(request: Request, visitor: Enterer, assessment: Assessed) -> Response:
    """The form for a file of figures."""
    return _import_page(request, visitor, assessment)


@router.post("/plans/{plan}/metrics/import")
def take_file(request: Request, visitor: Enterer, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Show what a file would change or what is wrong with it; store what was shown when it comes back confirmed ("rows")."""
    known = assessment.registers.actuals
    confirmed = "".join(part for part in sent.getlist("rows") if isinstance(part, str))
    if confirmed:
        figures = read_upload("figures.csv", confirmed.encode(), assessment.plan, known, assessment.on)
        with deployed.store.change(
            visitor.user.id, f"Imported from {str(sent.get('name', 'a file'))[:100]}"
        ) as changing:
            changing.add_all(figures)
        count = plural(len(figures), "figure is", "figures are")
        return done(
            f"/plans/{assessment.plan.id}/dashboard",
            f"{count} stored. {verdict(deployed.assessment(assessment.plan.id))}",
        )
    file = sent.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        return _import_page(request, visitor, assessment, faults=(Fault("", "Choose a file."),))
    try:
        figures = read_upload(file.filename, file.file.read(), assessment.plan, known, assessment.on)
    except BettercareError as error:
        return _import_page(
            request,
            visitor,
            assessment,
            faults=faults_said(error),
            name=file.filename,
        )
    return _import_page(request, visitor, assessment, figures=figures, name=file.filename)


def written_csv(figures: Sequence[Actual]) -> Sequence[str]:
    """The figures as the file that gives them, for the page to send back when they are confirmed, in parts no longer than a field may be."""
    text = io.StringIO()
    writer = csv.DictWriter(
        text, [column.name for column in COLUMNS.columns], extrasaction="ignore", lineterminator="\n"
    )
    writer.writeheader()
    for actual in figures:
        sizes = {name: "" if (size := getattr(actual, name)) is None else format(size, "f") for name in ("value", "numerator", "denominator")}  # fmt: skip
        writer.writerow(actual.model_dump(mode="json") | sizes)
    whole = text.getvalue()
    return [whole[start : start + PART] for start in range(0, len(whole), PART)]


def _import_page(
    request: Request, visitor: Visitor, assessment: Assessment, figures: Sequence[Actual] | None = None, faults: Sequence[Fault] = (), name: str = ""
) -> Response:  # fmt: skip
    would = []
    for actual in (figures or ())[:SHOWN]:
        metric = assessment.judgements[actual.metric].metric
        before = revisions(assessment.registers.actuals, actual.metric, actual.period)
        would.append((metric, period_name(metric, actual.period), bare(metric, before[-1].value) if before else "", bare(metric, actual.value), actual))  # fmt: skip
    return page(
        request, visitor, "import.html.j2", assessment, title="Import figures", status=400 if faults else 200, faulty=bool(faults), figures=figures,
        would=would, found=_found(figures or ()), faults=faults, name=name, rows=written_csv(figures or ()), columns=COLUMNS.columns, most=SHOWN, crumbs=_crumbs(assessment),
    )  # fmt: skip


def _found(figures: Sequence[Actual]) -> str:
    """How many figures of a file are new, and how many are revisions, in a sentence."""
    revised = sum(actual.revision > 1 for actual in figures)
    first = len(figures) - revised
    new = f"{plural(first, 'figure is', 'figures are')} new" if first else ""
    if not revised:
        return f"{new}."
    again = f"{revised:,} {'is a revision' if revised == 1 else 'are revisions'}"
    return f"{new} and {again}." if new else f"{plural(revised, 'figure is a revision', 'figures are revisions')}."


@router.get("/plans/{plan}/metrics/{id}")
def metric(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """One metric."""
    one = metric_of(assessment, id)
    found = deployed.remember(assessment, ("metric", id), lambda: _entered(assessment, deployed, one))
    chart = deployed.remember(assessment, ("metric chart", id), lambda: chart_of(one))
    ref = f"exception:{one.exception.id}" if one.exception else f"rag:{id}"
    return page(
        request, visitor, "metric.html.j2", assessment, title=one.metric.name, one=one, row=row(one), entered=found, chart=chart, icons=Icons(),
        chain=assessment.chain(ref), schemes=[assessment.plan.scheme(scheme) for scheme in one.metric.schemes],
        aims=[(aim, bare(one.metric, aim.value)) for aim in one.metric.aims], since=_since(one),
        bare=lambda value: bare(one.metric, value), rule_set=RULE_SETS.get(one.rules.preset),
        crumbs=_crumbs(assessment),
    )  # fmt: skip


def chart_of(judgement: Judgement) -> Chart:
    """The process control chart, for a wide page and for a narrow one."""
    return Chart(Markup(spc_chart.spc(judgement, WIDE)), Markup(spc_chart.spc(judgement, NARROW)))


def _since(judgement: Judgement) -> str:
    return period_name(judgement.metric, judgement.exception.since) if judgement.exception else ""


def _crumbs(assessment: Assessment, judgement: Judgement | None = None) -> tuple[tuple[str, str], ...]:
    base = f"/plans/{assessment.plan.id}/metrics"
    return (("Metrics", base), *([(judgement.metric.name, f"{base}/{judgement.metric.id}")] if judgement else []))


def _entered(assessment: Assessment, deployed: Deployment, judgement: Judgement) -> list[Entered]:
    """Every figure there has been, the latest period and revision first."""
    metric = judgement.metric
    ratings = dict(judgement.history)
    found = []
    for actual in sorted(
        (one for one in assessment.registers.actuals if one.metric == metric.id),
        key=lambda one: (one.period, one.revision), reverse=True,
    ):  # fmt: skip
        asked = expected(metric, actual.period)
        stated = (
            "" if asked is None else bare(metric, asked) + ("" if expected_is_stated(metric, actual.period) else "*")
        )
        history = deployed.store.history(Actual, assessment.plan.id, actual.id)
        rating = ratings.get(actual.period, "") if actual in judgement.actuals else ""
        found.append(
            Entered(actual, period_name(metric, actual.period), stated, rating, history[-1] if history else None)
        )
    return found


# -- entering a figure -------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/metrics/{id}/actuals")
def ask(request: Request, visitor: Enterer, assessment: Assessed, id: str, period: str = "") -> Response:
    """The form for a figure."""
    one = metric_of(assessment, id)
    last = one.actuals[-1] if one.actuals else None
    form = form_of(Actual, only=FIGURE, source=last.source if last and not last.synthetic else "")
    return _actual_page(request, visitor, assessment, one, form, period or _next_due(assessment, one))


@router.post("/plans/{plan}/metrics/{id}/actuals")
def enter(
    request: Request, visitor: Enterer, assessment: Assessed, deployed: Deployed, sent: Sent, id: str
) -> Response:
    """Store a figure, or show what it would change when asked to ("step" is "preview")."""
    one = metric_of(assessment, id)
    typed = str(sent.get("period", ""))
    read = _read_actual(assessment, one, typed, sent)
    if isinstance(read, Actual):
        read = _unless_overtaken(assessment, deployed, one, read, str(sent.get("seen", ""))) or read
    if isinstance(read, Actual) and sent.get("step") != "preview":
        try:
            with deployed.store.change(visitor.user.id, "Entered on the metric's page") as changing:
                changing.add(read)
        except Conflict as error:
            read = Faults({"": str(error)})
        else:
            after = deployed.assessment(assessment.plan.id).judgements[id].rag
            what = f"{period_name(one.metric, read.period)}: {written(one.metric, read.value)} is stored."
            return done(
                f"/plans/{assessment.plan.id}/metrics/{id}", f"{what} The rating is {after.status}. {after.reason}"
            )
    faults = read if isinstance(read, Faults) else None
    form = form_of(Actual, only=FIGURE, sent=sent, faults=faults)
    would = None
    if isinstance(read, Actual):
        rules = next((rules for rules in assessment.registers.rules if rules.id == id), None)
        its = [actual for actual in assessment.registers.actuals if actual.metric == id]
        would = judge(one.metric, [*its, read], rules, assessment.on)
    return _actual_page(
        request,
        visitor,
        assessment,
        one,
        form,
        typed,
        faults.of.get("period", "") if faults else "",
        would,
        sent.get("step") == "preview",
    )


def _unless_overtaken(
    assessment: Assessment, deployed: Deployed, judgement: Judgement, read: Actual, seen: str
) -> Faults | None:
    """What to say when somebody entered a figure of the period after the form was opened, which was when change number ``seen`` was the last."""
    known = revisions(assessment.registers.actuals, read.metric, read.period)
    if not known or not re.fullmatch("[0-9]{1,15}", seen):
        return None
    last = deployed.store.history(Actual, assessment.plan.id, known[-1].id)[-1]
    if last.number <= int(seen):
        return None
    metric = judgement.metric
    said = f"{last.by} entered {written(metric, known[-1].value)} for {period_name(metric, read.period)} while this page was open"
    return Faults({"value": f"{said}. Store yours again if it should stand"})


def _read_actual(assessment: Assessment, judgement: Judgement, typed: str, sent: Sent) -> Actual | Faults:
    metric, plan = judgement.metric, assessment.plan.id
    try:
        period = date.fromisoformat(typed)
    except ValueError:
        period = None
    draft = read_form(Actual, sent, only=FIGURE, plan=plan, metric=metric.id, period=period or assessment.on)
    faults = dict(draft.of) if isinstance(draft, Faults) else {}
    if period is None:
        faults["period"] = "Choose a period"
    elif isinstance(draft, Actual):
        for name, error in faults_of_actual(
            metric, period, draft.value, draft.numerator, draft.denominator, assessment.on
        ):
            faults.setdefault(name, str(error))
    if faults or isinstance(draft, Faults) or period is None:
        return Faults(faults)
    try:
        return next_actual(
            assessment.registers.actuals, metric, period, draft.value, plan=plan, source=draft.source, on=assessment.on, numerator=draft.numerator,
            denominator=draft.denominator, status=draft.status, note=draft.note,
        )  # fmt: skip
    except BettercareError as error:
        return Faults({"value": str(error)})


def _actual_page(
    request: Request, visitor: Visitor, assessment: Assessment, judgement: Judgement, form: Form, period: str, fault: str = "", would: Judgement | None = None,
    preview: bool = False,
) -> Response:  # fmt: skip
    asked = Asked(
        "period", "Period", "A period that already has a figure gets a new revision; the old figure is kept", "choice", True,
        _periods(assessment, judgement), period, fault,
    )  # fmt: skip
    form = replace(form, asked=(asked, *form.asked))
    return page(
        request, visitor, "actual_form.html.j2", assessment, title=f"Enter a figure: {judgement.metric.name}", status=400 if form.faults else 200,
        faulty=bool(form.faults), form=form, one=judgement, would=would, preview=preview, seen=assessment.revision, crumbs=_crumbs(assessment, judgement),
    )  # fmt: skip


def _periods(assessment: Assessment, judgement: Judgement) -> Sequence[tuple[str, str]]:
    """Periods that have ended, the latest first, each with the figure it has."""
    metric = judgement.metric
    there = {actual.period: actual for actual in judgement.actuals}
    starts = [*there, *(period_of(metric, aim.at) for aim in metric.aims)]
    period = last_period(metric, assessment.on)
    first = min([*starts, next_period(metric, period, -11)])
    choices: list[tuple[str, str]] = []
    while period >= first and len(choices) < CHOICES:
        known = there.get(period)
        said = f"now {written(metric, known.value)}, revision {known.revision}" if known else "no figure yet"
        choices.append((period.isoformat(), f"{period_name(metric, period)} ({said})"))
        period = next_period(metric, period, -1)
    return choices


def _next_due(assessment: Assessment, judgement: Judgement) -> str:
    """The earliest period after the last figure; the latest ended one when there is none or nothing is due."""
    latest = last_period(judgement.metric, assessment.on)
    if not judgement.actuals:
        return latest.isoformat()
    return min(next_period(judgement.metric, judgement.actuals[-1].period), latest).isoformat()


# -- how a metric is judged --------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/metrics/{id}/rules")
def ask_rules(request: Request, visitor: RuleMaker, assessment: Assessed, id: str) -> Response:
    """The form for a metric's rules."""
    one = metric_of(assessment, id)
    return _rules_page(request, visitor, assessment, one, form_of(MetricRules, one.rules, only=RULES), one.rules.preset)


@router.post("/plans/{plan}/metrics/{id}/rules")
def set_rules(
    request: Request, visitor: RuleMaker, assessment: Assessed, deployed: Deployed, sent: Sent, id: str
) -> Response:
    """Change a metric's rules."""
    one, plan = metric_of(assessment, id), assessment.plan.id
    preset = str(sent.get("preset", ""))
    read = _read_rules(assessment, one, preset, sent)
    clash = None
    if isinstance(read, MetricRules):
        try:
            with deployed.store.change(visitor.user.id, "Changed how the metric is judged") as changing:
                if read.version:
                    changing.replace(read)
                else:
                    changing.add(read)
        except Conflict as error:
            clash = clash_of(MetricRules, error)
            read = Faults({"": str(error)})
        else:
            after = deployed.assessment(plan).judgements[id]
            said = after.spc.sentence if after.spc else after.spc_refused
            return done(f"/plans/{plan}/metrics/{id}", f"The rules are changed. {said}")
    form = form_of(MetricRules, one.rules, only=RULES, sent=sent, faults=None if clash else read, clash=clash)
    return _rules_page(request, visitor, assessment, one, form, preset, 409 if clash else 400)


def _read_rules(assessment: Assessment, judgement: Judgement, preset: str, sent: Sent) -> MetricRules | Faults:
    read = read_form(MetricRules, sent, judgement.rules, only=RULES, plan=assessment.plan.id, id=judgement.metric.id, preset=preset)  # fmt: skip
    if isinstance(read, Faults):
        return Faults({**read.of, **_preset_fault(preset)})
    faults = faults_of_rules(assessment, judgement, read)
    return Faults(faults) if faults else read


def _preset_fault(preset: str) -> dict[str, str]:
    return {} if preset in RULE_SETS else {"preset": "Choose a rule set"}


def faults_of_rules(assessment: Assessment, judgement: Judgement, rules: MetricRules) -> dict[str, str]:
    """What is wrong with new rules for a metric, by field; "" where no one field is at fault."""
    metric, faults = judgement.metric, _preset_fault(rules.preset)
    if rules.rebase and not rules.rebase_reason.strip():
        faults["rebase_reason"] = "Say what changed in the system when the limits begin anew"
    if rules.fix_after is not None and rules.fix_after > MOST_POINTS:
        faults["fix_after"] = f"Limits can be held after {MOST_POINTS:,} figures at the most"
    odd = [day for day in rules.rebase if period_of(metric, day) != day]
    if odd:
        faults["rebase"] = f"{odd[0].isoformat()} is not the first day of a period of this metric"
    if faults:
        return faults
    its = [actual for actual in assessment.registers.actuals if actual.metric == metric.id]
    would = judge(metric, its, rules, assessment.on)
    if judgement.spc is not None and would.spc is None:
        return {"": f"No chart could be drawn by these rules: {would.spc_refused}"}
    return {}


def _rules_page(
    request: Request, visitor: Visitor, assessment: Assessment, judgement: Judgement, form: Form, preset: str, status: int = 200
) -> Response:  # fmt: skip
    return page(
        request, visitor, "metric_rules.html.j2", assessment, title=f"How it is judged: {judgement.metric.name}", status=status, faulty=status != 200,
        form=form, one=judgement, sets=RULE_SETS.values(), preset=preset, crumbs=_crumbs(assessment, judgement),
    )  # fmt: skip
