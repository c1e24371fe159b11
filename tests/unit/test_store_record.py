"""What a kind of record says of itself."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import ValidationError

from bettercare.access.users import User
from bettercare.assurance.risks import Risk
from bettercare.store import Change, Record
from bettercare.store.migrate import every_kind
from bettercare.store.record import KINDS


def test_a_record_is_never_changed_and_knows_its_fields() -> None:
    risk = Risk(risk="  A risk ")
    assert risk.risk == "A risk"
    with pytest.raises(ValidationError, match="frozen"):
        risk.owner = "Ann"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="Extra inputs"):
        Risk(risk="x", nonsense=1)  # type: ignore[call-arg]


def test_every_field_of_every_kind_says_what_it_is_called_and_means() -> None:
    every_kind()
    assert len(KINDS) > 15
    for kind in KINDS.values():
        for name, field in kind.model_fields.items():
            assert field.title, f"{kind.__name__}.{name}"
            assert field.description, f"{kind.__name__}.{name}"


def test_only_a_row_that_never_changes_may_have_bytes() -> None:
    with pytest.raises(TypeError, match="must be append_only"):
        type("Letter", (Record,), {"__annotations__": {"file": bytes}, "table": "letters", "__module__": __name__})
    assert "letters" not in KINDS


def test_a_secret_is_no_part_of_what_is_shown() -> None:
    user = User(id="ann", name="Ann", password_hash="the hash")
    assert "the hash" not in repr(user) + str(user.model_dump()) + user.model_dump_json()


def _change(action: str, **row: object) -> Change:
    return Change(
        1, datetime.now(UTC), "ann", "", "risks", "p", "r1", 1, action, {"plan": "p", "id": "r1", "version": 1, **row}
    )


def test_a_change_says_what_differs_from_the_one_before() -> None:
    added = _change("add", owner="", impact=None)
    assert added.fields() == {"owner": (None, "")}
    replaced = _change("replace", owner="Ann", impact=3)
    assert replaced.fields(added) == {"owner": ("", "Ann"), "impact": (None, 3)}
    assert replaced.fields(replaced) == {}
    removed = _change("remove", owner="Ann", impact=3)
    assert removed.fields(replaced) == {"owner": ("Ann", None), "impact": (3, None)}
    assert _change("add", owner="Bob").fields(removed) == {"owner": (None, "Bob")}
    assert _change("replace", owner="Ann", later="x").fields(added) == {"owner": ("", "Ann"), "later": (None, "x")}
