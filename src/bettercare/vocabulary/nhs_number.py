"""The NHS number: known by its check digit, so that none is kept where a pseudonym should be."""

from __future__ import annotations

import re
import unicodedata

_APART = r"[\s./_-]"
_WRITTEN = re.compile(
    rf"(?<![^\W_])[^\W\d_]*(\d{{3}}{_APART}{{0,3}}\d{{3}}{_APART}{{0,3}}\d{{4}}|\d(?:{_APART}\d){{9}})[^\W\d_]*(?![^\W_])"
)
"""Ten digits in a row, or as the number is printed (three, three and four), or each apart, with no other digit in the word they stand in:
an NHS number with letters before or after it is one, ten digits in the middle of a hash are not."""


def is_nhs_number(text: str) -> bool:
    """Whether a text is a valid NHS number and nothing else, however its digits are spaced or written.

    The first nine are weighted 10 down to 2 and added; eleven less the remainder by eleven is the tenth, with eleven written 0 and ten never
    used (NHS Data Model and Dictionary, NHS NUMBER: modulus 11).

    >>> is_nhs_number("9434765919"), is_nhs_number("943 476 5919"), is_nhs_number("9434765918")
    (True, True, False)
    """
    digits = re.sub(r"[\W_]+", "", _plain(text))
    if len(digits) != 10 or not (digits.isascii() and digits.isdigit()):
        return False
    check = 11 - sum(int(digit) * weight for digit, weight in zip(digits, range(10, 1, -1), strict=False)) % 11
    return check != 10 and int(digits[9]) == check % 11


def holds_nhs_number(text: str) -> bool:
    """Whether a text is a valid NHS number, or one stands in it as it is printed.

    >>> holds_nhs_number("see 943 476 5919 too"), holds_nhs_number("P9434765919"), holds_nhs_number("a9434765919b07c")
    (True, True, False)
    """
    return is_nhs_number(text) or any(map(is_nhs_number, _WRITTEN.findall(_plain(text))))


def no_nhs_number(value: object) -> object:
    """The value of a field that must not hold an NHS number, as it is.

    Raises:
        ValueError: it holds one, in words to follow the field's name.
    """
    if isinstance(value, str) and holds_nhs_number(value):
        raise ValueError("must not hold an NHS number: write a pseudonym, and keep the key to it elsewhere")
    return value


def without_nhs_numbers(text: str) -> str:
    """The text as it is when it holds no valid NHS number; otherwise with each taken out, to be quoted in a message.

    >>> without_nhs_numbers("see 943 476 5919 too")
    'see (number) too'
    """
    if is_nhs_number(text):
        return "(number)"
    if not holds_nhs_number(text):
        return text
    return _WRITTEN.sub(lambda found: "(number)" if is_nhs_number(found[1]) else found[0], _plain(text))


def _plain(text: str) -> str:
    """Digits of any script, full-width and superscript as ours; nothing for what is there and cannot be seen; any dash as a hyphen."""
    return "".join(_character(char) for char in unicodedata.normalize("NFKC", text))


def _character(char: str) -> str:
    kind = unicodedata.category(char)
    return str(unicodedata.decimal(char)) if kind == "Nd" else "" if kind == "Cf" else "-" if kind == "Pd" else char
