"""The pages, one file a part of the menu."""

from __future__ import annotations

from importlib import import_module

from fastapi import APIRouter

PAGES = (
    "sign_in", "organisation_sign_in", "account", "users", "home", "overview", "schemes", "model", "check", "challenge",
    "dashboard", "metrics", "exceptions", "chain", "reports", "changes", "programme",
    "budget", "milestones", "risks", "actions", "decisions", "meetings", "questions",
    "wards", "ward", "stays",
    "flow", "flow_runs", "flow_checks", "flow_forecast",
)  # fmt: skip
"""Each module has a ``router``."""

ROUTERS: tuple[APIRouter, ...] = tuple(import_module(f"bettercare.web.pages.{name}").router for name in PAGES)
"""The router of every page."""
