"""Errors as HTTP answers: the one table of status codes, and the body that says what was wrong.

Bodies are RFC 9457 problem details. Nothing here knows a route; nothing else picks a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, cast

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from ffrtmp_ray import errors

from .validation import FieldError, field_errors

STATUS: Mapping[type[errors.FfrtmpError], HTTPStatus] = {
    errors.CallerError: HTTPStatus.BAD_REQUEST,
    errors.InvalidRequest: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.InputRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OutputRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OutputExists: HTTPStatus.CONFLICT,
    errors.UnknownPreset: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.JobNotFound: HTTPStatus.NOT_FOUND,
    errors.WorkerNotFound: HTTPStatus.NOT_FOUND,
    errors.UploadNotFound: HTTPStatus.NOT_FOUND,
    errors.Conflict: HTTPStatus.CONFLICT,
    errors.Unavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.SchedulerUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    errors.StoreUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.StorageUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Superseded: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""Status by error. An error that is not here is a defect of the server: 500, without a word of
its insides."""

MEDIA_TYPE = "application/problem+json"
BLANK = "about:blank"
"""RFC 9457's type for a problem that is no more than its status code."""

_REMEDIES: Mapping[int, str] = {
    HTTPStatus.NOT_FOUND: "/docs lists what there is",
    HTTPStatus.METHOD_NOT_ALLOWED: "/docs lists the methods of each path; so does `Allow` here",
    HTTPStatus.LENGTH_REQUIRED: "send `Content-Length`",
    HTTPStatus.INSUFFICIENT_STORAGE: "remove something, or add a disk for FFRTMP_WORKSPACE",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "send less; FFRTMP_UPLOAD_MAX_BYTES is for /uploads",
}
_RETRY_AFTER_SECONDS: Mapping[int, str] = {
    HTTPStatus.SERVICE_UNAVAILABLE: "1",  # a scheduler that died answers again after about this
    HTTPStatus.TOO_MANY_REQUESTS: "10",  # jobs take from seconds to hours; asking costs little
}
_RETRY_AFTER = {
    "Retry-After": {
        "description": "Seconds after which to send the request again.",
        "schema": {"type": "integer"},
    }
}


class ProblemDetails(BaseModel):
    """What went wrong and what would be right, as RFC 9457 has it."""

    type: str = Field(
        description="Identifies the kind of problem; a path that describes it, or `about:blank`.",
        examples=["/problems/JobNotFound"],
    )
    title: str = Field(description="The kind in a sentence.", examples=["No job has that id."])
    status: int = Field(description="The HTTP status.", examples=[404])
    detail: str = Field(
        description="What was wrong this time.", examples=["there is no job j-20260101-0042"]
    )
    instance: str = Field(
        description="The path that was asked for.", examples=["/jobs/j-20260101-0042"]
    )
    where: str | None = Field(default=None, description="The field, file or object it is about.")
    remedy: str | None = Field(
        default=None, description="What would be right.", examples=["`ffrtmp jobs` lists them"]
    )
    errors: tuple[FieldError, ...] | None = Field(
        default=None, description="Every wrong field, when the request itself was."
    )


def title(kind: type[errors.FfrtmpError]) -> str:
    """The first sentence of the error's docstring: the same at each occurrence."""
    return (kind.__doc__ or kind.__name__).split("\n")[0]


def install(app: FastAPI) -> None:
    """Make every error that leaves a route of `app` a problem."""
    app.exception_handler(errors.FfrtmpError)(_on_error)
    app.exception_handler(RequestValidationError)(_on_invalid)
    app.exception_handler(HTTPException)(_on_http)
    app.exception_handler(Exception)(_on_defect)


def documented(*kinds: type[errors.FfrtmpError]) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that raises `kinds`, for the OpenAPI document."""
    sentences: dict[int, list[str]] = {}
    for kind in kinds:
        sentences.setdefault(STATUS[kind].value, []).append(f"`{kind.__name__}`: {title(kind)}")
    responses: dict[int | str, dict[str, Any]] = {
        status: {"model": ProblemDetails, "description": " ".join(lines)}
        for status, lines in sorted(sentences.items())
    }
    for status, response in responses.items():
        if status in _RETRY_AFTER_SECONDS:
            response["headers"] = _RETRY_AFTER
    responses["default"] = {"model": ProblemDetails, "description": "Any other problem."}
    return responses


def _on_error(request: Request, error: errors.FfrtmpError) -> Response:
    if type(error) not in STATUS:
        raise error  # a defect: to the log, and to `_on_defect`
    return _answer(details(request, error.problem))


def _on_invalid(request: Request, error: RequestValidationError) -> Response:
    return _answer(invalid(request, field_errors(error.errors(), _body_of(request))))


def _body_of(request: Request) -> type[BaseModel]:
    """The model that the body of the request's route is checked against."""
    field = request.scope["route"].body_field
    return cast(type[BaseModel], field.field_info.annotation) if field else BaseModel


def _on_http(request: Request, error: HTTPException) -> Response:
    """Problems that are the framework's: no such path, no such method, a body too large."""
    status = HTTPStatus(error.status_code)
    said = error.detail if error.detail != status.phrase else status.description
    problem = ProblemDetails(
        type=BLANK,
        title=status.phrase,
        status=status,
        detail=f"{request.method} {request.url.path}: {said}",
        instance=request.url.path,
        remedy=_REMEDIES.get(status),
    )
    return _answer(problem, error.headers)


def _on_defect(request: Request, _: Exception) -> Response:
    """Whoever runs the server finds the traceback in its log; the caller is told nothing of it."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    problem = ProblemDetails(
        type=BLANK,
        title=status.phrase,
        status=status,
        detail="the server has failed in a way that it should not; its log says how",
        instance=request.url.path,
    )
    return _answer(problem)


def details(
    request: Request,
    problem: errors.Problem,
    fields: tuple[FieldError, ...] | None = None,
) -> ProblemDetails:
    """What `problem` is in HTTP's words. Raises KeyError for one that no caller should meet."""
    kind = type(errors.from_problem(problem))
    return ProblemDetails(
        type=f"{request.scope.get('root_path', '')}/problems/{kind.__name__}",
        title=title(kind),
        status=STATUS[kind],
        detail=problem.message,
        instance=request.url.path,
        where=problem.where,
        remedy=problem.remedy,
        errors=fields,
    )


def invalid(request: Request, fields: tuple[FieldError, ...]) -> ProblemDetails:
    """The problem of a request whose `fields` are wrong."""
    if len(fields) == 1:
        error = errors.InvalidRequest(fields[0].message, where=fields[0].where)
    else:
        listed = "; ".join(f"{field.where}: {field.message}" for field in fields)
        error = errors.InvalidRequest(f"{len(fields)} fields are wrong: {listed}")
    return details(request, error.problem, fields)


def _answer(problem: ProblemDetails, headers: Mapping[str, str] | None = None) -> Response:
    later = _RETRY_AFTER_SECONDS.get(problem.status)
    if later is not None:
        headers = {"Retry-After": later, **(headers or {})}
    return Response(
        problem.model_dump_json(exclude_none=True),
        status_code=problem.status,
        headers=headers,
        media_type=MEDIA_TYPE,
    )
