"""One way to list, show, add, change and remove the rows of a register; each register says what is its own."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Generic, TypeVar

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from bettercare.access.roles import Right
from bettercare.assurance import Assessment
from bettercare.assurance.chain import check_ref, refs
from bettercare.errors import BettercareError
from bettercare.plan import Plan
from bettercare.store import Conflict, Missing, Record
from bettercare.web.forms import Faults, Form, choices_of, clash_of, form_of, read_form, version_of
from bettercare.web.guard import Reader, Sent, Visitor, needs
from bettercare.web.render import done, page, segment
from bettercare.web.state import Assessed, Deployed, Deployment

R = TypeVar("R", bound=Record)
T = TypeVar("T")

NEW = re.compile("[0-9a-f]{12}")
"""The id that the form of a new row carries, so that sending it twice makes one row."""

Context = Mapping[str, Any]
Choice = tuple[str, str, bool, int]
"""One choice of a filter: words, address, whether it is the one shown, how many rows it leaves."""


@dataclass(frozen=True)
class Filter:
    """A way to see only some rows, by a part of the address's query."""

    name: str
    title: str
    of: Callable[[Any], str]
    """What a row has; "" for nothing to choose."""
    words: Callable[[Plan, str], str] = lambda plan, value: value.capitalize()
    first: tuple[str, Callable[[Any], bool]] | None = None
    """Words and test of the rows shown when the address chooses none, where those are not all of them."""


ALL = "all"
"""In an address: every row, where a filter would show only some at first."""


@dataclass(frozen=True)
class Register(Generic[R]):
    """What is a register's own."""

    kind: type[R]
    path: str
    """Part of the address after the plan's; the templates are named by it and by ``one``."""
    one: str
    many: str
    right: Right
    rows: Callable[[Assessment], Sequence[R]]
    """In the order of the list."""
    call: Callable[[R], str]
    """A row in a few words."""
    asked: tuple[str, ...]
    """Fields of the form, in order."""
    listing: Callable[[Assessment, Sequence[R]], Context] = lambda assessment, rows: {}
    """What the list's template reads beside ``rows`` and ``groups``."""
    viewing: Callable[[Assessment, Deployment, R], Context] = lambda assessment, deployment, row: {}
    """What a row's own template reads beside ``row``."""
    filters: tuple[Filter, ...] = ()
    start: Callable[[Assessment], Context] = lambda assessment: {}
    """What a new row starts with."""
    signed: str = ""
    """Field of a new row that starts with the visitor's name."""
    check: Callable[[Assessment, R], R] = lambda assessment, row: row
    """Puts a row right before it is kept, or refuses it in a sentence."""
    chained: bool = True
    """Whether its rows have a place in the chain."""
    back: Callable[[R], str] = lambda row: ""
    """Address after the plan's to go to once a row is saved or removed; "" for the row's own page and the list."""
    removable: bool = True
    choices: Callable[[Assessment], Mapping[str, Sequence[tuple[str, str]]]] = field(default=choices_of)
    """What its fields may refer to."""

    @property
    def template(self) -> str:
        return self.one.replace(" ", "_")

    @property
    def pattern(self) -> str:
        """Its address with a gap for the plan, as routes are written."""
        return f"/plans/{{plan}}/{self.path}"

    def address(self, plan: str, id: str = "") -> str:
        return f"/plans/{plan}/{self.path}" + (f"/{segment(id)}" if id else "")


# --- lists ----------------------------------------------------------------------------------------------------------------


def filtered(
    plan: Plan, rows: Iterable[T], filters: Sequence[Filter], request: Request
) -> tuple[list[T], list[tuple[str, list[Choice]]]]:
    """The rows that the address asks for, and each filter with its choices."""
    everything = list(rows)
    asked = {one.name: request.query_params.get(one.name, "") for one in filters}

    def fits(one: Filter, row: T) -> bool:
        value = asked[one.name]
        if not value:
            return one.first is None or one.first[1](row)
        return value == ALL or one.of(row) == value

    def left(but: Filter | None = None) -> list[T]:
        return [row for row in everything if all(one is but or fits(one, row) for one in filters)]

    groups = []
    for one in filters:
        counts = {one.of(row): 0 for row in everything}
        open_to = left(but=one)
        for row in open_to:
            counts[one.of(row)] += 1
        counts.pop("", None)
        if len(counts) > 1 or asked[one.name]:
            query = {name: value for name, value in asked.items() if name != one.name}
            first = sum(one.first is not None and one.first[1](row) for row in open_to)
            groups.append((one.title, _choices(plan, one, counts, len(open_to), first, query, asked[one.name])))
    return left(), groups


def _choices(
    plan: Plan, one: Filter, counts: Mapping[str, int], every: int, first: int, query: Mapping[str, str], chosen: str
) -> list[Choice]:
    def to(value: str) -> str:
        asked = [f"{name}={segment(said)}" for name, said in {**query, one.name: value}.items() if said]
        return "?" + "&".join(asked)

    whole: list[Choice] = [("All", to(""), not chosen, every)]
    if one.first is not None:
        whole = [(one.first[0], to(""), not chosen, first), ("All", to(ALL), chosen == ALL, every)]
    return whole + [(one.words(plan, value), to(value), value == chosen, count) for value, count in counts.items()]


def in_a_line(words: str) -> str:
    """Words cut to what a heading or a link has room for."""
    return words if len(words) <= 80 else words[:79].rstrip() + "…"


def board_name(plan: Plan, board: str) -> str:
    """A board's name; what was written when the plan does not have it."""
    row = plan["boards"].by_id.get(board)
    return str(row["name"]) if row is not None else board


def scheme_name(plan: Plan, scheme: str) -> str:
    """A scheme's name; what was written when the plan does not have it."""
    row = plan["schemes"].by_id.get(scheme)
    return str(row["name"]) if row is not None else scheme


def found(register: Register[R], assessment: Assessment, id: str) -> R:
    """A row of a register.

    Raises:
        Missing: there is none.
    """
    for row in register.rows(assessment):
        if row.id == id:
            return row
    raise Missing(
        f"There is no {register.one} {id!r}.", remedy=f"It may have been removed; look at the {register.many}."
    )


# --- forms ----------------------------------------------------------------------------------------------------------------


def asked_of(register: Register[R], request: Request) -> dict[str, Any]:
    """What the address fills in on a new form, such as ``?about=risk:r1``."""
    given: dict[str, Any] = {}
    for name in register.asked:
        values, kind = request.query_params.getlist(name), register.kind.model_fields[name].annotation
        if values and kind == tuple[str, ...]:
            given[name] = tuple(values)
        elif values and kind in (date, date | None):
            with suppress(ValueError):
                given[name] = date.fromisoformat(values[-1])
        elif values:
            given[name] = values[-1]
    return given


def save(
    register: Register[R], assessment: Assessment, deployment: Deployment, visitor: Visitor, sent: FormData, row: R | None,
    *, asked: Sequence[str] = (), check: Callable[[Assessment, R], R] | None = None, **fixed: Any,
) -> R | tuple[int, Form]:  # fmt: skip
    """Keep what a form says; or a status and the form again, with what is wrong with it or what another person changed.

    Args:
        row: the row that is changed; None for a new one.
        asked: the fields the form asks, where they are not all of the register's.
        check: puts the row right or refuses it, in place of the register's own check.
        fixed: fields of a new row that the form does not ask.
    """
    choices, asked = register.choices(assessment), asked or register.asked

    def again(status: int, faults: Mapping[str, str], conflict: Conflict | None = None) -> tuple[int, Form]:
        clash = clash_of(register.kind, conflict) if conflict else None
        return status, form_of(
            register.kind, row, sent=sent, faults=Faults(faults), choices=choices, only=asked, clash=clash
        )

    made = read_form(register.kind, sent, row, only=asked, plan=assessment.plan.id, **fixed)
    if isinstance(made, Faults):
        return again(400, made.of)
    if "about" in asked:
        try:
            about = tuple(check_ref(assessment, ref) for ref in getattr(made, "about", ()))
        except BettercareError as error:
            return again(400, {"about": f"{error.what} {error.remedy}".strip()})
        made = made.model_copy(update={"about": about})
    try:
        made = (check or register.check)(assessment, made)
    except BettercareError as error:
        return again(400, {"": f"{error.what} {error.remedy}".strip()})
    try:
        with deployment.store.change(visitor.user.id) as changing:
            return changing.add(made) if row is None else changing.replace(made)
    except Conflict as conflict:
        there = deployment.store.find(register.kind, made.plan, made.id) if row is None else None
        if there is not None and there.model_copy(update={"version": made.version}) == made:
            return there  # the same form, sent twice
        if clash_of(register.kind, conflict) is None:
            # The row is gone: what was typed becomes a new one if it is saved again.
            return 409, form_of(
                register.kind, sent=sent, faults=Faults({"": f"{conflict.what} {conflict.remedy}".strip()}), choices=choices, only=asked
            )  # fmt: skip
        return again(409, {}, conflict)


def show_form(
    register: Register[R], request: Request, visitor: Visitor, assessment: Assessment, form: Form, row: R | None, status: int = 200,
    *, title: str = "", action: str = "", intro: str = "", button: str = "Save", called: str = "",
) -> Response:  # fmt: skip
    """A form of a register as a page.

    Args:
        title, action, intro, button, called: where they are not those of adding or changing a row.
    """
    title = title or (f"Change the {register.one}" if row else f"New {register.one}")
    address = register.address(assessment.plan.id)
    own = register.address(assessment.plan.id, row.id) if row else ""
    called = called or (register.call(row) if row else "")
    return page(
        request, visitor, "register_form.html.j2", assessment, title=title, status=status, faulty=bool(form.faults), form=form,
        called=called, action=action or (f"{own}/edit" if row else f"{address}/new"), cancel=own or address,
        refs=refs(assessment) if any(one.name == "about" for one in form.asked) else {}, intro=intro, button=button, id="" if row else uuid.uuid4().hex[:12],
        crumbs=((register.many.capitalize(), address), *(((called, own),) if row else ())),
    )  # fmt: skip


# --- routes ---------------------------------------------------------------------------------------------------------------


def routes(register: Register[R], router: APIRouter | None = None) -> APIRouter:
    """The pages of a register: its list, each row, and the forms to add, change and remove one.

    Args:
        router: given more routes where one file has several registers; a new one when None.
    """
    router, base = router or APIRouter(include_in_schema=False), register.pattern
    editor = Depends(needs(register.right))
    listed = register.many.capitalize()

    def after(assessment: Assessment, row: R, done_what: str, gone: bool = False) -> Response:
        plan = assessment.plan.id
        own = register.address(plan) if gone else register.address(plan, row.id)
        return done(f"/plans/{plan}{register.back(row)}" if register.back(row) else own, done_what)

    @router.get(base)
    def rows(request: Request, visitor: Reader, assessment: Assessed) -> Response:
        kept, groups = filtered(assessment.plan, register.rows(assessment), register.filters, request)
        context = register.listing(assessment, kept)
        return page(
            request, visitor, f"{register.path.replace('-', '_')}.html.j2", assessment, title=listed,
            **{"rows": kept, "groups": groups, "register": register, "may": visitor.may(register.right), "titles": refs(assessment), **context},
        )  # fmt: skip

    @router.get(f"{base}/new")
    def new(request: Request, assessment: Assessed, visitor: Visitor = editor) -> Response:
        signed = {register.signed: visitor.user.name} if register.signed else {}
        start = {**register.start(assessment), **signed, **asked_of(register, request)}
        form = form_of(register.kind, choices=register.choices(assessment), only=register.asked, **start)
        return show_form(register, request, visitor, assessment, form, None)

    @router.post(f"{base}/new")
    def add(
        request: Request, assessment: Assessed, deployed: Deployed, sent: Sent, visitor: Visitor = editor
    ) -> Response:
        id = str(sent.get("id", ""))
        made = save(register, assessment, deployed, visitor, sent, None, id=id if NEW.fullmatch(id) else "")
        if isinstance(made, tuple):
            return show_form(register, request, visitor, assessment, made[1], None, made[0])
        return after(assessment, made, f"The {register.one} is in the register.")

    @router.get(f"{base}/{{id}}")
    def show(request: Request, id: str, visitor: Reader, assessment: Assessed, deployed: Deployed) -> Response:
        row = found(register, assessment, id)
        chain = assessment.chain(f"{register.one}:{id}") if register.chained else None
        return page(
            request, visitor, f"{register.template}.html.j2", assessment, title=register.call(row),
            crumbs=((listed, register.address(assessment.plan.id)),),
            **{
                "row": row, "register": register, "may": visitor.may(register.right), "chain": chain,
                "titles": refs(assessment), **register.viewing(assessment, deployed, row),
            },
        )  # fmt: skip

    @router.get(f"{base}/{{id}}/edit")
    def edit(request: Request, id: str, assessment: Assessed, visitor: Visitor = editor) -> Response:
        row = found(register, assessment, id)
        form = form_of(register.kind, row, choices=register.choices(assessment), only=register.asked)
        return show_form(register, request, visitor, assessment, form, row)

    @router.post(f"{base}/{{id}}/edit")
    def change(
        request: Request, id: str, assessment: Assessed, deployed: Deployed, sent: Sent, visitor: Visitor = editor
    ) -> Response:
        row = next((one for one in register.rows(assessment) if one.id == id), None)
        if row is None:
            return _gone(register, request, visitor, assessment, sent, id)
        made = save(register, assessment, deployed, visitor, sent, row)
        if isinstance(made, tuple):
            status, form = made
            return show_form(register, request, visitor, assessment, form, row if form.version else None, status)
        return after(assessment, made, f"The {register.one} is changed.")

    if register.removable:

        @router.get(f"{base}/{{id}}/remove")
        def ask(request: Request, id: str, assessment: Assessed, visitor: Visitor = editor) -> Response:
            row = found(register, assessment, id)
            own = register.address(assessment.plan.id, id)
            return page(
                request, visitor, "register_remove.html.j2", assessment, title=f"Remove the {register.one}", row=row, register=register,
                called=register.call(row), action=f"{own}/remove", cancel=own,
                crumbs=((listed, register.address(assessment.plan.id)), (register.call(row), own)),
            )  # fmt: skip

        @router.post(f"{base}/{{id}}/remove")
        def remove(
            id: str, assessment: Assessed, deployed: Deployed, sent: Sent, visitor: Visitor = editor
        ) -> Response:
            row = found(register, assessment, id)
            opened = row.model_copy(update={"version": version_of(sent)})
            with deployed.store.change(visitor.user.id) as changing:
                changing.remove(opened)
            return after(assessment, row, f"The {register.one} is removed; its history is kept.", gone=True)

    return router


def _gone(
    register: Register[R], request: Request, visitor: Visitor, assessment: Assessment, sent: FormData, id: str
) -> Response:
    """The form again, as a new row's: the row was removed while somebody was writing."""
    fault = f"The {register.one} was removed while you were writing. Save to add it again as a new one."
    form = form_of(
        register.kind, sent=sent, faults=Faults({"": fault}), choices=register.choices(assessment), only=register.asked
    )
    return show_form(register, request, visitor, assessment, form, None, 409)
