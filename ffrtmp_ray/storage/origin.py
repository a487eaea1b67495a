"""What can be read by ranges over the network, whatever the protocol. Values and one Protocol."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ffrtmp_ray.errors import InputRefused
from ffrtmp_ray.storage.urls import shown


@dataclass(frozen=True, slots=True)
class Stamp:
    """By which a file is known to be the same as before."""

    bytes: int
    version: str
    """Changes when the file does: its ETag or time of change; empty where nothing tells."""


class Origin(Protocol):
    """One file elsewhere."""

    async def fetch(self, start: int, end: int) -> bytes:
        """Its bytes from `start` on and before `end`, all of them, tried persistently.

        Raises InputRefused when it is gone, may not be read or has changed, and MachineError or
        StorageUnavailable when it cannot be had now.
        """
        ...


def changed(place: str) -> InputRefused:
    """The error that says that an input is no longer what was planned."""
    return InputRefused(
        f"{shown(place)} was changed while the job ran", where="input", remedy="retry the job"
    )
