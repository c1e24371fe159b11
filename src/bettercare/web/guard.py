"""Who may do what: every route asks for a right, or is marked public. Sign-in is by a cookie, or by a token for programs."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Request
from starlette.datastructures import FormData

from bettercare.access.roles import RIGHTS, Right
from bettercare.access.sessions import Session, session_of
from bettercare.access.tokens import user_of_token
from bettercare.access.users import User
from bettercare.errors import BettercareError
from bettercare.store import Missing
from bettercare.web.state import deployment_of

F = TypeVar("F", bound=Callable[..., Any])

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing."""
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")


class SignInNeeded(Exception):
    """Nobody is signed in."""


class PasswordDue(Exception):
    """The visitor was given a password and has to choose one of their own first."""


class Forbidden(BettercareError):
    """The visitor is signed in and may not do this."""


@dataclass(frozen=True)
class Visitor:
    """Somebody who is signed in."""

    user: User
    session: Session | None
    """None when a program came with a token."""
    csrf: str
    """What a form sends back to show that it came from one of our pages."""

    def may(self, right: Right) -> bool:
        """Whether the visitor's role has a right."""
        return right in RIGHTS[self.user.role]


async def sent_form(request: Request) -> FormData:
    """The form that was sent; empty when the request carries none.

    Raises:
        Missing: the address holds a character that no database takes.
        BettercareError: the form holds one.
    """
    if "\0" in request.url.path or any("\0" in value for _, value in request.query_params.multi_items()):
        raise Missing("There is nothing at this address.", remedy="Check the address, or start from the list of plans.")
    if request.method in SAFE or not request.headers.get("content-type", "").startswith(FORMS):
        return FormData()
    form = await request.form()
    if any("\0" in name or (isinstance(value, str) and "\0" in value) for name, value in form.multi_items()):
        raise BettercareError("The form holds a character that is not text.", remedy="Type the text again.")
    return form


Sent = Annotated[FormData, Depends(sent_form)]
"""For a route's signature: the form that was sent."""


def cookie_name(request: Request) -> str:
    """The session's cookie; under https its name binds it to this host."""
    return "__Host-bettercare" if deployment_of(request).settings.https else "bettercare"


def same_site(request: Request) -> bool:
    """Whether a request that changes something was made by a page of ours, as far as the browser says."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    return origin is None or (origin != "null" and origin.partition("://")[2] == request.headers.get("host", ""))


def _same(shown: str, wanted: str) -> bool:
    return hmac.compare_digest(shown.encode("utf-8", "replace"), wanted.encode())


def visitor_of(request: Request, form: FormData) -> Visitor:
    """Who makes a request.

    Raises:
        SignInNeeded: nobody is signed in.
        Forbidden: the request would change something and did not come from one of our pages.
    """
    store = deployment_of(request).store
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        user = user_of_token(store, token.strip())
        if user is None:
            raise SignInNeeded
        visitor = Visitor(user, None, "")
    else:
        found = session_of(store, request.cookies.get(cookie_name(request), ""))
        if found is None:
            raise SignInNeeded
        visitor = Visitor(found[0], found[1], found[1].csrf)
        if request.method not in SAFE:
            shown = request.headers.get("x-csrf-token") or form.get("csrf", "")
            if not same_site(request) or not isinstance(shown, str) or not _same(shown, visitor.csrf):
                raise Forbidden(
                    "The page was open too long, or the form did not come from here, so nothing was changed.",
                    remedy="Open the page again and make your change there.",
                )
    if visitor.user.must_change and not request.url.path.startswith(("/account", "/sign-out")):
        raise PasswordDue
    request.state.visitor = visitor
    return visitor


def _needs(right: Right) -> Callable[..., Visitor]:
    def visitor(request: Request, form: Sent) -> Visitor:
        who = visitor_of(request, form)
        if not who.may(right):
            raise Forbidden(
                f"Your role ({who.user.role}) does not allow this.",
                remedy="Ask the programme office, or an administrator if your role is wrong.",
            )
        return who

    visitor.right = right  # type: ignore[attr-defined]
    return visitor


_NEEDED: dict[Right, Callable[..., Visitor]] = {right: _needs(right) for right in sorted(set().union(*RIGHTS.values()))}


def needs(right: Right) -> Callable[..., Visitor]:
    """A dependency that lets only those with a right in, and gives the visitor: ``visitor: Annotated[Visitor, Depends(needs("edit"))]``."""
    return _NEEDED[right]


Reader = Annotated[Visitor, Depends(needs("read"))]
"""For a route's signature: anyone who is signed in."""


def public(endpoint: F) -> F:
    """Mark a route that needs no sign-in."""
    endpoint.public = True  # type: ignore[attr-defined]
    return endpoint


def own_path(text: str) -> str:
    """A path of ours to go on to, or the home page when the text is anything else."""
    plain = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if plain else "/"
