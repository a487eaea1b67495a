"""Errors over HTTP: the status of each, and a body that says what would be right."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest
from fake_gateway import FakeGateway

from ffrtmp_ray import errors
from ffrtmp_ray.media.spec import Rendition
from serve.api import MAX_BODY_BYTES, make_app
from serve.problems import STATUS

SPEC = {"input": "/in/a.mov", "output": "/out/a.mp4", "preset": "h264-720p"}

EXPECTED = {
    errors.CallerError: 400,
    errors.InvalidRequest: 422,
    errors.InputRefused: 422,
    errors.OutputRefused: 422,
    errors.OutputExists: 409,
    errors.UnknownPreset: 422,
    errors.JobNotFound: 404,
    errors.WorkerNotFound: 404,
    errors.UploadNotFound: 404,
    errors.Conflict: 409,
    errors.Unavailable: 503,
    errors.SchedulerUnavailable: 503,
    errors.QueueFull: 429,
    errors.StoreUnavailable: 503,
    errors.StorageUnavailable: 503,
    errors.Superseded: 503,
}


def _tree(kind: type[errors.FfrtmpError]) -> set[type[errors.FfrtmpError]]:
    return {kind}.union(*map(_tree, kind.__subclasses__()))


def _is_problem(answer: httpx.Response) -> bool:
    body = answer.json()
    return (
        answer.headers["content-type"] == "application/problem+json"
        and {"type", "title", "status", "detail", "instance"} <= body.keys()
        and body["status"] == answer.status_code
    )


@pytest.mark.parametrize(("kind", "status"), EXPECTED.items())
async def test_an_error_becomes_a_problem_with_its_status(
    http: httpx.AsyncClient,
    gateway: FakeGateway,
    kind: type[errors.FfrtmpError],
    status: int,
) -> None:
    gateway.failing = kind("it is wrong", where="preset", remedy="do it right")

    answer = await http.post("/jobs", json=SPEC)

    assert answer.status_code == status
    assert _is_problem(answer)
    assert answer.json() == {
        "type": f"/problems/{kind.__name__}",
        "title": kind.__doc__.split("\n")[0] if kind.__doc__ else "",
        "status": status,
        "detail": "it is wrong",
        "instance": "/jobs",
        "where": "preset",
        "remedy": "do it right",
    }
    assert answer.headers.get("retry-after") == {503: "1", 429: "10"}.get(status)


def test_every_error_that_a_caller_can_meet_has_a_status() -> None:
    callers = _tree(errors.CallerError) | _tree(errors.Unavailable)

    assert callers <= STATUS.keys()
    assert EXPECTED == STATUS


async def test_the_type_of_a_problem_leads_to_its_explanation(
    http: httpx.AsyncClient,
) -> None:
    problem = (await http.get("/jobs/none")).json()

    explained = await http.get(problem["type"])

    assert explained.status_code == 200
    assert explained.json() == {
        "name": "JobNotFound",
        "status": 404,
        "title": "No job has that id.",
    }
    assert explained.json() in (await http.get("/problems")).json()
    assert (await http.get("/problems/None")).status_code == 404


@pytest.mark.parametrize(
    ("change", "where", "message"),
    [
        ({"input": None}, "input", "should be a valid string"),
        (
            {"priority": "urgent"},
            "priority",
            "should be 'high', 'medium' or 'low', not 'urgent'",
        ),
        (
            {"max_attempts": 0},
            "max_attempts",
            "should be greater than or equal to 1, not 0",
        ),
        (
            {"priorty": "high"},
            "priorty",
            "there is no such field; did you mean `priority`?",
        ),
        (
            {"labels": {"a b": "c"}},
            "labels",
            "label 'a b': a key has 1 to 64 letters, digits or _./-, "
            "a value at most 256 characters",
        ),
        (
            {"ladder": {"renditions": [], "audio": None}, "preset": None},
            "ladder",
            "give renditions; without any, give `audio` and no `packaging`",
        ),
        (
            {
                "preset": None,
                "ladder": {"renditions": [{"name": "a", "codec": "h264", "crf": 99}]},
            },
            "ladder.renditions[0].crf",
            "should be less than or equal to 63, not 99",
        ),
        (
            {
                "preset": None,
                "ladder": {"renditions": [{"name": "a", "codec": "h264", "crf": 9, "zzz": 1}]},
            },
            "ladder.renditions[0].zzz",
            f"there is no such field; there are {', '.join(Rendition.model_fields)}",
        ),
        (
            {"not_before": "2030-01-31T18:00"},
            "not_before",
            "should have timezone info, not '2030-01-31T18:00'",
        ),
        (
            {"not_before": "2030-01-31T18:00Z", "deadline": "2030-01-31T18:59+01:00"},
            "body",
            "`deadline` should be later than `not_before`",
        ),
        (
            {"sounds": 1.5},
            "sounds",
            "should be 'first' or 'all', not 1.5, or should be a valid list, not 1.5",
        ),
        (
            {"sounds": []},
            "sounds",
            "should be 'first' or 'all', not [], or list should have at least 1 item, not 0",
        ),
        ({"labels": []}, "labels", "should be a JSON object"),
        ({"trim": []}, "trim", "should be a JSON object"),
        (
            {"subtitles": ["english"]},
            "subtitles[0]",
            "a language has three letters, as eng or deu, not 'english'",
        ),
        (
            {"preset": "H264 1080p"},
            "preset",
            "a name has small letters, digits, _ and -, 63 at most, not 'H264 1080p'",
        ),
        (
            {"preset": None},
            "body",
            "give either `preset` or `ladder`, one of the two",
        ),
    ],
)
async def test_a_wrong_field_is_named_with_what_would_be_right(
    http: httpx.AsyncClient, change: dict[str, object], where: str, message: str
) -> None:
    answer = await http.post("/jobs", json={**SPEC, **change})

    assert answer.status_code == 422
    assert _is_problem(answer)
    body = answer.json()
    assert body["type"] == "/problems/InvalidRequest"
    assert body["errors"] == [{"where": where, "message": message}]
    assert (body["where"], body["detail"]) == (where, message)


async def test_all_wrong_fields_are_named_at_once(http: httpx.AsyncClient) -> None:
    answer = await http.post("/jobs", json={"preset": "x", "queue": "slow"})

    body = answer.json()
    assert [field["where"] for field in body["errors"]] == ["input", "output", "queue"]
    assert body["detail"] == (
        "3 fields are wrong: input: is required; output: is required; "
        "queue: should be 'live', 'default' or 'batch', not 'slow'"
    )
    assert "where" not in body


@pytest.mark.parametrize(
    ("content", "content_type", "message"),
    [
        (b"{", "application/json", "is not JSON: "),
        (b"[]", "application/json", "should be a JSON object"),
        (
            b"{}",
            "text/plain",
            "should be a JSON object, sent with `Content-Type: application/json`",
        ),
        (b"", "application/json", "is required"),
        (b'{"timeout_seconds": 1e999}', "application/json", "should be a finite number"),
        (b'{"input": "\xff"}', "application/json", "error parsing the body"),
    ],
)
async def test_a_body_that_is_no_spec_is_refused(
    http: httpx.AsyncClient, content: bytes, content_type: str, message: str
) -> None:
    answer = await http.post("/jobs", content=content, headers={"Content-Type": content_type})

    assert answer.status_code in (400, 422)
    assert _is_problem(answer)
    assert message in answer.json()["detail"]


@pytest.mark.parametrize(
    ("query", "where", "message"),
    [
        ("state=done", "state[0]", "should be 'pending', 'queued', 'assigned', "),
        ("queue=fast", "queue[0]", "should be 'live', 'default' or 'batch', not 'fast'"),
        ("limit=0", "limit", "should be greater than or equal to 1, not '0'"),
        ("limit=501", "limit", "should be less than or equal to 500, not '501'"),
        ("cursor=abc", "cursor", "should be a valid integer"),
        ("states=queued", "states", "there is no such field; did you mean `state`?"),
    ],
)
async def test_a_wrong_query_is_refused_and_never_overlooked(
    http: httpx.AsyncClient, query: str, where: str, message: str
) -> None:
    answer = await http.get(f"/jobs?{query}")

    assert answer.status_code == 422
    assert _is_problem(answer)
    assert answer.json()["where"] == where
    assert message in answer.json()["detail"]


async def test_a_path_that_is_not_there_is_a_problem(http: httpx.AsyncClient) -> None:
    answer = await http.get("/job")

    assert answer.status_code == 404
    assert _is_problem(answer)
    assert answer.json()["type"] == "about:blank"
    assert "/docs" in answer.json()["remedy"]


async def test_a_method_that_is_not_there_is_a_problem_that_names_those_that_are(
    http: httpx.AsyncClient,
) -> None:
    answer = await http.delete("/jobs/job-1")

    assert answer.status_code == 405
    assert _is_problem(answer)
    assert answer.headers["allow"] in ("GET", "PATCH")


@pytest.mark.parametrize("declared", [True, False])
async def test_a_body_over_the_limit_is_refused_whether_it_says_its_size_or_not(
    http: httpx.AsyncClient, gateway: FakeGateway, declared: bool
) -> None:
    content = b"[" + b" " * MAX_BODY_BYTES + b"]"

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    answer = await http.post(
        "/jobs",
        content=content if declared else pieces(),
        headers={"Content-Type": "application/json"},
    )

    assert answer.status_code == 413
    assert _is_problem(answer)
    assert not gateway.jobs_by_id


@pytest.mark.parametrize(
    "defect",
    [
        RuntimeError("secret insides"),
        errors.IllegalTransition("secret insides"),
        errors.MachineError("secret insides"),
        errors.FfrtmpError("secret insides"),
    ],
)
async def test_a_defect_tells_the_caller_nothing_of_its_insides(
    http: httpx.AsyncClient, gateway: FakeGateway, defect: Exception
) -> None:
    gateway.failing = defect

    answer = await http.get("/jobs")

    assert answer.status_code == 500
    assert _is_problem(answer)
    assert "secret" not in answer.text


async def test_a_defect_is_raised_on_for_the_log(gateway: FakeGateway) -> None:
    gateway.failing = errors.IllegalTransition("from completed to queued")
    transport = httpx.ASGITransport(make_app(gateway))
    async with httpx.AsyncClient(transport=transport, base_url="http://farm") as http:
        with pytest.raises(errors.IllegalTransition, match="completed"):
            await http.get("/jobs")


@pytest.mark.parametrize("path", ["", "/logs"])
async def test_a_job_that_is_not_there_is_not_found(http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/jobs/none{path}")

    assert answer.status_code == 404
    assert answer.json()["detail"] == "there is no job none"


async def test_a_control_that_the_state_forbids_is_a_conflict(
    http: httpx.AsyncClient, gateway: FakeGateway
) -> None:
    job = gateway.add(state="completed")

    answer = await http.post(f"/jobs/{job.id}/cancel")

    assert answer.status_code == 409
    assert answer.json()["type"] == "/problems/Conflict"
