"""Where a picture is cut, and when it is not: pure, so every source here is made up."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from ffrtmp_ray.media.plan import Plan, first_task, make_plan
from ffrtmp_ray.media.plan.cuts import chunks_of
from ffrtmp_ray.media.plan.encodes import input_file
from ffrtmp_ray.media.plan.lengths import equal_lengths
from ffrtmp_ray.media.plan.payloads import EncodePayload, FinishPayload, InputFile, PlanPayload
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.spec import Codec, Effort, GpuUse, JobSpec, Ladder, Rendition
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.origin import Stamp
from tests.media.planning import video_stream


def _video(seconds: int, *, gop: int = 50, first: int = 0, **fields: Any) -> VideoStream:
    """25 frames a second, 40 ms each, a keyframe every `gop` frames."""
    frames = 25 * seconds
    ticks = tuple(first + 40 * number for number in range(frames))
    known: dict[str, Any] = {
        "time_base": Fraction(1, 1000),
        "frames": frames,
        "first": Fraction(first, 1000),
        "last": Fraction(ticks[-1], 1000),
        "end": Fraction(ticks[-1] + 40, 1000),
        "keyframes": ticks[::gop],
        "ticks": ticks,
    }
    return video_stream(**(known | fields))


# ------------------------------------------------------------------------------ on which frames


def _starts(video: VideoStream, *lengths: int) -> list[int]:
    chunks = chunks_of(video, [Fraction(each, 1000) for each in lengths])
    return [int(chunk.start * 1000) for chunk in chunks]


def test_a_cut_goes_to_a_keyframe_close_by() -> None:
    assert _starts(_video(8), 3500, 4500) == [0, 4000]


def test_without_a_keyframe_close_by_a_cut_goes_to_the_next_frame() -> None:
    assert _starts(_video(8, gop=200), 3510, 4490) == [0, 3520]


def test_chunks_have_all_frames_once() -> None:
    video = _video(9, gop=37, first=-700)
    chunks = chunks_of(video, equal_lengths(video.end - video.first, 7))
    assert len(chunks) == 7
    assert sum(chunk.frames for chunk in chunks) == video.frames
    assert chunks[0].start == video.first
    assert chunks[-1].end == video.end
    for one, next_one in pairwise(chunks):
        assert one.end == next_one.start
        assert one.end_pts == next_one.start_pts
        assert one.last_frame == one.end - Fraction(40, 1000)


def test_reading_starts_at_the_keyframe_before_the_one_that_is_needed() -> None:
    chunks = chunks_of(_video(16), [Fraction(4)] * 4)
    assert [chunk.seek for chunk in chunks] == [None, 2, 6, 10]
    assert [chunk.repeated for chunk in chunks] == [0, 2, 2, 2]
    between = chunks_of(_video(16, gop=100), [Fraction(10), Fraction(6)])
    assert (between[1].start, between[1].seek, between[1].repeated) == (Fraction(8), 4, 4)


def test_reading_starts_at_the_very_one_where_that_is_safe() -> None:
    chunks = chunks_of(_video(16, closed=True), [Fraction(4)] * 4)
    assert [chunk.seek for chunk in chunks] == [None, 4, 8, 12]
    assert [chunk.repeated for chunk in chunks] == [0, 0, 0, 0]
    fields = chunks_of(_video(16, closed=True, interlaced=True), [Fraction(4)] * 4)
    assert [chunk.seek for chunk in fields] == [None, 2, 6, 10]


def test_what_has_one_keyframe_is_read_from_the_beginning() -> None:
    _, second = chunks_of(_video(8, gop=1000), [Fraction(4)] * 2)
    assert (second.seek, second.repeated) == (None, 4)


def test_where_a_frame_is_shown_for_long_the_others_make_up_the_number_of_chunks() -> None:
    ticks = (*range(0, 1000, 40), 60_000, *range(61_000, 62_000, 40))
    video = _video(2).model_copy(
        update={"ticks": ticks, "frames": len(ticks), "last": Fraction(62), "end": Fraction(62)}
    )
    lengths = equal_lengths(video.end, 7)
    assert len(chunks_of(video, lengths)) == 2
    chunks = chunks_of(video, lengths, all_of_them=True)
    assert len(chunks) == 7
    assert sum(chunk.frames for chunk in chunks) == len(ticks)
    assert max(chunk.frames for chunk in chunks) <= 13


def test_there_are_no_more_chunks_than_frames() -> None:
    one = _video(1, gop=1)
    few = one.model_copy(update={"ticks": one.ticks[:3], "frames": 3, "end": Fraction(120, 1000)})
    assert [chunk.frames for chunk in chunks_of(few, equal_lengths(few.end, 7))] == [1, 1, 1]


# ------------------------------------------------------------------------------ into how many


def _file(source: Source) -> InputFile:
    return input_file("/in/a", Stamp(1, "1"), source)


def _plan(
    video: VideoStream, *, farm_cpus: int = 2, gpu: GpuUse = GpuUse.NEVER, **more: Any
) -> Plan:
    rendition = {"name": "a", "codec": Codec.H264, "crf": 23} | more.pop("rendition", {})
    ladder = Ladder(renditions=(Rendition(**rendition),))
    spec = JobSpec(input="/in/a", output="/out/a.mkv", ladder=ladder, gpu=gpu, **more)
    work = PlanPayload.model_validate(first_task(spec, Settings(encode_cpus=4)).payload)
    source = Source(container="mov", bytes=1, duration=video.end, video=video)
    return make_plan(work, source, _file(source), "/out/a.mkv", farm_cpus=farm_cpus)


def _encodes(plan: Plan) -> list[EncodePayload]:
    tasks = (task for task in plan.tasks if task.kind == "encode")
    return [EncodePayload.model_validate(task.payload) for task in tasks]


def _cpus(plan: Plan) -> list[int]:
    return [each.resources.cpus for each in plan.tasks[0].needs.alternatives]


def test_a_minute_is_cut_to_fill_two_cpus_with_one_thread_each() -> None:
    plan = _plan(_video(60, gop=125))
    assert [float(each.duration) for each in _encodes(plan)] == [15, 15, 15, 15]
    assert _cpus(plan) == [1]


def test_few_chunks_on_many_cpus_take_several_each() -> None:
    assert _cpus(_plan(_video(20), farm_cpus=8)) == [4, 2, 1]
    assert _cpus(_plan(_video(60), farm_cpus=8)) == [1]


def test_a_short_file_is_not_cut() -> None:
    (encode,) = _encodes(_plan(_video(19)))
    assert encode.video.chunk is None
    assert encode.plan is None


def test_av1_is_cut_where_it_has_keyframes_anyhow() -> None:
    """SVT-AV1 makes one every 240 frames, and none for new scenes."""
    encodes = _encodes(_plan(_video(60), rendition={"codec": Codec.AV1}, farm_cpus=8))
    assert [encode.frames for encode in encodes] == [240] * 5 + [300]


def test_long_chunks_of_av1_are_cut_where_all_encodes_end_together() -> None:
    rendition = {"codec": Codec.AV1, "effort": Effort.FAST}
    encodes = _encodes(_plan(_video(60, gop=250, closed=True), rendition=rendition))
    assert [encode.frames for encode in encodes] == [750, 750]


def test_what_takes_a_moment_is_not_cut() -> None:
    quick = {"effort": Effort.FAST, "height": 90}
    assert len(_encodes(_plan(_video(60, width=320, height=180), rendition=quick))) == 1


def test_less_is_cut_where_much_would_be_decoded_twice() -> None:
    """With two keyframes in a minute, four chunks would decode a half of it again and more."""
    assert len(_encodes(_plan(_video(60, gop=750), rendition={"effort": Effort.FAST}))) == 1
    assert len(_encodes(_plan(_video(60, gop=50), rendition={"effort": Effort.FAST}))) == 4


def test_the_number_that_the_user_wants_is_made() -> None:
    plan = _plan(_video(7, gop=1000), farm_cpus=0, chunks=7)
    assert len(_encodes(plan)) == 7
    assert not [text for text in plan.warnings if "piece" in text]
    assert len(_encodes(_plan(_video(60), chunks=1))) == 1


@pytest.mark.parametrize(
    ("video", "rendition", "gpu", "why"),
    [
        ({"ticks": (), "countable": False}, {}, GpuUse.NEVER, "time of their own"),
        ({}, {}, GpuUse.PREFER, "GPUs and CPUs"),
    ],
)
def test_what_cannot_be_cut_exactly_is_one_piece_and_says_why(
    video: dict[str, Any], rendition: dict[str, Any], gpu: GpuUse, why: str
) -> None:
    plan = _plan(_video(60, **video), rendition=rendition, gpu=gpu, chunks=3)
    assert len(_encodes(plan)) == 1
    (warning,) = (text for text in plan.warnings if "in one piece" in text)
    assert why in warning


def test_a_job_for_gpus_is_cut_only_when_the_user_says_so() -> None:
    assert len(_encodes(_plan(_video(60), gpu=GpuUse.REQUIRE))) == 1
    assert len(_encodes(_plan(_video(60), gpu=GpuUse.PREFER))) == 1
    assert len(_encodes(_plan(_video(60), gpu=GpuUse.REQUIRE, chunks=3))) == 3


# ------------------------------------------------------------------------------ what is handed on


def test_chunks_begin_at_whole_ticks_of_the_output() -> None:
    """A clock that the output's does not hold exactly: the sum has no error but the last's."""
    video = _video(40, gop=1).model_copy(update={"time_base": Fraction(1001, 1_000_000)})
    exact = video.model_copy(
        update={
            "first": video.ticks[0] * video.time_base,
            "last": video.ticks[-1] * video.time_base,
            "end": (video.ticks[-1] + 40) * video.time_base,
        }
    )
    plan = _plan(exact, chunks=7)
    finish = FinishPayload.model_validate(plan.tasks[-1].payload)
    assert len(finish.chunks) == 7
    assert sum(finish.chunks) == exact.end - exact.first
    begin = Fraction(0)
    for encode, duration in zip(_encodes(plan), finish.chunks, strict=True):
        chunk = encode.video.chunk
        assert chunk is not None
        assert begin == Fraction(chunk.offset, 90000)
        assert abs(begin - (encode.start - exact.first)) <= Fraction(1, 180_000)
        begin += duration


def test_a_plan_that_is_made_anew_says_why() -> None:
    (encode, *_) = _encodes(_plan(_video(60)))
    assert encode.plan is not None
    work = encode.plan.in_one_piece("a frame is missing")
    video = _video(60)
    source = Source(container="mov", bytes=1, duration=video.end, video=video)
    plan = make_plan(work, source, _file(source), "/out/a.mkv", farm_cpus=2)
    assert len(_encodes(plan)) == 1
    assert plan.warnings[0].startswith("inexact: a frame is missing")
