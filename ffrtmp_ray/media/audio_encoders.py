"""The encoders of sound: what each is called, and what it can make. Rates are bits per second.

An encoder's name is ffmpeg's own, and the name of the capability that a worker must have proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ffrtmp_ray.media.spec import AudioCodec


@dataclass(frozen=True, slots=True)
class AudioEncoder:
    codec: AudioCodec
    name: str
    """ffmpeg's, and that of the capability."""
    layouts: tuple[str, ...]
    """The channel layouts that players know, the one for n channels in place n - 1."""
    max_bitrate_per_channel: int | None
    """None: it is lossless, and takes none."""
    sample_rate: int | None = None
    """Samples a second that it is given; None: the source's own, or the nearest that it has."""
    lowest_rate: int = 0
    """Samples a second below which it is given more than the source has."""
    exact: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    """Of a lossless one, the options for samples of 16 and of 24 bits."""

    def arguments(self, bitrate: int, channels: int, bits: int) -> list[str]:
        """All of ffmpeg's output options that make a sound, of samples of so many bits."""
        if self.max_bitrate_per_channel is None:
            return list(self.exact[bits])
        most = self.max_bitrate_per_channel * channels
        return ["-c:a", self.name, "-b:a", str(min(bitrate, most))]

    def rate(self, source: int) -> int:
        """Samples a second that it is given of a sound that has `source`."""
        return self.sample_rate or max(source, self.lowest_rate)

    def made(self, bits: int) -> str:
        """ffmpeg's name of the codec that is found in what it makes."""
        return self.exact[bits][1] if self.exact else self.codec.value


_FLAC_BLOCKS = ("-frame_size", "4096")
"""Samples, as `flac -5` has them. ffmpeg would take the length of the first piece that it gets,
which after a trim may be of fewer than the 16 that FLAC has at least (RFC 9639, 9.1)."""
_FLAC_LAYOUTS = ("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1")
"""RFC 9639, 9.1.3; WAV has the same order of channels (SMPTE's)."""

AUDIO_ENCODERS: Mapping[AudioCodec, AudioEncoder] = {
    AudioCodec.AAC: AudioEncoder(
        codec=AudioCodec.AAC,
        name="aac",
        # ISO/IEC 14496-3, table 1.19; it has none of seven channels without a second stream
        layouts=("mono", "stereo", "3.0", "4.0", "5.0", "5.1", "5.1", "7.1"),
        max_bitrate_per_channel=288_000,  # 6144 bits a frame of 1024 samples, at 48 kHz
    ),
    AudioCodec.OPUS: AudioEncoder(
        codec=AudioCodec.OPUS,
        name="libopus",
        layouts=("mono", "stereo", "3.0", "quad", "5.0", "5.1", "6.1", "7.1"),  # RFC 7845, 5.1.1.2
        max_bitrate_per_channel=256_000,  # libopus refuses more
        # its clock in every container (RFC 7845, 4.2): MP4 counts in the encoder's rate, and the
        # Matroska muxer shifts all streams by a priming that is no whole number of those ticks
        sample_rate=48_000,
    ),
    AudioCodec.MP3: AudioEncoder(
        codec=AudioCodec.MP3,
        name="libmp3lame",
        layouts=("mono", "stereo"),
        max_bitrate_per_channel=160_000,  # 320 kbit/s is the most (ISO/IEC 11172-3, 2.4.2.3)
        lowest_rate=16_000,  # of MPEG-2 (ISO/IEC 13818-3); MP4 has no name for MP3 of less
    ),
    AudioCodec.FLAC: AudioEncoder(
        codec=AudioCodec.FLAC,
        name="flac",
        layouts=_FLAC_LAYOUTS,
        max_bitrate_per_channel=None,
        exact={
            16: ("-c:a", "flac", *_FLAC_BLOCKS, "-sample_fmt", "s16"),
            24: ("-c:a", "flac", *_FLAC_BLOCKS, "-sample_fmt", "s32", "-bits_per_raw_sample", "24"),
        },
    ),
    AudioCodec.PCM: AudioEncoder(
        codec=AudioCodec.PCM,
        name="pcm_s16le",
        layouts=_FLAC_LAYOUTS,
        max_bitrate_per_channel=None,
        exact={16: ("-c:a", "pcm_s16le"), 24: ("-c:a", "pcm_s24le")},
    ),
}
