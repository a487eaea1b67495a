"""Keeps the scheduler's claim on the store alive while its event loop is busy with loading.

`cluster.life` renews the claim later on; with a million jobs, loading takes longer than a takeover.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from ffrtmp_ray.store.protocol import Store

SEEN_SECONDS = 2.0
"""Between two renewals of the scheduler's claim on the store."""


@contextmanager
def renewing(store: Store, epoch: int, die: Callable[[BaseException], object]) -> Iterator[None]:
    """Renew the claim of `epoch` from a thread; `die` is called there when that fails."""
    done = threading.Event()

    def renew() -> None:
        while not done.wait(SEEN_SECONDS):
            try:
                store.seen(epoch)
            except Exception as error:  # noqa: BLE001 - superseded, or the store is gone
                die(error)
                return

    thread = threading.Thread(target=renew, name="claim-renewal", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
