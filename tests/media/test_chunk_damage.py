"""A damaged picture is never cut without saying so: what is made up of it depends on what was
decoded before."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import pytest

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.encode.work import ChunkWork
from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.process.concealed import is_concealed, is_doubted
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.exact import frames_of, run_in_chunks
from tests.media.pipeline import assert_published, encodes_of, run_job, spec

TICKS = 12800
"""A second of the clip."""


@pytest.fixture
def scratched(clips: Clips, tmp_path: Path) -> Callable[[int], Path]:
    """A clip with a keyframe each second, and a scratch in that one; not so large that a packet
    is lost."""

    def make(second: int) -> Path:
        data, path = bytearray(clips("silent.mp4").read_bytes()), tmp_path / "scratched.mp4"
        begin = data.index(b"mdat") + (len(data) * (2 * second + 1)) // 4
        data[begin] ^= 0xFF
        path.write_bytes(data)
        return path

    return make


def _second(number: int) -> ChunkWork:
    return ChunkWork(
        time_base=Fraction(1, TICKS),
        seek_seconds=None if number == 0 else Fraction(number - 1),
        first_pts=0,
        start_pts=number * TICKS,
        end_pts=(number + 1) * TICKS,
        offset=number * TICKS,
    )


@pytest.mark.parametrize("second", [0, 1])
async def test_damage_is_found_where_it_is(
    second: int, scratched: Callable[[int], Path], prober: Prober
) -> None:
    clip = scratched(second)
    for number in (0, 1):
        found = await prober.damage(str(clip), _second(number), timeout_seconds=30)
        assert not isinstance(found, Failure)
        assert (found.packets > 0) == (number == second)


async def test_what_a_decoder_lacks_before_it_has_begun_is_no_damage(
    prober: Prober, clips: Clips
) -> None:
    clip = clips("open-gop.ts")
    source = await prober.probe(clip)
    assert not isinstance(source, Failure)
    video = source.video
    cut = ChunkWork(
        time_base=video.time_base,
        seek_seconds=video.keyframes[2] * video.time_base,
        first_pts=video.ticks[0],
        start_pts=video.keyframes[3],
        offset=0,
    )
    found = await prober.damage(str(clip), cut, timeout_seconds=30)
    assert not isinstance(found, Failure)
    assert found.packets == 0


async def test_a_damaged_picture_is_made_in_one_piece_and_says_why(
    scratched: Callable[[int], Path], toolbox: Toolbox, out: Path
) -> None:
    clip = scratched(1)
    whole = await run_job(spec(clip, out / "1.mp4"), toolbox, job="whole")
    assert_published(whole, out / "1.mp4")
    assert "made up parts of the picture" in " ".join(whole.warnings)
    parted = await run_in_chunks(clip, out / "2.mp4", 2, toolbox)
    assert_published(parted, out / "2.mp4")
    (why,) = parted.replans
    assert why.startswith("the chunk at 1.000 s is not exact: the source is damaged there")
    assert encodes_of(parted) == ["encode0"]
    assert len(frames_of(out / "2.mp4")) == len(frames_of(out / "1.mp4"))


@pytest.mark.parametrize(
    ("line", "doubted", "concealed"),
    [
        ("[h264 @ 0x55] [error] error while decoding MB 17 8, bytestream -30", True, False),
        ("[vist#0:0/h264 @ 0x55] [dec:h264 @ 0x5] [warning] corrupt decoded frame", True, True),
        ("[in#0/mpegts @ 0x55] [warning] corrupt input packet in stream 0", True, False),
        ("[mpegts @ 0x55] [warning] Packet corrupt (stream = 0, dts = 9).", True, False),
        ("[mp4 @ 0x55] [warning] Timestamps are unset in a packet for stream 0.", False, False),
        ("", False, False),
    ],
)
def test_ffmpeg_says_when_a_picture_is_made_up(line: str, doubted: bool, concealed: bool) -> None:
    log = f"{line}\n"
    assert (is_doubted(log), is_concealed(log)) == (doubted, concealed)
