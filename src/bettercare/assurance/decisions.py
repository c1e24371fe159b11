"""Decisions, with the minute that made them and what follows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import ClassVar, Literal

from bettercare.assurance.boards import Board
from bettercare.assurance.programme import in_words
from bettercare.errors import BettercareError
from bettercare.store import Record, asks


class Decision(Record):
    """What a board resolved, or a recommendation on its way to the boards that must decide."""

    table: ClassVar[str] = "decisions"

    decision: str = asks("Decision", "What was decided, in plain words", min_length=1, long=True)
    kind: Literal["resolution", "recommendation", "approval", "noted"] = asks(
        "Kind", "A recommendation is agreed by all and goes to each board that must decide", "resolution"
    )
    body: str = asks("Board", "Who decided", refers="boards", min_length=1)
    on: date = asks("Date", "The day of the meeting")
    minute: str = asks("Minute", "Minute and letter, such as 326(a)", "")
    meeting: str = asks("Meeting", "Id of the meeting", "", refers="meetings")
    about: tuple[str, ...] = asks(
        "About", "What it answers: action:..., exception:..., risk:..., question:..., milestone:...", (), refers="ref"
    )
    consequence: str = asks("Consequence", "What follows, for the pooled fund among other things", "", long=True)
    status: Literal["proposed", "agreed", "refused", "carried out"] = asks("Status", "Where it has got to", "agreed")
    awaits: tuple[str, ...] = asks("Awaits", "Boards that still have to decide", (), refers="boards")
    source: str = asks("Source", "Document and line, where the papers give it", "")


def by_meeting(decisions: Iterable[Decision]) -> Mapping[tuple[str, date], tuple[Decision, ...]]:
    """Decisions by board and day, the latest meeting first, each in the order of its minutes."""
    found: dict[tuple[str, date], list[Decision]] = {}
    for decision in decisions:
        found.setdefault((decision.body, decision.on), []).append(decision)
    order = sorted(found, key=lambda meeting: (-meeting[1].toordinal(), meeting[0]))
    return {meeting: tuple(sorted(found[meeting], key=lambda one: (one.minute, one.id))) for meeting in order}


def awaiting(decisions: Iterable[Decision]) -> Mapping[str, tuple[Decision, ...]]:
    """Recommendations still to be decided, by the board that must."""
    found: dict[str, list[Decision]] = {}
    for decision in decisions:
        for board in decision.awaits:
            found.setdefault(board, []).append(decision)
    return {board: tuple(found[board]) for board in sorted(found)}


def recommend(decision: Decision, boards: Mapping[str, Board], agreed: Sequence[str], to: Sequence[str]) -> Decision:
    """A recommendation that all who make it agree on, on its way to each board that must decide.

    A joint committee may recommend only what every body it answers to and that decides for itself has agreed through its member.

    Args:
        decision: what is recommended; ``body`` makes the recommendation.
        agreed: ids of the bodies whose members agree.
        to: ids of the boards that must decide.

    Raises:
        BettercareError: somebody does not agree, or a board named does not decide.
    """
    body = _board(boards, decision.body)
    members = [name for name in body.accountable_to if boards[name].kind in ("governing-body", "executive")]
    against = [boards[name].name for name in members if name not in agreed]
    if against:
        raise BettercareError(
            f"{body.name} recommends only what all its members agree on, and not all do: {', '.join(against)}.",
            remedy="Go on talking, or record it as a question.",
        )
    if not to:
        raise BettercareError("The recommendation goes to no board.", remedy="Name each board that must decide.")
    for name in to:
        if not _board(boards, name).decides:
            raise BettercareError(
                f"{boards[name].name} takes no decisions of its own.", remedy="Name the board it answers to."
            )
    return decision.model_copy(
        update={"kind": "recommendation", "status": "proposed", "awaits": tuple(dict.fromkeys(to))}
    )


def decide(
    recommendation: Decision, boards: Mapping[str, Board], board: str, agrees: bool, on: date, minute: str = "", meeting: str = "",
) -> tuple[Decision, Decision]:  # fmt: skip
    """One board decides on a recommendation.

    Returns:
        The recommendation as it then stands (agreed once the last board has agreed, refused once any has refused), and the board's own
        resolution, to be added.

    Raises:
        BettercareError: it does not await that board, or the day is before it was made.
    """
    name = _board(boards, board).name
    if board not in recommendation.awaits:
        waits = ", ".join(_board(boards, other).name for other in recommendation.awaits) or "no board"
        raise BettercareError(f"The recommendation does not await {name}; it awaits {waits}.")
    if on < recommendation.on:
        raise BettercareError(f"{in_words(on)} is before the recommendation was made ({in_words(recommendation.on)}).")
    left = tuple(other for other in recommendation.awaits if other != board)
    status = "refused" if not agrees or recommendation.status == "refused" else "proposed" if left else "agreed"
    return recommendation.model_copy(update={"awaits": left, "status": status}), Decision(
        plan=recommendation.plan, id=f"{recommendation.id}-{board}", decision=recommendation.decision, kind="resolution", body=board, on=on,
        minute=minute, meeting=meeting, about=(f"decision:{recommendation.id}",), status="agreed" if agrees else "refused",
        synthetic=recommendation.synthetic,
    )  # fmt: skip


def _board(boards: Mapping[str, Board], name: str) -> Board:
    if name not in boards:
        raise BettercareError(f"The plan has no board {name!r}.", remedy=f"It has: {', '.join(boards)}.")
    return boards[name]
