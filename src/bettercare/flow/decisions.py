"""Decisions of the next days, as scenarios: places opened or closed, patients diverted, discharges at weekends."""

from __future__ import annotations

from collections.abc import Sequence

from bettercare.errors import BettercareError
from bettercare.flow.network import Arrival, Change, Network, Scenario, Station

WEEKEND = (5, 6)
"""Saturday and Sunday, where Monday is 0."""


def open_places(station: Station, places: int) -> Scenario:
    """So many more places at a station; fewer when negative."""
    title = f"{'Open' if places >= 0 else 'Close'} {abs(places)} {station.places} at {station.title}"
    return Scenario("open-places", title, (Change("servers", station.id, add=places),))


def divert(stream: Arrival, percent: float) -> Scenario:
    """So many in a hundred of a stream sent elsewhere.

    Raises:
        BettercareError: it is not more than 0 and at most 100.
    """
    if not 0 < percent <= 100:
        raise BettercareError(f"{percent:g}% cannot be diverted.", remedy="Give more than 0 and at most 100.")
    title = f"Divert {percent:g}% of {stream.title or stream.id}"
    return Scenario("divert", title, (Change("arrivals", stream.id, times=1 - percent / 100),))


def weekend_discharges(stations: Sequence[Station]) -> Scenario:
    """As many discharges on Saturdays and Sundays as on the best day."""
    where = f"at {stations[0].title}" if len(stations) == 1 else "as on weekdays"
    changes = tuple(Change("leaves_on", station.id, days=WEEKEND, to=1.0) for station in stations)
    return Scenario("weekend-discharges", f"Weekend discharges {where}", changes)


def wards_with_discharge_times(network: Network) -> tuple[Station, ...]:
    """The wards that patients leave at discharge times, so that weekends can differ."""
    return tuple(one for one in network.stations if one.leaves_on and one.kind in ("ward", "community"))
