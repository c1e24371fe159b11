"""What is off track: since when, why, which schemes should have moved it, and what is being done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter, Request, Response
from markupsafe import Markup

from bettercare.assurance import Assessment
from bettercare.assurance.actions import being_done
from bettercare.assurance.chain import Link
from bettercare.assurance.judgement import AMBER_RUN, LEAST_CHANCE, Exception_, Judgement
from bettercare.assurance.metrics import period_name
from bettercare.assurance.milestones import Scheduled, belongs
from bettercare.plan import Scheme
from bettercare.reports import amounts
from bettercare.reports.charts.sparkline import sparkline
from bettercare.reports.programme.front import exceptions_counted
from bettercare.web.guard import Reader
from bettercare.web.render import page
from bettercare.web.state import Assessed

router = APIRouter(include_in_schema=False)

DONE = ("action", "decision", "question")
COSTS = ("payment", "entry")

RULE = (
    "A metric is off track when its latest figure is red; when it has been amber or red for"
    f" {AMBER_RUN} periods running; when its chart shows a special cause for concern at the latest figure; or when the chance of meeting"
    f" its trajectory at the end of the year is less than {amounts.chance(LEAST_CHANCE)}. It has been so since the first period of the"
    " present run. The plan's papers do not set these thresholds: they are assumed."
)
"""When a metric counts as off track, in words."""


@dataclass(frozen=True)
class OffTrack:
    """An exception as the page shows it."""

    exception: Exception_
    judgement: Judgement
    since: str
    course: Markup
    schemes: Sequence[tuple[Scheme, Sequence[Scheduled]]]
    """Each with its milestones that are late or at risk."""
    done: Sequence[Link]
    """Actions, decisions and questions that answer it."""
    costs: Sequence[Link]
    """What it means for the pooled fund."""

    @property
    def ref(self) -> str:
        return f"exception:{self.exception.id}"


@router.get("/plans/{plan}/exceptions")
def exceptions(request: Request, visitor: Reader, assessment: Assessed) -> Response:
    """The exception report."""
    found = [_off_track(assessment, exception) for exception in assessment.exceptions]
    unanswered = [one for one in found if not being_done(assessment, one.ref)]
    return page(
        request,
        visitor,
        "exceptions.html.j2",
        assessment,
        title="Exceptions",
        found=found,
        counted=exceptions_counted(assessment),
        unanswered=unanswered,
        rule=RULE,
    )


def _off_track(assessment: Assessment, exception: Exception_) -> OffTrack:
    judgement = assessment.judgements[exception.metric]
    following = assessment.chain(f"exception:{exception.id}").after
    late = [one for one in assessment.schedule.milestones if one.status in ("late", "at risk")]
    return OffTrack(
        exception=exception,
        judgement=judgement,
        since=period_name(judgement.metric, exception.since),
        course=Markup(sparkline(judgement, width=240.0, height=48.0)),
        schemes=[
            (scheme, [one for one in late if belongs(one.id, one.scheme, scheme)])
            for scheme in map(assessment.plan.scheme, exception.schemes)
        ],
        done=[link for link in following if link.kind in DONE],
        costs=[link for link in following if link.kind in COSTS],
    )
