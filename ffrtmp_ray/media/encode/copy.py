"""The command line that takes a source's packets as they are."""

from __future__ import annotations

from ffrtmp_ray.media.encode.opening import opening
from ffrtmp_ray.media.encode.video import MOVFLAGS
from ffrtmp_ray.media.plan.payloads import CopyPayload
from ffrtmp_ray.media.spec import Codec


def copy_argv(ffmpeg: str, source: str, work: CopyPayload, *, output: str) -> list[str]:
    """The whole command line; `output` is the path of a fragmented MP4 whose first frame is at time
    zero. Times are moved in the source's own ticks, where nothing is rounded."""
    moved = f"setts=pts=PTS-({work.first_pts}):dts=DTS-({work.first_pts})"
    tag = ["-tag:v", "hvc1"] if work.codec is Codec.HEVC else []
    return [
        *opening(ffmpeg, source, threads=1),
        *("-i", source, "-map", f"0:{work.stream}", "-c", "copy", "-bsf:v", moved, *tag),
        *("-map_metadata", "-1", "-map_chapters", "-1"),
        *("-video_track_timescale", str(work.timescale), "-movflags", MOVFLAGS),
        *("-f", "mp4", output),
    ]
