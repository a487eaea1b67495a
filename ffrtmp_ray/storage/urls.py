"""Places that are no local paths: what a URL says, and what of it may be shown. Reads nothing."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

HTTP = ("http", "https")
OBJECTS = ("s3", "gs", "az")
"""Objects in S3, Google Cloud Storage and Azure; their keys are taken as they are written."""


def scheme_of(place: str) -> str | None:
    """The scheme of a URL, in lower case; None for a path."""
    found = _SCHEME.match(place)
    return found[1].lower() if found else None


def name_of(place: str) -> str:
    """The last part of a path, or of a URL's path; `input` where it has none that can be shown."""
    path = unquote(urlsplit(place).path) if scheme_of(place) in HTTP else place
    name = PurePosixPath(path).name
    return name if name.isprintable() and name.strip(".") else "input"


def joined(place: str, relative: str) -> str:
    """What is at `relative` below a place that is a folder."""
    return f"{place.rstrip('/')}/{relative}"


def shown(place: str) -> str:
    """A place without what may be a secret: a URL's user, password and query."""
    if scheme_of(place) not in HTTP:
        return place
    parts = urlsplit(place)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
