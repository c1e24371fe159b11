"""Work on a network in the background: runs asked for, followed and stopped, their reports, and scenarios side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from bettercare.assurance import Assessment
from bettercare.care.readings import note_reading
from bettercare.errors import BettercareError
from bettercare.flow import Comparison
from bettercare.flow.network import Network
from bettercare.flow.run import SEED
from bettercare.flow.scenarios import scenario as named
from bettercare.reports.exhibit import Document
from bettercare.reports.flow.comparison_report import comparison_report
from bettercare.reports.page import html
from bettercare.reports.workbook import workbook
from bettercare.store import Missing
from bettercare.web.flow_jobs import FlowJob, fingerprint
from bettercare.web.flow_run import FlowAsked, Kept, Kind
from bettercare.web.guard import Forbidden, Reader, Sent, Visitor
from bettercare.web.pages.flow import job_title, scenario_title, without_network
from bettercare.web.pages.model import SHEET, is_sign
from bettercare.web.render import done, page, part
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

REPLICATIONS = (20, 50, 100, 200, 500)
"""Choices offered; the address takes others."""
USUAL = 100
SHOWN = 10
"""Runs that a page lists."""
AS_IT_IS = "as-it-is"
"""What a form calls the network without a scenario."""
PAGES: dict[Kind, str] = {"run": "run", "calibration": "calibration", "forecast": "forecast", "promises": "promises"}
"""The page that each kind of work is asked for on, under the network's."""


def address(job: FlowJob) -> str:
    """Where a piece of work is followed and shown."""
    return f"/plans/{job.plan}/flow/jobs/{job.id}"


def whole_number(sent: FormData, name: str, what: str) -> int:
    """A number of a form.

    Raises:
        BettercareError: it is not one.
    """
    text = str(sent.get(name, "")).strip()
    if not re.fullmatch("[0-9]{1,9}", text):
        raise BettercareError(f"The {what} is not a whole number.", remedy="Write digits alone.")
    return int(text)


def may_see(visitor: Visitor, job: FlowJob) -> bool:
    """Whether a visitor may see a piece of work: one that begins with patients is for those who may see the wards."""
    return visitor.may("wards") or not job.of_patients


def opened(deployed: Deployment, assessment: Assessment, visitor: Visitor, id: str) -> FlowJob:
    """A piece of work by its id.

    Raises:
        Missing: there is none.
        Forbidden: it begins with patients, and the visitor may not see the wards.
    """
    job = deployed.flow_jobs.job(assessment.plan.id, id)
    if not may_see(visitor, job):
        raise Forbidden(
            "This forecast begins with patients, and your role does not allow you to see the wards.",
            remedy="Ask a flow manager, or an administrator if your role is wrong.",
        )
    return job


def last_seen(
    deployed: Deployment, assessment: Assessment, network: Network, visitor: Visitor, kind: Kind
) -> FlowJob | None:
    """The newest that is done with the network as it is, of what a visitor may see."""
    return deployed.flow_jobs.last(assessment.plan, network, kind, of_patients=visitor.may("wards"))


def kept_for(deployed: Deployment, visitor: Visitor, job: FlowJob) -> Kept:
    """What came of a piece of work that is done and that the visitor may see; of the wards, the reading is written down first.

    Raises:
        Missing: it is not there any more.
    """
    kept = deployed.flow_jobs.kept(job)
    if job.asked.state == "wards":
        note_reading(deployed.store, job.plan, visitor.user.id, "wards", "Forecast of the network")
    return kept


def jobs_of(
    deployed: Deployment, assessment: Assessment, network: Network, visitor: Visitor, kind: Kind | None = None
) -> list[tuple[FlowJob, str]]:
    """The work for a plan that a visitor may see, the newest first, each with what it is of."""
    seen = [job for job in deployed.flow_jobs.recent(assessment.plan.id, kind) if may_see(visitor, job)][:SHOWN]
    marks = {kind: deployed.flow_jobs.mark(assessment.plan, network, kind) for kind in {job.asked.kind for job in seen}}
    return [
        (job, job_title(job, network) + ("" if job.network == marks[job.asked.kind] else _as_then(job))) for job in seen
    ]


def _as_then(job: FlowJob) -> str:
    return f", with the {'plan and network as they were' if job.asked.kind == 'promises' else 'network as it was'} then"


# --- runs ------------------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/flow/run")
def runs(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """A form for a run, and the runs so far."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    return _run_form(request, visitor, assessment, deployed, network)


def _run_form(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network, fault: str = "", sent: FormData | None = None,
) -> Response:  # fmt: skip
    return page(
        request, visitor, "flow_run.html.j2", assessment, title="Runs", status=400 if fault else 200, faulty=bool(fault), fault=fault, network=network,
        scenarios=[("", "As it is", ""), *((one.id, one.title, one.note) for one in network.scenarios)], numbers=REPLICATIONS,
        chosen=str(sent.get("scenario", "")) if sent else "", replications=str(sent.get("replications", "")) if sent else str(USUAL),
        seed=str(sent.get("seed", ""))[:20] if sent else str(SEED), jobs=jobs_of(deployed, assessment, network, visitor, "run"),
        others=[(job, what) for job, what in jobs_of(deployed, assessment, network, visitor) if job.asked.kind != "run"],
    )  # fmt: skip


@router.post("/plans/{plan}/flow/run")
def start_run(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Ask for a run of the network, under a scenario or as it is."""
    network = network_of(deployed, assessment)
    try:
        scenario = str(sent.get("scenario", ""))
        if scenario:
            named(network, scenario)
        asked = FlowAsked(
            "run",
            whole_number(sent, "replications", "number of replications"),
            whole_number(sent, "seed", "seed"),
            scenario,
        )
        job = deployed.flow_jobs.start(assessment.plan, network, asked, visitor.user.id)
    except BettercareError as error:
        return _run_form(request, visitor, assessment, deployed, network, str(error), sent)
    return done(address(job))


@router.get("/plans/{plan}/flow/jobs/{job}")
def one_job(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """How far a piece of work is, or what came of it."""
    network = network_of(deployed, assessment)
    its = opened(deployed, assessment, visitor, job)
    document = kept_for(deployed, visitor, its).document if its.state == "done" else None
    return page(
        request, visitor, "flow_job.html.j2", assessment, title=WORDS[its.asked.kind], job=its, document=document, is_sign=is_sign,
        called=WORDS[its.asked.kind], what=job_title(its, network), form=PAGES[its.asked.kind],
        crumbs=(("Flow", f"/plans/{assessment.plan.id}/flow"),),
    )  # fmt: skip


WORDS: dict[Kind, str] = {
    "run": "Run of the network", "calibration": "Calibration", "forecast": "Forecast", "promises": "The plan's promises",
}  # fmt: skip
"""What a page calls each kind of work."""


@router.get("/plans/{plan}/flow/jobs/{job}/progress")
def progress(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """How far a piece of work is, as part of a page; the page is fetched anew when it is over."""
    its = opened(deployed, assessment, visitor, job)
    if its.over:
        return Response(headers={"HX-Refresh": "true"})
    return part(request, visitor, "_flow_progress.html.j2", job=its, base=f"/plans/{assessment.plan.id}")


@router.post("/plans/{plan}/flow/jobs/{job}/cancel")
def cancel(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """Stop a piece of work."""
    its = opened(deployed, assessment, visitor, job)
    deployed.flow_jobs.cancel(its, visitor.user.id)
    return done(f"/plans/{assessment.plan.id}/flow/{PAGES[its.asked.kind]}", "The run is stopped.")


@router.get("/plans/{plan}/flow/jobs/{job}/report.html")
def report(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """The report of a piece of work as a page that needs nothing else, to keep."""
    named = {"Content-Disposition": f'attachment; filename="{assessment.plan.id}-flow-{job}.html"'}
    document = _document(deployed, assessment, visitor, job)
    return Response(html(document), media_type="text/html; charset=utf-8", headers=named)


@router.get("/plans/{plan}/flow/jobs/{job}/report.xlsx")
def sheet(visitor: Reader, assessment: Assessed, deployed: Deployed, job: str) -> Response:
    """The tables of a piece of work as a workbook."""
    named = {"Content-Disposition": f'attachment; filename="{assessment.plan.id}-flow-{job}.xlsx"'}
    return Response(workbook(_document(deployed, assessment, visitor, job)), media_type=SHEET, headers=named)


def _document(deployed: Deployment, assessment: Assessment, visitor: Visitor, job: str) -> Document:
    its = opened(deployed, assessment, visitor, job)
    if its.state != "done":
        raise Missing("The run has no report.", remedy="Wait until it is done, or run it again.")
    return kept_for(deployed, visitor, its).document


# --- scenarios side by side ------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/flow/compare")
def compare(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """Scenarios beside the network as it is, from runs that were kept; those that are missing are offered."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    asked = request.query_params
    return _comparison(
        request, visitor, assessment, deployed, network, asked.getlist("scenario"),
        asked.get("replications", str(USUAL)), asked.get("seed", str(SEED)),
    )  # fmt: skip


@router.post("/plans/{plan}/flow/compare")
def start_comparison(
    request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent
) -> Response:
    """Run what is not kept yet of the scenarios that are ticked, and of the network as it is."""
    network = network_of(deployed, assessment)
    chosen = [str(one) for one in sent.getlist("scenario")]
    try:
        if not chosen:
            raise BettercareError("No scenario is chosen.", remedy="Choose one or more to set beside the network.")
        replications = whole_number(sent, "replications", "number of replications")
        seed = whole_number(sent, "seed", "seed")
        for one in chosen:
            named(network, one)
        for one in ("", *dict.fromkeys(chosen)):
            asked = FlowAsked("run", replications, seed, one)
            deployed.flow_jobs.start(assessment.plan, network, asked, visitor.user.id)
    except BettercareError as error:
        return _comparison(
            request, visitor, assessment, deployed, network, chosen, str(sent.get("replications", "")), str(sent.get("seed", "")), str(error)
        )  # fmt: skip
    ticked = "&".join(f"scenario={one}" for one in dict.fromkeys(chosen))
    return done(f"/plans/{assessment.plan.id}/flow/compare?{ticked}&replications={replications}&seed={seed}")


def _comparison(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network, chosen: Sequence[str], replications: str,
    seed: str, fault: str = "",
) -> Response:  # fmt: skip
    known = {one.id: one for one in network.scenarios}
    wanted = [one for one in known if one in chosen]
    jobs: dict[str, FlowJob | None] = {}
    if wanted and not fault:
        mark = fingerprint(network)
        found = [job for job in deployed.flow_jobs.recent(assessment.plan.id, "run") if job.network == mark]
        for scenario in ("", *wanted):
            of_it = [
                job
                for job in found
                if job.asked.scenario == scenario
                and (str(job.asked.replications), str(job.asked.seed)) == (replications, seed)
            ]
            jobs[scenario] = of_it[0] if of_it else None
    all_there = bool(jobs) and all(job is not None and job.state == "done" for job in jobs.values())
    document = _side_by_side(deployed, network, [job for job in jobs.values() if job]) if all_there else None
    return page(
        request, visitor, "flow_compare.html.j2", assessment, title="Compare", status=400 if fault else 200, faulty=bool(fault), fault=fault,
        scenarios=[(one.id, one.title, one.note) for one in network.scenarios], chosen=wanted, numbers=REPLICATIONS, replications=replications[:9], seed=seed[:20],
        document=document, is_sign=is_sign, missing=[scenario_title(network, one) for one, job in jobs.items() if job is None],
        jobs=[(job, job_title(job, network)) for job in jobs.values() if job is not None],
        waiting=next((job for job in jobs.values() if job is not None and not job.over), None),
    )  # fmt: skip


def _side_by_side(deployed: Deployment, network: Network, jobs: Sequence[FlowJob]) -> Document | None:
    """The first job beside the others; None when one of them is no longer kept."""
    _, *others = jobs
    try:
        own, *theirs = [result for job in jobs if (result := deployed.flow_jobs.kept(job).result) is not None]
    except Missing:
        return None
    pairs = tuple((named(network, job.asked.scenario), result) for job, result in zip(others, theirs, strict=True))
    return comparison_report(Comparison(own, pairs))
