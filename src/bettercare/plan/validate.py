"""What must hold between the tables of a plan, beyond each cell being well written."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from itertools import islice
from typing import TYPE_CHECKING

from bettercare.errors import BettercareError, Fault
from bettercare.plan.cells import parts
from bettercare.plan.faults import Gathered
from bettercare.plan.figures import Row, Table
from bettercare.vocabulary import UNITS, FinancialYear, Quarter

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan

_NEVER_NEGATIVE = ("population", "activity", "beds", "workforce", "rates", "spend", "investments")
_INSIDE_HORIZON = ("investments", "capital", "funding")
_LISTED_IN_TEXT = {
    "investments": {"scheme": "schemes"},
    "allocations": {"scheme": "schemes"},
    "risks": {"scheme": "schemes"},
    "milestones": {"scheme": "schemes", "requires": "milestones"},
    "risk_sharing": {"schemes": "schemes", "milestones": "milestones"},
    "interdependencies": {"schemes": "schemes"},
    "capital_programmes": {"schemes": "schemes"},
}
ACTIVITY_KINDS = ("avoid", "shift", "shorten", "add")
MONEY_KINDS = ("save", "invest")


def faults_of(plan: Plan, unread: Collection[str] = ()) -> list[Fault]:
    """Every fault between rows and tables, but for references into the tables in ``unread``."""
    faults: list[Fault] = []
    checks = [_references(plan, table, unread) for table in plan.tables.values()]
    checks += [_numbers(table) for table in plan.tables.values()]
    checks += [check(plan) for check in (_horizon, _capital, _effects, _circles, _delivery, _causes, _shares, _fund)]
    for check in checks:
        found = Gathered(faults)
        found.extend(check)
        found.close()
    return faults


def _references(plan: Plan, table: Table, unread: Collection[str]) -> Iterator[Fault]:
    for row in table:
        for column in table.spec.columns:
            value = row[column.name]
            if not column.refers_to or column.refers_to in unread or value is None:
                continue
            for name in value if column.type == "refs" else (value,):
                yield from _known(plan, column.refers_to, name, f"{row.where}, column {column.name}")
        for name, target in _LISTED_IN_TEXT.get(table.name, {}).items():
            if target in unread:
                continue
            for part in str(row[name] or "").split(";"):
                if part.strip():
                    yield from _known(plan, target, part.strip(), f"{row.where}, column {name}")


def _known(plan: Plan, table: str, name: str, where: str) -> Iterator[Fault]:
    known = plan[table].by_id
    if name not in known:
        listed = ", ".join(islice(known, 12)) + (", ..." if len(known) > 12 else "")
        yield Fault(
            where,
            f"{name[:60]!r} is not in {table}.",
            f"It has: {listed}." if known else f"The table {table} is empty: add a row.",
        )


def _numbers(table: Table) -> Iterator[Fault]:
    for row in table:
        if table.name in _NEVER_NEGATIVE and row["value"] is not None and row["value"] < 0:
            yield Fault(
                f"{row.where}, column value",
                f"{row.text['value']} is negative.",
                "A count or an amount here cannot be below zero.",
            )
        if row["precision"] is not None and row["precision"] <= 0:
            yield Fault(
                f"{row.where}, column precision",
                "A precision must be above zero.",
                "Write 1000 for thousands, or leave it blank.",
            )
        for name in ("likelihood", "impact"):
            if table.name == "risks" and row[name] is not None and not 1 <= row[name] <= 5:
                yield Fault(f"{row.where}, column {name}", f"{row.text[name]} is not on the scale.", "Write 1 to 5.")
        low, high = row["low"], row["high"]
        # Effects and delivery classes have three sizes, judged together.
        if table.name not in ("effects", "delivery") and low is not None and high is not None and low > high:
            yield Fault(
                f"{row.where}, column low", f"low {row.text['low']} is above high {row.text['high']}.", "Swap them."
            )


def _horizon(plan: Plan) -> Iterator[Fault]:
    try:
        first, last = plan.base_year, plan.last_year
    except (BettercareError, KeyError):
        return
    for name in _INSIDE_HORIZON:
        for row in plan[name]:
            if row["year"] is not None and not first <= FinancialYear.parse(row["year"]) <= last:
                what = f"{row['year']} is outside the plan ({first} to {last})."
                yield Fault(f"{row.where}, column year", what, "Correct the year, or the plan's first and last years.")
    for row in plan["growth"]:
        if row["from"] and row["to"] and not row["from"] < row["to"]:
            what = f"Growth from {row['from']} to {row['to']} does not go forward."
            yield Fault(f"{row.where}, column to", what, "Write a year after the year in from.")
    for row in plan["effects"]:
        named = [row["by"]] if row["by"] else []
        for year in named + [step for step, _ in row["ramp"] or ()]:
            if not first <= FinancialYear.parse(year) <= last:
                what = f"The effect {row.id!r} names {year}, outside the plan ({first} to {last})."
                yield Fault(row.where, what, "Correct the year under by or ramp.")
    for row in plan["schemes"]:
        if row["starts"] and not first <= FinancialYear.parse(row["starts"]) <= last:
            what = f"starts {row['starts']} is outside the plan ({first} to {last})."
            yield Fault(row.where, what, "Correct the year the scheme starts.")


def _capital(plan: Plan) -> Iterator[Fault]:
    for row in plan["capital"]:
        value = row["value"]
        if value is not None and ((row["kind"] == "spend" and value < 0) or (row["kind"] == "disposal" and value > 0)):
            yield Fault(
                f"{row.where}, column value",
                f"{row.text['value']} has the wrong sign.",
                "Spend is positive; disposals are negative.",
            )


def _effects(plan: Plan) -> Iterator[Fault]:
    within: dict[str | None, list[str]] = {}
    for row in plan["effects"]:
        within.setdefault(row["scheme"], []).append(row.id)
    for row in plan["effects"]:
        kind, unit = row["kind"], UNITS.get(row["unit"] or "")
        sizes = [row[name] for name in ("size", "low", "likely", "high", "p10", "p90") if row[name] is not None]
        given = tuple(name for name in ("size", "low", "likely", "high", "p10", "p90") if row[name] is not None)
        if kind is None:
            continue
        if kind == "build":
            if not row["programme"]:
                yield Fault(
                    row.where, f"The effect {row.id!r} builds nothing.", "Name a capital programme under target."
                )
            continue
        if not row["organisation"]:
            yield Fault(
                row.where, f"The effect {row.id!r} has no target organisation.", "Add target: {organisation: ...}."
            )
        if given not in {("size",), ("low", "likely", "high"), ("p10", "p90")}:
            yield Fault(
                row.where,
                f"The effect {row.id!r} has no usable size.",
                "Give one size, or low, likely and high, or p10 and p90.",
            )
        if kind != "staff" and any(size < 0 for size in sizes):
            yield Fault(
                row.where,
                f"The effect {row.id!r} has a negative size.",
                "Sizes are positive; the kind says which way they go.",
            )
        if given == ("low", "likely", "high") and not row["low"] <= row["likely"] <= row["high"]:
            yield Fault(
                row.where, f"The sizes of {row.id!r} are not in order.", "Write them so that low <= likely <= high."
            )
        if given == ("p10", "p90") and row["p10"] > row["p90"]:
            yield Fault(row.where, f"The sizes of {row.id!r} are not in order.", "Write them so that p10 <= p90.")
        if unit is None:
            yield Fault(
                row.where, f"The effect {row.id!r} has no unit.", "Add unit: such as beds, %, admissions or GBP m."
            )
        elif kind in MONEY_KINDS and not (unit.is_money or unit.name == "%"):
            yield Fault(
                row.where, f"The effect {row.id!r} is money but its unit is {unit.name}.", "Use GBP, GBP k or GBP m."
            )
        elif kind in ACTIVITY_KINDS and unit.is_money:
            yield Fault(
                row.where,
                f"The effect {row.id!r} changes activity but its unit is {unit.name}.",
                "Use %, beds or a count.",
            )
        elif kind == "staff" and unit.name != "WTE":
            yield Fault(row.where, f"The effect {row.id!r} is staff but its unit is {unit.name}.", "Use WTE.")
        elif unit.name == "%" and kind in ("avoid", "shift", "shorten", "save") and any(size > 100 for size in sizes):
            yield Fault(
                row.where,
                f"The effect {row.id!r} would remove more than there is.",
                "A share removed is at most 100 %.",
            )
        if kind in ACTIVITY_KINDS:
            if not row["pod"]:
                yield Fault(row.where, f"The effect {row.id!r} has no point of delivery.", "Add target: {pod: ...}.")
            if len(row["organisation"] or ()) > 1:
                yield Fault(
                    row.where,
                    f"The effect {row.id!r} changes activity at several organisations.",
                    "Write one effect for each.",
                )
        appears = row["becomes_pod"] is not None or row["becomes_organisation"] is not None
        if (kind == "shift" or appears) and (
            not row["becomes_pod"]
            or not row["becomes_organisation"]
            or (row["per_unit"] is None) == (row["per_bed"] is None)
        ):
            yield Fault(
                row.where,
                f"Where the activity of {row.id!r} goes is not clear.",
                "becomes needs organisation, pod and one of per_unit, per_bed.",
            )
        if row["follows"] and row["follows"] not in within[row["scheme"]]:
            what = f"{row.id!r} follows {row['follows'][:60]!r}, which is not an effect of the scheme."
            here = ", ".join(name for name in within[row["scheme"]][:12] if name != row.id)
            yield Fault(row.where, what, f"Its other effects are: {here}." if here else "It has no other effect.")
        if row["per"] == "unit" and not row["follows"]:
            yield Fault(
                row.where, f"{row.id!r} is a price for each unit of nothing.", "Add follows: and the effect it prices."
            )


def _cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return [str(name) for name in error.args[1]]
    return []


def _circles(plan: Plan) -> Iterator[Fault]:
    """Rows that wait for, belong to or follow each other in a circle."""
    schemes = {row.id: row["requires"] or () for row in plan["schemes"]}
    yield from _circle(plan, "schemes", schemes, "Schemes require each other", "Take one requirement out.")
    milestones = {row.id: parts(row["requires"] or "") for row in plan["milestones"]}
    yield from _circle(plan, "milestones", milestones, "Milestones require each other", "Take one requirement out.")
    for name in ("organisations", "localities"):
        graph = {row.id: (row["part_of"],) if row["part_of"] else () for row in plan[name]}
        yield from _circle(plan, name, graph, "Rows are part of each other", "Leave part_of blank for the largest.")
    effects = {
        f"{row['scheme']}.{row.id}": (f"{row['scheme']}.{row['follows']}",) if row["follows"] else ()
        for row in plan["effects"]
    }
    yield from _circle(
        plan, "effects", effects, "Effects follow each other", "Let money follow activity, and activity nothing."
    )


def _circle(plan: Plan, table: str, graph: Mapping[str, tuple[str, ...]], what: str, remedy: str) -> Iterator[Fault]:
    cycle = _cycle(graph)
    if cycle:
        names = [f"{row['scheme']}.{row.id}" if table == "effects" else row.id for row in plan[table]]
        where = plan[table].rows[names.index(cycle[0])].where
        shown = " -> ".join(cycle[:12]) + (" -> ..." if len(cycle) > 12 else "")
        yield Fault(where, f"{what} in a circle: {shown}.", remedy)


def _delivery(plan: Plan) -> Iterator[Fault]:
    for row in plan["delivery"]:
        shares = [row[name] for name in ("probability", "on_time", "year_late", "two_years_late")]
        if all(share is not None for share in shares):
            if not all(0 <= share <= 1 for share in shares):
                yield Fault(row.where, "A probability is not between 0 and 1.", "Write one in two as 0.5.")
            elif abs(sum(shares[1:]) - 1) > 1e-6:
                yield Fault(
                    row.where,
                    f"on_time, year_late and two_years_late add to {sum(shares[1:]):g}.",
                    "Make them add to 1.",
                )
        sizes = [row[name] for name in ("low", "likely", "high")]
        if all(size is not None for size in sizes) and not 0 <= sizes[0] <= sizes[1] <= sizes[2]:
            yield Fault(
                row.where, "low, likely and high are not in order.", "Write them so that 0 <= low <= likely <= high."
            )


def _causes(plan: Plan) -> Iterator[Fault]:
    loads: dict[str, list[Row]] = {}
    for row in plan["common_causes"]:
        if row["loading"] is not None and row["driver"]:
            loads.setdefault(row["driver"], []).append(row)
    for driver, rows in loads.items():
        total = sum(row["loading"] ** 2 for row in rows)
        if total > 1 + 1e-9:
            yield Fault(
                rows[-1].where,
                f"The loadings of {driver!r} square to {total:.2f}.",
                "The squares may add to at most 1: lower one.",
            )


def _shares(plan: Plan) -> Iterator[Fault]:
    totals: dict[tuple[str | None, str | None], list[Row]] = {}
    for row in plan["rates"]:
        if row["measure"] == "age-share":
            if not row["band"]:
                yield Fault(f"{row.where}, column band", "An age share names no age band.", "Fill the cell.")
            totals.setdefault((row["organisation"], row["pod"]), []).append(row)
        if (
            row["measure"] == "occupancy"
            and row["value"] is not None
            and row["unit"]
            and not 0 < row["value"] * UNITS[row["unit"]].scale <= 1
        ):
            yield Fault(
                f"{row.where}, column value",
                "Occupancy is not between 0 and 100 %.",
                "Write 92 % as 92 with the unit %.",
            )
        if row["measure"] == "length-of-stay" and row["value"] is not None and row["value"] <= 0:
            yield Fault(
                f"{row.where}, column value",
                "A length of stay must be above zero.",
                "Leave the row out if there is none.",
            )
    for rows in totals.values():
        total = sum((row["value"] or 0) * UNITS[row["unit"]].scale for row in rows if row["unit"])
        if abs(total - 1) > 0.005:
            yield Fault(
                rows[0].where, f"The age shares of {rows[0]['pod']} add to {total:.0%}.", "Make them add to 100 %."
            )


def _fund(plan: Plan) -> Iterator[Fault]:
    """The pooled fund: contributions make up the fund, its rules can be worked, and pairs of one saving exist."""
    for year in dict.fromkeys(row["year"] for row in plan["contributions"]):
        yield from _contributions(plan, year)
    for row in plan["payment_rule"]:
        if row["threshold"] is not None and not 0 <= row["threshold"] <= 100:
            yield Fault(
                f"{row.where}, column threshold", f"{row.text['threshold']} is not between 0 and 100 %.", "Correct it."
            )
        if row["months_after"] is not None and not 0 <= row["months_after"] <= 12:
            yield Fault(
                f"{row.where}, column months_after",
                f"{row.text['months_after']} is not between 0 and 12 months.",
                "Correct it.",
            )
        for column, table in (("price", "rates"), ("most", "pool")):
            named = plan[table].by_id.get(row[column] or "")
            if named is not None and named["unit"] and not UNITS[named["unit"]].is_money:
                yield Fault(
                    f"{row.where}, column {column}",
                    f"{row[column]} is not money.",
                    "Name a row in GBP, GBP k or GBP m.",
                )
    for row in plan["payment_rule"].rows[1:]:
        yield Fault(row.where, "There is a second payment rule.", "Keep one.")
    yield from _payment_quarters(plan)
    orders: dict[int, Row] = {}
    for row in plan["overspend_rule"]:
        if row["order"] in orders:
            what = f"Step {row['order']} is there twice."
            yield Fault(f"{row.where}, column order", what, "Number the steps one after another.")
        orders[row["order"]] = row
        if row["step"] == "partners" and not row["share"]:
            yield Fault(f"{row.where}, column share", "The partners have no way to share.", "Write fixed or variable.")
    for row in plan["same_saving"]:
        for column in ("first", "second"):
            yield from _money_named(plan, row, column)


def _contributions(plan: Plan, year: str) -> Iterator[Fault]:
    rows = plan["contributions"].where(year=year)
    for row in rows:
        if row["unit"] and not UNITS[row["unit"]].is_money:
            yield Fault(f"{row.where}, column unit", f"{row['unit']} is not money.", "Use GBP, GBP k or GBP m.")
            return
        if row["value"] is None or not row["unit"]:
            return
        if row["value"] < 0:
            yield Fault(f"{row.where}, column value", f"{row.text['value']} is negative.", "A contribution is paid in.")
    agreed = [row for row in plan["pool"].where(kind="agreed", year=year) if row["value"] is not None and row["unit"]]
    paid = sum(row["value"] * UNITS[row["unit"]].scale for row in rows)
    fund = sum(row["value"] * UNITS[row["unit"]].scale for row in agreed)
    if agreed and round(paid * 100) != round(fund * 100):
        what = f"The contributions of {year} add to {paid:,.2f} and the agreed fund is {fund:,.2f}."
        yield Fault(rows[-1].where, what, "Make them add to the agreed fund in the table pool.")
    shares = [row["fixed_share"] for row in rows if row["fixed_share"] is not None]
    if shares and (min(shares) < 0 or abs(sum(shares) - 100) > 1e-9):
        what = f"The fixed shares of {year} add to {sum(shares):g}."
        yield Fault(f"{rows[-1].where}, column fixed_share", what, "Make them add to 100, none below 0.")


def _payment_quarters(plan: Plan) -> Iterator[Fault]:
    quarters: dict[str, dict[str, Row]] = {}
    for row in plan["payment_quarters"]:
        try:
            quarter = str(Quarter.parse(row["quarter"] or ""))
        except BettercareError as error:
            yield Fault(f"{row.where}, column quarter", error.what, error.remedy)
            continue
        if row["kind"] in quarters.setdefault(quarter, {}):
            yield Fault(row.where, f"{quarter} has two rows of the kind {row['kind']}.", "Keep one.")
        if row["value"] is not None and (row["value"] < 0 or row["value"] != int(row["value"])):
            yield Fault(
                f"{row.where}, column value", f"{row.text['value']} is not a count.", "Write a whole number, 0 or more."
            )
        quarters[quarter][row["kind"]] = row
    for quarter, rows in quarters.items():
        if len(rows) == 1 and None not in rows:
            kind, row = next(iter(rows.items()))
            missing = "planned" if kind == "baseline" else "baseline"
            yield Fault(row.where, f"{quarter} has no row of the kind {missing}.", "Add one.")
        baseline, planned = rows.get("baseline"), rows.get("planned")
        if baseline and planned and (planned["value"] or 0) > (baseline["value"] or 0):
            what = f"{quarter} plans more admissions than its baseline."
            yield Fault(f"{planned.where}, column value", what, "Pay for performance pays for fewer.")
    if plan["payment_rule"].rows and not plan["payment_quarters"].rows:
        where = plan["payment_rule"].rows[0].where
        yield Fault(where, "The payment rule has no quarters.", "Add rows to tables/payment_quarters.csv.")


def _money_named(plan: Plan, row: Row, column: str) -> Iterator[Fault]:
    """A place written ``table.row``, or ``effects.scheme.effect``."""
    table, _, name = (row[column] or "").partition(".")
    if not row[column]:
        return
    if table == "effects":
        scheme, _, effect = name.partition(".")
        found = any(each.id == effect and each["scheme"] == scheme for each in plan["effects"])
    else:
        found = table in plan.tables and name in plan[table].by_id
    if not found:
        yield Fault(
            f"{row.where}, column {column}",
            f"There is no {row[column][:60]!r}.",
            "Write a table and a row, such as pool.agreed-2015, or effects, a scheme and its effect.",
        )
