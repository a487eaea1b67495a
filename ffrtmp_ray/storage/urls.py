"""Places that are no local paths: what a URL says, and what of it may be shown. Reads nothing."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://")

HTTP = ("http", "https")


def scheme_of(place: str) -> str | None:
    """The scheme of a URL, in lower case; None for a path."""
    found = _SCHEME.match(place)
    return found[1].lower() if found else None


def name_of(place: str) -> str:
    """The last part of a path, or of a URL's path; `input` where it has none."""
    path = place if scheme_of(place) is None else unquote(urlsplit(place).path)
    return PurePosixPath(path).name or "input"


def shown(place: str) -> str:
    """A place without what may be a secret: a URL's user, password and query."""
    if scheme_of(place) is None:
        return place
    parts = urlsplit(place)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}"
