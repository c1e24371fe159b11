"""A form from a kind of record: what it asks, what was typed, what is wrong with it, and the record it makes."""

from __future__ import annotations

import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeVar

from pydantic import ValidationError
from pydantic.fields import FieldInfo
from starlette.datastructures import FormData, UploadFile

from bettercare.assurance import Assessment
from bettercare.errors import BettercareError, Fault, FaultsError
from bettercare.store import Conflict, Record

R = TypeVar("R", bound=Record)

Choices = Mapping[str, Sequence[tuple[str, str]]]
"""By what a field refers to (``boards``, ``metrics``, ...) or by the field's own name: value and what it is called."""

Shape = Literal["text", "long", "date", "choice", "many", "list", "integer", "decimal", "money", "flag"]
"""How a field is asked for: many = boxes to tick; list = one a line; money = pounds on the page and pence in the record."""

UNASKED = frozenset({"plan", "id", "version", "synthetic"})
"""Fields that a form does not ask for."""
MONTHS = {
    name: number
    for number, name in enumerate(
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"], 1
    )
}
LONGEST = 20_000
"""Most characters of one field."""


@dataclass(frozen=True)
class Faults:
    """What is wrong with a form, in a sentence for each field; "" names the form as a whole."""

    of: Mapping[str, str]

    def __bool__(self) -> bool:
        return bool(self.of)


@dataclass(frozen=True)
class Asked:
    """A field as a page shows it."""

    name: str
    title: str
    hint: str
    shape: Shape
    required: bool
    choices: Sequence[tuple[str, str]]
    value: Any
    """Text; for a date its three texts (day, month, year); for boxes to tick the values ticked; for a flag true or false."""
    fault: str

    always: bool = False
    """Whether a choice always has a value, so that none is not offered."""

    @property
    def anchor(self) -> str:
        """Where a link in the summary of faults leads."""
        return f"{self.name}-day" if self.shape == "date" else f"{self.name}-1" if self.shape == "many" else self.name


@dataclass(frozen=True)
class Clash:
    """What another person changed since the form was opened."""

    by: str
    at: datetime
    version: int
    """The version now stored."""
    changed: Sequence[tuple[str, str, str]]
    """Title of the field, what it was, what it is now."""


@dataclass(frozen=True)
class Form:
    """A form to show."""

    asked: tuple[Asked, ...]
    version: int
    """Version of the row it was made from, sent back so that a change made meanwhile is noticed."""
    faults: Faults
    clash: Clash | None = None

    @property
    def summary(self) -> list[dict[str, str]]:
        """The faults with where each is, in the order of the page."""
        found = [{"text": one.fault, "href": f"#{one.anchor}"} for one in self.asked if one.fault]
        shown = {one.name for one in self.asked}
        return found + [{"text": text} for name, text in self.faults.of.items() if name not in shown]


def form_of(
    kind: type[Record], record: Record | None = None, /, *, sent: FormData | None = None, faults: Faults | None = None, choices: Choices | None = None,
    only: Sequence[str] = (), without: Iterable[str] = (), clash: Clash | None = None, **prefilled: Any,
) -> Form:  # fmt: skip
    """A form to show.

    Args:
        record: the row to edit; None for a new one.
        sent: what was typed, shown again in place of the record's values.
        choices: for fields that refer to something.
        only: the fields asked, in this order; all of the kind's when empty.
        without: fields not asked.
        clash: what somebody else changed meanwhile; saving again then stands.
        prefilled: values of fields of a new row.
    """
    left_out = UNASKED | set(without)
    names = [name for name in (only or kind.model_fields) if name not in left_out or name in only]
    faults = faults or Faults({})
    asked = []
    for name in names:
        field = kind.model_fields[name]
        shape = shape_of(name, field)
        start = getattr(record, name) if record is not None else prefilled.get(name, _default(field))
        value = _typed(sent, name, shape) if sent is not None else _written(start, shape)
        offered = _choices(field, name, choices or {}, value) if shape in ("choice", "many") else ()
        if not offered and shape in ("choice", "many"):
            # Nothing to choose from: asked for in words.
            shape, value = ("text", value) if shape == "choice" else ("list", "\n".join(value))
        needed = field.is_required() or bool(_least(field))
        # What is stored is an id; what is offered is a name.
        hint = "" if offered and str(field.description).startswith("Id of") else _hint(field)
        always = typing.get_origin(field.annotation) is Literal and bool(value)
        asked.append(
            Asked(
                name,
                field.title or name,
                hint,
                shape,
                needed or always,
                offered,
                value,
                faults.of.get(name, ""),
                always,
            )
        )
    version = clash.version if clash is not None else record.version if record is not None else 0
    return Form(tuple(asked), version, faults, clash)


def read_form(
    kind: type[R], sent: FormData, record: R | None = None, /, *, only: Sequence[str] = (), without: Iterable[str] = (), choices: Choices | None = None,
    **fixed: Any,
) -> R | Faults:  # fmt: skip
    """The record that a form asks for, or what is wrong with it.

    Args:
        record: the row it edits: what is not asked stays as it is. The version is the one sent with the form.
        only, without: as they were given to :func:`form_of`.
        choices: as they were given to it; what is chosen has to be among them.
        fixed: fields set by us and not by the form, such as ``plan``.
    """
    left_out = (UNASKED | set(without) | set(fixed)) - set(only)
    values: dict[str, Any] = {name: getattr(record, name) for name in kind.model_fields} if record is not None else {}
    faults: dict[str, str] = {}
    for name in only or kind.model_fields:
        if name in left_out:
            continue
        field = kind.model_fields[name]
        shape = shape_of(name, field)
        if shape == "choice" and name not in sent and not field.is_required():
            continue
        try:
            values[name] = _read(_typed(sent, name, shape), name, field)
            _known(values[name], field, (choices or {}).get(_refers(field)))
        except ValueError as error:
            faults[name] = str(error)
    if record is not None:
        values["version"] = version_of(sent)
    try:
        made = kind.model_validate(values | fixed)
    except ValidationError as error:
        for detail in error.errors():
            name = str(detail["loc"][0]) if detail["loc"] else ""
            faults.setdefault(name, _sentence(kind, name, detail))
        return Faults(faults)
    return Faults(faults) if faults else made


def faults_said(error: BettercareError) -> tuple[Fault, ...]:
    """What is wrong, for a page: of a file that was read whole each fault with its place, else one sentence; the name of a field is for programs."""
    return error.faults if isinstance(error, FaultsError) else (Fault("", error.what, error.remedy),)


def version_of(sent: FormData) -> int:
    """The version of the row that a form was made from; 0, which no stored row has, when the form says none."""
    version = sent.get("version", "")
    return int(version) if isinstance(version, str) and re.fullmatch(r"\d{1,9}", version) else 0


def clash_of(kind: type[Record], conflict: Conflict) -> Clash | None:
    """What somebody else changed, for the form to show; None when the conflict is of another sort (an id that is taken).

    The form is then made with it, and with the version now stored, so that saving again stands.
    """
    if conflict.change is None or conflict.change.action == "remove":
        return None
    changed = [
        (field.title or name, _said(before), _said(after))
        for name, field in kind.model_fields.items()
        if name in conflict.fields
        for before, after in [conflict.fields[name]]
    ]
    return Clash(conflict.change.by, conflict.change.at, conflict.change.version, changed)


def choices_of(assessment: Assessment) -> Choices:
    """What the fields of a plan's records may refer to: rows of the plan's tables, and of its registers."""
    plan, registers = assessment.plan, assessment.registers
    named = {
        "metrics": [(row.id, row["name"]) for row in plan["metrics"]],
        "themes": [(row.id, row["name"]) for row in plan["themes"]],
        "organisations": [(row.id, row["name"]) for row in plan["organisations"]],
        "schemes": [(scheme.id, scheme.name) for scheme in plan.schemes],
        "risks": [(risk.id, risk.risk) for risk in registers.risks],
        "meetings": [
            (meeting.id, f"{assessment.board_name(meeting.body)}, {meeting.on.day} {meeting.on:%B %Y}")
            for meeting in registers.meetings
        ],
    }
    for table in ("boards", "focus_areas"):
        if table in plan.tables:
            title = next(
                column.name for column in plan[table].spec.columns if column.name in ("name", "focus", "title")
            )
            named[table] = [(row.id, str(row[title])) for row in plan[table]]
    return {name: [(value, _short(text)) for value, text in pairs] for name, pairs in named.items()}


def shape_of(name: str, field: FieldInfo) -> Shape:
    """How a field is asked for, from its type."""
    plain = _plain(field.annotation)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    refers = _refers(field)
    if typing.get_origin(plain) is Literal:
        return "choice"
    if typing.get_origin(plain) is tuple:
        return "many" if refers not in ("", "ref") else "list"
    if plain is bool:
        return "flag"
    if plain is date:
        return "date"
    if plain is int:
        return "money" if name == "pence" or name.endswith("_pence") else "integer"
    if plain is Decimal:
        return "decimal"
    if refers not in ("", "ref"):
        return "choice"
    return "long" if extra.get("long") else "text"


def _plain(annotation: Any) -> Any:
    if typing.get_origin(annotation) in (typing.Union, types.UnionType):
        parts = [part for part in typing.get_args(annotation) if part is not types.NoneType]
        return parts[0] if len(parts) == 1 else str
    return annotation


def _refers(field: FieldInfo) -> str:
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    return str(extra.get("refers", ""))


def _known(value: Any, field: FieldInfo, choices: Sequence[tuple[str, str]] | None) -> None:
    """Raises ValueError when a value is not among the choices there are."""
    chosen = value if isinstance(value, tuple) else (value,) if value else ()
    if choices and any(one not in {known for known, _ in choices} for one in chosen):
        raise ValueError(f"Choose {_inside(field.title or '')} from the list")


def _optional(field: FieldInfo) -> bool:
    return types.NoneType in typing.get_args(field.annotation)


def _default(field: FieldInfo) -> Any:
    return None if field.is_required() else field.get_default(call_default_factory=True)


def _least(field: FieldInfo) -> int:
    return next((rule.min_length for rule in field.metadata if getattr(rule, "min_length", None)), 0)


def _hint(field: FieldInfo) -> str:
    """The description, where it says more than the title; money is kept in pence and asked for in pounds."""
    said = "" if field.description in (None, field.title) else str(field.description)
    return said.replace("Pence", "Pounds and pence")


def _choices(field: FieldInfo, name: str, choices: Choices, value: Any) -> Sequence[tuple[str, str]]:
    plain = _plain(field.annotation)
    if typing.get_origin(plain) is Literal:
        given: list[tuple[str, str]] = [(str(one), str(one).capitalize()) for one in typing.get_args(plain)]
    else:
        given = list(choices.get(name, choices.get(_refers(field), ())))
    # What is already there stays choosable, though the plan no longer names it.
    chosen = [value] if isinstance(value, str) else list(value) if isinstance(value, (list, tuple)) else []
    known = {one for one, _ in given}
    return given + [(one, one) for one in chosen if given and one and one not in known]


def _written(value: Any, shape: Shape) -> Any:
    """A value as the boxes of a page hold it."""
    if shape == "date":
        return (str(value.day), str(value.month), str(value.year)) if value is not None else ("", "", "")
    if shape == "flag":
        return bool(value)
    if shape == "many":
        return [str(one) for one in value or ()]
    if shape == "list":
        return "\n".join(map(str, value or ()))
    if value is None or isinstance(value, str):
        return value or ""
    if shape == "money":
        return f"{Decimal(value) / 100:,.2f}".removesuffix(".00")
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _typed(sent: FormData, name: str, shape: Shape) -> Any:
    """What was typed, as the boxes of a page hold it."""

    def text(key: str) -> str:
        value = sent.get(key, "")
        return "" if isinstance(value, UploadFile) else value.replace("\r\n", "\n")[: LONGEST + 1]

    if shape == "date":
        whole = re.fullmatch(r"\s*(\d{4})-(\d{1,2})-(\d{1,2})\s*", text(name))
        return whole.group(3, 2, 1) if whole else (text(f"{name}-day"), text(f"{name}-month"), text(f"{name}-year"))
    if shape == "flag":
        return bool(text(name))
    if shape == "many":
        return [
            line.strip()
            for one in sent.getlist(name)
            if isinstance(one, str)
            for line in one.splitlines()
            if line.strip()
        ]
    return text(name)


def _read(value: Any, name: str, field: FieldInfo) -> Any:
    """A field's value from what was typed.

    Raises:
        ValueError: with a sentence for the page.
    """
    shape, title = shape_of(name, field), field.title or name
    if shape in ("flag", "many"):
        return value if shape == "flag" else tuple(value)
    if shape == "date":
        return _date(value, title, field)
    text = value.strip()
    if len(text) > LONGEST:
        raise ValueError(f"{title} must be {LONGEST:,} characters or fewer")
    if shape == "list":
        lines = [line.strip() for line in text.split("\n") if line.strip()]
        if typing.get_args(_plain(field.annotation))[0] is date:
            return tuple(_iso(line, title) for line in lines)
        return tuple(lines)
    if shape in ("integer", "decimal", "money"):
        if not text:
            if _optional(field):
                return None
            if not field.is_required():
                return _default(field)
            raise ValueError(f"Enter {_inside(title)}")
        return _number(text, shape, title)
    if shape == "choice" and not text:
        if _optional(field):
            return None
        if field.is_required() or _least(field) or typing.get_origin(_plain(field.annotation)) is Literal:
            raise ValueError(f"Choose {_inside(title)}")
    return text


def _number(text: str, shape: Shape, title: str) -> int | Decimal:
    bare = text.replace(",", "").replace(" ", "").removeprefix("£").replace("−", "-")
    try:
        number = Decimal(bare) if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)", bare) and len(bare) <= 30 else None
    except InvalidOperation:
        number = None
    if number is None:
        raise ValueError(
            f"{title} must be {'an amount of money, such as 1,234.56' if shape == 'money' else 'a number'}"
        )
    if shape == "decimal":
        return number
    whole = number * 100 if shape == "money" else number
    if whole != whole.to_integral_value():
        raise ValueError(f"{title} must be {'pounds and whole pence' if shape == 'money' else 'a whole number'}")
    if abs(whole) >= 2**62:
        raise ValueError(f"{title} is too large")
    return int(whole)


def _date(value: tuple[str, str, str], title: str, field: FieldInfo) -> date | None:
    day, month, year = (part.strip() for part in value)
    if not (day or month or year):
        if _optional(field):
            return None
        raise ValueError(f"Enter {_inside(title)}")
    missing = [name for name, part in (("a day", day), ("a month", month), ("a year", year)) if not part]
    if missing:
        raise ValueError(f"{title} must include {' and '.join(missing)}")
    number = MONTHS.get(month[:3].lower()) or (int(month) if re.fullmatch(r"[0-9]{1,2}", month) else 0)
    try:
        if not re.fullmatch(r"[0-9]{1,2}", day) or not re.fullmatch(r"[0-9]{4}", year):
            raise ValueError
        return date(int(year), number, int(day))
    except ValueError:
        raise ValueError(f"{title} must be a real date, such as 31 3 2016") from None


def _iso(text: str, title: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{title} must be dates such as 2015-04-01, one a line") from None


def _inside(title: str) -> str:
    """A title inside a sentence."""
    return title if title[:2].isupper() else title[:1].lower() + title[1:]


def _sentence(kind: type[Record], name: str, detail: Mapping[str, Any]) -> str:
    """What pydantic found, in words."""
    field = kind.model_fields.get(name)
    title = (field.title if field is not None else None) or name or "The form"
    limits = detail.get("ctx", {})
    match detail["type"]:
        case "missing":
            return f"Enter {_inside(title)}"
        case "string_too_short":
            return f"Enter {_inside(title)}" if limits["min_length"] == 1 else f"{title} must be {limits['min_length']} characters or more"  # fmt: skip
        case "string_too_long":
            return f"{title} must be {limits['max_length']} characters or fewer"
        case "greater_than":
            return f"{title} must be more than {limits['gt']}"
        case "greater_than_equal":
            return f"{title} must be {limits['ge']} or more"
        case "less_than_equal":
            return f"{title} must be {limits['le']} or less"
        case "literal_error":
            return f"Choose {_inside(title)} from the list"
        case "string_pattern_mismatch":
            hint = _hint(field) if field is not None else ""
            return f"{title} is not in the right form" + (f": {_inside(hint)}" if hint else "")
        case "value_error":
            return f"{title} {str(detail['msg']).removeprefix('Value error, ')}"
        case _:
            return f"{title} cannot be used: {str(detail['msg']).lower()}"


def _said(value: Any) -> str:
    if value in (None, "", [], ()):
        return "blank"
    return ", ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)


def _short(text: str, most: int = 90) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"
