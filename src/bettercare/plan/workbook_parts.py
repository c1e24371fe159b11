"""Looking over the parts of an .xlsx file before it is opened: what it would cost to read, and what openpyxl would not tell.

An .xlsx file is a zip of XML parts. A small file may unpack to gigabytes, so sizes are judged from the zip's own list (zipfile
never unpacks more than that list says) and every XML part is read once as a stream, keeping nothing but the few facts needed.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from xml.parsers import expat

from bettercare.errors import BettercareError

LARGEST_WORKBOOK = 20_000_000
"""Bytes of the file."""
LARGEST_UNPACKED = 80_000_000
"""Bytes of all parts unpacked."""
LARGEST_SMALL_PART = 2_000_000
"""Bytes of a part that is neither a sheet nor the shared text: styles and the like, which are held in memory whole."""
MOST_PARTS = 2_000
MOST_ELEMENTS = 3_000_000
"""XML elements of all parts together: about one for each blank cell and two for each that is filled."""
LONGEST_TOKEN = 1_000_000
"""Bytes between two things the XML parser has to tell (a tag, a comment): it scans an unfinished one again at every step."""
WIDEST_ROW = 16_384
"""Cells in a row, as many as Excel has columns."""
MOST_SHEET_ROWS = 200_001
_DEEPEST = 60
_CHUNK = 65_536
_NOT_XLSX = "The file is not an Excel workbook (.xlsx)."
_SAVE_AS = "Save it from Excel as Excel Workbook (.xlsx)."
_CELL = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")


@dataclass
class SheetFacts:
    """What a sheet's XML says that a reader of values does not pass on."""

    merged: list[str] = field(default_factory=list)
    """Ranges such as ``B2:B5``."""
    uncomputed: set[str] = field(default_factory=set)
    """Cells whose formula has no value stored, such as ``D7``."""
    rows: int = 0


def look_over(path: Path) -> Mapping[str, SheetFacts]:
    """Facts by part name, for every part that is XML.

    Raises:
        BettercareError: the file is no workbook, is protected, is damaged, or would cost too much to read.
    """
    shown = path.name
    try:
        size = path.stat().st_size
        if size > LARGEST_WORKBOOK:
            raise BettercareError(
                f"The file holds {size:,} bytes; at most {LARGEST_WORKBOOK:,} are read.", shown, "Is it the right file?"
            )
        with path.open("rb") as file:
            start = file.read(8)
            if start == b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1":
                what = "The workbook is protected with a password, or is of the old .xls kind."
                raise BettercareError(what, shown, "Take the password off, or save it as Excel Workbook (.xlsx).")
            if start[:2] != b"PK":
                raise BettercareError(_NOT_XLSX, shown, _SAVE_AS)
            return _parts(file, shown)
    except OSError as error:
        raise BettercareError(
            f"The file cannot be read ({error.strerror}).", shown, "Check that you may open it."
        ) from None


def _parts(file: IO[bytes], shown: str) -> Mapping[str, SheetFacts]:
    facts: dict[str, SheetFacts] = {}
    try:
        with zipfile.ZipFile(file) as parts:
            listed = parts.infolist()
            _affordable(listed, shown)
            if "[Content_Types].xml" not in parts.namelist() or not any(
                name.endswith("workbook.xml") for name in parts.namelist()
            ):
                raise BettercareError(_NOT_XLSX, shown, _SAVE_AS)
            watch = _Watch(shown)
            for part in listed:
                if part.filename.endswith((".xml", ".rels")):
                    with parts.open(part) as stream:
                        facts[part.filename] = _facts(stream, watch, shown)
    except BettercareError:
        raise
    except (
        Exception
    ) as error:  # a damaged zip raises nearly anything: BadZipFile, zlib.error, ValueError, NotImplementedError
        raise damaged(error, shown) from None
    return facts


def damaged(error: Exception, shown: str) -> BettercareError:
    """What to say of a workbook whose parts cannot be read."""
    reason = str(error).split("\n")[0][:80] or type(error).__name__
    return BettercareError(f"The workbook is damaged ({reason}).", shown, "Open it in Excel and save it again.")


def _affordable(listed: list[zipfile.ZipInfo], shown: str) -> None:
    if any(part.flag_bits & 1 for part in listed):
        raise BettercareError(
            "The workbook is protected with a password.", shown, "Take the password off and save it again."
        )
    if len(listed) > MOST_PARTS:
        raise BettercareError(
            f"The workbook has {len(listed):,} parts.", shown, "Save the sheets of the plan alone in a new workbook."
        )
    total = sum(part.file_size for part in listed)
    if total > LARGEST_UNPACKED:
        what = f"The workbook unpacks to {total:,} bytes; at most {LARGEST_UNPACKED:,} are read."
        raise BettercareError(what, shown, "Save the sheets of the plan alone in a new workbook.")
    for part in listed:
        # Pictures and the like are not read at all, so only the XML that is held in memory counts.
        small = part.filename.endswith((".xml", ".rels")) and not re.search(
            r"worksheets/[^/]+\.xml$|sharedStrings\.xml$", part.filename
        )
        if small and part.file_size > LARGEST_SMALL_PART:
            what = f"The part {part.filename[:60]} of the workbook holds {part.file_size:,} bytes."
            raise BettercareError(what, shown, "Save the sheets of the plan alone in a new workbook.")


class _Watch:
    """Watches the parts of a workbook go by, one after another."""

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._elements = 0
        self.begin()

    def begin(self) -> None:
        """A new part begins."""
        self.facts = SheetFacts()
        self._depth = 0
        self._row = 0
        self._width = 0
        self._cell = ""
        self._formula = self._value = self._in_value = self._text = False

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise BettercareError(
                "A part of the workbook is nested too deeply.", self._shown, "Open it in Excel and save it again."
            )
        self._elements += 1
        if self._elements > MOST_ELEMENTS:
            self._refuse(f"The workbook holds more than {MOST_ELEMENTS:,} pieces.")
        name = tag.rpartition("|")[2]
        if name == "row":
            self._width = 0
            number = attributes.get("r", "")
            self._row = int(number) if number.isdecimal() and len(number) < 9 else self._row + 1
            self._count_row()
        elif name == "c":
            self._width += 1
            if self._width > WIDEST_ROW:
                self._refuse(f"A row has more than {WIDEST_ROW:,} cells.")
            self._cell = attributes.get("r", "")
            if found := _CELL.fullmatch(self._cell):
                self._row = int(found[2])
                self._count_row()
            self._formula, self._value = False, False
            # The result of a formula may be a text without letters: then the empty value is the value.
            self._text = attributes.get("t") == "str"
        elif name == "f":
            self._formula = True
        elif name == "v":
            self._in_value = True
            self._value = self._text
        elif name == "mergeCell" and len(self.facts.merged) < 100:
            self.facts.merged.append(attributes.get("ref", "")[:40])

    def text(self, data: str) -> None:
        if self._in_value and data.strip():
            self._value = True

    def _refuse(self, what: str) -> None:
        raise BettercareError(what, self._shown, "Save the sheets of the plan alone in a new workbook.")

    def _count_row(self) -> None:
        self.facts.rows = max(self.facts.rows, self._row)
        if self.facts.rows > MOST_SHEET_ROWS:
            what = f"A sheet has more than {MOST_SHEET_ROWS - 1:,} rows."
            raise BettercareError(what, self._shown, "Delete the empty rows below the last.")

    def end(self, tag: str) -> None:
        self._depth -= 1
        name = tag.rpartition("|")[2]
        if name == "v":
            self._in_value = False
        elif name == "c" and self._formula and not self._value and self._cell:
            self.facts.uncomputed.add(self._cell)

    def doctype(self, *_: object) -> None:
        raise BettercareError(
            "The workbook holds a document type, which no workbook needs.",
            self._shown,
            "Open it in Excel and save it again.",
        )


def _facts(stream: IO[bytes], watch: _Watch, shown: str) -> SheetFacts:
    watch.begin()
    parser = expat.ParserCreate(namespace_separator="|")
    parser.StartElementHandler = watch.start
    parser.EndElementHandler = watch.end
    parser.CharacterDataHandler = watch.text
    parser.StartDoctypeDeclHandler = watch.doctype
    try:
        fed = 0
        while chunk := stream.read(_CHUNK):
            parser.Parse(chunk, False)
            fed += len(chunk)
            if fed - max(parser.CurrentByteIndex, 0) > LONGEST_TOKEN:
                raise BettercareError(
                    f"A part of the workbook holds a piece of more than {LONGEST_TOKEN:,} bytes.",
                    shown,
                    "Save the sheets of the plan alone in a new workbook.",
                )
        parser.Parse(b"", True)
    except expat.ExpatError as error:
        raise damaged(error, shown) from None
    return watch.facts
