"""Scenarios: small overlays on a plan that compose. Two that set one thing differently are a conflict, never a race.

A scenario is a YAML file::

    id: late-teams
    title: Integrated teams a year late, non-elective growth at its high end
    changes:
      - scheme: integrated-teams
        delay: 1                 # or: off: yes / end: low / end: high / scale: 0.5 / probability: 0.6
      - growth: beds-non-elective
        value: 220               # in the row's own unit
      - keep_beds: community-hospitals.beds
        beds: 17                 # beds of a site that stays open, taken off what the effect closes
        site: melton-mowbray
      - parameter: discount-rate
        value: 5
      - funding: stf-2020
        value: 0
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bettercare.errors import BettercareError, Fault, PlanError
from bettercare.plan import Plan, Row
from bettercare.plan.cells import number
from bettercare.plan.yaml_file import Node, parse_yaml, read_yaml
from bettercare.vocabulary import UNITS

_ROW_TABLES = {"growth": "growth", "parameter": "parameters", "funding": "funding", "rate": "rates"}
_SCHEME_WORDS = {"off", "delay", "end", "scale", "probability"}


@dataclass(frozen=True)
class SchemeChange:
    """What scenarios do to one scheme."""

    off: bool = False
    delay: int = 0
    end: str = ""
    scale: float = 1.0
    probability: float | None = None


@dataclass(frozen=True)
class Change:
    """One thing set to one value: ``target`` such as ``scheme:integrated-teams`` or ``growth:cost-uhl``."""

    target: str
    attribute: str
    value: Any
    where: str


@dataclass(frozen=True)
class Scenario:
    """A named list of changes."""

    id: str
    title: str
    changes: tuple[Change, ...]

    @classmethod
    def read(cls, path: str | Path) -> Scenario:
        """Read a scenario file.

        Raises:
            PlanError: every fault in it.
        """
        path = Path(path)
        return cls._of(read_yaml(path, path.name), path.stem)

    @classmethod
    def parse(cls, text: str, name: str) -> Scenario:
        """Read the text of a scenario file of that name.

        Raises:
            PlanError: every fault in it.
        """
        return cls._of(parse_yaml(text, f"{name}.yaml"), name)

    @classmethod
    def _of(cls, root: Node, stem: str) -> Scenario:
        file = f"{stem}.yaml"
        faults: list[Fault] = []
        changes: list[Change] = []
        for key in root.keys:
            if key not in {"id", "title", "changes"}:
                faults.append(
                    Fault(f"{file}, line {root.keys[key]}", f"{key!r} is not known.", "Known: id, title, changes.")
                )
        listed = root.get("changes")
        if listed is None or not isinstance(listed.value, list) or not listed.value:
            faults.append(Fault(file, "The scenario changes nothing.", "Add changes: and a list."))
        else:
            for node in listed.value:
                changes.extend(_changes(node, file, faults))
        if faults:
            raise PlanError(faults)
        name, title = root.get("id"), root.get("title")
        shown = name.text() if name is not None and name.text() else stem
        return cls(shown, title.text() if title is not None and title.text() else shown, tuple(changes))


@dataclass(frozen=True)
class Overlay:
    """What several scenarios together do to a plan."""

    schemes: Mapping[str, SchemeChange] = field(default_factory=dict)
    values: Mapping[tuple[str, str], float] = field(default_factory=dict)
    """New values by (table, row)."""
    beds_kept: Mapping[str, float] = field(default_factory=dict)
    """Beds kept open by effect (``scheme.effect``)."""
    titles: tuple[str, ...] = ()

    def value(self, table: str, row: Row) -> float:
        """The value of a row under the overlay."""
        return float(self.values.get((table, row.id), row["value"]))

    def parameter(self, plan: Plan, name: str, default: float, unit: str, above: float = 0.0) -> float:
        """A parameter under the overlay and in its base unit; the default where the plan has none.

        Raises:
            PlanError: it is not above ``above``, or not in the dimension of ``unit``.
        """
        row = plan["parameters"].by_id.get(name)
        if row is None:
            return default
        written, value = plan["parameters"].figure(row).unit, self.value("parameters", row)
        if written.dimension != UNITS[unit].dimension:
            raise PlanError([Fault(row.where, f"The unit of {name} is {written.name}.", f"Use {unit}.")])
        if value * written.scale <= above:
            raise PlanError(
                [
                    Fault(
                        row.where,
                        f"{name} is {value:g} {written.name}.",
                        f"It must be above {above / written.scale:g}.",
                    )
                ]
            )
        return value * written.scale


def planned_size(row: Row) -> float:
    """The size the plan counts on: the size, the likeliest, or the middle of p10 and p90."""
    for name in ("size", "likely"):
        if row[name] is not None:
            return float(row[name])
    return float((row["p10"] + row["p90"]) / 2)


def compose(plan: Plan, scenarios: Iterable[Scenario]) -> Overlay:
    """Put scenarios over a plan.

    Raises:
        PlanError: a change names something the plan does not have, or two set one thing to different values.
    """
    scenarios = list(scenarios)
    faults: list[Fault] = []
    chosen: dict[tuple[str, str], tuple[Change, Scenario]] = {}
    for scenario in scenarios:
        for change in scenario.changes:
            faults.extend(_unknown(plan, change))
            key = (change.target, change.attribute)
            if key in chosen and chosen[key][0].value != change.value:
                other, first = chosen[key]
                faults.append(
                    Fault(
                        change.where,
                        f"{first.id!r} sets {change.attribute} of {change.target} to {other.value} and {scenario.id!r} to {change.value}.",
                        "Scenarios run together must agree: drop one.",
                    )
                )
            chosen.setdefault(key, (change, scenario))
    faults.extend(_kept_more_than_closed(plan, chosen))
    if faults:
        raise PlanError(faults)
    schemes: dict[str, dict[str, Any]] = {}
    values: dict[tuple[str, str], float] = {}
    kept: dict[str, float] = {}
    for (target, attribute), (change, _) in chosen.items():
        kind, _, name = target.partition(":")
        if kind == "scheme":
            schemes.setdefault(name, {})[attribute] = change.value
        elif kind == "beds":
            effect = name.rpartition("@")[0]
            kept[effect] = kept.get(effect, 0.0) + change.value
        else:
            values[_ROW_TABLES[kind], name] = change.value
    return Overlay(
        {name: SchemeChange(**words) for name, words in schemes.items()},
        values,
        kept,
        tuple(scenario.title for scenario in scenarios),
    )


def _kept_more_than_closed(plan: Plan, chosen: Mapping[tuple[str, str], tuple[Change, Scenario]]) -> Iterable[Fault]:
    """Beds kept by all the changes together against what each effect closes."""
    kept: dict[str, float] = {}
    for (target, _), (change, _) in chosen.items():
        kind, _, name = target.partition(":")
        if kind == "beds":
            effect = name.rpartition("@")[0]
            kept[effect] = kept.get(effect, 0.0) + change.value
            rows = [row for row in plan["effects"] if f"{row['scheme']}.{row.id}" == effect]
            closes = planned_size(rows[0]) if rows and rows[0]["kind"] in ("avoid", "shift") else kept[effect]
            if kept[effect] > closes:
                yield Fault(
                    change.where,
                    f"{kept[effect]:g} beds are more than the {closes:g} {effect} closes.",
                    "Keep at most what it closes.",
                )


def read_scenarios(plan: Plan, names: Iterable[str | Path | Scenario]) -> list[Scenario]:
    """Scenarios by object, by path, or by the name of one of the plan's own."""
    result = []
    for name in names:
        if isinstance(name, Scenario):
            result.append(name)
        elif str(name) in plan.scenarios:
            result.append(Scenario.parse(plan.scenarios[str(name)], str(name)))
        elif Path(name).is_file():
            result.append(Scenario.read(name))
        else:
            known = ", ".join(plan.scenarios) or "none"
            raise BettercareError(
                f"There is no scenario {str(name)!r}.", remedy=f"Give a file, or one of the plan's own: {known}."
            )
    return result


def _changes(node: Node, shown: str, faults: list[Fault]) -> Iterable[Change]:
    where = f"{shown}, line {node.line}"
    words = {key: child.text() for key, child in node.items()}
    try:
        if "scheme" in words:
            rest = {key: value for key, value in words.items() if key != "scheme"}
            if not rest or set(rest) - _SCHEME_WORDS:
                raise BettercareError(
                    "What happens to the scheme is not clear.", remedy=f"Use: {', '.join(sorted(_SCHEME_WORDS))}."
                )
            return [
                Change(f"scheme:{words['scheme']}", key, _scheme_value(key, value), where)
                for key, value in rest.items()
            ]
        if "keep_beds" in words:
            beds = number(words.get("beds", ""))
            if beds < 0:
                raise BettercareError("Beds kept cannot be negative.")
            return [Change(f"beds:{words['keep_beds']}@{words.get('site', '')}", "beds", beds, where)]
        for kind in _ROW_TABLES:
            if kind in words:
                if set(words) != {kind, "value"}:
                    raise BettercareError(
                        f"A change of a {kind} takes a value and nothing else.", remedy="Write value: and a number."
                    )
                return [Change(f"{kind}:{words[kind]}", "value", number(words["value"]), where)]
        raise BettercareError(
            "The change names nothing to change.", remedy=f"Start with scheme, keep_beds, {', '.join(_ROW_TABLES)}."
        )
    except BettercareError as error:
        faults.append(Fault(where, error.what, error.remedy))
        return []


def _scheme_value(key: str, text: str) -> Any:
    if key == "off":
        if text.lower() not in {"yes", "no", "true", "false"}:
            raise BettercareError("off is yes or no.")
        return text.lower() in {"yes", "true"}
    if key == "end":
        if text not in {"low", "high"}:
            raise BettercareError("end is low or high.")
        return text
    value = number(text)
    if key == "delay":
        if value != int(value) or not 0 <= value <= 60:
            raise BettercareError("delay is a whole number of years.", remedy="Write 0 to 60.")
        return int(value)
    if value < 0 or (key == "probability" and value > 1):
        raise BettercareError(
            f"{key} {text} is out of range.", remedy="A scale is not negative; a probability lies between 0 and 1."
        )
    return value


def _unknown(plan: Plan, change: Change) -> Iterable[Fault]:
    kind, _, name = change.target.partition(":")
    if kind == "scheme":
        if name not in plan["schemes"].by_id:
            yield Fault(
                change.where, f"The plan has no scheme {name!r}.", f"It has: {', '.join(plan['schemes'].by_id)}."
            )
    elif kind == "beds":
        effect, _, site = name.rpartition("@")
        rows = [row for row in plan["effects"] if f"{row['scheme']}.{row.id}" == effect]
        if not rows or rows[0]["unit"] not in ("beds", "virtual beds") or rows[0]["kind"] not in ("avoid", "shift"):
            yield Fault(change.where, f"{effect!r} is not an effect that closes beds.", "Write scheme.effect.")
        if site and site not in plan["sites"].by_id:
            yield Fault(change.where, f"The plan has no site {site!r}.", f"It has: {', '.join(plan['sites'].by_id)}.")
    elif name not in plan[_ROW_TABLES[kind]].by_id:
        yield Fault(
            change.where, f"The plan has no {kind} {name!r}.", f"It has: {', '.join(plan[_ROW_TABLES[kind]].by_id)}."
        )
