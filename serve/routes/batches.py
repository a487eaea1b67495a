"""Many jobs in one request: each is checked, accepted or refused by itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from ffrtmp_ray.errors import InvalidRequest, Problem, SchedulerUnavailable, StoreUnavailable
from ffrtmp_ray.media.spec import MOST_IN_BATCH, JobSpec
from ffrtmp_ray.views import JobView

from ..ports import TheGateway
from ..problems import ProblemDetails, details, documented, invalid
from ..validation import field_errors

router = APIRouter(tags=["jobs"])

PATH = "/jobs:batch"


class Batch(BaseModel):
    model_config = ConfigDict(extra="forbid")

    # Checked one by one, lest a wrong one refuse them all.
    jobs: Annotated[
        list[SkipValidation[JobSpec]],
        Field(min_length=1, max_length=MOST_IN_BATCH, description="What POST /jobs takes, each."),
    ]


class BatchAnswer(BaseModel):
    """Of one job of a batch: either it, or why it was refused."""

    job: JobView | None = None
    problem: ProblemDetails | None = None


class BatchAnswers(BaseModel):
    accepted: int = Field(description="How many were accepted and are stored.")
    refused: int
    answers: list[BatchAnswer] = Field(description="One for each job, in the order of the request.")


@router.post(
    PATH,
    summary="Submit many jobs",
    responses=documented(InvalidRequest, SchedulerUnavailable, StoreUnavailable),
)
async def submit_many(batch: Batch, gateway: TheGateway, request: Request) -> BatchAnswers:
    """Up to 1,000 jobs, all stored in one commit. Each gets its answer, in the order of the
    request: one that is refused costs the others nothing, and the status is 200 all the same.
    `problem` is what POST /jobs would have answered, `429` for a full queue among them."""
    checked = [_checked(request, job) for job in batch.jobs]
    specs = [each for each in checked if isinstance(each, JobSpec)]
    done = iter(await gateway.submit_many(specs))
    answers = [
        BatchAnswer(problem=each)
        if isinstance(each, ProblemDetails)
        else _answer(request, next(done))
        for each in checked
    ]
    accepted = sum(answer.job is not None for answer in answers)
    return BatchAnswers(accepted=accepted, refused=len(answers) - accepted, answers=answers)


def _checked(request: Request, job: object) -> JobSpec | ProblemDetails:
    try:
        return JobSpec.model_validate(job)
    except ValidationError as error:
        return invalid(request, field_errors(_in_body(error), JobSpec))


def _in_body(error: ValidationError) -> Sequence[dict[str, object]]:
    """Its errors as those of a request whose body is the job."""
    return [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]


def _answer(request: Request, done: JobView | Problem) -> BatchAnswer:
    if isinstance(done, Problem):
        return BatchAnswer(problem=details(request, done))
    return BatchAnswer(job=done)
