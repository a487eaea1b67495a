"""What a user asks for: a job's spec, its ladder and renditions. Data, never command line."""

from ffrtmp_ray.media.spec.base import SpecModel
from ffrtmp_ray.media.spec.job import (
    MOST_DEPENDENCIES,
    MOST_IN_BATCH,
    GpuUse,
    JobChange,
    JobSpec,
    Labels,
    Measure,
    Verify,
)
from ffrtmp_ray.media.spec.ladder import Container, Ladder, rendition_field
from ffrtmp_ray.media.spec.rendition import (
    Codec,
    Copying,
    DynamicRange,
    Effort,
    Name,
    Rendition,
)
from ffrtmp_ray.media.spec.tracks import (
    Audio,
    AudioCodec,
    Language,
    Languages,
    Loudness,
    Subtitles,
    Tracks,
)

__all__ = [
    "MOST_DEPENDENCIES",
    "MOST_IN_BATCH",
    "Audio",
    "AudioCodec",
    "Codec",
    "Container",
    "Copying",
    "DynamicRange",
    "Effort",
    "GpuUse",
    "JobChange",
    "JobSpec",
    "Labels",
    "Ladder",
    "Language",
    "Languages",
    "Loudness",
    "Measure",
    "Name",
    "Rendition",
    "SpecModel",
    "Subtitles",
    "Tracks",
    "Verify",
    "rendition_field",
]
