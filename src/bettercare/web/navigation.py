"""The menu of a plan: a few groups, each with its pages."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bettercare.access.roles import Right

MENU = (
    ("Overview", (("Plan on a page", ""),)),
    ("Performance", (("Dashboard", "/dashboard"), ("Metrics", "/metrics"), ("Exceptions", "/exceptions"), ("Chain", "/chain"))),
    ("Money", (("Budget", "/budget"), ("Ledger", "/budget/ledger"), ("Pay for performance", "/budget/payments"), ("Overspends", "/budget/overspend"), ("Risk sharing", "/budget/sharing"), ("Claimed twice", "/budget/claimed-twice"))),
    ("Delivery", (("Milestones", "/milestones"), ("Risks", "/risks"), ("Actions", "/actions"))),
    ("Boards", (("Confirm and challenge", "/questions"), ("Decisions", "/decisions"), ("Meetings", "/meetings"), ("Declarations", "/declarations"))),
    ("Model", (("Model", "/model"), ("Scenarios", "/model/compare"), ("Check", "/check"), ("Challenge", "/challenge"))),
    ("Flow", (("Flow", "/flow"), ("Runs", "/flow/run"), ("Compare", "/flow/compare"), ("A day", "/flow/day"), ("Calibration", "/flow/calibration"), ("Now", "/flow/now"), ("Forecast", "/flow/forecast"), ("Promises", "/flow/promises"))),
    ("Wards", (("Wards", "/wards"), ("Snapshot", "/stays/import"), ("Readings", "/stays/readings"))),
    ("Reports", (("Reports", "/reports"), ("Changes", "/changes"))),
)  # fmt: skip
"""Groups, and the name and address of each page in them, after ``/plans/{plan}``."""

NEEDED: dict[str, Right] = {
    "/flow/now": "wards",
    "/wards": "wards",
    "/stays/import": "snapshot",
    "/stays/readings": "snapshot",
}
"""Pages that not everybody who reads may open, and the right each needs: the menu of others leaves them out."""

UNDER = {"/agenda": "/meetings", "/stays": "/wards"}
"""Pages that the menu does not name, and the page of the menu they belong to."""


@dataclass(frozen=True)
class Place:
    """A link of the menu."""

    name: str
    href: str
    here: bool
    """Whether the page shown is this one or lies under it."""


def menu(
    plan: str, path: str, may: Callable[[Right], bool] = lambda right: True
) -> tuple[tuple[Place, ...], tuple[Place, ...]]:
    """The groups of a plan's menu, and the pages of the group that ``path`` lies in.

    Args:
        may: whether the visitor has a right.
    """
    base = f"/plans/{plan}"
    inside = path.removeprefix(base)
    named = any(to and f"{inside}/".startswith(f"{to}/") for _, pages in MENU for _, to in pages)
    if not named:
        inside = next((under for page, under in UNDER.items() if f"{inside}/".startswith(f"{page}/")), inside)
    group, page = max(
        ((group, page) for group, pages in MENU for _, page in pages if page == "" or f"{inside}/".startswith(f"{page}/")),
        key=lambda found: len(found[1]),
    )  # fmt: skip
    open_to = {
        name: [(title, to) for title, to in pages if to not in NEEDED or may(NEEDED[to])] for name, pages in MENU
    }
    groups = tuple(Place(name, base + pages[0][1], name == group) for name, pages in open_to.items() if pages)
    pages = tuple(Place(name, base + to, to == page) for name, to in open_to[group])
    return groups, pages if len(pages) > 1 else ()
