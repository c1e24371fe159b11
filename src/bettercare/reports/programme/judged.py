"""How a report was judged: rules, versions, dates, and what was assumed."""

from __future__ import annotations

from bettercare.assurance import Assessment, fund
from bettercare.assurance.metrics import period_name
from bettercare.assurance.milestones import RED_AFTER
from bettercare.assurance.programme import RULES_VERSION, in_words
from bettercare.assurance.risks import AMBER_FROM, RED_FROM
from bettercare.reports.charts.spc import printed_rules
from bettercare.reports.exhibit import Column, Exhibit, Section, Table, filled
from bettercare.reports.words import plural


def judged(assessment: Assessment) -> Section:
    """Each metric's rules, and the rules of money and milestones."""
    rows = [
        {"metric": one.metric.name, "counted": one.metric.counted, "rating": one.rag.rule, "chart": printed_rules(one), "forecast": one.forecast.method if one.forecast else one.forecast_refused,
         "rebase": "; ".join(period_name(one.metric, when) for when in one.rules.rebase) + (f" ({one.rules.rebase_reason})" if one.rules.rebase_reason else ""),
         "trajectory": "; ".join(dict.fromkeys(f"{aim.where} ({aim.basis})" for aim in one.metric.aims)) or "none in the plan"}
        for one in assessment.judgements.values()
    ]  # fmt: skip
    columns = (
        Column("metric", "Metric"), Column("counted", "What is counted"), Column("rating", "Rating"), Column("chart", "Control chart"), Column("rebase", "New limits from"), Column("forecast", "Forecast"), Column("trajectory", "Trajectory from"),
    )  # fmt: skip
    rules = [
        {
            "of": "Data",
            "rule": f"As at {in_words(assessment.on)}; change {assessment.revision} of the store; rules version {RULES_VERSION}.",
        },
        {
            "of": "Trajectory",
            "rule": "A straight line between the points the plan states, which is assumed; after the last point it is held.",
        },
    ]
    if assessment.years:
        rules.append({"of": "Money", "rule": fund.RULE})
    if assessment.schedule.milestones:
        rules.append({"of": "Milestones", "rule": f"Red: more than {RED_AFTER} days later than due. Amber: later than due by less. Both assumed: the papers do not say."})  # fmt: skip
    if assessment.registers.risks:
        rules.append({"of": "Risks", "rule": f"Likelihood x impact, each 1 to 5: red from {RED_FROM}, amber from {AMBER_FROM}. The bands are assumed: the papers give none."})  # fmt: skip
    exhibits = [Exhibit("rules", "Rules of this report.", Table((Column("of", "Of"), Column("rule", "Rule")), rules), sheet="Rules")]  # fmt: skip
    if rows:
        exhibits.append(Exhibit("metric-rules", f"How {plural(len(rows), 'metric')} were judged.", Table(filled(columns, rows), rows), sheet="Rules by metric", folded=True))  # fmt: skip
    return Section("judged", "How this was judged", exhibits=tuple(exhibits))
