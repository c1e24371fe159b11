"""Decisions of the next days, as scenarios: places opened or closed, patients diverted, discharges at weekends; made, or read from words."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bettercare.errors import BettercareError
from bettercare.flow.network import Arrival, Change, Network, Scenario, Station
from bettercare.flow.scenarios import changed
from bettercare.flow.scenarios import scenario as scenario_of
from bettercare.vocabulary.nhs_number import without_nhs_numbers

WEEKEND = (5, 6)
"""Saturday and Sunday, where Monday is 0."""
MOST_PLACES = 200
"""Most places that a decision opens or closes at a station within days."""
_LONGEST_TEXT = 300
_FORMS = 'Give the id of a scenario, or write such as "open 12 at STATION", "close 4 at STATION", "divert 20% of STREAM" or "weekend discharges at STATION".'


def open_places(station: Station, places: int, where: str = "") -> Scenario:
    """So many more places at a station; fewer when negative.

    Raises:
        BettercareError: it is none, or more than :data:`MOST_PLACES`.
    """
    if not 1 <= abs(places) <= MOST_PLACES:
        raise BettercareError(f"{abs(places)} places cannot be opened or closed.", where, f"Give 1 to {MOST_PLACES}.")
    title = f"{'Open' if places >= 0 else 'Close'} {abs(places)} {station.places} at {station.title}"
    return Scenario("open-places", title, (Change("servers", station.id, add=places),))


def divert(stream: Arrival, percent: float, where: str = "") -> Scenario:
    """So many in a hundred of a stream sent elsewhere.

    Raises:
        BettercareError: it is not more than 0 and at most 100.
    """
    if not 0 < percent <= 100:
        raise BettercareError(f"{percent:g}% cannot be diverted.", where, "Give more than 0 and at most 100.")
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


def decisions_of(network: Network, texts: Sequence[str], where: str) -> tuple[Scenario, ...]:
    """Decisions from words: each a scenario of the network by its id, or such as ``open 12 at acute medical unit``; parts joined with +.

    Args:
        where: what the words stand in, for what is said of a fault.

    Raises:
        BettercareError: one is neither, does not fit the network, or is given twice.
    """
    made = tuple(_decision(network, text, where) for text in texts)
    if len({one.changes for one in made}) < len(made):
        raise BettercareError("A decision is given twice.", where, "Give each once.")
    return made


def _decision(network: Network, text: str, where: str) -> Scenario:
    text = " ".join(text.split())
    if any(one.id == text for one in network.scenarios):
        return scenario_of(network, text)
    if not text or len(text) > _LONGEST_TEXT or not text.isprintable():
        raise _none(text, where)
    parts = [_part_of(network, part.strip(), where) for part in text.split("+")]
    made = Scenario(
        re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or "decision",
        " + ".join(part.title for part in parts),
        tuple(change for part in parts for change in part.changes),
    )
    changed(network, made)
    return made


def _part_of(network: Network, text: str, where: str) -> Scenario:
    """One part of a decision, titled with what it is about."""
    if any(one.id == text for one in network.scenarios):
        return scenario_of(network, text)
    if found := re.fullmatch(r"(open|close) (\d{1,5}) (?:[a-z]+ )?at (.+)", text, re.IGNORECASE):
        sign = 1 if found[1].lower() == "open" else -1
        return open_places(_station(network, found[3], where), sign * int(found[2]), where)
    if found := re.fullmatch(r"divert (\d{1,3}(?:\.\d+)?) ?% of (.+)", text, re.IGNORECASE):
        streams = {stream.id: stream for stream in network.arrivals}
        titles = {ident: stream.title or ident for ident, stream in streams.items()}
        return divert(streams[_named(titles, found[2], "stream", where)], float(found[1]), where)
    if found := re.fullmatch(r"weekend discharges at (.+)", text, re.IGNORECASE):
        return weekend_discharges((_station(network, found[1], where),))
    raise _none(text, where)


def _none(text: str, where: str) -> BettercareError:
    return BettercareError(f"{without_nhs_numbers(text)[:60]!r} is not a decision.", where, _FORMS)


def _station(network: Network, words: str, where: str) -> Station:
    return network.station(_named({station.id: station.title for station in network.stations}, words, "station", where))


def _named(titles: dict[str, str], words: str, noun: str, where: str) -> str:
    """The id that words name: an id, a title, or a part of one title alone."""
    asked = words.strip().lower()
    for ident, title in titles.items():
        if asked in (ident.lower(), title.lower()):
            return ident
    close = [ident for ident, title in titles.items() if asked and (asked in ident.lower() or asked in title.lower())]
    if len(close) == 1:
        return close[0]
    remedy = f"Say which of: {', '.join(close or titles)}."
    raise BettercareError(
        f"{without_nhs_numbers(words)[:60]!r} {'could be several of the' if close else 'is none of the'} network's {noun}s.",
        where,
        remedy,
    )
