"""What a farm takes in, what it refuses, and in which order it does the rest."""

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
)
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.views import JobDetail, JobView
from tests.cluster.farms import QUICK, SLOW, LocalFarm, until

pytestmark = pytest.mark.timeout(180)


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
