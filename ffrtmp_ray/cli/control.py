"""`ffrtmp pause`, `resume`, `cancel` and `retry`."""

from __future__ import annotations

from ffrtmp_ray.cli.each import each_of
from ffrtmp_ray.cli.options import ADDRESS, Address, AsJson, JobIdArguments
from ffrtmp_ray.views import Action


def pause(job_ids: JobIdArguments, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Suspend what runs of these jobs and hold the rest, until they are resumed."""
    _control(job_ids, Action.PAUSE, address, as_json)


def resume(job_ids: JobIdArguments, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Let paused jobs go on."""
    _control(job_ids, Action.RESUME, address, as_json)


def cancel(job_ids: JobIdArguments, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """End these jobs. Refused once a job's output is being published."""
    _control(job_ids, Action.CANCEL, address, as_json)


def retry(job_ids: JobIdArguments, address: Address = ADDRESS, as_json: AsJson = False) -> None:
    """Take up failed or canceled jobs again; what they have finished is kept."""
    _control(job_ids, Action.RETRY, address, as_json)


def _control(job_ids: list[str], action: Action, address: str, as_json: bool) -> None:
    each_of(job_ids, lambda farm, job_id: farm.control(job_id, action), address, as_json)
