"""What one process may take of its machine, and the words by which the kernel holds it to that.

The kernel counts, so a limit holds even while the worker has no time to look.
"""

from __future__ import annotations

import math
import resource
from collections.abc import Iterator
from dataclasses import dataclass

_CPU_SLACK = 60
"""CPU seconds between the limit at which a process is ended with a reason, and the one at which
the kernel kills it."""


@dataclass(frozen=True, slots=True)
class Limits:
    """None, and infinity, are no limit."""

    memory_bytes: int | None = None
    """Of memory that only this process has and may write (RLIMIT_DATA). The address space is no
    measure: with four threads it is two to four times what is used, and a GPU's driver reserves
    more than any machine has. Of this, encodes use 40 to 90 %."""
    cpu_seconds: float = math.inf
    """By all its threads together."""
    file_bytes: int | None = None
    """Of each file that it writes."""
    open_files: int = 1024
    """An encode of a whole ladder has about twenty, a GPU's driver some dozens more."""
    niceness: int = 5
    """Encodes leave the CPU to the worker, which has to answer for them."""

    @property
    def words(self) -> tuple[str, ...]:
        """The arguments for `prlimit`; it dumps no core either."""
        return tuple(f"--{name}={value}" for name, value in self._kernel_limits())

    def _kernel_limits(self) -> Iterator[tuple[str, int]]:
        yield "core", 0
        yield "nofile", _allowed(resource.RLIMIT_NOFILE, self.open_files)
        if self.memory_bytes is not None:
            yield "data", _allowed(resource.RLIMIT_DATA, self.memory_bytes)
        if self.cpu_seconds < math.inf:
            seconds = math.ceil(self.cpu_seconds) + _CPU_SLACK
            yield "cpu", _allowed(resource.RLIMIT_CPU, seconds)
        if self.file_bytes is not None:
            yield "fsize", _allowed(resource.RLIMIT_FSIZE, self.file_bytes)


NO_LIMITS = Limits()
"""For what reads nobody's files: asking an ffmpeg for its version, trying an encoder."""


def _allowed(limit: int, wanted: int) -> int:
    """`wanted`, or what this process itself may have: none but root may raise that."""
    _, most = resource.getrlimit(limit)
    return wanted if most == resource.RLIM_INFINITY else min(wanted, most)
