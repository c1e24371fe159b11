"""Whether the plan holds together: its claims about itself, what it implies, and the run beside what it publishes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from bettercare.errors import BettercareError
from bettercare.model import Result
from bettercare.model.triangulate import triangulate
from bettercare.plan import Plan
from bettercare.plan.challenge import Challenge, challenge
from bettercare.plan.check import Verdict, check, why
from bettercare.reports.amounts import in_unit
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.words import named, plural, sentence

_VERDICTS: Mapping[str, str] = {"inconsistent": "✗ inconsistent", "rounding": "≈ rounding", "agrees": "✓ agrees"}
_FINDINGS: Mapping[str, str] = {
    "cannot": "✗ cannot",
    "within rounding": "≈ within rounding",
    "lands": "✓ lands",
    "not compared": "– not compared",
}
_SEVERITIES: Mapping[str, str] = {"serious": "‼ Serious", "question": "? Question", "look": "· Look"}


@dataclass(frozen=True)
class Soundness:
    """What the check and the challenge found, or why they could not be made."""

    verdicts: tuple[Verdict, ...] | None
    challenges: tuple[Challenge, ...] | None
    trouble: str = ""

    @classmethod
    def of(cls, plan: Plan) -> Soundness:
        try:
            verdicts = check(plan)
        except BettercareError as error:
            return cls(None, None, str(error))
        return cls(verdicts, challenge(plan))


def claims(plan: Plan, found: Soundness) -> Section:
    """Every claim the plan makes about itself, recomputed."""
    title = "Does the plan add up?"
    if found.verdicts is None:
        return Section("claims", title, sentence(f"The claims could not be recomputed: {found.trouble}"))
    if not found.verdicts:
        return Section("claims", title, "The plan holds no claims about itself.")
    counts = {name: sum(verdict.verdict == name for verdict in found.verdicts) for name in _VERDICTS}
    lead = (
        f"{plural(len(found.verdicts), 'total')}, differences and rates that the plan states about itself were worked out again from its own tables: "
        f"{counts['agrees']} agree, {counts['rounding']} differ by no more than rounding can explain, and {counts['inconsistent']} cannot be reconciled."
    )
    columns = (
        Column("verdict", "Verdict"), Column("statement", "What is stated"), Column("stated", "Stated", "amount"), Column("recomputed", "Recomputed", "amount"),
        Column("range", "Range rounding allows"), Column("place", "Where"), Column("note", "Note"),
    )  # fmt: skip
    whole = (*columns[:-2], Column("why", "Why"), Column("source", "Source"), columns[-1])
    ordered = sorted(found.verdicts, key=lambda verdict: list(_VERDICTS).index(verdict.verdict))
    rows = [
        {"verdict": _VERDICTS[v.verdict], "statement": v.statement, "stated": v.stated, "recomputed": v.recomputed, "unit": v.unit, "why": why(v), "source": v.source,
         "range": _range(v), "place": _where(plan, v), "note": v.note} for v in ordered
    ]  # fmt: skip
    exhibits = []
    bad = counts["inconsistent"]
    if bad:
        exhibits.append(
            Exhibit(
                "claims-inconsistent",
                f"{plural(bad, 'claim')} no rounding can reconcile.",
                Table(columns, rows[:bad], heading=1),
            )
        )
    exhibits.append(
        Exhibit("claims-all", f"All {len(rows)} claims.", Table(whole, rows, heading=1), sheet="Check", folded=True)
    )
    return Section("claims", title, lead, tuple(exhibits))


def _range(verdict: Verdict) -> str:
    if not (math.isfinite(verdict.low) and math.isfinite(verdict.high)):
        return "anything"
    low, high = in_unit(verdict.low, verdict.unit), in_unit(verdict.high, verdict.unit)
    return f"{low} to {high}" if low != high else ""


def _where(plan: Plan, verdict: Verdict) -> str:
    row = plan["claims"].by_id[verdict.id]
    return f"{row['where']} ({row['source']})" if row["where"] else str(row["source"])


def challenges(plan: Plan, found: Soundness) -> Section:
    """What the plan implies and does not say."""
    if not found.challenges:
        return Section("challenge", "Confirm or challenge")
    counts = {name: sum(one.severity == name for one in found.challenges) for name in _SEVERITIES}
    lead = (
        f"{plural(len(found.challenges), 'question')} for a board, each worked out from the plan's own figures: "
        f"{counts['serious']} serious, {counts['question']} that need an answer and {counts['look']} worth a look. "
        "What rests on an assumed figure is never called serious."
    )
    columns = (
        Column("severity", "Weight"),
        Column("question", "Question"),
        Column("concerns", "Concerns"),
        Column("source", "Source"),
        Column("rests_on", "Rests on assumed"),
    )
    rows = [
        {
            "severity": _SEVERITIES[one.severity],
            "question": one.question,
            "concerns": _few(tuple(_title(plan, name) for name in one.concerns)),
            "source": _short(plan, one.source),
            "rests_on": _few(one.rests_on),
        }
        for one in found.challenges
    ]
    serious = counts["serious"]
    exhibits = []
    if serious:
        message = f"{plural(serious, 'serious question')}."
        exhibits.append(Exhibit("challenge-serious", message, Table(columns[:-1], rows[:serious], heading=1)))
    message = f"All {plural(len(rows), 'question')}."
    exhibits.append(Exhibit("challenge-all", message, Table(columns, rows, heading=1), sheet="Challenge", folded=True))
    return Section("challenge", "Confirm or challenge", lead, tuple(exhibits))


def _title(plan: Plan, name: str) -> str:
    """The name of whatever a question concerns, or its id."""
    for table in ("schemes", "capital_programmes", "metrics", "organisations", "themes"):
        if name in plan[table].by_id:
            return named(plan, table, name)
    return name


def _short(plan: Plan, source: str) -> str:
    """A source with its document's short name for its title."""
    for row in plan["sources"]:
        source = source.replace(str(row["title"]), row.id)
    return source


def _few(names: tuple[str, ...], most: int = 6) -> str:
    return "; ".join(names[:most]) + (f"; and {len(names) - most} more" if len(names) > most else "")


def triangulation(result: Result) -> Section:
    """The run beside what the plan publishes as its results."""
    title = "Where the published plan cannot be reproduced"
    if result.scenarios:
        return Section(
            "triangulation",
            title,
            "Only a run of the plan itself, without scenarios, is held against its published results.",
        )
    frame = triangulate(result)
    if not frame.height:
        return Section("triangulation", title, "")
    rows = sorted(frame.to_dicts(), key=lambda row: list(_FINDINGS).index(row["finding"]))
    counts = {name: sum(row["finding"] == name for row in rows) for name in _FINDINGS}
    resting = sum(row["finding"] in ("lands", "within rounding") and bool(row["rests_on"]) for row in rows)
    lead = (
        f"The rows of published results are not read by the model. Of {plural(len(rows), 'result')} the plan publishes, the run lands on {counts['lands']}, comes within "
        f"rounding of {counts['within rounding']} and cannot reproduce {counts['cannot']}; {counts['not compared']} say too little to be compared."
    )
    if resting:
        lead += f" {resting} of those reached rest on figures that are assumed, which makes them weaker evidence."
    rows = [row | {"finding": _FINDINGS[row["finding"]], "source": f"{row['where']} ({row['source']})"} for row in rows]
    spread = (
        (Column("expected", "Expected", "amount"), Column("p10", "p10", "amount"), Column("p90", "p90", "amount"))
        if result.runs
        else ()
    )
    columns = (
        Column("finding", "Finding"), Column("what", "Published result"), Column("year", "Year"), Column("published", "Published", "amount"), Column("model", "Model", "amount"),
        Column("difference", "Difference", "amount"), Column("reading", "Reading"), *spread, Column("source", "Source"), Column("basis", "Basis"), Column("rests_on", "Rests on assumed"),
    )  # fmt: skip
    exhibits = []
    bad = counts["cannot"]
    if bad:
        few = tuple(column for column in columns if column.key not in ("expected", "p10", "p90", "basis", "rests_on"))
        exhibits.append(
            Exhibit(
                "triangulation-cannot",
                f"{plural(bad, 'published result')} the model cannot reproduce, and why.",
                Table(few, rows[:bad], heading=1),
            )
        )
    exhibits.append(
        Exhibit(
            "triangulation-all",
            f"All {len(rows)} published results.",
            Table(columns, rows, heading=1),
            sheet="Published v model",
            folded=True,
        )
    )
    return Section("triangulation", title, lead, tuple(exhibits))
