"""A transcoding farm: FFmpeg jobs, scheduled across machines by a Ray actor cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ffrtmp_ray import compiled

if TYPE_CHECKING:
    from ffrtmp_ray.cluster.driver import Farm

__all__ = ["connect"]

compiled.use()


def connect(address: str | None = None) -> Farm:
    """The farm as one typed object, for driver scripts: see `ffrtmp_ray.cluster.driver`.

    `address` is Ray's (`host:port`); without one, the farm that `ffrtmp up` has left on this
    machine, else what the variable RAY_ADDRESS names.
    """
    from ffrtmp_ray.cluster import driver  # not before it is called: the client needs no Ray

    return driver.connect(address)
