"""Every question of a twin answered, and the answers on their way back to the plan."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from bettercare.errors import BettercareError
from bettercare.flow.network import Network
from bettercare.model import SEED
from bettercare.plan import Plan
from bettercare.twin.futures import MOST_DRAWS, futures
from bettercare.twin.mapping import Question, Twin
from bettercare.twin.promises import Answered, Base, Progress, Trial, judge
from bettercare.twin.smallest import ALL, SEARCH_DRAWS, WANTED, Needed, Search, Smallest, Together, needed

DRAWS = 200


@dataclass(frozen=True)
class Reply:
    """One question: its promises judged, the smallest changes looked for, and the beds needed.

    A question with criteria of beds that suffice has the smallest changes at which all of them hold at once (promise ``ALL``).
    ``together`` has what all levers at once must be at where none alone is enough.
    """

    question: Question
    answered: Answered
    smallest: tuple[Smallest, ...] = ()
    needed: tuple[Needed, ...] = ()
    together: tuple[Together, ...] = ()


@dataclass(frozen=True)
class Answer:
    """All questions of a plan answered in its network."""

    plan: Plan
    network: Network
    twin: Twin
    replies: tuple[Reply, ...]
    draws: int
    seed: int
    scenario: str | None = None

    def reply(self, question: str) -> Reply:
        """The reply to a question by its id."""
        for one in self.replies:
            if one.question.id == question:
                return one
        raise BettercareError(
            f"There is no question {question[:60]!r}.",
            remedy=f"There are: {', '.join(one.question.id for one in self.replies)}.",
        )


def answer(
    plan: Plan,
    network: Network,
    twin: Twin,
    draws: int = DRAWS,
    seed: int = SEED,
    workers: int = 1,
    scenario: str | None = None,
    search: bool = True,
    search_draws: int = SEARCH_DRAWS,
    wanted: Sequence[float] = WANTED,
    progress: Progress | None = None,
) -> Answer:
    """Answer every question of a twin.

    Args:
        draws: futures of each question; one run of the network each.
        seed: the same seed gives the same numbers, on any number of workers.
        scenario: of the plan, or else of the network, laid under every future.
        search: look for the smallest changes and the beds needed, which runs the network many times over.
        wanted: probabilities a failing promise should be made to hold with.
        progress: called with (what, done, of).

    Raises:
        PlanError: the twin does not fit the plan and the network.
        BettercareError: what was asked cannot be run.
    """
    if not 1 <= workers <= 256:
        raise BettercareError(f"{workers} workers cannot be had.", remedy="Ask for 1 to 256.")
    if not 2 <= search_draws <= MOST_DRAWS:
        raise BettercareError(
            f"A search over {search_draws} futures cannot be made.", remedy=f"Ask for 2 to {MOST_DRAWS:,}."
        )
    if not wanted or not all(0 < chance <= 1 for chance in wanted):
        raise BettercareError("The probabilities wanted are not between 0 and 1.", remedy="Ask for 0.5 and 0.8, say.")
    base = Base(network, seed, workers)
    replies = []
    for question in twin.questions:
        drawn = futures(plan, network, twin, question, draws, seed, scenario)
        trial = Trial(network, drawn, twin.promises_of(question), seed, workers)
        answered = judge(trial, base, _step(progress, f"Futures for “{question.title}”", draws))
        reply = Reply(question, answered)
        replies.append(_searched(reply, twin, search_draws, wanted, progress) if search else reply)
    return Answer(plan, network, twin, tuple(replies), draws, seed, scenario)


def _step(progress: Progress | None, what: str, of: int) -> Callable[[int], None] | None:
    if progress is None:
        return None
    return lambda done: progress(what, done, of)


def _searched(reply: Reply, twin: Twin, draws: int, wanted: Sequence[float], progress: Progress | None) -> Reply:
    question, answered = reply.question, reply.answered
    levers = twin.levers_of(question)
    count = min(draws, len(answered.futures.items))
    beds: tuple[Needed, ...] = ()
    if question.beds:
        beds = needed(answered, twin.lever(question.beds), count, _step(progress, "Beds needed", count))
    search = Search(answered, count)
    found: list[Smallest] = []
    together: list[Together] = []
    promises = [one.promise for one in answered.judged]
    sought = [ALL] if any(promise.suffices for promise in promises) else []
    sought += [promise.id for promise in promises if promise.headline and not promise.suffices]
    for promise in sought:
        if search.before(promise) >= max(wanted):
            continue
        alone: list[Smallest] = []
        for lever in levers:
            search.progress = _step(progress, f"Smallest change: {lever.title}", count)
            alone += [search.smallest(promise, lever, chance) for chance in wanted]
        found += alone
        enough = {one.wanted for one in alone if one.size is not None}
        hard = [chance for chance in wanted if chance not in enough] if len(levers) > 1 else []
        search.progress = _step(progress, "Smallest change: all levers together", count)
        together += [search.together(promise, levers, chance) for chance in hard]
    return replace(reply, smallest=tuple(found), needed=beds, together=tuple(together))


def answers(answer: Answer) -> pl.DataFrame:
    """The answers as rows for a metric's page: metric, period, promise, title, unit, value (the middle), low, high (nine futures
    in ten lie between), bound, comparison, probability (that it holds), draws (that could be measured). Shares are in percent, as metrics are."""
    rows = []
    for reply in answer.replies:
        for judged in reply.answered.judged:
            promise = judged.promise
            if not promise.metric:
                continue
            times, unit = (100.0, "%") if promise.unit == "share" else (1.0, promise.unit)
            low, middle, high = (times * value for value in judged.interval())
            comparison = "at least" if promise.upwards else "at most"
            rows.append((promise.metric, promise.period, promise.id, promise.title, unit, middle, low, high,
                         round(times * judged.bound, 9), comparison, judged.probability, int(judged.measured.sum())))  # fmt: skip
    columns = {
        "metric": pl.String, "period": pl.String, "promise": pl.String, "title": pl.String, "unit": pl.String,
        "value": pl.Float64, "low": pl.Float64, "high": pl.Float64, "bound": pl.Float64, "comparison": pl.String,
        "probability": pl.Float64, "draws": pl.Int64,
    }  # fmt: skip
    return pl.DataFrame(rows, schema=columns, orient="row")
