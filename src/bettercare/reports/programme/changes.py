"""What changed since the last report: its frozen facts held against the facts of now."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from bettercare.reports.amounts import NONE, money
from bettercare.reports.exhibit import Column, Exhibit, Section, Table
from bettercare.reports.programme.facts import Facts
from bettercare.reports.programme.signs import day
from bettercare.reports.words import plural


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was."""

    kind: str
    """What sort of thing: Rating, Figure revised, Exception, Signal, Fund, Pay for performance, Milestone, Risk, Action, Decision, Question."""
    what: str
    before: str
    now: str


def differences(before: Facts, now: Facts) -> tuple[Difference, ...]:
    """Everything that changed between two reports, in the order a board reads it."""
    return tuple(
        difference
        for part in (_metrics, _exceptions, _fund, _payments, _milestones, _risks, _registers)
        for difference in part(before, now)
    )


def changes(before: Facts | None, now: Facts) -> Section:
    """The section; without an earlier report it says so."""
    title = "What changed since the last report"
    if before is None:
        return Section("changes", title, "This is the first report of its kind: there is none to hold it against.")
    since = day(date.fromisoformat(before["data_date"]))
    found = differences(before, now)
    rules = before["rules_version"] != now["rules_version"]
    lead = f"The rules were at version {before['rules_version']} then and are at {now['rules_version']} now: some of what follows may come from that." if rules else ""  # fmt: skip
    if not found:
        return Section("changes", title, f"Nothing, since the report as at {since}. {lead}".strip())
    rows = [{"kind": one.kind, "what": one.what, "before": one.before, "now": one.now} for one in found]
    columns = (Column("what", "What"), Column("kind", "Sort"), Column("before", f"At {since}"), Column("now", "Now"))
    exhibit = Exhibit(
        "changes-table",
        f"{plural(len(found), 'change')} since the report as at {since}.",
        Table(columns, rows),
        sheet="Changes",
    )
    return Section("changes", title, lead, (exhibit,))


def _pairs(
    before: Facts, now: Facts, part: str
) -> Iterator[tuple[str, Mapping[str, Any] | None, Mapping[str, Any] | None]]:
    """Every id of a part, as it was and as it is; None where it was not, or is no more."""
    old, new = before.get(part, {}), now.get(part, {})
    for name in dict.fromkeys((*new, *old)):
        yield name, old.get(name), new.get(name)


def _metrics(before: Facts, now: Facts) -> Iterator[Difference]:
    for _, old, new in _pairs(before, now, "metrics"):
        if old is None or new is None:
            yield Difference(
                "Metric",
                (new or old or {})["name"],
                "measured" if old else NONE,
                "measured" if new else "no longer measured",
            )
            continue
        if old["rating"] != new["rating"]:
            yield Difference(
                "Rating", new["name"], _rating(old["rating"]), f"{_rating(new['rating'])}: {new['reason']}"
            )
        if old["period"] == new["period"] and old["value"] != new["value"]:
            yield Difference(
                "Figure revised", new["name"], str(old["value"]), f"{new['value']} (revision {new['revision']})"
            )
        if old["variation"] != new["variation"]:
            yield Difference("Signal", new["name"], _signal(old["variation"]), _signal(new["variation"]))
        if old["rules"] != new["rules"]:
            yield Difference("Rules of the chart", new["name"], old["rules"], new["rules"])


def _exceptions(before: Facts, now: Facts) -> Iterator[Difference]:
    names = {name: one["name"] for facts in (before, now) for name, one in facts["metrics"].items()}
    for metric, old, new in _pairs(before, now, "exceptions"):
        if old is None and new is not None:
            yield Difference("Exception", names.get(metric, metric), "not an exception", new["sentence"])
        elif new is None:
            yield Difference("Exception", names.get(metric, metric), "an exception", "no longer an exception")


def _fund(before: Facts, now: Facts) -> Iterator[Difference]:
    words = {
        "contributions": "Contributions",
        "budget": "Budgets",
        "spent": "Spent",
        "outturn": "Forecast outturn",
        "reserve": "Reserve",
        "risk_pool": "Risk pool",
    }
    for year, old, new in _pairs(before, now, "fund"):
        for key, word in words.items():
            was, is_ = (old or {}).get(key, 0), (new or {}).get(key, 0)
            if was != is_:
                yield Difference("Fund", f"{word}, {year}", money(was / 100), money(is_ / 100))


def _payments(before: Facts, now: Facts) -> Iterator[Difference]:
    for quarter, old, new in _pairs(before, now, "payments"):
        for key, word in (("earned", "Earned"), ("released", "Released to commissioners"), ("recovered", "Recovered from commissioners")):  # fmt: skip
            was, is_ = (old or {}).get(key, 0), (new or {}).get(key, 0)
            if was != is_:
                yield Difference("Pay for performance", f"{word} for {quarter}", money(was / 100), money(is_ / 100))


def _milestones(before: Facts, now: Facts) -> Iterator[Difference]:
    for _, old, new in _pairs(before, now, "milestones"):
        if old is None or new is None:
            continue
        if old["done_on"] != new["done_on"]:
            yield Difference(
                "Milestone",
                new["milestone"],
                old["status"],
                f"done {_day(new['done_on'])}" if new["done_on"] else "no longer done",
            )
        elif old["at_least"] != new["at_least"] or old["status"] != new["status"]:
            yield Difference(
                "Milestone",
                new["milestone"],
                f"{old['status']}, {_day(old['at_least'])}",
                f"{new['status']}, {_day(new['at_least'])}",
            )


def _risks(before: Facts, now: Facts) -> Iterator[Difference]:
    for _, old, new in _pairs(before, now, "risks"):
        if old is None and new is not None:
            yield Difference("Risk", new["risk"], "not in the register", _risk(new))
        elif new is None and old is not None:
            yield Difference("Risk", old["risk"], _risk(old), "taken out of the register")
        elif old is not None and new is not None and _risk(old) != _risk(new):
            yield Difference("Risk", new["risk"], _risk(old), _risk(new))


def _registers(before: Facts, now: Facts) -> Iterator[Difference]:
    for part, key, kind in (
        ("actions", "action", "Action"),
        ("decisions", "decision", "Decision"),
        ("questions", "question", "Question"),
    ):
        for _, old, new in _pairs(before, now, part):
            one = new or old
            assert one is not None
            was, is_ = old["status"] if old else NONE, new["status"] if new else "taken out"
            if was != is_:
                yield Difference(kind, one[key], was, f"new: {is_}" if old is None else is_)


def _rating(status: str) -> str:
    return "not rated" if status == "grey" else status


def _signal(variation: str) -> str:
    return variation.replace("-", " ") or "no process limits"


def _risk(risk: Mapping[str, Any]) -> str:
    return f"{risk['status']}, {risk['score'] or 'not scored'} before and {risk['residual'] or 'not scored'} after mitigation"


def _day(text: str | None) -> str:
    return day(date.fromisoformat(text)) if text else "no date"
