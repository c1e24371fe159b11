"""The wards: what their pages speak of, and how each ward does today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated
from urllib.parse import urlencode

import polars as pl
from fastapi import APIRouter, Depends, Request, Response

from bettercare.assurance import Assessment
from bettercare.care.bed_days import BedDay, days_of, lost_bed_days, red_days
from bettercare.care.readings import note_reading
from bettercare.care.safer import Safer, ask_of, safer
from bettercare.care.stays import Stay, Ward, at, book, day_of, left_between, present, wall
from bettercare.flow.network import UNLIMITED, Network, Station
from bettercare.flow.now import servers_at
from bettercare.store import Missing, Store
from bettercare.vocabulary.nhs_number import without_nhs_numbers
from bettercare.web.guard import Visitor, needs
from bettercare.web.render import page, segment
from bettercare.web.state import Assessed, Deployed, Deployment, network_of

router = APIRouter(include_in_schema=False)

Onlooker = Annotated[Visitor, Depends(needs("wards"))]
Rounder = Annotated[Visitor, Depends(needs("round"))]

KINDS_OF_WARD = ("assessment", "ward", "critical", "community")
"""Stations of the network that have a board round."""
ROUND = time(11)
"""The hour that pages speak of where the programme's data date is fixed, as such a day has no clock."""
DAYS = 7
"""Days, today among them, that a patient's strip shows and that red days are counted over."""


@dataclass(frozen=True)
class Line:
    """A ward, or a unit of one, in the list of wards."""

    ward: Ward
    unit: str
    measured: Safer
    href: str

    @property
    def name(self) -> str:
        return self.unit or self.ward.title


# --- what the pages speak of ----------------------------------------------------------------------------------------------


def moment_of(assessment: Assessment) -> datetime:
    """The moment that the pages speak of: now, or :data:`ROUND` on the programme's data date where that is fixed."""
    fixed = assessment.registers.programme.as_at
    return at(fixed, ROUND) if fixed is not None else datetime.now(UTC)


def wards_of(network: Network, now: datetime) -> dict[str, Ward]:
    """The stations of a network that have a board round, by id, in the network's order."""
    return {
        station.id: _ward(network, station, now)
        for station in network.stations
        if station.kind in KINDS_OF_WARD and station.places != "clinicians"
    }


def _ward(network: Network, station: Station, now: datetime) -> Ward:
    titles = place_titles(network)
    choices = {choice.id: choice.of for choice in network.choices}
    to = dict.fromkeys(
        target
        for route in network.routes
        if route.station == station.id
        for target in choices.get(route.to, (route.to,))
    )
    beds = servers_at(station, wall(now).replace(tzinfo=None))
    return Ward(
        station.id, station.title, station.kind, None if beds == UNLIMITED else beds, station.organisation,
        tuple((target, titles.get(target, target)) for target in to),
    )  # fmt: skip


def ward_of(deployment: Deployment, assessment: Assessment, id: str, now: datetime) -> Ward:
    wards = wards_of(network_of(deployment, assessment), now)
    if id not in wards:
        raise Missing(
            f"There is no ward {without_nhs_numbers(id)[:60]!r}.", remedy="Choose one from the list of wards."
        )
    return wards[id]


def note_wards(visitor: Visitor, assessment: Assessment, deployment: Deployment, ward: str, purpose: str) -> None:
    """Write down that a ward, or all of them where none is named, is looked at."""
    what = f"ward:{ward}" if ward else "wards"
    note_reading(deployment.store, assessment.plan.id, visitor.user.id, what, purpose)


def assessment_units(network: Network) -> frozenset[str]:
    return frozenset(station.id for station in network.stations if station.kind == "assessment")


def stay_of(store: Store, plan: str, id: str) -> Stay:
    stay = store.find(Stay, book(plan), id)
    if stay is None:
        raise Missing("There is no such stay.", remedy="Look for the patient on their ward.")
    return stay


def board_address(plan: str, station: str, unit: str = "", anchor: str = "") -> str:
    query = f"?{urlencode({'unit': unit})}" if unit else ""
    return f"/plans/{plan}/wards/{segment(station)}{query}{f'#{anchor}' if anchor else ''}"


def place_titles(network: Network) -> dict[str, str]:
    """What stations and outcomes are called, by id."""
    return {one.id: one.title for one in network.stations} | {one.id: one.title for one in network.outcomes}


def class_titles(network: Network) -> dict[str, str]:
    """What classes of patient are called, by id."""
    return {one.id: one.title for one in network.classes}


def clock_of(moment: datetime) -> str:
    """The time of day: 09:40."""
    return f"{wall(moment):%H:%M}"


def when_of(moment: datetime, today: date) -> str:
    """A moment as briefly as it can be said: 09:40; yesterday, 09:40; 30 October, 09:40."""
    day, clock = day_of(moment), clock_of(moment)
    if day == today:
        return clock
    if day == today - timedelta(days=1):
        return f"yesterday, {clock}"
    year = f" {day.year}" if day.year != today.year else ""
    return f"{day.day} {day:%B}{year}, {clock}"


# --- all wards ------------------------------------------------------------------------------------------------------------


@router.get("/plans/{plan}/wards")
def listed(request: Request, visitor: Onlooker, assessment: Assessed, deployed: Deployed) -> Response:
    """Every ward with patients: how it does today, and what red days of the last week were for."""
    network = deployed.network(assessment.plan.id)
    if network is None:
        return page(request, visitor, "wards_none.html.j2", assessment, title="Wards")
    its = wards_now(visitor, assessment, deployed, network)
    # A stay whose ward the network no longer has is counted with the rest and has no line.
    known = [stay for stay in (*its.here, *its.ended) if stay.station in its.wards]
    # Units are parts of a ward, and the network knows the beds of the whole alone.
    beds = [None if line.unit else line.ward.beds for line in its.lines]
    return page(
        request, visitor, "wards.html.j2", assessment, title="Wards", now=its.now, whole=its.whole, lines=its.lines, first=its.first,
        others=[ward for ward in its.wards.values() if all(line.ward.id != ward.id for line in its.lines)],
        beds=sum(one for one in beds if one is not None) if None not in beds else None, asks=ask_of(its.whole),
        reds=its.reds.to_dicts(), lost=_lost(its.wards, lost_bed_days(known, its.days, its.first, day_of(its.now), its.now)),
        synthetic=synthetic_of(its.here), may_take=visitor.may("snapshot"),
    )  # fmt: skip


@dataclass(frozen=True)
class WardsNow:
    """The wards at a moment, and the week that ends with its day."""

    now: datetime
    first: date
    wards: Mapping[str, Ward]
    here: tuple[Stay, ...]
    ended: tuple[Stay, ...]
    days: tuple[BedDay, ...]
    lines: Sequence[Line]
    whole: Safer

    @property
    def reds(self) -> pl.DataFrame:
        """What red days of the week were for."""
        return red_days(self.days, self.first, day_of(self.now))


def wards_now(visitor: Visitor, assessment: Assessment, deployed: Deployment, network: Network) -> WardsNow:
    """The wards as they are now. That they were looked at is written down first."""
    store, plan, now = deployed.store, assessment.plan.id, moment_of(assessment)
    note_wards(visitor, assessment, deployed, "", "State of the wards")
    today = day_of(now)
    first = today - timedelta(days=DAYS - 1)
    here, ended = present(store, plan), left_between(store, plan, first, today)
    days = days_of(store, plan, first, today)
    wards, units = wards_of(network, now), assessment_units(network)
    lines = _lines(plan, wards, here, ended, days, now, units)
    return WardsNow(now, first, wards, here, ended, days, lines, safer((*here, *ended), days, now, units))


def _lines(
    plan: str, wards: Mapping[str, Ward], here: Sequence[Stay], ended: Sequence[Stay], days: Sequence[BedDay], now: datetime,
    units: frozenset[str],
) -> list[Line]:  # fmt: skip
    found = []
    for ward in wards.values():
        its = [stay for stay in (*here, *ended) if stay.station == ward.id]
        for unit in sorted({stay.unit for stay in its}):
            stays = [stay for stay in its if stay.unit == unit]
            found.append(Line(ward, unit, safer(stays, days, now, units), board_address(plan, ward.id, unit)))
    return found


def _lost(wards: Mapping[str, Ward], frame: pl.DataFrame) -> list[dict[str, object]]:
    return [{"title": wards[row["station"]].title, **row} for row in frame.to_dicts()]


def synthetic_of(stays: Sequence[Stay]) -> str:
    """What to say of invented stays: all, some or none of those shown."""
    count = sum(stay.synthetic for stay in stays)
    return "" if not count else "all" if count == len(stays) else "some"
