"""The counts behind the metrics, and their readings. Pure: fed by the scheduler's process."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ffrtmp_ray import metrics
from ffrtmp_ray.core.messages import JobChanged, JobTransitioned, Outcome
from ffrtmp_ray.core.model import GpuUsage, Job, JobState, Priority, Queue, Usage, WorkerId
from ffrtmp_ray.metrics import Histogram, Readings, Sample

SCHEDULE_RESULTS = ("placed", "preempted", "reserved", "no_room", "unmet")


@dataclass(frozen=True, slots=True)
class WorkerReading:
    usage: Usage | None
    active_jobs: int
    heartbeats: int


class Tally:
    """Counts from the start of this scheduler's life; a restart is a counter reset."""

    def __init__(self) -> None:
        self._states: Counter[JobState] = Counter()
        self._scheduled: Counter[str] = Counter()
        buckets = metrics.JOB_DURATION_SECONDS.buckets
        self._durations = [0] * (len(buckets) + 1)
        self._duration_sum = 0.0

    def outcome(self, outcome: Outcome) -> None:
        self._scheduled.update(outcome.scheduled)
        for change in outcome.changes:
            match change:
                case JobTransitioned():
                    self._states[change.target] += 1
                case JobChanged(Job(state=JobState.COMPLETED, finished_at=float(end)) as job):
                    self._completed(end - job.submitted_at)

    def _completed(self, seconds: float) -> None:
        bucket = bisect_left(metrics.JOB_DURATION_SECONDS.buckets, seconds)
        self._durations[bucket] += 1
        self._duration_sum += seconds

    def readings(
        self,
        *,
        active_jobs: int,
        queue_lengths: Mapping[tuple[Queue, Priority], int],
        workers: Mapping[WorkerId, WorkerReading],
    ) -> Readings:
        samples = [
            *(Sample(metrics.JOBS_TOTAL.name, (s.value,), self._states[s]) for s in JobState),
            Sample(metrics.ACTIVE_JOBS.name, (), active_jobs),
            *(
                Sample(
                    metrics.QUEUE_LENGTH.name,
                    (queue.value, priority.value),
                    queue_lengths.get((queue, priority), 0),
                )
                for queue in Queue
                for priority in Priority
            ),
            *(
                Sample(metrics.SCHEDULE_ATTEMPTS_TOTAL.name, (result,), self._scheduled[result])
                for result in SCHEDULE_RESULTS
            ),
        ]
        for worker_id, reading in workers.items():
            samples += worker_samples(worker_id, reading)
        durations = Histogram(
            metrics.JOB_DURATION_SECONDS.name, tuple(self._durations), self._duration_sum
        )
        return Readings(tuple(samples), (durations,))


def worker_samples(worker_id: WorkerId, reading: WorkerReading) -> Iterable[Sample]:
    yield Sample(metrics.WORKER_ACTIVE_JOBS.name, (worker_id,), reading.active_jobs)
    yield Sample(metrics.WORKER_HEARTBEATS_TOTAL.name, (worker_id,), reading.heartbeats)
    if reading.usage is not None:
        usage = reading.usage
        yield Sample(metrics.WORKER_CPU_USAGE.name, (worker_id,), usage.cpu_percent)
        yield Sample(metrics.WORKER_MEMORY_BYTES.name, (worker_id,), usage.worker_memory_bytes)
        yield Sample(metrics.WORKER_LOAD.name, (worker_id,), usage.load_1m)
        yield Sample(
            metrics.WORKER_NODE_MEMORY_USED_BYTES.name, (worker_id,), usage.memory_used_bytes
        )
        yield Sample(
            metrics.WORKER_NODE_MEMORY_TOTAL_BYTES.name, (worker_id,), usage.memory_total_bytes
        )
        for gpu in usage.gpus:
            yield from _gpu_samples(worker_id, gpu)


def _gpu_samples(worker_id: WorkerId, gpu: GpuUsage) -> Iterable[Sample]:
    labels = (worker_id, str(gpu.index))
    yield Sample(metrics.WORKER_GPU_INFO.name, (*labels, gpu.name), 1)
    values = (
        (metrics.WORKER_GPU_UTILIZATION_PERCENT, gpu.utilization_percent),
        (metrics.WORKER_GPU_ENCODER_PERCENT, gpu.encoder_percent),
        (metrics.WORKER_GPU_MEMORY_USED_BYTES, gpu.memory_used_bytes),
        (metrics.WORKER_GPU_MEMORY_TOTAL_BYTES, gpu.memory_total_bytes),
        (metrics.WORKER_GPU_TEMPERATURE_CELSIUS, gpu.temperature_celsius),
        (metrics.WORKER_GPU_POWER_WATTS, gpu.power_watts),
    )
    yield from (Sample(metric.name, labels, value) for metric, value in values if value is not None)
