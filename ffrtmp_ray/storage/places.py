"""Where a job's input and output may be: local paths below the roots, and URLs.

Says no with errors of the caller's kind, by what can be known without asking another machine.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.settings import Settings
from ffrtmp_ray.storage.addresses import Addresses
from ffrtmp_ray.storage.roots import check_input, check_output
from ffrtmp_ray.storage.urls import HTTP, scheme_of, shown


def check_input_place(place: str, settings: Settings) -> str:
    """The real path, or the URL, of an input that may be read.

    Looks at the file system. Raises InputRefused, with a remedy.
    """
    if scheme_of(place) in HTTP:
        return _checked_url(place, settings)
    return str(check_input(place, settings.input_roots))


def check_output_place(place: str, settings: Settings, *, folder: bool) -> str:
    """The real place of an output that can be made: a file, or a folder of files.

    Looks at the file system. Raises OutputExists and OutputRefused, with a remedy.
    """
    return str(check_output(place, settings.output_roots, folder=folder))


def _checked_url(url: str, settings: Settings) -> str:
    """What the host's name resolves to is seen when it is connected to."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port  # both may be wrong
    except ValueError as error:
        raise InputRefused(f"{url} is no URL: {error}", where="input", remedy="check it") from None
    if not host or any(ord(character) <= 32 for character in url):
        raise InputRefused(
            f"{shown(url)} is no URL: it has {'white space' if host else 'no host'}",
            where="input",
            remedy="write it as https://host/path, with %20 for a space",
        )
    Addresses(settings.private_hosts).check_literal(host)
    return url
