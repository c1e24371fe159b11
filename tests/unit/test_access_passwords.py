"""Which passwords will do, and how they are kept."""

from __future__ import annotations

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bettercare.access.passwords import HASHER, LONGEST, SHORTEST, check_password, fits, hash_password
from bettercare.access.roles import RIGHTS
from bettercare.errors import BettercareError

CHEAP = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),))


@pytest.mark.parametrize(
    "password", ["correct horse staple", "x" * 8 + "yzab", "пароль на двенадцать", "a b c d e f g"]
)
def test_passwords_that_will_do(password: str) -> None:
    check_password(password, "ann", "Ann Other")


@pytest.mark.parametrize(
    ("password", "said"),
    [
        ("", "too short: it has 0 characters. Use 12 or more"),
        ("x" * 5 + "abcdef", "too short: it has 11"),
        ("abcdefghijkl" * 100, "too long"),
        ("abababababab", "too plain"),
        ("my-ANNETTE-2016", "holds the user's name"),
        ("the Others of 2016", "holds the user's name"),
    ],
)
def test_passwords_that_will_not_do(password: str, said: str) -> None:
    with pytest.raises(BettercareError, match=said):
        check_password(password, "annette", "Ann Others")


def test_the_limits_are_where_they_are_said_to_be() -> None:
    check_password("abcdefghijklmnop"[:SHORTEST])
    check_password(("abcdefghij" * LONGEST)[:LONGEST])


def test_a_password_fits_its_own_hash_only() -> None:
    kept = hash_password("correct horse staple", CHEAP)
    assert kept.startswith("$argon2id$")
    assert "horse" not in kept
    assert kept != hash_password("correct horse staple", CHEAP)
    assert fits("correct horse staple", kept, CHEAP)
    assert not fits("correct horse stapl", kept, CHEAP)
    assert not fits("", kept, CHEAP)


def test_a_password_is_the_same_however_its_accents_are_typed() -> None:
    assert fits("cafe\u0301 au lait noir", hash_password("caf\u00e9 au lait noir", CHEAP), CHEAP)


def test_nothing_fits_where_nothing_was_kept() -> None:
    assert not fits("nobody's password", "", CHEAP)
    assert not fits("", "", CHEAP)
    assert not fits("\ud800", "", CHEAP)


def test_a_password_is_hashed_as_the_standard_advises() -> None:
    """RFC 9106, section 4, second recommended option: Argon2id, 3 passes, 64 MiB, 4 lanes."""
    assert hash_password("correct horse staple", HASHER).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_everyone_who_may_do_anything_may_read() -> None:
    assert all("read" in rights for rights in RIGHTS.values())
    assert RIGHTS["viewer"] == {"read"}
    assert [role for role, rights in RIGHTS.items() if "users" in rights] == ["administrator"]
