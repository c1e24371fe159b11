"""Demonstration data: a year and more of running the two shipped plans. Invented unless a row names its source, and marked so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from pwdlib import PasswordHash

from bettercare.access.passwords import HASHER
from bettercare.access.roles import Role
from bettercare.access.users import create_user, find_user
from bettercare.assurance import Assessment, Registers, open_programme
from bettercare.assurance.metrics import Actual
from bettercare.care import BedDay, Stay
from bettercare.care.stays import book
from bettercare.demo import actuals, delivery, money, wards
from bettercare.plan import Plan
from bettercare.store import Store
from bettercare.store.changing import Changing

AS_AT = {"leicestershire-bcf-2014": date(2016, 1, 31), "llr-stp-2016": date(2017, 10, 31)}
"""The plans shown, each with the day its pages speak of."""

WHY = "Demonstration data, invented"

PASSWORD = "look-around-2016"
"""Of every demonstration account."""

ACCOUNTS: Mapping[str, tuple[str, Role]] = {
    "viewer": ("Vera Viewer", "viewer"),
    "editor": ("Edward Editor", "editor"),
    "office": ("Olive Office", "programme office"),
    "board": ("Basil Board", "board"),
    "admin": ("Ada Admin", "administrator"),
    "ward": ("Wanda Ward", "ward team"),
    "flow": ("Flora Flow", "flow manager"),
}
"""Name and role of each demonstration account, by user name."""


def fill(store: Store, by: str = "demo") -> tuple[str, ...]:
    """Open both shipped plans and fill their registers. A plan that holds figures or a data date of its own already is left alone.

    Returns:
        Ids of the plans that were filled.
    """
    return tuple(name for name in AS_AT if _fill(store, Plan.read(name), AS_AT[name], by))


def _fill(store: Store, plan: Plan, on: date, by: str) -> bool:
    programme = open_programme(store, plan, by)
    if programme.as_at is not None or store.list(Actual, plan.id):
        return False
    figures, entries = actuals.actuals(plan), money.entries(plan)
    opened = Registers.read(store, plan.id)
    # What went off track, and since when, follows from the figures: the actions that answer it name it as it is judged.
    judged = Assessment(plan, replace(opened, actuals=figures), on)
    with store.change(by, WHY) as changing:
        changing.replace(delivery.programme(programme, on))
        for row in (*figures, *entries, *delivery.added(judged)):
            changing.add(row)
        for row in delivery.changed(judged):
            changing.replace(row)
        _fill_wards(store, changing, plan, on)
    return True


def _fill_wards(store: Store, changing: Changing, plan: Plan, on: date) -> None:
    """A day on the wards, where the plan has a network of care and nobody is on them yet."""
    network = wards.network_of(plan.id)
    if network is None or store.list(Stay, book(plan.id)):
        return
    rows = tuple(wards.ward_day(network, plan.id, on))
    for kind in (Stay, BedDay):
        changing.add_all(row for row in rows if isinstance(row, kind))


def demo_users(store: Store, by: str = "demo", hasher: PasswordHash = HASHER) -> tuple[str, ...]:
    """Make the demonstration accounts that are not there yet, all with the password :data:`PASSWORD`.

    Only ever called to try the software out: anyone who has read this can sign in.

    Args:
        hasher: how the passwords are kept.

    Returns:
        User names that were made.
    """
    made = [name for name in ACCOUNTS if find_user(store, name) is None]
    for name in made:
        full_name, role = ACCOUNTS[name]
        create_user(store, by, name, name=full_name, role=role, password=PASSWORD, synthetic=True, hasher=hasher)
    return tuple(made)
