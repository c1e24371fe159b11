"""Shapes of what the API sends and takes: made from the records and results themselves, so that nothing is described twice."""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from datetime import datetime
from functools import cache
from typing import Annotated, Any, Generic, TypeVar

from fastapi import Form
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, ValidationError, create_model

from bettercare.store import Record

R = TypeVar("R", bound=Record)
T = TypeVar("T")
Wall = Annotated[datetime, PlainSerializer(datetime.isoformat, return_type=str)]
"""A time by the clock on the wall, which has no zone: 2016-11-02T08:00:00."""


class Wrong(BaseModel):
    """One thing that is wrong."""

    where: str = Field(description="Field, or file and row", examples=["period"])
    what: str = Field(
        description="What is wrong, in a sentence", examples=["October 2017 had not ended by 30 September 2017."]
    )
    remedy: str = Field(description="What to do about it", examples=["Enter its figure from 31 October 2017 on."])


class Said(BaseModel):
    """Why a request was refused."""

    what: str = Field(description="What is wrong, in a sentence", examples=["There is no plan 'leicester' here."])
    where: str = Field(description="Field, or file and row; blank where there is no one place")
    remedy: str = Field(description="What to do about it", examples=["Choose one from the list of plans."])
    faults: list[Wrong] = Field(
        description="Every fault, where there may be several. Of a conflict: each field that another person changed meanwhile"
    )


class Refusal(BaseModel):
    """The answer to every request that is refused."""

    error: Said


class Rows(BaseModel, Generic[T]):
    """A part of a long list."""

    rows: list[T] = Field(description="The rows of this part, in order")
    next: int | None = Field(description="Send it as `start` for the part that follows; null at the end of the list")


class Body(BaseModel):
    """What is sent to be kept."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


MULTIPART: Any = Form(media_type="multipart/form-data")
"""Marks a :class:`Body` that is sent with a file: a field that is not known is refused, so that a mistyped one changes nothing."""


def part_of(rows: Sequence[T], start: int, limit: int) -> dict[str, Any]:
    """A part of a list as :class:`Rows` has it."""
    end = start + limit
    return {"rows": list(rows[start:end]), "next": end if end < len(rows) else None}


@cache
def shape(kind: type) -> Any:
    """The shape of a result: the same fields, the text under each being its description, the class's text the shape's."""
    hints, said = typing.get_type_hints(kind), _said(kind)
    given: dict[str, Any] = {
        one.name: (_shown(hints[one.name]), Field(description=said[one.name]) if one.name in said else Field())
        for one in fields(kind)
        if not one.name.startswith("_")
    }
    return create_model(
        kind.__name__.strip("_"), __config__=ConfigDict(from_attributes=True), __doc__=kind.__doc__, **given
    )


def many(kind: type) -> Any:
    """A list of a result's shape."""
    return list[shape(kind)]  # type: ignore[misc]


def _shown(hint: Any) -> Any:
    """A type with each result in it as its shape."""
    if isinstance(hint, type) and is_dataclass(hint):
        return shape(hint)
    parts = typing.get_args(hint)
    if not parts or typing.get_origin(hint) is typing.Literal:
        return hint
    shown = tuple(_shown(part) for part in parts)
    if typing.get_origin(hint) in (types.UnionType, typing.Union):
        return typing.Union[shown]  # noqa: UP007
    return typing.cast(Any, typing.get_origin(hint))[shown]


def _said(kind: type) -> dict[str, str]:
    """The text under each field of a class, and of the classes it is made from."""
    said = _said(kind.__base__) if kind.__base__ and is_dataclass(kind.__base__) else {}
    (written,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    assert isinstance(written, ast.ClassDef)
    return said | {
        field.target.id: inspect.cleandoc(text.value.value)
        for field, text in zip(written.body, written.body[1:], strict=False)
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant) and isinstance(text.value.value, str)
    }


VERSION: Any = Field(
    description="The version that was read: when another one is stored by now, the answer is 409 and nothing is changed",
    ge=0,
    le=10**9,
)

# Shorter than the store allows: the reference of a reversal or of a ruling is made of it.
REFERENCE = Field(
    default="", max_length=80, pattern=r"^([A-Za-z0-9][A-Za-z0-9._-]*)?$",
    description="Reference of your own: sending the same again is then a conflict, and not a second row. Blank for one to be given",
)  # fmt: skip


def body_of(
    kind: type[Record], asked: Sequence[str], name: str, example: Mapping[str, Any], *, again: bool, **more: Any
) -> type[Body]:
    """What is sent to make a row, or to change it ``again``: the fields ``asked`` of its kind, and ``more`` of (type, field)."""
    given: dict[str, Any] = {one: (kind.model_fields[one].annotation, kind.model_fields[one]) for one in asked}
    if again:
        given["version"] = (int, VERSION)
        example = {**example, "version": 1}

    class WithExample(Body):
        model_config = ConfigDict(json_schema_extra={"examples": [dict(example)]})

    made: type[Body] = create_model(name, __base__=WithExample, __doc__=kind.__doc__, **given, **more)
    return made


def record_of(kind: type[R], /, **values: Any) -> R:
    """A record of what was sent.

    Raises:
        RequestValidationError: it cannot be one, by the rules that stand above its single fields.
    """
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]) from None


def takes(body: type[BaseModel]) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """Says of a route that its ``body`` is of a kind that was made and not written down."""

    def marked(endpoint: Callable[..., T]) -> Callable[..., T]:
        endpoint.__annotations__["body"] = body
        return endpoint

    return marked
