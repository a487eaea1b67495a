"""What a job made in chunks must have in common with the same job in one piece."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import pytest

from ffrtmp_ray.core.model import Failure, FailureKind
from ffrtmp_ray.media.spec import Codec
from ffrtmp_ray.media.steps import direct, encoding
from ffrtmp_ray.media.toolbox import Toolbox
from tests.media.pipeline import Outcome, rendition, run_job, spec

Frames = list[tuple[Fraction, str]]
"""When each is shown, and a hash of its pixels."""


def frames_of(path: Path) -> Frames:
    with av.open(str(path)) as container:
        frames = container.decode(container.streams.video[0])
        return [(frame.pts * frame.time_base, _hash(frame)) for frame in frames]


def assert_refused(outcome: Outcome, failure: Failure) -> None:
    """By its plan; or, where it does not say when its frames are shown, by the encode."""
    if failure.kind is FailureKind.INEXACT:
        assert "does not say when" in failure.reason
        return
    assert list(outcome.ended) == ["plan"]
    assert failure.kind in (FailureKind.BAD_INPUT, FailureKind.UNSUPPORTED)


def _hash(frame: av.VideoFrame) -> str:
    return hashlib.sha256(frame.to_ndarray().tobytes()).hexdigest()


async def run_in_chunks(
    clip: Path,
    target: Path,
    chunks: int,
    toolbox: Toolbox,
    *,
    codec: Codec = Codec.H264,
    height: int | None = None,
) -> Outcome:
    lossless = rendition(codec=codec, crf=0, height=height)
    wanted = spec(clip, target, lossless).model_copy(update={"chunks": chunks})
    return await run_job(wanted, toolbox, job=f"job{chunks}")


def make_x265_lossless(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its crf 0 is not."""

    def lossless(build: Callable[..., list[str]]) -> Callable[..., list[str]]:
        def changed(*args: Any, **options: Any) -> list[str]:
            argv = build(*args, **options)
            return [f"{word}:lossless=1" if word.startswith("pools=") else word for word in argv]

        return changed

    monkeypatch.setattr(encoding, "video_argv", lossless(encoding.video_argv))
    monkeypatch.setattr(direct, "direct_argv", lossless(direct.direct_argv))
