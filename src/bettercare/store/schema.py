"""The tables of the store, made from the kinds of record."""

from __future__ import annotations

import types
import typing
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from bettercare.store.record import KINDS, Record

metadata = MetaData()


class Exact(TypeDecorator[Decimal]):
    """A decimal number kept as its text, so that it is the same digits on every database."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


_TYPES: dict[Any, TypeEngine[Any] | TypeDecorator[Any]] = {
    str: Text(), int: BigInteger(), bool: Boolean(), date: Date(), datetime: DateTime(timezone=True), Decimal: Exact(), bytes: LargeBinary(),
}  # fmt: skip

changes = Table(
    "changes",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", Text, nullable=False, index=True),
    Column("plan", Text, nullable=False, index=True),
    Column("id", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("action", Text, nullable=False),
    Column("row", JSON, nullable=False),
)
"""Every write: the row as it then was (as it last was, when removed), who wrote it, when and why."""


def table_of(kind: type[Record]) -> Table:
    """The table of a kind of record."""
    if kind.table in metadata.tables:
        return metadata.tables[kind.table]
    columns: list[Column[Any]] = []
    for name, field in kind.model_fields.items():
        plain, optional = _plain(field.annotation)
        key = name in ("plan", "id")
        columns.append(Column(name, _TYPES.get(plain, JSON()), primary_key=key, nullable=optional and not key))
    return Table(kind.table, metadata, *columns)


def _plain(annotation: Any) -> tuple[Any, bool]:
    """The type without None and without its choices, and whether None was one of them."""
    optional = False
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        optional = len(parts) < len(typing.get_args(annotation))
        annotation = parts[0] if len(parts) == 1 else Any
    if typing.get_origin(annotation) is typing.Literal:
        annotation = type(typing.get_args(annotation)[0])
    return annotation, optional


def all_tables() -> MetaData:
    """The whole schema, once every room that keeps records has been imported."""
    for kind in list(KINDS.values()):
        table_of(kind)
    return metadata
