"""Workers, presets, health and readiness over HTTP."""

from __future__ import annotations

from importlib.metadata import version

import httpx
import pytest
from fake_gateway import FakeGateway, a_worker

from ffrtmp_ray.errors import SchedulerUnavailable
from ffrtmp_ray.media import presets
from ffrtmp_ray.views import ReadyView, WorkerView


async def test_workers_are_listed_with_what_they_do(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.worker_views = [
        a_worker(),
        a_worker(id="worker-n1-gpu0-2", device="gpu0", gpu_sessions=8),
    ]

    answer = await http.get("/workers")

    assert answer.status_code == 200
    assert [WorkerView.model_validate(view) for view in answer.json()] == gateway.worker_views


async def test_a_worker_is_drained_and_given_work_again(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.worker_views = [a_worker(id="w1"), a_worker(id="w2")]

    drained = await http.post("/workers/w2/drain")
    assert drained.status_code == 200
    assert (drained.json()["id"], drained.json()["state"]) == ("w2", "draining")
    assert [worker.state for worker in gateway.worker_views] == ["ready", "draining"]

    back = await http.delete("/workers/w2/drain")
    assert (back.status_code, back.json()["state"]) == (200, "ready")


@pytest.mark.parametrize("method", ["POST", "DELETE"])
async def test_draining_a_worker_that_is_not_there_is_not_found(
    http: httpx.AsyncClient, method: str
) -> None:
    answer = await http.request(method, "/workers/none/drain")

    assert answer.status_code == 404
    assert answer.json()["type"] == "/problems/WorkerNotFound"


async def test_every_preset_is_listed_with_its_ladder(http: httpx.AsyncClient) -> None:
    answer = await http.get("/presets")

    assert answer.status_code == 200
    listed = {preset["name"]: preset for preset in answer.json()}
    assert sorted(listed) == sorted(presets.names())
    for name, preset in listed.items():
        shipped = presets.load(name)
        assert preset["description"] == shipped.description
        assert preset["ladder"] == shipped.ladder.model_dump(mode="json")


async def test_health_answers_even_when_the_scheduler_does_not(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.failing = SchedulerUnavailable("the scheduler does not answer")

    answer = await http.get("/health")

    assert answer.status_code == 200
    assert answer.json() == {"up": True, "version": version("ffrtmp-ray")}


async def test_a_ready_farm_says_so(http: httpx.AsyncClient) -> None:
    answer = await http.get("/ready")

    assert answer.status_code == 200
    assert answer.json()["ready"] is True


async def test_a_farm_that_is_not_ready_answers_503_and_says_what_it_lacks(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    gateway.ready_now = ReadyView(
        ready=False, scheduler=True, store=True, workers=0, reasons=("there is no worker",)
    )

    answer = await http.get("/ready")

    assert answer.status_code == 503
    assert ReadyView.model_validate(answer.json()) == gateway.ready_now
