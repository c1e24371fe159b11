"""What every row kept in the store has in common."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from math import isfinite
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, field_validator

KINDS: dict[str, type[Record]] = {}
"""Every kind of record that has been defined, by the name of its table."""

LARGEST = 2**63 - 1
"""The largest whole number both databases keep."""

DIGITS = 60
"""The most digits a decimal number may have, counted before and after its point."""


class Record(BaseModel):
    """One row. A record is never changed: a new one with the same id replaces it, and the old one stays in the history.

    A kind of record sets ``table``; its fields become the columns, the form, the API's schema and the import's headings, so each has a
    title (what a form calls it) and a description (what it means, with its unit).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    table: ClassVar[str]
    append_only: ClassVar[bool] = False
    """Rows of this kind are added and never replaced or removed."""
    kept: ClassVar[bool] = True
    """Every version of a row stays in the history. Not so for what changes all the time and nobody asks about, such as sessions."""
    indexes: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Fields that rows are looked up by, other than plan and id."""

    plan: str = Field(
        default="", title="Plan", description="Id of the plan the row belongs to; blank for none", max_length=120
    )
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
        # The history leaves bytes out, so only a row that never changes may have any.
        if not cls.append_only and any(field.annotation is bytes for field in cls.model_fields.values()):
            raise TypeError(f"{cls.__name__} has a field of bytes, so it must be append_only.")
        KINDS[cls.table] = cls

    @field_validator("*")
    @classmethod
    def _can_be_kept(cls, value: Any) -> Any:
        """Refuses what one of the databases, or a document made from the row, could not hold."""
        if isinstance(value, str):
            if not value.isprintable() and any(char < " " and char not in "\t\n\r" for char in value):
                raise ValueError("must not hold control characters")
        elif isinstance(value, (tuple, list, dict)):
            for part in (*value, *value.values()) if isinstance(value, dict) else value:
                cls._can_be_kept(part)
        elif isinstance(value, Decimal):
            exponent = value.as_tuple().exponent
            if not isinstance(exponent, int) or max(value.adjusted(), 0) + max(-exponent, 0) >= DIGITS:
                raise ValueError(f"must be a number of fewer than {DIGITS} digits")
        elif isinstance(value, datetime):
            if value.tzinfo is None:
                raise ValueError("must say its time zone")
        elif isinstance(value, int):
            if abs(value) > LARGEST:
                raise ValueError("is too large a number")
        elif isinstance(value, float) and not isfinite(value):
            raise ValueError("must be a finite number")
        return value


def asks(
    title: str,
    description: str = "",
    default: Any = ...,
    *,
    long: bool = False,
    refers: str = "",
    secret: bool = False,
    **limits: Any,
) -> Any:
    """A field of a record.

    Args:
        title: what a form calls it.
        description: what it means, with its unit.
        long: asked for in a box of several lines.
        refers: what its value names: a table of the plan such as ``metrics``, a kind of record such as ``risks``, or ``ref`` for anything.
        secret: stored, and left out of the history, of dumps and of the API; needs a default.
    """
    return Field(
        default,
        title=title,
        description=description or title,
        json_schema_extra={"long": long, "refers": refers},
        exclude=True if secret else None,
        repr=not secret,
        **limits,
    )
