"""Roles, and the rights each has. A route or command asks for a right, never for a role."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

Right = Literal[
    "read", "enter", "edit", "challenge", "decide", "money", "publish", "rules", "users", "wards", "round", "snapshot",
]  # fmt: skip
"""read: see everything but patients. enter: actuals and milestone progress. edit: risks, actions, meetings, declarations. challenge: raise and confirm
questions. decide: record decisions. money: ledger entries. publish: freeze a report. rules: how metrics are judged, the data date. users: accounts.
wards: see who is on the wards, by pseudonym. round: mark stays and days at the board round. snapshot: take in who is on the wards from a file,
and see who has looked at them."""

SAID: Mapping[Right, str] = {
    "read": "to read", "enter": "to enter figures and progress", "edit": "to change the registers", "challenge": "to raise and confirm questions",
    "decide": "to record decisions", "money": "to enter and reverse money", "publish": "to publish reports",
    "rules": "to change how metrics are judged", "users": "to look after accounts",
    "wards": "to see patients on the wards", "round": "to mark a board round", "snapshot": "to take in a snapshot of the wards",
}  # fmt: skip
"""What each right is a right to do, after "the right"."""

Role = Literal["viewer", "editor", "programme office", "board", "administrator", "ward team", "flow manager"]

RIGHTS: Mapping[str, frozenset[Right]] = {
    "viewer": frozenset({"read"}),
    "editor": frozenset({"read", "enter", "edit"}),
    "programme office": frozenset({"read", "enter", "edit", "challenge", "decide", "money", "publish", "rules"}),
    "board": frozenset({"read", "challenge", "decide"}),
    "administrator": frozenset({"read", "users"}),
    "ward team": frozenset({"read", "wards", "round"}),
    "flow manager": frozenset({"read", "wards", "round", "snapshot"}),
}
"""An administrator looks after accounts and sees the pages; running the programme is the programme office's. Patients are seen by those who care
for them and those who run the beds, and by nobody else."""
