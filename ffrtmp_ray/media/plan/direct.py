"""Which jobs are made at once, by one task and one ffmpeg, and not in parts that are put together:
short ones, of which nothing is cut, copied, measured or taken out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

from msgspec import structs

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.plan.make import Plan
from ffrtmp_ray.media.plan.payloads import (
    AudioPayload,
    DirectPayload,
    EncodePayload,
    FinishPayload,
    PlanPayload,
)
from ffrtmp_ray.media.probe.source import Source
from ffrtmp_ray.media.spec import Container, Rendition, Verify

LONGEST_SECONDS = Fraction(60)
"""Of a picture. One that is longer loses little to the processes that put it together, and more
when its one task has to be begun anew; and what ffmpeg keeps of one stream until the other is there
is bounded by this."""
_LATE = 2
"""Seconds, for which the picture would wait in memory for the sound."""
_INDEXED = ("mov", "matroska")
"""Demuxers that have all times from the container, of each stream for itself. Of others, ffmpeg
takes what one stream's clock does for the other's."""


def direct(plan: Plan, work: PlanPayload, source: Source) -> Plan:
    """The same plan, its tasks made one where that comes to the same."""
    kinds = [task.kind for task in plan.tasks]
    if kinds not in (["encode", "finish"], ["encode", "audio", "finish"]):
        return plan
    task, *sounds, last = plan.tasks
    encode = EncodePayload.model_validate(task.payload)
    finish = FinishPayload.model_validate(last.payload)
    sound = next((AudioPayload.model_validate(each.payload) for each in sounds), None)
    anew = work.apart or work.inexact is not None
    if anew or not _fits(encode, finish, source) or not _is_plain(sound, source):
        return plan
    whole = DirectPayload(finish=finish, sound=sound, plan=work)
    payload = encode.model_copy(update={"direct": whole}).model_dump(mode="json")
    return replace(plan, tasks=(structs.replace(task, payload=payload, weight=_sum(plan.tasks)),))


def _fits(encode: EncodePayload, finish: FinishPayload, source: Source) -> bool:
    video = encode.video
    return (
        source.container.startswith(_INDEXED)
        and encode.duration <= LONGEST_SECONDS
        and encode.countable
        and encode.verify is Verify.SAMPLED
        and len(video.outputs) == 1
        and not _may_be_made_again(video.outputs[0].rendition)
        and finish.container is Container.MP4
        and finish.packaging is None
        and (video.chunk, video.regular, video.light) == (None, None, None)
        and (video.mark, video.burned) == (None, None)
    )


def _may_be_made_again(rendition: Rendition) -> bool:
    """Its encoder takes a cap for a goal, so that what exceeds it is encoded once more."""
    goal = encoder_for(rendition.codec, gpu=False).cap_is_goal
    return goal and rendition.max_bitrate is not None


def _is_plain(sound: AudioPayload | None, source: Source) -> bool:
    """Whether it is none, or one that is encoded as it is, from about the first frame on, and
    whose gaps are no longer than is well kept in memory: they are filled all at once."""
    if sound is None:
        return True
    if source.duration > LONGEST_SECONDS:
        return False
    audio = sound.audio
    starts = [each.start for each in source.audio if each.index == audio.stream]
    late = any(start - audio.picture_start > _LATE for start in starts)
    return sound.copy_of is None and audio.audio.loudness is None and not late


def _sum(tasks: Sequence[NewTask]) -> float:
    return sum(task.weight for task in tasks)
