"""Settings shared by every test: hypothesis draws the same examples each time, so that a failure is the same everywhere."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW = [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
settings.register_profile(
    "ci", derandomize=True, deadline=None, max_examples=60, database=None, suppress_health_check=_SLOW
)
# `HYPOTHESIS_PROFILE=search pytest tests/property` looks further, with new examples each time.
settings.register_profile("search", deadline=None, max_examples=2_000, suppress_health_check=_SLOW)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))
