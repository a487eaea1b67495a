"""Objects in S3, Google Cloud Storage and Azure: their names, stores and errors, through obstore.

Credentials and endpoints are obstore's own settings, from its environment variables; nothing here
reads or tells them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TypeAlias

from obstore import exceptions
from obstore.store import AzureStore, GCSStore, ObjectStore, S3Store, from_url

from ffrtmp_ray.errors import CallerError, InputRefused, OutputRefused, StorageUnavailable
from ffrtmp_ray.storage.urls import OBJECTS, scheme_of

TROUBLES = (exceptions.BaseError, OSError)
"""What obstore raises when it cannot do something; FileNotFoundError is one."""

Refused: TypeAlias = type[InputRefused] | type[OutputRefused]


@dataclass(frozen=True, slots=True)
class ObjectPlace:
    """One object, or all below a key that ends with a slash."""

    bucket: str
    """With its scheme: `s3://films`."""
    key: str

    def __str__(self) -> str:
        return f"{self.bucket}/{self.key}"


def object_place(url: str, refused: Refused, where: str) -> ObjectPlace:
    """What a URL as `s3://bucket/key` names. Raises `refused`."""
    scheme, _, rest = url.partition("://")
    bucket, _, key = rest.partition("/")
    if scheme_of(url) not in OBJECTS or not bucket or not key:
        raise refused(
            f"{url} names no object", where=where, remedy=f"write it as {scheme}://bucket/key"
        )
    if any(part in ("", ".", "..") for part in key.removesuffix("/").split("/")):
        raise refused(
            f"{url} has an empty part, or one of dots", where=where, remedy="name the object itself"
        )
    return ObjectPlace(f"{scheme.lower()}://{bucket}", key)


def check_below(place: ObjectPlace, roots: Sequence[str], refused: Refused, where: str) -> None:
    """Raises `refused` when no root, as `s3://bucket/prefix`, holds the object."""
    if not any(str(place).startswith(f"{root.rstrip('/')}/") for root in roots):
        listed = ", ".join(roots) or "(none is set)"
        raise refused(
            f"{place} lies outside the buckets and prefixes that are allowed",
            where=where,
            remedy=f"put it below one of: {listed}; or set FFRTMP_{where.upper()}_ROOTS",
        )


def store_of(
    place: ObjectPlace, *, patience_seconds: float = 60.0
) -> S3Store | GCSStore | AzureStore:
    """The bucket, by which its objects are reached. Requests that fail for no fault of ours are
    tried again for so long. Raises StorageUnavailable when obstore's settings are wrong.

    How long one request may take is obstore's to say: such options given here would stand in place
    of all those of its environment.
    """
    retry_timeout = timedelta(seconds=patience_seconds)
    try:
        store: ObjectStore = from_url(
            place.bucket, retry_config={"max_retries": 6, "retry_timeout": retry_timeout}
        )
    except (*TROUBLES, ValueError) as trouble:
        raise StorageUnavailable(
            f"{place.bucket} cannot be reached: {_said(trouble)}",
            remedy="set what obstore wants to know of it in the environment of `ffrtmp up`",
        ) from trouble
    assert isinstance(store, S3Store | GCSStore | AzureStore)  # noqa: S101  # by its scheme
    return store


def error_of(
    trouble: Exception, place: ObjectPlace, refused: Refused, where: str
) -> CallerError | StorageUnavailable:
    """What an error of obstore means to whoever named the object."""
    if _lacks_bucket(trouble, refused):
        return refused(
            f"there is no bucket {place.bucket}", where=where, remedy="create it, or check the URL"
        )
    if isinstance(trouble, FileNotFoundError):
        return refused(f"there is no object {place}", where=where, remedy="check the URL")
    if isinstance(trouble, ValueError):
        return refused(
            f"{place} cannot be an object: {_said(trouble)}", where=where, remedy="check the URL"
        )
    if isinstance(trouble, exceptions.PermissionDeniedError | exceptions.UnauthenticatedError):
        return refused(
            f"the farm's credentials do not allow {place}",
            where=where,
            remedy="give them the right to it, or name another",
        )
    return StorageUnavailable(f"{place} cannot be reached now: {_said(trouble)}", where=where)


def _lacks_bucket(trouble: Exception, refused: Refused) -> bool:
    """What is put, and what is listed, can lack nothing else; obstore has no error of its own for
    the latter."""
    if isinstance(trouble, FileNotFoundError):
        return refused is OutputRefused
    return isinstance(trouble, exceptions.GenericError) and "404 Not Found" in _said(trouble)


def _said(trouble: Exception) -> str:
    return str(trouble).partition("\n")[0]
