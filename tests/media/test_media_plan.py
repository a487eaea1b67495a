"""From a ladder and a source to tasks: pure, so every source here is made up."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ffrtmp_ray.core.model import Resources
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.encode.work import Color
from ffrtmp_ray.media.plan import check_spec, first_task
from ffrtmp_ray.media.plan.payloads import (
    AudioPayload,
    EncodePayload,
    FinishPayload,
    PlanPayload,
)
from ffrtmp_ray.media.presets import load, resolve
from ffrtmp_ray.media.spec import Codec, Container, GpuUse, JobSpec
from ffrtmp_ray.media.timing import timescale
from ffrtmp_ray.settings import Settings
from tests.media.planning import (
    PQ,
    ladder_of,
    plan_of,
    rendition,
    sizes_of,
    sound,
    source_with,
    spec_of,
    task_of,
)

# ------------------------------------------------------------------------------ the first task


def test_a_job_starts_with_a_plan_that_takes_no_cpus() -> None:
    task = first_task(spec_of(), Settings())
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
    check_spec(spec_of(output))


@pytest.mark.parametrize("output", ["/out/a", "/out/a.avi", "/out/mp4"])
def test_a_file_of_an_unknown_kind_is_refused(output: str) -> None:
    assert ".mp4, .mkv or .webm" in str(_refusal(spec_of(output)).remedy)


def test_several_renditions_make_a_folder() -> None:
    ladder = ladder_of(rendition("a"), rendition("b"))
    check_spec(spec_of("/out/folder", ladder))
    assert "folder" in _refusal(spec_of("/out/a.mp4", ladder)).message


def test_a_name_and_a_ladder_that_disagree_on_the_container_are_refused() -> None:
    ladder = ladder_of(container=Container.MKV)
    check_spec(spec_of("/out/a.mkv", ladder))
    assert "mkv" in str(_refusal(spec_of("/out/a.mp4", ladder)).remedy)


@pytest.mark.parametrize("output", ["/out/folder", "/out/a.m4a"])
def test_renditions_do_not_go_into_a_container_of_sound(output: str) -> None:
    ladder = ladder_of(rendition("a"), rendition("b"), container=Container.M4A)
    refusal = _refusal(spec_of(output, ladder))
    assert refusal.where == "ladder.container"
    assert refusal.remedy == "use mp4 or mkv or webm"


@pytest.mark.parametrize("codec", [Codec.H264, Codec.HEVC])
def test_webm_holds_vp9_and_av1_only(codec: Codec) -> None:
    refusal = _refusal(spec_of("/out/a.webm", ladder_of(rendition(codec=codec))))
    assert refusal.where == "ladder.renditions[0].codec"
    assert "av1 or vp9" in str(refusal.remedy)
    check_spec(spec_of("/out/a.webm", ladder_of(rendition(codec=Codec.AV1))))


def test_a_folder_of_webm_holds_vp9_and_av1_only() -> None:
    ladder = ladder_of(rendition("a", codec=Codec.VP9), rendition("b"), container=Container.WEBM)
    assert _refusal(spec_of("/out/folder", ladder)).where == "ladder.renditions[1].codec"


def test_a_crf_off_the_codecs_scale_is_refused() -> None:
    check_spec(spec_of(ladder=ladder_of(rendition(codec=Codec.AV1, crf=60))))
    refusal = _refusal(spec_of(ladder=ladder_of(rendition(crf=60))))
    assert refusal.where == "ladder.renditions[0].crf"
    assert "51" in str(refusal.remedy)


def test_a_required_gpu_that_no_encoder_uses_is_refused() -> None:
    vp9 = ladder_of(rendition(codec=Codec.VP9))
    assert "vp9" in _refusal(spec_of("/out/a.mkv", vp9, gpu=GpuUse.REQUIRE)).message
    check_spec(spec_of("/out/a.mkv", vp9, gpu=GpuUse.PREFER))


# ------------------------------------------------------------------------------ the tasks


def test_a_plain_job_is_encode_and_audio_then_finish() -> None:
    plan = plan_of(spec_of(), source_with())
    assert [(task.name, task.kind) for task in plan.tasks] == [
        ("encode0", "encode"),
        ("audio0", "audio"),
        ("finish", "finish"),
    ]
    assert task_of(plan, "encode0").waits_for == ()
    assert task_of(plan, "audio0").waits_for == ()
    assert task_of(plan, "finish").waits_for == ("encode0", "audio0")
    assert plan.warnings == ()


def test_a_timeout_of_tasks_is_the_timeout_of_each() -> None:
    spec = spec_of(task_timeout_seconds=90)

    tasks = (first_task(spec, Settings()), *plan_of(spec, source_with()).tasks)

    assert [task.timeout_seconds for task in tasks] == [90] * 4
    assert {task.timeout_seconds for task in plan_of(spec_of(), source_with()).tasks} == {None}


def test_weights_are_seconds_of_media() -> None:
    plan = plan_of(spec_of(), source_with())
    assert task_of(plan, "encode0").weight == 10
    assert 0 < task_of(plan, "finish").weight < 1


def test_the_encode_knows_what_must_come_out() -> None:
    payload = EncodePayload.model_validate(
        task_of(plan_of(spec_of(), source_with()), "encode0").payload
    )
    assert (payload.frames, payload.countable) == (300, True)
    assert payload.span == Fraction(299, 30)
    assert payload.duration == 10
    assert payload.video.chunk is None
    assert payload.video.timescale == 30000
    assert payload.video.frame_rate == 30


def test_a_claimed_frame_rate_is_not_believed() -> None:
    plan = plan_of(spec_of(), source_with(average_rate=Fraction(1000)))
    assert EncodePayload.model_validate(task_of(plan, "encode0").payload).video.frame_rate == 30


def test_one_frame_without_a_length_has_a_rate_all_the_same() -> None:
    source = source_with(frames=1, last=Fraction(2), end=Fraction(2))
    payload = EncodePayload.model_validate(task_of(plan_of(spec_of(), source), "encode0").payload)
    assert payload.video.frame_rate == 25


def test_the_sound_is_counted_from_the_first_picture() -> None:
    payload = AudioPayload.model_validate(
        task_of(plan_of(spec_of(), source_with()), "audio0").payload
    )
    assert (payload.audio.stream, payload.audio.source_channels) == (1, 2)
    assert payload.audio.source_rate == 48000
    assert payload.audio.picture_start == 2


def test_without_sound_there_is_no_audio_task() -> None:
    plan = plan_of(spec_of(), source_with(audio=()))
    assert [task.name for task in plan.tasks] == ["encode0", "finish"]
    assert FinishPayload.model_validate(task_of(plan, "finish").payload).sounds == ()
    assert "no sound" in plan.warnings[0]


def test_a_ladder_may_leave_the_sound_out() -> None:
    plan = plan_of(spec_of(ladder=ladder_of(audio=None)), source_with())
    assert [task.name for task in plan.tasks] == ["encode0", "finish"]
    assert plan.warnings == ()


def test_webm_gets_opus_and_says_so() -> None:
    plan = plan_of(spec_of("/out/a.webm", ladder_of(rendition(codec=Codec.VP9))), source_with())
    assert FinishPayload.model_validate(task_of(plan, "finish").payload).sounds[0].codec == "opus"
    assert "opus" in plan.warnings[0]


def test_the_first_of_several_sounds_is_taken_and_said() -> None:
    plan = plan_of(spec_of(), source_with(audio=(sound(), sound(index=2))))
    assert AudioPayload.model_validate(task_of(plan, "audio0").payload).audio.stream == 1
    assert "2 sound streams" in plan.warnings[0]


def test_what_is_dropped_is_said() -> None:
    source = source_with(subtitles=2, dynamic_hdr=("HDR10+",), color=PQ, bit_depth=10)
    warnings = " ".join(
        plan_of(spec_of(ladder=ladder_of(rendition(codec=Codec.HEVC))), source).warnings
    )
    assert "subtitles" in warnings
    assert "HDR10+" in warnings


@pytest.mark.parametrize("transfer", ["smpte2084", "arib-std-b67"])
def test_hdr_is_not_made_8_bit(transfer: str) -> None:
    source = source_with(color=PQ.model_copy(update={"transfer": transfer}), bit_depth=10)
    ladder = ladder_of(rendition("a", codec=Codec.HEVC), rendition("b"))
    with pytest.raises(InvalidRequest, match="HDR") as caught:
        plan_of(spec_of("/out/f", ladder), source)
    assert caught.value.where == "ladder.renditions[1].codec"
    assert "av1, hevc, vp9" in str(caught.value.remedy)
    assert "dynamic_range" in str(caught.value.remedy)


def test_hdr_is_no_hindrance_to_a_rendition_that_is_left_out() -> None:
    ladder = ladder_of(rendition("a", codec=Codec.HEVC), rendition("b", height=2160))
    assert sizes_of(plan_of(spec_of("/out/f", ladder), source_with(color=PQ, bit_depth=10)))


@pytest.mark.parametrize("bit_depth", [8, 10, 12])
def test_hdr_gets_ten_bits(bit_depth: int) -> None:
    hevc = spec_of(ladder=ladder_of(rendition(codec=Codec.HEVC)))
    plan = plan_of(hevc, source_with(color=PQ, bit_depth=bit_depth))
    video = EncodePayload.model_validate(task_of(plan, "encode0").payload).video
    assert (video.bit_depth, video.color) == (10, PQ)


@pytest.mark.parametrize("color", [Color(matrix="14"), Color(transfer="9"), Color(primaries="22")])
def test_colours_that_cannot_be_handled_are_refused(color: Color) -> None:
    with pytest.raises(InvalidRequest, match=r"9|14|22") as caught:
        plan_of(spec_of(), source_with(color=color))
    assert caught.value.where == "input"


@pytest.mark.parametrize(
    ("codec", "width", "height"),
    [(Codec.HEVC, 40, 30), (Codec.AV1, 64, 14), (Codec.AV1, 64, 8706), (Codec.H264, 16386, 64)],
)
def test_a_picture_of_a_size_that_the_codec_has_not_is_refused(
    codec: Codec, width: int, height: int
) -> None:
    spec = spec_of("/out/a.mkv", ladder_of(rendition(codec=codec)))
    with pytest.raises(InvalidRequest, match=f"{width}x{height}") as caught:
        plan_of(spec, source_with(width=width, height=height))
    assert caught.value.where == "ladder.renditions[0].height"


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
