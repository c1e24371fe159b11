"""One's own account: the password, and tokens for programs."""

from __future__ import annotations

import re

from fastapi import APIRouter, Request, Response

from bettercare.access.sign_in import change_password, sign_ins
from bettercare.access.tokens import issue_token, revoke_token, tokens_of
from bettercare.errors import BettercareError
from bettercare.store import Missing
from bettercare.web.guard import Forbidden, Reader, Sent
from bettercare.web.pages.sign_in import let_in
from bettercare.web.render import done, page
from bettercare.web.state import Deployed

router = APIRouter(include_in_schema=False)


@router.get("/account")
def account(request: Request, visitor: Reader, deployed: Deployed) -> Response:
    """Who one is here, one's tokens, and when one signed in."""
    return _account(request, visitor, deployed)


def _account(
    request: Request, visitor: Reader, deployed: Deployed, *, token: str = "", fault: str = "", status: int = 200
) -> Response:
    return page(
        request, visitor, "account.html.j2", title="Your account", status=status, faulty=bool(fault), token=token, fault=fault,
        tokens=tokens_of(deployed.store, visitor.user), tries=sign_ins(deployed.store, visitor.user.id),
    )  # fmt: skip


@router.get("/account/password")
def password(request: Request, visitor: Reader) -> Response:
    """The form for a new password."""
    return page(
        request,
        visitor,
        "password.html.j2",
        title="Change your password",
        fault="",
        crumbs=(("Your account", "/account"),),
    )


@router.post("/account/password")
def new_password(request: Request, visitor: Reader, deployed: Deployed, sent: Sent) -> Response:
    """Change the password, and stay signed in here alone."""
    present, new, again = (str(sent.get(name, "")) for name in ("present", "new", "again"))
    try:
        if new != again:
            raise BettercareError("The new password was not typed the same twice.", remedy="Type it again.")
        user = change_password(deployed.store, visitor.user, present, new)
    except BettercareError as error:
        return page(
            request, visitor, "password.html.j2", title="Change your password", status=400, faulty=True, fault=str(error),
            crumbs=(("Your account", "/account"),),
        )  # fmt: skip
    return let_in(request, deployed, user, "/account", "Your password is changed. You are signed out everywhere else.")


@router.post("/account/tokens")
def new_token(request: Request, visitor: Reader, deployed: Deployed, sent: Sent) -> Response:
    """Make a token and show it, this once. A program that has one cannot make itself another that lasts longer."""
    if visitor.session is None:
        raise Forbidden("A token is made by somebody who is signed in.", remedy="Sign in on a page.")
    days = str(sent.get("days", ""))
    try:
        if not re.fullmatch("[0-9]{1,4}", days):
            raise BettercareError("The number of days is not a whole number.", remedy="Choose 1 to 366 days.")
        token = issue_token(deployed.store, visitor.user, str(sent.get("name", "")), int(days))
    except BettercareError as error:
        return _account(request, visitor, deployed, fault=str(error), status=400)
    return _account(request, visitor, deployed, token=token)


@router.post("/account/tokens/{id}/revoke")
def revoke(visitor: Reader, deployed: Deployed, id: str) -> Response:
    """Accept one of one's own tokens no longer."""
    if id not in {token.id for token in tokens_of(deployed.store, visitor.user)}:
        raise Missing("You have no such token.")
    revoke_token(deployed.store, visitor.user.id, id)
    return done("/account", "The token is no longer accepted.")
