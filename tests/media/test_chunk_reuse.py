"""A finished chunk is never encoded again: not by a retry, not by another job."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.assignment import Succeeded
from ffrtmp_ray.media.encode import address
from ffrtmp_ray.media.encode.address import address_of
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.payloads import EncodePayload
from ffrtmp_ray.media.spec import Codec, JobSpec, Rendition
from ffrtmp_ray.media.steps import encoding
from ffrtmp_ray.media.tasks import TaskRun
from ffrtmp_ray.media.toolbox import Toolbox
from tests.clips import Clips
from tests.media.frames import assert_same_frames
from tests.media.pipeline import (
    Outcome,
    assert_nothing_left,
    assert_published,
    assignment,
    encodes_of,
    failure_of,
    rendition,
    run_job,
    spec,
    tasks_of,
)


def _cut(clip: Path, output: Path, *renditions: Rendition) -> JobSpec:
    return spec(clip, output, *renditions).model_copy(update={"chunks": 2})


def _reused(outcome: Outcome) -> list[list[str]]:
    return [outcome.results[name]["reused"] for name in encodes_of(outcome)]


async def test_another_job_takes_the_chunks_of_the_first(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip, one, two = clips("plain.mp4"), out / "1.mp4", out / "2.mp4"
    first = await run_job(_cut(clip, one), toolbox, job="first")
    assert _reused(first) == [[], []]
    second = await run_job(_cut(clip, two), toolbox, job="second")
    assert _reused(second) == [["a"], ["a"]]
    assert_published(second, two)
    assert one.read_bytes() == two.read_bytes()
    assert_nothing_left(toolbox, out, one, two)


async def test_what_is_the_same_is_known_wherever_it_lies(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "copy.mp4"
    copy.write_bytes(clips("plain.mp4").read_bytes())
    await run_job(_cut(clips("plain.mp4"), out / "1.mp4"), toolbox, job="first")
    second = await run_job(_cut(copy, out / "2.mp4"), toolbox, job="second")
    assert _reused(second) == [["a"], ["a"]]


async def test_only_the_renditions_that_are_new_are_encoded(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip, small = clips("plain.mp4"), rendition("small", height=90)
    await run_job(_cut(clip, out / "1.mp4", small), toolbox, job="first")
    renamed = small.model_copy(update={"name": "tiny"})
    ladder = await run_job(_cut(clip, out / "2", renamed, rendition("b")), toolbox, job="second")
    assert _reused(ladder) == [["tiny"], ["tiny"]]
    assert_published(ladder, out / "2" / "tiny.mp4", out / "2" / "b.mp4")
    assert_same_frames(clip, out / "2" / "b.mp4")


async def test_a_retry_after_a_crash_takes_the_chunk_that_was_finished(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    """The worker died before it could say that it had finished, and its files were removed."""
    task = (await tasks_of(_cut(clips("plain.mp4"), out / "a.mp4"), toolbox))["encode1"]
    finished = await TaskRun(assignment(task, {}), toolbox).run()
    assert isinstance(finished, Succeeded)
    toolbox.workspace.remove_job("job")
    again = await TaskRun(assignment(task, {}), toolbox).run()
    assert isinstance(again, Succeeded)
    assert again.result == {**finished.result, "reused": ["a"]}


async def test_a_kept_chunk_that_is_broken_is_made_anew(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip = clips("plain.mp4")
    await run_job(_cut(clip, out / "1.mp4"), toolbox, job="first")
    for kept in toolbox.chunks.root.glob("*/*"):
        content = kept.read_bytes()
        kept.unlink()
        kept.write_bytes(content[: len(content) // 2])
    second = await run_job(_cut(clip, out / "2.mp4"), toolbox, job="second")
    assert _reused(second) == [[], []]
    assert_same_frames(clip, out / "2.mp4")


async def test_what_is_not_cut_is_not_kept(toolbox: Toolbox, clips: Clips, out: Path) -> None:
    await run_job(spec(clips("plain.mp4"), out / "a.mp4"), toolbox)
    assert not toolbox.chunks.root.exists()


async def test_a_source_that_is_changed_meanwhile_is_no_source(
    toolbox: Toolbox, clips: Clips, out: Path, tmp_path: Path
) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(clips("plain.mp4").read_bytes())
    task = (await tasks_of(_cut(clip, out / "a.mp4"), toolbox))["encode1"]
    os.utime(clip, (1, 1))
    kind, reason = failure_of(await TaskRun(assignment(task, {}), toolbox).run())
    assert kind is FailureKind.BAD_INPUT
    assert "changed while the job ran" in reason
    assert not toolbox.chunks.root.exists()


async def test_a_full_disk_gets_the_room_of_what_is_kept(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = clips("plain.mp4")
    await run_job(_cut(clip, out / "1.mp4"), toolbox, job="first")
    build = encoding.video_argv

    def full(*args: Any, **options: Any) -> list[str]:
        *argv, _ = build(*args, **options)
        return [*argv, "/dev/full"]

    monkeypatch.setattr(encoding, "video_argv", full)
    other = _cut(clip, out / "2.mp4", rendition(crf=31))
    kind, _ = failure_of((await run_job(other, toolbox, job="second")).last)
    assert kind is FailureKind.OUT_OF_DISK
    assert not [path for path in toolbox.chunks.root.rglob("*") if path.is_file()]


# ------------------------------------------------------------------------------ addresses


async def _payload(toolbox: Toolbox, clip: Path, out: Path, **fields: Any) -> EncodePayload:
    tasks = await tasks_of(_cut(clip, out / "a.mp4", rendition(**fields)), toolbox)
    return EncodePayload.model_validate(tasks["encode1"].payload)


def _address(payload: EncodePayload, version: str = "n7.1", *, gpu: bool = False) -> str:
    output: OutputWork = payload.video.outputs[0]
    return address_of(payload.input.fingerprint, payload.video, output, version, gpu=gpu)


async def test_an_address_says_all_that_a_chunk_is(
    toolbox: Toolbox, clips: Clips, out: Path
) -> None:
    clip = clips("plain.mp4")
    payload = await _payload(toolbox, clip, out)
    same = await _payload(toolbox, clip, out, name="other")
    others = [
        await _payload(toolbox, clip, out, crf=31),
        await _payload(toolbox, clip, out, height=90),
        await _payload(toolbox, clips("rotated.mp4"), out),
        await _payload(toolbox, clips("stream.ts"), out),
    ]
    addresses = [_address(each) for each in others]
    addresses += [_address(payload, "n8"), _address(payload, gpu=True)]
    assert _address(same) == _address(payload)
    assert len({_address(payload), *addresses}) == 1 + len(addresses)


async def test_an_address_says_how_a_chunk_that_exceeds_its_bitrate_is_encoded_again(
    toolbox: Toolbox, clips: Clips, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip, fields = clips("plain.mp4"), {"codec": Codec.VP9, "crf": 30}
    bounded = await _payload(toolbox, clip, out, **fields, max_bitrate=500_000)
    free = await _payload(toolbox, clip, out, **fields)
    before = _address(bounded), _address(free)
    monkeypatch.setattr(address, "RULE", (5,))
    assert _address(bounded) != before[0]
    assert _address(free) == before[1]
