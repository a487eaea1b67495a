"""Every error of this system. Nothing else defines one.

    FfrtmpError
    ├── CallerError                 the caller can put it right
    │   ├── InvalidRequest          a field is missing, unknown or has a wrong value
    │   ├── InputRefused            the input cannot be read, or may not be
    │   ├── OutputRefused           the output cannot be written, or may not be
    │   ├── OutputExists            something is already there; nothing is ever replaced
    │   ├── UnknownPreset
    │   ├── JobNotFound
    │   ├── WorkerNotFound
    │   ├── UploadNotFound
    │   └── Conflict                the job's state does not allow it
    ├── Unavailable                 try again later
    │   ├── SchedulerUnavailable
    │   ├── StoreUnavailable
    │   ├── StorageUnavailable
    │   └── QueueFull               as many jobs wait as may
    ├── Superseded                  a scheduler of a higher epoch has taken over
    ├── SchemaMismatch              the database holds another schema
    ├── MachineError                this machine lacks something that is needed
    └── IllegalTransition           a defect of ours: a state change that no table allows

A message says what was wrong; `where` names the field, file or object; `remedy` says what
would be right. Failures of media work are no errors but values (`core.model.Failure`).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """An error as a value, to cross a process boundary. `code` is the error's class name."""

    code: str
    message: str
    where: str | None = None
    remedy: str | None = None


class FfrtmpError(Exception):
    """The root of every error raised on purpose."""

    def __init__(
        self, message: str, *, where: str | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy

    def __str__(self) -> str:
        head = f"{self.where}: {self.message}" if self.where else self.message
        return f"{head} ({self.remedy})" if self.remedy else head

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (self.problem,))

    @property
    def problem(self) -> Problem:
        return Problem(type(self).__name__, self.message, self.where, self.remedy)


class CallerError(FfrtmpError):
    """The caller asked for something that cannot be had as it was asked."""


class InvalidRequest(CallerError):
    """A field is missing, unknown, or has a value outside its range."""


class InputRefused(CallerError):
    """The input does not exist, is no regular file, or lies outside the allowed roots."""


class OutputRefused(CallerError):
    """The output lies outside the allowed roots, or its folder cannot be written."""


class OutputExists(CallerError):
    """There is something at the output already; outputs are never replaced."""


class UnknownPreset(CallerError):
    """No preset has that name."""


class JobNotFound(CallerError):
    """No job has that id."""


class WorkerNotFound(CallerError):
    """No worker has that id."""


class UploadNotFound(CallerError):
    """No upload has that name."""


class Conflict(CallerError):
    """The job's present state does not allow what was asked."""


class Unavailable(FfrtmpError):
    """A part of the system does not answer; the same request may succeed later."""


class SchedulerUnavailable(Unavailable):
    """The scheduler does not answer."""


class StoreUnavailable(Unavailable):
    """The database does not answer or cannot be written."""


class StorageUnavailable(Unavailable):
    """Where an input or an output is does not answer, or is not set up."""


class QueueFull(Unavailable):
    """As many jobs wait as may, of all owners together or of this one."""


class Superseded(FfrtmpError):
    """A scheduler of a higher epoch holds the store; this one must end."""


class SchemaMismatch(FfrtmpError):
    """The database's schema is not the one that this version works with."""


class MachineError(FfrtmpError):
    """Something that this machine must have is missing or does not work."""


class IllegalTransition(FfrtmpError):
    """A state change that the tables of `core.lifecycle` do not allow: a defect."""


def _tree(root: type[FfrtmpError]) -> dict[str, type[FfrtmpError]]:
    found = {root.__name__: root}
    for child in root.__subclasses__():
        found |= _tree(child)
    return found


def from_problem(problem: Problem) -> FfrtmpError:
    """The error that `problem` was made from; `FfrtmpError` itself when the code is unknown."""
    kind = _tree(FfrtmpError).get(problem.code, FfrtmpError)
    return kind(problem.message, where=problem.where, remedy=problem.remedy)


def _rebuild(problem: Problem) -> FfrtmpError:
    return from_problem(problem)
