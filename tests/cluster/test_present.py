"""What callers see of a job: of its deadline, and not of its secrets."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from ffrtmp_ray.cluster.present import Live, accepted_detail, accepted_view, job_view
from ffrtmp_ray.core.model import Job, JobState, Priority, Queue

DEADLINE = 1000.0
JOB = Job(
    id="job",
    owner="ann",
    queue=Queue.DEFAULT,
    priority=Priority.MEDIUM,
    state=JobState.QUEUED,
    submitted_at=0.0,
    order=1,
    deadline=DEADLINE,
)


@pytest.mark.parametrize(
    ("state", "finished_at", "now", "missed"),
    [
        (JobState.QUEUED, None, 999.0, False),
        (JobState.QUEUED, None, 1001.0, True),
        (JobState.COMPLETED, 999.0, 2000.0, False),
        (JobState.COMPLETED, 1001.0, 2000.0, True),
        (JobState.FAILED, 500.0, 999.0, False),
        (JobState.FAILED, 500.0, 1001.0, True),
        (JobState.CANCELED, 500.0, 2000.0, False),
    ],
)
def test_a_deadline_is_missed_by_what_was_not_done_in_time(
    state: JobState, finished_at: float | None, now: float, missed: bool
) -> None:
    job = replace(JOB, state=state, finished_at=finished_at)

    view = job_view(job, {"input": "/in.mp4", "output": "/out.mp4"}, Live(), now)

    assert (view.deadline, view.deadline_missed) == (DEADLINE, missed)


def test_a_job_without_a_deadline_misses_none() -> None:
    spec = {"input": "/in.mp4", "output": "/out.mp4"}

    assert not job_view(replace(JOB, deadline=None), spec, Live(), 2000.0).deadline_missed


def test_a_password_and_a_signature_in_an_input_are_not_shown() -> None:
    secret = "https://me:hidden@media.example/in.mov?X-Amz-Signature=hidden"  # noqa: S105
    spec = {"input": secret, "output": "/out.mp4"}

    detail = accepted_detail(JOB, spec)

    assert accepted_view(JOB, spec).input == detail.input == "https://media.example/in.mov"
    assert "hidden" not in detail.model_dump_json()
    assert spec["input"] == secret, "what is kept is as it was"
