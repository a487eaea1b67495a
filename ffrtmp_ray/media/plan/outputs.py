"""Which files a ladder makes, in which containers. Pure; knows no source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.spec import Audio, AudioCodec, Codec, Container, Ladder, rendition_field

_VIDEO: Mapping[Container, frozenset[Codec]] = {
    Container.MP4: frozenset(Codec),
    Container.MKV: frozenset(Codec),
    Container.WEBM: frozenset({Codec.VP9, Codec.AV1}),
}
"""WebM: https://www.webmproject.org/docs/container/; MP4 has a registered sample entry for each
codec (https://mp4ra.org), Matroska a codec id (RFC 9559)."""


@dataclass(frozen=True, slots=True)
class OutputKind:
    """What `JobSpec.output` names."""

    folder: bool
    """Several renditions, a file for each; otherwise one file."""
    container: Container


def output_kind(output: str, ladder: Ladder) -> OutputKind:
    """Raises InvalidRequest where the output's name and the ladder contradict each other."""
    suffix = PurePosixPath(output).suffix.lower().removeprefix(".")
    named = Container(suffix) if suffix in {each.value for each in Container} else None
    if len(ladder.renditions) > 1:
        if named is not None:
            raise InvalidRequest(
                f"a ladder of {len(ladder.renditions)} renditions makes a folder of files, "
                f"and {output} names one file",
                where="output",
                remedy=f"leave out the .{suffix}; `ladder.container` says what the files are",
            )
        return OutputKind(folder=True, container=ladder.container or Container.MP4)
    if named is None:
        raise InvalidRequest(
            f"{output} does not say what file to make",
            where="output",
            remedy="end it with .mp4, .mkv or .webm",
        )
    if ladder.container not in (None, named):
        raise InvalidRequest(
            f"the ladder says {ladder.container}, and {output} says {named}",
            where="output",
            remedy=f"end it with .{ladder.container}, or leave out `ladder.container`",
        )
    return OutputKind(folder=False, container=named)


def check_codecs(container: Container, ladder: Ladder) -> None:
    """Raises InvalidRequest when a rendition cannot be in that container."""
    for number, rendition in enumerate(ladder.renditions):
        if rendition.codec not in _VIDEO[container]:
            fitting = " or ".join(sorted(_VIDEO[container]))
            raise InvalidRequest(
                f"{container} cannot hold {rendition.codec}",
                where=rendition_field(number, "codec"),
                remedy=f"use {fitting}, or make an .mp4 or .mkv",
            )


def audio_for(container: Container, audio: Audio) -> Audio:
    """The sound as that container can hold it: WebM takes Opus only."""
    if container is Container.WEBM and audio.codec is not AudioCodec.OPUS:
        return audio.model_copy(update={"codec": AudioCodec.OPUS})
    return audio
