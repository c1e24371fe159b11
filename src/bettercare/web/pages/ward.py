"""A ward's board round: a row a patient, and each thing marked with one press."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fastapi import APIRouter, Request, Response
from starlette.datastructures import FormData

from bettercare.assurance import Assessment
from bettercare.care.bed_days import OUTSIDE, REASONS, BedDay, days_of, mark, of_day, reviewed
from bettercare.care.readings import note_reading
from bettercare.care.safer import Safer, ask_about, ask_of, safer
from bettercare.care.stays import (
    Stay,
    Ward,
    at,
    back,
    day_of,
    gone,
    is_long,
    left_between,
    nights,
    not_ready,
    present,
    ready,
)
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Missing, Record, Store
from bettercare.vocabulary.nhs_number import holds_nhs_number
from bettercare.web.guard import Sent, Visitor
from bettercare.web.pages.wards import (
    DAYS,
    Onlooker,
    Rounder,
    assessment_units,
    board_address,
    class_titles,
    clock_of,
    moment_of,
    place_titles,
    stay_of,
    synthetic_of,
    ward_of,
    when_of,
)
from bettercare.web.render import done, page, part
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)


MOST = 60
"""Most patients on a page; a ward of more is looked at a unit at a time."""


@dataclass(frozen=True)
class Patient:
    """A patient as the board shows them."""

    stay: Stay
    day: BedDay
    """Today, marked or not."""
    nights: int
    long: bool
    asks: tuple[str, ...]
    strip: tuple[tuple[date, BedDay | None], ...]
    """The days before today, on which they were on this ward; None where nothing is marked."""
    again: str
    """What they waited for yesterday, if it was red and today is not marked."""
    due: str
    """Their expected date against today, in words."""
    fault: str = ""

    @property
    def anchor(self) -> str:
        return f"stay-{self.stay.id}"


# --- a ward's board round -------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/wards/{ward}")
def board(
    request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed, ward: str, unit: str = ""
) -> Response:
    """One ward, a row a patient."""
    one = ward_of(deployed, assessment, ward, moment_of(assessment))
    what = f"ward:{one.id}" + (f", {unit[:60]}" if unit else "")
    note_reading(deployed.store, assessment.plan.id, visitor.user.id, what, "Board round")
    return _board_page(request, visitor, assessment, deployed, one, unit)


@dataclass(frozen=True)
class _Board:
    """What a ward's page is made of."""

    ward: Ward
    unit: str
    units: tuple[str, ...]
    now: datetime
    stays: tuple[Stay, ...]
    ended: tuple[Stay, ...]
    days: tuple[BedDay, ...]
    measured: Safer


def _read_board(deployed: Deployment, assessment: Assessment, ward: Ward, unit: str) -> _Board:
    store, plan, now = deployed.store, assessment.plan.id, moment_of(assessment)
    today = day_of(now)
    here, ended = present(store, plan, ward.id), left_between(store, plan, today, today, ward.id)
    units = tuple(sorted({stay.unit for stay in (*here, *ended)} - {""}))
    # A stay that began after the data date is not known yet.
    stays = tuple(stay for stay in here if unit in ("", stay.unit) and stay.since <= now)
    left = tuple(stay for stay in ended if unit in ("", stay.unit))
    days = days_of(store, plan, today - timedelta(days=DAYS), today, ward.id)
    network = network_of(deployed, assessment)
    measured = safer((*stays, *left), days, now, assessment_units(network))
    return _Board(ward, unit, units, now, stays, left, days, measured)


def _board_page(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, ward: Ward, unit: str,
    faults: Mapping[str, str] | None = None, status: int = 200,
) -> Response:  # fmt: skip
    its = _read_board(deployed, assessment, ward, unit)
    faults = faults or {}
    shown = [patient_of(stay, its.days, its.now, faults.get(stay.id, "")) for stay in its.stays[:MOST]]
    plan = assessment.plan.id
    return page(
        request, visitor, "ward.html.j2", assessment, title=unit or ward.title, status=status, faulty=bool(faults), its=its, ward=ward,
        unit=unit, patients=shown, unshown=len(its.stays) - len(shown), measured=its.measured, asks=ask_of(its.measured), faults=faults,
        units=[(name, board_address(plan, ward.id, name)) for name in its.units], whole=board_address(plan, ward.id),
        crumbs=(("Wards", f"/plans/{plan}/wards"), *(((ward.title, board_address(plan, ward.id)),) if unit else ())),
        **_board_words(assessment, deployed, visitor, ward, its),
    )  # fmt: skip


def _board_words(
    assessment: Assessment, deployed: Deployment, visitor: Visitor, ward: Ward, its: _Board
) -> dict[str, object]:
    """What a row's template reads beside the row."""
    network = network_of(deployed, assessment)
    titles = place_titles(network)
    return {
        "may": visitor.may("round"), "goes_to": ward.goes_to, "now": its.now, "today": day_of(its.now), "ended": its.ended,
        "place": titles, "class_title": class_titles(network), "inside": [one for one in REASONS if one not in OUTSIDE],
        "outside": [one for one in REASONS if one in OUTSIDE], "clock": clock_of, "stays_at": f"/plans/{assessment.plan.id}/stays",
        "synthetic": synthetic_of(its.stays), "when": when_of,
    }  # fmt: skip


def patient_of(stay: Stay, days: Iterable[BedDay], now: datetime, fault: str = "") -> Patient:
    """A stay as the board shows it.

    Args:
        days: marked days, at least of this stay and of the days before today that the strip shows.
    """
    today = day_of(now)
    its = {one.day: one for one in days if one.stay == stay.id}
    day = of_day(stay, today, its.get(today))
    before = [today - timedelta(days=back) for back in range(DAYS - 1, 0, -1)]
    strip = tuple((one, its.get(one)) for one in before if one >= day_of(stay.since))
    yesterday = its.get(today - timedelta(days=1))
    again = yesterday.reason if yesterday is not None and yesterday.colour == "red" and day.colour == "not yet" else ""
    asks = ask_about(stay, tuple(its.values()), now)
    return Patient(stay, day, nights(stay, now), is_long(stay, now), asks, strip, again, _due(stay, today), fault)


def _due(stay: Stay, today: date) -> str:
    if stay.expected_discharge is None:
        return ""
    ahead = (stay.expected_discharge - today).days
    if abs(ahead) <= 1:
        return {-1: "yesterday", 0: "today", 1: "tomorrow"}[ahead]
    return f"in {ahead} days" if ahead > 0 else f"{-ahead} days ago"


# --- marking --------------------------------------------------------------------------------------------------------------

Marked = tuple[Record, str]
"""The row to store, and what to say was done."""


def _review(stay: Stay, day: BedDay, sent: FormData, now: datetime) -> Marked:
    if sent.get("undo"):
        return reviewed(day, None), f"{stay.pseudonym} is not reviewed yet."
    on = _time_of(sent, now)
    return reviewed(day, on), f"{stay.pseudonym} was reviewed at {clock_of(on)}."


def _team(stay: Stay, day: BedDay, sent: FormData, now: datetime) -> Marked:
    undone = bool(sent.get("undo"))
    said = "has not had" if undone else "has had"
    return day.model_copy(update={"team_review": not undone}), f"{stay.pseudonym} {said} the weekly review today."


def _colour(stay: Stay, day: BedDay, sent: FormData, now: datetime) -> Marked:
    colour, reason, note = (str(sent.get(name, "")) for name in ("colour", "reason", "note"))
    marked = mark(day, colour, reason, note if "note" in sent and note.strip() else None)
    said = "not marked" if colour == "not yet" else colour + (f", for {marked.reason}" if marked.reason else "")
    return marked, f"Today is {said} for {stay.pseudonym}."


def _plan(stay: Stay, day: BedDay, sent: FormData, now: datetime) -> Marked:
    text, criteria = str(sent.get("expected_discharge", "")).strip(), str(sent.get("criteria", "")).strip()
    try:
        expected = date.fromisoformat(text) if text else None
    except ValueError:
        raise BettercareError("The expected date is not a date.", remedy="Write it as 2016-11-04.") from None
    if expected is not None and abs(expected - day.day) > timedelta(days=730):
        raise BettercareError("The expected date is more than two years away.", remedy="Check the year.")
    if len(criteria) > 1_000:
        raise BettercareError("The criteria are longer than 1,000 characters.", remedy="Shorten them.")
    if holds_nhs_number(criteria):
        raise BettercareError("The criteria hold an NHS number.", remedy="Leave out what names the patient.")
    said = f"{stay.pseudonym} is expected to leave on {expected.day} {expected:%B}." if expected else f"{stay.pseudonym} has no expected date."  # fmt: skip
    return stay.model_copy(update={"expected_discharge": expected, "criteria": criteria}), said


def _ready(stay: Stay, day: BedDay, sent: FormData, now: datetime, ward: Ward) -> Marked:
    if sent.get("undo"):
        return not_ready(stay), f"{stay.pseudonym} is no longer marked as ready."
    return ready(stay, _time_of(sent, now), _destination(sent, ward)), f"{stay.pseudonym} is ready to leave."


def _left(stay: Stay, day: BedDay, sent: FormData, now: datetime, ward: Ward) -> Marked:
    return gone(stay, _time_of(sent, now), _destination(sent, ward)), f"{stay.pseudonym} has left."


def _back(stay: Stay, day: BedDay, sent: FormData, now: datetime) -> Marked:
    return back(stay), f"{stay.pseudonym} is back on the ward."


def _time_of(sent: FormData, now: datetime) -> datetime:
    """The time today that a form gives; now when it gives none."""
    text = str(sent.get("time", "")).strip()
    if not text:
        return now
    try:
        on = at(day_of(now), time.fromisoformat(text))
    except ValueError:
        raise BettercareError("The time is not a time of day.", remedy="Write it as 09:40.") from None
    if on > now:
        raise BettercareError("The time is still to come.", remedy="Give a time that has passed.")
    return on


def _destination(sent: FormData, ward: Ward) -> str:
    asked = str(sent.get("to", ""))
    if asked and asked not in {id for id, _ in ward.goes_to}:
        raise BettercareError(
            f"Patients do not go to {asked[:60]!r} from here.", remedy="Choose a place from the list."
        )
    return asked


STEPS: Mapping[str, Callable[..., Marked]] = {
    "review": _review, "team": _team, "day": _colour, "plan": _plan, "ready": _ready, "left": _left, "back": _back,
}  # fmt: skip
"""What can be marked on a board round, by the last part of the address."""
OF_THE_DAY = ("review", "team", "day")
"""Steps that mark today; the others mark the stay."""


@router.post("/plans/{plan}/stays/{id}/{step}")
def take_step(
    request: Request, visitor: Rounder, assessment: Assessed, deployed: Deployed, sent: Sent, id: str, step: str
) -> Response:
    """Mark one thing about one patient. htmx is answered with the patient's row alone; a form without it with the ward's page."""
    if step not in STEPS:
        raise Missing("A board round has no such step.", remedy="Use the page's own buttons.")
    now, store, plan = moment_of(assessment), deployed.store, assessment.plan.id
    stay = stay_of(store, plan, id)
    ward = ward_of(deployed, assessment, stay.station, now)
    unit = stay.unit if sent.get("unit") == stay.unit else ""
    status, fault, said = 200, "", ""
    try:
        said = _take(store, visitor, stay, step, sent, now, ward)
    except Conflict as conflict:
        status, fault = 409, _in_round(conflict, stay)
    except BettercareError as error:
        status, fault = 400, f"{error.what} {error.remedy}".strip()
    if request.headers.get("hx-request"):
        return _row_part(request, visitor, assessment, deployed, ward, unit, id, fault, said, status)
    if fault:
        return _board_page(request, visitor, assessment, deployed, ward, unit, {id: fault}, status)
    return done(board_address(plan, ward.id, unit, f"stay-{id}"), said)


def _take(store: Store, visitor: Visitor, stay: Stay, step: str, sent: FormData, now: datetime, ward: Ward) -> str:
    text = str(sent.get("version", ""))
    version = int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0
    with store.change(visitor.user.id, "Board round") as changing:
        known = store.find(BedDay, stay.plan, f"{stay.id}@{day_of(now).isoformat()}")
        day = of_day(stay, day_of(now), known) if step != "back" else BedDay(stay=stay.id, station=stay.station, day=day_of(now))  # fmt: skip
        more = {"ward": ward} if step in ("ready", "left") else {}
        row, said = STEPS[step](stay, day, sent, now, **more)
        if step in OF_THE_DAY and known is None and not version:
            changing.add(row)
        else:
            # Made from what the visitor saw: a change made since then wins.
            changing.replace(row.model_copy(update={"version": version}))
    return said


def _in_round(conflict: Conflict, stay: Stay) -> str:
    """A conflict as people at a board round say it."""
    by = f"{conflict.change.by} marked this" if conflict.change is not None else "Somebody marked this"
    return f"{by} after your page was opened, so your mark was not kept. What is shown for {stay.pseudonym} is as it is now; mark again if yours should stand."  # fmt: skip


def _row_part(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, ward: Ward, unit: str, id: str, fault: str, said: str,
    status: int,
) -> Response:  # fmt: skip
    its = _read_board(deployed, assessment, ward, unit)
    stay = stay_of(deployed.store, assessment.plan.id, id)
    shown = patient_of(stay, its.days, its.now, fault) if stay.left is None else None
    response = part(
        request, visitor, "ward_part.html.j2", patient=shown, stay=stay, unit=unit, units=its.units, measured=its.measured, asks=ask_of(its.measured),
        said=fault or said, fault=fault, ward=ward, base=f"/plans/{assessment.plan.id}", **_board_words(assessment, deployed, visitor, ward, its),
    )  # fmt: skip
    response.status_code = status
    return response
