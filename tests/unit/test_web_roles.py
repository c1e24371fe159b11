"""Every route asks for a right or is public by name, and every role is let in or kept out of each as the table of rights says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from bettercare.access.roles import RIGHTS, Right, Role
from bettercare.access.users import change_user, find_user
from bettercare.web.app import ROUTERS
from demo_client import demo  # noqa: F401
from web_client import BCF, Client, client  # noqa: F401

PUBLIC = {
    "/static/{version}/{name:path}", "/favicon.ico", "/sign-in", "/sign-in/oidc", "/sign-in/oidc/back", "/health", "/api/v1/openapi.json", "/api/docs",
}  # fmt: skip
"""Needs no sign-in. Add to it with thought."""

ROLES: tuple[Role, ...] = tuple(RIGHTS)


def _walk(routes: object) -> Iterator[APIRoute]:
    for route in routes:  # type: ignore[attr-defined]
        if isinstance(route, APIRoute):
            yield route
        else:  # a router in a router; anything else fails here
            yield from _walk(route.original_router.routes)


ROUTES = [(route, method) for router in ROUTERS for route in _walk(router.routes) for method in sorted(route.methods)]


def _rights(dependant: Dependant) -> set[Right]:
    own = {dependant.call.right} if hasattr(dependant.call, "right") else set()
    return own.union(*(_rights(one) for one in dependant.dependencies))


def _address(route: APIRoute) -> str:
    """The route's address with its gaps filled: a plan there is, and things there are not."""
    return re.sub(r"\{([a-z_]+)(:path)?\}", lambda gap: BCF if gap.group(1) == "plan" else "none", route.path)


def test_there_are_routes() -> None:
    paths = [route.path for route, _ in ROUTES]
    assert len(paths) > 150
    assert sum(path.startswith("/api/") for path in paths) > 25


@pytest.mark.parametrize(("route", "method"), ROUTES, ids=lambda one: getattr(one, "path", one))
def test_every_route_asks_for_a_right_or_is_public_by_name(route: APIRoute, method: str) -> None:
    public = getattr(route.endpoint, "public", False)
    assert public == (route.path in PUBLIC)
    assert len(_rights(route.dependant)) == (0 if public else 1)


def _open(client: Client, method: str, address: str):  # type: ignore[no-untyped-def] # noqa: F811
    if method == "GET":
        return client.get(address)
    return client.request(method, address, headers={"X-CSRF-Token": client.csrf})


@pytest.mark.parametrize("role", ROLES)
def test_every_role_is_let_in_where_it_has_the_right_and_nowhere_else(client: Client, role: Role) -> None:  # noqa: F811
    client.sign_in(role)
    for route, method in ROUTES:
        if route.path in PUBLIC or route.path == "/sign-out":
            continue
        (right,) = _rights(route.dependant)
        response = _open(client, method, _address(route))
        shown = f"{role} {method} {route.path}: {response.status_code} {response.headers.get('location', '')}"
        assert response.status_code < 500, shown
        if right in RIGHTS[role]:
            assert response.status_code not in (401, 403, 405), shown
            assert not response.headers.get("location", "").startswith("/sign-in"), shown
        else:
            assert response.status_code == 403, shown
            assert "does not allow this" in response.text, shown


def test_nobody_is_let_in_without_signing_in(client: Client) -> None:  # noqa: F811
    for route, method in ROUTES:
        if route.path in PUBLIC:
            continue
        response = client.request(method, _address(route))
        if route.path.startswith("/api/"):
            assert response.status_code == 401, route.path
            assert response.headers["www-authenticate"] == "Bearer"
            assert response.json()["error"]["what"]
        else:
            assert response.status_code == 303, route.path
            assert response.headers["location"].startswith("/sign-in"), route.path


def test_a_change_without_the_forms_secret_is_refused_for_every_route(client: Client) -> None:  # noqa: F811
    client.sign_in("programme office")
    for route, method in ROUTES:
        if method == "GET" or route.path in PUBLIC:
            continue
        for headers in ({}, {"X-CSRF-Token": "wrong"}, {"X-CSRF-Token": client.csrf, "Sec-Fetch-Site": "cross-site"}):
            response = client.request(method, _address(route), headers=headers)
            assert response.status_code == 403, f"{method} {route.path} {headers}"


def test_a_user_who_may_no_longer_sign_in_is_let_out_at_once(client: Client) -> None:  # noqa: F811
    client.sign_in("viewer")
    assert client.get("/").status_code == 200
    user = find_user(client.store, "viewer")
    assert user is not None
    change_user(client.store, "test", type(user).model_validate(user.model_dump() | {"active": False}))
    assert client.get("/").headers["location"] == "/sign-in?next=/"


def _offered(text: str) -> Iterator[tuple[str, str]]:
    """Method and address of all that a page offers to do."""
    for address in re.findall(r'<a [^>]*href="(/[^"]*)"', text):
        yield "GET", address
    for form in re.findall(r"<form[^>]*>", text):
        action, post = re.search(r'action="([^"]*)"', form), 'method="post"' in form
        if action:
            yield "POST" if post else "GET", action[1]


def _kind_of(path: str) -> str:
    """The route that an address belongs to."""
    return next((route.path for route, method in ROUTES if method == "GET" and route.path_regex.fullmatch(path)), path)


@pytest.mark.parametrize("role", ["viewer", "board"])
def test_no_page_offers_what_its_reader_may_not_do(demo: Client, role: Role) -> None:  # noqa: F811
    """Not even when somebody who may has looked at the page before, and parts of it were kept."""
    wrong, seen, shown = set(), set(), {}
    waiting = ["/", f"/plans/{BCF}/agenda"]
    while waiting:
        path = unescape(waiting.pop(0)).partition("#")[0].partition("?")[0]
        kind = _kind_of(path)
        if kind in seen or path.endswith((".xlsx", ".html", "/pdf", "/xlsx")) or "preview" in path or "llr" in path:
            continue
        seen.add(kind)
        for who in ("programme office", role):
            shown[who] = demo.sign_in(who).get(path)
        if shown[role].status_code != 200:
            continue
        waiting += [address for method, address in _offered(shown["programme office"].text) if method == "GET"]
        for method, address in _offered(shown[role].text):
            bare = unescape(address).partition("#")[0].partition("?")[0]
            for route, how in ROUTES:
                if how == method and route.path_regex.fullmatch(bare):
                    if not getattr(route.endpoint, "public", False) and not _rights(route.dependant) <= RIGHTS[role]:
                        wrong.add(f"{path} offers {method} {bare}")
                    break
    assert wrong == set()
    assert len(seen) > 40


def test_buttons_a_visitor_may_not_use_are_not_shown(client: Client) -> None:  # noqa: F811
    for role, shown in (("viewer", False), ("administrator", True)):
        assert ('href="/users"' in client.sign_in(role).get("/").text) == shown
    for role, shown in (("viewer", False), ("board", True)):
        assert ("Raise with a Board" in client.sign_in(role).get(f"/plans/{BCF}/challenge").text) == shown
