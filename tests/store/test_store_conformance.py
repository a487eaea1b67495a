"""What every store does with the changes that it is given."""

from __future__ import annotations

import math
from collections.abc import Sequence
from threading import Thread
from typing import Any

import pytest
from msgspec.structs import fields, replace

from ffrtmp_ray.core.messages import (
    AttemptAdded,
    AttemptChanged,
    Change,
    JobAdded,
    JobChanged,
    LabelsChanged,
    ResultAdded,
    TaskAdded,
    TaskChanged,
    WorkerAdded,
    WorkerChanged,
    WorkerRemoved,
)
from ffrtmp_ray.core.model import Document, JobState, TaskState
from ffrtmp_ray.store.protocol import JobQuery, JobRecord, Store, TaskInput
from tests.store.backends import NEVER, Open
from tests.store.samples import (
    FULL_ATTEMPT,
    FULL_JOB,
    FULL_TASK,
    FULL_WORKER,
    SPEC,
    added,
    attempt,
    job,
    joined,
    task,
    transition,
    worker,
)


@pytest.mark.parametrize("value", [FULL_JOB, FULL_TASK, FULL_ATTEMPT, FULL_WORKER])
def test_the_full_samples_leave_no_field_at_its_default(value: Any) -> None:
    # Else a field that is not stored would come back right by luck.
    assert [f.name for f in fields(value) if getattr(value, f.name) == f.default] == []


def test_everything_of_a_job_comes_back_as_it_was(store: Store, epoch: int) -> None:
    store.commit(epoch, added(FULL_JOB, FULL_TASK, FULL_ATTEMPT))
    store.commit(epoch, [ResultAdded(FULL_TASK.id, {"files": ["a.mp4"], "frames": 250})])

    assert store.job(FULL_JOB.id) == JobRecord(
        job=FULL_JOB,
        spec=SPEC,
        tasks=(FULL_TASK,),
        results={FULL_TASK.id: {"files": ["a.mp4"], "frames": 250}},
        attempts=(FULL_ATTEMPT,),
        transitions=(transition(FULL_JOB),),
    )


def test_a_worker_comes_back_as_it_was(store: Store, epoch: int) -> None:
    store.commit(epoch, joined(FULL_WORKER, worker()))
    assert set(store.load().snapshot.workers) == {FULL_WORKER, worker()}


def test_what_was_committed_is_there_for_the_next_scheduler(
    opened: Open, store: Store, epoch: int
) -> None:
    store.commit(epoch, [*added(job(1), task(job(1))), *joined(worker())])
    store.close()

    snapshot = opened(NEVER).load().snapshot

    assert snapshot.jobs == (job(1),)
    assert snapshot.tasks == (task(job(1)),)
    assert snapshot.workers == (worker(),)


def test_an_unknown_job_has_no_record_and_no_logs(store: Store, epoch: int) -> None:
    store.commit(epoch, added(job(1)))
    assert store.job("job2") is None
    assert store.logs("job2") == []


def test_an_empty_commit_is_one(store: Store, epoch: int) -> None:
    store.commit(epoch, [])
    assert store.load().snapshot.jobs == ()


def test_the_later_version_of_a_row_wins_within_a_commit(store: Store, epoch: int) -> None:
    first, plan = job(1), task(job(1))
    queued, running = (replace(first, state=s) for s in (JobState.QUEUED, JobState.PROCESSING))
    store.commit(
        epoch,
        [
            *added(first, plan, attempt(plan)),
            JobChanged(queued),
            TaskChanged(replace(plan, state=TaskState.PLACED)),
            JobChanged(running),
            TaskChanged(replace(plan, state=TaskState.RUNNING)),
            AttemptChanged(attempt(plan, started_at=1_000_102.0)),
        ],
    )
    record = store.job(first.id)
    assert record is not None
    assert record.job == running
    assert record.tasks == (replace(plan, state=TaskState.RUNNING),)
    assert record.attempts == (attempt(plan, started_at=1_000_102.0),)


def test_a_later_commit_changes_rows_and_leaves_the_others(store: Store, epoch: int) -> None:
    store.commit(epoch, [*added(job(1)), *added(job(2))])
    store.commit(epoch, [JobChanged(job(1, held=True)), JobChanged(job(1, urgent=True))])
    assert store.load().snapshot.jobs == (job(1, urgent=True), job(2))


def test_a_job_s_tasks_attempts_and_transitions_keep_the_order_of_their_addition(
    store: Store, epoch: int
) -> None:
    one = job(1)
    tasks = [task(one, name) for name in ("plan", "encode10", "encode9", "audio")]
    tries = [attempt(tasks[0], n) for n in (1, 2, 10)]
    store.commit(epoch, added(one, *tasks[:2], *tries[:2]))
    changed = replace(one, state=JobState.QUEUED)
    store.commit(epoch, [TaskAdded(tasks[2], {}), TaskAdded(tasks[3], {}), AttemptAdded(tries[2])])
    # The audit trail shows the order of events, whatever their times say.
    earlier = transition(changed, source=JobState.PENDING, at=one.submitted_at - 5)
    store.commit(epoch, [JobChanged(changed), earlier])

    record = store.job(one.id)

    assert record is not None
    assert record.tasks == tuple(tasks)
    assert record.attempts == tuple(tries)
    assert record.transitions == (transition(one), earlier)


def test_a_document_is_kept_as_it_was_when_it_was_committed(store: Store, epoch: int) -> None:
    spec = {"labels": {"a": "b"}}
    store.commit(epoch, [JobAdded(job(1), spec)])
    spec["labels"]["a"] = "changed since"
    record = store.job("job1")
    assert record is not None
    assert record.spec == {"labels": {"a": "b"}}


def test_new_labels_replace_the_old_ones_and_leave_the_rest_of_the_spec(
    store: Store, epoch: int
) -> None:
    one = job(1)
    store.commit(epoch, [*added(one), *added(job(2))])
    store.commit(epoch, [LabelsChanged(one.id, {"title": "first"}), JobChanged(one)])
    store.commit(
        epoch, [LabelsChanged(one.id, {"title": "x"}), LabelsChanged(one.id, {"reel": "Zürich"})]
    )
    assert spec_of(store, one.id) == SPEC | {"labels": {"reel": "Zürich"}}
    assert spec_of(store, "job2") == SPEC
    assert store.jobs(JobQuery()).jobs[1].spec == SPEC | {"labels": {"reel": "Zürich"}}
    store.commit(epoch, [LabelsChanged(one.id, {})])
    assert spec_of(store, one.id) == SPEC | {"labels": {}}


def test_a_job_may_be_added_and_labelled_in_one_commit(store: Store, epoch: int) -> None:
    spec = {"input": "in.mp4"}
    store.commit(epoch, [JobAdded(job(1), spec), LabelsChanged("job1", {"title": "new"})])
    assert spec_of(store, "job1") == {"input": "in.mp4", "labels": {"title": "new"}}
    assert spec == {"input": "in.mp4"}


def test_a_removed_worker_is_gone_and_its_attempts_stay(store: Store, epoch: int) -> None:
    one = job(1)
    store.commit(epoch, [*joined(worker(), worker("b")), *added(one, task(one))])
    store.commit(epoch, [AttemptAdded(attempt(task(one)))])
    store.commit(epoch, [WorkerChanged(worker(draining=True)), WorkerRemoved("worker-a")])

    loaded = store.load().snapshot

    assert loaded.workers == (worker("b"),)
    assert loaded.attempts == (attempt(task(one)),)


def test_removing_a_worker_again_does_nothing(store: Store, epoch: int) -> None:
    store.commit(epoch, [*joined(worker("b")), WorkerAdded(worker()), WorkerRemoved("worker-a")])
    store.commit(epoch, [WorkerRemoved("worker-a")])
    assert store.load().snapshot.workers == (worker("b"),)


def test_a_task_gets_its_payload_and_the_results_that_it_waits_for_by_name(
    store: Store, epoch: int
) -> None:
    one = job(1)
    plan, audio = task(one), task(one, "audio", waits_for=frozenset({"job1-plan"}))
    encode = task(one, "encode0", waits_for=frozenset({"job1-plan"}))
    finish = task(one, "finish", waits_for=frozenset({encode.id, audio.id}))
    store.commit(epoch, added(one, plan, audio, encode, finish))
    store.commit(epoch, [ResultAdded(plan.id, {"chunks": 1}), ResultAdded(encode.id, {})])

    given = store.inputs([finish.id, encode.id, plan.id, "job1-unknown"])

    assert given == {
        plan.id: TaskInput({"task": "plan"}),
        encode.id: TaskInput({"task": "encode0"}, {"plan": {"chunks": 1}}),
        # What its predecessors waited for is not handed on, and audio has no result yet.
        finish.id: TaskInput({"task": "finish"}, {"encode0": {}}),
    }


def test_a_task_may_wait_for_thousands_of_others(store: Store, epoch: int) -> None:
    one = job(1)
    chunks = [task(one, f"encode{n}") for n in range(2500)]
    finish = task(one, "finish", waits_for=frozenset(chunk.id for chunk in chunks))
    results = [ResultAdded(chunk.id, {"frames": n}) for n, chunk in enumerate(chunks)]
    store.commit(epoch, [*added(one, *chunks, finish), *results])

    given = store.inputs([finish.id])[finish.id]

    assert given.results == {f"encode{n}": {"frames": n} for n in range(2500)}


def test_logs_are_those_of_ended_attempts_oldest_first(store: Store, epoch: int) -> None:
    one, other = job(1), job(2)
    plan = task(one)
    tries = [attempt(plan, n) for n in (9, 10, 11)]
    store.commit(epoch, [*added(one, plan, *tries), *added(other, task(other))])
    ended = [replace(each, ended_at=1_000_200.0) for each in tries]
    store.commit(epoch, [AttemptChanged(ended[1], log="second\n")])
    store.commit(epoch, [AttemptChanged(ended[0], log="first: é\n"), AttemptChanged(ended[0])])

    assert store.logs(one.id) == [(tries[0].id, "first: é\n"), (tries[1].id, "second\n")]
    assert store.logs(other.id) == []


class TestLoad:
    def test_brings_unfinished_jobs_with_their_tasks_and_attempts_that_go_on(
        self, store: Store, epoch: int
    ) -> None:
        going, plan, encode = job(2), task(job(2)), task(job(2), "encode0")
        ended = attempt(plan, 1, ended_at=1_000_110.0, outcome="succeeded")
        over = job(1, JobState.COMPLETED)
        store.commit(epoch, added(over, task(over), attempt(task(over), ended_at=1_000_105.0)))
        store.commit(epoch, added(going, plan, encode, ended, attempt(encode)))

        snapshot = store.load().snapshot

        assert snapshot.jobs == (going,)
        assert snapshot.tasks == (plan, encode)
        assert snapshot.attempts == (attempt(encode),)

    def test_brings_what_still_stops_of_finished_jobs(self, store: Store, epoch: int) -> None:
        over = job(1, JobState.CANCELED)
        stopping, done = task(over, "encode0", state=TaskState.STOPPING), task(over, "plan")
        store.commit(epoch, added(over, done, stopping, attempt(stopping)))

        snapshot = store.load().snapshot

        assert snapshot.jobs == ()
        assert snapshot.tasks == (stopping,)
        assert snapshot.attempts == (attempt(stopping),)

    def test_counts_all_jobs_by_state(self, store: Store, epoch: int) -> None:
        states = [JobState.COMPLETED, JobState.COMPLETED, JobState.FAILED, JobState.QUEUED]
        for number, state in enumerate(states):
            store.commit(epoch, added(job(number, state)))
        assert store.load().counts == {
            JobState.COMPLETED: 2,
            JobState.FAILED: 1,
            JobState.QUEUED: 1,
        }

    def test_tells_the_last_order_and_time_of_finished_jobs_too(
        self, store: Store, epoch: int
    ) -> None:
        assert (store.load().last_order, store.load().last_time) == (0, 0.0)
        store.commit(epoch, added(job(9, JobState.COMPLETED)))
        store.commit(epoch, added(job(3)))
        assert (store.load().last_order, store.load().last_time) == (9, 1_000_009.0)

    @pytest.mark.parametrize(
        "change",
        [
            JobChanged(job(1, started_at=1_000_500.0)),
            JobChanged(job(1, paused_at=1_000_500.0)),
            JobChanged(job(1, finished_at=1_000_500.0)),
            transition(job(1), at=1_000_500.0),
            AttemptAdded(attempt(task(job(1)), placed_at=1_000_500.0)),
            AttemptAdded(attempt(task(job(1)), started_at=1_000_500.0)),
            AttemptAdded(attempt(task(job(1)), ended_at=1_000_500.0)),
        ],
        ids=lambda change: type(change).__name__,
    )
    def test_takes_every_moment_for_a_time(self, store: Store, epoch: int, change: Change) -> None:
        store.commit(epoch, added(job(1), task(job(1))))
        store.commit(epoch, [change])
        store.commit(epoch, [JobChanged(job(1))])
        assert store.load().last_time == 1_000_500.0

    def test_does_not_take_a_plan_for_the_future_for_a_time(self, store: Store, epoch: int) -> None:
        store.commit(epoch, added(job(1), task(job(1), not_before=2_000_000.0)))
        assert store.load().last_time == job(1).submitted_at


STORED = [*added(job(1), task(job(1)), attempt(task(job(1)))), *joined(worker())]
CONTRADICTIONS: dict[str, Sequence[Change]] = {
    "job added twice": [JobAdded(job(1), {})],
    "job added twice at once": [JobAdded(job(2), {}), JobAdded(job(2), {})],
    "order given twice": [JobAdded(job(1, id="other"), {})],
    "order given twice at once": [JobAdded(job(2), {}), JobAdded(job(2, id="other"), {})],
    "unknown job changed": [JobChanged(job(2))],
    "unknown job labelled": [LabelsChanged("job2", {})],
    "unknown job transitioned": [transition(job(2))],
    "task added twice": [TaskAdded(task(job(1)), {})],
    "task of an unknown job": [TaskAdded(task(job(2)), {})],
    "unknown task changed": [TaskChanged(task(job(1), "audio"))],
    "result of an unknown task": [ResultAdded("job1-audio", {})],
    "attempt added twice": [AttemptAdded(attempt(task(job(1))))],
    "attempt at an unknown task": [AttemptAdded(attempt(task(job(1), "audio")))],
    "unknown attempt changed": [AttemptChanged(attempt(task(job(1)), 2))],
    "worker added twice": [WorkerAdded(worker())],
    "unknown worker changed": [WorkerChanged(worker("b"))],
    "removed worker changed": [WorkerRemoved("worker-a"), WorkerChanged(worker())],
    "removed worker added": [WorkerRemoved("worker-a"), WorkerAdded(worker())],
    "a time that is no number": [JobChanged(job(1, started_at=math.nan))],
    "an endless time": [TaskChanged(task(job(1), not_before=math.inf))],
    "no number in a document": [ResultAdded("job1-plan", {"fps": math.nan})],
}


@pytest.mark.parametrize("changes", CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_changes_that_contradict_the_rows_are_refused_whole(
    store: Store, epoch: int, changes: Sequence[Change]
) -> None:
    store.commit(epoch, STORED)
    before = everything(store)

    with pytest.raises(ValueError, match=r"\w"):
        store.commit(epoch, [*added(job(5), task(job(5))), *joined(worker("new")), *changes])

    assert everything(store) == before


def test_a_document_that_is_no_json_is_refused_whole(store: Store, epoch: int) -> None:
    store.commit(epoch, STORED)
    before = everything(store)
    with pytest.raises((ValueError, TypeError), match="JSON"):
        store.commit(epoch, [*added(job(5)), ResultAdded("job1-plan", {"path": object()})])
    assert everything(store) == before


def test_readers_see_whole_commits_while_another_thread_writes(store: Store, epoch: int) -> None:
    def write() -> None:
        for number in range(1, 101):
            one = job(number)
            store.commit(epoch, added(one, task(one), attempt(task(one))))

    writer = Thread(target=write)
    writer.start()
    seen = []
    while writer.is_alive():
        snapshot = store.load().snapshot
        seen.append((len(snapshot.jobs), len(snapshot.tasks), len(snapshot.attempts)))
    writer.join()

    assert all(jobs == tasks == attempts for jobs, tasks, attempts in seen)
    assert len(store.load().snapshot.jobs) == 100


def test_a_store_that_works_is_writable(store: Store) -> None:
    assert store.writable() is True


def spec_of(store: Store, job_id: str) -> Document:
    record = store.job(job_id)
    assert record is not None
    return record.spec


def everything(store: Store) -> tuple[Any, ...]:
    """All that can be read, of jobs 1 to 9."""
    ids = [f"job{number}" for number in range(1, 10)]
    return (store.load(), [store.job(each) for each in ids], [store.logs(each) for each in ids])
