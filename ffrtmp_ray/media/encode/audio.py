"""The command line that encodes the sound of a whole file."""

from __future__ import annotations

from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.work import AudioWork
from ffrtmp_ray.media.encoders import AUDIO_ENCODERS


def audio_argv(ffmpeg: str, source: str, work: AudioWork, *, output: str) -> list[str]:
    """The whole command line; `output` is the path of the MP4 to make."""
    encoder = AUDIO_ENCODERS[work.audio.codec]
    channels = work.audio.channels or work.source_channels
    bitrate = min(work.audio.bitrate, encoder.max_bitrate_per_channel * channels)
    return [
        *opening(ffmpeg, threads=1),
        *("-i", source),
        *("-filter_complex", filter_graph(work)),
        *("-map", "[out]"),
        *("-c:a", encoder.name),
        *("-b:a", str(bitrate)),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "mp4", output),
    ]


def filter_graph(work: AudioWork) -> str:
    """What happens to the sound between decoder and encoder.

    Its times are counted from the picture's first frame. From `first_pts` on, aresample puts
    silence where there is none and drops what comes before; `async=1` does the same for gaps and
    overlaps of over 0.1 s within the stream, and stretches nothing.
    """
    encoder = AUDIO_ENCODERS[work.audio.codec]
    layouts = encoder.layouts
    if work.audio.channels is not None:
        layouts = (layouts[work.audio.channels - 1],)
    forms = [f"channel_layouts={'|'.join(dict.fromkeys(layouts))}"]
    if encoder.sample_rate is not None:
        forms.append(f"sample_rates={encoder.sample_rate}")
    return (
        f"[0:{work.stream}]asetpts=PTS-({work.picture_start})/TB,aresample=async=1:first_pts=0,"
        f"aformat={':'.join(forms)}[out]"
    )
