"""From a ladder without renditions to the tasks that make one file of sounds. Pure."""

from __future__ import annotations

from fractions import Fraction

from msgspec.structs import replace

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.plan.describe import described
from ffrtmp_ray.media.plan.make import Plan, finish_task
from ffrtmp_ray.media.plan.outputs import output_kind
from ffrtmp_ray.media.plan.payloads import FinishPayload, InputFile, PlanPayload
from ffrtmp_ray.media.plan.sounds import SoundSpan, audio_task, sound_of, tracks
from ffrtmp_ray.media.plan.warnings import of_sound
from ffrtmp_ray.media.probe.source import SoundSource
from ffrtmp_ray.media.spec import Container
from ffrtmp_ray.media.spec.base import exact
from ffrtmp_ray.media.spec.trim import Trim

_ONE_SOUND = (Container.OPUS, Container.OGG, Container.MP3, Container.FLAC, Container.WAV)
"""Players hear one of an Ogg file's; the others have no place for a second."""
_LONGEST_WAIT = 86_400
"""Seconds of silence that are written before a sound, at most."""
_TIMESCALE = 90_000
"""Said in the payload, and of no consequence: sounds are counted in samples."""


def make_sound_plan(work: PlanPayload, source: SoundSource, file: InputFile, target: str) -> Plan:
    """The tasks of a job that wants the sound alone.

    The first sound that is taken begins the output, and the others keep their distance to it.
    Raises InvalidRequest when there is no such sound, or the output cannot hold them all.
    """
    kind = output_kind(work.output, work.ladder, None)
    container = kind.container
    first = min(sound.start for sound in source.audio)
    sounds = tracks(work.ladder, source.audio, kind, first)
    if container in _ONE_SOUND and len(sounds) > 1:
        raise InvalidRequest(
            f"{container} holds one sound, and {len(sounds)} are wanted",
            where="ladder.audio.tracks",
            remedy="name one language, or make an .m4a or .mka",
        )
    start = min(sound.stream.start for sound in sounds)
    if any(sound.stream.start - start > _LONGEST_WAIT for sound in sounds):
        raise InvalidRequest(
            "one of the source's sounds begins more than a day after another",
            where="ladder.audio.tracks",
            remedy="take one of them",
        )
    span = _span(work.trim, start, source.end - start)
    tasks = [audio_task(track, file, span, work.verify) for track in sounds]
    finish = FinishPayload(
        target=target,
        folder=False,
        container=container,
        timescale=_TIMESCALE,
        files=(),
        chunks=(),
        sounds=tuple(map(sound_of, sounds)),
        described=described(
            work.metadata, source.tags, source.chapters, span.start, span.length or None
        ),
    )
    tasks.append(finish_task(finish, tasks, span.length))
    limited = (replace(task, timeout_seconds=work.task_timeout_seconds) for task in tasks)
    return Plan(tuple(limited), tuple(of_sound(work, source.audio, sounds)))


def _span(trim: Trim | None, start: Fraction, length: Fraction) -> SoundSpan:
    """The part that is wanted of sounds of that length, which is 0 where it is not known."""
    if trim is None:
        return SoundSpan(start, length, trimmed=False)
    begin = exact(trim.start)
    if length and begin >= length:
        raise InvalidRequest(
            f"the trim starts at {trim.start:g} s, and the sound lasts {float(length):.6f} s",
            where="trim.start",
            remedy="start earlier",
        )
    rest = max(length - begin, Fraction(0))
    if trim.duration is None:
        return SoundSpan(start + begin, rest, trimmed=False)
    wanted = exact(trim.duration)
    return SoundSpan(start + begin, min(wanted, rest) if length else wanted, trimmed=True)
