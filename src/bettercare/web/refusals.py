"""What goes wrong, said in words: as a page for people, as JSON for programs."""

from __future__ import annotations

import logging
import secrets
from typing import Any
from urllib.parse import quote

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from starlette.exceptions import HTTPException

from bettercare.access.sign_in import SignInRefused
from bettercare.errors import BettercareError
from bettercare.store import Conflict, Missing
from bettercare.web.guard import Forbidden, PasswordDue, SignInNeeded
from bettercare.web.render import page

log = logging.getLogger("bettercare.web")

TITLES = {
    400: "That cannot be used", 403: "You may not do this", 404: "There is no such page", 405: "That cannot be done here",
    409: "Someone else changed this first", 413: "The file is too large", 422: "That cannot be used", 500: "Something went wrong",
}  # fmt: skip
WORDS = {
    404: ("There is nothing at this address.", "Check the address, or start from the list of plans."),
    405: ("This address does not take that sort of request.", "Go back and use the page's own buttons."),
    413: ("What was sent is larger than 10 MB.", "Send a smaller file."),
}


def for_program(request: Request) -> bool:
    """Whether the answer is read by a program: JSON then."""
    return request.url.path.startswith("/api/")


def as_json(what: str, remedy: str = "", where: str = "", faults: list[dict[str, str]] | None = None) -> dict[str, Any]:
    """The one shape of an error for programs."""
    return {"error": {"what": what, "where": where, "remedy": remedy, "faults": faults or []}}


def refusal(request: Request, status: int, error: BettercareError) -> Response:
    """A refusal in words."""
    faults = [{"where": fault.where, "what": fault.what, "remedy": fault.remedy} for fault in error.faults]
    if for_program(request):
        where = error.faults[0].where if len(error.faults) == 1 else ""
        return JSONResponse(as_json(error.what, error.remedy, where, faults), status)
    visitor = getattr(request.state, "visitor", None)
    return page(
        request, visitor, "refusal.html.j2", title=TITLES.get(status, TITLES[400]), status=status,
        what=error.what, remedy=error.remedy, faults=error.faults,
    )  # fmt: skip


def unforeseen(request: Request, error: Exception) -> Response:
    """The answer where the mistake is ours: logged with a reference, and nothing of it shown."""
    reference = secrets.token_hex(4)
    log.error("reference %s: %s %s", reference, request.method, request.url.path, exc_info=error)
    return refusal(
        request, 500, BettercareError(
            "This is a mistake in bettercare, not in what you did. Nothing was half-saved.",
            remedy=f"Try again; if it happens again, tell whoever runs this server, with the reference {reference}.",
        ),
    )  # fmt: skip


def refuse_in_words(app: FastAPI) -> None:
    """Have every refusal of the application answered in words."""

    def sign_in(request: Request, _: Exception) -> Response:
        if for_program(request):
            answer = as_json("Nobody is signed in.", "Send an API token: Authorization: Bearer <token>.")
            return JSONResponse(answer, 401, {"WWW-Authenticate": "Bearer"})
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        to = "/sign-in" if request.method not in ("GET", "HEAD") else f"/sign-in?next={quote(back, safe='/')}"
        if request.headers.get("hx-request"):
            return Response(status_code=401, headers={"HX-Redirect": to})
        return RedirectResponse(to, 303)

    def password_due(request: Request, _: Exception) -> Response:
        if for_program(request):
            return JSONResponse(
                as_json("The password has to be changed first.", "Sign in on a page and choose one."), 403
            )
        return RedirectResponse("/account/password", 303)

    def ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, BettercareError)
        status = {Forbidden: 403, SignInRefused: 403, Missing: 404, Conflict: 409}.get(type(error), 400)
        return refusal(request, status, error)

    def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        what, remedy = WORDS.get(error.status_code, ("The request cannot be answered.", "Go back and try again."))
        response = refusal(request, error.status_code, BettercareError(what, remedy=remedy))
        response.headers.update(error.headers or {})
        return response

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        faults = [
            {"where": ".".join(map(str, fault["loc"])), "what": str(fault["msg"]), "remedy": ""} for fault in error.errors()
        ]  # fmt: skip
        if for_program(request):
            return JSONResponse(as_json("The request does not have the shape it should.", "See the API's description.", "", faults), 422)  # fmt: skip
        return refusal(request, 400, BettercareError("The address holds something that cannot be read.", remedy="Go back and use the page's own links."))  # fmt: skip

    app.add_exception_handler(SignInNeeded, sign_in)
    app.add_exception_handler(PasswordDue, password_due)
    app.add_exception_handler(BettercareError, ours)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
