"""Is the plan being delivered? The one view that pages, reports and the API are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from bettercare.assurance.actions import Action
from bettercare.assurance.chain import Chain
from bettercare.assurance.decisions import Decision
from bettercare.assurance.fund import FundPosition
from bettercare.assurance.judgement import Exception_, Judgement
from bettercare.assurance.ledger import Entry
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting
from bettercare.assurance.metrics import Actual, MetricRules
from bettercare.assurance.milestones import Progress, Schedule
from bettercare.assurance.payment import QuarterPayment
from bettercare.assurance.programme import Programme
from bettercare.assurance.questions import Question
from bettercare.assurance.risks import Risk
from bettercare.plan import Plan
from bettercare.store import Store


@dataclass(frozen=True)
class Registers:
    """What the store holds for one plan."""

    programme: Programme
    actuals: tuple[Actual, ...] = ()
    rules: tuple[MetricRules, ...] = ()
    progress: tuple[Progress, ...] = ()
    risks: tuple[Risk, ...] = ()
    actions: tuple[Action, ...] = ()
    decisions: tuple[Decision, ...] = ()
    meetings: tuple[Meeting, ...] = ()
    agenda: tuple[AgendaItem, ...] = ()
    declarations: tuple[Declaration, ...] = ()
    questions: tuple[Question, ...] = ()
    entries: tuple[Entry, ...] = ()

    @classmethod
    def read(cls, store: Store, plan: str) -> Registers:
        """All registers of a plan.

        Raises:
            Missing: the plan has not been opened in this store.
        """
        listed = {
            name: store.list(kind, plan)
            for name, kind in {
                "actuals": Actual, "rules": MetricRules, "progress": Progress, "risks": Risk, "actions": Action, "decisions": Decision,
                "meetings": Meeting, "agenda": AgendaItem, "declarations": Declaration, "questions": Question, "entries": Entry,
            }.items()
        }  # fmt: skip
        return cls(store.read(Programme, plan, plan), **listed)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Assessment:
    """A plan, its registers and a date. Everything else is worked out when asked for, once."""

    plan: Plan
    registers: Registers
    on: date
    revision: int = 0
    """Number of the store's last change that it rests on."""

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """By metric, in the plan's order."""
        raise NotImplementedError

    @cached_property
    def exceptions(self) -> tuple[Exception_, ...]:
        """What is off track, the longest first."""
        raise NotImplementedError

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Financial years the fund has entries in."""
        raise NotImplementedError

    def fund(self, year: str) -> FundPosition:
        """The pooled fund in a year."""
        raise NotImplementedError

    @cached_property
    def payments(self) -> tuple[QuarterPayment, ...]:
        """Pay for performance by quarter; empty when the plan has no rule."""
        raise NotImplementedError

    @cached_property
    def schedule(self) -> Schedule:
        """Milestones."""
        raise NotImplementedError

    def chain(self, ref: str) -> Chain:
        """What leads to a thing and what follows from it.

        Raises:
            Missing: there is no such thing.
        """
        raise NotImplementedError


def assess(store: Store, plan: Plan, on: date | None = None) -> Assessment:
    """Read the registers of a plan and judge them at a date (the programme's data date, else today)."""
    raise NotImplementedError


def open_programme(store: Store, plan: Plan, by: str) -> Programme:
    """Start running a plan: its risks, actions, decisions, meetings and declarations become rows of the store. Does nothing the second time."""
    raise NotImplementedError
