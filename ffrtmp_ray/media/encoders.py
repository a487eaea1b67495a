"""The encoders of pictures: one table that says how each is asked for quality, speed and threads.

The only place that knows an encoder's options. An encoder's name is ffmpeg's own, and the name of
the capability that a worker must have proven. Rates are bits per second.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction

from ffrtmp_ray.errors import InvalidRequest
from ffrtmp_ray.media.bucket import Bucket, bucket_for
from ffrtmp_ray.media.spec import Codec, Effort, Rendition

MAX_GOP_SECONDS = 10
"""From one keyframe to the next, at most."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What an encoder is given, after all filters."""

    width: int
    height: int
    bit_depth: int
    """8 or 10."""
    frame_rate: Fraction
    """Frames a second, on average."""
    forced_gop: int = 0
    """Frames from one forced keyframe to the next, about; 0 where none are forced."""


@dataclass(frozen=True, slots=True)
class CrfRange:
    """The part of a codec's scale in which a crf is looked for."""

    lowest: float
    """Below it, files grow and nobody sees why."""
    usual: float
    highest: float
    """Above it, everybody sees why."""
    step: float

    def nearest(self, crf: float) -> float:
        """The nearest that there is, of the whole steps from the lowest to the highest."""
        steps = round((crf - self.lowest) / self.step)
        return min(max(self.lowest + steps * self.step, self.lowest), self.highest)


@dataclass(frozen=True, slots=True)
class Encoder:
    codec: Codec
    name: str
    """ffmpeg's, and that of the capability."""
    gpu: bool
    pixel_formats: Mapping[int, str]
    """By bit depth. H.264 has 8 bit only: its 10-bit profile plays hardly anywhere."""
    presets: Mapping[Effort, tuple[str, ...]]
    max_crf: int
    quality: Callable[[float, Bucket | None], list[str]]
    """The options for a crf, and what bounds the bitrate."""
    threads: Callable[[int, Picture], list[str]]
    """The options that keep it to so many CPUs."""
    own_gop: int
    """Frames from keyframe to keyframe where the encoder is left to itself."""
    largest: tuple[int, int]
    """Width and height."""
    cap_is_goal: bool = False
    """It may exceed a highest bitrate: what it makes is measured, and made again where it did. No
    parameter set of its streams depends on crf or bitrate, so that chunks can still be joined."""
    floor: Callable[[float], list[str]] = lambda _: []
    """What makes of a crf the finest that any frame becomes, in an encode that is made again."""
    crf_range: CrfRange = CrfRange(lowest=12, usual=24, highest=40, step=0.5)
    smallest: tuple[int, int] = (2, 2)
    always: tuple[str, ...] = ()
    forced: tuple[str, ...] = ()
    """What makes of a forced keyframe one that nothing looks back across."""

    def fits(self, width: int, height: int) -> bool:
        """Whether a picture of that size can be encoded."""
        (least_width, least_height), (most_width, most_height) = self.smallest, self.largest
        return least_width <= width <= most_width and least_height <= height <= most_height

    def pixel_format(self, bit_depth: int) -> str:
        """The deepest that it has up to `bit_depth`."""
        return self.pixel_formats[max(depth for depth in self.pixel_formats if depth <= bit_depth)]

    def check_crf(self, crf: float, where: str) -> None:
        """Raises InvalidRequest, about the field `where`, when `crf` is off the codec's scale."""
        if crf > self.max_crf:
            raise InvalidRequest(
                f"crf {crf:g} is beyond the scale of {self.codec}",
                where=where,
                remedy=f"give 0 to {self.max_crf}",
            )

    def arguments(
        self,
        rendition: Rendition,
        picture: Picture,
        cpus: int,
        gpu: int | None,
        shortest: Fraction | None = None,
        *,
        again: bool = False,
    ) -> list[str]:
        """All of ffmpeg's output options that make `rendition` of `picture`.

        `gpu` is the index of the GPU as CUDA counts them; `shortest` the length in seconds of the
        shortest of the job's chunks, None for a whole file; `again` says that an encode before this
        one has exceeded the bitrate. The crf is taken to be on the scale.
        """
        if rendition.crf is None:
            raise ValueError(f"{rendition.name} has no crf: it is found before anything is encoded")
        most = rendition.max_bitrate
        bucket = None if most is None else bucket_for(most, shortest)
        gop = max(
            self.gop(picture.frame_rate), picture.forced_gop
        )  # one of its own before a forced one would be waste
        return [
            *("-c:v", self.name),
            *("-pix_fmt", self.pixel_format(picture.bit_depth)),
            *self.presets[rendition.effort],
            *self.quality(rendition.crf, bucket),
            *(self.floor(rendition.crf) if again else ()),
            *("-g", str(gop)),
            *self.always,
            *(("-gpu", str(gpu)) if self.gpu and gpu is not None else ()),
            *self.threads(cpus, picture),
        ]

    def gop(self, frame_rate: Fraction) -> int:
        """Frames from a keyframe to the next, at most, where none is forced."""
        return min(self.own_gop, max(1, math.floor(frame_rate * MAX_GOP_SECONDS)))


def _capped(bucket: Bucket | None) -> list[str]:
    if bucket is None:
        return []
    start = [] if bucket.start is None else ["-rc_init_occupancy", str(bucket.start)]
    return ["-maxrate", str(bucket.rate), "-bufsize", str(bucket.size), *start]


def _crf(crf: float, bucket: Bucket | None) -> list[str]:
    return ["-crf", f"{crf:g}", *_capped(bucket)]


def _whole_crf(crf: float, bucket: Bucket | None) -> list[str]:
    return ["-crf", str(round(crf)), *_capped(bucket)]


def _vpx_crf(crf: float, bucket: Bucket | None) -> list[str]:
    """libvpx: `-b:v 0` means quality alone, another rate is the cap of "constrained quality"
    (https://trac.ffmpeg.org/wiki/Encode/VP9)."""
    most = 0 if bucket is None else bucket.rate
    return ["-crf", str(round(crf)), "-b:v", str(most), *_capped(bucket)]


def _vpx_floor(crf: float) -> list[str]:
    """In "constrained quality", what a calm part has not used lets others become finer than their
    crf, keyframes always are, and noise after black never comes back to it."""
    return ["-qmin", str(round(crf))]


def _nvenc_cq(crf: float, bucket: Bucket | None) -> list[str]:
    """NVENC's `-cq` stands for crf; 0 would mean "automatic"."""
    return ["-rc", "vbr", "-cq", f"{max(crf, 1):g}", "-b:v", "0", *_capped(bucket)]


def _threads(cpus: int, _: Picture) -> list[str]:
    return ["-threads", str(cpus)]


def _x265_threads(cpus: int, picture: Picture) -> list[str]:
    """Frame threads and wavefronts change x265's bitstream, so the picture fixes them, never the
    worker; `pools` does not. `info=0` keeps the settings out of the stream."""
    frame_threads = 1 if picture.height < 480 else 2 if picture.height < 1440 else 3
    params = f"pools={cpus}:frame-threads={frame_threads}:wpp=1:open-gop=0:info=0:log-level=0"
    return ["-x265-params", params]


def _svt_threads(cpus: int, _: Picture) -> list[str]:
    """`lp` is a level, 1 to 6, and does not change the bitstream; but under a cap, from 2 on,
    SVT-AV1 makes other bits in each run, by 4 % in size.

    A cap may be overshot by 50 % unless it is told otherwise: then 2.2 s of it had to be buffered
    of a recording at 300 kbit/s, and 1.0 s with 20 %; with 0, a fifth of the bitrate was not used.
    """
    return ["-svtav1-params", f"lp={min(cpus, 6)}:mbr-overshoot-pct=20"]


def _vpx_threads(cpus: int, picture: Picture) -> list[str]:
    """Tile columns are a power of two, at least 256 pixels wide each (VP9's own limit); they
    change the bitstream, so the picture fixes them."""
    columns = min(max(picture.width // 320, 1).bit_length() - 1, 3)
    return ["-threads", str(cpus), "-row-mt", "1", "-tile-columns", str(columns)]


def _no_threads(_: int, __: Picture) -> list[str]:
    return []


def _presets(fast: str, balanced: str, thorough: str) -> dict[Effort, tuple[str, ...]]:
    return {
        Effort.FAST: ("-preset", fast),
        Effort.BALANCED: ("-preset", balanced),
        Effort.THOROUGH: ("-preset", thorough),
    }


_TO_63 = CrfRange(lowest=15, usual=34, highest=58, step=1)
"""Of codecs whose scale ends there. They take whole numbers only."""
_NVENC_SMALLEST = (192, 128)
"""Of all codecs and cards; many take smaller ones, which are no work for a GPU."""
_IDR = ("-forced-idr", "1")
_NVENC_PRESETS = _presets("p2", "p5", "p7")

ENCODERS: tuple[Encoder, ...] = (
    Encoder(
        codec=Codec.H264,
        name="libx264",
        gpu=False,
        pixel_formats={8: "yuv420p"},
        presets=_presets("veryfast", "medium", "slow"),
        max_crf=51,
        quality=_crf,
        threads=_threads,
        own_gop=250,
        largest=(16384, 16384),
        forced=_IDR,
    ),
    Encoder(
        codec=Codec.HEVC,
        name="libx265",
        gpu=False,
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        presets=_presets("veryfast", "medium", "slow"),
        max_crf=51,
        quality=_crf,
        threads=_x265_threads,
        own_gop=250,
        largest=(16384, 16384),
        smallest=(32, 32),  # of 34 to 48 columns and fewer lines, it writes beyond its memory
        always=("-tag:v", "hvc1"),  # hev1 does not play on Apple's devices
        forced=_IDR,
    ),
    Encoder(
        codec=Codec.AV1,
        name="libsvtav1",
        gpu=False,
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        presets=_presets("10", "7", "4"),
        max_crf=63,
        crf_range=_TO_63,
        quality=_whole_crf,
        cap_is_goal=True,
        threads=_svt_threads,
        own_gop=240,
        largest=(16384, 8704),
        smallest=(16, 16),  # it fails on some that are smaller
    ),
    Encoder(
        codec=Codec.VP9,
        name="libvpx-vp9",
        gpu=False,
        pixel_formats={8: "yuv420p", 10: "yuv420p10le"},
        presets={
            Effort.FAST: ("-deadline", "good", "-cpu-used", "5"),
            Effort.BALANCED: ("-deadline", "good", "-cpu-used", "3"),
            Effort.THOROUGH: ("-deadline", "good", "-cpu-used", "1"),
        },
        max_crf=63,
        crf_range=_TO_63,
        quality=_vpx_crf,
        cap_is_goal=True,
        floor=_vpx_floor,
        threads=_vpx_threads,
        own_gop=128,
        largest=(16384, 16384),
    ),
    Encoder(
        codec=Codec.H264,
        name="h264_nvenc",
        gpu=True,
        pixel_formats={8: "yuv420p"},
        presets=_NVENC_PRESETS,
        max_crf=51,
        quality=_nvenc_cq,
        threads=_no_threads,
        own_gop=250,
        largest=(4096, 4096),
        smallest=_NVENC_SMALLEST,
        forced=_IDR,
    ),
    Encoder(
        codec=Codec.HEVC,
        name="hevc_nvenc",
        gpu=True,
        pixel_formats={8: "yuv420p", 10: "p010le"},
        presets=_NVENC_PRESETS,
        max_crf=51,
        quality=_nvenc_cq,
        threads=_no_threads,
        own_gop=250,
        largest=(8192, 8192),
        smallest=_NVENC_SMALLEST,
        always=("-tag:v", "hvc1"),
        forced=_IDR,
    ),
    Encoder(
        codec=Codec.AV1,
        name="av1_nvenc",
        gpu=True,
        pixel_formats={8: "yuv420p", 10: "p010le"},
        presets=_NVENC_PRESETS,
        max_crf=63,
        crf_range=_TO_63,
        quality=_nvenc_cq,
        threads=_no_threads,
        own_gop=250,
        largest=(8192, 8192),
        smallest=_NVENC_SMALLEST,
        forced=_IDR,
    ),
)


def encoder_for(codec: Codec, gpu: bool) -> Encoder:
    """The encoder of `codec` on a GPU or on CPUs. Raises InvalidRequest when there is none."""
    for encoder in ENCODERS:
        if (encoder.codec, encoder.gpu) == (codec, gpu):
            return encoder
    raise InvalidRequest(
        f"no GPU makes {codec}",
        where="gpu",
        remedy="set gpu to never or prefer, or choose another codec",
    )
