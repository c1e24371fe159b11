"""The pages, one file a part of the menu."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from importlib import import_module

from fastapi import APIRouter

PAGES = (
    "sign_in", "organisation_sign_in", "account", "users", "home", "overview", "schemes", "model", "check", "challenge",
    "dashboard", "metrics", "exceptions", "chain", "reports", "changes", "programme",
    "budget", "milestones", "risks", "actions", "decisions", "meetings", "questions",
)  # fmt: skip
"""Each module has a ``router``."""


_NAMES = [f"bettercare.web.pages.{name}" for name in PAGES] + ["bettercare.web.api"]


def _routers() -> Iterator[APIRouter]:
    for name in _NAMES:
        try:
            yield import_module(name).router
        except Exception as error:  # while pages are still being written; to be made strict
            logging.getLogger("bettercare.web").warning("%s is not served: %r", name, error)


ROUTERS: tuple[APIRouter, ...] = tuple(_routers())
"""The router of every page, and of the API."""
