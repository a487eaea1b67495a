"""Processes of a real farm are killed; every job still completes, once, and nothing is left."""

from __future__ import annotations

from pathlib import Path

import psutil
import pytest

from tests.cluster.farms import QUICK, SLOW, STEADY, LocalFarm, leftovers, until
from tests.cluster.media import frame_times, make_clip

pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=15, size="640x360")


def attempts_of(farm: LocalFarm, job_id: str, kind: str) -> list[str | None]:
    job = farm.farm.get(job_id)
    return [a.outcome for task in job.tasks if task.kind == kind for a in task.attempts]


def test_a_killed_ffmpeg_is_tried_again(farm: LocalFarm, clip: Path, tmp_path: Path) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", STEADY)
    farm.encoding().kill()
    farm.completed(job.id)
    assert attempts_of(farm, job.id, "encode") == ["crashed", "succeeded"]
    assert frame_times(tmp_path / "out.mp4") == frame_times(clip)
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_a_killed_worker_takes_its_ffmpeg_along_and_is_replaced(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", STEADY)
    ffmpeg, worker = farm.encoding(), farm.worker()
    worker.kill()
    psutil.wait_procs([ffmpeg], timeout=2)
    assert not ffmpeg.is_running()
    farm.completed(job.id, 90)
    assert attempts_of(farm, job.id, "encode") == ["worker_lost", "succeeded"]
    assert frame_times(tmp_path / "out.mp4") == frame_times(clip)
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_a_killed_scheduler_comes_back_and_adopts_what_runs(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", STEADY)
    waiting = farm.submit(clip, tmp_path / "second.mp4", QUICK, queue="batch")
    ffmpeg, epoch = farm.encoding(), farm.farm.ready().epoch
    ffmpeg.suspend()  # so that it has not ended before the scheduler is back
    farm.scheduler().kill()
    until(lambda: (farm.farm.ready().epoch or 0) > (epoch or 0), 20)
    assert ffmpeg.is_running(), "what runs goes on"
    ffmpeg.resume()
    farm.completed(job.id)
    farm.completed(waiting.id)
    assert attempts_of(farm, job.id, "encode") == ["succeeded"]
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_another_scheduler_stands_by_and_takes_over_before_the_first_one_is_back(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    first = farm.scheduler()
    until(lambda: farm.farm.ready().standby, 60)
    second = [p.pid for p in farm.actors("SchedulerActor") if p.pid != first.pid]
    first.kill()
    job = farm.submit(clip, tmp_path / "out.mp4", QUICK)
    assert [farm.scheduler().pid] == second
    farm.completed(job.id)
    until(lambda: farm.farm.ready().standby, 60)
    assert len(farm.actors("SchedulerActor")) == 2


def test_progress_does_not_fall_back_when_the_scheduler_is_killed(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", SLOW)
    farm.encoding()
    task = until(lambda: [t for t in farm.farm.get(job.id).tasks if t.kind == "encode"])[0]
    until(lambda: [t for t in farm.farm.get(job.id).tasks if t.id == task.id and t.progress > 5])
    before, epoch = farm.farm.get(job.id).progress, farm.farm.ready().epoch
    farm.scheduler().kill()
    until(lambda: (farm.farm.ready().epoch or 0) > (epoch or 0), 20)
    now = farm.farm.get(job.id)
    assert now.state == "processing"
    assert before is not None
    assert now.progress is not None
    assert now.progress >= before
    farm.farm.cancel(job.id)


def gone(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_a_frozen_worker_is_lost_and_publishes_nothing_when_it_would_wake(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", STEADY)
    farm.encoding()
    worker = farm.worker()
    worker.suspend()
    until(lambda: gone(worker), 30)
    farm.completed(job.id, 90)
    assert attempts_of(farm, job.id, "encode") == ["worker_lost", "succeeded"]
    assert leftovers(farm.settings, tmp_path, job.id) == []


def test_a_paused_job_survives_the_loss_of_its_worker(
    farm: LocalFarm, clip: Path, tmp_path: Path
) -> None:
    job = farm.submit(clip, tmp_path / "out.mp4", SLOW)
    farm.encoding()
    until(lambda: farm.farm.get(job.id).state == "processing")
    farm.farm.pause(job.id)
    farm.worker().kill()
    until(lambda: any(worker.cpus for worker in farm.farm.workers()), 60)
    assert farm.farm.get(job.id).state == "paused"
    assert farm.ffmpegs() == []
    farm.farm.resume(job.id)
    farm.encoding()
    farm.farm.cancel(job.id)
