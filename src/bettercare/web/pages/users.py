"""Accounts, for administrators."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.datastructures import FormData

from bettercare.access.sign_in import set_password, sign_ins
from bettercare.access.users import User, change_user, create_user, users
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Missing
from bettercare.web.forms import Faults, Form, clash_of, form_of, read_form
from bettercare.web.guard import Sent, Visitor, needs
from bettercare.web.render import done, page
from bettercare.web.state import Deployed

router = APIRouter(include_in_schema=False)
Administrator = Annotated[Visitor, Depends(needs("users"))]

NEW = ("id", "name", "email", "role")
CHANGED = ("name", "email", "role", "active")
CRUMBS = (("Users", "/users"),)


@router.get("/users")
def listed(request: Request, visitor: Administrator, deployed: Deployed) -> Response:
    """Everyone."""
    return page(request, visitor, "users.html.j2", title="Users", users=users(deployed.store))


@router.get("/users/new")
def new(request: Request, visitor: Administrator) -> Response:
    """The form for a new account."""
    return page(request, visitor, "user_new.html.j2", title="New user", form=_new_form(), crumbs=CRUMBS)


@router.post("/users/new")
def make(request: Request, visitor: Administrator, deployed: Deployed, sent: Sent) -> Response:
    """Make an account."""
    read = read_form(User, sent, only=NEW)
    if isinstance(read, Faults):
        faults = read
    else:
        try:
            user = create_user(
                deployed.store, visitor.user.id, read.id, name=read.name, email=read.email, role=read.role,
                password=str(sent.get("password", "")), must_change=True,
            )  # fmt: skip
            return done(
                "/users", f"{user.name} has an account, and chooses a password of their own at the first sign-in."
            )
        except BettercareError as error:
            faults = Faults({"": str(error)})
    form = _new_form(sent, faults)
    return page(
        request, visitor, "user_new.html.j2", title="New user", status=400, faulty=True, form=form, crumbs=CRUMBS
    )


def _new_form(sent: FormData | None = None, faults: Faults | None = None) -> Form:
    form = form_of(User, only=NEW, sent=sent, faults=faults)
    name = replace(form.asked[0], title="User name", hint="What they type to sign in", required=True)
    return replace(form, asked=(name, *form.asked[1:]))


def _user(deployed: Deployed, id: str) -> User:
    found = deployed.store.find(User, "", id)
    if found is None:
        raise Missing(f"There is no user {id!r}.")
    return found


@router.get("/users/{id}")
def one(request: Request, visitor: Administrator, deployed: Deployed, id: str) -> Response:
    """An account, to change."""
    user = _user(deployed, id)
    return page(
        request, visitor, "user.html.j2", title=user.name, user=user, form=form_of(User, user, only=CHANGED), crumbs=CRUMBS,
        tries=sign_ins(deployed.store, user.id),
    )  # fmt: skip


@router.post("/users/{id}")
def change(request: Request, visitor: Administrator, deployed: Deployed, id: str, sent: Sent) -> Response:
    """Change an account."""
    user = _user(deployed, id)
    read = read_form(User, sent, user, only=CHANGED)
    clash, status = None, 400
    if not isinstance(read, Faults):
        try:
            change_user(deployed.store, visitor.user.id, read)
            return done("/users", f"The account of {read.name} is changed.")
        except Conflict as error:
            clash, status, faults = clash_of(User, error), 409, Faults({})
        except BettercareError as error:
            faults = Faults({"": str(error)})
    else:
        faults = read
    form = form_of(User, user, only=CHANGED, sent=sent, faults=faults, clash=clash)
    return page(
        request, visitor, "user.html.j2", title=user.name, status=status, faulty=True, user=user, form=form, crumbs=CRUMBS,
        tries=sign_ins(deployed.store, user.id),
    )  # fmt: skip


@router.post("/users/{id}/password")
def password(visitor: Administrator, deployed: Deployed, id: str, sent: Sent) -> Response:
    """Give a user a new password, to be changed at the next sign-in."""
    user = _user(deployed, id)
    set_password(deployed.store, visitor.user.id, user, str(sent.get("password", "")), must_change=True)
    return done("/users", f"{user.name} has a new password, and chooses one of their own at the next sign-in.")
