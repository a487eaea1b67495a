"""The command line that encodes the sound of a whole file."""

from __future__ import annotations

from fractions import Fraction

from ffrtmp_ray.media.audio_encoders import AUDIO_ENCODERS
from ffrtmp_ray.media.encode.loudness import MEASURE
from ffrtmp_ray.media.encode.opening import opening, seconds
from ffrtmp_ray.media.encode.work import AudioWork

_MIX = "aresample=rematrix_maxval=1"
"""Channels are mixed by the coefficients of ITU-R BS.775 (-3 dB for centre and surrounds, nothing
of the low frequencies), lowered until the loudest sum is full scale: left alone, ffmpeg lowers
integers only, and 5.1 at full scale would be 7.65 dB too loud in stereo."""

_GAP = 0.01
"""Seconds. A lost packet is a gap of 20 ms at least (Opus), 21 ms in AAC at 48 kHz, and where
recordings were put one after another any length is one; times that are rounded to milliseconds, or
a little irregular, are none. By ffmpeg's own 0.1 s, sound would be early by up to that from the
first lost packet on."""

_TICK = 10
"""Seconds, which no frame of a sound is long: 4 MB of stereo."""

_LEAST = Fraction(1, 10)
"""Seconds of sound that a trim has at least, so that something is left behind what an encoder puts
before it: 70 ms with MP3 at 16 kHz."""


def audio_argv(
    ffmpeg: str, source: str, work: AudioWork, *, output: str, level: str | None = None
) -> list[str]:
    """The whole command line; `output` is the path of the MP4 to make, `level` the filter that
    makes it as loud as is wanted (see `encode.loudness`)."""
    last = "" if level is None else f"{level},aresample={_rate(work)}"  # which levelling may raise
    return [
        *_decoding(ffmpeg, source, work, last),
        *("-map", "[out]"),
        *encoder_options(work),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-f", "mp4", output),
    ]


def encoder_options(work: AudioWork) -> list[str]:
    """How the sound is encoded, as options of an output: names and values in turn."""
    channels = work.audio.channels or work.source_channels
    encoder = AUDIO_ENCODERS[work.audio.codec]
    return encoder.arguments(work.audio.bitrate, channels, work.source_bits)


def measure_argv(
    ffmpeg: str, source: str, work: AudioWork, *, level: str | None = None
) -> list[str]:
    """The whole command line that prints how loud the sound is, with the filter `level` or as it
    is."""
    last = MEASURE if level is None else f"{level},aresample={_rate(work)},{MEASURE}"
    printing = ("-loglevel", "level+info")
    return [
        *_decoding(ffmpeg, source, work, last),
        *("-map", "[out]", "-f", "null", *printing, "-"),
    ]


def _decoding(ffmpeg: str, source: str, work: AudioWork, last: str) -> list[str]:
    """Up to the outputs of the filters, of which one more may be the last."""
    first, second = filter_graphs(work, last)
    return [
        *opening(ffmpeg, source, threads=1),
        *("-i", source),
        *("-filter_complex", first, "-filter_complex", second),
    ]


def filter_graphs(work: AudioWork, last: str = "") -> tuple[str, str]:
    """What happens to the sound between decoder and encoder, up to the pad `out`; `last` is one
    more filter.

    ffmpeg starts a graph anew when the source changes its channels or its rate, as broadcasts do;
    the first graph gives all sound one form and remembers nothing, so that the second, which does,
    is never started anew (graphs feed graphs since ffmpeg 7.1). Nothing else may be made in the
    same process: beside a picture, one run in twenty of some files stood still for ever, each
    thread waiting for another (ffmpeg 9.0.2).
    """
    before, ticks = _ticked(_rate(work), _layout(work))
    filled = f"{ticks},{_filled(work)}{f',{last}' if last else ''}"
    return f"{_evened(work)}[even]", f"{before};[even]{filled}[out]"


def filter_graph(work: AudioWork, pad: str) -> str:
    """The same, up to `pad`, in one graph, which may be beside others: for short sound, whose gaps
    are filled all at once, and for one that never changes (ffmpeg's `-drop_changed:a`)."""
    return f"{_evened(work)},{_filled(work)}[{pad}]"


def _evened(work: AudioWork) -> str:
    """All of the sound in one form, its times counted from the picture's first frame.

    A trim may lie in a gap: apad makes some silence then, for a graph that nothing comes into
    crashes.
    """
    form = f"aformat=sample_fmts=fltp:sample_rates={_rate(work)}:channel_layouts={_layout(work)}"
    cut, least = "", ""
    if work.length is not None:
        cut = f"atrim=start=0:end={seconds(work.length)},"
        least = f",apad=whole_dur={seconds(min(work.length, _LEAST))}"
    return f"[0:{work.stream}]asetpts=PTS-({work.picture_start})/TB,{cut}{_MIX},{form}{least}"


def _filled(work: AudioWork) -> str:
    """From `first_pts` on, aresample puts silence where there is none and drops what comes before;
    `async=1` does the same for gaps and overlaps of over 0.1 s within the stream, and stretches
    nothing."""
    end = "" if work.length is None else f",atrim=end={seconds(work.length)}"
    return f"aresample=async=1:min_hard_comp={_GAP}:first_pts=0{end}"


def _ticked(rate: int, layout: str) -> tuple[str, str]:
    """What aresample is given within long gaps, since it makes all of one silence at once, in
    memory: 1.6 GB for half an hour of stereo, and above 2 GiB it leaves the gap as it is. A chain
    that makes `[ticks]`, and the filters between the sound and aresample.

    A tick is one sample of silence, at each multiple of `_TICK`. It is taken where nothing has been
    heard for so long, so that aresample fills the gap up to it. Of frames the filters know little
    more than their size and time: a sample of sound that is alone in its frame, at just that time,
    would be taken for a tick. ainterleave counts in microseconds, and says (ffmpeg 9.0.2) that
    these were samples.
    """
    every = _TICK * rate
    ticks = f"anullsrc=channel_layout={layout}:sample_rate={rate}:nb_samples=1"
    is_sound = f"not(eq(samples_n,1)*eq(mod(pts,{every}),0))"
    is_due = f"isnan(prev_selected_t)+gt(t-prev_selected_t,{_TICK})"
    return (
        f"{ticks},aformat=sample_fmts=fltp,asetpts=(N+1)*{every}[ticks]",
        "[ticks]ainterleave=duration=first,asetpts=round(PTS/1000000/TB),"
        f"aselect='{is_sound}+{is_due}'",
    )


def _layout(work: AudioWork) -> str:
    encoder = AUDIO_ENCODERS[work.audio.codec]
    channels = work.audio.channels or min(work.source_channels, len(encoder.layouts))
    return encoder.layouts[channels - 1]


def _rate(work: AudioWork) -> int:
    """Samples a second."""
    return AUDIO_ENCODERS[work.audio.codec].rate(work.source_rate)
