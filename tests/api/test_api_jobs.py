"""Jobs over HTTP."""

from __future__ import annotations

import httpx
import pytest
from fake_gateway import FakeGateway

from ffrtmp_ray.core.model import JobState, Queue
from ffrtmp_ray.store.protocol import JobQuery
from ffrtmp_ray.views import Action, JobDetail, JobList, LogView
from serve.api import make_app

SPEC = {"input": "/in/a.mov", "output": "/out/a.mp4", "preset": "h264-720p"}


async def test_a_submitted_job_is_created_and_its_location_leads_to_it(
    http: httpx.AsyncClient,
) -> None:
    created = await http.post("/jobs", json={**SPEC, "priority": "high", "labels": {"a": "b"}})

    assert created.status_code == 201
    job = JobDetail.model_validate(created.json())
    assert (job.state, job.priority, job.labels) == (JobState.PENDING, "high", {"a": "b"})
    assert created.headers["location"] == f"/jobs/{job.id}"
    shown = await http.get(created.headers["location"])
    assert shown.status_code == 200
    assert shown.json() == created.json()


async def test_behind_a_path_prefix_the_location_carries_the_prefix(gateway: FakeGateway) -> None:
    transport = httpx.ASGITransport(make_app(gateway), root_path="/farm")
    async with httpx.AsyncClient(transport=transport, base_url="http://farm") as http:
        created = await http.post("/jobs", json=SPEC)

    assert created.headers["location"] == "/farm/jobs/job-1"


async def test_an_inline_ladder_is_taken(http: httpx.AsyncClient) -> None:
    ladder = {"renditions": [{"name": "low", "codec": "h264", "height": 360, "crf": 24}]}

    created = await http.post(
        "/jobs", json={"input": "/in/a.mov", "output": "/out/a.mp4", "ladder": ladder}
    )

    assert created.status_code == 201
    assert created.json()["spec"]["ladder"]["renditions"][0]["height"] == 360


async def test_every_filter_of_a_listing_reaches_the_store(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    answer = await http.get(
        "/jobs?state=queued&state=failed&queue=live&queue=batch&owner=ann&cursor=42&limit=7"
    )

    assert answer.status_code == 200
    assert gateway.queries == [
        JobQuery(
            states=(JobState.QUEUED, JobState.FAILED),
            queues=(Queue.LIVE, Queue.BATCH),
            owner="ann",
            before=42,
            limit=7,
        )
    ]


async def test_following_the_cursors_shows_every_job_once_newest_first(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    submitted = [gateway.add().id for _ in range(5)]

    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        params = {"limit": "2", **({"cursor": cursor} if cursor else {})}
        page = JobList.model_validate((await http.get("/jobs", params=params)).json())
        seen += [job.id for job in page.jobs]
        cursor = page.next_cursor

    assert seen == submitted[::-1]


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        (Action.PAUSE, JobState.PROCESSING, JobState.PAUSED),
        (Action.RESUME, JobState.PAUSED, JobState.QUEUED),
        (Action.CANCEL, JobState.QUEUED, JobState.CANCELED),
        (Action.RETRY, JobState.FAILED, JobState.PENDING),
    ],
)
async def test_a_control_is_passed_on_and_answered_with_the_job_after_it(
    http: httpx.AsyncClient,
    gateway: FakeGateway,
    action: Action,
    before: JobState,
    after: JobState,
) -> None:
    job = gateway.add(state=before)

    answer = await http.post(f"/jobs/{job.id}/{action}")

    assert answer.status_code == 200
    assert answer.json()["state"] == after
    assert gateway.controls == [(job.id, action, "http")]


async def test_logs_are_shown_by_attempt(http: httpx.AsyncClient, gateway: FakeGateway) -> None:
    job = gateway.add()
    gateway.log_views[job.id] = [LogView(attempt=f"{job.id}-plan-1-1", text="frame=1\n")]

    answer = await http.get(f"/jobs/{job.id}/logs")

    assert answer.status_code == 200
    assert answer.json() == [{"attempt": "job-1-plan-1-1", "text": "frame=1\n"}]
