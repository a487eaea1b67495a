"""Outputs in object stores: put from where they were made, manifests last, replacing nothing.

Every step may be repeated after a crash: an object says in its metadata which publication it is of.
"""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path, PurePosixPath

import obstore
from obstore.exceptions import AlreadyExistsError
from obstore.store import ObjectStore

from ffrtmp_ray.errors import OutputRefused
from ffrtmp_ray.storage.objects import TROUBLES, ObjectPlace, error_of, object_place, store_of
from ffrtmp_ray.storage.publish import Publication

METADATA = "ffrtmp-publication"
"""The key of an object's own metadata."""
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
    ".m3u8": "application/vnd.apple.mpegurl",
    ".mpd": "application/dash+xml",
    ".vtt": "text/vtt",
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
}
"""https://www.iana.org/assignments/media-types, and Matroska's as its own documents have it."""


def publish_objects(
    staged: Path, target: str, outputs: Sequence[str], publication: str
) -> Publication:
    """Put the file, or all files of the folder, at `staged` to `target`.

    `publication` says whose they are, the same each time that this is repeated; `outputs` are the
    URLs by which what is made is known: with nothing staged any more, one of them must be there,
    since what is staged goes after all of it was put.
    Blocks. Raises OutputRefused when nothing may be put there, StorageUnavailable when nothing can.
    """
    place = object_place(target, OutputRefused, "output")
    store = store_of(place)
    try:
        if not staged.exists():
            keys = [object_place(each, OutputRefused, "output").key for each in outputs]
            there = any(_is_ours(store, key, publication) for key in keys)
            return Publication.PUBLISHED if there else Publication.LOST
        return _put_all(store, _objects(staged, place), publication)
    except TROUBLES as trouble:
        raise error_of(trouble, place, OutputRefused, "output") from trouble


def in_order(names: Sequence[str]) -> list[str]:
    """Files before the manifests that name them, and the manifests that name manifests last."""

    def rank(name: str) -> tuple[bool, bool, int, str]:
        path = PurePosixPath(name)
        manifest = path.suffix in _MANIFESTS
        master = manifest and (path.stem == "master" or path.suffix == ".mpd")
        return manifest, master, -len(path.parts) if manifest else 0, name

    return sorted(names, key=rank)


def _objects(staged: Path, place: ObjectPlace) -> dict[str, Path]:
    """The file of each key, in the order in which they are to be put."""
    if staged.is_file():
        return {place.key: staged}
    files = {
        file.relative_to(staged).as_posix(): file for file in staged.rglob("*") if file.is_file()
    }
    return {f"{place.key.rstrip('/')}/{name}": files[name] for name in in_order(list(files))}


def _put_all(store: ObjectStore, objects: dict[str, Path], publication: str) -> Publication:
    media = [key for key in objects if PurePosixPath(key).suffix not in _MANIFESTS]

    def put(key: str) -> bool:
        return _put(store, key, objects[key], publication)

    with ThreadPoolExecutor(_AT_ONCE) as threads:
        free = all(list(threads.map(put, media)))
    if free and all(put(key) for key in objects if key not in media):
        return Publication.PUBLISHED
    for key in objects:
        if _is_ours(store, key, publication):
            obstore.delete(store, key)
    return Publication.OCCUPIED


def _put(store: ObjectStore, key: str, file: Path, publication: str) -> bool:
    """Whether the object is there and ours."""
    kind = _TYPES.get(PurePosixPath(key).suffix or file.suffix, "application/octet-stream")
    attributes = {"Content-Type": kind, METADATA: publication}
    size = file.stat().st_size
    if size > LARGEST_PUT:
        with suppress(FileNotFoundError):
            return _publication(store, key) == publication
        part = max(_SMALLEST_PART, -(-size // _PARTS))
        obstore.put(store, key, file, attributes=attributes, chunk_size=part, max_concurrency=4)
        return True
    try:
        obstore.put(store, key, file, attributes=attributes, mode="create")
    except AlreadyExistsError:
        return _is_ours(store, key, publication)
    return True


def _is_ours(store: ObjectStore, key: str, publication: str) -> bool:
    try:
        return _publication(store, key) == publication
    except FileNotFoundError:
        return False


def _publication(store: ObjectStore, key: str) -> str | None:
    """Raises FileNotFoundError when there is no such object."""
    return obstore.get(store, key, options={"head": True}).attributes.get(METADATA)
