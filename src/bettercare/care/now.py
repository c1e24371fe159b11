"""The wards as they are now, for a forecast that starts from them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bettercare.care.stays import Stay, wall


def state_now(stays: Iterable[Stay], now: datetime) -> list[dict[str, Any]]:
    """Everybody on a ward at a moment, one row each, as the state of a network is given.

    Args:
        stays: any; those that had not begun or had ended by then are left out.
        now: the moment.

    Returns:
        Rows with ``patient``, ``station``, ``class``, ``since``, ``state`` (``ready`` for those who could leave, else ``in service``),
        ``goes_to`` (where a ready patient waits to go; blank when not known) and ``expected_discharge`` (a date, or None). Times are by the
        clock on the wall, without a zone, as a network's are. By station, then since, then patient.
    """
    rows: list[dict[str, Any]] = []
    for stay in stays:
        if stay.since > now or (stay.left is not None and stay.left <= now):
            continue
        ready = stay.ready_since is not None and stay.ready_since <= now
        rows.append(
            {
                "patient": stay.pseudonym, "station": stay.station, "class": stay.patient_class, "since": wall(stay.since).replace(tzinfo=None),
                "state": "ready" if ready else "in service", "goes_to": stay.waiting_for if ready else "",
                "expected_discharge": stay.expected_discharge,
            }
        )  # fmt: skip
    return sorted(rows, key=lambda row: (row["station"], row["since"], row["patient"]))
