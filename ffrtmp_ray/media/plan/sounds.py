"""Which of a source's sounds a job has, and the tasks that encode them, one for each. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encode.work import AudioWork, SoundCopy
from ffrtmp_ray.media.plan.needs import LIGHT
from ffrtmp_ray.media.plan.outputs import OutputKind, audio_for
from ffrtmp_ray.media.plan.payloads import AudioPayload, InputFile, SoundPayload
from ffrtmp_ray.media.plan.sound_copies import copy_of
from ffrtmp_ray.media.plan.tracks import (
    UNDETERMINED,
    choose_tracks,
    dispositions_of,
    language_of,
    missing,
)
from ffrtmp_ray.media.probe.source import AudioStream
from ffrtmp_ray.media.spec import Audio, Ladder, Verify

LIGHT_SHARE = 0.05
"""The weight of audio and of finishing by that of the encodes: both copy or make little data."""


@dataclass(frozen=True, slots=True)
class SoundSpan:
    """The part of the source's time that sounds are taken from, in seconds."""

    start: Fraction
    length: Fraction
    """0 where it is not known."""
    trimmed: bool
    """What comes after it is left out."""


@dataclass(frozen=True, slots=True)
class ChosenSound:
    """One sound of the outputs, and which of the source's it is."""

    name: str
    """Of its task."""
    stream: AudioStream
    audio: Audio
    dispositions: tuple[str, ...]
    copy_of: SoundCopy | None = None
    """None: it is encoded."""

    @property
    def codec(self) -> str:
        """Of the output, by ffmpeg's name."""
        if self.copy_of is not None:
            return self.stream.codec
        return AUDIO_ENCODERS[self.audio.codec].made(self.stream.bits)


def tracks(
    ladder: Ladder, there: Sequence[AudioStream], kind: OutputKind, start: Fraction
) -> tuple[ChosenSound, ...]:
    """Those of the source's sounds, `there`, that the ladder asks for; the output begins at `start`
    of the source.

    Raises InvalidRequest when the source has sound, but none in the languages that are named, or
    none that can be copied where it must be.
    """
    if ladder.audio is None or not there:
        return ()
    chosen = choose_tracks(ladder.audio.tracks, there)
    if not chosen:
        languages = ", ".join(dict.fromkeys(map(language_of, there)))
        raise InvalidRequest(
            f"the source has no sound in {' or '.join(missing(ladder.audio.tracks, there))}",
            where="ladder.audio.tracks",
            remedy=f"it has {languages}; name one of these, or say first or all",
        )
    wanted = ladder.audio
    purposes = dispositions_of(chosen, one_is_default=True)
    return tuple(
        ChosenSound(
            f"audio{number}",
            stream,
            audio_for(kind, wanted, stream.channels),
            purpose,
            copy_of(wanted, stream, kind, start),
        )
        for number, (stream, purpose) in enumerate(zip(chosen, purposes, strict=True))
    )


def audio_task(track: ChosenSound, file: InputFile, span: SoundSpan, verify: Verify) -> NewTask:
    """Of `file`, in which the track was found."""
    payload = AudioPayload(
        input=file,
        audio=AudioWork(
            stream=track.stream.index,
            audio=track.audio,
            source_channels=track.stream.channels,
            source_rate=track.stream.sample_rate,
            source_bits=track.stream.bits,
            picture_start=span.start,
            length=span.length if span.trimmed else None,
        ),
        copy_of=track.copy_of,
        duration=span.length,
        verify=verify,
    )
    return NewTask(
        name=track.name,
        kind="audio",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        weight=float(span.length) * LIGHT_SHARE,
    )


def sound_of(track: ChosenSound) -> SoundPayload:
    """What `finish` is told of it."""
    language = track.stream.language
    return SoundPayload(
        task=track.name,
        codec=track.codec,
        language=None if language == UNDETERMINED else language,
        title=track.stream.title,
        dispositions=track.dispositions,
    )
