"""Where figures come from, in a line: their places in the documents, how they are known, and which are assumed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from bettercare.errors import BettercareError
from bettercare.model import Result
from bettercare.plan import Figure
from bettercare.reports.words import pod_name

_GROWTH = ("demographic growth", "other growth", "growth")


def cited(figures: Iterable[Figure], most: int = 4) -> str:
    """The places of figures, such as ``Acute bed bridge, L2043 (stp-2016)``."""
    places = list(
        dict.fromkeys(
            f"{figure.where} ({figure.source})" if figure.where else figure.source
            for figure in figures
            if figure.source
        )
    )
    rest = len(places) - most
    return "; ".join(places[:most]) + (f"; and {rest} more" if rest > 0 else "")


def bases(figures: Iterable[Figure]) -> str:
    """How figures are known, each way once: ``stated, assumed``."""
    return ", ".join(dict.fromkeys(figure.basis for figure in figures))


def assumed(figures: Iterable[Figure]) -> tuple[str, ...]:
    """Ids of the assumed ones."""
    return tuple(dict.fromkeys(figure.id for figure in figures if figure.basis == "assumed"))


def step_figures(
    result: Result, measure: str, by: str = "scheme", **where: str | Sequence[str]
) -> dict[str, list[Figure]]:
    """The figures behind each step of a bridge, by the name :meth:`Result.bridge` gives the step."""
    plan = result.plan
    names = {scheme.id: scheme.name for scheme in plan.schemes} | {row.id: str(row["name"]) for row in plan["themes"]}
    start = "Do nothing" if measure == "gap" else "Start"
    found: dict[str, dict[str, Figure]] = {}
    for line in result.lines[measure]:
        labels = line.labels
        if not all(
            labels.get(word, "") in ((want,) if isinstance(want, str) else want) for word, want in where.items()
        ):
            continue
        kind = labels.get("kind", "")
        if kind == ("do-nothing" if measure == "gap" else "base"):
            step = start
        elif kind in _GROWTH and measure != "gap":
            step = f"{labels.get('pod') or labels.get('organisation', '')}: {kind}"
        else:
            name = labels.get(by, "")
            step = names.get(name, name) or labels.get("line", kind)
        found.setdefault(step, {}).update({figure.id: figure for figure in line.ground.figures})
    return {step: list(figures.values()) for step, figures in found.items()}


def figures_by(result: Result, measure: str, word: str) -> dict[str, list[Figure]]:
    """The figures behind a measure, by the value of a label."""
    found: dict[str, dict[str, Figure]] = {}
    for line in result.lines[measure]:
        found.setdefault(line.labels.get(word, ""), {}).update({figure.id: figure for figure in line.ground.figures})
    return {value: list(figures.values()) for value, figures in found.items()}


def rests_on(result: Result, measure: str, **where: Any) -> tuple[str, ...]:
    """Ids of the assumed figures a result owes something to; none where the run has no such result."""
    try:
        return tuple(figure.id for figure in result.rests_on(measure, **where))
    except BettercareError:
        return ()


def step_name(step: str) -> str:
    """A bridge's growth step in words: ``non-elective: other growth`` as ``Non-elective admission: other growth``."""
    pod, colon, kind = step.partition(": ")
    return f"{pod_name(pod)}: {kind}" if colon and kind in _GROWTH else step
