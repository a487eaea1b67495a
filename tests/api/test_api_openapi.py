"""What the API says of itself."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate

ROUTES = {
    ("/jobs", "post"),
    ("/jobs", "get"),
    ("/jobs:batch", "post"),
    ("/jobs/{job_id}", "get"),
    ("/jobs/{job_id}", "patch"),
    ("/jobs/{job_id}/logs", "get"),
    ("/jobs/{job_id}/pause", "post"),
    ("/jobs/{job_id}/resume", "post"),
    ("/jobs/{job_id}/cancel", "post"),
    ("/jobs/{job_id}/retry", "post"),
    ("/uploads/{name}", "put"),
    ("/uploads/{name}", "get"),
    ("/uploads/{name}", "head"),
    ("/uploads/{name}", "delete"),
    ("/workers", "get"),
    ("/workers/{worker_id}/drain", "post"),
    ("/workers/{worker_id}/drain", "delete"),
    ("/presets", "get"),
    ("/health", "get"),
    ("/ready", "get"),
    ("/metrics", "get"),
    ("/problems", "get"),
    ("/problems/{name}", "get"),
}


@pytest.fixture
async def document(http: httpx.AsyncClient) -> dict[str, Any]:
    answer = await http.get("/openapi.json")
    assert answer.status_code == 200
    return answer.json()


def test_the_document_is_valid_openapi(document: dict[str, Any]) -> None:
    validate(document)


def test_every_route_is_documented_with_a_summary_and_a_tag(document: dict[str, Any]) -> None:
    operations = {
        (path, method): operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }

    assert operations.keys() == ROUTES
    tags = {tag["name"] for tag in document["tags"]}
    for operation in operations.values():
        assert operation["summary"]
        assert set(operation["tags"]) <= tags


def test_every_error_is_documented_as_a_problem(document: dict[str, Any]) -> None:
    problem = {
        "application/problem+json": {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}
    }
    for path, methods in document["paths"].items():
        for operation in methods.values():
            for status, response in operation["responses"].items():
                if status == "default" or (status >= "400" and path != "/ready"):
                    assert response["content"] == problem, (path, status)

    submit = document["paths"]["/jobs"]["post"]["responses"]
    assert submit.keys() == {"201", "409", "422", "429", "503", "default"}
    assert "`OutputExists`" in submit["409"]["description"]
    assert "Retry-After" in submit["429"]["headers"]
    assert "Location" in submit["201"]["headers"]


async def test_the_examples_of_a_submission_are_accepted(
    http: httpx.AsyncClient, document: dict[str, Any]
) -> None:
    body = document["paths"]["/jobs"]["post"]["requestBody"]["content"]["application/json"]

    assert body["examples"].keys() == {"preset", "ladder"}
    for example in body["examples"].values():
        assert (await http.post("/jobs", json=example["value"])).status_code == 201


async def test_the_pages_at_docs_need_nothing_from_elsewhere(http: httpx.AsyncClient) -> None:
    page = await http.get("/docs")

    assert page.status_code == 200
    fetched = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert fetched
    for url in fetched:
        assert url.startswith("/"), f"{url} is on another server"
        assert (await http.get(url)).status_code == 200
