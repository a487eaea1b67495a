"""The farm from Python, over HTTP. Works where Ray is not installed, and must stay so.

with Client() as farm:
    job = farm.submit(JobSpec(input="/srv/in.mov", output="/srv/out.mp4", preset="h264-720p"))
    done = farm.wait(job.id)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from http import HTTPStatus
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from urllib.parse import quote

import httpx
from pydantic import BaseModel, TypeAdapter, ValidationError

from ffrtmp_ray import following
from ffrtmp_ray.address import DEFAULT_ADDRESS
from ffrtmp_ray.core.model import JobState, Priority, Queue
from ffrtmp_ray.errors import (
    FfrtmpError,
    InvalidRequest,
    Problem,
    Unavailable,
    UploadNotFound,
    from_problem,
)
from ffrtmp_ray.media.spec import JobSpec
from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.sending import pieces, send
from ffrtmp_ray.views import (
    Action,
    JobDetail,
    JobList,
    JobView,
    LogView,
    ReadyView,
    UploadView,
    WorkerView,
)

_PAGE_SIZE = 100
_AWAY = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.BAD_GATEWAY,
    HTTPStatus.SERVICE_UNAVAILABLE,
    HTTPStatus.GATEWAY_TIMEOUT,
)
"""What a proxy answers, in words of its own, for a farm that does not. Serve's proxy knows no path
at first when it is started anew."""

ViewT = TypeVar("ViewT")


class _Answer(BaseModel):
    """Of one job of a batch."""

    job: JobView | None = None
    problem: dict[str, Any] | None = None


class _Batch(BaseModel):
    answers: list[_Answer]


_JOB = TypeAdapter(JobDetail)
_BATCH = TypeAdapter(_Batch)
_PAGE = TypeAdapter(JobList)
_LOGS = TypeAdapter(list[LogView])
_WORKER = TypeAdapter(WorkerView)
_WORKERS = TypeAdapter(list[WorkerView])
_READY = TypeAdapter(ReadyView)
_UPLOAD = TypeAdapter(UploadView)


class Client:
    """One farm, over one pool of connections; a context manager that closes them.

    Every method raises the errors of `ffrtmp_ray.errors` as the farm raised them, and Unavailable
    when the farm does not answer. It may be shared between threads.
    """

    def __init__(
        self,
        address: str = DEFAULT_ADDRESS,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """`address` is the URL that `ffrtmp up` prints. `timeout` (seconds) is for each step of
        one request: to connect, to send, to be answered. A `transport` takes the network's place.
        Raises InvalidRequest for an address that is none.
        """
        self.address = _checked(address).rstrip("/")
        self._http = httpx.Client(base_url=self.address, timeout=timeout, transport=transport)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    # ---------------------------------------------------------------------------------- jobs

    def submit(self, spec: JobSpec | Mapping[str, Any]) -> JobDetail:
        """Have a job accepted and stored. A mapping is checked by the farm, as a JobSpec is.

        Raises InvalidRequest, InputRefused, OutputRefused, OutputExists, UnknownPreset or, where
        as many jobs wait as may, QueueFull: try again later.
        """
        return self._read(_JOB, self._answer("POST", "/jobs", json=_body(spec)))

    def submit_many(self, specs: Iterable[JobSpec | Mapping[str, Any]]) -> list[JobView | Problem]:
        """Have up to MOST_IN_BATCH jobs stored in one commit, and answer for each in their order.

        One that is refused is a Problem, and costs the others nothing; `errors.from_problem`
        makes the error of it. Raises InvalidRequest for no jobs, and for more.
        """
        body = {"jobs": [_body(spec) for spec in specs]}
        answered = self._read(_BATCH, self._answer("POST", "/jobs:batch", json=body))
        return [each.job or _problem(each.problem or {}) for each in answered.answers]

    def job(self, job_id: str) -> JobDetail:
        """Raises JobNotFound."""
        return self._read(_JOB, self._answer("GET", _path(job_id)))

    def jobs(
        self,
        *,
        states: Sequence[JobState] = (),
        queues: Sequence[Queue] = (),
        owner: str | None = None,
    ) -> Iterator[JobView]:
        """Jobs that pass every filter given, newest first; pages are fetched as they are used."""
        params: dict[str, Any] = {"state": list(states), "queue": list(queues), "limit": _PAGE_SIZE}
        if owner is not None:
            params["owner"] = owner
        while True:
            page = self._read(_PAGE, self._answer("GET", "/jobs", params=params))
            yield from page.jobs
            if page.next_cursor is None:
                return
            params["cursor"] = page.next_cursor

    def logs(self, job_id: str) -> list[LogView]:
        """The end of what each attempt has printed: ended ones, oldest first, then those that run.

        Raises JobNotFound.
        """
        return self._read(_LOGS, self._answer("GET", _path(job_id, "logs")))

    def change(
        self,
        job_id: str,
        *,
        queue: Queue | None = None,
        priority: Priority | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> JobDetail:
        """Give an unfinished job another queue or priority, or other labels (all of them).

        Raises JobNotFound, Conflict, and InvalidRequest where nothing is to be changed.
        """
        wishes = {"queue": queue, "priority": priority, "labels": labels}
        body = {name: wish for name, wish in wishes.items() if wish is not None}
        return self._read(_JOB, self._answer("PATCH", _path(job_id), json=body))

    def control(self, job_id: str, action: Action) -> JobDetail:
        """Do `action` and return the job as it is then. Raises JobNotFound, Conflict."""
        return self._read(_JOB, self._answer("POST", _path(job_id, action)))

    def pause(self, job_id: str) -> JobDetail:
        return self.control(job_id, Action.PAUSE)

    def resume(self, job_id: str) -> JobDetail:
        return self.control(job_id, Action.RESUME)

    def cancel(self, job_id: str) -> JobDetail:
        return self.control(job_id, Action.CANCEL)

    def retry(self, job_id: str) -> JobDetail:
        return self.control(job_id, Action.RETRY)

    # ------------------------------------------------------------------------------- uploads

    def upload(
        self,
        file: Path,
        name: str | None = None,
        *,
        resume: bool = False,
        progress: Callable[[int], None] = lambda _: None,
        patience: float = 60.0,
    ) -> UploadView:
        """Send a file to the farm; the answer's `input` is what a job says to read it.

        It is called as the file is, unless `name` is given. `resume` goes on with an upload of the
        same file that broke off. A connection that breaks is taken up again for `patience` seconds
        at a time. `progress` is told how many bytes have been sent.

        Raises Conflict when there is an upload of that name, InvalidRequest, Unavailable, OSError.
        """
        name = name or file.name
        path, size = f"/uploads/{quote(name, safe='')}", file.stat().st_size

        def put(start: int) -> UploadView:
            headers = {"Content-Length": str(size - start)}
            if start:
                headers["Content-Range"] = f"bytes {start}-{size - 1}/{size}"
            content = pieces(file, start, progress)
            return self._read(_UPLOAD, self._answer("PUT", path, content=content, headers=headers))

        def look() -> UploadView:
            try:
                return self._read(_UPLOAD, self._answer("GET", path))
            except UploadNotFound:
                return UploadView(name=name, received=0, complete=False, input="")

        start = look().received if resume else 0
        return send(put, look, start=start, size=size, patience=patience)

    # ------------------------------------------------------------------------------- waiting

    def watch(
        self, job_id: str, *, interval: float = 0.5, patience: float = 60.0
    ) -> Iterator[JobDetail]:
        """The job now, then again at each change, up to the one that makes it terminal.

        Asks every `interval` seconds. Goes on over a farm that does not answer, for at most
        `patience` seconds at a time: a scheduler that is started anew loses no job. Raises
        JobNotFound, and Unavailable when the patience is at its end.
        """
        return following.changes(self._looks(job_id, interval, patience))

    def wait(
        self,
        job_id: str,
        timeout: float | None = None,
        *,
        interval: float = 0.5,
        patience: float = 60.0,
    ) -> JobDetail:
        """The job when it is completed, failed or canceled: its `state` says which.

        Raises TimeoutError after `timeout` seconds (None waits for ever), and what `watch` raises.
        """
        return following.end(self._looks(job_id, interval, patience), job_id, timeout)

    def _looks(self, job_id: str, interval: float, patience: float) -> Iterator[JobDetail | None]:
        return following.looks(lambda: self.job(job_id), interval=interval, patience=patience)

    # --------------------------------------------------------------------------------- the farm

    def workers(self) -> list[WorkerView]:
        return self._read(_WORKERS, self._answer("GET", "/workers"))

    def drain(self, worker_id: str, *, on: bool = True) -> WorkerView:
        """Give a worker nothing new, or, with `on=False`, again; what it has it finishes.

        Raises WorkerNotFound.
        """
        path = f"/workers/{quote(worker_id, safe='')}/drain"
        return self._read(_WORKER, self._answer("POST" if on else "DELETE", path))

    def ready(self) -> ReadyView:
        """Whether the farm can take and do jobs, and what it lacks if it cannot."""
        response = self._send("GET", "/ready")
        if response.is_success or response.headers.get("content-type") == "application/json":
            return self._read(_READY, response)
        raise _error(response)

    # ----------------------------------------------------------------------------------- HTTP

    def _read(self, shape: TypeAdapter[ViewT], response: httpx.Response) -> ViewT:
        try:
            return shape.validate_json(response.content)
        except ValidationError as error:
            raise FfrtmpError(
                f"{self.address} gave an answer that this version does not understand",
                remedy="is it a farm of the same version?",
            ) from error

    def _answer(self, method: str, path: str, **content: Any) -> httpx.Response:
        """The answer to a request that went well; raises what the farm raised if it did not."""
        response = self._send(method, path, **content)
        if response.is_success:
            return response
        raise _error(response)

    def _send(self, method: str, path: str, **content: Any) -> httpx.Response:
        try:
            return self._http.request(method, path, **content)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            raise Unavailable(
                f"no farm answers at {self.address}",
                remedy="is `ffrtmp up` running? --address or FFRTMP_ADDRESS names another",
            ) from error
        except httpx.TransportError as error:
            raise Unavailable(
                f"{self.address} went away before its answer ({type(error).__name__})",
                remedy="what was asked may have been done: look before you ask again",
            ) from error


def _checked(address: str) -> str:
    try:
        url = httpx.URL(address)
        if url.scheme in ("http", "https") and url.host:
            return address
    except httpx.InvalidURL:
        pass  # as wrong as one without a scheme
    raise InvalidRequest(f"{address!r} is no URL", where="address", remedy=f"as {DEFAULT_ADDRESS}")


def _body(spec: SpecModel | Mapping[str, Any]) -> dict[str, Any]:
    """What was not given is left to the farm, whose defaults are those of its own version."""
    if isinstance(spec, SpecModel):
        return spec.model_dump(mode="json", exclude_unset=True)
    return dict(spec)


def _path(job_id: str, *more: str) -> str:
    return "/".join(("/jobs", quote(job_id, safe=""), *more))


def _error(response: httpx.Response) -> FfrtmpError:
    """What the farm raised, from the problem (RFC 9457) that it answered."""
    try:
        body = response.json()
    except ValueError:  # a proxy's own page
        body = None
    if not isinstance(body, dict):
        body = {}
    body.setdefault("detail", f"{response.status_code} {response.reason_phrase}")
    problem = _problem(body)
    if problem.code:
        return from_problem(problem)
    away = "type" not in body and response.status_code in _AWAY
    kind = Unavailable if away else FfrtmpError
    return kind(problem.message, where=str(response.url), remedy=problem.remedy)


def _problem(body: Mapping[str, Any]) -> Problem:
    """Problem details as a value; its code is empty where they name no kind of ours."""
    code = str(body.get("type", "")).partition("/problems/")[2]
    return Problem(code, str(body.get("detail", "")), body.get("where"), body.get("remedy"))
