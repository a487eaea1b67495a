"""From a ladder and a source to tasks: pure, so every source here is made up."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

from ffrtmp_ray.core.model import NewTask, Resources
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import Color
from ffrtmp_ray.media.plan import Plan, check_spec, first_task, make_plan
from ffrtmp_ray.media.plan.encodes import input_file
from ffrtmp_ray.media.plan.payloads import (
    AudioPayload,
    EncodePayload,
    FinishPayload,
    InputFile,
    PlanPayload,
)
from ffrtmp_ray.media.presets import load, resolve
from ffrtmp_ray.media.probe.source import AudioStream, Source, VideoStream
from ffrtmp_ray.media.spec import Codec, Container, GpuUse, JobSpec, Ladder, Rendition
from ffrtmp_ray.media.timing import timescale
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.origin import Stamp

PQ = Color(primaries="bt2020", transfer="smpte2084", matrix="bt2020nc")


def video_stream(**fields: Any) -> VideoStream:
    known: dict[str, Any] = {
        "index": 0,
        "codec": "h264",
        "width": 1280,
        "height": 720,
        "pixel_format": "yuv420p",
        "bit_depth": 8,
        "time_base": Fraction(1, 30000),
        "frames": 300,
        "countable": True,
        "first": Fraction(2),
        "last": Fraction(2) + Fraction(299, 30),
        "end": Fraction(12),
    }
    return VideoStream(**(known | fields))


def _sound(**fields: Any) -> AudioStream:
    known = {
        "index": 1,
        "codec": "aac",
        "channels": 2,
        "sample_rate": 48000,
        "start": Fraction(2),
        "language": "eng",
    }
    return AudioStream(**(known | fields))


def _source(*, audio: tuple[AudioStream, ...] = (_sound(),), **fields: Any) -> Source:
    subtitles = fields.pop("subtitles", 0)
    return Source(
        container="mov,mp4,m4a,3gp,3g2,mj2",
        bytes=1,
        duration=Fraction(10),
        video=video_stream(**fields),
        audio=audio,
        subtitles=subtitles,
    )


def _ladder(*renditions: Rendition, **fields: Any) -> Ladder:
    return Ladder(renditions=renditions or (_rendition(),), **fields)


def _rendition(name: str = "hd", **fields: Any) -> Rendition:
    return Rendition(**({"name": name, "codec": Codec.H264, "crf": 23} | fields))


def _spec(output: str = "/out/a.mp4", ladder: Ladder | None = None, **fields: Any) -> JobSpec:
    return JobSpec(input="/in/a.mp4", output=output, ladder=ladder or _ladder(), **fields)


def _plan(spec: JobSpec, source: Source, farm_cpus: int = 4) -> Plan:
    check_spec(spec)
    task = first_task(spec, Settings(encode_cpus=4))
    work = PlanPayload.model_validate(task.payload)
    return make_plan(work, source, _file(source), spec.output, farm_cpus=farm_cpus)


def _file(source: Source) -> InputFile:
    return input_file("/in/a", Stamp(1, "1"), source)


def _task(plan: Plan, name: str) -> NewTask:
    return next(task for task in plan.tasks if task.name == name)


# ------------------------------------------------------------------------------ the first task


def test_a_job_starts_with_a_plan_that_takes_no_cpus() -> None:
    task = first_task(_spec(), Settings())
    assert (task.name, task.kind, task.final) == ("plan", "plan", False)
    (alternative,) = task.needs.alternatives
    assert alternative.resources == Resources(plan_slots=1)
    assert not alternative.capabilities


def test_the_first_task_carries_the_ladder_and_not_the_presets_name() -> None:
    task = first_task(resolve(JobSpec(input="/a", output="/b.mp4", preset="web")), Settings())
    assert PlanPayload.model_validate(task.payload).ladder == load("web").ladder


def test_a_preset_must_be_resolved_first() -> None:
    with pytest.raises(InvalidRequest, match="not been resolved"):
        first_task(JobSpec(input="/a", output="/b.mp4", preset="web"), Settings())


# ------------------------------------------------------------------------------ what is refused


def _refusal(spec: JobSpec) -> InvalidRequest:
    with pytest.raises(InvalidRequest) as caught:
        check_spec(spec)
    assert caught.value.where
    assert caught.value.remedy
    return caught.value


@pytest.mark.parametrize("output", ["/out/a.mp4", "/out/a.MKV", "/out/a.b.mkv"])
def test_a_file_says_its_container_by_its_name(output: str) -> None:
    check_spec(_spec(output))


@pytest.mark.parametrize("output", ["/out/a", "/out/a.avi", "/out/mp4"])
def test_a_file_of_an_unknown_kind_is_refused(output: str) -> None:
    assert ".mp4, .mkv or .webm" in str(_refusal(_spec(output)).remedy)


def test_several_renditions_make_a_folder() -> None:
    ladder = _ladder(_rendition("a"), _rendition("b"))
    check_spec(_spec("/out/folder", ladder))
    assert "folder" in _refusal(_spec("/out/a.mp4", ladder)).message


def test_a_name_and_a_ladder_that_disagree_on_the_container_are_refused() -> None:
    ladder = _ladder(container=Container.MKV)
    check_spec(_spec("/out/a.mkv", ladder))
    assert "mkv" in str(_refusal(_spec("/out/a.mp4", ladder)).remedy)


@pytest.mark.parametrize("output", ["/out/folder", "/out/a.m4a"])
def test_renditions_do_not_go_into_a_container_of_sound(output: str) -> None:
    ladder = _ladder(_rendition("a"), _rendition("b"), container=Container.M4A)
    refusal = _refusal(_spec(output, ladder))
    assert refusal.where == "ladder.container"
    assert refusal.remedy == "use mp4 or mkv or webm"


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC])
def test_webm_holds_vp9_and_av1_only(codec: Codec) -> None:
    refusal = _refusal(_spec("/out/a.webm", _ladder(_rendition(codec=codec))))
    assert refusal.where == "ladder.renditions[0].codec"
    assert "av1 or vp9" in str(refusal.remedy)
    check_spec(_spec("/out/a.webm", _ladder(_rendition(codec=Codec.AV1))))


def test_a_folder_of_webm_holds_vp9_and_av1_only() -> None:
    ladder = _ladder(_rendition("a", codec=Codec.VP9), _rendition("b"), container=Container.WEBM)
    assert _refusal(_spec("/out/folder", ladder)).where == "ladder.renditions[1].codec"


def test_a_crf_off_the_codecs_scale_is_refused() -> None:
    check_spec(_spec(ladder=_ladder(_rendition(codec=Codec.AV1, crf=60))))
    refusal = _refusal(_spec(ladder=_ladder(_rendition(crf=60))))
    assert refusal.where == "ladder.renditions[0].crf"
    assert "51" in str(refusal.remedy)


def test_a_required_gpu_that_no_encoder_uses_is_refused() -> None:
    vp9 = _ladder(_rendition(codec=Codec.VP9))
    assert "vp9" in _refusal(_spec("/out/a.mkv", vp9, gpu=GpuUse.REQUIRE)).message
    check_spec(_spec("/out/a.mkv", vp9, gpu=GpuUse.PREFER))


# ------------------------------------------------------------------------------ the tasks


def test_a_plain_job_is_encode_and_audio_then_finish() -> None:
    plan = _plan(_spec(), _source())
    assert [(task.name, task.kind) for task in plan.tasks] == [
        ("encode0", "encode"),
        ("audio0", "audio"),
        ("finish", "finish"),
    ]
    assert _task(plan, "encode0").waits_for == ()
    assert _task(plan, "audio0").waits_for == ()
    assert _task(plan, "finish").waits_for == ("encode0", "audio0")
    assert plan.warnings == ()


def test_a_timeout_of_tasks_is_the_timeout_of_each() -> None:
    spec = _spec(task_timeout_seconds=90)

    tasks = (first_task(spec, Settings()), *_plan(spec, _source()).tasks)

    assert [task.timeout_seconds for task in tasks] == [90] * 4
    assert {task.timeout_seconds for task in _plan(_spec(), _source()).tasks} == {None}


def test_weights_are_seconds_of_media() -> None:
    plan = _plan(_spec(), _source())
    assert _task(plan, "encode0").weight == 10
    assert 0 < _task(plan, "finish").weight < 1


def test_the_encode_knows_what_must_come_out() -> None:
    payload = EncodePayload.model_validate(_task(_plan(_spec(), _source()), "encode0").payload)
    assert (payload.frames, payload.countable) == (300, True)
    assert payload.span == Fraction(299, 30)
    assert payload.duration == 10
    assert payload.video.chunk is None
    assert payload.video.timescale == 30000
    assert payload.video.frame_rate == 30


def test_a_claimed_frame_rate_is_not_believed() -> None:
    plan = _plan(_spec(), _source(average_rate=Fraction(1000)))
    assert EncodePayload.model_validate(_task(plan, "encode0").payload).video.frame_rate == 30


def test_one_frame_without_a_length_has_a_rate_all_the_same() -> None:
    source = _source(frames=1, last=Fraction(2), end=Fraction(2))
    payload = EncodePayload.model_validate(_task(_plan(_spec(), source), "encode0").payload)
    assert payload.video.frame_rate == 25


def test_the_sound_is_counted_from_the_first_picture() -> None:
    payload = AudioPayload.model_validate(_task(_plan(_spec(), _source()), "audio0").payload)
    assert (payload.audio.stream, payload.audio.source_channels) == (1, 2)
    assert payload.audio.source_rate == 48000
    assert payload.audio.picture_start == 2


def test_without_sound_there_is_no_audio_task() -> None:
    plan = _plan(_spec(), _source(audio=()))
    assert [task.name for task in plan.tasks] == ["encode0", "finish"]
    assert FinishPayload.model_validate(_task(plan, "finish").payload).sounds == ()
    assert "no sound" in plan.warnings[0]


def test_a_ladder_may_leave_the_sound_out() -> None:
    plan = _plan(_spec(ladder=_ladder(audio=None)), _source())
    assert [task.name for task in plan.tasks] == ["encode0", "finish"]
    assert plan.warnings == ()


def test_webm_gets_opus_and_says_so() -> None:
    plan = _plan(_spec("/out/a.webm", _ladder(_rendition(codec=Codec.VP9))), _source())
    assert FinishPayload.model_validate(_task(plan, "finish").payload).sounds[0].codec == "opus"
    assert "opus" in plan.warnings[0]


def test_the_first_of_several_sounds_is_taken_and_said() -> None:
    plan = _plan(_spec(), _source(audio=(_sound(), _sound(index=2))))
    assert AudioPayload.model_validate(_task(plan, "audio0").payload).audio.stream == 1
    assert "2 sound streams" in plan.warnings[0]


def test_what_is_dropped_is_said() -> None:
    source = _source(subtitles=2, dynamic_hdr=("HDR10+",), color=PQ, bit_depth=10)
    warnings = " ".join(_plan(_spec(ladder=_ladder(_rendition(codec=Codec.HEVC))), source).warnings)
    assert "subtitles" in warnings
    assert "HDR10+" in warnings


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_not_made_8_bit(transfer: str) -> None:
    source = _source(color=PQ.model_copy(update={"transfer": transfer}), bit_depth=10)
    ladder = _ladder(_rendition("a", codec=Codec.HEVC), _rendition("b"))
    with pytest.raises(InvalidRequest, match="HDR") as caught:
        _plan(_spec("/out/f", ladder), source)
    assert caught.value.where == "ladder.renditions[1].codec"
    assert "av1, hevc, vp9" in str(caught.value.remedy)
    assert "dynamic_range" in str(caught.value.remedy)


def test_hdr_is_no_hindrance_to_a_rendition_that_is_left_out() -> None:
    ladder = _ladder(_rendition("a", codec=Codec.HEVC), _rendition("b", height=2160))
    assert _sizes(_plan(_spec("/out/f", ladder), _source(color=PQ, bit_depth=10)))


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_hdr_gets_ten_bits(bit_depth: int) -> None:
    hevc = _spec(ladder=_ladder(_rendition(codec=Codec.HEVC)))
    plan = _plan(hevc, _source(color=PQ, bit_depth=bit_depth))
    video = EncodePayload.model_validate(_task(plan, "encode0").payload).video
    assert (video.bit_depth, video.color) == (10, PQ)


@pytest.mark.parametrize("color", [Color(matrix="14"), Color(transfer="9"), Color(primaries="22")])
def test_colours_that_cannot_be_handled_are_refused(color: Color) -> None:
    with pytest.raises(InvalidRequest, match=r"9|14|22") as caught:
        _plan(_spec(), _source(color=color))
    assert caught.value.where == "input"


@pytest.mark.parametrize(
    ("codec", "width", "height"),
    [(Codec.HEVC, 14, 64), (Codec.AV1, 64, 14), (Codec.AV1, 64, 8706), (Codec.H264, 16386, 64)],
)
def test_a_picture_of_a_size_that_the_codec_has_not_is_refused(
    codec: Codec, width: int, height: int
) -> None:
    spec = _spec("/out/a.mkv", _ladder(_rendition(codec=codec)))
    with pytest.raises(InvalidRequest, match=f"{width}x{height}") as caught:
        _plan(spec, _source(width=width, height=height))
    assert caught.value.where == "ladder.renditions[0].height"


# ------------------------------------------------------------------------------ renditions


def _sizes(plan: Plan) -> list[tuple[str, int, int]]:
    files = FinishPayload.model_validate(_task(plan, "finish").payload).files
    return [(file.path, file.width, file.height) for file in files]


def test_renditions_above_the_source_are_left_out_and_said() -> None:
    spec = resolve(JobSpec(input="/a", output="/out/f", preset="ladder-h264"))
    plan = _plan(spec, _source())
    assert _sizes(plan) == [
        ("720p.mp4", 1280, 720), ("480p.mp4", 854, 480), ("360p.mp4", 640, 360),
    ]  # fmt: skip
    assert len(plan.warnings) == 1
    assert plan.warnings[0].startswith("1080p is left out")


def test_the_only_rendition_is_kept_at_the_sources_size() -> None:
    plan = _plan(_spec(ladder=_ladder(_rendition(height=1080))), _source())
    assert _sizes(plan) == [("", 1280, 720)]


def test_of_renditions_that_are_all_too_large_the_smallest_is_kept() -> None:
    ladder = _ladder(_rendition("a", height=2160), _rendition("b", height=1080))
    plan = _plan(_spec("/out/f", ladder), _source())
    assert _sizes(plan) == [("b.mp4", 1280, 720)]


def test_a_rotated_source_is_measured_upright() -> None:
    plan = _plan(_spec(ladder=_ladder(_rendition(height=1080))), _source(rotation=-90))
    assert _sizes(plan) == [("", 608, 1080)]


def test_odd_sizes_become_even() -> None:
    plan = _plan(_spec(), _source(width=321, height=181))
    assert _sizes(plan) == [("", 320, 180)]


# ------------------------------------------------------------------------------ needs


def _alternatives(gpu: GpuUse, *codecs: Codec, cpus: int = 4) -> list[tuple[int, int, list[str]]]:
    ladder = _ladder(*(_rendition(codec.value, codec=codec) for codec in codecs))
    spec = _spec("/out/f" if len(codecs) > 1 else "/out/a.mkv", ladder, gpu=gpu)
    work = PlanPayload.model_validate(first_task(spec, Settings(encode_cpus=cpus)).payload)
    plan = make_plan(work, _source(), _file(_source()), "/b", farm_cpus=4)
    return [
        (each.resources.cpus, each.resources.gpu_sessions, sorted(each.capabilities))
        for each in _task(plan, "encode0").needs.alternatives
    ]


def test_an_encode_makes_do_with_fewer_cpus() -> None:
    names = ["libx264"]
    assert _alternatives(GpuUse.NEVER, Codec.H264) == [(4, 0, names), (2, 0, names), (1, 0, names)]
    assert [cpus for cpus, _, _ in _alternatives(GpuUse.NEVER, Codec.H264, cpus=6)] == [6, 3, 1]
    assert [cpus for cpus, _, _ in _alternatives(GpuUse.NEVER, Codec.H264, cpus=1)] == [1]


def test_a_preferred_gpu_comes_first_and_cpus_after_it() -> None:
    first, *others = _alternatives(GpuUse.PREFER, Codec.H264, Codec.HEVC)
    assert first == (1, 2, ["h264_nvenc", "hevc_nvenc"])
    assert [(cpus, gpus) for cpus, gpus, _ in others] == [(4, 0), (2, 0), (1, 0)]


def test_a_gpu_is_asked_for_a_session_and_memory_for_each_rendition() -> None:
    def memory(*heights: int) -> int:
        ladder = _ladder(*(_rendition(f"r{height}", height=height) for height in heights))
        spec = _spec("/out/f" if len(heights) > 1 else "/out/a.mkv", ladder, gpu=GpuUse.REQUIRE)
        (way,) = _task(_plan(spec, _source()), "encode0").needs.alternatives
        assert way.resources.gpu_sessions == len(heights)
        return way.resources.gpu_memory_mib

    assert memory(360) < memory(720) < memory(720, 360) < 1024


def test_a_required_gpu_is_the_only_way() -> None:
    assert _alternatives(GpuUse.REQUIRE, Codec.AV1) == [(1, 1, ["av1_nvenc"])]


def test_a_preferred_gpu_that_cannot_is_passed_over_and_that_is_said() -> None:
    assert all(gpus == 0 for _, gpus, _ in _alternatives(GpuUse.PREFER, Codec.VP9))
    spec = _spec("/out/a.mkv", _ladder(_rendition(codec=Codec.VP9)), gpu=GpuUse.PREFER)
    assert "no GPU" in _plan(spec, _source()).warnings[0]


@pytest.mark.parametrize(("width", "height"), [(4098, 2160), (160, 90)])
def test_a_preferred_gpu_that_cannot_make_the_size_is_passed_over(width: int, height: int) -> None:
    plan = _plan(_spec(gpu=GpuUse.PREFER), _source(width=width, height=height))
    needs = _task(plan, "encode0").needs
    assert all(each.resources.gpu_sessions == 0 for each in needs.alternatives)
    assert "no GPU" in plan.warnings[0]


# ------------------------------------------------------------------------------ time


@pytest.mark.parametrize(
    ("time_base", "ticks"),
    [
        (Fraction(1, 90000), 90000),
        (Fraction(1, 12800), 12800),
        (Fraction(1, 1000), 16000),
        (Fraction(1, 30), 15360),
        (Fraction(1, 1_000_000), 1_000_000),
        (Fraction(1, 23_040_000), 90000),
        (Fraction(1001, 24000), 90000),
    ],
)
def test_the_time_base_holds_the_sources_times_where_it_can(
    time_base: Fraction, ticks: int
) -> None:
    assert timescale(time_base) == ticks
