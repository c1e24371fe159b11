"""One traceable chain: trajectory, signal, rating, exception, action, decision, consequence for the pooled fund; walked both ways."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


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
    """Causes, the nearest last."""
    after: tuple[Link, ...]
    """Consequences, the nearest first."""
    edges: tuple[tuple[str, str], ...]
    """From ref, to ref."""
