"""Capital: return against payback, against the savings it makes possible, its value today, and where it comes from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

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
    judged,
    listed,
    money,
    percent,
)
from bettercare.plan.figures import Row
from bettercare.vocabulary import FinancialYear, pounds

if TYPE_CHECKING:
    from bettercare.plan.plan import Plan


def payback_and_return(plan: Plan) -> Iterator[Challenge]:
    """A payback that is not one over the return, and programmes that print the same pair."""
    printed = [row for row in plan["capital_programmes"] if row["roi"] and row["payback"]]
    for row in printed:
        years, (low, high) = judged(plan, f'1 / capital_programmes["{row.id}"].roi')
        stated, (shortest, longest) = judged(plan, f'capital_programmes["{row.id}"].payback / year')
        if low <= longest and shortest <= high:
            continue
        yield ask(
            plan,
            "payback-and-return",
            row.id,
            "question" if abs(stated / years - 1) > 0.05 else "look",
            f"{row['name']} is to return {row.text['roi']}% a year, which pays the capital back in {years:.1f} years; "
            f"the plan prints {row.text['payback']} years. Which is right, and is either after running costs or discounted?",
            used=[("capital_programmes", row)],
            concerns=[row.id],
            figures={
                "return": Quantity(row["roi"], "%"),
                "payback printed": Quantity(row["payback"], "years"),
                "payback from the return": Quantity(years, "years"),
            },
        )
    twins: dict[tuple[float, float], list[Row]] = {}
    for row in printed:
        twins.setdefault((row["roi"], row["payback"]), []).append(row)
    for (roi, payback), rows in twins.items():
        if len(rows) > 1:
            yield ask(
                plan,
                "payback-and-return",
                f"{rows[0].id}-same",
                "question",
                f"{listed([row['name'] for row in rows])} print the same return ({roi:g}%) and the same payback ({payback:g} years) to the last digit. "
                "Were they worked out apart, or copied?",
                used=[("capital_programmes", row) for row in rows],
                concerns=[row.id for row in rows],
                figures={"return": Quantity(roi, "%"), "payback": Quantity(payback, "years")},
            )


def _sharing(plan: Plan) -> list[list[Row]]:
    """Capital programmes grouped so that no scheme's savings are counted for two groups."""
    groups: list[tuple[set[str], list[Row]]] = []
    for row in plan["capital_programmes"]:
        schemes = set(parts(row["schemes"] or "")) | {
            e["scheme"] for e in effects(plan, "build") if e["programme"] == row.id
        }
        mine = [group for group in groups if group[0] & schemes]
        merged = (schemes.union(*(group[0] for group in mine)), [found for group in mine for found in group[1]] + [row])
        groups = [group for group in groups if group not in mine] + [merged]
    return [rows for _, rows in groups]


def _schemes(plan: Plan, programmes: Sequence[Row]) -> list[str]:
    names = {row.id for row in programmes}
    made_possible = [scheme for row in programmes for scheme in parts(row["schemes"] or "")]
    return list(dict.fromkeys(made_possible + [e["scheme"] for e in effects(plan, "build") if e["programme"] in names]))


def _flows(plan: Plan, programmes: Sequence[Row], kind: str) -> list[Row]:
    names = {row.id for row in programmes}
    return [row for row in plan["capital"] if row["programme"] in names and row["kind"] == kind and row["value"]]


def return_against_savings(plan: Plan) -> Iterator[Challenge]:
    """The saving a return implies, against the savings of the schemes the capital makes possible."""
    for programmes in _sharing(plan):
        implied, used = _implied(plan, programmes)
        schemes = _schemes(plan, programmes)
        savings = [row for row in effects(plan, "save") if row["scheme"] in schemes and money(plan, row)]
        total = sum(money(plan, row) or 0.0 for row in savings)
        if implied <= 0 or abs(total / implied - 1) < 0.02:
            continue
        names = listed([row["name"] for row in programmes])
        if not savings:
            yield ask(
                plan, "return-without-saving", programmes[0].id, "question",
                f"The return printed for {names} is worth {pounds(implied)} a year, and no scheme of the plan counts that saving. "
                "Is it in other schemes' savings, or over and above the plan?",
                used=used, concerns=[row.id for row in programmes], figures={"saving the return implies": Quantity(implied, "GBP")},
            )  # fmt: skip
            continue
        asked = "what else do those savings rest on?" if total > implied else "where is the rest of the return?"
        yield ask(
            plan,
            "return-against-savings",
            programmes[0].id,
            "question" if not 0.5 <= total / implied <= 2 else "look",
            f"The returns printed for {names} are worth {pounds(implied)} a year; the schemes they make possible save {pounds(total)}: {asked}",
            used=[*used, *(("effects", row) for row in savings)],
            concerns=[*(row.id for row in programmes), *schemes],
            figures={
                "saving the return implies": Quantity(implied, "GBP"),
                "saving of the schemes": Quantity(total, "GBP"),
            },
        )


def value_today(plan: Plan) -> Iterator[Challenge]:
    """Net present value of capital and the savings it makes possible, discounted to the base year at the plan's rate.

    Value = sum over years of (saving - spend + disposals) / (1 + rate) ** (year - base year) (HM Treasury Green Book). The saving
    is that of the schemes the capital makes possible or the printed return, whichever is less, kept up for the life of the asset
    from the first year any is in place (from the year after the last spending where there is only a return). Undated flows fall
    in the plan's last year.
    """
    rate = plan["parameters"].by_id.get("discount-rate")
    if rate is None:
        return
    for programmes in _sharing(plan):
        spend, disposals = _flows(plan, programmes, "spend"), _flows(plan, programmes, "disposal")
        schemes = _schemes(plan, programmes)
        savings = [row for row in effects(plan, "save") if row["scheme"] in schemes and money(plan, row)]
        lives = [row for row in programmes if row["life"]]
        life = int(max((row["life"] for row in lives), default=0))
        implied, _ = _implied(plan, programmes)
        if not spend or not life or not (savings or implied):
            continue
        discount = 1 + base(rate)
        cost = sum(base(row) * discount ** -(_year(plan, row) - plan.base_year) for row in spend + disposals)
        total = sum(money(plan, row) or 0.0 for row in savings)
        if total:
            part = min(1.0, implied / total) if implied else 1.0
            benefit = part * sum(_benefit(plan, row, life, discount) for row in savings)
            counted = "the return printed is worth" if part < 0.98 else "the schemes it makes possible save"
        else:
            opens = max(_year(plan, row) for row in spend) - plan.base_year + 1
            benefit = implied * sum(discount**-year for year in range(opens, opens + life))
            counted = "the return printed is worth"
        yield _value(plan, programmes, [*spend, *disposals], savings, rate, life, cost, benefit, counted, lives)


def _value(
    plan: Plan,
    programmes: Sequence[Row],
    flows: Sequence[Row],
    savings: Sequence[Row],
    rate: Row,
    life: int,
    cost: float,
    benefit: float,
    counted: str,
    lives: Sequence[Row],
) -> Challenge:
    net, needed = benefit - cost, cost / benefit
    severity: Severity = "serious" if net < 0 else "question" if needed > 0.5 else "look"
    if net < 0:
        asked = (
            f"It would take {percent(needed)} of the saving planned to repay it: is there another reason to spend it?"
        )
    elif cost > 0:
        asked = f"The gain is gone if less than {percent(needed)} of it comes: how sure is it, and does all of it need this capital?"
    else:
        asked = "The land sold is worth more than the building costs: how firm is its price?"
    return ask(
        plan,
        "net-present-value",
        programmes[0].id,
        severity,
        f"{listed([row['name'] for row in programmes])}: over {life} years at {percent(base(rate))} a year the capital costs {pounds(cost)} "
        f"in today's money and {counted} {pounds(benefit)}, {'a gain' if net >= 0 else 'a loss'} of {pounds(abs(net))}. {asked}",
        used=[
            ("parameters", rate),
            *(("capital_programmes", row) for row in lives),
            *(("capital", row) for row in flows),
            *(("effects", row) for row in savings),
        ],
        concerns=[*(row.id for row in programmes), *_schemes(plan, programmes)],
        figures={
            "cost today": Quantity(cost, "GBP"),
            "saving today": Quantity(benefit, "GBP"),
            "net present value": Quantity(net, "GBP"),
            "share of the saving needed": Quantity(needed * 100, "%"),
        },
    )


def _implied(plan: Plan, programmes: Sequence[Row]) -> tuple[float, list[Used]]:
    """The yearly saving the printed returns of some programmes are worth; nothing where one prints none."""
    total, used = 0.0, list[Used]()
    for row in programmes:
        if not row["roi"]:
            return 0.0, []
        flows = _flows(plan, [row], "spend") + (_flows(plan, [row], "disposal") if row["roi_on"] == "net" else [])
        total += row["roi"] / 100 * sum(map(base, flows))
        used += [("capital_programmes", row), *(("capital", flow) for flow in flows)]
    return total, used


def _year(plan: Plan, row: Row) -> FinancialYear:
    return FinancialYear.parse(row["year"]) if row["year"] else plan.last_year


def _benefit(plan: Plan, effect: Row, life: int, discount: float) -> float:
    shares = in_place(plan, effect)
    first = next((position for position, share in enumerate(shares.values()) if share > 0), None)
    if first is None:
        return 0.0
    steps = list(shares.values())
    steps += [steps[-1]] * (first + life - len(steps))
    return sum(
        (money(plan, effect) or 0.0) * share * discount**-position
        for position, share in enumerate(steps[: first + life])
    )


def where_capital_comes_from(plan: Plan) -> Iterator[Challenge]:
    """How much of the capital waits for land to be sold, private finance, gifts and national money not yet granted."""
    sold = [row for row in plan["capital"] if row["kind"] == "disposal" and row["value"]]
    spent = [row for row in plan["capital"] if row["kind"] == "spend" and row["value"]]
    if sold and spent:
        disposals, spend = -sum(map(base, sold)), sum(map(base, spent))
        by_programme = {
            row.id: (
                -sum(base(flow) for flow in sold if flow["programme"] == row.id),
                sum(base(flow) for flow in spent if flow["programme"] == row.id),
            )
            for row in plan["capital_programmes"]
        }
        beyond = [name for name, (out, into) in by_programme.items() if out > into > 0]
        late = [row for row in sold if row["year"] == str(plan.last_year)]
        question = f"{pounds(disposals)} of {pounds(spend)} of capital ({percent(disposals / spend)}) is to come from selling land and buildings"
        question += f", {percent(-sum(map(base, late)) / disposals)} of it in the last year" if late else ""
        question += (
            f"; {listed([str(plan['capital_programmes'].by_id[name]['name']) for name in beyond])} sells more than it spends"
            if beyond
            else ""
        )
        yield ask(
            plan, "disposals", "", "question" if disposals > 0.1 * spend else "look",
            f"{question}. Are these prices for empty sites with permission to build, and what stops if a sale is late?",
            used=[("capital", row) for row in sold], concerns=[name for name, (out, _) in by_programme.items() if out],
            figures={"disposals": Quantity(disposals, "GBP"), "capital": Quantity(spend, "GBP"), "share": Quantity(disposals / spend * 100, "%")},
        )  # fmt: skip
    yield from _funding(plan)


_UNCERTAIN = {
    "private-finance": "private finance",
    "disposal": "disposals",
    "charitable-or-commercial": "charity or commerce",
    "local-authority": "local authorities",
    "national-capital": "national capital",
}


def _funding(plan: Plan) -> Iterator[Challenge]:
    for group in dict.fromkeys(row["group"] for row in plan["capital_funding"]):
        rows = plan["capital_funding"].where(group=group)
        needed = _totals([row for row in rows if row["kind"] == "requirement"])
        total = sum(map(base, needed))
        found = {kind: _totals([row for row in rows if row["kind"] == kind]) for kind in _UNCERTAIN}
        amounts = {kind: abs(sum(map(base, of_kind))) for kind, of_kind in found.items() if of_kind}
        waiting = sum(amounts.values())
        if not total or not waiting:
            continue
        spoken = listed(
            [
                f"{pounds(value)} from {_UNCERTAIN[kind]}"
                for kind, value in sorted(amounts.items(), key=lambda item: -item[1])
            ]
        )
        yield ask(
            plan,
            "capital-not-secured",
            group.lower().replace(" ", "-"),
            "serious" if waiting > 0.5 * total else "question",
            f"{percent(waiting / total)} of the {pounds(total)} in the capital funding table {group!r} is money others must still give: {spoken}. "
            "Which of it is granted, and what is built if it is not?",
            used=[
                ("capital_funding", row) for row in [*needed, *(row for of_kind in found.values() for row in of_kind)]
            ],
            concerns=[group],
            figures={
                "needed": Quantity(total, "GBP"),
                **{_UNCERTAIN[kind]: Quantity(value, "GBP") for kind, value in amounts.items()},
            },
        )


def _totals(rows: list[Row]) -> list[Row]:
    """The printed total of each line, or its years where no total is printed."""
    lines = dict.fromkeys(row["line"] for row in rows)
    chosen = []
    for line in lines:
        of_line = [row for row in rows if row["line"] == line]
        chosen += [row for row in of_line if not row["year"]] or of_line
    return chosen
