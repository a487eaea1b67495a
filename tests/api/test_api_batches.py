"""Many jobs in one request, and changes of one."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from fake_gateway import FakeGateway

from ffrtmp_ray.core.model import JobState
from ffrtmp_ray.media.spec import MOST_IN_BATCH
from ffrtmp_ray.views import JobView
from serve.api import MAX_BATCH_BYTES, MAX_BODY_BYTES


def spec(number: int, **fields: object) -> dict[str, Any]:
    return {"input": "/in/a.mov", "output": f"/out/{number}.mp4", "preset": "web", **fields}


async def test_each_job_of_a_batch_gets_its_answer_in_its_place(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    jobs = [spec(1), spec(2, priorty="high"), spec(1), spec(3, priority="high"), 7]

    answer = await http.post("/jobs:batch", json={"jobs": jobs})

    assert answer.status_code == 200
    assert (answer.json()["accepted"], answer.json()["refused"]) == (2, 3)
    first, unknown_field, taken, fourth, no_job = answer.json()["answers"]
    assert JobView.model_validate(first["job"]).output == "/out/1.mp4"
    assert JobView.model_validate(fourth["job"]).priority == "high"
    assert unknown_field["job"] is None
    assert unknown_field["problem"]["detail"] == "there is no such field; did you mean `priority`?"
    assert (unknown_field["problem"]["status"], unknown_field["problem"]["where"]) == (
        422,
        "priorty",
    )
    assert (taken["problem"]["type"], taken["problem"]["status"]) == ("/problems/OutputExists", 409)
    assert no_job["problem"]["status"] == 422
    assert gateway.batches == [3], "what was in order went together"


async def test_where_the_queue_is_full_each_job_that_has_no_room_says_so(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.most_jobs = 2

    answer = await http.post("/jobs:batch", json={"jobs": [spec(number) for number in range(4)]})

    assert answer.status_code == 200
    problems = [each["problem"] for each in answer.json()["answers"]]
    assert problems[:2] == [None, None]
    assert [problem["status"] for problem in problems[2:]] == [429, 429]
    alone = await http.post("/jobs", json=spec(9))
    assert (alone.status_code, alone.headers["retry-after"]) == (429, "10")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"jobs": []}, "jobs"),
        ({"jobs": [spec(1)] * (MOST_IN_BATCH + 1)}, "jobs"),
        ({}, "jobs"),
        ({"jobs": [spec(1)], "job": 1}, "job"),
        ([spec(1)], "body"),
    ],
)
async def test_what_is_no_batch_is_refused_whole(
    http: httpx.AsyncClient, gateway: FakeGateway, body: object, where: str
) -> None:
    answer = await http.post("/jobs:batch", json=body)

    assert answer.status_code == 422
    assert answer.json()["where"] == where
    assert not gateway.batches


async def test_a_batch_may_be_larger_than_other_requests_but_not_endless(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    large = b'{"jobs": []' + b" " * MAX_BODY_BYTES + b"}"
    too_large = b'{"jobs": []' + b" " * MAX_BATCH_BYTES + b"}"
    headers = {"Content-Type": "application/json"}

    assert (await http.post("/jobs:batch", content=large, headers=headers)).status_code == 422
    assert (await http.post("/jobs:batch", content=too_large, headers=headers)).status_code == 413


async def test_a_job_is_given_another_place_and_other_labels(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    job = gateway.add(labels={"show": "pilot"})

    answer = await http.patch(f"/jobs/{job.id}", json={"queue": "live", "labels": {"a": "b"}})

    assert answer.status_code == 200
    assert (answer.json()["queue"], answer.json()["priority"]) == ("live", "medium")
    assert answer.json()["labels"] == {"a": "b"}


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"ouput": "/x.mp4"}, "ouput", "there is no such field; there are queue, priority, labels"),
        ({"queue": "fast"}, "queue", "should be 'live', 'default' or 'batch', not 'fast'"),
        ({}, "body", "give at least one of `queue`, `priority` and `labels`"),
    ],
)
async def test_a_change_that_cannot_be_is_refused_with_what_would_be_right(
    http: httpx.AsyncClient,
    gateway: FakeGateway,
    change: dict[str, object],
    where: str,
    message: str,
) -> None:
    job = gateway.add()

    answer = await http.patch(f"/jobs/{job.id}", json=change)

    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"where": where, "message": message}]


async def test_a_finished_job_is_not_changed(http: httpx.AsyncClient, gateway: FakeGateway) -> None:
    job = gateway.add(state=JobState.COMPLETED)

    answer = await http.patch(f"/jobs/{job.id}", json={"priority": "high"})

    assert answer.status_code == 409
    assert (await http.patch("/jobs/none", json={"priority": "high"})).status_code == 404
