"""HLS plays in a browser: every rendition, and a switch between them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import AAC, X264
from tests.media.browser import play_in_chromium
from tests.media.encoding import run
from tests.media.pipeline import rendition, run_job, spec
from tests.media.playing import published

SECONDS = 6
HEIGHTS = (90, 180)
APART = 0.01
"""Seconds by which picture and sound may miss the times at which they are meant to be."""
START = "bufferSeekOverHole fragment loaded with buffer holes, seeking from 0 to 0."
"""hls.js counts the time of transport streams from when the first frame is decoded, not shown, and
so finds that they begin two frames late: of that it reports that it begins there."""


EACH: list[dict[str, object]] = [{"level": 0}, {"level": 1}]
"""hls.js counts renditions from the lowest bitrate."""
SWITCH: list[dict[str, object]] = [{"level": 0, "next": 1}]
PACKAGES = [
    ("h264", Codec.H264, HlsSegments.FMP4, AudioCodec.AAC, SWITCH),
    *(
        pytest.param(*each, [*EACH, *SWITCH], marks=pytest.mark.long)
        for each in (
            ("h264-each", Codec.H264, HlsSegments.FMP4, AudioCodec.AAC),
            ("ts", Codec.H264, HlsSegments.TS, AudioCodec.AAC),
            ("vp9", Codec.VP9, HlsSegments.FMP4, AudioCodec.OPUS),
            ("av1", Codec.AV1, HlsSegments.FMP4, AudioCodec.AAC),
        )
    ),
]


@pytest.mark.parametrize(("name", "codec", "hls", "sound", "wanted"), PACKAGES)
async def test_every_rendition_and_a_switch_play_without_a_stall_or_an_error(
    name: str,
    codec: Codec,
    hls: HlsSegments,
    sound: AudioCodec,
    wanted: list[dict[str, object]],
    toolbox: Toolbox,
    out: Path,
    ffmpeg: str,
    tmp_path: Path,
) -> None:
    clip = tmp_path / "clip.mp4"
    picture = f"testsrc2=size=320x180:rate=25:duration={SECONDS}"
    tone = f"sine=frequency=440:sample_rate=48000:duration={SECONDS}"
    sources = ("-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", tone)
    run(ffmpeg, "-v", "error", *sources, *X264, *AAC, clip)
    ladder = [rendition(f"{rows}p", codec=codec, height=rows) for rows in HEIGHTS]
    packaging = Packaging(hls=hls, segment_seconds=1)
    job = spec(clip, out / name, *ladder, packaging=packaging, audio=Audio(codec=sound))
    published(await run_job(job.model_copy(update={"chunks": 2}), toolbox))
    played = play_in_chromium(out / name, tmp_path / "profile", wanted)
    heights = [[90], [180], [90, 180]]
    assert [each["heights"] for each in played] == heights[-len(wanted) :]
    for each in played:
        assert [error for error in each["errors"] if START not in error] == [], each
        assert (each["ended"], each["stalls"], each["corrupted"]) == (True, 0, 0), each
        assert abs(each["seconds"] - SECONDS) < 0.15, each
        if hls is HlsSegments.FMP4:
            for kind in ("video", "audio"):
                assert each["buffered"][kind] == pytest.approx([0, SECONDS], abs=APART), each
