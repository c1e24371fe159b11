"""What a programme report says, as plain data: frozen with the report, and what the next report is held against."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from bettercare.assurance import Assessment
from bettercare.assurance.programme import RULES_VERSION

Facts = Mapping[str, Any]


def facts(assessment: Assessment) -> dict[str, Any]:
    """Every figure and state of a report as JSON: money in pence, days as 2016-01-31."""
    registers = assessment.registers
    return {
        "plan": assessment.plan.id,
        "data_date": assessment.on.isoformat(),
        "store_revision": assessment.revision,
        "rules_version": RULES_VERSION,
        "metrics": {
            name: {
                "name": one.metric.name, "unit": one.metric.unit, "rating": one.rag.status, "reason": one.rag.reason, "expected": one.rag.expected,
                "period": _day(one.actuals[-1].period if one.actuals else None), "value": str(one.actuals[-1].value) if one.actuals else None,
                "revision": one.actuals[-1].revision if one.actuals else None, "variation": one.spc.variation if one.spc else "",
                "assurance": one.spc.assurance if one.spc else "", "rules": one.rules.preset,
                "year_end": one.forecast.year_end if one.forecast else None, "chance": one.forecast.chance if one.forecast else None,
                "disagreement": one.disagreement,
            }
            for name, one in assessment.judgements.items()
        },
        "exceptions": {one.metric: {"since": one.since.isoformat(), "sentence": one.sentence, "schemes": list(one.schemes)} for one in assessment.exceptions},
        "fund": {
            year: {
                "contributions": sum(fund.contributions.values()), "budget": fund.budget, "spent": fund.spent, "outturn": fund.outturn,
                "variance": fund.variance, "reserve": fund.reserve, "risk_pool": fund.risk_pool, "earned": fund.earned, "released": fund.released,
            }
            for year in assessment.years for fund in (assessment.fund(year),)
        },
        "payments": {
            one.quarter: {"planned": one.planned, "actual": one.actual, "reduction": one.reduction, "earned": one.earned, "released": one.released, "recovered": one.recovered}
            for one in assessment.payments
        },
        "milestones": {
            one.id: {"milestone": one.milestone, "due": _day(one.due), "done_on": _day(one.done_on), "at_least": _day(one.at_least), "status": one.status}
            for one in assessment.schedule.milestones
        },
        "risks": {one.id: {"risk": one.risk, "status": one.status, "score": one.score, "residual": one.residual} for one in registers.risks},
        "actions": {one.id: {"action": one.action, "status": one.status, "due": _day(one.due), "officers": one.officers} for one in registers.actions},
        "decisions": {one.id: {"decision": one.decision, "status": one.status, "body": one.body, "minute": one.minute} for one in registers.decisions},
        "questions": {one.id: {"question": one.question, "status": one.status, "body": one.body} for one in registers.questions},
    }  # fmt: skip


def canonical(found: Facts) -> bytes:
    """The facts in one way of writing, so that the same facts have the same hash on every database."""
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def sha256(content: bytes) -> str:
    """In hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _day(day: date | None) -> str | None:
    return day.isoformat() if day else None
