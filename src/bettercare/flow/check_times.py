"""Whether a length of time can be one."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from bettercare.flow import distributions
from bettercare.flow.cells import nearest
from bettercare.flow.fields import Field, dictionary, kinds, parameters
from bettercare.flow.network import Distribution
from bettercare.plan.cells import strange_character

Wrong = tuple[str, str]
"""What is wrong, and what to do."""
LONGEST_MEAN = 24.0 * 36_525
"""Hours: a hundred years."""
_REST = ("unit", "at_most", "times")


def faults_of_time(time: Any, inside: bool = False) -> Iterator[Wrong]:
    """What keeps a distribution from being a length of time with a finite mean."""
    if not isinstance(time, Distribution):
        yield f"{str(time)[:60]!r} is not a length of time.", "Give a distribution."
        return
    if time.kind not in kinds():
        yield f"{str(time.kind)[:60]!r} is not a kind of time.", nearest(str(time.kind), kinds())
        return
    wrong = [*_fields(time, inside)]
    yield from wrong or _together(time, inside)


def _fields(time: Distribution, inside: bool) -> Iterator[Wrong]:
    known = dictionary()["parameters"]
    used = parameters(time.kind)
    if time.unit not in distributions.HOURS:
        yield f"{str(time.unit)[:40]!r} is no unit of time.", "Write minutes, hours or days."
    for name in (
        "mean",
        "sd",
        "shape",
        "phases",
        "low",
        "likely",
        "high",
        "start",
        "rates",
        "values",
        "weights",
        "parts",
    ):
        value = getattr(time, name)
        blank = value is None or value == ()
        if name in used and blank and (name == "parts" or known[name].required == "yes"):
            yield f"A {time.kind} time has no {name}.", f"Give {' and '.join(used)}."
        elif name not in used and not blank:
            yield f"A {time.kind} time does not use {name}.", f"Give only {' and '.join(used)}."
        elif not blank and name != "parts":
            yield from number_faults(known[name], value)
    for name in ("at_most", "times"):
        if getattr(time, name) is not None:
            yield from number_faults(dictionary()["times"][name], getattr(time, name))
    if time.kind == "mixture":
        if inside:
            yield "A mixture stands inside a mixture.", "Write all its parts in one."
            return
        for part in time.parts:
            yield from faults_of_time(part, inside=True)


def number_faults(field: Field, value: Any) -> Iterator[Wrong]:
    """What is wrong with a number, or with each of a list or of a table of them."""
    if isinstance(value, tuple | list):
        for item in value:
            found = list(number_faults(field, item))
            if found:
                yield found[0]
                return
        return
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        yield f"{field.name} is {shown(value)}, not a number.", "Write digits with a decimal point."
    elif not math.isfinite(value):
        yield f"{field.name} is {value}.", "Write a finite number."
    elif not field.low <= value <= field.high:
        unit = f" {field.unit}" if field.unit else ""
        yield f"{field.name} is {value:,.10g}.", f"It must lie from {field.low:,.10g} to {field.high:,.10g}{unit}."
    elif field.type in {"integer", "limit", "hour"} and value != int(value):
        yield f"{field.name} is {value:,.10g}.", "Write a whole number."


def shown(value: Any) -> str:
    """A value nobody expected, short and printable."""
    text = repr(value)[:60]
    return "something that cannot be printed" if strange_character(text) else text


def _together(time: Distribution, inside: bool) -> Iterator[Wrong]:
    """What must hold between the parameters."""
    match time.kind:
        case "uniform" | "triangular":
            low, likely, high = time.low or 0.0, time.likely if time.likely is not None else time.low, time.high or 0.0
            if not (low < high and low <= (likely or 0.0) <= high):
                yield (
                    f"{' and '.join(parameters(time.kind))} are not in order.",
                    "Write the shortest as low, the longest as high.",
                )
                return
        case "lognormal" | "gamma" if not (time.mean or 0) > 0 or not (time.sd or 0) > 0:
            yield f"A {time.kind} time needs a mean and an sd above 0.", "For one that is always the same write fixed."
            return
        case "exponential" | "weibull" | "erlang" if not (time.mean or 0) > 0:
            yield (
                f"{'An' if time.kind[0] == 'e' else 'A'} {time.kind} time needs a mean above 0.",
                "For one that takes no time write {fixed: 0, unit: hours}.",
            )
            return
        case "phase-type":
            wrong = list(_phase_type(time))
            yield from wrong
            if wrong:
                return
        case "empirical" | "mixture":
            count = len(time.values or time.parts)
            if time.weights and (len(time.weights) != count or not sum(time.weights) > 0):
                yield (
                    f"The weights of {'an' if time.kind == 'empirical' else 'a'} {time.kind} time do not fit.",
                    "Give one for each, not all 0.",
                )
                return
            if time.kind == "mixture" and not time.weights:
                yield "A mixture has no weights.", "Give one for each part."
                return
    # An extreme skew can give a mean beyond all numbers, which the limit below then names.
    with np.errstate(all="ignore"):
        mean = distributions.mean(time)
    if not math.isfinite(mean) or mean > LONGEST_MEAN:
        yield f"The mean of a time is {mean / 24:,.0f} days.", "A mean may be at most a hundred years: check its unit."


def _phase_type(time: Distribution) -> Iterator[Wrong]:
    size = len(time.start)
    rates = np.zeros((size, size))
    if size > 50 or len(time.rates) != size or any(not isinstance(r, tuple) or len(r) != size for r in time.rates):
        yield (
            "The rates of a phase-type time are not one row and one column for each of its phases (at most 50).",
            "Write [[-1, 0.5], [0, -2]] for two.",
        )
        return
    rates[:] = time.rates
    off = rates - np.diag(np.diag(rates))
    if abs(sum(time.start) - 1) > 1e-9:
        yield f"The chances to start in each phase add to {sum(time.start):g}.", "Make them add to 1."
    if (off < 0).any() or (np.diag(rates) >= 0).any() or (rates.sum(axis=1) > 1e-9).any():
        yield (
            "The rates of a phase-type time are not moves between phases.",
            "At its own place each phase has minus all it leaves by; the others are 0 or more.",
        )
    elif np.linalg.matrix_rank(rates) < size:
        yield "A phase of a phase-type time is never left.", "Let each phase lead on to the end."
