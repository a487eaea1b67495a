"""Which renditions of a ladder a source gets, of which size, and what their encodes need."""

from __future__ import annotations

import pytest

from ffrtmp_ray.media.plan import first_task, make_plan
from ffrtmp_ray.media.plan.payloads import (
    PlanPayload,
)
from ffrtmp_ray.media.presets import resolve
from ffrtmp_ray.media.spec import Codec, GpuUse, JobSpec
from ffrtmp_ray.settings import Settings
from tests.media.planning import (
    file_of,
    ladder_of,
    plan_of,
    rendition,
    sizes_of,
    source_with,
    spec_of,
    task_of,
)

# ------------------------------------------------------------------------------ renditions


def test_renditions_above_the_source_are_left_out_and_said() -> None:
    spec = resolve(JobSpec(input="/a", output="/out/f", preset="ladder-h264"))
    plan = plan_of(spec, source_with())
    assert sizes_of(plan) == [
        ("720p.mp4", 1280, 720), ("480p.mp4", 854, 480), ("360p.mp4", 640, 360),
    ]  # fmt: skip
    assert len(plan.warnings) == 1
    assert plan.warnings[0].startswith("1080p is left out")


def test_the_only_rendition_is_kept_at_the_sources_size() -> None:
    plan = plan_of(spec_of(ladder=ladder_of(rendition(height=1080))), source_with())
    assert sizes_of(plan) == [("", 1280, 720)]


def test_of_renditions_that_are_all_too_large_the_smallest_is_kept() -> None:
    ladder = ladder_of(rendition("a", height=2160), rendition("b", height=1080))
    plan = plan_of(spec_of("/out/f", ladder), source_with())
    assert sizes_of(plan) == [("b.mp4", 1280, 720)]


def test_a_rotated_source_is_measured_upright() -> None:
    plan = plan_of(spec_of(ladder=ladder_of(rendition(height=1080))), source_with(rotation=-90))
    assert sizes_of(plan) == [("", 608, 1080)]


def test_odd_sizes_become_even() -> None:
    plan = plan_of(spec_of(), source_with(width=321, height=181))
    assert sizes_of(plan) == [("", 320, 180)]


# ------------------------------------------------------------------------------ needs


def _alternatives(gpu: GpuUse, *codecs: Codec, cpus: int = 4) -> list[tuple[int, int, list[str]]]:
    ladder = ladder_of(*(rendition(codec.value, codec=codec) for codec in codecs))
    spec = spec_of("/out/f" if len(codecs) > 1 else "/out/a.mkv", ladder, gpu=gpu)
    work = PlanPayload.model_validate(first_task(spec, Settings(encode_cpus=cpus)).payload)
    plan = make_plan(work, source_with(), file_of(source_with()), "/b", farm_cpus=4)
    return [
        (each.resources.cpus, each.resources.gpu_sessions, sorted(each.capabilities))
        for each in task_of(plan, "encode0").needs.alternatives
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
        ladder = ladder_of(*(rendition(f"r{height}", height=height) for height in heights))
        spec = spec_of("/out/f" if len(heights) > 1 else "/out/a.mkv", ladder, gpu=GpuUse.REQUIRE)
        (way,) = task_of(plan_of(spec, source_with()), "encode0").needs.alternatives
        assert way.resources.gpu_sessions == len(heights)
        return way.resources.gpu_memory_mib

    assert memory(360) < memory(720) < memory(720, 360) < 1024


def test_a_required_gpu_is_the_only_way() -> None:
    assert _alternatives(GpuUse.REQUIRE, Codec.AV1) == [(1, 1, ["av1_nvenc"])]


def test_a_preferred_gpu_that_cannot_is_passed_over_and_that_is_said() -> None:
    assert all(gpus == 0 for _, gpus, _ in _alternatives(GpuUse.PREFER, Codec.VP9))
    spec = spec_of("/out/a.mkv", ladder_of(rendition(codec=Codec.VP9)), gpu=GpuUse.PREFER)
    assert "no GPU" in plan_of(spec, source_with()).warnings[0]


@pytest.mark.parametrize(("width", "height"), [(4098, 2160), (160, 90)])
def test_a_preferred_gpu_that_cannot_make_the_size_is_passed_over(width: int, height: int) -> None:
    plan = plan_of(spec_of(gpu=GpuUse.PREFER), source_with(width=width, height=height))
    needs = task_of(plan, "encode0").needs
    assert all(each.resources.gpu_sessions == 0 for each in needs.alternatives)
    assert "no GPU" in plan.warnings[0]
