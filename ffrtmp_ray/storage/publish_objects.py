"""Outputs in object stores: put from where they were made, manifests last, replacing nothing.

Every step may be repeated after a crash: an object says in its metadata which publication it is of.
A hidden marker beside the target, which only one can create, keeps other jobs away meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from ffrtmp_ray.errors import OutputExists, OutputRefused
from ffrtmp_ray.storage.objects import TROUBLES, ObjectPlace, error_of, object_place, store_of
from ffrtmp_ray.storage.publish import Publication

METADATA = "ffrtmp"
"""The key of an object's own metadata: letters alone, as Azure wants it."""
LARGEST_PUT = 64 * 1024**2
"""Bytes of a file that is put in one request, on the condition that nothing is there; obstore holds
it in memory. A larger one is put in parts, for which it has no conditions."""
_PARTS = 9000
"""Of a file, at most; S3 takes 10,000 (Amazon S3 User Guide, "multipart upload limits")."""
_SMALLEST_PART = 8 * 1024**2
_AT_ONCE = 4

_MANIFESTS = (".m3u8", ".mpd")
_TYPES = {
    ".mp4": "video/mp4",
    ".m4s": "video/iso.segment",
    ".ts": "video/mp2t",
    ".mkv": "video/x-matroska",
    ".webm": "video/webm",
    ".m4a": "audio/mp4",
    ".mka": "audio/x-matroska",
    ".opus": "audio/ogg",
    ".ogg": "audio/ogg",
    ".mp3": "audio/mpeg",
    ".flac": "audio/flac",
    ".wav": "audio/wav",
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""https://www.iana.org/assignments/media-types, and Matroska's as its own documents have it."""


class _Appeared(Exception):  # never leaves this module
    """Somebody else has put an object where one of ours was on its way."""


def publish_objects(
    staged: Path, target: str, outputs: Sequence[str], publication: str
) -> Publication:
    """Put the file, or all files of the folder, at `staged` to `target`.

    `publication`, as `<job>/<attempt>`, says whose they are, the same each time that this is
    repeated; `outputs` are the URLs by which what is made is known: with nothing staged any more,
    one of them must be there, since what is staged goes after all of it was put.
    Blocks. Raises OutputExists while another job publishes there, OutputRefused when nothing may be
    put there, StorageUnavailable when nothing can.
    """
    place = object_place(target, OutputRefused, "output")
    store = store_of(place)
    try:
        if not staged.exists():
            keys = [object_place(each, OutputRefused, "output").key for each in outputs]
            there = any(_owner(store, key) == publication for key in keys)
            return Publication.PUBLISHED if there else Publication.LOST
        return _publish(store, staged, place, publication)
    except TROUBLES as trouble:
        raise error_of(trouble, place, OutputRefused, "output") from trouble


def withdraw_objects(target: str, publication: str) -> None:
    """Take back what a publication has put to `target` that will not be gone on with, manifests
    first, and its marker. One that is whole has no marker any more, and is left as it is.

    Blocks. Raises OutputRefused when nothing may be written there, StorageUnavailable when nothing
    can.
    """
    place = object_place(target, OutputRefused, "output")
    store = store_of(place)
    try:
        marker = _owner(store, marker_key(place.key))
        if marker is None or _job(marker) != _job(publication):
            return
        pages = obstore.list(store, prefix=f"{place.key}/")
        listed = in_order([meta["path"] for page in pages for meta in page])
        for key in (place.key, *reversed(listed)):
            if _owner(store, key) == publication:
                obstore.delete(store, key)
        _release(store, place.key, publication)
    except TROUBLES as trouble:
        raise error_of(trouble, place, OutputRefused, "output") from trouble


def marker_key(key: str) -> str:
    """Of the object that keeps others from publishing to `key`, an object or a folder of them."""
    path = PurePosixPath(key)
    return str(path.with_name(f".{path.name}.publishing"))


def in_order(names: Sequence[str]) -> list[str]:
    """Files before the manifests that name them, and the manifests that name manifests last."""

    def rank(name: str) -> tuple[bool, bool, int, str]:
        path = PurePosixPath(name)
        manifest = path.suffix in _MANIFESTS
        master = manifest and (path.stem == "master" or path.suffix == ".mpd")
        return manifest, master, -len(path.parts) if manifest else 0, name

    return sorted(names, key=rank)


def _publish(store: ObjectStore, staged: Path, place: ObjectPlace, publication: str) -> Publication:
    """Repeats what was interrupted, for the same job. Whoever has published before is not asked
    what else lies there by now."""
    objects = _objects(staged, place)
    if all(_owner(store, key) == publication for key in reversed(objects)):
        _release(store, place.key, publication)
        return Publication.PUBLISHED
    _claim(store, place, publication)
    free = _is_free(store, place, objects, publication)
    if free and _put_all(store, objects, publication):
        _release(store, place.key, publication)
        return Publication.PUBLISHED
    for key in objects:
        if _owner(store, key) == publication:
            obstore.delete(store, key)
    _release(store, place.key, publication)
    return Publication.OCCUPIED


def _objects(staged: Path, place: ObjectPlace) -> dict[str, Path]:
    """The file of each key, in the order in which they are to be put."""
    if staged.is_file():
        return {place.key: staged}
    files = {
        file.relative_to(staged).as_posix(): file for file in staged.rglob("*") if file.is_file()
    }
    return {f"{place.key.rstrip('/')}/{name}": files[name] for name in in_order(list(files))}


def _claim(store: ObjectStore, place: ObjectPlace, publication: str) -> None:
    """Create the marker. One of the same job is of a publication that was interrupted: it is gone
    on with, as the scheduler has a job published by one attempt at a time.

    Raises OutputExists when it is another job's.
    """
    key = marker_key(place.key)
    other = None
    while other is None:
        try:
            obstore.put(store, key, b"", attributes={METADATA: publication}, mode="create")
        except AlreadyExistsError:
            other = _owner(store, key)  # None when it has gone by now: there is another try
        else:
            return
    if _job(other) != _job(publication):
        raise OutputExists(
            f"job {_job(other) or '(unknown)'} is publishing to {place}, or was ended while it did",
            where="output",
            remedy=f"choose another name; where that job is over, delete {place.bucket}/{key}",
        )


def _release(store: ObjectStore, key: str, publication: str) -> None:
    marker = marker_key(key)
    owner = _owner(store, marker)
    if owner is not None and _job(owner) == _job(publication):
        obstore.delete(store, marker)


def _job(publication: str) -> str:
    return publication.partition("/")[0]


def _is_free(
    store: ObjectStore, place: ObjectPlace, objects: Mapping[str, Path], publication: str
) -> bool:
    """Whether nothing is at the target but what this publication has put there before."""
    if place.key in objects:
        return _owner(store, place.key, publication) == publication
    there = (meta["path"] for page in obstore.list(store, prefix=f"{place.key}/") for meta in page)
    return all(key in objects and _owner(store, key) == publication for key in there)


def _put_all(store: ObjectStore, objects: Mapping[str, Path], publication: str) -> bool:
    """Whether all of them are there and ours."""
    media = [key for key in objects if PurePosixPath(key).suffix not in _MANIFESTS]

    def put(key: str) -> bool:
        return _put(store, key, objects[key], publication)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        free = all(list(threads.map(put, media)))
    return free and all(put(key) for key in objects if key not in media)


def _put(store: ObjectStore, key: str, file: Path, publication: str) -> bool:
    """Whether the object is there and ours."""
    kind = _TYPES.get(PurePosixPath(key).suffix or file.suffix, "application/octet-stream")
    attributes: obstore.Attributes = {"Content-Type": kind, METADATA: publication}
    size = file.stat().st_size
    if size > LARGEST_PUT:
        if (owner := _owner(store, key)) is not None:
            return owner == publication
        part = max(_SMALLEST_PART, -(-size // _PARTS))
        parts = _parts(store, key, file, part)
        try:
            obstore.put(
                store, key, parts, attributes=attributes, chunk_size=part, max_concurrency=4
            )
        except _Appeared:
            return _owner(store, key) == publication
        return True
    try:
        obstore.put(store, key, file, attributes=attributes, mode="create")
    except AlreadyExistsError:
        return _owner(store, key) == publication
    return True


def _parts(store: ObjectStore, key: str, file: Path, size: int) -> Iterator[bytes]:
    """The parts of a file, and at their end another look: parts become an object after it, and
    obstore gives them up when it raises. Raises _Appeared."""
    with file.open("rb") as opened:
        while part := opened.read(size):
            yield part
    with ThreadPoolExecutor(1) as thread:  # obstore asks for parts where it may not be called
        if thread.submit(_owner, store, key).result() is not None:
            raise _Appeared


def _owner(store: ObjectStore, key: str, absent: str | None = None) -> str | None:
    """The publication that an object is of, empty for somebody else's; `absent` when there is no
    such object."""
    try:
        attributes = obstore.get(store, key, options={"head": True}).attributes
    except FileNotFoundError:
        return absent
    return attributes.get(METADATA, "")
