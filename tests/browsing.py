"""Chromium, for tests that look at pages as a person would."""

from __future__ import annotations

import importlib.util
import os
import shutil

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update",
    "--disable-sync",
]  # fmt: skip
WIDTHS = {"desk": 1280, "telephone": 390}

# Where it must run (BETTERCARE_CI) a missing browser is a failure, not a reason to skip.
needs_chromium = pytest.mark.skipif(
    not os.environ.get("BETTERCARE_CI") and (not CHROMIUM or importlib.util.find_spec("playwright") is None),
    reason="skipped: needs Chromium",
)
