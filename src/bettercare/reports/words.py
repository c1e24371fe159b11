"""The names a reader sees for what the tables call by short ids."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.model import Result
from bettercare.plan import Plan
from bettercare.vocabulary import PODS


def organisation_name(plan: Plan, name: str) -> str:
    """Name in full, or "Given to no organisation"."""
    row = plan["organisations"].by_id.get(name)
    return str(row["name"]) if row is not None else name or "Given to no organisation"


def named(plan: Plan, table: str, name: str) -> str:
    """The name of a row of a table, or its id where it has none."""
    row = plan[table].by_id.get(name)
    return str(row["name"] or name) if row is not None else name


def pod_name(pod: str) -> str:
    """A point of delivery in words."""
    return PODS[pod].name if pod in PODS else pod


def pod_unit(pod: str) -> str:
    """What one of a point of delivery is called."""
    return PODS[pod].unit if pod in PODS else ""


def sentence(text: str) -> str:
    """With a capital and a full stop.

    >>> sentence("lands within rounding")
    'Lands within rounding.'
    """
    text = text.strip()
    return (text[:1].upper() + text[1:] + ("" if text[-1:] in ".?!" else ".")) if text else ""


def plural(number: int, one: str, many: str = "") -> str:
    """
    >>> plural(1, "claim"), plural(1200, "run")
    ('1 claim', '1,200 runs')
    """
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listed(parts: Sequence[str]) -> str:
    """
    >>> listed(["2 are red", "1 is amber", "3 are green"])
    '2 are red, 1 is amber and 3 are green'
    """
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def scenario_title(result: Result) -> str:
    """What the run is of: the plan, or the scenarios laid over it."""
    return " + ".join(scenario.title for scenario in result.scenarios) or "The plan"


def driver_label(result: Result, driver: str) -> str:
    """A source of uncertainty in words: growth and rates are named by what they grow or turn."""
    plan = result.plan
    kind, _, name = driver.partition(":")
    if kind == "growth" and name in plan["growth"].by_id:
        row = plan["growth"].by_id[name]
        what = {
            "population": "population",
            "activity": "activity",
            "beds": "beds",
            "cost": "cost",
            "funding": "funding",
        }[row["measure"]]
        where = [
            pod_name(row["pod"]).lower() if row["pod"] else "",
            plan_short(plan, row["organisation"]),
            row["band"] or "",
        ]
        return f"Growth of {what}" + "".join(f", {part}" for part in where if part)
    if kind == "rate" and name in plan["rates"].by_id:
        row = plan["rates"].by_id[name]
        where = [pod_name(row["pod"]).lower() if row["pod"] else "", plan_short(plan, row["organisation"])]
        return str(row["measure"]).replace("-", " ").capitalize() + "".join(f", {part}" for part in where if part)
    return result.system.drivers.label(driver)


def plan_short(plan: Plan, organisation: str | None) -> str:
    """An organisation's name cut at the first explanation, or nothing."""
    return organisation_name(plan, organisation).partition(":")[0] if organisation else ""


def is_synthetic(result: Result) -> bool:
    """Whether the plan says that some of its figures are invented."""
    return str(result.plan.header.get("synthetic", "")).strip().lower() in ("yes", "true", "1")
