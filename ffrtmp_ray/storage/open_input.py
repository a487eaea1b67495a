"""Opens an input, wherever it is, for ffmpeg and for the prober: gives the address that they open.

Never reads ahead of what they ask for, but for files of servers that give no parts.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from ffrtmp_ray.errors import InputRefused, MachineError
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.addresses import Addresses
from ffrtmp_ray.storage.http_origin import HttpOrigin
from ffrtmp_ray.storage.object_origin import ObjectOrigin
from ffrtmp_ray.storage.origin import Origin, Stamp, changed
from ffrtmp_ray.storage.places import upload_path
from ffrtmp_ray.storage.relay import Relay
from ffrtmp_ray.storage.uploads import SCHEME
from ffrtmp_ray.storage.urls import HTTP, OBJECTS, name_of, scheme_of
from ffrtmp_ray.storage.workspace import Workspace

IN_WORKSPACE = "workspace"
"""The scheme of places in the workspace. Nobody outside can name one."""

_SLOWEST = 50_000
_SLOW_SECONDS = 60.0
"""A file that is fetched whole comes by so many bytes a second, after these seconds, or is given
up; else its task would hold its slot for ever."""

MakeFolder = Callable[[], Awaitable[Path]]


@dataclass(frozen=True, slots=True)
class OpenInput:
    address: str
    """What ffmpeg and the prober open: a path, or a URL on this machine."""
    place: str
    """By which the same is opened again, on whichever node."""
    stamp: Stamp


@asynccontextmanager
async def open_input(
    place: str,
    settings: Settings,
    *,
    expected: Stamp | None = None,
    spool: MakeFolder | None = None,
) -> AsyncIterator[OpenInput]:
    """An input that has been checked, for as long as it is read.

    `expected` is what it was when the job was planned. `spool` makes the folder into which a file
    is fetched whole when its server gives no parts.

    Raises InputRefused when it is not there, may not be read or is not as expected, and
    MachineError or StorageUnavailable when it cannot be had now; on leaving, too, for what was
    read then is not to be used.
    """
    if scheme_of(place) in HTTP:
        async with HttpOrigin(place, Addresses(settings.private_hosts), expected) as origin:
            found = await origin.look()
            if found.ranges:
                async with _relayed(origin, place, found.stamp) as opened:
                    yield opened
                return
            if spool is None:
                raise changed(place)  # it gave parts when the job was planned
            most = settings.fetch_max_bytes
            if found.stamp.bytes > most:
                raise _too_large(name_of(place), most)
            path = await spool() / "input"
            await _fetch_whole(origin, path, name_of(place), most)
        workspace = Workspace(settings.workspace_dir)
        place = f"{IN_WORKSPACE}://{workspace.relative(path)}"
    if scheme_of(place) in OBJECTS:
        source = ObjectOrigin(place, expected)
        async with _relayed(source, place, await source.look()) as opened:
            yield opened
        return
    path = _path(place, settings)
    async with _local(path, place, expected) as opened:
        yield opened


@asynccontextmanager
async def _relayed(origin: Origin, place: str, stamp: Stamp) -> AsyncIterator[OpenInput]:
    relay = Relay(origin, stamp.bytes, name_of(place))
    address = await relay.start()
    try:
        yield OpenInput(address, place, stamp)
    finally:
        await relay.close()
    if relay.fault is not None:
        raise relay.fault


@asynccontextmanager
async def _local(path: Path, place: str, expected: Stamp | None) -> AsyncIterator[OpenInput]:
    stamp = await asyncio.to_thread(_stamp, path)
    if expected is not None and stamp != expected:
        raise changed(place)
    yield OpenInput(str(path), place, stamp)
    if await asyncio.to_thread(_stamp, path) != stamp:
        raise changed(place)


def _path(place: str, settings: Settings) -> Path:
    if scheme_of(place) == IN_WORKSPACE:
        return Workspace(settings.workspace_dir).absolute(place.partition("://")[2])
    if scheme_of(place) == SCHEME:
        return upload_path(place.partition("://")[2], settings)
    return Path(place)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except FileNotFoundError:
        raise InputRefused(
            f"{path} was removed while the job ran", where="input", remedy="put it back, and retry"
        ) from None
    return Stamp(found.st_size, str(found.st_mtime_ns))


async def _fetch_whole(origin: HttpOrigin, path: Path, name: str, most: int) -> None:
    """Raises InputRefused for more than `most` bytes, MachineError when they come too slowly or
    break off, and OSError when the disk is full."""
    began = time.monotonic()
    with path.open("wb") as file:
        async for piece in origin.whole():
            if time.monotonic() - began > _SLOW_SECONDS + file.tell() / _SLOWEST:
                raise MachineError(f"{name} comes too slowly from its server", where="input")
            await asyncio.to_thread(file.write, piece)
            if file.tell() > most:
                raise _too_large(name, most)


def _too_large(name: str, most: int) -> InputRefused:
    return InputRefused(
        f"{name} has more than {most} bytes, and its server gives no parts of it",
        where="input",
        remedy="use a server that answers to Range, or raise FFRTMP_FETCH_MAX_BYTES",
    )
