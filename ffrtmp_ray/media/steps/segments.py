"""A folder of segments and manifests, for streaming: HLS, DASH or both. Part of `finish`."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from functools import partial
from itertools import chain
from pathlib import Path

from ffrtmp_ray.core.model import Failure
from ffrtmp_ray.media.assignment import Ended
from ffrtmp_ray.media.package import dash, hls
from ffrtmp_ray.media.package.check import alignment_faults, package_faults
from ffrtmp_ray.media.package.mux import cmaf_argv
from ffrtmp_ray.media.package.streams import (
    MANIFEST,
    MASTER,
    PLAYLIST,
    Package,
    PictureStream,
    Stream,
    peak_frame_rate,
)
from ffrtmp_ray.media.plan.grid import first_from
from ffrtmp_ray.media.plan.payloads import FilePayload, FinishPayload
from ffrtmp_ray.media.probe.source import VideoStream
from ffrtmp_ray.media.spec.packaging import HlsSegments, Packaging
from ffrtmp_ray.media.steps import cmaf_streams, ts_streams
from ffrtmp_ray.media.steps.bitrate import buffer_seconds, tightened_chunks
from ffrtmp_ray.media.steps.joining import anew, chunks_of, unequal, verified, write_listing
from ffrtmp_ray.media.steps.making import Making
from ffrtmp_ray.media.steps.step import Step
from ffrtmp_ray.media.steps.subtitle_streams import subtitle_streams
from ffrtmp_ray.media.steps.together import together
from ffrtmp_ray.media.timing import nearest
from ffrtmp_ray.storage.urls import joined
from ffrtmp_ray.views import OutputView

_RANGES = {"smpte2084": "PQ", "arib-std-b67": "HLG"}
"""VIDEO-RANGE by the transfer characteristics; SDR for all others."""


async def make(
    step: Step, work: FinishPayload, packaging: Packaging, folder: Path, staged: Path
) -> tuple[OutputView, ...] | Ended:
    """Everything at `staged`, as it will be seen; `folder` is for what is needed on the way."""
    making = Making(step, work, packaging, folder, staged)
    in_ts = packaging.hls is HlsSegments.TS
    try:
        sounds = await (ts_streams.sounds if in_ts else cmaf_streams.sounds)(making)
    except ValueError as error:
        return anew(work, f"a sound cannot be cut into segments: {error}")
    if not isinstance(sounds, tuple):
        return sounds
    pictures = []
    for made in await together(partial(_picture, making, each, in_ts=in_ts) for each in work.files):
        if not isinstance(made, PictureStream):
            return made
        pictures.append(made)
    texts = await step.in_thread(subtitle_streams, making, pictures[0].stream)
    package = Package(tuple(pictures), sounds, texts)
    faults = await step.in_thread(_complete, making, package)
    if faults:
        return anew(work, f"the package is not right: {'; '.join(faults)}")
    return tuple(_views(making, package))


async def _picture(making: Making, file: FilePayload, *, in_ts: bool) -> PictureStream | Ended:
    step, work = making.step, making.work
    chunks = chunks_of(step, work, file)
    if (ended := await unequal(step, work, file, chunks)) is not None:
        return ended
    listing, whole = (making.folder / f"{file.rendition}.{end}" for end in ("ffconcat", "mp4"))
    await step.in_thread(write_listing, step, work, file, chunks, listing)
    argv = cmaf_argv(step.toolbox.ffmpeg, listing, work.timescale, whole)
    if (ended := await making.ffmpeg(argv)) is not None:
        return ended
    found = await verified(step, work, file, chunks, whole, ())
    if isinstance(found, Failure):
        return anew(work, found.reason)
    buffered = await buffer_seconds(step, file, whole)
    ticks = found.video.ticks
    if not ticks:
        return anew(work, f"{file.rendition} cannot be cut: two frames are shown at the same time")
    starts = first_from(ticks, work.segments)
    end = max(nearest(sum(work.chunks, Fraction(0)) * work.timescale), ticks[-1] + 1)
    cut = ts_streams.picture if in_ts else cmaf_streams.picture
    try:
        stream = await cut(making, whole, f"video/{file.path}", starts, end)
    except ValueError as error:
        return anew(work, f"{file.rendition} cannot be cut into segments: {error}")
    whole.unlink()
    if not isinstance(stream, Stream):
        return stream
    return _as_picture(file, found.video, stream, buffered)


def _as_picture(
    file: FilePayload, video: VideoStream, stream: Stream, buffered: float | None
) -> PictureStream:
    average = video.frames / stream.seconds
    return PictureStream(
        name=file.rendition,
        stream=stream,
        width=file.width,
        height=file.height,
        frame_rate=average,
        peak_frame_rate=peak_frame_rate(video.ticks, video.time_base.denominator, average),
        video_range=_RANGES.get(video.color.transfer or "", "SDR"),
        buffer_seconds=buffered,
    )


def _complete(making: Making, package: Package) -> list[str]:
    """Write the manifests, the master playlist last, and look at it all as a player does."""
    staged, packaging = making.staged, making.packaging
    if packaging.dash:
        (staged / MANIFEST).write_text(dash.manifest(package), "utf-8")
    if packaging.hls is not HlsSegments.NONE:
        for stream in package.playlists:
            (staged / stream.folder / PLAYLIST).write_text(hls.media_playlist(stream), "utf-8")
        (staged / MASTER).write_text(hls.master_playlist(package), "utf-8")
    faults = chain(alignment_faults(package), package_faults(staged, package, packaging))
    try:
        return list(faults)
    except ValueError as error:
        return [str(error)]


def _views(making: Making, package: Package) -> Iterator[OutputView]:
    """The manifests, which players open, and what each stream has come to."""
    target, hls_wanted = making.work.target, making.packaging.hls is not HlsSegments.NONE
    seconds = round(float(package.seconds), 6)
    for wanted, name in ((hls_wanted, MASTER), (making.packaging.dash, MANIFEST)):
        if wanted:
            size = (making.staged / name).stat().st_size
            yield OutputView(path=joined(target, name), bytes=size, duration_seconds=seconds)
    for picture, file in zip(package.pictures, making.work.files, strict=True):
        look = f"{file.codec} {picture.width}x{picture.height}"
        view = _view(target, picture.stream, video=look)
        tightened = tightened_chunks(file, chunks_of(making.step, making.work, file))
        held = {"buffer_seconds": picture.buffer_seconds, "tightened_chunks": tightened}
        yield view.model_copy(update=held)
    for sound, payload in zip(package.sounds, making.work.sounds, strict=True):
        if sound.stream is not None:
            yield _view(target, sound.stream, audio=f"{payload.codec} {sound.channels}ch")
    for text in package.texts:
        yield _view(target, text.stream, subtitles=f"webvtt {text.language or 'und'}")


def _view(target: str, stream: Stream, **what: str) -> OutputView:
    return OutputView(
        path=joined(target, stream.folder),
        bytes=stream.bytes,
        duration_seconds=round(float(stream.seconds), 6),
        **what,
    )
