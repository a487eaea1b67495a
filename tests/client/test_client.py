"""The farm from Python, against the real API on a real port."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

import httpx
import pytest
from fake_gateway import FakeGateway, a_worker
from served import free_port

from ffrtmp_ray import errors
from ffrtmp_ray.client import Client
from ffrtmp_ray.core.model import JobState, Queue
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.views import Action, LogView, ReadyView

SPEC = JobSpec(input="/in/a.mov", output="/out/a.mp4", preset="h264-720p", queue=Queue.BATCH)


def test_a_submitted_job_can_be_looked_at(farm: Client) -> None:
    job = farm.submit(SPEC)

    assert (job.state, job.queue, job.preset) == (JobState.PENDING, Queue.BATCH, "h264-720p")
    assert farm.job(job.id) == job


def test_a_mapping_is_submitted_as_it_is_and_checked_by_the_farm(farm: Client) -> None:
    assert farm.submit({"input": "/a.mov", "output": "/b.mp4", "preset": "x"}).preset == "x"

    with pytest.raises(errors.InvalidRequest, match="did you mean `preset`") as caught:
        farm.submit({"input": "/a.mov", "output": "/c.mp4", "presett": "x"})
    assert caught.value.where == "presett"


def test_each_job_of_a_batch_is_answered_by_itself(farm: Client, gateway: FakeGateway) -> None:
    first, taken, wrong, last = farm.submit_many(
        [SPEC, SPEC, {"input": "/a.mov"}, {"input": "/a.mov", "output": "/c.mp4", "preset": "web"}]
    )

    assert [getattr(each, "id", None) for each in (first, last)] == list(gateway.jobs_by_id)
    assert taken == errors.Problem(
        "OutputExists", "/out/a.mp4 exists", "output", "name one that does not"
    )
    assert isinstance(wrong, errors.Problem)
    assert type(errors.from_problem(wrong)) is errors.InvalidRequest
    with pytest.raises(errors.InvalidRequest, match="at least 1"):
        farm.submit_many([])


def test_an_error_arrives_as_it_was_raised(farm: Client) -> None:
    farm.submit(SPEC)

    with pytest.raises(errors.OutputExists) as caught:
        farm.submit(SPEC)

    assert caught.value.problem == errors.Problem(
        "OutputExists", "/out/a.mp4 exists", "output", "name one that does not"
    )


@pytest.mark.parametrize(
    "kind",
    [errors.Conflict, errors.QueueFull, errors.SchedulerUnavailable, errors.StoreUnavailable],
)
def test_each_kind_of_error_keeps_its_kind(
    farm: Client, gateway: FakeGateway, kind: type[errors.FfrtmpError]
) -> None:
    gateway.failing = kind("it is so")

    with pytest.raises(kind, match=r"^it is so$"):
        farm.workers()


def test_listing_fetches_every_page(farm: Client, gateway: FakeGateway) -> None:
    submitted = [gateway.add().id for _ in range(250)]

    assert [job.id for job in farm.jobs()] == submitted[::-1]
    assert len(gateway.queries) == 3


def test_a_listing_is_fetched_only_as_far_as_it_is_used(farm: Client, gateway: FakeGateway) -> None:
    newest = [gateway.add().id for _ in range(250)][-1]

    assert next(farm.jobs()).id == newest
    assert len(gateway.queries) == 1


def test_a_listing_is_filtered_by_the_farm(farm: Client, gateway: FakeGateway) -> None:
    gateway.add(state="failed", owner="ann")
    wanted = gateway.add(state="failed", owner="ann", queue="live")
    gateway.add(state="queued", owner="ann", queue="live")
    gateway.add(state="failed", owner="ben", queue="live")

    found = farm.jobs(states=[JobState.FAILED], queues=[Queue.LIVE], owner="ann")

    assert [job.id for job in found] == [wanted.id]


@pytest.mark.parametrize(
    ("control", "action", "before", "after"),
    [
        (Client.pause, Action.PAUSE, JobState.PROCESSING, JobState.PAUSED),
        (Client.resume, Action.RESUME, JobState.PAUSED, JobState.QUEUED),
        (Client.cancel, Action.CANCEL, JobState.QUEUED, JobState.CANCELED),
        (Client.retry, Action.RETRY, JobState.CANCELED, JobState.PENDING),
    ],
)
def test_a_job_is_controlled(
    farm: Client,
    gateway: FakeGateway,
    control: Callable[[Client, str], object],
    action: Action,
    before: JobState,
    after: JobState,
) -> None:
    job = gateway.add(state=before)

    assert control(farm, job.id) == gateway.jobs_by_id[job.id]
    assert gateway.jobs_by_id[job.id].state == after
    assert [done[:2] for done in gateway.controls] == [(job.id, action)]


def test_a_job_is_given_another_place_and_other_labels(farm: Client, gateway: FakeGateway) -> None:
    job = gateway.add(labels={"show": "pilot"})

    changed = farm.change(job.id, queue=Queue.LIVE, labels={})

    assert (changed.queue, changed.priority, changed.labels) == (Queue.LIVE, "medium", {})
    with pytest.raises(errors.InvalidRequest, match="at least one of"):
        farm.change(job.id)


def test_logs_and_workers_are_read(farm: Client, gateway: FakeGateway) -> None:
    job = gateway.add()
    gateway.log_views[job.id] = [LogView(attempt="a", text="Ünïcode\n")]
    gateway.worker_views = [a_worker()]

    assert farm.logs(job.id) == gateway.log_views[job.id]
    assert farm.workers() == gateway.worker_views


def test_a_worker_is_drained_and_given_work_again(farm: Client, gateway: FakeGateway) -> None:
    gateway.worker_views = [a_worker(id="worker 1")]

    assert farm.drain("worker 1").state == "draining"
    assert farm.drain("worker 1", on=False).state == "ready"
    with pytest.raises(errors.WorkerNotFound):
        farm.drain("none")


def test_readiness_is_an_answer_whether_it_is_yes_or_no(farm: Client, gateway: FakeGateway) -> None:
    assert farm.ready().ready

    gateway.ready_now = ReadyView(
        ready=False, scheduler=False, store=False, workers=0, reasons=("no scheduler",)
    )
    assert farm.ready() == gateway.ready_now


def test_an_id_is_never_taken_for_a_path(farm: Client) -> None:
    with pytest.raises(errors.FfrtmpError, match="Nothing matches"):
        farm.job("../workers")


# -------------------------------------------------------------------------------------- waiting


def test_watching_shows_each_change_once_up_to_the_end(farm: Client, gateway: FakeGateway) -> None:
    job = gateway.add(state="queued")
    gateway.script = [
        {},
        {"state": JobState.PROCESSING, "progress": 40.0},
        {},
        {"progress": 80.0},
        {"state": JobState.COMPLETED, "progress": 100.0},
    ]

    seen = [(view.state, view.progress) for view in farm.watch(job.id, interval=0)]

    assert seen == [("queued", 0), ("processing", 40), ("processing", 80), ("completed", 100)]


def test_waiting_outlasts_a_scheduler_that_is_started_anew(
    farm: Client, gateway: FakeGateway
) -> None:
    job = gateway.add(state="processing")
    away = errors.SchedulerUnavailable("it is being started")
    gateway.script = [{"raises": away}, {}, {"raises": away}, {"state": JobState.FAILED}]

    assert farm.wait(job.id, interval=0).state is JobState.FAILED


def test_waiting_without_an_answer_ends_with_the_patience(
    farm: Client, gateway: FakeGateway
) -> None:
    gateway.failing = errors.SchedulerUnavailable("gone")

    with pytest.raises(errors.SchedulerUnavailable):
        farm.wait("job-1", interval=0, patience=0)


def test_waiting_for_longer_than_the_timeout_is_a_timeout(
    farm: Client, gateway: FakeGateway
) -> None:
    job = gateway.add(state="processing")

    with pytest.raises(TimeoutError, match=f"job {job.id} has not ended within 0 s"):
        farm.wait(job.id, timeout=0, interval=0)


def test_waiting_for_a_job_that_is_not_there_is_an_error_at_once(farm: Client) -> None:
    with pytest.raises(errors.JobNotFound):
        farm.wait("none")


# --------------------------------------------------------------------------- a farm that is not


def test_a_farm_that_is_not_there_is_unavailable_and_the_remedy_says_what_to_do() -> None:
    port = free_port()

    with Client(f"http://127.0.0.1:{port}") as farm, pytest.raises(errors.Unavailable) as caught:
        farm.workers()

    assert str(port) in caught.value.message
    assert "ffrtmp up" in (caught.value.remedy or "")


def _answering(answer: httpx.Response | httpx.TransportError) -> Client:
    def handle(request: httpx.Request) -> httpx.Response:
        if isinstance(answer, httpx.TransportError):
            raise answer
        return answer

    return Client(transport=httpx.MockTransport(handle))


def test_a_connection_that_breaks_leaves_open_whether_it_was_done() -> None:
    farm = _answering(httpx.ReadTimeout("timed out"))

    with pytest.raises(errors.Unavailable, match="look before you ask again"):
        farm.submit(SPEC)


@pytest.mark.parametrize("status", [404, 502, 503, 504])
def test_a_proxy_without_a_farm_behind_it_is_unavailable(status: int) -> None:
    farm = _answering(httpx.Response(status, html="<h1>No server is available</h1>"))

    with pytest.raises(errors.Unavailable, match=str(status)):
        farm.workers()
    with pytest.raises(errors.Unavailable, match=str(status)):
        farm.ready()


def test_a_path_that_the_farm_itself_does_not_have_is_no_outage() -> None:
    problem = {"type": "about:blank", "status": 404, "detail": "GET /workers: nothing is there"}
    farm = _answering(httpx.Response(404, json=problem))

    with pytest.raises(errors.FfrtmpError, match="nothing is there") as caught:
        farm.workers()

    assert type(caught.value) is errors.FfrtmpError


@pytest.mark.parametrize("body", [b"<html>", b'{"jobs": 3}', b"[3]"])
def test_an_answer_of_something_else_is_an_error_not_a_crash(body: bytes) -> None:
    farm = _answering(httpx.Response(200, content=body))

    with pytest.raises(errors.FfrtmpError, match="does not understand"):
        farm.workers()


def test_an_error_that_this_version_does_not_know_keeps_its_words() -> None:
    problem = {"type": "/problems/QuotaExceeded", "detail": "too much", "remedy": "ask for less"}
    farm = _answering(httpx.Response(429, json=problem))

    with pytest.raises(errors.FfrtmpError, match=r"^too much \(ask for less\)$"):
        farm.submit(SPEC)


@pytest.mark.parametrize(
    "address", ["127.0.0.1:8000", "farm", "ftp://farm", "http://", "http://a:b"]
)
def test_an_address_that_is_no_url_is_refused(address: str) -> None:
    with pytest.raises(errors.InvalidRequest, match="is no URL"):
        Client(address)


def test_the_client_imports_neither_ray_nor_the_server() -> None:
    code = (
        "import sys, ffrtmp_ray.client\n"
        "print(sorted({'ray', 'serve', 'fastapi'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
