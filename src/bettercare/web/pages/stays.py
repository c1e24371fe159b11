"""Stays: one patient's in full, a snapshot of the wards taken in, and who has looked at patients."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData, UploadFile

from bettercare.assurance import Assessment
from bettercare.care.bed_days import BedDay
from bettercare.care.readings import note_reading, readings
from bettercare.care.safer import WEEK
from bettercare.care.snapshot import COLUMNS, Difference, Snapshot, preview, read_upload, take, template
from bettercare.care.stays import Stay, Ward, at, book, day_of, nights, present, wall
from bettercare.errors import BettercareError, Fault
from bettercare.store import Change
from bettercare.store.record import KINDS
from bettercare.vocabulary.nhs_number import holds_nhs_number
from bettercare.web.forms import Faults, Form, faults_said, form_of, read_form
from bettercare.web.guard import Sent, Visitor, needs
from bettercare.web.pages.wards import (
    Onlooker,
    Rounder,
    board_address,
    class_titles,
    clock_of,
    moment_of,
    note_wards,
    place_titles,
    stay_of,
    ward_of,
    wards_of,
    when_of,
)
from bettercare.web.render import done, page
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

Taker = Annotated[Visitor, Depends(needs("snapshot"))]

CAME = ("pseudonym", "patient_class", "unit", "bed", "expected_discharge", "criteria")
"""What is asked of one who has come."""

SHOWN = 200
"""Most rows of a file, or faults in it, that a page shows."""
PART = 200_000
"""Letters of a hidden field; a field of a form may hold a megabyte."""


# --- one stay -------------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/stays/import")
def ask_file(request: Request, visitor: Taker, assessment: Assessed, deployed: Deployed) -> Response:
    """The form for a snapshot of the wards."""
    return _import_page(request, visitor, assessment, deployed)


@router.get("/plans/{plan}/stays/template.csv")
def template_of(visitor: Taker, assessment: Assessed, deployed: Deployed) -> Response:
    """The file to fill in."""
    network = network_of(deployed, assessment)
    wards = tuple(wards_of(network, moment_of(assessment)).values())
    return Response(
        template(wards, [one.id for one in network.classes]), media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{assessment.plan.id}-stays.csv"'},
    )  # fmt: skip


@router.get("/plans/{plan}/stays/readings")
def who_read(request: Request, visitor: Taker, assessment: Assessed, deployed: Deployed) -> Response:
    """Who has looked at patients, the last first."""
    rows = readings(deployed.store, assessment.plan.id, SHOWN)
    return page(request, visitor, "readings.html.j2", assessment, title="Readings", rows=rows, when=wall, most=SHOWN)


@router.get("/plans/{plan}/stays/{id}")
def one_stay(request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed, id: str) -> Response:
    """One stay: every day of it, and who marked what."""
    store, plan, now = deployed.store, assessment.plan.id, moment_of(assessment)
    stay = stay_of(store, plan, id)
    note_reading(store, plan, visitor.user.id, f"stay:{stay.id}", "One patient's stay")
    network = network_of(deployed, assessment)
    titles = place_titles(network)
    days = sorted(store.list(BedDay, book(plan), stay=stay.id), key=lambda one: one.day, reverse=True)
    changes = [*store.history(Stay, stay.plan, stay.id)]
    for one in days:
        changes += store.history(BedDay, one.plan, one.id)
    return page(
        request, visitor, "stay.html.j2", assessment, title=stay.pseudonym, stay=stay, days=days, now=now, today=day_of(now), nights=nights(stay, now),
        place=titles, class_title=class_titles(network), when=when_of, clock=clock_of, may=visitor.may("round"),
        story=_story(changes), board=board_address(plan, stay.station, stay.unit),
        crumbs=(("Wards", f"/plans/{plan}/wards"), (stay.unit or titles.get(stay.station, stay.station), board_address(plan, stay.station, stay.unit))),
    )  # fmt: skip


def _story(changes: Sequence[Change]) -> list[tuple[Change, list[tuple[str, str, str]]]]:
    """Changes of a stay and its days, the latest first, each with the fields that changed: title, before, after."""
    last: dict[tuple[str, str], Change] = {}
    found = []
    for change in sorted(changes, key=lambda one: one.number):
        key = (change.kind, change.id)
        kind = KINDS[change.kind]
        fields = [
            (kind.model_fields[name].title or name, _said(was), _said(now))
            for name, (was, now) in change.fields(last.get(key)).items()
            if name in kind.model_fields and name not in ("stay", "left_on") and _said(was) != _said(now)
        ]
        last[key] = change
        found.append((change, fields))
    return found[::-1][:SHOWN]


def _said(value: object) -> str:
    if value is None or value == "":
        return "blank"
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = str(value)
    if len(text) >= 20 and text[10:11] == "T":
        moment = wall(datetime.fromisoformat(text))
        return f"{moment.day} {moment:%B %Y, %H:%M}"
    return text


# --- one who has come ----------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/wards/{ward}/new")
def ask_who(
    request: Request, visitor: Rounder, assessment: Assessed, deployed: Deployed, ward: str, unit: str = ""
) -> Response:
    """The form for a patient who has come to a ward."""
    one = ward_of(deployed, assessment, ward, moment_of(assessment))
    form = form_of(Stay, only=CAME, choices=_choices(deployed, assessment), unit=unit[:60])
    return _came_page(request, visitor, assessment, one, form)


@router.post("/plans/{plan}/wards/{ward}/new")
def come(
    request: Request, visitor: Rounder, assessment: Assessed, deployed: Deployed, sent: Sent, ward: str
) -> Response:
    """Put a patient on a ward, from now on."""
    now, plan = moment_of(assessment), assessment.plan.id
    one, choices = ward_of(deployed, assessment, ward, now), _choices(deployed, assessment)
    read = read_form(Stay, sent, only=CAME, choices=choices, plan=book(plan), station=one.id, since=now)
    if isinstance(read, Stay):
        with deployed.store.change(visitor.user.id, "Came to the ward") as changing:
            here = [stay for stay in present(deployed.store, plan) if stay.pseudonym == read.pseudonym]
            if not here:
                stay = changing.add(read)
                return done(
                    board_address(plan, one.id, stay.unit, f"stay-{stay.id}"), f"{stay.pseudonym} is on the ward."
                )
        there = place_titles(network_of(deployed, assessment)).get(here[0].station, here[0].station)
        read = Faults({"pseudonym": f"{read.pseudonym} is known to be on {there}. Mark them as left there first"})
    form = form_of(Stay, sent=sent, faults=read, only=CAME, choices=choices)
    return _came_page(request, visitor, assessment, one, form, 400)


def _choices(deployed: Deployment, assessment: Assessment) -> dict[str, list[tuple[str, str]]]:
    return {"classes": list(class_titles(network_of(deployed, assessment)).items())}


def _came_page(
    request: Request, visitor: Visitor, assessment: Assessment, ward: Ward, form: Form, status: int = 200
) -> Response:
    own = board_address(assessment.plan.id, ward.id)
    return page(
        request, visitor, "register_form.html.j2", assessment, title="Somebody has come", status=status, faulty=bool(form.faults), form=form,
        called=ward.title, action=f"{own}/new", cancel=own, refs={}, intro="", button="Put on the ward", id="",
        crumbs=(("Wards", f"/plans/{assessment.plan.id}/wards"), (ward.title, own)),
    )  # fmt: skip


# --- a snapshot -----------------------------------------------------------------------------------------------------------


@router.post("/plans/{plan}/stays/import")
def take_file(request: Request, visitor: Taker, assessment: Assessed, deployed: Deployed, sent: Sent) -> Response:
    """Show what a snapshot would change or what is wrong with it; store what was shown when it comes back confirmed ("rows")."""
    store, plan = deployed.store, assessment.plan.id
    ward = str(sent.get("ward", ""))
    confirmed = "".join(part for part in sent.getlist("rows") if isinstance(part, str))
    file = sent.get("file")
    name, content = "stays.csv", confirmed.encode()
    if not confirmed:
        if not isinstance(file, UploadFile) or not file.filename:
            return _import_page(
                request, visitor, assessment, deployed, faults=(Fault("", "Choose a file."),), sent=sent
            )
        name, content = file.filename, file.file.read()
    try:
        snapshot = snapshot_of(deployed, assessment, name, content, ward, str(sent.get("at", "")))
        if confirmed:
            found = take(store, plan, visitor.user.id, snapshot, ward)
            return done(f"/plans/{plan}/wards", f"The snapshot is taken in: {_counted(found)}.")
        note_wards(visitor, assessment, deployed, ward, "What a snapshot would change")
        found = preview(store, plan, snapshot, ward)
    except BettercareError as error:
        faults = faults_said(error)
        return _import_page(request, visitor, assessment, deployed, faults=faults, name=_file_name(name), sent=sent)
    rows = content.decode("utf-8-sig", "replace")
    return _import_page(
        request, visitor, assessment, deployed, found=found, name=_file_name(name), sent=sent, taken_at=snapshot.at,
        rows=[rows[start : start + PART] for start in range(0, len(rows), PART)],
    )  # fmt: skip


def snapshot_of(
    deployed: Deployment, assessment: Assessment, name: str, content: bytes, ward: str, taken_at: str
) -> Snapshot:
    """A snapshot that was sent, of one ward or of all of them where none is named.

    Raises:
        BettercareError: there is no such ward, it was not taken within the last week, or the file has faults: all of them.
    """
    network, now = network_of(deployed, assessment), moment_of(assessment)
    if ward:
        ward_of(deployed, assessment, ward, now)
    wards, classes = tuple(wards_of(network, now).values()), [one.id for one in network.classes]
    return read_upload(name, content, wards, classes, _snapshot_time(taken_at, now))


def _file_name(name: str) -> str:
    return "the file" if holds_nhs_number(name) else name[:80]


def _snapshot_time(text: str, now: datetime) -> datetime:
    """When a snapshot was taken, as typed; now where that is blank.

    Raises:
        BettercareError: it is not a time, or not one of the last week.
    """
    text = text.strip()
    if not text:
        return now
    try:
        plain = datetime.fromisoformat(text)
        taken = at(plain.date(), plain.time()) if plain.tzinfo is None else plain.astimezone(UTC)
    except (ValueError, OverflowError):
        raise BettercareError("When it was taken is not a time.", "at", "Write it as 2016-11-02T08:00.") from None
    if taken > now:
        raise BettercareError("The snapshot would be from the future.", "at", "Correct when it was taken.")
    if taken < now - WEEK:
        raise BettercareError("The snapshot is more than a week old.", "at", "Take a newer one.")
    return taken


def _counted(found: Difference) -> str:
    """What a snapshot changes, in words."""
    moved = {stay.pseudonym for stay in found.moved}
    new = sum(stay.pseudonym not in moved for stay in found.came)
    parts = [
        f"{count} {word}"
        for count, word in (
            (new, "came"), (len(found.moved), "moved to another ward"), (len(found.changed), "with something new"), (len(found.left), "left"),
        ) if count
    ]  # fmt: skip
    return ", ".join(parts) or "nothing is new"


def _import_page(
    request: Request, visitor: Visitor, assessment: Assessment, deployed: Deployment, *, found: Difference | None = None,
    faults: Sequence[Fault] = (), name: str = "", rows: Sequence[str] = (), sent: FormData | None = None, taken_at: datetime | None = None,
) -> Response:  # fmt: skip
    now = moment_of(assessment)
    network = network_of(deployed, assessment)
    wards = wards_of(network, now)
    titles = place_titles(network)
    typed = sent if sent is not None else FormData()
    return page(
        request, visitor, "stays_import.html.j2", assessment, title="Snapshot of the wards", status=400 if faults else 200, faulty=bool(faults),
        found=found, counted=_counted(found) if found is not None else "", faults=faults, name=name, rows=rows, columns=COLUMNS.columns, most=SHOWN,
        wards=list(wards.values()), place=titles, ward=str(typed.get("ward", "")), taken_at=taken_at, when=wall,
        at=str(typed.get("at", ""))[:40] or f"{wall(now):%Y-%m-%dT%H:%M}", crumbs=(("Wards", f"/plans/{assessment.plan.id}/wards"),),
    )  # fmt: skip
