"""Keeps the memory of a process that holds very much from costing it time.

Its garbage collector is kept from stopping it for all that it holds.

A full collection looks at every object: in the scheduler, with 100,000 jobs queued, it took half a
second, in which nobody was answered; in a replica of the API, with its modules alone, a tenth.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

THRESHOLDS = (700, 10, 2)
"""Python's own, but that a full collection comes after 2 of the younger generation in place of 10:
as each looks at what is new only, sooner means shorter."""

IN_LARGE_PAGES = {"PYTHONMALLOC": "malloc", "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
"""Environment of a process that keeps its objects in pages of 2 MiB, where Linux has these on
request (`madvise` or `always` in `/sys/kernel/mm/transparent_hugepage/enabled`): by glibc's
allocator, since Python's own asks for none. Among a million jobs, an object is seldom in a page
whose address the CPU has at hand: a third more decisions a second. Elsewhere it changes little."""


def look_once() -> None:
    """Have each full collection look at what is new since the last one, and none at what is now.

    What survives one is put aside (`gc.freeze`), for the life of the process: it is freed when
    nothing refers to it any more, as ever, but in a circle of references it would stay.
    """
    gc.set_threshold(*THRESHOLDS)
    gc.freeze()
    gc.callbacks.append(_put_survivors_aside)


@contextmanager
def loading() -> Iterator[None]:
    """Do not collect while very much is made that is here to stay, nor ever look at it."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _put_survivors_aside(phase: str, info: Mapping[str, Any]) -> None:
    if phase == "stop" and info["generation"] == 2:
        gc.freeze()
