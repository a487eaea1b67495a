"""From a ladder and a source to the tasks that make the outputs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

from msgspec.structs import replace

from ffrtmp_ray.core.model import Needs, NewTask
from ffrtmp_ray.media.encode import work as encodes
from ffrtmp_ray.media.encode.work import AudioWork, OutputWork, VideoWork
from ffrtmp_ray.media.plan.cuts import Chunk
from ffrtmp_ray.media.plan.limits import check_limits
from ffrtmp_ray.media.plan.needs import LIGHT, encode_needs, gpu_makes
from ffrtmp_ray.media.plan.outputs import OutputKind, audio_for, output_kind
from ffrtmp_ray.media.plan.payloads import (
    AudioPayload,
    EncodePayload,
    FilePayload,
    FinishPayload,
    InputFile,
    PlanPayload,
)
from ffrtmp_ray.media.plan.renditions import Chosen, choose
from ffrtmp_ray.media.plan.split import cpus_of_each, split
from ffrtmp_ray.media.plan.timing import nearest, timescale
from ffrtmp_ray.media.probe.source import AudioStream, Source, VideoStream
from ffrtmp_ray.media.spec import Audio, GpuUse

AUDIO_NAME = "audio"
FINISH_NAME = "finish"

_LIGHT_SHARE = 0.05
"""The weight of audio and of finishing by that of the encodes: both copy or make little data."""


@dataclass(frozen=True, slots=True)
class Plan:
    tasks: tuple[NewTask, ...]
    warnings: tuple[str, ...]
    """What the user may not expect, each as a sentence."""


def make_plan(
    work: PlanPayload, source: Source, path: Path, target: Path, *, farm_cpus: int
) -> Plan:
    """The tasks of a job on a farm that has so many CPUs.

    `path` (of the source) and `target` are real paths, checked against the roots. Raises
    InvalidRequest when the ladder cannot be made.
    """
    kind = output_kind(work.output, work.ladder)
    chosen = choose(work.ladder, source.video)
    check_limits(work.ladder, chosen, source.video)
    cut = split(work, source.video, chosen.outputs, farm_cpus)
    sound = source.audio[0] if source.audio and work.ladder.audio is not None else None
    audio = audio_for(kind.container, work.ladder.audio) if sound and work.ladder.audio else None
    names = [encode_name(chunk.number) for chunk in cut.chunks]
    cpus = cpus_of_each(cut.chunks, farm_cpus, work.encode_cpus)
    needs = encode_needs(chosen.outputs, work.gpu, cpus)
    payloads = _encodes(work, source, cut.chunks, chosen, path)
    tasks = [_encode(name, needs, each) for name, each in zip(names, payloads, strict=True)]
    length = source.video.end - source.video.first
    if sound is not None and audio is not None:
        tasks.append(_audio(sound, audio, source, path, length))
        names.append(AUDIO_NAME)
    finish = FinishPayload(
        target=str(target),
        folder=kind.folder,
        container=kind.container,
        timescale=timescale(source.video.time_base),
        files=tuple(_file(output, kind) for output in chosen.outputs),
        chunks=tuple(each.duration for each in payloads),
        audio_codec=audio.codec.value if audio is not None else None,
        language=_language(sound),
        plan=work if len(cut.chunks) > 1 else None,
    )
    tasks.append(
        NewTask(
            name=FINISH_NAME,
            kind="finish",
            needs=LIGHT,
            payload=finish.model_dump(mode="json"),
            waits_for=tuple(names),
            weight=float(length) * _LIGHT_SHARE,
        )
    )
    limited = (replace(task, timeout_seconds=work.task_timeout_seconds) for task in tasks)
    said = tuple(_warnings(work, source, chosen, sound, audio))
    return Plan(tuple(limited), said + ((cut.warning,) if cut.warning else ()))


def encode_name(chunk: int) -> str:
    return f"encode{chunk}"


def _encodes(
    work: PlanPayload, source: Source, chunks: Sequence[Chunk], chosen: Chosen, path: Path
) -> list[EncodePayload]:
    """What is to be done for each chunk."""
    video, file = source.video, _input(source, path)
    ticks = timescale(video.time_base)
    whole = VideoWork(
        stream=video.index,
        frame_rate=_mean_rate(video),
        timescale=ticks,
        outputs=chosen.outputs,
        bit_depth=_bit_depth(video),
        color=video.color,
        rgb=video.rgb,
        interlaced=video.interlaced,
    )
    if len(chunks) == 1:
        return [_payload(whole, video, chunks[0], file, video.end - video.first)]
    offsets = [nearest((chunk.start - video.first) * ticks) for chunk in chunks]
    ends = [*(Fraction(offset, ticks) for offset in offsets[1:]), video.end - video.first]
    payloads = []
    for chunk, offset, end in zip(chunks, offsets, ends, strict=True):
        part = whole.model_copy(update={"chunk": _part(video, chunk, offset)})
        each = _payload(part, video, chunk, file, end - Fraction(offset, ticks))
        payloads.append(each.model_copy(update={"plan": work}))
    return payloads


def _input(source: Source, path: Path) -> InputFile:
    """Its packets say what is decoded; the rest, how ffmpeg reads and turns it."""
    video = source.video
    read_as = (source.container, video.codec, video.time_base, video.rotation, video.pixel_format)
    return InputFile(
        path=str(path),
        bytes=source.bytes,
        modified_ns=source.modified_ns,
        fingerprint=" ".join(map(str, (video.fingerprint, *read_as))),
    )


def _part(video: VideoStream, chunk: Chunk, offset: int) -> encodes.Chunk:
    return encodes.Chunk(
        time_base=video.time_base,
        seek_seconds=chunk.seek,
        first_pts=video.ticks[0],
        start_pts=chunk.start_pts,
        end_pts=chunk.end_pts,
        offset=offset,
    )


def _payload(
    work: VideoWork, video: VideoStream, chunk: Chunk, file: InputFile, duration: Fraction
) -> EncodePayload:
    return EncodePayload(
        input=file,
        video=work,
        start=chunk.start,
        frames=chunk.frames,
        countable=video.countable,
        span=chunk.last_frame - chunk.start,
        duration=duration,
    )


def _encode(name: str, needs: Needs, payload: EncodePayload) -> NewTask:
    return NewTask(
        name=name,
        kind="encode",
        needs=needs,
        payload=payload.model_dump(mode="json"),
        weight=float(payload.duration),
    )


def _audio(
    sound: AudioStream, audio: Audio, source: Source, path: Path, length: Fraction
) -> NewTask:
    payload = AudioPayload(
        input=str(path),
        audio=AudioWork(
            stream=sound.index,
            audio=audio,
            source_channels=sound.channels,
            source_rate=sound.sample_rate,
            picture_start=source.video.first,
        ),
        duration=length,
    )
    return NewTask(
        name=AUDIO_NAME,
        kind="audio",
        needs=LIGHT,
        payload=payload.model_dump(mode="json"),
        weight=float(length) * _LIGHT_SHARE,
    )


def _file(output: OutputWork, kind: OutputKind) -> FilePayload:
    name = output.rendition.name
    return FilePayload(
        rendition=name,
        path=f"{name}.{kind.container}" if kind.folder else "",
        codec=output.rendition.codec.value,
        width=output.width,
        height=output.height,
    )


def _mean_rate(video: VideoStream) -> Fraction:
    """Frames a second by count: what a container claims is often wrong (1000 in some MKV)."""
    length = video.end - video.first
    return video.frames / length if length else video.average_rate or Fraction(25)


def _bit_depth(video: VideoStream) -> Literal[8, 10]:
    return 10 if video.bit_depth > 8 or video.hdr else 8


def _language(sound: AudioStream | None) -> str | None:
    return sound.language if sound is not None and sound.language != "und" else None


def _warnings(
    work: PlanPayload,
    source: Source,
    chosen: Chosen,
    sound: AudioStream | None,
    audio: Audio | None,
) -> Iterator[str]:
    video = source.video
    if work.inexact is not None:
        yield f"inexact: {work.inexact}; so the picture was encoded again in one piece"
    for rendition in chosen.left_out:
        yield (
            f"{rendition.name} is left out: the source has {video.shown_height} lines, "
            "and a picture is never enlarged"
        )
    if work.ladder.audio is not None and sound is None:
        yield "the source has no sound that can be used"
    if audio is not None and work.ladder.audio is not None and audio != work.ladder.audio:
        yield f"the sound is made as {audio.codec}, which is all that this container takes"
    if sound is not None and len(source.audio) > 1:
        yield f"of {len(source.audio)} sound streams the first is taken"
    if source.subtitles:
        yield f"subtitles are left out ({source.subtitles})"
    if video.dynamic_hdr:
        yield f"{' and '.join(video.dynamic_hdr)} metadata is dropped"
    if work.gpu is GpuUse.PREFER and not gpu_makes(chosen.outputs):
        yield "no GPU makes these renditions: they are encoded on CPUs"
