"""What every row kept in the store has in common."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

KINDS: dict[str, type[Record]] = {}
"""Every kind of record that has been defined, by the name of its table."""


class Record(BaseModel):
    """One row. A record is never changed: a new one with the same id replaces it, and the old one stays in the history.

    A kind of record sets ``table``; its fields become the columns, the form, the API's schema and the import's headings, so each has a
    title (what a form calls it) and a description (what it means, with its unit).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    table: ClassVar[str]
    append_only: ClassVar[bool] = False
    """Rows of this kind are added and never replaced or removed."""

    plan: str = Field(default="", title="Plan", description="Id of the plan the row belongs to; blank for none")
    id: str = Field(
        default="",
        title="Reference",
        description="Short name, unique in its register; the store gives one when blank",
        max_length=120,
    )
    version: int = Field(
        default=0, title="Version", description="How many times the row has been written; 0 when not stored yet", ge=0
    )
    synthetic: bool = Field(
        default=False,
        title="Synthetic",
        description="Invented, for trying the software out; marked wherever it is seen",
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **_: Any) -> None:
        KINDS[cls.table] = cls


def asks(
    title: str, description: str = "", default: Any = ..., *, long: bool = False, refers: str = "", **limits: Any
) -> Any:
    """A field of a record.

    Args:
        title: what a form calls it.
        description: what it means, with its unit.
        long: asked for in a box of several lines.
        refers: what its value names: a table of the plan such as ``metrics``, a kind of record such as ``risks``, or ``ref`` for anything.
    """
    return Field(
        default,
        title=title,
        description=description or title,
        json_schema_extra={"long": long, "refers": refers},
        **limits,
    )
