"""What a report is made of: sections of exhibits, each a message with a table and, where one helps, a chart.

The page, the paper, the workbook and the terminal all show the same exhibits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from bettercare.reports import amounts

Rows = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Sign:
    """A small picture in a cell of text.

    Attributes:
        svg: the drawing, which names itself.
        words: what it means; stands where pictures cannot.
        beside: words shown beside the picture; "" where it stands alone.
    """

    svg: str
    words: str
    beside: str = ""

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Attributes:
        key: name in the rows.
        title: heading.
        kind: "text" (words, or a Sign), "amount" (written in the unit under ``unit`` of the row), or one of amounts.KINDS.
        unit: unit of the numbers where they are bare, for the workbook's heading.
    """

    key: str
    title: str
    kind: str = "text"
    unit: str = ""

    @property
    def numeric(self) -> bool:
        return self.kind != "text"

    def written(self, row: Mapping[str, Any]) -> str:
        """The cell as text."""
        value = row.get(self.key)
        if value is None or value == "":
            return "" if self.kind == "text" else amounts.NONE
        if self.kind == "text":
            return str(value)
        if self.kind == "amount":
            return amounts.in_unit(float(value), str(row.get("unit") or "ratio"))
        return amounts.KINDS[self.kind](float(value))


@dataclass(frozen=True)
class Table:
    """Rows under columns; the column numbered ``heading`` names the row."""

    columns: tuple[Column, ...]
    rows: Rows
    heading: int = 0


def filled(columns: Sequence[Column], rows: Rows) -> tuple[Column, ...]:
    """The columns that say something in at least one row."""
    return tuple(column for column in columns if any(row.get(column.key) not in (None, "") for row in rows))


@dataclass(frozen=True)
class Chart:
    """A picture drawn for a wide page and for a narrow one."""

    wide: str
    narrow: str


@dataclass(frozen=True)
class Exhibit:
    """One thing shown.

    Attributes:
        id: unique in the report; the name of its sheet comes from it.
        message: what it says, in a sentence: the caption.
        table: the figures.
        chart: drawn from the same figures, or None.
        note: how to read it.
        rests_on: ids of the assumed figures behind it.
        sheet: title of its sheet in the workbook; "" for none.
        folded: whether a table without a chart is folded away, being long.
    """

    id: str
    message: str
    table: Table | None = None
    chart: Chart | None = None
    note: str = ""
    rests_on: tuple[str, ...] = ()
    sheet: str = ""
    folded: bool = False


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading."""

    id: str
    title: str
    lead: str = ""
    exhibits: tuple[Exhibit, ...] = field(default=())

    @property
    def empty(self) -> bool:
        return not self.lead and not self.exhibits


@dataclass(frozen=True)
class Headline:
    """A figure with its name and what qualifies it."""

    title: str
    value: str
    detail: str


@dataclass(frozen=True)
class Document:
    """A report whole: what every writer (page, paper, workbook) is given.

    Attributes:
        place: a line over the title: where, when, under which assumptions.
        verdict: what a reader must know, in a sentence or two.
        front: exhibits on the first screen, two abreast.
        banner: what is said before all else, such as that figures are invented; its first sentence is set bold. "" for none.
        dated: the day its data are of; files are stamped with it, so the same document gives the same bytes.
        footer: paragraphs at the end.
    """

    title: str
    place: str
    verdict: str
    headlines: tuple[Headline, ...]
    sections: tuple[Section, ...]
    front: tuple[Exhibit, ...] = ()
    banner: str = ""
    dated: date = date(2000, 1, 1)
    footer: tuple[str, ...] = ()

    @property
    def exhibits(self) -> tuple[Exhibit, ...]:
        """Every exhibit, in order."""
        return self.front + tuple(exhibit for section in self.sections for exhibit in section.exhibits)

    @property
    def warning(self) -> tuple[str, str]:
        """The banner's first sentence, and the rest of it."""
        first, stop, rest = self.banner.partition(". ")
        return (first + ".", rest) if stop else (self.banner, "")
