"""The action log."""

from datetime import UTC, date, datetime

import pytest

from bettercare.assurance.actions import Action, by_officer, changed_since, overdue, suggested
from bettercare.store import Change

ON = date(2016, 1, 31)


def _action(name: str, **fields: object) -> Action:
    return Action(id=name, action="Do it", officers="A", **fields)  # type: ignore[arg-type]


def test_overdue_the_longest_first():
    late, later = _action("late", due=date(2016, 1, 30)), _action("later", due=date(2015, 12, 1))
    done = _action("done", due=date(2015, 1, 1), status="done")
    assert overdue([late, done, _action("open"), later, _action("today", due=ON)], ON) == (later, late)


@pytest.mark.parametrize(
    ("due", "status", "expected"),
    [
        (date(2016, 1, 31), "green", ""),
        (date(2016, 1, 30), "green", "amber"),
        (date(2016, 1, 30), "amber", ""),
        (date(2015, 12, 1), "amber", "red"),
        (date(2015, 12, 1), "red", ""),
        (date(2015, 12, 1), "done", ""),
    ],
)
def test_a_status_is_suggested_only_when_worse(due: date, status: str, expected: str):
    found, reason = suggested(_action("a", due=due, status=status), ON)
    assert found == expected
    assert bool(reason) == bool(expected)


def test_by_officer_splits_and_leaves_out_what_is_done():
    both = Action(id="both", action="x", officers="Zoe / Adam")
    found = by_officer([both, Action(id="adam", action="y", officers="Adam"), _action("done", status="done")])
    assert {name: [action.id for action in own] for name, own in found.items()} == {
        "Adam": ["both", "adam"], "Zoe": ["both"],
    }  # fmt: skip


def test_changed_since_the_last_report():
    def change(name: str, action: str = "replace", kind: str = "actions") -> Change:
        return Change(1, datetime(2016, 1, 1, tzinfo=UTC), "o", "", kind, "p", name, 2, action, {})

    actions = [_action("a"), _action("b"), _action("c")]
    changes = [change("a"), change("b", kind="risks"), change("c", "remove")]
    assert [action.id for action in changed_since(actions, changes)] == ["a"]
