"""The pooled fund: where it stands, its ledger, pay for performance, overspends, risk sharing, and what is claimed twice."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from fastapi import Depends, Path, Query
from pydantic import BaseModel, Field

from bettercare.assurance import Assessment
from bettercare.assurance.chain import check_ref
from bettercare.assurance.claimed_twice import ClaimedTwice, claimed_twice
from bettercare.assurance.fund import FundPosition
from bettercare.assurance.ledger import (
    MOST,
    Entry,
    account_name,
    entry,
    opening,
    reversal,
    statement,
    trial_balance,
)
from bettercare.assurance.overspend import Cover, Share, present
from bettercare.assurance.overspend import entries as covering
from bettercare.assurance.payment import PaymentRule, QuarterPayment, month_admissions, payment_rule
from bettercare.assurance.sharing import Case, Given, cases
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Missing
from bettercare.vocabulary import FinancialYear
from bettercare.web.api.routing import Assessed, Id, Limit, Start, changing, of_plan
from bettercare.web.api.shapes import REFERENCE, Body, Rows, body_of, many, part_of, record_of, shape, takes
from bettercare.web.guard import Reader, Visitor, needs
from bettercare.web.pages.budget import fund_of, mark_of, overspend_places, post_entries, proposed_payments
from bettercare.web.state import Deployed

Treasurer = Annotated[Visitor, Depends(needs("money"))]
Year = Annotated[str, Path(description="Financial year, with a hyphen", pattern=r"^\d{4}-\d{2}$", examples=["2015-16"])]

router = of_plan("Pooled fund")


def _year(text: str) -> str:
    return text.replace("-", "/")


def _fund(assessment: Assessment, year: str = "") -> FundPosition:
    fund = fund_of(assessment, _year(year))
    if fund is None:
        raise Missing("The plan has no money in its ledger.", remedy="Open a year of its fund.")
    return fund


@router.get("/fund/{year}", response_model=shape(FundPosition))
def fund(visitor: Reader, assessment: Assessed, year: Year) -> Any:
    """The fund in a year, in pence: contributions, each scheme's budget, spend by month, forecast and variance."""
    return _fund(assessment, year)


@router.post("/fund/{year}/opening", response_model=list[Entry], status_code=201)
def open_fund(visitor: Treasurer, assessment: Assessed, deployed: Deployed, year: Year) -> Any:
    """Put the opening entries of a year in the ledger: contributions, reserve and budgets, as the plan gives them."""
    if _year(year) in assessment.years:
        raise Conflict(f"The ledger has entries of {_year(year)} already.", "Look at the ledger.")
    made = opening(assessment.plan, _year(year))
    post_entries(deployed, visitor, made, mark_of(made), f"Opened {_year(year)}")
    return _stored(assessment, deployed, made)


# --- the ledger -----------------------------------------------------------------------------------------------------------


@router.get("/ledger", response_model=Rows[Entry])
def ledger(
    visitor: Reader,
    assessment: Assessed,
    account: Annotated[str, Query(description="That leave or reach this account", max_length=200)] = "",
    year: Annotated[str, Query(description="Of this financial year", max_length=7, examples=["2015/16"])] = "",
    kind: Annotated[str, Query(description="Of this kind", max_length=40)] = "",
    start: Start = 0,
    limit: Limit = 100,
) -> Any:
    """The entries in order of date."""
    entries = assessment.registers.entries
    if account:
        found = [posting.entry for posting in statement(entries, account)]
    else:
        found = sorted(entries, key=lambda one: (one.on, one.id))
    return part_of([one for one in found if year in ("", one.year) and kind in ("", one.kind)], start, limit)


class AccountOut(BaseModel):
    """An account of the fund, in pence."""

    account: str = Field(examples=["scheme:hdr1"])
    name: str
    paid_in: int
    paid_out: int
    balance: int = Field(description="The balances of all accounts add up to nothing")


@router.get("/accounts", response_model=list[AccountOut])
def account_balances(visitor: Reader, assessment: Assessed) -> Any:
    """Every account that money has passed through by the data date, with its balance."""
    return [
        {
            "account": one.account, "name": account_name(assessment.plan, one.account), "paid_in": one.paid_in, "paid_out": one.paid_out,
            "balance": one.balance,
        }
        for one in trial_balance(assessment.registers.entries, assessment.on)
    ]  # fmt: skip


_ENTRY = body_of(
    Entry, ("on", "kind", "from_account", "to_account", "pence", "because", "note"), "EntryIn",
    {"on": "2016-01-29", "kind": "spend", "from_account": "scheme:hdr1", "to_account": "spent:hdr1", "pence": 1250000, "id": "invoice-4711"},
    again=False, id=(str, REFERENCE),
)  # fmt: skip


@router.post("/ledger", response_model=Entry, status_code=201)
@takes(_ENTRY)
def enter_money(visitor: Treasurer, assessment: Assessed, deployed: Deployed, body: Any) -> Any:
    """Move money from one account to another. An entry is never changed or removed: a mistake is reversed."""
    sent = record_of(Entry, **body.model_dump(), plan=assessment.plan.id, year=str(FinancialYear.of(body.on)))
    made = entry(
        assessment.plan, on=sent.on, kind=sent.kind, from_account=sent.from_account, to_account=sent.to_account, pence=sent.pence,
        because=check_ref(assessment, sent.because) if sent.because else "", note=sent.note, id=sent.id,
    )  # fmt: skip
    with changing(deployed, visitor) as change:
        return change.add(made)


class ReversalIn(Body):
    """What a correction needs."""

    on: date = Field(description="Date of the correction")
    why: str = Field(description="What was wrong", min_length=1, max_length=2000)


@router.post("/ledger/{id}/reversal", response_model=Entry, status_code=201)
def reverse_entry(visitor: Treasurer, assessment: Assessed, deployed: Deployed, id: Id, body: ReversalIn) -> Any:
    """Undo an entry by one the other way round, in the same financial year."""
    wrong = next((one for one in assessment.registers.entries if one.id == id), None)
    if wrong is None:
        raise Missing(f"There is no ledger entry {id!r}.", remedy="Look in the ledger.")
    sent = record_of(Entry, **wrong.model_dump() | {"note": body.why})
    made = reversal(wrong, body.on, sent.note, assessment.registers.entries)
    with changing(deployed, visitor, made.note) as change:
        return change.add(made)


def _stored(assessment: Assessment, deployed: Deployed, made: tuple[Entry, ...]) -> list[Entry]:
    """Entries as they now are in the store."""
    ids = {one.id for one in made}
    return [one for one in deployed.assessment(assessment.plan.id).registers.entries if one.id in ids]


# --- pay for performance --------------------------------------------------------------------------------------------------


class PaymentsOut(BaseModel):
    """Pay for performance."""

    rule: shape(PaymentRule) | None = Field(description="Null when the plan has none")  # type: ignore[valid-type]
    quarters: list[shape(QuarterPayment)]  # type: ignore[valid-type]
    proposed: list[Entry] = Field(description="What the quarters known still have to move")
    seen: str = Field(description="Stands for the entries proposed: send it to put exactly these in the ledger")


class Seen(Body):
    """What shows that the entries to be posted are those that were looked at."""

    seen: str = Field(description="As it was read beside the entries proposed", max_length=64)


@router.get("/payments", response_model=PaymentsOut)
def payments(visitor: Reader, assessment: Assessed) -> Any:
    """Each quarter of pay for performance, and the entries that follow from it."""
    proposed = proposed_payments(assessment)
    return {
        "rule": payment_rule(assessment.plan), "quarters": assessment.payments, "proposed": proposed, "seen": mark_of(proposed)
    }  # fmt: skip


@router.post("/payments", response_model=list[Entry], status_code=201)
def post_payments(visitor: Treasurer, assessment: Assessed, deployed: Deployed, body: Seen) -> Any:
    """Put what the quarters known still have to move in the ledger."""
    made = proposed_payments(assessment)
    if not made:
        raise Conflict("Every quarter known is in the ledger already.", "Look at the ledger.")
    post_entries(deployed, visitor, made, body.seen, "Pay for performance")
    return _stored(assessment, deployed, made)


# --- an overspend ---------------------------------------------------------------------------------------------------------


class OverspendOut(BaseModel):
    """An overspend, and what meets it by the rule."""

    cover: shape(Cover)  # type: ignore[valid-type]
    proposed: list[Entry] = Field(description="The entries that would carry it out")
    seen: str = Field(description="Stands for the entries proposed: send it to put exactly these in the ledger")


class OverspendIn(Seen):
    """An overspend to be met."""

    pence: int | None = Field(None, description="Null for the overspends now forecast", ge=1, le=MOST)
    account: str = Field("pool", description="Where it falls: pool, or the account of a scheme", max_length=200)
    share: Share | None = Field(None, description="How the partners share what is left; null for the rule's own")
    because: str = Field(description="The decision it follows from", max_length=200, examples=["decision:327(b)"])


def _worked(
    assessment: Assessment, year: str, pence: int | None, account: str, share: Share | None
) -> tuple[Cover, tuple[Entry, ...]]:
    if account not in dict(overspend_places(assessment)["accounts"]):
        raise BettercareError(
            f"An overspend cannot fall on {account!r}.",
            remedy="Choose pool, or the account of a scheme, such as scheme:hdr1.",
        )
    plan, entries = assessment.plan, assessment.registers.entries
    cover = present(plan, _fund(assessment, year), entries, assessment.payments, pence, account, share)
    return cover, covering(plan, cover, assessment.on, ledger=entries) if cover.total else ()


@router.get("/fund/{year}/overspend", response_model=OverspendOut)
def overspend(
    visitor: Reader,
    assessment: Assessed,
    year: Year,
    pence: Annotated[
        int | None, Query(description="An overspend to try; without it, those now forecast", ge=1, le=MOST)
    ] = None,
    account: Annotated[
        str, Query(description="Where it falls: pool, or the account of a scheme", max_length=200)
    ] = "pool",
    share: Annotated[
        Share | None, Query(description="How the partners share what is left; without it, by the rule's own")
    ] = None,
) -> Any:
    """The rule for an overspend, worked on the fund as it stands or on an amount to try."""
    cover, proposed = _worked(assessment, year, pence, account, share)
    return {"cover": cover, "proposed": proposed, "seen": mark_of(proposed)}


@router.post("/fund/{year}/overspend", response_model=list[Entry], status_code=201)
def post_overspend(visitor: Treasurer, assessment: Assessed, deployed: Deployed, year: Year, body: OverspendIn) -> Any:
    """Carry the rule out: move the money that meets the overspend."""
    because = check_ref(assessment, body.because)
    _, seen = _worked(assessment, year, body.pence, body.account, body.share)
    if not seen:
        raise Conflict("There is nothing to move.", "Look at the fund as it stands.")
    synthetic = _fund(assessment, year).synthetic
    made = tuple(each.model_copy(update={"because": because, "synthetic": synthetic}) for each in seen)
    post_entries(deployed, visitor, made, body.seen, "Overspend rule")
    return _stored(assessment, deployed, made)


# --- risk sharing, and what is claimed twice ------------------------------------------------------------------------------


@router.get("/sharing", response_model=many(Case))
def sharing(
    visitor: Reader,
    assessment: Assessed,
    exempt: Annotated[list[date] | None, Query(description="First days of months in which something outside the plan's control happened", max_length=12)] = None,
    avoided: Annotated[int | None, Query(description="Admissions the schemes avoided; without it, as planned", ge=0, le=10**6)] = None,
    demand: Annotated[int | None, Query(description="Admissions from growing demand; without it, those that explain what was counted", ge=0, le=10**6)] = None,
    more_care_at_home: Annotated[int, Query(description="Per cent by which home care and reablement run above budget", ge=0, le=1000)] = 10,
) -> Any:  # fmt: skip
    """The scenarios of the risk-sharing agreement, worked as cases."""
    fund = fund_of(assessment)
    if fund is None:
        return []
    rule = payment_rule(assessment.plan)
    known = assessment.judgements[rule.metric].actuals if rule and rule.metric in assessment.judgements else ()
    admissions = month_admissions(known, rule.metric) if rule else {}
    given = Given(tuple(exempt or ()), avoided, demand, more_care_at_home)
    return cases(assessment.plan, fund, assessment.registers.entries, admissions, given)


@router.get("/claimed-twice", response_model=many(ClaimedTwice))
def savings_claimed_twice(visitor: Reader, assessment: Assessed) -> Any:
    """Savings and money that stand in two places."""
    return claimed_twice(assessment.plan, fund_of(assessment))
