"""The NHS number: known by its check digit, so that none is kept where a pseudonym should be."""

from __future__ import annotations

import re
import unicodedata

NO_NUMBER = "must not hold an NHS number: write a pseudonym, and keep the key to it elsewhere"
"""What is said, after a field's name, where one is found."""

_GROUPED = re.compile(r"(?<!\d)\d{3}[\s._-]{0,3}\d{3}[\s._-]{0,3}\d{4}(?!\d)")
"""Ten digits in a row, or three, three and four, as the number is printed."""


def is_nhs_number(digits: str) -> bool:
    """Whether ten digits are a valid NHS number.

    The first nine are weighted 10 down to 2 and added; eleven less the remainder by eleven is the tenth, with eleven written 0 and ten never
    used (NHS Data Model and Dictionary, NHS NUMBER: modulus 11).

    >>> is_nhs_number("9434765919"), is_nhs_number("9434765918")
    (True, False)
    """
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and int(digits[9]) == check % 11


def holds_nhs_number(text: str) -> bool:
    """Whether a text is a valid NHS number, however its digits are spaced or written, or one as it is printed stands in it.

    >>> holds_nhs_number("see 943 476 5919 too")
    True
    """
    # Full-width and superscript digits become plain ones; those of other scripts are turned into ours.
    plain = "".join(_plain(char) for char in unicodedata.normalize("NFKC", text))
    candidates = (plain, *_GROUPED.findall(plain))
    return any(is_nhs_number(re.sub(r"[\W_]", "", found)) for found in candidates)


def _plain(char: str) -> str:
    """A digit of any script as ours; nothing for what is there and cannot be seen; a dash of any kind as a hyphen."""
    kind = unicodedata.category(char)
    return str(unicodedata.decimal(char)) if kind == "Nd" else "" if kind == "Cf" else "-" if kind == "Pd" else char
