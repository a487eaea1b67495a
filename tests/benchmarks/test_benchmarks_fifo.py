"""The plain queue that the engine is compared with: simple, and no worse than it must be."""

from __future__ import annotations

from benchmarks.simulation.fifo import Fifo
from benchmarks.simulation.scenario import GPU_ONLY, cpus
from ffrtmp_ray.core.messages import (
    AttemptAdded,
    Event,
    JobSubmitted,
    JobTransitioned,
    Outcome,
    Sync,
    TaskFailed,
    TaskSucceeded,
    WorkerJoined,
    WorkerLost,
)
from ffrtmp_ray.core.model import (
    Failure,
    FailureKind,
    Job,
    JobState,
    Needs,
    NewTask,
    Priority,
    Queue,
    Resources,
    Worker,
)


class Story:
    def __init__(self, *workers: str) -> None:
        self.fifo = Fifo()
        self.jobs = 0
        for worker in workers:
            self.tell(WorkerJoined(Worker(worker, "node", "host", "cpu", Resources(cpus=4))))

    def tell(self, event: Event) -> Outcome:
        return self.fifo.handle(event, now=0.0)

    def submit(self, needs: Needs, queue: Queue = Queue.DEFAULT) -> list[str]:
        """Returns the tasks that this had placed."""
        self.jobs += 1
        job = Job(f"j{self.jobs}", "ann", queue, Priority.HIGH, JobState.PENDING, 0.0, self.jobs)
        return placed(self.tell(JobSubmitted(job, (NewTask("encode", "encode", needs),))))


def placed(outcome: Outcome) -> list[str]:
    return [each.attempt.task_id for each in outcome.changes if isinstance(each, AttemptAdded)]


def test_the_head_of_the_queue_holds_up_all_behind_it() -> None:
    story = Story("w1")
    assert story.submit(GPU_ONLY) == []
    assert story.submit(cpus(1), queue=Queue.LIVE) == []


def test_who_came_first_is_served_first_whatever_the_class() -> None:
    story = Story("w1")
    assert story.submit(cpus(4), queue=Queue.BATCH) == ["j1-encode"]
    story.submit(cpus(4), queue=Queue.BATCH)
    story.submit(cpus(4), queue=Queue.LIVE)
    assert placed(story.tell(TaskSucceeded("w1", "j1-encode-1-1"))) == ["j2-encode"]


def test_a_job_is_completed_when_all_that_it_has_become_has_succeeded() -> None:
    story = Story("w1")
    story.submit(cpus(1))
    spawn = (
        NewTask("finish", "finish", cpus(1), waits_for=("part",)),
        NewTask("part", "encode", cpus(1)),
    )
    first = story.tell(TaskSucceeded("w1", "j1-encode-1-1", spawn=spawn))
    assert placed(first) == ["j1-part"]
    assert placed(story.tell(TaskSucceeded("w1", "j1-part-1-1"))) == ["j1-finish"]
    last = story.tell(TaskSucceeded("w1", "j1-finish-1-1"))
    (ended,) = (each for each in last.changes if isinstance(each, JobTransitioned))
    assert (ended.job_id, ended.target) == ("j1", JobState.COMPLETED)


def test_what_failed_is_tried_again() -> None:
    story = Story("w1")
    story.submit(cpus(4))
    failed = TaskFailed("w1", "j1-encode-1-1", Failure(FailureKind.CRASHED, "bad luck"))
    (sync,) = story.tell(failed).commands
    assert isinstance(sync, Sync)
    assert list(sync.attempts) == ["j1-encode-1-2"]


def test_what_a_lost_worker_had_goes_to_another_before_all_else() -> None:
    story = Story("w1")
    story.submit(cpus(4))
    story.submit(cpus(4))
    assert placed(story.tell(WorkerLost("w1", "it was silent"))) == []
    joined = WorkerJoined(Worker("w2", "node", "host", "cpu", Resources(cpus=4)))
    assert placed(story.tell(joined)) == ["j1-encode"]


def test_a_task_goes_where_the_least_room_is_left_over() -> None:
    story = Story("w1", "w2")
    story.submit(cpus(2))
    assert story.submit(cpus(2)) == ["j2-encode"]
    assert story.submit(cpus(4)) == ["j3-encode"]
