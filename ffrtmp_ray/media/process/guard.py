"""What is put before a command line so that its process never outlives the worker."""

from __future__ import annotations

import shutil

from ffrtmp_ray.errors import MachineError

NICENESS = 5
"""Encodes leave the CPU to the worker, which has to answer for them."""

_PACKAGES = {"setpriv": "util-linux", "nice": "coreutils"}


def guard() -> tuple[str, ...]:
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
    return ("setpriv", "--pdeathsig", "KILL", "--", "nice", "-n", str(NICENESS))
