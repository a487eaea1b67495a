"""The child process that opens media files: one line of JSON in, one line out, until stdin ends.

Started as `python -m ffrtmp_ray.media.probe.child PARENT_PID MEMORY_BYTES`. Whatever a broken
file does to it, the worker lives on.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import sys
from collections.abc import Callable, Mapping
from typing import Any

import av.logging
import av.subtitles.stream  # PyAV would load it with the first file, under the limit on memory
from pydantic import BaseModel

from ffrtmp_ray.core.model import FailureKind
from ffrtmp_ray.media.probe.bitrate import kept_share, needed_buffer
from ffrtmp_ray.media.probe.damage import damage
from ffrtmp_ray.media.probe.decode import count, sample
from ffrtmp_ray.media.probe.image import look_at_image
from ffrtmp_ray.media.probe.look import look
from ffrtmp_ray.media.probe.open import Refusal
from ffrtmp_ray.media.probe.packets import first_of_bitmaps, first_packet, sound_packets
from ffrtmp_ray.media.probe.tracks import listen

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>

_LIMITS = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: 0, resource.RLIMIT_NOFILE: 64}
"""It writes no file, whatever a file has it do."""

_ANSWERS: Mapping[str, Callable[..., BaseModel]] = {
    "look": look,
    "listen": listen,
    "count": count,
    "damage": damage,
    "needed_buffer": needed_buffer,
    "kept_share": kept_share,
    "image": look_at_image,
    "sample": sample,
    "sound_packets": sound_packets,
    "first_packet": first_packet,
    "first_of_bitmaps": first_of_bitmaps,
}


def main() -> None:
    """Answer requests. The death of the parent ends it, even in the middle of decoding."""
    parent, memory = map(int, sys.argv[1:])
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before that
        return
    for limit, most in {**_LIMITS, resource.RLIMIT_AS: memory}.items():
        resource.setrlimit(limit, (most, most))
    av.logging.set_level(av.logging.PANIC)
    # libraries that print must not print into the answers
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        answers.write(json.dumps(_answer(json.loads(line))) + "\n")
        answers.flush()


def _answer(request: dict[str, Any]) -> dict[str, Any]:
    """`{"value": …}` or `{"failure": {"kind": …, "reason": …}}`."""
    do = _ANSWERS[request["do"]]
    try:
        return {"value": do(**request["with"]).model_dump(mode="json")}
    except Refusal as refusal:
        return _failure(refusal.kind, refusal.reason)
    except MemoryError:
        return _failure(FailureKind.BAD_INPUT, "the file needs more memory than is allowed")
    except av.FFmpegError as error:
        return _failure(FailureKind.BAD_INPUT, f"the file is damaged: {error}")
    except OSError as error:
        return _failure(FailureKind.CRASHED, f"the file cannot be read: {error}")
    except Exception as error:  # noqa: BLE001  # a file that confuses us costs one answer only
        return _failure(FailureKind.CRASHED, f"the file is not understood: {error!r}")


def _failure(kind: FailureKind, reason: str) -> dict[str, Any]:
    return {"failure": {"kind": kind.value, "reason": reason}}


if __name__ == "__main__":
    main()
