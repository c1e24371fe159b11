"""The tables of the store, made from the kinds of record."""

from __future__ import annotations

import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from threading import Lock
from typing import Any, Generic, TypeVar, cast

from pydantic import TypeAdapter
from pydantic_core import PydanticUndefined
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Row,
    String,
    Table,
    Text,
)
from sqlalchemy.types import TypeDecorator, TypeEngine

from bettercare.store.record import KINDS, Record

R = TypeVar("R", bound=Record)

metadata = MetaData()


class Exact(TypeDecorator[Decimal]):
    """A decimal number kept as its text, so that it is the same digits on every database."""

    impl = String(64)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> str | None:
        return None if value is None else format(Decimal(value), "f")

    def process_result_value(self, value: Any, dialect: Any) -> Decimal | None:
        return None if value is None else Decimal(value)


class Moment(TypeDecorator[datetime]):
    """A moment, always in UTC and saying so when read, also on a database that keeps no time zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Any) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("A moment must say its time zone.")
        moment: datetime = value.astimezone(UTC)
        return moment.replace(tzinfo=None) if dialect.name == "sqlite" else moment

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


_TYPES: dict[Any, TypeEngine[Any] | TypeDecorator[Any]] = {
    str: Text(), int: BigInteger(), bool: Boolean(), date: Date(), datetime: Moment(), Decimal: Exact(), bytes: LargeBinary(), float: Double(),
}  # fmt: skip

changes = Table(
    "changes",
    metadata,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("at", Moment, nullable=False),
    Column("by", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("action", Text, nullable=False),
    Column("row", JSON, nullable=False),
    Index("changes_of_plan", "plan", "number"),
    Index("changes_of_row", "kind", "plan", "id", "number"),
)
"""Every write: the row as it then was (as it last was, when removed), who wrote it, when and why."""


def table_of(kind: type[Record]) -> Table:
    """The table of a kind of record."""
    return shape_of(kind).table


def _make_table(kind: type[Record]) -> Table:
    columns: list[Column[Any]] = []
    for name, field in kind.model_fields.items():
        plain, optional = _plain(field.annotation)
        key = name in ("plan", "id")
        columns.append(
            Column(name, _TYPES.get(plain, JSON(none_as_null=True)), primary_key=key, nullable=optional and not key)
        )
    indexes = [Index(f"{kind.table}_by_{'_'.join(names)}", *names) for names in kind.indexes]
    return Table(kind.table, metadata, *columns, *indexes)


def all_tables() -> MetaData:
    """The whole schema, once every room that keeps records has been imported."""
    for kind in list(KINDS.values()):
        table_of(kind)
    return metadata


@dataclass(frozen=True)
class Shape(Generic[R]):
    """How a kind of record is turned into columns and history, and back.

    Rows are read without being checked anew: they were when written, and a check made stricter since must not make old rows unreadable.
    """

    kind: type[R]
    table: Table
    nested: Mapping[str, TypeAdapter[Any]]
    """Fields kept as JSON."""
    written: Mapping[str, TypeAdapter[Any]]
    """How the history's JSON becomes a value, for every field the history holds."""

    def columns(self, record: R) -> dict[str, Any]:
        """What the database is given."""
        given = dict(record.__dict__)
        for name, adapter in self.nested.items():
            given[name] = adapter.dump_python(given[name], mode="json")
        return given

    def history(self, record: R) -> dict[str, Any]:
        """What the history is given: JSON, without bytes and secrets."""
        return record.model_dump(mode="json", include=set(self.written))

    def reader(self) -> Callable[[Row[Any]], R]:
        """Makes records of rows selected from the table."""
        kind, names, nested, set_ = self.kind, tuple(self.kind.model_fields), self.nested, object.__setattr__
        fields = frozenset(names)

        def read(row: Row[Any]) -> R:
            values = dict(zip(names, row))
            for name, adapter in nested.items():
                if values[name] is not None:
                    values[name] = adapter.validate_python(values[name])
            # What model_construct does, in a fifth of its time, as every field is there.
            record = kind.__new__(kind)
            set_(record, "__dict__", values)
            set_(record, "__pydantic_fields_set__", set(fields))
            set_(record, "__pydantic_extra__", None)
            set_(record, "__pydantic_private__", None)
            return record

        return read

    def remembered(self, row: Mapping[str, Any]) -> R:
        """A record as the history has it. A field that came later has its default."""
        values: dict[str, Any] = {}
        for name, field in self.kind.model_fields.items():
            if name in self.written and name in row:
                values[name] = None if row[name] is None else self.written[name].validate_python(row[name])
            else:
                default = field.get_default(call_default_factory=True, validated_data=values)
                values[name] = None if default is PydanticUndefined else default
        return self.kind.model_construct(**values)


_SHAPES: dict[type[Record], Shape[Any]] = {}
_MAKING = Lock()


def shape_of(kind: type[R]) -> Shape[R]:
    """The shape of a kind of record, made once."""
    if kind not in _SHAPES:
        with _MAKING:
            if kind not in _SHAPES:
                _SHAPES[kind] = _make_shape(kind)
    return _SHAPES[kind]


def _make_shape(kind: type[R]) -> Shape[R]:
    nested: dict[str, TypeAdapter[Any]] = {}
    written: dict[str, TypeAdapter[Any]] = {}
    for name, field in kind.model_fields.items():
        plain, _ = _plain(field.annotation)
        adapter: TypeAdapter[Any] = TypeAdapter(plain if plain in _TYPES else cast(Any, field.annotation))
        if plain not in _TYPES:
            nested[name] = adapter
        if plain is not bytes and not field.exclude:
            written[name] = adapter
    return Shape(kind, _make_table(kind), nested, written)


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
