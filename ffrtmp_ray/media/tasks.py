"""Runs one attempt at a task, whatever its kind, from its assignment to how it ended.

The worker's door to media work. It never raises for what media, disks or users do.
"""

from __future__ import annotations

import asyncio
import errno
import traceback
from collections.abc import Awaitable, Callable, Mapping

from ffrtmp_ray.core.model import Failure, FailureKind, Progress
from ffrtmp_ray.errors import CallerError, InputRefused, MachineError, OutputExists, Unavailable
from ffrtmp_ray.media.assignment import Assignment, Ended, Failed, Stopped, Succeeded
from ffrtmp_ray.media.steps import (
    audio,
    burn,
    copy,
    encode,
    finish,
    images,
    measure,
    plan,
    publish,
    subtitles,
    tune,
)
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.toolbox import Toolbox

__all__ = ["TaskRun", "Toolbox"]

_STEPS: Mapping[str, Callable[[Step], Awaitable[Ended]]] = {
    "plan": plan.run,
    "copy": copy.run,
    "encode": encode.run,
    "measure": measure.run,
    "audio": audio.run,
    "images": images.run,
    "subtitles": subtitles.run,
    "finish": finish.run,
    "tune": tune.run,
    "burn": burn.run,
    "publish": publish.run,
}
_DISK_FULL = (errno.ENOSPC, errno.EDQUOT)


class TaskRun:
    """One attempt. For use in one event loop; `run` is called once."""

    def __init__(self, assignment: Assignment, toolbox: Toolbox) -> None:
        self._assignment = assignment
        self._toolbox = toolbox
        self._step = Step(assignment, toolbox)
        self._stopped = False
        self._work: asyncio.Task[Ended] | None = None
        self._trace = ""

    @property
    def progress(self) -> Progress:
        return self._step.progress

    @property
    def log(self) -> str:
        """The end of what its processes have printed; with the trace of an error of our own."""
        return self._step.processes.log + self._trace

    def suspend(self) -> None:
        """Stop its processes where they are; what needs no process goes on."""
        self._step.processes.suspend()

    def resume(self) -> None:
        self._step.processes.resume()

    def stop(self) -> None:
        """End it soon. A publication is not stopped: it is a moment's work, done or not."""
        if self._assignment.kind == "publish":
            return
        self._stopped = True
        self._step.processes.stop()
        if self._work is not None and not self._step.processes.pids:
            self._work.cancel()

    async def run(self) -> Ended:
        """Do the work. What it has written is removed unless it succeeds.

        Canceling this ends its processes and removes its files, too.
        """
        if self._stopped:
            return Stopped()
        self._work = work = asyncio.create_task(self._carry_out())
        try:
            await asyncio.wait({work})
        except asyncio.CancelledError:
            work.cancel()
            await asyncio.wait({work})
            await self._clear_up()
            raise
        ended = Stopped() if work.cancelled() else work.result()
        if not isinstance(ended, Succeeded):
            await self._clear_up()
        return ended

    async def _carry_out(self) -> Ended:
        try:
            return await _STEPS[self._assignment.kind](self._step)
        except OutputExists as error:
            return _failed(FailureKind.OUTPUT_EXISTS, str(error))
        except InputRefused as error:
            return _failed(FailureKind.BAD_INPUT, str(error))
        except CallerError as error:
            return _failed(FailureKind.UNSUPPORTED, str(error))
        except (MachineError, Unavailable) as error:
            return _failed(FailureKind.CRASHED, str(error))
        except OSError as error:
            kind = FailureKind.OUT_OF_DISK if error.errno in _DISK_FULL else FailureKind.CRASHED
            return _failed(kind, f"{error.strerror or error}: {error.filename or 'no file named'}")
        except Exception as error:  # noqa: BLE001  # a defect of ours fails one attempt, no worker
            self._trace = "".join(traceback.format_exception(error))
            return _failed(FailureKind.CRASHED, f"an error of our own: {error!r}")

    async def _clear_up(self) -> None:
        """Shielded: it ends even when the caller is canceled meanwhile."""
        remove = self._toolbox.remove_attempt
        await asyncio.shield(
            asyncio.to_thread(remove, self._assignment.job_id, self._assignment.attempt_id)
        )


def _failed(kind: FailureKind, reason: str) -> Failed:
    return Failed(Failure(kind, reason))
