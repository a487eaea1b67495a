"""The command line with all its commands, as tests call it."""

from __future__ import annotations

from ffrtmp_ray.cli.main import build

app = build()
