"""Three wards on one day, as a board round finds them at eleven in the morning. All of it is invented: nobody in it is or was a patient."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from bettercare.care import BedDay, Stay
from bettercare.care.bed_days import OUTSIDE, REASONS
from bettercare.care.stays import at, book, day_of
from bettercare.flow.network import Network, Station
from bettercare.flow.network_file import read_network, shipped_networks
from bettercare.flow.now import possible
from bettercare.store import Record

NOW = time(11)
"""The hour of the round, which is the hour that pages speak of on a fixed data date."""
BACK = 13
"""Days before today that days are marked on."""

CRITERIA = (
    "Walks to the bathroom with a frame, as before", "Off oxygen for a day", "Antibiotics by mouth and temperature down",
    "Eats and drinks enough", "Weight down and no breathlessness at rest", "Kidney function back to usual", "Pain held by tablets alone",
    "Safe on stairs with the therapist",
)  # fmt: skip
INSIDE = tuple(one for one in REASONS if one not in OUTSIDE and one != "other")


@dataclass(frozen=True)
class _Unit:
    kind: str
    name: str
    beds: int
    nights: tuple[int, ...]
    """What stays last so far, as often as each is given."""
    leave: int
    """How many have left on each day."""


UNITS = (
    _Unit("assessment", "Acorn unit", 16, (0, 0, 0, 1, 1, 2), 6),
    _Unit("ward", "Birch ward", 26, (1, 2, 2, 3, 3, 4, 5, 6, 7, 8, 9, 11, 14, 19, 26), 4),
    _Unit("community", "Cedar ward", 18, (3, 5, 8, 10, 12, 15, 18, 21, 24, 30, 41), 1),
)


def network_of(plan: str) -> Network | None:
    """The network that a shipped plan comes with; None when it has none."""
    path = next((path for path in shipped_networks().values() if path.parent.parent.name == plan), None)
    return read_network(path) if path is not None else None


def ward_day(network: Network, plan: str, on: date) -> Iterator[Record]:
    """Stays, and the days marked on them, of one ward of each kind that the network has; the same every time.

    Args:
        plan: id of the plan they belong to.
        on: the day.
    """
    classes = possible(network)
    for number, unit in enumerate(UNITS):
        station = _largest(network, unit.kind)
        if station is None or not classes[station.id]:
            continue
        before = (
            _largest(network, "ward" if unit.kind == "community" else "assessment")
            if unit.kind != "assessment"
            else None
        )
        draw = Random(f"ward-{number}")
        its = _Ward(network, plan, on, unit, station, before, sorted(classes[station.id]), draw)
        yield from its.present()
        yield from its.left()


def _largest(network: Network, kind: str) -> Station | None:
    """The station of a kind with the most beds."""
    found = [one for one in network.stations if one.kind == kind and one.servers > 0 and one.places != "clinicians"]
    return max(found, key=lambda one: one.servers, default=None)


@dataclass(frozen=True)
class _Ward:
    network: Network
    plan: str
    on: date
    unit: _Unit
    station: Station
    before: Station | None
    classes: Sequence[str]
    draw: Random

    def present(self) -> Iterator[Record]:
        draw, now = self.draw, at(self.on, NOW)
        for bed in range(1, self.unit.beds + 1):
            if draw.random() < 0.06:
                continue  # an empty bed
            nights = draw.choice(self.unit.nights)
            since = self._came(nights)
            if bed == 7 and self.before is not None:
                nights, since = 0, at(self.on, time(9, 35))  # the first of the day from the unit before
            ready = nights > 3 and draw.random() < 0.3
            held = draw.randint(0, min(nights - 2, 6)) if ready else 0
            dated = draw.random() < (0.82 if nights else 0.4)
            stay = self._stay(
                f"{bed:02d}", since, bed=str(bed),
                expected_discharge=self.on + timedelta(days=-held if ready else draw.choice((-2, -1, 0, 0, 1, 1, 2, 3, 4, 6))) if dated else None,
                criteria=draw.choice(CRITERIA) if dated and draw.random() < 0.85 else "",
                ready_since=at(self.on - timedelta(days=held), time(10, draw.randint(0, 50))) if ready else None,
                waiting_for=draw.choice(self._beyond()) if ready and self._beyond() and draw.random() < 0.85 else "",
            )  # fmt: skip
            yield stay
            yield from self._days(stay, now)

    def left(self) -> Iterator[Record]:
        """Those who left today and on the days before."""
        draw = self.draw
        for back in range(BACK + 1):
            today = back == 0
            for number in range(self.unit.leave // 2 if today else self.unit.leave):
                hours = (8, 9, 10) if today else (10, 11, 12, 13, 14, 15, 15, 16, 16, 17, 18)
                day = self.on - timedelta(days=back)
                end = at(day, time(draw.choice(hours), draw.randint(0, 59)))
                nights = max(1, draw.choice(self.unit.nights))
                since = at(day - timedelta(days=nights), time(draw.randint(9, 22), draw.randint(0, 59)))
                stay = self._stay(f"left-{back:02d}-{number}", since, left=end, left_on=day, outcome=self._home())
                yield stay
                yield from self._days(stay, end)

    def _came(self, nights: int) -> datetime:
        hour = self.draw.randint(0, 9) if nights == 0 else self.draw.randint(8, 22)
        return at(self.on - timedelta(days=nights), time(hour, self.draw.randint(0, 59)))

    def _stay(self, number: str, since: datetime, **more: Any) -> Stay:
        letter = self.unit.name[0]
        earlier = timedelta(hours=self.draw.randint(9, 30)) if self.before is not None else timedelta(hours=3)
        return Stay(
            plan=book(self.plan), id=f"demo-{letter.lower()}-{number}", pseudonym=f"{letter}{self.draw.randint(1000, 9999)}-{number}",
            station=self.station.id, unit=self.unit.name, patient_class=self.draw.choice(self.classes), since=since, admitted=since - earlier,
            came_from=self.before.id if self.before is not None else "", synthetic=True, **more,
        )  # fmt: skip

    def _days(self, stay: Stay, end: datetime) -> Iterator[BedDay]:
        draw, first = self.draw, max(day_of(stay.since), self.on - timedelta(days=BACK))
        waits = draw.choice(sorted(OUTSIDE)) if stay.ready_since else ""
        last_reason = draw.choice(INSIDE)
        for number in range((min(day_of(end), self.on) - first).days + 1):
            day = first + timedelta(days=number)
            today = day == self.on
            weekend = day.weekday() > 4
            if today and draw.random() < 0.42:
                continue  # the round has not come to them yet
            held = stay.ready_since is not None and day_of(stay.ready_since) <= day
            red = held or draw.random() < (0.5 if weekend else 0.27)
            if draw.random() < 0.4:
                last_reason = draw.choice(INSIDE)
            seen = draw.random() < (0.7 if weekend else 0.93)
            hour = (
                time(draw.choice((8, 9, 9, 10)), draw.randint(0, 59))
                if today or draw.random() < 0.7
                else time(draw.randint(12, 15), 20)
            )
            marked = not today or draw.random() < 0.75
            colour = "not yet" if not marked else "red" if red else "green"
            yield BedDay.model_validate(
                {
                    "plan": stay.plan, "id": f"{stay.id}@{day.isoformat()}", "stay": stay.id, "station": stay.station, "unit": stay.unit, "day": day,
                    "colour": colour, "reason": "" if colour != "red" else waits if held else last_reason,
                    "reviewed": self._after(stay, at(day, hour)) if seen else None,
                    "team_review": number % 7 == 6 and draw.random() < 0.6, "synthetic": True,
                }
            )  # fmt: skip

    def _after(self, stay: Stay, on: datetime) -> datetime:
        """A time of the same day that the patient was there."""
        return min(max(on, stay.since), stay.left or on) if day_of(stay.since) == day_of(on) or stay.left else on

    def _beyond(self) -> list[str]:
        """Where patients go from here other than to a home without care or to another acute ward."""
        places = {one.id: one.kind for one in self.network.stations}
        to = {route.to for route in self.network.routes if route.station == self.station.id}
        return sorted(one for one in to if places.get(one) in ("community", "home"))

    def _home(self) -> str:
        outcomes = {one.id for one in self.network.outcomes}
        to = [route for route in self.network.routes if route.station == self.station.id and route.to in outcomes]
        return max(to, key=lambda route: route.share).to if to else ""
