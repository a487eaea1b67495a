"""What this machine has of what the farm needs, one finding a thing. Changes nothing.

A check is a short function that gives a finding; `doctor` runs and shows them.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
import pynvml  # type: ignore[import-untyped]  # it ships no types

from ffrtmp_ray import compiled
from ffrtmp_ray.cluster import local_ports, local_ray
from ffrtmp_ray.cluster import record as records
from ffrtmp_ray.compiled import build
from ffrtmp_ray.errors import MachineError
from ffrtmp_ray.hardware.detect import capabilities
from ffrtmp_ray.media import ffmpeg as media_ffmpeg
from ffrtmp_ray.settings import Settings

GIB = 1024**3
PYTHON = (3, 11)
SQLITE = (3, 35)
"""Has RETURNING, by which rows are claimed and read in one statement."""
DISK_BYTES = 10 * GIB
"""A chunk's file, its joined output and the database, for a few films at a time."""
MEMORY_BYTES = 4 * GIB
"""Ray and the API take 1 GiB, a 1080p x265 or SVT-AV1 encode 1 to 2."""
SHARED_MEMORY_BYTES = local_ray.OBJECT_STORE_BYTES
PROGRAMS = {
    "setpriv": ("util-linux", "so that no ffmpeg outlives its worker"),
    "prlimit": ("util-linux", "so that no ffmpeg takes more memory or disk than it may"),
    "nice": ("coreutils", "so that encodes leave CPU time to the worker"),
}


class Level(StrEnum):
    OK = "ok"
    NOTE = "note"
    """Works without; the remedy says what would be better."""
    MISSING = "missing"
    """The farm does not run, or not rightly, without it."""


@dataclass(frozen=True, slots=True)
class Finding:
    name: str
    level: Level
    found: str
    remedy: str | None = None


async def findings(settings: Settings) -> list[Finding]:
    """All that can be said of this machine."""
    return [
        python(),
        engine(compiled.form()),
        sqlite(),
        *programs(),
        *await ffmpeg(settings),
        memory(psutil.virtual_memory().total),
        shared_memory(Path("/dev/shm")),  # noqa: S108 - looked at, nothing is written
        disk(settings.state_dir),
        temporary_folder(local_ray.temporary_folder()),
        places(settings),
        nvidia(),
        *cluster(settings),
    ]


def python() -> Finding:
    version = ".".join(str(part) for part in sys.version_info[:3])
    if sys.version_info[:2] >= PYTHON:
        return Finding("Python", Level.OK, version)
    return Finding("Python", Level.MISSING, version, "install Python 3.11 or newer")


def engine(form: compiled.Form) -> Finding:
    if form == "compiled":
        return Finding("engine", Level.OK, "compiled")
    remedy = build.missing() or f"{sys.executable} -m {build.__name__}"
    return Finding("engine", Level.NOTE, "Python, which is slower than compiled", remedy)


def sqlite(version: tuple[int, ...] = sqlite3.sqlite_version_info) -> Finding:
    text = ".".join(str(part) for part in version)
    if version >= SQLITE:
        return Finding("SQLite", Level.OK, text)
    return Finding(
        "SQLite", Level.MISSING, text, "3.35 or newer, as Python 3.11 and newer bring with them"
    )


def programs() -> Iterator[Finding]:
    for name, (package, why) in PROGRAMS.items():
        path = shutil.which(name)
        if path:
            yield Finding(name, Level.OK, path)
        else:
            yield Finding(
                name, Level.MISSING, "not on the PATH", f"apt-get install {package}: {why}"
            )


async def ffmpeg(settings: Settings) -> list[Finding]:
    """The program, then each encoder, by a trial encode."""
    try:
        program = media_ffmpeg.find(settings.ffmpeg)
        version = await media_ffmpeg.version(program)
    except MachineError as error:
        found = f"{error.where}: {error.message}" if error.where else error.message
        return [Finding("ffmpeg", Level.MISSING, found, error.remedy)]
    return [Finding("ffmpeg", Level.OK, f"{version}, {program}"), *await encoders(program)]


async def encoders(program: str) -> list[Finding]:
    try:
        detection = await capabilities(program, None)
    except MachineError as error:
        return [Finding("encoders", Level.MISSING, error.message, error.remedy)]
    works = ", ".join(sorted(detection.capabilities))
    remedy = "jobs for it wait: use the ffmpeg of the installation (unset FFRTMP_FFMPEG)"
    return [
        Finding("encoders", Level.OK if works else Level.MISSING, works or "none works"),
        *(
            Finding(f"encoder {name}", Level.NOTE, why, remedy)
            for name, why in sorted(detection.refusals.items())
        ),
    ]


def memory(total: int) -> Finding:
    if total >= MEMORY_BYTES:
        return Finding("memory", Level.OK, _gib(total))
    return Finding("memory", Level.NOTE, _gib(total), "4 GiB or more; large encodes may be killed")


def shared_memory(folder: Path) -> Finding:
    try:
        size = shutil.disk_usage(folder).total
    except OSError as error:
        return Finding("shared memory", Level.NOTE, str(error), "mount a tmpfs on /dev/shm")
    if size >= SHARED_MEMORY_BYTES:
        return Finding("shared memory", Level.OK, f"{_gib(size)} on {folder}")
    remedy = "256 MiB or more (`docker run --shm-size=256m`); Ray uses slower files without"
    return Finding("shared memory", Level.NOTE, f"{_gib(size)} on {folder}", remedy)


def disk(state_dir: Path, needed: int = DISK_BYTES) -> Finding:
    folder = next(each for each in (state_dir, *state_dir.parents) if each.exists())
    if not os.access(folder, os.W_OK):
        remedy = "name a folder that you can write: --state-dir, or FFRTMP_STATE_DIR"
        return Finding("state folder", Level.MISSING, f"{folder} cannot be written", remedy)
    free = shutil.disk_usage(folder).free
    found = f"{_gib(free)} free on {folder}"
    if free >= needed:
        return Finding("state folder", Level.OK, found)
    remedy = f"{_gib(needed)} or more: unfinished media lies there (or set FFRTMP_WORKSPACE)"
    return Finding("state folder", Level.NOTE, found, remedy)


def temporary_folder(folder: Path) -> Finding:
    """Ray's sockets and the program that starts HAProxy go there."""
    if os.statvfs(folder).f_flag & os.ST_NOEXEC:
        remedy = "set TMPDIR to a folder, of a short path, from which programs may be run"
        return Finding("temporary folder", Level.MISSING, f"{folder} is mounted noexec", remedy)
    return Finding("temporary folder", Level.OK, str(folder))


def places(settings: Settings) -> Finding:
    """Where jobs may read and write; nothing is asked whether it is there."""
    inputs, outputs = ", ".join(map(str, settings.input_roots)), settings.output_roots
    found = f"from {inputs or 'no folder'} and http(s), to {', '.join(map(str, outputs)) or 'none'}"
    if settings.private_hosts:
        found += f"; private hosts: {', '.join(settings.private_hosts)}"
    return Finding("inputs and outputs", Level.OK, found)


def nvidia() -> Finding:
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        remedy = "for a GPU of NVIDIA, install its driver; without, all is done on CPUs"
        return Finding("NVIDIA driver", Level.NOTE, str(error), remedy)
    try:
        count = pynvml.nvmlDeviceGetCount()
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(i)) for i in range(count)
        ]
        return Finding(
            "NVIDIA driver",
            Level.OK,
            f"{pynvml.nvmlSystemGetDriverVersion()}: {', '.join(names) or 'no GPU'}",
        )
    finally:
        pynvml.nvmlShutdown()


def cluster(settings: Settings) -> Iterator[Finding]:
    """What is up by the record of this state folder, else whether the ports are free for it."""
    try:
        record = records.read(settings.state_dir)
    except MachineError as error:
        yield Finding("farm", Level.MISSING, error.message, error.remedy)
        return
    if record is not None and local_ray.is_up(record):
        yield Finding("farm", Level.OK, f"up at {record.http or record.address}")
        return
    if record is None:
        yield Finding("farm", Level.NOTE, "not up", "`ffrtmp up` starts it")
    else:
        yield Finding("farm", Level.NOTE, f"Ray at {record.address} is dead", "run `ffrtmp up`")
    yield http_port(settings)


def http_port(settings: Settings) -> Finding:
    where = f"{settings.http_port} of {settings.http_host}"
    try:
        if local_ports.is_free(settings.http_host, settings.http_port):
            return Finding("HTTP port", Level.OK, f"{where} is free")
    except MachineError as error:
        return Finding("HTTP port", Level.MISSING, error.message, error.remedy)
    remedy = "end what listens there, or choose another: --port, or FFRTMP_HTTP_PORT"
    return Finding("HTTP port", Level.MISSING, f"{where} is in use", remedy)


def _gib(size: int) -> str:
    return f"{size / GIB:.1f} GiB"
