"""Is the plan being delivered? The one view that pages, reports and the API are made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property
from typing import TYPE_CHECKING

from bettercare.assurance.actions import Action
from bettercare.assurance.boards import Board, boards
from bettercare.assurance.chain import Chain, Web, web
from bettercare.assurance.decisions import Decision
from bettercare.assurance.fund import FundPosition, position, years
from bettercare.assurance.judgement import Exception_, Judgement, judge
from bettercare.assurance.ledger import Entry
from bettercare.assurance.meetings import AgendaItem, Declaration, Meeting
from bettercare.assurance.metrics import Actual, MetricRules, metrics
from bettercare.assurance.milestones import Progress, Schedule, schedule
from bettercare.assurance.payment import QuarterPayment, worked
from bettercare.assurance.programme import Programme
from bettercare.assurance.questions import Question
from bettercare.assurance.risks import Risk
from bettercare.plan import Plan
from bettercare.store import Missing, Store

if TYPE_CHECKING:
    from bettercare.assurance.slippage import Consequences


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
        """All registers of a plan, each read once.

        Raises:
            Missing: the plan has not been opened in this store.
        """
        return cls(
            store.read(Programme, plan, plan),
            store.list(Actual, plan),
            store.list(MetricRules, plan),
            store.list(Progress, plan),
            store.list(Risk, plan),
            store.list(Action, plan),
            store.list(Decision, plan),
            store.list(Meeting, plan),
            store.list(AgendaItem, plan),
            store.list(Declaration, plan),
            store.list(Question, plan),
            store.list(Entry, plan),
        )

    @property
    def synthetic(self) -> bool:
        """Whether any row was invented for trying the software out."""
        return any(
            row.synthetic
            for rows in (
                self.actuals, self.rules, self.progress, self.risks, self.actions, self.decisions, self.meetings, self.agenda,
                self.declarations, self.questions, self.entries,
            )
            for row in rows
        )  # fmt: skip


@dataclass(frozen=True)
class Assessment:
    """A plan, its registers and a date. Everything else is worked out when asked for, once."""

    plan: Plan
    registers: Registers
    on: date
    revision: int = 0
    """Number of the store's last change that it rests on."""
    _consequences: dict[tuple[str, int | None], Consequences] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )
    _funds: dict[str, FundPosition] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def judgements(self) -> Mapping[str, Judgement]:
        """By metric, in the plan's order."""
        actuals: dict[str, list[Actual]] = {}
        for actual in self.registers.actuals:
            actuals.setdefault(actual.metric, []).append(actual)
        rules = {rule.id: rule for rule in self.registers.rules}
        return {
            metric.id: judge(metric, actuals.get(metric.id, ()), rules.get(metric.id), self.on)
            for metric in metrics(self.plan)
        }

    @cached_property
    def exceptions(self) -> tuple[Exception_, ...]:
        """What is off track, the longest first."""
        found = [judgement.exception for judgement in self.judgements.values() if judgement.exception is not None]
        return tuple(sorted(found, key=lambda exception: (exception.since, exception.metric)))

    @cached_property
    def years(self) -> tuple[str, ...]:
        """Financial years the fund has entries in."""
        return years(self.registers.entries)

    def fund(self, year: str) -> FundPosition:
        """The pooled fund in a year."""
        if year not in self._funds:
            self._funds[year] = position(self.plan, self.registers.entries, year, self.on, self.payments)
        return self._funds[year]

    @cached_property
    def payments(self) -> tuple[QuarterPayment, ...]:
        """Pay for performance by quarter; empty when the plan has no rule."""
        return worked(self.plan, self.registers.actuals, self.on)

    @cached_property
    def schedule(self) -> Schedule:
        """Milestones."""
        return schedule(self.plan, self.registers.progress, self.on)

    def consequences(self, milestone: str, days: int | None = None) -> Consequences:
        """What a milestone's slip delays, down to the benefits in the model; a fraction of a second the first time.

        Args:
            days: try out a slip of this many days in place of the one the schedule shows.

        Raises:
            Missing: the plan has no such milestone.
            BettercareError: the milestone has no due date.
        """
        # The model takes a second to import, which most pages and commands need not wait for.
        from bettercare.assurance.slippage import consequences

        if (milestone, days) not in self._consequences:
            self._consequences[milestone, days] = consequences(self.plan, self.schedule, milestone, days)
        return self._consequences[milestone, days]

    @cached_property
    def boards(self) -> Mapping[str, Board]:
        """By id, in the plan's order."""
        return boards(self.plan)

    def board_name(self, board: str) -> str:
        """The name of a board as it is read; its id where the plan does not have it."""
        return self.boards[board].name if board in self.boards else board

    @cached_property
    def web(self) -> Web:
        """Every thing that can stand in a chain, and what leads from each to each."""
        return web(self)

    def chain(self, ref: str) -> Chain:
        """What leads to a thing and what follows from it.

        Raises:
            Missing: there is no such thing.
        """
        return self.web.chain(ref)


def assess(store: Store, plan: Plan, on: date | None = None) -> Assessment:
    """Read the registers of a plan and judge them at a date (the programme's data date, else today).

    Raises:
        Missing: the plan has not been opened in this store.
    """
    # The revision is read first: a change made meanwhile then shows as a newer revision, never as an older one.
    revision = store.revision(plan.id)
    try:
        registers = Registers.read(store, plan.id)
    except Missing as error:
        raise Missing(
            f"The plan {plan.id} is not open in this store.", remedy=f"Open it: bettercare open {plan.id}."
        ) from error
    return Assessment(plan, registers, on or registers.programme.as_at or date.today(), revision)
