"""The model: the plan as published, runs with what is uncertain sampled, and scenarios set beside it."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from bettercare.assurance import Assessment
from bettercare.errors import BettercareError
from bettercare.model import SEED, run
from bettercare.model.scenarios import Scenario
from bettercare.plan import Plan
from bettercare.reports.exhibit import Sign
from bettercare.reports.model_report import model_report
from bettercare.reports.page import html
from bettercare.reports.workbook import workbook
from bettercare.web.guard import Reader, Sent, Visitor
from bettercare.web.jobs import Job
from bettercare.web.model_run import Asked
from bettercare.web.render import done, page, part
from bettercare.web.state import Assessed, Deployed, Deployment

router = APIRouter(include_in_schema=False)

RUNS = (0, 100, 1_000, 10_000)
"""Choices offered; the address takes others."""
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


def is_sign(value: object) -> bool:
    """Whether a cell of a table holds a picture with its words."""
    return isinstance(value, Sign)


def scenarios_of(deployed: Deployment, plan: Plan) -> dict[str, str]:
    """Title of each scenario of a plan, by name."""
    return deployed.keep(
        (plan.id, "scenarios"),
        lambda: {name: Scenario.parse(text, name).title for name, text in plan.scenarios.items()},
    )


def title_of(job: Job, titles: dict[str, str]) -> str:
    """What a run is of, in words."""
    asked = job.asked
    runs = f"{asked.runs:,} runs" if asked.runs else "as published, nothing sampled"
    cases = " with ".join(titles.get(name, name) for name in asked.scenarios) or "The plan"
    beside = f" beside {', '.join(titles.get(name, name) for name in asked.comparisons)}" if asked.comparisons else ""
    return f"{cases}{beside}; {runs}, seed {asked.seed}"


@router.get("/plans/{plan}/model")
def model(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The plan as published, and a form for a run."""
    return _form(request, visitor, assessment, deployed, "model.html.j2", "Model")


@router.get("/plans/{plan}/model/compare")
def compare(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """A form for setting scenarios beside the plan."""
    return _form(request, visitor, assessment, deployed, "model_compare.html.j2", "Scenarios")


def _form(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, template: str, title: str, *, fault: str = "",
    sent: FormData | None = None,
) -> Response:  # fmt: skip
    plan = assessment.plan
    titles = scenarios_of(deployed, plan)
    published = deployed.keep((plan.id, "model"), lambda: model_report(run(plan)))
    jobs = [(job, title_of(job, titles)) for job in deployed.jobs.recent(plan.id)]
    return page(
        request, visitor, template, assessment, title=title, status=400 if fault else 200, faulty=bool(fault), fault=fault, scenarios=titles,
        runs=RUNS, document=published, is_sign=is_sign, jobs=jobs[:10], seed=str(sent.get("seed", "")) if sent else str(SEED),
        asked_runs=str(sent.get("runs", "")) if sent else "1000", ticked=[str(one) for one in sent.getlist("scenarios")] if sent else [],
    )  # fmt: skip


@router.post("/plans/{plan}/model")
def start(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Ask for a run of the plan, under scenarios together when some are ticked."""
    return _start(request, visitor, assessment, deployed, sent, "model.html.j2", "Model", beside=False)


@router.post("/plans/{plan}/model/compare")
def start_comparison(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent
) -> Response:
    """Ask for the plan beside each scenario that is ticked."""
    return _start(request, visitor, assessment, deployed, sent, "model_compare.html.j2", "Scenarios", beside=True)


def _start(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, sent: FormData, template: str, title: str, *, beside: bool
) -> Response:  # fmt: skip
    plan = assessment.plan
    try:
        names = tuple(str(name) for name in sent.getlist("scenarios"))
        unknown = [name for name in names if name not in plan.scenarios]
        if unknown:
            raise BettercareError(f"The plan has no scenario {unknown[0]!r}.", remedy="Choose from the list.")
        if beside and not names:
            raise BettercareError("No scenario is chosen.", remedy="Choose one or more to set beside the plan.")
        runs, seed = (
            _whole(str(sent.get(name, "")), what) for name, what in (("runs", "number of runs"), ("seed", "seed"))
        )
        asked = Asked(runs, seed, () if beside else names, names if beside else ())
        job = deployed.jobs.start(plan, asked, visitor.user.id)
    except BettercareError as error:
        return _form(request, visitor, assessment, deployed, template, title, fault=str(error), sent=sent)
    return done(f"/plans/{plan.id}/model/{job.id}")


def _whole(text: str, what: str) -> int:
    if not re.fullmatch("[0-9]{1,9}", text.strip()):
        raise BettercareError(f"The {what} is not a whole number.", remedy="Write digits alone.")
    return int(text)


@router.get("/plans/{plan}/model/{job}")
def result(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """How far a run is, or what came of it."""
    its = deployed.jobs.job(assessment.plan.id, job)
    document = deployed.jobs.document(its) if its.state == "done" else None
    return page(
        request, visitor, "model_result.html.j2", assessment, title="Model run", job=its, document=document, is_sign=is_sign,
        what=title_of(its, scenarios_of(deployed, assessment.plan)), crumbs=(("Model", f"/plans/{assessment.plan.id}/model"),),
    )  # fmt: skip


@router.get("/plans/{plan}/model/{job}/progress")
def progress(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """How far a run is, as part of its page; the page is fetched anew when the run is over."""
    its = deployed.jobs.job(assessment.plan.id, job)
    if its.over:
        return Response(headers={"HX-Refresh": "true"})
    return part(request, visitor, "_progress.html.j2", job=its, base=f"/plans/{assessment.plan.id}")


@router.post("/plans/{plan}/model/{job}/cancel")
def cancel(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """Stop a run."""
    deployed.jobs.cancel(deployed.jobs.job(assessment.plan.id, job), visitor.user.id)
    return done(f"/plans/{assessment.plan.id}/model", "The run is stopped.")


@router.get("/plans/{plan}/model/{job}/report.html")
def report(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """The report of a run as a page that needs nothing else, to keep."""
    document = deployed.jobs.document(deployed.jobs.job(assessment.plan.id, job))
    named = {"Content-Disposition": f'attachment; filename="{assessment.plan.id}-{job}.html"'}
    return Response(html(document), media_type="text/html; charset=utf-8", headers=named)


@router.get("/plans/{plan}/model/{job}/report.xlsx")
def sheet(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """The tables of a run as a workbook."""
    document = deployed.jobs.document(deployed.jobs.job(assessment.plan.id, job))
    named = {"Content-Disposition": f'attachment; filename="{assessment.plan.id}-{job}.xlsx"'}
    return Response(workbook(document), media_type=SHEET, headers=named)
