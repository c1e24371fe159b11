"""The typeface of documents on paper, which travels with the package, and the characters it has."""

from __future__ import annotations

import struct
import unicodedata
from functools import cache
from importlib import resources
from pathlib import Path

from bettercare.errors import BettercareError

MISSING = "\N{WHITE SQUARE}"
"""What stands for a character the typeface has not."""


def folder() -> Path:
    """Where the typeface's files are.

    Raises:
        BettercareError: the package was built without them.
    """
    place = Path(str(resources.files("bettercare.reports"))) / "fonts"
    if not (place / "Arimo-Regular.ttf").is_file():
        raise BettercareError(
            "The typeface of documents on paper is missing from this installation.",
            remedy="Install bettercare from its wheel, or build it again.",
        )
    return place


@cache
def characters() -> frozenset[int]:
    """Code points the typeface has, from the character map of its file (OpenType ``cmap``, format 4)."""
    data = (folder() / "Arimo-Regular.ttf").read_bytes()
    tables = {
        data[12 + 16 * i : 16 + 16 * i]: struct.unpack_from(">I", data, 20 + 16 * i)[0]
        for i in range(struct.unpack_from(">H", data, 4)[0])
    }
    start = tables[b"cmap"]
    found: set[int] = set()
    for i in range(struct.unpack_from(">H", data, start + 2)[0]):
        at = start + struct.unpack_from(">I", data, start + 8 + 8 * i)[0]
        if struct.unpack_from(">H", data, at)[0] == 4:
            double = struct.unpack_from(">H", data, at + 6)[0]
            ends = struct.unpack_from(f">{double // 2}H", data, at + 14)
            starts = struct.unpack_from(f">{double // 2}H", data, at + 16 + double)
            for first, last in zip(starts, ends, strict=True):
                found.update(range(first, last + 1))
    return frozenset(found - {0xFFFF})


def printable(text: str) -> str:
    """The text with what the typeface cannot show replaced, and with marks that only steer text (direction, joining) left out."""
    has = characters()
    return "".join(
        one if ord(one) in has or one == "\n" else MISSING
        for one in unicodedata.normalize("NFC", text)
        if one == "\n" or unicodedata.category(one) not in ("Cf", "Cc")
    )
