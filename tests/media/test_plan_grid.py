"""When segments begin, and that chunks are cut there: pure, so every source here is made up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan.cuts import chunks_of
from ffrtmp_ray.media.plan.grid import (
    MOST_FORCED,
    first_from,
    forced,
    segment_starts,
    source_ticks,
)
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging

FOUR_SECONDS = Packaging()


def _video(*ticks: int, keyframes: tuple[int, ...] = (), **fields: Any) -> VideoStream:
    """In milliseconds; each frame lasts to the next one, the last 40 ms."""
    known: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "width": 64,
        "height": 36,
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "time_base": Fraction(1, 1000),
        "frames": len(ticks),
        "countable": True,
        "first": Fraction(ticks[0], 1000),
        "last": Fraction(ticks[-1], 1000),
        "end": Fraction(ticks[-1] + 40, 1000),
        "keyframes": keyframes or ticks[:1],
        "ticks": ticks,
    }
    return VideoStream(**(known | fields))


def test_segments_begin_at_the_first_frames_from_multiples_on() -> None:
    video = _video(700, 2000, 4699, 4701, 8000, 8699, 8800)
    # ticks of the outputs are 1/16000 s: the source's are doubled until they are fine enough
    assert [start // 16 for start in segment_starts(video, FOUR_SECONDS)] == [0, 4001, 8100]
    assert source_ticks(video, segment_starts(video, FOUR_SECONDS)) == (700, 4701, 8800)


def test_a_gap_has_no_segments_of_its_own() -> None:
    video = _video(0, 100, 13000, 15999, 16000)
    assert [start // 16 for start in segment_starts(video, FOUR_SECONDS)] == [0, 13000, 16000]


def test_frames_without_times_are_asked_for_keyframes_at_the_multiples() -> None:
    video = _video(0, 40, 9000, ticks=(), countable=False)
    assert [start // 16 for start in segment_starts(video, FOUR_SECONDS)] == [0, 4000, 8000]
    assert source_ticks(video, segment_starts(video, FOUR_SECONDS)) == ()


def test_times_are_compared_as_the_outputs_round_them() -> None:
    """A third of a microsecond before four seconds is four seconds to a clock of 1/90000 s."""
    tick = Fraction(1, 3_000_000)
    video = _video(0, 11_999_999, 12_000_040, time_base=tick)
    assert segment_starts(video, FOUR_SECONDS) == (0, 360_000)


def test_a_rendition_of_another_rate_has_its_own_frames_after_the_planned_times() -> None:
    assert first_from([0, 300, 600, 900], [0, 250, 290, 600, 901]) == (0, 300, 600)


def test_a_chunk_is_told_of_the_keyframes_within_it() -> None:
    starts = (0, 400, 800, 1200)
    assert forced(starts, 0, 800) == (0, 400)
    assert forced(starts, 800, None) == (0, 400)


def test_more_keyframes_than_a_command_line_holds_are_refused() -> None:
    assert len(forced(range(MOST_FORCED), 0, None)) == MOST_FORCED
    with pytest.raises(InvalidRequest, match="too many") as caught:
        forced(range(MOST_FORCED + 1), 0, None)
    assert caught.value.where == "ladder.packaging.segment_seconds"


def test_more_transport_streams_than_a_command_line_holds_are_refused() -> None:
    packaging = Packaging(hls=HlsSegments.TS, segment_seconds=1)
    video = _video(*range(0, 1000 * (MOST_FORCED + 1), 1000))
    with pytest.raises(InvalidRequest, match="transport streams"):
        segment_starts(video, packaging)
    assert len(segment_starts(video, Packaging(segment_seconds=1))) == MOST_FORCED + 1


def _cuts(video: VideoStream, *lengths: int) -> list[int]:
    grid = source_ticks(video, segment_starts(video, FOUR_SECONDS))
    return [chunk.start_pts or 0 for chunk in chunks_of(video, lengths, grid)]


EVERY_40_MS = tuple(range(0, 40_000, 40))


def test_chunks_are_cut_where_segments_begin() -> None:
    assert _cuts(_video(*EVERY_40_MS), 11, 9, 20) == [0, 12_000, 20_000]


def test_the_one_close_by_is_taken_that_needs_least_from_before_it() -> None:
    video = _video(*EVERY_40_MS, keyframes=(0, 15_800))
    assert _cuts(video, 20, 20) == [0, 16_000]


def test_lengths_that_end_in_one_segment_make_fewer_chunks() -> None:
    assert _cuts(_video(*EVERY_40_MS), 9, 1, 1, 29) == [0, 8_000, 12_000]
