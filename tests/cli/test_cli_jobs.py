"""`ffrtmp jobs`, `job`, `watch` and the commands that control jobs: what they print and ask for."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from fake_gateway import FakeGateway
from typer.testing import Result

from ffrtmp_ray.core.model import JobState, Queue

Ffrtmp = Callable[..., Result]


# ------------------------------------------------------------------------------------ jobs, job


def test_jobs_are_listed_newest_first_with_their_filters(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="failed", queue="live", owner="ann")
    gateway.add(state="completed", queue="live", owner="ann")
    gateway.add(state="queued", queue="live", owner="ann")
    gateway.add(state="failed", queue="live", owner="ann")

    done = ffrtmp(
        "jobs", "--state", "failed", "--state", "completed", "--queue", "live", "--owner", "ann"
    )

    assert [line.split()[0] for line in done.stdout.splitlines()] == [
        "job",
        "job-4",
        "job-2",
        "job-1",
    ]
    assert gateway.queries[0].states == (JobState.FAILED, JobState.COMPLETED)
    assert gateway.queries[0].queues == (Queue.LIVE,)


def test_a_listing_ends_at_its_limit(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    for _ in range(5):
        gateway.add()

    assert len(ffrtmp("jobs", "--limit", "2").stdout.splitlines()) == 1 + 2


def test_nothing_is_cut_from_a_listing_that_goes_into_a_pipe(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    path = "/out/[bold]" + "x" * 500 + ":smile:.mp4"
    gateway.add(output=path)

    assert path in ffrtmp("jobs").stdout


def test_no_jobs_is_no_failure(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("jobs")

    assert (done.exit_code, done.stdout) == (0, "")
    assert "no such jobs" in done.stderr


def test_a_job_is_shown_with_its_tasks_attempts_and_transitions(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(
        state="failed",
        progress=None,
        labels={"title": "film"},
        warnings=["subtitles were left out"],
        deadline=1_800_000_060,
        deadline_missed=True,
        depends_on=["job-0"],
        failure={"kind": "crashed", "reason": "ffmpeg ended with code 1"},
        tasks=[
            {
                "id": "job-1-encode0",
                "name": "encode0",
                "kind": "encode",
                "state": "failed",
                "progress": 40,
                "failure": {"kind": "crashed", "reason": "ffmpeg ended with code 1"},
                "attempts": [
                    {
                        "id": "job-1-encode0-1-1",
                        "worker": "worker-n1",
                        "placed_at": 1_800_000_010,
                        "started_at": 1_800_000_010.2,
                        "ended_at": 1_800_000_075.2,
                        "outcome": "crashed",
                    }
                ],
            }
        ],
        outputs=[{"path": "/out/a.mp4", "bytes": 1000}],
        tuned=[
            {
                "rendition": "hd",
                "target_vmaf": 93,
                "crf": 21.5,
                "vmaf": 93.25,
                "samples": 10,
                "probes": [{"crf": 24, "vmaf": 89.5}, {"crf": 21.5, "vmaf": 93.25}],
            }
        ],
        quality=[
            {
                "rendition": "hd",
                "measure": "vmaf",
                "model": "vmaf_v0.6.1",
                "compared_at": "1920x1080",
                "frames": 250,
                "mean": 93.456,
                "harmonic_mean": 92.1,
                "percentile_1": 80.2,
            }
        ],
        transitions=[
            {
                "source": "processing",
                "target": "failed",
                "at": 1_800_000_075,
                "reason": "encode0 failed",
                "who": "scheduler",
            }
        ],
    )

    done = ffrtmp("job", "job-1")

    assert done.exit_code == 0
    for part in (
        "title=film",
        "subtitles were left out",
        "missed",
        "job-0",
        "crashed: ffmpeg ended with code 1",
        "40.0 %",
        "job-1-encode0-1-1",
        "1 min 05 s",
        "encode0 failed",
        "vmaf_v0.6.1",
        "93.456",
        "21.5 for VMAF 93; 10 samples had 93.25 (of 24: 89.5, 21.5: 93.25)",
    ):
        assert part in done.stdout


# ---------------------------------------------------------------------------------------- watch


def test_watching_jobs_ends_when_they_have_ended(ffrtmp: Ffrtmp, gateway: FakeGateway) -> None:
    job = gateway.add(state="processing")
    gateway.script = [{"progress": 10.0}, {"state": JobState.COMPLETED, "progress": 100.0}]

    done = ffrtmp("watch", job.id, "--interval", "0.01")

    assert done.exit_code == 0
    assert "completed" in done.stdout


def test_watching_without_ids_follows_all_unfinished_jobs_to_their_end(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="completed")
    gateway.add(state="completed")
    job = gateway.add(state="processing")
    gateway.change_after_listing(job.id, state=JobState.CANCELED)

    done = ffrtmp("watch", "--interval", "0.01", "--json")

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(line["id"], line["state"]) for line in lines] == [
        (job.id, "processing"),
        (job.id, "canceled"),
    ]
    assert done.exit_code == 1


def test_watching_nothing_ends_at_once(ffrtmp: Ffrtmp) -> None:
    done = ffrtmp("watch")

    assert done.exit_code == 0
    assert "no unfinished jobs" in done.stderr


# -------------------------------------------------------------------------------------- control


@pytest.mark.parametrize(
    ("command", "before", "after"),
    [
        ("pause", "processing", "paused"),
        ("resume", "paused", "queued"),
        ("cancel", "queued", "canceled"),
        ("retry", "failed", "pending"),
    ],
)
def test_jobs_are_controlled(
    ffrtmp: Ffrtmp, gateway: FakeGateway, command: str, before: str, after: str
) -> None:
    first, second = gateway.add(state=before), gateway.add(state=before)

    done = ffrtmp(command, first.id, second.id)

    assert (done.exit_code, done.stdout) == (0, f"job-1 {after}\njob-2 {after}\n")


def test_a_job_that_refuses_does_not_keep_the_others_from_their_turn(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(state="completed")
    gateway.add(state="queued")

    done = ffrtmp("cancel", "job-1", "job-2", "job-3", "--json")

    assert done.exit_code == 1
    assert [(job["id"], job["state"]) for job in json.loads(done.stdout)] == [("job-2", "canceled")]
    assert done.stderr.splitlines() == [
        "error: job-1: job job-1 is completed",
        "error: job-3: there is no job job-3 (`ffrtmp jobs` lists them)",
    ]


def test_jobs_are_given_another_place_and_other_labels(
    ffrtmp: Ffrtmp, gateway: FakeGateway
) -> None:
    gateway.add(labels={"show": "pilot"})
    gateway.add(labels={"show": "pilot"})

    done = ffrtmp("change", "job-1", "job-2", "--queue", "live", "--label", "season=2")

    assert (done.exit_code, done.stdout) == (0, "job-1 queued\njob-2 queued\n")
    changed = list(gateway.jobs_by_id.values())
    assert [(job.queue, job.priority) for job in changed] == [("live", "medium")] * 2
    assert [job.labels for job in changed] == [{"season": "2"}] * 2

    assert ffrtmp("change", "job-1", "--no-labels", "--priority", "low").exit_code == 0
    assert gateway.jobs_by_id["job-1"].labels == {}
    assert gateway.jobs_by_id["job-1"].priority == "low"


@pytest.mark.parametrize("options", [(), ("--label", "a=b", "--no-labels")])
def test_a_change_of_nothing_or_of_both_is_wrong_usage(
    ffrtmp: Ffrtmp, options: tuple[str, ...]
) -> None:
    assert ffrtmp("change", "job-1", *options).exit_code == 2
