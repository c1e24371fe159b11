"""Signing in with an organisation's own account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from bettercare.access.sign_in import recognise
from bettercare.store import Missing
from bettercare.web.guard import own_path, public
from bettercare.web.pages.sign_in import let_in
from bettercare.web.state import Deployed, Deployment

if TYPE_CHECKING:
    from bettercare.web.oidc import Provider

router = APIRouter(include_in_schema=False)

COOKIE = "bettercare-sign-in"
BACK = "/sign-in/oidc/back"


def _provider(deployed: Deployment) -> Provider:
    oidc = deployed.settings.oidc
    if oidc is None:
        raise Missing(
            "This server is not set up for sign-in with an organisation's account.", remedy="Sign in with a password."
        )
    from bettercare.web.oidc import Provider  # half a second that a server without it does not need

    return deployed.keep("oidc", lambda: Provider(oidc))


def _back(request: Request, deployed: Deployment) -> str:
    """Where the provider sends the browser back to."""
    scheme = "https" if deployed.settings.https else request.url.scheme
    return f"{scheme}://{request.url.netloc}{BACK}"


@router.get("/sign-in/oidc")
@public
def begin(request: Request, deployed: Deployed, next: str = "/") -> Response:
    """Go to the provider."""
    url, cookie = _provider(deployed).begin(_back(request, deployed), own_path(next))
    response = RedirectResponse(url, 303)
    response.set_cookie(
        COOKIE, cookie, max_age=600, path="/sign-in", httponly=True, samesite="lax", secure=deployed.settings.https
    )
    return response


@router.get(BACK)
@public
def back(request: Request, deployed: Deployed) -> Response:
    """Come back from the provider and start a session for the user it vouches for."""
    cookie, answer = request.cookies.get(COOKIE, ""), dict(request.query_params)
    subject, email, to = _provider(deployed).finish(_back(request, deployed), cookie, answer)
    response = let_in(request, deployed, recognise(deployed.store, subject, email), own_path(to))
    response.delete_cookie(COOKIE, path="/sign-in", httponly=True, samesite="lax", secure=deployed.settings.https)
    return response
