"""How hard Hypothesis tries: `HYPOTHESIS_PROFILE=thorough` takes minutes and finds more."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_SLOW_STEPS = (HealthCheck.too_slow, HealthCheck.filter_too_much)

settings.register_profile(
    "quick",
    max_examples=300,
    stateful_step_count=60,
    deadline=None,  # the machine is shared: a slow step is no failure
    suppress_health_check=_SLOW_STEPS,
)
settings.register_profile("thorough", settings.get_profile("quick"), max_examples=5000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
