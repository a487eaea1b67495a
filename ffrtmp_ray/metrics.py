"""Every metric, defined once: what it is called, what it counts, which labels it has.

Exported twice from these definitions: at `/metrics` (serve/) and through Ray (cluster/).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Metric:
    name: str
    """As Prometheus shows it at `/metrics`; Ray's export puts `ray_` before it."""
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()
    """Upper bounds of a histogram, in the unit of its name."""


JOBS_TOTAL = Metric(
    "ffrtmp_jobs_total", Kind.COUNTER, "Jobs that entered a state, by state.", ("state",)
)
ACTIVE_JOBS = Metric(
    "ffrtmp_active_jobs", Kind.GAUGE, "Jobs that have a task on a worker (assigned, processing)."
)
QUEUE_LENGTH = Metric(
    "ffrtmp_queue_length",
    Kind.GAUGE,
    "Jobs that wait (pending, queued), by queue and priority.",
    ("queue", "priority"),
)
JOB_DURATION_SECONDS = Metric(
    "ffrtmp_job_duration_seconds",
    Kind.HISTOGRAM,
    "Time from submission to completion of completed jobs.",
    buckets=(1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400),
)
SCHEDULE_ATTEMPTS_TOTAL = Metric(
    "ffrtmp_schedule_attempts_total",
    Kind.COUNTER,
    "Placement decisions: placed, preempted, reserved (a worker is kept free for a large task), "
    "no_room, or unmet (no worker can do the task).",
    ("result",),
)
WORKER_CPU_USAGE = Metric(
    "ffrtmp_worker_cpu_usage", Kind.GAUGE, "CPU use of a worker's node, 0 to 100.", ("worker",)
)
WORKER_MEMORY_BYTES = Metric(
    "ffrtmp_worker_memory_bytes",
    Kind.GAUGE,
    "Memory of a worker and the processes that it started.",
    ("worker",),
)
WORKER_ACTIVE_JOBS = Metric(
    "ffrtmp_worker_active_jobs", Kind.GAUGE, "Jobs with a task on a worker.", ("worker",)
)
WORKER_HEARTBEATS_TOTAL = Metric(
    "ffrtmp_worker_heartbeats_total", Kind.COUNTER, "Polls that a worker answered.", ("worker",)
)

# The rest describe a worker's node and its GPUs. `gpu` is the GPU's index on its node. Workers of
# one node each report that node, so these are for maxima and averages, not for sums over workers.
WORKER_LOAD = Metric(
    "ffrtmp_worker_load", Kind.GAUGE, "Load average of a worker's node over a minute.", ("worker",)
)
WORKER_NODE_MEMORY_USED_BYTES = Metric(
    "ffrtmp_worker_node_memory_used_bytes",
    Kind.GAUGE,
    "Memory in use on a worker's node, by all of its processes.",
    ("worker",),
)
WORKER_NODE_MEMORY_TOTAL_BYTES = Metric(
    "ffrtmp_worker_node_memory_total_bytes",
    Kind.GAUGE,
    "Memory that a worker's node has.",
    ("worker",),
)
WORKER_GPU_INFO = Metric(
    "ffrtmp_worker_gpu_info",
    Kind.GAUGE,
    "Always 1: which GPUs a worker has, by product name.",
    ("worker", "gpu", "name"),
)
WORKER_GPU_UTILIZATION_PERCENT = Metric(
    "ffrtmp_worker_gpu_utilization_percent",
    Kind.GAUGE,
    "Use of a GPU's general cores (scaling, filters), 0 to 100.",
    ("worker", "gpu"),
)
WORKER_GPU_ENCODER_PERCENT = Metric(
    "ffrtmp_worker_gpu_encoder_percent",
    Kind.GAUGE,
    "Use of a GPU's video encoders, 0 to 100.",
    ("worker", "gpu"),
)
WORKER_GPU_MEMORY_USED_BYTES = Metric(
    "ffrtmp_worker_gpu_memory_used_bytes", Kind.GAUGE, "GPU memory in use.", ("worker", "gpu")
)
WORKER_GPU_MEMORY_TOTAL_BYTES = Metric(
    "ffrtmp_worker_gpu_memory_total_bytes",
    Kind.GAUGE,
    "Memory that a GPU has.",
    ("worker", "gpu"),
)
WORKER_GPU_TEMPERATURE_CELSIUS = Metric(
    "ffrtmp_worker_gpu_temperature_celsius",
    Kind.GAUGE,
    "Temperature of a GPU; absent where it cannot be read.",
    ("worker", "gpu"),
)
WORKER_GPU_POWER_WATTS = Metric(
    "ffrtmp_worker_gpu_power_watts",
    Kind.GAUGE,
    "Power that a GPU draws; absent where it cannot be read.",
    ("worker", "gpu"),
)

METRICS: tuple[Metric, ...] = (
    JOBS_TOTAL,
    ACTIVE_JOBS,
    QUEUE_LENGTH,
    JOB_DURATION_SECONDS,
    SCHEDULE_ATTEMPTS_TOTAL,
    WORKER_CPU_USAGE,
    WORKER_MEMORY_BYTES,
    WORKER_ACTIVE_JOBS,
    WORKER_HEARTBEATS_TOTAL,
    WORKER_LOAD,
    WORKER_NODE_MEMORY_USED_BYTES,
    WORKER_NODE_MEMORY_TOTAL_BYTES,
    WORKER_GPU_INFO,
    WORKER_GPU_UTILIZATION_PERCENT,
    WORKER_GPU_ENCODER_PERCENT,
    WORKER_GPU_MEMORY_USED_BYTES,
    WORKER_GPU_MEMORY_TOTAL_BYTES,
    WORKER_GPU_TEMPERATURE_CELSIUS,
    WORKER_GPU_POWER_WATTS,
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One value of a counter or a gauge."""

    metric: str
    labels: tuple[str, ...]
    """Values, in the order of `Metric.labels`."""
    value: float


@dataclass(frozen=True, slots=True)
class Histogram:
    """A histogram without labels, as counts per bucket (not cumulative)."""

    metric: str
    counts: tuple[int, ...]
    """One per bucket of the metric, and one more for all above."""
    total: float
    """The sum of all observations."""


@dataclass(frozen=True, slots=True)
class Readings:
    """All metrics at one moment, read from the one scheduler that holds the numbers."""

    samples: tuple[Sample, ...] = ()
    histograms: tuple[Histogram, ...] = ()
