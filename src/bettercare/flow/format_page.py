"""The page that describes a network's file, made from the dictionary of its fields so that it cannot say anything else.

``python -m bettercare.flow.format_page docs/flow-format.md`` writes it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from bettercare.flow.fields import (
    EVIDENCE,
    INSIDE,
    MOST,
    MOST_ROWS,
    MOST_TO_CHOOSE,
    Field,
    attributes_of,
    dictionary,
    kinds,
    parameters,
)
from bettercare.flow.fields import RECORDS as SECTIONS
from bettercare.plan.format_page import heading, table

_KINDS = {
    "id": "a short name: lower-case letters, digits, hyphens, dots and underscores",
    "text": "any text; in quotes when it holds a comma inside `{ }`, a colon followed by a space, or a `#`",
    "number": "digits with a decimal point; no exponents, no percent signs",
    "integer": "a whole number",
    "limit": "a whole number, or `unlimited`",
    "limit number": "a number, or `unlimited`",
    "share": "a number from 0 to 1, or `rest`: what the other shares of the same station, class and hours leave",
    "shares": "a share for each place they go to: `{majors: 0.4, home: rest}`",
    "flag": "`yes` or `no`",
    "date": "a day: `2016-04-01`",
    "hour": "a whole hour: `08:00` (or `8`), up to `24:00`",
    "days": "`all`, `weekdays`, `weekend`, or a list such as `[mon, sat]`",
    "classes": "an id, `any`, or a list of ids, which stands for one row each",
    "numbers": "a list: `[4, 12]`",
    "matrix": "a list of lists",
    "time": "a [length of time](#lengths-of-time)",
    "change": "one of the [changes](#changes) of a scenario",
}
_NUMBERED = {"number", "integer", "limit", "limit number", "numbers", "matrix"}
_TITLES = {
    "classes": "Kinds of patients.",
    "profiles": "How a rate moves with the hour, the weekday and the month. Only proportions matter.",
    "arrivals": "Streams of patients from outside.",
    "stations": "Places with room for so many at a time.",
    "services": "How long a station cares for patients of a class, once they have a place. Every class that can come to a station needs one.",
    "patience": "How long patients of a class wait at a station before they give up. Those held in another station's place do not.",
    "routes": "Where patients go when a station has done with them. The shares of a station, class and part of the week add to 1. "
    "A row for a class stands before a row for `any`; where a row with days and hours holds, rows without do not.",
    "choices": "Several stations of which one is taken. A choice can stand wherever a station can be gone to.",
    "escalations": "What is done when too many wait: extra places open, patients are diverted, planned ones put off. At least one of `places` and `diverts` is given.",
    "outcomes": "Ways to leave the network. `turned-away` is always there: who finds no room to wait and nowhere else to go leaves by it.",
    "clocks": "Times that matter, such as the four hours in an emergency department.",
    "scenarios": "Changes made together, under a name.",
    "targets": "Figures the network should reproduce, for calibration.",
    "knobs": "What calibration may turn.",
    "shifts": "In `shifts` of a station: servers for a part of the week.",
    "steps": "In `steps` of a station: servers from a day on.",
    "places": "In `places` of an escalation, on one line: `{medicine: 8, surgery: 4}`. The stations have a limit of servers.",
    "diverts": "In `diverts` of an escalation: a share of a stream goes elsewhere than it does otherwise. Shares of one stream add to at most 1.",
    "changes": "In `changes` of a scenario: exactly one of `to`, `add` and `times` in each.",
}


def page() -> str:
    """The page as Markdown."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield from _INTRODUCTION.strip().splitlines()
    yield ""
    yield "```yaml"
    yield from EXAMPLE.strip().splitlines()
    yield "```"
    yield from heading("At the top")
    yield from _fields("network")
    yield from heading("What a field may hold")
    yield from table(("kind", "what to write"), ([kind, how] for kind, how in _KINDS.items()))
    yield from heading("Lengths of time")
    yield from _TIMES.rstrip().splitlines()[1:]
    yield from table(
        ("kind", "needs", "what it is"),
        ([f"`{kind}`", ", ".join(parameters(kind)), dictionary()["times"][kind].meaning] for kind in kinds()),
    )
    yield ""
    yield "Beside the kind:"
    yield from _fields("times", [name for name in dictionary()["times"] if name not in kinds()])
    yield ""
    yield "The numbers a kind needs:"
    yield from _fields("parameters")
    limits = ", ".join(f"{most:,} {section}" for section, most in MOST.items())
    yield from heading("Sections", "Each is a list of rows. A section without rows may be left out.")
    yield ""
    yield f"At most {limits}; {MOST_TO_CHOOSE} stations of a choice; {MOST_ROWS:,} rows of any other section."
    for section in SECTIONS:
        yield from _section(section)
        for inside in INSIDE:
            if any(field.type == inside for field in dictionary()[section].values()):
                yield from _section(inside, "####")
    yield from heading("What a row rests on")
    yield from _EVIDENCE.rstrip().splitlines()[1:]
    yield from _fields(EVIDENCE)
    yield from heading("What a change changes")
    yield from table(("what", "changes"), ([f"`{what}`", meaning] for what, meaning in _CHANGES.items()))
    yield from heading("Faults and warnings")
    yield from _FAULTS.rstrip().splitlines()[1:]


def _section(section: str, level: str = "###") -> Iterator[str]:
    yield ""
    yield f"{level} {section}"
    yield ""
    yield _TITLES[section]
    evident = "evidence" in attributes_of({**SECTIONS, **INSIDE}[section])
    own = [name for name in dictionary()[section] if not (evident and name in dictionary()[EVIDENCE])]
    yield from _fields(section, own)
    if evident:
        yield ""
        yield "And [what the row rests on](#what-a-row-rests-on)."


def _fields(section: str, names: Sequence[str] = ()) -> Iterator[str]:
    fields = dictionary()[section]
    yield from table(
        ("field", "how", "required", "otherwise", "meaning"),
        (
            [f"`{name}`", _how(fields[name]), fields[name].required, fields[name].default, _meaning(fields[name])]
            for name in names or fields
        ),
    )


def _how(field: Field) -> str:
    """How a field is written, in a few words."""
    if field.points_into:
        ids = "ids" if field.type == "refs" else "an id"
        words = "".join(f", or `{word}`" for word in field.words)
        return f"{ids} in {' or '.join(f'`{section}`' for section in field.points_into)}{words}"
    if field.type == "choice":
        return ", ".join(f"`{choice}`" for choice in field.choices)
    return field.type if field.type not in INSIDE else f"[{field.type}](#{field.type})"


def _meaning(field: Field) -> str:
    if field.type not in _NUMBERED:
        return field.meaning
    low, high = (f"{limit:,.3f}".rstrip("0").rstrip(".") for limit in (field.low, field.high))
    return f"{field.meaning} ({low} to {high}{f' {field.unit}' if field.unit else ''})"


_INTRODUCTION = """
# The format of a network

This page is made from the dictionary of fields that reading, checking and writing use.

A network of care is one YAML file: who comes, where they are cared for, for how long, and where they go next. In the folder of a plan it
stands in `flow/network.yaml`. Every fault is listed at once, with its line and a remedy, and nothing is read from a file that has any.
Aliases (`*name`) are not used. A small one, all of it invented:
"""

EXAMPLE = """
id: small-hospital
title: A small hospital
starts: 2016-04-04
days: 364
warm_up: 56
summary: An emergency department and its wards, invented to show the format
classes:
  - {id: walk-in, title: Walked in}
  - {id: ambulance, title: By ambulance, priority: 2}
profiles:
  - id: day
    hours: [4, 3, 3, 2, 2, 2, 3, 4, 6, 9, 10, 10, 10, 10, 10, 10, 10, 9, 9, 8, 8, 7, 6, 5]
    basis: assumed
    note: quiet at night, busy from late morning
  - {id: rounds, hours: [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4, 4, 3, 2, 1, 0, 0, 0, 0, 0], weekdays: [10, 10, 10, 10, 10, 6, 5]}
arrivals:
  - {id: door, class: walk-in, to: streaming, per_day: 120, profile: day, varies: 0.08}
  - {id: crews, class: ambulance, to: handover, per_day: 50, profile: day}
stations:
  - {id: streaming, title: Streaming, kind: emergency, servers: 1, shifts: [{days: all, from: "08:00", to: "22:00", servers: 2}]}
  - {id: handover, title: Ambulance handover, kind: transport, servers: unlimited, holds: yes}
  - {id: waiting-room, title: Waiting room, kind: emergency, servers: unlimited, holds: yes}
  - {id: majors, title: Majors, kind: emergency, places: cubicles, servers: 16, queue: 0, holds: yes}
  - {id: medicine, title: Medical wards, places: beds, servers: 190, queue: 0, holds: yes, leaves_on: rounds,
     steps: [{on: 2016-12-01, servers: 12}]}
  - {id: home-care, title: Care at home, kind: community, servers: 60, queue: 0}
services:
  - {station: streaming, time: {lognormal: {mean: 8, sd: 4}, unit: minutes}}
  - {station: handover, time: {fixed: 12, unit: minutes}}
  - {station: waiting-room, time: {fixed: 5, unit: minutes}}
  - station: majors
    time: {mixture: [{weight: 0.7, lognormal: {mean: 2, sd: 1}}, {weight: 0.3, lognormal: {mean: 4, sd: 2}}], unit: hours}
  - {station: medicine, class: [walk-in, ambulance], time: {lognormal: {mean: 5, sd: 6}, unit: days, at_most: 90}}
  - {station: home-care, time: {gamma: {mean: 14, sd: 7}, unit: days}}
patience:
  - {station: streaming, class: walk-in, time: {exponential: 6, unit: hours}, to: left-early}
routes:
  - {station: streaming, shares: {waiting-room: 0.4, home: rest}}
  - {station: waiting-room, to: majors}
  - {station: handover, to: majors}
  - {station: majors, class: ambulance, shares: {medicine: 0.4, home: rest}}
  - {station: majors, shares: {medicine: 0.15, home: rest}}
  - {station: medicine, shares: {home-care: 0.12, home: rest}}
  - {station: home-care, to: home}
escalations:
  - id: hospital-full
    title: Hospital full
    watches: medicine
    opens: 12
    closes: 4
    after: 2
    places: {medicine: 8}
    diverts: [{stream: crews, share: 0.2, to: elsewhere}]
outcomes:
  - {id: home, title: Home}
  - {id: elsewhere, title: To another hospital}
  - {id: left-early, title: Left before being seen}
clocks:
  - {id: four-hour, title: Emergency department, stations: [streaming, waiting-room, handover, majors], targets: [4, 12]}
scenarios:
  - id: winter-beds
    title: Ten more medical beds and weekend discharges
    changes:
      - {what: servers, at: medicine, add: 10}
      - {what: leaves_on, at: medicine, days: weekend, to: 0.9}
"""

_TIMES = """

A length of time is a kind with the numbers it needs, and a unit: `{lognormal: {mean: 5, sd: 6}, unit: days}`. Kinds that need only a mean
may have it as the value: `{fixed: 30, unit: minutes}`. Means and standard deviations are those of the time itself, never of its logarithm.
A part of a mixture has a weight, and a unit of its own unless it shares the mixture's.
"""

_EVIDENCE = """

These fields stand in the row itself. Without them a row is assumed, and a warning counts the assumed rows that give no reason.
"""

_CHANGES = {
    "servers": "the servers of station `at`: those at all hours when it has any, else those of every shift; with `on`, from that day",
    "queue": "how many may wait at station `at`",
    "arrivals": "patients a day of stream `at`; with `at: any` every stream of the class (then only `times`)",
    "service": "the times at station `at` for the class; `to` and `add` are of the mean, in hours",
    "patience": "the same for how long they wait",
    "share": "the share of the route from `at` to `goes`; the difference goes to or comes from `instead_of`, or all others in proportion",
    "escalation": "the extra places and the shares diverted of escalation `at`, by `times` alone; places are rounded, one at least (0 is never), and the shares of a stream stay at most 1 together",
    "leaves_on": "the chance of discharge from `at` on `days`, as a share of the best day",
}

_FAULTS = """

Beyond each field being well written, a network must make sense: what is named exists; shares add to 1 in every hour; each class that can
come to a station has a service time and a route there; no station is out of reach or without servers; nobody can go round without time
passing, or never leave; and every scenario can be made. At most 500 faults of one kind are listed.

Warnings do not stop a run: a station with more work than its servers can do (with its load, by the traffic equations), stations that may
hold each other's places for ever, patients who are turned away because nothing says where else they go, rows nobody uses, assumed rows
without a reason, escalations that can never begin, and targets of months that are not simulated.
"""


def main(arguments: Sequence[str]) -> None:
    """Write the page to the file named."""
    path = Path(arguments[0] if arguments else "docs/flow-format.md")
    path.write_text(page(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main(sys.argv[1:])
