"""How far a network is to be believed, and what it says of the plan: its calibration, and the plan's promises tested."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from bettercare.assurance import Assessment
from bettercare.errors import BettercareError
from bettercare.flow.network import Network
from bettercare.flow.run import SEED as RUN_SEED
from bettercare.model import SEED
from bettercare.store import Missing
from bettercare.twin import DRAWS
from bettercare.web.flow_run import FlowAsked, Kind
from bettercare.web.guard import Reader, Sent, Visitor
from bettercare.web.pages.flow import without_network
from bettercare.web.pages.flow_runs import address, jobs_of, whole_number
from bettercare.web.pages.model import is_sign
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

TRIALS = (5, 10, 20, 50)
"""Choices offered for the replications of each trial of a calibration."""
USUAL_TRIALS = 10
FUTURES = (50, 100, 200, 500)
"""Choices offered for the number of futures."""


@router.get("/plans/{plan}/flow/calibration")
def calibration(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The network held against what was seen, as it was last calibrated."""
    return _shown(request, visitor, assessment, deployed, "calibration")


@router.post("/plans/{plan}/flow/calibration")
def calibrate(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Ask for a calibration."""
    return _start(request, visitor, assessment, deployed, "calibration", sent)


@router.get("/plans/{plan}/flow/promises")
def promises(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """The plan's promises as they were last tested in its network."""
    return _shown(request, visitor, assessment, deployed, "promises")


@router.post("/plans/{plan}/flow/promises")
def test_promises(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Ask for the promises to be tested."""
    return _start(request, visitor, assessment, deployed, "promises", sent)


def _start(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, kind: Kind, sent: FormData
) -> Response:
    network = network_of(deployed, assessment)
    try:
        cannot = _why_not(deployed, assessment, network, kind)
        if cannot:
            raise BettercareError(cannot, remedy="Until then there is nothing to work out.")
        replications = whole_number(
            sent, "replications", "number of replications" if kind == "calibration" else "number of futures"
        )
        asked = FlowAsked(kind, replications, whole_number(sent, "seed", "seed"))
        job = deployed.flow_jobs.start(assessment.plan, network, asked, visitor.user.id)
    except BettercareError as error:
        return _shown(request, visitor, assessment, deployed, kind, str(error), sent)
    return done(address(job))


def _shown(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, kind: Kind, fault: str = "", sent: FormData | None = None,
) -> Response:  # fmt: skip
    network = deployed.network(assessment.plan.id)
    if network is None:
        return without_network(request, visitor, assessment)
    job = deployed.flow_jobs.last(assessment.plan, network, kind)
    try:
        document = deployed.flow_jobs.kept(job).document if job else None
    except Missing:
        document = None
    is_calibration = kind == "calibration"
    return page(
        request, visitor, "flow_calibration.html.j2" if is_calibration else "flow_promises.html.j2", assessment,
        title="Calibration" if is_calibration else "Promises", status=400 if fault else 200, faulty=bool(fault), fault=fault, network=network, job=job,
        document=document, is_sign=is_sign, jobs=jobs_of(deployed, assessment, network, visitor, kind), numbers=TRIALS if is_calibration else FUTURES,
        replications=str(sent.get("replications", ""))[:9] if sent else str(USUAL_TRIALS if is_calibration else DRAWS),
        seed=str(sent.get("seed", ""))[:20] if sent else str(RUN_SEED if is_calibration else SEED), cannot=_why_not(deployed, assessment, network, kind),
    )  # fmt: skip


def _why_not(deployed: Deployment, assessment: Assessment, network: Network, kind: Kind) -> str:
    """Why it cannot be worked out; "" when it can."""
    if kind == "calibration":
        return (
            ""
            if network.targets
            else "The network has no targets: figures that were seen and that it should reproduce."
        )
    try:
        deployed.twin(assessment.plan.id)
    except BettercareError as error:
        return str(error)
    return ""
