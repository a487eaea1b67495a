"""In which form the engine runs: as machine code, where that has been built, else as Python.

`ffrtmp_ray/__init__.py` calls `use` before any module of the engine is imported. What is built (see
`build`) lies in the environment that Python runs in, in a folder named for the sources of which it
was made: what was made of others is never taken.
"""

from __future__ import annotations

import os
import sys
import sysconfig
from hashlib import sha256
from pathlib import Path
from typing import Literal, TypeAlias

from ffrtmp_ray import core

Form: TypeAlias = Literal["compiled", "python"]

VARIABLE = "FFRTMP_ENGINE"
"""Of the environment: `python` has the Python form run although the other has been built. No
setting, since settings are read by what is imported after the engine."""
SOURCES = Path(core.__file__).parent
INTERPRETED = frozenset({"__init__", "explain", "invariants", "messages", "model", "retry"})
"""Modules that stay Python: values that msgspec makes the classes of and that travel between
processes, and what is not asked often."""
SUFFIX: str = sysconfig.get_config_var("EXT_SUFFIX")
"""Names Python's version and the machine's kind: what was built for another is not found."""


def modules() -> list[Path]:
    """The sources of the modules that are compiled."""
    return sorted(each for each in SOURCES.glob("*.py") if each.stem not in INTERPRETED)


def folder() -> Path:
    """Where what is built of the present sources lies, or would."""
    digest = sha256(SUFFIX.encode())
    for each in sorted(SOURCES.glob("*.py")):
        digest.update(each.name.encode() + b"\0" + each.read_bytes() + b"\0")
    return Path(sys.prefix) / "lib" / "ffrtmp-engine" / digest.hexdigest()[:20]


def use() -> None:
    """Have the compiled form imported in place of the sources, if it has been built of them."""
    if os.environ.get(VARIABLE) != "python" and (built := folder()).is_dir():
        core.__path__.insert(0, str(built))


def form() -> Form:
    """Which form this process runs, or would."""
    return "compiled" if len(core.__path__) > 1 else "python"
