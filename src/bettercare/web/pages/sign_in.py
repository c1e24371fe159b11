"""Signing in and out."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from fastapi.responses import RedirectResponse

from bettercare.access.sessions import end_session, session_of, start_session
from bettercare.access.sign_in import SignInRefused, authenticate
from bettercare.access.users import User
from bettercare.web.guard import Forbidden, Reader, Sent, cookie_name, own_path, public, same_site
from bettercare.web.render import done, page
from bettercare.web.state import Deployed, Deployment

router = APIRouter(include_in_schema=False)


@router.get("/sign-in")
@public
def form(request: Request, deployed: Deployed, next: str = "/") -> Response:
    """The page that asks who somebody is; whoever is signed in goes on."""
    if session_of(deployed.store, request.cookies.get(cookie_name(request), "")) is not None:
        return RedirectResponse(own_path(next), 303)
    return page(request, None, "sign_in.html.j2", title="Sign in", next=own_path(next), name="", fault="")


@router.post("/sign-in")
@public
def sign_in(request: Request, deployed: Deployed, sent: Sent) -> Response:
    """Start a session for a name and a password that belong together."""
    if not same_site(request):
        raise Forbidden("The sign-in form did not come from here.", remedy="Open the sign-in page and sign in there.")
    name, password, to = (str(sent.get(key, "")) for key in ("name", "password", "next"))
    try:
        user = authenticate(deployed.store, name, password)
    except SignInRefused as error:
        fault = str(error)
        return page(request, None, "sign_in.html.j2", title="Sign in", status=400, faulty=True, next=own_path(to), name=name, fault=fault)  # fmt: skip
    return let_in(request, deployed, user, own_path(to))


def let_in(request: Request, deployed: Deployment, user: User, to: str, notice: str = "") -> Response:
    """Start a session and go on to a page, with a sentence on it."""
    end_session(deployed.store, request.cookies.get(cookie_name(request), ""))
    token, _ = start_session(deployed.store, user)
    response = done(to, notice)
    response.set_cookie(
        cookie_name(request), token, path="/", httponly=True, samesite="lax", secure=deployed.settings.https
    )
    return response


@router.post("/sign-out")
def sign_out(request: Request, visitor: Reader, deployed: Deployed) -> Response:
    """End the session."""
    name = cookie_name(request)
    end_session(deployed.store, request.cookies.get(name, ""))
    response = done("/sign-in", "You are signed out.")
    response.delete_cookie(name, path="/", httponly=True, samesite="lax", secure=deployed.settings.https)
    return response


@router.get("/health")
@public
def health(deployed: Deployed) -> dict[str, str]:
    """Whether the server and its store answer."""
    deployed.store.revision()
    return {"status": "well"}
