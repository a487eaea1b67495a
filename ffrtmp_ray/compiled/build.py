"""Compile the engine with mypyc: `python -m ffrtmp_ray.compiled.build`.

What comes of it is for the Python that runs this, and for its environment alone. It takes a C
compiler, Python's headers and the extra `compile`. Where one of these is missing, it says which,
and the engine runs as Python. What has been built of the same sources is kept.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import time
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from ffrtmp_ray import compiled, errors

_PROGRAM = """
import sys
from mypyc.build import mypycify
from setuptools import setup

output, *modules = sys.argv[1:]
extensions = mypycify(
    ["--config-file=mypy.ini", *modules],
    group_name="ffrtmp_ray.core.compiled",  # the library of them all lies beside them
    opt_level="2",
    debug_level="0",
)
arguments = ["--quiet", "build_ext", "--build-lib", output]
setup(name="ffrtmp-engine", packages=[], ext_modules=extensions, script_args=arguments)
"""
"""Run by a Python of its own: setuptools changes the process that it runs in."""

_KEPT_SECONDS = 24 * 3600.0


def main() -> None:
    target = compiled.folder()
    if target.is_dir():
        print("== the engine is compiled")
        return
    reason = missing()
    if reason is None:
        began = time.monotonic()
        reason = build(target)
        print(f"== compiling the engine took {time.monotonic() - began:.0f} s")
    if reason is not None:
        print(f"== the engine runs as Python, which is slower: {reason}")


def missing() -> str | None:
    """What it takes and is not here, with the remedy; None if all is."""
    if compiler() is None:
        return "there is no C compiler (apt-get install gcc)"
    if not Path(sysconfig.get_path("include"), "Python.h").is_file():
        return "Python's headers are missing (apt-get install python3-dev)"
    lacking = [name for name in ("mypyc", "setuptools") if find_spec(name) is None]
    if lacking:
        return f"{' and '.join(lacking)} not installed (pip install 'ffrtmp-ray[compile]')"
    return None


def compiler() -> str | None:
    """The command of the first C compiler that is here: that of the environment, the one with which
    this Python was made, any other."""
    named = (os.environ.get("CC"), sysconfig.get_config_var("CC"), "cc", "gcc", "clang")
    return next((each for each in named if each and shutil.which(each.split()[0])), None)


def build(target: Path) -> str | None:
    """Compile into the folder `target`, which then is there as a whole. Returns what went wrong."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=target.parent, prefix=".") as scratch:
        work = Path(scratch)
        _lay_out(work)
        names = [f"ffrtmp_ray/core/{each.name}" for each in compiled.modules()]
        command = [sys.executable, "-c", _PROGRAM, "built", *names]
        environment = {**os.environ, "CC": compiler() or "cc"}
        done = subprocess.run(
            command, cwd=work, env=environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            return "mypyc or the C compiler failed:\n" + (done.stdout + done.stderr)[-4000:]
        _remove_old(target.parent)
        try:
            (work / "built/ffrtmp_ray/core").rename(target)
        except OSError as error:
            if not target.is_dir():  # else another process was faster, with the same
                return str(error)
    return None


def _remove_old(parent: Path) -> None:
    """What was built of earlier sources, unless a process may still run it."""
    for each in parent.glob("[!.]*"):
        if each.stat().st_mtime < time.time() - _KEPT_SECONDS:
            shutil.rmtree(each, ignore_errors=True)


def _lay_out(work: Path) -> None:
    """What mypyc is to see: the engine and what it imports, and nothing that imports the engine."""
    package = work / "ffrtmp_ray"
    (package / "core").mkdir(parents=True)
    for each in compiled.SOURCES.glob("*.py"):
        shutil.copy(each, package / "core")
    shutil.copy(errors.__file__, package)
    (package / "__init__.py").touch()
    (work / "mypy.ini").write_text("[mypy]\nstrict = True\n")


if __name__ == "__main__":
    main()
