"""A look into a file that a test knows to be good."""

from __future__ import annotations

from pathlib import Path

from ffrtmp_ray.media.probe.prober import Prober
from ffrtmp_ray.media.probe.source import Source

GIB = 1024**3


async def source_of(prober: Prober, path: Path) -> Source:
    found = await prober.probe(path)
    assert isinstance(found, Source), found
    return found
