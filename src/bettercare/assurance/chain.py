"""One traceable chain: trajectory, signal, rating, exception, action, decision, consequence for the pooled fund; walked both ways."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING

from bettercare.assurance.ledger import account_name, sterling
from bettercare.assurance.metrics import written
from bettercare.assurance.milestones import belongs
from bettercare.assurance.payment import months_of, payment_rule
from bettercare.assurance.programme import in_words
from bettercare.assurance.risks import band
from bettercare.store import Missing

if TYPE_CHECKING:
    from bettercare.assurance.assessment import Assessment
    from bettercare.assurance.ledger import Entry
    from bettercare.assurance.payment import QuarterPayment

KINDS: Mapping[str, str] = {
    "risk": "Risk",
    "milestone": "Milestone",
    "scheme": "Scheme",
    "trajectory": "Trajectory",
    "signal": "Signal",
    "rag": "Rating",
    "exception": "Exception",
    "payment": "Pay for performance",
    "question": "Question",
    "action": "Action",
    "meeting": "Meeting",
    "decision": "Decision",
    "entry": "Ledger entry",
    "other": "Not known",
}
"""What may stand in a chain, in the order of the chain, with what a page calls it."""

_LETTERS_SHOWN = 90


@dataclass(frozen=True)
class Link:
    """One thing in the chain."""

    ref: str
    """``kind:id``: trajectory:m4, signal:m4, rag:m4, exception:m4@2015-06-01, action:.., decision:.., payment:2015/16 Q1, entry:.., and
    risk, milestone, question, scheme, meeting where they take part."""
    kind: str
    title: str
    status: str
    """red, amber, green, grey, or a word of the kind's own."""
    detail: str
    when: date | None = None


@dataclass(frozen=True)
class Chain:
    """Everything that leads to a thing and that follows from it."""

    here: Link
    before: tuple[Link, ...]
    """Causes, each before what it leads to, so that the nearest stands last."""
    after: tuple[Link, ...]
    """Consequences, each after what leads to it, so that the nearest stands first."""
    edges: tuple[tuple[str, str], ...]
    """From ref, to ref."""


@dataclass(frozen=True)
class Web:
    """All things that can stand in a chain and what leads from each to each."""

    links: Mapping[str, Link]
    after: Mapping[str, tuple[str, ...]]
    before: Mapping[str, tuple[str, ...]]
    other_names: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Refs that stand for another: that other, and a note for the reader or ""."""

    def resolve(self, ref: str) -> tuple[str, str]:
        """The ref a thing is held under, and what must be said when it is not the one asked for.

        Raises:
            Missing: there is no such thing.
        """
        wanted = ref.strip()
        if wanted in self.links:
            return wanted, ""
        if wanted in self.other_names:
            return self.other_names[wanted]
        kind, colon, rest = wanted.partition(":")
        if kind == "payment" and f"payment:{rest.replace('-', ' ')}" in self.links:
            return f"payment:{rest.replace('-', ' ')}", ""
        if kind == "exception" and colon:
            metric = rest.partition("@")[0]
            now = next((other for other in self.links if other.startswith(f"exception:{metric}@")), None)
            if now is not None:
                return now, _moved(rest, now) if "@" in rest else ""
        shown = wanted if len(wanted) <= _LETTERS_SHOWN else wanted[:_LETTERS_SHOWN] + "..."
        close = get_close_matches(shown, list(self.links), n=3)
        remedy = f"Did you mean {' or '.join(close)}?" if close else f"Write kind:id; kinds are {', '.join(KINDS)}."
        raise Missing(f"There is nothing called {shown!r} to follow.", remedy=remedy)

    def chain(self, ref: str) -> Chain:
        """What leads to a thing and what follows from it.

        Raises:
            Missing: there is no such thing.
        """
        here, note = self.resolve(ref)
        link = self.links[here]
        if note:
            link = replace(link, detail=f"{link.detail} {note}".strip())
        before = self._in_order(self._reached(here, self.before))
        after = self._in_order(self._reached(here, self.after))
        inside = {here, *before, *after}
        edges = tuple(
            (one, other)
            for one in sorted(inside, key=self._order)
            for other in self.after.get(one, ())
            if other in inside and _along(one, other, here, set(before), set(after))
        )
        return Chain(link, tuple(self.links[one] for one in before), tuple(self.links[one] for one in after), edges)

    def _reached(self, start: str, step: Mapping[str, tuple[str, ...]]) -> set[str]:
        """Everything reached from a ref, itself left out."""
        found, left = set[str](), [start]
        while left:
            following = set(step.get(left.pop(), ())) - found - {start}
            found |= following
            left += following
        return found

    def _in_order(self, found: set[str]) -> list[str]:
        """Each thing after what leads to it, otherwise in the order of the chain."""
        waits = {ref: found.intersection(self.before.get(ref, ())) for ref in found}
        ordered: list[str] = []
        while waits:
            # In a circle nothing is free: it begins with what stands first in the order of the chain.
            free = [ref for ref, causes in waits.items() if not causes] or list(waits)
            ordered.append(min(free, key=self._order))
            del waits[ordered[-1]]
            for causes in waits.values():
                causes.discard(ordered[-1])
        return ordered

    def _order(self, ref: str) -> tuple[int, date, str]:
        link = self.links[ref]
        return list(KINDS).index(link.kind), link.when or date.max, ref


def _along(one: str, other: str, here: str, before: set[str], after: set[str]) -> bool:
    """Whether an edge lies on the way to ``here`` or on the way from it."""
    return (one in before and (other in before or other == here)) or ((one == here or one in after) and other in after)


def _moved(old: str, now: str) -> str:
    since, is_since = old.partition("@")[2], now.partition("@")[2]
    return f"It was recorded as off track since {since}; by the figures held now it is since {is_since}."


def refs(assessment: Assessment) -> Mapping[str, str]:
    """Every ref that may be named, with its title, in the order of the chain: for pickers, and to check what is entered."""
    links = assessment.web.links
    return {ref: links[ref].title for ref in sorted(links, key=assessment.web._order)}


def check_ref(assessment: Assessment, ref: str) -> str:
    """The ref as it is held.

    Raises:
        Missing: there is no such thing; the remedy names what is like it.
    """
    return assessment.web.resolve(ref)[0]


def web(assessment: Assessment) -> Web:
    """Gather every thing of an assessment and every step between them."""
    made = _Making()
    for part in (_plan_links, _metric_links, _payment_links, _register_links, _entry_links):
        part(assessment, made)
    return made.web(assessment)


class _Making:
    """A web being gathered: things first, then steps between what is named."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {}
        self.steps: list[tuple[str, str]] = []
        self.other_names: dict[str, tuple[str, str]] = {}

    def add(self, ref: str, title: str, status: str, detail: str, when: date | None = None) -> str:
        self.links[ref] = Link(ref, ref.partition(":")[0], _short(title), status, detail, when)
        return ref

    def lead(self, from_refs: Iterable[str], to: str) -> None:
        self.steps += [(one.strip(), to) for one in from_refs if one.strip()]

    def web(self, assessment: Assessment) -> Web:
        found = Web(self.links, {}, {}, self.other_names)
        after: dict[str, dict[str, None]] = {}
        before: dict[str, dict[str, None]] = {}
        for one, other in self.steps:
            held = self._held(found, one, assessment)
            if held != other:
                after.setdefault(held, {})[other] = None
                before.setdefault(other, {})[held] = None
        return replace(
            found,
            after={ref: tuple(others) for ref, others in after.items()},
            before={ref: tuple(others) for ref, others in before.items()},
        )

    def _held(self, found: Web, ref: str, assessment: Assessment) -> str:
        """The ref a row names, as it is held. What is gone keeps a place, so that what followed from it can still be read."""
        try:
            return found.resolve(ref)[0]
        except Missing:
            kind, _, rest = ref.partition(":")
            if kind not in KINDS:
                kind, ref = "other", f"other:{ref}"
            metric, _, since = rest.partition("@")
            judgement = assessment.judgements.get(metric) if kind == "exception" else None
            if judgement is not None:
                title = f"{judgement.metric.name} was off track" + (f" since {since}" if since else "")
                self.add(ref, title, "green", "It is no longer off track by the figures held now.")
                self.steps.append((f"rag:{metric}", ref))
            else:
                self.add(
                    ref,
                    ref,
                    "grey",
                    "It is named by a row, but nothing, or more than one thing, is held under that name.",
                )
            return ref


def _plan_links(assessment: Assessment, made: _Making) -> None:
    plan, schedule = assessment.plan, assessment.schedule
    for scheme in plan.schemes:
        made.add(f"scheme:{scheme.id}", scheme.name, "grey", str(scheme.row["summary"] or ""))
    for one in schedule.milestones:
        ref = made.add(f"milestone:{one.id}", one.milestone, one.rag, one.reason, one.done_on or one.due)
        # A milestone that is on course explains nothing: only one that is not leads to its schemes.
        if one.rag in ("red", "amber"):
            for scheme in plan.schemes:
                if belongs(one.id, one.scheme, scheme):
                    made.lead([ref], f"scheme:{scheme.id}")
        made.lead(
            (f"milestone:{other}" for other in one.requires if schedule.by_id[other].rag in ("red", "amber")), ref
        )
    for risk in assessment.registers.risks:
        detail = f"Score {risk.now} of 25." if risk.now else "Not scored."
        ref = made.add(f"risk:{risk.id}", risk.risk, risk.status, f"{detail} {risk.mitigation}".strip(), risk.review)
        if risk.scheme and (risk.status == "happened" or (risk.status == "open" and band(risk.now) == "red")):
            made.lead([ref], f"scheme:{risk.scheme}")


def _metric_links(assessment: Assessment, made: _Making) -> None:
    for name, judgement in assessment.judgements.items():
        metric = judgement.metric
        aims = metric.aims
        last = judgement.actuals[-1].period if judgement.actuals else None
        made.add(
            f"trajectory:{name}", metric.name, "grey" if not aims else f"{len(aims)} figure{'' if len(aims) == 1 else 's'}",
            f"{written(metric, aims[-1].value)} by {in_words(aims[-1].at)} ({aims[-1].kind})." if aims else "The plan gives no figure for it.",
            aims[-1].at if aims else None,
        )  # fmt: skip
        spc = judgement.spc
        made.add(
            f"signal:{name}", metric.name, spc.variation if spc else "no signal",
            spc.sentence if spc else judgement.spc_refused, last,
        )  # fmt: skip
        made.add(f"rag:{name}", metric.name, judgement.rag.status, judgement.rag.reason, last)
        made.other_names[f"metric:{name}"] = (f"rag:{name}", "")
        made.lead([f"trajectory:{name}"], f"signal:{name}")
        made.lead([f"trajectory:{name}", f"signal:{name}"], f"rag:{name}")
        exception = judgement.exception
        if exception is not None:
            ref = made.add(
                f"exception:{exception.id}", metric.name, judgement.rag.status, exception.sentence, exception.since
            )
            made.lead([f"rag:{name}", f"signal:{name}"], ref)
            made.lead((f"scheme:{scheme}" for scheme in exception.schemes), ref)


def _payment_links(assessment: Assessment, made: _Making) -> None:
    rule = payment_rule(assessment.plan)
    if rule is None:
        return
    judgement = assessment.judgements.get(rule.metric)
    for payment in assessment.payments:
        ends = _month_end(months_of(payment.quarter)[-1])
        ref = made.add(
            payment.ref, f"Pay for performance, {payment.quarter}", _payment_status(payment), payment.reason, ends
        )
        made.lead([f"trajectory:{rule.metric}"], ref)
        exception = judgement.exception if judgement is not None else None
        if exception is not None and payment.released > 0 and exception.since <= ends:
            made.lead([f"exception:{exception.id}"], ref)


def _month_end(first: date) -> date:
    return (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def _payment_status(payment: QuarterPayment) -> str:
    if payment.reduction is None:
        return "grey"
    if payment.released <= 0:
        return "green"
    return "amber" if payment.earned > 0 else "red"


def _register_links(assessment: Assessment, made: _Making) -> None:
    held = assessment.registers
    for question in held.questions:
        ref = made.add(
            f"question:{question.id}", question.question, question.status, question.answer or "Not answered yet.", question.raised
        )  # fmt: skip
        made.lead(question.about, ref)
    for action in held.actions:
        ref = made.add(
            f"action:{action.id}", action.action, action.status, f"{action.officers}. {action.comments}".strip(), action.agreed
        )  # fmt: skip
        made.lead(action.about, ref)
    for meeting in held.meetings:
        made.add(
            f"meeting:{meeting.id}", f"{assessment.board_name(meeting.body)}, {in_words(meeting.on)}", meeting.status, meeting.note, meeting.on
        )  # fmt: skip
    for item in held.agenda:
        if any(meeting.id == item.meeting and meeting.status == "planned" for meeting in held.meetings):
            made.lead(item.about, f"meeting:{item.meeting}")
    for decision in held.decisions:
        minute = f", minute {decision.minute}" if decision.minute else ""
        made_by = f"{assessment.board_name(decision.body)}{minute}."
        ref = made.add(
            f"decision:{decision.id}", decision.decision, decision.status, f"{made_by} {decision.consequence}".strip(), decision.on
        )  # fmt: skip
        made.lead(decision.about, ref)
        if decision.meeting:
            made.lead([f"meeting:{decision.meeting}"], ref)
    # A ref may also name the minute: decision:327(b).
    minutes = [(f"action:{action.id}", f"action:{action.minute}") for action in held.actions if action.minute]
    minutes += [
        (f"decision:{decision.id}", f"decision:{decision.minute}") for decision in held.decisions if decision.minute
    ]
    named = Counter(minute for _, minute in minutes)
    made.other_names |= {minute: (ref, "") for ref, minute in minutes if named[minute] == 1}


def _entry_links(assessment: Assessment, made: _Making) -> None:
    for entry in assessment.registers.entries:
        from_name, to_name = (account_name(assessment.plan, one) for one in (entry.from_account, entry.to_account))
        ref = made.add(
            f"entry:{entry.id}", f"{sterling(entry.pence)} from {from_name}: {to_name}", entry.kind, entry.note, entry.on
        )  # fmt: skip
        made.lead(_causes(entry), ref)


def _causes(entry: Entry) -> Iterator[str]:
    if entry.because:
        yield entry.because
    if entry.reverses:
        yield f"entry:{entry.reverses}"


def _short(text: str) -> str:
    text = re.sub(r"\s+", " ", text)
    return text if len(text) <= 160 else text[:157].rstrip() + "..."
