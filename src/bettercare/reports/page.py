"""A document as one HTML page that needs nothing from outside itself."""

from __future__ import annotations

from importlib import resources

from markupsafe import Markup

from bettercare.reports.exhibit import Document, Sign
from bettercare.reports.templates import environment


def html(document: Document) -> str:
    """The page as text. The same document gives the same page."""
    style = resources.files("bettercare.reports.templates").joinpath("style.css").read_text(encoding="utf-8")
    return (
        environment()
        .get_template("document.html.j2")
        .render(document=document, style=Markup(style), svg=Markup, is_sign=lambda value: isinstance(value, Sign))
    )
