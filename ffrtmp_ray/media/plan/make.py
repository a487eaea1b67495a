"""From a ladder and a source to the tasks that make the outputs. Pure."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from fractions import Fraction

from msgspec.structs import replace

from ffrtmp_ray.core.model import NewTask
from ffrtmp_ray.media.encode.light import BT709
from ffrtmp_ray.media.encode.work import OutputWork
from ffrtmp_ray.media.plan.copies import copies_said, copy_tasks, parted, with_source_codec
from ffrtmp_ray.media.plan.cuts import Chunk
from ffrtmp_ray.media.plan.describe import described
from ffrtmp_ray.media.plan.encodes import encode_name, encode_payloads, encode_task
from ffrtmp_ray.media.plan.grid import segment_starts
from ffrtmp_ray.media.plan.images import IMAGES_NAME, images_tasks
from ffrtmp_ray.media.plan.limits import check_limits
from ffrtmp_ray.media.plan.measures import measure_tasks
from ffrtmp_ray.media.plan.needs import LIGHT, encode_needs
from ffrtmp_ray.media.plan.outputs import OutputKind, output_kind
from ffrtmp_ray.media.plan.payloads import (
    FilePayload,
    FinishPayload,
    InputFile,
    PlanPayload,
    burned_stream,
)
from ffrtmp_ray.media.plan.rates import durations_of
from ffrtmp_ray.media.plan.renditions import choose
from ffrtmp_ray.media.plan.sounds import LIGHT_SHARE, SoundSpan, audio_task, sound_of, tracks
from ffrtmp_ray.media.plan.split import cpus_of_each, split
from ffrtmp_ray.media.plan.texts import fonts_of, text_of, text_task, texts, texts_beside
from ffrtmp_ray.media.plan.warnings import warnings
from ffrtmp_ray.media.probe.source import Source, VideoStream
from ffrtmp_ray.media.timing import timescale

FINISH_NAME = "finish"


@dataclass(frozen=True, slots=True)
class Plan:
    tasks: tuple[NewTask, ...]
    warnings: tuple[str, ...]
    """What the user may not expect, each as a sentence."""


def make_plan(
    work: PlanPayload, source: Source, file: InputFile, target: str, *, farm_cpus: int
) -> Plan:
    """The tasks of a job on a farm that has so many CPUs.

    `file` is the input in which `source` was found, `target` the output's real place, checked
    against the roots. Raises InvalidRequest when the ladder cannot be made.
    """
    kind = output_kind(work.output, work.ladder, work.images)
    work = with_source_codec(work, kind, source.video)
    chosen = choose(work.ladder, source.video)
    check_limits(work.ladder, chosen, source.video)
    starts = segment_starts(source.video, kind.packaging) if kind.packaging is not None else ()
    encoded, copies = parted(work, source.video, chosen.outputs, starts)
    cut = split(work, source.video, encoded, farm_cpus)
    cpus = cpus_of_each(cut.chunks, farm_cpus, work.encode_cpus)
    payloads = encode_payloads(work, source, file, cut.chunks, encoded, starts)
    needs = encode_needs(encoded, work.gpu, cpus)
    sounds = tracks(work.ladder, source.audio, kind, source.video.first)
    subtitles = texts(work.ladder, source, kind, burned_stream(work))
    files = texts_beside(work.ladder, source, kind, burned_stream(work))
    length = source.video.end - source.video.first
    span = SoundSpan(source.video.first, length, trimmed=source.video.trimmed)
    told = described(work.metadata, source.tags, source.chapters, source.video.first, length)
    tasks = [
        *(encode_task(encode_name(number), needs, each) for number, each in enumerate(payloads)),
        *copy_tasks(work, source.video, file, copies),
        *measure_tasks(work, source.video, cut.chunks, payloads, cpus),
        *(audio_task(track, file, span, work.verify) for track in sounds),
        *images_tasks(work.images, source.video, file, chosen.outputs),
        *(text_task(each, file, span, fonts_of(each, subtitles, source)) for each in subtitles),
        *(text_task(each, file, span, ()) for each in files),
    ]
    finish = FinishPayload(
        target=target,
        folder=kind.folder,
        container=kind.container,
        timescale=timescale(source.video.time_base),
        files=tuple(
            _file(output, kind, source.video, copies, cut.chunks) for output in chosen.outputs
        ),
        chunks=tuple(each.duration for each in payloads) or (length,),
        sounds=tuple(map(sound_of, sounds)),
        texts=tuple(map(text_of, subtitles)),
        packaging=kind.packaging,
        segments=starts,
        plan=work if len(cut.chunks) > 1 or copies else None,
        described=told,
        beside=(
            *((IMAGES_NAME,) if work.images is not None else ()),
            *(each.name for each in files),
        ),
    )
    tasks.append(finish_task(finish, tasks, length))
    limited = (replace(task, timeout_seconds=work.task_timeout_seconds) for task in tasks)
    said = (*warnings(work, source, kind, chosen, sounds), *copies_said(copies))
    return Plan(tuple(limited), said + ((cut.warning,) if cut.warning else ()))


def finish_task(payload: FinishPayload, tasks: Sequence[NewTask], length: Fraction) -> NewTask:
    """Waits for all `tasks`."""
    return NewTask(
        name=FINISH_NAME,
        kind="finish",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        waits_for=tuple(task.name for task in tasks),
        weight=float(length) * LIGHT_SHARE,
    )


def _file(
    output: OutputWork,
    kind: OutputKind,
    video: VideoStream,
    copies: Collection[OutputWork],
    chunks: Sequence[Chunk],
) -> FilePayload:
    name, mapped = output.rendition.name, output.tone_mapped
    return FilePayload(
        rendition=name,
        path=_path(name, kind),
        codec=output.rendition.codec.value,
        width=output.width,
        height=output.height,
        color=BT709 if mapped else video.color,
        light=video.light if video.hdr and not mapped else None,
        max_bitrate=output.rendition.max_bitrate,
        copied=output in copies,
        chunks=durations_of(video, chunks, output) if len(chunks) > 1 else None,
    )


def _path(name: str, kind: OutputKind) -> str:
    if kind.packaging is not None:
        return name
    return f"{name}.{kind.container}" if kind.folder else ""
