"""Where a job's input and output may be: local paths below the roots, and URLs.

Says no with errors of the caller's kind. Asks object stores what is there, and no other machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

import obstore
from obstore.store import ObjectStore

from ffrtmp_ray.errors import InputRefused, OutputRefused
from ffrtmp_ray.settings import Root, Settings
from ffrtmp_ray.storage.addresses import Addresses
from ffrtmp_ray.storage.objects import TROUBLES, check_below, error_of, object_place, store_of
from ffrtmp_ray.storage.roots import check_input, check_output, exists
from ffrtmp_ray.storage.uploads import SCHEME, Uploads
from ffrtmp_ray.storage.urls import HTTP, OBJECTS, scheme_of, shown

MOST_SIDE_BYTES = 10_000_000
_PATIENCE_SECONDS = 5.0
"""With an object store: a caller waits for the answer."""


def check_input_place(place: str, settings: Settings) -> str:
    """The real path, or the URL, of an input that may be read.

    Looks at the file system or the object store. Raises InputRefused, with a remedy, and
    StorageUnavailable.
    """
    if scheme_of(place) in HTTP:
        return _checked_url(place, settings)
    if scheme_of(place) in OBJECTS:
        return _checked_object(place, settings)
    if scheme_of(place) == SCHEME:
        return _checked_upload(place, settings)
    return str(check_input(place, _folders(settings.input_roots)))


def check_side_file(path: str, settings: Settings, where: str) -> Path:
    """The real path of a file that is read beside the input, as a watermark's image: a local one
    below the input roots, of a size that is read at once.

    Raises InputRefused, about the field `where`.
    """
    try:
        real = check_input(path, _folders(settings.input_roots))
    except InputRefused as error:
        raise InputRefused(error.message, where=where, remedy=error.remedy) from None
    if real.stat().st_size > MOST_SIDE_BYTES:
        raise InputRefused(
            f"{path} has more than {MOST_SIDE_BYTES} bytes", where=where, remedy="make it smaller"
        )
    return real


def check_output_place(place: str, settings: Settings, *, folder: bool) -> str:
    """The real place of an output that can be made: a file, or a folder of files.

    Looks at the file system or the object store. Raises OutputExists and OutputRefused, with a
    remedy, and StorageUnavailable.
    """
    if scheme_of(place) in OBJECTS:
        return _free_object(place, settings, folder=folder)
    return str(check_output(place, _folders(settings.output_roots), folder=folder))


def _folders(roots: Sequence[Root]) -> tuple[Path, ...]:
    return tuple(root for root in roots if isinstance(root, Path))


def _buckets(roots: Sequence[Root]) -> tuple[str, ...]:
    return tuple(root for root in roots if isinstance(root, str))


def _checked_object(url: str, settings: Settings) -> str:
    place = object_place(url, InputRefused, "input")
    check_below(place, _buckets(settings.input_roots), InputRefused, "input")
    try:
        obstore.head(store_of(place, patience_seconds=_PATIENCE_SECONDS), place.key)
    except (*TROUBLES, ValueError) as trouble:
        raise error_of(trouble, place, InputRefused, "input") from trouble
    return str(place)


def _free_object(url: str, settings: Settings, *, folder: bool) -> str:
    place = object_place(url.rstrip("/") if folder else url, OutputRefused, "output")
    if place.key.endswith("/"):
        raise OutputRefused(
            f"{url} ends with a slash, and one file is made",
            where="output",
            remedy="end it with the file's name",
        )
    check_below(place, _buckets(settings.output_roots), OutputRefused, "output")
    store = store_of(place, patience_seconds=_PATIENCE_SECONDS)
    try:
        # asked for a file, too: to look for one does not show whether there is its bucket
        below = any(obstore.list(store, prefix=f"{place.key}/", chunk_size=1))
        taken = below if folder else _is_there(store, place.key)
    except (*TROUBLES, ValueError) as trouble:
        raise error_of(trouble, place, OutputRefused, "output") from trouble
    if taken:
        raise exists(str(place))
    return str(place)


def _checked_upload(place: str, settings: Settings) -> str:
    name = place.partition("://")[2]
    if not upload_path(name, settings).is_file():
        raise InputRefused(
            f"there is no complete upload {name}", where="input", remedy="send it: ffrtmp upload"
        )
    return place


def upload_path(name: str, settings: Settings) -> Path:
    """Of the upload of that name. Raises InvalidRequest for what is none."""
    uploads = Uploads(settings.workspace_dir, max_age_seconds=settings.upload_days * 86400)
    return uploads.path(name)


def _is_there(store: ObjectStore, key: str) -> bool:
    try:
        obstore.head(store, key)
    except FileNotFoundError:
        return False
    return True


def _checked_url(url: str, settings: Settings) -> str:
    """What the host's name resolves to is seen when it is connected to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # both may be wrong
    except ValueError as error:  # the URL itself, which may hold a password, is not told
        raise InputRefused(f"it is no URL: {error}", where="input", remedy="check it") from None
    if not host or any(ord(character) <= 32 for character in url):
        raise InputRefused(
            f"{shown(url)} is no URL: it has {'white space' if host else 'no host'}",
            where="input",
            remedy="write it as https://host/path, with %20 for a space",
        )
    Addresses(settings.private_hosts).check_literal(host)
    return url
