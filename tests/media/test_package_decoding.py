"""Full verification decodes every frame and every sample of what is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Failed
from ffrtmp_ray.media.package.decoding import decode_argv
from ffrtmp_ray.media.plan.payloads import AudioPayload, EncodePayload
from ffrtmp_ray.media.spec import Verify
from ffrtmp_ray.media.steps.decoding import undecodable
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.pipeline import assignment, spec, tasks_of


def test_the_command_line_reads_one_local_file_and_ends_at_an_error() -> None:
    assert decode_argv("ffmpeg", Path("/w/a.mp4"), 2) == [
        *("ffmpeg", "-nostdin", "-hide_banner", "-loglevel", "level+warning"),
        *("-nostats", "-progress", "pipe:1", "-xerror"),
        *("-threads", "2", "-err_detect", "explode"),
        *("-protocol_whitelist", "file", "-f", "mov", "-i", "/w/a.mp4"),
        *("-map", "0", "-fps_mode", "passthrough", "-f", "null", "-"),
    ]


async def test_it_is_asked_of_all_encodes_and_sounds(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    job = spec(clips("plain.mp4"), out / "a.mp4").model_copy(
        update={"verify": Verify.FULL, "chunks": 2}
    )
    tasks = await tasks_of(job, toolbox)
    for name in ("encode0", "encode1"):
        assert EncodePayload.model_validate(tasks[name].payload).verify is Verify.FULL
    assert AudioPayload.model_validate(tasks["audio0"].payload).verify is Verify.FULL


@pytest.fixture
async def step(toolbox: Toolbox, clips: Clips, out: Path) -> Step:
    tasks = await tasks_of(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    return Step(assignment(tasks["encode0"], {}), toolbox)


async def test_a_damaged_packet_is_found_wherever_it_is(
    step: Step, clips: Clips, tmp_path: Path
) -> None:
    content = bytearray(clips("silent.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + 400] = b"\xff" * 400
    damaged = tmp_path / "damaged.mp4"
    damaged.write_bytes(content)
    ended = await undecodable(step, damaged, 50)
    assert isinstance(ended, Failed)
    assert ended.failure.kind is FailureKind.INEXACT
    assert ended.failure.reason.startswith("damaged.mp4 ")


async def test_a_frame_that_does_not_come_out_is_found(step: Step, clips: Clips) -> None:
    assert await undecodable(step, clips("silent.mp4"), 50) is None
    ended = await undecodable(step, clips("silent.mp4"), 51)
    assert isinstance(ended, Failed)
    assert ended.failure.reason == "silent.mp4 has 51 frames, of which 50 can be decoded"
