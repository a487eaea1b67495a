"""The farm as a user starts it: `ffrtmp up`, the HTTP API in HAProxy mode, `ffrtmp down`."""

from __future__ import annotations

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from ffrtmp_ray.cluster import record
from ffrtmp_ray.cluster.processes import marked
from ffrtmp_ray.errors import Problem
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.views import JobView
from tests.cluster.farms import QUICK, until
from tests.cluster.http.farm import HttpFarm, ffrtmp
from tests.cluster.media import frame_times, make_clip

pytestmark = pytest.mark.timeout(300)

CLASSES = [(q, p) for q in ("live", "default", "batch") for p in ("high", "medium", "low")]
"""In the order in which they go first."""


@pytest.fixture(scope="module")
def clip(root: Path) -> Path:
    return make_clip(root / "clip.mp4", seconds=1, size="160x90")


def spec(clip: Path, target: Path, **fields: object) -> JobSpec:
    return JobSpec.model_validate(
        {"input": str(clip), "output": str(target), "ladder": QUICK, **fields}
    )


def test_a_hundred_jobs_from_twenty_connections_all_complete_once_and_in_order(
    farm: HttpFarm, clip: Path, root: Path
) -> None:
    folder = root / "hundred"
    folder.mkdir()
    (worker,) = farm.client.workers()
    assert farm.client.drain(worker.id).state == "draining"
    specs = [
        spec(clip, folder / f"{number}.mp4", queue=queue, priority=priority)
        for number, (queue, priority) in enumerate((CLASSES * 12)[:100])
    ]
    with ThreadPoolExecutor(20) as connections:
        jobs = list(connections.map(farm.client.submit, specs))
    assert len({job.id for job in jobs}) == 100
    assert all(job.state == "pending" for job in jobs)
    assert farm.client.drain(worker.id, on=False).state == "ready"
    done = [farm.client.wait(job.id, timeout=200) for job in jobs]
    assert {job.state for job in done} == {"completed"}
    assert sorted(path.name for path in folder.iterdir()) == sorted(
        f"{number}.mp4" for number in range(100)
    )
    for job in done:
        outcomes = Counter(a.outcome for task in job.tasks for a in task.attempts)
        del outcomes["preempted"]  # live jobs take the place of others
        assert outcomes == {"succeeded": len(job.tasks)}
    rank = {job_class: place for place, job_class in enumerate(CLASSES)}
    plans = [(job.tasks[0].attempts[0].placed_at, rank[job.queue, job.priority]) for job in done]
    assert [place for _, place in sorted(plans)] == sorted(place for _, place in plans)


def test_a_batch_over_http_is_stored_whole_and_done(farm: HttpFarm, clip: Path, root: Path) -> None:
    folder = root / "batch"
    folder.mkdir()
    jobs = [spec(clip, folder / f"{number}.mp4") for number in range(5)]
    first, *others, missing, taken = farm.client.submit_many(
        [*jobs, spec(root / "none.mp4", folder / "6.mp4"), spec(clip, clip)]
    )
    assert isinstance(missing, Problem)
    assert isinstance(taken, Problem)
    assert [missing.code, taken.code] == ["InputRefused", "OutputExists"]
    accepted = [job for job in (first, *others) if isinstance(job, JobView)]
    assert len(accepted) == 5
    for job in accepted:
        assert farm.client.wait(job.id, timeout=60).state == "completed"


def test_a_file_is_sent_to_the_farm_and_transcoded(farm: HttpFarm, clip: Path, root: Path) -> None:
    sent = farm.client.upload(clip, "sent.mp4")
    job = farm.client.submit(spec(clip, root / "sent.mp4", input=sent.input))
    assert farm.client.wait(job.id, timeout=60).state == "completed"
    assert frame_times(root / "sent.mp4") == frame_times(clip)


def test_the_command_line_submits_waits_and_shows(farm: HttpFarm, clip: Path, root: Path) -> None:
    target = root / "cli.mp4"
    server = ["--address", farm.base]
    submit = ffrtmp("submit", str(clip), str(target), "--preset", "h264-480p", "--wait", *server)
    assert submit.returncode == 0, submit.stderr
    assert frame_times(target) == frame_times(clip)
    jobs = ffrtmp("jobs", "--json", *server)
    assert target.name in jobs.stdout
    again = ffrtmp("submit", str(clip), str(target), "--preset", "h264-480p", *server)
    assert again.returncode == 1
    assert "already" in again.stderr
    assert "Traceback" not in again.stderr


@pytest.mark.parametrize(
    ("fields", "status", "where"),
    [
        ({"input": "/nosuch/file.mp4"}, 422, "input"),
        ({"output": "/etc/out.mp4"}, 422, "output"),
        ({"preset": "nosuch", "ladder": None}, 422, "preset"),
        ({"priority": "highest"}, 422, "priority"),
    ],
)
def test_bad_requests_say_where_and_what_would_be_right(
    farm: HttpFarm, clip: Path, root: Path, fields: dict[str, object], status: int, where: str
) -> None:
    body = spec(clip, root / "bad.mp4").model_dump(mode="json") | fields
    answer = httpx.post(f"{farm.base}/jobs", json=body)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert where in answer.text


def test_metrics_come_out_at_both_ends(farm: HttpFarm) -> None:
    names = {
        family.name
        for family in text_string_to_metric_families(httpx.get(f"{farm.base}/metrics").text)
    }
    expected = {
        "ffrtmp_jobs",
        "ffrtmp_active_jobs",
        "ffrtmp_queue_length",
        "ffrtmp_job_duration_seconds",
        "ffrtmp_schedule_attempts",
        "ffrtmp_worker_cpu_usage",
        "ffrtmp_worker_memory_bytes",
        "ffrtmp_worker_active_jobs",
        "ffrtmp_worker_heartbeats",
    }
    assert expected <= names
    found = record.read(farm.state_dir)
    assert found is not None
    assert found.metrics is not None
    export = found.metrics
    until(lambda: "ray_ffrtmp_jobs_total{" in httpx.get(export).text)


def test_health_ready_and_documents_answer(farm: HttpFarm) -> None:
    assert httpx.get(f"{farm.base}/health").status_code == 200
    ready = httpx.get(f"{farm.base}/ready")
    assert ready.status_code == 200
    assert ready.json()["workers"] == 1
    assert "/jobs" in httpx.get(f"{farm.base}/openapi.json").json()["paths"]


def test_a_killed_haproxy_is_replaced_while_a_client_waits_for_its_job(
    farm: HttpFarm, clip: Path, root: Path
) -> None:
    started = record.read(farm.state_dir)
    assert started is not None
    assert started.started is not None
    job = farm.client.submit(spec(clip, root / "waited.mp4"))
    (haproxy,) = [p for p in marked(started.started.mark) if p.name() == "haproxy"]
    haproxy.kill()
    assert farm.client.wait(job.id, timeout=20).state == "completed"


def test_up_again_keeps_what_runs(farm: HttpFarm, clip: Path, root: Path) -> None:
    before = httpx.get(f"{farm.base}/ready").json()["epoch"]
    port = farm.base.rpartition(":")[2]
    options = ["--state-dir", str(farm.state_dir), "--root", str(root), "--port", port]
    assert ffrtmp("up", *options).returncode == 0
    assert httpx.get(f"{farm.base}/ready").json()["epoch"] == before
    os.environ["FFRTMP_STALL_SECONDS"] = "50"
    try:
        assert ffrtmp("up", *options).returncode == 0
    finally:
        del os.environ["FFRTMP_STALL_SECONDS"]
    assert httpx.get(f"{farm.base}/ready").json()["epoch"] == before + 1
