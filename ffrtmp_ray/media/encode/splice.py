"""The command line that gives a spliced recording one clock, its packets as they are."""

from __future__ import annotations

from ffrtmp_ray.media.encode.opening import opening

SUFFIX = "ts"


def splice_argv(ffmpeg: str, source: str, *, output: str) -> list[str]:
    """The whole command line; `output` is the path of a transport stream with all pictures and
    sounds.

    Without `-copyts` ffmpeg lets each part begin where the one before it ends, for all streams
    alike. Each frame of sound gets a time of its own: where several share one, those around a
    splice would be timed as if there were none.
    """
    begin = [word for word in opening(ffmpeg, source, threads=1) if word != "-copyts"]
    return [
        *begin,
        *("-fflags", "+genpts", "-i", source),
        *("-map", "0:v", "-map", "0:a?", "-c", "copy"),
        *("-f", "mpegts", "-pes_payload_size", "0", output),
    ]
