"""Distributed Job Scheduler: what waits, what runs, how it ends, and what is not placed."""

from __future__ import annotations

from dashboards.panels import Dashboard, Panel, Row, Style, Target, Unit, number
from dashboards.promql import PromQL, count, or_zero, ratio, scaled
from ffrtmp_ray.metrics import (
    ACTIVE_JOBS,
    JOB_DURATION_SECONDS,
    JOBS_TOTAL,
    QUEUE_LENGTH,
    SCHEDULE_ATTEMPTS_TOTAL,
    WORKER_ACTIVE_JOBS,
)


def scheduler_dashboard(promql: PromQL) -> Dashboard:
    return Dashboard(
        uid="ffrtmp-scheduler",
        title="Distributed Job Scheduler",
        description="The queues, the jobs and the scheduler's decisions.",
        rows=(
            Row("Now", _now(promql)),
            Row("Queues", _queues(promql)),
            Row("Jobs", _jobs(promql)),
            Row("Placement", _placement(promql)),
        ),
    )


def _now(promql: PromQL) -> tuple[Panel, ...]:
    completed = promql.increase(JOBS_TOTAL, state="completed")
    failed = promql.increase(JOBS_TOTAL, state="failed")
    ended = promql.increase(JOBS_TOTAL, state=("completed", "failed"))
    return (
        number(
            "Waiting",
            "Jobs that are pending or queued, in all queues.",
            Target(promql.total(QUEUE_LENGTH), "waiting"),
        ),
        number(
            "Active",
            "Jobs that have a task on a worker.",
            Target(promql.latest(ACTIVE_JOBS), "active"),
        ),
        number(
            "Workers",
            "Workers that the scheduler hears from. None: no job makes progress.",
            Target(count(promql.latest(WORKER_ACTIVE_JOBS, "worker")), "workers"),
        ),
        number(
            "Completed",
            "Jobs completed in the time shown.",
            Target(or_zero(completed), "completed"),
        ),
        number(
            "Failed",
            "Jobs that failed in the time shown; each one's reason is in `ffrtmp job ID`.",
            Target(or_zero(failed), "failed"),
            alarm_at=1,
        ),
        number(
            "Failure ratio",
            "Of the jobs that ended in the time shown; canceled ones do not count.",
            Target(ratio(failed, ended), "failed"),
            Unit.RATIO,
            alarm_at=0.1,
        ),
    )


def _queues(promql: PromQL) -> tuple[Panel, ...]:
    return (
        Panel(
            "Waiting jobs by queue and priority",
            "Live goes before default, default before batch; high before medium before low. A "
            "queue that grows while others move is being passed by: add workers.",
            (Target(promql.latest(QUEUE_LENGTH, "queue", "priority"), "{{queue}} · {{priority}}"),),
            stacked=True,
        ),
        Panel(
            "Waiting and active jobs",
            "Waiting jobs with no active ones: look at Placement below.",
            (
                Target(promql.total(QUEUE_LENGTH), "waiting"),
                Target(promql.latest(ACTIVE_JOBS), "active"),
            ),
        ),
    )


def _jobs(promql: PromQL) -> tuple[Panel, ...]:
    return (
        Panel(
            "Jobs entering a state",
            "Jobs a minute by the state that they entered.",
            (Target(scaled(60, promql.rate(JOBS_TOTAL, "state")), "{{state}}"),),
            Unit.PER_MINUTE,
            width=8,
        ),
        Panel(
            "Time to completion",
            "From submission to completion, waiting included, of jobs completed at the time. "
            "Read from buckets: exact to the bucket only.",
            tuple(
                Target(promql.quantile(q, JOB_DURATION_SECONDS), f"p{q * 100:g}")
                for q in (0.5, 0.95, 0.99)
            ),
            Unit.SECONDS,
            width=8,
            empty="no job completed",
        ),
        Panel(
            "Time to completion, all jobs",
            "Each cell is the number of jobs completed then after about so long.",
            (Target(promql.buckets(JOB_DURATION_SECONDS), "{{le}}"),),
            Unit.SECONDS,
            Style.HEATMAP,
            width=8,
            empty="no job completed",
        ),
    )


def _placement(promql: PromQL) -> tuple[Panel, ...]:
    decisions = promql.rate(SCHEDULE_ATTEMPTS_TOTAL, "result")
    unmet = promql.rate(SCHEDULE_ATTEMPTS_TOTAL, result="unmet")
    return (
        Panel(
            "Placement decisions",
            "A minute. `placed`: a task was given to a worker. `preempted`: a running task had to "
            "give way. `no_room`: it fits a worker, but none has room now. `unmet`: no worker "
            "there is can do it.",
            (Target(scaled(60, decisions), "{{result}}"),),
            Unit.PER_MINUTE,
        ),
        Panel(
            "Tasks that no worker can do",
            "Decisions a minute about tasks whose needs no worker meets, such as a GPU where "
            "there is none. `ffrtmp job ID` says what is missing.",
            (Target(scaled(60, unmet), "unmet"),),
            Unit.PER_MINUTE,
            warn_at=0.1,
        ),
    )
