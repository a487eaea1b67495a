"""Jobs over HTTP: submit, list, look at, control, logs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response, status
from fastapi.openapi.models import Example

from ffrtmp_ray.errors import (
    Conflict,
    InputRefused,
    InvalidRequest,
    JobNotFound,
    OutputExists,
    OutputRefused,
    QueueFull,
    SchedulerUnavailable,
    StoreUnavailable,
    UnknownPreset,
)
from ffrtmp_ray.media.spec import JobChange, JobSpec
from ffrtmp_ray.views import Action, JobDetail, JobList, LogView

from ..listing import Listing
from ..ports import TheGateway
from ..problems import documented

router = APIRouter(prefix="/jobs", tags=["jobs"])

WHO = "http"
"""Who the audit trail names for what comes this way."""

JobIdPath = Annotated[str, Path(description="The job's id.", max_length=200)]

_AWAY = (SchedulerUnavailable, StoreUnavailable)
_REFUSALS = (InvalidRequest, InputRefused, OutputRefused, OutputExists, UnknownPreset, QueueFull)
_ON_ONE_JOB = documented(JobNotFound, InvalidRequest, *_AWAY)
_ON_CONTROL = documented(JobNotFound, Conflict, InvalidRequest, *_AWAY)
_EXAMPLES = {
    "preset": Example(
        summary="One file, by a preset",
        value={
            "input": "/srv/in/film.mov",
            "output": "/srv/out/film.mp4",
            "preset": "h264-720p",
            "priority": "high",
            "labels": {"title": "film"},
        },
    ),
    "ladder": Example(
        summary="A folder of two renditions, by a ladder of your own",
        value={
            "input": "/srv/in/film.mov",
            "output": "/srv/out/film",
            "ladder": {
                "renditions": [
                    {"name": "high", "codec": "h264", "height": 1080, "crf": 21},
                    {"name": "low", "codec": "h264", "height": 360, "crf": 24},
                ],
                "audio": {"codec": "aac", "bitrate": 128000},
            },
            "queue": "batch",
        },
    ),
}


@router.post(
    "",
    summary="Submit a job",
    status_code=status.HTTP_201_CREATED,
    responses={
        **documented(*_REFUSALS, *_AWAY),
        status.HTTP_201_CREATED: {
            "description": "Accepted and stored.",
            "headers": {
                "Location": {"description": "The job's path.", "schema": {"type": "string"}}
            },
        },
    },
)
async def submit(
    spec: Annotated[JobSpec, Body(openapi_examples=_EXAMPLES)],
    gateway: TheGateway,
    request: Request,
    response: Response,
) -> JobDetail:
    """Answers when the job is stored. What can be known at once is checked at once: the
    input's presence, the output's absence, the allowed folders, the preset's name. The rest
    is found when the job is planned, and makes it `failed`, with the reason."""
    accepted = await gateway.submit(spec)
    root = request.scope.get("root_path", "")
    response.headers["Location"] = f"{root}{router.prefix}/{accepted.id}"
    return accepted


@router.get("", summary="List jobs", responses=documented(InvalidRequest, *_AWAY))
async def jobs(listing: Annotated[Listing, Query()], gateway: TheGateway) -> JobList:
    """Newest first, a page at a time; `next_cursor` of a page is the `cursor` of the next."""
    return await gateway.jobs(listing.query)


@router.get("/{job_id}", summary="Show a job", responses=_ON_ONE_JOB)
async def job(job_id: JobIdPath, gateway: TheGateway) -> JobDetail:
    """All that is known of it: spec, state, progress, tasks with their attempts, transitions."""
    return await gateway.job(job_id)


@router.get("/{job_id}/logs", summary="Show a job's logs", responses=_ON_ONE_JOB)
async def logs(job_id: JobIdPath, gateway: TheGateway) -> list[LogView]:
    """The end of what each attempt has printed: ended ones, oldest first, then those that run."""
    return await gateway.logs(job_id)


@router.patch("/{job_id}", summary="Change a job", responses=_ON_CONTROL)
async def change(job_id: JobIdPath, wanted: JobChange, gateway: TheGateway) -> JobDetail:
    """Gives an unfinished job another queue or priority, and with it another place in the order,
    or other labels. What runs of it runs on."""
    return await gateway.change(job_id, wanted, WHO)


@router.post("/{job_id}/pause", summary="Pause a job", responses=_ON_CONTROL)
async def pause(job_id: JobIdPath, gateway: TheGateway) -> JobDetail:
    """Suspends what runs and holds the rest, until the job is resumed."""
    return await gateway.control(job_id, Action.PAUSE, WHO)


@router.post("/{job_id}/resume", summary="Resume a paused job", responses=_ON_CONTROL)
async def resume(job_id: JobIdPath, gateway: TheGateway) -> JobDetail:
    """Goes on where the job was paused."""
    return await gateway.control(job_id, Action.RESUME, WHO)


@router.post("/{job_id}/cancel", summary="Cancel a job", responses=_ON_CONTROL)
async def cancel(job_id: JobIdPath, gateway: TheGateway) -> JobDetail:
    """Ends its processes. Refused once its output is being published."""
    return await gateway.control(job_id, Action.CANCEL, WHO)


@router.post("/{job_id}/retry", summary="Retry a job", responses=_ON_CONTROL)
async def retry(job_id: JobIdPath, gateway: TheGateway) -> JobDetail:
    """Takes up a failed or canceled job again; what it has finished is kept."""
    return await gateway.control(job_id, Action.RETRY, WHO)
