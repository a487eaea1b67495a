"""What the API says of itself beyond its routes: its description, and problems by their own name.

FastAPI documents every body as `application/json`; problems are `application/problem+json`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI

from .problems import MEDIA_TYPE, ProblemDetails

SUMMARY = "A transcoding farm: FFmpeg jobs, scheduled across machines."
DESCRIPTION = """
A **job** makes one output, or a ladder of renditions, from one input. `POST /jobs` answers when
the job is stored: an accepted job is never lost. Its `state` then goes from `pending` over
`queued`, `assigned` and `processing` to `completed`, `failed` or `canceled`.

Times are seconds since 1970 (UTC), durations are seconds, sizes are bytes.

Every error is a problem (RFC 9457, `application/problem+json`): `detail` says what was wrong,
`where` in which field or file, `remedy` what would be right. A `503` and a
`429` may succeed when they are sent again, after the seconds that `Retry-After` says.
"""
TAGS = (
    {"name": "jobs", "description": "Submit, look at and control jobs."},
    {"name": "uploads", "description": "Send files to be the inputs of jobs."},
    {"name": "presets", "description": "The ladders that come with a name."},
    {"name": "workers", "description": "The machines' workers and how busy they are."},
    {"name": "health", "description": "Whether the farm is up and ready, and its metrics."},
    {"name": "problems", "description": "The kinds of error."},
)
_PROBLEM_SCHEMA = {"$ref": f"#/components/schemas/{ProblemDetails.__name__}"}


def describe(app: FastAPI) -> None:
    """Give `app` an OpenAPI document whose problems have their own media type."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        document = generate()
        if fresh:
            for content in _contents(document):
                if content.get("application/json", {}).get("schema") == _PROBLEM_SCHEMA:
                    content[MEDIA_TYPE] = content.pop("application/json")
        return document

    app.openapi = openapi  # type: ignore[method-assign]  # as FastAPI's documentation has it


def _contents(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        for operation in path.values():
            for response in operation["responses"].values():
                yield response.get("content", {})
