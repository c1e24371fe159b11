"""The pages, one file a part of the menu."""

from __future__ import annotations

from importlib import import_module

from fastapi import APIRouter

PAGES = (
    "sign_in", "organisation_sign_in", "account", "users", "home", "overview", "schemes", "model", "check", "challenge",
    "dashboard", "metrics", "exceptions", "chain", "reports", "changes", "programme",
    "budget", "milestones", "risks", "actions", "decisions", "meetings", "questions",
)  # fmt: skip
"""Each module has a ``router``."""

_NAMES = (*(f"bettercare.web.pages.{name}" for name in PAGES), "bettercare.web.api")

ROUTERS: tuple[APIRouter, ...] = tuple(import_module(name).router for name in _NAMES)
"""The router of every page, and of the API."""
