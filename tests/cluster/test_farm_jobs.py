"""Jobs on a real farm: Ray, SQLite and ffmpeg, from submission to a file that plays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ffrtmp_ray.core.model import Queue
from ffrtmp_ray.errors import (
    Conflict,
    InputRefused,
    InvalidRequest,
    JobNotFound,
    OutputExists,
    OutputRefused,
    Problem,
    UnknownPreset,
    WorkerNotFound,
)
from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec, Effort, JobSpec, Ladder, Rendition
from ffrtmp_ray.views import JobDetail, JobView
from tests.cluster.farms import QUICK, SLOW, LocalFarm, leftovers, until
from tests.cluster.media import frame_times, make_clip, with_a_damaged_packet

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=2)


@pytest.fixture(scope="module")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough that SLOW is still at it when a test has looked."""
    path = tmp_path_factory.mktemp("clips") / "long.mp4"
    return make_clip(path, seconds=20, size="640x360")


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
    assert [task.kind for task in job.tasks] == ["plan", "encode", "audio", "finish", "publish"]


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


def test_jobs_of_a_batch_are_accepted_in_their_order_and_one_that_is_refused_costs_them_nothing(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    specs = [
        JobSpec(input=str(source), output=str(tmp_path / f"{number}.mp4"), ladder=QUICK)
        for number, source in enumerate([clip, tmp_path / "none.mp4", clip])
    ]

    first, refused, last = farm.farm.submit_many(specs)

    assert isinstance(refused, Problem)
    assert (refused.code, refused.where) == ("InputRefused", "input")
    assert isinstance(first, JobView)
    assert isinstance(last, JobView)
    assert [job.id for job in farm.farm.list()][:2] == [last.id, first.id]
    assert farm.completed(first.id).output == str(tmp_path / "0.mp4")
    assert farm.completed(last.id).output == str(tmp_path / "2.mp4")


def test_a_batch_that_is_too_large_is_refused_whole(farm: LocalFarm, clip: Path) -> None:
    spec = JobSpec(input=str(clip), output="/out.mp4", ladder=QUICK)
    with pytest.raises(InvalidRequest, match="send 1000 at most"):
        farm.farm.submit_many([spec] * 1001)


def test_what_a_job_depends_on_must_be_there(farm: LocalFarm, clip: Path, tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="there is no job nosuchjob") as refusal:
        farm.submit(clip, tmp_path / "out.mp4", depends_on=("nosuchjob",))
    assert refusal.value.where == "depends_on"


def test_a_job_waits_for_those_it_depends_on_and_for_its_time(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    (worker,) = farm.farm.workers()
    farm.farm.drain(worker.id)
    first = farm.submit(clip, tmp_path / "first.mp4")
    start = datetime.now(UTC) + timedelta(seconds=3)
    second = farm.submit(
        clip,
        tmp_path / "second.mp4",
        depends_on=(first.id,),
        not_before=start,
        deadline=start + timedelta(milliseconds=1),
        queue="live",
        priority="high",
    )
    assert second.depends_on == (first.id,)
    assert second.not_before == start.timestamp()
    assert not second.deadline_missed

    farm.farm.drain(worker.id, on=False)
    done = farm.completed(second.id)

    finished = farm.farm.get(first.id).finished_at
    assert finished is not None
    assert done.started_at is not None
    assert done.started_at >= max(finished, start.timestamp())
    assert done.deadline_missed


def test_a_waiting_job_is_given_another_place_and_other_labels(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    (worker,) = farm.farm.workers()
    farm.farm.drain(worker.id)
    jobs = [
        farm.submit(clip, tmp_path / f"{number}.mp4", queue="batch", labels={"show": "pilot"})
        for number in range(3)
    ]

    changed = farm.farm.change(jobs[2].id, queue=Queue.DEFAULT, labels={"season": "2"})

    assert (changed.queue, changed.labels) == ("default", {"season": "2"})
    listed = {job.id: job for job in farm.farm.list(queues=[Queue.DEFAULT])}
    assert listed[jobs[2].id].labels == {"season": "2"}
    farm.farm.drain(worker.id, on=False)
    done = [farm.completed(job.id) for job in jobs]
    plans = [placed_at(job, "plan") for job in done]
    assert plans[2] < plans[1], "a worker plans two at a time: it would have been the last"
    with pytest.raises(Conflict, match="completed"):
        farm.farm.change(jobs[2].id, queue=Queue.LIVE)
    with pytest.raises(JobNotFound):
        farm.farm.change("nosuchjob", queue=Queue.LIVE)


def test_logs_show_what_ffmpeg_printed(farm: LocalFarm, clip: Path, tmp_path: Path) -> None:
    job = farm.completed(farm.submit(clip, tmp_path / "out.mp4").id)
    logs = farm.farm.logs(job.id)
    assert any("encode" in entry.attempt for entry in logs)
    with pytest.raises(JobNotFound):
        farm.farm.logs("nosuchjob")


def test_an_urgent_job_takes_the_place_of_a_preemptible_one(
    farm: LocalFarm, clip: Path, long_clip: Path, tmp_path: Path
) -> None:
    slow = farm.submit(long_clip, tmp_path / "slow.mp4", SLOW, queue="batch")
    farm.encoding()
    urgent = farm.submit(clip, tmp_path / "urgent.mp4", urgent=True)
    farm.completed(urgent.id, 30)
    victim = farm.farm.get(slow.id)
    assert victim.state != "completed"
    outcomes = [attempt.outcome for task in victim.tasks for attempt in task.attempts]
    assert "preempted" in outcomes
    farm.farm.cancel(slow.id)


def test_a_job_that_needs_a_gpu_waits_and_says_so_while_others_pass(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    stuck = farm.submit(clip, tmp_path / "gpu.mp4", gpu="require", queue="live", priority="high")
    farm.completed(farm.submit(clip, tmp_path / "cpu.mp4", queue="batch", priority="low").id)
    waiting = farm.farm.get(stuck.id)
    assert waiting.state == "queued"
    assert waiting.waiting is not None
    assert "h264_nvenc" in waiting.waiting
    farm.farm.cancel(stuck.id)


def placed_at(job: JobDetail, kind: str) -> float:
    return next(task.attempts[0].placed_at for task in job.tasks if task.kind == kind)


def test_queue_and_priority_order_the_starts(
    farm: LocalFarm, clip: Path, long_clip: Path, tmp_path: Path
) -> None:
    blocker = farm.submit(long_clip, tmp_path / "all.mp4", SLOW, queue="live", preemptible=False)
    farm.encoding()
    classes = [
        (queue, priority)
        for queue in ("batch", "default", "live")
        for priority in ("low", "medium", "high")
    ]
    jobs = [
        farm.submit(clip, tmp_path / f"{queue}-{priority}.mp4", queue=queue, priority=priority)
        for queue, priority in classes
    ]
    until(lambda: all(encode_waits(farm.farm.get(job.id)) for job in jobs))
    farm.farm.cancel(blocker.id)
    done = [farm.completed(job.id, 90) for job in jobs]
    by_start = sorted(done, key=lambda job: placed_at(job, "encode"))
    assert [(job.queue, job.priority) for job in by_start] == classes[::-1]


def encode_waits(job: JobDetail) -> bool:
    return any(task.kind == "encode" and task.state == "ready" for task in job.tasks)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"input": "missing.mp4"}, InputRefused),
        ({"input": "."}, InputRefused),
        ({"input": "/etc/hostname"}, InputRefused),
        ({"output": "/etc/out.mp4"}, OutputRefused),
        ({"output": "taken.mp4"}, OutputExists),
        ({"output": "out.avi"}, InvalidRequest),
        ({"preset": "nosuch"}, UnknownPreset),
    ],
)
def test_what_is_wrong_is_refused_at_submit(
    farm: LocalFarm,
    clip: Path,
    tmp_path: Path,
    fields: dict[str, str],
    error: type[Exception],
) -> None:
    (tmp_path / "taken.mp4").touch()
    given = {"input": str(clip), "output": "out.mp4", "preset": "h264-480p"} | fields
    given |= {key: str(tmp_path / given[key]) for key in ("input", "output")}
    before = len(list(farm.farm.list()))
    with pytest.raises(error) as refusal:
        farm.farm.submit(**given)
    assert getattr(refusal.value, "where", None)
    assert len(list(farm.farm.list())) == before


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


def test_a_job_that_failed_with_what_it_depends_on_is_retried_after_it(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    first = farm.submit(clip, tmp_path / "first.mp4", SLOW)
    after = farm.submit(clip, tmp_path / "after.mp4", depends_on=(first.id,))
    farm.farm.cancel(first.id)
    ended = farm.farm.wait(after.id, timeout=20)
    assert ended.failure is not None
    assert ended.failure.kind == "dependency"
    with pytest.raises(Conflict, match="retry that one first"):
        farm.farm.retry(after.id)
    farm.farm.retry(first.id)
    farm.farm.retry(after.id)
    assert farm.farm.get(after.id).waiting == f"waits for other jobs: {first.id}"
    farm.farm.cancel(after.id)
    farm.farm.cancel(first.id)
