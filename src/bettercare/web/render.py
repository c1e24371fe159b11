"""Pages made from templates, with what every page shows around them."""

from __future__ import annotations

import base64
from datetime import date, datetime
from functools import cache
from typing import Any
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import ChainableUndefined, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

import bettercare
from bettercare.assurance import Assessment
from bettercare.assurance.chain import KINDS
from bettercare.reports.charts.icons import rating_icon
from bettercare.vocabulary import pounds
from bettercare.web.assets import address
from bettercare.web.guard import Visitor
from bettercare.web.navigation import menu
from bettercare.web.state import deployment_of

NOTICE = "notice"
"""Cookie that carries a sentence over a redirect to the page it leads to."""


class Components:
    """The components of the NHS design system as macros, by their own names: ``nhsuk.button({"text": "Save"})``."""

    def __init__(self) -> None:
        # Their templates read names that are not given; ours may not.
        self._environment = Environment(
            loader=PackageLoader("nhsuk_frontend_jinja"), autoescape=True, auto_reload=False, undefined=ChainableUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip

    def __getattr__(self, name: str) -> Any:
        folder = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
        macro = getattr(self._environment.get_template(f"nhsuk/components/{folder}/macro.jinja").module, name)
        setattr(self, name, macro)
        return macro


@cache
def environment() -> Environment:
    """Our templates, with escaping on and unknown names refused."""
    made = Environment(
        loader=PackageLoader("bettercare.web"), autoescape=True, auto_reload=False, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals |= {
        "asset": address,
        "nhsuk": Components(),
        "bettercare_version": bettercare.__version__,
        "rating_icon": rating_icon,
        "CHAIN_KINDS": KINDS,
    }
    made.filters |= {"day": day, "moment": moment, "pounds": pounds, "money": money, "segment": segment, "svg": Markup}
    return made


def day(when: date | None) -> str:
    """A date as 31 January 2016; "" for none."""
    return "" if when is None else f"{when.day} {when:%B %Y}"


def moment(when: datetime) -> str:
    """A time as 31 January 2016, 14:05."""
    return f"{day(when)}, {when:%H:%M}"


def money(pence: int | None) -> str:
    """Pence written in pounds and pence: £1,234.56; whole pounds without pence."""
    if pence is None:
        return ""
    whole, rest = divmod(abs(pence), 100)
    return f"{'−' if pence < 0 else ''}£{whole:,}" + (f".{rest:02d}" if rest else "")


def segment(text: str) -> str:
    """Text as one part of an address."""
    return quote(text, safe="")


def text_of(template: str, **context: Any) -> str:
    """A template as text, without what surrounds a page: for parts of pages."""
    return environment().get_template(template).render(context)


def page(
    request: Request,
    visitor: Visitor | None,
    template: str,
    plan: Assessment | None = None,
    *,
    title: str,
    status: int = 200,
    crumbs: tuple[tuple[str, str], ...] = (),
    **context: Any,
) -> HTMLResponse:
    """A whole page.

    Args:
        visitor: who is shown it; None where nobody is signed in.
        template: extends ``base.html.j2`` and fills the block ``content``.
        plan: the assessment of the plan it belongs to; its menu, data date and synthetic mark are then shown, and the template has
            ``plan``, ``assessment`` and ``base`` (the plan's address).
        title: of the page, for the browser's title; the template gives its own ``<h1>``.
        crumbs: links from the plan's page to this one, each (text, address), this page left out.
        context: what else the template reads.
    """
    base = f"/plans/{plan.plan.id}" if plan else ""
    groups, pages = (
        menu(plan.plan.id, request.url.path, visitor.may if visitor else (lambda right: False)) if plan else ((), ())
    )
    held = request.cookies.get(NOTICE, "")
    around = {
        "request": request, "visitor": visitor, "csrf": visitor.csrf if visitor else "", "title": title, "status": status,
        "assessment": plan, "plan": plan.plan if plan else None, "base": base, "menu_groups": groups, "menu_pages": pages, "crumbs": crumbs,
        "notice": _read(held), "settings": deployment_of(request).settings,
    }  # fmt: skip
    text = environment().get_template(template).render({"faulty": False} | context | around)
    response = HTMLResponse(text, status)
    if held:
        response.delete_cookie(NOTICE, path="/", httponly=True, samesite="lax")
    return response


def part(request: Request, visitor: Visitor, template: str, **context: Any) -> HTMLResponse:
    """A part of a page, for htmx."""
    return HTMLResponse(text_of(template, request=request, visitor=visitor, csrf=visitor.csrf, **context))


def done(to: str, notice: str = "") -> RedirectResponse:
    """Go on to a page after a change, with a sentence that says what was done."""
    response = RedirectResponse(to, 303)
    if notice:
        written = base64.urlsafe_b64encode(notice[:900].encode()).decode()
        response.set_cookie(NOTICE, written, max_age=60, path="/", httponly=True, samesite="lax")
    return response


def _read(written: str) -> str:
    try:
        return base64.urlsafe_b64decode(written.encode()).decode()
    except ValueError:
        return ""
