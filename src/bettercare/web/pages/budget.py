"""The pooled fund: where it stands, its ledger, pay for performance, who meets an overspend, and what is claimed twice."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from markupsafe import Markup
from starlette.datastructures import FormData, QueryParams

from bettercare.assurance import Assessment
from bettercare.assurance.chain import check_ref, refs
from bettercare.assurance.claimed_twice import claimed_twice
from bettercare.assurance.fund import RULE, FundPosition
from bettercare.assurance.ledger import (
    Entry,
    account_name,
    accounts,
    entry,
    opening,
    reversal,
    statement,
    sterling,
    trial_balance,
)
from bettercare.assurance.overspend import Share, present
from bettercare.assurance.overspend import entries as covering
from bettercare.assurance.payment import (
    PaymentRule,
    QuarterPayment,
    month_admissions,
    months_of,
    payment_rule,
    proposed,
)
from bettercare.assurance.sharing import Case, Given, cases
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.reports.amounts import money, signed
from bettercare.reports.charts import payment as payment_chart
from bettercare.reports.charts import spend as spend_chart
from bettercare.reports.exhibit import Chart
from bettercare.reports.programme.front import fund_year
from bettercare.reports.programme.signs import NARROW, WIDE
from bettercare.reports.words import sentence
from bettercare.store import Conflict, Missing
from bettercare.vocabulary import FinancialYear
from bettercare.web.forms import Faults, Form, form_of, read_form
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.pages.registers import NEW, Filter, filtered
from bettercare.web.render import done, page, segment
from bettercare.web.state import Assessed, Deployed

router = APIRouter(prefix="/plans/{plan}/budget", include_in_schema=False)

Treasurer = Annotated[Visitor, Depends(needs("money"))]
"""For the signature of a route that moves money."""

ASKED = ("on", "year", "kind", "from_account", "to_account", "pence", "because", "note")
"""Fields of a new entry."""
ROWS = 40
"""Entries on a page of the ledger."""

Facts = tuple[tuple[str, str], ...]


def fund_of(assessment: Assessment, year: str = "") -> FundPosition | None:
    """The fund of a year; of the present year when none is asked for.

    Raises:
        Missing: the ledger has nothing in that year.
    """
    year = year or fund_year(assessment)
    if not year:
        return None
    if year not in assessment.years:
        raise Missing(f"The ledger has no money in {year[:20]!r}.", remedy=f"It has {', '.join(assessment.years)}.")
    return assessment.fund(year)


def short(pence: int) -> str:
    """Pence in pounds, rounded as a reader takes them in: £38.6m."""
    return money(pence / 100)


def _years(assessment: Assessment, chosen: str) -> list[tuple[str, list[tuple[str, str, bool, None]]]]:
    """The years of the ledger as links."""
    return [("Year", [(year, f"?year={segment(year)}", year == chosen, None) for year in assessment.years])]


def mark_of(entries: Sequence[Entry]) -> str:
    """Stands for a list of entries, so that what is posted is what was seen."""
    said = "\n".join(f"{each.id} {each.from_account} {each.to_account} {each.pence}" for each in entries)
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def post_entries(deployed: Deployed, visitor: Visitor, entries: Sequence[Entry], seen: str, why: str) -> None:
    """Put proposed entries in the ledger, all or none.

    Raises:
        Conflict: they are not those that were seen, or somebody else has posted them.
    """
    if mark_of(entries) != seen:
        raise Conflict(
            "What is to be posted has changed since the page was opened, so nothing was.", "Look at it again."
        )
    with deployed.store.change(visitor.user.id, why) as changing:
        for each in entries:
            changing.add(each)


# --- where the fund stands ------------------------------------------------------------------------------------------------


@router.get("")
def budget(request: Request, visitor: Reader, assessment: Assessed, year: str = "") -> Response:
    """The fund in a year."""
    fund = fund_of(assessment, year)
    if fund is None:
        return page(
            request, visitor, "budget_none.html.j2", assessment, title="Budget", to_open=years_to_open(assessment), may=visitor.may("money")
        )  # fmt: skip
    held = (
        ("Risk pool", fund.risk_pool, "Held against pay for performance that is not earned"),
        ("Reserve beside the risk pool", fund.reserve, ""),
        ("In the fund, given to nothing", fund.pool, "Below nothing: schemes have been given money still to be earned" if fund.pool < 0 else ""),
        ("Pay for performance earned", fund.earned, ""),
        ("Released to commissioners", fund.released, ""),
    )  # fmt: skip
    return page(
        request, visitor, "budget.html.j2", assessment, title=f"Budget {fund.year}", fund=fund, years=_years(assessment, fund.year),
        chart=Chart(Markup(spend_chart.spend(fund, WIDE)), Markup(spend_chart.spend(fund, NARROW))), held=held, rule=RULE,
        lines=sorted(fund.lines, key=lambda line: -line.variance), short=short, change=lambda pence: signed(short(pence)), to_open=years_to_open(assessment), may=visitor.may("money"),
        partners=[(_name(assessment.plan, partner), pence) for partner, pence in fund.contributions.items()],
    )  # fmt: skip


def _name(plan: Plan, organisation: str) -> str:
    return account_name(plan, f"partner:{organisation}")


def years_to_open(assessment: Assessment) -> list[str]:
    """Years that the plan gives contributions for and the ledger does not have."""
    years = {row["year"] for row in assessment.plan["contributions"]}
    return sorted(years - set(assessment.years))


@router.post("/open")
def open_year(visitor: Treasurer, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Put the opening entries of a year in the ledger: contributions, reserve and the schemes' budgets, as the plan gives them."""
    year = str(sent.get("year", ""))
    if year in assessment.years:
        raise Conflict(f"The ledger has entries of {year} already.", "Look at the ledger.")
    made = opening(assessment.plan, year)
    post_entries(deployed, visitor, made, mark_of(made), f"Opened {year}")
    return done(
        f"/plans/{assessment.plan.id}/budget?year={segment(year)}",
        f"{len(made)} opening entries of {year} are in the ledger.",
    )


# --- the ledger -----------------------------------------------------------------------------------------------------------


def _filters(plan: Plan) -> tuple[Filter, ...]:
    return (
        Filter("year", "Year", lambda one: str(one.year), lambda plan, value: value),
        Filter("kind", "Kind", lambda one: str(one.kind), lambda plan, value: value.replace("-", " ").capitalize()),
    )


@router.get("/ledger")
def ledger(request: Request, visitor: Reader, assessment: Assessed, account: str = "", number: int = 1) -> Response:
    """Every entry, the newest first; of one account with its balance after each when one is chosen."""
    plan, entries = assessment.plan, assessment.registers.entries
    names = accounts(plan)
    if account and account not in names:
        raise Missing(f"There is no account {account[:60]!r}.", remedy="Choose one from the list.")
    postings = {one.entry.id: one for one in statement(entries, account)} if account else {}
    of_account = [one for one in entries if not account or one.id in postings]
    kept, groups = filtered(
        plan, sorted(of_account, key=lambda one: (one.on, one.id), reverse=True), _filters(plan), request
    )
    if account:
        groups = [
            (title, [(words, f"{to}&account={segment(account)}", here, count) for words, to, here, count in choices])
            for title, choices in groups
        ]
    pages = [kept[start : start + ROWS] for start in range(0, len(kept), ROWS)] or [[]]
    number = min(max(number, 1), len(pages))
    query = {
        name: value for name, value in request.query_params.items() if name in ("year", "kind", "account") and value
    }
    return page(
        request, visitor, "ledger.html.j2", assessment, title="Ledger", entries=pages[number - 1], count=len(kept), groups=groups, names=names,
        account=account, postings=postings, trial=trial_balance(entries, assessment.on), may=visitor.may("money"), titles=refs(assessment),
        number=number, numbers=len(pages), query="".join(f"&{name}={segment(value)}" for name, value in query.items()), asked=query,
    )  # fmt: skip


def _entry_form(
    assessment: Assessment,
    sent: FormData | None = None,
    faults: Mapping[str, str] | None = None,
    start: Mapping[str, Any] | None = None,
) -> Form:
    places = {"accounts": list(accounts(assessment.plan).items())}
    return form_of(Entry, sent=sent, faults=Faults(faults or {}), only=ASKED, choices=places, **(start or {}))


def _show_entry_form(
    request: Request, visitor: Visitor, assessment: Assessment, form: Form, id: str, status: int = 200
) -> Response:
    return page(
        request, visitor, "ledger_entry_form.html.j2", assessment, title="New ledger entry", status=status, faulty=bool(form.faults), form=form,
        id=id, refs=refs(assessment), crumbs=(("Ledger", f"/plans/{assessment.plan.id}/budget/ledger"),),
    )  # fmt: skip


@router.get("/ledger/new")
def new_entry(request: Request, visitor: Treasurer, assessment: Assessed) -> Response:
    """The form of a new entry."""
    start: dict[str, Any] = {"on": assessment.on, "year": str(FinancialYear.of(assessment.on)), "kind": "spend"}
    start |= {
        name: value for name, value in request.query_params.items() if name in ASKED and name not in ("on", "pence")
    }
    return _show_entry_form(request, visitor, assessment, _entry_form(assessment, start=start), uuid.uuid4().hex[:12])


@router.post("/ledger/new")
def add_entry(request: Request, visitor: Treasurer, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Put an entry in the ledger. The form carries the entry's id, so that sending it twice makes one entry."""
    plan, id = assessment.plan, str(sent.get("id", ""))
    if not NEW.fullmatch(id):
        id = uuid.uuid4().hex[:12]
    made = read_form(Entry, sent, only=ASKED, plan=plan.id)
    try:
        if isinstance(made, Faults):
            form = _entry_form(assessment, sent, made.of)
            return _show_entry_form(request, visitor, assessment, form, id, 400)
        because = check_ref(assessment, made.because) if made.because else ""
        made = entry(
            plan, on=made.on, kind=made.kind, from_account=made.from_account, to_account=made.to_account, pence=made.pence, year=made.year,
            because=because, note=made.note, id=id,
        )  # fmt: skip
    except BettercareError as error:
        form = _entry_form(assessment, sent, {"": f"{error.what} {error.remedy}".strip()})
        return _show_entry_form(request, visitor, assessment, form, id, 400)
    with deployed.store.change(visitor.user.id) as changing:
        changing.add(made)
    return done(f"/plans/{plan.id}/budget/ledger/{id}", f"{sterling(made.pence)} is entered in the ledger.")


def _entry(assessment: Assessment, id: str) -> Entry:
    for each in assessment.registers.entries:
        if each.id == id:
            return each
    raise Missing(f"There is no ledger entry {id!r}.", remedy="Look in the ledger.")


@router.get("/ledger/{id}")
def one_entry(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """One entry, what it follows from and what undid it."""
    row = _entry(assessment, id)
    undone = next((each for each in assessment.registers.entries if each.reverses == id), None)
    history = deployed.store.history(Entry, assessment.plan.id, id)
    return page(
        request, visitor, "ledger_entry.html.j2", assessment, title="Ledger entry", row=row, names=accounts(assessment.plan), undone=undone,
        chain=assessment.chain(f"entry:{id}"), titles=refs(assessment), may=visitor.may("money"), entered=history[0] if history else None,
        crumbs=(("Ledger", f"/plans/{assessment.plan.id}/budget/ledger"),),
    )  # fmt: skip


def _reversal_form(row: Entry, on: date, sent: FormData | None = None, fault: str = "") -> Form:
    form = form_of(
        Entry, sent=sent, only=("on", "note"), faults=Faults({"": fault} if fault else {}), on=max(on, row.on)
    )
    day, why = form.asked
    return replace(
        form,
        asked=(
            replace(day, title="Date of the correction", hint=""),
            replace(why, title="What was wrong", required=True),
        ),
    )


@router.get("/ledger/{id}/reverse")
def ask_reversal(request: Request, visitor: Treasurer, assessment: Assessed, id: str) -> Response:
    """The form that undoes an entry."""
    row = _entry(assessment, id)
    return _show_reversal(request, visitor, assessment, row, _reversal_form(row, assessment.on))


def _show_reversal(
    request: Request, visitor: Visitor, assessment: Assessment, row: Entry, form: Form, status: int = 200
) -> Response:
    base = f"/plans/{assessment.plan.id}/budget/ledger"
    return page(
        request, visitor, "ledger_reverse.html.j2", assessment, title="Reverse an entry", status=status, faulty=bool(form.faults), row=row,
        form=form, names=accounts(assessment.plan), crumbs=(("Ledger", base), ("Entry", f"{base}/{segment(row.id)}")),
    )  # fmt: skip


@router.post("/ledger/{id}/reverse")
def reverse(
    request: Request, visitor: Treasurer, assessment: Assessed, deployed: Deployed, sent: Sent, id: str
) -> Response:
    """Undo an entry by one the other way round."""
    row = _entry(assessment, id)
    asked = read_form(Entry, sent, row, only=("on", "note"))
    try:
        if isinstance(asked, Faults):
            raise BettercareError(". ".join(asked.of.values()))
        made = reversal(row, asked.on, asked.note if sent.get("note") else "", assessment.registers.entries)
    except BettercareError as error:
        form = _reversal_form(row, assessment.on, sent, f"{error.what} {error.remedy}".strip())
        return _show_reversal(request, visitor, assessment, row, form, 400)
    with deployed.store.change(visitor.user.id, made.note) as changing:
        changing.add(made)
    return done(
        f"/plans/{assessment.plan.id}/budget/ledger/{segment(made.id)}",
        f"{sterling(row.pence)} is put back where it came from.",
    )


# --- pay for performance --------------------------------------------------------------------------------------------------


def _synthetic(assessment: Assessment, rule: PaymentRule | None) -> bool:
    """Whether any admissions that the rule counts are invented."""
    return rule is not None and any(one.synthetic for one in assessment.registers.actuals if one.metric == rule.metric)


def proposed_payments(assessment: Assessment) -> tuple[Entry, ...]:
    """What the quarters known still have to move, marked synthetic where the admissions are."""
    rule = payment_rule(assessment.plan)
    synthetic = _synthetic(assessment, rule)
    made = proposed(assessment.plan, assessment.payments, assessment.registers.entries, assessment.on)
    return tuple(each.model_copy(update={"synthetic": synthetic}) for each in made)


@router.get("/payments")
def payments(request: Request, visitor: Reader, assessment: Assessed) -> Response:
    """Each quarter of pay for performance, and the entries that follow from it."""
    quarters, rule = assessment.payments, payment_rule(assessment.plan)
    to_post = proposed_payments(assessment)
    known = [one for one in quarters if one.reduction is not None]
    return page(
        request, visitor, "payment.html.j2", assessment, title="Pay for performance", quarters=quarters, rule=rule, known=known,
        chart=_payment_chart(quarters) if quarters else None, proposed=to_post, mark=mark_of(to_post),
        names=accounts(assessment.plan), may=visitor.may("money"),
        metric=assessment.judgements[rule.metric].metric if rule and rule.metric in assessment.judgements else None,
        synthetic=_synthetic(assessment, rule),
    )  # fmt: skip


def _payment_chart(quarters: Sequence[QuarterPayment]) -> Chart:
    return Chart(Markup(payment_chart.payment(quarters, WIDE)), Markup(payment_chart.payment(quarters, NARROW)))


@router.post("/payments/post")
def post_payments(visitor: Treasurer, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Put what the quarters known still have to move in the ledger."""
    made = proposed_payments(assessment)
    if not made:
        raise Conflict("Every quarter known is in the ledger already.", "Look at the ledger.")
    post_entries(deployed, visitor, made, str(sent.get("seen", "")), "Pay for performance")
    count = "1 entry is" if len(made) == 1 else f"{len(made)} entries are"
    return done(f"/plans/{assessment.plan.id}/budget/payments", f"{count} in the ledger.")


# --- an overspend ---------------------------------------------------------------------------------------------------------


def overspend_places(assessment: Assessment) -> dict[str, list[tuple[str, str]]]:
    """Where an overspend may fall."""
    names = accounts(assessment.plan)
    return {
        "accounts": [("pool", "The fund as a whole")]
        + [(one, name) for one, name in names.items() if one.startswith("scheme:")]
    }


def _tried(
    assessment: Assessment, fund: FundPosition, asked: QueryParams | FormData
) -> tuple[Form, int | None, str, Share | None]:
    """The form with which an overspend is tried, and what was entered: pence, where it falls and how partners share it."""
    sent = FormData([*asked.multi_items()])
    share: Share | None = (
        "fixed" if asked.get("share") == "fixed" else "variable" if asked.get("share") == "variable" else None
    )
    typed = bool(str(asked.get("pence", "")).strip())
    faults, pence, account = Faults({}), None, str(asked.get("to_account", "")) or "pool"
    if typed:
        # An overspend to try is read as the entry that would cover it.
        made = read_form(
            Entry, sent, only=("pence", "to_account"), plan=assessment.plan.id, on=assessment.on, year=fund.year, kind="cover",
            from_account="reserve",
        )  # fmt: skip
        if isinstance(made, Faults):
            faults = made
        elif made.to_account not in dict(overspend_places(assessment)["accounts"]):
            faults = Faults({"to_account": "Choose the fund or one of its schemes"})
        else:
            pence, account = made.pence, made.to_account
    form = form_of(Entry, sent=sent, only=("pence", "to_account"), faults=faults, choices=overspend_places(assessment))
    amount, place = form.asked
    form = replace(form, asked=(
        replace(amount, title="Overspend to try", hint="In pounds; leave blank for the overspends now forecast", required=False),
        replace(place, title="Where it falls", hint="", required=False, value=account),
    ))  # fmt: skip
    return form, pence, account, share


@router.get("/overspend")
def overspend(request: Request, visitor: Reader, assessment: Assessed, year: str = "") -> Response:
    """The rule for an overspend, worked on the fund as it stands or on an amount to try."""
    fund = fund_of(assessment, year)
    if fund is None:
        return page(request, visitor, "budget_none.html.j2", assessment, title="Overspends", to_open=years_to_open(assessment), may=visitor.may("money"))  # fmt: skip
    form, pence, account, share = _tried(assessment, fund, request.query_params)
    plan, ledger = assessment.plan, assessment.registers.entries
    worked = present(plan, fund, ledger, assessment.payments, pence, account, share)
    to_post = covering(plan, worked, assessment.on, ledger=ledger) if worked.total else ()
    return page(
        request, visitor, "overspend.html.j2", assessment, title="Overspends", status=400 if form.faults else 200, faulty=bool(form.faults), fund=fund,
        form=form, tried=pence is not None, share=share, worked=worked, names=accounts(plan), years=_years(assessment, fund.year), to_post=to_post,
        mark=mark_of(to_post), asked={name: value for name, value in request.query_params.items() if name in ("pence", "to_account", "share", "year")},
        may=visitor.may("money"), refs=refs(assessment), sentence=sentence, pool="Budgets the fund has no money for" if pence is None else "The fund as a whole",
    )  # fmt: skip


@router.post("/overspend/post")
def post_cover(visitor: Treasurer, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Carry the rule out: move the money that meets the overspend."""
    fund = fund_of(assessment, str(sent.get("year", "")))
    if fund is None:
        raise Missing("The plan has no money in its ledger.")
    _, pence, account, share = _tried(assessment, fund, sent)
    because = str(sent.get("because", "")).strip()
    if not because:
        raise BettercareError(
            "The money was not moved.", remedy="Say which decision it follows from, such as decision:327(b)."
        )
    plan, ledger = assessment.plan, assessment.registers.entries
    worked = present(plan, fund, ledger, assessment.payments, pence, account, share)
    seen = covering(plan, worked, assessment.on, ledger=ledger)
    made = [
        each.model_copy(update={"because": check_ref(assessment, because), "synthetic": fund.synthetic})
        for each in seen
    ]
    if not made:
        raise Conflict("There is nothing to move.", "Look at the fund as it stands.")
    post_entries(deployed, visitor, made, str(sent.get("seen", "")), "Overspend rule")
    return done(f"/plans/{plan.id}/budget/ledger", f"{len(made)} entries carry out the overspend rule.")


# --- risk sharing ---------------------------------------------------------------------------------------------------------


@router.get("/sharing")
def sharing(request: Request, visitor: Reader, assessment: Assessed) -> Response:
    """The scenarios of the risk-sharing agreement, worked with what a reader varies."""
    fund = fund_of(assessment)
    if fund is None or not len(assessment.plan["risk_sharing"]):
        return page(request, visitor, "budget_none.html.j2", assessment, title="Risk sharing", to_open=years_to_open(assessment), may=visitor.may("money"))  # fmt: skip
    given, said, faults = _given(request.query_params)
    rule = payment_rule(assessment.plan)
    known = assessment.judgements[rule.metric].actuals if rule and rule.metric in assessment.judgements else ()
    admissions = month_admissions(known, rule.metric) if rule else {}

    def worked(what: Given) -> tuple[Case, ...]:
        return cases(assessment.plan, fund, assessment.registers.entries, admissions, what)

    try:
        found = worked(given)
    except BettercareError as error:
        faults, found = [*faults, {"text": f"{error.what} {error.remedy}".strip()}], worked(Given())
    months = [month for one in assessment.payments for month in months_of(one.quarter)]
    return page(
        request, visitor, "sharing.html.j2", assessment, title="Risk sharing", status=400 if faults else 200, faulty=bool(faults), fund=fund,
        cases=found, given=given, said=said, faults=faults, months=months, sentence=sentence,
    )  # fmt: skip


def _given(asked: QueryParams) -> tuple[Given, dict[str, str], list[dict[str, str]]]:
    """What a reader varies, as typed too, and what is wrong with it."""
    said, faults = {name: asked.get(name, "").strip() for name in ("avoided", "demand", "more")}, []
    numbers: dict[str, int | None] = {}
    for name, text in said.items():
        bare = text.replace(",", "").removesuffix("%")
        numbers[name] = int(bare) if re.fullmatch(r"\d{1,6}", bare) else None
        if text and numbers[name] is None:
            faults.append({"text": "Enter a whole number, such as 1,200", "href": f"#{name}"})
    exempt = []
    for text in asked.getlist("exempt"):
        try:
            exempt.append(date.fromisoformat(text))
        except ValueError:
            faults.append({"text": "Choose months of the payment year", "href": "#exempt-1"})
    more = numbers["more"]
    usual = Given().more_care_at_home
    return Given(tuple(exempt), numbers["avoided"], numbers["demand"], usual if more is None else more), said, faults


# --- claimed twice --------------------------------------------------------------------------------------------------------


@router.get("/claimed-twice")
def twice(request: Request, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
    """Savings and money that stand in two places."""
    fund = fund_of(assessment)
    found = deployed.remember(assessment, "claimed twice", lambda: claimed_twice(assessment.plan, fund))
    return page(
        request, visitor, "budget_claimed_twice.html.j2", assessment, title="Claimed in two places", found=found
    )
