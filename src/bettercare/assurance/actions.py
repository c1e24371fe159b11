"""The action log, as a Board keeps it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Literal

from bettercare.assurance.programme import days_in_words, in_words
from bettercare.store import Change, Missing, Record, asks

if TYPE_CHECKING:
    from bettercare.assurance.assessment import Assessment
    from bettercare.assurance.chain import Link

RED_AFTER = 28
"""Days overdue beyond which an action is suggested to be red; less is amber. Assumed: the papers name the colours and no rule."""


class Action(Record):
    """Something a meeting or an officer said would be done."""

    table: ClassVar[str] = "actions"

    action: str = asks("Action", "What is to be done", min_length=1, long=True)
    agreed: date | None = asks("Agreed on", "The day it was agreed", None)
    minute: str = asks("Minute", "Minute and letter, such as 327(b)", "")
    body: str = asks("Board", "The board or group whose log it is in", "", refers="boards")
    officers: str = asks("Responsible officer", "Who will do it; separate several with a slash", min_length=1)
    due: date | None = asks("Due", "The day it should be done by", None)
    comments: str = asks("Comments", "Where it has got to", "", long=True)
    status: Literal["red", "amber", "green", "done"] = asks(
        "Status",
        "Green: on course or arranged. Amber: under way with doubt. Red: late or stuck. Done: finished",
        "green",
    )
    done_on: date | None = asks("Done on", "The day it was finished", None)
    about: tuple[str, ...] = asks(
        "About",
        "What it answers: exception:m4@2015-06-01, risk:..., milestone:..., question:..., decision:...",
        (),
        refers="ref",
    )
    source: str = asks("Source", "Document and line, where the papers give it", "")


def overdue(actions: Iterable[Action], on: date) -> tuple[Action, ...]:
    """Actions past their day and not done, the longest first."""
    found = [action for action in actions if days_overdue(action, on)]
    return tuple(sorted(found, key=lambda action: (-days_overdue(action, on), action.id)))


def days_overdue(action: Action, on: date) -> int:
    """Days past due; 0 when it is done, has no day, or is not due yet."""
    if action.status == "done" or action.due is None:
        return 0
    return max(0, (on - action.due).days)


def suggested(action: Action, on: date) -> tuple[str, str]:
    """The status its due date suggests and the reason in words, or ("", "") where the log's own status stands.

    Only ever worse than the log says: a log may know more than the date, but green and long overdue cannot both be so.
    """
    late = days_overdue(action, on)
    if not late or action.due is None:
        return "", ""
    status = "red" if late > RED_AFTER else "amber"
    if ("green", "amber", "red").index(status) <= ("green", "amber", "red").index(action.status):
        return "", ""
    return (
        status,
        f"Due on {in_words(action.due)} and not done: {days_in_words(late)} overdue, shown as {action.status}.",
    )


def by_officer(actions: Iterable[Action]) -> Mapping[str, tuple[Action, ...]]:
    """Actions that are not done by who will do them, by name; one with several officers stands under each."""
    found: dict[str, list[Action]] = {}
    for action in actions:
        if action.status != "done":
            for officer in filter(None, (part.strip() for part in action.officers.split("/"))):
                found.setdefault(officer, []).append(action)
    return {officer: tuple(found[officer]) for officer in sorted(found)}


def changed_since(actions: Iterable[Action], changes: Iterable[Change]) -> tuple[Action, ...]:
    """Actions that the given changes added or replaced.

    Args:
        changes: such as those of :meth:`Store.changes` after the revision of the last report.
    """
    ids = {change.id for change in changes if change.kind == Action.table and change.action != "remove"}
    return tuple(action for action in actions if action.id in ids)


def being_done(assessment: Assessment, ref: str) -> tuple[Link, ...]:
    """What is still under way about a thing: actions not done, decisions agreed or proposed and not carried out, questions not settled."""
    registers = assessment.registers
    under_way = {f"action:{one.id}" for one in registers.actions if one.status != "done"}
    under_way |= {f"decision:{one.id}" for one in registers.decisions if one.status in ("proposed", "agreed")}
    under_way |= {f"question:{one.id}" for one in registers.questions if one.status in ("open", "escalated")}
    return tuple(link for link in assessment.chain(ref).after if link.ref in under_way)


def answering(assessment: Assessment, ref: str) -> tuple[Action, ...]:
    """The actions that name a thing, such as ``exception:m4@2015-07-01``; an exception whose first day a revision moved is still the same."""
    held = assessment.web.resolve(ref)[0]
    found = []
    for action in assessment.registers.actions:
        for named in action.about:
            try:
                if assessment.web.resolve(named)[0] == held:
                    found.append(action)
                    break
            except Missing:
                continue
    return tuple(found)
