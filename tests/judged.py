"""Made-up judgements of one metric, for tests of what is drawn and printed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from bettercare.assurance.forecast import Forecast
from bettercare.assurance.judgement import Judgement
from bettercare.assurance.metrics import Actual, Aim, Metric, MetricRules
from bettercare.assurance.rag import Rag
from bettercare.assurance.spc import RuleSet, Spc, SpcPoint

RULES = RuleSet("made-up", "Rules for a test", 7, 6, "window", True, 10, "none")


def months(count: int, first: date = date(2014, 4, 1)) -> list[date]:
    return [date(first.year + (first.month - 1 + i) // 12, (first.month - 1 + i) % 12 + 1, 1) for i in range(count)]


def judged(
    count: int = 21, *, chart: bool = True, unit: str = "per 100,000 a month", forecast: bool = True
) -> Judgement:
    """A metric that worsens for a while and is better after new limits."""
    periods = months(count)
    values = [360.0 + (i * 37) % 11 + (25 if 6 <= i < 13 else 0) - (22 if i >= 13 else 0) for i in range(count)]
    metric = Metric(
        "m3", "Delayed transfers of care & <waits>", "Bed days", unit, 100000, "lower", "monthly", True,
        (Aim("a", "baseline", date(2014, 3, 31), 361.98, "L1", "stated"), Aim("b", "trajectory", date(2016, 3, 31), 350.48, "L2", "stated")),
        ("one", "two"), "the plan",
    )  # fmt: skip
    points = []
    for i, (period, value) in enumerate(zip(periods, values, strict=True)):
        mean = 370.0 if i < 13 else 343.0
        meaning = "concern" if 6 <= i < 13 else "improvement" if i >= 15 else "common-cause"
        points.append(SpcPoint(period, value, mean, mean - 20, mean + 20, ("shift",) if meaning != "common-cause" else (), meaning))  # fmt: skip
    segments = tuple(periods[i] for i in (0, 13) if i < count)
    found = Spc(RULES, tuple(points), segments, "improvement-low", "hit-or-miss", 350.48, "Running lower than it was.")
    ahead = months(3, date(2016, 1, 1))
    seen = Forecast("made up", tuple(ahead), (344.0, 343.0, 342.0), (334.0, 330.0, 326.0), (354.0, 356.0, 358.0), "2015/16",
                    342.0, 326.0, 358.0, 350.48, 0.83, "Expected to end the year at 342.")  # fmt: skip
    return Judgement(
        metric,
        MetricRules(plan="p", id="m3", rebase=segments[1:], rebase_reason="Discharge at home began."),
        tuple(Actual(plan="p", id=f"m3@{p}#1", metric="m3", period=p, value=Decimal(str(v)), source="made up", synthetic=True) for p, v in zip(periods, values, strict=True)),
        Rag("amber", "3% worse than expected.", "Amber is within 5% of the trajectory.", values[-1], 352.0),
        tuple((period, "green") for period in periods),
        found if chart else None, "" if chart else "Six figures are too few for limits.",
        seen if forecast and chart else None, "" if forecast else "Too few.",
        "", None, True,
    )  # fmt: skip


def without_actuals() -> Judgement:
    """A metric of which nothing is known yet."""
    return replace(judged(chart=False), actuals=(), rag=Rag("grey", "No figure has been entered.", "none"), history=())
