"""Finished jobs that are removed: which, with all that belongs to them, and nothing else."""

from __future__ import annotations

import pytest

from ffrtmp_ray.core.messages import ResultAdded
from ffrtmp_ray.core.model import Job, JobState
from ffrtmp_ray.errors import Superseded
from ffrtmp_ray.store.protocol import FinishedJob, JobQuery, Store
from tests.store.samples import added, attempt, job, task


def over(number: int, state: JobState = JobState.COMPLETED) -> Job:
    """A job that ended a hundred seconds after it was submitted."""
    return job(number, state, finished_at=1_000_100.0 + number)


def fill(store: Store, epoch: int, jobs: list[Job]) -> None:
    for each in jobs:
        plan = task(each)
        ended_at = None if each.finished_at is None else each.finished_at - 1
        store.commit(epoch, added(each, plan, attempt(plan, ended_at=ended_at)))
        store.commit(epoch, [ResultAdded(plan.id, {"chunks": 1})])


def names(found: list[FinishedJob]) -> list[str]:
    return [each.job_id for each in found]


def test_jobs_that_ended_long_enough_ago_are_found_oldest_first(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(5), over(1, JobState.FAILED), over(3, JobState.CANCELED), job(2)])
    assert names(store.finished(1_000_105.0, 10, set())) == ["job1", "job3"]
    assert names(store.finished(1_000_200.0, 2, set())) == ["job1", "job3"]
    assert store.finished(1_000_101.0, 10, set()) == []
    (first,) = store.finished(1_000_200.0, 1, set())
    assert first.attempts == {attempt(task(over(1))).id}


def test_jobs_that_others_need_are_passed_over(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(number) for number in range(1, 6)])
    assert names(store.finished(2e6, 2, {"job1", "job3", "job9"})) == ["job2", "job4"]


def test_a_job_with_an_attempt_that_still_stops_is_passed_over(store: Store, epoch: int) -> None:
    stopping = over(1, JobState.CANCELED)
    store.commit(epoch, added(stopping, task(stopping), attempt(task(stopping))))
    assert store.finished(2e6, 10, set()) == []


def test_all_rows_of_removed_jobs_go_and_the_others_stay(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(1), over(2), job(3)])
    kept = store.job("job2"), store.job("job3")

    store.remove(epoch, ["job1", "unknown"])

    assert store.job("job1") is None
    assert store.logs("job1") == []
    assert store.inputs([task(job(1)).id]) == {}
    assert (store.job("job2"), store.job("job3")) == kept
    assert [each.job.id for each in store.jobs(JobQuery()).jobs] == ["job3", "job2"]
    loaded = store.load()
    assert loaded.counts == {JobState.COMPLETED: 1, JobState.PENDING: 1}
    assert loaded.snapshot.jobs == (job(3),)


def test_removal_takes_no_number_back(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(7)])
    before = store.load()
    store.remove(epoch, ["job7"])
    after = store.load()
    assert (after.last_order, after.last_time) == (before.last_order, before.last_time)


def test_a_removed_job_s_id_may_be_used_again(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(1)])
    store.remove(epoch, ["job1"])
    fill(store, epoch, [job(1)])
    assert store.load().snapshot.tasks == (task(job(1)),)


def test_a_job_that_has_not_ended_is_never_removed(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(1), job(2)])
    with pytest.raises(ValueError, match="job2 has not ended"):
        store.remove(epoch, ["job1", "job2"])
    assert store.job("job1") is not None


def test_a_superseded_scheduler_removes_nothing(store: Store, epoch: int) -> None:
    fill(store, epoch, [over(1)])
    store.take_epoch("here", "1.0")
    with pytest.raises(Superseded):
        store.remove(epoch, ["job1"])
    assert store.job("job1") is not None
