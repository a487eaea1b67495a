"""What is true of the engine after every event. For tests, after each step; never in production.

The numbers are those of the list of invariants in ARCHITECTURE.md. Everything is counted anew
from the jobs, tasks and attempts themselves, never read from an index: that an index is right is
part of what is checked.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ffrtmp_ray.core.lifecycle import ENDING, job_state, tally
from ffrtmp_ray.core.model import Job, JobState, Resources, StopReason, Task, TaskState, Worker
from ffrtmp_ray.core.progress import ALMOST, job_progress
from ffrtmp_ray.core.rooms import asked, fits_any
from ffrtmp_ray.core.scheduler import Scheduler
from ffrtmp_ray.core.state import State
from ffrtmp_ray.core.vector import NO_ROOM, Room, at_least_nothing, pack, unpack


class InvariantBroken(AssertionError):
    """The engine is in a state that must never be; the message names the invariant."""


def check(scheduler: Scheduler) -> None:
    """Raises InvariantBroken. To be called between events: a restored scheduler has placed
    nothing before its first."""
    state = scheduler._state  # noqa: SLF001 - made to look inside
    for number, broken in enumerate(
        (
            _lost_or_finished_twice(state),
            _given_too_much(state),
            _wanted_twice(state),
            _held_though_terminal(state),
            _state_is_not_that_of_the_tasks(state),
            _progress_is_out_of_bounds(state),
            _fits_and_is_not_placed(state),
            _publishing_is_disturbed(state),
        ),
        start=1,
    ):
        for trouble in broken:
            raise InvariantBroken(f"invariant {number}: {trouble}")


def _lost_or_finished_twice(state: State) -> Iterator[str]:
    """1. No accepted job is lost, and no task's result is committed twice."""
    for job in state.jobs.values():
        for task in state.tasks_of(job.id):
            active = task.state.active
            if active != (task.id in state.current):
                yield f"{task.id} is {task.state}, its attempt: {state.current.get(task.id)}"
            if task.plan == job.plan:
                yield from _goes_on(state, task)
        if job.state is not JobState.PAUSED:
            yield from _waits_for_jobs(state, job)
    known = {task_id for ids in state.task_ids.values() for task_id in ids}
    for task_id in state.tasks.keys() - known:
        if state.tasks[task_id].state is not TaskState.STOPPING or task_id not in state.current:
            yield f"{task_id} is kept though its job is finished and it is not stopping"


def _waits_for_jobs(state: State, job: Job) -> Iterator[str]:
    """Something will end a wait for other jobs: they are unfinished."""
    needed = state.dependencies.needed_by(job.id)
    if needed != {each for each in job.depends_on if each in state.jobs} and job.started_at is None:
        yield f"{job.id} waits for {sorted(needed)} of {job.depends_on}"


def _goes_on(state: State, task: Task) -> Iterator[str]:
    """Something will move an unfinished task: the queue, a timer, another task, or a worker."""
    queued = state.queue.lane_of(task) is not None
    if queued != (task.state is TaskState.READY and state.may_start(task)):
        yield f"{task.id} is {task.state}, in the queue: {queued}"
    if task.state is TaskState.DELAYED:
        wake_at = state.timers.next_at()
        if task.not_before is None or wake_at is None or wake_at > task.not_before:
            yield f"{task.id} is delayed until {task.not_before}, and the next wake is {wake_at}"
    if task.state is TaskState.WAITING:
        others = [state.tasks[each] for each in task.waits_for]
        if all(other.state is TaskState.SUCCEEDED for other in others):
            yield f"{task.id} waits though all that it waits for has succeeded"
        if any(other.state in (TaskState.FAILED, TaskState.CANCELED) for other in others):
            yield f"{task.id} waits for a task that will never succeed"


def _given_too_much(state: State) -> Iterator[str]:
    """2. No worker is given more than it has, counting attempts that are still stopping."""
    given: dict[str, Resources] = {}
    for attempt in state.attempts.values():
        known = given.get(attempt.worker_id, Resources())
        given[attempt.worker_id] = known + attempt.grant.resources
    for worker_id, sum_of_grants in given.items():
        worker = state.workers.get(worker_id)
        if worker is not None and not sum_of_grants.within(worker.capacity):
            yield f"{worker_id} has {worker.capacity} and was given {sum_of_grants}"
        if state.places[worker_id].used != pack(sum_of_grants):
            yield f"{worker_id} was given {sum_of_grants}, counted {state.places[worker_id].used}"
    for worker_id in state.workers.keys() - given.keys():
        if state.places[worker_id].used:
            yield f"{worker_id} was given nothing, counted {state.places[worker_id].used}"


def _wanted_twice(state: State) -> Iterator[str]:
    """3. At most one attempt per task is wanted at any time."""
    places = {attempt.worker_id for attempt in state.attempts.values()}
    wanted = Counter(
        state.attempts[each].task_id for place in places for each in state.wanted(place)
    )
    for task_id, times in wanted.items():
        if times > 1:
            yield f"{times} attempts at {task_id} are wanted"
    for attempt in state.attempts.values():
        if state.current.get(attempt.task_id) != attempt.id:
            yield f"{attempt.id} has not ended and is not the attempt of its task"


def _held_though_terminal(state: State) -> Iterator[str]:
    """4. A terminal state never changes except by an explicit retry: what is terminal is gone."""
    for job in state.jobs.values():
        if job.state.terminal or job.finished_at is not None or job.failure is not None:
            yield f"{job.id} is {job.state} and still held"


def _state_is_not_that_of_the_tasks(state: State) -> Iterator[str]:
    """5. A job's state equals the function of its tasks and the user's order."""
    waiting: Counter[object] = Counter()
    active = 0
    for job in state.jobs.values():
        tasks = state.tasks_of(job.id)
        if job.state is not job_state(job, tasks):
            yield f"{job.id} is {job.state}, its tasks say {job_state(job, tasks)}"
        if state.tallies[job.id] != tally(job, tasks):
            yield f"the tally of {job.id} is {state.tallies[job.id]}"
        if job.held != (job.paused_at is not None):
            yield f"{job.id} is held: {job.held}, since {job.paused_at}"
        waiting[job.queue, job.priority] += job.state in (JobState.PENDING, JobState.QUEUED)
        active += job.state in (JobState.ASSIGNED, JobState.PROCESSING)
    if +waiting != +Counter(state.counts.waiting) or active != state.counts.active:
        yield f"jobs that wait or are active: counted {state.counts.waiting}, {state.counts.active}"


def _progress_is_out_of_bounds(state: State) -> Iterator[str]:
    """6. A job's progress is under 100 until it is completed."""
    for job in state.jobs.values():
        for fraction in (0.0, 1.0):
            tasks = state.tasks_of(job.id)
            percent = job_progress(tasks, {task.id: fraction for task in tasks}, 0.0)
            if not 0.0 <= percent <= ALMOST:
                yield f"{job.id} is {job.state} with {percent} %"


def _fits_and_is_not_placed(state: State) -> Iterator[str]:
    """7. No ready task that may start now fits a worker's unreserved, undrained capacity, nor
    one that was promised room what is free where it was promised."""
    rooms = [(worker, _unreserved(state, worker)) for worker in state.workers.values()]
    ready = (task for task in state.tasks.values() if task.state is TaskState.READY)
    needs = {task.needs: task for task in ready if _may_start(state, task)}
    for task in needs.values():
        for worker, room in rooms:
            kind = state.places[worker.id].kind
            if worker.draining or kind is None:
                continue
            if fits_any(asked(task.needs), kind, room):
                yield f"{task.id} is ready and fits {worker.id}, which has {unpack(room)}"
    for task_id, worker_id in state.promised.items():
        place = state.places[worker_id]
        if place.keeps(place.promises[task_id]):
            yield f"{task_id} was promised room on {worker_id}, which is free"


def _may_start(state: State, task: Task) -> bool:
    owner = state.jobs[task.job_id].owner
    most = state.accounts.of(owner).policy.max_running
    if most is not None:
        running = sum(1 for each in state.attempts if state._owners.get(each) == owner)  # noqa: SLF001 - made to look inside
        promised = sum(1 for each in state.promised if _owner_of(state, each) == owner)
        if running + promised >= most:
            return False
    return state.may_start(task)


def _owner_of(state: State, task_id: str) -> str:
    return state.jobs[state.tasks[task_id].job_id].owner


def _unreserved(state: State, worker: Worker) -> Room:
    room = NO_ROOM + pack(worker.capacity)
    for attempt in state.attempts.values():
        if attempt.worker_id == worker.id:
            room -= pack(attempt.grant.resources)
    for promise in state.places[worker.id].promises.values():
        room -= pack(promise.grant.resources)
    return at_least_nothing(room)


def _publishing_is_disturbed(state: State) -> Iterator[str]:
    """8. What is published is complete: a final task runs after all else, and is not disturbed."""
    for task in state.tasks.values():
        if not task.final:
            continue
        if task.state is TaskState.STOPPING and task.stop_reason is not StopReason.REPLACED:
            yield f"{task.id} is final and is stopped: {task.stop_reason}"
        if task.state is TaskState.SUSPENDED or task.preemptions:
            yield f"{task.id} is final and was suspended or preempted"
        unfinished = [each for each in task.waits_for if not _has_succeeded(state, each)]
        if task.state.active and task.state is not TaskState.STOPPING and unfinished:
            yield f"{task.id} is final and runs before {', '.join(unfinished)}"
        if task.stop_reason in ENDING and task.job_id in state.jobs:
            yield f"{task.id} is final, and its job goes on without it"


def _has_succeeded(state: State, task_id: str) -> bool:
    return task_id in state.tasks and state.tasks[task_id].state is TaskState.SUCCEEDED
