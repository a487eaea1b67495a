"""The command line that makes every rendition of a picture from one decode."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise

from ffrtmp_ray.media.encode.burn import burning
from ffrtmp_ray.media.encode.graph import shared_graph
from ffrtmp_ray.media.encode.light import light_options, tone_map
from ffrtmp_ray.media.encode.mark import mark_input, marked
from ffrtmp_ray.media.encode.opening import opening, seconds
from ffrtmp_ray.media.encode.rate import RatedSpan, frame_rate, rated_span
from ffrtmp_ray.media.encode.tighten import tries_said
from ffrtmp_ray.media.encode.work import ChunkWork, Color, OutputWork, VideoWork
from ffrtmp_ray.media.encoders import Encoder, Picture, encoder_for

MOVFLAGS = "+frag_keyframe+empty_moov+delay_moov+default_base_moof"
"""Fragments, so that what a killed process leaves is not taken for a whole file; the header is
delayed until the first packet, without which the edit list that puts it at time zero is lost."""

_CHANGES = ("-reinit_filter", "0")
"""Where the source changes its size or colours, scale copes; started anew, as ffmpeg would have it,
the graph would count time from there."""
_DEEP = "yuv420p10le"
"""HDR's pixels until they are tone-mapped."""
_RGB = ":out_color_matrix=bt709:out_range=tv"
"""Left alone, scale keeps RGB's full range and its identity matrix, which 4:2:0 cannot have."""


def video_argv(
    ffmpeg: str,
    source: str,
    work: VideoWork,
    *,
    outputs: Mapping[str, str],
    cpus: int,
    gpu: int | None,
) -> list[str]:
    """The whole command line. `outputs` has the path of each rendition, by its name.

    `cpus` is the number of CPUs to use; `gpu` the index of the GPU whose encoders are used, None
    for encoders on CPUs. Raises InvalidRequest when no such encoder exists.
    """
    argv = [*opening(ffmpeg, source, cpus), *input_options(work)]
    argv += ["-i", source, *mark_input(work.mark), "-filter_complex_threads", str(cpus)]
    argv += ["-filter_complex", filter_graph(work, gpu is not None)]
    pads = [f"[out{number}]" for number in range(len(work.outputs))]
    if work.light is not None and len(pads) > 1:
        argv, pads = argv + _each_lit(pads), [_lit(pad) for pad in pads]
    for pad, output in zip(pads, work.outputs, strict=True):
        argv += ["-map", pad, *output_options(work, output, cpus, gpu)]
        argv += ["-map_metadata", "-1", "-map_chapters", "-1", *tries_said(output.tries)]
        argv += ["-video_track_timescale", str(work.timescale), "-movflags", MOVFLAGS]
        argv += ["-f", "mp4", outputs[output.rendition.name]]
    return argv


def output_options(work: VideoWork, output: OutputWork, cpus: int, gpu: int | None) -> list[str]:
    """How what comes out of `filter_graph` for an output is encoded: names and values in turn."""
    encoder = encoder_for(output.rendition.codec, gpu is not None)
    shortest = None if work.chunk is None else work.chunk.shortest
    picture = _picture(work, output)
    return [
        *("-fps_mode", "passthrough"),
        *("-enc_time_base", f"1/{work.timescale}"),
        *encoder.arguments(
            output.rendition, picture, max(cpus, 1), gpu, shortest, again=output.tries > 1
        ),
        *_keyframes(work, output, encoder),
    ]


def _each_lit(pads: Sequence[str]) -> list[str]:
    """A graph more for each output. What is said of light goes to the encoder of a graph's first
    output alone (ffmpeg 9.0.2); from frames, the next graph takes it anew."""
    return [word for pad in pads for word in ("-filter_complex", f"{pad}null{_lit(pad)}")]


def _lit(pad: str) -> str:
    return pad.replace("out", "lit")


def input_options(work: VideoWork) -> list[str]:
    """How the source is read, for whoever puts `filter_graph` behind it."""
    return [*_seek(work.chunk), *_CHANGES, *light_options(work.light)]


def _keyframes(work: VideoWork, output: OutputWork, encoder: Encoder) -> list[str]:
    """ffmpeg reads times to the microsecond. They are rounded down: a frame is forced that is not
    before its time, and no two frames are a microsecond apart."""
    if not work.keyframes:
        return []
    later = 0  # than the chunk's first frame is that of a rendition of its own rate
    if work.chunk is not None and (span := _span(work, output)) is not None:
        later = span.offset - work.chunk.offset
    ticks = (max(tick - later, 0) for tick in work.keyframes)
    times = (tick * 1_000_000 // work.timescale for tick in ticks)
    return [*encoder.forced, "-force_key_frames", ",".join(map(_seconds, times))]


def _seconds(microseconds: int) -> str:
    """As short as can be: thousands of them go into one argument."""
    whole, part = divmod(microseconds, 1_000_000)
    return f"{whole}.{part:06d}".rstrip("0").rstrip(".")


def filter_graph(work: VideoWork, gpu: bool) -> str:
    """What happens to a picture between decoder and encoder.

    Filters that look at neighbouring frames come before the cut, so that frames at its border
    are the same as in the whole file. ffmpeg itself turns a rotated picture before all of this.
    """
    source, common = f"[0:{work.stream}]", first_filters(work)
    chains = [[*_rate(work, each), *_scale(work, each, gpu)] for each in work.outputs]
    if work.mark is None:
        return shared_graph(source, [[*common, *chain] for chain in chains])
    head = f"{source}{','.join(common)}[picture]"
    return ";".join([head, *marked(work, work.mark), shared_graph("[marked]", chains)])


def first_filters(work: VideoWork) -> list[str]:
    """What comes before all that outputs differ in: the chunk's frames, timed from its first."""
    return [
        *_ordered(work), *_one_form(work), *_deinterlace(work), *_trim(work), *_state(work.color),
        *_times(work),
    ]  # fmt: skip


def _scale(work: VideoWork, output: OutputWork, gpu: bool) -> list[str]:
    """To each size that it passes through on its way, and to its own. The pixel format is part of
    a step, so that only renditions of one format share it."""
    pixels = encoder_for(output.rendition.codec, gpu).pixel_format(work.bit_depth)
    if output.tone_mapped:
        tone = [*tone_map(work.color, work.light), f"format={pixels}"]
        return [*_sizes(work, output, _DEEP), *tone]
    return _sizes(work, output, pixels)


def _sizes(work: VideoWork, output: OutputWork, pixels: str) -> list[str]:
    first, *others = (*output.via, (output.width, output.height))
    sizes = [f"{first[0]}:{first[1]}{_RGB if work.rgb else ''}", *(f"{w}:{h}" for w, h in others)]
    return [f"scale={size},setsar=1,format={pixels}" for size in sizes]


def _rate(work: VideoWork, output: OutputWork) -> list[str]:
    """Which frames an output has: the chunk's, or those on the grid of its own rate, which begins
    at the picture's first frame, not at the chunk's."""
    span, chunk = _span(work, output), work.chunk
    if span is None:
        longer = chunk is not None and _last_pts(work) != chunk.end_pts
        return [f"trim=end_pts={chunk.length}"] if chunk is not None and longer else []
    begin = [f"setpts=PTS+{chunk.offset}"] if chunk is not None and chunk.offset else []
    bounds = [f"start_pts={span.first}"] if span.first else []
    bounds += [f"end_pts={span.end}"] if span.end is not None else []
    cut = [f"trim={':'.join(bounds)}"] if bounds else []
    end = [f"setpts=PTS-{span.offset}"] if span.offset else []
    rate = f"fps={frame_rate(output.rendition.fps or 0)}:eof_action=pass"
    return [*begin, rate, *cut, _ticks(work), *end]


def _span(work: VideoWork, output: OutputWork) -> RatedSpan | None:
    """None where it keeps the source's frames."""
    if output.rendition.fps is None:
        return None
    rate, chunk = frame_rate(output.rendition.fps), work.chunk
    if chunk is None:
        return RatedSpan(0, None, 0)
    return rated_span(rate, work.timescale, chunk.offset, chunk.length)


def _picture(work: VideoWork, output: OutputWork) -> Picture:
    fps = output.rendition.fps
    rate = work.frame_rate if fps is None else frame_rate(fps)
    return Picture(output.width, output.height, work.bit_depth, rate, _longest_gop(work, rate))


def _longest_gop(work: VideoWork, rate: Fraction) -> int:
    """Frames between forced keyframes, at most and about."""
    longest = max((after - before for before, after in pairwise(work.keyframes)), default=0)
    return math.ceil(longest * rate / work.timescale)


def _seek(chunk: ChunkWork | None) -> list[str]:
    if chunk is None or chunk.seek_seconds is None:
        return []
    return ["-seek_timestamp", "1", "-noaccurate_seek", "-ss", seconds(chunk.seek_seconds)]


def _ordered(work: VideoWork) -> list[str]:
    regular = work.regular
    if regular is None:
        return []
    step = f"{regular.step.numerator}/{regular.step.denominator}"
    return [f"settb={regular.time_base}", f"setpts={regular.first}+round(N*{step})"]


def _one_form(work: VideoWork) -> list[str]:
    """bwdif and overlay cope with no change of size, so that there is none before them; scale
    leaves alone what has that size, and scales the fields of a frame apart. The range is stated,
    or that of an image laid over it would become the picture's."""
    if (form := work.form) is None:
        return []
    fields = ":interl=-1" if work.interlaced else ""
    levels = "" if work.rgb else f":out_range={work.color.range or 'tv'}"
    return [f"scale={form.width}:{form.height}{fields}{levels}", f"format={form.pixels}"]


def _deinterlace(work: VideoWork) -> list[str]:
    return ["bwdif=mode=send_frame:parity=auto:deint=interlaced"] if work.interlaced else []


def _trim(work: VideoWork) -> list[str]:
    """bwdif halves the time base, so the one that the ticks are in is set first."""
    chunk = work.chunk
    if chunk is None:
        return []
    bounds = {"start_pts": chunk.start_pts, "end_pts": _last_pts(work)}
    given = ":".join(f"{name}={pts}" for name, pts in bounds.items() if pts is not None)
    return [f"settb={chunk.time_base}", f"trim={given}"] if given else []


def _last_pts(work: VideoWork) -> int | None:
    """The tick from which on no frame is read."""
    chunk = work.chunk
    if chunk is None:
        return None
    rated = any(output.rendition.fps is not None for output in work.outputs)
    return chunk.end_pts if chunk.until_pts is None or not rated else chunk.until_pts + 1


def _times(work: VideoWork) -> list[str]:
    """Count time from the first frame. Chunks count from the picture's first one and round to the
    output's ticks before they start at zero, so that all of them round as the whole file does;
    and a first frame that is missing leaves a gap there, in which that is seen. Subtitles are drawn
    by exact times of the whole picture, which a chunk has for a moment."""
    if work.chunk is None:
        return ["setpts=PTS-STARTPTS", *burning(work), _ticks(work)]
    from_first = f"setpts=PTS-({work.chunk.first_pts})"
    return [from_first, *burning(work), _ticks(work), f"setpts=PTS-{work.chunk.offset}"]


def _ticks(work: VideoWork) -> str:
    """Round times to those of the output; left to the encoders, each would do so in its way."""
    return f"settb=1/{work.timescale}"


def _state(color: Color) -> list[str]:
    """Tell the encoders what the colours are, where the decoder may not know it."""
    values = {
        "color_primaries": color.primaries,
        "color_trc": color.transfer,
        "colorspace": color.matrix,
        "range": color.range,
    }
    given = ":".join(f"{name}={value}" for name, value in values.items() if value is not None)
    return [f"setparams={given}"] if given else []
