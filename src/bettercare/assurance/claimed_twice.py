"""The same saving claimed in two places, and the same money given twice: each shown with both places, the amount and the source."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bettercare.assurance.fund import FundPosition
from bettercare.assurance.ledger import pence_of
from bettercare.assurance.payment import payment_rule
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.plan.challenge import Challenge, challenge
from bettercare.plan.challenge.question import money, name_of, rate
from bettercare.plan.figures import Row
from bettercare.vocabulary import PODS


@dataclass(frozen=True)
class Place:
    """One of the places."""

    name: str
    pence: int | None
    """None where the plan gives no amount."""
    source: str


@dataclass(frozen=True)
class ClaimedTwice:
    """A saving, or money, that stands in two places."""

    id: str
    saving: str
    first: Place
    second: Place
    pence: int | None
    """The most that may be counted twice; None where it cannot be priced."""
    why: str
    found_in: str
    """stated (the plan's papers put the two side by side), derived (the plan's rows imply it) or ledger (the fund as it stands)."""


def claimed_twice(plan: Plan, fund: FundPosition | None = None) -> tuple[ClaimedTwice, ...]:
    """Every such pair: those the plan names, those its schemes and its payment rule imply, and those in the fund as it stands."""
    return (*_named(plan), *_paid_and_saved(plan), *_same_activity(plan), *_given_and_held(plan, fund))


def _named(plan: Plan) -> Iterator[ClaimedTwice]:
    for row in plan["same_saving"]:
        first, second = _place(plan, row["first"]), _place(plan, row["second"])
        yield ClaimedTwice(
            row.id,
            row["saving"],
            first,
            second,
            _least(first.pence, second.pence),
            row["why"],
            "stated",
        )


def _paid_and_saved(plan: Plan) -> Iterator[ClaimedTwice]:
    """Admissions that earn pay for performance are also booked as a saving of the hospital's."""
    row = next(iter(plan["payment_rule"]), None)
    rule = payment_rule(plan)
    if row is None or rule is None:
        return
    priced = plan["rates"].by_id[row["price"]]
    schemes, saved = [], 0
    for effect in plan["effects"]:
        followed = next(
            (
                each
                for each in plan["effects"]
                if each["scheme"] == effect["scheme"] and each.id == effect["follows"] and each["pod"] == priced["pod"]
            ),
            None,
        )
        pounds = money(plan, effect) if effect["kind"] == "save" and followed is not None else None
        if pounds:
            schemes.append(effect["scheme"])
            saved += round(pounds * 100)
    if not saved:
        return
    names = ", ".join(dict.fromkeys(name_of(plan, "schemes", scheme) for scheme in schemes))
    yield ClaimedTwice(
        "paid-and-saved",
        "The value of the admissions the schemes avoid",
        Place(f"Savings of the schemes: {names}", saved, f"effects of {len(set(schemes))} schemes"),
        Place("Pay for performance of the fund", rule.most, rule.source),
        min(saved, rule.most),
        "The schemes count each admission avoided as a saving at the same price the fund is paid for it. If the fund spends what it earns, "
        "nobody has saved it.",
        "derived",
    )


def _same_activity(plan: Plan) -> Iterator[ClaimedTwice]:
    """Schemes that take from the same activity, sized as if each were alone."""
    for question in challenge(plan):
        if question.kind == "double-counting":
            together = len(question.concerns)
            yield ClaimedTwice(
                question.id,
                f"Activity that {together} schemes each take away",
                Place(
                    ", ".join(name_of(plan, "schemes", scheme) for scheme in question.concerns), None, question.source
                ),
                Place("What is left when each acts on what the others leave", None, "worked from the same rows"),
                _price_of(plan, question),
                question.question,
                "derived",
            )


def _given_and_held(plan: Plan, fund: FundPosition | None) -> Iterator[ClaimedTwice]:
    """Budgets that count on money which is in the risk pool, or has left it."""
    if fund is None or not (fund.to_earn or fund.not_covered):
        return
    yield ClaimedTwice(
        f"given-and-held-{fund.year.replace('/', '-')}",
        "Money of the fund given to schemes and held against missing the target",
        Place(f"Budgets of the schemes, {fund.year}", fund.budget, "ledger"),
        Place(
            f"Risk pool, {fund.year}: still held, or released to commissioners",
            fund.risk_pool + fund.released,
            "ledger",
        ),
        fund.to_earn + fund.not_covered,
        "The schemes' budgets and the reserve together are more than the fund: the difference is given to schemes and counts on pay for "
        "performance. What is released to the commissioners cannot also be spent by the schemes.",
        "ledger",
    )


def _place(plan: Plan, name: str) -> Place:
    table, _, rest = name.partition(".")
    if table == "effects":
        scheme, _, effect = rest.partition(".")
        row = next(each for each in plan["effects"] if each["scheme"] == scheme and each.id == effect)
        pounds = money(plan, row)
        words = f"Saving of {name_of(plan, 'schemes', scheme)}"
        return Place(words, None if pounds is None else round(pounds * 100), _source(row))
    row = plan[table].by_id[rest]
    try:
        pence: int | None = pence_of(row)
    except BettercareError:
        pence = None
    return Place(_words(table, row), pence, _source(row))


def _words(table: str, row: Row) -> str:
    named: Sequence[object] = (row["name"] or row["line"] or (row["kind"] or "").replace("-", " ").capitalize(),)
    when = row["year"] or row["period"]
    return ", ".join(str(part) for part in (*named, when) if part) or f"{table} {row.id}"


def _source(row: Row) -> str:
    return ", ".join(filter(None, (row["source"], row["where"])))


def _price_of(plan: Plan, question: Challenge) -> int | None:
    """The overlap of a question at the unit cost of its activity; None where it is not a count with a price."""
    overlap = question.figures["overlap"]
    for effect in plan["effects"]:
        if not (effect["scheme"] in question.concerns and effect["organisation"] and effect["pod"]):
            continue
        if effect["unit"] == overlap.unit == PODS[effect["pod"]].unit:
            cost = rate(plan, "unit-cost", effect["organisation"][0], effect["pod"])
            if cost is not None and f"{effect['organisation'][0]}-{effect['pod']}" == question.id.partition(":")[2]:
                return round(overlap.value * pence_of(cost))
    return None


def _least(first: int | None, second: int | None) -> int | None:
    known = [pence for pence in (first, second) if pence is not None]
    return min(known) if len(known) == 2 else None
