"""Settings on their way between processes, whose versions may differ."""

from __future__ import annotations

import pickle
from pathlib import Path

from ffrtmp_ray.settings import Settings


def _sent(settings: Settings) -> Settings:
    received: Settings = pickle.loads(pickle.dumps(settings))  # noqa: S301 - our own bytes
    return received


def test_what_an_older_version_did_not_know_has_its_default() -> None:
    older = Settings(state_dir=Path("/srv/farm"), poll_seconds=0.5)
    for name in ("scheduler_hang_seconds", "input_roots"):
        del older.__dict__[name]
    settings = _sent(older)
    assert settings.scheduler_hang_seconds == 30
    assert settings.input_roots == (Path.home(),)
    assert (settings.state_dir, settings.poll_seconds) == (Path("/srv/farm"), 0.5)
    assert "scheduler_hang_seconds" in settings.model_dump()


def test_settings_come_back_from_a_pickle_as_they_were() -> None:
    settings = Settings(http_port=4711, standby=False)
    assert _sent(settings) == settings
