"""Fixtures of the tests that need real servers."""

from __future__ import annotations

from stores import empty_address, new_store, postgresql, sqlite, store

__all__ = ["empty_address", "new_store", "postgresql", "sqlite", "store"]
