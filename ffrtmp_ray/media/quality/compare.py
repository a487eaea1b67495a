"""The command line that compares an encode with what its encoder was given, and what it writes.

Pure. The only place that knows libvmaf's options.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ffrtmp_ray.media.encode.graph import escaped
from ffrtmp_ray.media.encode.mark import mark_input
from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.video import filter_graph, input_options
from ffrtmp_ray.media.encode.work import OutputWork, VideoWork
from ffrtmp_ray.media.encoders import encoder_for
from ffrtmp_ray.media.spec import Measure

VMAF_MODEL = "vmaf_v0.6.1"
"""Learned from people who saw 1080 lines from three times the picture's height away."""
VMAF_4K_MODEL = "vmaf_4k_v0.6.1"
"""From those who saw 2160 lines from one and a half times the height
(https://github.com/Netflix/vmaf/blob/master/resource/doc/models.md)."""
MOST_LINES_OF_FIRST_MODEL = 1440

LIBVMAF = "libvmaf"
"""ffmpeg's name of the filter, and that of the capability."""

_COLUMNS: Mapping[Measure, str] = {
    Measure.VMAF: "vmaf",
    Measure.PSNR: "psnr_y",
    Measure.SSIM: "float_ssim",
}
"""Of libvmaf's log."""
_FEATURES: Mapping[Measure, str] = {Measure.PSNR: "psnr", Measure.SSIM: "float_ssim"}
"""libvmaf's names of what is no model."""
_LEAST_SIDE: Mapping[Measure, int] = {Measure.VMAF: 17, Measure.PSNR: 1, Measure.SSIM: 11}
"""Pixels of the shorter side: VMAF halves pictures four times, and libvmaf 3 crashes where nothing
is left; SSIM has a window of 11 (Wang et al., 2004), without which its scores are no numbers."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """One rendition of a chunk beside the chunk itself."""

    source: str
    video: VideoWork
    """What its encoder was given; its only output is the rendition at the size at which the two
    are compared."""
    encoded: str
    """The rendition's file."""
    measures: tuple[Measure, ...]
    before: bool = False
    """`video` has one frame more at its beginning than the file."""
    after: bool = False
    """And one at its end."""


def vmaf_model(width: int, height: int) -> str:
    """The model for pictures of that size, by libvmaf's name."""
    return VMAF_4K_MODEL if min(width, height) > MOST_LINES_OF_FIRST_MODEL else VMAF_MODEL


def too_small(measure: Measure, width: int, height: int) -> bool:
    """Whether pictures of that size are smaller than what it looks at."""
    return min(width, height) < _LEAST_SIDE[measure]


def comparison_argv(ffmpeg: str, work: Comparison, log: str, *, cpus: int) -> list[str]:
    """The whole command line. It writes `scores_of`'s lines to the file `log`, and its progress
    counts frames of the source.

    `cpus` are also libvmaf's threads, each of which keeps some pictures: with one, ffmpeg took
    225 MiB for 1080 lines and 790 MiB for 2160, and 135 and 590 MiB more for each further one.
    """
    threads = ["-filter_complex_threads", str(cpus)]
    argv = [*opening(ffmpeg, work.source, cpus), *input_options(work.video), "-i", work.source]
    argv += mark_input(work.video.mark)
    argv += ["-protocol_whitelist", "file", "-f", "mov", "-threads", str(cpus), "-i", work.encoded]
    argv += [*threads, "-filter_complex", comparison_graph(work, log, threads=cpus)]
    for pad in ("[counted]", "[scored]"):
        argv += ["-map", pad, "-fps_mode", "passthrough", "-f", "null", "-"]
    return argv


def comparison_graph(work: Comparison, log: str, *, threads: int) -> str:
    """Frames are paired by their number. Where the source ends first, what is left of the encode
    is not scored, and all of the source is counted: so unequal numbers are seen.

    VMAF looks at a frame's neighbours, in the source alone: the encode's first and last one are
    repeated beside the frames that the source has more.
    """
    (output,) = work.video.outputs
    numbered = "settb=1/25,setpts=N"
    pixel_format = encoder_for(output.rendition.codec, gpu=False).pixel_format(work.video.bit_depth)
    encoded = 1 if work.video.mark is None else 2  # the input's number
    repeated = f"tpad=start={work.before:d}:stop={work.after:d}:start_mode=clone:stop_mode=clone"
    return ";".join(
        [
            filter_graph(work.video, gpu=False),
            f"[out0]{numbered},split[source][counted]",
            f"[{encoded}:v]{repeated},scale={output.width}:{output.height}:flags=bicubic,setsar=1,"
            f"format={pixel_format},{numbered}[encoded]",
            f"[encoded][source]{_libvmaf(work, output, log, threads)}[scored]",
        ]
    )


def trial_graph() -> str:
    """A filter graph that works where both models are there."""
    models = "|".join(f"version={model}" for model in (VMAF_MODEL, VMAF_4K_MODEL))
    return f"split[a][b];[a][b]{LIBVMAF}=model={models}"


def scores_of(lines: Iterable[str], measures: Sequence[Measure]) -> dict[Measure, list[float]]:
    """Of each frame in turn, from libvmaf's log. Raises ValueError when it holds no such scores."""
    found: dict[Measure, list[float]] = {measure: [] for measure in measures}
    for row in csv.DictReader(lines):
        for measure, scores in found.items():
            if (score := row.get(_COLUMNS[measure])) is None:
                raise ValueError(f"libvmaf's log has no {_COLUMNS[measure]}")
            scores.append(float(score))
    return found


def _libvmaf(work: Comparison, output: OutputWork, log: str, threads: int) -> str:
    """An empty model is none."""
    model = ""
    if Measure.VMAF in work.measures:
        model = f"version={vmaf_model(output.width, output.height)}"
    features = "|".join(f"name={_FEATURES[m]}" for m in work.measures if m in _FEATURES)
    options = [f"model={model}", f"n_threads={threads}", "eof_action=pass"]
    options += [f"feature={features}"] if features else []
    return f"{LIBVMAF}=" + ":".join([*options, "log_fmt=csv", f"log_path={escaped(log)}"])
