"""Which paths a job may read and write. Links are resolved before anything is compared.

Says no with errors of the caller's kind; never opens a file and creates nothing.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Sequence
from pathlib import Path

from ffrtmp_ray.errors import InputRefused, OutputExists, OutputRefused

_URL = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
"""A scheme (RFC 3986, 3.1): ffmpeg would take `concat:a|b` for one as well as `http://…`."""

LONGEST_NAME = 200
"""Bytes of an output's name; leaves room in a name's 255 for the staging name around it."""


def check_input(path: str, roots: Sequence[Path]) -> Path:
    """The real path of an input that may be read.

    Raises InputRefused, with a remedy, when it may not or cannot be.
    """
    given = _absolute(path, InputRefused, "input", "of a kind that is not read")
    try:
        real = given.resolve(strict=True)
        mode = real.stat().st_mode
    except FileNotFoundError:
        raise InputRefused(
            f"there is no file {path}",
            where="input",
            remedy="check the path; every node must see the file under the same path",
        ) from None
    except (OSError, RuntimeError) as error:  # RuntimeError: a loop of links, before Python 3.13
        raise InputRefused(
            f"{path} cannot be reached: {_why(error)}",
            where="input",
            remedy="make the path readable for the user that runs the workers",
        ) from None
    # before anything more is said of it: what lies outside the roots is nobody's business
    if not _below(real, roots):
        raise InputRefused(
            f"{path} lies outside the folders that inputs may be read from",
            where="input",
            remedy=f"put it below one of: {_list(roots)}; or set FFRTMP_INPUT_ROOTS",
        )
    if stat.S_ISDIR(mode):
        raise InputRefused(f"{path} is a folder", where="input", remedy="name a file in it")
    if not stat.S_ISREG(mode):
        raise InputRefused(
            f"{path} is a device, pipe or socket", where="input", remedy="name a regular file"
        )
    if not os.access(real, os.R_OK):
        raise InputRefused(
            f"{path} may not be read",
            where="input",
            remedy="give read permission to the user that runs the workers",
        )
    return real


def check_output(path: str, roots: Sequence[Path], *, folder: bool) -> Path:
    """The real path of an output that can be made: a file, or a folder of files.

    Missing parent folders are fine (they are made when the output is staged).
    Raises OutputExists when something is there already, OutputRefused on everything else.
    """
    given = _absolute(path, OutputRefused, "output", "of a kind that is not written")
    what = "folder" if folder else "file"
    if not given.name or given.name == ".." or path.endswith(("/.", "/..")):
        raise OutputRefused(
            f"{path} names no {what}", where="output", remedy=f"end it with the {what}'s name"
        )
    if path.endswith("/") and not folder:
        raise OutputRefused(
            f"{path} ends with a slash, and one file is made",
            where="output",
            remedy="end it with the file's name",
        )
    if len(os.fsencode(given.name)) > LONGEST_NAME:
        raise OutputRefused(
            f"the name of the {what} is longer than {LONGEST_NAME} bytes",
            where="output",
            remedy="choose a shorter name",
        )
    try:
        parent = given.parent.resolve()
        real = parent / given.name
        if not _below(real, roots):
            raise OutputRefused(
                f"{path} lies outside the folders that outputs may be written to",
                where="output",
                remedy=f"put it below one of: {_list(roots)}; or set FFRTMP_OUTPUT_ROOTS",
            )
        if os.path.lexists(real):
            raise exists(real)
        _check_writable(parent)
    except (OSError, RuntimeError) as error:
        raise OutputRefused(
            f"{path} cannot be reached: {_why(error)}",
            where="output",
            remedy="choose a folder that the user that runs the workers can write",
        ) from None
    return real


def exists(path: Path | str) -> OutputExists:
    """The error that says that something is at `path` already."""
    return OutputExists(
        f"there is something at {path} already",
        where="output",
        remedy="choose another name, or remove it first: outputs are never replaced",
    )


def _absolute(
    path: str, refused: type[InputRefused] | type[OutputRefused], where: str, urls: str
) -> Path:
    if _URL.match(path):
        raise refused(f"{path} is a URL {urls}", where=where, remedy="give an absolute path")
    if "\0" in path:
        raise refused("the path has a NUL character in it", where=where, remedy="remove it")
    if not path.startswith("/"):
        raise refused(f"{path} is not absolute", where=where, remedy="start the path with /")
    return Path(path)


def _below(path: Path, roots: Sequence[Path]) -> bool:
    """Whether a real path lies in one of the roots, whose own links are followed."""
    # A real path has no link in it, so neither has a root that it begins with: resolving that one,
    # which takes longer than all the rest, would change nothing.
    return any(_begins(path, root) for root in roots) or any(
        _begins(path, root.resolve()) for root in roots
    )


def _begins(path: Path, root: Path) -> bool:
    """`path.is_relative_to(root)`, which takes ten times as long."""
    return path.parts[: len(root.parts)] == root.parts


def _check_writable(folder: Path) -> None:
    """The deepest part of `folder` that is there must be a folder in which one can create."""
    there = folder
    while not there.exists():
        there = there.parent
    if not there.is_dir():
        raise OutputRefused(
            f"{there} is a file, not a folder", where="output", remedy="choose another folder"
        )
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputRefused(
            f"nothing can be created in {there}",
            where="output",
            remedy="give write permission to the user that runs the workers",
        )


def _list(roots: Sequence[Path]) -> str:
    return ", ".join(map(str, roots)) or "(none is set)"


def _why(error: OSError | RuntimeError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
