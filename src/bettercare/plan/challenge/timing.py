"""What is promised before what it needs: dates, dependencies and the pace of change."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING

from bettercare.errors import BettercareError
from bettercare.plan.cells import parts
from bettercare.plan.challenge.question import (
    Challenge,
    Quantity,
    Severity,
    Used,
    ask,
    base,
    effects,
    in_place,
    listed,
    money,
    name_of,
    percent,
    scheme_names,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import UNITS, FinancialYear, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan, Scheme

_BENEFITS = ("avoid", "shift", "shorten", "save")


def _benefits(scheme: Scheme) -> list[Row]:
    return [effect for effect in scheme.effects if effect["kind"] in _BENEFITS]


def _progress(plan: Plan, scheme: Scheme) -> dict[str, float] | None:
    """How far a scheme has come each year: its slowest effect, else the part of its milestones that are past."""
    effects = [in_place(plan, effect) for effect in scheme.effects if effect["kind"] not in ("build", "invest")]
    if effects:
        return {year: min(shares[year] for shares in effects) for year in plan.years}
    due = [FinancialYear.of(row["due"]) for row in _milestones(plan, scheme) if row["due"]]
    return {year: sum(str(when) <= year for when in due) / len(due) for year in plan.years} if due else None


def _just_before(plan: Plan, shares: dict[str, float], year: str) -> float:
    position = plan.years.index(year)
    return shares[plan.years[position - 1]] if position else 0.0


def _milestones(plan: Plan, scheme: Scheme) -> list[Row]:
    return [
        row for row in plan["milestones"] if row["scheme"] == scheme.id or row.id in (scheme.row["milestones"] or ())
    ]


def before_what_it_requires(plan: Plan) -> Iterator[Challenge]:
    """A scheme's benefit further on than, or complete in the same year as, the schemes it requires."""
    schemes = {scheme.id: scheme for scheme in plan.schemes}
    undated: dict[str, list[str]] = {}
    for scheme in plan.schemes:
        mine = [in_place(plan, effect) for effect in _benefits(scheme)]
        early: dict[str, tuple[float, str]] = {}
        level: dict[str, str] = {}
        for name in scheme.requires:
            theirs = _progress(plan, schemes[name])
            if theirs is None:
                undated.setdefault(name, []).append(scheme.id)
                continue
            ahead = (
                max(
                    ((max(shares[year] for shares in mine) - theirs[year], year) for year in plan.years),
                    default=(0.0, ""),
                )
                if mine
                else (0.0, "")
            )
            full = next((year for year, share in theirs.items() if share >= 1), None)
            if ahead[0] > 0.01:
                early[name] = ahead
            elif full and any(shares[full] >= 1 and _just_before(plan, shares, full) < 1 for shares in mine):
                level[name] = full
        named = list(early or level)
        if not named:
            continue
        if early:
            spoken = listed([f"{name_of(plan, 'schemes', name)} in {year}" for name, (_, year) in early.items()])
            question = (
                f"{scheme.name} is counted further on than what it waits for: {spoken}. What is delivered without it?"
            )
        else:
            spoken = listed([f"{name_of(plan, 'schemes', name)} ({year})" for name, year in level.items()])
            question = f"{scheme.name} is complete in the same year as what it waits for: {spoken}. What if that is a year late?"
        severity: Severity = (
            "look" if not early else "serious" if max(gap for gap, _ in early.values()) > 0.5 else "question"
        )
        yield ask(
            plan,
            "before-what-it-requires",
            scheme.id,
            severity,
            question,
            used=[
                *(("effects", effect) for effect in _benefits(scheme)),
                *(("effects", effect) for name in named for effect in schemes[name].effects),
            ],
            concerns=[scheme.id, *named],
        )
    for name, waiting in undated.items():
        yield ask(
            plan,
            "before-what-it-requires",
            f"{name}-undated",
            "question",
            f"{scheme_names(plan, waiting)} {'waits' if len(waiting) == 1 else 'wait'} for {name_of(plan, 'schemes', name)}, "
            "for which the plan gives no dated effect or milestone. By when must it be there, and in what state?",
            used=[("schemes", schemes[name].row), *(("schemes", schemes[other].row) for other in waiting)],
            concerns=[name, *waiting],
        )


def before_it_is_built(plan: Plan) -> Iterator[Challenge]:
    """Benefit that runs ahead of the capital spending it waits for."""
    for scheme in plan.schemes:
        for build in (effect for effect in scheme.effects if effect["kind"] == "build"):
            spend = [
                row
                for row in plan["capital"].where(programme=build["programme"], kind="spend")
                if row["value"] and row["year"]
            ]
            total = sum(map(base, spend))
            if not total:
                continue
            found = [
                (effect, ahead)
                for effect in _benefits(scheme)
                if (ahead := _ahead(plan, effect, spend, total)) is not None
            ]
            # Money first where money and activity are equally far ahead: it is what the board counts on.
            found.sort(key=lambda pair: (pair[1][3] - pair[1][1], pair[0]["kind"] != "save"))
            for effect, (year, share, by_then, before) in found[:1]:
                severity: Severity = "serious" if share > by_then + 1e-9 else "question"
                left = 1 - before
                yield ask(
                    plan,
                    "before-it-is-built",
                    f"{scheme.id}-{build['programme']}",
                    severity,
                    f"{percent(share)} of what {scheme.name} is to give ({effect.id}) is counted in {year}, a year that begins with {percent(left)} of "
                    f"the {pounds(total)} of {name_of(plan, 'capital_programmes', build['programme'])} still to be spent. "
                    "What is open in that year, and from which month?",
                    used=[("effects", effect), *(("capital", row) for row in spend)],
                    concerns=[scheme.id, build["programme"]],
                    figures={
                        "share of the benefit counted": Quantity(share * 100, "%"),
                        "spent before the year": Quantity(before * 100, "%"),
                        "spent by the end of the year": Quantity(by_then * 100, "%"),
                    },
                )


def _ahead(plan: Plan, effect: Row, spend: list[Row], total: float) -> tuple[str, float, float, float] | None:
    """The year a benefit is furthest ahead of the spending done before it: year, share, spent by its end, spent before."""
    worst: tuple[float, tuple[str, float, float, float]] | None = None
    for year, share in in_place(plan, effect).items():
        before = sum(base(row) for row in spend if row["year"] < year) / total
        by_then = sum(base(row) for row in spend if row["year"] <= year) / total
        gap = share - before
        if share > 0 and gap > 0.01 and (worst is None or gap > worst[0]):
            worst = gap, (year, share, by_then, before)
    return worst[1] if worst else None


def before_its_milestones(plan: Plan) -> Iterator[Challenge]:
    """Benefit counted in a year that ends before the scheme's first milestone, or full before its last."""
    for scheme in plan.schemes:
        due = sorted((row for row in _milestones(plan, scheme) if row["due"]), key=lambda row: row["due"])
        for effect in _benefits(scheme) if due else ():
            shares = in_place(plan, effect)
            first = next((year for year, share in shares.items() if share > 0), None)
            full = next((year for year, share in shares.items() if share >= 1), None)
            if first and FinancialYear.parse(first).last_day < due[0]["due"]:
                what, milestone, year = "counts benefit", due[0], first
            elif full and FinancialYear.parse(full).last_day < due[-1]["due"]:
                what, milestone, year = "counts its full benefit", due[-1], full
            else:
                continue
            yield ask(
                plan,
                "before-its-milestones",
                f"{scheme.id}.{effect.id}",
                "question",
                f"{scheme.name} {what} in {year}, and its milestone {_quoted(milestone)} is due only on {_day(milestone['due'])}. "
                "What gives the benefit until then?",
                used=[("effects", effect), ("milestones", milestone)],
                concerns=[scheme.id, milestone.id],
            )
            break


def milestones_out_of_order(plan: Plan) -> Iterator[Challenge]:
    """A milestone due before one it requires."""
    rows = plan["milestones"].by_id
    for row in plan["milestones"]:
        late = [
            rows[name]
            for name in parts(row["requires"] or "")
            if name in rows and rows[name]["due"] and row["due"] and rows[name]["due"] > row["due"]
        ]
        if late:
            yield ask(
                plan,
                "milestones-out-of-order",
                row.id,
                "serious",
                f"{_quoted(row)} is due on {_day(row['due'])}, before what it needs: "
                f"{listed([_dated(other) for other in late])}. "
                "Which date moves?",
                used=[("milestones", row), *(("milestones", other) for other in late)],
                concerns=[row.id, *(other.id for other in late)],
            )


def _quoted(row: Row) -> str:
    return f"'{row['milestone']}'"


def _dated(row: Row) -> str:
    return f"{_quoted(row)} on {_day(row['due'])}"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def investment_before_release(plan: Plan) -> Iterator[Challenge]:
    """Years in which more has been put in than has come out."""
    put_in: dict[str, float] = dict.fromkeys(plan.years, 0.0)
    taken_out: dict[str, float] = dict.fromkeys(plan.years, 0.0)
    used: list[Used] = []
    for row in plan["investments"]:
        if row["year"] in put_in and UNITS[row["unit"]].is_money:
            put_in[row["year"]] += base(row)
            used.append(("investments", row))
    for effect in effects(plan, "save", "invest"):
        total = money(plan, effect)
        if total:
            used.append(("effects", effect))
            for year, share in in_place(plan, effect).items():
                (put_in if effect["kind"] == "invest" else taken_out)[year] += total * share
    if not any(put_in.values()) or not any(taken_out.values()):
        return
    behind, cumulative = list[str](), 0.0
    for year in plan.years:
        cumulative += taken_out[year] - put_in[year]
        if cumulative < 0:
            behind.append(year)
    first_in = next(year for year in plan.years if put_in[year])
    first_out = next(year for year in plan.years if taken_out[year])
    if not behind and first_out <= first_in:
        return
    last = str(plan.last_year)
    total_in, total_out = sum(put_in.values()), sum(taken_out.values())
    never = last in behind
    yield ask(
        plan,
        "investment-before-release",
        "",
        "question",
        f"Money goes in from {first_in} and savings come out from {first_out}. "
        + (
            f"Over the whole plan {pounds(total_in)} goes in and {pounds(total_out)} comes out: what else is the money to buy, and how will that be seen?"
            if never
            else f"Until the end of {behind[-1] if behind else first_in} more has gone in than come out: who carries the cost till then?"
        ),
        used=used,
        concerns=[],
        figures={
            "put in": Quantity(total_in, "GBP"),
            "taken out": Quantity(total_out, "GBP"),
            "years behind": Quantity(float(len(behind)), "years"),
        },
    )


def savings_late_in_the_plan(plan: Plan) -> Iterator[Challenge]:
    """A last year that must save much more than any year before it."""
    savings = [effect for effect in effects(plan, "save") if money(plan, effect)]
    by_year = {
        year: sum((money(plan, effect) or 0.0) * in_place(plan, effect)[year] for effect in savings)
        for year in plan.years
    }
    values = list(by_year.values())
    steps = [after - before for before, after in pairwise(values)]
    if len(steps) < 3 or steps[-1] <= 0:
        return
    usual = sum(steps[:-1]) / len(steps[:-1])
    if usual <= 0 or steps[-1] < 1.2 * usual:
        return
    late = [effect for effect in savings if list(in_place(plan, effect).values())[-2] < 0.5]
    yield ask(
        plan,
        "savings-late",
        "",
        "question",
        f"The last year must add {pounds(steps[-1])} of yearly saving, {steps[-1] / usual:.1f} times the {pounds(usual)} a year before it"
        + (
            f" (mostly or wholly in that year: {scheme_names(plan, (effect['scheme'] for effect in late))})"
            if late
            else ""
        )
        + ". What has the plan left to fall back on if that year slips?",
        used=[("effects", effect) for effect in savings],
        concerns=[effect["scheme"] for effect in late],
        figures={"added in the last year": Quantity(steps[-1], "GBP"), "added a year before": Quantity(usual, "GBP")},
    )


def trajectories(plan: Plan) -> Iterator[Challenge]:
    """Measures that must change faster than before, turn the wrong way, or end short of the national standard."""
    for metric in plan["metrics"]:
        rows = plan["trajectories"].where(metric=metric.id)
        standard = next((row for row in rows if row["kind"] == "national-standard"), None)
        dated = [(_when(row["at"]), row) for row in rows if row["kind"] != "national-standard"]
        points = sorted(((day, row) for day, row in dated if day is not None), key=lambda point: point[0])
        days = [day for day, _ in points]
        # Several places measured on one day are several series, which the table does not tell apart.
        if len(points) < 2 or len(set(days)) < len(days) or len({row["unit"] for _, row in points}) > 1:
            continue
        up = 1 if metric["better"] == "higher" else -1
        paces = [
            up * (base(b) - base(a)) / ((after - before).days / 365.25) for (before, a), (after, b) in pairwise(points)
        ]
        yield from _pace(plan, metric, [row for _, row in points], paces)
        last = points[-1][1]
        if standard is not None and standard["unit"] == last["unit"] and up * (base(last) - base(standard)) < 0:
            yield ask(
                plan,
                "trajectory",
                f"{metric.id}-short",
                "question",
                f"{metric['name']}: the last figure planned ({last.text['value']} {last['unit']}, {last['at']}) is still short of the national standard "
                f"({standard.text['value']} {standard['unit']}). When is the standard met?",
                used=[("trajectories", last), ("trajectories", standard)],
                concerns=[metric.id],
                figures={
                    "planned": Quantity(last["value"], last["unit"]),
                    "standard": Quantity(standard["value"], standard["unit"]),
                },
            )


def _pace(plan: Plan, metric: Row, rows: list[Row], paces: list[float]) -> Iterator[Challenge]:
    used: list[Used] = [("trajectories", row) for row in rows]
    steps = " to ".join(f"{row.text['value']} ({row['at']})" for row in rows)
    scale = UNITS[rows[0]["unit"]].scale
    figures = {
        f"change a year, step {number}": Quantity(pace / scale, rows[0]["unit"]) for number, pace in enumerate(paces, 1)
    }
    severity: Severity
    if any(pace < 0 for pace in paces):
        question, severity = "It gets worse before the end: is that meant?", "serious"
    elif len(paces) > 1 and paces[0] > 0 and max(paces[1:]) > 1.2 * paces[0]:
        question, severity = (
            f"A later step asks for {max(paces[1:]) / paces[0]:.1f} times the pace of the first: what changes then?",
            "question",
        )
    elif len(paces) == 1 and base(rows[0]) and abs(paces[0]) > 0.1 * abs(base(rows[0])):
        question = f"No earlier trend is shown: has it ever moved by {_change(rows[0], rows[1])}?"
        severity = "question"
    else:
        return
    yield ask(
        plan,
        "trajectory",
        metric.id,
        severity,
        f"{metric['name']} is to go from {steps} in {rows[0]['unit']}. {question}",
        used=used,
        concerns=[metric.id],
        figures=figures,
    )


def _change(first: Row, last: Row) -> str:
    start, end = _when(first["at"]), _when(last["at"])
    moved = abs(float(last["value"]) - float(first["value"]))
    unit = "percentage points" if UNITS[first["unit"]].is_share else first["unit"]
    months = round((end - start).days / 30.44) if start and end else 0
    return f"{moved:,.4g} {unit} in {months} months"


def _when(text: str) -> date | None:
    """The day a figure is for: a date, the last day of a financial year, or of a calendar year."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        pass
    try:
        return FinancialYear.parse(text).last_day
    except BettercareError:
        return date(int(text), 12, 31) if text.isdigit() and len(text) == 4 else None


def recurrent_on_passing_money(plan: Plan) -> Iterator[Challenge]:
    """Recurrent cost met from transformation money that ends, and once-only money given year after year."""
    last = str(plan.last_year)
    transformation = [row for row in plan["funding"].where(kind="transformation") if row["year"] == last]
    listed_here = [
        row
        for row in plan["investments"]
        if row["programme"] in ("national-priority", "local-priority", "other") and UNITS[row["unit"]].is_money
    ]
    lasting = [row for row in listed_here if row["recurrence"] == "recurrent" and row["year"] == last]
    if transformation and lasting:
        given, needed = sum(map(base, transformation)), sum(map(base, lasting))
        yield ask(
            plan,
            "recurrent-on-passing-money",
            "",
            "serious" if needed > 0.5 * given else "question",
            f"{pounds(needed)} of recurrent investment in {last} is met from {pounds(given)} of transformation funding, which is given for a time. "
            "Who pays from the year after?",
            used=[*(("investments", row) for row in lasting), *(("funding", row) for row in transformation)],
            concerns=[row["scheme"] for row in lasting if row["scheme"]],
            figures={"recurrent investment": Quantity(needed, "GBP"), "transformation funding": Quantity(given, "GBP")},
        )
    unnamed = [row for row in lasting if not row["scheme"] and not row["theme"]]
    share = sum(map(base, unnamed)) / sum(map(base, lasting)) if lasting else 0.0
    if share > 0.25:
        yield ask(
            plan, "investment-not-named", "", "question",
            f"{pounds(sum(map(base, unnamed)))} of the {pounds(sum(map(base, lasting)))} of recurrent investment in {last} ({percent(share)}) "
            f"belongs to no scheme ({listed([str(row['line']) for row in unnamed])}). What does it buy?",
            used=[("investments", row) for row in unnamed], figures={"not named": Quantity(sum(map(base, unnamed)), "GBP")},
        )  # fmt: skip
    lines: dict[str, list[Row]] = {}
    for row in plan["investments"]:
        if row["recurrence"] == "non-recurrent" and row["value"]:
            lines.setdefault(row["line"], []).append(row)
    repeated = {line: rows for line, rows in lines.items() if len({row["year"] for row in rows}) >= 3}
    if repeated:
        yield ask(
            plan, "once-only-every-year", "", "look",
            f"Money called non-recurrent is given in three years or more to {listed(list(repeated))}. Is the service it pays for meant to end?",
            used=[("investments", row) for rows in repeated.values() for row in rows],
            concerns=[row["scheme"] for rows in repeated.values() for row in rows if row["scheme"]],
        )  # fmt: skip
