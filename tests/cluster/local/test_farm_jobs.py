"""Jobs on a real farm: Ray, SQLite and ffmpeg, from submission to a file that plays."""

from __future__ import annotations

from pathlib import Path

import pytest

from ffrtmp_ray.errors import (
    Conflict,
    JobNotFound,
    WorkerNotFound,
)
from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec, Effort, Ladder, Rendition
from ffrtmp_ray.media.spec.burn import Burn
from ffrtmp_ray.views import JobDetail
from tests.cluster.farms import QUICK, SLOW, LocalFarm, leftovers, until
from tests.cluster.media import frame_times, make_clip, with_a_damaged_packet

pytestmark = pytest.mark.timeout(180)


def test_a_job_completes_with_every_frame_of_its_source(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    job = farm.completed(farm.submit(clip, target, labels={"show": "pilot"}).id)
    assert frame_times(target) == frame_times(clip)
    assert [output.path for output in job.outputs] == [str(target)]
    assert job.progress == 100
    assert job.labels == {"show": "pilot"}
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_its_states_are_kept_with_times_and_reasons(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4").id)
    path = [transition.target for transition in job.transitions]
    assert path[0] == "pending"
    assert path[-1] == "completed"
    assert "processing" in path
    times = [transition.at for transition in job.transitions]
    assert times == sorted(times)
    assert all(transition.reason for transition in job.transitions)
    assert [task.kind for task in job.tasks] == ["plan", "encode", "publish"]


def _encodes(job: JobDetail) -> list[str]:
    return [task.id.removeprefix(f"{job.id}-") for task in job.tasks if task.kind == "encode"]


def test_a_picture_in_chunks_has_every_frame_of_its_source(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.mp4"
    job = farm.completed(farm.submit(clip, target, chunks=3).id)
    assert _encodes(job) == ["encode0", "encode1", "encode2"]
    assert frame_times(target) == frame_times(clip)
    assert job.warnings == ()


def test_a_job_whose_chunks_are_not_exact_is_made_in_one_piece_and_says_so(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    damaged = with_a_damaged_packet(clip, tmp_path / "damaged.mp4", 40)
    job = farm.completed(farm.submit(damaged, tmp_path / "out.mp4", chunks=2).id)
    assert _encodes(job) == ["encode0", "encode1", "encode0-p1"]
    assert job.warnings[0].startswith("inexact: the chunk at 1.000 s is not exact")
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_a_long_picture_is_encoded_on_all_cpus_at_once(
    farm: LocalFarm, long_clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(long_clip, tmp_path / "out.mp4", SLOW)
    until(lambda: len(farm.encodings()) == 2)
    assert _encodes(farm.farm.get(job.id)) == ["encode0", "encode1"]
    farm.farm.cancel(job.id)


def test_a_job_that_asks_for_it_has_its_quality_measured(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    asked = {"chunks": 2, "quality": ["vmaf"]}
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4", **asked).id)
    assert [task.name for task in job.tasks if task.kind == "measure"] == ["measure0", "measure1"]
    (score,) = job.quality
    assert (score.measure, score.frames) == ("vmaf", len(frame_times(clip)))
    assert 0 < score.percentile_1 <= score.harmonic_mean <= score.mean <= 100


def test_a_job_with_a_target_is_planned_once_its_crf_is_found(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    wanted = Rendition(name="a", codec=Codec.H264, target_vmaf=80, effort=Effort.FAST)
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4", Ladder(renditions=(wanted,))).id)
    names = [task.name for task in job.tasks]
    assert names[:4] == ["plan", "tune0", "plan-tuned", "encode0"]
    (found,) = job.tuned
    assert (found.rendition, found.target_vmaf) == ("a", 80)
    assert found.crf in {probe.crf for probe in found.probes}
    assert frame_times(tmp_path / "out.mp4") == frame_times(clip)


def test_a_job_with_text_to_burn_in_is_planned_once_that_is_ready(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    text = tmp_path / "text.srt"
    text.write_text("1\n00:00:00,000 --> 00:00:01,000\nHello\n")
    wanted = {"chunks": 2, "burn": Burn(file=str(text))}
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4", QUICK, **wanted).id)
    names = [task.name for task in job.tasks]
    assert names[:5] == ["plan", "burn", "plan-burned", "encode0", "encode1"]
    assert not job.warnings
    assert frame_times(tmp_path / "out.mp4") == frame_times(clip)


def test_a_ladder_of_several_renditions_makes_a_folder(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    ladder = Ladder(
        renditions=(
            Rendition(name="h264", codec=Codec.H264, height=90, crf=35, effort=Effort.FAST),
            Rendition(name="vp9", codec=Codec.VP9, height=60, crf=40, effort=Effort.FAST),
        ),
        audio=Audio(codec=AudioCodec.AAC),
    )
    target = tmp_path / "rungs"
    job = farm.completed(farm.submit(clip, target, ladder).id)
    assert sorted(path.name for path in target.iterdir()) == ["h264.mp4", "vp9.mp4"]
    assert {output.video for output in job.outputs} == {"h264 160x90", "vp9 106x60"}


def test_progress_rises_and_is_full_only_at_the_end(
    farm: LocalFarm, long_clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(long_clip, tmp_path / "out.mp4", QUICK)
    seen = list(farm.farm.watch(job.id))
    percents = [view.progress for view in seen if view.progress is not None]
    assert percents == sorted(percents)
    assert all(view.progress != 100 for view in seen if view.state != "completed")
    assert seen[-1].progress == 100


def test_a_paused_job_stops_its_ffmpeg_and_goes_on_where_it_stood(
    farm: LocalFarm, long_clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(long_clip, tmp_path / "out.mp4", SLOW)
    ffmpeg = farm.encoding()
    until(lambda: farm.farm.get(job.id).state == "processing")
    assert farm.farm.pause(job.id).state == "paused"
    until(lambda: ffmpeg.status() == "stopped", 2)
    assert farm.farm.resume(job.id).state != "paused"
    until(lambda: ffmpeg.status() != "stopped", 2)
    assert farm.encoding().pid == ffmpeg.pid
    farm.farm.cancel(job.id)


def test_a_canceled_job_ends_its_ffmpeg_and_leaves_nothing(
    farm: LocalFarm, long_clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(long_clip, tmp_path / "out.mp4", SLOW)
    farm.encoding()
    assert farm.farm.cancel(job.id).state == "canceled"
    until(lambda: not farm.ffmpegs(), 2)
    until(lambda: not leftovers(farm.settings, tmp_path, job.id), 5)
    with pytest.raises(Conflict):
        farm.farm.cancel(job.id)
    assert not (tmp_path / "out.mp4").exists()


def test_a_canceled_job_can_be_retried(farm: LocalFarm, clip: Path, tmp_path: Path) -> None:
    worker = farm.farm.workers()[0]
    farm.farm.drain(worker.id)
    job = farm.submit(clip, tmp_path / "out.mp4")
    with pytest.raises(Conflict):
        farm.farm.retry(job.id)
    assert farm.farm.cancel(job.id).state == "canceled"
    assert farm.farm.retry(job.id).state in ("pending", "queued")
    farm.farm.drain(worker.id, on=False)
    farm.completed(job.id)
    with pytest.raises(Conflict):
        farm.farm.retry(job.id)
    with pytest.raises(JobNotFound):
        farm.farm.retry("nosuchjob")


def test_a_drained_worker_finishes_what_it_has_and_is_given_nothing_new(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    source = make_clip(tmp_path / "source.mp4", seconds=6, size="640x360")
    running = farm.submit(source, tmp_path / "running.mp4", SLOW)
    farm.encoding()
    (worker,) = farm.farm.workers()

    drained = farm.farm.drain(worker.id)
    later = farm.submit(clip, tmp_path / "later.mp4", urgent=True)

    assert (drained.state, drained.jobs) == ("draining", (running.id,))
    until(lambda: not farm.farm.workers()[0].jobs, 60)
    outcomes = [a.outcome for task in farm.farm.get(running.id).tasks for a in task.attempts]
    assert set(outcomes) == {"succeeded"}
    assert not (tmp_path / "running.mp4").exists()
    assert farm.farm.get(later.id).state == "pending"
    assert farm.farm.drain(worker.id, on=False).state == "ready"
    farm.completed(running.id)
    farm.completed(later.id)


def test_draining_a_worker_that_is_not_there_says_so(farm: LocalFarm) -> None:
    with pytest.raises(WorkerNotFound):
        farm.farm.drain("worker-none")


def test_logs_show_what_ffmpeg_printed(farm: LocalFarm, clip: Path, tmp_path: Path) -> None:
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4").id)
    logs = farm.farm.logs(job.id)
    assert any("encode" in entry.attempt for entry in logs)
    with pytest.raises(JobNotFound):
        farm.farm.logs("nosuchjob")


@pytest.mark.parametrize("content", [b"no video at all\n" * 100, b"", bytes(range(256)) * 64])
def test_what_is_no_video_fails_with_a_reason(
    farm: LocalFarm, tmp_path: Path, content: bytes
) -> None:
    source = tmp_path / "text.mp4"
    source.write_bytes(content)
    job = farm.farm.wait(farm.submit(source, tmp_path / "out.mp4").id, timeout=30)
    assert job.state == "failed"
    assert job.failure is not None
    assert job.failure.kind == "bad_input"
    assert len(job.tasks[0].attempts) == 1, "bad input is not tried again"
    assert not (tmp_path / "out.mp4").exists()
