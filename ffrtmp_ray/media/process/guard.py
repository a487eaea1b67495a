"""What is put before a command line: its process keeps its limits, and dies with its worker."""

from __future__ import annotations

import shutil

from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.media.process.limits import Limits

_PACKAGES = {"setpriv": "util-linux", "prlimit": "util-linux", "nice": "coreutils"}


def guard(limits: Limits) -> tuple[str, ...]:
    """The prefix of every command line; all its programs replace themselves by the next.

    `setpriv --pdeathsig KILL` asks the kernel to kill the process when the thread that started
    it ends, whatever ended it: a crash, SIGKILL, Ray. The process stays in its worker's session
    on purpose: one in a session of its own escapes Ray's own cleaning up.
    Raises MachineError when one of the programs is missing.
    """
    for program, package in _PACKAGES.items():
        if shutil.which(program) is None:
            raise MachineError(
                f"the program {program} is missing; without it ffmpeg cannot be run safely",
                where="PATH",
                remedy=f"install the package {package}",
            )
    return (
        *("setpriv", "--pdeathsig", "KILL", "--"),
        *("prlimit", *limits.words, "--"),
        *("nice", "-n", str(limits.niceness)),
    )
