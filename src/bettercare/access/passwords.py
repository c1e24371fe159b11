"""Passwords: which are good enough, and how they are kept (Argon2id, as RFC 9106 has it, by the libraries pwdlib and argon2-cffi)."""

from __future__ import annotations

import unicodedata
from functools import cache
from threading import BoundedSemaphore

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from bettercare.errors import BettercareError

SHORTEST = 12
LONGEST = 1000
"""Characters. A limit at all, so that nobody has us hash a book."""
FEWEST_DIFFERENT = 5
"""Different characters a password needs."""

AT_ONCE = BoundedSemaphore(2)
"""Hashing takes memory on purpose: more tries at once wait, so that a crowd at the sign-in page cannot fill the machine."""

HASHER = PasswordHash((Argon2Hasher(),))
"""Takes about a tenth of a second and 64 MiB on purpose. Tests pass a cheaper one."""


def check_password(password: str, *names: str) -> None:
    """Refuse a password that is easily guessed.

    Args:
        names: what the user is called; none of it may be in the password.

    Raises:
        BettercareError: it is too short, too long, too plain, or holds a name.
    """
    if len(password) < SHORTEST:
        raise BettercareError(
            f"The password is too short: it has {len(password)} characters.", remedy=f"Use {SHORTEST} or more."
        )
    if len(password) > LONGEST:
        raise BettercareError("The password is too long.", remedy=f"Use {LONGEST:,} characters or fewer.")
    if len(set(password)) < FEWEST_DIFFERENT:
        raise BettercareError("The password is too plain.", remedy="Use three words that do not belong together.")
    words = {word for name in names for word in (name.casefold(), *name.casefold().split())}
    if any(len(word) > 3 and word in password.casefold() for word in words):
        raise BettercareError(
            "The password holds the user's name.", remedy="Use words that have nothing to do with it."
        )


def hash_password(password: str, hasher: PasswordHash = HASHER) -> str:
    """What is kept of a password."""
    with AT_ONCE:
        return hasher.hash(_typed(password))


def fits(password: str, kept: str, hasher: PasswordHash = HASHER) -> bool:
    """Whether a password is the one that was kept. Takes as long when none was kept, and is then never right."""
    of_nobody = _of_nobody(hasher)
    with AT_ONCE:
        right = hasher.verify(_typed(password), kept or of_nobody)
    return right and bool(kept)


@cache
def _of_nobody(hasher: PasswordHash) -> str:
    return hasher.hash("nobody's password")


def _typed(password: str) -> bytes:
    """The same bytes however the keyboard composed its accents."""
    return unicodedata.normalize("NFKC", password[:LONGEST]).encode("utf-8", "surrogatepass")
